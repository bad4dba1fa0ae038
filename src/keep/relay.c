/* SPDX-License-Identifier: ISC */
/* keep/relay.c -- an OCSP responder that answers with the responses we keep:
 * begin and end, and what is kept. */
#include "keep/relay.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "keep/metrics.h"
#include "keep/relay_priv.h"
#include "pki/cert.h"
#include "pki/staple.h"

const char *
relay_result_name(enum relay_result result)
{
	switch (result) {
	case RELAY_GOOD:
		return "good";
	case RELAY_NOT_MODIFIED:
		return "not-modified";
	case RELAY_FETCHED:
		return "fetched";
	case RELAY_TRY_LATER:
		return "try-later";
	case RELAY_UNAUTHORIZED:
		return "unauthorized";
	case RELAY_MALFORMED:
		return "malformed";
	case RELAY_RESULTS:
		break;
	}
	return "?";
}

uint64_t
relay_count(const struct relay *relay, enum relay_result result)
{
	uint64_t sum = relay->past[result];

	for (const struct relay_thread *t = relay->threads; t != NULL;
	     t = t->next)
		sum += atomic_load_explicit(
		    &t->counts[result], memory_order_relaxed);
	return sum;
}

void
relay_write_metrics(const struct relay *relay, struct buf *out)
{
	metrics_family(out, "oclasp_relay_requests_total", "counter",
	    "OCSP requests of others that were answered, by the answer.");
	for (unsigned i = 0; i < RELAY_RESULTS; i++)
		buf_printf(out,
		    "oclasp_relay_requests_total{result=\"%s\"} %" PRIu64 "\n",
		    relay_result_name(i), relay_count(relay, i));
}

/* --- threads --- */

static struct relay_thread *
thread_new(struct relay *relay)
{
	struct relay_thread *t =
	    aligned_alloc(EPOCH_LINE, sizeof(struct relay_thread));

	if (t == NULL)
		abort(); /* as mem_new() does */
	memset(t, 0, sizeof(*t));
	t->relay = relay;
	t->headers[0] =
	    (struct server_header){"Cache-Control", t->cache_control};
	t->headers[1] = (struct server_header){"ETag", t->etag};
	t->headers[2] =
	    (struct server_header){"Last-Modified", t->last_modified};
	t->headers[3] = (struct server_header){"Expires", t->expires};
	for (unsigned i = RELAY_TRY_LATER; i < RELAY_RESULTS; i++) {
		struct server_answer error = relay_error(i);

		t->errors[i] = server_page_new(&error);
	}
	t->next = relay->threads;
	t->link = &relay->threads;
	if (t->next != NULL)
		t->next->link = &t->next;
	relay->threads = t;
	return t;
}

static void
thread_free(struct relay_thread *t)
{
	*t->link = t->next;
	if (t->next != NULL)
		t->next->link = t->link;
	for (unsigned i = 0; i < RELAY_RESULTS; i++) {
		t->relay->past[i] += atomic_load(&t->counts[i]);
		server_page_free(&t->errors[i]);
	}
	free(t->body);
	free(t);
}

struct relay_thread *
relay_thread_new(struct relay *relay)
{
	struct relay_thread *thread = thread_new(relay);

	epoch_join(snapshot_epoch(relay->snapshot), &thread->reader);
	return thread;
}

void
relay_thread_free(struct relay_thread **thread)
{
	if (*thread != NULL) {
		epoch_part(snapshot_epoch((*thread)->relay->snapshot),
		    &(*thread)->reader);
		thread_free(*thread);
	}
	*thread = NULL;
}

/* --- the keeper --- */

struct relay *
relay_new(uv_loop_t *loop, int64_t (*wall_s)(void))
{
	struct relay *relay = mem_new(sizeof(*relay));

	relay->wall_s = wall_s;
	relay->snapshot = snapshot_new();
	relay->demand =
	    relay_demand_new(loop, relay->snapshot, relay_reply_demand, relay);
	relay->own = thread_new(relay); /* the writer, so no reader */
	return relay;
}

void
relay_free(struct relay **relay)
{
	struct relay *r = *relay;

	*relay = NULL;
	if (r == NULL)
		return;
	thread_free(r->own);
	assert(r->threads == NULL);
	relay_demand_free(&r->demand);
	snapshot_free(&r->snapshot);
	free(r);
}

struct snapshot_node *
relay_keep(
    struct relay *relay, const struct cert *leaf, const struct cert *issuer)
{
	struct snapshot_issuer *found;
	struct snapshot_node *node;

	if (leaf->serial_der.len == 0)
		return NULL;
	found = snapshot_issuer_of(relay->snapshot, leaf, issuer);
	if (found == NULL)
		return NULL;
	relay_demand_know(relay->demand, found, leaf, issuer);
	node = snapshot_node_of(relay->snapshot, found, leaf->serial_der);
	node->owners++;
	atomic_store(&node->kept, true);
	return node;
}

static void
offer_as(struct relay *relay, struct snapshot_node *kept,
    enum cert_id_hash hash, struct staple *staple)
{
	const struct staple *have = atomic_load(&kept->staples[hash]);

	if (have == NULL ||
	    staple_facts(have)->this_update < staple_facts(staple)->this_update)
		snapshot_put(relay->snapshot, kept, hash, staple);
}

void
relay_offer(
    struct relay *relay, struct snapshot_node *kept, struct staple *staple)
{
	const struct verdict *facts = staple_facts(staple);

	if (facts->sha1_id)
		offer_as(relay, kept, CERT_ID_SHA1, staple);
	if (facts->sha256_id)
		offer_as(relay, kept, CERT_ID_SHA256, staple);
	atomic_store(&kept->withdrawn, false);
}

void
relay_withdraw(struct relay *relay, struct snapshot_node *kept)
{
	atomic_store(&kept->withdrawn, true);
	for (unsigned hash = 0; hash < CERT_ID_HASHES; hash++)
		snapshot_put(relay->snapshot, kept, hash, NULL);
}

void
relay_drop(struct relay *relay, struct snapshot_node **kept)
{
	struct snapshot_node *node = *kept;

	*kept = NULL;
	if (node == NULL || --node->owners > 0)
		return;
	atomic_store(&node->kept, false);
	atomic_store(&node->withdrawn, false);
	if (!node->fetched) /* else it goes when relay_demand wants the room */
		snapshot_remove(relay->snapshot, node);
}

void
relay_allow_demand(struct relay *relay, const struct relay_demand_hooks *hooks)
{
	relay_demand_allow(relay->demand, hooks);
}

void
relay_let_go(struct relay *relay)
{
	relay_demand_let_go(relay->demand);
}
