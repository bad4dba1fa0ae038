/* SPDX-License-Identifier: ISC */
/* tls/channel.h -- octets to and from one server, over TCP or TLS, on the loop.
 *
 * Whom TLS believes is said by secure.h.  There is no deadline in here: the
 * caller, who knows what the octets are for, has one and cancels. */
#ifndef OCLASP_TLS_CHANNEL_H
#define OCLASP_TLS_CHANNEL_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <uv.h>

#include "base/text.h"

struct channel;
struct err;
struct secure_trust;

struct channel_request {
	const struct sockaddr *address;   /* with the port */
	const struct secure_trust *trust; /* NULL: plain TCP */
	struct span say; /* said as soon as the channel is open */
};

struct channel_callbacks {
	/* any number; borrowed during the call */
	void (*input)(void *cookie, const uint8_t *bytes, size_t len);
	/* once, the last: REASON_NONE when the server has ended it in order,
	 * else REASON_CONNECT_*, REASON_UNREACHABLE, REASON_TLS_FAILED,
	 * REASON_FILE (of ca_file) */
	void (*end)(void *cookie, const struct err *err);
};

/* Copies what REQUEST names. */
struct channel *channel_start(uv_loop_t *loop,
    const struct channel_request *request,
    const struct channel_callbacks *callbacks, void *cookie);
void channel_cancel(struct channel **channel);

/* What the server has not done yet, for whoever loses patience: "answer the
 * connection", "finish the TLS handshake", "answer". */
const char *channel_waits_for(const struct channel *channel);

#endif
