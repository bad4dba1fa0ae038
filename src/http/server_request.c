/* SPDX-License-Identifier: ISC */
/* http/server_request.c -- one request, on the thread of its connection.
 *
 * libmicrohttpd calls server_handle() when the head of a request is there, for
 * each piece of its body, and once more when it is whole; and again after a
 * connection that the loop had been given was resumed. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/mem.h"
#include "http/server_priv.h"

enum {
	SERVER_BODY_KEPT = 4096, /* bytes of buffer that an idle peer keeps */
	/* A body that is too large is read to its end, or this often its
	 * maximum: most clients look for an answer only then. */
	SERVER_BODY_DROPPED = 16,
};

const struct server_refusal_text server_refusals[REFUSE_COUNT] = {
    [REFUSE_BAD] = {400, "This request cannot be read.\n"},
    [REFUSE_NOT_FOUND] = {404, "There is nothing here.\n"},
    [REFUSE_LARGE_BODY] = {413, "The body of this request is too large.\n"},
    [REFUSE_LARGE_HEAD] = {431, "The head of this request is too large.\n"},
    [REFUSE_METHOD] = {501, "Only GET, HEAD and POST are known here.\n"},
    [REFUSE_LATER] = {503, "No answer in time; try again later.\n"},
};

void
server_deadline(struct server_peer *peer, unsigned in_s)
{
	int64_t now_s =
	    atomic_load_explicit(&peer->server->now_s, memory_order_relaxed);

	/* now_s may be a second old */
	atomic_store_explicit(
	    &peer->deadline_s, now_s + in_s + 1, memory_order_relaxed);
}

static enum MHD_Result
queue(struct server_peer *peer, unsigned status, struct MHD_Response *response)
{
	server_deadline(peer, peer->server->options.send_s);
	return MHD_queue_response(peer->connection, status, response);
}

static enum MHD_Result
refuse(struct server_peer *peer, enum server_refusal why)
{
	return queue(
	    peer, server_refusals[why].status, peer->server->refusals[why]);
}

static enum MHD_Result
give(struct server_peer *peer, const struct server_answer *answer)
{
	struct MHD_Response *response;
	enum MHD_Result rc;

	if (answer->page == NULL)
		peer->form = server_form_fill(
		    &peer->server->forms[peer->thread], answer, clock_wall_s());
	if (peer->form != NULL)
		return queue(
		    peer, answer->status, server_form_response(peer->form));
	response = server_response(answer);
	rc = queue(peer, answer->status, response);
	if (answer->page == NULL)
		MHD_destroy_response(response);
	return rc;
}

static bool
method_find(const char *name, enum server_method *out)
{
	if (strcmp(name, MHD_HTTP_METHOD_GET) == 0)
		*out = SERVER_GET;
	else if (strcmp(name, MHD_HTTP_METHOD_POST) == 0)
		*out = SERVER_POST;
	else if (strcmp(name, MHD_HTTP_METHOD_HEAD) == 0)
		*out = SERVER_HEAD;
	else
		return false;
	return true;
}

#define NAME(text)                     \
	{                              \
		text, sizeof(text) - 1 \
	}

static const struct {
	const char *text;
	size_t len;
} header_names[SERVER_HEADERS] = {
    [SERVER_HOST] = NAME(MHD_HTTP_HEADER_HOST),
    [SERVER_LENGTH] = NAME(MHD_HTTP_HEADER_CONTENT_LENGTH),
    [SERVER_CODING] = NAME(MHD_HTTP_HEADER_TRANSFER_ENCODING),
    [SERVER_CONTENT_TYPE] = NAME(MHD_HTTP_HEADER_CONTENT_TYPE),
    [SERVER_IF_NONE_MATCH] = NAME(MHD_HTTP_HEADER_IF_NONE_MATCH),
    [SERVER_IF_MODIFIED_SINCE] = NAME(MHD_HTTP_HEADER_IF_MODIFIED_SINCE),
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* RFC 9112, sections 5.1 and 2.2: a blank before the colon, or before the first
 * line, makes a name that others may read as the one without it. */
static bool
has_blank_ends(const char *name, size_t len)
{
	return len > 0 && (is_blank(name[0]) || is_blank(name[len - 1]));
}

/* Of a header that is there twice the first counts, if it may be there twice:
 * lengths may if they are alike (RFC 9110, section 8.6). */
static enum MHD_Result
see_header(void *cookie, enum MHD_ValueKind kind, const char *name,
    size_t name_len, const char *value, size_t value_len)
{
	struct server_head *head = cookie;
	unsigned i = 0;

	(void)kind;
	(void)value_len;
	/* the length tells most names apart */
	while (i < SERVER_HEADERS &&
	       (header_names[i].len != name_len ||
		   strcasecmp(header_names[i].text, name) != 0))
		i++;
	if (i == SERVER_HEADERS) {
		head->ambiguous =
		    head->ambiguous || has_blank_ends(name, name_len);
		return MHD_YES;
	}
	if (head->values[i] == NULL)
		head->values[i] = value;
	else if (i == SERVER_HOST || i == SERVER_CODING ||
		 (i == SERVER_LENGTH && strcmp(head->values[i], value) != 0))
		head->ambiguous = true;
	return MHD_YES;
}

/* RFC 9112, section 3.2: one Host, which only HTTP/1.0 may lack.  Sections 6.1
 * and 6.3: a coding that is not chunked has no end that could be known.  One
 * beside a Content-Length or in HTTP/1.0, and lengths that differ, are how
 * requests are smuggled past what stands in front of us. */
static bool
is_well_formed(const struct server_head *head, const char *version)
{
	const char *coding = head->values[SERVER_CODING];
	bool old = strcmp(version, MHD_HTTP_VERSION_1_0) == 0;

	if (head->ambiguous || (head->values[SERVER_HOST] == NULL && !old))
		return false;
	return coding == NULL ||
	       (head->values[SERVER_LENGTH] == NULL &&
		   strcasecmp(coding, "chunked") == 0 && !old);
}

/* The head is there.  An answer that is given now closes the connection, with
 * the body unread. */
static enum MHD_Result
begin(struct server_peer *peer, const char *method, const char *version)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
	    peer->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);

	if (!method_find(method, &peer->method))
		return refuse(peer, REFUSE_METHOD);
	if (info != NULL && info->header_size > SERVER_HEAD_MAX)
		return refuse(peer, REFUSE_LARGE_HEAD);
	(void)MHD_get_connection_values_n(
	    peer->connection, MHD_HEADER_KIND, see_header, &peer->head);
	return is_well_formed(&peer->head, version) ? MHD_YES
						    : refuse(peer, REFUSE_BAD);
}

