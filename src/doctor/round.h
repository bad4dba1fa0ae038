/* SPDX-License-Identifier: ISC */
/* doctor/round.h -- many DNS questions, a few at once. */
#ifndef OCLASP_DOCTOR_ROUND_H
#define OCLASP_DOCTOR_ROUND_H

#include <uv.h>

#include "doctor/ask.h"

struct round;

enum {
	/* in all; a datagram's place is taken for its whole window, in which
	 * each party gets a dozen questions at most */
	ROUND_AT_ONCE = 96,
	ROUND_MAX = 2048, /* questions of one round; more are left out */
};

/* BEGAN_MS as in ask.h.  FACTS must outlive. */
struct round *round_new(uv_loop_t *loop, struct facts *facts, int64_t began_ms);

/* One more question; REQUEST and its resolver are copied. */
void round_add(struct round *round, const struct ask_request *request);

/* Ask them all, in the order in which they were added.  CB comes once; the
 * round is dead then. */
void round_run(struct round *round, void (*cb)(void *cookie), void *cookie);
void round_cancel(struct round **round);

#endif
