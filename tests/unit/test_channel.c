/* SPDX-License-Identifier: ISC */
/* test_channel.c -- tls/channel and tls/secure: whom they believe. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/loop.h"
#include "tls/channel.h"
#include "tls/secure.h"
#include "own_cast.h"

enum { LARGE = 100000, SHORT_MS = 100 };

static uv_loop_t loop;
static struct channel *channel;
static struct err end_err;
static size_t ends, heard_len;
static char heard[LARGE];
static bool cancel_in_input, cancel_in_end;

static int
set_up(void **state)
{
	(void)state;
	assert_int_equal(0, uv_loop_init(&loop));
	cancel_in_input = cancel_in_end = false;
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	loop_end(&loop);
	return 0;
}

static void
took_input(void *cookie, const uint8_t *bytes, size_t len)
{
	assert_ptr_equal(cookie, &loop);
	assert_int_equal(0, ends);
	assert_non_null(channel);
	assert_true(heard_len + len <= sizeof(heard));
	memcpy(heard + heard_len, bytes, len);
	heard_len += len;
	if (cancel_in_input)
		channel_cancel(&channel);
}

static void
took_end(void *cookie, const struct err *err)
{
	assert_ptr_equal(cookie, &loop);
	assert_non_null(channel); /* never from within channel_start */
	ends++;
	end_err = *err;
	if (cancel_in_end)
		channel_cancel(&channel);
	channel = NULL;
}

static const struct channel_callbacks callbacks = {
    .input = took_input, .end = took_end};

/* Say something, hear what comes, until the end or a cancel. */
static void
talk(const struct sockaddr_in *address, const struct secure_trust *trust,
    const void *say, size_t len)
{
	struct channel_request request = {
	    .address = (const struct sockaddr *)address,
	    .trust = trust,
	    .say = {say, len},
	};

	err_clear(&end_err);
	ends = heard_len = 0;
	channel = channel_start(&loop, &request, &callbacks, &loop);
	assert_int_equal(0, ends);
	loop_run(&loop);
	assert_null(channel);
}

/* --- what the server does --- */

static void
pong(struct tls_peer *peer)
{
	char ping[4];

	if (peer_read(peer, ping, sizeof(ping)) &&
	    memcmp(ping, "ping", sizeof(ping)) == 0)
		peer_write(peer, "pong", 4);
}

static void
echo_large(struct tls_peer *peer)
{
	uint8_t *bytes = mem_new(LARGE);

	if (peer_read(peer, bytes, LARGE))
		peer_write(peer, bytes, LARGE);
	free(bytes);
}

static void
reset(struct tls_peer *peer)
{
	char byte;

	(void)peer_read(peer, &byte, 1);
	peer_will_reset(peer);
}

static void
cut(struct tls_peer *peer)
{
	char byte;

	(void)peer_read(peer, &byte, 1);
	/* the connection ends without close_notify */
	(void)shutdown(peer->fd, SHUT_WR);
	(void)recv(peer->fd, &byte, 1, 0);
	SSL_set_quiet_shutdown(peer->ssl, 1);
}

/* --- tests --- */

static void
test_plain(void **state)
{
	struct tls_script script = {.serve = pong};

	(void)state;
	tls_script_start(&script);
	talk(&script.address, NULL, "ping", 4);
	tls_script_stop(&script);
	assert_int_equal(1, ends);
	assert_int_equal(end_err.reason, REASON_NONE);
	assert_int_equal(heard_len, 4);
	assert_memory_equal(heard, "pong", 4);
}

