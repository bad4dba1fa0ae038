/* SPDX-License-Identifier: ISC */
/* face/config_value.h -- what one value of the configuration means.
 *
 * Pure: text in, facts out. */
#ifndef OCLASP_FACE_CONFIG_VALUE_H
#define OCLASP_FACE_CONFIG_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CONFIG_WORD_MAX = 64 }; /* octets of a key that is compared */

/* A span of time: "15 s", "10 min", "2 h", "3 d", "2 w", "1 h 30 min"; a bare
 * number is seconds.  False, *OUT untouched, for anything else, and for one
 * that is out of MIN..MAX, in seconds. */
bool config_duration(const char *text, int64_t min, int64_t max, int64_t *out);

/* MIN..MAX, both spans as config_duration reads them, for a sentence:
 * "from 1 s to 1 h". */
enum { CONFIG_RANGE = 80 };
const char *config_duration_range(
    int64_t min, int64_t max, char out[CONFIG_RANGE]);

/* true, yes, on; false, no, off; in any case of letters. */
bool config_bool(const char *text, bool *out);

/* How many letters must be changed, added, left out or swapped with the next
 * one, to make B of A; CONFIG_WORD_MAX for longer words. */
size_t config_distance(const char *a, const char *b);

/* True if somebody who typed TYPED may well have meant NAME. */
bool config_is_near(const char *typed, const char *name);

#endif
