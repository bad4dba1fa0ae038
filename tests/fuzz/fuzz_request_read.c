/* SPDX-License-Identifier: ISC */
/* fuzz_request_read.c -- requests from anybody: the first octet says whether
 * the rest is a POST's body or a GET's path. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "pki/request.h"
#include "pki/request_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every octet of SPAN is within WHOLE. */
static void
check_within(struct span span, struct span whole)
{
	volatile uint8_t sum = 0;

	for (size_t i = 0; i < span.len; i++)
		sum = (uint8_t)(sum + span.at[i]);
	assert(
	    span.len == 0 || (span.at >= whole.at &&
				 span.at + span.len <= whole.at + whole.len));
}

static void
check(const struct request_asked *asked, struct span whole)
{
	assert(asked->count > 0 && asked->count <= REQUEST_ASKED_MAX);
	for (size_t i = 0; i < asked->count; i++) {
		const struct cert_id *id = &asked->ids[i];

		check_within(id->name_hash, whole);
		check_within(id->key_hash, whole);
		check_within(id->serial, whole);
		assert(id->serial.len > 0);
		if (id->hash != CERT_ID_HASHES)
			assert(id->key_hash.len == cert_id_hash_len(id->hash));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct request_asked asked;

	if (size == 0)
		return 0;
	if (data[0] == 'G') {
		uint8_t *der = mem_new(REQUEST_PATH_MAX);
		char *path = mem_new(size);

		memcpy(path, data + 1, size - 1);
		if (request_read_path(path, der, &asked))
			check(&asked, (struct span){der, REQUEST_PATH_MAX});
		free(path);
		free(der);
	} else {
		struct span whole = {data + 1, size - 1};

		if (request_read(whole, &asked)) {
			struct request_facts facts = {0};

			check(&asked, whole);
			/* OpenSSL, which is laxer, reads it too */
			if (request_parse(whole.at, whole.len, &facts, NULL) ==
			    0)
				assert(facts.id_count >= asked.count);
			request_facts_done(&facts);
		}
	}
	return 0;
}
