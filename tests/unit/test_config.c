/* SPDX-License-Identifier: ISC */
/* test_config.c -- face/config: every key, and what is said of wrong ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "face/config.h"
#include "scratch.h"

static struct scratch scratch;
static char *path;

static int
set_up(void **state)
{
	(void)state;
	scratch_make(&scratch);
	path = scratch_path(&scratch, "oclasp.conf");
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	free(path);
	scratch_remove(&scratch);
	return 0;
}

static void
test_every_key(void **state)
{
	struct options o = {.config = path};
	struct config *config = NULL;
	struct err err = {0};

	(void)state;
	scratch_write(path,
	    "# a comment\n"
	    "state-dir = \"/srv/state\"\n"
	    "ca-file = /etc/ca.pem\n"
	    "tls-ca = '/etc/tls.pem'\n"
	    "resolvers = {\"udp://192.0.2.53\", \"198.51.100.53\"}\n"
	    "pins = {\"ocsp.test=192.0.2.1\"}\n"
	    "timeout = 20\n"
	    "allow-sha1 = true\n"
	    "allow-no-next-update = yes\n"
	    "certificate \"/etc/one.pem\" {}\n"
	    "certificate \"/etc/two.pem\" {\n"
	    "	issuer = \"/etc/ca2.pem\"\n"
	    "	url = \"http://ocsp.test/\"\n"
	    "}\n"
	    "server nginx { command = \"nginx -c /srv/nginx.conf\" }\n");
	if (config_load(&o, &config, &err) == -1)
		fail_msg("%s", err.text);
	assert_string_equal(o.state_dir, "/srv/state");
	assert_string_equal(o.ca_file, "/etc/ca.pem");
	assert_string_equal(o.tls_ca, "/etc/tls.pem");
	assert_int_equal(o.resolver_count, 2);
	assert_string_equal(o.resolvers[1].url, "udp://198.51.100.53");
	assert_int_equal(o.pin_count, 1);
	assert_string_equal(o.pins[0].address, "192.0.2.1");
	assert_true(o.timeout_ms == 20000);
	assert_true(o.allow_sha1 && o.allow_no_next_update);
	assert_int_equal(o.spec_count, 2);
	assert_string_equal(o.specs[0].certificate, "/etc/one.pem");
	assert_null(o.specs[0].issuer);
	assert_null(o.specs[0].url);
	assert_string_equal(o.specs[1].issuer, "/etc/ca2.pem");
	assert_string_equal(o.specs[1].url, "http://ocsp.test/");
	assert_string_equal(o.server, "nginx");
	assert_string_equal(o.server_command, "nginx -c /srv/nginx.conf");
	config_free(config);
}

/* The command line wins; lists are one. */
static void
test_command_line_wins(void **state)
{
	struct options o = {.config = path,
	    .state_dir = "/mine",
	    .ca_file = "/my-ca",
	    .timeout_ms = 5000,
	    .server = "nginx",
	    .server_command = "mine",
	    .pin_count = 1,
	    .pins = {{"a.test", "192.0.2.9"}}};
	struct config *config = NULL;

	(void)state;
	scratch_write(path, "state-dir = /theirs\nca-file = /theirs\n"
			    "timeout = 20\npins = {\"b.test=192.0.2.1\"}\n"
			    "allow-sha1 = false\n"
			    "server nginx { command = theirs }\n");
	assert_int_equal(config_load(&o, &config, NULL), 0);
	assert_string_equal(o.state_dir, "/mine");
	assert_string_equal(o.ca_file, "/my-ca");
	assert_string_equal(o.server_command, "mine");
	assert_true(o.timeout_ms == 5000);
	assert_false(o.allow_sha1);
	assert_int_equal(o.pin_count, 2);
	assert_string_equal(o.pins[0].host, "a.test");
	assert_string_equal(o.pins[1].host, "b.test");
	config_free(config);
}

static void
test_nothing_said(void **state)
{
	struct options o = {.config = path};
	struct config *config = NULL;

	(void)state;
	scratch_write(path, "");
	assert_int_equal(config_load(&o, &config, NULL), 0);
	assert_non_null(config);
	assert_null(o.state_dir);
	assert_null(o.server);
	assert_true(o.timeout_ms == 0);
	assert_int_equal(o.spec_count, 0);
	config_free(config);
	config_free(NULL);
}

