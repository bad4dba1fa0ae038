/* SPDX-License-Identifier: ISC */
/* servers/diff.h -- two texts as a unified diff. */
#ifndef OCLASP_SERVERS_DIFF_H
#define OCLASP_SERVERS_DIFF_H

enum {
	DIFF_CONTEXT = 3,        /* lines */
	DIFF_CHANGES_MAX = 1000, /* lines; more are shown as one replacement */
};

/* The diff from BEFORE to AFTER, with PATH in both of its head lines; "" if
 * they are equal.  Owned by the caller. */
char *diff_unified(const char *path, const char *before, const char *after);

#endif
