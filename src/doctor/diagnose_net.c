/* SPDX-License-Identifier: ISC */
/* doctor/diagnose_net.c -- TCP, HTTP, and the responder itself.
 *
 * These are blamed only where the address itself is not in doubt: an encrypted
 * resolver names it, or it gave an OCSP answer; else a dead address may be a
 * forged one, and what is said is no more than "consistent with". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doctor/diagnose_priv.h"

enum {
	/* A refusal that comes in less than half the time in which the host
	 * itself answers was not sent by it (NETWORK-TRUTH 4.2, 36) */
	RST_FACTOR = 2,
	SLOW_MS = 2500, /* near the 3 s that Apple's clients wait */
	HTTP_OK = 200,
	REPEATS_MIN = 5, /* before "intermittent" is said */
};

static void
about_address(struct finding *finding, const struct seen_address *seen)
{
	(void)snprintf(
	    finding->address, sizeof(finding->address), "%s", seen->address);
	finding_cite(finding, seen->fetch);
	finding_cite(finding, seen->connect);
}

/* Of the addresses worth judging: all that are trusted; without any, all that
 * resolvers agree on; without those, all.  HOW says which. */
static enum certainty
choose_addresses(const struct workup *w,
    const struct seen_address *out[PICTURE_ADDRESSES_MAX], size_t *count)
{
	static bool (*const tests[])(const struct workup *w,
	    const char *address) = {is_trusted_address, is_agreed_address};
	static const enum certainty how[] = {
	    CERTAINTY_STRONG, CERTAINTY_CONSISTENT};

	for (size_t t = 0; t < sizeof(tests) / sizeof(tests[0]); t++) {
		*count = 0;
		for (size_t i = 0; i < w->p->address_count; i++) {
			const struct seen_address *seen = &w->p->addresses[i];

			if (seen->tries > 0 && tests[t](w, seen->address))
				out[(*count)++] = seen;
		}
		if (*count > 0)
			return how[t];
	}
	for (size_t i = 0; i < w->p->address_count; i++) {
		if (w->p->addresses[i].tries > 0)
			out[(*count)++] = &w->p->addresses[i];
	}
	return CERTAINTY_NOT_PROVEN;
}

/* --- what the responder itself says --- */

static enum finding_code
code_of_answer(enum reason reason)
{
	switch (reason) {
	case REASON_STATUS_MALFORMED_REQUEST:
		return FINDING_RESPONDER_STATUS_1;
	case REASON_STATUS_INTERNAL_ERROR:
		return FINDING_RESPONDER_STATUS_2;
	case REASON_STATUS_TRY_LATER:
		return FINDING_RESPONDER_STATUS_3;
	case REASON_STATUS_SIG_REQUIRED:
		return FINDING_RESPONDER_STATUS_5;
	case REASON_STATUS_UNAUTHORIZED:
		return FINDING_RESPONDER_STATUS_6;
	case REASON_EXPIRED:
	case REASON_NOT_YET_VALID:
		return FINDING_RESP_EXPIRED;
	case REASON_WRONG_CERTIFICATE:
		return FINDING_RESP_OTHER_CERT;
	default:
		return FINDING_RESP_UNTRUSTED;
	}
}

/* An OCSP answer that is no response: what it is, is proven by having it; that
 * it is the CA's word, only where the address is beyond doubt. */
static void
judge_answer(
    struct workup *w, const struct seen_address *seen, enum certainty address)
{
	enum finding_code code = code_of_answer(seen->reason);
	struct finding *finding;

	/* with a wrong clock every response looks so */
	if (code == FINDING_RESP_EXPIRED &&
	    finding_have(w, FINDING_CLOCK_SKEW) != NULL)
		return;
	/* a stranger's answer from a forged address is part of the forgery */
	if (code == FINDING_RESP_UNTRUSTED && w->injected &&
	    address != CERTAINTY_STRONG)
		return;
	if (finding_have(w, code) != NULL)
		return;
	finding = finding_add(w, code,
	    address == CERTAINTY_STRONG ? CERTAINTY_PROVEN : CERTAINTY_STRONG,
	    !w->works && !w->p->any_proven);
	/* of an OCSP status the code says it all */
	if (strncmp(finding_row(code)->code, "responder-status-", 17) != 0)
		finding_say(finding, "%s: %s", finding_row(code)->meaning,
		    w->p->facts->items[seen->fetch].u.fetch.err.text);
	about_address(finding, seen);
}

