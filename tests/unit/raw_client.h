/* SPDX-License-Identifier: ISC */
/* raw_client.h -- an HTTP client that says any octets and reads one answer at a
 * time, on the test's own loop. */
#ifndef OCLASP_TESTS_RAW_CLIENT_H
#define OCLASP_TESTS_RAW_CLIENT_H

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/loop.h"

enum { RAW_MAX = 1 << 19 };

struct raw_client {
	uv_loop_t *loop;
	int fd;
	struct loop_watch *watch;
	char in[RAW_MAX + 1]; /* what came and was not taken yet */
	size_t len;
	bool ended;      /* the server closed it, or reset it */
	bool head_alone; /* the next answer is one to HEAD */
	/* the answer that was taken last */
	int status;
	char head[8192];
	char body[RAW_MAX + 1];
	size_t body_len;
};

static inline bool
raw_connect(struct raw_client *c, uv_loop_t *loop,
    const struct sockaddr *address, socklen_t len)
{
	memset(c, 0, sizeof(*c));
	c->loop = loop;
	c->fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert(c->fd >= 0);
	return connect(c->fd, address, len) == 0;
}

/* To 127.0.0.1. */
static inline void
raw_open(struct raw_client *c, uv_loop_t *loop, int port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	bool there = raw_connect(
	    c, loop, (const struct sockaddr *)&address, sizeof(address));

	assert(there);
	(void)there;
}

static inline bool
raw_open_unix(struct raw_client *c, uv_loop_t *loop, const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	assert(strlen(path) < sizeof(address.sun_path));
	memcpy(address.sun_path, path, strlen(path));
	return raw_connect(
	    c, loop, (const struct sockaddr *)&address, sizeof(address));
}

/* A server that has closed already does not mind; raw_hear() will tell. */
static inline void
raw_say_bytes(struct raw_client *c, const void *bytes, size_t len)
{
	const char *at = bytes;

	while (len > 0) {
		ssize_t done = send(c->fd, at, len, MSG_NOSIGNAL);

		if (done < 0)
			return;
		at += done;
		len -= (size_t)done;
	}
}

static inline void
raw_say(struct raw_client *c, const char *text)
{
	raw_say_bytes(c, text, strlen(text));
}

/* The value of NAME in the last answer's head, into OUT; "" if not there. */
static inline const char *
raw_header(const struct raw_client *c, const char *name, char out[256])
{
	const char *line = strstr(c->head, "\r\n");
	size_t len = strlen(name), to = 0;

	out[0] = '\0';
	for (; line != NULL; line = strstr(line + 2, "\r\n")) {
		const char *at = line + 2;

		if (strncasecmp(at, name, len) != 0 || at[len] != ':')
			continue;
		at += len + 1;
		while (*at == ' ')
			at++;
		for (; *at != '\r' && *at != '\0' && to < 255; at++)
			out[to++] = *at;
		out[to] = '\0';
		break;
	}
	return out;
}

/* Take one whole answer from what came.  False: not all of it is there. */
static inline bool
raw_take(struct raw_client *c)
{
	char *end = strstr(c->in, "\r\n\r\n"), value[256];
	size_t head, body = 0;

	if (end == NULL)
		return false;
	head = (size_t)(end - c->in) + 4;
	assert(head < sizeof(c->head));
	memcpy(c->head, c->in, head);
	c->head[head] = '\0';
	c->status = (int)strtol(c->head + 9, NULL, 10);
	if (!c->head_alone && c->status >= 200 && c->status != 304)
		body = (size_t)strtoul(
		    raw_header(c, "Content-Length", value), NULL, 10);
	if (c->len < head + body)
		return false;
	memcpy(c->body, c->in + head, body);
	c->body[body] = '\0';
	c->body_len = body;
	c->head_alone = false;
	c->len -= head + body;
	memmove(c->in, c->in + head + body, c->len + 1);
	return true;
}

static inline void
raw_readable(void *cookie, int status, int events)
{
	struct raw_client *c = cookie;
	ssize_t len =
	    recv(c->fd, c->in + c->len, RAW_MAX - c->len, MSG_DONTWAIT);

	(void)events;
	/* a reset behind octets: libuv tells of it once, and of nothing after */
	if (status < 0 || len == 0 ||
	    (len < 0 && errno != EAGAIN && errno != EINTR))
		c->ended = true;
	if (len > 0)
		c->len += (size_t)len;
	c->in[c->len] = '\0';
	uv_stop(c->loop);
}

/* Run the loop until an answer is there (true) or the server ended it. */
static inline bool
raw_hear(struct raw_client *c)
{
	bool whole;

	c->watch =
	    loop_watch_start(c->loop, c->fd, UV_READABLE, raw_readable, c);
	while (!(whole = raw_take(c)) && !c->ended)
		loop_run(c->loop);
	loop_watch_cancel(&c->watch);
	return whole;
}

/* Run the loop until the server has closed the connection. */
static inline void
raw_hear_end(struct raw_client *c)
{
	c->watch =
	    loop_watch_start(c->loop, c->fd, UV_READABLE, raw_readable, c);
	while (!c->ended)
		loop_run(c->loop);
	loop_watch_cancel(&c->watch);
}

static inline void
raw_close(struct raw_client *c)
{
	close(c->fd);
	c->fd = -1;
}

#endif
