/* SPDX-License-Identifier: ISC */
/* face/config.h -- the configuration file, oclasp.conf(5). */
#ifndef OCLASP_FACE_CONFIG_H
#define OCLASP_FACE_CONFIG_H

#include "face/options.h"

struct config;

#define CONFIG_DEFAULT "/etc/oclasp/oclasp.conf"

/* Read the file that OPTIONS names, or CONFIG_DEFAULT if it is there, and add
 * to OPTIONS what the command line did not say; lists are appended.  OPTIONS
 * borrows of *OUT, which is to be freed after it.  No file at all is no
 * error: then *OUT is NULL; nor is a CONFIG_DEFAULT for others' eyes, as it is
 * where it has passwords: then OPTIONS says so in `unread`.
 * Errors: REASON_USAGE with file:line, REASON_FILE. */
int config_load(struct options *options, struct config **out, struct err *err);
void config_free(struct config *config);

/* The state-dir that this file names, also where config_load() has found a fault
 * in it; NULL: none, or it cannot be read.  Owned. */
char *config_state_dir(const struct options *options);

#endif
