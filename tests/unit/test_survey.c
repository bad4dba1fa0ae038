/* SPDX-License-Identifier: ISC */
/* test_survey.c -- doctor/survey: hosts, roads and tries, on the loopback.
 *
 * Names, resolvers and proxies are in the lab (tests/lab/test_survey.py); here
 * are addresses, which are their own answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "doctor/survey.h"
#include "http/fetch.h"
#include "ocsp_answer.h"

enum { SHORT_MS = 400, MANY = 40, URL_TEXT = 64 };

static uv_loop_t loop;
static struct fetch_pool *pool;
static struct script servers[2];
static struct pki pki;
static struct buf unauthorized;

static struct survey *survey;
static int ends;
static size_t steps, step_count;

/* What was told at the end, copied. */
static size_t count, parties;
static enum survey_verdict verdicts[MANY];
static struct survey_try first_try[MANY];
static size_t tries[MANY];
static enum survey_grade leads[MANY];

static int
set_up(void **state)
{
	struct ocsp_answer says = {.status = 6};

	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	pool = fetch_pool_new(&loop);
	pki = pki_make(PKI_EC);
	says.leaf = pki.leaf.cert;
	unauthorized = ocsp_answer(&pki, &says);
	script_init(&servers[0]);
	script_init(&servers[1]);
	ends = 0;
	steps = 0;
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	script_stop(&servers[0]);
	script_stop(&servers[1]);
	buf_done(&unauthorized);
	pki_done(&pki);
	fetch_pool_free(pool);
	loop_end(&loop);
	return 0;
}

static void
progressed(void *cookie, size_t done, size_t all, const char *latest)
{
	(void)cookie;
	assert_int_equal(done, ++steps);
	assert_true(done <= all && latest[0] != '\0');
	step_count = all;
}

static void
ended(void *cookie, const struct survey_result *result)
{
	assert_ptr_equal(cookie, &loop);
	assert_non_null(survey); /* never from within the start */
	ends++;
	count = result->count;
	parties = result->party_count;
	for (size_t i = 0; i < count && i < MANY; i++) {
		const struct survey_responder *r = &result->responders[i];

		verdicts[i] = r->verdict;
		tries[i] = r->try_count;
		if (r->try_count > 0)
			first_try[i] = r->tries[0];
		leads[i] =
		    r->road_count > 0 ? r->roads[0].leads : SURVEY_UNTRIED;
		assert_non_null(r->sentence);
	}
	uv_stop(&loop);
}

static void
start(const struct survey_question *questions, size_t n,
    const struct acquire_options *options)
{
	static const struct survey_callbacks callbacks = {
	    .progress = progressed, .end = ended};

	survey =
	    survey_start(&loop, pool, questions, n, options, &callbacks, &loop);
	assert_int_equal(ends, 0);
}

static void
run(const struct survey_question *questions, size_t n, int64_t timeout_ms)
{
	const struct acquire_options options = {
	    .ask_system = true, .timeout_ms = timeout_ms};

	start(questions, n, &options);
	loop_run(&loop);
	assert_int_equal(ends, 1);
}

static const char *
url_of(const struct script *server, const char *path, char out[URL_TEXT])
{
	(void)snprintf(
	    out, URL_TEXT, "http://127.0.0.1:%d%s", server->port, path);
	return out;
}

static void
serve(size_t which, enum script_manner manner, const struct buf *answer)
{
	assert_true(script_start(&servers[which], &loop, "127.0.0.1", 0, manner,
	    answer->text, answer->len));
}

static void
test_answers(void **state)
{
	char url[URL_TEXT];
	struct survey_question question = {.url = url};

	(void)state;
	serve(0, SCRIPT_CLOSE, &unauthorized);
	(void)url_of(&servers[0], "/", url);
	run(&question, 1, 5000);
	assert_int_equal(verdicts[0], SURVEY_ANSWERS);
	assert_int_equal(leads[0], SURVEY_ANSWERED);
	assert_int_equal(tries[0], 1);
	assert_int_equal(first_try[0].err.reason, REASON_STATUS_UNAUTHORIZED);
	assert_true(first_try[0].connect_ms >= 0 &&
		    first_try[0].answer_ms >= first_try[0].connect_ms);
	assert_int_equal(servers[0].requests, 1); /* nothing twice */
	assert_true(steps == 1 && step_count == 1 && parties == 0);
}

/* Two URLs of one host: one look-up, each asked. */
static void
test_two_urls_of_a_host(void **state)
{
	char a[URL_TEXT], b[URL_TEXT];
	struct survey_question questions[] = {{.url = a}, {.url = b}};

	(void)state;
	serve(0, SCRIPT_CLOSE, &unauthorized);
	serve(1, SCRIPT_RESET, &(struct buf){.text = (char *)(uintptr_t) ""});
	(void)url_of(&servers[0], "/a", a);
	(void)url_of(&servers[1], "/b", b);
	run(questions, 2, 5000);
	assert_int_equal(count, 2);
	assert_int_equal(verdicts[0], SURVEY_ANSWERS);
	assert_int_equal(verdicts[1], SURVEY_NO_ANSWER);
	assert_int_equal(first_try[1].err.reason, REASON_HTTP_RESET);
	assert_true(steps == 1 && step_count == 1);
}

