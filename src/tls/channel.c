/* SPDX-License-Identifier: ISC */
/* tls/channel.c -- octets to and from one server, over TCP or TLS, on the loop.
 *
 *   CONNECTING --> SHAKING (only with TLS) --> OPEN --> end
 *
 * TLS itself is secure.c; this file moves the octets.
 *
 * Callbacks come in a turn, which the socket's event or a timer opens; a
 * cancel from within one leaves the freeing to its close. */
#include "tls/channel.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/sockaddr.h"
#include "tls/secure.h"

enum {
	CHUNK = 16384,
	READS_MAX = 16,         /* chunks in one turn of the loop */
	OUTPUT_MAX = 256 << 10, /* a few questions and a handshake */
};

enum stage { CONNECTING, SHAKING, OPEN };

struct channel {
	enum stage stage;
	int fd;
	struct loop_watch *watch;
	struct loop_timer *failing; /* tells `err` at the next turn */
	char peer[SECURE_PEER_TEXT];
	struct secure *tls; /* NULL: plain TCP */
	struct buf say;     /* what waits for the channel to open */
	struct buf wire;    /* to be sent, from byte `sent` on */
	size_t sent;
	struct err err;
	bool in_turn, over;
	struct channel_callbacks callbacks;
	void *cookie;
};

static void
hang_up(struct channel *c)
{
	loop_watch_cancel(&c->watch);
	loop_timer_cancel(&c->failing);
	if (c->fd != -1)
		close(c->fd);
	c->fd = -1;
}

static void
release(struct channel *c)
{
	hang_up(c);
	secure_free(c->tls);
	buf_done(&c->say);
	buf_done(&c->wire);
	free(c);
}

static void
open_turn(struct channel *c)
{
	assert(!c->in_turn && !c->over);
	c->in_turn = true;
}

static void
close_turn(struct channel *c)
{
	c->in_turn = false;
	if (c->over)
		release(c);
}

/* The one way out, within a turn. */
static void
finish(struct channel *c)
{
	hang_up(c);
	if (!c->over)
		c->callbacks.end(c->cookie, &c->err);
	c->over = true;
}

/* --- failures --- */

static void
connect_failed(struct channel *c, int error)
{
	(void)err_set(&c->err, sockaddr_connect_reason(error),
	    "cannot connect to %s: %s", c->peer, strerror(error));
}

/* The server is gone: ERROR 0 is an orderly end. */
static void
connection_lost(struct channel *c, int error)
{
	if (c->stage == SHAKING)
		(void)err_set(&c->err, REASON_TLS_FAILED,
		    "%s did not finish the TLS handshake: %s", c->peer,
		    error == 0 ? "it closed the connection" : strerror(error));
	else if (error != 0)
		(void)err_set(&c->err, REASON_CONNECT_RESET,
		    "the connection to %s broke: %s", c->peer, strerror(error));
}

/* --- the way out --- */

/* Send what waits, as far as the socket takes it.  A broken way out is no
 * end: the server may have said why before, and reading will tell. */
static void
flush(struct channel *c)
{
	if (c->tls != NULL)
		secure_drain(c->tls, &c->wire);
	while (c->sent < c->wire.len) {
		ssize_t put = send(c->fd, c->wire.text + c->sent,
		    c->wire.len - c->sent, MSG_NOSIGNAL);

		if (put == -1 && errno == EINTR)
			continue;
		if (put == -1 && (errno == EAGAIN || errno == EWOULDBLOCK))
			break;
		c->sent = put == -1 ? c->wire.len : c->sent + (size_t)put;
	}
	if (c->sent == c->wire.len) {
		buf_done(&c->wire);
		c->sent = 0;
	}
	loop_watch_change(c->watch,
	    c->wire.len > 0 ? UV_READABLE | UV_WRITABLE : UV_READABLE);
}

/* --- the stages --- */

static void
opened(struct channel *c)
{
	const struct span say = {
	    (const uint8_t *)buf_text(&c->say), c->say.len};

	c->stage = OPEN;
	if (c->tls == NULL)
		buf_add(&c->wire, say.at, say.len);
	else
		secure_write(c->tls, say);
}

static void
shake(struct channel *c)
{
	switch (secure_shake(c->tls, &c->err)) {
	case SECURE_WAITS:
		break;
	case SECURE_DONE:
		opened(c);
		break;
	case SECURE_FAILED:
		flush(c); /* our alert */
		finish(c);
		break;
	}
}

