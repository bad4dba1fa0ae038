/* SPDX-License-Identifier: ISC */
/* test_address_book.c -- acquire/address_book: bounds, age, order, refusals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "acquire/address_book.h"

enum { NOW = 1800000000, DAY = 86400 };

static struct address_book *book;

static int
begin(void **state)
{
	(void)state;
	book = address_book_new();
	return 0;
}

static int
end(void **state)
{
	(void)state;
	address_book_free(book);
	return 0;
}

/* The claims for HOST as "a b c". */
static const char *
claims(const char *host, int64_t now)
{
	const struct book_entry *out[BOOK_PER_HOST_MAX];
	size_t count = address_book_find(book, host, now, out);
	static char text[1024];
	size_t at = 0;

	text[0] = '\0';
	for (size_t i = 0; i < count; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s",
		    i > 0 ? " " : "", out[i]->address);
	return text;
}

static void
test_names(void **state)
{
	static const struct {
		const char *host;
		bool taken;
	} rows[] = {{"ocsp.test", true}, {"OCSP.test.", true},
	    {"a_b.test", true}, {"xn--p1ai", true}, {"", false},
	    {"192.0.2.1", false}, {"2001:db8::1", false}, {"a b", false},
	    {"a\nb", false}, {"a\tb", false}, {"a/b", false}, {"a#b", false},
	    {"a\"b", false}, {"-a.test", false}, {".test", false},
	    {"b\xc3\xbc.test", false}, {"a;b", false}, {"a\x7f", false}};
	char longest[300];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (address_book_takes(rows[i].host) != rows[i].taken)
			fail_msg("'%s'", rows[i].host);
		address_book_prove(book, rows[i].host, "192.0.2.9", 1, NOW);
		assert_string_equal(claims(rows[i].host, NOW),
		    rows[i].taken ? "192.0.2.9" : "");
	}
	memset(longest, 'a', sizeof(longest));
	longest[256] = '\0';
	assert_false(address_book_takes(longest));
	longest[255] = '\0';
	assert_true(address_book_takes(longest));
}

