/* SPDX-License-Identifier: ISC */
/* dns/datagram.c -- one DNS question over UDP, and every datagram that comes.
 *
 * Two timers (the window, and asking again) and one socket.  Callbacks come
 * from the socket's event and from the window's end only; a cancel from within
 * one closes everything at once and leaves the freeing to whoever called. */
#include "dns/datagram.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/loop.h"
#include "base/mem.h"
#include "dns/packet.h"

enum {
	QUERY_MAX = 512,      /* RFC 1035, section 4.2.1; ours are smaller */
	READS_MAX = 64,       /* datagrams read in one turn of the loop */
	SERVER_TEXT = 64 + 8, /* "[v6%scope]:port" */
};

enum { RCODE_FORMERR = 1, RCODE_NOTIMP = 4, RCODE_BADVERS = 16 };

struct datagram_query {
	uv_loop_t *loop; /* borrowed; must outlive */
	int fd;
	struct loop_watch *watch;
	struct loop_timer *window, *resend;
	struct sockaddr_storage server;
	socklen_t server_size;
	char *name;
	char *asked; /* the same in random case; as given when asked plainly */
	enum dns_type type;
	uint16_t id;
	uint8_t query[QUERY_MAX];
	size_t query_len;
	int64_t hold_ms, asked_ms;
	size_t answers, malformed, foreign; /* datagrams that came */
	struct err err;
	bool plain; /* asked without EDNS, as the last resort */
	bool once;
	int hops; /* 0: any */
	unsigned manner;
	bool busy, cancelled, reporting;
	struct datagram_callbacks callbacks;
	void *cookie;
};

/* Nothing comes from here on. */
static void
hang_up(struct datagram_query *query)
{
	loop_watch_cancel(&query->watch);
	loop_timer_cancel(&query->window);
	loop_timer_cancel(&query->resend);
	if (query->fd != -1)
		close(query->fd);
	query->fd = -1;
}

static void
query_free(struct datagram_query *query)
{
	hang_up(query);
	free(query->name);
	free(query->asked);
	free(query);
}

static void
finish(struct datagram_query *query)
{
	hang_up(query);
	query->reporting = true; /* a cancel does nothing any more */
	query->callbacks.end(query->cookie, &query->err);
	query_free(query);
}

static void
server_text(const struct datagram_query *query, char out[SERVER_TEXT])
{
	char address[INET6_ADDRSTRLEN + 1] = "?";
	const struct sockaddr *sa = (const struct sockaddr *)&query->server;
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)sa;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)sa;

	if (sa->sa_family == AF_INET)
		(void)inet_ntop(
		    AF_INET, &v4->sin_addr, address, sizeof(address));
	else if (sa->sa_family == AF_INET6)
		(void)inet_ntop(
		    AF_INET6, &v6->sin6_addr, address, sizeof(address));
	(void)snprintf(out, SERVER_TEXT, "%s port %u", address,
	    ntohs(sa->sa_family == AF_INET6 ? v6->sin6_port : v4->sin_port));
}

static void
fail_unreachable(struct datagram_query *query, int os_errno)
{
	char server[SERVER_TEXT];

	server_text(query, server);
	err_set(&query->err, REASON_UNREACHABLE,
	    "the resolver %s cannot be asked for '%.200s' (%s): %s", server,
	    query->name, dns_type_name(query->type), strerror(os_errno));
}

/* Ask.  False, with the failure noted, if the question cannot leave. */
static bool
send_question(struct datagram_query *query)
{
	ssize_t sent =
	    sendto(query->fd, query->query, query->query_len, MSG_NOSIGNAL,
		(const struct sockaddr *)&query->server, query->server_size);

	/* A full socket buffer is as good as a lost datagram. */
	if (sent >= 0 || errno == EAGAIN || errno == ENOBUFS)
		return true;
	/* That of an earlier datagram; the error queue tells it better. */
	if (errno == ECONNREFUSED)
		return true;
	fail_unreachable(query, errno);
	return false;
}

/* As it was done in 1987: the name as it was given, and no EDNS.  False, with
 * the failure noted, if the question cannot leave. */
static bool
ask_plainly(struct datagram_query *query)
{
	query->plain = true;
	memcpy(query->asked, query->name, strlen(query->name));
	(void)dns_query_write_as(query->name, query->type, query->id,
	    query->manner | DNS_NO_EDNS, query->query, sizeof(query->query),
	    &query->query_len, NULL);
	return send_question(query);
}

/* Some servers cannot cope with mixed case, and some firewalls not with EDNS:
 * neither says so. */
static void
ask_again(void *cookie)
{
	struct datagram_query *query = cookie;

	query->resend = NULL;
	if (query->answers == 0 && !query->plain && !ask_plainly(query))
		finish(query);
}

