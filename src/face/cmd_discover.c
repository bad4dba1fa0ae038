/* SPDX-License-Identifier: ISC */
/* face/cmd_discover.c -- oclasp discover: the certificates in use here. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "acquire/acquire.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/text.h"
#include "face/command.h"
#include "face/report.h"
#include "servers/discover.h"
#include "servers/nginx.h"

struct job {
	const struct options *o;
	uv_loop_t loop;
	struct nginx_conf *conf;
	struct err nginx_err; /* why nginx could not be asked */
	struct discovery found;
};

/* --- nginx --- */

static void
scanned(void *cookie, struct nginx_conf *conf, const struct err *err)
{
	struct job *job = cookie;

	job->conf = conf;
	if (conf == NULL)
		job->nginx_err = *err;
}

/* Another system's disk has another nginx than the one that runs here. */
static bool
wants_nginx(const struct options *o)
{
	return o->server_command != NULL ||
	       (o->root == NULL && nginx_is_installed());
}

static void
ask_nginx(struct job *job)
{
	const struct nginx nginx = {
	    .command = job->o->server_command != NULL ? job->o->server_command
						      : "nginx",
	    .snippet_dir = "",
	    .staple_dir = "",
	};

	if (!wants_nginx(job->o))
		return;
	(void)uv_loop_init(&job->loop);
	(void)nginx_scan_start(&job->loop, &nginx, scanned, job);
	loop_run(&job->loop);
	loop_end(&job->loop);
}

/* --- text --- */

enum {
	COLUMNS = 4,
	CELL = 60, /* columns; what is longer widens none */
};

/* "nginx, certbot": each finder once.  Owned. */
static char *
found_in(const struct discovered *item)
{
	struct buf out;

	buf_init(&out, 1024);
	for (size_t i = 0; i < item->place_count; i++) {
		bool earlier = false;

		for (size_t e = 0; e < i; e++)
			earlier |=
			    item->places[e].finder == item->places[i].finder;
		if (!earlier)
			buf_printf(&out, "%s%s", out.len > 0 ? ", " : "",
			    item->places[i].finder);
	}
	return buf_take(&out);
}

static char *
expiry(const struct cert *leaf, int64_t now)
{
	char span[CLOCK_SPAN];
	bool over = leaf->not_after <= now;

	(void)clock_span(leaf->not_after - now, span);
	return mem_printf("%s%s", over ? "EXPIRED " : "in ", span);
}

/* One line of the table; the path is the last column, of any width. */
static void
make_row(const struct discovered *item, int64_t now, char *cells[COLUMNS])
{
	const struct cert *leaf = item->id.leaf;

	cells[0] = text_printable(cert_name(leaf));
	cells[1] = expiry(leaf, now);
	cells[2] = leaf->ocsp_url_count > 0
		       ? mem_printf("%.*s%s", CELL, leaf->ocsp_urls[0],
			     strlen(leaf->ocsp_urls[0]) > CELL ? "..." : "")
		       : mem_string("no OCSP URL: nothing to staple");
	cells[3] = found_in(item);
}

/* A line that ends with PATH, which anybody may have named. */
static void
print_path(const char *path)
{
	char *clean = text_printable(path);

	(void)printf("%s\n", clean);
	free(clean);
}

static void
print_row(
    char *const cells[COLUMNS], const size_t widths[COLUMNS], const char *path)
{
	for (size_t c = 0; c < COLUMNS; c++) {
		report_cell(cells[c], widths[c]);
		(void)fputs("  ", stdout);
	}
	print_path(path);
}

static void
print_more(const struct discovered *item)
{
	for (size_t i = 1; i < item->place_count; i++) {
		(void)printf("  also %s: ", item->places[i].finder);
		print_path(item->places[i].path);
	}
	if (item->id.leaf->must_staple)
		(void)printf("  must-staple: clients refuse it without one\n");
	if (item->issuer != NULL) {
		(void)printf("  its issuer is in ");
		print_path(item->issuer);
	}
	if (item->err.reason != REASON_NONE)
		(void)printf("  %s (%s)\n", item->err.text,
		    reason_name(item->err.reason));
}

static void
print_table(const struct discovery *found, int64_t now)
{
	static char *const head[COLUMNS] = {
	    "CERTIFICATE", "ENDS", "OCSP RESPONDER", "FOUND IN"};
	char *(*rows)[COLUMNS] = mem_array(found->count, sizeof(rows[0]));
	size_t widths[COLUMNS];

	for (size_t c = 0; c < COLUMNS; c++)
		widths[c] = strlen(head[c]);
	for (size_t i = 0; i < found->count; i++) {
		make_row(&found->items[i], now, rows[i]);
		for (size_t c = 0; c < COLUMNS; c++) {
			size_t width = text_columns(rows[i][c]);

			if (width > widths[c] && width <= CELL)
				widths[c] = width;
		}
	}
	print_row(head, widths, "FILE");
	for (size_t i = 0; i < found->count; i++) {
		print_row(rows[i], widths, found->items[i].path);
		print_more(&found->items[i]);
		for (size_t c = 0; c < COLUMNS; c++)
			free(rows[i][c]);
	}
	free(rows);
}

