/* SPDX-License-Identifier: ISC */
/* servers/nginx_snippet.h -- the text of our snippets; private to nginx*.c. */
#ifndef OCLASP_SERVERS_NGINX_SNIPPET_H
#define OCLASP_SERVERS_NGINX_SNIPPET_H

#include <stdbool.h>

#include "servers/nginx.h"

enum { NGINX_SNIPPET_MAX = 65536 }; /* bytes; ours have under 300 */

/* PATH as one word of nginx's configuration; owned. */
char *nginx_snippet_quote(const char *path);

/* The text that puts the staple file FINGERPRINT.der in force, or withdraws
 * (FINGERPRINT NULL); owned. */
char *nginx_snippet_text(const struct nginx *nginx, const char *fingerprint);

/* The name, without its folder, of the staple file that the snippet PATH puts
 * in force: owned, or NULL if none or not of our making.  Returns -1 if PATH
 * cannot be read. */
int nginx_snippet_staple(const char *path, char **name);

/* True if a staple file may be called so: hex and ".der", no folder. */
bool nginx_snippet_is_staple(const char *name);

/* Call VISIT for each snippet that puts a staple file in force, with its path
 * and the staple file's name.  Returns -1 if that cannot be known of all. */
int nginx_snippet_each(const struct nginx *nginx,
    void (*visit)(void *cookie, const char *path, const char *name),
    void *cookie);

#endif
