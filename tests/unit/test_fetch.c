/* SPDX-License-Identifier: ISC */
/* test_fetch.c -- http/fetch against servers that follow a script. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "http/fetch.h"
#include "http_script.h"

/* "a response", by gzip */
static const uint8_t gzip_small[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x02, 0x03, 0x4b, 0x54, 0x28, 0x4a, 0x2d, 0x2e, 0xc8, 0xcf, 0x2b,
    0x4e, 0x05, 0x00, 0x09, 0x51, 0x07, 0x04, 0x0a, 0x00, 0x00, 0x00};

/* 300,000 NULs, by gzip */
static const uint8_t gzip_bomb[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x02, 0x03, 0xed, 0xc1, 0x01, 0x0d, 0x00, 0x00, 0x00, 0xc2, 0xa0,
    0xf7, 0x4f, 0x6d, 0x0f, 0x07, 0x14, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xfc, 0x18, 0xfb, 0xe2,
    0xb2, 0xf6, 0xe0, 0x93, 0x04, 0x00};

/* One fetch, and what came of it. */
struct trial {
	struct fetch *fetch;
	int calls;
	struct fetch_result result; /* the body is a copy */
	char body[FETCH_BODY_MAX + 1];
	void (*then)(struct trial *trial);
	void *cookie;
};

static uv_loop_t loop;
static struct fetch_pool *pool;
static struct script server; /* large, and most tests need one */
static struct trial trial;

static void
trial_done(void *cookie, const struct fetch_result *result)
{
	struct trial *t = cookie;

	assert_non_null(t->fetch); /* never from within fetch_start */
	t->calls++;
	t->result = *result;
	assert_true(result->body.len <= FETCH_BODY_MAX);
	memcpy(t->body, result->body.at, result->body.len);
	t->body[result->body.len] = '\0';
	if (t->then != NULL)
		t->then(t);
	else
		uv_stop(&loop);
}

static void
trial_start(struct trial *t, const char *url, const char *address,
    int64_t connect_ms, int64_t total_ms)
{
	struct fetch_request request = {.url = url,
	    .address = address,
	    .connect_ms = connect_ms,
	    .total_ms = total_ms};

	t->fetch = NULL;
	t->calls = 0;
	t->fetch = fetch_start(pool, &request, trial_done, t);
	assert_int_equal(t->calls, 0);
}

static char *
server_url(const char *host, const char *path)
{
	return mem_printf("http://%s:%d%s", host, server.port, path);
}

/* Fetch once from SERVER, until the result is there. */
static void
try_once(int64_t total_ms)
{
	char *url = server_url("ocsp.test", "/a//b/%2F?c");

	memset(&trial, 0, sizeof(trial));
	trial_start(&trial, url, server.address, total_ms, total_ms);
	loop_run(&loop);
	assert_int_equal(trial.calls, 1);
	free(url);
}

