/* SPDX-License-Identifier: ISC */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "servers/nginx.h"

enum { TEXT_MAX = 1 << 20, FILES_MAX = 3 };

static const struct nginx nginx = {
    .command = "nginx", .snippet_dir = "/s", .staple_dir = "/d"};

/* TEXT with each {A} as the include of /c/a's snippet, {B} of /c/b's; owned. */
static char *
with_includes(const char *text)
{
	char *a = nginx_snippet_path(&nginx, "/c/a");
	char *b = nginx_snippet_path(&nginx, "/c/b");
	struct buf out;

	buf_init(&out, TEXT_MAX);
	for (; *text != '\0'; text++) {
		if (text_starts(text, "{A}") || text_starts(text, "{B}")) {
			buf_printf(&out, "include %s;", text[1] == 'A' ? a : b);
			text += 2;
		} else {
			buf_add(&out, text, 1);
		}
	}
	free(a);
	free(b);
	return buf_take(&out);
}

struct file {
	const char *path;           /* NULL: no more */
	const char *before, *after; /* after NULL: not edited */
};

struct plan_case {
	const char *name;
	struct file files[FILES_MAX];
	const char *note; /* in a note; NULL: none at all */
};

#define MAIN "/e/nginx.conf"

static const struct plan_case cases[] = {
    {"behind the certificate",
	{{MAIN,
	    "http {\n\tserver {\n\t\tlisten 443 ssl;\n"
	    "\t\tssl_certificate /c/a; # mine\n\t\tx;\n\t}\n}\n",
	    "http {\n\tserver {\n\t\tlisten 443 ssl;\n"
	    "\t\tssl_certificate /c/a; # mine\n\t\t{A}\n\t\tx;\n\t}\n}\n"}},
	NULL},
    {"carriage returns stay",
	{{MAIN,
	    "http {\r\n  server {\r\n    ssl_certificate /c/a;\r\n"
	    "    ssl_stapling on;\r\n  }\r\n}\r\n",
	    "http {\r\n  server {\r\n    ssl_certificate /c/a;\r\n"
	    "    {A}\r\n    # oclasp: ssl_stapling on;\r\n  }\r\n}\r\n"}},
	NULL},
    {"everything on one line",
	{{MAIN, "http { server { ssl_stapling on; ssl_certificate /c/a; x; } }",
	    "http { server { # oclasp: ssl_stapling on;\n "
	    "ssl_certificate /c/a; {A} x; } }"}},
	NULL},
    {"stapling right behind",
	{{MAIN,
	    "http{server{ssl_certificate /c/a;ssl_stapling on;"
	    "ssl_stapling_file x;}}\n",
	    "http{server{ssl_certificate /c/a; {A}# oclasp: ssl_stapling on;"
	    "\n# oclasp: ssl_stapling_file x;\n}}\n"}},
	NULL},
    {"stapling of its own, over lines; verify and responder may stay",
	{{MAIN,
	    "http {\n server {\n  ssl_certificate\n    /c/a;\n"
	    "  ssl_stapling\n    on;\n  ssl_stapling_verify on;\n"
	    "  ssl_stapling_file /x; # old\n }\n}\n",
	    "http {\n server {\n  ssl_certificate\n    /c/a;\n  {A}\n"
	    "  # oclasp: ssl_stapling\n# oclasp:     on;\n"
	    "  ssl_stapling_verify on;\n"
	    "  # oclasp: ssl_stapling_file /x; # old\n }\n}\n"}},
	NULL},
    {"in an included file without a line feed at its end",
	{{MAIN, "http {\n server {\n  include x;\n }\n}\n", NULL},
	    {"/e/x", "  ssl_certificate /c/a;",
		"  ssl_certificate /c/a;\n"
		"  {A}"}},
	NULL},
    {"one file for two servers is edited once",
	{{MAIN,
	     "http {\n server { listen 1 ssl; include x; }\n"
	     " server { listen 2 ssl; include x; }\n}\n",
	     NULL},
	    {"/e/x", "ssl_certificate /c/a;\n",
		"ssl_certificate /c/a;\n{A}\n"}},
	NULL},
    {"two servers, two certificates, in one file",
	{{MAIN,
	    "http {\n server {\n  ssl_certificate /c/a;\n }\n"
	    " server {\n  ssl_certificate /c/b;\n }\n}\n",
	    "http {\n server {\n  ssl_certificate /c/a;\n  {A}\n }\n"
	    " server {\n  ssl_certificate /c/b;\n  {B}\n }\n}\n"}},
	NULL},
    {"a lone carriage return ends no line",
	{{MAIN, "http {\n server {\n  ssl_certificate /c/a;\rx;\n }\n}\n",
	    "http {\n server {\n  ssl_certificate /c/a; {A}\rx;\n }\n}\n"}},
	NULL},
    {"inherited from http",
	{{MAIN,
	    "http {\n\tssl_certificate /c/a;\n\tserver {\n"
	    "\t  listen 443 ssl;\n\t}\n\tserver { listen 444 ssl; }\n}\n",
	    "http {\n\tssl_certificate /c/a;\n\tserver {\n"
	    "\t  listen 443 ssl;\n\t  {A}\n\t}\n"
	    "\tserver { listen 444 ssl;  {A} }\n}\n"}},
	NULL},
    {"inherited, its stapling last in the line",
	{{MAIN,
	    "http {\n ssl_certificate /c/a;\n"
	    " server {listen 1 ssl;ssl_stapling on;}\n}\n",
	    "http {\n ssl_certificate /c/a;\n"
	    " server {listen 1 ssl;# oclasp: ssl_stapling on;\n  {A} }\n}\n"}},
	NULL},
    {"a block whose inside begins no line",
	{{MAIN,
	    "http { ssl_certificate /c/a;\n  server { listen 1 ssl;\n  }\n}\n",
	    "http { ssl_certificate /c/a;\n  server { listen 1 ssl;\n"
	    "      {A}\n  }\n}\n"}},
	NULL},
    {"shared with a block that has two certificates",
	{{MAIN,
	     "http {\n server {\n  include x;\n }\n"
	     " server {\n  include x;\n  ssl_certificate /c/b;\n }\n}\n",
	     "http {\n server {\n  include x;\n  {A}\n }\n"
	     " server {\n  include x;\n  ssl_certificate /c/b;\n }\n}\n"},
	    {"/e/x", "ssl_certificate /c/a;\n", NULL}},
	"/e/nginx.conf:5: the server block has several certificates"},
    {"stapling shared with a block that is left alone",
	{{MAIN,
	     "http {\n server {\n  ssl_certificate /c/a;\n  include x;\n }\n"
	     " server {\n  include x;\n  ssl_certificate /c/b;\n"
	     "  ssl_certificate /c/a;\n }\n}\n",
	     "http {\n server {\n  ssl_certificate /c/a;\n  {A}\n"
	     "  include x;\n }\n"
	     " server {\n  include x;\n  ssl_certificate /c/b;\n"
	     "  ssl_certificate /c/a;\n }\n}\n"},
	    {"/e/x", "ssl_stapling on;\n", "# oclasp: ssl_stapling on;\n"}},
	"/e/x:1: 'ssl_stapling' is commented out for other"},
    {"by variable",
	{{MAIN,
	    "http { server { listen 1 ssl;\n"
	    "ssl_certificate $ssl_server_name.crt; } }",
	    NULL}},
	"/e/nginx.conf:2: the certificate '$ssl_server_name.crt' is no file"},
    {"stream",
	{{MAIN, "stream { server { listen 1 ssl; ssl_certificate /c/a; } }",
	    NULL}},
	"since nginx 1.27.2"},
    {"a staple for all", {{MAIN, "http {\nssl_stapling_file x; }", NULL}},
	"/e/nginx.conf:2: ssl_stapling_file in http {}"},
    {"stapling of http itself stays",
	{{MAIN,
	    "http {\n ssl_stapling on;\n server {\n  ssl_certificate /c/a;\n"
	    " }\n}\n",
	    "http {\n ssl_stapling on;\n server {\n  ssl_certificate /c/a;\n"
	    "  {A}\n }\n}\n"}},
	NULL},
    {"the path of the certificate has changed",
	{{MAIN, "http {\n server {\n  ssl_certificate /c/b;\n  {A}\n }\n}\n",
	    "http {\n server {\n  ssl_certificate /c/b;\n  {B}\n"
	    "  # oclasp: {A}\n }\n}\n"}},
	NULL},
    {"a second certificate has come",
	{{MAIN,
	    "http {\n server {\n  ssl_certificate /c/b;\n  {A}\n"
	    "  ssl_certificate /c/a;\n }\n}\n",
	    "http {\n server {\n  ssl_certificate /c/b;\n  # oclasp: {A}\n"
	    "  ssl_certificate /c/a;\n }\n}\n"}},
	"several certificates"},
    {"everything in place",
	{{MAIN, "http {\n server {\n  ssl_certificate /c/a;\n  {A}\n }\n}\n",
	    NULL}},
	NULL},
    {"no TLS", {{MAIN, "http { server { listen 80; } }", NULL}}, NULL},
};

