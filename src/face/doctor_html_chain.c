/* SPDX-License-Identifier: ISC */
/* face/doctor_html_chain.c -- the CNAME chain, and who says what of it.
 *
 *   who        n0 -> n1 -> nk
 *   system     [ ]
 *   udp://...  [ ]   [ ]   [ ]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "doctor/names.h"
#include "doctor/picture.h"
#include "face/doctor_html.h"

enum {
	LEFT = 230, /* for who was asked */
	CELL = 250, /* width of a name's column */
	GAP = 34,   /* between them, for the arrow */
	HEAD = 52,  /* height of the chain */
	LINE = 17,  /* of text */
	LETTERS = 30,
	TEXTS_MAX = 5, /* lines in a cell */
	PARTIES_MAX = 48,
};

/* What one party says of one name. */
struct cell {
	const char *texts[TEXTS_MAX]; /* borrowed of facts or constant */
	const char *tones[TEXTS_MAX];
	size_t count, more; /* lines; addresses that found no room */
	bool asked, addresses, good, bad, odd;
};

struct drawing {
	struct buf *out;
	const struct picture *picture;
	const char *names[NAMES_CHAIN_MAX + 1];
	size_t name_count;
	const struct fact_question *parties[PARTIES_MAX];
	size_t party_count;
};

void
html_svg_text(struct buf *out, int x, int y, const char *tone, const char *text,
    size_t letters)
{
	char cut[FACT_TEXT];
	size_t len = strnlen(text, sizeof(cut));

	buf_printf(out, "<text x=\"%d\" y=\"%d\" class=\"%s\">", x, y, tone);
	if (len > letters && letters + 4 < sizeof(cut)) {
		/* never within a character */
		while (letters > 0 &&
		       ((unsigned char)text[letters] & 0xc0) == 0x80)
			letters--;
		(void)snprintf(cut, sizeof(cut), "%.*s", (int)letters, text);
		buf_html(out, cut);
		buf_puts(out, "…<title>");
		buf_html(out, text);
		buf_puts(out, "</title>");
	} else {
		buf_html(out, text);
	}
	buf_puts(out, "</text>");
}

const char *
html_tone(const struct picture *picture, const char *address)
{
	const struct seen_address *seen = picture_address(picture, address);

	if (seen == NULL || seen->state == ADDRESS_UNTRIED)
		return "plain";
	if (seen->state == ADDRESS_PROVEN)
		return "good";
	return seen->state == ADDRESS_FAILED ? "bad" : "care";
}

/* --- cells --- */

static void
add_line(struct cell *cell, const char *text, const char *tone)
{
	for (size_t i = 0; i < cell->count; i++) {
		if (strcmp(cell->texts[i], text) == 0)
			return;
	}
	if (cell->count == TEXTS_MAX) {
		cell->more++;
		return;
	}
	cell->texts[cell->count] = text;
	cell->tones[cell->count++] = tone;
}

static void
take_answer(const struct drawing *d, const struct fact_datagram *answer,
    const struct fact_question *q, struct cell *cell)
{
	if (q->party == PARTY_DARK) {
		add_line(cell, "answered, and is no resolver", "bad");
		cell->bad = true;
	}
	if (answer->wrong_type) {
		add_line(cell, "an address for TXT: impossible", "bad");
		cell->odd = true;
	}
	if (answer->malformed)
		add_line(cell, "malformed", "care");
	else if (answer->rcode == 3)
		add_line(cell, "NXDOMAIN", "care");
	else if (answer->rcode != 0)
		add_line(cell, "an error (rcode)", "care");
	else if (answer->truncated)
		add_line(cell, "truncated", "soft");
	for (size_t i = 0; i < answer->address_count; i++) {
		const char *tone = html_tone(d->picture, answer->addresses[i]);

		cell->addresses = true;
		cell->good = cell->good || strcmp(tone, "good") == 0;
		cell->bad = cell->bad || strcmp(tone, "bad") == 0;
		add_line(cell, answer->addresses[i], tone);
	}
}

static bool
same_party(const struct fact_question *a, const struct fact_question *b)
{
	return a->party == b->party && strcmp(a->asked, b->asked) == 0;
}

static void
fill_cell(const struct drawing *d, const struct fact_question *party,
    const char *name, struct cell *cell)
{
	const struct facts *facts = d->picture->facts;
	enum reason reason = REASON_NONE;

	*cell = (struct cell){0};
	for (size_t i = 0; i < facts->count; i++) {
		const struct fact *fact = &facts->items[i];
		const struct fact_question *q =
		    fact->kind == FACT_QUESTION ? &fact->u.question
		    : fact->kind == FACT_DATAGRAM
			? &facts->items[fact->u.datagram.question].u.question
			: NULL;

		if (q == NULL || !same_party(q, party) ||
		    strcasecmp(q->name, name) != 0)
			continue;
		cell->asked = true;
		if (fact->kind == FACT_QUESTION && q->answers == 0)
			reason = q->err.reason;
		if (fact->kind == FACT_DATAGRAM && !fact->u.datagram.elsewhere)
			take_answer(d, &fact->u.datagram, q, cell);
	}
	if (cell->count == 0 && cell->asked)
		add_line(cell,
		    reason == REASON_NONE            ? "no address"
		    : reason == REASON_DNS_NO_ANSWER ? "silent"
						     : reason_name(reason),
		    "soft");
}

