/* SPDX-License-Identifier: ISC */
/* keep/keeper_busy.c -- a machine that is too busy for us.
 *
 * All deadlines are of the clock.  Where this process got no turn for a while
 * they pass with the answer waiting in the socket, and the responder would be
 * blamed for what it has not done.  A keeper that runs on asks again soon
 * anyway; `--once` would end with "try later" for nothing, so it tries such an
 * attempt again.  A timer that comes late tells. */
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "keep/keeper_priv.h"

enum {
	BEAT_MS = 200,
	LATE_MS = 500, /* so late is no chance any more */
	AGAIN_MAX_MS =
	    60000, /* from the start on, then no more is tried again */
};

static void
beat(void *cookie)
{
	struct keeper *k = cookie;
	int64_t now_ms = clock_mono_ms();

	if (now_ms - k->beat_ms > BEAT_MS + LATE_MS)
		k->late_ms = now_ms;
	k->beat_ms = now_ms;
	k->beat = loop_timer_start(&k->loop, BEAT_MS, beat, k);
}

void
keeper_busy_begin(struct keeper *k)
{
	if (!k->options->once)
		return;
	k->begin_ms = k->beat_ms = clock_mono_ms();
	k->beat = loop_timer_start(&k->loop, BEAT_MS, beat, k);
}

void
keeper_busy_end(struct keeper *k)
{
	loop_timer_cancel(&k->beat);
}

bool
keeper_was_busy(const struct keeper *k, int64_t for_ms)
{
	int64_t now_ms = clock_mono_ms();

	if (k->beat == NULL || now_ms - k->begin_ms > AGAIN_MAX_MS)
		return false;
	/* it may be the beat's turn only after this */
	return (k->late_ms != 0 && now_ms - k->late_ms <= for_ms) ||
	       now_ms - k->beat_ms > BEAT_MS + LATE_MS;
}
