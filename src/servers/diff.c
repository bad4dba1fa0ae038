/* SPDX-License-Identifier: ISC */
/* servers/diff.c -- two texts as a unified diff.
 *
 * E. W. Myers, "An O(ND) Difference Algorithm and Its Variations", 1986: on
 * diagonal k = x - y, reach[k] is the largest x that d changes can reach.  The
 * reaches of every d are kept, so the way back can be walked.  Equal lines at
 * both ends are taken off first. */
#include "servers/diff.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "servers/grow.h"

/* A text as lines, each with its line feed. */
struct lines {
	struct span *items;
	size_t count;
};

/* What becomes of one line: ' ' stays, '-' goes, '+' comes. */
struct step {
	char kind;
	struct span line;
};

struct script {
	struct step *steps;
	size_t count;
};

static struct lines
split(const char *text)
{
	struct lines lines = {0};

	while (*text != '\0') {
		size_t len = strcspn(text, "\n");

		len += text[len] == '\n';
		lines.items =
		    grow(lines.items, lines.count, sizeof(*lines.items));
		lines.items[lines.count++] =
		    (struct span){.at = (const uint8_t *)text, .len = len};
		text += len;
	}
	return lines;
}

static void
add(struct script *script, char kind, struct span line)
{
	script->steps =
	    grow(script->steps, script->count, sizeof(*script->steps));
	script->steps[script->count++] = (struct step){kind, line};
}

static void
add_all(struct script *script, char kind, const struct lines *lines,
    size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		add(script, kind, lines->items[i]);
}

/* The middle parts of both texts, after equal ends are off. */
struct middle {
	const struct span *a, *b;
	int n, m;
	int *reach; /* DIFF_CHANGES_MAX + 1 rows; row d has 2 d + 1 places */
};

/* Row D, whose diagonal k is at [k + D]. */
static int *
row(const struct middle *middle, int d)
{
	return middle->reach + (size_t)d * (size_t)d;
}

/* Where D changes may begin on diagonal K: from K + 1 by a line of b, or from
 * K - 1 by a line of a; *DOWN tells which. */
static int
begin(const struct middle *middle, int d, int k, bool *down)
{
	const int *last = d == 0 ? NULL : row(middle, d - 1) + (d - 1);

	*down = true;
	if (d == 0)
		return 0;
	*down = k == -d || (k != d && last[k - 1] < last[k + 1]);
	return *down ? last[k + 1] : last[k - 1] + 1;
}

/* Fill the rows until the ends meet; the number of changes, or -1 if they are
 * too many. */
static int
search(struct middle *middle)
{
	bool down;

	for (int d = 0; d <= DIFF_CHANGES_MAX; d++) {
		for (int k = -d; k <= d; k += 2) {
			int x = begin(middle, d, k, &down);

			while (x < middle->n && x - k >= 0 &&
			       x - k < middle->m &&
			       span_equal(middle->a[x], middle->b[x - k]))
				x++;
			row(middle, d)[k + d] = x;
			if (x >= middle->n && x - k >= middle->m)
				return d;
		}
	}
	return -1;
}

/* Walk back from the end; the steps come out in reverse. */
static void
walk_back(const struct middle *middle, int changes, struct script *out)
{
	int x = middle->n, y = middle->m;

	for (int d = changes; d >= 0; d--) {
		bool down;
		int start = begin(middle, d, x - y, &down);

		for (; x > start; x--, y--)
			add(out, ' ', middle->a[x - 1]);
		if (d == 0)
			break;
		if (down)
			add(out, '+', middle->b[--y]);
		else
			add(out, '-', middle->a[--x]);
	}
}

