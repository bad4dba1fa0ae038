/* SPDX-License-Identifier: ISC */
/* face/cmd_fetch.c -- oclasp fetch CERT: one verified response, by any road. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "acquire/acquire.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/loop.h"
#include "base/mem.h"
#include "dns/health.h"
#include "face/command.h"
#include "face/report.h"
#include "face/state.h"
#include "http/fetch.h"
#include "pki/identity.h"
#include "pki/staple.h"

struct job {
	const struct options *o;
	struct identity id;
	struct staple *have; /* what FILE holds already, if it is genuine */
	int status;
	uv_loop_t loop;
};

static bool
to_stdout(const struct options *o)
{
	return o->output != NULL && strcmp(o->output, "-") == 0;
}

/* What FILE holds already: a newer one than that is not replaced (I2). */
static void
load_have(struct job *job, const struct verify_policy *policy)
{
	struct verify_input input = {
	    .leaf = job->id.leaf,
	    .issuer = job->id.issuer,
	    .extra = &job->id.extra,
	};
	struct verdict facts;
	uint8_t *der = NULL;
	bool accepted;

	if (job->o->output == NULL || to_stdout(job->o) ||
	    file_read(job->o->output, VERIFY_RESPONSE_MAX, &der, &input.len,
		NULL) == -1)
		return;
	input.der = der;
	(void)verify_staple(
	    &input, policy, &job->have, &facts, &accepted, NULL);
	free(der);
}

/* --- what came of it --- */

static int
write_staple(
    const struct job *job, const struct staple *staple, struct err *err)
{
	struct span der = staple_der(staple);

	if (job->o->output == NULL)
		return 0;
	if (to_stdout(job->o)) {
		if (fwrite(der.at, 1, der.len, stdout) != der.len ||
		    fflush(stdout) != 0)
			return err_set(
			    err, REASON_FILE, "cannot write standard output");
		return 0;
	}
	if (!staple_better(job->have, staple))
		return 0; /* FILE is as fresh already */
	return file_replace(job->o->output, der.at, der.len, 0644, err);
}

static void
print_tries(FILE *out, const struct acquire_result *result)
{
	if (result->try_count > 0)
		(void)fprintf(out, "  tries\n");
	for (size_t i = 0; i < result->try_count; i++) {
		const struct acquire_try *try = &result->tries[i];
		bool v6 = strchr(try->address, ':') != NULL;
		char where[DNS_ADDRESS_TEXT + 16] = "no address";

		if (try->address[0] != '\0')
			(void)snprintf(where, sizeof(where), "%s%s%s:%d",
			    v6 ? "[" : "", try->address, v6 ? "]" : "",
			    try->port);
		(void)fprintf(out,
		    "    %-24s %-28s %-8s %6lld ms  %s%s%s%s%s\n", where,
		    try->source, try->stage, (long long)try->elapsed_ms,
		    try->cancelled ? "cancelled, another one was first"
		    : try->err.reason == REASON_NONE
			? "ok"
			: reason_name(try->err.reason),
		    try->asked_name[0] == '\0' ? "" : ", asked for ",
		    try->asked_name, try->proxy[0] == '\0' ? "" : ", through ",
		    try->proxy);
	}
}

static void
print_text(const struct job *job, const struct acquire_result *result)
{
	const struct options *o = job->o;
	FILE *out = to_stdout(o) ? stderr : stdout;
	char where[ACQUIRE_WHERE_TEXT];

	if (!result->accepted) {
		(void)fprintf(stderr, "oclasp fetch: %s (%s)\n",
		    result->err.text, reason_name(result->err.reason));
		if (o->quiet)
			return;
		if (report_remedy(result->err.reason) != NULL)
			(void)fprintf(stderr, "  remedy       %s\n",
			    report_remedy(result->err.reason));
		print_tries(stderr, result);
		return;
	}
	if (o->quiet || out == stderr) {
		if (result->staple == NULL)
			(void)fprintf(stderr,
			    "oclasp fetch: the signed answer is that '%s' is "
			    "%s, so there is no staple\n",
			    cert_name(job->id.leaf),
			    cert_status_name(result->facts.status));
		return;
	}
	(void)printf("%s: the responder's signed answer for '%s'\n",
	    cert_status_name(result->facts.status), cert_name(job->id.leaf));
	report_text_verdict(&result->facts, options_now(o));
	if (result->winner != NULL)
		(void)printf("  from         %s, in %lld ms\n",
		    acquire_try_where(result->winner, where),
		    (long long)result->elapsed_ms);
	if (result->staple != NULL && o->output != NULL)
		(void)printf("  file         %s%s\n", o->output,
		    staple_better(job->have, result->staple)
			? ""
			: " (it was as fresh already)");
	if (o->verbose > 0 || result->try_count > 1)
		print_tries(stdout, result);
	for (size_t i = 0; o->verbose > 0 && i < result->party_count; i++)
		(void)printf(
		    "  outside      %s was asked\n", result->parties[i]);
}

