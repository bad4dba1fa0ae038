/* SPDX-License-Identifier: ISC */
/* doctor/diagnose_server.c -- what the TLS server serves, and its settings. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doctor/diagnose_priv.h"

struct served {
	bool any, first, later, bad, good;
	size_t first_fact, later_fact, bad_fact;
};

static struct served
read_served(const struct workup *w)
{
	struct served served = {.first_fact = PICTURE_NONE,
	    .later_fact = PICTURE_NONE,
	    .bad_fact = PICTURE_NONE};
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
		if (s->stapled && !s->accepted) {
			served.bad = true;
			served.bad_fact = i - 1;
		}
		served.good = served.good || (s->stapled && s->accepted);
	}
	return served;
}

/* --- settings --- */

/* What nginx's own resolver says is wrong, or the error log shows that it went
 * to an address that does not work. */
static bool
asks_a_liar(const struct workup *w, const char *resolver, size_t *cite)
{
	const struct fact *fact;

	for (size_t i = 0; i < w->p->asked_count; i++) {
		const struct seen_asked *a = &w->p->asked[i];

		if (a->party == PARTY_RESOLVER && resolver[0] != '\0' &&
		    a->host_length == strlen(resolver) &&
		    strncmp(a->host, resolver, a->host_length) == 0 &&
		    a->responder != ANSWER_RIGHT &&
		    a->responder != ANSWER_NOT_ASKED) {
			*cite = a->datagram != PICTURE_NONE ? a->datagram
							    : a->question;
			return true;
		}
	}
	for (size_t i = 0;
	     (fact = next_fact(w->p->facts, FACT_PEER, &i)) != NULL;) {
		const struct seen_address *seen =
		    picture_address(w->p, fact->u.peer.address);

		if (seen != NULL && seen->state == ADDRESS_FAILED) {
			*cite = i - 1;
			return true;
		}
	}
	return false;
}

/* The settings that only matter because of what the network does. */
static void
judge_resolver(struct workup *w, enum finding_code code, size_t index)
{
	const struct fact_setting *s = &w->p->facts->items[index].u.setting;
	size_t cite = PICTURE_NONE;
	bool lied = asks_a_liar(w, s->address, &cite);
	struct finding *finding;

	finding = finding_add(w, code,
	    lied && w->works ? CERTAINTY_PROVEN : CERTAINTY_CONSISTENT,
	    lied && w->works);
	(void)snprintf(
	    finding->address, sizeof(finding->address), "%s", s->address);
	finding_cite(finding, index);
	finding_cite(finding, cite);
	if (w->works)
		finding_cite(finding, w->p->proof);
}

/* No setting of its own, and yet its log names an address that nobody names any
 * more. */
static void
judge_frozen(struct workup *w)
{
	const struct fact *fact;

	if (!w->works ||
	    finding_have(w, FINDING_SERVER_CFG_RESOLVER_WRONG) != NULL ||
	    finding_have(w, FINDING_SERVER_CFG_RESOLVER_IGNORES_HOSTS) != NULL)
		return;
	for (size_t i = 0;
	     (fact = next_fact(w->p->facts, FACT_PEER, &i)) != NULL;) {
		const char *address = fact->u.peer.address;
		const struct seen_address *seen =
		    picture_address(w->p, address);
		struct finding *finding;
		bool named = false;

		for (size_t a = 0; a < w->p->asked_count; a++)
			named =
			    named ||
			    (w->p->asked[a].party == PARTY_SYSTEM &&
				picture_names(w->p, &w->p->asked[a], address));
		if (named || seen == NULL || seen->state != ADDRESS_FAILED)
			continue;
		finding = finding_add(
		    w, FINDING_SERVER_CFG_FROZEN_ADDR, CERTAINTY_STRONG, true);
		(void)snprintf(
		    finding->address, sizeof(finding->address), "%s", address);
		finding_cite(finding, i - 1);
		finding_cite(finding, seen->fetch);
		return;
	}
}

static void
judge_settings(struct workup *w, const struct served *served)
{
	const struct fact *fact;

	for (size_t i = 0;
	     (fact = next_fact(w->p->facts, FACT_SETTING, &i)) != NULL;) {
		const struct fact_setting *s = &fact->u.setting;
		enum finding_code code;
		struct finding *finding;

		if (!finding_find(s->code, &code))
			continue;
		if (code == FINDING_SERVER_CFG_RESOLVER_IGNORES_HOSTS ||
		    code == FINDING_SERVER_CFG_RESOLVER_WRONG) {
			judge_resolver(w, code, i - 1);
			continue;
		}
		/* those that are no cause of what is missing */
		bool harmless = code == FINDING_SERVER_CFG_NO_VERIFY ||
				code == FINDING_SERVER_CFG_NO_OCSP_URL ||
				code == FINDING_SERVER_CFG_CHAIN_INCOMPLETE;
		finding = finding_add(w, code, CERTAINTY_PROVEN,
		    !harmless && served->any && !served->good);
		finding_say(finding, "%s (%s:%d)", finding_row(code)->meaning,
		    s->file, s->line);
		finding_cite(finding, i - 1);
	}
}

void
diagnose_server(struct workup *w)
{
	const struct served served = read_served(w);
	struct finding *finding;
	bool explained = false;

	judge_settings(w, &served);
	judge_frozen(w);
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
