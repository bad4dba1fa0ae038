/* SPDX-License-Identifier: ISC */
/* keep/outlets.c -- where each certificate's staple is published. */
#include "keep/outlets.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/mem.h"

struct outlet_set {
	UT_hash_handle hh;
	char *fingerprint;
	struct outlet *list; /* owned */
	size_t count;
};

static void
drop_outlet(struct outlet *outlet)
{
	free(outlet->path);
	free(outlet->listen);
}

static void
drop_set(struct outlets *outlets, struct outlet_set *set)
{
	HASH_DEL(outlets->sets, set);
	for (size_t i = 0; i < set->count; i++)
		drop_outlet(&set->list[i]);
	free(set->list);
	free(set->fingerprint);
	free(set);
}

void
outlets_done(struct outlets *outlets)
{
	struct outlet_set *set, *next;

	HASH_ITER(hh, outlets->sets, set, next)
	{
		drop_set(outlets, set);
	}
	*outlets = (struct outlets){0};
}

void
outlets_begin(struct outlets *outlets, bool all)
{
	struct outlet_set *set, *next;

	outlets->all = all;
	HASH_ITER(hh, outlets->sets, set, next)
	{
		for (size_t i = 0; i < set->count; i++)
			set->list[i].seen = false;
	}
}

static bool
same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* The place of FACT in SET: the one it has, or a new one; NULL: it is full. */
static struct outlet *
place(struct outlet_set *set, const struct outlet *fact)
{
	for (size_t i = 0; i < set->count; i++) {
		struct outlet *outlet = &set->list[i];

		if (same_text(outlet->server, fact->server) &&
		    same_text(outlet->path, fact->path) &&
		    same_text(outlet->listen, fact->listen))
			return outlet;
	}
	if (set->count == OUTLETS_EACH)
		return NULL;
	set->list = mem_resize(set->list, set->count + 1, sizeof(set->list[0]));
	set->list[set->count] = (struct outlet){0};
	return &set->list[set->count++];
}

static struct outlet_set *
need_set(struct outlets *outlets, const char *fingerprint)
{
	struct outlet_set *set = NULL;

	HASH_FIND_STR(outlets->sets, fingerprint, set);
	if (set == NULL) {
		set = mem_new(sizeof(*set));
		set->fingerprint = mem_string(fingerprint);
		HASH_ADD_KEYPTR(hh, outlets->sets, set->fingerprint,
		    strlen(set->fingerprint), set);
	}
	return set;
}

static void
learn(struct outlet *outlet, const struct outlet *fact)
{
	drop_outlet(outlet);
	*outlet = *fact;
	outlet->path = mem_string(fact->path);
	outlet->listen = mem_string(fact->listen);
	outlet->seen = true;
}

void
outlets_expect(struct outlets *outlets, const char *fingerprint,
    const struct outlet *fact, bool changed)
{
	struct outlet *outlet = place(need_set(outlets, fingerprint), fact);

	if (outlet == NULL)
		return;
	outlet->seen = true;
	if (changed || outlet->server == NULL ||
	    outlet->withdrawn != fact->withdrawn)
		learn(outlet, fact);
}

void
outlets_note(
    struct outlets *outlets, const char *fingerprint, const struct outlet *fact)
{
	struct outlet *outlet = place(need_set(outlets, fingerprint), fact);

	if (outlet != NULL)
		learn(outlet, fact);
}

void
outlets_end(struct outlets *outlets, bool good)
{
	struct outlet_set *set, *next;

	if (!outlets->all || !good)
		return;
	HASH_ITER(hh, outlets->sets, set, next)
	{
		size_t kept = 0;

		for (size_t i = 0; i < set->count; i++) {
			if (set->list[i].seen)
				set->list[kept++] = set->list[i];
			else
				drop_outlet(&set->list[i]);
		}
		set->count = kept;
		if (kept == 0)
			drop_set(outlets, set);
	}
	outlets->all = false;
}

void
outlets_retain(struct outlets *outlets,
    bool (*kept)(void *cookie, const char *fingerprint), void *cookie)
{
	struct outlet_set *set, *next;

	HASH_ITER(hh, outlets->sets, set, next)
	{
		if (!kept(cookie, set->fingerprint))
			drop_set(outlets, set);
	}
}

const struct outlet *
outlets_of(
    const struct outlets *outlets, const char *fingerprint, size_t *count)
{
	struct outlet_set *set = NULL;

	if (fingerprint != NULL)
		HASH_FIND_STR(outlets->sets, fingerprint, set);
	*count = set == NULL ? 0 : set->count;
	return set == NULL ? NULL : set->list;
}
