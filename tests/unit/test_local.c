/* SPDX-License-Identifier: ISC */
/* test_local.c -- http/local: nobody, somebody, and who is no HTTP server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/loop.h"
#include "http/local.h"
#include "http/server.h"
#include "scratch.h"

static struct scratch scratch;
static uv_loop_t loop;
static struct server *server;
static char *socket_path;

/* Says what it was asked. */
static bool
echo(void *cookie, const struct server_question *question,
    struct server_answer *answer)
{
	(void)cookie;
	answer->status = question->method == SERVER_POST ? 201 : 200;
	answer->content_type = "text/plain";
	answer->body = (struct span){
	    (const uint8_t *)question->path, strlen(question->path)};
	return true;
}

static void
say_query(void *cookie, const struct server_question *question)
{
	(void)cookie;
	(void)question;
}

static int
begin(void **state)
{
	(void)state;
	scratch_make(&scratch);
	(void)uv_loop_init(&loop);
	socket_path = scratch_path(&scratch, "socket");
	return 0;
}

static int
end(void **state)
{
	(void)state;
	server_stop(&server);
	loop_end(&loop);
	free(socket_path);
	scratch_remove(&scratch);
	return 0;
}

static void
serve(const char *path)
{
	struct server_options options = {
	    .threads = 1, .handler = {.at_once = echo, .later = say_query}};
	char address[LOCAL_PATH];
	struct err err = {0};
	int folder;

	assert_true(local_address(path, address, &folder));
	options.listener = server_listen(address, 0600, NULL, &err);
	if (options.listener == -1)
		fail_msg("%s", err.text);
	if (folder != -1)
		close(folder);
	assert_int_equal(0, server_start(&loop, &options, &server, &err));
}

static int
ask(const char *path, const char *method, const char *target,
    struct local_answer *answer, struct err *err)
{
	*answer = (struct local_answer){0};
	return local_ask(path, method, target, NULL, 10000, answer, err);
}

static void
test_an_answer(void **state)
{
	struct local_answer answer;
	struct err err = {0};

	(void)state;
	serve(socket_path);
	assert_int_equal(0, ask(socket_path, "GET", "/a/b", &answer, &err));
	assert_int_equal(200, answer.status);
	assert_string_equal("/a/b", answer.body);
	assert_int_equal(4, answer.len);
	free(answer.body);
	assert_int_equal(0, ask(socket_path, "POST", "/c", &answer, &err));
	assert_int_equal(201, answer.status);
	free(answer.body);
	/* a proxy of the environment is none of its business */
	(void)setenv("http_proxy", "http://127.0.0.1:1/", 1);
	assert_int_equal(0, ask(socket_path, "GET", "/p", &answer, &err));
	(void)unsetenv("http_proxy");
	free(answer.body);
}

/* Folders whose names are longer than what a socket's address has room for. */
static void
test_a_long_path(void **state)
{
	char *deep = mem_printf("%s/%0100d/%0100d", scratch.dir, 1, 2);
	char *path = mem_printf("%s/socket", deep);
	char *first = mem_printf("%s/%0100d", scratch.dir, 1);
	struct local_answer answer;
	struct err err = {0};
	struct stat st;

	(void)state;
	assert_int_equal(1, ask(path, "GET", "/x", &answer, &err));
	assert_int_equal(0, mkdir(first, 0700));
	assert_int_equal(0, mkdir(deep, 0700));
	assert_int_equal(1, ask(path, "GET", "/x", &answer, &err));
	serve(path);
	assert_int_equal(0, stat(path, &st));
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(0, ask(path, "GET", "/x", &answer, &err));
	assert_string_equal("/x", answer.body);
	free(answer.body);
	free(first);
	free(path);
	free(deep);
}

static void
test_nobody(void **state)
{
	struct local_answer answer;
	struct err err = {0};
	char *below = mem_printf("%s/socket", socket_path);

	(void)state;
	assert_int_equal(1, ask(socket_path, "GET", "/", &answer, &err));
	assert_int_equal(1, ask(below, "GET", "/", &answer, &err));
	/* one that was killed has left its file */
	serve(socket_path);
	server_stop(&server);
	assert_int_equal(0, access(socket_path, F_OK));
	assert_int_equal(1, ask(socket_path, "GET", "/", &answer, &err));
	assert_int_equal(1, ask(below, "GET", "/", &answer, &err));
	assert_int_equal(REASON_NONE, err.reason);
	assert_null(answer.body);
	free(below);
}

static int
listen_bare(void)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(name.sun_path, sizeof(name.sun_path), "%s", socket_path);
	assert_int_equal(
	    0, bind(fd, (const struct sockaddr *)&name, sizeof(name)));
	assert_int_equal(0, listen(fd, 8));
	return fd;
}

/* One who listens and says nothing: its time has an end (I5). */
static void
test_silence(void **state)
{
	struct local_answer answer = {0};
	struct err err = {0};
	int fd = listen_bare();

	(void)state;
	assert_int_equal(
	    -1, local_ask(socket_path, "GET", "/", NULL, 50, &answer, &err));
	assert_int_equal(REASON_FILE, err.reason);
	assert_null(answer.body);
	close(fd);
}

/* A file that is no socket is nobody; a folder is neither. */
static void
test_no_socket(void **state)
{
	struct local_answer answer;
	struct err err = {0};

	(void)state;
	scratch_write(socket_path, "x");
	assert_int_equal(1, ask(socket_path, "GET", "/", &answer, &err));
	assert_int_equal(1, ask(scratch.dir, "GET", "/", &answer, &err));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_an_answer, begin, end),
	    cmocka_unit_test_setup_teardown(test_a_long_path, begin, end),
	    cmocka_unit_test_setup_teardown(test_nobody, begin, end),
	    cmocka_unit_test_setup_teardown(test_silence, begin, end),
	    cmocka_unit_test_setup_teardown(test_no_socket, begin, end),
	};

	return cmocka_run_group_tests_name("http/local", tests, NULL, NULL);
}
