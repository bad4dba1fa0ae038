/* SPDX-License-Identifier: ISC */
/* base/log.c -- lines for the operator. */
#include "base/log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

static enum log_level shown = LOG_NOTICE;
static enum log_format written = LOG_TEXT;
static bool (*sink_of_lines)(const struct log_entry *entry);

void
log_set_level(enum log_level level)
{
	shown = level;
}

void
log_set_format(enum log_format format)
{
	written = format;
}

void
log_set_sink(bool (*sink)(const struct log_entry *entry))
{
	sink_of_lines = sink;
}

bool
log_stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	uintmax_t device, inode;
	struct stat st;
	char *end;

	if (stream == NULL || fstat(STDERR_FILENO, &st) == -1)
		return false;
	/* systemd.exec(5): "device:inode"; a child whose standard error was
	 * sent elsewhere still has the variable */
	device = strtoumax(stream, &end, 10);
	if (*end != ':')
		return false;
	inode = strtoumax(end + 1, &end, 10);
	return *end == '\0' && device == st.st_dev && inode == st.st_ino;
}

const char *
log_level_name(enum log_level level)
{
	static const char *const names[] = {
	    "error", "warning", "notice", "info", "debug"};

	return names[level];
}

int
log_level_priority(enum log_level level)
{
	/* <3> error, <4> warning, <5> notice, <6> info, <7> debug */
	return (int)level + 3;
}

/* --- a line --- */

static void
add_member(struct buf *out, const char *name, const char *value)
{
	buf_printf(out, ", \"%s\": ", name);
	if (value == NULL)
		buf_puts(out, "null");
	else
		buf_quoted(out, value);
}

static void
write_json(struct buf *out, const struct log_entry *entry)
{
	const struct log_about *about = &entry->about;
	char at[CLOCK_TEXT];

	buf_printf(out, "{\"time\": \"%s\", \"level\": \"%s\"",
	    clock_rfc3339(entry->at, at), log_level_name(entry->level));
	add_member(out, "message", entry->message);
	add_member(out, "event", about->event);
	add_member(out, "certificate", about->certificate);
	add_member(out, "responder", about->responder);
	add_member(out, "reason",
	    about->reason == REASON_NONE ? NULL : reason_name(about->reason));
	buf_puts(out, "}\n");
}

static void
write_text(struct buf *out, const struct log_entry *entry)
{
	static const char *const word[] = {
	    "error: ", "warning: ", "", "", "trace: "};
	char at[CLOCK_TEXT];

	if (log_stderr_is_journal())
		buf_printf(out, "<%d>", log_level_priority(entry->level));
	else
		buf_printf(out, "%s ", clock_rfc3339(entry->at, at));
	buf_printf(out, "%s%s\n", word[entry->level], entry->message);
}

void
log_write(
    struct buf *out, const struct log_entry *entry, enum log_format format)
{
	switch (format) {
	case LOG_TEXT:
		write_text(out, entry);
		break;
	case LOG_JSON:
		write_json(out, entry);
		break;
	}
}

/* --- what is said --- */

/* The sentence with what it is about: each is named once. */
__attribute__((format(printf, 2, 0))) static char *
compose(const struct log_about *about, const char *fmt, va_list ap)
{
	char text[LOG_LINE_MAX];
	struct buf line;

	(void)vsnprintf(text, sizeof(text), fmt, ap);
	buf_init(&line, LOG_LINE_MAX);
	if (about->certificate != NULL)
		buf_printf(&line, "%s: ", about->certificate);
	buf_puts(&line, text);
	if (about->responder != NULL && strstr(text, about->responder) == NULL)
		buf_printf(&line, ", responder %s", about->responder);
	if (about->reason != REASON_NONE)
		buf_printf(&line, " (%s)", reason_name(about->reason));
	text_clean(line.text);
	return line.text;
}

/* A clean copy in PLACE; NULL of NULL. */
static const char *
cleaned(const char *text, char **place)
{
	*place = text == NULL ? NULL : text_printable(text);
	return *place;
}

__attribute__((format(printf, 3, 0))) static void
say(enum log_level level, const struct log_about *about, const char *fmt,
    va_list ap)
{
	char *certificate, *responder;
	char *message = compose(about, fmt, ap);
	const struct log_entry entry = {
	    .at = clock_wall_s(),
	    .level = level,
	    .message = message,
	    .about = {about->event, cleaned(about->certificate, &certificate),
		cleaned(about->responder, &responder), about->reason},
	};
	struct buf line;

	/* quoted and as fields it may grow: never cut within the object */
	buf_init(&line, 16 * (size_t)LOG_LINE_MAX);
	if (sink_of_lines == NULL || !sink_of_lines(&entry)) {
		log_write(&line, &entry, written);
		/* whole: lines of several writers do not mix */
		(void)fputs(buf_text(&line), stderr);
	}
	buf_done(&line);
	free(message);
	free(certificate);
	free(responder);
}

void
log_event(enum log_level level, struct log_about about, const char *fmt, ...)
{
	va_list ap;

	if (level > shown)
		return;
	va_start(ap, fmt);
	say(level, &about, fmt, ap);
	va_end(ap);
}

void
log_line(enum log_level level, const char *fmt, ...)
{
	static const struct log_about nothing;
	va_list ap;

	if (level > shown)
		return;
	va_start(ap, fmt);
	say(level, &nothing, fmt, ap);
	va_end(ap);
}
