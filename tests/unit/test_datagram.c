/* SPDX-License-Identifier: ISC */
/* test_datagram.c -- dns/datagram against a server that lies by script. */
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
#include "dns/datagram.h"
#include "dns_script.h"
#include "patience.h"

enum { SEEN_MAX = 64 };

#define LONG_NAME "the-quick-brown-fox-jumps-over-the-lazy-dog.test"

struct seen {
	char address[DNS_ADDRESS_TEXT]; /* the first, or "" */
	int rcode, ip_ttl;
	bool truncated, other_case;
	int64_t at_ms;
	size_t size;
};

static uv_loop_t loop;
static struct dns_script server;
static struct datagram_query *query;
static struct seen seen[SEEN_MAX];
static size_t seen_count;
static int ends;
static struct err end_err;
static int64_t end_ms, start_ms;
static bool cancel_at_answer, cancel_at_end;

static void
took_answer(void *cookie, const struct datagram_answer *answer)
{
	struct seen *s = &seen[seen_count++];

	assert_ptr_equal(cookie, &loop);
	assert_non_null(query);
	assert_int_equal(ends, 0);
	assert_true(seen_count <= SEEN_MAX);
	if (answer->message->address_count > 0)
		memcpy(s->address, answer->message->addresses[0],
		    sizeof(s->address));
	s->rcode = answer->message->rcode;
	s->truncated = answer->message->truncated;
	s->ip_ttl = answer->ip_ttl;
	s->other_case = answer->other_case;
	s->at_ms = answer->at_ms;
	s->size = answer->size;
	if (cancel_at_answer)
		datagram_cancel(&query);
}

static void
took_end(void *cookie, const struct err *err)
{
	assert_ptr_equal(cookie, &loop);
	assert_non_null(query); /* never from within datagram_start */
	ends++;
	end_err = *err;
	end_ms = clock_mono_ms() - start_ms;
	if (cancel_at_end)
		datagram_cancel(&query);
	query = NULL;
	uv_stop(&loop);
}

static const struct datagram_callbacks callbacks = {
    .answer = took_answer, .end = took_end};

static bool
serve(bool v6, void (*reply)(const struct dns_question *question))
{
	dns_script_stop(&server);
	return dns_script_start(&server, &loop, v6, reply);
}

/* Ask SERVER, until the query is through. */
static void
ask(const char *name, enum dns_type type, int64_t hold_ms)
{
	memset(seen, 0, sizeof(seen));
	seen_count = 0;
	ends = 0;
	start_ms = clock_mono_ms();
	query = datagram_start(&loop, (struct sockaddr *)&server.address, name,
	    type, hold_ms, &callbacks, &loop);
	assert_int_equal(ends, 0);
	/* until the end, or where it is silent until the window is over */
	(void)patience_run(&loop, hold_ms + 50);
}

static int
set_up(void **state)
{
	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	cancel_at_answer = cancel_at_end = false;
	query = NULL;
	server.fd = -1;
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	dns_script_stop(&server);
	loop_end(&loop);
	return 0;
}

static void
answer_with(struct wire *wire, const struct dns_question *question,
    unsigned flags, const char *address)
{
	wire_start(wire, question->id, WIRE_RESPONSE | flags);
	wire_question(wire, "ocsp.test", question->type);
	if (address != NULL)
		wire_address(wire, "ocsp.test", address);
}

static void
forge_then_tell(const struct dns_question *question)
{
	struct wire wire;

	answer_with(&wire, question, 0, "198.51.100.1");
	dns_script_send(question, &wire);
	answer_with(&wire, question, 0, "198.51.100.2");
	dns_script_send(question, &wire);
	answer_with(&wire, question, 0, "192.0.2.1");
	dns_script_send_later(question, &wire, 120);
}

static void
test_every_datagram(void **state)
{
	(void)state;
	assert_true(serve(false, forge_then_tell));
	ask("ocsp.test", DNS_A, 300);
	assert_int_equal(seen_count, 3);
	assert_string_equal(seen[0].address, "198.51.100.1");
	assert_string_equal(seen[1].address, "198.51.100.2");
	assert_string_equal(seen[2].address, "192.0.2.1");
	assert_true(seen[2].at_ms >= 119);
	assert_int_equal(seen[0].size, 52);
	assert_int_equal(ends, 1);
	assert_int_equal(end_err.reason, REASON_NONE);
	/* the first datagram does not close the window */
	assert_in_range(end_ms, 299, 3000);
	assert_int_equal(server.questions, 1);
}

