/* SPDX-License-Identifier: ISC */
/* keep/keeper_walk.c -- a start reads certificates in the order in which the
 * store has them.
 *
 * To look up one after the other, by fingerprints that are no order at all,
 * costs more than all else that the store has to do with a start.  Which file a
 * row belongs to is known of the list that the last run has left; what has
 * changed since then is looked up as ever. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "keep/keeper_priv.h"

enum {
	BATCH = 64, /* rows that are copied at once */
	FEW = 8,    /* as many, or fewer, are looked up */
	PRINT = 64, /* hex digits of a fingerprint */
};

struct print {
	char fingerprint[PRINT];
	struct target *target; /* that had it; borrowed, and not yet read */
};

struct keeper_walk {
	struct print *prints; /* sorted */
	size_t count;
	int64_t after; /* the last row that was read */
};

static int
compare(const void *a, const void *b)
{
	return memcmp(a, b, PRINT);
}

static void
note(void *cookie, const char *certificate, const char *fingerprint)
{
	struct keeper *k = cookie;
	struct target *target = keeper_find_path(k, certificate);
	struct keeper_walk *walk = k->walk;

	if (target == NULL || !target->chore || strlen(fingerprint) != PRINT ||
	    walk->count == k->target_count)
		return;
	memcpy(walk->prints[walk->count].fingerprint, fingerprint, PRINT);
	walk->prints[walk->count++].target = target;
}

void
keeper_walk_begin(struct keeper *k)
{
	if (k->target_count <= FEW)
		return;
	k->walk = mem_new(sizeof(*k->walk));
	k->walk->prints =
	    mem_array(k->target_count, sizeof(k->walk->prints[0]));
	if (store_each_target(k->store, note, k, NULL) == -1) {
		keeper_walk_end(k);
		return;
	}
	qsort(k->walk->prints, k->walk->count, sizeof(k->walk->prints[0]),
	    compare);
}

void
keeper_walk_end(struct keeper *k)
{
	if (k->walk == NULL)
		return;
	free(k->walk->prints);
	free(k->walk);
	k->walk = NULL;
}

/* --- rows, copied: what is done with one may read the store too --- */

struct batch {
	struct row {
		struct store_item item;
		uint8_t octets[];
	} * rows[BATCH]; /* owned */
	size_t count;
};

static void
copy(uint8_t **at, struct span *span)
{
	if (span->len > 0)
		memcpy(*at, span->at, span->len);
	span->at = *at;
	*at += span->len;
}

static void
take_row(void *cookie, const struct store_item *item)
{
	struct batch *batch = cookie;
	struct span print = {
	    (const uint8_t *)item->fingerprint, strlen(item->fingerprint) + 1};
	struct row *row =
	    mem_new(sizeof(*row) + print.len + item->staple.len +
		    item->second.len + item->seal.len + item->second_seal.len);
	uint8_t *at = row->octets;

	row->item = *item;
	copy(&at, &print);
	row->item.fingerprint = (const char *)print.at;
	copy(&at, &row->item.staple);
	copy(&at, &row->item.second);
	copy(&at, &row->item.seal);
	copy(&at, &row->item.second_seal);
	batch->rows[batch->count++] = row;
}

static struct target *
find(const struct keeper_walk *walk, const char *fingerprint)
{
	const struct print *found;

	if (strlen(fingerprint) != PRINT)
		return NULL;
	found = bsearch(fingerprint, walk->prints, walk->count,
	    sizeof(walk->prints[0]), compare);
	return found == NULL || !found->target->chore ? NULL : found->target;
}

void
keeper_walk_on(
    struct keeper *k, void (*each)(struct keeper *k, struct target *target))
{
	struct batch batch = {.count = 0};

	if (store_some(
		k->store, &k->walk->after, BATCH, take_row, &batch, NULL) <= 0)
		keeper_walk_end(k);
	for (size_t i = 0; i < batch.count; i++) {
		struct target *target =
		    k->walk == NULL
			? NULL
			: find(k->walk, batch.rows[i]->item.fingerprint);

		k->stored = &batch.rows[i]->item;
		if (target != NULL)
			each(k, target);
		k->stored = NULL;
		free(batch.rows[i]);
	}
}
