/* SPDX-License-Identifier: ISC */
/* test_private.c -- acquire/private: whose word is good for which address. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "acquire/acquire.h"
#include "acquire/private.h"
#include "base/err.h"
#include "base/sockaddr.h"

static const struct {
	const char *address;
	bool is_private;
} addresses[] = {
    /* each range, its edges, and what lies just outside */
    {"0.0.0.0", true},
    {"0.255.255.255", true},
    {"1.0.0.0", false},
    {"9.255.255.255", false},
    {"10.0.0.0", true},
    {"10.255.255.255", true},
    {"11.0.0.0", false},
    {"100.63.255.255", false},
    {"100.64.0.0", true},
    {"100.127.255.255", true},
    {"100.128.0.0", false},
    {"126.255.255.255", false},
    {"127.0.0.1", true},
    {"127.255.255.255", true},
    {"128.0.0.0", false},
    {"169.253.255.255", false},
    {"169.254.169.254", true},
    {"169.255.0.0", false},
    {"172.15.255.255", false},
    {"172.16.0.0", true},
    {"172.31.255.255", true},
    {"172.32.0.0", false},
    {"192.0.0.1", true},
    {"192.0.1.0", false},
    {"192.167.255.255", false},
    {"192.168.0.0", true},
    {"192.168.255.255", true},
    {"192.169.0.0", false},
    {"198.17.255.255", false},
    {"198.18.0.0", true},
    {"198.19.255.255", true},
    {"198.20.0.0", false},
    {"223.255.255.255", false},
    {"224.0.0.1", true},
    {"239.255.255.255", true},
    {"240.0.0.1", true},
    {"255.255.255.255", true},
    {"192.0.2.1", false},
    {"8.8.8.8", false},
    {"::", true},
    {"::1", true},
    {"::2", true}, /* compatible with 0.0.0.2 */
    {"::8.8.8.8", false},
    {"::10.0.0.1", true},
    {"::ffff:8.8.8.8", false},
    {"::ffff:127.0.0.1", true},
    {"::ffff:192.168.1.1", true},
    {"64:ff9b::8.8.8.8", false},
    {"64:ff9b::10.1.2.3", true},
    {"64:ff9b:1::8.8.8.8", true},
    {"64:ff9b:2::10.1.2.3", false},
    {"2002:0a00:0001::1", true},
    {"2002:0808:0808::1", false},
    {"fbff::1", false},
    {"fc00::1", true},
    {"fdff:ffff::1", true},
    {"fe00::1", false},
    {"fe7f::1", false},
    {"fe80::1", true},
    {"febf::1", true},
    {"fec0::1", true},
    {"feff::1", true},
    {"ff02::1", true},
    {"2001:db8::1", false},
    {"2606:4700::1111", false},
    /* what is no address is none */
    {"", false},
    {"localhost", false},
    {"10.0.0", false},
    {"10.0.0.1.", false},
    {"[::1]", false},
    {"fe80::1%lo", false},
};

static void
test_addresses(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		const char *text = addresses[i].address;
		struct sockaddr_storage address = {0};

		if (private_is_address(text) != addresses[i].is_private)
			fail_msg("B13: %s is %sprivate", text,
			    addresses[i].is_private ? "" : "not ");
		if (sockaddr_make(text, 53, &address) &&
		    private_is_sockaddr(&address) != addresses[i].is_private)
			fail_msg("B13: as a sockaddr %s is %sprivate", text,
			    addresses[i].is_private ? "" : "not ");
	}
}

static const struct {
	const char *url;
	bool of_conf, is_near;
} resolvers[] = {
    {"system", false, true},
    {"udp://9.9.9.9", false, false},
    {"udp://9.9.9.9", true, true},
    {"udp://127.0.0.1:5353", false, true},
    {"udp://10.77.2.53", false, true},
    {"udp://[2620:fe::fe]", false, false},
    {"udp://[fd00::53]", false, true},
    {"tcp://192.168.1.1", false, true},
    {"tcp://9.9.9.9", false, false},
    {"tls://9.9.9.9#dns.example", false, false},
    {"tls://10.0.0.1#dns.example", false, true},
    {"https://dns.example/q#9.9.9.9", false, false},
    {"https://dns.example/q#10.0.0.1", false, true},
    /* one public address is enough: that one may have answered */
    {"https://dns.example/q#10.0.0.1,9.9.9.9", false, false},
    {"https://dns.example/q", false, false},
    {"https://127.0.0.1:8443/q", false, true},
    {"https://9.9.9.9/q", false, false},
};

