/* SPDX-License-Identifier: ISC */
/* test_policy.c -- keep/policy: each rule a row, for one moment.
 *
 * What the rules come to over a month is in test_month.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "keep/policy.h"

enum {
	NOW = 1800000000,
	LIFE = 4 * CLOCK_DAY,
	HALF = LIFE / 2,
	EARLY = HALF - LIFE * POLICY_JITTER_PERCENT / 100,
	FIRST = HALF - LIFE * POLICY_SPREAD_PERCENT / 100,
	FINAL_FROM = POLICY_FINAL_S - POLICY_FINAL_S / 8,
	NEVER = 0,
};

/* Initializers of the facts: a certificate for OCSP, a staple of LIFE that is
 * AGE old, an attempt AGO seconds ago. */
/* clang-format off */
#define ISSUED(ago) .readable = true, .responder = true, \
	.not_before = NOW - (ago), .not_after = NOW + 60 * CLOCK_DAY
#define CERT ISSUED(30 * CLOCK_DAY)
#define STAPLE(age) .has_staple = true, .this_update = NOW - (age), \
	.end = NOW - (age) + LIFE, .usable_until = NOW - (age) + LIFE - 300
#define TRIED(ago, count) .last_attempt = NOW - (ago), .failures = (count)
/* clang-format on */

