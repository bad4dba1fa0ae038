/* SPDX-License-Identifier: ISC */
/* servers/hosts_text.c -- our block in the text of a hosts file. */
#include "servers/hosts_text.h"

#include <string.h>

#include "base/err.h"

static const char begin_mark[] = "# BEGIN oclasp hosts";
static const char end_mark[] = "# END oclasp hosts";
/* said in the first line where the newline in front of the block is ours,
 * since the last line had none */
static const char own_newline[] = "# BEGIN oclasp hosts (and its newline)";
static const char note[] = ": made by `oclasp hosts`, do not edit\n";

/* Where the block stands in a text: from `at`, LEN octets; 0: nowhere. */
struct block {
	size_t at, len;
	bool newline; /* the one in front is ours */
};

static bool
starts(struct span text, size_t at, const char *mark)
{
	size_t len = strlen(mark);

	return text.len - at >= len && memcmp(text.at + at, mark, len) == 0;
}

/* The octet behind the line at AT. */
static size_t
line_end(struct span text, size_t at)
{
	const uint8_t *end = memchr(text.at + at, '\n', text.len - at);

	return end == NULL ? text.len : (size_t)(end - text.at) + 1;
}

static int
confused(const char *what, struct err *err)
{
	return err_set(err, REASON_FILE,
	    "the hosts file has %s: put its '%s' and '%s' lines in order by "
	    "hand",
	    what, begin_mark, end_mark);
}

static int
find(struct span text, struct block *out, struct err *err)
{
	struct block block = {0};
	bool open = false;

	for (size_t at = 0; at < text.len; at = line_end(text, at)) {
		if (starts(text, at, begin_mark)) {
			if (open || block.len > 0)
				return confused("two blocks of oclasp", err);
			open = true;
			block.newline = starts(text, at, own_newline) &&
					at > 0 && text.at[at - 1] == '\n';
			block.at = block.newline ? at - 1 : at;
		} else if (starts(text, at, end_mark)) {
			if (!open)
				return confused("an end of oclasp's block "
						"without its beginning",
				    err);
			open = false;
			block.len = line_end(text, at) - block.at;
		}
	}
	if (open)
		return confused("a block of oclasp without its end", err);
	*out = block;
	return 0;
}

static void
add_block(struct buf *out, const char *lines, bool newline)
{
	if (newline)
		buf_puts(out, "\n");
	buf_puts(out, newline ? own_newline : begin_mark);
	buf_puts(out, note);
	buf_puts(out, lines);
	buf_puts(out, end_mark);
	buf_puts(out, "\n");
}

static int
check_full(const struct buf *out, struct err *err)
{
	if (!out->full)
		return 0;
	return err_set(err, REASON_FILE,
	    "the hosts file would have more than %d bytes", HOSTS_TEXT_MAX);
}

int
hosts_text_put(
    struct span text, const char *lines, struct buf *out, struct err *err)
{
	struct block block;

	if (find(text, &block, err) == -1)
		return -1;
	if (block.len == 0) {
		block.at = text.len;
		block.newline = text.len > 0 && text.at[text.len - 1] != '\n';
	}
	if (text.len > 0)
		buf_add(out, text.at, block.at);
	add_block(out, lines, block.newline);
	if (block.at + block.len < text.len)
		buf_add(out, text.at + block.at + block.len,
		    text.len - block.at - block.len);
	return check_full(out, err);
}

int
hosts_text_remove(struct span text, struct buf *out, bool *had, struct err *err)
{
	struct block block;

	if (find(text, &block, err) == -1)
		return -1;
	*had = block.len > 0;
	if (block.at > 0)
		buf_add(out, text.at, block.at);
	if (block.at + block.len < text.len) {
		/* what was added behind it needs that newline */
		if (block.newline)
			buf_puts(out, "\n");
		buf_add(out, text.at + block.at + block.len,
		    text.len - block.at - block.len);
	}
	return check_full(out, err);
}

char *
hosts_text_block(const char *lines)
{
	struct buf out;

	buf_init(&out, HOSTS_TEXT_MAX);
	add_block(&out, lines, false);
	return buf_take(&out);
}
