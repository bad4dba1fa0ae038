/* SPDX-License-Identifier: ISC */
/* http/fetch.c -- one HTTP exchange with one address, on the loop.
 *
 * The life of a fetch: set up, connecting, connected, headers, body; every way
 * out ends in finish().  What cannot be set up is told at the loop's next turn.
 * An answer that is of no use (a status other than 200, a body too large) is
 * cut as soon as that is known, from within libcurl's callbacks, and
 * remembered in `cut`. */
#include "http/fetch.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/loop.h"
#include "base/mem.h"
#include "http/explain.h"
#include "http/head.h"
#include "http/multi.h"
#include "http/proxy_way.h"
#include "tls/secure.h"

enum {
	IDLE_MAX = 64, /* handles kept for reuse, some 6 KiB each */
	KINDS = FETCH_DNS + 1,
	CONNECT_TO_TEXT = sizeof("::[]:") + INET6_ADDRSTRLEN,
};

struct fetch_pool {
	uv_loop_t *loop; /* borrowed; must outlive */
	struct multi *multi;
	struct fetch *first; /* all that are in progress */
	/* What is dear to make and the same for many: header lines, of a GET
	 * and of a POST, for all and past all caches, and libcurl's handles,
	 * reset. */
	struct curl_slist *headers[KINDS][2][2];
	CURL *idle[IDLE_MAX];
	size_t idle_count;
};

/* What is asked for, and how. */
static const struct kind {
	const char *accept, *content_type; /* header lines */
	const char *subject;               /* of messages */
	long http_version;
} kinds[] = {
    [FETCH_OCSP] = {"Accept: application/ocsp-response", /* B7 */
	"Content-Type: application/ocsp-request", "OCSP response",
	CURL_HTTP_VERSION_1_1},
    /* RFC 8484, section 5.2: HTTP/2 "is the minimum RECOMMENDED version" */
    [FETCH_DNS] = {"Accept: application/dns-message",
	"Content-Type: application/dns-message", "DNS message",
	CURL_HTTP_VERSION_2TLS},
};

struct fetch {
	struct fetch_pool *pool;
	struct fetch *next, **link; /* in the pool's list */
	enum fetch_kind kind;
	CURL *easy;                   /* NULL if the set-up failed */
	struct curl_slist connect_to; /* of one line: */
	char connect_line[CONNECT_TO_TEXT];
	char *address;         /* NULL: the proxy looks the host up */
	struct proxy_way *way; /* NULL: directly */
	char *host;            /* of the URL: what messages name */
	int64_t started_ms;
	struct loop_timer *failing; /* tells `failure` at the next turn */
	struct err failure;
	bool connected, headers_done, reporting, any_time;
	enum explain_cut cut;
	long status;
	struct head head;
	char curl_error[CURL_ERROR_SIZE];
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

static CURL *
take_easy(struct fetch_pool *pool)
{
	return pool->idle_count > 0 ? pool->idle[--pool->idle_count]
				    : curl_easy_init();
}

/* EASY is in no transfer any more. */
static void
give_easy(struct fetch_pool *pool, CURL *easy)
{
	if (easy == NULL)
		return;
	if (pool->idle_count == IDLE_MAX) {
		curl_easy_cleanup(easy);
		return;
	}
	curl_easy_reset(easy);
	pool->idle[pool->idle_count++] = easy;
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
	give_easy(fetch->pool, fetch->easy);
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
	    .detail = fetch->curl_error,
	    .subject = kinds[fetch->kind].subject,
	    .body_len = fetch->body.len,
	    .elapsed_ms = clock_mono_ms() - fetch->started_ms,
	};

	(void)curl_easy_getinfo(
	    fetch->easy, CURLINFO_OS_ERRNO, &failure.os_errno);
	if (!proxy_way_explain(fetch->way, fetch->easy, &failure, err))
		explain_failure(&failure, err);
}

static void
exchange_ended(CURL *easy, CURLcode code)
{
	struct fetch *fetch = NULL;
	struct fetch_result *result;

	(void)curl_easy_getinfo(easy, CURLINFO_PRIVATE, &fetch);
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
	fetch->result.err = fetch->failure;
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
	(void)easy;
	if (((struct fetch *)cookie)->any_time)
		secure_ignore_times(ssl_ctx);
	if (!proxy_way_takes_handshake(((struct fetch *)cookie)->way))
		connection_is_up(cookie);
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
	connection_is_up(cookie);
	return CURL_PREREQFUNC_OK;
}

/* The daemon starts other programs; they shall not inherit connections. */
static curl_socket_t
open_socket(void *cookie, curlsocktype purpose, struct curl_sockaddr *address)
{
	(void)cookie;
	(void)purpose;
	return socket(address->family, address->socktype | SOCK_CLOEXEC,
	    address->protocol);
}

static size_t
take_body(char *bytes, size_t size, size_t count, void *cookie)
{
	struct fetch *fetch = cookie;
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
	    fetch->easy, CURLINFO_RESPONSE_CODE, &fetch->status);
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
	struct fetch *fetch = cookie;
	size_t len = size * count;

	if (fetch->headers_done)
		return len; /* a trailer of a chunked body */
	if (head_line(&fetch->head, line, len, FETCH_BODY_MAX, clock_wall_s()))
		return body_is_wanted(fetch) ? len : 0;
	return len;
}

