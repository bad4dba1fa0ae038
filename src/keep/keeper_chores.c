/* SPDX-License-Identifier: ISC */
/* keep/keeper_chores.c -- certificate files to be read, a few at each turn.
 *
 * A start, or a reload, of a hundred thousand certificates takes its time; in
 * between signals, connections and deadlines have their turn.  What waits for
 * the reading of all (the first round, the inbox, the list in the store) asks
 * keeper_has_chores(). */
#include <utlist.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "keep/keeper_priv.h"

enum {
	SLICE_MS = 20, /* at each turn, */
	SLICE_MIN = 8, /* but not fewer than so many */
};

void
keeper_give_chore(struct keeper *k, struct target *target)
{
	if (target->chore)
		return;
	target->chore = true;
	DL_APPEND2(k->chores, target, chore_prev, chore_next);
}

void
keeper_drop_chore(struct keeper *k, struct target *target)
{
	if (!target->chore)
		return;
	target->chore = false;
	DL_DELETE2(k->chores, target, chore_prev, chore_next);
}

bool
keeper_has_chores(const struct keeper *k)
{
	return k->chores != NULL;
}

static void
do_one(struct keeper *k, struct target *target)
{
	bool known = target->known;

	keeper_drop_chore(k, target);
	keeper_read_target(k, target);
	keeper_obey_revoked(k, target);
	target->known = true;
	watch_add(k->folders, &target->watch, target->certificate);
	if (!known)
		control_added(k->control, target);
	/* A new certificate is published when its responder has been asked:
	 * until then the server, which has not read the new file yet, goes on
	 * with the old pair. */
	if (target->state != STATE_PENDING)
		keeper_mark_dirty(k);
}

/* What a restart finds is no news of each certificate, but all the operator
 * wants to know. */
static void
say_adopted(struct keeper *k)
{
	int64_t now = clock_wall_s();
	size_t usable = 0;

	if (k->looked)
		return;
	k->looked = true;
	for (size_t i = 0; i < k->target_count; i++)
		usable += target_servable(k->targets[i], now) != NULL;
	if (usable > 0)
		log_event(LOG_NOTICE, (struct log_about){.event = "adopted"},
		    "%zu of them %s a usable staple from before", usable,
		    usable == 1 ? "has" : "have");
}

void
keeper_do_chores(void *cookie)
{
	struct keeper *k = cookie;
	int64_t until = clock_mono_ms() + SLICE_MS;

	loop_timer_cancel(&k->chore_timer);
	if (k->chores == NULL || k->stopping)
		return;
	while (k->walk != NULL && clock_mono_ms() < until)
		keeper_walk_on(k, do_one);
	for (int done = 0; k->walk == NULL && k->chores != NULL &&
			   (done < SLICE_MIN || clock_mono_ms() < until);
	     done++)
		do_one(k, k->chores);
	if (k->chores == NULL)
		keeper_sync_targets(k); /* what had to wait for this */
	if (k->chores != NULL) {
		k->chore_timer =
		    loop_timer_start(&k->loop, 0, keeper_do_chores, k);
		return;
	}
	say_adopted(k);
	keeper_check_rules(k);
	keeper_check_store(k);
	/* who asks before would hear that nothing is kept */
	keeper_relay_listen(k);
	keeper_read_inbox(k);
	keeper_run_due(k);
	keeper_check_idle(k);
}
