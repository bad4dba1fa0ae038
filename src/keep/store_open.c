/* SPDX-License-Identifier: ISC */
/* keep/store_open.c -- sound or damaged, of which version, and who may what. */
#include <errno.h>
#include <fcntl.h>
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
#include "keep/store.h"
#include "keep/store_priv.h"

enum {
	ASIDE_MAX = 100,       /* damaged ones of one second */
	EXAMINE_MAX = 1 << 30, /* octets: a larger one (a second's work, of far
				  more than 100,000 certificates) is not read
				  as a whole at a start: damage in it is met
				  where it lies */
};

/* --- is it sound, and of our version? --- */

static bool
is_damage(int code)
{
	return (code & 0xff) == SQLITE_CORRUPT ||
	       (code & 0xff) == SQLITE_NOTADB;
}

/* Read well, and of a version that no oclasp has ever written. */
static bool
is_of_none(struct store_db *db)
{
	return store_number(
		   db, "SELECT user_version < 0 FROM pragma_user_version") == 1;
}

/* Only what SQLite itself calls damage is damage, and a version of none: a
 * database that is locked, or that we may not read, is as good as it was. */
enum store_soundness
store_examine(struct store_db *db)
{
	sqlite3_stmt *query = NULL;
	int rc = sqlite3_prepare_v2(
	    db->sqlite, "PRAGMA quick_check(1)", -1, &query, NULL);
	enum store_soundness found = STORE_UNREADABLE;

	if (rc == SQLITE_OK)
		rc = sqlite3_step(query);
	if (rc == SQLITE_ROW) {
		const char *text = store_column(query, 0);

		found =
		    text != NULL && strcmp(text, "ok") == 0 && !is_of_none(db)
			? STORE_SOUND
			: STORE_DAMAGED;
	} else if (is_damage(rc)) {
		found = STORE_DAMAGED;
	}
	(void)sqlite3_finalize(query);
	return found;
}

