/* SPDX-License-Identifier: ISC */
/* base/text.h -- bytes and text that grow to a named maximum, and hex. */
#ifndef OCLASP_BASE_TEXT_H
#define OCLASP_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes owned by somebody else, who must outlive it. */
struct span {
	const uint8_t *at;
	size_t len;
};

/* True if both hold the same bytes. */
bool span_equal(struct span a, struct span b);

/* Bytes that grow up to `max`.  What does not fit is dropped and `full` is
 * set, so that a writer tests once at the end.  Always NUL-terminated, so
 * text can be read in place. */
struct buf {
	char *text; /* owned; NULL until the first byte */
	size_t len;
	size_t max;
	size_t room; /* octets that TEXT has */
	bool full;
};

void buf_init(struct buf *buf, size_t max);
void buf_done(struct buf *buf);
void buf_add(struct buf *buf, const void *bytes, size_t len);
void buf_puts(struct buf *buf, const char *text);
__attribute__((format(printf, 2, 3))) void buf_printf(
    struct buf *buf, const char *fmt, ...);

/* TEXT, cleaned (text_clean), in double quotes, with \\ before each of its own
 * quotes and backslashes: a string of JSON (RFC 8259, section 7), and a label's
 * value of Prometheus. */
void buf_quoted(struct buf *buf, const char *text);

/* TEXT, cleaned, with what HTML and XML would read as their own put in other
 * words: fit for an element's text and for a quoted attribute. */
void buf_html(struct buf *buf, const char *text);

/* The text so far, "" when empty; borrowed. */
const char *buf_text(const struct buf *buf);

/* The text, owned by the caller now; BUF is empty again. */
char *buf_take(struct buf *buf);

/* Lower-case hex of LEN bytes into fresh memory. */
char *text_hex(const uint8_t *bytes, size_t len);

bool text_starts(const char *text, const char *prefix);

/* Put '?' for what a terminal would obey (control characters, also U+0080 to
 * U+009F) and for what is not UTF-8, in place.  What comes from outside may
 * be shown, and put into JSON, after this. */
void text_clean(char *text);

/* A clean copy of TEXT. Owned. */
char *text_printable(const char *text);

/* Columns that TEXT, which is clean, takes on a terminal: two for an ideograph,
 * whatever the environment's locale is. */
size_t text_columns(const char *text);

/* Read a whole decimal number MIN..MAX; false, *OUT untouched, otherwise. */
bool text_number(const char *text, int64_t min, int64_t max, int64_t *out);

#endif
