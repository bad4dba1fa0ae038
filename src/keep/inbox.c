/* SPDX-License-Identifier: ISC */
/* keep/inbox.c -- how what a courier brought gets into a state folder. */
#include "keep/inbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "keep/keeper.h"
#include "keep/store.h"
#include "pki/staple.h"
#include "servers/nginx_snippet.h"

enum { FINGERPRINT_LEN = 64 };

struct inbox {
	char *dir, *staple_dir, *snippet_dir;
	int lock; /* -1: a keeper runs */
	struct store *store;
};

char *
inbox_dir(const char *state_dir)
{
	return mem_printf("%s/inbox", state_dir);
}

bool
inbox_fingerprint(const char *name, char out[65])
{
	if (strlen(name) != FINGERPRINT_LEN + 4 ||
	    strspn(name, "0123456789abcdef") != FINGERPRINT_LEN ||
	    strcmp(name + FINGERPRINT_LEN, ".der") != 0)
		return false;
	memcpy(out, name, FINGERPRINT_LEN);
	out[FINGERPRINT_LEN] = '\0';
	return true;
}

void
inbox_close(struct inbox *inbox)
{
	if (inbox == NULL)
		return;
	store_close(inbox->store);
	if (inbox->lock != -1)
		close(inbox->lock);
	free(inbox->dir);
	free(inbox->staple_dir);
	free(inbox->snippet_dir);
	free(inbox);
}

/* The lock, or the knowledge that a keeper has it. */
static int
take_lock(struct inbox *inbox, const char *state_dir, struct err *err)
{
	char *path = mem_printf("%s/lock", state_dir);
	struct err why = {0};
	int rc = file_lock(path, &inbox->lock, &why);

	if (rc == -1) {
		inbox->lock = -1;
		rc = why.reason == REASON_USAGE
			 ? 0
			 : err_set(err, why.reason, "%s", why.text);
	}
	free(path);
	return rc;
}

struct inbox *
inbox_open(const char *state_dir, struct err *err)
{
	struct inbox *inbox = mem_new(sizeof(*inbox));
	char *database = mem_printf("%s/oclasp.db", state_dir);

	inbox->lock = -1;
	inbox->dir = inbox_dir(state_dir);
	inbox->staple_dir = keeper_staple_dir(state_dir);
	inbox->snippet_dir = keeper_snippet_dir(state_dir);
	if (file_make_dir(inbox->dir, 0755, err) == 0 &&
	    file_make_dir(inbox->staple_dir, 0755, err) == 0 &&
	    take_lock(inbox, state_dir, err) == 0)
		inbox->store = store_visit(database,
		    STORE_MAKE | (inbox->lock == -1 ? 0 : STORE_MINE), err);
	free(database);
	if (inbox->store == NULL) {
		inbox_close(inbox);
		return NULL;
	}
	return inbox;
}

bool
inbox_keeper_runs(const struct inbox *inbox)
{
	return inbox->lock == -1;
}

struct store *
inbox_store(struct inbox *inbox)
{
	return inbox->store;
}

/* --- files --- */

static int
lay(struct inbox *inbox, const char *fingerprint, struct span der,
    struct err *err)
{
	char *path = mem_printf("%s/%s.der", inbox->dir, fingerprint);
	int rc = file_replace(path, der.at, der.len, 0644, err);

	free(path);
	return rc;
}

/* Whether a snippet names the staple file. */
struct search {
	const char *fingerprint;
	bool found;
};

static void
visit(void *cookie, const char *path, const char *name)
{
	struct search *search = cookie;

	(void)path;
	if (text_starts(name, search->fingerprint))
		search->found = true;
}

/* True if nginx may have read the staple file: it is then for a keeper alone
 * to change, who knows by it what nginx has read. */
static bool
nginx_reads(const struct inbox *inbox, const char *fingerprint)
{
	const struct nginx nginx = {
	    .snippet_dir = inbox->snippet_dir,
	    .staple_dir = inbox->staple_dir,
	};
	struct search search = {.fingerprint = fingerprint};

	if (access(inbox->snippet_dir, F_OK) == -1)
		return false;
	return nginx_snippet_each(&nginx, visit, &search) == -1 || search.found;
}

