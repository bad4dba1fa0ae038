/* SPDX-License-Identifier: ISC */
/* acquire/claims_tell.c -- an answer's addresses, told by every way that is open.
 *
 * What is old, unwanted or refused is sifted out here; what is told is told
 * with its source and, for SOCKS5 proxies that want addresses from us, once
 * more for each of them. */
#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acquire/claims_priv.h"
#include "acquire/private.h"
#include "base/mem.h"

enum { PROXY_ADDRESSES_MAX = 8 }; /* of one proxy's name */

static struct told *
find_told(struct claims *claims, const char *address)
{
	for (size_t i = 0; i < claims->told_count; i++) {
		if (strcmp(claims->told[i].address, address) == 0)
			return &claims->told[i];
	}
	return NULL;
}

static bool
is_v6(const char *address)
{
	return strchr(address, ':') != NULL;
}

/* How many SOURCE has named, of those with a VOICE or of the others.  NULL, the
 * operator himself, is not counted: his list is not cut short. */
static unsigned
count_named(const struct claims *claims, const char *source, bool voice)
{
	unsigned count = 0;

	for (size_t i = 0; source != NULL && i < claims->told_count; i++) {
		const struct told *told = &claims->told[i];

		if (told->voice == voice && told->source != NULL &&
		    strcmp(told->source, source) == 0)
			count++;
	}
	return count;
}

/* The place of CLAIM's address among those that were told; NULL if it is old,
 * unwanted or one too many, of all or of SOURCE's.  One that was refused is new
 * when somebody names it whose word is good enough. */
static struct told *
note_address(struct claims *claims, const struct claim *claim,
    const char *source, bool refused)
{
	const char *address = claim->address;
	struct told *told = find_told(claims, address);

	if (told != NULL) {
		bool news = told->refused && !refused;

		told->refused = told->refused && refused;
		return news ? told : NULL;
	}
	if ((claims->options->family == RESOLVER_IPV4 && is_v6(address)) ||
	    (claims->options->family == RESOLVER_IPV6 && !is_v6(address)) ||
	    claims->told_count == CLAIMS_MAX ||
	    count_named(claims, source, claim->first && !refused) ==
		CLAIMS_SOURCE_MAX)
		return NULL;
	claims->told = mem_resize(
	    claims->told, claims->told_count + 1, sizeof(claims->told[0]));
	told = &claims->told[claims->told_count++];
	*told = (struct told){.source = source, .refused = refused};
	(void)snprintf(told->address, sizeof(told->address), "%s", address);
	return told;
}

/* Whether the first new address of family V6 in an answer has a voice.  It
 * counts as agreement only if the answer names a voice: a forger who lists a
 * genuine address behind many others must not keep it from its turn. */
static bool
has_voice(
    struct claims *claims, const char *const *addresses, size_t count, bool v6)
{
	bool family_told = false;
	bool any_voice = false;

	for (size_t i = 0; i < claims->told_count; i++) {
		const struct told *told = &claims->told[i];

		any_voice = any_voice || told->voice;
		if (!told->refused && is_v6(told->address) == v6)
			family_told = true;
	}
	for (size_t i = 0; i < count; i++) {
		const struct told *told = find_told(claims, addresses[i]);

		if (told != NULL && told->voice && is_v6(addresses[i]) == v6)
			return false;
	}
	return family_told || !any_voice;
}

/* The order in which an answer's addresses are tried: as they came, but the
 * families in turn (RFC 8305, section 4), so that eight addresses behind a
 * broken IPv6 do not come before the first IPv4. */
static void
take_turns(const char *const *in, size_t count, const char **out)
{
	bool want_v6 = count > 0 && is_v6(in[0]);
	size_t next[2] = {0, 0};

	for (size_t n = 0; n < count; want_v6 = !want_v6) {
		size_t *at = &next[want_v6 ? 1 : 0];

		while (*at < count && is_v6(in[*at]) != want_v6)
			(*at)++;
		if (*at < count)
			out[n++] = in[(*at)++];
	}
}

/* False if we were cancelled meanwhile. */
static bool
tell(struct claims *claims, const struct claim *claim)
{
	claims_enter(claims);
	claims->callbacks.claim(claims->cookie, claim);
	return claims_leave(claims);
}

/* Whose word must be at least how good for ADDRESS. */
static enum claims_word
word_needed(const char *address)
{
	switch (private_kind(address)) {
	case PRIVATE_NOT:
		return WORD_OUTSIDE;
	case PRIVATE_INSIDE:
		return WORD_NEAR;
	case PRIVATE_NOWHERE:
		return WORD_OPERATOR;
	}
	return WORD_OPERATOR;
}

