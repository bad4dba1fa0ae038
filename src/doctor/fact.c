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
