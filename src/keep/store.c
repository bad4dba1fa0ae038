/* SPDX-License-Identifier: ISC */
/* keep/store.c -- what must survive a restart: SQLite in WAL mode. */
#include "keep/store.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "keep/store_priv.h"

enum {
	SCHEMA = 2,
	ASIDE_MAX = 100, /* damaged ones of one second */
};

/* What makes version N + 1 of version N. */
static const char *const steps[SCHEMA] = {
    "CREATE TABLE staple (fingerprint TEXT PRIMARY KEY, der BLOB NOT NULL,"
    " this_update INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE attempt (id INTEGER PRIMARY KEY, fingerprint TEXT NOT NULL,"
    " at INTEGER NOT NULL, outcome TEXT NOT NULL, detail TEXT, address TEXT,"
    " source TEXT, elapsed_ms INTEGER NOT NULL);"
    "CREATE INDEX attempt_of ON attempt (fingerprint, id);"
    "PRAGMA user_version = 1;",
    "CREATE TABLE address (host TEXT NOT NULL, address TEXT NOT NULL,"
    " proven_at INTEGER NOT NULL, latency_ms INTEGER NOT NULL,"
    " failures INTEGER NOT NULL, PRIMARY KEY (host, address)) WITHOUT ROWID;"
    "CREATE TABLE target (certificate TEXT PRIMARY KEY, issuer TEXT, url TEXT)"
    " WITHOUT ROWID;"
    "PRAGMA user_version = 2;",
};

int
store_fail(const struct store *store, const char *what, struct err *err)
{
	return err_set(err, REASON_STORE, "cannot %s the store '%s': %s", what,
	    store->path, sqlite3_errmsg(store->db));
}

void
store_close(struct store *store)
{
	if (store == NULL)
		return;
	(void)sqlite3_close(store->db);
	free(store->path);
	free(store);
}

static int
first_number(struct store *store, const char *sql)
{
	sqlite3_stmt *query = NULL;
	int number = -1;

	if (sqlite3_prepare_v2(store->db, sql, -1, &query, NULL) == SQLITE_OK &&
	    sqlite3_step(query) == SQLITE_ROW)
		number = sqlite3_column_int(query, 0);
	(void)sqlite3_finalize(query);
	return number;
}

enum soundness { SOUND, DAMAGED, UNREADABLE };

/* Only what SQLite itself calls damage is damage: a database that is locked,
 * or that we may not read, is as good as it was. */
static enum soundness
examine(struct store *store)
{
	sqlite3_stmt *query = NULL;
	int rc = sqlite3_prepare_v2(
	    store->db, "PRAGMA quick_check(1)", -1, &query, NULL);
	enum soundness found = UNREADABLE;

	if (rc == SQLITE_OK)
		rc = sqlite3_step(query);
	if (rc == SQLITE_ROW) {
		const unsigned char *text = sqlite3_column_text(query, 0);

		found = text != NULL && strcmp((const char *)text, "ok") == 0
			    ? SOUND
			    : DAMAGED;
	} else if (rc == SQLITE_CORRUPT || rc == SQLITE_NOTADB) {
		found = DAMAGED;
	}
	(void)sqlite3_finalize(query);
	return found;
}

static int
check_version(struct store *store, int *version, struct err *err)
{
	*version = first_number(store, "PRAGMA user_version");
	if (*version < 0)
		return store_fail(store, "read", err);
	if (*version <= SCHEMA)
		return 0;
	return err_set(err, REASON_STORE,
	    "the store '%s' is of version %d, made by a newer oclasp; this one "
	    "knows %d: give it another --state-dir",
	    store->path, *version, SCHEMA);
}

bool
store_sql(struct store *store, const char *text)
{
	return sqlite3_exec(store->db, text, NULL, NULL, NULL) == SQLITE_OK;
}

