/* SPDX-License-Identifier: ISC */
/* face/cmd_explain.c -- oclasp explain [CODE]: what a reason code means. */
#include <stdio.h>
#include <strings.h>

#include "base/err.h"
#include "face/command.h"
#include "face/report.h"

static json_t *
json_reason(enum reason reason)
{
	return json_pack("{s:s, s:s, s:s, s:s}", "code", reason_name(reason),
	    "group", reason_group_name(reason_group(reason)), "meaning",
	    reason_meaning(reason), "remedy", reason_remedy(reason));
}

static void
print_all(bool json)
{
	json_t *document = report_document("explain");
	json_t *list = json_array();

	for (int i = REASON_NONE + 1; i < REASON_COUNT; i++) {
		enum reason reason = (enum reason)i;

		if (json)
			(void)json_array_append_new(list, json_reason(reason));
		else
			(void)printf("%-26s %s\n", reason_name(reason),
			    reason_meaning(reason));
	}
	(void)json_object_set_new(document, "reasons", list);
	if (json)
		report_print(document);
	else
		json_decref(document);
}

static int
run(const struct options *o)
{
	struct err err = {0};
	enum reason reason;

	if (o->arg_count == 0) {
		print_all(o->json);
		return EXIT_GOOD;
	}
	if (o->arg_count > 1 || !reason_find(o->args[0], &reason)) {
		(void)err_set(&err, REASON_USAGE,
		    "'%s' is no reason code: `oclasp explain` lists them all",
		    o->args[0]);
		return command_fail("explain", &err, EXIT_USAGE);
	}
	if (o->json) {
		json_t *document = report_document("explain");

		(void)json_object_set_new(
		    document, "reasons", json_pack("[o]", json_reason(reason)));
		report_print(document);
		return EXIT_GOOD;
	}
	(void)printf("%s (%s)\n  meaning  %s\n  remedy   %s\n",
	    reason_name(reason), reason_group_name(reason_group(reason)),
	    reason_meaning(reason), reason_remedy(reason));
	return EXIT_GOOD;
}

const struct command command_explain = {
    .name = "explain",
    .bit = CMD_EXPLAIN,
    .synopsis = "[CODE]",
    .purpose = "what a reason code means, and what to do about it",
    .run = run,
};
