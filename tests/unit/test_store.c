/* SPDX-License-Identifier: ISC */
/* test_store.c -- keep/store: what survives, what is set aside, what is said.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>

#include "base/err.h"
#include "base/file.h"
#include "keep/store.h"
#include "scratch.h"

enum { KILLS = 12, BLOB = 3000, NOBODY = 65534 };

#define FP_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define FP_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static struct scratch scratch;
static char *path;

static int
set_up(void **state)
{
	(void)state;
	scratch_make(&scratch);
	path = scratch_path(&scratch, "oclasp.db");
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	free(path);
	(void)chmod(scratch.dir, 0700);
	scratch_remove(&scratch);
	return 0;
}

static struct store *
open_sound(void)
{
	struct err err = {0};
	char *aside = NULL;
	struct store *store = store_open(path, &aside, &err);

	if (store == NULL)
		fail_msg("cannot open: %s", err.text);
	assert_null(aside);
	return store;
}

static void
put(struct store *store, const char *fingerprint, const char *text)
{
	struct err err = {0};
	struct span der = {(const uint8_t *)text, strlen(text)};

	if (store_put(store, fingerprint, der, 5, &err) == -1)
		fail_msg("cannot put: %s", err.text);
}

/* NULL TEXT: nothing is stored. */
static void
expect(struct store *store, const char *fingerprint, const char *text)
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

/* A number that SQL gives of the file, by another connection. */
static int
ask(const char *sql)
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

static void
test_round_trip(void **state)
{
	struct store *store = open_sound();
	struct err err = {0};

	(void)state;
	expect(store, FP_A, NULL);
	put(store, FP_A, "first");
	put(store, FP_B, "other");
	expect(store, FP_A, "first");
	put(store, FP_A, "second");
	expect(store, FP_A, "second");
	expect(store, FP_B, "other");
	store_close(store);
	store = open_sound(); /* A1 */
	expect(store, FP_A, "second");
	assert_int_equal(store_remove(store, FP_A, &err), 0);
	assert_int_equal(store_remove(store, FP_A, &err), 0);
	expect(store, FP_A, NULL);
	expect(store, FP_B, "other");
	store_close(store);
	store_close(NULL);
}

static void
attempt_came_to(
    struct store *store, const char *fingerprint, const char *outcome)
{
	const struct store_attempt attempt = {.at = 9999, .outcome = outcome};

	assert_int_equal(
	    store_add_attempt(store, fingerprint, &attempt, NULL), 0);
}

static void
test_history_is_bounded(void **state)
{
	struct store *store = open_sound();
	struct err err = {0};

	(void)state;
	for (int i = 0; i < STORE_ATTEMPTS_MAX + 30; i++) {
		const struct store_attempt attempt = {.at = i,
		    .outcome = "good",
		    .detail = "",
		    .address = "192.0.2.1",
		    .source = "system"};

		assert_int_equal(
		    store_add_attempt(store, FP_A, &attempt, &err), 0);
		if (i < 3)
			assert_int_equal(
			    store_add_attempt(store, FP_B, &attempt, &err), 0);
	}
	attempt_came_to(store, FP_B, "revoked");
	assert_true(store_last_was(store, FP_B, "revoked"));
	assert_false(store_last_was(store, FP_A, "revoked"));
	assert_true(store_last_was(store, FP_A, "good"));
	attempt_came_to(store, FP_B, "good");
	assert_false(store_last_was(store, FP_B, "revoked"));
	assert_false(store_last_was(store, "cc", "good"));
	store_close(store);
	assert_int_equal(ask("SELECT count(*) FROM attempt WHERE fingerprint"
			     " = '" FP_A "'"),
	    STORE_ATTEMPTS_MAX);
	assert_int_equal(ask("SELECT min(at) FROM attempt WHERE fingerprint"
			     " = '" FP_A "'"),
	    30);
	assert_int_equal(ask("SELECT count(*) FROM attempt WHERE fingerprint"
			     " = '" FP_B "'"),
	    5);
}

/* --- what is damaged, and what only looks so --- */

