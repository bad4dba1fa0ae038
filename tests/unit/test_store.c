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
#include <sys/wait.h>

#include "base/err.h"
#include "base/file.h"
#include "own_store.h"

enum { KILLS = 12, BLOB = 3000, NOBODY = 65534 };

static void
test_round_trip(void **state)
{
	struct store *store = store_test_open(path);
	const struct store_change none = {.no_staple = true};

	(void)state;
	store_test_expect(store, FP_A, NULL);
	store_test_put(store, FP_A, "first");
	store_test_put(store, FP_B, "other");
	store_test_expect(store, FP_A, "first");
	store_test_put(store, FP_A, "second");
	store_test_expect(store, FP_A, "second");
	store_test_expect(store, FP_B, "other");
	store_close(store);
	store = store_test_open(path); /* A1 */
	store_test_expect(store, FP_A, "second");
	assert_int_equal(store_save(store, FP_A, &none, NULL), 0);
	assert_int_equal(store_save(store, FP_A, &none, NULL), 0);
	store_test_expect(store, FP_A, NULL);
	store_test_expect(store, FP_B, "other");
	store_close(store);
	store_close(NULL);
}

/* --- what is damaged, and what only looks so --- */

/* Its name; owned. */
static char *
expect_aside(const char *what)
{
	struct store *store = store_test_keep(path);
	struct store_report report;

	print_message("%s\n", what);
	store_check(store, &report);
	assert_false(report.ailing);
	assert_true(report.wants_all);
	assert_non_null(report.aside);
	assert_true(scratch_exists(report.aside));
	store_test_put(store, FP_A, "after");
	store_test_flush(store);
	store_test_expect(store, FP_A, "after");
	store_test_expect(store, FP_B, NULL);
	store_close(store);
	store = store_test_open(path);
	store_test_expect(store, FP_A, "after");
	store_close(store);
	assert_int_equal(unlink(path), 0);
	return report.aside;
}

/* Never deleted, also when two are damaged in one second. */
static void
test_damaged_is_set_aside(void **state)
{
	char *one, *two;
	struct store *store;
	struct err err = {0};
	FILE *file;

	(void)state;
	scratch_write(path, "this is no database, it is a longer text than "
			    "a header of SQLite has, which is 100 octets; "
			    "so it must be refused");
	one = expect_aside("text");
	store = store_test_open(path);
	for (int i = 0; i < 200; i++) {
		char *fingerprint = mem_printf("%064d", i);

		store_test_put(store, fingerprint,
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
	two = expect_aside("pages overwritten");
	assert_string_not_equal(one, two);
	assert_true(scratch_exists(one));
	free(one);
	free(two);
	/* tables, and no version: a copy that was made by sqlite3's .dump */
	store = store_test_open(path);
	store_test_put(store, FP_B, "before");
	store_close(store);
	(void)store_test_ask(path, "PRAGMA user_version = 0");
	free(expect_aside("tables without a version"));
	/* a number that none has: four octets of the head are damaged */
	store = store_test_open(path);
	store_test_put(store, FP_B, "before");
	store_close(store);
	(void)store_test_ask(path, "PRAGMA user_version = -5");
	assert_null(store_visit(path, 0, &err));
	assert_int_equal(err.reason, REASON_STORE);
	assert_non_null(strstr(err.text, "damaged"));
	free(expect_aside("a version of none"));
}

/* Another program reads or repairs it: it is not damaged for that. */
static void
test_locked_is_not_damaged(void **state)
{
	struct store *store = store_test_open(path);
	sqlite3 *other = NULL;
	struct store_report report;
	struct err err = {0};

	(void)state;
	store_test_put(store, FP_A, "kept");
	store_close(store);
	assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other,
			     "PRAGMA locking_mode = EXCLUSIVE;"
			     "BEGIN EXCLUSIVE; DELETE FROM certificate;",
			     NULL, NULL, NULL),
	    SQLITE_OK);
	assert_null(store_visit(path, 0, &err));
	assert_int_equal(err.reason, REASON_STORE);
	assert_non_null(strstr(err.text, "locked"));
	store = store_test_keep(path);
	store_check(store, &report);
	assert_true(report.ailing);
	assert_null(report.aside);
	assert_non_null(strstr(report.err.text, "locked"));
	store_close(store);
	(void)sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL);
	(void)sqlite3_close(other);
	store = store_test_open(path);
	store_test_expect(store, FP_A, "kept");
	store_close(store);
}

