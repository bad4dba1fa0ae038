/* SPDX-License-Identifier: ISC */
/* test_courier.c -- acquire/courier: bundles, and what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acquire/courier.h"
#include "base/base64.h"
#include "base/err.h"
#include "base/mem.h"
#include "pki/request.h"
#include "pki_fixture.h"

static uint8_t *request;
static size_t request_len;
static char *request64;

static int
begin(void **state)
{
	struct pki pki = pki_make(PKI_EC);
	struct err err = {0};
	int rc = request_make(
	    pki.leaf.cert, pki.issuer.cert, &request, &request_len, &err);

	(void)state;
	pki_done(&pki);
	request64 = base64_write(request, request_len);
	return rc;
}

static int
end(void **state)
{
	(void)state;
	free(request);
	free(request64);
	return 0;
}

static void
test_round_trip(void **state)
{
	struct courier_bundle out = {0}, in = {0};
	struct courier_item *item = courier_add(&out, request, request_len);
	struct err err = {0};
	char *text;

	(void)state;
	courier_add_url(item, "http://ocsp.test/");
	courier_add_url(item, "ldap://ocsp.test/"); /* no road for us */
	courier_add_url(item, "https://second.test/ocsp");
	assert_int_equal(item->url_count, 2);
	text = courier_write(&out);
	/* what a CA sees, and no more */
	assert_non_null(strstr(text, "\"courier\": 1"));
	assert_non_null(strstr(text, "\"serial\": \"5a"));
	assert_null(strstr(text, "fingerprint"));
	assert_null(strstr(text, "response"));
	if (courier_parse(text, strlen(text), &in, &err) == -1)
		fail_msg("%s", err.text);
	assert_false(in.answers);
	assert_int_equal(in.count, 1);
	assert_int_equal(in.items[0].request_len, request_len);
	assert_memory_equal(in.items[0].request, request, request_len);
	assert_string_equal(in.items[0].urls[1], "https://second.test/ocsp");
	assert_null(in.items[0].response);
	free(text);
	courier_done(&out);

	in.answers = true;
	in.items[0].response = mem_copy("abc", 3);
	in.items[0].response_len = 3;
	in.items[0].source = mem_string("system");
	text = courier_write(&in);
	courier_done(&in);
	assert_int_equal(courier_parse(text, strlen(text), &in, NULL), 0);
	assert_true(in.answers);
	assert_memory_equal(in.items[0].response, "abc", 3);
	assert_int_equal(in.items[0].reason, REASON_NONE);
	assert_string_equal(in.items[0].source, "system");
	free(text);
	courier_done(&in);
}

static void
test_answer_that_is_missing(void **state)
{
	struct courier_bundle out = {.answers = true}, in = {0};
	struct courier_item *item = courier_add(&out, request, request_len);
	char *text;

	(void)state;
	courier_add_url(item, "http://ocsp.test/");
	item->reason = REASON_CONNECT_TIMEOUT;
	item->detail = mem_string("no \x1b[31m luck");
	text = courier_write(&out);
	assert_int_equal(courier_parse(text, strlen(text), &in, NULL), 0);
	assert_null(in.items[0].response);
	assert_int_equal(in.items[0].reason, REASON_CONNECT_TIMEOUT);
	assert_string_equal(in.items[0].detail, "no ?[31m luck");
	free(text);
	courier_done(&in);
	courier_done(&out);
}

