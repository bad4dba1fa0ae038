/* SPDX-License-Identifier: ISC */
/* test_survey_verdict.c -- doctor/survey_verdict: from facts to a verdict. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/text.h"
#include "doctor/survey.h"

enum { ROADS = 4, TRIES = 6, WORD = 256 };

#define UDP "udp://192.0.2.53"
#define TLS "tls://198.51.100.53"
#define PROXY "http://192.0.2.70:3128"

/* Roads: NAME=ADDRESS,ADDRESS, or NAME=!REASON, with * behind it if it is dead;
 * @ is the proxy.  Tries: ADDRESS GRADE REASON MILLISECONDS, with @ before it if
 * it went through the proxy.  Between semicolons. */
static const struct row {
	const char *name;
	const char *roads, *tries;
	enum survey_verdict verdict;
	int64_t best_ms;
	const char *good;  /* a digit for each good road */
	const char *says;  /* in the sentence */
	const char *never; /* not in it; or NULL */
} rows[] = {

    /* it answers */
    {"by one road", "system=1.1.1.1", "1.1.1.1 answers status-unauthorized 7",
	SURVEY_ANSWERS, 7, "0", "answers", "every"},
    {"by two that agree", "system=1.1.1.1; udp=1.1.1.1",
	"1.1.1.1 answers none 7", SURVEY_ANSWERS, 7, "01",
	"answers by every road", "differ"},
    {"I6: different addresses that all answer are a CDN's",
	"system=1.1.1.1; udp=2.2.2.2",
	"1.1.1.1 answers none 9; 2.2.2.2 answers none 8", SURVEY_ANSWERS, 8,
	"01", "resolves differently by road, and every road", "nowhere"},
    {"the order of the addresses is no difference",
	"system=2.2.2.2,1.1.1.1; udp=1.1.1.1,2.2.2.2",
	"1.1.1.1 proven none 9; 2.2.2.2 proven none 8", SURVEY_ANSWERS, 8, "01",
	"answers by every road", NULL},
    {"one family does not: said, and no road is blamed",
	"system=1.1.1.1,2001:db8::1",
	"2001:db8::1 failed unreachable -1; 1.1.1.1 answers none 3",
	SURVEY_ANSWERS, 3, "0", "; not at 2001:db8::1 (unreachable)",
	"nowhere"},
    {"an address that was not asked is not said to fail",
	"system=1.1.1.1,2.2.2.2,3.3.3.3",
	"1.1.1.1 answers none 3; 2.2.2.2 untried none -1", SURVEY_ANSWERS, 3,
	"0", "answers", "not at"},
    {"a road that is silent for all is left aside",
	"system=1.1.1.1; tls=!dns-no-answer*", "1.1.1.1 answers none 3",
	SURVEY_ANSWERS, 3, "0", "answers", TLS},
    {"a proxy and the direct way", "system=1.1.1.1; @",
	"1.1.1.1 answers none 3; @ answers none 9", SURVEY_ANSWERS, 3, "01",
	"answers", "nowhere"},

    /* by one road and not by another */
    {"the system leads nowhere", "system=6.6.6.6; tls=1.1.1.1",
	"6.6.6.6 failed connect-refused -1; 1.1.1.1 answers none 3",
	SURVEY_PARTLY, 3, "1",
	"system leads nowhere for this name: 6.6.6.6 (connect-refused); it answers by " TLS,
	"CDN"},
    {"some of a road's addresses answer: it leads there",
	"system=6.6.6.6; udp=6.6.6.6,1.1.1.1",
	"6.6.6.6 failed http-timeout -1; 1.1.1.1 answers none 3", SURVEY_PARTLY,
	3, "1", "system leads nowhere", UDP " leads"},
    {"NXDOMAIN at one", "system=!dns-nxdomain; tls=1.1.1.1",
	"1.1.1.1 answers none 3", SURVEY_PARTLY, 3, "1",
	"system gives no address (dns-nxdomain); it answers by " TLS, NULL},
    {"no time for one road", "system=6.6.6.6; udp=1.1.1.1",
	"6.6.6.6 untried none -1; 1.1.1.1 answers none 3", SURVEY_PARTLY, 3,
	"1", "system: there was no time to ask", "nowhere"},
    {"only the proxy", "system=1.1.1.1; @",
	"1.1.1.1 failed connect-timeout -1; @ answers none 40", SURVEY_PARTLY,
	40, "1", "it answers by " PROXY, NULL},
    {"the same address by a proxy and without", "system=1.1.1.1; @",
	"1.1.1.1 failed connect-timeout -1; @1.1.1.1 answers none 40",
	SURVEY_PARTLY, 40, "1", "system leads nowhere", NULL},
    {"beside a proven answer one that does not verify is a stranger's",
	"system=6.6.6.6; tls=1.1.1.1",
	"6.6.6.6 answers bad-signature 1; 1.1.1.1 proven none 30",
	SURVEY_PARTLY, 30, "1",
	"system leads to answers that do not verify: 6.6.6.6 (bad-signature)",
	"nowhere"},
    {"and without a proven one it is an answer", "system=6.6.6.6; tls=1.1.1.1",
	"6.6.6.6 answers bad-signature 1; 1.1.1.1 answers status-try-later 30",
	SURVEY_ANSWERS, 1, "01", "differently", "verify"},

    /* nothing answers */
    {"all the same and dead", "system=1.1.1.1; udp=1.1.1.1",
	"1.1.1.1 failed connect-timeout -1", SURVEY_NO_ANSWER, -1, "",
	"every road names the same and none answers: 1.1.1.1 (connect-timeout)",
	"nowhere"},
    {"I6: different and dead proves nothing", "system=6.6.6.6; udp=1.1.1.1",
	"6.6.6.6 failed not-ocsp -1; 1.1.1.1 failed connect-timeout -1",
	SURVEY_NO_ANSWER, -1, "", "is not proven", "nowhere"},
    {"more than are named", "system=1.1.1.1,2.2.2.2,3.3.3.3,4.4.4.4",
	"1.1.1.1 failed connect-timeout -1; 2.2.2.2 failed connect-timeout -1; 3.3.3.3 failed connect-timeout -1; 4.4.4.4 failed connect-timeout -1",
	SURVEY_NO_ANSWER, -1, "", "3.3.3.3 (connect-timeout) and 1 more",
	"4.4.4.4"},
    {"no time at all", "system=1.1.1.1", "1.1.1.1 untried none -1",
	SURVEY_NO_ANSWER, -1, "", "there was no time to ask", "1.1.1.1"},
    {"a dead proxy alone", "system=!dns-no-answer; @",
	"@ failed proxy-failed -1", SURVEY_NO_ANSWER, -1, "",
	PROXY " (proxy-failed)", NULL},

    /* no address */
    {"NXDOMAIN by all", "system=!dns-nxdomain; udp=!dns-nxdomain", "",
	SURVEY_NO_ADDRESS, -1, "",
	"no road names an address: system (dns-nxdomain), " UDP
	" (dns-nxdomain)",
	NULL},
    {"nobody was asked", "", "", SURVEY_NO_ADDRESS, -1, "", "there is none",
	NULL},
};

