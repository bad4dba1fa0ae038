/* SPDX-License-Identifier: ISC */
/* test_roads.c -- face/roads: what the operator says of proxies and the like. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "face/roads.h"

#define SECRET "S3cret"

static struct roads roads; /* large */
static const char *http_proxy;

static const char *
get(const char *name)
{
	return strcmp(name, "http_proxy") == 0 ? http_proxy : NULL;
}

static int
set_up(void **state)
{
	(void)state;
	memset(&roads, 0, sizeof(roads));
	http_proxy = NULL;
	return 0;
}

/* B13 aside: who says what, and what wins. */
static void
test_none(void **state)
{
	struct err err = {0};

	(void)state;
	http_proxy = "http://env:1";
	assert_int_equal(0, roads_take_proxy(&roads, "http://said:1",
				ROADS_COMMAND_LINE, &err));
	assert_int_equal(
	    0, roads_take_proxy(&roads, "none", ROADS_COMMAND_LINE, &err));
	/* the configuration comes after the command line */
	assert_int_equal(
	    0, roads_take_proxy(&roads, "http://conf:1", ROADS_CONFIG, &err));
	assert_int_equal(0, roads_take_responder(&roads, "ocsp.test",
				"http://rule:1", false, &err));
	assert_int_equal(0, roads_settle(&roads, get, &err));
	assert_null(proxy_plan_first(&roads.plan, "ocsp.test", false));
	assert_int_equal(roads.plan.last_count, 1);
	assert_string_equal(roads.plan.last[0].url, "http://said:1");
}

/* In the file it is about the environment alone. */
static void
test_none_in_the_file(void **state)
{
	struct err err = {0};

	(void)state;
	http_proxy = "http://env:1";
	assert_int_equal(
	    0, roads_take_proxy(&roads, "none", ROADS_CONFIG, &err));
	assert_int_equal(
	    0, roads_take_proxy(&roads, "http://conf:1", ROADS_CONFIG, &err));
	assert_int_equal(0, roads_take_responder(&roads, "ocsp.test",
				"http://rule:1", false, &err));
	assert_int_equal(0, roads_settle(&roads, get, &err));
	assert_null(proxy_plan_first(&roads.plan, "x.test", false));
	assert_non_null(proxy_plan_first(&roads.plan, "ocsp.test", false));
	assert_int_equal(roads.plan.last_count, 1);
}

static void
test_all_together(void **state)
{
	struct err err = {0};

	(void)state;
	http_proxy = "http://bob:x@env:1";
	assert_int_equal(0, roads_take_proxy(&roads, "http://said:1",
				ROADS_COMMAND_LINE, &err));
	assert_int_equal(
	    0, roads_take_proxy(
		   &roads, "http://ann:" SECRET "@conf:1", ROADS_CONFIG, &err));
	assert_int_equal(0, roads_take_no_proxy(&roads, "a.test", &err));
	assert_int_equal(0, roads_take_no_proxy(&roads, "b.test", &err));
	assert_int_equal(
	    0, roads_take_responder(&roads, "c.test", "none", false, &err));
	assert_int_equal(
	    0, roads_take_responder(&roads, "d.test", NULL, true, &err));
	assert_int_equal(
	    0, roads_take_upstream(&roads, "http://up.test:8866/", &err));
	assert_int_equal(0, roads_settle(&roads, get, &err));
	assert_int_equal(roads.plan.last_count, 2);
	assert_string_equal(proxy_plan_first(&roads.plan, "x.test", false)->url,
	    "http://env:1");
	assert_string_equal(roads.plan.skip, "a.test,b.test");
	assert_null(proxy_plan_first(&roads.plan, "a.test", false));
	assert_null(proxy_plan_first(&roads.plan, "c.test", false));
	assert_int_equal(roads.private_host_count, 1);
	assert_string_equal(roads.private_hosts[0], "d.test");
	/* a block that says nothing of proxies is no choice of one */
	assert_non_null(proxy_plan_first(&roads.plan, "d.test", false));
	assert_int_equal(roads.upstream_count, 1);
}

/* A fault of the environment is a warning, and ends nothing. */
static void
test_faulty_environment(void **state)
{
	struct err err = {0};

	(void)state;
	http_proxy = "socks4://" SECRET "@env:1";
	assert_int_equal(
	    0, roads_take_proxy(&roads, "http://conf:1", ROADS_CONFIG, &err));
	assert_int_equal(0, roads_settle(&roads, get, &err));
	assert_int_equal(err.reason, REASON_NONE);
	assert_int_equal(roads.warning.reason, REASON_USAGE);
	assert_non_null(strstr(roads.warning.text, "http_proxy"));
	assert_null(strstr(roads.warning.text, SECRET));
	assert_null(proxy_plan_first(&roads.plan, "x.test", false));
	assert_int_equal(roads.plan.last_count, 1);
	/* who wants none of them does not hear of it */
	(void)set_up(NULL);
	http_proxy = "socks4://env:1";
	assert_int_equal(
	    0, roads_take_proxy(&roads, "none", ROADS_COMMAND_LINE, &err));
	assert_int_equal(0, roads_settle(&roads, get, &err));
	assert_int_equal(roads.warning.reason, REASON_NONE);
}

