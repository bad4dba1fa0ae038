/* SPDX-License-Identifier: ISC */
/* test_proxy_way.c -- http/fetch through proxies that follow a script. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <signal.h>

#include "base/err.h"
#include "http/fetch.h"
#include "http/proxy.h"
#include "http_script.h"
#include "socks_script.h"

#define OK                                                               \
	"HTTP/1.1 200 OK\r\nContent-Type: application/ocsp-response\r\n" \
	"Content-Length: 5\r\n\r\nbytes"
#define SECRET "S3cret"
/* "ann:S3cret" */
#define BASIC "Proxy-Authorization: Basic YW5uOlMzY3JldA=="

static uv_loop_t loop;
static struct fetch_pool *pool;
static struct script server;
static struct fetch_result got;
static char body[64];
static int calls;

static int
set_up(void **state)
{
	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	pool = fetch_pool_new(&loop);
	script_init(&server);
	calls = 0;
	memset(&got, 0, sizeof(got));
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	script_stop(&server);
	fetch_pool_free(pool);
	loop_end(&loop);
	return 0;
}

static void
took(void *cookie, const struct fetch_result *result)
{
	(void)cookie;
	calls++;
	got = *result;
	(void)snprintf(body, sizeof(body), "%.*s", (int)result->body.len,
	    (const char *)result->body.at);
	uv_stop(&loop);
}

/* The proxy at URL and PORT. */
static struct proxy
proxy_at(const char *begin, int port)
{
	struct proxy proxy;
	struct err err = {0};
	char url[200];

	(void)snprintf(url, sizeof(url), "%s:%d", begin, port);
	if (proxy_parse(url, true, &proxy, &err) == -1)
		fail_msg("%s: %s", url, err.text);
	return proxy;
}

static void
go(const struct fetch_request *request)
{
	(void)fetch_start(pool, request, took, NULL);
	assert_int_equal(calls, 0);
	loop_run(&loop);
	assert_int_equal(calls, 1);
	assert_null(strstr(got.err.text, SECRET));
}

static void
serve(enum script_manner manner, const char *reply)
{
	assert_true(script_start(
	    &server, &loop, "127.0.0.1", 0, manner, reply, strlen(reply)));
}

/* --- http proxies --- */

