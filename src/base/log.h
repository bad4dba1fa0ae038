/* SPDX-License-Identifier: ISC */
/* base/log.h -- lines for the operator, on standard error.
 *
 * Only keep/ and face/ log, once per event; everything below returns errors.
 * Under systemd (JOURNAL_STREAM is set) a line begins with its <priority>. */
#ifndef OCLASP_BASE_LOG_H
#define OCLASP_BASE_LOG_H

enum log_level { LOG_ERROR, LOG_WARNING, LOG_NOTICE, LOG_DETAIL, LOG_TRACE };

/* Show lines up to LEVEL; LOG_NOTICE when never called. */
void log_set_level(enum log_level level);

__attribute__((format(printf, 2, 3))) void log_line(
    enum log_level level, const char *fmt, ...);

#endif
