/* SPDX-License-Identifier: ISC */
/* test_resolver_text.c -- resolvers as people write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "dns/resolver.h"

static void
test_good(void **state)
{
	static const struct {
		const char *text, *url;
		int family, port;
	} rows[] = {
	    {"192.0.2.1", "udp://192.0.2.1", AF_INET, 53},
	    {"192.0.2.1:53", "udp://192.0.2.1", AF_INET, 53},
	    {"192.0.2.1:5353", "udp://192.0.2.1:5353", AF_INET, 5353},
	    {"udp://192.0.2.1", "udp://192.0.2.1", AF_INET, 53},
	    {"udp://192.0.2.1:53", "udp://192.0.2.1", AF_INET, 53},
	    {"udp://192.0.2.1:65535", "udp://192.0.2.1:65535", AF_INET, 65535},
	    {"2001:db8::1", "udp://[2001:db8::1]", AF_INET6, 53},
	    {"2001:DB8:0::1", "udp://[2001:db8::1]", AF_INET6, 53},
	    {"[2001:db8::1]", "udp://[2001:db8::1]", AF_INET6, 53},
	    {"udp://[2001:db8::1]", "udp://[2001:db8::1]", AF_INET6, 53},
	    {"udp://[2001:db8::1]:53", "udp://[2001:db8::1]", AF_INET6, 53},
	    {"udp://[::1]:5353", "udp://[::1]:5353", AF_INET6, 5353},
	    {"udp://2001:db8::1", "udp://[2001:db8::1]", AF_INET6, 53},
	    {"fe80::1%lo", "udp://[fe80::1%lo]", AF_INET6, 53},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct resolver r;
		struct err err = {0};
		const struct sockaddr_in *v4 =
		    (const struct sockaddr_in *)&r.address;

		if (resolver_parse(rows[i].text, &r, &err) != 0)
			fail_msg("%s: %s", rows[i].text, err.text);
		assert_string_equal(r.url, rows[i].url);
		assert_int_equal(r.kind, RESOLVER_UDP);
		assert_int_equal(r.address.ss_family, rows[i].family);
		assert_int_equal(ntohs(v4->sin_port), rows[i].port);
		assert_int_equal(r.hold_ms, 0);
		/* canonical text is its own canonical text */
		assert_int_equal(0, resolver_parse(rows[i].url, &r, NULL));
		assert_string_equal(r.url, rows[i].url);
	}
}

static void
test_system(void **state)
{
	struct resolver r;

	(void)state;
	assert_int_equal(0, resolver_parse("system", &r, NULL));
	assert_int_equal(r.kind, RESOLVER_SYSTEM);
	assert_string_equal(r.url, "system");
}

static void
test_bad(void **state)
{
	static const char *const rows[] = {"", " ", "systemd", "system ",
	    "dns.example", "udp://", "udp://dns.example", "192.0.2",
	    "192.0.2.1.", "192.0.2.256", "192.0.2.1:", "192.0.2.1:0",
	    "192.0.2.1:65536", "192.0.2.1:-1", "192.0.2.1:53x",
	    "192.0.2.1:53:53", "192.0.2.1/24", " 192.0.2.1", "192.0.2.1 ",
	    "[192.0.2.1]", "[192.0.2.1]:53", "[2001:db8::1", "2001:db8::1]",
	    "[2001:db8::1]x", "[2001:db8::1]:", "[2001:db8::1]:99999", "[]",
	    "[", "]", ":", ":53", "2001:db8:::1", "1:2:3:4:5:6:7:8:9",
	    "fe80::1%", "fe80::1%nosuchinterface", "::%lo:]5",
	    "fe80::1%an-interface-name-that-is-far-too-long-for-any-kernel",
	    "UDP//192.0.2.1", "udp:192.0.2.1", "udp://udp://192.0.2.1",
	    "udp://192.0.2.1/", "udp://user@192.0.2.1", "http://192.0.2.1"};
	static const char *const unsupported[] = {
	    "tcp://192.0.2.1", "tls://192.0.2.1#name", "https://dns.test/q"};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct resolver r = {.url = "untouched"};
		struct err err = {0};

		if (resolver_parse(rows[i], &r, &err) == 0)
			fail_msg("'%s' was taken as %s", rows[i], r.url);
		assert_int_equal(err.reason, REASON_USAGE);
		assert_string_equal(r.url, "untouched");
	}
	for (size_t i = 0; i < sizeof(unsupported) / sizeof(char *); i++) {
		struct resolver r;
		struct err err = {0};

		assert_int_equal(-1, resolver_parse(unsupported[i], &r, &err));
		assert_int_equal(err.reason, REASON_USAGE);
		assert_non_null(strstr(err.text, "udp://"));
		assert_non_null(strstr(err.text, "system"));
		assert_non_null(strstr(err.text, unsupported[i]));
	}
}

