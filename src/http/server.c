/* SPDX-License-Identifier: ISC */
/* http/server.c -- an HTTP server, by libmicrohttpd: begin and end.
 *
 * libmicrohttpd's own timeout is one of silence, so whoever sends a byte a second would
 * stay for ever: the loop sweeps once a second over all connections and shuts
 * down those that are past their deadline, under a lock that a connection takes
 * when it begins and when it ends, and never in between. */
#include "http/server.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "http/server_priv.h"

enum { SERVER_SWEEP_MS = 1000 };

/* RESPONSE, of ANSWER's body, with its headers. */
static struct MHD_Response *
with_headers(struct MHD_Response *response, const struct server_answer *answer)
{
	if (response == NULL)
		abort(); /* as mem_new() does */
	if (answer->content_type != NULL)
		(void)MHD_add_response_header(response,
		    MHD_HTTP_HEADER_CONTENT_TYPE, answer->content_type);
	for (size_t i = 0; i < answer->header_count; i++)
		(void)MHD_add_response_header(response, answer->headers[i].name,
		    answer->headers[i].value);
	return response;
}

/* libmicrohttpd's interface does not know const; it only reads. */
static void *
body_of(const struct server_answer *answer)
{
	return (void *)(uintptr_t)answer->body.at;
}

struct MHD_Response *
server_response(const struct server_answer *answer)
{
	if (answer->page != NULL)
		return (struct MHD_Response *)answer->page;
	return with_headers(
	    answer->release == NULL
		? MHD_create_response_from_buffer(
		      answer->body.len, body_of(answer), MHD_RESPMEM_MUST_COPY)
		: MHD_create_response_from_buffer_with_free_callback_cls(
		      answer->body.len, body_of(answer), answer->release,
		      answer->owner),
	    answer);
}

struct MHD_Response *
server_response_around(const struct server_answer *answer)
{
	return with_headers(MHD_create_response_from_buffer(answer->body.len,
				body_of(answer), MHD_RESPMEM_PERSISTENT),
	    answer);
}

/* A page is libmicrohttpd's response under a name of ours. */
struct server_page *
server_page_new(const struct server_answer *answer)
{
	assert(answer->page == NULL);
	return (struct server_page *)server_response(answer);
}

void
server_page_free(struct server_page **page)
{
	if (*page != NULL)
		MHD_destroy_response((struct MHD_Response *)*page);
	*page = NULL;
}

/* Which of libmicrohttpd's threads this is.  With the lock. */
static unsigned
thread_number(struct server *server)
{
	pthread_t self = pthread_self();

	for (unsigned i = 0; i < server->thread_count; i++) {
		if (pthread_equal(server->threads[i], self))
			return i;
	}
	assert(server->thread_count < server->options.threads);
	server->threads[server->thread_count] = self;
	return server->thread_count++;
}

static void
peer_new(struct server *server, struct MHD_Connection *connection, void **out)
{
	struct server_peer *peer = mem_new(sizeof(*peer));
	bool first;

	peer->server = server;
	peer->connection = connection;
	peer->fd = MHD_get_connection_info(
	    connection, MHD_CONNECTION_INFO_CONNECTION_FD)
		       ->connect_fd;
	(void)pthread_mutex_lock(&server->lock);
	peer->thread = thread_number(server);
	first = server->peers == NULL;
	if (first) /* nobody swept for a while */
		atomic_store(&server->now_s, clock_mono_ms() / 1000);
	peer->next = server->peers;
	peer->link = &server->peers;
	if (peer->next != NULL)
		peer->next->link = &peer->next;
	server->peers = peer;
	server_deadline(peer, server->options.request_s);
	(void)pthread_mutex_unlock(&server->lock);
	/* the handle is there until no thread is */
	if (first)
		(void)uv_async_send(&server->wake->uv);
	*out = peer;
}

static void
peer_free(struct server_peer *peer)
{
	struct server *server = peer->server;

	(void)pthread_mutex_lock(&server->lock);
	*peer->link = peer->next;
	if (peer->next != NULL)
		peer->next->link = peer->link;
	(void)pthread_mutex_unlock(&server->lock);
	free(peer->body);
	free(peer);
}

/* A connection has begun or is over; its descriptor is open still. */
static void
connected(void *cookie, struct MHD_Connection *connection, void **context,
    enum MHD_ConnectionNotificationCode what)
{
	if (what == MHD_CONNECTION_NOTIFY_STARTED)
		peer_new(cookie, connection, context);
	else if (*context != NULL)
		peer_free(*context);
}

/* Paths and queries are for those who know what they mean. */
static size_t
leave_escaped(void *cookie, struct MHD_Connection *connection, char *text)
{
	(void)cookie;
	(void)connection;
	return strlen(text);
}

/* --- the loop's part -------------------------------------------------- */

