/* SPDX-License-Identifier: ISC */
/* servers/nginx_insert.c -- words put into a configuration file. */
#include "servers/nginx_insert.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "servers/grow.h"

enum { AFTER_MAX = 64 << 20 }; /* bytes of a file with insertions */

static const char mark[] = "# oclasp: ";

static void
insert(struct nginx_inserts *list, size_t at, enum nginx_insert_order order,
    char *take_text)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct nginx_insert *known = &list->items[i];

		if (known->at == at && known->order == order &&
		    strcmp(known->text, take_text) == 0) {
			free(take_text);
			return;
		}
	}
	list->items = grow(list->items, list->count, sizeof(*list->items));
	list->items[list->count++] =
	    (struct nginx_insert){at, order, take_text};
}

static size_t
line_start(const struct nginx_file *file, size_t at)
{
	while (at > 0 && file->text[at - 1] != '\n')
		at--;
	return at;
}

/* Where its line feed is, or the end of the file. */
static size_t
line_end(const struct nginx_file *file, size_t at)
{
	while (at < file->len && file->text[at] != '\n')
		at++;
	return at;
}

static size_t
skip_blanks(const struct nginx_file *file, size_t at)
{
	while (
	    at < file->len && (file->text[at] == ' ' || file->text[at] == '\t'))
		at++;
	return at;
}

/* The blanks at the beginning of the line that AT is in; owned. */
static char *
indentation(const struct nginx_file *file, size_t at)
{
	size_t start = line_start(file, at);
	size_t end = skip_blanks(file, start);

	if (end > at)
		end = at;
	return mem_printf("%.*s", (int)(end - start), file->text + start);
}

/* How this file ends its lines: as the line of AT, else as its first. */
static const char *
ending(const struct nginx_file *file, size_t at)
{
	size_t end = line_end(file, at);

	if (end == file->len)
		end = line_end(file, 0);
	if (end == file->len || end == 0 || file->text[end - 1] != '\r')
		return "\n";
	return "\r\n";
}

/* True if nothing but a comment is on the line from AT on. */
static bool
ends_line(const struct nginx_file *file, size_t at)
{
	at = skip_blanks(file, at);
	if (at < file->len && file->text[at] == '\r')
		at++; /* a lone one is a blank to nginx, not a line's end */
	return at == file->len || file->text[at] == '\n' ||
	       file->text[at] == '#';
}

void
nginx_insert_behind(struct nginx_inserts *list, const struct nginx_file *file,
    const struct nginx_directive *directive, const char *words)
{
	size_t end = line_end(file, directive->end);
	const char *eol = ending(file, directive->end);
	char *indent;

	if (!ends_line(file, directive->end)) {
		insert(list, directive->end, INSERT_BEHIND,
		    mem_printf(" %s", words));
		return;
	}
	indent = indentation(file, directive->start);
	if (end == file->len)
		insert(list, end, INSERT_BEHIND,
		    mem_printf("%s%s%s", eol, indent, words));
	else
		insert(list, end + 1, INSERT_BEHIND,
		    mem_printf("%s%s%s", indent, words, eol));
	free(indent);
}

/* That of the first directive of BLOCK which begins its line. */
static char *
inner_indentation(
    const struct nginx_file *file, const struct nginx_directive *block)
{
	char *outer, *inner;

	for (size_t i = 0; i < block->child_count; i++) {
		size_t at = block->children[i].start;

		if (skip_blanks(file, line_start(file, at)) == at)
			return indentation(file, at);
	}
	outer = indentation(file, block->end - 1);
	inner = mem_printf("%s    ", outer);
	free(outer);
	return inner;
}

void
nginx_insert_last(struct nginx_inserts *list, const struct nginx_file *file,
    const struct nginx_directive *block, const char *words)
{
	size_t brace = block->end - 1;
	size_t start = line_start(file, brace);
	char *indent;

	if (skip_blanks(file, start) != brace) {
		insert(list, brace, INSERT_LAST, mem_printf(" %s ", words));
		return;
	}
	indent = inner_indentation(file, block);
	insert(list, start, INSERT_LAST,
	    mem_printf("%s%s%s", indent, words, ending(file, start)));
	free(indent);
}

void
nginx_insert_comment(struct nginx_inserts *list, const struct nginx_file *file,
    const struct nginx_directive *directive)
{
	char *indent;

	insert(list, directive->start, INSERT_COMMENT, mem_string(mark));
	/* A directive may go over many lines. */
	for (size_t at = directive->start; at < directive->end; at++) {
		if (file->text[at] == '\n')
			insert(list, at + 1, INSERT_COMMENT, mem_string(mark));
	}
	/* What follows on its line is not to become a comment too. */
	if (ends_line(file, directive->end))
		return;
	indent = indentation(file, directive->start);
	insert(list, directive->end, INSERT_BREAK,
	    mem_printf("%s%s", ending(file, directive->end), indent));
	free(indent);
}

static int
compare(const void *left, const void *right)
{
	const struct nginx_insert *a = left, *b = right;

	if (a->at != b->at)
		return a->at < b->at ? -1 : 1;
	if (a->order != b->order)
		return a->order < b->order ? -1 : 1;
	return strcmp(a->text, b->text);
}

char *
nginx_insert_apply(struct nginx_inserts *list, const struct nginx_file *file)
{
	struct buf out;
	size_t at = 0;

	buf_init(&out, AFTER_MAX);
	if (list->count > 0)
		qsort(list->items, list->count, sizeof(*list->items), compare);
	for (size_t i = 0; i < list->count; i++) {
		buf_add(&out, file->text + at, list->items[i].at - at);
		buf_puts(&out, list->items[i].text);
		at = list->items[i].at;
		free(list->items[i].text);
	}
	buf_add(&out, file->text + at, file->len - at);
	free(list->items);
	*list = (struct nginx_inserts){0};
	return buf_take(&out);
}
