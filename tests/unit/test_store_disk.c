/* SPDX-License-Identifier: ISC */
/* test_store_disk.c -- keep/store: through damage, deletion, full disks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "own_store.h"

enum {
	DISK_KIB = 1024, /* the tiny disk's */
	BIG = 60000,     /* octets of a staple that fills something up */
};

static bool may_mount;

static int
unmount_and_tear_down(void **state)
{
	(void)umount2(scratch.dir, MNT_DETACH);
	return tear_down(state);
}

/* --- damaged and deleted while it is open --- */

/* All pages but the first, behind everybody's back; what anybody has of them in
 * memory is out of date. */
static void
spoil_pages(void)
{
	struct stat st;
	FILE *file;

	store_test_sql(path, "CREATE TABLE news (x); DROP TABLE news;"
			     "PRAGMA wal_checkpoint (TRUNCATE);");
	assert_int_equal(stat(path, &st), 0);
	file = fopen(path, "r+");
	assert_non_null(file);
	(void)fseek(file, 4096, SEEK_SET);
	for (off_t i = 4096; i < st.st_size; i++)
		(void)fputc(0x5a, file);
	(void)fclose(file);
}

static void
delete_files(void)
{
	store_test_delete(path);
}

static void
replace_by_noise(void)
{
	char *noise = scratch_path(&scratch, "noise");

	scratch_write(noise, "this is no database, it is only a text, that is "
			     "a little longer than what a header of SQLite has,"
			     " which is 100 octets");
	assert_int_equal(rename(noise, path), 0);
	free(noise);
}

static void
replace_by_nothing(void)
{
	char *empty = scratch_path(&scratch, "empty");

	scratch_write(empty, "");
	assert_int_equal(rename(empty, path), 0);
	free(empty);
}

static void
delete_log(void)
{
	char *name = mem_printf("%s-wal", path);

	/* the database by itself is sound, and only older */
	store_test_sql(path, "PRAGMA wal_checkpoint (TRUNCATE); PRAGMA"
			     " wal_autocheckpoint = 0; CREATE TABLE news (x)");
	assert_int_equal(unlink(name), 0);
	free(name);
}

static void
drop_tables(void)
{
	store_test_sql(path, "DROP TABLE attempt; DROP TABLE certificate;");
}

/* I7, A13: whatever becomes of the files, the keeper goes on, is told that it
 * has to put all again, and nothing is deleted that was there. */