static void
body_free(struct server_peer *peer)
{
	free(peer->body);
	peer->body = NULL;
	peer->body_room = 0;
}

/* Room grows with what came, not with what was announced: a client pays for
 * our memory in octets.  False: enough of it. */
static bool
body_add(struct server_peer *peer, const void *bytes, size_t len)
{
	const size_t max = peer->server->options.body_max;

	if (len > max - peer->body_len) {
		peer->too_large = true;
		peer->dropped += len;
		return peer->dropped / SERVER_BODY_DROPPED <= max;
	}
	if (peer->body_len + len > peer->body_room) {
		size_t room = 2 * (peer->body_len + len);

		if (room > max)
			room = max;
		peer->body = mem_resize(peer->body, room, 1);
		peer->body_room = room;
	}
	memcpy(peer->body + peer->body_len, bytes, len);
	peer->body_len += len;
	return true;
}

/* RFC 9112, section 3.2.2: a server must accept the absolute form, which is
 * what a client sends that takes us for its proxy. */
static const char *
path_of(const char *url)
{
	const char *path;

	if (strncasecmp(url, "http://", 7) != 0)
		return url;
	path = strchr(url + 7, '/');
	return path == NULL ? "/" : path;
}

/* The request is whole. */
static enum MHD_Result
ask(struct server_peer *peer, const char *url)
{
	const struct server_handler *handler = &peer->server->options.handler;
	struct server_answer answer = {0};
	struct server_question question = {.method = peer->method,
	    .path = path_of(url),
	    .body = {.at = peer->body, .len = peer->body_len},
	    .thread = peer->thread};

	if (peer->method == SERVER_POST) {
		question.content_type = peer->head.values[SERVER_CONTENT_TYPE];
	} else {
		question.if_none_match =
		    peer->head.values[SERVER_IF_NONE_MATCH];
		question.if_modified_since =
		    peer->head.values[SERVER_IF_MODIFIED_SINCE];
	}
	if (peer->too_large)
		return refuse(peer, REFUSE_LARGE_BODY);
	if (handler->at_once != NULL &&
	    handler->at_once(handler->cookie, &question, &answer))
		return give(peer, &answer);
	if (handler->later == NULL)
		return refuse(peer, REFUSE_NOT_FOUND);
	/* the loop answers in time, see server_call_expire() */
	atomic_store_explicit(
	    &peer->deadline_s, INT64_MAX, memory_order_relaxed);
	if (!server_call_hand_over(peer, &question))
		return refuse(peer, REFUSE_LATER);
	return MHD_YES;
}

/* Resumed. */
static enum MHD_Result
give_handed(struct server_peer *peer)
{
	struct MHD_Response *answer = peer->answer;
	enum MHD_Result rc;

	if (answer == NULL)
		return refuse(peer, REFUSE_LATER);
	peer->answer = NULL;
	rc = queue(peer, peer->status, answer);
	MHD_destroy_response(answer);
	return rc;
}

enum MHD_Result
server_handle(void *cookie, struct MHD_Connection *connection, const char *url,
    const char *method, const char *version, const char *data, size_t *len,
    void **request)
{
	struct server_peer *peer = MHD_get_connection_info(
	    connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)
				       ->socket_context;

	(void)cookie;
	(void)request;
	if (!peer->begun) {
		peer->begun = true;
		return begin(peer, method, version);
	}
	if (*len > 0) {
		bool more = body_add(peer, data, *len);

		*len = 0;
		return more ? MHD_YES : MHD_NO;
	}
	return peer->handed ? give_handed(peer) : ask(peer, url);
}

/* A request is over, or its connection is. */
void
server_completed(void *cookie, struct MHD_Connection *connection,
    void **request, enum MHD_RequestTerminationCode why)
{
	struct server_peer *peer = MHD_get_connection_info(
	    connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)
				       ->socket_context;

	(void)cookie;
	(void)request;
	(void)why;
	if (peer->body_room > SERVER_BODY_KEPT)
		body_free(peer);
	server_form_done(peer->server->forms[peer->thread], &peer->form);
	if (peer->answer != NULL)
		MHD_destroy_response(peer->answer);
	peer->answer = NULL;
	peer->head = (struct server_head){0};
	peer->body_len = peer->dropped = 0;
	peer->begun = peer->too_large = peer->handed = false;
	server_deadline(peer, peer->server->options.request_s);
}