static int
set_up(void **state)
{
	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	pool = fetch_pool_new(&loop);
	script_init(&server);
	memset(&trial, 0, sizeof(trial));
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

#define OK_HEAD "HTTP/1.1 200 OK\r\nContent-Type: application/ocsp-response\r\n"

struct row {
	const char *name;
	enum script_manner manner;
	const char *reply;
	enum fetch_stage stage;
	enum reason reason;
	long status;
	const char *body; /* NULL: do not look */
	const char *text; /* in the error's sentence, or NULL */
};

static const struct row rows[] = {
    {"plain", SCRIPT_CLOSE, OK_HEAD "Content-Length: 5\r\n\r\nhello",
	FETCH_DONE, REASON_NONE, 200, "hello", NULL},
    {"chunked", SCRIPT_KEEP,
	OK_HEAD "Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n"
		"Location: /trailer\r\n\r\n",
	FETCH_DONE, REASON_NONE, 200, "hello", NULL},
    {"HTTP/1.0 without length", SCRIPT_CLOSE,
	"HTTP/1.0 200 OK\r\n\r\nuntil the end", FETCH_DONE, REASON_NONE, 200,
	"until the end", NULL},
    {"interim answer first", SCRIPT_CLOSE,
	"HTTP/1.1 103 Early Hints\r\nContent-Length: 99999999\r\n\r\n" OK_HEAD
	"Content-Length: 2\r\n\r\nok",
	FETCH_DONE, REASON_NONE, 200, "ok", NULL},
    {"empty body", SCRIPT_CLOSE, OK_HEAD "Content-Length: 0\r\n\r\n",
	FETCH_DONE, REASON_NONE, 200, "", NULL},
    {"500", SCRIPT_CLOSE, "HTTP/1.1 500 No\r\nContent-Length: 3\r\n\r\nbad",
	FETCH_HTTP, REASON_HTTP_STATUS, 500, "", "500"},
    {"404 that is huge", SCRIPT_KEEP,
	"HTTP/1.1 404 No\r\nContent-Length: 99999999\r\n\r\nbad", FETCH_HTTP,
	REASON_HTTP_STATUS, 404, "", "404"},
    {"204", SCRIPT_CLOSE, "HTTP/1.1 204 Nothing\r\n\r\n", FETCH_HTTP,
	REASON_HTTP_STATUS, 204, "", "204"},
    {"401", SCRIPT_CLOSE,
	"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"x\"\r\n\r\n",
	FETCH_HTTP, REASON_HTTP_STATUS, 401, "", NULL},
    {"redirect", SCRIPT_CLOSE,
	"HTTP/1.1 302 Found\r\nLocation: http://portal.test/login\r\n"
	"Content-Length: 0\r\n\r\n",
	FETCH_HTTP, REASON_HTTP_REDIRECT, 302, "", "http://portal.test/login"},
    {"308 without Location", SCRIPT_CLOSE, "HTTP/1.1 308 Moved\r\n\r\n",
	FETCH_HTTP, REASON_HTTP_REDIRECT, 308, "", "308"},
    {"304", SCRIPT_CLOSE, "HTTP/1.1 304 Not Modified\r\n\r\n", FETCH_HTTP,
	REASON_HTTP_REDIRECT, 304, "", NULL},
    {"huge Content-Length", SCRIPT_KEEP,
	OK_HEAD "Content-Length: 65537\r\n\r\nx", FETCH_HTTP, REASON_OVERSIZE,
	200, "", NULL},
    {"absurd Content-Length", SCRIPT_KEEP,
	OK_HEAD "Content-Length: 99999999999999999999999\r\n\r\nx", FETCH_HTTP,
	REASON_OVERSIZE, 200, NULL, NULL},
    {"cut body", SCRIPT_CLOSE, OK_HEAD "Content-Length: 50\r\n\r\nhello",
	FETCH_HTTP, REASON_HTTP_RESET, 200, NULL, NULL},
    {"cut chunk", SCRIPT_CLOSE,
	OK_HEAD "Transfer-Encoding: chunked\r\n\r\n50\r\nhel", FETCH_HTTP,
	REASON_HTTP_RESET, 200, NULL, NULL},
    {"cut head", SCRIPT_CLOSE, "HTTP/1.1 200 OK\r\nContent-Ty", FETCH_HTTP,
	REASON_HTTP_RESET, 0, NULL, NULL},
    {"closed without a word", SCRIPT_CLOSE, "", FETCH_HTTP, REASON_HTTP_RESET,
	0, "", NULL},
    {"reset without a word", SCRIPT_RESET, "", FETCH_HTTP, REASON_HTTP_RESET, 0,
	"", NULL},
    {"silence", SCRIPT_HANG, "", FETCH_HTTP, REASON_HTTP_TIMEOUT, 0, "", NULL},
    {"body that never ends", SCRIPT_KEEP,
	OK_HEAD "Content-Length: 50\r\n\r\nhello", FETCH_HTTP,
	REASON_HTTP_TIMEOUT, 200, NULL, NULL},
    {"drip", SCRIPT_DRIP, OK_HEAD "Content-Length: 5000\r\n\r\n", FETCH_HTTP,
	REASON_HTTP_TIMEOUT, 0, "", NULL},
    {"no HTTP at all", SCRIPT_CLOSE, "220 mail.test ESMTP\r\n", FETCH_HTTP,
	REASON_NOT_OCSP, 0, NULL, NULL},
    {"broken gzip", SCRIPT_CLOSE,
	OK_HEAD "Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello",
	FETCH_HTTP, REASON_NOT_OCSP, 200, NULL, NULL},
};

static void
test_replies(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct row *row = &rows[i];
		const struct fetch_result *result = &trial.result;
		bool slow = row->reason == REASON_HTTP_TIMEOUT;

		assert_true(script_start(&server, &loop, "127.0.0.1", 0,
		    row->manner, row->reply, strlen(row->reply)));
		try_once(slow ? 300 : 20000);
		if (result->err.reason != row->reason ||
		    result->stage != row->stage)
			fail_msg("%s: %s at stage %d: %s", row->name,
			    reason_name(result->err.reason), (int)result->stage,
			    result->err.text);
		if (result->http_status != row->status)
			fail_msg(
			    "%s: status %ld", row->name, result->http_status);
		if (row->body != NULL && strcmp(row->body, trial.body) != 0)
			fail_msg("%s: body '%s'", row->name, trial.body);
		if (row->text != NULL &&
		    strstr(result->err.text, row->text) == NULL)
			fail_msg("%s: '%s'", row->name, result->err.text);
		if (row->reason != REASON_NONE)
			assert_non_null(strstr(result->err.text, "127.0.0.1"));
		assert_true(result->connect_ms >= 0);
		assert_true(result->elapsed_ms >= (slow ? 299 : 0));
		assert_true(result->elapsed_ms < 5000);
		script_stop(&server);
	}
}

