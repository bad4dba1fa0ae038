/* SPDX-License-Identifier: ISC */
/* keep/policy.c -- what to do about one target, and when. */
#include "keep/policy.h"

#include "base/clock.h"
#include "pki/cert.h"

const char *
target_state_name(enum target_state state)
{
	switch (state) {
	case STATE_FRESH:
		return "fresh";
	case STATE_DUE:
		return "due";
	case STATE_RETRYING:
		return "retrying";
	case STATE_EXPIRING:
		return "expiring";
	case STATE_EXPIRED:
		return "expired";
	case STATE_REVOKED:
		return "revoked";
	case STATE_UNKNOWN:
		return "unknown";
	case STATE_PENDING:
		return "pending";
	case STATE_NO_RESPONDER:
		return "no-responder";
	case STATE_NOT_NEEDED:
		return "not-needed";
	case STATE_MUST_STAPLE_MISSING:
		return "must-staple-missing";
	case STATE_CERTIFICATE_EXPIRED:
		return "certificate-expired";
	case STATE_ERROR:
		return "error";
	}
	return "error";
}

bool
target_state_is_alarm(enum target_state state)
{
	switch (state) {
	case STATE_FRESH:
	case STATE_DUE:
	case STATE_RETRYING:
	case STATE_PENDING:
	case STATE_NO_RESPONDER:
	case STATE_NOT_NEEDED:
		return false;
	case STATE_EXPIRING:
	case STATE_EXPIRED:
	case STATE_REVOKED:
	case STATE_UNKNOWN:
	case STATE_MUST_STAPLE_MISSING:
	case STATE_CERTIFICATE_EXPIRED:
	case STATE_ERROR:
		return true;
	}
	return true;
}

