/* SPDX-License-Identifier: ISC */
/* test_acquire.c -- acquire/acquire and acquire/race: from claims to one
 * verified staple, past forged and dead addresses.
 *
 * All of 127.0.0.0/8 is this machine, so that one port has many addresses. */
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
#include "base/mem.h"
#include "dns_script.h"
#include "http/fetch.h"
#include "ocsp_answer.h"
#include "patience.h"
#include "pki/request.h"
#include "pki/staple.h"

#include "own_pki.h"

enum {
	TIMEOUT_MS = 6000,
	SHORT_MS = 700,
	QUICK_MS = 1200, /* nobody has waited for what hangs (5000 ms) */
	PINS = 20,
	SERVERS = 18,
};

static uv_loop_t loop;
static struct fetch_pool *pool;
static struct pki_party leaf; /* with the URLs that a test wants */
static struct script servers[SERVERS];
static struct dns_script names, others;
static struct resolver resolver, resolvers[2];
static struct buf answers[SERVERS];
static struct acquire_pin pins[PINS];
static struct acquire_options options;
static struct acquire_target target;
static int port; /* of servers[0]; the others listen there too */

/* What came of it. */
static struct acquire *acquisition;
static int calls;
static struct acquire_result result;
static struct acquire_try tries[ACQUIRE_TRIES_MAX];
static struct acquire_try winner;
static bool won, cancel_in_callback;

static int
set_up(void **state)
{
	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	pool = fetch_pool_new(&loop);
	for (size_t i = 0; i < SERVERS; i++)
		script_init(&servers[i]);
	memset(&names, 0, sizeof(names));
	memset(&others, 0, sizeof(others));
	names.fd = others.fd = -1;
	options =
	    (struct acquire_options){.pins = pins, .timeout_ms = TIMEOUT_MS};
	target = (struct acquire_target){.issuer = pki.issuer.cert,
	    .policy = verify_policy_default(PKI_NOW)};
	port = 0;
	cancel_in_callback = false;
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	for (size_t i = 0; i < SERVERS; i++) {
		script_stop(&servers[i]);
		buf_done(&answers[i]);
	}
	dns_script_stop(&names);
	dns_script_stop(&others);
	if (leaf.cert != NULL)
		pki_party_done(&leaf);
	fetch_pool_free(pool);
	loop_end(&loop);
	return 0;
}

/* --- the scene --- */

/* A leaf with these AIA URLs, in which PORT is the servers' port. */
static void
make_leaf(const char *aia)
{
	if (leaf.cert != NULL)
		pki_party_done(&leaf);
	leaf = ocsp_leaf(&pki, aia, port);
	target.leaf = leaf.cert;
}

/* A response is for issuer and serial, and the serial is that of the name: it
 * holds for whatever leaf is made after it too. */
static void
serve(size_t i, const char *address, enum script_manner manner,
    struct ocsp_answer spec)
{
	if (leaf.cert == NULL)
		make_leaf("OCSP;URI:http://unused.test/");
	spec.leaf = leaf.cert;
	buf_done(&answers[i]);
	answers[i] = ocsp_answer(&pki, &spec);
	assert_true(script_start(&servers[i], &loop, address, port, manner,
	    answers[i].text, answers[i].len));
	port = servers[i].port;
}

static void
pin(const char *text)
{
	assert_true(options.pin_count < PINS);
	assert_int_equal(
	    acquire_pin_parse(text, &pins[options.pin_count++], NULL), 0);
}

static void
resolve_by(void (*reply)(const struct dns_question *question))
{
	assert_true(dns_script_start(&names, &loop, false, reply));
	resolver = dns_script_resolver(&names, SHORT_MS);
	options.resolvers = &resolver;
	options.resolver_count = 1;
}

static void
acquired(void *cookie, struct acquire_result *got)
{
	assert_ptr_equal(cookie, &loop);
	assert_non_null(acquisition); /* never from within the start */
	calls++;
	result = *got;
	assert_true(got->try_count <= ACQUIRE_TRIES_MAX);
	if (got->try_count > 0)
		memcpy(tries, got->tries, got->try_count * sizeof(tries[0]));
	won = got->winner != NULL;
	if (won) {
		winner = *got->winner;
		assert_true(got->winner >= got->tries &&
			    got->winner < got->tries + got->try_count);
	}
	/* the promises of acquire.h */
	if (got->staple != NULL)
		assert_true(
		    got->accepted && won && got->err.reason == REASON_NONE);
	assert_true(got->accepted || got->err.reason != REASON_NONE);
	staple_free(got->staple);
	if (cancel_in_callback)
		acquire_cancel(&acquisition);
	uv_stop(&loop);
}

