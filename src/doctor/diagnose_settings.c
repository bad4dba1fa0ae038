/* SPDX-License-Identifier: ISC */
/* doctor/diagnose_settings.c -- a server's configuration and log: what is a
 * fault by itself, and what is one only by what the network does. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "doctor/diagnose_priv.h"

/* A line of the log that is older says nothing of today: nginx retries every
 * 300 s after a failure, and after an hour at the latest. */
enum { LOG_AGE_MAX = CLOCK_DAY };

static bool
is_recent(const struct fact_peer *peer)
{
	return peer->age_s <= LOG_AGE_MAX;
}

/* --- the resolver --- */

/* The log's address that does not work, and that the system's own answer does
 * not name; NULL: none. */
static const struct fact *
dead_peer(const struct workup *w, size_t *index)
{
	const struct fact *fact;

	for (size_t i = 0;
	     (fact = next_fact(w->p->facts, FACT_PEER, &i)) != NULL;) {
		const char *address = fact->u.peer.address;
		const struct seen_address *seen =
		    picture_address(w->p, address);
		bool named = false;

		for (size_t a = 0; a < w->p->asked_count; a++)
			named =
			    named ||
			    (w->p->asked[a].party == PARTY_SYSTEM &&
				picture_names(w->p, &w->p->asked[a], address));
		if (named || seen == NULL || seen->state != ADDRESS_FAILED ||
		    !is_recent(&fact->u.peer))
			continue;
		*index = i - 1;
		return fact;
	}
	return NULL;
}

/* A is what nginx asks at ADDRESS: it does so by UDP. */
static bool
is_resolver(const struct seen_asked *a, const char *address)
{
	size_t bracket = a->host[0] == '[' ? 1 : 0;

	return a->party == PARTY_RESOLVER && a->transport == RESOLVER_UDP &&
	       address[0] != '\0' &&
	       a->host_length == strlen(address) + bracket &&
	       strncmp(a->host + bracket, address, strlen(address)) == 0;
}

/* What nginx's own resolver says is wrong, or the error log shows that it went
 * to an address that does not work. */
static bool
asks_a_liar(const struct workup *w, const char *resolver, size_t *cite)
{
	for (size_t i = 0; i < w->p->asked_count; i++) {
		const struct seen_asked *a = &w->p->asked[i];

		if (is_resolver(a, resolver) && a->responder != ANSWER_RIGHT &&
		    a->responder != ANSWER_OPEN &&
		    a->responder != ANSWER_NOT_ASKED) {
			*cite = a->datagram != PICTURE_NONE ? a->datagram
							    : a->question;
			return true;
		}
	}
	return dead_peer(w, cite) != NULL;
}

/* A `resolver` is a fault where it lies; that a line of the hosts file has no
 * effect on nginx, its author wants to know in any case. */
static void
judge_resolver(struct workup *w, enum finding_code code, size_t index)
{
	const struct fact_setting *s = &w->p->facts->items[index].u.setting;
	size_t cite = PICTURE_NONE;
	bool lied = asks_a_liar(w, s->address, &cite) && w->works;
	struct finding *finding;

	if (code == FINDING_SERVER_CFG_RESOLVER_WRONG && !lied)
		return;
	finding = finding_add(w, code, CERTAINTY_PROVEN, lied);
	if (lied && code == FINDING_SERVER_CFG_RESOLVER_IGNORES_HOSTS)
		finding_say(finding, "%s, and that one names a wrong address",
		    finding_row(code)->meaning);
	(void)snprintf(
	    finding->address, sizeof(finding->address), "%s", s->address);
	finding_cite(finding, index);
	finding_cite(finding, cite);
	if (lied)
		finding_cite(finding, w->p->proof);
}

/* INDEX is of the setting, or PICTURE_NONE: then it only looks as if. */
static void
judge_frozen(struct workup *w, size_t index)
{
	const struct fact *peer;
	struct finding *finding;
	size_t at = PICTURE_NONE;

	peer = w->works ? dead_peer(w, &at) : NULL;
	if (peer == NULL && index == PICTURE_NONE)
		return;
	finding = finding_add(w, FINDING_SERVER_CFG_FROZEN_ADDR,
	    index != PICTURE_NONE ? CERTAINTY_PROVEN : CERTAINTY_STRONG,
	    peer != NULL);
	finding_cite(finding, index);
	if (peer == NULL)
		return;
	finding_say(finding, "%s: %s, which does not work any more",
	    finding_row(finding->code)->meaning, peer->u.peer.address);
	(void)snprintf(finding->address, sizeof(finding->address), "%s",
	    peer->u.peer.address);
	finding_cite(finding, at);
	finding_cite(
	    finding, picture_address(w->p, peer->u.peer.address)->fetch);
}

/* --- one setting --- */

