/* SPDX-License-Identifier: ISC */
/* doctor/stapling_fetch.c -- how nginx asks the responder itself, and what its
 * error log says of that. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/mem.h"
#include "doctor/inventory.h"
#include "doctor/stapling_priv.h"
#include "http/fetch.h"
#include "servers/nginx_files.h"
#include "servers/nginx_log.h"

enum { LOGS_MAX = 64 };

/* The URL that nginx asks: its own directive, else the certificate's first,
 * whatever that is. */
static const char *
responder_url(const struct stapling_pair *pair)
{
	const struct nginx_directive *line =
	    pair->site->in_force[NGINX_STAPLING_RESPONDER];

	if (line != NULL)
		return line->args[0];
	return pair->leaf->ocsp_url_count > 0 ? pair->leaf->ocsp_urls[0] : NULL;
}

/* The responder's host, owned; NULL if nginx asks nobody. */
static char *
responder_host(const struct stapling_pair *pair)
{
	const char *url = responder_url(pair);
	char *host = NULL;
	int port;

	if (url == NULL || strncasecmp(url, "http://", 7) != 0 ||
	    !fetch_split_url(url, &host, &port))
		return NULL;
	return host;
}

static bool
is_address(const char *host)
{
	struct in6_addr octets;

	return inet_pton(AF_INET, host, &octets) == 1 ||
	       inet_pton(AF_INET6, host, &octets) == 1;
}

/* The address of a word of `resolver`, "192.0.2.53", "192.0.2.53:53" or
 * "[2001:db8::53]"; false for a parameter, for a name, and for one at another
 * port, who is somebody else than the resolver of that address. */
static bool
resolver_address(const char *word, char out[DNS_ADDRESS_TEXT])
{
	bool bracket = word[0] == '[';
	const char *rest;
	size_t len = strcspn(word + bracket, bracket ? "]" : ":");

	if (len == 0 || len >= DNS_ADDRESS_TEXT)
		return false;
	memcpy(out, word + bracket, len);
	out[len] = '\0';
	rest =
	    word + bracket + len + (bracket ? strspn(word + 1 + len, "]") : 0);
	if (is_address(out) && (rest[0] == '\0' || strcmp(rest, ":53") == 0))
		return true;
	out[0] = '\0';
	return false;
}

/* --- the resolver --- */

/* The first line of the hosts file for HOST, as a fact of its own. */
static bool
find_pin(const struct stapling *s, const char *host, struct fact_override *pin)
{
	const char *const names[] = {host};
	struct facts lines = {0};
	bool found;

	if (s->hosts == NULL)
		return false;
	inventory_hosts(&lines, s->request->hosts_file,
	    (struct span){(const uint8_t *)s->hosts, s->hosts_len}, names, 1);
	found = lines.count > 0;
	if (found)
		*pin = lines.items[0].u.override;
	facts_done(&lines);
	return found;
}

static void
look_at_resolver(
    struct stapling *s, const struct stapling_pair *pair, const char *host)
{
	const struct nginx_directive *line =
	    pair->site->in_force[NGINX_RESOLVER];
	struct fact_override pin;
	bool pinned = find_pin(s, host, &pin);

	for (size_t i = 0; i < line->arg_count; i++) {
		char address[DNS_ADDRESS_TEXT] = "";
		struct fact_setting *f;

		if (strchr(line->args[i], '=') != NULL)
			continue;
		(void)resolver_address(line->args[i], address);
		if (pinned)
			f = stapling_fault(s,
			    "server-cfg-resolver-ignores-hosts", line, NULL,
			    "nginx asks %s for %s; %s:%d says %s",
			    line->args[i], host, pin.file, pin.line,
			    pin.address);
		else
			f = stapling_fault(s, "server-cfg-resolver-wrong", line,
			    NULL, "nginx asks %s for %s", line->args[i], host);
		fact_copy(f->address, sizeof(f->address), address);
		fact_copy(f->host, sizeof(f->host), host);
	}
}

