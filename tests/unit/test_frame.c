/* SPDX-License-Identifier: ISC */
/* test_frame.c -- dns/frame: messages in a stream, however it is cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/text.h"
#include "dns/frame.h"
#include "dns/message.h"

/* The messages of STREAM in pieces of SIZE octets, as "len:octets ". */
static void
read_pieces(const struct span *stream, size_t size, struct buf *out, bool *cut)
{
	struct frame frame = {0};

	for (size_t at = 0; at < stream->len; at += size) {
		size_t left = stream->len - at;
		size_t len = left < size ? left : size;
		uint8_t *piece = mem_copy(stream->at + at, len);
		struct span input = {piece, len};
		struct span message;

		while (frame_next(&frame, &input, &message)) {
			buf_printf(out, "%zu:", message.len);
			buf_add(out, message.at, message.len);
			buf_puts(out, " ");
		}
		assert_int_equal(0, input.len);
		free(piece);
	}
	*cut = frame_is_cut(&frame);
	frame_reset(&frame);
	assert_false(frame_is_cut(&frame));
}

static void
test_pieces(void **state)
{
	static const struct {
		const char *name, *stream;
		size_t len;
		const char *messages;
		bool cut;
	} rows[] = {
	    {"nothing", "", 0, "", false},
	    {"one", "\0\3abc", 5, "3:abc ", false},
	    {"three", "\0\1a\0\2bc\0\3def", 12, "1:a 2:bc 3:def ", false},
	    {"an empty one", "\0\0\0\1x", 5, "0: 1:x ", false},
	    {"two empty ones", "\0\0\0\0", 4, "0: 0: ", false},
	    {"half a length", "\0\1a\0", 4, "1:a ", true},
	    {"a length alone", "\0\5", 2, "", true},
	    {"cut", "\0\5abcd", 6, "", true},
	    {"one and a cut one", "\0\1a\xff\xffzz", 7, "1:a ", true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct span stream = {
		    (const uint8_t *)rows[i].stream, rows[i].len};

		for (size_t size = 1; size < 14; size++) {
			struct buf told;
			bool cut;

			buf_init(&told, 200);
			read_pieces(&stream, size, &told, &cut);
			if (strcmp(buf_text(&told), rows[i].messages) != 0 ||
			    cut != rows[i].cut)
				fail_msg("%s by %zu: '%s'%s", rows[i].name,
				    size, buf_text(&told), cut ? " cut" : "");
			buf_done(&told);
		}
	}
}

static void
test_largest(void **state)
{
	uint8_t *message = mem_new(DNS_MESSAGE_MAX);
	struct frame frame = {0};
	struct span input, got;
	struct buf stream;

	(void)state;
	memset(message, 'x', DNS_MESSAGE_MAX);
	buf_init(&stream, 2 * (DNS_MESSAGE_MAX + 2));
	frame_write(&stream, message, DNS_MESSAGE_MAX);
	frame_write(&stream, message, 1);
	assert_int_equal(stream.len, DNS_MESSAGE_MAX + 2 + 3);
	input.at = (const uint8_t *)stream.text;
	input.len = stream.len;
	assert_true(frame_next(&frame, &input, &got));
	assert_int_equal(got.len, DNS_MESSAGE_MAX);
	assert_memory_equal(got.at, message, DNS_MESSAGE_MAX);
	assert_true(frame_next(&frame, &input, &got));
	assert_int_equal(got.len, 1);
	assert_false(frame_next(&frame, &input, &got));
	frame_reset(&frame);
	buf_done(&stream);
	free(message);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_pieces),
	    cmocka_unit_test(test_largest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
