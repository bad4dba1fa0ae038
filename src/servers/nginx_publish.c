/* SPDX-License-Identifier: ISC */
/* servers/nginx_publish.c -- staples into nginx, withdrawn again if need be.
 *
 * An nginx that is told of a missing or damaged staple file does not start, so
 * at every instant (kill -9, power cut, full disk: I7) each snippet on disk is
 * whole and names a staple file that is there and whole.  The order does it:
 *
 *   1 the marker `.reload-pending`: the names of the staple files that may be
 *     of no use in the end, and the fact that nginx has not read what follows
 *   2 the new staple files; nothing or an equal name points at them yet
 *   3 the snippets
 *   4 `nginx -t`; if it fails, all is put back, 3 before 2 before 1
 *   5 `nginx -s reload`; from here on nothing points at the old staple files
 *   6 the old staple files are removed, unless some snippet still names one
 *   7 the marker is removed
 *
 * Cut short before 7, the marker makes the next publish test and reload again,
 * also when no byte differs then, and finish the removing.
 *
 * A publish that only has changes that may wait, and one that only prepares,
 * end after 4; the marker of the former says so in a line, and is then a reason
 * to reload only for what nginx has not read and may not wait any more, or when
 * nothing may. */
#include "servers/nginx.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/loop.h"
#include "base/mem.h"
#include "pki/der.h"
#include "servers/nginx_command.h"
#include "servers/nginx_marker.h"
#include "servers/nginx_snippet.h"
#include "servers/rollback.h"

enum {
	FILE_MODE = 0644,
	FOLDER_MODE = 0755,
};

struct nginx_publish {
	uv_loop_t *loop;
	const struct nginx *nginx;
	struct nginx_marker marker;
	char **wanted; /* the snippets that changes are about */
	size_t wanted_count;
	char **orphans; /* the other ones that name a staple */
	size_t orphan_count;
	struct rollback rollback;
	struct proc *proc;
	struct loop_timer *now; /* the report of what start knew already */
	struct err err;
	bool hold; /* no reload */
	bool reloaded, tested, reporting;
	void (*cb)(void *cookie, bool reloaded, const struct err *err);
	void *cookie;
};

static void
release(struct nginx_publish *p)
{
	for (size_t i = 0; i < p->wanted_count; i++)
		free(p->wanted[i]);
	for (size_t i = 0; i < p->orphan_count; i++)
		free(p->orphans[i]);
	free(p->wanted);
	free(p->orphans);
	loop_timer_cancel(&p->now);
	rollback_done(&p->rollback);
	nginx_marker_done(&p->marker);
	free(p);
}

static void
finish(struct nginx_publish *p)
{
	p->reporting = true;
	p->cb(p->cookie, p->reloaded, &p->err);
	release(p);
}

static void
report_now(void *cookie)
{
	struct nginx_publish *p = cookie;

	p->now = NULL;
	finish(p);
}

/* --- snippets that nobody wants any more --- */

/* A snippet that no change is about names a staple that nobody keeps fresh: a
 * server block that comes back would serve it past its end, or, once the file
 * is gone, not start at all.  Such a snippet is emptied. */
static void
note_orphan(void *cookie, const char *path, const char *name)
{
	struct nginx_publish *p = cookie;

	for (size_t i = 0; i < p->wanted_count; i++) {
		if (strcmp(p->wanted[i], path) == 0)
			return;
	}
	nginx_marker_add(&p->marker, name);
	p->orphans =
	    mem_resize(p->orphans, p->orphan_count + 1, sizeof(p->orphans[0]));
	p->orphans[p->orphan_count++] = mem_string(path);
}

static void
find_orphans(
    struct nginx_publish *p, const struct nginx_change *changes, size_t count)
{
	p->wanted = mem_array(count, sizeof(p->wanted[0]));
	for (size_t i = 0; i < count; i++)
		p->wanted[p->wanted_count++] =
		    nginx_snippet_path(p->nginx, changes[i].certificate);
	(void)nginx_snippet_each(p->nginx, note_orphan, p);
}

