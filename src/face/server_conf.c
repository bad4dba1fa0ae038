/* SPDX-License-Identifier: ISC */
/* face/server_conf.c -- a server's configuration for who judges it. */
#include "face/server_conf.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/loop.h"
#include "base/mem.h"
#include "doctor/stapling.h"
#include "servers/nginx.h"
#include "servers/nginx_files.h"

struct asking {
	uv_loop_t loop;
	struct loop_timer *timer;
	struct nginx_scan *scan;
	struct nginx_conf *conf;
	struct err err;
};

static struct fact_untested *
add_untested(struct facts *facts, const char *what, const char *why)
{
	struct fact_untested *u;

	u = &facts_add(facts, FACT_UNTESTED, "L", 0)->u.untested;
	fact_copy(u->what, sizeof(u->what), what);
	fact_copy(u->why, sizeof(u->why), why);
	return u;
}

const char *
server_conf_command(const struct options *o)
{
	return o->server_command != NULL ? o->server_command : "nginx";
}

/* --- nginx itself --- */

static void
scanned(void *cookie, struct nginx_conf *conf, const struct err *err)
{
	struct asking *a = cookie;

	a->scan = NULL;
	a->conf = conf;
	a->err = *err;
	loop_timer_cancel(&a->timer);
}

static void
too_late(void *cookie)
{
	struct asking *a = cookie;

	nginx_scan_cancel(&a->scan);
	(void)err_set(&a->err, REASON_SERVER_CONFIG,
	    "`nginx -T` has said nothing in %d s", SERVER_CONF_MS / 1000);
}

static struct nginx_conf *
ask_nginx(const char *command, struct err *err)
{
	const struct nginx nginx = {
	    .command = command,
	    .snippet_dir = "",
	    .staple_dir = "",
	};
	struct asking a = {0};

	(void)uv_loop_init(&a.loop);
	a.timer = loop_timer_start(&a.loop, SERVER_CONF_MS, too_late, &a);
	a.scan = nginx_scan_start(&a.loop, &nginx, scanned, &a);
	loop_run(&a.loop);
	loop_end(&a.loop);
	if (a.conf == NULL)
		*err = a.err;
	return a.conf;
}

/* --- its files --- */

static struct nginx_conf *
read_files(const char *path, struct facts *facts, struct err *err)
{
	struct nginx_unread *unread = mem_new(sizeof(*unread));
	struct nginx_conf *conf = NULL;

	if (nginx_files_read(path, &conf, unread, err) == 0) {
		for (size_t i = 0; i < unread->count && i < NGINX_UNREAD_MAX;
		     i++)
			add_untested(facts, "an included file", unread->text[i])
			    ->unread = true;
		if (unread->count > NGINX_UNREAD_MAX)
			(void)add_untested(facts, "more included files",
			    "they cannot be read either");
	}
	free(unread);
	return conf;
}

struct nginx_conf *
server_conf_read(const struct options *o, const char *file, struct facts *facts,
    struct err *err)
{
	const char *command = server_conf_command(o);
	struct err refusal = {0}, unreadable = {0};
	struct nginx_conf *conf;
	char *path;

	if (file != NULL)
		return read_files(file, facts, err);
	conf = ask_nginx(command, &refusal);
	if (conf != NULL)
		return conf;
	path = nginx_files_main(command);
	if (path != NULL)
		conf = read_files(path, facts, &unreadable);
	if (conf != NULL)
		(void)add_untested(
		    facts, "what nginx itself says", refusal.text);
	else
		*err = refusal;
	free(path);
	return conf;
}

size_t
server_conf_facts(const struct options *o, const struct nginx_conf *conf,
    const char *fingerprint, struct facts *facts)
{
	const struct stapling_request request = {
	    .conf = conf,
	    .command = server_conf_command(o),
	    .now = options_now(o),
	    .hosts_file = o->hosts_file != NULL ? o->hosts_file : "/etc/hosts",
	    .ca_file = o->ca_file,
	    .fingerprint = fingerprint,
	};
	size_t looked = stapling_nginx(facts, &request);

	if (looked == 0)
		(void)add_untested(facts, "the server's configuration",
		    fingerprint == NULL
			? "it has no server block with a certificate"
			: "none of its server blocks has this certificate");
	return looked;
}
