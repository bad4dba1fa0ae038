/* SPDX-License-Identifier: ISC */
/* test_response.c -- pki/response: what is read, and what a file may wrap
 * around it.  Which answer is acceptable is in test_verify.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "base/clock.h"
#include "base/err.h"
#include "pki/response.h"
#include "own_pki.h"

static struct buf
make(struct pki_single single, struct pki_response spec)
{
	single.leaf = pki.leaf.cert;
	single.issuer = pki.issuer.cert;
	spec.signer = &pki.issuer;
	spec.singles = &single;
	spec.single_count = 1;
	return pki_response(&spec);
}

static int
parse(const struct buf *der, struct response *out, struct err *err)
{
	return response_parse((const uint8_t *)der->text, der->len, out, err);
}

static void
test_facts(void **state)
{
	struct response r = {0};
	struct err err = {0};
	struct buf der =
	    make((struct pki_single){.status = CERT_REVOKED, .reason = 4},
		(struct pki_response){.by_key = true,
		    .nonce = PKI_BYTES("abcd"),
		    .certs = {pki.delegate.cert, pki.root.cert}});

	(void)state;
	if (parse(&der, &r, &err) != 0)
		fail_msg("%s", err.text);
	assert_int_equal(RESPONDER_BY_KEY, r.responder_kind);
	assert_int_equal(20, r.responder.len);
	assert_int_equal(PKI_NOW - 3600, r.produced_at);
	assert_int_equal(1, r.single_count);
	assert_int_equal(CERT_REVOKED, r.singles[0].status);
	assert_int_equal(PKI_NOW - CLOCK_DAY, r.singles[0].revoked_at);
	assert_int_equal(4, r.singles[0].revocation_reason);
	assert_int_equal(PKI_NOW - 3600, r.singles[0].this_update);
	assert_true(r.singles[0].has_next_update);
	assert_int_equal(PKI_NOW + CLOCK_DAY, r.singles[0].next_update);
	assert_int_equal(16, r.singles[0].serial.len);
	assert_true(r.has_nonce);
	assert_true(span_equal(PKI_LITERAL("abcd"), r.nonce));
	assert_int_equal(2, r.cert_count);
	assert_int_equal(0, r.unknown_critical.len);
	assert_false(r.fractional_times);
	response_done(&r);
	response_done(&r); /* twice does no harm */
	buf_done(&der);

	der = make(
	    (struct pki_single){.status = CERT_REVOKED, .no_next_update = true},
	    (struct pki_response){0});
	assert_int_equal(0, parse(&der, &r, &err));
	assert_int_equal(-1, r.singles[0].revocation_reason);
	assert_false(r.singles[0].has_next_update);
	assert_int_equal(RESPONDER_BY_NAME, r.responder_kind);
	assert_int_equal(0, r.cert_count);
	response_done(&r);
	buf_done(&der);
}

/* Sixty-four certificates and as many extensions are taken, no more; and 1024
 * SingleResponses (I5). */
static void
test_maxima(void **state)
{
	static const struct {
		const char *name;
		int certs, extensions, singles;
		bool good;
	} rows[] = {
	    {"64 certificates", 64, 0, 1, true},
	    {"65 certificates", 65, 0, 1, false},
	    {"64 extensions", 0, 64, 1, true},
	    {"65 extensions", 0, 65, 1, false},
	    {"1024 singles", 0, 0, 1024, true},
	    {"1025 singles", 0, 0, 1025, false},
	};
	static struct pki_single singles[1025];

	(void)state;
	for (size_t i = 0; i < 1025; i++) {
		singles[i].leaf = pki.leaf.cert;
		singles[i].issuer = pki.issuer.cert;
	}
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct pki_response spec = {.signer = &pki.issuer,
		    .singles = singles,
		    .single_count = (size_t)rows[i].singles};
		struct response r = {0};
		struct err err = {0};
		struct buf certs, ext, der;
		char oid[32];

		buf_init(&certs, 65536);
		buf_init(&ext, 65536);
		for (int n = 0; n < rows[i].certs; n++)
			buf_add(&certs, "\x30\x00", 2);
		for (int n = 0; n < rows[i].extensions; n++) {
			(void)snprintf(oid, sizeof(oid), "1.2.3.%d", n);
			pki_extension(&ext, oid, false, PKI_LITERAL("x"));
		}
		spec.raw_certs = pki_span(&certs);
		spec.extensions = pki_span(&ext);
		der = pki_response(&spec);
		if ((parse(&der, &r, &err) == 0) != rows[i].good)
			fail_msg("%s: %s", rows[i].name, err.text);
		assert_int_equal(
		    rows[i].good ? REASON_NONE : REASON_MALFORMED, err.reason);
		response_done(&r);
		buf_done(&certs);
		buf_done(&ext);
		buf_done(&der);
	}
}