static void
start(void)
{
	calls = 0;
	memset(&result, 0, sizeof(result));
	memset(&winner, 0, sizeof(winner));
	acquisition =
	    acquire_start(&loop, pool, &target, &options, acquired, &loop);
	assert_int_equal(calls, 0);
}

/* One acquisition; its callback comes exactly once. */
static void
acquire(void)
{
	start();
	loop_run(&loop);
	assert_int_equal(calls, 1);
	(void)patience_run(&loop, 20);
	assert_int_equal(calls, 1);
}

static void
expect_won(const char *address, const char *source)
{
	if (!won || result.staple == NULL)
		fail_msg("nothing was won: %s (%s)", result.err.text,
		    reason_name(result.err.reason));
	assert_string_equal(winner.address, address);
	assert_string_equal(winner.source, source);
	assert_int_equal(winner.port, port);
	assert_string_equal(winner.stage, "response");
	assert_int_equal(winner.err.reason, REASON_NONE);
	assert_false(winner.cancelled);
}

static void
expect_failed(enum reason reason, const char *text)
{
	assert_null(result.staple);
	assert_false(result.accepted);
	assert_false(won);
	if (result.err.reason != reason ||
	    strstr(result.err.text, text) == NULL)
		fail_msg("%s: %s, not %s", reason_name(result.err.reason),
		    result.err.text, reason_name(reason));
}

/* --- one address --- */

static void
test_one(void **state)
{
	(void)state;
	serve(0, "127.0.0.1", SCRIPT_CLOSE,
	    (struct ocsp_answer){.headers = "Cache-Control: max-age=99\r\n"});
	make_leaf("OCSP;URI:http://ocsp.test:PORT/");
	pin("ocsp.test=127.0.0.1");
	acquire();
	expect_won("127.0.0.1", "pin");
	assert_int_equal(result.try_count, 1);
	assert_string_equal(winner.method, "GET");
	assert_true(result.max_age_s == 99 && result.retry_after_s == -1);
	assert_true(text_starts(winner.url, "http://ocsp.test:"));
	assert_true(result.elapsed_ms >= winner.elapsed_ms);
	assert_int_equal(result.facts.status, CERT_GOOD);
}

static void
test_ipv6(void **state)
{
	struct script probe;

	(void)state;
	if (!script_start(&probe, &loop, "::1", 0, SCRIPT_CLOSE, "", 0))
		skip();
	script_stop(&probe);
	serve(0, "::1", SCRIPT_CLOSE, (struct ocsp_answer){0});
	make_leaf("OCSP;URI:http://[::1]:PORT/");
	options.ask_system = true; /* the address itself */
	acquire();
	expect_won("::1", "system");
}

