/* SPDX-License-Identifier: ISC */
/* dns/connection.h -- questions to a resolver that is reached over one
 * connection: tcp, tls, https.  Only chooses between stream.c and https.c. */
#ifndef OCLASP_DNS_CONNECTION_H
#define OCLASP_DNS_CONNECTION_H

#include <uv.h>

#include "dns/question.h"

struct connection;
struct resolver;

/* RESOLVER is a tcp, tls or https one; what it borrows must outlive.  Errors:
 * those of dns/stream.h and dns/https.h. */
struct connection *connection_start(uv_loop_t *loop,
    const struct resolver *resolver, const struct questions *questions,
    const struct question_callbacks *callbacks, void *cookie);
void connection_cancel(struct connection **connection);

#endif
