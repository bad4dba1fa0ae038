/* SPDX-License-Identifier: ISC */
/* test_snapshot.c -- keep/snapshot: who is found, and until when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/ocsp.h>
#include <pthread.h>
#include <sched.h>

#include "base/mem.h"
#include "keep/snapshot.h"
#include "pki/request.h"
#include "pki/request_read.h"
#include "pki/staple.h"
#include "pki_fixture.h"

static struct pki pki, other;

static int
make_pki(void **state)
{
	(void)state;
	pki = pki_make(PKI_EC);
	other = pki_make(PKI_EC);
	return 0;
}

static int
free_pki(void **state)
{
	(void)state;
	pki_done(&pki);
	pki_done(&other);
	return 0;
}

static struct staple *
staple_of(int64_t this_update, int64_t next_update)
{
	struct pki_single single = {.leaf = pki.leaf.cert,
	    .issuer = pki.issuer.cert,
	    .this_update = this_update,
	    .next_update = next_update};
	struct pki_response spec = {
	    .signer = &pki.issuer, .singles = &single, .single_count = 1};
	struct buf der = pki_response(&spec);
	struct verify_input input = {.leaf = pki.leaf.cert,
	    .issuer = pki.issuer.cert,
	    .der = (const uint8_t *)der.text,
	    .len = der.len};
	struct verify_policy policy = verify_policy_default(PKI_NOW);
	struct staple *staple = NULL;
	struct verdict facts;
	bool accepted;

	assert_int_equal(0,
	    verify_staple(&input, &policy, &staple, &facts, &accepted, NULL));
	assert_true(facts.sha1_id && !facts.sha256_id);
	buf_done(&der);
	return staple;
}

/* The CertID of LEAF by OpenSSL, through our own request. */
static void
find_both(struct snapshot *s, const struct pki *p, bool issuer_there,
    const struct snapshot_node *node)
{
	for (int i = 0; i < 2; i++) {
		const struct request_kind kind = {.sha256 = i == 1};
		const struct snapshot_issuer *issuer;
		struct request_asked asked;
		uint8_t *der = NULL;
		size_t len = 0;

		assert_int_equal(
		    0, request_make_as(p->leaf.cert, p->issuer.cert, &kind,
			   &der, &len, NULL));
		assert_true(request_read((struct span){der, len}, &asked));
		issuer = snapshot_find_issuer(s, &asked.ids[0]);
		assert_int_equal(issuer != NULL, issuer_there);
		if (issuer != NULL)
			assert_ptr_equal(
			    snapshot_find(s, issuer, asked.ids[0].serial),
			    node);
		free(der);
	}
}

static void
test_find(void **state)
{
	struct snapshot *s = snapshot_new();
	struct snapshot_issuer *issuer, *again;
	struct snapshot_node *node;

	(void)state;
	find_both(s, &pki, false, NULL);
	issuer = snapshot_issuer_of(s, pki.leaf.cert, pki.issuer.cert);
	assert_non_null(issuer);
	again = snapshot_issuer_of(s, pki.leaf.cert, pki.issuer.cert);
	assert_ptr_equal(issuer, again);
	find_both(s, &pki, true, NULL);
	node = snapshot_node_of(s, issuer, pki.leaf.cert->serial_der);
	assert_ptr_equal(
	    node, snapshot_node_of(s, issuer, pki.leaf.cert->serial_der));
	assert_int_equal(snapshot_count(s), 1);
	find_both(s, &pki, true, node);
	/* the same name and serial, another key */
	assert_true(
	    span_equal(pki.leaf.cert->serial_der, other.leaf.cert->serial_der));
	find_both(s, &other, false, NULL);
	again = snapshot_issuer_of(s, other.leaf.cert, other.issuer.cert);
	assert_ptr_not_equal(issuer, again);
	find_both(s, &other, true, NULL);
	snapshot_remove(s, node);
	assert_int_equal(snapshot_count(s), 0);
	find_both(s, &pki, true, NULL);
	snapshot_free(&s);
	assert_null(s);
}

