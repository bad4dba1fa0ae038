/* SPDX-License-Identifier: ISC */
/* fuzz_hosts_text.c -- any file: what was put in comes out to the octet. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "servers/hosts_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char lines[] = "192.0.2.1 ocsp.test\n";
	const struct span text = {data, size};
	struct buf put, out, bare;
	bool had = false, had_first = false;

	buf_init(&put, HOSTS_TEXT_MAX);
	buf_init(&out, HOSTS_TEXT_MAX);
	buf_init(&bare, HOSTS_TEXT_MAX);
	if (hosts_text_put(text, lines, &put, NULL) == 0) {
		const struct span with = {
		    (const uint8_t *)buf_text(&put), put.len};

		assert(hosts_text_remove(with, &out, &had, NULL) == 0 && had);
		assert(hosts_text_remove(text, &bare, &had_first, NULL) == 0);
		assert(span_equal(
		    (struct span){(const uint8_t *)buf_text(&out), out.len},
		    (struct span){(const uint8_t *)buf_text(&bare), bare.len}));
	} else {
		assert(hosts_text_remove(text, &out, &had, NULL) == -1);
	}
	buf_done(&put);
	buf_done(&out);
	buf_done(&bare);
	return 0;
}