static int64_t
larger(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static bool
is_usable(const struct policy_facts *f)
{
	return f->has_staple && f->now < f->usable_until;
}

/* The clock has been set back since the last attempt: no pause that was
 * counted from it means anything, and one of years would be waited for. */
static bool
was_set_back(const struct policy_facts *f)
{
	return f->last_attempt > f->now;
}

/* The target's own number, shaken anew for each attempt: for back-off. */
static uint32_t
shaken(const struct policy_facts *f)
{
	uint64_t x = f->random ^ (uint64_t)f->last_attempt << 20 ^
		     (uint64_t)f->failures << 52;

	/* the finalizer of MurmurHash3 */
	x = (x ^ x >> 33) * UINT64_C(0xff51afd7ed558ccd);
	x = (x ^ x >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
	return (uint32_t)(x ^ x >> 33);
}

/* How much before the half a refresh may begin, so that what was signed in one
 * second is not asked for in one second.  A start brings the responses of all
 * in a few minutes: the first ones are refreshed anywhere from now on to their
 * half, and ever after they come evenly. */
static int64_t
jitter(const struct policy_facts *f)
{
	int64_t life = f->end - f->this_update;
	int64_t half = f->this_update + life / 2;

	if (f->first_at == 0)
		return life * POLICY_JITTER_PERCENT / 100;
	return clock_earlier(
	    life * POLICY_SPREAD_PERCENT / 100, half - f->first_at - 1);
}

/* A4: at or before half of the life.  HTTP's max-age may move it later, but
 * never past the half (C21). */
static int64_t
refresh_at(const struct policy_facts *f)
{
	int64_t half = f->this_update + (f->end - f->this_update) / 2;
	int64_t span = jitter(f);
	int64_t early = span > 0 ? f->random % (span + 1) : 0;
	int64_t left = f->usable_until - f->last_attempt;

	if (f->last_attempt < half - early)
		return clock_earlier(
		    half, larger(half - early, f->fetch_again));
	/* A responder may have nothing newer at that moment (BR 4.9.10 lets a
	 * CA serve seven days until four are over): then again after a tenth of
	 * what is left, and so on; or later, up to a quarter, if a cache says
	 * how long it will give the same (C21). */
	return larger(f->last_attempt + larger(1, left / 10),
	    clock_earlier(f->fetch_again, f->last_attempt + left / 4));
}

/* The state of a target whose last answer was good. */
static enum target_state
good_state(const struct policy_facts *f, int64_t next_attempt)
{
	bool due = f->now >= next_attempt;
	/* what the last attempt has shown is so until the next one is over */
	int64_t at = due ? clock_earlier(f->last_attempt, f->now) : f->now;

	/* good, and the newest there is, but not for long any more */
	if (f->usable_until - at < (f->end - f->this_update) / 4)
		return STATE_EXPIRING;
	return due ? STATE_DUE : STATE_FRESH;
}

/* F2: a CA has a quarter of an hour to tell its responder of a certificate.
 * Since many date it back, the moment when we met it counts as well. */
static bool
is_just_issued(const struct policy_facts *f)
{
	return f->last_attempt < f->not_before + POLICY_GRACE_S ||
	       (f->first_seen < f->not_before + POLICY_BACKDATED_S &&
		   f->last_attempt < f->first_seen + POLICY_GRACE_S);
}

/* The back-off's ceiling: doubling, and lower the nearer the end is.  Both
 * here and below what is left counts from the last attempt, not from now:
 * a decision that is made again later must not move. */
static int64_t
retry_ceiling(const struct policy_facts *f)
{
	unsigned doublings = f->failures - 1 < 20 ? f->failures - 1 : 20;
	int64_t grown = (int64_t)POLICY_RETRY_FIRST_S << doublings;

	if (is_usable(f))
		return clock_earlier(
		    grown, larger(POLICY_RETRY_BARE_S,
			       clock_earlier(POLICY_RETRY_MAX_S,
				   (f->usable_until - f->last_attempt) / 10)));
	return clock_earlier(
	    grown, f->failures <= POLICY_BARE_FAST || is_just_issued(f)
		       ? POLICY_RETRY_BARE_S
		       : POLICY_RETRY_SLOW_S);
}

/* A7: exponential, full jitter, capped; Retry-After within reason, and while
 * there is something to live on max-age too: a cache that says how long it
 * will give the same answer need not be asked before (C21). */
static int64_t
retry_at(const struct policy_facts *f)
{
	int64_t at = f->last_attempt + 1 + shaken(f) % retry_ceiling(f);
	int64_t most = f->last_attempt + POLICY_RETRY_AFTER_BARE_S;
	int64_t hint = f->retry_after;

	if (is_usable(f)) {
		hint = larger(hint, f->fetch_again);
		/* never so long that a living staple would end unattended */
		most = f->last_attempt +
		       clock_earlier(POLICY_RETRY_AFTER_MAX_S,
			   (f->usable_until - f->last_attempt) / 4);
	}
	return larger(at, clock_earlier(hint, most));
}

/* After a signed revoked or unknown.  A responder of short lives changes its
 * mind as quickly as its answers end; one that does not know a certificate of
 * this minute will know it in the next; and a staple that lives is not left
 * alone until it ends.  A little earlier, by chance: answers of one second. */
static int64_t
ask_again_at(const struct policy_facts *f)
{
	int64_t pause = POLICY_FINAL_S;

	if (f->final_life > 0)
		pause = clock_earlier(pause, f->final_life / 2);
	if (f->last_status == CERT_UNKNOWN && is_just_issued(f))
		pause = POLICY_FINAL_MIN_S;
	if (is_usable(f))
		pause = clock_earlier(
		    pause, (f->usable_until - f->last_attempt) / 4);
	pause = larger(POLICY_FINAL_MIN_S, pause);
	return f->last_attempt + pause - shaken(f) % (pause / 8 + 1);
}

/* The state of a target whose last attempt has failed. */
static enum target_state
failing_state(const struct policy_facts *f)
{
	if (is_usable(f))
		return f->usable_until - f->now < (f->end - f->this_update) / 4
			   ? STATE_EXPIRING
			   : STATE_RETRYING;
	if (f->must_staple)
		return STATE_MUST_STAPLE_MISSING;
	return f->has_staple ? STATE_EXPIRED : STATE_PENDING;
}

/* Nothing to fetch: true, with the state that says why. */
static bool
is_settled(const struct policy_facts *f, enum target_state *state)
{
	if (!f->readable)
		*state = STATE_ERROR;
	else if (f->not_after <= f->now)
		*state = STATE_CERTIFICATE_EXPIRED; /* B10 */
	else if (f->responder)
		return false;
	else if (f->must_staple)
		*state = STATE_MUST_STAPLE_MISSING; /* D3 */
	else if (f->not_after - f->not_before <= CERT_SHORT_LIVED)
		*state = STATE_NOT_NEEDED;
	else
		*state = STATE_NO_RESPONDER;
	return true;
}

struct policy_decision
policy_decide(const struct policy_facts *f)
{
	struct policy_decision d = {0};

	if (is_settled(f, &d.state))
		return d;
	if (f->not_before > f->now) {
		d.state = STATE_PENDING;
		d.next_attempt = f->not_before;
	} else if (f->last_final) {
		d.state = f->last_status == CERT_REVOKED ? STATE_REVOKED
							 : STATE_UNKNOWN;
		d.next_attempt = was_set_back(f) ? f->now : ask_again_at(f);
	} else if (f->failures > 0) {
		d.state = failing_state(f);
		d.next_attempt = was_set_back(f) ? f->now : retry_at(f);
	} else if (!is_usable(f)) {
		d.state = f->has_staple ? STATE_EXPIRED : STATE_PENDING;
		d.next_attempt = f->now;
	} else {
		d.next_attempt = was_set_back(f) ? f->now : refresh_at(f);
		d.state = good_state(f, d.next_attempt);
	}
	return d;
}
