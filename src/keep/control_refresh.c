/* SPDX-License-Identifier: ISC */
/* keep/control_refresh.c -- "fetch now": an order that takes its time.
 *
 *   order -> job: each target is fetched now, whatever the policy says
 *     -> outcomes, as they come -> asked for in portions, each of which waits
 *        until there is something new, and acknowledges the one before
 *     -> finished; a job that nobody asks about any more is forgotten, and a
 *        finished one also when a new one needs its place
 *
 * A job of a hundred thousand holds what was not fetched yet and what was not
 * asked for yet, and no more. */
#include <stdlib.h>
#include <string.h>

#include "acquire/acquire.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/loop.h"
#include "base/mem.h"
#include "keep/control_priv.h"
#include "pki/report_json.h"
#include "pki/staple.h"

enum {
	REFRESHES_MAX = 16,      /* jobs at once */
	REFRESH_PORTION = 500,   /* outcomes in one answer */
	REFRESH_WAIT_MS = 10000, /* an answer comes by then, with or without */
	REFRESH_GATHER_MS = 50,  /* what comes together is told together */
	REFRESH_IDLE_MS =
	    60000, /* a job is forgotten when so long nobody asks */
};

/* A target that has not been fetched yet. */
struct refresh_item {
	UT_hash_handle hh; /* by the target's address */
	const struct target *target;
};

struct refresh {
	struct refresh *next;
	struct control *control;
	uint64_t id;
	size_t total, done;
	struct refresh_item *waiting; /* a hash; owned */
	json_t *outcomes;             /* those from `first` on */
	size_t first;
	struct server_call *call; /* that waits, or NULL */
	size_t after;             /* what it has already */
	bool told;                /* the last of the outcomes, too */
	struct loop_timer *timer; /* answer it, or forget the job */
};

static void rest(void *cookie);

/* --- outcomes --- */

static json_t *
outcome_of(const struct target *target, const struct acquire_result *result)
{
	struct status_row row = status_row(target, clock_wall_s());
	bool answered = result != NULL && result->accepted;
	const struct acquire_try *winner = result ? result->winner : NULL;
	const char *detail = result == NULL ? row.detail : NULL;
	const char *status = NULL;
	enum reason reason = row.reason;
	char sentence[STATUS_SENTENCE];

	row.fetching = false; /* that is what has just ended */
	if (result != NULL) {
		reason = result->err.reason;
		detail = reason == REASON_NONE ? NULL : result->err.text;
	}
	if (answered && result->facts.status == CERT_GOOD &&
	    row.state == STATE_REVOKED) {
		answered = false;
		reason = REASON_OLDER_THAN_STORED;
		detail = "a response says good, and is no newer than the one "
			 "that says revoked: it is not believed";
	}
	if (answered)
		status = cert_status_name(result->facts.status);
	return json_pack(
	    "{s:o, s:o, s:o, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:b,"
	    " s:o, s:o}",
	    "name", report_json_text(row.name), "path",
	    report_json_text(target->certificate), "fingerprint",
	    report_json_text(target_fingerprint(target)), "fetched",
	    result != NULL, "verdict",
	    result == NULL ? json_null()
			   : json_string(answered ? "accept" : "reject"),
	    "status", report_json_text(status), "reason",
	    reason == REASON_NONE ? json_null()
				  : json_string(reason_name(reason)),
	    "detail", report_json_text(detail), "address",
	    report_json_text(winner == NULL ? NULL : winner->address), "source",
	    report_json_text(winner == NULL ? NULL : winner->source),
	    "elapsed_ms",
	    result == NULL ? json_null() : json_integer(result->elapsed_ms),
	    "state", target_state_name(row.state), "alarm",
	    target_state_is_alarm(row.state), "sentence",
	    report_json_text(status_sentence(&row, clock_wall_s(), sentence)),
	    "usable_until", report_json_time(row.usable_until));
}

