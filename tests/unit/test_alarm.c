/* SPDX-License-Identifier: ISC */
/* test_alarm.c -- keep/alarm: a real program is run, with facts in its
 * environment and nothing from outside in its command line; once for each news,
 * never too many, and whatever it does harms nobody. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/loop.h"
#include "keep/alarm.h"
#include "scratch.h"
#include "status_fixture.h"

enum { WAIT_MS = 30000, TARGETS = 3 * ALARM_AT_ONCE };

static struct status_ca ca;
static struct scratch scratch;
static uv_loop_t loop;
static struct alarm *alarm_of_test;
static char *script, *told;
static struct target *targets[TARGETS];
static unsigned good, bad, awaited;
static char last_words[512];
static bool in_time;

static int
make_ca(void **state)
{
	(void)state;
	log_set_level(LOG_ERROR);
	ca = status_ca_make();
	return 0;
}

static int
free_ca(void **state)
{
	(void)state;
	status_ca_done(&ca);
	return 0;
}

static void
run_ended(void *cookie, const char *name, const char *failed)
{
	(void)cookie;
	assert_non_null(name);
	if (failed == NULL)
		good++;
	else
		bad++;
	(void)snprintf(
	    last_words, sizeof(last_words), "%s", failed == NULL ? "" : failed);
	if (good + bad >= awaited && !alarm_is_busy(alarm_of_test))
		uv_stop(&loop);
}

/* The program is this shell SCRIPT. */
static void
begin_with(const char *text, int64_t deadline_ms)
{
	const char *argv[] = {script, "given", "$(touch pwned)", NULL};

	scratch_write(script, text);
	assert_int_equal(0, chmod(script, 0755));
	alarm_of_test = alarm_new(&loop, run_ended, NULL);
	alarm_command(alarm_of_test, argv, deadline_ms);
}

static int
begin(void **state)
{
	(void)state;
	scratch_make(&scratch);
	(void)uv_loop_init(&loop);
	script = scratch_path(&scratch, "hook");
	told = scratch_path(&scratch, "told");
	good = bad = awaited = 0;
	(void)setenv("TOLD", told, 1);
	for (size_t i = 0; i < TARGETS; i++) {
		char path[32];

		(void)snprintf(path, sizeof(path), "/c/%zu", i);
		targets[i] = status_target(&ca, path, &ca.www, 90000);
	}
	return 0;
}

static int
end(void **state)
{
	(void)state;
	alarm_free(alarm_of_test);
	alarm_of_test = NULL;
	alarm_free(NULL);
	loop_end(&loop);
	for (size_t i = 0; i < TARGETS; i++)
		target_free(targets[i]);
	free(script);
	free(told);
	scratch_remove(&scratch);
	return 0;
}

static void
too_late(void *cookie)
{
	(void)cookie;
	in_time = false;
	uv_stop(&loop);
}

/* Turn until COUNT runs have ended and nothing waits. */
static void
wait_for(unsigned count)
{
	struct loop_timer *timer =
	    loop_timer_start(&loop, WAIT_MS, too_late, NULL);

	in_time = true;
	awaited = count;
	if (good + bad < count || alarm_is_busy(alarm_of_test))
		loop_run(&loop);
	if (in_time)
		loop_timer_cancel(&timer);
	assert_true(in_time);
	assert_int_equal(count, good + bad);
}

/* Target I is STATE now. */
static void
tell(size_t i, enum target_state state)
{
	struct status_row row = status_row(targets[i], PKI_NOW);

	row.state = state;
	row.reason = state == STATE_EXPIRED ? REASON_HTTP_TIMEOUT : REASON_NONE;
	alarm_tell(alarm_of_test, &row, PKI_NOW);
}

/* What the script wrote; owned. */
static char *
what_was_told(void)
{
	uint8_t *text = NULL;
	size_t len;

	if (file_read(told, 65536, &text, &len, NULL) == -1)
		return mem_string("");
	return (char *)text;
}