static void
test_lost_while_open(void **state)
{
	static const struct {
		const char *name;
		void (*spoil)(void);
		bool aside;
	} rows[] = {
	    {"pages overwritten", spoil_pages, true},
	    {"deleted", delete_files, false},
	    {"no database any more", replace_by_noise, true},
	    {"empty", replace_by_nothing, false},
	    {"the tables are gone", drop_tables, true},
	    {"the log is gone", delete_log, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct store *store = store_test_keep(path);
		struct store_report report;

		print_message("%s\n", rows[i].name);
		store_test_put_many(
		    store, 300, "staple, and a staple, and a staple");
		store_test_flush(store);
		store_check(store, &report);
		rows[i].spoil();
		store_test_put(store, FP_A, "after it");
		report = store_test_wait_loss(store);
		assert_int_equal(report.aside != NULL, rows[i].aside);
		if (report.aside != NULL)
			assert_true(scratch_exists(report.aside));
		free(report.aside);
		store_test_flush(store);
		/* by whatever way it came: nothing that was put is lost */
		store_test_expect(store, FP_A, "after it");
		store_test_expect_visitor(path, FP_A, "after it");
		store_test_put(store, FP_B, "and more");
		store_test_flush(store);
		store_test_expect(store, FP_B, "and more");
		store_close(store);
		store_test_expect_visitor(path, FP_B, "and more");
		store_test_delete(path);
	}
}

/* Without a change to write it is noticed all the same, when it is asked for. */
static void
test_deleted_while_idle(void **state)
{
	struct store *store = store_test_keep(path);
	struct store_report report;

	(void)state;
	store_test_put(store, FP_A, "before");
	store_test_flush(store);
	store_check(store, &report);
	store_test_delete(path);
	report = store_test_wait_loss(store);
	assert_null(report.aside);
	store_test_expect_visitor(path, FP_A, NULL);
	store_test_expect(store, FP_A, NULL);
	store_close(store);
}

/* A reader is the first to meet it. */
static void
test_damage_met_by_a_reader(void **state)
{
	struct store *store = store_test_keep(path);
	struct store_report report;
	uint8_t *der = NULL;
	size_t len = 0;
	char *fingerprint = mem_printf("%064d", 77);

	(void)state;
	store_test_put_many(store, 3000, "staple, and a staple, and a staple");
	store_test_flush(store);
	store_check(store, &report);
	spoil_pages();
	assert_int_equal(store_get(store, fingerprint, &der, &len, NULL), -1);
	report = store_test_wait_loss(store);
	assert_non_null(report.aside);
	free(report.aside);
	assert_int_equal(store_get(store, fingerprint, &der, &len, NULL), 0);
	free(fingerprint);
	store_close(store);
}

/* A disk that damages whatever is written must not be filled with what was set
 * aside. */
static void
test_damaged_again_and_again(void **state)
{
	struct store *store = store_test_keep(path);
	struct store_report report;

	(void)state;
	store_test_put_many(store, 300, "staple, and a staple, and a staple");
	store_test_flush(store);
	store_check(store, &report);
	spoil_pages();
	store_test_put(store, FP_A, "one");
	report = store_test_wait_loss(store);
	assert_non_null(report.aside);
	free(report.aside);
	store_test_put_many(store, 300, "staple, and a staple, and a staple");
	store_test_flush(store);
	spoil_pages();
	store_test_put(store, FP_B, "two");
	report = store_test_wait(store, true);
	assert_null(report.aside);
	assert_non_null(strstr(report.err.text, "look at the disk"));
	store_close(store);
}

/* A newer oclasp has come, and this one has not been started anew yet. */
static void
test_made_new_by_a_newer_one(void **state)
{
	struct store *store = store_test_keep(path);
	struct store_report report;

	(void)state;
	store_test_put(store, FP_A, "before");
	store_test_flush(store);
	store_check(store, &report);
	store_test_sql(path, "ALTER TABLE certificate RENAME TO certificates;"
			     "PRAGMA user_version = 5;");
	store_test_put(store, FP_A, "after");
	report = store_test_wait(store, true);
	assert_non_null(strstr(report.err.text, "newer"));
	assert_null(report.aside);
	assert_int_equal(report.waiting, 1);
	store_close(store);
	assert_int_equal(
	    store_test_ask(path, "SELECT count(*) FROM certificates"), 1);
}

/* Another program has it for itself for longer than anybody waits. */
static void
test_locked_for_long(void **state)
{
	struct store *store = store_test_keep(path);
	sqlite3 *other = NULL;
	struct store_report report;
	struct err err = {0};

	(void)state;
	store_test_put(store, FP_A, "before");
	store_test_flush(store);
	store_check(store, &report);
	assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
	assert_int_equal(
	    sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL),
	    SQLITE_OK);
	store_test_put(store, FP_A, "while it is locked");
	report = store_test_wait(store, true);
	assert_non_null(strstr(report.err.text, "locked"));
	assert_int_equal(store_flush(store, &err), -1);
	assert_int_equal(err.reason, REASON_STORE);
	/* what cannot be written is not waited for */
	store_test_expect(store, FP_A, "before");
	assert_int_equal(sqlite3_close(other), SQLITE_OK);
	report = store_test_wait(store, false);
	assert_false(report.wants_all);
	assert_null(report.aside);
	store_test_expect(store, FP_A, "while it is locked");
	store_close(store);
}

/* --- full and read-only disks --- */

/* A tiny disk of our own at the scratch folder, that nobody else sees. */
static void
mount_disk(void)
{
	char *size = mem_printf("size=%dk,mode=0755", DISK_KIB);

	if (!may_mount) {
		free(size);
		skip();
	}
	assert_int_equal(mount("none", scratch.dir, "tmpfs", 0, size), 0);
	free(size);
}

static void
remount(unsigned long flags)
{
	assert_int_equal(
	    mount("none", scratch.dir, NULL, MS_REMOUNT | flags, NULL), 0);
}

