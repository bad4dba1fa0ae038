/* SPDX-License-Identifier: ISC */
/* acquire/private.h -- which claimed addresses lie inside this network, and
 * whose word is good enough to connect to them (B13).
 *
 * A responder's name that leads to a private address may be a private PKI's,
 * or an attempt to make this machine talk to its own neighbours (a rebinding:
 * the name belongs to somebody outside, the address is ours).  The addresses
 * cannot tell the two apart; who named them can:
 *
 *   who names the address                             a private one is
 *   a pin, a literal in the responder's URL           taken
 *   the system (hosts file, getaddrinfo)              taken
 *   a nameserver of resolv.conf                       taken
 *   a resolver that has a private address itself      taken
 *   one of these, for a later CNAME name that only    refused, unless
 *     any other resolver has named
 *   any other resolver                                refused, unless
 *     the operator lists the responder's host as private, or allows all, or
 *     named the host himself as an upstream
 *   anybody but a pin, for an address where no        refused, unless the
 *     responder can be                                  same
 *
 * The first five are the network's own view of itself: what they say is what
 * every other program here is told.  A resolver on a public address knows
 * nothing of this network and has no business in naming its addresses.
 *
 * Private are: "this" network and unspecified 0/8, 10/8, 100.64/10 (shared),
 * 127/8, 169.254/16, 172.16/12, 192.0.0/24, 192.168/16, 198.18/15
 * (benchmarks), multicast 224/4, 240/4 with broadcast; ::, ::1, fc00::/7,
 * fe80::/10, fec0::/10, ff00::/8, 64:ff9b:1::/48; and IPv6 addresses that hold
 * one of these IPv4: mapped ::ffff/96, compatible ::/96, NAT64 64:ff9b::/96
 * (RFC 6052), 6to4 2002::/16.
 *
 * No responder can be at a link-local address (but the metadata service of a
 * cloud is, at 169.254.169.254), at "this" network, or at a multicast, reserved
 * or broadcast one.
 *
 * Pure. */
#ifndef OCLASP_ACQUIRE_PRIVATE_H
#define OCLASP_ACQUIRE_PRIVATE_H

#include <stdbool.h>

struct acquire_options;
struct err;
struct resolver;
struct sockaddr_storage;

enum private_kind {
	PRIVATE_NOT,
	PRIVATE_INSIDE,
	PRIVATE_NOWHERE, /* and no responder can be there */
};

/* Of a bare IP address; PRIVATE_NOT, and false, for what is none. */
enum private_kind private_kind(const char *address);
bool private_is_address(const char *address);
bool private_is_sockaddr(const struct sockaddr_storage *address);

/* True of a name that means something inside this network only, so that nobody
 * outside has to know of it: one without a dot, or under localhost (RFC 6761),
 * local (RFC 6762), home.arpa (RFC 8375) or internal (reserved by ICANN). */
bool private_is_name(const char *name);

/* True if RESOLVER's answers are the network's own view; OF_RESOLV_CONF: the
 * system's configuration names it too. */
bool private_is_near(const struct resolver *resolver, bool of_resolv_conf);

/* True if the operator lets any resolver name private addresses for HOST. */
bool private_is_allowed(
    const struct acquire_options *options, const char *host);

/* Say that ADDRESS, which SOURCE has named for HOST, is not to be connected to:
 * REASON_UNREACHABLE. */
void private_refuse(
    const char *address, const char *source, const char *host, struct err *err);

#endif
