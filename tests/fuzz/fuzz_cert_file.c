/* SPDX-License-Identifier: ISC */
/* fuzz_cert_file.c -- what people give as a certificate file. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "pki/cert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cert_list list = {0};
	const struct cert_list *const lists[] = {&list, NULL};
	struct err err = {0};
	int rc = cert_list_parse(&list, "file", data, size, &err);
	const struct cert *leaf = cert_list_leaf(&list);

	assert((rc == 0) == (err.reason == REASON_NONE));
	assert(rc == 0 || err.reason == REASON_CERTIFICATE_UNREADABLE);
	assert(rc == -1 || list.count > 0);
	assert((leaf == NULL) == (list.count == 0));
	for (size_t i = 0; i < list.count; i++) {
		const struct cert *cert = list.items[i];
		char *shown = text_printable(cert->subject);
		uint8_t *der = NULL;
		size_t len = 0;

		assert(strcmp(shown, cert->subject) == 0);
		free(shown);
		assert(strlen(cert->fingerprint) == 64);
		assert(cert->ocsp_url_count <= CERT_URLS_MAX);
		(void)cert_names_host(cert, cert_name(cert));
		cert_der(cert, &der, &len);
		free(der);
	}
	if (leaf != NULL) {
		const struct cert *issuer;

		err_clear(&err);
		issuer = cert_find_issuer(leaf, lists, &err);
		assert((issuer == NULL) == (err.reason != REASON_NONE));
	}
	cert_list_done(&list);
	return 0;
}
