/* SPDX-License-Identifier: ISC */
/* face/config_value.c -- what one value of the configuration means. */
#include "face/config_value.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/text.h"

enum { DIGITS_MAX = 12, PARTS_MAX = 5, NEAR_MAX = 3 };

static const struct unit {
	const char *name;
	int64_t seconds;
} units[] = {
    {"w", 7 * CLOCK_DAY},
    {"d", CLOCK_DAY},
    {"h", CLOCK_HOUR},
    {"min", CLOCK_MINUTE},
    {"m", CLOCK_MINUTE},
    {"s", 1},
};

enum { UNITS = sizeof(units) / sizeof(units[0]) };

static const char *
skip_blanks(const char *at)
{
	return at + strspn(at, " \t");
}

/* The unit at *AT, which is moved behind it; NULL: none of ours. */
static const struct unit *
read_unit(const char **at)
{
	size_t len = strspn(*at, "abcdefghijklmnopqrstuvwxyz");

	for (size_t i = 0; i < UNITS; i++) {
		if (strlen(units[i].name) == len &&
		    strncmp(units[i].name, *at, len) == 0) {
			*at += len;
			return &units[i];
		}
	}
	return NULL;
}

/* The number at *AT, which is moved behind it. */
static bool
read_number(const char **at, int64_t *out)
{
	size_t len = strspn(*at, "0123456789");
	char digits[DIGITS_MAX + 1] = "";

	if (len == 0 || len > DIGITS_MAX)
		return false;
	memcpy(digits, *at, len);
	*at += len;
	/* no unit makes more than 2^20 of one: it stays below 2^63 */
	return text_number(digits, 0, INT64_C(999999999999), out);
}

bool
config_duration(const char *text, int64_t min, int64_t max, int64_t *out)
{
	const char *at = skip_blanks(text);
	int64_t sum = 0, number = 0;
	int parts = 0;

	do {
		const struct unit *unit;

		if (parts++ == PARTS_MAX || !read_number(&at, &number))
			return false;
		at = skip_blanks(at);
		if (*at == '\0' && parts == 1) {
			sum = number;
			break;
		}
		unit = read_unit(&at);
		if (unit == NULL)
			return false;
		sum += number * unit->seconds;
		at = skip_blanks(at);
	} while (*at != '\0');
	if (sum < min || sum > max)
		return false;
	*out = sum;
	return true;
}

/* SECONDS in the largest unit that divides it. */
static void
write_span(int64_t seconds, char out[CONFIG_RANGE / 2])
{
	for (size_t i = 0; i < UNITS; i++) {
		if (seconds >= units[i].seconds &&
		    seconds % units[i].seconds == 0) {
			(void)snprintf(out, CONFIG_RANGE / 2, "%lld %s",
			    (long long)(seconds / units[i].seconds),
			    units[i].name);
			return;
		}
	}
	(void)snprintf(out, CONFIG_RANGE / 2, "0 s");
}

const char *
config_duration_range(int64_t min, int64_t max, char out[CONFIG_RANGE])
{
	char from[CONFIG_RANGE / 2], to[CONFIG_RANGE / 2];

	write_span(min, from);
	write_span(max, to);
	(void)snprintf(out, CONFIG_RANGE, "from %.30s to %.30s", from, to);
	return out;
}

bool
config_bool(const char *text, bool *out)
{
	static const char *const words[][2] = {
	    {"false", "true"}, {"no", "yes"}, {"off", "on"}};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		for (int value = 0; value < 2; value++) {
			if (strcasecmp(text, words[i][value]) == 0) {
				*out = value == 1;
				return true;
			}
		}
	}
	return false;
}

/* --- what may have been meant --- */

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Optimal string alignment, three rows of the matrix at a time. */
size_t
config_distance(const char *a, const char *b)
{
	size_t rows[3][CONFIG_WORD_MAX + 1];
	size_t a_len = strlen(a), b_len = strlen(b);

	if (a_len >= CONFIG_WORD_MAX || b_len >= CONFIG_WORD_MAX)
		return CONFIG_WORD_MAX;
	for (size_t j = 0; j <= b_len; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		const size_t *before = rows[(i - 1) % 3];
		const size_t *twice = rows[(i + 1) % 3];
		size_t *row = rows[i % 3];

		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			row[j] = before[j - 1] + (a[i - 1] != b[j - 1]);
			row[j] = least(row[j], before[j] + 1);
			row[j] = least(row[j], row[j - 1] + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1])
				row[j] = least(row[j], twice[j - 2] + 1);
		}
	}
	return rows[a_len % 3][b_len];
}

bool
config_is_near(const char *typed, const char *name)
{
	size_t shorter = least(strlen(typed), strlen(name));
	size_t far = config_distance(typed, name);

	return far < shorter && far <= least(1 + shorter / 4, NEAR_MAX);
}
