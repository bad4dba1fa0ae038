/* SPDX-License-Identifier: ISC */
/* face/roads.c -- what the operator says of proxies, upstreams and private
 * addresses. */
#include "face/roads.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "http/fetch.h"

int
roads_take_proxy(struct roads *roads, const char *url, enum roads_where where,
    struct err *err)
{
	bool of_config = where == ROADS_CONFIG;
	struct proxy_plan *plan = &roads->plan;
	const char *name = of_config ? "proxies" : "--proxy";
	struct err why = {0};

	if (of_config && roads->no_config)
		return 0;
	if (strcmp(url, "none") == 0) {
		roads->no_environment = true;
		roads->no_config = !of_config;
		return 0;
	}
	if (plan->last_count == PROXIES_MAX)
		return err_set(
		    err, REASON_USAGE, "more than %d proxies", PROXIES_MAX);
	if (proxy_parse(url, of_config, &plan->last[plan->last_count], &why) ==
	    -1)
		return err_set(err, REASON_USAGE, "%s: %s", name, why.text);
	plan->last_count++;
	return 0;
}

int
roads_take_no_proxy(struct roads *roads, const char *list, struct err *err)
{
	char *skip = roads->plan.skip;
	size_t len = strlen(skip);
	size_t room = sizeof(roads->plan.skip) - len;

	if (strlen(list) + 2 > room)
		return err_set(err, REASON_USAGE,
		    "the list of hosts without proxy is longer than %d octets",
		    PROXY_SKIP_MAX - 1);
	(void)snprintf(skip + len, room, "%s%s", len > 0 ? "," : "", list);
	return 0;
}

int
roads_take_upstream(struct roads *roads, const char *url, struct err *err)
{
	char *host = NULL;
	int port;

	if (roads->upstream_count == ACQUIRE_UPSTREAMS_MAX)
		return err_set(err, REASON_USAGE, "more than %d upstreams",
		    ACQUIRE_UPSTREAMS_MAX);
	if (!fetch_split_url(url, &host, &port))
		return err_set(err, REASON_USAGE,
		    "upstream '%s': give the http:// or https:// URL where "
		    "another oclasp, or a cache, answers OCSP",
		    url);
	free(host);
	roads->upstreams[roads->upstream_count++] = url;
	return 0;
}

static int
take_rule(
    struct roads *roads, const char *host, const char *proxy, struct err *err)
{
	struct proxy_plan *plan = &roads->plan;
	struct proxy_rule *rule = &plan->rules[plan->rule_count];
	struct err why = {0};

	if (roads->no_config)
		return 0;
	if (plan->rule_count == PROXY_RULES_MAX)
		return err_set(err, REASON_USAGE,
		    "more than %d responders with a proxy of their own",
		    PROXY_RULES_MAX);
	if (strlen(host) >= sizeof(rule->host))
		return err_set(err, REASON_USAGE,
		    "responder '%.100s...': that is no host name", host);
	(void)snprintf(rule->host, sizeof(rule->host), "%s", host);
	rule->none = strcmp(proxy, "none") == 0;
	if (!rule->none && proxy_parse(proxy, true, &rule->proxy, &why) == -1)
		return err_set(err, REASON_USAGE,
		    "the proxy of responder '%s': %s", host, why.text);
	plan->rule_count++;
	return 0;
}

int
roads_take_responder(struct roads *roads, const char *host, const char *proxy,
    bool is_private, struct err *err)
{
	if (strstr(host, "://") != NULL || strchr(host, '/') != NULL)
		return err_set(err, REASON_USAGE,
		    "responder '%s': give the host name alone", host);
	if (is_private && roads->private_host_count == ACQUIRE_PRIVATE_MAX)
		return err_set(err, REASON_USAGE,
		    "more than %d private responders", ACQUIRE_PRIVATE_MAX);
	if (is_private)
		roads->private_hosts[roads->private_host_count++] = host;
	return proxy == NULL ? 0 : take_rule(roads, host, proxy, err);
}

static void
give_auth(struct proxy *proxy, const struct proxy *auth)
{
	if (proxy->user[0] != '\0')
		return;
	memcpy(proxy->user, auth->user, sizeof(proxy->user));
	memcpy(proxy->password, auth->password, sizeof(proxy->password));
}

/* The file is for the proxies that the operator named: those of the
 * environment may be somebody else's. */
static int
read_auth(struct roads *roads, struct err *err)
{
	struct proxy_plan *plan = &roads->plan;
	struct proxy auth = {0};
	int rc =
	    proxy_read_auth(roads->auth_file, auth.user, auth.password, err);

	for (size_t i = 0; rc == 0 && i < plan->last_count; i++)
		give_auth(&plan->last[i], &auth);
	for (size_t i = 0; rc == 0 && i < plan->rule_count; i++)
		give_auth(&plan->rules[i].proxy, &auth);
	explicit_bzero(&auth, sizeof(auth));
	return rc;
}

int
roads_settle(
    struct roads *roads, const char *(*get)(const char *name), struct err *err)
{
	if (roads->auth_file != NULL && read_auth(roads, err) == -1)
		return -1;
	if (!roads->no_environment)
		(void)proxy_plan_read_environment(
		    &roads->plan, get, &roads->warning);
	return 0;
}

void
roads_done(struct roads *roads)
{
	explicit_bzero(roads, sizeof(*roads));
}
