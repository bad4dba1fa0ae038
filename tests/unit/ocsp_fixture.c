/* SPDX-License-Identifier: ISC */
/* tests/unit/ocsp_fixture.c -- OCSP responses for tests, written octet by octet
 * in the order of RFC 6960, section 4.2.1. */
#include "pki_fixture.h"

#include <assert.h>
#include <openssl/ocsp.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "pki/der.h"

static struct buf
fresh(void)
{
	struct buf buf;

	buf_init(&buf, PKI_TLV_MAX);
	return buf;
}

static void
raw(struct buf *out, struct span bytes)
{
	if (bytes.len > 0)
		buf_add(out, bytes.at, bytes.len);
}

static void
add_time(struct buf *out, int64_t wall, const char *text)
{
	char made[32];
	time_t t = wall;
	struct tm tm;

	if (text == NULL) {
		assert(gmtime_r(&t, &tm) != NULL);
		assert(strftime(made, sizeof(made), "%Y%m%d%H%M%SZ", &tm) > 0);
		text = made;
	}
	pki_tlv(out, DER_GENERALIZED_TIME,
	    (struct span){(const uint8_t *)text, strlen(text)});
}

static void
add_digest(struct buf *out, const EVP_MD *md, struct span data, bool wrong)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int len = 0;

	assert(EVP_Digest(data.at, data.len, digest, &len, md, NULL) == 1);
	if (wrong)
		digest[len - 1] ^= 1;
	pki_tlv(out, DER_OCTET_STRING, (struct span){digest, len});
}

static void
add_cert_id(struct buf *out, const struct pki_single *s)
{
	const EVP_MD *md =
	    EVP_get_digestbynid(s->md_nid == 0 ? NID_sha1 : s->md_nid);
	const ASN1_BIT_STRING *key = X509_get0_pubkey_bitstr(s->issuer->x509);
	struct buf id = fresh(), hash = fresh();
	unsigned char *serial = NULL;
	struct span name;
	char dotted[64];
	int len;

	assert(OBJ_obj2txt(dotted, sizeof(dotted),
		   OBJ_nid2obj(EVP_MD_get_type(md)), 1) > 0);
	pki_oid(&hash, dotted);
	pki_tlv(&hash, DER_NULL, (struct span){0});
	pki_wrap(&id, DER_SEQUENCE, &hash);
	assert(X509_NAME_get0_der(X509_get_issuer_name(s->leaf->x509), &name.at,
		   &name.len) == 1);
	add_digest(&id, md, name, s->wrong_name);
	add_digest(&id, md,
	    (struct span){
		ASN1_STRING_get0_data(key), (size_t)ASN1_STRING_length(key)},
	    s->wrong_key);
	len = i2d_ASN1_INTEGER(X509_get0_serialNumber(s->leaf->x509), &serial);
	assert(len > 2);
	if (s->wrong_serial)
		serial[len - 1] ^= 1;
	buf_add(&id, serial, (size_t)len);
	OPENSSL_free(serial);
	pki_wrap(out, DER_SEQUENCE, &id);
}

static void
add_cert_status(struct buf *out, const struct pki_single *s)
{
	struct buf info = fresh(), reason = fresh();
	uint8_t code = (uint8_t)s->reason;

	switch (s->status) {
	case CERT_GOOD:
		pki_tlv(out, DER_CONTEXT_PRIMITIVE | 0, (struct span){0});
		break;
	case CERT_UNKNOWN:
		pki_tlv(out, DER_CONTEXT_PRIMITIVE | 2, (struct span){0});
		break;
	case CERT_REVOKED:
		add_time(&info, PKI_NOW - CLOCK_DAY, NULL);
		if (s->reason != 0) {
			pki_tlv(
			    &reason, DER_ENUMERATED, (struct span){&code, 1});
			pki_wrap(&info, DER_CONTEXT | 0, &reason);
		}
		pki_wrap(out, DER_CONTEXT | 1, &info);
		break;
	}
}

static void
add_extensions_field(struct buf *out, struct buf *list)
{
	struct buf sequence = fresh();

	pki_wrap(&sequence, DER_SEQUENCE, list);
	pki_wrap(out, DER_CONTEXT | 1, &sequence);
}

static void
add_single(struct buf *out, const struct pki_single *s)
{
	struct buf in = fresh(), next = fresh(), ext = fresh();

	if (s->id.len > 0)
		raw(&in, s->id);
	else
		add_cert_id(&in, s);
	if (s->certstatus.len > 0)
		raw(&in, s->certstatus);
	else
		add_cert_status(&in, s);
	add_time(&in, s->this_update == 0 ? PKI_NOW - 3600 : s->this_update,
	    s->this_text);
	if (!s->no_next_update) {
		add_time(&next,
		    s->next_update == 0 ? PKI_NOW + CLOCK_DAY : s->next_update,
		    s->next_text);
		pki_wrap(&in, DER_CONTEXT | 0, &next);
	}
	if (s->extensions.len > 0) {
		raw(&ext, s->extensions);
		add_extensions_field(&in, &ext);
	}
	raw(&in, s->tail);
	pki_wrap(out, DER_SEQUENCE, &in);
}

static void
add_responder(struct buf *out, const struct pki_response *spec)
{
	const struct cert *who =
	    spec->named == NULL ? spec->signer->cert : spec->named;
	const ASN1_BIT_STRING *key = X509_get0_pubkey_bitstr(who->x509);
	struct buf id = fresh();
	struct span name;

	if (spec->responder.len > 0) {
		raw(out, spec->responder);
	} else if (spec->by_key) {
		add_digest(&id, EVP_sha1(),
		    (struct span){ASN1_STRING_get0_data(key),
			(size_t)ASN1_STRING_length(key)},
		    false);
		pki_wrap(out, DER_CONTEXT | 2, &id);
	} else {
		assert(X509_NAME_get0_der(X509_get_subject_name(who->x509),
			   &name.at, &name.len) == 1);
		pki_tlv(out, DER_CONTEXT | 1, name);
	}
}

