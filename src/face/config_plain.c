/* SPDX-License-Identifier: ISC */
/* face/config_plain.c -- a configuration's text without its comments. */
#include "face/config_plain.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/text.h"

static const char open_comment[] =
    "a comment is not closed: its '*/' is missing";
static const char open_string[] =
    "a string is not closed: its second quote is missing";
static const char bad_escape[] =
    "'\\' in a string: for a backslash itself give two";
static const char variable[] =
    "'${': variables of the environment are not put in; for these two signs "
    "themselves give \"\\${\"";

/* IN_WORD: "http://" is none. */
static bool
is_comment(const char *at, bool in_word)
{
	return *at == '#' ||
	       (!in_word && (text_starts(at, "//") || text_starts(at, "/*")));
}

/* Behind the comment at AT; NULL if it is not closed. */
static char *
comment_end(char *at)
{
	char *end;

	if (!text_starts(at, "/*"))
		return at + strcspn(at, "\n");
	end = strstr(at + 2, "*/");
	return end == NULL ? NULL : end + 2;
}

/* Behind the string at AT; NULL if it does not end in its line. */
static char *
string_end(char *at)
{
	char quote = *at++;

	for (; *at != quote; at++) {
		if (*at == '\\')
			at++;
		if (*at == '\0' || *at == '\n')
			return NULL;
	}
	return at + 1;
}

/* What libConfuse would make of the string from AT to END is something else
 * than what stands there: NULL, or why. */
static const char *
string_fault(const char *at, const char *end)
{
	if (*at == '\'')
		return NULL;
	for (; at < end; at++) {
		if (text_starts(at, "${"))
			return variable;
		if (*at == '\\' && strchr("\\\"$", *++at) == NULL)
			return bad_escape;
	}
	return NULL;
}

/* How many lines end from AT to END, which becomes blank. */
static int
blank(char *at, const char *end)
{
	int lines = 0;

	for (; at < end; at++) {
		if (*at == '\n')
			lines++;
		else
			*at = ' ';
	}
	return lines;
}

const char *
config_plain(char *text, int *line)
{
	bool in_word = false;
	char *end;

	*line = 1;
	for (char *at = text; *at != '\0'; at = end) {
		if (is_comment(at, in_word)) {
			end = comment_end(at);
			if (end == NULL)
				return open_comment;
			*line += blank(at, end);
			in_word = false;
		} else if (*at == '"' || *at == '\'') {
			const char *fault;

			end = string_end(at);
			fault =
			    end == NULL ? open_string : string_fault(at, end);
			if (fault != NULL)
				return fault;
			in_word = false;
		} else if (text_starts(at, "${")) {
			return variable;
		} else {
			*line += *at == '\n';
			in_word = strchr(" \t\r\n={}()+,*", *at) == NULL;
			end = at + 1;
		}
	}
	return NULL;
}
