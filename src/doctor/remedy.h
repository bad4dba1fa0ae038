/* SPDX-License-Identifier: ISC */
/* doctor/remedy.h -- the catalogue's remedy, made complete for one finding.
 *
 * A remedy is there to be copied into a shell, so no brace is left in it: what
 * a line names is put in from the facts, and a line about something that nobody
 * knows is left out.  What strangers say (names, addresses, URLs) goes in only
 * where a shell sees nothing in it but letters.  Pure. */
#ifndef OCLASP_DOCTOR_REMEDY_H
#define OCLASP_DOCTOR_REMEDY_H

#include "doctor/finding.h"

enum {
	REMEDY_LINES_MAX = FINDING_REMEDY_MAX + 2,
	REMEDY_TEXT = 1024, /* one line */
};

/* What the diagnosis is about. */
struct remedy_subject {
	const char *certificate; /* its file, or NULL */
	const char *server;      /* HOST[:PORT], or NULL */
};

struct remedy {
	char *lines[REMEDY_LINES_MAX]; /* owned */
	size_t count;                  /* 0: nothing is to be done */
};

void remedy_make(const struct facts *facts, const struct finding *finding,
    const struct remedy_subject *subject, struct remedy *out);
void remedy_done(struct remedy *remedy);

/* True if WORD of LEN octets may stand in braces in a line of the catalogue. */
bool remedy_knows(const char *word, size_t len);

#endif
