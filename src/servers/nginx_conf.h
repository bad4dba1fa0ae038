/* SPDX-License-Identifier: ISC */
/* servers/nginx_conf.h -- what `nginx -T` prints, as facts.
 *
 * Pure: text in, facts out.  Includes are followed within the dump. */
#ifndef OCLASP_SERVERS_NGINX_CONF_H
#define OCLASP_SERVERS_NGINX_CONF_H

#include <stdbool.h>
#include <stddef.h>

struct err;

enum {
	NGINX_DEPTH_MAX = 32, /* nested blocks and includes */
	NGINX_DIRECTIVES_MAX = 1 << 20,
};

/* One directive as it stands in a file. */
struct nginx_directive {
	char *name;
	char **args;
	size_t arg_count;
	const char *file;    /* borrowed of the conf */
	int line, last_line; /* 1-based; last_line is that of its ';' or '}' */
	struct nginx_directive *children; /* owned; of a block */
	size_t child_count;
	bool block;
};

/* A server block with a certificate, in http {} or stream {}. */
struct nginx_site {
	const struct nginx_directive *server; /* borrowed of the conf */
	char **certificates; /* ssl_certificate paths, absolute */
	size_t certificate_count;
	const struct nginx_directive *first_certificate; /* where an include
							    line fits after */
	char **names; /* server_name, without regexes and catch-alls */
	size_t name_count;
	char **listens; /* "ADDR:PORT" to connect to: wildcard addresses are
			   127.0.0.1 and [::1]; only those with `ssl` or in a
			   block that has certificates and speaks TLS */
	size_t listen_count;
};

struct nginx_file {
	char *path;
	char *text; /* exactly as in the dump */
	size_t len;
	struct nginx_directive *directives;
	size_t directive_count;
};

struct nginx_conf {
	struct nginx_file *files; /* files[0] is the main one */
	size_t file_count;
	struct nginx_site *sites;
	size_t site_count;
};

/* Read a dump.  PREFIX is what relative paths of certificates are under (NULL:
 * the folder of the main file, which is nginx's rule for them).
 * Errors: REASON_SERVER_CONFIG with file:line. */
int nginx_conf_parse(
    const char *dump, size_t len, struct nginx_conf **out, struct err *err);
void nginx_conf_free(struct nginx_conf *conf);

#endif
