/* SPDX-License-Identifier: ISC */
/* servers/nginx_apply.c -- the plan put into effect, or nothing of it.
 *
 * First the snippets, which say nothing yet, then the files that include them:
 * so nginx accepts what is on disk between any two steps (I7).  Every file is
 * compared with what was planned for, and is put back if nginx does not take
 * the whole. */
#include "servers/nginx.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/loop.h"
#include "base/mem.h"
#include "servers/nginx_command.h"
#include "servers/nginx_snippet.h"
#include "servers/rollback.h"

enum { SNIPPET_MODE = 0644, FOLDER_MODE = 0755, CONF_MODE = 0644 };

struct nginx_apply {
	uv_loop_t *loop;
	const struct nginx *nginx;
	struct rollback rollback;
	struct proc *proc;
	struct loop_timer *now; /* the report of what start knew already */
	struct err err;
	bool tested, reporting;
	void (*cb)(void *cookie, const struct err *err);
	void *cookie;
};

static void
release(struct nginx_apply *apply)
{
	loop_timer_cancel(&apply->now);
	rollback_done(&apply->rollback);
	free(apply);
}

static void
finish(struct nginx_apply *apply)
{
	apply->reporting = true;
	apply->cb(apply->cookie, &apply->err);
	release(apply);
}

static void
report_now(void *cookie)
{
	struct nginx_apply *apply = cookie;

	apply->now = NULL;
	finish(apply);
}

/* An empty snippet for CERTIFICATE, unless there is one. */
static int
write_snippet(struct nginx_apply *apply, const char *certificate)
{
	char *path = nginx_snippet_path(apply->nginx, certificate);
	char *text = nginx_snippet_text(apply->nginx, NULL);
	int rc = 0;

	if (access(path, F_OK) == -1)
		rc = rollback_write(&apply->rollback, path, text, strlen(text),
		    SNIPPET_MODE, &apply->err);
	free(path);
	free(text);
	return rc;
}

static int
write_edit(struct nginx_apply *apply, const struct nginx_edit *edit)
{
	if (!file_holds(edit->path, edit->before, strlen(edit->before)))
		return err_set(&apply->err, REASON_FILE,
		    "'%s' is not as it was when the change was planned: plan "
		    "again",
		    edit->path);
	return rollback_write(&apply->rollback, edit->path, edit->after,
	    strlen(edit->after), CONF_MODE, &apply->err);
}

static int
write_files(struct nginx_apply *apply, const struct nginx_conf *conf,
    const struct nginx_plan *plan)
{
	int rc =
	    file_make_dir(apply->nginx->snippet_dir, FOLDER_MODE, &apply->err);

	for (size_t i = 0; rc == 0 && i < conf->site_count; i++) {
		const char *certificate =
		    nginx_site_certificate(&conf->sites[i]);

		if (certificate != NULL && !conf->sites[i].stream)
			rc = write_snippet(apply, certificate);
	}
	for (size_t i = 0; rc == 0 && i < plan->edit_count; i++)
		rc = write_edit(apply, &plan->edits[i]);
	if (rc == -1)
		(void)rollback_undo(&apply->rollback, &apply->err);
	return rc;
}

/* nginx does not take it: put back and say both. */
static void
refused(struct nginx_apply *apply, enum nginx_verb verb,
    const struct proc_result *result)
{
	struct err undone = {0};

	(void)rollback_undo(&apply->rollback, &undone);
	(void)nginx_command_check(apply->nginx, verb, result,
	    undone.reason == REASON_NONE ? "every file has been put back"
					 : undone.text,
	    &apply->err);
	finish(apply);
}

static void
got_reload(void *cookie, const struct proc_result *result)
{
	struct nginx_apply *apply = cookie;

	apply->proc = NULL;
	if (result->exit_status != 0 && !nginx_command_not_running(result)) {
		refused(apply, NGINX_RELOAD, result);
		return;
	}
	(void)nginx_command_check(apply->nginx, NGINX_RELOAD, result,
	    "nginx does not run; the new configuration is in place and has "
	    "passed nginx's test: start nginx",
	    &apply->err);
	finish(apply);
}

static void
got_test(void *cookie, const struct proc_result *result)
{
	struct nginx_apply *apply = cookie;

	apply->proc = NULL;
	if (result->exit_status != 0) {
		refused(apply, NGINX_TEST, result);
		return;
	}
	apply->tested = true;
	apply->proc = nginx_command_start(
	    apply->loop, apply->nginx, NGINX_RELOAD, got_reload, apply);
}

struct nginx_apply *
nginx_apply_start(uv_loop_t *loop, const struct nginx *nginx,
    const struct nginx_conf *conf, const struct nginx_plan *plan,
    void (*cb)(void *cookie, const struct err *err), void *cookie)
{
	struct nginx_apply *apply = mem_new(sizeof(*apply));

	apply->loop = loop;
	apply->nginx = nginx;
	apply->cb = cb;
	apply->cookie = cookie;
	if (write_files(apply, conf, plan) == -1 || apply->rollback.count == 0)
		apply->now = loop_timer_start(loop, 0, report_now, apply);
	else
		apply->proc = nginx_command_start(
		    loop, nginx, NGINX_TEST, got_test, apply);
	return apply;
}

void
nginx_apply_cancel(struct nginx_apply **apply)
{
	struct nginx_apply *a = *apply;

	*apply = NULL;
	if (a == NULL || a->reporting)
		return;
	proc_cancel(&a->proc);
	if (!a->tested)
		(void)rollback_undo(&a->rollback, NULL);
	release(a);
}
