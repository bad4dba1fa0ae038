/* SPDX-License-Identifier: ISC */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "tls/starttls.h"

enum { TURNS_MAX = 6 };

struct turn {
	const char *server; /* NULL: the end */
	const char *client; /* what has to be sent in answer */
	size_t len;         /* of server, where it holds zeros */
};

struct talk_case {
	const char *name;
	enum handshake_starttls kind;
	struct turn turns[TURNS_MAX];
	const char *error; /* in the sentence; NULL: TLS may begin */
};

#define LDAP_OK "\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00"
#define LDAP_AD                                                        \
	"\x30\x84\x00\x00\x00\x10\x02\x01\x01\x78\x84\x00\x00\x00\x07" \
	"\x0a\x01\x00\x04\x00\x04\x00"
#define LDAP_UNAVAILABLE \
	"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x34\x04\x00\x04\x00"

static const struct talk_case cases[] = {
    {"smtp", STARTTLS_SMTP,
	{{"220 mx.example ESMTP\r\n", "EHLO [127.0.0.1]\r\n", 0},
	    {"250-mx.example\r\n250-SIZE 1000\r\n250-STARTTLS\r\n"
	     "250 8BITMIME\r\n",
		"STARTTLS\r\n", 0},
	    {"220 2.0.0 Ready\r\n", "", 0}},
	NULL},
    {"smtp, long greeting, bare line feeds, lower case", STARTTLS_SMTP,
	{{"220-hello\n220-no spam\n220 go on\n", "EHLO [127.0.0.1]\r\n", 0},
	    {"250-mx\n250 starttls\n", "STARTTLS\r\n", 0}, {"220 go\n", "", 0}},
	NULL},
    {"smtp without the extension", STARTTLS_SMTP,
	{{"220 mx\r\n", "EHLO [127.0.0.1]\r\n", 0},
	    {"250-mx\r\n250 SIZE\r\n", "", 0}},
	"does not offer STARTTLS"},
    {"smtp, an extension that only begins so", STARTTLS_SMTP,
	{{"220 mx\r\n", "EHLO [127.0.0.1]\r\n", 0},
	    {"250 STARTTLSX\r\n", "", 0}},
	"does not offer STARTTLS"},
    {"smtp refuses the greeting", STARTTLS_SMTP, {{"554 no\r\n", "", 0}},
	"greets with '554 no'"},
    {"smtp refuses EHLO", STARTTLS_SMTP,
	{{"220 mx\r\n", "EHLO [127.0.0.1]\r\n", 0}, {"502 no\r\n", "", 0}},
	"answers '502 no' to 'EHLO [127.0.0.1]'"},
    {"smtp refuses STARTTLS", STARTTLS_SMTP,
	{{"220 mx\r\n", "EHLO [127.0.0.1]\r\n", 0},
	    {"250 STARTTLS\r\n", "STARTTLS\r\n", 0},
	    {"454 TLS not available\r\n", "", 0}},
	"answers '454 TLS not available' to 'STARTTLS'"},
    {"smtp with bytes put in behind the go-ahead", STARTTLS_SMTP,
	{{"220 mx\r\n", "EHLO [127.0.0.1]\r\n", 0},
	    {"250 STARTTLS\r\n", "STARTTLS\r\n", 0},
	    {"220 go\r\n250 injected\r\n", "", 0}},
	"more after its answer"},
    {"an HTTP server for smtp", STARTTLS_SMTP,
	{{"HTTP/1.1 400 Bad Request\r\n", "", 0}},
	"greets with 'HTTP/1.1 400 Bad Request'"},
    {"imap", STARTTLS_IMAP,
	{{"* OK [CAPABILITY IMAP4rev1 STARTTLS] ready\r\n", "a STARTTLS\r\n",
	     0},
	    {"* CAPABILITY IMAP4rev1\r\na OK begin TLS\r\n", "", 0}},
	NULL},
    {"imap, logged in already", STARTTLS_IMAP, {{"* PREAUTH hi\r\n", "", 0}},
	"greets with '* PREAUTH hi'"},
    {"imap says bye", STARTTLS_IMAP, {{"* BYE full\r\n", "", 0}},
	"greets with '* BYE full'"},
    {"imap refuses", STARTTLS_IMAP,
	{{"* OK hi\r\n", "a STARTTLS\r\n", 0}, {"a BAD what\r\n", "", 0}},
	"answers 'a BAD what' to 'a STARTTLS'"},
    {"pop3", STARTTLS_POP3,
	{{"+OK hi\r\n", "STLS\r\n", 0}, {"+OK begin\r\n", "", 0}}, NULL},
    {"pop3 refuses", STARTTLS_POP3,
	{{"+OK hi\r\n", "STLS\r\n", 0}, {"-ERR no\r\n", "", 0}},
	"answers '-ERR no' to 'STLS'"},
    {"ftp, with text between", STARTTLS_FTP,
	{{"120 in a minute\r\n220-Welcome\r\n to here\r\n230 odd\r\n"
	  "220 go on\r\n",
	     "AUTH TLS\r\n", 0},
	    {"234 go\r\n", "", 0}},
	NULL},
    {"ftp refuses", STARTTLS_FTP,
	{{"220 hi\r\n", "AUTH TLS\r\n", 0}, {"530 log in\r\n", "", 0}},
	"answers '530 log in' to 'AUTH TLS'"},
    {"ldap", STARTTLS_LDAP, {{LDAP_OK, "", sizeof(LDAP_OK) - 1}}, NULL},
    {"ldap with long lengths", STARTTLS_LDAP,
	{{LDAP_AD, "", sizeof(LDAP_AD) - 1}}, NULL},
    {"ldap without TLS", STARTTLS_LDAP,
	{{LDAP_UNAVAILABLE, "", sizeof(LDAP_UNAVAILABLE) - 1}},
	"result code 52"},
    {"ldap, another message", STARTTLS_LDAP,
	{{"\x30\x0c\x02\x01\x02\x78\x07\x0a\x01\x00\x04\x00\x04\x00", "", 14}},
	"not answer StartTLS as LDAP"},
    {"ldap, not a sequence", STARTTLS_LDAP, {{"220 hi", "", 0}},
	"not answer StartTLS as LDAP"},
    {"ldap, endless", STARTTLS_LDAP, {{"\x30\x84\x7f\xff\xff\xff", "", 6}},
	"not answer StartTLS as LDAP"},
    {"ldap, indefinite length", STARTTLS_LDAP, {{"\x30\x80\x02\x01", "", 4}},
	"not answer StartTLS as LDAP"},
    {"ldap, inner length too long", STARTTLS_LDAP,
	{{"\x30\x05\x02\x01\x01\x78\x07", "", 7}},
	"not answer StartTLS as LDAP"},
    {"postgres", STARTTLS_POSTGRES, {{"S", "", 0}}, NULL},
    {"postgres without TLS", STARTTLS_POSTGRES, {{"N", "", 0}},
	"does not offer TLS"},
    {"postgres, an old one", STARTTLS_POSTGRES, {{"E", "", 0}},
	"not answer SSLRequest"},
    {"postgres with bytes put in", STARTTLS_POSTGRES, {{"Sx", "", 0}},
	"not answer SSLRequest"},
};

