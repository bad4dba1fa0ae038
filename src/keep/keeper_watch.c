/* SPDX-License-Identifier: ISC */
/* keep/keeper_watch.c -- certificate files that change.
 *
 * Word of their folders comes from the kernel (keep/watch.h).  Since it may
 * have none, some of all files are looked at too at each turn, one after the
 * other: of few certificates all, so that a change is found within 5 s
 * (CONTRACT) whatever the kernel says. */
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "keep/keeper_priv.h"

enum {
	LOOKS = 4096,    /* at each turn of KEEPER_WATCH_MS */
	REST_MS = 10000, /* between one rest and the next */
};

static void
look_at(struct keeper *k, struct target *target)
{
	if (target->chore || !target_changed(target, clock_mono_ms()))
		return;
	/* what is gone is told when it cannot be read */
	if (target->gone_ms == 0)
		log_event(LOG_NOTICE,
		    target_about(target, "certificate", REASON_NONE),
		    "the certificate file '%s' has changed",
		    target->certificate);
	keeper_give_chore(k, target);
}

void
keeper_read_changed(struct keeper *k)
{
	for (size_t i = 0; i < k->target_count; i++)
		look_at(k, k->targets[i]);
	keeper_do_chores(k);
}

static struct watch_file *
find(void *cookie, const char *path)
{
	struct target *target = keeper_find_path(cookie, path);

	return target == NULL ? NULL : &target->watch;
}

static void
changed(void *cookie, struct watch_file *file)
{
	struct target *target =
	    (void *)((char *)file - offsetof(struct target, watch));

	look_at(cookie, target);
	keeper_do_chores(cookie);
}

/* A start, and each round of publishing, works on copies of all that is kept.
 * When that is over, and nothing is under way, the memory of it is given back. */
static void
rest(struct keeper *k)
{
	int64_t now = clock_mono_ms();

	if (!k->slack || keeper_has_chores(k) || keeper_is_fetching(k) ||
	    keeper_is_publishing(k) ||
	    (k->rested_ms != 0 && now - k->rested_ms < REST_MS))
		return;
	k->slack = false;
	k->rested_ms = now;
	store_rest(k->store);
	mem_trim();
}

/* Look whether certificate files have changed; again every KEEPER_WATCH_MS. */
static void
watch_files(void *cookie)
{
	struct keeper *k = cookie;
	size_t looks = k->target_count < LOOKS ? k->target_count : LOOKS;

	k->watch = NULL;
	settings_sweep(k->settings);
	for (size_t i = 0; i < looks; i++) {
		if (k->look_next >= k->target_count)
			k->look_next = 0;
		look_at(k, k->targets[k->look_next]);
		watch_add(k->folders, &k->targets[k->look_next]->watch,
		    k->targets[k->look_next]->certificate);
		k->look_next++;
	}
	keeper_check_store(k);
	keeper_watch_unread(k);
	keeper_check_rules(k);
	keeper_read_inbox(k);
	keeper_watch_server(k);
	keeper_do_chores(k);
	keeper_run_due(k);
	rest(k);
	if (k->stopping)
		return;
	k->watch = loop_timer_start(&k->loop, KEEPER_WATCH_MS, watch_files, k);
}

void
keeper_watch_begin(struct keeper *k)
{
	static const struct watch_callbacks callbacks = {find, changed};

	if (k->stopping)
		return;
	k->folders = watch_new(&k->loop, &callbacks, k);
	k->watch = loop_timer_start(&k->loop, KEEPER_WATCH_MS, watch_files, k);
}

void
keeper_watch_end(struct keeper *k)
{
	watch_free(&k->folders);
	loop_timer_cancel(&k->watch);
}