/* ANY of a range: what the random number may make of it. */
static const struct row {
	const char *name;
	struct policy_facts facts;
	enum target_state state;
	int64_t from, to; /* of the next attempt, after NOW; NEVER: none */
	bool never;
} rows[] = {
    /* nothing to fetch */
    {"unreadable: a person is needed, B10", {.readable = false}, STATE_ERROR, 0,
	0, true},
    {"unreadable wins over expired", {.readable = false, .not_after = NOW - 1},
	STATE_ERROR, 0, 0, true},
    {"B10: no request for an expired certificate",
	{CERT, .now = NOW + 60 * CLOCK_DAY}, STATE_CERTIFICATE_EXPIRED, 0, 0,
	true},
    {"B10: also with a staple and failures",
	{CERT, STAPLE(0), TRIED(0, 3), .now = NOW + 60 * CLOCK_DAY},
	STATE_CERTIFICATE_EXPIRED, 0, 0, true},
    {"B10: expired without responder", {.readable = true, .not_after = NOW},
	STATE_CERTIFICATE_EXPIRED, 0, 0, true},
    {"no responder is fine, 3.2",
	{.readable = true,
	    .not_before = NOW - CLOCK_DAY,
	    .not_after = NOW + 60 * CLOCK_DAY},
	STATE_NO_RESPONDER, 0, 0, true},
    {"D3: must-staple without responder is loud",
	{.readable = true, .must_staple = true, .not_after = NOW + 1},
	STATE_MUST_STAPLE_MISSING, 0, 0, true},
    {"short-lived, 7 d",
	{.readable = true,
	    .not_before = NOW - CLOCK_DAY,
	    .not_after = NOW + 6 * CLOCK_DAY},
	STATE_NOT_NEEDED, 0, 0, true},
    {"not short-lived, 7 d and a second",
	{.readable = true,
	    .not_before = NOW - CLOCK_DAY - 1,
	    .not_after = NOW + 6 * CLOCK_DAY},
	STATE_NO_RESPONDER, 0, 0, true},
    {"D3 wins over short-lived",
	{.readable = true,
	    .must_staple = true,
	    .not_before = NOW - 1,
	    .not_after = NOW + 1},
	STATE_MUST_STAPLE_MISSING, 0, 0, true},
    {"short-lived with a responder is kept",
	{.readable = true,
	    .responder = true,
	    .not_before = NOW - CLOCK_DAY,
	    .not_after = NOW + CLOCK_DAY},
	STATE_PENDING, 0, 0, false},

    /* never had one */
    {"the first attempt is at once", {CERT}, STATE_PENDING, 0, 0, false},
    {"B10: not before the certificate is valid",
	{CERT, .now = NOW - 31 * CLOCK_DAY}, STATE_PENDING, CLOCK_DAY,
	CLOCK_DAY, false},
    {"A7: the first retry", {CERT, TRIED(0, 1)}, STATE_PENDING, 1, 2, false},
    {"A7: the second", {CERT, TRIED(0, 2)}, STATE_PENDING, 1, 4, false},
    {"A7: capped while nothing usable is there", {CERT, TRIED(0, 9)},
	STATE_PENDING, 1, POLICY_RETRY_BARE_S, false},
    {"A7: quick for the first minutes", {CERT, TRIED(0, POLICY_BARE_FAST)},
	STATE_PENDING, 1, POLICY_RETRY_BARE_S, false},
    {"A7: slow after that", {CERT, TRIED(0, POLICY_BARE_FAST + 1)},
	STATE_PENDING, 1, POLICY_RETRY_SLOW_S, false},
    {"F2: quick while it is just issued",
	{ISSUED(POLICY_GRACE_S - 1), TRIED(0, 900)}, STATE_PENDING, 1,
	POLICY_RETRY_BARE_S, false},
    {"F2: a quarter of an hour, no longer",
	{ISSUED(POLICY_GRACE_S), TRIED(0, 900),
	    .first_seen = NOW - POLICY_GRACE_S},
	STATE_PENDING, 1, POLICY_RETRY_SLOW_S, false},
    {"F2: dated back an hour, and met just now",
	{ISSUED(CLOCK_HOUR), TRIED(0, 900),
	    .first_seen = NOW - POLICY_GRACE_S + 1},
	STATE_PENDING, 1, POLICY_RETRY_BARE_S, false},
    {"F2: of last month, and met just now",
	{CERT, TRIED(0, 900), .first_seen = NOW - 1}, STATE_PENDING, 1,
	POLICY_RETRY_SLOW_S, false},
    {"A7: slow for ever", {CERT, TRIED(0, 4000000000U)}, STATE_PENDING, 1,
	POLICY_RETRY_SLOW_S, false},
    {"A7: Retry-After", {CERT, TRIED(0, 1), .retry_after = NOW + 20},
	STATE_PENDING, 20, 20, false},
    {"A7: a forged Retry-After is no way to keep it bare",
	{CERT, TRIED(0, 1), .retry_after = NOW + 9 * CLOCK_DAY}, STATE_PENDING,
	POLICY_RETRY_AFTER_BARE_S, POLICY_RETRY_AFTER_BARE_S, false},
    {"A7: nor a must-staple one without",
	{CERT, .must_staple = true, STAPLE(LIFE), TRIED(0, 1),
	    .retry_after = INT64_MAX},
	STATE_MUST_STAPLE_MISSING, POLICY_RETRY_AFTER_BARE_S,
	POLICY_RETRY_AFTER_BARE_S, false},
    {"A7: Retry-After within reason, with a staple to live on",
	{CERT, STAPLE(HALF), TRIED(0, 1), .retry_after = INT64_MAX},
	STATE_RETRYING, POLICY_RETRY_AFTER_MAX_S, POLICY_RETRY_AFTER_MAX_S,
	false},
    {"A7: a Retry-After that is over is none",
	{CERT, TRIED(0, 1), .retry_after = NOW - 5}, STATE_PENDING, 1, 2,
	false},
    {"max-age of an answer that was no staple is none",
	{CERT, TRIED(0, 1), .fetch_again = NOW + 600}, STATE_PENDING, 1, 2,
	false},
    {"must-staple with nothing is critical, A10",
	{CERT, .must_staple = true, TRIED(0, 1)}, STATE_MUST_STAPLE_MISSING, 1,
	2, false},

    /* all is well */
    {"A4: fresh", {CERT, STAPLE(0)}, STATE_FRESH, EARLY, HALF, false},
    {"A4: the first one", {CERT, STAPLE(0), .first_at = NOW}, STATE_FRESH,
	FIRST, HALF, false},
    {"A4: the first one, and it was old already",
	{CERT, STAPLE(HALF - 3600), .first_at = NOW}, STATE_FRESH, 1, 3600,
	false},
    {"A4: the first one, past its half when it came",
	{CERT, STAPLE(HALF + 3600), TRIED(0, 0), .first_at = NOW}, STATE_FRESH,
	16890, 16890, false},
    {"A4: at half", {CERT, STAPLE(HALF)}, STATE_DUE, EARLY - HALF, 0, false},
    {"A4: long past half, as at a start", {CERT, STAPLE(LIFE / 8 * 7)},
	STATE_DUE, EARLY - LIFE / 8 * 7, HALF - LIFE / 8 * 7, false},
    {"past half when it came: again after a tenth of the rest",
	{CERT, STAPLE(HALF + 3600), TRIED(0, 0)}, STATE_FRESH, 16890, 16890,
	false},
    {"the same an hour later, with nothing newer",
	{CERT, STAPLE(HALF + 3600), TRIED(3600, 0)}, STATE_FRESH, 13650, 13650,
	false},
    {"A10: nothing newer, and an eighth is left",
	{CERT, STAPLE(LIFE / 8 * 7), TRIED(0, 0)}, STATE_EXPIRING, 4290, 4290,
	false},
    {"A10: the same when it is asked again: that alone is no change",
	{CERT, STAPLE(LIFE / 8 * 7), TRIED(6000, 0)}, STATE_EXPIRING, -1110,
	-1110, false},
    {"a clock that was set back asks again",
	{CERT, STAPLE(HALF), TRIED(-3600, 0)}, STATE_DUE, 0, 0, false},
    {"C21: max-age puts off to the half at most",
	{CERT, STAPLE(0), .fetch_again = NOW + 9 * CLOCK_DAY}, STATE_FRESH,
	HALF, HALF, false},
    {"C21: max-age puts off", {CERT, STAPLE(0), .fetch_again = NOW + HALF - 9},
	STATE_FRESH, HALF - 9, HALF, false},
    {"must-staple with a staple", {CERT, .must_staple = true, STAPLE(0)},
	STATE_FRESH, EARLY, HALF, false},
    {"A6: usable no more, never failed", {CERT, STAPLE(LIFE - 300)},
	STATE_EXPIRED, 0, 0, false},

    /* failing with a staple */
    {"A10: retrying", {CERT, STAPLE(HALF), TRIED(0, 1)}, STATE_RETRYING, 1, 2,
	false},
    {"A7: the ceiling while a good staple lives",
	{CERT, STAPLE(HALF), TRIED(0, 30)}, STATE_RETRYING, 1,
	POLICY_RETRY_MAX_S, false},
    {"A10: expiring, a quarter is left",
	{CERT, STAPLE(LIFE * 3 / 4), TRIED(0, 30)}, STATE_EXPIRING, 1,
	POLICY_RETRY_MAX_S, false},
    {"A7: quicker near the end", {CERT, STAPLE(LIFE - 900), TRIED(0, 30)},
	STATE_EXPIRING, 1, 60, false},
    {"A7: never quicker than the bare pace",
	{CERT, STAPLE(LIFE - 310), TRIED(0, 30)}, STATE_EXPIRING, 1,
	POLICY_RETRY_BARE_S, false},
    {"Retry-After leaves a living staple three quarters",
	{CERT, STAPLE(LIFE - 300 - 1200), TRIED(0, 1),
	    .retry_after = NOW + 3600},
	STATE_EXPIRING, 300, 300, false},
    {"the same, decided again when that time has come",
	{CERT, STAPLE(LIFE - 300 - 900), TRIED(300, 1),
	    .retry_after = NOW + 3300},
	STATE_EXPIRING, 0, 0, false},
    {"C21: nothing newer, no failure, and a cache that says for how long",
	{CERT, STAPLE(HALF), TRIED(0, 0), .fetch_again = NOW + 36000},
	STATE_FRESH, 36000, 36000, false},
    {"C21: but a quarter of the rest at most",
	{CERT, STAPLE(HALF), TRIED(0, 0), .fetch_again = NOW + LIFE},
	STATE_FRESH, (HALF - 300) / 4, (HALF - 300) / 4, false},
    {"C21: nothing newer, and a cache that says for how long",
	{CERT, STAPLE(HALF), TRIED(0, 1), .fetch_again = NOW + 1800},
	STATE_RETRYING, 1800, 1800, false},
    {"A6: expired and failing", {CERT, STAPLE(LIFE), TRIED(0, 5)},
	STATE_EXPIRED, 1, POLICY_RETRY_BARE_S, false},
    {"A6: max-age holds no more then",
	{CERT, STAPLE(LIFE), TRIED(0, 1), .fetch_again = NOW + 1800},
	STATE_EXPIRED, 1, 2, false},
    {"A10: must-staple, expired and failing",
	{CERT, .must_staple = true, STAPLE(LIFE), TRIED(0, 5)},
	STATE_MUST_STAPLE_MISSING, 1, POLICY_RETRY_BARE_S, false},

    /* final answers */
    {"C15: revoked",
	{CERT, TRIED(0, 0), .last_final = true, .last_status = CERT_REVOKED},
	STATE_REVOKED, FINAL_FROM, POLICY_FINAL_S, false},
    {"C15: unknown keeps the last good one",
	{CERT, STAPLE(HALF), TRIED(0, 0), .last_final = true,
	    .last_status = CERT_UNKNOWN},
	STATE_UNKNOWN, FINAL_FROM, POLICY_FINAL_S, false},
    {"C15: revoked stays so while the responder is silent",
	{CERT, TRIED(0, 2), .last_final = true, .last_status = CERT_REVOKED},
	STATE_REVOKED, FINAL_FROM, POLICY_FINAL_S, false},
    {"C15: unknown by a responder of 5-minute lives",
	{CERT, TRIED(0, 0), .last_final = true, .last_status = CERT_UNKNOWN,
	    .final_life = 300},
	STATE_UNKNOWN, 150 - 150 / 8, 150, false},
    {"C15: revoked by a responder of 1-minute lives",
	{CERT, TRIED(0, 0), .last_final = true, .last_status = CERT_REVOKED,
	    .final_life = 60},
	STATE_REVOKED, 30 - 30 / 8, 30, false},
    {"C15: no life is so short that it hammers",
	{CERT, TRIED(0, 0), .last_final = true, .last_status = CERT_REVOKED,
	    .final_life = 1},
	STATE_REVOKED, POLICY_FINAL_MIN_S - 1, POLICY_FINAL_MIN_S, false},
    {"C15: unknown while the last good one ends",
	{CERT, STAPLE(LIFE - 300 - 1200), TRIED(0, 0), .last_final = true,
	    .last_status = CERT_UNKNOWN},
	STATE_UNKNOWN, 300 - 300 / 8, 300, false},
    {"F2: unknown, of a certificate of this minute",
	{ISSUED(60), TRIED(0, 0), .last_final = true,
	    .last_status = CERT_UNKNOWN, .final_life = CLOCK_DAY},
	STATE_UNKNOWN, POLICY_FINAL_MIN_S - 1, POLICY_FINAL_MIN_S, false},
    {"C15: revoked, of a certificate of this minute",
	{ISSUED(60), TRIED(0, 0), .last_final = true,
	    .last_status = CERT_REVOKED, .final_life = CLOCK_DAY},
	STATE_REVOKED, FINAL_FROM, POLICY_FINAL_S, false},
    {"C15: revoked, and its staple kept by choice",
	{CERT, STAPLE(0), TRIED(0, 0), .last_final = true,
	    .last_status = CERT_REVOKED},
	STATE_REVOKED, FINAL_FROM, POLICY_FINAL_S, false},
    {"B10 wins over revoked",
	{CERT, .now = NOW + 61 * CLOCK_DAY, TRIED(0, 0), .last_final = true,
	    .last_status = CERT_REVOKED},
	STATE_CERTIFICATE_EXPIRED, 0, 0, true},

    /* the clock was set back */
    {"C22: a retry counted from the future is not waited for",
	{CERT, TRIED(-9 * CLOCK_DAY, 3)}, STATE_PENDING, 0, 0, false},
    {"C22: nor an hour from there",
	{CERT, TRIED(-9 * CLOCK_DAY, 0), .last_final = true,
	    .last_status = CERT_UNKNOWN},
	STATE_UNKNOWN, 0, 0, false},
};

