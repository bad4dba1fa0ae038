/* SPDX-License-Identifier: ISC */
/* test_proofs.c -- keep/proofs: what counts as proven, and when it is asked
 * again (D8). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/loop.h"
#include "keep/proofs.h"
#include "patience.h"
#include "tls_script.h"

enum { PATIENCE_MS = 20000, STEPS = 8 };

/* --- pure --- */

static const struct proofs_pace pace = {.agree = 3,
    .settle_ms = 1000,
    .every_ms = 50,
    .again_ms = 500,
    .again_max_ms = 1600};

/* A handshake each: '+' as it should be, '-' not; what comes of it: '.' ask
 * again, 'P' proven, 'F' failed; and the wait.  The clock goes on by one. */
static const struct {
	const char *name;
	int64_t settle_ms;
	const char *seen, *said;
	int64_t waits_ms[STEPS];
} judged[] = {
    {"D8 one is no proof, nor are two", 0, "++", "..", {50, 50}},
    {"D8 three are", 0, "+++", "..P", {50, 50, 0}},
    {"D8 only those that agree one after the other", 0, "++-+++", "..F..P",
	{50, 50, 500, 50, 50, 0}},
    {"D8 workers that differ for ever prove nothing", 0, "+-+-++-", ".F.F..F",
	{50, 500, 50, 1000, 50, 50, 1600}},
    {"D8 while it settles nothing is held against it", 9, "-----+++",
	".......P", {50, 50, 50, 50, 50, 50, 50, 0}},
    {"D8 and then it is", 3, "-----", "...FF", {50, 50, 50, 500, 1000}},
    {"A7 the pause doubles, up to a limit", 0, "-----", "FFFFF",
	{500, 1000, 1600, 1600, 1600}},
    {"D8 it is proven in the end", 0, "--+++", "FF..P", {500, 1000, 50, 50, 0}},
};

static void
test_judge(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(judged) / sizeof(judged[0]); i++) {
		struct proofs_course course = {
		    .settle_ms = judged[i].settle_ms};

		for (size_t n = 0; judged[i].seen[n] != '\0'; n++) {
			int64_t wait_ms = -1;
			enum proofs_verdict verdict =
			    proofs_judge(&course, &pace,
				judged[i].seen[n] == '+', (int64_t)n, &wait_ms);

			if (judged[i].said[n] != ".PF"[verdict] ||
			    wait_ms != judged[i].waits_ms[n])
				fail_msg("%s: handshake %zu: %c, %lld ms",
				    judged[i].name, n, ".PF"[verdict],
				    (long long)wait_ms);
		}
	}
}

/* After years of failing the pause is still what it may be at most. */
static void
test_judge_for_years(void **state)
{
	struct proofs_course course = {.failures = 1u << 31};
	int64_t wait_ms = -1;

	(void)state;
	assert_int_equal(PROOFS_FAILED,
	    proofs_judge(&course, &proofs_usual_pace, false, 1, &wait_ms));
	assert_int_equal(PROOFS_AGAIN_MAX_MS, wait_ms);
}

/* --- a server --- */

static const struct proofs_pace quick = {.agree = 3,
    .settle_ms = 10000,
    .every_ms = 1,
    .again_ms = 1,
    .again_max_ms = 2};

static uv_loop_t loop;
static struct tls_identity identity;
static char fingerprint[65];
static struct proofs *proofs;
static size_t proven, failed, stop_at;
static char texts[ERR_TEXT];

static int
set_up(void **state)
{
	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	proven = failed = 0;
	stop_at = 1;
	texts[0] = '\0';
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	proofs_free(proofs);
	proofs = NULL;
	loop_end(&loop);
	return 0;
}

/* A letter of the script's row for each connection, the last one for all
 * that follow: '+' its staple, 'x' another one, '-' none. */
static const char *
by_row(const struct tls_script *script, size_t number)
{
	const char *row = script->row;
	size_t len = strlen(row);
	char letter = row[number < len ? number : len - 1];

	return letter == '+' ? "the staple" : letter == 'x' ? "another" : NULL;
}

static void
came(void *cookie, const struct proofs_report *report)
{
	(void)cookie;
	if (report->err.reason == REASON_NONE) {
		proven++;
	} else {
		assert_int_equal(
		    REASON_SERVER_NOT_STAPLING, report->err.reason);
		assert_int_equal(failed, report->failures);
		failed++;
		(void)snprintf(texts, sizeof(texts), "%s", report->err.text);
	}
	if (proven + failed == stop_at || proven > 0)
		uv_stop(&loop);
}

