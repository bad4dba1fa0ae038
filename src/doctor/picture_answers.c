/* SPDX-License-Identifier: ISC */
/* doctor/picture_answers.c -- of a picture: what each resolver says. */
#include "doctor/picture_priv.h"

#include <string.h>

#include "base/text.h"

enum {
	TTL_SLACK = 1, /* hops; NETWORK-TRUTH 3.1, C */
	/* RFC 1035, section 4.1.1 */
	RCODE_NXDOMAIN = 3,
	/* RFC 8914 */
	EDE_FORGED = 4,
	EDE_BOGUS_FIRST = 6,
	EDE_BOGUS_LAST = 12,
	EDE_BLOCKED = 15,
	EDE_FILTERED = 17,
};

static const struct fact_question *
question_of(const struct picture *p, const struct fact_datagram *d)
{
	return &p->facts->items[d->question].u.question;
}

static bool
is_suspect(enum fact_role role)
{
	return role == ROLE_RESPONDER || role == ROLE_CHAIN;
}

static bool
is_authority(const struct fact_question *q)
{
	return q->party == PARTY_AUTHORITY;
}

/* The server of the last name's zone knows nothing of the first one. */
static bool
is_about_responder(const struct fact_question *q)
{
	return q->role == ROLE_RESPONDER ||
	       (q->role == ROLE_CHAIN && is_authority(q));
}

static enum resolver_kind
transport_of(const struct fact_question *q)
{
	if (q->party == PARTY_SYSTEM || strcmp(q->asked, "system") == 0)
		return RESOLVER_SYSTEM;
	if (text_starts(q->asked, "tcp://"))
		return RESOLVER_TCP;
	if (text_starts(q->asked, "tls://"))
		return RESOLVER_TLS;
	if (text_starts(q->asked, "https://"))
		return RESOLVER_HTTPS;
	return RESOLVER_UDP;
}

/* The host's part of a resolver URL. */
static void
set_host(struct seen_asked *seen)
{
	const char *slashes = strstr(seen->asked, "://");
	const char *host = slashes == NULL ? seen->asked : slashes + 3;

	seen->host = host;
	if (host[0] == '[')
		seen->host_length = strcspn(host, "]");
	else
		seen->host_length = strcspn(host, ":/#");
}

static struct seen_asked *
find_asked(struct picture *p, const struct fact_question *q)
{
	struct seen_asked *seen;

	for (size_t i = 0; i < p->asked_count; i++) {
		seen = &p->asked[i];
		if (seen->party == q->party &&
		    strcmp(seen->asked, q->asked) == 0)
			return seen;
	}
	if (p->asked_count == PICTURE_ASKED_MAX)
		return NULL;
	seen = &p->asked[p->asked_count++];
	*seen = (struct seen_asked){
	    .asked = q->asked,
	    .party = q->party,
	    .transport = transport_of(q),
	    .question = PICTURE_NONE,
	    .datagram = PICTURE_NONE,
	    .second = PICTURE_NONE,
	    .odd = PICTURE_NONE,
	    .control = PICTURE_NONE,
	    .random = PICTURE_NONE,
	    .repeats = {.right_fact = PICTURE_NONE,
		.odd_fact = PICTURE_NONE,
		.first_ttl_s = -1,
		.last_ttl_s = -1},
	};
	set_host(seen);
	return seen;
}

/* DNS64 made it of an address that is right: if it leads nowhere, that is the
 * translator's fault and no lie. */
static bool
is_made_of_proven(const struct picture *p, const struct seen_address *seen)
{
	const struct seen_address *v4 =
	    seen->made_of[0] == '\0' ? NULL : picture_address(p, seen->made_of);

	return v4 != NULL && v4->state == ADDRESS_PROVEN;
}

enum answer_state
picture_state_of(const struct picture *p, const struct fact_datagram *d)
{
	bool tried = d->address_count > 0;

	if (d->rcode == RCODE_NXDOMAIN)
		return ANSWER_NXDOMAIN;
	if (d->rcode != 0)
		return ANSWER_SERVFAIL;
	for (size_t i = 0; i < d->address_count; i++) {
		const struct seen_address *seen =
		    picture_address(p, d->addresses[i]);

		if (seen != NULL && seen->state == ADDRESS_PROVEN)
			return ANSWER_RIGHT;
		tried = tried && seen != NULL &&
			!(p->v6_dead && strchr(seen->address, ':') != NULL) &&
			seen->state == ADDRESS_FAILED &&
			!is_made_of_proven(p, seen);
	}
	if (d->address_count > 0)
		return tried ? ANSWER_WRONG : ANSWER_OPEN;
	if (d->truncated)
		return ANSWER_TRUNCATED;
	return d->loop ? ANSWER_LOOP : ANSWER_EMPTY;
}

