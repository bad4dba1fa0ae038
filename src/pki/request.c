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

/* "oclasp", and of a length that CAs give to none */
#define FICTITIOUS_SERIAL UINT64_C(0x6f636c617370)

/* Of the leaf's facts, so that a compact one will do. */
static OCSP_CERTID *
make_id(const struct cert *leaf, const struct cert *issuer, const EVP_MD *md)
{
	const ASN1_BIT_STRING *key = X509_get0_pubkey_bitstr(issuer->x509);
	const unsigned char *at = leaf->issuer_der.at;
	X509_NAME *name = d2i_X509_NAME(NULL, &at, (long)leaf->issuer_der.len);
	/* the header again: at most 127 octets, see pki/cert.h */
	unsigned char serial_der[2 + 127] = {
	    V_ASN1_INTEGER, (unsigned char)leaf->serial_der.len};
	ASN1_INTEGER *serial = NULL;
	OCSP_CERTID *id = NULL;

	if (leaf->serial_der.len > 0)
		memcpy(
		    serial_der + 2, leaf->serial_der.at, leaf->serial_der.len);
	at = serial_der;
	serial = d2i_ASN1_INTEGER(NULL, &at, (long)leaf->serial_der.len + 2);
	if (name != NULL && key != NULL && serial != NULL)
		id = OCSP_cert_id_new(md, name, key, serial);
	ASN1_INTEGER_free(serial);
	X509_NAME_free(name);
	return id;
}

/* A copy: what OpenSSL takes is not const. */
static bool
add_nonce(OCSP_REQUEST *request, struct span nonce)
{
	unsigned char *copy;
	bool good;

	if (nonce.len == 0)
		return true;
	copy = mem_copy(nonce.at, nonce.len);
	good = OCSP_request_add1_nonce(request, copy, (int)nonce.len) == 1;
	free(copy);
	return good;
}

/* The DER of a request with TAKE_ID, owned; -1 if it cannot be. */
static int
write_request(
    OCSP_CERTID *take_id, struct span nonce, uint8_t **out, size_t *len)
{
	OCSP_REQUEST *request = OCSP_REQUEST_new();
	unsigned char *der = NULL;
	int got = -1;

	if (request != NULL && take_id != NULL &&
	    OCSP_request_add0_id(request, take_id) != NULL) {
		take_id = NULL; /* the request's now */
		if (add_nonce(request, nonce))
			got = i2d_OCSP_REQUEST(request, &der);
	}
	OCSP_CERTID_free(take_id);
	OCSP_REQUEST_free(request);
	ERR_clear_error();
	if (got <= 0)
		return -1;
	*out = mem_copy(der, (size_t)got);
	*len = (size_t)got;
	OPENSSL_free(der);
	return 0;
}

int
request_make_as(const struct cert *leaf, const struct cert *issuer,
    const struct request_kind *kind, uint8_t **out, size_t *len,
    struct err *err)
{
	OCSP_CERTID *id =
	    make_id(leaf, issuer, kind->sha256 ? EVP_sha256() : EVP_sha1());

	if (write_request(id, kind->nonce, out, len) == 0)
		return 0;
	return err_set(err, REASON_CERTIFICATE_UNREADABLE,
	    "no OCSP request can be made for '%s'", cert_name(leaf));
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
	static const char nobody[] = "oclasp survey: no such issuer";
	X509_NAME *issuer = X509_NAME_new();
	ASN1_BIT_STRING *key = ASN1_BIT_STRING_new();
	ASN1_INTEGER *serial = ASN1_INTEGER_new();
	int rc;

	assert(issuer != NULL && key != NULL && serial != NULL);
	(void)X509_NAME_add_entry_by_txt(issuer, "CN", MBSTRING_ASC,
	    (const unsigned char *)nobody, -1, -1, 0);
	(void)ASN1_BIT_STRING_set(
	    key, (unsigned char *)(uintptr_t)nobody, (int)sizeof(nobody) - 1);
	(void)ASN1_INTEGER_set_uint64(serial, FICTITIOUS_SERIAL);
	rc = write_request(OCSP_cert_id_new(EVP_sha1(), issuer, key, serial),
	    (struct span){NULL, 0}, out, len);
	assert(rc == 0); /* it is the same each time: our own mistake */
	(void)rc;
	X509_NAME_free(issuer);
	ASN1_BIT_STRING_free(key);
	ASN1_INTEGER_free(serial);
}

char *
request_get_url(const char *base, const uint8_t *der, size_t len)
{
	size_t base_len = strlen(base);
	unsigned char *base64 = mem_new(4 * ((len + 2) / 3) + 1);
	struct buf url;

	(void)EVP_EncodeBlock(base64, der, (int)len);
	buf_init(&url, base_len + 16 * len + 16);
	buf_puts(&url, base);
	if (base_len == 0 || base[base_len - 1] != '/')
		buf_puts(&url, "/");
	for (const unsigned char *c = base64; *c != '\0'; c++) {
		if (*c == '+' || *c == '/' || *c == '=')
			buf_printf(&url, "%%%02X", *c);
		else
			buf_add(&url, c, 1);
	}
	free(base64);
	return buf_take(&url);
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
