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
	HTTP_OK = 200,
};

/* SEEN was tried in vain; where another one works, only those count that the
 * system leads to. */
static bool
is_in_question(const struct workup *w, const struct seen_address *seen)
{
	if (seen->tries == 0 || seen->state == ADDRESS_PROVEN)
		return false;
	for (size_t i = 0; w->p->direct_proven && i < w->p->asked_count; i++) {
		const struct seen_asked *a = &w->p->asked[i];

		if (a->party == PARTY_SYSTEM &&
		    picture_names(w->p, a, seen->address))
			return true;
	}
	return !w->p->direct_proven;
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

			if (is_in_question(w, seen) &&
			    tests[t](w, seen->address))
				out[(*count)++] = seen;
		}
		if (*count > 0)
			return how[t];
	}
	for (size_t i = 0; i < w->p->address_count; i++) {
		if (is_in_question(w, &w->p->addresses[i]))
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

/* What is the matter with a response that is out of its time, in words; other
 * clocks were asked, or there was none. */
static const char *
out_of_time(const struct workup *w, enum reason reason)
{
	size_t index = 0;
	bool compared = next_fact(w->p->facts, FACT_CLOCK, &index) != NULL;

	if (reason == REASON_NOT_YET_VALID)
		return compared ? "the response is genuine and begins in the "
				  "future, and this machine's clock is right: "
				  "the responder's is not"
				: "the response is genuine and begins in the "
				  "future: the responder's clock is ahead, or "
				  "this machine's behind";
	return compared
		   ? finding_row(FINDING_RESP_EXPIRED)->meaning
		   : "the response is genuine and past its nextUpdate: the "
		     "responder or a cache before it is stale, or this "
		     "machine's clock is ahead";
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
	    !w->works && (!w->p->any_proven || w->p->direct_proven));
	/* of an OCSP status the code says it all */
	if (strncmp(finding_row(code)->code, "responder-status-", 17) != 0)
		finding_say(finding, "%s: %s",
		    code == FINDING_RESP_EXPIRED ? out_of_time(w, seen->reason)
						 : finding_row(code)->meaning,
		    w->p->facts->items[seen->fetch].u.fetch.err.text);
	finding_about_address(finding, seen);
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

/* How addresses fail: of each kind how many, and the first of them. */
enum ending {
	ENDING_SILENT,
	ENDING_REFUSED,
	ENDING_RESET,
	ENDING_CUT,
	ENDING_STALLED,
	ENDING_ERROR, /* of HTTP */
	ENDING_ODD,   /* not-ocsp, redirect, oversize, TLS */
	ENDING_COUNT
};

struct outcome {
	size_t count[ENDING_COUNT];
	const struct seen_address *first[ENDING_COUNT];
};

static enum ending
ending_of(enum reason reason)
{
	switch (reason) {
	case REASON_CONNECT_TIMEOUT:
	case REASON_UNREACHABLE:
		return ENDING_SILENT;
	case REASON_CONNECT_REFUSED:
		return ENDING_REFUSED;
	case REASON_CONNECT_RESET:
		return ENDING_RESET;
	case REASON_HTTP_RESET:
		return ENDING_CUT;
	case REASON_HTTP_TIMEOUT:
		return ENDING_STALLED;
	case REASON_HTTP_STATUS:
		return ENDING_ERROR;
	default:
		return ENDING_ODD;
	}
}

static struct outcome
sum_up(const struct seen_address *const *list, size_t count)
{
	struct outcome sum = {0};

	for (size_t i = 0; i < count; i++) {
		enum ending ending = ending_of(list[i]->reason);

		if (sum.count[ending]++ == 0)
			sum.first[ending] = list[i];
	}
	return sum;
}

/* The first address that ended as one of A, B. */
static const struct seen_address *
first_of(const struct outcome *sum, enum ending a, enum ending b)
{
	return sum->first[a] != NULL ? sum->first[a] : sum->first[b];
}

/* Whoever is asked by HTTP refuses: then that is not the host's word. */
static bool
web_refuses(const struct workup *w, size_t *cite)
{
	const struct fact *fact;

	for (size_t i = 0;
	     (fact = next_fact(w->p->facts, FACT_CONTROL, &i)) != NULL;) {
		const struct fact_control *c = &fact->u.control;

		if (c->kind == CONTROL_WEB &&
		    (c->err.reason == REASON_CONNECT_REFUSED ||
			c->err.reason == REASON_CONNECT_RESET)) {
			*cite = i - 1;
			return true;
		}
	}
	return false;
}

static void
judge_tcp(struct workup *w, const struct outcome *sum, enum certainty certainty)
{
	const struct seen_address *seen = sum->first[ENDING_SILENT];
	enum finding_code code = FINDING_NET_BLACKHOLE;
	struct finding *finding;
	size_t cite = PICTURE_NONE;

	if (sum->count[ENDING_RESET] > 0) {
		seen = sum->first[ENDING_RESET];
		code = FINDING_NET_TCP_RST;
	} else if (sum->count[ENDING_REFUSED] > 0) {
		seen = sum->first[ENDING_REFUSED];
		code =
		    refused_by_another(w, seen, &cite) || web_refuses(w, &cite)
			? FINDING_NET_TCP_RST
			: FINDING_RESPONDER_DOWN;
	}
	finding = finding_add(w, code, certainty, true);
	finding_about_address(finding, seen);
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
	    sum->count[ENDING_ODD] > 0) {
		code = FINDING_CAPTIVE_PORTAL;
		certainty = CERTAINTY_STRONG;
	} else if (web != NULL && web->altered &&
		   sum->count[ENDING_ERROR] + sum->count[ENDING_ODD] > 0) {
		code = FINDING_HTTP_PROXY_ERROR;
		certainty = CERTAINTY_STRONG;
	} else if (ending_of(seen->reason) == ENDING_CUT &&
		   (other_ok || split_ok)) {
		code = FINDING_HTTP_RESET_KEYWORD;
		if (certainty == CERTAINTY_STRONG || split_ok)
			certainty = CERTAINTY_PROVEN;
	} else if (ending_of(seen->reason) == ENDING_STALLED && other_ok) {
		code = FINDING_NET_MTU;
		certainty = CERTAINTY_CONSISTENT;
	}
	finding = finding_add(w, code, certainty, true);
	if (code == FINDING_HTTP_RESET_KEYWORD && !other_ok)
		finding_say(finding,
		    "the connection is cut when the request comes in one "
		    "piece, and passes in two: something on the way looks for "
		    "words in it");
	finding_about_address(finding, seen);
	finding_cite(finding, cite);
	finding_cite(finding, cite_split);
	finding_cite(finding, cite_web);
}

