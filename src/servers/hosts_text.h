/* SPDX-License-Identifier: ISC */
/* servers/hosts_text.h -- our block in the text of a hosts file.
 *
 * Pure.  Every other octet stays; what was put in, taking out restores the text
 * to the octet, also one whose last line had no end. */
#ifndef OCLASP_SERVERS_HOSTS_TEXT_H
#define OCLASP_SERVERS_HOSTS_TEXT_H

#include <stdbool.h>

#include "base/text.h"

struct err;

enum { HOSTS_TEXT_MAX = 32 << 20 }; /* bytes; lists of advertisers have 10 */

/* TEXT with the block holding LINES (whole lines) in the place of the one that
 * is there, or at the end.  OUT is empty at first, of max HOSTS_TEXT_MAX.
 * Errors: REASON_FILE where markers stand alone or twice, or it is too large. */
int hosts_text_put(
    struct span text, const char *lines, struct buf *out, struct err *err);

/* TEXT without the block; *HAD: there was one.  Errors: as above. */
int hosts_text_remove(
    struct span text, struct buf *out, bool *had, struct err *err);

/* The block as it would stand in an empty file; owned. */
char *hosts_text_block(const char *lines);

#endif
