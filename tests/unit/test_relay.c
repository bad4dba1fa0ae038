/* SPDX-License-Identifier: ISC */
/* test_relay.c -- keep/relay: what is answered from memory, and with what
 * headers (RFC 9919; I3). */
#include <assert.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>

#include "base/clock.h"
#include "base/loop.h"
#include "http/server.h"
#include "keep/relay_demand.h"
#include "pki/digest.h"
#include "relay_scene.h"

static struct pki pki, stranger;
static struct pki_party second; /* another leaf of the same issuer */
static uv_loop_t loop;
static struct relay *relay;
static struct relay_thread *thread;
static struct snapshot_node *kept;
static uint64_t counted[RELAY_RESULTS]; /* at the last look */

/* --- the answer, whole --- */

static struct server_answer answer;

static void
forget(void)
{
	if (answer.release != NULL)
		answer.release(answer.owner);
	memset(&answer, 0, sizeof(answer));
}

static const char *
header(const char *name)
{
	for (size_t i = 0; i < answer.header_count; i++) {
		if (strcmp(answer.headers[i].name, name) == 0)
			return answer.headers[i].value;
	}
	return "";
}

static bool
ask(struct server_question question)
{
	forget();
	return relay_answer(thread, &question, &answer);
}

static bool
get(const struct cert *leaf, bool sha256)
{
	char *path = scene_path(&pki, leaf, sha256);
	bool at_once = ask((struct server_question){.path = path});

	free(path);
	return at_once;
}

/* What was counted since the last look. */
static void
expect_counted(enum relay_result result)
{
	for (unsigned i = 0; i < RELAY_RESULTS; i++) {
		uint64_t now = relay_count(relay, i);

		if (now - counted[i] != (i == result ? 1U : 0U))
			fail_msg("%s was counted %d times, not %s",
			    relay_result_name(i), (int)(now - counted[i]),
			    relay_result_name(result));
		counted[i] = now;
	}
}

static int
make_pki(void **state)
{
	(void)state;
	pki = pki_make(PKI_EC);
	stranger = pki_make(PKI_EC);
	second = pki_party(
	    &(struct pki_spec){.cn = "second", .issuer = &pki.issuer});
	return 0;
}

static int
free_pki(void **state)
{
	(void)state;
	pki_party_done(&second);
	pki_done(&stranger);
	pki_done(&pki);
	return 0;
}

static int
set_up(void **state)
{
	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	atomic_store(&scene_now, PKI_NOW);
	memset(counted, 0, sizeof(counted));
	relay = relay_new(&loop, scene_wall_s);
	thread = relay_thread_new(relay);
	kept = relay_keep(relay, pki.leaf.cert, pki.issuer.cert);
	assert_non_null(kept);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	forget();
	relay_thread_free(&thread);
	relay_free(&relay);
	loop_end(&loop);
	return 0;
}

static void
offer(int first, int second_nid, int64_t this_update, int64_t next_update)
{
	struct staple *staple = scene_staple(
	    &pki, pki.leaf.cert, first, second_nid, this_update, next_update);

	relay_offer(relay, kept, staple);
	staple_free(staple);
}

/* --- errors --- */

/* Errors are pages, whose inside is the server's: they are told by what is
 * counted, and test_listen.c sees their octets. */
static void
expect_error(enum relay_result result)
{
	expect_counted(result);
	assert_non_null(answer.page);
	assert_int_equal(answer.status, 200);
}

static void
test_malformed(void **state)
{
	static const char *const paths[] = {
	    "/", "", "/favicon.ico", "/MAA=", "/MFM", "/M%zz", "*"};

	(void)state;
	offer(NID_sha1, 0, 0, 0);
	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		assert_true(ask((struct server_question){.path = paths[i]}));
		expect_error(RELAY_MALFORMED);
	}
	assert_true(ask((struct server_question){.method = SERVER_POST}));
	expect_error(RELAY_MALFORMED);
	assert_true(ask((struct server_question){
	    .method = SERVER_POST, .path = "/", .body = PKI_BYTES("<html>")}));
	expect_error(RELAY_MALFORMED);
}

