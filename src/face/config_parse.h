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

struct config_certificates;
struct err;

/* Parse the LEN octets of TEXT, which are of the file PATH.  The result is for
 * cfg_free(); its `certificate` blocks go to CERTIFICATES instead.  NULL: ERR has
 * REASON_USAGE and one sentence, "PATH:LINE: ...". */
cfg_t *config_parse(const char *path, const void *text, size_t len,
    struct config_certificates *certificates, struct err *err);

#endif
