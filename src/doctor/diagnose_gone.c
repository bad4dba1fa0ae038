/* SPDX-License-Identifier: ISC */
/* doctor/diagnose_gone.c -- a responder's name that does not exist any more. */
#include <stdlib.h>
#include <string.h>

#include "doctor/diagnose_priv.h"

/* A is a server of the zone and says so (an interceptor does not), and it is
 * not contradicted by itself over TCP, where a forger cannot speak for it. */
static bool
is_authority_s_word(const struct picture *p, const struct seen_asked *a)
{
	const struct seen_asked *tcp = picture_over(p, a, RESOLVER_TCP);

	return a->party == PARTY_AUTHORITY && a->authoritative &&
	       (tcp == NULL || tcp->responder == a->responder);
}

/* Its own zone says that the name is gone, or two who cannot be lied for: who,
 * in words; NULL: it is not known to be. */
static const char *
says_gone(const struct workup *w, struct finding *cite)
{
	const struct seen_asked *encrypted = NULL;
	const char *who = NULL;

	if (w->p->direct_proven)
		return NULL;
	for (size_t i = 0; i < w->p->asked_count; i++) {
		const struct seen_asked *a = &w->p->asked[i];
		bool safe = a->party == PARTY_RESOLVER && is_beyond_lies(a);

		if (safe && (a->responder == ANSWER_RIGHT ||
				a->responder == ANSWER_OPEN ||
				a->responder == ANSWER_WRONG))
			return NULL;
		if (a->responder != ANSWER_NXDOMAIN)
			continue;
		if (is_authority_s_word(w->p, a))
			who = "its own zone says so";
		else if (safe && encrypted != NULL && who == NULL &&
			 !picture_same_server(a, encrypted))
			who = "two resolvers say so that were asked over TLS";
		if (safe && encrypted == NULL)
			encrypted = a;
		if (safe || a->party == PARTY_AUTHORITY)
			finding_cite(cite, a->datagram);
	}
	return who;
}

void
diagnose_gone(struct workup *w)
{
	struct finding gone = {0};
	const char *who = says_gone(w, &gone);

	if (who != NULL) {
		struct finding *finding =
		    finding_add(w, FINDING_NAME_GONE, CERTAINTY_PROVEN, true);

		finding_say(finding,
		    "the responder's name %s does not exist any more, %s: the "
		    "CA has retired it",
		    w->p->host, who);
		finding_about(finding, NULL, w->p->host);
		memcpy(finding->evidence, gone.evidence, sizeof(gone.evidence));
		finding->evidence_count = gone.evidence_count;
	}
}
