/* SPDX-License-Identifier: ISC */
/* fuzz_frame.c -- DNS messages in a stream, in pieces: the first octet says
 * how long a piece is.  Pieces change nothing of what is read. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/mem.h"
#include "dns/frame.h"
#include "dns/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct sums {
	size_t messages, octets;
	uint64_t hash;
	bool cut;
};

static struct sums
read_pieces(const uint8_t *data, size_t size, size_t piece)
{
	struct frame frame = {0};
	struct sums sums = {0};

	while (size > 0) {
		size_t len = size < piece ? size : piece;
		uint8_t *copy = mem_copy(data, len); /* of exact size */
		struct span input = {copy, len};
		struct span message;

		while (frame_next(&frame, &input, &message)) {
			assert(message.len <= DNS_MESSAGE_MAX);
			sums.messages++;
			sums.octets += message.len;
			for (size_t i = 0; i < message.len; i++)
				sums.hash = sums.hash * 31 + message.at[i];
		}
		assert(input.len == 0);
		free(copy);
		data += len;
		size -= len;
	}
	sums.cut = frame_is_cut(&frame);
	frame_reset(&frame);
	return sums;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sums one, other;

	if (size == 0)
		return 0;
	one = read_pieces(data + 1, size - 1, (size_t)data[0] + 1);
	other = read_pieces(data + 1, size - 1, SIZE_MAX);
	assert(one.messages == other.messages && one.octets == other.octets);
	assert(one.hash == other.hash && one.cut == other.cut);
	assert(one.octets + 2 * one.messages <= size);
	return 0;
}
