/* SPDX-License-Identifier: ISC */
/* dns/resolver.c -- asking, by whatever transport the resolver is reached.
 *
 *   system      one look-up of the C library
 *   udp         a datagram query for each question; an answer that is cut off
 *               (TC) leads to the same question by TCP
 *   tcp, tls, https   both questions over one connection
 *
 * Every callback to the caller happens in a turn: what comes from below opens
 * it, and its close frees the query if it ended or was cancelled meanwhile.
 * Between the two `over` says that nothing may be told any more. */
#include "dns/resolver.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/loop.h"
#include "base/mem.h"
#include "dns/connection.h"
#include "dns/datagram.h"
#include "dns/system.h"

enum { RCODE_NXDOMAIN = 3 };

struct question {
	struct resolver_query *query;
	enum dns_type type;
	struct datagram_query *datagrams; /* NULL: not asked, or ended */
	struct connection *whole; /* after a truncated answer; NULL: as above */
	bool truncated;           /* it has been asked by TCP */
	bool heard;               /* an answer came, or it failed */
};

struct resolver_query {
	uv_loop_t *loop;          /* borrowed; must outlive */
	struct resolver resolver; /* a copy */
	struct question questions[QUESTIONS_MAX];
	size_t question_count;
	struct system_query *system;
	struct connection *connection;
	struct loop_timer *at_once; /* for what needs no asking */
	char *name;
	enum resolver_family family;
	int64_t asked_ms;
	bool got_address, settled;
	bool nxdomain;    /* an answer said so */
	int bad_rcode;    /* another error of an answer; 0: none */
	size_t empty;     /* answers without error and without address */
	struct err first; /* the first question's that had no answer at all */
	bool in_turn, over;
	struct resolver_callbacks callbacks;
	void *cookie;
};

static void
hang_up(struct resolver_query *query)
{
	for (size_t i = 0; i < QUESTIONS_MAX; i++) {
		datagram_cancel(&query->questions[i].datagrams);
		connection_cancel(&query->questions[i].whole);
	}
	connection_cancel(&query->connection);
	system_cancel(&query->system);
	loop_timer_cancel(&query->at_once);
}

static void
query_free(struct resolver_query *query)
{
	hang_up(query);
	free(query->name);
	free(query);
}

static void
open_turn(struct resolver_query *query)
{
	assert(!query->in_turn && !query->over);
	query->in_turn = true;
}

static void
close_turn(struct resolver_query *query)
{
	query->in_turn = false;
	if (query->over)
		query_free(query);
}

static bool
is_wanted(const struct resolver_query *query, const char *address)
{
	bool v6 = strchr(address, ':') != NULL;

	switch (query->family) {
	case RESOLVER_BOTH:
		return true;
	case RESOLVER_IPV4:
		return !v6;
	case RESOLVER_IPV6:
		return v6;
	}
	return false;
}

static void
tell_answer(struct resolver_query *query, const char *const *addresses,
    size_t address_count, const char *const *chain, size_t chain_length)
{
	const char *wanted[DNS_ADDRESSES_MAX];
	struct resolver_answer answer = {.addresses = wanted,
	    .chain = chain,
	    .chain_length = chain_length,
	    .at_ms = clock_mono_ms() - query->asked_ms};

	for (size_t i = 0; i < address_count; i++) {
		if (is_wanted(query, addresses[i]) &&
		    answer.address_count < DNS_ADDRESSES_MAX)
			wanted[answer.address_count++] = addresses[i];
	}
	if (answer.address_count > 0)
		query->got_address = true;
	if (!query->over)
		query->callbacks.answer(query->cookie, &answer);
}

static void
tell_settled(struct resolver_query *query)
{
	if (query->over || query->settled)
		return;
	query->settled = true;
	if (query->callbacks.settled != NULL)
		query->callbacks.settled(query->cookie);
}

static void
tell_end(struct resolver_query *query, const struct err *err)
{
	tell_settled(query);
	if (!query->over)
		query->callbacks.end(query->cookie, err);
	query->over = true;
}

static void
settle_if_heard(struct resolver_query *query)
{
	for (size_t i = 0; i < query->question_count; i++) {
		if (!query->questions[i].heard)
			return;
	}
	tell_settled(query);
}

