/* SPDX-License-Identifier: ISC */
/* test_proc.c -- base/proc: one result or none, and no process left behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/proc.h"

enum { LONG_MS = 20000, SHORT_MS = 100 };

struct scene {
	uv_loop_t loop;
	struct proc *proc;
	struct loop_timer *timer;
	int calls;
	int exit_status;
	bool out_cut, cancel_in_callback;
	size_t out_len;
	char out[256], errors[65536 + 256];
};

static void
ended(void *cookie, const struct proc_result *result)
{
	struct scene *scene = cookie;

	scene->calls++;
	scene->exit_status = result->exit_status;
	scene->out_len = result->out_len;
	scene->out_cut = result->out_cut;
	(void)snprintf(scene->out, sizeof(scene->out), "%s", result->out);
	(void)snprintf(
	    scene->errors, sizeof(scene->errors), "%s", result->errors);
	if (scene->cancel_in_callback)
		proc_cancel(&scene->proc);
	scene->proc = NULL;
}

static void
begin(struct scene *scene, const char *script, int64_t deadline_ms)
{
	const char *const args[] = {"-c", script, NULL};
	char **argv = proc_argv("/bin/sh", args);

	memset(scene, 0, sizeof(*scene));
	assert_int_equal(0, uv_loop_init(&scene->loop));
	scene->proc = proc_start(&scene->loop, argv, deadline_ms, ended, scene);
	assert_int_equal(0, scene->calls); /* never from within start */
	proc_argv_free(argv);
}

/* Run to the end; nothing may be left, also no zombie. */
static void
end(struct scene *scene)
{
	loop_run(&scene->loop);
	loop_end(&scene->loop);
	errno = 0;
	assert_int_equal(-1, waitpid(-1, NULL, WNOHANG));
	assert_int_equal(ECHILD, errno);
}

static void
test_results(void **state)
{
	static const struct {
		const char *name, *script;
		int status;
		const char *out, *errors;
	} rows[] = {
	    {"success", "exit 0", 0, "", ""},
	    {"failure", "exit 3", 3, "", ""},
	    {"largest status", "exit 255", 255, "", ""},
	    {"output", "echo one; echo two >&2; exit 1", 1, "one\n", "two\n"},
	    {"killed by a signal", "echo x; kill -9 $$", -1, "x\n",
		"killed by signal 9"},
	    {"killed with words", "echo bad >&2; kill -15 $$", -1, "",
		"bad\nkilled by signal 15"},
	    {"standard input is empty", "cat; echo end", 0, "end\n", ""},
	    {"pipes closed early", "exec >&- 2>&-; sleep 0.05; exit 4", 4, "",
		""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		static struct scene scene;

		begin(&scene, rows[i].script, LONG_MS);
		end(&scene);
		if (scene.calls != 1 || scene.exit_status != rows[i].status ||
		    strcmp(scene.out, rows[i].out) != 0 ||
		    strcmp(scene.errors, rows[i].errors) != 0)
			fail_msg("%s: %d calls, status %d, '%s', '%s'",
			    rows[i].name, scene.calls, scene.exit_status,
			    scene.out, scene.errors);
	}
}

static void
test_output_is_capped(void **state)
{
	static struct scene scene;

	(void)state;
	begin(&scene,
	    "head -c 17000000 /dev/zero; head -c 70000 /dev/zero | "
	    "tr '\\0' x >&2; exit 5",
	    LONG_MS);
	end(&scene);
	assert_int_equal(1, scene.calls);
	assert_int_equal(5, scene.exit_status); /* it could write it all */
	assert_int_equal(PROC_OUTPUT_MAX, scene.out_len);
	assert_true(scene.out_cut);
	assert_int_equal(65536, strlen(scene.errors));
	begin(&scene, "echo short", LONG_MS);
	end(&scene);
	assert_false(scene.out_cut);
}

static void
test_missing_program(void **state)
{
	static const char *const commands[] = {
	    "/no/such/program", "no-such-program-in-path", "/", "/etc/passwd"};

	(void)state;
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		static struct scene scene;
		char **argv = proc_argv(commands[i], NULL);

		memset(&scene, 0, sizeof(scene));
		assert_int_equal(0, uv_loop_init(&scene.loop));
		scene.proc =
		    proc_start(&scene.loop, argv, LONG_MS, ended, &scene);
		assert_int_equal(0, scene.calls);
		proc_argv_free(argv);
		end(&scene);
		assert_int_equal(1, scene.calls);
		assert_int_equal(-1, scene.exit_status);
		assert_non_null(strstr(scene.errors, commands[i]));
	}
}

