/* SPDX-License-Identifier: ISC */
/* servers/nginx_settings.c -- which directive is in force for a server block.
 *
 * nginx merges outer levels into inner ones: the nearest that says anything is
 * in force.  Of error_log there may be several lines at one level, and the
 * first that is a file tells as much as the others. */
#include <string.h>

#include "servers/nginx_log.h"
#include "servers/nginx_sites.h"

static const char *const names[NGINX_SETTINGS] = {
    [NGINX_STAPLING] = "ssl_stapling",
    [NGINX_STAPLING_FILE] = "ssl_stapling_file",
    [NGINX_STAPLING_RESPONDER] = "ssl_stapling_responder",
    [NGINX_STAPLING_VERIFY] = "ssl_stapling_verify",
    [NGINX_TRUSTED] = "ssl_trusted_certificate",
    [NGINX_CLIENT_CA] = "ssl_client_certificate",
    [NGINX_VERIFY_CLIENT] = "ssl_verify_client",
    [NGINX_RESOLVER] = "resolver",
    [NGINX_REJECT_HANDSHAKE] = "ssl_reject_handshake",
    [NGINX_ERROR_LOG] = "error_log",
};

static const struct nginx_directive *
find(const struct nginx_scope *scope, enum nginx_setting setting)
{
	const struct nginx_directive *other = NULL;

	for (size_t i = 0; i < scope->count; i++) {
		const struct nginx_directive *item = scope->items[i];

		if (item->block || item->arg_count == 0 ||
		    strcmp(item->name, names[setting]) != 0)
			continue;
		if (setting != NGINX_ERROR_LOG ||
		    !nginx_log_is_elsewhere(item->args[0]))
			return item;
		other = item;
	}
	return other;
}

void
nginx_settings_read(struct nginx_site *site,
    const struct nginx_scope *const scopes[], size_t count)
{
	for (int s = 0; s < NGINX_SETTINGS; s++) {
		for (size_t i = 0; i < count && site->in_force[s] == NULL; i++)
			site->in_force[s] =
			    find(scopes[i], (enum nginx_setting)s);
	}
}
