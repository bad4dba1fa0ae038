/* SPDX-License-Identifier: ISC */
/* fuzz_courier.c -- bundles that a carrier may have changed. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "acquire/courier.h"
#include "base/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct courier_bundle bundle = {0}, again = {0};
	struct err err = {0};
	char *text;

	if (courier_parse((const char *)data, size, &bundle, &err) == -1) {
		assert(err.reason == REASON_USAGE && err.text[0] != '\0');
		assert(bundle.count == 0 && bundle.items == NULL);
		return 0;
	}
	/* what was taken can be written, and is the same when it comes back */
	assert(bundle.count <= COURIER_ITEMS_MAX);
	text = courier_write(&bundle);
	assert(text != NULL);
	assert(courier_parse(text, strlen(text), &again, NULL) == 0);
	assert(again.count == bundle.count);
	assert(again.answers == bundle.answers);
	for (size_t i = 0; i < bundle.count; i++) {
		assert(again.items[i].url_count == bundle.items[i].url_count);
		assert(
		    again.items[i].request_len == bundle.items[i].request_len);
		assert(again.items[i].response_len ==
		       bundle.items[i].response_len);
	}
	free(text);
	courier_done(&bundle);
	courier_done(&again);
	return 0;
}
