/* SPDX-License-Identifier: ISC */
/* test_penalty_client.c -- doctor/penalty_client: waits by the clients' rules
 * (NETWORK-TRUTH 4.4). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "doctor/penalty_client.h"

enum { URLS = 2 };

/* Every try of a URL is alike. */
struct url {
	enum reason reason;
	bool cut;
	int64_t connect_ms, elapsed_ms;
};

#define ANSWERS(ms)                       \
	{                                 \
		REASON_NONE, false, 1, ms \
	}
#define REFUSES(ms)                                   \
	{                                             \
		REASON_CONNECT_REFUSED, false, -1, ms \
	}
#define HANGS                                                  \
	{                                                      \
		REASON_HTTP_TIMEOUT, true, 100, PENALTY_TRY_MS \
	}
#define SINKS                                                    \
	{                                                        \
		REASON_CONNECT_TIMEOUT, true, -1, PENALTY_TRY_MS \
	}
#define CUT(ms)                                    \
	{                                          \
		REASON_HTTP_TIMEOUT, true, 100, ms \
	}

static const struct row {
	const char *name;
	size_t count; /* of URLs */
	struct url urls[URLS];
	const char *client, *class;
	int64_t wait_ms;
	bool at_least;
} rows[] = {
    {"answered", 1, {ANSWERS(40)}, "apple", "answered", 40, false},
    {"refused: fails fast", 1, {REFUSES(9)}, "apple", "fails", 9, false},
    {"a tarpit, Apple", 1, {HANGS}, "apple", "times-out", 3000, false},
    {"a black hole, Apple", 1, {SINKS}, "apple", "times-out", 3000, false},
    {"answered too late for Apple", 1, {ANSWERS(3001)}, "apple", "times-out",
	3000, false},
    {"answered just in time", 1, {ANSWERS(2999)}, "apple", "answered", 2999,
	false},
    {"two URLs, Apple: 3 s for each", 2, {HANGS, SINKS}, "apple", "times-out",
	6000, false},
    {"two URLs, the second answers", 2, {HANGS, ANSWERS(50)}, "apple",
	"answered", 3050, false},
    {"two URLs, the first answers", 2, {ANSWERS(50), HANGS}, "apple",
	"answered", 50, false},
    {"two URLs, hung and refused", 2, {HANGS, REFUSES(5)}, "apple", "times-out",
	3005, false},
    {"a tarpit, Windows", 1, {HANGS}, "windows", "times-out", 15000, false},
    {"two tarpits, Windows: 20 s in all", 2, {HANGS, HANGS}, "windows",
	"times-out", 20000, false},
    {"a tarpit, Firefox", 1, {HANGS}, "firefox", "times-out", 2000, false},
    {"Firefox asks one URL", 2, {REFUSES(5), HANGS}, "firefox", "fails", 5,
	false},
    {"a black hole, Java", 1, {SINKS}, "java", "times-out", 15000, false},
    {"a tarpit, Java: reading has its own time", 1, {HANGS}, "java",
	"times-out", 15100, false},
    {"cut before Apple would", 1, {CUT(2000)}, "apple", "times-out", 2000,
	true},
    {"cut, but Apple gave up before", 1, {CUT(4000)}, "apple", "times-out",
	3000, false},
    {"cut before Windows would", 1, {CUT(4000)}, "windows", "times-out", 4000,
	true},
};

static struct penalty *
make(const struct row *row)
{
	struct penalty *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	p->url_count = row->count;
	p->wanted = PENALTY_TRIES;
	for (size_t i = 0; i < row->count; i++) {
		for (int post = 0; post < 2; post++) {
			struct penalty_row *to = &p->rows[p->row_count++];

			to->url_index = i;
			to->post = post == 1;
			to->count = PENALTY_TRIES;
			for (size_t t = 0; t < PENALTY_TRIES; t++)
				to->tries[t] =
				    (struct penalty_try){.done = true,
					.reason = row->urls[i].reason,
					.cut = row->urls[i].cut,
					.connect_ms = row->urls[i].connect_ms,
					.elapsed_ms = row->urls[i].elapsed_ms};
		}
	}
	return p;
}

static const struct penalty_client *
find(const char *name)
{
	const struct penalty_client *client;

	for (size_t i = 0; (client = penalty_client_at(i)) != NULL; i++) {
		if (strcmp(client->name, name) == 0)
			return client;
	}
	fail_msg("no client %s", name);
	return NULL;
}