/* Pass on what MESSAGE claims, within a turn. */
static void
tell_message(struct resolver_query *query, const struct dns_message *message)
{
	const char *addresses[DNS_ADDRESSES_MAX];
	const char *chain[DNS_CHAIN_MAX];

	for (size_t i = 0; i < message->address_count; i++)
		addresses[i] = message->addresses[i];
	for (size_t i = 0; i < message->chain_length; i++)
		chain[i] = message->chain[i];
	if (message->rcode == RCODE_NXDOMAIN)
		query->nxdomain = true;
	else if (message->rcode != 0)
		query->bad_rcode = message->rcode;
	else if (message->address_count == 0)
		query->empty++;
	tell_answer(query, addresses, message->address_count, chain,
	    message->chain_length);
}

/* What all datagrams of all questions together say. */
static void
conclude(const struct resolver_query *query, struct err *err)
{
	if (query->got_address)
		return;
	if (query->nxdomain)
		err_set(err, REASON_DNS_NXDOMAIN,
		    "%s says that '%.200s' does not exist (NXDOMAIN)",
		    query->resolver.url, query->name);
	else if (query->bad_rcode != 0)
		err_set(err, REASON_DNS_SERVFAIL,
		    "%s failed to look up '%.200s' (rcode %d, %s)",
		    query->resolver.url, query->name, query->bad_rcode,
		    query->bad_rcode == 2   ? "SERVFAIL"
		    : query->bad_rcode == 5 ? "REFUSED"
					    : "RFC 1035, section 4.1.1");
	else if (query->empty > 0 || query->first.reason == REASON_NONE)
		err_set(err, REASON_DNS_NO_ANSWER,
		    "%s names no address for '%.200s'", query->resolver.url,
		    query->name);
	else
		/* A resolver out of reach has not answered either; of the
		 * responder it says nothing. */
		err_set(err, REASON_DNS_NO_ANSWER, "%s", query->first.text);
}

static void
note_failure(struct resolver_query *query, const struct err *err)
{
	if (err->reason != REASON_NONE && query->first.reason == REASON_NONE)
		query->first = *err;
}

/* End, if nothing can come any more. */
static void
end_if_done(struct resolver_query *query)
{
	struct err verdict = {0};

	if (query->over)
		return;
	settle_if_heard(query);
	for (size_t i = 0; i < query->question_count; i++) {
		if (query->questions[i].datagrams != NULL ||
		    query->questions[i].whole != NULL)
			return;
	}
	if (query->connection != NULL)
		return;
	conclude(query, &verdict);
	tell_end(query, &verdict);
}

/* --- datagrams, and TCP after a truncated one --- */

static void
whole_answered(void *cookie, size_t which, const struct dns_message *message)
{
	struct question *question = cookie;
	struct resolver_query *query = question->query;

	(void)which;
	open_turn(query);
	question->heard = true;
	tell_message(query, message);
	settle_if_heard(query);
	close_turn(query);
}

static void
whole_ended(void *cookie, const struct err *err)
{
	struct question *question = cookie;
	struct resolver_query *query = question->query;

	open_turn(query);
	question->whole = NULL;
	question->heard = true;
	note_failure(query, err);
	end_if_done(query);
	close_turn(query);
}

/* RFC 7766, section 5: after TC "the client SHOULD" ask again by TCP. */
static void
ask_for_whole(struct question *question)
{
	static const struct question_callbacks heard = {
	    .answer = whole_answered, .end = whole_ended};
	struct resolver_query *query = question->query;
	struct resolver by_tcp = query->resolver;
	const struct questions questions = {
	    .name = query->name, .types = {question->type}, .count = 1};

	by_tcp.kind = RESOLVER_TCP;
	question->truncated = true;
	question->whole = connection_start(
	    query->loop, &by_tcp, &questions, &heard, question);
}

static void
datagram_answered(void *cookie, const struct datagram_answer *datagram)
{
	struct question *question = cookie;
	struct resolver_query *query = question->query;

	open_turn(query);
	tell_message(query, datagram->message);
	if (!query->over && datagram->message->truncated) {
		if (!question->truncated)
			ask_for_whole(question);
	} else if (!query->over) {
		question->heard = true;
		settle_if_heard(query);
	}
	close_turn(query);
}

static void
datagrams_ended(void *cookie, const struct err *err)
{
	struct question *question = cookie;
	struct resolver_query *query = question->query;

	open_turn(query);
	question->datagrams = NULL;
	if (question->whole == NULL)
		question->heard = true;
	note_failure(query, err);
	end_if_done(query);
	close_turn(query);
}

/* --- streams and HTTPS --- */

static void
one_answered(void *cookie, size_t which, const struct dns_message *message)
{
	struct resolver_query *query = cookie;

	open_turn(query);
	query->questions[which].heard = true;
	tell_message(query, message);
	settle_if_heard(query);
	close_turn(query);
}

