/* SPDX-License-Identifier: ISC */
/* face/main.c -- the program: one row of a table for each command. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/text.h"
#include "face/command.h"
#include "face/config.h"

static const struct command *const commands[] = {
    &command_check,
    &command_fetch,
    &command_keep,
    &command_status,
    &command_refresh,
    &command_history,
    &command_reload,
    &command_install,
    &command_discover,
    &command_ready,
    &command_hosts,
    &command_courier,
    &command_dns,
    &command_doctor,
    &command_lint,
    &command_survey,
    &command_verify,
    &command_show,
    &command_explain,
};

enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

int
command_fail(const char *command, const struct err *err, int status)
{
	(void)fprintf(stderr, "oclasp %s: %s (%s)\n", command, err->text,
	    reason_name(err->reason));
	return status;
}

int
command_exit(enum reason reason)
{
	switch (reason_group(reason)) {
	case GROUP_NONE:
		return EXIT_GOOD;
	case GROUP_NETWORK:
	case GROUP_RESPONSE:
		return EXIT_LATER;
	case GROUP_INPUT:
		return reason == REASON_CERTIFICATE_UNREADABLE ? EXIT_USAGE
							       : EXIT_BAD;
	case GROUP_LOCAL:
		return EXIT_USAGE;
	}
	return EXIT_USAGE;
}

static const struct command *
find(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++) {
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	}
	return NULL;
}

static void
print_tour(void)
{
	(void)printf(
	    "oclasp keeps the OCSP staple of every TLS server genuine and "
	    "fresh.\n\n"
	    "  oclasp check HOST              what does a client get, and what "
	    "does it wait?\n"
	    "  oclasp fetch CERT -o FILE      get one verified response, also "
	    "where DNS lies\n"
	    "  oclasp install nginx           show what nginx's configuration "
	    "needs\n"
	    "  oclasp keep --server nginx     keep every staple fresh, from "
	    "now on\n"
	    "  oclasp status                  how they stand, and what needs "
	    "you\n\n"
	    "commands:\n");
	for (size_t i = 0; i < COMMANDS; i++)
		(void)printf(
		    "  %-9s %s\n", commands[i]->name, commands[i]->purpose);
	(void)printf("  %-9s %s\n\n", "help", "help CMD: its options");
	(void)printf("exit status: 0 good, 1 the thing checked is wrong, 2 "
		     "usage, 75 try later\n");
}

static int
print_help(const struct command *command)
{
	(void)printf("usage: oclasp %s %s\n\n%s.\n", command->name,
	    command->synopsis, command->purpose);
	if (command->details != NULL)
		(void)printf("\n%s\n", command->details);
	(void)printf("\noptions:\n");
	options_print(command->bit);
	return EXIT_GOOD;
}

static int
unknown(const char *name)
{
	struct err err = {0};

	(void)err_set(&err, REASON_USAGE,
	    "there is no command '%s': see `oclasp help`", name);
	return command_fail("help", &err, EXIT_USAGE);
}

static int
help(int argc, char **argv)
{
	const struct command *command;

	if (argc < 3) {
		print_tour();
		return EXIT_GOOD;
	}
	command = find(argv[2]);
	return command == NULL ? unknown(argv[2]) : print_help(command);
}

static void
warn(const struct command *command, const struct options *options,
    const struct err *warning)
{
	if (warning->reason != REASON_NONE && !options->quiet)
		(void)fprintf(stderr, "oclasp %s: warning: %s\n", command->name,
		    warning->text);
}

static int
run_settled(const struct command *command, const struct options *options)
{
	warn(command, options, &options->unread);
	warn(command, options, &options->roads.warning);
	return command->run(options);
}

/* Who asks a keeper that runs must not fail by a fault in a file which that
 * keeper has read when it was in order (I8): by the command line alone then,
 * and *STATE_DIR, owned, where the file says it. */
static bool
do_without_config(const struct command *command, int argc, char **argv,
    struct options *options, char **state_dir, struct err *err)
{
	if ((command->bit & CMD_DAEMON) == 0)
		return false;
	(void)fprintf(stderr, "oclasp %s: warning: %s (%s)\n", command->name,
	    err->text, reason_name(err->reason));
	roads_done(&options->roads);
	err_clear(err);
	if (options_parse(
		command->bit, command->name, argc, argv, options, err) == -1)
		return false;
	if (options->state_dir == NULL)
		options->state_dir = *state_dir = config_state_dir(options);
	return true;
}

