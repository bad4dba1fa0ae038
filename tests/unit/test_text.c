/* SPDX-License-Identifier: ISC */
/* test_text.c -- base/text, base/mem and base/err: bytes, numbers, and text
 * that is fit to be shown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"

static void
test_buf(void **state)
{
	struct buf buf;
	char *taken;

	(void)state;
	buf_init(&buf, 8);
	assert_string_equal("", buf_text(&buf));
	buf_puts(&buf, "abc");
	buf_printf(&buf, "%d", 45);
	assert_string_equal("abc45", buf_text(&buf));
	assert_false(buf.full);
	buf_puts(&buf, "678");
	assert_false(buf.full); /* exactly */
	buf_add(&buf, NULL, 0);
	assert_false(buf.full);
	buf_puts(&buf, "9");
	assert_true(buf.full);
	assert_string_equal("abc45678", buf_text(&buf));
	assert_int_equal(8, buf.len);
	taken = buf_take(&buf);
	assert_string_equal("abc45678", taken);
	free(taken);
	assert_int_equal(0, buf.len);
	assert_false(buf.full);
	buf_puts(&buf, "0123456789");
	assert_true(buf.full);
	assert_string_equal("01234567", buf_text(&buf));
	buf_done(&buf);
	assert_int_equal(8, buf.max);
	taken = buf_take(&buf);
	assert_string_equal("", taken);
	free(taken);

	buf_init(&buf, 0);
	buf_add(&buf, "x", 1);
	assert_true(buf.full);
	assert_string_equal("", buf_text(&buf));
	buf_done(&buf);
}

static void
test_span_hex_prefix(void **state)
{
	static const uint8_t bytes[] = {0x00, 0x0f, 0xa5, 0xff};
	struct span a = {bytes, 4}, b = {bytes, 3}, none = {NULL, 0};
	char *hex = text_hex(bytes, sizeof(bytes));

	(void)state;
	assert_string_equal("000fa5ff", hex);
	free(hex);
	hex = text_hex(NULL, 0);
	assert_string_equal("", hex);
	free(hex);
	assert_true(span_equal(a, a));
	assert_false(span_equal(a, b));
	assert_false(span_equal(a, none));
	assert_true(span_equal(none, none));
	assert_true(text_starts("abc", "ab"));
	assert_true(text_starts("abc", ""));
	assert_false(text_starts("a", "ab"));
	assert_false(text_starts("xab", "ab"));
}

static void
test_number(void **state)
{
	static const struct {
		const char *text;
		int64_t min, max, value;
		bool good;
	} rows[] = {
	    {"0", 0, 9, 0, true},
	    {"9", 0, 9, 9, true},
	    {"007", 0, 9, 7, true},
	    {"-5", -5, 5, -5, true},
	    {"9223372036854775807", 0, INT64_MAX, INT64_MAX, true},
	    {"-9223372036854775808", INT64_MIN, 0, INT64_MIN, true},
	    {"10", 0, 9, 0, false},
	    {"-1", 0, 9, 0, false},
	    {"9223372036854775808", 0, INT64_MAX, 0, false},
	    {"99999999999999999999", 0, INT64_MAX, 0, false},
	    {"", 0, 9, 0, false},
	    {"-", -9, 9, 0, false},
	    {"--1", -9, 9, 0, false},
	    {"+1", 0, 9, 0, false},
	    {" 1", 0, 9, 0, false},
	    {"1 ", 0, 9, 0, false},
	    {"- 1", -9, 9, 0, false},
	    {"1x", 0, 9, 0, false},
	    {"0x1", 0, 9, 0, false},
	    {"1.0", 0, 9, 0, false},
	    {"1e1", 0, 99, 0, false},
	    {"x", 0, 9, 0, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int64_t value = 4711;
		bool good =
		    text_number(rows[i].text, rows[i].min, rows[i].max, &value);

		if (good != rows[i].good ||
		    value != (good ? rows[i].value : 4711))
			fail_msg("'%s': %d %lld", rows[i].text, good,
			    (long long)value);
	}
}

static const struct {
	const char *dirty, *clean;
} texts[] = {
    {"", ""},
    {"plain ASCII ~", "plain ASCII ~"},
    {"b\303\274cher", "b\303\274cher"},
    {"\342\202\254", "\342\202\254"},
    {"\360\237\224\222", "\360\237\224\222"},
    {"\364\217\277\277", "\364\217\277\277"}, /* U+10FFFF */
    {"\302\240", "\302\240"},                 /* the first behind C1 */
    {"a\nb\tc\rd", "a?b?c?d"},
    {"\033[31mred", "?[31mred"},
    {"\177", "?"},
    {"\302\233"
     "31m",
	"??31m"}, /* U+009B, which is ESC [ in one */
    {"\302\200", "??"},
    {"\302\237", "??"},
    {"\233", "?"},                /* the same in Latin-1 */
    {"\374ber", "?ber"},          /* Latin-1 */
    {"\300\257", "??"},           /* overlong '/' */
    {"\301\277", "??"},           /* overlong */
    {"\340\237\277", "???"},      /* overlong */
    {"\360\217\277\277", "????"}, /* overlong */
    {"\355\240\200", "???"},      /* surrogate */
    {"\364\220\200\200", "????"}, /* too high */
    {"\365\200\200\200", "????"}, /* too high */
    {"\200", "?"},                /* a continuation alone */
    {"\303", "?"},                /* cut */
    {"\342\202", "??"},           /* cut */
    {"\360\237\224", "???"},      /* cut */
    {"\342\202x", "??x"},
    {"\303\303\274", "?\303\274"},
};

static void
test_clean(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		char *exact = strdup(texts[i].dirty);
		char *copy = text_printable(texts[i].dirty);
		json_t *json;

		text_clean(exact);
		if (strcmp(exact, texts[i].clean) != 0 ||
		    strcmp(copy, exact) != 0)
			fail_msg("row %zu: '%s'", i, exact);
		json = json_string(exact); /* checks UTF-8 by itself */
		assert_non_null(json);
		json_decref(json);
		free(exact);
		free(copy);
	}
}

