/* SPDX-License-Identifier: ISC */
/* doctor/diagnose_dns.c -- what each resolver says, beside the others.
 *
 * Failure alone is no proof: an address may be right and down.  A resolver is
 * called wrong only where other addresses are proven and its own were tried in
 * vain; otherwise answers "differ" (NETWORK-TRUTH 3.1). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doctor/diagnose_priv.h"

enum { TRIES_FOR_WRONG = 3 };

/* --- helpers --- */

/* Somebody else knows better. */
static bool
others_right(const struct picture *p, const struct seen_asked *a)
{
	for (size_t i = 0; i < p->asked_count; i++) {
		const struct seen_asked *other = &p->asked[i];

		if (other != a && other->party != PARTY_SYSTEM &&
		    !picture_same_server(other, a) &&
		    other->responder == ANSWER_RIGHT)
			return true;
	}
	return false;
}

/* The same of the same server, said already of another of its transports. */
static struct finding *
blamed(struct workup *w, const struct seen_asked *a, enum finding_code code)
{
	for (size_t i = 0; i < w->p->asked_count; i++) {
		const struct seen_asked *other = &w->p->asked[i];

		for (size_t f = 0; f < w->out->count; f++) {
			struct finding *finding = &w->out->findings[f];

			if (finding->code == code && other != a &&
			    picture_same_server(other, a) &&
			    strcmp(finding->resolver, other->asked) == 0)
				return finding;
		}
	}
	return NULL;
}

static struct finding *
blame(struct workup *w, const struct seen_asked *a, enum finding_code code,
    enum certainty certainty)
{
	struct finding *finding = blamed(w, a, code);

	if (finding == NULL) {
		finding = finding_add(w, code, certainty, !w->works);
		finding_about(finding, a, w->p->host);
	}
	/* a question without an answer is one; else its answer is */
	finding_cite(
	    finding, a->datagram != PICTURE_NONE ? a->datagram : a->question);
	if (w->p->direct_proven)
		finding_cite(finding, w->p->proof);
	return finding;
}

/* The same of one that names no address. */
static struct finding *
blame_for_nothing(struct workup *w, const struct seen_asked *a,
    enum finding_code code, enum certainty certainty)
{
	struct finding *finding = blame(w, a, code, certainty);

	finding->breaks = finding->breaks && !system_names_one(w);
	return finding;
}

/* --- wrong addresses --- */

/* The addresses of A's answers: how often each was tried at least, and of what
 * sort they are. */
static void
weigh(const struct picture *p, const struct seen_asked *a, unsigned *tries,
    bool *policy, const struct seen_address **worst)
{
	*tries = 0;
	*policy = a->confessed;
	*worst = NULL;
	for (size_t i = 0; i < p->address_count; i++) {
		const struct seen_address *seen = &p->addresses[i];

		if (!picture_names(p, a, seen->address))
			continue;
		if (*worst == NULL || seen->tries < *tries)
			*tries = seen->tries;
		*worst = seen;
		if (seen->sort == SORT_BOGON || seen->sort == SORT_PRIVATE)
			*policy = true;
	}
}

/* The terminal name by itself is wrong too, and the chain before it is right:
 * "wrong only at nk". */
static const char *
last_name(const struct picture *p, const struct seen_asked *a)
{
	const struct fact_datagram *d;

	if (a->datagram == PICTURE_NONE)
		return NULL;
	d = &p->facts->items[a->datagram].u.datagram;
	return d->chain_length == 0 ? NULL : d->chain[d->chain_length - 1];
}

/* What SAME, A's server where nobody can put words in its mouth, makes of it. */
static const char *
over_others(const struct seen_asked *a, const struct seen_asked *same)
{
	if (same == NULL)
		return "; over TCP or TLS it was not asked";
	if (same == a)
		return "; it says so over TCP or TLS";
	return same->responder == ANSWER_WRONG
		   ? "; over TCP or TLS it says the same"
		   : "; over TCP or TLS it does not say so";
}

