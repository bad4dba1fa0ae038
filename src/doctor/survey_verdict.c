/* SPDX-License-Identifier: ISC */
/* doctor/survey_verdict.c -- what a survey's facts come to: pure.
 *
 * Success is proof, whoever named the address.  Failure alone proves nothing
 * about a name: an edge may be down, a way closed.  So a road leads nowhere only
 * where another one leads to OCSP, and where none does it is said that it is
 * not known why (I6). */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "doctor/survey.h"

enum {
	SENTENCE_MAX = 2048,
	NAMED_MAX = 3, /* addresses named in a sentence; JSON has them all */
};

const char *
survey_verdict_name(enum survey_verdict verdict)
{
	switch (verdict) {
	case SURVEY_ANSWERS:
		return "answers";
	case SURVEY_PARTLY:
		return "partly";
	case SURVEY_NO_ANSWER:
		return "no-answer";
	case SURVEY_NO_ADDRESS:
		return "no-address";
	}
	return "no-answer";
}

const char *
survey_grade_name(enum survey_grade grade)
{
	switch (grade) {
	case SURVEY_UNTRIED:
		return "untried";
	case SURVEY_FAILED:
		return "failed";
	case SURVEY_ANSWERED:
		return "answers";
	case SURVEY_PROVEN:
		return "proven";
	}
	return "untried";
}

void
survey_responder_done(struct survey_responder *responder)
{
	free(responder->host);
	free(responder->roads);
	free(responder->tries);
	free(responder->sentence);
	*responder = (struct survey_responder){0};
}

/* --- facts --- */

static bool
names(const struct survey_road *road, const char *address)
{
	for (size_t i = 0; i < road->address_count; i++) {
		if (strcmp(road->addresses[i], address) == 0)
			return true;
	}
	return false;
}

/* True if TRY went by ROAD. */
static bool
is_of(const struct survey_try *try, const struct survey_road *road)
{
	if (road->proxy[0] != '\0' || try->proxy[0] != '\0')
		return strcmp(try->proxy, road->proxy) == 0;
	return names(road, try->address);
}

static enum survey_grade
best_of(const struct survey_responder *r, const struct survey_road *road)
{
	enum survey_grade best = SURVEY_UNTRIED;

	for (size_t i = 0; i < r->try_count; i++) {
		const struct survey_try *try = &r->tries[i];

		if ((road == NULL || is_of(try, road)) && try->grade > best)
			best = try->grade;
	}
	return best;
}

/* What a road must lead to, to be a good one: where one answer verifies, those
 * that do not are somebody else's. */
static enum survey_grade
wanted(enum survey_grade best)
{
	return best == SURVEY_PROVEN ? SURVEY_PROVEN : SURVEY_ANSWERED;
}

static bool
names_nothing(const struct survey_road *road)
{
	return road->address_count == 0 && road->err.reason != REASON_NONE;
}

static bool
same_addresses(const struct survey_road *a, const struct survey_road *b)
{
	for (size_t i = 0; i < a->address_count; i++) {
		if (!names(b, a->addresses[i]))
			return false;
	}
	return a->address_count == b->address_count;
}

/* True if all that name addresses name the same; *COUNT of them. */
static bool
agree(const struct survey_responder *r, size_t *count)
{
	const struct survey_road *first = NULL;
	bool same = true;

	*count = 0;
	for (size_t i = 0; i < r->road_count; i++) {
		const struct survey_road *road = &r->roads[i];

		if (road->address_count == 0 || road->proxy[0] != '\0')
			continue;
		if (first == NULL)
			first = road;
		same = same && same_addresses(first, road);
		(*count)++;
	}
	return same;
}

/* --- sentences --- */

static const char *
road_name(const struct survey_road *road)
{
	return road->proxy[0] != '\0' ? road->proxy : road->name;
}

/* "192.0.2.1 (connect-refused), 192.0.2.2 (http-timeout) and 3 more": the
 * tries of ROAD, or of all, that were made and are below GRADE. */
