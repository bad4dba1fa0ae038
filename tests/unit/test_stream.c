/* SPDX-License-Identifier: ISC */
/* test_stream.c -- dns/stream: questions over TCP and TLS. */
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
#include "dns/stream.h"
#include "dns_wire.h"
#include "tls/secure.h"
#include "question_story.h"
#include "own_cast.h"

enum { PATIENCE_MS = 10000, SHORT_MS = 150, A4 = 1, A6 = 28 };

static uv_loop_t loop;
static struct stream *stream;
static struct question_story told;

static void
cancel(void)
{
	stream_cancel(&stream);
}

static bool
is_there(void)
{
	return stream != NULL;
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

static void
ask(const struct tls_script *script, const struct secure_trust *trust,
    const char *name, size_t count, int64_t deadline_ms)
{
	const struct stream_server server = {
	    .address = (const struct sockaddr *)&script->address,
	    .trust = trust,
	    .deadline_ms = deadline_ms};
	const struct questions questions = {
	    .name = name, .types = {DNS_A, DNS_AAAA}, .count = count};

	question_story_begin(&told);
	stream = stream_start(
	    &loop, &server, &questions, &question_story_callbacks, &told);
	assert_string_equal(told.text, "");
	assert_int_equal(0, told.ends);
	loop_run(&loop);
	if (told.ends > 0)
		stream = NULL;
	assert_null(stream);
}

/* --- the server's side --- */

struct asked {
	unsigned id, type;
};

static bool
read_question(struct tls_peer *peer, struct asked *out)
{
	uint8_t head[2], query[512];
	size_t len;

	if (!peer_read(peer, head, sizeof(head)))
		return false;
	len = (size_t)head[0] << 8 | head[1];
	if (len < 12 || len > sizeof(query) || !peer_read(peer, query, len))
		return false;
	out->id = wire_id(query);
	out->type = wire_type_asked(query, len);
	return true;
}

static void
make_answer(struct wire *wire, unsigned id, const char *name, unsigned type)
{
	wire_start(wire, id, WIRE_RESPONSE);
	wire_question(wire, name, type);
	wire_address(wire, name, type == A4 ? "192.0.2.1" : "2001:db8::1");
}

/* LENGTH is what the prefix claims. */
static void
send_framed(struct tls_peer *peer, const struct wire *wire, size_t length)
{
	uint8_t out[2 + sizeof(wire->at)];

	out[0] = (uint8_t)(length >> 8);
	out[1] = (uint8_t)length;
	memcpy(out + 2, wire->at, wire->len);
	peer_write(peer, out, wire->len + 2);
}

static void
send_answer(struct tls_peer *peer, const struct asked *asked)
{
	struct wire wire;

	make_answer(&wire, asked->id, "ocsp.test", asked->type);
	send_framed(peer, &wire, wire.len);
}

static void
answer_all(struct tls_peer *peer)
{
	struct asked asked;

	while (read_question(peer, &asked))
		send_answer(peer, &asked);
}

/* Both come before the first is answered: RFC 7766, section 6.2.1.1. */
static void
answer_backwards(struct tls_peer *peer)
{
	struct asked asked[2];

	if (!read_question(peer, &asked[0]) || !read_question(peer, &asked[1]))
		return;
	send_answer(peer, &asked[1]);
	send_answer(peer, &asked[0]);
	peer_swallow(peer);
}

static void
answer_one_and_close(struct tls_peer *peer)
{
	struct asked asked;

	if (read_question(peer, &asked))
		send_answer(peer, &asked);
	peer_hang_up(peer);
}

static void
answer_by_octets(struct tls_peer *peer)
{
	struct asked asked;
	struct wire wire;

	while (read_question(peer, &asked)) {
		make_answer(&wire, asked.id, "ocsp.test", asked.type);
		for (size_t i = 0; i < wire.len + 2; i++) {
			uint8_t head[2] = {
			    (uint8_t)(wire.len >> 8), (uint8_t)wire.len};

			peer_write(peer, i < 2 ? &head[i] : &wire.at[i - 2], 1);
		}
	}
}

/* A good answer behind one with something wrong, each row another. */
enum flaw {
	WRONG_ID,
	WRONG_NAME,
	WRONG_TYPE,
	A_QUESTION,
	TOO_SHORT,
	EMPTY,
	TWO_QUESTIONS,
	FLAWS
};

static void
send_flawed(struct tls_peer *peer, const struct asked *asked, enum flaw flaw)
{
	unsigned other = asked->type == A4 ? A6 : A4;
	struct wire wire;

	make_answer(&wire, flaw == WRONG_ID ? asked->id ^ 0x5555 : asked->id,
	    flaw == WRONG_NAME ? "other.test" : "ocsp.test",
	    flaw == WRONG_TYPE ? other : asked->type);
	if (flaw == A_QUESTION)
		wire.at[2] &= 0x7f;
	if (flaw == TWO_QUESTIONS)
		wire.at[5] = 2;
	if (flaw == TOO_SHORT)
		wire.len = 20;
	if (flaw == EMPTY)
		wire.len = 0;
	send_framed(peer, &wire, wire.len);
}

static void
flawed_then_good(struct tls_peer *peer)
{
	const enum flaw *flaw = peer->script->row;
	struct asked asked;

	while (read_question(peer, &asked)) {
		send_flawed(peer, &asked, *flaw);
		send_answer(peer, &asked);
	}
}

static void
flawed_then_close(struct tls_peer *peer)
{
	const enum flaw *flaw = peer->script->row;
	struct asked asked;

	if (read_question(peer, &asked))
		send_flawed(peer, &asked, *flaw);
	peer_hang_up(peer);
}

/* Twice the same: the second is to no question any more. */
static void
answer_twice(struct tls_peer *peer)
{
	struct asked asked[2];

	if (!read_question(peer, &asked[0]) || !read_question(peer, &asked[1]))
		return;
	send_answer(peer, &asked[0]);
	send_answer(peer, &asked[0]);
	send_answer(peer, &asked[1]);
	peer_swallow(peer);
}

static void
reset_at_once(struct tls_peer *peer)
{
	struct asked asked;

	(void)read_question(peer, &asked);
	peer_will_reset(peer);
}

/* The length says more than comes. */
static void
lie_long(struct tls_peer *peer)
{
	struct asked asked;
	struct wire wire;

	if (!read_question(peer, &asked))
		return;
	make_answer(&wire, asked.id, "ocsp.test", asked.type);
	send_framed(peer, &wire, wire.len + 1);
	peer_hang_up(peer);
}

/* The length says less than comes: the rest is read as another length. */
static void
lie_short(struct tls_peer *peer)
{
	struct asked asked;
	struct wire wire;

	if (!read_question(peer, &asked))
		return;
	make_answer(&wire, asked.id, "ocsp.test", asked.type);
	send_framed(peer, &wire, wire.len - 7);
	peer_hang_up(peer);
}

static void
half_a_length(struct tls_peer *peer)
{
	struct asked asked;

	(void)read_question(peer, &asked);
	peer_write(peer, "", 1);
	peer_hang_up(peer);
}

static void
flood(struct tls_peer *peer)
{
	static const uint8_t zeros[4096];

	for (int i = 0; i < 100; i++)
		peer_write(peer, zeros, sizeof(zeros));
	peer_swallow(peer);
}

/* One octet now and then, for ever: each is progress, the whole is none. */
static void
drip(struct tls_peer *peer)
{
	static const struct timeval pause = {.tv_usec = 10000};
	char byte;

	/* reading waits that long, and returns 0 once the client has gone */
	(void)setsockopt(
	    peer->fd, SOL_SOCKET, SO_RCVTIMEO, &pause, sizeof(pause));
	do {
		peer_write(peer, "\xff", 1);
	} while (recv(peer->fd, &byte, 1, 0) != 0);
}

/* --- tests --- */

static void
test_good(void **state)
{
	static const struct {
		const char *name;
		void (*serve)(struct tls_peer *peer);
		size_t count, connections;
		const char *story;
	} rows[] = {
	    {"both", answer_all, 2, 1, "0:192.0.2.1 1:2001:db8::1 "},
	    {"one", answer_all, 1, 1, "0:192.0.2.1 "},
	    {"out of order", answer_backwards, 2, 1,
		"1:2001:db8::1 0:192.0.2.1 "},
	    {"octet by octet", answer_by_octets, 2, 1,
		"0:192.0.2.1 1:2001:db8::1 "},
	    {"closes after each", answer_one_and_close, 2, 2,
		"0:192.0.2.1 1:2001:db8::1 "},
	    {"the same twice", answer_twice, 2, 1,
		"0:192.0.2.1 1:2001:db8::1 "},
	};
	struct secure_trust trust = {.name = "dns.test", .pin_count = 1};
	char ca[32];

	(void)state;
	tls_pin(&cast.selfmade, trust.pins[0]);
	tls_write(&cast.selfmade, ca);
	trust.ca_file = ca;
	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(*rows); i++) {
		bool tls = i % 2 != 0;
		struct tls_script script = {.serve = rows[i / 2].serve,
		    .identity = tls ? &cast.selfmade : NULL};

		tls_script_start(&script);
		ask(&script, tls ? &trust : NULL, "ocsp.test",
		    rows[i / 2].count, PATIENCE_MS);
		tls_script_stop(&script);
		if (strcmp(told.text, rows[i / 2].story) != 0 ||
		    told.end_err.reason != REASON_NONE || told.ends != 1 ||
		    script.accepted != rows[i / 2].connections)
			fail_msg("%s%s: '%s' %s, %zu connections",
			    rows[i / 2].name, tls ? " (TLS)" : "", told.text,
			    told.end_err.text, script.accepted);
	}
	(void)unlink(ca);
}