/* A configured command that is blank. */
static void
test_no_program(void **state)
{
	static struct scene scene;
	char **argv = proc_argv("  ", NULL);

	(void)state;
	memset(&scene, 0, sizeof(scene));
	assert_int_equal(0, uv_loop_init(&scene.loop));
	scene.proc = proc_start(&scene.loop, argv, LONG_MS, ended, &scene);
	proc_argv_free(argv);
	end(&scene);
	assert_int_equal(1, scene.calls);
	assert_int_equal(-1, scene.exit_status);
	assert_true(scene.errors[0] != '\0');
}

static void
test_deadline_kills(void **state)
{
	static struct scene scene;
	int64_t began = clock_mono_ms();

	(void)state;
	begin(&scene, "echo before; echo oops >&2; exec sleep 60", SHORT_MS);
	end(&scene);
	assert_true(clock_mono_ms() - began < LONG_MS / 2);
	assert_int_equal(1, scene.calls);
	assert_int_equal(-1, scene.exit_status);
	assert_string_equal("before\n", scene.out);
	assert_non_null(strstr(scene.errors, "no answer in time"));
}

/* However much it complained before. */
static void
test_deadline_is_told_behind_many_errors(void **state)
{
	static struct scene scene;

	(void)state;
	begin(&scene, "head -c 70000 /dev/zero | tr '\\0' x >&2; exec sleep 60",
	    1000);
	end(&scene);
	assert_non_null(strstr(scene.errors, "no answer in time"));
}

/* A daemon that it started holds the pipes: its own end is what counts. */
static void
test_grandchild_holds_the_pipes(void **state)
{
	static struct scene scene;
	int64_t began = clock_mono_ms();
	pid_t grandchild;

	(void)state;
	begin(&scene, "sleep 60 & echo $!; exit 7", LONG_MS);
	end(&scene);
	assert_true(clock_mono_ms() - began < LONG_MS / 2);
	assert_int_equal(1, scene.calls);
	assert_int_equal(7, scene.exit_status);
	grandchild = (pid_t)strtol(scene.out, NULL, 10);
	assert_true(grandchild > 1);
	assert_int_equal(0, kill(grandchild, SIGKILL));
}

static void
test_cancel_at_once(void **state)
{
	static struct scene scene;

	(void)state;
	begin(&scene, "exec sleep 60", LONG_MS);
	proc_cancel(&scene.proc);
	assert_null(scene.proc);
	proc_cancel(&scene.proc); /* NULL */
	end(&scene);
	assert_int_equal(0, scene.calls);
}

/* Killed is not yet gone: the end of the loop waits for that. */
static void
test_cancel_and_end_the_loop(void **state)
{
	static struct scene scene;
	const char *const args[] = {"600", NULL};
	char **argv = proc_argv("sleep", args);
	struct proc *procs[16];

	(void)state;
	memset(&scene, 0, sizeof(scene));
	assert_int_equal(0, uv_loop_init(&scene.loop));
	for (size_t i = 0; i < 16; i++)
		procs[i] =
		    proc_start(&scene.loop, argv, LONG_MS, ended, &scene);
	for (size_t i = 0; i < 16; i++)
		proc_cancel(&procs[i]);
	loop_end(&scene.loop);
	assert_false(loop_abandoned());
	errno = 0;
	assert_int_equal(-1, waitpid(-1, NULL, WNOHANG));
	assert_int_equal(ECHILD, errno);
	assert_int_equal(0, scene.calls);
	proc_argv_free(argv);
}