/* The next part of *TEXT up to SEPARATOR, and past it; false at the end. */
static bool
next_part(const char **text, char separator, char out[WORD])
{
	size_t len;

	*text += strspn(*text, " ");
	if (**text == '\0')
		return false;
	len = strcspn(*text, (const char[]){separator, '\0'});
	assert_true(len < WORD);
	memcpy(out, *text, len);
	out[len] = '\0';
	*text += len + ((*text)[len] == separator);
	return true;
}

static enum reason
reason_of(const char *name)
{
	enum reason reason = REASON_NONE;

	if (!reason_find(name, &reason))
		assert_string_equal(name, "none");
	return reason;
}

static void
make_road(struct survey_road *road, const char *text)
{
	char name[WORD], address[WORD];
	size_t len = strlen(text);

	*road = (struct survey_road){.is_dead = text[len - 1] == '*'};
	assert_true(next_part(&text, '=', name));
	if (strcmp(name, "@") == 0)
		(void)snprintf(road->proxy, sizeof(road->proxy), PROXY);
	(void)snprintf(road->name, sizeof(road->name), "%s",
	    strcmp(name, "udp") == 0   ? UDP
	    : strcmp(name, "tls") == 0 ? TLS
	    : strcmp(name, "@") == 0   ? "proxy"
				       : name);
	while (next_part(&text, ',', address)) {
		if (address[0] == '!') {
			address[strcspn(address, "*")] = '\0';
			road->err.reason = reason_of(address + 1);
			continue;
		}
		assert_true(strlen(address) < DNS_ADDRESS_TEXT);
		(void)memcpy(road->addresses[road->address_count++], address,
		    strlen(address) + 1);
	}
}

static void
make_try(struct survey_try *try, const char *text)
{
	char address[WORD], grade[WORD], reason[WORD], ms[WORD];
	const char *at = address;

	*try = (struct survey_try){.connect_ms = -1, .answer_ms = -1};
	assert_true(next_part(&text, ' ', address) &&
		    next_part(&text, ' ', grade) &&
		    next_part(&text, ' ', reason) && next_part(&text, ' ', ms));
	if (*at == '@') {
		(void)snprintf(try->proxy, sizeof(try->proxy), PROXY);
		at++;
	}
	assert_true(strlen(at) < DNS_ADDRESS_TEXT);
	memcpy(try->address, at, strlen(at) + 1);
	try->grade = strcmp(grade, "untried") == 0   ? SURVEY_UNTRIED
		     : strcmp(grade, "failed") == 0  ? SURVEY_FAILED
		     : strcmp(grade, "answers") == 0 ? SURVEY_ANSWERED
						     : SURVEY_PROVEN;
	assert_string_equal(grade, survey_grade_name(try->grade));
	try->err.reason = reason_of(reason);
	if (text_number(ms, 0, 1000, &try->answer_ms))
		try->connect_ms = try->answer_ms / 2;
}

