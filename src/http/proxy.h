/* SPDX-License-Identifier: ISC */
/* http/proxy.h -- proxies as people write them, and which of them is for whom.
 *
 * A proxy is a carrier, no more trusted than an address.  Its credentials are
 * kept apart from `url`, which is the only form that is ever shown.  Pure but
 * for proxy_read_auth. */
#ifndef OCLASP_HTTP_PROXY_H
#define OCLASP_HTTP_PROXY_H

#include <stdbool.h>
#include <stddef.h>

struct err;

enum {
	PROXY_URL_TEXT = 288,
	PROXY_AUTH_MAX = 256, /* octets of a user and of a password, NUL too */
	PROXIES_MAX = 8,
	PROXY_RULES_MAX = 32,  /* responders with a choice of their own */
	PROXY_SKIP_MAX = 4096, /* octets of a no-proxy list */
	PROXY_URL_MAX = 2048,  /* octets of what is read */
	PROXY_AUTH_FILE_MAX = 1024,
};

/* Who resolves the responder's name: for SOCKS5 we do, else the proxy. */
enum proxy_kind { PROXY_HTTP, PROXY_HTTPS, PROXY_SOCKS5, PROXY_SOCKS5H };

struct proxy {
	enum proxy_kind kind;
	char host[256]; /* without brackets */
	int port;
	char url[PROXY_URL_TEXT]; /* "http://host:3128": never credentials */
	char user[PROXY_AUTH_MAX], password[PROXY_AUTH_MAX];
};

/* The operator's choice for one responder's host. */
struct proxy_rule {
	char host[256];
	bool none; /* no proxy at all, else: */
	struct proxy proxy;
};

/* Everything that is known of proxies.  All zero: there is none. */
struct proxy_plan {
	struct proxy last[PROXIES_MAX]; /* the operator's: a road of last
					   classes */
	size_t last_count;
	bool has_http, has_https;  /* of the environment: used first, */
	struct proxy http, https;  /* for responders by http and https */
	char skip[PROXY_SKIP_MAX]; /* hosts without proxy, as no_proxy */
	struct proxy_rule rules[PROXY_RULES_MAX];
	size_t rule_count;
};

/* "http://HOST[:PORT]", "https://", "socks5://", "socks5h://"; without a scheme
 * http.  As curl has it the default port is 1080, for https 443.  USER:PASSWORD@
 * before the host is taken if WITH_AUTH, else refused.
 * Errors: REASON_USAGE, without a word of URL, which may hold a password. */
int proxy_parse(
    const char *url, bool with_auth, struct proxy *out, struct err *err);

/* The same of the one line "user:password" in the file PATH, which nobody but
 * its owner may read.  Errors: REASON_USAGE, REASON_FILE. */
int proxy_read_auth(const char *path, char user[PROXY_AUTH_MAX],
    char password[PROXY_AUTH_MAX], struct err *err);

/* True if HOST is on LIST, as curl reads no_proxy: names (with what is under
 * them), addresses and IP/BITS, between commas or blanks; "*" is everything. */
bool proxy_list_has(const char *list, const char *host);

/* True if no proxy is in it. */
bool proxy_plan_is_empty(const struct proxy_plan *plan);

/* Take what the environment says, as curl reads it: http_proxy (lower case
 * only: HTTP_PROXY is what a web server's client can set), https_proxy or
 * HTTPS_PROXY, all_proxy or ALL_PROXY where these are missing; no_proxy or
 * NO_PROXY, unless PLAN has a list.  GET is getenv.
 * A variable is no argument: one that is faulty is left out, all of them if it
 * is the list, and the rest is taken all the same.  Then -1 and REASON_USAGE,
 * with the name of the first that was left out, and nothing of its value. */
int proxy_plan_read_environment(struct proxy_plan *plan,
    const char *(*get)(const char *name), struct err *err);

/* The proxy by which HOST is asked before everything else; NULL: none. */
const struct proxy *proxy_plan_first(
    const struct proxy_plan *plan, const char *host, bool is_https);

/* True if the proxies of the last class may be used for HOST. */
bool proxy_plan_has_last(const struct proxy_plan *plan, const char *host);

#endif
