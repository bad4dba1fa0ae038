/* SPDX-License-Identifier: ISC */
/* keep/store.c -- open the store, set a damaged one aside, close it. */
#include "keep/store.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "keep/store_priv.h"

enum {
	ASIDE_MAX = 100, /* damaged ones of one second */
};

void
store_close(struct store *store)
{
	if (store == NULL)
		return;
	store_db_close(&store->db);
	free(store->path);
	free(store);
}

struct store_db *
store_reader(struct store *store)
{
	store->db.code = 0;
	return &store->db;
}

int
store_submit(struct store *store, struct store_row *row, struct err *err)
{
	int rc = store_begin(&store->db, err);

	if (rc == 0)
		rc = store_end(&store->db,
		    row->apply(&store->db, row, err) == 0, "write", err);
	free(row);
	return rc;
}

/* --- is it sound, and of our version? --- */

enum soundness { SOUND, DAMAGED, UNREADABLE };

/* Only what SQLite itself calls damage is damage: a database that is locked,
 * or that we may not read, is as good as it was. */
static enum soundness
examine(struct store_db *db)
{
	sqlite3_stmt *query = NULL;
	int rc = sqlite3_prepare_v2(
	    db->sqlite, "PRAGMA quick_check(1)", -1, &query, NULL);
	enum soundness found = UNREADABLE;

	if (rc == SQLITE_OK)
		rc = sqlite3_step(query);
	if (rc == SQLITE_ROW) {
		const char *text = store_column(query, 0);

		found =
		    text != NULL && strcmp(text, "ok") == 0 ? SOUND : DAMAGED;
	} else if ((rc & 0xff) == SQLITE_CORRUPT ||
		   (rc & 0xff) == SQLITE_NOTADB) {
		found = DAMAGED;
	}
	(void)sqlite3_finalize(query);
	return found;
}

static int
check_version(struct store_db *db, int *version, struct err *err)
{
	*version = store_version(db);
	if (*version < 0)
		return store_fail(db, "read", err);
	if (*version <= store_version_known())
		return 0;
	return err_set(err, REASON_STORE,
	    "the store '%s' is of version %d, made by a newer oclasp; this one "
	    "knows %d: give it another --state-dir",
	    db->path, *version, store_version_known());
}

/* What every connection that may write wants: a log that is written back in
 * large pieces (of 4000 pages of 4 KiB) and cut back after a rush, and room for
 * the pages of one large transaction (of so many KiB; only what is used is
 * taken). */
static int
set_up(struct store_db *db, struct err *err)
{
	return store_do(db, "PRAGMA journal_mode = WAL;"
			    "PRAGMA synchronous = FULL;"
			    "PRAGMA wal_autocheckpoint = 4000;"
			    "PRAGMA journal_size_limit = 67108864;"
			    "PRAGMA cache_size = -16384;")
		   ? 0
		   : store_fail(db, "open", err);
}

/* --- as the owner --- */

/* 0: ready; -1: an error of the system; 1: it is damaged. */
static int
open_sound(struct store_db *db, const char *path, struct err *err)
{
	int version;

	if (store_db_open(db, path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
		err) == -1)
		return -1;
	switch (examine(db)) {
	case DAMAGED:
		return 1;
	case UNREADABLE:
		return store_fail(db, "read", err);
	case SOUND:
		break;
	}
	if (check_version(db, &version, err) == -1 || set_up(db, err) == -1)
		return -1;
	return version == store_version_known() ? 0 : store_migrate(db, err);
}

/* A name beside PATH that nobody has. */
static char *
free_name(const char *path)
{
	char now[CLOCK_TEXT];
	char *name = mem_printf(
	    "%s.damaged-%s", path, clock_rfc3339(clock_wall_s(), now));

	for (int i = 2; i <= ASIDE_MAX && access(name, F_OK) == 0; i++) {
		free(name);
		name = mem_printf("%s.damaged-%s-%d", path, now, i);
	}
	return name;
}

/* Its journal belongs to the damaged one, not to the next. */
static char *
set_aside(const char *path, struct err *err)
{
	static const char *const suffixes[] = {"-wal", "-shm"};
	char *aside = free_name(path);

	if (rename(path, aside) == -1) {
		(void)err_set(err, REASON_STORE,
		    "the store '%s' is damaged and cannot be set aside: %s",
		    path, strerror(errno));
		free(aside);
		return NULL;
	}
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		char *journal = mem_printf("%s%s", path, suffixes[i]);
		char *moved = mem_printf("%s%s", aside, suffixes[i]);

		(void)rename(journal, moved);
		free(journal);
		free(moved);
	}
	return aside;
}

static int
own(struct store_db *db, const char *path, char **aside, struct err *err)
{
	int rc = open_sound(db, path, err);

	if (rc == 1) {
		store_db_close(db);
		*aside = set_aside(path, err);
		rc = *aside == NULL ? -1 : open_sound(db, path, err);
	}
	if (rc != 0)
		store_db_close(db);
	return rc == 0 ? 0 : -1;
}

struct store *
store_open(const char *path, char **aside, struct err *err)
{
	struct store *store = mem_new(sizeof(*store));

	*aside = NULL;
	store->path = mem_string(path);
	if (own(&store->db, store->path, aside, err) == 0)
		return store;
	store_close(store);
	return NULL;
}

/* --- as a visitor --- */

/* A keeper that runs works with the tables as they are. */
static int
migrate_alone(struct store_db *db, struct err *err)
{
	char *copy = mem_string(db->path);
	char *lock = mem_printf("%s/lock", dirname(copy));
	struct err why = {0};
	int fd = -1;
	int rc = -1;

	if (file_lock(lock, &fd, &why) == 0)
		rc = store_migrate(db, err);
	else if (why.reason == REASON_USAGE)
		(void)err_set(err, REASON_STORE,
		    "the store '%s' is of an earlier version, and the oclasp "
		    "keep that works with it is too: start that anew first",
		    db->path);
	else
		(void)err_set(err, REASON_STORE, "%s", why.text);
	if (fd != -1)
		close(fd);
	free(lock);
	free(copy);
	return rc;
}

static int
open_visit(struct store_db *db, const char *path, unsigned how, struct err *err)
{
	int make = (how & STORE_MAKE) != 0 ? SQLITE_OPEN_CREATE : 0;
	int version;

	if (store_db_open(db, path, SQLITE_OPEN_READWRITE | make, err) == -1 ||
	    check_version(db, &version, err) == -1 || set_up(db, err) == -1)
		return -1;
	if (version == store_version_known())
		return 0;
	/* a new one has no keeper yet, or one that is about to do the same */
	return version == 0 || (how & STORE_MINE) != 0 ? store_migrate(db, err)
						       : migrate_alone(db, err);
}

struct store *
store_visit(const char *path, unsigned how, struct err *err)
{
	struct store *store = mem_new(sizeof(*store));

	store->path = mem_string(path);
	if (open_visit(&store->db, store->path, how, err) == 0)
		return store;
	store_close(store);
	return NULL;
}
