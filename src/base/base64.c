/* SPDX-License-Identifier: ISC */
/* base/base64.c -- bytes as base64 and back. */
#include "base/base64.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static const char digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *
base64_write(const uint8_t *bytes, size_t len)
{
	char *out = mem_array((len + 2) / 3 + 1, 4);
	char *at = out;

	for (size_t i = 0; i < len; i += 3) {
		size_t left = len - i;
		uint32_t group = (uint32_t)bytes[i] << 16;

		if (left > 1)
			group |= (uint32_t)bytes[i + 1] << 8;
		if (left > 2)
			group |= bytes[i + 2];
		*at++ = digits[group >> 18];
		*at++ = digits[group >> 12 & 63];
		*at++ = left > 1 ? digits[group >> 6 & 63] : '=';
		*at++ = left > 2 ? digits[group & 63] : '=';
	}
	*at = '\0';
	return out;
}

bool
base64_read(const char *text, size_t len, uint8_t **out, size_t *out_len)
{
	uint8_t *bytes = mem_array(len / 4 + 1, 3);
	size_t padding = 0, n = 0;

	if (len % 4 != 0)
		goto bad;
	while (padding < 2 && padding < len && text[len - 1 - padding] == '=')
		padding++;
	for (size_t i = 0; i < len; i += 4) {
		size_t pad = i + 4 == len ? padding : 0;
		uint32_t group = 0;

		for (size_t k = 0; k < 4; k++) {
			char c = text[i + k];
			const char *digit =
			    c == '\0' ? NULL : strchr(digits, c);

			if (k >= 4 - pad)
				digit = digits;
			if (digit == NULL)
				goto bad;
			group = group << 6 | (uint32_t)(digit - digits);
		}
		if ((pad == 1 && (group & 0xff) != 0) ||
		    (pad == 2 && (group & 0xffff) != 0))
			goto bad;
		bytes[n++] = (uint8_t)(group >> 16);
		if (pad < 2)
			bytes[n++] = (uint8_t)(group >> 8 & 0xff);
		if (pad < 1)
			bytes[n++] = (uint8_t)(group & 0xff);
	}
	*out = bytes;
	*out_len = n;
	return true;
bad:
	free(bytes);
	return false;
}