static void
serve_bytes(const char *head, const void *body, size_t len)
{
	static uint8_t reply[400000];
	int head_len = snprintf((char *)reply, 1000, "%s\r\n", head);

	memcpy(reply + head_len, body, len);
	assert_true(script_start(&server, &loop, "127.0.0.1", 0, SCRIPT_CLOSE,
	    reply, (size_t)head_len + len));
}

static void
test_sizes(void **state)
{
	static uint8_t body[71680];

	(void)state;
	/* C19: a body up to 64 KiB is read, one more byte is not */
	memset(body, 'x', sizeof(body));
	serve_bytes(OK_HEAD, body, FETCH_BODY_MAX);
	try_once(20000);
	assert_int_equal(trial.result.stage, FETCH_DONE);
	assert_int_equal(trial.result.body.len, FETCH_BODY_MAX);
	script_stop(&server);

	serve_bytes(OK_HEAD, body, FETCH_BODY_MAX + 1);
	try_once(20000);
	assert_int_equal(trial.result.err.reason, REASON_OVERSIZE);
	script_stop(&server);

	serve_bytes(OK_HEAD, body, sizeof(body));
	try_once(20000);
	assert_int_equal(trial.result.err.reason, REASON_OVERSIZE);
	assert_int_equal(trial.result.stage, FETCH_HTTP);
	script_stop(&server);
}

static void
test_gzip(void **state)
{
	(void)state;
	serve_bytes(OK_HEAD "Content-Encoding: gzip\r\n", gzip_small,
	    sizeof(gzip_small));
	try_once(20000);
	assert_int_equal(trial.result.stage, FETCH_DONE);
	assert_string_equal(trial.body, "a response");
	/* decoded, but not asked for */
	assert_null(strcasestr(server.request, "accept-encoding"));
	script_stop(&server);

	serve_bytes(
	    OK_HEAD "Content-Encoding: gzip\r\n", gzip_bomb, sizeof(gzip_bomb));
	try_once(20000);
	assert_int_equal(trial.result.err.reason, REASON_OVERSIZE);
	script_stop(&server);
}

static const char hello[] = OK_HEAD "Content-Length: 5\r\n\r\nhello";

static void
test_get_request(void **state)
{
	char expected[64];

	(void)state;
	assert_true(script_start(&server, &loop, "127.0.0.1", 0, SCRIPT_CLOSE,
	    hello, sizeof(hello) - 1));
	try_once(20000);
	/* B6: the path as given, not "tidied" */
	assert_true(
	    text_starts(server.request, "GET /a//b/%2F?c HTTP/1.1\r\n"));
	(void)snprintf(expected, sizeof(expected), "\r\nHost: ocsp.test:%d\r\n",
	    server.port);
	if (strstr(server.request, expected) == NULL)
		fail_msg("B8: Host is not the URL's: %s", server.request);
	assert_non_null(strstr(
	    server.request, "\r\nAccept: application/ocsp-response\r\n"));
	assert_non_null(strstr(
	    server.request, "\r\nUser-Agent: oclasp/" OCLASP_VERSION "\r\n"));
	assert_null(strcasestr(server.request, "expect:"));
	assert_null(strcasestr(server.request, "accept-encoding:"));
	assert_null(strcasestr(server.request, "content-type:"));
}