static const struct row {
	const char *name;
	const char *proxy; /* the port follows */
	const char *url;
	enum script_manner manner;
	const char *reply;
	const char *line; /* the request's begin */
	const char *has;  /* a line of it, or NULL */
	enum fetch_stage stage;
	enum reason reason;
	const char *says; /* in the sentence, or NULL */
} rows[] = {
    {"a request for http", "http://127.0.0.1", "http://ocsp.test/a//b%2F",
	SCRIPT_CLOSE, OK, "GET http://ocsp.test/a//b%2F HTTP/1.1\r\n",
	"Host: ocsp.test\r\n", FETCH_DONE, REASON_NONE, NULL},
    {"credentials", "http://ann:" SECRET "@127.0.0.1", "http://ocsp.test/a",
	SCRIPT_CLOSE, OK, "GET http://ocsp.test/a", BASIC, FETCH_DONE,
	REASON_NONE, NULL},
    {"407 without", "http://127.0.0.1", "http://ocsp.test/a", SCRIPT_CLOSE,
	"HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic\r\n\r\n",
	"GET http://ocsp.test/a", NULL, FETCH_HTTP, REASON_PROXY_FAILED,
	"--proxy-auth-file"},
    {"407 with", "http://ann:" SECRET "@127.0.0.1", "http://ocsp.test/a",
	SCRIPT_CLOSE, "HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic\r\n\r\n",
	"GET http://ocsp.test/a", BASIC, FETCH_HTTP, REASON_PROXY_FAILED,
	"refuses the credentials"},
    {"502", "http://127.0.0.1", "http://ocsp.test/a", SCRIPT_CLOSE,
	"HTTP/1.1 502 Bad Gateway\r\n\r\n", "GET http://ocsp.test/a", NULL,
	FETCH_HTTP, REASON_HTTP_STATUS, "http://127.0.0.1:"},
    {"a redirect", "http://127.0.0.1", "http://ocsp.test/a", SCRIPT_CLOSE,
	"HTTP/1.1 302 There\r\nLocation: http://portal/\r\n\r\n",
	"GET http://ocsp.test/a", NULL, FETCH_HTTP, REASON_HTTP_REDIRECT, NULL},
    {"says nothing", "http://127.0.0.1", "http://ocsp.test/a", SCRIPT_HANG, "",
	"GET http://ocsp.test/a", NULL, FETCH_HTTP, REASON_HTTP_TIMEOUT,
	"http://127.0.0.1:"},
    {"hangs up", "http://127.0.0.1", "http://ocsp.test/a", SCRIPT_CLOSE, "",
	"GET http://ocsp.test/a", NULL, FETCH_HTTP, REASON_HTTP_RESET, NULL},
    {"CONNECT refused", "http://127.0.0.1", "https://ocsp.test/a", SCRIPT_CLOSE,
	"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n",
	"CONNECT ocsp.test:443 HTTP/1.1\r\n", NULL, FETCH_CONNECT,
	REASON_PROXY_FAILED, "403"},
    {"CONNECT 407", "http://127.0.0.1", "https://ocsp.test/a", SCRIPT_CLOSE,
	"HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic\r\n"
	"Content-Length: 0\r\n\r\n",
	"CONNECT ocsp.test:443", NULL, FETCH_CONNECT, REASON_PROXY_FAILED,
	"--proxy-auth-file"},
    {"CONNECT 407 with", "http://ann:" SECRET "@127.0.0.1",
	"https://ocsp.test/a", SCRIPT_CLOSE,
	"HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic\r\n"
	"Content-Length: 0\r\n\r\n",
	"CONNECT ocsp.test:443", BASIC, FETCH_CONNECT, REASON_PROXY_FAILED,
	"refuses the credentials"},
    {"CONNECT hangs", "http://127.0.0.1", "https://ocsp.test/a", SCRIPT_HANG,
	"", "CONNECT ocsp.test:443", NULL, FETCH_CONNECT, REASON_PROXY_FAILED,
	"within"},
    {"https: nobody accepts", "https://127.0.0.1", "http://ocsp.test/a",
	SCRIPT_FULL, "", NULL, NULL, FETCH_CONNECT, REASON_PROXY_FAILED,
	"within"},
    {"socks5h: nobody accepts", "socks5h://127.0.0.1", "http://ocsp.test/a",
	SCRIPT_FULL, "", NULL, NULL, FETCH_CONNECT, REASON_PROXY_FAILED,
	"within"},
};

static void
try_row(const struct row *row)
{
	struct proxy proxy;
	const struct fetch_request request = {.url = row->url,
	    .proxy = &proxy,
	    .connect_ms = 300,
	    .total_ms = 600};

	serve(row->manner, row->reply);
	proxy = proxy_at(row->proxy, server.port);
	go(&request);
	if (got.err.reason != row->reason || got.stage != row->stage)
		fail_msg("%s: stage %d, %s: %s", row->name, (int)got.stage,
		    reason_name(got.err.reason), got.err.text);
	if (row->line != NULL &&
	    strncmp(server.request, row->line, strlen(row->line)) != 0)
		fail_msg("%s: asked %s", row->name, server.request);
	if (row->has != NULL && strstr(server.request, row->has) == NULL)
		fail_msg(
		    "%s: no %s in %s", row->name, row->has, server.request);
	if (strstr(row->proxy, SECRET) == NULL)
		assert_null(strstr(server.request, "Proxy-Authorization"));
	if (row->says != NULL && strstr(got.err.text, row->says) == NULL)
		fail_msg("%s: %s", row->name, got.err.text);
	if (row->reason == REASON_PROXY_FAILED)
		assert_non_null(strstr(got.err.text, proxy.url));
	if (row->reason == REASON_NONE)
		assert_string_equal(body, "bytes");
}

static void
test_http_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(0, i == 0 ? 0 : set_up(NULL));
		try_row(&rows[i]);
		if (i + 1 < sizeof(rows) / sizeof(rows[0]))
			(void)tear_down(NULL);
	}
}

static void
test_refused(void **state)
{
	struct proxy proxy;
	const struct fetch_request request = {.url = "http://ocsp.test/",
	    .proxy = &proxy,
	    .connect_ms = 5000,
	    .total_ms = 5000};

	(void)state;
	serve(SCRIPT_CLOSE, OK);
	proxy = proxy_at("http://ann:" SECRET "@127.0.0.1", server.port);
	script_stop(&server);
	go(&request);
	assert_int_equal(got.err.reason, REASON_PROXY_FAILED);
	assert_int_equal(got.stage, FETCH_CONNECT);
	assert_non_null(strstr(got.err.text, proxy.url));
	assert_non_null(strstr(got.err.text, "refused"));
	assert_non_null(strstr(got.err.text, "ocsp.test"));
}

