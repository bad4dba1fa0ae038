/* SPDX-License-Identifier: ISC */
/* http/server_call.c -- requests that the loop answers.
 *
 * A thread of libmicrohttpd suspends the connection and puts the call into a
 * list, under the lock; the loop is woken, takes the list and shows each call
 * to the handler.  The answer goes into the peer, which nobody else looks at
 * while it is suspended, and the connection is resumed: its own thread then
 * sends it. */
#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "http/server_priv.h"

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* TEXT with its %XX as octets; "%00" stays, since text ends there. */
static char *
decoded(const char *text)
{
	char *out = mem_new(strlen(text) + 1), *to = out;

	for (; *text != '\0'; text++) {
		int high = text[0] == '%' ? hex_digit(text[1]) : -1;
		int low = high >= 0 ? hex_digit(text[2]) : -1;

		if (low >= 0 && high + low > 0) {
			*to++ = (char)(high * 16 + low);
			text += 2;
		} else {
			*to++ = *text;
		}
	}
	return out;
}

static enum MHD_Result
add_pair(
    void *cookie, enum MHD_ValueKind kind, const char *key, const char *value)
{
	struct server_call *call = cookie;
	struct server_pair *pair = &call->pairs[call->pair_count];

	(void)kind;
	if (call->pair_count == SERVER_QUERY_MAX)
		return MHD_NO;
	pair->key = decoded(key);
	pair->value = decoded(value == NULL ? "" : value);
	call->pair_count++;
	return MHD_YES;
}

const char *
server_query(const struct server_call *call, const char *key)
{
	for (size_t i = 0; i < call->pair_count; i++) {
		if (strcmp(call->pairs[i].key, key) == 0)
			return call->pairs[i].value;
	}
	return NULL;
}

static void
owned_free(const void *owned)
{
	free((void *)(uintptr_t)owned);
}

static void
call_free(struct server_call *call)
{
	const struct server_question *q = &call->question;

	owned_free(q->path);
	owned_free(q->body.at);
	owned_free(q->content_type);
	owned_free(q->if_none_match);
	owned_free(q->if_modified_since);
	for (size_t i = 0; i < call->pair_count; i++) {
		free(call->pairs[i].key);
		free(call->pairs[i].value);
	}
	free(call);
}

/* libmicrohttpd's strings are gone once the connection is resumed, which may
 * be before the handler has answered: so all of it is copied. */
static struct server_call *
call_new(struct server_peer *peer, const struct server_question *question)
{
	struct server_call *call = mem_new(sizeof(*call));
	struct server_question *q = &call->question;

	call->server = peer->server;
	call->peer = peer;
	call->due_s =
	    clock_mono_ms() / 1000 + (int64_t)peer->server->options.answer_s;
	*q = *question;
	q->path = mem_string(question->path);
	q->content_type = mem_string(question->content_type);
	q->if_none_match = mem_string(question->if_none_match);
	q->if_modified_since = mem_string(question->if_modified_since);
	q->call = call;
	peer->body = NULL; /* it is the call's now */
	peer->body_room = peer->body_len = 0;
	(void)MHD_get_connection_values(
	    peer->connection, MHD_GET_ARGUMENT_KIND, add_pair, call);
	return call;
}

bool
server_call_hand_over(
    struct server_peer *peer, const struct server_question *question)
{
	struct server *server = peer->server;
	struct server_call *call = call_new(peer, question);

	(void)pthread_mutex_lock(&server->lock);
	if (server->stopping) {
		(void)pthread_mutex_unlock(&server->lock);
		call_free(call);
		return false;
	}
	peer->handed = true;
	MHD_suspend_connection(peer->connection);
	call->next = NULL;
	*server->fresh_end = call;
	server->fresh_end = &call->next;
	(void)pthread_mutex_unlock(&server->lock);
	(void)uv_async_send(&server->wake->uv);
	return true;
}

/* What was handed over since, behind what was not shown yet. */
static void
take_fresh(struct server *server)
{
	struct server_call **end = &server->unseen;

	while (*end != NULL)
		end = &(*end)->next;
	(void)pthread_mutex_lock(&server->lock);
	*end = server->fresh;
	server->fresh = NULL;
	server->fresh_end = &server->fresh;
	(void)pthread_mutex_unlock(&server->lock);
}

void
server_call_take(struct server_wake *wake)
{
	take_fresh(wake->server);
	/* the handler may stop the server */
	while (wake->server != NULL && wake->server->unseen != NULL) {
		struct server *server = wake->server;
		struct server_call *call = server->unseen;

		server->unseen = call->next;
		call->next = server->calls;
		call->link = &server->calls;
		if (call->next != NULL)
			call->next->link = &call->next;
		server->calls = call;
		server->options.handler.later(
		    server->options.handler.cookie, &call->question);
	}
}

/* Hand the connection back to its thread. */
static void
resume(struct server_call *call, struct MHD_Response *answer, unsigned status)
{
	struct server_peer *peer = call->peer;

	call->peer = NULL;
	peer->answer = answer;
	peer->status = status;
	MHD_resume_connection(peer->connection);
}

void
server_reply(struct server_call *call, const struct server_answer *answer)
{
	struct MHD_Response *response;

	/* The peer keeps a reference until its thread has taken the answer, and
	 * libmicrohttpd has no call for one more to a page. */
	assert(answer->page == NULL);
	response = server_response(answer);
	if (call->peer != NULL)
		resume(call, response, answer->status);
	else
		MHD_destroy_response(response);
	*call->link = call->next;
	if (call->next != NULL)
		call->next->link = call->link;
	call_free(call);
}

void
server_call_expire(struct server *server, int64_t now_s)
{
	for (struct server_call *c = server->calls; c != NULL; c = c->next) {
		if (c->peer != NULL && c->due_s < now_s)
			resume(c, NULL, 0);
	}
}

static void
end_list(struct server_call *list)
{
	for (struct server_call *next; list != NULL; list = next) {
		next = list->next;
		if (list->peer != NULL)
			resume(list, NULL, 0);
		call_free(list);
	}
}

void
server_call_end(struct server *server)
{
	(void)pthread_mutex_lock(&server->lock);
	server->stopping = true;
	(void)pthread_mutex_unlock(&server->lock);
	take_fresh(server); /* the last */
	end_list(server->unseen);
	end_list(server->calls);
	server->unseen = server->calls = NULL;
}
