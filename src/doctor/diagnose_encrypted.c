/* SPDX-License-Identifier: ISC */
/* doctor/diagnose_encrypted.c -- why an encrypted resolver gave nothing. */
#include <stdio.h>
#include <string.h>

#include "doctor/diagnose_priv.h"

/* What the TLS handshakes with A's server show. */
static void
judge_tls(struct workup *w, const struct seen_asked *a)
{
	bool own_failed = false, other_worked = false, connected = false;
	bool bad_certificate = false;
	size_t own = PICTURE_NONE, other = PICTURE_NONE;
	struct finding *finding;
	const struct fact *fact;

	for (size_t i = 0;
	     (fact = next_fact(w->p->facts, FACT_TLS, &i)) != NULL;) {
		const struct fact_tls *tls = &fact->u.tls;
		bool worked = tls->err.reason == REASON_NONE;

		if (strcmp(tls->resolver, a->asked) != 0)
			continue;
		connected = connected || tls->connected;
		bad_certificate = bad_certificate || tls->certificate_bad;
		if (tls->own) { /* whichever ended first */
			own_failed = !worked;
			own = i - 1;
		} else {
			other = worked || !other_worked ? i - 1 : other;
			other_worked = other_worked || worked;
		}
	}
	if (own == PICTURE_NONE)
		return;
	if (bad_certificate)
		finding = finding_add(w, FINDING_ENC_DNS_MITM,
		    w->ahead_s == 0 ? CERTAINTY_PROVEN : CERTAINTY_CONSISTENT,
		    false);
	else if (own_failed && other_worked)
		finding = finding_add(
		    w, FINDING_ENC_DNS_BLOCKED_SNI, CERTAINTY_PROVEN, false);
	else if (own_failed)
		finding = finding_add(w, FINDING_ENC_DNS_BLOCKED_IP,
		    connected ? CERTAINTY_CONSISTENT : CERTAINTY_STRONG, false);
	else
		return;
	if (finding->code != FINDING_ENC_DNS_MITM)
		finding_say(finding, "%s: %s", a->asked,
		    finding_row(finding->code)->meaning);
	else if (w->ahead_s != 0)
		finding_say(finding,
		    "the certificate that %s shows does not verify: somebody "
		    "else answers for it, or it is out of its time by this "
		    "machine's clock, which is wrong; nothing it says was "
		    "believed",
		    a->asked);
	finding_about(finding, a, w->p->facts->items[own].u.tls.sni);
	(void)snprintf(finding->address, sizeof(finding->address), "%s",
	    w->p->facts->items[own].u.tls.address);
	finding_cite(finding, own);
	finding_cite(finding, other);
}

void
diagnose_encrypted(struct workup *w)
{
	for (size_t i = 0; i < w->p->asked_count; i++) {
		const struct seen_asked *a = &w->p->asked[i];

		if (a->transport == RESOLVER_TLS ||
		    a->transport == RESOLVER_HTTPS)
			judge_tls(w, a);
	}
}
