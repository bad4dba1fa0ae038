/* SPDX-License-Identifier: ISC */
/* test_yesterday.c -- acquire: the address book in an acquisition, and errands.
 *
 * One responder at 127.0.0.1, one resolver that says what the day demands. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acquire/acquire.h"
#include "acquire/address_book.h"

#include "base/clock.h"
#include "base/mem.h"
#include "dns_script.h"
#include "http/fetch.h"
#include "ocsp_answer.h"
#include "pki/request.h"
#include "pki/staple.h"

#define HOST "ocsp.book.test"

enum day { CLEAN, POISONED, SILENT };

static struct pki pki;
static uv_loop_t loop;
static struct fetch_pool *pool;
static struct dns_script dns;
static struct script responder;
static struct address_book *book;
static enum day day;
static char url[64];
static struct buf reply;

/* What came of it; copies. */
static struct {
	bool ended, good, accepted;
	struct err err;
	struct acquire_try first, winner;
	size_t tries;
	uint8_t *carried;
	size_t carried_len;
} got;

static void
answer(const struct dns_question *question)
{
	if (day != SILENT)
		dns_say(question, day == CLEAN ? "127.0.0.1" : "127.0.0.77");
}

static void
make_reply(const struct pki_party *signer, const struct cert *about)
{
	buf_done(&reply);
	reply = ocsp_answer(
	    &pki, &(struct ocsp_answer){.leaf = about, .signer = signer});
	responder.reply = reply.text;
	responder.reply_len = reply.len;
}

static int
begin(void **state)
{
	(void)state;
	pki = pki_make(PKI_EC);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	pki_done(&pki);
	buf_done(&reply);
	return 0;
}

static int
open_world(void **state)
{
	(void)state;
	memset(&got, 0, sizeof(got));
	(void)uv_loop_init(&loop);
	pool = fetch_pool_new(&loop);
	book = address_book_new();
	if (!dns_script_start(&dns, &loop, false, answer) ||
	    !script_start(
		&responder, &loop, "127.0.0.1", 0, SCRIPT_CLOSE, "", 0))
		return -1;
	make_reply(&pki.issuer, pki.leaf.cert);
	(void)snprintf(url, sizeof(url), "http://" HOST ":%d/", responder.port);
	return 0;
}

static int
close_world(void **state)
{
	(void)state;
	free(got.carried);
	dns_script_stop(&dns);
	script_stop(&responder);
	address_book_free(book);
	fetch_pool_free(pool);
	loop_end(&loop);
	return 0;
}

static void
acquired(void *cookie, struct acquire_result *result)
{
	(void)cookie;
	free(got.carried);
	memset(&got, 0, sizeof(got));
	got.ended = true;
	got.good = result->staple != NULL;
	got.accepted = result->accepted;
	got.err = result->err;
	got.tries = result->try_count;
	if (result->try_count > 0)
		got.first = result->tries[0];
	if (result->winner != NULL)
		got.winner = *result->winner;
	got.carried = result->carried;
	got.carried_len = result->carried_len;
	staple_free(result->staple);
}

static void
run(const struct acquire_errand *errand, bool with_book)
{
	struct resolver resolver = dns_script_resolver(&dns, 200);
	struct acquire_options options = {
	    .resolvers = &resolver,
	    .resolver_count = 1,
	    .family = RESOLVER_IPV4,
	    .timeout_ms = 3000,
	    .book = with_book ? book : NULL,
	};
	struct acquire_target target = {
	    .leaf = errand != NULL ? NULL : pki.leaf.cert,
	    .issuer = errand != NULL ? NULL : pki.issuer.cert,
	    .url = errand != NULL ? NULL : url,
	    .errand = errand,
	    .policy = verify_policy_default(PKI_NOW),
	};
	got.ended = false;
	(void)acquire_start(&loop, pool, &target, &options, acquired, NULL);
	while (!got.ended)
		(void)uv_run(&loop, UV_RUN_ONCE);
}

static const struct book_entry *
entry_of(const char *address)
{
	for (size_t i = 0; i < address_book_count(book); i++) {
		const struct book_entry *entry = address_book_at(book, i);

		if (strcmp(entry->address, address) == 0 &&
		    strcmp(entry->host, HOST) == 0)
			return entry;
	}
	return NULL;
}

/* Clean yesterday, poisoned (or silent) today: the first try has it. */
static void
test_yesterday_and_today(void **state)
{
	static const enum day days[] = {POISONED, SILENT};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		day = CLEAN;
		run(NULL, true);
		assert_true(got.good);
		assert_non_null(entry_of("127.0.0.1"));
		assert_true(address_book_is_changed(book));
		day = days[i];
		run(NULL, false);
		assert_false(got.good); /* the day is as bad as it should be */
		run(NULL, true);
		assert_true(got.good);
		assert_string_equal(got.winner.source, "book");
		assert_string_equal(got.winner.address, "127.0.0.1");
		assert_string_equal(got.first.source, "book");
		assert_int_equal(got.first.err.reason, REASON_NONE);
		assert_int_equal(got.tries, 1);
	}
}

/* Never trusted: what the book claims is one voice among others. */
static void
test_book_that_is_wrong(void **state)
{
	const struct book_entry *entry;

	(void)state;
	day = CLEAN;
	for (int i = 70; i < 76; i++) {
		char address[32];

		(void)snprintf(address, sizeof(address), "127.0.0.%d", i);
		address_book_prove(book, HOST, address, 1, clock_wall_s());
	}
	run(NULL, true);
	assert_true(got.good);
	assert_string_equal(got.winner.address, "127.0.0.1");
	assert_int_equal(got.winner.source[0], 'u'); /* udp://... */
	assert_string_equal(got.first.source, "book");
	entry = entry_of(got.first.address);
	assert_non_null(entry);
	assert_int_equal(entry->failures, 1);
	assert_int_equal(entry_of("127.0.0.1")->failures, 0);
}