/* --- TCP --- */

/* The time in which the host itself answers on another port, whatever it
 * says; -1: it did not. */
static int64_t
host_ms(const struct workup *w, const char *address, int port, size_t *cite)
{
	const struct fact *fact;

	for (size_t i = 0;
	     (fact = next_fact(w->p->facts, FACT_CONNECT, &i)) != NULL;) {
		const struct fact_connect *c = &fact->u.connect;

		if (strcmp(c->address, address) == 0 && c->port != port &&
		    (c->err.reason == REASON_NONE ||
			c->err.reason == REASON_CONNECT_REFUSED)) {
			*cite = i - 1;
			return c->elapsed_ms;
		}
	}
	return -1;
}

static bool
refused_by_another(
    const struct workup *w, const struct seen_address *seen, size_t *cite)
{
	const struct fact_connect *c;
	int64_t host;

	if (seen->connect == PICTURE_NONE)
		return false;
	c = &w->p->facts->items[seen->connect].u.connect;
	host = host_ms(w, seen->address, c->port, cite);
	return host > 0 && c->elapsed_ms * RST_FACTOR < host;
}

struct outcome {
	size_t silent, refused, reset, cut, stalled, errors, odd;
};

static struct outcome
sum_up(const struct seen_address *const *list, size_t count)
{
	struct outcome sum = {0};

	for (size_t i = 0; i < count; i++) {
		switch (list[i]->reason) {
		case REASON_CONNECT_TIMEOUT:
		case REASON_UNREACHABLE:
			sum.silent++;
			break;
		case REASON_CONNECT_REFUSED:
			sum.refused++;
			break;
		case REASON_CONNECT_RESET:
			sum.reset++;
			break;
		case REASON_HTTP_RESET:
			sum.cut++;
			break;
		case REASON_HTTP_TIMEOUT:
			sum.stalled++;
			break;
		case REASON_HTTP_STATUS:
			sum.errors++;
			break;
		default: /* not-ocsp, redirect, oversize, TLS */
			sum.odd++;
			break;
		}
	}
	return sum;
}

/* Two servers and more were asked for a name that exists, by whatever road, and
 * none said a word; the question of one of them to *CITE. */
static bool
nobody_answers(const struct workup *w, size_t *cite)
{
	const struct seen_asked *first = NULL;
	bool several = false;

	for (size_t i = 0; i < w->p->asked_count; i++) {
		const struct seen_asked *a = &w->p->asked[i];

		if (a->party != PARTY_RESOLVER || !a->control_asked)
			continue;
		if (a->control_answered || a->responder_answered > 0)
			return false;
		if (first == NULL)
			first = a;
		several = several || first->host_length != a->host_length ||
			  strncmp(first->host, a->host, a->host_length) != 0;
	}
	if (several)
		*cite = first->question;
	return several;
}

/* Nothing comes through, whoever is asked: then it is not this responder. */
static bool
judge_no_network(
    struct workup *w, const struct seen_address *seen, size_t silent)
{
	struct finding *finding;
	const struct fact *fact;
	size_t cite = PICTURE_NONE;

	if (seen == NULL && !w->p->web_control_asked &&
	    nobody_answers(w, &cite)) {
		/* there was no address of any host to knock at */
		finding = finding_add(
		    w, FINDING_LOCAL_NO_NETWORK, CERTAINTY_CONSISTENT, true);
		finding_cite(finding, cite);
		return true;
	}
	if (!w->p->web_control_asked || w->p->web_control_ok)
		return false;
	for (size_t i = 0; i < w->p->asked_count; i++) {
		if (seen == NULL && w->p->asked[i].control_answered)
			return false;
	}
	if (seen != NULL && silent == 0)
		return false;
	if (finding_have(w, FINDING_LOCAL_NEEDS_PROXY) != NULL)
		return true; /* there is one, and it has been said how */
	for (size_t i = 0;
	     (fact = next_fact(w->p->facts, FACT_CONTROL, &i)) != NULL;)
		cite = i - 1;
	finding =
	    finding_add(w, FINDING_LOCAL_NO_NETWORK, CERTAINTY_STRONG, true);
	finding_cite(finding, cite);
	if (seen != NULL)
		about_address(finding, seen);
	return true;
}

