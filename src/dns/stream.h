/* SPDX-License-Identifier: ISC */
/* dns/stream.h -- DNS questions over TCP (RFC 7766) or TLS (RFC 7858).
 *
 * The questions share a connection, one behind the other without waiting.  A
 * server that answers one and closes is asked the rest on another. */
#ifndef OCLASP_DNS_STREAM_H
#define OCLASP_DNS_STREAM_H

#include <stdint.h>
#include <sys/socket.h>
#include <uv.h>

#include "dns/question.h"

struct secure_trust;
struct stream;

enum {
	STREAM_DEADLINE_MS = 5000, /* of the whole, unless told */
	STREAM_MESSAGES_MAX = 16,  /* read of one server, answers or not */
};

struct stream_server {
	const struct sockaddr *address;   /* with the port */
	const struct secure_trust *trust; /* whom TLS believes; NULL: plain */
	int64_t deadline_ms;              /* 0: STREAM_DEADLINE_MS */
};

/* Copies what SERVER and QUESTIONS name.  Errors: REASON_CONNECT_*, REASON_UNREACHABLE,
 * REASON_TLS_FAILED, REASON_FILE, REASON_DNS_NO_ANSWER. */
struct stream *stream_start(uv_loop_t *loop, const struct stream_server *server,
    const struct questions *questions,
    const struct question_callbacks *callbacks, void *cookie);
void stream_cancel(struct stream **stream);

#endif
