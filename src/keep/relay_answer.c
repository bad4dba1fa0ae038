/* SPDX-License-Identifier: ISC */
/* keep/relay_answer.c -- one question to the relay, and its answer.
 *
 * One question's way: path or body -> CertIDs (pki/request_read.c) -> what is
 * known of them (keep/snapshot.c) -> an answer with HTTP's headers.  On a
 * server's thread nothing is written but in that thread's own struct, and the
 * response is copied out while the reader is in, so that nobody counts
 * references in memory that threads share. */

#include <string.h>

#include "base/mem.h"
#include "http/fetch.h"
#include "keep/relay_priv.h"
#include "pki/request_read.h"
#include "pki/staple.h"

enum {
	/* OCSPResponseStatus */
	OCSP_MALFORMED_REQUEST = 1,
	OCSP_TRY_LATER = 3,
	OCSP_UNAUTHORIZED = 6,
};

static const char content_type[] = "application/ocsp-response";

static void
count(struct relay_thread *thread, enum relay_result result)
{
	_Atomic uint64_t *n = &thread->counts[result];

	/* nobody else adds: no locked instruction */
	atomic_store_explicit(n,
	    atomic_load_explicit(n, memory_order_relaxed) + 1,
	    memory_order_relaxed);
}

/* --- answers --- */

/* An error, constant all of it.  RFC 9919, section 6.2: no-store is for what is
 * not authoritative. */
struct server_answer
relay_error(enum relay_result result)
{
	static const uint8_t ders[RELAY_RESULTS][5] = {
	    [RELAY_TRY_LATER] = {0x30, 3, 0x0a, 1, OCSP_TRY_LATER},
	    [RELAY_UNAUTHORIZED] = {0x30, 3, 0x0a, 1, OCSP_UNAUTHORIZED},
	    [RELAY_MALFORMED] = {0x30, 3, 0x0a, 1, OCSP_MALFORMED_REQUEST},
	};
	static const struct server_header header = {
	    "Cache-Control", "no-store"};

	return (struct server_answer){.status = 200,
	    .content_type = content_type,
	    .body = {ders[result], sizeof(ders[result])},
	    .headers = &header,
	    .header_count = 1};
}

/* RFC 9110, section 13.1.2: the weak comparison, of a list or "*". */
static bool
has_etag(const char *if_none_match, const char *etag)
{
	return strcmp(if_none_match, "*") == 0 ||
	       strstr(if_none_match, etag) != NULL;
}

/* True if the client's own copy is this one (RFC 9110, section 13.2.2).  T has
 * STAPLE's headers. */
static bool
is_unchanged(const struct relay_thread *t, const struct server_question *q,
    const struct staple *staple, int64_t now)
{
	int64_t since;

	if (q->method == SERVER_POST)
		return false;
	if (q->if_none_match != NULL)
		return has_etag(q->if_none_match, t->etag);
	if (q->if_modified_since == NULL)
		return false;
	return strcmp(q->if_modified_since, t->last_modified) == 0 ||
	       (fetch_date(q->if_modified_since, now, &since) &&
		   staple_facts(staple)->this_update <= since);
}

/* "max-age=604800, public ..." */
static void
write_cache_control(char out[RELAY_CACHE_CONTROL], int64_t max_age_s)
{
	static const char before[] = "max-age=",
			  after[] = ", public, no-transform, must-revalidate";
	char digits[20]; /* of any int64_t */
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + max_age_s % 10);
		max_age_s /= 10;
	} while (max_age_s > 0);
	memcpy(out, before, sizeof(before) - 1);
	out += sizeof(before) - 1;
	memcpy(out, digits + at, sizeof(digits) - at);
	memcpy(out + sizeof(digits) - at, after, sizeof(after));
}

/* RFC 9919, section 6.2: "the ETag value be the ASCII HEX representation of the
 * SHA256 hash of the OCSPResponse structure". */
static void
write_etag(char out[RELAY_ETAG], const struct verdict *facts)
{
	out[0] = '"';
	memcpy(out + 1, facts->sha256, RELAY_ETAG - 3);
	memcpy(out + RELAY_ETAG - 2, "\"", 2);
}

/* The headers of RFC 9919, section 6.2; Date is the server's.  Nothing may keep
 * it beyond the moment from which we would not give it (I3). */
static void
give_headers(struct relay_thread *t, const struct staple *staple, int64_t now,
    struct server_answer *out)
{
	const struct verdict *facts = staple_facts(staple);
	int64_t until = staple_usable_until(staple);

	write_cache_control(t->cache_control, until - now);
	write_etag(t->etag, facts);
	(void)clock_http(
	    clock_earlier(facts->this_update, now), t->last_modified);
	(void)clock_http(until, t->expires);
	out->content_type = content_type;
	out->headers = t->headers;
	out->header_count = RELAY_HEADERS;
}

/* A copy of DER in THREAD, until its next answer. */
static struct span
copy_body(struct relay_thread *thread, struct span der)
{
	if (thread->body_room < der.len) {
		thread->body = mem_resize(thread->body, der.len, 1);
		thread->body_room = der.len;
	}
	memcpy(thread->body, der.at, der.len);
	return (struct span){thread->body, der.len};
}

/* A copy of STAPLE, which may be gone as soon as its reader is out.  Of a 304
 * the server sends the length alone (RFC 9110, section 8.6). */
static void
give(struct relay_thread *thread, const struct server_question *q,
    const struct staple *staple, enum relay_result result, int64_t now,
    struct server_answer *out)
{
	bool same;

