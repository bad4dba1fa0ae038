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

#define PIN_A "pin-sha256=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define PIN_B "pin-sha256=////////////////////////////////////////////"
#define PIN_F "pin-sha256=//////////////////////////////////////////8="

static void
test_tcp_and_tls(void **state)
{
	static const struct {
		const char *text, *url, *name;
		enum resolver_kind kind;
		int port, pins;
		bool insecure;
	} rows[] = {
	    {"tcp://192.0.2.1", "tcp://192.0.2.1", "", RESOLVER_TCP, 53, 0, 0},
	    {"tcp://192.0.2.1:53", "tcp://192.0.2.1", "", RESOLVER_TCP, 53, 0,
		0},
	    {"tcp://[2001:DB8::1]:5353", "tcp://[2001:db8::1]:5353", "",
		RESOLVER_TCP, 5353, 0, 0},
	    {"tls://192.0.2.1", "tls://192.0.2.1", "", RESOLVER_TLS, 853, 0, 0},
	    {"tls://192.0.2.1:853", "tls://192.0.2.1", "", RESOLVER_TLS, 853, 0,
		0},
	    {"tls://192.0.2.1:53", "tls://192.0.2.1:53", "", RESOLVER_TLS, 53,
		0, 0},
	    {"tls://192.0.2.1#Dns.Test", "tls://192.0.2.1#dns.test", "dns.test",
		RESOLVER_TLS, 853, 0, 0},
	    {"tls://[2001:db8::1]:853#dns.test", "tls://[2001:db8::1]#dns.test",
		"dns.test", RESOLVER_TLS, 853, 0, 0},
	    {"tls://192.0.2.1:853#insecure", "tls://192.0.2.1#insecure", "",
		RESOLVER_TLS, 853, 0, true},
	    {"tls://192.0.2.1#" PIN_A, "tls://192.0.2.1#" PIN_A, "",
		RESOLVER_TLS, 853, 1, 0},
	    {"tls://192.0.2.1#DNS.test," PIN_A "," PIN_F,
		"tls://192.0.2.1#dns.test," PIN_A "," PIN_F, "dns.test",
		RESOLVER_TLS, 853, 2, 0},
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
		assert_int_equal(r.kind, rows[i].kind);
		assert_int_equal(ntohs(v4->sin_port), rows[i].port);
		assert_string_equal(r.name, rows[i].name);
		assert_int_equal(r.pin_count, rows[i].pins);
		assert_int_equal(r.insecure, rows[i].insecure);
		for (size_t k = 0; k < SECURE_PIN_SIZE && r.pin_count > 0; k++)
			assert_int_equal(r.pins[0][k], k);
		for (size_t k = 0; k < SECURE_PIN_SIZE && r.pin_count > 1; k++)
			assert_int_equal(r.pins[1][k], 255);
		assert_null(r.tls_ca);
		assert_null(r.pool);
		assert_int_equal(0, resolver_parse(rows[i].url, &r, NULL));
		assert_string_equal(r.url, rows[i].url);
	}
}

