/* SPDX-License-Identifier: ISC */
/* servers/nginx_files.h -- nginx's configuration from its files, where nginx
 * itself cannot be asked: it is not there, or it may not read its own keys. */
#ifndef OCLASP_SERVERS_NGINX_FILES_H
#define OCLASP_SERVERS_NGINX_FILES_H

#include <stddef.h>

struct err;
struct nginx_conf;

enum {
	NGINX_FILES_BYTES = 64 << 20, /* of all files together */
	NGINX_UNREAD_MAX = 64,        /* told of */
	NGINX_UNREAD_TEXT = 512,      /* ERR_TEXT */
};

/* Included files that could not be read, each with its reason. */
struct nginx_unread {
	char text[NGINX_UNREAD_MAX][NGINX_UNREAD_TEXT];
	size_t count; /* may be more than are told */
};

/* Read the main file PATH and what it includes, with globs; or, if PATH holds
 * what `nginx -T` printed, that alone.  What is included and cannot be read is
 * in UNREAD and stops nothing.
 * Errors: REASON_FILE (the main file), REASON_SERVER_CONFIG with file:line. */
int nginx_files_read(const char *path, struct nginx_conf **out,
    struct nginx_unread *unread, struct err *err);

/* The main file of the nginx that COMMAND calls: by its -c and -p, else where
 * it is usually.  Owned; NULL: none is there. */
char *nginx_files_main(const char *command);

/* PATH of a log as that nginx opens it: a relative one is below its -p.  Owned;
 * NULL: that cannot be known, or it is no file. */
char *nginx_files_log(const char *command, const char *path);

#endif
