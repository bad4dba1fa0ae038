/* SPDX-License-Identifier: ISC */
/* keep/keeper.c -- the daemon: begin, signals, systemd, end. */
#include "keep/keeper.h"

#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "acquire/address_book.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "http/fetch.h"
#include "keep/keeper_priv.h"
#include "keep/process.h"
#include "keep/seal_key.h"
#include "pki/delegates.h"
#include "pki/seal.h"

/* The home of who runs this; without HOME what the system has for him, and never
 * a folder like /tmp, where others may have made the next one.  Owned. */
static char *
home_dir(void)
{
	const char *home = getenv("HOME");
	struct passwd user, *found = NULL;
	char room[4096];

	if (home != NULL && home[0] == '/')
		return mem_string(home);
	if (getpwuid_r(geteuid(), &user, room, sizeof(room), &found) != 0 ||
	    found == NULL)
		return mem_string("");
	return mem_string(user.pw_dir);
}

char *
keeper_default_dir(void)
{
	const char *state = getenv("XDG_STATE_HOME");
	char *home, *dir;

	if (geteuid() == 0)
		return mem_string("/var/lib/oclasp");
	if (state != NULL && state[0] == '/')
		return mem_printf("%s/oclasp", state);
	home = home_dir();
	dir = mem_printf("%s/.local/state/oclasp", home);
	free(home);
	return dir;
}

char *
keeper_snippet_dir(const char *state_dir)
{
	return mem_printf("%s/nginx", state_dir);
}

char *
keeper_staple_dir(const char *state_dir)
{
	return mem_printf("%s/staples", state_dir);
}

/* --- the end --- */

void
keeper_stop(struct keeper *k)
{
	if (k->stopping)
		return;
	k->stopping = true;
	(void)sd_notify(0, "STOPPING=1");
	for (size_t i = 0; i < k->target_count; i++) {
		target_stop(k->targets[i]);
		places_leave(&k->places, &k->targets[i]->place);
	}
	keeper_relay_stop(k); /* its listeners ask control */
	control_stop(&k->control);
	keeper_end_look(k);
	nginx_scan_cancel(&k->scan);
	publish_cancel(&k->publish);
	k->unserved = proofs_failing(k->proofs) > 0;
	proofs_free(k->proofs);
	k->proofs = NULL;
	loop_timer_cancel(&k->publish_timer);
	loop_timer_cancel(&k->calm);
	loop_timer_cancel(&k->due);
	loop_timer_cancel(&k->chore_timer);
	keeper_watch_end(k);
	keeper_busy_end(k);
	loop_timer_cancel(&k->book_timer);
	loop_timer_cancel(&k->watchdog);
	loop_timer_cancel(&k->reload);
	uv_close((uv_handle_t *)&k->sigterm, NULL);
	uv_close((uv_handle_t *)&k->sigint, NULL);
	uv_close((uv_handle_t *)&k->sighup, NULL);
	uv_stop(&k->loop);
}

/* Not when everything is fetched: where one responder hangs that moment may
 * never come, and systemd would end us for it (I8). */
void
keeper_say_ready(struct keeper *k)
{
	if (k->ready)
		return;
	k->ready = true;
	(void)sd_notifyf(
	    0, "READY=1\nSTATUS=keeping %zu certificates", k->target_count);
}

void
keeper_check_idle(struct keeper *k)
{
	if (k->options->once && !k->stopping && !keeper_is_fetching(k) &&
	    !keeper_is_publishing(k) && proofs_open(k->proofs) == 0 &&
	    !keeper_has_chores(k) && !control_is_busy(k->control) &&
	    k->look == NULL)
		keeper_stop(k);
}

/* --- signals and systemd --- */

static void
on_end_signal(uv_signal_t *handle, int number)
{
	struct keeper *k = handle->data;

	k->interrupted = number == SIGINT;
	keeper_stop(k);
}

static void
reload(void *cookie)
{
	struct keeper *k = cookie;

	k->reload = NULL;
	(void)keeper_reload(k, NULL);
}

