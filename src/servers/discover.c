/* SPDX-License-Identifier: ISC */
/* servers/discover.c -- the certificates in use on this machine: who looks
 * where, and what was found, each once. */
#include "servers/discover.h"

#include <dirent.h>
#include <errno.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uthash.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "servers/discover_part.h"
#include "servers/grow.h"
#include "servers/nginx_conf.h"

/* Servers first: where a server and a client name one certificate by two
 * paths, the server's is the one that matters. */
static const struct finder {
	const char *name;
	discover_finder *find;
} finders[] = {
    {"nginx", discover_nginx},
    {"certbot", discover_certbot},
    {"acme.sh", discover_acme_sh},
    {"lego", discover_lego},
    {"dehydrated", discover_dehydrated},
};

enum { FINDERS = sizeof(finders) / sizeof(finders[0]) };

/* A path that was looked at, or a fingerprint that was seen: which item. */
struct known {
	char *key;
	size_t item; /* NONE: it could not be read */
	UT_hash_handle hh;
};

static const size_t none = (size_t)-1;

struct discover {
	const struct discover_options *options;
	const char *finder; /* that is at work */
	struct discovery *out;
	struct known *paths, *fingerprints;
};

/* --- what was found --- */

static struct known *
recall(struct known *list, const char *key)
{
	struct known *known = NULL;

	HASH_FIND_STR(list, key, known);
	return known;
}

static void
remember(struct known **list, const char *key, size_t item)
{
	struct known *known = mem_new(sizeof(*known));

	known->key = mem_string(key);
	known->item = item;
	HASH_ADD_KEYPTR(hh, *list, known->key, strlen(known->key), known);
}

static void
forget(struct known **list)
{
	struct known *one, *next;

	HASH_ITER(hh, *list, one, next)
	{
		HASH_DEL(*list, one);
		free(one->key);
		free(one);
	}
}

static void
add_place(struct discover *d, size_t at, const char *path)
{
	struct discovered *item = &d->out->items[at];

	for (size_t i = 0; i < item->place_count; i++) {
		if (item->places[i].finder == d->finder &&
		    strcmp(item->places[i].path, path) == 0)
			return;
	}
	item->places =
	    grow(item->places, item->place_count, sizeof(item->places[0]));
	item->places[item->place_count++] =
	    (struct discovered_at){d->finder, mem_string(path)};
	item->path = item->places[0].path;
}

static void
add_note(struct discover *d, const char *path, const struct err *err)
{
	struct discovery *out = d->out;

	if (out->note_count == DISCOVER_NOTES_MAX)
		return;
	out->notes = grow(out->notes, out->note_count, sizeof(out->notes[0]));
	out->notes[out->note_count++] = (struct discover_note){
	    .finder = d->finder, .path = mem_string(path), .err = *err};
}

void
discover_note(struct discover *d, const char *path, const char *fmt, ...)
{
	struct err err = {.reason = REASON_FILE};
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(err.text, sizeof(err.text), fmt, ap);
	va_end(ap);
	add_note(d, path, &err);
}

void
discover_failed(struct discover *d, const char *path)
{
	if (errno != ENOENT && errno != ENOTDIR)
		discover_note(d, path, "cannot look into '%s': %s", path,
		    strerror(errno));
}

/* In a folder of somebody else anything may have the name of a certificate: a
 * pipe would be waited for.  What is not there is told by who reads it. */
static bool
is_ordinary(struct discover *d, const char *path)
{
	struct stat st;

	if (stat(path, &st) == -1 || S_ISREG(st.st_mode))
		return true;
	discover_note(d, path, "'%s' is no ordinary file", path);
	return false;
}

/* ITEM has been found again, as AGAIN, now perhaps with its issuer in FILE. */
static void
lend_issuer(struct discovered *item, struct discovered *again, const char *file)
{
	struct identity id = item->id;

	if (item->id.issuer != NULL || again->id.issuer == NULL)
		return;
	free(item->issuer);
	item->issuer = mem_string(file);
	item->id = again->id;
	item->err = again->err;
	again->id = id;
}