/* B5, RFC 9919: GET up to 255 octets of the whole URL, then POST. */
static void
test_255(void **state)
{
	uint8_t *der;
	size_t len;
	char *base, *url;

	(void)state;
	serve(0, "127.0.0.1", SCRIPT_CLOSE, (struct ocsp_answer){0});
	make_leaf("OCSP;URI:http://ocsp.test:PORT/");
	pin("ocsp.test=127.0.0.1");
	assert_int_equal(
	    request_make(leaf.cert, pki.issuer.cert, &der, &len, NULL), 0);
	base = mem_printf("http://ocsp.test:%d/", port);
	url = request_get_url(base, der, len);
	assert_true(strlen(url) < REQUEST_GET_URL_MAX);
	for (size_t over = 0; over < 2; over++) {
		size_t pad = REQUEST_GET_URL_MAX + over - strlen(url) - 1;
		char *padded = mem_printf("%s%.*s/", base, (int)pad,
		    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");

		target.url = padded;
		acquire();
		expect_won("127.0.0.1", "pin");
		assert_string_equal(winner.method, over ? "POST" : "GET");
		free(padded);
	}
	target.url = NULL;
	free(der);
	free(base);
	free(url);
}

/* --- lies and dead ends --- */

static void
test_hanging_address_beside(void **state)
{
	(void)state;
	serve(0, "127.0.0.1", SCRIPT_CLOSE, (struct ocsp_answer){0});
	serve(1, "127.0.0.2", SCRIPT_FULL, (struct ocsp_answer){0});
	serve(2, "127.0.0.3", SCRIPT_HANG, (struct ocsp_answer){0});
	make_leaf("OCSP;URI:http://ocsp.test:PORT/");
	pin("ocsp.test=127.0.0.2");
	pin("ocsp.test=127.0.0.3");
	pin("ocsp.test=127.0.0.1");
	acquire();
	expect_won("127.0.0.1", "pin");
	assert_true(result.elapsed_ms < QUICK_MS);
	assert_int_equal(result.try_count, 3);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(tries[i].cancelled,
		    strcmp(tries[i].address, "127.0.0.1") != 0);
}

/* Eight forged addresses in the first datagram; the truth comes after. */
static void
forged_first(const struct dns_question *question)
{
	struct wire wire;

	dns_begin(&wire, question, 0);
	for (int i = 2; question->type == 1 && i < 10; i++) {
		char address[16];

		(void)snprintf(address, sizeof(address), "127.0.0.%d", i);
		wire_address(&wire, question->name, address);
	}
	dns_script_send(question, &wire);
	dns_begin(&wire, question, 0);
	if (question->type == 1)
		wire_address(&wire, question->name, "127.0.0.1");
	dns_script_send_later(question, &wire, 100);
}

/* The genuine datagram's address does not wait behind the forged ones. */
static void
test_forged_datagram_first(void **state)
{
	(void)state;
	serve(0, "127.0.0.1", SCRIPT_CLOSE, (struct ocsp_answer){0});
	for (size_t i = 1; i < 9; i++) {
		char address[16];

		(void)snprintf(address, sizeof(address), "127.0.0.%zu", i + 1);
		serve(i, address, SCRIPT_HANG, (struct ocsp_answer){0});
	}
	make_leaf("OCSP;URI:http://ocsp.test:PORT/");
	resolve_by(forged_first);
	acquire();
	expect_won("127.0.0.1", resolver.url);
	assert_true(result.elapsed_ms < QUICK_MS);
}

/* As many forged addresses as a message may have, and nobody there. */
static void
forged_many_first(const struct dns_question *question)
{
	struct wire wire;

	dns_begin(&wire, question, 0);
	for (int i = 1; question->type == 1 && i <= DNS_ADDRESSES_MAX; i++) {
		char address[16];

		(void)snprintf(address, sizeof(address), "127.0.9.%d", i);
		wire_address(&wire, question->name, address);
	}
	dns_script_send(question, &wire);
	dns_begin(&wire, question, 0);
	if (question->type == 1)
		wire_address(&wire, question->name, "127.0.0.1");
	dns_script_send_later(question, &wire, 100);
}

/* A list that is long leaves room for the genuine datagram behind it. */
static void
test_long_forgery_first(void **state)
{
	(void)state;
	serve(0, "127.0.0.1", SCRIPT_CLOSE, (struct ocsp_answer){0});
	make_leaf("OCSP;URI:http://ocsp.test:PORT/");
	resolve_by(forged_many_first);
	acquire();
	expect_won("127.0.0.1", resolver.url);
	assert_true(result.elapsed_ms < QUICK_MS);
}

/* A first URL of many dead addresses does not starve the second. */
static void
test_second_url(void **state)
{
	(void)state;
	serve(0, "127.0.0.1", SCRIPT_CLOSE, (struct ocsp_answer){0});
	for (size_t i = 1; i < 10; i++) {
		char address[16], text[48];

		(void)snprintf(address, sizeof(address), "127.0.0.%zu", i + 1);
		serve(i, address, SCRIPT_HANG, (struct ocsp_answer){0});
		(void)snprintf(text, sizeof(text), "dead.test=%s", address);
		if (i < 7)
			pin(text);
	}
	make_leaf("OCSP;URI:http://dead.test:PORT/,"
		  "OCSP;URI:ldap://not.ours/,OCSP;URI:http://well.test:PORT/");
	pin("well.test=127.0.0.1");
	acquire();
	expect_won("127.0.0.1", "pin");
	assert_non_null(strstr(winner.url, "well.test"));
	assert_true(result.elapsed_ms < 2 * QUICK_MS);
}

/* At once, when all of the first URL has failed. */
static void
test_second_url_after_refusal(void **state)
{
	(void)state;
	serve(0, "127.0.0.1", SCRIPT_CLOSE, (struct ocsp_answer){0});
	make_leaf("OCSP;URI:http://dead.test:PORT/,"
		  "OCSP;URI:http://well.test:PORT/");
	pin("dead.test=127.0.0.77"); /* nobody listens there */
	pin("well.test=127.0.0.1");
	acquire();
	expect_won("127.0.0.1", "pin");
	assert_int_equal(result.try_count, 2);
	assert_int_equal(tries[0].err.reason, REASON_CONNECT_REFUSED);
	assert_true(result.elapsed_ms < SHORT_MS);
}

static void
test_at_most_eight(void **state)
{
	(void)state;
	options.timeout_ms = 20000;
	for (size_t i = 0; i < 10; i++) {
		char address[16], text[48];

		(void)snprintf(address, sizeof(address), "127.0.0.%zu", i + 1);
		serve(i, address, SCRIPT_HANG, (struct ocsp_answer){0});
		(void)snprintf(text, sizeof(text), "ocsp.test=%s", address);
		pin(text);
	}
	make_leaf("OCSP;URI:http://ocsp.test:PORT/");
	start();
	(void)patience_run(&loop, SHORT_MS);
	for (size_t i = 0; i < 10; i++)
		assert_int_equal(
		    servers[i].accepted, i < ACQUIRE_RACE_MAX ? 1 : 0);
	acquire_cancel(&acquisition);
	assert_int_equal(calls, 0);
}

static void
says_127_0_0_1(const struct dns_question *question)
{
	dns_say(question, "127.0.0.1");
}

/* Addresses that take the connection and say nothing, as many as there are
 * places, do not hold them to the end. */
static void
test_silent_ones_give_way(void **state)
{
	(void)state;
	serve(0, "127.0.0.1", SCRIPT_CLOSE, (struct ocsp_answer){0});
	for (size_t i = 1; i < 10; i++) {
		char address[16], text[48];

		(void)snprintf(address, sizeof(address), "127.0.0.%zu", i + 1);
		serve(i, address, SCRIPT_HANG, (struct ocsp_answer){0});
		(void)snprintf(text, sizeof(text), "ocsp.test=%s", address);
		pin(text);
	}
	make_leaf("OCSP;URI:http://ocsp.test:PORT/");
	resolve_by(says_127_0_0_1);
	acquire();
	expect_won("127.0.0.1", resolver.url);
	assert_true(result.elapsed_ms < 4500);
}

/* As many answers as a source is heard with, each with an address that takes the
 * connection and says nothing. */
static void
forges_many(const struct dns_question *question)
{
	for (int i = 2; question->type == 1 && i < SERVERS; i++) {
		char address[16];

		(void)snprintf(address, sizeof(address), "127.0.0.%d", i);
		dns_say(question, address);
	}
}

static void
says_127_0_0_1_later(const struct dns_question *question)
{
	struct wire wire;

	dns_begin(&wire, question, 0);
	if (question->type == 1)
		wire_address(&wire, question->name, "127.0.0.1");
	dns_script_send_later(question, &wire, 200);
}

/* However much a liar says, who has said nothing yet is heard next. */
static void
test_voices_in_turn(void **state)
{
	(void)state;
	serve(0, "127.0.0.1", SCRIPT_CLOSE, (struct ocsp_answer){0});
	for (size_t i = 1; i < SERVERS - 1; i++) {
		char address[16];

		(void)snprintf(address, sizeof(address), "127.0.0.%zu", i + 1);
		serve(i, address, SCRIPT_HANG, (struct ocsp_answer){0});
	}
	make_leaf("OCSP;URI:http://ocsp.test:PORT/");
	resolve_by(forges_many);
	assert_true(
	    dns_script_start(&others, &loop, false, says_127_0_0_1_later));
	resolvers[0] = resolver;
	resolvers[1] = dns_script_resolver(&others, SHORT_MS);
	options.resolvers = resolvers;
	options.resolver_count = 2;
	acquire();
	expect_won("127.0.0.1", resolvers[1].url);
	assert_true(result.elapsed_ms < 4500);
}

/* --- failures, and which of them is told --- */

static const struct failure {
	const char *name;
	const char *first, *second; /* pins */
	struct ocsp_answer says;    /* at 127.0.0.1 */
	enum script_manner manner;
	enum reason reason;
	const char *text;
} failures[] = {
    {"refused", "ocsp.test=127.0.0.77", NULL, {0}, SCRIPT_CLOSE,
	REASON_CONNECT_REFUSED, "named by pin"},
    {"of equals the latest", "ocsp.test=127.0.0.77", "ocsp.test=127.0.0.78",
	{0}, SCRIPT_CLOSE, REASON_CONNECT_REFUSED, "127.0.0.78"},
    {"HTTP is further than connect", "ocsp.test=127.0.0.1",
	"ocsp.test=127.0.0.77", {.http = 503}, SCRIPT_CLOSE, REASON_HTTP_STATUS,
	"503"},
    {"whichever came first", "ocsp.test=127.0.0.77", "ocsp.test=127.0.0.1",
	{.http = 503}, SCRIPT_CLOSE, REASON_HTTP_STATUS, "503"},
    {"a response is further than connect", "ocsp.test=127.0.0.1",
	"ocsp.test=127.0.0.77", {.status = 3}, SCRIPT_CLOSE,
	REASON_STATUS_TRY_LATER, "from 127.0.0.1, named by pin"},
    {"C20", "ocsp.test=127.0.0.1", "ocsp.test=127.0.0.77",
	{.content_type = "text/html", .body = "<html>"}, SCRIPT_CLOSE,
	REASON_NOT_OCSP, "127.0.0.1"},
    {"C5", "ocsp.test=127.0.0.1", NULL, {.forgery = PKI_FLIP_SIGNATURE},
	SCRIPT_CLOSE, REASON_BAD_SIGNATURE, "127.0.0.1"},
    {"the whole hangs", "ocsp.test=127.0.0.1", "ocsp.test=127.0.0.77", {0},
	SCRIPT_HANG, REASON_HTTP_TIMEOUT, "127.0.0.1"},
    {"a black hole is no HTTP timeout", "ocsp.test=127.0.0.1", NULL, {0},
	SCRIPT_FULL, REASON_CONNECT_TIMEOUT, "127.0.0.1"},
    {"about to end: genuine, but no staple", "ocsp.test=127.0.0.1", NULL,
	{.this_update = PKI_NOW - 9 * CLOCK_DAY, .next_update = PKI_NOW + 60},
	SCRIPT_CLOSE, REASON_EXPIRED, "127.0.0.1"},
};

static void
test_failures(void **state)
{
	(void)state;
	options.timeout_ms = SHORT_MS;
	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
		const struct failure *row = &failures[i];

		print_message("    %s\n", row->name);
		script_stop(&servers[0]);
		port = 0;
		serve(0, "127.0.0.1", row->manner, row->says);
		options.pin_count = 0;
		pin(row->first);
		if (row->second != NULL)
			pin(row->second);
		make_leaf("OCSP;URI:http://ocsp.test:PORT/");
		acquire();
		expect_failed(row->reason, row->text);
		assert_true(result.elapsed_ms <= SHORT_MS + 200);
		for (size_t k = 0; k < result.try_count; k++)
			assert_int_not_equal(tries[k].err.reason, REASON_NONE);
	}
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
	acquire();
	expect_failed(REASON_DNS_NXDOMAIN, "ocsp.test");
	assert_int_equal(result.try_count, 1);
	assert_string_equal(tries[0].stage, "dns");
	assert_string_equal(tries[0].address, "");
	assert_string_equal(tries[0].source, resolver.url);
	/* an address that was tried is further than that */
	pin("ocsp.test=127.0.0.77");
	acquire();
	expect_failed(REASON_CONNECT_REFUSED, "127.0.0.77");
	/* nobody to ask at all */
	options.pin_count = options.resolver_count = 0;
	acquire();
	expect_failed(REASON_DNS_NO_ANSWER, "ocsp.test");
}

