/* SPDX-License-Identifier: ISC */
/* face/cmd_doctor.c -- oclasp doctor: one true cause, with evidence. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "acquire/private.h"
#include "base/clock.h"
#include "base/loop.h"
#include "base/mem.h"
#include "doctor/examine.h"
#include "doctor/forged_pool.h"
#include "doctor/names.h"
#include "doctor/served.h"
#include "face/command.h"
#include "face/doctor_html.h"
#include "face/doctor_keep.h"
#include "face/doctor_report.h"
#include "face/host_port.h"
#include "face/server_conf.h"
#include "face/state.h"
#include "http/fetch.h"
#include "servers/nginx_conf.h"

enum {
	HTTPS_PORT = 443,
	LAZY_MS = 2000,    /* for a server that fetches when asked */
	DOCTOR_MS = 29000, /* then what is there has to do */
};

struct job {
	const struct options *o;
	char *host; /* of the server; NULL: a certificate's file was given */
	int port;
	struct acquire_options acquire;
	struct resolver resolvers[RESOLVERS_MAX];
	size_t resolver_count;
	struct identity id;
	struct err unusable;
	struct forged_pool forged;
	struct address_book *book; /* NULL: none is to be had */
	struct nginx_conf *conf;   /* owned; NULL: not looked at */
	struct facts facts;
	int64_t began_ms;
	struct doctor_server server;
	struct penalty *penalty; /* owned; NULL: not measured */
	bool examining, measuring, progress;
	struct fetch_pool *pool;
	uv_loop_t loop;
};

static void
tell(void *cookie, const char *stage)
{
	const struct job *job = cookie;

	if (job->progress)
		(void)fprintf(stderr, "\r\033[K%s ...", stage);
}

/* A look-up of the C library may still run: it is not waited for. */
static void
stop_when_over(struct job *job)
{
	if (!job->examining && !job->measuring)
		uv_stop(&job->loop);
	else if (job->measuring)
		tell(job, "what a client without a staple waits");
}

static void
examined(void *cookie)
{
	struct job *job = cookie;

	job->examining = false;
	stop_when_over(job);
}

static void
measured(void *cookie, const struct penalty *penalty)
{
	struct job *job = cookie;

	job->penalty = mem_new(sizeof(*job->penalty));
	*job->penalty = *penalty;
	job->measuring = false;
	stop_when_over(job);
}

/* Beside the examination: tries that hang take as long as clients do. */
static void
measure(struct job *job, bool outside)
{
	const struct penalty_request request = {
	    .leaf = job->id.leaf,
	    .issuer = job->id.issuer,
	    .extra = &job->id.extra,
	    .policy = state_policy(job->o),
	    .options = &job->acquire,
	    .outside = outside,
	    .tries = PENALTY_TRIES,
	    .until_ms = job->began_ms + DOCTOR_MS,
	};

	if (job->id.leaf == NULL ||
	    (job->id.issuer == NULL && job->id.leaf->ocsp_url_count > 0))
		return;
	job->measuring = true;
	(void)penalty_start(&job->loop, job->pool, &request, measured, job);
}

/* Whether a server staples is not known from a file. */
static void
leave_unmeasured(struct job *job)
{
	struct fact_untested *u;

	if (job->id.leaf == NULL || job->id.leaf->ocsp_url_count == 0)
		return;
	u = &facts_add(&job->facts, FACT_UNTESTED, "-", 0)->u.untested;
	fact_copy(
	    u->what, sizeof(u->what), "what a client without a staple waits");
	fact_copy(u->why, sizeof(u->why), "--penalty measures it");
}

/* Addresses are proven again; by which day the certificate is judged has no part
 * in it. */
static void
add_proven(void *cookie, const char *host, struct facts *facts)
{
	const struct job *job = cookie;

	doctor_book_facts(job->book, host, clock_wall_s(),
	    clock_mono_ms() - job->began_ms, facts);
}

static void
examine(struct job *job)
{
	const struct options *o = job->o;
	const struct examine_request request = {
	    .terms =
		{
		    .id = &job->id,
		    .hosts_file = "/etc/hosts",
		    .resolvers = job->resolvers,
		    .resolver_count = job->resolver_count,
		    .dark = o->has_blackhole ? &o->blackhole : NULL,
		    .control = o->control,
		    .policy = state_policy(o),
		    .options = &job->acquire,
		    .proven = add_proven,
		    .proven_cookie = job,
		},
	    .unusable = job->unusable,
	    .url = o->url,
	    .progress = tell,
	};

	/* before the probes: they try also the addresses of the log */
	if (job->conf != NULL && job->id.leaf != NULL)
		(void)server_conf_facts(
		    o, job->conf, job->id.leaf->fingerprint, &job->facts);
	if (job->id.leaf != NULL)
		doctor_keep_facts(o, job->id.leaf->fingerprint,
		    clock_mono_ms() - job->began_ms, &job->facts);
	for (size_t i = 0; i < job->resolver_count; i++)
		job->resolvers[i].pool = job->pool;
	job->examining = true;
	(void)examine_start(&job->loop, job->pool, &job->facts, job->began_ms,
	    &request, examined, job);
}

