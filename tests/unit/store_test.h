/* SPDX-License-Identifier: ISC */
/* tests/unit/store_test.h -- a store of the test's own, and what is asked of
 * it.  To be included after cmocka.h. */
#ifndef OCLASP_TESTS_STORE_TEST_H
#define OCLASP_TESTS_STORE_TEST_H

#include <sqlite3.h>

#include "base/clock.h"
#include "base/err.h"
#include "keep/store.h"
#include "scratch.h"

#define FP_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define FP_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

/* Nobody else works with it; each change is written at once. */
static inline struct store *
store_test_open(const char *path)
{
	struct err err = {0};
	struct store *store = store_visit(path, STORE_MAKE | STORE_MINE, &err);

	if (store == NULL)
		fail_msg("cannot open: %s", err.text);
	return store;
}

static inline void
store_test_put(struct store *store, const char *fingerprint, const char *text)
{
	const struct store_change change = {
	    .staple = {(const uint8_t *)text, strlen(text)},
	    .this_update = 5,
	};
	struct err err = {0};

	if (store_save(store, fingerprint, &change, &err) == -1)
		fail_msg("cannot put: %s", err.text);
}

static inline int
store_test_attempt(struct store *store, const char *fingerprint,
    const struct store_attempt *attempt)
{
	const struct store_change change = {.attempt = attempt};

	return store_save(store, fingerprint, &change, NULL);
}

/* NULL TEXT: nothing is stored. */
static inline void
store_test_expect(
    struct store *store, const char *fingerprint, const char *text)
{
	struct err err = {0};
	uint8_t *der = NULL;
	size_t len = 0;

	assert_int_equal(
	    store_get(store, fingerprint, &der, &len, &err), text != NULL);
	if (text != NULL) {
		assert_int_equal(len, strlen(text));
		assert_memory_equal(der, text, len);
	}
	free(der);
}

static inline void
store_test_expect_state(struct store *store, const char *fingerprint,
    const struct store_state *want)
{
	struct store_state got = {.failures = 99, .random = 99};

	assert_int_equal(store_get_state(store, fingerprint, &got, NULL), 1);
	assert_int_equal(got.last_attempt, want->last_attempt);
	assert_int_equal(got.failures, want->failures);
	assert_int_equal(got.last_err.reason, want->last_err.reason);
	assert_string_equal(got.last_err.text, want->last_err.text);
	assert_int_equal(got.last_final, want->last_final);
	assert_int_equal(got.last_status, want->last_status);
	assert_int_equal(got.final_life, want->final_life);
	assert_int_equal(got.floor, want->floor);
	assert_int_equal(got.first_seen, want->first_seen);
	assert_int_equal(got.first_at, want->first_at);
	assert_int_equal(got.other_hash, want->other_hash);
	assert_int_equal(got.fetch_again, want->fetch_again);
	assert_int_equal(got.retry_after, want->retry_after);
	assert_int_equal(got.random, want->random);
}

/* A number that SQL gives of the file, by another connection. */
static inline int
store_test_ask(const char *path, const char *sql)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *query = NULL;
	int number;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(
	    sqlite3_prepare_v2(db, sql, -1, &query, NULL), SQLITE_OK);
	number = sqlite3_step(query) == SQLITE_ROW
		     ? sqlite3_column_int(query, 0)
		     : -1;
	(void)sqlite3_finalize(query);
	(void)sqlite3_close(db);
	return number;
}

/* What the history of a certificate tells, the newest first. */
struct store_test_history {
	size_t count;
	int64_t first, last;
	char outcome[32];
};

static inline void
store_test_see(void *cookie, const struct store_attempt *attempt)
{
	struct store_test_history *history = cookie;

	if (history->count++ == 0) {
		history->first = attempt->at;
		(void)snprintf(history->outcome, sizeof(history->outcome), "%s",
		    attempt->outcome);
	} else {
		assert_true(attempt->at < history->last);
	}
	history->last = attempt->at;
}

static inline struct store_test_history
store_test_history(struct store *store, const char *fingerprint, size_t limit)
{
	struct store_test_history history = {0};

	assert_int_equal(store_history(store, fingerprint, limit,
			     store_test_see, &history, NULL),
	    0);
	return history;
}

/* --- as the keeper has it --- */

enum {
	STORE_TEST_WAIT_MS = 30000, /* for what comes at its own time */
	STORE_TEST_LOOK_MS = 5,
};

static inline struct store *
store_test_keep(const char *path)
{
	struct err err = {0};
	struct store *store = store_keep(path, &err);

	if (store == NULL)
		fail_msg("cannot keep: %s", err.text);
	return store;
}

static inline void
store_test_flush(struct store *store)
{
	struct err err = {0};

	if (store_flush(store, &err) == -1)
		fail_msg("cannot flush: %s", err.text);
}

/* COUNT staples of their own certificates; TEXT is what is in them. */
static inline void
store_test_put_many(struct store *store, int count, const char *text)
{
	for (int i = 0; i < count; i++) {
		char *fingerprint = mem_printf("%064d", i);

		store_test_put(store, fingerprint, text);
		free(fingerprint);
	}
}

/* What the store says until it says that it is AILING, or not; all of it. */
static inline struct store_report
store_test_wait(struct store *store, bool ailing)
{
	int64_t until = clock_mono_ms() + STORE_TEST_WAIT_MS;
	struct store_report sum = {0}, now;

	for (;;) {
		store_check(store, &now);
		if (now.aside != NULL) {
			free(sum.aside);
			sum.aside = now.aside;
		}
		sum.wants_all = sum.wants_all || now.wants_all;
		sum.ailing = now.ailing;
		sum.err = now.err;
		sum.waiting = now.waiting;
		if (now.ailing == ailing)
			return sum;
		if (clock_mono_ms() >= until)
			fail_msg("still %s: %s", now.ailing ? "ailing" : "well",
			    now.err.text);
		(void)usleep(STORE_TEST_LOOK_MS * 1000);
	}
}

/* Until the store has asked for all again. */
static inline struct store_report
store_test_wait_loss(struct store *store)
{
	int64_t until = clock_mono_ms() + STORE_TEST_WAIT_MS;
	char *aside = NULL;

	for (;;) {
		struct store_report report = store_test_wait(store, false);

		if (report.aside != NULL) {
			free(aside);
			aside = report.aside;
		}
		if (report.wants_all) {
			report.aside = aside;
			return report;
		}
		assert_true(clock_mono_ms() < until);
		(void)usleep(STORE_TEST_LOOK_MS * 1000);
	}
}

static inline void
store_test_expect_visitor(
    const char *path, const char *fingerprint, const char *text)
{
	struct store *visitor = store_visit(path, 0, NULL);

	assert_non_null(visitor);
	store_test_expect(visitor, fingerprint, text);
	store_close(visitor);
}

static inline void
store_test_sql(const char *path, const char *text)
{
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_busy_timeout(db, 10000), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* The files of the store beneath whoever works with it. */
static inline void
store_test_delete(const char *path)
{
	static const char *const suffixes[] = {"", "-wal", "-shm"};

	for (size_t i = 0; i < 3; i++) {
		char *name = mem_printf("%s%s", path, suffixes[i]);

		(void)unlink(name);
		free(name);
	}
}

#endif
