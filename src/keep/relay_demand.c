/* SPDX-License-Identifier: ISC */
/* keep/relay_demand.c -- responses for the relay that nobody keeps.
 *
 * An item is one CertID that was asked for: being fetched, with the questions
 * that wait for it, or failed, until it may be tried again.  What was fetched
 * well is no item any more but a node of the snapshot, where the server's
 * threads find it by themselves; a ring of those nodes says which goes when
 * there are too many: the first in turn that nobody has asked for since it was
 * looked at last. */
#include "keep/relay_demand.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>
#include <utlist.h>

#include "acquire/acquire.h"
#include "base/clock.h"
#include "base/mem.h"
#include "http/server.h"
#include "keep/snapshot.h"
#include "pki/cert.h"
#include "pki/staple.h"

enum { DEMAND_SERIAL_MAX = 127 }; /* octets, as pki/cert.h has it */

/* What the CertIDs of an issuer are made into questions with. */
struct known {
	struct snapshot_issuer *issuer;
	struct cert *cert;    /* of the issuer; owned, as the next */
	struct cert *sibling; /* compact: one that it has issued */
	struct known *next;
};

struct waiting {
	const struct server_question *question;
	struct waiting *next;
};

struct item {
	UT_hash_handle hh;
	struct item *prev, *next; /* of the failed, oldest first */
	struct relay_demand *demand;
	/* the key: number of the issuer, hash, serial */
	size_t key_len;
	uint8_t key[4 + 1 + DEMAND_SERIAL_MAX];
	const struct snapshot_issuer *issuer;
	enum cert_id_hash hash;
	/* while it is being fetched */
	struct acquire *acquire;
	struct acquire_target target;
	struct cert *leaf; /* a stand-in; owned */
	void *token;
	struct waiting *waiting;
	/* after it has failed */
	int64_t until_ms;
	bool later;
};

struct relay_demand {
	uv_loop_t *loop;
	struct snapshot *snapshot;
	relay_demand_reply *reply;
	void *cookie;
	struct relay_demand_hooks hooks;
	_Atomic bool open;
	struct known *known;
	struct item *items; /* a hash, of both kinds */
	struct item *failed;
	size_t fetching, waiting, failed_count;
	double tokens;               /* fetches that may begin, */
	int64_t tokens_ms;           /* as of then */
	struct snapshot_node **ring; /* owned */
	size_t ring_count, ring_room, hand;
};

struct relay_demand *
relay_demand_new(uv_loop_t *loop, struct snapshot *snapshot,
    relay_demand_reply *reply, void *cookie)
{
	struct relay_demand *d = mem_new(sizeof(*d));

	d->loop = loop;
	d->snapshot = snapshot;
	d->reply = reply;
	d->cookie = cookie;
	d->tokens = DEMAND_BURST;
	d->tokens_ms = clock_mono_ms();
	return d;
}

bool
relay_demand_is_open(const struct relay_demand *demand)
{
	return atomic_load(&demand->open);
}

void
relay_demand_allow(
    struct relay_demand *d, const struct relay_demand_hooks *hooks)
{
	static const struct relay_demand_hooks none = {0};

	d->hooks = hooks == NULL ? none : *hooks;
	atomic_store(&d->open, hooks != NULL);
	for (struct known *k = d->known; k != NULL; k = k->next)
		atomic_store(&k->issuer->on_demand, d->hooks.unknown);
}

void
relay_demand_know(struct relay_demand *d, struct snapshot_issuer *issuer,
    const struct cert *leaf, const struct cert *issuer_cert)
{
	struct known *known;
	uint8_t *der = NULL;
	size_t len = 0;

	if (issuer->about != NULL)
		return;
	known = mem_new(sizeof(*known));
	known->issuer = issuer;
	cert_der(issuer_cert, &der, &len);
	known->cert = cert_from_der(der, len, NULL);
	assert(known->cert != NULL); /* it was one a moment ago */
	free(der);
	known->sibling = cert_compact(leaf);
	known->next = d->known;
	d->known = known;
	issuer->about = known;
	atomic_store(&issuer->on_demand, d->hooks.unknown);
}

/* --- items --- */

static void
item_free(struct item *item)
{
	struct relay_demand *d = item->demand;

	HASH_DEL(d->items, item);
	if (item->until_ms != 0) {
		DL_DELETE(d->failed, item);
		d->failed_count--;
	}
	for (struct waiting *w = item->waiting, *next; w != NULL; w = next) {
		next = w->next;
		d->waiting--;
		free(w);
	}
	acquire_cancel(&item->acquire);
	cert_free(item->leaf);
	free(item);
}

