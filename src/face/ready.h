/* SPDX-License-Identifier: ISC */
/* face/ready.h -- the inside of `oclasp ready`, for its files: cmd_ready.c
 * (arguments, what is said), ready_fetch.c (a staple, again and again),
 * ready_place.c (where servers take it from). */
#ifndef OCLASP_FACE_READY_H
#define OCLASP_FACE_READY_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/err.h"
#include "face/options.h"
#include "keep/issuers.h"
#include "keep/target.h"
#include "pki/verify.h"
#include "servers/nginx.h"

struct acquire;
struct fetch_pool;
struct inbox;
struct loop_timer;
struct settings;
struct staple;

enum {
	READY_RETRY_FIRST_MS = 1000, /* between attempts, doubling, */
	READY_RETRY_MAX_MS = 10000,  /* up to this */
	READY_PUBLISH_MS = 30000,    /* for a keeper to publish */
	READY_POLL_MS = 50,          /* how often its files are looked at, */
	READY_LOCK_MS = 500,         /* and whether it still runs */
	READY_KEPT_MS = 6000,        /* until it knows what is in its files, */
	READY_ASK_MS = 2000,         /* and says so */
};

struct ready {
	const struct options *o;
	char *state_dir;
	struct settings *settings;
	struct issuers issuers;
	struct target *target; /* CERT as a keeper would keep it */
	uv_loop_t loop;
	int64_t begin_ms, end_ms; /* monotonic; no attempt begins after END */

	/* ready_fetch.c */
	struct fetch_pool *pool;
	struct acquire_options acquire;
	struct loop_timer *timer;
	int64_t pause_ms;
	int attempts;

	/* ready_place.c */
	struct inbox *inbox;
	struct nginx nginx;
	struct nginx_conf *conf;
	int64_t place_until_ms, lock_next_ms;
	bool was_stored;    /* before we came */
	int64_t revoked_at; /* a signed revoked of then stands; 0: none */
	bool handed;        /* to the keeper that runs, */
	bool keep_runs;     /* if one does */

	/* what came of it; the staple is the target's */
	bool done; /* a usable staple is in the store, and in place */
	bool accepted;
	struct verdict facts;
	struct err err;
};

/* True if the store has a usable staple already: then it is the target's. */
bool ready_look(struct ready *r);

/* Run until there is a staple (then it is the target's), a final answer, or no
 * time left: then r->err and r->facts say why. */
void ready_fetch(struct ready *r);

/* The target's staple into the store, and to where servers take it from.
 * Errors, in r->err: REASON_USAGE (a keeper runs and does not keep this one),
 * REASON_SERVER_CONFIG, REASON_FILE, REASON_STORE. */
void ready_place(struct ready *r);

#endif
