/* SPDX-License-Identifier: ISC */
/* doctor/diagnose_costs.c -- what only costs time: IPv6 that leads nowhere, ways
 * that work now and then, a responder that takes long. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doctor/diagnose_priv.h"

enum {
	SLOW_MS = 2500,  /* near the 3 s that Apple's clients wait */
	REPEATS_MIN = 5, /* before "intermittent" is said */
};

static void
judge_ipv6(struct workup *w)
{
	const struct seen_address *dead = NULL;
	struct finding *finding;
	const struct fact *fact;
	bool v4_proven = false;

	for (size_t i = 0; i < w->p->address_count; i++) {
		const struct seen_address *seen = &w->p->addresses[i];
		bool v6 = strchr(seen->address, ':') != NULL;

		if (!v6 && seen->state == ADDRESS_PROVEN)
			v4_proven = true;
		if (v6 && seen->state == ADDRESS_PROVEN)
			return;
		if (v6 && seen->state == ADDRESS_FAILED && !seen->connected)
			dead = seen;
	}
	if (dead == NULL || !v4_proven || !w->p->v6_control_failed)
		return;
	finding =
	    finding_add(w, FINDING_NET_V6_BROKEN, CERTAINTY_STRONG, false);
	finding_about_address(finding, dead);
	for (size_t i = 0;
	     (fact = next_fact(w->p->facts, FACT_CONNECT, &i)) != NULL;) {
		if (fact->u.connect.control)
			finding_cite(finding, i - 1);
	}
}

/* Neither "works" nor "fails" is the truth. */
static void
judge_rates(struct workup *w)
{
	const struct seen_address *mixed = NULL;
	unsigned tries = 0, failures = 0;
	struct finding *finding;

	for (size_t i = 0; i < w->p->address_count; i++) {
		const struct seen_address *seen = &w->p->addresses[i];

		if (seen->state != ADDRESS_PROVEN || !seen->mixed ||
		    seen->tries < REPEATS_MIN)
			continue;
		mixed = seen;
		tries += seen->tries;
		failures += seen->failures;
	}
	if (mixed == NULL)
		return;
	finding =
	    finding_add(w, FINDING_INTERMITTENT, CERTAINTY_PROVEN, !w->works);
	finding_say(finding,
	    "the same way sometimes works and sometimes does not: %u of %u "
	    "tries at proven addresses failed (%u %%)",
	    failures, tries, failures * 100 / tries);
	finding_about_address(finding, mixed);
}

static void
judge_speed(struct workup *w)
{
	const struct seen_address *fastest = NULL;
	struct finding *finding;

	for (size_t i = 0; i < w->p->address_count; i++) {
		const struct seen_address *seen = &w->p->addresses[i];

		if (seen->state == ADDRESS_PROVEN &&
		    (fastest == NULL || seen->best_ms < fastest->best_ms))
			fastest = seen;
	}
	if (fastest == NULL || fastest->best_ms < SLOW_MS)
		return;
	finding =
	    finding_add(w, FINDING_RESPONDER_SLOW, CERTAINTY_PROVEN, false);
	finding_say(finding,
	    "the responder took %lld ms at best, which is about as long as "
	    "clients wait: a staple hides that",
	    (long long)fastest->best_ms);
	finding_about_address(finding, fastest);
}

void
diagnose_costs(struct workup *w)
{
	judge_ipv6(w);
	judge_rates(w);
	judge_speed(w);
}
