/* SPDX-License-Identifier: ISC */
/* doctor/names.c -- who says what of a name, its CNAME chain and neighbours. */
#include "doctor/names.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "base/mem.h"
#include "base/text.h"
#include "doctor/authority.h"
#include "doctor/dns64.h"
#include "doctor/round.h"

enum {
	REPEAT_MS = 200,   /* between repeats: forgers may be limited */
	FIRST_REPEATS = 3, /* of NAMES_REPEATS, in the first round */
	LABEL = 12,
}; /* letters of a random label: nobody has such a name */

struct names {
	uv_loop_t *loop;
	struct facts *facts;
	int64_t began_ms;
	struct names_request request;
	struct round *round;
	struct authority *authority; /* beside the second round */
	bool over;                   /* the second round is */
	unsigned repeat;             /* of the next question that is put */
	char label[LABEL + 1];
	void (*cb)(void *cookie);
	void *cookie;
};

size_t
names_chain(const struct facts *facts, const char *host,
    const char *out[NAMES_CHAIN_MAX])
{
	size_t count = 0;

	for (size_t i = 0; i < facts->count; i++) {
		const struct fact *fact = &facts->items[i];
		const struct fact_datagram *d = &fact->u.datagram;

		if (fact->kind != FACT_DATAGRAM || d->elsewhere ||
		    strcasecmp(
			facts->items[d->question].u.question.name, host) != 0)
			continue;
		for (size_t c = 0; c < d->chain_length; c++) {
			bool known = strcasecmp(d->chain[c], host) == 0;

			for (size_t k = 0; k < count; k++)
				known = known ||
					strcasecmp(out[k], d->chain[c]) == 0;
			if (!known && count < NAMES_CHAIN_MAX)
				out[count++] = d->chain[c];
		}
	}
	return count;
}

int
names_check(const char *name, struct err *err)
{
	static const char letters[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	    "-_.";
	uint8_t query[512];
	unsigned char octets[sizeof(struct in6_addr)];
	struct err why = {0};
	size_t len;

	if (inet_pton(AF_INET, name, octets) == 1 ||
	    inet_pton(AF_INET6, name, octets) == 1 || name[0] == '[')
		return err_set(err, REASON_USAGE,
		    "'%s' is an address: there is no name to ask for", name);
	if (name[0] == '-' || name[strspn(name, letters)] != '\0')
		return err_set(err, REASON_USAGE,
		    "'%.200s' is no host name: those have letters, digits, "
		    "hyphens and dots, international ones begin with xn--",
		    name);
	if (strlen(name) >= FACT_NAME_TEXT ||
	    dns_query_write(name, DNS_A, 0, query, sizeof(query), &len, &why) ==
		-1)
		return err_set(err, REASON_USAGE, "%s",
		    why.reason == REASON_NONE ? "the name is too long"
					      : why.text);
	return 0;
}

/* --- names that cannot exist --- */

static void
make_label(char out[LABEL + 1])
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
	uint8_t chance[LABEL];

	if (getrandom(chance, sizeof(chance), 0) != (ssize_t)sizeof(chance))
		memset(chance, 23, sizeof(chance));
	for (size_t i = 0; i < LABEL; i++)
		out[i] = letters[chance[i] & 31];
	out[LABEL] = '\0';
}

/* NAME with its first letter or digit changed: a1.x -> b1.x. */
static char *
make_mutant(const char *name)
{
	char *mutant = mem_string(name);

	mutant[0] =
	    mutant[0] == 'z' || mutant[0] == '9' ? 'q' : (char)(mutant[0] + 1);
	return mutant;
}

/* --- putting questions --- */

static void
put(struct names *n, enum fact_party party, const struct resolver *resolver,
    const char *name, enum fact_role role, enum dns_type type, unsigned manner,
    unsigned times)
{
	struct ask_request request = {
	    .party = party,
	    .resolver = resolver,
	    .name = name,
	    .role = role,
	    .type = type,
	    .manner = manner,
	    .patience_ms = party == PARTY_RESOLVER ? ASK_PATIENCE_MS : 0,
	};

	for (unsigned i = 0; i < times; i++) {
		request.repeat = n->repeat + i;
		request.delay_ms = i * REPEAT_MS;
		round_add(n->round, &request);
	}
}

/* The one question that is put NAMES_REPEATS times, in both rounds: the longer
 * the time between them, the more a TTL tells. */
static void
put_repeated(struct names *n, const struct resolver *r, bool first)
{
	n->repeat = first ? 0 : FIRST_REPEATS;
	put(n, PARTY_RESOLVER, r, n->request.host, ROLE_RESPONDER, DNS_A, 0,
	    r->kind != RESOLVER_UDP ? (first ? 1 : 0)
	    : first                 ? FIRST_REPEATS
				    : NAMES_REPEATS - FIRST_REPEATS);
	n->repeat = 0;
}