	give_headers(thread, staple, now, out);
	same = is_unchanged(thread, q, staple, now);
	count(thread, same ? RELAY_NOT_MODIFIED : result);
	out->status = same ? 304 : 200;
	out->body = copy_body(thread, staple_der(staple));
}

/* --- look-up --- */

struct found {
	enum relay_result result;
	const struct staple *staple; /* of RELAY_GOOD, _FETCHED */
	/* not NULL: it may be fetched; RESULT is for if it may not now */
	const struct snapshot_issuer *demand;
	const struct cert_id *id;
};

/* A certificate of ISSUER without a response to give.  NODE may be NULL. */
static void
find_way(const struct relay *relay, const struct snapshot_issuer *issuer,
    const struct snapshot_node *node, const struct cert_id *id, int64_t now,
    struct found *out)
{
	bool kept = node != NULL && atomic_load(&node->kept);
	bool open = relay_demand_is_open(relay->demand);

	if (kept && !atomic_load(&node->withdrawn)) {
		/* the other hash has one: this one can be had */
		enum cert_id_hash other =
		    id->hash == CERT_ID_SHA1 ? CERT_ID_SHA256 : CERT_ID_SHA1;

		out->result = RELAY_TRY_LATER;
		if (open && snapshot_staple_at(node, other, now) != NULL)
			out->demand = issuer;
	} else if (!kept && open && atomic_load(&issuer->on_demand)) {
		out->demand = issuer;
	}
	if (out->demand != NULL)
		out->id = id;
}

/* RFC 9919, section 3.1.1: a client asks for one.  Of several the first that
 * can be answered is (section 3.2.1: "the most complete response they can"),
 * and none is fetched.  By a reader that is in, or the loop. */
static struct found
look_up(
    const struct relay *relay, const struct request_asked *asked, int64_t now)
{
	struct found found = {.result = RELAY_UNAUTHORIZED};

	for (size_t i = 0; i < asked->count; i++) {
		const struct cert_id *id = &asked->ids[i];
		const struct snapshot_issuer *issuer =
		    snapshot_find_issuer(relay->snapshot, id);
		struct snapshot_node *node;

		if (issuer == NULL)
			continue;
		node = snapshot_find(relay->snapshot, issuer, id->serial);
		/* what was fetched is for as long as fetching is allowed */
		if (node != NULL && (atomic_load(&node->kept) ||
					atomic_load(&issuer->on_demand)))
			found.staple = snapshot_staple_at(node, id->hash, now);
		if (found.staple != NULL) {
			found.result = atomic_load(&node->kept) ? RELAY_GOOD
								: RELAY_FETCHED;
			found.demand = NULL;
			if (!atomic_load_explicit(
				&node->used, memory_order_relaxed))
				atomic_store_explicit(
				    &node->used, true, memory_order_relaxed);
			return found;
		}
		find_way(relay, issuer, node, id, now, &found);
	}
	if (asked->count > 1)
		found.demand = NULL;
	return found;
}

/* --- on the server's threads --- */

static bool
read_question(const struct server_question *q, uint8_t der[REQUEST_PATH_MAX],
    struct request_asked *asked)
{
	return q->method == SERVER_POST
		   ? request_read(q->body, asked)
		   : request_read_path(q->path, der, asked);
}

static void
give_error(struct relay_thread *thread, enum relay_result result,
    struct server_answer *out)
{
	count(thread, result);
	out->status = 200;
	out->page = thread->errors[result];
}

bool
relay_answer(struct relay_thread *thread, const struct server_question *q,
    struct server_answer *out)
{
	struct relay *relay = thread->relay;
	int64_t now = relay->wall_s();
	uint8_t der[REQUEST_PATH_MAX];
	struct request_asked asked;
	struct found found;

	if (!read_question(q, der, &asked)) {
		give_error(thread, RELAY_MALFORMED, out);
		return true;
	}
	epoch_enter(snapshot_epoch(relay->snapshot), &thread->reader);
	found = look_up(relay, &asked, now);
	if (found.staple != NULL)
		give(thread, q, found.staple, found.result, now, out);
	epoch_leave(&thread->reader);
	if (found.staple != NULL)
		return true;
	if (found.demand != NULL)
		return false;
	give_error(thread, found.result, out);
	return true;
}

/* --- on the loop --- */

/* What came of a question that was fetched for, or could not be. */
void
relay_reply_demand(void *cookie, const struct server_question *q,
    const struct staple *staple, bool later)
{
	struct relay *relay = cookie;
	int64_t now = relay->wall_s();
	struct server_answer out = {0};

	if (staple != NULL && staple_usable(staple, now)) {
		give(relay->own, q, staple, RELAY_FETCHED, now, &out);
	} else {
		enum relay_result result = later || staple != NULL
					       ? RELAY_TRY_LATER
					       : RELAY_UNAUTHORIZED;

		count(relay->own, result);
		out = relay_error(result);
	}
	server_reply(q->call, &out);
}

void
relay_answer_later(struct relay *relay, const struct server_question *q)
{
	struct request_asked asked;
	uint8_t der[REQUEST_PATH_MAX];
	struct found found = {.result = RELAY_MALFORMED};
	struct server_answer out = {0};
	int64_t now = relay->wall_s();

	if (read_question(q, der, &asked))
		found = look_up(relay, &asked, now);
	if (found.staple == NULL && found.demand != NULL) {
		relay_demand_ask(relay->demand, found.demand, found.id, q);
		return;
	}
	if (found.staple != NULL) {
		give(relay->own, q, found.staple, found.result, now, &out);
	} else {
		count(relay->own, found.result);
		out = relay_error(found.result);
	}
	server_reply(q->call, &out);
}
