/* SPDX-License-Identifier: ISC */
/* test_proxy.c -- http/proxy: URLs, credentials, no_proxy, the environment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "http/proxy.h"

#define SECRET "S3cret"

static const struct {
	const char *text;
	const char *url; /* as shown; NULL: refused */
	enum proxy_kind kind;
	const char *host;
	int port;
	const char *user, *password;
} good[] = {
    {"http://p.test:3128", "http://p.test:3128", PROXY_HTTP, "p.test", 3128, "",
	""},
    {"http://p.test:3128/", "http://p.test:3128", PROXY_HTTP, "p.test", 3128,
	"", ""},
    /* as curl: no scheme is http, and the port is 1080 */
    {"p.test", "http://p.test:1080", PROXY_HTTP, "p.test", 1080, "", ""},
    {"p.test:8080", "http://p.test:8080", PROXY_HTTP, "p.test", 8080, "", ""},
    {"10.0.0.1:8080", "http://10.0.0.1:8080", PROXY_HTTP, "10.0.0.1", 8080, "",
	""},
    {"https://p.test", "https://p.test:443", PROXY_HTTPS, "p.test", 443, "",
	""},
    {"socks5://p.test", "socks5://p.test:1080", PROXY_SOCKS5, "p.test", 1080,
	"", ""},
    {"SOCKS5H://p.test:9050", "socks5h://p.test:9050", PROXY_SOCKS5H, "p.test",
	9050, "", ""},
    {"http://[2001:db8::1]:3128", "http://[2001:db8::1]:3128", PROXY_HTTP,
	"2001:db8::1", 3128, "", ""},
    {"http://ann:" SECRET "@p.test:3128", "http://p.test:3128", PROXY_HTTP,
	"p.test", 3128, "ann", SECRET},
    {"socks5h://ann:a%40b%3A@p.test", "socks5h://p.test:1080", PROXY_SOCKS5H,
	"p.test", 1080, "ann", "a@b:"},
    {"http://ann@p.test:3128", "http://p.test:3128", PROXY_HTTP, "p.test", 3128,
	"ann", ""},
    {"ann:" SECRET "@p.test:3128", "http://p.test:3128", PROXY_HTTP, "p.test",
	3128, "ann", SECRET},
};

static const char *const bad[] = {
    "\314%0/@\320/..",
    "http://%34/@x/..",
    "",
    "http://",
    "http://:3128",
    "http://p.test:0",
    "http://p.test:65536",
    "http://p.test:" SECRET,
    "http://p.test:3128/path",
    "http://p.test:3128/?q",
    "http://p.test:3128/#f",
    "socks4://p.test",
    "socks4a://p.test",
    "ftp://p.test",
    "file:///etc/passwd",
    "http://p test:3128",
    "http://p.test\n:3128",
    "http://p%0a.test:3128",
    "http://a%2fb:3128",
    "http://[::1:3128",
    "http://ann:" SECRET "%0d%0aX: y@p.test:3128",
    "http://ann%00:" SECRET "@p.test:3128",
    "%34",
    "http://p%2etest:3128",
};

static void
test_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct proxy p;
		struct err err = {0};

		if (proxy_parse(good[i].text, true, &p, &err) == -1)
			fail_msg("%s: %s", good[i].text, err.text);
		assert_string_equal(p.url, good[i].url);
		assert_int_equal(p.kind, good[i].kind);
		assert_string_equal(p.host, good[i].host);
		assert_int_equal(p.port, good[i].port);
		assert_string_equal(p.user, good[i].user);
		assert_string_equal(p.password, good[i].password);
		assert_null(strstr(p.url, SECRET));
	}
}

static void
test_bad(void **state)
{
	char long_host[400] = "http://";
	char long_user[400] = "http://";

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct proxy p = {.port = 7};
		struct err err = {0};

		if (proxy_parse(bad[i], true, &p, &err) != -1)
			fail_msg("'%s' was taken as %s", bad[i], p.url);
		assert_int_equal(err.reason, REASON_USAGE);
		assert_int_equal(p.port, 7);
		/* a typing error must not put the password into a log */
		assert_null(strstr(err.text, SECRET));
	}
	memset(long_host + 7, 'a', 300);
	assert_int_equal(
	    -1, proxy_parse(long_host, true, &(struct proxy){.port = 7}, NULL));
	memset(long_user + 7, 'a', PROXY_AUTH_MAX);
	memcpy(long_user + 7 + PROXY_AUTH_MAX, ":x@p.test", 10);
	assert_int_equal(
	    -1, proxy_parse(long_user, true, &(struct proxy){.port = 7}, NULL));
}

