/* SPDX-License-Identifier: ISC */
/* http_script.h -- a tiny scripted HTTP server on the test's own loop.
 *
 * It says what the script says, to the byte, and behaves as badly as it is
 * told; what it was asked can be read afterwards. */
#ifndef OCLASP_TESTS_HTTP_SCRIPT_H
#define OCLASP_TESTS_HTTP_SCRIPT_H

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/loop.h"
#include "base/mem.h"

enum script_manner {
	SCRIPT_CLOSE, /* reply, then close */
	SCRIPT_KEEP,  /* reply, then wait for the next request */
	SCRIPT_DRIP,  /* one byte of the reply every 20 ms */
	SCRIPT_HANG,  /* accept, read and stay silent */
	SCRIPT_RESET, /* reply, then reset */
	SCRIPT_ONCE,  /* reply to the first request of a connection; hang up
			 on the second */
	SCRIPT_FULL,  /* never accept, with a full backlog */
};

enum { SCRIPT_PEERS_MAX = 16, SCRIPT_REQUEST_MAX = 16384, SCRIPT_FILL = 4 };

struct script_peer {
	struct script *script;
	int fd;
	struct loop_watch *watch;
	struct loop_timer *drip;
	size_t sent;
	char request[SCRIPT_REQUEST_MAX];
	size_t len, requests;
};

struct script {
	uv_loop_t *loop;
	enum script_manner manner;
	const void *reply;
	size_t reply_len;
	char address[46];
	int port;
	int fd;
	int fill[SCRIPT_FILL];
	struct loop_watch *watch;
	struct script_peer *peers[SCRIPT_PEERS_MAX];
	size_t accepted, requests, ended;
	char request[SCRIPT_REQUEST_MAX];      /* the last whole one */
	void (*choose)(struct script *script); /* set `reply` for `request`, and
						  `manner`; may be NULL */
	void (*peer_gone)(void *cookie);       /* may be NULL */
	void *cookie;
};

/* As if stopped. */
static inline void
script_init(struct script *script)
{
	memset(script, 0, sizeof(*script));
	script->fd = -1;
	for (size_t i = 0; i < SCRIPT_FILL; i++)
		script->fill[i] = -1;
}

