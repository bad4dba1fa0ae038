/* SPDX-License-Identifier: ISC */
/* dns/frame.h -- DNS messages in a stream of octets.
 *
 * RFC 1035, section 4.2.2: "The message is prefixed with a two byte length
 * field which gives the message length, excluding the two byte length field."
 * Pure. */
#ifndef OCLASP_DNS_FRAME_H
#define OCLASP_DNS_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

/* What has come of a message.  Zero is the beginning of a stream. */
struct frame {
	uint8_t head[2];
	size_t head_len;
	uint8_t *message; /* owned */
	size_t want, have;
};

/* Take octets off INPUT until a message is whole: then true, and *MESSAGE is
 * it, borrowed until the next call; a message of no octets is one too.  False
 * when INPUT is used up. */
bool frame_next(struct frame *frame, struct span *input, struct span *message);

/* True if a message has begun and is not whole. */
bool frame_is_cut(const struct frame *frame);

/* The beginning of a stream again; frees. */
void frame_reset(struct frame *frame);

/* Append a message, at most DNS_MESSAGE_MAX octets, with its length. */
void frame_write(struct buf *out, const uint8_t *message, size_t len);

#endif
