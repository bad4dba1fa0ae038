/* SPDX-License-Identifier: ISC */
/* test_penalty.c -- doctor/penalty: what a client waits without a staple. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "acquire/acquire.h"
#include "base/clock.h"
#include "dns_script.h"
#include "doctor/penalty.h"
#include "http/fetch.h"
#include "ocsp_answer.h"
#include "patience.h"

enum { SLACK_MS = 400 };

static uv_loop_t loop;
static struct fetch_pool *pool;
static struct script server;
static struct dns_script names;
static struct resolver resolver;
static struct acquire_options options;
static bool outside;
static struct pki pki;
static struct pki_party leaf;
static struct buf answer;

static struct penalty_probe *probe;
static int calls;
static struct penalty result;

static int
make_pki(void **state)
{
	(void)state;
	pki = pki_make(PKI_EC);
	return 0;
}

static int
free_pki(void **state)
{
	(void)state;
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
	memset(&names, 0, sizeof(names));
	names.fd = -1;
	options = (struct acquire_options){0};
	outside = false;
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	script_stop(&server);
	dns_script_stop(&names);
	buf_done(&answer);
	if (leaf.cert != NULL)
		pki_party_done(&leaf);
	fetch_pool_free(pool);
	loop_end(&loop);
	return 0;
}

static void
serve(enum script_manner manner, int http)
{
	struct ocsp_answer spec = {.leaf = pki.leaf.cert, .http = http};

	answer = ocsp_answer(&pki, &spec);
	assert_true(script_start(
	    &server, &loop, "127.0.0.1", 0, manner, answer.text, answer.len));
}

static void
make_leaf(const char *aia)
{
	leaf = ocsp_leaf(&pki, aia, server.port);
}

static void
measured(void *cookie, const struct penalty *penalty)
{
	assert_ptr_equal(cookie, &loop);
	assert_non_null(probe); /* never from within the start */
	calls++;
	result = *penalty;
	uv_stop(&loop);
}

static void
measure(const struct resolver *by)
{
	options.resolvers = by;
	options.resolver_count = by == NULL ? 0 : 1;
	calls = 0;
	probe = penalty_start(&loop, pool, leaf.cert, pki.issuer.cert, &options,
	    outside, measured, &loop);
	loop_run(&loop);
	assert_int_equal(calls, 1);
}

static void
test_answered(void **state)
{
	(void)state;
	serve(SCRIPT_CLOSE, 200);
	make_leaf("OCSP;URI:http://127.0.0.1:PORT/");
	measure(NULL);
	assert_int_equal(result.err.reason, REASON_NONE);
	assert_string_equal(result.address, "127.0.0.1");
	assert_true(result.wait_ms >= 0 && result.wait_ms < SLACK_MS);
	assert_non_null(strstr(result.url, "http://127.0.0.1:"));
	assert_non_null(strstr(server.request, "GET /"));
}

/* One URL after the other, until one answers. */
static void
test_next_url(void **state)
{
	(void)state;
	serve(SCRIPT_CLOSE, 200);
	make_leaf("OCSP;URI:http://127.0.0.77:PORT/,OCSP;URI:ldap://x/,"
		  "OCSP;URI:http://127.0.0.1:PORT/");
	measure(NULL);
	assert_int_equal(result.err.reason, REASON_NONE);
	assert_string_equal(result.address, "127.0.0.1");
}

static void
test_all_fail(void **state)
{
	(void)state;
	serve(SCRIPT_CLOSE, 500);
	make_leaf("OCSP;URI:http://127.0.0.1:PORT/,"
		  "OCSP;URI:http://127.0.0.77:PORT/");
	measure(NULL);
	assert_int_equal(result.err.reason, REASON_CONNECT_REFUSED);
	assert_string_equal(result.address, "127.0.0.77");
}

/* Apple's 3 s for each, and no more. */
static void
test_hangs(void **state)
{
	int64_t started = clock_mono_ms();

	(void)state;
	serve(SCRIPT_HANG, 200);
	make_leaf("OCSP;URI:http://127.0.0.1:PORT/");
	measure(NULL);
	assert_int_equal(result.err.reason, REASON_HTTP_TIMEOUT);
	assert_true(result.wait_ms >= PENALTY_URL_MS - 50 &&
		    result.wait_ms <= PENALTY_URL_MS);
	assert_true(clock_mono_ms() - started < PENALTY_URL_MS + SLACK_MS);
}

static void
resolve_by(void (*reply)(const struct dns_question *question))
{
	assert_true(dns_script_start(&names, &loop, false, reply));
	resolver = dns_script_resolver(&names, 0);
}

static void
lied_to(const struct dns_question *question)
{
	dns_say(question, "127.0.0.77");
	dns_say(question, "127.0.0.1");
}

