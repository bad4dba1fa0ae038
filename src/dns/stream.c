/* SPDX-License-Identifier: ISC */
/* dns/stream.c -- DNS questions over TCP (RFC 7766) or TLS (RFC 7858).
 *
 * Everything that is told is told in a turn: what comes from below opens it,
 * and its close frees the stream if it ended or was cancelled meanwhile. */
#include "dns/stream.h"

#include <assert.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/err.h"
#include "base/loop.h"
#include "base/mem.h"
#include "dns/frame.h"
#include "tls/channel.h"
#include "tls/secure.h"

enum { QUERY_MAX = 512 }; /* ours are smaller */

struct stream {
	uv_loop_t *loop; /* borrowed; must outlive */
	struct sockaddr_storage address;
	bool secure;
	struct secure_trust trust; /* with these two: */
	char *trust_name, *ca_file;
	int64_t deadline_ms;
	char *name;
	enum dns_type types[QUESTIONS_MAX];
	uint16_t ids[QUESTIONS_MAX];
	bool answered[QUESTIONS_MAX];
	size_t count, missing;
	struct channel *channel;
	bool progress;               /* this connection has brought an answer */
	struct loop_timer *deadline; /* or the report of an early failure */
	struct frame frame;
	size_t messages, malformed, foreign;
	struct err err;
	bool in_turn, over;
	struct question_callbacks callbacks;
	void *cookie;
};

static void
hang_up(struct stream *s)
{
	channel_cancel(&s->channel);
	loop_timer_cancel(&s->deadline);
}

static void
release(struct stream *s)
{
	hang_up(s);
	frame_reset(&s->frame);
	free(s->name);
	free(s->trust_name);
	free(s->ca_file);
	free(s);
}

static void
open_turn(struct stream *s)
{
	assert(!s->in_turn && !s->over);
	s->in_turn = true;
}

static void
close_turn(struct stream *s)
{
	s->in_turn = false;
	if (s->over)
		release(s);
}

/* The one way out, within a turn. */
static void
finish(struct stream *s)
{
	hang_up(s);
	if (!s->over)
		s->callbacks.end(s->cookie, &s->err);
	s->over = true;
}

/* --- asking --- */

/* The questions that have no answer yet, framed. */
static int
write_questions(const struct stream *s, struct buf *out, struct err *err)
{
	uint8_t query[QUERY_MAX];
	size_t len;

	for (size_t i = 0; i < s->count; i++) {
		if (s->answered[i])
			continue;
		if (dns_query_write(s->name, s->types[i], s->ids[i], query,
			sizeof(query), &len, err) == -1)
			return -1;
		frame_write(out, query, len);
	}
	return 0;
}

static void took_input(void *cookie, const uint8_t *bytes, size_t len);
static void took_end(void *cookie, const struct err *err);

static int
connect_and_ask(struct stream *s)
{
	static const struct channel_callbacks callbacks = {
	    .input = took_input, .end = took_end};
	struct channel_request request = {
	    .address = (const struct sockaddr *)&s->address,
	    .trust = s->secure ? &s->trust : NULL,
	};
	struct buf say;
	int rc;

	buf_init(&say, QUESTIONS_MAX * (QUERY_MAX + 2));
	rc = write_questions(s, &say, &s->err);
	if (rc == 0) {
		frame_reset(&s->frame);
		s->progress = false;
		request.say.at = (const uint8_t *)buf_text(&say);
		request.say.len = say.len;
		s->channel = channel_start(s->loop, &request, &callbacks, s);
	}
	buf_done(&say);
	return rc;
}

/* --- hearing --- */

/* RFC 7766, section 7: an answer is matched by its id and its question, for
 * the order may be another. */
static void
take_message(struct stream *s, struct span bytes)
{
	struct dns_message message; /* 20 KB */
	size_t which = 0;

	if (dns_message_parse(bytes.at, bytes.len, &message, NULL) != 0) {
		s->malformed++;
		return;
	}
	while (
	    which < s->count &&
	    (s->answered[which] || !dns_message_answers(&message, s->ids[which],
				       s->name, s->types[which])))
		which++;
	if (which == s->count) {
		s->foreign++;
		return;
	}
	s->answered[which] = true;
	s->missing--;
	s->progress = true;
	s->callbacks.answer(s->cookie, which, &message);
}

