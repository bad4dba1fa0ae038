/* SPDX-License-Identifier: ISC */
/* A server's side of STARTTLS: the first byte is the protocol, the second the
 * size of the pieces in which the rest arrives. */
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "tls/starttls.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct starttls talk;
	struct span sent;
	struct err err = {0};
	size_t piece;

	if (size < 2)
		return 0;
	starttls_init(&talk,
	    (enum handshake_starttls)(data[0] % (STARTTLS_POSTGRES + 1)),
	    &sent);
	piece = (size_t)data[1] + 1;
	data += 2;
	for (size -= 2; size > 0 && !talk.ready;) {
		size_t now = size < piece ? size : piece;

		if (starttls_input(&talk, data, now, &sent, &err) == -1)
			break;
		data += now;
		size -= now;
	}
	(void)starttls_waits_for(&talk);
	starttls_done(&talk);
	return 0;
}
