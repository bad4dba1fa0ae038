/* SPDX-License-Identifier: ISC */
/* keep/metrics.c -- what a keeper has done: counted. */
#include "keep/metrics.h"

#include <stdlib.h>
#include <string.h>

#include "acquire/acquire.h"
#include "base/mem.h"
#include "keep/metrics_priv.h"

const int64_t metrics_bounds_ms[METRICS_BUCKETS] = {
    50, 100, 250, 500, 1000, 2500, 5000, 10000, 15000, 30000};

void
metrics_done(struct metrics *metrics)
{
	for (size_t i = 0; i < metrics->host_count; i++)
		free(metrics->hosts[i].name);
	for (size_t i = 0; i < metrics->published_count; i++)
		free(metrics->published[i].name);
	for (size_t i = 0; i < metrics->proven_count; i++)
		free(metrics->proven[i].name);
	*metrics = (struct metrics){0};
}

/* NAME's pair of LIST, which has room for MAX and one more, "other", that all
 * share who come later: a scrape must not grow with what is asked (I5). */
static struct metrics_pair *
find(struct metrics_pair *list, size_t *count, size_t max, const char *name)
{
	for (size_t i = 0; i < *count; i++) {
		if (strcmp(list[i].name, name) == 0)
			return &list[i];
	}
	if (*count > max)
		return &list[max];
	list[*count].name = mem_string(*count == max ? "other" : name);
	return &list[(*count)++];
}

static void
count(struct metrics_pair *pair, bool good)
{
	if (good)
		pair->good++;
	else
		pair->bad++;
}

/* Which address led to a signed answer, and which did not: what is told of an
 * address is a claim until then. */
static void
count_addresses(struct metrics *metrics, const char *host,
    const struct acquire_result *result)
{
	for (size_t i = 0; i < result->try_count; i++) {
		const struct acquire_try *try = &result->tries[i];

		if (try->address[0] == '\0' || try->cancelled)
			continue;
		count(find(metrics->hosts, &metrics->host_count,
			  METRICS_HOSTS_MAX, host),
		    try->err.reason == REASON_NONE);
	}
}

void
metrics_attempt(struct metrics *metrics, const char *host,
    const struct acquire_result *result, int64_t now)
{
	size_t b = 0;

	if (result->accepted)
		metrics->answers[result->facts.status]++;
	else
		metrics->failures[result->err.reason]++;
	if (result->accepted && result->facts.status == CERT_GOOD)
		metrics->last_success = now;
	while (b < METRICS_BUCKETS && result->elapsed_ms > metrics_bounds_ms[b])
		b++;
	if (b < METRICS_BUCKETS)
		metrics->within[b]++;
	else
		metrics->slower++;
	metrics->elapsed_ms += (uint64_t)result->elapsed_ms;
	if (host != NULL)
		count_addresses(metrics, host, result);
}

void
metrics_published(struct metrics *metrics, const char *server, bool good)
{
	count(find(metrics->published, &metrics->published_count,
		  METRICS_SERVERS_MAX, server),
	    good);
}

void
metrics_proven(struct metrics *metrics, const char *server, bool good)
{
	count(find(metrics->proven, &metrics->proven_count, METRICS_SERVERS_MAX,
		  server),
	    good);
}
