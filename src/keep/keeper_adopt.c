/* SPDX-License-Identifier: ISC */
/* keep/keeper_adopt.c -- what a restart finds of each certificate. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "keep/keeper_priv.h"
#include "pki/staple.h"

static struct log_about
about(const struct err *err)
{
	return (struct log_about){.event = "store", .reason = err->reason};
}

/* Verify bytes from disk before they are a staple again (I1); by a SEAL of ours
 * that fits, without what it says of them. */
static struct staple *
verify_stored(const struct keeper *k, const struct target_pair *pair,
    struct span bytes, struct span seal)
{
	struct verify_input input;
	struct verify_policy policy;
	struct staple *staple = NULL;
	struct verdict facts;
	bool accepted;

	if (bytes.len == 0)
		return NULL;
	target_terms_of(pair, k->settings, clock_wall_s(), &input, &policy);
	input.der = bytes.at;
	input.len = bytes.len;
	input.seal = seal;
	(void)verify_staple(&input, &policy, &staple, &facts, &accepted, NULL);
	return staple;
}

/* Take STAPLE instead of *HAVE if it is better. */
static bool
offer(struct staple **have, struct staple *staple)
{
	if (staple == NULL)
		return false;
	if (!staple_better(*have, staple)) {
		staple_free(staple);
		return false;
	}
	staple_free(*have);
	*have = staple;
	return true;
}

/* Failures, back-off, hints and what was said for good are those of before. */
static void
adopt_state(struct target *target, const struct store_state *state)
{
	target->last_attempt = state->last_attempt;
	target->failures = state->failures;
	trouble_set(&target->failure, &state->last_err);
	target->last_final = state->last_final;
	target->last_status = state->last_status;
	target->fetch_again = state->fetch_again;
	target->retry_after = state->retry_after;
	target->final_life = state->final_life;
	target->floor = state->floor;
	target->first_at = state->first_at;
	target->other_hash = state->other_hash;
	if (state->first_seen != 0)
		target->first_seen = state->first_seen;
	if (state->random != 0) /* a courier's has none */
		target->random = state->random;
}

/* When a start does not go by the last attempt.  A staple past its half is
 * asked for, though the responder had nothing newer a while ago; and a run by
 * hand asks in spite of failures, unless the responder itself said when. */
static bool
asks_at_once(const struct target *target, bool once)
{
	struct policy_facts facts = target_facts(target, clock_wall_s());
	int64_t next;

	if (facts.failures > 0 || facts.last_final)
		return once && facts.retry_after <= facts.now;
	facts.last_attempt = 0;
	next = policy_decide(&facts).next_attempt;
	return next != 0 && next <= facts.now;
}

/* --- what the store has --- */

struct recall {
	struct keeper *k;
	const struct target_pair *pair;
};

/* False: the store lacks the seal that STAPLE has got by now. */
static bool
has_seal(const struct staple *staple, struct span stored)
{
	return staple == NULL || span_equal(staple_seal(staple), stored);
}

static void
recall_item(void *cookie, const struct store_item *item)
{
	const struct recall *recall = cookie;
	struct keeper_recalled *r = &recall->k->recalled;

	r->found = true;
	r->state = item->state;
	r->staple =
	    verify_stored(recall->k, recall->pair, item->staple, item->seal);
	r->second = verify_stored(
	    recall->k, recall->pair, item->second, item->second_seal);
	r->unsealed = !has_seal(r->staple, item->seal) ||
		      !has_seal(r->second, item->second_seal);
}

void
keeper_forget_recalled(struct keeper *k)
{
	staple_free(k->recalled.staple);
	staple_free(k->recalled.second);
	k->recalled = (struct keeper_recalled){0};
}

