/* SPDX-License-Identifier: ISC */
/* dns/system.h -- the system's own answer: getaddrinfo, off the loop.
 *
 * /etc/hosts, nsswitch and all: what every other program on this machine is
 * told.  It blocks, so libuv's thread pool asks. */
#ifndef OCLASP_DNS_SYSTEM_H
#define OCLASP_DNS_SYSTEM_H

#include <stddef.h>
#include <sys/socket.h>
#include <uv.h>

struct err;
struct system_query;

enum { SYSTEM_ADDRESSES_MAX = 64 };

/* FAMILY is AF_UNSPEC, AF_INET or AF_INET6.  CB comes once, with the unique
 * addresses (borrowed during the call) in the system's order.  ERR has
 * REASON_NONE if there is any, else REASON_DNS_NXDOMAIN, REASON_DNS_SERVFAIL
 * or REASON_DNS_NO_ANSWER. */
struct system_query *system_start(uv_loop_t *loop, const char *name, int family,
    void (*cb)(void *cookie, const char *const *addresses, size_t count,
	const struct err *err),
    void *cookie);

/* Silence at once.  A lookup that is under way cannot be stopped: its thread
 * returns when getaddrinfo does, and until then the loop is alive. */
void system_cancel(struct system_query **query);

#endif
