/* SPDX-License-Identifier: ISC */
/* Applying a plan to a real nginx, where one is installed. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/proc.h"
#include "nginx_real.h"

static const uint8_t later[] = {0x30, 0x03, 0x0a, 0x01, 0x03};
static const struct span staple = {later, sizeof(later)};

#define FP "aa00000000000000000000000000000000000000000000000000000000000001"

struct fixture {
	struct real real;
	struct nginx_conf *conf;
	struct nginx_plan *plan;
};

struct outcome {
	int calls;
	struct err err;
};

static void
got_conf(void *cookie, struct nginx_conf *conf, const struct err *err)
{
	struct fixture *f = cookie;

	assert_string_equal(err->text, "");
	f->conf = conf;
}

/* Read nginx and plan, anew. */
static void
plan(struct fixture *f)
{
	nginx_plan_free(f->plan);
	nginx_conf_free(f->conf);
	f->plan = NULL;
	f->conf = NULL;
	(void)nginx_scan_start(&f->real.loop, &f->real.nginx, got_conf, f);
	loop_run(&f->real.loop);
	assert_non_null(f->conf);
	nginx_plan_make(&f->real.nginx, f->conf, &f->plan);
}

static void
note(void *cookie, const struct err *err)
{
	struct outcome *outcome = cookie;

	outcome->calls++;
	outcome->err = *err;
}

static struct outcome
apply(struct fixture *f)
{
	struct outcome outcome = {0};

	(void)nginx_apply_start(
	    &f->real.loop, &f->real.nginx, f->conf, f->plan, note, &outcome);
	assert_int_equal(outcome.calls, 0);
	loop_run(&f->real.loop);
	assert_int_equal(outcome.calls, 1);
	return outcome;
}

/* sites-enabled/a is a link to sites-available/a, as on Debian; it staples by
 * itself, and another site has two certificates. */
static int
set_up(void **state)
{
	struct fixture *f = mem_new(sizeof(*f));
	char *link, *site;
	static const char *const folders[] = {
	    "sites-available", "sites-enabled"};

	*state = f;
	real_init(&f->real);
	for (size_t i = 0; i < 2; i++) {
		char *path = real_path(&f->real, folders[i]);

		assert_int_equal(mkdir(path, 0755), 0);
		free(path);
	}
	real_configure(&f->real,
	    "\tinclude sites-enabled/*;\n\tserver {\n"
	    "\t\tlisten 127.0.0.1:@ ssl;\n\t\tserver_name two.test;\n"
	    "\t\tssl_certificate a.pem;\n\t\tssl_certificate_key a.key;\n"
	    "\t\tssl_certificate b.pem;\n\t\tssl_certificate_key b.key;\n\t}\n");
	site = mem_printf("server {\r\n  listen 127.0.0.1:%d ssl;\r\n"
			  "  server_name a.test;\r\n"
			  "  ssl_certificate a.pem;\r\n"
			  "  ssl_certificate_key a.key;\r\n"
			  "  ssl_stapling on;\r\n"
			  "  ssl_stapling_file old.der;\r\n}\r\n",
	    f->real.port);
	real_write(&f->real, "sites-available/a", site);
	link = real_path(&f->real, "sites-enabled/a");
	assert_int_equal(symlink("../sites-available/a", link), 0);
	free(link);
	link = real_path(&f->real, "old.der");
	assert_int_equal(
	    file_replace(link, later, sizeof(later), 0644, NULL), 0);
	free(link);
	free(site);
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	nginx_plan_free(f->plan);
	nginx_conf_free(f->conf);
	real_done(&f->real);
	free(f);
	return 0;
}

static void
need_nginx(struct fixture *f)
{
	if (f->real.binary != NULL)
		return;
	print_message("SKIP: no nginx is installed\n");
	skip();
}

static void
note_published(void *cookie, bool reloaded, const struct err *err)
{
	assert_string_equal(err->text, "");
	*(bool *)cookie = reloaded;
}

