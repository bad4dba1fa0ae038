/* SPDX-License-Identifier: ISC */
/* acquire/attempt.c -- one way tried, by GET or POST, and the answer judged.
 *
 *   start -> first method -> judged ok, or nothing a second method can mend: end
 *                         -> else the other method -> end */
#include "acquire/attempt.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "http/fetch.h"
#include "pki/request_read.h"
#include "pki/response.h"
#include "pki/staple.h"

enum { ANY_TIME_S = INT32_MAX }; /* 68 years */

struct attempt {
	struct fetch_pool *pool;
	const struct attempt_job *job;
	struct attempt_way way;
	struct fetch *fetch;
	bool post;
	bool second; /* the other method, after the first has failed */
	bool stale;  /* what the first has brought was over (B11) */
	int64_t started_ms, deadline_ms; /* monotonic */
	void (*cb)(void *cookie, struct attempt_outcome *outcome);
	void *cookie;
	bool telling, cancelled;
};

static void send_request(struct attempt *attempt);

const char *
attempt_method(const struct attempt *attempt)
{
	return attempt->post ? "POST" : "GET";
}

static void
release(struct attempt *attempt)
{
	fetch_cancel(&attempt->fetch);
	free(attempt);
}

void
attempt_cancel(struct attempt **attempt)
{
	struct attempt *a = *attempt;

	*attempt = NULL;
	if (a == NULL)
		return;
	a->cancelled = true;
	if (!a->telling)
		release(a);
}

/* A text of another type that does not parse: say what it was (C20). */
static void
name_content(const struct fetch_result *result, struct err *err)
{
	if ((err->reason == REASON_MALFORMED ||
		err->reason == REASON_TRAILING_DATA) &&
	    result->content_type[0] != '\0' &&
	    strcmp(result->content_type, "application/ocsp-response") != 0) {
		err_clear(err);
		(void)err_set(err, REASON_NOT_OCSP,
		    "the answer is '%s' and no OCSP response",
		    result->content_type);
	}
}

static bool
single_answers(const struct response_single *single, const struct cert_id *id)
{
	return span_equal(single->name_hash, id->name_hash) &&
	       span_equal(single->key_hash, id->key_hash) &&
	       span_equal(single->serial, id->serial);
}

/* An errand has no certificate to verify by: any whole response about what was
 * asked for is brought home, where it is judged. */
static int
judge_errand(const struct attempt *attempt, struct span body, struct err *err)
{
	struct response response = {0};
	struct request_asked asked;
	bool answers = false;

	if (!request_read(attempt->job->request, &asked))
		return err_set(err, REASON_USAGE,
		    "what the courier shall ask is no OCSP request");
	if (response_parse(body.at, body.len, &response, err) == -1)
		return -1;
	for (size_t i = 0; i < response.single_count; i++)
		answers = answers ||
			  single_answers(&response.singles[i], &asked.ids[0]);
	response_done(&response);
	return answers ? 0
		       : err_set(err, REASON_WRONG_CERTIFICATE,
			     "the response is about another certificate than "
			     "the one that was asked for");
}

/* A clock that is far off makes every response look early or late: then it is
 * the response that tells the time. */
static int64_t
signed_at(const struct verify_input *input, const struct verify_policy *policy,
    const struct attempt_outcome *out)
{
	struct verify_policy any = *policy;
	struct verdict facts = out->facts;

	any.skew_s = ANY_TIME_S;
	if (!out->accepted &&
	    ((out->err.reason != REASON_NOT_YET_VALID &&
		 out->err.reason != REASON_EXPIRED) ||
		verify_response(input, &any, &facts, NULL) == -1))
		return 0;
	return facts.produced_at > facts.this_update ? facts.produced_at
						     : facts.this_update;
}

static void
judge(struct attempt *attempt, const struct fetch_result *result,
    struct attempt_outcome *out)
{
	const struct acquire_target *target = attempt->job->target;
	const struct verify_input input = {
	    .leaf = target->leaf,
	    .issuer = target->issuer,
	    .extra = target->extra,
	    .trusted = target->trusted,
	    .delegates = target->delegates,
	    .sealer = target->sealer,
	    .der = result->body.at,
	    .len = result->body.len,
	    .nonce = attempt->job->nonce.at,
	    .nonce_len = attempt->job->nonce.len,
	};