static void
add_middle(struct script *script, const struct lines *before,
    const struct lines *after, size_t head, size_t tail)
{
	/* an empty file has no items at all: no arithmetic on NULL */
	struct middle middle = {
	    .a = before->count == 0 ? NULL : before->items + head,
	    .b = after->count == 0 ? NULL : after->items + head,
	    .n = (int)(before->count - head - tail),
	    .m = (int)(after->count - head - tail),
	};
	struct script back = {0};
	size_t rows = DIFF_CHANGES_MAX + 1;
	int changes;

	middle.reach = mem_array(rows * rows, sizeof(*middle.reach));
	changes = search(&middle);
	if (changes == -1) {
		add_all(script, '-', before, head, before->count - tail);
		add_all(script, '+', after, head, after->count - tail);
	} else {
		walk_back(&middle, changes, &back);
		for (size_t i = back.count; i > 0; i--)
			add(script, back.steps[i - 1].kind,
			    back.steps[i - 1].line);
	}
	free(back.steps);
	free(middle.reach);
}

static void
compare(struct script *script, const struct lines *before,
    const struct lines *after)
{
	size_t least =
	    before->count < after->count ? before->count : after->count;
	size_t head = 0, tail = 0;

	while (
	    head < least && span_equal(before->items[head], after->items[head]))
		head++;
	while (tail < least - head &&
	       span_equal(before->items[before->count - 1 - tail],
		   after->items[after->count - 1 - tail]))
		tail++;
	add_all(script, ' ', before, 0, head);
	add_middle(script, before, after, head, tail);
	add_all(script, ' ', before, before->count - tail, before->count);
}

static void
write_line(struct buf *out, const struct step *step)
{
	buf_add(out, &step->kind, 1);
	buf_add(out, step->line.at, step->line.len);
	if (step->line.at[step->line.len - 1] != '\n')
		buf_puts(out, "\n\\ No newline at end of file\n");
}

/* Steps FROM..TO as one hunk that begins at lines OLD and NEW, 0-based. */
static void
write_hunk(struct buf *out, const struct script *script, size_t from, size_t to,
    size_t old, size_t new)
{
	size_t old_count = 0, new_count = 0;

	for (size_t i = from; i < to; i++) {
		old_count += script->steps[i].kind != '+';
		new_count += script->steps[i].kind != '-';
	}
	/* An empty side is numbered by the line before it. */
	buf_printf(out, "@@ -%zu,%zu +%zu,%zu @@\n", old + (old_count > 0),
	    old_count, new + (new_count > 0), new_count);
	for (size_t i = from; i < to; i++)
		write_line(out, &script->steps[i]);
}

/* Behind the changes at FROM and all that are so near that their contexts
 * touch. */
static size_t
hunk_end(const struct script *script, size_t from)
{
	size_t last = from; /* a change */

	for (size_t i = from; i < script->count; i++) {
		if (script->steps[i].kind != ' ')
			last = i;
		else if (i - last > 2 * (size_t)DIFF_CONTEXT)
			break;
	}
	last += 1 + DIFF_CONTEXT;
	return last < script->count ? last : script->count;
}

static void
write_hunks(struct buf *out, const struct script *script)
{
	size_t old = 0, new = 0; /* lines before step `at` */
	size_t at = 0;

	for (size_t i = 0; i < script->count; i++) {
		size_t from, end;

		if (script->steps[i].kind == ' ')
			continue;
		from = i - at > (size_t)DIFF_CONTEXT ? i - DIFF_CONTEXT : at;
		end = hunk_end(script, i);
		old += from - at; /* unchanged lines only */
		new += from - at;
		write_hunk(out, script, from, end, old, new);
		for (at = from; at < end; at++) {
			old += script->steps[at].kind != '+';
			new += script->steps[at].kind != '-';
		}
		i = end - 1;
	}
}

char *
diff_unified(const char *path, const char *before, const char *after)
{
	struct lines a, b;
	struct script script = {0};
	struct buf out;
	const char *end = strpbrk(path, " \t") == NULL ? "" : "\t";

	if (strcmp(before, after) == 0)
		return mem_string("");
	buf_init(&out, SIZE_MAX - 1); /* no more than both texts and marks */
	a = split(before);
	b = split(after);
	compare(&script, &a, &b);
	/* patch(1) takes a name with blanks up to the tab. */
	buf_printf(&out, "--- %s%s\n+++ %s%s\n", path, end, path, end);
	write_hunks(&out, &script);
	free(script.steps);
	free(a.items);
	free(b.items);
	return buf_take(&out);
}