/* The proxy's name was looked up by the caller: libcurl looks nothing up. */
static void
test_name_of_the_proxy(void **state)
{
	struct proxy proxy;
	const struct fetch_request request = {.url = "http://ocsp.test/",
	    .proxy = &proxy,
	    .proxy_addresses = "127.0.0.1",
	    .connect_ms = 5000,
	    .total_ms = 5000};

	(void)state;
	serve(SCRIPT_CLOSE, OK);
	proxy = proxy_at("http://proxy.invalid", server.port);
	go(&request);
	assert_int_equal(got.err.reason, REASON_NONE);
	assert_string_equal(body, "bytes");
}

/* The environment is the caller's to read, and counts for no fetch of ours. */
static void
test_environment_is_ignored(void **state)
{
	struct fetch_request request = {
	    .address = "127.0.0.1", .connect_ms = 5000, .total_ms = 5000};
	struct proxy proxy;
	char url[64];

	(void)state;
	serve(SCRIPT_CLOSE, OK);
	(void)snprintf(url, sizeof(url), "http://ocsp.test:%d/x", server.port);
	request.url = url;
	(void)setenv("http_proxy", "http://127.0.0.1:1", 1);
	(void)setenv("no_proxy", "*", 1);
	go(&request);
	assert_int_equal(got.err.reason, REASON_NONE);
	assert_int_equal(0, strncmp(server.request, "GET /x ", 7));
	/* and no_proxy is not read behind our back either */
	calls = 0;
	proxy = proxy_at("http://127.0.0.1", server.port);
	request.proxy = &proxy;
	request.address = NULL;
	go(&request);
	assert_int_equal(0, strncmp(server.request, "GET http://", 11));
	(void)unsetenv("http_proxy");
	(void)unsetenv("no_proxy");
}

static void
test_neither_address_nor_proxy(void **state)
{
	const struct fetch_request request = {
	    .url = "http://ocsp.test/", .connect_ms = 5000, .total_ms = 5000};

	(void)state;
	go(&request);
	assert_int_equal(got.err.reason, REASON_UNREACHABLE);
}

/* --- SOCKS5 --- */

static const struct socks_row {
	const char *name;
	const char *proxy;
	const char *address; /* what we looked up; NULL: the proxy does */
	const char *user;    /* that the proxy wants */
	uint8_t reply;
	bool hangs_up;
	const char *destination;
	enum reason reason;
	const char *says;
} socks_rows[] = {
    {"the proxy looks up", "socks5h://127.0.0.1", NULL, NULL, 0, false,
	"ocsp.test:80", REASON_NONE, NULL},
    {"we look up", "socks5://127.0.0.1", "192.0.2.7", NULL, 0, false,
	"192.0.2.7:80", REASON_NONE, NULL},
    {"we look up IPv6", "socks5://127.0.0.1", "2001:db8::7", NULL, 0, false,
	"2001:db8::7:80", REASON_NONE, NULL},
    {"credentials", "socks5h://ann:" SECRET "@127.0.0.1", NULL, "ann", 0, false,
	"ocsp.test:80", REASON_NONE, NULL},
    {"credentials missing", "socks5h://127.0.0.1", NULL, "ann", 0, false, "",
	REASON_PROXY_FAILED, "--proxy-auth-file"},
    {"credentials wrong", "socks5h://ann:" SECRET "@127.0.0.1", NULL, "bob", 0,
	false, "", REASON_PROXY_FAILED, "refuses the credentials"},
    {"general failure", "socks5h://127.0.0.1", NULL, NULL, 1, false,
	"ocsp.test:80", REASON_PROXY_FAILED, "general failure"},
    {"not allowed", "socks5h://127.0.0.1", NULL, NULL, 2, false, "ocsp.test:80",
	REASON_PROXY_FAILED, "not allowed"},
    {"host unreachable", "socks5h://127.0.0.1", NULL, NULL, 4, false,
	"ocsp.test:80", REASON_PROXY_FAILED, "host unreachable"},
    {"refused", "socks5://127.0.0.1", "192.0.2.7", NULL, 5, false,
	"192.0.2.7:80", REASON_PROXY_FAILED, "connection refused"},
    {"hangs up", "socks5h://127.0.0.1", NULL, NULL, 0, true, "",
	REASON_PROXY_FAILED, "gives no way"},
};

