/* SPDX-License-Identifier: ISC */
/* doctor/knock.c -- the controls beside the responder. */
#include "doctor/knock.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/text.h"
#include "doctor/picture.h"
#include "doctor/split.h"
#include "http/fetch.h"

enum {
	HTTP_NOT_FOUND = 404,
	OTHER_PORT = 443,
	CLOCKS = 3, /* servers of DoH that are asked for the time */
	PAGE = 16,  /* letters of a page that cannot exist */
};

/* One exchange, or one connection. */
struct one {
	struct knock *knock;
	struct fetch *fetch;
	struct split *split;
	enum fact_control_kind kind;
	bool is_control;  /* a connection to the control */
	const char *host; /* who is asked for the time; borrowed */
	char address[DNS_ADDRESS_TEXT];
	int port;
};

struct knock {
	uv_loop_t *loop;
	struct fetch_pool *pool;
	struct facts *facts;
	int64_t began_ms;
	struct knock_request request;
	struct one list[KNOCKS_MAX];
	size_t count, running;
	struct loop_timer *nothing;
	void (*cb)(void *cookie);
	void *cookie;
};

static int64_t
now_ms(const struct knock *k)
{
	return clock_mono_ms() - k->began_ms;
}

static struct one *
add(struct knock *k, const char *address)
{
	struct one *one;

	if (k->count == KNOCKS_MAX)
		return NULL;
	one = &k->list[k->count++];
	one->knock = k;
	fact_copy(one->address, sizeof(one->address), address);
	k->running++;
	return one;
}

static void
ended(struct knock *k)
{
	void (*cb)(void *cookie) = k->cb;
	void *cookie = k->cookie;

	if (--k->running > 0)
		return;
	knock_cancel(&k);
	cb(cookie);
}

/* --- HTTP --- */

static void
note_clock(struct knock *k, const char *host, bool https,
    const struct fetch_result *result)
{
	struct fact_clock *clock;

	if (result->date <= 0)
		return;
	clock = &facts_add(k->facts, FACT_CLOCK, "K", now_ms(k))->u.clock;
	fact_copy(clock->host, sizeof(clock->host), host);
	clock->ahead_s = clock_wall_s() - result->date;
	/* of plain HTTP, anybody on the way could say so */
	clock->authenticated = https;
	clock->how = https ? "HTTPS date" : "HTTP date";
}

static void
fetched(void *cookie, const struct fetch_result *result)
{
	struct one *one = cookie;
	struct knock *k = one->knock;
	struct fact_control *c =
	    &facts_add(k->facts, FACT_CONTROL, "H", now_ms(k))->u.control;

	one->fetch = NULL;
	c->kind = one->kind;
	fact_copy(c->address, sizeof(c->address), one->address);
	fact_copy(c->host, sizeof(c->host), k->request.control);
	c->http_status = result->http_status;
	if (result->http_status == 0)
		c->err = result->err;
	c->redirect = result->http_status >= 300 && result->http_status < 400;
	c->html = text_starts(result->content_type, "text/html");
	/* the page cannot exist: who has it is not whom we asked */
	c->altered =
	    result->http_status != 0 && result->http_status != HTTP_NOT_FOUND;
	c->elapsed_ms = result->elapsed_ms;
	note_clock(k,
	    one->kind == CONTROL_WEB ? k->request.control : one->address, false,
	    result);
	ended(k);
}

/* Ask ONE's address for URL, which is freed. */
static void
fetch(struct one *one, char *url,
    void (*end)(void *cookie, const struct fetch_result *result))
{
	const struct fetch_request request = {
	    .kind = FETCH_OCSP,
	    .address = one->address,
	    .url = url,
	    .connect_ms = KNOCK_MS,
	    .total_ms = KNOCK_MS,
	};

	one->fetch = fetch_start(one->knock->pool, &request, end, one);
	free(url);
}

static void
ask(struct knock *k, const char *address, enum fact_control_kind kind)
{
	struct one *one = add(k, address);

	if (one == NULL)
		return;
	one->kind = kind;
	fetch(one,
	    mem_printf("http://%s/oclasp-%.*llx", k->request.control, PAGE,
		(unsigned long long)clock_mono_ms() * 2654435761ULL),
	    fetched);
}