static struct item
make_key(const struct snapshot_issuer *issuer, const struct cert_id *id)
{
	struct item item = {.issuer = issuer, .hash = id->hash};

	memcpy(item.key, &issuer->number, 4);
	item.key[4] = (uint8_t)id->hash;
	memcpy(item.key + 5, id->serial.at, id->serial.len);
	item.key_len = 5 + id->serial.len;
	return item;
}

static void
add_waiting(struct item *item, const struct server_question *question)
{
	struct waiting *w = mem_new(sizeof(*w)), **end = &item->waiting;

	w->question = question;
	while (*end != NULL)
		end = &(*end)->next;
	*end = w;
	item->demand->waiting++;
}

/* Whether one more fetch may begin now. */
static bool
take_token(struct relay_demand *d)
{
	int64_t now_ms = clock_mono_ms();

	d->tokens += (double)(now_ms - d->tokens_ms) * DEMAND_PER_S / 1000;
	d->tokens_ms = now_ms;
	if (d->tokens > DEMAND_BURST)
		d->tokens = DEMAND_BURST;
	if (d->tokens < 1)
		return false;
	d->tokens -= 1;
	return true;
}

/* --- what was fetched --- */

/* One of the ring goes. */
static void
evict(struct relay_demand *d)
{
	for (;;) {
		struct snapshot_node *node = d->ring[d->hand];
		bool spared = atomic_exchange(&node->used, false);

		if (!spared || atomic_load(&node->kept)) {
			node->fetched = false;
			if (!atomic_load(&node->kept))
				snapshot_remove(d->snapshot, node);
			d->ring[d->hand] = d->ring[--d->ring_count];
			if (d->hand >= d->ring_count)
				d->hand = 0;
			return;
		}
		d->hand = (d->hand + 1) % d->ring_count;
	}
}

static void
make_room(struct relay_demand *d)
{
	size_t max =
	    d->hooks.kept_max == 0 ? DEMAND_KEPT_MAX : d->hooks.kept_max;

	while (d->ring_count >= max)
		evict(d);
	if (d->ring_count == d->ring_room) {
		d->ring_room = 2 * d->ring_room + 16;
		d->ring = mem_resize(d->ring, d->ring_room, sizeof(d->ring[0]));
	}
}

static bool
is_older(const struct staple *staple, const struct staple *than)
{
	return staple_facts(staple)->this_update <
	       staple_facts(than)->this_update;
}

static const struct staple *
put(struct relay_demand *d, const struct item *item, struct staple *staple)
{
	struct span serial = {item->key + 5, item->key_len - 5};
	const struct verdict *facts = staple_facts(staple);
	bool both = facts->sha1_id && facts->sha256_id;
	struct snapshot_node *node;

	if (!(item->hash == CERT_ID_SHA1 ? facts->sha1_id : facts->sha256_id))
		return NULL; /* it names the certificate otherwise */
	node = snapshot_find(d->snapshot, item->issuer, serial);
	/* the keeper may have heard more meanwhile */
	if (node != NULL && atomic_load(&node->withdrawn))
		return NULL;
	if (node == NULL) {
		make_room(d);
		node = snapshot_node_of(d->snapshot, item->issuer, serial);
		node->fetched = true;
		d->ring[d->ring_count++] = node;
	}
	for (unsigned hash = 0; hash < CERT_ID_HASHES; hash++) {
		const struct staple *have = atomic_load(&node->staples[hash]);

		if (hash == item->hash ? have == NULL || !is_older(staple, have)
				       : have == NULL && both)
			snapshot_put(d->snapshot, node, hash, staple);
	}
	return atomic_load(&node->staples[item->hash]);
}

/* --- what came of a fetch --- */

/* Tell all that wait. */
static void
answer_all(struct item *item, const struct staple *staple, bool later)
{
	struct relay_demand *d = item->demand;
	struct waiting *waiting = item->waiting;

	item->waiting = NULL;
	for (struct waiting *next; waiting != NULL; waiting = next) {
		next = waiting->next;
		d->waiting--;
		d->reply(d->cookie, waiting->question, staple, later);
		free(waiting);
	}
}

