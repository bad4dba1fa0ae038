/* SPDX-License-Identifier: ISC */
/* doctor/inventory.c -- what this machine says before anybody is asked. */
#include "doctor/inventory.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "http/fetch.h"
#include "pki/cert.h"

enum { WORD = 256 }; /* octets of an address or a name; longer is none */

/* The first OCSP URL that is an http one; the operator's goes before. */
static const char *
choose_url(const struct cert *leaf, const char *url, char **host)
{
	int port;

	if (url != NULL)
		return fetch_split_url(url, host, &port) ? url : NULL;
	for (size_t i = 0; i < leaf->ocsp_url_count; i++) {
		if (fetch_split_url(leaf->ocsp_urls[i], host, &port))
			return leaf->ocsp_urls[i];
	}
	return NULL;
}

size_t
inventory_urls(
    const struct cert *leaf, const char *out[FACT_URLS_MAX], size_t *left_out)
{
	size_t count = 0;

	*left_out = 0;
	for (size_t i = 0; i < leaf->ocsp_url_count; i++) {
		bool known = false;
		char *host = NULL;
		int port;

		if (!fetch_split_url(leaf->ocsp_urls[i], &host, &port))
			continue;
		free(host);
		for (size_t k = 0; k < count; k++)
			known =
			    known || strcmp(out[k], leaf->ocsp_urls[i]) == 0;
		if (known)
			continue;
		if (count < FACT_URLS_MAX)
			out[count++] = leaf->ocsp_urls[i];
		else
			++*left_out;
	}
	return count;
}

/* Nobody signs a certificate that begins tomorrow: our clock is behind. */
static void
note_issue(struct facts *facts, const struct cert *leaf, int64_t now)
{
	struct fact_clock *clock;

	if (leaf->not_before <= now + VERIFY_SKEW)
		return;
	clock = &facts_add(facts, FACT_CLOCK, "K", 0)->u.clock;
	fact_copy(clock->host, sizeof(clock->host), leaf->issuer);
	clock->ahead_s = now - leaf->not_before;
	clock->authenticated = clock->bound = true;
	clock->how = "certificate's beginning";
}

void
inventory_certificate(struct facts *facts, const struct cert *leaf,
    const struct err *unusable, const char *url, int64_t now, char **host)
{
	struct fact_input *input;
	const char *chosen;
	char *crl;

	*host = NULL;
	if (leaf != NULL && unusable->reason == REASON_NONE)
		note_issue(facts, leaf, now);
	input = &facts_add(facts, FACT_INPUT, "L", 0)->u.input;
	input->unusable = *unusable;
	if (leaf == NULL)
		return;
	input->has_url = url != NULL || leaf->ocsp_url_count > 0;
	input->must_staple = leaf->must_staple;
	input->short_lived =
	    leaf->not_after - leaf->not_before <= CERT_SHORT_LIVED;
	input->expired = leaf->not_after <= now;
	input->over_s = now - leaf->not_after;
	fact_copy(input->ca_issuers, sizeof(input->ca_issuers),
	    leaf->ca_issuers == NULL ? "" : leaf->ca_issuers);
	crl = cert_crl_url(leaf);
	fact_copy(input->crl, sizeof(input->crl), crl == NULL ? "" : crl);
	free(crl);
	chosen = choose_url(leaf, url, host);
	input->http_url = chosen != NULL;
	if (chosen == NULL)
		return;
	fact_copy(input->url, sizeof(input->url), chosen);
	fact_copy(input->host, sizeof(input->host), *host);
}

/* --- the hosts file --- */

/* The next word of the line to OUT; false at its end, its comment, or a NUL,
 * where the C library's reader stops too. */
static bool
next_word(const char **at, const char *end, char out[WORD])
{
	size_t len = 0;

	while (*at < end && (**at == ' ' || **at == '\t' || **at == '\r'))
		++*at;
	if (*at == end || **at == '#' || **at == '\0')
		return false;
	/* strchr finds the NUL as well: a word ends there */
	while (*at + len < end && strchr(" \t\r#", (*at)[len]) == NULL)
		len++;
	(void)snprintf(out, WORD, "%.*s", len < WORD ? (int)len : 0, *at);
	*at += len;
	return true;
}

static void
read_line(struct facts *facts, const char *file, int number, const char *at,
    const char *end, const char *const *names, size_t count)
{
	unsigned char octets[sizeof(struct in6_addr)];
	char address[WORD], name[WORD];

	if (!next_word(&at, end, address) ||
	    (inet_pton(AF_INET, address, octets) != 1 &&
		inet_pton(AF_INET6, address, octets) != 1))
		return;
	while (next_word(&at, end, name)) {
		for (size_t i = 0; i < count; i++) {
			struct fact_override *o;

			if (strcasecmp(name, names[i]) != 0)
				continue;
			o = &facts_add(facts, FACT_OVERRIDE, "L", 0)
				 ->u.override;
			o->kind = OVERRIDE_HOSTS;
			o->line = number;
			fact_copy(o->file, sizeof(o->file), file);
			fact_copy(o->name, sizeof(o->name), name);
			fact_copy(o->address, sizeof(o->address), address);
		}
	}
}

void
inventory_hosts(struct facts *facts, const char *file, struct span text,
    const char *const *names, size_t count)
{
	const char *at = (const char *)text.at;
	const char *end = at + text.len;
	/* what the facts lend moves when there are more of them */
	char **own = mem_array(count, sizeof(*own));

	for (size_t i = 0; i < count; i++)
		own[i] = mem_string(names[i]);
	for (int number = 1; at < end; number++) {
		const char *line_end = memchr(at, '\n', (size_t)(end - at));

		if (line_end == NULL)
			line_end = end;
		read_line(facts, file, number, at, line_end,
		    (const char *const *)own, count);
		at = line_end + (line_end < end ? 1 : 0);
	}
	for (size_t i = 0; i < count; i++)
		free(own[i]);
	free(own);
}

/* --- resolvers and proxies --- */

void
inventory_resolvers(struct facts *facts, const char *file,
    const struct resolver *resolvers, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct fact_override *o =
		    &facts_add(facts, FACT_OVERRIDE, "L", 0)->u.override;

		o->kind = OVERRIDE_RESOLVER;
		fact_copy(o->file, sizeof(o->file), file);
		fact_copy(o->name, sizeof(o->name), resolvers[i].url);
	}
}

void
inventory_proxies(struct facts *facts, const struct proxy_plan *plan)
{
	if (plan == NULL)
		return;
	for (size_t i = 0; i <= plan->last_count; i++) {
		const struct proxy *proxy =
		    i < plan->last_count ? &plan->last[i] : &plan->http;
		struct fact_override *o;

		if (i == plan->last_count && !plan->has_http)
			continue;
		o = &facts_add(facts, FACT_OVERRIDE, "L", 0)->u.override;
		o->kind = OVERRIDE_PROXY;
		fact_copy(o->name, sizeof(o->name), proxy->url);
		fact_copy(o->file, sizeof(o->file),
		    i == plan->last_count ? "environment" : "configuration");
	}
}
