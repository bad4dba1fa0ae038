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
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/loop.h"
#include "base/mem.h"
#include "http/head.h"
#include "http/multi.h"

struct fetch_pool {
	uv_loop_t *loop; /* borrowed; must outlive */
	struct multi *multi;
	struct fetch *first; /* all that are in progress */
};

enum cut { CUT_NOT, CUT_STATUS, CUT_OVERSIZE };

struct fetch {
	struct fetch_pool *pool;
	struct fetch *next, **link; /* in the pool's list */
	CURL *easy;                 /* NULL if the set-up failed */
	struct curl_slist *headers, *connect_to;
	char *url, *address;
	char *host; /* of the URL: what messages name */
	int64_t started_ms;
	struct loop_timer *failing; /* tells `failure` at the next turn */
	struct err failure;
	bool connected, headers_done, reporting;
	enum cut cut;
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

static void
fetch_free(struct fetch *fetch)
{
	loop_timer_cancel(&fetch->failing);
	curl_easy_cleanup(fetch->easy);
	curl_slist_free_all(fetch->headers);
	curl_slist_free_all(fetch->connect_to);
	buf_done(&fetch->body);
	free(fetch->url);
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
	fetch->reporting = true;
	result->http_status = fetch->status;
	result->body.at = (const uint8_t *)buf_text(&fetch->body);
	result->body.len = fetch->body.len;
	memcpy(result->content_type, fetch->head.content_type,
	    sizeof(result->content_type));
	result->max_age_s = fetch->head.max_age_s;
	result->retry_after_s = fetch->head.retry_after_s;
	result->elapsed_ms = clock_mono_ms() - fetch->started_ms;
	fetch->cb(fetch->cookie, result);
	fetch_free(fetch);
}

/* What an errno of the network says of a connection that was being made. */
static enum reason
connect_reason(long os_errno)
{
	switch (os_errno) {
	case ECONNREFUSED:
		return REASON_CONNECT_REFUSED;
	case ECONNRESET:
	case ECONNABORTED:
	case EPIPE:
		return REASON_CONNECT_RESET;
	case ETIMEDOUT:
		return REASON_CONNECT_TIMEOUT;
	default: /* ENETUNREACH, EHOSTUNREACH, EADDRNOTAVAIL, EACCES ... */
		return REASON_UNREACHABLE;
	}
}

static void
explain_connect(struct fetch *fetch, CURLcode code, struct err *err)
{
	long os_errno = 0;
	int64_t elapsed = clock_mono_ms() - fetch->started_ms;

	(void)curl_easy_getinfo(fetch->easy, CURLINFO_OS_ERRNO, &os_errno);
	if (code == CURLE_OPERATION_TIMEDOUT)
		err_set(err, REASON_CONNECT_TIMEOUT,
		    "%s did not answer the connection for '%.200s' within "
		    "%lld ms",
		    fetch->address, fetch->host, (long long)elapsed);
	else if (os_errno != 0)
		err_set(err, connect_reason(os_errno),
		    "cannot connect to %s for '%.200s': %s", fetch->address,
		    fetch->host, strerror((int)os_errno));
	else
		err_set(err, REASON_UNREACHABLE,
		    "cannot connect to %s for '%.200s': %.200s", fetch->address,
		    fetch->host, curl_easy_strerror(code));
}

static void
explain_cut(struct fetch *fetch, struct err *err)
{
	if (fetch->cut == CUT_OVERSIZE)
		err_set(err, REASON_OVERSIZE,
		    "%s answered '%.200s' with more than %d bytes, no OCSP "
		    "response is that large",
		    fetch->address, fetch->host, FETCH_BODY_MAX);
	else if (fetch->status >= 300 && fetch->status < 400)
		err_set(err, REASON_HTTP_REDIRECT,
		    "%s answered '%.150s' with status %ld, a redirect to "
		    "'%.200s', which is not followed",
		    fetch->address, fetch->host, fetch->status,
		    fetch->head.location[0] != '\0' ? fetch->head.location
						    : "nowhere");
	else
		err_set(err, REASON_HTTP_STATUS,
		    "%s answered '%.200s' with HTTP status %ld", fetch->address,
		    fetch->host, fetch->status);
}

/* Why an exchange failed whose connection was up. */
static void
explain_exchange(struct fetch *fetch, CURLcode code, struct err *err)
{
	const char *detail = fetch->curl_error[0] != '\0'
				 ? fetch->curl_error
				 : curl_easy_strerror(code);
	enum reason reason = REASON_HTTP_RESET;

	switch (code) {
	case CURLE_OPERATION_TIMEDOUT:
		err_set(err, REASON_HTTP_TIMEOUT,
		    "%s took the connection for '%.200s', but no whole answer "
		    "came within %lld ms (%zu bytes of a body)",
		    fetch->address, fetch->host,
		    (long long)(clock_mono_ms() - fetch->started_ms),
		    fetch->body.len);
		return;
	case CURLE_GOT_NOTHING:
		err_set(err, REASON_HTTP_RESET,
		    "%s closed the connection for '%.200s' without an answer",
		    fetch->address, fetch->host);
		return;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
		reason = REASON_TLS_FAILED;
		break;
	case CURLE_UNSUPPORTED_PROTOCOL: /* HTTP/0.9, which is any text */
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_BAD_CONTENT_ENCODING:
		reason = REASON_NOT_OCSP;
		break;
	case CURLE_FILESIZE_EXCEEDED:
		reason = REASON_OVERSIZE;
		break;
	default: /* CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_PARTIAL_FILE */
		break;
	}
	err_set(err, reason, "the exchange with %s for '%.150s' failed: %.200s",
	    fetch->address, fetch->host, detail);
}

static void
exchange_ended(CURL *easy, CURLcode code)
{
	struct fetch *fetch = NULL;
	struct fetch_result *result;

	(void)curl_easy_getinfo(easy, CURLINFO_PRIVATE, &fetch);
	result = &fetch->result;
	result->stage = fetch->connected ? FETCH_HTTP : FETCH_CONNECT;

	if (fetch->cut != CUT_NOT)
		explain_cut(fetch, &result->err);
	else if (code == CURLE_OK && fetch->status == 200)
		result->stage = FETCH_DONE;
	else if (fetch->connected)
		explain_exchange(fetch, code, &result->err);
	else
		explain_connect(fetch, code, &result->err);
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

/* libcurl's own time of the connection includes the TLS handshake (7.88), so
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
	(void)ssl_ctx;
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
	fetch->cut = CUT_OVERSIZE;
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
		fetch->cut = CUT_STATUS;
	else if (fetch->head.oversize)
		fetch->cut = CUT_OVERSIZE;
	return fetch->cut == CUT_NOT;
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

static void
add_line(struct curl_slist **list, const char *line)
{
	struct curl_slist *longer = curl_slist_append(*list, line);

	if (longer != NULL)
		*list = longer;
}

/* Where to connect to, whatever the URL says: an empty host and port match
 * any, so that libcurl never asks a resolver.  CURLOPT_RESOLVE would not do:
 * a multi handle has one DNS cache, and two addresses of one host are tried
 * at the same time. */
static bool
set_address(struct fetch *fetch)
{
	unsigned char octets[sizeof(struct in6_addr)];
	char *line;

	if (inet_pton(AF_INET6, fetch->address, octets) == 1)
		line = mem_printf("::[%s]:", fetch->address);
	else if (inet_pton(AF_INET, fetch->address, octets) == 1)
		line = mem_printf("::%s:", fetch->address);
	else
		return false;
	add_line(&fetch->connect_to, line);
	free(line);
	return true;
}

static void
set_request(struct fetch *fetch, const struct fetch_request *request)
{
	CURL *easy = fetch->easy;

	/* Content codings are not asked for, but decoded if they come. */
	curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
	add_line(&fetch->headers, "Accept-Encoding:");
	add_line(&fetch->headers, "Expect:");
	add_line(&fetch->headers, "Accept: application/ocsp-response"); /* B7 */
	if (request->body.len > 0) {
		add_line(
		    &fetch->headers, "Content-Type: application/ocsp-request");
		curl_easy_setopt(easy, CURLOPT_POST, 1L);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
		    (curl_off_t)request->body.len);
		curl_easy_setopt(
		    easy, CURLOPT_POSTFIELDS, (const char *)request->body.at);
	}
	curl_easy_setopt(easy, CURLOPT_URL, fetch->url);
	curl_easy_setopt(easy, CURLOPT_CONNECT_TO, fetch->connect_to);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, fetch->headers);
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
	curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* none of environment */
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(
	    easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
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
	char *host = NULL;
	int port;
	CURLMcode code;

	if (!fetch_split_url(fetch->url, &host, &port))
		return err_set(err, REASON_UNREACHABLE,
		    "'%.200s' is no http or https URL", fetch->url);
	fetch->host = host;
	if (!set_address(fetch))
		return err_set(err, REASON_UNREACHABLE,
		    "'%.100s' is no IP address to connect to for '%.200s'",
		    fetch->address, fetch->url);
	fetch->easy = curl_easy_init();
	if (fetch->easy == NULL)
		return err_set(err, REASON_UNREACHABLE,
		    "libcurl refuses to start a transfer");
	set_manners(fetch);
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
	fetch->url = mem_string(request->url);
	fetch->address = mem_string(request->address);
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
	fetch_free(f);
}

struct fetch_pool *
fetch_pool_new(uv_loop_t *loop)
{
	struct fetch_pool *pool = mem_new(sizeof(*pool));

	pool->loop = loop;
	pool->multi = multi_new(loop, exchange_ended);
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
	multi_free(pool->multi);
	free(pool);
}
