/* SPDX-License-Identifier: ISC */
/* doctor/picture_repeats.c -- of a picture: the same question several times
 * (NETWORK-TRUTH 4.1, R: rotation, loss, rate). */
#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "doctor/picture_priv.h"

enum {
	IN_VAIN = 3, /* questions for a name, before its silence is no loss */
	/* different answers of which each is from another /16, before it is
	 * called rotation: a CDN's are often neighbours */
	ROTATION = 3,
};

static bool
is_repeated(const struct seen_asked *seen, const struct fact_question *q)
{
	return q->party == PARTY_RESOLVER && q->role == ROLE_RESPONDER &&
	       q->type == DNS_A && !q->cd && !q->no_rd &&
	       strcmp(q->asked, seen->asked) == 0;
}

/* The first answer to the question at INDEX that can be believed, or NULL. */
static const struct fact *
first_answer(const struct facts *facts, size_t index, size_t *at)
{
	for (size_t i = index + 1; i < facts->count; i++) {
		const struct fact *fact = &facts->items[i];

		if (fact->kind != FACT_DATAGRAM ||
		    fact->u.datagram.question != index ||
		    fact->u.datagram.elsewhere)
			continue;
		*at = i;
		return fact;
	}
	return NULL;
}

/* The network of an answer with one address; 0: of another kind. */
static unsigned
network_of(const struct fact_datagram *d)
{
	uint8_t v4[4];

	if (d->address_count != 1 ||
	    inet_pton(AF_INET, d->addresses[0], v4) != 1)
		return 0;
	return (unsigned)v4[0] << 8 | v4[1];
}

static void
take_answer(const struct picture *p, struct seen_repeats *r,
    const struct fact *fact, size_t index, unsigned networks[ROTATION])
{
	const struct fact_datagram *d = &fact->u.datagram;
	enum answer_state state = picture_state_of(p, d);
	unsigned network = network_of(d), known = 0;

	if (r->right + r->odd == 0) {
		r->first_ms = fact->at_ms;
		r->first_ttl_s = d->ttl_s;
	}
	r->last_ms = fact->at_ms;
	r->last_ttl_s = d->ttl_s;
	if (state == ANSWER_RIGHT) {
		r->right++;
		r->right_fact = index;
		return;
	}
	if (state == ANSWER_OPEN || state == ANSWER_TRUNCATED)
		return;
	r->odd++;
	r->odd_fact = index;
	while (known < ROTATION && networks[known] != 0 &&
	       networks[known] != network)
		known++;
	if (network != 0 && known < ROTATION)
		networks[known] = network;
	r->rotates = networks[ROTATION - 1] != 0;
}

void
picture_compare_repeats(const struct picture *p, struct seen_asked *seen)
{
	unsigned networks[ROTATION] = {0};

	for (size_t i = 0; i < p->facts->count; i++) {
		const struct fact *fact = &p->facts->items[i], *answer;
		size_t at;

		if (fact->kind != FACT_QUESTION ||
		    !is_repeated(seen, &fact->u.question))
			continue;
		seen->repeats.asked++;
		answer = first_answer(p->facts, i, &at);
		if (answer == NULL)
			seen->repeats.silent++;
		else
			take_answer(p, &seen->repeats, answer, at, networks);
	}
}

/* How often NAME was asked for where no resolver is; 0: it was answered once. */
static unsigned
asked_in_vain(const struct facts *facts, const char *name)
{
	unsigned asked = 0;

	for (size_t i = 0; i < facts->count; i++) {
		const struct fact_question *q = &facts->items[i].u.question;

		if (facts->items[i].kind != FACT_QUESTION ||
		    q->party != PARTY_DARK || q->role == ROLE_HOP ||
		    strcasecmp(q->name, name) != 0)
			continue;
		if (q->answers > 0)
			return 0;
		/* one that was cut short says nothing */
		asked += q->err.reason == REASON_DNS_NO_ANSWER ? 1 : 0;
	}
	return asked;
}

/* One that was asked over TLS says the same of the control as FROM. */
static bool
is_confirmed(const struct facts *facts, const struct fact_datagram *from)
{
	for (size_t i = 0; i < facts->count; i++) {
		const struct fact_datagram *d = &facts->items[i].u.datagram;
		const struct fact_question *q;

		if (facts->items[i].kind != FACT_DATAGRAM)
			continue;
		q = &facts->items[d->question].u.question;
		if (q->role == ROLE_CONTROL &&
		    (text_starts(q->asked, "tls://") ||
			text_starts(q->asked, "https://")) &&
		    facts_share_address(d, from))
			return true;
	}
	return false;
}

/* Where no resolver is, the truth is told of the control. */
static bool
dark_knows_control(const struct facts *facts)
{
	for (size_t i = 0; i < facts->count; i++) {
		const struct fact_datagram *d = &facts->items[i].u.datagram;
		const struct fact_question *q;

		if (facts->items[i].kind != FACT_DATAGRAM || d->elsewhere)
			continue;
		q = &facts->items[d->question].u.question;
		if (q->party == PARTY_DARK && q->role == ROLE_CONTROL &&
		    is_confirmed(facts, d))
			return true;
	}
	return false;
}

bool
picture_dark_chooses(const struct facts *facts)
{
	/* nobody forges that: it is lost now and then */
	if (dark_knows_control(facts))
		return false;
	for (size_t i = 0; i < facts->count; i++) {
		const struct fact_question *q = &facts->items[i].u.question;

		if (facts->items[i].kind == FACT_QUESTION &&
		    q->party == PARTY_DARK && q->role != ROLE_HOP &&
		    asked_in_vain(facts, q->name) >= IN_VAIN)
			return true;
	}
	return false;
}
