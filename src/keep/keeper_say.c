/* SPDX-License-Identifier: ISC */
/* keep/keeper_say.c -- a certificate's state begins: the line that says so. */
#include "base/clock.h"
#include "base/log.h"
#include "keep/keeper_priv.h"
#include "keep/status.h"
#include "pki/staple.h"

/* Fresh is news where something was wrong before; else the line on the response
 * has said it, or nothing has changed since the last run. */
static enum log_level
level_of(const struct target *target, enum target_state state)
{
	if (target_state_is_alarm(state))
		return LOG_ERROR;
	if (state == STATE_RETRYING)
		return LOG_WARNING;
	return state == STATE_FRESH && (target->state == STATE_PENDING ||
					   target->state == STATE_DUE)
		   ? LOG_DETAIL
		   : LOG_NOTICE;
}

/* States that want more than the line on the attempt before: what it is, and
 * what is to be done. */
static bool
tells_all(enum target_state state)
{
	return (target_state_is_alarm(state) && state != STATE_ERROR) ||
	       state == STATE_NO_RESPONDER || state == STATE_NOT_NEEDED ||
	       state == STATE_PENDING;
}

/* Due is a moment, and pending is where all begin; but who waits for the
 * certificate's own time to begin should know it. */
static bool
is_news(const struct target *target, enum target_state state, int64_t now)
{
	if (state == STATE_PENDING)
		return target->failures > 0 ||
		       (target->leaf != NULL && target->leaf->not_before > now);
	return state != STATE_DUE;
}

void
keeper_say_state(
    const struct target *target, enum target_state state, int64_t now)
{
	enum log_level level = level_of(target, state);
	const struct staple *staple = target_servable(target, now);
	const struct log_about about =
	    target_about(target, "state", target_reason(target, state));
	const struct status_row row = status_row(target, now);
	char left[CLOCK_SPAN], text[STATUS_SENTENCE];

	if (!is_news(target, state, now))
		return;
	/* what is wrong with a file has been said when it was read */
	if (tells_all(state))
		log_event(level, about, "%s: %s", target_state_name(state),
		    status_sentence(&row, now, text));
	else if (staple != NULL)
		log_event(level, about, "%s, usable for %s",
		    target_state_name(state),
		    clock_span(staple_usable_until(staple) - now, left));
	else if (state == STATE_ERROR)
		log_event(level, about, "%s: its file cannot be used",
		    target_state_name(state));
	else
		log_event(level, about, "%s, no usable staple",
		    target_state_name(state));
}
