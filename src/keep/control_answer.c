/* SPDX-License-Identifier: ISC */
/* keep/control_answer.c -- which question is whose, and what is answered at
 * once: documents, the page, metrics, health. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "keep/control_priv.h"
#include "keep/process.h"
#include "keep/relay.h"
#include "keep/status.h"
#include "keep/status_json.h"
#include "keep/status_page.h"
#include "pki/report_json.h"

enum {
	NEEDY_MAX = 10,    /* certificates that /readyz names */
	READY_AGAIN = 300, /* of so many it is told again for a millisecond */
	HISTORY_LIMIT = 20,
};

/* --- answers --- */

/* ALLOW: the methods that would do, or NULL. */
static void
reply_allowing(struct server_call *call, unsigned status, const char *type,
    const char *text, size_t len, const char *allow)
{
	const struct server_header headers[] = {
	    {"Cache-Control", "no-store"},
	    {"X-Content-Type-Options", "nosniff"},
	    {"Content-Security-Policy", status_page_policy},
	    {"Allow", allow},
	};
	const size_t all = sizeof(headers) / sizeof(headers[0]);
	const struct server_answer answer = {
	    .status = status,
	    .content_type = type,
	    .body = {(const uint8_t *)text, len},
	    .headers = headers,
	    .header_count = allow == NULL ? all - 1 : all,
	};

	server_reply(call, &answer);
}

static void
reply_text(struct server_call *call, unsigned status, const char *type,
    const char *text, size_t len)
{
	reply_allowing(call, status, type, text, len, NULL);
}

static void
reply_document(struct server_call *call, unsigned status, json_t *document,
    const char *allow)
{
	char *text = json_dumps(document, JSON_INDENT(1));
	char *lines = mem_printf("%s\n", text == NULL ? "null" : text);

	reply_allowing(
	    call, status, "application/json", lines, strlen(lines), allow);
	free(lines);
	free(text);
	json_decref(document);
}

void
control_reply(struct server_call *call, unsigned status, json_t *document)
{
	reply_document(call, status, document, NULL);
}

static json_t *
refusal(const char *command, const struct err *err)
{
	json_t *document = report_json_document(command);

	(void)json_object_set_new(document, "error",
	    json_pack("{s:s, s:o}", "reason", reason_name(err->reason),
		"detail", report_json_text(err->text)));
	return document;
}

void
control_refuse(struct server_call *call, unsigned status, const char *command,
    const struct err *err)
{
	control_reply(call, status, refusal(command, err));
}

/* --- status --- */

static int
take_number(
    struct server_call *call, const char *key, size_t *out, struct err *err)
{
	const char *text = server_query(call, key);
	int64_t number;

	if (text == NULL)
		return 0;
	if (!text_number(text, 0, INT32_MAX, &number))
		return err_set(err, REASON_USAGE,
		    "%s '%s': give a whole number", key, text);
	*out = (size_t)number;
	return 0;
}

static int
take_query(struct server_call *call, struct status_query *out, struct err *err)
{
	const char *states = server_query(call, "state");

	out->name = server_query(call, "name");
	if (states != NULL && !status_states_parse(states, &out->states))
		return err_set(err, REASON_USAGE,
		    "state '%s': give states, with commas between them, or "
		    "alarm",
		    states);
	return take_number(call, "after", &out->after, err) == -1
		   ? -1
		   : take_number(call, "limit", &out->limit, err);
}

static struct status_head
make_head(const struct control *c, int64_t now)
{
	return (struct status_head){
	    .now = now,
	    .state_dir = c->k->options->state_dir,
	    .staple_dir = c->k->staple_dir,
	    .running = true,
	    .pid = getpid(),
	    .started_at = c->started_at,
	    .ready = c->k->ready,
	    .outlets = &c->outlets,
	};
}

static void
answer_status(struct control *c, struct server_call *call, bool trusted)
{
	int64_t now = clock_wall_s();
	struct status_head head = make_head(c, now);
	struct status_query query = {.looks = trusted};
	struct status_list list;
	struct err err = {0};

	if (take_query(call, &query, &err) == -1) {
		control_refuse(call, 400, "status", &err);
		return;
	}
	if (status_select(c->k->targets, c->k->target_count, &query, now, &list,
		&err) == -1) {
		control_refuse(call, 404, "status", &err);
		return;
	}
	control_reply(call, 200, status_document(&list, &head));
	status_list_done(&list);
}

