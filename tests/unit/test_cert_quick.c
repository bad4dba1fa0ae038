/* SPDX-License-Identifier: ISC */
/* test_cert_quick.c -- pki/cert_quick: the same facts as by OpenSSL, or none;
 * and the issuer's signature (B7, B8). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "pki/cert.h"
#include "pki/cert_quick.h"
#include "own_pki.h"

#define NAMES10 "DNS:a,DNS:b,DNS:c,DNS:d,DNS:e,DNS:f,DNS:g,DNS:h,DNS:i,DNS:j,"
#define NAMES40 NAMES10 NAMES10 NAMES10 NAMES10

static const struct row {
	const char *name;
	bool quick;
	struct pki_spec spec;
} rows[] = {
    {"as most are", true,
	{.cn = "www.example.test",
	    .ext = {{"basicConstraints", "critical,CA:FALSE"},
		{"keyUsage", "critical,digitalSignature"},
		{"subjectAltName", "DNS:www.example.test,DNS:*.example.test"},
		{"authorityInfoAccess",
		    "OCSP;URI:http://o.test/,caIssuers;URI:http://i.test/"}}}},
    {"must-staple (D1)", true,
	{.cn = "m.test", .ext = {{"tlsfeature", "status_request"}}}},
    {"another feature", true,
	{.cn = "m.test", .ext = {{"tlsfeature", "status_request_v2"}}}},
    {"a name of many words", true,
	{.cn = "Ünïcode, \"quoted\" + #1",
	    .ext = {{"subjectAltName", "DNS:x.test"}}}},
    {"names of all kinds", true,
	{.cn = "k.test",
	    .ext = {{"subjectAltName",
		"email:a@b.test,IP:192.0.2.1,URI:http://x.test/,DNS:k.test,"
		"IP:2001:db8::1"}}}},
    {"a name that OpenSSL looks into", false,
	{.cn = "k.test", .ext = {{"subjectAltName", "DNS:k.test,RID:1.2.3"}}}},
    {"a damaged one", false,
	{.cn = "k.test", .ext = {{"subjectAltName", "DER:300582016b8800"}}}},
    {"a place of access that OpenSSL looks into", false,
	{.cn = "k.test",
	    .ext = {{"authorityInfoAccess",
		"OCSP;URI:http://o.test/,OCSP;RID:1.2.3"}}}},
    {"two URLs of a responder", true,
	{.cn = "u.test",
	    .ext = {{"authorityInfoAccess",
		"OCSP;URI:http://1.test/,OCSP;URI:ldap://2.test/,OCSP;DNS:x"}}}},
    {"a URL with a newline", true,
	{.cn = "u.test",
	    .ext = {{"1.3.6.1.5.5.7.1.1",
		"DER:3011300f06082b060105050730018603610a62"}}}},
    {"an RSA key", true,
	{.cn = "r.test",
	    .kind = PKI_RSA,
	    .ext = {{"subjectAltName", "DNS:r.test"}}}},
    {"a serial with a leading zero octet", true,
	{.cn = "s.test",
	    .serial = "ff01",
	    .ext = {{"subjectAltName", "DNS:s.test"}}}},
    {"a serial of 20 octets", true,
	{.cn = "s.test",
	    .serial = "7102030405060708090a0b0c0d0e0f1011121314",
	    .ext = {{"subjectAltName", "DNS:s.test"}}}},
    {"after 2050", true,
	{.cn = "t.test",
	    .until = 2600000000,
	    .ext = {{"subjectAltName", "DNS:t.test"}}}},
    {"a critical stranger", true,
	{.cn = "c.test", .ext = {{"1.2.3.4", "critical,DER:0500"}}}},
    {"a CA", false,
	{.cn = "ca", .ext = {{"basicConstraints", "critical,CA:TRUE"}}}},
    {"a CA by its key usage", false,
	{.cn = "ca", .ext = {{"keyUsage", "keyCertSign"}}}},
    {"a CA of old", false, {.cn = "ca", .ext = {{"nsCertType", "sslCA"}}}},
    {"a length of path without a CA", false,
	{.cn = "p.test", .ext = {{"basicConstraints", "DER:3003020100"}}}},
    {"no extensions", false, {.cn = "n.test"}},
    {"damaged names", false,
	{.cn = "d.test", .ext = {{"subjectAltName", "DER:30820000"}}}},
    {"damaged access", false,
	{.cn = "d.test", .ext = {{"authorityInfoAccess", "DER:0500"}}}},
    {"damaged features", false,
	{.cn = "d.test", .ext = {{"tlsfeature", "DER:3003050005"}}}},
    {"damaged constraints", false,
	{.cn = "d.test", .ext = {{"basicConstraints", "DER:3001"}}}},
    {"octets behind the constraints", false,
	{.cn = "d.test", .ext = {{"basicConstraints", "DER:30000500"}}}},
    {"empty key usage", false,
	{.cn = "d.test", .ext = {{"keyUsage", "DER:030100"}}}},
    {"a serial of zero", false,
	{.cn = "z.test",
	    .serial = "00",
	    .ext = {{"subjectAltName", "DNS:z.test"}}}},
    {"a serial below zero", false,
	{.cn = "z.test",
	    .serial = "-5",
	    .ext = {{"subjectAltName", "DNS:z.test"}}}},
    {"more names than are read here", false,
	{.cn = "y.test",
	    .ext = {{"subjectAltName",
		NAMES40 NAMES40 NAMES40 NAMES40 "DNS:z"}}}},
    {"an extension twice", false,
	{.cn = "2.test",
	    .ext = {{"subjectAltName", "DNS:a"}, {"subjectAltName", "DNS:b"}}}},
};

static void
assert_same_texts(char *const *a, char *const *b, size_t count)
{
	for (size_t i = 0; i < count; i++)
		assert_string_equal(a[i], b[i]);
}

/* All that a compact certificate has. */
static void
assert_same(const struct cert *a, const struct cert *b)
{
	assert_string_equal(a->subject, b->subject);
	assert_string_equal(a->issuer, b->issuer);
	assert_string_equal(a->serial, b->serial);
	assert_string_equal(a->fingerprint, b->fingerprint);
	assert_int_equal(a->name_count, b->name_count);
	assert_same_texts(a->names, b->names, a->name_count);
	assert_int_equal(a->ocsp_url_count, b->ocsp_url_count);
	assert_same_texts(a->ocsp_urls, b->ocsp_urls, a->ocsp_url_count);
	assert_int_equal(a->not_before, b->not_before);
	assert_int_equal(a->not_after, b->not_after);
	assert_true(span_equal(a->issuer_der, b->issuer_der));
	assert_true(span_equal(a->serial_der, b->serial_der));
	assert_int_equal(a->must_staple, b->must_staple);
	assert_int_equal(a->is_ca, b->is_ca);
	assert_null(a->x509);
}

