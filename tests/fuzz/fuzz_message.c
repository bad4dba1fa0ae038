/* SPDX-License-Identifier: ISC */
/* fuzz_message.c -- DNS messages from anywhere on the path. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "dns/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct dns_message message;
	struct err err = {0};
	uint8_t query[512];
	size_t len;

	if (dns_message_parse(data, size, &message, &err) != 0) {
		assert(err.reason == REASON_DNS_NO_ANSWER);
		return 0;
	}
	assert(message.chain_length <= DNS_CHAIN_MAX);
	assert(message.address_count <= DNS_ADDRESSES_MAX);
	assert(memchr(message.question, 0, DNS_NAME_TEXT) != NULL);
	for (size_t i = 0; i < message.chain_length; i++) {
		/* Names of the chain are asked next. */
		assert(memchr(message.chain[i], 0, DNS_NAME_TEXT) != NULL);
		(void)dns_query_write(message.chain[i], DNS_A, 1, query,
		    sizeof(query), &len, &err);
	}
	if (message.response && message.question[0] != '\0') {
		/* Whatever we can ask for is recognised in the answer. */
		err_clear(&err);
		if (dns_query_write(message.question, DNS_A, 1, query,
			sizeof(query), &len, &err) == 0)
			assert(dns_message_answers(&message, message.id,
			    message.question,
			    (enum dns_type)message.question_type));
	}
	return 0;
}
