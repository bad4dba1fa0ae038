/* SPDX-License-Identifier: ISC */
/* http/head.c -- the head of an HTTP answer: what its lines say to us. */
#include "http/head.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "http/fetch.h"

void
head_init(struct head *head)
{
	*head = (struct head){.max_age_s = -1, .retry_after_s = -1};
}

/* The value of the header NAME if LINE is one; false otherwise. */
static bool
header_value(
    const char *line, size_t len, const char *name, char out[HEAD_VALUE_TEXT])
{
	size_t start = strlen(name);
	size_t used = 0;

	if (len <= start || line[start] != ':' ||
	    strncasecmp(line, name, start) != 0)
		return false;
	start++;
	while (start < len && isspace((unsigned char)line[start]))
		start++;
	while (len > start && isspace((unsigned char)line[len - 1]))
		len--;
	while (start < len && line[start] != '\0' && used + 1 < HEAD_VALUE_TEXT)
		out[used++] = line[start++];
	out[used] = '\0';
	return true;
}

/* "Application/OCSP-Response; x=y" is "application/ocsp-response". */
static void
take_content_type(struct head *head, const char *value)
{
	size_t len = strcspn(value, "; \t");

	if (len >= sizeof(head->content_type))
		len = sizeof(head->content_type) - 1;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)value[i];

		head->content_type[i] = (char)(isgraph(c) ? tolower(c) : '?');
	}
	head->content_type[len] = '\0';
}

/* A value that is no number at all is left to libcurl's judgement. */
static bool
is_larger(const char *value, int64_t max)
{
	size_t digits = strspn(value, "0123456789");
	int64_t length;

	return digits > 0 && value[digits] == '\0' &&
	       !text_number(value, 0, max, &length);
}

bool
head_line(struct head *head, const char *line, size_t len, int64_t length_max,
    int64_t now)
{
	char value[HEAD_VALUE_TEXT];

	if (len == 0 || line[0] == '\r' || line[0] == '\n')
		return true;
	if (len > 5 && strncmp(line, "HTTP/", 5) == 0)
		head_init(head);
	else if (header_value(line, len, "Content-Type", value))
		take_content_type(head, value);
	else if (header_value(line, len, "Location", value))
		(void)snprintf(head->location, sizeof(head->location), "%.*s",
		    HEAD_LOCATION_TEXT - 1, value);
	else if (header_value(line, len, "Retry-After", value))
		head->retry_after_s = fetch_retry_after(value, now);
	else if (header_value(line, len, "Date", value)) {
		int64_t date = fetch_retry_after(value, 0);

		/* a bare number is no date */
		if (date > 0 && strchr(value, ':') != NULL)
			head->date = date;
	} else if (header_value(line, len, "Content-Length", value))
		head->oversize |= is_larger(value, length_max);
	else if (header_value(line, len, "Cache-Control", value)) {
		/* The field may come more than once, as one list. */
		if (head->max_age_s < 0)
			head->max_age_s = fetch_max_age(value);
	}
	return false;
}