static struct buf
response_data(const struct pki_response *spec)
{
	struct buf data = fresh(), list = fresh(), ext = fresh();
	struct buf nonce = fresh(), out = fresh();

	raw(&data, spec->version);
	add_responder(&data, spec);
	add_time(&data,
	    spec->produced_at == 0 ? PKI_NOW - 3600 : spec->produced_at,
	    spec->produced_text);
	for (size_t i = 0; i < spec->single_count; i++)
		add_single(&list, &spec->singles[i]);
	pki_wrap(&data, DER_SEQUENCE, &list);
	if (spec->nonce.len > 0) {
		pki_tlv(&nonce, DER_OCTET_STRING, spec->nonce);
		pki_extension(
		    &ext, "1.3.6.1.5.5.7.48.1.2", false, pki_span(&nonce));
	}
	raw(&ext, spec->extensions);
	if (ext.len > 0 || spec->empty_extensions)
		add_extensions_field(&data, &ext);
	buf_done(&nonce);
	buf_done(&ext);
	pki_wrap(&out, DER_SEQUENCE, &data);
	return out;
}

/* signatureAlgorithm and signature over TBS, appended to OUT. */
static void
add_signature(struct buf *out, struct span tbs, const struct pki_response *spec)
{
	const EVP_MD *md = spec->md == NULL ? EVP_sha256() : spec->md;
	EVP_PKEY *key = spec->signer->key;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	X509_ALGOR *algorithm = X509_ALGOR_new();
	ASN1_BIT_STRING *signature = ASN1_BIT_STRING_new();
	ASN1_TYPE *any = ASN1_TYPE_new();
	ASN1_STRING *octets = ASN1_STRING_type_new(V_ASN1_SEQUENCE);
	EVP_PKEY_CTX *pkey_ctx = NULL;
	unsigned char *der = NULL;
	int len;

	if (EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519)
		md = NULL;
	assert(EVP_DigestSignInit(ctx, &pkey_ctx, md, NULL, key) == 1);
	if (spec->pss) {
		assert(EVP_PKEY_CTX_set_rsa_padding(
			   pkey_ctx, RSA_PKCS1_PSS_PADDING) == 1);
		assert(EVP_PKEY_CTX_set_rsa_pss_saltlen(
			   pkey_ctx, RSA_PSS_SALTLEN_DIGEST) == 1);
	}
	assert(ASN1_STRING_set(octets, tbs.at, (int)tbs.len) == 1);
	ASN1_TYPE_set(any, V_ASN1_SEQUENCE, octets);
	assert(ASN1_item_sign_ctx(ASN1_ITEM_rptr(ASN1_ANY), algorithm, NULL,
		   signature, any, ctx) > 0); /* frees ctx's insides */
	if (spec->forgery == PKI_FLIP_SIGNATURE)
		signature->data[signature->length - 1] ^= 1;
	len = i2d_X509_ALGOR(algorithm, &der);
	assert(len > 0);
	raw(out, spec->algorithm.len > 0 ? spec->algorithm
					 : (struct span){der, (size_t)len});
	OPENSSL_free(der);
	der = NULL;
	len = i2d_ASN1_BIT_STRING(signature, &der);
	assert(len > 0);
	buf_add(out, der, (size_t)len);
	OPENSSL_free(der);
	ASN1_TYPE_free(any);
	ASN1_BIT_STRING_free(signature);
	X509_ALGOR_free(algorithm);
	EVP_MD_CTX_free(ctx);
}

static void
add_certs(struct buf *out, const struct pki_response *spec)
{
	struct buf list = fresh(), sequence = fresh();

	for (size_t i = 0; i < PKI_CERTS && spec->certs[i] != NULL; i++) {
		uint8_t *der = NULL;
		size_t len = 0;

		cert_der(spec->certs[i], &der, &len);
		buf_add(&list, der, len);
		free(der);
	}
	raw(&list, spec->raw_certs);
	if (list.len > 0) {
		pki_wrap(&sequence, DER_SEQUENCE, &list);
		pki_wrap(out, DER_CONTEXT | 0, &sequence);
	}
	buf_done(&list);
}

struct buf
pki_response_over(struct span tbs, const struct pki_response *spec)
{
	struct buf basic = fresh(), inner = fresh(), bytes = fresh();
	struct buf outer = fresh(), out = fresh();
	uint8_t status = (uint8_t)spec->status;

	pki_tlv(&outer, DER_ENUMERATED, (struct span){&status, 1});
	if (spec->status == 0) {
		raw(&basic, tbs);
		if (spec->forgery == PKI_FLIP_DATA)
			basic.text[basic.len - 1] ^= 1;
		add_signature(&basic, tbs, spec);
		add_certs(&basic, spec);
		pki_wrap(&inner, DER_SEQUENCE, &basic);
		pki_oid(&bytes,
		    spec->type == NULL ? "1.3.6.1.5.5.7.48.1.1" : spec->type);
		pki_wrap(&bytes, DER_OCTET_STRING, &inner);
		pki_wrap(&inner, DER_SEQUENCE, &bytes);
		pki_wrap(&outer, DER_CONTEXT | 0, &inner);
	}
	pki_wrap(&out, DER_SEQUENCE, &outer);
	raw(&out, spec->tail);
	return out;
}

struct buf
pki_response(const struct pki_response *spec)
{
	struct buf data = fresh(), out;

	if (spec->status == 0)
		data = response_data(spec);
	out = pki_response_over(pki_span(&data), spec);
	buf_done(&data);
	return out;
}
