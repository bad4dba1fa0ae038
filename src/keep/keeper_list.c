/* SPDX-License-Identifier: ISC */
/* keep/keeper_list.c -- which targets there are, and their files. */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "acquire/acquire.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "keep/keeper_priv.h"

void
keeper_read_target(struct keeper *k, struct target *target)
{
	const struct target_sources sources = {.issuers = &k->issuers,
	    .extra = &k->settings->extra,
	    .paired = keeper_was_paired,
	    .cookie = k};
	bool other, had = target->leaf != NULL;

	keeper_index_remove(k, target);
	other = target_read(target, &sources);
	keeper_relay_read(k, target);
	keeper_index_add(k, target);
	/* reading cancels an acquisition if it replaces what that works on;
	 * and who waits may not need to, or elsewhere */
	if (target->acquire == NULL)
		places_leave(&k->places, &target->place);
	if (other) {
		target->first_seen = clock_wall_s();
		k->list_unsaved = true; /* its fingerprint is another one */
		keeper_adopt(k, target);
	}
	keeper_forget_recalled(k);
	keeper_hold_unread(k, target);
	if (other && had)
		control_renewed(k->control, target);
	if (target->unreadable != NULL)
		log_event(LOG_ERROR,
		    target_about(
			target, "certificate", target->unreadable->reason),
		    "%s", target->unreadable->text);
	if (other && target->leaf != NULL && target_lacks_feature(target))
		log_event(LOG_WARNING,
		    target_about(target, "certificate", REASON_NONE),
		    "its issuer '%s' has the TLS feature status_request "
		    "(must-staple) and this certificate lacks it, against RFC "
		    "7633, section 4.2.2: strict clients may refuse it",
		    target_issuer(target)->subject);
	keeper_decide(k, target);
}

static bool
same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

void
keeper_want(struct keeper *k, const struct target_spec *spec)
{
	struct target *target = keeper_find_path(k, spec->certificate);

	/* who names a file first says how: the operator, before what is found */
	if (target != NULL &&
	    (target->wanted || (same_text(target->issuer, spec->issuer) &&
				   same_text(target->url, spec->url)))) {
		target->wanted = true;
		return;
	}
	if (k->target_count == KEEPER_TARGETS_MAX)
		return;
	if (target != NULL)
		HASH_DEL(k->by_path, target); /* to be dropped */
	target = target_new(spec);
	target->keeper = k;
	target->wanted = true;
	/* adopted staples of one age must not be refreshed in one second */
	if (getrandom(&target->random, sizeof(target->random), 0) == -1)
		target->random = (uint32_t)clock_mono_ms();
	HASH_ADD_KEYPTR(hh, k->by_path, target->certificate,
	    strlen(target->certificate), target);
	if (k->target_count == k->target_room) {
		k->target_room = k->target_room * 2 + 16;
		k->targets = mem_resize(
		    k->targets, k->target_room, sizeof(k->targets[0]));
	}
	k->targets[k->target_count++] = target;
	k->list_unsaved = true;
	keeper_give_chore(k, target);
}

static void
drop_unwanted(struct keeper *k)
{
	size_t kept = 0;

	for (size_t i = 0; i < k->target_count; i++) {
		struct target *target = k->targets[i];

		if (target->wanted) {
			k->targets[kept++] = target;
			continue;
		}
		keeper_walk_end(k); /* it knows this one, perhaps */
		log_event(LOG_NOTICE,
		    target_about(target, "dropped", REASON_NONE),
		    "not kept any more");
		if (keeper_find_path(k, target->certificate) == target)
			HASH_DEL(k->by_path, target);
		control_dropped(k->control, target);
		keeper_drop_chore(k, target);
		watch_remove(k->folders, &target->watch);
		keeper_index_remove(k, target);
		keeper_relay_drop(k, target);
		keeper_forget_unread(k, target);
		places_leave(&k->places, &target->place);
		schedule_remove(&k->schedule, &target->entry);
		target_free(target);
		k->list_unsaved = true;
	}
	k->target_count = kept;
}

/* A server whose configuration cannot be read at the start says nothing of what
 * it uses: until it can, what was kept before is (I8). */
static void
want_stored(struct keeper *k)
{
	struct store_target *stored = NULL;
	size_t count = 0;

	if (store_get_targets(k->store, &stored, &count, NULL) == -1)
		return;
	for (size_t i = 0; i < count; i++) {
		const struct target_spec spec = {
		    .certificate = stored[i].certificate,
		    .issuer = stored[i].issuer,
		    .url = stored[i].url,
		};

		keeper_want(k, &spec);
	}
	store_targets_free(stored, count);
}

void
keeper_sync_targets(struct keeper *k)
{
	size_t before = k->target_count;
	bool wants_server =
	    k->options->use_nginx &&
	    (k->options->spec_count == 0 || k->options->discover != NULL);

	if (!k->list_stale)
		return;
	k->list_stale = false;
	for (size_t i = 0; i < k->target_count; i++)
		k->targets[i]->wanted = false;
	for (size_t i = 0; i < k->options->spec_count; i++)
		keeper_want(k, &k->options->specs[i]);
	for (size_t i = 0;
	     wants_server && k->conf != NULL && i < k->conf->site_count; i++) {
		const struct nginx_site *site = &k->conf->sites[i];

		for (size_t c = 0; c < site->certificate_count; c++) {
			const char *path = site->certificates[c];
			const struct target_spec spec = {.certificate = path,
			    .issuer = keeper_found_issuer(k, path)};

			keeper_want(k, &spec);
		}
	}
	if (wants_server && k->conf == NULL)
		want_stored(k);
	keeper_want_found(k);
	drop_unwanted(k);
	if (k->target_count != before)
		log_event(LOG_NOTICE, (struct log_about){.event = "targets"},
		    "keeping %zu certificate%s", k->target_count,
		    k->target_count == 1 ? "" : "s");
}