static const uint32_t randoms[] = {
    0, 1, 2, 59, 3599, 1234567, 0x7fffffff, 0xfffffffe, 0xffffffff};

enum { RANDOMS = sizeof(randoms) / sizeof(randoms[0]) };

static void
check(const struct row *row, uint32_t random)
{
	struct policy_facts facts = row->facts;
	struct policy_decision d;
	int64_t now = facts.now == 0 ? NOW : facts.now;

	facts.now = now;
	facts.random = random;
	d = policy_decide(&facts);
	if (d.state != row->state)
		fail_msg("%s: state %s, not %s (random %u)", row->name,
		    target_state_name(d.state), target_state_name(row->state),
		    random);
	if (row->never ? d.next_attempt != NEVER
		       : d.next_attempt < now + row->from ||
			     d.next_attempt > now + row->to)
		fail_msg("%s: next attempt in %lld s, not %lld to %lld "
			 "(random %u)",
		    row->name, (long long)(d.next_attempt - now),
		    (long long)row->from, (long long)row->to, random);
}

static void
test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (size_t k = 0; k < RANDOMS; k++)
			check(&rows[i], randoms[k]);
	}
}

/* A decision is kept: made again at any moment before its own, it is the same
 * one.  Else a pause could be put off and off. */
static void
test_decisions_do_not_move(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct policy_facts facts = rows[i].facts;

		facts.now = facts.now == 0 ? NOW : facts.now;
		for (size_t k = 0; k < RANDOMS; k++) {
			struct policy_decision first, again;
			int64_t until;

			facts.random = randoms[k];
			first = policy_decide(&facts);
			until = first.next_attempt;
			/* the end of the staple is an event of its own */
			if (facts.has_staple &&
			    facts.usable_until > facts.now &&
			    facts.usable_until < until)
				until = facts.usable_until - 1;
			if (until <= facts.now)
				continue;
			for (int part = 1; part <= 4; part++) {
				struct policy_facts later = facts;

				later.now += (until - facts.now) * part / 4;
				again = policy_decide(&later);
				if (again.next_attempt != first.next_attempt)
					fail_msg("%s: moved by %lld s",
					    rows[i].name,
					    (long long)(again.next_attempt -
							first.next_attempt));
			}
		}
	}
}