static void
sweep(void *cookie)
{
	struct server *server = cookie;
	int64_t now_s = clock_mono_ms() / 1000;
	bool more;

	server->sweep = NULL;
	atomic_store_explicit(&server->now_s, now_s, memory_order_relaxed);
	(void)pthread_mutex_lock(&server->lock);
	for (struct server_peer *p = server->peers; p != NULL; p = p->next) {
		if (atomic_load_explicit(&p->deadline_s, memory_order_relaxed) <
		    now_s)
			(void)shutdown(p->fd, SHUT_RDWR);
	}
	more = server->peers != NULL;
	(void)pthread_mutex_unlock(&server->lock);
	server_call_expire(server, now_s);
	if (more)
		server->sweep = loop_timer_start(
		    server->loop, SERVER_SWEEP_MS, sweep, server);
}

static void
woken(uv_async_t *uv)
{
	struct server_wake *wake = (struct server_wake *)uv;
	struct server *server = wake->server;

	if (server->sweep == NULL)
		server->sweep = loop_timer_start(
		    server->loop, SERVER_SWEEP_MS, sweep, server);
	server_call_take(wake);
}

static void
wake_closed(uv_handle_t *uv)
{
	free(uv);
}

static unsigned
or_default(unsigned value, unsigned otherwise)
{
	return value == 0 ? otherwise : value;
}

unsigned
server_threads(unsigned threads)
{
	threads = or_default(threads, (unsigned)uv_available_parallelism());
	return threads > SERVER_THREADS_MAX ? SERVER_THREADS_MAX : threads;
}

static void
options_fill(struct server_options *options)
{
	options->threads = server_threads(options->threads);
	options->connections =
	    or_default(options->connections, SERVER_CONNECTIONS);
	/* each thread has its share, of one at the least */
	if (options->connections < options->threads)
		options->connections = options->threads;
	options->idle_s = or_default(options->idle_s, SERVER_IDLE_S);
	options->request_s = or_default(options->request_s, SERVER_REQUEST_S);
	options->send_s = or_default(options->send_s, SERVER_SEND_S);
	options->answer_s = or_default(options->answer_s, SERVER_ANSWER_S);
	if (options->body_max == 0)
		options->body_max = SERVER_BODY_MAX;
}

static struct MHD_Daemon *
daemon_start(struct server *server)
{
	const struct server_options *o = &server->options;
	struct MHD_OptionItem items[] = {
	    {MHD_OPTION_CONNECTION_MEMORY_LIMIT, SERVER_POOL, NULL},
	    {MHD_OPTION_CONNECTION_LIMIT, (intptr_t)o->connections, NULL},
	    {MHD_OPTION_PER_IP_CONNECTION_LIMIT, (intptr_t)o->per_address,
		NULL},
	    {MHD_OPTION_CONNECTION_TIMEOUT, (intptr_t)o->idle_s, NULL},
	    {MHD_OPTION_LISTEN_SOCKET, o->listener, NULL},
	    {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)server_completed, server},
	    {MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)connected, server},
	    {MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)leave_escaped, NULL},
	    {o->threads > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END,
		(intptr_t)o->threads, NULL},
	    {MHD_OPTION_END, 0, NULL},
	};

	return MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_TURBO |
				    MHD_ALLOW_SUSPEND_RESUME,
	    0, NULL, NULL, server_handle, server, MHD_OPTION_ARRAY, items,
	    MHD_OPTION_END);
}

static void
server_free(struct server *server)
{
	for (size_t i = 0; i < REFUSE_COUNT; i++)
		MHD_destroy_response(server->refusals[i]);
	for (size_t i = 0; i < SERVER_THREADS_MAX; i++)
		server_forms_free(&server->forms[i]);
	server->wake->server = NULL;
	uv_close((uv_handle_t *)&server->wake->uv, wake_closed);
	(void)pthread_mutex_destroy(&server->lock);
	free(server);
}

int
server_start(uv_loop_t *loop, const struct server_options *options,
    struct server **out, struct err *err)
{
	struct server *server = mem_new(sizeof(*server));

	server->loop = loop;
	server->options = *options;
	options_fill(&server->options);
	server->fresh_end = &server->fresh;
	(void)pthread_mutex_init(&server->lock, NULL);
	for (size_t i = 0; i < REFUSE_COUNT; i++) {
		const char *text = server_refusals[i].text;
		struct server_answer answer = {
		    .content_type = "text/plain; charset=utf-8",
		    .body = {(const uint8_t *)text, strlen(text)}};

		server->refusals[i] = server_response(&answer);
	}
	server->wake = mem_new(sizeof(*server->wake));
	server->wake->server = server;
	if (uv_async_init(loop, &server->wake->uv, woken) != 0)
		abort(); /* no descriptor for the loop itself */
	server->daemon = daemon_start(server);
	if (server->daemon == NULL) {
		/* It has closed the listener on some of its ways out and not
		 * on others: one descriptor may be lost, none closed twice. */
		server_free(server);
		return err_set(err, REASON_FILE,
		    "cannot begin to serve HTTP: %s; raise the limits of "
		    "descriptors and threads",
		    strerror(errno));
	}
	*out = server;
	return 0;
}

void
server_stop(struct server **server)
{
	struct server *s = *server;

	*server = NULL;
	if (s == NULL)
		return;
	server_call_end(s);
	MHD_stop_daemon(s->daemon); /* waits for its threads */
	loop_timer_cancel(&s->sweep);
	server_free(s);
}