static void
note_failure(struct item *item, bool later)
{
	struct relay_demand *d = item->demand;

	item->later = later;
	item->until_ms =
	    clock_mono_ms() +
	    (later ? DEMAND_FAILED_S : DEMAND_REFUSED_S) * INT64_C(1000);
	DL_APPEND(d->failed, item);
	if (++d->failed_count > DEMAND_FAILED_MAX)
		item_free(d->failed);
}

/* True if what failed by REASON may be otherwise another time: all but what the
 * responder has said of this question, and what is wrong with the certificate. */
static bool
may_pass(enum reason reason)
{
	switch (reason) {
	case REASON_NONE: /* it has signed another status, or by another hash */
	case REASON_STATUS_MALFORMED_REQUEST:
	case REASON_STATUS_SIG_REQUIRED:
	case REASON_STATUS_UNAUTHORIZED:
		return false;
	default:
		return reason_group(reason) == GROUP_NETWORK ||
		       reason_group(reason) == GROUP_RESPONSE;
	}
}

static void
fetched(void *cookie, struct acquire_result *result)
{
	struct item *item = cookie;
	struct relay_demand *d = item->demand;
	struct span serial = {item->key + 5, item->key_len - 5};
	const struct staple *staple = NULL;
	bool later = may_pass(result->err.reason);

	item->acquire = NULL;
	d->fetching--;
	if (d->hooks.done != NULL)
		d->hooks.done(d->hooks.cookie, &item->target,
		    snapshot_find(d->snapshot, item->issuer, serial), result,
		    item->token);
	if (result->staple != NULL) {
		staple = put(d, item, result->staple);
		staple_free(result->staple); /* the snapshot has its share */
	}
	answer_all(item, staple, later);
	cert_free(item->leaf);
	item->leaf = NULL;
	if (staple != NULL)
		item_free(item);
	else
		note_failure(item, later);
}

static struct item *
start(struct relay_demand *d, const struct item *key)
{
	const struct known *known = key->issuer->about;
	const struct acquire_options *options = NULL;
	struct item *item = mem_copy(key, sizeof(*key));
	struct span serial = {item->key + 5, item->key_len - 5};

	item->demand = d;
	item->leaf = cert_id_stand_in(known->sibling, known->cert, serial);
	item->target = (struct acquire_target){
	    .leaf = item->leaf,
	    .issuer = known->cert,
	    .sha256 = item->hash == CERT_ID_SHA256,
	    .policy = verify_policy_default(clock_wall_s()),
	};
	if (!d->hooks.prepare(
		d->hooks.cookie, &item->target, &options, &item->token)) {
		cert_free(item->leaf);
		free(item);
		return NULL;
	}
	HASH_ADD(hh, d->items, key, item->key_len, item);
	d->fetching++;
	item->acquire = acquire_start(
	    d->loop, d->hooks.pool, &item->target, options, fetched, item);
	return item;
}

void
relay_demand_ask(struct relay_demand *d, const struct snapshot_issuer *issuer,
    const struct cert_id *id, const struct server_question *question)
{
	struct item key, *item = NULL;
	bool later;

	if (id->serial.len > DEMAND_SERIAL_MAX) {
		d->reply(d->cookie, question, NULL, false);
		return;
	}
	key = make_key(issuer, id);
	HASH_FIND(hh, d->items, key.key, key.key_len, item);
	if (item != NULL && item->until_ms != 0) {
		later = item->later;
		if (clock_mono_ms() < item->until_ms) {
			d->reply(d->cookie, question, NULL, later);
			return;
		}
		item_free(item);
		item = NULL;
	}
	later = item == NULL ? d->fetching >= DEMAND_FETCHES_MAX
			     : d->waiting >= DEMAND_WAITING_MAX;
	if (item == NULL && !later) {
		later = !take_token(d);
		if (!later && relay_demand_is_open(d))
			item = start(d, &key);
	}
	if (item == NULL || later)
		d->reply(d->cookie, question, NULL, later);
	else
		add_waiting(item, question);
}

void
relay_demand_let_go(struct relay_demand *d)
{
	struct item *item, *next;

	HASH_ITER(hh, d->items, item, next)
	answer_all(item, NULL, true);
}

void
relay_demand_free(struct relay_demand **demand)
{
	struct relay_demand *d = *demand;
	struct item *item, *next;

	*demand = NULL;
	if (d == NULL)
		return;
	HASH_ITER(hh, d->items, item, next)
	item_free(item);
	for (struct known *k = d->known, *after; k != NULL; k = after) {
		after = k->next;
		cert_free(k->cert);
		cert_free(k->sibling);
		free(k);
	}
	free(d->ring);
	free(d);
}