static void
test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		struct penalty *p = make(row);
		struct penalty_wait wait;

		penalty_wait_of(p, find(row->client), &wait);
		if (wait.p50_ms != row->wait_ms ||
		    wait.p95_ms != row->wait_ms ||
		    wait.at_least != row->at_least ||
		    strcmp(penalty_class(&wait), row->class) != 0)
			fail_msg("%s: %lld to %lld ms, %s%s", row->name,
			    (long long)wait.p50_ms, (long long)wait.p95_ms,
			    penalty_class(&wait),
			    wait.at_least ? ", at least" : "");
		assert_int_equal(wait.tries, PENALTY_TRIES);
		free(p);
	}
}

/* Chrome, curl and Android: nothing is claimed, whatever the tries say. */
static void
test_nobody_asks(void **state)
{
	static const char *const names[] = {"chrome", "curl", "android"};
	struct penalty *p = make(&(struct row){.count = 1, .urls = {HANGS}});

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct penalty_wait wait;

		assert_false(find(names[i])->asks);
		penalty_wait_of(p, find(names[i]), &wait);
		assert_int_equal(wait.p95_ms, 0);
		assert_int_equal(wait.tries, 0);
	}
	free(p);
}

/* 20 different waits: half of them, and 19 of 20, are not longer. */
static void
test_distribution(void **state)
{
	struct penalty *p =
	    make(&(struct row){.count = 1, .urls = {ANSWERS(0)}});
	struct penalty_wait wait;
	int64_t sorted[PENALTY_TRIES];

	(void)state;
	for (size_t t = 0; t < PENALTY_TRIES; t++) /* 200, 190, ... 10 */
		p->rows[0].tries[t].elapsed_ms =
		    10 * (PENALTY_TRIES - (int64_t)t);
	p->rows[0].tries[3] = (struct penalty_try){.done = true,
	    .reason = REASON_HTTP_TIMEOUT,
	    .cut = true,
	    .elapsed_ms = 9000};
	penalty_wait_of(p, find("apple"), &wait);
	assert_int_equal(wait.p50_ms, 100);
	assert_int_equal(wait.p95_ms, 200);
	assert_int_equal(wait.timed_out, 1);
	assert_int_equal(wait.answered, PENALTY_TRIES - 1);
	assert_string_equal(penalty_class(&wait), "mixed");
	assert_int_equal(penalty_sorted(&p->rows[0], sorted), PENALTY_TRIES);
	assert_int_equal(sorted[PENALTY_TRIES - 1], 9000);
	free(p);
}

/* Tries that were never made are nothing, not zero. */
static void
test_not_tried(void **state)
{
	struct penalty *p =
	    make(&(struct row){.count = 1, .urls = {ANSWERS(40)}});
	struct penalty_wait wait;

	(void)state;
	for (size_t t = 5; t < PENALTY_TRIES; t++)
		p->rows[0].tries[t].done = false;
	penalty_wait_of(p, find("apple"), &wait);
	assert_int_equal(wait.tries, 5);
	assert_int_equal(wait.p50_ms, 40);
	penalty_wait_of(p, find("firefox"), &wait); /* POST was tried always */
	assert_int_equal(wait.tries, PENALTY_TRIES);
	p->row_count = 0;
	penalty_wait_of(p, find("apple"), &wait);
	assert_int_equal(wait.tries, 0);
	assert_string_equal(penalty_class(&wait), "unknown");
	/* a second URL that there was no room for */
	p->row_count = 1;
	p->url_count = 2;
	penalty_wait_of(p, find("apple"), &wait);
	assert_false(wait.at_least); /* the first one answers */
	for (size_t t = 0; t < 5; t++)
		p->rows[0].tries[t].reason = REASON_CONNECT_REFUSED;
	penalty_wait_of(p, find("apple"), &wait);
	assert_true(wait.at_least);
	free(p);
}

/* Without rows: what `check` says of a certificate that none asks for. */
static void
test_one_try(void **state)
{
	struct penalty *p = calloc(1, sizeof(*p));
	struct penalty_one one;

	(void)state;
	assert_non_null(p);
	(void)err_set(&p->err, REASON_NO_OCSP_URL, "none");
	penalty_one_try(p, &one);
	assert_int_equal(one.wait_ms, 0);
	assert_int_equal(one.err.reason, REASON_NO_OCSP_URL);
	free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_rows),
	    cmocka_unit_test(test_nobody_asks),
	    cmocka_unit_test(test_distribution),
	    cmocka_unit_test(test_not_tried),
	    cmocka_unit_test(test_one_try),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
