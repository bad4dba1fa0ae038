/* SPDX-License-Identifier: ISC */
/* servers/nginx_marker.h -- what must outlive a publish that does not come to
 * its reload; private to nginx*.c.
 *
 * The marker file is there from before the first change until after the reload.
 * It names the staple files that are of no use once nginx has reloaded. */
#ifndef OCLASP_SERVERS_NGINX_MARKER_H
#define OCLASP_SERVERS_NGINX_MARKER_H

#include <stdbool.h>

struct err;
struct nginx;
struct rollback;
struct stale;

enum marker_left {
	MARKER_NONE,      /* every change has been taken by nginx */
	MARKER_CUT_SHORT, /* a reload is owed */
	MARKER_HELD,      /* changes that may wait, wait */
};

struct nginx_marker {
	const struct nginx *nginx; /* borrowed; must outlive */
	char *path;
	struct stale *stale; /* a set of names */
};

void nginx_marker_init(struct nginx_marker *marker, const struct nginx *nginx);
void nginx_marker_done(struct nginx_marker *marker);

/* NAME, a file of the staple folder, may be of no use in the end; nothing if
 * it is no staple file's name. */
void nginx_marker_add(struct nginx_marker *marker, const char *name);

/* What an earlier publish has left; its names are added. */
enum marker_left nginx_marker_read(struct nginx_marker *marker);

/* Errors: REASON_FILE. */
int nginx_marker_write(struct nginx_marker *marker, bool held,
    struct rollback *rollback, struct err *err);

/* nginx has reloaded: remove what no snippet names, and the marker.  What
 * cannot be removed is litter, no failure. */
void nginx_marker_finish(struct nginx_marker *marker);

#endif
