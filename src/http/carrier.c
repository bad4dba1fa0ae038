/* SPDX-License-Identifier: ISC */
/* http/carrier.c -- libcurl's handles, and what they have been told. */
#include "http/carrier.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "http/proxy_way.h"

enum { IDLE_MAX = 64 /* kept for reuse, some 6 KiB each */ };

struct carriers {
	struct carrier_hooks hooks;
	/* of a GET and of a POST, for all and past all caches */
	struct curl_slist *headers[CARRIER_KINDS][2][2];
	struct carrier *idle[IDLE_MAX];
	size_t idle_count;
};

/* How each kind asks. */
static const struct manner {
	const char *accept, *content_type; /* header lines */
	long http_version;
} manners[] = {
    [FETCH_OCSP] = {"Accept: application/ocsp-response", /* B7 */
	"Content-Type: application/ocsp-request", CURL_HTTP_VERSION_1_1},
    /* RFC 8484, section 5.2: HTTP/2 "is the minimum RECOMMENDED version" */
    [FETCH_DNS] = {"Accept: application/dns-message",
	"Content-Type: application/dns-message", CURL_HTTP_VERSION_2TLS},
};

static struct curl_slist *
make_headers(const struct manner *manner, bool post, bool no_cache)
{
	const char *const lines[] = {"Accept-Encoding:", "Expect:",
	    manner->accept, post ? manner->content_type : NULL,
	    no_cache ? "Cache-Control: no-cache" : NULL};
	struct curl_slist *list = NULL;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (lines[i] != NULL)
			list = curl_slist_append(list, lines[i]);
		assert(list != NULL); /* only for want of memory */
	}
	return list;
}

struct carriers *
carriers_new(const struct carrier_hooks *hooks)
{
	struct carriers *carriers = mem_new(sizeof(*carriers));

	carriers->hooks = *hooks;
	for (size_t i = 0; i < CARRIER_KINDS * 4; i++)
		carriers->headers[i / 4][i / 2 % 2][i % 2] =
		    make_headers(&manners[i / 4], i / 2 % 2, i % 2);
	return carriers;
}

static void
drop(struct carrier *carrier)
{
	curl_easy_cleanup(carrier->easy);
	free(carrier);
}

void
carriers_free(struct carriers *carriers)
{
	if (carriers == NULL)
		return;
	while (carriers->idle_count > 0)
		drop(carriers->idle[--carriers->idle_count]);
	for (size_t i = 0; i < CARRIER_KINDS * 4; i++)
		curl_slist_free_all(carriers->headers[i / 4][i / 2 % 2][i % 2]);
	free(carriers);
}

void
carriers_give(struct carriers *carriers, struct carrier *carrier)
{
	if (carrier == NULL)
		return;
	carrier->fetch = NULL;
	if (carriers->idle_count == IDLE_MAX) {
		drop(carrier);
		return;
	}
	if (!carrier->plain)
		curl_easy_reset(carrier->easy);
	carriers->idle[carriers->idle_count++] = carrier;
}

/* --- what a handle is told --- */

/* Whether REQUEST is of the kind that many are: nothing of it would have to be
 * taken back afterwards. */
static bool
is_plain(const struct fetch_request *request, const struct proxy_way *way)
{
	return request->kind == FETCH_OCSP && way == NULL && !request->fresh &&
	       request->ca_file == NULL;
}

/* Where to connect to, whatever the URL says: an empty host and port match
 * any, so that libcurl never asks a resolver.  CURLOPT_RESOLVE would not do:
 * a multi handle has one DNS cache, and two addresses of one host are tried
 * at the same time. */
static bool
set_address(struct carrier *carrier, const char *address, bool may_lack)
{
	unsigned char octets[sizeof(struct in6_addr)];
	bool v6;

	if (address == NULL)
		return may_lack;
	if (carrier->plain && strcmp(address, carrier->address) == 0)
		return true;
	v6 = inet_pton(AF_INET6, address, octets) == 1;
	if (!v6 && inet_pton(AF_INET, address, octets) != 1)
		return false;
	(void)snprintf(carrier->connect_line, sizeof(carrier->connect_line),
	    v6 ? "::[%s]:" : "::%s:", address);
	(void)snprintf(
	    carrier->address, sizeof(carrier->address), "%s", address);
	carrier->connect_to.data = carrier->connect_line;
	curl_easy_setopt(
	    carrier->easy, CURLOPT_CONNECT_TO, &carrier->connect_to);
	return true;
}

/* The length of URL up to the path, with its first slash; 0 if it cannot be
 * told apart simply, or has what does not belong into a request line. */
static size_t
base_length(const char *url)
{
	const char *at = strstr(url, "://");
	size_t len;

	if (at == NULL)
		return 0;
	at += 3;
	at += strcspn(at, "/?#");
	len = (size_t)(at - url) + 1;
	if (*at != '/' || len >= CARRIER_BASE_MAX)
		return 0;
	for (; *at != '\0'; at++) {
		if (*at <= ' ' || *at > '~' || *at == '#')
			return 0;
	}
	return len;
}

/* libcurl takes a URL apart and puts it together again each time, which for the
 * base64 of a request takes long: so the path is given apart from it. */
