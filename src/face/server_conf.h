/* SPDX-License-Identifier: ISC */
/* face/server_conf.h -- a server's configuration for who judges it. */
#ifndef OCLASP_FACE_SERVER_CONF_H
#define OCLASP_FACE_SERVER_CONF_H

#include "doctor/fact.h"
#include "face/options.h"

struct nginx_conf;

/* As nginx is called by these options. */
const char *server_conf_command(const struct options *options);

/* Read nginx's configuration: from FILE and what it includes; or, where FILE is
 * NULL, by `nginx -T`, and from its files if that does not run or takes longer
 * than SERVER_CONF_MS.  What was not to be read becomes FACT_UNTESTED.  Owned;
 * NULL with ERR: REASON_FILE, REASON_SERVER_CONFIG. */
enum { SERVER_CONF_MS = 10000 };
struct nginx_conf *server_conf_read(const struct options *options,
    const char *file, struct facts *facts, struct err *err);

/* Add what CONF says of the certificate with FINGERPRINT (NULL: of all), and
 * what its logs do; that there is no such server block, as FACT_UNTESTED.
 * Returns how many server blocks were looked at. */
size_t server_conf_facts(const struct options *options,
    const struct nginx_conf *conf, const char *fingerprint,
    struct facts *facts);

#endif
