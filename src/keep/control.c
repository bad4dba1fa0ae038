/* SPDX-License-Identifier: ISC */
/* keep/control.c -- a running keeper tells how it stands: begin, hooks, end. */
#include "keep/control.h"

#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "acquire/acquire.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "http/local.h"
#include "keep/control_priv.h"

enum {
	CONTROL_CONNECTIONS = 64, /* at the control socket */
	GROUP_MEMORY_MAX = 1 << 20,
};

static const char server_name[] = "nginx"; /* the one that is published to */

char *
control_path(const char *state_dir)
{
	char *own, *path;

	if (state_dir == NULL && geteuid() == 0)
		return mem_string("/run/oclasp/control.sock");
	own = state_dir == NULL ? keeper_default_dir() : mem_string(state_dir);
	path = mem_printf("%s/control.sock", own);
	free(own);
	return path;
}

/* --- the socket --- */

static int
find_group(const char *name, gid_t *out, struct err *err)
{
	struct group entry, *found = NULL;
	size_t size = 4096;
	char *memory = mem_new(size);
	int rc;

	while (
	    (rc = getgrnam_r(name, &entry, memory, size, &found)) == ERANGE &&
	    size < GROUP_MEMORY_MAX) {
		size *= 2;
		memory = mem_resize(memory, size, 1);
	}
	if (found != NULL)
		*out = found->gr_gid;
	free(memory);
	return found != NULL ? 0
			     : err_set(err, REASON_USAGE,
				   "control-group '%s': there is no such "
				   "group; the socket is for its owner alone",
				   name);
}

/* The group's members may give orders too. */
static void
admit_group(const char *address, const char *group)
{
	struct err err = {0};
	gid_t gid = 0;

	if (find_group(group, &gid, &err) == 0 &&
	    (chown(address, (uid_t)-1, gid) == -1 ||
		chmod(address, 0660) == -1))
		(void)err_set(&err, REASON_FILE,
		    "control-group '%s': %s; the socket is for its owner alone",
		    group, strerror(errno));
	if (err.reason != REASON_NONE)
		log_event(LOG_ERROR,
		    (struct log_about){
			.event = "control", .reason = err.reason},
		    "%s", err.text);
}

static void
take_question(void *cookie, const struct server_question *question)
{
	struct control *c = cookie;
	struct err err = {0};

	if (control_answer(c, question, CONTROL_ALL))
		return;
	(void)err_set(
	    &err, REASON_USAGE, "there is no '%s' here", question->path);
	control_refuse(question->call, 404, "control", &err);
}

static int
listen_at(struct control *c, const char *path, struct err *err)
{
	struct server_options options = {
	    .threads = 1,
	    .connections = CONTROL_CONNECTIONS,
	    .handler = {.later = take_question, .cookie = c},
	};
	const char *slash = strrchr(path, '/');
	char *dir = mem_printf("%.*s", (int)(slash - path), path);
	const char *group = c->k->options->control_group;
	char address[LOCAL_PATH];
	int folder = -1, rc = -1;

	if (file_make_dir(dir, 0755, err) == -1)
		goto out;
	if (!local_address(path, address, &folder)) {
		(void)err_set(
		    err, REASON_FILE, "'%s': %s", path, strerror(errno));
		goto out;
	}
	options.listener = server_listen(address, 0600, NULL, err);
	if (options.listener == -1)
		goto out;
	if (group != NULL)
		admit_group(address, group);
	rc = server_start(&c->k->loop, &options, &c->server, err);
	c->socket = mem_string(path);
out:
	if (folder != -1)
		close(folder);
	free(dir);
	return rc;
}

/* --- begin and end --- */

static void
alarm_was_told(void *cookie, const char *name, const char *failed)
{
	struct control *c = cookie;

	if (failed == NULL) {
		c->metrics.alarms.good++;
	} else {
		c->metrics.alarms.bad++;
		log_event(LOG_ERROR,
		    (struct log_about){
			.event = "alarm-command", .certificate = name},
		    "the alarm command failed: %s", failed);
	}
	keeper_check_idle(c->k); /* which may end all of this */
}

void
control_obey(struct control *c, const struct keeper_options *options)
{
	if (c != NULL)
		alarm_command(c->alarm, options->alarm_command,
		    options->alarm_timeout_s * 1000);
}

