/* SPDX-License-Identifier: ISC */
/* face/options.c -- the command line: every option once, in one table. */
#include "face/options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"

enum { LONG_ONLY = 256, SKEW_MAX_S = 30 * 86400 };

enum {
	OPT_ISSUER = 'i',
	OPT_OUTPUT = 'o',
	OPT_VERBOSE = 'v',
	OPT_QUIET = 'q',
	OPT_IPV4 = '4',
	OPT_IPV6 = '6',
	OPT_HELP = 'h',
	OPT_ALL = LONG_ONLY,
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

static const struct row {
	int id;
	const char *name;
	const char *arg; /* NULL: takes none */
	int commands;
	const char *help;
} rows[] = {
    {OPT_ISSUER, "issuer", "FILE",
	CMD_FETCH | CMD_VERIFY | CMD_KEEP | CMD_READY | CMD_HOSTS |
	    CMD_COURIER | CMD_SURVEY | CMD_DOCTOR,
	"the issuer's certificate, where the chain lacks it"},
    {OPT_OUTPUT, "output", "FILE", CMD_FETCH | CMD_COURIER,
	"write the result there; - is standard output"},
    {OPT_URL, "url", "URL", CMD_FETCH | CMD_KEEP | CMD_READY | CMD_DOCTOR,
	"ask this responder instead of the certificate's"},
    {OPT_CHAIN, "chain", "FILE", CMD_VERIFY,
	"more certificates: issuer, delegate signer"},
    {OPT_SKEW, "skew", "SECONDS", CMD_VERIFY,
	"how far clocks may be off (300)"},
    {OPT_MAX_AGE, "max-age", "SECONDS", CMD_VERIFY,
	"refuse a response whose thisUpdate is older"},
    {OPT_REQUEST, "request", "FILE", CMD_VERIFY,
	"the OCSP request (DER) whose nonce must come back"},
    {OPT_ALLOW_NO_NEXT_UPDATE, "allow-no-next-update", NULL,
	CMD_VERIFY | CMD_NET, "accept a response without nextUpdate"},
    {OPT_ALLOW_SHA1, "allow-sha1", NULL, CMD_VERIFY | CMD_NET,
	"accept signatures made with SHA-1"},
    {OPT_SERVERNAME, "servername", "NAME", CMD_CHECK | CMD_DOCTOR,
	"the name to ask for (SNI), if not HOST"},
    {OPT_STARTTLS, "starttls", "PROTOCOL", CMD_CHECK | CMD_DOCTOR,
	"smtp, imap, pop3, ftp, ldap or postgres"},
    {OPT_PENALTY, "penalty", NULL, CMD_CHECK | CMD_DOCTOR,
	"measure what a client without a staple waits, also when there is one"},
    {OPT_NAGIOS, "nagios", NULL, CMD_CHECK,
	"one line and exit status for Nagios and Icinga"},
    {OPT_ONCE, "once", NULL, CMD_KEEP, "refresh what is due and end"},
    {OPT_SERVER, "server", "SERVER", CMD_KEEP, "publish to this server: nginx"},
    {OPT_SERVER_COMMAND, "server-command", "COMMAND",
	CMD_KEEP | CMD_INSTALL | CMD_HOSTS | CMD_DISCOVER | CMD_READY,
	"how to call it, such as 'nginx -c FILE' (nginx)"},
    {OPT_LISTEN, "listen", "ADDR:PORT", CMD_KEEP,
	"answer as an OCSP responder there (127.0.0.1:8866); none: nowhere; "
	"may be repeated"},
    {OPT_RELAY_UNKNOWN, "relay-unknown", NULL, CMD_KEEP,
	"fetch for others also what is not kept, of issuers that are"},
    {OPT_STATE_DIR, "state-dir", "DIR",
	CMD_KEEP | CMD_INSTALL | CMD_FETCH | CMD_HOSTS | CMD_COURIER |
	    CMD_DAEMON | CMD_READY,
	"where everything is kept (/var/lib/oclasp)"},
    {OPT_APPLY, "apply", NULL, CMD_INSTALL | CMD_HOSTS,
	"do it, not only show it"},
    {OPT_REMOVE, "remove", NULL, CMD_HOSTS,
	"take the block out of the hosts file"},
    {OPT_FORMAT, "format", "FORMAT", CMD_HOSTS,
	"hosts, dnsmasq, unbound, smartdns or json (hosts)"},
    {OPT_HOSTS_FILE, "hosts-file", "FILE", CMD_HOSTS,
	"the file to work on (/etc/hosts)"},
    {OPT_ROOT, "root", "DIR", CMD_DISCOVER, "take this folder for /"},
    {OPT_DISCOVER, "discover", NULL, CMD_KEEP,
	"keep also what `oclasp discover` finds on this machine"},
    {OPT_PLACE, "place", "CLIENT=DIR", CMD_DISCOVER | CMD_KEEP,
	"look there too for what certbot, acme.sh, lego or dehydrated keeps; "
	"may be repeated"},
    {OPT_ALL, "all", NULL, CMD_SURVEY,
	"the known CAs too, beside what is given"},
    {OPT_BISECT, "bisect", NULL, CMD_DNS,
	"which names are targeted, and how wide"},
    {OPT_BLACKHOLE, "blackhole", "ADDRESS", CMD_NAMES,
	"a host beyond the border that is no resolver: what it 'answers' is "
	"forged"},
    {OPT_CONTROL, "control", "NAME", CMD_NAMES,
	"a name that exists and nobody lists (" OPTIONS_CONTROL ")"},
    {OPT_POOL, "pool", "FILE", CMD_DNS,
	"addresses that forged answers use, one a line: supporting evidence"},
    {OPT_ALL, "all", NULL, CMD_REFRESH, "every certificate that is kept"},
    {OPT_RESOLVER, "resolver", "URL", CMD_ASK,
	"ask this resolver too: udp://, tcp://, tls://IP[#NAME], "
	"https://HOST/PATH[#IP], system, IP; may be repeated"},
    {OPT_TLS_CA, "tls-ca", "FILE", CMD_ASK,
	"trust these CAs (PEM) for tls:// and https:// resolvers, and for "
	"https:// proxies"},
    {OPT_PIN, "pin", "HOST=ADDR", CMD_ASK,
	"try this address first for HOST; may be repeated"},
    {OPT_PROXY, "proxy", "URL", CMD_ROADS,
	"a road of last resort: http://, https://, socks5://, socks5h://; "
	"none: not even the environment's; may be repeated"},
    {OPT_PROXY_AUTH_FILE, "proxy-auth-file", "FILE", CMD_ROADS,
	"the line user:password for these proxies, mode 0600"},
    {OPT_NO_PROXY, "no-proxy", "LIST", CMD_ROADS,
	"hosts without proxy, as in no_proxy; may be repeated"},
    {OPT_UPSTREAM, "upstream", "URL", CMD_UPSTREAMS,
	"ask this other oclasp or OCSP cache last; may be repeated"},
    {OPT_ALLOW_PRIVATE, "allow-private", NULL, CMD_ROADS,
	"connect to private addresses, whichever resolver names them"},
    {OPT_TIMEOUT, "timeout", "SECONDS", CMD_NET,
	"give up after that long (15)"},
    {OPT_IPV4, "ipv4", NULL, CMD_NET, "use IPv4 only"},
    {OPT_IPV6, "ipv6", NULL, CMD_NET, "use IPv6 only"},
    {OPT_CA_FILE, "ca-file", "FILE",
	CMD_NET | CMD_VERIFY | CMD_DISCOVER | CMD_DAEMON,
	"more trusted issuers and delegate signers"},
    {OPT_AT, "at", "TIME", CMD_VERIFY | CMD_CHECK | CMD_FETCH,
	"judge by this time: RFC 3339 or Unix seconds"},
    {OPT_CONFIG, "config", "FILE",
	CMD_NET | CMD_INSTALL | CMD_DISCOVER | CMD_DAEMON,
	"the configuration (/etc/oclasp/oclasp.conf, if it is there)"},
    {OPT_JSON, "json", NULL, CMD_ALL & ~(CMD_KEEP | CMD_HELP),
	"one JSON document on standard output"},
    {OPT_STATE, "state", "STATES", CMD_STATUS,
	"only those in these states, such as revoked,expired; alarm: what "
	"needs you"},
    {OPT_LIMIT, "limit", "N", CMD_STATUS | CMD_HISTORY,
	"so many at most; 0: all"},
    {OPT_LOG_FORMAT, "log-format", "FORMAT", CMD_KEEP,
	"log lines as text or json; else text, in the journal as its records"},
    {OPT_COLOR, "color", "WHEN", CMD_ALL, "auto, always or never"},
    {OPT_VERBOSE, "verbose", NULL, CMD_ALL, "say more; twice: much more"},
    {OPT_QUIET, "quiet", NULL, CMD_ALL, "say errors only"},
    {OPT_HELP, "help", NULL, CMD_ALL, "this help"},
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

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
		o->has_blackhole = true;
		if (resolver_parse(value, &o->blackhole, err) == -1)
			return -1;
		return o->blackhole.kind == RESOLVER_UDP
			   ? 0
			   : bad(err, "blackhole", value, "give an IP address");
	case OPT_PIN:
		if (o->pin_count == ACQUIRE_PINS_MAX)
			return bad(err, "pin", value, "too many of them");
		return acquire_pin_parse(value, &o->pins[o->pin_count++], err);
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
	case OPT_URL:
		return &o->url;
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
	case OPT_STATE_DIR:
		return &o->state_dir;
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
	case OPT_POOL:
		return &o->pool;
	case OPT_FORMAT:
		return &o->format;
	case OPT_HOSTS_FILE:
		return &o->hosts_file;
	case OPT_LOG_FORMAT:
		return &o->log_format;
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
	return 0;
}

/* The tables of getopt_long, made of ours for one command. */
static void
make_getopt(int command, struct option longs[ROWS + 1], char shorts[3 * ROWS])
{
	size_t n = 0;
	char *s = shorts;

	*s++ = ':'; /* tell a missing argument from an unknown option */
	for (size_t i = 0; i < ROWS; i++) {
		if ((rows[i].commands & command) == 0)
			continue;
		longs[n++] = (struct option){rows[i].name,
		    rows[i].arg != NULL ? required_argument : no_argument, NULL,
		    rows[i].id};
		if (rows[i].id < LONG_ONLY) {
			*s++ = (char)rows[i].id;
			if (rows[i].arg != NULL)
				*s++ = ':';
		}
	}
	*s = '\0';
	longs[n] = (struct option){0};
}

int
options_parse(int command, const char *name, int argc, char **argv,
    struct options *out, struct err *err)
{
	struct option longs[ROWS + 1];
	char shorts[3 * ROWS];
	int id;

