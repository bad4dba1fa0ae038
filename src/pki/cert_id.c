/* SPDX-License-Identifier: ISC */
/* pki/cert_id.c -- CertIDs: by what hashes OCSP names a certificate. */
#include "pki/cert_id.h"

#include <assert.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "pki/cert.h"

size_t
cert_id_hash_len(enum cert_id_hash hash)
{
	switch (hash) {
	case CERT_ID_SHA1:
		return 20;
	case CERT_ID_SHA256:
		return 32;
	case CERT_ID_HASHES:
		return 0;
	}
	return 0;
}

static void
digest(enum cert_id_hash hash, const void *data, size_t len,
    uint8_t out[CERT_ID_HASH_MAX])
{
	unsigned got = 0;
	int rc = EVP_Digest(data, len, out, &got,
	    hash == CERT_ID_SHA1 ? EVP_sha1() : EVP_sha256(), NULL);

	assert(rc == 1 && got == cert_id_hash_len(hash));
}

void
cert_id_issuer(const struct cert *leaf, const struct cert *issuer,
    enum cert_id_hash hash, uint8_t name_hash[CERT_ID_HASH_MAX],
    uint8_t key_hash[CERT_ID_HASH_MAX])
{
	const ASN1_BIT_STRING *key = X509_get0_pubkey_bitstr(issuer->x509);

	/* computed beforehand, unless the leaf writes the same name in another
	 * way than the issuer does */
	if (hash == CERT_ID_SHA1 &&
	    span_equal(leaf->issuer_der, cert_subject_der(issuer))) {
		memcpy(name_hash, issuer->subject_sha1, CERT_SHA1);
		memcpy(key_hash, issuer->key_sha1, CERT_SHA1);
		return;
	}
	/* RFC 6960, section 4.1.1: the name as "in the certificate being
	 * checked", the key "excluding the tag, length, and number of unused
	 * bits" */
	digest(hash, leaf->issuer_der.at, leaf->issuer_der.len, name_hash);
	digest(hash, ASN1_STRING_get0_data(key),
	    (size_t)ASN1_STRING_length(key), key_hash);
}

struct cert *
cert_id_stand_in(
    const struct cert *sibling, const struct cert *issuer, struct span serial)
{
	char *hex = text_hex(serial.at, serial.len);
	char *subject = mem_printf("serial %s", hex);
	char *name = mem_printf("%s/%s", issuer->fingerprint, hex);
	uint8_t hash[CERT_ID_HASH_MAX];
	struct cert made = {
	    .subject = subject,
	    .issuer = sibling->issuer,
	    .serial = hex,
	    .not_before = issuer->not_before,
	    .not_after = issuer->not_after,
	    .ocsp_urls = sibling->ocsp_urls,
	    .ocsp_url_count = sibling->ocsp_url_count,
	    .issuer_der = sibling->issuer_der,
	    .serial_der = serial,
	};
	struct cert *compact;
	char *print;

	/* no certificate has this one, and no other stand-in */
	digest(CERT_ID_SHA256, name, strlen(name), hash);
	print = text_hex(hash, sizeof(hash));
	memcpy(made.fingerprint, print, sizeof(made.fingerprint));
	compact = cert_compact(&made);
	free(print);
	free(name);
	free(subject);
	free(hex);
	return compact;
}
