/* SPDX-License-Identifier: ISC */
/* test_remedy.c -- doctor/remedy: what is printed can be copied as it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "doctor/remedy.h"
#include "doctor_facts.h"

static const struct remedy_subject file = {"server.pem", NULL};

/* Every line that the catalogue has names only what can be known. */
static void
test_catalogue_names_what_is_known(void **state)
{
	(void)state;
	for (int i = 0; i < FINDING_COUNT; i++) {
		const struct finding_row *row =
		    finding_row((enum finding_code)i);

		for (int l = 0;
		     l < FINDING_REMEDY_MAX && row->remedy[l] != NULL; l++) {
			const char *at = row->remedy[l];

			while ((at = strchr(at, '{')) != NULL) {
				size_t len = strcspn(++at, "}");

				if (!remedy_knows(at, len))
					fail_msg("%s: {%.*s}", row->code,
					    (int)len, at);
			}
		}
	}
}

/* With nothing known at all, no brace is left, and something is said. */
static void
test_no_brace_is_left(void **state)
{
	(void)state;
	for (int i = 0; i < FINDING_COUNT; i++) {
		struct finding finding = {.code = (enum finding_code)i};
		const struct finding_row *row = finding_row(finding.code);
		struct facts facts = {0};
		struct remedy remedy;

		remedy_make(&facts, &finding, &file, &remedy);
		if ((remedy.count == 0) != (row->remedy[0] == NULL))
			fail_msg("%s: %zu lines", row->code, remedy.count);
		for (size_t l = 0; l < remedy.count; l++) {
			if (strpbrk(remedy.lines[l], "{}") != NULL)
				fail_msg("%s: %s", row->code, remedy.lines[l]);
		}
		remedy_done(&remedy);
	}
}

static void
expect(const char *network, const struct finding *finding,
    const struct remedy_subject *subject, size_t line, const char *text)
{
	struct remedy remedy;
	struct facts facts;

	facts_write(&facts, network);
	remedy_make(&facts, finding, subject, &remedy);
	if (text == NULL)
		assert_int_equal(remedy.count, line);
	else if (line >= remedy.count ||
		 strstr(remedy.lines[line], text) == NULL)
		fail_msg("no '%s': %s", text,
		    line < remedy.count ? remedy.lines[line] : "(none)");
	remedy_done(&remedy);
	facts_done(&facts);
}

