/* SPDX-License-Identifier: ISC */
/* doctor/penalty_client.h -- what each kind of client would wait, by its rule.
 *
 * The rules are read in the clients' sources and documentation (NETWORK-TRUTH
 * 4.4 and 5); no client was run.  From the tries of penalty.h follows what a
 * client with such a rule would have waited in this host's place.  Pure. */
#ifndef OCLASP_DOCTOR_PENALTY_CLIENT_H
#define OCLASP_DOCTOR_PENALTY_CLIENT_H

#include "doctor/penalty.h"

/* Apple: timeoutIntervalForResource of trustd. */
enum { PENALTY_URL_MS = 3000 };

struct penalty_client {
	const char *name;  /* for programs: "apple" */
	const char *label; /* for readers */
	const char *rule;  /* a phrase; of one that asks nobody, why not */
	bool asks;
	bool post;        /* always; else GET where the URL is short enough */
	int64_t url_ms;   /* it waits for one URL at most */
	bool reads_apart; /* URL_MS to connect, and URL_MS again to read */
	int64_t total_ms; /* for all URLs; 0: no such limit */
	size_t urls;      /* so many of them at most */
	bool refuses;     /* then there is no connection */
};

/* NULL behind the last one. */
const struct penalty_client *penalty_client_at(size_t index);

/* The words that belong to every figure of this file. */
extern const char penalty_caveat[];

struct penalty_wait {
	size_t tries; /* that all it asks was tried in; 0: nothing is known */
	int64_t p50_ms,
	    p95_ms;    /* by rank: half, and 95 of 100, wait no longer */
	bool at_least; /* some tries were cut before the client would have */
	size_t answered, failed, timed_out; /* how the tries ended for it */
};

void penalty_wait_of(const struct penalty *penalty,
    const struct penalty_client *client, struct penalty_wait *out);

/* "answered", "fails", "times-out", "mixed"; "unknown" without a try. */
const char *penalty_class(const struct penalty_wait *wait);

/* Apple's wait by the first try alone, and how it ended. */
struct penalty_one {
	int64_t wait_ms;
	struct err err; /* of the last URL it asked; REASON_NONE: answered */
	char address[DNS_ADDRESS_TEXT], url[PENALTY_URL_TEXT];
};

void penalty_one_try(const struct penalty *penalty, struct penalty_one *out);

/* Of the tries that are done: their count in OUT, sorted; the value that
 * PERCENT of 100 do not exceed. */
int64_t penalty_percentile(
    const int64_t *sorted, size_t count, unsigned percent);
size_t penalty_sorted(
    const struct penalty_row *row, int64_t out[PENALTY_TRIES]);

#endif
