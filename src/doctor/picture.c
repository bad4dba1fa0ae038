/* SPDX-License-Identifier: ISC */
/* doctor/picture.c -- the facts put together: which address works. */
#include "doctor/picture.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "acquire/private.h"
#include "doctor/picture_priv.h"
#include "http/fetch.h"

enum { HTTP_PORT = 80 };

static enum address_sort
sort_of(const char *address, bool synthesised)
{
	uint8_t v4[4], v6[16];

	if (inet_pton(AF_INET, address, v4) == 1) {
		if (v4[0] == 0 || v4[0] == 127)
			return SORT_BOGON;
		if (v4[0] == 198 && (v4[1] & 0xfe) == 18)
			return SORT_FAKEIP;
	} else if (inet_pton(AF_INET6, address, v6) == 1) {
		static const uint8_t dns64[12] = {0, 0x64, 0xff, 0x9b};
		static const uint8_t fake[3] = {0xfc, 0, 0};
		static const uint8_t zero[15] = {0};

		if (memcmp(v6, zero, sizeof(zero)) == 0 && v6[15] <= 1)
			return SORT_BOGON;
		if (synthesised || memcmp(v6, dns64, sizeof(dns64)) == 0)
			return SORT_DNS64;
		if (memcmp(v6, fake, 2) == 0 && (v6[2] & 0xc0) == 0)
			return SORT_FAKEIP; /* fc00::/18 */
	}
	return private_is_address(address) ? SORT_PRIVATE : SORT_PUBLIC;
}

static struct seen_address *
find_address(struct picture *p, const char *address)
{
	struct seen_address *seen;

	if (address[0] == '\0')
		return NULL;
	for (size_t i = 0; i < p->address_count; i++) {
		if (strcmp(p->addresses[i].address, address) == 0)
			return &p->addresses[i];
	}
	if (p->address_count == PICTURE_ADDRESSES_MAX)
		return NULL;
	seen = &p->addresses[p->address_count++];
	*seen = (struct seen_address){
	    .address = address,
	    .fetch = PICTURE_NONE,
	    .connect = PICTURE_NONE,
	    .best_ms = -1,
	};
	seen->sort = sort_of(address,
	    dns64_made_of(&p->dns64, p->facts, address, seen->made_of));
	return seen;
}

const struct seen_address *
picture_address(const struct picture *picture, const char *address)
{
	for (size_t i = 0; i < picture->address_count; i++) {
		if (strcmp(picture->addresses[i].address, address) == 0)
			return &picture->addresses[i];
	}
	return NULL;
}

static void
take_fetch(struct picture *p, size_t index)
{
	const struct fact_fetch *fetch = &p->facts->items[index].u.fetch;
	struct seen_address *seen = find_address(p, fetch->address);
	bool proven = fetch->err.reason == REASON_NONE;
	bool post = fetch->method != NULL && strcmp(fetch->method, "POST") == 0;

	if (proven && !p->any_proven) {
		p->any_proven = true;
		p->proof = index;
	}
	if (proven && fetch->proxy[0] == '\0')
		p->direct_proven = true;
	/* what came by a proxy proves the way, not the address from here */
	if (seen == NULL || fetch->proxy[0] != '\0')
		return;
	seen->tries++;
	if (proven)
		seen->methods[post].worked++;
	else
		seen->methods[post].failed++;
	seen->mixed = seen->mixed || (seen->methods[post].worked > 0 &&
					 seen->methods[post].failed > 0);
	seen->connected = seen->connected || fetch->connect_ms >= 0;
	if (proven) {
		seen->state = ADDRESS_PROVEN;
		seen->fetch = index;
		if (seen->best_ms < 0 || fetch->elapsed_ms < seen->best_ms)
			seen->best_ms = fetch->elapsed_ms;
		return;
	}
	seen->failures++;
	seen->reason = fetch->err.reason;
	seen->http_status = fetch->http_status;
	if (seen->state == ADDRESS_PROVEN)
		return;
	seen->fetch = index;
	if (reason_group(fetch->err.reason) == GROUP_RESPONSE)
		seen->state = ADDRESS_SPEAKS;
	else if (seen->state != ADDRESS_SPEAKS)
		seen->state = ADDRESS_FAILED;
}

