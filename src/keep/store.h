/* SPDX-License-Identifier: ISC */
/* keep/store.h -- what must survive a restart: SQLite in WAL mode.
 *
 * Of each certificate, by its fingerprint: the staple, how its care stands (so
 * that a restart forgets nothing and hammers nobody), and its last attempts;
 * beside them the address book and the list of what is kept.  What comes out
 * is bytes: the caller judges them again before they are a staple, by their seal
 * or in full (I1).
 * Errors: REASON_STORE.
 *
 * Every change is whole or not at all, also at a kill -9, a full disk or a
 * power cut (I7): a commit is flushed (synchronous = FULL), since what it tells,
 * say that a certificate is revoked, must not be lost with the power.  A flush
 * may take long, so the keeper does not wait for it: store_keep() has a thread
 * with a connection of its own write.  What comes within STORE_GATHER_MS is one
 * transaction and one flush; that much a kill -9 may cost.
 *
 * Readers may come at any time, from other processes too. */
#ifndef OCLASP_KEEP_STORE_H
#define OCLASP_KEEP_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/text.h"
#include "pki/verify.h"

struct address_book;
struct store;

enum {
	STORE_ATTEMPTS_MAX = 100, /* of each certificate; up to twice as many
				     are there before some go */
	STORE_ATTEMPTS_AGE_S = 90 * 86400,
	STORE_UNKEPT_S = 30 * 86400, /* what is kept no more stays so long */
	STORE_BUSY_MS = 2000,        /* wait for another writer at most */
};

enum {
	STORE_MAKE = 1, /* begin one if there is none */
	STORE_MINE = 2, /* the state folder's lock is ours */
};

/* Open PATH as a visitor, who may come while a keeper has it open: nothing is
 * set aside, and one of an earlier version is made new only when no keeper
 * works with it.  HOW is of the above; 0: none.  Where it cannot be written it
 * is for reading only.  Changes are written at once. */
struct store *store_visit(const char *path, unsigned how, struct err *err);

/* What was not written yet is.  NULL does nothing. */
void store_close(struct store *store);

/* --- as the keeper --- */

enum {
	STORE_GATHER_MS = 200,      /* what comes so close together is written
				  together, */
	STORE_ROWS_MAX = 2048,      /* but not more of it at once; */
	STORE_QUEUE_MAX = 64 << 20, /* octets that wait at most */
};

/* Open PATH, made if missing, of an earlier version made new; for the one who
 * holds the state folder's lock.  A thread writes: a change is taken at once,
 * and seen by this store's readers.
 *
 * A damaged database is set aside beside it, never deleted, and a new one begun.
 * A disk that is full, cannot be written or is broken is no error here: what can
 * be read of the store is read, changes wait in memory (the oldest go when there
 * are too many), and are written when that is possible.  So it is with damage
 * that is met later, and with files that are deleted beneath us.  store_check()
 * tells.  NULL: what no waiting mends, say a version that a newer oclasp has
 * made, or a folder that we may not write. */
struct store *store_keep(const char *path, struct err *err);

/* How it is.  To be asked now and then. */
struct store_report {
	bool ailing;    /* what changes is in memory only, */
	struct err err; /* because of this */
	size_t waiting; /* changes that are not written */
	char *aside;    /* a damaged database was set aside by this name since
			   the last report; owned by the caller; else NULL */
	bool wants_all; /* the database is new, or there was no room for what
			   waited: put all that is known again */
};

void store_check(struct store *store, struct store_report *out);

/* Nothing is read of it for a while: it holds no memory for that. */
void store_rest(struct store *store);

/* Wait until all that was put is written.  -1: it cannot be for now. */
int store_flush(struct store *store, struct err *err);

/* --- a certificate: what is put, and what is had --- */

/* How its care stands: struct target has the meaning. */
struct store_state {
	int64_t last_attempt; /* wall seconds; 0: never */
	unsigned failures;    /* in a row */
	struct err last_err;  /* of the last one; REASON_NONE: none failed */
	bool last_final;
	enum cert_status last_status;
	int64_t final_life;               /* seconds; 0: not known */
	int64_t floor;                    /* wall seconds; 0: none */
	int64_t fetch_again, retry_after; /* wall seconds; 0: no hint */
	int64_t first_seen, first_at;     /* the same; 0: not known, none */
	uint32_t random; /* its own: the next step comes when it was said to */
	bool other_hash;
};

