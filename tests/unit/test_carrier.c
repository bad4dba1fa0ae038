/* SPDX-License-Identifier: ISC */
/* test_carrier.c -- http/carrier and http/multi: a handle and a connection that
 * are used again ask what new ones would, and hold nobody up meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "http/fetch.h"
#include "http_script.h"

static const char reply[] = "HTTP/1.1 200 OK\r\n"
			    "Content-Type: application/ocsp-response\r\n"
			    "Content-Length: 2\r\n\r\nok";

static uv_loop_t loop;
static struct script server;
static struct fetch_result result;

static void
fetched(void *cookie, const struct fetch_result *said)
{
	struct fetch **fetch = cookie;

	*fetch = NULL;
	result = *said;
	uv_stop(&loop);
}

static int
set_up(void **state)
{
	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	script_init(&server);
	assert_true(script_start(&server, &loop, "127.0.0.1", 0, SCRIPT_KEEP,
	    reply, sizeof(reply) - 1));
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	script_stop(&server);
	loop_end(&loop);
	return 0;
}

struct row {
	const char *authority; /* "%d" becomes the port */
	const char *path;
	const char *body; /* NULL: a GET */
	enum fetch_kind kind;
	bool no_cache, fresh;
	const char *first_line; /* "": nothing is sent */
};

static const struct row rows[] = {
    {"ocsp.test:%d", "/MEkw%2BRz//x", .first_line = "GET /MEkw%2BRz//x "},
    {"ocsp.test:%d", "/another", .first_line = "GET /another "},
    {"ocsp.test:%d", "/past", .no_cache = true, .first_line = "GET /past "},
    {"ocsp.test:%d", "/", .body = "req", .first_line = "POST / "},
    {"ocsp.test:%d", "/p", .body = "longer", .no_cache = true,
	.first_line = "POST /p "},
    {"ocsp.test:%d", "/q", .body = "dns", .kind = FETCH_DNS,
	.first_line = "POST /q "},
    {"ocsp.test:%d", "/alone", .fresh = true, .first_line = "GET /alone "},
    {"other.test:%d", "/another", .first_line = "GET /another "},
    {"[2001:db8::1]:%d", "/another", .first_line = "GET /another "},
    {"me:pw@ocsp.test:%d", "/u", .first_line = "GET /u "},
    {"ocsp.test:%d", "", .first_line = "GET / "},
    {"ocsp.test:%d", "?query", .first_line = "GET /?query "},
    {"ocsp.test:%d", "/x?a=/b?c", .first_line = "GET /x?a=/b?c "},
    {"ocsp.test:%d", "/x#fragment", .first_line = "GET /x "},
    {"ocsp.test:%d", "/x/../y/./z", .first_line = "GET /x/../y/./z "},
    /* nothing of a certificate's URL gets into the head */
    {"ocsp.test:%d", "/x HTTP/1.1\r\nEvil: yes\r\n\r\n", .first_line = ""},
    {"ocsp.test:%d", "/x\nEvil: yes", .first_line = ""},
    {"ocsp.test:%d", "/x\tEvil: yes", .first_line = ""},
    {"ocsp.test:%d\r\nEvil: yes", "/x", .first_line = ""},
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

/* What the server hears of ROW; owned. */
static char *
ask(struct fetch_pool *pool, const struct row *row)
{
	char authority[300];
	const char *port = strstr(row->authority, "%d");
	struct fetch *fetch = NULL;
	struct fetch_request request = {.kind = row->kind,
	    .host = "ocsp.test", /* as who has split the URL says */
	    .address = server.address,
	    .body = {(const uint8_t *)row->body,
		row->body == NULL ? 0 : strlen(row->body)},
	    .no_cache = row->no_cache,
	    .fresh = row->fresh,
	    .connect_ms = 20000,
	    .total_ms = 20000};
	char *url;

	(void)snprintf(authority, sizeof(authority), "%.*s%d%s",
	    (int)(port - row->authority), row->authority, server.port,
	    port + 2);
	request.url = url = mem_printf("http://%s%s", authority, row->path);
	server.request[0] = '\0';
	fetch = fetch_start(pool, &request, fetched, &fetch);
	loop_run(&loop);
	assert_null(fetch);
	free(url);
	return mem_string(server.request);
}

static void
test_after_any_other(void **state)
{
	struct fetch_pool *pool = fetch_pool_new(&loop);
	char *expected[ROWS];

	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		struct fetch_pool *anew = fetch_pool_new(&loop);

		expected[i] = ask(anew, &rows[i]);
		fetch_pool_free(anew);
		if (strncmp(expected[i], rows[i].first_line,
			strlen(rows[i].first_line)) != 0 ||
		    (rows[i].first_line[0] == '\0' && expected[i][0] != '\0'))
			fail_msg("%s: %s", rows[i].path, expected[i]);
		assert_null(strstr(expected[i], "Evil"));
	}
	for (size_t i = 0; i < ROWS; i++) {
		for (size_t k = 0; k < ROWS; k++) {
			char *before = ask(pool, &rows[i]);
			char *heard = ask(pool, &rows[k]);

			if (strcmp(heard, expected[k]) != 0)
				fail_msg("%s after %s:\n%s\nfor\n%s",
				    rows[k].path, rows[i].path, heard,
				    expected[k]);
			free(before);
			free(heard);
		}
	}
	for (size_t i = 0; i < ROWS; i++)
		free(expected[i]);
	fetch_pool_free(pool);
}

