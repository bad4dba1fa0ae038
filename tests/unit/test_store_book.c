/* SPDX-License-Identifier: ISC */
/* test_store_book.c -- keep/store: migration, the address book, the list. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acquire/address_book.h"
#include "base/err.h"
#include "base/file.h"
#include "store_test.h"

enum { NOW = 1800000000 };

static struct scratch scratch;

static int
begin(void **state)
{
	(void)state;
	scratch_make(&scratch);
	return chdir(scratch.dir);
}

static int
end(void **state)
{
	(void)state;
	scratch_remove(&scratch);
	return chdir("/");
}

static void
run_sql(const char *path, const char *text)
{
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* The tables of version 1, as 0.1.0 made them, with a staple in it. */
static const char version_1[] =
    "PRAGMA journal_mode = WAL;"
    "CREATE TABLE staple (fingerprint TEXT PRIMARY KEY, der BLOB NOT NULL,"
    " this_update INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE attempt (id INTEGER PRIMARY KEY, fingerprint TEXT NOT NULL,"
    " at INTEGER NOT NULL, outcome TEXT NOT NULL, detail TEXT, address TEXT,"
    " source TEXT, elapsed_ms INTEGER NOT NULL);"
    "CREATE INDEX attempt_of ON attempt (fingerprint, id);"
    "INSERT INTO staple VALUES ('ab', x'0102', 5);"
    "PRAGMA user_version = 1;";

static void
test_migration(void **state)
{
	struct address_book *book = address_book_new();
	struct store_target *targets = NULL;
	struct store *store;
	uint8_t *der = NULL;
	size_t len = 0, count = 9;

	(void)state;
	run_sql("one.db", version_1);
	store = store_test_open("one.db");
	assert_int_equal(store_get(store, "ab", &der, &len, NULL), 1);
	assert_int_equal(len, 2);
	assert_memory_equal(der, "\1\2", 2);
	free(der);
	assert_int_equal(store_load_book(store, book, NOW, NULL), 0);
	assert_int_equal(address_book_count(book), 0);
	assert_int_equal(store_get_targets(store, &targets, &count, NULL), 0);
	assert_int_equal(count, 0);
	store_close(store);
	/* and the second time there is nothing to do */
	store_close(store_test_open("one.db"));
	run_sql("one.db", "SELECT failures FROM address");
	address_book_free(book);
}

/* The tables of version 2, with the care of some certificates: what version 3
 * knows of it stands in their history. */
static const char version_2[] =
    "INSERT INTO attempt (fingerprint, at, outcome, detail, address, source,"
    " elapsed_ms) VALUES"
    " ('good', 10, 'http-timeout', 'slow', '', '', 9),"
    " ('good', 11, 'good', '', '192.0.2.1', 'system', 5),"
    " ('failing', 20, 'good', '', '192.0.2.1', 'system', 5),"
    " ('failing', 21, 'http-timeout', 'slow', '', '', 9),"
    " ('failing', 22, 'not-ocsp', 'a page', '192.0.2.2', 'book', 7),"
    " ('revoked', 30, 'good', '', '192.0.2.1', 'system', 5),"
    " ('revoked', 31, 'revoked', '', '192.0.2.1', 'system', 5),"
    " ('revoked', 32, 'http-timeout', 'slow', '', '', 9),"
    " ('mended', 40, 'unknown', '', '192.0.2.1', 'system', 5),"
    " ('mended', 41, 'good', '', '192.0.2.1', 'system', 5),"
    " ('unknown', 50, 'unknown', '', '192.0.2.1', 'system', 5);"
    "INSERT INTO staple VALUES ('good', x'0102', 9), ('failing', x'03', 8);"
    "CREATE TABLE address (host TEXT NOT NULL, address TEXT NOT NULL,"
    " proven_at INTEGER NOT NULL, latency_ms INTEGER NOT NULL,"
    " failures INTEGER NOT NULL, PRIMARY KEY (host, address)) WITHOUT ROWID;"
    "CREATE TABLE target (certificate TEXT PRIMARY KEY, issuer TEXT, url TEXT)"
    " WITHOUT ROWID;"
    "INSERT INTO target VALUES ('/a.pem', NULL, NULL);"
    "PRAGMA user_version = 2;";

