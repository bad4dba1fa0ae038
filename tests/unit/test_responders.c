/* SPDX-License-Identifier: ISC */
/* test_responders.c -- doctor/responders: the table that was built in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

#include "doctor/responders.h"
#include "doctor/survey.h"
#include "http/fetch.h"

static const struct responder_fact *
find(const char *ca)
{
	for (size_t i = 0; i < responder_fact_count; i++) {
		if (strcmp(responder_facts[i].ca, ca) == 0)
			return &responder_facts[i];
	}
	return NULL;
}

/* What the program relies on, whoever made the table. */
static void
test_every_row(void **state)
{
	(void)state;
	assert_in_range(responder_fact_count, 20, SURVEY_RESPONDERS_MAX);
	for (size_t i = 0; i < responder_fact_count; i++) {
		const struct responder_fact *fact = &responder_facts[i];
		char *host = NULL;
		int port;

		assert_true(fetch_split_url(fact->url, &host, &port));
		free(host);
		assert_true(fact->ca != NULL && fact->source != NULL &&
			    fact->checked != NULL && fact->certainty != NULL);
		assert_true((fact->since != NULL) ==
			    (fact->offer != RESPONDER_OFFERED));
		if (i > 0 &&
		    strcasecmp(responder_facts[i - 1].ca, fact->ca) > 0)
			fail_msg("'%s' is out of order", fact->ca);
	}
}

static void
test_known_facts(void **state)
{
	const struct responder_fact *ended = find("Let's Encrypt");

	(void)state;
	assert_non_null(ended);
	assert_int_equal(ended->offer, RESPONDER_ENDED);
	assert_string_equal(ended->since, "2025-08-06");
	assert_string_equal(ended->certainty, "documented");
	assert_non_null(find("DigiCert"));
	assert_int_equal(find("DigiCert")->offer, RESPONDER_OFFERED);
	assert_int_equal(find("HARICA")->offer, RESPONDER_ENDING);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_every_row),
	    cmocka_unit_test(test_known_facts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
