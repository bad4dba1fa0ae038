/* SPDX-License-Identifier: ISC */
/* fuzz_shown.c -- any words from outside, in every form that they are shown in:
 * a log line stays one line and one object, a record's field one field, and a
 * page gets no markup of theirs. */
#include <assert.h>
#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "keep/alarm.h"
#include "keep/journal.h"
#include "keep/status.h"
#include "keep/status_json.h"
#include "keep/status_page.h"

enum { NOW = 1800000000, WORDS_MAX = 2048 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
check_line(const struct log_entry *entry)
{
	struct journal_record record;
	struct buf line;
	json_t *json;

	buf_init(&line, 1 << 20);
	log_write(&line, entry, LOG_JSON);
	assert(strchr(line.text, '\n') == line.text + line.len - 1);
	json = json_loads(line.text, JSON_REJECT_DUPLICATES, NULL);
	assert(json_object_size(json) == 7);
	json_decref(json);
	buf_done(&line);
	journal_make(&record, entry);
	for (size_t i = 0; i < record.count; i++)
		assert(strchr(record.fields[i], '\n') == NULL);
	journal_done(&record);
	return true;
}

static size_t
count(const char *text, const char *of)
{
	size_t found = 0;

	for (; *text != '\0'; text++)
		found += strchr(of, *text) != NULL;
	return found;
}

/* The page of one target that cannot be read, for WORDS. */
static char *
make_page(const char *words)
{
	struct target *target =
	    target_new(&(struct target_spec){.certificate = words});
	const struct status_query query = {0};
	const struct status_head head = {.now = NOW, .state_dir = words};
	struct status_list list;
	struct err err = {0};
	struct buf page;
	char **variables;
	json_t *document;

	(void)err_set(&err, REASON_FILE, "%s", words);
	trouble_set(&target->unreadable, &err);
	assert(status_select(&target, 1, &query, NOW, &list, NULL) == 0);
	buf_init(&page, STATUS_PAGE_MAX);
	status_page(&page, &list, &query, &head);
	document = status_document(&list, &head);
	assert(json_array_size(json_object_get(document, "targets")) == 1);
	json_decref(document);
	variables = alarm_variables(&list.rows[0], false, NOW);
	assert(strchr(variables[1], '\n') == NULL);
	alarm_variables_free(variables);
	status_list_done(&list);
	target_free(target);
	return buf_take(&page);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t len = size < WORDS_MAX ? size : WORDS_MAX;
	char *words = mem_new(len + 1);
	char *page, *plain;
	unsigned states;

	if (len > 0)
		memcpy(words, data, len);
	log_set_sink(check_line);
	log_event(LOG_ERROR,
	    (struct log_about){.certificate = words, .responder = words}, "%s",
	    words);
	if (words[0] != '\0') {
		page = make_page(words);
		plain = make_page("x");
		assert(count(page, "<>\"") == count(plain, "<>\""));
		free(page);
		free(plain);
	}
	if (status_states_parse(words, &states))
		assert(states != 0 && (states & ~status_all()) == 0);
	free(words);
	return 0;
}
