/* SPDX-License-Identifier: ISC */
/* test_https.c -- dns/https: questions over HTTPS, RFC 8484. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/loop.h"
#include "dns/https.h"
#include "dns_wire.h"
#include "http/fetch.h"
#include "question_story.h"
#include "own_cast.h"

enum {
	PATIENCE_MS = 20000,
	SHORT_MS = 300,
	REQUEST_MAX = 4096,
	A4 = 1,
	LARGE = 70000,
};

#define MEDIA "application/dns-message"
#define HOST TLS_CAST_HOST

static uv_loop_t loop;
static struct https *https;
static struct question_story told;

static void
cancel(void)
{
	https_cancel(&https);
}

static bool
is_there(void)
{
	return https != NULL;
}

static int
set_up(void **state)
{
	(void)state;
	assert_int_equal(0, uv_loop_init(&loop));
	told = (struct question_story){.cancel = cancel, .is_there = is_there};
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	loop_end(&loop);
	return 0;
}

/* Ask with SERVER, whose URL is HOST's at SCRIPT's port unless it has one. */
static void
ask(const struct tls_script *script, struct https_server server, size_t count)
{
	const struct questions questions = {
	    .name = "ocsp.test", .types = {DNS_A, DNS_AAAA}, .count = count};
	char url[128];

	(void)snprintf(url, sizeof(url), "https://" HOST ":%d/dns-query",
	    tls_script_port(script));
	if (server.url == NULL)
		server.url = url;
	if (server.address_count == 0 && server.host == NULL)
		server.addresses[server.address_count++] = "127.0.0.1";
	question_story_begin(&told);
	https = https_start(
	    &loop, &server, &questions, &question_story_callbacks, &told);
	assert_string_equal(told.text, "");
	assert_int_equal(0, told.ends);
	loop_run(&loop);
	if (told.ends > 0)
		https = NULL;
	assert_null(https);
}

/* --- the server's side --- */

struct request {
	char head[REQUEST_MAX];
	uint8_t body[REQUEST_MAX];
	size_t body_len;
};

static bool
read_request(struct tls_peer *peer, struct request *out)
{
	size_t len = 0;
	const char *length;

	while (len < 4 || memcmp(out->head + len - 4, "\r\n\r\n", 4) != 0) {
		if (len + 1 == sizeof(out->head) ||
		    !peer_read(peer, out->head + len, 1))
			return false;
		len++;
	}
	out->head[len] = '\0';
	length = strstr(out->head, "Content-Length: ");
	out->body_len =
	    length != NULL ? (size_t)strtoul(length + 16, NULL, 10) : 0;
	return out->body_len <= sizeof(out->body) &&
	       peer_read(peer, out->body, out->body_len);
}

static void
send_reply(struct tls_peer *peer, const char *status, const char *type,
    const void *body, size_t len, size_t claimed)
{
	char head[512];
	int size = snprintf(head, sizeof(head),
	    "HTTP/1.1 %s\r\n%s%s%sContent-Length: %zu\r\n\r\n", status,
	    type != NULL ? "Content-Type: " : "", type != NULL ? type : "",
	    type != NULL ? "\r\n" : "", claimed);

	peer_write(peer, head, (size_t)size);
	peer_write(peer, body, len);
}

/* What a row's server says. */
struct reply {
	const char *name;
	const char *status, *type; /* NULL: 200, MEDIA; "": none */
	const char *question;      /* answered; NULL: the one asked */
	unsigned id_off;           /* added to the id */
	bool other_type, is_query, cut_message, cut_body, empty, large;
	const char *text; /* of the failure; NULL: it is good */
};

static void
send_row(struct tls_peer *peer, const struct reply *row,
    const struct request *request)
{
	unsigned type = wire_type_asked(request->body, request->body_len);
	const char *name = row->question != NULL ? row->question : "ocsp.test";
	static const uint8_t zeros[LARGE];
	struct wire wire;
	size_t len;

	wire_start(&wire, wire_id(request->body) + row->id_off,
	    row->is_query ? 0x0100 : WIRE_RESPONSE);
	wire_question(&wire, name, row->other_type ? 16 : type);
	wire_address(&wire, name, type == A4 ? "192.0.2.1" : "2001:db8::1");
	len = row->empty ? 0 : row->cut_message ? 20 : wire.len;
	send_reply(peer, row->status != NULL ? row->status : "200 OK",
	    row->type == NULL      ? MEDIA
	    : row->type[0] == '\0' ? NULL
				   : row->type,
	    row->large ? zeros : wire.at, row->large ? LARGE : len,
	    row->large      ? LARGE
	    : row->cut_body ? len + 5
			    : len);
}

