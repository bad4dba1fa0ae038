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
#include "doctor/penalty_client.h"
#include "http/fetch.h"
#include "ocsp_answer.h"
#include "patience.h"

#include "own_pki.h"

enum { SLACK_MS = 400 };

static uv_loop_t loop;
static struct fetch_pool *pool;
static struct script server;
static struct dns_script names;
static struct resolver resolver;
static struct acquire_options options;
static bool outside;
static struct pki_party leaf;
static struct buf answer;

static struct penalty_probe *probe;
static int calls;
static struct penalty raw;
static struct penalty_one result; /* what Apple's clients would see of it */
static struct penalty_request request;

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
	request = (struct penalty_request){
	    .tries = 1, .try_ms = PENALTY_URL_MS, .apple_only = true};
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

/* What answers, once the leaf that it is about is there. */
static struct ocsp_answer spec;

static void
serve(enum script_manner manner, int http)
{
	spec = (struct ocsp_answer){.http = http};
	assert_true(
	    script_start(&server, &loop, "127.0.0.1", 0, manner, "", 0));
}

static void
make_leaf(const char *aia)
{
	leaf = ocsp_leaf(&pki, aia, server.port);
	buf_done(&answer);
	spec.leaf = leaf.cert;
	answer = ocsp_answer(&pki, &spec);
	server.reply = answer.text;
	server.reply_len = answer.len;
}

static void
measured(void *cookie, const struct penalty *penalty)
{
	assert_ptr_equal(cookie, &loop);
	assert_non_null(probe); /* never from within the start */
	calls++;
	raw = *penalty;
	penalty_one_try(penalty, &result);
	uv_stop(&loop);
}

static void
make_request(void)
{
	request.leaf = leaf.cert;
	request.issuer = pki.issuer.cert;
	request.options = &options;
	request.outside = outside;
	request.policy = verify_policy_default(PKI_NOW);
}

static void
measure(const struct resolver *by)
{
	options.resolvers = by;
	options.resolver_count = by == NULL ? 0 : 1;
	calls = 0;
	make_request();
	probe = penalty_start(&loop, pool, &request, measured, &loop);
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
		make_request();
		probe = penalty_start(&loop, pool, &request, measured, &loop);
		(void)patience_run(&loop, ms);
		penalty_cancel(&probe);
		assert_null(probe);
		penalty_cancel(&probe);
		assert_int_equal(calls, 0);
	}
}

/* --- many tries (NETWORK-TRUTH 4.4) --- */

/* 20 of each behaviour, each over a connection of its own, though the server
 * would keep the first one open. */
static void
test_cold_tries(void **state)
{
	char *close;

	(void)state;
	serve(SCRIPT_KEEP, 200);
	make_leaf("OCSP;URI:http://127.0.0.1:PORT/");
	close = strstr(answer.text, "Connection: close");
	assert_non_null(close);
	*close = 'x'; /* no such header: it would keep the connection */
	request.tries = PENALTY_TRIES;
	request.apple_only = false;
	request.try_ms = 0;
	measure(NULL);
	assert_int_equal(raw.row_count, 2);
	assert_false(raw.rows[0].post);
	assert_true(raw.rows[1].post);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(raw.rows[i].count, PENALTY_TRIES);
		for (size_t t = 0; t < PENALTY_TRIES; t++) {
			const struct penalty_try *try = &raw.rows[i].tries[t];

			assert_true(try->done && !try->cut);
			assert_int_equal(try->reason, REASON_NONE);
			assert_true(try->connect_ms >= 0);
			assert_true(try->connect_ms <= try->elapsed_ms);
		}
	}
	assert_int_equal(server.requests, 2 * PENALTY_TRIES);
	assert_int_equal(server.accepted, 2 * PENALTY_TRIES);
}

/* A GET URL too long for RFC 9919 is asked by POST alone: the same behaviour
 * for all clients is measured once. */
static void
test_long_url(void **state)
{
	(void)state;
	serve(SCRIPT_CLOSE, 200);
	make_leaf(
	    "OCSP;URI:http://127.0.0.1:PORT/"
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
	request.tries = 3;
	request.apple_only = false;
	measure(NULL);
	assert_int_equal(raw.row_count, 1);
	assert_true(raw.rows[0].post);
	assert_int_equal(server.requests, 3);
}

/* Tries that hang do so side by side, and the end cuts them. */
static void
test_hanging_tries(void **state)
{
	int64_t started = clock_mono_ms();
	size_t cut = 0;

	(void)state;
	serve(SCRIPT_HANG, 200);
	make_leaf("OCSP;URI:http://127.0.0.1:PORT/");
	request.tries = 12;
	request.try_ms = 0;
	request.until_ms = started + 1500;
	measure(NULL);
	assert_true(clock_mono_ms() - started < 1500 + SLACK_MS);
	for (size_t t = 0; t < raw.rows[0].count; t++)
		cut += raw.rows[0].tries[t].cut;
	assert_int_equal(cut, raw.rows[0].count);
	/* 4 at once, and 4 more every half second beside them */
	assert_true(cut > PENALTY_AT_ONCE);
	assert_int_equal(server.accepted, cut);
}

/* An answer that does not verify is none. */
static void
test_not_genuine(void **state)
{
	(void)state;
	serve(SCRIPT_CLOSE, 200);
	spec.forgery = PKI_FLIP_SIGNATURE;
	make_leaf("OCSP;URI:http://127.0.0.1:PORT/");
	measure(NULL);
	assert_int_equal(result.err.reason, REASON_BAD_SIGNATURE);
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
	    TEST(test_cold_tries),
	    TEST(test_long_url),
	    TEST(test_hanging_tries),
	    TEST(test_not_genuine),
	    TEST(test_cancel),
	};

	return cmocka_run_group_tests(tests, make_pki, free_pki);
}
