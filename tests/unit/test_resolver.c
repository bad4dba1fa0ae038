/* SPDX-License-Identifier: ISC */
/* test_resolver.c -- dns/resolver: what is passed on of what is heard. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "dns/datagram.h"
#include "dns/message.h"
#include "dns/resolver.h"
#include "dns_script.h"
#include "patience.h"
#include "tls_script.h"

enum { HOLD_MS = 150, LATE_MS = 60 };

enum cancel_when { CANCEL_NEVER, IN_ANSWER, IN_SETTLED, IN_END };

static uv_loop_t loop;
static struct dns_script server;
static struct resolver_query *query;
static char story[4096]; /* what was told, in order */
static struct err end_err;
static enum cancel_when cancel_when;

static void
tell(const char *what)
{
	size_t used = strlen(story);

	(void)snprintf(story + used, sizeof(story) - used, "%s", what);
}

static void
took_answer(void *cookie, const struct resolver_answer *answer)
{
	assert_ptr_equal(cookie, &loop);
	assert_non_null(query);
	tell("(");
	for (size_t i = 0; i < answer->address_count; i++) {
		tell(i > 0 ? " " : "");
		tell(answer->addresses[i]);
	}
	for (size_t i = 0; i < answer->chain_length; i++) {
		tell(" >");
		tell(answer->chain[i]);
	}
	tell(")");
	if (cancel_when == IN_ANSWER)
		resolver_cancel(&query);
}

static void
took_settled(void *cookie)
{
	assert_ptr_equal(cookie, &loop);
	assert_non_null(query);
	tell(" settled ");
	if (cancel_when == IN_SETTLED)
		resolver_cancel(&query);
}

static void
took_end(void *cookie, const struct err *err)
{
	assert_ptr_equal(cookie, &loop);
	assert_non_null(query); /* never from within resolver_ask */
	tell(" end");
	end_err = *err;
	if (cancel_when == IN_END)
		resolver_cancel(&query);
	query = NULL;
	uv_stop(&loop);
}

static const struct resolver_callbacks callbacks = {
    .answer = took_answer, .settled = took_settled, .end = took_end};

/* Ask and tell the story, until the end or, where it is silent, long after. */
static void
ask(const struct resolver *resolver, const char *name,
    enum resolver_family family)
{
	story[0] = '\0';
	memset(&end_err, 0, sizeof(end_err));
	query = resolver_ask(&loop, resolver, name, family, &callbacks, &loop);
	assert_string_equal(story, "");
	(void)patience_run(&loop, HOLD_MS + 400);
}

static void
ask_server(void (*reply)(const struct dns_question *question),
    enum resolver_family family)
{
	struct resolver resolver;

	dns_script_stop(&server);
	assert_true(dns_script_start(&server, &loop, false, reply));
	resolver = dns_script_resolver(&server, HOLD_MS);
	ask(&resolver, "ocsp.test", family);
}