static void
judge_tcp(struct workup *w, const struct seen_address *seen,
    const struct outcome *sum, enum certainty certainty)
{
	enum finding_code code = FINDING_NET_BLACKHOLE;
	struct finding *finding;
	size_t cite = PICTURE_NONE;

	if (sum->reset > 0)
		code = FINDING_NET_TCP_RST;
	else if (sum->refused > 0)
		code = refused_by_another(w, seen, &cite)
			   ? FINDING_NET_TCP_RST
			   : FINDING_RESPONDER_DOWN;
	finding = finding_add(w, code, certainty, true);
	about_address(finding, seen);
	finding_cite(finding, cite);
}

/* --- HTTP --- */

static const struct fact_control *
find_control(const struct workup *w, enum fact_control_kind kind,
    const char *address, size_t *cite)
{
	const struct fact *fact;

	for (size_t i = 0;
	     (fact = next_fact(w->p->facts, FACT_CONTROL, &i)) != NULL;) {
		if (fact->u.control.kind == kind &&
		    (address == NULL ||
			strcmp(fact->u.control.address, address) == 0)) {
			*cite = i - 1;
			return &fact->u.control;
		}
	}
	return NULL;
}

static void
judge_http(struct workup *w, const struct seen_address *seen,
    const struct outcome *sum, enum certainty certainty)
{
	enum finding_code code = FINDING_RESPONDER_DOWN;
	size_t cite = PICTURE_NONE, cite_web = PICTURE_NONE;
	const struct fact_control *web =
	    find_control(w, CONTROL_WEB, NULL, &cite_web);
	const struct fact_control *other =
	    find_control(w, CONTROL_OTHER_HOST, seen->address, &cite);
	size_t cite_split = PICTURE_NONE;
	const struct fact_control *split =
	    find_control(w, CONTROL_SPLIT, seen->address, &cite_split);
	bool other_ok = other != NULL && other->err.reason == REASON_NONE;
	/* the same request passes when no piece of it holds the words */
	bool split_ok = split != NULL && split->err.reason == REASON_NONE &&
			split->http_status == HTTP_OK;
	struct finding *finding;

	if (web != NULL && (web->redirect || (web->html && web->altered)) &&
	    sum->odd > 0) {
		code = FINDING_CAPTIVE_PORTAL;
		certainty = CERTAINTY_STRONG;
	} else if (web != NULL && web->altered && sum->errors + sum->odd > 0) {
		code = FINDING_HTTP_PROXY_ERROR;
		certainty = CERTAINTY_STRONG;
	} else if (sum->cut > 0 && (other_ok || split_ok)) {
		code = FINDING_HTTP_RESET_KEYWORD;
		if (certainty == CERTAINTY_STRONG || split_ok)
			certainty = CERTAINTY_PROVEN;
	} else if (sum->stalled > 0 && other_ok) {
		code = FINDING_NET_MTU;
		certainty = CERTAINTY_CONSISTENT;
	}
	finding = finding_add(w, code, certainty, true);
	if (code == FINDING_HTTP_RESET_KEYWORD && !other_ok)
		finding_say(finding,
		    "the connection is cut when the request comes in one "
		    "piece, and passes in two: something on the way looks for "
		    "words in it");
	about_address(finding, seen);
	finding_cite(finding, cite);
	finding_cite(finding, cite_split);
	finding_cite(finding, cite_web);
}

/* No address gives a response: where does it end? */
static void
judge_failure(struct workup *w)
{
	const struct seen_address *list[PICTURE_ADDRESSES_MAX];
	size_t count = 0;
	enum certainty how = choose_addresses(w, list, &count);
	struct outcome sum;

	for (size_t i = 0; i < count; i++) {
		if (list[i]->state == ADDRESS_SPEAKS) {
			judge_answer(w, list[i], how);
			return;
		}
	}
	sum = sum_up(list, count);
	/* a portal or proxy shows itself, whatever the address */
	if (count > 0 && sum.errors + sum.odd > 0) {
		judge_http(w, list[count - 1], &sum,
		    how == CERTAINTY_NOT_PROVEN ? CERTAINTY_CONSISTENT : how);
		return;
	}
	if (judge_no_network(w, count == 0 ? NULL : list[0], sum.silent))
		return;
	if (count == 0 || (w->injected && how != CERTAINTY_STRONG))
		return;
	if (how == CERTAINTY_NOT_PROVEN)
		return; /* dead, or forged: not to be told from here */
	if (sum.cut + sum.stalled > 0)
		judge_http(w, list[0], &sum, how);
	else
		judge_tcp(w, list[0], &sum, how);
}

