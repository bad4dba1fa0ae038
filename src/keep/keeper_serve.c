/* SPDX-License-Identifier: ISC */
/* keep/keeper_serve.c -- rounds of publishing.
 *
 *   dirty -> gather a moment -> read the server's configuration -> publish the
 *   whole wanted state -> hand over to the proofs (keeper_proofs.c), or again
 *   after a pause that doubles */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "acquire/acquire.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "keep/keeper_priv.h"
#include "pki/staple.h"

static void begin_round(void *cookie);

bool
keeper_is_publishing(const struct keeper *k)
{
	return k->scan != NULL || k->publish != NULL ||
	       (k->dirty && k->publish_timer != NULL && !k->publish_failed);
}

static void
arm(struct keeper *k, int64_t delay_ms)
{
	loop_timer_cancel(&k->publish_timer);
	k->publish_timer = loop_timer_start(&k->loop, delay_ms, begin_round, k);
}

/* How long the next round waits after one that has failed: for news not long,
 * since what has failed may be no more than one staple's file (I5, I8). */
static int64_t
pause_ms(const struct keeper *k)
{
	int64_t left_ms = k->retry_at_ms - clock_mono_ms();

	if (k->dirty)
		left_ms = clock_earlier(left_ms, KEEPER_RETRY_NEWS_MS);
	return left_ms < 0 ? 0 : left_ms;
}

void
keeper_mark_dirty(struct keeper *k)
{
	bool news = !k->dirty;

	if (news)
		k->dirty_ms = clock_mono_ms();
	k->dirty = true;
	if (k->publish != NULL || k->scan != NULL)
		return;
	if (k->publish_timer == NULL)
		arm(k, KEEPER_GATHER_MS);
	else if (news && k->publish_failed)
		arm(k, pause_ms(k));
}

void
keeper_mark_urgent(struct keeper *k)
{
	keeper_mark_dirty(k);
	if (k->publish != NULL) {
		publish_hurry(k->publish);
		k->cut_short = true;
	} else if (k->scan == NULL && !k->publish_failed) {
		k->dirty_ms = 0; /* it has waited enough */
		arm(k, 0);
	}
}

static void
calm_is_over(void *cookie)
{
	struct keeper *k = cookie;

	k->calm = NULL;
	keeper_mark_dirty(k);
}

void
keeper_mark_newer(struct keeper *k, const struct target *target)
{
	int64_t left_s = target->served_until - clock_wall_s();
	int64_t wait_ms =
	    clock_earlier(left_s * 1000 / KEEPER_CALM_PART, KEEPER_CALM_MAX_MS);
	int64_t until_ms = clock_mono_ms() + wait_ms;

	if (!k->options->use_nginx || k->options->once || target->held ||
	    wait_ms <= KEEPER_GATHER_MS) {
		keeper_mark_dirty(k);
		return;
	}
	if (k->calm != NULL && k->calm_ms <= until_ms)
		return;
	loop_timer_cancel(&k->calm);
	k->calm_ms = until_ms;
	k->calm = loop_timer_start(&k->loop, wait_ms, calm_is_over, k);
}

/* --- a round's end --- */

/* The round has failed with ERR: again after a pause, which grows, but not by
 * rounds that were for news. */
static void
pause_rounds(struct keeper *k, const struct err *err)
{
	int64_t now_ms = clock_mono_ms();
	bool longer = now_ms >= k->retry_at_ms;
	char again[40];

	if (longer) {
		k->retry_ms = k->retry_ms == 0 ? KEEPER_RETRY_FIRST_MS
					       : clock_earlier(k->retry_ms * 2,
						     KEEPER_RETRY_MAX_MS);
		k->retry_at_ms = now_ms + k->retry_ms;
	}
	(void)snprintf(again, sizeof(again), ", again in %lld s",
	    (long long)(pause_ms(k) + 999) / 1000);
	log_event(longer ? LOG_ERROR : LOG_DETAIL,
	    (struct log_about){.event = "not-published", .reason = err->reason},
	    "cannot publish%s: %s", k->options->once ? "" : again, err->text);
	arm(k, pause_ms(k));
}

/* TARGET goes into the round: what the server has of it afterwards. */
static void
note_served(struct target *target, int64_t now)
{
	const struct staple *staple = target_servable(target, now);

	target->served_until = staple == NULL ? 0 : staple_usable_until(staple);
	target->served_update = staple == NULL ? 0 : target_this_update(target);
	target->held = false;
}

static void
not_installed(void *cookie, const char *certificate)
{
	struct keeper *k = cookie;

	/* a round of proofs is the moment to say it: not at every refresh */
	if (k->proving)
		log_event(LOG_WARNING,
		    (struct log_about){.event = "not-installed",
			.certificate = certificate,
			.reason = REASON_SERVER_NOT_STAPLING},
		    "nginx does not take its staple: run `oclasp install nginx "
		    "--apply`");
}