static void
test_addresses(void **state)
{
	static const char *const bad[] = {"", "ocsp.test", "192.0.2",
	    "1.2.3.4 ", "192.0.2.1\n", "[2001:db8::1]", "fe80::1%lo"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		address_book_prove(book, "ocsp.test", bad[i], 1, NOW);
	assert_int_equal(address_book_count(book), 0);
	assert_false(address_book_is_changed(book));
	address_book_prove(book, "ocsp.test", "2001:db8::1", 1, NOW);
	assert_string_equal(claims("ocsp.test", NOW), "2001:db8::1");
}

static void
test_order(void **state)
{
	(void)state;
	address_book_prove(book, "ocsp.test", "192.0.2.1", 5, NOW - 30);
	address_book_prove(book, "ocsp.test", "192.0.2.2", 9, NOW - 20);
	address_book_prove(book, "ocsp.test", "192.0.2.3", 3, NOW - 20);
	/* the latest proof, then the quicker one; case and dot do not count */
	assert_string_equal(
	    claims("OCSP.Test.", NOW), "192.0.2.3 192.0.2.2 192.0.2.1");
	address_book_fail(book, "ocsp.test", "192.0.2.3");
	assert_string_equal(
	    claims("ocsp.test", NOW), "192.0.2.2 192.0.2.1 192.0.2.3");
	address_book_prove(book, "ocsp.test", "192.0.2.3", 3, NOW);
	assert_string_equal(
	    claims("ocsp.test", NOW), "192.0.2.3 192.0.2.2 192.0.2.1");
	assert_int_equal(address_book_count(book), 3);
	assert_string_equal(claims("other.test", NOW), "");
}

static void
test_failures(void **state)
{
	(void)state;
	address_book_fail(book, "ocsp.test", "192.0.2.1"); /* unknown */
	assert_int_equal(address_book_count(book), 0);
	address_book_prove(book, "ocsp.test", "192.0.2.1", 5, NOW);
	for (int i = 1; i < BOOK_FAILURES_MAX; i++)
		address_book_fail(book, "ocsp.test", "192.0.2.1");
	assert_string_equal(claims("ocsp.test", NOW), "192.0.2.1");
	address_book_fail(book, "ocsp.test", "192.0.2.1");
	assert_string_equal(claims("ocsp.test", NOW), "");
	address_book_saved(book);
	address_book_fail(book, "ocsp.test", "192.0.2.1");
	assert_false(address_book_is_changed(book)); /* it counts no further */
	address_book_prove(book, "ocsp.test", "192.0.2.1", 5, NOW);
	assert_string_equal(claims("ocsp.test", NOW), "192.0.2.1");
}

static void
test_age(void **state)
{
	(void)state;
	address_book_prove(book, "ocsp.test", "192.0.2.1", 5, NOW);
	assert_string_equal(
	    claims("ocsp.test", NOW + BOOK_AGE_MAX_S - 1), "192.0.2.1");
	assert_string_equal(claims("ocsp.test", NOW + BOOK_AGE_MAX_S), "");
	/* a clock that was set back by hours, and one that was years ahead */
	assert_string_equal(claims("ocsp.test", NOW - DAY), "192.0.2.1");
	assert_string_equal(claims("ocsp.test", NOW - DAY - 1), "");
}

static void
test_bounds_of_a_host(void **state)
{
	char address[32];

	(void)state;
	for (int i = 0; i < 3 * BOOK_PER_HOST_MAX; i++) {
		(void)snprintf(address, sizeof(address), "192.0.2.%d", i);
		address_book_prove(book, "ocsp.test", address, 5, NOW + i);
	}
	assert_int_equal(address_book_count(book), BOOK_PER_HOST_MAX);
	assert_string_equal(claims("ocsp.test", NOW),
	    "192.0.2.23 192.0.2.22 192.0.2.21 192.0.2.20 192.0.2.19 "
	    "192.0.2.18 192.0.2.17 192.0.2.16");
	/* the one that fails gives way first */
	address_book_fail(book, "ocsp.test", "192.0.2.23");
	address_book_prove(book, "ocsp.test", "192.0.2.99", 5, NOW);
	assert_null(strstr(claims("ocsp.test", NOW), "192.0.2.23"));
}

static void
test_bounds_of_the_book(void **state)
{
	char host[32];

	(void)state;
	for (int i = 0; i < BOOK_HOSTS_MAX + 50; i++) {
		(void)snprintf(host, sizeof(host), "h%d.test", i);
		address_book_prove(book, host, "192.0.2.1", 5, NOW + i);
		address_book_prove(book, host, "192.0.2.2", 5, NOW + i);
	}
	assert_int_equal(address_book_count(book), 2 * BOOK_HOSTS_MAX);
	assert_string_equal(claims("h49.test", NOW + 49), "");
	assert_string_equal(
	    claims("h50.test", NOW + 50), "192.0.2.1 192.0.2.2");
}

static void
test_load(void **state)
{
	struct book_entry good = {.host = "ocsp.test",
	    .address = "192.0.2.1",
	    .proven_at = NOW - 5,
	    .latency_ms = 7,
	    .failures = 2};
	struct book_entry odd[6];

	(void)state;
	for (size_t i = 0; i < 6; i++)
		odd[i] = good;
	(void)snprintf(odd[0].host, sizeof(odd[0].host), "a b");
	(void)snprintf(odd[1].address, sizeof(odd[1].address), "x");
	odd[2].proven_at = NOW - BOOK_AGE_MAX_S;
	odd[3].proven_at = NOW + 2 * DAY;
	odd[4].latency_ms = -1;
	odd[5].host[0] = '\0';
	for (size_t i = 0; i < 6; i++)
		address_book_load(book, &odd[i], NOW);
	assert_int_equal(address_book_count(book), 0);
	address_book_load(book, &good, NOW);
	good.failures = 0; /* known already: what is at hand is newer */
	address_book_load(book, &good, NOW);
	assert_int_equal(address_book_count(book), 1);
	assert_int_equal(address_book_at(book, 0)->failures, 2);
	assert_int_equal(address_book_at(book, 0)->latency_ms, 7);
	assert_null(address_book_at(book, 1));
	assert_false(address_book_is_changed(book));
	address_book_prove(book, "ocsp.test", "192.0.2.1", 1, NOW);
	assert_true(address_book_is_changed(book));
	assert_true(address_book_at(book, 0)->changed);
	address_book_saved(book);
	assert_false(address_book_is_changed(book));
	assert_false(address_book_at(book, 0)->changed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_names, begin, end),
	    cmocka_unit_test_setup_teardown(test_addresses, begin, end),
	    cmocka_unit_test_setup_teardown(test_order, begin, end),
	    cmocka_unit_test_setup_teardown(test_failures, begin, end),
	    cmocka_unit_test_setup_teardown(test_age, begin, end),
	    cmocka_unit_test_setup_teardown(test_bounds_of_a_host, begin, end),
	    cmocka_unit_test_setup_teardown(
		test_bounds_of_the_book, begin, end),
	    cmocka_unit_test_setup_teardown(test_load, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