/* Play CASE in pieces of at most PIECE bytes. */
static void
play(const struct talk_case *row, size_t piece)
{
	struct starttls talk;
	struct span sent;
	struct err err = {0};
	int rc = 0;

	starttls_init(&talk, row->kind, &sent);
	for (const struct turn *turn = row->turns;
	     turn < row->turns + TURNS_MAX && turn->server != NULL; turn++) {
		const uint8_t *bytes = (const uint8_t *)turn->server;
		size_t left = turn->len != 0 ? turn->len : strlen(turn->server);

		assert_false(talk.ready);
		for (; left > 0 && rc == 0;) {
			size_t now = left < piece ? left : piece;

			rc = starttls_input(&talk, bytes, now, &sent, &err);
			bytes += now;
			left -= now;
		}
		if (rc == -1)
			break;
		assert_int_equal(sent.len, strlen(turn->client));
		assert_memory_equal(
		    sent.at == NULL ? (const uint8_t *)"" : sent.at,
		    turn->client, sent.len);
	}
	if (row->error == NULL) {
		assert_int_equal(rc, 0);
		assert_true(talk.ready);
	} else {
		assert_int_equal(rc, -1);
		assert_int_equal(err.reason, REASON_TLS_FAILED);
		if (strstr(err.text, row->error) == NULL)
			fail_msg("%s: '%s'", row->name, err.text);
	}
	starttls_done(&talk);
}