static int
empty_orphans(struct nginx_publish *p)
{
	char *text = nginx_snippet_text(p->nginx, NULL);
	int rc = 0;

	for (size_t i = 0; i < p->orphan_count && rc == 0; i++)
		rc = rollback_write(&p->rollback, p->orphans[i], text,
		    strlen(text), FILE_MODE, &p->err);
	free(text);
	return rc;
}

/* --- the files --- */

static char *
staple_path(const struct nginx_publish *p, const char *fingerprint)
{
	return mem_printf("%s/%s.der", p->nginx->staple_dir, fingerprint);
}

static bool
in_force(const struct nginx_publish *p, const struct nginx_change *change)
{
	bool staple = change->staple.len > 0;
	char *path = nginx_snippet_path(p->nginx, change->certificate);
	char *text =
	    nginx_snippet_text(p->nginx, staple ? change->fingerprint : NULL);
	bool same = file_holds(path, text, strlen(text)) != 0;

	free(path);
	free(text);
	if (!same || !staple)
		return same;
	path = staple_path(p, change->fingerprint);
	same = file_holds(path, change->staple.at, change->staple.len) != 0;
	free(path);
	return same;
}

/* Note what may be of no use in the end: the staple file that the snippet names
 * now; the new one, should this publish be cut short and never be repeated; and
 * one that is withdrawn, since withdrawn means absent. */
static void
note_stale(struct nginx_publish *p, const struct nginx_change *change)
{
	const char *fingerprint =
	    change->fingerprint == NULL ? "" : change->fingerprint;
	char *snippet = nginx_snippet_path(p->nginx, change->certificate);
	char *staple = staple_path(p, fingerprint);
	char *next = mem_printf("%s.der", fingerprint);
	char *have = NULL;

	(void)nginx_snippet_staple(snippet, &have);
	if (have != NULL && strcmp(have, next) != 0)
		nginx_marker_add(&p->marker, have);
	if (change->staple.len == 0 || access(staple, F_OK) == -1)
		nginx_marker_add(
		    &p->marker, next); /* ".der" alone is no staple's name */
	free(have);
	free(next);
	free(staple);
	free(snippet);
}

static int
write_staple(struct nginx_publish *p, const struct nginx_change *change)
{
	char *path = staple_path(p, change->fingerprint);
	int rc = 0;

	if (change->staple.len > 0 &&
	    !file_holds(path, change->staple.at, change->staple.len))
		rc = rollback_write(&p->rollback, path, change->staple.at,
		    change->staple.len, FILE_MODE, &p->err);
	free(path);
	return rc;
}

static int
write_snippet(struct nginx_publish *p, const struct nginx_change *change)
{
	char *path = nginx_snippet_path(p->nginx, change->certificate);
	char *text = nginx_snippet_text(
	    p->nginx, change->staple.len > 0 ? change->fingerprint : NULL);
	int rc = 0;

	if (!file_holds(path, text, strlen(text)))
		rc = rollback_write(
		    &p->rollback, path, text, strlen(text), FILE_MODE, &p->err);
	free(path);
	free(text);
	return rc;
}

/* Steps 1 to 3 of the head comment. */
static int
write_files(struct nginx_publish *p, const struct nginx_change *changes,
    size_t count, bool held)
{
	int rc = file_make_dir(p->nginx->snippet_dir, FOLDER_MODE, &p->err);

	if (rc == 0)
		rc = file_make_dir(p->nginx->staple_dir, FOLDER_MODE, &p->err);
	for (size_t i = 0; i < count; i++)
		note_stale(p, &changes[i]);
	if (rc == 0)
		rc =
		    nginx_marker_write(&p->marker, held, &p->rollback, &p->err);
	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = write_staple(p, &changes[i]);
	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = write_snippet(p, &changes[i]);
	if (rc == 0)
		rc = empty_orphans(p);
	if (rc == -1)
		(void)rollback_undo(&p->rollback, &p->err);
	return rc;
}

