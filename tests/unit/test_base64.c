/* SPDX-License-Identifier: ISC */
/* test_base64.c -- base/base64: RFC 4648 and nothing beside it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/base64.h"

static void
test_vectors(void **state)
{
	/* RFC 4648, section 10 */
	static const char *const rows[][2] = {{"", ""}, {"f", "Zg=="},
	    {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="},
	    {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"},
	    {"\xff\xef", "/+8="}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t len = strlen(rows[i][0]), got = 99;
		char *text = base64_write((const uint8_t *)rows[i][0], len);
		uint8_t *back = NULL;

		assert_string_equal(text, rows[i][1]);
		assert_true(base64_read(text, strlen(text), &back, &got));
		assert_int_equal(got, len);
		assert_memory_equal(back, rows[i][0], len);
		free(back);
		free(text);
	}
}

static void
test_refusals(void **state)
{
	static const char *const rows[] = {"Z", "Zg",
	    "Zg=", "Zg===", "====", "=g==", "Z=g=", "Zh==", "Zm9=", "Zm9v\n",
	    " Zm9", "Zm-v", "Zm_v", "Zg==Zg==", "Zm9vZ", "Zm\xc3\xa9"};
	uint8_t *out = NULL;
	size_t len = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (base64_read(rows[i], strlen(rows[i]), &out, &len))
			fail_msg("'%s' was taken", rows[i]);
	}
	assert_false(base64_read("Zm\0v", 4, &out, &len));
	assert_null(out);
	assert_int_equal(len, 7);
}

static void
test_lines(void **state)
{
	static const struct {
		const char *text, *back; /* NULL: refused */
	} rows[] = {{"Zm9v\r\nYg==\r\n", "foob"}, {" Z m\t8 =\n", "fo"},
	    {"\n\n", ""}, {"Zm8=\nZm8=", NULL}, {"Zg=\n", NULL},
	    {"Zm9v\vYg==", NULL}, {"Zm9v\nZ", NULL}, {"Zg==\nZg", NULL},
	    {"=\n", NULL}, {"Zh==\n", NULL}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t *back = NULL;
		size_t got = 99;
		bool taken = base64_read_lines(
		    rows[i].text, strlen(rows[i].text), &back, &got);

		if (taken != (rows[i].back != NULL))
			fail_msg("'%s'", rows[i].text);
		if (taken)
			assert_memory_equal(back, rows[i].back, got);
		assert_int_equal(got, taken ? strlen(rows[i].back) : 99);
		free(back);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_vectors),
	    cmocka_unit_test(test_refusals),
	    cmocka_unit_test(test_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
