/* SPDX-License-Identifier: ISC */
/* doctor/survey.h -- which responders answer from this network, by which roads.
 *
 * A road is somebody who says where a responder is: a pin, the system, a
 * nameserver of resolv.conf through our own sockets, a resolver that the
 * operator names; and a proxy, which carries.  Each road's addresses are asked
 * for OCSP, and any OCSP answer counts, of whatever status (RFC 6960, section
 * 2.3): what is tested is the way, not the certificate.  For a certificate at
 * hand the answer is verified too.
 *
 * What the roads say is compared by what their addresses do, never by the
 * addresses: different ones alone are how a CDN works (I6).
 *
 * Polite: a name is asked for once at each road, an address once for each URL,
 * by the first SURVEY_OF_ANSWER addresses of each family in an answer; few
 * connections to one responder.  Nobody outside this network is asked but the
 * responders and whom the operator has named. */
#ifndef OCLASP_DOCTOR_SURVEY_H
#define OCLASP_DOCTOR_SURVEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "acquire/acquire.h"
#include "base/err.h"
#include "base/text.h"
#include "dns/message.h"
#include "dns/resolver.h"
#include "http/proxy.h"
#include "pki/verify.h"

struct cert;
struct cert_list;
struct fetch_pool;
struct survey;

enum {
	SURVEY_TIMEOUT_MS = 10000, /* for the name and all addresses of one
				      host, unless told */
	SURVEY_HOSTS_AT_ONCE = 16,
	SURVEY_TRIES_AT_ONCE = 4, /* to one host; so 64 connections in all */
	SURVEY_OF_ANSWER = 2,     /* addresses asked of one answer's family */
	SURVEY_PROXY_MS = 3000,   /* proxies join, at the latest */
	SURVEY_RESPONDERS_MAX = 512,
	SURVEY_ADDRESSES_MAX = 16, /* listed of one road */
	SURVEY_TRIES_MAX = 32,     /* of one responder */
	SURVEY_ROADS_MAX = RESOLVERS_MAX + PROXIES_MAX + 4,
	SURVEY_PARTIES_MAX = RESOLVERS_MAX + PROXIES_MAX + 1,
};

/* What a road has led to, the worse first. */
enum survey_grade {
	SURVEY_UNTRIED,  /* nothing was asked: no time, or no address */
	SURVEY_FAILED,   /* no OCSP came */
	SURVEY_ANSWERED, /* OCSP, which anybody could have made */
	SURVEY_PROVEN,   /* a signed answer that verifies */
};

/* An address, or a proxy, and what became of asking there. */
struct survey_try {
	char address[DNS_ADDRESS_TEXT]; /* "": the proxy looks the host up */
	char proxy[PROXY_URL_TEXT];     /* ""; without credentials */
	enum survey_grade grade;
	const char *method, *stage; /* as of struct acquire_try */
	struct err err;             /* failed: why; answered: what the answer
				       says against itself, or REASON_NONE */
	int64_t connect_ms;         /* -1: never connected */
	int64_t answer_ms;          /* from the start to the answer; -1: none */
};

struct survey_road {
	char name[ACQUIRE_SOURCE_TEXT]; /* "pin" "system" "proxy", or a URL */
	char proxy[PROXY_URL_TEXT];     /* of a proxy: its URL */
	char addresses[SURVEY_ADDRESSES_MAX][DNS_ADDRESS_TEXT];
	size_t address_count;
	size_t left_out;         /* more addresses than that */
	struct err err;          /* why it names none; REASON_NONE if it does */
	int64_t lookup_ms;       /* until its first answer; -1: none came */
	bool is_outside;         /* of this network: nobody here has named it */
	bool is_dead;            /* it names nothing for anybody: not the name's
			       fault (survey_mark_dead) */
	enum survey_grade leads; /* of survey_judge */
	bool is_good;            /* the same: it leads to the responder */
};

enum survey_verdict {
	SURVEY_ANSWERS,    /* by every road that is alive */
	SURVEY_PARTLY,     /* by one road and not by another */
	SURVEY_NO_ANSWER,  /* addresses are named, none answers */
	SURVEY_NO_ADDRESS, /* no road names one */
};

/* One URL: the facts, and what they come to. */
struct survey_responder {
	const char *url; /* borrowed of the question */
	char *host;      /* owned */
	int port;
	struct survey_road *roads; /* owned, at most SURVEY_ROADS_MAX */
	size_t road_count;
	struct survey_try *tries; /* owned, at most SURVEY_TRIES_MAX */
	size_t try_count;
	/* by survey_judge */
	enum survey_verdict verdict;
	char *sentence;                   /* owned, printable */
	int64_t best_ms, best_connect_ms; /* of the quickest answer; -1: none */
};

/* --- survey.c --- */

/* What to ask.  Borrowed; must outlive the survey. */
struct survey_question {
	const char *url; /* http or https; each one once */
	/* of a certificate at hand; NULL: a fictitious one is asked about */
	const struct cert *leaf, *issuer;
	const struct cert_list *extra;
	struct verify_policy policy;
};

struct survey_result {
	struct survey_responder *responders; /* in the order of the questions */
	size_t count;
	/* outside this network, beside the responders: resolvers, proxies */
	const char *const *parties;
	size_t party_count;
};

struct survey_callbacks {
	/* one more host is done; LATEST is its name.  May be NULL. */
	void (*progress)(
	    void *cookie, size_t done, size_t count, const char *latest);
	/* once; RESULT is borrowed during the call */
	void (*end)(void *cookie, const struct survey_result *result);
};

/* Of OPTIONS the upstreams, the book and health are of no concern; timeout_ms
 * is that of one host.  POOL and OPTIONS are borrowed and must outlive. */
struct survey *survey_start(uv_loop_t *loop, struct fetch_pool *pool,
    const struct survey_question *questions, size_t count,
    const struct acquire_options *options,
    const struct survey_callbacks *callbacks, void *cookie);
void survey_cancel(struct survey **survey);

/* --- survey_verdict.c: pure --- */

const char *survey_verdict_name(enum survey_verdict verdict);
const char *survey_grade_name(enum survey_grade grade);

/* Fill in what the facts come to: of each road, and of the whole. */
void survey_judge(struct survey_responder *responder);

/* Find resolvers and proxies that were silent about all hosts, of two at the
 * least, which another road knows: that is no fault of the names. */
void survey_mark_dead(struct survey_responder *responders, size_t count);

void survey_responder_done(struct survey_responder *responder);

#endif
