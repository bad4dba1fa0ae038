/* SPDX-License-Identifier: ISC */
/* face/doctor_html_time.c -- each question as a line, each answer as a dot.
 *
 * Time runs from the question on, in powers of ten: a forger is first by
 * milliseconds, the genuine answer comes after hundreds. */
#include <stdio.h>
#include <string.h>

#include "doctor/picture.h"
#include "face/doctor_html.h"

enum {
	LANES_MAX = 120,
	LANE = 20, /* height */
	LEFT = 390,
	DECADE = 90, /* width of a power of ten */
	DECADES = 4, /* 1 ms to 10 s */
	RIGHT = LEFT + DECADES * DECADE,
	WIDTH = RIGHT + 420,
	HEAD = 30,
	NAME_LETTERS = 52,
	SAYS_LETTERS = 56,
	SAYS = 512,
	LINE = 1024,
};

/* Where MS is: the logarithm, drawn straight between powers of ten. */
static int
place(int64_t ms)
{
	int x = LEFT;
	int64_t from = 1;

	if (ms <= 1)
		return x;
	for (int i = 0; i < DECADES; i++) {
		int64_t to = from * 10;

		if (ms < to) {
			/* 1 2 3 5 10: their logarithms, in hundredths */
			static const int logs[] = {
			    0, 0, 30, 48, 60, 70, 78, 85, 90, 95, 100};
			int64_t first = ms / from;
			int64_t rest = (ms % from) * 100 / from;
			int low = logs[first], high = logs[first + 1];

			return x + (low + (int)(rest * (high - low) / 100)) *
				       DECADE / 100;
		}
		from = to;
		x += DECADE;
	}
	return RIGHT;
}

static const char *
type_text(const struct fact_question *q)
{
	return q->party == PARTY_SYSTEM ? "addresses" : dns_type_name(q->type);
}

static const char *
dot_tone(const struct picture *picture, const struct fact_datagram *d,
    const struct fact_question *q)
{
	const char *tone = "plain";

	if (d->wrong_type || d->elsewhere || d->malformed ||
	    q->party == PARTY_DARK)
		return "bad";
	for (size_t i = 0; i < d->address_count; i++) {
		const char *this = html_tone(picture, d->addresses[i]);

		if (strcmp(this, "good") == 0)
			return this;
		if (strcmp(this, "plain") != 0)
			tone = this;
	}
	return tone;
}

static void
draw_dot(struct buf *out, const struct picture *picture, size_t index,
    const struct fact *question, int y)
{
	const struct facts *facts = picture->facts;
	const struct fact *fact = &facts->items[index];
	int64_t ms = fact->at_ms - question->at_ms;
	char line[LINE];

	doctor_report_fact(facts, index, line, sizeof(line));
	buf_printf(out,
	    "<circle cx=\"%d\" cy=\"%d\" r=\"5\" class=\"%s\"><title>",
	    place(ms), y,
	    dot_tone(picture, &fact->u.datagram, &question->u.question));
	buf_printf(out, "[%zu] after %lld ms: ", index + 1, (long long)ms);
	buf_html(out, line);
	buf_puts(out, "</title></circle>");
}

/* "34 ms 192.0.2.1, no EDNS" into OUT of SIZE, behind what is there. */
static void
say_answer(const struct fact_datagram *d, const struct fact_question *q,
    int64_t ms, char *out, size_t size)
{
	size_t len = strlen(out);

	(void)snprintf(out + len, size - len, "%s%lld ms %s%s%s",
	    len == 0 ? "" : "; ", (long long)ms,
	    d->malformed           ? "malformed"
	    : d->address_count > 0 ? d->addresses[0]
	    : d->rcode == 3        ? "NXDOMAIN"
	    : d->rcode != 0        ? "an error"
	    : d->chain_length > 0  ? "a CNAME"
				   : "no address",
	    d->address_count > 1 ? " ..." : "",
	    d->edns || q->party == PARTY_SYSTEM ? "" : ", no EDNS");
}

static void
draw_lane(struct buf *out, const struct picture *picture, size_t index, int y)
{
	const struct facts *facts = picture->facts;
	const struct fact *question = &facts->items[index];
	const struct fact_question *q = &question->u.question;
	char name[RESOLVER_URL_TEXT + FACT_NAME_TEXT + 32], says[SAYS] = "";

	(void)snprintf(name, sizeof(name), "%s %s %s%s%s", q->asked,
	    type_text(q), q->name, q->cd ? " CD=1" : "",
	    q->no_rd ? " RD=0" : "");
	html_svg_text(out, 4, y + 4, "", name, NAME_LETTERS);
	buf_printf(out, "<path class=\"line\" d=\"M%d %dH%d\"/>", LEFT, y,
	    place(q->elapsed_ms));
	for (size_t i = index + 1; i < facts->count; i++) {
		const struct fact *fact = &facts->items[i];

		if (fact->kind != FACT_DATAGRAM ||
		    fact->u.datagram.question != index)
			continue;
		draw_dot(out, picture, i, question, y);
		say_answer(&fact->u.datagram, q, fact->at_ms - question->at_ms,
		    says, sizeof(says));
	}
	html_svg_text(out, RIGHT + 12, y + 4, says[0] == '\0' ? "soft" : "",
	    says[0] != '\0'                ? says
	    : q->err.reason == REASON_NONE ? "nothing"
					   : reason_name(q->err.reason),
	    SAYS_LETTERS);
}

static bool
is_shown(const struct fact *fact)
{
	const struct fact_question *q = &fact->u.question;

	return fact->kind == FACT_QUESTION &&
	       (q->repeat == 0 || q->answers > 1) &&
	       (q->answers > 0 || q->role == ROLE_RESPONDER ||
		   q->role == ROLE_CHAIN || q->role == ROLE_CONTROL);
}

static void
draw_axis(struct buf *out, int height)
{
	static const char *const marks[] = {"1 ms", "10", "100", "1 s", "10 s"};

	for (int i = 0; i <= DECADES; i++) {
		int x = LEFT + i * DECADE;

		buf_printf(out,
		    "<path class=\"line\" d=\"M%d %dV%d\"/><text x=\"%d\" "
		    "y=\"16\" class=\"soft\" text-anchor=\"middle\">%s</text>",
		    x, HEAD - 8, height, x, marks[i]);
	}
}

void
html_timeline(struct buf *out, const struct picture *picture)
{
	const struct facts *facts = picture->facts;
	size_t shown = 0, all = 0;
	int height, y = HEAD + 6;

	for (size_t i = 0; i < facts->count; i++) {
		all += facts->items[i].kind == FACT_QUESTION;
		shown += is_shown(&facts->items[i]);
	}
	if (shown == 0)
		return;
	if (shown > LANES_MAX)
		shown = LANES_MAX;
	height = HEAD + (int)shown * LANE + 6;
	buf_printf(out,
	    "<h2>the datagrams, in time</h2><p class=\"soft\">Each line is a "
	    "question, each dot an answer, so many milliseconds after it. Two "
	    "answers to one question that contradict each other are something "
	    "that no honest network does. %zu of %zu questions.</p><div "
	    "class=\"wide\"><svg xmlns=\"http://www.w3.org/2000/svg\" "
	    "width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" role=\"img\" "
	    "aria-label=\"timeline of answers\">",
	    shown, all, WIDTH, height, WIDTH, height);
	draw_axis(out, height);
	for (size_t i = 0; i < facts->count && shown > 0; i++) {
		if (!is_shown(&facts->items[i]))
			continue;
		draw_lane(out, picture, i, y);
		y += LANE;
		shown--;
	}
	buf_puts(out, "</svg></div>\n");
}
