/* SPDX-License-Identifier: ISC */
/* test_server_form.c -- http/server_form: which answer is written over which. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "http/server_priv.h"

enum { NOW = 1800000000 };

static const char name[] = "A", other_name[] = "B", type[] = "a/b";

static struct server_answer
answer_of(const struct server_header *headers, size_t count, const char *body)
{
	return (struct server_answer){.status = 200,
	    .content_type = type,
	    .body = {(const uint8_t *)body, strlen(body)},
	    .headers = headers,
	    .header_count = count};
}

static struct server_form *
fill(struct server_forms **forms, const char *value, const char *body)
{
	const struct server_header header = {name, value};
	const struct server_answer answer = answer_of(&header, 1, body);
	struct server_form *form = server_form_fill(forms, &answer, NOW);

	assert_non_null(form);
	/* what libmicrohttpd has for this header now */
	assert_string_equal(
	    MHD_get_response_header(server_form_response(form), name), value);
	return form;
}

static void
test_same_shape(void **state)
{
	struct server_forms *forms = NULL;
	struct server_form *one = fill(&forms, "value", "body"), *first = one;
	struct server_form *two;

	(void)state;
	/* it is being sent still: not written over */
	two = fill(&forms, "VALUE", "BODY");
	assert_ptr_not_equal(two, first);
	assert_string_equal(
	    MHD_get_response_header(server_form_response(one), name), "value");
	server_form_done(forms, &one);
	assert_null(one);
	one = fill(&forms, "words", "text");
	assert_ptr_equal(one, first);
	server_form_done(forms, &one);
	server_form_done(forms, &two);
	server_form_done(forms, &two);
	server_forms_free(&forms);
	assert_null(forms);
	server_forms_free(&forms);
}

static void
test_other_shape(void **state)
{
	static const struct server_header header = {name, "value"},
					  other = {other_name, "value"},
					  longer = {name, "value."};
	static const struct server_header both[] = {
	    {name, "value"}, {other_name, "value"}};
	static const struct server_header uneven[] = {
	    {name, "v"}, {other_name, "alue"}};
	static const struct server_header uneven_too[] = {
	    {name, "valu"}, {other_name, "e"}};
	/* of lengths that add up to the same, in part */
	struct {
		const char *name;
		struct server_answer answer;
	} rows[] = {
	    {"longer body", answer_of(&header, 1, "body.")},
	    {"longer value", answer_of(&longer, 1, "body")},
	    {"the same sum", answer_of(&longer, 1, "bod")},
	    {"another header", answer_of(&other, 1, "body")},
	    {"one header more", answer_of(both, 2, "body")},
	    {"uneven", answer_of(uneven, 2, "body")},
	    {"the other way", answer_of(uneven_too, 2, "body")},
	    {"no header", answer_of(NULL, 0, "body")},
	    {"no header, the same sum", answer_of(NULL, 0, "body12345")},
	    {"no type", answer_of(&header, 1, "body")},
	};
	struct server_forms *forms = NULL;
	struct server_form *first, *form = fill(&forms, "value", "body");

	(void)state;
	rows[9].answer.content_type = NULL;
	first = form;
	server_form_done(forms, &form);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		form = server_form_fill(&forms, &rows[i].answer, NOW);
		if (form == NULL || form == first)
			fail_msg("%s", rows[i].name);
		for (size_t k = 0; k < rows[i].answer.header_count; k++)
			assert_string_equal(
			    MHD_get_response_header(server_form_response(form),
				rows[i].answer.headers[k].name),
			    rows[i].answer.headers[k].value);
		server_form_done(forms, &form);
	}
	form = fill(&forms, "VALUE", "BODY");
	assert_ptr_equal(form, first);
	server_form_done(forms, &form);
	server_forms_free(&forms);
}

static void
test_none(void **state)
{
	static const struct server_header twice[] = {
	    {name, "value"}, {"C", "value"}, {name, "value"}};
	static const struct server_header nine[9] = {{name, "1"},
	    {other_name, "2"}, {"C", "3"}, {"D", "4"}, {"E", "5"}, {"F", "6"},
	    {"G", "7"}, {"H", "8"}, {"I", "9"}};
	static const struct server_header refused = {name, "two\r\nlines"};
	static char large[8194];
	static const struct server_header date = {
	    "Date", "Thu, 01 Jan 1970 00:00:00 GMT"};
	struct server_answer owned = answer_of(NULL, 0, "body");
	struct server_answer rows[] = {answer_of(twice, 3, "body"),
	    answer_of(nine, 9, "body"), answer_of(&refused, 1, "body"),
	    answer_of(&date, 1, "body"),
	    answer_of(NULL, 0, memset(large, 'x', sizeof(large) - 1))};
	struct server_forms *forms = NULL;

	(void)state;
	owned.release = free;
	assert_null(server_form_fill(&forms, &owned, NOW));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_null(server_form_fill(&forms, &rows[i], NOW));
	server_forms_free(&forms);
}

/* Each form says the time at which it was filled, not that of another. */
static void
test_date(void **state)
{
	static const struct {
		int64_t now_s;
		const char *date;
	} rows[] = {{0, "Thu, 01 Jan 1970 00:00:00 GMT"},
	    {1, "Thu, 01 Jan 1970 00:00:01 GMT"},
	    {1, "Thu, 01 Jan 1970 00:00:01 GMT"},
	    {NOW, "Fri, 15 Jan 2027 08:00:00 GMT"},
	    {0, "Thu, 01 Jan 1970 00:00:00 GMT"},
	    {INT64_MAX, "Fri, 31 Dec 9999 23:59:59 GMT"}};
	const struct server_answer answer = answer_of(NULL, 0, "body");
	struct server_forms *forms = NULL;
	struct server_form *form, *other;

	(void)state;
	other = server_form_fill(&forms, &answer, NOW);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		form = server_form_fill(&forms, &answer, rows[i].now_s);
		assert_string_equal(
		    MHD_get_response_header(server_form_response(form), "Date"),
		    rows[i].date);
		if (i % 2 == 1) /* the next one is the other of the two */
			server_form_done(forms, &other);
		else
			server_form_done(forms, &form);
		if (form != NULL)
			other = form;
	}
	server_form_done(forms, &other);
	server_forms_free(&forms);
}

/* More of one shape than are kept, and no body at all. */
static void
test_many(void **state)
{
	struct server_forms *forms = NULL;
	struct server_form *many[16];

	(void)state;
	for (size_t round = 0; round < 2; round++) {
		for (size_t i = 0; i < 16; i++)
			many[i] = fill(&forms, "value", "");
		for (size_t i = 0; i < 16; i++)
			server_form_done(forms, &many[i]);
	}
	server_forms_free(&forms);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_same_shape),
	    cmocka_unit_test(test_other_shape),
	    cmocka_unit_test(test_none),
	    cmocka_unit_test(test_date),
	    cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