static inline void
script_drop(struct script_peer *peer, bool reset)
{
	struct linger linger = {.l_onoff = 1, .l_linger = 0};
	struct script *script = peer->script;

	if (reset)
		(void)setsockopt(
		    peer->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	loop_watch_cancel(&peer->watch);
	loop_timer_cancel(&peer->drip);
	close(peer->fd);
	for (size_t i = 0; i < SCRIPT_PEERS_MAX; i++) {
		if (script->peers[i] == peer)
			script->peers[i] = NULL;
	}
	free(peer);
}

static inline void
script_write(struct script_peer *peer, size_t max)
{
	const struct script *script = peer->script;
	size_t len = script->reply_len - peer->sent;
	ssize_t done;

	if (len > max)
		len = max;
	/* Loopback takes a few hundred KB at once; a peer that closes early
	 * is what some tests are about. */
	done = send(peer->fd, (const char *)script->reply + peer->sent, len,
	    MSG_NOSIGNAL);
	if (done > 0)
		peer->sent += (size_t)done;
}

static inline void
script_drip(void *cookie)
{
	struct script_peer *peer = cookie;

	script_write(peer, 1);
	peer->drip =
	    loop_timer_start(peer->script->loop, 20, script_drip, peer);
}

/* A whole request is there: do as the script says. */
static inline void
script_answer(struct script_peer *peer)
{
	struct script *script = peer->script;

	memcpy(script->request, peer->request, sizeof(script->request));
	script->requests++;
	if (script->choose != NULL)
		script->choose(script);
	peer->len = 0;
	peer->sent = 0;
	switch (script->manner) {
	case SCRIPT_CLOSE:
	case SCRIPT_RESET:
		script_write(peer, SIZE_MAX);
		script_drop(peer, script->manner == SCRIPT_RESET);
		break;
	case SCRIPT_KEEP:
		script_write(peer, SIZE_MAX);
		break;
	case SCRIPT_ONCE:
		if (peer->requests++ > 0)
			script_drop(peer, false);
		else
			script_write(peer, SIZE_MAX);
		break;
	case SCRIPT_DRIP:
		script_drip(peer);
		break;
	case SCRIPT_HANG:
	case SCRIPT_FULL:
		break;
	}
}

static inline bool
script_request_whole(const struct script_peer *peer)
{
	const char *body = strstr(peer->request, "\r\n\r\n");
	const char *length = strstr(peer->request, "Content-Length: ");

	if (body == NULL)
		return false;
	return length == NULL || peer->request + peer->len >=
				     body + 4 + strtol(length + 16, NULL, 10);
}

static inline void
script_readable(void *cookie, int status, int events)
{
	struct script_peer *peer = cookie;
	struct script *script = peer->script;
	ssize_t len = recv(peer->fd, peer->request + peer->len,
	    sizeof(peer->request) - 1 - peer->len, 0);

	(void)status;
	(void)events;
	if (len <= 0) {
		script_drop(peer, false);
		script->ended++;
		if (script->peer_gone != NULL)
			script->peer_gone(script->cookie);
		return;
	}
	peer->len += (size_t)len;
	peer->request[peer->len] = '\0';
	if (script_request_whole(peer))
		script_answer(peer);
}

static inline void
script_accept(void *cookie, int status, int events)
{
	struct script *script = cookie;
	int fd = accept4(script->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct script_peer *peer = NULL;

	(void)status;
	(void)events;
	if (fd == -1)
		return;
	for (size_t i = 0; i < SCRIPT_PEERS_MAX && peer == NULL; i++) {
		if (script->peers[i] == NULL)
			peer = script->peers[i] = mem_new(sizeof(*peer));
	}
	assert(peer != NULL);
	peer->script = script;
	peer->fd = fd;
	script->accepted++;
	peer->watch = loop_watch_start(
	    script->loop, fd, UV_READABLE, script_readable, peer);
}

/* Connections that nobody accepts, until the kernel drops the next. */
static inline void
script_fill(
    struct script *script, const struct sockaddr *address, socklen_t size)
{
	for (size_t i = 0; i < SCRIPT_FILL; i++) {
		script->fill[i] = socket(address->sa_family,
		    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		(void)connect(script->fill[i], address, size);
	}
}

/* Listen on ADDRESS and PORT (0: any free one).  False if that is not to be
 * had, as ::1 on a machine without IPv6. */
static inline bool
script_start(struct script *script, uv_loop_t *loop, const char *address,
    int port, enum script_manner manner, const void *reply, size_t len)
{
	struct sockaddr_storage any = {0};
	struct sockaddr_in *v4 = (struct sockaddr_in *)&any;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&any;
	socklen_t size = sizeof(any);
	int one = 1;

	script_init(script);
	script->loop = loop;
	script->manner = manner;
	script->reply = reply;
	script->reply_len = len;
	memcpy(script->address, address, strlen(address) + 1);
	if (strchr(address, ':') != NULL) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons((uint16_t)port);
		assert(inet_pton(AF_INET6, address, &v6->sin6_addr) == 1);
	} else {
		v4->sin_family = AF_INET;
		v4->sin_port = htons((uint16_t)port);
		assert(inet_pton(AF_INET, address, &v4->sin_addr) == 1);
	}
	script->fd = socket(
	    any.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (script->fd == -1)
		return false;
	(void)setsockopt(
	    script->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(script->fd, (struct sockaddr *)&any,
		any.ss_family == AF_INET ? sizeof(*v4) : sizeof(*v6)) != 0 ||
	    listen(script->fd, manner == SCRIPT_FULL ? 0 : 64) != 0) {
		close(script->fd);
		script->fd = -1;
		return false;
	}
	(void)getsockname(script->fd, (struct sockaddr *)&any, &size);
	script->port =
	    ntohs(any.ss_family == AF_INET ? v4->sin_port : v6->sin6_port);
	if (manner == SCRIPT_FULL)
		script_fill(script, (struct sockaddr *)&any, size);
	else
		script->watch = loop_watch_start(
		    loop, script->fd, UV_READABLE, script_accept, script);
	return true;
}

static inline void
script_stop(struct script *script)
{
	loop_watch_cancel(&script->watch);
	for (size_t i = 0; i < SCRIPT_PEERS_MAX; i++) {
		if (script->peers[i] != NULL)
			script_drop(script->peers[i], false);
	}
	for (size_t i = 0; i < SCRIPT_FILL; i++) {
		if (script->fill[i] != -1)
			close(script->fill[i]);
	}
	if (script->fd != -1)
		close(script->fd);
	script->fd = -1;
}

#endif
