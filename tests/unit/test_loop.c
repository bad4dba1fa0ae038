/* SPDX-License-Identifier: ISC */
/* test_loop.c -- base/loop: once, never from within start, silent once
 * cancelled. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/loop.h"

struct scene {
	uv_loop_t loop;
	struct loop_timer *timer, *other;
	struct loop_watch *watch;
	int fired, fd, events;
	atomic_bool go;
	char order[8];
};

static void
begin(struct scene *scene)
{
	*scene = (struct scene){0};
	assert_int_equal(0, uv_loop_init(&scene->loop));
}

/* Nothing may be left: else loop_end() would wait for it. */
static void
end(struct scene *scene)
{
	loop_run(&scene->loop);
	assert_false(uv_loop_alive(&scene->loop));
	loop_end(&scene->loop);
}

static void
count(void *cookie)
{
	((struct scene *)cookie)->fired++;
}

static void
test_timer_fires_once(void **state)
{
	struct scene scene;
	int64_t began = clock_mono_ms();

	(void)state;
	begin(&scene);
	scene.timer = loop_timer_start(&scene.loop, 30, count, &scene);
	assert_int_equal(0, scene.fired);
	loop_run(&scene.loop);
	assert_int_equal(1, scene.fired);
	assert_true(clock_mono_ms() - began >= 29);
	end(&scene);
}

static void
test_timer_at_once_is_not_within_start(void **state)
{
	static const int64_t delays[] = {0, -1, INT64_MIN};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct scene scene;

		begin(&scene);
		scene.timer =
		    loop_timer_start(&scene.loop, delays[i], count, &scene);
		assert_int_equal(0, scene.fired);
		loop_run(&scene.loop);
		assert_int_equal(1, scene.fired);
		end(&scene);
	}
}

static void
test_timer_cancelled_is_silent(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene);
	scene.timer = loop_timer_start(&scene.loop, 0, count, &scene);
	loop_timer_cancel(&scene.timer);
	assert_null(scene.timer);
	loop_timer_cancel(&scene.timer); /* NULL */
	end(&scene);
	assert_int_equal(0, scene.fired);
}

static void
cancel_itself(void *cookie)
{
	struct scene *scene = cookie;

	scene->fired++;
	loop_timer_cancel(&scene->timer);
}

static void
test_timer_cancelled_in_its_own_callback(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene);
	scene.timer = loop_timer_start(&scene.loop, 0, cancel_itself, &scene);
	end(&scene);
	assert_int_equal(1, scene.fired);
	assert_null(scene.timer);
}

static void
cancel_other(void *cookie)
{
	struct scene *scene = cookie;

	scene->fired++;
	loop_timer_cancel(&scene->other);
}

static void
test_timer_cancelled_by_another_that_is_due_too(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene);
	scene.timer = loop_timer_start(&scene.loop, 0, cancel_other, &scene);
	scene.other = loop_timer_start(&scene.loop, 0, count, &scene);
	end(&scene);
	assert_int_equal(1, scene.fired);
}

static void
again(void *cookie)
{
	struct scene *scene = cookie;

	if (++scene->fired < 3)
		scene->timer = loop_timer_start(&scene->loop, 0, again, scene);
}

static void
test_timer_started_from_the_callback(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene);
	scene.timer = loop_timer_start(&scene.loop, 0, again, &scene);
	end(&scene);
	assert_int_equal(3, scene.fired);
}

static void
take_octet(void *cookie, int status, int events)
{
	struct scene *scene = cookie;
	char octet;

	assert_int_equal(0, status);
	assert_int_equal(UV_READABLE, events);
	assert_int_equal(1, read(scene->fd, &octet, 1));
	if (++scene->fired == 2)
		loop_watch_cancel(&scene->watch); /* within the callback */
}

static void
test_watch_until_cancelled(void **state)
{
	struct scene scene;
	int pipes[2];

	(void)state;
	begin(&scene);
	assert_int_equal(0, pipe(pipes));
	assert_int_equal(3, write(pipes[1], "abc", 3));
	scene.fd = pipes[0];
	scene.watch = loop_watch_start(
	    &scene.loop, pipes[0], UV_READABLE, take_octet, &scene);
	assert_int_equal(0, scene.fired);
	loop_run(&scene.loop);
	assert_int_equal(2, scene.fired);
	assert_null(scene.watch);
	loop_watch_cancel(&scene.watch);
	close(pipes[0]);
	close(pipes[1]);
	end(&scene);
}

static void
note_events(void *cookie, int status, int events)
{
	struct scene *scene = cookie;

	assert_int_equal(0, status);
	scene->events |= events;
	if (events == UV_WRITABLE)
		loop_watch_change(scene->watch, UV_READABLE);
	else
		loop_watch_cancel(&scene->watch);
}

static void
test_watch_changes_its_events(void **state)
{
	struct scene scene;
	uv_os_sock_t pair[2];

	(void)state;
	begin(&scene);
	assert_int_equal(0, uv_socketpair(SOCK_STREAM, 0, pair, 0, 0));
	assert_int_equal(1, write(pair[1], "x", 1));
	scene.watch = loop_watch_start(
	    &scene.loop, pair[0], UV_WRITABLE, note_events, &scene);
	loop_run(&scene.loop);
	assert_int_equal(UV_READABLE | UV_WRITABLE, scene.events);
	close(pair[0]);
	close(pair[1]);
	end(&scene);
}

/* --- work --- */

static void
work(void *cookie)
{
	struct scene *scene = cookie;

	while (scene->fd > 0 && !scene->go)
		(void)usleep(1000);
	scene->events++;
}

static void
drop(void *cookie)
{
	((struct scene *)cookie)->order[0] = 'd';
}

static void
test_work(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene);
	(void)loop_work_start(&scene.loop, work, count, &scene);
	assert_int_equal(0, scene.fired);
	loop_run(&scene.loop);
	assert_int_equal(1, scene.events);
	assert_int_equal(1, scene.fired);
	end(&scene);
}

/* What has begun is waited for at the end, so that it need not be torn. */
static void
test_work_cancelled(void **state)
{
	struct loop_work *first;
	struct scene scene;

	(void)state;
	begin(&scene);
	scene.fd = 1;
	first = loop_work_start(&scene.loop, work, count, &scene);
	loop_work_cancel(&first, drop);
	assert_null(first);
	loop_work_cancel(&first, drop);
	scene.go = true;
	loop_end(&scene.loop);
	assert_false(loop_abandoned());
	assert_int_equal('d', scene.order[0]);
	assert_int_equal(0, scene.fired);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_timer_fires_once),
	    cmocka_unit_test(test_timer_at_once_is_not_within_start),
	    cmocka_unit_test(test_timer_cancelled_is_silent),
	    cmocka_unit_test(test_timer_cancelled_in_its_own_callback),
	    cmocka_unit_test(test_timer_cancelled_by_another_that_is_due_too),
	    cmocka_unit_test(test_timer_started_from_the_callback),
	    cmocka_unit_test(test_watch_until_cancelled),
	    cmocka_unit_test(test_watch_changes_its_events),
	    cmocka_unit_test(test_work),
	    cmocka_unit_test(test_work_cancelled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
