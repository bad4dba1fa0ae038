/* SPDX-License-Identifier: ISC */
/* face/survey_report.c -- a survey as a table and as JSON. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"
#include "face/report.h"
#include "face/survey.h"

enum { CA_WIDTH = 24, MS_TEXT = 32 };

/* Groups of the table, the most useful first.  The verdicts come in their own
 * order. */
enum group { GROUP_NO_OCSP = SURVEY_NO_ADDRESS + 1, GROUPS };

static const struct heading {
	const char *text, *paint;
} headings[GROUPS] = {
    [SURVEY_ANSWERS] = {"answers", "\033[32m"},
    [SURVEY_PARTLY] = {"answers by one road and not by another", "\033[33m"},
    [SURVEY_NO_ANSWER] = {"no answer", "\033[31m"},
    [SURVEY_NO_ADDRESS] = {"no address", "\033[31m"},
    [GROUP_NO_OCSP] = {"no OCSP: nothing to staple, nobody to ask", ""},
};

static int
group_of(const struct survey_entry *entry)
{
	return entry->responder == NULL ? (int)GROUP_NO_OCSP
					: (int)entry->responder->verdict;
}

static const char *
ca_of(const struct survey_entry *entry)
{
	return entry->ca == NULL ? "" : entry->ca;
}

static int
by_use(const void *a, const void *b)
{
	const struct survey_entry *left = a, *right = b;
	int64_t left_ms = -1, right_ms = -1;
	int order = group_of(left) - group_of(right);

	if (left->responder != NULL)
		left_ms = left->responder->best_ms;
	if (right->responder != NULL)
		right_ms = right->responder->best_ms;
	if (order == 0 && left_ms != right_ms)
		order = left_ms < right_ms ? -1 : 1;
	if (order == 0)
		order = strcasecmp(ca_of(left), ca_of(right));
	if (order == 0 && left->url != NULL && right->url != NULL)
		order = strcmp(left->url, right->url);
	return order;
}

void
survey_report_sort(struct survey_list *list)
{
	qsort(list->entries, list->count, sizeof(list->entries[0]), by_use);
}

/* --- what is said of one --- */

/* Of the CA, where its OCSP ends; owned, or NULL. */
static char *
offer_sentence(const struct survey_entry *entry)
{
	const struct responder_fact *fact = entry->fact;
	const char *doubt;

	if (fact == NULL)
		return NULL;
	doubt = strcmp(fact->certainty, "believed") == 0 ? " (believed)" : "";
	switch (fact->offer) {
	case RESPONDER_OFFERED:
		return NULL;
	case RESPONDER_ENDING:
		return mem_printf("new certificates name no responder since "
				  "%s%s",
		    fact->since, doubt);
	case RESPONDER_ENDED:
		return mem_printf(
		    "the responder was turned off on %s%s", fact->since, doubt);
	}
	return NULL;
}

static char *
sentence_of(const struct survey_entry *entry)
{
	char *offer;

	if (entry->responder != NULL)
		return mem_string(entry->responder->sentence);
	offer = offer_sentence(entry);
	return offer != NULL ? offer
			     : mem_string("the certificate names no responder "
					  "that can be asked");
}

static const char *
verdict_of(const struct survey_entry *entry)
{
	return entry->responder == NULL
		   ? "no-ocsp"
		   : survey_verdict_name(entry->responder->verdict);
}

/* --- text --- */

/* The names of the roads of all, between commas; once each. */
static void
print_roads(const struct survey_result *result)
{
	const struct survey_responder *most = NULL;

	for (size_t i = 0; i < result->count; i++) {
		if (most == NULL ||
		    result->responders[i].road_count > most->road_count)
			most = &result->responders[i];
	}
	(void)printf("roads: ");
	for (size_t i = 0; most != NULL && i < most->road_count; i++)
		(void)printf("%s%s", i > 0 ? ", " : "",
		    most->roads[i].proxy[0] != '\0' ? most->roads[i].proxy
						    : most->roads[i].name);
	(void)putchar('\n');
}

static const char *
ms_text(int64_t ms, char out[MS_TEXT])
{
	if (ms == -1)
		return "-";
	(void)snprintf(out, MS_TEXT, "%lld ms", (long long)ms);
	return out;
}

/* CA in its column; what is longer is cut, never within a character. */
static void
print_ca(const char *ca)
{
	char *cut = mem_string(ca);

	for (size_t len = strlen(cut); text_columns(cut) > CA_WIDTH;) {
		do
			len--;
		while (((unsigned char)cut[len] & 0xc0) == 0x80);
		cut[len] = '\0';
	}
	report_cell(cut, CA_WIDTH);
	free(cut);
}

