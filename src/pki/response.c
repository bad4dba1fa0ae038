/* SPDX-License-Identifier: ISC */
/* pki/response.c -- an OCSP response as facts: strict DER in, spans out.
 *
 * One function for each ASN.1 type of RFC 6960, section 4.2.1, in its order;
 * each reads like the type it parses.  Faults are sticky (pki/der.h), so the
 * outcome is looked at once, in response_parse(). */
#include "pki/response.h"

#include <ctype.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "pki/der.h"

enum { EXTENSIONS_MAX = 64 };

/* Content octets of the object identifiers that are understood. */
static const uint8_t oid_basic[] = {
    0x2b, 6, 1, 5, 5, 7, 0x30, 1, 1}; /* id-pkix-ocsp-basic */
static const uint8_t oid_nonce[] = {0x2b, 6, 1, 5, 5, 7, 0x30, 1, 2};
static const uint8_t oid_pss[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10};

/* Extensions that only inform: crl references, archive cutoff, extended
 * revoke (RFC 6960, section 4.4), and the CRL entry extensions reason code and
 * invalidity date (RFC 5280, section 5.3).  certificateIssuer is not here: it
 * would change whose certificate the answer is about. */
static const struct span informing[] = {
    {(const uint8_t[]){0x2b, 6, 1, 5, 5, 7, 0x30, 1, 3}, 9},
    {(const uint8_t[]){0x2b, 6, 1, 5, 5, 7, 0x30, 1, 6}, 9},
    {(const uint8_t[]){0x2b, 6, 1, 5, 5, 7, 0x30, 1, 9}, 9},
    {(const uint8_t[]){0x55, 0x1d, 0x15}, 3},
    {(const uint8_t[]){0x55, 0x1d, 0x18}, 3},
};

static bool
is_oid(struct span oid, const uint8_t *bytes, size_t len)
{
	return span_equal(oid, (struct span){bytes, len});
}

static bool
is_informing(struct span oid)
{
	for (size_t i = 0; i < sizeof(informing) / sizeof(informing[0]); i++) {
		if (span_equal(oid, informing[i]))
			return true;
	}
	return false;
}

/* The nonce's octets: an OCTET STRING within extnValue (RFC 9654), or, from
 * old responders, the bare octets. */
static struct span
unwrap_nonce(struct span value)
{
	struct der_fault fault = {0};
	struct der der = der_over(value, &fault);
	struct span inner = der_content(&der, DER_OCTET_STRING, "nonce");

	return der_ok(&der) && der.left == 0 ? inner : value;
}

/* Extensions ::= SEQUENCE SIZE (1..MAX) OF Extension; responders of several
 * CAs send an empty list all the same, which says nothing.  OUT, if given, takes
 * the nonce; CRITICAL the first OID that is critical and not understood. */
static void
parse_extensions(struct der *outer, struct response *out, struct span *critical)
{
	struct der list = der_enter(outer, DER_SEQUENCE, "extensions");
	struct span seen[EXTENSIONS_MAX];
	size_t count = 0;

	der_end(outer, "extensions");

	while (!der_at_end(&list)) {
		struct der ext = der_enter(&list, DER_SEQUENCE, "extension");
		struct span oid = der_oid(&ext, "extension's identifier");
		bool is_critical =
		    der_next_is(&ext, DER_BOOLEAN) &&
		    der_boolean(&ext, "extension's critical flag");
		struct span value =
		    der_content(&ext, DER_OCTET_STRING, "extension's value");

		der_end(&ext, "extension");
		if (count == EXTENSIONS_MAX)
			der_fail(&list, "more than 64 extensions");
		for (size_t i = 0; i < count && der_ok(&list); i++) {
			/* RFC 5280, section 4.2 */
			if (span_equal(seen[i], oid))
				der_fail(
				    &list, "an extension that is given twice");
		}
		if (!der_ok(&list))
			return;
		seen[count++] = oid;
		if (out != NULL && is_oid(oid, oid_nonce, sizeof(oid_nonce))) {
			out->has_nonce = true;
			out->nonce = unwrap_nonce(value);
		} else if (is_critical && critical->len == 0 &&
			   !is_informing(oid)) {
			*critical = oid;
		}
	}
}

/* CertID ::= SEQUENCE { hashAlgorithm, issuerNameHash, issuerKeyHash,
 *     serialNumber } */
