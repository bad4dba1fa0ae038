/* SPDX-License-Identifier: ISC */
/* servers/nginx_sites.c -- from directives to sites.
 *
 * A server block may stand in an included file, its certificate in a file that
 * the block includes, or in http {} for all blocks.  So each block is first
 * made flat: its directives with those of all included files in their places.
 * What nginx opened is in the dump, so globs are matched against the dump's own
 * files. */
#include "servers/nginx_sites.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "servers/grow.h"
#include "servers/nginx_listen.h"

/* One file by its path. */
struct known {
	const struct nginx_file *file;
	UT_hash_handle hh;
};

/* An address of `listen`. */
struct address {
	char *text; /* "*:443" */
	/* some server block gives it `ssl`: nginx then speaks TLS there for
	 * all blocks that listen on it */
	bool tls;
	bool proxy; /* likewise: it waits for the PROXY protocol there */
	/* the block with `default_server`, else the first; borrowed */
	const struct nginx_directive *server;
	bool chosen; /* by `default_server` */
	UT_hash_handle hh;
};

struct finder {
	struct nginx_conf *conf;
	struct known *files;
	struct address *addresses;
	struct nginx_scope top;
	size_t total; /* items of all scopes so far */
	struct err *err;
};

static bool
is(const struct nginx_directive *directive, const char *name, size_t args)
{
	return directive->arg_count >= args &&
	       strcmp(directive->name, name) == 0;
}

static char *
absolute(const struct finder *finder, const char *path)
{
	return nginx_conf_path(finder->conf, path);
}

/* The one in LIST that is like TEXT, or NULL. */
static const char *
find_text(char **list, size_t count, const char *text)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(list[i], text) == 0)
			return list[i];
	}
	return NULL;
}

static void
add_text(char ***list, size_t *count, char *take)
{
	if (find_text(*list, *count, take) != NULL) {
		free(take);
		return;
	}
	*list = grow(*list, *count, sizeof(**list));
	(*list)[(*count)++] = take;
}

/* --- scopes --- */

static int flatten(struct finder *finder,
    const struct nginx_directive *directives, size_t count, int depth,
    struct nginx_scope *scope);

static int
flatten_include(struct finder *finder, const char *arg, int depth,
    struct nginx_scope *scope)
{
	char *pattern = absolute(finder, arg);
	struct known *known = NULL;
	int rc = 0;

	if (strpbrk(pattern, "*?[") == NULL) {
		HASH_FIND_STR(finder->files, pattern, known);
		if (known != NULL)
			rc = flatten(finder, known->file->directives,
			    known->file->directive_count, depth + 1, scope);
		free(pattern);
		return rc;
	}
	for (size_t i = 0; rc == 0 && i < finder->conf->file_count; i++) {
		const struct nginx_file *file = &finder->conf->files[i];

		if (fnmatch(pattern, file->path, FNM_PATHNAME | FNM_PERIOD) ==
		    0)
			rc = flatten(finder, file->directives,
			    file->directive_count, depth + 1, scope);
	}
	free(pattern);
	return rc;
}

/* Includes stay in the list, before what they include. */
static int
flatten(struct finder *finder, const struct nginx_directive *directives,
    size_t count, int depth, struct nginx_scope *scope)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < count; i++) {
		const struct nginx_directive *directive = &directives[i];

		if (++finder->total > NGINX_DIRECTIVES_MAX ||
		    depth > NGINX_DEPTH_MAX)
			return err_set(finder->err, REASON_SERVER_CONFIG,
			    "too many or too deeply nested includes at '%s', "
			    "line %d",
			    directive->file, directive->line);
		scope->items =
		    grow(scope->items, scope->count, sizeof(*scope->items));
		scope->items[scope->count++] = directive;
		if (is(directive, "include", 1))
			rc = flatten_include(
			    finder, directive->args[0], depth, scope);
	}
	return rc;
}

static int
flatten_block(struct finder *finder, const struct nginx_directive *block,
    struct nginx_scope *scope)
{
	return flatten(finder, block->children, block->child_count, 0, scope);
}

/* --- where TLS is spoken --- */

static struct address *
find_address(const struct finder *finder, const char *text)
{
	struct address *found = NULL;

	if (text != NULL)
		HASH_FIND_STR(finder->addresses, text, found);
	return found;
}

static void
note_listen(struct finder *finder, const struct nginx_directive *server,
    const struct nginx_directive *directive)
{
	struct nginx_listen listen = nginx_listen_read(directive);
	struct address *address = find_address(finder, listen.address);

	if (address == NULL && listen.tcp) {
		address = mem_new(sizeof(*address));
		address->text = mem_string(listen.address);
		address->server = server;
		HASH_ADD_KEYPTR(hh, finder->addresses, address->text,
		    strlen(address->text), address);
	}
	if (listen.tcp) {
		address->tls = address->tls || listen.ssl;
		address->proxy = address->proxy || listen.proxy;
		if (listen.chosen && !address->chosen) {
			address->chosen = true;
			address->server = server;
		}
	}
	nginx_listen_done(&listen);
}

