/* SPDX-License-Identifier: ISC */
/* keep/status_json.h -- the document of `oclasp status` and /api/v1/status, the
 * same whether a keeper runs or not (CONTRACT, "JSON"). */
#ifndef OCLASP_KEEP_STATUS_JSON_H
#define OCLASP_KEEP_STATUS_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "keep/outlets.h"
#include "keep/status.h"

struct store_attempt;

/* What the rows are part of.  Borrowed. */
struct status_head {
	int64_t now;
	const char *state_dir;
	const char *staple_dir; /* where the plain files are */
	bool running;           /* a keeper works there; if not, what follows is
				   of no meaning */
	long pid;
	int64_t started_at;
	/* it runs and cannot be asked, because of this, a sentence; the rows
	 * are what its store has.  NULL: it was asked, or does not run */
	const char *silent;
	bool ready;                    /* its first round is over */
	const struct outlets *outlets; /* or NULL: nobody knows */
};

/* Looks into the folder of staples for each row, and nowhere else. */
json_t *status_document(
    const struct status_list *list, const struct status_head *head);

/* One attempt of a history; and the history of TARGET with its ATTEMPTS (an
 * array, taken), the newest first. */
json_t *status_attempt(const struct store_attempt *attempt);
json_t *status_history(const struct target *target, json_t *attempts);

#endif
