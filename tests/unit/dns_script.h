/* SPDX-License-Identifier: ISC */
/* dns_script.h -- a scripted DNS server over UDP on the test's own loop.
 *
 * Each question goes to a function of the test, which sends what it likes, by
 * whom it likes: now, later, or never. */
#ifndef OCLASP_TESTS_DNS_SCRIPT_H
#define OCLASP_TESTS_DNS_SCRIPT_H

#include <assert.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/loop.h"
#include "base/mem.h"
#include "dns/resolver.h"
#include "dns_wire.h"

struct dns_script;

struct dns_question {
	struct dns_script *script;
	struct sockaddr_storage from;
	socklen_t from_size;
	unsigned id, type;
	char name[256]; /* as it was written */
	size_t number;  /* 0 for the first that came */
	bool edns;      /* something is in the additional section */
};

struct dns_script {
	uv_loop_t *loop;
	int fd;
	struct loop_watch *watch;
	struct sockaddr_storage address;
	socklen_t address_size;
	size_t questions;
	void (*reply)(const struct dns_question *question);
};

static inline void
dns_script_send(const struct dns_question *question, const struct wire *wire)
{
	ssize_t sent = sendto(question->script->fd, wire->at, wire->len, 0,
	    (const struct sockaddr *)&question->from, question->from_size);

	(void)sent; /* the asker may be gone: what some tests are about */
}

struct dns_delayed {
	struct dns_question question;
	struct wire wire;
};

static inline void
dns_script_send_delayed(void *cookie)
{
	struct dns_delayed *delayed = cookie;

	if (delayed->question.script->fd != -1)
		dns_script_send(&delayed->question, &delayed->wire);
	free(delayed);
}

static inline void
dns_script_send_later(const struct dns_question *question,
    const struct wire *wire, int64_t delay_ms)
{
	struct dns_delayed *delayed = mem_new(sizeof(*delayed));

	delayed->question = *question;
	delayed->wire = *wire;
	(void)loop_timer_start(
	    question->script->loop, delay_ms, dns_script_send_delayed, delayed);
}

static inline void
dns_script_readable(void *cookie, int status, int events)
{
	struct dns_script *script = cookie;
	struct dns_question question = {
	    .script = script, .from_size = sizeof(question.from)};
	uint8_t bytes[1024];
	ssize_t len = recvfrom(script->fd, bytes, sizeof(bytes), MSG_DONTWAIT,
	    (struct sockaddr *)&question.from, &question.from_size);

	(void)events;
	if (status < 0)
		loop_watch_change(script->watch, UV_READABLE);
	if (len < 12)
		return;
	question.id = wire_id(bytes);
	question.type = wire_type_asked(bytes, (size_t)len);
	wire_name_asked(bytes, (size_t)len, question.name);
	question.edns = bytes[11] != 0;
	question.number = script->questions++;
	if (script->reply != NULL)
		script->reply(&question);
}

/* Listen on any port of the loopback, IPv6 if V6; false if not to be had. */
static inline bool
dns_script_start(struct dns_script *script, uv_loop_t *loop, bool v6,
    void (*reply)(const struct dns_question *question))
{
	struct sockaddr_in v4_any = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_in6 v6_any = {
	    .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};

	memset(script, 0, sizeof(*script));
	script->loop = loop;
	script->reply = reply;
	script->fd = socket(v6 ? AF_INET6 : AF_INET,
	    SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (script->fd == -1)
		return false;
	if ((v6 ? bind(script->fd, (struct sockaddr *)&v6_any, sizeof(v6_any))
		: bind(script->fd, (struct sockaddr *)&v4_any,
		      sizeof(v4_any))) != 0) {
		close(script->fd);
		script->fd = -1;
		return false;
	}
	script->address_size = sizeof(script->address);
	(void)getsockname(script->fd, (struct sockaddr *)&script->address,
	    &script->address_size);
	script->watch = loop_watch_start(
	    loop, script->fd, UV_READABLE, dns_script_readable, script);
	return true;
}

static inline int
dns_script_port(const struct dns_script *script)
{
	const struct sockaddr_in *v4 =
	    (const struct sockaddr_in *)&script->address;

	return ntohs(v4->sin_port); /* at the same place in sockaddr_in6 */
}

/* The server as a resolver; HOLD_MS as there. */
static inline struct resolver
dns_script_resolver(const struct dns_script *script, int64_t hold_ms)
{
	struct resolver resolver;
	char url[64];
	int rc;

	(void)snprintf(
	    url, sizeof(url), "udp://127.0.0.1:%d", dns_script_port(script));
	rc = resolver_parse(url, &resolver, NULL);
	assert(rc == 0);
	resolver.hold_ms = hold_ms;
	return resolver;
}

static inline void
dns_script_stop(struct dns_script *script)
{
	loop_watch_cancel(&script->watch);
	if (script->fd != -1)
		close(script->fd);
	script->fd = -1;
}

/* --- what most of them say --- */

/* The beginning of an answer to QUESTION; FLAGS, such as an rcode, beside those
 * of each. */
static inline void
dns_begin(
    struct wire *wire, const struct dns_question *question, unsigned flags)
{
	wire_start(wire, question->id, WIRE_RESPONSE | flags);
	wire_question(wire, question->name, question->type);
}

/* ADDRESS to those who ask for its family, nothing to the others. */
static inline void
dns_say(const struct dns_question *question, const char *address)
{
	unsigned type = strchr(address, ':') != NULL ? DNS_AAAA : DNS_A;
	struct wire wire;

	dns_begin(&wire, question, 0);
	if (question->type == type)
		wire_address(&wire, question->name, address);
	dns_script_send(question, &wire);
}

/* No record, and this rcode: 3 is NXDOMAIN, 0 no data. */
static inline void
dns_deny(const struct dns_question *question, unsigned rcode)
{
	struct wire wire;

	dns_begin(&wire, question, rcode);
	dns_script_send(question, &wire);
}

#endif
