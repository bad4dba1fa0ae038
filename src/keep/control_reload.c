/* SPDX-License-Identifier: ISC */
/* keep/control_reload.c -- "read everything anew": an order that is answered
 * with what it has changed, when the round that follows it is over.
 *
 * An order that comes meanwhile may mean a file that was changed since: all such
 * wait for that round, and are then one reload together. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/loop.h"
#include "base/mem.h"
#include "keep/control_priv.h"
#include "pki/report_json.h"

enum {
	RELOAD_WAIT_MS = 45000, /* for the round; then without it.  Twice this
				   is less than `oclasp reload` waits */
	RELOAD_NAMED = 100,     /* certificates named of each kind */
	RELOAD_CALLS_MAX = 32,  /* who wait for one reload */
};

struct reload {
	struct control *control;
	struct server_call *calls[RELOAD_CALLS_MAX]; /* to be answered */
	size_t call_count;
	struct loop_timer *timer;
	json_t *news[NEWS_COUNT]; /* the first of each kind, */
	size_t count[NEWS_COUNT]; /* of so many */
};

static void begin_next(void *cookie);

static struct reload *
make(struct control *c)
{
	struct reload *r = mem_new(sizeof(*r));

	r->control = c;
	for (int i = 0; i < NEWS_COUNT; i++)
		r->news[i] = json_array();
	return r;
}

static void
release(struct reload *r)
{
	loop_timer_cancel(&r->timer);
	for (int i = 0; i < NEWS_COUNT; i++)
		json_decref(r->news[i]);
	free(r);
}

/* The one under way is over: the next one's turn, if somebody waits for it. */
static void
drop(struct control *c)
{
	release(c->reload);
	c->reload = NULL;
	if (c->reload_next != NULL)
		c->reload_next->timer =
		    loop_timer_start(&c->k->loop, 0, begin_next, c);
}

void
control_reload_done(struct control *c)
{
	if (c->reload != NULL)
		release(c->reload);
	if (c->reload_next != NULL)
		release(c->reload_next);
	c->reload = c->reload_next = NULL;
}

void
control_reload_note(
    struct control *c, enum control_news news, const struct target *target)
{
	struct reload *r = c->reload;

	if (r == NULL || r->count[news]++ >= RELOAD_NAMED)
		return;
	(void)json_array_append_new(
	    r->news[news], json_pack("{s:o, s:o}", "name",
			       report_json_text(target_name(target)), "path",
			       report_json_text(target->certificate)));
}

/* PUBLISHED is taken. */
static void
tell(struct control *c, json_t *published)
{
	struct reload *r = c->reload;
	json_t *document = report_json_document("reload");

	(void)json_object_update_new(
	    document, json_pack("{s:b, s:I, s:I, s:O, s:I, s:O, s:I, s:O, s:o}",
			  "reloaded", 1, "kept", (json_int_t)c->k->target_count,
			  "added_count", (json_int_t)r->count[NEWS_ADDED],
			  "added", r->news[NEWS_ADDED], "renewed_count",
			  (json_int_t)r->count[NEWS_RENEWED], "renewed",
			  r->news[NEWS_RENEWED], "dropped_count",
			  (json_int_t)r->count[NEWS_DROPPED], "dropped",
			  r->news[NEWS_DROPPED], "published", published));
	for (size_t i = 0; i < r->call_count; i++)
		control_reply(r->calls[i], 200, json_incref(document));
	json_decref(document);
	drop(c);
}

static void
wait_no_more(void *cookie)
{
	struct reload *r = cookie;

	r->timer = NULL;
	tell(r->control, json_null());
}

void
control_reload_round(struct control *c, bool reloaded, const struct err *err)
{
	bool good = err->reason == REASON_NONE;

	/* what the reload wants is in the next round, if one was under way */
	if (c->reload == NULL || (good && c->k->dirty))
		return;
	tell(c, json_pack("{s:b, s:b, s:o, s:o}", "good", good,
		    "server_reloaded", reloaded, "reason",
		    good ? json_null() : json_string(reason_name(err->reason)),
		    "detail", report_json_text(err->text)));
}

/* Order it for all who wait for R. */
static void
begin(struct reload *r)
{
	struct control *c = r->control;
	struct err err = {0};

	c->reload = r;
	if (keeper_reload(c->k, &err) == -1) {
		for (size_t i = 0; i < r->call_count; i++)
			control_refuse(r->calls[i], 422, "reload", &err);
		drop(c);
		return;
	}
	r->timer =
	    loop_timer_start(&c->k->loop, RELOAD_WAIT_MS, wait_no_more, r);
}

static void
begin_next(void *cookie)
{
	struct control *c = cookie;
	struct reload *r = c->reload_next;

	r->timer = NULL;
	c->reload_next = NULL;
	begin(r);
}

void
control_reload_order(struct control *c, const struct server_question *question)
{
	bool waits = c->reload != NULL || c->reload_next != NULL;
	struct reload *r = c->reload_next;
	struct err err = {0};

	if (r != NULL && r->call_count == RELOAD_CALLS_MAX) {
		(void)err_set(&err, REASON_USAGE,
		    "%d orders to reload wait already: each is for all of them",
		    RELOAD_CALLS_MAX);
		control_refuse(question->call, 503, "reload", &err);
		return;
	}
	if (r == NULL)
		r = make(c);
	r->calls[r->call_count++] = question->call;
	if (waits)
		c->reload_next = r;
	else
		begin(r);
}
