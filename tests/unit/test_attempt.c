/* SPDX-License-Identifier: ISC */
/* test_attempt.c -- acquire/attempt: one address, GET and POST, judged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "acquire/attempt.h"
#include "base/clock.h"
#include "base/mem.h"
#include "http/fetch.h"
#include "ocsp_answer.h"
#include "pki/request.h"
#include "pki/staple.h"

enum { TIMEOUT_MS = 5000, SHORT_MS = 250 };

static uv_loop_t loop;
static const struct attempt_way way = {.address = "127.0.0.1"};
static struct fetch_pool *pool;
static struct script server;
static struct pki pki;
static struct pki_party other;
static uint8_t *request;
static size_t request_len;
static struct acquire_target target;

/* What came of one attempt. */
static struct attempt *attempt;
static int calls;
static struct attempt_outcome last;
static char methods[32];
static bool cancel_in_first, fresh;

static int
make_pki(void **state)
{
	(void)state;
	pki = pki_make(PKI_EC);
	other =
	    pki_party(&(struct pki_spec){.cn = "other", .issuer = &pki.issuer});
	assert_int_equal(request_make(pki.leaf.cert, pki.issuer.cert, &request,
			     &request_len, NULL),
	    0);
	return 0;
}

static int
free_pki(void **state)
{
	(void)state;
	free(request);
	pki_party_done(&other);
	pki_done(&pki);
	return 0;
}

static int
set_up(void **state)
{
	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	pool = fetch_pool_new(&loop);
	script_init(&server);
	target = (struct acquire_target){.leaf = pki.leaf.cert,
	    .issuer = pki.issuer.cert,
	    .policy = verify_policy_default(PKI_NOW)};
	cancel_in_first = fresh = false;
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	script_stop(&server);
	fetch_pool_free(pool);
	loop_end(&loop);
	return 0;
}

static void
attempt_ended(void *cookie, struct attempt_outcome *outcome)
{
	size_t used = strlen(methods);

	assert_ptr_equal(cookie, &loop);
	assert_non_null(attempt); /* never from within the start */
	assert_false(last.last);  /* nothing comes after the last */
	calls++;
	last = *outcome;
	(void)snprintf(methods + used, sizeof(methods) - used, "%s%s",
	    used > 0 ? " " : "", outcome->method);
	/* err or accepted, and a staple only if both are fine */
	assert_true(outcome->accepted || outcome->err.reason != REASON_NONE);
	if (outcome->staple != NULL)
		assert_true(
		    outcome->accepted && outcome->err.reason == REASON_NONE);
	staple_free(outcome->staple);
	if (cancel_in_first)
		attempt_cancel(&attempt);
	if (cancel_in_first || outcome->last)
		uv_stop(&loop);
}

/* Ask the server (or, without one, its port) and wait for the end. */
static void
try_it(bool post_first, int64_t timeout_ms)
{
	char *url = mem_printf("http://ocsp.test:%d/a", server.port);
	char *get_url = request_get_url(url, request, request_len);
	const struct attempt_job job = {.target = &target,
	    .request = {request, request_len},
	    .url = url,
	    .get_url = get_url,
	    .post_first = post_first,
	    .fresh = fresh};

	calls = 0;
	memset(&last, 0, sizeof(last));
	methods[0] = '\0';
	attempt = attempt_start(pool, &job, &way, clock_mono_ms() + timeout_ms,
	    attempt_ended, &loop);
	assert_string_equal(
	    attempt_method(attempt), post_first ? "POST" : "GET");
	loop_run(&loop);
	assert_true(calls > 0);
	free(url);
	free(get_url);
}

