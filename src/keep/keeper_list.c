/* SPDX-License-Identifier: ISC */
/* keep/keeper_list.c -- which targets there are, and their files. */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "acquire/acquire.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "keep/keeper_priv.h"
#include "pki/staple.h"

/* Verify bytes from disk before they are a staple again (I1). */
static struct staple *
verify_stored(const struct keeper *k, const struct target *target,
    const uint8_t *der, size_t len)
{
	const struct verify_input input = {
	    .leaf = target->id.leaf,
	    .issuer = target->id.issuer,
	    .extra = &target->id.extra,
	    .der = der,
	    .len = len,
	};
	struct verify_policy policy = verify_policy_default(clock_wall_s());
	struct staple *staple = NULL;
	struct verdict facts;
	bool accepted;

	policy.allow_no_next_update = k->options->allow_no_next_update;
	policy.allow_sha1 = k->options->allow_sha1;
	(void)verify_staple(&input, &policy, &staple, &facts, &accepted, NULL);
	return staple;
}

/* Take STAPLE as the target's if it is better than what it has. */
static void
offer(struct target *target, struct staple *staple)
{
	if (staple == NULL)
		return;
	if (!staple_better(target->staple, staple)) {
		staple_free(staple);
		return;
	}
	staple_free(target->staple);
	target->staple = staple;
}

/* State is adopted on restart with no network (A1): from the store, and where
 * that is lost, from the published file. */
void
keeper_adopt(struct keeper *k, struct target *target)
{
	const char *fingerprint = target_fingerprint(target);
	struct err err = {0};
	uint8_t *der = NULL;
	size_t len = 0;
	char *path;

	if (fingerprint == NULL || target->id.issuer == NULL)
		return;
	/* a published file may have outlived the word that it is revoked, if
	 * this was killed right after it */
	if (store_last_was(
		k->store, fingerprint, cert_status_name(CERT_REVOKED)))
		return;
	switch (store_get(k->store, fingerprint, &der, &len, &err)) {
	case 1:
		offer(target, verify_stored(k, target, der, len));
		free(der);
		break;
	case -1:
		log_event(LOG_ERROR, target_about(target, "store", err.reason),
		    "%s", err.text);
		break;
	default:
		break;
	}
	path = mem_printf("%s/%s.der", k->staple_dir, fingerprint);
	der = NULL;
	if (file_read(path, VERIFY_RESPONSE_MAX, &der, &len, NULL) == 0)
		offer(target, verify_stored(k, target, der, len));
	free(der);
	free(path);
	if (target->staple != NULL)
		log_event(LOG_DETAIL,
		    target_about(target, "adopted", REASON_NONE),
		    "the stored staple is adopted");
}

void
keeper_read_target(struct keeper *k, struct target *target)
{
	bool other = target_read(target, k->options->ca_file);

	/* reading cancels an acquisition if it replaces what that works on;
	 * and who waits may not need to, or elsewhere */
	if (target->acquire == NULL)
		places_leave(&k->places, &target->place);
	if (other)
		keeper_adopt(k, target);
	if (target->unreadable.reason != REASON_NONE)
		log_event(LOG_ERROR,
		    target_about(
			target, "certificate", target->unreadable.reason),
		    "%s", target->unreadable.text);
	keeper_decide(k, target);
}

static bool
same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static void
want(struct keeper *k, const struct target_spec *spec)
{
	struct target *target = NULL;

	HASH_FIND_STR(k->by_path, spec->certificate, target);
	if (target != NULL && same_text(target->issuer, spec->issuer) &&
	    same_text(target->url, spec->url)) {
		target->wanted = true;
		return;
	}
	if (k->target_count == KEEPER_TARGETS_MAX)
		return;
	if (target != NULL)
		HASH_DEL(k->by_path, target); /* to be dropped */
	target = target_new(spec);
	target->keeper = k;
	target->wanted = true;
	/* adopted staples of one age must not be refreshed in one second */
	if (getrandom(&target->random, sizeof(target->random), 0) == -1)
		target->random = (uint32_t)clock_mono_ms();
	HASH_ADD_KEYPTR(hh, k->by_path, target->certificate,
	    strlen(target->certificate), target);
	k->targets =
	    mem_resize(k->targets, k->target_count + 1, sizeof(k->targets[0]));
	k->targets[k->target_count++] = target;
	k->list_unsaved = true;
	keeper_read_target(k, target);
}

