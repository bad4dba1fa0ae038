/* SPDX-License-Identifier: ISC */
/* test_claims_sources.c -- acquire/claims_sources: who is asked through our own
 * sockets, and from which class on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "acquire/claims_priv.h"
#include "base/clock.h"
#include "dns/health.h"
#include "scratch.h"

static struct claims claims; /* large */
static struct acquire_options options;
static struct resolver resolvers[RESOLVERS_MAX];
static struct health health;
static char host[64];

static int
set_up(void **state)
{
	(void)state;
	free(claims.sources); /* of the row before */
	memset(&claims, 0, sizeof(claims));
	memset(&options, 0, sizeof(options));
	memset(&health, 0, sizeof(health));
	(void)snprintf(host, sizeof(host), "ocsp.test");
	claims.host = host;
	claims.options = &options;
	options.resolvers = resolvers;
	options.health = &health;
	options.ask_system = true;
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	free(claims.sources);
	claims.sources = NULL;
	return 0;
}

/* A class as a letter. */
static char
letter(enum claims_class which)
{
	return which == SYSTEM      ? 'S'
	       : which == RESOLVERS ? 'R'
	       : which == LAST      ? 'L'
	       : which == CLASSES   ? '-'
				    : '?';
}

/* The list, such as "udp://192.0.2.1 near SR": the class for the host, and
 * that for later names. */
static const char *
listed(void)
{
	static char text[4096];
	size_t len = 0;

	text[0] = '\0';
	for (size_t i = 0; i < claims.source_count; i++) {
		const struct source *s = &claims.sources[i];
		len += (size_t)snprintf(text + len, sizeof(text) - len,
		    "%s%s%s %c%c", i > 0 ? "; " : "", s->resolver.url,
		    s->near ? " near" : "", letter(s->opens), letter(s->names));
	}
	return text;
}

static void
name(const char *url)
{
	assert_int_equal(
	    0, resolver_parse(url, &resolvers[options.resolver_count++], NULL));
}

static const struct {
	const char *about;
	const char *conf, *behind; /* files; NULL: none */
	const char *named[4];
	const char *sick;
	const char *expected;
} rows[] = {
    {"nobody", NULL, NULL, {NULL}, NULL, ""},
    {"no nameserver in it", "search test\n", NULL, {NULL}, NULL, ""},
    {"the first with the system, the others later; by TCP one class later",
	"nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver ::1\n", NULL,
	{NULL}, NULL,
	"udp://192.0.2.1 near SR; udp://192.0.2.2 near RR; "
	"udp://[::1] near RR; tcp://192.0.2.1 near RL; "
	"tcp://192.0.2.2 near LL; tcp://[::1] near LL"},
    {"the operator's come later, and before the rest of resolv.conf",
	"nameserver 192.0.2.1\nnameserver 192.0.2.2\n", NULL,
	{"udp://192.0.2.7:5353", "tls://192.0.2.8", "https://d.test/q", NULL},
	NULL,
	"udp://192.0.2.1 near SR; udp://192.0.2.7:5353 RR; tls://192.0.2.8 RL; "
	"https://d.test/q RL; udp://192.0.2.2 near RR; "
	"tcp://192.0.2.1 near RL; tcp://192.0.2.7:5353 LL; "
	"tcp://192.0.2.2 near LL"},
    {"named twice: once, and near",
	"nameserver 192.0.2.1\nnameserver 192.0.2.2\n", NULL,
	{"192.0.2.2", "udp://192.0.2.1", "192.0.2.2"}, NULL,
	"udp://192.0.2.1 near SR; udp://192.0.2.2 near RR; "
	"tcp://192.0.2.1 near RL; tcp://192.0.2.2 near LL"},
    {"by TCP as the operator says", "nameserver 192.0.2.1\n", NULL,
	{"tcp://192.0.2.1"}, NULL,
	"udp://192.0.2.1 near SR; tcp://192.0.2.1 near RL"},
    {"the system is no source of its own", "nameserver 192.0.2.1\n", NULL,
	{"system"}, NULL, "udp://192.0.2.1 near SR; tcp://192.0.2.1 near RL"},
    {"behind the stub", "nameserver 127.0.0.53\n",
	"nameserver 192.0.2.1\nnameserver 192.0.2.2\n", {NULL}, NULL,
	"udp://127.0.0.53 near SR; udp://192.0.2.1 near SR; "
	"udp://192.0.2.2 near RR; tcp://192.0.2.1 near RL; "
	"tcp://192.0.2.2 near LL"},
    {"nothing behind the stub", "nameserver 127.0.0.54\n", NULL, {NULL}, NULL,
	"udp://127.0.0.54 near SR"},
    {"no stub: what is behind it does not count",
	"nameserver 127.0.0.1\nnameserver 127.0.0.53\n",
	"nameserver 192.0.2.1\n", {NULL}, NULL,
	"udp://127.0.0.1 near SR; udp://127.0.0.53 near RR; "
	"tcp://127.0.0.1 near RL"},
    {"silent lately: last, for the host alone, and not by TCP",
	"nameserver 192.0.2.1\n", NULL, {"udp://192.0.2.7"}, "udp://192.0.2.1",
	"udp://192.0.2.7 RR; udp://192.0.2.1 near L-; tcp://192.0.2.7 LL"},
    {"the first is silent lately: the second takes its place",
	"nameserver 192.0.2.1\nnameserver 192.0.2.2\n", NULL, {NULL},
	"udp://192.0.2.1",
	"udp://192.0.2.2 near SR; udp://192.0.2.1 near L-; "
	"tcp://192.0.2.2 near RL"},
    {"no TCP there, as was seen lately", "nameserver 192.0.2.1\n", NULL, {NULL},
	"tcp://192.0.2.1", "udp://192.0.2.1 near SR; tcp://192.0.2.1 near L-"},
};

