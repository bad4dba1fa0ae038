/* SPDX-License-Identifier: ISC */
/* test_book_learn.c -- acquire/book_learn: what counts for and against an
 * address, in particular beside proxies and upstreams. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "acquire/acquire.h"
#include "acquire/address_book.h"
#include "acquire/book_learn.h"
#include "http/fetch.h"

#define AT_HOST "http://ocsp.test/"
#define AT_OTHER "http://other.test/"
#define NOW 1800000000

enum { TRIES = 4 };

/* The last try of a row has won. */
static const struct {
	const char *about;
	struct {
		const char *address, *source, *proxy, *url, *stage;
		enum reason reason;
		bool cancelled;
	} tries[TRIES];
	unsigned failures; /* of 192.0.2.1, which is in the book */
	bool proven;       /* 192.0.2.9 is in the book afterwards */
} rows[] = {
    {"another one won",
	{{"192.0.2.1", "book", "", AT_HOST, "connect", REASON_CONNECT_REFUSED,
	     false},
	    {"192.0.2.9", "system", "", AT_HOST, "response", 0, false}},
	1, true},
    {"by both methods: once",
	{{"192.0.2.1", "book", "", AT_HOST, "http", REASON_HTTP_STATUS, false},
	    {"192.0.2.1", "book", "", AT_HOST, "http", REASON_HTTP_STATUS,
		false},
	    {"192.0.2.9", "pin", "", AT_HOST, "response", 0, false}},
	1, true},
    {"host in other letters, and another path",
	{{"192.0.2.1", "book", "", "http://OCSP.test:80/x", "http",
	     REASON_NOT_OCSP, false},
	    {"192.0.2.9", "system", "", AT_HOST, "response", 0, false}},
	1, true},
    {"beaten is not failed",
	{{"192.0.2.1", "book", "", AT_HOST, "http", 0, true},
	    {"192.0.2.9", "system", "", AT_HOST, "response", 0, false}},
	0, true},
    {"failed by GET, won by POST",
	{{"192.0.2.9", "system", "", AT_HOST, "http", REASON_HTTP_STATUS,
	     false},
	    {"192.0.2.9", "system", "", AT_HOST, "response", 0, false}},
	0, true},
    {"a proxy won that looks up by itself",
	{{"192.0.2.1", "book", "", AT_HOST, "connect", REASON_CONNECT_TIMEOUT,
	     false},
	    {"", "proxy", "http://p:3128", AT_HOST, "response", 0, false}},
	0, false},
    {"a proxy won with an address of ours",
	{{"192.0.2.1", "book", "", AT_HOST, "connect", REASON_CONNECT_TIMEOUT,
	     false},
	    {"192.0.2.9", "proxy", "socks5://p:1080", AT_HOST, "response", 0,
		false}},
	0, false},
    {"the same address lost directly and won by the proxy",
	{{"192.0.2.1", "book", "", AT_HOST, "connect", REASON_CONNECT_TIMEOUT,
	     false},
	    {"192.0.2.1", "proxy", "socks5://p:1080", AT_HOST, "response", 0,
		false}},
	0, false},
    {"lost through a proxy, won directly",
	{{"192.0.2.1", "proxy", "socks5://p:1080", AT_HOST, "http",
	     REASON_HTTP_RESET, false},
	    {"192.0.2.9", "system", "", AT_HOST, "response", 0, false}},
	0, true},
    {"lost through a proxy, and directly",
	{{"192.0.2.1", "proxy", "socks5://p:1080", AT_HOST, "http",
	     REASON_HTTP_RESET, false},
	    {"192.0.2.1", "book", "", AT_HOST, "http", REASON_HTTP_RESET,
		false},
	    {"192.0.2.9", "system", "", AT_HOST, "response", 0, false}},
	1, true},
    {"an upstream won",
	{{"192.0.2.1", "book", "", AT_HOST, "connect", REASON_CONNECT_TIMEOUT,
	     false},
	    {"192.0.2.9", "upstream", "", AT_OTHER, "response", 0, false}},
	0, false},
    {"an upstream of the same host won",
	{{"192.0.2.1", "book", "", AT_HOST, "connect", REASON_CONNECT_TIMEOUT,
	     false},
	    {"192.0.2.9", "upstream", "", AT_HOST, "response", 0, false}},
	0, false},
    {"an upstream lost",
	{{"192.0.2.1", "upstream", "", AT_HOST, "connect",
	     REASON_CONNECT_TIMEOUT, false},
	    {"192.0.2.9", "system", "", AT_HOST, "response", 0, false}},
	0, true},
    {"the certificate's other host won",
	{{"192.0.2.1", "book", "", AT_HOST, "connect", REASON_CONNECT_REFUSED,
	     false},
	    {"192.0.2.8", "system", "", AT_OTHER, "response", 0, false}},
	0, false},
    {"lost for another host too, which has the same address",
	{{"192.0.2.1", "system", "", AT_OTHER, "connect",
	     REASON_CONNECT_REFUSED, false},
	    {"192.0.2.1", "book", "", AT_HOST, "connect",
		REASON_CONNECT_REFUSED, false},
	    {"192.0.2.9", "system", "", AT_HOST, "response", 0, false}},
	1, true},
    {"refused as private, not tried",
	{{"192.0.2.1", "udp://192.0.2.53", "", AT_HOST, "dns",
	     REASON_UNREACHABLE, false},
	    {"192.0.2.9", "system", "", AT_HOST, "response", 0, false}},
	0, true},
    {"a courier's", {{"192.0.2.9", "courier", "", AT_HOST, "response", 0, 0}},
	0, false},
    {"no URL of http",
	{{"192.0.2.9", "system", "", "ldap://x", "response", 0, 0}}, 0, false},
};

