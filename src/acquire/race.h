/* SPDX-License-Identifier: ISC */
/* acquire/race.h -- the inside of an acquisition: its roads and its tries.
 *
 * For acquire.c (how it begins and ends) and race.c (what is tried when). */
#ifndef OCLASP_ACQUIRE_RACE_H
#define OCLASP_ACQUIRE_RACE_H

#include "acquire/acquire.h"
#include "acquire/attempt.h"
#include "acquire/claims.h"
#include "pki/cert.h"
#include "pki/request.h"

enum {
	URL_STAGGER_MS = 1000, /* the next URL joins after that long */
	/* The tries end so long before the whole (a tenth of it, if that is
	 * less): so each says itself how far it got. */
	TRIES_MARGIN_MS = 200,
	/* A try that takes longer gives up its place, not what it does: some
	 * forged addresses take the connection and then say nothing. */
	PLACE_MS = 3000,
	RUNNERS_MAX = 4 * ACQUIRE_RACE_MAX, /* with those that did */
	WAITING_MAX = 256, /* addresses of one road, each by every way */
	ROADS_MAX = CERT_URLS_MAX + ACQUIRE_UPSTREAMS_MAX,
};

/* An address, or a proxy, that waits for its try. */
struct waiting {
	char address[DNS_ADDRESS_TEXT];
	char source[ACQUIRE_SOURCE_TEXT];
	char asked_name[256];
	bool first;                /* of its answer: a voice, */
	unsigned turn;             /* and its source's voices before it */
	const struct proxy *proxy; /* of the options, or NULL */
	char *proxy_addresses;     /* owned by the road */
};

/* One responder URL: the certificate's, or an upstream. */
struct road {
	struct acquire *acquire;
	struct attempt_job job;
	char *host;
	int port;
	char *get_url;
	struct claims *claims; /* NULL: not begun, or done */
	bool begun, done;
	bool upstream;           /* begun when the others have nothing left */
	struct waiting *waiting; /* at most WAITING_MAX; the first of their
				    answers before the others, and those by
				    their turn */
	size_t waiting_count, waiting_next;
};

/* A try under way. */
struct runner {
	struct acquire *acquire;
	struct road *road;
	struct attempt *attempt;
	struct waiting what;
	int64_t begun_ms, started_ms; /* the whole; this method */
};

struct acquire {
	uv_loop_t *loop;
	struct fetch_pool *pool;
	const struct acquire_options *options;
	struct acquire_target target;
	uint8_t *request;
	size_t request_len;
	uint8_t nonce[REQUEST_NONCE]; /* in it, if the target wants one */
	struct road *roads;           /* owned; they stay where they are */
	size_t road_count, road_room;
	struct runner *runners[RUNNERS_MAX];
	struct acquire_try *tries; /* owned; at most ACQUIRE_TRIES_MAX */
	size_t try_count;
	struct loop_timer *deadline, *stagger, *next_url;
	int64_t started_ms, deadline_ms, last_start_ms;
	int64_t tries_until_ms; /* the deadline of each try */
	size_t winner;          /* of TRIES, valid when `won` */
	bool won;
	bool finishing;                     /* the callback is on the stack */
	char *parties[ACQUIRE_PARTIES_MAX]; /* owned */
	struct acquire_result result;
	void (*cb)(void *cookie, struct acquire_result *result);
	void *cookie;
};

/* Begin the next road that was not begun; COOKIE is the acquisition. */
void race_begin_next_road(void *cookie);

/* Record one try of ROAD at WHAT.  Valid until the next call. */
struct acquire_try *acquire_add_try(
    struct acquire *a, const struct road *road, const struct waiting *what);

/* PARTY, outside this network, is being asked. */
void acquire_note_party(struct acquire *a, const char *party);

/* The one place where an acquisition ends: reports and frees. */
void acquire_finish(struct acquire *a);

#endif
