/* SPDX-License-Identifier: ISC */
/* keep/snapshot.c -- what the relay answers from.
 *
 * Two tables with open addressing.  Issuers are few and never go: their table
 * is made anew for each.  Certificates are many: SNAPSHOT_SHARDS tables, of
 * which one is made anew when it is full; else a place in it is set.
 *
 * Of many certificates hardly one is in the processor's caches, so what a
 * search takes is the lines of memory that it must wait for, one after the
 * other.  Hence the low bits of an address, which are nought, carry what would
 * cost a line: a shard's address its size, a node's a bit of its hash, without
 * which every other search would look at a wrong node first. */
#include "keep/snapshot.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "pki/staple.h"

enum {
	SHARD_BITS = 10,     /* of the hash: which shard */
	SHARD_ROOM_BITS = 3, /* of the number of places at first */
	SHARD_ALIGN = 64,
	PLACE_TAGS = 8, /* what malloc aligns to, everywhere */
	PLACE_FREE = 0, /* ends a search */
	PLACE_GONE = 1, /* does not end it; no node is at address 0 */
};

_Static_assert(1 << SHARD_BITS == SNAPSHOT_SHARDS, "shards");

/* A node's address and its tag, or one of PLACE_x. */
struct shard {
	size_t taken; /* places that are not free; the writer's */
	_Atomic uintptr_t places[];
};

struct issuers {
	size_t mask;
	/* each issuer twice: by either hash of its key */
	struct {
		struct snapshot_issuer *issuer;
		enum cert_id_hash hash;
	} places[];
};

struct snapshot {
	/* 0: none; its address, and the binary logarithm of its places */
	_Atomic uintptr_t shards[SNAPSHOT_SHARDS];
	_Atomic(struct issuers *) issuers;
	struct epoch epoch;
	uint32_t issuer_count;
	size_t count;
};

struct snapshot *
snapshot_new(void)
{
	struct snapshot *snapshot = mem_new(sizeof(*snapshot));

	epoch_init(&snapshot->epoch);
	return snapshot;
}

struct epoch *
snapshot_epoch(struct snapshot *snapshot)
{
	return &snapshot->epoch;
}

size_t
snapshot_count(const struct snapshot *snapshot)
{
	return snapshot->count;
}

/* --- responses --- */

static void
release(void *staple)
{
	staple_free(staple);
}

void
snapshot_put(struct snapshot *snapshot, struct snapshot_node *node,
    enum cert_id_hash hash, struct staple *staple)
{
	struct staple *old = atomic_load(&node->staples[hash]);

	if (old == staple)
		return;
	atomic_store(
	    &node->staples[hash], staple == NULL ? NULL : staple_share(staple));
	if (old != NULL)
		epoch_retire(&snapshot->epoch, old, release);
}

const struct staple *
snapshot_staple_at(
    const struct snapshot_node *node, enum cert_id_hash hash, int64_t now)
{
	const struct staple *staple = atomic_load(&node->staples[hash]);

	if (staple == NULL)
		return NULL;
	staple_fetch_ahead(staple);
	return staple_usable(staple, now) ? staple : NULL;
}

/* --- certificates --- */

/* FNV-1a, then mixed (splitmix64).  Serial numbers of the table are the CA's
 * choice, not a client's, who can only ask. */
static uint64_t
node_hash(uint32_t issuer, struct span serial)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325) ^ issuer;

	for (size_t i = 0; i < serial.len; i++)
		h = (h ^ serial.at[i]) * UINT64_C(0x100000001b3);
	h = (h ^ h >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	h = (h ^ h >> 27) * UINT64_C(0x94d049bb133111eb);
	return h ^ h >> 31;
}

static size_t
shard_of(uint64_t hash)
{
	return hash >> (64 - SHARD_BITS);
}

static struct shard *
shard_at(uintptr_t word)
{
	return (struct shard *)(word & ~(uintptr_t)(SHARD_ALIGN - 1));
}

/* The word of SHARD, which has 2 to the power of BITS places. */
static uintptr_t
shard_word(const struct shard *shard, unsigned bits)
{
	return (uintptr_t)shard | bits;
}

/* For the number of a place. */
static size_t
shard_mask(uintptr_t word)
{
	return ((size_t)1 << (word & (SHARD_ALIGN - 1))) - 1;
}

/* NULL: it is free or gone. */
static struct snapshot_node *
place_node(uintptr_t place)
{
	return (struct snapshot_node *)(place & ~(uintptr_t)(PLACE_TAGS - 1));
}

/* Bits that neither the shard nor the place is found by. */
static uintptr_t
place_tag(uint64_t hash)
{
	return hash >> (64 - SHARD_BITS - 3) & (PLACE_TAGS - 1);
}

