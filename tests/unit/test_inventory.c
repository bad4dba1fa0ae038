/* SPDX-License-Identifier: ISC */
/* test_inventory.c -- doctor/inventory: what this machine says by itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "doctor/inventory.h"
#include "doctor/names.h"
#include "pki/cert.h"

static const char *const names[] = {"ocsp.ca.example", "a771.cdn.example"};

static const struct row {
	const char *name, *text;
	size_t count; /* facts */
	const char *address;
	int line;
} rows[] = {
    {"a pin", "127.0.0.1 localhost\n192.0.2.1 ocsp.ca.example\n", 1,
	"192.0.2.1", 2},
    {"among other names", "192.0.2.1 a b ocsp.ca.example c\n", 1, "192.0.2.1",
	1},
    {"tabs, upper case, CR", "192.0.2.1\tOCSP.CA.Example\r\n", 1, "192.0.2.1",
	1},
    {"a later name of the chain", "\n\n192.0.2.1 a771.cdn.example # here", 1,
	"192.0.2.1", 3},
    {"IPv6, without an end of line", "2001:db8::1 ocsp.ca.example", 1,
	"2001:db8::1", 1},
    {"two lines", "192.0.2.1 ocsp.ca.example\n2001:db8::1 ocsp.ca.example\n", 2,
	"192.0.2.1", 1},
    {"a comment", "#192.0.2.1 ocsp.ca.example\n", 0, NULL, 0},
    {"behind a comment", "192.0.2.1 other # ocsp.ca.example\n", 0, NULL, 0},
    {"no address", "ocsp.ca.example 192.0.2.1\n", 0, NULL, 0},
    {"half an address", "192.0.2 ocsp.ca.example\n", 0, NULL, 0},
    {"a longer name", "192.0.2.1 ocsp.ca.example.org\n", 0, NULL, 0},
    {"a shorter name", "192.0.2.1 ca.example\n", 0, NULL, 0},
    {"an address alone", "192.0.2.1\n", 0, NULL, 0},
    {"blanks", "   \t \r\n\n", 0, NULL, 0},
    {"nothing", "", 0, NULL, 0},
};

static void
test_hosts_file(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		const struct span text = {
		    (const uint8_t *)row->text, strlen(row->text)};
		struct facts facts = {0};

		inventory_hosts(&facts, "hosts", text, names, 2);
		if (facts.count != row->count ||
		    (row->count > 0 &&
			(facts.items[0].u.override.line != row->line ||
			    strcmp(facts.items[0].u.override.address,
				row->address) != 0)))
			fail_msg("%s: %zu facts", row->name, facts.count);
		facts_done(&facts);
	}
}

/* A NUL ends a line's words, as for the C library, and not the file. */
static void
test_nul(void **state)
{
	static const char text[] = "192.0.2.1 a\0 ocsp.ca.example\n"
				   "\0 192.0.2.1 ocsp.ca.example\n"
				   "192.0.2.1\0ocsp.ca.example\n"
				   "192.0.2.4 ocsp.ca.example\0\n";
	struct facts facts = {0};

	(void)state;
	inventory_hosts(&facts, "hosts",
	    (struct span){(const uint8_t *)text, sizeof(text) - 1}, names, 2);
	assert_int_equal(facts.count, 1);
	assert_int_equal(facts.items[0].u.override.line, 4);
	facts_done(&facts);
}

/* A word that is longer than a name can be is no name, and costs nothing. */
static void
test_long_words(void **state)
{
	char text[4096];
	struct facts facts = {0};

	(void)state;
	memset(text, 'a', sizeof(text));
	memcpy(text, "192.0.2.1 ", 10);
	inventory_hosts(&facts, "hosts",
	    (struct span){(const uint8_t *)text, sizeof(text)}, names, 2);
	assert_int_equal(facts.count, 0);
	memset(text, '1', 300);
	inventory_hosts(&facts, "hosts",
	    (struct span){(const uint8_t *)text, sizeof(text)}, names, 2);
	assert_int_equal(facts.count, 0);
	facts_done(&facts);
}

