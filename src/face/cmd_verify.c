/* SPDX-License-Identifier: ISC */
/* face/cmd_verify.c -- oclasp verify CERT RESPONSE: offline judgement. */
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/file.h"
#include "face/command.h"
#include "face/report.h"
#include "pki/identity.h"
#include "pki/request.h"
#include "pki/response.h"

/* What verify works on; all owned. */
struct job {
	struct identity id;
	uint8_t *file, *der, *request, *nonce;
	size_t len, nonce_len;
};

static int
load_response(struct job *job, const char *path, struct err *err)
{
	size_t file_len = 0;

	/* base64 of the largest response, and then some: the verifier says
	 * `oversize` itself */
	if (file_read(path, 4 * VERIFY_RESPONSE_MAX, &job->file, &file_len,
		err) == -1)
		return -1;
	return response_unwrap(job->file, file_len, &job->der, &job->len, err);
}

static int
load_nonce(struct job *job, const char *path, struct err *err)
{
	size_t len = 0;

	if (path == NULL)
		return 0;
	if (file_read(path, REQUEST_FILE_MAX, &job->request, &len, err) == -1)
		return -1;
	return request_nonce(
	    job->request, len, &job->nonce, &job->nonce_len, err);
}

static int
judge(struct job *job, const struct options *o, struct verdict *facts,
    struct err *err)
{
	const struct identity_files files = {
	    .certificate = o->args[0],
	    .issuer = o->issuer,
	    .chain = o->chain,
	    .ca_file = o->ca_file,
	};
	struct verify_policy policy = {
	    .now = options_now(o),
	    .skew_s = o->skew_s,
	    .max_age_s = o->max_age_s,
	    .allow_no_next_update = o->allow_no_next_update,
	    .allow_sha1 = o->allow_sha1,
	};
	struct verify_input input;

	if (load_response(job, o->args[1], err) == -1 ||
	    load_nonce(job, o->request, err) == -1 ||
	    identity_load(&files, &job->id, err) == -1)
		return -1;
	input = (struct verify_input){
	    .leaf = job->id.leaf,
	    .issuer = job->id.issuer,
	    .extra = &job->id.extra,
	    .der = job->der,
	    .len = job->len,
	    .nonce = job->nonce,
	    .nonce_len = job->nonce_len,
	};
	return verify_response(&input, &policy, facts, err);
}

static void
print_text(const struct job *job, const struct options *o, bool accepted,
    const struct verdict *facts, const struct err *err)
{
	if (!accepted) {
		(void)printf(
		    "reject: %s (%s)\n", err->text, reason_name(err->reason));
		if (!o->quiet && report_remedy(err->reason) != NULL)
			(void)printf(
			    "  remedy       %s\n", report_remedy(err->reason));
		return;
	}
	(void)printf("accept: the response for '%s' is genuine and says %s\n",
	    cert_name(job->id.leaf), cert_status_name(facts->status));
	if (!o->quiet)
		report_text_verdict(facts, options_now(o));
}

static int
run(const struct options *o)
{
	struct job job = {0};
	struct verdict facts = {0};
	struct err err = {0};
	bool accepted;
	int status;

	if (o->arg_count != 2) {
		(void)err_set(&err, REASON_USAGE,
		    "give a certificate and a response: see `oclasp help "
		    "verify`");
		return command_fail("verify", &err, EXIT_USAGE);
	}
	accepted = judge(&job, o, &facts, &err) == 0;
	status = accepted && facts.status == CERT_GOOD ? EXIT_GOOD : EXIT_BAD;
	if (reason_group(err.reason) == GROUP_LOCAL) {
		status = command_fail("verify", &err, EXIT_USAGE);
		goto out;
	}
	if (err.reason == REASON_CERTIFICATE_UNREADABLE)
		status = EXIT_USAGE;
	if (o->json) {
		json_t *document = report_document("verify");

		report_add_verdict(document, accepted ? &facts : NULL, &err);
		report_print(document);
	} else {
		print_text(&job, o, accepted, &facts, &err);
	}
out:
	identity_done(&job.id);
	free(job.file);
	free(job.der);
	free(job.request);
	free(job.nonce);
	return status;
}

const struct command command_verify = {
    .name = "verify",
    .bit = CMD_VERIFY,
    .synopsis = "CERT RESPONSE [-i ISSUER] [--chain FILE] [--at TIME]",
    .purpose = "is this OCSP response acceptable for this certificate",
    .details =
	"Judges offline, by RFC 6960 and RFC 9919, stricter than OpenSSL.\n"
	"CERT is PEM (best the whole chain) or DER; RESPONSE is DER, PEM or\n"
	"base64; - is standard input. Exit status: 0 genuine and good, 1 not\n"
	"acceptable, revoked or unknown, 2 a file or argument cannot be used.",
    .run = run,
};
