/* SPDX-License-Identifier: ISC */
/* test_store_keep.c -- keep/store as the keeper has it: a thread writes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <sys/wait.h>

#include "acquire/address_book.h"
#include "own_store.h"
#include "pki/staple.h"
#include "pki/verify.h"
#include "pki_fixture.h"

enum {
	MANY = 3000, /* more than go into one transaction */
	KILLS = 10,
};

/* --- gathered --- */

static void
test_readers_see_what_waits(void **state)
{
	struct store *store = store_test_keep(path);
	struct store_report report;
	int at_once = 0;

	(void)state;
	store_check(store, &report);
	assert_true(report.wants_all); /* it is new */
	assert_false(report.ailing);
	assert_null(report.aside);
	store_check(store, &report);
	assert_false(report.wants_all); /* and says so once */
	for (int i = 0; i < 30; i++) {
		const struct store_attempt attempt = {
		    .at = i, .outcome = "good"};
		char *text = mem_printf("staple %d", i);
		size_t count;

		store_test_put(store, FP_A, text);
		assert_int_equal(store_test_attempt(store, FP_B, &attempt), 0);
		count = store_test_history(store, FP_B, 99).count;
		at_once += count == (size_t)i + 1;
		store_test_flush(store);
		store_test_expect(store, FP_A, text);
		free(text);
	}
	/* what waits is waited for, unless the disk is too slow */
	assert_true(at_once > 0);
	/* others see it soon, and at the latest when it is closed */
	store_test_expect_visitor(path, FP_A, "staple 29");
	store_test_put(store, FP_A, "last");
	store_close(store);
	store_test_expect_visitor(path, FP_A, "last");
	store = store_test_keep(path);
	store_check(store, &report);
	assert_false(report.wants_all);
	store_close(store);
}

/* Nobody has to flush: it is written by itself, also what is more than one
 * transaction. */
static void
test_written_by_itself(void **state)
{
	struct store *store = store_test_keep(path);
	struct store *visitor;
	int64_t until = clock_mono_ms() + STORE_TEST_WAIT_MS;
	uint8_t *der = NULL;
	size_t len = 0;

	(void)state;
	store_test_put_many(store, MANY, "staple");
	visitor = store_visit(path, 0, NULL);
	assert_non_null(visitor);
	for (;;) {
		char *last = mem_printf("%064d", MANY - 1);
		int found = store_get(visitor, last, &der, &len, NULL);

		free(last);
		free(der);
		if (found == 1)
			break;
		assert_int_equal(found, 0);
		assert_true(clock_mono_ms() < until);
		(void)usleep(STORE_TEST_LOOK_MS * 1000);
	}
	store_close(visitor);
	store_close(store);
	assert_int_equal(
	    store_test_ask(path, "SELECT count(*) FROM certificate"), MANY);
}

/* The book, the list and the pruning go the same way. */
static void
test_all_kinds(void **state)
{
	char file[] = "/a.pem", kept[] = FP_A;
	const struct store_target target = {
	    .certificate = file, .fingerprint = kept};
	struct address_book *book = address_book_new();
	struct address_book *read = address_book_new();
	struct store *store = store_test_keep(path);
	struct store_target *got = NULL;
	int64_t now = clock_wall_s();
	size_t count = 0;

	(void)state;
	address_book_prove(book, "ocsp.test", "192.0.2.1", 5, now);
	assert_int_equal(store_save_book(store, book, now, NULL), 0);
	assert_false(address_book_is_changed(book));
	store_test_flush(store);
	assert_int_equal(store_load_book(store, read, now, NULL), 0);
	assert_int_equal(address_book_count(read), 1);
	assert_int_equal(store_put_targets(store, &target, 1, NULL), 0);
	store_test_flush(store);
	assert_int_equal(store_get_targets(store, &got, &count, NULL), 0);
	assert_int_equal(count, 1);
	store_rest(store); /* at any time: all is there */
	assert_string_equal(got[0].fingerprint, FP_A);
	store_targets_free(got, count);
	store_test_put(store, FP_A, "kept");
	store_test_put_many(store, MANY, "not kept");
	assert_int_equal(
	    store_prune(store, now + STORE_UNKEPT_S + 100, NULL), 0);
	for (int64_t until = clock_mono_ms() + STORE_TEST_WAIT_MS;
	     store_test_ask(path, "SELECT count(*) FROM certificate") != 1;) {
		assert_true(clock_mono_ms() < until);
		(void)usleep(STORE_TEST_LOOK_MS * 1000);
	}
	store_test_expect(store, FP_A, "kept");
	store_close(store);
	assert_int_equal(unlink(path), 0);
	store = store_test_keep(path);
	/* nothing of the book is changed, and all of it is put */
	assert_int_equal(store_save_whole_book(store, book, now, NULL), 0);
	store_close(store);
	assert_int_equal(
	    store_test_ask(path, "SELECT count(*) FROM address"), 1);
	address_book_free(book);
	address_book_free(read);
}

/* What no waiting mends is an error at once. */
static void
test_refused(void **state)
{
	char *nowhere = scratch_path(&scratch, "none/oclasp.db");
	struct err err = {0};

	(void)state;
	assert_null(store_keep(nowhere, &err));
	assert_int_equal(err.reason, REASON_STORE);
	assert_non_null(strstr(err.text, nowhere));
	err_clear(&err);
	assert_null(store_keep(scratch.dir, &err));
	assert_int_equal(err.reason, REASON_STORE);
	err_clear(&err);
	store_test_sql(path, "PRAGMA user_version = 99");
	assert_null(store_keep(path, &err));
	assert_non_null(strstr(err.text, "newer"));
	free(nowhere);
}