/* First pass: which addresses speak TLS, and whose they are by default. */
static void
note_addresses(struct finder *finder, const struct nginx_directive *block,
    const struct nginx_scope *server)
{
	for (size_t i = 0; i < server->count; i++) {
		if (is(server->items[i], "listen", 1))
			note_listen(finder, block, server->items[i]);
	}
}

static void
forget_addresses(struct finder *finder)
{
	struct address *one, *next;

	HASH_ITER(hh, finder->addresses, one, next)
	{
		HASH_DEL(finder->addresses, one);
		free(one->text);
		free(one);
	}
}

/* --- sites --- */

/* A `server_name` that can be sent as SNI: no regex, no catch-all, no
 * variable; ".example.com" stands for example.com too.  A wildcard can with some
 * label in its place, where there is nothing better. */
static void
add_name(struct nginx_site *site, const char *name)
{
	const char *star = strchr(name, '*');

	if (name[0] == '.')
		name++;
	if (name[0] == '\0' || strcmp(name, "_") == 0 ||
	    strpbrk(name, "~$") != NULL)
		return;
	if (star == NULL)
		add_text(&site->names, &site->name_count, mem_string(name));
	else if (site->ask_for == NULL && strlen(name) > 2)
		site->ask_for = mem_printf(
		    "%.*soclasp%s", (int)(star - name), name, star + 1);
}

static void
add_line(const struct nginx_directive ***list, size_t *count,
    const struct nginx_directive *directive)
{
	*list = grow(*list, *count, sizeof(**list));
	(*list)[(*count)++] = directive;
}

static void
add_certificate(struct finder *finder, struct nginx_site *site,
    const struct nginx_directive *directive, bool inherited)
{
	const char *path = directive->args[0];

	add_line(&site->lines, &site->line_count, directive);
	if (strchr(path, '$') != NULL || text_starts(path, "data:")) {
		site->unusable = directive;
		return;
	}
	if (site->certificate_count == 0) {
		site->first_certificate = directive;
		site->inherited = inherited;
	}
	add_text(&site->certificates, &site->certificate_count,
	    absolute(finder, path));
}

/* True if the site speaks TLS on this `listen` or has `ssl on`. */
static bool
add_listen(struct finder *finder, struct nginx_site *site,
    const struct nginx_directive *directive, bool ssl_on)
{
	struct nginx_listen listen = nginx_listen_read(directive);
	const struct address *address =
	    listen.tcp ? find_address(finder, listen.address) : NULL;
	bool tls = ssl_on || listen.ssl || (address != NULL && address->tls);

	if (tls && address != NULL) {
		site->default_server =
		    site->default_server || address->server == site->server;
		add_text(&site->addresses, &site->address_count,
		    mem_string(address->text));
	}
	if (tls && address != NULL && !address->proxy &&
	    listen.reachable != NULL) {
		add_text(&site->listens, &site->listen_count,
		    mem_string(listen.reachable));
		if (address->server == site->server && site->ask_at == NULL)
			site->ask_at = find_text(site->listens,
			    site->listen_count, listen.reachable);
	}
	nginx_listen_done(&listen);
	return tls;
}

/* So far ask_at is where it is the default one, and ask_for has a wildcard. */
static void
choose_question(struct nginx_site *site)
{
	const struct nginx_directive *reject =
	    site->in_force[NGINX_REJECT_HANDSHAKE];

	if (site->name_count > 0) {
		free(site->ask_for);
		site->ask_for = mem_string(site->names[0]);
	}
	if (site->ask_for != NULL)
		site->ask_at = site->listen_count > 0 ? site->listens[0] : NULL;
	if (reject != NULL && strcmp(reject->args[0], "on") == 0)
		site->ask_at = NULL;
	if (site->ask_at == NULL) {
		free(site->ask_for);
		site->ask_for = NULL;
	}
}

static bool
has_ssl_on(const struct nginx_scope *scope)
{
	for (size_t i = 0; i < scope->count; i++) {
		if (is(scope->items[i], "ssl", 1))
			return strcmp(scope->items[i]->args[0], "on") == 0;
	}
	return false;
}

static void
read_site_directive(struct finder *finder, struct nginx_site *site,
    const struct nginx_directive *directive)
{
	if (is(directive, "ssl_certificate", 1)) {
		add_certificate(finder, site, directive, false);
	} else if (is(directive, "server_name", 1)) {
		for (size_t i = 0; i < directive->arg_count; i++)
			add_name(site, directive->args[i]);
	} else if (is(directive, "ssl_stapling", 1) ||
		   is(directive, "ssl_stapling_file", 1)) {
		add_line(&site->stapling, &site->stapling_count, directive);
	} else if (is(directive, "include", 1)) {
		add_line(
		    &site->include_lines, &site->include_line_count, directive);
		add_text(&site->includes, &site->include_count,
		    absolute(finder, directive->args[0]));
	}
}