/* RFC 5280 allows any UTF-8 in a common name; tables are to stay straight. */
static void
test_columns(void **state)
{
	static const struct {
		const char *text;
		size_t columns;
	} rows[] = {
	    {"", 0}, {"a.test", 6}, {"b\303\274cher", 6},
	    {"\345\206\205\347\275\221 a", 6}, /* two ideographs */
	    {"e\314\201", 1},                  /* a combining accent */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (text_columns(rows[i].text) != rows[i].columns)
			fail_msg("row %zu: %zu columns", i,
			    text_columns(rows[i].text));
	}
}

static void
test_err(void **state)
{
	struct err err = {0};
	char name[ERR_TEXT * 2];

	(void)state;
	assert_int_equal(-1, err_set(&err, REASON_FILE, "%s is %d", "x", 7));
	assert_int_equal(REASON_FILE, err.reason);
	assert_string_equal("x is 7", err.text);
	assert_int_equal(-1, err_set(&err, REASON_USAGE, "later"));
	assert_int_equal(REASON_FILE, err.reason);
	assert_string_equal("x is 7", err.text);
	err_clear(&err);
	assert_int_equal(REASON_NONE, err.reason);
	assert_string_equal("", err.text);
	assert_int_equal(-1, err_set(NULL, REASON_FILE, "nobody listens"));
	(void)err_set(&err, REASON_FILE, "'%s'", "a\nb\033[0m\302\233c");
	assert_string_equal("'a?b?[0m??c'", err.text);
	/* a name that is cut within a character is JSON still */
	for (size_t shift = 0; shift < 3; shift++) {
		json_t *json;

		memset(name, 'a', shift);
		for (size_t i = shift; i + 3 < sizeof(name); i += 3)
			memcpy(name + i, "\342\202\254", 4);
		err_clear(&err);
		(void)err_set(&err, REASON_FILE, "%s", name);
		assert_int_equal(ERR_TEXT - 1, strlen(err.text));
		json = json_string(err.text);
		assert_non_null(json);
		json_decref(json);
	}
}

static void
test_mem(void **state)
{
	char *text, *copy;
	int *numbers;

	(void)state;
	assert_null(mem_string(NULL));
	text = mem_string("x");
	assert_string_equal("x", text);
	free(text);
	text = mem_printf("%s-%d", "a", 1);
	assert_string_equal("a-1", text);
	free(text);
	copy = mem_copy(NULL, 0);
	assert_non_null(copy);
	free(copy);
	numbers = mem_array(3, sizeof(*numbers));
	assert_int_equal(0, numbers[2]);
	numbers = mem_resize(numbers, 0, sizeof(*numbers));
	assert_non_null(numbers);
	free(numbers);
}

static void
test_html(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
	    {"plain", "plain"},
	    {"", ""},
	    {"<b>", "&lt;b&gt;"},
	    {"a & b", "a &amp; b"},
	    {"&amp;", "&amp;amp;"},
	    {"\"x'", "&quot;x&#39;"},
	    {"\x1b[0m", "?[0m"},
	    {"\xff", "?"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf buf;

		buf_init(&buf, 64);
		buf_html(&buf, rows[i].text);
		assert_string_equal(buf_text(&buf), rows[i].want);
		buf_done(&buf);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_html),
	    cmocka_unit_test(test_buf),
	    cmocka_unit_test(test_span_hex_prefix),
	    cmocka_unit_test(test_number),
	    cmocka_unit_test(test_clean),
	    cmocka_unit_test(test_columns),
	    cmocka_unit_test(test_err),
	    cmocka_unit_test(test_mem),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
