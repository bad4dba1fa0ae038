/* SPDX-License-Identifier: ISC */
/* doctor/stapling.c -- what a server's configuration says, as facts: which
 * server blocks are looked at, and whether they staple at all. */
#include "doctor/stapling.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acquire/acquire.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "doctor/stapling_priv.h"
#include "servers/hosts_text.h"

/* --- facts --- */

void
stapling_untested(struct stapling *s, const char *what, const char *fmt, ...)
{
	struct fact_untested *u;
	va_list ap;

	for (size_t i = 0; i < s->facts->count; i++) {
		if (s->facts->items[i].kind == FACT_UNTESTED &&
		    strcmp(s->facts->items[i].u.untested.what, what) == 0)
			return;
	}
	u = &facts_add(s->facts, FACT_UNTESTED, "L", 0)->u.untested;
	fact_copy(u->what, sizeof(u->what), what);
	va_start(ap, fmt);
	(void)vsnprintf(u->why, sizeof(u->why), fmt, ap);
	va_end(ap);
}

void
stapling_unread(struct stapling *s, const char *path, const struct err *err)
{
	size_t before = s->facts->count;

	stapling_untested(s, path, "%s", err->text);
	if (s->facts->count > before)
		s->facts->items[before].u.untested.unread = true;
}

static bool
is_said(const struct facts *facts, const struct fact_setting *one)
{
	for (size_t i = 0; i + 1 < facts->count; i++) {
		const struct fact_setting *said = &facts->items[i].u.setting;

		if (facts->items[i].kind == FACT_SETTING &&
		    strcmp(said->code, one->code) == 0 &&
		    said->line == one->line &&
		    strcmp(said->file, one->file) == 0 &&
		    strcmp(said->text, one->text) == 0 &&
		    strcmp(said->certificate, one->certificate) == 0)
			return true;
	}
	return false;
}

struct fact_setting *
stapling_fault(struct stapling *s, const char *code,
    const struct nginx_directive *directive, const struct stapling_pair *pair,
    const char *fmt, ...)
{
	struct fact_setting *f =
	    &facts_add(s->facts, FACT_SETTING, "L", 0)->u.setting;
	va_list ap;

	f->code = code;
	f->line = directive->line;
	fact_copy(f->file, sizeof(f->file), directive->file);
	if (pair != NULL)
		fact_copy(f->certificate, sizeof(f->certificate), pair->path);
	va_start(ap, fmt);
	(void)vsnprintf(f->text, sizeof(f->text), fmt, ap);
	va_end(ap);
	if (s->facts->dropped == 0 && is_said(s->facts, f))
		s->facts->count--;
	return f;
}

/* --- files --- */

const struct stapling_certs *
stapling_load(struct stapling *s, const char *path)
{
	char *whole = nginx_conf_path(s->request->conf, path);
	struct stapling_certs *file = NULL;

	HASH_FIND_STR(s->files, whole, file);
	if (file != NULL) {
		free(whole);
		return file;
	}
	file = mem_new(sizeof(*file));
	file->path = whole;
	if (cert_list_load(&file->list, file->path, &file->err) == -1) {
		cert_list_done(&file->list);
		stapling_unread(s, file->path, &file->err);
	}
	HASH_ADD_KEYPTR(hh, s->files, file->path, strlen(file->path), file);
	return file;
}

static void
forget_files(struct stapling *s)
{
	struct stapling_certs *one, *next;

	HASH_ITER(hh, s->files, one, next)
	{
		HASH_DEL(s->files, one);
		cert_list_done(&one->list);
		free(one->path);
		free(one);
	}
}

/* --- one server block --- */

bool
stapling_is_on(const struct nginx_site *site, enum nginx_setting setting)
{
	const struct nginx_directive *line = site->in_force[setting];

	return line != NULL && strcmp(line->args[0], "on") == 0;
}

static bool
shares_address(const struct nginx_site *a, const struct nginx_site *b)
{
	for (size_t i = 0; i < a->address_count; i++) {
		for (size_t k = 0; k < b->address_count; k++) {
			if (strcmp(a->addresses[i], b->addresses[k]) == 0)
				return true;
		}
	}
	return false;
}

/* Another block at one of SITE's addresses that staples, or NULL. */
static const struct nginx_site *
stapling_mate(const struct stapling *s, const struct nginx_site *site)
{
	const struct nginx_conf *conf = s->request->conf;

	for (size_t i = 0; i < conf->site_count; i++) {
		if (&conf->sites[i] != site &&
		    stapling_is_on(&conf->sites[i], NGINX_STAPLING) &&
		    shares_address(site, &conf->sites[i]))
			return &conf->sites[i];
	}
	return NULL;
}