/* All that have come by then are one: a reload takes its time, and a hook may
 * ask for one after each of many renewals. */
static void
on_hangup(uv_signal_t *handle, int number)
{
	struct keeper *k = handle->data;

	(void)number;
	if (k->reload == NULL)
		k->reload = loop_timer_start(&k->loop, 0, reload, k);
}

static void
feed_watchdog(void *cookie)
{
	struct keeper *k = cookie;

	(void)sd_notify(0, "WATCHDOG=1");
	k->watchdog =
	    loop_timer_start(&k->loop, k->watchdog_ms, feed_watchdog, k);
}

/* One that comes before we listen to it waits until then, and does not end us;
 * nor does it where we cannot begin, before that is told. */
static void
hold_hangup(bool hold)
{
	sigset_t hangup;

	(void)sigemptyset(&hangup);
	(void)sigaddset(&hangup, SIGHUP);
	(void)pthread_sigmask(hold ? SIG_BLOCK : SIG_UNBLOCK, &hangup, NULL);
}

static void
listen_to(struct keeper *k, uv_signal_t *handle, int number, uv_signal_cb cb)
{
	(void)uv_signal_init(&k->loop, handle);
	handle->data = k;
	(void)uv_signal_start(handle, cb, number);
}

/* --- the beginning --- */

/* A disk that is full, or was mounted read-only, must not end the care of what
 * lies there: where the state folder itself is there, the rest can wait. */
static int
make_folders(const struct keeper *k, struct err *err)
{
	const char *const folders[] = {
	    k->options->state_dir, k->staple_dir, k->snippet_dir};

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		struct err why = {0};
		int rc = file_make_dir(folders[i], 0755, &why);

		if (rc == 0)
			continue;
		if (i == 0 || (errno != EROFS && errno != ENOSPC))
			return err_set(err, why.reason, "%s", why.text);
		log_event(LOG_ERROR,
		    (struct log_about){.event = "store", .reason = why.reason},
		    "%s", why.text);
	}
	return 0;
}

static int
open_state(struct keeper *k, struct err *err)
{
	const char *dir = k->options->state_dir;
	char *lock = mem_printf("%s/lock", dir);
	char *database = mem_printf("%s/oclasp.db", dir);
	struct err why = {0};
	int rc = -1;

	k->staple_dir = keeper_staple_dir(dir);
	k->snippet_dir = keeper_snippet_dir(dir);
	if (make_folders(k, err) == -1 || file_lock(lock, &k->lock, err) == -1)
		goto out;
	k->store = store_keep(database, err);
	if (k->store == NULL)
		goto out;
	k->sealer = seal_key_open(dir, true, &why);
	if (k->sealer == NULL) {
		log_event(LOG_WARNING,
		    (struct log_about){.event = "store", .reason = why.reason},
		    "the next start will verify all signatures again: %s",
		    why.text);
		err_clear(&why);
	}
	/* without the book everything is only slower */
	if (store_load_book(k->store, k->book, clock_wall_s(), &why) == -1)
		log_event(LOG_WARNING,
		    (struct log_about){.event = "store", .reason = why.reason},
		    "%s", why.text);
	rc = 0;
out:
	free(lock);
	free(database);
	return rc;
}

static void
begin_care(struct keeper *k)
{
	k->list_stale = true;
	keeper_sync_targets(k);
	keeper_walk_begin(k);
	keeper_mark_dirty(k);
	keeper_do_chores(k);
	if (k->chores == NULL) /* there is nothing to be read first */
		keeper_relay_listen(k);
	keeper_check_idle(k);
}

/* The server's list is needed before the first target is known. */
static void
first_scan_done(void *cookie, struct nginx_conf *conf, const struct err *err)
{
	struct keeper *k = cookie;

	k->scan = NULL;
	k->conf = conf;
	if (conf == NULL)
		log_event(LOG_ERROR,
		    (struct log_about){
			.event = "server", .reason = err->reason},
		    "%s", err->text);
	begin_care(k);
}