/* --- what time it is --- */

/* Any answer will do: its certificate's chain and name were verified, and only
 * its times were not, for they are what our clock is in doubt about. */
static void
time_told(void *cookie, const struct fetch_result *result)
{
	struct one *one = cookie;
	struct knock *k = one->knock;

	one->fetch = NULL;
	if (result->http_status != 0)
		note_clock(k, one->host, true, result);
	ended(k);
}

static void
ask_the_time(struct knock *k, const char *host, const char *address,
    const char *url, const char *ca_file)
{
	struct one *one = add(k, address);
	struct fetch_request request = {
	    .kind = FETCH_OCSP,
	    .url = url,
	    .address = address,
	    .ca_file = ca_file,
	    .fresh = true,
	    .any_time = true,
	    .connect_ms = KNOCK_MS,
	    .total_ms = KNOCK_MS,
	};

	if (one == NULL)
		return;
	one->host = host;
	one->fetch = fetch_start(k->pool, &request, time_told, one);
}

/* The control, and the servers of DoH; for two unrelated ones are wanted. */
static void
ask_for_the_time(struct knock *k, const char *control_address)
{
	const struct knock_request *r = &k->request;
	unsigned asked = 0;
	char *url;

	if (control_address != NULL) {
		url = mem_printf("https://%s/", r->control);
		ask_the_time(k, r->control, control_address, url, r->tls_ca);
		free(url);
	}
	for (size_t i = 0; i < r->resolver_count && asked < CLOCKS; i++) {
		const struct resolver *resolver = &r->resolvers[i];

		if (resolver->kind != RESOLVER_HTTPS ||
		    resolver->bootstrap_count == 0)
			continue;
		asked++;
		/* without the address behind it */
		url = mem_printf(
		    "%.*s", (int)strcspn(resolver->url, "#"), resolver->url);
		ask_the_time(k, resolver->name, resolver->bootstrap[0], url,
		    resolver->tls_ca);
		free(url);
	}
}

/* --- the same in two segments --- */

static void
split_asked(void *cookie)
{
	struct one *one = cookie;

	one->split = NULL;
	ended(one->knock);
}

static void
ask_split(struct knock *k, const char *address)
{
	struct one *one = k->request.get_url == NULL ? NULL : add(k, address);

	if (one != NULL)
		one->split = split_start(k->loop, k->facts, k->began_ms,
		    k->request.get_url, address, split_asked, one);
}

/* --- TCP --- */

/* A connection is all that is looked at. */
static void
knocked(void *cookie, const struct fetch_result *result)
{
	struct one *one = cookie;
	struct knock *k = one->knock;
	struct fact_connect *c =
	    &facts_add(k->facts, FACT_CONNECT, "C", now_ms(k))->u.connect;
	bool up = result->connect_ms >= 0;

	one->fetch = NULL;
	fact_copy(c->address, sizeof(c->address), one->address);
	c->port = one->port;
	c->control = one->is_control;
	if (!up)
		c->err = result->err;
	c->elapsed_ms = up ? result->connect_ms : result->elapsed_ms;
	ended(k);
}

static void
connect_to(struct knock *k, const char *address, int port, bool is_control)
{
	struct one *one = add(k, address);

	if (one == NULL)
		return;
	one->port = port;
	one->is_control = is_control;
	fetch(one, mem_printf("http://%s:%d/", k->request.control, port),
	    knocked);
}

/* --- where --- */

/* The addresses of the control, as anybody but the dark one named them, and if
 * SAFE over TLS: the first of each family. */
static void
find_control(
    const struct facts *facts, bool safe, const char **v4, const char **v6)
{
	for (size_t i = 0; i < facts->count; i++) {
		const struct fact_datagram *d = &facts->items[i].u.datagram;
		const struct fact_question *q;

		if (facts->items[i].kind != FACT_DATAGRAM || d->elsewhere)
			continue;
		q = &facts->items[d->question].u.question;
		if (q->role != ROLE_CONTROL || q->party == PARTY_DARK ||
		    (safe && !text_starts(q->asked, "tls://") &&
			!text_starts(q->asked, "https://")))
			continue;
		for (size_t a = 0; a < d->address_count; a++) {
			const char **to =
			    strchr(d->addresses[a], ':') != NULL ? v6 : v4;

			if (*to == NULL)
				*to = d->addresses[a];
		}
	}
}

