/* SPDX-License-Identifier: ISC */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "scratch.h"
#include "servers/nginx_conf.h"
#include "servers/nginx_files.h"

#define SITE "server { listen 443 ssl; ssl_certificate a.pem; }\n"

static struct scratch scratch;
static struct nginx_unread unread;

static void
text(const char *name, const char *what)
{
	char *path = scratch_path(&scratch, name);

	scratch_write(path, what);
	free(path);
}

static struct nginx_conf *
read_main(const char *name, struct err *err)
{
	struct nginx_conf *conf = NULL;
	char *path = scratch_path(&scratch, name);

	if (nginx_files_read(path, &conf, &unread, err) == -1)
		assert_null(conf);
	free(path);
	return conf;
}

static int
set_up(void **state)
{
	char *path;

	(void)state;
	scratch_make(&scratch);
	path = scratch_path(&scratch, "s");
	assert_int_equal(mkdir(path, 0755), 0);
	free(path);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	scratch_remove(&scratch);
	return 0;
}

/* Includes within includes, globs, the same file twice, a circle. */
static void
follows_includes(void **state)
{
	struct err err = {0};
	struct nginx_conf *conf;

	(void)state;
	text("main", "http { include s/*.conf; include s/none*.conf; }\n");
	text("s/1.conf", SITE "include s/deep;\n");
	text("s/2.conf", SITE "include s/deep;\n");
	text("s/deep", SITE "include s/deep;\n");
	conf = read_main("main", &err);
	/* a circle is a fault that nginx would refuse too: it is said */
	assert_null(conf);
	text("s/deep", SITE);
	conf = read_main("main", &err);
	assert_non_null(conf);
	assert_int_equal(conf->file_count, 4);
	assert_int_equal(conf->site_count, 4);
	assert_int_equal(unread.count, 0);
	assert_int_equal(strncmp(conf->sites[0].certificates[0], scratch.dir,
			     strlen(scratch.dir)),
	    0);
	nginx_conf_free(conf);
}

static void
says_what_cannot_be_read(void **state)
{
	struct err err = {0};
	struct nginx_conf *conf;

	(void)state;
	text("main", "http { include absent; " SITE " }\n");
	conf = read_main("main", &err);
	assert_non_null(conf);
	assert_int_equal(conf->site_count, 1);
	assert_int_equal(unread.count, 1);
	assert_non_null(strstr(unread.text[0], "absent"));
	nginx_conf_free(conf);
}

static void
reads_what_nginx_has_printed(void **state)
{
	struct err err = {0};
	struct nginx_conf *conf;

	(void)state;
	text("dump", "nginx: the configuration file /e/n.conf syntax is ok\n"
		     "nginx: configuration file /e/n.conf test is successful\n"
		     "# configuration file /e/n.conf:\nhttp { include b; }\n\n"
		     "# configuration file /e/b:\n" SITE);
	conf = read_main("dump", &err);
	assert_non_null(conf);
	assert_int_equal(conf->site_count, 1);
	assert_string_equal(conf->sites[0].certificates[0], "/e/a.pem");
	nginx_conf_free(conf);
}

/* A comment within a file that looks like the next file's headline. */
static void
is_not_fooled_by_a_comment(void **state)
{
	struct err err = {0};
	struct nginx_conf *conf;

	(void)state;
	text("main",
	    "events {}\n# configuration file /etc/else:\nhttp { " SITE "}\n");
	conf = read_main("main", &err);
	assert_non_null(conf);
	assert_int_equal(conf->file_count, 1);
	assert_int_equal(conf->site_count, 1);
	assert_int_equal(conf->sites[0].server->line, 3);
	nginx_conf_free(conf);
}

static void
refuses(void **state)
{
	struct err err = {0};

	(void)state;
	assert_null(read_main("nothing", &err));
	assert_int_equal(err.reason, REASON_FILE);
	text("main", "http { server {\n");
	err = (struct err){0};
	assert_null(read_main("main", &err));
	assert_int_equal(err.reason, REASON_SERVER_CONFIG);
	text("main", "http { include s/bad; }\n");
	text("s/bad", "server { \"\n");
	err = (struct err){0};
	assert_null(read_main("main", &err));
	assert_int_equal(err.reason, REASON_SERVER_CONFIG);
	assert_non_null(strstr(err.text, "s/bad"));
}

static void
knows_the_main_file_and_logs(void **state)
{
	static const struct {
		const char *command, *log, *main_file, *path;
	} cases[] = {
	    {"nginx -c /e/n.conf", "/l/e.log", "/e/n.conf", "/l/e.log"},
	    {"nginx -p /srv -c n.conf", "e.log", "/srv/n.conf", "/srv/e.log"},
	    {"nginx -p/srv -cn.conf", "e.log", "/srv/n.conf", "/srv/e.log"},
	    {"nginx -c /e/n.conf", "e.log", "/e/n.conf", NULL},
	    {"nginx -p /srv -c /e/n.conf", "stderr", "/e/n.conf", NULL},
	    {"nginx -p /srv -c /e/n.conf", "syslog:server=x", "/e/n.conf",
		NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *main_file = nginx_files_main(cases[i].command);
		char *log = nginx_files_log(cases[i].command, cases[i].log);

		assert_string_equal(main_file, cases[i].main_file);
		if (cases[i].path == NULL)
			assert_null(log);
		else
			assert_string_equal(log, cases[i].path);
		free(main_file);
		free(log);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(follows_includes),
	    cmocka_unit_test(says_what_cannot_be_read),
	    cmocka_unit_test(reads_what_nginx_has_printed),
	    cmocka_unit_test(is_not_fooled_by_a_comment),
	    cmocka_unit_test(refuses),
	    cmocka_unit_test(knows_the_main_file_and_logs),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