void
stapling_fetch(struct stapling *s, const struct stapling_pair *pair)
{
	const struct nginx_directive *given =
	    pair->site->in_force[NGINX_STAPLING_RESPONDER];
	const struct nginx_directive *on = pair->site->in_force[NGINX_STAPLING];
	const char *url = responder_url(pair);
	char *host = responder_host(pair);
	struct fact_setting *f;

	if (url == NULL) {
		(void)stapling_fault(s, "server-cfg-no-ocsp-url", on, pair,
		    "'%s' names no responder", cert_name(pair->leaf));
	} else if (host == NULL) {
		(void)stapling_fault(s, "server-cfg-responder-unusable",
		    given != NULL ? given : pair->line, pair, "it is %s", url);
	} else if (is_address(host)) {
		/* nothing to look up */
	} else if (pair->site->in_force[NGINX_RESOLVER] == NULL) {
		f = stapling_fault(s, "server-cfg-frozen-addr", on, pair,
		    "there is no `resolver`, and %s is looked up", host);
		fact_copy(f->host, sizeof(f->host), host);
	} else {
		look_at_resolver(s, pair, host);
	}
	free(host);
}

/* --- the log --- */

static void
add_peer(struct stapling *s, const char *log, const struct nginx_log_entry *e)
{
	struct fact_peer *p;
	int64_t at;

	p = &facts_add(s->facts, FACT_PEER, "L", 0)->u.peer;
	fact_copy(p->address, sizeof(p->address), e->peer);
	fact_copy(p->host, sizeof(p->host), e->responder);
	fact_copy(p->file, sizeof(p->file), log);
	fact_copy(p->text, sizeof(p->text), e->message);
	fact_copy(p->when, sizeof(p->when), e->when);
	p->age_s = -1;
	if (clock_local(e->year, e->month, e->day, e->hour, e->minute,
		e->second, &at) == 0 &&
	    at <= s->request->now)
		p->age_s = s->request->now - at;
}

/* True if ENTRY is about a certificate of a server block that is looked at. */
static bool
is_ours(struct stapling *s, const struct nginx_site *site,
    const struct nginx_log_entry *entry)
{
	for (size_t i = 0; i < site->certificate_count; i++) {
		const struct cert *leaf = cert_list_leaf(
		    &stapling_load(s, site->certificates[i])->list);
		const struct stapling_pair pair = {.site = site, .leaf = leaf};
		char *host = leaf == NULL ? NULL : responder_host(&pair);
		bool same =
		    host != NULL && strcasecmp(host, entry->responder) == 0;
		bool wanted =
		    leaf != NULL && (s->request->fingerprint == NULL ||
					strcmp(leaf->fingerprint,
					    s->request->fingerprint) == 0);

		free(host);
		if (same && wanted)
			return true;
	}
	return false;
}

static void
read_log(struct stapling *s, const char *path)
{
	const struct nginx_conf *conf = s->request->conf;
	struct nginx_log_entry entries[NGINX_LOG_ENTRIES_MAX];
	struct err err = {0};
	uint8_t *bytes = NULL;
	size_t len = 0, count;

	if (nginx_log_tail(path, &bytes, &len, &err) == -1) {
		stapling_untested(s, path, "%s", err.text);
		return;
	}
	count = nginx_log_entries((struct span){bytes, len}, entries);
	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < conf->site_count; k++) {
			if (is_ours(s, &conf->sites[k], &entries[i])) {
				add_peer(s, path, &entries[i]);
				break;
			}
		}
	}
	free(bytes);
}

/* The logs of those that fetch: each once. */
void
stapling_logs(struct stapling *s)
{
	const struct nginx_conf *conf = s->request->conf;
	char *read[LOGS_MAX];
	size_t count = 0;

	for (size_t i = 0; i < conf->site_count && count < LOGS_MAX; i++) {
		const struct nginx_site *site = &conf->sites[i];
		const struct nginx_directive *line =
		    site->in_force[NGINX_ERROR_LOG];
		const char *name =
		    line == NULL ? "/var/log/nginx/error.log" : line->args[0];
		char *path;
		bool known = false;

		if (!stapling_is_on(site, NGINX_STAPLING) ||
		    site->in_force[NGINX_STAPLING_FILE] != NULL)
			continue;
		path = nginx_files_log(s->request->command, name);
		if (path == NULL) {
			stapling_untested(s, name,
			    "the log is no file, or nobody knows below which "
			    "folder");
			continue;
		}
		for (size_t k = 0; k < count; k++)
			known = known || strcmp(read[k], path) == 0;
		if (known) {
			free(path);
			continue;
		}
		read_log(s, path);
		read[count++] = path;
	}
	for (size_t i = 0; i < count; i++)
		free(read[i]);
}