static void
want(const struct tls_script *script, const char *staple, bool reloaded,
    bool anew)
{
	char *listen = mem_printf("127.0.0.1:%d", tls_script_port(script));

	proofs_want(
	    proofs, &(struct proofs_place){.name = "a name",
			.fingerprint = fingerprint,
			.certificate = "/etc/cert.pem",
			.listen = listen,
			.servername = "a.test",
			.staple = {(const uint8_t *)staple, strlen(staple)},
			.reloaded = reloaded,
			.anew = anew});
	free(listen);
}

static const struct {
	const char *name, *row, *staple;
	bool reloaded;
	size_t failures, handshakes; /* until it is proven */
	const char *text;
} served[] = {
    {"D8 served", "+", "the staple", false, 0, 3, ""},
    {"D8 an old worker answers once more", "x+x+", "the staple", true, 0, 6,
	""},
    {"D8 without a reload there are no old workers", "x+", "the staple", false,
	1, 4, "another staple"},
    {"D8 none at first", "---+", "the staple", false, 3, 6, "no staple"},
    {"D8 one of several workers does not know it", "++-+", "the staple", false,
	1, 6, "no staple"},
    {"A6 withdrawn", "-", "", false, 0, 3, ""},
    {"A6 withdrawn, and served still", "+-", "", false, 1, 4, "another staple"},
};

static void
test_served(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(served) / sizeof(served[0]); i++) {
		struct tls_script script = {.identity = &identity,
		    .serve = peer_swallow,
		    .staple = by_row,
		    .row = served[i].row};

		(void)set_up(NULL);
		stop_at = 100;
		tls_script_start(&script);
		proofs = proofs_new(&loop, &quick, came, NULL);
		want(&script, served[i].staple, served[i].reloaded, true);
		assert_int_equal(1, proofs_open(proofs));
		proofs_end(proofs, true);
		if (!patience_run(&loop, PATIENCE_MS))
			fail_msg("%s: too slow", served[i].name);
		assert_int_equal(0, proofs_open(proofs));
		assert_int_equal(0, proofs_failing(proofs));
		(void)tear_down(NULL);
		tls_script_stop(&script);
		if (proven != 1 || failed != served[i].failures ||
		    script.accepted != served[i].handshakes ||
		    strcmp(script.sni, "a.test") != 0 ||
		    strstr(texts, served[i].text) == NULL)
			fail_msg("%s: %zu failures, %zu handshakes: '%s'",
			    served[i].name, failed, script.accepted, texts);
	}
}

/* Another certificate that staples the same octets proves nothing. */
static void
test_another_certificate(void **state)
{
	struct tls_script script = {.identity = &identity,
	    .serve = peer_swallow,
	    .staple = by_row,
	    .row = "+"};
	char real = fingerprint[0];

	(void)state;
	tls_script_start(&script);
	proofs = proofs_new(&loop, &quick, came, NULL);
	fingerprint[0] = real == '0' ? '1' : '0';
	want(&script, "the staple", false, true);
	fingerprint[0] = real;
	proofs_end(proofs, true);
	assert_true(patience_run(&loop, PATIENCE_MS));
	assert_int_equal(0, proven);
	assert_int_equal(1, failed);
	assert_int_equal(1, proofs_failing(proofs));
	assert_int_equal(0, proofs_open(proofs));
	proofs_free(proofs);
	proofs = NULL;
	tls_script_stop(&script);
}

/* --- what a next round changes --- */

enum after { FORGOTTEN, PROVEN, FAILING };

static const struct {
	const char *name;
	bool named, anew, all; /* in the second round */
	const char *staple;
	enum after after;
} rounds[] = {
    {"named again, it goes on", true, false, true, "another", FAILING},
    {"named anew it begins again", true, true, true, "another", FAILING},
    {"another staple is wanted, and there", true, true, true, "the staple",
	PROVEN},
    {"another one that waits", true, false, true, "the staple", FORGOTTEN},
    {"not named any more", false, false, true, "", FORGOTTEN},
    {"a round that failed names nobody", false, false, false, "", FAILING},
};

