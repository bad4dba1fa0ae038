/* SPDX-License-Identifier: ISC */
/* base/text.c -- bytes and text that grow to a named maximum, and hex. */
#include "base/text.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "base/mem.h"

enum {
	ROOM_MIN = 64,      /* octets of a buf that has any */
	ROOM_PRINTED = 256, /* what is longer is seldom */
};

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
	if (buf->len + len + 1 > buf->room) {
		/* doubled, so that many small pieces are not copied each time */
		buf->room = buf->len + len + 1;
		if (buf->room < 2 * buf->len)
			buf->room = 2 * buf->len;
		if (buf->room < ROOM_MIN)
			buf->room = ROOM_MIN;
		buf->text = mem_resize(buf->text, buf->room, 1);
	}
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
	char text[ROOM_PRINTED], *longer = NULL;
	va_list ap, again;
	int len;

	va_start(ap, fmt);
	va_copy(again, ap);
	len = vsnprintf(text, sizeof(text), fmt, ap);
	if (len >= (int)sizeof(text))
		len = vasprintf(&longer, fmt, again);
	va_end(again);
	va_end(ap);
	assert(len >= 0);
	buf_add(buf, longer == NULL ? text : longer, (size_t)len);
	free(longer);
}

void
buf_quoted(struct buf *buf, const char *text)
{
	char *clean = text_printable(text);

	buf_puts(buf, "\"");
	for (const char *at = clean; *at != '\0';) {
		size_t plain = strcspn(at, "\"\\");

		buf_add(buf, at, plain);
		at += plain;
		if (*at != '\0')
			buf_printf(buf, "\\%c", *at++);
	}
	buf_puts(buf, "\"");
	free(clean);
}

void
buf_html(struct buf *buf, const char *text)
{
	char *clean = text_printable(text);

	for (const char *c = clean; *c != '\0'; c++) {
		switch (*c) {
		case '&':
			buf_puts(buf, "&amp;");
			break;
		case '<':
			buf_puts(buf, "&lt;");
			break;
		case '>':
			buf_puts(buf, "&gt;");
			break;
		case '"':
			buf_puts(buf, "&quot;");
			break;
		case '\'':
			buf_puts(buf, "&#39;");
			break;
		default:
			buf_add(buf, c, 1);
			break;
		}
	}
	free(clean);
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

/* How many octets at AT, which is NUL-terminated, are one character that may
 * be shown; 0: none.  Well-formed UTF-8 is table 3-7 of the Unicode standard:
 * the second octet excludes overlong forms, surrogates and what is too high. */
static size_t
shown_length(const unsigned char *at)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t more;

	if (at[0] < 0x80)
		return at[0] >= ' ' && at[0] != 0x7f ? 1 : 0;
	if (at[0] < 0xc2 || at[0] > 0xf4)
		return 0;
	more = at[0] >= 0xf0 ? 3 : at[0] >= 0xe0 ? 2 : 1;
	if (at[0] == 0xc2 || at[0] == 0xe0) /* U+0080 to U+009F; overlong */
		low = 0xa0;
	else if (at[0] == 0xed)
		high = 0x9f;
	else if (at[0] == 0xf0)
		low = 0x90;
	else if (at[0] == 0xf4)
		high = 0x8f;
	if (at[1] < low || at[1] > high)
		return 0;
	for (size_t i = 2; i <= more; i++) {
		if (at[i] < 0x80 || at[i] > 0xbf)
			return 0;
	}
	return more + 1;
}

void
text_clean(char *text)
{
	for (char *c = text; *c != '\0';) {
		size_t len = shown_length((const unsigned char *)c);

		if (len == 0)
			*c = '?';
		c += len == 0 ? 1 : len;
	}
}

char *
text_printable(const char *text)
{
	char *copy = mem_string(text);

	text_clean(copy);
	return copy;
}

size_t
text_columns(const char *text)
{
	locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	locale_t before = utf8 == (locale_t)0 ? utf8 : uselocale(utf8);
	size_t columns = 0, len;
	mbstate_t state = {0};
	wchar_t c;

	for (const char *at = text; *at != '\0'; at += len) {
		int width;

		len = mbrtowc(&c, at, strlen(at), &state);
		if (len > strlen(at)) { /* no UTF-8, or no such locale */
			columns += strlen(at);
			break;
		}
		width = wcwidth(c);
		columns += width > 0 ? (size_t)width : 0;
	}
	if (utf8 != (locale_t)0) {
		(void)uselocale(before);
		freelocale(utf8);
	}
	return columns;
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
