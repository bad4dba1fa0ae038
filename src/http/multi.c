/* SPDX-License-Identifier: ISC */
/* http/multi.c -- libcurl's multi interface, driven by the loop. */
#include "http/multi.h"

#include <assert.h>
#include <stdlib.h>

#include "base/loop.h"
#include "base/mem.h"

/* Connections, in use or idle: of as many as there are beyond, libcurl closes an
 * idle one whenever another falls idle, so that with too few none would ever be
 * used again.  Idle ones are closed by the server, or when they are found to be
 * two minutes old (CURLOPT_MAXAGE_CONN). */
enum { MULTI_CONNECTIONS_MAX = 256 };

struct multi {
	uv_loop_t *loop; /* borrowed; must outlive */
	CURLM *curl;
	struct loop_timer *timer;
	void (*done)(CURL *easy, CURLcode code);
	bool draining, freed;
};

/* One socket that libcurl waits for. */
struct multi_socket {
	struct multi *multi;
	curl_socket_t fd;
	int events;
	struct loop_watch *watch;
};

static void
destroy(struct multi *multi)
{
	(void)curl_multi_cleanup(multi->curl);
	/* The clean-up may have asked for a last moment. */
	loop_timer_cancel(&multi->timer);
	free(multi);
	curl_global_cleanup();
}

/* Report the transfers that have ended.  DONE may add, remove and free. */
static void
drain(struct multi *multi)
{
	CURLMsg *message;
	int left;

	multi->draining = true;
	while (!multi->freed &&
	       (message = curl_multi_info_read(multi->curl, &left)) != NULL) {
		CURL *easy = message->easy_handle;
		CURLcode code = message->data.result;

		if (message->msg != CURLMSG_DONE)
			continue;
		(void)curl_multi_remove_handle(multi->curl, easy);
		multi->done(easy, code);
	}
	multi->draining = false;
	if (multi->freed)
		destroy(multi);
}

static void
socket_ready(void *cookie, int status, int events)
{
	struct multi_socket *s = cookie;
	struct multi *multi = s->multi; /* S may be gone after the action */
	int running;
	int what = 0;

	if (status < 0) {
		/* libuv stops at POLLERR; libcurl may want to wait on. */
		loop_watch_change(s->watch, s->events);
		what = CURL_CSELECT_ERR;
	}
	if ((events & UV_READABLE) != 0)
		what |= CURL_CSELECT_IN;
	if ((events & UV_WRITABLE) != 0)
		what |= CURL_CSELECT_OUT;
	(void)curl_multi_socket_action(multi->curl, s->fd, what, &running);
	drain(multi);
}

/* libcurl wants to hear of other events of a socket, or of none. */
static int
socket_wanted(CURL *easy, curl_socket_t fd, int what, void *cookie, void *known)
{
	struct multi *multi = cookie;
	struct multi_socket *s = known;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (s != NULL)
			loop_watch_cancel(&s->watch);
		(void)curl_multi_assign(multi->curl, fd, NULL);
		free(s);
		return 0;
	}
	if (s == NULL) {
		s = mem_new(sizeof(*s));
		s->multi = multi;
		s->fd = fd;
		(void)curl_multi_assign(multi->curl, fd, s);
	}
	s->events = ((what & CURL_POLL_IN) != 0 ? UV_READABLE : 0) |
		    ((what & CURL_POLL_OUT) != 0 ? UV_WRITABLE : 0);
	if (s->watch == NULL)
		s->watch = loop_watch_start(
		    multi->loop, fd, s->events, socket_ready, s);
	else
		loop_watch_change(s->watch, s->events);
	return 0;
}

static void
moment_came(void *cookie)
{
	struct multi *multi = cookie;
	int running;

	multi->timer = NULL;
	(void)curl_multi_socket_action(
	    multi->curl, CURL_SOCKET_TIMEOUT, 0, &running);
	drain(multi);
}

static int
moment_wanted(CURLM *curl, long delay_ms, void *cookie)
{
	struct multi *multi = cookie;

	(void)curl;
	loop_timer_cancel(&multi->timer);
	if (delay_ms >= 0)
		multi->timer =
		    loop_timer_start(multi->loop, delay_ms, moment_came, multi);
	return 0;
}

struct multi *
multi_new(uv_loop_t *loop, void (*done)(CURL *easy, CURLcode code))
{
	struct multi *multi = mem_new(sizeof(*multi));

	(void)curl_global_init(CURL_GLOBAL_DEFAULT); /* counts its users */
	multi->loop = loop;
	multi->done = done;
	multi->curl = curl_multi_init();
	assert(multi->curl != NULL); /* only for want of memory */
	(void)curl_multi_setopt(
	    multi->curl, CURLMOPT_SOCKETFUNCTION, socket_wanted);
	(void)curl_multi_setopt(multi->curl, CURLMOPT_SOCKETDATA, multi);
	(void)curl_multi_setopt(
	    multi->curl, CURLMOPT_TIMERFUNCTION, moment_wanted);
	(void)curl_multi_setopt(multi->curl, CURLMOPT_TIMERDATA, multi);
	(void)curl_multi_setopt(
	    multi->curl, CURLMOPT_MAXCONNECTS, (long)MULTI_CONNECTIONS_MAX);
	(void)curl_multi_setopt(
	    multi->curl, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
	return multi;
}

void
multi_free(struct multi *multi)
{
	if (multi == NULL)
		return;
	multi->freed = true;
	if (!multi->draining)
		destroy(multi);
}

CURLMcode
multi_add(struct multi *multi, CURL *easy)
{
	return curl_multi_add_handle(multi->curl, easy);
}

void
multi_remove(struct multi *multi, CURL *easy)
{
	(void)curl_multi_remove_handle(multi->curl, easy);
}
