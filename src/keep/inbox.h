/* SPDX-License-Identifier: ISC */
/* keep/inbox.h -- how a response that a courier brought gets into a state
 * folder.
 *
 * A keeper that runs owns the store: then the response is laid into the folder
 * DIR/inbox, which the keeper looks at with its other files, and it verifies
 * and takes it as if it had fetched it.  Without one, the lock is ours as long
 * as the inbox is open, and the store is written here. */
#ifndef OCLASP_KEEP_INBOX_H
#define OCLASP_KEEP_INBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "pki/verify.h"

struct err;
struct inbox;
struct staple;
struct store;
struct verdict;

enum {
	INBOX_LOOK_MAX = 1000, /* files that are taken at one look */
};

/* DIR/inbox; owned. */
char *inbox_dir(const char *state_dir);

/* The fingerprint that a file's name in the inbox is about; false if it is not
 * FINGERPRINT.der. */
bool inbox_fingerprint(const char *name, char out[65]);

/* Errors: REASON_FILE, REASON_STORE. */
struct inbox *inbox_open(const char *state_dir, struct err *err);
void inbox_close(struct inbox *inbox);

/* True if a keeper runs, who takes what is put when it looks next. */
bool inbox_keeper_runs(const struct inbox *inbox);

/* The store; borrowed. */
struct store *inbox_store(struct inbox *inbox);

/* Put a staple that is better than the stored one (the caller has compared).
 * *SERVED: its staple file is written, or will be by the keeper that runs; not
 * so where nginx reads the file, who must be told by a keeper. */
int inbox_put(struct inbox *inbox, const struct staple *staple, bool *served,
    struct err *err);

/* Put the response, verified, that says revoked; FACTS are its own. */
int inbox_put_revoked(struct inbox *inbox, const char *fingerprint,
    struct span der, const struct verdict *facts, struct err *err);

/* thisUpdate of the signed revoked that stands in the store: nothing good of
 * that moment or before is believed (A14, C3).  0: none stands. */
int64_t inbox_revoked_at(struct inbox *inbox, const char *fingerprint);

/* -1 (older-than-stored): a good response of THIS_UPDATE is not believed, since
 * a revoked of REVOKED_AT stands (0: none does). */
int inbox_check_revoked(
    int64_t revoked_at, int64_t this_update, struct err *err);

#endif