/* The certificate of a path that was not looked at yet: its item. */
static size_t
load(struct discover *d, const char *path, const char *issuer)
{
	const struct identity_files files = {.certificate = path,
	    .issuer = issuer,
	    .ca_file = d->options->ca_file};
	struct discovery *out = d->out;
	struct discovered item = {0};
	struct known *same;

	if (!is_ordinary(d, path) ||
	    (issuer != NULL && !is_ordinary(d, issuer)))
		return none;
	(void)identity_load(&files, &item.id, &item.err);
	if (item.id.leaf == NULL) {
		add_note(d, path, &item.err);
		identity_done(&item.id);
		return none;
	}
	/* without a responder nobody needs the issuer */
	if (item.id.leaf->ocsp_url_count == 0)
		err_clear(&item.err);
	same = recall(d->fingerprints, item.id.leaf->fingerprint);
	if (same != NULL) {
		lend_issuer(&out->items[same->item], &item,
		    issuer == NULL ? path : issuer);
		identity_done(&item.id);
		return same->item;
	}
	item.issuer = mem_string(issuer);
	out->items = grow(out->items, out->count, sizeof(out->items[0]));
	out->items[out->count] = item;
	remember(&d->fingerprints, item.id.leaf->fingerprint, out->count);
	return out->count++;
}

void
discover_path(struct discover *d, const char *path, const char *issuer)
{
	struct known *known = recall(d->paths, path);
	size_t item;

	if (known == NULL) {
		if (HASH_COUNT(d->paths) >= DISCOVER_MAX)
			return;
		item = load(d, path, issuer);
		remember(&d->paths, path, item);
	} else {
		item = known->item;
	}
	if (item != none)
		add_place(d, item, path);
}

/* --- what finders use --- */

const struct discover_options *
discover_asked(const struct discover *d)
{
	return d->options;
}

