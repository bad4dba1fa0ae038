/* SPDX-License-Identifier: ISC */
/* test_log.c -- base/log and keep/journal: one line for each event, as text,
 * as JSON and as fields of the journal, whatever comes from outside. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "keep/journal.h"

/* What the sink was given last. */
static struct {
	unsigned count;
	enum log_level level;
	char message[LOG_LINE_MAX + 1];
	char *json; /* owned */
	struct journal_record record;
} got;

static bool
listen_in(const struct log_entry *entry)
{
	struct buf line;

	got.count++;
	got.level = entry->level;
	(void)snprintf(got.message, sizeof(got.message), "%s", entry->message);
	buf_init(&line, 16 * (size_t)LOG_LINE_MAX);
	log_write(&line, entry, LOG_JSON);
	free(got.json);
	got.json = buf_take(&line);
	journal_done(&got.record);
	journal_make(&got.record, entry);
	return true;
}

static int
begin(void **state)
{
	(void)state;
	memset(&got, 0, sizeof(got));
	log_set_level(LOG_NOTICE);
	log_set_sink(listen_in);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	log_set_sink(NULL);
	log_set_format(LOG_TEXT);
	free(got.json);
	journal_done(&got.record);
	return 0;
}

/* --- the sentence --- */

static const struct {
	const char *name;
	struct log_about about;
	const char *said, *message;
} sentences[] = {
    {"of nothing", {0}, "here we are", "here we are"},
    {"of a certificate", {.certificate = "www.example"}, "fresh",
	"www.example: fresh"},
    {"all three",
	{"failed", "www.example", "ocsp.example", REASON_HTTP_TIMEOUT},
	"no answer",
	"www.example: no answer, responder ocsp.example (http-timeout)"},
    {"the responder is in the sentence",
	{"failed", "www.example", "ocsp.example", REASON_HTTP_TIMEOUT},
	"ocsp.example gave no answer",
	"www.example: ocsp.example gave no answer (http-timeout)"},
    {"only a reason", {.reason = REASON_STORE}, "it is full",
	"it is full (store)"},
    {"a line break from outside cannot begin a line", {0},
	"bad\n2026-01-01T00:00:00Z all is well",
	"bad?2026-01-01T00:00:00Z all is well"},
    {"a terminal's commands", {.certificate = "\033[2Jx"}, "\xff\xc2\x9b",
	"?[2Jx: ???"},
    {"umlauts stay", {.certificate = "m\xc3\xbcller.example"}, "fresh",
	"m\xc3\xbcller.example: fresh"},
};

static void
test_sentence(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(sentences) / sizeof(sentences[0]); i++) {
		log_event(
		    LOG_NOTICE, sentences[i].about, "%s", sentences[i].said);
		if (strcmp(sentences[i].message, got.message) != 0)
			fail_msg("%s: '%s'", sentences[i].name, got.message);
	}
}

static void
test_a_long_line_is_cut(void **state)
{
	char *text = mem_array(3 * LOG_LINE_MAX, 1);
	json_t *json;

	(void)state;
	memset(text, '"', 3 * LOG_LINE_MAX - 1);
	log_event(LOG_ERROR,
	    (struct log_about){.event = "failed",
		.certificate = text,
		.responder = "h",
		.reason = REASON_FILE},
	    "%s", text);
	assert_int_equal(LOG_LINE_MAX, strlen(got.message));
	/* the object is whole all the same */
	json = json_loads(got.json, 0, NULL);
	assert_non_null(json);
	json_decref(json);
	free(text);
}

static void
test_level(void **state)
{
	(void)state;
	log_set_level(LOG_ERROR);
	log_line(LOG_WARNING, "not wanted");
	log_event(LOG_NOTICE, (struct log_about){.event = "state"}, "nor this");
	assert_int_equal(0, got.count);
	log_line(LOG_ERROR, "%d", 7);
	assert_int_equal(1, got.count);
	assert_string_equal("7", got.message);
	log_set_level(LOG_TRACE);
	log_line(LOG_TRACE, "much");
	assert_int_equal(2, got.count);
}

/* --- JSON --- */

static void
test_json(void **state)
{
	static const char *const keys[] = {"time", "level", "message", "event",
	    "certificate", "responder", "reason"};
	json_t *json;

	(void)state;
	log_event(LOG_WARNING,
	    (struct log_about){"failed", "a \"quoted\" \\ name", "ocsp.example",
		REASON_DNS_NO_ANSWER},
	    "tab\there");
	json = json_loads(got.json, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(json);
	assert_int_equal(7, json_object_size(json));
	assert_string_equal(
	    "warning", json_string_value(json_object_get(json, "level")));
	assert_string_equal("a \"quoted\" \\ name: tab?here, responder "
			    "ocsp.example (dns-no-answer)",
	    json_string_value(json_object_get(json, "message")));
	assert_string_equal("a \"quoted\" \\ name",
	    json_string_value(json_object_get(json, "certificate")));
	assert_string_equal("dns-no-answer",
	    json_string_value(json_object_get(json, "reason")));
	json_decref(json);
	/* one line; what is not known is null, never left out */
	log_line(LOG_NOTICE, "plain");
	assert_ptr_equal(
	    strchr(got.json, '\n'), got.json + strlen(got.json) - 1);
	json = json_loads(got.json, 0, NULL);
	assert_non_null(json);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		assert_int_equal(
		    i >= 3, json_is_null(json_object_get(json, keys[i])));
	json_decref(json);
}

/* --- the journal's records --- */

static const char *
field(const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < got.record.count; i++) {
		if (strncmp(got.record.fields[i], name, len) == 0 &&
		    got.record.fields[i][len] == '=')
			return got.record.fields[i] + len + 1;
	}
	return NULL;
}

