/* SPDX-License-Identifier: ISC */
/* test_store_row.c -- keep/store: a certificate's staple, state and history. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "own_store.h"

/* --- how its care stands --- */

/* A7, A1: a restart forgets neither back-off nor hint nor a last word. */
static void
test_states(void **state)
{
	static const struct {
		const char *name;
		struct store_state state;
	} rows[] = {
	    {"nothing ever", {0}},
	    {"good", {.last_attempt = 1700000000, .random = 7}},
	    {"failing", {.last_attempt = 5,
			    .failures = 7,
			    .last_err = {REASON_HTTP_STATUS,
				"it said 503 \xe2\x80\x94 'later'"},
			    .retry_after = 3600,
			    .random = UINT32_MAX}},
	    {"revoked", {.last_attempt = INT64_MAX,
			    .last_final = true,
			    .last_status = CERT_REVOKED,
			    .final_life = 7 * 86400,
			    .floor = 1700000000}},
	    {"good again, and newer", {.floor = 1700000000,
					  .first_seen = 1690000000,
					  .first_at = 1690000005,
					  .other_hash = true}},
	    {"unknown", {.last_final = true,
			    .last_status = CERT_UNKNOWN,
			    .fetch_again = INT64_MAX}},
	    {"failing after a last word", {.failures = UINT32_MAX >> 1,
					      .last_err = {REASON_NOT_OCSP, ""},
					      .last_final = true,
					      .last_status = CERT_REVOKED}},
	    {"all over", {0}},
	};
	struct store *store = store_test_open(path);
	struct store_state got = {.failures = 99};

	(void)state;
	assert_int_equal(store_get_state(store, FP_A, &got, NULL), 0);
	assert_int_equal(got.failures, 99);
	store_test_put(store, FP_B, "beside it");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct store_change change = {.state = &rows[i].state};

		print_message("%s\n", rows[i].name);
		assert_int_equal(store_save(store, FP_A, &change, NULL), 0);
		store_test_expect_state(store, FP_A, &rows[i].state);
		store_close(store);
		store = store_test_open(path);
		store_test_expect_state(store, FP_A, &rows[i].state);
		store_test_put(
		    store, FP_A, rows[i].name); /* the one leaves the other */
		store_test_expect_state(store, FP_A, &rows[i].state);
		store_test_expect(store, FP_A, rows[i].name);
		store_test_expect_state(store, FP_B, &(struct store_state){0});
	}
	store_close(store);
}

/* The second response, by a SHA-256 CertID, goes with the first. */
static void
see_second(void *cookie, const struct store_item *item)
{
	const char *want = cookie;

	assert_int_equal(item->second.len, strlen(want));
	assert_memory_equal(item->second.at, want, strlen(want));
}

static void
expect_second(struct store *store, const char *text)
{
	char *want = mem_string(text);

	assert_int_equal(store_each(store, FP_A, see_second, want, NULL), 0);
	free(want);
}

static void
test_second(void **state)
{
	const struct store_change second = {
	    .second = {(const uint8_t *)"by sha256", 9}};
	const struct store_change both = {.staple = {(const uint8_t *)"one", 3},
	    .second = {(const uint8_t *)"two", 3}};
	const struct store_change none = {.no_staple = true};
	struct store *store = store_test_open(path);

	(void)state;
	store_test_put(store, FP_A, "first");
	expect_second(store, "");
	assert_int_equal(store_save(store, FP_A, &second, NULL), 0);
	store_test_expect(store, FP_A, "first");
	expect_second(store, "by sha256");
	store_test_put(store, FP_A, "next");
	expect_second(store, "by sha256");
	assert_int_equal(store_save(store, FP_A, &both, NULL), 0);
	store_test_expect(store, FP_A, "one");
	expect_second(store, "two");
	assert_int_equal(store_save(store, FP_A, &none, NULL), 0);
	store_test_expect(store, FP_A, NULL);
	expect_second(store, "");
	store_close(store);
}

/* A seal goes with its response, and no further. */
static void
see_seals(void *cookie, const struct store_item *item)
{
	char *out = cookie;

	(void)snprintf(out, 32, "%.*s %.*s", (int)item->seal.len,
	    (const char *)item->seal.at, (int)item->second_seal.len,
	    (const char *)item->second_seal.at);
}

