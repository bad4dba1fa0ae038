/* SPDX-License-Identifier: ISC */
/* keep/target.c -- one certificate that is kept: what we know and have of it. */
#include "keep/target.h"

#include <stdlib.h>
#include <string.h>

#include "acquire/acquire.h"
#include "base/mem.h"
#include "keep/settings.h"
#include "pki/staple.h"

struct target *
target_new(const struct target_spec *spec)
{
	struct target *target = mem_new(sizeof(*target));

	target->entry.subject = target->place.subject = target;
	target->certificate = mem_string(spec->certificate);
	target->issuer = mem_string(spec->issuer);
	target->url = mem_string(spec->url);
	target->state = STATE_PENDING;
	return target;
}

void
target_stopped(struct target *target)
{
	target->acquire = NULL;
	if (target->settings != NULL)
		target->settings->users--;
	target->settings = NULL;
	target->second = false;
}

void
target_stop(struct target *target)
{
	acquire_cancel(&target->acquire);
	target_stopped(target);
}

void
target_free(struct target *target)
{
	if (target == NULL)
		return;
	target_stop(target);
	cert_free(target->leaf);
	issuer_leave(&target->ca);
	target_drop_staple(target);
	free(target->unreadable);
	free(target->failure);
	free(target->responder);
	free(target->certificate);
	free(target->issuer);
	free(target->url);
	free(target);
}

void
trouble_set(struct trouble **trouble, const struct err *err)
{
	size_t len = strlen(err->text) + 1;

	free(*trouble);
	*trouble = NULL;
	if (err->reason == REASON_NONE)
		return;
	*trouble = mem_new(sizeof(**trouble) + len);
	(*trouble)->reason = err->reason;
	memcpy((*trouble)->text, err->text, len);
}

struct err
trouble_err(const struct trouble *trouble)
{
	struct err err = {0};

	if (trouble != NULL)
		(void)err_set(&err, trouble->reason, "%s", trouble->text);
	return err;
}

enum reason
trouble_reason(const struct trouble *trouble)
{
	return trouble == NULL ? REASON_NONE : trouble->reason;
}

void
target_drop_staple(struct target *target)
{
	staple_free(target->staple);
	staple_free(target->staple256);
	target->staple = target->staple256 = NULL;
}

const struct cert *
target_issuer(const struct target *target)
{
	return target->ca == NULL ? NULL : target->ca->cert;
}

const struct issuer_rules *
target_rules(const struct target *target)
{
	return target->ca == NULL || target->ca->rule == NULL
		   ? NULL
		   : &target->ca->rule->said;
}

const char *
target_url(const struct target *target)
{
	const struct issuer_rules *rules = target_rules(target);

	return target->url != NULL ? target->url
	       : rules != NULL     ? rules->url
				   : NULL;
}

/* --- what is known --- */

const char *
target_name(const struct target *target)
{
	return target->leaf == NULL ? target->certificate
				    : cert_name(target->leaf);
}

struct log_about
target_about(const struct target *target, const char *event, enum reason failed)
{
	return (struct log_about){
	    .event = event,
	    .certificate = target_name(target),
	    .responder = reason_group(failed) == GROUP_INPUT
			     ? NULL /* nobody was asked */
			     : target->responder,
	    .reason = failed,
	};
}

enum reason
target_reason(const struct target *target, enum target_state state)
{
	switch (state) {
	case STATE_NO_RESPONDER:
		return REASON_NO_OCSP_URL;
	case STATE_MUST_STAPLE_MISSING:
		return target->responder == NULL
			   ? REASON_NO_OCSP_URL
			   : trouble_reason(target->failure);
	case STATE_CERTIFICATE_EXPIRED:
		return REASON_CERTIFICATE_EXPIRED;
	case STATE_ERROR:
		return trouble_reason(target->unreadable);
	case STATE_RETRYING:
	case STATE_EXPIRING:
	case STATE_EXPIRED:
	case STATE_PENDING:
	case STATE_FRESH:
	case STATE_DUE:
		return trouble_reason(target->failure);
	case STATE_REVOKED: /* an answer, no failure */
	case STATE_UNKNOWN:
	case STATE_NOT_NEEDED:
		return REASON_NONE;
	}
	return REASON_NONE;
}

