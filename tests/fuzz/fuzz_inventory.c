/* SPDX-License-Identifier: ISC */
/* fuzz_inventory.c -- any file as a hosts file: only what it says of the names
 * that we ask for, with an address, and from a line that it has. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/sockaddr.h"
#include "doctor/inventory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = {"ocsp.test", "b.cdn.test"};
	struct facts facts = {0};
	struct sockaddr_storage address;
	int lines = 1, last = 1;

	for (size_t i = 0; i < size; i++)
		lines += data[i] == '\n';
	inventory_hosts(&facts, "hosts", (struct span){data, size}, names, 2);
	for (size_t i = 0; i < facts.count; i++) {
		const struct fact_override *o = &facts.items[i].u.override;

		assert(facts.items[i].kind == FACT_OVERRIDE);
		assert(o->kind == OVERRIDE_HOSTS);
		assert(strcasecmp(o->name, names[0]) == 0 ||
		       strcasecmp(o->name, names[1]) == 0);
		assert(sockaddr_make(o->address, 1, &address));
		assert(o->line >= last && o->line <= lines);
		last = o->line;
	}
	facts_done(&facts);
	return 0;
}
