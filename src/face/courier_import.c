/* SPDX-License-Identifier: ISC */
/* face/courier_import.c -- oclasp courier import: take what verifies at home. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "face/command.h"
#include "face/courier.h"
#include "face/report.h"
#include "face/state.h"
#include "keep/inbox.h"
#include "keep/store.h"
#include "pki/request.h"
#include "pki/staple.h"

struct job {
	const struct options *o;
	struct inbox *inbox;
	struct kept_list kept;
	struct span *requests; /* of each kept certificate; owned bytes */
	json_t *answers;
	size_t imported, known, refused, missing;
};

/* What became of one answer. */
struct fate {
	const char *outcome; /* "imported" "known" "refused" "missing" */
	const struct kept *kept;
	bool accepted, unserved;
	struct verdict facts;
	struct staple *staple;
	struct err err;
};

static const struct kept *
find_kept(const struct job *job, const struct courier_item *item)
{
	const struct span request = {item->request, item->request_len};

	for (size_t i = 0; i < job->kept.count; i++) {
		if (job->requests[i].len > 0 &&
		    span_equal(job->requests[i], request))
			return &job->kept.items[i];
	}
	return NULL;
}

static void
judge(const struct job *job, const struct kept *kept, const uint8_t *der,
    size_t len, struct fate *fate)
{
	const struct verify_input input = {
	    .leaf = kept->id.leaf,
	    .issuer = kept->id.issuer,
	    .extra = &kept->id.extra,
	    .der = der,
	    .len = len,
	};
	const struct verify_policy policy = state_policy(job->o);

	(void)verify_staple(&input, &policy, &fate->staple, &fate->facts,
	    &fate->accepted, &fate->err);
}

/* thisUpdate of the staple that is stored and still verifies; 0: none. */
static int64_t
stored_update(const struct job *job, const struct kept *kept)
{
	struct fate stored = {0};
	int64_t update = 0;
	uint8_t *der = NULL;
	size_t len = 0;

	if (store_get(inbox_store(job->inbox), kept->id.leaf->fingerprint, &der,
		&len, NULL) == 1)
		judge(job, kept, der, len, &stored);
	if (stored.staple != NULL)
		update = staple_facts(stored.staple)->this_update;
	staple_free(stored.staple);
	free(der);
	return update;
}

/* A14, I2: nothing goes back in time. */
static int
check_age(struct fate *fate, int64_t have)
{
	char got[CLOCK_TEXT], stored[CLOCK_TEXT];

	if (fate->facts.this_update >= have)
		return 0;
	return err_set(&fate->err, REASON_OLDER_THAN_STORED,
	    "the response's thisUpdate %s is older than the %s of the one in "
	    "the store: an old answer was carried again",
	    clock_rfc3339(fate->facts.this_update, got),
	    clock_rfc3339(have, stored));
}

/* C3: a carrier that wishes a revoked away brings the good one of before. */
static int
check_revoked(const struct job *job, struct fate *fate)
{
	if (fate->staple == NULL)
		return 0;
	return inbox_check_revoked(
	    inbox_revoked_at(job->inbox, fate->kept->id.leaf->fingerprint),
	    fate->facts.this_update, &fate->err);
}

static void
take(struct job *job, const struct courier_item *item, struct fate *fate)
{
	const char *fingerprint = fate->kept->id.leaf->fingerprint;
	const struct span der = {item->response, item->response_len};
	int64_t have = stored_update(job, fate->kept);
	bool served = true;

	fate->outcome = "refused";
	judge(job, fate->kept, der.at, der.len, fate);
	if (!fate->accepted || check_age(fate, have) == -1 ||
	    check_revoked(job, fate) == -1)
		return;
	if (fate->staple != NULL && have != 0 &&
	    fate->facts.this_update == have) {
		fate->outcome = "known";
	} else if (fate->staple != NULL) {
		if (inbox_put(job->inbox, fate->staple, &served, &fate->err) ==
		    0)
			fate->outcome = "imported";
		fate->unserved = !served;
	} else if (fate->facts.status == CERT_REVOKED) {
		/* it is no staple, but what is stored is a lie from now on */
		(void)inbox_put_revoked(
		    job->inbox, fingerprint, der, &fate->facts, &fate->err);
	}
}

/* --- what is said --- */

/* Of what FATE is, for the eye: the path too where the name is that of several;
 * owned. */
static char *
name_of(const struct job *job, const struct courier_item *item,
    const struct fate *fate)
{
	const char *name;
	char *path, *both;
	size_t same = 0;

	if (fate->kept == NULL)
		return text_printable(item->urls[0]);
	name = cert_name(fate->kept->id.leaf);
	for (size_t i = 0; i < job->kept.count; i++)
		same +=
		    strcmp(name, cert_name(job->kept.items[i].id.leaf)) == 0;
	if (same < 2)
		return mem_string(name);
	path = text_printable(fate->kept->path);
	both = mem_printf("%s (%s)", name, path);
	free(path);
	return both;
}

