/* SPDX-License-Identifier: ISC */
/* test_keeper_fit.c -- keep/keeper_fit: an issuer block that is about nothing
 * that is kept is said, once, with its line and what is kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "keep/keeper_priv.h"
#include "log_scene.h"

enum kept { KEPT, KEPT_WITHOUT_ISSUER, KEPT_UNREAD };

/* A keeper of one certificate, and the blocks that it has. */
static void
check(const struct issuer_rules *said, size_t count, enum kept how)
{
	struct settings settings = {.rules = rules_load(said, count, NULL)};
	struct target target = {0};
	struct target *targets[] = {&target};
	struct keeper k = {
	    .settings = &settings, .targets = targets, .target_count = 1};

	assert_non_null(settings.rules);
	memset(&got, 0, sizeof(got));
	issuers_obey(&k.issuers, settings.rules);
	if (how != KEPT_UNREAD)
		target.leaf = ca.www.cert;
	if (how == KEPT)
		target.ca = issuers_take(&k.issuers, ca.issuer.cert);
	keeper_check_rules(&k);
	keeper_check_rules(&k); /* it was said */
	issuer_leave(&target.ca);
	issuers_done(&k.issuers);
	rules_free(settings.rules);
}

/* HAS is NULL where nothing is to be said. */
static void
test_blocks(void **state)
{
	const struct {
		const char *name, *issuer;
		enum kept how;
		const char *has;
	} rows[] = {
	    {"its CN", "issuer", KEPT, NULL},
	    {"its CN, of another case", "ISSUER", KEPT, NULL},
	    {"its fingerprint", ca.issuer.cert->fingerprint, KEPT, NULL},
	    {"the name alone is known", "issuer", KEPT_WITHOUT_ISSUER, NULL},
	    {"a slip", "isuer", KEPT,
		"o.conf:7: the block of issuer 'isuer' has no effect: by this "
		"name no certificate that is kept was issued; their issuers: "
		"'CN=issuer'"},
	    {"the leaf's name", "www.test", KEPT, "by this name"},
	    {"another fingerprint", ca.www.cert->fingerprint, KEPT,
		"by this fingerprint"},
	    {"nothing could be read", "issuer", KEPT_UNREAD,
		"as far as their files can be read; their issuers: none"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct issuer_rules said = {
		    .issuer = rows[i].issuer, .where = "o.conf:7"};

		check(&said, 1, rows[i].how);
		if (got.count != (rows[i].has != NULL) ||
		    (got.count == 1 &&
			(got.level != LOG_WARNING ||
			    strstr(got.message, rows[i].has) == NULL)))
			fail_msg("%s: %zu lines: '%s'", rows[i].name, got.count,
			    got.message);
	}
}

/* Two about one issuer: the first counts, and the second is said. */
static void
test_one_behind_the_other(void **state)
{
	const struct issuer_rules said[] = {
	    {.issuer = "issuer", .where = "o.conf:3"},
	    {.issuer = ca.issuer.cert->fingerprint, .where = "o.conf:9"}};

	(void)state;
	check(said, 2, KEPT);
	assert_int_equal(got.count, 1);
	assert_non_null(strstr(got.message, "o.conf:9: "));
	assert_non_null(strstr(got.message, "the one at o.conf:3"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_blocks),
	    cmocka_unit_test(test_one_behind_the_other),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