static void
test_flaws(void **state)
{
	(void)state;
	for (enum flaw flaw = WRONG_ID; flaw < FLAWS; flaw++) {
		struct tls_script script = {
		    .serve = flawed_then_good, .row = &flaw};

		/* what is no answer to us does not keep the answer away */
		tls_script_start(&script);
		ask(&script, NULL, "ocsp.test", 1, PATIENCE_MS);
		tls_script_stop(&script);
		if (strcmp(told.text, "0:192.0.2.1 ") != 0 ||
		    told.end_err.reason != REASON_NONE)
			fail_msg("flaw %d: '%s' %s", (int)flaw, told.text,
			    told.end_err.text);

		/* and is none itself */
		script.serve = flawed_then_close;
		tls_script_start(&script);
		ask(&script, NULL, "ocsp.test", 1, PATIENCE_MS);
		tls_script_stop(&script);
		if (strcmp(told.text, "") != 0 ||
		    told.end_err.reason != REASON_DNS_NO_ANSWER ||
		    (strstr(told.end_err.text, "(1 messages mal") == NULL &&
			strstr(told.end_err.text, ", 1 not to this") == NULL))
			fail_msg("flaw %d: '%s' %s", (int)flaw, told.text,
			    told.end_err.text);
		assert_int_equal(1, script.accepted);
	}
}