static void
test_newer_is_refused(void **state)
{
	struct store *store = store_test_open(path);
	struct err err = {0};

	(void)state;
	store_test_put(store, FP_A, "kept");
	store_close(store);
	assert_int_equal(store_test_ask(path, "PRAGMA user_version"), 4);
	(void)store_test_ask(path, "PRAGMA user_version = 5");
	assert_null(store_keep(path, &err));
	assert_int_equal(err.reason, REASON_STORE);
	assert_non_null(strstr(err.text, "newer"));
	assert_int_equal(scratch_count(scratch.dir), 1); /* none set aside */
	(void)store_test_ask(path, "PRAGMA user_version = 4");
	store = store_test_open(path);
	store_test_expect(store, FP_A, "kept");
	store_close(store);
}

/* Root may write anywhere: then another user, for the time of this test. */
static void
test_read_only_folder(void **state)
{
	const struct store_change none = {.no_staple = true};
	struct err err = {0}, denied = {0};
	bool root = geteuid() == 0;
	struct store *store;

	(void)state;
	if (root) {
		assert_int_equal(chown(scratch.dir, NOBODY, NOBODY), 0);
		assert_int_equal(seteuid(NOBODY), 0);
	}
	store = store_test_open(path);
	store_test_put(store, FP_A, "kept");
	store_close(store);
	assert_int_equal(chmod(path, 0400), 0);
	assert_int_equal(chmod(scratch.dir, 0500), 0);
	assert_null(store_keep(path, &err));
	/* who only reads may */
	store = store_visit(path, 0, &denied);
	if (store == NULL)
		fail_msg("%s", denied.text);
	store_test_expect(store, FP_A, "kept");
	assert_int_equal(store_save(store, FP_A, &none, &denied), -1);
	assert_int_equal(denied.reason, REASON_STORE);
	store_close(store);
	if (root)
		assert_int_equal(seteuid(0), 0);
	assert_int_equal(err.reason, REASON_STORE);
	assert_null(strstr(err.text, "damaged"));
	assert_non_null(strstr(err.text, path));
	assert_int_equal(scratch_count(scratch.dir), 1);
}

static void
test_no_folder(void **state)
{
	char *nowhere = scratch_path(&scratch, "none/oclasp.db");
	struct err err = {0};

	(void)state;
	assert_null(store_visit(nowhere, STORE_MAKE, &err));
	assert_int_equal(err.reason, REASON_STORE);
	assert_non_null(strstr(err.text, nowhere));
	free(nowhere);
	err = (struct err){0};
	assert_null(store_visit(scratch.dir, STORE_MAKE, &err)); /* a folder */
	assert_int_equal(err.reason, REASON_STORE);
}

/* --- kill -9 --- */

/* The child's work: one staple after the other, each whole of one letter, and
 * one octet into FD for each that was told to be written. */
static void
write_for_ever(unsigned first, int fd)
{
	struct store *store = store_test_open(path);
	char blob[BLOB];
	char octet = 0;

	for (unsigned i = first;; i++) {
		const struct store_attempt attempt = {
		    .at = (int64_t)i, .outcome = "good"};
		const struct store_state standing = {.failures = i};
		const struct store_change change = {.attempt = &attempt,
		    .state = &standing,
		    .staple = {(uint8_t *)blob, sizeof(blob)},
		    .this_update = (int64_t)i};

		memset(blob, 'a' + (int)(i % 26), sizeof(blob));
		if (store_save(store, FP_A, &change, NULL) == -1)
			_exit(1);
		if (write(fd, &octet, 1) != 1)
			_exit(1);
	}
}

/* I7: the old or the new, never a mixture: what one change has put, staple,
 * state and attempt, goes together.  What had been told to be written is. */
static void
see_kept(void *cookie, const struct store_item *item)
{
	const unsigned *told = cookie;
	unsigned number = item->state.failures;

	assert_true(number + 1 >= *told);
	assert_int_equal(item->this_update, number);
	assert_int_equal(item->staple.len, BLOB);
	for (size_t i = 0; i < item->staple.len; i++)
		assert_int_equal(item->staple.at[i], 'a' + (int)(number % 26));
}

static void
expect_whole(unsigned told)
{
	struct store *store = store_test_open(path);
	struct store_state standing = {0};
	struct store_test_history history;

	assert_int_equal(store_each(store, NULL, see_kept, &told, NULL), 0);
	assert_int_equal(store_get_state(store, FP_A, &standing, NULL), 1);
	history = store_test_history(store, FP_A, SIZE_MAX);
	assert_int_equal(history.first, standing.failures);
	store_close(store);
	assert_true(store_test_ask(path, "SELECT count(*) FROM attempt") <
		    2 * STORE_ATTEMPTS_MAX);
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
			write_for_ever(kills << 16, pipes[1]);
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
		expect_whole((kills << 16) + heard);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_round_trip, set_up, tear_down),
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
		test_killed_while_writing, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