static void
test_certificate(void **state)
{
	static const struct {
		const char *name;
		struct ocsp_answer says;
		enum survey_grade grade;
		enum survey_verdict verdict;
	} rows[] = {
	    {"good", {0}, SURVEY_PROVEN, SURVEY_ANSWERS},
	    {"revoked is proven too", {.says = CERT_REVOKED}, SURVEY_PROVEN,
		SURVEY_ANSWERS},
	    {"a flipped bit is an answer of somebody",
		{.forgery = PKI_FLIP_SIGNATURE}, SURVEY_ANSWERED,
		SURVEY_ANSWERS},
	    {"tryLater", {.status = 3}, SURVEY_ANSWERED, SURVEY_ANSWERS},
	    {"HTML", {.content_type = "text/html", .body = "<html>"},
		SURVEY_FAILED, SURVEY_NO_ANSWER},
	    {"nothing", {.body = ""}, SURVEY_FAILED, SURVEY_NO_ANSWER},
	    {"half of one", {.body = "0\x82"}, SURVEY_FAILED, SURVEY_NO_ANSWER},
	    {"500", {.http = 500}, SURVEY_FAILED, SURVEY_NO_ANSWER},
	};
	char url[URL_TEXT];
	struct survey_question question = {.url = url,
	    .leaf = pki.leaf.cert,
	    .issuer = pki.issuer.cert,
	    .policy = verify_policy_default(PKI_NOW)};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ocsp_answer says = rows[i].says;
		struct buf answer;

		says.leaf = pki.leaf.cert;
		answer = ocsp_answer(&pki, &says);
		serve(0, SCRIPT_CLOSE, &answer);
		(void)url_of(&servers[0], "/", url);
		ends = 0;
		steps = 0;
		run(&question, 1, 5000);
		script_stop(&servers[0]);
		buf_done(&answer);
		if (first_try[0].grade != rows[i].grade ||
		    verdicts[0] != rows[i].verdict)
			fail_msg("%s: %s, %s", rows[i].name,
			    survey_grade_name(first_try[0].grade),
			    reason_name(first_try[0].err.reason));
	}
}

/* I5: what hangs costs its host's time, and says where it hung. */
static void
test_deadline(void **state)
{
	char a[URL_TEXT], b[URL_TEXT];
	struct survey_question questions[] = {{.url = a}, {.url = b}};
	int64_t started = clock_mono_ms();

	(void)state;
	serve(0, SCRIPT_HANG, &unauthorized);
	serve(1, SCRIPT_FULL, &unauthorized);
	(void)url_of(&servers[0], "/", a);
	(void)url_of(&servers[1], "/", b);
	run(questions, 2, SHORT_MS);
	assert_true(clock_mono_ms() - started < SHORT_MS + 1000);
	assert_int_equal(first_try[0].err.reason, REASON_HTTP_TIMEOUT);
	assert_int_equal(first_try[1].err.reason, REASON_CONNECT_TIMEOUT);
	assert_true(first_try[1].connect_ms == -1);
	assert_int_equal(verdicts[0], SURVEY_NO_ANSWER);
}

/* More hosts than are surveyed at once, all but one of which are dead. */
static void
test_many(void **state)
{
	char urls[MANY][URL_TEXT];
	struct survey_question questions[MANY];

	(void)state;
	serve(0, SCRIPT_CLOSE, &unauthorized);
	serve(1, SCRIPT_CLOSE, &unauthorized);
	script_stop(&servers[1]); /* its port is free now */
	for (size_t i = 0; i < MANY; i++) {
		(void)snprintf(urls[i], URL_TEXT, "http://127.0.0.%zu:%d/",
		    i + 1, i == 0 ? servers[0].port : servers[1].port);
		questions[i] = (struct survey_question){.url = urls[i]};
	}
	run(questions, MANY, 5000);
	assert_true(count == MANY && steps == MANY && step_count == MANY);
	assert_int_equal(verdicts[0], SURVEY_ANSWERS);
	for (size_t i = 1; i < MANY; i++)
		assert_int_equal(
		    first_try[i].err.reason, REASON_CONNECT_REFUSED);
}

/* An address is its own answer: no resolver hears of it. */
static void
test_address_asks_nobody(void **state)
{
	struct resolver resolver = {0};
	struct acquire_options options = {.ask_system = true,
	    .resolvers = &resolver,
	    .resolver_count = 1,
	    .family = RESOLVER_IPV6,
	    .timeout_ms = 5000};
	struct survey_question question = {.url = "http://127.0.0.1:9/"};

	(void)state;
	assert_int_equal(resolver_parse("198.51.100.53", &resolver, NULL), 0);
	start(&question, 1, &options);
	loop_run(&loop);
	/* and of the family that is not wanted there is none */
	assert_int_equal(verdicts[0], SURVEY_NO_ADDRESS);
	assert_true(parties == 0 && tries[0] == 0);
}

static void
test_nothing_to_do(void **state)
{
	(void)state;
	run(NULL, 0, 5000);
	assert_true(count == 0 && steps == 0);
}

static void
cancel(void *cookie)
{
	(void)cookie;
	survey_cancel(&survey);
	assert_null(survey);
	uv_stop(&loop);
}

/* ^C and the like: silence, and no leak. */
static void
test_cancel(void **state)
{
	const struct acquire_options options = {
	    .ask_system = true, .timeout_ms = 5000};
	char url[URL_TEXT];
	struct survey_question questions[] = {
	    {.url = url}, {.url = "http://localhost:9/"}};
	struct loop_timer *timer;

	(void)state;
	serve(0, SCRIPT_HANG, &unauthorized);
	(void)url_of(&servers[0], "/", url);
	start(questions, 2, &options);
	survey_cancel(&survey); /* before the first turn */
	start(questions, 2, &options);
	timer = loop_timer_start(&loop, 50, cancel, NULL);
	loop_run(&loop);
	(void)timer;
	assert_int_equal(ends, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_answers, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_two_urls_of_a_host, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_certificate, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_deadline, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_many, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_address_asks_nobody, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_nothing_to_do, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_cancel, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