/* --- nginx --- */

static void
got_reload(void *cookie, const struct proc_result *result)
{
	struct nginx_publish *p = cookie;
	const char *more =
	    nginx_command_not_running(result)
		? "nginx does not run; the staples are in their files, and its "
		  "next start reads them"
		: "the staples are in their files, but nginx has not read them";

	p->proc = NULL;
	p->reloaded = nginx_command_check(
			  p->nginx, NGINX_RELOAD, result, more, &p->err) == 0;
	if (p->reloaded)
		nginx_marker_finish(&p->marker);
	finish(p);
}

static void
got_test(void *cookie, const struct proc_result *result)
{
	struct nginx_publish *p = cookie;
	struct err undone = {0};

	p->proc = NULL;
	if (result->exit_status == 0) {
		p->tested = true;
		if (p->hold)
			finish(p);
		else
			p->proc = nginx_command_start(
			    p->loop, p->nginx, NGINX_RELOAD, got_reload, p);
		return;
	}
	(void)rollback_undo(&p->rollback, &undone);
	(void)nginx_command_check(p->nginx, NGINX_TEST, result,
	    undone.reason == REASON_NONE ? "the staples have been put back"
					 : undone.text,
	    &p->err);
	finish(p);
}

/* True if something is to be done for CHANGES, after an earlier publish that
 * has left LEFT; p->hold: not by a reload now. */
static bool
decide(struct nginx_publish *p, const struct nginx_change *changes,
    size_t count, enum marker_left left)
{
	bool now = left == MARKER_CUT_SHORT || p->orphan_count > 0;
	bool later = false, waits = false;

	for (size_t i = 0; i < count; i++) {
		bool done = in_force(p, &changes[i]);

		waits = waits || changes[i].may_wait;
		now =
		    now ||
		    (!changes[i].may_wait &&
			(!done || (left == MARKER_HELD && changes[i].unread)));
		later = later || (!done && changes[i].may_wait);
	}
	now = now || (left == MARKER_HELD && !waits);
	p->hold = !now;
	return now || later;
}

static struct nginx_publish *
begin(uv_loop_t *loop, const struct nginx *nginx,
    void (*cb)(void *cookie, bool reloaded, const struct err *err),
    void *cookie)
{
	struct nginx_publish *p = mem_new(sizeof(*p));

	p->loop = loop;
	p->nginx = nginx;
	p->cb = cb;
	p->cookie = cookie;
	nginx_marker_init(&p->marker, nginx);
	return p;
}

static void
go(struct nginx_publish *p, const struct nginx_change *changes, size_t count,
    bool differs, bool held)
{
	if (!differs || write_files(p, changes, count, held) == -1)
		p->now = loop_timer_start(p->loop, 0, report_now, p);
	else
		p->proc = nginx_command_start(
		    p->loop, p->nginx, NGINX_TEST, got_test, p);
}

struct nginx_publish *
nginx_publish_start(uv_loop_t *loop, const struct nginx *nginx,
    const struct nginx_change *changes, size_t count,
    void (*cb)(void *cookie, bool reloaded, const struct err *err),
    void *cookie)
{
	struct nginx_publish *p = begin(loop, nginx, cb, cookie);
	enum marker_left left;
	bool differs;

	find_orphans(p, changes, count);
	left = nginx_marker_read(&p->marker);
	differs = decide(p, changes, count, left);
	go(p, changes, count, differs, p->hold);
	return p;
}

