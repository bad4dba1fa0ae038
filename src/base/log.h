/* SPDX-License-Identifier: ISC */
/* base/log.h -- lines for the operator.
 *
 * Only keep/ and face/ log, once per event, from one thread; everything below
 * returns errors.  A line says what it is about in fields of their own, so that
 * a program can look for one certificate, one responder or one reason without
 * reading sentences; the text for people names the same.  What comes from
 * outside is cleaned here, whatever the form. */
#ifndef OCLASP_BASE_LOG_H
#define OCLASP_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/reason.h"

struct buf;

enum log_level { LOG_ERROR, LOG_WARNING, LOG_NOTICE, LOG_DETAIL, LOG_TRACE };

enum { LOG_LINE_MAX = 4096 }; /* bytes of a message; what is longer is cut */

/* What a line is about.  Borrowed strings; NULL where there is none. */
struct log_about {
	const char *event;       /* one word that a program can look for */
	const char *certificate; /* its name; its file while unreadable */
	const char *responder;   /* host */
	enum reason reason;      /* of what failed */
};

/* A line as a sink gets it; borrowed for the call, clean. */
struct log_entry {
	int64_t at; /* wall seconds */
	enum log_level level;
	struct log_about about;
	/* "CERTIFICATE: what happened, responder HOST (REASON)" */
	const char *message;
};

/* One line each on standard error.  LOG_TEXT: "TIME LEVEL: MESSAGE", and where
 * standard error is systemd's journal "<PRIORITY>MESSAGE" (sd-daemon(3)).
 * LOG_JSON: an object with time, level, message, event, certificate, responder
 * and reason; null where there is none. */
enum log_format { LOG_TEXT, LOG_JSON };

/* Show lines up to LEVEL; LOG_NOTICE when never called. */
void log_set_level(enum log_level level);

/* LOG_TEXT when never called. */
void log_set_format(enum log_format format);

/* Give each line to SINK first; one that it does not take (false) is written as
 * if there were no sink.  NULL: no sink any more. */
void log_set_sink(bool (*sink)(const struct log_entry *entry));

/* True if standard error is what systemd says is its journal. */
bool log_stderr_is_journal(void);

/* "error", "warning", "notice", "info", "debug", and syslog's number. */
const char *log_level_name(enum log_level level);
int log_level_priority(enum log_level level);

/* ENTRY as one line in FORMAT, with the newline. */
void log_write(
    struct buf *out, const struct log_entry *entry, enum log_format format);

__attribute__((format(printf, 3, 4))) void log_event(
    enum log_level level, struct log_about about, const char *fmt, ...);

/* A line that is about nothing in particular. */
__attribute__((format(printf, 2, 3))) void log_line(
    enum log_level level, const char *fmt, ...);

#endif