static void
see_migrated(void *cookie, const struct store_attempt *attempt)
{
	int64_t *last = cookie;

	assert_true(attempt->at < *last);
	*last = attempt->at;
	if (attempt->at == 22) {
		assert_string_equal(attempt->outcome, "not-ocsp");
		assert_string_equal(attempt->detail, "a page");
		assert_string_equal(attempt->address, "192.0.2.2");
		assert_string_equal(attempt->source, "book");
		assert_null(attempt->url);
		assert_int_equal(attempt->elapsed_ms, 7);
	}
	if (attempt->at == 21)
		assert_null(attempt->address);
}

static void
test_migration_of_a_history(void **state)
{
	static const struct {
		const char *name;
		struct store_state state;
		int64_t oldest;
		size_t staple;
	} rows[] = {
	    {"good", {.last_attempt = 11}, 10, 2},
	    {"failing",
		{.last_attempt = 22,
		    .failures = 2,
		    .last_err = {REASON_NOT_OCSP, "a page"}},
		20, 1},
	    {"revoked",
		{.last_attempt = 32,
		    .failures = 1,
		    .last_err = {REASON_HTTP_TIMEOUT, "slow"},
		    .last_final = true,
		    .last_status = CERT_REVOKED},
		30, 0},
	    {"mended", {.last_attempt = 41}, 40, 0},
	    {"unknown",
		{.last_attempt = 50,
		    .last_final = true,
		    .last_status = CERT_UNKNOWN},
		50, 0},
	};
	struct store *store;

	(void)state;
	run_sql("two.old", version_1);
	run_sql("two.old", version_2);
	store = store_test_keep("two.old");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t last = INT64_MAX;
		uint8_t *der = NULL;
		size_t len = 0;

		print_message("%s\n", rows[i].name);
		store_test_expect_state(store, rows[i].name, &rows[i].state);
		assert_int_equal(
		    store_get(store, rows[i].name, &der, &len, NULL),
		    rows[i].staple > 0);
		assert_int_equal(len, rows[i].staple);
		free(der);
		assert_int_equal(store_history(store, rows[i].name, 9,
				     see_migrated, &last, NULL),
		    0);
		assert_int_equal(last, rows[i].oldest);
	}
	store_close(store);
	run_sql("two.old", "CREATE TABLE proof (n CHECK (n = 1));"
			   "INSERT INTO proof SELECT count(*) FROM target");
}

/* What version 3 has added to version 2, as 0.2.0 made it. */
static const char version_3[] =
    "CREATE TABLE certificate (id INTEGER PRIMARY KEY,"
    " fingerprint TEXT NOT NULL UNIQUE, written_at INTEGER NOT NULL,"
    " last_id INTEGER, attempts INTEGER NOT NULL DEFAULT 0,"
    " last_attempt INTEGER NOT NULL DEFAULT 0,"
    " failures INTEGER NOT NULL DEFAULT 0, reason TEXT, detail TEXT,"
    " final TEXT, final_life INTEGER NOT NULL DEFAULT 0,"
    " floor INTEGER NOT NULL DEFAULT 0, fetch_again INTEGER NOT NULL DEFAULT 0,"
    " retry_after INTEGER NOT NULL DEFAULT 0,"
    " first_seen INTEGER NOT NULL DEFAULT 0,"
    " first_at INTEGER NOT NULL DEFAULT 0, random INTEGER NOT NULL DEFAULT 0,"
    " other_hash INTEGER NOT NULL DEFAULT 0, this_update INTEGER, der BLOB,"
    " der256 BLOB);"
    "DROP TABLE attempt;"
    "CREATE TABLE attempt (id INTEGER PRIMARY KEY,"
    " certificate INTEGER NOT NULL, previous INTEGER, at INTEGER NOT NULL,"
    " outcome TEXT NOT NULL, detail TEXT, url TEXT, address TEXT, source TEXT,"
    " elapsed_ms INTEGER NOT NULL, size INTEGER, this_update INTEGER,"
    " next_update INTEGER);"
    "ALTER TABLE target ADD COLUMN fingerprint TEXT;"
    "CREATE INDEX target_of ON target (fingerprint);"
    "INSERT INTO certificate (fingerprint, written_at, last_attempt, random,"
    " this_update, der, der256) VALUES ('both', 1, 12, 7, 9, x'010203', x'04'),"
    " ('one', 1, 13, 8, 9, x'05', NULL), ('none', 1, 14, 9, NULL, NULL, NULL);"
    "PRAGMA user_version = 3;";

