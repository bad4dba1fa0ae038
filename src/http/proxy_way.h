/* SPDX-License-Identifier: ISC */
/* http/proxy_way.h -- a fetch's way through a proxy.
 *
 * For fetch.c.  libcurl does the proxying: a request for http by an HTTP proxy,
 * CONNECT for https, SOCKS5. */
#ifndef OCLASP_HTTP_PROXY_WAY_H
#define OCLASP_HTTP_PROXY_WAY_H

#include <curl/curl.h>
#include <stdbool.h>

struct err;
struct explain_facts;
struct fetch_request;
struct proxy_way;

/* NULL if REQUEST names no proxy: the direct way. */
struct proxy_way *proxy_way_new(const struct fetch_request *request);
void proxy_way_free(struct proxy_way *way);

/* Tell libcurl: no proxy for NULL, whatever the environment says. */
void proxy_way_set(struct proxy_way *way, CURL *easy);

/* The proxy as messages name it, without credentials. */
const char *proxy_way_name(const struct proxy_way *way);

/* A TLS handshake begins: true if it is the one with the proxy itself. */
bool proxy_way_takes_handshake(struct proxy_way *way);

/* If FAILURE is the proxy's, set ERR to REASON_PROXY_FAILED and return true. */
bool proxy_way_explain(const struct proxy_way *way, CURL *easy,
    const struct explain_facts *failure, struct err *err);

#endif