static const struct wrong {
	const char *name, *text, *line, *says;
} wrongs[] = {
    {"unknown key", "timeout = 3\ncolour = red\n", ":2:", "colour"},
    {"unknown key in a block", "certificate \"a\" {\n\n\tisuer = \"b\"\n}\n",
	":3:", "isuer"},
    {"unknown block", "apache x {}\n", ":1:", "apache"},
    {"no value", "timeout =\n", ":", ""},
    {"not a number", "timeout = soon\n", ":1:", "timeout"},
    {"zero", "\n\ntimeout = 0\n", ":3:", "1 to 3600"},
    {"negative", "timeout = -1\n", ":1:", "1 to 3600"},
    {"too large", "timeout = 3601\n", ":1:", "1 to 3600"},
    {"far too large", "timeout = 99999999999999999999\n", ":1:", ""},
    {"not a bool", "allow-sha1 = perhaps\n", ":1:", "allow-sha1"},
    {"no resolver", "resolvers = {\n\"udp://192.0.2.1\",\n\"gopher://x\"}\n",
	":3:", "gopher://x"},
    {"no pin", "pins = {\"ocsp.test\"}\n", ":1:", "ocsp.test"},
    {"no address", "\npins = {\"a=192.0.2.1\", \"b=c\"}\n", ":2:", "b=c"},
    {"two servers of one name", "server nginx {}\nserver nginx {}\n",
	":2:", "nginx"},
    {"another server", "server apache {\n}\n", ":", "apache"},
    {"a certificate twice", "certificate a {}\ncertificate a {}\n", ":2:", "a"},
    {"no title", "certificate {}\n", ":1:", "certificate"},
    {"never closed", "certificate a {\n", ":", "not closed"},
    {"cut within", "certificate a {\n\tissuer = \"b\"", ":", "not closed"},
    {"a string never closed", "state-dir = \"/srv\n", ":", ""},
    {"not text", "state-dir = \x01\x02{\n", ":", ""},
};

static void
test_wrong(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++) {
		const struct wrong *row = &wrongs[i];
		struct options o = {.config = path};
		struct config *config = NULL;
		struct err err = {0};

		scratch_write(path, row->text);
		if (config_load(&o, &config, &err) == 0)
			fail_msg("%s: it was taken", row->name);
		assert_null(config);
		assert_int_equal(err.reason, REASON_USAGE);
		if (strstr(err.text, path) == NULL ||
		    strstr(err.text, row->line) == NULL ||
		    strstr(err.text, row->says) == NULL)
			fail_msg("%s: %s", row->name, err.text);
	}
}

static void
test_too_many(void **state)
{
	struct options o = {.config = path};
	struct config *config = NULL;
	struct err err = {0};
	FILE *file = fopen(path, "w");

	(void)state;
	assert_non_null(file);
	(void)fprintf(file, "resolvers = {");
	for (int i = 0; i <= RESOLVERS_MAX; i++)
		(void)fprintf(
		    file, "%s\"192.0.2.%d\"", i > 0 ? ", " : "", i + 1);
	(void)fprintf(file, "}\n");
	(void)fclose(file);
	assert_int_equal(config_load(&o, &config, &err), -1);
	assert_non_null(strstr(err.text, "more than"));
	assert_non_null(strstr(err.text, path));
}

static void
test_unreadable(void **state)
{
	static const char nul[] = "timeout = 3\n\0timeout = 4\n";
	struct options o = {.config = path};
	struct config *config = NULL;
	struct err err = {0};

	(void)state;
	assert_int_equal(config_load(&o, &config, &err), -1); /* missing */
	assert_int_equal(err.reason, REASON_FILE);
	assert_non_null(strstr(err.text, path));
	o.config = scratch.dir; /* a folder must not end the program */
	err = (struct err){0};
	assert_int_equal(config_load(&o, &config, &err), -1);
	assert_int_equal(err.reason, REASON_FILE);
	o.config = path;
	scratch_write_bytes(path, nul, sizeof(nul) - 1);
	err = (struct err){0};
	assert_int_equal(config_load(&o, &config, &err), -1);
	assert_int_equal(err.reason, REASON_USAGE);
	assert_null(config);
}

/* clang-format off */
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
/* clang-format on */

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_every_key),
	    TEST(test_command_line_wins),
	    TEST(test_nothing_said),
	    TEST(test_wrong),
	    TEST(test_too_many),
	    TEST(test_unreadable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