/* The names may be the facts' own, which move when there are more of them. */
static void
test_lent_names(void **state)
{
	enum { LINES = 300 };
	const char *chain[NAMES_CHAIN_MAX];
	struct facts facts = {0};
	struct fact_datagram *d;
	struct buf text;

	(void)state;
	fact_copy(facts_add(&facts, FACT_QUESTION, "U", 0)->u.question.name,
	    FACT_NAME_TEXT, names[0]);
	d = &facts_add(&facts, FACT_DATAGRAM, "U", 0)->u.datagram;
	fact_copy(d->chain[d->chain_length++], FACT_NAME_TEXT, names[1]);
	assert_int_equal(names_chain(&facts, names[0], chain), 1);
	buf_init(&text, 1 << 16);
	for (int i = 0; i < LINES; i++)
		buf_printf(&text, "192.0.2.1 %s\n", names[1]);
	inventory_hosts(&facts, "hosts",
	    (struct span){(const uint8_t *)buf_text(&text), text.len}, chain,
	    1);
	assert_int_equal(facts.count, 2 + LINES);
	buf_done(&text);
	facts_done(&facts);
}

/* A certificate that begins tomorrow, and is signed: then our clock is behind;
 * within the usual slack it says nothing. */
static void
test_begins_tomorrow(void **state)
{
	static const struct {
		int64_t begins;
		enum reason unusable;
		size_t clocks;
	} rows_[] = {
	    {1000000 + 86400, REASON_NONE, 1},
	    {1000000 + 301, REASON_NONE, 1},
	    {1000000 + 300, REASON_NONE, 0},
	    {1000000 - 86400, REASON_NONE, 0},
	    {1000000 + 86400, REASON_ISSUER_MISSING, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows_) / sizeof(rows_[0]); i++) {
		char issuer[] = "CN=ca";
		const struct cert leaf = {.issuer = issuer,
		    .not_before = rows_[i].begins,
		    .not_after = rows_[i].begins + 86400};
		const struct err unusable = {.reason = rows_[i].unusable};
		struct facts facts = {0};
		char *host;

		inventory_certificate(
		    &facts, &leaf, &unusable, NULL, 1000000, &host);
		assert_int_equal(facts.count, 1 + rows_[i].clocks);
		/* the certificate's own fact is the last */
		assert_int_equal(facts.items[facts.count - 1].kind, FACT_INPUT);
		if (rows_[i].clocks > 0) {
			const struct fact_clock *c = &facts.items[0].u.clock;

			assert_true(c->bound && c->authenticated);
			assert_true(c->ahead_s == 1000000 - rows_[i].begins);
		}
		facts_done(&facts);
	}
}

static void
test_without_a_certificate(void **state)
{
	struct err unusable = {0};
	struct facts facts = {0};
	char *host = NULL;

	(void)state;
	(void)err_set(&unusable, REASON_CERTIFICATE_UNREADABLE, "broken");
	inventory_certificate(&facts, NULL, &unusable, NULL, 0, &host);
	assert_null(host);
	assert_int_equal(facts.count, 1);
	assert_int_equal(facts.items[0].u.input.unusable.reason,
	    REASON_CERTIFICATE_UNREADABLE);
	facts_done(&facts);
}

static void
test_proxies(void **state)
{
	static struct proxy_plan plan = {.has_http = true, .last_count = 1};
	struct facts facts = {0};

	(void)state;
	(void)snprintf(plan.http.url, sizeof(plan.http.url), "http://a:1");
	(void)snprintf(
	    plan.last[0].url, sizeof(plan.last[0].url), "socks5://b:2");
	inventory_proxies(&facts, NULL);
	assert_int_equal(facts.count, 0);
	inventory_proxies(&facts, &plan);
	assert_int_equal(facts.count, 2);
	assert_string_equal(facts.items[0].u.override.name, "socks5://b:2");
	assert_string_equal(facts.items[1].u.override.file, "environment");
	facts_done(&facts);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_hosts_file),
	    cmocka_unit_test(test_nul),
	    cmocka_unit_test(test_long_words),
	    cmocka_unit_test(test_lent_names),
	    cmocka_unit_test(test_begins_tomorrow),
	    cmocka_unit_test(test_without_a_certificate),
	    cmocka_unit_test(test_proxies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
