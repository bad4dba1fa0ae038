/* SPDX-License-Identifier: ISC */
/* test_options.c -- face/options: the command line, taken and refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/text.h"
#include "face/options.h"

enum { ARGS_MAX = 100 };

/* Words split at blanks, as argv; owned for the whole test program. */
static int
parse(int command, const char *line, struct options *o, struct err *err)
{
	static char words[4096];
	static char *argv[ARGS_MAX];
	static char name[] = "command";
	int argc = 0;
	char *next = words;

	assert_true(strlen(line) < sizeof(words));
	memcpy(words, line, strlen(line) + 1);
	argv[argc++] = name;
	while (*(next += strspn(next, " ")) != '\0') {
		assert_true(argc + 1 < ARGS_MAX);
		argv[argc++] = next;
		next += strcspn(next, " ");
		if (*next != '\0')
			*next++ = '\0';
	}
	argv[argc] = NULL;
	return options_parse(command, "command", argc, argv, o, err);
}

static void
test_defaults(void **state)
{
	struct options o;
	struct acquire_options a;

	(void)state;
	assert_int_equal(parse(CMD_FETCH, "cert.pem", &o, NULL), 0);
	assert_int_equal(o.arg_count, 1);
	assert_string_equal(o.args[0], "cert.pem");
	assert_null(o.args[1]);
	assert_true(o.skew_s == VERIFY_SKEW);
	assert_false(o.json || o.quiet || o.help || o.has_at || o.once);
	assert_int_equal(o.family, RESOLVER_BOTH);
	a = options_acquire(&o);
	assert_true(a.timeout_ms == ACQUIRE_TIMEOUT_MS);
	assert_true(a.ask_system);
	assert_string_equal(a.resolv_conf, "/etc/resolv.conf");
	assert_int_equal(parse(CMD_FETCH, "", &o, NULL), 0);
	assert_int_equal(o.arg_count, 0);
}

static void
test_fetch(void **state)
{
	struct options o;
	struct acquire_options a;

	(void)state;
	assert_int_equal(
	    parse(CMD_FETCH,
		"a.pem -i ca.pem -o - --url http://x/ --resolver 192.0.2.1 "
		"--resolver udp://192.0.2.2:54 --pin a=192.0.2.3 --timeout 3 "
		"-4 -6 --at 2027-01-15T08:00:00Z --json -vv -- --not-one",
		&o, NULL),
	    0);
	assert_string_equal(o.issuer, "ca.pem");
	assert_string_equal(o.output, "-");
	assert_string_equal(o.url, "http://x/");
	assert_int_equal(o.resolver_count, 2);
	assert_string_equal(o.resolvers[0].url, "udp://192.0.2.1");
	assert_int_equal(o.pin_count, 1);
	assert_int_equal(o.family, RESOLVER_IPV6); /* the last wins */
	assert_true(o.has_at && o.at == 1800000000);
	assert_true(options_now(&o) == 1800000000);
	assert_true(o.json);
	assert_int_equal(o.verbose, 2);
	assert_int_equal(o.arg_count, 2);
	assert_string_equal(o.args[1], "--not-one");
	a = options_acquire(&o);
	assert_true(a.timeout_ms == 3000);
	assert_ptr_equal(a.resolvers, o.resolvers);
	assert_ptr_equal(a.pins, o.pins);
}

static void
test_others(void **state)
{
	struct options o;

	(void)state;
	assert_int_equal(parse(CMD_VERIFY,
			     "c r --skew 0 --max-age 60 --chain x --request q "
			     "--allow-sha1 --allow-no-next-update --ca-file z",
			     &o, NULL),
	    0);
	assert_true(o.skew_s == 0 && o.max_age_s == 60);
	assert_true(o.allow_sha1 && o.allow_no_next_update);
	assert_string_equal(o.chain, "x");
	assert_string_equal(o.request, "q");
	assert_string_equal(o.ca_file, "z");
	assert_int_equal(parse(CMD_CHECK,
			     "h --servername n --starttls smtp --nagios "
			     "--penalty -q",
			     &o, NULL),
	    0);
	assert_int_equal(o.starttls, STARTTLS_SMTP);
	assert_true(o.nagios && o.penalty && o.quiet);
	assert_int_equal(parse(CMD_KEEP,
			     "--once --server nginx --server-command n "
			     "--state-dir d --config f",
			     &o, NULL),
	    0);
	assert_true(o.once);
	assert_string_equal(o.server, "nginx");
	assert_string_equal(o.state_dir, "d");
	assert_string_equal(o.config, "f");
	assert_int_equal(parse(CMD_INSTALL, "nginx --apply -h", &o, NULL), 0);
	assert_true(o.apply && o.help);
	assert_int_equal(parse(CMD_SHOW, "x --color never", &o, NULL), 0);
	assert_false(o.color);
	assert_int_equal(parse(CMD_SHOW, "x --color=always", &o, NULL), 0);
	assert_true(o.color);
}

