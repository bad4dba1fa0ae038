/* SPDX-License-Identifier: ISC */
/* test_acquire_roads.c -- acquire: proxies and upstreams among the roads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "acquire/acquire.h"
#include "base/err.h"
#include "http/fetch.h"
#include "ocsp_answer.h"
#include "pki/staple.h"
#include "socks_script.h"

#define HOST "ocsp.invalid"
#define NO_407 "HTTP/1.1 407 Who\r\nContent-Length: 0\r\n\r\n"
#define NO_500 "HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n"

static struct pki pki;
static struct buf genuine; /* a whole answer of HTTP */
static uv_loop_t loop;
static struct fetch_pool *pool;
static struct proxy_plan plan; /* large */
static struct acquire_pin pin = {.host = HOST, .address = "127.0.0.1"};
static struct acquire_options options;
static struct script direct, proxy;
static char url[64];

/* what came of it */
static struct {
	bool staple;
	struct err err;
	struct acquire_try tries[ACQUIRE_TRIES_MAX];
	size_t try_count;
	struct acquire_try winner;
	char parties[512];
} got;

static int
make_pki(void **state)
{
	(void)state;
	pki = pki_make(PKI_EC);
	genuine =
	    ocsp_answer(&pki, &(struct ocsp_answer){.leaf = pki.leaf.cert});
	return 0;
}

static int
drop_pki(void **state)
{
	(void)state;
	buf_done(&genuine);
	pki_done(&pki);
	return 0;
}

static int
set_up(void **state)
{
	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	pool = fetch_pool_new(&loop);
	memset(&plan, 0, sizeof(plan));
	memset(&got, 0, sizeof(got));
	script_init(&direct);
	script_init(&proxy);
	options = (struct acquire_options){.pins = &pin,
	    .pin_count = 1,
	    .proxies = &plan,
	    .family = RESOLVER_IPV4,
	    .timeout_ms = 10000};
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	script_stop(&direct);
	script_stop(&proxy);
	fetch_pool_free(pool);
	loop_end(&loop);
	return 0;
}

static void
acquired(void *cookie, struct acquire_result *result)
{
	size_t len = 0;

	(void)cookie;
	got.staple = result->staple != NULL;
	got.err = result->err;
	got.try_count = result->try_count;
	for (size_t i = 0; i < result->try_count; i++)
		got.tries[i] = result->tries[i];
	if (result->winner != NULL)
		got.winner = *result->winner;
	for (size_t i = 0; i < result->party_count; i++)
		len += (size_t)snprintf(got.parties + len,
		    sizeof(got.parties) - len, "%s ", result->parties[i]);
	staple_free(result->staple);
	uv_stop(&loop);
}

static void
serve(struct script *script, const void *reply, size_t len)
{
	assert_true(script_start(script, &loop, "127.0.0.1", 0,
	    reply == NULL ? SCRIPT_HANG : SCRIPT_CLOSE, reply, len));
}

static void
serve_genuine(struct script *script)
{
	serve(script, buf_text(&genuine), genuine.len);
}

/* Nobody listens there any more. */
static void
close_port(struct script *script)
{
	serve(script, "", 0);
	script_stop(script);
}

static void
go(void)
{
	const struct acquire_target target = {.leaf = pki.leaf.cert,
	    .issuer = pki.issuer.cert,
	    .url = url,
	    .policy = verify_policy_default(PKI_NOW)};

	(void)snprintf(url, sizeof(url), "http://" HOST ":%d/", direct.port);
	(void)acquire_start(&loop, pool, &target, &options, acquired, NULL);
	loop_run(&loop);
}

static void
take_proxy(const char *scheme, int port, struct proxy *out)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "%s://127.0.0.1:%d", scheme, port);
	assert_int_equal(0, proxy_parse(text, true, out, NULL));
}

static void
first_proxy(const char *scheme, int port)
{
	plan.has_http = true;
	take_proxy(scheme, port, &plan.http);
}

static void
last_proxy(const char *scheme, int port)
{
	take_proxy(scheme, port, &plan.last[plan.last_count++]);
}

static const struct acquire_try *
try_of(const char *source)
{
	for (size_t i = 0; i < got.try_count; i++) {
		if (strcmp(got.tries[i].source, source) == 0)
			return &got.tries[i];
	}
	fail_msg("nothing was tried by %s", source);
	return NULL;
}

