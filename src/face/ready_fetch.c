/* SPDX-License-Identifier: ISC */
/* face/ready_fetch.c -- a staple for a certificate that is quite new: asked for
 * again and again. */
#include <stdio.h>
#include <stdlib.h>

#include "acquire/acquire.h"
#include "base/clock.h"
#include "base/loop.h"
#include "dns/health.h"
#include "face/command.h"
#include "face/ready.h"
#include "face/report.h"
#include "face/state.h"
#include "http/fetch.h"
#include "keep/inbox.h"
#include "keep/settings.h"
#include "keep/store.h"
#include "pki/staple.h"

static void attempt(void *cookie);

/* A14, C3: an old good answer does not bring back what is revoked. */
static bool
is_believed(const struct ready *r, const struct staple *staple, struct err *err)
{
	return staple != NULL &&
	       inbox_check_revoked(
		   r->revoked_at, staple_facts(staple)->this_update, err) == 0;
}

/* Bytes of the store are verified before they count (I1). */
static struct staple *
verify_stored(const struct ready *r, const uint8_t *der, size_t len)
{
	struct verify_input input;
	struct verify_policy policy;
	struct staple *staple = NULL;
	struct verdict facts;
	bool accepted;

	target_terms(r->target, r->settings, clock_wall_s(), &input, &policy);
	input.der = der;
	input.len = len;
	(void)verify_staple(&input, &policy, &staple, &facts, &accepted, NULL);
	if (is_believed(r, staple, NULL))
		return staple;
	staple_free(staple);
	return NULL;
}

bool
ready_look(struct ready *r)
{
	struct inbox *inbox = inbox_open(r->state_dir, &r->err);
	uint8_t *der = NULL;
	size_t len = 0;

	if (inbox == NULL)
		return false;
	r->keep_runs = inbox_keeper_runs(inbox);
	r->revoked_at = inbox_revoked_at(inbox, target_fingerprint(r->target));
	if (r->target->staple == NULL &&
	    store_get(inbox_store(inbox), target_fingerprint(r->target), &der,
		&len, NULL) == 1)
		r->target->staple = verify_stored(r, der, len);
	free(der);
	inbox_close(inbox);
	return target_servable(r->target, clock_wall_s()) != NULL;
}

/* What a later try may mend: a signed unknown too, right after the issuance. */
static bool
may_retry(const struct ready *r)
{
	enum reason_group group = reason_group(r->err.reason);

	return r->accepted ? r->facts.status == CERT_UNKNOWN
			   : group == GROUP_NETWORK || group == GROUP_RESPONSE;
}

static void
acquired(void *cookie, struct acquire_result *result)
{
	struct ready *r = cookie;
	int64_t now_ms = clock_mono_ms();
	bool good;

	r->facts = result->facts;
	r->err = result->err;
	good = is_believed(r, result->staple, &r->err);
	r->accepted = good || (result->accepted && result->staple == NULL);
	staple_free(good ? r->target->staple : result->staple);
	if (good) {
		r->target->staple = result->staple;
	} else if (may_retry(r) && now_ms + r->pause_ms < r->end_ms) {
		r->timer = loop_timer_start(&r->loop, r->pause_ms, attempt, r);
		r->pause_ms = r->pause_ms * 2 > READY_RETRY_MAX_MS
				  ? READY_RETRY_MAX_MS
				  : r->pause_ms * 2;
		return;
	}
	/* a look-up of the C library may still run: do not wait for it */
	uv_stop(&r->loop);
}

static void
attempt(void *cookie)
{
	struct ready *r = cookie;
	struct verify_input input;
	struct acquire_target job = {.url = target_url(r->target)};
	int64_t left_ms = r->end_ms - clock_mono_ms();

	char what[64];

	r->timer = NULL;
	r->attempts++;
	(void)snprintf(
	    what, sizeof(what), "its staple, attempt %d", r->attempts);
	report_progress(r->o, what);
	if (r->o->url != NULL)
		job.url = r->o->url;
	target_terms(
	    r->target, r->settings, clock_wall_s(), &input, &job.policy);
	job.leaf = input.leaf;
	job.issuer = input.issuer;
	job.extra = input.extra;
	job.trusted = input.trusted;
	r->acquire.timeout_ms =
	    left_ms < ACQUIRE_TIMEOUT_MS ? left_ms : ACQUIRE_TIMEOUT_MS;
	(void)acquire_start(&r->loop, r->pool, &job, &r->acquire, acquired, r);
}

void
ready_fetch(struct ready *r)
{
	struct health health = {0};
	struct store *store;

	r->acquire = options_acquire(r->o);
	r->acquire.health = &health;
	r->pause_ms = READY_RETRY_FIRST_MS;
	store = state_open_book(r->o, &r->acquire.book);
	r->pool = fetch_pool_new(&r->loop);
	attempt(r);
	loop_run(&r->loop);
	fetch_pool_free(r->pool);
	r->pool = NULL;
	state_close_book(store, r->acquire.book);
}