static const struct row {
	const char *name;
	struct ocsp_answer answer;
	enum reason reason;
	const char *stage, *methods;
	bool accepted, of_other;
	int64_t floor;
	enum script_manner manner;
} rows[] = {
    {"good", {0}, REASON_NONE, "response", "GET", true, false, 0, 0},
    {"C15: revoked is an answer", {.says = CERT_REVOKED}, REASON_NONE,
	"response", "GET", true, false, 0, 0},
    {"C15: unknown is an answer", {.says = CERT_UNKNOWN}, REASON_NONE,
	"response", "GET", true, false, 0, 0},
    {"A14: of the same age as the one at hand", {0}, REASON_NONE, "response",
	"GET", true, false, PKI_NOW - 3600, 0},
    {"a wrong type of a right response is forgiven",
	{.content_type = "text/plain"}, REASON_NONE, "response", "GET", true,
	false, 0, 0},

    /* the other method may do */
    {"500", {.http = 500}, REASON_HTTP_STATUS, "http", "GET POST", false, false,
	0, 0},
    {"404: an old responder that knows no GET", {.http = 404},
	REASON_HTTP_STATUS, "http", "GET POST", false, false, 0, 0},
    {"reset", {.body = ""}, REASON_HTTP_RESET, "http", "GET POST", false, false,
	0, SCRIPT_RESET},
    {"C20: HTML of its own type",
	{.content_type = "text/html", .body = "<html>"}, REASON_NOT_OCSP,
	"response", "GET POST", false, false, 0, 0},
    {"C20: HTML of the wrong type", {.body = "<html>"}, REASON_NOT_OCSP,
	"response", "GET POST", false, false, 0, 0},
    {"C20: nothing at all, as HTML", {.content_type = "text/html", .body = ""},
	REASON_NOT_OCSP, "response", "GET POST", false, false, 0, 0},
    {"A5: an empty body", {.body = ""}, REASON_MALFORMED, "response",
	"GET POST", false, false, 0, 0},
    {"malformedRequest", {.status = 1}, REASON_STATUS_MALFORMED_REQUEST,
	"response", "GET POST", false, false, 0, 0},
    {"internalError", {.status = 2}, REASON_STATUS_INTERNAL_ERROR, "response",
	"GET POST", false, false, 0, 0},
    {"C4: for another certificate", {0}, REASON_WRONG_CERTIFICATE, "response",
	"GET POST", false, true, 0, 0},
    {"C5: a flipped bit", {.forgery = PKI_FLIP_SIGNATURE}, REASON_BAD_SIGNATURE,
	"response", "GET POST", false, false, 0, 0},
    {"B11: expired, of a cache perhaps",
	{.this_update = PKI_NOW - 9 * CLOCK_DAY,
	    .next_update = PKI_NOW - CLOCK_DAY},
	REASON_EXPIRED, "response", "GET POST", false, false, 0, 0},
    {"B11: genuine, but about to end",
	{.this_update = PKI_NOW - 9 * CLOCK_DAY, .next_update = PKI_NOW + 60},
	REASON_EXPIRED, "response", "GET POST", true, false, 0, 0},
    {"C10: of the future",
	{.this_update = PKI_NOW + 900, .next_update = PKI_NOW + CLOCK_DAY},
	REASON_NOT_YET_VALID, "response", "GET POST", false, false, 0, 0},
    {"A14: older than the one at hand", {0}, REASON_OLDER_THAN_STORED,
	"response", "GET POST", false, false, PKI_NOW - 3599, 0},
    {"A14: also if it says revoked", {.says = CERT_REVOKED},
	REASON_OLDER_THAN_STORED, "response", "GET POST", false, false,
	PKI_NOW - 3599, 0},

    /* it would not */
    {"302", {.http = 302, .headers = "Location: http://192.0.2.1/\r\n"},
	REASON_HTTP_REDIRECT, "http", "GET", false, false, 0, 0},
    {"tryLater", {.status = 3}, REASON_STATUS_TRY_LATER, "response", "GET",
	false, false, 0, 0},
    {"sigRequired", {.status = 5}, REASON_STATUS_SIG_REQUIRED, "response",
	"GET", false, false, 0, 0},
    {"unauthorized", {.status = 6}, REASON_STATUS_UNAUTHORIZED, "response",
	"GET", false, false, 0, 0},
};

