/* SPDX-License-Identifier: ISC */
/* face/doctor_keep.h -- what our own keeper knows of a certificate. */
#ifndef OCLASP_FACE_DOCTOR_KEEP_H
#define OCLASP_FACE_DOCTOR_KEEP_H

#include <stdint.h>

#include "doctor/fact.h"
#include "face/options.h"

struct address_book;
struct store;

/* Add FACT_KEEP for the certificate with FINGERPRINT, AT_MS after the diagnosis
 * began: from the keeper if one runs, else from the state folder.  Nothing
 * where there is no such folder; what cannot be read is FACT_UNTESTED. */
void doctor_keep_facts(const struct options *options, const char *fingerprint,
    int64_t at_ms, struct facts *facts);

/* The address book of the state folder, closed by state_close_book(); NULL, and
 * *BOOK NULL, where there is none: looking makes nothing. */
struct store *doctor_book_open(
    const struct options *options, struct address_book **book);

/* Add what BOOK (or NULL) claims for HOST: addresses that were proven. */
void doctor_book_facts(const struct address_book *book, const char *host,
    int64_t now, int64_t at_ms, struct facts *facts);

#endif