static void
test_environment_first(void **state)
{
	(void)state;
	options.pin_count = 0;
	close_port(&direct);
	serve_genuine(&proxy);
	first_proxy("http", proxy.port);
	go();
	assert_true(got.staple);
	assert_int_equal(got.try_count, 1);
	assert_string_equal(got.winner.source, "proxy");
	assert_string_equal(got.winner.address, "");
	assert_string_equal(got.winner.proxy, plan.http.url);
	assert_non_null(strstr(got.parties, plan.http.url));
	assert_non_null(strstr(proxy.request, "GET http://" HOST));
}

/* What the environment names has a start, but no more than that. */
static void
test_first_fails(void **state)
{
	(void)state;
	serve_genuine(&direct);
	serve(&proxy, NO_407, strlen(NO_407));
	first_proxy("http", proxy.port);
	pin.address[0] = '\0'; /* no pin: the literal below leads there */
	options.pin_count = 0;
	options.ask_system = true;
	{
		const struct acquire_target target = {.leaf = pki.leaf.cert,
		    .issuer = pki.issuer.cert,
		    .url = url,
		    .policy = verify_policy_default(PKI_NOW)};

		(void)snprintf(
		    url, sizeof(url), "http://127.0.0.1:%d/", direct.port);
		(void)acquire_start(
		    &loop, pool, &target, &options, acquired, NULL);
		loop_run(&loop);
	}
	(void)snprintf(pin.address, sizeof(pin.address), "127.0.0.1");
	assert_true(got.staple);
	assert_string_equal(got.winner.source, "system");
	assert_string_equal(got.winner.address, "127.0.0.1");
	assert_int_equal(try_of("proxy")->err.reason, REASON_PROXY_FAILED);
	assert_string_equal(try_of("proxy")->address, "");
}

/* DESIGN: a road of the last classes. */
static void
test_last_class(void **state)
{
	(void)state;
	close_port(&direct);
	serve_genuine(&proxy);
	last_proxy("http", proxy.port);
	go();
	assert_true(got.staple);
	assert_string_equal(got.winner.source, "proxy");
	assert_int_equal(try_of("pin")->err.reason, REASON_CONNECT_REFUSED);
}

static void
test_not_bothered(void **state)
{
	(void)state;
	serve_genuine(&direct);
	serve_genuine(&proxy);
	last_proxy("http", proxy.port);
	go();
	assert_true(got.staple);
	assert_string_equal(got.winner.source, "pin");
	assert_int_equal(proxy.accepted, 0);
	assert_string_equal(got.parties, "");
}

/* One that hangs holds up nobody. */
static void
test_direct_hangs(void **state)
{
	(void)state;
	serve(&direct, NULL, 0);
	serve_genuine(&proxy);
	last_proxy("http", proxy.port);
	go();
	assert_true(got.staple);
	assert_string_equal(got.winner.source, "proxy");
	assert_true(try_of("pin")->cancelled);
}

static void
test_excluded(void **state)
{
	static const char *const ways[] = {"rule", "no_proxy"};

	for (size_t i = 0; i < 2; i++) {
		if (i > 0)
			(void)set_up(state);
		serve(&direct, NO_500, strlen(NO_500));
		serve_genuine(&proxy);
		first_proxy("http", proxy.port);
		last_proxy("http", proxy.port);
		if (strcmp(ways[i], "rule") == 0)
			plan.rules[plan.rule_count++] =
			    (struct proxy_rule){.host = HOST, .none = true};
		else
			(void)snprintf(
			    plan.skip, sizeof(plan.skip), "x,.invalid");
		go();
		assert_false(got.staple);
		assert_int_equal(got.err.reason, REASON_HTTP_STATUS);
		assert_int_equal(proxy.accepted, 0);
		if (i == 0)
			(void)tear_down(state);
	}
}

static void
test_all_fail(void **state)
{
	char where[ACQUIRE_WHERE_TEXT];

	(void)state;
	close_port(&direct);
	serve(&proxy, NO_407, strlen(NO_407));
	last_proxy("http", proxy.port);
	go();
	assert_false(got.staple);
	assert_int_equal(got.err.reason, REASON_PROXY_FAILED);
	assert_non_null(strstr(got.err.text, plan.last[0].url));
	(void)acquire_try_where(try_of("proxy"), where);
	assert_non_null(strstr(where, plan.last[0].url));
}

/* A lie by a proxy is a lie: I1. */
static void
test_proxy_lies(void **state)
{
	static const char html[] =
	    "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>";

	(void)state;
	close_port(&direct);
	serve(&proxy, html, sizeof(html) - 1);
	last_proxy("http", proxy.port);
	go();
	assert_false(got.staple);
	assert_int_equal(got.err.reason, REASON_NOT_OCSP);
	assert_non_null(strstr(got.err.text, plan.last[0].url));
}