/* %s is the request. */
static const struct {
	const char *name, *text;
} rows[] = {
    {"empty", ""},
    {"blanks", "  \n"},
    {"no JSON", "hello"},
    {"HTML", "<html></html>"},
    {"cut short", "{\"courier\": 1, \"kind\": \"requests\", \"items\": ["},
    {"a list", "[]"},
    {"a number", "1"},
    {"two documents", "{\"courier\":1,\"kind\":\"requests\",\"items\":[]}{}"},
    {"no version", "{\"kind\":\"requests\",\"items\":[]}"},
    {"a version of another time",
	"{\"courier\":2,\"kind\":\"requests\",\"items\":[]}"},
    {"a version in words",
	"{\"courier\":\"1\",\"kind\":\"requests\",\"items\":[]}"},
    {"no kind", "{\"courier\":1,\"items\":[]}"},
    {"another kind", "{\"courier\":1,\"kind\":\"x\",\"items\":[]}"},
    {"a kind that is no text", "{\"courier\":1,\"kind\":1,\"items\":[]}"},
    {"no items", "{\"courier\":1,\"kind\":\"requests\"}"},
    {"items of another type",
	"{\"courier\":1,\"kind\":\"requests\",\"items\":{}}"},
    {"a key twice", "{\"courier\":1,\"courier\":1,\"kind\":\"requests\","
		    "\"items\":[]}"},
    {"an item that is none",
	"{\"courier\":1,\"kind\":\"requests\",\"items\":[1]}"},
    {"no request", "{\"courier\":1,\"kind\":\"requests\",\"items\":[{"
		   "\"urls\":[\"http://a.test/\"]}]}"},
    {"a request that is no base64",
	"{\"courier\":1,\"kind\":\"requests\",\"items\":[{\"urls\":"
	"[\"http://a.test/\"],\"request\":\"a b\"}]}"},
    {"a request that is no request",
	"{\"courier\":1,\"kind\":\"requests\",\"items\":[{\"urls\":"
	"[\"http://a.test/\"],\"request\":\"AAAA\"}]}"},
    {"an empty request",
	"{\"courier\":1,\"kind\":\"requests\",\"items\":[{\"urls\":"
	"[\"http://a.test/\"],\"request\":\"\"}]}"},
    {"no urls", "{\"courier\":1,\"kind\":\"requests\",\"items\":[{"
		"\"request\":\"%s\"}]}"},
    {"an empty list of urls",
	"{\"courier\":1,\"kind\":\"requests\",\"items\":[{\"urls\":[],"
	"\"request\":\"%s\"}]}"},
    {"a url that is no text",
	"{\"courier\":1,\"kind\":\"requests\",\"items\":[{\"urls\":[1],"
	"\"request\":\"%s\"}]}"},
    {"a file for a url",
	"{\"courier\":1,\"kind\":\"requests\",\"items\":[{\"urls\":"
	"[\"file:///etc/passwd\"],\"request\":\"%s\"}]}"},
    {"eleven urls", "{\"courier\":1,\"kind\":\"requests\",\"items\":[{\"urls\":"
		    "[\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\"],"
		    "\"request\":\"%s\"}]}"},
    {"a response that is no base64",
	"{\"courier\":1,\"kind\":\"answers\",\"items\":[{\"urls\":"
	"[\"http://a.test/\"],\"request\":\"%s\",\"response\":\"?\"}]}"},
    {"a response that is a number",
	"{\"courier\":1,\"kind\":\"answers\",\"items\":[{\"urls\":"
	"[\"http://a.test/\"],\"request\":\"%s\",\"response\":7}]}"},
    {"octets that are no UTF-8", "{\"courier\":1,\"kind\":\"\xff\"}"},
};

static void
test_refusals(void **state)
{
	struct courier_bundle bundle = {.count = 77};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err err = {0};
		const char *mark = strstr(rows[i].text, "%s");
		char *text =
		    mark == NULL
			? mem_string(rows[i].text)
			: mem_printf("%.*s%s%s", (int)(mark - rows[i].text),
			      rows[i].text, request64, mark + 2);

		if (courier_parse(text, strlen(text), &bundle, &err) != -1)
			fail_msg("%s: was taken", rows[i].name);
		if (err.reason != REASON_USAGE || strlen(err.text) < 20 ||
		    strchr(err.text, '\n') != NULL)
			fail_msg("%s: '%s'", rows[i].name, err.text);
		free(text);
	}
	assert_int_equal(bundle.count, 77); /* untouched */
}

static void
test_bounds(void **state)
{
	struct courier_bundle bundle = {0};
	uint8_t large[COURIER_REQUEST_MAX + 1] = {0};
	struct err err = {0};
	struct buf text;

	(void)state;
	assert_null(courier_add(&bundle, large, sizeof(large)));
	assert_int_equal(
	    courier_parse("", (size_t)COURIER_BUNDLE_MAX + 1, &bundle, &err),
	    -1);
	assert_int_equal(err.reason, REASON_USAGE);
	buf_init(&text, 1 << 20);
	buf_puts(&text, "{\"courier\":1,\"kind\":\"requests\",\"items\":[1");
	for (int i = 0; i < COURIER_ITEMS_MAX; i++)
		buf_puts(&text, ",1");
	buf_puts(&text, "]}");
	err_clear(&err);
	assert_int_equal(courier_parse(text.text, text.len, &bundle, &err), -1);
	assert_non_null(strstr(err.text, "10001 items"));
	buf_done(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_round_trip),
	    cmocka_unit_test(test_answer_that_is_missing),
	    cmocka_unit_test(test_refusals),
	    cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