static void
serve_row(struct tls_peer *peer)
{
	const struct reply *row = peer->script->row;
	struct request request;

	while (read_request(peer, &request)) {
		send_row(peer, row, &request);
		if (row->cut_body)
			break;
	}
}

static void
hang_up(struct tls_peer *peer)
{
	struct request request;

	(void)read_request(peer, &request);
}

/* --- tests --- */

static void
test_replies(void **state)
{
	static const struct reply rows[] = {
	    {.name = "good"},
	    {.name = "201", .status = "201 Created", .text = "201"},
	    {.name = "404", .status = "404 Not Found", .text = "404"},
	    {.name = "500", .status = "500 No", .text = "500"},
	    {.name = "redirect",
		.status = "302 Found\r\nLocation: https://other.test/",
		.text = "not followed"},
	    {.name = "HTML", .type = "text/html", .text = "'text/html'"},
	    {.name = "JSON",
		.type = "application/dns-json",
		.text = "'application/dns-json'"},
	    {.name = "no type", .type = "", .text = "is of type ''"},
	    {.name = "wrong id", .id_off = 77, .text = "another question"},
	    {.name = "another name",
		.question = "other.test",
		.text = "another question"},
	    {.name = "another type",
		.other_type = true,
		.text = "another question"},
	    {.name = "a question",
		.is_query = true,
		.text = "another question"},
	    {.name = "cut message", .cut_message = true, .text = "malformed"},
	    {.name = "empty", .empty = true, .text = "malformed"},
	    {.name = "cut body", .cut_body = true, .text = "exchange with"},
	    {.name = "large", .large = true, .text = "DNS message"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct tls_script script = {.identity = &cast.good,
		    .serve = serve_row,
		    .row = &rows[i]};
		struct https_server server = {
		    .ca_file = cast.ca_file, .deadline_ms = PATIENCE_MS};

		tls_script_start(&script);
		ask(&script, server, 1);
		tls_script_stop(&script);
		assert_int_equal(1, told.ends);
		if (rows[i].text == NULL) {
			if (strcmp(told.text, "0:192.0.2.1 ") != 0 ||
			    told.end_err.reason != REASON_NONE)
				fail_msg("%s: '%s' %s", rows[i].name, told.text,
				    told.end_err.text);
		} else if (told.text[0] != '\0' ||
			   told.end_err.reason == REASON_NONE ||
			   strstr(told.end_err.text, rows[i].text) == NULL) {
			fail_msg("%s: '%s' %s '%s'", rows[i].name, told.text,
			    reason_name(told.end_err.reason),
			    told.end_err.text);
		}
	}
}

/* What of an answer is written down, for test_request. */
static struct request seen;

static void
note_request(struct tls_peer *peer)
{
	static const struct reply row = {.name = "good"};

	while (read_request(peer, &seen))
		send_row(peer, &row, &seen);
}

static void
test_request(void **state)
{
	struct tls_script script = {
	    .identity = &cast.good, .serve = note_request};
	struct https_server server = {
	    .ca_file = cast.ca_file, .deadline_ms = PATIENCE_MS};
	char host[64];

	(void)state;
	tls_script_start(&script);
	ask(&script, server, 1);
	tls_script_stop(&script);
	assert_string_equal(told.text, "0:192.0.2.1 ");
	assert_string_equal(script.sni, HOST);
	(void)snprintf(host, sizeof(host), "\r\nHost: " HOST ":%d\r\n",
	    tls_script_port(&script));
	assert_memory_equal(seen.head, "POST /dns-query HTTP/1.1\r\n", 26);
	assert_non_null(strstr(seen.head, host));
	assert_non_null(strstr(seen.head, "\r\nContent-Type: " MEDIA "\r\n"));
	assert_non_null(strstr(seen.head, "\r\nAccept: " MEDIA "\r\n"));
	assert_null(strstr(seen.head, "Cookie"));
	assert_int_equal(wire_id(seen.body), 0); /* RFC 8484, section 4.1 */
	assert_int_equal(wire_type_asked(seen.body, seen.body_len), A4);
}

static void
test_trust(void **state)
{
	const struct {
		const char *name;
		const struct tls_identity *shows; /* NULL: no TLS at all */
		const char *ca, *host;
		const char *text; /* NULL: good */
	} rows[] = {
	    {"good", &cast.good, cast.ca_file, HOST, NULL},
	    {"by address", &cast.by_ip, cast.ca_file, "127.0.0.1", NULL},
	    {"another name", &cast.other, cast.ca_file, HOST, HOST},
	    {"address for a name", &cast.by_ip, cast.ca_file, HOST, HOST},
	    {"name for an address", &cast.good, cast.ca_file, "127.0.0.1",
		"127.0.0.1"},
	    {"expired", &cast.expired, cast.ca_file, HOST, "certificate"},
	    {"the system knows it not", &cast.good, NULL, HOST, "certificate"},
	    {"no CA file", &cast.good, "/nonexistent/ca", HOST,
		"/nonexistent/ca"},
	    {"no TLS", NULL, cast.ca_file, HOST, "exchange with"},
	};
	static const struct reply row = {.name = "good"};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct tls_script script = {.identity = rows[i].shows,
		    .serve = rows[i].shows != NULL ? serve_row : hang_up,
		    .row = &row};
		struct https_server server = {
		    .ca_file = rows[i].ca, .deadline_ms = PATIENCE_MS};
		char url[64];

		tls_script_start(&script);
		(void)snprintf(url, sizeof(url), "https://%s:%d/", rows[i].host,
		    tls_script_port(&script));
		server.url = url;
		if (rows[i].shows == NULL)
			server.deadline_ms = SHORT_MS;
		ask(&script, server, 1);
		tls_script_stop(&script);
		if ((rows[i].text == NULL) !=
		    (told.end_err.reason == REASON_NONE))
			fail_msg("%s: %s '%s'", rows[i].name,
			    reason_name(told.end_err.reason),
			    told.end_err.text);
		if (rows[i].text == NULL)
			assert_string_equal(told.text, "0:192.0.2.1 ");
		else if (rows[i].shows != NULL &&
			 strstr(told.end_err.text, rows[i].text) == NULL)
			fail_msg("%s: '%s'", rows[i].name, told.end_err.text);
	}
}

