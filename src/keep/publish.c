/* SPDX-License-Identifier: ISC */
/* keep/publish.c -- bring what is served to what ought to be served.
 *
 *   match server blocks with items -> nginx_publish (write, test, reload)
 *     -> plain files -> the places to be proven -> end
 *
 * A staple file of a certificate that nginx names is written by nginx_publish
 * alone, so that it can tell what nginx has read.  The plain files may be a
 * hundred thousand, each with a flush of the disk: a thread writes them, while
 * the loop fetches on. */
#include "keep/publish.h"

#include <dirent.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uthash.h>

#include "base/file.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/text.h"
#include "pki/cert.h"
#include "pki/staple.h"

/* A kept certificate. */
struct kept {
	struct publish_item item; /* borrows of what follows, which is owned */
	char *name, *fingerprint;
	uint8_t *der; /* unless the staple is shared */
	bool named;   /* nginx_publish writes its file */
	bool there;   /* its file */
};

/* A server block with our snippet, and what it shall serve. */
struct served_site {
	const struct nginx_site *site;
	const struct publish_item *item; /* NULL: nothing is kept for it */
	bool changed;
};

/* A certificate's path, as the server's configuration has it; borrowed. */
struct path {
	UT_hash_handle hh;
	const char *path;
};

struct publish {
	uv_loop_t *loop;
	const struct nginx *nginx;
	char *staple_dir;
	char *snippet_dir; /* of an nginx that is not asked; NULL: none is */
	struct kept *kept; /* owned; sorted by fingerprint */
	size_t count;
	bool prove, thorough;
	struct publish_callbacks callbacks;
	void *cookie;

	struct served_site *sites; /* owned */
	size_t site_count;
	struct nginx_change *changes; /* owned; one for each path */
	size_t change_count;
	struct path *paths; /* those that have one; a hash */

	struct nginx_publish *publishing;
	struct loop_work *writing; /* has KEPT and ERR meanwhile */
	atomic_bool cancelled, hurried;
	bool reloaded;
	bool served; /* the server has all of it */
	struct err err;
};

enum {
	FINGERPRINT = 64,                      /* hex digits of a SHA-256 */
	TORN_TAIL = sizeof(".new.XXXXXX") - 1, /* of file_replace */
};

static void
forget_paths(struct publish *p)
{
	struct path *path, *next;

	HASH_ITER(hh, p->paths, path, next)
	{
		HASH_DEL(p->paths, path);
		free(path);
	}
}

static void
release(void *cookie)
{
	struct publish *p = cookie;

	for (size_t i = 0; i < p->count; i++) {
		free(p->kept[i].name);
		free(p->kept[i].fingerprint);
		free(p->kept[i].der);
		staple_free(p->kept[i].item.whole);
	}
	forget_paths(p);
	free(p->staple_dir);
	free(p->snippet_dir);
	free(p->kept);
	free(p->sites);
	free(p->changes);
	free(p);
}

void
publish_cancel(struct publish **publish)
{
	struct publish *p = *publish;

	*publish = NULL;
	if (p == NULL)
		return;
	nginx_publish_cancel(&p->publishing);
	if (p->writing == NULL) {
		release(p);
		return;
	}
	p->cancelled = true;
	loop_work_cancel(&p->writing, release);
}

void
publish_hurry(struct publish *publish)
{
	publish->hurried = true;
}

/* --- plain files --- */

static int
compare_kept(const void *a, const void *b)
{
	const struct kept *x = a, *y = b;

	return strcmp(x->fingerprint, y->fingerprint);
}

static struct kept *
find_kept(const struct publish *p, const char *fingerprint)
{
	size_t from = 0, to = p->count;

	while (from < to) {
		size_t middle = from + (to - from) / 2;
		int order = strcmp(fingerprint, p->kept[middle].fingerprint);

		if (order == 0)
			return &p->kept[middle];
		if (order < 0)
			to = middle;
		else
			from = middle + 1;
	}
	return NULL;
}

/* True for a name of our own making, FINGERPRINT.der. */
static bool
is_staple_name(const char *name)
{
	return strlen(name) == FINGERPRINT + 4 &&
	       strspn(name, "0123456789abcdef") == FINGERPRINT &&
	       strcmp(name + FINGERPRINT, ".der") == 0;
}

/* What file_replace() of a killed keep has left of a staple file.  Nobody else
 * writes there: the state folder is locked. */
static bool
is_torn_name(const char *name)
{
	char fingerprint[FINGERPRINT + sizeof(".der")] = "";

	if (strlen(name) != 1 + strlen(".der") + FINGERPRINT + TORN_TAIL ||
	    name[0] != '.' ||
	    !text_starts(name + 1 + FINGERPRINT + strlen(".der"), ".new."))
		return false;
	memcpy(fingerprint, name + 1, sizeof(fingerprint) - 1);
	return is_staple_name(fingerprint);
}

