/* SPDX-License-Identifier: ISC */
/* keep/keeper_fetch.c -- what is due is fetched; what came of it is kept. */
#include <string.h>

#include "acquire/acquire.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "keep/keeper_priv.h"
#include "pki/staple.h"

enum {
	DUE_CAP_MS = 30000,   /* look again: the wall clock may be set, */
	CLOCK_JUMP_S = 5,     /* by more than this */
	PLACES_LOOK_MS = 250, /* while somebody waits for a place */
};

/* --- decide --- */

/* When TARGET is to be fetched as DECIDED; 0: not.  With --once each is tried
 * once: where some fail again and again there would be no end. */
static int64_t
attempt_at(const struct keeper *k, const struct target *target,
    const struct policy_decision *decided)
{
	return k->options->once && target->tried && !target->ordered
		   ? 0
		   : decided->next_attempt;
}

void
keeper_decide(struct keeper *k, struct target *target)
{
	int64_t now = clock_wall_s();
	const struct policy_facts facts = target_facts(target, now);
	const struct policy_decision d = policy_decide(&facts);
	bool busy = target->place.state != PLACE_NONE;
	bool idle = !busy && d.next_attempt == 0;
	bool changed = d.state != target->state || !target->said;
	int64_t when = attempt_at(k, target, &d);

	if (idle)
		target->ordered = false; /* nobody can be asked */
	if (busy)
		when = 0;
	else if (target->ordered)
		when = now;
	if (changed) {
		keeper_say_state(target, d.state, now);
		target->said = true;
		target->state = d.state;
	}
	control_decided(k->control, target, changed, idle);
	keeper_relay_decided(k, target);
	/* the end of a staple is an event too: it is withdrawn then (I3), also
	 * when an attempt that failed in this very second comes first */
	if (target->served_until != 0 &&
	    (target->served_until <= now ||
		(!target->held && target_servable(target, now) == NULL))) {
		target->served_until = target->served_update = 0;
		k->overdue = true;
		keeper_mark_urgent(k);
	}
	if (target->served_until != 0 &&
	    (when == 0 || target->served_until < when))
		when = target->served_until;
	if (!busy && keeper_wants_second(k, target) &&
	    (when == 0 || keeper_second_at(target) < when))
		when = keeper_second_at(target);
	if (target_servable(target, now) != NULL &&
	    (when == 0 || facts.usable_until < when))
		when = facts.usable_until;
	/* and so is that of the certificate: an alarm begins */
	if (facts.readable && facts.not_after > now &&
	    (when == 0 || facts.not_after < when))
		when = facts.not_after;
	if (when == 0)
		schedule_remove(&k->schedule, &target->entry);
	else
		schedule_set(&k->schedule, &target->entry, when);
}

/* --- what came of an attempt --- */

/* A14, C3: a good one that is not newer than a revoked is a cache that lags
 * behind, or somebody who wishes the revoked away. */
static bool
is_contradicted(const struct target *target, const struct staple *staple)
{
	return target->last_final && target->last_status == CERT_REVOKED &&
	       staple_facts(staple)->this_update <= target->floor;
}

static void
log_good(const struct target *target, const struct acquire_result *result)
{
	const struct log_about about =
	    target_about(target, "fetched", REASON_NONE);
	char where[ACQUIRE_WHERE_TEXT] = "?", left[CLOCK_SPAN];

	(void)clock_span(
	    staple_usable_until(target->staple) - clock_wall_s(), left);
	if (result->winner == NULL ||
	    strcmp(result->winner->source, "courier") == 0)
		log_event(LOG_NOTICE, about,
		    "a good response, by courier, usable for %s", left);
	else
		log_event(LOG_NOTICE, about,
		    "a good response from %s, in %lld ms, usable for %s",
		    acquire_try_where(result->winner, where),
		    (long long)result->elapsed_ms, left);
}

