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

struct book_row {
	struct store_row row; /* first */
	int64_t now;
	size_t count;
	struct book_entry entries[];
};

int
store_load_book(struct store *store, struct address_book *book, int64_t now,
    struct err *err)
{
	struct store_db *db = store_reader(store);
	sqlite3_stmt *query = store_sql(db, SQL_BOOK);
	int rc = SQLITE_ERROR;

	(void)sqlite3_bind_int(query, 1, BOOK_HOSTS_MAX * BOOK_PER_HOST_MAX);
	while (query != NULL && (rc = sqlite3_step(query)) == SQLITE_ROW) {
		struct book_entry entry = {
		    .proven_at = sqlite3_column_int64(query, 2),
		    .latency_ms = sqlite3_column_int64(query, 3),
		    .failures = (unsigned)sqlite3_column_int(query, 4)};
		const char *host = store_column(query, 0);
		const char *address = store_column(query, 1);

		if (host == NULL || strlen(host) >= sizeof(entry.host) ||
		    address == NULL || strlen(address) >= sizeof(entry.address))
			continue;
		memcpy(entry.host, host, strlen(host) + 1);
		memcpy(entry.address, address, strlen(address) + 1);
		address_book_load(book, &entry, now);
	}
	return store_read_done(store, query, rc, err);
}

static int
put_entry(struct store_db *db, const struct book_entry *entry, struct err *err)
{
	sqlite3_stmt *query = store_sql(db, SQL_ADDRESS);

	store_bind(query, 1, entry->host);
	store_bind(query, 2, entry->address);
	(void)sqlite3_bind_int64(query, 3, entry->proven_at);
	(void)sqlite3_bind_int64(query, 4, entry->latency_ms);
	(void)sqlite3_bind_int64(query, 5, entry->failures);
	return store_run(db, query, err);
}

/* The bounds of the book, for what several processes have saved. */
static int
trim_book(struct store_db *db, int64_t now, struct err *err)
{
	sqlite3_stmt *query = store_sql(db, SQL_BOOK_OLD);

	(void)sqlite3_bind_int64(query, 1, now - BOOK_AGE_MAX_S);
	if (store_run(db, query, err) == -1)
		return -1;
	query = store_sql(db, SQL_BOOK_MANY);
	(void)sqlite3_bind_int(query, 1, BOOK_PER_HOST_MAX);
	(void)sqlite3_bind_int(query, 2, BOOK_HOSTS_MAX * BOOK_PER_HOST_MAX);
	return store_run(db, query, err);
}

static int
apply_book(struct store_db *db, const struct store_row *row, struct err *err)
{
	const struct book_row *saved = (const struct book_row *)row;

	for (size_t i = 0; i < saved->count; i++) {
		if (put_entry(db, &saved->entries[i], err) == -1)
			return -1;
	}
	return trim_book(db, saved->now, err);
}

static int
save_book(struct store *store, struct address_book *book, int64_t now,
    bool whole, struct err *err)
{
	size_t count = address_book_count(book), n = 0;
	struct book_row *row = (struct book_row *)store_row_new(
	    sizeof(*row) + count * sizeof(row->entries[0]), apply_book);

	row->now = now;
	for (size_t i = 0; i < count; i++) {
		const struct book_entry *entry = address_book_at(book, i);

		if (whole || entry->changed)
			row->entries[n++] = *entry;
	}
	row->count = n;
	if (store_submit(store, &row->row, err) == -1)
		return -1;
	address_book_saved(book);
	return 0;
}

int
store_save_book(struct store *store, struct address_book *book, int64_t now,
    struct err *err)
{
	if (!address_book_is_changed(book))
		return 0;
	return save_book(store, book, now, false, err);
}

int
store_save_whole_book(struct store *store, struct address_book *book,
    int64_t now, struct err *err)
{
	return save_book(store, book, now, true, err);
}

/* --- which certificates are kept --- */

struct targets_row {
	struct store_row row; /* first */
	size_t count;
	struct store_target list[]; /* its strings stand behind it */
};

