/* SPDX-License-Identifier: ISC */
/* test_reason.c -- base/reason: the closed list, without holes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/reason.h"

/* The list as promised, group by group, in the order of enum reason: a code
 * that is added, renamed or moved has to be changed here as well. */
static const struct {
	enum reason_group group;
	const char *names[24];
} promised[] = {
    {GROUP_NETWORK,
	{"dns-no-answer", "dns-nxdomain", "dns-servfail", "connect-refused",
	    "connect-timeout", "connect-reset", "unreachable", "tls-failed",
	    "http-status", "http-timeout", "http-reset", "http-redirect",
	    "not-ocsp", "oversize", "proxy-failed"}},
    {GROUP_RESPONSE,
	{"malformed", "trailing-data", "status-malformed-request",
	    "status-internal-error", "status-try-later", "status-sig-required",
	    "status-unauthorized", "wrong-certificate", "bad-signature",
	    "untrusted-signer", "signer-not-authorized", "signer-expired",
	    "weak-algorithm", "critical-extension", "nonce-mismatch",
	    "not-yet-valid", "expired", "no-next-update", "lifetime-too-long",
	    "older-than-stored"}},
    {GROUP_INPUT, {"certificate-unreadable", "certificate-expired",
		      "certificate-not-yet-valid", "issuer-missing",
		      "issuer-mismatch", "no-ocsp-url"}},
    {GROUP_LOCAL, {"usage", "file", "store", "server-config", "server-reload",
		      "server-not-stapling"}},
};

static void
test_names_and_groups(void **state)
{
	int next = REASON_NONE + 1;

	(void)state;
	for (size_t g = 0; g < sizeof(promised) / sizeof(*promised); g++) {
		for (size_t i = 0; promised[g].names[i] != NULL; i++, next++) {
			enum reason found = REASON_NONE;

			assert_true(next < REASON_COUNT);
			assert_string_equal(promised[g].names[i],
			    reason_name((enum reason)next));
			assert_int_equal(
			    promised[g].group, reason_group((enum reason)next));
			assert_true(reason_find(promised[g].names[i], &found));
			assert_int_equal(next, found); /* so it is unique */
		}
	}
	assert_int_equal(REASON_COUNT, next);
	assert_string_equal("none", reason_name(REASON_NONE));
	assert_int_equal(GROUP_NONE, reason_group(REASON_NONE));
}

static void
test_every_reason_explains_itself(void **state)
{
	(void)state;
	for (int i = 0; i < REASON_COUNT; i++) {
		const char *name = reason_name((enum reason)i);
		const char *texts[] = {reason_meaning((enum reason)i),
		    reason_remedy((enum reason)i)};

		for (size_t t = 0; t < 2; t++) {
			if (texts[t] == NULL || strlen(texts[t]) < 8)
				fail_msg("%s has no %s", name,
				    t == 0 ? "meaning" : "remedy");
			if (strchr(texts[t], '\n') != NULL ||
			    texts[t][strlen(texts[t]) - 1] == '.' ||
			    strstr(texts[t], "  ") != NULL)
				fail_msg("%s: '%s'", name, texts[t]);
		}
	}
}

static void
test_find(void **state)
{
	static const char *const none[] = {
	    "", "none", "Expired", "expired ", "expire", "expiredd", "no such"};
	enum reason found = REASON_STORE;

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
		assert_false(reason_find(none[i], &found));
	assert_int_equal(REASON_STORE, found);
}

static void
test_group_names(void **state)
{
	(void)state;
	assert_string_equal("none", reason_group_name(GROUP_NONE));
	assert_string_equal("network", reason_group_name(GROUP_NETWORK));
	assert_string_equal("response", reason_group_name(GROUP_RESPONSE));
	assert_string_equal("input", reason_group_name(GROUP_INPUT));
	assert_string_equal("local", reason_group_name(GROUP_LOCAL));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_names_and_groups),
	    cmocka_unit_test(test_every_reason_explains_itself),
	    cmocka_unit_test(test_find),
	    cmocka_unit_test(test_group_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