/* Two answers that cannot both be the resolver's: it answers one question
 * once, and a copy says the same (NETWORK-TRUTH 1.1, "benign doubles"). */
static bool
contradict(const struct fact_datagram *a, const struct fact_datagram *b)
{
	if (a->malformed != b->malformed || a->rcode != b->rcode)
		return true;
	if (a->address_count == 0 && b->address_count == 0)
		return false;
	return !facts_share_address(a, b);
}

/* How telling a state is, where answers of one resolver differ. */
static unsigned
weight(enum answer_state state)
{
	static const unsigned char weights[] = {
	    [ANSWER_NOT_ASKED] = 0,
	    [ANSWER_SILENT] = 1,
	    [ANSWER_CUT] = 2,
	    [ANSWER_TRUNCATED] = 3,
	    [ANSWER_SERVFAIL] = 4,
	    [ANSWER_EMPTY] = 5,
	    [ANSWER_LOOP] = 6,
	    [ANSWER_NXDOMAIN] = 7,
	    [ANSWER_OPEN] = 8,
	    [ANSWER_WRONG] = 9,
	    [ANSWER_RIGHT] = 10,
	};

	return weights[state];
}

static void
take_state(struct seen_asked *seen, enum answer_state state)
{
	if (weight(state) > weight(seen->responder))
		seen->responder = state;
}

/* An answer about the responder's name, or a later one of its chain. */
static void
take_suspect_answer(struct picture *p, struct seen_asked *seen, size_t index)
{
	const struct fact_datagram *d = &p->facts->items[index].u.datagram;
	const struct fact_question *q = question_of(p, d);
	enum answer_state state = picture_state_of(p, d);

	/* who has the name's authority has it whether RD is set or not; one
	 * injector takes it where RD is 0 (NETWORK-TRUTH 1.2) */
	if (q->no_rd && !is_authority(q))
		seen->aa_flip = seen->aa_flip || d->authoritative;
	else
		seen->authoritative = seen->authoritative || d->authoritative;
	if (d->wrong_type) {
		seen->wrong_type = true;
		seen->odd = index;
	}
	if (d->ede == EDE_FORGED ||
	    (d->ede >= EDE_BLOCKED && d->ede <= EDE_FILTERED))
		seen->confessed = true;
	if (d->ede >= EDE_BOGUS_FIRST && d->ede <= EDE_BOGUS_LAST)
		seen->bogus = true;
	if (q->type != DNS_A && q->type != DNS_AAAA)
		return;
	if (q->cd) {
		seen->cd_answers = seen->cd_answers || d->address_count > 0;
		return;
	}
	if (!is_about_responder(q) || (q->no_rd && !is_authority(q)))
		return;
	/* a zone's server tells its own part of the chain, and no more */
	if (is_authority(q) && state == ANSWER_EMPTY)
		return;
	/* an IPv6 question that ends in nothing says nothing */
	if (q->type == DNS_AAAA && d->address_count == 0 &&
	    state == ANSWER_EMPTY && seen->responder != ANSWER_NOT_ASKED)
		return;
	/* of evidence, an address tells more than none */
	if (seen->datagram == PICTURE_NONE ||
	    (d->address_count > 0 &&
		p->facts->items[seen->datagram].u.datagram.address_count == 0 &&
		p->facts->items[seen->datagram].u.datagram.rcode == 0))
		seen->datagram = index;
	take_state(seen, state);
}

/* Answers to one question that contradict each other. */
static void
compare_answers(struct picture *p, struct seen_asked *seen, size_t index)
{
	const struct fact_datagram *d = &p->facts->items[index].u.datagram;

	for (size_t i = 0; i < index; i++) {
		const struct fact *fact = &p->facts->items[i];
		const struct fact_datagram *before = &fact->u.datagram;

		if (fact->kind != FACT_DATAGRAM || before->elsewhere ||
		    before->question != d->question || !contradict(before, d))
			continue;
		/* addresses that both work are a rotation, if a queer one */
		if (picture_state_of(p, d) == ANSWER_RIGHT &&
		    picture_state_of(p, before) == ANSWER_RIGHT)
			continue;
		seen->contradiction = true;
		if (seen->second == PICTURE_NONE)
			seen->second = index;
		if (picture_state_of(p, d) == ANSWER_RIGHT &&
		    picture_state_of(p, before) != ANSWER_RIGHT)
			seen->genuine_late = true;
	}
}

