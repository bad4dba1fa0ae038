/* SPDX-License-Identifier: ISC */
/* face/cmd_history.c -- oclasp history: the last attempts for a certificate. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "face/command.h"
#include "face/daemon.h"
#include "face/report.h"
#include "keep/resting.h"
#include "keep/status.h"
#include "keep/status_json.h"
#include "keep/store.h"

enum { HISTORY_LINES = 20 }; /* unless told */

static void
add(void *cookie, const struct store_attempt *attempt)
{
	(void)json_array_append_new(cookie, status_attempt(attempt));
}

/* Of the store, when no keeper runs. */
static int
read_history(const struct options *o, const char *name, size_t limit,
    json_t **out, struct err *err)
{
	struct resting *resting = daemon_at_rest(o, err);
	struct target *const *targets, **found = NULL;
	json_t *attempts = json_array();
	size_t count = 0;
	int rc = -1;

	if (resting == NULL)
		goto out;
	targets = resting_targets(resting, &count);
	if (status_find(targets, count, name, true, &found, &count, err) == -1)
		goto out;
	rc = target_fingerprint(found[0]) == NULL
		 ? 0
		 : store_history(resting_store(resting),
		       target_fingerprint(found[0]), limit, add, attempts, err);
	if (rc == 0)
		*out = status_history(found[0], json_incref(attempts));
out:
	json_decref(attempts);
	free(found);
	resting_close(resting);
	return rc;
}

static int
get(const struct options *o, const char *name, json_t **out, struct err *err)
{
	size_t limit = o->has_limit && o->limit > 0 ? (size_t)o->limit
		       : o->has_limit               ? STORE_ATTEMPTS_MAX
						    : HISTORY_LINES;
	char number[24];
	const char *query[] = {"name", name, "limit", number, NULL};
	int rc;

	(void)snprintf(number, sizeof(number), "%zu", limit);
	rc = daemon_ask(
	    o, "GET", "/api/v1/history", query, DAEMON_WAIT_MS, out, err);
	return rc == 1 ? read_history(o, name, limit, out, err) : rc;
}

static void
print_attempt(const json_t *attempt)
{
	char *at = daemon_text(attempt, "at");
	char *outcome = daemon_text(attempt, "outcome");
	char *detail = daemon_text(attempt, "detail");
	char *address = daemon_text(attempt, "address");
	char *source = daemon_text(attempt, "source");
	json_int_t elapsed =
	    json_integer_value(json_object_get(attempt, "elapsed_ms"));

	(void)printf("%s  %-20s %6lld ms", at, outcome, (long long)elapsed);
	if (detail[0] != '\0')
		(void)printf("  %s", detail);
	else if (address[0] != '\0')
		(void)printf("  from %s, named by %s", address, source);
	else if (source[0] != '\0')
		(void)printf("  by %s", source);
	(void)putchar('\n');
	free(at);
	free(outcome);
	free(detail);
	free(address);
	free(source);
}

static void
print_text(const json_t *document)
{
	const json_t *list = json_object_get(document, "attempts"), *attempt;
	char *name = daemon_text(document, "name");
	size_t i;

	if (json_array_size(list) == 0)
		(void)printf("%s: nothing was tried yet\n", name);
	json_array_foreach(list, i, attempt) print_attempt(attempt);
	free(name);
}

static int
run(const struct options *o)
{
	json_t *document = NULL;
	struct err err = {0};
	int status = EXIT_GOOD;
	char *name;

	if (o->arg_count != 1) {
		(void)err_set(&err, REASON_USAGE, "give one NAME");
		return command_fail("history", &err, EXIT_USAGE);
	}
	name = daemon_name(o->args[0]);
	if (get(o, name, &document, &err) == -1)
		status = command_fail("history", &err, EXIT_USAGE);
	else if (o->json)
		report_print(json_incref(document));
	else
		print_text(document);
	json_decref(document);
	free(name);
	return status;
}

const struct command command_history = {
    .name = "history",
    .bit = CMD_HISTORY,
    .synopsis = "NAME [--limit N]",
    .purpose = "the last attempts for a certificate, and what came of them",
    .details =
	"NAME as of `oclasp status`. The newest is first; --limit 0 gives all\n"
	"that are remembered. It works with and without a running keeper. Exit\n"
	"status: 0, or 2 for usage, or where there is nothing to read.",
    .run = run,
};