static void
see_unsealed(void *cookie, const struct store_item *item)
{
	int *count = cookie;

	(*count)++;
	assert_int_equal(item->seal.len, 0);
	assert_int_equal(item->second_seal.len, 0);
	if (strcmp(item->fingerprint, "both") == 0) {
		assert_int_equal(item->staple.len, 3);
		assert_int_equal(item->second.len, 1);
		assert_int_equal(item->state.last_attempt, 12);
		assert_int_equal(item->state.random, 7);
	}
}

/* All is there, without a seal: it is verified in full. */
static void
test_migration_to_seals(void **state)
{
	const struct store_change change = {
	    .staple = {(const uint8_t *)"new", 3},
	    .this_update = 10,
	    .seal = {(const uint8_t *)"seal", 4}};
	struct store *store;
	int count = 0;

	(void)state;
	run_sql("three.old", version_1);
	run_sql("three.old", version_2);
	run_sql("three.old", version_3);
	store = store_test_keep("three.old");
	assert_int_equal(
	    store_each(store, NULL, see_unsealed, &count, NULL), 0);
	assert_int_equal(count, 3);
	assert_int_equal(store_save(store, "one", &change, NULL), 0);
	store_close(store);
	assert_int_equal(store_test_ask("three.old", "PRAGMA user_version"), 4);
	assert_int_equal(
	    store_test_ask("three.old", "SELECT count(*) FROM certificate"
					" WHERE seal = CAST ('seal' AS BLOB)"),
	    1);
}

/* A later version, and what is no version of ours at all. */
static void
test_other_versions(void **state)
{
	struct err err = {0};

	(void)state;
	run_sql("five.db", "PRAGMA user_version = 5");
	assert_null(store_keep("five.db", &err));
	assert_int_equal(err.reason, REASON_STORE);
	assert_non_null(strstr(err.text, "version 5"));
	err_clear(&err);
	assert_null(store_visit("five.db", STORE_MAKE, &err));
	assert_non_null(strstr(err.text, "version 5"));
}

/* A migration that fails leaves version 1 whole. */
static void
test_migration_that_fails(void **state)
{
	struct err err = {0};

	(void)state;
	run_sql("odd.db", version_1);
	run_sql("odd.db", "CREATE TABLE target (x)");
	assert_null(store_keep("odd.db", &err));
	assert_int_equal(err.reason, REASON_STORE);
	err_clear(&err);
	assert_null(store_visit("odd.db", STORE_MINE, &err));
	assert_int_equal(err.reason, REASON_STORE);
	run_sql("odd.db", "DROP TABLE target"); /* and address is not there */
	store_close(store_test_open("odd.db"));
}

/* A visitor does not change the tables under a keeper of an earlier version,
 * unless that keeper's lock is its own. */