/* Of a process that never came to be the id is 0, which kill(2) takes for our
 * whole group: a bystander in it tells. */
static void
test_cancel_what_could_not_start(void **state)
{
	static struct scene scene;
	char **argv = proc_argv("/no/such/program", NULL);
	pid_t runner = fork();
	int status = 0;

	(void)state;
	if (runner == 0) {
		/* a group of its own, so that a fault harms nobody else */
		(void)setpgid(0, 0);
		memset(&scene, 0, sizeof(scene));
		if (uv_loop_init(&scene.loop) != 0)
			_exit(2);
		scene.proc =
		    proc_start(&scene.loop, argv, LONG_MS, ended, &scene);
		proc_cancel(&scene.proc);
		loop_run(&scene.loop);
		loop_end(&scene.loop);
		_exit(scene.calls == 0 ? 0 : 1);
	}
	proc_argv_free(argv);
	assert_int_equal(runner, waitpid(runner, &status, 0));
	if (WIFSIGNALED(status))
		fail_msg("killed by signal %d", WTERMSIG(status));
	assert_int_equal(0, WEXITSTATUS(status));
}

static void
cancel_now(void *cookie)
{
	struct scene *scene = cookie;

	scene->timer = NULL;
	proc_cancel(&scene->proc);
}

/* At every stage of its life: before, at and after its end, with its pipes
 * still held, at the deadline. */
static void
test_cancel_at_any_time(void **state)
{
	static const struct {
		const char *script;
		int64_t deadline_ms;
	} rows[] = {
	    {"exit 0", LONG_MS},
	    {"sleep 0.01", LONG_MS},
	    {"sleep 0.3 & exit 0", LONG_MS},
	    {"exec sleep 60", 10},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		for (int64_t delay = 0; delay < 25; delay += 2) {
			static struct scene scene;

			begin(&scene, rows[i].script, rows[i].deadline_ms);
			scene.timer = loop_timer_start(
			    &scene.loop, delay, cancel_now, &scene);
			end(&scene);
			assert_true(scene.calls <= 1);
		}
	}
}

static void
test_cancel_in_the_callback(void **state)
{
	static const char *const scripts[] = {
	    "exit 0", "exit 1", "exec sleep 60"};

	(void)state;
	for (size_t i = 0; i < sizeof(scripts) / sizeof(*scripts); i++) {
		static struct scene scene;

		begin(&scene, scripts[i], SHORT_MS);
		scene.cancel_in_callback = true;
		end(&scene);
		assert_int_equal(1, scene.calls);
	}
}

static void
test_argv(void **state)
{
	static const struct {
		const char *command;
		const char *extra[3];
		const char *argv[6];
	} rows[] = {
	    {"nginx -t", {0}, {"nginx", "-t"}},
	    {"  a \t b  ", {"c d", "e"}, {"a", "b", "c d", "e"}},
	    {"", {0}, {0}}, {" ", {"x"}, {"x"}},
	    {"a \"b c\"", {0}, {"a", "\"b", "c\""}}, /* no quoting */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char **argv = proc_argv(rows[i].command, rows[i].extra);
		size_t n = 0;

		for (; rows[i].argv[n] != NULL; n++)
			assert_string_equal(rows[i].argv[n], argv[n]);
		assert_null(argv[n]);
		proc_argv_free(argv);
	}
	proc_argv_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_results),
	    cmocka_unit_test(test_output_is_capped),
	    cmocka_unit_test(test_missing_program),
	    cmocka_unit_test(test_no_program),
	    cmocka_unit_test(test_deadline_kills),
	    cmocka_unit_test(test_deadline_is_told_behind_many_errors),
	    cmocka_unit_test(test_grandchild_holds_the_pipes),
	    cmocka_unit_test(test_cancel_at_once),
	    cmocka_unit_test(test_cancel_and_end_the_loop),
	    cmocka_unit_test(test_cancel_what_could_not_start),
	    cmocka_unit_test(test_cancel_at_any_time),
	    cmocka_unit_test(test_cancel_in_the_callback),
	    cmocka_unit_test(test_argv),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
