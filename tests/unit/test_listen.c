/* SPDX-License-Identifier: ISC */
/* test_listen.c -- keep/listen: what is served where, and by whom. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/log.h"
#include "http/server.h"
#include "keep/listen.h"
#include "raw_client.h"
#include "relay_scene.h"
#include "scratch.h"

#include "own_pki.h"

static uv_loop_t loop;
static struct relay *relay;
static struct listen *listener;
static struct raw_client client; /* large */
static unsigned served;          /* as the other was told last */

static int
set_up(void **state)
{
	(void)state;
	log_set_level(LOG_ERROR);
	assert_int_equal(uv_loop_init(&loop), 0);
	atomic_store(&scene_now, PKI_NOW);
	relay = relay_new(&loop, scene_wall_s);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	listen_stop(&listener);
	relay_free(&relay);
	loop_end(&loop);
	return 0;
}

/* Answers everything but what ends in "none". */
static bool
other(void *cookie, const struct server_question *q, unsigned serves)
{
	struct server_answer answer = {
	    .status = 200, .body = {(const uint8_t *)q->path, strlen(q->path)}};

	assert_ptr_equal(cookie, &served);
	served = serves;
	if (strlen(q->path) > 4 &&
	    strcmp(q->path + strlen(q->path) - 4, "none") == 0)
		return false;
	server_reply(q->call, &answer);
	return true;
}

static int
port_of(size_t at)
{
	return (int)strtol(
	    strrchr(listen_text(listener, at), ':') + 1, NULL, 10);
}

static void
get(int port, const char *path)
{
	char *text = mem_printf("GET %s HTTP/1.1\r\nHost: a\r\n\r\n", path);

	raw_open(&client, &loop, port);
	raw_say(&client, text);
	assert_true(raw_hear(&client));
	raw_close(&client);
	free(text);
}

static void
test_words(void **state)
{
	unsigned serves = 99;

	(void)state;
	assert_true(listen_serves_parse("ocsp", &serves));
	assert_int_equal(serves, LISTEN_OCSP);
	assert_true(listen_serves_parse("status", &serves));
	assert_int_equal(serves, LISTEN_STATUS);
	assert_true(listen_serves_parse("metrics", &serves));
	assert_int_equal(serves, LISTEN_METRICS);
	assert_true(listen_serves_parse("health", &serves));
	assert_int_equal(serves, LISTEN_HEALTH);
	assert_true(listen_serves_parse("all", &serves));
	assert_int_equal(serves, LISTEN_ALL);
	assert_false(listen_serves_parse("OCSP", &serves));
	assert_false(listen_serves_parse("", &serves));
	assert_false(listen_serves_parse("statuses", &serves));
	assert_int_equal(serves, LISTEN_ALL);
}

