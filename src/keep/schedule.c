/* SPDX-License-Identifier: ISC */
/* keep/schedule.c -- what is due next: a heap of moments. */
#include "keep/schedule.h"

#include <stdlib.h>

#include "base/mem.h"

void
schedule_done(struct schedule *schedule)
{
	free(schedule->heap);
	*schedule = (struct schedule){0};
}

static void
put(struct schedule *s, size_t place, struct schedule_entry *entry)
{
	s->heap[place - 1] = entry;
	entry->place = place;
}

static void
sift_up(struct schedule *s, struct schedule_entry *entry)
{
	size_t place = entry->place;

	for (; place > 1 && s->heap[place / 2 - 1]->when > entry->when;
	     place /= 2)
		put(s, place, s->heap[place / 2 - 1]);
	put(s, place, entry);
}

static void
sift_down(struct schedule *s, struct schedule_entry *entry)
{
	size_t place = entry->place;

	while (place * 2 <= s->count) {
		size_t child = place * 2;

		if (child < s->count &&
		    s->heap[child]->when < s->heap[child - 1]->when)
			child++;
		if (s->heap[child - 1]->when >= entry->when)
			break;
		put(s, place, s->heap[child - 1]);
		place = child;
	}
	put(s, place, entry);
}

void
schedule_set(
    struct schedule *schedule, struct schedule_entry *entry, int64_t when)
{
	entry->when = when;
	if (entry->place == 0) {
		if (schedule->count == schedule->room) {
			schedule->room = schedule->room * 2 + 16;
			schedule->heap = mem_resize(schedule->heap,
			    schedule->room, sizeof(schedule->heap[0]));
		}
		schedule->count++;
		put(schedule, schedule->count, entry);
	}
	sift_up(schedule, entry);
	sift_down(schedule, entry);
}

void
schedule_remove(struct schedule *schedule, struct schedule_entry *entry)
{
	struct schedule_entry *last;
	size_t place = entry->place;

	if (place == 0)
		return;
	last = schedule->heap[--schedule->count];
	entry->place = 0;
	if (last == entry)
		return;
	put(schedule, place, last);
	sift_up(schedule, last);
	sift_down(schedule, last);
}

struct schedule_entry *
schedule_first(const struct schedule *schedule)
{
	return schedule->count == 0 ? NULL : schedule->heap[0];
}