static void
test_seals(void **state)
{
	static const struct {
		const char *name, *staple, *second, *seal, *second_seal;
		bool none;
		const char *want;
	} rows[] = {
	    {.name = "one", .staple = "a", .seal = "A", .want = "A "},
	    {.name = "and the other",
		.second = "b",
		.second_seal = "B",
		.want = "A B"},
	    {.name = "nothing new", .want = "A B"},
	    {.name = "the first without", .staple = "c", .want = " B"},
	    {.name = "the other without", .second = "d", .want = " "},
	    {.name = "both",
		.staple = "e",
		.seal = "E",
		.second = "f",
		.second_seal = "F",
		.want = "E F"},
	    {.name = "neither any more", .none = true, .want = " "},
	};
	struct store *store = store_test_open(path);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
#define SPAN(text)                                              \
	{                                                       \
		(const uint8_t *)(text), (text) == NULL ? 0 : 1 \
	}
		const struct store_change change = {
		    .staple = SPAN(rows[i].staple),
		    .second = SPAN(rows[i].second),
		    .seal = SPAN(rows[i].seal),
		    .second_seal = SPAN(rows[i].second_seal),
		    .no_staple = rows[i].none,
		};
#undef SPAN
		char got[32] = "";

		print_message("%s\n", rows[i].name);
		assert_int_equal(store_save(store, FP_A, &change, NULL), 0);
		assert_int_equal(
		    store_each(store, FP_A, see_seals, got, NULL), 0);
		assert_string_equal(got, rows[i].want);
	}
	store_close(store);
}

struct seen {
	int count;
	bool a, b;
};

static void
see_item(void *cookie, const struct store_item *item)
{
	struct seen *seen = cookie;

	seen->count++;
	if (strcmp(item->fingerprint, FP_A) == 0) {
		seen->a = true;
		assert_int_equal(item->staple.len, 5);
		assert_memory_equal(item->staple.at, "first", 5);
		assert_int_equal(item->this_update, 5);
		assert_int_equal(item->state.failures, 0);
	} else {
		seen->b = true;
		assert_string_equal(item->fingerprint, FP_B);
		assert_int_equal(item->staple.len, 0);
		assert_int_equal(item->state.failures, 3);
	}
}

static void
test_each(void **state)
{
	const struct store_state failing = {.failures = 3};
	const struct store_change change = {.state = &failing};
	struct store *store = store_test_open(path);
	struct seen all = {0}, one = {0}, none = {0};
	int64_t after = 0;

	(void)state;
	assert_int_equal(store_each(store, NULL, see_item, &none, NULL), 0);
	store_test_put(store, FP_A, "first");
	assert_int_equal(store_save(store, FP_B, &change, NULL), 0);
	assert_int_equal(store_each(store, FP_A "x", see_item, &none, NULL), 0);
	assert_int_equal(none.count, 0);
	assert_int_equal(store_each(store, NULL, see_item, &all, NULL), 0);
	assert_int_equal(all.count, 2);
	assert_true(all.a && all.b);
	assert_int_equal(store_each(store, FP_B, see_item, &one, NULL), 0);
	assert_int_equal(one.count, 1);
	assert_true(one.b);
	/* in parts */
	all = (struct seen){0};
	assert_int_equal(store_some(store, &after, 1, see_item, &all, NULL), 1);
	assert_true(all.a && !all.b);
	assert_int_equal(store_some(store, &after, 9, see_item, &all, NULL), 1);
	assert_true(all.a && all.b);
	assert_int_equal(store_some(store, &after, 9, see_item, &all, NULL), 0);
	assert_int_equal(all.count, 2);
	after = 0;
	assert_int_equal(store_some(store, &after, 9, see_item, &all, NULL), 2);
	store_close(store);
}

/* --- history --- */

static void
see_whole(void *cookie, const struct store_attempt *attempt)
{
	const struct store_attempt *want = cookie;

	assert_int_equal(attempt->at, want->at);
	assert_string_equal(attempt->outcome, want->outcome);
	assert_string_equal(attempt->detail, want->detail);
	assert_string_equal(attempt->url, want->url);
	assert_string_equal(attempt->address, want->address);
	assert_string_equal(attempt->source, want->source);
	assert_int_equal(attempt->elapsed_ms, want->elapsed_ms);
	assert_int_equal(attempt->size, want->size);
	assert_int_equal(attempt->this_update, want->this_update);
	assert_int_equal(attempt->next_update, want->next_update);
}