/* One attempt, for the history.  Borrowed strings; NULL: unknown. */
struct store_attempt {
	int64_t at;          /* wall seconds */
	const char *outcome; /* "good", "revoked", "unknown" or a reason code */
	const char *detail;
	const char *url; /* of the responder */
	const char *address, *source;
	int64_t elapsed_ms;
	int64_t size; /* of the response, octets; 0: none was verified */
	int64_t this_update, next_update; /* of it; 0: none */
};

/* What has changed of one certificate. */
struct store_change {
	const struct store_attempt *attempt; /* one more; NULL: none */
	const struct store_state *state;     /* NULL: as it was */
	struct span staple;                  /* empty: as it was */
	int64_t this_update;                 /* of the staple */
	struct span second; /* the same by a SHA-256 CertID; empty: as it was */
	struct span seal, second_seal; /* of theirs, see pki/seal.h, or empty */
	/* whose octets these are: shared until they are written; NULL: they
	 * are copied */
	struct staple *whole, *second_whole;
	bool no_staple; /* neither is there any more */
};

/* The change is one: after a kill all of it is there or nothing. */
int store_save(struct store *store, const char *fingerprint,
    const struct store_change *change, struct err *err);

/* What is stored of a certificate.  Borrowed for the call. */
struct store_item {
	const char *fingerprint;
	struct span staple, second; /* empty: none */
	struct span seal, second_seal;
	int64_t this_update; /* of the staple */
	struct store_state state;
};

/* Call EACH once for each certificate in the store, in one walk, or, if
 * FINGERPRINT is not NULL, for that one alone, if it is there.  EACH changes
 * nothing in the store. */
int store_each(struct store *store, const char *fingerprint,
    void (*each)(void *cookie, const struct store_item *item), void *cookie,
    struct err *err);

/* The same walk in parts: at most LIMIT of those behind *AFTER, which moves on;
 * 0 before the first.  Returns how many there were, or -1. */
int store_some(struct store *store, int64_t *after, int limit,
    void (*each)(void *cookie, const struct store_item *item), void *cookie,
    struct err *err);

/* The response stored for FINGERPRINT: 1 with *DER owned, 0 none, -1 error. */
int store_get(struct store *store, const char *fingerprint, uint8_t **der,
    size_t *len, struct err *err);

/* The same of its state. */
int store_get_state(struct store *store, const char *fingerprint,
    struct store_state *state, struct err *err);

/* Call EACH for the last LIMIT attempts, at most STORE_ATTEMPTS_MAX, the newest
 * first.  What it is given is borrowed for the call. */
int store_history(struct store *store, const char *fingerprint, size_t limit,
    void (*each)(void *cookie, const struct store_attempt *attempt),
    void *cookie, struct err *err);

/* Forget attempts older than STORE_ATTEMPTS_AGE_S, and all of what is in no
 * list of targets and was not written to for STORE_UNKEPT_S.  Little by little,
 * where a thread does it. */
int store_prune(struct store *store, int64_t now, struct err *err);

/* --- the address book --- */

/* Add what is stored to BOOK, and save what has changed in it.  Others may have
 * saved since: the later proof stays. */
int store_load_book(struct store *store, struct address_book *book, int64_t now,
    struct err *err);
int store_save_book(struct store *store, struct address_book *book, int64_t now,
    struct err *err);

/* All of BOOK, for a new store. */
int store_save_whole_book(struct store *store, struct address_book *book,
    int64_t now, struct err *err);

/* --- which certificates are kept --- */

/* For the commands that work without a running keeper. */
struct store_target {
	char *certificate; /* path, absolute */
	char *issuer;      /* path, or NULL */
	char *url;         /* or NULL */
	char *fingerprint; /* NULL: it was never readable */
};

/* Make the list these COUNT. */
int store_put_targets(struct store *store, const struct store_target *targets,
    size_t count, struct err *err);

/* The list, owned: each string, and the array. */
int store_get_targets(struct store *store, struct store_target **out,
    size_t *count, struct err *err);
/* The fingerprint in the list of the file CERTIFICATE: 1 with *FINGERPRINT
 * owned, 0 none, -1 error. */
int store_find_target(struct store *store, const char *certificate,
    char **fingerprint, struct err *err);

/* Call EACH for those of them whose certificate was readable.  EACH changes
 * nothing in the store; what it is given is borrowed for the call. */
int store_each_target(struct store *store,
    void (*each)(
	void *cookie, const char *certificate, const char *fingerprint),
    void *cookie, struct err *err);

void store_targets_free(struct store_target *targets, size_t count);

#endif
