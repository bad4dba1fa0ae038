/* SPDX-License-Identifier: ISC */
/* keep/keeper_relay.c -- what is kept answers others too: the relay is told of
 * each target, and listens. */
#include "acquire/acquire.h"
#include "base/clock.h"
#include "base/log.h"
#include "keep/control.h"
#include "keep/keeper_priv.h"
#include "keep/listen.h"
#include "keep/relay.h"
#include "keep/relay_demand.h"
#include "pki/cert.h"

/* A certificate that is not kept is asked for and judged as if it were: by the
 * same rules. */
static bool
prepare(void *cookie, struct acquire_target *target,
    const struct acquire_options **options, void **token)
{
	struct keeper *k = cookie;
	struct settings *settings = k->settings;
	/* neither is changed by it */
	struct cert *leaf = (struct cert *)(uintptr_t)target->leaf;
	struct issuer ca = {.cert = (struct cert *)(uintptr_t)target->issuer,
	    .rule = rules_find(settings->rules, target->leaf, target->issuer)};
	const struct target as_kept = {.leaf = leaf, .ca = &ca};
	struct verify_input input;

	target_terms(
	    &as_kept, settings, clock_wall_s(), &input, &target->policy);
	target->extra = input.extra;
	target->trusted = input.trusted;
	target->delegates = input.delegates;
	target->url = target_url(&as_kept);
	if (target->url == NULL && !acquire_can_ask(leaf))
		return false;
	*options = &settings->acquire;
	settings->users++;
	*token = settings;
	return true;
}

/* Somebody has asked by the hash that we do not: it may be the only one by which
 * the responder, or a cache before it, says so already. */
static void
tell_kept(struct keeper *k, const struct snapshot_node *node,
    struct acquire_result *r)
{
	bool told = node == NULL;

	/* whatever else it is kept from is told by the first */
	for (size_t i = 0; !told && i < k->target_count; i++) {
		told = k->targets[i]->relayed == node &&
		       keeper_hear_revoked(k, k->targets[i], r);
		if (told)
			keeper_decide(k, k->targets[i]);
	}
}

static void
done(void *cookie, const struct acquire_target *target,
    const struct snapshot_node *node, struct acquire_result *result,
    void *token)
{
	struct settings *settings = token;

	settings->users--;
	if (result->accepted && result->facts.status == CERT_REVOKED)
		tell_kept(cookie, node, result);
	log_event(LOG_DETAIL,
	    (struct log_about){.event = "relay", .reason = result->err.reason},
	    "asked for %s, issued by %s: %s", target->leaf->subject,
	    target->leaf->issuer,
	    result->err.reason != REASON_NONE ? result->err.text
					      : "an answer came");
}

void
keeper_relay_obey(struct keeper *k)
{
	const struct relay_demand_hooks hooks = {
	    .pool = k->pool,
	    .unknown = k->options->relay_unknown,
	    .prepare = prepare,
	    .done = done,
	    .cookie = k,
	};

	if (k->relay != NULL)
		relay_allow_demand(k->relay, &hooks);
	if (k->listen != NULL)
		listen_obey(k->listen, k->options->listeners,
		    k->options->listener_count);
}

void
keeper_relay_start(struct keeper *k)
{
	if (k->relay != NULL || k->options->once ||
	    k->options->listener_count == 0)
		return;
	k->relay = relay_new(&k->loop, clock_wall_s);
	keeper_relay_obey(k);
}

_Static_assert((int)LISTEN_STATUS == (int)CONTROL_STATUS &&
		   (int)LISTEN_METRICS == (int)CONTROL_METRICS &&
		   (int)LISTEN_HEALTH == (int)CONTROL_HEALTH,
    "the same bits for the same things");

/* Whatever a listener serves, it takes no orders. */
static bool
tell(void *cookie, const struct server_question *question, unsigned serves)
{
	struct keeper *k = cookie;

	return control_answer(k->control, question,
	    serves & (CONTROL_STATUS | CONTROL_METRICS | CONTROL_HEALTH));
}

void
keeper_relay_listen(struct keeper *k)
{
	if (k->relay == NULL || k->listen != NULL)
		return;
	k->listen = listen_start(&k->loop, k->options->listeners,
	    k->options->listener_count, k->relay);
	listen_others(k->listen, tell, k);
}

void
keeper_relay_stop(struct keeper *k)
{
	listen_stop(&k->listen);
	relay_free(&k->relay);
}

void
keeper_relay_read(struct keeper *k, struct target *target)
{
	struct snapshot_node *before = target->relayed;

	if (k->relay == NULL)
		return;
	/* the new before the old: of the same certificate nothing is lost */
	target->relayed =
	    target->leaf == NULL || target->ca == NULL
		? NULL
		: relay_keep(k->relay, target->leaf, target->ca->cert);
	relay_drop(k->relay, &before);
}

void
keeper_relay_drop(struct keeper *k, struct target *target)
{
	if (k->relay != NULL)
		relay_drop(k->relay, &target->relayed);
}

/* One certificate may be kept from several files: the care of another one may
 * have heard since that it is good again. */
static bool
has_staple(const struct keeper *k, const char *fingerprint)
{
	const struct target *target = keeper_find(k, fingerprint);

	while (target != NULL && target->staple == NULL)
		target = target->twin;
	return target != NULL;
}

void
keeper_relay_decided(struct keeper *k, const struct target *target)
{
	if (k->relay == NULL || target->relayed == NULL)
		return;
	if (target->staple != NULL)
		relay_offer(k->relay, target->relayed, target->staple);
	if (target->staple256 != NULL)
		relay_offer(k->relay, target->relayed, target->staple256);
	if (target->last_final && target->last_status == CERT_REVOKED &&
	    !has_staple(k, target_fingerprint(target)))
		relay_withdraw(k->relay, target->relayed);
}
