/* SPDX-License-Identifier: ISC */
/* doctor/diagnose_local.c -- the certificate, the clock, and this machine. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "doctor/diagnose_priv.h"

/* --- the certificate --- */

/* By the time that others have, it is not over yet. */
static bool
only_looks_expired(struct workup *w)
{
	const struct finding *clock = finding_have(w, FINDING_CLOCK_SKEW);

	return clock != NULL && clock->certainty <= CERTAINTY_STRONG &&
	       w->ahead_s > w->p->input->over_s;
}

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
		if (input->expired && !only_looks_expired(w))
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
		/* no file is the fault of a network */
		code = reason_group(input->unusable.reason) == GROUP_NETWORK
			   ? FINDING_SERVER_UNREACHABLE
			   : FINDING_INPUT_UNREADABLE;
		break;
	}
	finding = finding_add(w, code, CERTAINTY_PROVEN, true);
	if (input->unusable.reason != REASON_NONE)
		finding_say(finding, "%s", input->unusable.text);
	if (code == FINDING_INPUT_NO_OCSP && input->crl[0] != '\0')
		finding_say(finding,
		    "%s; who checks revocation all the same reads the CRL %s",
		    finding_row(code)->meaning, input->crl);
	if (code == FINDING_INPUT_NO_OCSP && input->must_staple)
		finding_say(finding, "the certificate demands a staple (RFC "
				     "7633) and names no OCSP responder to get "
				     "one from: no client that obeys it can "
				     "connect");
	finding_cite(finding, index - 1);
}

/* --- the clock --- */

/* What other clocks say of ours, of one kind. */
struct clocks {
	int count; /* of different hosts that agree; 0 none, or they do not */
	int64_t ahead; /* the middle of them; of bounds the farthest behind */
};

/* Whether the fact INDEX, a clock, is of a host that was not counted. */
static bool
is_another_clock(const struct facts *facts, size_t index)
{
	const struct fact_clock *clock = &facts->items[index].u.clock;

	for (size_t i = 0; i < index; i++) {
		const struct fact_clock *before = &facts->items[i].u.clock;

		if (facts->items[i].kind == FACT_CLOCK &&
		    before->authenticated == clock->authenticated &&
		    before->bound == clock->bound &&
		    strcasecmp(before->host, clock->host) == 0)
			return false;
	}
	return true;
}

static struct clocks
read_clocks(const struct workup *w, bool authenticated, bool bound)
{
	struct clocks out = {0};
	int64_t lowest = 0, highest = 0;
	const struct fact *fact;

	for (size_t i = 0;
	     (fact = next_fact(w->p->facts, FACT_CLOCK, &i)) != NULL;) {
		const struct fact_clock *clock = &fact->u.clock;

		if (clock->authenticated != authenticated ||
		    clock->bound != bound ||
		    !is_another_clock(w->p->facts, i - 1))
			continue;
		if (out.count == 0 || clock->ahead_s < lowest)
			lowest = clock->ahead_s;
		if (out.count == 0 || clock->ahead_s > highest)
			highest = clock->ahead_s;
		out.count++;
	}
	out.ahead = bound ? lowest : lowest + (highest - lowest) / 2;
	if (!bound && highest - lowest > VERIFY_SKEW)
		out.count = 0;
	return out;
}

static bool
is_off(int64_t ahead)
{
	return ahead < -VERIFY_SKEW || ahead > VERIFY_SKEW;
}

/* Two sources that cannot be forged are a proof, one with company is strong;
 * what came over plain HTTP is cheap to forge, and no more than a hint. */
static enum certainty
weigh_clocks(const struct clocks *dates, const struct clocks *bounds,
    const struct clocks *plain, int64_t *ahead)
{
	int sources = 0;
	bool company;

	if (dates->count > 0) {
		*ahead = dates->ahead;
		sources = dates->count;
		if (bounds->count > 0 &&
		    dates->ahead <= bounds->ahead + VERIFY_SKEW)
			sources++;
	} else if (bounds->count > 0) {
		*ahead = bounds->ahead;
		sources = bounds->count;
		/* how far, only a date tells */
		if (plain->count > 0 &&
		    plain->ahead <= bounds->ahead + VERIFY_SKEW)
			*ahead = plain->ahead;
	} else {
		*ahead = plain->ahead;
		return CERTAINTY_CONSISTENT;
	}
	company = plain->count > 0 && is_off(plain->ahead) &&
		  (plain->ahead < 0) == (*ahead < 0);
	if (sources >= 2)
		return CERTAINTY_PROVEN;
	return company ? CERTAINTY_STRONG : CERTAINTY_CONSISTENT;
}

