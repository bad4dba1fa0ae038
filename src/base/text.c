/* SPDX-License-Identifier: ISC */
/* base/text.c -- bytes and text that grow to a named maximum, and hex. */
#include "base/text.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

bool
span_equal(struct span a, struct span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

void
buf_init(struct buf *buf, size_t max)
{
	*buf = (struct buf){.max = max};
}

void
buf_done(struct buf *buf)
{
	free(buf->text);
	*buf = (struct buf){.max = buf->max};
}

void
buf_add(struct buf *buf, const void *bytes, size_t len)
{
	if (len > buf->max - buf->len) {
		buf->full = true;
		len = buf->max - buf->len;
	}
	buf->text = mem_resize(buf->text, buf->len + len + 1, 1);
	if (len > 0)
		memcpy(buf->text + buf->len, bytes, len);
	buf->len += len;
	buf->text[buf->len] = '\0';
}

void
buf_puts(struct buf *buf, const char *text)
{
	buf_add(buf, text, strlen(text));
}

void
buf_printf(struct buf *buf, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vasprintf(&text, fmt, ap);
	va_end(ap);
	assert(len >= 0);
	buf_add(buf, text, (size_t)len);
	free(text);
}

const char *
buf_text(const struct buf *buf)
{
	return buf->text == NULL ? "" : buf->text;
}

char *
buf_take(struct buf *buf)
{
	char *text = buf->text == NULL ? mem_string("") : buf->text;

	*buf = (struct buf){.max = buf->max};
	return text;
}

char *
text_hex(const uint8_t *bytes, size_t len)
{
	static const char digit[] = "0123456789abcdef";
	char *out = mem_array(len * 2 + 1, 1);

	for (size_t i = 0; i < len; i++) {
		out[2 * i] = digit[bytes[i] >> 4];
		out[2 * i + 1] = digit[bytes[i] & 15];
	}
	return out;
}

bool
text_starts(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

char *
text_printable(const char *text)
{
	char *copy = mem_string(text);

	for (char *c = copy; *c != '\0'; c++) {
		if (iscntrl((unsigned char)*c))
			*c = '?';
	}
	return copy;
}

bool
text_number(const char *text, int64_t min, int64_t max, int64_t *out)
{
	char *end = NULL;
	intmax_t value;

	if (!isdigit((unsigned char)text[0]) && text[0] != '-')
		return false;
	errno = 0;
	value = strtoimax(text, &end, 10);
	if (errno != 0 || *end != '\0' || value < min || value > max)
		return false;
	*out = value;
	return true;
}
