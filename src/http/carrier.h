/* SPDX-License-Identifier: ISC */
/* http/carrier.h -- libcurl's handles, and what they have been told.
 *
 * For fetch.c, which has the life of a fetch.  A handle is dear to make and to
 * tell all that it is told; most fetches differ from the one before in the path
 * alone (a GET of OCSP without a proxy, on plain terms), and a handle that has
 * carried such a one is told no more than what is new. */
#ifndef OCLASP_HTTP_CARRIER_H
#define OCLASP_HTTP_CARRIER_H

#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

#include "http/fetch.h"

struct err;
struct proxy_way;

enum {
	CARRIER_BASE_MAX = 300, /* "http://host:port/" */
	CARRIER_CONNECT_TEXT = sizeof("::[]:") + INET6_ADDRSTRLEN,
	CARRIER_KINDS = FETCH_DNS + 1,
};

/* A handle, for one fetch at a time. */
struct carrier {
	CURL *easy;
	struct fetch *fetch;          /* which it carries: libcurl's cookie */
	char error[CURL_ERROR_SIZE];  /* libcurl's words */
	struct curl_slist connect_to; /* of one line: */
	char connect_line[CARRIER_CONNECT_TEXT];
	/* what it was told and still knows: nothing, unless `plain` */
	bool plain;
	bool post, no_cache;
	char address[INET6_ADDRSTRLEN];
	char base[CARRIER_BASE_MAX]; /* the URL without its path, or "" */
	int64_t connect_ms, total_ms;
};

/* What of libcurl calls back, with the carrier as cookie. */
struct carrier_hooks {
	curl_ssl_ctx_callback handshake;
	curl_prereq_callback request;
	curl_write_callback header, body;
};

/* Idle ones, and the header lines that are the same for many. */
struct carriers;

struct carriers *carriers_new(const struct carrier_hooks *hooks);
void carriers_free(struct carriers *carriers);

/* One that will carry FETCH, told all of REQUEST; WAY as proxy_way_new() has
 * it.  NULL: ERR tells (REASON_UNREACHABLE). */
struct carrier *carriers_take(struct carriers *carriers, struct fetch *fetch,
    const struct fetch_request *request, struct proxy_way *way,
    struct err *err);

/* CARRIER (or NULL) is in no transfer any more. */
void carriers_give(struct carriers *carriers, struct carrier *carrier);

#endif
