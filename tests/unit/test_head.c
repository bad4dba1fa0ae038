/* SPDX-License-Identifier: ISC */
/* test_head.c -- http/head: lines of an answer's head. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "http/head.h"

static struct head head;

/* Lines, each given without a NUL behind it; true if the last ended the
 * head. */
static bool
take(const char *lines)
{
	bool end = false;

	head_init(&head);
	while (*lines != '\0') {
		size_t len = strcspn(lines, "\n") + 1;
		char *exact = malloc(len);

		memcpy(exact, lines, len);
		end = head_line(&head, exact, len, 65536, 1000);
		free(exact);
		lines += len;
	}
	return end;
}

static void
test_all(void **state)
{
	(void)state;
	assert_true(take("HTTP/1.1 200 OK\r\nServer: x\r\n"
			 "content-type:Application/OCSP-Response;q=1\r\n"
			 "Location: \t/elsewhere \r\nRetry-After: 5\r\n"
			 "Cache-Control: public\r\nCache-control: max-age=9\r\n"
			 "Cache-control: max-age=10\r\n"
			 "Content-Length: 65536\r\n\r\n"));
	assert_string_equal(head.content_type, "application/ocsp-response");
	assert_string_equal(head.location, "/elsewhere");
	assert_int_equal(head.retry_after_s, 5);
	assert_int_equal(head.max_age_s, 9);
	assert_false(head.oversize);
}

static void
test_nothing(void **state)
{
	(void)state;
	assert_false(take("HTTP/1.1 200 OK\r\nContent-Type\r\n"
			  "X-Content-Type: text/html\r\n"
			  "Content-Typed: text/html\r\n"
			  "Content-Type : text/html\r\n"
			  " Content-Type: text/html\r\nRetry-After: x\r\n"
			  "Cache-Control:\r\nContent-Length: none\r\n:\r\n"));
	assert_string_equal(head.content_type, "");
	assert_string_equal(head.location, "");
	assert_int_equal(head.retry_after_s, -1);
	assert_int_equal(head.max_age_s, -1);
	assert_false(head.oversize);
}

static void
test_begins_anew(void **state)
{
	(void)state;
	(void)take("HTTP/1.1 103 Early\r\nContent-Type: text/html\r\n"
		   "Content-Length: 65537\r\nRetry-After: 5\r\n"
		   "Location: /x\r\nCache-Control: max-age=9\r\n\r\n"
		   "HTTP/1.1 200 OK\r\n");
	assert_string_equal(head.content_type, "");
	assert_string_equal(head.location, "");
	assert_int_equal(head.retry_after_s, -1);
	assert_int_equal(head.max_age_s, -1);
	assert_false(head.oversize);
}

static void
test_lengths(void **state)
{
	static const struct {
		const char *line;
		bool oversize;
	} rows[] = {
	    {"Content-Length: 0\n", false},
	    {"Content-Length: 65536\n", false},
	    {"Content-Length: 65537\n", true},
	    {"Content-Length: 99999999999999999999999\n", true},
	    {"Content-Length: -1\n", false},
	    {"Content-Length: 65537x\n", false},
	    {"Content-Length:\n", false},
	    {"Content-Length: 65537\nContent-Length: 5\n", true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		(void)take(rows[i].line);
		if (head.oversize != rows[i].oversize)
			fail_msg("C19: %s", rows[i].line);
	}
}

static void
test_long_and_odd_values(void **state)
{
	static char line[8000];

	(void)state;
	memset(line, 'A', sizeof(line));
	memcpy(line, "Content-Type: ", 14);
	head_init(&head);
	assert_false(head_line(&head, line, sizeof(line), 65536, 0));
	assert_int_equal(strlen(head.content_type), HEAD_TYPE_TEXT - 1);
	assert_int_equal(head.content_type[0], 'a');
	memcpy(line, "Location:     ", 14);
	assert_false(head_line(&head, line, sizeof(line), 65536, 0));
	assert_int_equal(strlen(head.location), HEAD_LOCATION_TEXT - 1);
	/* octets that a terminal would obey */
	(void)take("Content-Type: a\033[1mb\377\r\n");
	assert_string_equal(head.content_type, "a?[1mb?");
	assert_true(head_line(&head, "", 0, 65536, 0));
	assert_true(head_line(&head, "\n", 1, 65536, 0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_all),
	    cmocka_unit_test(test_nothing),
	    cmocka_unit_test(test_begins_anew),
	    cmocka_unit_test(test_lengths),
	    cmocka_unit_test(test_long_and_odd_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
