/* SPDX-License-Identifier: ISC */
/* doctor/ways_addresses.c -- which of the claimed addresses are tried.
 *
 * There is room for a few, and whoever forges answers has many: so one after
 * the other each source is heard, with one address that is new, those first
 * that nobody on the path can speak for. */
#include <string.h>
#include <strings.h>

#include "doctor/ways.h"

/* Who is heard first in each turn. */
enum rank {
	RANK_HERE, /* this machine: its system, hosts file and book */
	RANK_SAFE, /* over TLS or TCP */
	RANK_PLAIN,
	RANK_COUNT
};

/* What one fact claims. */
struct claimed {
	const char *source; /* NULL: nothing */
	enum rank rank;
	const char (*addresses)[DNS_ADDRESS_TEXT];
	size_t count;
};

struct choice {
	struct ways_address *list;
	size_t count;
};

static bool
is_safe(const char *asked)
{
	return strncmp(asked, "udp://", 6) != 0;
}

static struct claimed
claimed_by(const struct facts *facts, const struct fact *fact)
{
	const struct fact_datagram *d = &fact->u.datagram;
	const struct fact_override *o = &fact->u.override;
	const struct fact_question *q;

	switch (fact->kind) {
	case FACT_DATAGRAM:
		q = &facts->items[d->question].u.question;
		if (d->elsewhere ||
		    (q->role != ROLE_RESPONDER && q->role != ROLE_CHAIN) ||
		    (q->type != DNS_A && q->type != DNS_AAAA))
			break;
		return (struct claimed){.source = q->asked,
		    .rank = q->party == PARTY_SYSTEM ? RANK_HERE
			    : is_safe(q->asked)      ? RANK_SAFE
						     : RANK_PLAIN,
		    .addresses = d->addresses,
		    .count = d->address_count};
	case FACT_OVERRIDE:
		if (o->kind != OVERRIDE_HOSTS && o->kind != OVERRIDE_BOOK)
			break;
		return (struct claimed){
		    .source = o->kind == OVERRIDE_BOOK ? "book" : "hosts",
		    .addresses = &o->address,
		    .count = 1};
	case FACT_PEER:
		return (struct claimed){.source = "error log",
		    .rank = RANK_PLAIN,
		    .addresses = &fact->u.peer.address,
		    .count = 1};
	default:
		break;
	}
	return (struct claimed){0};
}

/* False if there is no room for it, it is none, or it is there. */
static bool
add(struct choice *choice, const char *address, const char *source)
{
	struct ways_address *way;

	if (address[0] == '\0' || choice->count == WAYS_ADDRESSES_MAX)
		return false;
	for (size_t i = 0; i < choice->count; i++) {
		if (strcmp(choice->list[i].address, address) == 0)
			return false;
	}
	way = &choice->list[choice->count++];
	fact_copy(way->address, sizeof(way->address), address);
	fact_copy(way->source, sizeof(way->source), source);
	return true;
}

/* How many of those that were taken SOURCE was the first to name. */
static size_t
taken_of(const struct choice *choice, const char *source)
{
	size_t taken = 0;

	for (size_t i = 0; i < choice->count; i++)
		taken += strcmp(choice->list[i].source, source) == 0 ? 1 : 0;
	return taken;
}

/* Of each source of RANK one more, where fewer than TURN + 1 of it are there. */
static void
hear(struct choice *choice, const struct facts *facts, enum rank rank,
    size_t turn)
{
	for (size_t i = 0; i < facts->count; i++) {
		const struct claimed claimed =
		    claimed_by(facts, &facts->items[i]);
		bool added = false;

		if (claimed.source == NULL || claimed.rank != rank ||
		    taken_of(choice, claimed.source) > turn)
			continue;
		for (size_t a = 0; a < claimed.count && !added; a++)
			added =
			    add(choice, claimed.addresses[a], claimed.source);
	}
}

size_t
ways_choose(const struct facts *facts, const char *host,
    const struct acquire_options *options,
    struct ways_address out[WAYS_ADDRESSES_MAX])
{
	struct choice choice = {.list = out};

	/* the operator's pins first: those he thinks to be right */
	for (size_t i = 0; i < options->pin_count; i++) {
		if (strcasecmp(options->pins[i].host, host) == 0)
			(void)add(&choice, options->pins[i].address, "pin");
	}
	for (size_t turn = 0;
	     turn < WAYS_ADDRESSES_MAX && choice.count < WAYS_ADDRESSES_MAX;
	     turn++) {
		for (int rank = 0; rank < RANK_COUNT; rank++)
			hear(&choice, facts, (enum rank)rank, turn);
	}
	return choice.count;
}