static void
deny_then_tell(const struct dns_question *question)
{
	struct wire wire;

	answer_with(&wire, question, 3, NULL);
	dns_script_send(question, &wire);
	answer_with(&wire, question, WIRE_TC, NULL);
	dns_script_send(question, &wire);
	answer_with(&wire, question, 0, "192.0.2.1");
	dns_script_send_later(question, &wire, 30);
}

static void
test_kinds(void **state)
{
	(void)state;
	assert_true(serve(false, deny_then_tell));
	ask("ocsp.test", DNS_A, 150);
	assert_int_equal(seen_count, 3);
	assert_int_equal(seen[0].rcode, 3);
	assert_true(seen[1].truncated);
	assert_string_equal(seen[1].address, "");
	assert_string_equal(seen[2].address, "192.0.2.1");
	assert_int_equal(end_err.reason, REASON_NONE);
}

static void
answer_at_once(const struct dns_question *question)
{
	struct wire wire;

	answer_with(&wire, question, 0, "192.0.2.1");
	dns_script_send(question, &wire);
}

static void
test_ttl(void **state)
{
	int ttl = 33;

	(void)state;
	assert_true(serve(false, answer_at_once));
	(void)setsockopt(server.fd, IPPROTO_IP, IP_TTL, &ttl, sizeof(ttl));
	ask("ocsp.test", DNS_A, 50);
	assert_int_equal(seen_count, 1);
	assert_int_equal(seen[0].ip_ttl, 33);
}

static void
test_ipv6(void **state)
{
	int hops = 44;

	(void)state;
	if (!serve(true, answer_at_once))
		skip();
	(void)setsockopt(
	    server.fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &hops, sizeof(hops));
	ask("ocsp.test", DNS_AAAA, 50);
	assert_int_equal(seen_count, 1);
	assert_int_equal(seen[0].ip_ttl, 44);
	assert_int_equal(end_err.reason, REASON_NONE);
}

static void
from_elsewhere(const struct dns_question *question)
{
	struct sockaddr_in other = {.sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1),
	    .sin_port = ((const struct sockaddr_in *)&question->script->address)
			    ->sin_port};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct wire wire;

	assert_int_equal(0, bind(fd, (struct sockaddr *)&other, sizeof(other)));
	answer_with(&wire, question, 0, "192.0.2.1");
	(void)sendto(fd, wire.at, wire.len, 0,
	    (const struct sockaddr *)&question->from, question->from_size);
	close(fd);
}

static void
from_other_port(const struct dns_question *question)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct wire wire;

	answer_with(&wire, question, 0, "192.0.2.1");
	(void)sendto(fd, wire.at, wire.len, 0,
	    (const struct sockaddr *)&question->from, question->from_size);
	close(fd);
}

static void
with_other_id(const struct dns_question *question)
{
	struct wire wire;

	answer_with(&wire, question, 0, "192.0.2.1");
	wire.at[1] ^= 1;
	dns_script_send(question, &wire);
}

static void
with_other_name(const struct dns_question *question)
{
	struct wire wire;

	answer_with(&wire, question, 0, "192.0.2.1");
	wire.at[13] ^= 1;
	dns_script_send(question, &wire);
}

static void
with_other_type(const struct dns_question *question)
{
	struct dns_question other = *question;
	struct wire wire;

	other.type = DNS_AAAA;
	answer_with(&wire, &other, 0, "192.0.2.1");
	dns_script_send(question, &wire);
}

static void
with_the_question(const struct dns_question *question)
{
	struct wire wire;

	answer_with(&wire, question, 0, "192.0.2.1");
	wire.at[2] &= 0x7f;
	dns_script_send(question, &wire);
}