static void
see_bare(void *cookie, const struct store_attempt *attempt)
{
	(void)cookie;
	assert_string_equal(attempt->outcome, "http-timeout");
	assert_null(attempt->detail);
	assert_null(attempt->url);
	assert_null(attempt->address);
	assert_null(attempt->source);
	assert_int_equal(attempt->size, 0);
	assert_int_equal(attempt->next_update, 0);
}

static void
test_an_attempt_comes_back(void **state)
{
	struct store_attempt whole = {.at = 1700000000,
	    .outcome = "good",
	    .detail = "a sentence",
	    .url = "http://ocsp.test/",
	    .address = "2001:db8::1",
	    .source = "https://dns.test/q",
	    .elapsed_ms = 12,
	    .size = 503,
	    .this_update = 1699990000,
	    .next_update = 1700600000};
	const struct store_attempt bare = {.at = 1, .outcome = "http-timeout"};
	struct store *store = store_test_open(path);

	(void)state;
	assert_int_equal(store_test_attempt(store, FP_A, &bare), 0);
	assert_int_equal(
	    store_history(store, FP_A, 1, see_bare, NULL, NULL), 0);
	assert_int_equal(store_test_attempt(store, FP_A, &whole), 0);
	store_close(store);
	store = store_test_open(path);
	assert_int_equal(
	    store_history(store, FP_A, 1, see_whole, &whole, NULL), 0);
	store_close(store);
}

/* By count: enough for a person, and no more than twice that on the disk. */
static void
test_history_is_bounded(void **state)
{
	struct store *store = store_test_keep(path);
	struct store_test_history got;

	(void)state;
	assert_int_equal(store_test_history(store, FP_A, 10).count, 0);
	for (int i = 0; i < 3 * STORE_ATTEMPTS_MAX + 30; i++) {
		const struct store_attempt attempt = {
		    .at = i, .outcome = i % 2 == 0 ? "good" : "http-timeout"};

		assert_int_equal(store_test_attempt(store, FP_A, &attempt), 0);
		if (i < 3)
			assert_int_equal(
			    store_test_attempt(store, FP_B, &attempt), 0);
	}
	store_test_flush(store);
	got = store_test_history(store, FP_A, 7);
	assert_int_equal(got.count, 7);
	assert_int_equal(got.first, 3 * STORE_ATTEMPTS_MAX + 29);
	assert_string_equal(got.outcome, "http-timeout");
	got = store_test_history(store, FP_A, SIZE_MAX);
	assert_int_equal(got.count, STORE_ATTEMPTS_MAX);
	assert_int_equal(got.last, 2 * STORE_ATTEMPTS_MAX + 30);
	assert_int_equal(store_test_history(store, FP_A, 0).count, 0);
	got = store_test_history(store, FP_B, STORE_ATTEMPTS_MAX);
	assert_int_equal(got.count, 3);
	assert_int_equal(got.last, 0);
	store_close(store);
	/* twice as many, and the older half goes */
	assert_int_equal(store_test_ask(path, "SELECT count(*) FROM attempt"),
	    STORE_ATTEMPTS_MAX + 30 + 3);
}

/* --- what is too old --- */

static void
come_to(struct store *store, const char *fingerprint, int64_t at)
{
	const struct store_attempt attempt = {.at = at, .outcome = "good"};
	const struct store_change change = {.attempt = &attempt,
	    .staple = {(const uint8_t *)"staple", 6},
	    .this_update = at};

	assert_int_equal(store_save(store, fingerprint, &change, NULL), 0);
}

