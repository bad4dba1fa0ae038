/* SPDX-License-Identifier: ISC */
/* test_dns64.c -- doctor/dns64: prefixes learnt of ipv4only.arpa, and what is
 * made by them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "doctor/dns64.h"
#include "doctor_facts.h"

/* 192.0.2.33 in each layout, as in RFC 6052, section 2.4 */
#define CLAIMED "ask udp://192.0.2.53 responder = 192.0.2.33\n"
#define IPV4ONLY(address) "ask system ipv4only AAAA = " address "\n"
#define OWN_64 IPV4ONLY("2001:db8:122:344:c0:0:aa00:0")
#define OWN_96 IPV4ONLY("2001:db8:122:344::c000:aa")

static const struct row {
	const char *name;
	const char *facts;
	const char *address;
	const char *made_of; /* "": it is not synthesised */
} rows[] = {
    {"/32", CLAIMED IPV4ONLY("2001:db8:c000:aa::"),
	"2001:db8:c000:221::", "192.0.2.33"},
    {"/40", CLAIMED IPV4ONLY("2001:db8:1c0:0:aa::"),
	"2001:db8:1c0:2:21::", "192.0.2.33"},
    {"/48", CLAIMED IPV4ONLY("2001:db8:122:c000:0:aa00::"),
	"2001:db8:122:c000:2:2100::", "192.0.2.33"},
    {"/56", CLAIMED IPV4ONLY("2001:db8:122:3c0:0:aa::"),
	"2001:db8:122:3c0:0:221::", "192.0.2.33"},
    {"/64", CLAIMED OWN_64, "2001:db8:122:344:c0:2:2100:0", "192.0.2.33"},
    {"/96", CLAIMED OWN_96, "2001:db8:122:344::c000:221", "192.0.2.33"},
    {"/96, the well-known prefix", CLAIMED IPV4ONLY("64:ff9b::c000:aa"),
	"64:ff9b::c000:221", "192.0.2.33"},
    {"/96 of unique local addresses", CLAIMED IPV4ONLY("fd00:64::c000:aa"),
	"fd00:64::c000:221", "192.0.2.33"},
    {"of the other well-known address, 192.0.0.171",
	CLAIMED IPV4ONLY("2001:db8:122:344::c000:ab"),
	"2001:db8:122:344::c000:221", "192.0.2.33"},
    {"beside the IPv4 addresses, as the system tells both",
	CLAIMED IPV4ONLY(
	    "192.0.0.170,192.0.0.171,2001:db8:122:344::c000:aa,2001:db8:122:"
	    "344::c000:ab"),
	"2001:db8:122:344::c000:221", "192.0.2.33"},
    {"two prefixes, the second", CLAIMED OWN_96 IPV4ONLY("fd00:64::c000:aa"),
	"fd00:64::c000:221", "192.0.2.33"},
    {"claimed for a later name of the chain",
	"ask udp://192.0.2.53 chain = 192.0.2.33\n" OWN_96,
	"2001:db8:122:344::c000:221", "192.0.2.33"},

    {"nobody asked for ipv4only.arpa", CLAIMED, "2001:db8:122:344::c000:221",
	""},
    {"the well-known prefix is not learnt of nothing", CLAIMED,
	"64:ff9b::c000:221", ""},
    {"no such name", CLAIMED "ask system ipv4only AAAA = nx\n",
	"2001:db8:122:344::c000:221", ""},
    {"no IPv6 address: no DNS64", CLAIMED IPV4ONLY("192.0.0.170,192.0.0.171"),
	"2001:db8:122:344::c000:221", ""},
    {"neither well-known address is in it: 192.0.0.172",
	CLAIMED IPV4ONLY("2001:db8:122:344::c000:ac"),
	"2001:db8:122:344::c000:221", ""},
    {"neither well-known address is in it: every name has this one",
	CLAIMED IPV4ONLY("2001:db8:122:344::c000:221"),
	"2001:db8:122:344::c000:221", ""},
    {"the well-known address is in no place of RFC 6052",
	CLAIMED IPV4ONLY("2001:db8:122:344:0:c000:aa:0"),
	"2001:db8:122:344:0:c000:221:0", ""},
    {"/64, but the octet u is not zero",
	CLAIMED IPV4ONLY("2001:db8:122:344:1c0:0:aa00:0"),
	"2001:db8:122:344:1c0:2:2100:0", ""},
    {"/32, but something is behind it", CLAIMED IPV4ONLY("2001:db8:c000:aa::1"),
	"2001:db8:c000:221::1", ""},
    {"an IPv4 address as IPv6 writes it",
	CLAIMED IPV4ONLY("::ffff:192.0.0.170"), "::ffff:192.0.2.33", ""},
    {"another IPv4 address, that nobody named", CLAIMED OWN_96,
	"2001:db8:122:344::c000:222", ""},
    {"that IPv4 address, claimed for another name",
	"ask udp://192.0.2.53 control = 192.0.2.33\n" OWN_96,
	"2001:db8:122:344::c000:221", ""},
    {"that IPv4 address, from elsewhere than was asked",
	"ask udp://192.0.2.53 responder = 192.0.2.33 elsewhere\n" OWN_96,
	"2001:db8:122:344::c000:221", ""},
    {"ipv4only.arpa, from elsewhere than was asked",
	CLAIMED
	"ask system ipv4only AAAA = 2001:db8:122:344::c000:aa elsewhere\n",
	"2001:db8:122:344::c000:221", ""},
    {"another prefix", CLAIMED OWN_96, "2001:db8:122:345::c000:221", ""},
    {"the prefix in the layout of another length", CLAIMED OWN_96,
	"2001:db8:122:344:c0:2:2100:0", ""},
    {"the IPv4 address itself", CLAIMED OWN_96, "192.0.2.33", ""},
    {"no address", CLAIMED OWN_96, "", ""},
};

static void
test_made_of(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		char out[INET_ADDRSTRLEN] = "unset";
		struct dns64_prefixes prefixes;
		struct facts facts;
		bool made;

		print_message("%s\n", row->name);
		facts_write(&facts, row->facts);
		dns64_learn_all(&facts, &prefixes);
		made = dns64_made_of(&prefixes, &facts, row->address, out);
		assert_string_equal(out, row->made_of);
		assert_int_equal(made, row->made_of[0] != '\0');
		facts_done(&facts);
	}
}

/* RFC 7050, section 3: there may be several; no more are kept than there is
 * room for, and each once. */
static void
test_many_prefixes(void **state)
{
	struct dns64_prefixes prefixes = {.count = 0};
	char address[64];

	(void)state;
	for (unsigned i = 1; i <= 3 * DNS64_PREFIXES_MAX; i++) {
		(void)snprintf(address, sizeof(address),
		    "2001:db8:%x::192.0.0.170", (i + 1) / 2);
		dns64_learn(&prefixes, address);
		assert_int_equal(prefixes.count, i < 2 * DNS64_PREFIXES_MAX
						     ? (i + 1) / 2
						     : DNS64_PREFIXES_MAX);
	}
	assert_int_equal(prefixes.items[0].bits, 96);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_made_of),
	    cmocka_unit_test(test_many_prefixes),
	};

	return cmocka_run_group_tests_name("doctor/dns64", tests, NULL, NULL);
}