static void
test_trust(void **state)
{
	enum pin { NO_PIN, ITS_PIN, WRONG_PIN, SECOND_PIN };
	const struct {
		const char *name;
		const struct tls_identity *shows;
		const char *expects; /* the name; NULL: the address */
		enum pin pin;
		bool insecure;
		const char *ca;
		int max_version;
		enum reason reason;
		const char *text;
	} rows[] = {
	    {"by name", &cast.good, "dns.test", 0, 0, cast.ca_file, 0,
		REASON_NONE, ""},
	    {"TLS 1.2", &cast.good, "dns.test", 0, 0, cast.ca_file,
		TLS1_2_VERSION, REASON_NONE, ""},
	    {"by address", &cast.by_ip, NULL, 0, 0, cast.ca_file, 0,
		REASON_NONE, ""},
	    {"by pin", &cast.unknown, NULL, ITS_PIN, 0, NULL, 0, REASON_NONE,
		""},
	    {"by the second pin", &cast.selfmade, NULL, SECOND_PIN, 0, NULL, 0,
		REASON_NONE, ""},
	    {"by pin, expired", &cast.expired, NULL, ITS_PIN, 0, NULL, 0,
		REASON_NONE, ""},
	    {"by name and pin", &cast.good, "dns.test", ITS_PIN, 0,
		cast.ca_file, 0, REASON_NONE, ""},
	    {"insecure", &cast.unknown, NULL, 0, true, NULL, 0, REASON_NONE,
		""},
	    {"insecure, another name", &cast.other, "dns.test", 0, true, NULL,
		0, REASON_NONE, ""},

	    {"another name", &cast.other, "dns.test", 0, 0, cast.ca_file, 0,
		REASON_TLS_FAILED, "'dns.test': hostname mismatch"},
	    {"the name in the subject alone", &cast.common_name, "dns.test", 0,
		0, cast.ca_file, 0, REASON_TLS_FAILED, "mismatch"},
	    {"a wildcard for a part", &cast.wildcard, "dns.test", 0, 0,
		cast.ca_file, 0, REASON_TLS_FAILED, "mismatch"},
	    {"no address in it", &cast.good, NULL, 0, 0, cast.ca_file, 0,
		REASON_TLS_FAILED, "IP address mismatch"},
	    {"an address for the name", &cast.by_ip, "dns.test", 0, 0,
		cast.ca_file, 0, REASON_TLS_FAILED, "mismatch"},
	    {"unknown CA", &cast.unknown, "dns.test", 0, 0, cast.ca_file, 0,
		REASON_TLS_FAILED, "not believed"},
	    {"the system knows it not", &cast.good, "dns.test", 0, 0, NULL, 0,
		REASON_TLS_FAILED, "not believed"},
	    {"self-signed", &cast.selfmade, "dns.test", 0, 0, cast.ca_file, 0,
		REASON_TLS_FAILED, "self-signed"},
	    {"expired", &cast.expired, "dns.test", 0, 0, cast.ca_file, 0,
		REASON_TLS_FAILED, "expired"},
	    {"not yet valid", &cast.early, "dns.test", 0, 0, cast.ca_file, 0,
		REASON_TLS_FAILED, "not yet valid"},
	    {"wrong pin", &cast.good, NULL, WRONG_PIN, 0, cast.ca_file, 0,
		REASON_TLS_FAILED, "pinned"},
	    {"good name, wrong pin", &cast.good, "dns.test", WRONG_PIN, 0,
		cast.ca_file, 0, REASON_TLS_FAILED, "pinned"},
	    {"good pin, another name", &cast.other, "dns.test", ITS_PIN, 0,
		cast.ca_file, 0, REASON_TLS_FAILED, "mismatch"},
	    {"good pin and name, unknown CA", &cast.unknown, "dns.test",
		ITS_PIN, 0, cast.ca_file, 0, REASON_TLS_FAILED, "not believed"},
	    {"TLS 1.1", &cast.good, "dns.test", 0, 0, cast.ca_file,
		TLS1_1_VERSION, REASON_TLS_FAILED, "version"},
	    {"TLS 1.1, insecure", &cast.good, NULL, 0, true, NULL,
		TLS1_1_VERSION, REASON_TLS_FAILED, "version"},
	    {"no such CA file", &cast.good, "dns.test", 0, 0, "/nonexistent/ca",
		0, REASON_FILE, "/nonexistent/ca"},
	    {"a CA file of junk", &cast.good, "dns.test", 0, 0, cast.junk_file,
		0, REASON_FILE, cast.junk_file},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct tls_script script = {.identity = rows[i].shows,
		    .max_version = rows[i].max_version,
		    .serve = pong};
		struct secure_trust trust = {.name = rows[i].expects,
		    .insecure = rows[i].insecure,
		    .ca_file = rows[i].ca};
		size_t at = rows[i].pin == SECOND_PIN ? 1 : 0;

		if (rows[i].pin != NO_PIN)
			trust.pin_count = at + 1;
		if (rows[i].pin == ITS_PIN || rows[i].pin == SECOND_PIN)
			tls_pin(rows[i].shows, trust.pins[at]);
		tls_script_start(&script);
		talk(&script.address, &trust, "ping", 4);
		tls_script_stop(&script);
		if (ends != 1 || end_err.reason != rows[i].reason ||
		    strstr(end_err.text, rows[i].text) == NULL)
			fail_msg("%s: %s '%s'", rows[i].name,
			    reason_name(end_err.reason), end_err.text);
		/* nothing is believed of, or said to, whom we do not know */
		if (heard_len != (rows[i].reason == REASON_NONE ? 4U : 0U))
			fail_msg("%s: heard %zu", rows[i].name, heard_len);
		if (rows[i].reason == REASON_NONE)
			assert_string_equal(script.sni,
			    rows[i].expects != NULL ? rows[i].expects : "");
	}
}

