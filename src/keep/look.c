/* SPDX-License-Identifier: ISC */
/* keep/look.c -- a look for certificates on this machine, beside the loop. */
#include "keep/look.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/loop.h"
#include "base/mem.h"
#include "base/text.h"
#include "pki/cert.h"
#include "servers/discover.h"

struct look {
	struct loop_work *work;
	/* the thread's, from the start on; copies */
	struct discover_options options;
	struct discover_place places[DISCOVER_PLACES_MAX];
	char *dirs[DISCOVER_PLACES_MAX];
	char *root, *ca_file;
	struct found found;
	/* the loop's */
	void (*cb)(void *cookie, struct found *found);
	void *cookie;
};

void
found_done(struct found *found)
{
	for (size_t i = 0; i < found->count; i++) {
		free(found->items[i].path);
		free(found->items[i].issuer);
	}
	for (size_t i = 0; i < found->failed_count; i++) {
		free(found->failed[i]);
		free(found->why[i]);
	}
	free(found->items);
	free(found->failed);
	free(found->why);
	*found = (struct found){0};
}

/* --- the thread --- */

/* Of a whole discovery what a keeper wants to know, in little memory. */
static void
take(struct found *out, const struct discovery *discovery)
{
	out->items = mem_array(discovery->count, sizeof(out->items[0]));
	for (size_t i = 0; i < discovery->count; i++) {
		const struct discovered *from = &discovery->items[i];
		struct found_item *item = &out->items[out->count++];

		item->path = mem_string(from->path);
		item->issuer = mem_string(from->issuer);
		memcpy(item->fingerprint, from->id.leaf->fingerprint,
		    sizeof(item->fingerprint));
		item->not_after = from->id.leaf->not_after;
	}
	out->failed = mem_array(discovery->note_count, sizeof(char *));
	out->why = mem_array(discovery->note_count, sizeof(char *));
	for (size_t i = 0; i < discovery->note_count; i++) {
		const struct discover_note *note = &discovery->notes[i];

		out->failed[i] = mem_string(note->path);
		out->why[i] =
		    mem_printf("%s: %s", note->finder, note->err.text);
	}
	out->failed_count = discovery->note_count;
}

static void
work(void *cookie)
{
	struct look *look = cookie;
	struct discovery discovery;

	discover(&look->options, &discovery);
	take(&look->found, &discovery);
	discovery_done(&discovery);
}

/* --- the loop --- */

static void
release(void *cookie)
{
	struct look *look = cookie;

	found_done(&look->found);
	for (size_t i = 0; i < look->options.place_count; i++)
		free(look->dirs[i]);
	free(look->root);
	free(look->ca_file);
	free(look);
}

static void
worked(void *cookie)
{
	struct look *look = cookie;

	look->cb(look->cookie, &look->found);
	release(look);
}

struct look *
look_start(uv_loop_t *loop, const struct discover_options *options,
    void (*cb)(void *cookie, struct found *found), void *cookie)
{
	struct look *look = mem_new(sizeof(*look));

	look->root = mem_string(options->root);
	look->ca_file = mem_string(options->ca_file);
	look->options = (struct discover_options){
	    .root = look->root,
	    .ca_file = look->ca_file,
	    .places = look->places,
	    .place_count = options->place_count,
	};
	for (size_t i = 0; i < options->place_count; i++) {
		look->dirs[i] = mem_string(options->places[i].dir);
		look->places[i] = (struct discover_place){
		    options->places[i].finder, look->dirs[i]};
	}
	look->cb = cb;
	look->cookie = cookie;
	look->work = loop_work_start(loop, work, worked, look);
	return look;
}

void
look_cancel(struct look **look)
{
	if (*look != NULL)
		loop_work_cancel(&(*look)->work, release);
	*look = NULL;
}

/* --- what was known before --- */

struct known {
	const char *path;
	UT_hash_handle hh;
};

/* True if PATH, or a folder above it, could not be read. */
static bool
has_failed(const struct found *found, const char *path)
{
	for (size_t i = 0; i < found->failed_count; i++) {
		const char *failed = found->failed[i];
		size_t len = strlen(failed);

		if (text_starts(path, failed) &&
		    (path[len] == '\0' || path[len] == '/'))
			return true;
	}
	return false;
}

bool
found_merge(struct found *found, struct found *old)
{
	struct known *all = NULL, *one, *next;
	struct known *rows = mem_array(found->count, sizeof(rows[0]));
	bool soon = false;

	for (size_t i = 0; i < found->count; i++) {
		rows[i].path = found->items[i].path;
		HASH_ADD_KEYPTR(
		    hh, all, rows[i].path, strlen(rows[i].path), &rows[i]);
	}
	for (size_t i = 0; i < old->count; i++) {
		struct found_item *item = &old->items[i];
		bool failed;

		HASH_FIND_STR(all, item->path, one);
		if (one != NULL)
			continue;
		failed = has_failed(found, item->path);
		if (item->missed && !failed)
			continue;
		item->missed = !failed;
		soon = soon || !failed;
		found->items = mem_resize(
		    found->items, found->count + 1, sizeof(found->items[0]));
		found->items[found->count++] = *item;
		item->path = item->issuer = NULL;
	}
	HASH_ITER(hh, all, one, next)
	HASH_DEL(all, one);
	free(rows);
	found_done(old);
	return soon;
}
