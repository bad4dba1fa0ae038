/* SPDX-License-Identifier: ISC */
/* face/cmd_check.c -- oclasp check HOST[:PORT]: what a TLS client is given. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "acquire/acquire.h"
#include "base/clock.h"
#include "base/loop.h"
#include "base/mem.h"
#include "doctor/served.h"
#include "face/command.h"
#include "face/host_port.h"
#include "face/report.h"
#include "face/state.h"
#include "http/fetch.h"

enum { HTTPS_PORT = 443 };

/* What the two handshakes come to. */
enum finding {
	FINDING_OK,
	FINDING_NO_RESPONDER,
	FINDING_LAZY,
	FINDING_ENDING,
	FINDING_NO_STAPLE,
	FINDING_MUST_STAPLE_MISSING,
	FINDING_ISSUER_MISSING,
	FINDING_BAD_STAPLE,
	FINDING_REVOKED,
	FINDING_UNREACHABLE,
};

static const struct row {
	const char *name;
	int exit, nagios;
	const char *sentence;
} rows[] = {
    [FINDING_OK] = {"ok", EXIT_GOOD, NAGIOS_OK,
	"a good staple is served, from the first handshake on"},
    [FINDING_NO_RESPONDER] = {"no-responder", EXIT_GOOD, NAGIOS_OK,
	"no staple, and none is needed: the certificate names no OCSP "
	"responder that clients ask, so OCSP is not your problem"},
    [FINDING_LAZY] = {"lazy", EXIT_BAD, NAGIOS_WARNING,
	"not every handshake carries the staple: the server fetches lazily, "
	"each of its processes by itself; `oclasp install nginx` and `oclasp "
	"keep` mend that"},
    [FINDING_ENDING] = {"ending", EXIT_BAD, NAGIOS_WARNING,
	"the staple is about to end and was not renewed"},
    [FINDING_NO_STAPLE] = {"no-staple", EXIT_BAD, NAGIOS_CRITICAL,
	"no staple is served, although the certificate names a responder"},
    [FINDING_MUST_STAPLE_MISSING] = {"must-staple-missing", EXIT_BAD,
	NAGIOS_CRITICAL,
	"the certificate demands a staple (RFC 7633) and none is served: "
	"clients refuse the connection"},
    [FINDING_ISSUER_MISSING] = {"issuer-missing", EXIT_BAD, NAGIOS_UNKNOWN,
	"a staple is served that cannot be judged: the server does not send "
	"the certificate of the issuer; it should, unless that is a root: then "
	"give it by --ca-file"},
    [FINDING_BAD_STAPLE] = {"bad-staple", EXIT_BAD, NAGIOS_CRITICAL,
	"the staple that is served is not acceptable, which is worse than none "
	"(RFC 6066, section 8)"},
    [FINDING_REVOKED] = {"revoked", EXIT_BAD, NAGIOS_CRITICAL,
	"the staple says that the certificate is not good"},
    [FINDING_UNREACHABLE] = {"unreachable", EXIT_LATER, NAGIOS_UNKNOWN,
	"no TLS handshake was possible"},
};

struct job {
	const struct options *o;
	char *host;
	int port;
	int64_t now;
	int status;
	uv_loop_t loop;
};

static enum finding
judge(const struct served *s, int64_t now)
{
	const struct cert *leaf = s->id.leaf;
	const struct served_handshake *first = &s->handshakes[0];
	const struct served_handshake *last =
	    &s->handshakes[s->handshake_count > 0 ? s->handshake_count - 1 : 0];

	if (s->handshake_count == 0 || leaf == NULL ||
	    first->err.reason != REASON_NONE)
		return FINDING_UNREACHABLE;
	/* a second handshake that failed says nothing about staples */
	if (last->err.reason != REASON_NONE)
		last = first;
	if (!last->stapled && !first->stapled) {
		if (leaf->must_staple)
			return FINDING_MUST_STAPLE_MISSING;
		return acquire_can_ask(leaf) ? FINDING_NO_STAPLE
					     : FINDING_NO_RESPONDER;
	}
	if (s->id.issuer == NULL)
		return FINDING_ISSUER_MISSING;
	for (size_t i = 0; i < s->handshake_count; i++) {
		const struct served_handshake *h = &s->handshakes[i];

		if (h->stapled && !h->accepted)
			return FINDING_BAD_STAPLE;
		if (h->stapled && h->facts.status != CERT_GOOD)
			return FINDING_REVOKED;
	}
	if (!first->stapled || !last->stapled)
		return FINDING_LAZY;
	return now >= verdict_usable_until(&last->facts) ? FINDING_ENDING
							 : FINDING_OK;
}

/* --- reports --- */