/* The system's store, where the environment names another as OpenSSL reads
 * it. */
static void
test_system_store(void **state)
{
	struct tls_script script = {.identity = &cast.good, .serve = pong};
	struct secure_trust trust = {.name = "dns.test"};

	(void)state;
	tls_script_start(&script);
	talk(&script.address, &trust, "ping", 4);
	assert_int_equal(end_err.reason, REASON_TLS_FAILED);
	assert_int_equal(0, setenv("SSL_CERT_FILE", cast.ca_file, 1));
	talk(&script.address, &trust, "ping", 4);
	(void)unsetenv("SSL_CERT_FILE");
	assert_int_equal(end_err.reason, REASON_NONE);
	assert_int_equal(4, heard_len);
	tls_script_stop(&script);
}

static void
test_large(void **state)
{
	struct tls_script script = {.serve = echo_large};
	struct secure_trust trust = {.insecure = true};
	uint8_t *bytes = mem_new(LARGE);

	(void)state;
	for (size_t i = 0; i < LARGE; i++)
		bytes[i] = (uint8_t)(i * 7 >> 3);
	for (int tls = 0; tls < 2; tls++) {
		script.identity = tls ? &cast.good : NULL;
		tls_script_start(&script);
		talk(&script.address, tls ? &trust : NULL, bytes, LARGE);
		tls_script_stop(&script);
		assert_int_equal(end_err.reason, REASON_NONE);
		assert_int_equal(heard_len, LARGE);
		assert_memory_equal(heard, bytes, LARGE);
	}
	free(bytes);
}

