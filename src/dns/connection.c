/* SPDX-License-Identifier: ISC */
/* dns/connection.c -- questions to a resolver that is reached over one
 * connection: tcp, tls, https. */
#include "dns/connection.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "dns/https.h"
#include "dns/resolver.h"
#include "dns/stream.h"

/* One of them is there, and the other NULL. */
struct connection {
	struct stream *stream;
	struct https *https;
	bool ending;
	struct question_callbacks callbacks;
	void *cookie;
};

static void
answered(void *cookie, size_t which, const struct dns_message *message)
{
	struct connection *c = cookie;

	c->callbacks.answer(c->cookie, which, message);
}

static void
ended(void *cookie, const struct err *err)
{
	struct connection *c = cookie;

	c->ending = true; /* a cancel does nothing any more */
	c->callbacks.end(c->cookie, err);
	free(c);
}

static const struct question_callbacks pass_on = {
    .answer = answered, .end = ended};

static struct stream *
ask_stream(struct connection *c, uv_loop_t *loop, const struct resolver *r,
    const struct questions *questions)
{
	struct secure_trust trust = {
	    .name = r->name[0] != '\0' ? r->name : NULL,
	    .pin_count = r->pin_count,
	    .insecure = r->insecure,
	    .ca_file = r->tls_ca,
	};
	struct stream_server server = {
	    .address = (const struct sockaddr *)&r->address,
	    .trust = r->kind == RESOLVER_TLS ? &trust : NULL,
	    .deadline_ms = r->hold_ms,
	};

	memcpy(trust.pins, r->pins, sizeof(trust.pins));
	return stream_start(loop, &server, questions, &pass_on, c);
}

static struct https *
ask_https(struct connection *c, uv_loop_t *loop, const struct resolver *r,
    const struct questions *questions)
{
	char url[RESOLVER_URL_TEXT];
	struct https_server server = {
	    .url = url,
	    .host = r->name,
	    .address_count = r->bootstrap_count,
	    .ca_file = r->tls_ca,
	    .pool = r->pool,
	    .deadline_ms = r->hold_ms,
	};

	_Static_assert((int)RESOLVER_BOOTSTRAP_MAX == (int)HTTPS_ADDRESSES_MAX,
	    "each has its place");
	(void)snprintf(
	    url, sizeof(url), "%.*s", (int)strcspn(r->url, "#"), r->url);
	for (size_t i = 0; i < r->bootstrap_count; i++)
		server.addresses[i] = r->bootstrap[i];
	return https_start(loop, &server, questions, &pass_on, c);
}

struct connection *
connection_start(uv_loop_t *loop, const struct resolver *resolver,
    const struct questions *questions,
    const struct question_callbacks *callbacks, void *cookie)
{
	struct connection *c = mem_new(sizeof(*c));

	c->callbacks = *callbacks;
	c->cookie = cookie;
	if (resolver->kind == RESOLVER_HTTPS)
		c->https = ask_https(c, loop, resolver, questions);
	else
		c->stream = ask_stream(c, loop, resolver, questions);
	return c;
}

void
connection_cancel(struct connection **connection)
{
	struct connection *c = *connection;

	*connection = NULL;
	if (c == NULL || c->ending)
		return;
	stream_cancel(&c->stream);
	https_cancel(&c->https);
	free(c);
}