/* Until not even an octet goes into it. */
static void
fill_disk(const char *filler)
{
	static const char block[65536];
	int fd = open(filler, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	ssize_t put = 0;

	assert_true(fd != -1);
	for (size_t size = sizeof(block); size > 0; size /= 2) {
		while ((put = write(fd, block, size)) > 0)
			continue;
	}
	assert_int_equal(put, -1);
	assert_int_equal(errno, ENOSPC);
	close(fd);
}

/* A13: what comes while the disk is full is in memory, and on the disk as soon
 * as there is room; what was there is there all the time. */
static void
test_full_disk(void **state)
{
	char *filler = scratch_path(&scratch, "filler");
	char *big = mem_new(BIG + 1);
	struct store *store;
	struct store_report report;

	(void)state;
	mount_disk();
	memset(big, 'b', BIG);
	store = store_test_keep(path);
	store_test_put(store, FP_A, "before");
	store_test_flush(store);
	store_check(store, &report);
	fill_disk(filler);
	store_test_put(store, FP_A, big);
	report = store_test_wait(store, true);
	assert_int_equal(report.err.reason, REASON_STORE);
	assert_null(report.aside);
	assert_int_equal(report.waiting, 1);
	store_test_expect(store, FP_A, "before");
	store_test_expect_visitor(path, FP_A, "before");
	assert_int_equal(unlink(filler), 0);
	report = store_test_wait(store, false);
	assert_false(report.wants_all);
	assert_null(report.aside);
	store_test_expect(store, FP_A, big);
	store_close(store);
	store_test_expect_visitor(path, FP_A, big);
	free(big);
	free(filler);
}

/* What there is no room for, neither here nor there, is asked for again. */
static void
test_full_disk_for_long(void **state)
{
	char *filler = scratch_path(&scratch, "filler");
	char *big = mem_new(BIG + 1);
	struct store *store;
	struct store_report report;

	(void)state;
	mount_disk();
	memset(big, 'b', BIG);
	store = store_test_keep(path);
	store_test_put(store, FP_A, "before");
	store_test_flush(store);
	store_check(store, &report);
	fill_disk(filler);
	store_test_put(store, FP_A, big);
	(void)store_test_wait(store, true);
	for (size_t put = 0; put < STORE_QUEUE_MAX + 100 * BIG; put += BIG)
		store_test_put(store, FP_B, big);
	report = store_test_wait(store, true);
	assert_true(report.waiting * BIG <= STORE_QUEUE_MAX);
	assert_true(report.waiting * BIG > STORE_QUEUE_MAX / 2);
	assert_false(report.wants_all); /* not before it is of use */
	store_test_put(store, FP_A, "the last word");
	assert_int_equal(unlink(filler), 0);
	report = store_test_wait(store, false);
	assert_true(report.wants_all);
	store_test_flush(store);
	store_test_expect(store, FP_A, "the last word");
	store_test_expect(store, FP_B, big);
	store_close(store);
	free(big);
	free(filler);
}

/* --- a disk that hangs --- */

static atomic_bool hangs;
static int gate[2] = {-1, -1}; /* who is let through reads an octet of it */

/* SQLite's flush of a log. */
__attribute__((visibility("default"))) int fdatasync(int fd);

int
fdatasync(int fd)
{
	char octet;

	if (atomic_load(&hangs))
		(void)!read(gate[0], &octet, 1);
	return (int)syscall(SYS_fdatasync, fd);
}

/* I5: a network disk that is away for an hour, say, does not answer.  Whoever
 * puts more than there is room for waits for it, but not for ever. */
static void
test_disk_that_hangs(void **state)
{
	char *big = mem_new(BIG + 1);
	struct store *store;
	struct store_report report;

	(void)state;
	assert_int_equal(pipe(gate), 0);
	memset(big, 'b', BIG);
	store = store_test_keep(path);
	store_test_put(store, FP_A, "before");
	store_test_flush(store);
	store_check(store, &report);
	(void)alarm(STORE_TEST_WAIT_MS / 1000); /* in vain: it hangs too */
	atomic_store(&hangs, true);
	/* one half may be on its way to the disk */
	for (size_t put = 0; put < 2 * STORE_QUEUE_MAX + 100 * BIG; put += BIG)
		store_test_put(store, FP_B, big);
	(void)alarm(0);
	store_check(store, &report);
	assert_true(report.waiting * BIG <= STORE_QUEUE_MAX);
	atomic_store(&hangs, false);
	(void)!write(gate[1], "x", 1);
	store_test_put(store, FP_A, "the last word");
	store_test_flush(store);
	store_check(store, &report);
	assert_true(report.wants_all);
	store_test_expect(store, FP_A, "the last word");
	store_close(store);
	free(big);
}

/* A start where nothing can be written: what is there is read, and all is well
 * once it can. */
static void
test_start_on_a_sick_disk(void **state)
{
	static const struct {
		const char *name;
		bool had, full, killed;
	} rows[] = {
	    {"read-only, after a clean end", true, false, false},
	    {"read-only, after a kill", true, false, true},
	    {"read-only and new", false, false, false},
	    {"full, after a clean end", true, true, false},
	    {"full, after a kill", true, true, true},
	    {"full and new", false, true, false},
	};
	char *filler = scratch_path(&scratch, "filler");

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct store *store;
		struct store_report report;
		pid_t child;

		print_message("%s\n", rows[i].name);
		mount_disk();
		child = rows[i].had ? fork() : -1;
		if (child == 0) {
			store = store_test_keep(path);
			store_test_put(store, FP_A, "before");
			if (store_flush(store, NULL) == -1)
				_exit(1);
			if (!rows[i].killed)
				store_close(store);
			_exit(0);
		}
		if (rows[i].had) {
			int status = -1;

			assert_int_equal(waitpid(child, &status, 0), child);
			assert_int_equal(status, 0);
		}
		if (rows[i].full)
			fill_disk(filler);
		else
			remount(MS_RDONLY);
		if (rows[i].had) /* as `status`, beside no keeper */
			store_test_expect_visitor(path, FP_A, "before");
		store = store_test_keep(path);
		store_test_expect(store, FP_A, rows[i].had ? "before" : NULL);
		store_test_put(store, FP_A, "after");
		report = store_test_wait(store, true);
		assert_int_equal(report.err.reason, REASON_STORE);
		assert_null(report.aside);
		if (rows[i].full)
			assert_int_equal(unlink(filler), 0);
		else
			remount(0);
		report = store_test_wait(store, false);
		assert_null(report.aside);
		store_test_flush(store);
		store_test_expect(store, FP_A, "after");
		store_close(store);
		store_test_expect_visitor(path, FP_A, "after");
		assert_int_equal(umount2(scratch.dir, MNT_DETACH), 0);
	}
	free(filler);
}

