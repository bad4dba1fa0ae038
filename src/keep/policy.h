/* SPDX-License-Identifier: ISC */
/* keep/policy.h -- what to do about one target, and when.
 *
 * Pure: facts and `now` in, a decision out; no clock, no random source, no
 * I/O.  Every rule is a row in tests/unit/test_policy.c.  Wall seconds. */
#ifndef OCLASP_KEEP_POLICY_H
#define OCLASP_KEEP_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/reason.h"
#include "pki/verify.h"

/* CONTRACT, "States of a target". */
enum target_state {
	STATE_FRESH,
	STATE_DUE,
	STATE_RETRYING,
	STATE_EXPIRING,
	STATE_EXPIRED,
	STATE_REVOKED,
	STATE_UNKNOWN,
	STATE_PENDING,
	STATE_NO_RESPONDER,
	STATE_NOT_NEEDED,
	STATE_MUST_STAPLE_MISSING,
	STATE_CERTIFICATE_EXPIRED,
	STATE_ERROR,
};

const char *target_state_name(enum target_state state);

/* True if the state needs a person (exit 1 of `status`). */
bool target_state_is_alarm(enum target_state state);

enum {
	POLICY_JITTER_PERCENT = 10, /* of a response's life: how much before
				       its half a refresh may begin; */
	POLICY_SPREAD_PERCENT = 40, /* the same of the first response */
	POLICY_RETRY_FIRST_S = 2,   /* the first back-off's ceiling, doubling */
	POLICY_RETRY_BARE_S = 10,   /* ceiling while nothing usable is there, */
	POLICY_BARE_FAST = 130, /* for so many failures, some twelve minutes, */
	POLICY_GRACE_S = 15 * 60,  /* or so long after the certificate was
				       issued (F2); */
	POLICY_RETRY_SLOW_S = 300, /* after that */
	POLICY_RETRY_MAX_S = 3600, /* ceiling while a good staple lives */
	POLICY_FINAL_S = 3600,     /* ask again after revoked or unknown, or
				       at half of that answer's life, */
	POLICY_FINAL_MIN_S = 10,   /* but not sooner than this */
	POLICY_RETRY_AFTER_MAX_S = 3600, /* the longest Retry-After obeyed, */
	POLICY_RETRY_AFTER_BARE_S = 30,  /* and while nothing usable is there:
					    anybody on the way can write it */
	POLICY_BACKDATED_S = 86400,      /* a certificate that is older was not
				       issued just now, whenever we saw it */
};

/* What is known of one target. */
struct policy_facts {
	int64_t now;
	uint32_t random; /* the target's own number, the same for ever */

	bool readable;  /* certificate and issuer could be read */
	bool responder; /* an AIA URL, or one by configuration */
	bool must_staple;
	int64_t not_before, not_after; /* of the certificate */
	int64_t first_seen;            /* when we met it; 0: not known */

	bool has_staple;
	int64_t this_update, end; /* of the staple; END is the effective end */
	int64_t usable_until;
	int64_t first_at; /* it is the first one, and came then; else 0 */

	unsigned failures;    /* in a row, since the last good answer */
	int64_t last_attempt; /* 0: never */
	bool last_final;      /* it was a signed revoked or unknown */
	enum cert_status last_status;
	int64_t final_life;  /* seconds that such an answer lives; 0 unknown */
	int64_t fetch_again; /* HTTP: not earlier than that (max-age); 0 none */
	int64_t retry_after; /* HTTP: not earlier than that; 0 none */
};

struct policy_decision {
	enum target_state state;
	int64_t next_attempt; /* 0: never, until something changes */
};

struct policy_decision policy_decide(const struct policy_facts *facts);

#endif
