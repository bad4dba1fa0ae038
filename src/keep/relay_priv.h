/* SPDX-License-Identifier: ISC */
/* keep/relay_priv.h -- what relay.c (begin, end, what is kept) and
 * relay_answer.c (questions) share. */
#ifndef OCLASP_KEEP_RELAY_PRIV_H
#define OCLASP_KEEP_RELAY_PRIV_H

#include <stdatomic.h>

#include "base/clock.h"
#include "http/server.h"
#include "keep/relay.h"
#include "keep/relay_demand.h"
#include "keep/snapshot.h"

enum {
	RELAY_HEADERS = 4,
	RELAY_CACHE_CONTROL = 96,
	RELAY_ETAG = 1 + 64 + 1 + 1, /* hex SHA-256 in quotes */
};
struct relay_thread {
	struct epoch_reader reader; /* first: it has a cache line of its own */
	struct relay *relay;
	struct relay_thread *next, **link;
	/* each written by its thread alone, read by the loop */
	_Atomic uint64_t counts[RELAY_RESULTS];
	struct server_page *errors[RELAY_RESULTS];
	/* the answer that is given, until the server has copied this */
	struct server_header headers[RELAY_HEADERS];
	char cache_control[RELAY_CACHE_CONTROL];
	char last_modified[CLOCK_HTTP], expires[CLOCK_HTTP];
	char etag[RELAY_ETAG];
	uint8_t *body; /* owned */
	size_t body_room;
};

struct relay {
	int64_t (*wall_s)(void);
	struct snapshot *snapshot;
	struct relay_demand *demand;
	struct relay_thread *threads;
	struct relay_thread *own;     /* the loop's, among them */
	uint64_t past[RELAY_RESULTS]; /* of threads that are gone */
};

/* The answer with an error, constant all of it. */
struct server_answer relay_error(enum relay_result result);

/* The demand's word on a question that waited for it. */
relay_demand_reply relay_reply_demand;

#endif
