/* SPDX-License-Identifier: ISC */
/* keep/keeper_reload.c -- everything of the configuration anew.
 *
 * Nothing is lost by it: fetches under way go on by the settings they began
 * with, staples stay, and a configuration that cannot be used changes nothing
 * (I8). */
#include "base/err.h"
#include "base/log.h"
#include "keep/keeper_priv.h"

static const struct log_about about_reload = {.event = "reload"};

void
keeper_obey(struct keeper *k, struct settings *settings)
{
	const struct keeper_options *options = &settings->options;

	settings->older = k->settings;
	k->settings = settings;
	k->options = options;
	settings->acquire = options->acquire;
	settings->acquire.book = k->book;
	settings->delegates = k->delegates;
	settings->sealer = k->sealer;
	issuers_obey(&k->issuers, settings->rules);
	control_obey(k->control, options);
	keeper_relay_obey(k);
	k->nginx = (struct nginx){
	    .command = options->nginx_command,
	    .snippet_dir = k->snippet_dir,
	    .staple_dir = k->staple_dir,
	};
}

/* What a keeper cannot change while it runs. */
static void
keep_fixed(struct keeper_options *fresh, const struct keeper_options *old)
{
	fresh->state_dir = old->state_dir;
	fresh->once = old->once;
	fresh->control_socket = old->control_socket;
	fresh->control_group = old->control_group;
	fresh->reload = old->reload;
	fresh->retire = old->retire;
	fresh->cookie = old->cookie;
}

static int
read_options(struct keeper *k, struct err *err)
{
	const struct keeper_options *old = k->options;
	struct keeper_options fresh = *old;
	struct settings *settings;

	if (old->reload == NULL)
		return 0;
	fresh.owner = NULL;
	if (old->reload(old->cookie, &fresh, err) == -1)
		return -1;
	keep_fixed(&fresh, old);
	settings = settings_load(&fresh, err);
	if (settings == NULL) {
		if (fresh.owner != NULL && fresh.retire != NULL)
			fresh.retire(fresh.cookie, fresh.owner);
		return -1;
	}
	keeper_obey(k, settings);
	keeper_relay_start(k); /* where nobody listened; all is read anew now */
	return 0;
}

int
keeper_reload(struct keeper *k, struct err *err)
{
	struct err why = {0};
	int rc;

	log_event(LOG_NOTICE, about_reload,
	    "reading configuration and certificates again");
	rc = read_options(k, &why);
	if (rc == -1) {
		log_event(LOG_ERROR,
		    (struct log_about){.event = "reload", .reason = why.reason},
		    "the old configuration stays: %s", why.text);
		(void)err_set(err, why.reason, "%s", why.text);
	}
	for (size_t i = 0; i < k->target_count; i++)
		keeper_give_chore(k, k->targets[i]);
	keeper_look(k);
	k->list_stale = true;
	keeper_sync_targets(k);
	k->prove_all = true;
	keeper_mark_dirty(k);
	keeper_do_chores(k);
	keeper_run_due(k);
	return rc;
}