/* --- the store --- */

/* As a keeper that runs would remember it. */
static struct store_attempt
attempt_of(const struct verdict *facts)
{
	return (struct store_attempt){
	    .at = clock_wall_s(),
	    .outcome = cert_status_name(facts->status),
	    .source = "courier",
	    .size = (int64_t)facts->size,
	    .this_update = facts->this_update,
	    .next_update = facts->next_update,
	};
}

static int
put_good(struct store *store, const struct staple *staple, struct err *err)
{
	const struct verdict *facts = staple_facts(staple);
	const struct store_attempt attempt = attempt_of(facts);
	struct store_state state = {0};
	const struct store_change change = {
	    .attempt = &attempt,
	    .state = &state,
	    .staple = staple_der(staple),
	    .seal = staple_seal(staple),
	    .this_update = facts->this_update,
	};

	if (store_get_state(store, staple_fingerprint(staple), &state, err) ==
	    -1)
		return -1;
	state.failures = 0;
	state.last_final = false;
	err_clear(&state.last_err);
	return store_save(store, staple_fingerprint(staple), &change, err);
}

static int
put_revoked(struct store *store, const char *fingerprint,
    const struct verdict *facts, struct err *err)
{
	const struct store_attempt attempt = attempt_of(facts);
	struct store_state state = {0};
	const struct store_change change = {
	    .attempt = &attempt, .state = &state, .no_staple = true};

	if (store_get_state(store, fingerprint, &state, err) == -1)
		return -1;
	state.last_final = true;
	state.last_status = CERT_REVOKED;
	state.final_life = facts->usable_until - facts->this_update;
	if (facts->this_update > state.floor)
		state.floor = facts->this_update;
	return store_save(store, fingerprint, &change, err);
}

int64_t
inbox_revoked_at(struct inbox *inbox, const char *fingerprint)
{
	struct store_state state = {0};

	(void)store_get_state(inbox->store, fingerprint, &state, NULL);
	return state.last_final && state.last_status == CERT_REVOKED
		   ? state.floor
		   : 0;
}

int
inbox_check_revoked(int64_t revoked_at, int64_t this_update, struct err *err)
{
	char got[CLOCK_TEXT], said[CLOCK_TEXT];

	if (revoked_at == 0 || this_update > revoked_at)
		return 0;
	return err_set(err, REASON_OLDER_THAN_STORED,
	    "the response says good as of %s, but a signed one of %s says that "
	    "the certificate is revoked: it is not believed",
	    clock_rfc3339(this_update, got), clock_rfc3339(revoked_at, said));
}

int
inbox_put(struct inbox *inbox, const struct staple *staple, bool *served,
    struct err *err)
{
	const char *fingerprint = staple_fingerprint(staple);
	struct span der = staple_der(staple);
	char *path;
	int rc;

	*served = true;
	if (inbox_keeper_runs(inbox))
		return lay(inbox, fingerprint, der, err);
	if (put_good(inbox->store, staple, err) == -1)
		return -1;
	if (nginx_reads(inbox, fingerprint)) {
		*served = false;
		return 0;
	}
	path = mem_printf("%s/%s.der", inbox->staple_dir, fingerprint);
	rc = file_replace(path, der.at, der.len, 0644, err);
	free(path);
	return rc;
}

int
inbox_put_revoked(struct inbox *inbox, const char *fingerprint, struct span der,
    const struct verdict *facts, struct err *err)
{
	char *path;

	if (inbox_keeper_runs(inbox))
		return lay(inbox, fingerprint, der, err);
	if (put_revoked(inbox->store, fingerprint, facts, err) == -1)
		return -1;
	if (nginx_reads(inbox, fingerprint))
		return 0;
	path = mem_printf("%s/%s.der", inbox->staple_dir, fingerprint);
	(void)unlink(path);
	free(path);
	return 0;
}