static unsigned
dark_repeats(const struct names *n)
{
	return n->request.bisect ? NAMES_BISECT_REPEATS : NAMES_DARK_REPEATS;
}

/* Where no resolver is: silence, or something on the way speaks. */
static void
put_dark(struct names *n, const char *name, enum fact_role role)
{
	if (n->request.dark != NULL)
		put(n, PARTY_DARK, n->request.dark, name, role, DNS_A, 0,
		    dark_repeats(n));
}

/* The server of a udp:// resolver over TCP. */
static bool
over_tcp(const struct resolver *udp, struct resolver *out)
{
	char url[RESOLVER_URL_TEXT];

	(void)snprintf(url, sizeof(url), "tcp%s", udp->url + strlen("udp"));
	return resolver_parse(url, out, NULL) == 0;
}

static void
put_controls(struct names *n, const struct resolver *r)
{
	char *random = mem_printf("%s.%s", n->label, n->request.control);

	put(n, PARTY_RESOLVER, r, n->request.control, ROLE_CONTROL, DNS_A, 0,
	    1);
	if (r->kind != RESOLVER_TCP) {
		/* where IPv6 is broken, the control's own shows it */
		put(n, PARTY_RESOLVER, r, n->request.control, ROLE_CONTROL,
		    DNS_AAAA, 0, 1);
		put(n, PARTY_RESOLVER, r, random, ROLE_RANDOM, DNS_A, 0, 1);
	}
	free(random);
}

static void
put_host(struct names *n, const struct resolver *r)
{
	const char *host = n->request.host;
	struct resolver tcp;

	put_repeated(n, r, true);
	put(n, PARTY_RESOLVER, r, host, ROLE_RESPONDER, DNS_AAAA, 0, 1);
	put_controls(n, r);
	if (r->kind != RESOLVER_UDP)
		return;
	/* an address in answer to these is impossible (NETWORK-TRUTH 1.2) */
	put(n, PARTY_RESOLVER, r, host, ROLE_RESPONDER, DNS_TXT, 0, 1);
	put(n, PARTY_RESOLVER, r, host, ROLE_RESPONDER, DNS_HTTPS, 0, 1);
	put(n, PARTY_RESOLVER, r, host, ROLE_RESPONDER, DNS_A, DNS_CD, 1);
	put(n, PARTY_RESOLVER, r, host, ROLE_RESPONDER, DNS_A, DNS_NO_RD, 1);
	if (!over_tcp(r, &tcp))
		return;
	put(n, PARTY_RESOLVER, &tcp, host, ROLE_RESPONDER, DNS_A, 0, 1);
	put_controls(n, &tcp);
}

/* What lies beside NAME, which is injected or may be. */
static void
put_neighbours(struct names *n, const char *name)
{
	const char *parent = strchr(name, '.');
	const char *further;
	char *sibling, *other;

	if (parent == NULL)
		return;
	sibling = mem_printf("%s%s", n->label, parent);
	put_dark(n, sibling, ROLE_SIBLING);
	for (size_t i = 0; i < n->request.resolver_count; i++) {
		if (!ask_is_dead(n->facts, &n->request.resolvers[i]))
			put(n, PARTY_RESOLVER, &n->request.resolvers[i],
			    sibling, ROLE_SIBLING, DNS_A, 0, 1);
	}
	free(sibling);
	other = mem_printf("%s.%s.%s", name, n->label, n->request.control);
	put_dark(n, other, ROLE_EMBEDDED);
	free(other);
	if (!n->request.bisect)
		return;
	other = make_mutant(name);
	put_dark(n, other, ROLE_MUTANT);
	free(other);
	other = mem_printf("%s.%s", n->label, name);
	put_dark(n, other, ROLE_CHILD);
	free(other);
	/* each zone further up, but no top-level domain */
	for (further = strchr(parent + 1, '.');
	     further != NULL && strchr(further + 1, '.') != NULL;
	     further = strchr(further + 1, '.')) {
		other = mem_printf("%s%s", n->label, further);
		put_dark(n, other, ROLE_SUFFIX);
		free(other);
	}
}

/* --- the two rounds --- */

static void
end_when_over(struct names *n)
{
	void (*cb)(void *cookie) = n->cb;
	void *cb_cookie = n->cookie;

	if (!n->over || n->authority != NULL)
		return;
	free(n);
	cb(cb_cookie);
}

