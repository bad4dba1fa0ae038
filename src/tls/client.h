/* SPDX-License-Identifier: ISC */
/* tls/client.h -- OpenSSL's side of a handshake: bytes in, bytes out.
 *
 * A client on two memory BIOs, with status_request, that believes everything
 * and therefore sees everything.  It is meant for one handshake. */
#ifndef OCLASP_TLS_CLIENT_H
#define OCLASP_TLS_CLIENT_H

#include <openssl/ssl.h>
#include <stddef.h>

#include "base/text.h"

struct cert_list;
struct err;

enum {
	CLIENT_CHAIN_MAX = 512 << 10, /* bytes of a Certificate message */
	CLIENT_CERTS_MAX = 64,
};

struct client {
	SSL_CTX *ctx;
	SSL *ssl;
	BIO *in, *out; /* owned by ssl */
};

/* SERVERNAME is the SNI; none for NULL, "" and address literals.  Returns -1
 * with OpenSSL's error queue filled; client_done() in either case. */
int client_init(struct client *client, const char *servername);
void client_done(struct client *client);

/* Add the chain as sent, leaf first, to LIST; ERR is set when the leaf cannot
 * be read.  Nothing before the server has sent one. */
void client_chain(
    const struct client *client, struct cert_list *list, struct err *err);

/* The staple's bytes as sent, or none; borrowed of the client. */
struct span client_staple(const struct client *client);

/* "TLSv1.3" into OUT of SIZE bytes, cut if need be. */
void client_protocol(const struct client *client, char *out, size_t size);

#endif
