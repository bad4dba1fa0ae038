/* SPDX-License-Identifier: ISC */
/* test_split.c -- doctor/split: a request that no single segment holds
 * (NETWORK-TRUTH 4.1, H). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "doctor/split.h"
#include "http_script.h"
#include "patience.h"

static uv_loop_t loop;
static struct script server;
static struct facts facts;
static struct split *running;
static int ends;

static int
set_up(void **state)
{
	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	script_init(&server);
	ends = 0;
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	script_stop(&server);
	facts_done(&facts);
	loop_end(&loop);
	return 0;
}

static void
ended(void *cookie)
{
	assert_ptr_equal(cookie, &loop);
	assert_non_null(running); /* never from within the start */
	running = NULL;
	ends++;
	uv_stop(&loop);
}

static const struct fact_control *
ask(const char *url, const char *address)
{
	running = split_start(
	    &loop, &facts, clock_mono_ms(), url, address, ended, &loop);
	loop_run(&loop);
	assert_int_equal(ends, 1);
	assert_int_equal(facts.count, 1);
	assert_int_equal(facts.items[0].kind, FACT_CONTROL);
	assert_int_equal(facts.items[0].u.control.kind, CONTROL_SPLIT);
	return &facts.items[0].u.control;
}

static const struct fact_control *
ask_server(enum script_manner manner, const char *reply)
{
	const struct fact_control *c;
	char *url;

	assert_true(script_start(
	    &server, &loop, "127.0.0.1", 0, manner, reply, strlen(reply)));
	url = mem_printf("http://ocsp.test:%d/MEow", server.port);
	c = ask(url, "127.0.0.1");
	free(url);
	return c;
}

static void
test_answered(void **state)
{
	const struct fact_control *c =
	    ask_server(SCRIPT_CLOSE, "HTTP/1.1 200 OK\r\n\r\n");
	char host[64];

	(void)state;
	assert_int_equal(c->err.reason, REASON_NONE);
	assert_int_equal(c->http_status, 200);
	assert_string_equal(c->host, "ocsp.test");
	assert_string_equal(c->address, "127.0.0.1");
	/* the server has had the whole of it */
	assert_non_null(strstr(server.request, "GET /MEow HTTP/1.1\r\n"));
	(void)snprintf(
	    host, sizeof(host), "\r\nHost: ocsp.test:%d\r\n", server.port);
	assert_non_null(strstr(server.request, host));
}

/* What the peer holds when the first segment has come: not the name. */
static void
look_at_first(void *cookie)
{
	const struct script_peer *peer = server.peers[0];

	assert_non_null(peer);
	assert_true(peer->len > 0);
	assert_non_null(strstr(peer->request, "\r\nHost: ocsp"));
	assert_null(strstr(peer->request, "ocsp.test"));
	*(int *)cookie = 1;
}

static void
wait_for_first(void *cookie)
{
	if (server.peers[0] == NULL || server.peers[0]->len == 0)
		(void)loop_timer_start(&loop, 1, wait_for_first, cookie);
	else
		look_at_first(cookie);
}

static void
test_no_segment_has_the_name(void **state)
{
	int seen = 0;

	(void)state;
	(void)loop_timer_start(&loop, 0, wait_for_first, &seen);
	(void)ask_server(SCRIPT_CLOSE, "HTTP/1.0 404 No\r\n\r\n");
	assert_int_equal(seen, 1);
	assert_int_equal(facts.items[0].u.control.http_status, 404);
}

static void
test_bad(void **state)
{
	static const struct {
		const char *name;
		enum script_manner manner;
		const char *reply;
		enum reason reason;
	} rows[] = {
	    {"reset", SCRIPT_RESET, "", REASON_HTTP_RESET},
	    {"hangs up", SCRIPT_CLOSE, "", REASON_HTTP_RESET},
	    {"no HTTP", SCRIPT_CLOSE, "SSH-2.0-x\r\n", REASON_NOT_OCSP},
	    {"half a line", SCRIPT_CLOSE, "HTTP/1.", REASON_NOT_OCSP},
	    {"of the future", SCRIPT_CLOSE, "HTTP/3 200\r\n", REASON_NOT_OCSP},
	    {"silence", SCRIPT_HANG, "", REASON_HTTP_TIMEOUT},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct fact_control *c =
		    ask_server(rows[i].manner, rows[i].reply);

		if (c->err.reason != rows[i].reason)
			fail_msg("%s: %s", rows[i].name, c->err.text);
		assert_int_equal(c->http_status, 0);
		script_stop(&server);
		facts_done(&facts);
		ends = 0;
	}
}

static void
test_nobody_there(void **state)
{
	static const struct {
		const char *url, *address;
		enum reason reason;
	} rows[] = {
	    {"http://ocsp.test:1/", "127.0.0.77", REASON_CONNECT_REFUSED},
	    {"ldap://ocsp.test/", "127.0.0.1", REASON_UNREACHABLE},
	    {"http://ocsp.test/", "no address", REASON_UNREACHABLE},
	    {"", "127.0.0.1", REASON_UNREACHABLE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct fact_control *c =
		    ask(rows[i].url, rows[i].address);

		if (c->err.reason != rows[i].reason)
			fail_msg("row %zu: %s", i, c->err.text);
		facts_done(&facts);
		ends = 0;
	}
}

static void
test_cancel(void **state)
{
	char *url;

	(void)state;
	assert_true(
	    script_start(&server, &loop, "127.0.0.1", 0, SCRIPT_HANG, "", 0));
	url = mem_printf("http://ocsp.test:%d/", server.port);
	for (int64_t ms = 0; ms < 300; ms += 100) {
		running = split_start(&loop, &facts, clock_mono_ms(), url,
		    "127.0.0.1", ended, &loop);
		(void)patience_run(&loop, ms);
		split_cancel(&running);
		assert_null(running);
		split_cancel(&running);
	}
	free(url);
	assert_int_equal(ends, 0);
	assert_int_equal(facts.count, 0);
}

/* clang-format off */
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
/* clang-format on */

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_answered),
	    TEST(test_no_segment_has_the_name),
	    TEST(test_bad),
	    TEST(test_nobody_there),
	    TEST(test_cancel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
