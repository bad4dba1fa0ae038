/* SPDX-License-Identifier: ISC */
/* keep/relay_demand.h -- responses for the relay that nobody keeps: fetched when
 * they are asked for.
 *
 * One fetch for all that ask for the same certificate; what came of it is
 * remembered, good or bad; and there is a bound to everything: fetches at once,
 * fetches a second, answers remembered.  All on the loop. */
#ifndef OCLASP_KEEP_RELAY_DEMAND_H
#define OCLASP_KEEP_RELAY_DEMAND_H

#include <stdbool.h>
#include <uv.h>

#include "pki/cert_id.h"

struct acquire_options;
struct acquire_result;
struct acquire_target;
struct cert;
struct fetch_pool;
struct relay_demand;
struct server_question;
struct snapshot;
struct staple;
struct snapshot_issuer;
struct snapshot_node;

enum {
	DEMAND_FETCHES_MAX = 8,    /* at once */
	DEMAND_WAITING_MAX = 1024, /* questions that wait for them */
	DEMAND_BURST = 50,         /* fetches that may begin in a row; then */
	DEMAND_PER_S = 5,          /* so many a second */
	DEMAND_KEPT_MAX = 10000,   /* responses remembered */
	DEMAND_FAILED_MAX = 10000, /* failures remembered, */
	DEMAND_FAILED_S = 30,      /* so long those that may pass, */
	DEMAND_REFUSED_S = 300,    /* and so long a word of the responder's */
};

/* How to fetch.  Functions of the keeper's, on the loop. */
struct relay_demand_hooks {
	struct fetch_pool *pool;
	/* any certificate of kept issuers; else only CertIDs by SHA-256 of kept
	 * certificates, of which there is a response by SHA-1 alone, or the
	 * reverse */
	bool unknown;
	size_t kept_max; /* 0: DEMAND_KEPT_MAX */
	/* Fill in by what TARGET, whose leaf and issuer are set, is asked and
	 * judged; *OPTIONS must outlive done(), which gets *TOKEN.  False: this
	 * one is not to be fetched. */
	bool (*prepare)(void *cookie, struct acquire_target *target,
	    const struct acquire_options **options, void **token);
	/* NODE: what is known of the certificate; NULL: nothing */
	void (*done)(void *cookie, const struct acquire_target *target,
	    const struct snapshot_node *node, struct acquire_result *result,
	    void *token);
	void *cookie;
};

/* What came of QUESTION: STAPLE, or NULL; LATER tells that it may be otherwise
 * another time.  It is to be replied to now. */
typedef void relay_demand_reply(void *cookie,
    const struct server_question *question, const struct staple *staple,
    bool later);

struct relay_demand *relay_demand_new(uv_loop_t *loop,
    struct snapshot *snapshot, relay_demand_reply *reply, void *cookie);

/* The fetches are cancelled; the questions that wait are dead already. */
void relay_demand_free(struct relay_demand **demand);

/* Obey HOOKS (copied) from now on; NULL: nothing is fetched. */
void relay_demand_allow(
    struct relay_demand *demand, const struct relay_demand_hooks *hooks);

/* True while something may be fetched at all; for any thread. */
bool relay_demand_is_open(const struct relay_demand *demand);

/* LEAF of ISSUER is kept: the likes of it are asked for in the same way. */
void relay_demand_know(struct relay_demand *demand,
    struct snapshot_issuer *issuer, const struct cert *leaf,
    const struct cert *issuer_cert);

/* QUESTION asks for ID of ISSUER.  The reply comes once, perhaps from within. */
void relay_demand_ask(struct relay_demand *demand,
    const struct snapshot_issuer *issuer, const struct cert_id *id,
    const struct server_question *question);

/* Reply to all questions that wait, without an answer: another time. */
void relay_demand_let_go(struct relay_demand *demand);

#endif
