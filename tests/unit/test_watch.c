/* SPDX-License-Identifier: ISC */
/* test_watch.c -- keep/watch: what the kernel tells of folders. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/loop.h"
#include "keep/watch.h"
#include "scratch.h"

enum { FILES = WATCH_CROWD + 2, WAIT_MS = 10000 };

static uv_loop_t loop;
static struct scratch scratch;
static struct watch *watch;
static struct one {
	struct watch_file file;
	char *path;
	int changed;
} ones[FILES];
static size_t count;
static bool over;
static bool ends; /* with the first word */

static struct watch_file *
find(void *cookie, const char *path)
{
	(void)cookie;
	for (size_t i = 0; i < count; i++) {
		if (strcmp(ones[i].path, path) == 0)
			return &ones[i].file;
	}
	return NULL;
}

static void
changed(void *cookie, struct watch_file *file)
{
	(void)cookie;
	((struct one *)(void *)file)->changed++;
	if (ends)
		watch_free(&watch);
	uv_stop(&loop);
}

static int
set_up(void **state)
{
	static const struct watch_callbacks callbacks = {find, changed};

	(void)state;
	scratch_make(&scratch);
	assert_int_equal(uv_loop_init(&loop), 0);
	watch = watch_new(&loop, &callbacks, NULL);
	assert_non_null(watch);
	count = 0;
	ends = false;
	memset(ones, 0, sizeof(ones));
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	watch_free(&watch);
	loop_end(&loop);
	for (size_t i = 0; i < count; i++)
		free(ones[i].path);
	scratch_remove(&scratch);
	return 0;
}

/* Watch DIR/NAME, which holds something. */
static struct one *
add(const char *name)
{
	struct one *one = &ones[count++];

	one->path = scratch_path(&scratch, name);
	scratch_write(one->path, "first");
	watch_add(watch, &one->file, one->path);
	return one;
}

static void
end_wait(void *cookie)
{
	(void)cookie;
	over = true;
	uv_stop(&loop);
}

/* Run for MS, or until ONE (or NULL) has changed. */
static void
run(struct one *one, int64_t ms)
{
	struct loop_timer *timer = loop_timer_start(&loop, ms, end_wait, NULL);

	over = false;
	while (!over && (one == NULL || one->changed == 0))
		loop_run(&loop);
	if (!over)
		loop_timer_cancel(&timer);
}

static void
expect(struct one *one, const char *what)
{
	run(one, WAIT_MS);
	if (one->changed == 0)
		fail_msg("no word of a file that was %s", what);
	/* what else there is to tell of it */
	run(NULL, WATCH_SETTLE_MS + 50);
	one->changed = 0;
}

static void
test_what_is_told(void **state)
{
	struct one *one = add("a.pem");
	char *other = scratch_path(&scratch, "new");

	(void)state;
	run(NULL, WATCH_SETTLE_MS + 50); /* of our own writing */
	one->changed = 0;
	assert_true(watch_hears(&one->file));
	scratch_write(one->path, "second");
	expect(one, "written in place");
	scratch_write(other, "third");
	assert_int_equal(rename(other, one->path), 0);
	expect(one, "replaced");
	assert_int_equal(unlink(one->path), 0);
	assert_int_equal(symlink("elsewhere", one->path), 0);
	expect(one, "made a link");
	free(other);
}

/* Kubernetes: the file is a link to ..data/file, and ..data is replaced. */
static void
test_a_link_beside(void **state)
{
	struct one *one = add("tls.crt");
	char *data = scratch_path(&scratch, "..data");
	char *next = scratch_path(&scratch, "..next");

	(void)state;
	assert_int_equal(symlink("one", data), 0);
	run(NULL, WATCH_SETTLE_MS + 50);
	one->changed = 0;
	assert_int_equal(symlink("two", next), 0);
	assert_int_equal(rename(next, data), 0);
	expect(one, "behind a link");
	free(data);
	free(next);
}

/* Of many files in a folder only the one that was written. */
static void
test_a_crowd(void **state)
{
	struct one *one = NULL;
	char *stranger = scratch_path(&scratch, "stranger");
	int looked_at = 0;

	(void)state;
	for (size_t i = 0; i < FILES; i++) {
		char *name = mem_printf("%zu.pem", i);

		one = add(name);
		free(name);
	}
	run(NULL, WATCH_SETTLE_MS + 50);
	for (size_t i = 0; i < FILES; i++)
		ones[i].changed = 0;
	scratch_write(stranger, "no hint");
	scratch_write(one->path, "second");
	run(one, WAIT_MS);
	for (size_t i = 0; i < FILES; i++)
		looked_at += ones[i].changed;
	assert_int_equal(looked_at, 1);
	free(stranger);
}

/* The folder goes and comes back. */
static void
test_a_folder_that_goes(void **state)
{
	char *dir = scratch_path(&scratch, "dir");
	struct one *one = &ones[count++];

	(void)state;
	one->path = scratch_path(&scratch, "dir/a.pem");
	watch_add(watch, &one->file, one->path);
	assert_false(watch_hears(&one->file)); /* there is none yet */
	assert_int_equal(mkdir(dir, 0700), 0);
	watch_add(watch, &one->file, one->path); /* again, now and then */
	assert_true(watch_hears(&one->file));
	scratch_write(one->path, "first");
	expect(one, "written");
	assert_int_equal(unlink(one->path), 0);
	assert_int_equal(rmdir(dir), 0);
	run(NULL, WATCH_SETTLE_MS);
	assert_false(watch_hears(&one->file));
	assert_int_equal(mkdir(dir, 0700), 0);
	watch_add(watch, &one->file, one->path);
	scratch_write(one->path, "second");
	expect(one, "written after that");
	free(dir);
}

/* Removed while it waits to be told: nothing is. */
static void
test_removed(void **state)
{
	struct one *one = add("a.pem");

	(void)state;
	scratch_write(one->path, "second");
	run(NULL, WATCH_SETTLE_MS / 4);
	watch_remove(watch, &one->file);
	watch_remove(watch, &one->file);
	assert_false(watch_hears(&one->file));
	run(NULL, WATCH_SETTLE_MS + 50);
	assert_int_equal(one->changed, 0);
	watch_add(NULL, &one->file, one->path);
	assert_false(watch_hears(&one->file));
}

/* clang-format off */
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
/* clang-format on */

/* As `keep --once` ends, when the file that has changed was all that it waited
 * for. */
static void
test_freed_by_the_word(void **state)
{
	struct one *one = add("a.pem");
	struct one *other = add("b.pem");

	(void)state;
	ends = true;
	run(one, WAIT_MS);
	assert_null(watch);
	assert_int_equal(one->changed + other->changed, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_what_is_told),
	    TEST(test_a_link_beside),
	    TEST(test_a_crowd),
	    TEST(test_a_folder_that_goes),
	    TEST(test_removed),
	    TEST(test_freed_by_the_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
