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
#include "servers/nginx_log.h"

#define HEAD "2020/09/28 10:11:12 [error] 7#7: "
#define SAID "OCSP responder timed out (110: Connection timed out)"
#define MARK " while requesting certificate status, responder: "
#define CERT ", certificate: \"/e/a.pem\""

static struct span
span_of(const char *text)
{
	return (struct span){(const uint8_t *)text, strlen(text)};
}

static void
reads_a_line(void **state)
{
	static const struct {
		const char *name, *line, *responder, *peer;
		int port;
	} cases[] = {
	    {"IPv4", HEAD SAID MARK "ocsp.ca.test, peer: 192.0.2.77:80" CERT,
		"ocsp.ca.test", "192.0.2.77", 80},
	    {"IPv6", HEAD SAID MARK "ocsp.ca.test, peer: [2001:db8::7]:8080",
		"ocsp.ca.test", "2001:db8::7", 8080},
	    {"no connection yet",
		HEAD "ocsp.ca.test could not be resolved" MARK
		     "ocsp.ca.test" CERT,
		"ocsp.ca.test", "", 0},
	    {"the marker twice: the last one counts",
		HEAD "x" MARK "no.test, y" MARK "ocsp.ca.test", "ocsp.ca.test",
		"", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct nginx_log_entry e;

		print_message("%s\n", cases[i].name);
		assert_true(nginx_log_line(span_of(cases[i].line), &e));
		assert_string_equal(e.responder, cases[i].responder);
		assert_string_equal(e.peer, cases[i].peer);
		assert_int_equal(e.port, cases[i].port);
		assert_string_equal(e.when, "2020/09/28 10:11:12");
		assert_int_equal(e.year, 2020);
		assert_int_equal(e.second, 12);
		assert_int_equal(strncmp(e.message, "[error] 7#7: ", 13), 0);
	}
}

/* Most of a log is text of strangers. */
static void
refuses_the_rest(void **state)
{
	static const struct {
		const char *name, *line;
	} cases[] = {
	    {"empty", ""},
	    {"another line", HEAD "signal process started"},
	    {"no date", SAID MARK "ocsp.ca.test, peer: 192.0.2.77:80"},
	    {"a short date",
		"2020/9/28 10:11:12 [error] 7#7: x" MARK "ocsp.ca.test"},
	    {"letters in the date",
		"2020/0x/28 10:11:12 [error] 7#7: x" MARK "ocsp.ca.test"},
	    {"a request that says it",
		HEAD "open() \"/x\" failed, client: 192.0.2.9, request: \"GET "
		     "/" MARK "ocsp.ca.test, peer: 192.0.2.66:80"},
	    {"a referrer that says it", HEAD
		"x, client: 192.0.2.9, referrer: \"y" MARK "ocsp.ca.test\""},
	    {"no responder", HEAD SAID MARK},
	    {"a responder that is no name", HEAD SAID MARK "a\"b"},
	    {"a blank in the responder", HEAD SAID MARK "a.test b"},
	    {"no port", HEAD SAID MARK "a.test, peer: 192.0.2.77"},
	    {"port 0", HEAD SAID MARK "a.test, peer: 192.0.2.77:0"},
	    {"a large port", HEAD SAID MARK "a.test, peer: 192.0.2.77:65536"},
	    {"no address", HEAD SAID MARK "a.test, peer: 192.0.2.777:80"},
	    {"IPv6 without its end",
		HEAD SAID MARK "a.test, peer: [2001:db8::7:80"},
	    {"IPv4 in brackets", HEAD SAID MARK "a.test, peer: [192.0.2.7]:80"},
	    {"a Unix socket", HEAD SAID MARK "a.test, peer: unix:/run/x"},
	    {"text behind", HEAD SAID MARK "a.test, peer: 192.0.2.7:80, z"},
	    {"an open quote", HEAD SAID MARK "a.test, certificate: \"/e"},
	    {"no certificate", HEAD SAID MARK "a.test, certificate: \"\""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct nginx_log_entry e = {.port = 7};

		print_message("%s\n", cases[i].name);
		assert_false(nginx_log_line(span_of(cases[i].line), &e));
		assert_int_equal(e.port, 7);
	}
}

static void
cleans_what_is_shown(void **state)
{
	struct nginx_log_entry e;

	(void)state;
	assert_true(
	    nginx_log_line(span_of(HEAD "\x1b[2J sent\x07" MARK "a.test"), &e));
	assert_null(strchr(e.message, '\x1b'));
	assert_null(strchr(e.message, '\x07'));
}

static void
a_line_has_an_end(void **state)
{
	char line[8192];
	struct nginx_log_entry e;

	(void)state;
	memset(line, 'x', sizeof(line));
	memcpy(line, HEAD, sizeof(HEAD) - 1);
	memcpy(line + sizeof(line) - sizeof(MARK "a.test"), MARK "a.test",
	    sizeof(MARK "a.test"));
	assert_false(nginx_log_line(span_of(line), &e));
}

/* Newest first, each peer once, no more than there is room for. */
static void
gathers_entries(void **state)
{
	struct nginx_log_entry e[NGINX_LOG_ENTRIES_MAX];
	struct buf many;

	(void)state;
	assert_int_equal(
	    nginx_log_entries(
		span_of("cut off, peer: 192.0.2.1:80\n" HEAD SAID MARK
			"a.test, peer: 192.0.2.1:80" CERT "\n\n" HEAD SAID MARK
			"a.test, peer: 192.0.2.2:80\n" HEAD SAID MARK
			"a.test, peer: 192.0.2.1:80\n" HEAD "else\n"),
		e),
	    2);
	assert_string_equal(e[0].peer, "192.0.2.1");
	assert_string_equal(e[1].peer, "192.0.2.2");
	assert_int_equal(nginx_log_entries(span_of(""), e), 0);
	assert_int_equal(nginx_log_entries(span_of("\n\n\n"), e), 0);
	buf_init(&many, 1 << 20);
	for (int i = 1; i <= 50; i++)
		buf_printf(
		    &many, HEAD SAID MARK "a.test, peer: 192.0.2.%d:80\n", i);
	assert_int_equal(nginx_log_entries(span_of(buf_text(&many)), e),
	    NGINX_LOG_ENTRIES_MAX);
	assert_string_equal(e[0].peer, "192.0.2.50");
	buf_done(&many);
}

static void
reads_the_end_of_a_log(void **state)
{
	struct scratch scratch;
	struct err err = {0};
	uint8_t *bytes = NULL;
	char *text, *path;
	size_t len = 0;

	(void)state;
	scratch_make(&scratch);
	path = scratch_path(&scratch, "error.log");
	assert_int_equal(nginx_log_tail(path, &bytes, &len, &err), -1);
	assert_int_equal(err.reason, REASON_FILE);
	text = mem_new(NGINX_LOG_TAIL + 100);
	memset(text, 'a', NGINX_LOG_TAIL + 99);
	text[NGINX_LOG_TAIL + 98] = 'z';
	scratch_write(path, text);
	assert_int_equal(nginx_log_tail(path, &bytes, &len, &err), 0);
	assert_int_equal(len, NGINX_LOG_TAIL);
	assert_int_equal(bytes[len - 1], 'z');
	free(bytes);
	/* a folder is no log */
	assert_int_equal(nginx_log_tail(scratch.dir, &bytes, &len, &err), -1);
	free(text);
	free(path);
	scratch_remove(&scratch);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reads_a_line),
	    cmocka_unit_test(refuses_the_rest),
	    cmocka_unit_test(cleans_what_is_shown),
	    cmocka_unit_test(a_line_has_an_end),
	    cmocka_unit_test(gathers_entries),
	    cmocka_unit_test(reads_the_end_of_a_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
