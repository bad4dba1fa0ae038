/* SPDX-License-Identifier: ISC */
/* keep/status.h -- how the kept certificates stand: rows of facts, sorted so
 * that what needs a person comes first, with the sentence for that person.
 *
 * One row is made of one target, whether a keeper runs and has it or a command
 * has made it of the store; the document, the page, the metrics and the alarm
 * all read rows.  Nothing here asks for the time or opens a file. */
#ifndef OCLASP_KEEP_STATUS_H
#define OCLASP_KEEP_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "keep/policy.h"
#include "keep/target.h"

struct cert;
struct err;
struct verdict;

enum {
	STATUS_ROWS_MAX = 1000, /* of one document; more are asked for page by
				   page, so that a keeper of many certificates
				   is never long away from its work */
	STATUS_SENTENCE = 1024, /* bytes of a sentence */
	STATUS_PREFIX_MIN = 6,  /* digits of a fingerprint that are a name */
	STATUS_CANDIDATES = 8,  /* named where a name fits several */
	STATUS_STATES = STATE_ERROR + 1,
};

/* All states, and those that need a person, as bits. */
unsigned status_all(void);
unsigned status_alarms(void);

/* One certificate.  Borrowed of the target, until that changes. */
struct status_row {
	const struct target *target;
	const char *name; /* as target_name() */
	enum target_state state;
	enum reason reason;   /* why, see target_reason() */
	const char *detail;   /* what failed, a sentence; NULL: nothing did */
	int64_t usable_until; /* of its staple; 0: none is usable now */
	int64_t next_refresh; /* wall seconds; 0: none is planned */
	bool fetching;        /* one is under way, or waits for its place */
};

struct status_row status_row(const struct target *target, int64_t now);

/* What a person should know of ROW, without its name; fits STATUS_SENTENCE. */
const char *status_sentence(
    const struct status_row *row, int64_t now, char out[STATUS_SENTENCE]);

/* Which rows are wanted. */
struct status_query {
	const char *name; /* CONTRACT: a DNS name, a path or the beginning of
			       a fingerprint; NULL: any */
	bool looks; /* a path may be another name of the file: all are looked
		       at, on whatever disk they are.  For who is trusted */
	unsigned states;     /* bits; 0: all */
	size_t after, limit; /* a page: skip so many; 0: STATUS_ROWS_MAX */
};

/* "fresh,due", "alarm" (what needs a person) as bits.  False: another word. */
bool status_states_parse(const char *text, unsigned *out);

/* The rows that were wanted. */
struct status_list {
	struct status_row *rows;      /* owned */
	size_t count;                 /* rows here, */
	size_t matched;               /* of so many that match the query, */
	size_t after;                 /* behind so many */
	size_t kept;                  /* certificates in all, */
	size_t states[STATUS_STATES]; /* of which so many are in each state */
};

/* Errors: REASON_USAGE where the name fits nothing, or several certificates,
 * which the sentence then names. */
int status_select(struct target *const *targets, size_t count,
    const struct status_query *query, int64_t now, struct status_list *out,
    struct err *err);
void status_list_done(struct status_list *list);

/* The targets that NAME fits, as a query's: at least one, and all of one
 * certificate (it may be kept from several files).  *OUT is owned.  Errors as
 * above. */
int status_find(struct target *const *targets, size_t count, const char *name,
    bool looks, struct target ***out, size_t *found, struct err *err);

#endif
