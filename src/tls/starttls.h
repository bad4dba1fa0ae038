/* SPDX-License-Identifier: ISC */
/* tls/starttls.h -- from a plain-text protocol to the start of TLS.
 *
 * Pure: the server's bytes in, the client's bytes out; handshake.c moves them.
 * RFC 3207 (SMTP), RFC 9051 section 6.2.1 (IMAP), RFC 2595 section 4 (POP3),
 * RFC 4217 (FTP), RFC 4511 section 4.14 (LDAP), and the SSLRequest message of
 * the PostgreSQL protocol. */
#ifndef OCLASP_TLS_STARTTLS_H
#define OCLASP_TLS_STARTTLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "tls/handshake.h"

struct err;

enum {
	STARTTLS_LINE_MAX = 8192, /* bytes of one line, or of an LDAP message;
				     RFC 5321 has 512, IMAP servers send more */
	STARTTLS_LINES_MAX = 256, /* in the whole talk: greetings can be long */
};

struct starttls {
	enum handshake_starttls kind;
	size_t step;
	struct buf line; /* what came and is not a whole line yet */
	int lines;
	char code[4]; /* of the reply whose last line is awaited; "": none */
	bool offered; /* the server named STARTTLS among its extensions */
	bool ready;   /* TLS begins with the next byte */
};

/* Begin; the first words to send are in *OUT (empty: the server speaks
 * first).  They are constant. */
void starttls_init(
    struct starttls *talk, enum handshake_starttls kind, struct span *out);
void starttls_done(struct starttls *talk);

/* Take LEN bytes from the server; what is to be sent now is in *OUT (constant,
 * may be empty).  `ready` tells when to begin TLS.  Errors: REASON_TLS_FAILED,
 * with the server's own words. */
int starttls_input(struct starttls *talk, const uint8_t *bytes, size_t len,
    struct span *out, struct err *err);

/* What the talk waits for, to end "the server did not ...". */
const char *starttls_waits_for(const struct starttls *talk);

#endif