static void
says_loopback(const struct dns_question *question)
{
	dns_say(question, "127.0.0.1");
}

/* A client believes the first datagram, as this does. */
static void
test_first_answer_believed(void **state)
{
	(void)state;
	serve(SCRIPT_CLOSE, 200);
	make_leaf("OCSP;URI:http://ocsp.test:PORT/");
	resolve_by(lied_to);
	measure(&resolver);
	assert_int_equal(result.err.reason, REASON_CONNECT_REFUSED);
	assert_string_equal(result.address, "127.0.0.77");
	assert_int_equal(server.requests, 0);
}

static void
says_nxdomain(const struct dns_question *question)
{
	dns_deny(question, 3);
}

static void
test_no_address(void **state)
{
	(void)state;
	make_leaf("OCSP;URI:http://ocsp.test/");
	resolve_by(says_nxdomain);
	resolver.hold_ms = 100;
	measure(&resolver);
	assert_int_equal(result.err.reason, REASON_DNS_NXDOMAIN);
	assert_string_equal(result.address, "");
	dns_script_stop(&names);
	resolve_by(NULL);
	resolver.hold_ms = 3 * PENALTY_URL_MS;
	measure(&resolver);
	assert_int_equal(result.err.reason, REASON_DNS_NO_ANSWER);
	assert_true(result.wait_ms == PENALTY_URL_MS);
}

static void
test_nobody_asks(void **state)
{
	(void)state;
	make_leaf("caIssuers;URI:http://ca.test/");
	measure(NULL);
	assert_int_equal(result.err.reason, REASON_NO_OCSP_URL);
	assert_true(result.wait_ms == 0);
	pki_party_done(&leaf);
	make_leaf("OCSP;URI:ldap://ocsp.test/");
	measure(NULL);
	assert_int_equal(result.err.reason, REASON_NO_OCSP_URL);
}

/* B13: the certificate of a server outside leads to nobody in this network,
 * by a literal or by a name, unless the operator allows it. */
static void
test_outside(void **state)
{
	static const char *const hosts[] = {"ocsp.test"};
	static const char *const uris[] = {"OCSP;URI:http://127.0.0.1:PORT/",
	    "OCSP;URI:http://ocsp.test:PORT/"};

	(void)state;
	serve(SCRIPT_CLOSE, 200);
	resolve_by(says_loopback);
	outside = true;
	for (size_t i = 0; i < 2; i++) {
		make_leaf(uris[i]);
		measure(&resolver);
		assert_int_equal(result.err.reason, REASON_UNREACHABLE);
		assert_non_null(strstr(result.err.text, "inside this network"));
		assert_string_equal(result.address, "127.0.0.1");
		assert_int_equal(server.accepted, 0);
		pki_party_done(&leaf);
	}
	options.private_hosts = hosts;
	options.private_host_count = 1;
	make_leaf("OCSP;URI:http://ocsp.test:PORT/,"
		  "OCSP;URI:http://127.0.0.1:PORT/");
	measure(&resolver);
	assert_int_equal(result.err.reason, REASON_NONE);
	assert_int_equal(server.accepted, 1);
	pki_party_done(&leaf);
	/* and for that host alone: here nothing listens at the first URL */
	make_leaf("OCSP;URI:http://ocsp.test:1/,"
		  "OCSP;URI:http://127.0.0.1:PORT/");
	measure(&resolver);
	assert_int_equal(result.err.reason, REASON_UNREACHABLE);
	assert_int_equal(server.accepted, 1);
	pki_party_done(&leaf);
	options.allow_private = true;
	make_leaf(uris[0]);
	measure(&resolver);
	assert_int_equal(result.err.reason, REASON_NONE);
}

static void
test_cancel(void **state)
{
	(void)state;
	serve(SCRIPT_HANG, 200);
	make_leaf("OCSP;URI:http://127.0.0.1:PORT/");
	for (int64_t ms = 0; ms < 60; ms += 10) {
		calls = 0;
		probe = penalty_start(&loop, pool, leaf.cert, pki.issuer.cert,
		    &options, false, measured, &loop);
		(void)patience_run(&loop, ms);
		penalty_cancel(&probe);
		assert_null(probe);
		penalty_cancel(&probe);
		assert_int_equal(calls, 0);
	}
}

/* clang-format off */
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
/* clang-format on */

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_answered),
	    TEST(test_next_url),
	    TEST(test_all_fail),
	    TEST(test_hangs),
	    TEST(test_first_answer_believed),
	    TEST(test_no_address),
	    TEST(test_nobody_asks),
	    TEST(test_outside),
	    TEST(test_cancel),
	};

	return cmocka_run_group_tests(tests, make_pki, free_pki);
}