/* Stapling is off: which is a fault if there is something to staple. */
static void
look_at_silence(struct stapling *s, const struct stapling_pair *pair)
{
	const struct nginx_directive *off =
	    pair->site->in_force[NGINX_STAPLING];
	const struct nginx_site *mate = stapling_mate(s, pair->site);

	if (!acquire_can_ask(pair->leaf))
		return;
	if (pair->site->default_server && mate != NULL)
		(void)stapling_fault(s, "server-cfg-default-server", pair->line,
		    pair,
		    "the server block of '%s' answers by default at %s and "
		    "staples nothing; that at %s:%d does",
		    cert_name(pair->leaf), pair->site->addresses[0],
		    mate->server->file, mate->server->line);
	else
		(void)stapling_fault(s, "server-cfg-stapling-off",
		    off == NULL ? pair->line : off, pair, "%s, for '%s'",
		    off == NULL ? "there is no ssl_stapling"
				: "ssl_stapling is off",
		    cert_name(pair->leaf));
}

static void
look_at_pair(struct stapling *s, const struct stapling_pair *pair)
{
	const struct nginx_site *site = pair->site;
	const struct nginx_directive *file =
	    site->in_force[NGINX_STAPLING_FILE];
	/* it has no chain, and mostly nobody to ask */
	const bool selfmade = cert_signed_by(pair->leaf, pair->leaf);

	if (!selfmade)
		stapling_chain(s, pair);
	/* stream {} staples only since nginx 1.27.2 */
	if (site->stream && site->in_force[NGINX_STAPLING] == NULL)
		return;
	if (!stapling_is_on(site, NGINX_STAPLING)) {
		look_at_silence(s, pair);
		return;
	}
	if (file != NULL && site->certificate_count > 1)
		(void)stapling_fault(s, "server-cfg-two-certs-one-file", file,
		    NULL, "one staple for %zu certificates: %s, %s",
		    site->certificate_count, site->certificates[0],
		    site->certificates[1]);
	else if (file != NULL)
		stapling_file(s, pair);
	else {
		if (!selfmade)
			stapling_trust(s, pair);
		stapling_fetch(s, pair);
	}
}

/* The line of SITE that names its certificate PATH. */
static const struct nginx_directive *
line_of(
    const struct stapling *s, const struct nginx_site *site, const char *path)
{
	const struct nginx_directive *found = site->first_certificate;

	for (size_t i = 0; i < site->line_count; i++) {
		char *whole =
		    nginx_conf_path(s->request->conf, site->lines[i]->args[0]);

		if (strcmp(whole, path) == 0)
			found = site->lines[i];
		free(whole);
	}
	return found;
}

/* The pair of SITE and its certificate PATH; false if that cannot be read. */
static bool
make_pair(struct stapling *s, const struct nginx_site *site, const char *path,
    struct stapling_pair *pair)
{
	const struct nginx_directive *trusted = site->in_force[NGINX_TRUSTED];
	const struct stapling_certs *file = stapling_load(s, path);

	*pair = (struct stapling_pair){.site = site,
	    .path = path,
	    .list = &file->list,
	    .leaf = cert_list_leaf(&file->list),
	    .line = line_of(s, site, path)};
	if (trusted != NULL) {
		file = stapling_load(s, trusted->args[0]);
		pair->trusted = &file->list;
		pair->trusted_path = file->path;
	}
	return pair->leaf != NULL;
}

static bool
is_wanted(struct stapling *s, const struct nginx_site *site)
{
	const char *fingerprint = s->request->fingerprint;

	for (size_t i = 0; i < site->certificate_count; i++) {
		const struct cert *leaf = cert_list_leaf(
		    &stapling_load(s, site->certificates[i])->list);

		if (leaf != NULL && fingerprint != NULL &&
		    strcmp(leaf->fingerprint, fingerprint) == 0)
			return true;
	}
	return fingerprint == NULL;
}

static void
look_at_site(struct stapling *s, const struct nginx_site *site)
{
	struct stapling_pair pair;

	for (size_t i = 0; i < site->certificate_count; i++) {
		if (make_pair(s, site, site->certificates[i], &pair))
			look_at_pair(s, &pair);
	}
	if (site->unusable != NULL)
		stapling_untested(s, site->unusable->args[0],
		    "a certificate that is no file (%s:%d)",
		    site->unusable->file, site->unusable->line);
}

size_t
stapling_nginx(struct facts *facts, const struct stapling_request *request)
{
	struct stapling s = {.facts = facts, .request = request};
	struct cert_list more = {0};
	struct err err = {0};
	uint8_t *bytes = NULL;
	size_t looked = 0;

	if (request->hosts_file != NULL &&
	    file_read(request->hosts_file, HOSTS_TEXT_MAX, &bytes, &s.hosts_len,
		NULL) == 0)
		s.hosts = (char *)bytes;
	if (request->ca_file != NULL) {
		if (cert_list_load(&more, request->ca_file, &err) == -1)
			stapling_untested(&s, request->ca_file, "%s", err.text);
		s.more = &more;
	}
	for (size_t i = 0; i < request->conf->site_count; i++) {
		if (!is_wanted(&s, &request->conf->sites[i]))
			continue;
		look_at_site(&s, &request->conf->sites[i]);
		looked++;
	}
	stapling_logs(&s);
	forget_files(&s);
	cert_list_done(&more);
	free(s.hosts);
	return looked;
}
