/* SPDX-License-Identifier: ISC */
/* pki/request.c -- the OCSP request (RFC 6960 section 4.1, RFC 9919). */
#include "pki/request.h"

#include <assert.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ocsp.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "pki/cert.h"
#include "pki/cert_id.h"
#include "pki/der.h"

enum {
	/* a serial number of 127 octets, two SHA-256, a nonce, and their heads */
	REQUEST_MADE_MAX = 512,
};

/* --- the request ---
 *
 * Octet by octet: it is always of the same form, and to have OpenSSL make it cost
 * more than all else that we do for a certificate, signatures apart. */

/* DER that is written from its end, since a length stands before what it is the
 * length of. */
struct back {
	uint8_t octets[REQUEST_MADE_MAX];
	size_t at; /* of the first that is written */
};

static void
put(struct back *back, const void *octets, size_t len)
{
	assert(len <= back->at);
	back->at -= len;
	memcpy(back->octets + back->at, octets, len);
}

/* TAG and the length of what has been written since there were BEFORE octets in
 * front. */
static void
wrap(struct back *back, uint8_t tag, size_t before)
{
	size_t len = before - back->at;
	const uint8_t short_head[] = {tag, (uint8_t)len};
	const uint8_t long_head[] = {
	    tag, 0x82, (uint8_t)(len >> 8), (uint8_t)len};

	if (len < 0x80)
		put(back, short_head, sizeof(short_head));
	else if (len < 0x100)
		put(back, (const uint8_t[]){tag, 0x81, (uint8_t)len}, 3);
	else
		put(back, long_head, sizeof(long_head));
}

static void
put_value(struct back *back, uint8_t tag, const void *octets, size_t len)
{
	size_t before = back->at;

	put(back, octets, len);
	wrap(back, tag, before);
}

/* CertID ::= SEQUENCE { hashAlgorithm, issuerNameHash, issuerKeyHash,
 *     serialNumber } */
static void
put_id(struct back *back, const struct cert_id *id)
{
	static const uint8_t sha1[] = {
	    0x30, 9, 6, 5, 0x2b, 0x0e, 3, 2, 0x1a, 5, 0};
	static const uint8_t sha256[] = {
	    0x30, 13, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1, 5, 0};
	size_t before = back->at;

	put_value(back, DER_INTEGER, id->serial.at, id->serial.len);
	put_value(back, DER_OCTET_STRING, id->key_hash.at, id->key_hash.len);
	put_value(back, DER_OCTET_STRING, id->name_hash.at, id->name_hash.len);
	if (id->hash == CERT_ID_SHA256)
		put(back, sha256, sizeof(sha256));
	else
		put(back, sha1, sizeof(sha1));
	wrap(back, DER_SEQUENCE, before);
}

/* requestExtensions [2] EXPLICIT SEQUENCE OF SEQUENCE { id-pkix-ocsp-nonce,
 *     OCTET STRING of an OCTET STRING }, RFC 9654 section 2.1 */
static void
put_nonce(struct back *back, struct span nonce)
{
	static const uint8_t oid[] = {6, 9, 0x2b, 6, 1, 5, 5, 7, 0x30, 1, 2};
	size_t before = back->at;

	put_value(back, DER_OCTET_STRING, nonce.at, nonce.len);
	wrap(back, DER_OCTET_STRING, before);
	put(back, oid, sizeof(oid));
	wrap(back, DER_SEQUENCE, before);
	wrap(back, DER_SEQUENCE, before);
	wrap(back, DER_CONTEXT | 2, before);
}

/* OCSPRequest ::= SEQUENCE { tbsRequest SEQUENCE { requestList SEQUENCE OF
 *     SEQUENCE { reqCert CertID }, requestExtensions } }.  Owned. */
