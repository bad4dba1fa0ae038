/* SPDX-License-Identifier: ISC */
/* tls/client.c -- OpenSSL's side of a handshake: bytes in, bytes out. */
#include "tls/client.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "pki/cert.h"

/* RFC 6066, section 3: "Literal IPv4 and IPv6 addresses are not permitted in
 * "HostName"". */
static bool
may_be_sent(const char *name)
{
	struct in6_addr literal;

	return name != NULL && name[0] != '\0' &&
	       inet_pton(AF_INET, name, &literal) != 1 &&
	       inet_pton(AF_INET6, name, &literal) != 1;
}

/* The same section: "a byte string using ASCII encoding without a trailing
 * dot". */
static int
send_name(SSL *ssl, const char *name)
{
	char *copy = mem_string(name);
	size_t len = strlen(copy);
	long rc;

	if (copy[len - 1] == '.')
		copy[len - 1] = '\0';
	rc = SSL_set_tlsext_host_name(ssl, copy);

	free(copy);
	return rc == 1 ? 0 : -1;
}

static void
allow_everything(SSL_CTX *ctx)
{
	/* Old servers are to be seen as they are, so whatever the system's
	 * openssl.cnf forbids is allowed here: nothing secret is sent. */
	SSL_CTX_set_security_level(ctx, 0);
	(void)SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION);
	(void)SSL_CTX_set_max_proto_version(ctx, 0);
	(void)SSL_CTX_set_cipher_list(ctx, "DEFAULT:@SECLEVEL=0");
	(void)SSL_CTX_set_options(ctx, SSL_OP_LEGACY_SERVER_CONNECT);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
	(void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_max_cert_list(ctx, CLIENT_CHAIN_MAX);
}

int
client_init(struct client *client, const char *servername)
{
	*client = (struct client){.ctx = SSL_CTX_new(TLS_client_method())};
	if (client->ctx == NULL)
		return -1;
	allow_everything(client->ctx);
	client->ssl = SSL_new(client->ctx);
	client->in = BIO_new(BIO_s_mem());
	client->out = BIO_new(BIO_s_mem());
	if (client->ssl == NULL || client->in == NULL || client->out == NULL) {
		BIO_free(client->in);
		BIO_free(client->out);
		return -1;
	}
	SSL_set_bio(client->ssl, client->in, client->out);
	SSL_set_connect_state(client->ssl);
	(void)SSL_set_tlsext_status_type(client->ssl, TLSEXT_STATUSTYPE_ocsp);
	return may_be_sent(servername) ? send_name(client->ssl, servername) : 0;
}

void
client_done(struct client *client)
{
	SSL_free(client->ssl);
	SSL_CTX_free(client->ctx);
	*client = (struct client){0};
}

/* A certificate behind the leaf that cannot be read is left out: it is the
 * server's affair; without the leaf there is nothing to tell. */
void
client_chain(
    const struct client *client, struct cert_list *list, struct err *err)
{
	STACK_OF(X509) *sent = SSL_get_peer_cert_chain(client->ssl);

	for (int i = 0; i < sk_X509_num(sent) && i < CLIENT_CERTS_MAX; i++) {
		X509 *x509 = sk_X509_value(sent, i);
		struct cert *cert;

		(void)X509_up_ref(x509);
		cert = cert_take_x509(x509, i == 0 ? err : NULL);
		if (cert != NULL)
			cert_list_add(list, cert);
		else if (i == 0)
			return;
	}
}

struct span
client_staple(const struct client *client)
{
	struct span staple = {0};
	const uint8_t *bytes = NULL;
	long len = SSL_get_tlsext_status_ocsp_resp(client->ssl, &bytes);

	if (bytes != NULL && len > 0) {
		staple.at = bytes;
		staple.len = (size_t)len;
	}
	return staple;
}

void
client_protocol(const struct client *client, char *out, size_t size)
{
	const char *version = SSL_get_version(client->ssl);
	size_t len = strlen(version);

	if (len > size - 1)
		len = size - 1;
	memcpy(out, version, len);
	out[len] = '\0';
}
