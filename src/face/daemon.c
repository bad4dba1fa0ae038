/* SPDX-License-Identifier: ISC */
/* face/daemon.c -- the keeper that may be running. */
#include "face/daemon.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "face/state.h"
#include "http/local.h"
#include "keep/control.h"
#include "keep/keeper.h"
#include "keep/resting.h"

static const char system_socket[] = "/run/oclasp/control.sock";

/* --- asking --- */

/* What went wrong, in the keeper's own words. */
static int
take_error(const json_t *document, long status, struct err *err)
{
	const json_t *error = json_object_get(document, "error");
	const char *name = json_string_value(json_object_get(error, "reason"));
	char *detail = daemon_text(error, "detail");
	enum reason reason = REASON_USAGE;
	int rc;

	if (name == NULL || !reason_find(name, &reason))
		reason = REASON_USAGE;
	rc = detail[0] != '\0' ? err_set(err, reason, "%s", detail)
			       : err_set(err, reason,
				     "the keeper says HTTP status %ld", status);
	free(detail);
	return rc;
}

static int
take_answer(const struct local_answer *answer, json_t **out, struct err *err)
{
	json_t *document = json_loads(answer->body, 0, NULL);
	int rc = 0;

	/* each document of ours says so */
	if (!json_is_string(json_object_get(document, "oclasp")))
		rc = err_set(err, REASON_FILE,
		    "the one who listens is no oclasp: its answer, HTTP status "
		    "%ld, is no document of one",
		    answer->status);
	else if (answer->status != 200)
		rc = take_error(document, answer->status, err);
	if (rc == 0)
		*out = document;
	else
		json_decref(document);
	return rc;
}

static bool
has_store(const struct options *o)
{
	char *dir = state_dir(o);
	bool has = state_may_have_store(dir);

	free(dir);
	return has;
}

int
daemon_ask(const struct options *o, const char *method, const char *path,
    const char *const *query, int64_t timeout_ms, json_t **out, struct err *err)
{
	struct local_answer answer = {0};
	char *own = control_path(o->state_dir);
	struct err why = {0};
	int rc = local_ask(own, method, path, query, timeout_ms, &answer, &why);

	/* an ordinary user may be of the group that the system's admits; if not,
	 * it is nothing to one who has kept some of his own */
	if (rc == 1 && o->state_dir == NULL &&
	    strcmp(own, system_socket) != 0) {
		rc = local_ask(system_socket, method, path, query, timeout_ms,
		    &answer, &why);
		if (rc == -1 && has_store(o))
			rc = 1;
	}
	free(own);
	if (rc == -1)
		return err_set(err, why.reason, "%s", why.text);
	if (rc != 0)
		return rc;
	rc = take_answer(&answer, out, err);
	free(answer.body);
	return rc;
}

/* Why nobody answers at SOCKET although a keeper runs. */
static const char *
say_socket(const char *socket)
{
	struct stat st;

	if (stat(socket, &st) == -1)
		return "it has opened none there: it is only beginning, was "
		       "started with --once or could not, as its log says";
	if (!S_ISSOCK(st.st_mode))
		return "what is there is no socket: remove it and restart the "
		       "keeper";
	return "the socket there is of another one: restart the keeper";
}

char *
daemon_silent(const struct options *o, long *pid)
{
	char *dir = state_dir(o);
	char *lock = mem_printf("%s/lock", dir);
	char *socket = control_path(o->state_dir);
	char *text = NULL;

	if (file_is_locked(lock, pid))
		text = mem_printf(
		    "an oclasp works in '%s', but nobody listens at '%s': %s",
		    dir, socket, say_socket(socket));
	free(dir);
	free(lock);
	free(socket);
	return text;
}

int
daemon_missing(const struct options *o, struct err *err)
{
	char *socket = control_path(o->state_dir);
	long pid = 0;
	char *silent = daemon_silent(o, &pid);
	int rc =
	    silent != NULL
		? err_set(err, REASON_USAGE, "%s (process %ld)", silent, pid)
		: err_set(err, REASON_USAGE,
		      "no `oclasp keep` is running: nobody listens at '%s'",
		      socket);

	free(silent);
	free(socket);
	return rc;
}

/* --- at rest --- */

struct resting *
daemon_at_rest(const struct options *o, struct err *err)
{
	char *dir = state_dir(o);
	const struct keeper_options options = {
	    .state_dir = dir,
	    .ca_file = o->ca_file,
	    .allow_no_next_update = o->allow_no_next_update,
	    .allow_sha1 = o->allow_sha1,
	    .certid = o->certid,
	    .on_revoked = o->on_revoked,
	    .rules = o->rules,
	    .rule_count = o->rule_count,
	    .nginx_command = "nginx",
	};
	struct resting *resting = resting_open(&options, err);

	free(dir);
	return resting;
}

/* --- text --- */

char *
daemon_name(const char *name)
{
	struct stat st;

	/* a folder, as ACME clients call by a certificate's name, is none */
	return name == NULL || stat(name, &st) != 0 || S_ISDIR(st.st_mode)
		   ? mem_string(name)
		   : file_absolute(name);
}

char *
daemon_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text_printable(text == NULL ? "" : text);
}

char *
daemon_when(
    const json_t *object, const char *key, int64_t now, const char *instead)
{
	const char *text = json_string_value(json_object_get(object, key));
	char span[CLOCK_SPAN];
	int64_t at;

	if (text == NULL || clock_parse(text, &at, NULL) == -1)
		return mem_string(instead);
	(void)clock_span(at - now, span);
	return at > now ? mem_printf("in %s", span)
			: mem_printf("%s ago", span);
}