static void
print_entry(const struct options *o, const struct survey_entry *entry)
{
	const struct survey_responder *r = entry->responder;
	char *said = sentence_of(entry);
	char *offer = r == NULL ? NULL : offer_sentence(entry);
	char *path = entry->certificate == NULL
			 ? NULL
			 : text_printable(entry->certificate);
	char answer[MS_TEXT], connect[MS_TEXT];
	bool plain = strcmp(said, "answers") == 0 ||
		     strcmp(said, "answers by every road") == 0;

	(void)printf("%9s %9s  ", ms_text(r == NULL ? -1 : r->best_ms, answer),
	    ms_text(r == NULL ? -1 : r->best_connect_ms, connect));
	print_ca(ca_of(entry));
	(void)printf("  %s%s%s\n", entry->url == NULL ? "" : entry->url,
	    path != NULL && entry->url != NULL ? "  " : "",
	    path != NULL ? path : "");
	if (!plain || o->verbose > 0)
		(void)printf("%21s%s\n", "", said);
	if (offer != NULL)
		(void)printf("%21s%s\n", "", offer);
	free(path);
	free(offer);
	free(said);
}

/* True if a responder before R says the same of ROAD. */
static bool
is_told(const struct survey_result *result, const struct survey_responder *r,
    const struct survey_road *road)
{
	for (const struct survey_responder *s = result->responders; s != r;
	     s++) {
		for (size_t i = 0; i < s->road_count; i++) {
			if (s->roads[i].is_dead &&
			    strcmp(s->roads[i].name, road->name) == 0 &&
			    strcmp(s->roads[i].proxy, road->proxy) == 0)
				return true;
		}
	}
	return false;
}

/* Resolvers and proxies that were silent about everybody, once each. */
static void
print_dead(const struct survey_result *result)
{
	for (size_t i = 0; i < result->count; i++) {
		const struct survey_responder *r = &result->responders[i];

		for (size_t k = 0; k < r->road_count; k++) {
			const struct survey_road *road = &r->roads[k];

			if (road->is_dead && !is_told(result, r, road))
				(void)printf("%s is silent about every name "
					     "and is left aside%s%s\n",
				    road->proxy[0] != '\0' ? road->proxy
							   : road->name,
				    road->err.text[0] != '\0' ? ": " : "",
				    road->err.text);
		}
	}
}

static void
print_parties(const struct survey_result *result)
{
	bool outside = false;

	(void)printf("asked outside this network: the responders");
	for (size_t i = 0; i < result->party_count; i++)
		(void)printf(", %s", result->parties[i]);
	for (size_t i = 0; i < result->count; i++) {
		for (size_t k = 0; k < result->responders[i].road_count; k++)
			outside = outside ||
				  result->responders[i].roads[k].is_outside;
	}
	if (!outside)
		(void)printf("\nnot tested: what a resolver outside this "
			     "network says; name one with --resolver");
	(void)putchar('\n');
}

void
survey_report_text(const struct options *o, const struct survey_list *list,
    const struct survey_result *result)
{
	size_t of_group[GROUPS] = {0};
	int group = -1;

	for (size_t i = 0; i < list->count; i++)
		of_group[group_of(&list->entries[i])]++;
	if (!o->quiet && result->count > 0)
		print_roads(result);
	for (size_t i = 0; i < list->count; i++) {
		const struct survey_entry *entry = &list->entries[i];

		if (i == 0)
			(void)printf("%9s %9s  %-*s  %s\n", "answer", "connect",
			    CA_WIDTH, "CA", "responder");
		if (group_of(entry) != group) {
			group = group_of(entry);
			(void)printf("%s%s (%zu)%s\n",
			    o->color ? headings[group].paint : "",
			    headings[group].text, of_group[group],
			    o->color ? "\033[0m" : "");
		}
		print_entry(o, entry);
	}
	print_dead(result);
	if (!o->quiet && result->count > 0)
		print_parties(result);
	if (!o->quiet && result->count > 1 && of_group[SURVEY_ANSWERS] == 0 &&
	    of_group[SURVEY_PARTLY] == 0)
		(void)printf("nothing answered at all: look at this machine's "
			     "own network and resolvers first\n");
	if (of_group[SURVEY_PARTLY] > 0 && !o->quiet)
		(void)printf("`oclasp fetch` and `oclasp keep` take every "
			     "road, with the same options; `oclasp hosts` "
			     "gives the rest of this machine what they have "
			     "proven\n");
}

/* --- JSON --- */

static json_t *
json_ms(int64_t ms)
{
	return ms == -1 ? json_null() : json_integer((json_int_t)ms);
}

static json_t *
json_reason(const struct err *err)
{
	return err->reason == REASON_NONE
		   ? json_null()
		   : json_string(reason_name(err->reason));
}