/* --- what only costs time --- */

static void
judge_ipv6(struct workup *w)
{
	const struct seen_address *dead = NULL;
	struct finding *finding;
	const struct fact *fact;
	bool v4_proven = false;

	for (size_t i = 0; i < w->p->address_count; i++) {
		const struct seen_address *seen = &w->p->addresses[i];
		bool v6 = strchr(seen->address, ':') != NULL;

		if (!v6 && seen->state == ADDRESS_PROVEN)
			v4_proven = true;
		if (v6 && seen->state == ADDRESS_PROVEN)
			return;
		if (v6 && seen->state == ADDRESS_FAILED && !seen->connected)
			dead = seen;
	}
	if (dead == NULL || !v4_proven || !w->p->v6_control_failed)
		return;
	finding =
	    finding_add(w, FINDING_NET_V6_BROKEN, CERTAINTY_STRONG, false);
	about_address(finding, dead);
	for (size_t i = 0;
	     (fact = next_fact(w->p->facts, FACT_CONNECT, &i)) != NULL;) {
		if (fact->u.connect.control)
			finding_cite(finding, i - 1);
	}
}

/* Neither "works" nor "fails" is the truth. */
static void
judge_rates(struct workup *w)
{
	const struct seen_address *mixed = NULL;
	unsigned tries = 0, failures = 0;
	struct finding *finding;

	for (size_t i = 0; i < w->p->address_count; i++) {
		const struct seen_address *seen = &w->p->addresses[i];

		if (seen->state != ADDRESS_PROVEN || !seen->mixed ||
		    seen->tries < REPEATS_MIN)
			continue;
		mixed = seen;
		tries += seen->tries;
		failures += seen->failures;
	}
	if (mixed == NULL)
		return;
	finding =
	    finding_add(w, FINDING_INTERMITTENT, CERTAINTY_PROVEN, !w->works);
	finding_say(finding,
	    "the same way sometimes works and sometimes does not: %u of %u "
	    "tries at proven addresses failed (%u %%)",
	    failures, tries, failures * 100 / tries);
	about_address(finding, mixed);
}

static void
judge_speed(struct workup *w)
{
	const struct seen_address *fastest = NULL;
	struct finding *finding;

	for (size_t i = 0; i < w->p->address_count; i++) {
		const struct seen_address *seen = &w->p->addresses[i];

		if (seen->state == ADDRESS_PROVEN &&
		    (fastest == NULL || seen->best_ms < fastest->best_ms))
			fastest = seen;
	}
	if (fastest == NULL || fastest->best_ms < SLOW_MS)
		return;
	finding =
	    finding_add(w, FINDING_RESPONDER_SLOW, CERTAINTY_PROVEN, false);
	finding_say(finding,
	    "the responder took %lld ms at best, which is about as long as "
	    "clients wait: a staple hides that",
	    (long long)fastest->best_ms);
	about_address(finding, fastest);
}

/* A signed answer that the certificate is not good: whatever the way. */
static void
judge_status(struct workup *w)
{
	const struct fact *fact;

	for (size_t i = 0;
	     (fact = next_fact(w->p->facts, FACT_FETCH, &i)) != NULL;) {
		const struct fact_fetch *fetch = &fact->u.fetch;
		struct finding *finding;

		if (fetch->err.reason != REASON_NONE ||
		    fetch->status == CERT_GOOD)
			continue;
		finding = finding_add(
		    w, FINDING_CERT_REVOKED, CERTAINTY_PROVEN, true);
		finding_say(finding,
		    "the CA says, signed, that the certificate is %s",
		    cert_status_name(fetch->status));
		finding_cite(finding, i - 1);
		return;
	}
}

void
diagnose_network(struct workup *w)
{
	judge_status(w);
	if (!w->p->any_proven || !w->p->direct_proven)
		judge_failure(w);
	judge_ipv6(w);
	judge_rates(w);
	judge_speed(w);
}
