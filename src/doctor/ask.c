/* SPDX-License-Identifier: ISC */
/* doctor/ask.c -- one DNS question to one party, as facts. */
#include "doctor/ask.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/loop.h"
#include "base/mem.h"
#include "dns/connection.h"
#include "dns/datagram.h"
#include "dns/system.h"

struct ask {
	struct facts *facts;
	int64_t began_ms, asked_ms;
	struct resolver resolver;
	enum fact_party party;
	int hops;
	size_t question; /* index of its fact */
	bool scratch;    /* there was no room for it */
	size_t answers, strays;
	/* until it is put */
	struct loop_timer *delay;
	struct loop_timer *window; /* then it ends, if an answer has come */
	uv_loop_t *loop;
	struct ask_request request; /* its resolver and name are ours */
	char *name;
	struct datagram_query *datagrams;
	struct connection *connection;
	struct system_query *system;
	void (*cb)(void *cookie);
	void *cookie;
};

static const char *
probe_of(const struct ask *ask)
{
	if (ask->party == PARTY_AUTHORITY)
		return "A";
	switch (ask->resolver.kind) {
	case RESOLVER_SYSTEM:
		return "G";
	case RESOLVER_UDP:
		return ask->hops > 0              ? "D"
		       : ask->party == PARTY_DARK ? "N"
						  : "U";
	case RESOLVER_TCP:
		return "T";
	case RESOLVER_TLS:
	case RESOLVER_HTTPS:
		return "E";
	}
	return "?";
}

static int64_t
now_ms(const struct ask *ask)
{
	return clock_mono_ms() - ask->began_ms;
}

/* --- answers --- */

/* A new answer to our question, or NULL if there is no room. */
static struct fact_datagram *
add_answer(struct ask *ask)
{
	struct fact_datagram *d;

	if (ask->scratch || ask->facts->count >= FACTS_MAX - ASK_LEAVES)
		return NULL;
	d = &facts_add(ask->facts, FACT_DATAGRAM, probe_of(ask), now_ms(ask))
		 ->u.datagram;
	d->question = ask->question;
	d->ede = -1;
	d->ip_ttl = -1;
	d->ttl_s = -1;
	return d;
}

static void
fill(struct fact_datagram *d, const struct dns_message *message)
{
	d->rcode = message->rcode;
	d->authoritative = message->authoritative;
	d->truncated = message->truncated;
	d->recursion = message->recursion;
	d->edns = message->edns;
	d->ede = message->ede;
	d->wrong_type = message->wrong_type;
	d->loop = message->loop;
	d->ttl_s = message->ttl_s;
	for (size_t i = 0; i < message->address_count &&
			   d->address_count < FACT_ADDRESSES_MAX;
	     i++)
		fact_copy(d->addresses[d->address_count++], DNS_ADDRESS_TEXT,
		    message->addresses[i]);
	for (size_t i = 0;
	     i < message->chain_length && d->chain_length < FACT_CHAIN_MAX; i++)
		fact_copy(d->chain[d->chain_length++], FACT_NAME_TEXT,
		    message->chain[i]);
	for (size_t i = 0;
	     i < message->server_count && d->server_count < FACT_SERVERS_MAX;
	     i++)
		fact_copy(d->servers[d->server_count++], FACT_NAME_TEXT,
		    message->servers[i]);
}

static void
datagram_came(void *cookie, const struct datagram_answer *answer)
{
	struct ask *ask = cookie;
	struct fact_datagram *d = add_answer(ask);

	ask->answers++;
	if (d == NULL)
		return;
	fill(d, answer->message);
	d->ip_ttl = answer->ip_ttl;
	d->size = answer->size;
	d->other_case = answer->other_case;
}

/* Malformed ones from whom was asked may be a forger's: they count as answers
 * to compare with; those from elsewhere are only seen. */
static void
stray_came(void *cookie, const struct datagram_stray *stray)
{
	struct ask *ask = cookie;
	struct fact_datagram *d;

	if (ask->strays++ >= ASK_STRAYS_MAX)
		return;
	d = add_answer(ask);
	if (d == NULL)
		return;
	if (stray->message != NULL)
		fill(d, stray->message);
	d->malformed = stray->message == NULL;
	/* an answer to another question is no answer from elsewhere, and yet
	 * none of ours */
	d->elsewhere = stray->elsewhere || !d->malformed;
	d->ip_ttl = stray->ip_ttl;
	d->size = stray->size;
	fact_copy(d->from, sizeof(d->from), stray->from);
}

static void
message_came(void *cookie, size_t which, const struct dns_message *message)
{
	struct ask *ask = cookie;
	struct fact_datagram *d = add_answer(ask);

	(void)which;
	ask->answers++;
	if (d != NULL)
		fill(d, message);
}

/* --- the end --- */

static void
release(struct ask *ask)
{
	loop_timer_cancel(&ask->delay);
	loop_timer_cancel(&ask->window);
	free(ask->name);
	free(ask);
}

static void
finish(struct ask *ask, const struct err *err)
{
	void (*cb)(void *cookie) = ask->cb;
	void *cookie = ask->cookie;

	if (!ask->scratch) {
		struct fact_question *q =
		    &ask->facts->items[ask->question].u.question;

		q->answers = ask->answers;
		q->elapsed_ms = clock_mono_ms() - ask->asked_ms;
		if (ask->answers == 0)
			q->err = *err;
	}
	release(ask);
	cb(cookie);
}

static void
datagrams_ended(void *cookie, const struct err *err)
{
	struct ask *ask = cookie;

	ask->datagrams = NULL;
	finish(ask, err);
}

static void
window_closed(void *cookie)
{
	struct ask *ask = cookie;
	const struct err none = {0};

	ask->window = NULL;
	if (ask->answers == 0)
		return;
	datagram_cancel(&ask->datagrams);
	finish(ask, &none);
}

