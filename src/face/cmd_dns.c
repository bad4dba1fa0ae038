/* SPDX-License-Identifier: ISC */
/* face/cmd_dns.c -- oclasp dns NAME: who answers what. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/loop.h"
#include "base/mem.h"
#include "doctor/forged_pool.h"
#include "doctor/names.h"
#include "face/command.h"
#include "face/dns_report.h"
#include "face/doctor_html.h"
#include "http/fetch.h"

struct job {
	const struct options *o;
	struct resolver resolvers[RESOLVERS_MAX];
	size_t resolver_count;
	struct forged_pool pool;
	struct facts facts;
	struct diagnosis *diagnosis;
	struct bisect *bisect;
	uv_loop_t loop;
};

static void
asked(void *cookie)
{
	struct job *job = cookie;

	/* a look-up of the C library may still run: do not wait for it */
	uv_stop(&job->loop);
}

static void
ask(struct job *job)
{
	const struct options *o = job->o;
	struct names_request request = {
	    .host = o->args[0],
	    .resolvers = job->resolvers,
	    .resolver_count = job->resolver_count,
	    .ask_system = true,
	    .dark = o->has_blackhole ? &o->blackhole : NULL,
	    .control = o->control,
	    .bisect = o->bisect,
	};
	bool progress = isatty(STDERR_FILENO) && !o->quiet;
	struct fetch_pool *pool;

	if (progress)
		(void)fprintf(stderr, "asking %zu resolvers ...",
		    job->resolver_count + 1);
	(void)uv_loop_init(&job->loop);
	pool = fetch_pool_new(&job->loop);
	for (size_t i = 0; i < job->resolver_count; i++)
		job->resolvers[i].pool = pool;
	(void)names_start(
	    &job->loop, &job->facts, clock_mono_ms(), &request, asked, job);
	loop_run(&job->loop);
	fetch_pool_free(pool);
	loop_end(&job->loop);
	if (progress)
		(void)fprintf(stderr, "\r\033[K");
}

/* 1: something is wrong with the answers; 75: nobody answered at all, or what
 * was asked of the bisect has no answer. */
static int
exit_status(const struct job *job)
{
	bool answered = false, wrong = false;

	for (size_t i = 0; i < job->facts.count; i++)
		answered =
		    answered || job->facts.items[i].kind == FACT_DATAGRAM;
	for (size_t i = 0; i < job->diagnosis->count; i++) {
		const struct finding *f = &job->diagnosis->findings[i];

		wrong = wrong || (dns_report_tells(job->diagnosis, i) &&
				     !finding_row(f->code)->good &&
				     f->certainty <= CERTAINTY_STRONG);
	}
	if (wrong)
		return EXIT_BAD;
	if (!answered || (job->bisect != NULL &&
			     job->bisect->outcome == BISECT_INCONCLUSIVE))
		return EXIT_LATER;
	return EXIT_GOOD;
}

static int
report(struct job *job)
{
	const struct dns_report report = {
	    .o = job->o,
	    .name = job->o->args[0],
	    .facts = &job->facts,
	    .diagnosis = job->diagnosis,
	    .bisect = job->bisect,
	};

	struct err err = {0};
	struct buf page;
	int status = EXIT_GOOD;

	forged_pool_mark(&job->pool, &job->facts);
	diagnose(&job->facts, job->diagnosis);
	if (job->bisect != NULL)
		bisect_judge(&job->facts, job->o->args[0], job->bisect);
	if (job->o->json)
		dns_report_json(&report);
	else
		dns_report_text(&report);
	if (job->o->html != NULL) {
		buf_init(&page, HTML_PAGE_MAX);
		dns_html(&page, &report, clock_wall_s());
		if (html_write(job->o->html, &page, &err) == -1)
			status = command_fail("dns", &err, EXIT_USAGE);
		buf_done(&page);
	}
	return status != EXIT_GOOD ? status : exit_status(job);
}

static int
run(const struct options *o)
{
	struct job job = {.o = o};
	struct err err = {0};
	int status;

	if (o->arg_count != 1) {
		(void)err_set(
		    &err, REASON_USAGE, "give one NAME: see `oclasp help dns`");
		return command_fail("dns", &err, EXIT_USAGE);
	}
	if (names_check(o->args[0], &err) == -1 ||
	    names_check(o->control, &err) == -1 ||
	    (o->html != NULL && html_check(o->html, &err) == -1) ||
	    (o->pool != NULL &&
		forged_pool_load(o->pool, &job.pool, &err) == -1))
		return command_fail("dns", &err, EXIT_USAGE);
	job.diagnosis = mem_new(sizeof(*job.diagnosis));
	if (o->bisect)
		job.bisect = mem_new(sizeof(*job.bisect));
	job.resolver_count = options_resolvers(o, job.resolvers);
	ask(&job);
	status = report(&job);
	facts_done(&job.facts);
	forged_pool_done(&job.pool);
	free(job.diagnosis);
	free(job.bisect);
	return status;
}

const struct command command_dns = {
    .name = "dns",
    .bit = CMD_DNS,
    .synopsis = "NAME [--resolver URL...] [--bisect] [--blackhole ADDRESS]",
    .purpose = "who answers what for a name, every datagram of it",
    .details =
	"Asks the system, the nameservers of /etc/resolv.conf (UDP and TCP) and\n"
	"each --resolver for NAME, the later names of its CNAME chain, a control\n"
	"name and names that cannot exist, and waits for every answer, not only\n"
	"the first. --blackhole names an address where no resolver is: what it\n"
	"'answers' is forged. --bisect finds which names are targeted and how\n"
	"wide. Exit status: 0 nothing is wrong with the answers, 1 something\n"
	"is, 75 nobody answered, or the bisect is inconclusive.",
    .run = run,
};