static void
parse_cert_id(struct der *outer, struct response_single *single)
{
	struct der id = der_enter(outer, DER_SEQUENCE, "CertID");
	struct der hash = der_enter(&id, DER_SEQUENCE, "CertID hash algorithm");

	single->hash_oid = der_oid(&hash, "CertID hash algorithm");
	if (!der_at_end(&hash) &&
	    der_content(&hash, DER_NULL, "CertID hash parameters").len != 0)
		der_fail(&hash, "CertID hash parameters");
	der_end(&hash, "CertID hash algorithm");
	single->name_hash =
	    der_content(&id, DER_OCTET_STRING, "CertID issuerNameHash");
	single->key_hash =
	    der_content(&id, DER_OCTET_STRING, "CertID issuerKeyHash");
	single->serial = der_integer(&id, "CertID serialNumber");
	der_end(&id, "CertID");
}

/* CertStatus ::= CHOICE { good [0] NULL, revoked [1] RevokedInfo,
 *     unknown [2] NULL } */
static void
parse_cert_status(struct der *outer, struct response_single *single)
{
	single->revocation_reason = -1;
	if (der_next_is(outer, DER_CONTEXT | 1)) {
		struct der info =
		    der_enter(outer, DER_CONTEXT | 1, "RevokedInfo");

		single->status = CERT_REVOKED;
		single->revoked_at = der_time(&info, "revocationTime");
		if (!der_at_end(&info)) {
			struct der reason = der_enter(
			    &info, DER_CONTEXT | 0, "revocationReason");

			single->revocation_reason = der_small(
			    &reason, DER_ENUMERATED, "revocationReason");
			der_end(&reason, "revocationReason");
		}
		der_end(&info, "RevokedInfo");
		return;
	}
	single->status = der_next_is(outer, DER_CONTEXT_PRIMITIVE | 2)
			     ? CERT_UNKNOWN
			     : CERT_GOOD;
	if (der_content(outer,
		DER_CONTEXT_PRIMITIVE |
		    (single->status == CERT_UNKNOWN ? 2u : 0u),
		"certStatus")
		.len != 0)
		der_fail(outer, "certStatus");
}

static void
parse_single(struct der *list, struct response_single *single)
{
	struct der in = der_enter(list, DER_SEQUENCE, "SingleResponse");

	parse_cert_id(&in, single);
	parse_cert_status(&in, single);
	single->this_update = der_time(&in, "thisUpdate");
	if (der_next_is(&in, DER_CONTEXT | 0)) {
		struct der next = der_enter(&in, DER_CONTEXT | 0, "nextUpdate");

		single->has_next_update = true;
		single->next_update = der_time(&next, "nextUpdate");
		der_end(&next, "nextUpdate");
	}
	if (der_next_is(&in, DER_CONTEXT | 1)) {
		struct der ext =
		    der_enter(&in, DER_CONTEXT | 1, "singleExtensions");

		parse_extensions(&ext, NULL, &single->unknown_critical);
	}
	der_end(&in, "SingleResponse");
}

static void
parse_singles(struct der *outer, struct response *out)
{
	struct der list = der_enter(outer, DER_SEQUENCE, "responses");

	while (!der_at_end(&list)) {
		if (out->single_count == RESPONSE_SINGLES_MAX) {
			der_fail(&list, "more than 1024 SingleResponses");
			return;
		}
		out->singles = mem_resize(out->singles, out->single_count + 1,
		    sizeof(out->singles[0]));
		out->singles[out->single_count] = (struct response_single){0};
		parse_single(&list, &out->singles[out->single_count++]);
	}
	if (out->single_count == 0)
		der_fail(&list, "an answer without a SingleResponse");
}

/* ResponderID ::= CHOICE { byName [1] Name, byKey [2] KeyHash } */
static void
parse_responder(struct der *outer, struct response *out)
{
	bool by_key = der_next_is(outer, DER_CONTEXT | 2);
	struct der id = der_enter(
	    outer, by_key ? DER_CONTEXT | 2 : DER_CONTEXT | 1, "responderID");

	out->responder_kind = by_key ? RESPONDER_BY_KEY : RESPONDER_BY_NAME;
	out->responder =
	    by_key ? der_content(&id, DER_OCTET_STRING, "responderID key hash")
		   : der_whole(&id, DER_SEQUENCE, "responderID name");
	der_end(&id, "responderID");
}

static void
parse_response_data(struct response *out, struct der_fault *fault)
{
	struct der outer = der_over(out->tbs, fault);
	struct der data = der_enter(&outer, DER_SEQUENCE, "ResponseData");

	if (der_next_is(&data, DER_CONTEXT | 0)) {
		struct der version =
		    der_enter(&data, DER_CONTEXT | 0, "version");

		if (der_small(&version, DER_INTEGER, "version") != 0)
			der_fail(&version, "a version other than 1");
		der_end(&version, "version");
	}
	parse_responder(&data, out);
	out->produced_at = der_time(&data, "producedAt");
	parse_singles(&data, out);
	if (der_next_is(&data, DER_CONTEXT | 1)) {
		struct der ext =
		    der_enter(&data, DER_CONTEXT | 1, "responseExtensions");

		parse_extensions(&ext, out, &out->unknown_critical);
	}
	der_end(&data, "ResponseData");
}

