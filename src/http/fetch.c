/* SPDX-License-Identifier: ISC */
/* http/fetch.c -- one HTTP exchange with one address, on the loop.
 *
 * The life of a fetch: set up, connecting, connected, headers, body; every way
 * out ends in finish().  What cannot be set up is told at the loop's next turn.
 * An answer that is of no use (a status other than 200, a body too large) is
 * cut as soon as that is known, from within libcurl's callbacks, and
 * remembered in `cut`. */
#include "http/fetch.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/loop.h"
#include "base/mem.h"
#include "http/carrier.h"
#include "http/explain.h"
#include "http/head.h"
#include "http/multi.h"
#include "http/proxy_way.h"
#include "tls/secure.h"

struct fetch_pool {
	uv_loop_t *loop; /* borrowed; must outlive */
	struct multi *multi;
	struct fetch *first; /* all that are in progress */
	struct carriers *carriers;
};

/* What is asked for, in messages. */
static const char *const subjects[] = {
    [FETCH_OCSP] = "OCSP response",
    [FETCH_DNS] = "DNS message",
};

struct fetch {
	struct fetch_pool *pool;
	struct fetch *next, **link; /* in the pool's list */
	enum fetch_kind kind;
	struct carrier *carrier; /* NULL if the set-up failed */
	char *address;           /* NULL: the proxy looks the host up */
	struct proxy_way *way;   /* NULL: directly */
	char *host;              /* of the URL: what messages name */
	int64_t started_ms;
	int64_t now_s; /* wall, at the answer's first line; 0: not there yet */
	struct loop_timer *failing; /* tells of a failure at the next turn */
	bool connected, headers_done, reporting, any_time;
	enum explain_cut cut;
	long status;
	struct head head;
	struct buf body;
	struct fetch_result result;
	void (*cb)(void *cookie, const struct fetch_result *result);
	void *cookie;
};

static void
unlink_fetch(struct fetch *fetch)
{
	if (fetch->link == NULL)
		return;
	*fetch->link = fetch->next;
	if (fetch->next != NULL)
		fetch->next->link = fetch->link;
	fetch->link = NULL;
}

static void
fetch_free(struct fetch *fetch)
{
	loop_timer_cancel(&fetch->failing);
	proxy_way_free(fetch->way);
	buf_done(&fetch->body);
	free(fetch->host);
	free(fetch->address);
	free(fetch);
}

static void
finish(struct fetch *fetch)
{
	struct fetch_result *result = &fetch->result;

	/* From here on the pool may go, and a cancel does nothing. */
	unlink_fetch(fetch);
	carriers_give(fetch->pool->carriers, fetch->carrier);
	fetch->reporting = true;
	result->http_status = fetch->status;
	result->body.at = (const uint8_t *)buf_text(&fetch->body);
	result->body.len = fetch->body.len;
	memcpy(result->content_type, fetch->head.content_type,
	    sizeof(result->content_type));
	result->date = fetch->head.date;
	result->max_age_s = fetch->head.max_age_s;
	result->retry_after_s = fetch->head.retry_after_s;
	result->elapsed_ms = clock_mono_ms() - fetch->started_ms;
	fetch->cb(fetch->cookie, result);
	fetch_free(fetch);
}

static void
explain(struct fetch *fetch, CURLcode code, struct err *err)
{
	CURL *easy = fetch->carrier->easy;
	struct explain_facts failure = {
	    .code = code,
	    .connected = fetch->connected,
	    .cut = fetch->cut,
	    .status = fetch->status,
	    .host = fetch->host,
	    /* who answered, not what a proxy was told to connect to */
	    .address = fetch->way != NULL ? proxy_way_name(fetch->way)
					  : fetch->address,
	    .location = fetch->head.location,
	    .detail = fetch->carrier->error,
	    .subject = subjects[fetch->kind],
	    .body_len = fetch->body.len,
	    .elapsed_ms = clock_mono_ms() - fetch->started_ms,
	};

	(void)curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &failure.os_errno);
	if (!proxy_way_explain(fetch->way, easy, &failure, err))
		explain_failure(&failure, err);
}

static void
exchange_ended(CURL *easy, CURLcode code)
{
	struct carrier *carrier = NULL;
	struct fetch_result *result;
	struct fetch *fetch;

	(void)curl_easy_getinfo(easy, CURLINFO_PRIVATE, &carrier);
	fetch = carrier->fetch;
	result = &fetch->result;
	result->stage = fetch->connected ? FETCH_HTTP : FETCH_CONNECT;

	if (fetch->cut == EXPLAIN_CUT_NOT && code == CURLE_OK &&
	    fetch->status == 200)
		result->stage = FETCH_DONE;
	else
		explain(fetch, code, &result->err);
	finish(fetch);
}

static void
tell_failure(void *cookie)
{
	struct fetch *fetch = cookie;

	fetch->failing = NULL;
	finish(fetch);
}

/* Through a proxy the connection is up when the responder's end is: the proxy
 * has said yes.  libcurl's own time of the connection includes the TLS handshake (7.88), so
 * we take it ourselves: at the first of the two hooks below. */
static void
connection_is_up(struct fetch *fetch)
{
	if (!fetch->connected)
		fetch->result.connect_ms = clock_mono_ms() - fetch->started_ms;
	fetch->connected = true;
}

