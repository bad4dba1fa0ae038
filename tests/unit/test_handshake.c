/* SPDX-License-Identifier: ISC */
/* A TLS server of OpenSSL in a thread of its own, which takes one connection
 * and does with it what the row says. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/loop.h"
#include "base/mem.h"
#include "tls/handshake.h"

enum { DEADLINE_MS = 20000, SHORT_MS = 200 };

enum manner {
	STAPLES,
	STAPLES_TLS12,
	SPEAKS_TLS10,
	NO_STAPLE,
	WANTS_CLIENT_CERTIFICATE,
	REFUSES_NAME,
	HANGS,
	HANGS_MIDWAY,
	CLOSES,
	RESETS,
	SPEAKS_HTTP,
	STARTS_TLS,
	STARTS_NO_TLS,
};

static const uint8_t staple[] = {0x30, 0x03, 0x0a, 0x01, 0x03};

struct server {
	enum manner manner;
	int listener;
	struct sockaddr_in address;
	pthread_t thread;
	char sni[64]; /* the name that the client sent */
};

static EVP_PKEY *key;
static X509 *leaf, *ca;

/* --- the server --- */

static X509 *
make_certificate(const char *name, long serial)
{
	X509 *x509 = X509_new();
	X509_NAME *subject = X509_get_subject_name(x509);

	(void)X509_set_version(x509, X509_VERSION_3);
	(void)ASN1_INTEGER_set(X509_get_serialNumber(x509), serial);
	(void)X509_gmtime_adj(X509_getm_notBefore(x509), -3600);
	(void)X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
	(void)X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
	    (const unsigned char *)name, -1, -1, 0);
	(void)X509_set_issuer_name(x509, subject);
	(void)X509_set_pubkey(x509, key);
	assert_true(X509_sign(x509, key, EVP_sha256()) > 0);
	return x509;
}

static int
make_key(void **state)
{
	(void)state;
	key = EVP_EC_gen("P-256");
	assert_non_null(key);
	leaf = make_certificate("leaf.test", 1);
	ca = make_certificate("ca.test", 2);
	return 0;
}

static int
free_key(void **state)
{
	(void)state;
	X509_free(leaf);
	X509_free(ca);
	EVP_PKEY_free(key);
	return 0;
}

static int
give_staple(SSL *ssl, void *arg)
{
	unsigned char *copy = OPENSSL_memdup(staple, sizeof(staple));

	(void)arg;
	(void)SSL_set_tlsext_status_ocsp_resp(ssl, copy, sizeof(staple));
	return SSL_TLSEXT_ERR_OK;
}

static int
note_name(SSL *ssl, int *alert, void *arg)
{
	struct server *server = arg;
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

	if (name != NULL)
		memcpy(
		    server->sni, name, strnlen(name, sizeof(server->sni) - 1));
	*alert = SSL_AD_UNRECOGNIZED_NAME;
	return server->manner == REFUSES_NAME ? SSL_TLSEXT_ERR_ALERT_FATAL
					      : SSL_TLSEXT_ERR_OK;
}

static int
refuse(int ok, X509_STORE_CTX *ctx)
{
	(void)ok;
	(void)ctx;
	return 0;
}

static SSL_CTX *
make_context(struct server *server)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	SSL_CTX_set_security_level(ctx, 0);
	(void)SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION);
	if (server->manner == SPEAKS_TLS10)
		(void)SSL_CTX_set_max_proto_version(ctx, TLS1_VERSION);
	if (server->manner == STAPLES_TLS12 ||
	    server->manner == WANTS_CLIENT_CERTIFICATE)
		(void)SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
	if (server->manner == WANTS_CLIENT_CERTIFICATE)
		SSL_CTX_set_verify(ctx,
		    SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, refuse);
	if (server->manner != NO_STAPLE)
		(void)SSL_CTX_set_tlsext_status_cb(ctx, give_staple);
	(void)SSL_CTX_set_tlsext_servername_callback(ctx, note_name);
	(void)SSL_CTX_set_tlsext_servername_arg(ctx, server);
	(void)SSL_CTX_use_certificate(ctx, leaf);
	(void)SSL_CTX_use_PrivateKey(ctx, key);
	(void)SSL_CTX_add1_chain_cert(ctx, ca);
	return ctx;
}

/* Until the client hangs up, which is the event to wait for. */
static void
swallow(int fd)
{
	char bytes[4096];

	while (read(fd, bytes, sizeof(bytes)) > 0)
		continue;
}

static void
say(int fd, const char *text)
{
	(void)send(fd, text, strlen(text), MSG_NOSIGNAL);
}

/* Say TEXT and read one line. */
static void
say_and_hear(int fd, const char *text)
{
	char c = '\0';

	say(fd, text);
	while (c != '\n' && read(fd, &c, 1) == 1)
		continue;
}

