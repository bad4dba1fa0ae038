/* SPDX-License-Identifier: ISC */
/* test_server.c -- http/server against raw sockets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "http/server.h"
#include "raw_client.h"
#include "scratch.h"

enum { CALLS_MAX = 8, BODY_MAX = 1000 };

static uv_loop_t loop;
static struct server *server;
static int port;
static unsigned threads;
static struct raw_client client, second, third; /* large */
static atomic_int released;
static struct server_page *page;

/* What later() got, in its order. */
static const struct server_question *calls[CALLS_MAX];
static size_t call_count;

static void
count_release(void *owner)
{
	assert_ptr_equal(owner, &released);
	atomic_fetch_add(&released, 1);
}

/* "METHOD PATH|BODY|TYPE", as the question had it. */
static char *
echo(const struct server_question *q)
{
	static const char *const names[] = {"GET", "HEAD", "POST"};

	return mem_printf("%s %s|%.*s|%s", names[q->method], q->path,
	    (int)q->body.len, q->body.len == 0 ? "" : (const char *)q->body.at,
	    q->content_type == NULL ? "-" : q->content_type);
}

static bool
at_once(
    void *cookie, const struct server_question *q, struct server_answer *answer)
{
	static const struct server_header headers[] = {
	    {"ETag", "\"e\""}, {"Cache-Control", "public"}};

	assert_ptr_equal(cookie, &loop);
	assert_true(q->thread < threads);
	assert_null(q->call);
	if (text_starts(q->path, "/later"))
		return false;
	if (strcmp(q->path, "/page") == 0) {
		answer->page = page;
		answer->status = q->if_none_match != NULL ? 304 : 200;
		return true;
	}
	if (text_starts(q->path, "/form/")) {
		/* copied: what is here is another's by the next question */
		static char words[64];
		static const struct server_header form[] = {{"A", words}};

		(void)snprintf(words, sizeof(words), "%s", q->path + 6);
		answer->body =
		    (struct span){(const uint8_t *)words, strlen(words)};
		answer->status = 200;
		answer->headers = form;
		answer->header_count = 1;
		return true;
	}
	if (strcmp(q->path, "/owned") == 0) {
		answer->body = (struct span){(const uint8_t *)"owned", 5};
		answer->release = count_release;
		answer->owner = &released;
	} else {
		char *text = echo(q);

		answer->body.len = strlen(text);
		answer->body.at = (uint8_t *)text;
		answer->release = free;
		answer->owner = text;
	}
	answer->status = 200;
	answer->content_type = "text/plain";
	answer->headers = headers;
	answer->header_count = 2;
	return true;
}

static void
reply(size_t which)
{
	const struct server_question *q = calls[which];
	char *text = echo(q);
	struct server_answer answer = {
	    .status = 200, .body = {(const uint8_t *)text, strlen(text)}};

	calls[which] = NULL;
	server_reply(q->call, &answer);
	free(text);
}

static void
later(void *cookie, const struct server_question *q)
{
	assert_ptr_equal(cookie, &loop);
	assert_non_null(q->call);
	if (strcmp(q->path, "/later/stop") == 0) {
		server_stop(&server);
		uv_stop(&loop);
		return;
	}
	assert_true(call_count < CALLS_MAX);
	calls[call_count++] = q;
	if (strcmp(q->path, "/later/wait") == 0)
		uv_stop(&loop);
	else
		reply(call_count - 1);
}

static void
start(struct server_options options)
{
	struct err err = {0};

	options.listener = server_listen("127.0.0.1:0", 0, &port, &err);
	assert_int_not_equal(options.listener, -1);
	options.body_max = BODY_MAX;
	options.handler = (struct server_handler){at_once, later, &loop};
	threads = options.threads; /* before the first of them runs */
	assert_int_equal(server_start(&loop, &options, &server, &err), 0);
	assert_int_equal(server_threads(threads), threads);
}

static int
set_up(void **state)
{
	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	call_count = 0;
	atomic_store(&released, 0);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	server_stop(&server);
	loop_end(&loop);
	return loop_abandoned() ? -1 : 0;
}

struct row {
	const char *name;
	const char *say;
	int status;
	const char *body; /* the whole one; NULL: any */
	bool closes;      /* the server ends the connection after it */
};

