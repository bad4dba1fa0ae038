/* SPDX-License-Identifier: ISC */
/* doctor/diagnose_server.c -- what the TLS server serves. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doctor/diagnose_priv.h"

struct served {
	unsigned complete, stapled; /* handshakes for this certificate */
	bool first, later, bad, good;
	bool unjudged; /* one could not be, for a reason that is ours */
	/* several at once, or a later one without what one before had */
	bool differ;
	size_t first_fact, later_fact, bad_fact, with_fact, without_fact;
};

/* Its staple was refused for what is wrong here: no issuer to judge it by, or a
 * clock by which it is over or not yet begun. */
static bool
is_our_fault(const struct workup *w, const struct fact_served *s)
{
	return reason_group(s->verdict.reason) == GROUP_INPUT ||
	       (w->ahead_s > 0 && s->verdict.reason == REASON_EXPIRED) ||
	       (w->ahead_s < 0 && s->verdict.reason == REASON_NOT_YET_VALID);
}

/* Those of one moment tell workers apart; of those in a row the first one is
 * without where a server fetches when it is asked. */
static void
take(const struct workup *w, struct served *served, const struct fact_served *s,
    size_t index)
{
	served->complete++;
	served->stapled += s->stapled ? 1 : 0;
	if (s->number == 1) {
		served->first = s->stapled;
		served->first_fact = index;
	} else if (!served->later) {
		served->later = s->stapled;
		served->later_fact = index;
	}
	if (s->stapled && served->with_fact == PICTURE_NONE)
		served->with_fact = index;
	if (!s->stapled && (served->with_fact != PICTURE_NONE || s->number > 2))
		served->without_fact = index;
	if (s->stapled && !s->accepted && is_our_fault(w, s)) {
		served->unjudged = true;
	} else if (s->stapled && !s->accepted) {
		served->bad = true;
		served->bad_fact = index;
	}
	served->good = served->good || (s->stapled && s->accepted);
}

static struct served
read_served(const struct workup *w)
{
	struct served served = {.first_fact = PICTURE_NONE,
	    .later_fact = PICTURE_NONE,
	    .bad_fact = PICTURE_NONE,
	    .with_fact = PICTURE_NONE,
	    .without_fact = PICTURE_NONE};
	const struct fact *fact;

	for (size_t i = 0;
	     (fact = next_fact(w->p->facts, FACT_SERVED, &i)) != NULL;) {
		const struct fact_served *s = &fact->u.served;

		if (s->err.reason == REASON_NONE && !s->nameless && !s->other)
			take(w, &served, s, i - 1);
	}
	served.differ = served.with_fact != PICTURE_NONE &&
			served.without_fact != PICTURE_NONE;
	return served;
}

/* Who asks by no name gets the same certificate without what others get. */
static void
judge_nameless(struct workup *w, const struct served *served)
{
	struct finding *finding;
	const struct fact *fact;

	if (!served->good || served->differ ||
	    finding_have(w, FINDING_SERVER_CFG_DEFAULT_SERVER) != NULL)
		return;
	for (size_t i = 0;
	     (fact = next_fact(w->p->facts, FACT_SERVED, &i)) != NULL;) {
		const struct fact_served *s = &fact->u.served;

		if (!s->nameless || s->err.reason != REASON_NONE || s->other ||
		    s->stapled)
			continue;
		finding = finding_add(w, FINDING_SERVER_CFG_DEFAULT_SERVER,
		    CERTAINTY_PROVEN, false);
		finding_say(finding,
		    "with the server name there is a staple, and without one, "
		    "for the same certificate, there is none: the default "
		    "server does not staple");
		finding_cite(finding, served->with_fact);
		finding_cite(finding, i - 1);
		return;
	}
}

static void
judge_staples(struct workup *w, const struct served *served, bool explained)
{
	struct finding *finding;

	if (served->bad) {
		finding = finding_add(
		    w, FINDING_SERVER_BAD_STAPLE, CERTAINTY_PROVEN, !explained);
		finding_cite(finding, served->bad_fact);
	} else if (served->differ) {
		/* who fetches lazily keeps what he has: these are several */
		finding = finding_add(
		    w, FINDING_SERVER_SOME_WORKERS, CERTAINTY_PROVEN, true);
		finding_say(finding,
		    "%u of %u handshakes carry a staple and the others none: "
		    "each worker of the server has its own, or several servers "
		    "answer at this address",
		    served->stapled, served->complete);
		finding_cite(finding, served->with_fact);
		finding_cite(finding, served->without_fact);
	} else if (!served->first && served->later) {
		finding =
		    finding_add(w, FINDING_SERVER_LAZY, CERTAINTY_PROVEN, true);
		finding_cite(finding, served->first_fact);
		finding_cite(finding, served->later_fact);
	} else if (!served->first && !served->later && !explained) {
		/* with a network that does not work, it is no wonder */
		finding = finding_add(
		    w, FINDING_SERVER_NO_STAPLE, CERTAINTY_PROVEN, w->works);
		finding_say(finding, "%s: none of %u handshakes carries one",
		    w->works ? "a genuine response can be had, and the server "
			       "staples none"
			     : "the server staples nothing",
		    served->complete);
		finding_cite(finding, served->first_fact);
		finding_cite(finding, served->later_fact);
	}
	judge_nameless(w, served);
}

void
diagnose_server(struct workup *w)
{
	const struct served served = read_served(w);
	bool explained = false;
	bool missing = served.complete > 0 && !served.good && !served.unjudged;

	diagnose_server_settings(w, missing);
	diagnose_keep(w, missing);
	for (size_t i = 0; i < w->out->count; i++)
		explained = explained ||
			    (w->out->findings[i].breaks &&
				finding_row(w->out->findings[i].code)->layer ==
				    LAYER_SERVER);
	if (served.complete == 0 ||
	    (w->p->input != NULL && !w->p->input->has_url && !served.bad))
		return;
	judge_staples(w, &served, explained);
}
