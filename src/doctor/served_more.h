/* SPDX-License-Identifier: ISC */
/* doctor/served_more.h -- more handshakes with a server, all at once.
 *
 * A server has workers, and one may have a staple that another lacks: two
 * handshakes in a row can miss that.  One more is without a server name, as
 * some clients and monitors ask: what the default server shows. */
#ifndef OCLASP_DOCTOR_SERVED_MORE_H
#define OCLASP_DOCTOR_SERVED_MORE_H

#include <stdbool.h>
#include <uv.h>

#include "tls/handshake.h"

struct served_more;

enum {
	SERVED_MORE = 6, /* with the name */
	SERVED_MORE_MS = 3000,
};

/* REQUEST is that of the first handshake (copied); its deadline is not.  ONE
 * comes for each handshake, NAMELESS for the one without a name, which is left
 * out where REQUEST has none; then END, once. */
struct served_more *served_more_start(uv_loop_t *loop,
    const struct handshake_request *request,
    void (*one)(
	void *cookie, bool nameless, const struct handshake_result *result),
    void (*end)(void *cookie), void *cookie);
void served_more_cancel(struct served_more **more);

#endif
