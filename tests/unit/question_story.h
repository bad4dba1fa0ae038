/* SPDX-License-Identifier: ISC */
/* tests/unit/question_story.h -- what is told of questions over a connection
 * (dns/question.h), as a story; and a cancel at any point of it. */
#ifndef OCLASP_TESTS_QUESTION_STORY_H
#define OCLASP_TESTS_QUESTION_STORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "dns/message.h"
#include "dns/question.h"

enum story_cancel { CANCEL_NEVER, IN_ANSWER, IN_END };

struct question_story {
	char text[512]; /* "0:192.0.2.1 1:- " */
	struct err end_err;
	size_t ends;
	enum story_cancel cancel_when;
	/* of the one who tells: cancel it; and whether it is there */
	void (*cancel)(void);
	bool (*is_there)(void);
};

static inline void
question_story_begin(struct question_story *story)
{
	story->text[0] = '\0';
	story->ends = 0;
	err_clear(&story->end_err);
}

static inline void
question_story_answer(
    void *cookie, size_t which, const struct dns_message *message)
{
	struct question_story *story = cookie;
	size_t used = strlen(story->text);

	assert_true(story->is_there());
	assert_int_equal(0, story->ends);
	(void)snprintf(story->text + used, sizeof(story->text) - used,
	    "%zu:%s ", which,
	    message->address_count > 0 ? message->addresses[0] : "-");
	if (story->cancel_when == IN_ANSWER)
		story->cancel();
}

static inline void
question_story_end(void *cookie, const struct err *err)
{
	struct question_story *story = cookie;

	assert_true(story->is_there()); /* never from within the start */
	story->ends++;
	story->end_err = *err;
	if (story->cancel_when == IN_END)
		story->cancel();
}

static const struct question_callbacks question_story_callbacks = {
    .answer = question_story_answer, .end = question_story_end};

#endif