static void
all_ended(void *cookie, const struct err *err)
{
	struct resolver_query *query = cookie;

	open_turn(query);
	query->connection = NULL;
	for (size_t i = 0; i < query->question_count; i++)
		query->questions[i].heard = true;
	/* What is below knows addresses; people know the URL. */
	if (err->reason != REASON_NONE)
		(void)err_set(&query->first, err->reason,
		    "the resolver %s gave no answer: %.300s",
		    query->resolver.url, err->text);
	end_if_done(query);
	close_turn(query);
}

/* --- the system, and names that are addresses --- */

static void
system_answered(void *cookie, const char *const *addresses, size_t count,
    const struct err *err)
{
	struct resolver_query *query = cookie;

	open_turn(query);
	query->system = NULL;
	if (count > 0)
		tell_answer(query, addresses, count, NULL, 0);
	tell_end(query, err);
	close_turn(query);
}

/* The name is an address: it is its own answer. */
static void
answer_itself(void *cookie)
{
	struct resolver_query *query = cookie;
	const char *address = query->name;
	struct err err = {0};

	open_turn(query);
	query->at_once = NULL;
	if (is_wanted(query, address))
		tell_answer(query, &address, 1, NULL, 0);
	else
		err_set(&err, REASON_DNS_NO_ANSWER,
		    "'%.100s' is an address of the family that is not wanted",
		    address);
	tell_end(query, &err);
	close_turn(query);
}

static bool
is_address(const char *name)
{
	unsigned char octets[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, name, octets) == 1 ||
	       inet_pton(AF_INET6, name, octets) == 1;
}

static void
ask_datagrams(struct resolver_query *query)
{
	static const struct datagram_callbacks heard = {
	    .answer = datagram_answered, .end = datagrams_ended};
	const struct resolver *r = &query->resolver;

	for (size_t i = 0; i < query->question_count; i++) {
		struct question *question = &query->questions[i];

		question->datagrams = datagram_start(query->loop,
		    (const struct sockaddr *)&r->address, query->name,
		    question->type, r->hold_ms, &heard, question);
	}
}

/* Which questions there are, by the family wanted. */
static void
add_questions(struct resolver_query *query, struct questions *out)
{
	*out = (struct questions){.name = query->name};
	if (query->family != RESOLVER_IPV6)
		out->types[out->count++] = DNS_A;
	if (query->family != RESOLVER_IPV4)
		out->types[out->count++] = DNS_AAAA;
	for (size_t i = 0; i < out->count; i++) {
		query->questions[i].query = query;
		query->questions[i].type = out->types[i];
	}
	query->question_count = out->count;
}

static int
system_family(enum resolver_family family)
{
	switch (family) {
	case RESOLVER_BOTH:
		return AF_UNSPEC;
	case RESOLVER_IPV4:
		return AF_INET;
	case RESOLVER_IPV6:
		return AF_INET6;
	}
	return AF_UNSPEC;
}

struct resolver_query *
resolver_ask(uv_loop_t *loop, const struct resolver *resolver, const char *name,
    enum resolver_family family, const struct resolver_callbacks *callbacks,
    void *cookie)
{
	static const struct question_callbacks over_one_connection = {
	    .answer = one_answered, .end = all_ended};
	struct resolver_query *query = mem_new(sizeof(*query));
	struct questions questions;

	query->loop = loop;
	query->resolver = *resolver;
	query->name = mem_string(name);
	query->family = family;
	query->asked_ms = clock_mono_ms();
	query->callbacks = *callbacks;
	query->cookie = cookie;
	if (is_address(name)) {
		query->at_once =
		    loop_timer_start(loop, 0, answer_itself, query);
		return query;
	}
	if (resolver->kind == RESOLVER_SYSTEM) {
		query->system = system_start(
		    loop, name, system_family(family), system_answered, query);
		return query;
	}
	add_questions(query, &questions);
	switch (resolver->kind) {
	case RESOLVER_SYSTEM:
		break;
	case RESOLVER_UDP:
		ask_datagrams(query);
		break;
	case RESOLVER_TCP:
	case RESOLVER_TLS:
	case RESOLVER_HTTPS:
		query->connection = connection_start(
		    loop, resolver, &questions, &over_one_connection, query);
		break;
	}
	return query;
}

void
resolver_cancel(struct resolver_query **query)
{
	struct resolver_query *q = *query;

	*query = NULL;
	if (q == NULL)
		return;
	q->over = true;
	/* From within a turn: silent at once, freed when it closes. */
	if (q->in_turn)
		hang_up(q);
	else
		query_free(q);
}
