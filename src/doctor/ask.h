/* SPDX-License-Identifier: ISC */
/* doctor/ask.h -- one DNS question to one party, as facts.
 *
 * One FACT_QUESTION, and a FACT_DATAGRAM for each answer, believed or not.  Over
 * UDP it is asked once and never again, so that two answers are two answers to
 * one question, and every datagram of the window is told.  Repeats are
 * questions of their own. */
#ifndef OCLASP_DOCTOR_ASK_H
#define OCLASP_DOCTOR_ASK_H

#include <uv.h>

#include "dns/resolver.h"
#include "doctor/fact.h"

struct ask;

enum {
	/* 99 % of forged answers come within 364 ms before the genuine one
	 * (NETWORK-TRUTH 1.1); a diagnosis never stops at the first */
	ASK_HOLD_MS = 1500,
	/* and of who has said nothing so far: a resolver that is far away, or
	 * has to look it up first, is not silent for that */
	ASK_PATIENCE_MS = 4000,
	ASK_STRAYS_MAX = 32, /* told of one question: believed by nobody */
	/* of FACTS_MAX: who sends very many answers does not keep out what
	 * becomes of the addresses */
	ASK_LEAVES = 2048,
};

struct ask_request {
	enum fact_party party;
	const struct resolver *resolver; /* of any kind; its URL names it */
	const char *name;
	enum fact_role role;
	enum dns_type type; /* the system is always asked for addresses */
	unsigned manner;    /* of DNS_; over UDP only */
	int hops;           /* so far and no farther, over UDP; 0: any */
	unsigned repeat;
	int64_t delay_ms; /* not before that, from now */
	int64_t hold_ms;  /* 0: ASK_HOLD_MS, for others their own deadline */
	/* over UDP, while no answer has come; 0: no longer than HOLD_MS */
	int64_t patience_ms;
};

/* What REQUEST names is copied, but for what its resolver borrows.  FACTS must
 * outlive; moments are counted from BEGAN_MS (monotonic).  CB comes once, when
 * every answer is in. */
struct ask *ask_start(uv_loop_t *loop, struct facts *facts, int64_t began_ms,
    const struct ask_request *request, void (*cb)(void *cookie), void *cookie);
void ask_cancel(struct ask **ask);

/* True if RESOLVER is an encrypted one that was asked and gave nothing at all:
 * once more it would cost its whole deadline again, and tell nothing new. */
bool ask_is_dead(const struct facts *facts, const struct resolver *resolver);

/* True if every question that RESOLVER was asked failed in TLS: where hands can
 * be shaken all the same, it is the certificate that was not believed.  One that
 * failed beside others may have been cut. */
bool ask_failed_in_tls(
    const struct facts *facts, const struct resolver *resolver);

#endif
