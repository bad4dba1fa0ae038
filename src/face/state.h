/* SPDX-License-Identifier: ISC */
/* face/state.h -- the state folder, for commands beside `keep`. */
#ifndef OCLASP_FACE_STATE_H
#define OCLASP_FACE_STATE_H

#include <stdbool.h>
#include <stddef.h>

#include "face/options.h"
#include "pki/identity.h"

struct address_book;
struct err;
struct store;

/* The state folder of OPTIONS, absolute and in one spelling: servers read what is
 * written of it, they stand elsewhere, and it is found again there.  Owned. */
char *state_dir(const struct options *options);

/* True if a store is in DIR, or may be, where that cannot be seen: whoever opens it
 * is told why. */
bool state_may_have_store(const char *dir);

/* The address book, for a command that can do without: NULL, and *BOOK NULL,
 * where there is no store to be had.  One is begun only in a folder that was
 * named and is our own. */
struct store *state_open_book(
    const struct options *options, struct address_book **book);
/* Save what has changed, if that can be, and close both; NULLs are fine. */
void state_close_book(struct store *store, struct address_book *book);

/* One certificate that is kept, or was named on the command line. */
struct kept {
	char *path, *url; /* owned; URL NULL: the certificate's own */
	struct identity id;
};

struct kept_list {
	struct kept *items; /* owned */
	size_t count;
};

/* The certificates that a command is about: its arguments, else those that the
 * store says are kept, else those of the configuration.  ARGS are the options'
 * from FIRST on.  One that cannot be read is said on stderr and left out,
 * but of arguments it is an error.  STORE may be NULL.
 * Errors: REASON_USAGE if there is none, REASON_CERTIFICATE_*, _ISSUER_*. */
int state_load_kept(const struct options *options, const char *command,
    int first, struct store *store, struct kept_list *out, struct err *err);
void state_kept_done(struct kept_list *list);

/* The responder URLs of KEPT. */
size_t state_urls(const struct kept *kept, const char *out[CERT_URLS_MAX]);

/* -1 if there is a --ca-file and it cannot be used: else that would be told as
 * a fault of the server's staple. */
int state_check_ca_file(const struct options *options, struct err *err);

/* The policy of staples with what OPTIONS allow. */
struct verify_policy state_policy(const struct options *options);

#endif
