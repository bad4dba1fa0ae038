/* SPDX-License-Identifier: ISC */
/* base/err.c -- one failure: a code for programs, a sentence for people. */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"

int
err_set(struct err *err, enum reason reason, const char *fmt, ...)
{
	va_list ap;

	if (err == NULL || err->reason != REASON_NONE)
		return -1;
	err->reason = reason;
	va_start(ap, fmt);
	(void)vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);

	/* Names from outside may be in the text, and its end may have been cut
	 * within a character: one line, nothing that a terminal would obey. */
	text_clean(err->text);
	return -1;
}

void
err_clear(struct err *err)
{
	err->reason = REASON_NONE;
	err->text[0] = '\0';
}
