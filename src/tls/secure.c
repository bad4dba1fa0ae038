/* SPDX-License-Identifier: ISC */
/* tls/secure.c -- the TLS of a client that believes nobody without proof.
 *
 * OpenSSL works on two memory BIOs, as in client.c, and for the same reason:
 * a server that hangs up raises no SIGPIPE. */
#include "tls/secure.h"

#include <dirent.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

enum { DIR_ENTRIES_MAX = 4096 }; /* looked at for one hash */

struct secure {
	SSL_CTX *ctx;
	SSL *ssl;
	BIO *in, *out; /* owned by ssl */
	char *name;    /* NULL: the address */
	char peer[SECURE_PEER_TEXT];
	uint8_t pins[SECURE_PINS_MAX][SECURE_PIN_SIZE];
	size_t pin_count;
};

void
secure_free(struct secure *secure)
{
	if (secure == NULL)
		return;
	SSL_free(secure->ssl);
	SSL_CTX_free(secure->ctx);
	free(secure->name);
	free(secure);
}

/* The certificate, where that is what is wrong, else OpenSSL's reason. */
static void
explain(const struct secure *s, struct err *err)
{
	long verdict =
	    s->ssl == NULL ? X509_V_OK : SSL_get_verify_result(s->ssl);
	const char *why = ERR_reason_error_string(ERR_get_error());

	if (verdict != X509_V_OK && SSL_get_verify_mode(s->ssl) != 0)
		(void)err_set(err, REASON_TLS_FAILED,
		    "the certificate that %s shows is not believed for "
		    "'%.200s': %s",
		    s->peer, s->name != NULL ? s->name : s->peer,
		    X509_verify_cert_error_string(verdict));
	else
		(void)err_set(err, REASON_TLS_FAILED, "TLS with %s failed: %s",
		    s->peer, why == NULL ? "no reason given" : why);
	ERR_clear_error();
}

/* True if PATH has links by the hash of a subject, "4a6481c9.0", as
 * openssl-rehash(1) makes them. */
static bool
is_hashed(const char *path)
{
	DIR *dir = opendir(path);
	bool found = false;

	for (int i = 0; dir != NULL && !found && i < DIR_ENTRIES_MAX; i++) {
		const struct dirent *entry = readdir(dir);

		if (entry == NULL)
			break;
		found = strspn(entry->d_name, "0123456789abcdef") == 8 &&
			strcmp(entry->d_name + 8, ".0") == 0;
	}
	if (dir != NULL)
		(void)closedir(dir);
	return found;
}

/* The system's bundle of all CAs takes some 25 ms to read, for each connection;
 * of the folder beside it only the one is read that is needed. */
static int
load_system_ca(SSL_CTX *ctx)
{
	if (getenv(X509_get_default_cert_file_env()) == NULL &&
	    getenv(X509_get_default_cert_dir_env()) == NULL &&
	    is_hashed(X509_get_default_cert_dir()))
		return SSL_CTX_set_default_verify_dir(ctx);
	return SSL_CTX_set_default_verify_paths(ctx);
}

static int
load_ca(SSL_CTX *ctx, const char *file, struct err *err)
{
	int rc = file != NULL ? SSL_CTX_load_verify_file(ctx, file)
			      : load_system_ca(ctx);

	ERR_clear_error();
	if (rc == 1)
		return 0;
	return err_set(err, REASON_FILE,
	    "'%.200s' holds no certificates to trust: give a file in PEM that "
	    "can be read",
	    file != NULL ? file : "the system's store");
}

void
secure_ignore_times(void *ctx)
{
	(void)X509_VERIFY_PARAM_set_flags(
	    SSL_CTX_get0_param(ctx), X509_V_FLAG_NO_CHECK_TIME);
}

int
secure_check_ca(const char *file, struct err *err)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	int rc;

	if (ctx == NULL)
		return err_set(err, REASON_FILE, "OpenSSL cannot be used");
	rc = load_ca(ctx, file, err);
	SSL_CTX_free(ctx);
	return rc;
}

/* RFC 8310, section 8.1: the client verifies the name, or, without one, the
 * address, among the subjectAltNames; the subject is not looked at (RFC 9525,
 * section 6.3).  1 if that is set. */
static int
expect_identity(const struct secure *s, const struct sockaddr *address)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(s->ssl);
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;

	X509_VERIFY_PARAM_set_hostflags(
	    param, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
		       X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (s->name != NULL)
		return X509_VERIFY_PARAM_set1_host(param, s->name, 0);
	if (address->sa_family == AF_INET6)
		return X509_VERIFY_PARAM_set1_ip(param,
		    (const unsigned char *)&v6->sin6_addr,
		    sizeof(v6->sin6_addr));
	return X509_VERIFY_PARAM_set1_ip(
	    param, (const unsigned char *)&v4->sin_addr, sizeof(v4->sin_addr));
}

