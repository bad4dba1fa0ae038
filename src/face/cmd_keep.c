/* SPDX-License-Identifier: ISC */
/* face/cmd_keep.c -- oclasp keep: the daemon. */
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "dns/health.h"
#include "face/command.h"
#include "face/config.h"
#include "face/state.h"
#include "keep/control.h"
#include "keep/journal.h"
#include "keep/keeper.h"

/* One reading of the command line and of the configuration file. */
struct reading {
	struct options options;
	struct config *config;    /* owned */
	struct target_spec *args; /* of the command line; owned, as */
	size_t arg_count;         /* are their certificates */
	struct discover_options discover;
};

struct job {
	const struct options *o; /* of the start */
	struct health health;    /* outlives every reading */
};

static void
reading_free(struct reading *reading)
{
	roads_done(&reading->options.roads);
	config_free(reading->config);
	for (size_t i = 0; i < reading->arg_count; i++)
		free((void *)(uintptr_t)reading->args[i].certificate);
	free(reading->args);
	free(reading);
}

/* The certificates of the command line, or else those of the configuration.  A
 * path is told to others, who stand elsewhere. */
static void
take_args(struct reading *reading, const struct options *o,
    struct keeper_options *options)
{
	options->specs = o->specs;
	options->spec_count = o->spec_count;
	if (o->arg_count == 0)
		return;
	reading->args =
	    mem_array((size_t)o->arg_count, sizeof(reading->args[0]));
	for (int i = 0; i < o->arg_count; i++)
		reading->args[i] = (struct target_spec){
		    .certificate = file_absolute(o->args[i]),
		    .issuer = o->issuer,
		    .url = o->url,
		};
	options->specs = reading->args;
	options->spec_count = reading->arg_count = (size_t)o->arg_count;
}

/* CONTRACT: at the default address, unless told otherwise. */
static void
take_listeners(const struct options *o, struct keeper_options *out)
{
	static const struct listen_spec usual = {.address = LISTEN_DEFAULT};

	out->relay_unknown = o->relay_unknown;
	out->listeners = o->listener_count > 0 ? o->listeners : &usual;
	out->listener_count =
	    o->listener_count > 0 || o->listen_nowhere ? o->listener_count : 1;
}

/* What O says, for the keeper; READING owns what has to be made for it. */
static int
take_options(struct job *job, struct reading *reading, const struct options *o,
    struct keeper_options *out, struct err *err)
{
	out->ca_file = o->ca_file;
	out->acquire = options_acquire(o);
	out->acquire.health = &job->health;
	out->allow_no_next_update = o->allow_no_next_update;
	out->allow_sha1 = o->allow_sha1;
	out->certid = o->certid;
	out->on_revoked = o->on_revoked;
	out->rules = o->rules;
	out->rule_count = o->rule_count;
	out->use_nginx = o->server != NULL;
	out->nginx_command =
	    o->server_command != NULL ? o->server_command : "nginx";
	reading->discover = (struct discover_options){
	    .ca_file = o->ca_file,
	    .places = o->places,
	    .place_count = o->place_count,
	};
	out->discover = o->discover ? &reading->discover : NULL;
	out->alarm_command = o->alarm;
	out->alarm_timeout_s = o->alarm_timeout_s;
	take_args(reading, o, out);
	take_listeners(o, out);
	if (o->server != NULL && strcmp(o->server, "nginx") != 0)
		return err_set(err, REASON_USAGE,
		    "--server '%s': this version publishes to nginx",
		    o->server);
	if (out->spec_count == 0 && o->server == NULL && !o->discover)
		return err_set(err, REASON_USAGE,
		    "nothing to keep: give certificates, --server nginx, "
		    "--discover, or a configuration file");
	return 0;
}

