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
#include "pki/cert_quick.h"
#include "pki/pem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is read quickly is the same as by OpenSSL. */
static void
read_quickly(const struct cert *cert, struct span der)
{
	static struct cert_quick quick;
	struct cert *made;

	if (!cert_quick_parse(der, &quick))
		return;
	assert(!cert->is_ca);
	assert(strcmp(quick.fingerprint, cert->fingerprint) == 0);
	assert(quick.not_before == cert->not_before);
	assert(quick.not_after == cert->not_after);
	assert(quick.must_staple == cert->must_staple);
	assert(span_equal(quick.issuer, cert->issuer_der));
	assert(span_equal(quick.serial, cert->serial_der));
	made = cert_quick_make(&quick, cert);
	if (made == NULL)
		return;
	assert(strcmp(made->subject, cert->subject) == 0);
	assert(strcmp(made->serial, cert->serial) == 0);
	cert_free(made);
}

static void
walk_blocks(const uint8_t *data, size_t size)
{
	struct pem pem = pem_over(data, size);
	struct span block;

	while (pem_next(&pem, &block)) {
		static struct cert_quick quick;
		uint8_t *der;
		size_t len;

		assert(block.len > 0 && block.at >= data &&
		       block.at + block.len <= data + size);
		if (!pem_decode(block, &der, &len))
			continue;
		(void)cert_quick_parse((struct span){der, len}, &quick);
		free(der);
	}
}

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
		read_quickly(cert, (struct span){der, len});
		free(der);
	}
	if (leaf != NULL) {
		const struct cert *issuer;

		err_clear(&err);
		issuer = cert_find_issuer(leaf, lists, &err);
		assert((issuer == NULL) == (err.reason != REASON_NONE));
	}
	walk_blocks(data, size);
	cert_list_done(&list);
	return 0;
}