/* Of an unknown hash nothing is found, and nothing is read either. */
static void
test_other_hash(void **state)
{
	struct snapshot *s = snapshot_new();
	struct cert_id id = {.hash = CERT_ID_HASHES};

	(void)state;
	assert_null(snapshot_find_issuer(s, &id));
	assert_non_null(snapshot_issuer_of(s, pki.leaf.cert, pki.issuer.cert));
	assert_null(snapshot_find_issuer(s, &id));
	snapshot_free(&s);
}

/* I3: looked at when it is asked for. */
static void
test_answers(void **state)
{
	struct snapshot *s = snapshot_new();
	struct snapshot_issuer *issuer =
	    snapshot_issuer_of(s, pki.leaf.cert, pki.issuer.cert);
	struct snapshot_node *node =
	    snapshot_node_of(s, issuer, pki.leaf.cert->serial_der);
	struct staple *staple = staple_of(PKI_NOW - 1000, PKI_NOW + 9000);
	struct staple *newer = staple_of(PKI_NOW - 10, PKI_NOW + 20000);
	const struct staple *answer;

	(void)state;
	assert_null(snapshot_staple_at(node, CERT_ID_SHA1, PKI_NOW));
	snapshot_put(s, node, CERT_ID_SHA1, staple);
	assert_null(snapshot_staple_at(node, CERT_ID_SHA256, PKI_NOW));
	answer = snapshot_staple_at(node, CERT_ID_SHA1, PKI_NOW);
	assert_non_null(answer);
	assert_ptr_equal(answer, staple);
	assert_ptr_equal(
	    answer, snapshot_staple_at(node, CERT_ID_SHA1, PKI_NOW + 8699));
	assert_null(snapshot_staple_at(node, CERT_ID_SHA1, PKI_NOW + 8700));
	snapshot_put(s, node, CERT_ID_SHA1, staple); /* nothing new */
	assert_ptr_equal(
	    answer, snapshot_staple_at(node, CERT_ID_SHA1, PKI_NOW));
	snapshot_put(s, node, CERT_ID_SHA1, newer);
	staple_free(staple);
	staple_free(newer); /* the snapshot holds it */
	answer = snapshot_staple_at(node, CERT_ID_SHA1, PKI_NOW + 8700);
	assert_non_null(answer);
	snapshot_put(s, node, CERT_ID_SHA1, NULL);
	assert_null(snapshot_staple_at(node, CERT_ID_SHA1, PKI_NOW));
	snapshot_free(&s);
}

/* --- many --- */

enum { MANY = 20000 };

static struct span
serial_of(uint32_t n, uint8_t out[5])
{
	uint8_t bytes[5] = {1, (uint8_t)(n >> 24), (uint8_t)(n >> 16),
	    (uint8_t)(n >> 8), (uint8_t)n};

	memcpy(out, bytes, 5);
	return (struct span){out, 5};
}

static void
test_many(void **state)
{
	struct snapshot *s = snapshot_new();
	struct snapshot_issuer *issuer =
	    snapshot_issuer_of(s, pki.leaf.cert, pki.issuer.cert);
	uint8_t room[5];

	(void)state;
	for (uint32_t i = 0; i < MANY; i++)
		(void)snapshot_node_of(s, issuer, serial_of(i, room));
	assert_int_equal(snapshot_count(s), MANY);
	for (uint32_t i = 0; i < MANY; i += 2)
		snapshot_remove(
		    s, snapshot_find(s, issuer, serial_of(i, room)));
	for (uint32_t i = 0; i < 2 * MANY; i++)
		assert_int_equal(
		    snapshot_find(s, issuer, serial_of(i, room)) != NULL,
		    i < MANY && i % 2 == 1);
	/* what is gone leaves room: this ends, and everything is found */
	for (uint32_t round = 0; round < 20; round++) {
		for (uint32_t i = 0; i < MANY; i += 2)
			(void)snapshot_node_of(s, issuer, serial_of(i, room));
		for (uint32_t i = 0; i < MANY; i += 2)
			snapshot_remove(
			    s, snapshot_find(s, issuer, serial_of(i, room)));
	}
	assert_int_equal(snapshot_count(s), MANY / 2);
	snapshot_free(&s);
}

