/* SPDX-License-Identifier: ISC */
/* base/proc.c -- run another program, with a deadline and no shell.
 *
 * Three libuv handles must be closed before the memory may go: the process and
 * its two output pipes; `open` counts them.  The result is reported when both
 * pipes are closed and the process has ended or its time is over.  A process
 * that was killed is waited for all the same, after the report or the cancel:
 * libuv reaps it only while its handle is open. */
#include "base/proc.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/loop.h"
#include "base/mem.h"
#include "base/text.h"

enum {
	/* Once the process has ended, whatever holds its pipes is a child that
	 * it left behind: wait this long for the rest of the output. */
	DRAIN_MS = 1000,
	ERRORS_MAX = 65536,
	ROOM_MAX = 64, /* for our own word, however much there is */
};

struct proc {
	uv_process_t process;
	uv_pipe_t out, errors;
	struct loop_timer *timer; /* the deadline, or the end of draining */
	struct buf out_text, error_text;
	char chunk[65536];
	int open, open_pipes;
	int exit_status;
	int signal;   /* that ended it; 0: none */
	bool running; /* there is a process that is ours to kill */
	bool reported, cancelled;
	void (*cb)(void *cookie, const struct proc_result *result);
	void *cookie;
};

/* Our own word behind whatever it has said. */
static void
add_error(struct proc *proc, const char *text)
{
	proc->error_text.max += ROOM_MAX;
	buf_puts(&proc->error_text, text);
}

static void
report(struct proc *proc)
{
	struct proc_result result = {
	    .exit_status = proc->exit_status,
	    .out = buf_text(&proc->out_text),
	    .out_len = proc->out_text.len,
	    .out_cut = proc->out_text.full,
	};
	char text[ROOM_MAX];

	if (proc->signal != 0) {
		(void)snprintf(
		    text, sizeof(text), "killed by signal %d", proc->signal);
		add_error(proc, text);
	}
	result.errors = buf_text(&proc->error_text);
	proc->reported = true;
	loop_timer_cancel(&proc->timer);
	proc->cb(proc->cookie, &result);
}

static void
release(struct proc *proc)
{
	buf_done(&proc->out_text);
	buf_done(&proc->error_text);
	free(proc);
}

static void
handle_closed(uv_handle_t *handle)
{
	struct proc *proc = handle->data;

	proc->open--;
	if (handle != (uv_handle_t *)&proc->process)
		proc->open_pipes--;
	/* no timer: the time is over */
	if (proc->open_pipes == 0 && !proc->reported && !proc->cancelled &&
	    (!proc->running || proc->timer == NULL))
		report(proc);
	if (proc->open == 0)
		release(proc);
}

static void
close_handle(uv_handle_t *handle)
{
	if (!uv_is_closing(handle))
		uv_close(handle, handle_closed);
}

static void
give_chunk(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct proc *proc = handle->data;

	(void)suggested;
	*buf = uv_buf_init(proc->chunk, sizeof(proc->chunk));
}

static void
got_output(uv_stream_t *stream, ssize_t len, const uv_buf_t *chunk)
{
	struct proc *proc = stream->data;

	if (len < 0) {
		close_handle((uv_handle_t *)stream);
		return;
	}
	buf_add((uv_pipe_t *)stream == &proc->out ? &proc->out_text
						  : &proc->error_text,
	    chunk->base, (size_t)len);
}

static void
close_pipes(struct proc *proc)
{
	close_handle((uv_handle_t *)&proc->out);
	close_handle((uv_handle_t *)&proc->errors);
}

/* A grandchild may hold the pipes open for ever: do not wait. */
static void
drained(void *cookie)
{
	struct proc *proc = cookie;

	proc->timer = NULL;
	close_pipes(proc);
}

static void
process_ended(uv_process_t *process, int64_t status, int signal)
{
	struct proc *proc = process->data;
	bool in_time = proc->timer != NULL;

	proc->running = false;
	close_handle((uv_handle_t *)process);
	if (!in_time) /* killed: at the deadline or by cancel */
		return;
	proc->signal = signal;
	proc->exit_status = signal != 0 ? -1 : (int)status;
	loop_timer_cancel(&proc->timer);
	proc->timer = loop_timer_start(process->loop, DRAIN_MS, drained, proc);
}

static void
deadline_passed(void *cookie)
{
	struct proc *proc = cookie;

	proc->timer = NULL;
	add_error(proc, "no answer in time, killed");
	(void)uv_process_kill(&proc->process, SIGKILL);
	close_pipes(proc);
}

static void
could_not_start(void *cookie)
{
	struct proc *proc = cookie;

	proc->timer = NULL;
	close_pipes(proc);
	close_handle((uv_handle_t *)&proc->process);
}

