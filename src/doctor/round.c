/* SPDX-License-Identifier: ISC */
/* doctor/round.c -- many DNS questions, a few at once. */
#include "doctor/round.h"

#include <stdlib.h>

#include "base/loop.h"
#include "base/mem.h"

struct waiting {
	struct ask_request request; /* its resolver and name are ours */
	struct resolver resolver;
	char *name;
};

struct place {
	struct round *round;
	struct ask *ask; /* NULL: free */
};

struct round {
	uv_loop_t *loop;
	struct facts *facts;
	int64_t began_ms;
	struct waiting *list;
	size_t count, next, running;
	struct place places[ROUND_AT_ONCE];
	struct loop_timer *empty; /* the end of a round without questions */
	void (*cb)(void *cookie);
	void *cookie;
};

struct round *
round_new(uv_loop_t *loop, struct facts *facts, int64_t began_ms)
{
	struct round *round = mem_new(sizeof(*round));

	round->loop = loop;
	round->facts = facts;
	round->began_ms = began_ms;
	for (size_t i = 0; i < ROUND_AT_ONCE; i++)
		round->places[i].round = round;
	return round;
}

void
round_add(struct round *round, const struct ask_request *request)
{
	struct waiting *waiting;

	if (round->count == ROUND_MAX)
		return;
	round->list =
	    mem_resize(round->list, round->count + 1, sizeof(round->list[0]));
	waiting = &round->list[round->count++];
	waiting->request = *request;
	waiting->resolver = *request->resolver;
	waiting->name = mem_string(request->name);
}

static void
release(struct round *round)
{
	for (size_t i = 0; i < ROUND_AT_ONCE; i++)
		ask_cancel(&round->places[i].ask);
	loop_timer_cancel(&round->empty);
	for (size_t i = 0; i < round->count; i++)
		free(round->list[i].name);
	free(round->list);
	free(round);
}

static void
end(void *cookie)
{
	struct round *round = cookie;
	void (*cb)(void *cookie) = round->cb;
	void *cb_cookie = round->cookie;

	release(round);
	cb(cb_cookie);
}

static void fill_places(struct round *round);

static void
asked(void *cookie)
{
	struct place *place = cookie;
	struct round *round = place->round;

	place->ask = NULL;
	round->running--;
	if (round->next < round->count)
		fill_places(round);
	else if (round->running == 0)
		end(round);
}

static void
fill_places(struct round *round)
{
	for (size_t i = 0; i < ROUND_AT_ONCE && round->next < round->count;
	     i++) {
		struct place *place = &round->places[i];
		struct waiting *waiting;

		if (place->ask != NULL)
			continue;
		waiting = &round->list[round->next++];
		waiting->request.resolver = &waiting->resolver;
		waiting->request.name = waiting->name;
		round->running++;
		place->ask = ask_start(round->loop, round->facts,
		    round->began_ms, &waiting->request, asked, place);
	}
}

void
round_run(struct round *round, void (*cb)(void *cookie), void *cookie)
{
	round->cb = cb;
	round->cookie = cookie;
	if (round->count == 0)
		round->empty = loop_timer_start(round->loop, 0, end, round);
	else
		fill_places(round);
}

void
round_cancel(struct round **round)
{
	struct round *r = *round;

	*round = NULL;
	if (r != NULL)
		release(r);
}