struct nginx_publish *
nginx_prepare_start(uv_loop_t *loop, const struct nginx *nginx,
    const struct nginx_change *changes, size_t count,
    void (*cb)(void *cookie, bool reloaded, const struct err *err),
    void *cookie)
{
	struct nginx_publish *p = begin(loop, nginx, cb, cookie);
	bool differs = false;

	(void)nginx_marker_read(&p->marker);
	for (size_t i = 0; i < count; i++)
		differs = differs || !in_force(p, &changes[i]);
	p->hold = true;
	go(p, changes, count, differs, false);
	return p;
}

/* The marker is there before the first file and until after the reload.  Where
 * that is held back the marker stays; then a snippet that names the file is the
 * last thing that was written. */
bool
nginx_staple_in_place(const struct nginx *nginx, const char *fingerprint)
{
	char *path = mem_printf("%s/%s.der", nginx->staple_dir, fingerprint);
	char *name = mem_printf("%s.der", fingerprint);
	struct nginx_marker marker;
	enum marker_left left;
	bool there = access(path, F_OK) == 0;

	nginx_marker_init(&marker, nginx);
	left = there ? nginx_marker_read(&marker) : MARKER_NONE;
	nginx_marker_done(&marker);
	if (there && left != MARKER_NONE)
		there = left == MARKER_HELD && nginx_snippet_names(nginx, name);
	free(name);
	free(path);
	return there;
}

/* --- snippets that keep nginx from starting --- */

struct broken {
	const struct nginx *nginx;
	char **paths; /* snippets */
	size_t count;
};

/* True if nginx does not start with this file, as far as its outer form tells.
 * Of one that cannot be read nothing is known. */
static bool
is_broken(const char *staple)
{
	struct der_fault fault = {0};
	uint8_t *bytes = NULL;
	struct der der;
	size_t len = 0;

	if (access(staple, F_OK) == -1)
		return errno == ENOENT;
	if (file_read(staple, ROLLBACK_FILE_MAX, &bytes, &len, NULL) == -1)
		return false;
	der = der_over((struct span){bytes, len}, &fault);
	(void)der_whole(&der, DER_SEQUENCE, "the staple");
	free(bytes);
	return !der_ok(&der);
}

static void
note_broken(void *cookie, const char *path, const char *name)
{
	struct broken *broken = cookie;
	char *staple = mem_printf("%s/%s", broken->nginx->staple_dir, name);

	if (is_broken(staple)) {
		broken->paths = mem_resize(
		    broken->paths, broken->count + 1, sizeof(broken->paths[0]));
		broken->paths[broken->count++] = mem_string(path);
	}
	free(staple);
}

int
nginx_mend(const struct nginx *nginx, size_t *count, struct err *err)
{
	struct broken broken = {.nginx = nginx};
	struct rollback rollback = {0};
	struct nginx_marker marker;
	char *text = nginx_snippet_text(nginx, NULL);
	int rc = 0;

	nginx_marker_init(&marker, nginx);
	(void)nginx_snippet_each(nginx, note_broken, &broken);
	/* nginx may have in memory what is gone; what was held is held still */
	if (broken.count > 0)
		rc = nginx_marker_write(&marker,
		    nginx_marker_read(&marker) == MARKER_HELD, &rollback, err);
	for (size_t i = 0; rc == 0 && i < broken.count; i++)
		rc = rollback_write(&rollback, broken.paths[i], text,
		    strlen(text), FILE_MODE, err);
	/* each for itself: what is mended stays */
	rollback_done(&rollback);
	nginx_marker_done(&marker);
	for (size_t i = 0; i < broken.count; i++)
		free(broken.paths[i]);
	free(broken.paths);
	free(text);
	if (rc == 0)
		*count = broken.count;
	return rc;
}

void
nginx_publish_cancel(struct nginx_publish **publish)
{
	struct nginx_publish *p = *publish;

	*publish = NULL;
	if (p == NULL || p->reporting)
		return;
	proc_cancel(&p->proc);
	if (!p->tested)
		(void)rollback_undo(&p->rollback, NULL);
	release(p);
}
