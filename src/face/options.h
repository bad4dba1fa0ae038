/* SPDX-License-Identifier: ISC */
/* face/options.h -- the command line: every option once, in one table. */
#ifndef OCLASP_FACE_OPTIONS_H
#define OCLASP_FACE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "acquire/acquire.h"
#include "dns/resolver.h"
#include "face/roads.h"
#include "keep/listen.h"
#include "keep/rules.h"
#include "keep/target.h"
#include "servers/discover.h"
#include "tls/handshake.h"

struct err;

/* Exit status, the same for every command (CONTRACT). */
enum {
	EXIT_GOOD = 0,
	EXIT_BAD = 1,
	EXIT_USAGE = 2,
	EXIT_LATER = 75,
};

/* Commands as bits, to say which options each of them takes. */
enum {
	CMD_FETCH = 1 << 0,
	CMD_VERIFY = 1 << 1,
	CMD_SHOW = 1 << 2,
	CMD_CHECK = 1 << 3,
	CMD_KEEP = 1 << 4,
	CMD_INSTALL = 1 << 5,
	CMD_EXPLAIN = 1 << 6,
	CMD_HELP = 1 << 7,
	CMD_HOSTS = 1 << 8,
	CMD_COURIER = 1 << 9,
	CMD_SURVEY = 1 << 10,
	CMD_DISCOVER = 1 << 16,
	CMD_READY = 1 << 17,
	CMD_DNS = 1 << 18,
	CMD_DOCTOR = 1 << 19,
	CMD_LINT = 1 << 20,
	CMD_STATUS = 1 << 22,
	CMD_REFRESH = 1 << 23,
	CMD_HISTORY = 1 << 24,
	CMD_RELOAD = 1 << 25,
	CMD_ALL = 0x7fffffff,
	CMD_UPSTREAMS = CMD_FETCH | CMD_KEEP | CMD_COURIER | CMD_READY,
	CMD_ROADS = CMD_UPSTREAMS | CMD_SURVEY |
		    CMD_DOCTOR, /* who ask responders by every
						   road */
	CMD_NET = CMD_FETCH | CMD_CHECK | CMD_KEEP | CMD_HOSTS | CMD_COURIER |
		  CMD_SURVEY | CMD_DOCTOR | CMD_READY,
	CMD_NAMES = CMD_DNS | CMD_DOCTOR, /* who look at resolvers */
	CMD_ASK = (CMD_NET & ~CMD_HOSTS) |
		  CMD_DNS, /* who ask anybody for addresses */
	CMD_DAEMON = CMD_STATUS | CMD_REFRESH | CMD_HISTORY |
		     CMD_RELOAD, /* who talk to the keeper */
	CMD_CONFIG = CMD_NET | CMD_DNS | CMD_INSTALL | CMD_DISCOVER | CMD_LINT |
		     CMD_DAEMON, /* who read the configuration */
};

enum {
	OPTIONS_TIMEOUT_MAX_S = 3600,
	OPTIONS_ALARM_MAX = 16, /* words of the alarm command */
};

/* A name that exists and that nobody lists, RFC 2606. */
#define OPTIONS_CONTROL "example.org"

struct options {
	int command; /* its CMD_ bit */
	bool json, nagios, penalty, once, apply, remove, all, help, discover;
	bool allow_no_next_update, allow_sha1;
	bool quiet, color;
	int verbose;
	const char *issuer, *output, *url, *chain, *request, *ca_file;
	const char *tls_ca;
	const char *state_dir, *server, *server_command, *config;
	const char *servername, *root;
	const char *format, *hosts_file, *log_format;
	const char *control, *pool, *html; /* of dns and doctor */
	bool bisect, has_blackhole;
	struct resolver blackhole;
	const char *state, *control_group;
	bool has_limit;
	int64_t limit;                            /* 0: none */
	const char *alarm[OPTIONS_ALARM_MAX + 1]; /* argv; empty: none */
	int64_t alarm_timeout_s;                  /* 0: not given */
	enum handshake_starttls starttls;
	bool has_at;
	int64_t at; /* wall seconds */
	int64_t skew_s, max_age_s;
	int64_t timeout_ms; /* 0: not given */
	enum resolver_family family;
	struct resolver resolvers[RESOLVERS_MAX];
	size_t resolver_count;
	struct acquire_pin pins[ACQUIRE_PINS_MAX];
	size_t pin_count;
	struct discover_place places[DISCOVER_PLACES_MAX];
	size_t place_count;
	struct listen_spec listeners[LISTEN_MAX]; /* borrowed strings */
	size_t listener_count;
	bool listen_nowhere; /* not even at the default address */
	bool relay_unknown;
	struct roads roads; /* proxies, upstreams, private addresses */
	struct err unread;  /* why the configuration was passed over */
	const struct target_spec *specs; /* of the configuration; borrowed */
	size_t spec_count;
	const struct issuer_rules *rules; /* the same */
	size_t rule_count;
	enum certid_choice certid;
	enum on_revoked on_revoked;
	char **args; /* what is no option; borrowed of argv */
	int arg_count;
	char **argv; /* all, to be read again; borrowed */
	int argc;
};

/* Read the options of COMMAND (a CMD_ bit, named NAME) from ARGV, which begins
 * with the command's name.  Errors: REASON_USAGE. */
int options_parse(int command, const char *name, int argc, char **argv,
    struct options *out, struct err *err);

/* Can a responder be asked at URL?  Errors: REASON_USAGE. */
int options_check_url(const char *url, struct err *err);

/* Is COMMAND, which is split at blanks, any?  Errors: REASON_USAGE. */
int options_check_command(const char *command, struct err *err);

/* Listen at ADDRESS too; "none": nowhere, not at the default address either.
 * Errors: REASON_USAGE. */
int options_take_listen(
    struct options *options, const char *address, struct err *err);

/* ADDRESS is a host that is no resolver.  Errors: REASON_USAGE. */
int options_take_blackhole(
    struct options *options, const char *address, struct err *err);

/* After the command line and the configuration: what both say together.
 * Errors: REASON_FILE (of --tls-ca, --proxy-auth-file), REASON_USAGE (of the
 * environment's proxies). */
int options_settle(struct options *options, struct err *err);

/* The option lines of COMMAND for its help, to stdout. */
void options_print(int command);

/* The moment to judge by: --at, else the clock. */
int64_t options_now(const struct options *options);

/* Whom a diagnosis asks: the nameservers of resolv.conf, then those of the
 * options, each once; returns how many. */
size_t options_resolvers(
    const struct options *options, struct resolver out[RESOLVERS_MAX]);

/* How to fetch, as these options say.  Borrows of OPTIONS. */
struct acquire_options options_acquire(const struct options *options);

#endif
