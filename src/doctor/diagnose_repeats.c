/* SPDX-License-Identifier: ISC */
/* doctor/diagnose_repeats.c -- resolvers that answer now so and now so, and what
 * their TTLs tell. */
#include <stdio.h>
#include <string.h>

#include "doctor/diagnose_priv.h"

enum {
	LOSS_MIN = 2,      /* one lost datagram is nothing worth a word */
	WATCHED_MS = 1500, /* long enough for a TTL to have moved */
	TTL_SLACK_S = 1,
};

static void
add_finding(struct workup *w, const struct seen_asked *a, size_t cite)
{
	struct finding *finding =
	    finding_add(w, FINDING_INTERMITTENT, CERTAINTY_PROVEN, !w->works);
	const struct seen_repeats *r = &a->repeats;
	const char *host = w->p->host;
	bool lies = r->right > 0 && r->odd > 0;

	finding->breaks = finding->breaks && (lies || !system_names_one(w));
	if (lies)
		finding_say(finding,
		    "the resolver %s says now this and now that of %s: of %u "
		    "answers %u name an address that works, %u none",
		    a->asked, host, r->asked - r->silent, r->right, r->odd);
	else
		finding_say(finding,
		    "the resolver %s leaves %u of %u questions for %s without "
		    "an answer (%u %%)",
		    a->asked, r->silent, r->asked, host,
		    r->silent * 100 / r->asked);
	finding_about(finding, a, host);
	finding_cite(finding, r->right_fact);
	finding_cite(finding, r->odd_fact);
	finding_cite(finding, cite);
}

/* A question of A's that nobody answered. */
static size_t
find_silent(const struct workup *w, const struct seen_asked *a)
{
	const struct fact *fact;

	for (size_t i = 0;
	     (fact = next_fact(w->p->facts, FACT_QUESTION, &i)) != NULL;) {
		const struct fact_question *q = &fact->u.question;

		if (q->role == ROLE_RESPONDER && q->answers == 0 &&
		    strcmp(q->asked, a->asked) == 0)
			return i - 1;
	}
	return PICTURE_NONE;
}

/* Neither "it is right" nor "it is wrong" is the truth. */
void
diagnose_repeats(struct workup *w)
{
	for (size_t i = 0; i < w->p->asked_count; i++) {
		const struct seen_asked *a = &w->p->asked[i];
		const struct seen_repeats *r = &a->repeats;

		if (a->party != PARTY_RESOLVER || a->contradiction ||
		    (w->injected && a->transport == RESOLVER_UDP))
			continue;
		if ((r->right > 0 && r->odd > 0) ||
		    (r->silent >= LOSS_MIN && r->silent < r->asked))
			add_finding(w, a, find_silent(w, a));
	}
}

/* A cache counts its TTLs down; what comes fresh each time does not. */
const char *
repeats_tell_cache(const struct seen_repeats *r)
{
	int64_t passed_ms = r->last_ms - r->first_ms;
	int64_t counted = r->first_ttl_s - r->last_ttl_s;

	if (r->first_ttl_s < 0 || r->last_ttl_s < 0 || passed_ms < WATCHED_MS)
		return "";
	if (counted == 0)
		return "; its TTL does not count down, as a cache's does";
	return counted > 0 && counted <= passed_ms / 1000 + TTL_SLACK_S
		   ? "; its TTL counts down, so it is in a cache"
		   : "";
}
