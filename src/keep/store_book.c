/* SPDX-License-Identifier: ISC */
/* keep/store_book.c -- the address book and the list of what is kept. */
#include <stdlib.h>
#include <string.h>

#include "acquire/address_book.h"
#include "base/err.h"
#include "base/mem.h"
#include "keep/store.h"
#include "keep/store_priv.h"

/* --- the address book --- */

static sqlite3_stmt *
prepare_plain(struct store *store, const char *text)
{
	sqlite3_stmt *query = NULL;

	(void)sqlite3_prepare_v2(store->db, text, -1, &query, NULL);
	return query;
}

/* The text of a column; NULL for NULL.  Borrowed until the next step. */
static const char *
column_text(sqlite3_stmt *query, int column)
{
	return (const char *)sqlite3_column_text(query, column);
}

int
store_load_book(struct store *store, struct address_book *book, int64_t now,
    struct err *err)
{
	sqlite3_stmt *query = prepare_plain(store,
	    "SELECT host, address, proven_at, latency_ms, failures FROM address"
	    " ORDER BY proven_at DESC LIMIT ?");
	int rc = SQLITE_ERROR;

	if (query != NULL)
		(void)sqlite3_bind_int(
		    query, 1, BOOK_HOSTS_MAX * BOOK_PER_HOST_MAX);
	while (query != NULL && (rc = sqlite3_step(query)) == SQLITE_ROW) {
		struct book_entry entry = {
		    .proven_at = sqlite3_column_int64(query, 2),
		    .latency_ms = sqlite3_column_int64(query, 3),
		    .failures = (unsigned)sqlite3_column_int(query, 4)};
		const char *host = column_text(query, 0);
		const char *address = column_text(query, 1);

		if (host == NULL || strlen(host) >= sizeof(entry.host) ||
		    address == NULL || strlen(address) >= sizeof(entry.address))
			continue;
		memcpy(entry.host, host, strlen(host) + 1);
		memcpy(entry.address, address, strlen(address) + 1);
		address_book_load(book, &entry, now);
	}
	if (rc != SQLITE_DONE)
		(void)store_fail(store, "read", err);
	(void)sqlite3_finalize(query);
	return rc == SQLITE_DONE ? 0 : -1;
}

static int
put_entry(struct store *store, const struct book_entry *entry, struct err *err)
{
	sqlite3_stmt *query = store_prepare(store,
	    "INSERT INTO address (host, address, proven_at, latency_ms,"
	    " failures) VALUES (?, ?, ?, ?, ?) ON CONFLICT (host, address) DO"
	    " UPDATE SET proven_at = excluded.proven_at, latency_ms ="
	    " excluded.latency_ms, failures = excluded.failures"
	    " WHERE excluded.proven_at >= proven_at",
	    entry->host);

	(void)sqlite3_bind_text(query, 2, entry->address, -1, SQLITE_STATIC);
	(void)sqlite3_bind_int64(query, 3, entry->proven_at);
	(void)sqlite3_bind_int64(query, 4, entry->latency_ms);
	(void)sqlite3_bind_int64(query, 5, entry->failures);
	return store_run(store, query, err);
}

/* The bounds of the book, for what several processes have saved. */
static int
trim_book(struct store *store, int64_t now, struct err *err)
{
	sqlite3_stmt *query =
	    prepare_plain(store, "DELETE FROM address WHERE proven_at <= ?");

	(void)sqlite3_bind_int64(query, 1, now - BOOK_AGE_MAX_S);
	if (store_run(store, query, err) == -1)
		return -1;
	query = prepare_plain(store,
	    "DELETE FROM address WHERE (host, address) IN (SELECT host, address"
	    " FROM (SELECT host, address, row_number() OVER (PARTITION BY host"
	    " ORDER BY failures, proven_at DESC) AS place,"
	    " row_number() OVER (ORDER BY proven_at DESC) AS of_all"
	    " FROM address) WHERE place > ? OR of_all > ?)");
	(void)sqlite3_bind_int(query, 1, BOOK_PER_HOST_MAX);
	(void)sqlite3_bind_int(query, 2, BOOK_HOSTS_MAX * BOOK_PER_HOST_MAX);
	return store_run(store, query, err);
}

int
store_save_book(struct store *store, struct address_book *book, int64_t now,
    struct err *err)
{
	bool good = true;

	if (!address_book_is_changed(book))
		return 0;
	if (!store_sql(store, "BEGIN IMMEDIATE"))
		return store_fail(store, "write", err);
	for (size_t i = 0; good && i < address_book_count(book); i++) {
		const struct book_entry *entry = address_book_at(book, i);

		good = !entry->changed || put_entry(store, entry, err) == 0;
	}
	good = good && trim_book(store, now, err) == 0;
	if (store_end(store, good, "write", err) == -1)
		return -1;
	address_book_saved(book);
	return 0;
}

/* --- which certificates are kept --- */

int
store_put_targets(struct store *store, const struct store_target *targets,
    size_t count, struct err *err)
{
	bool good;

	if (!store_sql(store, "BEGIN IMMEDIATE"))
		return store_fail(store, "write", err);
	good = store_sql(store, "DELETE FROM target");
	for (size_t i = 0; good && i < count; i++) {
		sqlite3_stmt *query = store_prepare(store,
		    "INSERT OR REPLACE INTO target (certificate, issuer, url)"
		    " VALUES (?, ?, ?)",
		    targets[i].certificate);

		(void)sqlite3_bind_text(
		    query, 2, targets[i].issuer, -1, SQLITE_STATIC);
		(void)sqlite3_bind_text(
		    query, 3, targets[i].url, -1, SQLITE_STATIC);
		good = store_run(store, query, err) == 0;
	}
	return store_end(store, good, "write", err);
}

int
store_get_targets(struct store *store, struct store_target **out, size_t *count,
    struct err *err)
{
	sqlite3_stmt *query = prepare_plain(store,
	    "SELECT certificate, issuer, url FROM target ORDER BY certificate");
	struct store_target *list = NULL;
	size_t n = 0, room = 0;
	int rc = SQLITE_ERROR;

	while (query != NULL && (rc = sqlite3_step(query)) == SQLITE_ROW) {
		if (n == room) {
			room = room * 2 + 16;
			list = mem_resize(list, room, sizeof(list[0]));
		}
		list[n++] = (struct store_target){
		    .certificate = mem_string(column_text(query, 0)),
		    .issuer = mem_string(column_text(query, 1)),
		    .url = mem_string(column_text(query, 2)),
		};
	}
	(void)sqlite3_finalize(query);
	if (rc != SQLITE_DONE) {
		store_targets_free(list, n);
		return store_fail(store, "read", err);
	}
	*out = list;
	*count = n;
	return 0;
}

void
store_targets_free(struct store_target *targets, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(targets[i].certificate);
		free(targets[i].issuer);
		free(targets[i].url);
	}
	free(targets);
}