int
store_end(struct store *store, bool good, const char *what, struct err *err)
{
	if (good && store_sql(store, "COMMIT"))
		return 0;
	(void)store_fail(store, what, err);
	(void)store_sql(store, "ROLLBACK");
	return -1;
}

/* Bring it to SCHEMA.  Another process may do the same at this moment: the
 * version is read again under the lock. */
static int
migrate(struct store *store, struct err *err)
{
	bool good = store_sql(store, "BEGIN IMMEDIATE");
	int version = first_number(store, "PRAGMA user_version");

	if (!good)
		return store_fail(store, "begin", err);
	for (int v = version; good && v >= 0 && v < SCHEMA; v++)
		good = store_sql(store, steps[v]);
	return store_end(store, good && version >= 0, "begin", err);
}

/* 0: ready; -1: an error of the system; 1: it is damaged. */
static int
prepare(struct store *store, bool visitor, struct err *err)
{
	int version;

	(void)sqlite3_busy_timeout(store->db, STORE_BUSY_MS);
	/* a visitor has no use for what the check finds, and a large store
	 * takes its time */
	switch (visitor ? SOUND : examine(store)) {
	case DAMAGED:
		return 1;
	case UNREADABLE:
		return store_fail(store, "read", err);
	case SOUND:
		break;
	}
	if (check_version(store, &version, err) == -1)
		return -1;
	/* NORMAL in WAL mode: a power cut may cost the last transactions but
	 * never the database; the published files are flushed by themselves */
	if (!store_sql(store,
		"PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"))
		return store_fail(store, "open", err);
	return version == SCHEMA ? 0 : migrate(store, err);
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

static char *
set_aside(const char *path, struct err *err)
{
	char *aside = free_name(path);

	if (rename(path, aside) == 0)
		return aside;
	(void)err_set(err, REASON_STORE,
	    "the store '%s' is damaged and cannot be set aside: %s", path,
	    strerror(errno));
	free(aside);
	return NULL;
}

static struct store *
open_once(
    const char *path, bool make, bool visitor, bool *damaged, struct err *err)
{
	struct store *store = mem_new(sizeof(*store));
	int flags = SQLITE_OPEN_READWRITE | (make ? SQLITE_OPEN_CREATE : 0);
	int rc = -1;

	*damaged = false;
	store->path = mem_string(path);
	if (sqlite3_open_v2(path, &store->db, flags, NULL) == SQLITE_OK)
		rc = prepare(store, visitor, err);
	else
		(void)store_fail(store, "open", err);
	if (rc == 0)
		return store;
	*damaged = rc == 1;
	store_close(store);
	return NULL;
}

struct store *
store_open(const char *path, char **aside, struct err *err)
{
	struct store *store;
	bool damaged;

	*aside = NULL;
	store = open_once(path, true, false, &damaged, err);
	if (store != NULL || !damaged)
		return store;
	*aside = set_aside(path, err);
	if (*aside == NULL)
		return NULL;
	/* its journal belongs to the damaged one, not to the next */
	for (size_t i = 0; i < 2; i++) {
		const char *suffix = i == 0 ? "-wal" : "-shm";
		char *journal = mem_printf("%s%s", path, suffix);
		char *moved = mem_printf("%s%s", *aside, suffix);

		(void)rename(journal, moved);
		free(journal);
		free(moved);
	}
	return open_once(path, true, false, &damaged, err);
}

struct store *
store_visit(const char *path, bool make, struct err *err)
{
	bool damaged;

	return open_once(path, make, true, &damaged, err);
}

sqlite3_stmt *
store_prepare(struct store *store, const char *sql, const char *fingerprint)
{
	sqlite3_stmt *query = NULL;

	if (sqlite3_prepare_v2(store->db, sql, -1, &query, NULL) == SQLITE_OK)
		(void)sqlite3_bind_text(
		    query, 1, fingerprint, -1, SQLITE_STATIC);
	return query;
}

int
store_get(struct store *store, const char *fingerprint, uint8_t **der,
    size_t *len, struct err *err)
{
	sqlite3_stmt *query = store_prepare(
	    store, "SELECT der FROM staple WHERE fingerprint = ?", fingerprint);
	int rc = query == NULL ? SQLITE_ERROR : sqlite3_step(query);
	int found = -1;

	if (rc == SQLITE_ROW) {
		*len = (size_t)sqlite3_column_bytes(query, 0);
		*der = mem_copy(sqlite3_column_blob(query, 0), *len);
		found = 1;
	} else if (rc == SQLITE_DONE) {
		found = 0;
	} else {
		(void)store_fail(store, "read", err);
	}
	(void)sqlite3_finalize(query);
	return found;
}

int
store_run(struct store *store, sqlite3_stmt *query, struct err *err)
{
	int rc = query == NULL ? SQLITE_ERROR : sqlite3_step(query);

	if (rc != SQLITE_DONE)
		(void)store_fail(store, "write", err);
	(void)sqlite3_finalize(query);
	return rc == SQLITE_DONE ? 0 : -1;
}

int
store_put(struct store *store, const char *fingerprint, struct span der,
    int64_t this_update, struct err *err)
{
	sqlite3_stmt *query = store_prepare(store,
	    "INSERT OR REPLACE INTO staple (fingerprint, der, this_update)"
	    " VALUES (?, ?, ?)",
	    fingerprint);

	(void)sqlite3_bind_blob(query, 2, der.at, (int)der.len, SQLITE_STATIC);
	(void)sqlite3_bind_int64(query, 3, this_update);
	return store_run(store, query, err);
}

int
store_remove(struct store *store, const char *fingerprint, struct err *err)
{
	return store_run(store,
	    store_prepare(
		store, "DELETE FROM staple WHERE fingerprint = ?", fingerprint),
	    err);
}

int
store_add_attempt(struct store *store, const char *fingerprint,
    const struct store_attempt *attempt, struct err *err)
{
	sqlite3_stmt *query = store_prepare(store,
	    "INSERT INTO attempt (fingerprint, at, outcome, detail, address,"
	    " source, elapsed_ms) VALUES (?, ?, ?, ?, ?, ?, ?)",
	    fingerprint);

	(void)sqlite3_bind_int64(query, 2, attempt->at);
	(void)sqlite3_bind_text(query, 3, attempt->outcome, -1, SQLITE_STATIC);
	(void)sqlite3_bind_text(query, 4, attempt->detail, -1, SQLITE_STATIC);
	(void)sqlite3_bind_text(query, 5, attempt->address, -1, SQLITE_STATIC);
	(void)sqlite3_bind_text(query, 6, attempt->source, -1, SQLITE_STATIC);
	(void)sqlite3_bind_int64(query, 7, attempt->elapsed_ms);
	if (store_run(store, query, err) == -1)
		return -1;
	query = store_prepare(store,
	    "DELETE FROM attempt WHERE fingerprint = ?1 AND id <= (SELECT id"
	    " FROM attempt WHERE fingerprint = ?1 ORDER BY id DESC LIMIT 1"
	    " OFFSET ?2)",
	    fingerprint);
	(void)sqlite3_bind_int(query, 2, STORE_ATTEMPTS_MAX);
	return store_run(store, query, err);
}

bool
store_last_was(
    struct store *store, const char *fingerprint, const char *outcome)
{
	sqlite3_stmt *query = store_prepare(store,
	    "SELECT outcome FROM attempt WHERE fingerprint = ?"
	    " ORDER BY id DESC LIMIT 1",
	    fingerprint);
	const unsigned char *last = NULL;
	bool same;

	if (query != NULL && sqlite3_step(query) == SQLITE_ROW)
		last = sqlite3_column_text(query, 0);
	same = last != NULL && strcmp((const char *)last, outcome) == 0;
	(void)sqlite3_finalize(query);
	return same;
}