/* Both questions, over a pool of the caller's; on HTTP/1.1 that is a
 * connection each, one behind the other here since the server takes one at a
 * time. */
static void
serve_one(struct tls_peer *peer)
{
	static const struct reply row = {.name = "good"};
	struct request request;

	if (read_request(peer, &request))
		send_row(peer, &row, &request);
}

/* Each is an exchange of its own, so they come in any order. */
static void
expect_both(void)
{
	if (strcmp(told.text, "0:192.0.2.1 1:2001:db8::1 ") != 0 &&
	    strcmp(told.text, "1:2001:db8::1 0:192.0.2.1 ") != 0)
		fail_msg("not both: '%s'", told.text);
}

static void
test_both_and_pool(void **state)
{
	struct tls_script script = {.identity = &cast.good, .serve = serve_one};
	struct https_server server = {
	    .ca_file = cast.ca_file, .deadline_ms = PATIENCE_MS};

	(void)state;
	tls_script_start(&script);
	ask(&script, server, 2);
	expect_both();
	server.pool = fetch_pool_new(&loop);
	ask(&script, server, 2);
	expect_both();
	assert_int_equal(told.end_err.reason, REASON_NONE);
	fetch_pool_free(server.pool);
	tls_script_stop(&script);
}

/* Addresses that refuse, and that are silent, in front of the good one. */
static void
test_addresses(void **state)
{
	static const struct reply row = {.name = "good"};
	struct tls_script script = {
	    .identity = &cast.good, .serve = serve_row, .row = &row};
	struct https_server server = {.ca_file = cast.ca_file,
	    .deadline_ms = PATIENCE_MS,
	    .addresses = {"127.0.0.2", "127.0.0.3", "127.0.0.1"},
	    .address_count = 3};
	int64_t began = clock_mono_ms();
	struct tls_script silent = {.serve = peer_swallow};
	int fd;

	(void)state;
	tls_script_start(&script);
	ask(&script, server, 1); /* two refuse */
	assert_string_equal(told.text, "0:192.0.2.1 ");
	assert_int_equal(told.end_err.reason, REASON_NONE);
	assert_true(clock_mono_ms() - began < PATIENCE_MS / 4);

	/* one that takes connections and stays silent */
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	silent.address = script.address;
	silent.address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);
	assert_int_equal(0, bind(fd, (struct sockaddr *)&silent.address,
				sizeof(silent.address)));
	assert_int_equal(0, listen(fd, 4));
	began = clock_mono_ms();
	ask(&script, server, 1);
	assert_string_equal(told.text, "0:192.0.2.1 ");
	assert_int_equal(told.end_err.reason, REASON_NONE);
	assert_true(clock_mono_ms() - began >= HTTPS_STAGGER_MS - 10);
	assert_true(clock_mono_ms() - began < PATIENCE_MS / 4);

	/* nothing but silence */
	server.address_count = 1;
	server.deadline_ms = SHORT_MS;
	ask(&script, server, 1);
	assert_string_equal(told.text, "");
	assert_true(told.end_err.reason == REASON_HTTP_TIMEOUT ||
		    told.end_err.reason == REASON_DNS_NO_ANSWER);
	close(fd);
	tls_script_stop(&script);

	/* and nobody there at all */
	server.addresses[0] = "127.0.0.1";
	ask(&script, server, 1);
	assert_int_equal(told.end_err.reason, REASON_CONNECT_REFUSED);
}

