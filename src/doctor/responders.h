/* SPDX-License-Identifier: ISC */
/* doctor/responders.h -- the responders of well-known CAs, as a constant table.
 *
 * Its one source is docs/responders.tsv, which tools/responders-table turns
 * into C at build time; docs/RESPONDERS.md tells what the columns mean. */
#ifndef OCLASP_DOCTOR_RESPONDERS_H
#define OCLASP_DOCTOR_RESPONDERS_H

#include <stddef.h>

enum responder_offer {
	RESPONDER_OFFERED,
	RESPONDER_ENDING, /* new certificates name it no more */
	RESPONDER_ENDED,  /* it is turned off: not asked */
};

/* A text that is not known is NULL. */
struct responder_fact {
	const char *ca, *url;
	enum responder_offer offer;
	const char *since;     /* YYYY[-MM[-DD]], of an end */
	const char *cdn;       /* who carried it when the source was written */
	const char *certainty; /* "documented" "seen" "believed" */
	const char *checked;   /* YYYY-MM-DD */
	const char *source;
};

extern const struct responder_fact responder_facts[];
extern const size_t responder_fact_count;

#endif