static void
test_socks_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(socks_rows) / sizeof(socks_rows[0]);
	     i++) {
		const struct socks_row *row = &socks_rows[i];
		struct proxy proxy;
		const struct fetch_request request = {
		    .url = "http://ocsp.test/x",
		    .address = row->address,
		    .proxy = &proxy,
		    .connect_ms = 5000,
		    .total_ms = 5000};
		struct socks socks = {.user = row->user,
		    .password = SECRET,
		    .reply = row->reply,
		    .hangs_up = row->hangs_up,
		    .answer = OK};

		calls = 0;
		socks_start(&socks);
		proxy = proxy_at(row->proxy, socks.port);
		go(&request);
		socks_stop(&socks);
		if (got.err.reason != row->reason)
			fail_msg("%s: %s", row->name, got.err.text);
		assert_string_equal(socks.destination, row->destination);
		if (row->says != NULL &&
		    strstr(got.err.text, row->says) == NULL)
			fail_msg("%s: %s", row->name, got.err.text);
		if (row->reason != REASON_NONE)
			continue;
		assert_string_equal(body, "bytes");
		assert_int_equal(
		    0, strncmp(socks.request, "GET /x HTTP/1.1\r\n", 17));
		assert_non_null(strstr(socks.request, "Host: ocsp.test\r\n"));
	}
}

/* --- TLS: with an https proxy, and with a responder behind CONNECT --- */

struct tls_server {
	bool connect_first; /* a plain CONNECT before TLS */
	const char *answer;
	char request[2000];
	char ca_file[40];
	int fd, port;
	SSL_CTX *ctx;
	pthread_t thread;
};

static void
give_certificate(struct tls_server *s)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	X509_NAME *name = X509_get_subject_name(cert);
	X509_EXTENSION *names = X509V3_EXT_conf_nid(
	    NULL, NULL, NID_subject_alt_name, "DNS:proxy.test");
	int fd = mkstemp(s->ca_file);
	FILE *file = fdopen(fd, "w");

	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
	    (const unsigned char *)"proxy.test", -1, -1, 0);
	X509_set_version(cert, X509_VERSION_3);
	X509_set_issuer_name(cert, name);
	X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	X509_set_pubkey(cert, key);
	X509_add_ext(cert, names, -1);
	assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
	assert_int_equal(1, SSL_CTX_use_certificate(s->ctx, cert));
	assert_int_equal(1, SSL_CTX_use_PrivateKey(s->ctx, key));
	assert_int_equal(1, PEM_write_X509(file, cert));
	(void)fclose(file);
	X509_EXTENSION_free(names);
	X509_free(cert);
	EVP_PKEY_free(key);
}

static void *
tls_serve(void *cookie)
{
	struct tls_server *s = cookie;
	int fd = accept(s->fd, NULL, NULL);
	SSL *ssl = SSL_new(s->ctx);
	size_t got_len = 0;
	ssize_t len;

	while (s->connect_first && strstr(s->request, "\r\n\r\n") == NULL &&
	       (len = recv(fd, s->request + got_len,
		    sizeof(s->request) - 1 - got_len, 0)) > 0)
		got_len += (size_t)len;
	if (s->connect_first)
		socks_say(fd, "HTTP/1.1 200 OK\r\n\r\n", 19);
	SSL_set_fd(ssl, fd);
	if (SSL_accept(ssl) == 1 && !s->connect_first &&
	    SSL_read(ssl, s->request, sizeof(s->request) - 1) > 0)
		(void)SSL_write(ssl, s->answer, (int)strlen(s->answer));
	(void)SSL_shutdown(ssl);
	SSL_free(ssl);
	close(fd);
	return NULL;
}

