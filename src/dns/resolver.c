/* SPDX-License-Identifier: ISC */
/* dns/resolver.c -- asking: one or two datagram queries, or the system.
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
#include "dns/datagram.h"
#include "dns/system.h"

enum { QUESTIONS_MAX = 2, RCODE_NXDOMAIN = 3 };

/* One datagram query. */
struct question {
	struct resolver_query *query;
	struct datagram_query *datagrams; /* NULL: not asked, or ended */
	bool heard;                       /* an answer came, or it failed */
};

struct resolver_query {
	struct question questions[QUESTIONS_MAX];
	size_t question_count, ended_count;
	struct system_query *system;
	struct loop_timer *at_once; /* for what needs no asking */
	char url[RESOLVER_URL_TEXT];
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
	for (size_t i = 0; i < QUESTIONS_MAX; i++)
		datagram_cancel(&query->questions[i].datagrams);
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

static void
datagram_answered(void *cookie, const struct datagram_answer *datagram)
{
	struct question *question = cookie;
	struct resolver_query *query = question->query;
	const struct dns_message *message = datagram->message;
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

	open_turn(query);
	question->heard = true;
	tell_answer(query, addresses, message->address_count, chain,
	    message->chain_length);
	settle_if_heard(query);
	close_turn(query);
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
		    query->url, query->name);
	else if (query->bad_rcode != 0)
		err_set(err, REASON_DNS_SERVFAIL,
		    "%s failed to look up '%.200s' (rcode %d, %s)", query->url,
		    query->name, query->bad_rcode,
		    query->bad_rcode == 2   ? "SERVFAIL"
		    : query->bad_rcode == 5 ? "REFUSED"
					    : "RFC 1035, section 4.1.1");
	else if (query->empty > 0 || query->first.reason == REASON_NONE)
		err_set(err, REASON_DNS_NO_ANSWER,
		    "%s names no address for '%.200s'", query->url,
		    query->name);
	else
		/* A resolver out of reach has not answered either; of the
		 * responder it says nothing. */
		err_set(err, REASON_DNS_NO_ANSWER, "%s", query->first.text);
}

static void
datagrams_ended(void *cookie, const struct err *err)
{
	struct question *question = cookie;
	struct resolver_query *query = question->query;
	struct err verdict = {0};

	open_turn(query);
	question->datagrams = NULL;
	question->heard = true;
	query->ended_count++;
	if (err->reason != REASON_NONE && query->first.reason == REASON_NONE)
		query->first = *err;
	settle_if_heard(query);
	if (query->ended_count == query->question_count) {
		conclude(query, &verdict);
		tell_end(query, &verdict);
	}
	close_turn(query);
}

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
ask_datagrams(struct resolver_query *query, uv_loop_t *loop,
    const struct resolver *resolver)
{
	static const struct datagram_callbacks heard = {
	    .answer = datagram_answered, .end = datagrams_ended};
	enum dns_type types[QUESTIONS_MAX];

	if (query->family != RESOLVER_IPV6)
		types[query->question_count++] = DNS_A;
	if (query->family != RESOLVER_IPV4)
		types[query->question_count++] = DNS_AAAA;
	for (size_t i = 0; i < query->question_count; i++) {
		struct question *question = &query->questions[i];

		question->query = query;
		question->datagrams = datagram_start(loop,
		    (const struct sockaddr *)&resolver->address, query->name,
		    types[i], resolver->hold_ms, &heard, question);
	}
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
	struct resolver_query *query = mem_new(sizeof(*query));

	memcpy(query->url, resolver->url, sizeof(query->url));
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
	switch (resolver->kind) {
	case RESOLVER_SYSTEM:
		query->system = system_start(
		    loop, name, system_family(family), system_answered, query);
		break;
	case RESOLVER_UDP:
		ask_datagrams(query, loop, resolver);
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
