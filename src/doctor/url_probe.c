/* SPDX-License-Identifier: ISC */
/* doctor/url_probe.c -- one OCSP URL: who says where it is, and what is there. */
#include "doctor/url_probe.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/mem.h"
#include "doctor/inventory.h"
#include "doctor/names.h"
#include "doctor/ways.h"
#include "servers/hosts_text.h"

struct url_probe {
	uv_loop_t *loop;
	struct fetch_pool *pool;
	struct facts *facts;
	int64_t began_ms;
	struct url_probe_request request;
	struct names *names;
	struct ways *ways;
	void (*cb)(void *cookie);
	void *cookie;
};

static void
finish(void *cookie)
{
	struct url_probe *p = cookie;
	void (*cb)(void *cookie) = p->cb;
	void *cb_cookie = p->cookie;

	p->ways = NULL;
	url_probe_cancel(&p);
	cb(cb_cookie);
}

static void
look_at_ways(struct url_probe *p)
{
	const struct probe_terms *terms = p->request.terms;
	const struct ways_request request = {
	    .leaf = terms->id->leaf,
	    .issuer = terms->id->issuer,
	    .extra = &terms->id->extra,
	    .url = p->request.url,
	    .host = p->request.host,
	    .control = terms->control,
	    .resolvers = terms->resolvers,
	    .resolver_count = terms->resolver_count,
	    .policy = terms->policy,
	    .options = terms->options,
	};

	p->ways = ways_start(
	    p->loop, p->pool, p->facts, p->began_ms, &request, finish, p);
}

/* A pin of any name of the chain counts. */
static void
read_hosts(struct url_probe *p)
{
	const char *path = p->request.terms->hosts_file;
	const char *names[NAMES_CHAIN_MAX + 1];
	size_t count = names_chain(p->facts, p->request.host, names);
	uint8_t *bytes = NULL;
	size_t len = 0;

	names[count++] = p->request.host;
	if (file_read(path, HOSTS_TEXT_MAX, &bytes, &len, NULL) == 0)
		inventory_hosts(
		    p->facts, path, (struct span){bytes, len}, names, count);
	free(bytes);
}

static void
names_known(void *cookie)
{
	struct url_probe *p = cookie;
	const struct probe_terms *terms = p->request.terms;

	p->names = NULL;
	read_hosts(p);
	if (terms->proven != NULL)
		terms->proven(terms->proven_cookie, p->request.host, p->facts);
	if (terms->id->issuer == NULL)
		finish(p);
	else
		look_at_ways(p);
}

static void
names_asked(void *cookie)
{
	struct url_probe *p = cookie;

	if (p->request.named != NULL)
		p->request.named(p->cookie);
}

struct url_probe *
url_probe_start(uv_loop_t *loop, struct fetch_pool *pool, struct facts *facts,
    int64_t began_ms, const struct url_probe_request *request,
    void (*cb)(void *cookie), void *cookie)
{
	const struct probe_terms *terms = request->terms;
	struct url_probe *p = mem_new(sizeof(*p));
	struct names_request names = {
	    .host = request->host,
	    .resolvers = terms->resolvers,
	    .resolver_count = terms->resolver_count,
	    .ask_system = true,
	    .dark = terms->dark,
	    .control = terms->control,
	    .asked = names_asked,
	};

	p->loop = loop;
	p->pool = pool;
	p->facts = facts;
	p->began_ms = began_ms;
	p->request = *request;
	p->cb = cb;
	p->cookie = cookie;
	/* an address leads to itself, and that is all there is to ask */
	if (names_check(request->host, NULL) == -1) {
		names.resolver_count = 0;
		names.dark = NULL;
	}
	p->names = names_start(loop, facts, began_ms, &names, names_known, p);
	return p;
}

void
url_probe_cancel(struct url_probe **probe)
{
	struct url_probe *p = *probe;

	*probe = NULL;
	if (p == NULL)
		return;
	names_cancel(&p->names);
	ways_cancel(&p->ways);
	free(p);
}