static void
test_rows(void **state)
{
	struct scratch scratch;
	char *conf, *behind;

	scratch_make(&scratch);
	conf = scratch_path(&scratch, "resolv.conf");
	behind = scratch_path(&scratch, "behind.conf");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		(void)set_up(state);
		options.resolv_conf = conf;
		options.stub_conf = behind;
		(void)remove(conf);
		(void)remove(behind);
		if (rows[i].conf != NULL)
			scratch_write(conf, rows[i].conf);
		if (rows[i].behind != NULL)
			scratch_write(behind, rows[i].behind);
		for (size_t k = 0; k < 4 && rows[i].named[k] != NULL; k++)
			name(rows[i].named[k]);
		if (rows[i].sick != NULL)
			health_note(
			    &health, rows[i].sick, false, clock_mono_ms());
		claims_find_sources(&claims);
		if (strcmp(listed(), rows[i].expected) != 0)
			fail_msg("%s: %s", rows[i].about, listed());
		(void)tear_down(state);
	}
	free(conf);
	free(behind);
	scratch_remove(&scratch);
}

/* An address needs nobody. */
static void
test_numeric(void **state)
{
	(void)state;
	name("udp://192.0.2.7");
	(void)snprintf(host, sizeof(host), "192.0.2.5");
	claims_find_sources(&claims);
	assert_int_equal(claims.source_count, 0);
}

/* More than there is room for: what is left of resolv.conf stays out. */
static void
test_full(void **state)
{
	struct scratch scratch;
	char url[64];

	(void)state;
	scratch_make(&scratch);
	for (int i = 0; i < RESOLVERS_MAX - 1; i++) {
		(void)snprintf(url, sizeof(url), "udp://192.0.2.%d", i + 1);
		name(url);
	}
	options.resolv_conf = scratch_path(&scratch, "conf");
	scratch_write(options.resolv_conf,
	    "nameserver 192.0.2.98\nnameserver 192.0.2.99\n");
	claims_find_sources(&claims);
	assert_int_equal(claims.source_count, RESOLVERS_MAX);
	assert_string_equal(claims.sources[0].resolver.url, "udp://192.0.2.98");
	assert_string_equal(
	    claims.sources[RESOLVERS_MAX - 1].resolver.url, "udp://192.0.2.15");
	free((char *)(uintptr_t)options.resolv_conf);
	scratch_remove(&scratch);
}

/* B13: nobody outside is told a name that only this network knows. */
static void
test_names_that_stay(void **state)
{
	struct resolver outside;

	(void)state;
	assert_int_equal(0, resolver_parse("udp://192.0.2.1", &outside, NULL));
	(void)snprintf(host, sizeof(host), "ocsp.corp.internal");
	assert_null(claims_ask(&claims, &outside, 0, host));
	(void)snprintf(host, sizeof(host), "ocsp");
	assert_null(claims_ask(&claims, &outside, 0, host));
	assert_int_equal(claims.ask_count, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_rows, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_numeric, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_full, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_names_that_stay, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
