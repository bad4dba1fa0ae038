/* SPDX-License-Identifier: ISC */
/* face/dns_report.c -- what was asked and answered of a name, as JSON. */
#include "face/dns_report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "face/report.h"

/* --- answers --- */

static const char *
transport_of(const struct fact_question *q)
{
	if (q->party == PARTY_SYSTEM)
		return "system";
	if (text_starts(q->asked, "tcp:"))
		return "tcp";
	if (text_starts(q->asked, "tls:"))
		return "tls";
	return text_starts(q->asked, "https:") ? "https" : "udp";
}

static const char *
party_of(const struct fact_question *q)
{
	switch (q->party) {
	case PARTY_SYSTEM:
		return "system";
	case PARTY_RESOLVER:
		return "resolver";
	case PARTY_AUTHORITY:
		return "authority";
	case PARTY_DARK:
		return "blackhole";
	}
	return "?";
}

static json_t *
json_records(const struct fact_datagram *d)
{
	json_t *list = json_array();

	for (size_t i = 0; i < d->chain_length; i++)
		(void)json_array_append_new(
		    list, json_pack("{s:s, s:o}", "type", "CNAME", "data",
			      report_json_text(d->chain[i])));
	for (size_t i = 0; i < d->server_count; i++)
		(void)json_array_append_new(
		    list, json_pack("{s:s, s:o}", "type", "NS", "data",
			      report_json_text(d->servers[i])));
	for (size_t i = 0; i < d->address_count; i++)
		(void)json_array_append_new(list,
		    json_pack("{s:s, s:s, s:b}", "type",
			strchr(d->addresses[i], ':') != NULL ? "AAAA" : "A",
			"data", d->addresses[i], "in_pool",
			(d->pooled >> i & 1) != 0));
	return list;
}

static json_t *
json_datagram(const struct fact *fact, const struct fact_question *q)
{
	const struct fact_datagram *d = &fact->u.datagram;
	json_t *flags = json_array();

	if (d->authoritative)
		(void)json_array_append_new(flags, json_string("aa"));
	if (d->truncated)
		(void)json_array_append_new(flags, json_string("tc"));
	if (d->recursion)
		(void)json_array_append_new(flags, json_string("ra"));
	return json_pack(
	    "{s:I, s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:I, s:o, s:b, s:b, s:b, "
	    "s:b}",
	    "at_ms", (json_int_t)fact->at_ms, "from",
	    d->from[0] != '\0' ? json_string(d->from) : json_string(q->asked),
	    "rcode", d->malformed ? json_null() : json_integer(d->rcode),
	    "records", json_records(d), "flags", flags, "edns", d->edns, "ede",
	    d->ede < 0 ? json_null() : json_integer(d->ede), "ip_ttl",
	    d->ip_ttl < 0 ? json_null() : json_integer(d->ip_ttl), "size",
	    (json_int_t)d->size, "ttl_s",
	    d->ttl_s < 0 ? json_null() : json_integer(d->ttl_s), "malformed",
	    d->malformed, "elsewhere", d->elsewhere, "impossible",
	    d->wrong_type, "other_case", d->other_case);
}

json_t *
dns_report_answers(const struct facts *facts)
{
	json_t *list = json_array();

	for (size_t i = 0; i < facts->count; i++) {
		const struct fact_question *q = &facts->items[i].u.question;
		json_t *datagrams;

		if (facts->items[i].kind != FACT_QUESTION)
			continue;
		datagrams = json_array();
		for (size_t j = i + 1; j < facts->count; j++) {
			if (facts->items[j].kind == FACT_DATAGRAM &&
			    facts->items[j].u.datagram.question == i)
				(void)json_array_append_new(datagrams,
				    json_datagram(&facts->items[j], q));
		}
		(void)json_array_append_new(list,
		    json_pack("{s:I, s:s, s:s, s:s, s:o, s:s, s:s, s:b, s:b, "
			      "s:i, s:o, s:o, s:o}",
			"id", (json_int_t)(i + 1), "resolver", q->asked,
			"party", party_of(q), "transport", transport_of(q),
			"name", report_json_text(q->name), "role",
			fact_role_name(q->role), "type", dns_type_name(q->type),
			"rd", !q->no_rd, "cd", q->cd, "repeat", (int)q->repeat,
			"hops",
			q->hops == 0 ? json_null() : json_integer(q->hops),
			"datagrams", datagrams, "error",
			q->err.reason == REASON_NONE
			    ? json_null()
			    : json_string(reason_name(q->err.reason))));
	}
	return list;
}

