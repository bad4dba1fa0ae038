/* SPDX-License-Identifier: ISC */
/* face/options_rows.c -- the table of options: names, whose they are, help. */
#include "face/options_rows.h"

#include <stdio.h>

#include "face/options.h"

static const struct option_row rows[] = {
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
    {OPT_SERVER, "server", "SERVER", CMD_DOCTOR,
	"look into this server's configuration and log: nginx"},
    {OPT_SERVER_COMMAND, "server-command", "COMMAND",
	CMD_KEEP | CMD_INSTALL | CMD_HOSTS | CMD_DISCOVER | CMD_READY |
	    CMD_LINT | CMD_DOCTOR,
	"how to call it, such as 'nginx -c FILE' (nginx)"},
    {OPT_LISTEN, "listen", "ADDR:PORT", CMD_KEEP,
	"answer as an OCSP responder there (127.0.0.1:8866); none: nowhere; "
	"may be repeated"},
    {OPT_RELAY_UNKNOWN, "relay-unknown", NULL, CMD_KEEP,
	"fetch for others also what is not kept, of issuers that are"},
    {OPT_STATE_DIR, "state-dir", "DIR",
	CMD_KEEP | CMD_INSTALL | CMD_FETCH | CMD_HOSTS | CMD_COURIER |
	    CMD_DAEMON | CMD_READY | CMD_DOCTOR,
	"where everything is kept (/var/lib/oclasp)"},
    {OPT_APPLY, "apply", NULL, CMD_INSTALL | CMD_HOSTS,
	"do it, not only show it"},
    {OPT_REMOVE, "remove", NULL, CMD_HOSTS,
	"take the block out of the hosts file"},
    {OPT_FORMAT, "format", "FORMAT", CMD_HOSTS,
	"hosts, dnsmasq, unbound, smartdns or json (hosts)"},
    {OPT_HOSTS_FILE, "hosts-file", "FILE", CMD_HOSTS | CMD_LINT,
	"the hosts file (/etc/hosts)"},
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
    {OPT_POOL, "pool", "FILE", CMD_NAMES,
	"addresses that forged answers use, one a line: supporting evidence"},
    {OPT_HTML, "html", "FILE", CMD_NAMES, "write the report there as a page"},
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
    {OPT_TIMEOUT, "timeout", "SECONDS", CMD_NET & ~CMD_SURVEY,
	"give up after that long (15)"},
    {OPT_TIMEOUT, "timeout", "SECONDS", CMD_SURVEY,
	"give up a host after that long (10)"},
    {OPT_IPV4, "ipv4", NULL, CMD_NET, "use IPv4 only"},
    {OPT_IPV6, "ipv6", NULL, CMD_NET, "use IPv6 only"},
    {OPT_CA_FILE, "ca-file", "FILE",
	CMD_NET | CMD_VERIFY | CMD_DISCOVER | CMD_DAEMON | CMD_LINT,
	"more trusted issuers and delegate signers"},
    {OPT_AT, "at", "TIME", CMD_VERIFY | CMD_CHECK | CMD_FETCH | CMD_LINT,
	"judge by this time: RFC 3339 or Unix seconds"},
    {OPT_CONFIG, "config", "FILE", CMD_CONFIG,
	"the configuration (/etc/oclasp/oclasp.conf, if it is there)"},
    {OPT_JSON, "json", NULL, CMD_ALL & ~(CMD_KEEP | CMD_HELP),
	"one JSON document on standard output"},
    {OPT_STATE, "state", "STATES", CMD_STATUS,
	"only those in these states, such as revoked,expired; alarm: what "
	"needs you"},
    {OPT_LIMIT, "limit", "N", CMD_STATUS | CMD_HISTORY,
	"so many at most; 0: all"},
    {OPT_ALARM_COMMAND, "alarm-command", "PROGRAM", CMD_KEEP,
	"run it when a certificate comes to need a person, and when it is well"},
    {OPT_LOG_FORMAT, "log-format", "FORMAT", CMD_KEEP,
	"log lines as text or json; else text, in the journal as its records"},
    {OPT_COLOR, "color", "WHEN", CMD_ALL, "auto, always or never"},
    {OPT_VERBOSE, "verbose", NULL, CMD_ALL, "say more; twice: much more"},
    {OPT_QUIET, "quiet", NULL, CMD_ALL, "say errors only"},
    {OPT_HELP, "help", NULL, CMD_ALL, "this help"},
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

_Static_assert((int)ROWS <= (int)OPTIONS_ROWS_MAX, "readers have room for all");

const struct option_row *
options_rows(size_t *count)
{
	*count = ROWS;
	return rows;
}

void
options_print(int command)
{
	for (size_t i = 0; i < ROWS; i++) {
		char left[40];

		if ((rows[i].commands & command) == 0)
			continue;
		(void)snprintf(left, sizeof(left), "%s%c%s --%s%s%s",
		    rows[i].id < OPTIONS_LONG_ONLY ? "-" : " ",
		    rows[i].id < OPTIONS_LONG_ONLY ? (char)rows[i].id : ' ',
		    rows[i].id < OPTIONS_LONG_ONLY ? "," : " ", rows[i].name,
		    rows[i].arg == NULL ? "" : " ",
		    rows[i].arg == NULL ? "" : rows[i].arg);
		(void)printf("  %-30s %s\n", left, rows[i].help);
	}
}
