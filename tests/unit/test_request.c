/* SPDX-License-Identifier: ISC */
/* test_request.c -- pki/request: what is asked, and how it becomes a URL. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/ocsp.h>

#include "base/err.h"
#include "base/mem.h"
#include "pki/request.h"
#include "own_pki.h"

/* B1 to B4, B9: octet for octet what OpenSSL makes of one SHA-1 CertID. */
static void
test_make(void **state)
{
	uint8_t *der = NULL;
	size_t len = 0;
	struct err err = {0};
	const unsigned char *at;
	OCSP_REQUEST *request;
	OCSP_CERTID *expected = OCSP_cert_to_id(
	    EVP_sha1(), pki.leaf.cert->x509, pki.issuer.cert->x509);
	ASN1_OBJECT *hash = NULL;
	OCSP_ONEREQ *one;

	(void)state;
	assert_int_equal(
	    0, request_make(pki.leaf.cert, pki.issuer.cert, &der, &len, &err));
	at = der;
	request = d2i_OCSP_REQUEST(NULL, &at, (long)len);
	assert_non_null(request);
	assert_ptr_equal(der + len, at);
	assert_int_equal(1, OCSP_request_onereq_count(request)); /* B1 */
	one = OCSP_request_onereq_get0(request, 0);
	assert_int_equal(0, OCSP_ONEREQ_get_ext_count(one));      /* B2 */
	assert_int_equal(0, OCSP_REQUEST_get_ext_count(request)); /* B2, B3 */
	assert_int_equal(0, OCSP_request_is_signed(request));     /* B4 */
	assert_int_equal(0, OCSP_id_cmp(expected, OCSP_onereq_get0_id(one)));
	assert_int_equal(1, OCSP_id_get0_info(NULL, &hash, NULL, NULL,
				OCSP_onereq_get0_id(one)));
	assert_int_equal(NID_sha1, OBJ_obj2nid(hash)); /* B9 */
	OCSP_REQUEST_free(request);
	OCSP_CERTID_free(expected);
	free(der);
}

/* B3, B9: with SHA-256, with a nonce, and of a compact certificate. */
static void
test_make_as(void **state)
{
	static const struct {
		bool sha256;
		struct span nonce;
	} rows[] = {{false, {NULL, 0}}, {true, {NULL, 0}},
	    {false, PKI_BYTES("0123456789abcdef0123456789abcdef")},
	    {true, PKI_BYTES("0123456789abcdef0123456789abcdef")}};
	struct cert *compact = cert_compact(pki.leaf.cert);

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(*rows); i++) {
		const struct request_kind kind = {
		    rows[i / 2].sha256, rows[i / 2].nonce};
		const struct cert *leaf = i % 2 == 0 ? pki.leaf.cert : compact;
		OCSP_CERTID *expected =
		    OCSP_cert_to_id(kind.sha256 ? EVP_sha256() : EVP_sha1(),
			pki.leaf.cert->x509, pki.issuer.cert->x509);
		uint8_t *der = NULL, *nonce = NULL;
		size_t len = 0, nonce_len = 0;
		const unsigned char *at;
		OCSP_REQUEST *request;

		assert_int_equal(0, request_make_as(leaf, pki.issuer.cert,
					&kind, &der, &len, NULL));
		at = der;
		request = d2i_OCSP_REQUEST(NULL, &at, (long)len);
		assert_non_null(request);
		assert_int_equal(1, OCSP_request_onereq_count(request));
		assert_int_equal(kind.nonce.len > 0 ? 1 : 0,
		    OCSP_REQUEST_get_ext_count(request));
		assert_int_equal(
		    0, OCSP_id_cmp(expected,
			   OCSP_onereq_get0_id(
			       OCSP_request_onereq_get0(request, 0))));
		assert_int_equal(
		    0, request_nonce(der, len, &nonce, &nonce_len, NULL));
		assert_true(
		    span_equal(kind.nonce, (struct span){nonce, nonce_len}));
		OCSP_REQUEST_free(request);
		OCSP_CERTID_free(expected);
		free(der);
		free(nonce);
	}
	cert_free(compact);
}

