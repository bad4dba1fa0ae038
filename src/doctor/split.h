/* SPDX-License-Identifier: ISC */
/* doctor/split.h -- the same request in two segments (NETWORK-TRUTH 4.1, H).
 *
 * What resets a connection for the words of a request has to find them in one
 * piece.  The line and half of the Host's name go first, the rest a little
 * later, each in a segment of its own; where that is answered and the whole
 * request was reset, the words are what was reset.  One fact, CONTROL_SPLIT. */
#ifndef OCLASP_DOCTOR_SPLIT_H
#define OCLASP_DOCTOR_SPLIT_H

#include <uv.h>

#include "doctor/fact.h"

struct split;

enum {
	SPLIT_PAUSE_MS = 150, /* between the two: no kernel joins them then */
	SPLIT_MS = 3000,
};

/* GET the path of URL at ADDRESS; all is copied, and FACTS must outlive.  CB
 * comes once. */
struct split *split_start(uv_loop_t *loop, struct facts *facts,
    int64_t began_ms, const char *url, const char *address,
    void (*cb)(void *cookie), void *cookie);
void split_cancel(struct split **split);

#endif