/* One of A's addresses is what somebody else says who cannot be lied for: the
 * zone itself, or another resolver that was asked over TLS. */
static bool
is_confirmed(const struct picture *p, const struct seen_asked *a, bool by_zone)
{
	for (size_t i = 0; i < p->asked_count; i++) {
		const struct seen_asked *other = &p->asked[i];

		if (!is_beyond_lies(other) || picture_same_server(other, a) ||
		    (other->party == PARTY_AUTHORITY) != by_zone)
			continue;
		for (size_t k = 0; k < p->address_count; k++) {
			const char *address = p->addresses[k].address;

			if (picture_names(p, a, address) &&
			    picture_names(p, other, address))
				return true;
		}
	}
	return false;
}

static void
judge_wrong(struct workup *w, const struct seen_asked *a)
{
	const struct seen_asked *same = picture_undisturbed(w->p, a);
	const struct seen_address *worst;
	const char *last = last_name(w->p, a);
	enum finding_code code;
	enum certainty certainty;
	struct finding *finding;
	unsigned tries;
	bool policy;

	weigh(w->p, a, &tries, &policy, &worst);
	/* its addresses may be right and down, or closed to all but a proxy */
	if (!w->p->direct_proven || worst == NULL)
		return;
	if (worst->sort == SORT_FAKEIP &&
	    finding_have(w, FINDING_LOCAL_FAKEIP) != NULL)
		return; /* a handle of the proxy, which has been named */
	if (is_confirmed(w->p, a, true))
		return; /* it is right, and what is there is dead */
	certainty =
	    tries >= TRIES_FOR_WRONG ? CERTAINTY_STRONG : CERTAINTY_CONSISTENT;
	/* that it is the server and not the way to it, every transport shows;
	 * that an address is wrong and not dead, only one that is nobody's */
	if (same != NULL && same->responder == ANSWER_WRONG &&
	    tries >= TRIES_FOR_WRONG && worst->sort == SORT_BOGON)
		certainty = CERTAINTY_PROVEN;
	/* two may be steered to what is dead as well as lied to */
	if (is_confirmed(w->p, a, false))
		certainty = CERTAINTY_CONSISTENT;
	if (a->confessed)
		certainty = CERTAINTY_PROVEN;
	code =
	    policy ? FINDING_DNS_RESOLVER_POLICY : FINDING_DNS_RESOLVER_WRONG;
	finding = blamed(w, a, code);
	if (finding != NULL) {
		finding_cite(finding, a->datagram);
		return;
	}
	finding = blame(w, a, code, certainty);
	if (!policy)
		finding_say(finding,
		    "the resolver %s gives wrong data for %s (%s, tried %u "
		    "times in vain)%s%s%s%s: by what mechanism is not known",
		    a->asked, w->p->host, worst->address, tries,
		    last == NULL ? "" : ", under its last CNAME name ",
		    last == NULL ? "" : last, over_others(a, same),
		    repeats_tell_cache(&a->repeats));
	else
		finding_say(finding,
		    "the resolver %s refuses or rewrites %s by a policy of its "
		    "own (%s%s)",
		    a->asked, w->p->host, worst->address,
		    a->confessed ? ", and it says so by EDE" : "");
	if (last != NULL && !policy)
		finding_about(finding, NULL, last);
	(void)snprintf(
	    finding->address, sizeof(finding->address), "%s", worst->address);
	finding_cite(finding, worst->fetch);
}

/* --- NXDOMAIN --- */