static void
test_journal(void **state)
{
	(void)state;
	log_event(LOG_ERROR,
	    (struct log_about){
		"failed", "www.example", "ocsp.example", REASON_BAD_SIGNATURE},
	    "bad");
	assert_int_equal(JOURNAL_FIELDS, got.record.count);
	assert_string_equal(got.message, field("MESSAGE"));
	assert_string_equal("3", field("PRIORITY"));
	assert_string_equal("www.example", field("OCLASP_CERTIFICATE"));
	assert_string_equal("ocsp.example", field("OCLASP_RESPONDER"));
	assert_string_equal("bad-signature", field("OCLASP_REASON"));
	assert_string_equal("failed", field("OCLASP_EVENT"));
	assert_int_equal(32, strlen(field("MESSAGE_ID")));
	/* a value from outside begins no field of its own */
	log_event(LOG_NOTICE,
	    (struct log_about){.certificate = "x\nPRIORITY=0"}, "y");
	assert_int_equal(3, got.record.count);
	assert_string_equal("x?PRIORITY=0", field("OCLASP_CERTIFICATE"));
	assert_string_equal("5", field("PRIORITY"));
	assert_null(field("MESSAGE_ID"));
	log_line(LOG_NOTICE, "nothing");
	assert_int_equal(2, got.record.count);
}

/* --- standard error --- */

static bool
refuse(const struct log_entry *entry)
{
	(void)entry;
	return false;
}

/* What logging LEVEL writes there. */
static char *
capture(enum log_level level, const char *text, bool journal)
{
	char stream[64] = "0:0";
	FILE *file = tmpfile();
	int before = dup(STDERR_FILENO);
	char line[256] = "";
	struct stat st;

	assert_non_null(file);
	assert_int_equal(0, fstat(fileno(file), &st));
	if (journal)
		(void)snprintf(stream, sizeof(stream), "%ju:%ju",
		    (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	assert_int_equal(0, setenv("JOURNAL_STREAM", stream, 1));
	(void)fflush(stderr);
	(void)dup2(fileno(file), STDERR_FILENO);
	log_line(level, "%s", text);
	(void)dup2(before, STDERR_FILENO);
	(void)close(before);
	rewind(file);
	(void)fgets(line, sizeof(line), file);
	assert_int_equal(EOF, fgetc(file));
	(void)fclose(file);
	(void)unsetenv("JOURNAL_STREAM");
	return mem_string(line);
}

static void
test_standard_error(void **state)
{
	char *line;

	(void)state;
	/* a sink that cannot take it loses nothing */
	log_set_sink(refuse);
	line = capture(LOG_WARNING, "careful", false);
	assert_string_equal(" warning: careful\n", line + 20);
	assert_int_equal('Z', line[19]);
	free(line);
	log_set_sink(NULL);
	line = capture(LOG_ERROR, "wrong", true);
	assert_string_equal("<3>error: wrong\n", line);
	free(line);
	log_set_format(LOG_JSON);
	line = capture(LOG_NOTICE, "well", true);
	assert_true(text_starts(line, "{\"time\": \"2"));
	free(line);
}

static void
test_whose_stream(void **state)
{
	static const char *const wrong[] = {
	    "", "1", "0:0", "x:y", "1:2:3", "18446744073709551616:1"};

	(void)state;
	(void)unsetenv("JOURNAL_STREAM");
	assert_false(log_stderr_is_journal());
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		(void)setenv("JOURNAL_STREAM", wrong[i], 1);
		if (log_stderr_is_journal())
			fail_msg("'%s'", wrong[i]);
	}
	(void)unsetenv("JOURNAL_STREAM");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_sentence, begin, end),
	    cmocka_unit_test_setup_teardown(
		test_a_long_line_is_cut, begin, end),
	    cmocka_unit_test_setup_teardown(test_level, begin, end),
	    cmocka_unit_test_setup_teardown(test_json, begin, end),
	    cmocka_unit_test_setup_teardown(test_journal, begin, end),
	    cmocka_unit_test_setup_teardown(test_standard_error, begin, end),
	    cmocka_unit_test_setup_teardown(test_whose_stream, begin, end),
	};

	return cmocka_run_group_tests_name("base/log", tests, NULL, NULL);
}
