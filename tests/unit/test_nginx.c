/* SPDX-License-Identifier: ISC */
/* Reading a real nginx, where one is installed, and the names of snippets. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "nginx_real.h"

struct scanned {
	int calls;
	struct nginx_conf *conf;
	struct err err;
};

static void
note(void *cookie, struct nginx_conf *conf, const struct err *err)
{
	struct scanned *scanned = cookie;

	scanned->calls++;
	scanned->conf = conf;
	scanned->err = *err;
}

static struct scanned
scan(struct real *real)
{
	struct scanned scanned = {0};

	(void)nginx_scan_start(&real->loop, &real->nginx, note, &scanned);
	assert_int_equal(scanned.calls, 0);
	loop_run(&real->loop);
	assert_int_equal(scanned.calls, 1);
	return scanned;
}

static int
set_up(void **state)
{
	struct real *real = mem_new(sizeof(*real));

	*state = real;
	real_init(real);
	return 0;
}

static int
tear_down(void **state)
{
	real_done(*state);
	free(*state);
	return 0;
}

static void
need_nginx(const struct real *real)
{
	if (real->binary != NULL)
		return;
	print_message("SKIP: no nginx is installed\n");
	skip();
}

static void
scans_a_real_nginx(void **state)
{
	struct real *real = *state;
	struct scanned scanned;
	char *listen = mem_printf("127.0.0.1:%d", real->port);
	char *want = mem_printf("server { listen %s ssl; server_name x;\n"
				"include tls.inc; }",
	    listen);

	need_nginx(real);
	real_write(real, "sites.conf", want);
	free(want);
	real_write(real, "tls.inc",
	    "ssl_certificate a.pem;\r\nssl_certificate_key a.key;");
	real_configure(real, "include *.conf.d/*;\ninclude site*.conf;\n");
	scanned = scan(real);
	assert_string_equal(scanned.err.text, "");
	assert_int_equal(scanned.conf->file_count, 3);
	for (size_t i = 0; i < scanned.conf->file_count; i++) {
		char *text = real_read(real, scanned.conf->files[i].path);

		assert_string_equal(text, scanned.conf->files[i].text);
		free(text);
	}
	assert_int_equal(scanned.conf->site_count, 1);
	assert_int_equal(scanned.conf->sites[0].certificate_count, 1);
	want = real_path(real, "a.pem");
	assert_string_equal(scanned.conf->sites[0].certificates[0], want);
	free(want);
	assert_string_equal(scanned.conf->sites[0].listens[0], listen);
	free(listen);
	nginx_conf_free(scanned.conf);
}

/* REASON_SERVER_CONFIG with nginx's own words. */
static void
tells_what_nginx_says(void **state)
{
	struct real *real = *state;
	struct scanned scanned;

	need_nginx(real);
	real_configure(real, "nonsense on;\n");
	scanned = scan(real);
	assert_null(scanned.conf);
	assert_int_equal(scanned.err.reason, REASON_SERVER_CONFIG);
	assert_non_null(strstr(scanned.err.text, "[emerg]"));
	assert_non_null(
	    strstr(scanned.err.text, "unknown directive \"nonsense\""));
	assert_non_null(strstr(scanned.err.text, "nginx.conf:"));
}

static void
tells_that_there_is_none(void **state)
{
	struct real *real = *state;
	struct scanned scanned;

	real->nginx.command = "/nonexistent/nginx -p x";
	scanned = scan(real);
	assert_null(scanned.conf);
	assert_int_equal(scanned.err.reason, REASON_SERVER_CONFIG);
	assert_non_null(
	    strstr(scanned.err.text, "cannot run '/nonexistent/nginx'"));
	real->nginx.command = "/bin/true";
	scanned = scan(real);
	assert_non_null(strstr(scanned.err.text, "printed no configuration"));
	real->nginx.command = "";
	scanned = scan(real);
	assert_int_equal(scanned.err.reason, REASON_SERVER_CONFIG);
}

/* PATH of an ordinary user lacks /usr/sbin. */
static void
finds_nginx_outside_of_path(void **state)
{
	struct real *real = *state;
	struct scanned scanned;
	const char *path = getenv("PATH");
	char *saved = mem_string(path == NULL ? "/usr/bin" : path);
	char *command = mem_printf("nginx -p %s -c nginx.conf", real->dir);

	need_nginx(real);
	real_configure(real, "");
	real->nginx.command = command;
	assert_int_equal(setenv("PATH", "/nonexistent", 1), 0);
	scanned = scan(real);
	assert_int_equal(setenv("PATH", saved, 1), 0);
	assert_string_equal(scanned.err.text, "");
	assert_int_equal(scanned.conf->file_count, 1);
	nginx_conf_free(scanned.conf);
	free(command);
	free(saved);
}

static void
is_silent_when_cancelled(void **state)
{
	struct real *real = *state;
	struct scanned scanned = {0};
	struct nginx_scan *handle;

	real->nginx.command = "/bin/sleep 60";
	handle = nginx_scan_start(&real->loop, &real->nginx, note, &scanned);
	nginx_scan_cancel(&handle);
	assert_null(handle);
	nginx_scan_cancel(&handle);
	loop_run(&real->loop);
	assert_int_equal(scanned.calls, 0);
}

static void
names_snippets(void **state)
{
	static const struct {
		const char *path, *begins;
	} cases[] = {
	    {"/etc/letsencrypt/live/example.com/fullchain.pem",
		"/s/etc-letsencrypt-live-example.com-fullchain.pem-"},
	    {"/a-b/c", "/s/a-b-c-"},
	    {"/a/b-c", "/s/a-b-c-"},
	    {"/c/with blank;{}$\"'", "/s/c-with_blank______-"},
	    {"relative", "/s/relative-"},
	};
	struct nginx nginx = {.snippet_dir = "/s", .staple_dir = "/d"};
	char *paths[sizeof(cases) / sizeof(cases[0])];
	char longer[1000];
	char *path;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		paths[i] = nginx_snippet_path(&nginx, cases[i].path);
		assert_true(text_starts(paths[i], cases[i].begins));
		assert_int_equal(
		    strlen(paths[i]), strlen(cases[i].begins) + 16 + 5);
		assert_string_equal(paths[i] + strlen(paths[i]) - 5, ".conf");
		path = nginx_snippet_path(&nginx, cases[i].path);
		assert_string_equal(path, paths[i]); /* stable */
		free(path);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(paths[i], paths[k]);
	}
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		free(paths[i]);
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	path = nginx_snippet_path(&nginx, longer);
	assert_true(strlen(path) < 200);
	free(path);
}

static void
knows_who_includes(void **state)
{
	struct nginx nginx = {.snippet_dir = "/s", .staple_dir = "/d"};
	char *includes[2] = {
	    mem_string("/other"), nginx_snippet_path(&nginx, "/c/a.pem")};
	struct nginx_site site = {.includes = includes, .include_count = 2};

	(void)state;
	assert_true(nginx_site_includes(&nginx, &site, "/c/a.pem"));
	assert_false(nginx_site_includes(&nginx, &site, "/c/b.pem"));
	site.include_count = 1;
	assert_false(nginx_site_includes(&nginx, &site, "/c/a.pem"));
	free(includes[0]);
	free(includes[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		scans_a_real_nginx, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		tells_what_nginx_says, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		tells_that_there_is_none, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		finds_nginx_outside_of_path, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		is_silent_when_cancelled, set_up, tear_down),
	    cmocka_unit_test(names_snippets),
	    cmocka_unit_test(knows_who_includes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
