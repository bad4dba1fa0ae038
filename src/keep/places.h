/* SPDX-License-Identifier: ISC */
/* keep/places.h -- who may fetch now: places at responders, and queues.
 *
 * Each responder host has so many places, and all hosts together.  Who gets
 * none waits in order.  One that holds its place for too long gives it up, not
 * what it does: so a responder that hangs starves nobody (A15, I5).
 *
 * A responder may hang for some certificates and answer for others, which must
 * not wait for those.  So one that takes PLACES_PATIENCE times as long as the
 * others of its host lately did is late, and does not count either, as long as
 * there are no more of these than there are places: a host has never more than
 * twice its places at once because of it.
 *
 * Pure: `now` in monotonic milliseconds comes in.  An entry is embedded in
 * what it is about; memory per host is freed when its last entry leaves. */
#ifndef OCLASP_KEEP_PLACES_H
#define OCLASP_KEEP_PLACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct place_host;

enum {
	PLACES_PATIENCE = 4,      /* times the usual, */
	PLACES_PATIENCE_MS = 250, /* and not less: a packet may be lost */
	PLACES_USUAL_WEIGHT = 4,  /* of what was usual, against the newest */
};

enum place_state { PLACE_NONE, PLACE_WAITING, PLACE_HELD };

struct place {
	enum place_state state;
	int64_t since_ms; /* held since then */
	struct place_host *host;
	struct place *prev, *next;         /* of those who wait, or hold */
	struct place *prev_all, *next_all; /* of all who hold */
	void *subject;                     /* what it is about; borrowed */
};

/* Set the limits, the rest is zero. */
struct places {
	size_t per_host_max;      /* places of each host, */
	size_t all_max;           /* and of all */
	int64_t hold_ms;          /* held longer, a place is free again; */
	size_t held_max;          /* but no more than so many hold one at all */
	struct place_host *hosts; /* owned; a hash by name */
	struct place *held;       /* the oldest first */
	size_t held_count, waiting_count;
};

/* True: PLACE is held.  False: it waits now, behind the others of HOST; it
 * must not wait or hold yet. */
bool places_take(struct places *places, struct place *place, const char *host,
    int64_t now_ms);

/* Hold no more, wait no more; nothing if it does neither. */
void places_leave(struct places *places, struct place *place);

/* The same of one that has done what it held its place for: how long that took
 * is what is usual of its host. */
void places_done(struct places *places, struct place *place, int64_t now_ms);

/* Give a free place to one that waits for it, held now: at the host that holds
 * the fewest, and of those the one whose last turn was longest ago.  NULL: nobody
 * waits for a place that is free. */
struct place *places_next(struct places *places, int64_t now_ms);

#endif
