/* SPDX-License-Identifier: ISC */
/* doctor/diagnose_keep.c -- what our own keeper has to do with it. */
#include "doctor/diagnose_priv.h"

void
diagnose_keep(struct workup *w, bool missing)
{
	const struct fact_keep *keep;
	const struct fact *fact;
	size_t i = 0;

	fact = next_fact(w->p->facts, FACT_KEEP, &i);
	if (fact == NULL || !fact->u.keep.kept)
		return;
	keep = &fact->u.keep;
	if (missing && keep->usable_s > 0)
		finding_cite(finding_add(w, FINDING_KEEP_UNSERVED,
				 CERTAINTY_PROVEN, true),
		    i - 1);
	/* with a staple that is served it will be the cause of tomorrow; and
	 * where no staple can be had, it is not that of today */
	if (!keep->running)
		finding_cite(
		    finding_add(w, FINDING_KEEP_NOT_RUNNING, CERTAINTY_PROVEN,
			missing && keep->usable_s <= 0 && w->works),
		    i - 1);
}
