/* SPDX-License-Identifier: ISC */
/* face/options_rows.h -- the options by their names: one row for each. */
#ifndef OCLASP_FACE_OPTIONS_ROWS_H
#define OCLASP_FACE_OPTIONS_ROWS_H

#include <stddef.h>

enum {
	OPTIONS_LONG_ONLY = 256, /* ids from here on have no letter */
	OPTIONS_ROWS_MAX = 96,
};

enum {
	OPT_ISSUER = 'i',
	OPT_OUTPUT = 'o',
	OPT_VERBOSE = 'v',
	OPT_QUIET = 'q',
	OPT_IPV4 = '4',
	OPT_IPV6 = '6',
	OPT_HELP = 'h',
	OPT_ALARM_COMMAND = OPTIONS_LONG_ONLY,
	OPT_ALL,
	OPT_ALLOW_NO_NEXT_UPDATE,
	OPT_ALLOW_PRIVATE,
	OPT_ALLOW_SHA1,
	OPT_APPLY,
	OPT_AT,
	OPT_BISECT,
	OPT_BLACKHOLE,
	OPT_CA_FILE,
	OPT_CHAIN,
	OPT_COLOR,
	OPT_CONFIG,
	OPT_CONTROL,
	OPT_DISCOVER,
	OPT_FORMAT,
	OPT_HOSTS_FILE,
	OPT_HTML,
	OPT_JSON,
	OPT_LIMIT,
	OPT_LISTEN,
	OPT_LOG_FORMAT,
	OPT_MAX_AGE,
	OPT_NAGIOS,
	OPT_NO_PROXY,
	OPT_ONCE,
	OPT_PENALTY,
	OPT_PIN,
	OPT_PLACE,
	OPT_POOL,
	OPT_PROXY,
	OPT_PROXY_AUTH_FILE,
	OPT_RELAY_UNKNOWN,
	OPT_REMOVE,
	OPT_REQUEST,
	OPT_RESOLVER,
	OPT_ROOT,
	OPT_SERVER,
	OPT_SERVER_COMMAND,
	OPT_SERVERNAME,
	OPT_SKEW,
	OPT_STARTTLS,
	OPT_STATE,
	OPT_STATE_DIR,
	OPT_TIMEOUT,
	OPT_TLS_CA,
	OPT_UPSTREAM,
	OPT_URL,
};

/* The same option may have a row for each of two meanings, of different
 * commands. */
struct option_row {
	int id;
	const char *name;
	const char *arg; /* NULL: takes none */
	int commands;
	const char *help;
};

/* The whole table; *COUNT is at most OPTIONS_ROWS_MAX. */
const struct option_row *options_rows(size_t *count);

#endif