/* Built anew, as for a reload, and nothing of the old is left in memory. */
static void
test_done(void **state)
{
	static const struct roads nothing;
	struct err err = {0};

	for (int i = 0; i < 2; i++) {
		(void)set_up(state);
		assert_int_equal(
		    0, roads_take_proxy(&roads, "http://ann:" SECRET "@conf:1",
			   ROADS_CONFIG, &err));
		assert_int_equal(0, roads_settle(&roads, get, &err));
		assert_string_equal(roads.plan.last[0].password, SECRET);
		roads_done(&roads);
		assert_memory_equal(&roads, &nothing, sizeof(roads));
	}
}

/* The file's credentials are the operator's, for the operator's proxies. */
static void
test_auth_file(void **state)
{
	char path[] = "/tmp/test_roads.XXXXXX";
	struct err err = {0};

	(void)state;
	close(mkstemp(path));
	assert_int_equal(
	    0, file_replace(path, "ann:" SECRET "\n", 11, 0600, &err));
	roads.auth_file = path;
	http_proxy = "http://env:1";
	assert_int_equal(0, roads_take_proxy(&roads, "http://said:1",
				ROADS_COMMAND_LINE, &err));
	assert_int_equal(0, roads_take_proxy(&roads, "http://bob:own@conf:1",
				ROADS_CONFIG, &err));
	assert_int_equal(0, roads_take_responder(&roads, "c.test",
				"socks5h://rule", false, &err));
	assert_int_equal(0, roads_settle(&roads, get, &err));
	assert_string_equal(roads.plan.last[0].password, SECRET);
	assert_string_equal(roads.plan.last[1].password, "own");
	assert_string_equal(roads.plan.rules[0].proxy.user, "ann");
	assert_string_equal(roads.plan.http.user, "");
	assert_string_equal(roads.plan.http.password, "");

	(void)set_up(NULL);
	assert_int_equal(
	    0, file_replace(path, "ann:" SECRET "\n", 11, 0644, &err));
	roads.auth_file = path;
	assert_int_equal(-1, roads_settle(&roads, get, &err));
	assert_int_equal(err.reason, REASON_FILE);
	assert_non_null(strstr(err.text, "chmod 600"));
	(void)unlink(path);
}

static int
refuse_many(struct err *err)
{
	int rc = 0;

	for (int i = 0; rc == 0 && i <= PROXIES_MAX; i++)
		rc = roads_take_proxy(
		    &roads, "http://p", ROADS_COMMAND_LINE, err);
	return rc;
}

static int
refuse_long_list(struct err *err)
{
	static char list[PROXY_SKIP_MAX];

	memset(list, 'a', sizeof(list) - 1);
	return roads_take_no_proxy(&roads, list, err);
}

static void
test_refused(void **state)
{
	struct err errs[10] = {0};
	size_t n = 0;

	(void)state;
	assert_int_equal(
	    -1, roads_take_proxy(&roads, "http://ann:" SECRET "@p:1",
		    ROADS_COMMAND_LINE, &errs[n++]));
	assert_int_equal(-1,
	    roads_take_proxy(&roads, "gopher://p", ROADS_CONFIG, &errs[n++]));
	assert_int_equal(
	    -1, roads_take_upstream(&roads, "ftp://p/", &errs[n++]));
	assert_int_equal(-1, roads_take_upstream(&roads, "", &errs[n++]));
	assert_int_equal(
	    -1, roads_take_upstream(&roads, "http://u:p@x/", &errs[n++]));
	assert_int_equal(-1, roads_take_responder(&roads, "http://ocsp.test/",
				 NULL, true, &errs[n++]));
	assert_int_equal(
	    -1, roads_take_responder(&roads, "ocsp.test",
		    "http://ann:" SECRET "@p:99999", false, &errs[n++]));
	(void)set_up(NULL);
	assert_int_equal(-1, refuse_many(&errs[n++]));
	assert_int_equal(-1, refuse_long_list(&errs[n++]));
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(errs[i].reason, REASON_USAGE);
		assert_null(strstr(errs[i].text, SECRET));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(test_none, set_up),
	    cmocka_unit_test_setup(test_none_in_the_file, set_up),
	    cmocka_unit_test_setup(test_all_together, set_up),
	    cmocka_unit_test_setup(test_faulty_environment, set_up),
	    cmocka_unit_test_setup(test_done, set_up),
	    cmocka_unit_test_setup(test_auth_file, set_up),
	    cmocka_unit_test_setup(test_refused, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