static void
talks_with_servers(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		print_message("  %s\n", cases[i].name);
		play(&cases[i], SIZE_MAX);
	}
}

/* The network may cut anywhere.  Bytes that were put in are noticed only with
 * the answer itself: behind it TLS has begun, and TLS refuses them. */
static void
talks_byte_by_byte(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (strstr(cases[i].name, "put in") == NULL)
			play(&cases[i], 1);
	}
}

static void
speaks_first_where_it_must(void **state)
{
	static const uint8_t postgres[] = {0, 0, 0, 8, 4, 210, 22, 47};
	struct starttls talk;
	struct span sent;

	(void)state;
	starttls_init(&talk, STARTTLS_POSTGRES, &sent);
	assert_int_equal(sent.len, sizeof(postgres));
	assert_memory_equal(sent.at, postgres, sizeof(postgres));
	starttls_done(&talk);
	starttls_init(&talk, STARTTLS_LDAP, &sent);
	assert_int_equal(sent.len, 31);
	starttls_done(&talk);
	starttls_init(&talk, STARTTLS_SMTP, &sent);
	assert_int_equal(sent.len, 0);
	starttls_done(&talk);
	starttls_init(&talk, STARTTLS_NONE, &sent);
	assert_true(talk.ready);
	starttls_done(&talk);
}

static void
bounds_what_it_reads(void **state)
{
	static const struct {
		const char *name, *piece, *error;
	} floods[] = {
	    {"one long line", "220 xxxxxxxxxxxxxxxxxxxxxxxxxxxx", "a line of"},
	    {"many lines", "220-x\r\n", "more than 256 lines"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(floods) / sizeof(floods[0]); i++) {
		struct starttls talk;
		struct span sent;
		struct err err = {0};
		int rc = 0;

		starttls_init(&talk, STARTTLS_SMTP, &sent);
		for (int n = 0; n < 10000 && rc == 0; n++)
			rc = starttls_input(&talk,
			    (const uint8_t *)floods[i].piece,
			    strlen(floods[i].piece), &sent, &err);
		assert_int_equal(rc, -1);
		assert_non_null(strstr(err.text, floods[i].error));
		starttls_done(&talk);
	}
}

static void
finds_protocols(void **state)
{
	static const struct {
		const char *name;
		int want; /* -1: none */
	} words[] = {
	    {"smtp", STARTTLS_SMTP},
	    {"imap", STARTTLS_IMAP},
	    {"pop3", STARTTLS_POP3},
	    {"ftp", STARTTLS_FTP},
	    {"ldap", STARTTLS_LDAP},
	    {"postgres", STARTTLS_POSTGRES},
	    {"none", -1},
	    {"SMTP", -1},
	    {"smtps", -1},
	    {"", -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		enum handshake_starttls got = STARTTLS_NONE;
		bool found = handshake_starttls_find(words[i].name, &got);

		assert_int_equal(found, words[i].want != -1);
		assert_int_equal(
		    got, words[i].want == -1 ? STARTTLS_NONE : words[i].want);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(talks_with_servers),
	    cmocka_unit_test(talks_byte_by_byte),
	    cmocka_unit_test(speaks_first_where_it_must),
	    cmocka_unit_test(bounds_what_it_reads),
	    cmocka_unit_test(finds_protocols),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