/* The configuration of the rows, each file as BEFORE or AFTER; and the
 * snippets, which say something. */
static struct nginx_conf *
conf_of(const struct plan_case *row, bool after)
{
	char *a = nginx_snippet_path(&nginx, "/c/a");
	char *b = nginx_snippet_path(&nginx, "/c/b");
	struct nginx_conf *conf = NULL;
	struct err err = {0};
	struct buf dump;

	buf_init(&dump, TEXT_MAX);
	for (size_t i = 0; i < FILES_MAX && row->files[i].path != NULL; i++) {
		const struct file *file = &row->files[i];
		char *text = with_includes(
		    after && file->after != NULL ? file->after : file->before);

		buf_printf(
		    &dump, "# configuration file %s:\n%s\n", file->path, text);
		free(text);
	}
	buf_printf(&dump,
	    "# configuration file %s:\nssl_stapling on;\n\n"
	    "# configuration file %s:\nssl_stapling on;\n\n",
	    a, b);
	free(a);
	free(b);
	(void)nginx_conf_parse(buf_text(&dump), dump.len, &conf, &err);
	assert_string_equal(err.text, "");
	buf_done(&dump);
	return conf;
}

static void
assert_edit(const struct nginx_plan *plan, const struct file *file)
{
	const struct nginx_edit *found = NULL;
	char *before = with_includes(file->before);
	char *after;

	for (size_t i = 0; i < plan->edit_count; i++) {
		if (strcmp(plan->edits[i].path, file->path) == 0)
			found = &plan->edits[i];
	}
	if (file->after == NULL) {
		assert_null(found);
	} else {
		assert_non_null(found);
		after = with_includes(file->after);
		assert_string_equal(found->before, before);
		assert_string_equal(found->after, after);
		free(after);
	}
	free(before);
}

