/* SPDX-License-Identifier: ISC */
/* keep/store_row.c -- changes: copied, and written. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "keep/store.h"
#include "keep/store_priv.h"
#include "pki/staple.h"

/* struct store_state as the columns have it; constant strings, but DETAIL. */
struct state_row {
	int64_t last_attempt, failures, final_life, floor, fetch_again,
	    retry_after, first_seen, first_at, random, other_hash;
	const char *reason, *detail, *final;
};

/* A change of one certificate, with copies, or shares, of all that it
 * borrowed. */
struct certificate_row {
	struct store_row row; /* first */
	const char *fingerprint;
	int64_t written_at;
	bool has_attempt, has_state;
	struct store_attempt attempt;
	struct state_row state;
	struct span staple, second, seal, second_seal;
	int64_t this_update;
	bool no_staple;
};

struct store_row *
store_row_new(size_t size, int (*apply)(struct store_db *db,
			       const struct store_row *row, struct err *err))
{
	struct store_row *row = mem_new(size);

	row->size = size;
	row->apply = apply;
	return row;
}

void
store_row_free(struct store_row *row)
{
	staple_free(row->staple);
	staple_free(row->second);
	free(row);
}

/* --- written --- */

/* What is known of the certificate: its id, its newest attempt (0: none) and
 * how many there are. */
struct place {
	int64_t id, last_id, attempts;
};

static int
find(struct store_db *db, const struct certificate_row *change,
    struct place *place, struct err *err)
{
	sqlite3_stmt *query = store_sql(db, SQL_FIND);
	int rc;

	store_bind(query, 1, change->fingerprint);
	rc = query == NULL ? SQLITE_ERROR : sqlite3_step(query);
	if (rc == SQLITE_ROW)
		*place = (struct place){
		    .id = sqlite3_column_int64(query, 0),
		    .last_id = sqlite3_column_int64(query, 1),
		    .attempts = sqlite3_column_int64(query, 2),
		};
	if (store_done(db, query, rc, err) == -1)
		return -1;
	if (rc == SQLITE_ROW)
		return 0;
	query = store_sql(db, SQL_NEW);
	store_bind(query, 1, change->fingerprint);
	(void)sqlite3_bind_int64(query, 2, change->written_at);
	if (store_run(db, query, err) == -1)
		return -1;
	*place = (struct place){.id = sqlite3_last_insert_rowid(db->sqlite)};
	return 0;
}

/* 0 means none: NULL. */
static void
bind_some(sqlite3_stmt *query, int index, int64_t number)
{
	if (number != 0)
		(void)sqlite3_bind_int64(query, index, number);
}

static int
add_attempt(struct store_db *db, const struct store_attempt *attempt,
    struct place *place, struct err *err)
{
	sqlite3_stmt *query = store_sql(db, SQL_ATTEMPT);

	(void)sqlite3_bind_int64(query, 1, place->id);
	bind_some(query, 2, place->last_id);
	(void)sqlite3_bind_int64(query, 3, attempt->at);
	store_bind(query, 4, attempt->outcome);
	store_bind(query, 5, attempt->detail);
	store_bind(query, 6, attempt->url);
	store_bind(query, 7, attempt->address);
	store_bind(query, 8, attempt->source);
	(void)sqlite3_bind_int64(query, 9, attempt->elapsed_ms);
	bind_some(query, 10, attempt->size);
	bind_some(query, 11, attempt->this_update);
	bind_some(query, 12, attempt->next_update);
	if (store_run(db, query, err) == -1)
		return -1;
	place->last_id = sqlite3_last_insert_rowid(db->sqlite);
	place->attempts++;
	return 0;
}

/* Seldom, and then many: the walk to the oldest is long.  It begins at the one
 * before PLACE's last, which its certificate does not name yet. */
static int
trim(struct store_db *db, struct place *place, struct err *err)
{
	sqlite3_stmt *query;

	if (place->attempts < 2 * STORE_ATTEMPTS_MAX)
		return 0;
	query = store_sql(db, SQL_TRIM);
	(void)sqlite3_bind_int64(query, 1, place->id);
	(void)sqlite3_bind_int64(query, 2, STORE_ATTEMPTS_MAX - 1);
	place->attempts = STORE_ATTEMPTS_MAX;
	return store_run(db, query, err);
}

static void
bind_state(sqlite3_stmt *query, const struct state_row *state)
{
	(void)sqlite3_bind_int64(query, 5, state->last_attempt);
	(void)sqlite3_bind_int64(query, 6, state->failures);
	store_bind(query, 7, state->reason);
	store_bind(query, 8, state->detail);
	store_bind(query, 9, state->final);
	(void)sqlite3_bind_int64(query, 10, state->final_life);
	(void)sqlite3_bind_int64(query, 11, state->floor);
	(void)sqlite3_bind_int64(query, 12, state->fetch_again);
	(void)sqlite3_bind_int64(query, 13, state->retry_after);
	(void)sqlite3_bind_int64(query, 14, state->first_seen);
	(void)sqlite3_bind_int64(query, 15, state->first_at);
	(void)sqlite3_bind_int64(query, 16, state->random);
	(void)sqlite3_bind_int64(query, 17, state->other_hash);
}

/* None: NULL. */
static void
bind_octets(sqlite3_stmt *query, int index, struct span octets)
{
	if (octets.len > 0)
		(void)sqlite3_bind_blob(
		    query, index, octets.at, (int)octets.len, SQLITE_STATIC);
}

static void
bind_staple(sqlite3_stmt *query, const struct certificate_row *change)
{
	if (change->no_staple)
		return;
	(void)sqlite3_bind_int64(query, 18, change->this_update);
	bind_octets(query, 19, change->staple);
	bind_octets(query, 20, change->seal);
}

