/* SPDX-License-Identifier: ISC */
/* keep/places.c -- who may fetch now: places at responders, and queues. */
#include "keep/places.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>
#include <utlist.h>

#include "base/mem.h"

struct place_host {
	char *name;
	struct place *held;    /* the oldest first */
	size_t held_count;     /* of them */
	struct place *waiting; /* the first to come first */
	int64_t usual_ms;      /* how long a place is held; 0: not known */
	UT_hash_handle hh;
};

static struct place_host *
find_host(struct places *places, const char *name)
{
	struct place_host *host = NULL;

	HASH_FIND_STR(places->hosts, name, host);
	if (host != NULL)
		return host;
	host = mem_new(sizeof(*host));
	host->name = mem_string(name);
	HASH_ADD_KEYPTR(
	    hh, places->hosts, host->name, strlen(host->name), host);
	return host;
}

static void
drop_if_empty(struct places *places, struct place_host *host)
{
	if (host->held != NULL || host->waiting != NULL)
		return;
	HASH_DEL(places->hosts, host);
	free(host->name);
	free(host);
}

/* Held for so long, a place of HOST is late. */
static int64_t
patience_ms(const struct places *places, const struct place_host *host)
{
	int64_t ms = host->usual_ms * PLACES_PATIENCE;

	if (host->usual_ms == 0 || ms > places->hold_ms)
		return places->hold_ms;
	return ms < PLACES_PATIENCE_MS ? PLACES_PATIENCE_MS : ms;
}

/* The list of a host is in the order of time, and of those that count there are
 * no more than the limits: from the end, the walk is as long as these at most.
 * The `prev` of a list's head is its tail (utlist). */
static bool
is_free_at(
    const struct places *places, const struct place_host *host, int64_t now_ms)
{
	const struct place *place = host->held ? host->held->prev : NULL;
	int64_t patience = patience_ms(places, host);
	size_t taken = 0, late = 0;

	while (place != NULL && now_ms - place->since_ms < places->hold_ms) {
		bool is_late = now_ms - place->since_ms >= patience &&
			       late < places->per_host_max;

		if (is_late)
			late++;
		else if (++taken >= places->per_host_max)
			return false;
		place = place == host->held ? NULL : place->prev;
	}
	return true;
}

/* The same of all; it is as long as there are places held at most. */
static bool
is_free_in_all(const struct places *places, int64_t now_ms)
{
	const struct place *place =
	    places->held ? places->held->prev_all : NULL;
	size_t taken = 0;

	if (places->held_count >= places->held_max)
		return false;
	while (place != NULL && now_ms - place->since_ms < places->hold_ms) {
		if (now_ms - place->since_ms <
			patience_ms(places, place->host) &&
		    ++taken >= places->all_max)
			return false;
		place = place == places->held ? NULL : place->prev_all;
	}
	return true;
}

static void
hold(struct places *places, struct place *place, int64_t now_ms)
{
	place->state = PLACE_HELD;
	place->since_ms = now_ms;
	DL_APPEND(place->host->held, place);
	place->host->held_count++;
	DL_APPEND2(places->held, place, prev_all, next_all);
	places->held_count++;
}

bool
places_take(struct places *places, struct place *place, const char *host,
    int64_t now_ms)
{
	assert(place->state == PLACE_NONE);
	place->host = find_host(places, host);
	/* who came first is first, also if a place is free again by time */
	if (place->host->waiting == NULL && is_free_in_all(places, now_ms) &&
	    is_free_at(places, place->host, now_ms)) {
		hold(places, place, now_ms);
		return true;
	}
	place->state = PLACE_WAITING;
	DL_APPEND(place->host->waiting, place);
	places->waiting_count++;
	return false;
}

void
places_leave(struct places *places, struct place *place)
{
	struct place_host *host = place->host;

	switch (place->state) {
	case PLACE_NONE:
		return;
	case PLACE_WAITING:
		DL_DELETE(host->waiting, place);
		places->waiting_count--;
		break;
	case PLACE_HELD:
		DL_DELETE(host->held, place);
		host->held_count--;
		DL_DELETE2(places->held, place, prev_all, next_all);
		places->held_count--;
		break;
	}
	place->state = PLACE_NONE;
	place->host = NULL;
	drop_if_empty(places, host);
}

/* One that was held past all patience hung, and tells nothing of what is usual:
 * else the next to hang would be waited for. */
static void
learn(const struct places *places, struct place_host *host, int64_t took_ms)
{
	if (took_ms < 0 || took_ms >= places->hold_ms)
		return;
	if (took_ms == 0)
		took_ms = 1;
	host->usual_ms =
	    host->usual_ms == 0
		? took_ms
		: (host->usual_ms * PLACES_USUAL_WEIGHT + took_ms) /
		      (PLACES_USUAL_WEIGHT + 1);
}

void
places_done(struct places *places, struct place *place, int64_t now_ms)
{
	if (place->state == PLACE_HELD)
		learn(places, place->host, now_ms - place->since_ms);
	places_leave(places, place);
}

/* Of the hosts with a free place and somebody who waits for it, the one that
 * holds the fewest, and of those the one whose last turn was longest ago; NULL:
 * none.  The first would be the same each time: as many hosts as there are
 * places for, all of them hanging, would be given every place as long as anybody
 * waits there. */
static struct place_host *
next_host(const struct places *places, int64_t now_ms)
{
	struct place_host *host, *after, *found = NULL;

	HASH_ITER(hh, places->hosts, host, after)
	{
		if (host->waiting == NULL ||
		    (found != NULL && host->held_count >= found->held_count) ||
		    !is_free_at(places, host, now_ms))
			continue;
		found = host;
		if (found->held_count == 0)
			break;
	}
	return found;
}

/* HOST has its turn: the others come before it. */
static void
go_behind(struct places *places, struct place_host *host)
{
	if (host->hh.next == NULL)
		return;
	HASH_DEL(places->hosts, host);
	HASH_ADD_KEYPTR(
	    hh, places->hosts, host->name, strlen(host->name), host);
}

struct place *
places_next(struct places *places, int64_t now_ms)
{
	struct place_host *host;
	struct place *place;

	if (places->waiting_count == 0 || !is_free_in_all(places, now_ms))
		return NULL;
	host = next_host(places, now_ms);
	if (host == NULL)
		return NULL;
	go_behind(places, host);
	place = host->waiting;
	DL_DELETE(host->waiting, place);
	places->waiting_count--;
	hold(places, place, now_ms);
	return place;
}
