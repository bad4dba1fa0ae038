/* SPDX-License-Identifier: ISC */
/* base/sockaddr.c -- addresses and ports as text, and back. */
#include "base/sockaddr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "base/text.h"

bool
sockaddr_make(const char *address, int port, struct sockaddr_storage *out)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};

	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, address, &v4.sin_addr) == 1) {
		v4.sin_port = htons((uint16_t)port);
		memcpy(out, &v4, sizeof(v4));
		return true;
	}
	if (inet_pton(AF_INET6, address, &v6.sin6_addr) == 1) {
		v6.sin6_port = htons((uint16_t)port);
		memcpy(out, &v6, sizeof(v6));
		return true;
	}
	return false;
}

static bool
parse(const char *text, int64_t lowest_port, struct sockaddr_storage *out)
{
	const char *colon = strrchr(text, ':');
	char address[INET6_ADDRSTRLEN + 2];
	int64_t port;
	size_t len;

	if (colon == NULL || (size_t)(colon - text) >= sizeof(address) ||
	    !text_number(colon + 1, lowest_port, 65535, &port))
		return false;
	len = (size_t)(colon - text);
	memcpy(address, text, len);
	address[len] = '\0';
	if (address[0] == '[' && len > 2 && address[len - 1] == ']') {
		address[len - 1] = '\0';
		return sockaddr_make(address + 1, (int)port, out);
	}
	return sockaddr_make(address, (int)port, out);
}

bool
sockaddr_parse(const char *text, struct sockaddr_storage *out)
{
	return parse(text, 1, out);
}

bool
sockaddr_parse_listen(const char *text, struct sockaddr_storage *out)
{
	return parse(text, 0, out);
}

enum reason
sockaddr_connect_reason(int error)
{
	switch (error) {
	case ECONNREFUSED:
		return REASON_CONNECT_REFUSED;
	case ETIMEDOUT:
		return REASON_CONNECT_TIMEOUT;
	case ECONNRESET:
	case ECONNABORTED:
	case EPIPE:
		return REASON_CONNECT_RESET;
	default:
		return REASON_UNREACHABLE;
	}
}
