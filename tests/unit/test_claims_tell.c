/* SPDX-License-Identifier: ISC */
/* test_claims_tell.c -- acquire/claims_tell: what is told of an answer, and by
 * which ways. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "acquire/claims_priv.h"
#include "base/err.h"

static struct claims claims; /* large */
static struct acquire_options options;
static char log_text[2048];
static bool any_source; /* not "src" alone */

static void
note(const char *what, const struct claim *claim)
{
	size_t len = strlen(log_text);

	(void)snprintf(log_text + len, sizeof(log_text) - len, "%s%s %s%s%s%s",
	    len > 0 ? "; " : "", what, claim->address,
	    claim->first ? " first" : "", claim->proxy != NULL ? " by " : "",
	    claim->proxy != NULL ? claim->proxy->url : "");
}

static void
on_claim(void *cookie, const struct claim *claim)
{
	(void)cookie;
	note("claim", claim);
	if (!any_source)
		assert_string_equal(
		    claim->source, claim->proxy != NULL ? "proxy" : "src");
}

static void
on_refused(void *cookie, const struct claim *claim, const struct err *err)
{
	(void)cookie;
	note("refused", claim);
	assert_int_equal(err->reason, REASON_UNREACHABLE);
	/* says what, whose word it was, and how to allow it */
	assert_non_null(strstr(err->text, claim->address));
	assert_non_null(strstr(err->text, "src"));
	assert_non_null(strstr(err->text, "--pin ocsp.test="));
	assert_non_null(strstr(err->text, "--allow-private"));
}

static int
set_up(void **state)
{
	(void)state;
	memset(&claims, 0, sizeof(claims));
	options = (struct acquire_options){0};
	claims.host = (char *)(uintptr_t) "ocsp.test";
	claims.options = &options;
	claims.callbacks =
	    (struct claims_callbacks){.claim = on_claim, .refused = on_refused};
	log_text[0] = '\0';
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	free(claims.told);
	return 0;
}

static void
say_as(enum claims_word word, const char *one, const char *two,
    const char *expected)
{
	const char *list[] = {one, two};

	log_text[0] = '\0';
	assert_true(claims_tell_addresses(
	    &claims, "src", NULL, word, list, two == NULL ? 1 : 2));
	assert_string_equal(log_text, expected);
}

static void
say(bool near, const char *one, const char *two, const char *expected)
{
	say_as(near ? WORD_NEAR : WORD_OUTSIDE, one, two, expected);
}

static void
test_private(void **state)
{
	(void)state;
	say(false, "10.0.0.1", NULL, "refused 10.0.0.1 first");
	say(false, "10.0.0.1", NULL, ""); /* said once */
	/* the public one beside it is a voice of its own all the same */
	say(false, "127.0.0.1", "192.0.2.1",
	    "refused 127.0.0.1 first; claim 192.0.2.1 first");
	say(false, "::ffff:169.254.169.254", "fe80::1",
	    "refused ::ffff:169.254.169.254; refused fe80::1");
	/* whose word is good enough makes it a claim after all, once */
	say(true, "10.0.0.1", NULL, "claim 10.0.0.1 first");
	say(true, "10.0.0.1", NULL, "");
	say(false, "10.0.0.1", NULL, "");
	say(true, "10.0.0.2", "192.168.0.1",
	    "claim 10.0.0.2 first; claim 192.168.0.1");
}

static void
test_private_allowed(void **state)
{
	(void)state;
	claims.least = WORD_NEAR; /* a literal in the URL */
	say(false, "10.0.0.1", "127.0.0.1",
	    "claim 10.0.0.1 first; claim 127.0.0.1");
	say(false, "169.254.169.254", NULL, "refused 169.254.169.254 first");
	claims.least = WORD_OPERATOR;
	say(false, "169.254.169.254", NULL, "claim 169.254.169.254 first");
}

/* Where no responder can be, the network's own word is not enough. */
static void
test_nowhere(void **state)
{
	(void)state;
	say(true, "169.254.169.254", "192.0.2.1",
	    "refused 169.254.169.254 first; claim 192.0.2.1 first");
	say(true, "fe80::1", "ff02::1", "refused fe80::1; refused ff02::1");
	say(true, "0.0.0.0", "255.255.255.255",
	    "refused 0.0.0.0 first; refused 255.255.255.255 first");
	say(true, "127.0.0.1", NULL, "claim 127.0.0.1 first");
	say_as(WORD_OPERATOR, "169.254.169.254", NULL,
	    "claim 169.254.169.254 first");
}

/* Who contradicts has a voice; who agrees, or speaks of the other family, has
 * none: where nobody lies one connection is enough. */
static void
test_voices(void **state)
{
	static const char *const many[] = {"203.0.113.1", "203.0.113.2",
	    "203.0.113.3", "192.0.2.50", "2001:db8::50"};

	(void)state;
	say(true, "192.0.2.1", "192.0.2.2",
	    "claim 192.0.2.1 first; claim 192.0.2.2");
	say(true, "2001:db8::1", NULL, "claim 2001:db8::1");
	/* the same set, turned; one address more; the second family first */
	say(true, "192.0.2.2", "192.0.2.1", "");
	say(true, "192.0.2.3", "192.0.2.1", "claim 192.0.2.3");
	say(true, "2001:db8::2", "192.0.2.1", "claim 2001:db8::2 first");
	/* another set, of either family: somebody lies */
	say(true, "203.0.113.9", "203.0.113.8",
	    "claim 203.0.113.9 first; claim 203.0.113.8");
	say(true, "2001:db8::9", NULL, "claim 2001:db8::9 first");
	/* both families contradict in one answer: one voice */
	say(true, "2001:db8::a", "203.0.113.7",
	    "claim 2001:db8::a first; claim 203.0.113.7");
	/* a genuine address in the middle of a liar's list is no voice yet, so
	 * who names it is heard */
	log_text[0] = '\0';
	assert_true(
	    claims_tell_addresses(&claims, "src", NULL, WORD_NEAR, many, 5));
	assert_string_equal(log_text,
	    "claim 203.0.113.1 first; claim 2001:db8::50; "
	    "claim 203.0.113.2; claim 203.0.113.3; claim 192.0.2.50");
	say(true, "192.0.2.51", "192.0.2.50", "claim 192.0.2.51 first");
}

