/* SPDX-License-Identifier: ISC */
/* keep/keeper_certid.c -- by which hash a response is asked for (B9).
 *
 * SHA-1 is what today's servers and clients look for in a staple.  A responder
 * that has left SHA-1 behind says so by an error, as for many other things: so
 * a certificate that it keeps refusing is asked for by the other hash each
 * fourth time, and what worked stays.
 *
 * `certid both` fetches a second response, by SHA-256, as soon as there is a
 * first one: the relay answers with it who asks by SHA-256.  It never is a
 * staple, and nobody waits for it; but that the certificate is revoked is true
 * by whatever hash it is said. */
#include "acquire/acquire.h"
#include "base/clock.h"
#include "base/log.h"
#include "keep/keeper_priv.h"
#include "pki/staple.h"

enum {
	REFUSALS = 4,          /* each so many-th try is by the other hash */
	SECOND_SPREAD_S = 600, /* after a start */
};

static enum certid_choice
choice_for(const struct keeper *k, const struct target *target)
{
	const struct issuer_rules *rules = target_rules(target);

	if (rules != NULL && rules->certid != CERTID_UNSAID)
		return rules->certid;
	return k->options->certid;
}

/* What a responder says that does not know the hash, among other things. */
static bool
is_refusal(enum reason reason)
{
	return reason == REASON_STATUS_MALFORMED_REQUEST ||
	       reason == REASON_STATUS_UNAUTHORIZED ||
	       reason == REASON_STATUS_INTERNAL_ERROR ||
	       reason == REASON_WRONG_CERTIFICATE;
}

static bool
tries_other(const struct target *target)
{
	return target->failures % REFUSALS == REFUSALS - 1 &&
	       is_refusal(trouble_reason(target->failure));
}

bool
keeper_asks_by_sha256(const struct keeper *k, const struct target *target)
{
	bool usual = choice_for(k, target) == CERTID_SHA256;

	return usual != (target->other_hash != tries_other(target));
}

void
keeper_note_hash(struct target *target)
{
	if (tries_other(target))
		target->other_hash = !target->other_hash;
}

/* --- the second response --- */

bool
keeper_wants_second(const struct keeper *k, const struct target *target)
{
	return !target->second_tried && choice_for(k, target) == CERTID_BOTH &&
	       target->responder != NULL && target->staple != NULL &&
	       !target->last_final && !keeper_asks_by_sha256(k, target);
}

int64_t
keeper_second_at(const struct target *target)
{
	return target->first_seen + target->random % SECOND_SPREAD_S;
}

bool
keeper_hear_revoked(
    struct keeper *k, struct target *target, struct acquire_result *result)
{
	if (!result->accepted || result->facts.status != CERT_REVOKED ||
	    result->facts.this_update < target_this_update(target))
		return false;
	keeper_take(k, target, result);
	return true;
}

void
keeper_take_second(struct target *target, struct acquire_result *result)
{
	if (keeper_hear_revoked(target->keeper, target, result))
		return;
	if (result->staple == NULL) {
		log_event(LOG_DETAIL,
		    target_about(target, "failed", result->err.reason),
		    "no second response by SHA-256: %s",
		    result->accepted ? cert_status_name(result->facts.status)
				     : result->err.text);
		return;
	}
	if (!staple_better(target->staple256, result->staple)) {
		staple_free(result->staple);
		return;
	}
	staple_free(target->staple256);
	target->staple256 = result->staple;
	keeper_save_second(target->keeper, target);
}