static void
answer_page(struct control *c, struct server_call *call, bool trusted)
{
	int64_t now = clock_wall_s();
	struct status_head head = make_head(c, now);
	struct status_query query = {.looks = trusted};
	struct status_list list;
	struct err err = {0};
	struct buf page;

	if (take_query(call, &query, &err) == 0) {
		query.limit = STATUS_PAGE_ROWS;
		(void)status_select(c->k->targets, c->k->target_count, &query,
		    now, &list, &err);
	}
	if (err.reason != REASON_NONE) {
		reply_text(call, 404, "text/plain; charset=utf-8", err.text,
		    strlen(err.text));
		return;
	}
	buf_init(&page, STATUS_PAGE_MAX);
	status_page(&page, &list, &query, &head);
	reply_text(call, 200, "text/html; charset=utf-8", page.text, page.len);
	buf_done(&page);
	status_list_done(&list);
}

/* --- history --- */

static void
add_attempt(void *cookie, const struct store_attempt *attempt)
{
	json_t *list = cookie;

	(void)json_array_append_new(list, status_attempt(attempt));
}

static void
answer_history(struct control *c, struct server_call *call, bool trusted)
{
	const char *name = server_query(call, "name");
	struct target **found = NULL;
	size_t count = 0, limit = HISTORY_LIMIT;
	json_t *attempts = json_array();
	struct err err = {0};
	unsigned status = 400;

	if (name == NULL)
		(void)err_set(&err, REASON_USAGE, "whose history? give a name");
	else if (take_number(call, "limit", &limit, &err) == -1)
		status = 400;
	else if (status_find(c->k->targets, c->k->target_count, name, trusted,
		     &found, &count, &err) == -1)
		status = 404;
	else if (target_fingerprint(found[0]) != NULL &&
		 store_history(c->k->store, target_fingerprint(found[0]), limit,
		     add_attempt, attempts, &err) == -1)
		status = 500;
	if (err.reason != REASON_NONE) {
		json_decref(attempts);
		control_refuse(call, status, "history", &err);
	} else {
		control_reply(call, 200, status_history(found[0], attempts));
	}
	free(found);
}

/* --- metrics and health --- */

static void
answer_metrics(struct control *c, struct server_call *call, bool trusted)
{
	const struct metrics_scene scene = {
	    .now = clock_wall_s(),
	    .targets = c->k->targets,
	    .target_count = c->k->target_count,
	    .fetching = c->k->places.held_count,
	    .waiting = c->k->places.waiting_count,
	    .store_ailing = c->k->store_ailing,
	    .process = process_look(c->started_at),
	};
	struct buf page;

	(void)trusted;
	buf_init(&page, METRICS_TEXT_MAX);
	metrics_write(&page, &c->metrics, &scene);
	if (c->k->relay != NULL)
		relay_write_metrics(c->k->relay, &page);
	if (page.full)
		reply_text(
		    call, 500, "text/plain; charset=utf-8", "too many\n", 9);
	else
		reply_text(call, 200,
		    "text/plain; version=0.0.4; charset=utf-8", page.text,
		    page.len);
	buf_done(&page);
}

/* Ready is who has done its first round.  A certificate that needs a person is
 * named, but is no reason to take the others' care out of service (I8): alerts
 * on it come of the metrics, the alarm command and `oclasp status`. */
