/* SPDX-License-Identifier: ISC */
/* face/options.c -- the command line: what each option of the table does. */
#include "face/options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"
#include "face/options_rows.h"

enum { SKEW_MAX_S = 30 * 86400 };

static int
bad(struct err *err, const char *option, const char *value, const char *want)
{
	return err_set(err, REASON_USAGE, "--%s '%s': %s", option, value, want);
}

static int
take_number(const char *option, const char *value, int64_t min, int64_t max,
    int64_t *out, struct err *err)
{
	char want[96];

	if (text_number(value, min, max, out))
		return 0;
	(void)snprintf(want, sizeof(want),
	    "give a whole number of seconds from %lld to %lld", (long long)min,
	    (long long)max);
	return bad(err, option, value, want);
}

static int
take_quantity(int id, const char *value, struct options *o, struct err *err)
{
	int64_t seconds = 0;

	switch (id) {
	case OPT_SKEW:
		return take_number(
		    "skew", value, 0, SKEW_MAX_S, &o->skew_s, err);
	case OPT_MAX_AGE:
		return take_number(
		    "max-age", value, 1, INT32_MAX, &o->max_age_s, err);
	case OPT_TIMEOUT:
		if (take_number("timeout", value, 1, OPTIONS_TIMEOUT_MAX_S,
			&seconds, err) == -1)
			return -1;
		o->timeout_ms = seconds * 1000;
		return 0;
	case OPT_LIMIT:
		o->has_limit = true;
		if (!text_number(value, 0, INT32_MAX, &o->limit))
			return bad(
			    err, "limit", value, "give a whole number, 0: all");
		return 0;
	default:
		return 0;
	}
}

/* Options that are more than a word to remember. */
static int
take_parsed(int id, const char *value, struct options *o, struct err *err)
{
	switch (id) {
	case OPT_AT:
		o->has_at = true;
		return clock_parse(value, &o->at, err);
	case OPT_RESOLVER:
		if (o->resolver_count == RESOLVERS_MAX)
			return bad(err, "resolver", value, "too many of them");
		return resolver_parse(
		    value, &o->resolvers[o->resolver_count++], err);
	case OPT_BLACKHOLE:
		return options_take_blackhole(o, value, err);
	case OPT_PIN:
		if (o->pin_count == ACQUIRE_PINS_MAX)
			return bad(err, "pin", value, "too many of them");
		return acquire_pin_parse(value, &o->pins[o->pin_count++], err);
	case OPT_URL:
		o->url = value;
		return options_check_url(value, err);
	case OPT_STATE_DIR:
		o->state_dir = value;
		return value[0] != '\0'
			   ? 0
			   : bad(err, "state-dir", value, "give a folder");
	case OPT_LISTEN:
		return options_take_listen(o, value, err);
	case OPT_PLACE:
		if (o->place_count == DISCOVER_PLACES_MAX)
			return bad(err, "place", value, "too many of them");
		return discover_place_parse(
		    value, &o->places[o->place_count++], err);
	case OPT_PROXY:
		return roads_take_proxy(
		    &o->roads, value, ROADS_COMMAND_LINE, err);
	case OPT_NO_PROXY:
		return roads_take_no_proxy(&o->roads, value, err);
	case OPT_UPSTREAM:
		return roads_take_upstream(&o->roads, value, err);
	case OPT_STARTTLS:
		if (!handshake_starttls_find(value, &o->starttls))
			return bad(err, "starttls", value,
			    "give smtp, imap, pop3, ftp, ldap or postgres");
		return 0;
	case OPT_COLOR:
		if (strcmp(value, "always") == 0)
			o->color = true;
		else if (strcmp(value, "never") == 0)
			o->color = false;
		else if (strcmp(value, "auto") != 0)
			return bad(
			    err, "color", value, "give auto, always or never");
		return 0;
	default:
		return take_quantity(id, value, o, err);
	}
}

static const char **
text_option(int id, struct options *o)
{
	switch (id) {
	case OPT_ISSUER:
		return &o->issuer;
	case OPT_OUTPUT:
		return &o->output;
	case OPT_CHAIN:
		return &o->chain;
	case OPT_REQUEST:
		return &o->request;
	case OPT_CA_FILE:
		return &o->ca_file;
	case OPT_TLS_CA:
		return &o->tls_ca;
	case OPT_PROXY_AUTH_FILE:
		return &o->roads.auth_file;
	case OPT_SERVER:
		return &o->server;
	case OPT_SERVER_COMMAND:
		return &o->server_command;
	case OPT_CONFIG:
		return &o->config;
	case OPT_ROOT:
		return &o->root;
	case OPT_SERVERNAME:
		return &o->servername;
	case OPT_CONTROL:
		return &o->control;
	case OPT_HTML:
		return &o->html;
	case OPT_POOL:
		return &o->pool;
	case OPT_FORMAT:
		return &o->format;
	case OPT_HOSTS_FILE:
		return &o->hosts_file;
	case OPT_LOG_FORMAT:
		return &o->log_format;
	case OPT_ALARM_COMMAND:
		return &o->alarm[0];
	case OPT_STATE:
		return &o->state;
	default:
		return NULL;
	}
}

