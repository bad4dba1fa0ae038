/* SPDX-License-Identifier: ISC */
/* http/fetch.h -- one HTTP exchange with one address, on the loop.
 *
 * libcurl with every convenience off: no redirects, no proxy unless named, no
 * cookies, no resolver; the connection goes to the address given, the Host
 * header names the URL's host (B8). */
#ifndef OCLASP_HTTP_FETCH_H
#define OCLASP_HTTP_FETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/err.h"
#include "base/text.h"

struct fetch_pool;
struct proxy;
struct fetch;

enum {
	FETCH_BODY_MAX = 65536, /* bytes, also after decoding */
	FETCH_URL_MAX = 8192,   /* octets; one that is as long is none */
};

enum fetch_stage { FETCH_CONNECT, FETCH_HTTP, FETCH_DONE };

/* What is asked for: it chooses media types, and HTTP/2 for DNS. */
enum fetch_kind { FETCH_OCSP, FETCH_DNS };

struct fetch_request {
	enum fetch_kind kind;
	const char *url;     /* http:// or https://; copied */
	const char *host;    /* of the URL, from fetch_split_url(); copied.
				NULL: not known yet */
	const char *address; /* bare IP to connect to; copied.  NULL, only with
				a proxy: that one looks the URL's host up */
	const struct proxy *proxy;   /* go through it; copied; NULL: none */
	const char *proxy_addresses; /* where it is, if its host is a name:
					"192.0.2.1,[2001:db8::1]"; copied */
	const char *proxy_ca_file;   /* https proxies, as CA_FILE; copied */
	struct span body;    /* empty: GET, else POST; must outlive the fetch */
	const char *ca_file; /* https: PEM, instead of the system's store;
				NULL: the system's.  Copied */
	bool no_cache; /* B11: who stores answers on the way shall ask again */
	bool fresh;    /* a connection of its own, never an old one's */
	/* https, and FRESH: the certificate's chain and name are verified, its
	 * times are not: for who asks what time it is */
	bool any_time;
	int64_t connect_ms; /* deadline of the connection */
	int64_t total_ms;   /* deadline of the whole exchange */
};

struct fetch_result {
	enum fetch_stage stage; /* how far it got; DONE: a whole 200 answer */
	struct err err;         /* REASON_NONE when DONE */
	long http_status;       /* 0: none */
	struct span body;       /* borrowed, valid during the callback */
	char content_type[64];
	int64_t max_age_s;     /* Cache-Control: max-age; -1: none (C21) */
	int64_t retry_after_s; /* Retry-After; -1: none (A7) */
	int64_t date;          /* Date, wall seconds; 0: none */
	int64_t connect_ms;    /* until the connection was up; -1: never */
	int64_t elapsed_ms;
};

struct fetch_pool *fetch_pool_new(uv_loop_t *loop);
void fetch_pool_free(struct fetch_pool *pool);

/* CB comes once.  Errors in the result: REASON_CONNECT_*, REASON_UNREACHABLE
 * (also for what is no URL or no address), REASON_NOT_OCSP for what is no HTTP,
 * REASON_HTTP_*, REASON_OVERSIZE, REASON_TLS_FAILED; REASON_PROXY_FAILED where
 * the proxy gives no way. */
struct fetch *fetch_start(struct fetch_pool *pool,
    const struct fetch_request *request,
    void (*cb)(void *cookie, const struct fetch_result *result), void *cookie);
void fetch_cancel(struct fetch **fetch);

/* The parts of an http(s) URL.  HOST without brackets.  False if URL is
 * neither http nor https or has no host.  Owned by the caller. */
bool fetch_split_url(const char *url, char **host, int *port);

/* Parse the value of Cache-Control and Retry-After (seconds or an HTTP date
 * relative to NOW); -1 when there is nothing usable. */
int64_t fetch_max_age(const char *cache_control);
int64_t fetch_retry_after(const char *value, int64_t now);

/* Read an HTTP date, in any of the three forms of RFC 9110, section 5.6.7; NOW
 * is for the one with two digits of the year.  False, *OUT untouched, for
 * anything else. */
bool fetch_date(const char *text, int64_t now, int64_t *out);

#endif