/* AlgorithmIdentifier ::= SEQUENCE { algorithm, parameters OPTIONAL }, of which
 * only RSASSA-PSS has any, beside NULL (RFC 4055, RFC 5758): OpenSSL looks at no
 * others, strict clients refuse them, and no signature covers them. */
static struct span
parse_algorithm(struct der *basic)
{
	struct span whole =
	    der_strict(basic, DER_SEQUENCE, "signatureAlgorithm");
	struct der outer = der_over(whole, basic->fault);
	struct der in = der_enter(&outer, DER_SEQUENCE, "signatureAlgorithm");
	struct span oid = der_oid(&in, "signatureAlgorithm");

	if (!is_oid(oid, oid_pss, sizeof(oid_pss)) && !der_at_end(&in) &&
	    (der_content(&in, DER_NULL, "signatureAlgorithm").len != 0 ||
		in.left != 0))
		der_fail(&in, "signatureAlgorithm");
	return whole;
}

/* BasicOCSPResponse ::= SEQUENCE { tbsResponseData, signatureAlgorithm,
 *     signature, certs [0] EXPLICIT SEQUENCE OF Certificate OPTIONAL } */
static void
parse_basic(struct span der, struct response *out, struct der_fault *fault)
{
	struct der outer = der_over(der, fault);
	struct der basic = der_enter(&outer, DER_SEQUENCE, "BasicOCSPResponse");

	der_end(&outer, "the octet string of the response");
	out->tbs = der_whole(&basic, DER_SEQUENCE, "ResponseData");
	out->signature_algorithm = parse_algorithm(&basic);
	out->signature = der_bits(&basic, "signature");
	if (der_next_is(&basic, DER_CONTEXT | 0)) {
		struct der certs = der_enter(&basic, DER_CONTEXT | 0, "certs");
		struct der list = der_enter(&certs, DER_SEQUENCE, "certs");

		der_end(&certs, "certs");
		while (!der_at_end(&list)) {
			if (out->cert_count == RESPONSE_CERTS_MAX) {
				der_fail(&list, "more than 64 certificates");
				break;
			}
			out->certs[out->cert_count++] =
			    der_strict(&list, DER_SEQUENCE, "certificate");
		}
	}
	der_end(&basic, "BasicOCSPResponse");
	parse_response_data(out, fault);
}

static int
refuse_status(int status, struct err *err)
{
	switch (status) {
	case 1:
		return err_set(err, REASON_STATUS_MALFORMED_REQUEST,
		    "the responder answered malformedRequest");
	case 2:
		return err_set(err, REASON_STATUS_INTERNAL_ERROR,
		    "the responder answered internalError");
	case 3:
		return err_set(err, REASON_STATUS_TRY_LATER,
		    "the responder answered tryLater");
	case 5:
		return err_set(err, REASON_STATUS_SIG_REQUIRED,
		    "the responder answered sigRequired");
	case 6:
		return err_set(err, REASON_STATUS_UNAUTHORIZED,
		    "the responder answered unauthorized");
	default:
		return err_set(err, REASON_MALFORMED,
		    "the response status %d is not one of RFC 6960", status);
	}
}

/* OCSPResponse ::= SEQUENCE { responseStatus, responseBytes [0] EXPLICIT
 *     SEQUENCE { responseType, response OCTET STRING } OPTIONAL } */
static int
parse_outer(struct span bytes, struct span *basic, struct der_fault *fault)
{
	struct der file = der_over(bytes, fault);
	struct der outer = der_enter(&file, DER_SEQUENCE, "OCSPResponse");
	struct der wrapped, inner;
	int status;

	der_end(&file, "the response");
	status = der_small(&outer, DER_ENUMERATED, "responseStatus");
	*basic = (struct span){0};
	if (status != 0)
		return status;
	wrapped = der_enter(&outer, DER_CONTEXT | 0, "responseBytes");
	der_end(&outer, "OCSPResponse");
	inner = der_enter(&wrapped, DER_SEQUENCE, "responseBytes");
	der_end(&wrapped, "responseBytes");
	if (!is_oid(
		der_oid(&inner, "responseType"), oid_basic, sizeof(oid_basic)))
		der_fail(
		    &inner, "a responseType other than id-pkix-ocsp-basic");
	*basic = der_content(&inner, DER_OCTET_STRING, "response");
	der_end(&inner, "responseBytes");
	return 0;
}

/* Bytes that are clearly something else than ASN.1: text of any kind, in ASCII
 * or in what extends it (UTF-8, GBK ...), with or without a byte order mark.
 * An OCSPResponse is never taken for it: it begins with '0' (SEQUENCE), and the
 * control octet 1, the length of its status, follows at once. */