/* A4: up to its moment fresh, from then on due. */
static void
test_due_to_the_second(void **state)
{
	(void)state;
	for (size_t k = 0; k < RANDOMS; k++) {
		struct policy_facts facts = {
		    CERT, STAPLE(0), .now = NOW, .random = randoms[k]};
		int64_t at = policy_decide(&facts).next_attempt;

		facts.now = at - 1;
		assert_int_equal(policy_decide(&facts).state, STATE_FRESH);
		facts.now = at;
		assert_int_equal(policy_decide(&facts).state, STATE_DUE);
		assert_true(policy_decide(&facts).next_attempt == at);
		/* C21: a max-age that is over before changes nothing */
		facts.fetch_again = at - 1;
		assert_true(policy_decide(&facts).next_attempt == at);
	}
}

/* How many of SHARES parts of the time have their share of the moments. */
enum { SHARES = 20, MOMENTS = 40000 };

static void
count_moments(
    const char *name, struct policy_facts facts, int64_t from, int64_t span)
{
	int counts[SHARES] = {0};

	for (uint32_t r = 0; r < MOMENTS; r++) {
		int64_t at;

		facts.random = r * 2654435761U;
		at = policy_decide(&facts).next_attempt - from;
		if (at < 0 || at > span)
			fail_msg("%s: %lld of %lld", name, (long long)at,
			    (long long)span);
		counts[at == span ? SHARES - 1 : at * SHARES / span]++;
	}
	for (int i = 0; i < SHARES; i++) {
		if (counts[i] < MOMENTS / SHARES * 9 / 10 ||
		    counts[i] > MOMENTS / SHARES * 11 / 10)
			fail_msg("%s: part %d has %d", name, i, counts[i]);
	}
}