static void
run_row(const struct row *row)
{
	struct ocsp_answer spec = row->answer;
	struct buf answer;

	spec.leaf = row->of_other ? other.cert : pki.leaf.cert;
	answer = ocsp_answer(&pki, &spec);
	assert_true(script_start(&server, &loop, "127.0.0.1", 0, row->manner,
	    answer.text, row->manner == SCRIPT_RESET ? 0 : answer.len));
	target.floor = row->floor;
	try_it(false, TIMEOUT_MS);
	script_stop(&server);
	if (last.err.reason != row->reason || last.accepted != row->accepted ||
	    strcmp(last.stage, row->stage) != 0 ||
	    strcmp(methods, row->methods) != 0 || !last.last)
		fail_msg("%s: %s at %s by %s: %s", row->name,
		    reason_name(last.err.reason), last.stage, methods,
		    last.err.text);
	/* B11: past caches after what was over, and never otherwise */
	if (row->manner != SCRIPT_RESET &&
	    (strstr(server.request, "\r\nCache-Control: no-cache\r\n") !=
		NULL) != (row->reason == REASON_EXPIRED))
		fail_msg("%s: asked by\n%s", row->name, server.request);
	/* a good signature tells the time, whatever our clock thinks of it */
	if ((last.signed_at != 0) !=
	    (row->accepted || row->reason == REASON_EXPIRED ||
		row->reason == REASON_NOT_YET_VALID ||
		row->reason == REASON_OLDER_THAN_STORED))
		fail_msg(
		    "%s: signed at %lld", row->name, (long long)last.signed_at);
	if (row->reason == REASON_NOT_YET_VALID)
		assert_true(last.signed_at == row->answer.this_update);
	if (row->accepted)
		assert_int_equal(last.facts.status, row->answer.says);
	buf_done(&answer);
}

static void
test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		run_row(&rows[i]);
}

/* B5: where the URL is too long it is the other way round. */
static void
test_post_first(void **state)
{
	struct ocsp_answer spec = {.leaf = pki.leaf.cert};
	struct buf answer = ocsp_answer(&pki, &spec);

	(void)state;
	assert_true(script_start(&server, &loop, "127.0.0.1", 0, SCRIPT_CLOSE,
	    answer.text, answer.len));
	try_it(true, TIMEOUT_MS);
	assert_string_equal(methods, "POST");
	assert_true(last.accepted);
	assert_non_null(strstr(server.request, "POST /a HTTP/1.1\r\n"));
	assert_non_null(strstr(server.request, "Host: ocsp.test:")); /* B8 */
	script_stop(&server);
	buf_done(&answer);
	spec.http = 405;
	answer = ocsp_answer(&pki, &spec);
	assert_true(script_start(&server, &loop, "127.0.0.1", 0, SCRIPT_CLOSE,
	    answer.text, answer.len));
	try_it(true, TIMEOUT_MS);
	assert_string_equal(methods, "POST GET");
	assert_int_equal(server.requests, 2);
	assert_null(strstr(server.request, "no-cache")); /* B11 */
	script_stop(&server);
	buf_done(&answer);
	spec = (struct ocsp_answer){.leaf = pki.leaf.cert,
	    .this_update = PKI_NOW - 9 * CLOCK_DAY,
	    .next_update = PKI_NOW - CLOCK_DAY};
	answer = ocsp_answer(&pki, &spec);
	assert_true(script_start(&server, &loop, "127.0.0.1", 0, SCRIPT_CLOSE,
	    answer.text, answer.len));
	try_it(true, TIMEOUT_MS);
	assert_string_equal(methods, "POST GET");
	assert_int_equal(server.requests, 2); /* B11: once */
	assert_non_null(strstr(server.request, "Cache-Control: no-cache\r\n"));
	buf_done(&answer);
}

static void
test_oversize(void **state)
{
	char *body = mem_new(FETCH_BODY_MAX + 2);
	struct ocsp_answer spec = {.leaf = pki.leaf.cert, .body = body};
	struct buf answer;

	(void)state;
	memset(body, 'x', FETCH_BODY_MAX + 1);
	answer = ocsp_answer(&pki, &spec);
	assert_true(script_start(&server, &loop, "127.0.0.1", 0, SCRIPT_CLOSE,
	    answer.text, answer.len));
	try_it(false, TIMEOUT_MS);
	assert_int_equal(last.err.reason, REASON_OVERSIZE);
	assert_string_equal(methods, "GET POST");
	buf_done(&answer);
	free(body);
}

