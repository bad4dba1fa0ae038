/* SPDX-License-Identifier: ISC */
/* face/cmd_ready.c -- oclasp ready CERT: deploy gate for ACME hooks.
 *
 *   the file -> has it a responder? -> is its staple stored already?
 *     -> fetch, again and again -> into the store and in place -> 0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "acquire/acquire.h"
#include "base/clock.h"
#include "base/loop.h"
#include "base/mem.h"
#include "face/command.h"
#include "face/ready.h"
#include "face/report.h"
#include "face/state.h"
#include "keep/keeper.h"
#include "keep/settings.h"
#include "pki/cert.h"
#include "pki/staple.h"

/* --- what is said --- */

/* Why it may not be deployed, or OK without a staple. */
static void
print_text(const struct ready *r)
{
	const char *name = target_name(r->target);
	char left[CLOCK_SPAN], nobody[ACQUIRE_NOBODY_TEXT];

	if (!r->done && r->err.reason == REASON_NONE)
		(void)fprintf(stderr,
		    "oclasp ready: the responder says, signed, that '%s' is "
		    "%s: do not deploy it\n",
		    name, cert_status_name(r->facts.status));
	else if (!r->done)
		(void)fprintf(stderr,
		    "oclasp ready: '%s' is not ready: %s (%s)\n", name,
		    r->err.text, reason_name(r->err.reason));
	if (!r->done && report_remedy(r->err.reason) != NULL && !r->o->quiet)
		(void)fprintf(stderr, "  remedy       %s\n",
		    report_remedy(r->err.reason));
	if (!r->done || r->o->quiet)
		return;
	if (r->target->staple == NULL)
		(void)printf("%s: ready: it %s, so there is nothing to "
			     "staple\n",
		    name, acquire_nobody(r->target->leaf, nobody));
	else
		(void)printf("%s: ready: a staple usable for %s is in place\n",
		    name,
		    clock_span(
			staple_usable_until(r->target->staple) - clock_wall_s(),
			left));
}

static void
print_json(const struct ready *r)
{
	json_t *document = report_json_document("ready");
	const struct staple *staple = r->target->staple;

	(void)json_object_set_new(
	    document, "certificate", report_json_cert(r->target->leaf));
	(void)json_object_set_new(document, "ready", json_boolean(r->done));
	report_add_verdict(document,
	    staple != NULL ? staple_facts(staple)
	    : r->accepted  ? &r->facts
			   : NULL,
	    &r->err);
	(void)json_object_update_new(
	    document, json_pack("{s:i, s:b, s:I}", "attempts", r->attempts,
			  "keep_running", r->keep_runs, "elapsed_ms",
			  (json_int_t)(clock_mono_ms() - r->begin_ms)));
	report_print(document);
}

/* RFC 7633, section 4: no must-staple certificate comes into service without
 * a staple, whatever the reason; nor does what is revoked, by a signed word
 * that stands. */
static int
exit_status(const struct ready *r)
{
	enum reason reason = r->err.reason;

	if (r->done)
		return EXIT_GOOD;
	if (reason_group(reason) == GROUP_LOCAL)
		return reason == REASON_SERVER_CONFIG ||
			       reason == REASON_SERVER_RELOAD
			   ? EXIT_BAD
			   : EXIT_USAGE;
	if (reason == REASON_NONE || r->target->leaf->must_staple ||
	    r->revoked_at > 0)
		return EXIT_BAD;
	return command_exit(reason);
}

/* --- the certificate --- */

static bool
is_same_file(const char *a, const char *b)
{
	struct stat one, two;

	return stat(a, &one) == 0 && stat(b, &two) == 0 &&
	       one.st_dev == two.st_dev && one.st_ino == two.st_ino;
}

/* What the configuration says of PATH itself, by whatever name. */
static struct target_spec
find_spec(const struct options *o, const char *path)
{
	struct target_spec spec = {.certificate = path};

	for (size_t i = 0; i < o->spec_count; i++) {
		if (is_same_file(o->specs[i].certificate, path))
			spec = o->specs[i];
	}
	spec.certificate = path;
	if (o->issuer != NULL)
		spec.issuer = o->issuer;
	if (o->url != NULL)
		spec.url = o->url;
	return spec;
}