static void
set_url(struct carrier *carrier, const char *url, bool plain)
{
	size_t len = plain ? base_length(url) : 0;
	char base[CARRIER_BASE_MAX];

	if (len == 0) {
		curl_easy_setopt(carrier->easy, CURLOPT_URL, url);
		curl_easy_setopt(carrier->easy, CURLOPT_REQUEST_TARGET, NULL);
		carrier->base[0] = '\0';
		return;
	}
	memcpy(base, url, len);
	base[len] = '\0';
	if (strcmp(base, carrier->base) != 0) {
		curl_easy_setopt(carrier->easy, CURLOPT_URL, base);
		memcpy(carrier->base, base, len + 1);
	}
	curl_easy_setopt(carrier->easy, CURLOPT_REQUEST_TARGET, url + len - 1);
}

static void
set_method(const struct carriers *carriers, struct carrier *carrier,
    const struct fetch_request *request)
{
	bool post = request->body.len > 0;
	CURL *easy = carrier->easy;

	if (post) {
		curl_easy_setopt(easy, CURLOPT_POST, 1L);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
		    (curl_off_t)request->body.len);
		curl_easy_setopt(
		    easy, CURLOPT_POSTFIELDS, (const char *)request->body.at);
	} else if (carrier->plain && carrier->post) {
		curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
	}
	if (!carrier->plain || post != carrier->post ||
	    request->no_cache != carrier->no_cache)
		curl_easy_setopt(easy, CURLOPT_HTTPHEADER,
		    carriers->headers[request->kind][post][request->no_cache]);
	carrier->post = post;
	carrier->no_cache = request->no_cache;
}

static void
set_deadlines(struct carrier *carrier, int64_t connect_ms, int64_t total_ms)
{
	if (!carrier->plain || connect_ms != carrier->connect_ms)
		curl_easy_setopt(carrier->easy, CURLOPT_CONNECTTIMEOUT_MS,
		    (long)(connect_ms > 0 ? connect_ms : 1));
	if (!carrier->plain || total_ms != carrier->total_ms)
		curl_easy_setopt(carrier->easy, CURLOPT_TIMEOUT_MS,
		    (long)(total_ms > 0 ? total_ms : 1));
	carrier->connect_ms = connect_ms;
	carrier->total_ms = total_ms;
}

/* What is the same for every request. */
static void
set_manners(const struct carriers *carriers, struct carrier *carrier)
{
	const struct carrier_hooks *hooks = &carriers->hooks;
	CURL *easy = carrier->easy;

	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	/* Content codings are not asked for (the header line is taken away),
	 * but decoded if they come. */
	curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
	curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L); /* base64 has "//" */
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "oclasp/" OCLASP_VERSION);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, carrier->error);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, carrier);
	curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, hooks->handshake);
	curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, carrier);
	curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, hooks->request);
	curl_easy_setopt(easy, CURLOPT_PREREQDATA, carrier);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, hooks->header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, carrier);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, hooks->body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, carrier);
}

/* What a plain request has in common with all plain ones. */
static void
set_terms(struct carrier *carrier, const struct fetch_request *request)
{
	long version = manners[request->kind].http_version;
	CURL *easy = carrier->easy;

	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, version);
	/* Two questions at once share one connection of HTTP/2. */
	curl_easy_setopt(
	    easy, CURLOPT_PIPEWAIT, version == CURL_HTTP_VERSION_1_1 ? 0L : 1L);
	if (request->ca_file != NULL) { /* instead of the system's store */
		curl_easy_setopt(easy, CURLOPT_CAINFO, request->ca_file);
		curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	}
	curl_easy_setopt(
	    easy, CURLOPT_SSL_SESSIONID_CACHE, !request->fresh + 0L);
	curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, request->fresh + 0L);
	curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, request->fresh + 0L);
}

/* An idle one, if there is, that was told what PLAIN says or nothing. */
static struct carrier *
take(struct carriers *carriers, bool plain)
{
	struct carrier *carrier;

	if (carriers->idle_count == 0) {
		carrier = mem_new(sizeof(*carrier));
		carrier->easy = curl_easy_init();
		if (carrier->easy != NULL)
			return carrier;
		free(carrier);
		return NULL;
	}
	carrier = carriers->idle[--carriers->idle_count];
	if (carrier->plain && !plain) {
		curl_easy_reset(carrier->easy);
		carrier->plain = false;
	}
	return carrier;
}

struct carrier *
carriers_take(struct carriers *carriers, struct fetch *fetch,
    const struct fetch_request *request, struct proxy_way *way, struct err *err)
{
	bool plain = is_plain(request, way);
	struct carrier *carrier = take(carriers, plain);

	if (carrier == NULL) {
		(void)err_set(err, REASON_UNREACHABLE,
		    "libcurl refuses to start a transfer");
		return NULL;
	}
	carrier->fetch = fetch;
	carrier->error[0] = '\0';
	if (!carrier->plain) {
		carrier->base[0] = carrier->address[0] = '\0';
		set_manners(carriers, carrier);
		set_terms(carrier, request);
		proxy_way_set(way, carrier->easy);
	}
	if (!set_address(carrier, request->address, way != NULL)) {
		(void)err_set(err, REASON_UNREACHABLE,
		    "'%.100s' is no IP address to connect to for '%.200s'",
		    request->address == NULL ? "" : request->address,
		    request->url);
		carriers_give(carriers, carrier);
		return NULL;
	}
	set_method(carriers, carrier, request);
	set_url(carrier, request->url, plain);
	set_deadlines(carrier, request->connect_ms, request->total_ms);
	carrier->plain = plain;
	return carrier;
}