struct snapshot_node *
snapshot_find(const struct snapshot *snapshot,
    const struct snapshot_issuer *issuer, struct span serial)
{
	uint64_t hash = node_hash(issuer->number, serial);
	uintptr_t word = atomic_load(&snapshot->shards[shard_of(hash)]);
	const struct shard *shard = shard_at(word);
	const size_t mask = shard_mask(word);

	if (shard == NULL)
		return NULL;
	for (size_t i = hash & mask;; i = (i + 1) & mask) {
		uintptr_t place = atomic_load(&shard->places[i]);
		struct snapshot_node *node = place_node(place);

		if (place == PLACE_FREE)
			return NULL;
		if (node == NULL || place % PLACE_TAGS != place_tag(hash))
			continue;
		if (node->hash == hash && node->issuer == issuer &&
		    node->serial_len == serial.len &&
		    memcmp(node->serial, serial.at, serial.len) == 0)
			return node;
	}
}

static void
shard_add(uintptr_t word, struct snapshot_node *node)
{
	struct shard *shard = shard_at(word);
	const size_t mask = shard_mask(word);
	size_t i = node->hash & mask;

	assert((uintptr_t)node % PLACE_TAGS == 0);
	while (atomic_load(&shard->places[i]) != PLACE_FREE)
		i = (i + 1) & mask;
	atomic_store(
	    &shard->places[i], (uintptr_t)node | place_tag(node->hash));
	shard->taken++;
}

/* Call WITH(COOKIE, NODE) for each node of the shard at WORD, if it is one. */
static void
shard_each(uintptr_t word, void (*with)(void *cookie, struct snapshot_node *),
    void *cookie)
{
	struct shard *shard = shard_at(word);

	for (size_t i = 0; shard != NULL && i <= shard_mask(word); i++) {
		struct snapshot_node *node =
		    place_node(atomic_load(&shard->places[i]));

		if (node != NULL)
			with(cookie, node);
	}
}

/* An empty one of 2 to the power of BITS places. */
static uintptr_t
shard_new(unsigned bits)
{
	const size_t size =
	    sizeof(struct shard) + ((size_t)1 << bits) * sizeof(uintptr_t);
	const size_t whole =
	    (size + SHARD_ALIGN - 1) & ~(size_t)(SHARD_ALIGN - 1);
	struct shard *shard = aligned_alloc(SHARD_ALIGN, whole);

	if (shard == NULL)
		abort(); /* as mem_new() does */
	memset(shard, 0, whole);
	return shard_word(shard, bits);
}

static void
count_one(void *count, struct snapshot_node *node)
{
	(void)node;
	++*(size_t *)count;
}

static void
add_to(void *word, struct snapshot_node *node)
{
	shard_add(*(uintptr_t *)word, node);
}

/* A shard of twice the places that the nodes of OLD need, without what is gone
 * from it. */
static uintptr_t
shard_grown(uintptr_t old)
{
	size_t live = 0;
	unsigned bits = SHARD_ROOM_BITS;
	uintptr_t grown;

	shard_each(old, count_one, &live);
	while ((size_t)1 << bits < 4 * (live + 1))
		bits++;
	grown = shard_new(bits);
	shard_each(old, add_to, &grown);
	return grown;
}

struct snapshot_node *
snapshot_node_of(struct snapshot *snapshot,
    const struct snapshot_issuer *issuer, struct span serial)
{
	struct snapshot_node *node = snapshot_find(snapshot, issuer, serial);
	_Atomic uintptr_t *at;
	uintptr_t word;

	if (node != NULL)
		return node;
	assert(serial.len > 0 && serial.len <= UINT8_MAX);
	node = mem_new(sizeof(*node) + serial.len);
	node->hash = node_hash(issuer->number, serial);
	node->issuer = issuer;
	node->serial_len = (uint8_t)serial.len;
	memcpy(node->serial, serial.at, serial.len);
	at = &snapshot->shards[shard_of(node->hash)];
	word = atomic_load(at);
	/* at most three quarters full, so that a search is short */
	if (word == 0 ||
	    4 * (shard_at(word)->taken + 1) > 3 * (shard_mask(word) + 1)) {
		uintptr_t grown = shard_grown(word);

		atomic_store(at, grown);
		if (word != 0)
			epoch_retire(&snapshot->epoch, shard_at(word), free);
		word = grown;
	}
	shard_add(word, node);
	snapshot->count++;
	return node;
}

static void
node_free(void *what)
{
	struct snapshot_node *node = what;

	for (size_t i = 0; i < CERT_ID_HASHES; i++)
		staple_free(atomic_load(&node->staples[i]));
	free(node);
}

void
snapshot_remove(struct snapshot *snapshot, struct snapshot_node *node)
{
	uintptr_t word = atomic_load(&snapshot->shards[shard_of(node->hash)]);
	struct shard *shard = shard_at(word);
	const size_t mask = shard_mask(word);
	size_t i = node->hash & mask;

	while (place_node(atomic_load(&shard->places[i])) != node)
		i = (i + 1) & mask;
	atomic_store(&shard->places[i], PLACE_GONE);
	snapshot->count--;
	epoch_retire(&snapshot->epoch, node, node_free);
}