/* --- the server first --- */

static struct cert *
copy_cert(const struct cert *cert)
{
	struct cert *copy;
	uint8_t *der = NULL;
	size_t len = 0;

	if (cert == NULL)
		return NULL;
	cert_der(cert, &der, &len);
	copy = cert_from_der(der, len, NULL);
	free(der);
	return copy;
}

/* What the server sent ends with the probe: keep what is needed of it.  Where
 * it sent no issuer, the operator's -i may be it. */
static void
copy_identity(struct job *job, const struct served *s)
{
	struct identity *id = &job->id;
	struct cert *leaf = copy_cert(s->id.leaf);
	struct cert *issuer = copy_cert(s->id.issuer);

	if (leaf != NULL)
		cert_list_add(&id->chain, leaf);
	id->leaf = leaf;
	job->unusable = s->err.reason != REASON_NONE ? s->err : s->issuer;
	if (issuer != NULL) {
		cert_list_add(&id->issuers, issuer);
		id->issuer = issuer;
	} else if (leaf != NULL && id->issuers.count > 0 &&
		   identity_find_issuer(id, true, &job->unusable) == 0)
		err_clear(&job->unusable);
}

static void
note_handshake(struct job *job, const struct served *s,
    const struct served_handshake *h, int number, bool nameless)
{
	struct fact_served *f = &facts_add(
	    &job->facts, FACT_SERVED, "V", h->ended_ms - job->began_ms)
				     ->u.served;

	fact_copy(f->address, sizeof(f->address), s->address);
	f->number = number;
	f->nameless = nameless;
	f->err = h->err;
	f->stapled = h->stapled;
	f->accepted = h->accepted;
	f->other = h->other;
	f->status = h->facts.status;
	f->verdict = h->verdict;
	f->connect_ms = h->connect_ms;
	f->tls_ms = h->tls_ms;
}

static void
note_handshakes(struct job *job, const struct served *s)
{
	int number = 1;

	for (size_t i = 0; i < s->handshake_count; i++)
		note_handshake(job, s, &s->handshakes[i], number++, false);
	for (size_t i = 0; i < s->more_count; i++)
		note_handshake(job, s, &s->more[i], number++, false);
	if (s->has_nameless)
		note_handshake(job, s, &s->nameless, number, true);
}

static void
served(void *cookie, const struct served *s)
{
	struct job *job = cookie;

	copy_identity(job, s);
	note_handshakes(job, s);
	job->server = (struct doctor_server){
	    .reached = s->handshake_count > 0,
	    .stapled = s->stapled,
	    .chain_count = s->chain_count,
	    .chain_octets = s->chain_octets,
	    .no_issuer = s->id.leaf != NULL && s->id.issuer == NULL,
	};
	if (s->handshake_count > 0) {
		job->server.connect_ms = s->handshakes[0].connect_ms;
		job->server.tls_ms = s->handshakes[0].tls_ms;
	}
	examine(job);
	if (!s->stapled || job->o->penalty)
		measure(job, !private_is_address(s->address));
}

/* What cannot be read of it is said among what was not tested. */
static int
read_server(struct job *job, struct err *err)
{
	const struct options *o = job->o;
	struct fact_untested *u;
	struct err unread = {0};

	if (o->server == NULL)
		return 0;
	if (strcmp(o->server, "nginx") != 0)
		return err_set(err, REASON_USAGE,
		    "there is no server '%s': this version knows nginx",
		    o->server);
	tell(job, "the server's configuration");
	job->conf = server_conf_read(o, NULL, &job->facts, &unread);
	if (job->conf != NULL)
		return 0;
	u = &facts_add(&job->facts, FACT_UNTESTED, "L", 0)->u.untested;
	fact_copy(u->what, sizeof(u->what), "the server's configuration");
	fact_copy(u->why, sizeof(u->why), unread.text);
	return 0;
}

/* What the operator gives beside a server is wrong at once or not at all. */
static int
take_server(struct job *job, const char *target, struct err *err)
{
	const struct options *o = job->o;

	if (host_port_parse(target, HTTPS_PORT, &job->host, &job->port, err) ==
	    -1)
		return -1;
	if (o->issuer != NULL &&
	    cert_list_load(&job->id.issuers, o->issuer, err) == -1)
		return -1;
	return state_check_ca_file(o, err);
}

/* The target is a file, or a server; a folder of a server's name, as ACME
 * clients make, is none. */