	out->stage = "response";
	if (target->errand != NULL) {
		if (judge_errand(attempt, result->body, &out->err) == 0) {
			out->carried =
			    mem_copy(result->body.at, result->body.len);
			out->carried_len = result->body.len;
		} else {
			name_content(result, &out->err);
		}
		return;
	}
	if (verify_staple(&input, &target->policy, &out->staple, &out->facts,
		&out->accepted, &out->err) == -1)
		name_content(result, &out->err);
	out->signed_at = signed_at(&input, &target->policy, out);
	if (out->accepted && out->facts.this_update < target->floor) {
		char have[CLOCK_TEXT], got[CLOCK_TEXT];

		staple_free(out->staple);
		out->staple = NULL;
		out->accepted = false;
		err_clear(&out->err);
		(void)err_set(&out->err, REASON_OLDER_THAN_STORED,
		    "the response's thisUpdate %s is older than the %s of the "
		    "one at hand",
		    clock_rfc3339(out->facts.this_update, got),
		    clock_rfc3339(target->floor, have));
	}
}

/* Whether asking again by the other method may help. */
static bool
other_may_help(const struct attempt *attempt, const struct err *err)
{
	if (attempt->second)
		return false;
	switch (reason_group(err->reason)) {
	case GROUP_NETWORK:
		return err->reason == REASON_HTTP_STATUS ||
		       err->reason == REASON_HTTP_RESET ||
		       err->reason == REASON_NOT_OCSP ||
		       err->reason == REASON_OVERSIZE;
	case GROUP_RESPONSE:
		/* the responder has understood and will say the same again */
		return err->reason != REASON_STATUS_TRY_LATER &&
		       err->reason != REASON_STATUS_UNAUTHORIZED &&
		       err->reason != REASON_STATUS_SIG_REQUIRED;
	case GROUP_NONE:
	case GROUP_INPUT:
	case GROUP_LOCAL:
		return false;
	}
	return false;
}

static void
fetched(void *cookie, const struct fetch_result *result)
{
	struct attempt *attempt = cookie;
	struct attempt_outcome out = {
	    .method = attempt_method(attempt),
	    .stage = result->stage == FETCH_CONNECT ? "connect" : "http",
	    .err = result->err,
	    .max_age_s = result->max_age_s,
	    .retry_after_s = result->retry_after_s,
	    .connect_ms = result->connect_ms,
	    .elapsed_ms = clock_mono_ms() - attempt->started_ms,
	};
	bool stale;

	attempt->fetch = NULL;
	if (result->stage == FETCH_DONE)
		judge(attempt, result, &out);
	stale = out.err.reason == REASON_EXPIRED;
	out.last = !other_may_help(attempt, &out.err) ||
		   clock_mono_ms() >= attempt->deadline_ms;
	attempt->telling = true;
	attempt->cb(attempt->cookie, &out);
	attempt->telling = false;
	if (attempt->cancelled || out.last) {
		release(attempt);
		return;
	}
	attempt->second = true;
	attempt->stale = stale;
	attempt->post = !attempt->post;
	send_request(attempt);
}

static void
send_request(struct attempt *attempt)
{
	const struct attempt_job *job = attempt->job;
	struct fetch_request request = {
	    .url = attempt->post ? job->url : job->get_url,
	    .host = job->host,
	    .address = attempt->way.address,
	    .proxy = attempt->way.proxy,
	    .proxy_addresses = attempt->way.proxy_addresses,
	    .proxy_ca_file = attempt->way.proxy_ca_file,
	    .fresh = job->fresh,
	    .no_cache = attempt->stale,
	    .connect_ms = ACQUIRE_CONNECT_MS,
	};

	if (attempt->post)
		request.body = job->request;
	attempt->started_ms = clock_mono_ms();
	request.total_ms = attempt->deadline_ms - attempt->started_ms;
	if (request.total_ms < 1)
		request.total_ms = 1;
	attempt->fetch = fetch_start(attempt->pool, &request, fetched, attempt);
}

struct attempt *
attempt_start(struct fetch_pool *pool, const struct attempt_job *job,
    const struct attempt_way *way, int64_t deadline_ms,
    void (*cb)(void *cookie, struct attempt_outcome *outcome), void *cookie)
{
	struct attempt *attempt = mem_new(sizeof(*attempt));

	attempt->pool = pool;
	attempt->job = job;
	attempt->way = *way;
	attempt->post = job->post_first; /* B5 */
	attempt->deadline_ms = deadline_ms;
	attempt->cb = cb;
	attempt->cookie = cookie;
	send_request(attempt);
	return attempt;
}