/* A snippet names it, and nobody asks nginx to do without. */
static bool
is_named_unasked(const struct publish *p, const char *name)
{
	const struct nginx nginx = {.snippet_dir = p->snippet_dir};

	return p->snippet_dir != NULL && nginx_snippet_names(&nginx, name);
}

/* One that stays may be served past its end (I3), but an nginx that misses one
 * does not start.  KEPT: whose it is; NULL: of none that is kept. */
static void
withdraw(struct publish *p, const char *name, const struct kept *kept)
{
	char *path = mem_printf("%s/%s", p->staple_dir, name);

	if (is_named_unasked(p, name)) {
		if (kept != NULL)
			(void)err_set(&p->err, REASON_FILE,
			    "cannot withdraw the staple '%s': a snippet in "
			    "'%s' names it, and nginx would not start: give "
			    "--server nginx, or remove a snippet that nginx "
			    "does not include any more",
			    path, p->snippet_dir);
	} else if (unlink(path) == -1 && errno != ENOENT) {
		(void)err_set(&p->err, REASON_FILE,
		    "cannot withdraw the staple '%s': %s", path,
		    strerror(errno));
	}
	free(path);
}

/* Note what is there.  Withdrawn means absent, and so does a certificate that is
 * not kept (any more).  Strangers' files are left alone, and so is, after a
 * failure, what a server may still point at. */
static void
look_into_folder(struct publish *p)
{
	bool safe = p->err.reason == REASON_NONE;
	DIR *folder = opendir(p->staple_dir);
	struct dirent *entry;

	while (folder != NULL && !p->cancelled &&
	       (entry = readdir(folder)) != NULL) {
		struct kept *kept;
		char fingerprint[FINGERPRINT + 1] = "";

		if (!is_staple_name(entry->d_name) &&
		    !is_torn_name(entry->d_name))
			continue;
		/* no fingerprint begins with the dot of a torn one */
		memcpy(fingerprint, entry->d_name, FINGERPRINT);
		kept = find_kept(p, fingerprint);
		if (kept != NULL && kept->item.staple.len > 0)
			kept->there = true;
		else if (safe)
			withdraw(p, entry->d_name, kept);
	}
	if (folder != NULL)
		(void)closedir(folder);
}

/* *WRITTEN: it was. */
static void
write_file(struct publish *p, const struct kept *kept, bool *written)
{
	const struct publish_item *item = &kept->item;
	char *path;

	if (item->staple.len == 0 || kept->named ||
	    (kept->there && !item->unread && !p->thorough))
		return;
	path = mem_printf("%s/%s.der", p->staple_dir, item->fingerprint);
	if (!kept->there ||
	    !file_holds(path, item->staple.at, item->staple.len))
		*written = file_replace_unflushed(path, item->staple.at,
			       item->staple.len, 0644, &p->err) == 0 ||
			   *written;
	free(path);
}

/* The thread's. */
static void
write_plain_files(void *cookie)
{
	struct publish *p = cookie;
	bool any = false;

	look_into_folder(p);
	for (size_t i = 0; i < p->count && !p->cancelled && !p->hurried; i++)
		write_file(p, &p->kept[i], &any);
	if (any)
		(void)file_flush_folder(p->staple_dir, &p->err);
}

/* --- the end --- */

/* What waits is not served yet, and nothing is known of it. */
static void
tell_places(struct publish *p)
{
	for (size_t i = 0; i < p->site_count; i++) {
		const struct served_site *served = &p->sites[i];
		const struct nginx_site *site = served->site;
		const struct publish_item *item = served->item;
		bool changed = p->reloaded && served->changed;
		struct proofs_place place;

		if (item == NULL || (item->may_wait && !p->reloaded))
			continue;
		place = (struct proofs_place){
		    .name = item->name,
		    .fingerprint = item->fingerprint,
		    .certificate = nginx_site_certificate(site),
		    .listen = site->ask_at,
		    .servername = site->ask_for,
		    .staple = item->staple,
		    .reloaded = p->reloaded,
		    .changed = changed,
		    .anew = p->prove || changed,
		};
		p->callbacks.place(p->cookie, &place);
	}
}

static void
written(void *cookie)
{
	struct publish *p = cookie;
	struct publish_callbacks callbacks = p->callbacks;
	void *owner = p->cookie;
	bool reloaded = p->reloaded;
	struct err err = p->err;

	p->writing = NULL;
	if (p->served)
		tell_places(p);
	release(p);
	callbacks.end(owner, reloaded, &err);
}

static void
write_beside(struct publish *p)
{
	p->served = p->err.reason == REASON_NONE;
	p->writing = loop_work_start(p->loop, write_plain_files, written, p);
}

/* --- matching --- */