static void
with_a_cut(const struct dns_question *question)
{
	struct wire wire;

	answer_with(&wire, question, 0, "192.0.2.1");
	wire.len -= 2;
	dns_script_send(question, &wire);
}

static void
with_nothing(const struct dns_question *question)
{
	struct wire wire = {.len = 0};

	dns_script_send(question, &wire);
}

static void
with_too_much(const struct dns_question *question)
{
	static struct wire wire;

	answer_with(&wire, question, 0, "192.0.2.1");
	while (wire.len < DNS_UDP_MAX + 200)
		wire_address(&wire, "ocsp.test", "192.0.2.1");
	dns_script_send(question, &wire);
}

static void
with_silence(const struct dns_question *question)
{
	(void)question;
}

static void
test_unbelievable(void **state)
{
	static const struct {
		const char *name;
		void (*reply)(const struct dns_question *question);
	} rows[] = {
	    {"silence", with_silence},
	    {"another address", from_elsewhere},
	    {"another port", from_other_port},
	    {"another id", with_other_id},
	    {"another name", with_other_name},
	    {"another type", with_other_type},
	    {"a question back", with_the_question},
	    {"cut", with_a_cut},
	    {"empty", with_nothing},
	    {"larger than we read", with_too_much},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		assert_true(serve(false, rows[i].reply));
		ask("ocsp.test", DNS_A, 40);
		if (seen_count != 0 || ends != 1 ||
		    end_err.reason != REASON_DNS_NO_ANSWER)
			fail_msg("%s: %zu answers, %s", rows[i].name,
			    seen_count, reason_name(end_err.reason));
		assert_non_null(strstr(end_err.text, "127.0.0.1"));
		assert_non_null(strstr(end_err.text, "ocsp.test"));
		assert_int_equal(server.questions, 1);
		dns_script_stop(&server);
	}
}

static void
answer_the_second(const struct dns_question *question)
{
	if (question->number == 1)
		answer_at_once(question);
}

static char asked_names[4][256];

/* The name as it was asked, and as who has not seen the question writes it. */
static void
echo_and_guess(const struct dns_question *question)
{
	struct wire wire;

	memcpy(asked_names[question->number % 4], question->name,
	    sizeof(asked_names[0]));
	wire_start(&wire, question->id, WIRE_RESPONSE);
	wire_question(&wire, question->name, question->type);
	wire_address(&wire, question->name, "192.0.2.1");
	dns_script_send(question, &wire);
	wire_start(&wire, question->id, WIRE_RESPONSE);
	wire_question(&wire, LONG_NAME, question->type);
	wire_address(&wire, LONG_NAME, "198.51.100.7");
	dns_script_send(question, &wire);
}

/* DNS 0x20: another case is a claim all the same, and is recorded. */
static void
test_mixed_case(void **state)
{
	(void)state;
	assert_true(serve(false, echo_and_guess));
	for (int i = 0; i < 2; i++) {
		ask(LONG_NAME, DNS_A, 100);
		assert_int_equal(seen_count, 2);
		assert_string_equal(seen[0].address, "192.0.2.1");
		assert_false(seen[0].other_case);
		assert_string_equal(seen[1].address, "198.51.100.7");
		assert_true(seen[1].other_case);
	}
	/* 40 letters: alike by chance once in 10^12 */
	assert_int_equal(0, strcasecmp(asked_names[0], LONG_NAME));
	assert_string_not_equal(asked_names[0], LONG_NAME);
	assert_string_not_equal(asked_names[0], asked_names[1]);
}

/* Deaf to mixed case. */
static void
only_lower_case(const struct dns_question *question)
{
	struct wire wire;

	memcpy(asked_names[question->number % 4], question->name,
	    sizeof(asked_names[0]));
	if (strcmp(question->name, LONG_NAME) != 0)
		return;
	wire_start(&wire, question->id, WIRE_RESPONSE);
	wire_question(&wire, question->name, question->type);
	wire_address(&wire, question->name, "192.0.2.1");
	dns_script_send(question, &wire);
}

