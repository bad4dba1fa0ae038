/* SPDX-License-Identifier: ISC */
/* tls/handshake.c -- what a TLS client is really given: chain and staple.
 *
 *   CONNECTING --> TALKING (only with STARTTLS) --> SHAKING --> finish
 *
 * OpenSSL works on two memory BIOs and this file moves the bytes: so STARTTLS
 * and TLS share one way in and one way out, what the server last did can be
 * told to the reader, and a server that hangs up raises no SIGPIPE in a
 * program that has not thought of it. */
#include "tls/handshake.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/sockaddr.h"
#include "tls/client.h"
#include "tls/starttls.h"

enum {
	INPUT_MAX = 1 << 20, /* bytes from the server: long chains have 20 k,
				OpenSSL itself stops at
				CLIENT_CHAIN_MAX */
	OUTPUT_MAX = 65536,  /* a ClientHello has under 2 k */
	CHUNK = 16384,
	FIRST_MAX = 16, /* bytes kept of what the server said first */
	ADDRESS_TEXT = INET6_ADDRSTRLEN + 16,
	PROTOCOL_TEXT = 16,
	TLS_ALERT = 21, /* record types, RFC 8446 section 5.1 */
	TLS_HANDSHAKE = 22,
};

enum stage { CONNECTING, TALKING, SHAKING };

struct handshake {
	enum stage stage;
	int fd;
	struct loop_watch *watch;
	struct loop_timer *deadline; /* or, at once, the report of a failure */
	int64_t deadline_ms;
	int64_t started, connected, shaking, last_heard; /* mono ms */
	size_t heard;                                    /* bytes in SHAKING */
	uint8_t first[FIRST_MAX];
	char address[ADDRESS_TEXT];
	struct starttls talk;
	struct client tls;
	struct buf pending; /* to be sent, from byte `sent` on */
	size_t sent;
	struct handshake_result result;
	struct cert_list chain;
	bool reporting;
	void (*cb)(void *cookie, const struct handshake_result *result);
	void *cookie;
};

static void
release(struct handshake *h)
{
	loop_watch_cancel(&h->watch);
	loop_timer_cancel(&h->deadline);
	if (h->fd != -1)
		close(h->fd);
	client_done(&h->tls);
	starttls_done(&h->talk);
	buf_done(&h->pending);
	cert_list_done(&h->chain);
	free(h);
}

/* Report once, in whatever state, and end. */
static void
finish(struct handshake *h)
{
	loop_watch_cancel(&h->watch);
	loop_timer_cancel(&h->deadline);
	h->result.chain = &h->chain;
	h->reporting = true;
	h->cb(h->cookie, &h->result);
	release(h);
}

/* --- failures --- */

static void
connect_failed(struct handshake *h, int error)
{
	(void)err_set(&h->result.err, sockaddr_connect_reason(error),
	    "cannot connect to %s: %s", h->address, strerror(error));
}

/* Something that speaks, but not TLS?  Then OpenSSL's "wrong version number"
 * misleads, and the words themselves tell more. */
static bool
spoke_plainly(const struct handshake *h)
{
	return h->heard > 0 && h->first[0] != TLS_ALERT &&
	       h->first[0] != TLS_HANDSHAKE;
}

static void
shake_failed(struct handshake *h)
{
	unsigned long code = ERR_get_error();
	const char *why = ERR_reason_error_string(code);
	size_t shown = h->heard < FIRST_MAX ? h->heard : FIRST_MAX;

	if (spoke_plainly(h))
		(void)err_set(&h->result.err, REASON_TLS_FAILED,
		    "%s does not speak TLS on this port: it answers the "
		    "ClientHello with '%.*s'",
		    h->address, (int)shown, (const char *)h->first);
	else
		(void)err_set(&h->result.err, REASON_TLS_FAILED,
		    "the TLS handshake with %s failed: %s", h->address,
		    why == NULL ? "no reason given" : why);
	ERR_clear_error();
}

/* The peer is gone: ERROR 0 is an orderly end. */
static void
connection_lost(struct handshake *h, int error)
{
	const char *how =
	    error == 0 ? "closed the connection" : strerror(error);

	if (h->stage == TALKING)
		(void)err_set(&h->result.err, REASON_TLS_FAILED,
		    "%s did not %s: %s", h->address,
		    starttls_waits_for(&h->talk), how);
	else if (spoke_plainly(h))
		shake_failed(h);
	else if (h->heard == 0)
		(void)err_set(&h->result.err, REASON_TLS_FAILED,
		    "%s did not answer the ClientHello: %s", h->address, how);
	else
		(void)err_set(&h->result.err, REASON_TLS_FAILED,
		    "%s ended in the middle of the TLS handshake, after %zu "
		    "bytes: %s",
		    h->address, h->heard, how);
}

