/* SPDX-License-Identifier: ISC */
/* keep/metrics.h -- what a keeper has done and how its certificates stand, as
 * Prometheus reads it (text format 0.0.4; oclasp-metrics(7) for their users).
 *
 * Counting is an addition; the text is made when it is asked for.  Pure: the
 * process's own facts and the time are parameters. */
#ifndef OCLASP_KEEP_METRICS_H
#define OCLASP_KEEP_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "base/text.h"
#include "keep/status.h"
#include "pki/verify.h"

struct acquire_result;

enum {
	/* certificates with series of their own; where more are kept, only
	 * those that need a person have, so many at most */
	METRICS_CERTIFICATES_MAX = 10000,
	METRICS_HOSTS_MAX = 100,  /* responders with series of their own; the
				     rest is "other" */
	METRICS_SERVERS_MAX = 16, /* the same of servers */
	METRICS_BUCKETS = 10,
	METRICS_TEXT_MAX = 16 << 20, /* bytes */
};

/* Good and bad of something that has a name. */
struct metrics_pair {
	char *name; /* owned */
	uint64_t good, bad;
};

struct metrics {
	uint64_t answers[3];             /* attempts with a verified answer, by
					    enum cert_status, */
	uint64_t failures[REASON_COUNT]; /* and without, by reason */
	uint64_t within[METRICS_BUCKETS], slower; /* how long they took */
	uint64_t elapsed_ms;
	int64_t last_success; /* wall seconds; 0: none since the start */
	struct metrics_pair hosts[METRICS_HOSTS_MAX + 1];
	size_t host_count;
	struct metrics_pair published[METRICS_SERVERS_MAX + 1];
	size_t published_count;
	struct metrics_pair proven[METRICS_SERVERS_MAX + 1];
	size_t proven_count;
	struct metrics_pair alarms; /* runs of the alarm command */
};

void metrics_done(struct metrics *metrics);

/* An attempt of a certificate whose responder is HOST, at NOW. */
void metrics_attempt(struct metrics *metrics, const char *host,
    const struct acquire_result *result, int64_t now);

/* A round gave SERVER something new, or could not. */
void metrics_published(struct metrics *metrics, const char *server, bool good);

/* A handshake with SERVER showed what it ought to, or not. */
void metrics_proven(struct metrics *metrics, const char *server, bool good);

/* What the system says of this process. */
struct metrics_process {
	double cpu_s;
	uint64_t resident, virtual; /* bytes */
	uint64_t open_files, max_files;
	int64_t start; /* wall seconds */
};

/* Everything that is so now. */
struct metrics_scene {
	int64_t now;
	struct target *const *targets;
	size_t target_count;
	size_t fetching, waiting; /* fetches under way, and for a place */
	bool store_ailing;        /* what changes is in memory only */
	struct metrics_process process;
};

/* The whole page into OUT, which has room for METRICS_TEXT_MAX. */
void metrics_write(struct buf *out, const struct metrics *metrics,
    const struct metrics_scene *scene);

/* One family's head, "# HELP" and "# TYPE", for others who add to the page. */
void metrics_family(
    struct buf *out, const char *name, const char *type, const char *help);

#endif
