/* SPDX-License-Identifier: ISC */
/* face/cmd_status.c -- oclasp status: how the kept certificates stand.
 *
 * Whether a keeper runs or not, there is one document; the table and the view
 * of one certificate are made of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "face/command.h"
#include "face/daemon.h"
#include "face/kept_status.h"
#include "face/report.h"
#include "face/state.h"
#include "keep/resting.h"
#include "keep/status.h"
#include "keep/status_json.h"

enum {
	TABLE_ROWS = 200,  /* that a person is shown, unless told */
	NAME_COLUMNS = 40, /* a longer name widens no column */
};

struct job {
	const struct options *o;
	bool named; /* one certificate is meant */
	json_t *document;
	int64_t now;
};

/* --- for a reader --- */

static const char *
color_of(const struct job *job, const json_t *row)
{
	const char *state = json_string_value(json_object_get(row, "state"));

	if (!job->o->color)
		return "";
	if (json_is_true(json_object_get(row, "alarm")))
		return "\033[1;31m";
	return strcmp(state, "retrying") == 0 || strcmp(state, "pending") == 0
		   ? "\033[33m"
		   : "\033[32m";
}

static void
print_state(const struct job *job, const json_t *row, size_t width)
{
	const char *color = color_of(job, row);

	(void)fputs(color, stdout);
	report_cell(json_string_value(json_object_get(row, "state")), width);
	(void)fputs(color[0] == '\0' ? "" : "\033[0m", stdout);
}

/* How many of ROWS have each name. */
static json_t *
count_names(const json_t *rows)
{
	json_t *names = json_object();
	const json_t *row;
	size_t i;

	json_array_foreach(rows, i, row)
	{
		const char *name =
		    json_string_value(json_object_get(row, "name"));
		json_int_t before =
		    json_integer_value(json_object_get(names, name));

		(void)json_object_set_new(
		    names, name, json_integer(before + 1));
	}
	return names;
}

/* ROW's name; where others have it too, as an RSA and an ECDSA certificate of
 * one server do, with its file.  Owned. */
static char *
name_of(const json_t *row, const json_t *names)
{
	const char *raw = json_string_value(json_object_get(row, "name"));
	char *name = daemon_text(row, "name"), *path, *both;

	if (json_integer_value(json_object_get(names, raw)) < 2)
		return name;
	path = daemon_text(row, "path");
	both = mem_printf("%s (%s)", name, path);
	free(name);
	free(path);
	return both;
}

static void
print_rows(const struct job *job, const json_t *rows, const json_t *names,
    size_t state_width, size_t name_width)
{
	const json_t *row;
	size_t i;

	(void)printf("%-*s  %-*s  staple\n", (int)state_width, "state",
	    (int)name_width, "certificate");
	json_array_foreach(rows, i, row)
	{
		char *name = name_of(row, names);
		char *sentence = daemon_text(row, "sentence");

		print_state(job, row, state_width);
		(void)fputs("  ", stdout);
		report_cell(name, name_width);
		(void)printf("  %s\n", sentence);
		free(name);
		free(sentence);
	}
}

static void
print_table(const struct job *job)
{
	const json_t *rows = json_object_get(job->document, "targets");
	size_t name_width = strlen("certificate"), state_width = 8;
	json_t *names = count_names(rows);
	const json_t *row;
	size_t i;

	json_array_foreach(rows, i, row)
	{
		char *name = name_of(row, names);
		size_t width = text_columns(name);
		size_t state =
		    json_string_length(json_object_get(row, "state"));

		name_width = width > name_width && width <= NAME_COLUMNS
				 ? width
				 : name_width;
		state_width = state > state_width ? state : state_width;
		free(name);
	}
	if (json_array_size(rows) > 0)
		print_rows(job, rows, names, state_width, name_width);
	json_decref(names);
}

static void
print_published(const json_t *row, int64_t now)
{
	const json_t *list = json_object_get(row, "published"), *place;
	size_t i;

	json_array_foreach(list, i, place)
	{
		char *server = daemon_text(place, "server");
		char *path = daemon_text(place, "path");
		char *address = daemon_text(place, "address");
		char *detail = daemon_text(place, "detail");
		char *proven = daemon_when(place, "proven_at", now, "");
		bool plain = strcmp(server, "file") == 0;

		(void)printf("  published    %s %s%s%s%s\n", server,
		    plain || address[0] == '\0' ? path : address,
		    detail[0] != '\0'   ? ": "
		    : proven[0] != '\0' ? ", proven "
		    : plain             ? ""
					: ", not proven",
		    detail, detail[0] != '\0' ? "" : proven);
		free(server);
		free(path);
		free(address);
		free(detail);
		free(proven);
	}
}

static void
print_line(const char *label, const json_t *object, const char *key)
{
	char *text = daemon_text(object, key);

	if (text[0] != '\0')
		(void)printf("  %-12s %s\n", label, text);
	free(text);
}

static void
print_time(
    const char *label, const json_t *object, const char *key, int64_t now)
{
	char *text = daemon_text(object, key);
	char *when = daemon_when(object, key, now, "");

	if (text[0] != '\0')
		(void)printf("  %-12s %s (%s)\n", label, text, when);
	free(text);
	free(when);
}