static int
read_certificate(struct ready *r, struct err *err)
{
	const struct options *o = r->o;
	const struct keeper_options options = {
	    .ca_file = o->ca_file,
	    .allow_no_next_update = o->allow_no_next_update,
	    .allow_sha1 = o->allow_sha1,
	    .certid = o->certid,
	    .rules = o->rules,
	    .rule_count = o->rule_count,
	};
	const struct target_spec spec = find_spec(o, o->args[0]);
	struct target_sources sources = {.issuers = &r->issuers};

	r->settings = settings_load(&options, err);
	if (r->settings == NULL)
		return -1;
	issuers_obey(&r->issuers, r->settings->rules);
	sources.extra = &r->settings->extra;
	r->target = target_new(&spec);
	(void)target_read(r->target, &sources);
	if (r->target->leaf == NULL)
		return err_set(err, trouble_reason(r->target->unreadable), "%s",
		    r->target->unreadable->text);
	return 0;
}

/* True if nothing has to be done, or can be: r->done, r->err. */
static bool
is_settled(struct ready *r)
{
	const struct cert *leaf = r->target->leaf;
	char nobody[ACQUIRE_NOBODY_TEXT];

	if (r->target->responder == NULL && !leaf->must_staple) {
		r->done = true;
	} else if (r->target->responder == NULL) {
		(void)err_set(&r->err, REASON_NO_OCSP_URL,
		    "it is must-staple and %s, so no staple can be had: "
		    "clients would refuse it",
		    acquire_nobody(leaf, nobody));
	} else if (r->target->unreadable != NULL) {
		r->err = trouble_err(r->target->unreadable);
	} else if (leaf->not_after <= clock_wall_s()) {
		(void)err_set(
		    &r->err, REASON_CERTIFICATE_EXPIRED, "it has expired");
	} else {
		return false;
	}
	return true;
}

/* --- the command --- */

static void
work(struct ready *r)
{
	if (is_settled(r))
		return;
	(void)uv_loop_init(&r->loop);
	r->was_stored = ready_look(r);
	if (!r->was_stored && r->err.reason == REASON_NONE)
		ready_fetch(r);
	if (target_servable(r->target, clock_wall_s()) != NULL)
		ready_place(r);
	loop_end(&r->loop);
}

static int
check_arguments(const struct options *o, struct err *err)
{
	if (o->arg_count != 1)
		return err_set(err, REASON_USAGE,
		    "give one certificate file: see `oclasp help ready`");
	if (strcmp(o->args[0], "-") == 0)
		return err_set(err, REASON_USAGE,
		    "give the certificate's file, not standard input: the "
		    "servers are to load it from there");
	return 0;
}

static int
run(const struct options *o)
{
	struct ready r = {.o = o, .begin_ms = clock_mono_ms()};
	struct err err = {0};
	int status;

	r.end_ms = r.begin_ms +
		   (o->timeout_ms > 0 ? o->timeout_ms : ACQUIRE_TIMEOUT_MS);
	r.state_dir = state_dir(o);
	if (check_arguments(o, &err) == -1 ||
	    read_certificate(&r, &err) == -1) {
		status = command_fail("ready", &err, EXIT_USAGE);
	} else {
		work(&r);
		report_progress(o, NULL);
		status = exit_status(&r);
		if (o->json)
			print_json(&r);
		else
			print_text(&r);
	}
	target_free(r.target);
	issuers_done(&r.issuers);
	settings_free(r.settings);
	free(r.state_dir);
	return status;
}

const struct command command_ready = {
    .name = "ready",
    .bit = CMD_READY,
    .synopsis = "CERT [-i ISSUER] [--timeout SECONDS]",
    .purpose = "deploy gate: wait until a certificate has its staple",
    .details =
	"For the deploy hook of an ACME client:\n\n"
	"  oclasp ready FULLCHAIN --timeout 300 && systemctl reload nginx\n\n"
	"0 only when a usable staple for exactly the certificate in CERT is in\n"
	"the store and in place for the servers; it is fetched if need be, and\n"
	"handed to the `oclasp keep` that runs. Exit status: 0 ready (also a\n"
	"certificate without OCSP URL, unless must-staple), 1 do not deploy it\n"
	"(must-staple without a staple, revoked, unknown), 75 try later, 2\n"
	"usage.",
    .run = run,
};
