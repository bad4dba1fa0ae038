/* SPDX-License-Identifier: ISC */
/* http/server.h -- an HTTP server, by libmicrohttpd.
 *
 * It runs threads of its own (epoll, one each).  What can be answered from
 * things that do not change is answered there, at once and without a lock;
 * everything else is handed to the loop's thread, which may take its time.  So
 * whoever answers from the loop never thinks of threads. */
#ifndef OCLASP_HTTP_SERVER_H
#define OCLASP_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "base/text.h"

struct err;
struct server;
struct server_call;

enum {
	SERVER_THREADS_MAX = 64,
	SERVER_CONNECTIONS = 4096, /* at once, unless told */
	SERVER_HEAD_MAX = 16384,   /* bytes of request line and headers */
	SERVER_BODY_MAX = 65536,   /* bytes of a request's body, unless told */
	SERVER_IDLE_S = 30,        /* a connection without progress is closed */
	SERVER_ANSWER_S = 120,     /* a call nobody answered gets 503 */
};

enum server_method { SERVER_GET, SERVER_HEAD, SERVER_POST, SERVER_OTHER };

/* One request, whole.  Borrowed. */
struct server_question {
	enum server_method method;
	const char *path; /* as it came: not decoded, without the query */
	struct span body;
	const char *content_type; /* these as they came, or NULL */
	const char *if_none_match;
	const char *if_modified_since;
	struct server_call *call; /* to look further: server_query() */
};

struct server_header {
	const char *name, *value;
};

struct server_answer {
	unsigned status;          /* 200, 304, ... */
	const char *content_type; /* NULL: none; copied */
	struct span body;
	/* NULL: the body is copied; else it stays until this is called, once,
	 * on any thread */
	void (*release)(void *owner);
	void *owner;
	const struct server_header *headers; /* copied */
	size_t header_count;
};

struct server_handler {
	/* On any of the server's threads, many at once.  True: *ANSWER is it.
	 * False: it is for `later`.  May be NULL. */
	bool (*at_once)(void *cookie, const struct server_question *question,
	    struct server_answer *answer);
	/* On the loop's thread: server_reply() to it, now or later.  Never
	 * called after server_stop() */
	void (*later)(void *cookie, const struct server_question *question);
	void *cookie;
};

struct server_options {
	int listener;         /* a listening socket, TCP or Unix; taken */
	unsigned threads;     /* 0: one for each core */
	unsigned connections; /* 0: SERVER_CONNECTIONS */
	unsigned per_address; /* connections from one address; 0: no limit */
	size_t body_max;      /* 0: SERVER_BODY_MAX */
	struct server_handler handler;
};

/* Begin.  A body or head that is too large is refused by the server itself
 * (413, 431), and so is a method that is not in the enum (501).
 * Errors: REASON_FILE, with what the system said. */
int server_start(uv_loop_t *loop, const struct server_options *options,
    struct server **out, struct err *err);

/* Stop: every connection is closed; the handler is never called again. */
void server_stop(struct server **server);

/* Answer the call of a question that `later` got; exactly once, on the loop's
 * thread.  The question is dead after it. */
void server_reply(struct server_call *call, const struct server_answer *answer);

/* The value of the query's KEY, decoded; NULL: it has none. */
const char *server_query(const struct server_call *call, const char *key);

/* A listening socket at TEXT: "ADDR:PORT", "[ADDR]:PORT", or "/PATH" for a Unix
 * socket with MODE (one that nobody listens to any more is replaced).  PORT may
 * be 0; *PORT, if not NULL, is the one there is.  -1: REASON_FILE. */
int server_listen(const char *text, unsigned mode, int *port, struct err *err);

#endif
