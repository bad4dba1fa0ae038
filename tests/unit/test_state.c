/* SPDX-License-Identifier: ISC */
/* test_state.c -- face/state: which folder is meant. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>

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
	static const char *const names[] = {"kept", "./kept", "a/b"};
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

static void
test_folder_as_named(void **state)
{
	const struct options options = {.state_dir = "/srv/kept"};
	char *got = state_dir(&options);

	(void)state;
	assert_string_equal(got, "/srv/kept");
	free(got);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_folder_is_absolute),
	    cmocka_unit_test(test_folder_as_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