/* Look PAIR up, unless that was done a moment ago. */
static void
recall(struct keeper *k, const struct target_pair *pair)
{
	struct recall now = {k, pair};
	struct err err = {0};

	if (strcmp(k->recalled.fingerprint, pair->leaf->fingerprint) == 0)
		return;
	keeper_forget_recalled(k);
	memcpy(k->recalled.fingerprint, pair->leaf->fingerprint,
	    sizeof(k->recalled.fingerprint));
	if (k->stored != NULL &&
	    strcmp(k->stored->fingerprint, pair->leaf->fingerprint) == 0)
		recall_item(&now, k->stored);
	else if (store_each(k->store, pair->leaf->fingerprint, recall_item,
		     &now, &err) == -1 &&
		 !k->store_unread) {
		k->store_unread = true; /* said once, not for each */
		log_event(LOG_ERROR, about(&err), "%s", err.text);
	}
}

/* A response comes into the store, under the fingerprint of a leaf, only after
 * it was verified (I1) for that leaf and the issuer whose signature on the leaf
 * was: of this very certificate the store then says that the key named in the
 * response's CertID signed it.  Here the response is judged again, with
 * PAIR's issuer: its CertID must name that one's key and the leaf's serial
 * number, and a seal that spares its signature names both certificates.  So
 * this is the issuer of then.  Were the store forged, by somebody who may write
 * whatever we publish: what is published is still the true answer of that
 * issuer, for its name, its key and that serial number, and a client verifies
 * the leaf's own signature in any case. */
bool
keeper_was_paired(void *cookie, const struct target_pair *pair)
{
	struct keeper *k = cookie;

	recall(k, pair);
	return k->recalled.staple != NULL;
}

static void
adopt_recalled(struct keeper *k, struct target *target)
{
	struct keeper_recalled *r = &k->recalled;

	if (!r->found)
		return;
	/* the clock was set: what happened since the start counts */
	if (target->last_attempt == 0 && !target->last_final &&
	    target->failures == 0)
		adopt_state(target, &r->state);
	if (r->unsealed) /* so that the next start need not do it again */
		target->unsaved = k->some_unsaved = true;
	(void)offer(&target->staple, r->staple);
	(void)offer(&target->staple256, r->second);
	r->staple = r->second = NULL;
	target->second_tried =
	    target->staple != NULL && target->staple256 != NULL &&
	    !staple_better(target->staple256, target->staple);
}

/* It may be newer than the store's, which is written a moment later. */
static void
adopt_published(struct keeper *k, struct target *target)
{
	char *path =
	    mem_printf("%s/%s.der", k->staple_dir, target_fingerprint(target));
	const struct target_pair pair = {target->leaf, target->ca};
	uint8_t *der = NULL;
	size_t len = 0;

	/* it is mostly the same, and verified: that takes its time */
	if (file_read(path, VERIFY_RESPONSE_MAX, &der, &len, NULL) == 0 &&
	    (target->staple == NULL || !span_equal(staple_der(target->staple),
					   (struct span){der, len})) &&
	    offer(&target->staple,
		verify_stored(
		    k, &pair, (struct span){der, len}, (struct span){0})))
		target->unsaved = k->some_unsaved = true;
	free(der);
	free(path);
}

bool
keeper_must_withdraw(const struct keeper *k, const struct target *target)
{
	return target->last_final && target->last_status == CERT_REVOKED &&
	       !target_keeps_revoked(target, k->settings);
}

void
keeper_obey_revoked(struct keeper *k, struct target *target)
{
	if (keeper_must_withdraw(k, target))
		keeper_drop_staple(k, target);
}

/* State is adopted on restart with no network (A1): from the store, and where
 * that is lost, from the published file. */
void
keeper_adopt(struct keeper *k, struct target *target)
{
	const struct target_pair pair = {target->leaf, target->ca};

	if (target->leaf == NULL || target->ca == NULL)
		return;
	recall(k, &pair);
	adopt_recalled(k, target);
	keeper_forget_recalled(k);
	/* a published file may have outlived the word that it is revoked, if
	 * this was killed right after it */
	if (!target->last_final || target->last_status != CERT_REVOKED)
		adopt_published(k, target);
	/* nothing is published yet, and who only looks publishes nothing */
	if (keeper_must_withdraw(k, target))
		target_drop_staple(target);
	if (asks_at_once(target, k->options->once))
		target->last_attempt = 0;
	if (target->staple != NULL)
		log_event(LOG_DETAIL,
		    target_about(target, "adopted", REASON_NONE),
		    "the stored staple is adopted");
}