static void
judge_nxdomain(struct workup *w, const struct seen_asked *a)
{
	const struct seen_asked *same = picture_undisturbed(w->p, a);
	bool confirmed = a->confessed ||
			 (same != NULL && same->responder == ANSWER_NXDOMAIN);

	if (finding_have(w, FINDING_NAME_GONE) != NULL)
		return;
	if (!others_right(w->p, a) && !w->p->direct_proven) {
		/* all say so, none that could not be lied for */
		struct finding *finding = finding_add(
		    w, FINDING_NAME_GONE, CERTAINTY_CONSISTENT, false);

		finding_say(finding,
		    "all resolvers that were asked say that %s does not "
		    "exist, which is no proof yet: ask its zone, or two "
		    "resolvers over TLS",
		    w->p->host);
		finding_cite(finding, a->datagram);
		return;
	}
	(void)blame(w, a, FINDING_DNS_RESOLVER_POLICY,
	    confirmed ? CERTAINTY_PROVEN : CERTAINTY_CONSISTENT);
}

/* --- failures and silence --- */

static void
judge_servfail(struct workup *w, const struct seen_asked *a)
{
	struct finding *finding;

	finding = blame_for_nothing(w, a,
	    a->cd_answers || a->bogus ? FINDING_DNS_BOGUS
				      : FINDING_DNS_SERVFAIL,
	    a->cd_answers ? CERTAINTY_PROVEN : CERTAINTY_STRONG);
	if (finding->code == FINDING_DNS_SERVFAIL && !others_right(w->p, a))
		finding_say(finding,
		    "a resolver fails to look this name up (SERVFAIL), and none "
		    "that was asked can do better");
}

/* How plain UDP fares in all: questions for controls. */
static void
count_controls(
    const struct picture *p, bool udp, unsigned *asked, unsigned *answered)
{
	*asked = *answered = 0;
	for (size_t i = 0; i < p->asked_count; i++) {
		const struct seen_asked *a = &p->asked[i];

		if (a->party != PARTY_RESOLVER || !a->control_asked ||
		    (a->transport == RESOLVER_UDP) != udp)
			continue;
		*asked += 1;
		*answered += a->control_answered ? 1 : 0;
	}
}

/* Another plain resolver has something to say of the name. */
static bool
others_answer(const struct picture *p, const struct seen_asked *a)
{
	for (size_t i = 0; i < p->asked_count; i++) {
		const struct seen_asked *other = &p->asked[i];

		if (other->party == PARTY_RESOLVER &&
		    other->transport == RESOLVER_UDP &&
		    other->responder_answered > 0 &&
		    !picture_same_server(other, a))
			return true;
	}
	return false;
}

static void
judge_dropped(struct workup *w, const struct seen_asked *a)
{
	struct finding *finding;

	if (finding_have(w, FINDING_DNS_NAME_DROPPED) != NULL)
		return;
	finding =
	    blame_for_nothing(w, a, FINDING_DNS_NAME_DROPPED, CERTAINTY_STRONG);
	if (others_answer(w->p, a))
		finding_say(finding,
		    "questions for this name get no answer from %s, questions "
		    "for other names do; other plain resolvers answer them",
		    a->asked);
}

static void
judge_silence(struct workup *w, const struct seen_asked *a)
{
	const struct seen_asked *tcp = picture_over(w->p, a, RESOLVER_TCP);
	unsigned asked, answered, asked_else, answered_else;

	count_controls(w->p, true, &asked, &answered);
	count_controls(w->p, false, &asked_else, &answered_else);
	if (a->control_answered) {
		judge_dropped(w, a);
	} else if (answered > 0) {
		(void)blame_for_nothing(
		    w, a, FINDING_DNS_RESOLVER_DOWN, CERTAINTY_PROVEN);
	} else if (answered_else > 0 &&
		   (asked > 1 || (tcp != NULL && tcp->control_answered))) {
		if (finding_have(w, FINDING_DNS_UDP_BLOCKED) == NULL)
			(void)blame_for_nothing(
			    w, a, FINDING_DNS_UDP_BLOCKED, CERTAINTY_STRONG);
	} else if (answered_else > 0 || w->p->web_control_ok ||
		   w->p->direct_proven) {
		/* the network is there and this one is not */
		(void)blame_for_nothing(
		    w, a, FINDING_DNS_RESOLVER_DOWN, CERTAINTY_STRONG);
	}
}

