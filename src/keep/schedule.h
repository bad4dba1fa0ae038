/* SPDX-License-Identifier: ISC */
/* keep/schedule.h -- what is due next: a heap of moments.
 *
 * Pure; O(log n) for each operation.  An entry is embedded in what it is about
 * and knows its place, so that it can be moved or taken out. */
#ifndef OCLASP_KEEP_SCHEDULE_H
#define OCLASP_KEEP_SCHEDULE_H

#include <stddef.h>
#include <stdint.h>

struct schedule_entry {
	int64_t when;  /* in what unit and clock is the owner's choice */
	size_t place;  /* 1-based place in the heap; 0: not scheduled */
	void *subject; /* what it is about; borrowed */
};

struct schedule {
	struct schedule_entry **heap; /* owned; the entries are not */
	size_t count, room;
};

void schedule_done(struct schedule *schedule);

/* Schedule ENTRY for WHEN, or move it there. */
void schedule_set(
    struct schedule *schedule, struct schedule_entry *entry, int64_t when);

/* Take ENTRY out, if it is in. */
void schedule_remove(struct schedule *schedule, struct schedule_entry *entry);

/* The earliest entry, or NULL.  Stays in. */
struct schedule_entry *schedule_first(const struct schedule *schedule);

#endif