	*out = (struct options){.command = command,
	    .skew_s = VERIFY_SKEW,
	    .control = OPTIONS_CONTROL,
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
		if (id == '?' && optopt > 0 && optopt < LONG_ONLY)
			return err_set(err, REASON_USAGE,
			    "there is no option -%c: see `oclasp help %s`",
			    optopt, name);
		if (id == '?')
			return err_set(err, REASON_USAGE,
			    "there is no option %s: see `oclasp help %s`",
			    argv[optind - 1], name);
		if (take(id, optarg, out, err) == -1)
			return -1;
	}
	out->args = argv + optind;
	out->arg_count = argc - optind;
	return 0;
}

void
options_print(int command)
{
	for (size_t i = 0; i < ROWS; i++) {
		char left[40];

		if ((rows[i].commands & command) == 0)
			continue;
		(void)snprintf(left, sizeof(left), "%s%c%s --%s%s%s",
		    rows[i].id < LONG_ONLY ? "-" : " ",
		    rows[i].id < LONG_ONLY ? (char)rows[i].id : ' ',
		    rows[i].id < LONG_ONLY ? "," : " ", rows[i].name,
		    rows[i].arg == NULL ? "" : " ",
		    rows[i].arg == NULL ? "" : rows[i].arg);
		(void)printf("  %-30s %s\n", left, rows[i].help);
	}
}
