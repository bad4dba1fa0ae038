/* SPDX-License-Identifier: ISC */
/* face/command.h -- a command: one row of the table in main.c. */
#ifndef OCLASP_FACE_COMMAND_H
#define OCLASP_FACE_COMMAND_H

#include "face/options.h"

/* The exit status of --nagios: the monitoring plug-in guidelines. */
enum { NAGIOS_OK, NAGIOS_WARNING, NAGIOS_CRITICAL, NAGIOS_UNKNOWN };

struct command {
	const char *name;
	int bit; /* CMD_... */
	const char *synopsis;
	const char *purpose; /* one line */
	const char *details; /* for its help; several lines, may be NULL */
	int (*run)(const struct options *options);
};

extern const struct command command_fetch, command_verify, command_show,
    command_check, command_keep, command_install, command_explain,
    command_hosts, command_courier, command_dns, command_doctor,
    command_discover, command_ready, command_survey, command_status,
    command_refresh, command_history, command_reload, command_lint;

/* Print ERR for a person on stderr, with its code; returns STATUS. */
int command_fail(const char *command, const struct err *err, int status);

/* The exit status of a failed fetch or check by its reason (CONTRACT). */
int command_exit(enum reason reason);

#endif
