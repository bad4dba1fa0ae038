/* SPDX-License-Identifier: ISC */
/* servers/nginx.c -- reading a real nginx, and the names of our snippets. */
#include "servers/nginx.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "servers/nginx_command.h"

enum { READABLE_MAX = 120 }; /* bytes of the path in a snippet's name */

struct nginx_scan {
	const struct nginx *nginx;
	struct proc *proc;
	bool reporting;
	void (*cb)(
	    void *cookie, struct nginx_conf *conf, const struct err *err);
	void *cookie;
};

static void
scanned(void *cookie, const struct proc_result *result)
{
	struct nginx_scan *scan = cookie;
	struct nginx_conf *conf = NULL;
	struct err err = {0};

	scan->proc = NULL;
	if (nginx_command_check(scan->nginx, NGINX_DUMP, result, "", &err) ==
	    0) {
		if (result->out_len == PROC_OUTPUT_MAX)
			(void)err_set(&err, REASON_SERVER_CONFIG,
			    "nginx's configuration has %d bytes or more, which "
			    "is more than can be taken",
			    PROC_OUTPUT_MAX);
		else
			(void)nginx_conf_parse(
			    result->out, result->out_len, &conf, &err);
	}
	scan->reporting = true;
	scan->cb(scan->cookie, conf, &err);
	free(scan);
}

struct nginx_scan *
nginx_scan_start(uv_loop_t *loop, const struct nginx *nginx,
    void (*cb)(void *cookie, struct nginx_conf *conf, const struct err *err),
    void *cookie)
{
	struct nginx_scan *scan = mem_new(sizeof(*scan));

	scan->nginx = nginx;
	scan->cb = cb;
	scan->cookie = cookie;
	scan->proc =
	    nginx_command_start(loop, nginx, NGINX_DUMP, scanned, scan);
	return scan;
}

void
nginx_scan_cancel(struct nginx_scan **scan)
{
	struct nginx_scan *s = *scan;

	*scan = NULL;
	if (s == NULL || s->reporting)
		return;
	proc_cancel(&s->proc);
	free(s);
}

/* FNV-1a, 64 bits.  Nobody gains by a collision here: the paths are those of
 * one operator. */
static uint64_t
digest(const char *text)
{
	uint64_t hash = 14695981039346656037U;

	for (; *text != '\0'; text++)
		hash = (hash ^ (unsigned char)*text) * 1099511628211U;
	return hash;
}

/* The path with what a shell or nginx would take for its own replaced, cut at
 * its beginning, which tells least; and a digest, since "a-b/c" and "a/b-c"
 * would look the same. */
char *
nginx_snippet_path(const struct nginx *nginx, const char *certificate)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789._-";
	size_t len = strlen(certificate);
	const char *from = certificate;
	char *readable, *path;

	if (len > READABLE_MAX)
		from += len - READABLE_MAX;
	from += *from == '/';
	readable = mem_string(from);
	for (char *c = readable; *c != '\0'; c++) {
		if (*c == '/')
			*c = '-';
		else if (strchr(plain, *c) == NULL)
			*c = '_';
	}
	path = mem_printf("%s/%s-%016" PRIx64 ".conf", nginx->snippet_dir,
	    readable, digest(certificate));
	free(readable);
	return path;
}

const char *
nginx_site_certificate(const struct nginx_site *site)
{
	if (site->certificate_count != 1 || site->unusable != NULL)
		return NULL;
	return site->certificates[0];
}

bool
nginx_site_includes(const struct nginx *nginx, const struct nginx_site *site,
    const char *certificate)
{
	char *path = nginx_snippet_path(nginx, certificate);
	bool found = false;

	for (size_t i = 0; i < site->include_count; i++)
		found = found || strcmp(site->includes[i], path) == 0;
	free(path);
	return found;
}