/* Without an address the system is asked: localhost is in its hosts file. */
static void
test_look_up(void **state)
{
	static const struct reply row = {.name = "good"};
	struct tls_identity local = tls_make(&(struct tls_spec){
	    .cn = "x", .san = "DNS:localhost", .issuer = &cast.ca});
	struct tls_script script = {
	    .identity = &local, .serve = serve_row, .row = &row};
	struct https_server server = {.ca_file = cast.ca_file,
	    .host = "localhost",
	    .deadline_ms = PATIENCE_MS};
	char url[64];

	(void)state;
	tls_script_start(&script);
	(void)snprintf(url, sizeof(url), "https://localhost:%d/",
	    tls_script_port(&script));
	server.url = url;
	ask(&script, server, 1);
	assert_string_equal(told.text, "0:192.0.2.1 ");
	server.host = "a..b"; /* of which nobody has an address */
	ask(&script, server, 1);
	tls_script_stop(&script);
	assert_string_equal(told.text, "");
	assert_int_equal(1, told.ends);
	assert_int_not_equal(told.end_err.reason, REASON_NONE);
	tls_done(&local);
}

static void
test_cancel(void **state)
{
	static const struct reply row = {.name = "good"};
	struct tls_script script = {
	    .identity = &cast.good, .serve = serve_row, .row = &row};
	struct https_server server = {.ca_file = cast.ca_file,
	    .deadline_ms = PATIENCE_MS,
	    .url = "https://" HOST "/",
	    .addresses = {"127.0.0.1"},
	    .address_count = 1};
	const struct questions bad = {
	    .name = "a..b", .types = {DNS_A}, .count = 1};
	const struct questions questions = {
	    .name = "ocsp.test", .types = {DNS_A, DNS_AAAA}, .count = 2};

	(void)state;
	https = https_start(
	    &loop, &server, &questions, &question_story_callbacks, &told);
	https_cancel(&https);
	assert_null(https);
	https_cancel(&https);
	server.url = NULL;
	tls_script_start(&script);
	told.cancel_when = IN_ANSWER;
	ask(&script, server, 1);
	assert_string_equal(told.text, "0:192.0.2.1 ");
	assert_int_equal(0, told.ends);
	told.cancel_when = IN_END;
	ask(&script, server, 1);
	assert_int_equal(1, told.ends);
	tls_script_stop(&script);

	/* a name that is none: told later, and once */
	told.ends = 0;
	server.url = "https://" HOST "/";
	https =
	    https_start(&loop, &server, &bad, &question_story_callbacks, &told);
	assert_int_equal(0, told.ends);
	loop_run(&loop);
	assert_int_equal(1, told.ends);
	assert_int_equal(told.end_err.reason, REASON_DNS_NO_ANSWER);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_replies, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_request, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_trust, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_both_and_pool, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_addresses, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_look_up, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_cancel, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, make_all, free_all);
}
