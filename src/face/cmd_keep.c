/* SPDX-License-Identifier: ISC */
/* face/cmd_keep.c -- oclasp keep: the daemon. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "dns/health.h"
#include "face/command.h"
#include "face/config.h"
#include "keep/journal.h"
#include "keep/keeper.h"

struct job {
	const struct options *o;
	struct target_spec *args; /* of the command line; owned */
	struct config *config;    /* of the last reload; owned */
};

/* SIGHUP: the configuration file again.  With certificates on the command line
 * there is nothing else to read. */
static int
reload(void *cookie, const struct target_spec **specs, size_t *count,
    struct err *err)
{
	struct job *job = cookie;
	struct config *config;
	struct options again = {.config = job->o->config};

	if (job->o->arg_count > 0)
		return 0;
	if (config_load(&again, &config, err) == -1)
		return -1;
	/* a file that is gone, or empty for a moment, must not end the care of
	 * all (I8) */
	if (again.spec_count == 0 && job->o->server == NULL) {
		config_free(config);
		return err_set(err, REASON_USAGE,
		    "the configuration names no certificate any more");
	}
	*specs = again.specs;
	*count = again.spec_count;
	config_free(job->config);
	job->config = config;
	return 0;
}

static void
take_args(struct job *job, struct keeper_options *options)
{
	const struct options *o = job->o;

	options->specs = o->specs;
	options->spec_count = o->spec_count;
	if (o->arg_count == 0)
		return;
	job->args = mem_array((size_t)o->arg_count, sizeof(job->args[0]));
	for (int i = 0; i < o->arg_count; i++)
		job->args[i] = (struct target_spec){
		    .certificate = o->args[i],
		    .issuer = o->issuer,
		    .url = o->url,
		};
	options->specs = job->args;
	options->spec_count = (size_t)o->arg_count;
}

static int
check_arguments(const struct keeper_options *options, const struct options *o,
    struct err *err)
{
	if (o->server != NULL && strcmp(o->server, "nginx") != 0)
		return err_set(err, REASON_USAGE,
		    "--server '%s': this version publishes to nginx",
		    o->server);
	if (options->spec_count == 0 && o->server == NULL)
		return err_set(err, REASON_USAGE,
		    "nothing to keep: give certificates, --server nginx, or a "
		    "configuration file");
	return 0;
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
	char *state_dir = o->state_dir != NULL ? mem_string(o->state_dir)
					       : keeper_default_dir();
	struct keeper_options options = {
	    .state_dir = state_dir,
	    .ca_file = o->ca_file,
	    .acquire = options_acquire(o),
	    .allow_no_next_update = o->allow_no_next_update,
	    .allow_sha1 = o->allow_sha1,
	    .certid = o->certid,
	    .on_revoked = o->on_revoked,
	    .rules = o->rules,
	    .rule_count = o->rule_count,
	    .use_nginx = o->server != NULL,
	    .nginx_command =
		o->server_command != NULL ? o->server_command : "nginx",
	    .once = o->once,
	    .reload = reload,
	    .cookie = &job,
	};
	enum keeper_end end = KEEPER_GOOD;
	struct health health = {0};
	struct err err = {0};
	int status;

	options.acquire.health = &health;
	take_args(&job, &options);
	if (check_arguments(&options, o, &err) == -1 ||
	    begin_log(o, &err) == -1 || keeper_run(&options, &end, &err) == -1)
		status = command_fail("keep", &err, EXIT_USAGE);
	else
		status = finish(end);
	config_free(job.config);
	free(job.args);
	free(state_dir);
	return status;
}

const struct command command_keep = {
    .name = "keep",
    .bit = CMD_KEEP,
    .synopsis = "[CERT...] [--server nginx] [--once]",
    .purpose = "the daemon: fetch, store, publish and prove, again and again",
    .details =
	"Keeps the staple of each CERT fresh, or, with --server nginx and no\n"
	"CERT, of every certificate in nginx's configuration. Staples are in\n"
	"STATE/staples/FINGERPRINT.der; nginx takes them where `oclasp install\n"
	"nginx --apply` has been run. SIGHUP reads everything again, SIGTERM\n"
	"ends. Exit status with --once: 0 all is well, 1 a certificate needs a\n"
	"person, 75 try later; 2 it could not begin.",
    .run = run,
};