static void
judge_cut(struct workup *w, const struct seen_asked *a)
{
	if (a->transport == RESOLVER_TCP && a->reason == REASON_CONNECT_RESET &&
	    a->control_answered &&
	    finding_have(w, FINDING_DNS_TCP_RESET) == NULL)
		(void)blame_for_nothing(
		    w, a, FINDING_DNS_TCP_RESET, CERTAINTY_STRONG);
}

static void
judge_truncated(struct workup *w, const struct seen_asked *a)
{
	const struct seen_asked *tcp = picture_over(w->p, a, RESOLVER_TCP);

	if (tcp == NULL || tcp->responder == ANSWER_CUT ||
	    tcp->responder == ANSWER_SILENT)
		(void)blame_for_nothing(w, a, FINDING_DNS_TCP_BLOCKED,
		    tcp == NULL ? CERTAINTY_CONSISTENT : CERTAINTY_PROVEN);
}

static void
judge(struct workup *w, const struct seen_asked *a)
{
	switch (a->responder) {
	case ANSWER_WRONG:
		judge_wrong(w, a);
		break;
	case ANSWER_NXDOMAIN:
		judge_nxdomain(w, a);
		break;
	case ANSWER_SERVFAIL:
		judge_servfail(w, a);
		break;
	case ANSWER_SILENT:
		if (a->transport == RESOLVER_UDP)
			judge_silence(w, a);
		break;
	case ANSWER_CUT:
		judge_cut(w, a);
		break;
	case ANSWER_TRUNCATED:
		judge_truncated(w, a);
		break;
	case ANSWER_LOOP:
		(void)blame_for_nothing(
		    w, a, FINDING_DNS_LOOP, CERTAINTY_PROVEN);
		break;
	case ANSWER_EMPTY:
		(void)blame_for_nothing(w, a, FINDING_DNS_EMPTY,
		    others_right(w->p, a) ? CERTAINTY_STRONG
					  : CERTAINTY_CONSISTENT);
		break;
	default:
		break;
	}
}

/* --- what only looks like trouble --- */

/* Two, of which one was asked over TLS, have the same for what does not exist:
 * there is a wildcard in the control's own zone. */
static bool
is_wildcard(const struct picture *p, const struct seen_asked *a)
{
	for (size_t i = 0; i < p->asked_count; i++) {
		const struct seen_asked *other = &p->asked[i];

		if ((is_beyond_lies(other) || is_beyond_lies(a)) &&
		    !picture_same_server(other, a) &&
		    other->random != PICTURE_NONE &&
		    facts_share_address(
			&p->facts->items[other->random].u.datagram,
			&p->facts->items[a->random].u.datagram))
			return true;
	}
	return false;
}

static void
judge_rewriting(struct workup *w, const struct seen_asked *a)
{
	struct finding *finding;

	if (!a->random_addresses || a->responder != ANSWER_RIGHT ||
	    finding_have(w, FINDING_LOCAL_FAKEIP) != NULL ||
	    finding_have(w, FINDING_DNS_NX_REWRITE) != NULL ||
	    is_wildcard(w->p, a))
		return;
	finding = blame(w, a, FINDING_DNS_NX_REWRITE, CERTAINTY_PROVEN);
	finding->breaks = false;
}

void
diagnose_resolvers(struct workup *w)
{
	bool intercepted =
	    finding_have(w, FINDING_DNS_INTERCEPTED) != NULL ||
	    finding_have(w, FINDING_DNS_INTERCEPTED_POLICY) != NULL;

	for (size_t i = 0; i < w->p->asked_count; i++) {
		const struct seen_asked *a = &w->p->asked[i];

		if (a->party != PARTY_RESOLVER)
			continue;
		/* what is forged on the way is not the resolver's fault, and
		 * what an interceptor says nobody's who was asked */
		if (!intercepted &&
		    !(w->injected && a->transport == RESOLVER_UDP))
			judge(w, a);
		judge_rewriting(w, a);
	}
	if (w->works)
		diagnose_kinds(w);
}