static void
drop_unwanted(struct keeper *k)
{
	size_t kept = 0;

	for (size_t i = 0; i < k->target_count; i++) {
		struct target *target = k->targets[i];
		struct target *same = NULL;

		if (target->wanted) {
			k->targets[kept++] = target;
			continue;
		}
		log_event(LOG_NOTICE,
		    target_about(target, "dropped", REASON_NONE),
		    "not kept any more");
		HASH_FIND_STR(k->by_path, target->certificate, same);
		if (same == target)
			HASH_DEL(k->by_path, target);
		acquire_cancel(&target->acquire);
		places_leave(&k->places, &target->place);
		schedule_remove(&k->schedule, &target->entry);
		target_free(target);
		k->list_unsaved = true;
	}
	k->target_count = kept;
}

/* PATH from the root on, so that it means the same in another folder. */
static char *
absolute(const char *path)
{
	char *here, *whole;

	if (path == NULL || path[0] == '/')
		return mem_string(path);
	here = getcwd(NULL, 0);
	whole = mem_printf("%s/%s", here == NULL ? "" : here, path);
	free(here);
	return whole;
}

/* What is kept, for the commands that look into the store. */
static void
save_list(struct keeper *k)
{
	struct store_target *list = mem_array(k->target_count, sizeof(list[0]));
	struct err err = {0};

	for (size_t i = 0; i < k->target_count; i++) {
		const struct target *target = k->targets[i];

		list[i] = (struct store_target){
		    .certificate = absolute(target->certificate),
		    .issuer = absolute(target->issuer),
		    .url = mem_string(target->url),
		};
	}
	k->list_unsaved =
	    store_put_targets(k->store, list, k->target_count, &err) == -1;
	if (k->list_unsaved)
		log_event(LOG_WARNING,
		    (struct log_about){.event = "store", .reason = err.reason},
		    "%s", err.text);
	store_targets_free(list, k->target_count);
}

void
keeper_sync_targets(struct keeper *k)
{
	size_t before = k->target_count;

	for (size_t i = 0; i < k->target_count; i++)
		k->targets[i]->wanted = false;
	for (size_t i = 0; i < k->spec_count; i++)
		want(k, &k->specs[i]);
	for (size_t i = 0;
	     k->spec_count == 0 && k->conf != NULL && i < k->conf->site_count;
	     i++) {
		const struct nginx_site *site = &k->conf->sites[i];

		for (size_t c = 0; c < site->certificate_count; c++) {
			const struct target_spec spec = {
			    .certificate = site->certificates[c]};

			want(k, &spec);
		}
	}
	drop_unwanted(k);
	if (k->list_unsaved)
		save_list(k);
	if (k->target_count != before)
		log_event(LOG_NOTICE, (struct log_about){.event = "targets"},
		    "keeping %zu certificate%s", k->target_count,
		    k->target_count == 1 ? "" : "s");
}

void
keeper_watch_files(void *cookie)
{
	struct keeper *k = cookie;

	k->watch = NULL;
	for (size_t i = 0; i < k->target_count; i++) {
		struct target *target = k->targets[i];

		if (!target_changed(target))
			continue;
		log_event(LOG_NOTICE,
		    target_about(target, "certificate", REASON_NONE),
		    "the certificate file '%s' has changed",
		    target->certificate);
		keeper_read_target(k, target);
		/* A new certificate is published when its responder has been
		 * asked: until then the server, which has not read the new
		 * file yet, goes on with the old pair. */
		if (target->state != STATE_PENDING)
			keeper_mark_dirty(k);
	}
	keeper_read_inbox(k);
	keeper_watch_server(k);
	keeper_run_due(k);
	k->watch =
	    loop_timer_start(&k->loop, KEEPER_WATCH_MS, keeper_watch_files, k);
}
