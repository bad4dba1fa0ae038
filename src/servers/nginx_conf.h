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
	NGINX_DEPTH_MAX = 32, /* nested blocks, and nested includes */
	/* Directives in all files, and in all scopes with the includes in
	 * place: a file that is included often counts each time. */
	NGINX_DIRECTIVES_MAX = 1 << 20,
	NGINX_FILES_MAX = 1 << 17,
	NGINX_WORD_MAX = 65536, /* bytes; nginx itself takes 4096 */
};

/* One directive as it stands in a file. */
struct nginx_directive {
	char *name;
	char **args; /* quotes and escapes taken off */
	size_t arg_count;
	const char *file;    /* path; borrowed of the conf */
	int line, last_line; /* 1-based; last_line is that of its ';' or '}' */
	size_t start, end;   /* its bytes in the file's text: from the name to
				behind the ';' or '}' */
	struct nginx_directive *children; /* owned; of a block */
	size_t child_count;
	bool block;
};

/* What nginx is told of OCSP and of what it needs for it. */
enum nginx_setting {
	NGINX_STAPLING,
	NGINX_STAPLING_FILE,
	NGINX_STAPLING_RESPONDER,
	NGINX_STAPLING_VERIFY,
	NGINX_TRUSTED,       /* ssl_trusted_certificate */
	NGINX_CLIENT_CA,     /* ssl_client_certificate */
	NGINX_VERIFY_CLIENT, /* ssl_verify_client */
	NGINX_RESOLVER,
	NGINX_REJECT_HANDSHAKE,
	NGINX_ERROR_LOG,
	NGINX_SETTINGS
};

/* A server block with a certificate, in http {} or stream {}.  "Its scope" is
 * the block with all included files in place. */
struct nginx_site {
	const struct nginx_directive *server; /* borrowed of the conf */
	bool stream;                          /* in stream {} */
	char **certificates; /* ssl_certificate paths, absolute; those that
				nginx reads only at a connection ($variable)
				or that are no file (data:) are left out */
	size_t certificate_count;
	/* The first ssl_certificate of those, and all ssl_certificate lines in
	 * its scope; if `inherited`, they stand in http {} itself. */
	const struct nginx_directive *first_certificate;
	const struct nginx_directive **lines; /* owned list of borrows */
	size_t line_count;
	bool inherited;
	/* One that was left out above, or NULL. */
	const struct nginx_directive *unusable;
	/* ssl_stapling and ssl_stapling_file in its scope. */
	const struct nginx_directive **stapling; /* owned list of borrows */
	size_t stapling_count;
	char **includes; /* what its scope includes, absolute, with globs */
	size_t include_count;
	const struct nginx_directive **include_lines; /* as `lines` */
	size_t include_line_count;
	/* The directive that is in force for each setting: of its scope, of
	 * http {} or stream {}, or of the main level; NULL: none. */
	const struct nginx_directive *in_force[NGINX_SETTINGS];
	char **names; /* server_name, without regexes and catch-alls */
	size_t name_count;
	char **addresses; /* where it speaks TLS over TCP, as nginx tells
			     listeners apart: "*:443" */
	size_t address_count;
	/* At one of these nginx takes it for those who ask by no name, or by
	 * one that no server block has. */
	bool default_server;
	char **listens; /* "ADDR:PORT" to connect to by TLS over TCP: wildcard
			   addresses are 127.0.0.1 and [::1]; without those
			   that want the PROXY protocol first.  May be none */
	size_t listen_count;
	/* One of these and a name to send there, NULL for none, so that nginx
	 * takes this block and no other.  ASK_AT NULL: there is no such */
	const char *ask_at; /* borrowed of LISTENS */
	char *ask_for;
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
	struct nginx_site *sites; /* in the order of the configuration */
	size_t site_count;
	/* ssl_stapling_file in http {} itself, which is in force where a site
	 * says nothing; or NULL. */
	const struct nginx_directive *stapling_for_all;
};

/* Read a dump.  Relative paths are under the folder of the main file, which is
 * nginx's rule for certificates and includes.
 * Errors: REASON_SERVER_CONFIG with file:line. */
int nginx_conf_parse(
    const char *dump, size_t len, struct nginx_conf **out, struct err *err);
void nginx_conf_free(struct nginx_conf *conf);

/* PATH as nginx opens it, which is relative to the folder of the main file;
 * owned. */
char *nginx_conf_path(const struct nginx_conf *conf, const char *path);

/* The file in which DIRECTIVE stands; borrowed. */
const struct nginx_file *nginx_conf_file(
    const struct nginx_conf *conf, const struct nginx_directive *directive);

#endif
