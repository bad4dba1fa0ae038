/* SPDX-License-Identifier: ISC */
/* test_fetch_tls.c -- http/fetch and https: whom it does not trust. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "base/loop.h"
#include "base/mem.h"
#include "http/fetch.h"

static uv_loop_t loop;
static struct fetch_result got;
static int calls;

/* A server whose certificate nobody knows: one connection, one answer. */
struct server {
	int fd, port;
	SSL_CTX *ctx;
	const char *plain;  /* say this instead of TLS */
	const char *answer; /* say this over TLS */
	long ended_s; /* so long ago the certificate has ended; 0: it lasts */
	char *pem;    /* where it is written; owned by the test */
	bool any_time, fresh, other_name;
	size_t request_len;
};

static void
give_certificate(SSL_CTX *ctx, const struct server *server)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	X509_NAME *name = X509_get_subject_name(cert);
	X509_EXTENSION *names = X509V3_EXT_conf_nid(
	    NULL, NULL, NID_subject_alt_name, "DNS:ocsp.test");

	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
	    (const unsigned char *)"ocsp.test", -1, -1, 0);
	X509_set_version(cert, X509_VERSION_3);
	X509_set_issuer_name(cert, name);
	X509_gmtime_adj(X509_getm_notBefore(cert), -3600 - server->ended_s);
	X509_gmtime_adj(X509_getm_notAfter(cert),
	    server->ended_s > 0 ? -server->ended_s : 3600);
	X509_set_pubkey(cert, key);
	X509_add_ext(cert, names, -1);
	assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
	assert_int_equal(1, SSL_CTX_use_certificate(ctx, cert));
	if (server->pem != NULL) {
		FILE *file = fopen(server->pem, "w");

		assert_non_null(file);
		assert_int_equal(1, PEM_write_X509(file, cert));
		assert_int_equal(0, fclose(file));
	}
	assert_int_equal(1, SSL_CTX_use_PrivateKey(ctx, key));
	X509_EXTENSION_free(names);
	X509_free(cert);
	EVP_PKEY_free(key);
}

static void *
serve(void *cookie)
{
	struct server *server = cookie;
	int fd = accept(server->fd, NULL, NULL);
	SSL *ssl = NULL;
	char request[2000];
	int len = 0;

	if (server->plain != NULL) {
		(void)send(
		    fd, server->plain, strlen(server->plain), MSG_NOSIGNAL);
		/* until the client has had enough of it */
		while (recv(fd, request, sizeof(request), 0) > 0)
			;
		close(fd);
		return NULL;
	}
	ssl = SSL_new(server->ctx);
	SSL_set_fd(ssl, fd);
	if (SSL_accept(ssl) == 1)
		len = SSL_read(ssl, request, sizeof(request));
	if (len > 0 && server->answer != NULL)
		(void)SSL_write(
		    ssl, server->answer, (int)strlen(server->answer));
	server->request_len = len > 0 ? (size_t)len : 0;
	SSL_free(ssl);
	close(fd);
	return NULL;
}

static void
took(void *cookie, const struct fetch_result *result)
{
	(void)cookie;
	calls++;
	got = *result;
	uv_stop(&loop);
}

static void
fetch_from(struct server *server)
{
	struct sockaddr_in any = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(any);
	struct fetch_request request = {
	    .address = "127.0.0.1", .connect_ms = 20000, .total_ms = 20000};
	struct fetch_pool *pool;
	pthread_t thread;
	char *url;

	calls = 0;
	server->ctx = SSL_CTX_new(TLS_server_method());
	give_certificate(server->ctx, server);
	request.ca_file = server->pem;
	request.any_time = server->any_time;
	request.fresh = server->fresh;
	server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(
	    0, bind(server->fd, (struct sockaddr *)&any, sizeof(any)));
	assert_int_equal(0, listen(server->fd, 8));
	(void)getsockname(server->fd, (struct sockaddr *)&any, &size);
	assert_int_equal(0, pthread_create(&thread, NULL, serve, server));

	(void)uv_loop_init(&loop);
	pool = fetch_pool_new(&loop);
	url = mem_printf("https://%s.test:%d/",
	    server->other_name ? "other" : "ocsp", ntohs(any.sin_port));
	request.url = url;
	(void)fetch_start(pool, &request, took, NULL);
	loop_run(&loop);
	fetch_pool_free(pool);
	loop_end(&loop);
	(void)pthread_join(thread, NULL);
	close(server->fd);
	SSL_CTX_free(server->ctx);
	free(url);
	assert_int_equal(calls, 1);
}

/* Who asks what time it is cannot ask of the certificate that it be valid now;
 * its chain and its name he can. */
static void
test_any_time(void **state)
{
	static const struct {
		const char *name;
		long ended_s;
		bool any_time, fresh, trusted, other_name, told;
	} rows[] = {
	    {"ended, and that does not matter", 1000, true, true, true, false,
		true},
	    {"not ended", 0, true, true, true, false, true},
	    {"ended, and it matters", 1000, false, true, true, false, false},
	    {"ended, on a connection that others may use", 1000, true, false,
		true, false, false},
	    {"nobody knows it", 0, true, true, false, false, false},
	    {"of another name", 0, true, true, true, true, false},
	};
	char path[] = "/tmp/oclasp-test.XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct server server = {.ended_s = rows[i].ended_s,
		    .any_time = rows[i].any_time,
		    .fresh = rows[i].fresh,
		    .other_name = rows[i].other_name,
		    .pem = rows[i].trusted ? path : NULL,
		    .answer = "HTTP/1.1 404 No\r\nDate: Fri, 15 Jan 2027 "
			      "08:00:00 GMT\r\nContent-Length: 0\r\n\r\n"};

		fetch_from(&server);
		if ((got.http_status == 404) != rows[i].told ||
		    (got.date == 1800000000) != rows[i].told)
			fail_msg("%s: HTTP %ld, %s", rows[i].name,
			    got.http_status, got.err.text);
	}
	(void)unlink(path);
}

static void
test_unknown_certificate(void **state)
{
	struct server server = {0};

	(void)state;
	fetch_from(&server);
	assert_int_equal(got.err.reason, REASON_TLS_FAILED);
	assert_int_equal(got.stage, FETCH_HTTP); /* TCP was up */
	assert_true(got.connect_ms >= 0);
	assert_int_equal(got.http_status, 0);
	assert_non_null(strstr(got.err.text, "certificate"));
	/* nothing was said to whom we do not know */
	assert_int_equal(server.request_len, 0);
}

static void
test_no_tls_at_all(void **state)
{
	struct server server = {
	    .plain = "HTTP/1.1 400 Plain HTTP, please\r\n\r\n"};

	(void)state;
	fetch_from(&server);
	assert_int_equal(got.err.reason, REASON_TLS_FAILED);
	assert_int_equal(got.stage, FETCH_HTTP);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_any_time),
	    cmocka_unit_test(test_unknown_certificate),
	    cmocka_unit_test(test_no_tls_at_all),
	};

	/* the server says its last word to a client that has gone */
	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
