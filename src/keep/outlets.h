/* SPDX-License-Identifier: ISC */
/* keep/outlets.h -- where each certificate's staple is published, and whether
 * a handshake has proven it.
 *
 *   outlets_begin(all) -> outlets_expect() for each server block that is to
 *   serve something -> outlets_end(): after a round of all, what it did not see
 *   is gone -> outlets_retain() -> outlets_note() when a proof comes.  Pure:
 *   times are parameters. */
#ifndef OCLASP_KEEP_OUTLETS_H
#define OCLASP_KEEP_OUTLETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum {
	OUTLETS_EACH = 64, /* server blocks remembered of one certificate */
};

/* One server block with a certificate. */
struct outlet {
	const char *server; /* "nginx"; constant */
	char *path;         /* of the certificate, as the server names it */
	char *listen;       /* "ADDR:PORT" that was asked; NULL: none can be */
	bool withdrawn;     /* it is to serve no staple */
	int64_t proven_at;  /* wall seconds; 0: it is not proven */
	struct err err;     /* why not; REASON_NONE: nobody could look */
	bool seen;          /* in this round */
};

struct outlets {
	struct outlet_set *sets; /* a hash by fingerprint; owned */
	bool all;                /* this round looks at all */
};

void outlets_done(struct outlets *outlets);

void outlets_begin(struct outlets *outlets, bool all);

/* The certificate FINGERPRINT is to be served at FACT: as outlets_note() where
 * nothing is known of it, or where it is to serve another staple than before
 * (CHANGED); else what is known stays. */
void outlets_expect(struct outlets *outlets, const char *fingerprint,
    const struct outlet *fact, bool changed);

/* What was seen of the certificate FINGERPRINT; FACT is copied (its strings are
 * borrowed for the call).  More than OUTLETS_EACH are not remembered. */
void outlets_note(struct outlets *outlets, const char *fingerprint,
    const struct outlet *fact);

/* The round is over; after one that failed (not GOOD) all stay. */
void outlets_end(struct outlets *outlets, bool good);

/* Forget those of certificates that are not KEPT any more. */
void outlets_retain(struct outlets *outlets,
    bool (*kept)(void *cookie, const char *fingerprint), void *cookie);

/* Those of FINGERPRINT (NULL: none); borrowed until the next round. */
const struct outlet *outlets_of(
    const struct outlets *outlets, const char *fingerprint, size_t *count);

#endif