static int
set_up(void **state)
{
	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	server.fd = -1;
	query = NULL;
	cancel_when = CANCEL_NEVER;
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

/* The genuine answer: one address of each family behind a chain; the AAAA
 * later than the A, so that the story has one order. */
static void
genuine(const struct dns_question *question)
{
	struct wire wire;

	dns_begin(&wire, question, 0);
	wire_cname(&wire, "ocsp.test", "e.cdn.test");
	if (question->type == DNS_A) {
		wire_address(&wire, "e.cdn.test", "192.0.2.1");
		dns_script_send(question, &wire);
	} else {
		wire_address(&wire, "e.cdn.test", "2001:db8::1");
		dns_script_send_later(question, &wire, LATE_MS);
	}
}

static void
test_both_families(void **state)
{
	(void)state;
	ask_server(genuine, RESOLVER_BOTH);
	assert_string_equal(story,
	    "(192.0.2.1 >e.cdn.test)(2001:db8::1 >e.cdn.test) settled  end");
	assert_int_equal(end_err.reason, REASON_NONE);
	assert_int_equal(server.questions, 2);
}

static void
test_one_family(void **state)
{
	(void)state;
	ask_server(genuine, RESOLVER_IPV4);
	assert_string_equal(story, "(192.0.2.1 >e.cdn.test) settled  end");
	assert_int_equal(server.questions, 1);
	ask_server(genuine, RESOLVER_IPV6);
	assert_string_equal(story, "(2001:db8::1 >e.cdn.test) settled  end");
	assert_int_equal(server.questions, 1);
}

/* An injector: it answers at once, the truth comes later. */
static void
forged_first(const struct dns_question *question)
{
	struct wire wire;

	dns_begin(&wire, question, 0);
	wire_address(&wire, "ocsp.test", "198.51.100.7");
	dns_script_send(question, &wire);
	dns_begin(&wire, question, 0);
	if (question->type == DNS_A)
		wire_address(&wire, "ocsp.test", "192.0.2.1");
	dns_script_send_later(
	    question, &wire, question->type == DNS_A ? LATE_MS / 2 : LATE_MS);
}

static void
test_forged_first(void **state)
{
	(void)state;
	/* settled comes with the first ones, the genuine one after it */
	ask_server(forged_first, RESOLVER_BOTH);
	assert_string_equal(
	    story, "(198.51.100.7)(198.51.100.7) settled (192.0.2.1)() end");
	assert_int_equal(end_err.reason, REASON_NONE);
	/* an A record in an AAAA answer is none of the family asked */
	ask_server(forged_first, RESOLVER_IPV6);
	assert_string_equal(story, "() settled () end");
	assert_int_equal(end_err.reason, REASON_DNS_NO_ANSWER);
}

static void
denied_first(const struct dns_question *question)
{
	struct wire wire;

	dns_begin(&wire, question, 3);
	dns_script_send(question, &wire);
	dns_begin(&wire, question, 0);
	if (question->type == DNS_A) {
		wire_address(&wire, "ocsp.test", "192.0.2.1");
		dns_script_send_later(question, &wire, LATE_MS);
	}
}

static void
test_denied_first(void **state)
{
	(void)state;
	ask_server(denied_first, RESOLVER_BOTH);
	assert_string_equal(story, "()() settled (192.0.2.1) end");
	assert_int_equal(end_err.reason, REASON_NONE);
}

static void
say_nxdomain(const struct dns_question *question)
{
	dns_deny(question, 3);
}

static void
say_servfail(const struct dns_question *question)
{
	dns_deny(question, 2);
}

static void
say_refused(const struct dns_question *question)
{
	dns_deny(question, 5);
}

static void
say_no_data(const struct dns_question *question)
{
	dns_deny(question, 0);
}

static void
say_truncated(const struct dns_question *question)
{
	dns_deny(question, WIRE_TC);
}

static void
say_nxdomain_and_servfail(const struct dns_question *question)
{
	if (question->type == DNS_A)
		say_nxdomain(question);
	else
		say_servfail(question);
}

static void
say_nothing(const struct dns_question *question)
{
	(void)question;
}

static void
say_nothing_to_aaaa(const struct dns_question *question)
{
	if (question->type == DNS_A)
		genuine(question);
}

static void
test_ends(void **state)
{
	static const struct {
		const char *name;
		void (*reply)(const struct dns_question *question);
		enum reason reason;
		const char *story, *text;
	} rows[] = {
	    {"NXDOMAIN", say_nxdomain, REASON_DNS_NXDOMAIN, "()() settled  end",
		"NXDOMAIN"},
	    {"SERVFAIL", say_servfail, REASON_DNS_SERVFAIL, "()() settled  end",
		"SERVFAIL"},
	    {"REFUSED", say_refused, REASON_DNS_SERVFAIL, "()() settled  end",
		"REFUSED"},
	    {"no data", say_no_data, REASON_DNS_NO_ANSWER, "()() settled  end",
		"names no address"},
	    {"truncated", say_truncated, REASON_DNS_NO_ANSWER,
		"()() settled  end", "names no address"},
	    {"two errors", say_nxdomain_and_servfail, REASON_DNS_NXDOMAIN,
		"()() settled  end", "NXDOMAIN"},
	    {"silence", say_nothing, REASON_DNS_NO_ANSWER, " settled  end",
		"within"},
	    {"half a silence", say_nothing_to_aaaa, REASON_NONE,
		"(192.0.2.1 >e.cdn.test) settled  end", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		ask_server(rows[i].reply, RESOLVER_BOTH);
		if (strcmp(story, rows[i].story) != 0 ||
		    end_err.reason != rows[i].reason)
			fail_msg("%s: '%s' %s", rows[i].name, story,
			    reason_name(end_err.reason));
		if (strstr(end_err.text, rows[i].text) == NULL)
			fail_msg("%s: '%s'", rows[i].name, end_err.text);
		if (rows[i].reason != REASON_NONE)
			assert_non_null(strstr(end_err.text, "127.0.0.1"));
	}
}

/* --- TCP: after a datagram that is cut off, and by itself --- */

static void
serve_by_tcp(struct tls_peer *peer)
{
	const unsigned *rcode = peer->script->row;
	uint8_t head[2], asked[512];
	struct wire wire;
	size_t len;

	while (peer_read(peer, head, sizeof(head))) {
		len = (size_t)head[0] << 8 | head[1];
		if (len > sizeof(asked) || !peer_read(peer, asked, len))
			return;
		wire_start(&wire, wire_id(asked), WIRE_RESPONSE | *rcode);
		wire_question(&wire, "ocsp.test", wire_type_asked(asked, len));
		wire_cname(&wire, "ocsp.test", "e.cdn.test");
		if (*rcode == 0)
			wire_address(&wire, "e.cdn.test", "192.0.2.1");
		head[0] = (uint8_t)(wire.len >> 8);
		head[1] = (uint8_t)wire.len;
		peer_write(peer, head, sizeof(head));
		peer_write(peer, wire.at, wire.len);
	}
}

static void
swallow_by_tcp(struct tls_peer *peer)
{
	peer_swallow(peer);
}

static void
say_part(const struct dns_question *question)
{
	struct wire wire;

	dns_begin(&wire, question, WIRE_TC);
	wire_address(&wire, "ocsp.test", "192.0.2.7");
	dns_script_send(question, &wire);
}

/* RFC 2181, section 9: as by octets, within a record. */
static void
say_cut(const struct dns_question *question)
{
	struct wire wire;

	dns_begin(&wire, question, WIRE_TC);
	wire_address(&wire, "ocsp.test", "192.0.2.7");
	wire.len--;
	dns_script_send(question, &wire);
}

/* Forged first, cut off; then whole and genuine. */
static void
say_part_then_whole(const struct dns_question *question)
{
	struct wire wire;

	say_part(question);
	dns_begin(&wire, question, 0);
	wire_address(&wire, "ocsp.test", "192.0.2.2");
	dns_script_send_later(question, &wire, LATE_MS);
}

/* One port for both, which is a matter of luck. */
static void
start_both(void (*by_udp)(const struct dns_question *question),
    struct tls_script *tcp, struct resolver *out)
{
	bool started = false;

	for (int i = 0; i < 20 && !started; i++) {
		dns_script_stop(&server);
		assert_true(dns_script_start(&server, &loop, false, by_udp));
		tcp->port = dns_script_port(&server);
		started = tls_script_try(tcp);
	}
	assert_true(started);
	*out = dns_script_resolver(&server, HOLD_MS);
}

static void
test_truncated(void **state)
{
	static const unsigned noerror = 0, servfail = 2;
	static const struct {
		const char *name;
		void (*by_udp)(const struct dns_question *question);
		void (*by_tcp)(struct tls_peer *peer);
		const unsigned *rcode;
		size_t connections;
		const char *story;
		enum reason reason;
	} rows[] = {
	    {"nothing in it", say_truncated, serve_by_tcp, &noerror, 1,
		"()(192.0.2.1 >e.cdn.test) settled  end", REASON_NONE},
	    {"its address counts", say_part, serve_by_tcp, &noerror, 1,
		"(192.0.2.7)(192.0.2.1 >e.cdn.test) settled  end", REASON_NONE},
	    {"cut within a record", say_cut, serve_by_tcp, &noerror, 1,
		"()(192.0.2.1 >e.cdn.test) settled  end", REASON_NONE},
	    {"TCP fails", say_truncated, serve_by_tcp, &servfail, 1,
		"()( >e.cdn.test) settled  end", REASON_DNS_SERVFAIL},
	    {"TCP is silent", say_part, swallow_by_tcp, &noerror, 1,
		"(192.0.2.7) settled  end", REASON_NONE},
	    {"whole ones need no TCP", say_nxdomain, serve_by_tcp, &noerror, 0,
		"() settled  end", REASON_DNS_NXDOMAIN},
	    {"the whole one settles", say_part_then_whole, swallow_by_tcp,
		&noerror, 1, "(192.0.2.7)(192.0.2.2) settled  end",
		REASON_NONE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct tls_script tcp = {
		    .serve = rows[i].by_tcp, .row = rows[i].rcode};
		struct resolver resolver;

		start_both(rows[i].by_udp, &tcp, &resolver);
		ask(&resolver, "ocsp.test", RESOLVER_IPV4);
		tls_script_stop(&tcp);
		if (strcmp(story, rows[i].story) != 0 ||
		    end_err.reason != rows[i].reason ||
		    tcp.accepted != rows[i].connections)
			fail_msg("%s: '%s' %s, %zu connections", rows[i].name,
			    story, end_err.text, tcp.accepted);
		assert_int_equal(1, server.questions);
	}
}

static void
test_tcp_and_tls(void **state)
{
	static const unsigned noerror = 0, nxdomain = 3;
	static struct tls_identity identity;
	const struct {
		const char *scheme, *fragment;
		void (*serve)(struct tls_peer *peer);
		const unsigned *rcode;
		bool tls;
		const char *story;
		enum reason reason;
		const char *text;
	} rows[] = {
	    {"tcp", "", serve_by_tcp, &noerror, false,
		"(192.0.2.1 >e.cdn.test) settled  end", REASON_NONE, ""},
	    {"tcp", "", serve_by_tcp, &nxdomain, false,
		"( >e.cdn.test) settled  end", REASON_DNS_NXDOMAIN,
		"does not exist"},
	    {"tcp", "", swallow_by_tcp, &noerror, false, " settled  end",
		REASON_DNS_NO_ANSWER, "did not answer"},
	    {"tls", "#insecure", serve_by_tcp, &noerror, true,
		"(192.0.2.1 >e.cdn.test) settled  end", REASON_NONE, ""},
	    {"tls", "", serve_by_tcp, &noerror, true, " settled  end",
		REASON_DNS_NO_ANSWER, "not believed"},
	    {"tls", "#dns.test", serve_by_tcp, &noerror, true, " settled  end",
		REASON_DNS_NO_ANSWER, "'dns.test'"},
	};

	(void)state;
	identity = tls_make(&(struct tls_spec){.cn = "x"});
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct tls_script script = {.serve = rows[i].serve,
		    .row = rows[i].rcode,
		    .identity = rows[i].tls ? &identity : NULL};
		struct resolver resolver;
		char url[64];

		tls_script_start(&script);
		(void)snprintf(url, sizeof(url), "%s://127.0.0.1:%d%s",
		    rows[i].scheme, tls_script_port(&script), rows[i].fragment);
		assert_int_equal(0, resolver_parse(url, &resolver, NULL));
		resolver.hold_ms = HOLD_MS;
		ask(&resolver, "ocsp.test", RESOLVER_IPV4);
		tls_script_stop(&script);
		if (strcmp(story, rows[i].story) != 0 ||
		    end_err.reason != rows[i].reason ||
		    strstr(end_err.text, rows[i].text) == NULL)
			fail_msg("%s: '%s' %s", url, story, end_err.text);
		/* people know it by its URL */
		if (rows[i].reason != REASON_NONE)
			assert_non_null(strstr(end_err.text, url));
	}
	tls_done(&identity);
}

static void
test_cancel_while_tcp(void **state)
{
	static const unsigned noerror = 0;
	struct tls_script tcp = {.serve = serve_by_tcp, .row = &noerror};
	struct resolver resolver;

	(void)state;
	start_both(say_part, &tcp, &resolver);
	cancel_when = IN_ANSWER;
	ask(&resolver, "ocsp.test", RESOLVER_IPV4);
	assert_string_equal(story, "(192.0.2.7)");
	cancel_when = IN_SETTLED;
	ask(&resolver, "ocsp.test", RESOLVER_IPV4);
	assert_string_equal(
	    story, "(192.0.2.7)(192.0.2.1 >e.cdn.test) settled ");
	tls_script_stop(&tcp);
}

/* Nobody listens: the resolver is out of reach, not the responder. */
static void
test_out_of_reach(void **state)
{
	struct resolver resolver;

	(void)state;
	assert_true(dns_script_start(&server, &loop, false, say_nothing));
	resolver = dns_script_resolver(&server, HOLD_MS);
	resolver.hold_ms = 60000;
	dns_script_stop(&server);
	ask(&resolver, "ocsp.test", RESOLVER_BOTH);
	assert_string_equal(story, " settled  end");
	assert_int_equal(end_err.reason, REASON_DNS_NO_ANSWER);
	assert_non_null(strstr(end_err.text, "127.0.0.1"));
}

static void
test_bad_names(void **state)
{
	static const char *const names[] = {"", "a..b", "-\n-", "127.1 "};
	struct resolver resolver;

	(void)state;
	assert_true(dns_script_start(&server, &loop, false, genuine));
	resolver = dns_script_resolver(&server, HOLD_MS);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		ask(&resolver, names[i], RESOLVER_BOTH);
		assert_string_equal(story, " settled  end");
		assert_int_equal(end_err.reason, REASON_DNS_NO_ANSWER);
	}
	assert_int_equal(server.questions, 0);
}

static void
test_numeric_names(void **state)
{
	struct resolver resolver, system;

	(void)state;
	assert_true(dns_script_start(&server, &loop, false, genuine));
	resolver = dns_script_resolver(&server, HOLD_MS);
	assert_int_equal(0, resolver_parse("system", &system, NULL));
	ask(&resolver, "192.0.2.9", RESOLVER_BOTH);
	assert_string_equal(story, "(192.0.2.9) settled  end");
	assert_int_equal(end_err.reason, REASON_NONE);
	ask(&system, "2001:db8::9", RESOLVER_IPV6);
	assert_string_equal(story, "(2001:db8::9) settled  end");
	ask(&system, "2001:db8::9", RESOLVER_IPV4);
	assert_string_equal(story, " settled  end");
	assert_int_equal(end_err.reason, REASON_DNS_NO_ANSWER);
	assert_int_equal(server.questions, 0);
}

/* localhost comes from /etc/hosts, or from nss-myhostname: no packet. */
static void
test_system_resolver(void **state)
{
	struct resolver system;

	(void)state;
	assert_int_equal(0, resolver_parse("system", &system, NULL));
	ask(&system, "localhost", RESOLVER_IPV4);
	assert_string_equal(story, "(127.0.0.1) settled  end");
	assert_int_equal(end_err.reason, REASON_NONE);
}

static void
test_settled_is_optional(void **state)
{
	struct resolver_callbacks without = callbacks;
	struct resolver resolver;

	(void)state;
	assert_true(dns_script_start(&server, &loop, false, say_nxdomain));
	resolver = dns_script_resolver(&server, HOLD_MS);
	resolver.hold_ms = 30;
	without.settled = NULL;
	story[0] = '\0';
	query = resolver_ask(
	    &loop, &resolver, "ocsp.test", RESOLVER_BOTH, &without, &loop);
	loop_run(&loop);
	assert_string_equal(story, "()() end");
}

static void
test_cancel(void **state)
{
	struct resolver resolver, system;

	(void)state;
	assert_true(dns_script_start(&server, &loop, false, forged_first));
	resolver = dns_script_resolver(&server, HOLD_MS);
	assert_int_equal(0, resolver_parse("system", &system, NULL));
	story[0] = '\0';
	for (int i = 0; i < 4; i++) {
		query = resolver_ask(&loop, i < 2 ? &resolver : &system,
		    i % 2 == 0 ? "localhost" : "192.0.2.1", RESOLVER_BOTH,
		    &callbacks, &loop);
		resolver_cancel(&query);
		assert_null(query);
		resolver_cancel(&query);
	}

	cancel_when = IN_ANSWER;
	ask_server(forged_first, RESOLVER_BOTH);
	assert_string_equal(story, "(198.51.100.7)");
	ask(&system, "localhost", RESOLVER_IPV4);
	assert_string_equal(story, "(127.0.0.1)");
	ask(&system, "192.0.2.1", RESOLVER_BOTH);
	assert_string_equal(story, "(192.0.2.1)");

	cancel_when = IN_SETTLED;
	ask_server(forged_first, RESOLVER_BOTH);
	assert_string_equal(story, "(198.51.100.7)(198.51.100.7) settled ");
	ask_server(say_nothing, RESOLVER_BOTH);
	assert_string_equal(story, " settled ");
	ask(&system, "192.0.2.1", RESOLVER_BOTH);
	assert_string_equal(story, "(192.0.2.1) settled ");

	cancel_when = IN_END;
	ask_server(say_nxdomain, RESOLVER_BOTH);
	assert_string_equal(story, "()() settled  end");
	ask(&system, "localhost", RESOLVER_IPV4);
	assert_string_equal(story, "(127.0.0.1) settled  end");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		test_both_families, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_one_family, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_forged_first, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_denied_first, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_ends, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_truncated, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_tcp_and_tls, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_cancel_while_tcp, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_out_of_reach, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_bad_names, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_numeric_names, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_system_resolver, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_settled_is_optional, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_cancel, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