struct control *
control_start(struct keeper *k)
{
	struct control *c = mem_new(sizeof(*c));
	const char *path = k->options->control_socket;
	struct err err = {0};

	c->k = k;
	c->started_at = clock_wall_s();
	c->alarm = alarm_new(&k->loop, alarm_was_told, c);
	control_obey(c, k->options);
	if (path != NULL && listen_at(c, path, &err) == -1)
		log_event(LOG_ERROR,
		    (struct log_about){
			.event = "control", .reason = err.reason},
		    "nobody can ask or order this keeper: %s", err.text);
	return c;
}

void
control_stop(struct control **control)
{
	struct control *c = *control;

	*control = NULL;
	if (c == NULL)
		return;
	control_refresh_done(c);
	control_reload_done(c);
	server_stop(&c->server);
	if (c->socket != NULL)
		(void)unlink(c->socket);
	alarm_free(c->alarm);
	json_decref(c->readiness);
	metrics_done(&c->metrics);
	outlets_done(&c->outlets);
	free(c->socket);
	free(c);
}

bool
control_is_busy(const struct control *c)
{
	return c != NULL && alarm_is_busy(c->alarm);
}

/* --- hooks --- */

void
control_attempted(struct control *c, const struct target *target,
    const struct acquire_result *result)
{
	if (c == NULL)
		return;
	metrics_attempt(&c->metrics, target->responder, result, clock_wall_s());
	control_refresh_ended(c, target, result);
}

void
control_decided(
    struct control *c, const struct target *target, bool changed, bool idle)
{
	if (c == NULL)
		return;
	if (changed) {
		int64_t now = clock_wall_s();
		struct status_row row = status_row(target, now);

		alarm_tell(c->alarm, &row, now);
	}
	if (idle)
		control_refresh_ended(c, target, NULL);
}

void
control_added(struct control *c, const struct target *target)
{
	if (c != NULL)
		control_reload_note(c, NEWS_ADDED, target);
}

void
control_renewed(struct control *c, const struct target *target)
{
	if (c != NULL)
		control_reload_note(c, NEWS_RENEWED, target);
}

void
control_dropped(struct control *c, const struct target *target)
{
	const struct target *other = NULL;

	if (c == NULL)
		return;
	control_reload_note(c, NEWS_DROPPED, target);
	control_refresh_dropped(c, target);
	/* another one for the same file may have taken its place */
	HASH_FIND_STR(c->k->by_path, target->certificate, other);
	if (other == NULL || other == target)
		alarm_forget(c->alarm, target->certificate);
}

void
control_round_began(struct control *c, bool all)
{
	if (c != NULL)
		outlets_begin(&c->outlets, all);
}

void
control_placed(struct control *c, const struct proofs_place *place)
{
	struct outlet outlet = {
	    .server = server_name,
	    /* borrowed for the call */
	    .path = mem_string(place->certificate),
	    .listen = mem_string(place->listen),
	    .withdrawn = place->staple.len == 0,
	};

	if (c != NULL)
		outlets_expect(&c->outlets, place->fingerprint, &outlet,
		    place->changed || (place->anew && place->listen == NULL));
	free(outlet.path);
	free(outlet.listen);
}

void
control_proof(struct control *c, const struct proofs_report *report)
{
	bool good = report->err.reason == REASON_NONE;
	struct outlet outlet = {
	    .server = server_name,
	    /* borrowed for the call */
	    .path = mem_string(report->certificate),
	    .listen = mem_string(report->listen),
	    .withdrawn = report->withdrawn,
	    .proven_at = good ? clock_wall_s() : 0,
	    .err = report->err,
	};

	if (c != NULL) {
		outlets_note(&c->outlets, report->fingerprint, &outlet);
		metrics_proven(&c->metrics, server_name, good);
	}
	free(outlet.path);
	free(outlet.listen);
}

static bool
is_kept(void *cookie, const char *fingerprint)
{
	return keeper_find(cookie, fingerprint) != NULL;
}

void
control_round_ended(struct control *c, bool reloaded, const struct err *err)
{
	bool good = err->reason == REASON_NONE;

	if (c == NULL)
		return;
	outlets_end(&c->outlets, good);
	/* of what cannot be read nobody knows here which certificate it is */
	if (good && c->k->unread == NULL)
		outlets_retain(&c->outlets, is_kept, c->k);
	if (reloaded || !good)
		metrics_published(&c->metrics,
		    c->k->options->use_nginx ? server_name : "file", good);
	control_reload_round(c, reloaded, err);
}