/* What OpenSSL makes of the same, owned. */
static struct span
made_by_openssl(const struct cert *leaf, const struct request_kind *kind)
{
	OCSP_REQUEST *request = OCSP_REQUEST_new();
	uint8_t nonce[REQUEST_NONCE];
	unsigned char *der = NULL;
	struct span made;
	int len;

	assert_non_null(OCSP_request_add0_id(
	    request, OCSP_cert_to_id(kind->sha256 ? EVP_sha256() : EVP_sha1(),
			 leaf->x509, pki.issuer.cert->x509)));
	if (kind->nonce.len > 0) {
		memcpy(nonce, kind->nonce.at, kind->nonce.len);
		assert_int_equal(1, OCSP_request_add1_nonce(
					request, nonce, (int)kind->nonce.len));
	}
	len = i2d_OCSP_REQUEST(request, &der);
	assert_true(len > 0);
	made = (struct span){mem_copy(der, (size_t)len), (size_t)len};
	OPENSSL_free(der);
	OCSP_REQUEST_free(request);
	return made;
}

/* B9: RFC 6960, section 4.1.1: the hash is of the name as it is written "in the
 * certificate being checked", which may be another way than the issuer's own. */
static void
test_name_written_otherwise(void **state)
{
	X509 *x509 = X509_dup(pki.leaf.cert->x509);
	X509_NAME *name = X509_NAME_new();
	struct cert *leaf;

	(void)state;
	assert_int_equal(
	    1, X509_NAME_add_entry_by_txt(name, "CN", V_ASN1_PRINTABLESTRING,
		   (const unsigned char *)"issuer", -1, -1, 0));
	assert_int_equal(1, X509_set_issuer_name(x509, name));
	assert_true(X509_sign(x509, pki.issuer.key, EVP_sha256()) > 0);
	leaf = cert_take_x509(x509, NULL);
	assert_false(span_equal(leaf->issuer_der, pki.leaf.cert->issuer_der));
	for (int i = 0; i < 2; i++) {
		const struct request_kind kind = {.sha256 = i == 1};
		struct span theirs = made_by_openssl(leaf, &kind);
		uint8_t *der = NULL;
		size_t len = 0;

		assert_int_equal(0, request_make_as(leaf, pki.issuer.cert,
					&kind, &der, &len, NULL));
		if (!span_equal(theirs, (struct span){der, len}))
			fail_msg("B9: the issuer's own writing, by %s",
			    i == 1 ? "SHA-256" : "SHA-1");
		free((void *)(uintptr_t)theirs.at);
		free(der);
	}
	cert_free(leaf);
	X509_NAME_free(name);
}

/* Octet for octet, with every form of length. */
static void
test_made_as_by_openssl(void **state)
{
	static const struct span nonces[] = {{NULL, 0}, PKI_BYTES("0"),
	    PKI_BYTES("0123456789abcdef0123456789abcdef")};
	/* octets of the serial number; the whole is of 64 to 290 */
	static const size_t serials[] = {1, 8, 20, 31, 32, 41, 42, 43, 90, 91,
	    92, 93, 94, 95, 96, 97, 98, 126, 127, 128, 200};

	(void)state;
	for (size_t i = 0; i < sizeof(serials) / sizeof(*serials) * 6; i++) {
		const struct request_kind kind = {
		    i % 2 == 0, nonces[i / 2 % 3]};
		char serial[2 * 200 + 1] = "";
		struct pki_party leaf;
		uint8_t *der = NULL;
		size_t len = 0, octets = serials[i / 6];
		struct span expected;
		struct err err = {0};

		memset(serial, '7', 2 * octets);
		leaf = pki_party(&(struct pki_spec){.cn = "leaf",
		    .serial = serial,
		    .issuer = &pki.issuer,
		    .key = pki.leaf.key});
		if (octets > 127) {
			assert_int_equal(
			    -1, request_make_as(leaf.cert, pki.issuer.cert,
				    &kind, &der, &len, &err));
			assert_int_equal(
			    REASON_CERTIFICATE_UNREADABLE, err.reason);
			pki_party_done(&leaf);
			continue;
		}
		assert_int_equal(0, request_make_as(leaf.cert, pki.issuer.cert,
					&kind, &der, &len, &err));
		expected = made_by_openssl(leaf.cert, &kind);
		assert_int_equal(expected.len, len);
		assert_memory_equal(expected.at, der, len);
		free((void *)(uintptr_t)expected.at);
		free(der);
		pki_party_done(&leaf);
	}
}

/* A nonce that no responder need take (RFC 9654, section 2.1). */
static void
test_long_nonce(void **state)
{
	static const uint8_t octets[REQUEST_NONCE + 1];
	const struct request_kind kind = {false, {octets, sizeof(octets)}};
	uint8_t *der = NULL;
	size_t len = 0;

	(void)state;
	assert_int_equal(-1, request_make_as(pki.leaf.cert, pki.issuer.cert,
				 &kind, &der, &len, NULL));
	assert_null(der);
}

