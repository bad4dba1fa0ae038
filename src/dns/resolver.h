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

#include "dns/message.h"
#include "tls/secure.h"

struct err;
struct fetch_pool;
struct resolver_query;

enum {
	RESOLVERS_MAX = 16, /* configured and of resolv.conf together */
	RESOLVER_URL_TEXT = 256,
	RESOLVER_NAME_TEXT = 254,   /* a host name, NUL */
	RESOLVER_BOOTSTRAP_MAX = 4, /* addresses of a DoH server */
	RESOLVER_CONF_MAX = 65536,  /* bytes of a resolv.conf */
};

enum resolver_kind {
	RESOLVER_SYSTEM,
	RESOLVER_UDP,
	RESOLVER_TCP,
	RESOLVER_TLS,   /* DoT, RFC 7858 */
	RESOLVER_HTTPS, /* DoH, RFC 8484 */
};

struct resolver {
	enum resolver_kind kind;
	char url[RESOLVER_URL_TEXT];     /* canonical, default port left out */
	struct sockaddr_storage address; /* UDP, TCP, TLS */
	/* UDP: hold-on window, 0: DATAGRAM_HOLD_MS; else how long we wait, 0:
	 * STREAM_DEADLINE_MS, HTTPS_DEADLINE_MS */
	int64_t hold_ms;
	char name[RESOLVER_NAME_TEXT]; /* TLS: whom the certificate must be
					  for, "" its address; HTTPS: host */
	uint8_t pins[SECURE_PINS_MAX][SECURE_PIN_SIZE]; /* TLS */
	size_t pin_count;
	bool insecure; /* TLS: any certificate will do; the URL says so */
	/* HTTPS: where to connect to; none: NAME is looked up by the system */
	char bootstrap[RESOLVER_BOOTSTRAP_MAX][DNS_ADDRESS_TEXT];
	size_t bootstrap_count;
	/* Not of the URL, and NULL after parsing.  Borrowed; must outlive. */
	const char *tls_ca;      /* TLS, HTTPS: PEM, instead of the system's */
	struct fetch_pool *pool; /* HTTPS: whose connections serve again */
};

/* One of
 *   system
 *   udp://IP[:53], or a plain IP; tcp://IP[:53]
 *   tls://IP[:853][#NAME][,pin-sha256=BASE64 ...], tls://IP[:853]#insecure
 *   https://HOST[:443]/PATH[#IP,...]
 * where an IPv6 address with a port, and any in https, wants brackets.
 * Errors: REASON_USAGE. */
int resolver_parse(const char *url, struct resolver *out, struct err *err);

/* The nameservers of a resolv.conf, as udp resolvers, at most MAX and each
 * once; returns how many.  A missing file gives none. */
size_t resolver_read_conf(const char *path, struct resolver *out, size_t max);

/* The same of the file's text. */
size_t resolver_parse_conf(const char *text, struct resolver *out, size_t max);

/* True of the stub of systemd-resolved (its manual: 127.0.0.53 and, without its
 * cache, 127.0.0.54): behind it others are asked, of whose answers it tells the
 * first datagram only. */
bool resolver_is_stub(const struct resolver *resolver);

/* Add to LIST of COUNT, room for RESOLVERS_MAX, those of MORE that are not in
 * it yet, but for "system"; returns how many there are then. */
size_t resolver_join(struct resolver *list, size_t count,
    const struct resolver *more, size_t more_count);

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