static void
begin(struct keeper *k)
{
	uint64_t watchdog_us = 0;

	process_raise_files();
	listen_to(k, &k->sigterm, SIGTERM, on_end_signal);
	listen_to(k, &k->sigint, SIGINT, on_end_signal);
	listen_to(k, &k->sighup, SIGHUP, on_hangup);
	hold_hangup(false);
	if (sd_watchdog_enabled(0, &watchdog_us) > 0) {
		k->watchdog_ms = (int64_t)(watchdog_us / 1000 / 3);
		feed_watchdog(k);
	}
	keeper_busy_begin(k);
	k->prove_all = true;
	keeper_proofs_begin(k);
	keeper_recall_found(k);
	keeper_look(k);
	keeper_relay_start(k);
	if (k->options->use_nginx) {
		keeper_mend_server(k);
		k->scan =
		    nginx_scan_start(&k->loop, &k->nginx, first_scan_done, k);
	} else {
		begin_care(k);
	}
	keeper_watch_begin(k);
}

static void
release(struct keeper *k)
{
	keeper_walk_end(k);
	keeper_end_unread(k);
	HASH_CLEAR(hh, k->by_path);
	HASH_CLEAR(hh_print, k->by_print);
	for (size_t i = 0; i < k->target_count; i++)
		target_free(k->targets[i]);
	free(k->targets);
	issuers_done(&k->issuers);
	schedule_done(&k->schedule);
	nginx_conf_free(k->conf);
	store_close(k->store);
	address_book_free(k->book);
	delegates_free(k->delegates);
	sealer_free(k->sealer);
	free(k->staple_dir);
	free(k->snippet_dir);
	if (k->lock != -1)
		close(k->lock);
	settings_free(k->settings);
}

/* True if TARGET has no answer yet that it could have had: the last try has
 * failed, or a signal came before the first. */
static bool
is_open(const struct target *target)
{
	return target->failures > 0 || !target->said ||
	       (target->state == STATE_PENDING &&
		   target->leaf->not_before <= clock_wall_s());
}

/* --once: what the targets have come to. */
static enum keeper_end
summarize(const struct keeper *k)
{
	enum keeper_end end = KEEPER_GOOD;

	if (k->interrupted)
		return KEEPER_INTERRUPTED;
	if (!k->options->once)
		return KEEPER_GOOD;
	if (k->unserved)
		return KEEPER_ALARM;
	if (k->publish_failed)
		end = KEEPER_LATER;
	for (size_t i = 0; i < k->target_count; i++) {
		const struct target *target = k->targets[i];

		if (target_state_is_alarm(target->state))
			return KEEPER_ALARM;
		if (is_open(target))
			end = KEEPER_LATER;
	}
	return end;
}

int
keeper_run(
    const struct keeper_options *options, enum keeper_end *end, struct err *err)
{
	struct keeper *k = mem_new(sizeof(*k));
	struct settings *settings = NULL;
	int rc = -1;

	k->lock = -1;
	k->delegates = delegates_new();
	k->places = (struct places){.per_host_max = KEEPER_PER_HOST_MAX,
	    .all_max = KEEPER_FETCHES_MAX,
	    .hold_ms = KEEPER_PLACE_MS,
	    .held_max = KEEPER_HELD_MAX};
	k->book = address_book_new();
	k->options = options;
	hold_hangup(true);
	settings = settings_load(options, err);
	if (settings != NULL && open_state(k, err) == 0) {
		keeper_obey(k, settings);
		settings = NULL;
		(void)uv_loop_init(&k->loop);
		k->pool = fetch_pool_new(&k->loop);
		k->control = control_start(k);
		begin(k);
		loop_run(&k->loop);
		keeper_end_store(k);
		*end = summarize(k);
		fetch_pool_free(k->pool);
		loop_end(&k->loop);
		rc = 0;
	}
	release(k);
	settings_free(settings);
	free(k);
	return rc;
}
