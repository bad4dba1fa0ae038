/* SPDX-License-Identifier: ISC */
/* fuzz_unwrap.c -- response files: DER, PEM, base64, and what only looks like
 * one of them. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/err.h"
#include "pki/response.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct response response;
	struct err err = {0};
	uint8_t *der = NULL;
	size_t len = 0;

	if (response_unwrap(data, size, &der, &len, &err) != 0) {
		assert(err.reason == REASON_MALFORMED && der == NULL);
		return 0;
	}
	assert(der != NULL && len <= size);
	if (response_parse(der, len, &response, &err) == 0) {
		assert(response.single_count > 0);
		for (size_t i = 0; i < response.cert_count; i++)
			assert(response.certs[i].at > der &&
			       response.certs[i].at + response.certs[i].len <=
				   der + len);
		response_done(&response);
	} else {
		assert(err.reason != REASON_NONE);
	}
	free(der);
	return 0;
}