/* nginx has read everything: what was held is in service, such as it is. */
static void
release_held(struct keeper *k)
{
	for (size_t i = 0; i < k->target_count; i++) {
		if (k->targets[i]->held)
			note_served(k->targets[i], clock_wall_s());
	}
}

static void
round_ended(void *cookie, bool reloaded, const struct err *err)
{
	struct keeper *k = cookie;
	bool failed_before = k->retry_ms > 0;

	k->publish = NULL;
	k->slack = true;
	k->publish_failed = err->reason != REASON_NONE;
	k->overdue = k->overdue || (k->publish_failed && k->withdrawing);
	k->withdrawing = false;
	proofs_end(k->proofs, !k->publish_failed);
	if (k->publish_failed) {
		k->prove_all = k->prove_all || k->proving;
		pause_rounds(k, err);
	} else {
		k->retry_ms = k->retry_at_ms = 0;
		if (reloaded)
			release_held(k);
		if (reloaded)
			log_event(LOG_NOTICE,
			    (struct log_about){.event = "published"},
			    "published: nginx has been reloaded");
		else if (failed_before)
			log_event(LOG_NOTICE,
			    (struct log_about){.event = "published"},
			    "published, as it could not be before");
		if (k->dirty)
			arm(k, KEEPER_GATHER_MS);
	}
	if (!k->cut_short || k->publish_failed)
		keeper_say_ready(k);
	control_round_ended(k->control, reloaded, err);
	keeper_check_idle(k);
}

/* --- the server's files --- */

static uint64_t
stamp_path(uint64_t stamp, const char *path)
{
	struct stat st = {0};
	uint64_t facts[5];

	(void)stat(path, &st);
	facts[0] = (uint64_t)st.st_dev;
	facts[1] = (uint64_t)st.st_ino;
	facts[2] = (uint64_t)st.st_size;
	facts[3] = (uint64_t)st.st_mtim.tv_sec;
	facts[4] = (uint64_t)st.st_mtim.tv_nsec;
	for (size_t i = 0; i < 5; i++)
		stamp = (stamp ^ facts[i]) * UINT64_C(1099511628211);
	return stamp;
}

/* One number for all configuration files and their folders, where a file may
 * have come or gone.  Our own snippets change by our own doing. */
static uint64_t
stamp_conf(const struct keeper *k)
{
	uint64_t stamp = 0;

	for (size_t i = 0; k->conf != NULL && i < k->conf->file_count; i++) {
		const char *path = k->conf->files[i].path;
		char *folder;

		if (text_starts(path, k->snippet_dir))
			continue;
		folder = mem_string(path);
		folder[strlen(folder) - strlen(basename(path))] = '\0';
		stamp = stamp_path(stamp_path(stamp, path), folder);
		free(folder);
	}
	return stamp;
}

void
keeper_watch_server(struct keeper *k)
{
	if (k->conf == NULL || k->scan != NULL || k->publish != NULL ||
	    stamp_conf(k) == k->conf_stamp)
		return;
	k->conf_stamp = stamp_conf(k);
	k->list_stale = true;
	log_event(LOG_NOTICE, (struct log_about){.event = "server"},
	    "nginx's configuration has changed");
	k->prove_all = true;
	keeper_mark_dirty(k);
	/* what made the last round fail may be mended: no pause any more */
	k->retry_at_ms = 0;
	arm(k, KEEPER_GATHER_MS);
}

/* --- a round --- */

static int
by_fingerprint(const void *a, const void *b)
{
	const struct target *const *x = a, *const *y = b;

	return strcmp(target_fingerprint(*x), target_fingerprint(*y));
}

/* D2, RFC 7633 section 4: clients refuse a must-staple certificate that comes
 * without a staple.  While one waits for its first, nginx is not reloaded for
 * others either, as long as all that it serves is good. */
static bool
all_may_wait(const struct keeper *k, int64_t now)
{
	for (size_t i = 0; i < k->target_count && !k->overdue; i++) {
		const struct target *target = k->targets[i];

		if (target_waits(target, now) && target->leaf->must_staple)
			return true;
	}
	return false;
}

/* One certificate may be kept from several files: it is published once, with
 * the best staple that any of them has.  Returns how many ITEMS there are. */