static void
test_https(void **state)
{
	static const struct {
		const char *text, *url, *name, *bootstrap;
	} rows[] = {
	    {"https://dns.test/dns-query", "https://dns.test/dns-query",
		"dns.test", ""},
	    {"https://DNS.test:443/Q", "https://dns.test/Q", "dns.test", ""},
	    {"https://dns.test:8443/", "https://dns.test:8443/", "dns.test",
		""},
	    {"https://dns.test/q?a=b&c=%20", "https://dns.test/q?a=b&c=%20",
		"dns.test", ""},
	    {"https://dns.test/q#192.0.2.1", "https://dns.test/q#192.0.2.1",
		"dns.test", "192.0.2.1 "},
	    {"https://dns.test/q#192.0.2.1,[2001:DB8::1],192.0.2.2,[::2]",
		"https://dns.test/q#192.0.2.1,[2001:db8::1],192.0.2.2,[::2]",
		"dns.test", "192.0.2.1 2001:db8::1 192.0.2.2 ::2 "},
	    {"https://192.0.2.1/q", "https://192.0.2.1/q", "192.0.2.1",
		"192.0.2.1 "},
	    {"https://[2001:DB8::1]:443/q", "https://[2001:db8::1]/q",
		"2001:db8::1", "2001:db8::1 "},
	    {"https://[2001:db8::1]:444/q#192.0.2.7",
		"https://[2001:db8::1]:444/q#192.0.2.7", "2001:db8::1",
		"192.0.2.7 "},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct resolver r;
		struct err err = {0};
		char bootstrap[256] = "";

		if (resolver_parse(rows[i].text, &r, &err) != 0)
			fail_msg("%s: %s", rows[i].text, err.text);
		assert_int_equal(r.kind, RESOLVER_HTTPS);
		assert_string_equal(r.url, rows[i].url);
		assert_string_equal(r.name, rows[i].name);
		for (size_t k = 0; k < r.bootstrap_count; k++) {
			size_t used = strlen(bootstrap);

			(void)snprintf(bootstrap + used,
			    sizeof(bootstrap) - used, "%s ", r.bootstrap[k]);
		}
		assert_string_equal(bootstrap, rows[i].bootstrap);
		assert_int_equal(0, resolver_parse(rows[i].url, &r, NULL));
		assert_string_equal(r.url, rows[i].url);
	}
}

