/* SPDX-License-Identifier: ISC */
/* keep/store_read.c -- what is had back of a certificate. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "keep/store.h"
#include "keep/store_priv.h"

/* The columns of SQL_ALL from last_attempt on. */
static struct store_state
read_state(sqlite3_stmt *query)
{
	const char *reason = store_column(query, 6);
	const char *detail = store_column(query, 7);
	const char *final = store_column(query, 8);
	struct store_state state = {
	    .last_attempt = sqlite3_column_int64(query, 4),
	    .failures = (unsigned)sqlite3_column_int(query, 5),
	    .final_life = sqlite3_column_int64(query, 9),
	    .floor = sqlite3_column_int64(query, 10),
	    .fetch_again = sqlite3_column_int64(query, 11),
	    .retry_after = sqlite3_column_int64(query, 12),
	    .first_seen = sqlite3_column_int64(query, 13),
	    .first_at = sqlite3_column_int64(query, 14),
	    .random = (uint32_t)sqlite3_column_int64(query, 15),
	    .other_hash = sqlite3_column_int(query, 16) != 0,
	};

	if (reason != NULL && reason_find(reason, &state.last_err.reason))
		(void)snprintf(state.last_err.text, sizeof(state.last_err.text),
		    "%s", detail == NULL ? "" : detail);
	if (final != NULL) {
		state.last_final = true;
		state.last_status =
		    strcmp(final, cert_status_name(CERT_REVOKED)) == 0
			? CERT_REVOKED
			: CERT_UNKNOWN;
	}
	return state;
}

static struct span
octets(sqlite3_stmt *query, int column)
{
	const uint8_t *at = sqlite3_column_blob(query, column);

	return (struct span){at, (size_t)sqlite3_column_bytes(query, column)};
}

/* The rows of QUERY, which is ready; *LAST is the id of the last. */
static int
walk(struct store *store, sqlite3_stmt *query,
    void (*each)(void *cookie, const struct store_item *item), void *cookie,
    int64_t *last, struct err *err)
{
	int rc = SQLITE_ERROR, count = 0;

	while (query != NULL && (rc = sqlite3_step(query)) == SQLITE_ROW) {
		const struct store_item item = {
		    .fingerprint = store_column(query, 0),
		    .staple = octets(query, 1),
		    .second = octets(query, 2),
		    .seal = octets(query, 17),
		    .second_seal = octets(query, 18),
		    .this_update = sqlite3_column_int64(query, 3),
		    .state = read_state(query),
		};

		*last = sqlite3_column_int64(query, 19);
		count++;
		if (item.fingerprint != NULL)
			each(cookie, &item);
	}
	return store_read_done(store, query, rc, err) == -1 ? -1 : count;
}

int
store_each(struct store *store, const char *fingerprint,
    void (*each)(void *cookie, const struct store_item *item), void *cookie,
    struct err *err)
{
	struct store_db *db = store_reader(store);
	sqlite3_stmt *query =
	    store_sql(db, fingerprint == NULL ? SQL_ALL : SQL_ONE);
	int64_t last;

	if (fingerprint != NULL)
		store_bind(query, 1, fingerprint);
	return walk(store, query, each, cookie, &last, err) == -1 ? -1 : 0;
}

int
store_some(struct store *store, int64_t *after, int limit,
    void (*each)(void *cookie, const struct store_item *item), void *cookie,
    struct err *err)
{
	struct store_db *db = store_reader(store);
	sqlite3_stmt *query = store_sql(db, SQL_SOME);

	(void)sqlite3_bind_int64(query, 1, *after);
	(void)sqlite3_bind_int(query, 2, limit);
	return walk(store, query, each, cookie, after, err);
}

int
store_get(struct store *store, const char *fingerprint, uint8_t **der,
    size_t *len, struct err *err)
{
	struct store_db *db = store_reader(store);
	sqlite3_stmt *query = store_sql(db, SQL_DER);
	int rc;

	store_bind(query, 1, fingerprint);
	rc = query == NULL ? SQLITE_ERROR : sqlite3_step(query);
	if (rc == SQLITE_ROW) {
		*len = (size_t)sqlite3_column_bytes(query, 0);
		*der = mem_copy(sqlite3_column_blob(query, 0), *len);
	}
	return store_read_done(store, query, rc, err) == -1 ? -1
							    : rc == SQLITE_ROW;
}

struct found {
	struct store_state *state;
	int count;
};

static void
take_state(void *cookie, const struct store_item *item)
{
	struct found *found = cookie;

	*found->state = item->state;
	found->count = 1;
}

int
store_get_state(struct store *store, const char *fingerprint,
    struct store_state *state, struct err *err)
{
	struct found found = {.state = state};

	if (store_each(store, fingerprint, take_state, &found, err) == -1)
		return -1;
	return found.count;
}

int
store_history(struct store *store, const char *fingerprint, size_t limit,
    void (*each)(void *cookie, const struct store_attempt *attempt),
    void *cookie, struct err *err)
{
	struct store_db *db = store_reader(store);
	sqlite3_stmt *query = store_sql(db, SQL_HISTORY);
	int rc = SQLITE_ERROR;

	if (limit == 0)
		return 0;
	if (limit > STORE_ATTEMPTS_MAX)
		limit = STORE_ATTEMPTS_MAX;
	store_bind(query, 1, fingerprint);
	(void)sqlite3_bind_int64(query, 2, (int64_t)limit);
	while (query != NULL && (rc = sqlite3_step(query)) == SQLITE_ROW) {
		const struct store_attempt attempt = {
		    .at = sqlite3_column_int64(query, 0),
		    .outcome = store_column(query, 1),
		    .detail = store_column(query, 2),
		    .url = store_column(query, 3),
		    .address = store_column(query, 4),
		    .source = store_column(query, 5),
		    .elapsed_ms = sqlite3_column_int64(query, 6),
		    .size = sqlite3_column_int64(query, 7),
		    .this_update = sqlite3_column_int64(query, 8),
		    .next_update = sqlite3_column_int64(query, 9),
		};

		if (attempt.outcome != NULL)
			each(cookie, &attempt);
	}
	return store_read_done(store, query, rc, err);
}