static int
put_second(struct store_db *db, const struct certificate_row *change,
    int64_t id, struct err *err)
{
	sqlite3_stmt *query = store_sql(db, SQL_SECOND);

	(void)sqlite3_bind_int64(query, 1, id);
	if (!change->no_staple) {
		bind_octets(query, 2, change->second);
		bind_octets(query, 3, change->second_seal);
	}
	return store_run(db, query, err);
}

/* All at once: its row is large, and written as a whole each time. */
static int
put(struct store_db *db, const struct certificate_row *change,
    const struct place *place, struct err *err)
{
	bool has_staple = change->no_staple || change->staple.len > 0;
	sqlite3_stmt *query = store_sql(
	    db, change->has_state
		    ? (has_staple ? SQL_CHANGE_BOTH : SQL_CHANGE_STATE)
		    : (has_staple ? SQL_CHANGE_STAPLE : SQL_CHANGE));

	(void)sqlite3_bind_int64(query, 1, place->id);
	(void)sqlite3_bind_int64(query, 2, change->written_at);
	bind_some(query, 3, place->last_id);
	(void)sqlite3_bind_int64(query, 4, place->attempts);
	if (change->has_state)
		bind_state(query, &change->state);
	if (has_staple)
		bind_staple(query, change);
	if (store_run(db, query, err) == -1)
		return -1;
	if (change->no_staple || change->second.len > 0)
		return put_second(db, change, place->id, err);
	return 0;
}

static int
apply(struct store_db *db, const struct store_row *row, struct err *err)
{
	const struct certificate_row *change =
	    (const struct certificate_row *)row;
	struct place place = {0};

	if (find(db, change, &place, err) == -1)
		return -1;
	if (change->has_attempt &&
	    (add_attempt(db, &change->attempt, &place, err) == -1 ||
		trim(db, &place, err) == -1))
		return -1;
	return put(db, change, &place, err);
}

/* --- copied --- */

size_t
store_room(const char *text)
{
	return text == NULL ? 0 : strlen(text) + 1;
}

char *
store_copy(char **at, const char *text)
{
	char *copy = *at;
	size_t len = store_room(text);

	if (text == NULL)
		return NULL;
	memcpy(copy, text, len);
	*at += len;
	return copy;
}

static size_t
room_of(const char *fingerprint, const struct store_change *change)
{
	const struct store_attempt *a = change->attempt;
	const struct store_state *state = change->state;
	size_t size = store_room(fingerprint) + change->seal.len +
		      change->second_seal.len;

	if (change->whole == NULL)
		size += change->staple.len;
	if (change->second_whole == NULL)
		size += change->second.len;
	if (a != NULL)
		size += store_room(a->outcome) + store_room(a->detail) +
			store_room(a->url) + store_room(a->address) +
			store_room(a->source);
	if (state != NULL && state->last_err.reason != REASON_NONE)
		size += store_room(state->last_err.text);
	return size;
}

static struct span
copy_span(char **at, struct span span)
{
	struct span copy = {(const uint8_t *)*at, span.len};

	if (span.len > 0)
		memcpy(*at, span.at, span.len);
	*at += span.len;
	return copy;
}

static struct state_row
copy_state(char **at, const struct store_state *state)
{
	struct state_row row = {
	    .last_attempt = state->last_attempt,
	    .failures = state->failures,
	    .final_life = state->final_life,
	    .floor = state->floor,
	    .fetch_again = state->fetch_again,
	    .retry_after = state->retry_after,
	    .first_seen = state->first_seen,
	    .first_at = state->first_at,
	    .random = state->random,
	    .other_hash = state->other_hash,
	};

	if (state->last_err.reason != REASON_NONE) {
		row.reason = reason_name(state->last_err.reason);
		row.detail = store_copy(at, state->last_err.text);
	}
	if (state->last_final)
		row.final = cert_status_name(state->last_status);
	return row;
}

/* OCTETS, that are WHOLE's if that is not NULL; *SHARE is for the row. */
static struct span
share_or_copy(
    char **at, struct span octets, struct staple *whole, struct staple **share)
{
	if (whole == NULL)
		return copy_span(at, octets);
	*share = staple_share(whole);
	return octets;
}

int
store_save(struct store *store, const char *fingerprint,
    const struct store_change *change, struct err *err)
{
	struct certificate_row *row = (struct certificate_row *)store_row_new(
	    sizeof(*row) + room_of(fingerprint, change), apply);
	char *at = (char *)(row + 1);

	row->written_at = clock_wall_s();
	row->fingerprint = store_copy(&at, fingerprint);
	row->this_update = change->this_update;
	row->no_staple = change->no_staple;
	row->staple =
	    share_or_copy(&at, change->staple, change->whole, &row->row.staple);
	row->second = share_or_copy(
	    &at, change->second, change->second_whole, &row->row.second);
	row->seal = copy_span(&at, change->seal);
	row->second_seal = copy_span(&at, change->second_seal);
	if (change->attempt != NULL) {
		row->has_attempt = true;
		row->attempt = *change->attempt;
		row->attempt.outcome =
		    store_copy(&at, change->attempt->outcome);
		row->attempt.detail = store_copy(&at, change->attempt->detail);
		row->attempt.url = store_copy(&at, change->attempt->url);
		row->attempt.address =
		    store_copy(&at, change->attempt->address);
		row->attempt.source = store_copy(&at, change->attempt->source);
	}
	if (change->state != NULL) {
		row->has_state = true;
		row->state = copy_state(&at, change->state);
	}
	assert(at == (char *)row + row->row.size);
	/* the row may be the last that has them */
	if (change->whole != NULL)
		row->row.size += change->staple.len;
	if (change->second_whole != NULL)
		row->row.size += change->second.len;
	return store_submit(store, &row->row, err);
}