static const char notes[] =
    "#!/bin/sh\necho \"$OCLASP_EVENT $OCLASP_STATE\" >>\"$TOLD\"\n";

/* --- what it is told --- */

static void
test_environment(void **state)
{
	static const char *const lines[] = {"argc=2\n", "2=$(touch pwned)\n",
	    "OCLASP_EVENT=alarm\n", "OCLASP_NAME=www.test\n",
	    "OCLASP_CERTIFICATE=/c/0\n", "OCLASP_STATE=expired\n",
	    "OCLASP_REASON=http-timeout\n", "OCLASP_RESPONDER=ocsp.test\n",
	    "OCLASP_TIME=2027-01-15T08:00:00Z\n", "OCLASP_SENTENCE=usable for ",
	    "OCLASP_USABLE_UNTIL=2027-01-16T", "OCLASP_FAILURES=0\n",
	    "OCLASP_NOT_AFTER=2027-02-14T08:00:00Z\n", "OCLASP_NEXT_REFRESH=2",
	    "OCLASP_FINGERPRINT=", "TOLD=/"};
	char *text;

	(void)state;
	/* one of our own of that name must not be taken for the fact */
	(void)setenv("OCLASP_STATE", "fresh", 1);
	begin_with("#!/bin/sh\n{ echo argc=$#; echo \"2=$2\"; env; } "
		   ">\"$TOLD\"\n",
	    0);
	tell(0, STATE_EXPIRED);
	wait_for(1);
	(void)unsetenv("OCLASP_STATE");
	assert_int_equal(1, good);
	text = what_was_told();
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (strstr(text, lines[i]) == NULL)
			fail_msg("no '%s' in\n%s", lines[i], text);
	}
	assert_null(strstr(text, "OCLASP_STATE=fresh"));
	free(text);
}

/* Variables are one line each, and no terminal obeys them. */
static void
test_clean(void **state)
{
	struct target *t = status_target(&ca, "/c/\x1b[2J", NULL, 0);
	struct status_row row;
	struct err err = {0};
	char **list;
	size_t n = 0;

	(void)state;
	(void)err_set(&err, REASON_FILE, "a\nOCLASP_EVENT=well");
	trouble_set(&t->unreadable, &err);
	row = status_row(t, PKI_NOW);
	list = alarm_variables(&row, false, PKI_NOW);
	for (; list[n] != NULL; n++) {
		assert_null(strchr(list[n], '\n'));
		if (strncmp(list[n], "OCLASP_CERTIFICATE=", 19) != 0)
			assert_null(strchr(list[n], '\x1b'));
		else
			assert_string_equal("/c/\x1b[2J", list[n] + 19);
	}
	assert_int_equal(ALARM_VARIABLES, n);
	alarm_variables_free(list);
	target_free(t);
}

/* --- when it is told --- */

static const struct {
	const char *name;
	enum target_state states[6]; /* up to the first STATE_DUE */
	const char *told;
} stories[] = {
    {"well from the start", {STATE_FRESH, STATE_RETRYING, STATE_DUE}, ""},
    {"never needs anything", {STATE_NO_RESPONDER, STATE_DUE}, ""},
    {"at first pending", {STATE_PENDING, STATE_FRESH, STATE_DUE}, ""},
    {"alarm", {STATE_REVOKED, STATE_DUE}, "alarm revoked\nwell due\n"},
    {"the same again is no news",
	{STATE_EXPIRED, STATE_EXPIRED, STATE_EXPIRED, STATE_FRESH, STATE_DUE},
	"alarm expired\nwell fresh\n"},
    {"another alarm is",
	{STATE_EXPIRING, STATE_EXPIRED, STATE_FRESH, STATE_DUE},
	"alarm expiring\nalarm expired\nwell fresh\n"},
    {"on the way is not well yet",
	{STATE_ERROR, STATE_PENDING, STATE_RETRYING, STATE_ERROR, STATE_DUE},
	"alarm error\nwell due\n"},
    {"well ends on the way too",
	{STATE_UNKNOWN, STATE_RETRYING, STATE_FRESH, STATE_DUE},
	"alarm unknown\nwell fresh\n"},
};