/* Not an answer but a word about our form, with or without the question.  RFC
 * 6891, section 7: "Responders that choose not to implement the protocol
 * extensions ... MUST respond with a return code (RCODE) of FORMERR"; some say
 * NOTIMP.  A liar's word costs nothing: we go on listening. */
static bool
is_about_edns(
    const struct datagram_query *query, const struct dns_message *message)
{
	return message->response && message->id == query->id &&
	       (message->rcode == RCODE_FORMERR ||
		   message->rcode == RCODE_NOTIMP ||
		   message->rcode == RCODE_BADVERS);
}

/* True if A is the address that was asked.  RFC 5452, section 9.1: answers
 * from any other "MUST" not be believed. */
static bool
is_server(const struct datagram_query *query, const struct sockaddr_storage *a)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)a;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)a;
	const struct sockaddr_in *asked4 =
	    (const struct sockaddr_in *)&query->server;
	const struct sockaddr_in6 *asked6 =
	    (const struct sockaddr_in6 *)&query->server;

	if (a->ss_family != query->server.ss_family)
		return false;
	if (a->ss_family == AF_INET)
		return v4->sin_port == asked4->sin_port &&
		       v4->sin_addr.s_addr == asked4->sin_addr.s_addr;
	return v6->sin6_port == asked6->sin6_port &&
	       memcmp(&v6->sin6_addr, &asked6->sin6_addr,
		   sizeof(v6->sin6_addr)) == 0;
}

/* What the ICMP messages of the error queue say: the errno of one that means
 * that the server cannot be reached, or 0. */
static int
read_errors(struct datagram_query *query)
{
	struct packet packet;
	int worst = 0;

	for (int i = 0; i < READS_MAX; i++) {
		if (packet_receive(query->fd, MSG_ERRQUEUE, &packet) != 0)
			break;
		switch (packet.sock_errno) {
		case ECONNREFUSED:
		case EHOSTUNREACH:
		case ENETUNREACH:
		case EACCES:
			worst = packet.sock_errno;
			break;
		default: /* such as EMSGSIZE: says nothing of the server */
			break;
		}
	}
	return worst;
}

static void
tell_stray(struct datagram_query *query, const struct packet *packet,
    const struct dns_message *message)
{
	const struct sockaddr *from = (const struct sockaddr *)&packet->from;
	struct datagram_stray stray = {
	    .at_ms = clock_mono_ms() - query->asked_ms,
	    .ip_ttl = packet->ip_ttl,
	    .size = packet->len,
	    .elsewhere = !is_server(query, &packet->from),
	    .message = message,
	};

	if (query->callbacks.stray == NULL)
		return;
	if (from->sa_family == AF_INET)
		(void)inet_ntop(AF_INET,
		    &((const struct sockaddr_in *)from)->sin_addr, stray.from,
		    sizeof(stray.from));
	else if (from->sa_family == AF_INET6)
		(void)inet_ntop(AF_INET6,
		    &((const struct sockaddr_in6 *)from)->sin6_addr, stray.from,
		    sizeof(stray.from));
	query->callbacks.stray(query->cookie, &stray);
}

static void
take_datagram(struct datagram_query *query, const struct packet *packet)
{
	struct dns_message message; /* 20 KB */
	struct datagram_answer answer = {
	    .at_ms = clock_mono_ms() - query->asked_ms,
	    .ip_ttl = packet->ip_ttl,
	    .size = packet->len,
	    .message = &message,
	};

	if (dns_message_parse(packet->bytes, packet->len, &message, NULL) !=
	    0) {
		query->malformed++;
		tell_stray(query, packet, NULL);
		return;
	}
	if (!is_server(query, &packet->from)) {
		query->foreign++;
		tell_stray(query, packet, &message);
		return;
	}
	if (!query->plain && !query->once && is_about_edns(query, &message)) {
		(void)ask_plainly(query);
		return;
	}
	if (!dns_message_answers(
		&message, query->id, query->name, query->type)) {
		query->foreign++;
		tell_stray(query, packet, &message);
		return;
	}
	if (query->answers == DATAGRAM_ANSWERS_MAX)
		return;
	query->answers++;
	answer.other_case = !dns_message_echoes(&message, query->asked);
	query->callbacks.answer(query->cookie, &answer);
}

/* Take what is there.  False if a callback has cancelled the query, which is
 * gone then. */
static bool
read_datagrams(struct datagram_query *query)
{
	struct packet packet;

	query->busy = true;
	for (int i = 0; i < READS_MAX && !query->cancelled; i++) {
		int os_errno = packet_receive(query->fd, 0, &packet);

		if (os_errno == EAGAIN)
			break;
		/* Any other errno is an ICMP error's, taken off by this. */
		if (os_errno == 0)
			take_datagram(query, &packet);
	}
	query->busy = false;
	if (!query->cancelled)
		return true;
	query_free(query);
	return false;
}