/* On the command line everybody can read it: ps(1). */
static void
test_no_secret_on_the_command_line(void **state)
{
	struct proxy p = {.port = 7};
	struct err err = {0};

	(void)state;
	assert_int_equal(-1,
	    proxy_parse("http://ann:" SECRET "@p.test:3128", false, &p, &err));
	assert_int_equal(err.reason, REASON_USAGE);
	assert_non_null(strstr(err.text, "--proxy-auth-file"));
	assert_null(strstr(err.text, SECRET));
	assert_int_equal(0, proxy_parse("http://p.test:3128", false, &p, &err));
}

static const struct {
	const char *name;
	const char *content;
	mode_t mode;
	const char *user, *password; /* NULL: refused */
	enum reason reason;
} files[] = {
    {"plain", "ann:" SECRET "\n", 0600, "ann", SECRET, REASON_NONE},
    {"read-only", "ann:" SECRET, 0400, "ann", SECRET, REASON_NONE},
    {"colons", "ann:a:b:c\r\n", 0600, "ann", "a:b:c", REASON_NONE},
    {"no password", "ann:\n", 0600, "ann", "", REASON_NONE},
    {"group reads", "ann:" SECRET "\n", 0640, NULL, NULL, REASON_FILE},
    {"world reads", "ann:" SECRET "\n", 0604, NULL, NULL, REASON_FILE},
    {"group writes", "ann:" SECRET "\n", 0620, NULL, NULL, REASON_FILE},
    {"no colon", SECRET "\n", 0600, NULL, NULL, REASON_USAGE},
    {"no user", ":" SECRET "\n", 0600, NULL, NULL, REASON_USAGE},
    {"empty", "", 0600, NULL, NULL, REASON_USAGE},
    {"two lines", "ann:" SECRET "\nbob:x\n", 0600, NULL, NULL, REASON_USAGE},
    {"control", "ann:" SECRET "\x01\n", 0600, NULL, NULL, REASON_USAGE},
};

static void
test_auth_file(void **state)
{
	char folder[] = "/tmp/test_proxy.XXXXXX";
	char path[64];

	(void)state;
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/auth", folder);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		char user[PROXY_AUTH_MAX] = "?", password[PROXY_AUTH_MAX] = "?";
		struct err err = {0};
		int rc;

		assert_int_equal(
		    0, file_replace(path, files[i].content,
			   strlen(files[i].content), files[i].mode, &err));
		rc = proxy_read_auth(path, user, password, &err);
		if ((rc == 0) != (files[i].user != NULL))
			fail_msg("%s: %s", files[i].name, err.text);
		assert_int_equal(err.reason, files[i].reason);
		assert_string_equal(
		    user, files[i].user == NULL ? "?" : files[i].user);
		assert_string_equal(
		    password, files[i].user == NULL ? "?" : files[i].password);
		assert_null(strstr(err.text, SECRET));
		if (files[i].reason == REASON_FILE)
			assert_non_null(strstr(err.text, "chmod 600"));
	}
	assert_int_equal(0, unlink(path));
	{
		char user[PROXY_AUTH_MAX], password[PROXY_AUTH_MAX];
		struct err err = {0};

		assert_int_equal(
		    -1, proxy_read_auth(path, user, password, &err));
		assert_int_equal(err.reason, REASON_FILE);
		assert_int_equal(0, mkfifo(path, 0600));
		err_clear(&err);
		assert_int_equal(
		    -1, proxy_read_auth(path, user, password, &err));
		assert_non_null(strstr(err.text, "regular"));
	}
	(void)unlink(path);
	(void)rmdir(folder);
}