static void
test_stories(void **state)
{
	(void)state;
	begin_with(notes, 0);
	for (size_t i = 0; i < sizeof(stories) / sizeof(stories[0]); i++) {
		char *text;

		(void)unlink(told);
		good = bad = 0;
		for (size_t s = 0;; s++) {
			unsigned runs = good;

			tell(0, stories[i].states[s]);
			if (alarm_is_busy(alarm_of_test))
				wait_for(runs + 1);
			if (stories[i].states[s] == STATE_DUE)
				break;
		}
		text = what_was_told();
		if (strcmp(stories[i].told, text) != 0)
			fail_msg("%s:\n%s", stories[i].name, text);
		free(text);
	}
	assert_int_equal(0, bad);
}

/* While it runs, what changes is put together: the newest wins. */
static void
test_newest_wins(void **state)
{
	char *text;

	(void)state;
	begin_with(notes, 0);
	tell(0, STATE_EXPIRING); /* runs at once */
	tell(0, STATE_EXPIRED);
	tell(0, STATE_FRESH);
	tell(0, STATE_REVOKED);
	wait_for(2);
	text = what_was_told();
	assert_string_equal("alarm expiring\nalarm revoked\n", text);
	free(text);
	/* back to what was told: nothing to tell */
	tell(0, STATE_FRESH);
	tell(0, STATE_REVOKED);
	tell(0, STATE_FRESH);
	wait_for(3);
	text = what_was_told();
	assert_non_null(strstr(text, "well fresh\n"));
	free(text);
}

/* One that nobody was told of, and is well, is no news; nor is one that is not
 * kept any more. */
static void
test_not_told(void **state)
{
	(void)state;
	begin_with(notes, 0);
	for (size_t i = 0; i < ALARM_AT_ONCE; i++)
		tell(i, STATE_REVOKED);
	tell(ALARM_AT_ONCE, STATE_REVOKED);
	tell(ALARM_AT_ONCE + 1, STATE_REVOKED);
	tell(ALARM_AT_ONCE, STATE_FRESH);
	alarm_forget(alarm_of_test, targets[ALARM_AT_ONCE + 1]->certificate);
	alarm_forget(alarm_of_test, targets[0]->certificate); /* runs */
	alarm_forget(alarm_of_test, "/never/heard");
	wait_for(ALARM_AT_ONCE);
}

/* --- limits --- */

/* No more at once than that, and every one is told in the end. */
static void
test_at_once(void **state)
{
	char *text;
	size_t most = 0, now = 0;

	(void)state;
	begin_with("#!/bin/sh\necho + >>\"$TOLD\"\n"
		   "while [ \"$(grep -c + \"$TOLD\")\" -lt 4 ]; do :; done\n"
		   "echo - >>\"$TOLD\"\n",
	    0);
	for (size_t i = 0; i < TARGETS; i++)
		tell(i, STATE_EXPIRED);
	wait_for(TARGETS);
	text = what_was_told();
	for (const char *c = text; *c != '\0'; c++) {
		now += *c == '+';
		now -= *c == '-';
		most = now > most ? now : most;
	}
	assert_int_equal(ALARM_AT_ONCE, most);
	free(text);
}

static const struct {
	const char *name, *script, *words;
} faults[] = {
    {"says no", "#!/bin/sh\necho 'no mail server' >&2\nexit 3\n",
	"exit status 3: no mail server"},
    {"hangs", "#!/bin/sh\nexec sleep 600\n", "no answer in time, killed"},
    {"cannot be run", "#!/nowhere/sh\n", "cannot run"},
    {"is killed", "#!/bin/sh\nkill -9 $$\n", "killed by signal 9"},
    {"talks much",
	"#!/bin/sh\nhead -c 300000 /dev/zero | tr '\\0' x >&2\nexit 1\n",
	"exit status 1: xxx"},
    {"talks much and hangs",
	"#!/bin/sh\nhead -c 3000 /dev/zero | tr '\\0' x >&2\nexec sleep 600\n",
	"no answer in time, killed"},
};

