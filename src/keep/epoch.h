/* SPDX-License-Identifier: ISC */
/* keep/epoch.h -- when what a writer has taken out may be freed.
 *
 * Readers on many threads follow pointers that one writer replaces.  They take
 * no lock and write to nothing that they share: each notes in a cache line of
 * its own in which epoch it went in, and that it has come out.  The writer
 * takes a thing out of reach, retires it, and begins the next epoch; it is
 * freed once every reader that is still in went in after that.
 *
 * What must be in order is in order because every atomic here, and every
 * pointer that readers follow, is read and written sequentially consistent: a
 * reader whose note the writer does not see yet reads only what the writer left
 * in place. */
#ifndef OCLASP_KEEP_EPOCH_H
#define OCLASP_KEEP_EPOCH_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum { EPOCH_LINE = 64 }; /* bytes of a cache line */

/* One thread that reads; in a cache line that nobody else writes to. */
struct epoch_reader {
	_Alignas(EPOCH_LINE) _Atomic uint64_t in; /* 0: it is out */
	struct epoch_reader *next;                /* the writer's */
};

struct epoch_retired {
	void *what;
	void (*release)(void *what);
	uint64_t epoch; /* readers that went in up to this may see it */
};

/* All but `now` is the writer's. */
struct epoch {
	_Atomic uint64_t now; /* from 1 */
	struct epoch_reader *readers;
	struct epoch_retired *retired; /* oldest first */
	size_t count, room;
};

void epoch_init(struct epoch *epoch);

/* Free what is retired.  No reader is in. */
void epoch_done(struct epoch *epoch);

/* READER, all zero, begins to be one, and ends. */
void epoch_join(struct epoch *epoch, struct epoch_reader *reader);
void epoch_part(struct epoch *epoch, struct epoch_reader *reader);

/* RELEASE(WHAT) is called when no reader can see it any more, by this call or a
 * later one. */
void epoch_retire(struct epoch *epoch, void *what, void (*release)(void *what));

/* Free what can be freed now. */
void epoch_reclaim(struct epoch *epoch);

/* On the reader's own thread; not nested. */
static inline void
epoch_enter(struct epoch *epoch, struct epoch_reader *reader)
{
	atomic_store(&reader->in,
	    atomic_load_explicit(&epoch->now, memory_order_acquire));
}

static inline void
epoch_leave(struct epoch_reader *reader)
{
	atomic_store_explicit(&reader->in, 0, memory_order_release);
}

#endif
