/* SPDX-License-Identifier: ISC */
/* base/base64.h -- bytes as base64 (RFC 4648, section 4) and back. */
#ifndef OCLASP_BASE_BASE64_H
#define OCLASP_BASE_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* LEN bytes as one line with padding; owned. */
char *base64_write(const uint8_t *bytes, size_t len);

/* Exactly that back, of LEN characters, into fresh memory.  False, *OUT
 * untouched, for anything else: other characters, blanks, missing padding, or
 * bits that no writer leaves (RFC 4648, section 3.5). */
bool base64_read(const char *text, size_t len, uint8_t **out, size_t *out_len);

/* The same of many lines, with blanks anywhere, as in PEM (RFC 7468). */
bool base64_read_lines(
    const char *text, size_t len, uint8_t **out, size_t *out_len);

#endif
