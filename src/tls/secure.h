/* SPDX-License-Identifier: ISC */
/* tls/secure.h -- the TLS of a client that believes nobody without proof.
 *
 * Octets in, octets out; who moves them is channel.c.  The chain must lead up
 * to the system's store or to a file, and the certificate must be for the name
 * or the address that was meant (RFC 8310, the strict profile), unless the
 * operator pins the key, or says in so many words that anybody will do. */
#ifndef OCLASP_TLS_SECURE_H
#define OCLASP_TLS_SECURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/text.h"

struct err;
struct secure;

enum {
	SECURE_PIN_SIZE = 32, /* SHA-256 of a SubjectPublicKeyInfo */
	SECURE_PINS_MAX = 2,  /* the key in use and a backup, RFC 7858 4.2 */
	SECURE_PEER_TEXT = 64,
};

/* Whom to believe. */
struct secure_trust {
	const char *name; /* SNI, and whom the certificate must be for; NULL:
			     no SNI, and for the address */
	/* the leaf's key must be one of these; with NAME NULL that is all
	 * that is asked of the certificate, else it is asked on top */
	uint8_t pins[SECURE_PINS_MAX][SECURE_PIN_SIZE];
	size_t pin_count;
	bool insecure;       /* believe any certificate */
	const char *ca_file; /* PEM, instead of the system's store; or NULL */
};

/* A client for the server at ADDRESS, which messages call PEER; copies what
 * it needs.  NULL on failure.  Errors: REASON_TLS_FAILED, REASON_FILE. */
struct secure *secure_new(const struct secure_trust *trust,
    const struct sockaddr *address, const char *peer, struct err *err);
void secure_free(struct secure *secure);

/* Octets from the server; and those for it, which are added to OUT. */
void secure_take(struct secure *secure, const uint8_t *bytes, size_t len);
void secure_drain(struct secure *secure, struct buf *out);

enum secure_step { SECURE_WAITS, SECURE_DONE, SECURE_FAILED };

/* One step of the handshake; DONE when it is complete and the server is
 * whom we trust.  Errors: REASON_TLS_FAILED. */
enum secure_step secure_shake(struct secure *secure, struct err *err);

/* Say something, after the handshake. */
void secure_write(struct secure *secure, struct span say);

/* What the server says: DONE with *LEN octets in OUT, 0 at its close_notify.
 * Errors: REASON_TLS_FAILED. */
enum secure_step secure_read(struct secure *secure, uint8_t *out, size_t max,
    size_t *len, struct err *err);

/* Let a certificate's times not count in CTX, an SSL_CTX that verifies: for
 * who asks what time it is. */
void secure_ignore_times(void *ctx);

/* -1 if FILE has no certificates to trust.  Errors: REASON_FILE. */
int secure_check_ca(const char *file, struct err *err);

#endif