static bool *
flag_option(int id, struct options *o)
{
	switch (id) {
	case OPT_JSON:
		return &o->json;
	case OPT_NAGIOS:
		return &o->nagios;
	case OPT_PENALTY:
		return &o->penalty;
	case OPT_DISCOVER:
		return &o->discover;
	case OPT_ONCE:
		return &o->once;
	case OPT_APPLY:
		return &o->apply;
	case OPT_REMOVE:
		return &o->remove;
	case OPT_ALL:
		return &o->all;
	case OPT_BISECT:
		return &o->bisect;
	case OPT_HELP:
		return &o->help;
	case OPT_QUIET:
		return &o->quiet;
	case OPT_RELAY_UNKNOWN:
		return &o->relay_unknown;
	case OPT_ALLOW_NO_NEXT_UPDATE:
		return &o->allow_no_next_update;
	case OPT_ALLOW_PRIVATE:
		return &o->roads.allow_private;
	case OPT_ALLOW_SHA1:
		return &o->allow_sha1;
	default:
		return NULL;
	}
}

static int
take(int id, const char *value, struct options *o, struct err *err)
{
	const char **text = text_option(id, o);
	bool *flag = flag_option(id, o);

	if (text != NULL)
		*text = value;
	else if (flag != NULL)
		*flag = true;
	else if (id == OPT_VERBOSE)
		o->verbose++;
	else if (id == OPT_IPV4)
		o->family = RESOLVER_IPV4;
	else if (id == OPT_IPV6)
		o->family = RESOLVER_IPV6;
	else
		return take_parsed(id, value, o, err);
	return id == OPT_SERVER_COMMAND || id == OPT_ALARM_COMMAND
		   ? options_check_command(value, err)
		   : 0;
}

/* The tables of getopt_long, made of ours for one command. */
static void
make_getopt(int command, struct option longs[OPTIONS_ROWS_MAX + 1],
    char shorts[3 * OPTIONS_ROWS_MAX])
{
	size_t count, n = 0;
	const struct option_row *rows = options_rows(&count);
	char *s = shorts;

	*s++ = ':'; /* tell a missing argument from an unknown option */
	for (size_t i = 0; i < count; i++) {
		if ((rows[i].commands & command) == 0)
			continue;
		longs[n++] = (struct option){rows[i].name,
		    rows[i].arg != NULL ? required_argument : no_argument, NULL,
		    rows[i].id};
		if (rows[i].id < OPTIONS_LONG_ONLY) {
			*s++ = (char)rows[i].id;
			if (rows[i].arg != NULL)
				*s++ = ':';
		}
	}
	*s = '\0';
	longs[n] = (struct option){0};
}

/* What getopt_long() does not know of ARGV, or that an option has no value. */
static int
refuse(
    const struct option *longs, char **argv, const char *name, struct err *err)
{
	for (; longs->name != NULL; longs++) {
		if (longs->val == optopt)
			return err_set(err, REASON_USAGE,
			    "--%s takes no value: see `oclasp help %s`",
			    longs->name, name);
	}
	if (optopt > ' ' && optopt <= '~')
		return err_set(err, REASON_USAGE,
		    "there is no option -%c: see `oclasp help %s`", optopt,
		    name);
	/* 0: a long one; else an octet of some other letter */
	return err_set(err, REASON_USAGE,
	    "there is no option %s: see `oclasp help %s`",
	    optopt == 0 ? argv[optind - 1] : "of such a letter", name);
}

int
options_parse(int command, const char *name, int argc, char **argv,
    struct options *out, struct err *err)
{
	struct option longs[OPTIONS_ROWS_MAX + 1];
	char shorts[3 * OPTIONS_ROWS_MAX];
	int id;

	*out = (struct options){.command = command,
	    .skew_s = VERIFY_SKEW,
	    .argc = argc,
	    .argv = argv};
	out->color = isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL;
	make_getopt(command, longs, shorts);
	opterr = 0;
	optind = 0; /* forgets also where it was within a word (glibc, musl) */
	while ((id = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		if (id == ':')
			return err_set(err, REASON_USAGE,
			    "%s wants a value: see `oclasp help %s`",
			    argv[optind - 1], name);
		if (id == '?')
			return refuse(longs, argv, name, err);
		if (take(id, optarg, out, err) == -1)
			return -1;
	}
	out->args = argv + optind;
	out->arg_count = argc - optind;
	return 0;
}
