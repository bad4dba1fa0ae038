/* SPDX-License-Identifier: ISC */
/* keep/publish_files.c -- a round's plain files: the staples that no server
 * names, written and withdrawn by a thread. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "keep/publish_priv.h"
#include "pki/response.h"
#include "pki/verify.h"

enum {
	FINGERPRINT = 64,                      /* hex digits of a SHA-256 */
	TORN_TAIL = sizeof(".new.XXXXXX") - 1, /* of file_replace */
	FOLDER_MODE = 0755,
};

struct kept *
publish_find(const struct publish *p, const char *fingerprint)
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
 * failure, what is not kept: the list of what is may be the server's. */
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
		kept = publish_find(p, fingerprint);
		if (kept != NULL && kept->item.staple.len > 0)
			kept->there = true;
		else if (kept != NULL || safe)
			withdraw(p, entry->d_name, kept);
	}
	if (folder != NULL)
		(void)closedir(folder);
}

/* What a staple says of itself; it was verified before it was written. */
static bool
has_ended(const struct response_single *single, int64_t now)
{
	const struct verdict facts = {.this_update = single->this_update,
	    .usable_until = single->has_next_update
				? single->next_update
				: single->this_update + VERIFY_CAP_NO_NEXT};

	return now >= verdict_usable_until(&facts);
}

/* A staple file that cannot be replaced by the newer one, as on a full disk,
 * must not be served past its own end (I3). */
static bool
holds_ended(const char *path)
{
	int64_t now = clock_wall_s();
	struct response response;
	uint8_t *der = NULL;
	size_t len = 0;
	bool ended = false;

	if (file_read(path, VERIFY_RESPONSE_MAX, &der, &len, NULL) == 0 &&
	    response_parse(der, len, &response, NULL) == 0) {
		/* of several answers any may be the one that counts (I2) */
		ended = response.single_count > 0;
		for (size_t i = 0; i < response.single_count; i++)
			ended = ended && has_ended(&response.singles[i], now);
		response_done(&response);
	}
	free(der);
	return ended;
}

/* *WRITTEN: it was. */
static void
write_file(struct publish *p, const struct kept *kept, bool *written)
{
	const struct publish_item *item = &kept->item;
	char *name, *path;

	if (item->staple.len == 0 || kept->named ||
	    (kept->there && !item->unread && !p->thorough))
		return;
	name = mem_printf("%s.der", item->fingerprint);
	path = mem_printf("%s/%s", p->staple_dir, name);
	if (kept->there && file_holds(path, item->staple.at, item->staple.len))
		goto out;
	if (file_replace_unflushed(
		path, item->staple.at, item->staple.len, 0644, &p->err) == 0)
		*written = true;
	else if (kept->there && holds_ended(path))
		withdraw(p, name, kept);
out:
	free(path);
	free(name);
}

void
publish_write_files(void *cookie)
{
	struct publish *p = cookie;
	bool any = false;

	/* what is wrong with it is told by whoever is to be written there */
	(void)file_make_dir(p->staple_dir, FOLDER_MODE, NULL);
	look_into_folder(p);
	for (size_t i = 0; i < p->count && !p->cancelled && !p->hurried; i++)
		write_file(p, &p->kept[i], &any);
	if (any)
		(void)file_flush_folder(p->staple_dir, &p->err);
}