static void
test_hints(void **state)
{
	struct ocsp_answer spec = {.leaf = pki.leaf.cert,
	    .headers = "Cache-Control: max-age=600\r\nRetry-After: 70\r\n"};
	struct buf answer = ocsp_answer(&pki, &spec);

	(void)state;
	assert_true(script_start(&server, &loop, "127.0.0.1", 0, SCRIPT_CLOSE,
	    answer.text, answer.len));
	try_it(false, TIMEOUT_MS);
	assert_true(last.max_age_s == 600 && last.retry_after_s == 70);
	buf_done(&answer);
}

/* A try of its own is no second request of a connection that is up. */
static void
test_fresh(void **state)
{
	struct ocsp_answer spec = {.leaf = pki.leaf.cert, .stays = true};
	struct buf answer = ocsp_answer(&pki, &spec);

	(void)state;
	assert_true(script_start(&server, &loop, "127.0.0.1", 0, SCRIPT_KEEP,
	    answer.text, answer.len));
	try_it(false, TIMEOUT_MS);
	try_it(false, TIMEOUT_MS);
	assert_int_equal(server.accepted, 1);
	fresh = true;
	try_it(false, TIMEOUT_MS);
	try_it(false, TIMEOUT_MS);
	assert_int_equal(server.accepted, 3);
	assert_true(last.accepted);
	buf_done(&answer);
}

static void
test_refused(void **state)
{
	(void)state;
	assert_true(
	    script_start(&server, &loop, "127.0.0.1", 0, SCRIPT_CLOSE, "", 0));
	script_stop(&server); /* its port is free now */
	try_it(false, TIMEOUT_MS);
	assert_int_equal(last.err.reason, REASON_CONNECT_REFUSED);
	assert_string_equal(last.stage, "connect");
	assert_string_equal(methods, "GET");
}

/* I5: the deadline is that of both methods together. */
static void
test_deadline(void **state)
{
	int64_t started = clock_mono_ms();

	(void)state;
	assert_true(
	    script_start(&server, &loop, "127.0.0.1", 0, SCRIPT_HANG, "", 0));
	try_it(false, SHORT_MS);
	assert_int_equal(last.err.reason, REASON_HTTP_TIMEOUT);
	assert_string_equal(last.stage, "http");
	assert_string_equal(methods, "GET");
	assert_true(clock_mono_ms() - started < SHORT_MS + 500);
	script_stop(&server);
	assert_true(
	    script_start(&server, &loop, "127.0.0.1", 0, SCRIPT_FULL, "", 0));
	try_it(false, SHORT_MS);
	assert_int_equal(last.err.reason, REASON_CONNECT_TIMEOUT);
	assert_string_equal(last.stage, "connect");
}

static void
stop_loop(void *cookie)
{
	(void)cookie;
	uv_stop(&loop);
}

/* Silence after a cancel, from within the callback and from outside. */
static void
test_cancel(void **state)
{
	struct ocsp_answer spec = {.leaf = pki.leaf.cert, .http = 500};
	struct buf answer = ocsp_answer(&pki, &spec);
	const struct attempt_job job = {.target = &target,
	    .request = {request, request_len},
	    .url = "http://ocsp.test/",
	    .get_url = "http://ocsp.test/x"};

	(void)state;
	assert_true(script_start(&server, &loop, "127.0.0.1", 0, SCRIPT_CLOSE,
	    answer.text, answer.len));
	cancel_in_first = true;
	try_it(false, TIMEOUT_MS);
	assert_null(attempt);
	(void)loop_timer_start(&loop, 50, stop_loop, NULL);
	loop_run(&loop);
	assert_int_equal(calls, 1);
	assert_int_equal(server.requests, 1);
	attempt = attempt_start(pool, &job, &way, clock_mono_ms() + TIMEOUT_MS,
	    attempt_ended, &loop);
	attempt_cancel(&attempt);
	attempt_cancel(&attempt);
	(void)loop_timer_start(&loop, 50, stop_loop, NULL);
	loop_run(&loop);
	assert_int_equal(calls, 1);
	buf_done(&answer);
}

/* clang-format off */
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
/* clang-format on */

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_rows),
	    TEST(test_post_first),
	    TEST(test_oversize),
	    TEST(test_hints),
	    TEST(test_fresh),
	    TEST(test_refused),
	    TEST(test_deadline),
	    TEST(test_cancel),
	};

	return cmocka_run_group_tests(tests, make_pki, free_pki);
}
