/* SPDX-License-Identifier: ISC */
/* face/cmd_refresh.c -- oclasp refresh: the running keeper shall fetch now. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"
#include "face/command.h"
#include "face/daemon.h"
#include "face/report.h"
#include "keep/policy.h"

struct job {
	const struct options *o;
	char *name; /* owned; NULL: all */
	json_t *outcomes;
	size_t targets;
	size_t count; /* outcomes so far */
	bool bad, later;
};

static bool
is_revoked(const json_t *outcome)
{
	const char *state =
	    json_string_value(json_object_get(outcome, "state"));

	return state != NULL &&
	       strcmp(state, target_state_name(STATE_REVOKED)) == 0;
}

/* As the exit status of fetch: an answer that is final, or an input that is
 * wrong, is bad; what a later try may mend is for later. */
static void
judge(struct job *job, const json_t *outcome)
{
	const char *status =
	    json_string_value(json_object_get(outcome, "status"));
	const char *name =
	    json_string_value(json_object_get(outcome, "reason"));
	enum reason reason = REASON_NONE;

	if ((status != NULL && strcmp(status, "good") != 0) ||
	    is_revoked(outcome))
		job->bad = true;
	else if (status == NULL &&
		 json_is_true(json_object_get(outcome, "fetched")) &&
		 name != NULL && reason_find(name, &reason) &&
		 command_exit(reason) == EXIT_LATER)
		job->later = true;
	else if (status == NULL &&
		 json_is_true(json_object_get(outcome, "alarm")))
		job->bad = true;
	else if (json_is_null(json_object_get(outcome, "state")))
		job->later = true;
}

static void
print_outcome(const json_t *outcome, int64_t now)
{
	char *name = daemon_text(outcome, "name");
	char *status = daemon_text(outcome, "status");
	char *state = daemon_text(outcome, "state");
	char *reason = daemon_text(outcome, "reason");
	char *detail = daemon_text(outcome,
	    json_is_true(json_object_get(outcome, "fetched")) ? "detail"
							      : "sentence");
	char *until = daemon_when(outcome, "usable_until", now, "");
	char *address = daemon_text(outcome, "address");

	(void)printf("%s: %s", name, status[0] != '\0' ? status : state);
	if (detail[0] != '\0')
		(void)printf("%s%s",
		    status[0] != '\0' || state[0] != '\0' ? ": " : "", detail);
	if (reason[0] != '\0')
		(void)printf(" (%s)", reason);
	if (address[0] != '\0')
		(void)printf(", from %s", address);
	if (until[0] != '\0')
		(void)printf("; its staple ends %s", until);
	(void)putchar('\n');
	free(name);
	free(status);
	free(state);
	free(reason);
	free(detail);
	free(until);
	free(address);
}

static void
show_progress(const struct job *job, bool end)
{
	if (job->o->quiet || job->o->json || job->targets < 2 ||
	    !isatty(STDERR_FILENO))
		return;
	(void)fprintf(stderr, end ? "\r\033[K" : "\r%zu of %zu ", job->count,
	    job->targets);
	(void)fflush(stderr);
}

static void
take_portion(struct job *job, json_t *document)
{
	const json_t *list = json_object_get(document, "outcomes"), *outcome;
	size_t i;

	show_progress(job, true);
	json_array_foreach(list, i, outcome)
	{
		judge(job, outcome);
		job->count++;
		if (!job->o->json && !job->o->quiet)
			print_outcome(outcome, clock_wall_s());
	}
	if (job->o->json)
		(void)json_array_extend(
		    job->outcomes, json_object_get(document, "outcomes"));
	show_progress(job, false);
}

/* Ask until it is finished; each answer waits for news. */
static int
follow(struct job *job, json_int_t id, struct err *err)
{
	bool finished = false;

	while (!finished) {
		char number[24], after[24];
		const char *query[] = {"job", number, "after", after, NULL};
		json_t *document = NULL;
		int rc;

		(void)snprintf(number, sizeof(number), "%lld", (long long)id);
		(void)snprintf(after, sizeof(after), "%zu", job->count);
		rc = daemon_ask(job->o, "GET", "/api/v1/refresh", query,
		    DAEMON_WAIT_LONG_MS, &document, err);
		if (rc == 1)
			return err_set(err, REASON_FILE,
			    "the keeper has ended before all was fetched");
		if (rc == -1)
			return -1;
		take_portion(job, document);
		finished = json_is_true(json_object_get(document, "finished"));
		json_decref(document);
	}
	show_progress(job, true);
	return 0;
}

static int
order(struct job *job, struct err *err)
{
	const char *query[] = {
	    "name", job->name, "all", job->name == NULL ? "1" : NULL, NULL};
	json_t *document = NULL;
	int rc = daemon_ask(job->o, "POST", "/api/v1/refresh", query,
	    DAEMON_WAIT_MS, &document, err);

	if (rc != 0)
		return rc == 1 ? daemon_missing(job->o, err) : -1;
	job->targets =
	    (size_t)json_integer_value(json_object_get(document, "targets"));
	rc = follow(
	    job, json_integer_value(json_object_get(document, "job")), err);
	json_decref(document);
	return rc;
}

static void
print_json(struct job *job)
{
	json_t *document = report_document("refresh");

	(void)json_object_update_new(
	    document, json_pack("{s:I, s:O}", "targets",
			  (json_int_t)job->targets, "outcomes", job->outcomes));
	report_print(document);
}

static int
run(const struct options *o)
{
	struct job job = {.o = o};
	struct err err = {0};
	int status;

	if (o->arg_count != (o->all ? 0 : 1)) {
		(void)err_set(&err, REASON_USAGE, "give one NAME, or --all");
		return command_fail("refresh", &err, EXIT_USAGE);
	}
	job.name = daemon_name(o->all ? NULL : o->args[0]);
	job.outcomes = json_array();
	if (order(&job, &err) == -1) {
		status = command_fail("refresh", &err, EXIT_USAGE);
	} else {
		status = job.bad     ? EXIT_BAD
			 : job.later ? EXIT_LATER
				     : EXIT_GOOD;
		if (o->json)
			print_json(&job);
	}
	json_decref(job.outcomes);
	free(job.name);
	return status;
}

const struct command command_refresh = {
    .name = "refresh",
    .bit = CMD_REFRESH,
    .synopsis = "NAME | --all",
    .purpose = "the running keeper shall fetch now, and tell what came of it",
    .details =
	"NAME as of `oclasp status`. It waits for each attempt to end. Exit\n"
	"status: 0 all is well, 1 an answer is final (revoked, unknown) or a\n"
	"certificate cannot be used, 75 a later try may do it; 2 usage, or no\n"
	"keeper is running.",
    .run = run,
};