static void
test_nothing_to_ask_for(void **state)
{
	(void)state;
	pin("ocsp.test=127.0.0.77");
	make_leaf("caIssuers;URI:http://ca.test/");
	acquire();
	expect_failed(REASON_NO_OCSP_URL, "no OCSP responder");
	make_leaf("OCSP;URI:ldap://ocsp.test/");
	acquire();
	expect_failed(REASON_NO_OCSP_URL,
	    "that can be asked by http, only 'ldap://ocsp.test/'");
	target.url = "ftp://ocsp.test/";
	acquire();
	expect_failed(REASON_NO_OCSP_URL, "ftp://ocsp.test/");
	target.url = NULL;
	/* B10 */
	make_leaf("OCSP;URI:http://ocsp.test/");
	target.policy.now = leaf.cert->not_after + 1;
	acquire();
	expect_failed(REASON_CERTIFICATE_EXPIRED, "until");
	target.policy.now = leaf.cert->not_before - 1;
	acquire();
	expect_failed(REASON_CERTIFICATE_NOT_YET_VALID, "from");
	assert_int_equal(result.try_count, 0);
}

/* --- signed answers that are not good, or not the newest --- */

static void
test_final(void **state)
{
	static const enum cert_status statuses[] = {CERT_REVOKED, CERT_UNKNOWN};

	(void)state;
	make_leaf("OCSP;URI:http://unused.test/");
	serve(1, "127.0.0.2", SCRIPT_HANG, (struct ocsp_answer){0});
	for (size_t i = 0; i < 2; i++) {
		script_stop(&servers[0]);
		serve(0, "127.0.0.1", SCRIPT_CLOSE,
		    (struct ocsp_answer){.says = statuses[i]});
		options.pin_count = 0;
		pin("ocsp.test=127.0.0.2");
		pin("ocsp.test=127.0.0.1");
		make_leaf("OCSP;URI:http://ocsp.test:PORT/");
		acquire();
		assert_null(result.staple);
		assert_true(result.accepted && won);
		assert_int_equal(result.err.reason, REASON_NONE);
		assert_int_equal(result.facts.status, statuses[i]);
		assert_string_equal(winner.address, "127.0.0.1");
		assert_int_equal(servers[0].requests, 1); /* final */
	}
}

