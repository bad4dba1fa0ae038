/* SPDX-License-Identifier: ISC */
/* acquire/private.c -- which claimed addresses lie inside this network. */
#include "acquire/private.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "acquire/acquire.h"
#include "base/err.h"

static const struct range4 {
	uint32_t net;
	int bits;
	enum private_kind kind;
} ranges4[] = {
    {0x00000000, 8, PRIVATE_NOWHERE},  /* "this" network, unspecified */
    {0x0a000000, 8, PRIVATE_INSIDE},   /* RFC 1918 */
    {0x64400000, 10, PRIVATE_INSIDE},  /* shared: RFC 6598 */
    {0x7f000000, 8, PRIVATE_INSIDE},   /* loopback */
    {0xa9fe0000, 16, PRIVATE_NOWHERE}, /* link-local: RFC 3927; clouds'
					  metadata */
    {0xac100000, 12, PRIVATE_INSIDE},  /* RFC 1918 */
    {0xc0000000, 24, PRIVATE_INSIDE},  /* protocol assignments: RFC 6890 */
    {0xc0a80000, 16, PRIVATE_INSIDE},  /* RFC 1918 */
    {0xc6120000, 15, PRIVATE_INSIDE},  /* benchmarks: RFC 2544 */
    {0xe0000000, 4, PRIVATE_NOWHERE},  /* multicast */
    {0xf0000000, 4, PRIVATE_NOWHERE},  /* reserved, broadcast */
};

static const struct range6 {
	uint8_t net[16];
	int bits;
	int v4_at; /* octet where an IPv4 address is, which decides; -1: none */
	enum private_kind kind;
} ranges6[] = {
    {{[15] = 1}, 128, -1, PRIVATE_INSIDE},                 /* ::1 */
    {{[10] = 0xff, 0xff}, 96, 12, PRIVATE_NOT},            /* mapped */
    {{0}, 96, 12, PRIVATE_NOT},                            /* compatible, :: */
    {{0, 0x64, 0xff, 0x9b}, 96, 12, PRIVATE_NOT},          /* NAT64 */
    {{0, 0x64, 0xff, 0x9b, 0, 1}, 48, -1, PRIVATE_INSIDE}, /* local NAT64: RFC
							     8215 */
    {{0x20, 0x02}, 16, 2, PRIVATE_NOT},                    /* 6to4 */
    {{0xfc}, 7, -1, PRIVATE_INSIDE},                       /* RFC 4193 */
    {{0xfe, 0x80}, 10, -1, PRIVATE_NOWHERE},               /* link-local */
    {{0xfe, 0xc0}, 10, -1, PRIVATE_INSIDE},                /* site-local */
    {{0xff}, 8, -1, PRIVATE_NOWHERE},                      /* multicast */
};

static enum private_kind
kind4(uint32_t address)
{
	for (size_t i = 0; i < sizeof(ranges4) / sizeof(ranges4[0]); i++) {
		uint32_t mask = UINT32_MAX << (32 - ranges4[i].bits);

		if ((address & mask) == ranges4[i].net)
			return ranges4[i].kind;
	}
	return PRIVATE_NOT;
}

static uint32_t
number4(const uint8_t *octets)
{
	return (uint32_t)octets[0] << 24 | (uint32_t)octets[1] << 16 |
	       (uint32_t)octets[2] << 8 | octets[3];
}

static bool
is_within(const uint8_t address[16], const struct range6 *range)
{
	size_t whole = (size_t)range->bits / 8;
	int rest = range->bits % 8;
	uint8_t mask = (uint8_t)(0xff00 >> rest);

	return memcmp(address, range->net, whole) == 0 &&
	       (rest == 0 ||
		   (address[whole] & mask) == (range->net[whole] & mask));
}

static enum private_kind
kind6(const uint8_t address[16])
{
	for (size_t i = 0; i < sizeof(ranges6) / sizeof(ranges6[0]); i++) {
		const struct range6 *range = &ranges6[i];
		enum private_kind kind = range->kind;

		if (!is_within(address, range))
			continue;
		if (range->v4_at != -1)
			kind = kind4(number4(address + range->v4_at));
		if (kind != PRIVATE_NOT)
			return kind;
	}
	return PRIVATE_NOT;
}

enum private_kind
private_kind(const char *address)
{
	uint8_t octets[16];

	if (inet_pton(AF_INET, address, octets) == 1)
		return kind4(number4(octets));
	return inet_pton(AF_INET6, address, octets) == 1 ? kind6(octets)
							 : PRIVATE_NOT;
}

bool
private_is_address(const char *address)
{
	return private_kind(address) != PRIVATE_NOT;
}

bool
private_is_sockaddr(const struct sockaddr_storage *address)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;

	if (address->ss_family == AF_INET)
		return kind4(ntohl(v4->sin_addr.s_addr)) != PRIVATE_NOT;
	return address->ss_family == AF_INET6 &&
	       kind6(v6->sin6_addr.s6_addr) != PRIVATE_NOT;
}

bool
private_is_name(const char *name)
{
	static const char *const suffixes[] = {
	    ".localhost", ".local", ".home.arpa", ".internal"};
	size_t len = strlen(name);

	if (len > 0 && name[len - 1] == '.')
		len--;
	if (memchr(name, '.', len) == NULL)
		return true;
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		size_t end = strlen(suffixes[i]);

		if (len > end &&
		    strncasecmp(name + len - end, suffixes[i], end) == 0)
			return true;
	}
	return false;
}

/* A DoH server is at its bootstrap addresses, or at a literal; a name that the
 * system looks up may be anywhere. */
static bool
is_near_https(const struct resolver *resolver)
{
	for (size_t i = 0; i < resolver->bootstrap_count; i++) {
		if (!private_is_address(resolver->bootstrap[i]))
			return false;
	}
	return resolver->bootstrap_count > 0 ||
	       private_is_address(resolver->name);
}

bool
private_is_near(const struct resolver *resolver, bool of_resolv_conf)
{
	if (of_resolv_conf)
		return true;
	switch (resolver->kind) {
	case RESOLVER_SYSTEM:
		return true;
	case RESOLVER_UDP:
	case RESOLVER_TCP:
	case RESOLVER_TLS:
		return private_is_sockaddr(&resolver->address);
	case RESOLVER_HTTPS:
		return is_near_https(resolver);
	}
	return false;
}

bool
private_is_allowed(const struct acquire_options *options, const char *host)
{
	if (options->allow_private)
		return true;
	for (size_t i = 0; i < options->private_host_count; i++) {
		if (strcasecmp(options->private_hosts[i], host) == 0)
			return true;
	}
	return false;
}

void
private_refuse(
    const char *address, const char *source, const char *host, struct err *err)
{
	(void)err_set(err, REASON_UNREACHABLE,
	    "%s is %s, which %s has no business in naming for '%.200s': it is "
	    "not asked; if it is right, pin it with --pin %.200s=%s, or allow "
	    "it with --allow-private",
	    address,
	    private_kind(address) == PRIVATE_NOWHERE
		? "an address where no responder can be"
		: "a private address",
	    source, host, host, address);
}