static json_t *
outcome_dropped(const struct target *target)
{
	static const char why[] = "it is not kept any more";

	return json_pack("{s:o, s:o, s:o, s:b, s:n, s:n, s:n, s:s, s:n, s:n,"
			 " s:n, s:n, s:b, s:s, s:n}",
	    "name", report_json_text(target_name(target)), "path",
	    report_json_text(target->certificate), "fingerprint",
	    report_json_text(target_fingerprint(target)), "fetched", 0,
	    "verdict", "status", "reason", "detail", why, "address", "source",
	    "elapsed_ms", "state", "alarm", 0, "sentence", why, "usable_until");
}

/* --- jobs --- */

static void
forget(struct refresh *job)
{
	struct control *c = job->control;
	struct refresh **at = &c->refreshes;
	struct refresh_item *item, *next;

	while (*at != job)
		at = &(*at)->next;
	*at = job->next;
	c->refresh_count--;
	loop_timer_cancel(&job->timer);
	HASH_ITER(hh, job->waiting, item, next)
	{
		HASH_DEL(job->waiting, item);
		free(item);
	}
	json_decref(job->outcomes);
	free(job);
}

void
control_refresh_done(struct control *c)
{
	while (c->refreshes != NULL)
		forget(c->refreshes);
}

static void
forget_idle(void *cookie)
{
	struct refresh *job = cookie;

	job->timer = NULL;
	forget(job);
}

static void
arm(struct refresh *job, int64_t delay_ms, void (*cb)(void *cookie))
{
	loop_timer_cancel(&job->timer);
	job->timer =
	    loop_timer_start(&job->control->k->loop, delay_ms, cb, job);
}

/* Answer the call that waits with what there is behind what it has. */
static void
tell(struct refresh *job)
{
	json_t *document = report_json_document("refresh");
	json_t *portion = json_array();
	struct server_call *call = job->call;
	size_t at = job->after - job->first;
	bool finished;

	while (json_array_size(portion) < REFRESH_PORTION &&
	       at < json_array_size(job->outcomes))
		(void)json_array_append(
		    portion, json_array_get(job->outcomes, at++));
	finished = job->first + at == job->total;
	job->told = job->told || finished;
	(void)json_object_update_new(document,
	    json_pack("{s:I, s:I, s:I, s:I, s:b, s:o}", "job",
		(json_int_t)job->id, "targets", (json_int_t)job->total, "done",
		(json_int_t)job->done, "after", (json_int_t)job->after,
		"finished", finished, "outcomes", portion));
	job->call = NULL;
	control_reply(call, 200, document);
	arm(job, REFRESH_IDLE_MS, forget_idle);
}

static void
rest(void *cookie)
{
	struct refresh *job = cookie;

	job->timer = NULL;
	tell(job);
}

static void
add_outcome(struct refresh *job, json_t *outcome)
{
	(void)json_array_append_new(job->outcomes, outcome);
	job->done++;
	if (job->call != NULL)
		arm(job, job->done == job->total ? 0 : REFRESH_GATHER_MS, rest);
}

static bool
take_out(struct refresh *job, const struct target *target)
{
	struct refresh_item *item = NULL;

	HASH_FIND_PTR(job->waiting, &target, item);
	if (item == NULL)
		return false;
	HASH_DEL(job->waiting, item);
	free(item);
	return true;
}

void
control_refresh_ended(struct control *c, const struct target *target,
    const struct acquire_result *result)
{
	for (struct refresh *job = c->refreshes; job != NULL; job = job->next) {
		if (take_out(job, target))
			add_outcome(job, outcome_of(target, result));
	}
}

void
control_refresh_dropped(struct control *c, const struct target *target)
{
	for (struct refresh *job = c->refreshes; job != NULL; job = job->next) {
		if (take_out(job, target))
			add_outcome(job, outcome_dropped(target));
	}
}

/* --- orders --- */

static struct refresh *
begin(struct control *c, struct target *const *targets, size_t count)
{
	struct refresh *job = mem_new(sizeof(*job));

	job->control = c;
	job->id = ++c->refresh_last;
	job->total = count;
	job->outcomes = json_array();
	job->next = c->refreshes;
	c->refreshes = job;
	c->refresh_count++;
	for (size_t i = 0; i < count; i++) {
		struct refresh_item *item = mem_new(sizeof(*item));

		item->target = targets[i];
		HASH_ADD_PTR(job->waiting, target, item);
	}
	/* one that nobody can be asked for is decided on within this */
	for (size_t i = 0; i < count; i++)
		keeper_refresh(c->k, targets[i]);
	keeper_run_due(c->k);
	arm(job, REFRESH_IDLE_MS, forget_idle);
	return job;
}

