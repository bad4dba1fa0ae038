/* SPDX-License-Identifier: ISC */
/* face/cmd_hosts.c -- oclasp hosts: the proven addresses for those that cannot
 * prove them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/loop.h"
#include "base/mem.h"
#include "face/command.h"
#include "face/report.h"
#include "face/reprove.h"
#include "keep/store.h"
#include "servers/hosts_file.h"
#include "servers/hosts_text.h"
#include "servers/nginx.h"

enum format { FORMAT_HOSTS, FORMAT_DNSMASQ, FORMAT_UNBOUND, FORMAT_SMARTDNS };

struct job {
	const struct options *o;
	enum format format;
	bool json;
	struct store *store;
	struct address_book *book;
	struct kept_list kept;
	struct reproof *proofs;
	size_t count, proven;
	char *warning; /* why a pin will not help, or NULL */
	bool changed;  /* the hosts file */
};

/* --- where a pin does not help --- */

static const struct nginx_directive *
find_resolver(const struct nginx_directive *list, size_t count, int depth)
{
	for (size_t i = 0; i < count && depth < NGINX_DEPTH_MAX; i++) {
		const struct nginx_directive *found;

		if (strcmp(list[i].name, "resolver") == 0)
			return &list[i];
		found = find_resolver(
		    list[i].children, list[i].child_count, depth + 1);
		if (found != NULL)
			return found;
	}
	return NULL;
}

static void
scanned(void *cookie, struct nginx_conf *conf, const struct err *err)
{
	const struct nginx_directive *resolver = NULL;
	struct job *job = cookie;

	(void)err; /* no nginx here, or not ours to read: nothing to warn of */
	for (size_t i = 0;
	     conf != NULL && i < conf->file_count && resolver == NULL; i++)
		resolver = find_resolver(conf->files[i].directives,
		    conf->files[i].directive_count, 0);
	if (resolver != NULL)
		job->warning = mem_printf(
		    "nginx has a resolver (%s:%d) and asks it, never the hosts "
		    "file: for its own stapling these lines do not help, "
		    "`oclasp keep --server nginx` does",
		    resolver->file, resolver->line);
	nginx_conf_free(conf);
}

static void
look_at_nginx(struct job *job)
{
	const struct nginx nginx = {
	    .command = job->o->server_command != NULL ? job->o->server_command
						      : "nginx",
	    .snippet_dir = "",
	    .staple_dir = "",
	};
	uv_loop_t loop;

	(void)uv_loop_init(&loop);
	(void)nginx_scan_start(&loop, &nginx, scanned, job);
	loop_run(&loop);
	loop_end(&loop);
}

/* --- what is printed --- */

static bool
is_v6(const struct reproof *proof)
{
	return strchr(proof->address, ':') != NULL;
}

/* How many of the first END are proven, of the host of the one at AT and of the
 * family V6. */
static size_t
count_proven(const struct job *job, size_t end, size_t at, bool v6)
{
	size_t count = 0;

	for (size_t i = 0; i < end; i++)
		count +=
		    job->proofs[i].err.reason == REASON_NONE &&
		    strcmp(job->proofs[i].host, job->proofs[at].host) == 0 &&
		    is_v6(&job->proofs[i]) == v6;
	return count;
}

/* A resolver that has an address of one family asks the network for the other
 * one, where the same lies wait: tell it that there is none. */
static void
add_closing(struct buf *out, const struct job *job, size_t at)
{
	const char *host = job->proofs[at].host;
	bool v4 = count_proven(job, job->count, at, false) > 0;
	bool v6 = count_proven(job, job->count, at, true) > 0;

	if (job->format == FORMAT_DNSMASQ)
		buf_printf(out, "local=/%s/\n", host);
	if (job->format == FORMAT_SMARTDNS && v4 != v6)
		buf_printf(out, "address /%s/#%c\n", host, v4 ? '6' : '4');
}