static void
test_resolvers(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(resolvers) / sizeof(resolvers[0]); i++) {
		struct resolver r;
		struct err err = {0};

		if (resolver_parse(resolvers[i].url, &r, &err) == -1)
			fail_msg("%s: %s", resolvers[i].url, err.text);
		if (private_is_near(&r, resolvers[i].of_conf) !=
		    resolvers[i].is_near)
			fail_msg("B13: %s%s is %snear", resolvers[i].url,
			    resolvers[i].of_conf ? " of resolv.conf" : "",
			    resolvers[i].is_near ? "" : "not ");
	}
}

static void
test_nowhere(void **state)
{
	static const struct {
		const char *address;
		enum private_kind kind;
	} rows[] = {
	    {"169.254.169.254", PRIVATE_NOWHERE},
	    {"::ffff:169.254.169.254", PRIVATE_NOWHERE},
	    {"64:ff9b::169.254.169.254", PRIVATE_NOWHERE},
	    {"2002:a9fe:a9fe::1", PRIVATE_NOWHERE},
	    {"fe80::1", PRIVATE_NOWHERE},
	    {"0.0.0.0", PRIVATE_NOWHERE},
	    {"::", PRIVATE_NOWHERE},
	    {"224.0.0.1", PRIVATE_NOWHERE},
	    {"240.0.0.1", PRIVATE_NOWHERE},
	    {"255.255.255.255", PRIVATE_NOWHERE},
	    {"ff02::1", PRIVATE_NOWHERE},
	    {"169.253.255.255", PRIVATE_NOT},
	    {"169.255.0.0", PRIVATE_NOT},
	    {"127.0.0.1", PRIVATE_INSIDE},
	    {"::1", PRIVATE_INSIDE},
	    {"10.0.0.1", PRIVATE_INSIDE},
	    {"::ffff:10.0.0.1", PRIVATE_INSIDE},
	    {"fd00::1", PRIVATE_INSIDE},
	    {"192.0.2.1", PRIVATE_NOT},
	    {"fe80::1%lo", PRIVATE_NOT},
	    {"x", PRIVATE_NOT},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (private_kind(rows[i].address) != rows[i].kind)
			fail_msg("B13: %s is %d", rows[i].address,
			    (int)private_kind(rows[i].address));
	}
}

/* RFC 6761, 6762, 8375: names that nobody outside has to know of. */
static void
test_names(void **state)
{
	static const struct {
		const char *name;
		bool is_private;
	} names[] = {
	    {"ocsp", true},
	    {"ocsp.", true},
	    {"localhost", true},
	    {"a.localhost", true},
	    {"ca.local", true},
	    {"ca.LOCAL.", true},
	    {"ca.corp.internal", true},
	    {"ca.home.arpa", true},
	    {"", true},
	    {"ocsp.example.com", false},
	    {"ocsp.example.com.", false},
	    {"local.example", false},
	    {"notlocal", true},
	    {"ca.notlocal", false},
	    {"home.arpa.example", false},
	    {"1.0.168.192.in-addr.arpa", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (private_is_name(names[i].name) != names[i].is_private)
			fail_msg("'%s' is %sprivate", names[i].name,
			    names[i].is_private ? "" : "not ");
	}
}

static void
test_allowed(void **state)
{
	static const char *const hosts[] = {"ocsp.corp.test", "other.test"};
	struct acquire_options options = {0};

	(void)state;
	assert_false(private_is_allowed(&options, "ocsp.corp.test"));
	options.private_hosts = hosts;
	options.private_host_count = 2;
	assert_true(private_is_allowed(&options, "ocsp.corp.test"));
	assert_true(private_is_allowed(&options, "OTHER.test"));
	assert_false(private_is_allowed(&options, "corp.test"));
	assert_false(private_is_allowed(&options, "a.ocsp.corp.test"));
	assert_false(private_is_allowed(&options, "ocsp.corp.test.example"));
	assert_false(private_is_allowed(&options, ""));
	options.allow_private = true;
	assert_true(private_is_allowed(&options, "corp.test"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_addresses),
	    cmocka_unit_test(test_resolvers),
	    cmocka_unit_test(test_nowhere),
	    cmocka_unit_test(test_names),
	    cmocka_unit_test(test_allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
