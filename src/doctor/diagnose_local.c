/* SPDX-License-Identifier: ISC */
/* doctor/diagnose_local.c -- the certificate, the clock, and this machine. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "doctor/diagnose_priv.h"

/* --- the certificate --- */

void
diagnose_input(struct workup *w)
{
	const struct fact_input *input = w->p->input;
	enum finding_code code;
	struct finding *finding;
	size_t index = 0;

	if (input == NULL)
		return;
	(void)next_fact(w->p->facts, FACT_INPUT, &index);
	switch (input->unusable.reason) {
	case REASON_NONE:
		if (input->expired)
			code = FINDING_INPUT_EXPIRED;
		else if (!input->has_url)
			code = FINDING_INPUT_NO_OCSP;
		else if (!input->http_url)
			code = FINDING_INPUT_NO_HTTP;
		else
			return;
		break;
	case REASON_ISSUER_MISSING:
	case REASON_ISSUER_MISMATCH:
		code = FINDING_INPUT_ISSUER;
		break;
	case REASON_CERTIFICATE_EXPIRED:
		code = FINDING_INPUT_EXPIRED;
		break;
	default:
		code = FINDING_INPUT_UNREADABLE;
		break;
	}
	finding = finding_add(w, code, CERTAINTY_PROVEN, true);
	if (input->unusable.reason != REASON_NONE)
		finding_say(finding, "%s", input->unusable.text);
	if (code == FINDING_INPUT_NO_OCSP && input->must_staple)
		finding_say(finding, "the certificate demands a staple (RFC "
				     "7633) and names no OCSP responder to get "
				     "one from: no client that obeys it can "
				     "connect");
	finding_cite(finding, index - 1);
}

/* --- the clock --- */

/* The median of what other clocks say of ours, and how many they are; -1 if
 * they do not agree. */
static int
read_clocks(const struct workup *w, bool authenticated_only, int64_t *ahead,
    struct finding *cite)
{
	const struct fact *fact;
	int64_t lowest = 0, highest = 0;
	int count = 0;

	for (size_t i = 0;
	     (fact = next_fact(w->p->facts, FACT_CLOCK, &i)) != NULL;) {
		const struct fact_clock *clock = &fact->u.clock;

		if (authenticated_only && !clock->authenticated)
			continue;
		if (count == 0 || clock->ahead_s < lowest)
			lowest = clock->ahead_s;
		if (count == 0 || clock->ahead_s > highest)
			highest = clock->ahead_s;
		count++;
		if (cite != NULL)
			finding_cite(cite, i - 1);
	}
	if (count == 0 || highest - lowest > VERIFY_SKEW)
		return count == 0 ? 0 : -1;
	*ahead = lowest + (highest - lowest) / 2;
	return count;
}

void
diagnose_clock(struct workup *w)
{
	bool authenticated = true;
	struct finding *finding;
	int64_t ahead = 0;
	int count = read_clocks(w, true, &ahead, NULL);
	char span[CLOCK_SPAN];

	if (count <= 0) {
		/* unauthenticated ones only together: one liar is cheap */
		authenticated = false;
		count = read_clocks(w, false, &ahead, NULL);
		if (count < 2)
			return;
	}
	if (ahead >= -VERIFY_SKEW && ahead <= VERIFY_SKEW)
		return;
	finding = finding_add(w, FINDING_CLOCK_SKEW,
	    authenticated ? CERTAINTY_PROVEN : CERTAINTY_STRONG, !w->works);
	finding_say(finding,
	    "this machine's clock is %s %s the others': genuine responses look "
	    "%s",
	    clock_span(ahead < 0 ? -ahead : ahead, span),
	    ahead < 0 ? "behind" : "ahead of",
	    ahead < 0 ? "not valid yet" : "expired");
	(void)read_clocks(w, authenticated, &ahead, finding);
}

/* --- hosts file, fake-IP, proxy --- */