/* --- verdicts --- */

json_t *
dns_report_finding(const struct finding *f, const struct facts *facts,
    const struct remedy_subject *subject)
{
	const struct finding_row *row = finding_row(f->code);
	const struct fact_input *input = facts_input_of(facts, f->url);
	json_t *evidence = json_array(), *lines = json_array();
	struct remedy remedy;

	remedy_make(facts, f, subject, &remedy);
	for (size_t i = 0; i < f->evidence_count; i++)
		(void)json_array_append_new(
		    evidence, json_integer((json_int_t)f->evidence[i] + 1));
	for (size_t i = 0; i < remedy.count; i++)
		(void)json_array_append_new(
		    lines, report_json_text(remedy.lines[i]));
	remedy_done(&remedy);
	return json_pack(
	    "{s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "code",
	    row->code, "layer", finding_layer_name(row->layer), "certainty",
	    certainty_name(f->certainty), "sentence",
	    report_json_text(f->sentence), "evidence", evidence, "remedy",
	    lines, "resolver",
	    f->resolver[0] == '\0' ? json_null()
				   : report_json_text(f->resolver),
	    "name",
	    f->name[0] == '\0' ? json_null() : report_json_text(f->name),
	    "address",
	    f->address[0] == '\0' ? json_null() : report_json_text(f->address),
	    "scope",
	    f->scope[0] == '\0' ? json_null() : report_json_text(f->scope),
	    "url",
	    input == NULL || input->url[0] == '\0'
		? json_null()
		: report_json_text(input->url));
}

json_t *
dns_report_bisect(const struct bisect *bisect)
{
	json_t *chain;

	if (bisect == NULL)
		return json_null();
	chain = json_array();
	for (size_t i = 0; i < bisect->count; i++) {
		const struct bisect_link *link = &bisect->links[i];

		(void)json_array_append_new(
		    chain, json_pack("{s:o, s:o, s:i, s:i}", "name",
			       report_json_text(link->name), "injected",
			       link->injected == BISECT_OPEN
				   ? json_null()
				   : json_boolean(link->injected == BISECT_YES),
			       "answered", (int)link->answered, "asked",
			       (int)link->asked));
	}
	return json_pack("{s:o, s:o, s:o, s:o, s:s, s:s}", "chain", chain,
	    "hops",
	    bisect->hops == 0 ? json_null() : json_integer(bisect->hops),
	    "scope",
	    bisect->scope[0] == '\0' ? json_null()
				     : report_json_text(bisect->scope),
	    "resolver",
	    bisect->resolver[0] == '\0' ? json_null()
					: report_json_text(bisect->resolver),
	    "outcome", bisect_outcome_name(bisect->outcome), "verdict",
	    bisect->verdict);
}

bool
dns_report_tells(const struct diagnosis *diagnosis, size_t index)
{
	return finding_row(diagnosis->findings[index].code)->layer == LAYER_DNS;
}

void
dns_report_json(const struct dns_report *r)
{
	/* of a name: whose certificate it is about is not known */
	static const struct remedy_subject subject = {NULL, NULL};
	json_t *document = report_document("dns");
	json_t *chain = json_array(), *verdicts = json_array();
	const char *names[NAMES_CHAIN_MAX];
	size_t length = names_chain(r->facts, r->name, names);

	for (size_t i = 0; i < length; i++)
		(void)json_array_append_new(chain, report_json_text(names[i]));
	for (size_t i = 0; i < r->diagnosis->count; i++) {
		if (dns_report_tells(r->diagnosis, i))
			(void)json_array_append_new(verdicts,
			    dns_report_finding(&r->diagnosis->findings[i],
				r->facts, &subject));
	}
	(void)json_object_update_new(
	    document, json_pack("{s:o, s:o, s:o, s:o, s:o}", "name",
			  report_json_text(r->name), "chain", chain, "answers",
			  dns_report_answers(r->facts), "verdicts", verdicts,
			  "bisect", dns_report_bisect(r->bisect)));
	report_print(document);
}