static void
plans_the_least(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct nginx_conf *conf = conf_of(&cases[i], false);
		struct nginx_plan *plan = NULL;
		size_t edits = 0;

		print_message("  %s\n", cases[i].name);
		nginx_plan_make(&nginx, conf, &plan);
		for (size_t k = 0;
		     k < FILES_MAX && cases[i].files[k].path != NULL; k++) {
			assert_edit(plan, &cases[i].files[k]);
			edits += cases[i].files[k].after != NULL;
		}
		assert_int_equal(plan->edit_count, edits);
		if (cases[i].note == NULL) {
			assert_int_equal(plan->note_count, 0);
		} else {
			bool said = false;

			for (size_t k = 0; k < plan->note_count; k++)
				said = said ||
				       strstr(plan->notes[k], cases[i].note);
			assert_true(said);
		}
		nginx_plan_free(plan);
		nginx_conf_free(conf);
	}
}

/* The plan of an applied configuration is empty. */
static void
is_idempotent(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct nginx_conf *conf = conf_of(&cases[i], true);
		struct nginx_plan *plan = NULL;
		char *diff;

		nginx_plan_make(&nginx, conf, &plan);
		if (plan->edit_count != 0)
			fail_msg("%s: %s", cases[i].name, plan->edits[0].after);
		diff = nginx_plan_diff(plan);
		assert_string_equal(diff, "");
		free(diff);
		nginx_plan_free(plan);
		nginx_conf_free(conf);
	}
}

/* Files that only lose lines come first (I7). */
static void
orders_files(void **state)
{
	const struct plan_case *row = NULL;
	struct nginx_conf *conf;
	struct nginx_plan *plan = NULL;
	char *diff;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (text_starts(cases[i].name, "stapling shared"))
			row = &cases[i];
	}
	assert_non_null(row);
	conf = conf_of(row, false);
	nginx_plan_make(&nginx, conf, &plan);
	assert_int_equal(plan->edit_count, 2);
	assert_string_equal(plan->edits[0].path, "/e/x");
	assert_string_equal(plan->edits[1].path, MAIN);
	diff = nginx_plan_diff(plan);
	assert_true(text_starts(diff, "--- /e/x\n+++ /e/x\n@@ -1,1 +1,1 @@\n"));
	assert_non_null(strstr(diff, "\n--- /e/nginx.conf\n"));
	free(diff);
	nginx_plan_free(plan);
	nginx_conf_free(conf);
}

static void
quotes_what_nginx_would_cut(void **state)
{
	static const char dump[] =
	    "# configuration file /e/n:\nhttp { server {\n"
	    "ssl_certificate /c/a;\n} }\n";
	struct nginx odd = {
	    .command = "nginx", .snippet_dir = "/a \"b\\", .staple_dir = "/d"};
	struct nginx_conf *conf = NULL;
	struct nginx_plan *plan = NULL;

	(void)state;
	assert_int_equal(
	    nginx_conf_parse(dump, sizeof(dump) - 1, &conf, NULL), 0);
	nginx_plan_make(&odd, conf, &plan);
	assert_non_null(
	    strstr(plan->edits[0].after, "include \"/a \\\"b\\\\/c-a-"));
	nginx_plan_free(plan);
	nginx_conf_free(conf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(plans_the_least),
	    cmocka_unit_test(is_idempotent),
	    cmocka_unit_test(orders_files),
	    cmocka_unit_test(quotes_what_nginx_would_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
