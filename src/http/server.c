/* SPDX-License-Identifier: ISC */
/* http/server.c -- an HTTP server, by libmicrohttpd: its threads' part.
 *
 * libmicrohttpd calls handle() when the head of a request is there, for each
 * piece of its body, and once more when it is whole; and again after a
 * connection that the loop had been given was resumed.  Its own timeout is one
 * of silence, so whoever sends a byte a second would stay for ever: the loop
 * sweeps once a second over all connections and shuts down those that are past
 * their deadline, under a lock that a connection takes when it begins and when
 * it ends, and never in between. */
#include "http/server.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "http/server_priv.h"

enum {
	SERVER_SWEEP_MS = 1000,
	SERVER_BODY_KEPT = 4096, /* bytes of buffer that an idle peer keeps */
	/* A body that is too large is read to its end, or this often its
	 * maximum: most clients look for an answer only then. */
	SERVER_BODY_DROPPED = 16,
};

static const struct {
	unsigned status;
	const char *text;
} refusals[REFUSE_COUNT] = {
    [REFUSE_BAD] = {400, "This request cannot be read.\n"},
    [REFUSE_NOT_FOUND] = {404, "There is nothing here.\n"},
    [REFUSE_LARGE_BODY] = {413, "The body of this request is too large.\n"},
    [REFUSE_LARGE_HEAD] = {431, "The head of this request is too large.\n"},
    [REFUSE_METHOD] = {501, "Only GET, HEAD and POST are known here.\n"},
    [REFUSE_LATER] = {503, "No answer in time; try again later.\n"},
};

struct MHD_Response *
server_response(const struct server_answer *answer)
{
	struct MHD_Response *response;
	/* its interface does not know const; it only reads */
	void *bytes = (void *)(uintptr_t)answer->body.at;

	if (answer->page != NULL)
		return (struct MHD_Response *)answer->page;
	if (answer->release == NULL)
		response = MHD_create_response_from_buffer(
		    answer->body.len, bytes, MHD_RESPMEM_MUST_COPY);
	else
		response =
		    MHD_create_response_from_buffer_with_free_callback_cls(
			answer->body.len, bytes, answer->release,
			answer->owner);
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

static void
deadline(struct server_peer *peer, unsigned in_s)
{
	int64_t now_s =
	    atomic_load_explicit(&peer->server->now_s, memory_order_relaxed);

	/* now_s may be a second old */
	atomic_store_explicit(
	    &peer->deadline_s, now_s + in_s + 1, memory_order_relaxed);
}

static enum MHD_Result
queue(struct server_peer *peer, unsigned status, struct MHD_Response *response)
{
	deadline(peer, peer->server->options.send_s);
	return MHD_queue_response(peer->connection, status, response);
}

static enum MHD_Result
refuse(struct server_peer *peer, enum server_refusal why)
{
	return queue(peer, refusals[why].status, peer->server->refusals[why]);
}

static enum MHD_Result
give(struct server_peer *peer, const struct server_answer *answer)
{
	struct MHD_Response *response = server_response(answer);
	enum MHD_Result rc = queue(peer, answer->status, response);

	if (answer->page == NULL)
		MHD_destroy_response(response);
	return rc;
}

static const char *
header(const struct server_peer *peer, const char *name)
{
	return MHD_lookup_connection_value(
	    peer->connection, MHD_HEADER_KIND, name);
}

static bool
method_find(const char *name, enum server_method *out)
{
	if (strcmp(name, MHD_HTTP_METHOD_GET) == 0)
		*out = SERVER_GET;
	else if (strcmp(name, MHD_HTTP_METHOD_POST) == 0)
		*out = SERVER_POST;
	else if (strcmp(name, MHD_HTTP_METHOD_HEAD) == 0)
		*out = SERVER_HEAD;
	else
		return false;
	return true;
}

/* The head is there.  An answer that is given now closes the connection, with
 * the body unread. */
static enum MHD_Result
begin(struct server_peer *peer, const char *method)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
	    peer->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
	const char *coding;

	if (!method_find(method, &peer->method))
		return refuse(peer, REFUSE_METHOD);
	if (info != NULL && info->header_size > SERVER_HEAD_MAX)
		return refuse(peer, REFUSE_LARGE_HEAD);
	if (peer->method != SERVER_POST)
		return MHD_YES;
	/* RFC 9112, section 6.3: a coding that is not chunked has no end that
	 * could be known, and one beside a Content-Length is how requests are
	 * smuggled past what stands in front of us. */
	coding = header(peer, MHD_HTTP_HEADER_TRANSFER_ENCODING);
	if (coding != NULL && (strcasecmp(coding, "chunked") != 0 ||
				  header(peer, "Content-Length") != NULL))
		return refuse(peer, REFUSE_BAD);
	return MHD_YES;
}

static void
body_free(struct server_peer *peer)
{
	free(peer->body);
	peer->body = NULL;
	peer->body_room = 0;
}

/* Room grows with what came, not with what was announced: a client pays for
 * our memory in octets.  False: enough of it. */