static void
test_socks_with_our_addresses(void **state)
{
	struct socks socks = {
	    .answer = buf_text(&genuine), .answer_len = genuine.len};
	char destination[64];

	(void)state;
	close_port(&direct);
	socks_start(&socks);
	first_proxy("socks5", socks.port);
	go();
	socks_stop(&socks);
	assert_true(got.staple);
	assert_string_equal(got.winner.source, "proxy");
	assert_string_equal(got.winner.address, "127.0.0.1");
	assert_string_equal(got.winner.proxy, plan.http.url);
	(void)snprintf(
	    destination, sizeof(destination), "127.0.0.1:%d", direct.port);
	assert_string_equal(socks.destination, destination);
	/* the direct way was tried too */
	assert_int_equal(try_of("pin")->err.reason, REASON_CONNECT_REFUSED);
}

static void
test_socks_looks_up(void **state)
{
	struct socks socks = {
	    .answer = buf_text(&genuine), .answer_len = genuine.len};

	(void)state;
	options.pin_count = 0;
	close_port(&direct);
	socks_start(&socks);
	last_proxy("socks5h", socks.port);
	go();
	socks_stop(&socks);
	assert_true(got.staple);
	assert_string_equal(got.winner.address, "");
	assert_int_equal(0, strncmp(socks.destination, HOST ":", 13));
}

static void
test_upstream(void **state)
{
	char upstream[64];
	const char *list[] = {upstream};

	(void)state;
	options.ask_system = true; /* for the literal alone */
	options.upstreams = list;
	options.upstream_count = 1;
	close_port(&direct);
	serve_genuine(&proxy);
	(void)snprintf(
	    upstream, sizeof(upstream), "http://127.0.0.1:%d/ocsp", proxy.port);
	go();
	assert_true(got.staple);
	assert_string_equal(got.winner.source, "upstream");
	assert_string_equal(got.winner.address, "127.0.0.1");
	assert_string_equal(got.winner.url, upstream);
	assert_int_equal(got.winner.port, proxy.port);
	assert_non_null(strstr(got.parties, upstream));
	assert_int_equal(0, strncmp(proxy.request, "GET /ocsp/", 10));
	assert_int_equal(try_of("pin")->err.reason, REASON_CONNECT_REFUSED);
}

static void
test_upstream_waits_its_turn(void **state)
{
	char upstream[64];
	const char *list[] = {upstream};

	(void)state;
	options.upstreams = list;
	options.upstream_count = 1;
	serve_genuine(&direct);
	serve_genuine(&proxy);
	(void)snprintf(
	    upstream, sizeof(upstream), "http://127.0.0.1:%d/", proxy.port);
	go();
	assert_true(got.staple);
	assert_string_equal(got.winner.source, "pin");
	assert_int_equal(proxy.accepted, 0);
}

static void
test_cancel(void **state)
{
	const struct acquire_target target = {.leaf = pki.leaf.cert,
	    .issuer = pki.issuer.cert,
	    .url = url,
	    .policy = verify_policy_default(PKI_NOW)};
	struct acquire *a;

	(void)state;
	serve(&direct, NULL, 0);
	serve(&proxy, NULL, 0);
	first_proxy("http", proxy.port);
	(void)snprintf(url, sizeof(url), "http://" HOST ":%d/", direct.port);
	a = acquire_start(&loop, pool, &target, &options, acquired, NULL);
	while (proxy.requests == 0)
		(void)uv_run(&loop, UV_RUN_ONCE);
	acquire_cancel(&a);
	(void)uv_run(&loop, UV_RUN_NOWAIT);
	assert_int_equal(got.try_count, 0);
}

#define A_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    A_TEST(test_environment_first),
	    A_TEST(test_first_fails),
	    A_TEST(test_last_class),
	    A_TEST(test_not_bothered),
	    A_TEST(test_direct_hangs),
	    A_TEST(test_excluded),
	    A_TEST(test_all_fail),
	    A_TEST(test_proxy_lies),
	    A_TEST(test_socks_with_our_addresses),
	    A_TEST(test_socks_looks_up),
	    A_TEST(test_upstream),
	    A_TEST(test_upstream_waits_its_turn),
	    A_TEST(test_cancel),
	};

	return cmocka_run_group_tests(tests, make_pki, drop_pki);
}
