/* SPDX-License-Identifier: ISC */
/* doctor/split.c -- the same request in two segments.
 *
 *   connect -> first half -> pause -> second half -> the status line */
#include "doctor/split.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/sockaddr.h"
#include "http/fetch.h"

enum { REQUEST = 1024, ANSWER = 512, HTTP_PORT = 80 };

struct split {
	struct facts *facts;
	int64_t began_ms, started_ms;
	uv_loop_t *loop;
	int fd;
	struct loop_watch *watch;
	struct loop_timer *pause, *limit;
	char *host, *request;
	size_t first; /* octets of the first segment */
	bool connected;
	char address[DNS_ADDRESS_TEXT];
	char answer[ANSWER];
	size_t len;
	void (*cb)(void *cookie);
	void *cookie;
};

static void
end(struct split *s, enum reason reason, const char *what)
{
	void (*cb)(void *cookie) = s->cb;
	void *cookie = s->cookie;
	struct fact_control *c = &facts_add(
	    s->facts, FACT_CONTROL, "H", clock_mono_ms() - s->began_ms)
				      ->u.control;

	c->kind = CONTROL_SPLIT;
	fact_copy(c->address, sizeof(c->address), s->address);
	fact_copy(c->host, sizeof(c->host), s->host == NULL ? "" : s->host);
	c->elapsed_ms = clock_mono_ms() - s->started_ms;
	if (reason == REASON_NONE &&
	    sscanf(s->answer, "HTTP/1.%*1[01] %3ld", &c->http_status) != 1)
		(void)err_set(&c->err, REASON_NOT_OCSP,
		    "%s answers with what is no HTTP", s->address);
	else if (reason != REASON_NONE)
		(void)err_set(&c->err, reason, "%s, asked in two segments, %s",
		    s->address, what);
	split_cancel(&s);
	cb(cookie);
}

static enum reason
reason_of(int error, bool connected)
{
	switch (error) {
	case ECONNREFUSED:
		return REASON_CONNECT_REFUSED;
	case ECONNRESET:
	case EPIPE:
		return connected ? REASON_HTTP_RESET : REASON_CONNECT_RESET;
	case ETIMEDOUT:
		return REASON_CONNECT_TIMEOUT;
	default:
		return REASON_UNREACHABLE;
	}
}

static void
too_late(void *cookie)
{
	struct split *s = cookie;

	s->limit = NULL;
	end(s, s->connected ? REASON_HTTP_TIMEOUT : REASON_CONNECT_TIMEOUT,
	    "gives no answer");
}

/* All of it, for it is small and the socket new; else it has failed. */
static bool
say(struct split *s, const char *text, size_t len)
{
	if (send(s->fd, text, len, MSG_NOSIGNAL) == (ssize_t)len)
		return true;
	end(s, reason_of(errno, true), strerror(errno));
	return false;
}

static void
say_the_rest(void *cookie)
{
	struct split *s = cookie;

	s->pause = NULL;
	(void)say(s, s->request + s->first, strlen(s->request) - s->first);
}

static void
is_connected(struct split *s)
{
	int error = 0;
	socklen_t size = sizeof(error);

	(void)getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &size);
	if (error != 0) {
		end(s, reason_of(error, false), strerror(error));
		return;
	}
	s->connected = true;
	loop_watch_change(s->watch, UV_READABLE);
	if (say(s, s->request, s->first))
		s->pause =
		    loop_timer_start(s->loop, SPLIT_PAUSE_MS, say_the_rest, s);
}

static void
ready(void *cookie, int status, int events)
{
	struct split *s = cookie;
	ssize_t got;

	(void)status;
	(void)events;
	if (!s->connected) {
		is_connected(s);
		return;
	}
	got = recv(s->fd, s->answer + s->len, sizeof(s->answer) - 1 - s->len,
	    MSG_DONTWAIT);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got < 0) {
		end(s, reason_of(errno, true), strerror(errno));
		return;
	}
	s->len += (size_t)got;
	s->answer[s->len] = '\0';
	if (got == 0 && s->len == 0)
		end(s, REASON_HTTP_RESET, "hangs up");
	else if (got == 0 || strchr(s->answer, '\n') != NULL ||
		 s->len == sizeof(s->answer) - 1)
		end(s, REASON_NONE, "");
}

static void
cannot(void *cookie)
{
	struct split *s = cookie;

	s->limit = NULL;
	end(s, REASON_UNREACHABLE, "cannot be connected to");
}

/* The request, and where it is cut: in the middle of the Host's name. */
static bool
write_request(struct split *s, const char *url, int *port)
{
	const char *path;
	char *authority;
	bool v6;

	if (!fetch_split_url(url, &s->host, port))
		return false;
	v6 = strchr(s->host, ':') != NULL;
	path = strchr(strstr(url, "://") + 3, '/');
	/* RFC 9112, section 3.2: with the port, where it is another one */
	authority = mem_printf(v6 ? "[%s]:%d" : "%s:%d", s->host, *port);
	if (*port == HTTP_PORT)
		*strrchr(authority, ':') = '\0';
	s->request = mem_printf("GET %s HTTP/1.1\r\nHost: %s\r\n"
				"Accept: application/ocsp-response\r\n"
				"Connection: close\r\n\r\n",
	    path == NULL ? "/" : path, authority);
	free(authority);
	if (strlen(s->request) > REQUEST)
		return false;
	s->first = (size_t)(strstr(s->request, "\r\nHost: ") - s->request) +
		   strlen("\r\nHost: ") + strlen(s->host) / 2;
	return true;
}

static bool
open_socket(struct split *s, const char *url)
{
	struct sockaddr_storage where;
	int port, one = 1;

	if (!write_request(s, url, &port) ||
	    !sockaddr_make(s->address, port, &where))
		return false;
	s->fd = socket(
	    where.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->fd == -1)
		return false;
	(void)setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return connect(s->fd, (struct sockaddr *)&where,
		   where.ss_family == AF_INET6
		       ? sizeof(struct sockaddr_in6)
		       : sizeof(struct sockaddr_in)) == 0 ||
	       errno == EINPROGRESS;
}

struct split *
split_start(uv_loop_t *loop, struct facts *facts, int64_t began_ms,
    const char *url, const char *address, void (*cb)(void *cookie),
    void *cookie)
{
	struct split *s = mem_new(sizeof(*s));

	s->loop = loop;
	s->facts = facts;
	s->began_ms = began_ms;
	s->started_ms = clock_mono_ms();
	s->fd = -1;
	s->cb = cb;
	s->cookie = cookie;
	fact_copy(s->address, sizeof(s->address), address);
	if (open_socket(s, url)) {
		s->watch = loop_watch_start(loop, s->fd, UV_WRITABLE, ready, s);
		s->limit = loop_timer_start(loop, SPLIT_MS, too_late, s);
	} else {
		s->limit = loop_timer_start(loop, 0, cannot, s);
	}
	return s;
}

void
split_cancel(struct split **split)
{
	struct split *s = *split;

	*split = NULL;
	if (s == NULL)
		return;
	loop_watch_cancel(&s->watch);
	loop_timer_cancel(&s->pause);
	loop_timer_cancel(&s->limit);
	if (s->fd != -1)
		close(s->fd);
	free(s->host);
	free(s->request);
	free(s);
}