/* The handshake whose staple is worth reporting: the last with one. */
static const struct served_handshake *
stapled_one(const struct served *s)
{
	const struct served_handshake *found = NULL;

	for (size_t i = 0; i < s->handshake_count; i++) {
		if (s->handshakes[i].stapled)
			found = &s->handshakes[i];
	}
	return found;
}

static json_t *
json_handshake(const struct served_handshake *h, bool judged)
{
	const struct err *why =
	    h->err.reason != REASON_NONE ? &h->err : &h->verdict;
	bool failed = why->reason != REASON_NONE;

	return json_pack("{s:b, s:o, s:o, s:o, s:I, s:I, s:o}", "stapled",
	    h->stapled, "verdict",
	    !h->stapled || !judged ? json_null()
	    : h->accepted          ? json_string("accept")
				   : json_string("reject"),
	    "reason",
	    failed ? json_string(reason_name(why->reason)) : json_null(),
	    "detail", failed ? report_json_text(why->text) : json_null(),
	    "connect_ms", (json_int_t)h->connect_ms, "tls_ms",
	    (json_int_t)h->tls_ms, "protocol", report_json_text(h->protocol));
}

static json_t *
json_penalty(const struct served *s)
{
	const struct penalty_one *p = &s->penalty;

	if (!s->has_penalty)
		return json_null();
	return json_pack("{s:I, s:s, s:o, s:o, s:o}", "wait_ms",
	    (json_int_t)p->wait_ms, "outcome",
	    p->err.reason == REASON_NONE ? "ok" : reason_name(p->err.reason),
	    "detail", report_json_text(p->err.text), "address",
	    report_json_text(p->address), "url", report_json_text(p->url));
}

static void
print_json(const struct job *job, const struct served *s, enum finding finding)
{
	const struct served_handshake *h = stapled_one(s);
	json_t *document = report_document("check");
	json_t *list = json_array();

	for (size_t i = 0; i < s->handshake_count; i++)
		(void)json_array_append_new(list,
		    json_handshake(&s->handshakes[i], s->id.issuer != NULL));
	(void)json_object_update_new(document,
	    json_pack("{s:o, s:i, s:o, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o}",
		"host", report_json_text(job->host), "port", job->port,
		"address", report_json_text(s->address), "result",
		rows[finding].name, "sentence", rows[finding].sentence,
		"reason",
		s->err.reason == REASON_NONE
		    ? json_null()
		    : json_string(reason_name(s->err.reason)),
		"detail", report_json_text(s->err.text), "certificate",
		report_json_cert(s->id.leaf), "handshakes", list, "staple",
		report_json_verdict(
		    h != NULL && h->accepted ? &h->facts : NULL),
		"penalty", json_penalty(s)));
	report_print(document);
}

static void
print_handshake(
    const struct served_handshake *h, size_t number, bool judged, int64_t now)
{
	char age[CLOCK_SPAN], left[CLOCK_SPAN];

	(void)printf("  handshake %zu  ", number);
	if (h->err.reason != REASON_NONE) {
		(void)printf("failed: %s (%s)\n", h->err.text,
		    reason_name(h->err.reason));
		return;
	}
	(void)printf("%s in %lld ms, ", h->protocol,
	    (long long)(h->connect_ms + h->tls_ms));
	if (!h->stapled)
		(void)printf("no staple\n");
	else if (!judged)
		(void)printf("a staple that cannot be judged\n");
	else if (!h->accepted)
		(void)printf("a bad staple: %s (%s)\n", h->verdict.text,
		    reason_name(h->verdict.reason));
	else
		(void)printf("stapled: %s, %s old, usable for %s\n",
		    cert_status_name(h->facts.status),
		    clock_span(now - h->facts.this_update, age),
		    clock_span(verdict_usable_until(&h->facts) - now, left));
}

static void
print_penalty(const struct penalty_one *p)
{
	(void)printf("  penalty      a client without a staple that asks the "
		     "responder waits %lld ms",
	    (long long)p->wait_ms);
	if (p->err.reason == REASON_NONE)
		(void)printf(" for its answer (%s)\n", p->address);
	else
		(void)printf(" for nothing (%s%s%s)\n",
		    reason_name(p->err.reason),
		    p->address[0] == '\0' ? "" : " at ", p->address);
}

