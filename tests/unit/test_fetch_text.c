/* SPDX-License-Identifier: ISC */
/* test_fetch_text.c -- URLs, Cache-Control and Retry-After. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "http/fetch.h"

static void
test_urls(void **state)
{
	static const struct {
		const char *url, *host; /* NULL: refused */
		int port;
	} rows[] = {
	    {"http://ocsp.test", "ocsp.test", 80},
	    {"http://ocsp.test/", "ocsp.test", 80},
	    {"http://ocsp.test:8080/a/b", "ocsp.test", 8080},
	    {"https://ocsp.test/a", "ocsp.test", 443},
	    {"HTTP://OCSP.test/", "OCSP.test", 80},
	    {"http://192.0.2.1/", "192.0.2.1", 80},
	    {"http://[2001:db8::1]:81/x", "2001:db8::1", 81},
	    {"http://ocsp.test?query", "ocsp.test", 80},
	    {"", NULL, 0},
	    {"ocsp.test", NULL, 0},
	    {"//ocsp.test/", NULL, 0},
	    {"/etc/passwd", NULL, 0},
	    {"http:", NULL, 0},
	    {"http://", NULL, 0},
	    {"http:///", NULL, 0},
	    {"http://:80/", NULL, 0},
	    {"http://ocsp.test:0/", NULL, 0},
	    {"http://ocsp.test:65536/", NULL, 0},
	    {"http://ocsp.test:-80/", NULL, 0},
	    {"http://ocsp.test:x/", NULL, 0},
	    {"http://ocsp .test/", NULL, 0},
	    {"http://ocsp.test/a b", NULL, 0},
	    {"http://ocsp.test/\r\nHost: x", NULL, 0},
	    {"http://user@ocsp.test/", NULL, 0},
	    {"http://user:word@ocsp.test/", NULL, 0},
	    {"http://[2001:db8::1", NULL, 0},
	    {"http://[nonsense]/", NULL, 0},
	    {"ftp://ocsp.test/", NULL, 0},
	    {"file:///etc/passwd", NULL, 0},
	    {"ldap://ocsp.test/", NULL, 0},
	    {"gopher://ocsp.test/", NULL, 0},
	    {"httpx://ocsp.test/", NULL, 0},
	    {"javascript:alert(1)", NULL, 0},
	    {"http://OCSP.Test/MEkw%2B/x?y#z", "OCSP.Test", 80},
	    {"https://a-1.b2/", "a-1.b2", 443},
	    {"http://single/", "single", 80},
	    {"http://a.b:1/", "a.b", 1},
	    {"http://a.b:9999/", "a.b", 9999},
	    {"http://a.b:65535/", "a.b", 65535},
	    {"http://a.b:080/", "a.b", 80},
	    {"http://a.b:80", "a.b", 80},
	    {"http://a.b:65536/", NULL, 0},
	    {"http://a.b:0/", NULL, 0},
	    {"http://a.b:8x/", NULL, 0},
	    {"http://a.b/x\ny", NULL, 0},
	    {"http://a.b/x\177y", NULL, 0},
	    /* numbers in other writing are addresses all the same */
	    {"http://127.1/", "127.0.0.1", 80},
	    {"http://0x7f.1/", "127.0.0.1", 80},
	    {"http://127.0.0.0x1/", "127.0.0.1", 80},
	    {"http://2130706433/", "127.0.0.1", 80},
	    {"http://:80/", NULL, 0},
	    {"http:///x", "x", 80}, /* as libcurl reads it */
	    {"http://a..b./x", "a..b.", 80},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char *host = NULL;
		int port = -7;
		bool good = fetch_split_url(rows[i].url, &host, &port);

		if (good != (rows[i].host != NULL))
			fail_msg("'%s': %s", rows[i].url, good ? host : "bad");
		if (good) {
			assert_string_equal(host, rows[i].host);
			assert_int_equal(port, rows[i].port);
		} else {
			assert_null(host);
			assert_int_equal(port, -7);
		}
		free(host);
	}
}

static void
test_long_url(void **state)
{
	static char url[20000] = "http://ocsp.test/";
	char *host = NULL;
	int port;

	(void)state;
	memset(url + 17, 'a', sizeof(url) - 18);
	assert_false(fetch_split_url(url, &host, &port));
}

