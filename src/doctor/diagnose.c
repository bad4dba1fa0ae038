/* SPDX-License-Identifier: ISC */
/* doctor/diagnose.c -- from facts to findings: the order, and which is first.
 *
 * Layer by layer (NETWORK-TRUTH 3.3).  The first finding is the one whose
 * repair brings the staple: of those that break the way, the earliest layer;
 * then what is wrong without breaking it; then what is only worth knowing. */
#include "doctor/finding.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doctor/diagnose_priv.h"

/* --- findings --- */

struct finding *
finding_add(struct workup *w, enum finding_code code, enum certainty certainty,
    bool breaks)
{
	/* the last place is the scratch one */
	struct finding *finding = &w->out->findings[w->out->count];

	*finding = (struct finding){
	    .code = code, .certainty = certainty, .breaks = breaks};
	finding_say(finding, "%s", finding_row(code)->meaning);
	if (w->out->count < FINDINGS_MAX - 1)
		w->out->count++;
	return finding;
}

struct finding *
finding_have(struct workup *w, enum finding_code code)
{
	for (size_t i = 0; i < w->out->count; i++) {
		if (w->out->findings[i].code == code)
			return &w->out->findings[i];
	}
	return NULL;
}

bool
finding_any_breaks(const struct workup *w)
{
	for (size_t i = 0; i < w->out->count; i++) {
		if (w->out->findings[i].breaks)
			return true;
	}
	return false;
}

void
finding_cite(struct finding *finding, size_t fact)
{
	if (fact == PICTURE_NONE ||
	    finding->evidence_count == FINDING_EVIDENCE_MAX)
		return;
	for (size_t i = 0; i < finding->evidence_count; i++) {
		if (finding->evidence[i] == fact)
			return;
	}
	finding->evidence[finding->evidence_count++] = fact;
}

void
finding_say(struct finding *finding, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(finding->sentence, sizeof(finding->sentence), fmt, ap);
	va_end(ap);
}

void
finding_about_address(struct finding *finding, const struct seen_address *seen)
{
	(void)snprintf(
	    finding->address, sizeof(finding->address), "%s", seen->address);
	finding_cite(finding, seen->fetch);
	finding_cite(finding, seen->connect);
}

void
finding_about(
    struct finding *finding, const struct seen_asked *asked, const char *name)
{
	if (asked != NULL)
		(void)snprintf(finding->resolver, sizeof(finding->resolver),
		    "%s", asked->asked);
	if (name != NULL)
		(void)snprintf(
		    finding->name, sizeof(finding->name), "%s", name);
}

const struct fact *
next_fact(const struct facts *facts, enum fact_kind kind, size_t *index)
{
	while (*index < facts->count) {
		const struct fact *fact = &facts->items[(*index)++];

		if (fact->kind == kind)
			return fact;
	}
	return NULL;
}

/* --- whom an address can be believed of --- */

bool
is_beyond_lies(const struct seen_asked *asked)
{
	/* whose certificate may be anybody's, may be anybody himself */
	if (strstr(asked->asked, "#insecure") != NULL)
		return false;
	return asked->transport == RESOLVER_TLS ||
	       asked->transport == RESOLVER_HTTPS ||
	       (asked->party == PARTY_AUTHORITY && asked->authoritative &&
		   asked->transport == RESOLVER_TCP);
}

bool
is_trusted_address(const struct workup *w, const char *address)
{
	const struct fact *fact;

	for (size_t i = 0; i < w->p->asked_count; i++) {
		const struct seen_asked *asked = &w->p->asked[i];

		if (is_beyond_lies(asked) &&
		    picture_names(w->p, asked, address))
			return true;
	}
	for (size_t i = 0;
	     (fact = next_fact(w->p->facts, FACT_OVERRIDE, &i)) != NULL;) {
		if (fact->u.override.kind == OVERRIDE_BOOK &&
		    strcmp(fact->u.override.address, address) == 0)
			return true;
	}
	return false;
}

bool
is_agreed_address(const struct workup *w, const char *address)
{
	const struct seen_asked *first = NULL;

	if (is_trusted_address(w, address))
		return true;
	for (size_t i = 0; i < w->p->asked_count; i++) {
		const struct seen_asked *asked = &w->p->asked[i];

		if (asked->party != PARTY_RESOLVER ||
		    !picture_names(w->p, asked, address))
			continue;
		if (first != NULL && strcmp(first->asked, asked->asked) != 0 &&
		    (first->host_length != asked->host_length ||
			strncmp(first->host, asked->host, first->host_length) !=
			    0))
			return true;
		if (first == NULL)
			first = asked;
	}
	return false;
}

/* --- the way that this machine takes by itself --- */