static void
take_other_answer(struct seen_asked *seen, const struct fact_question *q,
    const struct fact_datagram *d, size_t index)
{
	bool named = d->address_count > 0;

	switch (q->role) {
	case ROLE_CONTROL:
		seen->control_answered = true;
		seen->control_ok = seen->control_ok || named;
		seen->control = index;
		break;
	case ROLE_RANDOM:
		seen->random_addresses = seen->random_addresses || named;
		seen->random_honest = seen->random_honest || !named;
		if (named)
			seen->random = index;
		break;
	case ROLE_SIBLING:
	case ROLE_CHILD:
	case ROLE_SUFFIX:
	case ROLE_EMBEDDED:
		if (!named)
			break;
		seen->suffix_injected = true;
		seen->odd = index;
		break;
	default:
		break;
	}
}

void
picture_take_datagram(struct picture *p, size_t index)
{
	const struct fact_datagram *d = &p->facts->items[index].u.datagram;
	const struct fact_question *q = question_of(p, d);
	struct seen_asked *seen = find_asked(p, q);

	if (seen == NULL)
		return;
	if (d->elsewhere) {
		seen->elsewhere = true;
		return;
	}
	if (is_suspect(q->role)) {
		take_suspect_answer(p, seen, index);
		compare_answers(p, seen, index);
	} else
		take_other_answer(seen, q, d, index);
}

void
picture_take_question(struct picture *p, size_t index)
{
	const struct fact_question *q = &p->facts->items[index].u.question;
	struct seen_asked *seen = find_asked(p, q);
	bool plain = q->type == DNS_A || q->type == DNS_AAAA;

	if (seen == NULL)
		return;
	seen->control_asked = seen->control_asked || q->role == ROLE_CONTROL;
	seen->random_asked = seen->random_asked || q->role == ROLE_RANDOM;
	if (q->role != ROLE_RESPONDER || q->cd || !plain ||
	    (q->no_rd && !is_authority(q)))
		return;
	if (seen->question == PICTURE_NONE)
		seen->question = index;
	seen->responder_asked++;
	if (q->answers > 0) {
		seen->responder_answered++;
		return;
	}
	if (q->err.reason == REASON_DNS_NO_ANSWER ||
	    q->err.reason == REASON_UNREACHABLE)
		take_state(seen, ANSWER_SILENT);
	else if (q->err.reason == REASON_DNS_NXDOMAIN)
		take_state(seen, ANSWER_NXDOMAIN);
	else if (q->err.reason == REASON_DNS_SERVFAIL)
		take_state(seen, ANSWER_SERVFAIL);
	else if (q->err.reason != REASON_NONE)
		take_state(seen, ANSWER_CUT);
	if (q->err.reason != REASON_NONE)
		seen->reason = q->err.reason;
}

/* --- what only comparing shows --- */

/* Answers for the suspect beside those for the control, of one resolver in one
 * run (NETWORK-TRUTH 3.1, C). */
static void
compare_with_control(struct picture *p, struct seen_asked *seen)
{
	const struct fact_datagram *suspect, *control;

	seen->aa_flip = seen->aa_flip && !seen->authoritative;
	if (seen->datagram == PICTURE_NONE)
		return;
	suspect = &p->facts->items[seen->datagram].u.datagram;
	seen->pooled = suspect->address_count > 0 &&
		       suspect->pooled == (1U << suspect->address_count) - 1;
	if (seen->control == PICTURE_NONE)
		return;
	control = &p->facts->items[seen->control].u.datagram;
	seen->no_edns = control->edns && !suspect->edns;
	seen->ttl_off = control->ip_ttl >= 0 && suspect->ip_ttl >= 0 &&
			(suspect->ip_ttl > control->ip_ttl + TTL_SLACK ||
			    suspect->ip_ttl < control->ip_ttl - TTL_SLACK);
}

void
picture_compare(struct picture *p, struct seen_asked *seen)
{
	compare_with_control(p, seen);
	picture_compare_repeats(p, seen);
}

bool
picture_names(const struct picture *picture, const struct seen_asked *asked,
    const char *address)
{
	for (size_t i = 0; i < picture->facts->count; i++) {
		const struct fact *fact = &picture->facts->items[i];
		const struct fact_datagram *d = &fact->u.datagram;
		const struct fact_question *q;

		if (fact->kind != FACT_DATAGRAM || d->elsewhere)
			continue;
		q = question_of(picture, d);
		if (!is_about_responder(q) || q->party != asked->party ||
		    strcmp(q->asked, asked->asked) != 0)
			continue;
		for (size_t a = 0; a < d->address_count; a++) {
			if (strcmp(d->addresses[a], address) == 0)
				return true;
		}
	}
	return false;
}