/* True if who read standard output has gone away, as `head` does: he has what
 * he wanted. */
static bool
is_reader_gone(void)
{
	struct pollfd out = {.fd = STDOUT_FILENO};

	return poll(&out, 1, 0) == 1 && (out.revents & POLLERR) != 0;
}

/* STATUS, or FAILED and a line that says why where not all of what was printed
 * has got there: a script must not take the half for the whole. */
static int
check_printed(const char *name, int status, int failed)
{
	struct err err = {0};
	bool flushed = fflush(stdout) == 0;
	int why = errno;

	if ((flushed && ferror(stdout) == 0) || is_reader_gone() ||
	    status == failed)
		return status;
	(void)err_set(&err, REASON_FILE, "cannot write standard output%s%s",
	    flushed ? "" : ": ", flushed ? "" : strerror(why));
	return command_fail(name, &err, failed);
}

/* The status of wrong usage.  To a monitoring system 2 is an alarm; it must be
 * known before the options are, by as much of its name as getopt_long() takes. */
static int
usage_status(const struct command *command, int argc, char **argv)
{
	for (int i = 1; command->bit == CMD_CHECK && i < argc; i++) {
		if (strlen(argv[i]) > strlen("--") &&
		    text_starts("--nagios", argv[i]))
			return NAGIOS_UNKNOWN;
	}
	return EXIT_USAGE;
}

static int
run(const struct command *command, int argc, char **argv)
{
	struct config *config = NULL;
	struct options options;
	char *state_dir = NULL;
	struct err err = {0};
	int usage = usage_status(command, argc, argv);
	int status;

	if (options_parse(
		command->bit, command->name, argc, argv, &options, &err) == -1)
		return command_fail(command->name, &err, usage);
	if (options.help)
		return check_printed(
		    command->name, print_help(command), EXIT_USAGE);
	log_set_level(options.quiet         ? LOG_ERROR
		      : options.verbose > 1 ? LOG_TRACE
		      : options.verbose > 0 ? LOG_DETAIL
					    : LOG_NOTICE);
	if ((command->bit & CMD_CONFIG) != 0 &&
	    config_load(&options, &config, &err) == -1 &&
	    !do_without_config(command, argc, argv, &options, &state_dir, &err))
		return command_fail(command->name, &err, usage);
	status = options_settle(&options, &err) == -1
		     ? command_fail(command->name, &err, usage)
		     : run_settled(command, &options);
	roads_done(&options.roads);
	config_free(config);
	free(state_dir);
	return check_printed(command->name, status, usage);
}

/* What was started without a standard stream, as by `>&-`, would open a file
 * or a socket as it, and print into that.  Of this one, too, nothing is read and
 * nothing written. */
static void
hold_closed_streams(void)
{
	int fd;

	do
		fd = open("/", O_PATH);
	while (fd != -1 && fd <= STDERR_FILENO);
	if (fd != -1)
		close(fd);
}

/* A look-up that still runs must not hold up the end: see base/loop.h. */
static int
leave(int status)
{
	if (loop_abandoned()) {
		(void)fflush(NULL);
		_exit(status);
	}
	return status;
}

int
main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "help";
	const struct command *command = find(name);

	hold_closed_streams();
	/* A reader that goes away (`oclasp show x | head`) is an error of
	 * write(2), and a peer that closes is one of send(2): no signal. */
	(void)signal(SIGPIPE, SIG_IGN);
	/* look-ups of the C library block a thread each */
	(void)setenv("UV_THREADPOOL_SIZE", "32", 0);
	if (command != NULL)
		return leave(run(command, argc - 1, argv + 1));
	if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 ||
	    strcmp(name, "-h") == 0)
		return check_printed("help", help(argc, argv), EXIT_USAGE);
	if (strcmp(name, "--version") == 0 || strcmp(name, "version") == 0) {
		(void)printf("oclasp %s\n", OCLASP_VERSION);
		return check_printed("version", EXIT_GOOD, EXIT_USAGE);
	}
	return unknown(name);
}
