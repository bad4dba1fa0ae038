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

/* What each character stands for; above 63: nothing. */
enum { NO_DIGIT = 64, BLANK = 65 };

static void
make_values(uint8_t values[256], bool lines)
{
	memset(values, NO_DIGIT, 256);
	for (uint8_t i = 0; i < 64; i++)
		values[(uint8_t)digits[i]] = i;
	if (lines)
		values['\r'] = values['\n'] = values[' '] = values['\t'] =
		    BLANK;
}

/* The last group, of COUNT digits in the upper bits of GROUP: its octets, and
 * no bits that no writer leaves. */
static bool
put_last(uint32_t group, size_t count, uint8_t **at)
{
	if (count == 0)
		return true;
	if (count == 1 || (count == 2 && (group & 0xffff) != 0) ||
	    (count == 3 && (group & 0xff) != 0))
		return false;
	*(*at)++ = (uint8_t)(group >> 16);
	if (count == 3)
		*(*at)++ = (uint8_t)(group >> 8 & 0xff);
	return true;
}

static bool
read_digits(
    const char *text, size_t len, bool lines, uint8_t **out, size_t *out_len)
{
	uint8_t *bytes = mem_array(len / 4 + 1, 3), *at = bytes;
	uint8_t values[256];
	uint32_t group = 0;
	size_t count = 0, padding = 0;

	make_values(values, lines);
	for (size_t i = 0; i < len; i++) {
		uint8_t value = values[(uint8_t)text[i]];

		if (value == BLANK)
			continue;
		if (text[i] == '=' && count >= 2 && count + padding < 4) {
			padding++;
			continue;
		}
		if (value == NO_DIGIT || padding > 0)
			goto bad;
		group |= (uint32_t)value << (18 - 6 * count);
		if (++count < 4)
			continue;
		*at++ = (uint8_t)(group >> 16);
		*at++ = (uint8_t)(group >> 8 & 0xff);
		*at++ = (uint8_t)(group & 0xff);
		group = 0;
		count = 0;
	}
	if ((count > 0 && count + padding != 4) || !put_last(group, count, &at))
		goto bad;
	*out = bytes;
	*out_len = (size_t)(at - bytes);
	return true;
bad:
	free(bytes);
	return false;
}

bool
base64_read(const char *text, size_t len, uint8_t **out, size_t *out_len)
{
	return read_digits(text, len, false, out, out_len);
}

bool
base64_read_lines(const char *text, size_t len, uint8_t **out, size_t *out_len)
{
	return read_digits(text, len, true, out, out_len);
}
