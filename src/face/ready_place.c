/* SPDX-License-Identifier: ISC */
/* face/ready_place.c -- a staple to where servers take it from.
 *
 *   lock free -> store, staple file; nginx: its snippets, tested (no reload)
 *   lock held -> the inbox, and wait until the keeper has published it; the one
 *                that holds it may also be another `ready`, which ends soon
 *
 * It is never waited for a reload, only for the files: the reload is the hook's,
 * or the keeper's. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/loop.h"
#include "base/mem.h"
#include "face/command.h"
#include "face/daemon.h"
#include "face/ready.h"
#include "face/report.h"
#include "keep/inbox.h"
#include "keep/keeper.h"
#include "keep/store.h"
#include "pki/cert.h"
#include "pki/staple.h"

static void place(void *cookie);

static void
finish(struct ready *r)
{
	r->done = r->err.reason == REASON_NONE;
	inbox_close(r->inbox);
	r->inbox = NULL;
	uv_stop(&r->loop);
}

/* --- without a keeper --- */

/* What of the server's configuration is about our certificate; owned: the
 * array.  Each path once. */
static struct nginx_change *
find_sites(const struct ready *r, size_t *count)
{
	const char *fingerprint = target_fingerprint(r->target);
	struct nginx_change *changes = NULL;

	*count = 0;
	for (size_t i = 0; i < r->conf->site_count; i++) {
		const struct nginx_site *site = &r->conf->sites[i];
		const char *path = nginx_site_certificate(site);
		struct cert_list list = {0};

		if (path == NULL || !nginx_site_includes(&r->nginx, site, path))
			continue;
		if (cert_list_load(&list, path, NULL) == 0 &&
		    strcmp(cert_list_leaf(&list)->fingerprint, fingerprint) ==
			0) {
			changes =
			    mem_resize(changes, *count + 1, sizeof(changes[0]));
			changes[(*count)++] = (struct nginx_change){
			    .certificate = path,
			    .fingerprint = fingerprint,
			    .staple = staple_der(r->target->staple),
			};
		}
		cert_list_done(&list);
	}
	return changes;
}

static bool
is_in_place(const struct ready *r)
{
	return nginx_staple_in_place(&r->nginx, target_fingerprint(r->target));
}

static void
store_it(struct ready *r)
{
	bool served;
	/* asked a second time: there is nothing to write */
	bool all_there = r->was_stored && is_in_place(r);

	if (r->err.reason == REASON_NONE && !all_there)
		(void)inbox_put(r->inbox, r->target->staple, &served, &r->err);
	finish(r);
}

static void
prepared(void *cookie, bool reloaded, const struct err *err)
{
	struct ready *r = cookie;

	(void)reloaded;
	r->err = *err;
	store_it(r);
}

static void
scanned(void *cookie, struct nginx_conf *conf, const struct err *err)
{
	struct ready *r = cookie;
	struct nginx_change *changes;
	size_t count;

	r->conf = conf;
	if (conf == NULL) {
		r->err = *err;
		finish(r);
		return;
	}
	changes = find_sites(r, &count);
	(void)nginx_prepare_start(
	    &r->loop, &r->nginx, changes, count, prepared, r);
	free(changes);
}

/* The lock is ours until finish().  nginx first: what it refuses is not worth
 * storing. */
static void
place_alone(struct ready *r)
{
	if (nginx_has_snippets(&r->nginx))
		(void)nginx_scan_start(&r->loop, &r->nginx, scanned, r);
	else
		store_it(r);
}

/* --- with a keeper --- */

enum answer { ANSWER_NO, ANSWER_YES, ANSWER_UNKNOWN, ANSWER_NONE };

/* Whether the keeper looks after our certificate, in its own words.  One that
 * has not read all of its files yet, or gives no answer for now, may. */
static enum answer
ask_keeper(const struct ready *r)
{
	const char *query[] = {
	    "name", target_fingerprint(r->target), "limit", "1", NULL};
	enum answer answer = ANSWER_UNKNOWN;
	json_t *document = NULL;
	struct err err = {0};
	int rc = daemon_ask(r->o, "GET", "/api/v1/status", query, READY_ASK_MS,
	    &document, &err);

	if (rc == 0) {
		answer = ANSWER_YES;
	} else if (rc == 1) {
		answer = ANSWER_NONE; /* it has no control socket */
	} else if (err.reason == REASON_USAGE &&
		   daemon_ask(r->o, "GET", "/api/v1/status", query + 2,
		       READY_ASK_MS, &document, NULL) == 0) {
		answer = json_is_true(json_object_get(document, "ready"))
			     ? ANSWER_NO
			     : ANSWER_UNKNOWN;
	}
	json_decref(document);
	return answer;
}