/* --- kill -9 --- */

/* The child's work: numbers, each in a pair of certificates that are put by one
 * change each, and an octet into FD for each flush. */
static void
write_for_ever(int64_t first, int fd)
{
	struct store *store = store_test_keep(path);
	char octet = 0;

	for (int64_t i = first;; i++) {
		const struct store_attempt attempt = {
		    .at = i, .outcome = "good"};
		const struct store_state standing = {.last_attempt = i};
		char *text = mem_printf("%040lld", (long long)i);
		const struct store_change change = {.attempt = &attempt,
		    .state = &standing,
		    .staple = {(uint8_t *)text, strlen(text)},
		    .this_update = i};

		if (store_save(
			store, i % 2 == 0 ? FP_A : FP_B, &change, NULL) == -1)
			_exit(1);
		free(text);
		if (i % 50 == 49 && (store_flush(store, NULL) == -1 ||
					write(fd, &octet, 1) != 1))
			_exit(1);
	}
}

struct pair {
	int64_t newest, oldest;
};

static void
see_pair(void *cookie, const struct store_item *item)
{
	struct pair *pair = cookie;
	char *text = mem_printf("%040lld", (long long)item->this_update);

	assert_int_equal(item->state.last_attempt, item->this_update);
	assert_int_equal(item->staple.len, strlen(text));
	assert_memory_equal(item->staple.at, text, strlen(text));
	free(text);
	if (item->this_update > pair->newest)
		pair->newest = item->this_update;
	if (item->this_update < pair->oldest)
		pair->oldest = item->this_update;
}

/* I7: what was flushed is there, the rest in the order in which it was put, no
 * change half. */
static void
expect_order(int64_t flushed)
{
	struct store *store = store_test_keep(path);
	struct pair pair = {.newest = -1, .oldest = INT64_MAX};
	struct store_report report;

	store_check(store, &report);
	assert_null(report.aside);
	assert_int_equal(store_each(store, NULL, see_pair, &pair, NULL), 0);
	assert_true(pair.newest >= flushed - 1);
	assert_int_equal(pair.newest - pair.oldest, 1);
	assert_int_equal(store_test_history(store, FP_A, 1).first +
			     store_test_history(store, FP_B, 1).first,
	    pair.newest + pair.oldest);
	store_close(store);
	assert_int_equal(
	    store_test_ask(path, "SELECT count(*) FROM pragma_integrity_check"
				 " WHERE integrity_check <> 'ok'"),
	    0);
}

static void
test_killed_while_writing(void **state)
{
	(void)state;
	for (int64_t kills = 1; kills <= KILLS; kills++) {
		int64_t first = kills * 1000000;
		int64_t heard = 0;
		int pipes[2];
		char octet;
		int status;
		pid_t child;

		assert_int_equal(pipe(pipes), 0);
		child = fork();
		assert_true(child != -1);
		if (child == 0)
			write_for_ever(first, pipes[1]);
		close(pipes[1]);
		/* another instant in each round */
		while (heard < kills) {
			assert_int_equal(read(pipes[0], &octet, 1), 1);
			heard++;
		}
		for (volatile int64_t spin = 0; spin < kills * 300011; spin++)
			continue;
		assert_int_equal(kill(child, SIGKILL), 0);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSIGNALED(status));
		close(pipes[0]);
		expect_order(first + heard * 50);
	}
}

/* --- shared --- */

/* What waits to be written is the store's own, whoever else lets go of it. */
static void
test_shared_staple(void **state)
{
	struct pki pki = pki_make(PKI_EC);
	struct pki_single single = {.leaf = pki.leaf.cert,
	    .issuer = pki.issuer.cert,
	    .this_update = PKI_NOW - 1000,
	    .next_update = PKI_NOW + 9000};
	struct buf der = pki_response(&(struct pki_response){
	    .signer = &pki.issuer, .singles = &single, .single_count = 1});
	const struct verify_input input = {.leaf = pki.leaf.cert,
	    .issuer = pki.issuer.cert,
	    .der = (const uint8_t *)der.text,
	    .len = der.len};
	const struct verify_policy policy = verify_policy_default(PKI_NOW);
	struct store *store = store_test_keep(path);
	struct staple *staple = NULL;
	struct store_change change = {.this_update = PKI_NOW - 1000};
	struct verdict facts;
	bool accepted;
	uint8_t *got = NULL;
	size_t len = 0;

	(void)state;
	assert_int_equal(0,
	    verify_staple(&input, &policy, &staple, &facts, &accepted, NULL));
	change.whole = change.second_whole = staple;
	change.staple = change.second = staple_der(staple);
	assert_int_equal(store_save(store, FP_A, &change, NULL), 0);
	staple_free(staple);
	store_test_flush(store);
	assert_int_equal(store_get(store, FP_A, &got, &len, NULL), 1);
	assert_int_equal(len, der.len);
	assert_memory_equal(got, der.text, len);
	free(got);
	store_close(store);
	buf_done(&der);
	pki_done(&pki);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		test_readers_see_what_waits, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_written_by_itself, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_all_kinds, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_refused, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_killed_while_writing, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_shared_staple, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