#define OK_HEADERS "Host: a\r\n"

static const struct row rows[] = {
    {"GET", "GET /x HTTP/1.1\r\n" OK_HEADERS "\r\n", 200, "GET /x||-", false},
    {"path as it came", "GET //a/../%2F+b/?q=/c HTTP/1.1\r\n" OK_HEADERS "\r\n",
	200, "GET //a/../%2F+b/||-", false},
    {"absolute form",
	"GET http://ocsp.test:80//a?b HTTP/1.1\r\n" OK_HEADERS "\r\n", 200,
	"GET //a||-", false},
    {"absolute form without a path",
	"GET http://ocsp.test HTTP/1.1\r\n" OK_HEADERS "\r\n", 200, "GET /||-",
	false},
    {"POST",
	"POST / HTTP/1.1\r\n" OK_HEADERS
	"Content-Type: a/b\r\nContent-Length: 5\r\n\r\nhello",
	200, "POST /|hello|a/b", false},
    {"POST without a body",
	"POST / HTTP/1.1\r\n" OK_HEADERS "Content-Length: 0\r\n\r\n", 200,
	"POST /||-", false},
    {"a length said twice",
	"POST / HTTP/1.1\r\n" OK_HEADERS
	"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
	200, "POST /|hello|-", false},
    {"POST in chunks",
	"POST / HTTP/1.1\r\n" OK_HEADERS
	"Transfer-Encoding: chunked\r\n\r\n3;x\r\nhel\r\n2\r\nlo\r\n0\r\n"
	"Trailer: x\r\n\r\n",
	200, "POST /|hello|-", false},
    {"GET with a body",
	"GET / HTTP/1.1\r\n" OK_HEADERS "Content-Length: 2\r\n\r\nhi", 200,
	"GET /|hi|-", false},
    {"HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", 200, "GET /||-", true},
    {"HTTP/1.0 that stays", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
	200, "GET /||-", false},
    {"HTTP/1.1 that goes",
	"GET / HTTP/1.1\r\n" OK_HEADERS "Connection: close\r\n\r\n", 200,
	"GET /||-", true},
    {"blank lines first", "\r\n\r\nGET / HTTP/1.1\r\n" OK_HEADERS "\r\n", 200,
	"GET /||-", false},
    {"by the loop",
	"POST /later?a HTTP/1.1\r\n" OK_HEADERS
	"Content-Type: c/d\r\nContent-Length: 2\r\n\r\nhi",
	200, "POST /later|hi|c/d", false},
    /* what is refused */
    {"PUT", "PUT / HTTP/1.1\r\n" OK_HEADERS "Content-Length: 0\r\n\r\n", 501,
	NULL, true},
    {"a method that is none", "get / HTTP/1.1\r\n" OK_HEADERS "\r\n", 501, NULL,
	true},
    {"no version", "GET /\r\n\r\n", 400, NULL, true},
    {"HTTP/2.0", "GET / HTTP/2.0\r\n\r\n", 505, NULL, true},
    {"HTTP/0.9", "GET / HTTP/0.9\r\n\r\n", 505, NULL, true},
    {"another protocol", "GET / RTSP/1.0\r\n\r\n", 400, NULL, true},
    {"a header without a colon", "GET / HTTP/1.1\r\nHost\r\n\r\n", 400, NULL,
	true},
    {"no Host", "GET / HTTP/1.1\r\n\r\n", 400, NULL, true},
    {"two Hosts", "GET / HTTP/1.1\r\n" OK_HEADERS "host: a\r\n\r\n", 400, NULL,
	true},
    {"a length that is none",
	"POST / HTTP/1.1\r\n" OK_HEADERS "Content-Length: 1x\r\n\r\n", 400,
	NULL, true},
    {"a negative length",
	"POST / HTTP/1.1\r\n" OK_HEADERS "Content-Length: -1\r\n\r\n", 400,
	NULL, true},
    {"an absurd length",
	"POST / HTTP/1.1\r\n" OK_HEADERS
	"Content-Length: 99999999999999999999\r\n\r\n",
	413, NULL, true},
    {"a chunk that is none",
	"POST / HTTP/1.1\r\n" OK_HEADERS
	"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
	400, NULL, true},
    {"a coding without an end",
	"POST / HTTP/1.1\r\n" OK_HEADERS "Transfer-Encoding: gzip\r\n\r\n", 400,
	NULL, true},
    {"a coding and a length",
	"POST / HTTP/1.1\r\n" OK_HEADERS
	"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
	400, NULL, true},
    {"a coding and a length of a GET",
	"GET / HTTP/1.1\r\n" OK_HEADERS
	"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	400, NULL, true},
    {"a coding of a GET without an end",
	"GET / HTTP/1.1\r\n" OK_HEADERS "Transfer-Encoding: gzip\r\n\r\n", 400,
	NULL, true},
    {"a coding behind chunks",
	"POST / HTTP/1.1\r\n" OK_HEADERS "Transfer-Encoding: chunked\r\n"
	"Transfer-Encoding: identity\r\n\r\n0\r\n\r\n",
	400, NULL, true},
    {"a coding in HTTP/1.0",
	"POST / HTTP/1.0\r\nConnection: keep-alive\r\n"
	"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	400, NULL, true},
    {"two lengths",
	"POST / HTTP/1.1\r\n" OK_HEADERS
	"Content-Length: 2\r\nContent-Length: 5\r\n\r\nhello",
	400, NULL, true},
    {"a blank before the colon of a length",
	"POST / HTTP/1.1\r\n" OK_HEADERS "Content-Length : 5\r\n\r\nhello", 400,
	NULL, true},
    {"a tab before the colon of a coding",
	"POST / HTTP/1.1\r\n" OK_HEADERS
	"Transfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n",
	400, NULL, true},
    {"a blank before the first header",
	"POST / HTTP/1.1\r\n Content-Length: 5\r\n" OK_HEADERS "\r\nhello", 400,
	NULL, true},
    {"two lengths of a GET",
	"GET / HTTP/1.1\r\n" OK_HEADERS
	"Content-Length: 0\r\nX: y\r\ncontent-length: 5\r\n\r\nhello",
	400, NULL, true},
};

/* Say it in pieces of STEP octets, and hear the answer. */
static void
try_row(const struct row *row, size_t step)
{
	size_t len = strlen(row->say);
	int one = 1;

	raw_open(&client, &loop, port);
	(void)setsockopt(
	    client.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	for (size_t at = 0; at < len; at += step)
		raw_say_bytes(
		    &client, row->say + at, step < len - at ? step : len - at);
	if (!raw_hear(&client) || client.status != row->status ||
	    (row->body != NULL && strcmp(client.body, row->body) != 0))
		fail_msg("%s by %zu: %d '%s'", row->name, step, client.status,
		    client.body);
	if (row->closes) {
		raw_hear_end(&client);
	} else {
		/* it is fit for another request */
		raw_say(&client, "GET /again HTTP/1.1\r\nHost: a\r\n\r\n");
		if (!raw_hear(&client) ||
		    strcmp(client.body, "GET /again||-") != 0)
			fail_msg("%s: nothing more comes", row->name);
	}
	raw_close(&client);
}

static void
test_rows(void **state)
{
	(void)state;
	start((struct server_options){.threads = 2});
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		call_count = 0;
		try_row(&rows[i], SIZE_MAX);
		try_row(&rows[i], 7);
		try_row(&rows[i], 1);
	}
}

static void
test_head_and_headers(void **state)
{
	char value[256];

	(void)state;
	start((struct server_options){.threads = 1});
	raw_open(&client, &loop, port);
	client.head_alone = true;
	raw_say(&client, "HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n"
			 "GET /y HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_true(raw_hear(&client));
	assert_int_equal(client.status, 200);
	assert_string_equal(raw_header(&client, "Content-Length", value), "10");
	assert_string_equal(raw_header(&client, "ETag", value), "\"e\"");
	assert_string_equal(
	    raw_header(&client, "Content-Type", value), "text/plain");
	assert_string_not_equal(raw_header(&client, "Date", value), "");
	assert_true(raw_hear(&client)); /* no octet of a body came between */
	assert_string_equal(client.body, "GET /y||-");
	raw_close(&client);
}

/* Requests that come at once are answered in their order, those that the loop
 * answers too. */
static void
test_pipelined(void **state)
{
	static const char *const bodies[] = {
	    "GET /1||-", "POST /later|ab|-", "GET /later/2||-", "GET /3||-"};

	(void)state;
	start((struct server_options){.threads = 1});
	raw_open(&client, &loop, port);
	raw_say(&client, "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"
			 "POST /later HTTP/1.1\r\nHost: a\r\n"
			 "Content-Length: 2\r\n\r\nab"
			 "GET /later/2 HTTP/1.1\r\nHost: a\r\n\r\n"
			 "GET /3 HTTP/1.1\r\nHost: a\r\n\r\n");
	for (size_t i = 0; i < 4; i++) {
		assert_true(raw_hear(&client));
		assert_string_equal(client.body, bodies[i]);
	}
	raw_close(&client);
}

static void
test_continue(void **state)
{
	(void)state;
	start((struct server_options){.threads = 1});
	raw_open(&client, &loop, port);
	raw_say(&client, "POST / HTTP/1.1\r\nHost: a\r\n"
			 "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n");
	assert_true(raw_hear(&client));
	assert_int_equal(client.status, 100);
	raw_say(&client, "ok");
	assert_true(raw_hear(&client));
	assert_string_equal(client.body, "POST /|ok|-");
	raw_close(&client);
}

/* LEN octets of body, by length or in chunks. */
static void
say_body(size_t len, bool chunked)
{
	char *text = mem_printf("POST / HTTP/1.1\r\nHost: a\r\n%s%zu\r\n\r\n",
	    chunked ? "Transfer-Encoding: chunked\r\nX: " : "Content-Length: ",
	    len);
	char piece[512];

	memset(piece, 'b', sizeof(piece));
	raw_say(&client, text);
	free(text);
	while (len > 0) {
		size_t part = len < sizeof(piece) ? len : sizeof(piece);

		text = mem_printf("%zx\r\n", part);
		if (chunked)
			raw_say(&client, text);
		raw_say_bytes(&client, piece, part);
		if (chunked)
			raw_say(&client, "\r\n");
		free(text);
		len -= part;
	}
	if (chunked)
		raw_say(&client, "0\r\n\r\n");
}

static void
test_large_body(void **state)
{
	static const struct {
		size_t len;
		bool chunked;
		int status; /* 0: the connection ends without one */
	} bodies[] = {
	    {BODY_MAX, false, 200},
	    {BODY_MAX, true, 200},
	    {BODY_MAX + 1, false, 413},
	    {BODY_MAX + 1, true, 413},
	    {9 * BODY_MAX, false, 413},
	    {9 * BODY_MAX, true, 413},
	    {1000 * BODY_MAX, true, 0},
	    {1000 * BODY_MAX, false, 0},
	};

	(void)state;
	start((struct server_options){.threads = 1});
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		raw_open(&client, &loop, port);
		say_body(bodies[i].len, bodies[i].chunked);
		if (bodies[i].status == 0)
			assert_false(raw_hear(&client));
		else
			assert_true(raw_hear(&client));
		assert_int_equal(client.status, bodies[i].status);
		if (bodies[i].status == 200)
			assert_int_equal(client.body_len, BODY_MAX + 9);
		raw_close(&client);
	}
}

/* COUNT times PIECE between BEFORE and AFTER. */
static void
try_head(const char *before, const char *piece, size_t count, const char *after,
    int status)
{
	struct buf buf;

	buf_init(&buf, 1 << 20);
	buf_puts(&buf, before);
	for (size_t i = 0; i < count; i++)
		buf_puts(&buf, piece);
	buf_puts(&buf, after);
	raw_open(&client, &loop, port);
	raw_say_bytes(&client, buf.text, buf.len);
	if (raw_hear(&client))
		assert_int_equal(client.status, status);
	else /* it was closed with some of our octets unread: a reset */
		assert_int_not_equal(status, 200);
	raw_close(&client);
	buf_done(&buf);
}

static void
test_large_head(void **state)
{
	(void)state;
	start((struct server_options){.threads = 1});
	/* whatever fits must be answered */
	try_head("GET /", "12345678", (SERVER_HEAD_MAX - 64) / 8,
	    " HTTP/1.1\r\nHost: a\r\n\r\n", 200);
	try_head("GET / HTTP/1.1\r\nHost: a\r\nA: ", "12345678",
	    (SERVER_HEAD_MAX - 64) / 8, "\r\n\r\n", 200);
	try_head("GET / HTTP/1.1\r\nHost: a\r\nA: ", "12345678",
	    (SERVER_HEAD_MAX + 64) / 8, "\r\n\r\n", 431);
	try_head("GET /", "12345678", (SERVER_HEAD_MAX + 64) / 8,
	    " HTTP/1.1\r\nHost: a\r\n\r\n", 431);
	try_head("GET /", "12345678", 8192, "", 414);
	try_head("GET / HTTP/1.1\r\nHost: a\r\n", "A: b\r\n", 8192, "", 431);
	try_head("GET / HTTP/1.1\r\nHost: a\r\nA: ", "12345678", 8192, "", 431);
}

static void
test_query(void **state)
{
	const struct server_call *call;

	(void)state;
	start((struct server_options){.threads = 1});
	raw_open(&client, &loop, port);
	raw_say(&client, "GET /later/wait?a=b%20c+d&e&%66=%2B%00%zz%&g=1&g=2&=x"
			 " HTTP/1.1\r\nHost: a\r\n\r\n");
	loop_run(&loop);
	call = calls[0]->call;
	assert_string_equal(server_query(call, "a"), "b c d");
	assert_string_equal(server_query(call, "e"), "");
	assert_string_equal(server_query(call, "f"), "+%00%zz%");
	assert_string_equal(server_query(call, "g"), "1");
	assert_null(server_query(call, "h"));
	reply(0);
	assert_true(raw_hear(&client));
	raw_close(&client);
}

static void
test_many_queries(void **state)
{
	(void)state;
	start((struct server_options){.threads = 1});
	raw_open(&client, &loop, port);
	raw_say(&client, "GET /later/wait?1&2&3&4&5&6&7&8&9&10&11&12&13&14&15"
			 "&16&17&18 HTTP/1.1\r\nHost: a\r\n\r\n");
	loop_run(&loop);
	assert_non_null(server_query(calls[0]->call, "16"));
	assert_null(server_query(calls[0]->call, "17"));
	reply(0);
	raw_close(&client);
}

static void
test_replies_out_of_order(void **state)
{
	(void)state;
	start((struct server_options){.threads = 2});
	raw_open(&client, &loop, port);
	raw_open(&second, &loop, port);
	raw_say(&client, "POST /later/wait HTTP/1.1\r\nHost: a\r\n"
			 "Content-Length: 1\r\n\r\n1");
	loop_run(&loop);
	raw_say(&second, "POST /later/wait HTTP/1.1\r\nHost: a\r\n"
			 "Content-Length: 1\r\n\r\n2");
	loop_run(&loop);
	assert_int_equal(call_count, 2);
	reply(1);
	assert_true(raw_hear(&second));
	assert_string_equal(second.body, "POST /later/wait|2|-");
	reply(0);
	assert_true(raw_hear(&client));
	assert_string_equal(client.body, "POST /later/wait|1|-");
	raw_close(&client);
	raw_close(&second);
}

/* An answer nobody waits for any more costs nothing but itself. */
static void
test_client_gone(void **state)
{
	(void)state;
	start((struct server_options){.threads = 1});
	raw_open(&client, &loop, port);
	raw_say(&client, "GET /later/wait HTTP/1.1\r\nHost: a\r\n\r\n");
	loop_run(&loop);
	raw_close(&client);
	reply(0);
	raw_open(&client, &loop, port);
	raw_say(&client, "GET /owned HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_true(raw_hear(&client));
	raw_close(&client);
}

static void
test_stop_with_calls(void **state)
{
	(void)state;
	start((struct server_options){.threads = 2});
	raw_open(&client, &loop, port);
	raw_open(&second, &loop, port);
	raw_say(&client, "GET /later/wait HTTP/1.1\r\nHost: a\r\n\r\n");
	loop_run(&loop);
	/* this one may be anywhere between the two threads */
	raw_say(&second, "GET /later/wait HTTP/1.1\r\nHost: a\r\n\r\n");
	server_stop(&server);
	assert_null(server);
	raw_hear_end(&client);
	raw_hear_end(&second);
	assert_true(call_count <= 2);
	raw_close(&client);
	raw_close(&second);
}

static void
test_stop_from_within(void **state)
{
	(void)state;
	start((struct server_options){.threads = 1});
	raw_open(&client, &loop, port);
	raw_open(&second, &loop, port);
	raw_say(&client, "GET /later/stop HTTP/1.1\r\nHost: a\r\n\r\n");
	raw_say(&second, "GET /later/stop HTTP/1.1\r\nHost: a\r\n\r\n");
	loop_run(&loop);
	assert_null(server);
	raw_close(&client);
	raw_close(&second);
}

/* I5: a call that nobody answers gets 503; the late answer is thrown away. */
static void
test_unanswered(void **state)
{
	(void)state;
	start((struct server_options){.threads = 1, .answer_s = 1});
	raw_open(&client, &loop, port);
	raw_say(&client, "GET /later/wait HTTP/1.1\r\nHost: a\r\n\r\n");
	loop_run(&loop);
	assert_true(raw_hear(&client));
	assert_int_equal(client.status, 503);
	assert_string_equal(calls[0]->path, "/later/wait"); /* alive still */
	reply(0);
	raw_say(&client, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_true(raw_hear(&client));
	assert_string_equal(client.body, "GET /x||-");
	raw_close(&client);
}

static void
test_release_once(void **state)
{
	(void)state;
	start((struct server_options){.threads = 1});
	raw_open(&client, &loop, port);
	for (int i = 1; i <= 3; i++) {
		raw_say(&client, "GET /owned HTTP/1.1\r\nHost: a\r\n\r\n");
		assert_true(raw_hear(&client));
		assert_string_equal(client.body, "owned");
	}
	raw_close(&client);
	server_stop(&server);
	assert_int_equal(atomic_load(&released), 3);
}

static void
test_page(void **state)
{
	struct server_answer answer = {.status = 200,
	    .content_type = "a/b",
	    .body = {(const uint8_t *)"page", 4},
	    .release = count_release,
	    .owner = &released};
	char value[256];

	(void)state;
	page = server_page_new(&answer);
	start((struct server_options){.threads = 2});
	raw_open(&client, &loop, port);
	raw_say(&client, "GET /page HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_true(raw_hear(&client));
	assert_string_equal(client.body, "page");
	raw_say(&client, "GET /page HTTP/1.1\r\nHost: a\r\n"
			 "If-None-Match: \"e\"\r\n\r\n");
	assert_true(raw_hear(&client));
	assert_int_equal(client.status, 304);
	assert_string_equal(raw_header(&client, "Content-Type", value), "a/b");
	/* RFC 9110, section 8.6: of what a 200 would have */
	assert_string_equal(raw_header(&client, "Content-Length", value), "4");
	raw_say(&client, "GET /page HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_true(raw_hear(&client));
	assert_string_equal(client.body, "page");
	assert_int_equal(atomic_load(&released), 0);
	raw_close(&client);
	server_stop(&server);
	server_page_free(&page);
	assert_null(page);
	assert_int_equal(atomic_load(&released), 1);
}

static void
hear_form(const char *words)
{
	bool head_alone = client.head_alone;
	char value[256];

	assert_true(raw_hear(&client));
	assert_string_equal(client.body, head_alone ? "" : words);
	assert_string_equal(raw_header(&client, "A", value), words);
}

/* Answers of the same shape, one written over the other. */
static void
test_forms(void **state)
{
	static const char *const words[] = {
	    "one", "two", "three", "two", "one", "eight"};

	(void)state;
	start((struct server_options){.threads = 1});
	raw_open(&client, &loop, port);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		char *say = mem_printf(
		    "GET /form/%s HTTP/1.1\r\nHost: a\r\n\r\n", words[i]);

		raw_say(&client, say);
		hear_form(words[i]);
		free(say);
	}
	raw_say(&client, "GET /form/one HTTP/1.1\r\nHost: a\r\n\r\n"
			 "HEAD /form/two HTTP/1.1\r\nHost: a\r\n\r\n"
			 "GET /form/six HTTP/1.0\r\n\r\n");
	hear_form("one");
	client.head_alone = true;
	hear_form("two");
	hear_form("six");
	raw_close(&client);
}

/* A client that says a byte now and then is silent for no moment, and is shown
 * the door all the same: of the head, of a body, and between two requests. */
static void
try_dripping(const char *first, const char *drip)
{
	raw_open(&client, &loop, port);
	raw_say(&client, first);
	client.watch = loop_watch_start(
	    &loop, client.fd, UV_READABLE, raw_readable, &client);
	while (!client.ended) {
		raw_say(&client, drip);
		(void)uv_run(&loop, UV_RUN_ONCE);
	}
	loop_watch_cancel(&client.watch);
	raw_close(&client);
}

/* Something for uv_run() to come back for. */
static void
tick(void *cookie)
{
	struct loop_timer **timer = cookie;

	*timer = loop_timer_start(&loop, 50, tick, timer);
}

static void
test_dripping(void **state)
{
	struct loop_timer *timer = NULL;

	(void)state;
	start((struct server_options){.threads = 1, .request_s = 1});
	tick(&timer);
	try_dripping("GET ", "x");
	try_dripping("GET / HTTP/1.1\r\nA: ", "x");
	try_dripping("POST / HTTP/1.1\r\nContent-Length: 999\r\n\r\n", "x");
	try_dripping("", "\r\n");
	loop_timer_cancel(&timer);
}

static void
test_idle(void **state)
{
	(void)state;
	start((struct server_options){.threads = 1, .idle_s = 1});
	raw_open(&client, &loop, port);
	raw_hear_end(&client);
	raw_close(&client);
	raw_open(&client, &loop, port);
	raw_say(&client, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_true(raw_hear(&client));
	raw_hear_end(&client);
	raw_close(&client);
}

static void
test_connections_limit(void **state)
{
	(void)state;
	start((struct server_options){.threads = 1, .connections = 2});
	raw_open(&client, &loop, port);
	raw_open(&second, &loop, port);
	raw_say(&client, "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_true(raw_hear(&client));
	raw_say(&second, "GET /2 HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_true(raw_hear(&second));
	raw_open(&third, &loop, port); /* the kernel takes it, we do not */
	raw_say(&third, "GET /3 HTTP/1.1\r\nHost: a\r\n\r\n");
	raw_say(&client, "GET /4 HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_true(raw_hear(&client));
	assert_int_equal(recv(third.fd, third.in, 1, MSG_DONTWAIT), -1);
	raw_close(&client); /* there is room again */
	assert_true(raw_hear(&third));
	assert_string_equal(third.body, "GET /3||-");
	raw_close(&second);
	raw_close(&third);
}

static void
test_address_limit(void **state)
{
	(void)state;
	start((struct server_options){.threads = 1, .per_address = 1});
	raw_open(&client, &loop, port);
	raw_say(&client, "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_true(raw_hear(&client));
	raw_open(&second, &loop, port);
	raw_hear_end(&second);
	raw_say(&client, "GET /2 HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_true(raw_hear(&client));
	raw_close(&client);
	raw_close(&second);
}

/* Many at once, on several threads: for the thread sanitizer above all. */
static void
test_many(void **state)
{
	static struct raw_client many[24]; /* large */

	(void)state;
	start((struct server_options){.threads = 4});
	for (size_t i = 0; i < 24; i++)
		raw_open(&many[i], &loop, port);
	for (size_t round = 0; round < 4; round++) {
		call_count = 0;
		for (size_t i = 0; i < 24; i++)
			raw_say(&many[i],
			    i % 8 == round
				? "GET /later HTTP/1.1\r\nHost: a\r\n\r\n"
				: "GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
		for (size_t i = 0; i < 24; i++) {
			assert_true(raw_hear(&many[i]));
			assert_int_equal(many[i].status, 200);
		}
	}
	for (size_t i = 0; i < 24; i++)
		raw_close(&many[i]);
}

static void
test_no_handler(void **state)
{
	struct server_options options = {.threads = 1};
	struct err err = {0};

	(void)state;
	options.listener = server_listen("127.0.0.1:0", 0, &port, &err);
	assert_int_equal(server_start(&loop, &options, &server, &err), 0);
	raw_open(&client, &loop, port);
	raw_say(&client, "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_true(raw_hear(&client));
	assert_int_equal(client.status, 404);
	raw_close(&client);
}

static void
test_listen_texts(void **state)
{
	static const char *const bad[] = {"", "x", "127.0.0.1",
	    "127.0.0.1:", ":80", "localhost:80", "127.0.0.1:65536",
	    "127.0.0.1:-1", "127.0.0.1:8x", "[::1]", "::1", "[127.0.0.1:80"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err err = {0};

		if (server_listen(bad[i], 0, NULL, &err) != -1)
			fail_msg("'%s' was accepted", bad[i]);
		assert_int_equal(err.reason, REASON_USAGE);
	}
}

/* A folder may be named from here: `--state-dir state`. */
static void
test_listen_at_relative_path(void **state)
{
	static const char *const paths[] = {"state/control.sock", "./here"};
	struct scratch scratch;
	int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	scratch_make(&scratch);
	assert_int_equal(chdir(scratch.dir), 0);
	assert_int_equal(mkdir("state", 0700), 0);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct err err = {0};
		int fd = server_listen(paths[i], 0600, NULL, &err);

		if (fd == -1)
			fail_msg("%s: %s", paths[i], err.text);
		close(fd);
	}
	assert_int_equal(fchdir(here), 0);
	close(here);
	scratch_remove(&scratch);
}

static void
test_listen_twice(void **state)
{
	struct err err = {0};
	int other, fd = server_listen("127.0.0.1:0", 0, &port, &err);
	char *text = mem_printf("127.0.0.1:%d", port);

	(void)state;
	assert_true(fd >= 0 && port > 0);
	assert_int_equal(server_listen(text, 0, &other, &err), -1);
	assert_int_equal(err.reason, REASON_FILE);
	assert_non_null(strstr(err.text, text));
	free(text);
	close(fd);
}

static void
test_unix(void **state)
{
	struct server_options options = {.threads = 2};
	struct scratch scratch;
	struct stat there;
	struct err err = {0};
	char *path, *file, *far;
	int fd;

	(void)state;
	scratch_make(&scratch);
	path = scratch_path(&scratch, "control.sock");
	fd = server_listen(path, 0660, NULL, &err);
	assert_true(fd >= 0);
	assert_int_equal(stat(path, &there), 0);
	assert_int_equal(there.st_mode & 0777, 0660);
	/* somebody listens there */
	assert_int_equal(server_listen(path, 0600, NULL, &err), -1);
	assert_int_equal(err.reason, REASON_FILE);
	close(fd); /* and now nobody does */
	options.listener = server_listen(path, 0600, NULL, &err);
	assert_true(options.listener >= 0);
	assert_int_equal(stat(path, &there), 0);
	assert_int_equal(there.st_mode & 0777, 0600);
	options.handler = (struct server_handler){at_once, later, &loop};
	threads = options.threads;
	assert_int_equal(server_start(&loop, &options, &server, &err), 0);
	assert_true(raw_open_unix(&client, &loop, path));
	raw_say(&client, "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"
			 "GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_true(raw_hear(&client));
	assert_string_equal(client.body, "GET /1||-");
	assert_true(raw_hear(&client));
	raw_close(&client);
	/* what is no socket stays */
	file = scratch_path(&scratch, "file");
	scratch_write_bytes(file, "x", 1);
	assert_int_equal(server_listen(file, 0600, NULL, &err), -1);
	assert_int_equal(stat(file, &there), 0);
	far = mem_printf("%s/%0100d", scratch.dir, 1);
	assert_int_equal(server_listen(far, 0600, NULL, &err), -1);
	free(path);
	free(file);
	free(far);
	scratch_remove(&scratch);
}

#define T(name) cmocka_unit_test_setup_teardown(test_##name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(rows),
	    T(head_and_headers),
	    T(pipelined),
	    T(continue),
	    T(large_body),
	    T(large_head),
	    T(query),
	    T(many_queries),
	    T(replies_out_of_order),
	    T(client_gone),
	    T(stop_with_calls),
	    T(stop_from_within),
	    T(unanswered),
	    T(release_once),
	    T(page),
	    T(forms),
	    T(dripping),
	    T(idle),
	    T(connections_limit),
	    T(address_limit),
	    T(many),
	    T(no_handler),
	    T(listen_texts),
	    T(listen_at_relative_path),
	    T(listen_twice),
	    T(unix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