static void
test_max_age(void **state)
{
	static const struct {
		const char *value;
		int64_t seconds;
	} rows[] = {
	    {"max-age=3600", 3600},
	    {"Max-Age=3600", 3600},
	    {"public, max-age=3600, no-transform", 3600},
	    {"public,max-age=3600", 3600},
	    {"\tmax-age = 60 ", 60},
	    {"max-age=\"60\"", 60},
	    {"max-age=60, max-age=70", 60},
	    {"private=\"a, b\\\"\", max-age=60", 60},
	    {"max-age=4294967296", 2147483648},
	    {"max-age=99999999999999999999999999", 2147483648},
	    {"", -1},
	    {"max-age", -1},
	    {"max-age=", -1},
	    {"max-age=0", -1}, /* C21 */
	    {"max-age=-1", -1},
	    {"max-age=+1", -1},
	    {"max-age=1x", -1},
	    {"max-age=1 2", -1},
	    {"max-age=1.5", -1},
	    {"max-age=\"60", -1},
	    {"max-age=\"\"", -1},
	    {"s-maxage=60", -1},
	    {"x-max-age=60", -1},
	    {"max-aged=60", -1},
	    {"private=\"max-age=60\"", -1},
	    {"private=\"a, max-age=60", -1},
	    {"no-cache", -1},
	    {",,,", -1},
	    {"=", -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int64_t seconds = fetch_max_age(rows[i].value);

		if (seconds != rows[i].seconds)
			fail_msg("C21: '%s' is %lld", rows[i].value,
			    (long long)seconds);
	}
}

static void
test_retry_after(void **state)
{
	/* "Sun, 06 Nov 1994 08:49:37 GMT", the example of RFC 9110 */
	static const int64_t example = 784111777;
	static const struct {
		const char *value;
		int64_t before, seconds;
	} rows[] = {
	    {"120", 0, 120},
	    {"0", 0, 0},
	    {" 7 ", 0, 7},
	    {"99999999999999999999", 0, 2147483648},
	    {"Sun, 06 Nov 1994 08:49:37 GMT", 100, 100},
	    {"Sunday, 06-Nov-94 08:49:37 GMT", 100, 100},
	    {"Sun Nov  6 08:49:37 1994", 100, 100},
	    {"Sun, 06 Nov 1994 08:49:37 GMT ", 0, 0},
	    {"Sun, 06 Nov 1994 08:49:37 GMT", -100, 0}, /* past: now */
	    {"", 0, -1},
	    {"-1", 0, -1},
	    {"+1", 0, -1},
	    {"1.5", 0, -1},
	    {"1 2", 0, -1},
	    {"1s", 0, -1},
	    {"soon", 0, -1},
	    {"Sun", 0, -1},
	    {"Sun, 06 Nov 1994", 0, -1},
	    {"Sun, 06 Nov 1994 08:49:37", 0, -1},
	    {"Sun, 06 Nov 1994 08:49:37 CET", 0, -1},
	    {"Sun, 06 Nov 1994 08:49:37 GMT+1", 0, -1},
	    {"Sun, 06 Nvo 1994 08:49:37 GMT", 0, -1},
	    {"Sun, 31 Feb 1994 08:49:37 GMT", 0, -1},
	    {"Sun, 06 Nov 1994 24:49:37 GMT", 0, -1},
	    {"Sun, 06 Nov 1994 08:60:37 GMT", 0, -1},
	    {"Sun, -6 Nov 1994 08:49:37 GMT", 0, -1},
	    {"Sun Nov 6 08:49:37", 0, -1},
	    {"1994-11-06T08:49:37Z", 0, -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int64_t seconds =
		    fetch_retry_after(rows[i].value, example - rows[i].before);

		if (seconds != rows[i].seconds)
			fail_msg("A7: '%s' is %lld", rows[i].value,
			    (long long)seconds);
	}
	/* two digits of a year are those nearest to now */
	assert_int_equal(
	    fetch_retry_after("Monday, 23-Nov-26 10:00:10 GMT", 1795428000),
	    10);
	assert_int_equal(
	    fetch_retry_after("Friday, 01-Jan-99 00:00:00 GMT", 1795428000), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_urls),
	    cmocka_unit_test(test_long_url),
	    cmocka_unit_test(test_max_age),
	    cmocka_unit_test(test_retry_after),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
