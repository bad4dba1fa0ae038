/* SPDX-License-Identifier: ISC */
/* face/cmd_explain.c -- oclasp explain [CODE]: what a code means.
 *
 * Reasons say why one try failed, findings what the cause is; a few have the
 * same name, and then both are told. */
#include <stdio.h>
#include <strings.h>

#include "base/err.h"
#include "doctor/finding.h"
#include "face/command.h"
#include "face/report.h"

static json_t *
json_reason(enum reason reason)
{
	return json_pack("{s:s, s:s, s:s, s:s}", "code", reason_name(reason),
	    "group", reason_group_name(reason_group(reason)), "meaning",
	    reason_meaning(reason), "remedy", reason_remedy(reason));
}

static json_t *
json_finding(enum finding_code code)
{
	const struct finding_row *row = finding_row(code);
	json_t *remedy = json_array();

	for (int i = 0; i < FINDING_REMEDY_MAX && row->remedy[i] != NULL; i++)
		(void)json_array_append_new(
		    remedy, json_string(row->remedy[i]));
	return json_pack("{s:s, s:s, s:b, s:s, s:o, s:s}", "code", row->code,
	    "layer", finding_layer_name(row->layer), "good", row->good,
	    "meaning", row->meaning, "remedy", remedy, "reference",
	    row->reference);
}

static void
print_reason(enum reason reason)
{
	(void)printf("%s (a reason: %s)\n  meaning    %s\n  remedy     %s\n",
	    reason_name(reason), reason_group_name(reason_group(reason)),
	    reason_meaning(reason), reason_remedy(reason));
}

static void
print_finding(enum finding_code code)
{
	const struct finding_row *row = finding_row(code);

	(void)printf("%s (a finding: %s)\n  meaning    %s\n", row->code,
	    finding_layer_name(row->layer), row->meaning);
	for (int i = 0; i < FINDING_REMEDY_MAX && row->remedy[i] != NULL; i++)
		(void)printf(
		    "  %-10s %s\n", i == 0 ? "remedy" : "", row->remedy[i]);
	(void)printf("  reference  %s\n", row->reference);
}

static void
print_all(bool json)
{
	json_t *document, *reasons, *findings;

	if (!json) {
		(void)printf("reasons: why a try failed\n");
		for (int i = REASON_NONE + 1; i < REASON_COUNT; i++)
			(void)printf("  %-34s %s\n",
			    reason_name((enum reason)i),
			    reason_meaning((enum reason)i));
		(void)printf("\nfindings: what `oclasp doctor` says\n");
		for (int i = 0; i < FINDING_COUNT; i++)
			(void)printf("  %-34s %s\n",
			    finding_row((enum finding_code)i)->code,
			    finding_row((enum finding_code)i)->meaning);
		return;
	}
	document = report_document("explain");
	reasons = json_array();
	findings = json_array();
	for (int i = REASON_NONE + 1; i < REASON_COUNT; i++)
		(void)json_array_append_new(
		    reasons, json_reason((enum reason)i));
	for (int i = 0; i < FINDING_COUNT; i++)
		(void)json_array_append_new(
		    findings, json_finding((enum finding_code)i));
	(void)json_object_set_new(document, "reasons", reasons);
	(void)json_object_set_new(document, "findings", findings);
	report_print(document);
}

/* What goes by NAME; false if nothing does. */
static bool
print_one(const char *name, bool json)
{
	enum reason reason = REASON_NONE;
	enum finding_code code = FINDING_OK;
	bool is_reason = reason_find(name, &reason);
	bool is_finding = finding_find(name, &code);

	if (!is_reason && !is_finding)
		return false;
	if (json) {
		json_t *document = report_document("explain");

		(void)json_object_set_new(document, "reasons",
		    is_reason ? json_pack("[o]", json_reason(reason))
			      : json_array());
		(void)json_object_set_new(document, "findings",
		    is_finding ? json_pack("[o]", json_finding(code))
			       : json_array());
		report_print(document);
		return true;
	}
	if (is_reason)
		print_reason(reason);
	if (is_finding)
		print_finding(code);
	return true;
}

static int
run(const struct options *o)
{
	struct err err = {0};

	if (o->arg_count == 0) {
		print_all(o->json);
		return EXIT_GOOD;
	}
	if (o->arg_count > 1) {
		(void)err_set(&err, REASON_USAGE,
		    "give one CODE: see `oclasp help explain`");
		return command_fail("explain", &err, EXIT_USAGE);
	}
	if (print_one(o->args[0], o->json))
		return EXIT_GOOD;
	(void)err_set(&err, REASON_USAGE,
	    "'%s' is no code of a reason or a finding: `oclasp explain` lists "
	    "them all",
	    o->args[0]);
	return command_fail("explain", &err, EXIT_USAGE);
}

const struct command command_explain = {
    .name = "explain",
    .bit = CMD_EXPLAIN,
    .synopsis = "[CODE]",
    .purpose = "what a code means, and what to do about it",
    .run = run,
};
