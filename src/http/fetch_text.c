/* SPDX-License-Identifier: ISC */
/* http/fetch_text.c -- the words of HTTP: URLs and values of headers.
 *
 * Pure.  URLs are read by libcurl's own parser, so that what is judged here is
 * what is fetched afterwards. */
#include "http/fetch.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/mem.h"

enum {
	VALUE_MAX = 4096,  /* octets of a header's value looked at */
	YEAR_CENTURY = 50, /* years ahead that two digits may mean */
};

/* RFC 9111, section 1.2.2: what is larger than can be represented counts as
 * 2147483648 or the greatest that can. */
static const int64_t seconds_max = 2147483648;

/* A URL as almost all certificates have it, taken apart without libcurl, which
 * takes forty times as long: nothing before the host or odd behind it, and the
 * host no number in any writing.  False: it is for libcurl to judge. */
static bool
split_simply(const char *url, char **host, int *port)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	bool tls = text_starts(url, "https://");
	const char *name = url + (tls ? 8 : 7);
	const char *last, *at;
	size_t len, digits = 0;
	int number = tls ? 443 : 80;

	if (!tls && !text_starts(url, "http://"))
		return false;
	len = strspn(name, "abcdefghijklmnopqrstuvwxyz"
			   "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.");
	last = len == 0 ? NULL : memrchr(name, '.', len);
	last = last == NULL ? name : last + 1;
	at = name + len;
	if (len == 0 || strspn(last, letters) == 0)
		return false;
	if (*at == ':') {
		digits = strspn(++at, "0123456789");
		if (digits == 0 || digits > 5 || *at == '0')
			return false;
		number = 0;
		while (digits-- > 0)
			number = number * 10 + (*at++ - '0');
		if (number > UINT16_MAX)
			return false;
	}
	if (*at != '/')
		return false;
	for (; *at != '\0'; at++) {
		if (*at <= ' ' || *at > '~')
			return false;
	}
	*host = mem_printf("%.*s", (int)len, name);
	*port = number;
	return true;
}

bool
fetch_split_url(const char *url, char **host, int *port)
{
	CURLU *parts = NULL;
	char *scheme = NULL;
	char *name = NULL;
	char *number = NULL;
	int64_t port_read;
	size_t len;
	bool good = false;

	if (strnlen(url, FETCH_URL_MAX) == FETCH_URL_MAX)
		return false;
	if (split_simply(url, host, port))
		return true;
	parts = curl_url();
	/* A certificate has no business in naming a user and a password. */
	if (parts == NULL ||
	    curl_url_set(parts, CURLUPART_URL, url, CURLU_DISALLOW_USER) !=
		CURLUE_OK ||
	    curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
	    curl_url_get(parts, CURLUPART_HOST, &name, 0) != CURLUE_OK ||
	    curl_url_get(parts, CURLUPART_PORT, &number, CURLU_DEFAULT_PORT) !=
		CURLUE_OK)
		goto out;
	if (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0)
		goto out;
	if (!text_number(number, 1, 65535, &port_read) || *name == '\0')
		goto out;
	len = strlen(name);
	if (name[0] == '[' && name[len - 1] == ']')
		*host = mem_printf("%.*s", (int)len - 2, name + 1);
	else
		*host = mem_string(name);
	*port = (int)port_read;
	good = true;
out:
	curl_free(scheme);
	curl_free(name);
	curl_free(number);
	curl_url_cleanup(parts);
	return good;
}

/* Read the decimal digits at *AT, at least one, and step over them; values
 * too large become seconds_max. */
static bool
read_digits(const char **at, int64_t *out)
{
	const char *c = *at;
	int64_t value = 0;

	if (*c < '0' || *c > '9')
		return false;
	for (; *c >= '0' && *c <= '9'; c++) {
		if (value < seconds_max)
			value = value * 10 + (*c - '0');
	}
	*out = value < seconds_max ? value : seconds_max;
	*at = c;
	return true;
}

