/* SPDX-License-Identifier: ISC */
/* http/server_priv.h -- what the files of the server share.
 *
 * Who may touch what: a `server_peer` (one connection) belongs to the thread of
 * libmicrohttpd that serves the connection, but for `deadline_s`, which the
 * loop reads, and, while the connection is suspended, `answer` and `status`,
 * which the loop writes before it resumes it.  A `server_call` belongs to the
 * loop's thread from when it has been handed over. */
#ifndef OCLASP_HTTP_SERVER_PRIV_H
#define OCLASP_HTTP_SERVER_PRIV_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/loop.h"
#include "http/server.h"

/* libmicrohttpd's memory for one connection: the head, what it makes of it, and
 * the answer's head.  It is wiped for each request, more than once in part, so
 * no larger than needed */
enum { SERVER_POOL = SERVER_HEAD_MAX + 1536 };

/* Answers that the server gives by itself. */
enum server_refusal {
	REFUSE_BAD,        /* 400 */
	REFUSE_NOT_FOUND,  /* 404 */
	REFUSE_LARGE_BODY, /* 413 */
	REFUSE_LARGE_HEAD, /* 431 */
	REFUSE_METHOD,     /* 501 */
	REFUSE_LATER,      /* 503 */
	REFUSE_COUNT
};

struct server_form;
struct server_forms;

struct server_refusal_text {
	unsigned status;
	const char *text;
};

extern const struct server_refusal_text server_refusals[REFUSE_COUNT];

/* The async handle outlives the server, until its close callback. */
struct server_wake {
	uv_async_t uv;         /* first: the close callback frees the whole */
	struct server *server; /* NULL: stopped */
};

struct server {
	uv_loop_t *loop;
	struct server_options options;
	struct MHD_Daemon *daemon;
	struct MHD_Response *refusals[REFUSE_COUNT];
	struct server_wake *wake;
	/* each its own thread's, and the loop's when no thread is left */
	struct server_forms *forms[SERVER_THREADS_MAX];
	struct loop_timer *sweep; /* while there is a peer */
	_Atomic int64_t now_s;    /* monotonic, of the last sweep or so */
	pthread_mutex_t lock;     /* for what is below */
	bool stopping;
	pthread_t threads[SERVER_THREADS_MAX];
	unsigned thread_count;     /* those seen so far */
	struct server_peer *peers; /* every connection */
	struct server_call *fresh; /* handed over, not yet seen by the loop */
	struct server_call **fresh_end;
	/* the loop's own, without the lock: not shown yet; not answered yet */
	struct server_call *unseen, *calls;
};

/* The headers of a request that mean something here. */
enum server_header_name {
	SERVER_HOST,
	SERVER_LENGTH,
	SERVER_CODING,
	SERVER_CONTENT_TYPE,
	SERVER_IF_NONE_MATCH,
	SERVER_IF_MODIFIED_SINCE,
	SERVER_HEADERS
};

struct server_head {
	const char *values[SERVER_HEADERS]; /* libmicrohttpd's, or NULL */
	bool ambiguous;                     /* others may read another */
};

/* One connection, and the request that it is at. */
struct server_peer {
	struct server *server;
	struct MHD_Connection *connection;
	struct server_peer *next, **link; /* among peers */
	int fd;
	unsigned thread;
	_Atomic int64_t deadline_s; /* or the loop shuts it down */
	bool begun;                 /* a request's head is there */
	bool too_large;             /* its body is being thrown away */
	bool handed;                /* to the loop: `answer` will be it */
	enum server_method method;
	struct server_head head;
	uint8_t *body; /* owned; kept for the next request if small */
	size_t body_len, body_room;
	size_t dropped;
	struct server_form *form;    /* that is being sent, or NULL */
	struct MHD_Response *answer; /* owned; NULL: 503 */
	unsigned status;
};

struct server_pair {
	char *key, *value;
};

struct server_call {
	struct server *server;
	struct server_peer *peer; /* NULL: answered already, with 503 */
	struct server_call *next, **link;
	int64_t due_s;
	struct server_question question; /* its strings are owned */
	struct server_pair pairs[SERVER_QUERY_MAX];
	size_t pair_count;
};

/* libmicrohttpd's callbacks: a request goes on, and is over.  COOKIE is not
 * looked at. */
enum MHD_Result server_handle(void *cookie, struct MHD_Connection *connection,
    const char *url, const char *method, const char *version, const char *data,
    size_t *len, void **request);
void server_completed(void *cookie, struct MHD_Connection *connection,
    void **request, enum MHD_RequestTerminationCode why);

/* PEER has IN_S from now. */
void server_deadline(struct server_peer *peer, unsigned in_s);

/* QUESTION of PEER's request goes to the loop.  The connection is suspended
 * and must not be touched any more.  False: the server is stopping. */
bool server_call_hand_over(
    struct server_peer *peer, const struct server_question *question);

/* The loop's part: show what was handed over; answer what nobody did. */
void server_call_take(struct server_wake *wake);
void server_call_expire(struct server *server, int64_t now_s);

/* No more of them: connections are resumed, calls are dead. */
void server_call_end(struct server *server);

/* ANSWER as libmicrohttpd wants it; one reference, the caller's. */
struct MHD_Response *server_response(const struct server_answer *answer);

/* The same around a body that stays where it is, and stays the caller's. */
struct MHD_Response *server_response_around(const struct server_answer *answer);

/* http/server_form.c.  ANSWER, written into a form of FORMS, which is made if
 * there is none; the caller's until server_form_done().  NOW_S: wall seconds, of
 * its Date.  NULL: it has no form that could be used again. */
struct server_form *server_form_fill(struct server_forms **forms,
    const struct server_answer *answer, int64_t now_s);
struct MHD_Response *server_form_response(const struct server_form *form);

/* *FORM has been sent, or never will be; set to NULL.  NULL is fine. */
void server_form_done(struct server_forms *forms, struct server_form **form);

/* None of them is being sent. */
void server_forms_free(struct server_forms **forms);

#endif