static const struct {
	const char *list, *host;
	bool has;
} lists[] = {
    {"", "ocsp.test", false},
    {"*", "ocsp.test", true},
    {"*", "10.0.0.1", true},
    {"ocsp.test", "ocsp.test", true},
    {"OCSP.Test", "ocsp.test", true},
    {"ocsp.test.", "ocsp.test", true},
    {"ocsp.test", "ocsp.test.", true},
    {"test", "ocsp.test", true},
    {".test", "ocsp.test", true},
    {".ocsp.test", "ocsp.test", true},
    {"a,ocsp.test", "ocsp.test", true},
    {" a , ocsp.test ,b", "ocsp.test", true},
    {"a ocsp.test", "ocsp.test", true},
    {",,,ocsp.test", "ocsp.test", true},
    {"10.0.0.1", "10.0.0.1", true},
    {"10.0.0.0/8", "10.9.8.7", true},
    {"0.0.0.0/0", "192.0.2.1", true},
    {"192.0.2.0/25", "192.0.2.127", true},
    {"2001:db8::1", "2001:db8::1", true},
    {"[2001:db8::1]", "2001:db8::1", true},
    {"2001:db8::/32", "2001:db8:ffff::1", true},
    {"csp.test", "ocsp.test", false},
    {"ocsp.test", "test", false},
    {"a.ocsp.test", "ocsp.test", false},
    {"ocsp.tes", "ocsp.test", false},
    {"*.test", "ocsp.test", false}, /* as curl: no patterns */
    {".", "ocsp.test", false},
    {"..", "ocsp.test", false},
    {"10.0.0.1", "10.0.0.11", false},
    {"0.0.1", "10.0.0.1", false}, /* an address has no suffixes */
    {"10.0.0.0/33", "10.0.0.1", false},
    {"10.0.0.0/", "10.0.0.1", false},
    {"10.0.0.0/x", "10.0.0.1", false},
    {"/8", "10.0.0.1", false},
    {"192.0.2.0/25", "192.0.2.128", false},
    {"2001:db8::/32", "2001:db9::1", false},
    {"10.0.0.0/8", "ocsp.test", false},
    {"::/0", "10.0.0.1", false},
    {"[", "::1", false},
};

static void
test_lists(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		if (proxy_list_has(lists[i].list, lists[i].host) !=
		    lists[i].has)
			fail_msg("no_proxy '%s' has %s'%s'", lists[i].list,
			    lists[i].has ? "" : "not ", lists[i].host);
	}
}

/* --- the environment --- */

enum { SET_MAX = 5 };

static const struct variables {
	const char *name;
	const char *set[SET_MAX][2];
	const char *http, *https; /* the proxy's URL that is used first */
	const char *skip;
} variables[] = {
    {"nothing", {{0}}, NULL, NULL, ""},
    {"http_proxy", {{"http_proxy", "http://a:1"}}, "http://a:1", NULL, ""},
    {"HTTP_PROXY is a client's word to a CGI program",
	{{"HTTP_PROXY", "http://a:1"}}, NULL, NULL, ""},
    {"https_proxy", {{"https_proxy", "http://a:1"}}, NULL, "http://a:1", ""},
    {"HTTPS_PROXY", {{"HTTPS_PROXY", "http://a:1"}}, NULL, "http://a:1", ""},
    {"lower case first",
	{{"HTTPS_PROXY", "http://a:1"}, {"https_proxy", "http://b:2"}}, NULL,
	"http://b:2", ""},
    {"all_proxy", {{"all_proxy", "socks5h://a:1"}}, "socks5h://a:1",
	"socks5h://a:1", ""},
    {"ALL_PROXY", {{"ALL_PROXY", "socks5://a:1"}}, "socks5://a:1",
	"socks5://a:1", ""},
    {"the scheme's own first",
	{{"all_proxy", "http://a:1"}, {"http_proxy", "http://b:2"}},
	"http://b:2", "http://a:1", ""},
    {"an empty one is none", {{"http_proxy", ""}, {"all_proxy", "http://a:1"}},
	"http://a:1", "http://a:1", ""},
    {"no_proxy",
	{{"all_proxy", "http://a:1"}, {"no_proxy", "x,y"}, {"NO_PROXY", "z"}},
	"http://a:1", "http://a:1", "x,y"},
    {"NO_PROXY", {{"NO_PROXY", "z"}}, NULL, NULL, "z"},
};

static const struct variables *now_set;

static const char *
get(const char *name)
{
	for (size_t i = 0; i < SET_MAX && now_set->set[i][0] != NULL; i++) {
		if (strcmp(now_set->set[i][0], name) == 0)
			return now_set->set[i][1];
	}
	return NULL;
}

static const char *
url_of(const struct proxy *proxy)
{
	return proxy == NULL ? "none" : proxy->url;
}

static void
test_environment(void **state)
{
	static struct proxy_plan plan; /* large */

	(void)state;
	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
		struct err err = {0};

		now_set = &variables[i];
		memset(&plan, 0, sizeof(plan));
		if (proxy_plan_read_environment(&plan, get, &err) == -1)
			fail_msg("%s: %s", now_set->name, err.text);
		if (strcmp(url_of(proxy_plan_first(&plan, "ocsp.test", false)),
			now_set->http == NULL ? "none" : now_set->http) != 0)
			fail_msg("%s: http", now_set->name);
		if (strcmp(url_of(proxy_plan_first(&plan, "ocsp.test", true)),
			now_set->https == NULL ? "none" : now_set->https) != 0)
			fail_msg("%s: https", now_set->name);
		assert_string_equal(plan.skip, now_set->skip);
		assert_false(proxy_plan_has_last(&plan, "ocsp.test"));
	}
}