static void
test_not_kept(void **state)
{
	char *path = scene_path(&stranger, stranger.leaf.cert, false);

	(void)state;
	offer(NID_sha1, 0, 0, 0);
	/* of the same issuer; and the same name and serial, another key */
	assert_true(get(second.cert, false));
	expect_error(RELAY_UNAUTHORIZED);
	assert_true(ask((struct server_question){.path = path}));
	expect_error(RELAY_UNAUTHORIZED);
	free(path);
}

/* Kept, and nothing to give: yet, or any more (I3). */
static void
test_try_later(void **state)
{
	(void)state;
	assert_true(get(pki.leaf.cert, false));
	expect_error(RELAY_TRY_LATER);
	offer(NID_sha1, 0, PKI_NOW - 1000, PKI_NOW + 9000);
	atomic_store(&scene_now, PKI_NOW + 9000 - 300 - 1);
	assert_true(get(pki.leaf.cert, false));
	expect_counted(RELAY_GOOD);
	assert_string_equal(header("Cache-Control"),
	    "max-age=1, public, no-transform, must-revalidate");
	atomic_store(&scene_now, PKI_NOW + 9000 - 300);
	assert_true(get(pki.leaf.cert, false));
	expect_error(RELAY_TRY_LATER);
	/* of a hash that there is no response for, and nobody to ask */
	atomic_store(&scene_now, PKI_NOW);
	assert_true(get(pki.leaf.cert, true));
	expect_error(RELAY_TRY_LATER);
}

static void
test_withdrawn(void **state)
{
	(void)state;
	/* C15: whoever asks, and by which hash */
	offer(NID_sha1, 0, PKI_NOW - 1000, PKI_NOW + 9000);
	offer(NID_sha256, 0, PKI_NOW - 1000, PKI_NOW + 9000);
	relay_withdraw(relay, kept);
	for (int sha256 = 0; sha256 < 2; sha256++) {
		assert_true(get(pki.leaf.cert, sha256 == 1));
		expect_error(RELAY_UNAUTHORIZED);
	}
	offer(NID_sha1, 0, PKI_NOW - 10, PKI_NOW + 9000);
	assert_true(get(pki.leaf.cert, false));
	expect_counted(RELAY_GOOD);
	/* it was a hold: once this one has ended there will be a next */
	atomic_store(&scene_now, PKI_NOW + 9000);
	assert_true(get(pki.leaf.cert, false));
	expect_error(RELAY_TRY_LATER);
}

/* --- good ones --- */

static void
expect_response(struct span der)
{
	assert_int_equal(answer.status, 200);
	assert_null(answer.page);
	assert_true(span_equal(answer.body, der));
	assert_string_equal(answer.content_type, "application/ocsp-response");
}

static void
test_good(void **state)
{
	struct staple *staple = scene_staple(
	    &pki, pki.leaf.cert, NID_sha1, 0, PKI_NOW - 1000, PKI_NOW + 90000);
	struct span der = staple_der(staple);
	struct buf request = scene_request(&pki, pki.leaf.cert, false);
	char text[CLOCK_HTTP];

	(void)state;
	relay_offer(relay, kept, staple);
	assert_true(get(pki.leaf.cert, false));
	expect_counted(RELAY_GOOD);
	expect_response(der);
	/* RFC 9919, section 6.2 */
	assert_string_equal(header("Cache-Control"),
	    "max-age=89700, public, no-transform, must-revalidate");
	assert_string_equal(
	    header("Last-Modified"), clock_http(PKI_NOW - 1000, text));
	assert_string_equal(
	    header("Expires"), clock_http(PKI_NOW + 90000 - 300, text));
	assert_int_equal(strlen(header("ETag")), 66);
	assert_memory_equal(
	    header("ETag") + 1, staple_facts(staple)->sha256, 64);
	/* not the octets themselves: they may go while these are sent */
	assert_ptr_not_equal(answer.body.at, der.at);

	assert_true(ask((struct server_question){.method = SERVER_POST,
	    .path = "/any/where",
	    .body = pki_span(&request)}));
	expect_counted(RELAY_GOOD);
	expect_response(der);
	buf_done(&request);
	staple_free(staple);
}

