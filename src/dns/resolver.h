/* SPDX-License-Identifier: ISC */
/* dns/resolver.h -- who can be asked for an address, and asking them.
 *
 * One interface for every kind; each answer names the resolver it is from, as
 * the URL that CONTRACT and the operator use: "system", "udp://192.0.2.1". */
#ifndef OCLASP_DNS_RESOLVER_H
#define OCLASP_DNS_RESOLVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <uv.h>

struct err;
struct resolver_query;

enum {
	RESOLVERS_MAX = 16, /* configured and of resolv.conf together */
	RESOLVER_URL_TEXT = 256,
	RESOLVER_CONF_MAX = 65536, /* bytes of a resolv.conf */
};

enum resolver_kind { RESOLVER_SYSTEM, RESOLVER_UDP };

struct resolver {
	enum resolver_kind kind;
	char url[RESOLVER_URL_TEXT];     /* canonical, default port left out */
	struct sockaddr_storage address; /* UDP */
	int64_t hold_ms; /* UDP: hold-on window; 0: DATAGRAM_HOLD_MS */
};

/* "system", "udp://IP[:port]", a plain IP; an IPv6 address with a port wants
 * brackets.  Errors: REASON_USAGE. */
int resolver_parse(const char *url, struct resolver *out, struct err *err);

/* The nameservers of a resolv.conf, as udp resolvers, at most MAX and each
 * once; returns how many.  A missing file gives none. */
size_t resolver_read_conf(const char *path, struct resolver *out, size_t max);

/* The same of the file's text. */
size_t resolver_parse_conf(const char *text, struct resolver *out, size_t max);

/* What one answer claims. */
struct resolver_answer {
	const char *const *addresses; /* A and AAAA, bare; may be none */
	size_t address_count;
	const char *const *chain; /* later CNAME names, in order */
	size_t chain_length;
	int64_t at_ms;
};

struct resolver_callbacks {
	/* any number, 0 included; borrowed during the call */
	void (*answer)(void *cookie, const struct resolver_answer *answer);
	/* once, when every question (A, AAAA) has had a first answer or has
	 * failed: nothing but late datagrams of the hold-on window can come
	 * now.  Before END, or directly before it.  May be NULL. */
	void (*settled)(void *cookie);
	/* once, after the last answer; REASON_NONE if any answer had an
	 * address, else REASON_DNS_NXDOMAIN, _SERVFAIL, _NO_ANSWER */
	void (*end)(void *cookie, const struct err *err);
};

enum resolver_family { RESOLVER_BOTH, RESOLVER_IPV4, RESOLVER_IPV6 };

/* Ask for the addresses of NAME, both families at once (A and AAAA), or one;
 * answers name only addresses of the families asked for.  An IP address for
 * NAME is answered with itself. */
struct resolver_query *resolver_ask(uv_loop_t *loop,
    const struct resolver *resolver, const char *name,
    enum resolver_family family, const struct resolver_callbacks *callbacks,
    void *cookie);
void resolver_cancel(struct resolver_query **query);

#endif