static void
take_good(
    struct keeper *k, struct target *target, struct acquire_result *result)
{
	target->failures = 0;
	trouble_set(&target->failure, &(struct err){0});
	if (is_contradicted(target, result->staple)) {
		staple_free(result->staple);
		log_event(LOG_WARNING,
		    target_about(target, "final", REASON_OLDER_THAN_STORED),
		    "a response says good, and is no newer than the one that "
		    "says revoked: it is not believed");
		return;
	}
	target->last_final = false;
	if (!staple_better(target->staple, result->staple)) {
		/* the responder has nothing newer yet, which is no failure */
		staple_free(result->staple);
		log_event(LOG_DETAIL,
		    target_about(target, "fetched", REASON_NONE),
		    "nothing newer yet");
		return;
	}
	target->first_at = target->staple == NULL ? target->last_attempt : 0;
	target->second_tried = false;
	staple_free(target->staple);
	target->staple = result->staple;
	log_good(target, result);
	keeper_mark_newer(k, target);
}

void
keeper_drop_staple(struct keeper *k, struct target *target)
{
	if (target->staple == NULL)
		return;
	target_drop_staple(target);
	keeper_mark_urgent(k);
}

/* One certificate may be kept from several files: what TARGET was told of it is
 * true of each, and may be all that is heard. */
static void
tell_twins(struct keeper *k, const struct target *target)
{
	struct target *twin = keeper_find(k, target_fingerprint(target));

	for (; twin != NULL; twin = twin->twin) {
		if (twin == target || target_this_update(twin) > target->floor)
			continue;
		twin->last_final = true;
		twin->last_status = target->last_status;
		twin->final_life = target->final_life;
		if (twin->floor < target->floor)
			twin->floor = target->floor;
		keeper_drop_staple(k, twin);
		keeper_decide(k, twin);
	}
}

/* A signed revoked: the good staple would be a lie and is withdrawn at once,
 * unless the operator will have it otherwise.  A signed unknown says nothing
 * against the last good one (C15). */
static void
take_final(struct keeper *k, struct target *target,
    const struct acquire_result *result)
{
	const struct verdict *facts = &result->facts;
	bool revoked = facts->status == CERT_REVOKED;
	bool keep = target_keeps_revoked(target, k->settings);

	target->failures = 0;
	trouble_set(&target->failure, &(struct err){0});
	target->last_final = true;
	target->last_status = facts->status;
	target->final_life = facts->usable_until - facts->this_update;
	log_event(LOG_ERROR, target_about(target, "final", REASON_NONE),
	    "the responder says, signed, that this certificate is %s%s",
	    cert_status_name(facts->status),
	    !revoked ? ""
	    : keep   ? ": replace it now; its staple is kept, as you wish"
		     : ": replace it now; its staple is withdrawn");
	if (!revoked)
		return;
	if (facts->this_update > target->floor)
		target->floor = facts->this_update;
	if (keep)
		return;
	keeper_drop_staple(k, target);
	tell_twins(k, target);
}

static void
take_failure(struct target *target, const struct acquire_result *result)
{
	bool same = trouble_reason(target->failure) == result->err.reason;

	target->failures++;
	trouble_set(&target->failure, &result->err);
	/* the first of its kind is news; its repetition is not */
	log_event(same ? LOG_DETAIL : LOG_WARNING,
	    target_about(target, "failed", result->err.reason), "%s",
	    result->err.text);
}

/* The operator shall know who learns of this machine's interest. */
static void
log_parties(struct keeper *k, const struct target *target,
    const struct acquire_result *result)
{
	for (size_t i = 0; i < result->party_count; i++) {
		bool news = parties_note(
		    &k->parties, result->parties[i], clock_wall_s());

		log_event(news ? LOG_NOTICE : LOG_DETAIL,
		    target_about(target, "party", REASON_NONE),
		    "the outside party %s was asked", result->parties[i]);
	}
}

void
keeper_take(
    struct keeper *k, struct target *target, struct acquire_result *result)
{
	int64_t before = target_this_update(target);

	if (result->staple != NULL)
		take_good(k, target, result);
	else if (result->accepted)
		take_final(k, target, result);
	else
		take_failure(target, result);
	keeper_save_result(
	    k, target, result, target_this_update(target) != before);
}