static uint8_t *
write_request(const struct cert_id *id, struct span nonce, size_t *len)
{
	struct back back = {.at = REQUEST_MADE_MAX};
	size_t list;

	if (nonce.len > 0)
		put_nonce(&back, nonce);
	list = back.at;
	put_id(&back, id);
	wrap(&back, DER_SEQUENCE, list); /* Request */
	wrap(&back, DER_SEQUENCE, list); /* requestList */
	wrap(&back, DER_SEQUENCE, REQUEST_MADE_MAX);
	wrap(&back, DER_SEQUENCE, REQUEST_MADE_MAX);
	*len = REQUEST_MADE_MAX - back.at;
	return mem_copy(back.octets + back.at, *len);
}

int
request_make_as(const struct cert *leaf, const struct cert *issuer,
    const struct request_kind *kind, uint8_t **out, size_t *len,
    struct err *err)
{
	uint8_t name_hash[CERT_ID_HASH_MAX], key_hash[CERT_ID_HASH_MAX];
	enum cert_id_hash hash = kind->sha256 ? CERT_ID_SHA256 : CERT_ID_SHA1;
	const struct cert_id id = {
	    .hash = hash,
	    .name_hash = {name_hash, cert_id_hash_len(hash)},
	    .key_hash = {key_hash, cert_id_hash_len(hash)},
	    .serial = leaf->serial_der,
	};

	if (leaf->serial_der.len == 0 || kind->nonce.len > REQUEST_NONCE)
		return err_set(err, REASON_CERTIFICATE_UNREADABLE,
		    "no OCSP request can be made for '%s'", cert_name(leaf));
	cert_id_issuer(leaf, issuer, hash, name_hash, key_hash);
	*out = write_request(&id, kind->nonce, len);
	return 0;
}

int
request_make(const struct cert *leaf, const struct cert *issuer, uint8_t **out,
    size_t *len, struct err *err)
{
	const struct request_kind plain = {.sha256 = false};

	return request_make_as(leaf, issuer, &plain, out, len, err);
}

void
request_make_fictitious(uint8_t **out, size_t *len)
{
	/* of the length of digests, which they are of nothing */
	static const uint8_t name[] = "oclasp: no such name",
			     key[] = "oclasp: no such key.";
	/* "oclasp", and of a length that CAs give to none */
	static const uint8_t serial[] = {0x6f, 0x63, 0x6c, 0x61, 0x73, 0x70};
	const struct cert_id id = {
	    .hash = CERT_ID_SHA1,
	    .name_hash = {name, sizeof(name) - 1},
	    .key_hash = {key, sizeof(key) - 1},
	    .serial = {serial, sizeof(serial)},
	};

	*out = write_request(&id, (struct span){NULL, 0}, len);
}

char *
request_get_url(const char *base, const uint8_t *der, size_t len)
{
	static const char hex[] = "0123456789ABCDEF";
	size_t base_len = strlen(base);
	size_t base64_len = 4 * ((len + 2) / 3);
	unsigned char *base64 = mem_new(base64_len + 1);
	/* every character may become three */
	char *url = mem_new(base_len + 1 + 3 * base64_len + 1);
	char *at = mempcpy(url, base, base_len);

	(void)EVP_EncodeBlock(base64, der, (int)len);
	if (base_len == 0 || base[base_len - 1] != '/')
		*at++ = '/';
	for (const unsigned char *c = base64; *c != '\0'; c++) {
		if (*c != '+' && *c != '/' && *c != '=') {
			*at++ = (char)*c;
			continue;
		}
		*at++ = '%';
		*at++ = hex[*c >> 4];
		*at++ = hex[*c & 15];
	}
	free(base64);
	return url;
}

