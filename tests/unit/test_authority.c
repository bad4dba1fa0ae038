/* SPDX-License-Identifier: ISC */
/* test_authority.c -- doctor/authority: whom the zones have, and asking them
 * (NETWORK-TRUTH 4.1, A).  What they say is for the lab: here nobody listens
 * at port 53. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

#include "base/clock.h"
#include "dns_script.h"
#include "doctor/authority.h"
#include "doctor_facts.h"
#include "patience.h"

static uv_loop_t loop;
static struct dns_script server;
static struct facts facts;
static struct authority *running;
static struct resolver resolver;
static int ends;

static int
set_up(void **state)
{
	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	ends = 0;
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	dns_script_stop(&server);
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

static void
look(const char *network, void (*reply)(const struct dns_question *question))
{
	facts_write(&facts, network);
	assert_true(dns_script_start(&server, &loop, false, reply));
	resolver = dns_script_resolver(&server, 0);
	running = authority_start(&loop, &facts, clock_mono_ms(),
	    "ocsp.ca.test", &resolver, 1, ended, &loop);
	loop_run(&loop);
	assert_int_equal(ends, 1);
}

/* How often the address was asked as an authority, of NAME by TRANSPORT. */
static size_t
asked(const char *transport, const char *address, const char *name)
{
	char url[64];
	size_t count = 0;

	(void)snprintf(url, sizeof(url), "%s://%s", transport, address);
	for (size_t i = 0; i < facts.count; i++) {
		const struct fact_question *q = &facts.items[i].u.question;

		count += facts.items[i].kind == FACT_QUESTION &&
			 q->party == PARTY_AUTHORITY &&
			 strcmp(q->asked, url) == 0 &&
			 strcmp(q->name, name) == 0;
	}
	return count;
}

static size_t
count_untested(void)
{
	size_t count = 0;

	for (size_t i = 0; i < facts.count; i++)
		count += facts.items[i].kind == FACT_UNTESTED;
	return count;
}

static void
name_servers(const struct dns_question *question)
{
	static const struct {
		const char *zone, *server, *address;
	} zones[] = {
	    {"test", "a.nic.test", "127.0.0.50"},
	    {"ca.test", "ns.ca.test", "127.0.0.51"},
	    {"cdn.test", "ns.up.test", "127.0.0.52"},
	    {"g.cdn.test", "ns.cdn.test", "127.0.0.53"},
	};
	struct wire wire;

	dns_begin(&wire, question, 0);
	for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++) {
		if (question->type == DNS_NS &&
		    strcasecmp(question->name, zones[i].zone) == 0) {
			wire_record(&wire, 1, question->name, DNS_NS, 1,
			    strlen(zones[i].server) + 2);
			wire_name(&wire, zones[i].server);
		}
		if (question->type == DNS_A &&
		    strcasecmp(question->name, zones[i].server) == 0)
			wire_address(&wire, question->name, zones[i].address);
	}
	dns_script_send(question, &wire);
}

/* Of both ends of the chain, the longest zone that has servers. */
static void
test_both_zones(void **state)
{
	(void)state;
	look("ask udp://192.0.2.53 responder ocsp.ca.test = >edge.mid.test "
	     ">a1.g.cdn.test 192.0.2.1\n",
	    name_servers);
	assert_int_equal(asked("udp", "127.0.0.51", "ocsp.ca.test"), 2);
	assert_int_equal(asked("tcp", "127.0.0.51", "ocsp.ca.test"), 1);
	assert_int_equal(asked("udp", "127.0.0.53", "a1.g.cdn.test"), 2);
	assert_int_equal(asked("tcp", "127.0.0.53", "a1.g.cdn.test"), 1);
	assert_int_equal(asked("udp", "127.0.0.52", "a1.g.cdn.test"), 0);
	assert_int_equal(asked("udp", "127.0.0.50", "ocsp.ca.test"), 0);
	assert_int_equal(count_untested(), 0);
	for (size_t i = 0; i < facts.count; i++) {
		const struct fact_question *q = &facts.items[i].u.question;

		if (facts.items[i].kind != FACT_QUESTION ||
		    q->party != PARTY_AUTHORITY)
			continue;
		assert_string_equal(facts.items[i].probe, "A");
		assert_int_equal(q->no_rd, strncmp(q->asked, "udp", 3) == 0);
	}
}

static void
deny(const struct dns_question *question)
{
	dns_deny(question, 3);
}

static void
test_nobody_knows(void **state)
{
	(void)state;
	look("input\n", deny);
	assert_int_equal(count_untested(), 1);
}

static void
no_address(const struct dns_question *question)
{
	struct wire wire;

	dns_begin(&wire, question, 0);
	if (question->type == DNS_NS) {
		wire_record(&wire, 1, question->name, DNS_NS, 1, 9);
		wire_name(&wire, "ns.test");
	}
	dns_script_send(question, &wire);
}

static void
test_servers_nowhere(void **state)
{
	(void)state;
	look("input\n", no_address);
	assert_int_equal(count_untested(), 1);
}

static void
test_cancel(void **state)
{
	(void)state;
	facts_write(&facts, "input\n");
	assert_true(dns_script_start(&server, &loop, false, name_servers));
	resolver = dns_script_resolver(&server, 0);
	for (int64_t ms = 0; ms < 60; ms += 20) {
		running = authority_start(&loop, &facts, clock_mono_ms(),
		    "ocsp.ca.test", &resolver, 1, ended, &loop);
		(void)patience_run(&loop, ms);
		authority_cancel(&running);
		assert_null(running);
		authority_cancel(&running);
	}
	assert_int_equal(ends, 0);
}

/* clang-format off */
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
/* clang-format on */

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_both_zones),
	    TEST(test_nobody_knows),
	    TEST(test_servers_nowhere),
	    TEST(test_cancel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