static bool
body_add(struct server_peer *peer, const void *bytes, size_t len)
{
	const size_t max = peer->server->options.body_max;

	if (len > max - peer->body_len) {
		peer->too_large = true;
		peer->dropped += len;
		return peer->dropped / SERVER_BODY_DROPPED <= max;
	}
	if (peer->body_len + len > peer->body_room) {
		size_t room = 2 * (peer->body_len + len);

		peer->body = mem_resize(peer->body, room, 1);
		peer->body_room = room;
	}
	memcpy(peer->body + peer->body_len, bytes, len);
	peer->body_len += len;
	return true;
}

/* RFC 9112, section 3.2.2: a server must accept the absolute form, which is
 * what a client sends that takes us for its proxy. */
static const char *
path_of(const char *url)
{
	const char *path;

	if (strncasecmp(url, "http://", 7) != 0)
		return url;
	path = strchr(url + 7, '/');
	return path == NULL ? "/" : path;
}

/* The request is whole. */
static enum MHD_Result
ask(struct server_peer *peer, const char *url)
{
	const struct server_handler *handler = &peer->server->options.handler;
	struct server_answer answer = {0};
	struct server_question question = {.method = peer->method,
	    .path = path_of(url),
	    .body = {.at = peer->body, .len = peer->body_len},
	    .content_type = header(peer, MHD_HTTP_HEADER_CONTENT_TYPE),
	    .if_none_match = header(peer, MHD_HTTP_HEADER_IF_NONE_MATCH),
	    .if_modified_since =
		header(peer, MHD_HTTP_HEADER_IF_MODIFIED_SINCE),
	    .thread = peer->thread};

	if (peer->too_large)
		return refuse(peer, REFUSE_LARGE_BODY);
	if (handler->at_once != NULL &&
	    handler->at_once(handler->cookie, &question, &answer))
		return give(peer, &answer);
	if (handler->later == NULL)
		return refuse(peer, REFUSE_NOT_FOUND);
	/* the loop answers in time, see server_call_expire() */
	atomic_store_explicit(
	    &peer->deadline_s, INT64_MAX, memory_order_relaxed);
	if (!server_call_hand_over(peer, &question))
		return refuse(peer, REFUSE_LATER);
	return MHD_YES;
}

/* Resumed. */
static enum MHD_Result
give_handed(struct server_peer *peer)
{
	struct MHD_Response *answer = peer->answer;
	enum MHD_Result rc;

	if (answer == NULL)
		return refuse(peer, REFUSE_LATER);
	peer->answer = NULL;
	rc = queue(peer, peer->status, answer);
	MHD_destroy_response(answer);
	return rc;
}

static enum MHD_Result
handle(void *cookie, struct MHD_Connection *connection, const char *url,
    const char *method, const char *version, const char *data, size_t *len,
    void **request)
{
	struct server_peer *peer = MHD_get_connection_info(
	    connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)
				       ->socket_context;

	(void)cookie;
	(void)version;
	(void)request;
	if (!peer->begun) {
		peer->begun = true;
		return begin(peer, method);
	}
	if (*len > 0) {
		bool more = body_add(peer, data, *len);

		*len = 0;
		return more ? MHD_YES : MHD_NO;
	}
	return peer->handed ? give_handed(peer) : ask(peer, url);
}

/* A request is over, or its connection is. */
static void
completed(void *cookie, struct MHD_Connection *connection, void **request,
    enum MHD_RequestTerminationCode why)
{
	struct server_peer *peer = MHD_get_connection_info(
	    connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)
				       ->socket_context;

	(void)cookie;
	(void)request;
	(void)why;
	if (peer->body_room > SERVER_BODY_KEPT)
		body_free(peer);
	if (peer->answer != NULL)
		MHD_destroy_response(peer->answer);
	peer->answer = NULL;
	peer->body_len = peer->dropped = 0;
	peer->begun = peer->too_large = peer->handed = false;
	deadline(peer, peer->server->options.request_s);
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
	deadline(peer, server->options.request_s);
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
	body_free(peer);
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

static void
options_fill(struct server_options *options)
{
	unsigned threads =
	    or_default(options->threads, (unsigned)uv_available_parallelism());

	options->threads =
	    threads > SERVER_THREADS_MAX ? SERVER_THREADS_MAX : threads;
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
	    {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)completed, server},
	    {MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)connected, server},
	    {MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)leave_escaped, NULL},
	    {o->threads > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END,
		(intptr_t)o->threads, NULL},
	    {MHD_OPTION_END, 0, NULL},
	};

	return MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_TURBO |
				    MHD_ALLOW_SUSPEND_RESUME,
	    0, NULL, NULL, handle, server, MHD_OPTION_ARRAY, items,
	    MHD_OPTION_END);
}

static void
server_free(struct server *server)
{
	for (size_t i = 0; i < REFUSE_COUNT; i++)
		MHD_destroy_response(server->refusals[i]);
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
		const char *text = refusals[i].text;
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

unsigned
server_threads(const struct server *server)
{
	return server->options.threads;
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