/* One that is about to end does not win over a newer one elsewhere. */
static void
test_old_one_beside_a_new_one(void **state)
{
	(void)state;
	serve(0, "127.0.0.1", SCRIPT_CLOSE,
	    (struct ocsp_answer){.this_update = PKI_NOW - 9 * CLOCK_DAY,
		.next_update = PKI_NOW + 60,
		.headers = "Retry-After: 9\r\n"});
	serve(1, "127.0.0.2", SCRIPT_CLOSE, (struct ocsp_answer){0});
	make_leaf("OCSP;URI:http://ocsp.test:PORT/");
	pin("ocsp.test=127.0.0.1");
	acquire();
	expect_failed(REASON_EXPIRED, "127.0.0.1");
	assert_int_equal(result.retry_after_s, 9);
	pin("ocsp.test=127.0.0.2");
	acquire();
	expect_won("127.0.0.2", "pin");
	assert_int_equal(result.retry_after_s, -1); /* the winner's */
	/* A14: nor one older than what is at hand over nothing */
	target.floor = PKI_NOW - 60;
	acquire();
	assert_null(result.staple);
	assert_int_equal(result.err.reason, REASON_OLDER_THAN_STORED);
}

/* --- its end --- */

static void
test_deadline(void **state)
{
	(void)state;
	options.timeout_ms = SHORT_MS;
	resolve_by(NULL); /* says nothing */
	resolver.hold_ms = 10 * SHORT_MS;
	make_leaf("OCSP;URI:http://ocsp.test/");
	acquire();
	expect_failed(REASON_DNS_NO_ANSWER, "ocsp.test");
	assert_true(result.elapsed_ms >= SHORT_MS - 20 &&
		    result.elapsed_ms < SHORT_MS + 300);
}