/* Each moment of the time in which one may come is as likely as the others. */
static void
test_jitter_is_used_in_full(void **state)
{
	const struct policy_facts fresh = {CERT, STAPLE(0), .now = NOW};
	const struct policy_facts first = {
	    CERT, STAPLE(0), .first_at = NOW, .now = NOW};
	const struct policy_facts failing = {
	    CERT, STAPLE(HALF), TRIED(0, 30), .now = NOW};

	(void)state;
	count_moments("A4: refreshes", fresh, NOW + EARLY, HALF - EARLY);
	count_moments(
	    "A4: of the first ones", first, NOW + FIRST, HALF - FIRST);
	count_moments("A7: back-off", failing, NOW + 1, POLICY_RETRY_MAX_S);
}

/* A4, A7: a row's range is the one that there is.  Were what there is smaller,
 * who shall come late would come early, and nobody would see it. */
static void
test_ranges_are_used(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct policy_facts facts = rows[i].facts;
		int64_t least = INT64_MAX, most = INT64_MIN;
		int64_t span = rows[i].to - rows[i].from;

		facts.now = facts.now == 0 ? NOW : facts.now;
		for (uint32_t r = 0; r < MOMENTS && !rows[i].never; r++) {
			int64_t at;

			facts.random = r * 2654435761U;
			at = policy_decide(&facts).next_attempt - facts.now;
			least = at < least ? at : least;
			most = at > most ? at : most;
		}
		if (!rows[i].never && (least > rows[i].from + span / 10 ||
					  most < rows[i].to - span / 10))
			fail_msg("%s: from %lld to %lld s, not %lld to %lld",
			    rows[i].name, (long long)least, (long long)most,
			    (long long)rows[i].from, (long long)rows[i].to);
	}
}

