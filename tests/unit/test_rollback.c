/* SPDX-License-Identifier: ISC */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "servers/rollback.h"

struct place {
	char dir[32];
	char *old, *new, *third;
};

static int
set_up(void **state)
{
	struct place *place = mem_new(sizeof(*place));

	*state = place;
	memcpy(place->dir, "/tmp/oclasp-roll.XXXXXX", 24);
	assert_non_null(mkdtemp(place->dir));
	place->old = mem_printf("%s/old", place->dir);
	place->new = mem_printf("%s/new", place->dir);
	place->third = mem_printf("%s/third", place->dir);
	return file_replace(place->old, "before", 6, 0640, NULL);
}

static int
tear_down(void **state)
{
	struct place *place = *state;

	(void)unlink(place->old);
	(void)unlink(place->new);
	(void)unlink(place->third);
	(void)rmdir(place->dir);
	free(place->old);
	free(place->new);
	free(place->third);
	free(place);
	return 0;
}

static void
puts_back_every_byte(void **state)
{
	struct place *place = *state;
	struct rollback rollback = {0};
	struct err err = {0};
	struct stat st;

	assert_int_equal(
	    rollback_write(&rollback, place->old, "after", 5, 0644, &err), 0);
	assert_int_equal(
	    rollback_write(&rollback, place->new, "fresh", 5, 0604, &err), 0);
	assert_int_equal(
	    rollback_write(&rollback, place->old, "later", 5, 0644, &err), 0);
	assert_true(file_holds(place->old, "later", 5));
	assert_int_equal(stat(place->old, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640); /* its own stays */
	assert_int_equal(stat(place->new, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0604);

	assert_int_equal(rollback_undo(&rollback, &err), 0);
	assert_string_equal(err.text, "");
	assert_true(file_holds(place->old, "before", 6));
	assert_int_equal(stat(place->old, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(access(place->new, F_OK), -1);
	assert_int_equal(rollback.count, 0);
}

static void
keeps_what_is_done(void **state)
{
	struct place *place = *state;
	struct rollback rollback = {0};

	assert_int_equal(
	    rollback_write(&rollback, place->old, "after", 5, 0644, NULL), 0);
	rollback_done(&rollback);
	assert_int_equal(rollback_undo(&rollback, NULL), 0);
	assert_true(file_holds(place->old, "after", 5));
}

static void
keeps_the_owner(void **state)
{
	struct place *place = *state;
	struct rollback rollback = {0};
	struct err err = {0};
	struct stat st;

	if (geteuid() != 0) {
		print_message("SKIP: only root can give files away\n");
		skip();
	}
	assert_int_equal(chown(place->old, 12345, 23456), 0);
	assert_int_equal(
	    rollback_write(&rollback, place->old, "after", 5, 0644, &err), 0);
	assert_int_equal(stat(place->old, &st), 0);
	assert_int_equal(st.st_uid, 12345);
	assert_int_equal(st.st_gid, 23456);
	assert_int_equal(rollback_undo(&rollback, &err), 0);
	assert_int_equal(stat(place->old, &st), 0);
	assert_int_equal(st.st_uid, 12345);
}

/* acl(5) as the kernel has it: version 2, then tag, permissions and identity of
 * each entry: user::rw-, user:12345:rw-, group::r--, mask::rw-, other::r--. */
static const char access_list[] = "\x02\0\0\0"
				  "\x01\0\x06\0\xff\xff\xff\xff"
				  "\x02\0\x06\0\x39\x30\0\0"
				  "\x04\0\x04\0\xff\xff\xff\xff"
				  "\x10\0\x06\0\xff\xff\xff\xff"
				  "\x20\0\x04\0\xff\xff\xff\xff";

/* Without its list the file would be its group's to write, and not its user's. */
static void
keeps_the_access_list(void **state)
{
	static const char name[] = "system.posix_acl_access";
	struct place *place = *state;
	struct rollback rollback = {0};
	char list[sizeof(access_list)] = "";
	struct err err = {0};

	if (setxattr(place->old, name, access_list, sizeof(access_list) - 1,
		0) == -1) {
		print_message("SKIP: this file system has no access lists\n");
		skip();
	}
	for (int undone = 0; undone <= 1; undone++) {
		assert_int_equal(undone ? rollback_undo(&rollback, &err)
					: rollback_write(&rollback, place->old,
					      "after", 5, 0644, &err),
		    0);
		assert_int_equal(sizeof(access_list) - 1,
		    getxattr(place->old, name, list, sizeof(list)));
		assert_memory_equal(access_list, list, sizeof(access_list) - 1);
	}
	assert_true(file_holds(place->old, "before", 6));
}

/* What is new may still be named by what could not be put back. */
static void
removes_nothing_after_a_failure(void **state)
{
	struct place *place = *state;
	struct rollback rollback = {0};
	struct err err = {0};

	assert_int_equal(
	    rollback_write(&rollback, place->new, "fresh", 5, 0644, &err), 0);
	assert_int_equal(
	    rollback_write(&rollback, place->third, "x", 1, 0644, &err), 0);
	assert_int_equal(
	    rollback_write(&rollback, place->old, "after", 5, 0644, &err), 0);
	/* A folder in its place cannot be replaced by a file. */
	assert_int_equal(unlink(place->old), 0);
	assert_int_equal(mkdir(place->old, 0755), 0);
	assert_int_equal(rollback_undo(&rollback, &err), -1);
	assert_int_equal(err.reason, REASON_FILE);
	assert_non_null(strstr(err.text, place->old));
	assert_int_equal(access(place->new, F_OK), 0);
	assert_int_equal(access(place->third, F_OK), 0);
	assert_int_equal(rmdir(place->old), 0);
}

/* A disk that is full for what comes next, and for what was there: both is told,
 * why the writing failed and what it has left behind. */
static void
tells_what_stays_after_a_failure(void **state)
{
	static const char much[1000] = "much";
	struct place *place = *state;
	struct rollback rollback = {0};
	struct rlimit usual, little;
	struct err err = {0};

	assert_int_equal(
	    file_replace(place->old, much, sizeof(much), 0640, NULL), 0);
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &usual), 0);
	little = usual;
	little.rlim_cur = sizeof(much) - 1;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
	assert_int_equal(
	    rollback_write(&rollback, place->old, "little", 6, 0644, &err), 0);
	assert_int_equal(rollback_write(&rollback, place->new, much,
			     sizeof(much), 0644, &err),
	    -1);
	assert_int_equal(rollback_undo(&rollback, &err), -1);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &usual), 0);
	assert_int_equal(err.reason, REASON_FILE);
	assert_non_null(strstr(err.text, place->new));
	assert_non_null(strstr(err.text, place->old));
	assert_true(file_holds(place->old, "little", 6));
}

static void
refuses_what_it_cannot_remember(void **state)
{
	struct place *place = *state;
	struct rollback rollback = {0};
	struct err err = {0};

	assert_int_equal(
	    rollback_write(&rollback, place->dir, "x", 1, 0644, &err), -1);
	assert_int_equal(err.reason, REASON_FILE);
	err_clear(&err);
	assert_int_equal(
	    rollback_write(&rollback, "/nonexistent/x", "x", 1, 0644, &err),
	    -1);
	assert_int_equal(err.reason, REASON_FILE);
	assert_int_equal(rollback_undo(&rollback, NULL), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		puts_back_every_byte, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		keeps_what_is_done, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(keeps_the_owner, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		keeps_the_access_list, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		removes_nothing_after_a_failure, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		tells_what_stays_after_a_failure, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		refuses_what_it_cannot_remember, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