static const struct book_entry *
entry_of(const struct address_book *book, const char *host, const char *address)
{
	for (size_t i = 0; i < address_book_count(book); i++) {
		const struct book_entry *entry = address_book_at(book, i);

		if (strcmp(entry->host, host) == 0 &&
		    strcmp(entry->address, address) == 0)
			return entry;
	}
	return NULL;
}

static void
test_rows(void **state)
{
	static struct acquire_try tries[TRIES]; /* large */

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct address_book *book = address_book_new();
		const struct book_entry *old, *won;
		char *hosts[TRIES] = {0};
		size_t count = 0;
		int port;

		memset(tries, 0, sizeof(tries));
		for (; count < TRIES && rows[i].tries[count].url; count++) {
			struct acquire_try *try = &tries[count];

			(void)snprintf(try->address, sizeof(try->address), "%s",
			    rows[i].tries[count].address);
			(void)snprintf(try->source, sizeof(try->source), "%s",
			    rows[i].tries[count].source);
			(void)snprintf(try->proxy, sizeof(try->proxy), "%s",
			    rows[i].tries[count].proxy);
			(void)snprintf(try->url, sizeof(try->url), "%s",
			    rows[i].tries[count].url);
			(void)fetch_split_url(try->url, &hosts[count], &port);
			try->host = hosts[count];
			try->stage = rows[i].tries[count].stage;
			try->err.reason = rows[i].tries[count].reason;
			try->cancelled = rows[i].tries[count].cancelled;
			try->elapsed_ms = 77;
		}
		address_book_prove(book, "ocsp.test", "192.0.2.1", 5, NOW - 9);
		address_book_prove(book, "other.test", "192.0.2.1", 5, NOW);
		book_learn(book, tries, count, count - 1, NOW);
		old = entry_of(book, "ocsp.test", "192.0.2.1");
		won = entry_of(book, "ocsp.test", "192.0.2.9");
		if (old == NULL || old->failures != rows[i].failures ||
		    old->proven_at != NOW - 9)
			fail_msg("%s: %u failures", rows[i].about,
			    old == NULL ? 99 : old->failures);
		/* nobody has tried it for that host */
		assert_int_equal(
		    0, entry_of(book, "other.test", "192.0.2.1")->failures);
		if ((won != NULL) != rows[i].proven)
			fail_msg("%s: %sproven", rows[i].about,
			    won == NULL ? "not " : "");
		if (won != NULL) {
			assert_string_equal(won->host, "ocsp.test");
			assert_int_equal(won->latency_ms, 77);
			assert_int_equal(won->proven_at, NOW);
		}
		address_book_free(book);
		for (size_t t = 0; t < TRIES; t++)
			free(hosts[t]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
