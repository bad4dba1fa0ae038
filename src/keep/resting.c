/* SPDX-License-Identifier: ISC */
/* keep/resting.c -- a state folder as a keeper would find it. */
#include "keep/resting.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "keep/keeper_priv.h"
#include "keep/seal_key.h"
#include "pki/delegates.h"
#include "pki/seal.h"

/* A keeper without a loop, that only reads. */
struct resting {
	struct keeper keeper;
};

static void
add(struct keeper *k, const struct store_target *stored)
{
	const struct target_spec spec = {
	    .certificate = stored->certificate,
	    .issuer = stored->issuer,
	    .url = stored->url,
	};
	const struct target_sources sources = {.issuers = &k->issuers,
	    .extra = &k->settings->extra,
	    .paired = keeper_was_paired,
	    .cookie = k};
	struct target *target = target_new(&spec);
	struct store_state state;

	target->keeper = k;
	(void)target_read(target, &sources);
	keeper_adopt(k, target);
	keeper_forget_recalled(k);
	/* a keeper that starts may ask at once; who only looks wants to know
	 * when it was */
	if (target_fingerprint(target) != NULL &&
	    store_get_state(
		k->store, target_fingerprint(target), &state, NULL) == 1)
		target->last_attempt = state.last_attempt;
	k->targets[k->target_count++] = target;
}

static int
load(struct keeper *k, struct err *err)
{
	struct store_target *list = NULL;
	size_t count = 0;

	if (store_get_targets(k->store, &list, &count, err) == -1)
		return -1;
	k->targets = mem_array(count + 1, sizeof(k->targets[0]));
	for (size_t i = 0; i < count; i++)
		add(k, &list[i]);
	store_targets_free(list, count);
	return 0;
}

static int
open_store(struct keeper *k, const char *dir, struct err *err)
{
	char *path = mem_printf("%s/oclasp.db", dir);
	int rc = -1;

	if (access(path, F_OK) != 0)
		(void)err_set(err, REASON_STORE,
		    "nothing is kept in '%s' (%s): run `oclasp keep`, or give "
		    "the --state-dir that it has",
		    dir, strerror(errno));
	else if ((k->store = store_visit(path, 0, err)) != NULL)
		rc = load(k, err);
	free(path);
	return rc;
}

struct resting *
resting_open(const struct keeper_options *options, struct err *err)
{
	struct resting *resting = mem_new(sizeof(*resting));
	struct keeper *k = &resting->keeper;
	struct settings *settings = settings_load(options, err);

	k->lock = -1;
	k->options = options;
	k->delegates = delegates_new();
	k->sealer = seal_key_open(options->state_dir, false, NULL);
	k->staple_dir = keeper_staple_dir(options->state_dir);
	k->snippet_dir = keeper_snippet_dir(options->state_dir);
	if (settings != NULL) {
		keeper_obey(k, settings);
		if (open_store(k, options->state_dir, err) == 0)
			return resting;
	}
	resting_close(resting);
	return NULL;
}

void
resting_close(struct resting *resting)
{
	struct keeper *k;

	if (resting == NULL)
		return;
	k = &resting->keeper;
	for (size_t i = 0; i < k->target_count; i++)
		target_free(k->targets[i]);
	free(k->targets);
	issuers_done(&k->issuers);
	store_close(k->store);
	delegates_free(k->delegates);
	sealer_free(k->sealer);
	settings_free(k->settings);
	free(k->staple_dir);
	free(k->snippet_dir);
	free(resting);
}

struct target *const *
resting_targets(const struct resting *resting, size_t *count)
{
	*count = resting->keeper.target_count;
	return resting->keeper.targets;
}

struct store *
resting_store(const struct resting *resting)
{
	return resting->keeper.store;
}

const char *
resting_staple_dir(const struct resting *resting)
{
	return resting->keeper.staple_dir;
}