static void
tls_start(struct tls_server *s)
{
	struct sockaddr_in any = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(any);

	(void)snprintf(s->ca_file, sizeof(s->ca_file), "/tmp/test_ca.XXXXXX");
	s->ctx = SSL_CTX_new(TLS_server_method());
	give_certificate(s);
	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(0, bind(s->fd, (struct sockaddr *)&any, sizeof(any)));
	assert_int_equal(0, listen(s->fd, 8));
	(void)getsockname(s->fd, (struct sockaddr *)&any, &size);
	s->port = ntohs(any.sin_port);
	assert_int_equal(0, pthread_create(&s->thread, NULL, tls_serve, s));
}

static void
tls_stop(struct tls_server *s)
{
	(void)pthread_join(s->thread, NULL);
	close(s->fd);
	SSL_CTX_free(s->ctx);
	(void)unlink(s->ca_file);
}

static void
test_https_proxy(void **state)
{
	static const struct {
		const char *name, *proxy;
		bool trusted;
		enum reason reason;
	} rows_tls[] = {
	    {"trusted", "https://ann:" SECRET "@proxy.test", true, REASON_NONE},
	    {"unknown certificate", "https://ann:" SECRET "@proxy.test", false,
		REASON_PROXY_FAILED},
	    {"another name", "https://ann:" SECRET "@other.test", true,
		REASON_PROXY_FAILED},
	};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct tls_server s = {.answer = OK};
		struct proxy proxy;
		struct fetch_request request = {.url = "http://ocsp.test/x",
		    .proxy = &proxy,
		    .proxy_addresses = "127.0.0.1",
		    .connect_ms = 5000,
		    .total_ms = 5000};

		calls = 0;
		tls_start(&s);
		proxy = proxy_at(rows_tls[i].proxy, s.port);
		if (rows_tls[i].trusted)
			request.proxy_ca_file = s.ca_file;
		go(&request);
		tls_stop(&s);
		if (got.err.reason != rows_tls[i].reason)
			fail_msg("%s: %s", rows_tls[i].name, got.err.text);
		if (rows_tls[i].reason == REASON_NONE) {
			assert_non_null(strstr(s.request, BASIC));
			assert_int_equal(0,
			    strncmp(s.request, "GET http://ocsp.test/x ", 23));
		} else {
			/* not a word to whom we do not know */
			assert_int_equal(got.stage, FETCH_CONNECT);
			assert_string_equal(s.request, "");
			assert_non_null(strstr(got.err.text, proxy.url));
		}
	}
}

/* The way is there; that the responder is not who he should be is his fault,
 * not the proxy's.  And he never sees the proxy's credentials. */
static void
test_tls_behind_connect(void **state)
{
	struct tls_server s = {.connect_first = true};
	struct proxy proxy;
	const struct fetch_request request = {.url = "https://ocsp.test/x",
	    .proxy = &proxy,
	    .connect_ms = 5000,
	    .total_ms = 5000};

	(void)state;
	tls_start(&s);
	proxy = proxy_at("http://ann:" SECRET "@127.0.0.1", s.port);
	go(&request);
	tls_stop(&s);
	assert_int_equal(got.err.reason, REASON_TLS_FAILED);
	assert_int_equal(got.stage, FETCH_HTTP);
	assert_non_null(strstr(s.request, "CONNECT ocsp.test:443"));
	assert_non_null(strstr(s.request, BASIC));
}

static void
test_cancel(void **state)
{
	struct proxy proxy;
	const struct fetch_request request = {.url = "http://ocsp.test/",
	    .proxy = &proxy,
	    .connect_ms = 5000,
	    .total_ms = 5000};
	struct fetch *fetch;

	(void)state;
	serve(SCRIPT_HANG, "");
	proxy = proxy_at("http://127.0.0.1", server.port);
	fetch = fetch_start(pool, &request, took, NULL);
	while (server.requests == 0)
		(void)uv_run(&loop, UV_RUN_ONCE);
	fetch_cancel(&fetch);
	assert_null(fetch);
	(void)uv_run(&loop, UV_RUN_NOWAIT);
	assert_int_equal(calls, 0);
}

#define A_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    A_TEST(test_http_rows),
	    A_TEST(test_refused),
	    A_TEST(test_name_of_the_proxy),
	    A_TEST(test_environment_is_ignored),
	    A_TEST(test_neither_address_nor_proxy),
	    A_TEST(test_socks_rows),
	    A_TEST(test_https_proxy),
	    A_TEST(test_tls_behind_connect),
	    A_TEST(test_cancel),
	};

	(void)signal(SIGPIPE, SIG_IGN); /* as the program does */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
