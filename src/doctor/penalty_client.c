/* SPDX-License-Identifier: ISC */
/* doctor/penalty_client.c -- what each kind of client would wait, by its rule.
 */
#include "doctor/penalty_client.h"

#include <stdio.h>
#include <stdlib.h>

const char penalty_caveat[] =
    "by the clients' rules, from tries on this host's network: your visitors "
    "use other resolvers and paths; no Safari, nor any other client, was "
    "measured";

/* clang-format off */
static const struct penalty_client clients[] = {
    {.name = "apple", .label = "iOS, macOS (trustd)", .asks = true,
	.url_ms = PENALTY_URL_MS, .urls = 10,
	.rule = "3.0 s for each URL, then goes on; on a first visit, and only "
		"where Apple's own database does not decide"},
    {.name = "windows", .label = "Windows (CryptoAPI)", .asks = true,
	.url_ms = 15000, .total_ms = 20000, .urls = 10,
	.rule = "15 s for each URL, 20 s in all, then goes on"},
    {.name = "firefox", .label = "Firefox", .asks = true, .post = true,
	.url_ms = 2000, .urls = 1,
	.rule = "2 s, then goes on (10 s for EV); newer ones mostly know by "
		"CRLite and do not ask"},
    {.name = "java", .label = "Java with revocation on", .asks = true,
	.url_ms = 15000, .reads_apart = true, .urls = 1, .refuses = true,
	.rule = "15 s to connect and 15 s to read, then refuses the "
		"connection, unless SOFT_FAIL is set"},
    {.name = "chrome", .label = "Chrome", .rule = "asks nobody"},
    {.name = "curl", .label = "curl, OpenSSL", .rule = "asks nobody"},
    {.name = "android", .label = "Android", .rule = "asks nobody"},
};
/* clang-format on */

const struct penalty_client *
penalty_client_at(size_t index)
{
	return index < sizeof(clients) / sizeof(clients[0]) ? &clients[index]
							    : NULL;
}

/* --- one try, as a client lives through it --- */

enum end { END_ANSWERED, END_FAILED, END_TIMED_OUT };

/* What CLIENT waited in TRY. */
static enum end
live(const struct penalty_client *client, const struct penalty_try *try,
    int64_t *wait, bool *at_least)
{
	int64_t limit = client->url_ms;

	if (client->reads_apart && try->connect_ms >= 0)
		limit += try->connect_ms;
	if (try->elapsed_ms >= limit) {
		*wait = limit;
		return END_TIMED_OUT;
	}
	*wait = try->elapsed_ms;
	/* we did not wait as long as it would */
	*at_least = *at_least || try->cut;
	if (try->cut)
		return END_TIMED_OUT;
	return try->reason == REASON_NONE ? END_ANSWERED : END_FAILED;
}

/* The row of the certificate's URL INDEX that CLIENT would ask.  A URL too long
 * for GET was tried by POST alone. */
static const struct penalty_row *
row_of(
    const struct penalty *p, const struct penalty_client *client, size_t index)
{
	const struct penalty_row *found = NULL;

	for (size_t i = 0; i < p->row_count; i++) {
		if (p->rows[i].url_index == index &&
		    (found == NULL || p->rows[i].post == client->post))
			found = &p->rows[i];
	}
	return found;
}

/* All URLs in try NUMBER, until one answers; false if it was not tried. */
static bool
live_all(const struct penalty *p, const struct penalty_client *client,
    size_t number, int64_t *wait, enum end *end, bool *at_least)
{
	size_t urls = p->url_count < client->urls ? p->url_count : client->urls;

	*wait = 0;
	*end = END_FAILED;
	for (size_t i = 0; i < urls && *end != END_ANSWERED; i++) {
		const struct penalty_row *row = row_of(p, client, i);
		enum end this_end;
		int64_t spent;

		if (row == NULL) { /* a URL that there was no room for */
			*at_least = true;
			return i > 0;
		}
		if (!row->tries[number].done)
			return false;
		this_end = live(client, &row->tries[number], &spent, at_least);
		*wait += spent;
		/* one that timed out is what the whole is remembered by */
		if (this_end == END_ANSWERED || this_end == END_TIMED_OUT)
			*end = this_end;
		if (client->total_ms > 0 && *wait >= client->total_ms) {
			*wait = client->total_ms;
			break;
		}
	}
	return urls > 0;
}

/* --- all tries --- */

static int
compare(const void *a, const void *b)
{
	int64_t one = *(const int64_t *)a, two = *(const int64_t *)b;

	return one < two ? -1 : one > two;
}

int64_t
penalty_percentile(const int64_t *sorted, size_t count, unsigned percent)
{
	size_t rank = (count * percent + 99) / 100;

	if (count == 0)
		return 0;
	return sorted[rank == 0 ? 0 : rank - 1];
}

size_t
penalty_sorted(const struct penalty_row *row, int64_t out[PENALTY_TRIES])
{
	size_t count = 0;

	for (size_t i = 0; i < PENALTY_TRIES; i++) {
		if (row->tries[i].done)
			out[count++] = row->tries[i].elapsed_ms;
	}
	qsort(out, count, sizeof(out[0]), compare);
	return count;
}

void
penalty_wait_of(const struct penalty *penalty,
    const struct penalty_client *client, struct penalty_wait *out)
{
	int64_t waits[PENALTY_TRIES];

	*out = (struct penalty_wait){0};
	if (!client->asks)
		return;
	for (size_t i = 0; i < PENALTY_TRIES; i++) {
		bool at_least = false;
		enum end end;

		if (!live_all(penalty, client, i, &waits[out->tries], &end,
			&at_least))
			continue;
		out->tries++;
		out->at_least = out->at_least || at_least;
		out->answered += end == END_ANSWERED;
		out->failed += end == END_FAILED;
		out->timed_out += end == END_TIMED_OUT;
	}
	qsort(waits, out->tries, sizeof(waits[0]), compare);
	out->p50_ms = penalty_percentile(waits, out->tries, 50);
	out->p95_ms = penalty_percentile(waits, out->tries, 95);
}

const char *
penalty_class(const struct penalty_wait *wait)
{
	if (wait->tries == 0)
		return "unknown";
	if (wait->answered == wait->tries)
		return "answered";
	if (wait->failed == wait->tries)
		return "fails";
	return wait->timed_out == wait->tries ? "times-out" : "mixed";
}

void
penalty_one_try(const struct penalty *penalty, struct penalty_one *out)
{
	bool at_least = false;
	enum end end = END_FAILED;

	*out = (struct penalty_one){.err = penalty->err};
	(void)live_all(penalty, &clients[0], 0, &out->wait_ms, &end, &at_least);
	for (size_t i = 0; i < penalty->url_count; i++) {
		const struct penalty_row *row = row_of(penalty, &clients[0], i);

		if (row == NULL)
			break;
		out->err = row->err;
		(void)snprintf(out->url, sizeof(out->url), "%s", row->url);
		(void)snprintf(
		    out->address, sizeof(out->address), "%s", row->address);
		if (row->tries[0].reason == REASON_NONE && !row->tries[0].cut)
			break;
	}
}