/* Where to connect to, whatever the URL says: an empty host and port match
 * any, so that libcurl never asks a resolver.  CURLOPT_RESOLVE would not do:
 * a multi handle has one DNS cache, and two addresses of one host are tried
 * at the same time. */
static bool
set_address(struct fetch *fetch)
{
	unsigned char octets[sizeof(struct in6_addr)];
	bool v6;

	if (fetch->address == NULL)
		return fetch->way != NULL;
	v6 = inet_pton(AF_INET6, fetch->address, octets) == 1;
	if (!v6 && inet_pton(AF_INET, fetch->address, octets) != 1)
		return false;
	(void)snprintf(fetch->connect_line, sizeof(fetch->connect_line),
	    v6 ? "::[%s]:" : "::%s:", fetch->address);
	fetch->connect_to.data = fetch->connect_line;
	return true;
}

static void
set_request(struct fetch *fetch, const struct fetch_request *request)
{
	const struct kind *kind = &kinds[fetch->kind];
	CURL *easy = fetch->easy;

	if (request->body.len > 0) {
		curl_easy_setopt(easy, CURLOPT_POST, 1L);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
		    (curl_off_t)request->body.len);
		curl_easy_setopt(
		    easy, CURLOPT_POSTFIELDS, (const char *)request->body.at);
	}
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, kind->http_version);
	/* Two questions at once share one connection of HTTP/2. */
	curl_easy_setopt(easy, CURLOPT_PIPEWAIT,
	    kind->http_version == CURL_HTTP_VERSION_1_1 ? 0L : 1L);
	if (request->ca_file != NULL) { /* instead of the system's store */
		curl_easy_setopt(easy, CURLOPT_CAINFO, request->ca_file);
		curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	}
	fetch->any_time = request->any_time && request->fresh;
	curl_easy_setopt(
	    easy, CURLOPT_SSL_SESSIONID_CACHE, !request->fresh + 0L);
	curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, request->fresh + 0L);
	curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, request->fresh + 0L);
	curl_easy_setopt(easy, CURLOPT_URL, request->url);
	if (fetch->connect_to.data != NULL)
		curl_easy_setopt(easy, CURLOPT_CONNECT_TO, &fetch->connect_to);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER,
	    fetch->pool->headers[fetch->kind][request->body.len > 0]
				[request->no_cache]);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "oclasp/" OCLASP_VERSION);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
	    (long)(request->connect_ms > 0 ? request->connect_ms : 1));
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS,
	    (long)(request->total_ms > 0 ? request->total_ms : 1));
}

/* What is the same for every request. */
static void
set_manners(struct fetch *fetch)
{
	CURL *easy = fetch->easy;

	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	/* Content codings are not asked for (the header line is taken away),
	 * but decoded if they come. */
	curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
	curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L); /* base64 has "//" */
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, fetch->curl_error);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, fetch);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, before_handshake);
	curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, fetch);
	curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, before_request);
	curl_easy_setopt(easy, CURLOPT_PREREQDATA, fetch);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header_line);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, fetch);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, fetch);
}

static int
set_up(
    struct fetch *fetch, const struct fetch_request *request, struct err *err)
{
	char *host = mem_string(request->host);
	int port;
	CURLMcode code;

	if (host == NULL && !fetch_split_url(request->url, &host, &port))
		return err_set(err, REASON_UNREACHABLE,
		    "'%.200s' is no http or https URL", request->url);
	fetch->host = host;
	if (!set_address(fetch))
		return err_set(err, REASON_UNREACHABLE,
		    "'%.100s' is no IP address to connect to for '%.200s'",
		    fetch->address == NULL ? "" : fetch->address, request->url);
	fetch->easy = take_easy(fetch->pool);
	if (fetch->easy == NULL)
		return err_set(err, REASON_UNREACHABLE,
		    "libcurl refuses to start a transfer");
	set_manners(fetch);
	proxy_way_set(fetch->way, fetch->easy);
	set_request(fetch, request);
	code = multi_add(fetch->pool->multi, fetch->easy);
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
	if (set_up(fetch, request, &fetch->failure) != 0)
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
	if (f->easy != NULL)
		multi_remove(f->pool->multi, f->easy);
	give_easy(f->pool, f->easy);
	fetch_free(f);
}

static struct curl_slist *
make_headers(const struct kind *kind, bool post, bool no_cache)
{
	const char *const lines[] = {"Accept-Encoding:", "Expect:",
	    kind->accept, post ? kind->content_type : NULL,
	    no_cache ? "Cache-Control: no-cache" : NULL};
	struct curl_slist *list = NULL;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (lines[i] != NULL)
			list = curl_slist_append(list, lines[i]);
		assert(list != NULL); /* only for want of memory */
	}
	return list;
}

struct fetch_pool *
fetch_pool_new(uv_loop_t *loop)
{
	struct fetch_pool *pool = mem_new(sizeof(*pool));

	pool->loop = loop;
	pool->multi = multi_new(loop, exchange_ended);
	for (size_t i = 0; i < KINDS * 4; i++)
		pool->headers[i / 4][i / 2 % 2][i % 2] =
		    make_headers(&kinds[i / 4], i / 2 % 2, i % 2);
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
	while (pool->idle_count > 0)
		curl_easy_cleanup(pool->idle[--pool->idle_count]);
	for (size_t i = 0; i < KINDS * 4; i++)
		curl_slist_free_all(pool->headers[i / 4][i / 2 % 2][i % 2]);
	multi_free(pool->multi);
	free(pool);
}
