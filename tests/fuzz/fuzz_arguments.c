/* SPDX-License-Identifier: ISC */
/* fuzz_arguments.c -- the small parsers of what people type: pins, times,
 * addresses with ports. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "acquire/acquire.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/sockaddr.h"
#include "http/fetch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
try_time(const char *text)
{
	char again[CLOCK_TEXT];
	struct err err = {0};
	int64_t wall, same;

	if (clock_parse(text, &wall, &err) == -1) {
		assert(err.reason == REASON_USAGE);
		return;
	}
	(void)clock_rfc3339(wall, again);
	if (wall >= 0 && wall < INT64_C(253402300800)) /* year 10000 */
		assert(clock_parse(again, &same, NULL) == 0 && same == wall);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = mem_printf("%.*s", (int)size, (const char *)data);
	struct acquire_pin pin;
	struct sockaddr_storage address;
	struct err err = {0};
	char *host = NULL;
	int port = 0;

	if (acquire_pin_parse(text, &pin, &err) == 0) {
		assert(pin.host[0] != '\0');
		assert(sockaddr_make(pin.address, 1, &address));
	} else {
		assert(err.reason == REASON_USAGE);
	}
	try_time(text);
	(void)sockaddr_parse(text, &address);
	if (fetch_split_url(text, &host, &port)) {
		assert(host[0] != '\0');
		assert(port > 0 && port <= 65535);
	}
	free(host);
	free(text);
	return 0;
}