static void
add_line(struct buf *out, const struct job *job, size_t at)
{
	const struct reproof *p = &job->proofs[at];
	size_t before = count_proven(job, at, at, is_v6(p));

	switch (job->format) {
	case FORMAT_HOSTS:
		buf_printf(out, "%s %s\n", p->address, p->host);
		break;
	case FORMAT_DNSMASQ:
		buf_printf(out, "address=/%s/%s\n", p->host, p->address);
		break;
	case FORMAT_UNBOUND:
		buf_printf(out, "local-data: \"%s. %s %s\"\n", p->host,
		    is_v6(p) ? "AAAA" : "A", p->address);
		break;
	case FORMAT_SMARTDNS:
		/* it takes one of each family; a second line replaces it */
		if (before == 0)
			buf_printf(
			    out, "address /%s/%s\n", p->host, p->address);
		break;
	}
	/* the first of its host */
	if (before + count_proven(job, at, at, !is_v6(p)) == 0)
		add_closing(out, job, at);
}

static char *
make_lines(const struct job *job)
{
	struct buf out;

	buf_init(&out, HOSTS_TEXT_MAX / 2);
	/* whole, as a file of its own and within another clause */
	if (job->format == FORMAT_UNBOUND && job->proven > 0)
		buf_puts(&out, "server:\n");
	for (size_t i = 0; i < job->count; i++) {
		if (job->proofs[i].err.reason == REASON_NONE)
			add_line(&out, job, i);
	}
	return buf_take(&out);
}

static void
print_json(const struct job *job)
{
	json_t *document = report_document("hosts");
	json_t *entries = json_array();
	json_t *left_out = json_array();

	for (size_t i = 0; i < job->count; i++) {
		const struct reproof *p = &job->proofs[i];

		if (p->err.reason == REASON_NONE)
			(void)json_array_append_new(entries,
			    json_pack("{s:s, s:s, s:o}", "host", p->host,
				"address", p->address, "proven_at",
				report_json_time(p->proven_at)));
		else
			(void)json_array_append_new(left_out,
			    json_pack("{s:s, s:s, s:o, s:s, s:o}", "host",
				p->host, "address", p->address, "proven_at",
				report_json_time(p->proven_at), "reason",
				reason_name(p->err.reason), "detail",
				report_json_text(p->err.text)));
	}
	(void)json_object_update_new(document,
	    json_pack("{s:o, s:o, s:o, s:b, s:b}", "entries", entries,
		"left_out", left_out, "warning", report_json_text(job->warning),
		"applied", job->o->apply && job->proven > 0, "changed",
		job->changed));
	report_print(document);
}

static void
say_what_is_missing(const struct job *job)
{
	for (size_t i = 0; i < job->count; i++) {
		const struct reproof *p = &job->proofs[i];

		if (p->err.reason != REASON_NONE)
			(void)fprintf(stderr,
			    "oclasp hosts: left out: %s %s: %s (%s)\n",
			    p->address, p->host, p->err.text,
			    reason_name(p->err.reason));
	}
	if (job->warning != NULL && !job->o->quiet)
		(void)fprintf(
		    stderr, "oclasp hosts: warning: %s\n", job->warning);
}

/* --- the command --- */

static const char *
hosts_file(const struct options *o)
{
	return o->hosts_file != NULL ? o->hosts_file : HOSTS_FILE_DEFAULT;
}

static int
take_format(struct job *job, struct err *err)
{
	static const char *const names[] = {
	    "hosts", "dnsmasq", "unbound", "smartdns"};
	const struct options *o = job->o;
	const char *format = o->format == NULL ? "hosts" : o->format;

	job->json = o->json || strcmp(format, "json") == 0;
	if (o->apply && o->remove)
		return err_set(err, REASON_USAGE,
		    "--apply and --remove contradict each other");
	if ((o->apply || o->remove) && strcmp(format, "hosts") != 0 &&
	    strcmp(format, "json") != 0)
		return err_set(err, REASON_USAGE,
		    "--%s is about a hosts file: write what `--format %s` "
		    "prints into the resolver's configuration yourself",
		    o->apply ? "apply" : "remove", format);
	if (strcmp(format, "json") == 0)
		return 0;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(format, names[i]) == 0) {
			job->format = (enum format)i;
			return 0;
		}
	}
	return err_set(err, REASON_USAGE,
	    "--format '%s': give hosts, dnsmasq, unbound, smartdns or json",
	    format);
}