static json_t *
json_road(const struct survey_road *road)
{
	json_t *addresses = json_array();
	bool tried = road->leads != SURVEY_UNTRIED;

	for (size_t i = 0; i < road->address_count; i++)
		(void)json_array_append_new(
		    addresses, json_string(road->addresses[i]));
	return json_pack("{s:s, s:o, s:b, s:o, s:I, s:o, s:o, s:o, s:s, s:b, "
			 "s:o}",
	    "road", road->name, "proxy", report_json_text(road->proxy),
	    "outside", road->is_outside, "addresses", addresses, "left_out",
	    (json_int_t)road->left_out, "error", json_reason(&road->err),
	    "detail", report_json_text(road->err.text), "answers",
	    tried ? json_boolean(road->is_good) : json_null(), "leads_to",
	    survey_grade_name(road->leads), "left_aside", road->is_dead,
	    "lookup_ms", json_ms(road->lookup_ms));
}

static json_t *
json_try(const struct survey_try *try)
{
	return json_pack("{s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o}",
	    "address", report_json_text(try->address), "proxy",
	    report_json_text(try->proxy), "outcome",
	    survey_grade_name(try->grade), "reason", json_reason(&try->err),
	    "detail", report_json_text(try->err.text), "method",
	    report_json_text(try->method), "stage",
	    report_json_text(try->stage), "connect_ms",
	    json_ms(try->connect_ms), "answer_ms", json_ms(try->answer_ms));
}

static json_t *
json_fact(const struct responder_fact *fact)
{
	static const char *const offers[] = {
	    [RESPONDER_OFFERED] = "offered",
	    [RESPONDER_ENDING] = "ending",
	    [RESPONDER_ENDED] = "ended",
	};

	if (fact == NULL)
		return json_null();
	return json_pack("{s:s, s:o, s:o, s:s, s:s, s:s}", "offer",
	    offers[fact->offer], "since", report_json_text(fact->since), "cdn",
	    report_json_text(fact->cdn), "certainty", fact->certainty,
	    "checked", fact->checked, "source", fact->source);
}

static json_t *
json_entry(const struct survey_entry *entry)
{
	const struct survey_responder *r = entry->responder;
	json_t *roads = json_array(), *tries = json_array();
	char *said = sentence_of(entry);
	json_t *object;

	for (size_t i = 0; r != NULL && i < r->road_count; i++)
		(void)json_array_append_new(roads, json_road(&r->roads[i]));
	for (size_t i = 0; r != NULL && i < r->try_count; i++)
		(void)json_array_append_new(tries, json_try(&r->tries[i]));
	object = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
			   "s:o, s:s, s:o}",
	    "ca", report_json_text(entry->ca), "url",
	    report_json_text(entry->url), "host",
	    report_json_text(r == NULL ? NULL : r->host), "port",
	    r == NULL ? json_null() : json_integer(r->port), "certificate",
	    report_json_text(entry->certificate), "known",
	    json_fact(entry->fact), "roads", roads, "tries", tries, "answers",
	    r == NULL ? json_null() : json_boolean(r->best_ms != -1), "best_ms",
	    json_ms(r == NULL ? -1 : r->best_ms), "best_connect_ms",
	    json_ms(r == NULL ? -1 : r->best_connect_ms), "verdict",
	    verdict_of(entry), "sentence", report_json_text(said));
	free(said);
	return object;
}

void
survey_report_json(
    const struct survey_list *list, const struct survey_result *result)
{
	json_t *document = report_document("survey");
	json_t *responders = json_array(), *parties = json_array();

	for (size_t i = 0; i < list->count; i++)
		(void)json_array_append_new(
		    responders, json_entry(&list->entries[i]));
	for (size_t i = 0; i < result->party_count; i++)
		(void)json_array_append_new(
		    parties, report_json_text(result->parties[i]));
	(void)json_object_update_new(
	    document, json_pack("{s:o, s:o}", "responders", responders,
			  "parties", parties));
	report_print(document);
}

/* --- the exit status --- */

/* True if a road of R was proven to lead nowhere, while another one leads to
 * the responder. */
static bool
has_wrong_road(const struct survey_responder *r)
{
	for (size_t i = 0; i < r->road_count; i++) {
		const struct survey_road *road = &r->roads[i];

		if (r->verdict == SURVEY_PARTLY && !road->is_good &&
		    road->address_count > 0 && road->leads != SURVEY_UNTRIED)
			return true;
	}
	return false;
}

int
survey_report_exit(const struct survey_result *result)
{
	int status = EXIT_GOOD;

	for (size_t i = 0; i < result->count; i++) {
		const struct survey_responder *r = &result->responders[i];

		if (has_wrong_road(r))
			return EXIT_BAD;
		if (r->verdict != SURVEY_ANSWERS)
			status = EXIT_LATER;
		for (size_t k = 0; k < r->road_count; k++) {
			if (r->roads[k].is_dead)
				status = EXIT_LATER;
		}
	}
	return status;
}
