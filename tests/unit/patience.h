/* SPDX-License-Identifier: ISC */
/* tests/unit/patience.h -- a loop that runs until its event, or for so long. */
#ifndef OCLASP_TESTS_PATIENCE_H
#define OCLASP_TESTS_PATIENCE_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/loop.h"

struct patience {
	uv_loop_t *loop;
	struct loop_timer *timer;
};

static inline void
patience_over(void *cookie)
{
	struct patience *patience = cookie;

	patience->timer = NULL;
	uv_stop(patience->loop);
}

/* Run LOOP until it is stopped or has nothing left to do; false if MS were over
 * before that. */
static inline bool
patience_run(uv_loop_t *loop, int64_t ms)
{
	struct patience patience = {.loop = loop};
	bool stopped;

	patience.timer = loop_timer_start(loop, ms, patience_over, &patience);
	loop_run(loop);
	stopped = patience.timer != NULL;
	loop_timer_cancel(&patience.timer);
	return stopped;
}

#endif
