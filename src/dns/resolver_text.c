/* SPDX-License-Identifier: ISC */
/* dns/resolver_text.c -- resolvers as people write them: URLs, resolv.conf. */
#include "dns/resolver.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "base/text.h"

enum {
	DNS_PORT = 53,
	IP_TEXT_MAX = INET6_ADDRSTRLEN + IF_NAMESIZE, /* "fe80::1%eth0" */
};

/* Fill OUT with the UDP resolver at the address TEXT (LEN characters), which
 * may name an interface for a link-local one.  False if it is no address. */
static bool
from_address(const char *text, size_t len, int port, struct resolver *out)
{
	struct resolver r = {.kind = RESOLVER_UDP};
	struct sockaddr_in *v4 = (struct sockaddr_in *)&r.address;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&r.address;
	char address[IP_TEXT_MAX] = "";
	char canonical[INET6_ADDRSTRLEN] = "";
	char suffix[8] = "";
	char *zone;

	if (len >= sizeof(address))
		return false;
	memcpy(address, text, len);
	if (port != DNS_PORT)
		(void)snprintf(suffix, sizeof(suffix), ":%d", port);
	if (inet_pton(AF_INET, address, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons((uint16_t)port);
		(void)inet_ntop(
		    AF_INET, &v4->sin_addr, canonical, sizeof(canonical));
		(void)snprintf(
		    r.url, sizeof(r.url), "udp://%s%s", canonical, suffix);
		*out = r;
		return true;
	}
	zone = strchr(address, '%');
	if (zone != NULL) {
		*zone++ = '\0';
		/* The kernel knows "lo:x" as an alias of "lo". */
		if (strpbrk(zone, ":[]%/") != NULL)
			return false;
		v6->sin6_scope_id = if_nametoindex(zone);
		if (v6->sin6_scope_id == 0)
			return false;
	}
	if (inet_pton(AF_INET6, address, &v6->sin6_addr) != 1)
		return false;
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons((uint16_t)port);
	(void)inet_ntop(AF_INET6, &v6->sin6_addr, canonical, sizeof(canonical));
	(void)snprintf(r.url, sizeof(r.url), "udp://[%s%s%s]%s", canonical,
	    zone != NULL ? "%" : "", zone != NULL ? zone : "", suffix);
	*out = r;
	return true;
}

/* "IP", "IPv4:port", "[IPv6]", "[IPv6]:port". */
static bool
from_authority(const char *text, struct resolver *out)
{
	const char *address = text;
	const char *colon = strrchr(text, ':');
	size_t len = strlen(text);
	const char *rest;
	int64_t port = DNS_PORT;

	/* An IPv6 address without brackets has no port. */
	if (from_address(text, len, DNS_PORT, out))
		return true;
	if (*text == '[') {
		rest = strchr(text, ']');
		if (rest == NULL ||
		    memchr(text, ':', (size_t)(rest - text)) == NULL)
			return false; /* brackets are for IPv6 */
		address++;
		len = (size_t)(rest - address);
		rest++;
	} else {
		if (colon == NULL || strchr(text, ':') != colon)
			return false;
		len = (size_t)(colon - text);
		rest = colon;
	}
	if (*rest == ':' && !text_number(rest + 1, 1, 65535, &port))
		return false;
	if (*rest != ':' && *rest != '\0')
		return false;
	return from_address(address, len, (int)port, out);
}

int
resolver_parse(const char *url, struct resolver *out, struct err *err)
{
	static const char udp[] = "udp://";
	struct resolver r = {.kind = RESOLVER_SYSTEM, .url = "system"};
	const char *authority = url;

	if (strcmp(url, "system") == 0) {
		*out = r;
		return 0;
	}
	if (text_starts(url, "tcp://") || text_starts(url, "tls://") ||
	    text_starts(url, "https://"))
		return err_set(err, REASON_USAGE,
		    "the resolver '%.200s' cannot be asked: this version asks "
		    "udp://IP[:port] and system",
		    url);
	if (text_starts(url, udp))
		authority += sizeof(udp) - 1;
	if (!from_authority(authority, &r))
		return err_set(err, REASON_USAGE,
		    "'%.200s' is no resolver; write system, udp://IP[:port] "
		    "(an IPv6 address in brackets) or a plain IP",
		    url);
	*out = r;
	return 0;
}

static bool
is_known(const struct resolver *list, size_t count, const struct resolver *r)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(list[i].url, r->url) == 0)
			return true;
	}
	return false;
}

/* resolv.conf(5): "The keyword and value must appear on a single line, and the
 * keyword must start the line.  The value follows the keyword, separated by
 * white space." */
size_t
resolver_parse_conf(const char *text, struct resolver *out, size_t max)
{
	static const char keyword[] = "nameserver";
	size_t count = 0;

	while (*text != '\0' && count < max) {
		size_t line = strcspn(text, "\n");
		const char *value = text + sizeof(keyword) - 1;
		struct resolver r;

		if (text_starts(text, keyword) && strspn(value, " \t") > 0) {
			value += strspn(value, " \t");
			if (from_address(value, strcspn(value, " \t\r\n"),
				DNS_PORT, &r) &&
			    !is_known(out, count, &r))
				out[count++] = r;
		}
		text += line;
		text += *text == '\n' ? 1 : 0;
	}
	return count;
}

size_t
resolver_read_conf(const char *path, struct resolver *out, size_t max)
{
	uint8_t *text = NULL;
	size_t len = 0;
	size_t count;

	if (file_read(path, RESOLVER_CONF_MAX, &text, &len, NULL) != 0)
		return 0;
	count = resolver_parse_conf((const char *)text, out, max);
	free(text);
	return count;
}