static bool
is_text(const uint8_t *bytes, size_t len)
{
	static const uint8_t mark[] = {0xef, 0xbb, 0xbf};
	size_t look = len < 64 ? len : 64;
	bool marked =
	    len > sizeof(mark) && memcmp(bytes, mark, sizeof(mark)) == 0;

	if (look == 0 || (bytes[0] >= 0x80 && !marked))
		return false;
	for (size_t i = 0; i < look; i++) {
		if (bytes[i] >= 0x80 && bytes[0] != DER_SEQUENCE)
			continue;
		if (!isprint(bytes[i]) && !isspace(bytes[i]))
			return false;
	}
	return true;
}

static int
refuse_fault(const struct der_fault *fault, struct err *err)
{
	if (fault->trailing)
		return err_set(err, REASON_TRAILING_DATA,
		    "there are octets left over behind %s", fault->why);
	return err_set(err, REASON_MALFORMED,
	    "the response is not well-formed DER: %s", fault->why);
}

int
response_parse(
    const uint8_t *der, size_t len, struct response *out, struct err *err)
{
	struct der_fault fault = {0};
	struct response parsed = {0};
	struct span basic;
	int status;

	if (len == 0)
		return err_set(err, REASON_MALFORMED, "the response is empty");
	if (is_text(der, len))
		return err_set(err, REASON_NOT_OCSP,
		    "the answer is text and no OCSP response; it begins "
		    "'%.*s'",
		    (int)(len < 40 ? len : 40), (const char *)der);
	status = parse_outer((struct span){der, len}, &basic, &fault);
	if (fault.why == NULL && status != 0)
		return refuse_status(status, err);
	if (fault.why == NULL)
		parse_basic(basic, &parsed, &fault);
	if (fault.why != NULL) {
		response_done(&parsed);
		return refuse_fault(&fault, err);
	}
	parsed.fractional_times = fault.fractions;
	*out = parsed;
	return 0;
}

void
response_done(struct response *response)
{
	free(response->singles);
	response->singles = NULL;
	response->single_count = 0;
}

static int
unwrap_pem(const char *text, uint8_t **der, size_t *der_len, struct err *err)
{
	const char *begin = strstr(text, "-----BEGIN OCSP RESPONSE-----");
	char *name = NULL, *header = NULL;
	unsigned char *data = NULL;
	long len = 0;
	BIO *bio;
	int ok;

	if (begin == NULL) /* and look into no other: it may be a key (I4) */
		return err_set(err, REASON_MALFORMED,
		    "the PEM holds no OCSP RESPONSE but something else");
	bio = BIO_new_mem_buf(begin, -1);
	ok = PEM_read_bio(bio, &name, &header, &data, &len);
	BIO_free(bio);
	ERR_clear_error();
	if (ok == 1) {
		*der = mem_copy(data, (size_t)len);
		*der_len = (size_t)len;
	}
	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_free(data);
	if (ok != 1)
		return err_set(err, REASON_MALFORMED,
		    "the PEM of the response is damaged");
	return 0;
}

/* Base64 and white space only, decoding to at least one octet. */
static bool
unwrap_base64(const uint8_t *bytes, size_t len, uint8_t **der, size_t *der_len)
{
	EVP_ENCODE_CTX *ctx = EVP_ENCODE_CTX_new();
	uint8_t *out = mem_new(len + 3);
	int got = 0, tail = 0;
	/* OpenSSL takes a hyphen for the end and ignores what follows */
	bool ok = memchr(bytes, '-', len) == NULL;

	EVP_DecodeInit(ctx);
	ok = ok && EVP_DecodeUpdate(ctx, out, &got, bytes, (int)len) != -1 &&
	     EVP_DecodeFinal(ctx, out + got, &tail) == 1 && got + tail > 0;
	EVP_ENCODE_CTX_free(ctx);
	if (!ok) {
		free(out);
		return false;
	}
	*der = out;
	*der_len = (size_t)(got + tail);
	return true;
}

int
response_unwrap(const uint8_t *bytes, size_t len, uint8_t **der,
    size_t *der_len, struct err *err)
{
	static const char begin[] = "-----BEGIN ";

	if (len < VERIFY_RESPONSE_MAX * 2 && is_text(bytes, len)) {
		if (memmem(bytes, len, begin, sizeof(begin) - 1) != NULL) {
			char *text = mem_new(len + 1);
			int rc;

			memcpy(text, bytes, len);
			rc = unwrap_pem(text, der, der_len, err);
			free(text);
			return rc;
		}
		if (bytes[len - 1] == '\n' &&
		    unwrap_base64(bytes, len, der, der_len))
			return 0;
	}
	*der = mem_copy(bytes, len);
	*der_len = len;
	return 0;
}