/* A renewed certificate comes into service with its staple, or when the old
 * one's ends. */
static void
log_held(const struct target *target, int64_t now)
{
	char left[CLOCK_SPAN];

	log_event(LOG_NOTICE,
	    target_about(target, "held", trouble_reason(target->failure)),
	    "nginx goes on with the certificate of before, for %s at most: the "
	    "renewed one has no staple yet",
	    clock_span(target->served_until - now, left));
}

/* --- start --- */

bool
keeper_is_fetching(const struct keeper *k)
{
	return k->places.held_count > 0 || k->places.waiting_count > 0;
}

static void
begin_acquire(struct keeper *k, struct target *target, bool second,
    void (*cb)(void *cookie, struct acquire_result *result))
{
	const struct issuer_rules *rules = target_rules(target);
	struct verify_input input;
	struct acquire_target job = {.url = target_url(target)};

	target_terms(target, k->settings, clock_wall_s(), &input, &job.policy);
	job.leaf = input.leaf;
	job.issuer = input.issuer;
	job.extra = input.extra;
	job.trusted = input.trusted;
	job.delegates = input.delegates;
	job.sealer = input.sealer;
	job.nonce = rules != NULL && rules->nonce != NONCE_NONE;
	job.sha256 = second || keeper_asks_by_sha256(k, target);
	job.floor = target_this_update(target);
	if (second)
		job.floor = 0; /* a cache of its own */
	if (target->floor > job.floor)
		job.floor = target->floor;
	target->second = second;
	target->settings = k->settings;
	target->settings->users++;
	target->acquire = acquire_start(
	    &k->loop, k->pool, &job, &k->settings->acquire, cb, target);
}

/* TARGET gives its place back; go on with the others. */
static void
leave(struct keeper *k, struct target *target)
{
	places_done(&k->places, &target->place, clock_mono_ms());
	keeper_decide(k, target);
	keeper_run_due(k);
	keeper_check_idle(k);
}

static void
acquired_second(void *cookie, struct acquire_result *result)
{
	struct target *target = cookie;
	struct keeper *k = target->keeper;

	target_stopped(target);
	keeper_take_second(target, result);
	leave(k, target);
}

static void
start_second(struct keeper *k, struct target *target)
{
	target->second_tried = true;
	begin_acquire(k, target, true, acquired_second);
	keeper_decide(k, target);
}

/* A failure that tells of this machine, not of the responder. */
static bool
is_worth_another(const struct keeper *k, const struct target *target,
    const struct acquire_result *result)
{
	if (reason_group(result->err.reason) != GROUP_NETWORK ||
	    !keeper_was_busy(k, result->elapsed_ms))
		return false;
	log_event(LOG_NOTICE, target_about(target, "busy", result->err.reason),
	    "this machine was too busy to look at an answer in time: it is "
	    "asked again");
	return true;
}

static void
acquired(void *cookie, struct acquire_result *result)
{
	struct target *target = cookie;
	struct keeper *k = target->keeper;
	bool first = target->last_attempt == 0;
	bool ordered = target->ordered;
	int64_t now = clock_wall_s();

	target_stopped(target);
	target->ordered = false;
	target->tried = true;
	target->last_attempt = now;
	target->fetch_again =
	    result->max_age_s > 0 ? now + result->max_age_s : 0;
	target->retry_after =
	    result->retry_after_s > 0 ? now + result->retry_after_s : 0;
	if (result->accepted)
		keeper_note_hash(target);
	keeper_take(k, target, result);
	target->ordered = is_worth_another(k, target, result);
	log_parties(k, target, result);
	keeper_save_book(k);
	/* the first word on a certificate, good or not, is published: a
	 * renewed one must not go with the old one's staple; and whoever has
	 * ordered it waits for it */
	if (first || (ordered && k->calm != NULL))
		keeper_mark_dirty(k);
	if (first && k->options->use_nginx && target_waits(target, now))
		log_held(target, now);
	control_attempted(k->control, target, result);
	if (keeper_wants_second(k, target))
		start_second(k, target);
	else
		leave(k, target);
}

