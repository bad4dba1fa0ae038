/* SPDX-License-Identifier: ISC */
/* servers/nginx_lua.c -- where a block of Lua in nginx's configuration ends.
 *
 * Lua 5.1, section 2.1: strings are "..." and '...' with escapes, and [[...]],
 * [=[...]=]; comments are --... to the end of the line, and --[[...]].  Every
 * function takes an offset and returns one behind what it skips. */
#include "servers/nginx_lua.h"

#include <string.h>

static size_t
skip_string(const char *text, size_t len, size_t at)
{
	char quote = text[at++];

	while (at < len && text[at] != quote)
		at += text[at] == '\\' && at + 1 < len ? 2 : 1;
	return at < len ? at + 1 : len;
}

static size_t
skip_line(const char *text, size_t len, size_t at)
{
	const char *end = memchr(text + at, '\n', len - at);

	return end == NULL ? len : (size_t)(end - text);
}

/* How many '=' stand at AT. */
static size_t
level(const char *text, size_t len, size_t at)
{
	size_t start = at;

	while (at < len && text[at] == '=')
		at++;
	return at - start;
}

/* At '[': behind the long bracket that it opens, or AT if it opens none. */
static size_t
skip_long(const char *text, size_t len, size_t at)
{
	size_t opened = level(text, len, at + 1);
	size_t pos = at + 1 + opened;

	if (pos >= len || text[pos] != '[')
		return at;
	for (pos++; pos < len; pos++) {
		size_t closed;

		if (text[pos] != ']')
			continue;
		closed = level(text, len, pos + 1);
		if (closed == opened && pos + 1 + closed < len &&
		    text[pos + 1 + closed] == ']')
			return pos + 2 + closed;
		pos += closed; /* the next may be a ']' that counts */
	}
	return len;
}

/* At "--". */
static size_t
skip_comment(const char *text, size_t len, size_t at)
{
	size_t end;

	at += 2;
	if (at < len && text[at] == '[') {
		end = skip_long(text, len, at);
		if (end != at)
			return end;
	}
	return skip_line(text, len, at);
}

bool
nginx_lua_end(const char *text, size_t len, size_t at, size_t *end)
{
	size_t open = 1;
	size_t next;

	for (; at < len; at = next) {
		next = at + 1;
		switch (text[at]) {
		case '{':
			open++;
			break;
		case '}':
			if (--open == 0) {
				*end = next;
				return true;
			}
			break;
		case '"':
		case '\'':
			next = skip_string(text, len, at);
			break;
		case '-':
			if (next < len && text[next] == '-')
				next = skip_comment(text, len, at);
			break;
		case '[':
			next = skip_long(text, len, at);
			if (next == at)
				next++;
			break;
		default:
			break;
		}
	}
	return false;
}
