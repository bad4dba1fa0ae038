/* SPDX-License-Identifier: ISC */
/* servers/nginx_listen.h -- one `listen` directive as facts. */
#ifndef OCLASP_SERVERS_NGINX_LISTEN_H
#define OCLASP_SERVERS_NGINX_LISTEN_H

#include <stdbool.h>

#include "servers/nginx_conf.h"

struct nginx_listen {
	char *address;   /* "*:443", "127.0.0.1:443", "[::1]:443"; NULL if it
			    is a Unix socket or not readable */
	char *reachable; /* the same to connect to; NULL: cannot be, as for a
			    host name */
	bool ssl;
	bool proxy;  /* the PROXY protocol comes first */
	bool chosen; /* default_server */
	bool tcp;    /* not QUIC, not a Unix socket */
};

/* DIRECTIVE has one argument at least. */
struct nginx_listen nginx_listen_read(const struct nginx_directive *directive);
void nginx_listen_done(struct nginx_listen *listen);

#endif