static void
speak_tls(struct server *server, int fd)
{
	SSL_CTX *ctx = make_context(server);
	SSL *ssl = SSL_new(ctx);
	char byte;

	(void)SSL_set_fd(ssl, fd);
	if (SSL_accept(ssl) == 1)
		(void)SSL_read(ssl, &byte, 1); /* until close_notify */
	SSL_free(ssl);
	SSL_CTX_free(ctx);
}

static void
reset(int fd)
{
	struct linger now = {.l_onoff = 1};
	char byte;

	(void)read(fd, &byte, 1);
	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

static void
serve(struct server *server, int fd)
{
	static const char half[] = "\x16\x03\x03\x01";

	switch (server->manner) {
	case STAPLES:
	case STAPLES_TLS12:
	case SPEAKS_TLS10:
	case NO_STAPLE:
	case WANTS_CLIENT_CERTIFICATE:
	case REFUSES_NAME:
		speak_tls(server, fd);
		break;
	case HANGS:
		swallow(fd);
		break;
	case HANGS_MIDWAY:
		(void)send(fd, half, sizeof(half) - 1, MSG_NOSIGNAL);
		swallow(fd);
		break;
	case CLOSES:
		(void)shutdown(fd, SHUT_WR);
		swallow(fd);
		break;
	case RESETS:
		reset(fd);
		break;
	case SPEAKS_HTTP:
		say(fd, "HTTP/1.1 400 Bad Request\r\n\r\n");
		swallow(fd);
		break;
	case STARTS_TLS:
		say_and_hear(fd, "220 mx\r\n");
		say_and_hear(fd, "250-mx\r\n250 STARTTLS\r\n");
		say(fd, "220 go\r\n");
		speak_tls(server, fd);
		break;
	case STARTS_NO_TLS:
		say_and_hear(fd, "220 mx\r\n");
		say(fd, "250 mx\r\n");
		swallow(fd);
		break;
	}
}

static void *
server_thread(void *arg)
{
	struct server *server = arg;
	int fd = accept(server->listener, NULL, NULL);

	if (fd != -1) {
		serve(server, fd);
		close(fd);
	}
	return NULL;
}

static int
listen_on_loopback(struct sockaddr_in *address, int backlog)
{
	socklen_t len = sizeof(*address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*address = (struct sockaddr_in){.sin_family = AF_INET};
	address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(
	    bind(fd, (struct sockaddr *)address, sizeof(*address)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)address, &len), 0);
	assert_int_equal(listen(fd, backlog), 0);
	return fd;
}

static void
server_start(struct server *server, enum manner manner)
{
	*server = (struct server){.manner = manner};
	server->listener = listen_on_loopback(&server->address, 8);
	assert_int_equal(
	    pthread_create(&server->thread, NULL, server_thread, server), 0);
}

static void
server_end(struct server *server)
{
	(void)pthread_join(server->thread, NULL);
	close(server->listener);
}

/* --- the client --- */

struct seen {
	int calls;
	struct err err;
	int64_t connect_ms, tls_ms;
	char protocol[16];
	size_t chain_count;
	char *leaf_subject, *second_subject;
	uint8_t staple[64];
	size_t staple_len;
	struct handshake *handshake;
	bool cancel_within;
};

static void
note(void *cookie, const struct handshake_result *result)
{
	struct seen *seen = cookie;

	seen->calls++;
	seen->err = result->err;
	seen->connect_ms = result->connect_ms;
	seen->tls_ms = result->tls_ms;
	memcpy(seen->protocol, result->protocol, sizeof(seen->protocol));
	seen->chain_count = result->chain->count;
	if (seen->chain_count > 0)
		seen->leaf_subject =
		    mem_string(result->chain->items[0]->subject);
	if (seen->chain_count > 1)
		seen->second_subject =
		    mem_string(result->chain->items[1]->subject);
	assert_true(result->staple.len <= sizeof(seen->staple));
	if (result->staple.len > 0)
		memcpy(seen->staple, result->staple.at, result->staple.len);
	seen->staple_len = result->staple.len;
	if (seen->cancel_within)
		handshake_cancel(&seen->handshake);
}

static void
look(const struct sockaddr *address, const char *name,
    enum handshake_starttls starttls, int64_t deadline_ms, struct seen *seen)
{
	struct handshake_request request = {.address = address,
	    .servername = name,
	    .starttls = starttls,
	    .deadline_ms = deadline_ms};
	uv_loop_t loop;

	assert_int_equal(uv_loop_init(&loop), 0);
	seen->handshake = handshake_start(&loop, &request, note, seen);
	assert_int_equal(seen->calls, 0); /* never from within start */
	loop_run(&loop);
	assert_int_equal(seen->calls, 1);
	loop_end(&loop);
}

static void
seen_done(struct seen *seen)
{
	free(seen->leaf_subject);
	free(seen->second_subject);
}

static void
sees_what_is_sent(void **state)
{
	static const struct {
		const char *name;
		enum manner manner;
		enum handshake_starttls starttls;
		const char *servername, *sni;
		const char *protocol;
		size_t staple_len;
	} cases[] = {
	    {"staple", STAPLES, STARTTLS_NONE, "a.test", "a.test", "TLSv1.3",
		sizeof(staple)},
	    {"staple, TLS 1.2", STAPLES_TLS12, STARTTLS_NONE, "a.test",
		"a.test", "TLSv1.2", sizeof(staple)},
	    {"an old server", SPEAKS_TLS10, STARTTLS_NONE, "a.test", "a.test",
		"TLSv1", sizeof(staple)},
	    {"no staple", NO_STAPLE, STARTTLS_NONE, "a.test", "a.test",
		"TLSv1.3", 0},
	    {"no name", STAPLES, STARTTLS_NONE, NULL, "", "TLSv1.3",
		sizeof(staple)},
	    {"an address is no name", STAPLES, STARTTLS_NONE, "127.0.0.1", "",
		"TLSv1.3", sizeof(staple)},
	    {"an IPv6 address is none", STAPLES, STARTTLS_NONE, "::1", "",
		"TLSv1.3", sizeof(staple)},
	    {"a final dot is not sent", STAPLES, STARTTLS_NONE, "a.test.",
		"a.test", "TLSv1.3", sizeof(staple)},
	    {"starttls", STARTS_TLS, STARTTLS_SMTP, "a.test", "a.test",
		"TLSv1.3", sizeof(staple)},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct seen seen = {0};
		struct server server;

		print_message("  %s\n", cases[i].name);
		server_start(&server, cases[i].manner);
		look((struct sockaddr *)&server.address, cases[i].servername,
		    cases[i].starttls, DEADLINE_MS, &seen);
		server_end(&server);
		assert_string_equal(seen.err.text, "");
		assert_int_equal(seen.err.reason, REASON_NONE);
		assert_true(seen.connect_ms >= 0 && seen.tls_ms >= 0);
		assert_string_equal(seen.protocol, cases[i].protocol);
		assert_string_equal(server.sni, cases[i].sni);
		assert_int_equal(seen.chain_count, 2);
		assert_string_equal(seen.leaf_subject, "CN=leaf.test");
		assert_string_equal(seen.second_subject, "CN=ca.test");
		assert_int_equal(seen.staple_len, cases[i].staple_len);
		assert_memory_equal(seen.staple, staple, seen.staple_len);
		seen_done(&seen);
	}
}

static void
tells_what_went_wrong(void **state)
{
	static const struct {
		const char *name;
		enum manner manner;
		enum handshake_starttls starttls;
		int64_t deadline_ms;
		const char *text;
		size_t chain_count;
	} cases[] = {
	    {"hangs", HANGS, STARTTLS_NONE, SHORT_MS,
		"has not answered the ClientHello", 0},
	    {"hangs midway", HANGS_MIDWAY, STARTTLS_NONE, SHORT_MS,
		"fell silent in the middle of the TLS handshake: 4 bytes", 0},
	    {"hangs before STARTTLS", HANGS, STARTTLS_SMTP, SHORT_MS,
		"did not send its greeting within 200 ms", 0},
	    {"closes", CLOSES, STARTTLS_NONE, DEADLINE_MS,
		"did not answer the ClientHello: closed the connection", 0},
	    {"closes before STARTTLS", CLOSES, STARTTLS_IMAP, DEADLINE_MS,
		"did not send its greeting: closed the connection", 0},
	    {"resets", RESETS, STARTTLS_NONE, DEADLINE_MS,
		"did not answer the ClientHello: Connection reset", 0},
	    {"speaks HTTP", SPEAKS_HTTP, STARTTLS_NONE, DEADLINE_MS,
		"does not speak TLS on this port: it answers the ClientHello "
		"with 'HTTP/1.1 400 Bad'",
		0},
	    {"HTTP for SMTP", SPEAKS_HTTP, STARTTLS_SMTP, DEADLINE_MS,
		"greets with 'HTTP/1.1 400 Bad Request'", 0},
	    {"offers no STARTTLS", STARTS_NO_TLS, STARTTLS_SMTP, DEADLINE_MS,
		"does not offer STARTTLS", 0},
	    {"an alert", REFUSES_NAME, STARTTLS_NONE, DEADLINE_MS,
		"failed: tlsv1 unrecognized name", 0},
	    {"wants our certificate, having shown its own",
		WANTS_CLIENT_CERTIFICATE, STARTTLS_NONE, DEADLINE_MS,
		"failed: sslv3 alert handshake failure", 2},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct seen seen = {0};
		struct server server;

		print_message("  %s\n", cases[i].name);
		server_start(&server, cases[i].manner);
		look((struct sockaddr *)&server.address, "a.test",
		    cases[i].starttls, cases[i].deadline_ms, &seen);
		server_end(&server);
		if (strstr(seen.err.text, cases[i].text) == NULL)
			fail_msg("%s: '%s'", cases[i].name, seen.err.text);
		assert_int_equal(seen.err.reason, REASON_TLS_FAILED);
		assert_true(seen.connect_ms >= 0);
		assert_int_equal(seen.tls_ms, -1);
		assert_int_equal(seen.chain_count, cases[i].chain_count);
		seen_done(&seen);
	}
}

/* --- connections that are never made --- */

static void
tells_refused(void **state)
{
	struct seen seen = {0};
	struct sockaddr_in address;

	(void)state;
	close(listen_on_loopback(&address, 1));
	look((struct sockaddr *)&address, "a.test", STARTTLS_NONE, DEADLINE_MS,
	    &seen);
	assert_int_equal(seen.err.reason, REASON_CONNECT_REFUSED);
	assert_non_null(strstr(seen.err.text, "cannot connect to 127.0.0.1:"));
	assert_int_equal(seen.connect_ms, -1);
}

/* Linux drops the SYN for a listener whose queue is full. */
static void
tells_timeout(void **state)
{
	struct seen seen = {0};
	struct sockaddr_in address;
	int listener = listen_on_loopback(&address, 0);
	int waiting[2];

	(void)state;
	for (int i = 0; i < 2; i++) {
		waiting[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)connect(
		    waiting[i], (struct sockaddr *)&address, sizeof(address));
	}
	look((struct sockaddr *)&address, "a.test", STARTTLS_NONE, SHORT_MS,
	    &seen);
	assert_int_equal(seen.err.reason, REASON_CONNECT_TIMEOUT);
	assert_non_null(strstr(seen.err.text, "within 200 ms"));
	for (int i = 0; i < 2; i++)
		close(waiting[i]);
	close(listener);
}

/* No TCP connection leads to a multicast address. */
static void
tells_unreachable(void **state)
{
	struct seen seen = {0};
	struct sockaddr_in address = {
	    .sin_family = AF_INET, .sin_port = htons(443)};
	struct sockaddr other = {.sa_family = AF_UNSPEC};

	(void)state;
	assert_int_equal(inet_pton(AF_INET, "224.0.0.1", &address.sin_addr), 1);
	look((struct sockaddr *)&address, NULL, STARTTLS_NONE, DEADLINE_MS,
	    &seen);
	assert_int_equal(seen.err.reason, REASON_UNREACHABLE);
	seen = (struct seen){0};
	look(&other, NULL, STARTTLS_NONE, DEADLINE_MS, &seen);
	assert_int_equal(seen.err.reason, REASON_UNREACHABLE);
}

static void
is_silent_when_cancelled(void **state)
{
	struct seen seen = {0};
	struct sockaddr_in address;
	int listener = listen_on_loopback(&address, 1);
	struct handshake_request request = {
	    .address = (struct sockaddr *)&address, .deadline_ms = DEADLINE_MS};
	struct handshake *handshake;
	uv_loop_t loop;

	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	/* At once, and in the middle of the handshake. */
	handshake = handshake_start(&loop, &request, note, &seen);
	handshake_cancel(&handshake);
	assert_null(handshake);
	handshake_cancel(&handshake);
	handshake = handshake_start(&loop, &request, note, &seen);
	(void)uv_run(&loop, UV_RUN_ONCE);
	(void)uv_run(&loop, UV_RUN_NOWAIT);
	handshake_cancel(&handshake);
	loop_run(&loop);
	loop_end(&loop);
	assert_int_equal(seen.calls, 0);
	close(listener);
}

static void
may_be_cancelled_within_the_callback(void **state)
{
	struct seen seen = {.cancel_within = true};
	struct server server;

	(void)state;
	server_start(&server, STAPLES);
	look((struct sockaddr *)&server.address, NULL, STARTTLS_NONE,
	    DEADLINE_MS, &seen);
	server_end(&server);
	assert_null(seen.handshake);
	seen_done(&seen);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sees_what_is_sent),
	    cmocka_unit_test(tells_what_went_wrong),
	    cmocka_unit_test(tells_refused),
	    cmocka_unit_test(tells_timeout),
	    cmocka_unit_test(tells_unreachable),
	    cmocka_unit_test(is_silent_when_cancelled),
	    cmocka_unit_test(may_be_cancelled_within_the_callback),
	};

	/* For the server's thread, which writes by OpenSSL to clients that
	 * are gone; the client itself sends without signals. */
	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, make_key, free_key);
}