static void
test_bad_servers(void **state)
{
	static const struct {
		const char *name;
		void (*serve)(struct tls_peer *peer);
		bool server_tls, client_tls;
		int64_t deadline_ms;
		enum reason reason;
		const char *text;
	} rows[] = {
	    {"closes", peer_hang_up, 0, 0, PATIENCE_MS, REASON_DNS_NO_ANSWER,
		"without an answer"},
	    {"resets", reset_at_once, 0, 0, PATIENCE_MS, REASON_CONNECT_RESET,
		"broke"},
	    {"says too long", lie_long, 0, 0, PATIENCE_MS, REASON_DNS_NO_ANSWER,
		"middle of an answer"},
	    {"says too short", lie_short, 0, 0, PATIENCE_MS,
		REASON_DNS_NO_ANSWER, "1 messages malformed"},
	    {"half a length", half_a_length, 0, 0, PATIENCE_MS,
		REASON_DNS_NO_ANSWER, "middle of an answer"},
	    {"floods", flood, 0, 0, PATIENCE_MS, REASON_DNS_NO_ANSWER,
		"many messages"},
	    {"speaks HTTP", peer_speak_http, 0, 0, PATIENCE_MS,
		REASON_DNS_NO_ANSWER, "middle of an answer"},
	    {"is silent", peer_swallow, 0, 0, SHORT_MS, REASON_DNS_NO_ANSWER,
		"did not answer within 150 ms"},
	    {"drips", drip, 0, 0, SHORT_MS, REASON_DNS_NO_ANSWER,
		"did not answer within 150 ms"},
	    {"TLS: closes", peer_hang_up, true, true, PATIENCE_MS,
		REASON_DNS_NO_ANSWER, "without an answer"},
	    {"TLS: says too long", lie_long, true, true, PATIENCE_MS,
		REASON_DNS_NO_ANSWER, "middle of an answer"},
	    {"TLS: is silent", peer_swallow, true, true, SHORT_MS,
		REASON_DNS_NO_ANSWER, "did not answer within 150 ms"},
	    {"TLS: no handshake", peer_swallow, false, true, SHORT_MS,
		REASON_DNS_NO_ANSWER,
		"did not finish the TLS handshake within 150 ms"},
	    {"TLS: drips", drip, false, true, PATIENCE_MS, REASON_TLS_FAILED,
		"TLS with"},
	    {"TLS: plain DNS", answer_all, false, true, PATIENCE_MS,
		REASON_TLS_FAILED, "TLS"},
	    {"TLS to plain", peer_swallow, true, false, PATIENCE_MS, 0, ""},
	};
	struct secure_trust trust = {.insecure = true};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct tls_script script = {.serve = rows[i].serve,
		    .identity = rows[i].server_tls ? &cast.selfmade : NULL};
		int64_t began = clock_mono_ms();

		tls_script_start(&script);
		ask(&script, rows[i].client_tls ? &trust : NULL, "ocsp.test", 2,
		    rows[i].deadline_ms);
		tls_script_stop(&script);
		assert_string_equal(told.text, "");
		assert_int_equal(1, told.ends);
		if (rows[i].reason == REASON_NONE)
			assert_int_not_equal(told.end_err.reason, REASON_NONE);
		else if (told.end_err.reason != rows[i].reason ||
			 strstr(told.end_err.text, rows[i].text) == NULL)
			fail_msg("%s: %s '%s'", rows[i].name,
			    reason_name(told.end_err.reason),
			    told.end_err.text);
		assert_true(clock_mono_ms() - began < PATIENCE_MS / 2);
	}
}