/* A question about nobody's certificate: whole, short, and always the same. */
static void
test_make_fictitious(void **state)
{
	uint8_t *der = NULL, *again = NULL;
	size_t len = 0, again_len = 0;
	struct request_facts facts = {0};
	struct err err = {0};
	char *url;

	(void)state;
	request_make_fictitious(&der, &len);
	request_make_fictitious(&again, &again_len);
	assert_int_equal(len, again_len);
	assert_memory_equal(der, again, len);
	assert_int_equal(0, request_parse(der, len, &facts, &err));
	assert_int_equal(1, facts.id_count);
	assert_string_equal("sha1", facts.ids[0].hash);
	assert_int_equal(40, strlen(facts.ids[0].name_hash));
	assert_string_not_equal(facts.ids[0].name_hash, facts.ids[0].key_hash);
	assert_string_equal("6f636c617370", facts.ids[0].serial);
	assert_false(facts.is_signed);
	url =
	    request_get_url("http://a-rather-long-name.ocsp.example", der, len);
	assert_true(strlen(url) <= REQUEST_GET_URL_MAX);
	free(url);
	request_facts_done(&facts);
	free(der);
	free(again);
}

/* B6: RFC 6960, appendix A.1. */
static void
test_get_url(void **state)
{
	static const struct {
		const char *base;
		struct span der;
		const char *url;
	} rows[] = {
	    {"http://o.test", PKI_BYTES("abc"), "http://o.test/YWJj"},
	    {"http://o.test/", PKI_BYTES("abc"), "http://o.test/YWJj"},
	    {"http://o.test/a", PKI_BYTES("abc"), "http://o.test/a/YWJj"},
	    {"http://o.test/a/", PKI_BYTES("abc"), "http://o.test/a/YWJj"},
	    {"http://o.test/a//", PKI_BYTES("abc"), "http://o.test/a//YWJj"},
	    {"http://o.test", PKI_BYTES("a"), "http://o.test/YQ%3D%3D"},
	    {"http://o.test", PKI_BYTES("ab"), "http://o.test/YWI%3D"},
	    {"http://o.test", PKI_BYTES("\xfb\xff\xfe"),
		"http://o.test/%2B%2F%2F%2B"},
	    {"http://o.test", PKI_BYTES(""), "http://o.test/"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char *url = request_get_url(
		    rows[i].base, rows[i].der.at, rows[i].der.len);

		assert_string_equal(rows[i].url, url);
		free(url);
	}
}

/* The longest there is: every octet of the base64 escaped, nothing cut. */
static void
test_get_url_is_never_cut(void **state)
{
	static uint8_t der[3 * 400];
	char *url;

	(void)state;
	memset(der, 0xff, sizeof(der));
	url = request_get_url("http://o.test", der, sizeof(der));
	assert_int_equal(strlen("http://o.test/") + 3 * 1600, strlen(url));
	free(url);
}

static void
test_parse(void **state)
{
	struct request_facts facts = {0};
	uint8_t *der = NULL;
	size_t len = 0;
	struct err err = {0};
	OCSP_CERTID *id = OCSP_cert_to_id(
	    EVP_sha256(), pki.leaf.cert->x509, pki.issuer.cert->x509);
	OCSP_REQUEST *request = OCSP_REQUEST_new();
	unsigned char *made = NULL;
	int made_len;

	(void)state;
	assert_int_equal(
	    0, request_make(pki.leaf.cert, pki.issuer.cert, &der, &len, &err));
	assert_int_equal(0, request_parse(der, len, &facts, &err));
	assert_int_equal(1, facts.id_count);
	assert_string_equal("sha1", facts.ids[0].hash);
	assert_int_equal(40, strlen(facts.ids[0].name_hash));
	assert_int_equal(40, strlen(facts.ids[0].key_hash));
	assert_string_equal(pki.leaf.cert->serial, facts.ids[0].serial);
	assert_false(facts.is_signed);
	request_facts_done(&facts);
	free(der);

	assert_non_null(OCSP_request_add0_id(request, id));
	assert_non_null(OCSP_request_add0_id(request, OCSP_CERTID_dup(id)));
	made_len = i2d_OCSP_REQUEST(request, &made);
	assert_int_equal(
	    0, request_parse(made, (size_t)made_len, &facts, &err));
	assert_int_equal(2, facts.id_count);
	assert_string_equal("sha256", facts.ids[1].hash);
	request_facts_done(&facts);
	OPENSSL_free(made);
	OCSP_REQUEST_free(request);
}

static void
test_no_request(void **state)
{
	static const struct span rows[] = {
	    PKI_BYTES(""),
	    PKI_BYTES("GET / HTTP/1.0\r\n\r\n"),
	    PKI_BYTES("\x30\x00"),
	    PKI_BYTES("\x30\x03\x0a\x01\x06"),
	    PKI_BYTES("\x30\x80\x00\x00"),
	};
	struct request_facts facts;
	uint8_t *der = NULL, *nonce = NULL, *more;
	size_t len = 0, nonce_len = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct err err = {0};

		assert_int_equal(
		    -1, request_parse(rows[i].at, rows[i].len, &facts, &err));
		assert_int_equal(REASON_USAGE, err.reason);
		assert_int_equal(-1, request_nonce(rows[i].at, rows[i].len,
					 &nonce, &nonce_len, NULL));
	}
	assert_int_equal(
	    0, request_make(pki.leaf.cert, pki.issuer.cert, &der, &len, NULL));
	more = malloc(len + 1);
	memcpy(more, der, len);
	more[len] = '\n';
	assert_int_equal(-1, request_parse(more, len + 1, &facts, NULL));
	for (size_t cut = 0; cut < len; cut++)
		assert_int_equal(-1, request_parse(der, cut, &facts, NULL));
	free(more);
	free(der);
}