static void
test_cancel_in_the_callback(void **state)
{
	(void)state;
	serve(0, "127.0.0.1", SCRIPT_CLOSE, (struct ocsp_answer){0});
	make_leaf("OCSP;URI:http://ocsp.test:PORT/");
	pin("ocsp.test=127.0.0.1");
	cancel_in_callback = true;
	acquire();
	assert_null(acquisition);
	make_leaf("caIssuers;URI:http://ca.test/");
	acquire();
	assert_null(acquisition);
}

static void
test_cancel_at_any_time(void **state)
{
	(void)state;
	serve(0, "127.0.0.1", SCRIPT_DRIP, (struct ocsp_answer){0});
	make_leaf("OCSP;URI:http://ocsp.test:PORT/,"
		  "OCSP;URI:http://127.0.0.1:PORT/");
	resolve_by(forged_first);
	options.ask_system = true;
	pin("ocsp.test=127.0.0.1");
	pin("ocsp.test=127.0.0.77");
	for (int64_t ms = 0; ms < 1500; ms += 1 + ms / 4) {
		start();
		(void)patience_run(&loop, ms);
		acquire_cancel(&acquisition);
		assert_null(acquisition);
		acquire_cancel(&acquisition);
		(void)patience_run(&loop, 5);
		assert_int_equal(calls, 0);
	}
}

