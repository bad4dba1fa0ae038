/* SPDX-License-Identifier: ISC */
/* doctor/bisect.c -- which name is targeted, and how wide. */
#include "doctor/bisect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "doctor/picture.h"

#define CHANCE_MAX 1e-3 /* that silence was only luck */

/* Questions for NAME, or any of ROLE if NAME is NULL, to the dark address. */
struct tally {
	unsigned asked, answered;
};

static struct tally
count_dark(const struct facts *facts, enum fact_role role, const char *name)
{
	struct tally tally = {0};

	for (size_t i = 0; i < facts->count; i++) {
		const struct fact_question *q = &facts->items[i].u.question;

		if (facts->items[i].kind != FACT_QUESTION ||
		    q->party != PARTY_DARK || q->role != role ||
		    (name != NULL && strcasecmp(q->name, name) != 0))
			continue;
		tally.asked++;
		tally.answered += q->answers > 0 ? 1 : 0;
	}
	return tally;
}

/* --- the chain --- */

static void
add_link(struct bisect *b, const struct facts *facts, enum fact_role role,
    const char *name)
{
	struct tally tally = count_dark(facts, role, name);

	b->links[b->count++] = (struct bisect_link){
	    .name = name,
	    .asked = tally.asked,
	    .answered = tally.answered,
	    .injected = tally.answered > 0 ? BISECT_YES : BISECT_OPEN,
	};
}

/* The rate at which injected names were answered: the lowest seen. */
static double
positive_rate(const struct bisect *b)
{
	double rate = 0;

	for (size_t i = 0; i < b->count; i++) {
		const struct bisect_link *link = &b->links[i];
		double own;

		if (link->answered == 0)
			continue;
		/* that all of a few were answered makes no rate certain */
		own = (double)link->answered / (double)(link->asked + 1);
		if (rate <= 0 || own < rate)
			rate = own;
	}
	return rate;
}

/* True if so many silences are no luck where names are answered at RATE. */
static bool
is_silent_for_sure(unsigned asked, double rate)
{
	double chance = 1;

	if (asked == 0 || rate <= 0)
		return false;
	while (asked-- > 0 && chance >= CHANCE_MAX)
		chance *= 1 - rate;
	return chance < CHANCE_MAX;
}

static void
judge_links(struct bisect *b)
{
	double rate = positive_rate(b);

	for (size_t i = 0; i < b->count; i++) {
		struct bisect_link *link = &b->links[i];

		if (link->answered == 0 &&
		    is_silent_for_sure(link->asked, rate))
			link->injected = BISECT_NO;
	}
}

/* --- how wide --- */

/* The shortest zone of which a random child was answered. */
static const char *
answered_zone(const struct facts *facts)
{
	const char *zone = NULL;

	for (size_t i = 0; i < facts->count; i++) {
		const struct fact_question *q = &facts->items[i].u.question;
		const char *parent;

		if (facts->items[i].kind != FACT_QUESTION ||
		    q->party != PARTY_DARK || q->answers == 0 ||
		    (q->role != ROLE_SIBLING && q->role != ROLE_SUFFIX))
			continue;
		parent = strchr(q->name, '.');
		if (parent != NULL &&
		    (zone == NULL || strlen(parent) < strlen(zone)))
			zone = parent;
	}
	return zone;
}

/* False if the neighbours were not asked often enough to say. */
static bool
judge_scope(const struct facts *facts, struct bisect *b)
{
	struct tally sibling = count_dark(facts, ROLE_SIBLING, NULL);
	const char *zone = answered_zone(facts);

	/* it is below the control, which may be forged itself */
	if (count_dark(facts, ROLE_EMBEDDED, NULL).answered > 0 &&
	    count_dark(facts, ROLE_CONTROL, NULL).answered == 0)
		(void)snprintf(b->scope, sizeof(b->scope), "pattern");
	else if (zone != NULL)
		(void)snprintf(b->scope, sizeof(b->scope), "*%s", zone);
	else if (is_silent_for_sure(sibling.asked, positive_rate(b)))
		(void)snprintf(b->scope, sizeof(b->scope), "host");
	else
		return false;
	return true;
}

/* Routers on the way send no DNS: whoever answers sits before the last hop. */
static int
fewest_hops(const struct facts *facts)
{
	int fewest = 0;

	for (size_t i = 0; i < facts->count; i++) {
		const struct fact_question *q = &facts->items[i].u.question;

		if (facts->items[i].kind == FACT_QUESTION &&
		    q->role == ROLE_HOP && q->answers > 0 &&
		    (fewest == 0 || q->hops < fewest))
			fewest = q->hops;
	}
	return fewest;
}

