/* SPDX-License-Identifier: ISC */
/* servers/nginx_lua.h -- where a block of Lua in nginx's configuration ends. */
#ifndef OCLASP_SERVERS_NGINX_LUA_H
#define OCLASP_SERVERS_NGINX_LUA_H

#include <stdbool.h>
#include <stddef.h>

/* AT is behind the '{' of an ..._by_lua_block in TEXT of LEN bytes: *END is
 * behind the '}' that matches it, braces in Lua's strings and comments not
 * counted.  False if there is none. */
bool nginx_lua_end(const char *text, size_t len, size_t at, size_t *end);

#endif