static void
expect_aside(const char *what)
{
	struct err err = {0};
	char *aside = NULL;
	struct store *store = store_open(path, &aside, &err);

	if (store == NULL)
		fail_msg("%s: %s", what, err.text);
	assert_non_null(aside);
	assert_true(scratch_exists(aside));
	put(store, FP_A, "after");
	expect(store, FP_A, "after");
	expect(store, FP_B, NULL);
	store_close(store);
	store = open_sound();
	expect(store, FP_A, "after");
	store_close(store);
	assert_int_equal(unlink(path), 0);
	free(aside);
}

/* Never deleted, also when two are damaged in one second. */
static void
test_damaged_is_set_aside(void **state)
{
	struct store *store;
	FILE *file;

	(void)state;
	scratch_write(path, "this is no database, it is a longer text than "
			    "a header of SQLite has, which is 100 octets; "
			    "so it must be refused");
	expect_aside("text");
	store = open_sound();
	for (int i = 0; i < 200; i++) {
		char *fingerprint = mem_printf("%064d", i);

		put(store, fingerprint,
		    "staple staple staple staple staple "
		    "staple staple staple staple staple");
		free(fingerprint);
	}
	store_close(store);
	file = fopen(path, "r+");
	assert_non_null(file);
	(void)fseek(file, 4096, SEEK_SET);
	for (int i = 0; i < 16384; i++)
		(void)fputc(0x5a, file);
	(void)fclose(file);
	expect_aside("pages overwritten");
	assert_int_equal(scratch_count(scratch.dir), 2);
}

/* Another program reads or repairs it: it is not damaged for that. */
static void
test_locked_is_not_damaged(void **state)
{
	struct store *store = open_sound();
	sqlite3 *other = NULL;
	struct err err = {0};
	char *aside = NULL;

	(void)state;
	put(store, FP_A, "kept");
	store_close(store);
	assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other,
			     "PRAGMA locking_mode = EXCLUSIVE;"
			     "BEGIN EXCLUSIVE; DELETE FROM staple;",
			     NULL, NULL, NULL),
	    SQLITE_OK);
	assert_null(store_open(path, &aside, &err));
	assert_null(aside);
	assert_int_equal(err.reason, REASON_STORE);
	assert_non_null(strstr(err.text, "locked"));
	(void)sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL);
	(void)sqlite3_close(other);
	store = open_sound();
	expect(store, FP_A, "kept");
	store_close(store);
}

static void
test_newer_is_refused(void **state)
{
	struct store *store = open_sound();
	struct err err = {0};
	char *aside = NULL;

	(void)state;
	put(store, FP_A, "kept");
	store_close(store);
	assert_int_equal(ask("PRAGMA user_version"), 2);
	(void)ask("PRAGMA user_version = 3");
	assert_null(store_open(path, &aside, &err));
	assert_null(aside);
	assert_int_equal(err.reason, REASON_STORE);
	assert_non_null(strstr(err.text, "newer"));
	(void)ask("PRAGMA user_version = 2");
	store = open_sound();
	expect(store, FP_A, "kept");
	store_close(store);
}

/* Root may write anywhere: then another user, for the time of this test. */
static void
test_read_only_folder(void **state)
{
	struct err err = {0};
	char *aside = NULL;
	bool root = geteuid() == 0;

	(void)state;
	if (root) {
		assert_int_equal(chown(scratch.dir, NOBODY, NOBODY), 0);
		assert_int_equal(seteuid(NOBODY), 0);
	}
	store_close(open_sound());
	assert_int_equal(chmod(path, 0400), 0);
	assert_int_equal(chmod(scratch.dir, 0500), 0);
	assert_null(store_open(path, &aside, &err));
	if (root)
		assert_int_equal(seteuid(0), 0);
	assert_null(aside);
	assert_int_equal(err.reason, REASON_STORE);
	assert_null(strstr(err.text, "damaged"));
	assert_non_null(strstr(err.text, path));
}