static void
no_answer(struct stream *s, const char *how)
{
	(void)err_set(&s->err, REASON_DNS_NO_ANSWER,
	    "%s for '%.200s' (%zu messages malformed, %zu not to this "
	    "question)",
	    how, s->name, s->malformed, s->foreign);
}

static void
took_input(void *cookie, const uint8_t *bytes, size_t len)
{
	struct stream *s = cookie;
	struct span input = {bytes, len};
	struct span message;

	open_turn(s);
	while (!s->over && s->missing > 0 &&
	       s->messages < STREAM_MESSAGES_MAX &&
	       frame_next(&s->frame, &input, &message)) {
		s->messages++;
		take_message(s, message);
	}
	if (!s->over && s->missing > 0 && s->messages == STREAM_MESSAGES_MAX)
		no_answer(s, "many messages and no answer came");
	if (!s->over && (s->missing == 0 || s->messages == STREAM_MESSAGES_MAX))
		finish(s);
	close_turn(s);
}

/* RFC 7766, section 6.2.4: what a closed connection has left unanswered is
 * asked again; as long as each connection brings something, so it ends. */
static void
took_end(void *cookie, const struct err *err)
{
	struct stream *s = cookie;

	open_turn(s);
	s->channel = NULL;
	if (!s->progress || connect_and_ask(s) == -1) {
		if (err->reason != REASON_NONE)
			(void)err_set(&s->err, err->reason, "%s", err->text);
		no_answer(s, frame_is_cut(&s->frame)
				 ? "the server closed the connection in the "
				   "middle of an answer"
				 : "the server closed the connection without "
				   "an answer");
		finish(s);
	}
	close_turn(s);
}

static void
deadline_passed(void *cookie)
{
	struct stream *s = cookie;
	char how[96];

	open_turn(s);
	s->deadline = NULL;
	(void)snprintf(how, sizeof(how), "the server did not %s within %lld ms",
	    channel_waits_for(s->channel), (long long)s->deadline_ms);
	no_answer(s, how);
	finish(s);
	close_turn(s);
}

static void
tell_failure(void *cookie)
{
	struct stream *s = cookie;

	open_turn(s);
	s->deadline = NULL;
	finish(s);
	close_turn(s);
}

/* --- start and cancel --- */

/* Random, and each another. */
static void
choose_ids(struct stream *s)
{
	ssize_t got = getrandom(s->ids, sizeof(s->ids), 0);

	assert(got == (ssize_t)sizeof(s->ids)); /* up to 256 never fail */
	if (s->ids[0] == s->ids[1])
		s->ids[1] ^= 1;
}

struct stream *
stream_start(uv_loop_t *loop, const struct stream_server *server,
    const struct questions *questions,
    const struct question_callbacks *callbacks, void *cookie)
{
	struct stream *s = mem_new(sizeof(*s));

	s->loop = loop;
	memcpy(&s->address, server->address,
	    server->address->sa_family == AF_INET6
		? sizeof(struct sockaddr_in6)
		: sizeof(struct sockaddr_in));
	s->secure = server->trust != NULL;
	if (s->secure) {
		s->trust = *server->trust;
		s->trust.name = s->trust_name = mem_string(s->trust.name);
		s->trust.ca_file = s->ca_file = mem_string(s->trust.ca_file);
	}
	s->deadline_ms =
	    server->deadline_ms > 0 ? server->deadline_ms : STREAM_DEADLINE_MS;
	s->name = mem_string(questions->name);
	s->count = s->missing = questions->count;
	memcpy(s->types, questions->types, sizeof(s->types));
	s->callbacks = *callbacks;
	s->cookie = cookie;
	choose_ids(s);
	if (connect_and_ask(s) == -1)
		s->deadline = loop_timer_start(loop, 0, tell_failure, s);
	else
		s->deadline =
		    loop_timer_start(loop, s->deadline_ms, deadline_passed, s);
	return s;
}

void
stream_cancel(struct stream **stream)
{
	struct stream *s = *stream;

	*stream = NULL;
	if (s == NULL)
		return;
	s->over = true;
	if (s->in_turn)
		hang_up(s);
	else
		release(s);
}