static int
apply_targets(struct store_db *db, const struct store_row *row, struct err *err)
{
	const struct targets_row *put = (const struct targets_row *)row;

	if (store_run(db, store_sql(db, SQL_TARGETS_NONE), err) == -1)
		return -1;
	for (size_t i = 0; i < put->count; i++) {
		sqlite3_stmt *query = store_sql(db, SQL_TARGET);

		store_bind(query, 1, put->list[i].certificate);
		store_bind(query, 2, put->list[i].issuer);
		store_bind(query, 3, put->list[i].url);
		store_bind(query, 4, put->list[i].fingerprint);
		if (store_run(db, query, err) == -1)
			return -1;
	}
	return 0;
}

static size_t
target_room(const struct store_target *target)
{
	return store_room(target->certificate) + store_room(target->issuer) +
	       store_room(target->url) + store_room(target->fingerprint);
}

int
store_put_targets(struct store *store, const struct store_target *targets,
    size_t count, struct err *err)
{
	struct targets_row *row;
	size_t size = sizeof(*row) + count * sizeof(row->list[0]);
	char *at;

	for (size_t i = 0; i < count; i++)
		size += target_room(&targets[i]);
	row = (struct targets_row *)store_row_new(size, apply_targets);
	row->count = count;
	at = (char *)&row->list[count];
	for (size_t i = 0; i < count; i++)
		row->list[i] = (struct store_target){
		    .certificate = store_copy(&at, targets[i].certificate),
		    .issuer = store_copy(&at, targets[i].issuer),
		    .url = store_copy(&at, targets[i].url),
		    .fingerprint = store_copy(&at, targets[i].fingerprint),
		};
	return store_submit(store, &row->row, err);
}

int
store_each_target(struct store *store,
    void (*each)(
	void *cookie, const char *certificate, const char *fingerprint),
    void *cookie, struct err *err)
{
	struct store_db *db = store_reader(store);
	sqlite3_stmt *query = store_sql(db, SQL_PRINTS);
	int rc = SQLITE_ERROR;

	while (query != NULL && (rc = sqlite3_step(query)) == SQLITE_ROW) {
		const char *certificate = store_column(query, 0);
		const char *fingerprint = store_column(query, 1);

		if (certificate != NULL && fingerprint != NULL)
			each(cookie, certificate, fingerprint);
	}
	return store_read_done(store, query, rc, err);
}

int
store_get_targets(struct store *store, struct store_target **out, size_t *count,
    struct err *err)
{
	struct store_db *db = store_reader(store);
	sqlite3_stmt *query = store_sql(db, SQL_TARGETS);
	struct store_target *list = NULL;
	size_t n = 0, room = 0;
	int rc = SQLITE_ERROR;

	while (query != NULL && (rc = sqlite3_step(query)) == SQLITE_ROW) {
		if (n == room) {
			room = room * 2 + 16;
			list = mem_resize(list, room, sizeof(list[0]));
		}
		list[n++] = (struct store_target){
		    .certificate = mem_string(store_column(query, 0)),
		    .issuer = mem_string(store_column(query, 1)),
		    .url = mem_string(store_column(query, 2)),
		    .fingerprint = mem_string(store_column(query, 3)),
		};
	}
	if (store_read_done(store, query, rc, err) == -1) {
		store_targets_free(list, n);
		return -1;
	}
	*out = list;
	*count = n;
	return 0;
}

int
store_find_target(struct store *store, const char *certificate,
    char **fingerprint, struct err *err)
{
	struct store_db *db = store_reader(store);
	sqlite3_stmt *query = store_sql(db, SQL_TARGET_OF);
	int rc;

	store_bind(query, 1, certificate);
	rc = query == NULL ? SQLITE_ERROR : sqlite3_step(query);
	if (rc == SQLITE_ROW)
		*fingerprint = mem_string(store_column(query, 0));
	return store_read_done(store, query, rc, err) == -1 ? -1
							    : rc == SQLITE_ROW;
}

void
store_targets_free(struct store_target *targets, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(targets[i].certificate);
		free(targets[i].issuer);
		free(targets[i].url);
		free(targets[i].fingerprint);
	}
	free(targets);
}