/* Responses look as they would by a clock that is AHEAD, or behind. */
static bool
is_off_by_answers(const struct workup *w, int64_t ahead)
{
	enum reason looks = ahead > 0 ? REASON_EXPIRED : REASON_NOT_YET_VALID;

	for (size_t i = 0; i < w->p->address_count; i++) {
		if (w->p->addresses[i].state == ADDRESS_SPEAKS &&
		    w->p->addresses[i].reason == looks)
			return true;
	}
	return false;
}

/* By whom: "the HTTPS date of a and the signed response of b". */
static void
name_clocks(const struct workup *w, bool plain_too, struct finding *finding,
    char *out, size_t size)
{
	const struct fact *fact;
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0;
	     (fact = next_fact(w->p->facts, FACT_CLOCK, &i)) != NULL;) {
		const struct fact_clock *clock = &fact->u.clock;
		int wrote;

		if ((!clock->authenticated && !plain_too) ||
		    !is_off(clock->ahead_s))
			continue;
		finding_cite(finding, i - 1);
		if (len + 1 >= size)
			continue;
		wrote = snprintf(out + len, size - len, "%sthe %s of %.80s",
		    len == 0 ? "" : ", ", clock->how, clock->host);
		len += wrote > 0 ? (size_t)wrote : 0;
	}
}

void
diagnose_clock(struct workup *w)
{
	const struct clocks dates = read_clocks(w, true, false);
	const struct clocks bounds = read_clocks(w, true, true);
	const struct clocks plain = read_clocks(w, false, false);
	bool only_plain = dates.count == 0 && bounds.count == 0;
	struct finding *finding;
	enum certainty certainty;
	char span[CLOCK_SPAN], by[FACT_TEXT];
	int64_t ahead = 0;
	bool believed;

	/* unauthenticated ones only together: one liar is cheap */
	if (only_plain && plain.count < 2)
		return;
	/* a signature from tomorrow where the dates are right: its signer's
	 * clock is as likely to be wrong as ours */
	if (dates.count == 0 && bounds.count == 1 && plain.count > 0 &&
	    !is_off(plain.ahead))
		return;
	certainty = weigh_clocks(&dates, &bounds, &plain, &ahead);
	if (!is_off(ahead))
		return;
	/* a portal may not know the time: its word alone explains nothing */
	believed = certainty <= CERTAINTY_STRONG || is_off_by_answers(w, ahead);
	w->ahead_s = believed ? ahead : 0;
	finding = finding_add(
	    w, FINDING_CLOCK_SKEW, certainty, believed && !w->works);
	name_clocks(w, certainty != CERTAINTY_PROVEN, finding, by, sizeof(by));
	finding_say(finding,
	    "this machine's clock is %s%s %s (by %s): genuine responses look "
	    "%s%s",
	    dates.count == 0 && plain.count == 0 ? "at least " : "",
	    clock_span(ahead < 0 ? -ahead : ahead, span),
	    ahead < 0 ? "behind" : "ahead", by,
	    ahead < 0 ? "not valid yet" : "expired",
	    only_plain ? "; dates of plain HTTP can be forged" : "");
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

/* An answer that proves nothing is none, where another address has better. */
static bool
leads_nowhere(const struct workup *w, const struct seen_address *seen)
{
	return seen->state == ADDRESS_FAILED ||
	       (seen->state == ADDRESS_SPEAKS && w->p->direct_proven);
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
		    seen == NULL || !leads_nowhere(w, seen))
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
	finding_cite(finding, w->p->proof);
}

void
diagnose_local(struct workup *w)
{
	diagnose_hosts(w);
	diagnose_fakeip(w);
	diagnose_proxy(w);
}
