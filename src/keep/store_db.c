/* SPDX-License-Identifier: ISC */
/* keep/store_db.c -- one connection to the database, and its statements. */
#include <string.h>

#include "base/err.h"
#include "keep/store.h"
#include "keep/store_priv.h"

/* The walk from a certificate's newest attempt to its oldest. */
#define CHAIN                                                                \
	"WITH RECURSIVE chain AS (SELECT attempt.*, 1 AS n FROM certificate" \
	" JOIN attempt ON attempt.id = last_id"                              \
	" AND attempt.certificate = certificate.id WHERE "

#define CHAIN_ON                                                     \
	" UNION ALL SELECT attempt.*, n + 1 FROM chain JOIN attempt" \
	" ON attempt.id = chain.previous"                            \
	" AND attempt.certificate = chain.certificate"               \
	" AND attempt.id < chain.id"

#define ITEM                                                                    \
	"SELECT fingerprint, der, der256, this_update, last_attempt, failures," \
	" reason, detail, final, final_life, floor, fetch_again, retry_after,"  \
	" first_seen, first_at, random, other_hash, seal, seal256, id"          \
	" FROM certificate"

#define CHANGE \
	"UPDATE certificate SET written_at = ?2, last_id = ?3, attempts = ?4"
#define STATE                                                                 \
	", last_attempt = ?5, failures = ?6, reason = ?7, detail = ?8,"       \
	" final = ?9, final_life = ?10, floor = ?11, fetch_again = ?12,"      \
	" retry_after = ?13, first_seen = ?14, first_at = ?15, random = ?16," \
	" other_hash = ?17"
#define STAPLE ", this_update = ?18, der = ?19, seal = ?20"

static const char *const texts[STORE_SQL_COUNT] = {
    [SQL_FIND] = "SELECT id, last_id, attempts FROM certificate"
		 " WHERE fingerprint = ?",
    [SQL_NEW] = "INSERT INTO certificate (fingerprint, written_at)"
		" VALUES (?, ?)",
    [SQL_ATTEMPT] =
	"INSERT INTO attempt (certificate, previous, at, outcome, detail, url,"
	" address, source, elapsed_ms, size, this_update, next_update)"
	" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [SQL_CHANGE] = CHANGE " WHERE id = ?1",
    [SQL_CHANGE_STATE] = CHANGE STATE " WHERE id = ?1",
    [SQL_CHANGE_STAPLE] = CHANGE STAPLE " WHERE id = ?1",
    [SQL_CHANGE_BOTH] = CHANGE STATE STAPLE " WHERE id = ?1",
    [SQL_SECOND] = "UPDATE certificate SET der256 = ?2, seal256 = ?3"
		   " WHERE id = ?1",
    [SQL_TRIM] = "DELETE FROM attempt WHERE id IN (" CHAIN
		 "certificate.id = ?1" CHAIN_ON ") SELECT id FROM chain"
		 " WHERE n > ?2)",
    [SQL_ALL] = ITEM,
    [SQL_SOME] = ITEM " WHERE id > ?1 ORDER BY id LIMIT ?2",
    [SQL_ONE] = ITEM " WHERE fingerprint = ?",
    [SQL_DER] = "SELECT der FROM certificate WHERE fingerprint = ?"
		" AND der IS NOT NULL",
    [SQL_HISTORY] = CHAIN "fingerprint = ?1" CHAIN_ON
			  " WHERE n < ?2) SELECT at, outcome, detail, url,"
			  " address, source, elapsed_ms, size, this_update,"
			  " next_update FROM chain ORDER BY n",
    [SQL_BOOK] = "SELECT host, address, proven_at, latency_ms, failures"
		 " FROM address ORDER BY proven_at DESC LIMIT ?",
    [SQL_ADDRESS] =
	"INSERT INTO address (host, address, proven_at, latency_ms, failures)"
	" VALUES (?, ?, ?, ?, ?) ON CONFLICT (host, address) DO UPDATE SET"
	" proven_at = excluded.proven_at, latency_ms = excluded.latency_ms,"
	" failures = excluded.failures WHERE excluded.proven_at >= proven_at",
    [SQL_BOOK_OLD] = "DELETE FROM address WHERE proven_at <= ?",
    [SQL_BOOK_MANY] =
	"DELETE FROM address WHERE (host, address) IN (SELECT host, address"
	" FROM (SELECT host, address, row_number() OVER (PARTITION BY host"
	" ORDER BY failures, proven_at DESC) AS place, row_number() OVER"
	" (ORDER BY proven_at DESC) AS of_all FROM address)"
	" WHERE place > ? OR of_all > ?)",
    [SQL_TARGETS] = "SELECT certificate, issuer, url, fingerprint FROM target"
		    " ORDER BY certificate",
    [SQL_TARGET_OF] = "SELECT fingerprint FROM target WHERE certificate = ?1"
		      " AND fingerprint IS NOT NULL",
    [SQL_PRINTS] = "SELECT certificate, fingerprint FROM target"
		   " WHERE fingerprint IS NOT NULL",
    [SQL_TARGETS_NONE] = "DELETE FROM target",
    [SQL_TARGET] = "INSERT OR REPLACE INTO target (certificate, issuer, url,"
		   " fingerprint) VALUES (?, ?, ?, ?)",
    /* what seems to be of the future was written by a clock that was wrong; if
     * the newest does too, it is ours that is */
    [SQL_OLD_ATTEMPTS] =
	"DELETE FROM attempt WHERE id IN (SELECT id FROM attempt ORDER BY id"
	" LIMIT ?1) AND (at < ?2 OR (at > ?3 AND"
	" (SELECT at FROM attempt ORDER BY id DESC LIMIT 1) <= ?3))",
    [SQL_NEXT_OF_ALL] =
	"SELECT id, written_at < ?2 AND NOT EXISTS (SELECT 1 FROM target"
	" WHERE target.fingerprint = certificate.fingerprint)"
	" FROM certificate WHERE id > ?1 ORDER BY id LIMIT ?3",
    [SQL_DROP_ATTEMPTS] =
	"DELETE FROM attempt WHERE id IN (" CHAIN "certificate.id = ?1" CHAIN_ON
	") SELECT id FROM chain)",
    [SQL_DROP] = "DELETE FROM certificate WHERE id = ?",
};

