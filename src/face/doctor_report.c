/* SPDX-License-Identifier: ISC */
/* face/doctor_report.c -- the doctor's word: for a ticket, and for programs. */
#include "face/doctor_report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "face/dns_report.h"
#include "face/report.h"

enum { LINE = 1024 };

int
doctor_report_exit(const struct doctor_report *r)
{
	const char *code = finding_row(r->diagnosis->findings[0].code)->code;

	if (r->diagnosis->findings[0].code == FINDING_INCONCLUSIVE)
		return EXIT_LATER;
	if (r->diagnosis->findings[0].code == FINDING_INPUT_NO_OCSP) {
		for (size_t i = 0; i < r->facts->count; i++) {
			if (r->facts->items[i].kind == FACT_INPUT &&
			    r->facts->items[i].u.input.must_staple)
				return EXIT_BAD;
		}
		return EXIT_GOOD;
	}
	return strcmp(code, "ok") == 0 || text_starts(code, "ok-") ? EXIT_GOOD
								   : EXIT_BAD;
}

/* --- text --- */

static void
print_evidence(const struct doctor_report *r, const struct finding *f)
{
	char line[LINE];

	for (size_t i = 0; i < f->evidence_count; i++) {
		size_t fact = f->evidence[i];

		doctor_report_fact(r->facts, fact, line, sizeof(line));
		(void)printf("  [%zu] %s, %lld ms: %s\n", fact + 1,
		    r->facts->items[fact].probe,
		    (long long)r->facts->items[fact].at_ms, line);
	}
}

/* A fault that keeps no staple away is first where there is no other one. */
static void
print_effect(const struct diagnosis *d)
{
	bool works = false;

	for (size_t i = 0; i < d->count; i++)
		works = works || (d->findings[i].url == 0 &&
				     finding_row(d->findings[i].code)->good &&
				     finding_row(d->findings[i].code)->layer ==
					 LAYER_NONE);
	if (works && !d->findings[0].breaks &&
	    !finding_row(d->findings[0].code)->good)
		(void)printf("  effect: none on the staple, the genuine "
			     "response comes all the same\n");
}

void
doctor_report_scope(const struct finding *f, char *out, size_t size)
{
	if (f->scope[0] == '*')
		(void)snprintf(
		    out, size, "%s, every name in that zone", f->scope);
	else if (strcmp(f->scope, "pattern") == 0)
		(void)snprintf(out, size,
		    "pattern, every name that has %s in it", f->name);
	else if (f->scope[0] != '\0')
		(void)snprintf(out, size,
		    "%s, this very name: a made-up neighbour of it got no "
		    "answer",
		    f->scope);
	else
		out[0] = '\0';
}

static void
print_scope(const struct finding *f)
{
	char line[LINE];

	doctor_report_scope(f, line, sizeof(line));
	if (line[0] != '\0')
		(void)printf("  scope: %s\n", line);
}

static void
print_remedy(const struct doctor_report *r, const struct finding *f)
{
	struct remedy remedy;

	remedy_make(r->facts, f, &r->subject, &remedy);
	if (remedy.count > 0)
		(void)printf("\nremedy\n");
	for (size_t i = 0; i < remedy.count; i++)
		(void)printf("  %s\n", remedy.lines[i]);
	remedy_done(&remedy);
}

static void
print_others(const struct doctor_report *r)
{
	if (r->diagnosis->count < 2)
		return;
	(void)printf("\nalso seen\n");
	for (size_t i = 1; i < r->diagnosis->count; i++) {
		const struct finding *f = &r->diagnosis->findings[i];

		(void)printf("  %s (%s): %s\n", finding_row(f->code)->code,
		    certainty_name(f->certainty), f->sentence);
	}
}

static void
print_untested(const struct doctor_report *r)
{
	bool any = false;
	char line[LINE];

	for (size_t i = 0; i < r->facts->count; i++) {
		if (r->facts->items[i].kind != FACT_UNTESTED)
			continue;
		if (!any)
			(void)printf("\nnot tested\n");
		any = true;
		doctor_report_fact(r->facts, i, line, sizeof(line));
		(void)printf("  %s\n", line);
	}
}

