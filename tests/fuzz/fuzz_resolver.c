/* SPDX-License-Identifier: ISC */
/* fuzz_resolver.c -- resolvers as people and programs write them. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "dns/resolver.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = mem_printf("%.*s", (int)size, (const char *)data);
	struct resolver list[RESOLVERS_MAX];
	struct resolver one, again;
	struct err err = {0};
	size_t count = resolver_parse_conf(text, list, RESOLVERS_MAX);

	assert(count <= RESOLVERS_MAX);
	for (size_t i = 0; i < count; i++) {
		assert(resolver_parse(list[i].url, &one, &err) == 0);
		assert(strcmp(one.url, list[i].url) == 0);
	}
	if (resolver_parse(text, &one, &err) == 0) {
		/* canonical text is its own canonical text */
		assert(resolver_parse(one.url, &again, &err) == 0);
		assert(strcmp(one.url, again.url) == 0);
	} else {
		assert(err.reason == REASON_USAGE);
	}
	free(text);
	return 0;
}
