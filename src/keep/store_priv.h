/* SPDX-License-Identifier: ISC */
/* keep/store_priv.h -- the inside of the store, for its two files: store.c
 * (the database, staples and attempts) and store_book.c. */
#ifndef OCLASP_KEEP_STORE_PRIV_H
#define OCLASP_KEEP_STORE_PRIV_H

#include <sqlite3.h>
#include <stdbool.h>

struct err;

struct store {
	sqlite3 *db;
	char *path;
};

/* REASON_STORE with SQLite's own words; WHAT is a verb. */
int store_fail(const struct store *store, const char *what, struct err *err);

/* A statement with KEY as its first parameter; NULL if it cannot be made,
 * which store_run() then reports. */
sqlite3_stmt *store_prepare(
    struct store *store, const char *sql, const char *key);

/* Do it, and free it. */
int store_run(struct store *store, sqlite3_stmt *query, struct err *err);

/* Do SQL without parameters and results. */
bool store_sql(struct store *store, const char *sql);

/* Several changes as one: if they were not GOOD, what was done of them since
 * BEGIN is undone. */
int store_end(
    struct store *store, bool good, const char *what, struct err *err);

#endif
