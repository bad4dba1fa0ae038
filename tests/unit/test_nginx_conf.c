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
#include "servers/nginx_conf.h"

enum { TEXT_MAX = 1 << 20 };

/* One file as `nginx -T` prints it. */
static char *
dump_of(const char *text)
{
	return mem_printf(
	    "# configuration file /etc/nginx/nginx.conf:\n%s\n", text);
}

/* name<arg><arg>; or name<arg>{...} */
static void
render(struct buf *out, const struct nginx_directive *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		buf_puts(out, list[i].name);
		for (size_t k = 0; k < list[i].arg_count; k++)
			buf_printf(out, "<%s>", list[i].args[k]);
		if (!list[i].block) {
			buf_puts(out, ";");
			continue;
		}
		buf_puts(out, "{");
		render(out, list[i].children, list[i].child_count);
		buf_puts(out, "}");
	}
}

static void
reads_the_grammar(void **state)
{
	static const struct {
		const char *name, *text;
		const char *want;  /* NULL: refused */
		const char *error; /* in the sentence, when refused */
	} cases[] = {
	    {"nothing", "", "", NULL},
	    {"plain", "a b c;\nd;", "a<b><c>;d;", NULL},
	    {"carriage returns", "a b;\r\nc {\r\n}\r\n", "a<b>;c{}", NULL},
	    {"no blanks", "a{b c;}d{}", "a{b<c>;}d{}", NULL},
	    {"comments", "# x;\na # y {\n b;#z\n", "a<b>;", NULL},
	    {"a hash within a word", "a b#c;", "a<b#c>;", NULL},
	    {"quotes", "a \"b ; {\" 'c \"d\"';", "a<b ; {><c \"d\">;", NULL},
	    {"a quote within a word", "a b\"c\";", "a<b\"c\">;", NULL},
	    {"an empty word", "a \"\";", "a<>;", NULL},
	    {"a quoted name", "\"a\" b;", "a<b>;", NULL},
	    {"escapes", "a \"\\\"\\t\\\\\" '\\'' b\\;c \\d;",
		"a<\"\t\\><'><b\\;c><\\d>;", NULL},
	    {"variables", "a ${b}c $d{e};f $$;", NULL, "a '}'"},
	    {"a variable in braces", "a ${b}c $d;", "a<${b}c><$d>;", NULL},
	    {"a brace ends a word", "if ($a = b){ c; }", "if<($a><=><b)>{c;}",
		NULL},
	    {"a closing brace does not", "a b}c;", "a<b}c>;", NULL},
	    {"a word over two lines", "a 'b\nc';d;", "a<b\nc>;d;", NULL},
	    {"map", "map $a $b { default 0; ~^x \"1\"; \"\" 2; }",
		"map<$a><$b>{default<0>;~^x<1>;<2>;}", NULL},
	    {"lua", "content_by_lua_block { if a then b = { 1 } end -- }\n} c;",
		"content_by_lua_block{}c;", NULL},
	    {"lua with strings",
		"init_by_lua_block { a = \"}\\\"}\" b = '}' c = [[}]] d = "
		"[==[ ]] } ]=] ]==] --[[ } \n } ]] e = t[1] }x;",
		"init_by_lua_block{}x;", NULL},
	    {"lua in a location",
		"location / { access_by_lua_block { a = \"{\" } b; }",
		"location</>{access_by_lua_block{}b;}", NULL},
	    {"lua without an end", "a_by_lua_block { '}' ", NULL, "Lua"},
	    {"lua in a long bracket without an end",
		"a_by_lua_block { [==[ ]=] }", NULL, "Lua"},
	    {"an open quote", "a 'b;\n", NULL, "a quote that is not closed"},
	    {"an open quote after a backslash", "a \"b\\", NULL, "a quote"},
	    {"text behind a quote", "a 'b'c;", NULL, "behind a closing quote"},
	    {"no semicolon", "a b", NULL, "a ';' is missing"},
	    {"no semicolon before a brace", "a { b }", NULL, "a '}' where"},
	    {"an open block", "a {\n b;\n", NULL, "a '}' is missing"},
	    {"a brace too many", "a { } }", NULL, "closes nothing"},
	    {"a lone semicolon", ";", NULL, "without a directive"},
	    {"a lone brace", "{ }", NULL, "without a directive"},
	    {"only a backslash", "\\", NULL, "a ';' is missing"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *dump = dump_of(cases[i].text);
		struct nginx_conf *conf = NULL;
		struct err err = {0};
		struct buf got;
		int rc = nginx_conf_parse(dump, strlen(dump), &conf, &err);

		print_message("  %s\n", cases[i].name);
		if (cases[i].want == NULL) {
			assert_int_equal(rc, -1);
			assert_null(conf);
			assert_int_equal(err.reason, REASON_SERVER_CONFIG);
			if (strstr(err.text, cases[i].error) == NULL)
				fail_msg("'%s'", err.text);
			assert_non_null(
			    strstr(err.text, "/etc/nginx/nginx.conf"));
			free(dump);
			continue;
		}
		assert_string_equal(err.text, "");
		assert_int_equal(rc, 0);
		buf_init(&got, TEXT_MAX);
		render(&got, conf->files[0].directives,
		    conf->files[0].directive_count);
		assert_string_equal(buf_text(&got), cases[i].want);
		assert_string_equal(conf->files[0].text, cases[i].text);
		buf_done(&got);
		nginx_conf_free(conf);
		free(dump);
	}
}

static void
knows_places(void **state)
{
	static const char text[] = "user a;\n"
				   "http {\n"
				   "\tserver { # one\n"
				   "\t\tssl_certificate\n"
				   "\t\t    'a b';\n"
				   "\t}\n"
				   "}\n";
	char *dump = dump_of(text);
	struct nginx_conf *conf = NULL;
	const struct nginx_directive *server, *certificate;
	struct err err = {0};

	(void)state;
	assert_int_equal(nginx_conf_parse(dump, strlen(dump), &conf, &err), 0);
	server = &conf->files[0].directives[1].children[0];
	assert_int_equal(server->line, 3);
	assert_int_equal(server->last_line, 6);
	assert_memory_equal(text + server->start, "server {", 8);
	assert_memory_equal(text + server->end - 3, "\n\t}", 3);
	certificate = &server->children[0];
	assert_int_equal(certificate->line, 4);
	assert_int_equal(certificate->last_line, 5);
	assert_memory_equal(text + certificate->start, "ssl_cert", 8);
	assert_memory_equal(text + certificate->end - 2, "';", 2);
	assert_string_equal(certificate->file, "/etc/nginx/nginx.conf");
	assert_ptr_equal(nginx_conf_file(conf, certificate), &conf->files[0]);
	nginx_conf_free(conf);
	free(dump);
}

static void
splits_the_dump(void **state)
{
	static const struct {
		const char *name, *dump;
		const char *files; /* path=text|...; NULL: refused */
	} cases[] = {
	    {"two files",
		"# configuration file /a:\nx;\n\n# configuration file /b:\ny;",
		"/a=x;\n|/b=y;|"},
	    {"no line feed at the end of a file",
		"# configuration file /a:\nx;\n# configuration file /b:\n\n",
		"/a=x;|/b=|"},
	    {"words before the first",
		"nginx: hello\n# configuration file /a:\nx;\n", "/a=x;|"},
	    {"a dump within a file",
		"# configuration file /a:\n# configuration file /a:\nx;\n\n",
		"/a=# configuration file /a:\nx;\n|"},
	    {"a colon is missing", "# configuration file /a\nx;\n", NULL},
	    {"no path", "# configuration file :\nx;\n", NULL},
	    {"nothing", "", NULL},
	    {"no dump", "hello\n", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct nginx_conf *conf = NULL;
		struct err err = {0};
		struct buf got;
		int rc = nginx_conf_parse(
		    cases[i].dump, strlen(cases[i].dump), &conf, &err);

		print_message("  %s\n", cases[i].name);
		if (cases[i].files == NULL) {
			assert_int_equal(rc, -1);
			assert_int_equal(err.reason, REASON_SERVER_CONFIG);
			continue;
		}
		assert_int_equal(rc, 0);
		buf_init(&got, TEXT_MAX);
		for (size_t k = 0; k < conf->file_count; k++)
			buf_printf(&got, "%s=%s|", conf->files[k].path,
			    conf->files[k].text);
		assert_string_equal(buf_text(&got), cases[i].files);
		buf_done(&got);
		nginx_conf_free(conf);
	}
}

/* I5: what nests or multiplies has an end. */
static void
bounds_nesting(void **state)
{
	struct nginx_conf *conf = NULL;
	struct err err = {0};
	struct buf dump;

	(void)state;
	buf_init(&dump, TEXT_MAX);
	buf_puts(&dump, "# configuration file /a:\n");
	for (int i = 0; i < 5000; i++)
		buf_puts(&dump, "a{");
	assert_int_equal(
	    nginx_conf_parse(buf_text(&dump), dump.len, &conf, &err), -1);
	assert_non_null(strstr(err.text, "too many nested blocks"));
	buf_done(&dump);

	/* A file that includes itself, twice: without a bound 2^32 visits. */
	err_clear(&err);
	buf_puts(&dump, "# configuration file /a:\ninclude a; include a;\n");
	assert_int_equal(
	    nginx_conf_parse(buf_text(&dump), dump.len, &conf, &err), -1);
	assert_non_null(strstr(err.text, "includes"));
	buf_done(&dump);

	err_clear(&err);
	buf_puts(&dump, "# configuration file /a:\n");
	buf_printf(&dump, "%0*d", NGINX_WORD_MAX + 1, 0);
	assert_int_equal(
	    nginx_conf_parse(buf_text(&dump), dump.len, &conf, &err), -1);
	assert_non_null(strstr(err.text, "too long"));
	buf_done(&dump);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reads_the_grammar),
	    cmocka_unit_test(knows_places),
	    cmocka_unit_test(splits_the_dump),
	    cmocka_unit_test(bounds_nesting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
