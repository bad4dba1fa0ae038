/* SPDX-License-Identifier: ISC */
/* dns/https.c -- DNS questions over HTTPS (RFC 8484).
 *
 * Each question is posted to the first address; HTTPS_STAGGER_MS later, or as
 * soon as that has failed, to the next as well.  The first good answer to a
 * question ends its other fetches.
 *
 * Everything that is told is told in a turn, as in stream.c. */
#include "dns/https.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/loop.h"
#include "base/mem.h"
#include "dns/system.h"
#include "http/fetch.h"

enum {
	QUERY_MAX = 512, /* ours are smaller */
	CONNECT_MS = 3000,
	/* RFC 8484, section 4.1: "SHOULD use a DNS ID of 0", for caches */
	QUERY_ID = 0,
};

/* One question at one address. */
struct post {
	struct https *https;
	size_t which;
	struct fetch *fetch; /* NULL: not begun, or ended */
};

struct https {
	uv_loop_t *loop; /* borrowed; must outlive */
	struct fetch_pool *pool, *own_pool;
	char *url, *ca_file, *name;
	char addresses[HTTPS_ADDRESSES_MAX][DNS_ADDRESS_TEXT];
	size_t address_count, next;
	int64_t started_ms, deadline_ms;
	enum dns_type types[QUESTIONS_MAX];
	uint8_t queries[QUESTIONS_MAX][QUERY_MAX];
	size_t query_len[QUESTIONS_MAX];
	bool answered[QUESTIONS_MAX];
	size_t count, missing;
	struct post posts[QUESTIONS_MAX][HTTPS_ADDRESSES_MAX];
	struct system_query *lookup;
	struct loop_timer *deadline; /* or the report of an early failure */
	struct loop_timer *stagger;
	struct err err;
	bool in_turn, over;
	struct question_callbacks callbacks;
	void *cookie;
};

static void
drop_posts(struct https *h, size_t which)
{
	for (size_t i = 0; i < HTTPS_ADDRESSES_MAX; i++)
		fetch_cancel(&h->posts[which][i].fetch);
}

static void
hang_up(struct https *h)
{
	for (size_t i = 0; i < QUESTIONS_MAX; i++)
		drop_posts(h, i);
	system_cancel(&h->lookup);
	loop_timer_cancel(&h->deadline);
	loop_timer_cancel(&h->stagger);
}

static void
release(struct https *h)
{
	hang_up(h);
	fetch_pool_free(h->own_pool);
	free(h->url);
	free(h->ca_file);
	free(h->name);
	free(h);
}

static void
open_turn(struct https *h)
{
	assert(!h->in_turn && !h->over);
	h->in_turn = true;
}

static void
close_turn(struct https *h)
{
	h->in_turn = false;
	if (h->over)
		release(h);
}

/* The one way out, within a turn. */
static void
finish(struct https *h)
{
	hang_up(h);
	if (h->missing == 0)
		err_clear(&h->err); /* another address has made it good */
	if (!h->over)
		h->callbacks.end(h->cookie, &h->err);
	h->over = true;
}

static bool
any_post(const struct https *h)
{
	for (size_t i = 0; i < QUESTIONS_MAX; i++) {
		for (size_t k = 0; k < HTTPS_ADDRESSES_MAX; k++) {
			if (h->posts[i][k].fetch != NULL)
				return true;
		}
	}
	return false;
}

/* --- asking --- */

static void took_result(void *cookie, const struct fetch_result *result);

static void
post(struct https *h, size_t which, size_t at)
{
	struct post *p = &h->posts[which][at];
	int64_t left_ms = h->started_ms + h->deadline_ms - clock_mono_ms();
	struct fetch_request request = {
	    .kind = FETCH_DNS,
	    .url = h->url,
	    .address = h->addresses[at],
	    .ca_file = h->ca_file,
	    .body = {h->queries[which], h->query_len[which]},
	    .connect_ms = left_ms < CONNECT_MS ? left_ms : CONNECT_MS,
	    .total_ms = left_ms,
	};

	p->https = h;
	p->which = which;
	p->fetch = fetch_start(h->pool, &request, took_result, p);
}

/* The next address joins: what has no answer yet is asked there too. */
static void
ask_next(void *cookie)
{
	struct https *h = cookie;
	size_t at = h->next++;

	loop_timer_cancel(&h->stagger);
	for (size_t i = 0; i < h->count; i++) {
		if (!h->answered[i])
			post(h, i, at);
	}
	if (h->next < h->address_count)
		h->stagger =
		    loop_timer_start(h->loop, HTTPS_STAGGER_MS, ask_next, h);
}

/* --- hearing --- */