/* True if the keeper's list, as last saved, has our certificate. */
static bool
is_listed(const struct ready *r)
{
	const char *fingerprint = target_fingerprint(r->target);
	struct store_target *targets = NULL;
	size_t count = 0;
	bool found = false;

	if (store_get_targets(inbox_store(r->inbox), &targets, &count, NULL) ==
	    -1)
		return true; /* who knows */
	for (size_t i = 0; i < count && !found; i++)
		found = targets[i].fingerprint != NULL &&
			strcmp(targets[i].fingerprint, fingerprint) == 0;
	store_targets_free(targets, count);
	return found;
}

static bool
is_kept(const struct ready *r)
{
	enum answer answer = ask_keeper(r);

	return answer == ANSWER_NONE ? is_listed(r) : answer != ANSWER_NO;
}

static void
give_up(struct ready *r)
{
	if (is_kept(r))
		(void)err_set(&r->err, REASON_SERVER_RELOAD,
		    "the `oclasp keep` that runs in '%s' has the staple for "
		    "'%s', but has not published it within %d s: its log says "
		    "why",
		    r->state_dir, target_name(r->target),
		    READY_PUBLISH_MS / 1000);
	else
		(void)err_set(&r->err, REASON_USAGE,
		    "the `oclasp keep` that runs in '%s' does not look after "
		    "'%s': name it in its configuration and reload it",
		    r->state_dir, r->target->certificate);
	finish(r);
}

/* Look again soon: a keeper publishes when it does. */
static void
wait_for_keeper(void *cookie)
{
	struct ready *r = cookie;
	int64_t now_ms = clock_mono_ms();

	r->timer = NULL;
	if (is_in_place(r))
		finish(r);
	else if (now_ms >= r->lock_next_ms)
		place(r);
	else
		r->timer = loop_timer_start(
		    &r->loop, READY_POLL_MS, wait_for_keeper, r);
}

/* The inbox, once: a staple that the store has is on its way already. */
static void
hand_over(struct ready *r, int64_t now_ms)
{
	bool served;

	if (r->handed)
		return;
	r->handed = true;
	r->place_until_ms = now_ms + READY_PUBLISH_MS;
	if (!r->was_stored)
		(void)inbox_put(r->inbox, r->target->staple, &served, &r->err);
}

static void
place(void *cookie)
{
	struct ready *r = cookie;
	int64_t now_ms = clock_mono_ms();

	r->timer = NULL;
	r->inbox = inbox_open(r->state_dir, &r->err);
	if (r->inbox == NULL) {
		finish(r);
		return;
	}
	r->keep_runs = inbox_keeper_runs(r->inbox);
	if (!r->keep_runs) {
		place_alone(r);
		return;
	}
	hand_over(r, now_ms);
	if (r->err.reason != REASON_NONE) {
		finish(r);
		return;
	}
	/* its first looks may come before its list has our certificate */
	if (now_ms >= r->place_until_ms ||
	    (now_ms >= r->place_until_ms - READY_PUBLISH_MS + READY_KEPT_MS &&
		!is_kept(r))) {
		give_up(r);
		return;
	}
	inbox_close(r->inbox);
	r->inbox = NULL;
	r->lock_next_ms = now_ms + READY_LOCK_MS;
	r->timer = loop_timer_start(&r->loop, 0, wait_for_keeper, r);
}

void
ready_place(struct ready *r)
{
	char *snippets = keeper_snippet_dir(r->state_dir);
	char *staples = keeper_staple_dir(r->state_dir);

	r->nginx = (struct nginx){
	    .command =
		r->o->server_command != NULL ? r->o->server_command : "nginx",
	    .snippet_dir = snippets,
	    .staple_dir = staples,
	};
	err_clear(&r->err);
	report_progress(r->o, "its staple, and its place for the servers");
	r->timer = loop_timer_start(&r->loop, 0, place, r);
	loop_run(&r->loop);
	nginx_conf_free(r->conf);
	r->conf = NULL;
	free(snippets);
	free(staples);
}
