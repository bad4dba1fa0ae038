/* SPDX-License-Identifier: ISC */
/* test_forged_pool.c -- doctor/forged_pool: the operator's list of forged
 * addresses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "doctor/fact.h"
#include "doctor/forged_pool.h"
#include "scratch.h"

static struct scratch scratch;

static int
load(const char *text, struct forged_pool *out, struct err *err)
{
	char *path = scratch_path(&scratch, "pool");
	int rc;

	scratch_write_bytes(path, text, strlen(text));
	rc = forged_pool_load(path, out, err);
	free(path);
	return rc;
}

static void
test_good(void **state)
{
	static const struct {
		const char *text, *address;
		bool has;
	} rows[] = {
	    {"192.0.2.1\n", "192.0.2.1", true},
	    {"192.0.2.1", "192.0.2.1", true},
	    {"# one\n\n192.0.2.1 # seen\r\n", "192.0.2.1", true},
	    {"2001:DB8:0::1\n", "2001:db8::1", true},
	    {"9.9.9.9\n8.8.8.8\n1.1.1.1\n", "8.8.8.8", true},
	    {"192.0.2.1\n", "192.0.2.2", false},
	    {"192.0.2.1\n", "", false},
	    {"", "192.0.2.1", false},
	    {"# 192.0.2.1\n", "192.0.2.1", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct forged_pool pool;
		struct err err = {0};

		assert_int_equal(load(rows[i].text, &pool, &err), 0);
		if (forged_pool_has(&pool, rows[i].address) != rows[i].has)
			fail_msg("row %zu", i);
		forged_pool_done(&pool);
	}
}

static void
test_bad(void **state)
{
	static const char *const rows[] = {
	    "192.0.2\n",
	    "192.0.2.1/24\n",
	    "192.0.2.256\n",
	    "example.org\n",
	    "192.0.2.1,192.0.2.2\n",
	    "1.1.1.1\n:::\n",
	    "2001:db8::1%eth0\n",
	    "<x>\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct forged_pool pool;
		struct err err = {0};

		if (load(rows[i], &pool, &err) != -1)
			fail_msg("row %zu was taken", i);
		assert_int_equal(err.reason, REASON_USAGE);
		assert_null(pool.addresses);
	}
}

static void
test_no_file(void **state)
{
	struct forged_pool pool;
	struct err err = {0};

	(void)state;
	assert_int_equal(forged_pool_load("/nowhere/x", &pool, &err), -1);
	assert_int_equal(err.reason, REASON_FILE);
}

/* A bit for each address, of answers only. */
static void
test_mark(void **state)
{
	struct facts facts = {0};
	struct forged_pool pool;
	struct fact_datagram *d;

	(void)state;
	assert_int_equal(load("192.0.2.2\n", &pool, NULL), 0);
	(void)facts_add(&facts, FACT_QUESTION, "U", 0);
	d = &facts_add(&facts, FACT_DATAGRAM, "U", 0)->u.datagram;
	fact_copy(d->addresses[0], DNS_ADDRESS_TEXT, "192.0.2.1");
	fact_copy(d->addresses[1], DNS_ADDRESS_TEXT, "192.0.2.2");
	d->address_count = 2;
	forged_pool_mark(&pool, &facts);
	assert_int_equal(facts.items[1].u.datagram.pooled, 2);
	forged_pool_done(&pool);
	forged_pool_mark(&pool, &facts); /* an empty one marks nothing more */
	assert_int_equal(facts.items[1].u.datagram.pooled, 2);
	facts_done(&facts);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_good),
	    cmocka_unit_test(test_bad),
	    cmocka_unit_test(test_no_file),
	    cmocka_unit_test(test_mark),
	};
	int failed;

	scratch_make(&scratch);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	scratch_remove(&scratch);
	return failed;
}