/* C16: the octets within the OCTET STRING, or the bare ones; exactly as they
 * are read from a response that sends them back. */
static void
test_nonce(void **state)
{
	static const struct {
		const char *name;
		struct span value, nonce; /* extnValue's content */
	} rows[] = {
	    {"wrapped",
		PKI_BYTES("\x04\x03"
			  "abc"),
		PKI_BYTES("abc")},
	    {"bare", PKI_BYTES("abcdef"), PKI_BYTES("abcdef")},
	    {"bare, like a wrapped one with more behind",
		PKI_BYTES("\x04\x01"
			  "abc"),
		PKI_BYTES("\x04\x01"
			  "abc")},
	    {"bare, like a cut one",
		PKI_BYTES("\x04\x09"
			  "abc"),
		PKI_BYTES("\x04\x09"
			  "abc")},
	    {"empty within", PKI_BYTES("\x04\x00"), PKI_BYTES("")},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct buf ext;
		const unsigned char *at;
		X509_EXTENSION *extension;
		OCSP_REQUEST *request = OCSP_REQUEST_new();
		unsigned char *der = NULL;
		uint8_t *nonce = NULL;
		size_t nonce_len = 99;
		struct err err = {0};
		int len;

		buf_init(&ext, 4096);
		pki_extension(
		    &ext, "1.3.6.1.5.5.7.48.1.2", false, rows[i].value);
		at = (const unsigned char *)ext.text;
		extension = d2i_X509_EXTENSION(NULL, &at, (long)ext.len);
		assert_non_null(extension);
		assert_int_equal(
		    1, OCSP_REQUEST_add_ext(request, extension, -1));
		assert_non_null(OCSP_request_add0_id(
		    request, OCSP_cert_to_id(NULL, pki.leaf.cert->x509,
				 pki.issuer.cert->x509)));
		len = i2d_OCSP_REQUEST(request, &der);
		assert_int_equal(0,
		    request_nonce(der, (size_t)len, &nonce, &nonce_len, &err));
		if (nonce == NULL ||
		    !span_equal(rows[i].nonce, (struct span){nonce, nonce_len}))
			fail_msg("C16 %s: %zu octets", rows[i].name, nonce_len);
		free(nonce);
		OPENSSL_free(der);
		X509_EXTENSION_free(extension);
		OCSP_REQUEST_free(request);
		buf_done(&ext);
	}
}

static void
test_no_nonce(void **state)
{
	uint8_t *der = NULL, *nonce = der;
	size_t len = 0, nonce_len = 99;

	(void)state;
	assert_int_equal(
	    0, request_make(pki.leaf.cert, pki.issuer.cert, &der, &len, NULL));
	assert_int_equal(0, request_nonce(der, len, &nonce, &nonce_len, NULL));
	assert_null(nonce);
	assert_int_equal(0, nonce_len);
	free(der);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_make),
	    cmocka_unit_test(test_make_as),
	    cmocka_unit_test(test_name_written_otherwise),
	    cmocka_unit_test(test_made_as_by_openssl),
	    cmocka_unit_test(test_long_nonce),
	    cmocka_unit_test(test_make_fictitious),
	    cmocka_unit_test(test_get_url),
	    cmocka_unit_test(test_get_url_is_never_cut),
	    cmocka_unit_test(test_parse),
	    cmocka_unit_test(test_no_request),
	    cmocka_unit_test(test_nonce),
	    cmocka_unit_test(test_no_nonce),
	};

	return cmocka_run_group_tests(tests, make_pki, free_pki);
}
