/* SPDX-License-Identifier: ISC */
/* pki/cert_list.c -- certificate files, and finding leaf and issuer in them.
 */
#include "pki/cert.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "pki/pem.h"

void
cert_list_add(struct cert_list *list, struct cert *take_cert)
{
	list->items =
	    mem_resize(list->items, list->count + 1, sizeof(list->items[0]));
	list->items[list->count++] = take_cert;
}

void
cert_list_done(struct cert_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		cert_free(list->items[i]);
	free(list->items);
	*list = (struct cert_list){0};
}

/* A sentence for a PEM file without a certificate, by what it has instead. */
static int
explain_other_pem(const char *name, const char *text, struct err *err)
{
	if (strstr(text, "PRIVATE KEY-----") != NULL)
		return err_set(err, REASON_CERTIFICATE_UNREADABLE,
		    "'%s' holds a private key and no certificate: give the "
		    "certificate file; oclasp needs no key",
		    name);
	if (strstr(text, "CERTIFICATE REQUEST-----") != NULL)
		return err_set(err, REASON_CERTIFICATE_UNREADABLE,
		    "'%s' holds a certificate request, not yet a certificate: "
		    "give the file that the CA sent back",
		    name);
	if (strstr(text, "PKCS7-----") != NULL)
		return err_set(err, REASON_CERTIFICATE_UNREADABLE,
		    "'%s' is a PKCS#7 bundle: turn it into PEM with: openssl "
		    "pkcs7 -print_certs -in '%s'",
		    name, name);
	return err_set(err, REASON_CERTIFICATE_UNREADABLE,
	    "'%s' is PEM without a CERTIFICATE block: give a certificate file",
	    name);
}

/* OpenSSL asks for the passphrase of an encrypted block on the terminal, unless
 * somebody else answers: there is none. */
static int
no_passphrase(char *out, int size, int writing, void *cookie)
{
	(void)out;
	(void)size;
	(void)writing;
	(void)cookie;
	return -1;
}

static int
parse_pem(struct cert_list *list, const char *name, const char *text,
    size_t text_len, struct err *err)
{
	struct pem pem = pem_over(text, text_len);
	struct span block;
	size_t found = 0;

	while (pem_next(&pem, &block)) {
		BIO *bio;
		X509 *x509;
		struct cert *cert;

		if (++found > CERT_LIST_MAX)
			return err_set(err, REASON_CERTIFICATE_UNREADABLE,
			    "'%s' holds more than %d certificates", name,
			    CERT_LIST_MAX);
		bio = BIO_new_mem_buf(block.at, (int)block.len);
		x509 = PEM_read_bio_X509_AUX(bio, NULL, no_passphrase, NULL);
		BIO_free(bio);
		ERR_clear_error();
		if (x509 == NULL)
			return err_set(err, REASON_CERTIFICATE_UNREADABLE,
			    "certificate %zu in '%s' is damaged", found, name);
		cert = cert_take_x509(x509, err);
		if (cert == NULL)
			return -1;
		cert_list_add(list, cert);
	}
	return found > 0 ? 0 : explain_other_pem(name, text, err);
}

static int
parse_der(struct cert_list *list, const char *name, const uint8_t *bytes,
    size_t len, struct err *err)
{
	struct cert *cert = cert_from_der(bytes, len, NULL);
	const unsigned char *at = bytes;
	PKCS12 *p12;
	X509 *x509;

	if (cert != NULL) {
		cert_list_add(list, cert);
		return 0;
	}
	x509 = d2i_X509(NULL, &at, (long)len);
	X509_free(x509);
	if (x509 != NULL && at != bytes + len)
		return err_set(err, REASON_CERTIFICATE_UNREADABLE,
		    "'%s' is a DER certificate with %zu bytes behind it: give "
		    "a clean file",
		    name, (size_t)(bytes + len - at));
	at = bytes;
	p12 = d2i_PKCS12(NULL, &at, (long)len);
	ERR_clear_error();
	if (p12 != NULL) {
		PKCS12_free(p12);
		return err_set(err, REASON_CERTIFICATE_UNREADABLE,
		    "'%s' is a PKCS#12 file: take the certificates out with: "
		    "openssl pkcs12 -nokeys -in '%s' -out chain.pem",
		    name, name);
	}
	return err_set(err, REASON_CERTIFICATE_UNREADABLE,
	    "'%s' is neither a PEM nor a DER certificate", name);
}

