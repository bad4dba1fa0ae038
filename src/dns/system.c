/* SPDX-License-Identifier: ISC */
/* dns/system.c -- the system's own answer: getaddrinfo, off the loop. */
#include "dns/system.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/loop.h"
#include "base/mem.h"

struct system_query {
	uv_getaddrinfo_t request;
	struct loop_timer *failing; /* tells START_ERROR at the next turn */
	int start_error;
	bool running;   /* libuv holds the request */
	bool cancelled; /* nobody wants to hear */
	bool reporting;
	char *name;
	void (*cb)(void *cookie, const char *const *addresses, size_t count,
	    const struct err *err);
	void *cookie;
};

static void
query_free(struct system_query *query)
{
	loop_timer_cancel(&query->failing);
	free(query->name);
	free(query);
}

static enum reason
reason_of(int status)
{
	switch (status) {
	case UV_EAI_NONAME:
	case UV_EAI_NODATA:
	case UV_EAI_ADDRFAMILY:
		return REASON_DNS_NXDOMAIN;
	case UV_EAI_FAIL:
		return REASON_DNS_SERVFAIL;
	default: /* UV_EAI_AGAIN does not say whether a SERVFAIL came or nothing;
		  * else: too long a name, no memory, a failed system call */
		return REASON_DNS_NO_ANSWER;
	}
}

/* The address of AI as text, in OUT; false if it is of no family we know. */
static bool
address_text(const struct addrinfo *ai, char out[INET6_ADDRSTRLEN])
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)ai->ai_addr;
	const struct sockaddr_in6 *v6 =
	    (const struct sockaddr_in6 *)ai->ai_addr;

	if (ai->ai_family == AF_INET)
		return inet_ntop(AF_INET, &v4->sin_addr, out,
			   INET6_ADDRSTRLEN) != NULL;
	if (ai->ai_family == AF_INET6)
		return inet_ntop(AF_INET6, &v6->sin6_addr, out,
			   INET6_ADDRSTRLEN) != NULL;
	return false;
}

static void
report(struct system_query *query, int status, const struct addrinfo *found)
{
	char texts[SYSTEM_ADDRESSES_MAX][INET6_ADDRSTRLEN];
	const char *addresses[SYSTEM_ADDRESSES_MAX];
	size_t count = 0;
	struct err err = {0};

	for (const struct addrinfo *ai = found;
	     ai != NULL && count < SYSTEM_ADDRESSES_MAX; ai = ai->ai_next) {
		size_t same = 0;

		if (!address_text(ai, texts[count]))
			continue;
		while (same < count && strcmp(texts[same], texts[count]) != 0)
			same++;
		if (same < count)
			continue;
		addresses[count] = texts[count];
		count++;
	}
	if (status != 0)
		err_set(&err, reason_of(status),
		    "the system's resolver has no address for '%.200s': %s",
		    query->name, uv_strerror(status));
	else if (count == 0)
		err_set(&err, REASON_DNS_NO_ANSWER,
		    "the system's resolver has no address for '%.200s'",
		    query->name);
	query->reporting = true;
	query->cb(query->cookie, addresses, count, &err);
	query_free(query);
}

static void
looked_up(uv_getaddrinfo_t *request, int status, struct addrinfo *found)
{
	struct system_query *query = request->data;

	query->running = false;
	if (query->cancelled)
		query_free(query);
	else
		report(query, status, found);
	uv_freeaddrinfo(found);
}

static void
could_not_start(void *cookie)
{
	struct system_query *query = cookie;

	query->failing = NULL;
	report(query, query->start_error, NULL);
}

struct system_query *
system_start(uv_loop_t *loop, const char *name, int family,
    void (*cb)(void *cookie, const char *const *addresses, size_t count,
	const struct err *err),
    void *cookie)
{
	struct system_query *query = mem_new(sizeof(*query));
	/* No AI_ADDRCONFIG: it hides addresses on machines whose only IPv6
	 * is the loopback's, and what does not connect costs us nothing. */
	struct addrinfo hints = {
	    .ai_family = family, .ai_socktype = SOCK_STREAM};

	query->name = mem_string(name);
	query->cb = cb;
	query->cookie = cookie;
	query->request.data = query;
	query->start_error = uv_getaddrinfo(
	    loop, &query->request, looked_up, name, NULL, &hints);
	query->running = query->start_error == 0;
	if (!query->running)
		query->failing =
		    loop_timer_start(loop, 0, could_not_start, query);
	return query;
}

void
system_cancel(struct system_query **query)
{
	struct system_query *q = *query;

	*query = NULL;
	if (q == NULL || q->reporting)
		return;
	q->cancelled = true;
	/* Queued or under way, looked_up comes in the end, and frees. */
	if (q->running)
		(void)uv_cancel((uv_req_t *)&q->request);
	else
		query_free(q);
}