static void
test_rounds(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rounds) / sizeof(rounds[0]); i++) {
		struct tls_script script = {.identity = &identity,
		    .serve = peer_swallow,
		    .staple = by_row,
		    .row = "+"};
		size_t before;

		(void)set_up(NULL);
		tls_script_start(&script);
		proofs = proofs_new(&loop, &quick, came, NULL);
		want(&script, "another", false, true);
		proofs_end(proofs, true);
		assert_true(patience_run(&loop, PATIENCE_MS));
		assert_int_equal(1, failed);
		before = script.accepted;
		proofs_hold(proofs);
		if (rounds[i].named)
			want(&script, rounds[i].staple, false, rounds[i].anew);
		failed = rounds[i].anew ? 0 : failed;
		stop_at = failed + 1;
		proofs_end(proofs, rounds[i].all);
		if (rounds[i].after == FORGOTTEN) {
			loop_run(&loop); /* it has nothing to do */
			if (proofs_open(proofs) + proofs_failing(proofs) > 0 ||
			    script.accepted != before)
				fail_msg("%s", rounds[i].name);
		} else {
			assert_true(patience_run(&loop, PATIENCE_MS));
			if (proven != (rounds[i].after == PROVEN) ||
			    proofs_failing(proofs) !=
				(rounds[i].after == FAILING))
				fail_msg("%s: %zu %zu", rounds[i].name, proven,
				    proofs_failing(proofs));
		}
		(void)tear_down(NULL);
		tls_script_stop(&script);
	}
}

/* While a server changes nobody is asked: what it serves then says nothing. */
static void
test_held(void **state)
{
	struct tls_script script = {.identity = &identity,
	    .serve = peer_swallow,
	    .staple = by_row,
	    .row = "+"};

	(void)state;
	tls_script_start(&script);
	proofs = proofs_new(&loop, &quick, came, NULL);
	want(&script, "the staple", false, true);
	proofs_hold(proofs);
	loop_run(&loop);
	assert_int_equal(0, proven);
	proofs_end(proofs, false);
	assert_true(patience_run(&loop, PATIENCE_MS));
	assert_int_equal(1, proven);
	proofs_free(proofs);
	proofs = NULL;
	tls_script_stop(&script);
	assert_int_equal(3, script.accepted);
}

/* I5: one that hangs delays none that answers, nor does what cannot be asked. */
static void
test_one_hangs(void **state)
{
	struct tls_script good = {.identity = &identity,
	    .serve = peer_swallow,
	    .staple = by_row,
	    .row = "+"};
	struct tls_script mute = {.serve = peer_swallow};

	(void)state;
	tls_script_start(&good);
	tls_script_start(&mute);
	proofs = proofs_new(&loop, &quick, came, NULL);
	want(&mute, "the staple", false, true);
	proofs_want(proofs, &(struct proofs_place){.name = "nowhere",
				.fingerprint = fingerprint,
				.certificate = "/c",
				.listen = "unix:/run/socket",
				.anew = true});
	proofs_want(proofs, &(struct proofs_place){.name = "nowhere",
				.fingerprint = fingerprint,
				.certificate = "/c",
				.anew = true});
	assert_int_equal(1, proofs_open(proofs));
	want(&good, "the staple", false, true);
	proofs_end(proofs, true);
	assert_true(patience_run(&loop, PROOFS_HANDSHAKE_MS / 2));
	assert_int_equal(1, proven);
	assert_int_equal(1, proofs_open(proofs));
	proofs_free(proofs);
	proofs = NULL;
	tls_script_stop(&good);
	tls_script_stop(&mute);
}

static int
make_identity(void **state)
{
	uint8_t digest[32];

	(void)state;
	identity = tls_make(&(struct tls_spec){.cn = "a.test"});
	assert_int_equal(
	    1, X509_digest(identity.cert, EVP_sha256(), digest, NULL));
	for (size_t i = 0; i < sizeof(digest); i++)
		(void)snprintf(
		    fingerprint + 2 * i, 3, "%02x", (unsigned)digest[i]);
	return 0;
}

static int
drop_identity(void **state)
{
	(void)state;
	tls_done(&identity);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_judge),
	    cmocka_unit_test(test_judge_for_years),
	    cmocka_unit_test(test_served),
	    cmocka_unit_test_setup_teardown(
		test_another_certificate, set_up, tear_down),
	    cmocka_unit_test(test_rounds),
	    cmocka_unit_test_setup_teardown(test_held, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_one_hangs, set_up, tear_down),
	};

	return cmocka_run_group_tests_name(
	    "keep/proofs", tests, make_identity, drop_identity);
}