static void
test_family(void **state)
{
	(void)state;
	options.family = RESOLVER_IPV4;
	say(false, "::1", "192.0.2.1", "claim 192.0.2.1 first");
	options.family = RESOLVER_IPV6;
	say(true, "192.0.2.2", "2001:db8::1", "claim 2001:db8::1");
}

/* A SOCKS5 proxy that wants addresses gets those told before and after it, and
 * none that was refused. */
static void
test_wanting(void **state)
{
	static const char *const at[] = {"192.0.2.9", "2001:db8::9"};
	struct proxy proxy;

	(void)state;
	assert_int_equal(0, proxy_parse("socks5://p.test", true, &proxy, NULL));
	say(false, "10.0.0.1", NULL, "refused 10.0.0.1 first");
	say(false, "192.0.2.1", "192.0.2.4",
	    "claim 192.0.2.1 first; claim 192.0.2.4");
	say(false, "192.0.2.2", NULL, "claim 192.0.2.2 first");
	log_text[0] = '\0';
	claims_tell_proxy(&claims, &proxy, at, 2);
	assert_string_equal(log_text,
	    "claim 192.0.2.1 first by socks5://p.test:1080; "
	    "claim 192.0.2.4 by socks5://p.test:1080; "
	    "claim 192.0.2.2 first by socks5://p.test:1080");
	assert_string_equal(
	    claims.wanting[0].addresses, "192.0.2.9,[2001:db8::9]");
	say(false, "192.0.2.3", NULL,
	    "claim 192.0.2.3 first by socks5://p.test:1080; "
	    "claim 192.0.2.3 first");
	say(false, "10.0.0.2", NULL, "refused 10.0.0.2 first");
	free(claims.wanting[0].addresses);
}

static void
test_proxy(void **state)
{
	static const char *const at[] = {"127.0.0.1"};
	struct proxy proxy;

	(void)state;
	say(true, "192.0.2.1", NULL, "claim 192.0.2.1 first");
	assert_int_equal(
	    0, proxy_parse("http://127.0.0.1:3128", true, &proxy, NULL));
	log_text[0] = '\0';
	claims_tell_proxy(&claims, &proxy, at, 1);
	assert_string_equal(log_text, "claim  first by http://127.0.0.1:3128");
	assert_int_equal(claims.wanting_count, 0);
}

/* How many of ANSWERS, each of LENGTH addresses that nobody has named before,
 * SOURCE gets told. */
static size_t
flood(enum claims_word word, const char *source, size_t answers, size_t length)
{
	static size_t before;
	size_t told = claims.told_count;

	for (size_t i = 0; i < answers; i++) {
		char addresses[DNS_ADDRESSES_MAX][32];
		const char *list[DNS_ADDRESSES_MAX];

		for (size_t k = 0; k < length; k++, before++) {
			(void)snprintf(addresses[k], sizeof(addresses[k]),
			    "198.51.%zu.%zu", before >> 8, before & 255);
			list[k] = addresses[k];
		}
		log_text[0] = '\0';
		assert_true(claims_tell_addresses(
		    &claims, source, NULL, word, list, length));
	}
	return claims.told_count - told;
}

/* One answer, however long, leaves room for the same resolver's next one, which
 * may be the genuine one behind a forgery. */
static void
test_long_answer(void **state)
{
	(void)state;
	assert_int_equal(flood(WORD_OUTSIDE, "src", 1, DNS_ADDRESSES_MAX),
	    1 + CLAIMS_SOURCE_MAX);
	say(false, "192.0.2.1", NULL, "claim 192.0.2.1 first");
}

/* More answers of one source than there is room for end silently, and leave room
 * for another's. */
static void
test_flood(void **state)
{
	static const char *const sources[] = {
	    "src", "udp://192.0.2.53", "tcp://192.0.2.53"};

	(void)state;
	any_source = true;
	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++)
		assert_int_equal(flood(WORD_OUTSIDE, sources[i],
				     DNS_ADDRESSES_MAX, DNS_ADDRESSES_MAX),
		    2 * CLAIMS_SOURCE_MAX);
	/* the operator's own words are all taken */
	assert_int_equal(
	    flood(WORD_OPERATOR, "pin", ACQUIRE_PINS_MAX, 1), ACQUIRE_PINS_MAX);
	assert_int_equal(flood(WORD_OPERATOR, "pin", CLAIMS_MAX, 1),
	    CLAIMS_MAX - ACQUIRE_PINS_MAX - 3 * 2 * CLAIMS_SOURCE_MAX);
	any_source = false;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_private, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_private_allowed, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_nowhere, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_voices, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_family, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_wanting, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_proxy, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_long_answer, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_flood, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
