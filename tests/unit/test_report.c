/* SPDX-License-Identifier: ISC */
/* test_report.c -- face/report: the shapes that CONTRACT promises. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "face/report.h"
#include "pki_fixture.h"

/* What OBJECT must have: a key and the JSON of its value, or of its type. */
struct want {
	const char *key;
	const char *value; /* NULL: any */
	json_type type;
};

static void
expect(json_t *object, const struct want *wants, size_t count)
{
	if (!json_is_object(object) || json_object_size(object) != count)
		fail_msg("%zu keys, not %zu: %s", json_object_size(object),
		    count, json_dumps(object, 0));
	for (size_t i = 0; i < count; i++) {
		const json_t *value = json_object_get(object, wants[i].key);
		char *text;

		if (value == NULL)
			fail_msg("'%s' is left out", wants[i].key);
		text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
		if (wants[i].value != NULL && strcmp(text, wants[i].value) != 0)
			fail_msg("%s is %s", wants[i].key, text);
		if (wants[i].value == NULL &&
		    json_typeof(value) != wants[i].type)
			fail_msg("%s is %s", wants[i].key, text);
		free(text);
	}
	json_decref(object);
}

#define EXPECT(object, wants) \
	expect(object, wants, sizeof(wants) / sizeof(wants[0]))

static void
test_document(void **state)
{
	static const struct want wants[] = {
	    {"oclasp", "\"" OCLASP_VERSION "\"", 0},
	    {"command", "\"fetch\"", 0}};

	(void)state;
	EXPECT(report_document("fetch"), wants);
}

static void
test_cert(void **state)
{
	struct pki pki = pki_make(PKI_EC);
	char *fingerprint = mem_printf("\"%s\"", pki.leaf.cert->fingerprint);
	const struct want wants[] = {
	    {"subject", "\"CN=leaf\"", 0},
	    {"issuer", "\"CN=issuer\"", 0},
	    {"names",
		"[\"leaf.test\",\"*.wild.test\",\"192.0.2.1\",\"2001:db8::1\"]",
		0},
	    {"serial", NULL, JSON_STRING},
	    {"fingerprint", fingerprint, 0},
	    {"not_after", "\"2027-02-14T08:00:00Z\"", 0},
	    {"ocsp_urls", "[\"http://ocsp.test/a\",\"ldap://ocsp.test/b\"]", 0},
	    {"must_staple", "false", 0},
	};

	(void)state;
	EXPECT(report_json_cert(pki.leaf.cert), wants);
	assert_true(json_is_null(report_json_cert(NULL)));
	free(fingerprint);
	pki_done(&pki);
}

static const struct verdict facts = {
    .status = CERT_GOOD,
    .this_update = PKI_NOW,
    .produced_at = PKI_NOW,
    .next_update = PKI_NOW + CLOCK_DAY,
    .by_delegate = true,
    .usable_until = PKI_NOW + CLOCK_DAY,
    .size = 471,
    .sha256 = "ab",
};

static void
test_verdict(void **state)
{
	static const struct want wants[] = {
	    {"status", "\"good\"", 0},
	    {"this_update", "\"2027-01-15T08:00:00Z\"", 0},
	    {"next_update", "\"2027-01-16T08:00:00Z\"", 0},
	    {"produced_at", "\"2027-01-15T08:00:00Z\"", 0},
	    {"revoked_at", "null", 0},
	    {"signer", "\"delegate\"", 0},
	    {"usable_until", "\"2027-01-16T08:00:00Z\"", 0},
	    {"size", "471", 0},
	    {"sha256", "\"ab\"", 0},
	    {"warning", "null", 0},
	};
	struct verdict bare = facts;
	json_t *json;

	(void)state;
	EXPECT(report_json_verdict(&facts), wants);
	bare.next_update = 0; /* unknown is null, never left out */
	bare.by_delegate = false;
	bare.status = CERT_UNKNOWN;
	json = report_json_verdict(&bare);
	assert_true(json_is_null(json_object_get(json, "next_update")));
	assert_string_equal(
	    json_string_value(json_object_get(json, "signer")), "issuer");
	assert_string_equal(
	    json_string_value(json_object_get(json, "status")), "unknown");
	json_decref(json);
	assert_true(json_is_null(report_json_verdict(NULL)));
}

static void
test_add_verdict(void **state)
{
	static const struct want accepted[] = {{"verdict", "\"accept\"", 0},
	    {"status", "\"good\"", 0}, {"reason", "null", 0},
	    {"detail", "null", 0}, {"response", NULL, JSON_OBJECT}};
	static const struct want rejected[] = {{"verdict", "\"reject\"", 0},
	    {"status", "null", 0}, {"reason", "\"bad-signature\"", 0},
	    {"detail", "\"so it is\"", 0}, {"response", "null", 0}};
	struct err err = {0};
	json_t *json = json_object();

	(void)state;
	report_add_verdict(json, &facts, &err);
	EXPECT(json, accepted);
	json = json_object();
	(void)err_set(&err, REASON_BAD_SIGNATURE, "so it is");
	report_add_verdict(json, NULL, &err);
	EXPECT(json, rejected);
}