static size_t
make_items(struct keeper *k, struct publish_item *items)
{
	struct target **readable =
	    mem_array(k->target_count, sizeof(*readable));
	const struct staple *best = NULL;
	int64_t now = clock_wall_s();
	bool all_wait = k->options->use_nginx && all_may_wait(k, now);
	size_t count = 0, made = 0;

	for (size_t i = 0; i < k->target_count; i++) {
		if (target_fingerprint(k->targets[i]) != NULL)
			readable[count++] = k->targets[i];
	}
	qsort(readable, count, sizeof(readable[0]), by_fingerprint);
	for (size_t i = 0; i < count; i++) {
		const struct staple *staple = target_servable(readable[i], now);
		bool waits = all_wait || (k->options->use_nginx &&
					     target_waits(readable[i], now));

		/* nothing is to be served any more, which nginx has not read */
		bool held = k->options->use_nginx && staple == NULL &&
			    readable[i]->held;
		/* two may end alike, with their certificate */
		bool unread = held || (staple != NULL &&
					  readable[i]->served_update !=
					      target_this_update(readable[i]));

		if (!waits && !held)
			note_served(readable[i], now);
		if (i == 0 || by_fingerprint(&readable[i - 1], &readable[i])) {
			best = NULL;
			items[made++] = (struct publish_item){
			    .name = target_name(readable[i]),
			    .fingerprint = target_fingerprint(readable[i]),
			    .may_wait = true,
			};
		}
		items[made - 1].may_wait = items[made - 1].may_wait && waits;
		items[made - 1].unread = items[made - 1].unread || unread;
		if (staple != NULL && staple_better(best, staple)) {
			best = staple;
			items[made - 1].staple = staple_der(staple);
			items[made - 1].whole = readable[i]->staple;
		}
	}
	free(readable);
	return keeper_publish_unread(k, items, made, now);
}

/* What was written is there still, and whole, unless somebody else was at it:
 * that is looked for now and then, and where a round has failed or did not come
 * to all of it. */
static bool
look_thoroughly(struct keeper *k)
{
	int64_t now_ms = clock_mono_ms();

	if (!k->publish_failed && !k->cut_short && k->thorough_ms != 0 &&
	    now_ms - k->thorough_ms < KEEPER_THOROUGH_MS)
		return false;
	k->cut_short = false;
	k->thorough_ms = now_ms;
	return true;
}

/* A reload has taken the server out of the configuration. */
static void
forget_conf(struct keeper *k)
{
	nginx_conf_free(k->conf);
	k->conf = NULL;
	k->conf_stamp = 0;
}

/* FAILED: why nginx cannot be asked; NULL: it can be, or is not wanted. */
static void
publish(struct keeper *k, const struct err *failed)
{
	static const struct publish_callbacks callbacks = {
	    .place = keeper_placed,
	    .not_installed = not_installed,
	    .end = round_ended,
	};
	struct publish_item *items =
	    mem_array(k->target_count, sizeof(items[0]));
	size_t count = make_items(k, items);

	if (!k->options->use_nginx)
		forget_conf(k);
	loop_timer_cancel(&k->calm); /* it is for all */
	k->dirty = false;
	k->withdrawing = k->overdue;
	k->overdue = false;
	k->proving = k->prove_all;
	k->prove_all = false;
	proofs_hold(k->proofs);
	control_round_began(k->control, k->proving);
	k->publish = publish_start(&k->loop,
	    &(struct publish_round){
		.nginx = &k->nginx,
		.conf = failed == NULL ? k->conf : NULL,
		.failed = failed,
		.staple_dir = k->staple_dir,
		.items = items,
		.count = count,
		.prove = k->proving,
		.thorough = look_thoroughly(k),
	    },
	    &callbacks, k);
	free(items);
}

static void
take_conf(struct keeper *k, struct nginx_conf *conf)
{
	uint64_t before = k->conf_stamp;

	nginx_conf_free(k->conf);
	k->conf = conf;
	k->conf_stamp = stamp_conf(k);
	k->list_stale = k->list_stale || k->conf_stamp != before;
	keeper_sync_targets(k);
}

static void
scanned(void *cookie, struct nginx_conf *conf, const struct err *err)
{
	struct keeper *k = cookie;

	k->scan = NULL;
	/* what nginx cannot read itself, nobody can publish to; what others
	 * serve is published all the same (I8) */
	if (conf != NULL)
		take_conf(k, conf);
	/* what is published goes by the files as they are, so does the list */
	keeper_read_changed(k);
	keeper_run_due(k);
	if (keeper_has_chores(k))
		arm(k, KEEPER_GATHER_MS); /* for whom it is, is not known yet */
	else
		publish(k, conf == NULL ? err : NULL);
}

void
keeper_mend_server(struct keeper *k)
{
	struct err err = {0};
	size_t count = 0;

	if (nginx_mend(&k->nginx, &count, &err) == -1)
		log_event(LOG_ERROR,
		    (struct log_about){.event = "server", .reason = err.reason},
		    "%s", err.text);
	else if (count > 0)
		log_event(LOG_WARNING, (struct log_about){.event = "server"},
		    "of %zu of nginx's snippets the staple file is gone or "
		    "damaged, which keeps nginx from starting: they are "
		    "emptied until there is one",
		    count);
}

static void
begin_round(void *cookie)
{
	struct keeper *k = cookie;

	k->publish_timer = NULL;
	if (k->stopping)
		return;
	if (keeper_has_chores(k) ||
	    (keeper_is_fetching(k) &&
		clock_mono_ms() - k->dirty_ms < KEEPER_GATHER_MAX_MS)) {
		arm(k, KEEPER_GATHER_MS);
		return;
	}
	if (!k->options->use_nginx) {
		publish(k, NULL);
		return;
	}
	keeper_mend_server(k);
	k->scan = nginx_scan_start(&k->loop, &k->nginx, scanned, k);
}