static void
connection_ended(void *cookie, const struct err *err)
{
	struct ask *ask = cookie;

	ask->connection = NULL;
	finish(ask, err);
}

static void
system_answered(void *cookie, const char *const *addresses, size_t count,
    const struct err *err)
{
	struct ask *ask = cookie;
	struct fact_datagram *d = count > 0 ? add_answer(ask) : NULL;

	ask->system = NULL;
	if (count > 0)
		ask->answers++;
	for (size_t i = 0; d != NULL && i < count && i < FACT_ADDRESSES_MAX;
	     i++)
		fact_copy(d->addresses[d->address_count++], DNS_ADDRESS_TEXT,
		    addresses[i]);
	finish(ask, err);
}

/* --- start --- */

static void
add_question(struct ask *ask, const struct ask_request *request)
{
	size_t before = ask->facts->count;
	struct fact_question *q =
	    &facts_add(ask->facts, FACT_QUESTION, probe_of(ask), now_ms(ask))
		 ->u.question;

	ask->question = before;
	ask->scratch = ask->facts->count == before;
	q->party = request->party;
	fact_copy(q->asked, sizeof(q->asked), ask->resolver.url);
	fact_copy(q->name, sizeof(q->name), request->name);
	q->role = request->role;
	q->type = (uint16_t)request->type;
	q->no_rd = (request->manner & DNS_NO_RD) != 0;
	q->cd = (request->manner & DNS_CD) != 0;
	q->repeat = request->repeat;
	q->hops = request->hops;
}

static void
put(void *cookie)
{
	struct ask *ask = cookie;
	const struct ask_request *request = &ask->request;
	uv_loop_t *loop = ask->loop;
	static const struct datagram_callbacks datagrams = {
	    .answer = datagram_came,
	    .end = datagrams_ended,
	    .stray = stray_came};
	static const struct question_callbacks messages = {
	    .answer = message_came, .end = connection_ended};
	const int64_t hold_ms =
	    request->hold_ms > 0 ? request->hold_ms : ASK_HOLD_MS;
	const bool patient = request->patience_ms > hold_ms;
	const struct datagram_question question = {
	    .server = (const struct sockaddr *)&ask->resolver.address,
	    .name = request->name,
	    .type = request->type,
	    .hold_ms = patient ? request->patience_ms : hold_ms,
	    .manner = request->manner,
	    .hops = request->hops,
	    .once = true,
	};
	const struct questions questions = {
	    .name = request->name, .types = {request->type}, .count = 1};

	ask->delay = NULL;
	ask->asked_ms = clock_mono_ms();
	if (!ask->scratch)
		ask->facts->items[ask->question].at_ms = now_ms(ask);
	switch (ask->resolver.kind) {
	case RESOLVER_SYSTEM:
		ask->system = system_start(
		    loop, request->name, AF_UNSPEC, system_answered, ask);
		break;
	case RESOLVER_UDP:
		ask->datagrams = datagram_ask(loop, &question, &datagrams, ask);
		if (patient)
			ask->window =
			    loop_timer_start(loop, hold_ms, window_closed, ask);
		break;
	case RESOLVER_TCP:
	case RESOLVER_TLS:
	case RESOLVER_HTTPS:
		if (request->hold_ms > 0)
			ask->resolver.hold_ms = request->hold_ms;
		ask->connection = connection_start(
		    loop, &ask->resolver, &questions, &messages, ask);
		break;
	}
}

struct ask *
ask_start(uv_loop_t *loop, struct facts *facts, int64_t began_ms,
    const struct ask_request *request, void (*cb)(void *cookie), void *cookie)
{
	struct ask *ask = mem_new(sizeof(*ask));

	ask->facts = facts;
	ask->began_ms = began_ms;
	ask->resolver = *request->resolver;
	ask->party = request->party;
	ask->hops = request->hops;
	ask->cb = cb;
	ask->cookie = cookie;
	add_question(ask, request);
	ask->loop = loop;
	ask->request = *request;
	ask->request.resolver = &ask->resolver;
	ask->request.name = ask->name = mem_string(request->name);
	if (request->delay_ms > 0)
		ask->delay =
		    loop_timer_start(loop, request->delay_ms, put, ask);
	else
		put(ask);
	return ask;
}

void
ask_cancel(struct ask **ask)
{
	struct ask *a = *ask;

	*ask = NULL;
	if (a == NULL)
		return;
	datagram_cancel(&a->datagrams);
	connection_cancel(&a->connection);
	system_cancel(&a->system);
	release(a);
}

bool
ask_is_dead(const struct facts *facts, const struct resolver *resolver)
{
	bool asked = false;

	if (resolver->kind != RESOLVER_TLS && resolver->kind != RESOLVER_HTTPS)
		return false;
	for (size_t i = 0; i < facts->count; i++) {
		const struct fact_question *q = &facts->items[i].u.question;

		if (facts->items[i].kind != FACT_QUESTION ||
		    strcmp(q->asked, resolver->url) != 0)
			continue;
		if (q->answers > 0)
			return false;
		asked = true;
	}
	return asked;
}

bool
ask_failed_in_tls(const struct facts *facts, const struct resolver *resolver)
{
	bool failed = false;

	for (size_t i = 0; i < facts->count; i++) {
		const struct fact_question *q = &facts->items[i].u.question;

		if (facts->items[i].kind != FACT_QUESTION ||
		    strcmp(q->asked, resolver->url) != 0)
			continue;
		if (q->answers > 0 || (q->err.reason != REASON_NONE &&
					  q->err.reason != REASON_TLS_FAILED))
			return false;
		failed = failed || q->err.reason == REASON_TLS_FAILED;
	}
	return failed;
}
