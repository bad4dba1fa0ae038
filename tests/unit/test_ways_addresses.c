/* SPDX-License-Identifier: ISC */
/* test_ways_addresses.c -- doctor/ways_addresses: which addresses are tried. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "doctor/ways.h"
#include "doctor_facts.h"

static const struct acquire_options nothing;

/* What is chosen of NETWORK, between blanks. */
static const char *
choose(const char *network, const struct acquire_options *options)
{
	static char text[2048];
	struct ways_address list[WAYS_ADDRESSES_MAX];
	struct facts facts;
	size_t count, len = 0;

	facts_write(&facts, network);
	count = ways_choose(&facts, FACTS_HOST, options, list);
	text[0] = '\0';
	for (size_t i = 0; i < count; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s",
		    i == 0 ? "" : " ", list[i].address);
	facts_done(&facts);
	return text;
}

/* I5, NETWORK-TRUTH 1.1: injectors draw from pools of hundreds; what was asked
 * over TLS comes later, and is tried all the same. */
static void
test_forgers_leave_room(void **state)
{
	char network[4096];
	size_t len = 0;

	(void)state;
	for (int i = 0; i < 20; i++)
		len += (size_t)snprintf(network + len, sizeof(network) - len,
		    "ask udp://192.0.2.%d responder = 203.0.113.%d\n",
		    53 + i % 2, i);
	len += (size_t)snprintf(network + len, sizeof(network) - len,
	    "ask udp://192.0.2.55 responder = ");
	for (int i = 0; i < 16; i++)
		len += (size_t)snprintf(network + len, sizeof(network) - len,
		    "%s198.51.100.%d", i == 0 ? "" : ",", i);
	(void)snprintf(network + len, sizeof(network) - len,
	    "\nask system responder = 203.0.113.0,203.0.113.99\n"
	    "ask tls://192.0.2.101 responder = 192.0.2.1,192.0.2.2\n"
	    "book 192.0.2.3\npeer 192.0.2.4\n");
	assert_string_equal(choose(network, &nothing),
	    /* the first turn */
	    "203.0.113.0 192.0.2.3 192.0.2.1 203.0.113.1 203.0.113.2 "
	    "198.51.100.0 192.0.2.4 "
	    /* and those behind it */
	    "203.0.113.99 192.0.2.2 203.0.113.3 203.0.113.4 198.51.100.1 "
	    "203.0.113.5 203.0.113.6 198.51.100.2 203.0.113.7");
}

static void
test_who_counts(void **state)
{
	static const struct acquire_pin pins[] = {
	    {.host = "OCSP.ca.example", .address = "192.0.2.9"},
	    {.host = "other.example", .address = "192.0.2.8"}};
	const struct acquire_options options = {
	    .pins = pins, .pin_count = sizeof(pins) / sizeof(pins[0])};

	(void)state;
	/* of this host, and of the later names of its chain; each once */
	assert_string_equal(
	    choose("ask system responder = 192.0.2.1\n"
		   "ask udp://192.0.2.53 chain = 192.0.2.2,192.0.2.1\n"
		   "ask udp://192.0.2.53 control = 192.0.2.200\n"
		   "ask udp://192.0.2.53 responder txt = 192.0.2.201\n"
		   "ask udp://192.0.2.53 responder = 192.0.2.202 elsewhere\n"
		   "hosts " FACTS_HOST " 192.0.2.3\n",
		&options),
	    "192.0.2.9 192.0.2.1 192.0.2.3 192.0.2.2");
	assert_string_equal(
	    choose("ask system responder = silent\n", &nothing), "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_forgers_leave_room),
	    cmocka_unit_test(test_who_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