static void
test_unknown_ca(void **state)
{
	struct secure_trust trust = {.name = "dns.test"};
	struct tls_script script = {
	    .serve = answer_all, .identity = &cast.selfmade};

	(void)state;
	tls_script_start(&script);
	ask(&script, &trust, "ocsp.test", 2, PATIENCE_MS);
	tls_script_stop(&script);
	assert_string_equal(told.text, "");
	assert_int_equal(told.end_err.reason, REASON_TLS_FAILED);
}

static void
test_not_even_asked(void **state)
{
	static const char *const names[] = {"", "a..b", "a b", "."};
	struct tls_script script = {.serve = answer_all};

	(void)state;
	tls_script_start(&script);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		ask(&script, NULL, names[i], 2, PATIENCE_MS);
		assert_int_equal(told.end_err.reason, REASON_DNS_NO_ANSWER);
		assert_int_equal(1, told.ends);
	}
	tls_script_stop(&script);
	assert_int_equal(0, script.accepted);
	ask(&script, NULL, "ocsp.test", 2, PATIENCE_MS);
	assert_int_equal(told.end_err.reason, REASON_CONNECT_REFUSED);
}

static void
test_cancel(void **state)
{
	struct tls_script script = {.serve = answer_all};
	const struct stream_server server = {
	    .address = (const struct sockaddr *)&script.address};
	const struct questions questions = {
	    .name = "ocsp.test", .types = {DNS_A, DNS_AAAA}, .count = 2};

	(void)state;
	tls_script_start(&script);
	stream = stream_start(
	    &loop, &server, &questions, &question_story_callbacks, &told);
	stream_cancel(&stream);
	assert_null(stream);
	stream_cancel(&stream);
	told.cancel_when = IN_ANSWER;
	ask(&script, NULL, "ocsp.test", 2, PATIENCE_MS);
	assert_string_equal(told.text, "0:192.0.2.1 ");
	assert_int_equal(0, told.ends);
	told.cancel_when = IN_END;
	ask(&script, NULL, "ocsp.test", 2, PATIENCE_MS);
	assert_int_equal(1, told.ends);
	ask(&script, NULL, "a..b", 2, PATIENCE_MS);
	assert_int_equal(1, told.ends);
	tls_script_stop(&script);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_good, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_flaws, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_bad_servers, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_unknown_ca, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_not_even_asked, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_cancel, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, make_all, free_all);
}
