/* SPDX-License-Identifier: ISC */
/* keep/control_reload.c -- "read everything anew": an order that is answered
 * with what it has changed, when the round that follows it is over. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/loop.h"
#include "base/mem.h"
#include "keep/control_priv.h"
#include "pki/report_json.h"

enum {
	RELOAD_WAIT_MS = 60000, /* for the round; then without it */
	RELOAD_NAMED = 100,     /* certificates named of each kind */
};

struct reload {
	struct control *control;
	struct server_call *call;
	struct loop_timer *timer;
	json_t *news[NEWS_COUNT]; /* the first of each kind, */
	size_t count[NEWS_COUNT]; /* of so many */
};

static void
drop(struct control *c)
{
	struct reload *r = c->reload;

	c->reload = NULL;
	loop_timer_cancel(&r->timer);
	for (int i = 0; i < NEWS_COUNT; i++)
		json_decref(r->news[i]);
	free(r);
}

void
control_reload_done(struct control *c)
{
	if (c->reload != NULL)
		drop(c);
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
	struct server_call *call = r->call;
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
	drop(c);
	control_reply(call, 200, document);
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

void
control_reload_order(struct control *c, const struct server_question *question)
{
	struct reload *r;
	struct err err = {0};

	if (c->reload != NULL) {
		(void)err_set(
		    &err, REASON_USAGE, "a reload is under way: wait for it");
		control_refuse(question->call, 409, "reload", &err);
		return;
	}
	r = mem_new(sizeof(*r));
	r->control = c;
	r->call = question->call;
	for (int i = 0; i < NEWS_COUNT; i++)
		r->news[i] = json_array();
	c->reload = r;
	if (keeper_reload(c->k, &err) == -1) {
		drop(c);
		control_refuse(question->call, 422, "reload", &err);
		return;
	}
	r->timer =
	    loop_timer_start(&c->k->loop, RELOAD_WAIT_MS, wait_no_more, r);
}
