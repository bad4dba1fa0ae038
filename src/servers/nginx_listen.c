/* SPDX-License-Identifier: ISC */
/* servers/nginx_listen.c -- one `listen` directive as facts.
 *
 * Forms: PORT, ADDRESS, ADDRESS:PORT, [V6], [V6]:PORT, unix:PATH, and a range
 * of ports, FIRST-LAST, since nginx 1.15.10. */
#include "servers/nginx_listen.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

/* Split "80", "1.2.3.4", "[::1]:443" into host (owned) and port; the port of a
 * range is its first.  False for what is no address: a name, a typing error. */
static bool
split_address(const char *text, char **host, int64_t *port)
{
	const char *end = text[0] == '[' ? strchr(text, ']') : NULL;
	const char *colon = strchr(end == NULL ? text : end, ':');
	bool bare = strspn(text, "0123456789-") == strlen(text);
	const char *digits = bare ? text : colon == NULL ? "80" : colon + 1;
	char *copy = mem_string(digits);
	bool good;

	copy[strcspn(copy, "-")] = '\0';
	good = text_number(copy, 1, 65535, port) &&
	       (text[0] != '[' || end != NULL);
	free(copy);
	if (!good)
		return false;
	if (bare)
		*host = mem_string("*");
	else if (colon != NULL)
		*host = mem_printf("%.*s", (int)(colon - text), text);
	else
		*host = mem_string(text);
	return true;
}

/* HOST as an address that a client can connect to, or NULL. */
static char *
reachable_host(const char *host)
{
	struct in6_addr address;
	char *inner = NULL;
	size_t len = strlen(host);
	bool v6;

	if (strcmp(host, "*") == 0 || strcmp(host, "0.0.0.0") == 0 ||
	    strcmp(host, "localhost") == 0)
		return mem_string("127.0.0.1");
	if (inet_pton(AF_INET, host, &address) == 1)
		return mem_string(host);
	if (len < 2 || host[0] != '[')
		return NULL;
	inner = mem_printf("%.*s", (int)(len - 2), host + 1);
	v6 = inet_pton(AF_INET6, inner, &address) == 1;
	free(inner);
	if (!v6)
		return NULL;
	return mem_string(IN6_IS_ADDR_UNSPECIFIED(&address) ? "[::1]" : host);
}

struct nginx_listen
nginx_listen_read(const struct nginx_directive *directive)
{
	struct nginx_listen listen = {.tcp = true};
	char *host = NULL, *connect = NULL;
	int64_t port = 0;

	for (size_t i = 1; i < directive->arg_count; i++) {
		if (strcmp(directive->args[i], "ssl") == 0)
			listen.ssl = true;
		else if (strcmp(directive->args[i], "proxy_protocol") == 0)
			listen.proxy = true;
		else if (strcmp(directive->args[i], "default_server") == 0 ||
			 strcmp(directive->args[i], "default") == 0)
			listen.chosen = true;
		else if (strcmp(directive->args[i], "quic") == 0 ||
			 strcmp(directive->args[i], "udp") == 0)
			listen.tcp = false;
	}
	if (text_starts(directive->args[0], "unix:") ||
	    !split_address(directive->args[0], &host, &port)) {
		listen.tcp = false;
		return listen;
	}
	listen.address = mem_printf("%s:%lld",
	    strcmp(host, "0.0.0.0") == 0 ? "*" : host, (long long)port);
	connect = reachable_host(host);
	if (connect != NULL)
		listen.reachable =
		    mem_printf("%s:%lld", connect, (long long)port);
	free(connect);
	free(host);
	return listen;
}

void
nginx_listen_done(struct nginx_listen *listen)
{
	free(listen->address);
	free(listen->reachable);
}