/* The CA's clock is a minute ahead of ours.  RFC 9110, section 8.8.2.1: what was
 * modified later than Date a server must not say. */
static void
test_clock_ahead(void **state)
{
	char text[CLOCK_HTTP];

	(void)state;
	offer(NID_sha1, 0, PKI_NOW + 60, PKI_NOW + 9000);
	assert_true(get(pki.leaf.cert, false));
	expect_counted(RELAY_GOOD);
	assert_string_equal(header("Last-Modified"), clock_http(PKI_NOW, text));
}

static void
test_hashes(void **state)
{
	static const struct {
		int first, second;
		bool sha1, sha256;
	} rows[] = {
	    {NID_sha1, 0, true, false},
	    {NID_sha256, 0, false, true},
	    {NID_sha1, NID_sha256, true, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		relay_drop(relay, &kept);
		kept = relay_keep(relay, pki.leaf.cert, pki.issuer.cert);
		offer(rows[i].first, rows[i].second, 0, 0);
		assert_true(get(pki.leaf.cert, false));
		expect_counted(rows[i].sha1 ? RELAY_GOOD : RELAY_TRY_LATER);
		assert_true(get(pki.leaf.cert, true));
		expect_counted(rows[i].sha256 ? RELAY_GOOD : RELAY_TRY_LATER);
	}
}

/* Two responses, one for each hash; neither covers the other. */
static void
test_both(void **state)
{
	(void)state;
	offer(NID_sha1, 0, PKI_NOW - 1000, PKI_NOW + 9000);
	offer(NID_sha256, 0, PKI_NOW - 500, PKI_NOW + 8000);
	assert_true(get(pki.leaf.cert, false));
	assert_string_equal(header("Cache-Control"),
	    "max-age=8700, public, no-transform, must-revalidate");
	assert_true(get(pki.leaf.cert, true));
	assert_string_equal(header("Cache-Control"),
	    "max-age=7700, public, no-transform, must-revalidate");
}

/* I2: an older one, of another file with the same certificate, does not
 * replace a newer one. */
static void
test_newer_stays(void **state)
{
	(void)state;
	offer(NID_sha1, 0, PKI_NOW - 100, PKI_NOW + 9000);
	offer(NID_sha1, 0, PKI_NOW - 200, PKI_NOW + 99000);
	assert_true(get(pki.leaf.cert, false));
	assert_string_equal(header("Cache-Control"),
	    "max-age=8700, public, no-transform, must-revalidate");
}

static void
test_owners(void **state)
{
	struct snapshot_node *again =
	    relay_keep(relay, pki.leaf.cert, pki.issuer.cert);

	(void)state;
	assert_ptr_equal(again, kept);
	offer(NID_sha1, 0, 0, 0);
	relay_drop(relay, &again);
	assert_null(again);
	assert_true(get(pki.leaf.cert, false));
	expect_counted(RELAY_GOOD);
	relay_drop(relay, &kept);
	assert_true(get(pki.leaf.cert, false));
	expect_counted(RELAY_UNAUTHORIZED);
	relay_drop(relay, &kept); /* nothing: it is NULL */
}

/* --- conditions (RFC 9110, section 13) --- */

static void
test_conditions(void **state)
{
	char *path = scene_path(&pki, pki.leaf.cert, false);
	struct buf request = scene_request(&pki, pki.leaf.cert, false);
	char etag[80], list[200], weak[90], since[CLOCK_HTTP], old[CLOCK_HTTP],
	    later[CLOCK_HTTP];
	uint8_t digest[DIGEST_LEN];
	size_t whole;
	char *hex;
	const struct {
		const char *name, *match, *since;
		bool same;
	} rows[] = {
	    {"none", NULL, NULL, false},
	    {"its ETag", etag, NULL, true},
	    {"in a list", list, NULL, true},
	    {"weak", weak, NULL, true},
	    {"any", "*", NULL, true},
	    {"another ETag", "\"0123\"", NULL, false},
	    {"no ETag at all", "x", NULL, false},
	    {"since then", NULL, since, true},
	    {"since later", NULL, later, true},
	    {"since before", NULL, old, false},
	    {"since never", NULL, "yesterday", false},
	    {"the ETag counts, not the date", "\"0123\"", since, false},
	    {"the old form of a date", NULL, "Sunday, 06-Nov-94 08:49:37 GMT",
		false},
	};

	(void)state;
	offer(NID_sha1, 0, PKI_NOW - 1000, PKI_NOW + 9000);
	assert_true(ask((struct server_question){.path = path}));
	whole = answer.body.len;
	/* RFC 9919, section 6.2: the hex SHA-256 of the response */
	digest_of(answer.body, digest);
	hex = text_hex(digest, sizeof(digest));
	(void)snprintf(etag, sizeof(etag), "\"%s\"", hex);
	free(hex);
	assert_string_equal(header("ETag"), etag);
	(void)snprintf(weak, sizeof(weak), "W/%s", etag);
	(void)snprintf(list, sizeof(list), "\"a\", %s, \"b\"", etag);
	(void)clock_http(PKI_NOW - 1000, since);
	(void)clock_http(PKI_NOW - 1001, old);
	(void)clock_http(PKI_NOW - 10, later);
	expect_counted(RELAY_GOOD);
	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(*rows); i++) {
		size_t row = i / 2;

		assert_true(ask((struct server_question){
		    .method = i % 2 == 0 ? SERVER_GET : SERVER_HEAD,
		    .path = path,
		    .if_none_match = rows[row].match,
		    .if_modified_since = rows[row].since}));
		if (answer.status != (rows[row].same ? 304 : 200))
			fail_msg("%s: %u", rows[row].name, answer.status);
		expect_counted(
		    rows[row].same ? RELAY_NOT_MODIFIED : RELAY_GOOD);
		/* RFC 9110, section 8.6: a 304 tells the length of the 200 */
		assert_int_equal(answer.body.len, whole);
		assert_string_equal(header("ETag"), etag);
	}
	/* a POST is no condition's */
	assert_true(ask((struct server_question){.method = SERVER_POST,
	    .body = pki_span(&request),
	    .if_none_match = "*"}));
	expect_counted(RELAY_GOOD);
	buf_done(&request);
	free(path);
}