static int
check_version(struct store_db *db, int *version, struct err *err)
{
	*version = store_version(db);
	if (*version < 0 && is_of_none(db)) /* the next keep sets it aside */
		return err_set(err, REASON_STORE,
		    "the store '%s' is damaged: no oclasp writes version %d",
		    db->path, *version);
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
 * pieces of 8 MiB (2000 pages) and cut back after a rush, and room for
 * the pages of one large transaction (of so many KiB; only what is used is
 * taken). */
static int
set_up(struct store_db *db, struct err *err)
{
	return store_do(db, "PRAGMA journal_mode = WAL;"
			    "PRAGMA synchronous = FULL;"
			    "PRAGMA wal_autocheckpoint = 2000;"
			    "PRAGMA journal_size_limit = 67108864;"
			    "PRAGMA cache_size = -16384;")
		   ? 0
		   : store_fail(db, "open", err);
}

/* --- as the owner --- */

/* Of a large one only the head. */
static enum store_soundness
examine_at_start(struct store_db *db)
{
	struct stat st;

	if (stat(db->path, &st) == -1 || st.st_size <= EXAMINE_MAX)
		return store_examine(db);
	if (store_version(db) >= 0)
		return STORE_SOUND;
	return is_damage(sqlite3_errcode(db->sqlite)) || is_of_none(db)
		   ? STORE_DAMAGED
		   : STORE_UNREADABLE;
}

/* 0: ready; -1: an error of the system; 1: it is damaged. */
static int
open_sound(struct store_db *db, const char *path, bool *is_new, struct err *err)
{
	struct err why = {0};
	int version;

	db->code = 0;
	if (store_db_open(db, path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
		err) == -1)
		return -1;
	switch (examine_at_start(db)) {
	case STORE_DAMAGED:
		return 1;
	case STORE_UNREADABLE:
		return store_fail(db, "read", err);
	case STORE_SOUND:
		break;
	}
	/* SQLite opens what it may not write without a word */
	if (sqlite3_db_readonly(db->sqlite, "main") != 0) {
		db->code = SQLITE_READONLY;
		return err_set(err, REASON_STORE,
		    "cannot write the store '%s': it is read-only", path);
	}
	if (check_version(db, &version, err) == -1 || set_up(db, err) == -1)
		return -1;
	if (version != store_version_known() && store_migrate(db, &why) == -1) {
		/* tables, and no version: those of none of ours */
		if (version == 0 && (db->code & 0xff) == SQLITE_ERROR)
			return 1;
		return err_set(err, why.reason, "%s", why.text);
	}
	*is_new = version == 0;
	return 0;
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

/* The log at PATH, and its index, go to ASIDE, as far as they are there. */
static void
move_log(const char *path, const char *aside)
{
	static const char *const suffixes[] = {"-wal", "-shm"};

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		char *journal = mem_printf("%s%s", path, suffixes[i]);
		char *moved = mem_printf("%s%s", aside, suffixes[i]);

		(void)rename(journal, moved);
		free(journal);
		free(moved);
	}
}

char *
store_set_aside(const char *path, struct err *err)
{
	char *aside = free_name(path);

	if (rename(path, aside) == -1) {
		(void)err_set(err, REASON_STORE,
		    "the store '%s' is damaged and cannot be set aside: %s",
		    path, strerror(errno));
		free(aside);
		return NULL;
	}
	/* it belongs to the damaged one, not to the next */
	move_log(path, aside);
	return aside;
}

void
store_set_log_aside(const char *path)
{
	char *aside = free_name(path);

	move_log(path, aside);
	free(aside);
}

int
store_own(struct store_db *db, const char *path, struct store_owned *out,
    struct err *err)
{
	int rc = open_sound(db, path, &out->is_new, err);

	if (rc == 1) {
		store_db_abandon(db);
		out->aside = store_set_aside(path, err);
		rc = out->aside == NULL
			 ? -1
			 : open_sound(db, path, &out->is_new, err);
	}
	if (rc == 0)
		return 0;
	store_db_close(db);
	return -1;
}

/* What an operator has to mend: he has no right to it, or it is none. */
static bool
is_denied(const char *path)
{
	char *copy = mem_string(path);
	bool denied =
	    faccessat(AT_FDCWD, path, R_OK | W_OK, AT_EACCESS) == -1 &&
	    errno != EROFS && errno != ENOENT;
	struct stat st;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		denied = true;
	if (faccessat(AT_FDCWD, dirname(copy), W_OK | X_OK, AT_EACCESS) == -1 &&
	    errno != EROFS)
		denied = true;
	free(copy);
	return denied;
}

bool
store_may_pass(const struct store_db *db)
{
	switch (db->code & 0xff) {
	case SQLITE_FULL:
	case SQLITE_IOERR:
	case SQLITE_BUSY:
	case SQLITE_PROTOCOL:
	case SQLITE_NOMEM:
	case SQLITE_CORRUPT: /* and it cannot be set aside */
	case SQLITE_NOTADB:
		return true;
	case SQLITE_CANTOPEN:
	case SQLITE_READONLY:
		return !is_denied(db->path);
	default:
		return false;
	}
}

/* --- to read only --- */

/* PATH for a URI of SQLite: what has a meaning there is written in hex. */
static char *
as_uri(const char *path)
{
	struct buf uri;

	buf_init(&uri, 3 * strlen(path) + 64);
	buf_puts(&uri, "file:");
	for (const char *at = path; *at != '\0'; at++) {
		if (strchr("?#%", *at) != NULL)
			buf_printf(&uri, "%%%02x", (unsigned)(uint8_t)*at);
		else
			buf_add(&uri, at, 1);
	}
	/* nobody can change it, and no file can be made beside it */
	buf_puts(&uri, "?immutable=1");
	return buf_take(&uri);
}

static bool
log_is_empty(const char *path)
{
	char *log = mem_printf("%s-wal", path);
	struct stat st;
	bool empty = stat(log, &st) == -1 || st.st_size == 0;

	free(log);
	return empty;
}

/* A database with a log is read together with that, which needs its index,
 * which has to be there or to be made; one without a log stands by itself. */
static int
open_unwritable(struct store_db *db, const char *path)
{
	char *uri = as_uri(path);
	int rc = -1;

	if (store_db_open(db, path, SQLITE_OPEN_READONLY, NULL) == 0 &&
	    store_version(db) == store_version_known())
		rc = 0;
	if (rc == -1 && log_is_empty(path)) {
		store_db_close(db);
		rc = store_db_open(
		    db, uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL);
		db->path = path;
	}
	if (rc == 0 && store_version(db) != store_version_known())
		rc = -1;
	if (rc == -1)
		store_db_close(db);
	free(uri);
	return rc;
}

void
store_open_to_read(struct store_db *db, const char *path)
{
	if (open_unwritable(db, path) == 0 && store_examine(db) == STORE_SOUND)
		return;
	store_db_close(db);
	(void)store_db_open(
	    db, ":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
	(void)store_migrate(db, NULL);
	db->path = path;
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
open_to_write(
    struct store_db *db, const char *path, unsigned how, struct err *err)
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

/* CODE may be of a disk where nothing can be written: with no room for the index
 * of a log, reading fails as well. */
static bool
is_of_unwritable(int code)
{
	switch (code & 0xff) {
	case SQLITE_CANTOPEN:
	case SQLITE_READONLY:
	case SQLITE_IOERR:
	case SQLITE_FULL:
		return true;
	default:
		return false;
	}
}

int
store_open_visit(
    struct store_db *db, const char *path, unsigned how, struct err *err)
{
	struct err why = {0};

	if (open_to_write(db, path, how, &why) == 0)
		return 0;
	store_db_close(db);
	if (is_of_unwritable(db->code) && open_unwritable(db, path) == 0)
		return 0;
	return err_set(err, why.reason, "%s", why.text);
}
