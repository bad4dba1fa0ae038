/* SPDX-License-Identifier: ISC */
/* fuzz_head.c -- heads of HTTP answers, line by line, and URLs. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "http/fetch.h"
#include "http/head.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
read_lines(const char *text, size_t size)
{
	struct head head;

	head_init(&head);
	while (size > 0) {
		const char *end = memchr(text, '\n', size);
		size_t len = end != NULL ? (size_t)(end - text) + 1 : size;
		char *line = mem_copy(text, len); /* of exact size */

		(void)head_line(&head, line, len, FETCH_BODY_MAX, 1795428000);
		free(line);
		text += len;
		size -= len;
	}
	assert(strlen(head.content_type) < sizeof(head.content_type));
	assert(strlen(head.location) < sizeof(head.location));
	assert(head.max_age_s == -1 || head.max_age_s > 0);
	assert(head.retry_after_s >= -1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = mem_printf("%.*s", (int)size, (const char *)data);
	char *host = NULL;
	int port;

	read_lines((const char *)data, size);
	(void)fetch_max_age(text);
	(void)fetch_retry_after(text, 1795428000);
	if (fetch_split_url(text, &host, &port)) {
		assert(*host != '\0' && port > 0 && port < 65536);
		free(host);
	}
	free(text);
	return 0;
}