/* --- several CertIDs, and a nonce --- */

static struct buf
several(const struct cert *const leaves[], size_t count, bool nonce)
{
	OCSP_REQUEST *request = OCSP_REQUEST_new();
	unsigned char *der = NULL;
	struct buf out;
	int len;

	for (size_t i = 0; i < count; i++)
		assert_non_null(OCSP_request_add0_id(
		    request, OCSP_cert_to_id(EVP_sha1(), leaves[i]->x509,
				 pki.issuer.cert->x509)));
	if (nonce)
		assert_int_equal(1, OCSP_request_add1_nonce(request, NULL, 32));
	len = i2d_OCSP_REQUEST(request, &der);
	assert_true(len > 0);
	buf_init(&out, 8192);
	buf_add(&out, der, (size_t)len);
	OPENSSL_free(der);
	OCSP_REQUEST_free(request);
	return out;
}

static void
test_several(void **state)
{
	const struct cert *both[] = {second.cert, pki.leaf.cert};
	const struct cert *unknown[] = {second.cert, second.cert};
	struct {
		struct buf request;
		enum relay_result result;
		bool fetched; /* if that is allowed */
	} rows[] = {
	    {several(both, 2, false), RELAY_GOOD, false},
	    {several(both, 1, false), RELAY_UNAUTHORIZED, true},
	    {several(unknown, 2, true), RELAY_UNAUTHORIZED, false},
	    {several(both + 1, 1, true), RELAY_GOOD, false},
	};

	(void)state;
	offer(NID_sha1, 0, 0, 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		assert_true(ask((struct server_question){.method = SERVER_POST,
		    .body = pki_span(&rows[i].request)}));
		expect_counted(rows[i].result);
	}
	/* and where others are fetched, of several none is */
	relay_allow_demand(
	    relay, &(struct relay_demand_hooks){.unknown = true});
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		bool at_once = ask((struct server_question){
		    .method = SERVER_POST, .body = pki_span(&rows[i].request)});

		if (at_once == rows[i].fetched)
			fail_msg("row %zu: %s", i,
			    at_once ? "answered" : "to be fetched");
		buf_done(&rows[i].request);
	}
	relay_allow_demand(relay, NULL);
}

