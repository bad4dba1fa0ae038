/* SPDX-License-Identifier: ISC */
/* tls_script.h -- a scripted TCP or TLS server in a thread, and certificates
 * for it, good ones and bad ones.
 *
 * The test's function is called with each connection and does with it what it
 * likes; it returns when the client has gone, which is the event to wait
 * for. */
#ifndef OCLASP_TESTS_TLS_SCRIPT_H
#define OCLASP_TESTS_TLS_SCRIPT_H

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"

/* --- certificates --- */

struct tls_identity {
	EVP_PKEY *key;
	X509 *cert;
};

struct tls_spec {
	const char *cn;
	const char *san;                   /* "DNS:a.test,IP:127.0.0.1", NULL */
	const struct tls_identity *issuer; /* NULL: signs itself */
	bool ca;
	long from_s, until_s; /* from now; both 0: an hour around */
};

static inline void
tls_extension(X509 *cert, int nid, const char *value)
{
	X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	assert(ext != NULL && X509_add_ext(cert, ext, -1) == 1);
	X509_EXTENSION_free(ext);
}

static inline struct tls_identity
tls_make(const struct tls_spec *spec)
{
	static long serial;
	struct tls_identity id = {EVP_EC_gen("P-256"), X509_new()};
	const struct tls_identity *issuer =
	    spec->issuer != NULL ? spec->issuer : &id;
	bool given = spec->from_s != 0 || spec->until_s != 0;
	X509_NAME *name = X509_get_subject_name(id.cert);

	(void)X509_set_version(id.cert, X509_VERSION_3);
	(void)ASN1_INTEGER_set(X509_get_serialNumber(id.cert), ++serial);
	(void)X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
	    (const unsigned char *)spec->cn, -1, -1, 0);
	(void)X509_gmtime_adj(
	    X509_getm_notBefore(id.cert), given ? spec->from_s : -3600);
	(void)X509_gmtime_adj(
	    X509_getm_notAfter(id.cert), given ? spec->until_s : 3600);
	(void)X509_set_pubkey(id.cert, id.key);
	(void)X509_set_issuer_name(
	    id.cert, X509_get_subject_name(issuer->cert));
	if (spec->ca)
		tls_extension(
		    id.cert, NID_basic_constraints, "critical,CA:TRUE");
	if (spec->san != NULL)
		tls_extension(id.cert, NID_subject_alt_name, spec->san);
	assert(X509_sign(id.cert, issuer->key, EVP_sha256()) > 0);
	return id;
}

static inline void
tls_done(struct tls_identity *id)
{
	EVP_PKEY_free(id->key);
	X509_free(id->cert);
	*id = (struct tls_identity){0};
}

/* The certificate as PEM in a file of its own, which the caller unlinks. */
static inline void
tls_write(const struct tls_identity *id, char path[32])
{
	static const char pattern[] = "/tmp/oclasp-test-XXXXXX";
	FILE *out;
	int fd;

	memcpy(path, pattern, sizeof(pattern));
	fd = mkstemp(path);
	assert(fd != -1);
	out = fdopen(fd, "w");
	assert(out != NULL);
	if (id != NULL)
		assert(PEM_write_X509(out, id->cert) == 1);
	else
		(void)fputs("no certificate at all\n", out);
	(void)fclose(out);
}

/* The SHA-256 of its key, as `openssl x509 -pubkey | openssl pkey -pubin
 * -outform der | openssl dgst -sha256` says. */
static inline void
tls_pin(const struct tls_identity *id, uint8_t out[32])
{
	unsigned char *der = NULL;
	int len = i2d_PUBKEY(id->key, &der);

	assert(len > 0);
	assert(
	    EVP_Digest(der, (size_t)len, out, NULL, EVP_sha256(), NULL) == 1);
	OPENSSL_free(der);
}

/* --- the server --- */

struct tls_script;

/* One connection; SSL is NULL where it is plain. */
struct tls_peer {
	struct tls_script *script;
	size_t number; /* 0 for the first */
	int fd;
	SSL *ssl;
};

struct tls_script {
	const struct tls_identity *identity; /* NULL: plain TCP */
	int max_version;                     /* of TLS; 0: any */
	int port;                            /* 0: any */
	void (*serve)(struct tls_peer *peer);
	/* the staple of the connection of that number, NULL: none; the
	 * function may be NULL too */
	const char *(*staple)(const struct tls_script *script, size_t number);
	const void *row; /* what the test likes to give to SERVE */
	int listener;
	struct sockaddr_in address;
	pthread_t thread;
	/* written by the thread, read after tls_script_stop() */
	size_t accepted;
	char sni[256];
};

static inline bool
peer_read(struct tls_peer *peer, void *out, size_t len)
{
	uint8_t *at = out;

	while (len > 0) {
		ssize_t got = peer->ssl != NULL
				  ? SSL_read(peer->ssl, at, (int)len)
				  : recv(peer->fd, at, len, 0);

		if (got <= 0)
			return false;
		at += got;
		len -= (size_t)got;
	}
	return true;
}

static inline void
peer_write(struct tls_peer *peer, const void *bytes, size_t len)
{
	if (len == 0)
		return;
	if (peer->ssl != NULL)
		(void)SSL_write(peer->ssl, bytes, (int)len);
	else
		(void)send(peer->fd, bytes, len, MSG_NOSIGNAL);
}

