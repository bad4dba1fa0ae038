/* SPDX-License-Identifier: ISC */
/* servers/nginx_log.h -- what nginx's error log says of its own OCSP fetches.
 *
 * A line of it, as ngx_ssl_ocsp_log_error() writes it:
 *
 *   2020/09/28 10:11:12 [error] 7#7: OCSP responder timed out (110: Connection
 *   timed out) while requesting certificate status, responder: ocsp.ca.example,
 *   peer: 192.0.2.77:80, certificate: "/etc/ssl/a.pem"
 *
 * peer is missing before a connection, as when the name does not resolve. */
#ifndef OCLASP_SERVERS_NGINX_LOG_H
#define OCLASP_SERVERS_NGINX_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

struct err;

enum {
	NGINX_LOG_TAIL = 256 << 10, /* bytes of its end that are read */
	NGINX_LOG_ADDRESS = 46,     /* INET6_ADDRSTRLEN */
	NGINX_LOG_TEXT = 256,
	NGINX_LOG_WHEN = 20,       /* "2020/09/28 10:11:12" */
	NGINX_LOG_ENTRIES_MAX = 8, /* the last ones that differ */
};

struct nginx_log_entry {
	/* local time of the machine, as nginx writes it */
	int year, month, day, hour, minute, second;
	char when[NGINX_LOG_WHEN]; /* the same as it stands there */
	char responder[NGINX_LOG_TEXT];
	char peer[NGINX_LOG_ADDRESS]; /* "" if the line has none */
	int port;                     /* of the peer; 0: none */
	char certificate[NGINX_LOG_TEXT];
	char message[NGINX_LOG_TEXT]; /* nginx's words, cut, cleaned */
};

/* Read one LINE without its end; false, *OUT untouched, if it is about
 * anything else.  Much of a log is text of strangers (a request, a referrer, a
 * header of the responder): only what stands at the end of a line, whole and
 * with no client, counts. */
bool nginx_log_line(struct span line, struct nginx_log_entry *out);

/* The last entries of TEXT, newest first, each peer (and each responder
 * without one) once; returns how many. */
size_t nginx_log_entries(
    struct span text, struct nginx_log_entry out[NGINX_LOG_ENTRIES_MAX]);

/* True if NAME, an argument of error_log, is no file. */
bool nginx_log_is_elsewhere(const char *name);

/* The end of the file PATH, at most NGINX_LOG_TAIL bytes; owned.
 * Errors: REASON_FILE. */
int nginx_log_tail(
    const char *path, uint8_t **out, size_t *len, struct err *err);

#endif
