/* SPDX-License-Identifier: ISC */
/* test_hosts_text.c -- servers/hosts_text: in and out again, to the octet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "servers/hosts_text.h"

static const char lines[] = "192.0.2.1 ocsp.test\n";
static const char others[] = "192.0.2.2 ocsp.test\n2001:db8::2 ocsp.test\n";

static struct span
of(const struct buf *buf)
{
	return (struct span){(const uint8_t *)buf_text(buf), buf->len};
}

static void
test_round_trip(void **state)
{
	static const struct {
		const char *name;
		const char *text;
		size_t len;
	} rows[] = {
	    {"empty", "", 0},
	    {"ordinary", "127.0.0.1 localhost\n", 20},
	    {"no newline at the end", "127.0.0.1 localhost", 19},
	    {"CRLF", "127.0.0.1 localhost\r\n::1 x\r\n", 28},
	    {"only a newline", "\n", 1},
	    {"empty lines at the end", "a\n\n\n", 4},
	    {"octets that are no text", "a\0b\xff\n", 5},
	    {"a mark within a line", "x # BEGIN oclasp hosts\n", 23},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct span text = {
		    (const uint8_t *)rows[i].text, rows[i].len};
		struct buf put, again, out;
		bool had = false;

		buf_init(&put, HOSTS_TEXT_MAX);
		buf_init(&again, HOSTS_TEXT_MAX);
		buf_init(&out, HOSTS_TEXT_MAX);
		assert_int_equal(hosts_text_put(text, lines, &put, NULL), 0);
		assert_memory_equal(put.text, rows[i].text, rows[i].len);
		assert_non_null(memmem(
		    put.text, put.len, "\n192.0.2.1 ocsp.test\n# END", 25));
		/* another block takes the place of the first */
		assert_int_equal(
		    hosts_text_put(of(&put), others, &again, NULL), 0);
		assert_null(
		    memmem(again.text, again.len, lines, strlen(lines)));
		assert_non_null(
		    memmem(again.text, again.len, others, strlen(others)));
		assert_int_equal(
		    hosts_text_remove(of(&again), &out, &had, NULL), 0);
		assert_true(had);
		if (!span_equal(of(&out), text))
			fail_msg("%s: not the same as before", rows[i].name);
		/* nothing to take out is nothing changed */
		buf_done(&out);
		assert_int_equal(hosts_text_remove(text, &out, &had, NULL), 0);
		assert_false(had);
		assert_true(span_equal(of(&out), text));
		buf_done(&put);
		buf_done(&again);
		buf_done(&out);
	}
}

static void
test_lines_behind_the_block(void **state)
{
	static const char text[] = "a\n# BEGIN oclasp hosts: x\nold\n"
				   "# END oclasp hosts\nb";
	struct buf out;
	bool had = false;

	(void)state;
	buf_init(&out, HOSTS_TEXT_MAX);
	assert_int_equal(hosts_text_put((struct span){(const uint8_t *)text,
					    sizeof(text) - 1},
			     lines, &out, NULL),
	    0);
	assert_memory_equal(out.text, "a\n# BEGIN oclasp hosts: made", 28);
	assert_non_null(
	    strstr(out.text, "192.0.2.1 ocsp.test\n# END oclasp hosts\nb"));
	assert_null(strstr(out.text, "old"));
	buf_done(&out);
	assert_int_equal(hosts_text_remove((struct span){(const uint8_t *)text,
					       sizeof(text) - 1},
			     &out, &had, NULL),
	    0);
	assert_string_equal(out.text, "a\nb");
	buf_done(&out);
}

/* What somebody has added behind a block that had to bring its newline is a line
 * of its own still. */
static void
test_lines_behind_a_newline_of_ours(void **state)
{
	static const char text[] = "127.0.0.1 localhost";
	struct buf put, out;
	bool had = false;

	(void)state;
	buf_init(&put, HOSTS_TEXT_MAX);
	buf_init(&out, HOSTS_TEXT_MAX);
	assert_int_equal(hosts_text_put((struct span){(const uint8_t *)text,
					    sizeof(text) - 1},
			     lines, &put, NULL),
	    0);
	buf_puts(&put, "10.0.0.1 db\n");
	assert_int_equal(hosts_text_remove(of(&put), &out, &had, NULL), 0);
	assert_true(had);
	assert_string_equal(out.text, "127.0.0.1 localhost\n10.0.0.1 db\n");
	buf_done(&put);
	buf_done(&out);
}

static void
test_confusion(void **state)
{
	static const char *const rows[] = {
	    "# BEGIN oclasp hosts\n",
	    "# END oclasp hosts\n",
	    "# END oclasp hosts\n# BEGIN oclasp hosts\n",
	    "# BEGIN oclasp hosts\n# BEGIN oclasp hosts\n# END oclasp hosts\n",
	    "# BEGIN oclasp hosts\n# END oclasp hosts\n# END oclasp hosts\n",
	    ("# BEGIN oclasp hosts\n# END oclasp hosts\n"
	     "# BEGIN oclasp hosts\n# END oclasp hosts\n"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct span text = {
		    (const uint8_t *)rows[i], strlen(rows[i])};
		struct err err = {0};
		struct buf out;
		bool had;

		buf_init(&out, HOSTS_TEXT_MAX);
		if (hosts_text_put(text, lines, &out, &err) != -1 ||
		    hosts_text_remove(text, &out, &had, NULL) != -1)
			fail_msg("%zu was taken", i);
		assert_int_equal(err.reason, REASON_FILE);
		buf_done(&out);
	}
}

static void
test_too_large(void **state)
{
	char *text = calloc(1, HOSTS_TEXT_MAX);
	struct err err = {0};
	struct buf out;

	(void)state;
	buf_init(&out, HOSTS_TEXT_MAX);
	assert_int_equal(
	    hosts_text_put((struct span){(uint8_t *)text, HOSTS_TEXT_MAX},
		lines, &out, &err),
	    -1);
	assert_int_equal(err.reason, REASON_FILE);
	buf_done(&out);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_round_trip),
	    cmocka_unit_test(test_lines_behind_the_block),
	    cmocka_unit_test(test_lines_behind_a_newline_of_ours),
	    cmocka_unit_test(test_confusion),
	    cmocka_unit_test(test_too_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