/* One target does not repeat its own pauses. */
static void
test_back_off_is_shaken(void **state)
{
	int64_t seen[20];
	int same = 0;

	(void)state;
	for (int i = 0; i < 20; i++) {
		struct policy_facts facts = {CERT, STAPLE(HALF),
		    TRIED(0, 30 + (unsigned)i), .random = 7, .now = NOW};

		seen[i] = policy_decide(&facts).next_attempt;
		for (int j = 0; j < i; j++)
			same += seen[i] == seen[j];
	}
	assert_true(same < 5);
}

static void
test_states_have_names(void **state)
{
	static const struct {
		enum target_state state;
		const char *name;
		bool alarm;
	} names[] = {{STATE_FRESH, "fresh", false}, {STATE_DUE, "due", false},
	    {STATE_RETRYING, "retrying", false},
	    {STATE_EXPIRING, "expiring", true},
	    {STATE_EXPIRED, "expired", true}, {STATE_REVOKED, "revoked", true},
	    {STATE_UNKNOWN, "unknown", true}, {STATE_PENDING, "pending", false},
	    {STATE_NO_RESPONDER, "no-responder", false},
	    {STATE_NOT_NEEDED, "not-needed", false},
	    {STATE_MUST_STAPLE_MISSING, "must-staple-missing", true},
	    {STATE_CERTIFICATE_EXPIRED, "certificate-expired", true},
	    {STATE_ERROR, "error", true}};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_string_equal(
		    target_state_name(names[i].state), names[i].name);
		assert_int_equal(
		    target_state_is_alarm(names[i].state), names[i].alarm);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_rows),
	    cmocka_unit_test(test_decisions_do_not_move),
	    cmocka_unit_test(test_due_to_the_second),
	    cmocka_unit_test(test_jitter_is_used_in_full),
	    cmocka_unit_test(test_ranges_are_used),
	    cmocka_unit_test(test_back_off_is_shaken),
	    cmocka_unit_test(test_states_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
