/* SPDX-License-Identifier: ISC */
/* face/options_settle.c -- what command line, configuration and environment say
 * together, for whoever works by it. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/clock.h"
#include "face/options.h"
#include "http/fetch.h"
#include "tls/secure.h"

static const char *
look_up(const char *name)
{
	return getenv(name);
}

int
options_take_blackhole(struct options *o, const char *address, struct err *err)
{
	o->has_blackhole = true;
	if (resolver_parse(address, &o->blackhole, err) == -1)
		return -1;
	return o->blackhole.kind == RESOLVER_UDP
		   ? 0
		   : err_set(err, REASON_USAGE,
			 "blackhole '%s': give an IP address", address);
}

int
options_settle(struct options *options, struct err *err)
{
	if (options->control == NULL)
		options->control = OPTIONS_CONTROL;
	if ((options->command & CMD_ROADS) != 0 &&
	    roads_settle(&options->roads, look_up, err) == -1)
		return -1;
	if (options->tls_ca == NULL)
		return 0;
	for (size_t i = 0; i < options->resolver_count; i++)
		options->resolvers[i].tls_ca = options->tls_ca;
	return secure_check_ca(options->tls_ca, err);
}

int64_t
options_now(const struct options *options)
{
	return options->has_at ? options->at : clock_wall_s();
}

struct acquire_options
options_acquire(const struct options *options)
{
	return (struct acquire_options){
	    .pins = options->pins,
	    .pin_count = options->pin_count,
	    .resolvers = options->resolvers,
	    .resolver_count = options->resolver_count,
	    .resolv_conf = "/etc/resolv.conf",
	    .stub_conf = "/run/systemd/resolve/resolv.conf",
	    .ask_system = true,
	    .family = options->family,
	    .proxies = proxy_plan_is_empty(&options->roads.plan)
			   ? NULL
			   : &options->roads.plan,
	    .proxy_ca_file = options->tls_ca,
	    .upstreams = options->roads.upstreams,
	    .upstream_count = options->roads.upstream_count,
	    .allow_private = options->roads.allow_private,
	    .private_hosts = options->roads.private_hosts,
	    .private_host_count = options->roads.private_host_count,
	    .timeout_ms = options->timeout_ms > 0 ? options->timeout_ms
						  : ACQUIRE_TIMEOUT_MS,
	};
}

int
options_check_url(const char *url, struct err *err)
{
	char *host = NULL;
	int port;
	bool good = fetch_split_url(url, &host, &port);

	free(host);
	return good ? 0
		    : err_set(err, REASON_USAGE,
			  "'%s' is no http:// or https:// URL", url);
}

int
options_check_command(const char *command, struct err *err)
{
	return command[strspn(command, " \t")] != '\0'
		   ? 0
		   : err_set(err, REASON_USAGE,
			 "'%s' is no command: give one, such as nginx",
			 command);
}

int
options_take_listen(struct options *o, const char *address, struct err *err)
{
	if (strcmp(address, "none") == 0) {
		o->listen_nowhere = true;
		o->listener_count = 0;
		return 0;
	}
	if (!listen_check(address, err))
		return -1;
	if (o->listener_count == LISTEN_MAX)
		return err_set(err, REASON_USAGE,
		    "more than %d addresses to listen at", LISTEN_MAX);
	o->listen_nowhere = false;
	o->listeners[o->listener_count++] =
	    (struct listen_spec){.address = address};
	return 0;
}

size_t
options_resolvers(
    const struct options *options, struct resolver out[RESOLVERS_MAX])
{
	size_t count =
	    resolver_read_conf("/etc/resolv.conf", out, RESOLVERS_MAX);

	return resolver_join(
	    out, count, options->resolvers, options->resolver_count);
}