static void
test_second_time_as_given(void **state)
{
	(void)state;
	assert_true(serve(false, only_lower_case));
	ask(LONG_NAME, DNS_A, DATAGRAM_RESEND_MS + 500);
	assert_int_equal(server.questions, 2);
	assert_string_not_equal(asked_names[0], LONG_NAME);
	assert_string_equal(asked_names[1], LONG_NAME);
	assert_int_equal(seen_count, 1);
	assert_string_equal(seen[0].address, "192.0.2.1");
	assert_false(seen[0].other_case);
}

/* RFC 6891, section 7: what servers without EDNS say to it. */
static unsigned edns_rcode;
static bool edns_names_question;

static void
no_edns(const struct dns_question *question)
{
	struct wire wire;

	memcpy(asked_names[question->number % 4], question->name,
	    sizeof(asked_names[0]));
	if (!question->edns) {
		wire_start(&wire, question->id, WIRE_RESPONSE);
		wire_question(&wire, question->name, question->type);
		wire_address(&wire, question->name, "192.0.2.1");
		dns_script_send(question, &wire);
		return;
	}
	wire_start(&wire, question->id, WIRE_RESPONSE | (edns_rcode & 15));
	if (edns_names_question)
		wire_question(&wire, question->name, question->type);
	if (edns_rcode > 15)
		wire_edns(&wire, 1232, edns_rcode >> 4);
	dns_script_send(question, &wire);
}

static void
test_without_edns(void **state)
{
	static const unsigned rcodes[] = {1, 4, 16};

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		edns_rcode = rcodes[i / 2];
		edns_names_question = i % 2 != 0;
		assert_true(serve(false, no_edns));
		ask(LONG_NAME, DNS_A, 200);
		assert_int_equal(server.questions, 2);
		assert_string_not_equal(asked_names[0], LONG_NAME);
		assert_string_equal(asked_names[1], LONG_NAME);
		assert_int_equal(seen_count, 1);
		assert_string_equal(seen[0].address, "192.0.2.1");
		assert_int_equal(end_err.reason, REASON_NONE);
	}
}

static void
always_formerr(const struct dns_question *question)
{
	struct wire wire;

	wire_start(&wire, question->id, WIRE_RESPONSE | 1);
	wire_question(&wire, question->name, question->type);
	dns_script_send(question, &wire);
}

/* Said to the plain question as well it is an answer; and it is said twice at
 * most. */
static void
test_always_formerr(void **state)
{
	(void)state;
	assert_true(serve(false, always_formerr));
	ask("ocsp.test", DNS_A, 200);
	assert_int_equal(server.questions, 2);
	assert_int_equal(seen_count, 1);
	assert_int_equal(seen[0].rcode, 1);
}

/* A forged word about our form does not hide what follows. */
static void
forged_formerr(const struct dns_question *question)
{
	struct wire wire;

	if (!question->edns)
		return; /* the forger's own */
	always_formerr(question);
	answer_with(&wire, question, 0, "192.0.2.1");
	dns_script_send_later(question, &wire, 50);
}

static void
test_forged_formerr(void **state)
{
	(void)state;
	assert_true(serve(false, forged_formerr));
	ask("ocsp.test", DNS_A, 300);
	assert_int_equal(seen_count, 1);
	assert_string_equal(seen[0].address, "192.0.2.1");
}

static void
drops_edns(const struct dns_question *question)
{
	if (!question->edns)
		answer_at_once(question);
}

static void
test_edns_is_dropped(void **state)
{
	(void)state;
	assert_true(serve(false, drops_edns));
	ask("ocsp.test", DNS_A, DATAGRAM_RESEND_MS + 200);
	assert_int_equal(server.questions, 2);
	assert_int_equal(seen_count, 1);
}

static void
test_asks_again(void **state)
{
	(void)state;
	assert_true(serve(false, answer_the_second));
	ask("ocsp.test", DNS_A, DATAGRAM_RESEND_MS + 200);
	assert_int_equal(server.questions, 2);
	assert_int_equal(seen_count, 1);
	assert_true(seen[0].at_ms >= DATAGRAM_RESEND_MS - 1);
	assert_int_equal(end_err.reason, REASON_NONE);

	/* not where an answer came */
	assert_true(serve(false, answer_at_once));
	ask("ocsp.test", DNS_A, DATAGRAM_RESEND_MS + 50);
	assert_int_equal(server.questions, 1);
}

