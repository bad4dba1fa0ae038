/* SPDX-License-Identifier: ISC */
/* keep/store_schema.c -- the tables, version by version.
 *
 * Version 3 is made for a million certificates: whatever an attempt changes of
 * one lies on one page, its row, which holds the staple too; and attempts are
 * only appended.  So that no index has to be kept of them, a certificate knows
 * its newest, and each its previous one. */
#include <string.h>

#include "base/err.h"
#include "keep/store.h"
#include "keep/store_priv.h"

enum { SCHEMA = 4 };

/* What makes version N + 1 of version N.  A version that was ever released is
 * not changed any more. */
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

    "CREATE TABLE certificate (id INTEGER PRIMARY KEY,"
    " fingerprint TEXT NOT NULL UNIQUE, written_at INTEGER NOT NULL,"
    " last_id INTEGER, attempts INTEGER NOT NULL DEFAULT 0,"
    " last_attempt INTEGER NOT NULL DEFAULT 0,"
    " failures INTEGER NOT NULL DEFAULT 0, reason TEXT, detail TEXT,"
    " final TEXT, final_life INTEGER NOT NULL DEFAULT 0,"
    " floor INTEGER NOT NULL DEFAULT 0, fetch_again INTEGER NOT NULL DEFAULT 0,"
    " retry_after INTEGER NOT NULL DEFAULT 0,"
    " first_seen INTEGER NOT NULL DEFAULT 0,"
    " first_at INTEGER NOT NULL DEFAULT 0, random INTEGER NOT NULL DEFAULT 0,"
    " other_hash INTEGER NOT NULL DEFAULT 0, this_update INTEGER, der BLOB,"
    " der256 BLOB);"
    "ALTER TABLE attempt RENAME TO was;"
    "CREATE TABLE attempt (id INTEGER PRIMARY KEY,"
    " certificate INTEGER NOT NULL, previous INTEGER, at INTEGER NOT NULL,"
    " outcome TEXT NOT NULL, detail TEXT, url TEXT, address TEXT, source TEXT,"
    " elapsed_ms INTEGER NOT NULL, size INTEGER, this_update INTEGER,"
    " next_update INTEGER);"
    "ALTER TABLE target ADD COLUMN fingerprint TEXT;"
    "CREATE INDEX target_of ON target (fingerprint);"
    "INSERT INTO certificate (fingerprint, written_at, this_update, der)"
    " SELECT fingerprint, CAST (strftime('%s', 'now') AS INTEGER),"
    " this_update, der FROM staple;"
    "INSERT OR IGNORE INTO certificate (fingerprint, written_at)"
    " SELECT DISTINCT fingerprint, CAST (strftime('%s', 'now') AS INTEGER)"
    " FROM was;"
    "INSERT INTO attempt (id, certificate, previous, at, outcome, detail,"
    " address, source, elapsed_ms)"
    " SELECT was.id, certificate.id,"
    " lag(was.id) OVER (PARTITION BY fingerprint ORDER BY was.id),"
    " at, outcome, nullif(was.detail, ''), nullif(address, ''),"
    " nullif(source, ''), elapsed_ms FROM was JOIN certificate"
    " USING (fingerprint);"
    "UPDATE certificate SET"
    " last_id = (SELECT max(id) FROM was"
    " WHERE was.fingerprint = certificate.fingerprint),"
    " attempts = (SELECT count(*) FROM was"
    " WHERE was.fingerprint = certificate.fingerprint);"
    /* how the care stood, which version 2 did not know, of its history */
    "UPDATE certificate SET"
    " last_attempt = (SELECT at FROM was WHERE was.id = last_id),"
    " final = (SELECT nullif(outcome, 'good') FROM was"
    " WHERE was.fingerprint = certificate.fingerprint"
    " AND outcome IN ('good', 'revoked', 'unknown')"
    " ORDER BY was.id DESC LIMIT 1),"
    " failures = (SELECT count(*) FROM was"
    " WHERE was.fingerprint = certificate.fingerprint AND was.id >"
    " coalesce((SELECT max(id) FROM was AS good"
    " WHERE good.fingerprint = certificate.fingerprint"
    " AND good.outcome = 'good'), 0)"
    " AND outcome NOT IN ('good', 'revoked', 'unknown'))"
    " WHERE last_id IS NOT NULL;"
    "UPDATE certificate SET"
    " reason = (SELECT outcome FROM was WHERE was.id = last_id),"
    " detail = (SELECT detail FROM was WHERE was.id = last_id)"
    " WHERE failures > 0 AND EXISTS (SELECT 1 FROM was WHERE was.id = last_id"
    " AND outcome NOT IN ('good', 'revoked', 'unknown'));"
    "DROP TABLE was;"
    "DROP TABLE staple;"
    "PRAGMA user_version = 3;",

    /* what was stored before has none, and is verified in full */
    "ALTER TABLE certificate ADD COLUMN seal BLOB;"
    "ALTER TABLE certificate ADD COLUMN seal256 BLOB;"
    "PRAGMA user_version = 4;",
};

int
store_version(struct store_db *db)
{
	return store_number(db, "PRAGMA user_version");
}

int
store_version_known(void)
{
	return SCHEMA;
}

int
store_migrate(struct store_db *db, struct err *err)
{
	int version;
	bool good;

	if (store_begin(db, err) == -1)
		return -1;
	/* under the lock now: nobody else changes it */
	version = store_version(db);
	good = version >= 0;
	for (int v = version; good && v < SCHEMA; v++)
		good = store_do(db, steps[v]);
	return store_end(db, good, "begin", err);
}
