/* SPDX-License-Identifier: ISC */
/* keep/store_prune.c -- what is too old goes, little by little. */
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "keep/store.h"
#include "keep/store_priv.h"

enum {
	PRUNE_ATTEMPTS = 500,      /* looked at in one transaction, */
	PRUNE_CERTIFICATES = 1000, /* and of these */
	FUTURE_S = 86400, /* a clock that is set wrong by more is not ours */
};

/* The oldest attempts.  *MORE: there may be more of them. */
static int
prune_attempts(struct store_db *db, int64_t now, bool *more, struct err *err)
{
	sqlite3_stmt *query = store_sql(db, SQL_OLD_ATTEMPTS);

	(void)sqlite3_bind_int(query, 1, PRUNE_ATTEMPTS);
	(void)sqlite3_bind_int64(query, 2, now - STORE_ATTEMPTS_AGE_S);
	(void)sqlite3_bind_int64(query, 3, now + FUTURE_S);
	if (store_run(db, query, err) == -1)
		return -1;
	*more = sqlite3_changes(db->sqlite) > 0;
	return 0;
}

static int
drop(struct store_db *db, int64_t id, struct err *err)
{
	sqlite3_stmt *query = store_sql(db, SQL_DROP_ATTEMPTS);

	(void)sqlite3_bind_int64(query, 1, id);
	if (store_run(db, query, err) == -1)
		return -1;
	query = store_sql(db, SQL_DROP);
	(void)sqlite3_bind_int64(query, 1, id);
	return store_run(db, query, err);
}

/* The next certificates by id, after *AFTER, which moves on; 0: all are seen.
 * They are listed first: what is walked is not changed. */
static int
prune_certificates(
    struct store_db *db, int64_t now, int64_t *after, struct err *err)
{
	sqlite3_stmt *query = store_sql(db, SQL_NEXT_OF_ALL);
	int64_t doomed[PRUNE_CERTIFICATES];
	size_t count = 0, seen = 0;
	int rc = SQLITE_ERROR;

	(void)sqlite3_bind_int64(query, 1, *after);
	(void)sqlite3_bind_int64(query, 2, now - STORE_UNKEPT_S);
	(void)sqlite3_bind_int(query, 3, PRUNE_CERTIFICATES);
	while (query != NULL && seen < PRUNE_CERTIFICATES &&
	       (rc = sqlite3_step(query)) == SQLITE_ROW) {
		*after = sqlite3_column_int64(query, 0);
		if (sqlite3_column_int(query, 1) != 0)
			doomed[count++] = *after;
		seen++;
	}
	if (store_done(db, query, rc, err) == -1)
		return -1;
	for (size_t i = 0; i < count; i++) {
		if (drop(db, doomed[i], err) == -1)
			return -1;
	}
	if (seen < PRUNE_CERTIFICATES)
		*after = 0;
	return 0;
}

int
store_prune_some(
    struct store_db *db, struct store_pruning *pruning, struct err *err)
{
	struct store_pruning next = *pruning;
	bool good;

	if (store_begin(db, err) == -1)
		return -1;
	if (next.attempts_done) {
		good = prune_certificates(db, next.now, &next.after, err) == 0;
		next.due = next.after != 0;
	} else {
		bool more = false;

		good = prune_attempts(db, next.now, &more, err) == 0;
		next.attempts_done = !more;
	}
	if (store_end(db, good, "write", err) == -1)
		return -1;
	*pruning = next;
	return 0;
}