static void
answer_often(const struct dns_question *question)
{
	for (int i = 0; i < DATAGRAM_ANSWERS_MAX + 8; i++)
		answer_at_once(question);
}

static void
test_flood(void **state)
{
	(void)state;
	assert_true(serve(false, answer_often));
	ask("ocsp.test", DNS_A, 60);
	assert_int_equal(seen_count, DATAGRAM_ANSWERS_MAX);
	assert_int_equal(ends, 1);
	assert_int_equal(end_err.reason, REASON_NONE);
}

static void
test_nobody_listens(void **state)
{
	(void)state;
	assert_true(serve(false, NULL));
	dns_script_stop(&server); /* its port stays free for a moment */
	ask("ocsp.test", DNS_A, 3000);
	assert_int_equal(ends, 1);
	assert_int_equal(end_err.reason, REASON_UNREACHABLE);
	assert_non_null(strstr(end_err.text, "127.0.0.1"));
	assert_true(end_ms < 2000); /* ICMP ends it, not the window */

	if (!serve(true, NULL))
		return;
	dns_script_stop(&server);
	ask("ocsp.test", DNS_A, 3000);
	assert_int_equal(end_err.reason, REASON_UNREACHABLE);
	assert_true(end_ms < 2000);
}

static unsigned
checksum(const uint8_t *bytes, size_t len)
{
	unsigned sum = 0;

	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (unsigned)bytes[i] << 8 | bytes[i + 1];
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum & 0xffff;
}

/* RFC 792: "port unreachable" for the question that we just answered. */
static void
answer_then_icmp(const struct dns_question *question)
{
	const struct sockaddr_in *from =
	    (const struct sockaddr_in *)&question->from;
	struct sockaddr_in to = *from;
	uint8_t icmp[36] = {3, 3, 0, 0, 0, 0, 0, 0, /* the packet's start: */
	    0x45, 0, 0, 60, 0, 0, 0, 0, 64, IPPROTO_UDP, 0, 0, 127, 0, 0, 1,
	    127, 0, 0, 1};
	unsigned to_port = (unsigned)dns_script_port(question->script);
	unsigned sum;
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);

	answer_at_once(question);
	icmp[28] = (uint8_t)(ntohs(from->sin_port) >> 8);
	icmp[29] = (uint8_t)ntohs(from->sin_port);
	icmp[30] = (uint8_t)(to_port >> 8);
	icmp[31] = (uint8_t)to_port;
	icmp[33] = 40; /* length of UDP */
	sum = checksum(icmp + 8, 20);
	icmp[18] = (uint8_t)(sum >> 8);
	icmp[19] = (uint8_t)sum;
	sum = checksum(icmp, sizeof(icmp));
	icmp[2] = (uint8_t)(sum >> 8);
	icmp[3] = (uint8_t)sum;
	to.sin_port = 0;
	assert_int_equal(sizeof(icmp), sendto(fd, icmp, sizeof(icmp), 0,
					   (struct sockaddr *)&to, sizeof(to)));
	close(fd);
}

static void
only_icmp(const struct dns_question *question)
{
	struct dns_script *script = question->script;

	/* nobody hears the answer, so that the error stands alone */
	int fd = script->fd;

	script->fd = -1;
	answer_then_icmp(question);
	script->fd = fd;
}

static void
test_icmp_after_answer(void **state)
{
	int raw = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);

	(void)state;
	if (raw == -1)
		skip(); /* needs CAP_NET_RAW */
	close(raw);
	/* alone it ends the query: so our error is a good one */
	assert_true(serve(false, only_icmp));
	ask("ocsp.test", DNS_A, 3000);
	assert_int_equal(end_err.reason, REASON_UNREACHABLE);
	assert_true(end_ms < 2000);

	assert_true(serve(false, answer_then_icmp));
	ask("ocsp.test", DNS_A, 100);
	assert_int_equal(seen_count, 1);
	assert_int_equal(end_err.reason, REASON_NONE);
	assert_in_range(end_ms, 99, 3000);
}

