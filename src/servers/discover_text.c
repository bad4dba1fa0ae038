/* SPDX-License-Identifier: ISC */
/* servers/discover_text.c -- what ACME clients write of themselves, as facts.
 *
 * certbot's renewal files are ini files, acme.sh's and dehydrated's are shell
 * scripts of assignments.  Of all of them only lines "KEY = VALUE" matter
 * here, and nothing is run. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "servers/discover_part.h"

/* The value that begins at AT, up to the end of its line. */
static char *
read_value(const char *at)
{
	size_t len = strcspn(at, "\r\n");

	if (*at == '\'' || *at == '"') {
		size_t inner = strcspn(at + 1, *at == '"' ? "\"\r\n" : "'\r\n");

		if (at[1 + inner] == *at)
			return mem_printf("%.*s", (int)inner, at + 1);
	}
	/* a comment of the shell begins behind a blank */
	for (size_t i = 1; i < len; i++) {
		if (at[i] == '#' && (at[i - 1] == ' ' || at[i - 1] == '\t'))
			len = i;
	}
	while (len > 0 && (at[len - 1] == ' ' || at[len - 1] == '\t'))
		len--;
	return mem_printf("%.*s", (int)len, at);
}

/* Behind the '=' if the line at AT is about KEY, else NULL. */
static const char *
find_value(const char *at, const char *key)
{
	size_t len = strlen(key);

	at += strspn(at, " \t");
	if (text_starts(at, "export "))
		at += strlen("export ");
	if (strncmp(at, key, len) != 0)
		return NULL;
	at += len;
	at += strspn(at, " \t");
	if (*at != '=')
		return NULL;
	at++;
	return at + strspn(at, " \t");
}

char *
discover_setting(const char *text, const char *key)
{
	char *found = NULL;

	while (text != NULL) {
		const char *at = find_value(text, key);

		if (at != NULL) {
			free(found);
			found = read_value(at);
		}
		text = strchr(text, '\n');
		text = text == NULL ? NULL : text + 1;
	}
	return found;
}

/* How long the variable at AT, a '$', is if it is KEY; else 0. */
static size_t
variable_length(const char *at, const char *key)
{
	static const char name[] = "abcdefghijklmnopqrstuvwxyz"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
	size_t brace = at[1] == '{' ? 1 : 0;
	const char *begin = at + 1 + brace;
	size_t len = strspn(begin, name);

	if (len != strlen(key) || strncmp(begin, key, len) != 0 ||
	    (brace == 1 && begin[len] != '}'))
		return 0;
	return 1 + brace + len + brace;
}

char *
discover_expand(const char *value, const char *key, const char *with)
{
	struct buf out;

	buf_init(&out, PATH_MAX);
	while (*value != '\0') {
		size_t len = strcspn(value, "$");

		buf_add(&out, value, len);
		value += len;
		if (*value == '\0')
			break;
		len = variable_length(value, key);
		if (len == 0) {
			out.full = true; /* somebody else's variable */
			break;
		}
		buf_puts(&out, with);
		value += len;
	}
	if (out.full) {
		buf_done(&out);
		return NULL;
	}
	return out.len == 0 ? mem_string("") : buf_take(&out);
}

bool
discover_ends(const char *name, const char *end)
{
	size_t len = strlen(name), tail = strlen(end);

	return len > tail && strcmp(name + len - tail, end) == 0;
}
