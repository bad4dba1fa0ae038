/* SPDX-License-Identifier: ISC */
/* pki/der.c -- a sticky cursor over strict DER (X.690, section 10). */
#include "pki/der.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

enum {
	TIME_MAX = 32,      /* octets of a GeneralizedTime */
	DEPTH_MAX = 32,     /* of what is nested */
	CONSTRUCTED = 0x20, /* in a tag */
	LONG_TAG = 0x1f,    /* the same: further octets follow */
};

static const struct span nothing = {NULL, 0};

struct der
der_over(struct span bytes, struct der_fault *fault)
{
	return (struct der){bytes.at, bytes.len, fault};
}

bool
der_ok(const struct der *der)
{
	return der->fault->why == NULL;
}

void
der_fail(struct der *der, const char *why)
{
	if (der->fault->why == NULL)
		der->fault->why = why;
}

bool
der_next_is(const struct der *der, unsigned tag)
{
	return der_ok(der) && der->left > 0 && der->at[0] == tag;
}

bool
der_at_end(const struct der *der)
{
	return !der_ok(der) || der->left == 0;
}

void
der_end(struct der *der, const char *what)
{
	if (!der_at_end(der)) {
		der->fault->trailing = true;
		der_fail(der, what);
	}
}

/* Read the length octets at *POS and move it behind them (X.690, 8.1.3 and
 * 10.1: definite form, in as few octets as can be). */
static bool
read_length(const struct der *der, size_t *pos, size_t *out)
{
	size_t count, length = 0;
	uint8_t first;

	if (*pos >= der->left)
		return false;
	first = der->at[(*pos)++];
	if (first < 0x80) {
		*out = first;
		return true;
	}
	count = first & 0x7f;
	if (count == 0 || count > 4 || count > der->left - *pos)
		return false;
	for (size_t i = 0; i < count; i++)
		length = length << 8 | der->at[(*pos)++];
	if (length < 0x80 || length >> (8 * (count - 1)) == 0)
		return false;
	*out = length;
	return true;
}

/* Take the next value: its content, and in WHOLE header and content. */
static struct span
take(struct der *der, unsigned tag, const char *what, struct span *whole)
{
	size_t pos = 1, length = 0;
	struct span content;

	*whole = nothing;
	if (!der_ok(der))
		return nothing;
	if (der->left == 0 || der->at[0] != tag ||
	    !read_length(der, &pos, &length) || length > der->left - pos) {
		der_fail(der, what);
		return nothing;
	}
	content = (struct span){der->at + pos, length};
	*whole = (struct span){der->at, pos + length};
	der->at += pos + length;
	der->left -= pos + length;
	return content;
}

struct span
der_content(struct der *der, unsigned tag, const char *what)
{
	struct span whole;

	return take(der, tag, what, &whole);
}

struct span
der_whole(struct der *der, unsigned tag, const char *what)
{
	struct span whole;

	(void)take(der, tag, what, &whole);
	return whole;
}

struct der
der_enter(struct der *der, unsigned tag, const char *what)
{
	return der_over(der_content(der, tag, what), der->fault);
}

/* All values within IN, DEPTH deep, have tags of one octet and lengths as they
 * should be. */
static void
look_within(struct der in, unsigned depth, const char *what)
{
	while (!der_at_end(&in)) {
		unsigned tag = in.at[0];
		struct span content = der_content(&in, tag, what);

		if ((tag & LONG_TAG) == LONG_TAG || depth == DEPTH_MAX)
			der_fail(&in, what);
		if ((tag & CONSTRUCTED) != 0)
			look_within(
			    der_over(content, in.fault), depth + 1, what);
	}
}

struct span
der_strict(struct der *der, unsigned tag, const char *what)
{
	struct span whole, content = take(der, tag, what, &whole);

	look_within(der_over(content, der->fault), 0, what);
	return der_ok(der) ? whole : nothing;
}

struct span
der_integer(struct der *der, const char *what)
{
	struct span c = der_content(der, DER_INTEGER, what);

	if (!der_ok(der))
		return nothing;
	/* X.690, 8.3.2: the first nine bits must not all be equal */
	if (c.len == 0 ||
	    (c.len > 1 && ((c.at[0] == 0x00 && c.at[1] < 0x80) ||
			      (c.at[0] == 0xff && c.at[1] >= 0x80)))) {
		der_fail(der, what);
		return nothing;
	}
	return c;
}

int
der_small(struct der *der, unsigned tag, const char *what)
{
	struct span c = der_content(der, tag, what);

	if (!der_ok(der))
		return 0;
	if (c.len != 1 || c.at[0] >= 0x80) {
		der_fail(der, what);
		return 0;
	}
	return c.at[0];
}

struct span
der_oid(struct der *der, const char *what)
{
	struct span c = der_content(der, DER_OID, what);
	bool first = true; /* of an arc */

	if (!der_ok(der))
		return nothing;
	/* X.690, 8.19.2: no arc begins with 0x80, the last octet ends one */
	for (size_t i = 0; i < c.len; i++) {
		if (first && c.at[i] == 0x80)
			der_fail(der, what);
		first = c.at[i] < 0x80;
	}
	if (c.len == 0 || !first)
		der_fail(der, what);
	return der_ok(der) ? c : nothing;
}

bool
der_boolean(struct der *der, const char *what)
{
	struct span c = der_content(der, DER_BOOLEAN, what);

	if (!der_ok(der))
		return false;
	/* X.690, 11.1: TRUE is 0xff */
	if (c.len != 1 || (c.at[0] != 0x00 && c.at[0] != 0xff)) {
		der_fail(der, what);
		return false;
	}
	return c.at[0] == 0xff;
}

struct span
der_bits(struct der *der, const char *what)
{
	struct span c = der_content(der, DER_BIT_STRING, what);

	if (!der_ok(der))
		return nothing;
	if (c.len == 0 || c.at[0] != 0) {
		der_fail(der, what);
		return nothing;
	}
	return (struct span){c.at + 1, c.len - 1};
}

/* "YYYYMMDDHHMMSSZ", or with ".d...d" before the Z that does not end in 0
 * (X.690, 11.7). */
static bool
is_time_shape(struct span c, struct der_fault *fault)
{
	const size_t plain = sizeof("YYYYMMDDHHMMSSZ") - 1;

	if (c.len < plain || c.len > TIME_MAX || c.at[c.len - 1] != 'Z')
		return false;
	if (c.len == plain)
		return true;
	if (c.at[plain - 1] != '.' || c.len == plain + 1 ||
	    c.at[c.len - 2] == '0')
		return false;
	for (size_t i = plain; i < c.len - 1; i++) {
		if (!isdigit(c.at[i]))
			return false;
	}
	fault->fractions = true;
	return true;
}

int64_t
der_time(struct der *der, const char *what)
{
	static const int widths[6] = {4, 2, 2, 2, 2, 2};
	struct span c = der_content(der, DER_GENERALIZED_TIME, what);
	int field[6] = {0};
	int64_t wall = 0;
	size_t pos = 0;

	if (!der_ok(der))
		return 0;
	if (!is_time_shape(c, der->fault)) {
		der_fail(der, what);
		return 0;
	}
	for (size_t f = 0; f < 6; f++) {
		for (int i = 0; i < widths[f]; i++, pos++) {
			if (!isdigit(c.at[pos])) {
				der_fail(der, what);
				return 0;
			}
			field[f] = field[f] * 10 + (c.at[pos] - '0');
		}
	}
	if (clock_civil(field[0], field[1], field[2], field[3], field[4],
		field[5], &wall) == -1) {
		der_fail(der, what);
		return 0;
	}
	return wall;
}
