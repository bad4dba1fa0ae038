/* SPDX-License-Identifier: ISC */
/* doctor/diagnose_outside.c -- does anything outside this machine answer? */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acquire/private.h"
#include "doctor/diagnose_priv.h"

/* Two servers and more were asked for a name that exists, by whatever road, and
 * none said a word; the question of one of them to *CITE. */
static bool
nobody_answers(const struct workup *w, size_t *cite)
{
	const struct seen_asked *first = NULL;
	bool several = false;

	for (size_t i = 0; i < w->p->asked_count; i++) {
		const struct seen_asked *a = &w->p->asked[i];

		if (a->party != PARTY_RESOLVER || !a->control_asked)
			continue;
		if (a->control_answered || a->responder_answered > 0)
			return false;
		if (first == NULL)
			first = a;
		several = several || first->host_length != a->host_length ||
			  strncmp(first->host, a->host, a->host_length) != 0;
	}
	if (several)
		*cite = first->question;
	return several;
}

static bool
is_inside(const struct seen_asked *asked)
{
	const char *host = asked->host + (asked->host[0] == '[' ? 1 : 0);
	char address[DNS_ADDRESS_TEXT];

	(void)snprintf(address, sizeof(address), "%.*s",
	    (int)(asked->host + asked->host_length - host), host);
	return private_is_address(address);
}

/* Somebody outside this network was spoken with over TLS: what is closed is one
 * port, or one way. */
static bool
speaks_by_tls(const struct workup *w)
{
	const struct fact *fact;

	for (size_t i = 0;
	     (fact = next_fact(w->p->facts, FACT_CLOCK, &i)) != NULL;) {
		if (fact->u.clock.authenticated && !fact->u.clock.bound)
			return true;
	}
	for (size_t i = 0; i < w->p->asked_count; i++) {
		const struct seen_asked *a = &w->p->asked[i];

		if ((a->transport == RESOLVER_TLS ||
			a->transport == RESOLVER_HTTPS) &&
		    (a->control_answered || a->responder_answered > 0) &&
		    !is_inside(a))
			return true;
	}
	return false;
}

/* Nothing comes through, whoever is asked: then it is not this responder. */
bool
diagnose_outside(
    struct workup *w, const struct seen_address *seen, size_t silent)
{
	struct finding *finding;
	const struct fact *fact;
	size_t cite = PICTURE_NONE;

	if (seen == NULL && !w->p->web_control_asked &&
	    nobody_answers(w, &cite)) {
		/* there was no address of any host to knock at */
		finding = finding_add(
		    w, FINDING_LOCAL_NO_NETWORK, CERTAINTY_CONSISTENT, true);
		finding_cite(finding, cite);
		return true;
	}
	if (!w->p->web_control_asked || w->p->web_control_ok)
		return false;
	for (size_t i = 0; i < w->p->asked_count; i++) {
		if (seen == NULL && w->p->asked[i].control_answered)
			return false;
	}
	if (seen != NULL && silent == 0)
		return false;
	if (finding_have(w, FINDING_LOCAL_NEEDS_PROXY) != NULL)
		return true; /* there is one, and it has been said how */
	if (speaks_by_tls(w))
		return false;
	for (size_t i = 0;
	     (fact = next_fact(w->p->facts, FACT_CONTROL, &i)) != NULL;) {
		if (fact->u.control.kind == CONTROL_WEB)
			cite = i - 1;
	}
	finding =
	    finding_add(w, FINDING_LOCAL_NO_NETWORK, CERTAINTY_STRONG, true);
	finding_cite(finding, cite);
	if (seen != NULL)
		finding_about_address(finding, seen);
	return true;
}
