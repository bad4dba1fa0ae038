/* SPDX-License-Identifier: ISC */
/* test_state.c -- face/state: which folder is meant. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "face/command.h"
#include "face/state.h"
#include "scratch.h"

/* It is main.c's. */
int
command_fail(const char *command, const struct err *err, int status)
{
	(void)err;
	fail_msg("%s: nothing fails here", command);
	return status;
}

/* What is written of the folder into nginx's configuration is read from nginx's
 * own prefix, so that a relative one would be another. */
static void
test_folder_is_absolute(void **state)
{
	static const char *const names[] = {"kept", "a/b"};
	struct scratch scratch;
	int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	scratch_make(&scratch);
	assert_int_equal(chdir(scratch.dir), 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct options options = {.state_dir = names[i]};
		char *want = scratch_path(&scratch, names[i]);
		char *got = state_dir(&options);

		assert_string_equal(got, want);
		free(want);
		free(got);
	}
	assert_int_equal(fchdir(here), 0);
	close(here);
	scratch_remove(&scratch);
}

/* Of somebody who is not root, in an environment of HOME and XDG_STATE_HOME. */
static void
expect_default(const char *home, const char *state, const char *want)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0) {
		const struct options options = {0};
		struct passwd user, *found = NULL;
		char room[4096], *got, *own;

		if (geteuid() == 0 && setuid(65534) == -1)
			_exit(2);
		(void)(home == NULL ? unsetenv("HOME")
				    : setenv("HOME", home, 1));
		(void)(state == NULL ? unsetenv("XDG_STATE_HOME")
				     : setenv("XDG_STATE_HOME", state, 1));
		got = state_dir(&options);
		(void)getpwuid_r(geteuid(), &user, room, sizeof(room), &found);
		own = mem_printf("%s/.local/state/oclasp",
		    found == NULL ? "" : found->pw_dir);
		_exit(strcmp(got, want == NULL ? own : want) != 0);
	}
	assert_int_equal(child, waitpid(child, &status, 0));
	if (status != 0)
		fail_msg("HOME %s, XDG_STATE_HOME %s", home, state);
}

static void
test_folder_by_default(void **state)
{
	(void)state;
	expect_default("/home/a", NULL, "/home/a/.local/state/oclasp");
	expect_default("/home/a", "/srv/state", "/srv/state/oclasp");
	expect_default("/home/a", "here", "/home/a/.local/state/oclasp");
	/* not /tmp, where anybody makes folders for others to fall into */
	expect_default(NULL, NULL, NULL);
	expect_default("", NULL, NULL);
}

/* It is compared as text with what stands in nginx's configuration, where the
 * slash that a shell puts behind a folder's name would make it another one. */
static void
test_folder_has_one_spelling(void **state)
{
	static const char *const names[] = {
	    "/srv/kept", "/srv/kept/", "//srv///kept//", "/./srv/./kept/."};
	static const char *const others[] = {
	    "/srv/.kept./x/../y", "/srv/..", "/"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *got = state_dir(&(struct options){.state_dir = names[i]});

		assert_string_equal(got, "/srv/kept");
		free(got);
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		char *got =
		    state_dir(&(struct options){.state_dir = others[i]});

		assert_string_equal(got, others[i]);
		free(got);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_folder_is_absolute),
	    cmocka_unit_test(test_folder_by_default),
	    cmocka_unit_test(test_folder_has_one_spelling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
