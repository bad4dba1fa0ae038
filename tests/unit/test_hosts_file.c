/* SPDX-License-Identifier: ISC */
/* test_hosts_file.c -- servers/hosts_file: real files, links, modes, owners. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "scratch.h"
#include "servers/hosts_file.h"

static struct scratch scratch;
static const char lines[] = "192.0.2.1 ocsp.test\n";
static const char text[] = "127.0.0.1 localhost\n\n# mine";

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
	(void)chmod("sub", 0755);
	scratch_remove(&scratch);
	return chdir("/");
}

static void
write_file(const char *path, mode_t mode)
{
	assert_int_equal(
	    file_replace(path, text, sizeof(text) - 1, mode, NULL), 0);
}

static bool
holds(const char *path, const char *want)
{
	uint8_t *bytes = NULL;
	size_t len = 0;
	bool found;

	assert_int_equal(file_read(path, 1 << 20, &bytes, &len, NULL), 0);
	found = strstr((char *)bytes, want) != NULL;
	free(bytes);
	return found;
}

static void
test_put_and_remove(void **state)
{
	struct stat before, after;
	struct err err = {0};
	bool changed = false;

	(void)state;
	write_file("hosts", 0640);
	(void)chown("hosts", 12345, 54321); /* as root it is a test, else not */
	assert_int_equal(stat("hosts", &before), 0);
	assert_int_equal(hosts_file_edit("hosts", lines, &changed, &err), 0);
	assert_true(changed);
	assert_true(holds("hosts", "# mine\n"));
	assert_true(holds("hosts", lines));
	assert_int_equal(stat("hosts", &after), 0);
	assert_int_equal(after.st_mode, before.st_mode);
	assert_int_equal(after.st_uid, before.st_uid);
	assert_int_equal(after.st_gid, before.st_gid);
	assert_true(file_holds("hosts.oclasp-backup", text, sizeof(text) - 1));
	assert_int_equal(stat("hosts.oclasp-backup", &after), 0);
	assert_int_equal(after.st_mode, before.st_mode);
	assert_int_equal(after.st_uid, before.st_uid);
	/* the same again touches nothing */
	assert_int_equal(stat("hosts", &before), 0);
	assert_int_equal(hosts_file_edit("hosts", lines, &changed, &err), 0);
	assert_false(changed);
	assert_int_equal(stat("hosts", &after), 0);
	assert_int_equal(after.st_ino, before.st_ino);
	assert_int_equal(hosts_file_edit("hosts", NULL, &changed, &err), 0);
	assert_true(changed);
	assert_true(file_holds("hosts", text, sizeof(text) - 1));
	assert_int_equal(hosts_file_edit("hosts", NULL, &changed, &err), 0);
	assert_false(changed);
}

static void
test_symbolic_link(void **state)
{
	struct stat st;
	bool changed;

	(void)state;
	assert_int_equal(mkdir("real", 0755), 0);
	write_file("real/hosts", 0644);
	assert_int_equal(symlink("real/hosts", "link1"), 0);
	assert_int_equal(symlink("link1", "link"), 0);
	assert_int_equal(hosts_file_edit("link", lines, &changed, NULL), 0);
	assert_int_equal(lstat("link", &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(lstat("real/hosts", &st), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_true(holds("real/hosts", lines));
	assert_int_equal(access("real/hosts.oclasp-backup", F_OK), 0);
	assert_int_equal(access("link.oclasp-backup", F_OK), -1);
}

static void
test_none_yet(void **state)
{
	struct stat st;
	bool changed = true;

	(void)state;
	assert_int_equal(hosts_file_edit("new", NULL, &changed, NULL), 0);
	assert_false(changed);
	assert_int_equal(access("new", F_OK), -1);
	assert_int_equal(hosts_file_edit("new", lines, &changed, NULL), 0);
	assert_true(changed);
	assert_true(holds("new", lines));
	assert_int_equal(stat("new", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_int_equal(access("new.oclasp-backup", F_OK), -1);
}

static void
test_refusals(void **state)
{
	static const char *const rows[] = {
	    "dangling", "folder", "no/such/folder", "loop", "fifo"};
	bool changed;

	(void)state;
	assert_int_equal(symlink("nowhere", "dangling"), 0);
	assert_int_equal(symlink("loop", "loop"), 0);
	assert_int_equal(mkdir("folder", 0755), 0);
	assert_int_equal(mkfifo("fifo", 0644), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err err = {0};

		if (hosts_file_edit(rows[i], lines, &changed, &err) != -1)
			fail_msg("%s was taken", rows[i]);
		assert_int_equal(err.reason, REASON_FILE);
		assert_non_null(strstr(err.text, rows[i]));
	}
}

static void
test_a_block_in_disorder(void **state)
{
	static const char odd[] = "x\n# BEGIN oclasp hosts\n";
	struct err err = {0};
	bool changed;

	(void)state;
	assert_int_equal(
	    file_replace("odd", odd, sizeof(odd) - 1, 0644, NULL), 0);
	assert_int_equal(hosts_file_edit("odd", lines, &changed, &err), -1);
	assert_int_equal(err.reason, REASON_FILE);
	assert_true(file_holds("odd", odd, sizeof(odd) - 1));
}

static void
test_folder_that_is_not_ours(void **state)
{
	struct err err = {0};
	bool changed;

	(void)state;
	if (geteuid() == 0)
		skip(); /* root may write everywhere */
	assert_int_equal(mkdir("sub", 0755), 0);
	write_file("sub/hosts", 0644);
	assert_int_equal(chmod("sub", 0555), 0);
	assert_int_equal(
	    hosts_file_edit("sub/hosts", lines, &changed, &err), -1);
	assert_int_equal(err.reason, REASON_FILE);
	assert_true(file_holds("sub/hosts", text, sizeof(text) - 1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_put_and_remove),
	    cmocka_unit_test(test_symbolic_link),
	    cmocka_unit_test(test_none_yet),
	    cmocka_unit_test(test_refusals),
	    cmocka_unit_test(test_a_block_in_disorder),
	    cmocka_unit_test(test_folder_that_is_not_ours),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
