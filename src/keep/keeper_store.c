/* SPDX-License-Identifier: ISC */
/* keep/keeper_store.c -- what the keeper remembers over a restart. */
#include <stdlib.h>
#include <string.h>

#include "acquire/acquire.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "keep/keeper_priv.h"
#include "pki/staple.h"

enum {
	SAVED_AT_ONCE = 5000, /* of what a new store lacks */
};

static struct log_about
about(const struct err *err)
{
	return (struct log_about){.event = "store", .reason = err->reason};
}

/* --- remembered --- */

static struct store_attempt
as_attempt(const struct acquire_result *result)
{
	const struct acquire_try *winner = result->winner;
	struct store_attempt attempt = {
	    .at = clock_wall_s(),
	    .outcome = result->accepted ? cert_status_name(result->facts.status)
					: reason_name(result->err.reason),
	    .elapsed_ms = result->elapsed_ms,
	};

	if (result->err.reason != REASON_NONE)
		attempt.detail = result->err.text;
	if (winner != NULL) {
		attempt.source = winner->source;
		if (winner->url[0] != '\0')
			attempt.url = winner->url;
		if (winner->address[0] != '\0')
			attempt.address = winner->address;
	}
	if (result->accepted) {
		attempt.size = (int64_t)result->facts.size;
		attempt.this_update = result->facts.this_update;
		attempt.next_update = result->facts.next_update;
	}
	return attempt;
}

static struct store_state
as_state(const struct target *target)
{
	return (struct store_state){
	    .last_attempt = target->last_attempt,
	    .failures = target->failures,
	    .last_err = trouble_err(target->failure),
	    .last_final = target->last_final,
	    .last_status = target->last_status,
	    .fetch_again = target->fetch_again,
	    .retry_after = target->retry_after,
	    .final_life = target->final_life,
	    .floor = target->floor,
	    .first_seen = target->first_seen,
	    .first_at = target->first_at,
	    .random = target->random,
	    .other_hash = target->other_hash,
	};
}

/* What is known of TARGET beside CHANGE's attempt.  WHOLE: its staple too. */
static void
save(struct keeper *k, struct target *target,
    const struct store_attempt *attempt, bool whole)
{
	const struct store_state state = as_state(target);
	struct store_change change = {.attempt = attempt, .state = &state};
	struct err err = {0};

	if (whole && target->staple != NULL) {
		change.staple = staple_der(target->staple);
		change.whole = target->staple;
		change.seal = staple_seal(target->staple);
		change.this_update = target_this_update(target);
	}
	if (whole && target->staple256 != NULL) {
		change.second = staple_der(target->staple256);
		change.second_whole = target->staple256;
		change.second_seal = staple_seal(target->staple256);
	}
	change.no_staple = whole && target->staple == NULL;
	target->unsaved = store_save(k->store, target_fingerprint(target),
			      &change, &err) == -1;
	if (target->unsaved)
		log_event(LOG_ERROR, target_about(target, "store", err.reason),
		    "kept in memory only: %s", err.text);
}

void
keeper_save_result(struct keeper *k, struct target *target,
    const struct acquire_result *result, bool news)
{
	const struct store_attempt attempt = as_attempt(result);

	save(k, target, &attempt, news || target->unsaved);
}

void
keeper_save_second(struct keeper *k, const struct target *target)
{
	const struct store_change change = {
	    .second = staple_der(target->staple256),
	    .second_whole = target->staple256,
	    .second_seal = staple_seal(target->staple256)};
	struct err err = {0};

	if (store_save(k->store, target_fingerprint(target), &change, &err) ==
	    -1)
		log_event(LOG_ERROR, target_about(target, "store", err.reason),
		    "kept in memory only: %s", err.text);
}