/* No address gives a response, or none that the system names: where does it
 * end? */
static void
judge_failure(struct workup *w)
{
	const struct seen_address *list[PICTURE_ADDRESSES_MAX];
	size_t count = 0;
	enum certainty how = choose_addresses(w, list, &count);
	const struct seen_address *seen;
	struct outcome sum;

	for (size_t i = 0; i < count; i++) {
		if (list[i]->state == ADDRESS_SPEAKS) {
			judge_answer(w, list[i], how);
			return;
		}
	}
	sum = sum_up(list, count);
	/* a portal or proxy shows itself, whatever the address */
	seen = first_of(&sum, ENDING_ODD, ENDING_ERROR);
	if (seen != NULL) {
		judge_http(w, seen, &sum,
		    how == CERTAINTY_NOT_PROVEN ? CERTAINTY_CONSISTENT : how);
		return;
	}
	if (!w->p->direct_proven &&
	    diagnose_outside(
		w, count == 0 ? NULL : list[0], sum.count[ENDING_SILENT]))
		return;
	if (count == 0 || (w->injected && how != CERTAINTY_STRONG))
		return;
	if (how == CERTAINTY_NOT_PROVEN)
		return; /* dead, or forged: not to be told from here */
	seen = first_of(&sum, ENDING_CUT, ENDING_STALLED);
	if (seen != NULL)
		judge_http(w, seen, &sum, how);
	else
		judge_tcp(w, &sum, how);
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
	if (!w->p->direct_proven || (!w->works && !finding_any_breaks(w)))
		judge_failure(w);
}