static bool
was_asked(const struct knock *k, const char *address)
{
	for (size_t i = 0; i < k->facts->count; i++) {
		const struct fact_control *c = &k->facts->items[i].u.control;

		if (k->facts->items[i].kind == FACT_CONTROL &&
		    c->kind == CONTROL_OTHER_HOST &&
		    strcmp(c->address, address) == 0)
			return true;
	}
	return false;
}

/* What failed at ADDRESS decides what is worth asking there. */
static void
look_at(struct knock *k, const struct seen_address *seen, int port)
{
	/* the facts grow: what they lend must be copied first */
	char address[DNS_ADDRESS_TEXT];

	fact_copy(address, sizeof(address), seen->address);
	switch (seen->reason) {
	case REASON_CONNECT_REFUSED:
	case REASON_CONNECT_RESET:
		connect_to(k, address, OTHER_PORT, false);
		connect_to(k, address, port, false);
		break;
	case REASON_HTTP_RESET:
		ask_split(k, address);
		ask(k, address, CONTROL_OTHER_HOST);
		break;
	case REASON_HTTP_TIMEOUT:
	case REASON_HTTP_STATUS:
	case REASON_HTTP_REDIRECT:
	case REASON_NOT_OCSP:
	case REASON_EXPIRED:
	case REASON_NOT_YET_VALID:
		if (!was_asked(k, address))
			ask(k, address, CONTROL_OTHER_HOST);
		break;
	default:
		break;
	}
}

static void
nothing_to_do(void *cookie)
{
	struct knock *k = cookie;

	k->nothing = NULL;
	k->running = 1;
	ended(k);
}

static void
look_at_addresses(struct knock *k)
{
	struct picture *picture = mem_new(sizeof(*picture));
	char *host = NULL;
	int port = 80;

	if (fetch_split_url(k->request.url, &host, &port))
		free(host);
	picture_make(k->facts, picture);
	for (size_t i = 0; i < picture->address_count; i++) {
		const struct seen_address *seen = &picture->addresses[i];

		if (seen->state != ADDRESS_PROVEN)
			look_at(k, seen, port);
	}
	free(picture);
}

static void
look_around(struct knock *k)
{
	const char *v4 = NULL, *v6 = NULL;

	/* its name may be forged too */
	find_control(k->facts, true, &v4, &v6);
	if (v4 == NULL && v6 == NULL)
		find_control(k->facts, false, &v4, &v6);
	if (v4 != NULL)
		ask(k, v4, CONTROL_WEB);
	ask_for_the_time(k, v4 != NULL ? v4 : v6);
	if (v4 != NULL && k->request.ipv6)
		connect_to(k, v4, 80, true);
	if (v6 != NULL && k->request.ipv6)
		connect_to(k, v6, 80, true);
}

struct knock *
knock_start(uv_loop_t *loop, struct fetch_pool *pool, struct facts *facts,
    int64_t began_ms, const struct knock_request *request,
    void (*cb)(void *cookie), void *cookie)
{
	struct knock *k = mem_new(sizeof(*k));

	k->loop = loop;
	k->pool = pool;
	k->facts = facts;
	k->began_ms = began_ms;
	k->request = *request;
	k->cb = cb;
	k->cookie = cookie;
	switch (request->kind) {
	case KNOCK_GENERAL:
		look_around(k);
		break;
	case KNOCK_HANGING:
		ask(k, request->address, CONTROL_OTHER_HOST);
		break;
	case KNOCK_ADDRESSES:
		look_at_addresses(k);
		break;
	}
	if (k->running == 0)
		k->nothing = loop_timer_start(loop, 0, nothing_to_do, k);
	return k;
}

void
knock_cancel(struct knock **knock)
{
	struct knock *k = *knock;

	*knock = NULL;
	if (k == NULL)
		return;
	for (size_t i = 0; i < k->count; i++) {
		fetch_cancel(&k->list[i].fetch);
		split_cancel(&k->list[i].split);
	}
	loop_timer_cancel(&k->nothing);
	free(k);
}