/* The kept item that the snippet of the certificate file PATH names, or NULL. */
static struct kept *
match_snippet(const struct publish *p, const char *path)
{
	char *fingerprint = nginx_staple_named(p->nginx, path);
	struct kept *kept =
	    fingerprint == NULL ? NULL : find_kept(p, fingerprint);

	free(fingerprint);
	return kept;
}

/* The kept item whose certificate is in the file PATH now, or NULL.  A file that
 * cannot be read says nothing: what is in force stays, as long as it is kept
 * (I2). */
static struct kept *
match(const struct publish *p, const char *path)
{
	struct kept *kept = NULL;
	struct cert_list list = {0};

	if (cert_list_load(&list, path, NULL) == 0)
		kept = find_kept(p, cert_list_leaf(&list)->fingerprint);
	else
		kept = match_snippet(p, path);
	cert_list_done(&list);
	return kept;
}

/* True if the snippet or the staple file does not hold this yet. */
static bool
differs(const struct publish *p, const struct publish_item *item)
{
	char *path = mem_printf("%s/%s.der", p->staple_dir, item->fingerprint);
	bool same = item->staple.len == 0 ? access(path, F_OK) != 0
					  : file_holds(path, item->staple.at,
						item->staple.len) != 0;

	free(path);
	return !same;
}

static void
add_change(struct publish *p, const char *path, const struct publish_item *item)
{
	struct nginx_change change = {.certificate = path};
	size_t len = strlen(path);
	struct path *known = NULL;

	HASH_FIND(hh, p->paths, path, len, known);
	if (known != NULL)
		return;
	known = mem_new(sizeof(*known));
	known->path = path;
	HASH_ADD_KEYPTR(hh, p->paths, known->path, len, known);
	if (item != NULL) {
		change.fingerprint = item->fingerprint;
		change.staple = item->staple;
		change.may_wait = item->may_wait;
		change.unread = item->unread;
	}
	p->changes[p->change_count++] = change;
}

static void
add_site(struct publish *p, const struct nginx_site *site)
{
	const char *path = nginx_site_certificate(site);
	const struct publish_item *item;
	struct kept *kept;

	if (path == NULL)
		return; /* none, or two that would share one staple file */
	kept = match(p, path);
	item = kept == NULL ? NULL : &kept->item;
	if (!nginx_site_includes(p->nginx, site, path)) {
		if (item != NULL)
			p->callbacks.not_installed(p->cookie, path);
		return;
	}
	p->sites[p->site_count++] = (struct served_site){
	    .site = site,
	    .item = item,
	    .changed = item != NULL && (item->unread || differs(p, item)),
	};
	add_change(p, path, item);
	if (kept != NULL)
		kept->named = true;
}

static void
copy_items(struct publish *p, const struct publish_item *items, size_t count)
{
	p->kept = mem_array(count, sizeof(p->kept[0]));
	for (size_t i = 0; i < count; i++) {
		struct kept *kept = &p->kept[p->count++];
		struct span staple = items[i].staple;

		kept->name = mem_string(items[i].name);
		kept->fingerprint = mem_string(items[i].fingerprint);
		kept->item = items[i];
		kept->item.name = kept->name;
		kept->item.fingerprint = kept->fingerprint;
		if (items[i].whole != NULL) {
			(void)staple_share(items[i].whole);
		} else {
			kept->der = mem_copy(staple.at, staple.len);
			kept->item.staple.at = kept->der;
		}
	}
	qsort(p->kept, p->count, sizeof(p->kept[0]), compare_kept);
}

static void
nginx_published(void *cookie, bool reloaded, const struct err *err)
{
	struct publish *p = cookie;

	p->publishing = NULL;
	p->reloaded = reloaded;
	p->err = *err;
	write_beside(p);
}

struct publish *
publish_start(uv_loop_t *loop, const struct publish_round *round,
    const struct publish_callbacks *callbacks, void *cookie)
{
	const struct nginx_conf *conf = round->conf;
	struct publish *p = mem_new(sizeof(*p));

	p->loop = loop;
	p->nginx = round->nginx;
	p->staple_dir = mem_string(round->staple_dir);
	if (conf == NULL && round->nginx != NULL)
		p->snippet_dir = mem_string(round->nginx->snippet_dir);
	copy_items(p, round->items, round->count);
	p->prove = round->prove;
	p->thorough = round->prove || round->thorough;
	p->callbacks = *callbacks;
	p->cookie = cookie;
	if (conf != NULL) {
		p->sites = mem_array(conf->site_count, sizeof(p->sites[0]));
		p->changes = mem_array(conf->site_count, sizeof(p->changes[0]));
	}
	for (size_t i = 0; conf != NULL && i < conf->site_count; i++)
		add_site(p, &conf->sites[i]);
	forget_paths(p);
	/* also with nothing to change: an unwanted snippet may be emptied */
	if (conf != NULL)
		p->publishing = nginx_publish_start(loop, p->nginx, p->changes,
		    p->change_count, nginx_published, p);
	else
		write_beside(p);
	return p;
}
