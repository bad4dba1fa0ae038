/* SPDX-License-Identifier: ISC */
/* doctor/dns64.c -- the prefix of this network's DNS64. */
#include "doctor/dns64.h"

#include <arpa/inet.h>
#include <string.h>

enum {
	RESERVED = 8, /* the octet u of RFC 6052: zero, and no part of what is
			 embedded */
	V4 = 4,
	V6 = 16,
};

static const unsigned lengths[] = {32, 40, 48, 56, 64, 96};

/* The IPv4 address behind the first BITS of V6; false: the octets that have to
 * be zero beside it are not. */
static bool
extract(const uint8_t v6[V6], unsigned bits, uint8_t out[V4])
{
	size_t at = bits / 8, got = 0;

	for (; at < V6; at++) {
		if (at != RESERVED && got < V4)
			out[got++] = v6[at];
		else if (v6[at] != 0)
			return false;
	}
	return true;
}

static bool
is_well_known(const uint8_t v4[V4])
{
	return v4[0] == 192 && v4[1] == 0 && v4[2] == 0 &&
	       (v4[3] == 170 || v4[3] == 171);
}

static void
add(struct dns64_prefixes *prefixes, const uint8_t v6[V6], unsigned bits)
{
	for (size_t i = 0; i < prefixes->count; i++) {
		if (prefixes->items[i].bits == bits &&
		    memcmp(prefixes->items[i].octets, v6, bits / 8) == 0)
			return;
	}
	if (prefixes->count == DNS64_PREFIXES_MAX)
		return;
	prefixes->items[prefixes->count].bits = bits;
	memcpy(prefixes->items[prefixes->count].octets, v6, bits / 8);
	prefixes->count++;
}

void
dns64_learn(struct dns64_prefixes *prefixes, const char *address)
{
	static const uint8_t zero[8] = {0};
	uint8_t v6[V6], v4[V4];

	/* ::192.0.0.170 and ::ffff:192.0.0.170 are that address itself, as
	 * IPv6 writes it: no translator has these prefixes */
	if (inet_pton(AF_INET6, address, v6) != 1 ||
	    memcmp(v6, zero, sizeof(zero)) == 0)
		return;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		if (extract(v6, lengths[i], v4) && is_well_known(v4))
			add(prefixes, v6, lengths[i]);
	}
}

void
dns64_learn_all(const struct facts *facts, struct dns64_prefixes *out)
{
	*out = (struct dns64_prefixes){0};
	for (size_t i = 0; i < facts->count; i++) {
		const struct fact *fact = &facts->items[i];
		const struct fact_datagram *d = &fact->u.datagram;

		if (fact->kind != FACT_DATAGRAM || d->elsewhere ||
		    facts->items[d->question].u.question.role != ROLE_IPV4ONLY)
			continue;
		for (size_t a = 0; a < d->address_count; a++)
			dns64_learn(out, d->addresses[a]);
	}
}

/* True if anybody named ADDRESS for the responder. */
static bool
is_claimed(const struct facts *facts, const char *address)
{
	for (size_t i = 0; i < facts->count; i++) {
		const struct fact *fact = &facts->items[i];
		const struct fact_datagram *d = &fact->u.datagram;
		enum fact_role role;

		if (fact->kind != FACT_DATAGRAM || d->elsewhere)
			continue;
		role = facts->items[d->question].u.question.role;
		if (role != ROLE_RESPONDER && role != ROLE_CHAIN)
			continue;
		for (size_t a = 0; a < d->address_count; a++) {
			if (strcmp(d->addresses[a], address) == 0)
				return true;
		}
	}
	return false;
}

bool
dns64_made_of(const struct dns64_prefixes *prefixes, const struct facts *facts,
    const char *address, char out[INET_ADDRSTRLEN])
{
	uint8_t v6[V6], v4[V4];

	out[0] = '\0';
	if (inet_pton(AF_INET6, address, v6) != 1)
		return false;
	for (size_t i = 0; i < prefixes->count; i++) {
		unsigned bits = prefixes->items[i].bits;

		if (memcmp(v6, prefixes->items[i].octets, bits / 8) == 0 &&
		    extract(v6, bits, v4) &&
		    inet_ntop(AF_INET, v4, out, INET_ADDRSTRLEN) != NULL &&
		    is_claimed(facts, out))
			return true;
	}
	out[0] = '\0';
	return false;
}
