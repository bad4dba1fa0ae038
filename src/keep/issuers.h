/* SPDX-License-Identifier: ISC */
/* keep/issuers.h -- issuers' certificates, each held once.
 *
 * A hundred thousand certificates have a handful of issuers: they share them,
 * and what the operator says of each.  Pure. */
#ifndef OCLASP_KEEP_ISSUERS_H
#define OCLASP_KEEP_ISSUERS_H

#include <stddef.h>
#include <uthash.h>

#include "keep/rules.h"
#include "pki/cert.h"

struct issuer {
	struct cert *cert;       /* whole, for signatures; owned */
	const struct rule *rule; /* what is said of it, or NULL; borrowed */
	struct issuers *home;
	size_t users;
	UT_hash_handle hh; /* by fingerprint */
};

enum { ISSUERS_SEEN_MAX = 4096, ISSUERS_FILES_MAX = 256 };

/* All zero: none yet; issuers_done() in the end. */
struct issuers {
	struct issuer *all;
	const struct rules *rules;  /* those in force; borrowed */
	struct issuers_seen *seen;  /* hashes, for who reads quickly: */
	struct issuers_file *files; /* see the last two below */
};

/* The shared copy of CERT (which has its X509), with one more user. */
struct issuer *issuers_take(struct issuers *issuers, const struct cert *cert);

/* One user less; sets *ISSUER to NULL, which it may be.  The last one frees. */
void issuer_leave(struct issuer **issuer);

/* Users must have left. */
void issuers_done(struct issuers *issuers);

/* The certificate of FINGERPRINT (hex) if it is an issuer's with users, else
 * NULL.  Borrowed. */
const struct cert *issuers_find(
    const struct issuers *issuers, const char *fingerprint);

/* Other RULES are in force from now on. */
void issuers_obey(struct issuers *issuers, const struct rules *rules);

/* Certificates that stand behind leaves were read once, as a whole: what they
 * are need not be read again.  True if FINGERPRINT was noted. */
void issuers_note(struct issuers *issuers, const struct cert_list *chain);
bool issuers_noted(const struct issuers *issuers, const char *fingerprint);

/* The certificates of an issuer's file as of STAMP (file_stamp()), read once
 * for all who name it; NULL: it cannot be read.  Borrowed until the next call. */
const struct cert_list *issuers_file(
    struct issuers *issuers, const char *path, uint64_t stamp);

#endif
