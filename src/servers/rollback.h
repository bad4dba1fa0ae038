/* SPDX-License-Identifier: ISC */
/* servers/rollback.h -- files written, with what they held before.
 *
 * Each file by itself is old or new (I7); together they are put back if the
 * server refuses them. */
#ifndef OCLASP_SERVERS_ROLLBACK_H
#define OCLASP_SERVERS_ROLLBACK_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct err;

enum { ROLLBACK_FILE_MAX = 16 << 20 }; /* bytes of one file that is replaced */

struct rollback_file;

struct rollback {
	struct rollback_file *files; /* in the order of writing */
	size_t count;
};

/* Replace PATH by LEN bytes.  Where it is there already, its owner, group, mode,
 * access list and labels stay, or it is not replaced; MODE is for a new one.  A
 * symbolic link is replaced, not followed: give its realpath().
 * Errors: REASON_FILE. */
int rollback_write(struct rollback *rollback, const char *path,
    const void *data, size_t len, mode_t mode, struct err *err);

/* Put every byte back, the latest first, and forget.  New files are removed,
 * unless an earlier step failed: what still names them must find them.
 * Errors: REASON_FILE, with the first path that could not be put back, behind
 * what ERR says already. */
int rollback_undo(struct rollback *rollback, struct err *err);

/* Forget; the new bytes stay. */
void rollback_done(struct rollback *rollback);

#endif