/* A file that was read at the start, and may not be now, is a fault. */
static int
check_read(
    const struct options *start, const struct options *now, struct err *err)
{
	return now->unread.reason == REASON_NONE ||
		       start->unread.reason != REASON_NONE
		   ? 0
		   : err_set(err, now->unread.reason, "%s", now->unread.text);
}

/* Everything anew: the file, and with it what the command line says, since one
 * fills the gaps of the other.  A file that is gone, or empty for a moment, must
 * not end the care of all (I8): nothing to keep is an error too. */
static int
reload(void *cookie, struct keeper_options *fresh, struct err *err)
{
	struct job *job = cookie;
	const struct options *o = job->o;
	struct reading *reading = mem_new(sizeof(*reading));

	if (options_parse(o->command, command_keep.name, o->argc, o->argv,
		&reading->options, err) == -1 ||
	    config_load(&reading->options, &reading->config, err) == -1 ||
	    check_read(o, &reading->options, err) == -1 ||
	    options_settle(&reading->options, err) == -1 ||
	    take_options(job, reading, &reading->options, fresh, err) == -1) {
		reading_free(reading);
		return -1;
	}
	fresh->owner = reading;
	return 0;
}

static void
retire(void *cookie, void *owner)
{
	(void)cookie;
	reading_free(owner);
}

static int
begin_log(const struct options *o, struct err *err)
{
	if (o->log_format == NULL) {
		if (log_stderr_is_journal())
			log_set_sink(journal_send);
		return 0;
	}
	if (strcmp(o->log_format, "json") == 0)
		log_set_format(LOG_JSON);
	else if (strcmp(o->log_format, "text") != 0)
		return err_set(err, REASON_USAGE,
		    "log-format '%s': give text or json", o->log_format);
	return 0;
}

static int
finish(enum keeper_end end)
{
	switch (end) {
	case KEEPER_GOOD:
		return EXIT_GOOD;
	case KEEPER_ALARM:
		return EXIT_BAD;
	case KEEPER_LATER:
		return EXIT_LATER;
	case KEEPER_INTERRUPTED:
		/* ^C ends by the signal, so that a shell sees it */
		(void)signal(SIGINT, SIG_DFL);
		(void)raise(SIGINT);
		return EXIT_BAD;
	}
	return EXIT_BAD;
}

static int
run(const struct options *o)
{
	struct job job = {.o = o};
	struct reading *reading = mem_new(sizeof(*reading));
	char *dir = state_dir(o);
	char *socket = o->once ? NULL : control_path(o->state_dir);
	struct keeper_options options = {
	    .state_dir = dir,
	    .control_socket = socket,
	    .control_group = o->control_group,
	    .once = o->once,
	    .reload = reload,
	    .retire = retire,
	    .cookie = &job,
	};
	enum keeper_end end = KEEPER_GOOD;
	struct err err = {0};
	int status;

	if (take_options(&job, reading, o, &options, &err) == -1 ||
	    begin_log(o, &err) == -1 || keeper_run(&options, &end, &err) == -1)
		status = command_fail("keep", &err, EXIT_USAGE);
	else
		status = finish(end);
	reading_free(reading);
	free(dir);
	free(socket);
	return status;
}

const struct command command_keep = {
    .name = "keep",
    .bit = CMD_KEEP,
    .synopsis = "[CERT...] [--server nginx] [--discover] [--once]",
    .purpose = "the daemon: fetch, store, publish and prove, again and again",
    .details =
	"Keeps the staple of each CERT fresh, or, with --server nginx and no\n"
	"CERT, of every certificate in nginx's configuration; with --discover\n"
	"also of those that `oclasp discover` finds. Staples are in\n"
	"STATE/staples/FINGERPRINT.der; nginx takes them where `oclasp install\n"
	"nginx --apply` has been run. SIGHUP reads everything again, SIGTERM\n"
	"ends. Exit status with --once: 0 all is well, 1 a certificate needs a\n"
	"person, 75 try later; 2 it could not begin.",
    .run = run,
};
