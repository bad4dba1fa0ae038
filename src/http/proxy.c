/* SPDX-License-Identifier: ISC */
/* http/proxy.c -- proxies as people write them, and which of them is for whom. */
#include "http/proxy.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"

static const struct {
	const char *name;
	const char *port;
} kinds[] = {
    [PROXY_HTTP] = {"http", "1080"},
    [PROXY_HTTPS] = {"https", "443"},
    [PROXY_SOCKS5] = {"socks5", "1080"},
    [PROXY_SOCKS5H] = {"socks5h", "1080"},
};

enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

/* --- one proxy --- */

static bool
is_word(const char *text)
{
	for (; *text != '\0'; text++) {
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return false;
	}
	return true;
}

/* A user or password of PARTS; absent ones are "". */
static bool
take_secret(CURLU *parts, CURLUPart which, char out[PROXY_AUTH_MAX])
{
	char *text = NULL;
	CURLUcode code = curl_url_get(parts, which, &text, CURLU_URLDECODE);
	bool good = code == CURLUE_NO_USER || code == CURLUE_NO_PASSWORD;

	if (code == CURLUE_OK && strlen(text) < PROXY_AUTH_MAX &&
	    is_word(text)) {
		(void)snprintf(out, PROXY_AUTH_MAX, "%s", text);
		good = true;
	}
	curl_free(text);
	return good;
}

static bool
find_kind(const char *scheme, enum proxy_kind *out)
{
	for (int i = 0; i < KINDS; i++) {
		if (strcasecmp(kinds[i].name, scheme) == 0) {
			*out = (enum proxy_kind)i;
			return true;
		}
	}
	return false;
}

static bool
take_host(CURLU *parts, struct proxy *p)
{
	char *host = NULL;
	char *number = NULL;
	int64_t port = 0;
	size_t len;
	bool good = false;

	if (curl_url_get(parts, CURLUPART_HOST, &host, CURLU_URLDECODE) !=
		CURLUE_OK ||
	    *host == '\0' || strpbrk(host, " \t@/") != NULL || !is_word(host))
		goto out;
	if (curl_url_get(parts, CURLUPART_PORT, &number, 0) != CURLUE_OK)
		number = NULL;
	if (!text_number(
		number == NULL ? kinds[p->kind].port : number, 1, 65535, &port))
		goto out;
	p->port = (int)port;
	len = strlen(host);
	good = len < sizeof(p->host);
	if (!good)
		goto out;
	(void)snprintf(p->url, sizeof(p->url), "%s://%s:%d",
	    kinds[p->kind].name, host, p->port);
	if (host[0] == '[' && host[len - 1] == ']')
		(void)snprintf(
		    p->host, sizeof(p->host), "%.*s", (int)len - 2, host + 1);
	else
		(void)snprintf(p->host, sizeof(p->host), "%s", host);
out:
	curl_free(host);
	curl_free(number);
	return good;
}

/* Nothing but a host and perhaps "/" behind it. */
static bool
has_no_path(CURLU *parts)
{
	static const CURLUPart odd[] = {CURLUPART_QUERY, CURLUPART_FRAGMENT};
	char *text = NULL;
	bool good;

	for (size_t i = 0; i < 2; i++) {
		if (curl_url_get(parts, odd[i], &text, 0) == CURLUE_OK) {
			curl_free(text);
			return false;
		}
	}
	good = curl_url_get(parts, CURLUPART_PATH, &text, 0) == CURLUE_OK &&
	       (text[0] == '\0' || strcmp(text, "/") == 0);
	curl_free(text);
	return good;
}

/* True if the part behind the credentials is written in plain letters.  curl
 * reads "%34" as the host 4, and that again as 0.0.0.4. */
static bool
is_plain(const char *url)
{
	const char *scheme = strstr(url, "://");
	const char *host = scheme == NULL ? url : scheme + 3;
	const char *end = host + strcspn(host, "/?#");

	for (const char *c = host; c < end; c++) {
		if (*c == '@')
			host = c + 1;
	}
	return strchr(host, '%') == NULL;
}

