/* SPDX-License-Identifier: ISC */
/* keep/store_priv.h -- the inside of the store, for its files: store.c (the
 * store as others see it), store_open.c (sound, damaged, of which version),
 * store_writer.c (the keeper's thread), store_db.c (one connection), store_schema.c (versions),
 * store_row.c (a certificate's changes), store_read.c (what is had back),
 * store_book.c (the address book, the list of targets) and store_prune.c (what
 * is too old). */
#ifndef OCLASP_KEEP_STORE_PRIV_H
#define OCLASP_KEEP_STORE_PRIV_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct staple;
struct store_report;
struct store_row;

/* The statements that are kept prepared; their texts are in store_db.c. */
enum store_sql {
	SQL_FIND,
	SQL_NEW,
	SQL_ATTEMPT,
	SQL_CHANGE,
	SQL_CHANGE_STATE,
	SQL_CHANGE_STAPLE,
	SQL_CHANGE_BOTH,
	SQL_SECOND,
	SQL_TRIM,
	SQL_ALL,
	SQL_SOME,
	SQL_ONE,
	SQL_DER,
	SQL_HISTORY,
	SQL_BOOK,
	SQL_ADDRESS,
	SQL_BOOK_OLD,
	SQL_BOOK_MANY,
	SQL_TARGETS,
	SQL_PRINTS,
	SQL_TARGET_OF,
	SQL_TARGETS_NONE,
	SQL_TARGET,
	SQL_OLD_ATTEMPTS,
	SQL_NEXT_OF_ALL,
	SQL_DROP_ATTEMPTS,
	SQL_DROP,
	STORE_SQL_COUNT
};

/* One connection, for one thread at a time. */
struct store_db {
	sqlite3 *sqlite;
	const char *path; /* borrowed of the store */
	sqlite3_stmt *kept[STORE_SQL_COUNT];
	int code; /* SQLite's, extended, of the first failure since store_begin;
		     0: none */
};

struct store {
	char *path;
	struct store_db db; /* to read by, and to write where there is no */
	struct store_writer *writer; /* or NULL */
	unsigned generation;         /* of the database that is read */
	bool suspect;                /* a reader has met damage */
};

/* --- store_db.c --- */

/* FLAGS as of sqlite3_open_v2. */
int store_db_open(
    struct store_db *db, const char *path, int flags, struct err *err);
void store_db_close(struct store_db *db); /* its code stays */

/* The same, when its files are not to be touched any more. */
void store_db_abandon(struct store_db *db);

/* Give back the memory of pages that nobody uses now. */
void store_db_rest(struct store_db *db);

/* REASON_STORE with SQLite's own words; WHAT is a verb. */
int store_fail(struct store_db *db, const char *what, struct err *err);

/* The kept statement, ready for its parameters; NULL if it cannot be made, on
 * which binding does nothing, and which store_run() reports. */
sqlite3_stmt *store_sql(struct store_db *db, enum store_sql which);

/* Bind TEXT or NULL, borrowed until the statement has run. */
void store_bind(sqlite3_stmt *query, int index, const char *text);

/* The text of a column; NULL for NULL.  Borrowed until the next step. */
const char *store_column(sqlite3_stmt *query, int column);

/* Run it to its end; it gives no rows. */
int store_run(struct store_db *db, sqlite3_stmt *query, struct err *err);

/* After the last row, or where a reader has enough: RC is what the last step
 * came to. */
int store_done(
    struct store_db *db, sqlite3_stmt *query, int rc, struct err *err);

/* Do TEXT, which has no parameters and gives nothing. */
bool store_do(struct store_db *db, const char *text);

/* The number that TEXT gives; -1 if it gives none. */
int store_number(struct store_db *db, const char *text);

/* Several changes as one: if they were not GOOD, what was done of them since
 * store_begin() is undone. */
int store_begin(struct store_db *db, struct err *err);
int store_end(
    struct store_db *db, bool good, const char *what, struct err *err);

