/* SPDX-License-Identifier: ISC */
/* test_ask.c -- doctor/ask: a question and every answer to it, as facts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "dns_script.h"
#include "doctor/ask.h"
#include "doctor_facts.h"

static uv_loop_t loop;
static struct dns_script server;
static struct facts facts;
static struct ask *running;
static int64_t patience_ms;
static int ends;

static void
ended(void *cookie)
{
	assert_ptr_equal(cookie, &loop);
	assert_non_null(running); /* never from within ask_start */
	running = NULL;
	ends++;
	uv_stop(&loop);
}

/* Ask URL, and wait for the end. */
static void
ask(const char *url, const char *name, enum dns_type type, unsigned manner,
    int64_t hold_ms)
{
	struct resolver resolver;
	struct ask_request request = {
	    .party = PARTY_RESOLVER,
	    .resolver = &resolver,
	    .name = name,
	    .role = ROLE_RESPONDER,
	    .type = type,
	    .manner = manner,
	    .repeat = 3,
	    .hold_ms = hold_ms,
	    .patience_ms = patience_ms,
	};
	struct err err = {0};

	assert_int_equal(resolver_parse(url, &resolver, &err), 0);
	if (resolver.kind == RESOLVER_SYSTEM)
		request.party = PARTY_SYSTEM;
	running =
	    ask_start(&loop, &facts, clock_mono_ms(), &request, ended, &loop);
	loop_run(&loop);
}

static void
ask_server(enum dns_type type, unsigned manner, int64_t hold_ms)
{
	char url[64];

	(void)snprintf(
	    url, sizeof(url), "udp://127.0.0.1:%d", dns_script_port(&server));
	ask(url, "ocsp.test", type, manner, hold_ms);
}

static void
start_answer(struct wire *wire, const struct dns_question *question)
{
	wire_start(wire, question->id, WIRE_RESPONSE);
	wire_question(wire, "ocsp.test", question->type);
}

static void
forge_then_tell(const struct dns_question *question)
{
	struct wire wire;

	start_answer(&wire, question);
	wire_address(&wire, "ocsp.test", "198.51.100.1");
	dns_script_send(question, &wire);
	wire_start(&wire, question->id, WIRE_RESPONSE);
	wire_count(&wire, 1); /* a record that is not there */
	dns_script_send(question, &wire);
	start_answer(&wire, question);
	wire_cname(&wire, "ocsp.test", "a.edge.test");
	wire_address(&wire, "a.edge.test", "192.0.2.1");
	wire_edns(&wire, 1232, 0);
	dns_script_send_later(question, &wire, 50);
}

static void
test_every_answer_is_a_fact(void **state)
{
	const struct fact_question *q;
	const struct fact_datagram *d;

	(void)state;
	assert_true(dns_script_start(&server, &loop, false, forge_then_tell));
	ask_server(DNS_A, 0, 200);
	assert_int_equal(facts.count, 4);
	q = &facts.items[0].u.question;
	assert_int_equal(facts.items[0].kind, FACT_QUESTION);
	assert_string_equal(facts.items[0].probe, "U");
	assert_int_equal(q->answers, 2);
	assert_int_equal(q->err.reason, REASON_NONE);
	assert_int_equal(q->repeat, 3);
	assert_string_equal(q->name, "ocsp.test");
	d = &facts.items[1].u.datagram;
	assert_int_equal(facts.items[1].kind, FACT_DATAGRAM);
	assert_string_equal(d->addresses[0], "198.51.100.1");
	assert_false(d->edns);
	assert_false(d->malformed);
	assert_true(facts.items[2].u.datagram.malformed);
	assert_false(facts.items[2].u.datagram.elsewhere);
	d = &facts.items[3].u.datagram;
	assert_int_equal(d->question, 0);
	assert_string_equal(d->chain[0], "a.edge.test");
	assert_string_equal(d->addresses[0], "192.0.2.1");
	assert_true(d->edns);
	assert_int_equal(d->ede, -1);
	assert_in_range(d->ip_ttl, 1, 255);
	assert_true(facts.items[3].at_ms >= 49);
}

static void
answer_txt_with_an_address(const struct dns_question *question)
{
	struct wire wire;

	start_answer(&wire, question);
	wire_address(&wire, "ocsp.test", "198.51.100.1");
	dns_script_send(question, &wire);
}

static void
test_impossible_answer(void **state)
{
	(void)state;
	assert_true(dns_script_start(
	    &server, &loop, false, answer_txt_with_an_address));
	ask_server(DNS_TXT, DNS_NO_RD, 50);
	assert_true(facts.items[0].u.question.no_rd);
	assert_true(facts.items[1].u.datagram.wrong_type);
}

static void
test_silence(void **state)
{
	(void)state;
	assert_true(dns_script_start(&server, &loop, false, NULL));
	/* long enough to be asked again, if it were */
	ask_server(DNS_A, 0, 1200);
	assert_int_equal(facts.count, 1);
	assert_int_equal(
	    facts.items[0].u.question.err.reason, REASON_DNS_NO_ANSWER);
	assert_int_equal(server.questions, 1);
}

static void
test_nobody_there(void **state)
{
	(void)state;
	assert_true(dns_script_start(&server, &loop, false, NULL));
	close(server.fd);
	loop_watch_cancel(&server.watch);
	server.fd = -1;
	ask_server(DNS_A, 0, 1000);
	assert_int_equal(
	    facts.items[0].u.question.err.reason, REASON_UNREACHABLE);
}

static void
test_system(void **state)
{
	(void)state;
	ask("system", "localhost", DNS_A, 0, 0);
	assert_int_equal(facts.count, 2);
	assert_int_equal(facts.items[0].u.question.party, PARTY_SYSTEM);
	assert_true(facts.items[1].u.datagram.address_count > 0);
}