/* A place for one more.  An order that has ended is not under way: it goes, the
 * oldest first, and one whose outcomes somebody may still ask for last. */
static bool
make_place(struct control *c)
{
	struct refresh *ended = NULL;

	if (c->refresh_count < REFRESHES_MAX)
		return true;
	/* the newest is the first */
	for (struct refresh *job = c->refreshes; job != NULL; job = job->next) {
		if (job->done == job->total && job->call == NULL &&
		    (ended == NULL || job->told || !ended->told))
			ended = job;
	}
	if (ended != NULL)
		forget(ended);
	return ended != NULL;
}

void
control_refresh_order(struct control *c, const struct server_question *question)
{
	const char *name = server_query(question->call, "name");
	const char *whole = server_query(question->call, "all");
	bool all = whole != NULL && strcmp(whole, "1") == 0;
	json_t *document;
	struct target **found = NULL;
	struct refresh *job;
	struct err err = {0};
	size_t count = c->k->target_count;
	unsigned status = 400;

	if (all == (name != NULL) || (whole != NULL && !all)) {
		(void)err_set(
		    &err, REASON_USAGE, "refresh what? give a name, or all=1");
	} else if (name != NULL &&
		   status_find(c->k->targets, c->k->target_count, name, true,
		       &found, &count, &err) == -1) {
		status = 404;
	} else if (!make_place(c)) {
		status = 503;
		(void)err_set(&err, REASON_USAGE,
		    "%d orders to refresh are under way: wait for one",
		    REFRESHES_MAX);
	}
	if (err.reason != REASON_NONE) {
		free(found);
		control_refuse(question->call, status, "refresh", &err);
		return;
	}
	job = begin(c, all ? c->k->targets : found, count);
	free(found);
	document = report_json_document("refresh");
	(void)json_object_update_new(
	    document, json_pack("{s:I, s:I}", "job", (json_int_t)job->id,
			  "targets", (json_int_t)job->total));
	control_reply(question->call, 200, document);
}

static struct refresh *
find_job(const struct control *c, const char *text)
{
	int64_t id;

	if (text == NULL || !text_number(text, 1, INT64_MAX, &id))
		return NULL;
	for (struct refresh *job = c->refreshes; job != NULL; job = job->next) {
		if (job->id == (uint64_t)id)
			return job;
	}
	return NULL;
}

/* Whoever asks for what is behind AFTER has what is before it. */
static void
acknowledge(struct refresh *job, size_t after)
{
	json_t *left = json_array();

	for (size_t i = after - job->first; i < json_array_size(job->outcomes);
	     i++)
		(void)json_array_append(left, json_array_get(job->outcomes, i));
	json_decref(job->outcomes);
	job->outcomes = left;
	job->first = job->after = after;
}

void
control_refresh_ask(struct control *c, const struct server_question *question)
{
	const char *text = server_query(question->call, "after");
	struct refresh *job = find_job(c, server_query(question->call, "job"));
	struct err err = {0};
	int64_t after = 0;

	if (job == NULL)
		(void)err_set(&err, REASON_USAGE,
		    "there is no such order to refresh (any more)");
	else if (job->call != NULL)
		(void)err_set(
		    &err, REASON_USAGE, "somebody else asks about this order");
	else if (text != NULL && !text_number(text, (int64_t)job->first,
				     (int64_t)job->done, &after))
		(void)err_set(&err, REASON_USAGE,
		    "after '%s': what you have is %zu to %zu", text, job->first,
		    job->done);
	if (err.reason != REASON_NONE) {
		control_refuse(
		    question->call, job == NULL ? 404 : 409, "refresh", &err);
		return;
	}
	acknowledge(job, (size_t)after);
	job->call = question->call;
	if (json_array_size(job->outcomes) > 0 || job->done == job->total)
		tell(job);
	else
		arm(job, REFRESH_WAIT_MS, rest);
}