#define TIME       \
	"\x18\x0f" \
	"20270115070000Z"
#define HASHES "\x04\x01x\x04\x01y"
#define SHA1 "\x06\x05\x2b\x0e\x03\x02\x1a"

/* Well signed, and malformed within. */
static void
test_malformed_fields(void **state)
{
	static const struct {
		const char *name;
		struct pki_single single;
		struct pki_response spec;
	} rows[] = {
	    {"version 2", {0}, {.version = PKI_BYTES("\xa0\x03\x02\x01\x01")}},
	    {"version of two octets", {0},
		{.version = PKI_BYTES("\xa0\x04\x02\x02\x00\x00")}},
	    {"version, and more", {0},
		{.version = PKI_BYTES("\xa0\x05\x02\x01\x00\x05\x00")}},
	    {"empty version", {0}, {.version = PKI_BYTES("\xa0\x00")}},
	    {"responder [3]", {0},
		{.responder = PKI_BYTES("\xa3\x02\x30\x00")}},
	    {"responder [1] of no name", {0},
		{.responder = PKI_BYTES("\xa1\x02\x04\x00")}},
	    {"responder [1], implicit", {0},
		{.responder = PKI_BYTES("\xa1\x00")}},
	    {"responder, and more", {0},
		{.responder = PKI_BYTES("\xa2\x04\x04\x00\x05\x00")}},
	    {"status [3]", {.certstatus = PKI_BYTES("\x83\x00")}, {0}},
	    {"status good with content",
		{.certstatus = PKI_BYTES("\x80\x01\x00")}, {0}},
	    {"status good, constructed", {.certstatus = PKI_BYTES("\xa0\x00")},
		{0}},
	    {"status good as an explicit NULL",
		{.certstatus = PKI_BYTES("\xa0\x02\x05\x00")}, {0}},
	    {"status unknown with content",
		{.certstatus = PKI_BYTES("\x82\x01\x00")}, {0}},
	    {"status revoked without a time",
		{.certstatus = PKI_BYTES("\xa1\x00")}, {0}},
	    {"status revoked, primitive", {.certstatus = PKI_BYTES("\x81\x00")},
		{0}},
	    {"status revoked, an empty reason",
		{.certstatus = PKI_BYTES("\xa1\x13" TIME "\xa0\x00")}, {0}},
	    {"status revoked, a reason as INTEGER",
		{.certstatus =
			PKI_BYTES("\xa1\x16" TIME "\xa0\x03\x02\x01\x01")},
		{0}},
	    {"status revoked, and more",
		{.certstatus = PKI_BYTES(
		     "\xa1\x18" TIME "\xa0\x03\x0a\x01\x01\x05\x00")},
		{0}},
	    {"no status", {.certstatus = PKI_BYTES("\x05\x00")}, {0}},
	    {"CertID without a serial number",
		{.id = PKI_BYTES("\x30\x0f\x30\x07" SHA1 HASHES)}, {0}},
	    {"CertID, serial number of no octets",
		{.id = PKI_BYTES("\x30\x11\x30\x07" SHA1 HASHES "\x02\x00")},
		{0}},
	    {"CertID, serial number padded",
		{.id = PKI_BYTES(
		     "\x30\x13\x30\x07" SHA1 HASHES "\x02\x02\x00\x01")},
		{0}},
	    {"CertID, and more",
		{.id = PKI_BYTES(
		     "\x30\x14\x30\x07" SHA1 HASHES "\x02\x01\x01\x05\x00")},
		{0}},
	    {"CertID, hash with parameters that are no NULL",
		{.id = PKI_BYTES(
		     "\x30\x14\x30\x09" SHA1 "\x30\x00" HASHES "\x02\x01\x01")},
		{0}},
	    {"CertID, hash with a long NULL",
		{.id = PKI_BYTES("\x30\x15\x30\x0a" SHA1 "\x05\x01\x00" HASHES
				 "\x02\x01\x01")},
		{0}},
	    {"CertID, no hash algorithm",
		{.id = PKI_BYTES("\x30\x0b\x30\x00" HASHES "\x02\x01\x01")},
		{0}},
	    {"extension without a value", {0},
		{.extensions = PKI_BYTES("\x30\x05\x06\x03\x2a\x03\x04")}},
	    {"extension without an identifier", {0},
		{.extensions = PKI_BYTES("\x30\x02\x04\x00")}},
	    {"extension, and more", {0},
		{.extensions = PKI_BYTES(
		     "\x30\x09\x06\x03\x2a\x03\x04\x04\x00\x05\x00")}},
	    {"extension with a BER boolean", {0},
		{.extensions = PKI_BYTES("\x30\x0a\x06\x03\x2a\x03\x04\x01\x01"
					 "\x01\x04\x00")}},
	    {"certificates of which one is a SET", {0},
		{.raw_certs = PKI_BYTES("\x31\x00")}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct buf der = make(rows[i].single, rows[i].spec);
		struct response r = {.produced_at = 99};
		struct err err = {0};

		if (parse(&der, &r, &err) != -1)
			fail_msg("%s: taken", rows[i].name);
		if (err.reason != REASON_MALFORMED &&
		    err.reason != REASON_TRAILING_DATA)
			fail_msg("%s: %s", rows[i].name, err.text);
		assert_int_equal(99, r.produced_at); /* untouched */
		buf_done(&der);
	}
}

/* Odd, and not wrong. */
static void
test_tolerated_fields(void **state)
{
	static const struct {
		const char *name;
		struct pki_single single;
		struct pki_response spec;
	} rows[] = {
	    {"version 1 written out", {0},
		{.version = PKI_BYTES("\xa0\x03\x02\x01\x00")}},
	    {"CertID, hash without parameters",
		{.id = PKI_BYTES(
		     "\x30\x12\x30\x07" SHA1 HASHES "\x02\x01\x01")},
		{0}},
	    {"CertID, hash with NULL",
		{.id = PKI_BYTES(
		     "\x30\x14\x30\x09" SHA1 "\x05\x00" HASHES "\x02\x01\x01")},
		{0}},
	    {"CertID, negative serial number",
		{.id = PKI_BYTES(
		     "\x30\x12\x30\x07" SHA1 HASHES "\x02\x01\xff")},
		{0}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct buf der = make(rows[i].single, rows[i].spec);
		struct response r = {0};
		struct err err = {0};

		if (parse(&der, &r, &err) != 0)
			fail_msg("%s: %s", rows[i].name, err.text);
		response_done(&r);
		buf_done(&der);
	}
}

static void
expect_unwrapped(const char *name, struct span in, struct span out)
{
	uint8_t *exact = malloc(in.len + (in.len == 0));
	uint8_t *der = NULL;
	size_t len = 0;
	struct err err = {0};

	if (in.len > 0)
		memcpy(exact, in.at, in.len);
	if (response_unwrap(exact, in.len, &der, &len, &err) != 0)
		fail_msg("%s: %s", name, err.text);
	if (!span_equal(out, (struct span){der, len}))
		fail_msg("%s: %zu octets", name, len);
	free(der);
	free(exact);
}

#define UNAUTHORIZED "\x30\x03\x0a\x01\x06"
#define PEM_BEGIN "-----BEGIN OCSP RESPONSE-----\n"
#define PEM_END "-----END OCSP RESPONSE-----\n"

static void
test_unwrap(void **state)
{
	static const struct {
		const char *name;
		struct span in, out;
	} rows[] = {
	    {"DER", PKI_BYTES(UNAUTHORIZED), PKI_BYTES(UNAUTHORIZED)},
	    {"PEM", PKI_BYTES(PEM_BEGIN "MAMKAQY=\n" PEM_END),
		PKI_BYTES(UNAUTHORIZED)},
	    {"PEM behind text",
		PKI_BYTES("what came:\n" PEM_BEGIN "MAMKAQY=\n" PEM_END),
		PKI_BYTES(UNAUTHORIZED)},
	    {"PEM behind another block",
		PKI_BYTES("-----BEGIN CERTIFICATE-----\nMAA=\n"
			  "-----END CERTIFICATE-----\n" PEM_BEGIN
			  "MAMKAQY=\n" PEM_END),
		PKI_BYTES(UNAUTHORIZED)},
	    {"base64 of the shortest response", PKI_BYTES("MAMKAQY=\n"),
		PKI_BYTES(UNAUTHORIZED)},
	    {"base64 in lines", PKI_BYTES("MAMK\nAQY=\n"),
		PKI_BYTES(UNAUTHORIZED)},
	    {"base64 in lines of DOS", PKI_BYTES("MAMK\r\nAQY=\r\n"),
		PKI_BYTES(UNAUTHORIZED)},
	    {"base64 without a newline stays", PKI_BYTES("MAMKAQY="),
		PKI_BYTES("MAMKAQY=")},
	    {"base64 cut stays", PKI_BYTES("MAMKAQ\n"), PKI_BYTES("MAMKAQ\n")},
	    {"base64, a hyphen and more stays", PKI_BYTES("MAMKAQY=-x\n"),
		PKI_BYTES("MAMKAQY=-x\n")},
	    {"base64 with more behind the padding stays",
		PKI_BYTES("MAMKAQY=MAMK\n"), PKI_BYTES("MAMKAQY=MAMK\n")},
	    {"URL-safe base64 stays", PKI_BYTES("_-__\n"), PKI_BYTES("_-__\n")},
	    {"text stays", PKI_BYTES("no such certificate\n"),
		PKI_BYTES("no such certificate\n")},
	    {"a newline stays", PKI_BYTES("\n"), PKI_BYTES("\n")},
	    {"nothing stays", PKI_BYTES(""), PKI_BYTES("")},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		expect_unwrapped(rows[i].name, rows[i].in, rows[i].out);
}

static void
test_unwrap_refuses(void **state)
{
	static const struct {
		const char *name;
		struct span in;
	} rows[] = {
	    {"a certificate", PKI_BYTES("-----BEGIN CERTIFICATE-----\nMAA=\n"
					"-----END CERTIFICATE-----\n")},
	    {"I4 a private key", PKI_BYTES("-----BEGIN PRIVATE KEY-----\nMAA=\n"
					   "-----END PRIVATE KEY-----\n")},
	    {"no end", PKI_BYTES(PEM_BEGIN "MAMKAQY=\n")},
	    {"another end", PKI_BYTES(PEM_BEGIN "MAMKAQY=\n"
						"-----END CERTIFICATE-----\n")},
	    {"damaged", PKI_BYTES(PEM_BEGIN "MAM*AQY=\n" PEM_END)},
	    {"begin alone", PKI_BYTES("-----BEGIN ")},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		uint8_t *der = NULL;
		size_t len = 0;
		struct err err = {0};

		if (response_unwrap(
			rows[i].in.at, rows[i].in.len, &der, &len, &err) != -1)
			fail_msg("%s: taken", rows[i].name);
		assert_int_equal(REASON_MALFORMED, err.reason);
		assert_null(der);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_facts),
	    cmocka_unit_test(test_maxima),
	    cmocka_unit_test(test_malformed_fields),
	    cmocka_unit_test(test_tolerated_fields),
	    cmocka_unit_test(test_unwrap),
	    cmocka_unit_test(test_unwrap_refuses),
	};

	return cmocka_run_group_tests(tests, make_pki, free_pki);
}
