/* SPDX-License-Identifier: ISC */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/text.h"
#include "servers/diff.h"

enum { TEXT_MAX = 1 << 20, ROUNDS = 40 };

static void
shows_what_differs(void **state)
{
	static const struct {
		const char *name, *before, *after, *want;
	} cases[] = {
	    {"equal", "a\nb\n", "a\nb\n", ""},
	    {"both empty", "", "", ""},
	    {"a line put in", "a\nb\n", "a\nx\nb\n",
		"@@ -1,2 +1,3 @@\n a\n+x\n b\n"},
	    {"a line changed", "a\nb\nc\n", "a\nx\nc\n",
		"@@ -1,3 +1,3 @@\n a\n-b\n+x\n c\n"},
	    {"a line gone", "a\nb\n", "a\n", "@@ -1,2 +1,1 @@\n a\n-b\n"},
	    {"from nothing", "", "a\n", "@@ -0,0 +1,1 @@\n+a\n"},
	    {"to nothing", "a\n", "", "@@ -1,1 +0,0 @@\n-a\n"},
	    {"three lines of context", "1\n2\n3\n4\n5\n6\n7\n8\n9\n",
		"1\n2\n3\n4\nx\n6\n7\n8\n9\n",
		"@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+x\n 6\n 7\n 8\n"},
	    {"two hunks", "1\n2\n3\n4\n5\n6\n7\n8\n9\n",
		"x\n2\n3\n4\n5\n6\n7\n8\ny\n",
		"@@ -1,4 +1,4 @@\n-1\n+x\n 2\n 3\n 4\n"
		"@@ -6,4 +6,4 @@\n 6\n 7\n 8\n-9\n+y\n"},
	    {"contexts that touch are one", "1\n2\n3\n4\n5\n6\n7\n8\n",
		"x\n2\n3\n4\n5\n6\n7\ny\n",
		"@@ -1,8 +1,8 @@\n-1\n+x\n 2\n 3\n 4\n 5\n 6\n 7\n-8\n+y\n"},
	    {"no line feed at the end", "a\nb", "a\nb\nc\n",
		"@@ -1,2 +1,3 @@\n a\n-b\n\\ No newline at end of file\n"
		"+b\n+c\n"},
	    {"carriage returns", "a\r\nb\r\n", "a\r\nx\r\nb\r\n",
		"@@ -1,2 +1,3 @@\n a\r\n+x\r\n b\r\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *got = diff_unified("/p", cases[i].before, cases[i].after);
		char *want = mem_printf("%s%s",
		    cases[i].want[0] == '\0' ? "" : "--- /p\n+++ /p\n",
		    cases[i].want);

		print_message("  %s\n", cases[i].name);
		assert_string_equal(got, want);
		free(got);
		free(want);
	}
}

struct outcome {
	int status;
	char *said;
};

static void
note(void *cookie, const struct proc_result *result)
{
	struct outcome *outcome = cookie;

	outcome->status = result->exit_status;
	outcome->said = mem_printf("%s%s", result->out, result->errors);
}

/* Give DIFF to the real patch(1). */
static void
assert_patches(
    const char *dir, const char *path, const char *before, const char *after)
{
	char *diff = diff_unified(path, before, after);
	char *diff_path = mem_printf("%s/diff", dir);
	char *argv[] = {"patch", "-p0", "-s", "-d", "/", "-i", diff_path, NULL};
	struct outcome outcome = {0};
	uv_loop_t loop;

	assert_int_equal(
	    file_replace(path, before, strlen(before), 0644, NULL), 0);
	assert_int_equal(
	    file_replace(diff_path, diff, strlen(diff), 0644, NULL), 0);
	assert_int_equal(uv_loop_init(&loop), 0);
	(void)proc_start(&loop, argv, 20000, note, &outcome);
	loop_run(&loop);
	loop_end(&loop);
	if (outcome.status != 0 || !file_holds(path, after, strlen(after)))
		fail_msg("patch says '%s' to:\n%s", outcome.said, diff);
	free(outcome.said);
	(void)unlink(path);
	(void)unlink(diff_path);
	free(diff_path);
	free(diff);
}

/* A text of COUNT lines out of few, so that equal lines abound. */
static char *
lines_of(unsigned *seed, int count)
{
	struct buf text;

	buf_init(&text, TEXT_MAX);
	for (int i = 0; i < count; i++) {
		*seed = *seed * 1103515245U + 12345U;
		buf_printf(&text, "line %u%s", (*seed >> 16) % 5,
		    i == count - 1 && *seed % 3 == 0 ? "" : "\n");
	}
	return buf_take(&text);
}

static void
is_taken_by_patch(void **state)
{
	char dir[] = "/tmp/oclasp diff.XXXXXX";
	unsigned seed = 7;
	char *path;

	(void)state;
	if (access("/usr/bin/patch", X_OK) == -1) {
		print_message("SKIP: no patch is installed\n");
		skip();
	}
	assert_non_null(mkdtemp(dir));
	path = mem_printf("%s/a file", dir);
	for (int i = 0; i < ROUNDS; i++) {
		char *before = lines_of(&seed, 1 + i);
		char *after = lines_of(&seed, 1 + (i * 7) % 23);

		if (strcmp(before, after) != 0)
			assert_patches(dir, path, before, after);
		free(before);
		free(after);
	}
	free(path);
	(void)rmdir(dir);
}

/* More changes than are searched for: right, if not small. */
static void
gives_up_on_large_differences(void **state)
{
	char dir[] = "/tmp/oclasp-diff.XXXXXX";
	struct buf before, after;
	char *path;

	(void)state;
	buf_init(&before, TEXT_MAX);
	buf_init(&after, TEXT_MAX);
	for (int i = 0; i < DIFF_CHANGES_MAX; i++) {
		buf_printf(&before, "a %d\nsame\n", i);
		buf_printf(&after, "b %d\nsame\n", i);
	}
	if (access("/usr/bin/patch", X_OK) == -1) {
		print_message("SKIP: no patch is installed\n");
		skip();
	}
	assert_non_null(mkdtemp(dir));
	path = mem_printf("%s/file", dir);
	assert_patches(dir, path, buf_text(&before), buf_text(&after));
	free(path);
	(void)rmdir(dir);
	buf_done(&before);
	buf_done(&after);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(shows_what_differs),
	    cmocka_unit_test(is_taken_by_patch),
	    cmocka_unit_test(gives_up_on_large_differences),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