/* The octets within the extension's value (RFC 9654), or the bare value. */
static void
copy_nonce(X509_EXTENSION *extension, uint8_t **out, size_t *len)
{
	const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(extension);
	const unsigned char *at = ASN1_STRING_get0_data(value);
	int size = ASN1_STRING_length(value);
	ASN1_OCTET_STRING *inner = d2i_ASN1_OCTET_STRING(NULL, &at, size);

	/* as response_parse() does, so that the same octets are equal */
	if (inner != NULL && at == ASN1_STRING_get0_data(value) + size) {
		at = ASN1_STRING_get0_data(inner);
		size = ASN1_STRING_length(inner);
	} else {
		at = ASN1_STRING_get0_data(value);
	}
	*out = mem_copy(at, (size_t)size);
	*len = (size_t)size;
	ASN1_OCTET_STRING_free(inner);
}

static OCSP_REQUEST *
read_request(const uint8_t *der, size_t len, struct err *err)
{
	const unsigned char *at = der;
	OCSP_REQUEST *request = NULL;

	if (len <= REQUEST_FILE_MAX)
		request = d2i_OCSP_REQUEST(NULL, &at, (long)len);
	ERR_clear_error();
	if (request != NULL && at == der + len)
		return request;
	OCSP_REQUEST_free(request);
	(void)err_set(
	    err, REASON_USAGE, "the request file holds no OCSP request in DER");
	return NULL;
}

static char *
string_hex(const ASN1_STRING *string)
{
	return text_hex(
	    ASN1_STRING_get0_data(string), (size_t)ASN1_STRING_length(string));
}

static char *
hash_name(const ASN1_OBJECT *object)
{
	char text[128];

	switch (OBJ_obj2nid(object)) {
	case NID_sha1:
		return mem_string("sha1");
	case NID_sha256:
		return mem_string("sha256");
	default:
		(void)OBJ_obj2txt(text, sizeof(text), object, 1);
		return mem_string(text);
	}
}

int
request_parse(
    const uint8_t *der, size_t len, struct request_facts *out, struct err *err)
{
	OCSP_REQUEST *request = read_request(der, len, err);
	struct request_facts facts = {0};
	int count;

	if (request == NULL)
		return -1;
	count = OCSP_request_onereq_count(request);
	if (count > REQUEST_IDS_MAX)
		count = REQUEST_IDS_MAX;
	facts.ids = mem_array((size_t)count, sizeof(facts.ids[0]));
	facts.is_signed = OCSP_request_is_signed(request) == 1;
	for (int i = 0; i < count; i++) {
		OCSP_CERTID *id =
		    OCSP_onereq_get0_id(OCSP_request_onereq_get0(request, i));
		ASN1_OCTET_STRING *name = NULL, *key = NULL;
		ASN1_OBJECT *hash = NULL;
		ASN1_INTEGER *serial = NULL;

		(void)OCSP_id_get0_info(&name, &hash, &key, &serial, id);
		facts.ids[facts.id_count++] = (struct request_id){
		    .hash = hash_name(hash),
		    .name_hash = string_hex(name),
		    .key_hash = string_hex(key),
		    .serial = string_hex(serial),
		};
	}
	OCSP_REQUEST_free(request);
	*out = facts;
	return 0;
}

void
request_facts_done(struct request_facts *facts)
{
	for (size_t i = 0; i < facts->id_count; i++) {
		free(facts->ids[i].hash);
		free(facts->ids[i].name_hash);
		free(facts->ids[i].key_hash);
		free(facts->ids[i].serial);
	}
	free(facts->ids);
	*facts = (struct request_facts){0};
}

int
request_nonce(const uint8_t *der, size_t der_len, uint8_t **out, size_t *len,
    struct err *err)
{
	OCSP_REQUEST *request = read_request(der, der_len, err);
	int where;

	if (request == NULL)
		return -1;
	*out = NULL;
	*len = 0;
	where =
	    OCSP_REQUEST_get_ext_by_NID(request, NID_id_pkix_OCSP_Nonce, -1);
	if (where >= 0)
		copy_nonce(OCSP_REQUEST_get_ext(request, where), out, len);
	OCSP_REQUEST_free(request);
	ERR_clear_error();
	return 0;
}