static bool
system_works(const struct picture *p)
{
	bool asked_system = false, right = false;

	for (size_t i = 0; i < p->asked_count; i++) {
		const struct seen_asked *asked = &p->asked[i];

		if (asked->party == PARTY_SYSTEM) {
			asked_system = true;
			right = right || asked->responder == ANSWER_RIGHT;
		}
	}
	/* without its word: any plain resolver's */
	for (size_t i = 0; !asked_system && i < p->asked_count; i++)
		right = right || (p->asked[i].party == PARTY_RESOLVER &&
				     p->asked[i].responder == ANSWER_RIGHT &&
				     !p->asked[i].genuine_late);
	return right;
}

bool
system_names_one(const struct workup *w)
{
	for (size_t i = 0; i < w->p->asked_count; i++) {
		const struct seen_asked *a = &w->p->asked[i];

		if (a->party == PARTY_SYSTEM &&
		    (a->responder == ANSWER_WRONG ||
			a->responder == ANSWER_OPEN))
			return true;
	}
	return false;
}

/* Repairing the primary is enough: this other input works already. */
static void
say_substitution(struct workup *w)
{
	const struct facts *facts = w->p->facts;
	const struct fact_fetch *fetch;

	if (w->works || !w->p->any_proven)
		return;
	fetch = &facts->items[w->p->proof].u.fetch;
	if (fetch->proxy[0] != '\0')
		(void)snprintf(w->out->substitution,
		    sizeof(w->out->substitution),
		    "through the proxy %s the genuine response came",
		    fetch->proxy);
	else
		(void)snprintf(w->out->substitution,
		    sizeof(w->out->substitution),
		    "with the address %s (named by %s) in place of the system's "
		    "answer, and nothing else changed, the genuine response came",
		    fetch->address,
		    fetch->source[0] == '\0' ? "the operator" : fetch->source);
}

/* --- which is first --- */

static int
rank(const struct finding *finding)
{
	const struct finding_row *row = finding_row(finding->code);

	if (finding->breaks)
		return (int)row->layer;
	if (finding->code == FINDING_OK)
		return 400;
	if (row->layer == LAYER_NONE) /* ok-geo and the like */
		return 300;
	return (row->good ? 200 : 100) + (int)row->layer;
}

/* Stable: findings of one layer stay in the order of the diagnosis. */
static void
sort_findings(struct diagnosis *out)
{
	for (size_t i = 1; i < out->count; i++) {
		struct finding moving = out->findings[i];
		size_t to = i;

		while (to > 0 && rank(&out->findings[to - 1]) > rank(&moving)) {
			out->findings[to] = out->findings[to - 1];
			to--;
		}
		out->findings[to] = moving;
	}
}

/* "ok" of another kind has been said already. */
static bool
is_said_well(const struct diagnosis *out)
{
	for (size_t i = 0; i < out->count; i++) {
		if (finding_row(out->findings[i].code)->layer == LAYER_NONE)
			return true;
	}
	return false;
}

static void
diagnose_rest(struct workup *w)
{
	struct finding *finding;

	if (w->works && !finding_any_breaks(w) && !is_said_well(w->out)) {
		finding = finding_add(w, FINDING_OK, CERTAINTY_PROVEN, false);
		finding_cite(finding, w->p->proof);
	} else if (!w->works && !finding_any_breaks(w)) {
		finding = finding_add(
		    w, FINDING_INCONCLUSIVE, CERTAINTY_NOT_PROVEN, true);
		for (size_t i = 0; i < w->p->address_count; i++)
			finding_cite(finding, w->p->addresses[i].fetch);
	}
}

void
diagnose_url(
    const struct facts *facts, struct diagnosis *out, struct way_out *way)
{
	struct picture picture;
	struct workup w = {.p = &picture, .out = out};

	*out = (struct diagnosis){0};
	picture_make(facts, &picture);
	w.works = system_works(&picture);
	/* the clock first: by a wrong one a certificate looks expired */
	if (picture.input == NULL || picture.input->has_url)
		diagnose_clock(&w);
	diagnose_input(&w);
	/* without a responder there is nothing to ask, and nobody to blame */
	if (picture.input == NULL || picture.input->has_url) {
		diagnose_local(&w);
		diagnose_gone(&w);
		diagnose_injection(&w);
		diagnose_resolvers(&w);
		diagnose_repeats(&w);
		diagnose_encrypted(&w);
		diagnose_network(&w);
		diagnose_costs(&w);
		diagnose_server(&w);
		diagnose_rest(&w);
		say_substitution(&w);
	} else
		diagnose_server(&w);
	sort_findings(out);
	*way = (struct way_out){.works = w.works, .proven = picture.any_proven};
}