static void
test_conf(void **state)
{
	static const struct {
		const char *name, *text, *urls;
	} rows[] = {
	    {"usual", "# by hand\nsearch a.test\nnameserver 192.0.2.1\n",
		"udp://192.0.2.1 "},
	    {"order, tabs, CRLF, no end",
		"nameserver\t192.0.2.2\r\nnameserver  2001:db8::1",
		"udp://192.0.2.2 udp://[2001:db8::1] "},
	    {"twice", "nameserver 192.0.2.1\nnameserver 192.0.2.1\n",
		"udp://192.0.2.1 "},
	    {"trailing words", "nameserver 192.0.2.1 # mine\n",
		"udp://192.0.2.1 "},
	    {"at most 3",
		"nameserver 192.0.2.1\nnameserver 192.0.2.2\n"
		"nameserver 192.0.2.3\nnameserver 192.0.2.4\n",
		"udp://192.0.2.1 udp://192.0.2.2 udp://192.0.2.3 "},
	    {"good after bad", "nameserver dns.test\nnameserver 192.0.2.1\n",
		"udp://192.0.2.1 "},
	    {"empty", "", ""},
	    {"no value", "nameserver\nnameserver \n192.0.2.1\n", ""},
	    {"comment", "#nameserver 192.0.2.1\n;nameserver 192.0.2.1\n", ""},
	    {"not at the start", " nameserver 192.0.2.1\n", ""},
	    {"longer keyword", "nameservers 192.0.2.1\n", ""},
	    {"glued", "nameserver192.0.2.1\n", ""},
	    {"upper case", "NAMESERVER 192.0.2.1\n", ""},
	    {"a URL", "nameserver udp://192.0.2.1\n", ""},
	    {"a port", "nameserver 192.0.2.1:53\n", ""},
	    {"brackets", "nameserver [2001:db8::1]\n", ""},
	    {"system", "nameserver system\n", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct resolver list[3];
		char urls[1024] = "";
		size_t count = resolver_parse_conf(rows[i].text, list, 3);

		for (size_t n = 0; n < count; n++) {
			size_t used = strlen(urls);

			(void)snprintf(urls + used, sizeof(urls) - used, "%s ",
			    list[n].url);
		}
		if (strcmp(urls, rows[i].urls) != 0)
			fail_msg("%s: '%s'", rows[i].name, urls);
	}
}

static void
test_conf_file(void **state)
{
	static const char text[] = "nameserver 192.0.2.1\n";
	struct resolver list[RESOLVERS_MAX];
	char folder[] = "/tmp/oclasp-test-XXXXXX";
	char *path;

	(void)state;
	assert_non_null(mkdtemp(folder));
	path = mem_printf("%s/resolv.conf", folder);
	assert_int_equal(0, resolver_read_conf(path, list, RESOLVERS_MAX));
	assert_int_equal(
	    0, file_replace(path, text, sizeof(text) - 1, 0600, NULL));
	assert_int_equal(1, resolver_read_conf(path, list, RESOLVERS_MAX));
	assert_string_equal(list[0].url, "udp://192.0.2.1");
	assert_int_equal(0, resolver_read_conf(path, list, 0));
	assert_int_equal(0, resolver_read_conf(folder, list, RESOLVERS_MAX));
	(void)remove(path);
	(void)remove(folder);
	free(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_good),
	    cmocka_unit_test(test_system),
	    cmocka_unit_test(test_bad),
	    cmocka_unit_test(test_conf),
	    cmocka_unit_test(test_conf_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