/* --- pins --- */

static void
test_pin_parse(void **state)
{
	static const struct {
		const char *text, *host, *address; /* host NULL: refused */
	} rows[] = {
	    {"ocsp.test=192.0.2.1", "ocsp.test", "192.0.2.1"},
	    {"a=::1", "a", "::1"},
	    {"h=2001:db8::192.0.2.1", "h", "2001:db8::192.0.2.1"},
	    {"", NULL, NULL},
	    {"=", NULL, NULL},
	    {"=192.0.2.1", NULL, NULL},
	    {"ocsp.test", NULL, NULL},
	    {"ocsp.test=", NULL, NULL},
	    {"ocsp.test=other.test", NULL, NULL},
	    {"ocsp.test=192.0.2.1=192.0.2.2", NULL, NULL},
	    {"ocsp.test=192.0.2.1:80", NULL, NULL},
	    {"ocsp.test=[::1]", NULL, NULL},
	    {"ocsp.test=192.0.2.256", NULL, NULL},
	    {"ocsp.test= 192.0.2.1", NULL, NULL},
	    {"ocsp.test=192.0.2.1 ", NULL, NULL},
	    {"ocsp.test=fe80::1%lo", NULL, NULL},
	    /* nobody asks for what is no host name: it would never count */
	    {"http://ocsp.test=192.0.2.1", NULL, NULL},
	    {"ocsp.test/=192.0.2.1", NULL, NULL},
	    {"ocsp.test:80=192.0.2.1", NULL, NULL},
	    {" ocsp.test=192.0.2.1", NULL, NULL},
	    {"OCSP_1.xn--a-b.test=192.0.2.1", "OCSP_1.xn--a-b.test",
		"192.0.2.1"},
	    {"ocsp.test=1111111111111111111111111111111111111111111111111111",
		NULL, NULL},
	};
	char long_host[400];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct acquire_pin got = {.host = "untouched"};
		struct err err = {0};
		int rc = acquire_pin_parse(rows[i].text, &got, &err);

		assert_int_equal(rc, rows[i].host == NULL ? -1 : 0);
		assert_string_equal(got.host,
		    rows[i].host == NULL ? "untouched" : rows[i].host);
		if (rc == 0)
			assert_string_equal(got.address, rows[i].address);
		else
			assert_int_equal(err.reason, REASON_USAGE);
	}
	memset(long_host, 'a', 255);
	memcpy(long_host + 255, "=192.0.2.1", sizeof("=192.0.2.1"));
	assert_int_equal(acquire_pin_parse(long_host, &pins[0], NULL), 0);
	memset(long_host, 'a', 256);
	memcpy(long_host + 256, "=192.0.2.1", sizeof("=192.0.2.1"));
	assert_int_equal(acquire_pin_parse(long_host, &pins[0], NULL), -1);
}

/* clang-format off */
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
/* clang-format on */

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_one),
	    TEST(test_ipv6),
	    TEST(test_255),
	    TEST(test_hanging_address_beside),
	    TEST(test_forged_datagram_first),
	    TEST(test_long_forgery_first),
	    TEST(test_second_url),
	    TEST(test_second_url_after_refusal),
	    TEST(test_at_most_eight),
	    TEST(test_silent_ones_give_way),
	    TEST(test_voices_in_turn),
	    TEST(test_failures),
	    TEST(test_no_address),
	    TEST(test_nothing_to_ask_for),
	    TEST(test_final),
	    TEST(test_old_one_beside_a_new_one),
	    TEST(test_deadline),
	    TEST(test_cancel_in_the_callback),
	    TEST(test_cancel_at_any_time),
	    TEST(test_pin_parse),
	};

	return cmocka_run_group_tests(tests, make_pki, free_pki);
}