static void
end(void *cookie)
{
	struct names *n = cookie;

	n->round = NULL;
	n->over = true;
	end_when_over(n);
}

/* A suspect that was answered where no resolver is; owned. */
static char *
find_injected(const struct facts *facts)
{
	for (size_t i = 0; i < facts->count; i++) {
		const struct fact_question *q = &facts->items[i].u.question;

		if (facts->items[i].kind == FACT_QUESTION &&
		    q->party == PARTY_DARK && q->answers > 0 &&
		    (q->role == ROLE_RESPONDER || q->role == ROLE_CHAIN))
			return mem_string(q->name);
	}
	return NULL;
}

/* How far away whoever answers is: the same question with few hops to go. */
static void
third_round(void *cookie)
{
	struct names *n = cookie;
	char *name = n->request.bisect ? find_injected(n->facts) : NULL;

	if (name == NULL) {
		end(n);
		return;
	}
	n->round = round_new(n->loop, n->facts, n->began_ms);
	for (int hops = 1; hops <= NAMES_HOPS_MAX; hops++) {
		for (unsigned i = 0; i < NAMES_HOP_REPEATS; i++) {
			const struct ask_request request = {
			    .party = PARTY_DARK,
			    .resolver = n->request.dark,
			    .name = name,
			    .role = ROLE_HOP,
			    .type = DNS_A,
			    .hops = hops,
			    .hold_ms = NAMES_HOP_MS,
			    .repeat = i,
			    .delay_ms = i * REPEAT_MS,
			};

			round_add(n->round, &request);
		}
	}
	free(name);
	round_run(n->round, end, n);
}

static void
authority_asked(void *cookie)
{
	struct names *n = cookie;

	n->authority = NULL;
	end_when_over(n);
}

static void
second_round(void *cookie)
{
	struct names *n = cookie;
	const char *chain[NAMES_CHAIN_MAX];
	size_t length = names_chain(n->facts, n->request.host, chain);

	if (n->request.asked != NULL)
		n->request.asked(n->cookie);
	n->round = round_new(n->loop, n->facts, n->began_ms);
	for (size_t c = 0; c < length; c++) {
		put_dark(n, chain[c], ROLE_CHAIN);
		for (size_t i = 0; i < n->request.resolver_count; i++) {
			const struct resolver *r = &n->request.resolvers[i];

			if (ask_is_dead(n->facts, r))
				continue;
			put(n, PARTY_RESOLVER, r, chain[c], ROLE_CHAIN, DNS_A,
			    0, 1);
			if (r->kind == RESOLVER_UDP)
				put(n, PARTY_RESOLVER, r, chain[c], ROLE_CHAIN,
				    DNS_TXT, 0, 1);
		}
	}
	for (size_t i = 0; i < n->request.resolver_count; i++)
		put_repeated(n, &n->request.resolvers[i], false);
	put_neighbours(n, n->request.host);
	if (length > 0)
		put_neighbours(n, chain[length - 1]);
	if (n->request.resolver_count > 0)
		n->authority = authority_start(n->loop, n->facts, n->began_ms,
		    n->request.host, n->request.resolvers,
		    n->request.resolver_count, authority_asked, n);
	round_run(n->round, third_round, n);
}

struct names *
names_start(uv_loop_t *loop, struct facts *facts, int64_t began_ms,
    const struct names_request *request, void (*cb)(void *cookie), void *cookie)
{
	static const struct resolver system = {
	    .kind = RESOLVER_SYSTEM, .url = "system"};
	struct names *n = mem_new(sizeof(*n));

	n->loop = loop;
	n->facts = facts;
	n->began_ms = began_ms;
	n->request = *request;
	n->cb = cb;
	n->cookie = cookie;
	make_label(n->label);
	n->round = round_new(loop, facts, began_ms);
	if (request->ask_system) {
		put(n, PARTY_SYSTEM, &system, request->host, ROLE_RESPONDER,
		    DNS_A, 0, 1);
		/* of both families, as the system always is */
		put(n, PARTY_SYSTEM, &system, DNS64_NAME, ROLE_IPV4ONLY,
		    DNS_AAAA, 0, 1);
	}
	for (size_t i = 0; i < request->resolver_count; i++)
		put_host(n, &request->resolvers[i]);
	put_dark(n, request->control, ROLE_CONTROL);
	put_dark(n, request->host, ROLE_RESPONDER);
	round_run(n->round, second_round, n);
	return n;
}

void
names_cancel(struct names **names)
{
	struct names *n = *names;

	*names = NULL;
	if (n == NULL)
		return;
	round_cancel(&n->round);
	authority_cancel(&n->authority);
	free(n);
}