static int
load(struct job *job, struct err *err)
{
	char *dir = state_dir(job->o);
	char *path = mem_printf("%s/oclasp.db", dir);
	int rc = -1;

	if (!state_may_have_store(dir))
		(void)err_set(err, REASON_USAGE,
		    "'%s' holds no store of oclasp: run `oclasp keep` first, "
		    "or name its --state-dir",
		    dir);
	else
		job->store = store_visit(path, 0, err);
	free(path);
	free(dir);
	if (job->store == NULL)
		return -1;
	job->book = address_book_new();
	rc = store_load_book(job->store, job->book, clock_wall_s(), err);
	if (rc == 0)
		rc = state_load_kept(
		    job->o, "hosts", 0, job->store, &job->kept, err);
	return rc;
}

static int
show(struct job *job, struct err *err)
{
	char *lines = make_lines(job);
	char *block = hosts_text_block(lines);
	int rc = 0;

	/* with nothing proven a block that is there stays: it may be right */
	if (job->o->apply && job->proven > 0)
		rc = hosts_file_edit(
		    hosts_file(job->o), lines, &job->changed, err);
	if (rc == 0 && job->json)
		print_json(job);
	else if (rc == 0 && job->o->apply && job->proven > 0)
		(void)printf("%s: %zu proven address%s%s\n", hosts_file(job->o),
		    job->proven, job->proven == 1 ? "" : "es",
		    job->changed ? "" : ", as it was already");
	else if (rc == 0 && job->proven > 0 && !job->o->apply)
		(void)fputs(
		    job->format == FORMAT_HOSTS ? block : lines, stdout);
	say_what_is_missing(job);
	free(block);
	free(lines);
	return rc;
}

static int
list(struct job *job, struct err *err)
{
	if (load(job, err) == -1)
		return EXIT_USAGE;
	report_progress(job->o, "each address that was proven before");
	reprove(job->o, job->store, job->book, &job->kept, &job->proofs,
	    &job->count);
	for (size_t i = 0; i < job->count; i++)
		job->proven += job->proofs[i].err.reason == REASON_NONE;
	if (job->format == FORMAT_HOSTS && job->proven > 0)
		look_at_nginx(job);
	report_progress(job->o, NULL);
	if (show(job, err) == -1)
		return EXIT_USAGE;
	if (job->count == 0)
		(void)fprintf(stderr,
		    "oclasp hosts: no address has been proven yet: `oclasp "
		    "keep` and `oclasp fetch` find them\n");
	return job->proven > 0 ? EXIT_GOOD : EXIT_LATER;
}

static int
take_out(struct job *job, struct err *err)
{
	if (hosts_file_edit(hosts_file(job->o), NULL, &job->changed, err) == -1)
		return EXIT_USAGE;
	if (job->json)
		print_json(job);
	else if (!job->o->quiet)
		(void)printf("%s: %s\n", hosts_file(job->o),
		    job->changed ? "the block of oclasp is taken out"
				 : "there was no block of oclasp");
	return EXIT_GOOD;
}

static int
run(const struct options *o)
{
	struct job job = {.o = o};
	struct err err = {0};
	int status;

	if (take_format(&job, &err) == -1)
		status = EXIT_USAGE;
	else if (o->remove)
		status = take_out(&job, &err);
	else
		status = list(&job, &err);
	if (err.reason != REASON_NONE)
		status = command_fail("hosts", &err, EXIT_USAGE);
	state_close_book(job.store, job.book);
	state_kept_done(&job.kept);
	free(job.proofs);
	free(job.warning);
	return status;
}

const struct command command_hosts = {
    .name = "hosts",
    .bit = CMD_HOSTS,
    .synopsis = "[CERT...] [--format FORMAT] [--apply|--remove]",
    .purpose = "proven addresses of the responders, for a hosts file",
    .details =
	"Asks every address of the address book once more, alone, for a\n"
	"certificate that is kept (or CERT), and prints those from which a\n"
	"signed answer came. --apply writes them as a block into the hosts\n"
	"file, --remove takes exactly the block out again; all other lines stay\n"
	"as they are. Exit status: 0 something is proven, 75 nothing is, now;\n"
	"2 usage, or a file that cannot be used.",
    .run = run,
};