static struct survey_responder
make(const char *host, const char *roads, const char *tries)
{
	struct survey_responder r = {.host = mem_string(host)};
	char part[WORD];

	r.roads = mem_array(ROADS, sizeof(r.roads[0]));
	r.tries = mem_array(TRIES, sizeof(r.tries[0]));
	while (next_part(&roads, ';', part)) {
		assert_true(r.road_count < ROADS);
		make_road(&r.roads[r.road_count++], part);
	}
	while (next_part(&tries, ';', part)) {
		assert_true(r.try_count < TRIES);
		make_try(&r.tries[r.try_count++], part);
	}
	return r;
}

static void
test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		struct survey_responder r =
		    make("ocsp.test", row->roads, row->tries);
		char good[ROADS + 1] = "";

		survey_judge(&r);
		for (size_t k = 0; k < r.road_count; k++) {
			if (r.roads[k].is_good)
				good[strlen(good)] = (char)('0' + k);
		}
		if (r.verdict != row->verdict || r.best_ms != row->best_ms ||
		    strcmp(good, row->good) != 0 ||
		    strstr(r.sentence, row->says) == NULL ||
		    (row->never != NULL &&
			strstr(r.sentence, row->never) != NULL))
			fail_msg("%s: %s, %lld ms, good '%s': %s", row->name,
			    survey_verdict_name(r.verdict),
			    (long long)r.best_ms, good, r.sentence);
		/* never a word that the evidence does not carry */
		assert_null(strstr(r.sentence, "pollut"));
		assert_null(strstr(r.sentence, "forged"));
		survey_judge(&r); /* again: the same, and no leak */
		assert_int_equal(r.verdict, row->verdict);
		survey_responder_done(&r);
	}
}

/* What is out of reach for everybody is no fault of the names. */
static void
test_dead(void **state)
{
	static const struct {
		const char *name;
		const char *hosts;  /* a letter for each responder's */
		const char *roads;  /* the one in question, for each; | */
		const char *others; /* who knows an address besides */
		const char *tries;
		bool dead;
	} cases[] = {
	    {"silent for two", "ab", "tls=!dns-no-answer|tls=!dns-servfail",
		"udp=2.2.2.2", "", true},
	    {"of one alone it cannot be told", "a", "tls=!dns-no-answer",
		"udp=2.2.2.2", "", false},
	    {"two URLs of one host are one", "aa",
		"tls=!dns-no-answer|tls=!dns-no-answer", "udp=2.2.2.2", "",
		false},
	    {"it knew one", "abc",
		"tls=!dns-no-answer|tls=1.1.1.1|tls=!dns-no-answer",
		"udp=2.2.2.2", "", false},
	    {"it denied two: that may be a lie", "ab",
		"tls=!dns-nxdomain|tls=!dns-nxdomain", "udp=2.2.2.2", "",
		false},
	    {"nobody knows them", "ab", "tls=!dns-no-answer|tls=!dns-no-answer",
		"udp=!dns-nxdomain", "", false},
	    {"never the system", "ab",
		"system=!dns-no-answer|system=!dns-no-answer", "udp=2.2.2.2",
		"", false},
	    {"a proxy", "ab", "@|@", "udp=2.2.2.2", "@ failed proxy-failed -1",
		true},
	    {"a proxy that carries, to nobody", "ab", "@|@", "udp=2.2.2.2",
		"@ failed http-status -1", false},
	    {"a proxy that failed once", "ab", "@|@", "udp=2.2.2.2",
		"@1.1.1.1 failed proxy-failed -1; @2.2.2.2 answers none 5",
		false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct survey_responder list[3];
		const char *roads = cases[i].roads;
		size_t count = strlen(cases[i].hosts);

		for (size_t k = 0; k < count; k++) {
			const char host[] = {cases[i].hosts[k], '\0'};
			char road[WORD], both[2 * WORD];

			assert_true(next_part(&roads, '|', road));
			(void)snprintf(both, sizeof(both), "%s; %s", road,
			    cases[i].others);
			list[k] = make(host, both, cases[i].tries);
		}
		survey_mark_dead(list, count);
		for (size_t k = 0; k < count; k++) {
			if (list[k].roads[0].is_dead != cases[i].dead ||
			    list[k].roads[1].is_dead)
				fail_msg("%s: %s", cases[i].name, list[k].host);
			survey_responder_done(&list[k]);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_rows),
	    cmocka_unit_test(test_dead),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
