/* SPDX-License-Identifier: ISC */
/* dns/question.h -- what stream.c and https.c are asked, and what they tell.
 *
 * Both put one or two questions for one name (A, AAAA) to one server over one
 * connection, where nobody on the path can slip an answer in between. */
#ifndef OCLASP_DNS_QUESTION_H
#define OCLASP_DNS_QUESTION_H

#include <stddef.h>

#include "dns/message.h"

enum { QUESTIONS_MAX = 2 };

struct questions {
	const char *name;
	enum dns_type types[QUESTIONS_MAX];
	size_t count;
};

struct question_callbacks {
	/* the answer to question WHICH, at most one for each; MESSAGE is
	 * borrowed during the call */
	void (*answer)(
	    void *cookie, size_t which, const struct dns_message *message);
	/* once, the last: REASON_NONE if every question was answered, else
	 * why one was not */
	void (*end)(void *cookie, const struct err *err);
};

#endif