static void
draw_cell(
    const struct drawing *d, const struct cell *cell, int x, int y, int height)
{
	const char *tone = cell->odd                 ? "bad"
			   : cell->good && cell->bad ? "care"
			   : cell->good              ? "good"
			   : cell->bad               ? "bad"
			   : cell->addresses         ? "plain"
						     : "none";

	if (!cell->asked)
		return;
	buf_printf(d->out,
	    "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"5\" "
	    "class=\"%s\"/>",
	    x, y, CELL, height, tone);
	for (size_t i = 0; i < cell->count; i++)
		html_svg_text(d->out, x + 10, y + 18 + (int)i * LINE,
		    cell->tones[i], cell->texts[i], LETTERS);
	if (cell->more > 0)
		buf_printf(d->out,
		    "<text x=\"%d\" y=\"%d\" class=\"soft\" "
		    "text-anchor=\"end\">+%zu</text>",
		    x + CELL - 8, y + height - 8, cell->more);
}

/* --- the whole --- */

static void
find_parties(struct drawing *d)
{
	const struct facts *facts = d->picture->facts;

	for (size_t i = 0; i < facts->count; i++) {
		const struct fact_question *q = &facts->items[i].u.question;
		bool known = d->party_count == PARTIES_MAX;

		if (facts->items[i].kind != FACT_QUESTION ||
		    (q->role != ROLE_RESPONDER && q->role != ROLE_CHAIN))
			continue;
		for (size_t k = 0; k < d->party_count; k++)
			known = known || same_party(d->parties[k], q);
		if (!known)
			d->parties[d->party_count++] = q;
	}
}

static void
draw_names(const struct drawing *d)
{
	for (size_t i = 0; i < d->name_count; i++) {
		int x = LEFT + (int)i * (CELL + GAP);

		buf_printf(d->out,
		    "<rect x=\"%d\" y=\"8\" width=\"%d\" height=\"30\" "
		    "rx=\"5\" class=\"box\"/>",
		    x, CELL);
		html_svg_text(d->out, x + 10, 28, "", d->names[i], LETTERS);
		if (i > 0)
			buf_printf(d->out,
			    "<path class=\"arrow\" d=\"M%d 23h%dm-7 -5l7 5l-7 "
			    "5\"><title>CNAME</title></path>",
			    x - GAP + 3, GAP - 6);
	}
}

static int
draw_party(const struct drawing *d, const struct fact_question *party, int y)
{
	struct cell cells[NAMES_CHAIN_MAX + 1];
	size_t lines = 1;
	int height;

	for (size_t i = 0; i < d->name_count; i++) {
		fill_cell(d, party, d->names[i], &cells[i]);
		if (cells[i].count > lines)
			lines = cells[i].count;
	}
	height = 10 + (int)lines * LINE;
	html_svg_text(d->out, 4, y + 18, "", party->asked, LETTERS);
	if (party->party == PARTY_DARK && lines > 1)
		html_svg_text(d->out, 4, y + 18 + LINE, "soft",
		    "(where no resolver is)", LETTERS);
	else if (party->party == PARTY_AUTHORITY && lines > 1)
		html_svg_text(d->out, 4, y + 18 + LINE, "soft",
		    "(the zone's own server)", LETTERS);
	for (size_t i = 0; i < d->name_count; i++)
		draw_cell(
		    d, &cells[i], LEFT + (int)i * (CELL + GAP), y, height);
	return y + height + 8;
}

void
html_chain(struct buf *out, const struct picture *picture, const char *host)
{
	struct drawing d = {.out = out, .picture = picture, .names = {host}};
	struct buf rows;
	int y = HEAD, width;

	d.name_count = 1 + names_chain(picture->facts, host, d.names + 1);
	find_parties(&d);
	if (d.party_count == 0)
		return;
	/* how high it is only the rows tell, and it comes first */
	buf_init(&rows, HTML_PAGE_MAX);
	d.out = &rows;
	draw_names(&d);
	for (size_t i = 0; i < d.party_count; i++)
		y = draw_party(&d, d.parties[i], y);
	width = LEFT + (int)d.name_count * (CELL + GAP) - GAP + 2;
	buf_puts(out, "<h2>the names, and who says what of them</h2><p "
		      "class=\"soft\"><span class=\"good\">green</span>: the "
		      "address gave a genuine response; <span class=\"bad\">red"
		      "</span>: it did not, or no honest server answers so; "
		      "<span class=\"plain\">blue</span>: not tried. That "
		      "answers differ is normal for a CDN.</p>"
		      "<div class=\"wide\">");
	buf_printf(out,
	    "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" "
	    "height=\"%d\" viewBox=\"0 0 %d %d\" role=\"img\" "
	    "aria-label=\"CNAME chain and answers\">",
	    width, y, width, y);
	buf_add(out, buf_text(&rows), rows.len);
	buf_puts(out, "</svg></div>\n");
	if (rows.full)
		out->full = true;
	buf_done(&rows);
}
