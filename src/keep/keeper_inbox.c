/* SPDX-License-Identifier: ISC */
/* keep/keeper_inbox.c -- what a courier has brought while the keeper runs. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "keep/inbox.h"
#include "keep/keeper_priv.h"
#include "pki/staple.h"

/* Verified here once more (I1): whoever may write into the folder need not be
 * the one that verified it. */
static void
judge(struct keeper *k, const struct target *target, const uint8_t *der,
    size_t len, struct acquire_result *result)
{
	struct verify_input input;
	struct verify_policy policy;

	target_terms(target, k->settings, clock_wall_s(), &input, &policy);
	input.der = der;
	input.len = len;
	(void)verify_staple(&input, &policy, &result->staple, &result->facts,
	    &result->accepted, &result->err);
}

/* I2: better than what is there; and a signed revoked that is no older. */
static bool
is_news(const struct target *target, const struct acquire_result *result)
{
	if (result->staple != NULL)
		return staple_better(target->staple, result->staple);
	return result->accepted && result->facts.status == CERT_REVOKED &&
	       (target->staple == NULL ||
		   result->facts.this_update >=
		       staple_facts(target->staple)->this_update);
}

static void
take(struct keeper *k, struct target *target, const uint8_t *der, size_t len)
{
	const struct acquire_try courier = {.source = "courier"};
	struct acquire_result result = {
	    .winner = &courier, .max_age_s = -1, .retry_after_s = -1};
	enum log_level level = LOG_NOTICE;

	judge(k, target, der, len, &result);
	if (is_news(target, &result)) {
		keeper_take(k, target, &result);
		keeper_mark_dirty(k); /* somebody has brought it by hand */
		keeper_decide(k, target);
		return;
	}
	/* we may have fetched the same while it was on its way */
	if (result.err.reason == REASON_NONE) {
		level = LOG_DETAIL;
		(void)err_set(&result.err, REASON_OLDER_THAN_STORED,
		    "it is no news beside what is kept");
	}
	log_event(level, target_about(target, "courier", result.err.reason),
	    "what a courier brought is not taken: %s", result.err.text);
	staple_free(result.staple);
}

/* False: PATH is there still when it was judged. */
static bool
take_file(struct keeper *k, const char *path, const char *fingerprint)
{
	struct target *target = keeper_find(k, fingerprint);
	struct err err = {0};
	uint8_t *der = NULL;
	size_t len = 0;

	/* of its files some may lack the chain */
	while (target != NULL && target->ca == NULL)
		target = target->twin;
	if (target == NULL)
		log_event(LOG_WARNING, (struct log_about){.event = "courier"},
		    "'%s': what a courier brought is for no certificate that "
		    "is kept here",
		    path);
	else if (file_read(path, VERIFY_RESPONSE_MAX, &der, &len, &err) == -1)
		log_event(LOG_WARNING,
		    target_about(target, "courier", err.reason), "%s",
		    err.text);
	else
		take(k, target, der, len);
	free(der);
	/* taken or refused, it has been judged once */
	if (unlink(path) == 0 || errno == ENOENT)
		return true;
	log_event(LOG_ERROR,
	    (struct log_about){.event = "courier", .reason = REASON_FILE},
	    "'%s' cannot be removed (%s): remove it, and see whose the folder "
	    "is",
	    path, strerror(errno));
	return false;
}

void
keeper_read_inbox(struct keeper *k)
{
	char *dir = inbox_dir(k->options->state_dir);
	uint64_t stamp = file_stamp(dir);
	/* whom a file is for may not be known yet; and what stays there is
	 * looked at again only together with something new */
	DIR *folder = keeper_has_chores(k) || stamp == k->inbox_stuck
			  ? NULL
			  : opendir(dir);
	struct dirent *entry;
	size_t looked = 0;
	bool stuck = false;

	while (folder != NULL && looked < INBOX_LOOK_MAX &&
	       (entry = readdir(folder)) != NULL) {
		char fingerprint[65];
		char *path;

		if (!inbox_fingerprint(entry->d_name, fingerprint))
			continue;
		looked++;
		path = mem_printf("%s/%s", dir, entry->d_name);
		stuck = !take_file(k, path, fingerprint) || stuck;
		free(path);
	}
	if (folder != NULL) {
		k->inbox_stuck = stuck ? stamp : 0;
		(void)closedir(folder);
	}
	free(dir);
}