/* What came, decrypted.  Ends: no more comes out than went in. */
static void
read_tls(struct channel *c)
{
	uint8_t chunk[CHUNK];
	size_t len = 0;
	enum secure_step step = SECURE_DONE;

	while (!c->over && step == SECURE_DONE) {
		step = secure_read(c->tls, chunk, sizeof(chunk), &len, &c->err);
		if (step == SECURE_FAILED || (step == SECURE_DONE && len == 0))
			finish(c);
		else if (step == SECURE_DONE)
			c->callbacks.input(c->cookie, chunk, len);
	}
}

static void
take(struct channel *c, const uint8_t *bytes, size_t len)
{
	if (c->tls == NULL) {
		c->callbacks.input(c->cookie, bytes, len);
		return;
	}
	secure_take(c->tls, bytes, len);
	if (c->stage == SHAKING)
		shake(c);
	/* The first data may come together with the end of the handshake. */
	if (!c->over && c->stage == OPEN)
		read_tls(c);
}

static void
readable(struct channel *c)
{
	uint8_t chunk[CHUNK];

	for (int i = 0; i < READS_MAX && !c->over; i++) {
		ssize_t got = recv(c->fd, chunk, sizeof(chunk), 0);

		if (got == -1 &&
		    (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
			return;
		if (got <= 0) {
			connection_lost(c, got == 0 ? 0 : errno);
			finish(c);
			return;
		}
		take(c, chunk, (size_t)got);
	}
}

static void
connect_ended(struct channel *c)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len) == -1)
		error = errno;
	if (error != 0) {
		connect_failed(c, error);
		finish(c);
	} else if (c->tls == NULL) {
		opened(c);
	} else {
		c->stage = SHAKING;
		shake(c);
	}
}

static void
socket_event(void *cookie, int status, int events)
{
	struct channel *c = cookie;

	open_turn(c);
	if (c->stage == CONNECTING)
		connect_ended(c);
	else if (status < 0 || (events & UV_READABLE) != 0)
		readable(c);
	if (!c->over && c->stage != CONNECTING)
		flush(c);
	close_turn(c);
}

/* --- start and cancel --- */

static void
write_peer(const struct sockaddr *address, char out[SECURE_PEER_TEXT])
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
	char host[INET6_ADDRSTRLEN] = "?";

	if (address->sa_family == AF_INET6) {
		(void)inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof(host));
		(void)snprintf(out, SECURE_PEER_TEXT, "[%s]:%u", host,
		    ntohs(v6->sin6_port));
		return;
	}
	(void)inet_ntop(AF_INET, &v4->sin_addr, host, sizeof(host));
	(void)snprintf(
	    out, SECURE_PEER_TEXT, "%s:%u", host, ntohs(v4->sin_port));
}

static int
open_socket(struct channel *c, const struct sockaddr *address)
{
	socklen_t len = address->sa_family == AF_INET6
			    ? sizeof(struct sockaddr_in6)
			    : sizeof(struct sockaddr_in);

	c->fd = socket(
	    address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd == -1 ||
	    (connect(c->fd, address, len) == -1 && errno != EINPROGRESS)) {
		connect_failed(c, errno);
		return -1;
	}
	return 0;
}

static void
tell_failure(void *cookie)
{
	struct channel *c = cookie;

	open_turn(c);
	c->failing = NULL;
	finish(c);
	close_turn(c);
}

struct channel *
channel_start(uv_loop_t *loop, const struct channel_request *request,
    const struct channel_callbacks *callbacks, void *cookie)
{
	struct channel *c = mem_new(sizeof(*c));

	c->fd = -1;
	c->callbacks = *callbacks;
	c->cookie = cookie;
	write_peer(request->address, c->peer);
	buf_init(&c->say, OUTPUT_MAX);
	buf_init(&c->wire, OUTPUT_MAX);
	buf_add(&c->say, request->say.at, request->say.len);
	if (request->trust != NULL)
		c->tls = secure_new(
		    request->trust, request->address, c->peer, &c->err);
	if (c->err.reason != REASON_NONE ||
	    open_socket(c, request->address) == -1) {
		c->failing = loop_timer_start(loop, 0, tell_failure, c);
		return c;
	}
	c->watch = loop_watch_start(loop, c->fd, UV_WRITABLE, socket_event, c);
	return c;
}

void
channel_cancel(struct channel **channel)
{
	struct channel *c = *channel;

	*channel = NULL;
	if (c == NULL)
		return;
	c->over = true;
	if (c->in_turn)
		hang_up(c);
	else
		release(c);
}

const char *
channel_waits_for(const struct channel *channel)
{
	switch (channel->stage) {
	case CONNECTING:
		return "answer the connection";
	case SHAKING:
		return "finish the TLS handshake";
	case OPEN:
		return "answer";
	}
	return "answer";
}
