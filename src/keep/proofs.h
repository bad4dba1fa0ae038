/* SPDX-License-Identifier: ISC */
/* keep/proofs.h -- handshakes that prove what was published (D8).
 *
 * Beside the rounds of publishing, not in them: a server that is slow, or that
 * serves something else, delays nobody.  A proof is several handshakes that
 * agree one after the other, since a server's worker processes may differ for
 * a while after a reload.  What is not served is told, and asked for again
 * after a pause that doubles, until it is served or something else is wanted.
 *
 *   proofs_hold() before the server changes -> proofs_want() for each place ->
 *   proofs_end() */
#ifndef OCLASP_KEEP_PROOFS_H
#define OCLASP_KEEP_PROOFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/err.h"
#include "base/text.h"

struct proofs;

enum {
	PROOFS_AGREE = 3,         /* handshakes, one after the other */
	PROOFS_SETTLE_MS = 10000, /* new workers must serve it by then */
	PROOFS_EVERY_MS = 50,     /* between handshakes of one place */
	PROOFS_AGAIN_MS = 5000,   /* after the first that failed, doubling, */
	PROOFS_AGAIN_MAX_MS = 300000, /* up to this */
	PROOFS_HANDSHAKE_MS = 2000,
	PROOFS_AT_ONCE = 8, /* handshakes under way */
};

/* How patient; those above, but for tests. */
struct proofs_pace {
	unsigned agree;
	int64_t settle_ms, every_ms, again_ms, again_max_ms;
};
extern const struct proofs_pace proofs_usual_pace;

/* A server block, and what it is to serve.  Borrowed for the call. */
struct proofs_place {
	const char *name, *fingerprint; /* of the certificate that is kept */
	const char *certificate;        /* path in the server's configuration */
	const char *listen;     /* "ADDR:PORT"; NULL: nothing can be asked */
	const char *servername; /* SNI; NULL: none */
	struct span staple;     /* empty: none may be served */
	bool reloaded; /* just now: it may take PROOFS_SETTLE_MS for it */
	bool changed;  /* it is to serve another one than before that */
	bool anew;     /* a proof is wanted, also if one has been had */
};

/* What was seen.  Valid for the call. */
struct proofs_report {
	const char *name, *fingerprint, *certificate, *listen;
	bool withdrawn;    /* no staple was to be served */
	struct err err;    /* REASON_NONE: proven; else
			      REASON_SERVER_NOT_STAPLING */
	unsigned failures; /* so many times told before */
	int64_t again_ms;  /* it is asked again then; 0: proven */
};

struct proofs *proofs_new(uv_loop_t *loop, const struct proofs_pace *pace,
    void (*cb)(void *cookie, const struct proofs_report *report), void *cookie);
void proofs_free(struct proofs *proofs);

/* The server is about to change: nobody is asked until proofs_end(). */
void proofs_hold(struct proofs *proofs);

/* Prove PLACE, if it is `anew`, or go on doing so. */
void proofs_want(struct proofs *proofs, const struct proofs_place *place);

/* ALL: what has not been named since proofs_hold() is forgotten. */
void proofs_end(struct proofs *proofs, bool all);

/* Of how many nothing is known yet, and how many have failed so far. */
size_t proofs_open(const struct proofs *proofs);
size_t proofs_failing(const struct proofs *proofs);

/* --- pure --- */

/* One place in time. */
struct proofs_course {
	unsigned agreed;   /* handshakes, the latest */
	unsigned failures; /* told */
	int64_t settle_ms; /* mono: a failure before then is not told */
};

enum proofs_verdict { PROOFS_ASK_AGAIN, PROOFS_PROVEN, PROOFS_FAILED };

/* A handshake was as it should be (GOOD) or not.  *WAIT_MS: the next one then;
 * 0: none. */
enum proofs_verdict proofs_judge(struct proofs_course *course,
    const struct proofs_pace *pace, bool good, int64_t now_ms,
    int64_t *wait_ms);

#endif