static void
test_listen(void **state)
{
	struct options o;

	(void)state;
	assert_int_equal(parse(CMD_KEEP, "a.pem", &o, NULL), 0);
	assert_false(o.listen_nowhere || o.relay_unknown);
	assert_int_equal(o.listener_count, 0);
	assert_int_equal(parse(CMD_KEEP,
			     "a.pem --listen 127.0.0.1:1 --listen [::1]:2 "
			     "--listen /run/x --relay-unknown",
			     &o, NULL),
	    0);
	assert_int_equal(o.listener_count, 3);
	assert_string_equal(o.listeners[1].address, "[::1]:2");
	assert_int_equal(o.listeners[1].serves, 0);
	assert_true(o.relay_unknown);
	assert_int_equal(
	    parse(CMD_KEEP, "--listen 127.0.0.1:1 --listen none", &o, NULL), 0);
	assert_int_equal(o.listener_count, 0);
	assert_true(o.listen_nowhere);
}

/* NO_COLOR is obeyed, and --color is more than it. */
static void
test_color(void **state)
{
	struct options o;

	(void)state;
	assert_int_equal(setenv("NO_COLOR", "1", 1), 0);
	assert_int_equal(parse(CMD_SHOW, "x", &o, NULL), 0);
	assert_false(o.color);
	assert_int_equal(parse(CMD_SHOW, "x --color always", &o, NULL), 0);
	assert_true(o.color);
	assert_int_equal(unsetenv("NO_COLOR"), 0);
}

static const struct wrong {
	int command;
	const char *line, *says;
} wrongs[] = {
    {CMD_FETCH, "--nonsense", "--nonsense"},
    {CMD_FETCH, "-x", "-x"},
    {CMD_FETCH, "-qx", "-x"},
    {CMD_FETCH, "a --output", "--output"},
    {CMD_FETCH, "a -i", "-i"},
    {CMD_FETCH, "--json=yes", "--json takes no value"},
    {CMD_FETCH, "--verbose=2", "--verbose takes no value"},
    {CMD_FETCH, "--quiet=", "--quiet takes no value"},
    {CMD_FETCH, "-\303\251", "no option of such a letter"},
    {CMD_FETCH, "--nagios", "--nagios"}, /* it is check's */
    {CMD_FETCH, "--skew 3", "--skew"},
    {CMD_VERIFY, "--resolver 192.0.2.1", "--resolver"},
    {CMD_KEEP, "--json", "--json"},
    {CMD_KEEP, "--at 0", "--at"},
    {CMD_SHOW, "--timeout 3", "--timeout"},
    {CMD_FETCH, "--timeout 0", "1 to 3600"},
    {CMD_KEEP, "--url ftp://ocsp.test/", "no http:// or https:// URL"},
    {CMD_READY, "--url ocsp.test", "no http:// or https:// URL"},
    {CMD_KEEP, "--state-dir=", "give a folder"},
    {CMD_FETCH, "--timeout -1", "1 to 3600"},
    {CMD_FETCH, "--timeout 3601", "1 to 3600"},
    {CMD_FETCH, "--timeout 3s", "whole number"},
    {CMD_FETCH, "--timeout 99999999999999999999", "whole number"},
    {CMD_VERIFY, "--skew -5", "whole number"},
    {CMD_VERIFY, "--max-age 0", "whole number"},
    {CMD_VERIFY, "--max-age 1.5", "whole number"},
    {CMD_FETCH, "--at yesterday", "yesterday"},
    {CMD_FETCH, "--at 2026-13-01T00:00:00Z", "2026-13-01"},
    {CMD_FETCH, "--resolver gopher://x", "gopher://x"},
    {CMD_FETCH, "--resolver 192.0.2.1:53:53", "192.0.2.1:53:53"},
    {CMD_FETCH, "--pin a", "HOST=ADDR"},
    {CMD_FETCH, "--pin a=b", "HOST=ADDR"},
    {CMD_KEEP, "--listen localhost:80", "localhost:80"},
    {CMD_KEEP, "--listen", "--listen"},
    {CMD_KEEP, "--server-command=", "'' is no command"},
    {CMD_KEEP, "--alarm-command=", "'' is no command"},
    {CMD_FETCH, "--listen 127.0.0.1:1", "--listen"},
    {CMD_CHECK, "h --starttls gopher", "smtp"},
    {CMD_CHECK, "h --color blue", "auto, always or never"},
};

static void
test_wrong(void **state)
{
	struct options o;

	(void)state;
	for (size_t i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++) {
		struct err err = {0};

		if (parse(wrongs[i].command, wrongs[i].line, &o, &err) == 0)
			fail_msg("'%s' was taken", wrongs[i].line);
		assert_int_equal(err.reason, REASON_USAGE);
		if (strstr(err.text, wrongs[i].says) == NULL)
			fail_msg("'%s': %s", wrongs[i].line, err.text);
	}
	/* what went wrong before has no part in what comes after */
	assert_int_equal(parse(CMD_FETCH, "a -q", &o, NULL), 0);
	assert_int_equal(o.arg_count, 1);
	assert_true(o.quiet);
}

static void
test_too_many(void **state)
{
	struct options o;
	struct err err = {0};
	struct buf line;

	(void)state;
	buf_init(&line, 4096);
	for (int i = 0; i <= RESOLVERS_MAX; i++)
		buf_printf(&line, "--resolver 192.0.2.%d ", i + 1);
	assert_int_equal(parse(CMD_FETCH, buf_text(&line), &o, &err), -1);
	assert_non_null(strstr(err.text, "too many"));
	buf_done(&line);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_defaults),
	    cmocka_unit_test(test_fetch),
	    cmocka_unit_test(test_others),
	    cmocka_unit_test(test_listen),
	    cmocka_unit_test(test_color),
	    cmocka_unit_test(test_wrong),
	    cmocka_unit_test(test_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
