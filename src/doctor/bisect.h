/* SPDX-License-Identifier: ISC */
/* doctor/bisect.h -- which name is targeted, and how wide.
 *
 * "One name, the CDN, or everything?" (NETWORK-TRUTH 4.3): how often each name
 * of the chain, and names beside them, were answered where no resolver is.
 * Silence is evidence only as far as the statistics go: a name is called not
 * injected when another one was, on the same path, and by chance so many
 * silences in a row would come less than once in a thousand times.  Pure. */
#ifndef OCLASP_DOCTOR_BISECT_H
#define OCLASP_DOCTOR_BISECT_H

#include "doctor/fact.h"
#include "doctor/names.h"

enum { BISECT_TEXT = 1536 }; /* with two names and two resolvers in it */

enum bisect_answer { BISECT_NO, BISECT_YES, BISECT_OPEN };

struct bisect_link {
	const char *name; /* borrowed of the facts */
	unsigned asked, answered;
	enum bisect_answer injected;
};

enum bisect_outcome {
	BISECT_INJECTED,    /* scope and links say what */
	BISECT_INTERCEPTED, /* the dark address answers controls too */
	BISECT_RESOLVER,    /* this path is clean, a resolver is wrong */
	BISECT_INCONCLUSIVE,
};

struct bisect {
	enum bisect_outcome outcome;
	struct bisect_link links[NAMES_CHAIN_MAX + 1]; /* n0 ... nk */
	size_t count;
	char scope[FACT_NAME_TEXT];       /* "host", "*.zone", "pattern", "" */
	char resolver[RESOLVER_URL_TEXT]; /* of BISECT_RESOLVER, else "" */
	/* the fewest with which a question was answered; who answers is no
	 * farther away.  0: not known */
	int hops;
	char verdict[BISECT_TEXT]; /* a sentence or three */
};

const char *bisect_outcome_name(enum bisect_outcome outcome);

void bisect_judge(
    const struct facts *facts, const char *host, struct bisect *out);

#endif
