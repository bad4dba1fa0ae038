/* SPDX-License-Identifier: ISC */
/* keep/journal.h -- log lines as records of systemd's journal.
 *
 * A record has MESSAGE and PRIORITY, and as far as they are known OCLASP_EVENT,
 * OCLASP_CERTIFICATE, OCLASP_RESPONDER, OCLASP_REASON and MESSAGE_ID, so that
 * `journalctl OCLASP_REASON=dns-no-answer` finds them. */
#ifndef OCLASP_KEEP_JOURNAL_H
#define OCLASP_KEEP_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>

/* before <systemd/sd-journal.h>, whose <syslog.h> has macros of the levels'
 * names */
#include "base/log.h"

enum { JOURNAL_FIELDS = 7 };

/* A record's fields, "NAME=value". */
struct journal_record {
	char *fields[JOURNAL_FIELDS]; /* owned */
	size_t count;
};

/* ENTRY as a record; free it with journal_done. */
void journal_make(struct journal_record *out, const struct log_entry *entry);
void journal_done(struct journal_record *record);

/* A sink for log_set_sink() where standard error is the journal; false if it did
 * not take the record.  (Where no journald is at all it would take anything.) */
bool journal_send(const struct log_entry *entry);

#endif