/* What is faulty is left out and named, the rest counts; the value, which may
 * hold a password, is not repeated. */
static void
test_bad_environment(void **state)
{
	static char long_list[PROXY_SKIP_MAX + 1];
	static const struct variables bad_ones[] = {
	    {"scheme", {{"http_proxy", "socks4://u:" SECRET "@a:1"}}, 0, 0, ""},
	    {"port", {{"all_proxy", "http://a:" SECRET}}, 0, 0, ""},
	    {"no host", {{"https_proxy", "http://:3128"}}, 0, 0, ""},
	    {"a path", {{"http_proxy", "http://a/" SECRET}}, 0, 0, ""},
	    {"one of two",
		{{"http_proxy", "gopher://a"}, {"https_proxy", "http://b:2"}},
		NULL, "http://b:2", ""},
	    {"no other takes its place",
		{{"http_proxy", "gopher://a"}, {"all_proxy", "http://b:2"}},
		NULL, "http://b:2", ""},
	    {"the list is too long",
		{{"no_proxy", long_list}, {"http_proxy", "http://b:2"}}, NULL,
		NULL, ""},
	};
	static struct proxy_plan plan;

	(void)state;
	memset(long_list, 'a', sizeof(long_list) - 1);
	for (size_t i = 0; i < sizeof(bad_ones) / sizeof(bad_ones[0]); i++) {
		struct err err = {0};

		now_set = &bad_ones[i];
		memset(&plan, 0, sizeof(plan));
		assert_int_equal(
		    -1, proxy_plan_read_environment(&plan, get, &err));
		assert_int_equal(err.reason, REASON_USAGE);
		assert_non_null(strstr(err.text, bad_ones[i].set[0][0]));
		assert_non_null(strstr(err.text, "ignored"));
		assert_null(strstr(err.text, SECRET));
		if (strcmp(url_of(proxy_plan_first(&plan, "ocsp.test", false)),
			now_set->http == NULL ? "none" : now_set->http) != 0 ||
		    strcmp(url_of(proxy_plan_first(&plan, "ocsp.test", true)),
			now_set->https == NULL ? "none" : now_set->https) != 0)
			fail_msg("%s: what is left", now_set->name);
	}
}

/* Who goes by which way: rules before no_proxy before the rest. */
static void
test_plan(void **state)
{
	static struct proxy_plan plan;
	static const struct {
		const char *host;
		const char *first;
		bool last;
	} rows[] = {
	    {"ocsp.test", "http://env:1", true},
	    {"ocsp.skipped.test", "none", false},
	    {"none.test", "none", false},
	    {"NONE.test", "none", false},
	    {"own.test", "socks5h://own:1080", true},
	    {"own.skipped.test", "socks5h://own:1080", true},
	    {"sub.own.test", "http://env:1", true},
	};

	(void)state;
	memset(&plan, 0, sizeof(plan));
	plan.has_http = true;
	assert_int_equal(0, proxy_parse("http://env:1", true, &plan.http, 0));
	assert_int_equal(0, proxy_parse("http://z:1", true, &plan.last[0], 0));
	plan.last_count = 1;
	(void)snprintf(plan.skip, sizeof(plan.skip), "skipped.test");
	plan.rule_count = 3;
	plan.rules[0] = (struct proxy_rule){.host = "none.test", .none = true};
	plan.rules[1] = (struct proxy_rule){.host = "own.test"};
	plan.rules[2] = (struct proxy_rule){.host = "own.skipped.test"};
	for (int i = 1; i < 3; i++)
		assert_int_equal(0, proxy_parse("socks5h://own", true,
					&plan.rules[i].proxy, 0));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *first =
		    url_of(proxy_plan_first(&plan, rows[i].host, false));

		if (strcmp(first, rows[i].first) != 0)
			fail_msg("%s goes by %s", rows[i].host, first);
		if (proxy_plan_has_last(&plan, rows[i].host) != rows[i].last)
			fail_msg("%s: the last class", rows[i].host);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_good),
	    cmocka_unit_test(test_bad),
	    cmocka_unit_test(test_no_secret_on_the_command_line),
	    cmocka_unit_test(test_auth_file),
	    cmocka_unit_test(test_lists),
	    cmocka_unit_test(test_environment),
	    cmocka_unit_test(test_bad_environment),
	    cmocka_unit_test(test_plan),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
