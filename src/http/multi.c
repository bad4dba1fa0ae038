/* SPDX-License-Identifier: ISC */
/* http/multi.c -- libcurl's multi interface, driven by the loop.
 *
 * libcurl's sockets are in an epoll of their own, and the loop watches that.
 * Between two transfers of one connection libcurl waits for nothing, and to take
 * its socket out and put it back costs more than to look away should something
 * come meanwhile.  What is closed leaves an epoll by itself, whoever closed it;
 * the descriptor of another one begins anew in open_socket(). */
#include "http/multi.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uthash.h>

#include "base/loop.h"
#include "base/mem.h"

enum {
	/* Connections, in use or idle: of as many as there are beyond, libcurl
	 * closes an idle one whenever another falls idle, so that with too few
	 * none would ever be used again.  Idle ones are closed by the server, or
	 * when they are found to be two minutes old (CURLOPT_MAXAGE_CONN). */
	MULTI_CONNECTIONS_MAX = 256,
	EVENTS_MAX = 64, /* taken at once; the others come at the next turn */
};

struct multi {
	uv_loop_t *loop; /* borrowed; must outlive */
	CURLM *curl;
	struct loop_timer *timer;
	int epoll;
	struct loop_watch *watch;     /* of it */
	struct multi_socket *sockets; /* owned; a hash by descriptor */
	size_t wanted;                /* how many of them are waited for */
	void (*done)(CURL *easy, CURLcode code);
	bool draining, freed;
};

struct multi_socket {
	UT_hash_handle hh;
	int fd;
	bool ours;        /* by open_socket(): only these are kept */
	uint32_t wanted;  /* events of epoll that libcurl waits for; 0: none */
	uint32_t watched; /* and those in the epoll; 0: it is not there */
};

/* --- sockets --- */

static struct multi_socket *
find_socket(const struct multi *multi, int fd)
{
	struct multi_socket *s = NULL;

	HASH_FIND_INT(multi->sockets, &fd, s);
	return s;
}

static struct multi_socket *
add_socket(struct multi *multi, int fd, bool ours)
{
	struct multi_socket *s = mem_new(sizeof(*s));

	s->fd = fd;
	s->ours = ours;
	HASH_ADD_INT(multi->sockets, fd, s);
	return s;
}

static void
watch_socket(struct multi *multi, struct multi_socket *s, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.fd = s->fd};
	int how = events == 0       ? EPOLL_CTL_DEL
		  : s->watched == 0 ? EPOLL_CTL_ADD
				    : EPOLL_CTL_MOD;

	if (s->watched != events)
		(void)epoll_ctl(multi->epoll, how, s->fd, &event);
	s->watched = events;
}

static void
want_socket(struct multi *multi, struct multi_socket *s, uint32_t events)
{
	if (s->wanted == 0 && events != 0 && multi->wanted++ == 0)
		loop_watch_matters(multi->watch, true);
	if (s->wanted != 0 && events == 0 && --multi->wanted == 0)
		loop_watch_matters(multi->watch, false);
	s->wanted = events;
	if (events != 0)
		watch_socket(multi, s, events);
}

static void
forget_socket(struct multi *multi, int fd)
{
	struct multi_socket *s = find_socket(multi, fd);

	if (s == NULL)
		return;
	want_socket(multi, s, 0);
	HASH_DEL(multi->sockets, s);
	free(s);
}

/* The daemon starts other programs; they shall not inherit connections. */
static curl_socket_t
open_socket(void *cookie, curlsocktype purpose, struct curl_sockaddr *address)
{
	int fd = socket(address->family, address->socktype | SOCK_CLOEXEC,
	    address->protocol);

	(void)purpose;
	if (fd == -1)
		return CURL_SOCKET_BAD;
	/* libcurl need not tell of the end of one that never connected */
	forget_socket(cookie, fd);
	(void)add_socket(cookie, fd, true);
	return fd;
}

static int
close_socket(void *cookie, curl_socket_t fd)
{
	forget_socket(cookie, fd);
	return close(fd);
}

/* libcurl wants to hear of other events of a socket, or of none. */
static int
socket_wanted(CURL *easy, curl_socket_t fd, int what, void *cookie, void *known)
{
	struct multi *multi = cookie;
	struct multi_socket *s = find_socket(multi, fd);

	(void)easy;
	(void)known;
	if (what != CURL_POLL_REMOVE) {
		if (s == NULL)
			s = add_socket(multi, fd, false);
		want_socket(multi, s,
		    ((what & CURL_POLL_IN) != 0 ? (uint32_t)EPOLLIN : 0) |
			((what & CURL_POLL_OUT) != 0 ? (uint32_t)EPOLLOUT : 0));
	} else if (s != NULL && s->ours) {
		want_socket(multi, s, 0);
	} else if (s != NULL) {
		watch_socket(multi, s, 0);
		forget_socket(multi, fd);
	}
	return 0;
}

/* --- the multi --- */

static void
destroy(struct multi *multi)
{
	(void)curl_multi_cleanup(multi->curl);
	while (multi->sockets != NULL)
		forget_socket(multi, multi->sockets->fd);
	/* The clean-up may have asked for a last moment. */
	loop_timer_cancel(&multi->timer);
	loop_watch_cancel(&multi->watch);
	(void)close(multi->epoll);
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

/* EVENTS of epoll, in libcurl's words. */
static int
as_curl(uint32_t events)
{
	int what = 0;

	if ((events & EPOLLERR) != 0)
		what |= CURL_CSELECT_ERR;
	if ((events & (EPOLLIN | EPOLLHUP)) != 0)
		what |= CURL_CSELECT_IN;
	if ((events & EPOLLOUT) != 0)
		what |= CURL_CSELECT_OUT;
	return what;
}

static void
sockets_ready(void *cookie, int status, int events)
{
	struct epoll_event ready[EVENTS_MAX];
	struct multi *multi = cookie;
	int count = epoll_wait(multi->epoll, ready, EVENTS_MAX, 0);
	int running;

	(void)status;
	(void)events;
	for (int i = 0; i < count; i++) {
		struct multi_socket *s = find_socket(multi, ready[i].data.fd);

		if (s != NULL && s->wanted != 0)
			(void)curl_multi_socket_action(multi->curl, s->fd,
			    as_curl(ready[i].events), &running);
		else if (s != NULL)
			/* between two transfers, most often the end: libcurl
			 * will find out */
			watch_socket(multi, s, 0);
	}
	drain(multi);
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
	multi->epoll = epoll_create1(EPOLL_CLOEXEC);
	assert(multi->epoll != -1); /* the same, or of descriptors */
	multi->watch = loop_watch_start(
	    loop, multi->epoll, UV_READABLE, sockets_ready, multi);
	loop_watch_matters(multi->watch, false);
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
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, multi);
	curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
	curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, multi);
	return curl_multi_add_handle(multi->curl, easy);
}

void
multi_remove(struct multi *multi, CURL *easy)
{
	(void)curl_multi_remove_handle(multi->curl, easy);
}
