/* SPDX-License-Identifier: ISC */
/* base/loop.h -- what every asynchronous file wants of libuv, said once.
 *
 * The law of the house: x_start() returns a handle, the callback comes exactly
 * once and never from within x_start(), x_cancel() promises silence.  libuv
 * frees handle memory only in its close callback; these three hide that: after
 * the callback of a one-shot timer, and after every cancel, the pointer is
 * dead. */
#ifndef OCLASP_BASE_LOOP_H
#define OCLASP_BASE_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct loop_timer;
struct loop_watch;
struct loop_work;

/* Call CB(COOKIE) once, DELAY_MS milliseconds from now (0: at the loop's next
 * turn, which is how a start() reports a failure it already knows). */
struct loop_timer *loop_timer_start(
    uv_loop_t *loop, int64_t delay_ms, void (*cb)(void *cookie), void *cookie);

/* Never call; sets *TIMER to NULL.  *TIMER may be NULL, or the timer whose
 * callback is running. */
void loop_timer_cancel(struct loop_timer **timer);

/* Call CB(COOKIE, EVENTS) whenever FD has one of EVENTS (UV_READABLE,
 * UV_WRITABLE, ...), until cancelled.  EVENTS 0 with STATUS < 0 is an error of
 * the poll itself.  FD stays the caller's; close it after the cancel. */
struct loop_watch *loop_watch_start(uv_loop_t *loop, int fd, int events,
    void (*cb)(void *cookie, int status, int events), void *cookie);

/* Wait for other EVENTS from now on. */
void loop_watch_change(struct loop_watch *watch, int events);

/* Whether the loop runs on for WATCH alone, as it does until told. */
void loop_watch_matters(struct loop_watch *watch, bool matters);

void loop_watch_cancel(struct loop_watch **watch);

/* Run WORK(COOKIE) on one of libuv's threads, for what a disk may hold up, and
 * DONE(COOKIE) on the loop after it.  Nobody else may use what COOKIE is about
 * meanwhile. */
struct loop_work *loop_work_start(uv_loop_t *loop, void (*work)(void *cookie),
    void (*done)(void *cookie), void *cookie);

/* Never call DONE; sets *WORK to NULL, which may be NULL.  What has begun goes
 * on: DROP(COOKIE) is called on the loop when it has ended, or if it never
 * begins, and may free what it was about. */
void loop_work_cancel(struct loop_work **work, void (*drop)(void *cookie));

/* Run until nothing is left to do or loop_stop is called. */
void loop_run(uv_loop_t *loop);

/* Let the close callbacks run and free the loop's insides.  Everybody must
 * have cancelled what they own.  Processes that were killed and work that was
 * cancelled are waited for, two seconds at the most.  What may be left is a
 * look-up of the C library in libuv's threads, or a disk that hangs, which
 * nothing can stop: such a loop is left behind, and loop_abandoned() is true
 * from then on.  The process must then end by _exit(), since exit() would wait
 * for those threads (up to the C library's own timeout, half a minute where no
 * resolver answers). */
void loop_end(uv_loop_t *loop);
bool loop_abandoned(void);

#endif
