/* SPDX-License-Identifier: ISC */
/* fuzz_survey_list.c -- any file as a list: bounded, printable, in order. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "face/survey.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct survey_lines lines = {0};
	struct err err = {0};
	size_t number = 0;

	if (survey_lines_parse("list", data, size, &lines, &err) == -1) {
		assert(err.reason == REASON_USAGE && lines.count == 0);
		return 0;
	}
	assert(lines.count <= SURVEY_RESPONDERS_MAX);
	for (size_t i = 0; i < lines.count; i++) {
		const struct survey_line *line = &lines.items[i];
		size_t len = strlen(line->text);

		assert(line->number > number);
		number = line->number;
		assert(len > 0 && len <= SURVEY_LINE_MAX);
		assert(line->text[0] != '#' && line->text[0] != ' ' &&
		       line->text[len - 1] != ' ');
		assert(line->is_url == (strstr(line->text, "://") != NULL));
		for (size_t k = 0; k < len; k++)
			assert((unsigned char)line->text[k] >= ' ');
	}
	survey_lines_done(&lines);
	return 0;
}