static const char *
skip_blanks(const char *c)
{
	return c + strspn(c, " \t");
}

/* The end of the list element at C: its comma, or the final NUL.  A comma in
 * a quoted string is none. */
static const char *
element_end(const char *c)
{
	bool quoted = false;

	for (; *c != '\0' && (quoted || *c != ','); c++) {
		if (*c == '"')
			quoted = !quoted;
		else if (quoted && *c == '\\' && c[1] != '\0')
			c++;
	}
	return c;
}

/* The seconds of a max-age directive at C that ends at END, or -1. */
static int64_t
directive_max_age(const char *c, const char *end)
{
	static const char name[] = "max-age";
	int64_t value;
	bool quoted;

	if (strncasecmp(c, name, sizeof(name) - 1) != 0)
		return -1;
	c = skip_blanks(c + sizeof(name) - 1);
	if (*c != '=')
		return -1;
	c = skip_blanks(c + 1);
	/* RFC 9111, section 5.2: recipients ought to accept both forms */
	quoted = *c == '"';
	if (quoted)
		c++;
	if (!read_digits(&c, &value))
		return -1;
	if (quoted && *c++ != '"')
		return -1;
	return skip_blanks(c) == end && value > 0 ? value : -1;
}

int64_t
fetch_max_age(const char *cache_control)
{
	const char *c = cache_control;

	if (strnlen(c, VALUE_MAX) == VALUE_MAX)
		return -1;
	for (;;) {
		const char *end;
		int64_t seconds;

		c = skip_blanks(c);
		end = element_end(c);
		seconds = directive_max_age(c, end);
		if (seconds >= 0)
			return seconds;
		if (*end == '\0')
			return -1;
		c = end + 1;
	}
}

static int
month_number(const char *name)
{
	static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May",
	    "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

	for (int i = 0; i < 12; i++) {
		if (strcmp(months[i], name) == 0)
			return i + 1;
	}
	return 0;
}

/* RFC 9110, section 5.6.7: "A recipient that parses a timestamp value in an
 * HTTP field MUST accept all three HTTP-date formats." */
bool
fetch_date(const char *text, int64_t now, int64_t *out)
{
	char month[4] = "";
	int year, day, hour, minute, second;
	int end = 0;
	bool whole = false;

	if (sscanf(text, "%*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d GMT%n",
		&day, month, &year, &hour, &minute, &second, &end) == 6)
		whole = end > 0;
	else if (sscanf(text,
		     "%*[A-Za-z], %2d-%3[A-Za-z]-%2d %2d:%2d:%2d GMT%n", &day,
		     month, &year, &hour, &minute, &second, &end) == 6) {
		/* "more than 50 years in the future ... the most recent year
		 * in the past that had the same last two digits" */
		int64_t this_year =
		    1970 + now / (int64_t)(365.2425 * CLOCK_DAY);
		int64_t full = this_year - this_year % 100 + year;

		if (full > this_year + YEAR_CENTURY)
			full -= 100;
		year = (int)full;
		whole = end > 0;
	} else if (sscanf(text, "%*3[A-Za-z] %3[A-Za-z] %2d %2d:%2d:%2d %4d%n",
		       month, &day, &hour, &minute, &second, &year, &end) == 6)
		whole = end > 0;
	if (!whole || *skip_blanks(text + end) != '\0')
		return false;
	return clock_civil(year, month_number(month), day, hour, minute, second,
		   out) == 0;
}

int64_t
fetch_retry_after(const char *value, int64_t now)
{
	const char *c;
	int64_t seconds;
	int64_t when;

	if (strnlen(value, VALUE_MAX) == VALUE_MAX)
		return -1;
	value = skip_blanks(value);
	c = value;
	if (read_digits(&c, &seconds))
		return *skip_blanks(c) == '\0' ? seconds : -1;
	if (!fetch_date(value, now, &when))
		return -1;
	if (when <= now)
		return 0;
	return when - now < seconds_max ? when - now : seconds_max;
}
