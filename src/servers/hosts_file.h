/* SPDX-License-Identifier: ISC */
/* servers/hosts_file.h -- our block in a real hosts file.
 *
 * The file is replaced at once and whole (I7), with its owner, group, mode and
 * labels; a symbolic link is followed and stays; the bytes of before are kept
 * beside it as FILE.oclasp-backup. */
#ifndef OCLASP_SERVERS_HOSTS_FILE_H
#define OCLASP_SERVERS_HOSTS_FILE_H

#include <stdbool.h>

struct err;

#define HOSTS_FILE_DEFAULT "/etc/hosts"

/* Put the block with LINES into PATH, made if missing; or take it out (LINES
 * NULL).  *CHANGED: a byte differed.  Errors: REASON_FILE. */
int hosts_file_edit(
    const char *path, const char *lines, bool *changed, struct err *err);

#endif
