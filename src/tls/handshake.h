/* SPDX-License-Identifier: ISC */
/* tls/handshake.h -- what a TLS client is really given: chain and staple.
 *
 * One full handshake with status_request (RFC 6066 section 8, RFC 8446
 * section 4.4.2.1), on the loop.  Nothing is verified here: the point is to
 * see what the server sends, also when it is wrong. */
#ifndef OCLASP_TLS_HANDSHAKE_H
#define OCLASP_TLS_HANDSHAKE_H

#include <stdint.h>
#include <sys/socket.h>
#include <uv.h>

#include "base/err.h"
#include "base/text.h"
#include "pki/cert.h"

struct handshake;

enum handshake_starttls {
	STARTTLS_NONE,
	STARTTLS_SMTP,
	STARTTLS_IMAP,
	STARTTLS_POP3,
	STARTTLS_FTP,
	STARTTLS_LDAP,
	STARTTLS_POSTGRES,
};

/* "smtp", "imap", ...; false for another word. */
bool handshake_starttls_find(const char *name, enum handshake_starttls *out);

struct handshake_request {
	const struct sockaddr *address; /* with the port; copied */
	const char *servername;         /* SNI; NULL: none; copied */
	enum handshake_starttls starttls;
	int64_t deadline_ms; /* of the whole */
};

struct handshake_result {
	struct err err; /* REASON_NONE: the handshake was complete */
	int64_t connect_ms, tls_ms;    /* -1: not reached */
	char protocol[16];             /* "TLSv1.3" */
	const struct cert_list *chain; /* as sent, leaf first; borrowed */
	struct span staple;            /* empty: "no response sent"; borrowed */
};

/* CB comes once; the result is valid during it.
 * Errors: REASON_CONNECT_*, REASON_UNREACHABLE, REASON_TLS_FAILED. */
struct handshake *handshake_start(uv_loop_t *loop,
    const struct handshake_request *request,
    void (*cb)(void *cookie, const struct handshake_result *result),
    void *cookie);
void handshake_cancel(struct handshake **handshake);

#endif