/* TARGET holds a place: go, for what is due. */
static void
start(struct keeper *k, struct target *target)
{
	int64_t now = clock_wall_s();
	const struct policy_facts facts = target_facts(target, now);
	const struct policy_decision d = policy_decide(&facts);
	int64_t next = attempt_at(k, target, &d);

	if (!target->ordered && keeper_wants_second(k, target) &&
	    (next == 0 || next > now)) {
		start_second(k, target);
		return;
	}
	begin_acquire(k, target, false, acquired);
	keeper_decide(k, target);
}

/* A place at TARGET's responder, or a wait for it. */
static void
ask_for_place(struct keeper *k, struct target *target)
{
	if (places_take(
		&k->places, &target->place, target->responder, clock_mono_ms()))
		start(k, target);
	else
		keeper_decide(k, target);
}

void
keeper_refresh(struct keeper *k, struct target *target)
{
	if (target->unreadable != NULL)
		keeper_read_target(k, target);
	target->ordered = true;
	keeper_decide(k, target);
}

/* TARGET's moment has come: a fetch, or the end of its staple. */
static void
handle_due(struct keeper *k, struct target *target, int64_t now)
{
	const struct policy_facts facts = target_facts(target, now);
	const struct policy_decision d = policy_decide(&facts);
	int64_t at = attempt_at(k, target, &d);
	bool due = at != 0 && (at <= now || target->ordered);

	if (target->place.state == PLACE_NONE &&
	    (due || (keeper_wants_second(k, target) &&
			keeper_second_at(target) <= now)))
		ask_for_place(k, target);
	else
		keeper_decide(k, target);
}

/* The wall clock has been set: every moment that was computed by it is wrong,
 * and what was refused by it (a staple not valid yet, at a boot without a
 * clock) may be good. */
static void
compare_clocks(struct keeper *k)
{
	int64_t wall = clock_wall_s();
	int64_t mono = clock_mono_ms();
	int64_t jump = wall - k->wall_s - (mono - k->mono_ms) / 1000;
	bool first = k->wall_s == 0;
	char span[CLOCK_SPAN];

	k->wall_s = wall;
	k->mono_ms = mono;
	if (first || (jump >= -CLOCK_JUMP_S && jump <= CLOCK_JUMP_S))
		return;
	log_event(LOG_NOTICE, (struct log_about){.event = "clock"},
	    "the clock was set %s by %s: looking at all again",
	    jump < 0 ? "back" : "forward", clock_span(jump, span));
	for (size_t i = 0; i < k->target_count; i++) {
		if (k->targets[i]->staple == NULL)
			keeper_adopt(k, k->targets[i]);
		keeper_decide(k, k->targets[i]);
	}
	keeper_mark_dirty(k);
}

void
keeper_run_due(void *cookie)
{
	struct keeper *k = cookie;
	struct schedule_entry *first;
	struct place *next;
	int64_t wait_ms = DUE_CAP_MS;
	int64_t now;

	loop_timer_cancel(&k->due);
	if (k->stopping)
		return;
	compare_clocks(k);
	/* who has waited goes before who is due now */
	while ((next = places_next(&k->places, clock_mono_ms())) != NULL)
		start(k, next->subject);
	/* the clock is read anew each time: what is decided lies after it, so
	 * that this ends also when it is set meanwhile */
	while ((first = schedule_first(&k->schedule)) != NULL &&
	       first->when <= clock_wall_s())
		handle_due(k, first->subject, clock_wall_s());
	now = clock_wall_s();
	if (first != NULL && first->when - now < DUE_CAP_MS / 1000)
		wait_ms = (first->when - now) * 1000;
	if (k->places.waiting_count > 0 && wait_ms > PLACES_LOOK_MS)
		wait_ms = PLACES_LOOK_MS;
	k->due = loop_timer_start(&k->loop, wait_ms, keeper_run_due, k);
}
