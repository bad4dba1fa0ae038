/* SPDX-License-Identifier: ISC */
/* base/proc.h -- run another program, with a deadline and no shell. */
#ifndef OCLASP_BASE_PROC_H
#define OCLASP_BASE_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct proc;

enum { PROC_OUTPUT_MAX = 16 << 20 }; /* `nginx -T` of very large sites */

struct proc_result {
	int exit_status; /* -1: could not start, was killed or timed out */
	const char *out; /* standard output, NUL-terminated; borrowed */
	size_t out_len;
	bool out_cut; /* there was more than PROC_OUTPUT_MAX; it is dropped */
	const char *errors; /* standard error, and why it did not end by itself,
			       or could not run */
};

/* Run ARGV (NULL-terminated, looked up in PATH), standard input empty.  After
 * DEADLINE_MS it is killed; what it has started itself is not, and nobody waits
 * for that.  CB comes once; RESULT is valid during CB. */
struct proc *proc_start(uv_loop_t *loop, char **argv, int64_t deadline_ms,
    void (*cb)(void *cookie, const struct proc_result *result), void *cookie);

/* The same with VARIABLES ("NAME=value", NULL-terminated) in its environment,
 * beside ours and before those of the same name. */
struct proc *proc_start_with(uv_loop_t *loop, char **argv,
    const char *const *variables, int64_t deadline_ms,
    void (*cb)(void *cookie, const struct proc_result *result), void *cookie);

/* Kill it and stay silent; sets *PROC to NULL. */
void proc_cancel(struct proc **proc);

/* Split COMMAND at blanks into an argv (owned; proc_argv_free).  No quoting,
 * no expansion: a command with a blank in a path is given by configuration as
 * a list.  EXTRA (NULL-terminated list) is appended. */
char **proc_argv(const char *command, const char *const extra[]);
void proc_argv_free(char **argv);

#endif
