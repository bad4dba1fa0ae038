/* SPDX-License-Identifier: ISC */
/* pki/der.h -- a sticky cursor over strict DER (X.690, section 10).
 *
 * A parser reads like the ASN.1 it parses and tests once, at the end: after
 * the first fault every further read yields nothing and the fault keeps its
 * first reason.  Cursors of nested values share one fault.  Indefinite and
 * non-minimal lengths, tag numbers over 30, and lengths past the end are
 * faults. */
#ifndef OCLASP_PKI_DER_H
#define OCLASP_PKI_DER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

enum der_tag {
	DER_BOOLEAN = 0x01,
	DER_INTEGER = 0x02,
	DER_BIT_STRING = 0x03,
	DER_OCTET_STRING = 0x04,
	DER_NULL = 0x05,
	DER_OID = 0x06,
	DER_ENUMERATED = 0x0a,
	DER_GENERALIZED_TIME = 0x18,
	DER_SEQUENCE = 0x30,
	DER_CONTEXT_PRIMITIVE = 0x80, /* | number */
	DER_CONTEXT = 0xa0,           /* constructed; | number */
};

struct der_fault {
	const char *why; /* NULL: none yet; constant text */
	bool trailing;   /* the fault is octets behind a whole value */
	bool fractions;  /* no fault: a time had fractions of a second */
};

struct der {
	const uint8_t *at;
	size_t left;
	struct der_fault *fault; /* borrowed, shared */
};

struct der der_over(struct span bytes, struct der_fault *fault);
bool der_ok(const struct der *der);

/* Record WHY, unless there is a fault already. */
void der_fail(struct der *der, const char *why);

/* True if there is a next value and it has this tag. */
bool der_next_is(const struct der *der, unsigned tag);

/* True if everything was read, or after a fault (so that loops end). */
bool der_at_end(const struct der *der);

/* Anything left is a fault: "trailing octets in WHAT". */
void der_end(struct der *der, const char *what);

/* Step into or over the next value, which must have this tag. */
struct der der_enter(struct der *der, unsigned tag, const char *what);
struct span der_content(struct der *der, unsigned tag, const char *what);

/* The whole of the next value, header and all. */
struct span der_whole(struct der *der, unsigned tag, const char *what);

/* The same, and what is nested in it is strict too: of what nobody here steps
 * into, and others read less strictly. */
struct span der_strict(struct der *der, unsigned tag, const char *what);

/* Typed reads; zero or empty after a fault. */
struct span der_integer(struct der *der, const char *what);     /* minimal */
int der_small(struct der *der, unsigned tag, const char *what); /* 0..127 */
struct span der_oid(struct der *der, const char *what);
bool der_boolean(struct der *der, const char *what);
struct span der_bits(struct der *der, const char *what); /* all 8 used */
/* YYYYMMDDHHMMSSZ (C18).  Fractions of a second, which some private responders
 * write, are proper DER but forbidden by RFC 5280, section 4.1.2.5.2: they are
 * cut off and noted in the fault's `fractions`. */
int64_t der_time(struct der *der, const char *what);

#endif