static void
test_faults(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		good = bad = 0;
		begin_with(faults[i].script,
		    strstr(faults[i].script, "sleep") != NULL ? 200 : 0);
		tell(0, STATE_EXPIRED);
		wait_for(1);
		if (bad != 1 || strstr(last_words, faults[i].words) == NULL ||
		    strstr(last_words, "-1") != NULL)
			fail_msg("%s: %s", faults[i].name, last_words);
		alarm_free(alarm_of_test);
		alarm_of_test = NULL;
	}
}

/* Without a command nothing runs and nothing is kept. */
static void
test_nobody(void **state)
{
	(void)state;
	alarm_of_test = alarm_new(&loop, run_ended, NULL);
	tell(0, STATE_REVOKED);
	assert_false(alarm_is_busy(alarm_of_test));
}

/* A reload may take the command away, and one that runs may be the last. */
static void
test_taken_away(void **state)
{
	const char *const none[] = {NULL};
	const char *const again[] = {script, NULL};

	(void)state;
	begin_with(notes, 0);
	for (size_t i = 0; i < TARGETS; i++)
		tell(i, STATE_REVOKED);
	alarm_command(alarm_of_test, none, 0);
	wait_for(ALARM_AT_ONCE);
	tell(0, STATE_FRESH);
	assert_false(alarm_is_busy(alarm_of_test));
	/* that it was well in between nobody has heard */
	alarm_command(alarm_of_test, again, 0);
	tell(0, STATE_REVOKED);
	wait_for(ALARM_AT_ONCE + 1);
}

static void
end_all(void *cookie, const char *name, const char *failed)
{
	assert_ptr_equal(cookie, &alarm_of_test);
	assert_string_equal("www.test", name);
	assert_null(failed);
	alarm_free(alarm_of_test);
	alarm_of_test = NULL;
	uv_stop(&loop);
}

/* The callback may end it all. */
static void
test_freed_by_callback(void **state)
{
	const char *argv[] = {"true", NULL};

	(void)state;
	alarm_of_test = alarm_new(&loop, end_all, &alarm_of_test);
	alarm_command(alarm_of_test, argv, 0);
	for (size_t i = 0; i < TARGETS; i++)
		tell(i, STATE_REVOKED);
	loop_run(&loop);
	assert_null(alarm_of_test);
}

/* In the middle of everything. */
static void
test_end(void **state)
{
	(void)state;
	begin_with("#!/bin/sh\nexec sleep 600\n", 0);
	for (size_t i = 0; i < TARGETS; i++)
		tell(i, STATE_EXPIRED);
	assert_true(alarm_is_busy(alarm_of_test));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_environment, begin, end),
	    cmocka_unit_test_setup_teardown(test_clean, begin, end),
	    cmocka_unit_test_setup_teardown(test_stories, begin, end),
	    cmocka_unit_test_setup_teardown(test_newest_wins, begin, end),
	    cmocka_unit_test_setup_teardown(test_not_told, begin, end),
	    cmocka_unit_test_setup_teardown(test_at_once, begin, end),
	    cmocka_unit_test_setup_teardown(test_faults, begin, end),
	    cmocka_unit_test_setup_teardown(test_nobody, begin, end),
	    cmocka_unit_test_setup_teardown(test_taken_away, begin, end),
	    cmocka_unit_test_setup_teardown(test_freed_by_callback, begin, end),
	    cmocka_unit_test_setup_teardown(test_end, begin, end),
	};

	return cmocka_run_group_tests_name(
	    "keep/alarm", tests, make_ca, free_ca);
}
