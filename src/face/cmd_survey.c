/* SPDX-License-Identifier: ISC */
/* face/cmd_survey.c -- oclasp survey: which responders answer from here. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/loop.h"
#include "base/mem.h"
#include "face/command.h"
#include "face/state.h"
#include "face/survey.h"
#include "http/fetch.h"

struct job {
	const struct options *o;
	struct survey_list list;
	struct survey_question *questions; /* owned */
	struct survey_entry **asked;       /* owned: whose they are */
	size_t count;
	bool progress;
	int status;
	uv_loop_t loop;
};

static void
told(void *cookie, size_t done, size_t count, const char *latest)
{
	const struct job *job = cookie;

	if (job->progress)
		(void)fprintf(stderr, "\r\033[K%zu of %zu: %s%s", done, count,
		    latest, done == count ? "\r\033[K" : "");
}

static void
ended(void *cookie, const struct survey_result *result)
{
	struct job *job = cookie;

	for (size_t i = 0; i < result->count; i++)
		job->asked[i]->responder = &result->responders[i];
	job->status = survey_report_exit(result);
	survey_report_sort(&job->list);
	if (job->o->json)
		survey_report_json(&job->list, result);
	else
		survey_report_text(job->o, &job->list, result);
	/* a look-up of the C library may still run: do not wait for it */
	uv_stop(&job->loop);
}

/* What is to be asked: not of those that have ended, or have no URL. */
static void
make_questions(struct job *job)
{
	job->questions = mem_array(job->list.count, sizeof(job->questions[0]));
	job->asked = mem_array(job->list.count, sizeof(job->asked[0]));
	for (size_t i = 0; i < job->list.count; i++) {
		struct survey_entry *entry = &job->list.entries[i];

		if (entry->url == NULL ||
		    (!entry->is_given && entry->fact->offer == RESPONDER_ENDED))
			continue;
		job->asked[job->count] = entry;
		job->questions[job->count++] = (struct survey_question){
		    .url = entry->url,
		    .leaf = entry->leaf,
		    .issuer = entry->issuer,
		    .extra = entry->extra,
		    .policy = state_policy(job->o),
		};
	}
}

static void
survey(struct job *job)
{
	static const struct survey_callbacks callbacks = {
	    .progress = told, .end = ended};
	struct acquire_options options = options_acquire(job->o);
	struct fetch_pool *pool;

	options.timeout_ms = job->o->timeout_ms; /* 0: the survey's own */
	(void)uv_loop_init(&job->loop);
	pool = fetch_pool_new(&job->loop);
	(void)survey_start(&job->loop, pool, job->questions, job->count,
	    &options, &callbacks, job);
	loop_run(&job->loop);
	fetch_pool_free(pool);
	loop_end(&job->loop);
}

static int
load(struct job *job, struct err *err)
{
	const struct options *o = job->o;

	for (int i = 0; i < o->arg_count; i++) {
		if (survey_list_add(&job->list, o, o->args[i], err) == -1)
			return -1;
	}
	if (o->arg_count == 0 || o->all)
		return survey_list_add_table(&job->list, err);
	return 0;
}

static int
run(const struct options *o)
{
	struct job job = {
	    .o = o, .progress = isatty(STDERR_FILENO) && !o->quiet};
	struct err err = {0};

	if (load(&job, &err) == -1) {
		job.status = command_fail("survey", &err, EXIT_USAGE);
	} else {
		make_questions(&job);
		survey(&job);
	}
	survey_list_done(&job.list);
	free(job.questions);
	free(job.asked);
	return job.status;
}

const struct command command_survey = {
    .name = "survey",
    .bit = CMD_SURVEY,
    .synopsis = "[URL|FILE...] [--all]",
    .purpose = "which CAs' responders answer from this network, and how fast",
    .details =
	"Asks the responders of well-known CAs, or of URL and FILE (PEM\n"
	"certificates, or a list of URLs and paths), for OCSP: at the addresses\n"
	"that the system names, the nameservers of /etc/resolv.conf and each\n"
	"--resolver, and through each --proxy. Different addresses are no fault;\n"
	"what counts is whether OCSP comes from them. Exit status: 0 everything\n"
	"answers by every road; 1 a road leads nowhere while another one leads\n"
	"to the responder; 75 something does not answer; 2 usage.",
    .run = run,
};