static void
test_post_request(void **state)
{
	static uint8_t body[3000]; /* above 1024 libcurl would "Expect:" */
	struct fetch_request request = {.connect_ms = 20000,
	    .total_ms = 20000,
	    .body = {.at = body, .len = sizeof(body)}};
	char *url;
	const char *sent;

	(void)state;
	memset(body, 'r', sizeof(body));
	assert_true(script_start(&server, &loop, "127.0.0.1", 0, SCRIPT_CLOSE,
	    hello, sizeof(hello) - 1));
	request.url = url = server_url("ocsp.test", "");
	request.address = server.address;
	trial.fetch = fetch_start(pool, &request, trial_done, &trial);
	free(url); /* the fetch has its own */
	loop_run(&loop);
	assert_int_equal(trial.result.stage, FETCH_DONE);
	assert_true(text_starts(server.request, "POST / HTTP/1.1\r\n"));
	if (strstr(server.request,
		"\r\nContent-Type: application/ocsp-request\r\n") == NULL ||
	    strstr(server.request,
		"\r\nAccept: application/ocsp-response\r\n") == NULL)
		fail_msg("B7: %s", server.request);
	assert_null(strcasestr(server.request, "expect:"));
	sent = strstr(server.request, "\r\n\r\n");
	assert_non_null(sent);
	assert_memory_equal(sent + 4, body, sizeof(body));
}

static void
test_headers_read(void **state)
{
	static const char reply[] =
	    "HTTP/1.1 200 OK\r\nCONTENT-TYPE:  Application/OCSP-Response ;"
	    " charset=x\r\ncache-control: public\r\n"
	    "Cache-Control: no-transform, max-age=3600\r\n"
	    "Content-Length: 2\r\n\r\nok";
	static const char busy[] =
	    "HTTP/1.1 503 Busy\r\nRetry-After: 120\r\n\r\n";

	(void)state;
	assert_true(script_start(&server, &loop, "127.0.0.1", 0, SCRIPT_CLOSE,
	    reply, sizeof(reply) - 1));
	try_once(20000);
	assert_string_equal(
	    trial.result.content_type, "application/ocsp-response");
	assert_int_equal(trial.result.max_age_s, 3600);
	assert_int_equal(trial.result.retry_after_s, -1);
	script_stop(&server);

	assert_true(script_start(&server, &loop, "127.0.0.1", 0, SCRIPT_CLOSE,
	    busy, sizeof(busy) - 1));
	try_once(20000);
	assert_int_equal(trial.result.http_status, 503);
	if (trial.result.retry_after_s != 120)
		fail_msg("A7: Retry-After is %lld",
		    (long long)trial.result.retry_after_s);
	assert_int_equal(trial.result.max_age_s, -1);
}

static void
test_refused(void **state)
{
	int fd;

	(void)state;
	assert_true(
	    script_start(&server, &loop, "127.0.0.1", 0, SCRIPT_CLOSE, "", 0));
	/* Bound, so that nobody else gets it, but nobody listens. */
	script_stop(&server);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(0,
	    bind(fd,
		(struct sockaddr *)&(struct sockaddr_in){.sin_family = AF_INET,
		    .sin_port = htons((uint16_t)server.port),
		    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)},
		sizeof(struct sockaddr_in)));
	try_once(20000);
	close(fd);
	assert_int_equal(trial.result.err.reason, REASON_CONNECT_REFUSED);
	assert_int_equal(trial.result.stage, FETCH_CONNECT);
	assert_int_equal(trial.result.connect_ms, -1);
	assert_int_equal(trial.result.http_status, 0);
	assert_non_null(strstr(trial.result.err.text, "ocsp.test"));
}

static void
test_connect_timeout(void **state)
{
	char *url;

	(void)state;
	assert_true(
	    script_start(&server, &loop, "127.0.0.1", 0, SCRIPT_FULL, "", 0));
	url = server_url("ocsp.test", "/");
	trial_start(&trial, url, server.address, 200, 20000);
	loop_run(&loop);
	free(url);
	assert_int_equal(trial.result.err.reason, REASON_CONNECT_TIMEOUT);
	assert_int_equal(trial.result.stage, FETCH_CONNECT);
	assert_in_range(trial.result.elapsed_ms, 199, 5000);
}

