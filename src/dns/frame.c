/* SPDX-License-Identifier: ISC */
/* dns/frame.c -- DNS messages in a stream of octets. */
#include "dns/frame.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "dns/message.h"

/* Up to MAX octets of INPUT to OUT; how many. */
static size_t
move(struct span *input, uint8_t *out, size_t max)
{
	size_t len = input->len < max ? input->len : max;

	if (len > 0)
		memcpy(out, input->at, len);
	input->at += len;
	input->len -= len;
	return len;
}

bool
frame_next(struct frame *frame, struct span *input, struct span *message)
{
	if (frame->message != NULL && frame->have == frame->want)
		frame_reset(frame); /* the one that was told last */
	if (frame->message == NULL) {
		frame->head_len += move(input, frame->head + frame->head_len,
		    sizeof(frame->head) - frame->head_len);
		if (frame->head_len < sizeof(frame->head))
			return false;
		frame->want =
		    (size_t)frame->head[0] << 8 | (size_t)frame->head[1];
		/* at most DNS_MESSAGE_MAX, however long the lie */
		frame->message = mem_new(frame->want > 0 ? frame->want : 1);
	}
	frame->have += move(
	    input, frame->message + frame->have, frame->want - frame->have);
	if (frame->have < frame->want)
		return false;
	message->at = frame->message;
	message->len = frame->want;
	return true;
}

bool
frame_is_cut(const struct frame *frame)
{
	return frame->head_len > 0 &&
	       (frame->message == NULL || frame->have < frame->want);
}

void
frame_reset(struct frame *frame)
{
	free(frame->message);
	*frame = (struct frame){0};
}

void
frame_write(struct buf *out, const uint8_t *message, size_t len)
{
	const uint8_t head[2] = {(uint8_t)(len >> 8), (uint8_t)(len & 0xff)};

	assert(len <= DNS_MESSAGE_MAX);
	buf_add(out, head, sizeof(head));
	buf_add(out, message, len);
}
