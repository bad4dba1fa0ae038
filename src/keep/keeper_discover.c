/* SPDX-License-Identifier: ISC */
/* keep/keeper_discover.c -- certificates that nobody named, but somebody uses.
 *
 *   what was kept when this last ran -> a look -> the list -> a look now and
 *   then, at a reload, and soon again if something is gone
 *
 * The first round of publishing does not wait for the first look: what was kept
 * before is kept until then, so that no staple is withdrawn meanwhile. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "keep/keeper_priv.h"
#include "servers/discover.h"

static void look_again(void *cookie);

static const struct log_about about_look = {.event = "discover"};

/* What cannot be read is said when it begins. */
static bool
was_said(const struct found *before, const char *why)
{
	for (size_t i = 0; i < before->failed_count; i++) {
		if (strcmp(before->why[i], why) == 0)
			return true;
	}
	return false;
}

static int
by_path(const void *a, const void *b)
{
	const struct found_item *x = a, *y = b;

	return strcmp(x->path, y->path);
}

static int
has_path(const void *path, const void *item)
{
	const struct found_item *x = item;

	return strcmp(path, x->path);
}

static void
sort_found(struct keeper *k)
{
	if (k->found.count > 0)
		qsort(k->found.items, k->found.count, sizeof(k->found.items[0]),
		    by_path);
}

const char *
keeper_found_issuer(const struct keeper *k, const char *path)
{
	const struct found_item *item =
	    k->found.count == 0 ? NULL
				: bsearch(path, k->found.items, k->found.count,
				      sizeof(k->found.items[0]), has_path);

	return item == NULL ? NULL : item->issuer;
}

static void
looked(void *cookie, struct found *found)
{
	struct keeper *k = cookie;
	bool soon;

	k->look = NULL;
	for (size_t i = 0; i < found->failed_count; i++) {
		if (!was_said(&k->found, found->why[i]))
			log_event(LOG_WARNING,
			    (struct log_about){
				.event = "discover", .reason = REASON_FILE},
			    "%s", found->why[i]);
	}
	soon = found_merge(found, &k->found);
	k->found = *found;
	*found = (struct found){0};
	sort_found(k);
	log_event(LOG_DETAIL, about_look, "%zu certificates are in use here",
	    k->found.count);
	k->list_stale = true;
	keeper_sync_targets(k);
	keeper_mark_dirty(k);
	keeper_do_chores(k);
	keeper_run_due(k);
	/* with --once what was missed is looked for once more, too */
	k->look_timer = loop_timer_start(&k->loop,
	    soon ? KEEPER_LOOK_SOON_MS : KEEPER_LOOK_MS, look_again, k);
	keeper_check_idle(k);
}

static void
look_again(void *cookie)
{
	struct keeper *k = cookie;

	k->look_timer = NULL;
	keeper_look(k);
}

void
keeper_look(struct keeper *k)
{
	if (k->options->discover == NULL) {
		keeper_end_look(k);
		return;
	}
	loop_timer_cancel(&k->look_timer);
	if (k->look == NULL)
		k->look = look_start(&k->loop, k->options->discover, looked, k);
}

void
keeper_end_look(struct keeper *k)
{
	look_cancel(&k->look);
	loop_timer_cancel(&k->look_timer);
	found_done(&k->found);
}

void
keeper_recall_found(struct keeper *k)
{
	struct store_target *targets = NULL;
	size_t count = 0;

	if (k->options->discover == NULL ||
	    store_get_targets(k->store, &targets, &count, NULL) == -1)
		return;
	k->found.items = mem_array(count, sizeof(k->found.items[0]));
	for (size_t i = 0; i < count; i++) {
		struct found_item *item = &k->found.items[i];

		if (targets[i].fingerprint == NULL ||
		    strlen(targets[i].fingerprint) >= sizeof(item->fingerprint))
			continue;
		item = &k->found.items[k->found.count++];
		item->path = mem_string(targets[i].certificate);
		item->issuer = mem_string(targets[i].issuer);
		memcpy(item->fingerprint, targets[i].fingerprint,
		    strlen(targets[i].fingerprint) + 1);
		item->not_after = INT64_MAX;
	}
	sort_found(k);
	store_targets_free(targets, count);
}

/* True if some other file with this certificate is kept already: the server's
 * own, or one that was named. */
static bool
is_kept_elsewhere(const struct keeper *k, const struct found_item *item)
{
	const struct target *target = keeper_find(k, item->fingerprint);

	while (target != NULL && !(target->wanted && strcmp(target->certificate,
							 item->path) != 0))
		target = target->twin;
	return target != NULL;
}

void
keeper_want_found(struct keeper *k)
{
	/* which certificate is in the other files is not known before they
	 * are read: new ones have to wait for that */
	bool only_known = keeper_has_chores(k);
	int64_t now = clock_wall_s();

	for (size_t i = 0; i < k->found.count; i++) {
		const struct found_item *item = &k->found.items[i];
		const struct target_spec spec = {
		    .certificate = item->path, .issuer = item->issuer};

		/* clients leave behind what nobody uses any more */
		if (item->not_after <= now || is_kept_elsewhere(k, item) ||
		    (only_known && keeper_find_path(k, item->path) == NULL))
			continue;
		keeper_want(k, &spec);
	}
	k->list_stale = k->list_stale || (only_known && k->found.count > 0);
}
