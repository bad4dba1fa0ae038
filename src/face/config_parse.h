/* SPDX-License-Identifier: ISC */
/* face/config_parse.h -- the text of a configuration, by libConfuse, checked
 * against the table of keys.
 *
 * Every value is text in libConfuse; what it means was checked when it was
 * read, with file and line. */
#ifndef OCLASP_FACE_CONFIG_PARSE_H
#define OCLASP_FACE_CONFIG_PARSE_H

#include <confuse.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

/* Parse the LEN octets of TEXT, which are of the file PATH.  The result is for
 * cfg_free().  NULL: ERR has REASON_USAGE and one sentence, "PATH:LINE: ...". */
cfg_t *config_parse(
    const char *path, const void *text, size_t len, struct err *err);

/* What BLOCK (of a result) says of a key; false, *OUT untouched, if nothing.
 * Text is borrowed of the result. */
bool config_get_text(cfg_t *block, const char *key, const char **out);
bool config_get_bool(cfg_t *block, const char *key, bool *out);
bool config_get_number(cfg_t *block, const char *key, int64_t *out);

#endif
