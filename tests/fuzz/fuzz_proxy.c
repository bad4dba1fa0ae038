/* SPDX-License-Identifier: ISC */
/* fuzz_proxy.c -- proxies and no_proxy lists, as the environment has them: the
 * list and the host after the first and second NUL. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "http/proxy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = mem_array(size + 3, 1); /* ends in three NULs */
	const char *list, *host;
	struct proxy one, again;
	struct err err = {0};

	memcpy(text, data, size);
	list = text + strlen(text) + 1;
	host = list > text + size ? list : list + strlen(list) + 1;
	if (host > text + size + 2)
		host = text + size;
	if (proxy_parse(text, true, &one, &err) == 0) {
		/* what is shown is a proxy again, and has no credentials */
		assert(proxy_parse(one.url, false, &again, &err) == 0);
		assert(strcmp(one.url, again.url) == 0);
		assert(again.user[0] == '\0' && again.password[0] == '\0');
	} else {
		assert(err.reason == REASON_USAGE);
	}
	(void)proxy_list_has(list, host);
	free(text);
	return 0;
}
