/* SPDX-License-Identifier: ISC */
/* keep/journal.c -- log lines as records of systemd's journal. */
#include "keep/journal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
/* where the call stands is here, whatever the line: no CODE_FILE */
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#include "base/mem.h"

/* What a person may want to wait for has a MESSAGE_ID (sd_journal_print(3)):
 * random once, and the same for ever. */
static const struct {
	const char *event, *id;
} known[] = {
    {"state", "547ca67a12b347a7af7d5ee68104bc8b"},
    {"fetched", "9e1ea59916424ba2a6eb6ec1e5b0dd7f"},
    {"failed", "4f89a3bab336410297b609e3d8ab17dd"},
    {"final", "6ea21739ab224b42b2fa888bf256abe0"},
    {"published", "979a3f07101844198a2f8eeeb7111483"},
    {"proven", "582c3878ee56406c909a89d61a8388e7"},
    {"not-published", "f107c5cb99a249a0ae5eb0e5fb725733"},
    {"reload", "6e47936b6af04cccbc059254ef12982f"},
};

static void
add(struct journal_record *record, const char *name, const char *value)
{
	if (value != NULL)
		record->fields[record->count++] =
		    mem_printf("%s=%s", name, value);
}

static const char *
find_id(const char *event)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (event != NULL && strcmp(known[i].event, event) == 0)
			return known[i].id;
	}
	return NULL;
}

void
journal_make(struct journal_record *out, const struct log_entry *entry)
{
	const struct log_about *about = &entry->about;
	char priority[] = {
	    (char)('0' + log_level_priority(entry->level)), '\0'};

	*out = (struct journal_record){0};
	add(out, "MESSAGE", entry->message);
	add(out, "PRIORITY", priority);
	add(out, "MESSAGE_ID", find_id(about->event));
	add(out, "OCLASP_EVENT", about->event);
	add(out, "OCLASP_CERTIFICATE", about->certificate);
	add(out, "OCLASP_RESPONDER", about->responder);
	add(out, "OCLASP_REASON",
	    about->reason == REASON_NONE ? NULL : reason_name(about->reason));
}

void
journal_done(struct journal_record *record)
{
	for (size_t i = 0; i < record->count; i++)
		free(record->fields[i]);
	*record = (struct journal_record){0};
}

bool
journal_send(const struct log_entry *entry)
{
	struct iovec parts[JOURNAL_FIELDS];
	struct journal_record record;
	int rc;

	journal_make(&record, entry);
	for (size_t i = 0; i < record.count; i++)
		parts[i] =
		    (struct iovec){record.fields[i], strlen(record.fields[i])};
	rc = sd_journal_sendv(parts, (int)record.count);
	journal_done(&record);
	return rc >= 0;
}
