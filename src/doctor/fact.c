/* SPDX-License-Identifier: ISC */
/* doctor/fact.c -- the list of facts, and their names. */
#include "doctor/fact.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { GROW = 64 };

void
facts_done(struct facts *facts)
{
	free(facts->items);
	*facts = (struct facts){0};
}

struct fact *
facts_add(
    struct facts *facts, enum fact_kind kind, const char *probe, int64_t at_ms)
{
	struct fact *fact;

	/* one more than FACTS_MAX is the scratch one */
	if (facts->items == NULL || facts->count % GROW == 0)
		facts->items = mem_resize(facts->items, facts->count + GROW + 1,
		    sizeof(facts->items[0]));
	fact = &facts->items[facts->count];
	memset(fact, 0, sizeof(*fact));
	fact->kind = kind;
	fact->probe = probe;
	fact->at_ms = at_ms;
	if (facts->count < FACTS_MAX)
		facts->count++;
	else
		facts->dropped++;
	return fact;
}

/* What was not tested, and for the same reason, was not tested once. */
static bool
is_known_gap(const struct facts *facts, const struct fact *fact)
{
	const struct fact_untested *gap = &fact->u.untested;

	if (fact->kind != FACT_UNTESTED)
		return false;
	for (size_t i = 0; i < facts->count; i++) {
		const struct fact_untested *u = &facts->items[i].u.untested;

		if (facts->items[i].kind == FACT_UNTESTED &&
		    strcmp(u->what, gap->what) == 0 &&
		    strcmp(u->why, gap->why) == 0)
			return true;
	}
	return false;
}

void
facts_append(struct facts *to, struct facts *from, unsigned url)
{
	/* where each fact went; a question comes before its answers */
	size_t *place = mem_array(from->count + 1, sizeof(*place));

	for (size_t i = 0; i < from->count; i++) {
		struct fact *fact;

		if (is_known_gap(to, &from->items[i]))
			continue;
		place[i] = to->count;
		fact = facts_add(to, from->items[i].kind, NULL, 0);
		*fact = from->items[i];
		fact->url = url;
		if (fact->kind == FACT_DATAGRAM)
			fact->u.datagram.question =
			    place[fact->u.datagram.question];
	}
	to->dropped += from->dropped;
	free(place);
	facts_done(from);
}

unsigned
facts_urls(const struct facts *facts)
{
	unsigned last = 0;

	for (size_t i = 0; i < facts->count; i++) {
		if (facts->items[i].url > last)
			last = facts->items[i].url;
	}
	return last + 1;
}

void
facts_of_url(
    const struct facts *facts, unsigned url, struct facts *out, size_t **back)
{
	/* where each fact went; a question comes before its answers */
	size_t *to = mem_array(facts->count + 1, sizeof(*to));
	size_t *from = mem_array(facts->count + 1, sizeof(*from));

	*out = (struct facts){.dropped = facts->dropped};
	for (size_t i = 0; i < facts->count; i++) {
		const struct fact *fact = &facts->items[i];
		struct fact *copy;

		if (fact->url != url &&
		    (fact->url != 0 || fact->kind != FACT_CLOCK))
			continue;
		to[i] = out->count;
		from[out->count] = i;
		copy = facts_add(out, fact->kind, NULL, 0);
		*copy = *fact;
		if (fact->kind == FACT_DATAGRAM)
			copy->u.datagram.question =
			    to[fact->u.datagram.question];
	}
	free(to);
	if (back != NULL)
		*back = from;
	else
		free(from);
}

const struct fact_input *
facts_input_of(const struct facts *facts, unsigned url)
{
	for (size_t i = 0; i < facts->count; i++) {
		if (facts->items[i].kind == FACT_INPUT &&
		    facts->items[i].url == url)
			return &facts->items[i].u.input;
	}
	return NULL;
}

bool
facts_share_address(
    const struct fact_datagram *a, const struct fact_datagram *b)
{
	for (size_t i = 0; i < a->address_count; i++) {
		for (size_t k = 0; k < b->address_count; k++) {
			if (strcmp(a->addresses[i], b->addresses[k]) == 0)
				return true;
		}
	}
	return false;
}

void
fact_copy(char *out, size_t size, const char *text)
{
	size_t len = strnlen(text, size - 1);

	memcpy(out, text, len);
	out[len] = '\0';
}

const char *
fact_kind_name(enum fact_kind kind)
{
	static const char *const names[] = {
	    [FACT_INPUT] = "input",
	    [FACT_CLOCK] = "clock",
	    [FACT_OVERRIDE] = "override",
	    [FACT_SETTING] = "setting",
	    [FACT_PEER] = "peer",
	    [FACT_QUESTION] = "question",
	    [FACT_DATAGRAM] = "datagram",
	    [FACT_CONNECT] = "connect",
	    [FACT_FETCH] = "fetch",
	    [FACT_CONTROL] = "control",
	    [FACT_TLS] = "tls",
	    [FACT_SERVED] = "served",
	    [FACT_KEEP] = "keep",
	    [FACT_UNTESTED] = "untested",
	};

	return names[kind];
}

const char *
fact_role_name(enum fact_role role)
{
	static const char *const names[] = {
	    [ROLE_RESPONDER] = "responder",
	    [ROLE_CHAIN] = "chain",
	    [ROLE_CONTROL] = "control",
	    [ROLE_RANDOM] = "random",
	    [ROLE_MUTANT] = "mutant",
	    [ROLE_CHILD] = "child",
	    [ROLE_SIBLING] = "sibling",
	    [ROLE_COUSIN] = "cousin",
	    [ROLE_SUFFIX] = "suffix",
	    [ROLE_EMBEDDED] = "embedded",
	    [ROLE_ZONE] = "zone",
	    [ROLE_HOP] = "hop",
	    [ROLE_SERVER] = "server",
	    [ROLE_IPV4ONLY] = "ipv4only",
	};

	return names[role];
}
