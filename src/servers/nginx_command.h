/* SPDX-License-Identifier: ISC */
/* servers/nginx_command.h -- nginx's own command line, and its own words;
 * private to nginx*.c. */
#ifndef OCLASP_SERVERS_NGINX_COMMAND_H
#define OCLASP_SERVERS_NGINX_COMMAND_H

#include <stdbool.h>

#include "base/proc.h"
#include "base/reason.h"

struct err;
struct nginx;

enum nginx_verb { NGINX_DUMP, NGINX_TEST, NGINX_RELOAD };

/* Run COMMAND with the options of VERB; the law of proc.h.  A plain command
 * that is not in PATH is looked for where servers are: PATH of an ordinary
 * user lacks /usr/sbin on Debian. */
struct proc *nginx_command_start(uv_loop_t *loop, const struct nginx *nginx,
    enum nginx_verb verb,
    void (*cb)(void *cookie, const struct proc_result *result), void *cookie);

/* 0 if RESULT is a success, else -1 with nginx's own words in ERR:
 * REASON_SERVER_CONFIG, of NGINX_RELOAD REASON_SERVER_RELOAD.  MORE is put
 * behind, a clause of our own, "" for none. */
int nginx_command_check(const struct nginx *nginx, enum nginx_verb verb,
    const struct proc_result *result, const char *more, struct err *err);

/* True if a reload has failed because there is no nginx to reload. */
bool nginx_command_not_running(const struct proc_result *result);

#endif