static void
test_bad_servers(void **state)
{
	const struct {
		const char *name;
		void (*serve)(struct tls_peer *peer);
		bool server_tls, client_tls;
		enum reason reason;
		const char *text;
	} rows[] = {
	    {"plain, hangs up", peer_hang_up, false, false, REASON_NONE, ""},
	    {"plain, resets", reset, false, false, REASON_CONNECT_RESET,
		"broke"},
	    {"TLS: hangs up instead", peer_hang_up, false, true,
		REASON_TLS_FAILED, "did not finish the TLS handshake"},
	    {"TLS: resets instead", reset, false, true, REASON_TLS_FAILED,
		"did not finish the TLS handshake"},
	    {"TLS: speaks HTTP", peer_speak_http, false, true,
		REASON_TLS_FAILED, "TLS with 127.0.0.1"},
	    {"TLS: ends without close_notify", cut, true, true, REASON_NONE,
		""},
	    {"TLS: resets after the handshake", reset, true, true,
		REASON_CONNECT_RESET, "broke"},
	};
	struct secure_trust trust = {.insecure = true};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct tls_script script = {.serve = rows[i].serve,
		    .identity = rows[i].server_tls ? &cast.good : NULL};

		tls_script_start(&script);
		talk(&script.address, rows[i].client_tls ? &trust : NULL,
		    "ping", 4);
		tls_script_stop(&script);
		if (ends != 1 || end_err.reason != rows[i].reason ||
		    strstr(end_err.text, rows[i].text) == NULL)
			fail_msg("%s: %s '%s'", rows[i].name,
			    reason_name(end_err.reason), end_err.text);
		assert_int_equal(0, heard_len);
	}
}

static void
test_nobody_there(void **state)
{
	struct tls_script script = {.serve = peer_swallow};
	struct secure_trust trust = {.insecure = true};

	(void)state;
	tls_script_start(&script);
	tls_script_stop(&script);
	talk(&script.address, NULL, "ping", 4);
	assert_int_equal(end_err.reason, REASON_CONNECT_REFUSED);
	talk(&script.address, &trust, "ping", 4);
	assert_int_equal(end_err.reason, REASON_CONNECT_REFUSED);
	/* the limited broadcast address has no TCP */
	script.address.sin_addr.s_addr = htonl(INADDR_BROADCAST);
	talk(&script.address, NULL, "ping", 4);
	assert_int_equal(end_err.reason, REASON_UNREACHABLE);
}

static void
cancel_now(void *cookie)
{
	*(struct loop_timer **)cookie = NULL;
	channel_cancel(&channel);
}

static void
test_cancel(void **state)
{
	struct tls_script script = {.serve = pong, .identity = &cast.good};
	struct tls_script silent = {.serve = peer_swallow};
	struct secure_trust trust = {.insecure = true};
	struct channel_request request = {
	    .address = (const struct sockaddr *)&script.address};
	struct loop_timer *timer = NULL;

	(void)state;
	tls_script_start(&script);
	channel = channel_start(&loop, &request, &callbacks, &loop);
	assert_string_equal(
	    channel_waits_for(channel), "answer the connection");
	channel_cancel(&channel);
	assert_null(channel);
	channel_cancel(&channel);
	cancel_in_input = true;
	talk(&script.address, &trust, "ping", 4);
	assert_int_equal(0, ends);
	assert_int_equal(4, heard_len);
	cancel_in_input = false;
	cancel_in_end = true;
	talk(&script.address, &trust, "ping", 4);
	assert_int_equal(1, ends);
	tls_script_stop(&script);

	/* in the middle of the handshake */
	tls_script_start(&silent);
	timer = loop_timer_start(&loop, SHORT_MS, cancel_now, &timer);
	talk(&silent.address, &trust, "ping", 4);
	tls_script_stop(&silent);
	assert_int_equal(0, ends);
}

static void
test_check_ca(void **state)
{
	struct err err = {0};

	(void)state;
	assert_int_equal(0, secure_check_ca(cast.ca_file, &err));
	assert_int_equal(0, secure_check_ca(NULL, &err));
	assert_int_equal(-1, secure_check_ca(cast.junk_file, &err));
	assert_int_equal(err.reason, REASON_FILE);
	assert_int_equal(-1, secure_check_ca("/nonexistent", NULL));
	assert_int_equal(-1, secure_check_ca("/tmp", NULL));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_plain, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_trust, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_system_store, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_large, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_bad_servers, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_nobody_there, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_cancel, set_up, tear_down),
	    cmocka_unit_test(test_check_ca),
	};

	return cmocka_run_group_tests(tests, make_all, free_all);
}
