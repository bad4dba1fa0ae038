/* SPDX-License-Identifier: ISC */
/* face/cmd_lint.c -- oclasp lint: faults in a server's stapling configuration,
 * told without asking anybody. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "doctor/finding.h"
#include "doctor/remedy.h"
#include "face/command.h"
#include "face/report.h"
#include "face/server_conf.h"
#include "servers/nginx_conf.h"

struct lint {
	const struct options *o;
	struct facts facts;
	struct finding *findings; /* owned */
	size_t count;
	size_t looked;                 /* server blocks */
	struct remedy_subject subject; /* nothing in particular */
};

/* Where a finding is, what it is about, and what was seen there. */
struct spot {
	const char *file, *certificate, *seen; /* "" for none */
	int line;                              /* 0: of the file as a whole */
};

/* A finding's first evidence is the fact that it is about. */
static struct spot
spot_of(const struct lint *l, const struct finding *finding)
{
	const struct fact *fact = &l->facts.items[finding->evidence[0]];

	if (fact->kind == FACT_SETTING)
		return (struct spot){.file = fact->u.setting.file,
		    .certificate = fact->u.setting.certificate,
		    .seen = fact->u.setting.text,
		    .line = fact->u.setting.line};
	return (struct spot){.file = fact->u.peer.file,
	    .certificate = "",
	    .seen = fact->u.peer.text};
}

/* --- text --- */

/* A line of which the last piece is words of a file. */
static void
print_line(const char *head, const char *text)
{
	char *clean = text_printable(text);

	(void)printf("%s%s\n", head, clean);
	free(clean);
}

static void
print_fault(const struct lint *l, const struct finding *finding)
{
	const struct finding_row *row = finding_row(finding->code);
	struct spot spot = spot_of(l, finding);
	char *file = text_printable(spot.file);
	struct remedy remedy;

	(void)printf("%s:", file);
	if (spot.line > 0)
		(void)printf("%d:", spot.line);
	(void)printf(" %s%s%s: ", l->o->color ? "\033[31m" : "", row->code,
	    l->o->color ? "\033[0m" : "");
	print_line("", finding->sentence);
	free(file);
	if (l->o->quiet)
		return;
	if (spot.seen[0] != '\0')
		print_line("  seen    ", spot.seen);
	remedy_make(&l->facts, finding, &l->subject, &remedy);
	for (size_t i = 0; i < remedy.count; i++)
		print_line(
		    i == 0 ? "  remedy  " : "          ", remedy.lines[i]);
	remedy_done(&remedy);
}

static void
print_text(const struct lint *l)
{
	for (size_t i = 0; i < l->count; i++)
		print_fault(l, &l->findings[i]);
	if (l->o->quiet)
		return;
	for (size_t i = 0; i < l->facts.count; i++) {
		const struct fact_untested *u = &l->facts.items[i].u.untested;
		char *what;

		if (l->facts.items[i].kind != FACT_UNTESTED)
			continue;
		what = text_printable(u->what);
		(void)printf("not tested: %s: ", what);
		print_line("", u->why);
		free(what);
	}
	(void)printf("%zu server block%s with a certificate, %zu fault%s\n",
	    l->looked, l->looked == 1 ? "" : "s", l->count,
	    l->count == 1 ? "" : "s");
}

/* --- JSON --- */

static json_t *
json_fault(const struct lint *l, const struct finding *finding)
{
	struct spot spot = spot_of(l, finding);
	json_t *remedies = json_array();
	struct remedy remedy;

	remedy_make(&l->facts, finding, &l->subject, &remedy);
	for (size_t i = 0; i < remedy.count; i++)
		(void)json_array_append_new(
		    remedies, report_json_text(remedy.lines[i]));
	remedy_done(&remedy);
	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "code",
	    finding_row(finding->code)->code, "file",
	    report_json_text(spot.file), "line",
	    spot.line > 0 ? json_integer(spot.line) : json_null(), "sentence",
	    report_json_text(finding->sentence), "seen",
	    report_json_text(spot.seen), "certificate",
	    spot.certificate[0] == '\0' ? json_null()
					: report_json_text(spot.certificate),
	    "remedy", remedies);
}

static void
print_json(const struct lint *l)
{
	json_t *document = report_document("lint");
	json_t *faults = json_array();
	json_t *untested = json_array();

	for (size_t i = 0; i < l->count; i++)
		(void)json_array_append_new(
		    faults, json_fault(l, &l->findings[i]));
	for (size_t i = 0; i < l->facts.count; i++) {
		const struct fact_untested *u = &l->facts.items[i].u.untested;

		if (l->facts.items[i].kind == FACT_UNTESTED)
			(void)json_array_append_new(
			    untested, json_pack("{s:o, s:o}", "what",
					  report_json_text(u->what), "why",
					  report_json_text(u->why)));
	}
	(void)json_object_update_new(document,
	    json_pack("{s:o, s:o, s:I}", "faults", faults, "not_tested",
		untested, "server_blocks", (json_int_t)l->looked));
	report_print(document);
}

/* --- the command --- */

/* "No fault" is not said of what could not be read. */
static int
exit_of_rest(const struct lint *l)
{
	struct err err = {0};
	size_t unread = 0;

	for (size_t i = 0; i < l->facts.count; i++)
		unread += l->facts.items[i].kind == FACT_UNTESTED &&
			  l->facts.items[i].u.untested.unread;
	if (unread == 0)
		return EXIT_GOOD;
	(void)err_set(&err, REASON_CERTIFICATE_UNREADABLE,
	    "%zu file%s of the configuration cannot be read here (see \"not "
	    "tested\"), so that no fault was found is no word on the whole: "
	    "run it where they are, by who may read them",
	    unread, unread == 1 ? "" : "s");
	return command_fail("lint", &err, EXIT_USAGE);
}

static int
run(const struct options *o)
{
	struct lint lint = {.o = o};
	struct nginx_conf *conf;
	struct err err = {0};
	const char *file = NULL;
	int status;

	if (o->arg_count > 1) {
		(void)err_set(&err, REASON_USAGE,
		    "give nginx, or one file: see `oclasp help lint`");
		return command_fail("lint", &err, EXIT_USAGE);
	}
	if (o->arg_count == 1 && strcmp(o->args[0], "nginx") != 0)
		file = o->args[0];
	conf = server_conf_read(o, file, &lint.facts, &err);
	if (conf == NULL) {
		status = command_fail("lint", &err, EXIT_USAGE);
	} else {
		lint.looked = server_conf_facts(o, conf, NULL, &lint.facts);
		lint.findings = diagnose_settings(&lint.facts, &lint.count);
		if (o->json)
			print_json(&lint);
		else
			print_text(&lint);
		status = lint.count > 0 ? EXIT_BAD : exit_of_rest(&lint);
	}
	free(lint.findings);
	facts_done(&lint.facts);
	nginx_conf_free(conf);
	return status;
}

const struct command command_lint = {
    .name = "lint",
    .bit = CMD_LINT,
    .synopsis = "[nginx|FILE] [--server-command COMMAND] [--json]",
    .purpose = "faults in a server's stapling configuration",
    .details =
	"Reads what `nginx -T` prints, or the files themselves where nginx does\n"
	"not run; FILE is a main file of nginx, or what `nginx -T` has printed.\n"
	"Nobody on the network is asked: `oclasp doctor HOST --server nginx`\n"
	"goes by the same rules and asks. Exit status: 0 no fault, 1 faults, 2\n"
	"the configuration, or a file that it names, cannot be read.",
    .run = run,
};