/* Of a handle that is used again each address is told: a wrong one is refused,
 * and none goes where the last one went. */
static void
test_each_address(void **state)
{
	static const char *const addresses[] = {
	    "127.0.0.1", "no address", "127.0.0.1", "", "127.0.0.1", NULL};
	struct fetch_pool *pool = fetch_pool_new(&loop);
	char *url = mem_printf("http://ocsp.test:%d/x", server.port);

	(void)state;
	for (size_t i = 0; i < sizeof(addresses) / sizeof(*addresses); i++) {
		bool good = i % 2 == 0;
		struct fetch *fetch = NULL;
		const struct fetch_request request = {.url = url,
		    .address = addresses[i],
		    .connect_ms = 20000,
		    .total_ms = 20000};

		fetch = fetch_start(pool, &request, fetched, &fetch);
		loop_run(&loop);
		assert_int_equal(result.stage == FETCH_DONE, good);
		if (!good)
			assert_int_equal(result.err.reason, REASON_UNREACHABLE);
	}
	assert_int_equal(server.requests, 3);
	assert_int_equal(server.accepted, 1);
	fetch_pool_free(pool);
	free(url);
}

/* A connection that nobody uses keeps no loop from ending, also when the server
 * closes it. */
static void
test_idle_keeps_nobody(void **state)
{
	struct fetch_pool *pool = fetch_pool_new(&loop);

	(void)state;
	free(ask(pool, &rows[0]));
	assert_int_equal(server.accepted, 1);
	script_stop(&server); /* whose sockets keep the loop, too */
	loop_run(&loop);
	fetch_pool_free(pool);
}

enum { TURNS_MAX = 50 };

static int turns;

static void
count_turn(uv_check_t *check)
{
	(void)check;
	turns++;
}

static void
stop(void *cookie)
{
	*(struct loop_timer **)cookie = NULL;
	uv_stop(&loop);
}

/* What comes on a connection that nobody uses is heard once, and not over and
 * over. */
static void
test_idle_wakes_nobody(void **state)
{
	struct fetch_pool *pool = fetch_pool_new(&loop);
	struct loop_timer *timer;
	static uv_check_t check; /* until the loop ends */

	(void)state;
	free(ask(pool, &rows[0]));
	script_stop(&server);
	assert_int_equal(uv_check_init(&loop, &check), 0);
	assert_int_equal(uv_check_start(&check, count_turn), 0);
	timer = loop_timer_start(&loop, 100, stop, &timer);
	loop_run(&loop);
	assert_in_range(turns, 1, TURNS_MAX);
	uv_close((uv_handle_t *)&check, NULL);
	fetch_pool_free(pool);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		test_after_any_other, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_each_address, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_idle_keeps_nobody, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_idle_wakes_nobody, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