/* --- threads: what is answered is whole, while it changes --- */

enum { ASKERS = 3, CHANGES = 2000 };

struct asker {
	pthread_t id;
	struct relay_thread *thread;
	const char *path;
	_Atomic int *ended;
	uint64_t wrong, good;
};

static void *
ask_on(void *cookie)
{
	struct asker *a = cookie;

	while (atomic_load(a->ended) == 0) {
		const struct server_question question = {.path = a->path};
		struct server_answer out = {0};

		if (!relay_answer(a->thread, &question, &out) ||
		    out.page != NULL || out.body.at[0] != 0x30 ||
		    strlen(out.headers[1].value) != 66)
			a->wrong++;
		else
			a->good++;
		if (out.release != NULL)
			out.release(out.owner);
	}
	return NULL;
}

static void
test_threads(void **state)
{
	static struct asker askers[ASKERS];
	struct staple *staples[4];
	_Atomic int ended = 0;
	char *path = scene_path(&pki, pki.leaf.cert, false);
	uint64_t good = 0;

	(void)state;
	offer(NID_sha1, 0, PKI_NOW - 5000, PKI_NOW + 9000);
	for (size_t i = 0; i < ASKERS; i++) {
		askers[i] = (struct asker){.thread = relay_thread_new(relay),
		    .path = path,
		    .ended = &ended};
		assert_int_equal(
		    0, pthread_create(&askers[i].id, NULL, ask_on, &askers[i]));
	}
	for (size_t i = 0; i < 4; i++)
		staples[i] = scene_staple(&pki, pki.leaf.cert, NID_sha1, 0,
		    PKI_NOW - 4000 + (int64_t)i, PKI_NOW + 9000);
	for (size_t i = 0; i < CHANGES; i++) {
		struct snapshot_node *other =
		    relay_keep(relay, second.cert, pki.issuer.cert);

		relay_offer(relay, kept, staples[i % 4]);
		relay_drop(relay, &other);
		if (i % 16 == 0)
			(void)sched_yield();
	}
	atomic_store(&ended, 1);
	for (size_t i = 0; i < ASKERS; i++) {
		(void)pthread_join(askers[i].id, NULL);
		assert_int_equal(askers[i].wrong, 0);
		good += askers[i].good;
		relay_thread_free(&askers[i].thread);
	}
	/* threads that are gone are counted still */
	assert_int_equal(relay_count(relay, RELAY_GOOD), good);
	for (size_t i = 0; i < 4; i++)
		staple_free(staples[i]);
	free(path);
}

/* A certificate whose serial number nobody can ask for is not kept. */
static void
test_no_serial(void **state)
{
	struct cert *compact = cert_compact(pki.leaf.cert);

	(void)state;
	compact->serial_der.len = 0;
	assert_null(relay_keep(relay, compact, pki.issuer.cert));
	cert_free(compact);
}

#define T(name) cmocka_unit_test_setup_teardown(test_##name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(malformed),
	    T(not_kept),
	    T(try_later),
	    T(withdrawn),
	    T(good),
	    T(clock_ahead),
	    T(hashes),
	    T(both),
	    T(newer_stays),
	    T(owners),
	    T(conditions),
	    T(several),
	    T(threads),
	    T(no_serial),
	};

	return cmocka_run_group_tests(tests, make_pki, free_pki);
}