static void
installs_once(void **state)
{
	struct fixture *f = *state;
	char *path = real_path(&f->real, "sites-available/a");
	char *certificate = real_path(&f->real, "a.pem");
	struct nginx_change change = {certificate, FP, staple, false, false};
	struct outcome outcome;
	bool reloaded = false;
	struct stat st;
	char *text;

	need_nginx(f);
	assert_int_equal(chmod(path, 0640), 0);
	real_start(&f->real);
	real_await_staple(&f->real, staple); /* that of the operator */
	plan(f);
	assert_int_equal(f->plan->edit_count, 1);
	assert_string_equal(f->plan->edits[0].path, path);
	assert_int_equal(f->plan->note_count, 1);
	outcome = apply(f);
	assert_string_equal(outcome.err.text, "");
	real_await_staple(&f->real, (struct span){0});

	/* The link is a link still, the file has its mode, its line ends. */
	text = real_path(&f->real, "sites-enabled/a");
	assert_int_equal(lstat(text, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	free(text);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	text = real_read(&f->real, "sites-available/a");
	assert_non_null(strstr(text, "a.pem;\r\n  include "));
	assert_non_null(strstr(text, ".conf;\r\n  ssl_certificate_key"));
	assert_non_null(strstr(text, "\r\n  # oclasp: ssl_stapling on;\r\n"));
	free(text);

	/* Again: nothing to do, and a publish is all that it takes. */
	plan(f);
	assert_int_equal(f->plan->edit_count, 0);
	f->real.nginx.command = "/bin/false";
	outcome = apply(f);
	f->real.nginx.command = f->real.command;
	assert_string_equal(outcome.err.text, "");
	assert_string_equal(
	    nginx_site_certificate(&f->conf->sites[0]), certificate);
	assert_true(nginx_site_includes(
	    &f->real.nginx, &f->conf->sites[0], certificate));
	assert_null(nginx_site_certificate(&f->conf->sites[1]));
	(void)nginx_publish_start(&f->real.loop, &f->real.nginx, &change, 1,
	    note_published, &reloaded);
	loop_run(&f->real.loop);
	assert_true(reloaded);
	real_await_staple(&f->real, staple);

	/* Its own lines in its snippet are none of the operator's. */
	plan(f);
	assert_int_equal(f->plan->edit_count, 0);
	free(certificate);
	free(path);
}

/* What every file was, and that no snippet is left. */
static void
assert_untouched(struct fixture *f, const char *before)
{
	char *after = real_read(&f->real, "sites-available/a");
	char *certificate = real_path(&f->real, "a.pem");
	char *snippet = nginx_snippet_path(&f->real.nginx, certificate);

	assert_string_equal(after, before);
	assert_int_equal(access(snippet, F_OK), -1);
	free(after);
	free(certificate);
	free(snippet);
}

static void
puts_back_what_nginx_refuses(void **state)
{
	struct fixture *f = *state;
	char *before = real_read(&f->real, "sites-available/a");
	struct outcome outcome;
	char *worse;

	need_nginx(f);
	real_start(&f->real);
	plan(f);
	worse = mem_printf("%snonsense;\n", f->plan->edits[0].after);
	free(f->plan->edits[0].after);
	f->plan->edits[0].after = worse;
	outcome = apply(f);
	assert_int_equal(outcome.err.reason, REASON_SERVER_CONFIG);
	assert_non_null(strstr(outcome.err.text, "[emerg]"));
	assert_non_null(strstr(outcome.err.text, "put back"));
	assert_untouched(f, before);
	assert_int_equal(real_run(&f->real, "-t"), 0);
	free(before);
}

/* The operator was quicker. */
static void
refuses_a_file_that_has_changed(void **state)
{
	struct fixture *f = *state;
	struct outcome outcome;

	need_nginx(f);
	plan(f);
	real_write(&f->real, "sites-available/a", "# mine\n");
	outcome = apply(f);
	assert_int_equal(outcome.err.reason, REASON_FILE);
	assert_non_null(strstr(outcome.err.text, "plan again"));
	assert_untouched(f, "# mine\n");
}

static void
leaves_tested_files_to_the_next_start(void **state)
{
	struct fixture *f = *state;
	struct outcome outcome;

	need_nginx(f);
	plan(f);
	outcome = apply(f);
	assert_int_equal(outcome.err.reason, REASON_SERVER_RELOAD);
	assert_non_null(strstr(outcome.err.text, "start nginx"));
	plan(f);
	assert_int_equal(f->plan->edit_count, 0);
	real_start(&f->real);
}

/* A reload that fails for another reason: here the command knows only -t. */
static void
puts_back_when_the_reload_fails(void **state)
{
	struct fixture *f = *state;
	char *before = real_read(&f->real, "sites-available/a");
	char *script = real_path(&f->real, "wrapper");
	char *text;
	struct outcome outcome;

	need_nginx(f);
	plan(f);
	text = mem_printf("#!/bin/sh\n[ \"$1\" = -t ] || { echo 'nginx: "
			  "[alert] kill(1, 1) failed (1: Operation not "
			  "permitted)' >&2; exit 1; }\n");
	assert_int_equal(
	    file_replace(script, text, strlen(text), 0755, NULL), 0);
	free(text);
	f->real.nginx.command = script;
	outcome = apply(f);
	f->real.nginx.command = f->real.command;
	assert_int_equal(outcome.err.reason, REASON_SERVER_RELOAD);
	assert_non_null(strstr(outcome.err.text, "Operation not permitted"));
	assert_non_null(
	    strstr(outcome.err.text, "every file has been put back"));
	assert_untouched(f, before);
	free(before);
	free(script);
}

static void
puts_back_when_cancelled(void **state)
{
	struct fixture *f = *state;
	char *before = real_read(&f->real, "sites-available/a");
	struct outcome outcome = {0};
	struct nginx_apply *handle;

	need_nginx(f);
	plan(f);
	handle = nginx_apply_start(
	    &f->real.loop, &f->real.nginx, f->conf, f->plan, note, &outcome);
	nginx_apply_cancel(&handle);
	assert_null(handle);
	loop_run(&f->real.loop);
	assert_int_equal(outcome.calls, 0);
	assert_untouched(f, before);
	free(before);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(installs_once, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		puts_back_what_nginx_refuses, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		refuses_a_file_that_has_changed, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		leaves_tested_files_to_the_next_start, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		puts_back_when_the_reload_fails, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		puts_back_when_cancelled, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
