/* SPDX-License-Identifier: ISC */
/* doctor/diagnose_kinds.c -- what only looks like trouble: answers that differ
 * and all work, split horizon, DNS64 (NETWORK-TRUTH 3.2). */
#include <stdio.h>
#include <string.h>

#include "doctor/diagnose_priv.h"

static bool
may_differ(const struct seen_asked *a)
{
	return (a->party == PARTY_RESOLVER || a->party == PARTY_AUTHORITY) &&
	       a->datagram != PICTURE_NONE;
}

/* True if A names SEEN, or what DNS64 made of it. */
static bool
names(const struct picture *p, const struct seen_asked *a,
    const struct seen_address *seen)
{
	if (picture_names(p, a, seen->address))
		return true;
	for (size_t i = 0; i < p->address_count; i++) {
		if (strcmp(p->addresses[i].made_of, seen->address) == 0 &&
		    picture_names(p, a, p->addresses[i].address))
			return true;
	}
	return false;
}

/* True if two resolvers, or the zone's own servers, name no address in
 * common. */
static bool
answers_differ(const struct picture *p, bool *all_right, size_t cite[2])
{
	bool differ = false;

	*all_right = true;
	for (size_t i = 0; i < p->asked_count; i++) {
		const struct seen_asked *a = &p->asked[i];

		if (!may_differ(a))
			continue;
		*all_right = *all_right && a->responder == ANSWER_RIGHT;
		for (size_t j = 0; j < i; j++) {
			const struct seen_asked *b = &p->asked[j];
			bool common = false;

			if (!may_differ(b))
				continue;
			for (size_t k = 0; k < p->address_count && !common; k++)
				common = names(p, a, &p->addresses[k]) &&
					 names(p, b, &p->addresses[k]);
			if (common)
				continue;
			differ = true;
			cite[0] = b->datagram;
			cite[1] = a->datagram;
		}
	}
	return differ;
}

/* The system's own way works: by what kind of address? */
void
diagnose_kinds(struct workup *w)
{
	enum finding_code code = FINDING_COUNT;
	const struct seen_address *proven = NULL;
	size_t cite[2] = {PICTURE_NONE, PICTURE_NONE};
	struct finding *finding;
	bool all_right;

	for (size_t i = 0; i < w->p->address_count; i++) {
		const struct seen_address *seen = &w->p->addresses[i];

		if (seen->state != ADDRESS_PROVEN)
			continue;
		if (seen->sort == SORT_PRIVATE)
			code = FINDING_OK_OVERRIDE;
		else if (seen->sort == SORT_DNS64)
			code = FINDING_OK_DNS64;
		else
			continue;
		proven = seen;
	}
	if (code == FINDING_COUNT) {
		/* a proxy's handles differ from every address */
		if (finding_have(w, FINDING_LOCAL_FAKEIP) != NULL ||
		    !answers_differ(w->p, &all_right, cite))
			return;
		code = all_right ? FINDING_OK_GEO : FINDING_DNS_DIFFERS;
	}
	finding = finding_add(w, code,
	    code == FINDING_DNS_DIFFERS ? CERTAINTY_NOT_PROVEN
					: CERTAINTY_PROVEN,
	    false);
	finding_about(finding, NULL, w->p->host);
	if (proven != NULL) {
		(void)snprintf(finding->address, sizeof(finding->address), "%s",
		    proven->address);
		finding_cite(finding, proven->fetch);
	}
	finding_cite(finding, cite[0]);
	finding_cite(finding, cite[1]);
}
