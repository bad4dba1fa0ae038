/* SPDX-License-Identifier: ISC */
/* doctor/diagnose_server.c -- what the TLS server serves. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doctor/diagnose_priv.h"

struct served {
	bool any, first, later, bad, good;
	/* one with a staple, and a later one without */
	bool lost;
	size_t first_fact, later_fact, bad_fact, with_fact, lost_fact;
};

static struct served
read_served(const struct workup *w)
{
	struct served served = {.first_fact = PICTURE_NONE,
	    .later_fact = PICTURE_NONE,
	    .bad_fact = PICTURE_NONE,
	    .with_fact = PICTURE_NONE,
	    .lost_fact = PICTURE_NONE};
	const struct fact *fact;

	for (size_t i = 0;
	     (fact = next_fact(w->p->facts, FACT_SERVED, &i)) != NULL;) {
		const struct fact_served *s = &fact->u.served;

		if (s->err.reason != REASON_NONE)
			continue;
		served.any = true;
		if (s->number == 1) {
			served.first = s->stapled;
			served.first_fact = i - 1;
		} else {
			served.later = served.later || s->stapled;
			served.later_fact = i - 1;
		}
		if (s->stapled && served.with_fact == PICTURE_NONE) {
			served.with_fact = i - 1;
		} else if (!s->stapled && served.with_fact != PICTURE_NONE) {
			served.lost = true;
			served.lost_fact = i - 1;
		}
		if (s->stapled && !s->accepted) {
			served.bad = true;
			served.bad_fact = i - 1;
		}
		served.good = served.good || (s->stapled && s->accepted);
	}
	return served;
}

void
diagnose_server(struct workup *w)
{
	const struct served served = read_served(w);
	struct finding *finding;
	bool explained = false;

	diagnose_server_settings(w, served.any && !served.good);
	diagnose_keep(w, served.any && !served.good);
	for (size_t i = 0; i < w->out->count; i++)
		explained = explained ||
			    (w->out->findings[i].breaks &&
				finding_row(w->out->findings[i].code)->layer ==
				    LAYER_SERVER);
	if (!served.any ||
	    (w->p->input != NULL && !w->p->input->has_url && !served.bad))
		return;
	if (served.bad) {
		finding = finding_add(
		    w, FINDING_SERVER_BAD_STAPLE, CERTAINTY_PROVEN, !explained);
		finding_cite(finding, served.bad_fact);
	} else if (served.lost) {
		/* who fetches lazily keeps what he has: these are several */
		finding = finding_add(
		    w, FINDING_SERVER_SOME_WORKERS, CERTAINTY_PROVEN, true);
		finding_cite(finding, served.with_fact);
		finding_cite(finding, served.lost_fact);
	} else if (!served.first && served.later) {
		finding =
		    finding_add(w, FINDING_SERVER_LAZY, CERTAINTY_PROVEN, true);
		finding_cite(finding, served.first_fact);
		finding_cite(finding, served.later_fact);
	} else if (!served.first && !served.later && !explained) {
		/* with a network that does not work, it is no wonder */
		finding = finding_add(
		    w, FINDING_SERVER_NO_STAPLE, CERTAINTY_PROVEN, w->works);
		finding_cite(finding, served.first_fact);
		finding_cite(finding, served.later_fact);
	}
}
