/* SPDX-License-Identifier: ISC */
/* servers/discover_part.h -- what finders are made of; private to discover*.c.
 *
 * A finder for one more server or client is a function here and a row in the
 * table of discover.c.  It calls discover_path() for each certificate file that
 * is named where it looks, and discover_failed() for what it could not read. */
#ifndef OCLASP_SERVERS_DISCOVER_PART_H
#define OCLASP_SERVERS_DISCOVER_PART_H

#include <stdbool.h>
#include <stddef.h>

#include "servers/discover.h"

struct discover;

typedef void discover_finder(struct discover *d);

discover_finder discover_nginx, discover_certbot, discover_acme_sh,
    discover_lego, discover_dehydrated;

/* The options of this look. */
const struct discover_options *discover_asked(const struct discover *d);

/* PATH, an absolute one of a configuration, as it is under the root.  Owned. */
char *discover_rooted(const struct discover *d, const char *path);

/* The finder has a certificate in the file PATH, and its issuer in the file
 * ISSUER if that is not NULL. */
void discover_path(struct discover *d, const char *path, const char *issuer);

/* PATH cannot be looked at, for the reason of errno; one that is not there is
 * nothing to speak of. */
void discover_failed(struct discover *d, const char *path);

/* Something is wrong with PATH. */
__attribute__((format(printf, 3, 4))) void discover_note(
    struct discover *d, const char *path, const char *fmt, ...);

/* Call EACH for the entries of DIR, sorted, without those that begin with a
 * dot.  PATH is DIR/NAME. */
void discover_entries(struct discover *d, const char *dir,
    void (*each)(
	struct discover *d, const char *path, const char *name, void *cookie),
    void *cookie);

/* Call EACH for the folder BELOW of every home (of the password file, and
 * $HOME), for each of USUAL (NULL-terminated, absolute), and for the folders
 * that the operator named for this finder. */
void discover_dirs(struct discover *d, const char *below,
    const char *const usual[],
    void (*each)(struct discover *d, const char *dir));

/* The text of the file PATH, owned; NULL if it cannot be read, which is said
 * unless it is not there. */
char *discover_read(struct discover *d, const char *path);

/* --- discover_text.c, pure --- */

/* What the last line "KEY=VALUE" of TEXT says, without the quotes of a shell;
 * blanks around the '=' as in an ini file are no matter, nor is "export ".
 * NULL: none does.  Owned. */
char *discover_setting(const char *text, const char *key);

/* VALUE with ${KEY} and $KEY replaced by WITH.  NULL if it has other variables,
 * or is longer than a path may be.  Owned. */
char *discover_expand(const char *value, const char *key, const char *with);

/* True if NAME ends with END and has something before it. */
bool discover_ends(const char *name, const char *end);

#endif