static bool
refuse(struct claims *claims, const struct claim *claim)
{
	struct err err = {0};

	private_refuse(claim->address, claim->source, claims->host, &err);
	claims_enter(claims);
	claims->callbacks.refused(claims->cookie, claim, &err);
	return claims_leave(claims);
}

/* An address by every way that is open: through the SOCKS5 proxies that want
 * it, the one that is used first before the direct way. */
static bool
tell_ways(struct claims *claims, const struct claim *direct)
{
	for (size_t i = 0; i < claims->wanting_count; i++) {
		struct claim by = *direct;

		by.source = "proxy";
		by.proxy = claims->wanting[i].proxy;
		by.proxy_addresses = claims->wanting[i].addresses;
		if (!tell(claims, &by))
			return false;
	}
	return tell(claims, direct);
}

bool
claims_tell_addresses(struct claims *claims, const char *source,
    const char *asked_name, enum claims_word word, const char *const *addresses,
    size_t count)
{
	const char *counted = word == WORD_OPERATOR ? NULL : source;
	const char *order[DNS_ADDRESSES_MAX];
	bool voice[2]; /* of each family, until one has spoken */

	if (word < claims->least)
		word = claims->least;
	if (count > DNS_ADDRESSES_MAX)
		count = DNS_ADDRESSES_MAX;
	take_turns(addresses, count, order);
	voice[0] = has_voice(claims, addresses, count, false);
	voice[1] = has_voice(claims, addresses, count, true);
	for (size_t i = 0; i < count; i++) {
		const struct claim claim = {.address = order[i],
		    .source = source,
		    .asked_name = asked_name,
		    .first = voice[is_v6(order[i])],
		    .turn = count_named(claims, counted, true)};
		bool refused = word < word_needed(order[i]);
		struct told *told =
		    note_address(claims, &claim, counted, refused);

		if (told == NULL)
			continue;
		if (refused) {
			if (!refuse(claims, &claim))
				return false;
			continue;
		}
		told->voice = claim.first;
		told->turn = claim.turn;
		if (claim.first)
			voice[0] = voice[1] = false;
		if (!tell_ways(claims, &claim))
			return false;
	}
	return true;
}

bool
claims_is_numeric(const char *host)
{
	struct in6_addr address;

	return inet_pton(AF_INET, host, &address) == 1 ||
	       inet_pton(AF_INET6, host, &address) == 1;
}

/* PROXY's addresses for libcurl; NULL if its host is one itself.  Owned. */
static char *
list_addresses(
    const struct proxy *proxy, const char *const *addresses, size_t count)
{
	struct buf list;

	if (claims_is_numeric(proxy->host))
		return NULL;
	buf_init(&list, PROXY_ADDRESSES_MAX * (DNS_ADDRESS_TEXT + 3));
	for (size_t i = 0; i < count && i < PROXY_ADDRESSES_MAX; i++) {
		bool v6 = is_v6(addresses[i]);

		buf_printf(&list, "%s%s%s%s", i == 0 ? "" : ",", v6 ? "[" : "",
		    addresses[i], v6 ? "]" : "");
	}
	return buf_take(&list);
}

/* Through PROXY, which wants addresses from us, go all that were told; those
 * that come later follow in tell_ways(). */
static void
tell_wanting(struct claims *claims, const struct proxy *proxy, char *addresses)
{
	struct claim claim = {
	    .source = "proxy", .proxy = proxy, .proxy_addresses = addresses};

	assert(claims->wanting_count < PROXIES_MAX + 1);
	claims->wanting[claims->wanting_count++] =
	    (struct wanting){proxy, addresses};
	for (size_t i = 0; i < claims->told_count; i++) {
		if (claims->told[i].refused)
			continue;
		claim.address = claims->told[i].address;
		claim.first = claims->told[i].voice;
		claim.turn = claims->told[i].turn;
		if (!tell(claims, &claim))
			return;
	}
}

void
claims_tell_proxy(struct claims *claims, const struct proxy *proxy,
    const char *const *addresses, size_t count)
{
	char *list = list_addresses(proxy, addresses, count);
	const struct claim claim = {.address = "",
	    .source = "proxy",
	    .first = true,
	    .proxy = proxy,
	    .proxy_addresses = list};

	if (proxy->kind == PROXY_SOCKS5) {
		tell_wanting(claims, proxy, list);
		return;
	}
	(void)tell(claims, &claim);
	free(list);
}
