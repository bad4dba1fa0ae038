/* SPDX-License-Identifier: ISC */
/* pki/identity.h -- a certificate with what is needed to judge answers on it:
 * its issuer, and certificates in which a delegate signer may be found. */
#ifndef OCLASP_PKI_IDENTITY_H
#define OCLASP_PKI_IDENTITY_H

#include "pki/cert.h"

/* Where to look.  Paths are borrowed during the load; NULL: not given. */
struct identity_files {
	const char *certificate;      /* PEM chain or leaf, or DER */
	const char *issuer;           /* -i */
	const char *chain;            /* --chain */
	const char *ca_file;          /* --ca-file */
	const struct cert_list *more; /* the same, loaded already: many share
					 it; must outlive the identity */
};

struct identity {
	const struct cert *leaf;      /* borrowed of the lists below */
	const struct cert *issuer;    /* NULL after a missing issuer */
	struct cert_list chain;       /* of the certificate's file */
	struct cert_list issuers;     /* of -i */
	struct cert_list extra;       /* of --chain and --ca-file */
	const struct cert_list *more; /* borrowed, or NULL */
};

/* Load the files and find the issuer by signature: in -i alone if it is
 * given, else in the certificate's own file, --chain, --ca-file, and at last
 * the system's store.
 * On failure OUT holds what could be read (leaf NULL or set, issuer NULL), for
 * a report; identity_done() it in any case.
 * Errors: REASON_CERTIFICATE_UNREADABLE, REASON_ISSUER_*. */
int identity_load(
    const struct identity_files *files, struct identity *out, struct err *err);
void identity_done(struct identity *identity);

/* Find the issuer of `leaf`, which is set, among the lists; ONLY_GIVEN: in
 * `issuers` alone.  Errors: REASON_ISSUER_*. */
int identity_find_issuer(
    struct identity *identity, bool only_given, struct err *err);

#endif