/* What is kept, for the commands that look into the store. */
static void
save_list(struct keeper *k)
{
	struct store_target *list = mem_array(k->target_count, sizeof(list[0]));
	struct err err = {0};

	for (size_t i = 0; i < k->target_count; i++) {
		const struct target *target = k->targets[i];
		const char *fingerprint = target_fingerprint(target);

		/* what was in a file that cannot be read is not forgotten */
		if (fingerprint == NULL)
			fingerprint = keeper_unread_fingerprint(k, target);
		list[i] = (struct store_target){
		    .certificate = file_absolute(target->certificate),
		    .issuer = file_absolute(target->issuer),
		    .url = mem_string(target->url),
		    .fingerprint = mem_string(fingerprint),
		};
	}
	k->list_unsaved =
	    store_put_targets(k->store, list, k->target_count, &err) == -1;
	if (k->list_unsaved)
		log_event(LOG_WARNING, about(&err), "%s", err.text);
	store_targets_free(list, k->target_count);
}

/* The book is a help, no more: the next proof is saved again. */
static void
save_book(void *cookie)
{
	struct keeper *k = cookie;
	struct err err = {0};

	loop_timer_cancel(&k->book_timer);
	if (store_save_book(k->store, k->book, clock_wall_s(), &err) == -1)
		log_event(LOG_WARNING, about(&err), "%s", err.text);
}

/* It is large, and each success changes it a little. */
void
keeper_save_book(struct keeper *k)
{
	if (k->book_timer == NULL && !k->stopping)
		k->book_timer =
		    loop_timer_start(&k->loop, STORE_GATHER_MS, save_book, k);
}

/* --- looked after --- */

/* The store is a new one, or had no room for what came. */
static void
lack_all(struct keeper *k)
{
	struct err err = {0};

	for (size_t i = 0; i < k->target_count; i++)
		k->targets[i]->unsaved = true;
	k->some_unsaved = k->list_unsaved = true;
	if (store_save_whole_book(k->store, k->book, clock_wall_s(), &err) ==
	    -1)
		log_event(LOG_WARNING, about(&err), "%s", err.text);
}

/* So many at once that nobody has to wait for it. */
static void
save_unsaved(struct keeper *k)
{
	size_t saved = 0;

	/* of what is not read yet the fingerprint is not known */
	if (k->list_unsaved && !keeper_has_chores(k))
		save_list(k);
	for (size_t i = 0; k->some_unsaved && i < k->target_count; i++) {
		struct target *target = k->targets[i];

		if (!target->unsaved || target_fingerprint(target) == NULL)
			continue;
		if (saved++ == SAVED_AT_ONCE)
			return;
		save(k, target, NULL, true);
	}
	k->some_unsaved = false;
}

/* Each is said once, when it begins and when it is over (A13). */
static void
say_how_it_is(struct keeper *k, const struct store_report *report)
{
	static const struct err damage = {REASON_STORE, ""};

	if (report->aside != NULL)
		log_event(LOG_ERROR, about(&damage),
		    "the store was damaged: it is now '%s', a new one is begun "
		    "from the published staples and from memory",
		    report->aside);
	if (report->ailing && !k->store_ailing)
		log_event(LOG_ERROR, about(&report->err),
		    "until this is over what changes is kept in memory only: "
		    "%s",
		    report->err.text);
	if (!report->ailing && k->store_ailing)
		log_event(LOG_NOTICE, (struct log_about){.event = "store"},
		    "the store is written again");
	k->store_ailing = report->ailing;
}

void
keeper_check_store(struct keeper *k)
{
	int64_t now = clock_wall_s();
	struct store_report report;
	struct err err = {0};

	store_check(k->store, &report);
	say_how_it_is(k, &report);
	free(report.aside);
	if (report.wants_all)
		lack_all(k);
	/* later, if nothing can be written: once, and not over and over */
	if (!report.ailing)
		save_unsaved(k);
	if (!keeper_has_chores(k) &&
	    (now - k->pruned_s >= CLOCK_DAY || now < k->pruned_s)) {
		k->pruned_s = now;
		if (store_prune(k->store, now, &err) == -1)
			log_event(LOG_WARNING, about(&err), "%s", err.text);
	}
}

void
keeper_end_store(struct keeper *k)
{
	save_book(k);
	(void)store_flush(k->store, NULL); /* the check tells */
	keeper_check_store(k);
}