static bool
is_of_the_chain(const struct workup *w, const char *name)
{
	const struct fact *fact;

	if (w->p->input != NULL && strcasecmp(w->p->input->host, name) == 0)
		return true;
	for (size_t i = 0;
	     (fact = next_fact(w->p->facts, FACT_QUESTION, &i)) != NULL;) {
		if ((fact->u.question.role == ROLE_RESPONDER ||
			fact->u.question.role == ROLE_CHAIN) &&
		    strcasecmp(fact->u.question.name, name) == 0)
			return true;
	}
	return false;
}

static void
diagnose_hosts(struct workup *w)
{
	const struct fact *fact;

	for (size_t i = 0;
	     (fact = next_fact(w->p->facts, FACT_OVERRIDE, &i)) != NULL;) {
		const struct fact_override *o = &fact->u.override;
		const struct seen_address *seen =
		    picture_address(w->p, o->address);
		struct finding *finding;

		if (o->kind != OVERRIDE_HOSTS || !is_of_the_chain(w, o->name) ||
		    seen == NULL || seen->state != ADDRESS_FAILED)
			continue;
		finding = finding_add(w, FINDING_LOCAL_PIN_STALE,
		    w->p->direct_proven ? CERTAINTY_PROVEN
					: CERTAINTY_CONSISTENT,
		    w->p->direct_proven && !w->works);
		finding_say(finding,
		    "%s:%d names %s for %s, and that address gives no genuine "
		    "response%s",
		    o->file, o->line, o->address, o->name,
		    w->p->direct_proven ? "; another address does" : "");
		finding_about(finding, NULL, o->name);
		(void)snprintf(finding->address, sizeof(finding->address), "%s",
		    o->address);
		finding_cite(finding, i - 1);
		finding_cite(finding, seen->fetch);
		finding_cite(finding, w->p->proof);
	}
}

/* Every name gets a handle of a fake range, also one that cannot exist: then a
 * local proxy does the looking up, and the handle is no forgery. */
static void
diagnose_fakeip(struct workup *w)
{
	const struct seen_address *fake = NULL;
	struct finding *finding;
	bool random = false;

	for (size_t i = 0; i < w->p->address_count; i++) {
		if (w->p->addresses[i].sort == SORT_FAKEIP)
			fake = &w->p->addresses[i];
	}
	for (size_t i = 0; i < w->p->asked_count; i++)
		random = random || w->p->asked[i].random_addresses;
	if (fake == NULL || !random)
		return;
	finding =
	    finding_add(w, FINDING_LOCAL_FAKEIP, CERTAINTY_PROVEN, !w->works);
	finding_say(finding,
	    "a proxy on this machine or network answers every name, also ones "
	    "that cannot exist, with a handle of its own (%s); through it the "
	    "genuine response %s",
	    fake->address, w->works ? "comes" : "does not come");
	(void)snprintf(
	    finding->address, sizeof(finding->address), "%s", fake->address);
	finding_cite(finding, fake->fetch);
}

static void
diagnose_proxy(struct workup *w)
{
	const struct fact_fetch *proof;
	struct finding *finding;

	/* where other hosts answer directly, it is not the way out */
	if (w->p->direct_proven || !w->p->any_proven ||
	    !w->p->web_control_asked || w->p->web_control_ok)
		return;
	proof = &w->p->facts->items[w->p->proof].u.fetch;
	if (proof->proxy[0] == '\0')
		return;
	finding =
	    finding_add(w, FINDING_LOCAL_NEEDS_PROXY, CERTAINTY_PROVEN, true);
	finding_say(finding,
	    "the direct way out is closed; through the proxy %s the genuine "
	    "response comes",
	    proof->proxy);
	(void)snprintf(finding->address, sizeof(finding->address), "%.*s",
	    (int)sizeof(finding->address) - 1, proof->proxy);
	finding_cite(finding, w->p->proof);
}

void
diagnose_local(struct workup *w)
{
	diagnose_hosts(w);
	diagnose_fakeip(w);
	diagnose_proxy(w);
}