static bool
set_up(struct secure *s)
{
	s->ssl = SSL_new(s->ctx);
	s->in = BIO_new(BIO_s_mem());
	s->out = BIO_new(BIO_s_mem());
	if (s->ssl == NULL || s->in == NULL || s->out == NULL) {
		BIO_free(s->in);
		BIO_free(s->out);
		return false;
	}
	SSL_set_bio(s->ssl, s->in, s->out);
	SSL_set_connect_state(s->ssl);
	return s->name == NULL || SSL_set_tlsext_host_name(s->ssl, s->name);
}

struct secure *
secure_new(const struct secure_trust *trust, const struct sockaddr *address,
    const char *peer, struct err *err)
{
	struct secure *s = mem_new(sizeof(*s));
	bool by_chain =
	    !trust->insecure && (trust->pin_count == 0 || trust->name != NULL);
	struct err why = {0};

	s->name = mem_string(trust->name);
	(void)snprintf(s->peer, sizeof(s->peer), "%s", peer);
	memcpy(s->pins, trust->pins, sizeof(s->pins));
	s->pin_count = trust->pin_count;
	s->ctx = SSL_CTX_new(TLS_client_method());
	/* RFC 9325 (BCP 195), section 3.1.1: TLS 1.1 "MUST NOT" be used */
	if (s->ctx == NULL ||
	    SSL_CTX_set_min_proto_version(s->ctx, TLS1_2_VERSION) != 1) {
		explain(s, &why);
		goto out;
	}
	SSL_CTX_set_verify(
	    s->ctx, by_chain ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
	if (by_chain && load_ca(s->ctx, trust->ca_file, &why) == -1)
		goto out;
	if (!set_up(s) || (by_chain && expect_identity(s, address) != 1))
		explain(s, &why);
out:
	if (why.reason == REASON_NONE)
		return s;
	(void)err_set(err, why.reason, "%s", why.text);
	secure_free(s);
	return NULL;
}

void
secure_take(struct secure *secure, const uint8_t *bytes, size_t len)
{
	/* A memory BIO takes all; LEN is one chunk of the caller's. */
	(void)BIO_write(secure->in, bytes, (int)len);
}

void
secure_drain(struct secure *secure, struct buf *out)
{
	uint8_t chunk[4096];
	int got;

	/* Ends: what OpenSSL has written for one step is finite. */
	while ((got = BIO_read(secure->out, chunk, sizeof(chunk))) > 0)
		buf_add(out, chunk, (size_t)got);
}

/* Of the leaf alone: a CA's key would let in whatever that CA signs. */
static bool
has_pinned_key(const struct secure *s)
{
	X509 *leaf = SSL_get0_peer_certificate(s->ssl);
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned char *der = NULL;
	bool found = false;
	int len;

	if (leaf == NULL)
		return false;
	len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(leaf), &der);
	if (len > 0 && EVP_Digest(der, (size_t)len, digest, NULL, EVP_sha256(),
			   NULL) == 1) {
		for (size_t i = 0; i < s->pin_count; i++)
			found |=
			    memcmp(digest, s->pins[i], SECURE_PIN_SIZE) == 0;
	}
	OPENSSL_free(der);
	return found;
}

enum secure_step
secure_shake(struct secure *secure, struct err *err)
{
	int rc;

	ERR_clear_error();
	rc = SSL_do_handshake(secure->ssl);
	if (rc != 1 && SSL_get_error(secure->ssl, rc) == SSL_ERROR_WANT_READ)
		return SECURE_WAITS;
	if (rc != 1) {
		explain(secure, err);
		return SECURE_FAILED;
	}
	if (secure->pin_count > 0 && !has_pinned_key(secure)) {
		(void)err_set(err, REASON_TLS_FAILED,
		    "the key of the certificate that %s shows is not the one "
		    "that is pinned (pin-sha256)",
		    secure->peer);
		return SECURE_FAILED;
	}
	return SECURE_DONE;
}

void
secure_write(struct secure *secure, struct span say)
{
	ERR_clear_error();
	if (say.len > 0)
		(void)SSL_write(secure->ssl, say.at, (int)say.len);
}

enum secure_step
secure_read(struct secure *secure, uint8_t *out, size_t max, size_t *len,
    struct err *err)
{
	int got;

	ERR_clear_error();
	got = SSL_read(secure->ssl, out, (int)max);
	if (got > 0) {
		*len = (size_t)got;
		return SECURE_DONE;
	}
	switch (SSL_get_error(secure->ssl, got)) {
	case SSL_ERROR_WANT_READ:
		return SECURE_WAITS;
	case SSL_ERROR_ZERO_RETURN:
		*len = 0;
		return SECURE_DONE;
	default:
		explain(secure, err);
		return SECURE_FAILED;
	}
}