static void
deadline_passed(void *cookie)
{
	struct handshake *h = cookie;
	int64_t now = clock_mono_ms();

	h->deadline = NULL;
	if (h->stage == CONNECTING)
		(void)err_set(&h->result.err, REASON_CONNECT_TIMEOUT,
		    "%s did not answer the connection within %lld ms",
		    h->address, (long long)h->deadline_ms);
	else if (h->stage == TALKING)
		(void)err_set(&h->result.err, REASON_TLS_FAILED,
		    "%s took the connection and did not %s within %lld ms",
		    h->address, starttls_waits_for(&h->talk),
		    (long long)h->deadline_ms);
	else if (h->heard == 0)
		(void)err_set(&h->result.err, REASON_TLS_FAILED,
		    "%s took the connection and has not answered the "
		    "ClientHello for %lld ms",
		    h->address, (long long)(now - h->shaking));
	else
		(void)err_set(&h->result.err, REASON_TLS_FAILED,
		    "%s fell silent in the middle of the TLS handshake: %zu "
		    "bytes came, the last %lld ms ago",
		    h->address, h->heard, (long long)(now - h->last_heard));
	finish(h);
}

/* A failure that was known within start. */
static void
report_now(void *cookie)
{
	struct handshake *h = cookie;

	h->deadline = NULL;
	finish(h);
}

/* --- the way out --- */

static void
queue_tls(struct handshake *h)
{
	uint8_t chunk[CHUNK];
	int got;

	/* Ends: what OpenSSL has written for one step is finite. */
	while ((got = BIO_read(h->tls.out, chunk, sizeof(chunk))) > 0)
		buf_add(&h->pending, chunk, (size_t)got);
}

/* Send what is pending, as far as the socket takes it. */
static int
flush(struct handshake *h)
{
	while (h->sent < h->pending.len) {
		ssize_t put = send(h->fd, h->pending.text + h->sent,
		    h->pending.len - h->sent, MSG_NOSIGNAL);

		if (put == -1 && errno == EINTR)
			continue;
		if (put == -1 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return 0;
		if (put == -1)
			return -1;
		h->sent += (size_t)put;
	}
	buf_done(&h->pending);
	h->sent = 0;
	return 0;
}

/* Flush, then wait for what comes next. */
static void
flush_and_wait(struct handshake *h)
{
	/* A server may say why it refuses before it hangs up: a broken way
	 * out is no end, reading will tell. */
	if (flush(h) == -1)
		h->sent = h->pending.len;
	loop_watch_change(h->watch,
	    h->sent < h->pending.len ? UV_READABLE | UV_WRITABLE : UV_READABLE);
}

/* --- the stages --- */

/* What came of the server's side, complete or not. */
static void
take_sent(struct handshake *h)
{
	h->result.staple = client_staple(&h->tls);
	client_chain(&h->tls, &h->chain, &h->result.err);
}

static void
shaken(struct handshake *h)
{
	h->result.tls_ms = clock_mono_ms() - h->shaking;
	client_protocol(&h->tls, h->result.protocol, PROTOCOL_TEXT);
	take_sent(h);
	(void)SSL_shutdown(
	    h->tls.ssl); /* close_notify; its answer is not awaited */
	queue_tls(h);
	(void)flush(h);
	ERR_clear_error();
	finish(h);
}

static void
shake(struct handshake *h)
{
	int rc, error;

	ERR_clear_error();
	rc = SSL_do_handshake(h->tls.ssl);
	error = SSL_get_error(h->tls.ssl, rc);
	if (rc == 1) {
		shaken(h);
		return;
	}
	queue_tls(h);
	if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
		flush_and_wait(h);
		return;
	}
	(void)flush(h); /* our alert */
	shake_failed(h);
	/* A server that wants a certificate of the client has shown its own
	 * before it refuses. */
	take_sent(h);
	finish(h);
}

static void
begin_tls(struct handshake *h)
{
	h->stage = SHAKING;
	h->shaking = h->last_heard = clock_mono_ms();
	shake(h);
}

static void
talk_input(struct handshake *h, const uint8_t *bytes, size_t len)
{
	struct span reply;

	if (starttls_input(&h->talk, bytes, len, &reply, &h->result.err) ==
	    -1) {
		finish(h);
		return;
	}
	if (h->talk.ready) {
		begin_tls(h);
		return;
	}
	buf_add(&h->pending, reply.at, reply.len);
	flush_and_wait(h);
}

