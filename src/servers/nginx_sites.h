/* SPDX-License-Identifier: ISC */
/* servers/nginx_sites.h -- from directives to sites; the second half of
 * nginx_conf, private to it. */
#ifndef OCLASP_SERVERS_NGINX_SITES_H
#define OCLASP_SERVERS_NGINX_SITES_H

#include "servers/nginx_conf.h"

struct err;

/* The directives of one block, includes in place; all borrowed. */
struct nginx_scope {
	const struct nginx_directive **items;
	size_t count;
};

/* Fill in the sites of CONF, whose files have been read.
 * Errors: REASON_SERVER_CONFIG. */
int nginx_sites_find(struct nginx_conf *conf, struct err *err);

/* What is in force for SITE: SCOPES are its own, then the outer ones. */
void nginx_settings_read(struct nginx_site *site,
    const struct nginx_scope *const scopes[], size_t count);

void nginx_sites_free(struct nginx_conf *conf);

#endif
