/* SPDX-License-Identifier: ISC */
/* fuzz_discover.c -- the configurations of ACME clients. */
#include <assert.h>
#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "servers/discover_part.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = mem_array(size + 1, 1);
	char *value, *folder;

	memcpy(text, data, size);
	value = discover_setting(text, "CERTDIR");
	if (value != NULL) {
		assert(strchr(value, '\n') == NULL);
		assert(strlen(value) <= size);
		folder = discover_expand(value, "BASEDIR", "/srv");
		if (folder != NULL) {
			assert(strlen(folder) <= PATH_MAX);
			assert(strchr(folder, '$') == NULL);
		}
		free(folder);
	}
	free(value);
	free(text);
	return 0;
}