static void
test_values(void **state)
{
	static const char network[] =
	    "input\nask udp://192.0.2.53 responder = 192.0.2.77\n"
	    "ask udp://192.0.2.54 responder = 192.0.2.1\n"
	    "ask tls://192.0.2.101 responder = 192.0.2.1\n"
	    "fetch 192.0.2.1 ok\nfetch 192.0.2.77 connect-timeout x3\n";
	static const struct finding wrong = {
	    .code = FINDING_DNS_RESOLVER_WRONG, .resolver = "udp://192.0.2.53"};
	/* right, and at fault all the same: it answers now and then */
	static const struct finding refused = {
	    .code = FINDING_DNS_RESOLVER_POLICY,
	    .resolver = "udp://192.0.2.54",
	    .name = "ocsp.example"};
	static const struct finding forged = {.code = FINDING_DNS_INJECTION};
	static const struct finding udp = {.code = FINDING_DNS_UDP_BLOCKED,
	    .resolver = "udp://[2001:db8::53]:53"};
	static const struct finding bare = {.code = FINDING_INPUT_NO_OCSP};
	static const struct finding closed = {.code = FINDING_LOCAL_NEEDS_PROXY,
	    .evidence = {1},
	    .evidence_count = 1};
	static const struct finding cut = {
	    .code = FINDING_ENC_DNS_BLOCKED_SNI, .address = "2001:db8::1"};
	static const struct finding other = {.code = FINDING_ENC_DNS_MITM,
	    .address = "2001:db8::1",
	    .name = "dns.example",
	    .evidence = {0},
	    .evidence_count = 1};
	static const struct remedy_subject odd = {"it's.pem", NULL};
	static const struct remedy_subject server = {NULL, "www.example"};

	(void)state;
	/* another one that is right, never the one at fault */
	expect(network, &wrong, &file, 0, "--resolver udp://192.0.2.54 ");
	expect(network, &wrong, &file, 1, "than udp://192.0.2.53");
	expect(network, &forged, &file, 0, "--resolver tls://192.0.2.101 ");
	expect(network, &refused, &file, 1, "--resolver tls://192.0.2.101");
	/* nobody is known to be right: one that anybody can reach */
	expect("input\n", &forged, &file, 0, "--resolver tls://ADDRESS#NAME");
	/* nobody by TLS is, and somebody by TCP */
	expect("input\nask tls://192.0.2.101 responder = timeout\n"
	       "ask udp://192.0.2.53 responder = 192.0.2.77\n"
	       "ask tcp://192.0.2.53 responder = 192.0.2.1\n"
	       "fetch 192.0.2.1 ok\nfetch 192.0.2.77 connect-timeout x3\n",
	    &forged, &file, 0, "--resolver tcp://192.0.2.53 ");
	expect("input\n", &udp, &file, 0, "tcp://[2001:db8::53]");
	expect("input\n", &forged, &odd, 0, "fetch 'it'\\''s.pem' ");
	/* a URL is longer than an address */
	expect("input\nfetch 192.0.2.1 ok "
	       "proxy=http://proxy.of-the-datacentre.corp.example:3128\n",
	    &closed, &file, 0,
	    "--proxy http://proxy.of-the-datacentre.corp.example:3128 ");
	/* of IPv6 a port, or a URL, wants brackets */
	expect("input\n", &cut, &file, 0, "tls://[2001:db8::1] ");
	expect("tls https://dns.example/q sni badcert 443\n", &other, &file, 0,
	    "-connect [2001:db8::1]:443 ");
	/* of a server the certificate has to be had first */
	expect("input\n", &forged, &server, 0,
	    "openssl s_client -showcerts -connect www.example:443 ");
	expect("input\n", &forged, &server, 1, "fetch server.pem ");
	/* hands are shaken with a host, never with a file */
	expect("input\n", &bare, &server, 0, "oclasp check www.example ");
	expect("input\n", &bare, &file, 0, "oclasp check HOST ");
}

/* The line of one remedy is the same after another one was done. */
static void
test_lines_do_not_move(void **state)
{
	static const struct finding pin = {.code = FINDING_LOCAL_PIN_STALE,
	    .name = FACTS_HOST,
	    .address = "192.0.2.77",
	    .evidence = {0},
	    .evidence_count = 1};

	(void)state;
	expect("hosts " FACTS_HOST " 192.0.2.77\n", &pin, &file, 0,
	    "sed -i '7s/^/# /' /etc/hosts ");
}

/* nginx takes http:// there and nothing else. */
static void
test_other_responder(void **state)
{
	static const struct finding gone = {
	    .code = FINDING_NAME_GONE, .breaks = true};
	struct facts facts;
	struct remedy remedy;

	(void)state;
	facts_write(&facts, "input\nurl 1\ninput\nfetch 192.0.2.1 ok\n");
	remedy_make(&facts, &gone, &file, &remedy);
	assert_non_null(
	    strstr(remedy.lines[0], "ssl_stapling_responder http:"));
	remedy_done(&remedy);
	facts_copy(facts.items[1].u.input.url, FACT_URL_TEXT,
	    "https://ocsp2.ca.example/");
	remedy_make(&facts, &gone, &file, &remedy);
	assert_null(strstr(remedy.lines[0], "ssl_stapling_responder"));
	remedy_done(&remedy);
	facts_done(&facts);
}

/* What a stranger says goes into no shell. */
static void
test_strangers(void **state)
{
	static const char *const names[] = {"a'; reboot; '.example",
	    "$(reboot).example", "a b.example", "-rf.example", "#.example",
	    "a\nb.example", "a`b`.example", "a|b.example", "a>b.example"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct finding finding = {.code = FINDING_LOCAL_FAKEIP};

		(void)snprintf(
		    finding.name, sizeof(finding.name), "%s", names[i]);
		expect("input\n", &finding, &file, 0,
		    "oclasp explain local-fakeip");
		expect("input\n", &finding, &file, 1, NULL);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_catalogue_names_what_is_known),
	    cmocka_unit_test(test_no_brace_is_left),
	    cmocka_unit_test(test_values),
	    cmocka_unit_test(test_lines_do_not_move),
	    cmocka_unit_test(test_other_responder),
	    cmocka_unit_test(test_strangers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