int
store_db_open(struct store_db *db, const char *path, int flags, struct err *err)
{
	/* one thread at a time: no lock of SQLite's own */
	int rc = sqlite3_open_v2(
	    path, &db->sqlite, flags | SQLITE_OPEN_NOMUTEX, NULL);

	db->path = path;
	if (rc != SQLITE_OK)
		return store_fail(db, "open", err);
	(void)sqlite3_extended_result_codes(db->sqlite, 1);
	(void)sqlite3_busy_timeout(db->sqlite, STORE_BUSY_MS);
	return 0;
}

void
store_db_close(struct store_db *db)
{
	for (size_t i = 0; i < STORE_SQL_COUNT; i++)
		(void)sqlite3_finalize(db->kept[i]);
	(void)sqlite3_close(db->sqlite);
	*db = (struct store_db){.path = db->path, .code = db->code};
}

void
store_db_abandon(struct store_db *db)
{
	/* or the log would be written back into it, and removed by its name,
	 * which may be another one's by now */
	(void)sqlite3_db_config(
	    db->sqlite, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	store_db_close(db);
}

void
store_db_rest(struct store_db *db)
{
	if (db->sqlite != NULL)
		(void)sqlite3_db_release_memory(db->sqlite);
}

int
store_fail(struct store_db *db, const char *what, struct err *err)
{
	if (db->code == 0)
		db->code = sqlite3_extended_errcode(db->sqlite);
	return err_set(err, REASON_STORE, "cannot %s the store '%s': %s", what,
	    db->path, sqlite3_errmsg(db->sqlite));
}

sqlite3_stmt *
store_sql(struct store_db *db, enum store_sql which)
{
	if (db->kept[which] == NULL)
		(void)sqlite3_prepare_v3(db->sqlite, texts[which], -1,
		    SQLITE_PREPARE_PERSISTENT, &db->kept[which], NULL);
	return db->kept[which];
}

void
store_bind(sqlite3_stmt *query, int index, const char *text)
{
	(void)sqlite3_bind_text(query, index, text, -1, SQLITE_STATIC);
}

const char *
store_column(sqlite3_stmt *query, int column)
{
	return (const char *)sqlite3_column_text(query, column);
}

int
store_done(struct store_db *db, sqlite3_stmt *query, int rc, struct err *err)
{
	bool good = rc == SQLITE_DONE || rc == SQLITE_ROW;

	if (!good)
		(void)store_fail(db,
		    sqlite3_stmt_readonly(query) != 0 ? "read" : "write", err);
	if (query != NULL) {
		(void)sqlite3_reset(query);
		(void)sqlite3_clear_bindings(query);
	}
	return good ? 0 : -1;
}

int
store_run(struct store_db *db, sqlite3_stmt *query, struct err *err)
{
	return store_done(
	    db, query, query == NULL ? SQLITE_ERROR : sqlite3_step(query), err);
}

bool
store_do(struct store_db *db, const char *text)
{
	return sqlite3_exec(db->sqlite, text, NULL, NULL, NULL) == SQLITE_OK;
}

int
store_number(struct store_db *db, const char *text)
{
	sqlite3_stmt *query = NULL;
	int number = -1;

	if (sqlite3_prepare_v2(db->sqlite, text, -1, &query, NULL) ==
		SQLITE_OK &&
	    sqlite3_step(query) == SQLITE_ROW)
		number = sqlite3_column_int(query, 0);
	(void)sqlite3_finalize(query);
	return number;
}

int
store_begin(struct store_db *db, struct err *err)
{
	db->code = 0;
	return store_do(db, "BEGIN IMMEDIATE") ? 0
					       : store_fail(db, "write", err);
}

int
store_end(struct store_db *db, bool good, const char *what, struct err *err)
{
	if (good && store_do(db, "COMMIT"))
		return 0;
	(void)store_fail(db, what, err);
	(void)store_do(db, "ROLLBACK");
	return -1;
}