/* The port that the responder's URL names. */
static int
responder_port(const struct picture *p)
{
	int port = HTTP_PORT;
	char *host = NULL;

	if (p->input != NULL && fetch_split_url(p->input->url, &host, &port))
		free(host);
	return port;
}

/* Connections to another port of the host show that it is there, and are no
 * evidence of the responder's own. */
static void
take_connect(struct picture *p, size_t index)
{
	const struct fact_connect *c = &p->facts->items[index].u.connect;
	bool v6 = strchr(c->address, ':') != NULL;
	bool ok = c->err.reason == REASON_NONE;
	struct seen_address *seen;

	if (c->control) {
		p->v4_control_ok = p->v4_control_ok || (!v6 && ok);
		p->v6_control_failed = p->v6_control_failed || (v6 && !ok);
		return;
	}
	seen = find_address(p, c->address);
	if (seen == NULL || c->port != responder_port(p))
		return;
	seen->connected = seen->connected || ok;
	seen->connect = index;
}

void
picture_make(const struct facts *facts, struct picture *out)
{
	*out =
	    (struct picture){.facts = facts, .host = "", .proof = PICTURE_NONE};
	dns64_learn_all(facts, &out->dns64);
	for (size_t i = 0; i < facts->count; i++) {
		const struct fact *fact = &facts->items[i];

		if (fact->kind == FACT_INPUT && out->input == NULL)
			out->input = &fact->u.input;
		else if (fact->kind == FACT_FETCH)
			take_fetch(out, i);
		else if (fact->kind == FACT_CONNECT)
			take_connect(out, i);
		else if (fact->kind == FACT_CONTROL &&
			 fact->u.control.kind == CONTROL_WEB) {
			out->web_control_asked = true;
			out->web_control_ok =
			    out->web_control_ok ||
			    fact->u.control.err.reason == REASON_NONE;
		}
	}
	out->v6_dead = out->v6_control_failed;
	for (size_t i = 0; i < out->address_count; i++) {
		const struct seen_address *seen = &out->addresses[i];

		if (strchr(seen->address, ':') != NULL && seen->connected)
			out->v6_dead = false;
	}
	if (out->input != NULL)
		out->host = out->input->host;
	/* by now it is known which addresses are proven */
	for (size_t i = 0; i < facts->count; i++) {
		const struct fact_question *q = &facts->items[i].u.question;

		if (facts->items[i].kind == FACT_QUESTION) {
			picture_take_question(out, i);
			if (out->host[0] == '\0' && q->role == ROLE_RESPONDER)
				out->host = q->name;
		} else if (facts->items[i].kind == FACT_DATAGRAM) {
			picture_take_datagram(out, i);
		}
	}
	for (size_t i = 0; i < out->asked_count; i++)
		picture_compare(out, &out->asked[i]);
}

bool
picture_same_server(const struct seen_asked *a, const struct seen_asked *b)
{
	return a->host_length == b->host_length &&
	       strncmp(a->host, b->host, a->host_length) == 0;
}

const struct seen_asked *
picture_over(const struct picture *picture, const struct seen_asked *asked,
    enum resolver_kind transport)
{
	for (size_t i = 0; i < picture->asked_count; i++) {
		const struct seen_asked *other = &picture->asked[i];

		if (other->party == asked->party &&
		    other->transport == transport &&
		    picture_same_server(other, asked) &&
		    other->responder != ANSWER_NOT_ASKED)
			return other;
	}
	return NULL;
}

const struct seen_asked *
picture_undisturbed(
    const struct picture *picture, const struct seen_asked *asked)
{
	const struct seen_asked *other =
	    picture_over(picture, asked, RESOLVER_TLS);

	if (other == NULL || other->responder == ANSWER_CUT ||
	    other->responder == ANSWER_SILENT)
		other = picture_over(picture, asked, RESOLVER_TCP);
	return other;
}