static void
print_text(const struct job *job, const struct served *s, enum finding finding)
{
	const char *paint = !job->o->color                    ? ""
			    : rows[finding].exit == EXIT_GOOD ? "\033[32m"
							      : "\033[31m";

	if (!job->o->quiet) {
		(void)printf("%s port %d at %s\n", job->host, job->port,
		    s->address[0] == '\0' ? "no address" : s->address);
		if (s->id.leaf != NULL)
			(void)printf("  certificate  %s, issued by %s, until "
				     "%s\n",
			    cert_name(s->id.leaf), s->id.leaf->issuer,
			    report_when(s->id.leaf->not_after, job->now));
		for (size_t i = 0; i < s->handshake_count; i++)
			print_handshake(&s->handshakes[i], i + 1,
			    s->id.issuer != NULL, job->now);
		if (s->has_penalty)
			print_penalty(&s->penalty);
	}
	(void)printf("%s%s%s: %s\n", paint, rows[finding].name,
	    job->o->color ? "\033[0m" : "", rows[finding].sentence);
	if (s->err.reason != REASON_NONE)
		(void)printf(
		    "  %s (%s)\n", s->err.text, reason_name(s->err.reason));
}

static void
print_nagios(
    const struct job *job, const struct served *s, enum finding finding)
{
	static const char *const words[] = {
	    "OK", "WARNING", "CRITICAL", "UNKNOWN"};
	const struct served_handshake *h = stapled_one(s);
	bool known = h != NULL && h->accepted;
	char *why =
	    mem_string(s->err.reason != REASON_NONE ? s->err.text
						    : rows[finding].sentence);

	/* the first bar ends the words, which may be a server's */
	for (char *bar = why; (bar = strchr(bar, '|')) != NULL;)
		*bar = '/';
	(void)printf("OCSP STAPLE %s - %s: %s", words[rows[finding].nagios],
	    job->host, why);
	free(why);
	(void)printf(" | usable=%llds;;;0 age=%llds;;;0 tls=%lldms;;;0\n",
	    known ? (long long)(verdict_usable_until(&h->facts) - job->now)
		  : 0LL,
	    known ? (long long)(job->now - h->facts.this_update) : 0LL,
	    s->handshake_count > 0 ? (long long)s->handshakes[0].tls_ms : 0LL);
}

static void
served(void *cookie, const struct served *s)
{
	struct job *job = cookie;
	enum finding finding = judge(s, job->now);

	report_progress(job->o, NULL);
	job->status =
	    job->o->nagios ? rows[finding].nagios : rows[finding].exit;
	if (job->o->json)
		print_json(job, s, finding);
	else if (job->o->nagios)
		print_nagios(job, s, finding);
	else
		print_text(job, s, finding);
	/* a look-up of the C library may still run: do not wait for it */
	uv_stop(&job->loop);
}

static void
check(struct job *job)
{
	const struct options *o = job->o;
	struct acquire_options options = options_acquire(o);
	struct served_request request = {
	    .host = job->host,
	    .port = job->port,
	    .servername = o->servername,
	    .starttls = o->starttls,
	    .ca_file = o->ca_file,
	    .policy = verify_policy_default(job->now),
	    .options = &options,
	    .always_penalty = o->penalty,
	};
	struct fetch_pool *pool;

	request.policy.allow_no_next_update = o->allow_no_next_update;
	request.policy.allow_sha1 = o->allow_sha1;
	(void)uv_loop_init(&job->loop);
	pool = fetch_pool_new(&job->loop);
	report_progress(o, "the server, and what its clients wait");
	(void)served_start(&job->loop, pool, &request, served, job);
	loop_run(&job->loop);
	fetch_pool_free(pool);
	loop_end(&job->loop);
}

static int
run(const struct options *o)
{
	struct job job = {.o = o, .now = options_now(o)};
	struct err err = {0};
	int usage = o->nagios ? NAGIOS_UNKNOWN : EXIT_USAGE;

	if (o->arg_count != 1) {
		(void)err_set(&err, REASON_USAGE,
		    "give one HOST or HOST:PORT: see `oclasp help check`");
		return command_fail("check", &err, usage);
	}
	if (o->json && o->nagios) {
		(void)err_set(
		    &err, REASON_USAGE, "--json and --nagios exclude another");
		return command_fail("check", &err, usage);
	}
	if (state_check_ca_file(o, &err) == -1 ||
	    host_port_parse(
		o->args[0], HTTPS_PORT, &job.host, &job.port, &err) == -1)
		return command_fail("check", &err, usage);
	check(&job);
	free(job.host);
	return job.status;
}

const struct command command_check = {
    .name = "check",
    .bit = CMD_CHECK,
    .synopsis = "HOST[:PORT] [--servername NAME] [--starttls PROTOCOL]",
    .purpose = "what a TLS client is given: chain, staple, and the wait",
    .details =
	"Makes two real handshakes and judges what is stapled. Where nothing\n"
	"is, it also measures what a client that asks the CA's responder itself\n"
	"would wait, from this machine (by the first answer of --resolver, if\n"
	"given, else the system's). Exit status: 0 a good staple from the first\n"
	"handshake on, or none needed; 1 not; 75 no handshake was possible.\n"
	"With --nagios: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.",
    .run = run,
};
