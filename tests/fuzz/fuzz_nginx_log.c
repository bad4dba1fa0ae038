/* SPDX-License-Identifier: ISC */
/* fuzz_nginx_log.c -- any error log: what is had of it is printable, bounded,
 * and an address is an address. */
#include <arpa/inet.h>
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "servers/nginx_log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct nginx_log_entry entries[NGINX_LOG_ENTRIES_MAX];
	size_t count = nginx_log_entries((struct span){data, size}, entries);

	assert(count <= NGINX_LOG_ENTRIES_MAX);
	for (size_t i = 0; i < count; i++) {
		const struct nginx_log_entry *e = &entries[i];
		struct in6_addr octets;

		assert(e->responder[0] != '\0');
		assert(strlen(e->when) == sizeof(e->when) - 1);
		for (const char *c = e->message; *c != '\0'; c++)
			assert((unsigned char)*c >= ' ' && *c != 0x7f);
		assert((e->peer[0] == '\0') == (e->port == 0));
		assert(e->peer[0] == '\0' ||
		       inet_pton(AF_INET, e->peer, &octets) == 1 ||
		       inet_pton(AF_INET6, e->peer, &octets) == 1);
		for (size_t k = 0; k < i; k++)
			assert(strcmp(entries[k].peer, e->peer) != 0 ||
			       strcmp(entries[k].responder, e->responder) != 0);
	}
	return 0;
}