static void
test_same_facts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		struct pki_spec spec = row->spec;
		struct cert *compact, *quickly = NULL;
		struct cert_quick quick;
		struct pki_party party;
		uint8_t *der;
		size_t len;

		print_message("%s\n", row->name);
		spec.issuer = &pki.issuer;
		party = pki_party(&spec);
		compact = cert_compact(party.cert);
		cert_der(party.cert, &der, &len);
		assert_int_equal(
		    cert_quick_parse((struct span){der, len}, &quick),
		    row->quick);
		if (row->quick) {
			assert_true(cert_quick_named(&quick, pki.issuer.cert));
			quickly = cert_quick_make(&quick, pki.issuer.cert);
			assert_same(quickly, compact);
			assert_true(
			    cert_quick_signed_by(&quick, pki.issuer.cert));
			assert_false(
			    cert_quick_signed_by(&quick, pki.root.cert));
		}
		cert_free(quickly);
		cert_free(compact);
		free(der);
		pki_party_done(&party);
	}
}

/* A part of one is none; nor is more than one.  And whatever one octet of it is
 * instead, it is not signed. */
static void
test_damaged(void **state)
{
	struct cert_quick quick;
	size_t len, forged = 0;
	uint8_t *der;

	(void)state;
	cert_der(pki.leaf.cert, &der, &len);
	for (size_t part = 0; part < len; part++) {
		uint8_t *exact = mem_copy(der, part);

		assert_false(
		    cert_quick_parse((struct span){exact, part}, &quick));
		free(exact);
	}
	der = mem_resize(der, len + 1, 1);
	der[len] = 0;
	assert_false(cert_quick_parse((struct span){der, len + 1}, &quick));
	for (size_t i = 0; i < len; i++) {
		der[i] ^= 0x01;
		if (cert_quick_parse((struct span){der, len}, &quick)) {
			forged++;
			assert_false(
			    cert_quick_signed_by(&quick, pki.issuer.cert));
		}
		der[i] ^= 0x01;
	}
	assert_true(forged > 0);
	assert_true(cert_quick_parse((struct span){der, len}, &quick));
	assert_true(cert_quick_signed_by(&quick, pki.issuer.cert));
	assert_false(cert_quick_named(&quick, pki.root.cert));
	free(der);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_same_facts),
	    cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests(tests, make_pki, free_pki);
}
