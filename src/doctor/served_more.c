/* SPDX-License-Identifier: ISC */
/* doctor/served_more.c -- more handshakes with a server, all at once. */
#include "doctor/served_more.h"

#include <stdlib.h>

#include "base/mem.h"

struct one {
	struct served_more *more;
	struct handshake *handshake;
	bool nameless;
};

struct served_more {
	struct one list[SERVED_MORE + 1];
	unsigned running;
	void (*one)(
	    void *cookie, bool nameless, const struct handshake_result *result);
	void (*end)(void *cookie);
	void *cookie;
};

static void
shaken(void *cookie, const struct handshake_result *result)
{
	struct one *one = cookie;
	struct served_more *more = one->more;
	void (*end)(void *cookie) = more->end;
	void *end_cookie = more->cookie;

	one->handshake = NULL;
	more->one(more->cookie, one->nameless, result);
	if (--more->running > 0)
		return;
	free(more);
	end(end_cookie);
}

struct served_more *
served_more_start(uv_loop_t *loop, const struct handshake_request *request,
    void (*one)(
	void *cookie, bool nameless, const struct handshake_result *result),
    void (*end)(void *cookie), void *cookie)
{
	struct served_more *more = mem_new(sizeof(*more));
	struct handshake_request own = *request;

	own.deadline_ms = SERVED_MORE_MS;
	more->one = one;
	more->end = end;
	more->cookie = cookie;
	for (unsigned i = 0; i <= SERVED_MORE; i++) {
		struct one *this = &more->list[i];

		this->more = more;
		this->nameless = i == SERVED_MORE;
		if (this->nameless && request->servername == NULL)
			break;
		if (this->nameless)
			own.servername = NULL;
		more->running++;
		this->handshake = handshake_start(loop, &own, shaken, this);
	}
	return more;
}

void
served_more_cancel(struct served_more **more)
{
	struct served_more *m = *more;

	*more = NULL;
	if (m == NULL)
		return;
	for (unsigned i = 0; i <= SERVED_MORE; i++)
		handshake_cancel(&m->list[i].handshake);
	free(m);
}
