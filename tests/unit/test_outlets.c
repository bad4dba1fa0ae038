/* SPDX-License-Identifier: ISC */
/* test_outlets.c -- keep/outlets: what is remembered of where a staple went. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "keep/control_priv.h"
#include "keep/outlets.h"

static struct outlets outlets;

static void
note(const char *print, const char *listen, int64_t proven_at)
{
	outlets_note(&outlets, print,
	    &(struct outlet){.server = "nginx",
		.path = (char[]){"/c"},
		.listen = listen == NULL ? NULL : strdupa(listen),
		.proven_at = proven_at});
}

static void
expect(const char *print, const char *listen, bool withdrawn, bool changed)
{
	outlets_expect(&outlets, print,
	    &(struct outlet){.server = "nginx",
		.path = (char[]){"/c"},
		.listen = strdupa(listen),
		.withdrawn = withdrawn},
	    changed);
}

static size_t
count_of(const char *print)
{
	size_t count;

	(void)outlets_of(&outlets, print, &count);
	return count;
}

static int
end(void **state)
{
	(void)state;
	outlets_done(&outlets);
	return 0;
}

static void
test_the_newest_word_counts(void **state)
{
	const struct outlet *list;
	size_t count;

	(void)state;
	outlets_begin(&outlets, true);
	note("aa", "127.0.0.1:443", 5);
	note("aa", NULL, 0);
	note("bb", "127.0.0.1:443", 0);
	note("aa", "127.0.0.1:443", 9);
	outlets_end(&outlets, true);
	list = outlets_of(&outlets, "aa", &count);
	assert_int_equal(2, count);
	assert_int_equal(9, list[0].proven_at);
	assert_null(list[1].listen);
	assert_int_equal(1, count_of("bb"));
	assert_int_equal(0, count_of("cc"));
	assert_int_equal(0, count_of(NULL));
}

/* What a round puts into service is not proven by it, nor is a proof of before
 * lost where nothing has changed (D8). */
static void
test_expected(void **state)
{
	static const struct {
		const char *name;
		bool known, withdrawn, changed;
		int64_t proven_at;
	} rows[] = {
	    {"never seen", false, false, false, 0},
	    {"never seen, and new", false, false, true, 0},
	    {"proven, and the same still", true, false, false, 7},
	    {"proven, and another one", true, false, true, 0},
	    {"proven, and withdrawn", true, true, false, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct outlet *list;
		size_t count;

		if (rows[i].known)
			note("aa", "127.0.0.1:1", 7);
		outlets_begin(&outlets, true);
		expect("aa", "127.0.0.1:1", rows[i].withdrawn, rows[i].changed);
		outlets_end(&outlets, true);
		list = outlets_of(&outlets, "aa", &count);
		if (count != 1 || list[0].proven_at != rows[i].proven_at ||
		    list[0].withdrawn != rows[i].withdrawn)
			fail_msg("%s: %zu", rows[i].name, count);
		outlets_done(&outlets);
	}
}

static const struct {
	const char *name;
	bool all, good;
	size_t left; /* of what the round did not see */
} rounds[] = {
    {"a whole round forgets", true, true, 0},
    {"one that failed forgets nothing", true, false, 1},
    {"one of what changed neither", false, true, 1},
    {"nor one of that kind that failed", false, false, 1},
};

static void
test_rounds(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rounds) / sizeof(rounds[0]); i++) {
		outlets_begin(&outlets, true);
		note("aa", "127.0.0.1:1", 1);
		note("aa", "127.0.0.1:2", 1);
		note("bb", "127.0.0.1:3", 1);
		outlets_end(&outlets, true);
		outlets_begin(&outlets, rounds[i].all);
		note("aa", "127.0.0.1:2", 2);
		outlets_end(&outlets, rounds[i].good);
		if (count_of("aa") != 1 + rounds[i].left ||
		    count_of("bb") != rounds[i].left)
			fail_msg("%s: %zu, %zu", rounds[i].name, count_of("aa"),
			    count_of("bb"));
		outlets_done(&outlets);
	}
}

static bool
is_bb(void *cookie, const char *fingerprint)
{
	(void)cookie;
	return strcmp(fingerprint, "bb") == 0;
}

/* Certificates are renewed for years: of those of before nothing is left, though
 * no round looks at all again. */
static void
test_departed(void **state)
{
	(void)state;
	outlets_begin(&outlets, false);
	note("aa", "127.0.0.1:1", 1);
	note("bb", "127.0.0.1:1", 2);
	outlets_end(&outlets, true);
	outlets_retain(&outlets, is_bb, NULL);
	assert_int_equal(count_of("aa"), 0);
	assert_int_equal(count_of("bb"), 1);
}

/* A keeper that keeps nothing any more forgets so, when a round has ended well. */
static void
test_departed_by_rounds(void **state)
{
	static const struct err ends[] = {{REASON_FILE, "full"}, {0}};
	const struct keeper_options options = {0};
	struct keeper keeper = {.options = &options};
	struct control control = {.k = &keeper};

	(void)state;
	control_proof(&control, &(struct proofs_report){.fingerprint = "aa",
				    .certificate = "/c",
				    .listen = "127.0.0.1:1"});
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		size_t count;

		control_round_ended(&control, false, &ends[i]);
		(void)outlets_of(&control.outlets, "aa", &count);
		assert_int_equal(count, i == 0 ? 1 : 0);
	}
	outlets_done(&control.outlets);
	metrics_done(&control.metrics);
}

static void
test_bound(void **state)
{
	(void)state;
	outlets_begin(&outlets, true);
	for (int i = 0; i < 3 * OUTLETS_EACH; i++) {
		char listen[32];

		(void)snprintf(listen, sizeof(listen), "127.0.0.1:%d", i);
		note("aa", listen, 1);
	}
	assert_int_equal(OUTLETS_EACH, count_of("aa"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(test_the_newest_word_counts, end),
	    cmocka_unit_test_teardown(test_expected, end),
	    cmocka_unit_test_teardown(test_rounds, end),
	    cmocka_unit_test_teardown(test_departed, end),
	    cmocka_unit_test(test_departed_by_rounds),
	    cmocka_unit_test_teardown(test_bound, end),
	};

	return cmocka_run_group_tests_name("keep/outlets", tests, NULL, NULL);
}
