/* SPDX-License-Identifier: ISC */
/* keep/parties.c -- who outside this network was asked, named once a day. */
#include "keep/parties.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

bool
parties_note(struct parties *parties, const char *party, int64_t now)
{
	int64_t day = now / CLOCK_DAY;
	struct party *entry;

	for (size_t i = 0; i < parties->count; i++) {
		entry = &parties->list[i];
		if (strncmp(entry->name, party, PARTY_TEXT - 1) != 0)
			continue;
		if (entry->day == day)
			return false;
		entry->day = day;
		return true;
	}
	if (parties->count < PARTIES_MAX) {
		entry = &parties->list[parties->count++];
	} else {
		entry = &parties->list[parties->next];
		parties->next = (parties->next + 1) % PARTIES_MAX;
	}
	(void)snprintf(entry->name, sizeof(entry->name), "%s", party);
	entry->day = day;
	return true;
}