/* Until the client hangs up. */
static inline void
peer_swallow(struct tls_peer *peer)
{
	uint8_t byte;

	while (peer_read(peer, &byte, 1))
		continue;
}

/* No more of us, and wait until the client hangs up as well. */
static inline void
peer_hang_up(struct tls_peer *peer)
{
	(void)shutdown(peer->fd, SHUT_WR);
	peer_swallow(peer);
}

/* What is neither TLS nor DNS. */
static inline void
peer_speak_http(struct tls_peer *peer)
{
	static const char text[] = "HTTP/1.1 400 Bad Request\r\n\r\n";

	peer_write(peer, text, sizeof(text) - 1);
	peer_hang_up(peer);
}

/* The connection ends with RST when it is closed, and without a word. */
static inline void
peer_will_reset(struct tls_peer *peer)
{
	struct linger now = {.l_onoff = 1};

	if (peer->ssl != NULL)
		SSL_set_quiet_shutdown(peer->ssl, 1);
	(void)setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

static inline int
tls_script_note_name(SSL *ssl, int *alert, void *cookie)
{
	struct tls_script *script = cookie;
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

	(void)alert;
	(void)snprintf(
	    script->sni, sizeof(script->sni), "%s", name != NULL ? name : "");
	return SSL_TLSEXT_ERR_OK;
}

static inline int
tls_script_staple(SSL *ssl, void *cookie)
{
	const struct tls_script *script = cookie;
	const char *staple = script->staple(script, script->accepted - 1);

	if (staple == NULL)
		return SSL_TLSEXT_ERR_NOACK;
	(void)SSL_set_tlsext_status_ocsp_resp(
	    ssl, OPENSSL_strdup(staple), (long)strlen(staple));
	return SSL_TLSEXT_ERR_OK;
}

static inline SSL_CTX *
tls_script_context(struct tls_script *script)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	SSL_CTX_set_security_level(ctx, 0);
	(void)SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION);
	(void)SSL_CTX_set_max_proto_version(ctx, script->max_version);
	(void)SSL_CTX_set_tlsext_servername_callback(ctx, tls_script_note_name);
	(void)SSL_CTX_set_tlsext_servername_arg(ctx, script);
	if (script->staple != NULL) {
		(void)SSL_CTX_set_tlsext_status_cb(ctx, tls_script_staple);
		(void)SSL_CTX_set_tlsext_status_arg(ctx, script);
	}
	assert(SSL_CTX_use_certificate(ctx, script->identity->cert) == 1);
	assert(SSL_CTX_use_PrivateKey(ctx, script->identity->key) == 1);
	return ctx;
}

static inline void
tls_script_serve(struct tls_script *script, struct tls_peer *peer)
{
	SSL_CTX *ctx = NULL;

	if (script->identity != NULL) {
		ctx = tls_script_context(script);
		peer->ssl = SSL_new(ctx);
		(void)SSL_set_fd(peer->ssl, peer->fd);
		if (SSL_accept(peer->ssl) == 1)
			script->serve(peer);
		if (SSL_is_init_finished(peer->ssl))
			(void)SSL_shutdown(peer->ssl);
		SSL_free(peer->ssl);
		SSL_CTX_free(ctx);
	} else {
		script->serve(peer);
	}
	close(peer->fd);
}

static inline void *
tls_script_thread(void *cookie)
{
	struct tls_script *script = cookie;
	int one = 1;
	int fd;

	while ((fd = accept(script->listener, NULL, NULL)) != -1) {
		struct tls_peer peer = {
		    .script = script, .number = script->accepted++, .fd = fd};

		(void)setsockopt(
		    fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		tls_script_serve(script, &peer);
	}
	return NULL;
}

/* On 127.0.0.1.  Fields that say what to do are set before.  False if the
 * port that was asked for is somebody else's. */
static inline bool
tls_script_try(struct tls_script *script)
{
	socklen_t size = sizeof(script->address);
	int one = 1;

	(void)signal(SIGPIPE, SIG_IGN); /* SSL_write to who has gone */
	script->accepted = 0;
	script->sni[0] = '\0';
	script->address = (struct sockaddr_in){.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)script->port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	script->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert(script->listener != -1);
	(void)setsockopt(
	    script->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(script->listener, (struct sockaddr *)&script->address,
		sizeof(script->address)) != 0) {
		close(script->listener);
		return false;
	}
	assert(listen(script->listener, 16) == 0);
	(void)getsockname(
	    script->listener, (struct sockaddr *)&script->address, &size);
	assert(pthread_create(
		   &script->thread, NULL, tls_script_thread, script) == 0);
	return true;
}

static inline void
tls_script_start(struct tls_script *script)
{
	bool started = tls_script_try(script);

	assert(started);
}

/* Clients must have hung up. */
static inline void
tls_script_stop(struct tls_script *script)
{
	(void)shutdown(script->listener, SHUT_RDWR);
	(void)pthread_join(script->thread, NULL);
	close(script->listener);
}

static inline int
tls_script_port(const struct tls_script *script)
{
	return ntohs(script->address.sin_port);
}

#endif