static void
shake_input(struct handshake *h, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len && h->heard + i < FIRST_MAX; i++)
		h->first[h->heard + i] = bytes[i] < 0x7f ? bytes[i] : '?';
	h->heard += len;
	h->last_heard = clock_mono_ms();
	if (h->heard > INPUT_MAX ||
	    BIO_write(h->tls.in, bytes, (int)len) != (int)len) {
		(void)err_set(&h->result.err, REASON_TLS_FAILED,
		    "%s sends more than %d bytes in its TLS handshake",
		    h->address, INPUT_MAX);
		finish(h);
		return;
	}
	shake(h);
}

static void
readable(struct handshake *h)
{
	uint8_t chunk[CHUNK];
	ssize_t got = recv(h->fd, chunk, sizeof(chunk), 0);

	if (got == -1 &&
	    (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		return;
	if (got <= 0) {
		connection_lost(h, got == 0 ? 0 : errno);
		finish(h);
		return;
	}
	if (h->stage == TALKING)
		talk_input(h, chunk, (size_t)got);
	else
		shake_input(h, chunk, (size_t)got);
}

static void
connect_ended(struct handshake *h)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(h->fd, SOL_SOCKET, SO_ERROR, &error, &len) == -1)
		error = errno;
	if (error != 0) {
		connect_failed(h, error);
		finish(h);
		return;
	}
	h->connected = clock_mono_ms();
	h->result.connect_ms = h->connected - h->started;
	if (h->talk.ready) {
		begin_tls(h);
		return;
	}
	h->stage = TALKING;
	flush_and_wait(h);
}

static void
socket_event(void *cookie, int status, int events)
{
	struct handshake *h = cookie;

	if (h->stage == CONNECTING)
		connect_ended(h);
	else if (status < 0 || (events & UV_READABLE) != 0)
		readable(h);
	else
		flush_and_wait(h);
}

/* --- start and cancel --- */

static void
write_address(const struct sockaddr *address, char out[ADDRESS_TEXT])
{
	char host[INET6_ADDRSTRLEN] = "?";
	struct buf text;

	buf_init(&text, ADDRESS_TEXT - 1);
	if (address->sa_family == AF_INET) {
		struct sockaddr_in in;

		memcpy(&in, address, sizeof(in));
		(void)inet_ntop(AF_INET, &in.sin_addr, host, sizeof(host));
		buf_printf(&text, "%s:%d", host, ntohs(in.sin_port));
	} else if (address->sa_family == AF_INET6) {
		struct sockaddr_in6 in6;

		memcpy(&in6, address, sizeof(in6));
		(void)inet_ntop(AF_INET6, &in6.sin6_addr, host, sizeof(host));
		buf_printf(&text, "[%s]:%d", host, ntohs(in6.sin6_port));
	} else {
		buf_puts(&text, "the address");
	}
	memcpy(out, buf_text(&text), text.len + 1);
	buf_done(&text);
}

/* 0 if the connection is being made, else errno. */
static int
open_socket(struct handshake *h, const struct sockaddr *address)
{
	socklen_t len = address->sa_family == AF_INET6
			    ? sizeof(struct sockaddr_in6)
			    : sizeof(struct sockaddr_in);

	if (address->sa_family != AF_INET && address->sa_family != AF_INET6)
		return EAFNOSUPPORT;
	h->fd = socket(
	    address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (h->fd == -1)
		return errno;
	if (connect(h->fd, address, len) == -1 && errno != EINPROGRESS)
		return errno;
	return 0;
}

struct handshake *
handshake_start(uv_loop_t *loop, const struct handshake_request *request,
    void (*cb)(void *cookie, const struct handshake_result *result),
    void *cookie)
{
	struct handshake *h = mem_new(sizeof(*h));
	struct span first;
	int error;

	h->fd = -1;
	h->cb = cb;
	h->cookie = cookie;
	h->deadline_ms = request->deadline_ms;
	h->started = clock_mono_ms();
	h->result.connect_ms = h->result.tls_ms = -1;
	write_address(request->address, h->address);
	starttls_init(&h->talk, request->starttls, &first);
	buf_init(&h->pending, OUTPUT_MAX);
	buf_add(&h->pending, first.at, first.len);

	error = open_socket(h, request->address);
	if (error != 0)
		connect_failed(h, error);
	else if (client_init(&h->tls, request->servername) == -1)
		shake_failed(h);
	if (h->result.err.reason != REASON_NONE) {
		h->deadline = loop_timer_start(loop, 0, report_now, h);
		return h;
	}
	h->watch = loop_watch_start(loop, h->fd, UV_WRITABLE, socket_event, h);
	h->deadline =
	    loop_timer_start(loop, request->deadline_ms, deadline_passed, h);
	return h;
}

void
handshake_cancel(struct handshake **handshake)
{
	struct handshake *h = *handshake;

	*handshake = NULL;
	if (h != NULL && !h->reporting)
		release(h);
}