static void
test_no_folder(void **state)
{
	char *nowhere = scratch_path(&scratch, "none/oclasp.db");
	struct err err = {0};
	char *aside = NULL;

	(void)state;
	assert_null(store_open(nowhere, &aside, &err));
	assert_null(aside);
	assert_int_equal(err.reason, REASON_STORE);
	assert_non_null(strstr(err.text, nowhere));
	free(nowhere);
	err = (struct err){0};
	assert_null(store_open(scratch.dir, &aside, &err)); /* a folder */
	assert_null(aside);
	assert_int_equal(err.reason, REASON_STORE);
}

/* A write that fails is told, and what was there is there still. */
static void
test_failed_write(void **state)
{
	struct store *store = open_sound();
	struct err err = {0};
	sqlite3 *other = NULL;
	struct span der = {(const uint8_t *)"new", 3};
	const struct store_attempt attempt = {.outcome = "good"};

	(void)state;
	put(store, FP_A, "old");
	assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
	assert_int_equal(
	    sqlite3_exec(other, "DROP TABLE attempt", NULL, NULL, NULL),
	    SQLITE_OK);
	assert_int_equal(store_add_attempt(store, FP_A, &attempt, &err), -1);
	assert_int_equal(err.reason, REASON_STORE);
	assert_int_equal(
	    sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL),
	    SQLITE_OK);
	err = (struct err){0};
	assert_int_equal(store_put(store, FP_A, der, 6, &err), -1);
	assert_int_equal(err.reason, REASON_STORE);
	(void)sqlite3_close(other);
	expect(store, FP_A, "old");
	store_close(store);
}

/* --- kill -9 --- */

/* The child's work: one staple after the other, each whole of one letter, and
 * one octet into FD for each that was told to be written. */
static void
write_for_ever(int fd)
{
	struct store *store = open_sound();
	char blob[BLOB];
	char octet = 0;

	for (unsigned i = 0;; i++) {
		const struct store_attempt attempt = {
		    .at = (int64_t)i, .outcome = "good"};

		memset(blob, 'a' + (int)(i % 26), sizeof(blob));
		if (store_put(store, FP_A,
			(struct span){(uint8_t *)blob, sizeof(blob)},
			(int64_t)i, NULL) == -1 ||
		    store_add_attempt(store, FP_A, &attempt, NULL) == -1)
			_exit(1);
		if (write(fd, &octet, 1) != 1)
			_exit(1);
	}
}

/* I7: the old or the new, never a mixture. */
static void
expect_whole(void)
{
	struct store *store = open_sound();
	struct err err = {0};
	uint8_t *der = NULL;
	size_t len = 0;

	assert_int_equal(store_get(store, FP_A, &der, &len, &err), 1);
	assert_int_equal(len, BLOB);
	for (size_t i = 1; i < len; i++)
		assert_int_equal(der[i], der[0]);
	free(der);
	store_close(store);
	/* one more if it was killed before the oldest was taken out */
	assert_true(
	    ask("SELECT count(*) FROM attempt") <= STORE_ATTEMPTS_MAX + 1);
}

static void
test_killed_while_writing(void **state)
{
	(void)state;
	for (unsigned kills = 1; kills <= KILLS; kills++) {
		unsigned heard = 0;
		int pipes[2];
		char octets[256];
		int status;
		pid_t child;

		assert_int_equal(pipe(pipes), 0);
		child = fork();
		assert_true(child != -1);
		if (child == 0)
			write_for_ever(pipes[1]);
		close(pipes[1]);
		/* another instant in each round: after so many writes, and a
		 * busy wait of some microseconds */
		while (heard < kills * 7) {
			ssize_t got = read(pipes[0], octets, 1);

			assert_int_equal(got, 1);
			heard++;
		}
		for (volatile unsigned spin = 0; spin < kills * 30011; spin++)
			continue;
		assert_int_equal(kill(child, SIGKILL), 0);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSIGNALED(status));
		close(pipes[0]);
		expect_whole();
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_round_trip, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_history_is_bounded, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_damaged_is_set_aside, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_locked_is_not_damaged, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_newer_is_refused, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_read_only_folder, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_no_folder, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_failed_write, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_killed_while_writing, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
