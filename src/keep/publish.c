/* SPDX-License-Identifier: ISC */
/* keep/publish.c -- bring what is served to what ought to be served.
 *
 *   match server blocks with items -> nginx_publish (write, test, reload)
 *     -> plain files -> the places to be proven -> end
 *
 * A staple file of a certificate that nginx names is written by nginx_publish
 * alone, so that it can tell what nginx has read.  The plain files may be a
 * hundred thousand, each with a flush of the disk: a thread writes them, while
 * the loop fetches on (publish_files.c). */
#include "keep/publish.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uthash.h>

#include "base/file.h"
#include "base/loop.h"
#include "base/mem.h"
#include "keep/publish_priv.h"
#include "pki/cert.h"
#include "pki/staple.h"
#include "servers/nginx_snippet.h"

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
	p->writing = loop_work_start(p->loop, publish_write_files, written, p);
}

/* --- matching --- */

/* The kept item that the snippet of the certificate file PATH names, or NULL. */
static struct kept *
match_snippet(const struct publish *p, const char *path)
{
	char *fingerprint = nginx_staple_named(p->nginx, path);
	struct kept *kept =
	    fingerprint == NULL ? NULL : publish_find(p, fingerprint);

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
		kept = publish_find(p, cert_list_leaf(&list)->fingerprint);
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

static int
compare_kept(const void *a, const void *b)
{
	const struct kept *x = a, *y = b;

	return strcmp(x->fingerprint, y->fingerprint);
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
	if (err->reason != REASON_NONE) /* what nginx may read stays */
		p->snippet_dir = mem_string(p->nginx->snippet_dir);
	write_beside(p);
}

/* NAME is a staple file's, and a snippet's at PATH. */
static void
note_named(void *cookie, const char *path, const char *name)
{
	char *fingerprint = mem_printf("%.*s", (int)strcspn(name, "."), name);
	struct kept *kept = publish_find(cookie, fingerprint);

	(void)path;
	if (kept != NULL)
		kept->named = true;
	free(fingerprint);
}

/* Nothing of nginx's is touched while it cannot be asked. */
static void
leave_server(struct publish *p, const struct err *failed)
{
	p->err = *failed;
	(void)nginx_snippet_each(p->nginx, note_named, p);
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
	if (round->failed != NULL)
		leave_server(p, round->failed);
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
