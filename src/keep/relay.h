/* SPDX-License-Identifier: ISC */
/* keep/relay.h -- an OCSP responder that answers with the responses we keep.
 *
 * For kept certificates it answers from memory, on the server's own threads,
 * without a lock.  A response is given octet for octet as its CA has signed it:
 * a nonce is not echoed (RFC 9919, section 3.2.1, "SHOULD return a response that
 * does not include a nonce"), and nothing is signed here.  What is not kept it
 * may fetch on demand, within bounds, and only for issuers that it keeps
 * certificates of: it is no open relay.
 *
 * Which status an error has (RFC 6960, section 2.3; RFC 9919, section 3.2.3):
 *   malformedRequest  it is no request
 *   tryLater          the certificate is kept, or may be fetched, but there is
 *                     no response that may be given now: "unable to return a
 *                     status temporarily"
 *   unauthorized      not kept, or known to be revoked and withdrawn: "not
 *                     capable of responding authoritatively", and it will not
 *                     be by asking again */
#ifndef OCLASP_KEEP_RELAY_H
#define OCLASP_KEEP_RELAY_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct buf;
struct cert;
struct relay;
struct relay_demand_hooks;
struct relay_thread;
struct server_answer;
struct server_question;
struct snapshot_node;
struct staple;

enum relay_result {
	RELAY_GOOD,         /* a kept response */
	RELAY_NOT_MODIFIED, /* the client has it already: 304 */
	RELAY_FETCHED,      /* one that was fetched on demand */
	RELAY_TRY_LATER,
	RELAY_UNAUTHORIZED,
	RELAY_MALFORMED,
	RELAY_RESULTS
};

/* "good", "not-modified", ... as the metrics have it. */
const char *relay_result_name(enum relay_result result);

/* WALL_S tells the time, wall seconds, on any thread: clock_wall_s(). */
struct relay *relay_new(uv_loop_t *loop, int64_t (*wall_s)(void));
/* Every thread is gone, and with their servers every question. */
void relay_free(struct relay **relay);

/* How often RESULT was the answer, by all threads. */
uint64_t relay_count(const struct relay *relay, enum relay_result result);

/* The same of all, for the page of metrics. */
void relay_write_metrics(const struct relay *relay, struct buf *out);

/* --- the keeper: on the loop --- */

/* LEAF, which may be compact, is kept (by one more target).  NULL if nobody can
 * ask for it: no serial number to speak of. */
struct snapshot_node *relay_keep(
    struct relay *relay, const struct cert *leaf, const struct cert *issuer);

/* STAPLE, which is shared, answers for it from now on, if it is newer than what
 * does (I2). */
void relay_offer(
    struct relay *relay, struct snapshot_node *kept, struct staple *staple);

/* It is revoked: there is no response for it any more. */
void relay_withdraw(struct relay *relay, struct snapshot_node *kept);

/* One target less keeps it; sets *KEPT to NULL, which it may be. */
void relay_drop(struct relay *relay, struct snapshot_node **kept);

/* What is not kept may be fetched, as HOOKS tell how (keep/relay_demand.h), or
 * no more (NULL).  Copied. */
void relay_allow_demand(
    struct relay *relay, const struct relay_demand_hooks *hooks);

/* --- the servers --- */

/* One of them is about to stop: all who wait for a fetch are told tryLater.  The
 * fetches go on. */
void relay_let_go(struct relay *relay);

/* What one thread of a server answers with; made and freed on the loop, while
 * that server does not run. */
struct relay_thread *relay_thread_new(struct relay *relay);
void relay_thread_free(struct relay_thread **thread);

/* Answer QUESTION on the thread that THREAD is for.  False: it is for
 * relay_answer_later().  *ANSWER, all zero, may borrow of THREAD. */
bool relay_answer(struct relay_thread *thread,
    const struct server_question *question, struct server_answer *answer);

/* On the loop: answer it, now or when it has been fetched. */
void relay_answer_later(
    struct relay *relay, const struct server_question *question);

#endif