/* Those that are no cause of a missing staple. */
static bool
is_harmless(enum finding_code code)
{
	return code == FINDING_SERVER_CFG_NO_VERIFY ||
	       code == FINDING_SERVER_CFG_NO_OCSP_URL ||
	       code == FINDING_SERVER_CFG_DEFAULT_SERVER ||
	       code == FINDING_SERVER_CFG_CHAIN_INCOMPLETE;
}

/* The clock is ahead: what is past its time by it may be fresh. */
static void
doubt(struct finding *finding)
{
	finding->certainty = CERTAINTY_CONSISTENT;
	finding->breaks = false;
	finding_say(finding,
	    "the response in ssl_stapling_file is past its time by this "
	    "machine's clock, which is wrong");
}

/* The setting INDEX, which adds one finding or none. */
static void
judge(struct workup *w, size_t index, bool missing)
{
	const struct fact_setting *s = &w->p->facts->items[index].u.setting;
	enum finding_code code;
	struct finding *finding;

	if (!finding_find(s->code, &code))
		return;
	if (code == FINDING_SERVER_CFG_RESOLVER_IGNORES_HOSTS ||
	    code == FINDING_SERVER_CFG_RESOLVER_WRONG) {
		judge_resolver(w, code, index);
	} else if (code == FINDING_SERVER_CFG_FROZEN_ADDR) {
		judge_frozen(w, index);
	} else {
		finding = finding_add(
		    w, code, CERTAINTY_PROVEN, missing && !is_harmless(code));
		finding_cite(finding, index);
		if (code == FINDING_SERVER_CFG_FILE_STALE && w->ahead_s > 0)
			doubt(finding);
	}
}

/* --- the log --- */

static void
judge_log(struct workup *w, size_t index)
{
	const struct fact_peer *p = &w->p->facts->items[index].u.peer;
	struct finding *finding;

	if (!is_recent(p) || p->text[0] == '\0')
		return;
	finding =
	    finding_add(w, FINDING_SERVER_FETCH_FAILS, CERTAINTY_PROVEN, false);
	finding_say(finding, "%s, the last time at %s, for %s%s%s",
	    finding_row(finding->code)->meaning, p->when, p->host,
	    p->address[0] == '\0' ? "" : " at ", p->address);
	(void)snprintf(
	    finding->address, sizeof(finding->address), "%s", p->address);
	(void)snprintf(finding->name, sizeof(finding->name), "%s", p->host);
	finding_cite(finding, index);
}

/* --- all --- */

/* One of the code is there: this is more evidence of it. */
static bool
is_added(struct workup *w, size_t index)
{
	const struct fact_setting *s = &w->p->facts->items[index].u.setting;
	struct finding *have = NULL;
	enum finding_code code;

	if (finding_find(s->code, &code))
		have = finding_have(w, code);
	if (have == NULL)
		return false;
	finding_cite(have, index);
	return true;
}

void
diagnose_server_settings(struct workup *w, bool missing)
{
	const struct fact *fact;
	size_t last;

	for (size_t i = 0;
	     (fact = next_fact(w->p->facts, FACT_SETTING, &i)) != NULL;) {
		const struct fact_setting *s = &fact->u.setting;

		last = w->out->count;
		if (is_added(w, i - 1))
			continue;
		judge(w, i - 1, missing);
		if (w->out->count > last && s->line > 0) {
			struct finding *added = &w->out->findings[last];
			char sentence[FINDING_TEXT];

			(void)snprintf(
			    sentence, sizeof(sentence), "%s", added->sentence);
			finding_say(
			    added, "%s (%s:%d)", sentence, s->file, s->line);
		}
	}
	if (finding_have(w, FINDING_SERVER_CFG_RESOLVER_WRONG) == NULL &&
	    finding_have(w, FINDING_SERVER_CFG_RESOLVER_IGNORES_HOSTS) ==
		NULL &&
	    finding_have(w, FINDING_SERVER_CFG_FROZEN_ADDR) == NULL)
		judge_frozen(w, PICTURE_NONE);
	/* the newest line is the first */
	for (size_t i = 0;
	     finding_have(w, FINDING_SERVER_FETCH_FAILS) == NULL &&
	     next_fact(w->p->facts, FACT_PEER, &i) != NULL;)
		judge_log(w, i - 1);
}

struct finding *
diagnose_settings(const struct facts *facts, size_t *count)
{
	struct diagnosis *one = mem_new(sizeof(*one));
	struct picture picture;
	struct workup w = {.p = &picture, .out = one};
	struct finding *list = mem_array(facts->count + 1, sizeof(*list));

	*count = 0;
	picture_make(facts, &picture);
	for (size_t i = 0; i < facts->count; i++) {
		one->count = 0;
		if (facts->items[i].kind == FACT_SETTING)
			judge(&w, i, false);
		else if (facts->items[i].kind == FACT_PEER)
			judge_log(&w, i);
		if (one->count > 0)
			list[(*count)++] = one->findings[0];
	}
	free(one);
	return list;
}