static void
test_cannot_ask(void **state)
{
	static const char *const names[] = {"", "a..b", "a b", "."};
	struct sockaddr_in broadcast = {.sin_family = AF_INET,
	    .sin_port = htons(53),
	    .sin_addr.s_addr = htonl(INADDR_BROADCAST)};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		assert_true(serve(false, answer_at_once));
		ask(names[i], DNS_A, 3000);
		assert_int_equal(ends, 1);
		assert_int_equal(end_err.reason, REASON_DNS_NO_ANSWER);
		assert_true(end_ms < 2000);
		assert_int_equal(server.questions, 0);
		dns_script_stop(&server);
	}
	/* the kernel refuses to send to it, no packet leaves */
	memcpy(&server.address, &broadcast, sizeof(broadcast));
	ask("ocsp.test", DNS_A, 3000);
	assert_int_equal(end_err.reason, REASON_UNREACHABLE);
	assert_true(end_ms < 2000);
}

static void
test_cancel(void **state)
{
	(void)state;
	assert_true(serve(false, forge_then_tell));
	/* at once */
	query = datagram_start(&loop, (struct sockaddr *)&server.address,
	    "ocsp.test", DNS_A, 50, &callbacks, &loop);
	datagram_cancel(&query);
	assert_null(query);
	datagram_cancel(&query);
	/* one that had failed already */
	query = datagram_start(&loop, (struct sockaddr *)&server.address, "",
	    DNS_A, 50, &callbacks, &loop);
	datagram_cancel(&query);
	/* from the first of its answers, while the next is waiting */
	cancel_at_answer = true;
	ask("ocsp.test", DNS_A, 250);
	assert_int_equal(seen_count, 1);
	assert_int_equal(ends, 0);
	/* from its own end */
	cancel_at_answer = false;
	cancel_at_end = true;
	assert_true(serve(false, with_silence));
	ask("ocsp.test", DNS_A, 20);
	assert_int_equal(ends, 1);
}

/* --- a diagnosis looks at what nobody believes, and asks once --- */

static struct datagram_stray strays[SEEN_MAX];
static size_t stray_count;

static void
took_stray(void *cookie, const struct datagram_stray *stray)
{
	assert_ptr_equal(cookie, &loop);
	assert_true(stray_count < SEEN_MAX);
	strays[stray_count++] = *stray;
}

static void
tell_malformed_and_another(const struct dns_question *question)
{
	struct wire wire;

	wire_start(&wire, question->id, WIRE_RESPONSE);
	wire_count(&wire, 1); /* a record that is not there */
	dns_script_send(question, &wire);
	answer_with(&wire, question, 0, "192.0.2.1");
	wire.at[0] ^= 1; /* another id */
	dns_script_send(question, &wire);
}

static void
test_strays_are_seen(void **state)
{
	static const struct datagram_callbacks all = {
	    .answer = took_answer, .end = took_end, .stray = took_stray};
	struct datagram_question question = {
	    .name = "ocsp.test", .type = DNS_A, .hold_ms = 1200, .once = true};

	(void)state;
	stray_count = seen_count = 0;
	ends = 0;
	assert_true(serve(false, tell_malformed_and_another));
	question.server = (struct sockaddr *)&server.address;
	query = datagram_ask(&loop, &question, &all, &loop);
	loop_run(&loop);
	assert_int_equal(ends, 1);
	assert_int_equal(seen_count, 0);
	assert_int_equal(end_err.reason, REASON_DNS_NO_ANSWER);
	assert_int_equal(stray_count, 2);
	assert_null(strays[0].message);
	assert_non_null(strays[1].message);
	assert_false(strays[1].elsewhere);
	assert_string_equal(strays[1].from, "127.0.0.1");
	/* silence for a second, and yet not asked again */
	assert_int_equal(server.questions, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		test_every_datagram, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_kinds, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_ttl, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_ipv6, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_unbelievable, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_mixed_case, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_second_time_as_given, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_asks_again, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_without_edns, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_always_formerr, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_forged_formerr, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_edns_is_dropped, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_flood, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_nobody_listens, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_icmp_after_answer, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_cannot_ask, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_cancel, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_strays_are_seen, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
