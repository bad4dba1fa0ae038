/* SPDX-License-Identifier: ISC */
/* test_look.c -- keep/look: what is found, and what was found before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/loop.h"
#include "keep/look.h"
#include "pki_fixture.h"
#include "scratch.h"
#include "servers/discover.h"

/* --- what was known before --- */

/* "a b!" is a list of two paths, the second one missed already. */
static struct found
make(const char *paths, const char *failed)
{
	struct found found = {0};
	char *copy = mem_string(paths), *rest = copy;

	found.items = mem_array(8, sizeof(found.items[0]));
	for (char *word; (word = strsep(&rest, " ")) != NULL;) {
		struct found_item *item = &found.items[found.count];
		size_t len = strlen(word);

		if (len == 0)
			continue;
		item->missed = word[len - 1] == '!';
		word[len - item->missed] = '\0';
		item->path = mem_string(word);
		found.count++;
	}
	if (failed != NULL) {
		found.failed = mem_array(1, sizeof(char *));
		found.why = mem_array(1, sizeof(char *));
		found.failed[0] = mem_string(failed);
		found.why[0] = mem_string("why");
		found.failed_count = 1;
	}
	free(copy);
	return found;
}

static void
test_merge(void **state)
{
	static const struct {
		const char *name, *before, *now, *failed, *after;
		bool soon;
	} rows[] = {
	    {"nothing", "", "", NULL, "", false},
	    {"the first look", "", "/a /b", NULL, "/a /b", false},
	    {"the same", "/a /b", "/a /b", NULL, "/a /b", false},
	    {"one more", "/a", "/a /b", NULL, "/a /b", false},
	    {"one is gone", "/a /b", "/a", NULL, "/a /b!", true},
	    {"gone for good", "/a /b!", "/a", NULL, "/a", false},
	    {"there again", "/a /b!", "/a /b", NULL, "/a /b", false},
	    {"all gone", "/a /b", "", NULL, "/a! /b!", true},
	    {"unreadable", "/a /b", "/a", "/b", "/a /b", false},
	    {"still unreadable", "/a /b", "/a", "/b", "/a /b", false},
	    {"its folder is unreadable", "/d/a /e/a", "", "/d", "/d/a /e/a!",
		true},
	    {"a folder of another name", "/dd/a", "", "/d", "/dd/a!", true},
	    {"unreadable after it was gone", "/a!", "", "/a", "/a", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct found old = make(rows[i].before, NULL);
		struct found now = make(rows[i].now, rows[i].failed);
		bool soon = found_merge(&now, &old);
		struct buf got;

		buf_init(&got, 1024);
		for (size_t n = 0; n < now.count; n++)
			buf_printf(&got, "%s%s%s", n > 0 ? " " : "",
			    now.items[n].path, now.items[n].missed ? "!" : "");
		if (strcmp(buf_text(&got), rows[i].after) != 0 ||
		    soon != rows[i].soon)
			fail_msg("%s: '%s'", rows[i].name, buf_text(&got));
		assert_int_equal(old.count, 0);
		buf_done(&got);
		found_done(&now);
		found_done(&old);
	}
}

/* --- the thread --- */

struct fixture {
	struct scratch scratch;
	struct pki pki;
	uv_loop_t loop;
	struct found found;
	int calls;
};

static int
set_up(void **state)
{
	struct fixture *f = mem_new(sizeof(*f));
	char *dir, *path, *leaf, *issuer, *both;

	*state = f;
	scratch_make(&f->scratch);
	f->pki = pki_make(PKI_EC);
	assert_int_equal(uv_loop_init(&f->loop), 0);
	dir = scratch_path(&f->scratch, "place/certificates");
	path = mem_printf("%s/a.crt", dir);
	leaf = cert_pem(f->pki.leaf.cert);
	issuer = cert_pem(f->pki.issuer.cert);
	both = mem_printf("%s%s", leaf, issuer);
	assert_int_equal(file_make_dir(dir, 0755, NULL), 0);
	scratch_write(path, both);
	free(both);
	both = mem_printf("%s/b.crt", dir);
	scratch_write(both, "rubbish");
	free(both);
	free(issuer);
	free(leaf);
	free(path);
	free(dir);
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	loop_end(&f->loop);
	found_done(&f->found);
	pki_done(&f->pki);
	scratch_remove(&f->scratch);
	free(f);
	return 0;
}

static void
took(void *cookie, struct found *found)
{
	struct fixture *f = cookie;

	f->calls++;
	f->found = *found;
	*found = (struct found){0};
}

/* The options are gone as soon as it has begun. */
static struct look *
start(struct fixture *f)
{
	char *dir = scratch_path(&f->scratch, "place");
	char *root = mem_string(f->scratch.dir);
	struct discover_place place = {"lego", dir};
	struct discover_options options = {
	    .root = root, .places = &place, .place_count = 1};
	struct look *look = look_start(&f->loop, &options, took, f);

	memset(dir, 'x', strlen(dir));
	memset(root, 'x', strlen(root));
	free(dir);
	free(root);
	return look;
}

static void
test_look(void **state)
{
	struct fixture *f = *state;
	char *path = scratch_path(&f->scratch, "place/certificates/a.crt");
	char *bad = scratch_path(&f->scratch, "place/certificates/b.crt");

	(void)start(f);
	assert_int_equal(f->calls, 0);
	loop_run(&f->loop);
	assert_int_equal(f->calls, 1);
	assert_int_equal(f->found.count, 1);
	assert_string_equal(f->found.items[0].path, path);
	assert_null(f->found.items[0].issuer);
	assert_string_equal(
	    f->found.items[0].fingerprint, f->pki.leaf.cert->fingerprint);
	assert_true(f->found.items[0].not_after == f->pki.leaf.cert->not_after);
	assert_int_equal(f->found.failed_count, 1);
	assert_string_equal(f->found.failed[0], bad);
	assert_non_null(strstr(f->found.why[0], "lego: "));
	free(bad);
	free(path);
}

static void
test_cancelled(void **state)
{
	struct fixture *f = *state;
	struct look *look = start(f);

	look_cancel(&look);
	assert_null(look);
	look_cancel(&look);
	loop_run(&f->loop);
	assert_int_equal(f->calls, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_merge),
	    cmocka_unit_test_setup_teardown(test_look, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_cancelled, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