static void
test_try(void **state)
{
	static const struct want won[] = {{"address", "\"192.0.2.1\"", 0},
	    {"port", "80", 0}, {"source", "\"pin\"", 0}, {"proxy", "null", 0},
	    {"asked_name", "null", 0}, {"url", "\"http://ocsp.test/\"", 0},
	    {"method", "\"GET\"", 0}, {"stage", "\"response\"", 0},
	    {"outcome", "\"ok\"", 0}, {"detail", "null", 0},
	    {"elapsed_ms", "12", 0}};
	static const struct want silent[] = {{"address", "null", 0},
	    {"port", "null", 0}, {"source", "\"udp://192.0.2.53\"", 0},
	    {"proxy", "null", 0}, {"asked_name", "\"cdn.test\"", 0},
	    {"url", "null", 0}, {"method", "null", 0}, {"stage", "\"dns\"", 0},
	    {"outcome", "\"dns-nxdomain\"", 0}, {"detail", "\"no\"", 0},
	    {"elapsed_ms", "0", 0}};
	struct acquire_try try = {.address = "192.0.2.1",
	    .port = 80,
	    .source = "pin",
	    .url = "http://ocsp.test/",
	    .method = "GET",
	    .stage = "response",
	    .elapsed_ms = 12};
	json_t *json;

	(void)state;
	EXPECT(report_json_try(&try), won);
	try.cancelled = true;
	json = report_json_try(&try);
	assert_string_equal(
	    json_string_value(json_object_get(json, "outcome")), "cancelled");
	json_decref(json);
	try = (struct acquire_try){.source = "udp://192.0.2.53",
	    .asked_name = "cdn.test",
	    .stage = "dns"};
	(void)err_set(&try.err, REASON_DNS_NXDOMAIN, "no");
	EXPECT(report_json_try(&try), silent);
}

/* What comes from outside is text in any case, also what is no UTF-8. */
static void
test_text(void **state)
{
	static const struct {
		const char *in, *out; /* NULL: null */
	} rows[] = {{NULL, NULL}, {"", NULL}, {"plain", "plain"},
	    {"\xc3\xa9t\xc3\xa9", "\xc3\xa9t\xc3\xa9"},
	    {"\xe9t\xe9", "\xc3\xa9t\xc3\xa9"}, {"\xff", "\xc3\xbf"},
	    {"\xc0\x80", "\xc3\x80\xc2\x80"}};
	char *large = mem_array(20001, 1);
	json_t *json;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json = report_json_text(rows[i].in);
		if (rows[i].out == NULL)
			assert_true(json_is_null(json));
		else
			assert_string_equal(
			    json_string_value(json), rows[i].out);
		json_decref(json);
	}
	/* and a long one is whole */
	for (size_t odd = 0; odd < 2; odd++) {
		memset(large, 0xe9, 20000);
		if (odd)
			large[0] = 'a';
		json = report_json_text(large);
		assert_true(json_is_string(json));
		assert_int_equal(json_string_length(json), 40000 - odd);
		json_decref(json);
	}
	free(large);
}

static void
test_time(void **state)
{
	json_t *json = report_json_time(PKI_NOW);

	(void)state;
	assert_string_equal(json_string_value(json), "2027-01-15T08:00:00Z");
	json_decref(json);
	assert_true(json_is_null(report_json_time(0)));
}

static void
test_when(void **state)
{
	(void)state;
	assert_string_equal(report_when(0, PKI_NOW), "none");
	assert_string_equal(report_when(PKI_NOW + 600, PKI_NOW),
	    "2027-01-15T08:10:00Z (in 10 min)");
	assert_string_equal(report_when(PKI_NOW - 600, PKI_NOW),
	    "2027-01-15T07:50:00Z (10 min ago)");
}

static void
test_remedy(void **state)
{
	(void)state;
	assert_non_null(report_remedy(REASON_CONNECT_TIMEOUT));
	assert_non_null(report_remedy(REASON_BAD_SIGNATURE));
	assert_null(report_remedy(REASON_FILE));
	assert_null(report_remedy(REASON_ISSUER_MISSING));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_document),
	    cmocka_unit_test(test_cert),
	    cmocka_unit_test(test_verdict),
	    cmocka_unit_test(test_add_verdict),
	    cmocka_unit_test(test_try),
	    cmocka_unit_test(test_text),
	    cmocka_unit_test(test_time),
	    cmocka_unit_test(test_when),
	    cmocka_unit_test(test_remedy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
