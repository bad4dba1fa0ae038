/* SPDX-License-Identifier: ISC */
/* keep/epoch.c -- when what a writer has taken out may be freed. */
#include "keep/epoch.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { EPOCH_ROOM = 64 }; /* of the list, at first */

void
epoch_init(struct epoch *epoch)
{
	memset(epoch, 0, sizeof(*epoch));
	atomic_init(&epoch->now, 1);
}

static void
release_first(struct epoch *epoch, size_t count)
{
	for (size_t i = 0; i < count; i++)
		epoch->retired[i].release(epoch->retired[i].what);
	epoch->count -= count;
	if (epoch->count > 0)
		memmove(epoch->retired, epoch->retired + count,
		    epoch->count * sizeof(epoch->retired[0]));
}

void
epoch_done(struct epoch *epoch)
{
	release_first(epoch, epoch->count);
	free(epoch->retired);
	memset(epoch, 0, sizeof(*epoch));
}

void
epoch_join(struct epoch *epoch, struct epoch_reader *reader)
{
	reader->next = epoch->readers;
	epoch->readers = reader;
}

void
epoch_part(struct epoch *epoch, struct epoch_reader *reader)
{
	struct epoch_reader **at = &epoch->readers;

	while (*at != reader)
		at = &(*at)->next;
	*at = reader->next;
}

void
epoch_reclaim(struct epoch *epoch)
{
	uint64_t oldest = UINT64_MAX;
	size_t count = 0;

	if (epoch->count == 0)
		return;
	for (struct epoch_reader *r = epoch->readers; r != NULL; r = r->next) {
		uint64_t in = atomic_load(&r->in);

		if (in != 0 && in < oldest)
			oldest = in;
	}
	while (count < epoch->count && epoch->retired[count].epoch < oldest)
		count++;
	release_first(epoch, count);
}

void
epoch_retire(struct epoch *epoch, void *what, void (*release)(void *what))
{
	if (epoch->count == epoch->room) {
		epoch->room = epoch->room == 0 ? EPOCH_ROOM : 2 * epoch->room;
		epoch->retired = mem_resize(
		    epoch->retired, epoch->room, sizeof(epoch->retired[0]));
	}
	epoch->retired[epoch->count++] = (struct epoch_retired){
	    what, release, atomic_fetch_add(&epoch->now, 1)};
	epoch_reclaim(epoch);
}