static void
print_json(const struct job *job, const struct acquire_result *result)
{
	json_t *document = report_document("fetch");
	json_t *tries = json_array();
	json_t *parties = json_array();

	(void)json_object_set_new(
	    document, "certificate", report_json_cert(job->id.leaf));
	report_add_verdict(
	    document, result->accepted ? &result->facts : NULL, &result->err);
	(void)json_object_set_new(document, "address",
	    report_json_text(result->winner ? result->winner->address : NULL));
	(void)json_object_set_new(document, "port",
	    result->winner ? json_integer(result->winner->port) : json_null());
	(void)json_object_set_new(document, "source",
	    report_json_text(result->winner ? result->winner->source : NULL));
	(void)json_object_set_new(document, "proxy",
	    report_json_text(result->winner ? result->winner->proxy : NULL));
	(void)json_object_set_new(
	    document, "elapsed_ms", json_integer(result->elapsed_ms));
	for (size_t i = 0; i < result->try_count; i++)
		(void)json_array_append_new(
		    tries, report_json_try(&result->tries[i]));
	(void)json_object_set_new(document, "tries", tries);
	for (size_t i = 0; i < result->party_count; i++)
		(void)json_array_append_new(
		    parties, report_json_text(result->parties[i]));
	(void)json_object_set_new(document, "parties", parties);
	report_print(document);
}

static void
report(struct job *job, const struct acquire_result *result)
{
	if (job->o->json)
		print_json(job, result);
	else
		print_text(job, result);
}

static void
acquired(void *cookie, struct acquire_result *result)
{
	struct job *job = cookie;

	report_progress(job->o, NULL);
	job->status = result->accepted && result->staple == NULL
			  ? EXIT_BAD
			  : command_exit(result->err.reason);
	if (result->staple != NULL &&
	    write_staple(job, result->staple, &result->err) == -1) {
		job->status = command_fail("fetch", &result->err, EXIT_USAGE);
	} else {
		report(job, result);
	}
	staple_free(result->staple);
	/* a look-up of the C library may still run: do not wait for it */
	uv_stop(&job->loop);
}

/* A failure before anything could be asked. */
static void
report_early(struct job *job, const struct err *err)
{
	struct acquire_result result = {.err = *err};

	job->status = command_exit(err->reason);
	report(job, &result);
}

static void
fetch(struct job *job)
{
	const struct options *o = job->o;
	struct acquire_options options = options_acquire(o);
	struct acquire_target target = {
	    .leaf = job->id.leaf,
	    .issuer = job->id.issuer,
	    .extra = &job->id.extra,
	    .url = o->url,
	    .policy = verify_policy_default(options_now(o)),
	};
	struct fetch_pool *pool;
	struct health health = {0};
	struct store *store = NULL;
	char *what;

	options.health = &health;
	target.policy.allow_no_next_update = o->allow_no_next_update;
	target.policy.allow_sha1 = o->allow_sha1;
	load_have(job, &target.policy);
	if (job->have != NULL)
		target.floor = staple_facts(job->have)->this_update;
	what = mem_printf(
	    "asking for the response for '%s'", cert_name(job->id.leaf));
	report_progress(o, what);
	free(what);
	/* --at judges by another day than the one that the book is of */
	if (!o->has_at)
		store = state_open_book(o, &options.book);
	(void)uv_loop_init(&job->loop);
	pool = fetch_pool_new(&job->loop);
	(void)acquire_start(&job->loop, pool, &target, &options, acquired, job);
	loop_run(&job->loop);
	fetch_pool_free(pool);
	loop_end(&job->loop);
	state_close_book(store, options.book);
}

static int
check_arguments(const struct options *o, struct err *err)
{
	if (o->arg_count != 1)
		return err_set(err, REASON_USAGE,
		    "give one certificate file: see `oclasp help fetch`");
	if (o->json && to_stdout(o))
		return err_set(err, REASON_USAGE,
		    "--json and `-o -` both want standard output");
	return 0;
}

static int
run(const struct options *o)
{
	const struct identity_files files = {
	    .certificate = o->args[0],
	    .issuer = o->issuer,
	    .ca_file = o->ca_file,
	};
	struct job job = {.o = o, .status = EXIT_LATER};
	struct err err = {0};

	if (check_arguments(o, &err) == -1)
		return command_fail("fetch", &err, EXIT_USAGE);
	/* Without a URL the issuer is of no interest: that answer is first. */
	if (identity_load(&files, &job.id, &err) == -1 &&
	    (job.id.leaf == NULL || acquire_can_ask(job.id.leaf) ||
		o->url != NULL))
		report_early(&job, &err);
	else
		fetch(&job);
	staple_free(job.have);
	identity_done(&job.id);
	return job.status;
}

const struct command command_fetch = {
    .name = "fetch",
    .bit = CMD_FETCH,
    .synopsis = "CERT [-i ISSUER] [-o FILE] [--url URL]",
    .purpose = "get one verified OCSP response, also where DNS lies",
    .details =
	"Collects every claim of the responder's address (pins, the system,\n"
	"resolvers; each datagram counts), races them, and takes the first\n"
	"response that verifies. FILE is replaced only by a good and usable\n"
	"response, in one piece; else it is left as it was. Exit status: 0 a\n"
	"usable staple was had, 1 the answer is final (revoked, unknown, or the\n"
	"certificate's own fault), 75 try later, 2 usage.",
    .run = run,
};
