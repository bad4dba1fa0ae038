/* SPDX-License-Identifier: ISC */
/* keep/store.c -- what must survive a restart: the store as others see it. */
#include "keep/store.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "keep/store_priv.h"

static struct store *
new_store(const char *path)
{
	struct store *store = mem_new(sizeof(*store));

	store->path = mem_string(path);
	return store;
}

void
store_close(struct store *store)
{
	if (store == NULL)
		return;
	/* the reader first: the last one writes the log back */
	store_db_close(&store->db);
	store_writer_end(store->writer);
	free(store->path);
	free(store);
}

struct store *
store_visit(const char *path, unsigned how, struct err *err)
{
	struct store *store = new_store(path);

	if (store_open_visit(&store->db, store->path, how, err) == 0)
		return store;
	store_close(store);
	return NULL;
}

struct store *
store_keep(const char *path, struct err *err)
{
	struct store *store = new_store(path);

	store->writer = store_writer_start(store->path, err);
	if (store->writer != NULL)
		return store;
	store_close(store);
	return NULL;
}

/* --- reading --- */

static void
open_reader(struct store *store)
{
	store_db_close(&store->db);
	if (store_db_open(
		&store->db, store->path, SQLITE_OPEN_READWRITE, NULL) == 0 &&
	    store_version(&store->db) == store_version_known())
		return;
	store_db_close(&store->db);
	store_open_to_read(&store->db, store->path);
}

struct store_db *
store_reader(struct store *store)
{
	unsigned generation = store->generation;

	store->db.code = 0;
	if (store->writer == NULL)
		return &store->db;
	generation = store_writer_settle(store->writer);
	if (store->db.sqlite == NULL || generation != store->generation)
		open_reader(store);
	store->generation = generation;
	return &store->db;
}

int
store_read_done(
    struct store *store, sqlite3_stmt *query, int rc, struct err *err)
{
	int done = store_done(&store->db, query, rc, err);

	/* not at once: what can still be read of it is read first */
	if (done == -1)
		store->suspect = true;
	return done;
}

/* --- writing --- */

int
store_submit(struct store *store, struct store_row *row, struct err *err)
{
	struct store_db *db = &store->db;
	int rc;

	if (store->writer != NULL) {
		store_writer_put(store->writer, row);
		return 0;
	}
	rc = store_begin(db, err);
	if (rc == 0)
		rc = store_end(db, row->apply(db, row, err) == 0, "write", err);
	store_row_free(row);
	return rc;
}

int
store_prune(struct store *store, int64_t now, struct err *err)
{
	struct store_pruning pruning = {.due = true, .now = now};

	if (store->writer != NULL)
		store_writer_prune(store->writer, now);
	while (store->writer == NULL && pruning.due) {
		if (store_prune_some(&store->db, &pruning, err) == -1)
			return -1;
	}
	return 0;
}

void
store_check(struct store *store, struct store_report *out)
{
	*out = (struct store_report){0};
	if (store->writer == NULL)
		return;
	if (store->suspect)
		store_writer_suspect(store->writer);
	store->suspect = false;
	store_writer_report(store->writer, out);
	/* what a reader has opened on a disk that cannot be written stays so in
	 * this process, for the writer too: SQLite shares it */
	if (out->ailing)
		store_db_close(&store->db);
}

void
store_rest(struct store *store)
{
	store_db_rest(&store->db);
}

int
store_flush(struct store *store, struct err *err)
{
	return store->writer == NULL ? 0
				     : store_writer_flush(store->writer, err);
}