/* Mounts of our own, where this user may make them. */
static int
begin(void **state)
{
	(void)state;
	may_mount = unshare(CLONE_NEWNS) == 0 &&
		    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		test_lost_while_open, set_up, unmount_and_tear_down),
	    cmocka_unit_test_setup_teardown(
		test_deleted_while_idle, set_up, unmount_and_tear_down),
	    cmocka_unit_test_setup_teardown(
		test_damage_met_by_a_reader, set_up, unmount_and_tear_down),
	    cmocka_unit_test_setup_teardown(
		test_damaged_again_and_again, set_up, unmount_and_tear_down),
	    cmocka_unit_test_setup_teardown(
		test_made_new_by_a_newer_one, set_up, unmount_and_tear_down),
	    cmocka_unit_test_setup_teardown(
		test_locked_for_long, set_up, unmount_and_tear_down),
	    cmocka_unit_test_setup_teardown(
		test_full_disk, set_up, unmount_and_tear_down),
	    cmocka_unit_test_setup_teardown(
		test_full_disk_for_long, set_up, unmount_and_tear_down),
	    cmocka_unit_test_setup_teardown(
		test_disk_that_hangs, set_up, unmount_and_tear_down),
	    cmocka_unit_test_setup_teardown(
		test_start_on_a_sick_disk, set_up, unmount_and_tear_down),
	};

	return cmocka_run_group_tests(tests, begin, NULL);
}