static int
take_target(struct job *job, struct err *err)
{
	const char *target = job->o->args[0];
	const struct identity_files files = {.certificate = target,
	    .issuer = job->o->issuer,
	    .ca_file = job->o->ca_file};
	struct stat info;

	if ((stat(target, &info) != 0 || S_ISDIR(info.st_mode)) &&
	    strchr(target, '/') == NULL)
		return take_server(job, target, err);
	if (identity_load(&files, &job->id, &job->unusable) == 0)
		return 0;
	/* what is wrong with the file is a finding; that there is none, not */
	if (job->id.leaf != NULL)
		return 0;
	return err_set(err, job->unusable.reason, "%s", job->unusable.text);
}

static void
run_probes(struct job *job)
{
	const struct options *o = job->o;
	const struct served_request request = {
	    .host = job->host,
	    .port = job->port,
	    .servername = o->servername,
	    .starttls = o->starttls,
	    .ca_file = o->ca_file,
	    .policy = state_policy(o),
	    .options = &job->acquire,
	    .pause_ms = LAZY_MS,
	    .no_penalty = true,
	    .more = true,
	};

	struct store *store = doctor_book_open(o, &job->book);

	(void)uv_loop_init(&job->loop);
	job->pool = fetch_pool_new(&job->loop);
	job->began_ms = clock_mono_ms();
	if (job->host == NULL) {
		examine(job);
		if (o->penalty)
			measure(job, false);
		else
			leave_unmeasured(job);
	} else {
		tell(job, "the server");
		(void)served_start(
		    &job->loop, job->pool, &request, served, job);
	}
	loop_run(&job->loop);
	fetch_pool_free(job->pool);
	loop_end(&job->loop);
	state_close_book(store, job->book);
	job->book = NULL;
	if (job->progress)
		(void)fprintf(stderr, "\r\033[K");
}

static int
report(struct job *job)
{
	struct diagnosis *diagnosis = mem_new(sizeof(*diagnosis));
	const struct doctor_report report = {
	    .o = job->o,
	    .target = job->o->args[0],
	    .subject = {job->host == NULL ? job->o->args[0] : NULL,
		job->host == NULL ? NULL : job->o->args[0]},
	    .facts = &job->facts,
	    .diagnosis = diagnosis,
	    .penalty = job->penalty,
	    .server = job->host == NULL ? NULL : &job->server,
	    .elapsed_ms = clock_mono_ms() - job->began_ms,
	};
	struct err err = {0};
	struct buf page;
	int status;

	forged_pool_mark(&job->forged, &job->facts);
	diagnose(&job->facts, diagnosis);
	if (job->o->json)
		doctor_report_json(&report);
	else
		doctor_report_text(&report);
	status = doctor_report_exit(&report);
	if (job->o->html != NULL) {
		buf_init(&page, HTML_PAGE_MAX);
		doctor_html(&page, &report, clock_wall_s());
		if (html_write(job->o->html, &page, &err) == -1)
			status = command_fail("doctor", &err, EXIT_USAGE);
		buf_done(&page);
	}
	free(diagnosis);
	return status;
}

static int
run(const struct options *o)
{
	struct job job = {.o = o, .acquire = options_acquire(o)};
	struct err err = {0};
	int status;

	job.progress = isatty(STDERR_FILENO) && !o->quiet;
	if (o->arg_count != 1)
		(void)err_set(&err, REASON_USAGE,
		    "give one HOST[:PORT] or certificate: see `oclasp help "
		    "doctor`");
	else if (take_target(&job, &err) == 0 &&
		 names_check(o->control, &err) == 0 &&
		 read_server(&job, &err) == 0 &&
		 (o->html == NULL || html_check(o->html, &err) == 0) &&
		 o->pool != NULL)
		(void)forged_pool_load(o->pool, &job.forged, &err);
	if (err.reason != REASON_NONE) {
		status = command_fail("doctor", &err, EXIT_USAGE);
	} else {
		job.resolver_count = options_resolvers(o, job.resolvers);
		run_probes(&job);
		status = report(&job);
	}
	facts_done(&job.facts);
	forged_pool_done(&job.forged);
	identity_done(&job.id);
	nginx_conf_free(job.conf);
	free(job.host);
	free(job.penalty);
	return status;
}

const struct command command_doctor = {
    .name = "doctor",
    .bit = CMD_DOCTOR,
    .synopsis = "HOST[:PORT]|CERT [--server nginx] [--resolver URL...]",
    .purpose = "the one cause of a missing or slow staple, with evidence",
    .details =
	"Looks at the server's handshakes, the certificate, this machine, what\n"
	"every resolver says, and whether each address that anybody names gives\n"
	"a genuine response; then names the one cause whose repair brings the\n"
	"staple, the evidence that carries it, the remedy, what else was seen\n"
	"and what was not tested. `oclasp explain CODE` tells more of a code.\n"
	"Exit status: 0 nothing is wrong, or the certificate needs no OCSP; 75\n"
	"inconclusive; else 1.",
    .run = run,
};
