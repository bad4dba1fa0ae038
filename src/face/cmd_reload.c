/* SPDX-License-Identifier: ISC */
/* face/cmd_reload.c -- oclasp reload: the running keeper shall read everything
 * anew, and says what that has changed. */
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "face/command.h"
#include "face/daemon.h"
#include "face/report.h"

/* "added 2: /a.pem, /b.pem" */
static void
print_news(const json_t *document, const char *what, const char *count_key)
{
	const json_t *list = json_object_get(document, what), *item;
	json_int_t count =
	    json_integer_value(json_object_get(document, count_key));
	size_t i;

	if (count == 0)
		return;
	(void)printf("%s %lld:", what, (long long)count);
	json_array_foreach(list, i, item)
	{
		char *path = daemon_text(item, "path");

		(void)printf("%s %s", i == 0 ? "" : ",", path);
		free(path);
	}
	(void)printf(
	    "%s\n", (size_t)count > json_array_size(list) ? ", ..." : "");
}

static void
print_text(const json_t *document)
{
	const json_t *published = json_object_get(document, "published");
	json_int_t kept = json_integer_value(json_object_get(document, "kept"));
	char *detail = daemon_text(published, "detail");

	(void)printf("everything was read anew: %lld certificate%s %s kept\n",
	    (long long)kept, kept == 1 ? "" : "s", kept == 1 ? "is" : "are");
	print_news(document, "added", "added_count");
	print_news(document, "renewed", "renewed_count");
	print_news(document, "dropped", "dropped_count");
	if (detail[0] != '\0')
		(void)printf("not published: %s\n", detail);
	else if (json_is_true(json_object_get(published, "server_reloaded")))
		(void)printf("published: nginx has been reloaded\n");
	else if (json_is_null(published))
		(void)printf("publishing goes on: see `oclasp status`\n");
	free(detail);
}

static int
run(const struct options *o)
{
	json_t *document = NULL;
	struct err err = {0};
	int status = EXIT_GOOD, rc = 0;

	if (o->arg_count > 0)
		(void)err_set(&err, REASON_USAGE, "it takes no argument");
	else
		rc = daemon_ask(o, "POST", "/api/v1/reload", NULL,
		    DAEMON_WAIT_LONG_MS, &document, &err);
	if (err.reason == REASON_NONE && rc == 1)
		(void)daemon_missing(o, &err);
	if (err.reason != REASON_NONE)
		return command_fail("reload", &err, EXIT_USAGE);
	if (json_string_value(json_object_get(
		json_object_get(document, "published"), "reason")) != NULL)
		status = EXIT_LATER;
	if (o->json)
		report_print(json_incref(document));
	else if (!o->quiet)
		print_text(document);
	json_decref(document);
	return status;
}

const struct command command_reload = {
    .name = "reload",
    .bit = CMD_RELOAD,
    .synopsis = "",
    .purpose = "the running keeper shall read its configuration anew",
    .details =
	"It tells what that has changed, when the new state is published. A\n"
	"configuration with a fault changes nothing: the fault is told, and the\n"
	"old one stays. Exit status: 0 done, 75 done but not published yet, 2 a\n"
	"fault, or no keeper is running.",
    .run = run,
};
