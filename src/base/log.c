/* SPDX-License-Identifier: ISC */
/* base/log.c -- lines for the operator, on standard error. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"

static enum log_level shown = LOG_NOTICE;

void
log_set_level(enum log_level level)
{
	shown = level;
}

static void
print_head(enum log_level level)
{
	/* sd-daemon(3): <3> error, <4> warning, <5> notice, <6> info, <7> */
	static const char *const word[] = {
	    "error: ", "warning: ", "", "", "trace: "};
	char now[CLOCK_TEXT];

	if (getenv("JOURNAL_STREAM") != NULL)
		(void)fprintf(stderr, "<%d>", (int)level + 3);
	else
		(void)fprintf(
		    stderr, "%s ", clock_rfc3339(clock_wall_s(), now));
	(void)fputs(word[level], stderr);
}

void
log_line(enum log_level level, const char *fmt, ...)
{
	va_list ap;

	if (level > shown)
		return;
	print_head(level);
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fputc('\n', stderr);
}