char *
discover_rooted(const struct discover *d, const char *path)
{
	const char *root = d->options->root;

	return mem_printf("%s%s", root == NULL ? "" : root, path);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void
discover_entries(struct discover *d, const char *dir,
    void (*each)(
	struct discover *d, const char *path, const char *name, void *cookie),
    void *cookie)
{
	DIR *folder = opendir(dir);
	const struct dirent *entry;
	char **names = NULL;
	size_t count = 0;

	if (folder == NULL) {
		discover_failed(d, dir);
		return;
	}
	while (
	    count < DISCOVER_ENTRIES_MAX && (entry = readdir(folder)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		names = grow(names, count, sizeof(names[0]));
		names[count++] = mem_string(entry->d_name);
	}
	(void)closedir(folder);
	if (count > 0)
		qsort(names, count, sizeof(names[0]), by_name);
	for (size_t i = 0; i < count; i++) {
		char *path = mem_printf("%s/%s", dir, names[i]);

		each(d, path, names[i], cookie);
		free(path);
		free(names[i]);
	}
	free(names);
}

/* DIR once, if it is there. */
static void
visit(struct discover *d, struct known **seen, const char *dir,
    void (*each)(struct discover *d, const char *dir))
{
	if (recall(*seen, dir) != NULL)
		return;
	remember(seen, dir, none);
	if (access(dir, F_OK) == 0)
		each(d, dir);
	else
		discover_failed(d, dir);
}

/* The password file and no name service: those can hang, and know people who
 * have never been here. */
static void
visit_homes(struct discover *d, struct known **seen, const char *below,
    void (*each)(struct discover *d, const char *dir))
{
	char *file = discover_rooted(d, "/etc/passwd");
	FILE *users = fopen(file, "re");
	struct passwd user = {.pw_dir = NULL}, *got = NULL;
	char room[4096];
	int count = 0;

	while (users != NULL && count++ < DISCOVER_HOMES_MAX &&
	       fgetpwent_r(users, &user, room, sizeof(room), &got) == 0) {
		char *home, *dir;

		/* none: a line of "+" alone, which is for NIS */
		if (user.pw_dir == NULL || user.pw_dir[0] != '/' ||
		    user.pw_dir[1] == '\0')
			continue;
		home = discover_rooted(d, user.pw_dir);
		dir = mem_printf("%s/%s", home, below);
		visit(d, seen, dir, each);
		free(dir);
		free(home);
	}
	if (users != NULL)
		(void)fclose(users);
	free(file);
}

void
discover_dirs(struct discover *d, const char *below, const char *const usual[],
    void (*each)(struct discover *d, const char *dir))
{
	const char *home = getenv("HOME");
	struct known *seen = NULL;

	for (size_t i = 0; usual[i] != NULL; i++) {
		char *dir = discover_rooted(d, usual[i]);

		visit(d, &seen, dir, each);
		free(dir);
	}
	if (below != NULL) {
		visit_homes(d, &seen, below, each);
		if (d->options->root == NULL && home != NULL &&
		    home[0] == '/') {
			char *dir = mem_printf("%s/%s", home, below);

			visit(d, &seen, dir, each);
			free(dir);
		}
	}
	for (size_t i = 0; i < d->options->place_count; i++) {
		const struct discover_place *place = &d->options->places[i];

		if (strcmp(place->finder, d->finder) != 0 ||
		    recall(seen, place->dir) != NULL)
			continue;
		remember(&seen, place->dir, none);
		/* one that was asked for and is not there is worth a word */
		if (access(place->dir, F_OK) == 0)
			each(d, place->dir);
		else
			discover_note(d, place->dir,
			    "cannot look into '%s': %s", place->dir,
			    strerror(errno));
	}
	forget(&seen);
}

char *
discover_read(struct discover *d, const char *path)
{
	uint8_t *bytes = NULL;
	struct err err = {0};
	size_t len = 0;

	if (access(path, F_OK) == -1 && errno == ENOENT)
		return NULL;
	if (!is_ordinary(d, path))
		return NULL;
	if (file_read(path, DISCOVER_FILE_MAX, &bytes, &len, &err) == -1) {
		add_note(d, path, &err);
		return NULL;
	}
	return (char *)bytes;
}

void
discover_nginx(struct discover *d)
{
	const struct nginx_conf *conf = d->options->nginx;

	for (size_t i = 0; conf != NULL && i < conf->site_count; i++) {
		for (size_t c = 0; c < conf->sites[i].certificate_count; c++)
			discover_path(d, conf->sites[i].certificates[c], NULL);
	}
}

/* --- the whole --- */

int
discover_place_parse(
    const char *text, struct discover_place *out, struct err *err)
{
	const char *dir = strchr(text, '=');

	for (size_t i = 1; dir != NULL && dir[1] == '/' && i < FINDERS; i++) {
		if (strlen(finders[i].name) == (size_t)(dir - text) &&
		    text_starts(text, finders[i].name)) {
			*out =
			    (struct discover_place){finders[i].name, dir + 1};
			return 0;
		}
	}
	return err_set(err, REASON_USAGE,
	    "'%s' is no place of certificates: give certbot=/DIR, "
	    "acme.sh=/DIR, lego=/DIR or dehydrated=/DIR",
	    text);
}

void
discover(const struct discover_options *options, struct discovery *out)
{
	struct discover d = {.options = options, .out = out};

	*out = (struct discovery){0};
	for (size_t i = 0; i < FINDERS; i++) {
		d.finder = finders[i].name;
		finders[i].find(&d);
	}
	forget(&d.paths);
	forget(&d.fingerprints);
}

void
discovery_done(struct discovery *discovery)
{
	for (size_t i = 0; i < discovery->count; i++) {
		struct discovered *item = &discovery->items[i];

		for (size_t p = 0; p < item->place_count; p++)
			free(item->places[p].path);
		free(item->places);
		free(item->issuer);
		identity_done(&item->id);
	}
	for (size_t i = 0; i < discovery->note_count; i++)
		free(discovery->notes[i].path);
	free(discovery->items);
	free(discovery->notes);
	*discovery = (struct discovery){0};
}

bool
discovered_by(const struct discovered *item, const char *finder)
{
	for (size_t i = 0; i < item->place_count; i++) {
		if (strcmp(item->places[i].finder, finder) == 0)
			return true;
	}
	return false;
}