/* What the sentence about nonsense tells to write instead. */
static void
test_bad_kinds(void **state)
{
	static const struct {
		const char *text, *told;
	} rows[] = {
	    {"tcp://", "tcp://IP"},
	    {"tcp://dns.test", "tcp://IP"},
	    {"tcp://192.0.2.1#dns.test", "tcp://IP"},
	    {"tcp://192.0.2.1:", "tcp://IP"},
	    {"tcp://192.0.2.1/q", "tcp://IP"},
	    {"udp://192.0.2.1#dns.test", "udp://IP"},
	    {"192.0.2.1#dns.test", "udp://IP"},
	    {"tls://", "tls://IP"},
	    {"tls://dns.test", "tls://IP"},
	    {"tls://#dns.test", "tls://IP"},
	    {"tls://192.0.2.1:0#dns.test", "tls://IP"},
	    {"tls://192.0.2.1/#dns.test", "tls://IP"},
	    {"tls://192.0.2.1#", "tls://IP"},
	    {"tls://192.0.2.1#.", "tls://IP"},
	    {"tls://192.0.2.1#-x.test", "tls://IP"},
	    {"tls://192.0.2.1#dns..test", "tls://IP"},
	    {"tls://192.0.2.1#dns test", "tls://IP"},
	    {"tls://192.0.2.1#192.0.2.1", "tls://IP"},
	    {"tls://192.0.2.1#*.test", "tls://IP"},
	    {"tls://192.0.2.1#dns.test#x", "tls://IP"},
	    {"tls://192.0.2.1#dns.test,", "tls://IP"},
	    {"tls://192.0.2.1#,dns.test", "tls://IP"},
	    {"tls://192.0.2.1#dns.test,other.test", "tls://IP"},
	    {"tls://192.0.2.1#dns.test,insecure", "tls://IP"},
	    {"tls://192.0.2.1#insecure,dns.test", "tls://IP"},
	    {"tls://192.0.2.1#insecure," PIN_A, "tls://IP"},
	    {"tls://192.0.2.1#" PIN_A ",insecure", "tls://IP"},
	    {"tls://192.0.2.1#" PIN_A ",dns.test", "tls://IP"},
	    {"tls://192.0.2.1#" PIN_A "," PIN_A "," PIN_F, "tls://IP"},
	    {"tls://192.0.2.1#pin-sha256=", "tls://IP"},
	    {"tls://192.0.2.1#pin-sha256=AAAA", "tls://IP"},
	    {"tls://192.0.2.1#" PIN_A "=", "tls://IP"},
	    /* 33 octets; bits behind the 32nd; no base64 */
	    {"tls://192.0.2.1#" PIN_B, "tls://IP"},
	    {"tls://192.0.2.1#pin-sha256="
	     "//////////////////////////////////////////9=",
		"tls://IP"},
	    {"tls://192.0.2.1#pin-sha256="
	     "/////////////////_////////////////////////8=",
		"tls://IP"},
	    {"tls://192.0.2.1#pin-sha1=AAAA", "tls://IP"},
	    {"https://", "https://HOST"},
	    {"https://dns.test", "https://HOST"},
	    {"https://dns.test#192.0.2.1", "https://HOST"},
	    {"https:///q", "https://HOST"},
	    {"https://:443/q", "https://HOST"},
	    {"https://dns.test:/q", "https://HOST"},
	    {"https://dns.test:0/q", "https://HOST"},
	    {"https://user@dns.test/q", "https://HOST"},
	    {"https://dns test/q", "https://HOST"},
	    {"https://dns.test/q q", "https://HOST"},
	    {"https://dns.test/q{?dns}", "https://HOST"},
	    {"https://dns.test/<q>", "https://HOST"},
	    {"https://2001:db8::1/q", "https://HOST"},
	    {"https://[192.0.2.1]/q", "https://HOST"},
	    {"https://[dns.test]/q", "https://HOST"},
	    {"https://[2001:db8::1/q", "https://HOST"},
	    {"https://[fe80::1%lo]/q", "https://HOST"},
	    {"https://dns.test/q#", "https://HOST"},
	    {"https://dns.test/q#other.test", "https://HOST"},
	    {"https://dns.test/q#2001:db8::1", "https://HOST"},
	    {"https://dns.test/q#[192.0.2.1]", "https://HOST"},
	    {"https://dns.test/q#[fe80::1%lo]", "https://HOST"},
	    {"https://dns.test/q#192.0.2.1:443", "https://HOST"},
	    {"https://dns.test/q#192.0.2.1,", "https://HOST"},
	    {"https://dns.test/q#1.1.1.1,1.1.1.2,1.1.1.3,1.1.1.4,1.1.1.5",
		"https://HOST"},
	    {"http://dns.test/q", "https://HOST"},
	    {"quic://192.0.2.1", "tls://IP"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct resolver r = {.url = "untouched"};
		struct err err = {0};

		if (resolver_parse(rows[i].text, &r, &err) == 0)
			fail_msg("'%s' was taken as %s", rows[i].text, r.url);
		assert_int_equal(err.reason, REASON_USAGE);
		assert_string_equal(r.url, "untouched");
		assert_memory_equal(
		    err.text + 1, rows[i].text, strnlen(rows[i].text, 200));
		if (strstr(err.text, rows[i].told) == NULL)
			fail_msg("%s: %s", rows[i].text, err.text);
	}
}

/* A URL that is longer than reports have room for. */
static void
test_too_long(void **state)
{
	struct resolver r = {.url = "untouched"};
	char *path = mem_new(400);
	char *url;

	(void)state;
	memset(path, 'a', 300);
	url = mem_printf("https://dns.test/%s", path);
	assert_int_equal(-1, resolver_parse(url, &r, NULL));
	free(url);
	url = mem_printf("tls://192.0.2.1#%s.test", path);
	assert_int_equal(-1, resolver_parse(url, &r, NULL));
	free(url);
	path[230] = '\0';
	url = mem_printf("tls://192.0.2.1#%s," PIN_A, path);
	assert_int_equal(-1, resolver_parse(url, &r, NULL));
	assert_string_equal(r.url, "untouched");
	free(url);
	free(path);
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

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct resolver r = {.url = "untouched"};
		struct err err = {0};

		if (resolver_parse(rows[i], &r, &err) == 0)
			fail_msg("'%s' was taken as %s", rows[i], r.url);
		assert_int_equal(err.reason, REASON_USAGE);
		assert_string_equal(r.url, "untouched");
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
	    cmocka_unit_test(test_tcp_and_tls),
	    cmocka_unit_test(test_https),
	    cmocka_unit_test(test_bad_kinds),
	    cmocka_unit_test(test_too_long),
	    cmocka_unit_test(test_system),
	    cmocka_unit_test(test_bad),
	    cmocka_unit_test(test_conf),
	    cmocka_unit_test(test_conf_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