static void
print_text(const struct job *job)
{
	const struct discovery *found = &job->found;
	size_t staple = 0;

	for (size_t i = 0; i < found->count; i++)
		staple += acquire_can_ask(found->items[i].id.leaf);
	if (found->count == 0)
		(void)printf("no certificate is in use as far as can be seen: "
			     "`oclasp help discover` says where it was "
			     "looked, --place adds to it\n");
	else
		print_table(found, clock_wall_s());
	if (found->count > 0 && !job->o->quiet)
		(void)printf("%zu certificate%s, %zu with something to "
			     "staple\n",
		    found->count, found->count == 1 ? "" : "s", staple);
	if (job->nginx_err.reason != REASON_NONE)
		(void)command_fail("discover", &job->nginx_err, 0);
	for (size_t i = 0; i < found->note_count; i++)
		(void)fprintf(stderr, "oclasp discover: %s: %s (%s)\n",
		    found->notes[i].finder, found->notes[i].err.text,
		    reason_name(found->notes[i].err.reason));
}

/* --- JSON --- */

static json_t *
json_finders(const struct discovered *item)
{
	json_t *list = json_array();

	for (size_t i = 0; i < item->place_count; i++) {
		const char *finder = item->places[i].finder;
		bool earlier = false;

		for (size_t e = 0; e < i; e++)
			earlier |= item->places[e].finder == finder;
		if (!earlier)
			(void)json_array_append_new(list, json_string(finder));
	}
	return list;
}

static json_t *
json_certificate(const struct discovered *item)
{
	json_t *object = report_json_cert(item->id.leaf);
	json_t *paths = json_array();
	bool bad = item->err.reason != REASON_NONE;

	for (size_t i = 0; i < item->place_count; i++)
		(void)json_array_append_new(
		    paths, json_pack("{s:o, s:s}", "path",
			       report_json_text(item->places[i].path),
			       "found_in", item->places[i].finder));
	(void)json_object_update_new(object,
	    json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "path",
		report_json_text(item->path), "found_in", json_finders(item),
		"paths", paths, "issuer_file", report_json_text(item->issuer),
		"reason",
		bad ? json_string(reason_name(item->err.reason)) : json_null(),
		"detail",
		bad ? report_json_text(item->err.text) : json_null()));
	return object;
}

static json_t *
json_unreadable(const char *finder, const char *path, const struct err *err)
{
	return json_pack("{s:o, s:s, s:s, s:o}", "path", report_json_text(path),
	    "found_in", finder, "reason", reason_name(err->reason), "detail",
	    report_json_text(err->text));
}

static void
print_json(const struct job *job)
{
	json_t *document = report_json_document("discover");
	json_t *certificates = json_array();
	json_t *unreadable = json_array();

	for (size_t i = 0; i < job->found.count; i++)
		(void)json_array_append_new(
		    certificates, json_certificate(&job->found.items[i]));
	if (job->nginx_err.reason != REASON_NONE)
		(void)json_array_append_new(unreadable,
		    json_unreadable("nginx", NULL, &job->nginx_err));
	for (size_t i = 0; i < job->found.note_count; i++) {
		const struct discover_note *note = &job->found.notes[i];

		(void)json_array_append_new(unreadable,
		    json_unreadable(note->finder, note->path, &note->err));
	}
	(void)json_object_set_new(document, "certificates", certificates);
	(void)json_object_set_new(document, "unreadable", unreadable);
	report_print(document);
}

/* --- the command --- */

static int
check_arguments(const struct options *o, struct err *err)
{
	if (o->arg_count > 0)
		return err_set(err, REASON_USAGE,
		    "'%s': discover takes no argument; --place and --root say "
		    "where else to look",
		    o->args[0]);
	if (o->root != NULL && access(o->root, R_OK | X_OK) == -1)
		return err_set(err, REASON_USAGE,
		    "--root '%s' is no folder that can be looked into",
		    o->root);
	return 0;
}

static int
run(const struct options *o)
{
	struct job job = {.o = o};
	struct discover_options options = {
	    .root = o->root,
	    .ca_file = o->ca_file,
	    .places = o->places,
	    .place_count = o->place_count,
	};
	struct err err = {0};

	if (check_arguments(o, &err) == -1)
		return command_fail("discover", &err, EXIT_USAGE);
	ask_nginx(&job);
	options.nginx = job.conf;
	discover(&options, &job.found);
	if (o->json)
		print_json(&job);
	else
		print_text(&job);
	discovery_done(&job.found);
	nginx_conf_free(job.conf);
	return EXIT_GOOD;
}

const struct command command_discover = {
    .name = "discover",
    .bit = CMD_DISCOVER,
    .synopsis = "[--root DIR] [--place CLIENT=DIR]... [--json]",
    .purpose = "the certificates in use on this machine",
    .details =
	"Looks into nginx's configuration and where certbot, acme.sh, lego and\n"
	"dehydrated keep certificates: below /etc/letsencrypt, ~/.acme.sh,\n"
	"~/.lego, /etc/lego, /var/lib/lego, and where /etc/dehydrated/config\n"
	"says; ~ is every home folder. Each certificate is told once. `oclasp\n"
	"keep --discover` keeps them. Exit status: 0; 2 usage.",
    .run = run,
};