int
proxy_parse(const char *url, bool with_auth, struct proxy *out, struct err *err)
{
	struct proxy p = {.kind = PROXY_HTTP};
	CURLU *parts = curl_url();
	char *whole = NULL;
	char *scheme = NULL;
	int rc = -1;

	if (!with_auth && strchr(url, '@') != NULL) {
		(void)err_set(err, REASON_USAGE,
		    "a proxy's user and password do not belong where every "
		    "user of this machine can read them: write them as one "
		    "line user:password into a file of mode 0600 and name it "
		    "with --proxy-auth-file");
		goto out;
	}
	if (strnlen(url, PROXY_URL_MAX) < PROXY_URL_MAX)
		whole = mem_printf(
		    "%s%s", strstr(url, "://") == NULL ? "http://" : "", url);
	if (parts == NULL || whole == NULL || !is_plain(url) ||
	    curl_url_set(parts, CURLUPART_URL, whole,
		CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK ||
	    curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
	    !find_kind(scheme, &p.kind) || !take_host(parts, &p) ||
	    !take_secret(parts, CURLUPART_USER, p.user) ||
	    !take_secret(parts, CURLUPART_PASSWORD, p.password) ||
	    !has_no_path(parts)) {
		(void)err_set(err, REASON_USAGE,
		    "that is no proxy: write http://HOST:PORT, or https://, "
		    "socks5:// (names are looked up here), socks5h:// (by the "
		    "proxy)");
		goto out;
	}
	*out = p;
	rc = 0;
out:
	curl_free(scheme);
	curl_url_cleanup(parts);
	free(whole);
	return rc;
}

int
proxy_read_auth(const char *path, char user[PROXY_AUTH_MAX],
    char password[PROXY_AUTH_MAX], struct err *err)
{
	uint8_t *bytes = NULL;
	size_t len = 0;
	char *line;
	char *colon;
	int rc = -1;

	if (file_read_secret(path, PROXY_AUTH_FILE_MAX, &bytes, &len, err) ==
	    -1)
		return -1;
	line = (char *)bytes;
	while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r'))
		line[--len] = '\0';
	colon = strchr(line, ':');
	if (strlen(line) == len && is_word(line) && colon != NULL &&
	    colon != line && colon - line < PROXY_AUTH_MAX &&
	    strlen(colon + 1) < PROXY_AUTH_MAX) {
		(void)snprintf(
		    user, PROXY_AUTH_MAX, "%.*s", (int)(colon - line), line);
		(void)snprintf(password, PROXY_AUTH_MAX, "%s", colon + 1);
		rc = 0;
	} else {
		(void)err_set(err, REASON_USAGE,
		    "'%.200s' does not hold credentials: it must be the one "
		    "line user:password, each of at most %d octets",
		    path, PROXY_AUTH_MAX - 1);
	}
	explicit_bzero(bytes, len);
	free(bytes);
	return rc;
}

/* --- no_proxy --- */

/* True if ADDRESS, of OCTETS octets, is in NET/BITS. */
static bool
is_in_net(
    const uint8_t *address, const uint8_t *net, size_t octets, size_t bits)
{
	size_t whole = bits / 8;
	size_t rest = bits % 8;
	uint8_t mask = (uint8_t)(0xff00 >> rest);

	if (bits > octets * 8 || memcmp(address, net, whole) != 0)
		return false;
	return rest == 0 || (address[whole] & mask) == (net[whole] & mask);
}

/* ITEM is an address or IP/BITS, HOST an address of FAMILY. */
static bool
item_has_address(const char *item, const uint8_t *host, int family)
{
	size_t octets = family == AF_INET ? 4 : 16;
	char text[INET6_ADDRSTRLEN + 2];
	const char *slash = strchr(item, '/');
	size_t len = slash == NULL ? strlen(item) : (size_t)(slash - item);
	int64_t bits = (int64_t)octets * 8;
	uint8_t net[16];

	if (len >= 2 && item[0] == '[' && item[len - 1] == ']') {
		item++;
		len -= 2;
	}
	if (len >= sizeof(text))
		return false;
	(void)snprintf(text, sizeof(text), "%.*s", (int)len, item);
	if (slash != NULL && !text_number(slash + 1, 0, bits, &bits))
		return false;
	return inet_pton(family, text, net) == 1 &&
	       is_in_net(host, net, octets, (size_t)bits);
}

/* A name has itself and what is under it; a final dot is nothing. */
static bool
item_has_name(const char *item, const char *host)
{
	size_t item_len, host_len = strlen(host);

	while (*item == '.')
		item++;
	item_len = strlen(item);
	if (item_len > 0 && item[item_len - 1] == '.')
		item_len--;
	if (host_len > 0 && host[host_len - 1] == '.')
		host_len--;
	if (item_len == 0 || item_len > host_len ||
	    strncasecmp(host + host_len - item_len, item, item_len) != 0)
		return false;
	return item_len == host_len || host[host_len - item_len - 1] == '.';
}

bool
proxy_list_has(const char *list, const char *host)
{
	static const char between[] = ", \t";
	uint8_t octets[16];
	int family = inet_pton(AF_INET, host, octets) == 1    ? AF_INET
		     : inet_pton(AF_INET6, host, octets) == 1 ? AF_INET6
							      : AF_UNSPEC;

	if (strnlen(list, PROXY_SKIP_MAX) == PROXY_SKIP_MAX)
		return false;
	for (;;) {
		char item[256];
		size_t len;

		list += strspn(list, between);
		len = strcspn(list, between);
		if (len == 0)
			return false;
		if (len < sizeof(item)) {
			(void)snprintf(
			    item, sizeof(item), "%.*s", (int)len, list);
			if (strcmp(item, "*") == 0 ||
			    (family == AF_UNSPEC
				    ? item_has_name(item, host)
				    : item_has_address(item, octets, family)))
				return true;
		}
		list += len;
	}
}

/* --- the plan --- */

/* The first of NAMES that is set to something, and its name. */
static const char *
look_up(const char *(*get)(const char *name), const char *const *names,
    const char **name)
{
	for (; *names != NULL; names++) {
		const char *value = get(*names);

		*name = *names;
		if (value != NULL && *value != '\0')
			return value;
	}
	return NULL;
}

static void
take_variable(const char *(*get)(const char *name), const char *const *names,
    bool *has, struct proxy *out, struct err *err)
{
	const char *name = NULL;
	const char *value = look_up(get, names, &name);
	struct err why = {0};

	*has = value != NULL && proxy_parse(value, true, out, &why) == 0;
	if (value != NULL && !*has)
		(void)err_set(err, REASON_USAGE,
		    "%s of the environment is ignored: %s; --proxy none "
		    "ignores it without a word",
		    name, why.text);
}

int
proxy_plan_read_environment(struct proxy_plan *plan,
    const char *(*get)(const char *name), struct err *err)
{
	static const char *const http[] = {
	    "http_proxy", "all_proxy", "ALL_PROXY", NULL};
	static const char *const https[] = {
	    "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", NULL};
	static const char *const skip[] = {"no_proxy", "NO_PROXY", NULL};
	const char *name = NULL;
	const char *list =
	    plan->skip[0] == '\0' ? look_up(get, skip, &name) : NULL;
	struct err why = {0};

	/* some host on that list must not go by a proxy: which, is unknown */
	if (list != NULL && strlen(list) >= sizeof(plan->skip))
		return err_set(err, REASON_USAGE,
		    "%s is longer than %d octets: the proxies of the "
		    "environment are ignored",
		    name, PROXY_SKIP_MAX - 1);
	take_variable(get, http, &plan->has_http, &plan->http, &why);
	take_variable(get, https, &plan->has_https, &plan->https, &why);
	if (list != NULL)
		(void)snprintf(plan->skip, sizeof(plan->skip), "%s", list);
	return why.reason == REASON_NONE
		   ? 0
		   : err_set(err, why.reason, "%s", why.text);
}

bool
proxy_plan_is_empty(const struct proxy_plan *plan)
{
	return plan->last_count == 0 && plan->rule_count == 0 &&
	       !plan->has_http && !plan->has_https;
}

static const struct proxy_rule *
rule_for(const struct proxy_plan *plan, const char *host)
{
	for (size_t i = 0; i < plan->rule_count; i++) {
		if (strcasecmp(plan->rules[i].host, host) == 0)
			return &plan->rules[i];
	}
	return NULL;
}

const struct proxy *
proxy_plan_first(const struct proxy_plan *plan, const char *host, bool is_https)
{
	const struct proxy_rule *rule = rule_for(plan, host);

	if (rule != NULL)
		return rule->none ? NULL : &rule->proxy;
	if (proxy_list_has(plan->skip, host))
		return NULL;
	if (is_https)
		return plan->has_https ? &plan->https : NULL;
	return plan->has_http ? &plan->http : NULL;
}

bool
proxy_plan_has_last(const struct proxy_plan *plan, const char *host)
{
	const struct proxy_rule *rule = rule_for(plan, host);

	if (plan->last_count == 0 || (rule != NULL && rule->none))
		return false;
	return rule != NULL || !proxy_list_has(plan->skip, host);
}
