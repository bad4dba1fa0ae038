/* SPDX-License-Identifier: ISC */
/* http/server.h -- an HTTP server, by libmicrohttpd.
 *
 * It runs threads of its own (epoll, one each).  What can be answered from
 * things that do not change is answered there, at once and without a lock;
 * everything else is handed to the loop's thread, which may take its time.  So
 * whoever answers from the loop never thinks of threads.
 *
 * It speaks HTTP/1.1 and 1.0, GET, HEAD and POST (anything else gets 501), and
 * bounds everything: connections, the head (431), the body (413), the time a
 * client has for a whole request, for taking the answer, and for being idle. */
#ifndef OCLASP_HTTP_SERVER_H
#define OCLASP_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "base/text.h"

struct err;
struct server;
struct server_call;
struct server_page;

enum {
	SERVER_THREADS_MAX = 64,
	SERVER_CONNECTIONS = 4096, /* at once, unless told */
	SERVER_HEAD_MAX = 4096,    /* bytes of request line and headers */
	SERVER_BODY_MAX = 65536,   /* bytes of a request's body, unless told */
	SERVER_QUERY_MAX = 16,     /* pairs of a query; more are dropped */
	SERVER_IDLE_S = 30,        /* a connection without progress is closed */
	SERVER_REQUEST_S = 60,     /* and one without a whole request */
	SERVER_SEND_S = 300,       /* and one that does not take its answer */
	SERVER_ANSWER_S = 120,     /* a call nobody answered gets 503 */
};

enum server_method { SERVER_GET, SERVER_HEAD, SERVER_POST };

/* One request, whole.  Borrowed: while at_once() runs; for later(), until the
 * answer. */
struct server_question {
	enum server_method method;
	/* As it came: not decoded, without the query, "//" as it is.  Of an
	 * absolute URI (RFC 9112, section 3.2.2) the part behind the host. */
	const char *path;
	struct span body;
	/* these as they came, or NULL */
	const char *content_type;                      /* of POST */
	const char *if_none_match, *if_modified_since; /* of GET and HEAD */
	unsigned thread;          /* which of the server's asks; 0, 1, ... */
	struct server_call *call; /* of later() alone; else NULL */
};

struct server_header {
	const char *name; /* a constant: it outlives the server */
	const char *value;
};

struct server_answer {
	unsigned status; /* 200, 304, ... */
	/* not NULL, of at_once() alone: what is below is not looked at */
	struct server_page *page;
	const char *content_type; /* NULL: none; a constant like names */
	struct span body;
	/* NULL: the body is copied; else it stays until this is called, once,
	 * on any thread */
	void (*release)(void *owner);
	void *owner;
	const struct server_header *headers; /* copied */
	size_t header_count;
};

struct server_handler {
	/* On any of the server's threads, many at once.  True: *ANSWER, which
	 * was all zero, is it.  False: it is for `later`.  May be NULL. */
	bool (*at_once)(void *cookie, const struct server_question *question,
	    struct server_answer *answer);
	/* On the loop's thread: server_reply() to it, now or later.  Never
	 * called after server_stop().  NULL: what is not answered at once gets
	 * 404. */
	void (*later)(void *cookie, const struct server_question *question);
	void *cookie;
};

struct server_options {
	int listener;         /* a listening socket, TCP or Unix; taken */
	unsigned threads;     /* 0: one for each core */
	unsigned connections; /* 0: SERVER_CONNECTIONS */
	unsigned per_address; /* connections from one address; 0: no limit */
	size_t body_max;      /* 0: SERVER_BODY_MAX */
	unsigned idle_s, request_s, send_s, answer_s; /* 0: as above */
	struct server_handler handler;
};

/* Begin.  The listener is taken even on failure.
 * Errors: REASON_FILE, with what the system said. */
int server_start(uv_loop_t *loop, const struct server_options *options,
    struct server **out, struct err *err);

/* How many threads a server has whose options say THREADS. */
unsigned server_threads(unsigned threads);

/* Stop: every connection is closed, every call that is not answered yet is
 * dead, the handler is never called again.  Sets *SERVER to NULL, from which it
 * may begin. */
void server_stop(struct server **server);

/* Answer the call of a question that later() got; exactly once, on the loop's
 * thread.  The question is dead after it. */
void server_reply(struct server_call *call, const struct server_answer *answer);

/* The value of the query's KEY, decoded; NULL: it has none.  Borrowed. */
const char *server_query(const struct server_call *call, const char *key);

/* An answer made once and given many times, by any thread; its status is the
 * one of the answer that gives it.  After server_page_free() it lives until it
 * has been sent; then `release` is called. */
struct server_page *server_page_new(const struct server_answer *answer);
void server_page_free(struct server_page **page);

/* True if TEXT, where to listen, is the path of a Unix socket, absolute or not:
 * there is a slash in it. */
bool server_is_path(const char *text);

/* A listening socket at TEXT: "ADDR:PORT", "[ADDR]:PORT", or a path for a Unix
 * socket with MODE (one that nobody listens to any more is replaced).  PORT may
 * be 0; *PORT, if not NULL, is the one there is (0 for a Unix socket).  Errors,
 * with -1: REASON_FILE; REASON_USAGE for a TEXT that is none of these. */
int server_listen(const char *text, unsigned mode, int *port, struct err *err);

#endif