/* What fails before any packet is told all the same, and later. */
static void
test_hopeless(void **state)
{
	static const struct {
		const char *name, *url, *address;
	} hopeless[] = {
	    {"no TCP to broadcast", "http://ocsp.test/", "255.255.255.255"},
	    {"link-local without scope", "http://ocsp.test/", "fe80::1"},
	    {"a name for an address", "http://ocsp.test/", "localhost"},
	    {"an address with a port", "http://ocsp.test/", "127.0.0.1:80"},
	    {"an address in brackets", "http://ocsp.test/", "[::1]"},
	    {"ldap", "ldap://127.0.0.1/", "127.0.0.1"},
	    {"file", "file:///etc/passwd", "127.0.0.1"},
	    {"no URL", "", "127.0.0.1"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(hopeless) / sizeof(*hopeless); i++) {
		trial_start(
		    &trial, hopeless[i].url, hopeless[i].address, 1000, 1000);
		loop_run(&loop);
		if (trial.calls != 1 ||
		    trial.result.err.reason != REASON_UNREACHABLE ||
		    trial.result.stage != FETCH_CONNECT)
			fail_msg("%s: %s", hopeless[i].name,
			    reason_name(trial.result.err.reason));
	}
}

static void
test_ipv6(void **state)
{
	(void)state;
	if (!script_start(&server, &loop, "::1", 0, SCRIPT_CLOSE, hello,
		sizeof(hello) - 1))
		skip();
	try_once(20000);
	assert_int_equal(trial.result.stage, FETCH_DONE);
	assert_string_equal(trial.body, "hello");
	assert_non_null(strstr(server.request, "\r\nHost: ocsp.test:"));
}

/* The URL's own host is an address: the address given wins still. */
static void
test_numeric_host(void **state)
{
	char *url;

	(void)state;
	assert_true(script_start(&server, &loop, "127.0.0.1", 0, SCRIPT_CLOSE,
	    hello, sizeof(hello) - 1));
	url = server_url("[2001:db8::1]", "/");
	trial_start(&trial, url, server.address, 20000, 20000);
	loop_run(&loop);
	free(url);
	assert_int_equal(trial.result.stage, FETCH_DONE);
	assert_non_null(strstr(server.request, "\r\nHost: [2001:db8::1]:"));
}

enum { MANY = 40 }; /* connections at once */

static int still_open;

static void
one_less(struct trial *t)
{
	(void)t;
	if (--still_open == 0)
		uv_stop(&loop);
}

/* Several addresses of one host at once, each answering with its own name:
 * twice, so that kept connections could be mixed up. */
static void
test_parallel(void **state)
{
	static struct script servers[MANY];
	static struct trial trials[MANY];
	static char replies[MANY][200];
	char *url;

	(void)state;
	memset(trials, 0, sizeof(trials));
	for (int i = 0; i < MANY; i++) {
		char address[32];
		int len;

		(void)snprintf(address, sizeof(address), "127.0.0.%d", i + 1);
		len = snprintf(replies[i], sizeof(replies[i]),
		    OK_HEAD "Content-Length: %zu\r\n\r\n%s", strlen(address),
		    address);
		assert_true(script_start(&servers[i], &loop, address,
		    i == 0 ? 0 : servers[0].port, SCRIPT_KEEP, replies[i],
		    (size_t)len));
		trials[i].then = one_less;
	}
	url = mem_printf("http://ocsp.test:%d/", servers[0].port);
	for (int round = 0; round < 2; round++) {
		still_open = MANY;
		for (int i = 0; i < MANY; i++)
			trial_start(&trials[i], url,
			    servers[MANY - 1 - i].address, 20000, 20000);
		loop_run(&loop);
		for (int i = 0; i < MANY; i++) {
			assert_int_equal(trials[i].calls, 1);
			assert_int_equal(trials[i].result.stage, FETCH_DONE);
			assert_string_equal(
			    trials[i].body, servers[MANY - 1 - i].address);
		}
	}
	for (int i = 0; i < MANY; i++) {
		/* the second round used the connection of the first */
		assert_int_equal(servers[i].requests, 2);
		assert_int_equal(servers[i].accepted, 1);
		script_stop(&servers[i]);
	}
	free(url);
}

/* A server may close a connection that it has promised to keep, at any time:
 * while it is idle, or with the next request on its way. */
static void
test_kept_connection_is_gone(void **state)
{
	static const char reply[] = OK_HEAD "Content-Length: 2\r\n\r\nok";
	static const struct {
		const char *name;
		enum script_manner manner;
		size_t requests;
	} servers[] = {
	    {"closed while idle", SCRIPT_CLOSE, 3},
	    {"closed at the second request", SCRIPT_ONCE, 5},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(servers) / sizeof(*servers); i++) {
		assert_true(script_start(&server, &loop, "127.0.0.1", 0,
		    servers[i].manner, reply, sizeof(reply) - 1));
		for (int turn = 0; turn < 3; turn++) {
			try_once(20000);
			if (trial.result.stage != FETCH_DONE ||
			    strcmp(trial.body, "ok") != 0)
				fail_msg("%s, turn %d: %s", servers[i].name,
				    turn, trial.result.err.text);
		}
		assert_int_equal(server.requests, servers[i].requests);
		assert_int_equal(server.accepted, 3);
		script_stop(&server);
	}
}

/* Handles are used again: nothing of one fetch is in the next. */
static void
test_nothing_is_left(void **state)
{
	static const char reply[] = OK_HEAD "Content-Length: 2\r\n\r\nok";
	struct fetch_request post = {.kind = FETCH_DNS,
	    .address = "127.0.0.1",
	    .ca_file = "/nonexistent",
	    .body = {(const uint8_t *)"question", 8},
	    .connect_ms = 20000,
	    .total_ms = 20000};
	char *url, *first;

	(void)state;
	assert_true(script_start(&server, &loop, "127.0.0.1", 0, SCRIPT_KEEP,
	    reply, sizeof(reply) - 1));
	try_once(20000);
	assert_int_equal(trial.result.stage, FETCH_DONE);
	first = mem_string(server.request);
	url = server_url("other.test", "/dns");
	post.url = url;
	trial.fetch = NULL;
	trial.fetch = fetch_start(pool, &post, trial_done, &trial);
	loop_run(&loop);
	assert_int_equal(trial.result.stage, FETCH_DONE);
	assert_non_null(strstr(server.request, "POST /dns"));
	assert_non_null(strstr(server.request, "\r\n\r\nquestion"));
	try_once(20000);
	assert_int_equal(trial.result.stage, FETCH_DONE);
	assert_string_equal(server.request, first);
	script_stop(&server);
	free(first);
	free(url);
}

static void
stop_loop(void *cookie)
{
	*(struct loop_timer **)cookie = NULL;
	uv_stop(&loop);
}

static void
run_for(int64_t ms)
{
	struct loop_timer *timer = NULL;

	timer = loop_timer_start(&loop, ms, stop_loop, &timer);
	loop_run(&loop);
	loop_timer_cancel(&timer);
}

static void
test_cancel_connecting(void **state)
{
	char *url;

	(void)state;
	assert_true(
	    script_start(&server, &loop, "127.0.0.1", 0, SCRIPT_FULL, "", 0));
	url = server_url("ocsp.test", "/");
	trial_start(&trial, url, server.address, 100, 20000);
	fetch_cancel(&trial.fetch); /* before the loop's first turn */
	assert_null(trial.fetch);
	fetch_cancel(&trial.fetch);
	trial_start(&trial, url, server.address, 100, 20000);
	run_for(20);
	fetch_cancel(&trial.fetch);
	trial_start(&trial, "no URL", server.address, 100, 20000);
	fetch_cancel(&trial.fetch);
	free(url);
	run_for(150);
	assert_int_equal(trial.calls, 0);
}

static void
peer_went(void *cookie)
{
	(void)cookie;
	uv_stop(&loop);
}

static void
cancel_now(void *cookie)
{
	struct trial *t = cookie;

	fetch_cancel(&t->fetch);
}

/* A cancelled exchange closes its connection: the server sees the end. */
static void
test_cancel_closes(void **state)
{
	char *url;

	(void)state;
	assert_true(
	    script_start(&server, &loop, "127.0.0.1", 0, SCRIPT_HANG, "", 0));
	server.peer_gone = peer_went;
	url = server_url("ocsp.test", "/");
	trial_start(&trial, url, server.address, 20000, 20000);
	free(url);
	(void)loop_timer_start(&loop, 50, cancel_now, &trial);
	loop_run(&loop);
	assert_int_equal(server.requests, 1);
	assert_int_equal(server.ended, 1);
	assert_int_equal(trial.calls, 0);
}

static void
cancel_both(struct trial *t)
{
	struct trial *other = t->cookie;

	fetch_cancel(&t->fetch);
	fetch_cancel(&other->fetch);
	uv_stop(&loop);
}

/* From the own callback: cancel oneself, and another that is as far. */
static void
test_cancel_in_callback(void **state)
{
	static struct trial two[2];
	char *url;

	(void)state;
	assert_true(script_start(&server, &loop, "127.0.0.1", 0, SCRIPT_CLOSE,
	    hello, sizeof(hello) - 1));
	url = server_url("ocsp.test", "/");
	for (int i = 0; i < 2; i++) {
		two[i].then = cancel_both;
		two[i].cookie = &two[1 - i];
		trial_start(&two[i], url, server.address, 20000, 20000);
	}
	loop_run(&loop);
	run_for(20);
	free(url);
	assert_int_equal(two[0].calls + two[1].calls, 1);
}

static void
free_all(struct trial *t)
{
	(void)t;
	fetch_pool_free(pool);
	pool = NULL;
	uv_stop(&loop);
}

static void
test_free_in_callback(void **state)
{
	static struct trial silent;
	char *url;

	(void)state;
	assert_true(script_start(&server, &loop, "127.0.0.1", 0, SCRIPT_CLOSE,
	    hello, sizeof(hello) - 1));
	url = server_url("ocsp.test", "/");
	trial.then = free_all;
	silent.then = free_all;
	trial_start(&trial, url, server.address, 20000, 20000);
	trial_start(&silent, url, server.address, 20000, 20000);
	loop_run(&loop);
	run_for(20);
	assert_int_equal(trial.calls + silent.calls, 1);

	/* the same where the set-up had failed */
	pool = fetch_pool_new(&loop);
	trial_start(&trial, "no URL", server.address, 20000, 20000);
	loop_run(&loop);
	assert_int_equal(trial.calls, 1);
	free(url);
}

static void
start_again(struct trial *t)
{
	char *url = server_url("ocsp.test", "/");

	t->then = NULL;
	trial_start(t, url, server.address, 20000, 20000);
	free(url);
}

static void
test_start_in_callback(void **state)
{
	char *url;

	(void)state;
	assert_true(script_start(&server, &loop, "127.0.0.1", 0, SCRIPT_CLOSE,
	    hello, sizeof(hello) - 1));
	url = server_url("ocsp.test", "/");
	trial.then = start_again;
	trial_start(&trial, url, server.address, 20000, 20000);
	loop_run(&loop);
	free(url);
	assert_int_equal(trial.calls, 1);
	assert_int_equal(server.requests, 2);
	assert_string_equal(trial.body, "hello");
}

static void
test_tls_to_plain_server(void **state)
{
	char *url;

	(void)state;
	assert_true(
	    script_start(&server, &loop, "127.0.0.1", 0, SCRIPT_HANG, "", 0));
	url = mem_printf("https://ocsp.test:%d/", server.port);
	/* The server waits for a blank line, the client for a handshake. */
	trial_start(&trial, url, server.address, 200, 300);
	loop_run(&loop);
	free(url);
	assert_int_equal(trial.result.err.reason, REASON_HTTP_TIMEOUT);
	assert_int_equal(trial.result.stage, FETCH_HTTP);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_replies, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_sizes, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_gzip, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_get_request, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_post_request, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_headers_read, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_refused, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_connect_timeout, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_hopeless, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_ipv6, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_numeric_host, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_parallel, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_kept_connection_is_gone, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_nothing_is_left, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_cancel_connecting, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_cancel_closes, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_cancel_in_callback, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_free_in_callback, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_start_in_callback, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_tls_to_plain_server, set_up, tear_down),
	};

	/* Proxies of the environment must not be used: nobody is there. */
	(void)setenv("http_proxy", "http://127.0.0.1:1", 1);
	(void)setenv("https_proxy", "http://127.0.0.1:1", 1);
	(void)setenv("all_proxy", "http://127.0.0.1:1", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