/* --- issuers --- */

static size_t
issuer_place(const struct issuers *issuers, const uint8_t *key_hash)
{
	uint64_t head;

	memcpy(&head, key_hash, sizeof(head));
	return (size_t)(head * UINT64_C(0x9e3779b97f4a7c15) >> 32) &
	       issuers->mask;
}

const struct snapshot_issuer *
snapshot_find_issuer(const struct snapshot *snapshot, const struct cert_id *id)
{
	const struct issuers *issuers = atomic_load(&snapshot->issuers);
	const size_t len = cert_id_hash_len(id->hash);

	if (issuers == NULL || id->hash == CERT_ID_HASHES)
		return NULL;
	for (size_t i = issuer_place(issuers, id->key_hash.at);;
	     i = (i + 1) & issuers->mask) {
		const struct snapshot_issuer *one = issuers->places[i].issuer;

		if (one == NULL)
			return NULL;
		if (issuers->places[i].hash == id->hash &&
		    memcmp(one->key_hash[id->hash], id->key_hash.at, len) ==
			0 &&
		    memcmp(one->name_hash[id->hash], id->name_hash.at, len) ==
			0)
			return one;
	}
}

static void
issuers_add(struct issuers *issuers, struct snapshot_issuer *issuer,
    enum cert_id_hash hash)
{
	size_t i = issuer_place(issuers, issuer->key_hash[hash]);

	while (issuers->places[i].issuer != NULL)
		i = (i + 1) & issuers->mask;
	issuers->places[i].issuer = issuer;
	issuers->places[i].hash = hash;
}

/* The table anew, with ISSUER. */
static void
add_issuer(struct snapshot *snapshot, struct snapshot_issuer *issuer)
{
	struct issuers *old = atomic_load(&snapshot->issuers), *table;
	size_t room = 8;

	while (room < 4 * ((size_t)snapshot->issuer_count + 1))
		room *= 2;
	table = mem_new(sizeof(*table) + room * sizeof(table->places[0]));
	table->mask = room - 1;
	for (size_t i = 0; old != NULL && i <= old->mask; i++) {
		if (old->places[i].issuer != NULL)
			issuers_add(
			    table, old->places[i].issuer, old->places[i].hash);
	}
	for (unsigned hash = 0; hash < CERT_ID_HASHES; hash++)
		issuers_add(table, issuer, hash);
	atomic_store(&snapshot->issuers, table);
	if (old != NULL)
		epoch_retire(&snapshot->epoch, old, free);
	snapshot->issuer_count++;
}

struct snapshot_issuer *
snapshot_issuer_of(struct snapshot *snapshot, const struct cert *leaf,
    const struct cert *issuer)
{
	struct snapshot_issuer made = {0}, *issuer_new;
	const struct snapshot_issuer *found;
	struct cert_id id = {.hash = CERT_ID_SHA1};

	for (unsigned hash = 0; hash < CERT_ID_HASHES; hash++)
		cert_id_issuer(leaf, issuer, hash, made.name_hash[hash],
		    made.key_hash[hash]);
	id.name_hash = (struct span){made.name_hash[CERT_ID_SHA1], 20};
	id.key_hash = (struct span){made.key_hash[CERT_ID_SHA1], 20};
	found = snapshot_find_issuer(snapshot, &id);
	if (found != NULL) /* ours to change */
		return (struct snapshot_issuer *)(uintptr_t)found;
	if (snapshot->issuer_count == SNAPSHOT_ISSUERS_MAX)
		return NULL;
	issuer_new = mem_copy(&made, sizeof(made));
	issuer_new->number = snapshot->issuer_count;
	add_issuer(snapshot, issuer_new);
	return issuer_new;
}

/* --- the end --- */

static void
issuers_free(struct issuers *issuers)
{
	for (size_t i = 0; issuers != NULL && i <= issuers->mask; i++) {
		if (issuers->places[i].hash == CERT_ID_SHA1)
			free(issuers->places[i].issuer);
	}
	free(issuers);
}

static void
free_one(void *cookie, struct snapshot_node *node)
{
	(void)cookie;
	node_free(node);
}

void
snapshot_free(struct snapshot **snapshot)
{
	struct snapshot *s = *snapshot;

	*snapshot = NULL;
	if (s == NULL)
		return;
	epoch_done(&s->epoch);
	for (size_t i = 0; i < SNAPSHOT_SHARDS; i++) {
		uintptr_t word = atomic_load(&s->shards[i]);

		shard_each(word, free_one, NULL);
		free(shard_at(word));
	}
	issuers_free(atomic_load(&s->issuers));
	free(s);
}