static void
test_visitor_of_an_earlier_version(void **state)
{
	struct err err = {0};
	int lock = -1;

	(void)state;
	assert_int_equal(file_make_dir("earlier", 0755, NULL), 0);
	run_sql("earlier/a.db", version_1);
	run_sql("earlier/b.db", version_1);
	assert_int_equal(file_lock("earlier/lock", &lock, NULL), 0);
	assert_null(store_visit("earlier/a.db", 0, &err));
	assert_int_equal(err.reason, REASON_STORE);
	assert_non_null(strstr(err.text, "earlier version"));
	run_sql("earlier/a.db", "SELECT der FROM staple");
	store_close(store_visit("earlier/b.db", STORE_MINE, NULL));
	run_sql("earlier/b.db", "SELECT der FROM certificate");
	(void)close(lock);
	store_close(store_visit("earlier/a.db", 0, NULL));
	run_sql("earlier/a.db", "SELECT der FROM certificate");
	/* and the lock is given back */
	assert_int_equal(file_lock("earlier/lock", &lock, NULL), 0);
	(void)close(lock);
}

static void
test_visitors(void **state)
{
	static const char noise[] = "this is no database, it only looks long "
				    "enough to be one, and is none at all";
	struct err err = {0};

	(void)state;
	assert_null(store_visit("none.db", 0, &err));
	assert_int_equal(err.reason, REASON_STORE);
	assert_int_equal(access("none.db", F_OK), -1);
	store_close(store_visit("none.db", STORE_MAKE, NULL));
	assert_int_equal(access("none.db", F_OK), 0);
	/* a visitor sets nothing aside */
	assert_int_equal(
	    file_replace("noise.db", noise, sizeof(noise), 0644, NULL), 0);
	err_clear(&err);
	assert_null(store_visit("noise.db", STORE_MAKE, &err));
	assert_int_equal(err.reason, REASON_STORE);
	assert_true(file_holds("noise.db", noise, sizeof(noise)));
}

static void
test_book_comes_back(void **state)
{
	struct address_book *book = address_book_new();
	struct store *store = store_test_open("book.db");
	const struct book_entry *out[BOOK_PER_HOST_MAX];

	(void)state;
	address_book_prove(book, "ocsp.test", "192.0.2.1", 5, NOW - 10);
	address_book_prove(book, "ocsp.test", "2001:db8::1", 7, NOW - 5);
	address_book_fail(book, "ocsp.test", "192.0.2.1");
	assert_int_equal(store_save_book(store, book, NOW, NULL), 0);
	assert_false(address_book_is_changed(book));
	address_book_free(book);
	store_close(store);

	store = store_test_open("book.db");
	book = address_book_new();
	assert_int_equal(store_load_book(store, book, NOW, NULL), 0);
	assert_int_equal(address_book_find(book, "ocsp.test", NOW, out), 2);
	assert_string_equal(out[0]->address, "2001:db8::1");
	assert_int_equal(out[0]->proven_at, NOW - 5);
	assert_int_equal(out[0]->latency_ms, 7);
	assert_int_equal(out[1]->failures, 1);
	address_book_free(book);
	store_close(store);
}

/* Two processes with a book each: the later proof stays. */
static void
test_two_writers(void **state)
{
	struct address_book *mine = address_book_new();
	struct address_book *theirs = address_book_new();
	struct address_book *seen = address_book_new();
	struct store *store = store_test_open("two.db");
	struct store *visitor = store_visit("two.db", 0, NULL);

	(void)state;
	assert_non_null(visitor);
	address_book_prove(mine, "ocsp.test", "192.0.2.1", 5, NOW - 100);
	address_book_prove(mine, "mine.test", "192.0.2.1", 5, NOW - 100);
	address_book_prove(theirs, "ocsp.test", "192.0.2.1", 8, NOW);
	assert_int_equal(store_save_book(visitor, theirs, NOW, NULL), 0);
	assert_int_equal(store_save_book(store, mine, NOW, NULL), 0);
	assert_int_equal(store_load_book(store, seen, NOW, NULL), 0);
	assert_int_equal(address_book_count(seen), 2);
	for (size_t i = 0; i < 2; i++) {
		const struct book_entry *entry = address_book_at(seen, i);

		assert_int_equal(entry->proven_at,
		    strcmp(entry->host, "mine.test") == 0 ? NOW - 100 : NOW);
	}
	address_book_free(mine);
	address_book_free(theirs);
	address_book_free(seen);
	store_close(visitor);
	store_close(store);
}

