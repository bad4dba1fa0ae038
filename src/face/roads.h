/* SPDX-License-Identifier: ISC */
/* face/roads.h -- what the operator says of proxies, upstreams and private
 * addresses: by options, configuration and environment. */
#ifndef OCLASP_FACE_ROADS_H
#define OCLASP_FACE_ROADS_H

#include <stdbool.h>
#include <stddef.h>

#include "acquire/acquire.h"
#include "base/err.h"
#include "http/proxy.h"

/* All zero: nothing was said. */
struct roads {
	struct proxy_plan plan;
	bool no_environment;   /* "none": its proxies do not count */
	bool no_config;        /* on the command line: nor the file's */
	const char *auth_file; /* borrowed */
	const char *upstreams[ACQUIRE_UPSTREAMS_MAX]; /* borrowed */
	size_t upstream_count;
	bool allow_private;
	const char *private_hosts[ACQUIRE_PRIVATE_MAX]; /* borrowed */
	size_t private_host_count;
	struct err warning; /* of roads_settle: REASON_NONE: there is none */
};

enum roads_where { ROADS_COMMAND_LINE, ROADS_CONFIG };

/* One value each; "none" is a proxy too.  Errors: REASON_USAGE, which never
 * repeats a proxy's URL. */
int roads_take_proxy(struct roads *roads, const char *url,
    enum roads_where where, struct err *err);
int roads_take_no_proxy(struct roads *roads, const char *list, struct err *err);
int roads_take_upstream(struct roads *roads, const char *url, struct err *err);

/* A responder's block of the configuration: PROXY is a URL, "none" or NULL. */
int roads_take_responder(struct roads *roads, const char *host,
    const char *proxy, bool is_private, struct err *err);

/* When all was taken: credentials of the file for the operator's proxies that
 * have none, and what the environment says (GET is getenv).  A fault there is a
 * warning: the direct roads are left.
 * Errors: REASON_USAGE, REASON_FILE. */
int roads_settle(
    struct roads *roads, const char *(*get)(const char *name), struct err *err);

/* Nobody uses ROADS any more: its credentials are wiped. */
void roads_done(struct roads *roads);

#endif