/* A forged answer from a proven address is refused as from any other. */
static void
test_proven_address_that_lies(void **state)
{
	(void)state;
	day = CLEAN;
	run(NULL, true);
	assert_true(got.good);
	make_reply(&pki.leaf, pki.leaf.cert); /* signed by a stranger */
	run(NULL, true);
	assert_false(got.good);
	assert_false(got.accepted);
	/* all failed: that says nothing against the address */
	assert_int_equal(entry_of("127.0.0.1")->failures, 0);
}

static void
test_outage_spares_the_book(void **state)
{
	(void)state;
	address_book_prove(book, HOST, "127.0.0.78", 1, clock_wall_s());
	day = POISONED;
	for (int i = 0; i < BOOK_FAILURES_MAX + 1; i++)
		run(NULL, true);
	assert_false(got.good);
	assert_int_equal(entry_of("127.0.0.78")->failures, 0);
	assert_null(entry_of("127.0.0.77"));
}

/* --- errands --- */

static struct acquire_errand
make_errand(uint8_t **request, char **urls)
{
	size_t len = 0;

	assert_int_equal(
	    request_make(pki.leaf.cert, pki.issuer.cert, request, &len, NULL),
	    0);
	urls[0] = url;
	return (struct acquire_errand){
	    .request = {*request, len}, .urls = urls, .url_count = 1};
}

static void
test_errand(void **state)
{
	uint8_t *request = NULL;
	char *urls[1];
	struct acquire_errand errand = make_errand(&request, urls);

	(void)state;
	day = CLEAN;
	run(&errand, true);
	assert_non_null(got.carried);
	assert_int_equal(got.carried_len, ocsp_answer_body(&reply).len);
	assert_memory_equal(
	    got.carried, ocsp_answer_body(&reply).at, got.carried_len);
	assert_false(got.accepted); /* nothing was verified, */
	assert_int_equal(address_book_count(book), 0); /* so nothing proven */
	/* also what a stranger signed: home decides */
	make_reply(&pki.leaf, pki.leaf.cert);
	run(&errand, true);
	assert_non_null(got.carried);
	free(request);
}

/* A serial number below zero, as some private CAs have given, is one all the
 * same. */
static void
test_errand_below_zero(void **state)
{
	struct pki_party odd = pki_party(&(struct pki_spec){
	    .cn = "odd", .issuer = &pki.issuer, .serial = "-5a"});
	struct acquire_errand errand = {.url_count = 1};
	char *urls[] = {url};
	uint8_t *request = NULL;

	(void)state;
	day = CLEAN;
	errand.urls = urls;
	assert_int_equal(request_make(odd.cert, pki.issuer.cert, &request,
			     &errand.request.len, NULL),
	    0);
	errand.request.at = request;
	make_reply(&pki.issuer, odd.cert);
	run(&errand, true);
	if (got.carried == NULL)
		fail_msg("%s", got.err.text);
	make_reply(&pki.issuer, pki.leaf.cert);
	run(&errand, true);
	assert_int_equal(got.err.reason, REASON_WRONG_CERTIFICATE);
	free(request);
	pki_party_done(&odd);
}

static void
test_errand_refusals(void **state)
{
	static const char html[] = "HTTP/1.1 200 OK\r\nContent-Type: text/html"
				   "\r\nConnection: close\r\n\r\n<html>";
	/* OCSPResponse { tryLater } */
	static const char later[] =
	    "HTTP/1.1 200 OK\r\nContent-Type: application/ocsp-response\r\n"
	    "Connection: close\r\n\r\n\x30\x03\x0a\x01\x03";
	uint8_t *request = NULL;
	char *urls[1];
	struct acquire_errand errand = make_errand(&request, urls);

	(void)state;
	day = CLEAN;
	make_reply(&pki.issuer, pki.delegate.cert); /* about another one */
	run(&errand, false);
	assert_null(got.carried);
	assert_int_equal(got.err.reason, REASON_WRONG_CERTIFICATE);
	responder.reply = html;
	responder.reply_len = sizeof(html) - 1;
	run(&errand, false);
	assert_null(got.carried);
	assert_int_equal(got.err.reason, REASON_NOT_OCSP);
	responder.reply = later;
	responder.reply_len = sizeof(later) - 1;
	run(&errand, false);
	assert_null(got.carried);
	assert_int_equal(got.err.reason, REASON_STATUS_TRY_LATER);
	errand.url_count = 0;
	run(&errand, false);
	assert_int_equal(got.err.reason, REASON_NO_OCSP_URL);
	free(request);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		test_yesterday_and_today, open_world, close_world),
	    cmocka_unit_test_setup_teardown(
		test_book_that_is_wrong, open_world, close_world),
	    cmocka_unit_test_setup_teardown(
		test_proven_address_that_lies, open_world, close_world),
	    cmocka_unit_test_setup_teardown(
		test_outage_spares_the_book, open_world, close_world),
	    cmocka_unit_test_setup_teardown(
		test_errand, open_world, close_world),
	    cmocka_unit_test_setup_teardown(
		test_errand_below_zero, open_world, close_world),
	    cmocka_unit_test_setup_teardown(
		test_errand_refusals, open_world, close_world),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