/* True if VARIABLES say something else of ENTRY's name. */
static bool
is_replaced(const char *entry, const char *const *variables)
{
	size_t name = strcspn(entry, "=") + 1;

	for (; *variables != NULL; variables++) {
		if (strncmp(entry, *variables, name) == 0)
			return true;
	}
	return false;
}

/* Our environment and VARIABLES; the list is owned, its strings are not.  NULL
 * is our own as it is. */
static char **
make_environment(const char *const *variables)
{
	char **list = NULL;
	size_t count = 0;

	if (variables == NULL)
		return NULL;
	for (char **entry = environ; entry != NULL && *entry != NULL; entry++) {
		if (is_replaced(*entry, variables))
			continue;
		list = mem_resize(list, count + 1, sizeof(*list));
		list[count++] = *entry;
	}
	for (; *variables != NULL; variables++) {
		list = mem_resize(list, count + 1, sizeof(*list));
		/* execve(2) takes what it does not change as not const */
		memcpy(&list[count++], variables, sizeof(*list));
	}
	list = mem_resize(list, count + 1, sizeof(*list));
	list[count] = NULL;
	return list;
}

struct proc *
proc_start(uv_loop_t *loop, char **argv, int64_t deadline_ms,
    void (*cb)(void *cookie, const struct proc_result *result), void *cookie)
{
	return proc_start_with(loop, argv, NULL, deadline_ms, cb, cookie);
}

struct proc *
proc_start_with(uv_loop_t *loop, char **argv, const char *const *variables,
    int64_t deadline_ms,
    void (*cb)(void *cookie, const struct proc_result *result), void *cookie)
{
	struct proc *proc = mem_new(sizeof(*proc));
	uv_stdio_container_t stdio[3] = {{.flags = UV_IGNORE}};
	uv_process_options_t options = {0};
	int rc;

	proc->cb = cb;
	proc->cookie = cookie;
	proc->exit_status = -1;
	buf_init(&proc->out_text, PROC_OUTPUT_MAX);
	buf_init(&proc->error_text, ERRORS_MAX);
	(void)uv_pipe_init(loop, &proc->out, 0);
	(void)uv_pipe_init(loop, &proc->errors, 0);
	proc->out.data = proc->errors.data = proc->process.data = proc;
	proc->open = 3;
	proc->open_pipes = 2;

	stdio[1].flags = stdio[2].flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE;
	stdio[1].data.stream = (uv_stream_t *)&proc->out;
	stdio[2].data.stream = (uv_stream_t *)&proc->errors;
	options.file = argv[0] == NULL ? "" : argv[0];
	options.args = argv;
	options.stdio = stdio;
	options.stdio_count = 3;
	options.env = make_environment(variables);
	options.exit_cb = process_ended;
	/* the process handle is initialised whether it works or not */
	rc = uv_spawn(loop, &proc->process, &options);
	free(options.env);
	if (rc != 0) {
		buf_printf(&proc->error_text, "cannot run '%s': %s",
		    options.file, uv_strerror(rc));
		proc->timer = loop_timer_start(loop, 0, could_not_start, proc);
		return proc;
	}
	proc->running = true;
	(void)uv_read_start((uv_stream_t *)&proc->out, give_chunk, got_output);
	(void)uv_read_start(
	    (uv_stream_t *)&proc->errors, give_chunk, got_output);
	proc->timer =
	    loop_timer_start(loop, deadline_ms, deadline_passed, proc);
	return proc;
}

void
proc_cancel(struct proc **proc)
{
	struct proc *p = *proc;

	*proc = NULL;
	if (p == NULL)
		return;
	p->cancelled = true;
	loop_timer_cancel(&p->timer);
	close_pipes(p);
	/* Only a process that runs may be killed: of one that never started the
	 * id is 0, which to kill(2) is all of our group; of one that ended, it
	 * may be anybody's by now. */
	if (p->running)
		(void)uv_process_kill(&p->process, SIGKILL);
	else
		close_handle((uv_handle_t *)&p->process);
}

char **
proc_argv(const char *command, const char *const extra[])
{
	char *copy = mem_string(command);
	char **argv = NULL;
	size_t count = 0;
	char *rest = copy;

	for (char *word; (word = strsep(&rest, " \t")) != NULL;) {
		if (*word == '\0')
			continue;
		argv = mem_resize(argv, count + 2, sizeof(*argv));
		argv[count++] = mem_string(word);
	}
	for (; extra != NULL && *extra != NULL; extra++) {
		argv = mem_resize(argv, count + 2, sizeof(*argv));
		argv[count++] = mem_string(*extra);
	}
	if (argv == NULL)
		argv = mem_new(sizeof(*argv));
	argv[count] = NULL;
	free(copy);
	return argv;
}

void
proc_argv_free(char **argv)
{
	for (char **arg = argv; arg != NULL && *arg != NULL; arg++)
		free(*arg);
	free(argv);
}