static void
add_failures(struct buf *out, const struct survey_responder *r,
    const struct survey_road *road, enum survey_grade grade)
{
	size_t count = 0;

	for (size_t i = 0; i < r->try_count; i++) {
		const struct survey_try *try = &r->tries[i];

		if (try->grade == SURVEY_UNTRIED || try->grade >= grade ||
		    (road != NULL && !is_of(try, road)))
			continue;
		if (count++ >= NAMED_MAX)
			continue;
		buf_printf(out, "%s%s (%s)", count > 1 ? ", " : "",
		    try->address[0] != '\0' ? try->address : try->proxy,
		    reason_name(try->err.reason));
	}
	if (count > NAMED_MAX)
		buf_printf(out, " and %zu more", count - NAMED_MAX);
}

/* The good roads, between commas. */
static void
add_good(struct buf *out, const struct survey_responder *r)
{
	const char *comma = "";

	for (size_t i = 0; i < r->road_count; i++) {
		if (!r->roads[i].is_good)
			continue;
		buf_printf(out, "%s%s", comma, road_name(&r->roads[i]));
		comma = ", ";
	}
}

/* Why ROAD is none of them. */
static void
add_complaint(struct buf *out, const struct survey_responder *r,
    const struct survey_road *road, enum survey_grade want)
{
	buf_puts(out, road_name(road));
	if (names_nothing(road)) {
		buf_printf(out, " gives no %s (%s)",
		    road->proxy[0] != '\0' ? "way" : "address",
		    reason_name(road->err.reason));
	} else if (road->leads == SURVEY_UNTRIED) {
		buf_puts(out, ": there was no time to ask");
	} else {
		buf_puts(out, road->leads == SURVEY_FAILED
				  ? " leads nowhere for this name: "
				  : " leads to answers that do not verify: ");
		add_failures(out, r, road, want);
	}
}

static void
say_answers(
    struct buf *out, const struct survey_responder *r, enum survey_grade want)
{
	size_t named;
	bool same = agree(r, &named), failed = false;

	if (named > 1 && same)
		buf_puts(out, "answers by every road");
	else if (named > 1)
		buf_puts(out, "resolves differently by road, and every road "
			      "leads to an answer: so it is with a CDN");
	else
		buf_puts(out, "answers");
	for (size_t i = 0; i < r->try_count; i++)
		failed = failed || (r->tries[i].grade != SURVEY_UNTRIED &&
				       r->tries[i].grade < want);
	if (failed) {
		buf_puts(out, "; not at ");
		add_failures(out, r, NULL, want);
	}
}

static void
say_partly(
    struct buf *out, const struct survey_responder *r, enum survey_grade want)
{
	for (size_t i = 0; i < r->road_count; i++) {
		if (r->roads[i].is_dead || r->roads[i].is_good)
			continue;
		add_complaint(out, r, &r->roads[i], want);
		buf_puts(out, "; ");
	}
	buf_puts(out, "it answers by ");
	add_good(out, r);
}

static void
say_no_answer(struct buf *out, const struct survey_responder *r)
{
	size_t named;
	bool same = agree(r, &named);

	buf_puts(out, named > 1 && same
			  ? "every road names the same and none answers: "
			  : "no answer at ");
	if (best_of(r, NULL) == SURVEY_UNTRIED)
		buf_puts(out, "all, since there was no time to ask");
	else
		add_failures(out, r, NULL, SURVEY_ANSWERED);
	buf_puts(out, "; why is not proven");
}

static void
say_no_address(struct buf *out, const struct survey_responder *r)
{
	const char *comma = "no road names an address: ";

	for (size_t i = 0; i < r->road_count; i++) {
		buf_printf(out, "%s%s (%s)", comma, road_name(&r->roads[i]),
		    reason_name(r->roads[i].err.reason));
		comma = ", ";
	}
	if (r->road_count == 0)
		buf_puts(out, "no road names an address: there is none");
}

