/* SPDX-License-Identifier: ISC */
/* keep/store.h -- what must survive a restart: SQLite in WAL mode.
 *
 * Staples by certificate fingerprint, the last attempts, the address book, and
 * which certificates are kept.  What comes out
 * of it is bytes: the caller verifies them again before they are a staple (I1).
 * Errors: REASON_STORE. */
#ifndef OCLASP_KEEP_STORE_H
#define OCLASP_KEEP_STORE_H

#include <stdbool.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

struct address_book;
struct err;
struct store;

enum {
	STORE_ATTEMPTS_MAX = 100, /* kept for each certificate */
	STORE_BUSY_MS = 2000,     /* wait for another reader at most */
};

/* Open PATH, made if missing.  A damaged database is set aside beside it (its
 * name in *ASIDE, owned, else NULL), never deleted, and a new one begun. */
struct store *store_open(const char *path, char **aside, struct err *err);

/* Open PATH as a visitor, who may come while a keeper has it open: nothing is
 * set aside.  MAKE: begin one if there is none. */
struct store *store_visit(const char *path, bool make, struct err *err);

void store_close(struct store *store);

/* The response stored for FINGERPRINT: 1 with *DER owned, 0 none, -1 error. */
int store_get(struct store *store, const char *fingerprint, uint8_t **der,
    size_t *len, struct err *err);

int store_put(struct store *store, const char *fingerprint, struct span der,
    int64_t this_update, struct err *err);
int store_remove(struct store *store, const char *fingerprint, struct err *err);

/* One attempt for the history. */
struct store_attempt {
	int64_t at;          /* wall seconds */
	const char *outcome; /* "good", "revoked", "unknown" or a reason code */
	const char *detail;
	const char *address, *source;
	int64_t elapsed_ms;
};

int store_add_attempt(struct store *store, const char *fingerprint,
    const struct store_attempt *attempt, struct err *err);

/* True if the last attempt for FINGERPRINT came to OUTCOME. */
bool store_last_was(
    struct store *store, const char *fingerprint, const char *outcome);

/* Add what is stored to BOOK, and save what has changed in it.  Others may have
 * saved since: the later proof stays. */
int store_load_book(struct store *store, struct address_book *book, int64_t now,
    struct err *err);
int store_save_book(struct store *store, struct address_book *book, int64_t now,
    struct err *err);

/* One certificate that is kept, for the commands that work without a running
 * keeper. */
struct store_target {
	char *certificate; /* path, absolute */
	char *issuer;      /* path, or NULL */
	char *url;         /* or NULL */
};

/* Make the list these COUNT. */
int store_put_targets(struct store *store, const struct store_target *targets,
    size_t count, struct err *err);

/* The list, owned: each string, and the array. */
int store_get_targets(struct store *store, struct store_target **out,
    size_t *count, struct err *err);
void store_targets_free(struct store_target *targets, size_t count);

#endif