static void
socket_event(void *cookie, int status, int events)
{
	struct datagram_query *query = cookie;
	int unreachable;

	(void)events;
	/* libuv stops watching at POLLERR, which here is only news. */
	if (status < 0)
		loop_watch_change(query->watch, UV_READABLE);
	if (!read_datagrams(query))
		return;
	unreachable = read_errors(query);
	if (unreachable != 0 && query->answers == 0 && query->hops == 0) {
		fail_unreachable(query, unreachable);
		finish(query);
	}
}

static void
window_closed(void *cookie)
{
	struct datagram_query *query = cookie;
	char server[SERVER_TEXT];

	query->window = NULL;
	/* In a busy loop timers come before sockets: what has arrived in time
	 * is not lost for that. */
	if (!read_datagrams(query))
		return;
	server_text(query, server);
	if (query->answers == 0)
		err_set(&query->err, REASON_DNS_NO_ANSWER,
		    "the resolver %s gave no answer for '%.200s' (%s) within "
		    "%lld ms (%zu datagrams malformed, %zu from elsewhere or "
		    "not to this question)",
		    server, query->name, dns_type_name(query->type),
		    (long long)query->hold_ms, query->malformed,
		    query->foreign);
	finish(query);
}

/* Each letter of the name up or down by a bit of chance; what is no letter, or
 * is beyond the chance that we have, stays. */
static void
mix_case(char *name)
{
	uint8_t chance[32]; /* 256 letters: more than a name has */
	ssize_t got = getrandom(chance, sizeof(chance), 0);

	assert(got == (ssize_t)sizeof(chance)); /* up to 256 never fail */
	for (size_t i = 0; i < 8 * sizeof(chance) && name[i] != '\0'; i++) {
		bool letter = (name[i] >= 'a' && name[i] <= 'z') ||
			      (name[i] >= 'A' && name[i] <= 'Z');

		if (letter && (chance[i / 8] >> i % 8 & 1) != 0)
			name[i] = (char)(name[i] ^ 0x20);
	}
}

static int
set_up(struct datagram_query *query)
{
	ssize_t got = getrandom(&query->id, sizeof(query->id), 0);

	assert(got == (ssize_t)sizeof(query->id));
	mix_case(query->asked);
	if (dns_query_write_as(query->asked, query->type, query->id,
		query->manner, query->query, sizeof(query->query),
		&query->query_len, &query->err) != 0)
		return -1;
	query->fd = packet_socket(query->server.ss_family);
	if (query->fd == -1) {
		fail_unreachable(query, errno);
		return -1;
	}
	if (query->hops > 0)
		packet_limit(query->fd, query->server.ss_family, query->hops);
	if (!send_question(query))
		return -1;
	query->watch = loop_watch_start(
	    query->loop, query->fd, UV_READABLE, socket_event, query);
	return 0;
}

static void
tell_failure(void *cookie)
{
	struct datagram_query *query = cookie;

	query->window = NULL;
	finish(query);
}

struct datagram_query *
datagram_start(uv_loop_t *loop, const struct sockaddr *server, const char *name,
    enum dns_type type, int64_t hold_ms,
    const struct datagram_callbacks *callbacks, void *cookie)
{
	const struct datagram_question question = {
	    .server = server, .name = name, .type = type, .hold_ms = hold_ms};

	return datagram_ask(loop, &question, callbacks, cookie);
}

struct datagram_query *
datagram_ask(uv_loop_t *loop, const struct datagram_question *question,
    const struct datagram_callbacks *callbacks, void *cookie)
{
	const struct sockaddr *server = question->server;
	struct datagram_query *query = mem_new(sizeof(*query));

	query->loop = loop;
	query->fd = -1;
	query->server_size = server->sa_family == AF_INET6
				 ? sizeof(struct sockaddr_in6)
				 : sizeof(struct sockaddr_in);
	memcpy(&query->server, server, query->server_size);
	query->name = mem_string(question->name);
	query->asked = mem_string(question->name);
	query->type = question->type;
	query->manner = question->manner;
	query->once = question->once;
	query->hops = question->hops;
	query->hold_ms =
	    question->hold_ms > 0 ? question->hold_ms : DATAGRAM_HOLD_MS;
	query->asked_ms = clock_mono_ms();
	query->callbacks = *callbacks;
	query->cookie = cookie;
	if (set_up(query) != 0) {
		query->window = loop_timer_start(loop, 0, tell_failure, query);
		return query;
	}
	query->window =
	    loop_timer_start(loop, query->hold_ms, window_closed, query);
	if (!query->once && query->hold_ms > DATAGRAM_RESEND_MS)
		query->resend = loop_timer_start(
		    loop, DATAGRAM_RESEND_MS, ask_again, query);
	return query;
}

void
datagram_cancel(struct datagram_query **query)
{
	struct datagram_query *q = *query;

	*query = NULL;
	if (q == NULL || q->reporting)
		return;
	hang_up(q);
	if (q->busy)
		q->cancelled = true; /* read_datagrams frees */
	else
		query_free(q);
}