/* False, and the failure noted, if RESULT is no answer to question WHICH. */
static bool
read_answer(struct https *h, size_t which, const struct fetch_result *result,
    struct dns_message *message)
{
	static const char media[] = "application/dns-message";

	if (result->stage != FETCH_DONE) {
		(void)err_set(
		    &h->err, result->err.reason, "%s", result->err.text);
		return false;
	}
	/* RFC 8484, section 6 */
	if (strcmp(result->content_type, media) != 0) {
		(void)err_set(&h->err, REASON_DNS_NO_ANSWER,
		    "the answer for '%.200s' is of type '%s' and not %s",
		    h->name, result->content_type, media);
		return false;
	}
	if (dns_message_parse(
		result->body.at, result->body.len, message, &h->err) == -1)
		return false;
	if (dns_message_answers(message, QUERY_ID, h->name, h->types[which]))
		return true;
	(void)err_set(&h->err, REASON_DNS_NO_ANSWER,
	    "the answer for '%.200s' is to another question", h->name);
	return false;
}

static void
took_result(void *cookie, const struct fetch_result *result)
{
	struct post *p = cookie;
	struct https *h = p->https;
	struct dns_message message; /* 20 KB */

	open_turn(h);
	p->fetch = NULL;
	if (read_answer(h, p->which, result, &message)) {
		h->answered[p->which] = true;
		h->missing--;
		drop_posts(h, p->which);
		h->callbacks.answer(h->cookie, p->which, &message);
	}
	if (!h->over) {
		if (h->missing > 0 && !any_post(h) &&
		    h->next < h->address_count)
			ask_next(h);
		else if (h->missing == 0 || !any_post(h))
			finish(h);
	}
	close_turn(h);
}

static void
looked_up(void *cookie, const char *const *addresses, size_t count,
    const struct err *err)
{
	struct https *h = cookie;

	open_turn(h);
	h->lookup = NULL;
	for (size_t i = 0; i < count && i < HTTPS_ADDRESSES_MAX; i++)
		memcpy(h->addresses[h->address_count++], addresses[i],
		    strlen(addresses[i]) + 1);
	if (h->address_count > 0) {
		ask_next(h);
	} else {
		h->err = *err;
		finish(h);
	}
	close_turn(h);
}

static void
deadline_passed(void *cookie)
{
	struct https *h = cookie;

	open_turn(h);
	h->deadline = NULL;
	(void)err_set(&h->err, REASON_DNS_NO_ANSWER,
	    "no answer for '%.200s' within %lld ms", h->name,
	    (long long)h->deadline_ms);
	finish(h);
	close_turn(h);
}

static void
tell_failure(void *cookie)
{
	struct https *h = cookie;

	open_turn(h);
	h->deadline = NULL;
	finish(h);
	close_turn(h);
}

/* --- start and cancel --- */

static int
write_queries(struct https *h)
{
	for (size_t i = 0; i < h->count; i++) {
		if (dns_query_write(h->name, h->types[i], QUERY_ID,
			h->queries[i], QUERY_MAX, &h->query_len[i],
			&h->err) == -1)
			return -1;
	}
	return 0;
}

struct https *
https_start(uv_loop_t *loop, const struct https_server *server,
    const struct questions *questions,
    const struct question_callbacks *callbacks, void *cookie)
{
	struct https *h = mem_new(sizeof(*h));

	h->loop = loop;
	h->url = mem_string(server->url);
	h->ca_file = mem_string(server->ca_file);
	h->name = mem_string(questions->name);
	h->count = h->missing = questions->count;
	memcpy(h->types, questions->types, sizeof(h->types));
	h->started_ms = clock_mono_ms();
	h->deadline_ms =
	    server->deadline_ms > 0 ? server->deadline_ms : HTTPS_DEADLINE_MS;
	h->callbacks = *callbacks;
	h->cookie = cookie;
	if (write_queries(h) == -1) {
		h->deadline = loop_timer_start(loop, 0, tell_failure, h);
		return h;
	}
	h->pool = server->pool;
	if (h->pool == NULL)
		h->pool = h->own_pool = fetch_pool_new(loop);
	for (size_t i = 0; i < server->address_count; i++)
		(void)snprintf(h->addresses[h->address_count++],
		    DNS_ADDRESS_TEXT, "%s", server->addresses[i]);
	h->deadline =
	    loop_timer_start(loop, h->deadline_ms, deadline_passed, h);
	if (h->address_count > 0)
		ask_next(h);
	else
		h->lookup =
		    system_start(loop, server->host, AF_UNSPEC, looked_up, h);
	return h;
}

void
https_cancel(struct https **https)
{
	struct https *h = *https;

	*https = NULL;
	if (h == NULL)
		return;
	h->over = true;
	if (h->in_turn)
		hang_up(h);
	else
		release(h);
}