/* --- what is said --- */

static void
say_injected(struct bisect *b)
{
	const struct bisect_link *first = NULL;
	size_t injected = 0, last = 0, open = 0;

	for (size_t i = 0; i < b->count; i++) {
		open += b->links[i].injected == BISECT_OPEN ? 1 : 0;
		if (b->links[i].injected != BISECT_YES)
			continue;
		if (first == NULL)
			first = &b->links[i];
		injected++;
		last = i;
	}
	if (first == NULL)
		return;
	if (strcmp(b->scope, "pattern") == 0)
		(void)snprintf(b->verdict, sizeof(b->verdict),
		    "every name that contains %s is targeted: the rule is not "
		    "anchored",
		    first->name);
	else if (b->scope[0] == '*')
		(void)snprintf(b->verdict, sizeof(b->verdict),
		    "a whole zone is targeted: every name that ends in %s",
		    b->scope + 1);
	else if (open > 0 || b->scope[0] == '\0')
		/* "only" needs every other name's silence for sure */
		(void)snprintf(b->verdict, sizeof(b->verdict),
		    "%s is targeted%s; INCONCLUSIVE how wide: the others and "
		    "their neighbours were not asked often enough to call "
		    "their silence sure",
		    first->name,
		    injected > 1 ? ", and other names of the chain" : "");
	else if (injected == 1 && last == 0)
		(void)snprintf(b->verdict, sizeof(b->verdict),
		    "only the CA's responder name %s is targeted; the names it "
		    "leads to are not, and can be asked by themselves",
		    first->name);
	else if (injected == 1 && last == b->count - 1)
		(void)snprintf(b->verdict, sizeof(b->verdict),
		    "only the single host %s at the end of the chain is "
		    "targeted; the CA's name and the CDN as a whole are not: "
		    "every customer mapped to that host is affected",
		    first->name);
	else if (injected == 1)
		(void)snprintf(b->verdict, sizeof(b->verdict),
		    "the name %s in the middle of the chain is targeted",
		    first->name);
	else if (injected == b->count)
		(void)snprintf(b->verdict, sizeof(b->verdict),
		    "all %zu names of the chain are targeted, from %s on, and "
		    "not everything: control names are not",
		    b->count, first->name);
	else
		(void)snprintf(b->verdict, sizeof(b->verdict),
		    "%zu of the %zu names of the chain are targeted, %s among "
		    "them",
		    injected, b->count, first->name);
	(void)snprintf(b->verdict + strlen(b->verdict),
	    sizeof(b->verdict) - strlen(b->verdict),
	    ". Forged answers are put on the path from this host; who runs "
	    "the device cannot be told from here");
}

/* No dark address, or silence from it: what resolvers say of each name. */
static void
judge_resolvers(const struct facts *facts, struct bisect *b)
{
	struct picture picture;

	picture_make(facts, &picture);
	for (size_t i = 0; i < picture.asked_count; i++) {
		const struct seen_asked *asked = &picture.asked[i];

		if (asked->party != PARTY_RESOLVER ||
		    asked->responder != ANSWER_WRONG || !picture.direct_proven)
			continue;
		b->outcome = BISECT_RESOLVER;
		(void)snprintf(
		    b->resolver, sizeof(b->resolver), "%s", asked->asked);
		(void)snprintf(b->verdict, sizeof(b->verdict),
		    "no forged answer was seen on the path; the resolver %s, "
		    "or whom it asks, is wrong",
		    asked->asked);
		return;
	}
}

/* An error of the way, or ICMP, is no silence. */
static bool
is_unreachable(const struct facts *facts)
{
	for (size_t i = 0; i < facts->count; i++) {
		const struct fact_question *q = &facts->items[i].u.question;

		if (facts->items[i].kind == FACT_QUESTION &&
		    q->party == PARTY_DARK &&
		    q->err.reason == REASON_UNREACHABLE)
			return true;
	}
	return false;
}

/* --- where resolvers part, which is no proof of who is right --- */

/* The addresses of A's first answer for NAME by itself; NULL: none. */
static const struct fact_datagram *
answer_for(
    const struct facts *facts, const struct seen_asked *a, const char *name)
{
	for (size_t i = 0; i < facts->count; i++) {
		const struct fact *fact = &facts->items[i];
		const struct fact_question *q;

		if (fact->kind != FACT_DATAGRAM || fact->u.datagram.elsewhere ||
		    fact->u.datagram.address_count == 0)
			continue;
		q = &facts->items[fact->u.datagram.question].u.question;
		if (q->party == a->party && q->type == DNS_A && !q->cd &&
		    !q->no_rd && strcmp(q->asked, a->asked) == 0 &&
		    strcasecmp(q->name, name) == 0)
			return &fact->u.datagram;
	}
	return NULL;
}