int
cert_list_parse(struct cert_list *list, const char *name, const uint8_t *bytes,
    size_t len, struct err *err)
{
	char *text;
	int rc;

	if (bytes == NULL || len == 0)
		return err_set(err, REASON_CERTIFICATE_UNREADABLE,
		    "'%s' is empty: give a certificate file", name);
	if (!pem_has_block(bytes, len))
		return parse_der(list, name, bytes, len, err);
	if (memchr(bytes, '\0', len) != NULL)
		return err_set(err, REASON_CERTIFICATE_UNREADABLE,
		    "'%s' mixes PEM with binary data: give a clean PEM file",
		    name);
	text = mem_new(len + 1);
	memcpy(text, bytes, len);
	rc = parse_pem(list, name, text, len, err);
	free(text);
	return rc;
}

int
cert_list_load(struct cert_list *list, const char *path, struct err *err)
{
	struct err file = {0};
	uint8_t *bytes = NULL;
	size_t len = 0;
	int rc;

	if (file_read(path, CERT_FILE_MAX, &bytes, &len, &file) == -1)
		return err_set(
		    err, REASON_CERTIFICATE_UNREADABLE, "%s", file.text);
	rc = cert_list_parse(list, path, bytes, len, err);
	free(bytes);
	return rc;
}

static bool
signed_another(const struct cert_list *list, const struct cert *signer)
{
	for (size_t i = 0; i < list->count; i++) {
		if (list->items[i] != signer &&
		    cert_signed_by(list->items[i], signer))
			return true;
	}
	return false;
}

const struct cert *
cert_list_leaf(const struct cert_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		if (!list->items[i]->is_ca)
			return list->items[i];
	}
	for (size_t i = 0; i < list->count; i++) {
		if (!signed_another(list, list->items[i]))
			return list->items[i];
	}
	return list->count > 0 ? list->items[0] : NULL;
}

static bool
has_others(const struct cert_list *list, const struct cert *leaf)
{
	for (size_t i = 0; list != NULL && i < list->count; i++) {
		if (strcmp(list->items[i]->fingerprint, leaf->fingerprint) != 0)
			return true;
	}
	return false;
}

const struct cert *
cert_find_issuer(const struct cert *leaf, const struct cert_list *const lists[],
    struct err *err)
{
	const struct cert *namesake = NULL;
	const char *where = leaf->ca_issuers;

	for (size_t n = 0; lists[n] != NULL; n++) {
		for (size_t i = 0; i < lists[n]->count; i++) {
			const struct cert *other = lists[n]->items[i];

			if (cert_signed_by(leaf, other))
				return other;
			if (strcmp(leaf->issuer, other->subject) == 0)
				namesake = other;
		}
	}
	if (namesake != NULL)
		(void)err_set(err, REASON_ISSUER_MISMATCH,
		    "the certificate of '%s' bears the issuer's name, but its "
		    "key did not sign '%s': give the right one with -i%s%s",
		    namesake->subject, cert_name(leaf),
		    where == NULL ? "" : "; get it at ",
		    where == NULL ? "" : where);
	else
		(void)err_set(err,
		    has_others(lists[0], leaf) ? REASON_ISSUER_MISMATCH
					       : REASON_ISSUER_MISSING,
		    "the certificate of '%s', which signed '%s', is missing: "
		    "give the full chain or that certificate with -i%s%s",
		    leaf->issuer, cert_name(leaf),
		    where == NULL ? "" : "; get it at ",
		    where == NULL ? "" : where);
	return NULL;
}