/* What is too old or too much for the book goes out of the store too. */
static void
test_store_is_trimmed(void **state)
{
	struct address_book *book = address_book_new();
	struct store *store = store_test_open("trim.db");
	char text[256];

	(void)state;
	for (int i = 0; i < 20; i++) {
		(void)snprintf(text, sizeof(text),
		    "INSERT INTO address VALUES ('h.test', '192.0.2.%d', %d, 1,"
		    " 0)",
		    i, NOW - 1000 - i);
		run_sql("trim.db", text);
	}
	(void)snprintf(text, sizeof(text),
	    "INSERT INTO address VALUES ('old.test', '192.0.2.1', %d, 1, 0),"
	    " ('odd host', 'x', %d, 1, 0)",
	    NOW - BOOK_AGE_MAX_S, NOW);
	run_sql("trim.db", text);
	address_book_prove(book, "h.test", "192.0.2.99", 1, NOW);
	assert_int_equal(store_save_book(store, book, NOW, NULL), 0);
	address_book_free(book);
	book = address_book_new();
	assert_int_equal(store_load_book(store, book, NOW, NULL), 0);
	assert_int_equal(address_book_count(book), BOOK_PER_HOST_MAX);
	run_sql("trim.db",
	    "CREATE TABLE proof (n CHECK (n = 9));" /* 8 and the odd one */
	    "INSERT INTO proof SELECT count(*) FROM address");
	address_book_free(book);
	store_close(store);
}

static void
see_target(void *cookie, const char *certificate, const char *fingerprint)
{
	size_t *count = cookie;

	assert_string_equal(certificate, "/a.pem");
	assert_string_equal(fingerprint, "0a0b");
	(*count)++;
}

static void
test_targets(void **state)
{
	char one[] = "/a.pem", two[] = "/b.pem", issuer[] = "/ca.pem",
	     url[] = "http://ocsp.test/", print[] = "0a0b";
	struct store_target list[] = {
	    {two, NULL, NULL, NULL}, {one, issuer, url, print}};
	struct store *store = store_test_open("list.db");
	struct store_target *got = NULL;
	size_t count = 0;

	(void)state;
	assert_int_equal(store_put_targets(store, list, 2, NULL), 0);
	assert_int_equal(store_get_targets(store, &got, &count, NULL), 0);
	assert_int_equal(count, 2);
	assert_string_equal(got[0].certificate, one);
	assert_string_equal(got[0].issuer, issuer);
	assert_string_equal(got[0].url, url);
	assert_string_equal(got[0].fingerprint, print);
	assert_null(got[1].fingerprint);
	assert_string_equal(got[1].certificate, two);
	assert_null(got[1].issuer);
	assert_null(got[1].url);
	store_targets_free(got, count);
	/* those of which it is known what they are */
	assert_int_equal(store_each_target(store, see_target, &count, NULL), 0);
	assert_int_equal(count, 3);
	/* the next list is all there is */
	assert_int_equal(store_put_targets(store, list, 1, NULL), 0);
	assert_int_equal(store_get_targets(store, &got, &count, NULL), 0);
	assert_int_equal(count, 1);
	store_targets_free(got, count);
	store_close(store);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_migration),
	    cmocka_unit_test(test_migration_of_a_history),
	    cmocka_unit_test(test_migration_to_seals),
	    cmocka_unit_test(test_other_versions),
	    cmocka_unit_test(test_migration_that_fails),
	    cmocka_unit_test(test_visitor_of_an_earlier_version),
	    cmocka_unit_test(test_visitors),
	    cmocka_unit_test(test_book_comes_back),
	    cmocka_unit_test(test_two_writers),
	    cmocka_unit_test(test_store_is_trimmed),
	    cmocka_unit_test(test_targets),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
