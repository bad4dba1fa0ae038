/* SPDX-License-Identifier: ISC */
/* servers/discover.h -- the certificates in use on this machine.
 *
 * Finders know where servers and ACME clients name theirs (discover_part.h has
 * what a new one must do).  Each certificate is told once, by its fingerprint,
 * with every place that names it.  What cannot be read is told too, and stops
 * nothing (I8); keys are never opened (I4). */
#ifndef OCLASP_SERVERS_DISCOVER_H
#define OCLASP_SERVERS_DISCOVER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "pki/identity.h"

struct nginx_conf;

enum {
	DISCOVER_MAX = 1000000,         /* paths of certificates */
	DISCOVER_ENTRIES_MAX = 1000000, /* of one folder */
	DISCOVER_NOTES_MAX = 10000,
	DISCOVER_HOMES_MAX = 10000,  /* home folders that are looked into */
	DISCOVER_PLACES_MAX = 32,    /* of the operator */
	DISCOVER_FILE_MAX = 1 << 20, /* bytes of a client's configuration */
};

/* A folder that the operator names: of a finder's kind, elsewhere. */
struct discover_place {
	const char *finder; /* borrowed: a name of the table */
	const char *dir;    /* borrowed */
};

/* Read "FINDER=DIR".  Errors: REASON_USAGE. */
int discover_place_parse(
    const char *text, struct discover_place *out, struct err *err);

struct discover_options {
	const char *root;    /* folder that is taken for /; NULL: / itself */
	const char *ca_file; /* where issuers may be found too, or NULL */
	const struct discover_place *places;
	size_t place_count;
	const struct nginx_conf *nginx; /* as read by nginx_scan, or NULL */
};

/* One name of a certificate: who says it, and which file. */
struct discovered_at {
	const char *finder; /* constant */
	char *path;         /* as it is named there: links are not resolved */
};

/* One certificate. */
struct discovered {
	const char *path; /* the first of the places: a server's own before an
			     ACME client's */
	char *issuer;     /* file with its issuer, if PATH lacks it; or NULL */
	struct discovered_at *places;
	size_t place_count;
	struct identity id; /* issuer NULL: see ERR */
	struct err err;     /* REASON_NONE, REASON_ISSUER_* */
};

/* What could not be looked at. */
struct discover_note {
	const char *finder; /* constant */
	char *path;
	struct err err; /* REASON_FILE, REASON_CERTIFICATE_UNREADABLE */
};

struct discovery {
	struct discovered *items; /* in the order they were found */
	size_t count;
	struct discover_note *notes;
	size_t note_count;
};

/* Look everywhere.  Reads many files, without a deadline of its own: a folder
 * on a network that hangs, hangs it. */
void discover(const struct discover_options *options, struct discovery *out);
void discovery_done(struct discovery *discovery);

/* True if FINDER is among the places of ITEM. */
bool discovered_by(const struct discovered *item, const char *finder);

#endif
