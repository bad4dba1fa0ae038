/* SPDX-License-Identifier: ISC */
/* fuzz_request.c -- OCSP requests from files, and any octets as a GET URL. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "pki/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct request_facts facts = {0};
	uint8_t *nonce = NULL;
	size_t nonce_len = 0;
	struct err err = {0};
	int rc = request_parse(data, size, &facts, &err);
	char *url;

	assert(rc == 0 || err.reason == REASON_USAGE);
	assert(facts.id_count <= REQUEST_IDS_MAX);
	for (size_t i = 0; i < facts.id_count; i++)
		assert(facts.ids[i].hash[0] != '\0');
	assert(request_nonce(data, size, &nonce, &nonce_len, NULL) == rc);
	assert(nonce != NULL || nonce_len == 0);
	assert(nonce_len <= size);
	free(nonce);
	request_facts_done(&facts);
	if (size <= REQUEST_FILE_MAX) {
		url = request_get_url("http://ocsp.test", data, size);
		assert(strlen(url) >=
		       strlen("http://ocsp.test/") + 4 * ((size + 2) / 3));
		assert(strpbrk(url + strlen("http://ocsp.test/"), "+/=\n") ==
		       NULL);
		free(url);
	}
	return 0;
}