/* One certificate, with all that is known. */
static void
print_one(const struct job *job, const json_t *row)
{
	const json_t *cert = json_object_get(row, "certificate");
	const json_t *response = json_object_get(row, "response");
	char *name = daemon_text(row, "name");
	char *sentence = daemon_text(row, "sentence");
	json_int_t failures =
	    json_integer_value(json_object_get(row, "failures"));

	(void)printf("%s\n  state        ", name);
	print_state(job, row, 0);
	(void)printf(": %s\n", sentence);
	print_line("reason", row, "reason");
	print_line("file", row, "path");
	print_line("fingerprint", cert, "fingerprint");
	print_time("expires", cert, "not_after", job->now);
	print_line("responder", row, "responder");
	print_time("thisUpdate", response, "this_update", job->now);
	print_time("nextUpdate", response, "next_update", job->now);
	print_time("usable until", row, "usable_until", job->now);
	print_time("last try", row, "last_attempt", job->now);
	if (failures > 0)
		(void)printf(
		    "  failures     %lld in a row\n", (long long)failures);
	print_time("next refresh", row, "next_refresh", job->now);
	print_published(row, job->now);
	free(name);
	free(sentence);
}

/* "3 certificates: 1 revoked, 2 fresh", and who says so. */
static void
print_summary(const struct job *job)
{
	json_t *states = json_object_get(job->document, "states");
	json_int_t kept =
	    json_integer_value(json_object_get(job->document, "kept"));
	bool running = json_is_true(json_object_get(job->document, "running"));
	char *dir = daemon_text(job->document, "state_dir");
	char *silent = daemon_text(job->document, "silent");
	const char *name, *comma = ": ";
	json_t *count;

	(void)printf(
	    "\n%lld certificate%s", (long long)kept, kept == 1 ? "" : "s");
	json_object_foreach(states, name, count)
	{
		if (json_integer_value(count) == 0)
			continue;
		(void)printf("%s%lld %s", comma,
		    (long long)json_integer_value(count), name);
		comma = ", ";
	}
	if (running && silent[0] != '\0')
		(void)printf("\n%s (process %lld)\nthis is what '%s' has\n",
		    silent,
		    (long long)json_integer_value(
			json_object_get(job->document, "pid")),
		    dir);
	else if (running)
		(void)printf("\n`oclasp keep` is running (pid %lld)%s\n",
		    (long long)json_integer_value(
			json_object_get(job->document, "pid")),
		    json_is_true(json_object_get(job->document, "ready"))
			? ""
			: "; its first round is not over yet");
	else
		(void)printf("\nno `oclasp keep` is running: this is what '%s' "
			     "has\n",
		    dir);
	free(dir);
	free(silent);
}

static void
print_text(const struct job *job)
{
	const json_t *rows = json_object_get(job->document, "targets"), *row;
	json_int_t matched =
	    json_integer_value(json_object_get(job->document, "matched"));
	size_t shown = json_array_size(rows);
	char *silent;
	size_t i;

	if (!job->named) {
		print_table(job);
		if ((size_t)matched > shown)
			(void)printf("... and %zu more, none in a worse state: "
				     "--limit 0 shows all\n",
			    (size_t)matched - shown);
		print_summary(job);
		return;
	}
	json_array_foreach(rows, i, row) print_one(job, row);
	silent = daemon_text(job->document, "silent");
	if (!json_is_true(json_object_get(job->document, "running")))
		(void)printf("\nno `oclasp keep` is running: this is what the "
			     "store has\n");
	else if (silent[0] != '\0')
		(void)printf("\n%s\nthis is what the store has\n", silent);
	free(silent);
}

/* 1 if one of those that were asked about needs a person. */
static int
judge(const struct job *job)
{
	const json_t *rows = json_object_get(job->document, "targets"), *row;
	size_t i;

	if (!job->named)
		return json_integer_value(
			   json_object_get(job->document, "alarms")) > 0
			   ? EXIT_BAD
			   : EXIT_GOOD;
	json_array_foreach(rows, i, row)
	{
		if (json_is_true(json_object_get(row, "alarm")))
			return EXIT_BAD;
	}
	return EXIT_GOOD;
}

static int
run(const struct options *o)
{
	struct job job = {.o = o, .now = clock_wall_s()};
	struct err err = {0};
	char *name;
	size_t limit;
	int status;

	if (o->arg_count > 1) {
		(void)err_set(&err, REASON_USAGE, "give one NAME, or none");
		return command_fail("status", &err, EXIT_USAGE);
	}
	job.named = o->arg_count > 0;
	name = daemon_name(o->arg_count > 0 ? o->args[0] : NULL);
	limit = o->has_limit ? (size_t)o->limit : o->json ? 0 : TABLE_ROWS;
	job.document = kept_status(o, name, limit, &err);
	if (job.document == NULL) {
		status = command_fail("status", &err, EXIT_USAGE);
	} else {
		status = judge(&job);
		if (o->json)
			report_print(json_incref(job.document));
		else if (!o->quiet)
			print_text(&job);
	}
	json_decref(job.document);
	free(name);
	return status;
}

const struct command command_status = {
    .name = "status",
    .bit = CMD_STATUS,
    .synopsis = "[NAME] [--state STATES] [--limit N]",
    .purpose = "how the kept certificates stand, what needs you first",
    .details =
	"NAME is a certificate's DNS name, file, or the beginning of its\n"
	"fingerprint: then all that is known of it. Without a running `oclasp\n"
	"keep` the state folder is read, and the answer says so. Exit status:\n"
	"0 nothing needs a person, 1 something does, 2 usage, or nothing to\n"
	"read.",
    .run = run,
};
