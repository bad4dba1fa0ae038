/* SPDX-License-Identifier: ISC */
/* keep/status_json.c -- the document of `oclasp status`. */
#include "keep/status_json.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "keep/store.h"
#include "pki/report_json.h"
#include "pki/staple.h"

static json_t *
reason_or_null(enum reason reason)
{
	return reason == REASON_NONE ? json_null()
				     : json_string(reason_name(reason));
}

/* The file for servers that are pointed at the folder; NULL: there is none. */
static json_t *
plain_file(const struct status_row *row, const struct status_head *head)
{
	const char *print = target_fingerprint(row->target);
	json_t *json = NULL;
	char *path;

	if (print == NULL || head->staple_dir == NULL)
		return NULL;
	path = mem_printf("%s/%s.der", head->staple_dir, print);
	if (access(path, F_OK) == 0)
		json = json_pack("{s:s, s:o, s:n, s:b, s:n, s:n, s:n}",
		    "server", "file", "path", report_json_text(path), "address",
		    "withdrawn", 0, "proven_at", "reason", "detail");
	free(path);
	return json;
}

static json_t *
published(const struct status_row *row, const struct status_head *head)
{
	json_t *list = json_array(), *file = plain_file(row, head);
	const struct outlet *outlets = NULL;
	size_t count = 0;

	if (file != NULL)
		(void)json_array_append_new(list, file);
	if (head->outlets != NULL)
		outlets = outlets_of(
		    head->outlets, target_fingerprint(row->target), &count);
	for (size_t i = 0; i < count; i++) {
		const struct outlet *o = &outlets[i];

		(void)json_array_append_new(list,
		    json_pack("{s:s, s:o, s:o, s:b, s:o, s:o, s:o}", "server",
			o->server, "path", report_json_text(o->path), "address",
			report_json_text(o->listen), "withdrawn", o->withdrawn,
			"proven_at", report_json_time(o->proven_at), "reason",
			reason_or_null(o->err.reason), "detail",
			report_json_text(o->err.text)));
	}
	return list;
}

static json_t *
path_of(const struct target *target)
{
	char *path = file_absolute(target->certificate);
	json_t *json = report_json_text(path);

	free(path);
	return json;
}

static json_t *
certificate(const struct target *target)
{
	json_t *json = report_json_cert(target->leaf);

	if (json_is_object(json))
		(void)json_object_set_new(json, "path", path_of(target));
	return json;
}

static json_t *
target_json(const struct status_row *row, const struct status_head *head)
{
	const struct target *t = row->target;
	char sentence[STATUS_SENTENCE];

	return json_pack("{s:o, s:o, s:o, s:s, s:b, s:o, s:o, s:o, s:o, s:o,"
			 " s:o, s:o, s:o, s:I, s:b, s:o}",
	    "name", report_json_text(row->name), "path", path_of(t),
	    "certificate", certificate(t), "state",
	    target_state_name(row->state), "alarm",
	    target_state_is_alarm(row->state), "sentence",
	    report_json_text(status_sentence(row, head->now, sentence)),
	    "reason", reason_or_null(row->reason), "detail",
	    report_json_text(row->detail), "responder",
	    report_json_text(t->responder), "response",
	    report_json_verdict(
		t->staple == NULL ? NULL : staple_facts(t->staple)),
	    "usable_until", report_json_time(row->usable_until), "next_refresh",
	    report_json_time(row->next_refresh), "last_attempt",
	    report_json_time(t->last_attempt), "failures",
	    (json_int_t)t->failures, "fetching", row->fetching, "published",
	    published(row, head));
}

json_t *
status_document(const struct status_list *list, const struct status_head *head)
{
	json_t *document = report_json_document("status");
	json_t *targets = json_array(), *states = json_object();
	size_t alarms = 0;

	for (int s = 0; s < STATUS_STATES; s++) {
		(void)json_object_set_new(states,
		    target_state_name((enum target_state)s),
		    json_integer((json_int_t)list->states[s]));
		if (target_state_is_alarm((enum target_state)s))
			alarms += list->states[s];
	}
	for (size_t i = 0; i < list->count; i++)
		(void)json_array_append_new(
		    targets, target_json(&list->rows[i], head));
	(void)json_object_update_new(document,
	    json_pack(
		"{s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:o, s:I, s:I,"
		" s:o}",
		"running", head->running, "ready",
		head->running && head->silent == NULL
		    ? json_boolean(head->ready)
		    : json_null(),
		"pid",
		head->running && head->pid > 0 ? json_integer(head->pid)
					       : json_null(),
		"silent", report_json_text(head->silent), "started_at",
		report_json_time(head->running ? head->started_at : 0), "at",
		report_json_time(head->now), "state_dir",
		report_json_text(head->state_dir), "kept",
		(json_int_t)list->kept, "alarms", (json_int_t)alarms, "states",
		states, "matched", (json_int_t)list->matched, "after",
		(json_int_t)list->after, "targets", targets));
	return document;
}

static json_t *
number_or_null(int64_t number)
{
	return number == 0 ? json_null() : json_integer(number);
}

json_t *
status_attempt(const struct store_attempt *attempt)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:o, s:o, s:o}",
	    "at", report_json_time(attempt->at), "outcome",
	    report_json_text(attempt->outcome), "detail",
	    report_json_text(attempt->detail), "url",
	    report_json_text(attempt->url), "address",
	    report_json_text(attempt->address), "source",
	    report_json_text(attempt->source), "elapsed_ms",
	    (json_int_t)attempt->elapsed_ms, "size",
	    number_or_null(attempt->size), "this_update",
	    report_json_time(attempt->this_update), "next_update",
	    report_json_time(attempt->next_update));
}

json_t *
status_history(const struct target *target, json_t *attempts)
{
	json_t *document = report_json_document("history");

	(void)json_object_update_new(document,
	    json_pack("{s:o, s:o, s:o, s:o}", "name",
		report_json_text(target_name(target)), "path", path_of(target),
		"certificate", certificate(target), "attempts", attempts));
	return document;
}