/* Status and metrics name every certificate: they are for this machine. */
static void
test_usual(void **state)
{
	static const struct {
		const char *address;
		bool all;
	} rows[] = {
	    {"127.0.0.1:8866", true},
	    {"127.3.4.5:1", true},
	    {"[::1]:8866", true},
	    {"/run/x.sock", true},
	    {"0.0.0.0:8866", false},
	    {"[::]:8866", false},
	    {"192.0.2.1:80", false},
	    {"128.0.0.1:80", false},
	    {"[2001:db8::1]:80", false},
	    {"[::ffff:127.0.0.1]:80", false},
	    {"nonsense", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (listen_usual(rows[i].address) !=
		    (rows[i].all ? LISTEN_ALL : LISTEN_OCSP | LISTEN_HEALTH))
			fail_msg("%s", rows[i].address);
	}
}

static void
test_check(void **state)
{
	struct err err = {0};

	(void)state;
	assert_true(listen_check("127.0.0.1:8866", &err));
	assert_true(listen_check("[::]:0", &err));
	assert_true(listen_check("/run/x.sock", &err));
	assert_int_equal(err.reason, REASON_NONE);
	assert_false(listen_check("localhost:80", &err));
	assert_int_equal(err.reason, REASON_USAGE);
}

/* Each listener serves what it lists, and nothing else. */
static void
test_routes(void **state)
{
	static const struct {
		const char *path;
		unsigned what;
	} rows[] = {
	    {"/status", LISTEN_STATUS},
	    {"/api/v1/status?name=x", LISTEN_STATUS},
	    {"/api/", LISTEN_STATUS},
	    {"/metrics", LISTEN_METRICS},
	    {"/healthz", LISTEN_HEALTH},
	    {"/readyz", LISTEN_HEALTH},
	    {"/", LISTEN_OCSP},
	    {"/statusx", LISTEN_OCSP},
	    {"/api", LISTEN_OCSP},
	    {"/a", LISTEN_OCSP},
	    {"/metrics/x", LISTEN_OCSP},
	    {"/health", LISTEN_OCSP},
	    {"/ready", LISTEN_OCSP},
	    {"//status", LISTEN_OCSP},
	};
	const struct listen_spec specs[] = {
	    {.address = "127.0.0.1:0", .serves = LISTEN_OCSP, .threads = 1},
	    {.address = "127.0.0.1:0", .serves = LISTEN_STATUS, .threads = 1},
	    {.address = "127.0.0.1:0",
		.serves = LISTEN_METRICS | LISTEN_HEALTH,
		.threads = 1},
	    {.address = "127.0.0.1:0", .threads = 2}};

	(void)state;
	listener = listen_start(&loop, specs, 4, relay);
	assert_int_equal(listen_count(listener), 4);
	listen_others(listener, other, &served);
	for (size_t i = 0; i < 4; i++) {
		unsigned serves =
		    specs[i].serves == 0 ? LISTEN_ALL : specs[i].serves;

		for (size_t k = 0; k < sizeof(rows) / sizeof(*rows); k++) {
			get(port_of(i), rows[k].path);
			if ((rows[k].what & serves) == 0) {
				if (client.status != 404)
					fail_msg("%zu %s: %d", i, rows[k].path,
					    client.status);
			} else if (rows[k].what == LISTEN_OCSP) {
				assert_int_equal(client.status, 200);
				assert_int_equal(client.body_len, 5);
				assert_memory_equal(
				    client.body, "\x30\x03\x0a\x01\x01", 5);
			} else {
				assert_int_equal(client.status, 200);
				assert_memory_equal(
				    client.body, rows[k].path, client.body_len);
				assert_int_equal(served, serves);
			}
		}
	}
	get(port_of(3), "/api/none");
	assert_int_equal(client.status, 404);
}

/* Nobody has registered. */
static void
test_no_other(void **state)
{
	const struct listen_spec spec = {.address = "127.0.0.1:0"};

	(void)state;
	listener = listen_start(&loop, &spec, 1, relay);
	get(port_of(0), "/status");
	assert_int_equal(client.status, 404);
}

/* The octets of the errors, and of a response, as they are on the wire. */
static void
test_wire(void **state)
{
	const struct listen_spec spec = {
	    .address = "127.0.0.1:0", .threads = 1};
	struct snapshot_node *kept =
	    relay_keep(relay, pki.leaf.cert, pki.issuer.cert);
	struct staple *staple =
	    scene_staple(&pki, pki.leaf.cert, NID_sha1, 0, 0, 0);
	char *path = scene_path(&pki, pki.leaf.cert, false);
	char *absolute = mem_printf("http://ocsp.test:80%s", path);
	char value[256];

	(void)state;
	listener = listen_start(&loop, &spec, 1, relay);
	get(port_of(0), path);
	assert_memory_equal(client.body, "\x30\x03\x0a\x01\x03", 5);
	assert_string_equal(
	    raw_header(&client, "Cache-Control", value), "no-store");
	assert_string_equal(raw_header(&client, "Content-Type", value),
	    "application/ocsp-response");
	relay_offer(relay, kept, staple);
	get(port_of(0), path);
	assert_int_equal(client.body_len, staple_der(staple).len);
	assert_memory_equal(
	    client.body, staple_der(staple).at, client.body_len);
	assert_string_equal(raw_header(&client, "Content-Type", value),
	    "application/ocsp-response");
	/* who takes us for a proxy gets the same */
	get(port_of(0), absolute);
	assert_int_equal(client.body_len, staple_der(staple).len);
	relay_withdraw(relay, kept);
	get(port_of(0), path);
	assert_memory_equal(client.body, "\x30\x03\x0a\x01\x06", 5);
	staple_free(staple);
	free(path);
	free(absolute);
}

/* A client pays for our memory in octets; no request is as long as that. */
static void
test_long_body(void **state)
{
	const struct listen_spec spec = {
	    .address = "127.0.0.1:0", .threads = 1};

	(void)state;
	listener = listen_start(&loop, &spec, 1, relay);
	for (size_t more = 0; more < 2; more++) {
		size_t len = LISTEN_BODY_MAX + more;
		char *body = mem_new(len), head[100];

		(void)snprintf(head, sizeof(head),
		    "POST / HTTP/1.1\r\nHost: a\r\n"
		    "Content-Length: %zu\r\n\r\n",
		    len);
		raw_open(&client, &loop, port_of(0));
		raw_say(&client, head);
		raw_say_bytes(&client, body, len);
		assert_true(raw_hear(&client));
		assert_int_equal(client.status, more == 0 ? 200 : 413);
		raw_close(&client);
		free(body);
	}
}

/* I8: what cannot be had is left out, and the others are served. */
static void
test_taken(void **state)
{
	struct listen_spec specs[4] = {{.address = "127.0.0.1:0"},
	    {.address = NULL}, {.address = "nonsense"},
	    {.address = "127.0.0.1:0"}};
	struct listen *first;
	char *taken;

	(void)state;
	first = listen_start(&loop, specs, 1, relay);
	taken = mem_string(listen_text(first, 0));
	specs[1].address = taken;
	listener = listen_start(&loop, specs, 4, relay);
	assert_int_equal(listen_count(listener), 2);
	get(port_of(0), "/");
	get(port_of(1), "/");
	listen_stop(&first);
	free(taken);
}

static void
test_unix(void **state)
{
	struct scratch scratch;
	struct listen_spec spec = {.threads = 1};
	struct stat there;
	char *path;

	(void)state;
	scratch_make(&scratch);
	path = scratch_path(&scratch, "ocsp.sock");
	spec.address = path;
	listener = listen_start(&loop, &spec, 1, relay);
	assert_int_equal(listen_count(listener), 1);
	assert_string_equal(listen_text(listener, 0), path);
	assert_int_equal(stat(path, &there), 0);
	assert_int_equal(there.st_mode & 0777, 0660);
	assert_true(raw_open_unix(&client, &loop, path));
	raw_say(&client, "GET / HTTP/1.0\r\n\r\n");
	assert_true(raw_hear(&client));
	assert_int_equal(client.body_len, 5);
	raw_close(&client);
	/* nobody finds a socket at which nobody listens */
	listen_stop(&listener);
	assert_int_equal(stat(path, &there), -1);
	free(path);
	scratch_remove(&scratch);
}

static bool
is_open(int port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool open = connect(fd, (const struct sockaddr *)&address,
			sizeof(address)) == 0;

	close(fd);
	return open;
}

static void
ask_again(void)
{
	raw_say(&client, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_true(raw_hear(&client));
	assert_int_equal(client.body_len, 5);
}

/* A configuration that is read anew: who is connected where nothing changes
 * does not notice. */
static void
test_obey(void **state)
{
	const struct listen_spec before[] = {
	    {.address = "127.0.0.1:0", .threads = 1},
	    {.address = "127.0.0.1:0", .threads = 2}};
	const struct listen_spec after[] = {
	    {.address = "127.0.0.1:0", .serves = LISTEN_HEALTH, .threads = 2},
	    {.address = "127.0.0.1:0", .threads = 1}};
	int stays, goes;

	(void)state;
	listener = listen_start(&loop, before, 2, relay);
	listen_others(listener, other, &served);
	stays = port_of(0);
	goes = port_of(1);
	raw_open(&client, &loop, stays);
	ask_again();
	listen_obey(listener, after, 2);
	assert_int_equal(listen_count(listener), 2);
	assert_int_equal(port_of(0), stays);
	ask_again();
	assert_true(is_open(port_of(1)));
	assert_false(is_open(goes));
	listen_obey(listener, after, 1);
	assert_int_equal(listen_count(listener), 1);
	raw_hear_end(&client);
	raw_close(&client);
	get(port_of(0), "/");
	assert_int_equal(client.status, 404);
	get(port_of(0), "/healthz");
	assert_int_equal(client.status, 200);
	listen_obey(listener, NULL, 0);
	assert_int_equal(listen_count(listener), 0);
	listen_obey(listener, before, 2);
	get(port_of(1), "/status");
	assert_int_equal(client.status, 200);
}

/* What was taken is had when it is free. */
static void
test_obey_once_more(void **state)
{
	struct listen_spec spec = {.address = "127.0.0.1:0"};
	struct listen *first = listen_start(&loop, &spec, 1, relay);
	char *taken = mem_string(listen_text(first, 0));

	(void)state;
	spec.address = taken;
	listener = listen_start(&loop, &spec, 1, relay);
	assert_int_equal(listen_count(listener), 0);
	listen_stop(&first);
	listen_obey(listener, &spec, 1);
	assert_int_equal(listen_count(listener), 1);
	get(port_of(0), "/");
	free(taken);
}

/* I5: strangers who come in numbers leave descriptors for the fetches. */
static void
test_descriptors(void **state)
{
	static const struct {
		unsigned asked;
		uint64_t files;
		size_t count;
		unsigned most;
	} rows[] = {
	    {0, 524288, 1, SERVER_CONNECTIONS},
	    {0, 524288, LISTEN_MAX, SERVER_CONNECTIONS},
	    {0, UINT64_MAX, LISTEN_MAX, SERVER_CONNECTIONS},
	    {0, 0, 1, SERVER_CONNECTIONS},
	    {0, 4096, 1, 2048},
	    {0, 4096, 2, 1024},
	    {100, 4096, 2, 100},
	    {100000, 4096, 1, 2048},
	    {100000, 524288, 1, 100000},
	    {0, 20, 64, 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(listen_connections(rows[i].asked,
				     rows[i].files, rows[i].count),
		    rows[i].most);
}

#define T(name) cmocka_unit_test_setup_teardown(test_##name, set_up, tear_down)

static char first_line[256];

static bool
hear_first(const struct log_entry *entry)
{
	if (first_line[0] == '\0')
		(void)snprintf(
		    first_line, sizeof(first_line), "%s", entry->message);
	return true;
}

/* The same of what this process really may open; and it is said. */
static void
test_few_descriptors(void **state)
{
	const struct listen_spec spec = {
	    .address = "127.0.0.1:0", .threads = 1};
	struct rlimit usual, few;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &usual), 0);
	few = usual;
	few.rlim_cur = 200;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	log_set_level(LOG_NOTICE);
	log_set_sink(hear_first);
	listener = listen_start(&loop, &spec, 1, relay);
	log_set_sink(NULL);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &usual), 0);
	assert_int_equal(listen_count(listener), 1);
	if (strstr(first_line, "100 connections are served at once") == NULL)
		fail_msg("I5: '%s'", first_line);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(words),
	    T(usual),
	    T(check),
	    T(routes),
	    T(no_other),
	    T(wire),
	    T(long_body),
	    T(taken),
	    T(obey),
	    T(obey_once_more),
	    T(unix),
	    T(descriptors),
	    T(few_descriptors),
	};

	return cmocka_run_group_tests(tests, make_pki, free_pki);
}
