/* SPDX-License-Identifier: ISC */
/* face/cmd_install.c -- oclasp install nginx: plan and apply its stapling. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/loop.h"
#include "face/command.h"
#include "face/report.h"
#include "face/state.h"
#include "keep/keeper.h"
#include "servers/nginx.h"

struct job {
	const struct options *o;
	struct nginx nginx;
	uv_loop_t loop;
	struct nginx_conf *conf;
	struct nginx_plan *plan;
	struct err err;
	bool applied;
};

static void
applied(void *cookie, const struct err *err)
{
	struct job *job = cookie;

	job->err = *err;
	job->applied = err->reason == REASON_NONE;
}

static void
scanned(void *cookie, struct nginx_conf *conf, const struct err *err)
{
	struct job *job = cookie;

	job->conf = conf;
	if (conf == NULL) {
		job->err = *err;
		return;
	}
	nginx_plan_make(&job->nginx, conf, &job->plan);
	if (job->o->apply && job->plan->edit_count > 0)
		(void)nginx_apply_start(
		    &job->loop, &job->nginx, conf, job->plan, applied, job);
}

static void
print_text(const struct job *job)
{
	const struct nginx_plan *plan = job->plan;
	char *diff = nginx_plan_diff(plan);

	(void)fputs(diff, stdout);
	free(diff);
	for (size_t i = 0; i < plan->note_count; i++)
		(void)printf("note: %s\n", plan->notes[i]);
	if (job->err.reason != REASON_NONE)
		return;
	if (plan->edit_count == 0)
		(void)printf("nginx's configuration needs no change: `oclasp "
			     "keep --server nginx` can publish\n");
	else if (job->applied)
		(void)printf("applied: nginx has tested and reloaded it; now "
			     "run `oclasp keep --server nginx`\n");
	else
		(void)printf("nothing was changed: --apply does it\n");
}

static void
print_json(const struct job *job)
{
	const struct nginx_plan *plan = job->plan;
	char *diff = nginx_plan_diff(plan);
	json_t *document = report_document("install");
	json_t *files = json_array();
	json_t *notes = json_array();

	for (size_t i = 0; i < plan->edit_count; i++)
		(void)json_array_append_new(
		    files, report_json_text(plan->edits[i].path));
	for (size_t i = 0; i < plan->note_count; i++)
		(void)json_array_append_new(
		    notes, report_json_text(plan->notes[i]));
	(void)json_object_update_new(
	    document, json_pack("{s:s, s:o, s:o, s:o, s:b}", "server", "nginx",
			  "files", files, "diff", report_json_text(diff),
			  "notes", notes, "applied", job->applied));
	report_print(document);
	free(diff);
}

static int
install(struct job *job)
{
	(void)uv_loop_init(&job->loop);
	(void)nginx_scan_start(&job->loop, &job->nginx, scanned, job);
	loop_run(&job->loop);
	loop_end(&job->loop);
	if (job->plan != NULL && job->o->json)
		print_json(job);
	else if (job->plan != NULL)
		print_text(job);
	nginx_plan_free(job->plan);
	nginx_conf_free(job->conf);
	if (job->err.reason != REASON_NONE)
		return command_fail("install", &job->err,
		    job->err.reason == REASON_FILE ? EXIT_USAGE : EXIT_BAD);
	return EXIT_GOOD;
}

static int
run(const struct options *o)
{
	struct job job = {.o = o};
	char *dir, *snippets, *staples;
	struct err err = {0};
	int status;

	if (o->arg_count != 1 || strcmp(o->args[0], "nginx") != 0) {
		(void)err_set(&err, REASON_USAGE,
		    "say for which server; this version knows nginx");
		return command_fail("install", &err, EXIT_USAGE);
	}
	dir = state_dir(o);
	snippets = keeper_snippet_dir(dir);
	staples = keeper_staple_dir(dir);
	job.nginx = (struct nginx){
	    .command = o->server_command != NULL ? o->server_command : "nginx",
	    .snippet_dir = snippets,
	    .staple_dir = staples,
	};
	status = install(&job);
	free(dir);
	free(snippets);
	free(staples);
	return status;
}

const struct command command_install = {
    .name = "install",
    .bit = CMD_INSTALL,
    .synopsis = "nginx [--apply] [--server-command COMMAND]",
    .purpose = "show, or apply, what a server's configuration needs",
    .details =
	"Prints the change as a diff: an include of a snippet that oclasp owns\n"
	"in each server block with a certificate, and the block's own\n"
	"ssl_stapling lines commented out. --apply makes it, runs `nginx -t`,\n"
	"reloads, and puts every byte back if that fails.",
    .run = run,
};