/* --- readers beside the writer --- */

enum { READERS = 3, NODES = 200, ROUNDS = 60 };

struct reading {
	pthread_t id;
	struct epoch_reader reader;
	struct snapshot *snapshot;
	struct cert_id key;
	_Atomic int *ended;
	uint64_t missed, found;
};

/* Node 0 is always there and always answers. */
static void *
read_on(void *cookie)
{
	struct reading *r = cookie;

	for (uint32_t i = 0; atomic_load(r->ended) == 0; i = (i + 1) % NODES) {
		const struct snapshot_issuer *issuer;
		const struct staple *answer = NULL;
		const struct snapshot_node *node;
		uint8_t room[5];

		epoch_enter(snapshot_epoch(r->snapshot), &r->reader);
		issuer = snapshot_find_issuer(r->snapshot, &r->key);
		node = snapshot_find(r->snapshot, issuer, serial_of(i, room));
		if (node != NULL)
			answer =
			    snapshot_staple_at(node, CERT_ID_SHA1, PKI_NOW);
		if (answer != NULL)
			r->found += staple_der(answer).at[0] == 0x30;
		else if (i == 0)
			r->missed++;
		epoch_leave(&r->reader);
	}
	return NULL;
}

static void
test_readers(void **state)
{
	static struct reading readings[READERS];
	struct snapshot *s = snapshot_new();
	struct snapshot_issuer *issuer =
	    snapshot_issuer_of(s, pki.leaf.cert, pki.issuer.cert);
	struct staple *staples[2] = {staple_of(PKI_NOW - 1000, PKI_NOW + 9000),
	    staple_of(PKI_NOW - 500, PKI_NOW + 9000)};
	_Atomic int ended = 0;
	uint8_t room[5];

	(void)state;
	snapshot_put(s, snapshot_node_of(s, issuer, serial_of(0, room)),
	    CERT_ID_SHA1, staples[0]);
	for (size_t i = 0; i < READERS; i++) {
		readings[i] = (struct reading){.snapshot = s,
		    .ended = &ended,
		    .key = {CERT_ID_SHA1, {issuer->name_hash[CERT_ID_SHA1], 20},
			{issuer->key_hash[CERT_ID_SHA1], 20}, {NULL, 0}}};
		epoch_join(snapshot_epoch(s), &readings[i].reader);
		assert_int_equal(0, pthread_create(&readings[i].id, NULL,
					read_on, &readings[i]));
	}
	for (size_t round = 0; round < ROUNDS; round++) {
		for (uint32_t i = 0; i < NODES; i++)
			snapshot_put(s,
			    snapshot_node_of(s, issuer, serial_of(i, room)),
			    CERT_ID_SHA1, staples[round % 2]);
		for (uint32_t i = 1; i < NODES; i++)
			snapshot_remove(
			    s, snapshot_find(s, issuer, serial_of(i, room)));
		(void)sched_yield();
	}
	atomic_store(&ended, 1);
	for (size_t i = 0; i < READERS; i++) {
		(void)pthread_join(readings[i].id, NULL);
		assert_int_equal(readings[i].missed, 0);
		epoch_part(snapshot_epoch(s), &readings[i].reader);
	}
	staple_free(staples[0]);
	staple_free(staples[1]);
	snapshot_free(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_find),
	    cmocka_unit_test(test_other_hash),
	    cmocka_unit_test(test_answers),
	    cmocka_unit_test(test_many),
	    cmocka_unit_test(test_readers),
	};

	return cmocka_run_group_tests(tests, make_pki, free_pki);
}
