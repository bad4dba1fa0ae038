/* SPDX-License-Identifier: ISC */
/* servers/nginx_marker.c -- what must outlive a publish that does not come to
 * its reload. */
#include "servers/nginx_marker.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uthash.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "servers/nginx_snippet.h"
#include "servers/rollback.h"

enum {
	FILE_MODE = 0644,
	MARKER_MAX = 64 << 20, /* bytes; a name of a staple file has 69 */
};

static const char held_line[] = "held"; /* no staple file is called so */

/* The name of a staple file that is of no use after the reload. */
struct stale {
	char *name;
	UT_hash_handle hh;
};

void
nginx_marker_init(struct nginx_marker *marker, const struct nginx *nginx)
{
	*marker = (struct nginx_marker){.nginx = nginx};
	marker->path = mem_printf("%s/.reload-pending", nginx->snippet_dir);
}

void
nginx_marker_add(struct nginx_marker *marker, const char *name)
{
	struct stale *stale = NULL;

	HASH_FIND_STR(marker->stale, name, stale);
	if (stale != NULL || !nginx_snippet_is_staple(name))
		return;
	stale = mem_new(sizeof(*stale));
	stale->name = mem_string(name);
	HASH_ADD_KEYPTR(hh, marker->stale, stale->name, strlen(name), stale);
}

/* A snippet names it: it stays. */
static void
drop(void *cookie, const char *path, const char *name)
{
	struct nginx_marker *marker = cookie;
	struct stale *stale = NULL;

	(void)path;
	HASH_FIND_STR(marker->stale, name, stale);
	if (stale == NULL)
		return;
	HASH_DEL(marker->stale, stale);
	free(stale->name);
	free(stale);
}

void
nginx_marker_done(struct nginx_marker *marker)
{
	struct stale *one, *next;

	HASH_ITER(hh, marker->stale, one, next)
	drop(marker, NULL, one->name);
	free(marker->path);
	marker->path = NULL;
}

enum marker_left
nginx_marker_read(struct nginx_marker *marker)
{
	enum marker_left left = MARKER_CUT_SHORT;
	uint8_t *bytes = NULL;
	size_t len = 0;
	char *rest;

	if (access(marker->path, F_OK) == -1)
		return MARKER_NONE;
	if (file_read(marker->path, MARKER_MAX, &bytes, &len, NULL) == 0) {
		rest = (char *)bytes;
		for (char *name; (name = strsep(&rest, "\n")) != NULL;) {
			if (strcmp(name, held_line) == 0)
				left = MARKER_HELD;
			nginx_marker_add(marker, name);
		}
	}
	free(bytes);
	return left;
}

int
nginx_marker_write(struct nginx_marker *marker, bool held,
    struct rollback *rollback, struct err *err)
{
	const struct stale *one, *next;
	struct buf text;
	int rc;

	buf_init(&text, MARKER_MAX);
	if (held)
		buf_printf(&text, "%s\n", held_line);
	HASH_ITER(hh, marker->stale, one, next)
	buf_printf(&text, "%s\n", one->name);
	rc = rollback_write(
	    rollback, marker->path, buf_text(&text), text.len, FILE_MODE, err);
	buf_done(&text);
	return rc;
}

void
nginx_marker_finish(struct nginx_marker *marker)
{
	const struct stale *one, *next;

	if (marker->stale != NULL &&
	    nginx_snippet_each(marker->nginx, drop, marker) == 0) {
		HASH_ITER(hh, marker->stale, one, next)
		{
			char *path = mem_printf(
			    "%s/%s", marker->nginx->staple_dir, one->name);

			(void)unlink(path);
			free(path);
		}
	}
	(void)unlink(marker->path);
}