static void
test_prune(void **state)
{
	char one[] = "/one.pem", kept[] = FP_A;
	const struct store_target list = {
	    .certificate = one, .fingerprint = kept};
	struct store *store = store_test_keep(path);
	int64_t now = clock_wall_s();

	(void)state;
	assert_int_equal(store_put_targets(store, &list, 1, NULL), 0);
	/* more than one transaction of pruning looks at, of both kinds */
	for (int i = 0; i < 1200; i++) {
		char *fingerprint = mem_printf("%064d", i);

		come_to(store, fingerprint, now - STORE_ATTEMPTS_AGE_S - 9);
		free(fingerprint);
	}
	come_to(store, FP_A, now - STORE_ATTEMPTS_AGE_S - 5);
	come_to(store, FP_A, now - STORE_ATTEMPTS_AGE_S + 5);
	come_to(store, FP_A, now + 1000 * CLOCK_DAY); /* a clock gone wrong */
	come_to(store, FP_A, now);
	come_to(store, FP_B, now - 3);
	come_to(store, FP_B, now - 2);
	store_close(store);
	store = store_test_open(path);
	/* by age: attempts only, what was written lately stays */
	assert_int_equal(store_prune(store, now, NULL), 0);
	assert_int_equal(
	    store_test_ask(path, "SELECT count(*) FROM attempt"), 4);
	assert_int_equal(
	    store_test_ask(path, "SELECT count(*) FROM certificate"), 1202);
	/* the wrong one is out of the middle: what is behind it is lost to the
	 * walk, and goes with its age */
	assert_int_equal(store_test_history(store, FP_A, 10).count, 1);
	assert_int_equal(store_test_history(store, FP_B, 10).count, 2);
	assert_int_equal(
	    store_prune(store, now + STORE_UNKEPT_S - 10, NULL), 0);
	assert_int_equal(
	    store_test_ask(path, "SELECT count(*) FROM certificate"), 1202);
	/* then what nobody keeps goes, and all that belongs to it */
	assert_int_equal(
	    store_prune(store, now + STORE_UNKEPT_S + 10, NULL), 0);
	assert_int_equal(
	    store_test_ask(path, "SELECT count(*) FROM certificate"), 1);
	assert_int_equal(
	    store_test_ask(path, "SELECT count(*) FROM attempt"), 1);
	store_test_expect(store, FP_A, "staple");
	store_test_expect(store, FP_B, NULL);
	assert_int_equal(store_test_history(store, FP_B, 10).count, 0);
	/* and a new one of its name begins anew */
	come_to(store, FP_B, now);
	assert_int_equal(store_test_history(store, FP_B, 10).count, 1);
	store_close(store);
}

/* A machine without a clock of its own starts in the past, until it is told the
 * time: its history is none of the future. */
static void
test_prune_before_the_clock_is_set(void **state)
{
	struct store *store = store_test_open(path);
	int64_t now = clock_wall_s();

	(void)state;
	come_to(store, FP_A, now - 2 * CLOCK_DAY);
	come_to(store, FP_A, now - CLOCK_DAY);
	assert_int_equal(store_prune(store, now - 1000 * CLOCK_DAY, NULL), 0);
	assert_int_equal(store_test_history(store, FP_A, 10).count, 2);
	store_close(store);
}

/* A write that fails is told, and what was there is there still, all of it:
 * what could be written of the change is undone. */
static void
test_failed_write(void **state)
{
	const struct store_attempt attempt = {.outcome = "good"};
	const struct store_state failing = {.failures = 3};
	const struct store_change change = {.attempt = &attempt,
	    .state = &failing,
	    .staple = {(const uint8_t *)"new", 3}};
	struct store *store = store_test_open(path);
	struct err err = {0};
	sqlite3 *other = NULL;

	(void)state;
	store_test_put(store, FP_A, "old");
	assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
	assert_int_equal(
	    sqlite3_exec(other,
		"CREATE TRIGGER no BEFORE UPDATE OF der ON certificate"
		" BEGIN SELECT RAISE(ABORT, 'no room'); END",
		NULL, NULL, NULL),
	    SQLITE_OK);
	assert_int_equal(store_save(store, FP_A, &change, &err), -1);
	assert_int_equal(err.reason, REASON_STORE);
	assert_non_null(strstr(err.text, "no room"));
	store_test_expect(store, FP_A, "old");
	store_test_expect_state(store, FP_A, &(struct store_state){0});
	assert_int_equal(store_test_history(store, FP_A, 9).count, 0);
	assert_int_equal(sqlite3_exec(other, "DROP TRIGGER no; BEGIN IMMEDIATE",
			     NULL, NULL, NULL),
	    SQLITE_OK);
	err = (struct err){0};
	assert_int_equal(store_save(store, FP_A, &change, &err), -1);
	assert_int_equal(err.reason, REASON_STORE);
	(void)sqlite3_close(other);
	store_test_expect(store, FP_A, "old");
	assert_int_equal(store_save(store, FP_A, &change, NULL), 0);
	store_test_expect(store, FP_A, "new");
	store_close(store);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_states, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_second, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_seals, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_each, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_an_attempt_comes_back, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_history_is_bounded, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_failed_write, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_prune, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_prune_before_the_clock_is_set, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