static void
say(struct survey_responder *r, enum survey_grade want)
{
	struct buf out;

	buf_init(&out, SENTENCE_MAX);
	switch (r->verdict) {
	case SURVEY_ANSWERS:
		say_answers(&out, r, want);
		break;
	case SURVEY_PARTLY:
		say_partly(&out, r, want);
		break;
	case SURVEY_NO_ANSWER:
		say_no_answer(&out, r);
		break;
	case SURVEY_NO_ADDRESS:
		say_no_address(&out, r);
		break;
	}
	free(r->sentence);
	r->sentence = text_printable(buf_text(&out));
	buf_done(&out);
}

/* --- the verdict --- */

static void
note_best(struct survey_responder *r, enum survey_grade want)
{
	r->best_ms = r->best_connect_ms = -1;
	for (size_t i = 0; i < r->try_count; i++) {
		const struct survey_try *try = &r->tries[i];

		if (try->grade < want ||
		    (r->best_ms != -1 && try->answer_ms >= r->best_ms))
			continue;
		r->best_ms = try->answer_ms;
		r->best_connect_ms = try->connect_ms;
	}
}

void
survey_judge(struct survey_responder *r)
{
	enum survey_grade best = best_of(r, NULL), want = wanted(best);
	bool all = true, named = r->try_count > 0;

	for (size_t i = 0; i < r->road_count; i++) {
		struct survey_road *road = &r->roads[i];

		road->leads = best_of(r, road);
		road->is_good = road->leads >= want;
		named = named || road->address_count > 0;
		all = all && (road->is_dead || road->is_good);
	}
	note_best(r, want);
	if (best >= SURVEY_ANSWERED)
		r->verdict = all ? SURVEY_ANSWERS : SURVEY_PARTLY;
	else
		r->verdict = named ? SURVEY_NO_ANSWER : SURVEY_NO_ADDRESS;
	say(r, want);
}

static const struct survey_road *
find_road(const struct survey_responder *r, const struct survey_road *like)
{
	for (size_t i = 0; i < r->road_count; i++) {
		if (strcmp(r->roads[i].name, like->name) == 0 &&
		    strcmp(r->roads[i].proxy, like->proxy) == 0)
			return &r->roads[i];
	}
	return NULL;
}

/* True if some road of R names an address. */
static bool
is_known(const struct survey_responder *r)
{
	for (size_t i = 0; i < r->road_count; i++) {
		if (r->roads[i].address_count > 0)
			return true;
	}
	return false;
}

/* True if ROAD said nothing about R's host at all.  Only a resolver or a proxy,
 * and only silence and errors: who says of two names that they do not exist may
 * well be lying about both. */
static bool
is_silent(const struct survey_responder *r, const struct survey_road *road)
{
	if (road->proxy[0] == '\0')
		return strstr(road->name, "://") != NULL &&
		       (road->err.reason == REASON_DNS_NO_ANSWER ||
			   road->err.reason == REASON_DNS_SERVFAIL);
	for (size_t i = 0; i < r->try_count; i++) {
		if (is_of(&r->tries[i], road) &&
		    r->tries[i].err.reason != REASON_PROXY_FAILED)
			return false;
	}
	return true;
}

/* ROAD has been silent about two hosts at the least, and about all that are
 * known otherwise. */
static bool
is_dead(const struct survey_responder *list, size_t count,
    const struct survey_road *like)
{
	const char *first = NULL;
	bool several = false;

	for (size_t i = 0; i < count; i++) {
		const struct survey_road *road = find_road(&list[i], like);

		if (road == NULL || !is_known(&list[i]))
			continue;
		if (!is_silent(&list[i], road))
			return false;
		several = several ||
			  (first != NULL && strcmp(first, list[i].host) != 0);
		first = first == NULL ? list[i].host : first;
	}
	return several;
}

void
survey_mark_dead(struct survey_responder *responders, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < responders[i].road_count; k++) {
			struct survey_road *road = &responders[i].roads[k];

			road->is_dead = is_silent(&responders[i], road) &&
					is_dead(responders, count, road);
		}
	}
}