/* Two resolvers name no address of NAME in common: say so. */
static bool
say_difference(const struct facts *facts, const struct picture *p,
    const char *name, struct bisect *b)
{
	size_t len = strlen(b->verdict);

	for (size_t i = 0; i < p->asked_count; i++) {
		const struct fact_datagram *one =
		    p->asked[i].party != PARTY_RESOLVER
			? NULL
			: answer_for(facts, &p->asked[i], name);

		for (size_t k = 0; one != NULL && k < i; k++) {
			const struct fact_datagram *other =
			    p->asked[k].party != PARTY_RESOLVER
				? NULL
				: answer_for(facts, &p->asked[k], name);

			if (other == NULL || facts_share_address(one, other))
				continue;
			(void)snprintf(b->verdict + len,
			    sizeof(b->verdict) - len,
			    ". Resolvers part at %s: %s says %s, %s says %s; "
			    "which is right, only a genuine response proves: "
			    "`oclasp doctor CERTIFICATE`",
			    name, p->asked[k].asked, other->addresses[0],
			    p->asked[i].asked, one->addresses[0]);
			return true;
		}
	}
	return false;
}

/* The last link at which they part: what is before it only leads there. */
static void
say_where_they_part(const struct facts *facts, struct bisect *b)
{
	struct picture *p = mem_new(sizeof(*p));
	bool said = false;

	picture_make(facts, p);
	for (size_t i = b->count; i > 0 && !said; i--)
		said = say_difference(facts, p, b->links[i - 1].name, b);
	free(p);
}

static void
judge_silence(const struct facts *facts, struct bisect *b, bool dark)
{
	b->outcome = BISECT_INCONCLUSIVE;
	judge_resolvers(facts, b);
	if (b->outcome == BISECT_RESOLVER)
		return;
	if (dark && is_unreachable(facts))
		(void)snprintf(b->verdict, sizeof(b->verdict),
		    "INCONCLUSIVE: the blackhole address cannot be reached, or "
		    "its host says that nobody listens: choose another one");
	else if (!dark)
		(void)snprintf(b->verdict, sizeof(b->verdict),
		    "INCONCLUSIVE: give --blackhole ADDRESS, a host beyond the "
		    "border that is no resolver: what it 'answers' is forged");
	else
		(void)snprintf(b->verdict, sizeof(b->verdict),
		    "INCONCLUSIVE: no name was answered where no resolver is. "
		    "Nothing is forged on the way there, or the address does "
		    "not lie behind the forger: without a name that is known "
		    "to be forged there is no telling");
	say_where_they_part(facts, b);
}

const char *
bisect_outcome_name(enum bisect_outcome outcome)
{
	static const char *const names[] = {
	    [BISECT_INJECTED] = "injected",
	    [BISECT_INTERCEPTED] = "intercepted",
	    [BISECT_RESOLVER] = "resolver-wrong",
	    [BISECT_INCONCLUSIVE] = "inconclusive",
	};

	return names[outcome];
}

void
bisect_judge(const struct facts *facts, const char *host, struct bisect *out)
{
	struct tally control = count_dark(facts, ROLE_CONTROL, NULL);
	const char *chain[NAMES_CHAIN_MAX];
	size_t length = names_chain(facts, host, chain);
	bool any = false;

	*out = (struct bisect){0};
	add_link(out, facts, ROLE_RESPONDER, host);
	for (size_t i = 0; i < length; i++)
		add_link(out, facts, ROLE_CHAIN, chain[i]);
	for (size_t i = 0; i < out->count; i++)
		any = any || out->links[i].answered > 0;
	if (control.answered > 0 && !picture_dark_chooses(facts)) {
		out->outcome = BISECT_INTERCEPTED;
		for (size_t i = 0; i < out->count; i++)
			out->links[i].injected = BISECT_OPEN;
		(void)snprintf(out->verdict, sizeof(out->verdict),
		    "interception, not injection: the address answers for "
		    "control names too, so something answers every question "
		    "on port 53");
		return;
	}
	if (!any || control.asked == 0) {
		judge_silence(facts, out, control.asked > 0);
		return;
	}
	out->outcome = BISECT_INJECTED;
	judge_links(out);
	out->hops = fewest_hops(facts);
	if (!judge_scope(facts, out))
		out->scope[0] = '\0';
	say_injected(out);
}
