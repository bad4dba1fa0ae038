/* SPDX-License-Identifier: ISC */
/* face/kept_status.c -- the document of `oclasp status`, page by page. */
#include "face/kept_status.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/err.h"
#include "face/daemon.h"
#include "face/state.h"
#include "keep/resting.h"
#include "keep/status.h"
#include "keep/status_json.h"

struct rows {
	const struct options *o;
	const char *name;
	size_t limit; /* 0: all */
	json_t *document;
	int64_t now;
	char *silent; /* of a keeper that cannot be asked, owned; or NULL, */
	long pid;     /* and its process */
};

/* Add the rows of PAGE, which is taken, to the document; the first is it. */
static void
take_page(struct rows *r, json_t *page)
{
	if (r->document == NULL) {
		r->document = page;
		return;
	}
	(void)json_array_extend(json_object_get(r->document, "targets"),
	    json_object_get(page, "targets"));
	json_decref(page);
}

static size_t
count_rows(const struct rows *r)
{
	return json_array_size(json_object_get(r->document, "targets"));
}

/* True while there are more rows than these, and they are wanted. */
static bool
wants_more(const struct rows *r)
{
	json_int_t matched =
	    json_integer_value(json_object_get(r->document, "matched"));

	return count_rows(r) < (size_t)matched &&
	       (r->limit == 0 || count_rows(r) < r->limit);
}

/* How many rows the next page shall have. */
static size_t
page_size(const struct rows *r)
{
	size_t left =
	    r->limit == 0 ? STATUS_ROWS_MAX : r->limit - count_rows(r);

	return left < STATUS_ROWS_MAX ? left : STATUS_ROWS_MAX;
}

static int
ask_page(struct rows *r, json_t **page, struct err *err)
{
	char after[24], limit[24];
	const char *query[] = {"name", r->name, "state", r->o->state, "after",
	    after, "limit", limit, NULL};

	(void)snprintf(after, sizeof(after), "%zu", count_rows(r));
	(void)snprintf(limit, sizeof(limit), "%zu", page_size(r));
	return daemon_ask(
	    r->o, "GET", "/api/v1/status", query, DAEMON_WAIT_MS, page, err);
}

static int
read_page(struct rows *r, const struct resting *resting, json_t **page,
    struct err *err)
{
	char *dir = state_dir(r->o);
	const struct status_head head = {
	    .now = r->now,
	    .state_dir = dir,
	    .staple_dir = resting_staple_dir(resting),
	    .running = r->silent != NULL,
	    .pid = r->pid,
	    .silent = r->silent,
	};
	struct status_query query = {.name = r->name,
	    .looks = true,
	    .after = count_rows(r),
	    .limit = page_size(r)};
	struct status_list list;
	struct target *const *targets;
	size_t count;
	int rc = -1;

	targets = resting_targets(resting, &count);
	if (r->o->state != NULL &&
	    !status_states_parse(r->o->state, &query.states))
		(void)err_set(err, REASON_USAGE,
		    "--state '%s': give states, with commas between them, or "
		    "alarm",
		    r->o->state);
	else
		rc = status_select(targets, count, &query, r->now, &list, err);
	if (rc == 0) {
		*page = status_document(&list, &head);
		status_list_done(&list);
	}
	free(dir);
	return rc;
}

static int
read_all(struct rows *r, struct err *err)
{
	struct resting *resting;
	int rc;

	r->silent = daemon_silent(r->o, &r->pid);
	resting = daemon_at_rest(r->o, err);
	rc = resting == NULL ? -1 : 0;

	while (rc == 0 && (r->document == NULL || wants_more(r))) {
		json_t *page = NULL;

		rc = read_page(r, resting, &page, err);
		if (rc == 0)
			take_page(r, page);
	}
	resting_close(resting);
	free(r->silent);
	r->silent = NULL;
	return rc;
}

/* All rows that are wanted; a page that is empty is the last. */
static int
get_document(struct rows *r, struct err *err)
{
	for (;;) {
		json_t *page = NULL;
		size_t before = count_rows(r);
		int rc = ask_page(r, &page, err);

		if (rc == 1 && r->document == NULL)
			return read_all(r, err);
		if (rc != 0)
			return rc == 1 ? err_set(err, REASON_FILE,
					     "the keeper has ended meanwhile: "
					     "try again")
				       : -1;
		take_page(r, page);
		if (!wants_more(r) || count_rows(r) == before)
			return 0;
	}
}

json_t *
kept_status(const struct options *options, const char *name, size_t limit,
    struct err *err)
{
	struct rows rows = {
	    .o = options, .name = name, .limit = limit, .now = clock_wall_s()};

	if (get_document(&rows, err) == 0)
		return rows.document;
	json_decref(rows.document);
	return NULL;
}