const char *
target_fingerprint(const struct target *target)
{
	return target->leaf == NULL ? NULL : target->leaf->fingerprint;
}

void
target_terms_of(const struct target_pair *pair, const struct settings *settings,
    int64_t now, struct verify_input *input, struct verify_policy *policy)
{
	const struct keeper_options *options = &settings->options;
	const struct issuer *ca = pair->ca;
	const struct rule *rule = ca == NULL ? NULL : ca->rule;

	*input = (struct verify_input){
	    .leaf = pair->leaf,
	    .issuer = ca == NULL ? NULL : ca->cert,
	    .extra = &settings->extra,
	    .trusted = rule == NULL ? NULL : &rule->signers,
	    .delegates = settings->delegates,
	    .sealer = settings->sealer,
	};
	*policy = verify_policy_default(now);
	policy->allow_no_next_update = options->allow_no_next_update;
	policy->allow_sha1 = options->allow_sha1;
	if (rule == NULL)
		return;
	policy->nonce_strict = rule->said.nonce == NONCE_STRICT;
	policy->allow_sha1 = policy->allow_sha1 || rule->said.allow_sha1;
	if (rule->said.no_next_update_s > 0) {
		policy->allow_no_next_update = true;
		policy->no_next_update_s = rule->said.no_next_update_s;
	}
}

void
target_terms(const struct target *target, const struct settings *settings,
    int64_t now, struct verify_input *input, struct verify_policy *policy)
{
	const struct target_pair pair = {target->leaf, target->ca};

	target_terms_of(&pair, settings, now, input, policy);
}

bool
target_keeps_revoked(
    const struct target *target, const struct settings *settings)
{
	const struct issuer_rules *rules = target_rules(target);

	if (rules != NULL && rules->on_revoked != ON_REVOKED_UNSAID)
		return rules->on_revoked == ON_REVOKED_KEEP;
	return settings->options.on_revoked == ON_REVOKED_KEEP;
}

bool
target_lacks_feature(const struct target *target)
{
	return target->ca != NULL && target->ca->cert->must_staple &&
	       !target->leaf->must_staple;
}

struct policy_facts
target_facts(const struct target *target, int64_t now)
{
	const struct cert *leaf = target->leaf;
	enum reason bad = trouble_reason(target->unreadable);
	struct policy_facts facts = {
	    .now = now,
	    .random = target->random,
	    .failures = target->failures,
	    .last_attempt = target->last_attempt,
	    .last_final = target->last_final,
	    .last_status = target->last_status,
	    .final_life = target->final_life,
	    .first_seen = target->first_seen,
	    .fetch_again = target->fetch_again,
	    .retry_after = target->retry_after,
	};

	if (leaf != NULL) {
		facts.responder = target->responder != NULL;
		/* without a responder nobody needs the issuer, unless the
		 * operator names one for that issuer */
		facts.readable =
		    target->ca != NULL ||
		    (!facts.responder && bad != REASON_ISSUER_MISSING &&
			bad != REASON_ISSUER_MISMATCH);
		facts.must_staple = leaf->must_staple;
		facts.not_before = leaf->not_before;
		facts.not_after = leaf->not_after;
	}
	if (target->staple != NULL) {
		const struct verdict *v = staple_facts(target->staple);

		facts.has_staple = true;
		facts.first_at = target->first_at;
		facts.this_update = v->this_update;
		facts.end = v->usable_until;
		facts.usable_until = staple_usable_until(target->staple);
	}
	return facts;
}

int64_t
target_this_update(const struct target *target)
{
	return target->staple == NULL
		   ? 0
		   : staple_facts(target->staple)->this_update;
}

bool
target_waits(const struct target *target, int64_t now)
{
	const struct cert *leaf = target->leaf;

	return target->held && target->served_until > now && leaf != NULL &&
	       target_servable(target, now) == NULL &&
	       (target->responder != NULL || leaf->must_staple);
}

const struct staple *
target_servable(const struct target *target, int64_t now)
{
	return target->staple != NULL && staple_usable(target->staple, now)
		   ? target->staple
		   : NULL;
}