static CURLcode
before_handshake(CURL *easy, void *ssl_ctx, void *cookie)
{
	struct fetch *fetch = ((struct carrier *)cookie)->fetch;

	(void)easy;
	if (fetch->any_time)
		secure_ignore_times(ssl_ctx);
	if (!proxy_way_takes_handshake(fetch->way))
		connection_is_up(fetch);
	return CURLE_OK;
}

/* Also where an earlier connection is used again. */
static int
before_request(void *cookie, char *primary_ip, char *local_ip, int primary_port,
    int local_port)
{
	(void)primary_ip;
	(void)local_ip;
	(void)primary_port;
	(void)local_port;
	connection_is_up(((struct carrier *)cookie)->fetch);
	return CURL_PREREQFUNC_OK;
}

static size_t
take_body(char *bytes, size_t size, size_t count, void *cookie)
{
	struct fetch *fetch = ((struct carrier *)cookie)->fetch;
	size_t len = size * count;

	if (len == 0)
		return 0;
	buf_add(&fetch->body, bytes, len);
	if (!fetch->body.full)
		return len;
	fetch->cut = EXPLAIN_CUT_OVERSIZE;
	return 0;
}

/* The blank line after the headers has come: is the body wanted? */
static bool
body_is_wanted(struct fetch *fetch)
{
	(void)curl_easy_getinfo(
	    fetch->carrier->easy, CURLINFO_RESPONSE_CODE, &fetch->status);
	if (fetch->status >= 100 && fetch->status < 200)
		return true; /* RFC 9110, section 15.2: the final one follows */
	fetch->headers_done = true;
	if (fetch->status != 200)
		fetch->cut = EXPLAIN_CUT_STATUS;
	else if (fetch->head.oversize)
		fetch->cut = EXPLAIN_CUT_OVERSIZE;
	return fetch->cut == EXPLAIN_CUT_NOT;
}

static size_t
take_header_line(char *line, size_t size, size_t count, void *cookie)
{
	struct fetch *fetch = ((struct carrier *)cookie)->fetch;
	size_t len = size * count;

	if (fetch->headers_done)
		return len;    /* a trailer of a chunked body */
	if (fetch->now_s == 0) /* that of the first line is good for all */
		fetch->now_s = clock_wall_s();
	if (head_line(&fetch->head, line, len, FETCH_BODY_MAX, fetch->now_s))
		return body_is_wanted(fetch) ? len : 0;
	return len;
}

static int
set_up(
    struct fetch *fetch, const struct fetch_request *request, struct err *err)
{
	struct fetch_pool *pool = fetch->pool;
	char *host = mem_string(request->host);
	int port;
	CURLMcode code;

	if (host == NULL && !fetch_split_url(request->url, &host, &port))
		return err_set(err, REASON_UNREACHABLE,
		    "'%.200s' is no http or https URL", request->url);
	fetch->host = host;
	fetch->any_time = request->any_time && request->fresh;
	fetch->carrier =
	    carriers_take(pool->carriers, fetch, request, fetch->way, err);
	if (fetch->carrier == NULL)
		return -1;
	code = multi_add(pool->multi, fetch->carrier->easy);
	if (code != CURLM_OK)
		return err_set(err, REASON_UNREACHABLE,
		    "libcurl refuses to start a transfer: %s",
		    curl_multi_strerror(code));
	return 0;
}

struct fetch *
fetch_start(struct fetch_pool *pool, const struct fetch_request *request,
    void (*cb)(void *cookie, const struct fetch_result *result), void *cookie)
{
	struct fetch *fetch = mem_new(sizeof(*fetch));

	fetch->pool = pool;
	fetch->cb = cb;
	fetch->cookie = cookie;
	fetch->kind = request->kind;
	fetch->address = mem_string(request->address);
	fetch->way = proxy_way_new(request);
	fetch->started_ms = clock_mono_ms();
	fetch->result.stage = FETCH_CONNECT;
	head_init(&fetch->head);
	fetch->result.connect_ms = -1;
	buf_init(&fetch->body, FETCH_BODY_MAX);
	fetch->next = pool->first;
	fetch->link = &pool->first;
	if (pool->first != NULL)
		pool->first->link = &fetch->next;
	pool->first = fetch;
	if (set_up(fetch, request, &fetch->result.err) != 0)
		fetch->failing =
		    loop_timer_start(pool->loop, 0, tell_failure, fetch);
	return fetch;
}

void
fetch_cancel(struct fetch **fetch)
{
	struct fetch *f = *fetch;

	*fetch = NULL;
	if (f == NULL || f->reporting)
		return;
	unlink_fetch(f);
	if (f->carrier != NULL)
		multi_remove(f->pool->multi, f->carrier->easy);
	carriers_give(f->pool->carriers, f->carrier);
	fetch_free(f);
}

struct fetch_pool *
fetch_pool_new(uv_loop_t *loop)
{
	static const struct carrier_hooks hooks = {
	    .handshake = before_handshake,
	    .request = before_request,
	    .header = take_header_line,
	    .body = take_body,
	};
	struct fetch_pool *pool = mem_new(sizeof(*pool));

	pool->loop = loop;
	pool->multi = multi_new(loop, exchange_ended);
	pool->carriers = carriers_new(&hooks);
	return pool;
}

void
fetch_pool_free(struct fetch_pool *pool)
{
	if (pool == NULL)
		return;
	while (pool->first != NULL) {
		struct fetch *fetch = pool->first;

		fetch_cancel(&fetch);
	}
	carriers_free(pool->carriers);
	multi_free(pool->multi);
	free(pool);
}
