/* SPDX-License-Identifier: ISC */
/* base/loop.c -- what every asynchronous file wants of libuv, said once. */
#include "base/loop.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"

enum { REAP_MS = 2000 };

struct loop_timer {
	uv_timer_t uv; /* first: the close callback frees the whole */
	void (*cb)(void *cookie);
	void *cookie;
};

struct loop_watch {
	uv_poll_t uv; /* first, as above */
	void (*cb)(void *cookie, int status, int events);
	void *cookie;
};

struct loop_work {
	uv_work_t uv;
	void (*work)(void *cookie);
	void (*done)(void *cookie); /* or the drop of a cancelled one */
	void *cookie;
};

static void
free_handle(uv_handle_t *handle)
{
	free(handle);
}

static void
timer_fired(uv_timer_t *uv)
{
	struct loop_timer *timer = (struct loop_timer *)uv;

	uv_close((uv_handle_t *)uv, free_handle);
	timer->cb(timer->cookie);
}

struct loop_timer *
loop_timer_start(
    uv_loop_t *loop, int64_t delay_ms, void (*cb)(void *cookie), void *cookie)
{
	struct loop_timer *timer = mem_new(sizeof(*timer));

	timer->cb = cb;
	timer->cookie = cookie;
	uv_update_time(loop); /* the delay counts from now, not from the turn */
	(void)uv_timer_init(loop, &timer->uv);
	(void)uv_timer_start(
	    &timer->uv, timer_fired, delay_ms < 0 ? 0 : (uint64_t)delay_ms, 0);
	return timer;
}

void
loop_timer_cancel(struct loop_timer **timer)
{
	/* closing already: within its own callback */
	if (*timer != NULL && !uv_is_closing((uv_handle_t *)&(*timer)->uv))
		uv_close((uv_handle_t *)&(*timer)->uv, free_handle);
	*timer = NULL;
}

static void
watch_event(uv_poll_t *uv, int status, int events)
{
	struct loop_watch *watch = (struct loop_watch *)uv;

	watch->cb(watch->cookie, status, events);
}

struct loop_watch *
loop_watch_start(uv_loop_t *loop, int fd, int events,
    void (*cb)(void *cookie, int status, int events), void *cookie)
{
	struct loop_watch *watch = mem_new(sizeof(*watch));
	int rc = uv_poll_init(loop, &watch->uv, fd);

	assert(rc == 0); /* a regular file or a closed fd: our own mistake */
	watch->cb = cb;
	watch->cookie = cookie;
	(void)uv_poll_start(&watch->uv, events, watch_event);
	return watch;
}

void
loop_watch_change(struct loop_watch *watch, int events)
{
	(void)uv_poll_start(&watch->uv, events, watch_event);
}

void
loop_watch_matters(struct loop_watch *watch, bool matters)
{
	if (matters)
		uv_ref((uv_handle_t *)&watch->uv);
	else
		uv_unref((uv_handle_t *)&watch->uv);
}

void
loop_watch_cancel(struct loop_watch **watch)
{
	if (*watch != NULL) {
		(void)uv_poll_stop(&(*watch)->uv);
		uv_close((uv_handle_t *)&(*watch)->uv, free_handle);
	}
	*watch = NULL;
}

/* Begun and not ended, of all loops. */
static size_t works;

static void
do_work(uv_work_t *uv)
{
	struct loop_work *work = uv->data;

	work->work(work->cookie);
}

static void
work_ended(uv_work_t *uv, int status)
{
	struct loop_work *work = uv->data;

	(void)status;
	works--;
	work->done(work->cookie);
	free(work);
}

struct loop_work *
loop_work_start(uv_loop_t *loop, void (*work)(void *cookie),
    void (*done)(void *cookie), void *cookie)
{
	struct loop_work *new = mem_new(sizeof(*new));

	new->uv.data = new;
	new->work = work;
	new->done = done;
	new->cookie = cookie;
	works++;
	(void)uv_queue_work(loop, &new->uv, do_work, work_ended);
	return new;
}

void
loop_work_cancel(struct loop_work **work, void (*drop)(void *cookie))
{
	if (*work != NULL) {
		(*work)->done = drop;
		(void)uv_cancel((uv_req_t *)&(*work)->uv);
	}
	*work = NULL;
}

void
loop_run(uv_loop_t *loop)
{
	(void)uv_run(loop, UV_RUN_DEFAULT);
}

/* One for the process, as the threads are. */
static bool abandoned;

static void
note_process(uv_handle_t *handle, void *found)
{
	if (handle->type == UV_PROCESS && !uv_is_closing(handle))
		*(bool *)found = true;
}

static bool
has_process(uv_loop_t *loop)
{
	bool found = false;

	uv_walk(loop, note_process, &found);
	return found;
}

static void
limit_passed(void *cookie)
{
	struct loop_timer **limit = cookie;

	*limit = NULL;
}

/* What was killed or cancelled is gone soon, but not at once, and libuv tells
 * of it only while the loop turns. */
static void
reap(uv_loop_t *loop)
{
	struct loop_timer *limit =
	    loop_timer_start(loop, REAP_MS, limit_passed, &limit);

	while (limit != NULL && (works > 0 || has_process(loop)))
		(void)uv_run(loop, UV_RUN_ONCE);
	loop_timer_cancel(&limit);
}

void
loop_end(uv_loop_t *loop)
{
	if (works > 0 || has_process(loop))
		reap(loop);
	/* a close callback may close another handle: a few turns for that */
	for (int turn = 0; turn < 16 && uv_run(loop, UV_RUN_NOWAIT) != 0;
	     turn++)
		continue;
	if (uv_loop_close(loop) != 0)
		abandoned = true;
}

bool
loop_abandoned(void)
{
	return abandoned;
}