static void
say_text(const struct job *job, const struct courier_item *item,
    const struct fate *fate)
{
	char *name = name_of(job, item, fate);
	char left[CLOCK_SPAN];

	if (fate->staple != NULL && strcmp(fate->outcome, "refused") != 0) {
		if (!job->o->quiet)
			(void)printf("%s: %s, usable for %s%s\n", name,
			    fate->outcome,
			    clock_span(staple_usable_until(fate->staple) -
					   clock_wall_s(),
				left),
			    fate->unserved ? "; nginx gets it by `oclasp keep "
					     "--server nginx`"
					   : "");
	} else if (fate->accepted && fate->err.reason == REASON_NONE) {
		(void)fprintf(stderr,
		    "oclasp courier: %s: the signed answer is that this "
		    "certificate is %s, so there is no staple\n",
		    name, cert_status_name(fate->facts.status));
	} else {
		(void)fprintf(stderr, "oclasp courier: %s: %s: %s (%s)\n", name,
		    fate->outcome, fate->err.text,
		    reason_name(fate->err.reason));
	}
	free(name);
}

static void
say_json(struct job *job, const struct fate *fate)
{
	json_t *object = json_object();
	bool refused = fate->err.reason == REASON_OLDER_THAN_STORED;

	(void)json_object_set_new(object, "certificate",
	    report_json_cert(fate->kept == NULL ? NULL : fate->kept->id.leaf));
	(void)json_object_set_new(object, "path",
	    report_json_text(fate->kept == NULL ? NULL : fate->kept->path));
	(void)json_object_set_new(
	    object, "outcome", json_string(fate->outcome));
	report_add_verdict(object,
	    fate->accepted && !refused ? &fate->facts : NULL, &fate->err);
	(void)json_array_append_new(job->answers, object);
}

static void
handle(struct job *job, const struct courier_item *item)
{
	struct fate fate = {.outcome = "missing", .kept = find_kept(job, item)};

	if (fate.kept == NULL) {
		fate.outcome = "refused";
		(void)err_set(&fate.err, REASON_WRONG_CERTIFICATE,
		    "the answer is for no certificate that is kept here");
	} else if (item->response == NULL) {
		(void)err_set(&fate.err,
		    item->reason == REASON_NONE ? REASON_DNS_NO_ANSWER
						: item->reason,
		    "the courier has brought no answer: %s",
		    item->detail == NULL ? "it was not fetched" : item->detail);
	} else {
		take(job, item, &fate);
	}
	job->imported += strcmp(fate.outcome, "imported") == 0;
	job->known += strcmp(fate.outcome, "known") == 0;
	job->refused += strcmp(fate.outcome, "refused") == 0;
	job->missing += strcmp(fate.outcome, "missing") == 0;
	if (job->answers != NULL)
		say_json(job, &fate);
	else
		say_text(job, item, &fate);
	staple_free(fate.staple);
}

/* --- the command --- */

static void
make_requests(struct job *job)
{
	job->requests = mem_array(job->kept.count, sizeof(job->requests[0]));
	for (size_t i = 0; i < job->kept.count; i++) {
		const struct identity *id = &job->kept.items[i].id;
		uint8_t *der = NULL;
		size_t len = 0;

		if (id->issuer != NULL &&
		    request_make(id->leaf, id->issuer, &der, &len, NULL) == 0)
			job->requests[i] = (struct span){der, len};
	}
}

static void
finish(struct job *job)
{
	bool runs = inbox_keeper_runs(job->inbox);

	if (job->answers != NULL) {
		json_t *document = report_document("courier");

		(void)json_object_update_new(document,
		    json_pack("{s:O, s:I, s:I, s:I, s:I, s:b}", "answers",
			job->answers, "imported", (json_int_t)job->imported,
			"known", (json_int_t)job->known, "refused",
			(json_int_t)job->refused, "missing",
			(json_int_t)job->missing, "keep_running", runs));
		report_print(document);
	} else if (runs && job->imported > 0 && !job->o->quiet) {
		(void)printf("handed to the `oclasp keep` that runs\n");
	}
}

/* Nothing is begun where nothing can be imported. */
static int
check_any_kept(const struct options *o, const char *dir, struct err *err)
{
	if (o->arg_count > 1 || o->spec_count > 0 || state_may_have_store(dir))
		return 0;
	return err_set(err, REASON_USAGE,
	    "nothing is kept in '%s', so no answer is for anything: give "
	    "certificates, --state-dir, or run `oclasp keep` first",
	    dir);
}

int
courier_import(const struct options *o, struct err *err)
{
	struct job job = {.o = o};
	struct courier_bundle bundle = {0};
	char *dir = state_dir(o);
	int status = EXIT_USAGE;

	if (courier_read(true, &bundle, err) == -1 ||
	    check_any_kept(o, dir, err) == -1)
		goto out;
	job.inbox = inbox_open(dir, err);
	if (job.inbox == NULL)
		goto out;
	if (state_load_kept(o, "courier", 1, inbox_store(job.inbox), &job.kept,
		err) == -1) {
		status = command_exit(err->reason);
		goto out;
	}
	job.answers = o->json ? json_array() : NULL;
	make_requests(&job);
	for (size_t i = 0; i < bundle.count; i++)
		handle(&job, &bundle.items[i]);
	finish(&job);
	status = job.refused > 0   ? EXIT_BAD
		 : job.missing > 0 ? EXIT_LATER
				   : EXIT_GOOD;
out:
	json_decref(job.answers);
	for (size_t i = 0; job.requests != NULL && i < job.kept.count; i++)
		free((void *)(uintptr_t)job.requests[i].at);
	free(job.requests);
	state_kept_done(&job.kept);
	inbox_close(job.inbox);
	courier_done(&bundle);
	free(dir);
	return status;
}