static void
test_cancel(void **state)
{
	struct resolver resolver;
	const struct ask_request request = {.party = PARTY_DARK,
	    .resolver = &resolver,
	    .name = "ocsp.test",
	    .type = DNS_A};

	(void)state;
	assert_int_equal(
	    resolver_parse("udp://127.0.0.1:9", &resolver, NULL), 0);
	running = ask_start(&loop, &facts, 0, &request, ended, &loop);
	ask_cancel(&running);
	assert_null(running);
	ask_cancel(&running);
	loop_run(&loop);
	assert_int_equal(ends, 0);
	assert_string_equal(facts.items[0].probe, "N");
}

/* Beyond FACTS_MAX nothing is kept, and nothing else is overwritten. */
static void
test_full(void **state)
{
	(void)state;
	while (facts.count < FACTS_MAX)
		(void)facts_add(&facts, FACT_PEER, "L", 0);
	assert_true(dns_script_start(&server, &loop, false, forge_then_tell));
	ask_server(DNS_A, 0, 100);
	assert_int_equal(facts.count, FACTS_MAX);
	assert_int_equal(facts.items[FACTS_MAX - 1].kind, FACT_PEER);
	assert_true(facts.dropped > 0);
}

static void
answer_late(const struct dns_question *question)
{
	struct wire wire;

	start_answer(&wire, question);
	wire_address(&wire, "ocsp.test", "192.0.2.1");
	dns_script_send_later(question, &wire, 250);
}

/* NETWORK-TRUTH 1.3: who is slow is not silent; who is quick is not waited
 * for. */
static void
test_patience(void **state)
{
	int64_t began = clock_mono_ms();

	(void)state;
	patience_ms = 600;
	assert_true(dns_script_start(&server, &loop, false, answer_late));
	ask_server(DNS_A, 0, 100);
	assert_int_equal(facts.items[0].u.question.answers, 1);
	assert_true(clock_mono_ms() - began >= 600);
	dns_script_stop(&server);
	facts_done(&facts);
	patience_ms = 60000;
	assert_true(dns_script_start(&server, &loop, false, answer_late));
	ask_server(DNS_A, 0, 400);
	assert_int_equal(facts.items[0].u.question.answers, 1);
	patience_ms = 0;
}

static void
send_rubbish(const struct dns_question *question)
{
	struct wire wire;

	for (int i = 0; i < 200; i++) {
		wire_start(&wire, question->id, WIRE_RESPONSE);
		wire_count(&wire, 1); /* a record that is not there */
		dns_script_send(question, &wire);
	}
	start_answer(&wire, question);
	wire_address(&wire, "ocsp.test", "192.0.2.1");
	dns_script_send(question, &wire);
}

/* I5: rubbish has an end; the answer behind it is told. */
static void
test_rubbish(void **state)
{
	(void)state;
	assert_true(dns_script_start(&server, &loop, false, send_rubbish));
	ask_server(DNS_A, 0, 200);
	assert_int_equal(facts.count, 2 + ASK_STRAYS_MAX);
	assert_false(facts.items[facts.count - 1].u.datagram.malformed);
}

/* Answers leave room for what else is to be found. */
static void
test_room_is_left(void **state)
{
	(void)state;
	while (facts.count < FACTS_MAX - ASK_LEAVES)
		(void)facts_add(&facts, FACT_PEER, "L", 0);
	assert_true(dns_script_start(&server, &loop, false, forge_then_tell));
	ask_server(DNS_A, 0, 100);
	assert_int_equal(facts.count, FACTS_MAX - ASK_LEAVES + 1);
	assert_int_equal(facts.items[facts.count - 1].u.question.answers, 2);
}

/* NETWORK-TRUTH 4.2, 25: "somebody else answers" is not said of a resolver of
 * which one connection was cut. */
static void
test_failed_in_tls(void **state)
{
	struct resolver resolver;
	struct facts asked;

	(void)state;
	assert_int_equal(
	    resolver_parse("tls://192.0.2.101", &resolver, NULL), 0);
	facts_write(&asked, "ask tls://192.0.2.101 responder = tlsfail\n"
			    "ask tls://192.0.2.101 control = tlsfail\n"
			    "ask tls://192.0.2.102 control = 192.0.2.200\n");
	assert_true(ask_failed_in_tls(&asked, &resolver));
	facts_done(&asked);
	facts_write(&asked, "ask tls://192.0.2.101 responder = tlsfail\n"
			    "ask tls://192.0.2.101 control = 192.0.2.200\n");
	assert_false(ask_failed_in_tls(&asked, &resolver));
	facts_done(&asked);
	facts_write(&asked, "ask tls://192.0.2.101 responder = tlsfail\n"
			    "ask tls://192.0.2.101 control = timeout\n");
	assert_false(ask_failed_in_tls(&asked, &resolver));
	facts_done(&asked);
	facts_write(&asked, "input\n");
	assert_false(ask_failed_in_tls(&asked, &resolver));
	facts_done(&asked);
}

static int
set_up(void **state)
{
	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	server = (struct dns_script){.fd = -1};
	facts = (struct facts){0};
	ends = 0;
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	dns_script_stop(&server);
	loop_end(&loop);
	facts_done(&facts);
	return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_every_answer_is_a_fact),
	    TEST(test_impossible_answer),
	    TEST(test_silence),
	    TEST(test_nobody_there),
	    TEST(test_system),
	    TEST(test_cancel),
	    TEST(test_full),
	    TEST(test_patience),
	    TEST(test_rubbish),
	    TEST(test_failed_in_tls),
	    TEST(test_room_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