/* --- store_schema.c --- */

/* The version of the database: 0 new, -1 unreadable; and the one we know. */
int store_version(struct store_db *db);
int store_version_known(void);

/* Bring it to the version we know.  Another process may do the same at this
 * moment. */
int store_migrate(struct store_db *db, struct err *err);

/* --- store.c --- */

/* The connection to read by. */
struct store_db *store_reader(struct store *store);

/* A read came to RC; what tells of damage is looked into. */
int store_read_done(
    struct store *store, sqlite3_stmt *query, int rc, struct err *err);

/* --- store_open.c --- */

enum store_soundness { STORE_SOUND, STORE_DAMAGED, STORE_UNREADABLE };

enum store_soundness store_examine(struct store_db *db);

/* What became of opening it as the owner. */
struct store_owned {
	char *aside; /* owned by the caller, or NULL */
	bool is_new; /* there was none, or none that could be used */
};

/* Open it for the one who has the lock: see store_keep().  On failure DB is
 * closed. */
int store_own(struct store_db *db, const char *path, struct store_owned *out,
    struct err *err);

/* Rename the database at PATH, and what belongs to it.  Its name, owned. */
char *store_set_aside(const char *path, struct err *err);

/* The same of its log alone, when that has lost its database. */
void store_set_log_aside(const char *path);

/* Open it to read what can be read, by whatever way: as it is while it cannot
 * be written, or, at the last, an empty one in memory. */
void store_open_to_read(struct store_db *db, const char *path);

/* See store_visit(). */
int store_open_visit(
    struct store_db *db, const char *path, unsigned how, struct err *err);

/* Whether what failed lastly may be over later: no room, a disk that cannot be
 * written for now, somebody else who is at it. */
bool store_may_pass(const struct store_db *db);

/* --- store_writer.c --- */

struct store_writer;

/* PATH is borrowed, and must outlive. */
struct store_writer *store_writer_start(const char *path, struct err *err);
void store_writer_end(struct store_writer *writer);

/* ROW is taken. */
void store_writer_put(struct store_writer *writer, struct store_row *row);

/* So that a reader sees what was put, unless that cannot be written for now:
 * then he does not wait.  Returns which database it is by now. */
unsigned store_writer_settle(struct store_writer *writer);

/* A reader has met what looks like damage. */
void store_writer_suspect(struct store_writer *writer);

int store_writer_flush(struct store_writer *writer, struct err *err);
void store_writer_prune(struct store_writer *writer, int64_t now);
void store_writer_report(struct store_writer *writer, struct store_report *out);

/* --- store_prune.c --- */

/* How far a pruning has come. */
struct store_pruning {
	bool due; /* there is more to do */
	int64_t now;
	bool attempts_done;
	int64_t after; /* the certificate looked at last */
};

/* The next part, as one short transaction. */
int store_prune_some(
    struct store_db *db, struct store_pruning *pruning, struct err *err);

/* --- changes --- */

/* A change on its way into the database: one block of memory, that begins with
 * this. */
struct store_row {
	struct store_row *next;
	size_t size; /* bytes of memory that it holds */
	int (*apply)(
	    struct store_db *db, const struct store_row *row, struct err *err);
	/* shares that it has; NULL: none.  The last of them may be gone then */
	struct staple *staple, *second;
};

/* A row with room for SIZE bytes in all. */
struct store_row *store_row_new(
    size_t size, int (*apply)(struct store_db *db, const struct store_row *row,
		     struct err *err));
void store_row_free(struct store_row *row);

/* The room of TEXT in a row (none for NULL), and TEXT copied to *AT, which moves
 * behind it. */
size_t store_room(const char *text);
char *store_copy(char **at, const char *text);

/* Write ROW, which is taken, by whatever way this store writes. */
int store_submit(struct store *store, struct store_row *row, struct err *err);

#endif