static void
free_texts(char **list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(list[i]);
	free(list);
}

static void
site_done(struct nginx_site *site)
{
	free_texts(site->certificates, site->certificate_count);
	free_texts(site->includes, site->include_count);
	free_texts(site->names, site->name_count);
	free_texts(site->listens, site->listen_count);
	free_texts(site->addresses, site->address_count);
	free(site->ask_for);
	free(site->stapling);
	free(site->lines);
	free(site->include_lines);
}

/* Second pass: OUTER is http {} or stream {}, BLOCK one server in it. */
static void
add_site(struct finder *finder, const struct nginx_scope *outer,
    const struct nginx_directive *block, const struct nginx_scope *server,
    bool stream)
{
	struct nginx_conf *conf = finder->conf;
	const struct nginx_scope *const scopes[] = {
	    server, outer, &finder->top};
	struct nginx_site site = {.server = block, .stream = stream};
	bool ssl_on = has_ssl_on(server) || has_ssl_on(outer);
	bool tls = ssl_on;
	bool inherits;

	for (size_t i = 0; i < server->count; i++) {
		read_site_directive(finder, &site, server->items[i]);
		if (is(server->items[i], "listen", 1) &&
		    add_listen(finder, &site, server->items[i], ssl_on))
			tls = true;
	}
	/* Certificates of http {} are for those who have none and need one. */
	inherits = tls && site.certificate_count == 0 && site.unusable == NULL;
	for (size_t i = 0; inherits && i < outer->count; i++) {
		if (is(outer->items[i], "ssl_certificate", 1))
			add_certificate(finder, &site, outer->items[i], true);
	}
	if (site.certificate_count == 0 && site.unusable == NULL) {
		site_done(&site);
		return;
	}
	nginx_settings_read(&site, scopes, sizeof(scopes) / sizeof(scopes[0]));
	choose_question(&site);
	conf->sites = grow(conf->sites, conf->site_count, sizeof(site));
	conf->sites[conf->site_count++] = site;
}

/* The sites of one http {} or stream {}. */
static int
read_outer(
    struct finder *finder, const struct nginx_directive *block, bool stream)
{
	struct nginx_scope outer = {0};
	struct nginx_scope *servers = NULL;
	int rc = flatten_block(finder, block, &outer);

	servers = mem_array(outer.count, sizeof(*servers));
	for (size_t i = 0; rc == 0 && i < outer.count; i++) {
		const struct nginx_directive *item = outer.items[i];

		if (item->block && is(item, "server", 0)) {
			rc = flatten_block(finder, item, &servers[i]);
			note_addresses(finder, item, &servers[i]);
		} else if (!stream && is(item, "ssl_stapling_file", 1)) {
			finder->conf->stapling_for_all = item;
		}
	}
	for (size_t i = 0; rc == 0 && i < outer.count; i++) {
		const struct nginx_directive *item = outer.items[i];

		if (item->block && is(item, "server", 0))
			add_site(finder, &outer, item, &servers[i], stream);
	}
	for (size_t i = 0; i < outer.count; i++)
		free(servers[i].items);
	free(servers);
	free(outer.items);
	forget_addresses(finder);
	return rc;
}

static void
know_files(struct finder *finder)
{
	for (size_t i = 0; i < finder->conf->file_count; i++) {
		struct known *known = mem_new(sizeof(*known));

		known->file = &finder->conf->files[i];
		HASH_ADD_KEYPTR(hh, finder->files, known->file->path,
		    strlen(known->file->path), known);
	}
}

static void
forget_files(struct finder *finder)
{
	struct known *one, *next;

	HASH_ITER(hh, finder->files, one, next)
	{
		HASH_DEL(finder->files, one);
		free(one);
	}
}

int
nginx_sites_find(struct nginx_conf *conf, struct err *err)
{
	struct finder finder = {.conf = conf, .err = err};
	struct nginx_scope *top = &finder.top;
	int rc;

	know_files(&finder);
	rc = flatten(&finder, conf->files[0].directives,
	    conf->files[0].directive_count, 0, top);
	for (size_t i = 0; rc == 0 && i < top->count; i++) {
		if (!top->items[i]->block)
			continue;
		if (is(top->items[i], "http", 0))
			rc = read_outer(&finder, top->items[i], false);
		else if (is(top->items[i], "stream", 0))
			rc = read_outer(&finder, top->items[i], true);
	}
	free(top->items);
	forget_files(&finder);
	return rc;
}

void
nginx_sites_free(struct nginx_conf *conf)
{
	for (size_t i = 0; i < conf->site_count; i++)
		site_done(&conf->sites[i]);
	free(conf->sites);
}