void
doctor_report_text(const struct doctor_report *r)
{
	const struct finding *primary = &r->diagnosis->findings[0];
	char *target = text_printable(r->target);
	int status = doctor_report_exit(r);
	const char *paint = !r->o->color           ? ""
			    : status == EXIT_GOOD  ? "\033[32m"
			    : status == EXIT_LATER ? "\033[33m"
						   : "\033[31m";

	(void)printf("%s%s%s (%s): %s\n", paint,
	    finding_row(primary->code)->code, r->o->color ? "\033[0m" : "",
	    certainty_name(primary->certainty), primary->sentence);
	if (r->diagnosis->substitution[0] != '\0')
		(void)printf("  proof: %s\n", r->diagnosis->substitution);
	if (r->o->quiet) {
		free(target);
		return;
	}
	print_effect(r->diagnosis);
	print_scope(primary);
	if (primary->evidence_count > 0)
		(void)printf("\nevidence\n");
	print_evidence(r, primary);
	print_remedy(r, primary);
	print_others(r);
	print_untested(r);
	doctor_penalty_text(r);
	(void)printf("\n%s, %zu facts in %lld ms\n", target, r->facts->count,
	    (long long)r->elapsed_ms);
	free(target);
}

/* --- JSON --- */

/* A fact as every one is told; the certificate's also by its parts. */
static json_t *
json_fact(const struct doctor_report *r, size_t index)
{
	const struct fact *fact = &r->facts->items[index];
	const struct fact_input *input = &fact->u.input;
	char line[LINE];
	json_t *json;

	doctor_report_fact(r->facts, index, line, sizeof(line));
	json = json_pack("{s:I, s:s, s:s, s:I, s:o, s:i}", "id",
	    (json_int_t)(index + 1), "probe", fact->probe, "kind",
	    fact_kind_name(fact->kind), "at_ms", (json_int_t)fact->at_ms,
	    "fact", report_json_text(line), "ocsp_url", (int)fact->url + 1);
	if (fact->kind == FACT_INPUT)
		(void)json_object_update_new(
		    json, json_pack("{s:o, s:o, s:o, s:b}", "responder",
			      report_json_text(input->url), "ca_issuers",
			      report_json_text(input->ca_issuers), "crl",
			      report_json_text(input->crl), "must_staple",
			      input->must_staple));
	return json;
}

static json_t *
json_evidence(const struct doctor_report *r)
{
	json_t *list = json_array();

	for (size_t i = 0; i < r->facts->count; i++) {
		if (r->facts->items[i].kind != FACT_UNTESTED)
			(void)json_array_append_new(list, json_fact(r, i));
	}
	return list;
}

static json_t *
json_untested(const struct doctor_report *r)
{
	json_t *list = json_array();

	for (size_t i = 0; i < r->facts->count; i++) {
		const struct fact_untested *u = &r->facts->items[i].u.untested;

		if (r->facts->items[i].kind == FACT_UNTESTED)
			(void)json_array_append_new(
			    list, json_pack("{s:o, s:o}", "what",
				      report_json_text(u->what), "why",
				      report_json_text(u->why)));
	}
	return list;
}

void
doctor_report_json(const struct doctor_report *r)
{
	json_t *document = report_document("doctor");
	json_t *findings = json_array();

	for (size_t i = 0; i < r->diagnosis->count; i++)
		(void)json_array_append_new(
		    findings, dns_report_finding(&r->diagnosis->findings[i],
				  r->facts, &r->subject));
	(void)json_object_update_new(document,
	    json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I}", "target",
		report_json_text(r->target), "primary",
		dns_report_finding(
		    &r->diagnosis->findings[0], r->facts, &r->subject),
		"findings", findings, "substitution",
		r->diagnosis->substitution[0] == '\0'
		    ? json_null()
		    : report_json_text(r->diagnosis->substitution),
		"evidence", json_evidence(r), "not_tested", json_untested(r),
		"penalty", doctor_penalty_json(r), "elapsed_ms",
		(json_int_t)r->elapsed_ms));
	report_print(document);
}