static json_t *
ready_document(const struct keeper *k)
{
	json_t *document = report_json_document("readyz");
	json_t *needy = json_array(), *reasons = json_array();
	struct status_query query = {
	    .states = status_alarms(), .limit = NEEDY_MAX};
	struct status_list list;

	if (!k->ready)
		(void)json_array_append_new(
		    reasons, json_string("the first round is not over yet"));
	(void)status_select(
	    k->targets, k->target_count, &query, clock_wall_s(), &list, NULL);
	for (size_t i = 0; i < list.count; i++)
		(void)json_array_append_new(
		    needy, json_pack("{s:o, s:s}", "name",
			       report_json_text(list.rows[i].name), "state",
			       target_state_name(list.rows[i].state)));
	(void)json_object_update_new(
	    document, json_pack("{s:b, s:o, s:I, s:I, s:o}", "ready", k->ready,
			  "reasons", reasons, "kept", (json_int_t)list.kept,
			  "alarms", (json_int_t)list.matched, "needy", needy));
	status_list_done(&list);
	return document;
}

/* Every stranger of the network may ask, and it goes through all that is kept:
 * of many it is told again for a while, since the loop is for the fetches (I5). */
static void
answer_ready(struct control *c, struct server_call *call, bool trusted)
{
	const struct keeper *k = c->k;
	int64_t now_ms = clock_mono_ms();

	(void)trusted;
	if (c->readiness == NULL || now_ms >= c->readiness_until_ms ||
	    c->was_ready != k->ready) {
		json_decref(c->readiness);
		c->readiness = ready_document(k);
		c->readiness_until_ms =
		    now_ms + (int64_t)(k->target_count / READY_AGAIN);
		c->was_ready = k->ready;
	}
	control_reply(call, k->ready ? 200 : 503, json_incref(c->readiness));
}

/* The loop turns, or nobody would answer. */
static void
answer_health(struct control *c, struct server_call *call, bool trusted)
{
	(void)c;
	(void)trusted;
	reply_text(call, 200, "text/plain; charset=utf-8", "ok\n", 3);
}

/* --- which is whose --- */

static const struct route {
	const char *path;
	unsigned serves; /* of CONTROL_... */
	/* TRUSTED: who asks may give orders too; whoever else is here must not
	 * make the loop wait for a disk of his choice (I5) */
	void (*get)(struct control *c, struct server_call *call, bool trusted);
} routes[] = {
    {"/api/v1/status", CONTROL_STATUS, answer_status},
    {"/api/v1/history", CONTROL_STATUS, answer_history},
    {"/status", CONTROL_STATUS, answer_page},
    {"/metrics", CONTROL_METRICS, answer_metrics},
    {"/healthz", CONTROL_HEALTH, answer_health},
    {"/readyz", CONTROL_HEALTH, answer_ready},
};

static const struct order {
	const char *path;
	/* NULL: not asked by it */
	void (*get)(struct control *c, const struct server_question *question);
	void (*post)(struct control *c, const struct server_question *question);
} orders[] = {
    {"/api/v1/refresh", control_refresh_ask, control_refresh_order},
    {"/api/v1/reload", NULL, control_reload_order},
};

/* RFC 9110, section 15.5.6: with the methods that there are. */
static void
refuse_method(const struct server_question *question, const char *allow)
{
	struct err err = {0};

	(void)err_set(
	    &err, REASON_USAGE, "'%s' is asked by %s", question->path, allow);
	reply_document(question->call, 405, refusal("control", &err), allow);
}

static void
answer_order(struct control *c, const struct order *order,
    const struct server_question *question)
{
	if (question->method == SERVER_POST)
		order->post(c, question);
	else if (question->method == SERVER_GET && order->get != NULL)
		order->get(c, question);
	else
		refuse_method(
		    question, order->get == NULL ? "POST" : "GET, POST");
}

bool
control_answer(
    struct control *c, const struct server_question *question, unsigned serves)
{
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		if ((routes[i].serves & serves) == 0 ||
		    strcmp(routes[i].path, question->path) != 0)
			continue;
		if (question->method == SERVER_POST)
			refuse_method(question, "GET, HEAD");
		else
			routes[i].get(
			    c, question->call, (serves & CONTROL_ORDERS) != 0);
		return true;
	}
	for (size_t i = 0; (serves & CONTROL_ORDERS) != 0 &&
			   i < sizeof(orders) / sizeof(orders[0]);
	     i++) {
		if (strcmp(orders[i].path, question->path) != 0)
			continue;
		answer_order(c, &orders[i], question);
		return true;
	}
	return false;
}
