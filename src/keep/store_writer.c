/* SPDX-License-Identifier: ISC */
/* keep/store_writer.c -- the thread that writes for the keeper.
 *
 * It has a connection of its own; the changes come by a queue, and go into the
 * database together.  While they cannot be written they wait, in memory, and
 * what there is no room for is asked for again later (A13). */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <uv.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "keep/store.h"
#include "keep/store_disk.h"
#include "keep/store_priv.h"

enum {
	RETRY_FIRST_MS = 1000, /* after a write that failed, doubling */
	RETRY_MAX_MS = 30000,
	SETTLE_MS = 250,  /* a reader waits so long for what waits */
	FLUSH_MS = 10000, /* and who ends, or has no room, so long */
	REST_MS = 1000,   /* nothing to do for that long: so it will stay */
};

struct store_writer {
	uv_thread_t thread;
	uv_mutex_t lock;
	uv_cond_t work, done;

	/* of the thread alone, once it runs */
	struct store_disk disk;
	struct store_pruning pruning;
	bool warm; /* it may have pages of the database in memory */

	/* under the lock */
	struct store_row *first, **end;
	size_t bytes, count; /* of what waits */
	size_t batch_bytes;  /* of what is being written */
	int64_t first_ms;    /* since when the first has waited */
	uint64_t put, gone;  /* changes: how many came, and are dealt with */
	bool hurry, closing;
	bool hangs;               /* the disk: it was waited for in vain */
	bool suspect;             /* a reader has met damage */
	bool dropped;             /* something there was no room for */
	bool prune;               /* is asked for, */
	int64_t prune_now;        /* and the time that counts */
	unsigned generation;      /* as of the disk */
	struct store_files files; /* the same */
	int64_t retry_ms;         /* after a failure */
	struct store_report report;
};

/* --- the queue, under the lock --- */

static void
free_rows(struct store_row *rows)
{
	while (rows != NULL) {
		struct store_row *next = rows->next;

		store_row_free(rows);
		rows = next;
	}
}

static struct store_row *
take_batch(struct store_writer *w, size_t *count)
{
	struct store_row *rows = w->first, **end = &rows;

	*count = 0;
	w->batch_bytes = 0;
	while (*end != NULL && *count < STORE_ROWS_MAX) {
		w->batch_bytes += (*end)->size;
		end = &(*end)->next;
		(*count)++;
	}
	w->first = *end;
	*end = NULL;
	if (w->first == NULL)
		w->end = &w->first;
	w->count -= *count;
	w->bytes -= w->batch_bytes;
	return rows;
}

/* They come first again. */
static void
put_back(struct store_writer *w, struct store_row *rows, size_t count)
{
	struct store_row **end = &rows;

	if (rows == NULL)
		return;
	while (*end != NULL)
		end = &(*end)->next;
	*end = w->first;
	if (w->first == NULL)
		w->end = end;
	w->first = rows;
	w->count += count;
	w->bytes += w->batch_bytes;
}

/* While nothing is written: the oldest go.  All is asked for again later,
 * and the history has a gap. */
static void
make_room(struct store_writer *w)
{
	while (w->bytes > STORE_QUEUE_MAX && w->first != NULL) {
		struct store_row *row = w->first;

		w->first = row->next;
		if (w->first == NULL)
			w->end = &w->first;
		w->bytes -= row->size;
		w->count--;
		w->gone++;
		w->dropped = true;
		store_row_free(row);
	}
}

/* --- the thread --- */

static void
wait_ms(struct store_writer *w, uv_cond_t *cond, int64_t ms)
{
	(void)uv_cond_timedwait(
	    cond, &w->lock, ms <= 0 ? 1 : (uint64_t)ms * 1000000);
}

/* What is read again when it is wanted is not held until then.  Under the lock,
 * which is given up for it. */
static void
rest(struct store_writer *w)
{
	w->warm = false;
	uv_mutex_unlock(&w->lock);
	store_db_rest(&w->disk.db);
	mem_trim();
	uv_mutex_lock(&w->lock);
}

/* Until there is something to do: a batch that has been gathered for long
 * enough, or is large enough; or, when there is none, something to prune. */
static void
wait_for_work(struct store_writer *w)
{
	int64_t tried = clock_mono_ms();

	while (!w->closing) {
		int64_t now = clock_mono_ms();
		int64_t left = w->first_ms + STORE_GATHER_MS - now;

		if (w->report.ailing) {
			left = tried + w->retry_ms - now;
			if (left <= 0)
				return;
		} else if (w->suspect) {
			return;
		} else if (w->first == NULL) {
			if (w->prune || w->pruning.due)
				return;
			left = tried + REST_MS - now;
			if (w->warm && left <= 0)
				rest(w);
			else if (w->warm)
				wait_ms(w, &w->work, left);
			else
				uv_cond_wait(&w->work, &w->lock);
			continue;
		} else if (w->hurry || left <= 0 ||
			   w->count >= STORE_ROWS_MAX) {
			return;
		}
		wait_ms(w, &w->work, left);
	}
}

/* What the disk has come to, for the others. */
static void
account(struct store_writer *w, bool good, const struct err *err)
{
	if (w->disk.aside != NULL) {
		free(w->report.aside);
		w->report.aside = w->disk.aside;
		w->disk.aside = NULL;
	}
	w->report.wants_all = w->report.wants_all || w->disk.lacks_all;
	w->disk.lacks_all = false;
	w->generation = w->disk.generation;
	w->files = w->disk.files;
	if (good) {
		w->retry_ms = RETRY_FIRST_MS;
		w->report.ailing = false;
		w->report.wants_all = w->report.wants_all || w->dropped;
		w->dropped = false;
	} else {
		w->retry_ms =
		    w->report.ailing ? w->retry_ms * 2 : RETRY_FIRST_MS;
		if (w->retry_ms > RETRY_MAX_MS)
			w->retry_ms = RETRY_MAX_MS;
		w->report.ailing = true;
		w->report.err = *err;
	}
}

/* One turn, under the lock, which is given up for the work itself.  False: it
 * could not be done. */
static bool
turn(struct store_writer *w)
{
	struct err err = {0};
	size_t count;
	struct store_row *rows = take_batch(w, &count);
	bool suspect = w->suspect;
	bool good;

	w->suspect = false;
	w->warm = true;
	/* only behind all that was put before: the list of what is kept */
	if (w->prune && w->first == NULL) {
		w->pruning =
		    (struct store_pruning){.due = true, .now = w->prune_now};
		w->prune = false;
	}
	uv_mutex_unlock(&w->lock);
	good = store_disk_write(&w->disk, rows, suspect, &err) == 0;
	if (good)
		free_rows(rows);
	/* of little weight: where it fails it is tried the next time */
	if (good && w->pruning.due &&
	    store_prune_some(&w->disk.db, &w->pruning, NULL) == -1)
		w->pruning.due = false;
	uv_mutex_lock(&w->lock);
	account(w, good, &err);
	if (good) {
		w->gone += count;
	} else {
		put_back(w, rows, count);
		make_room(w);
	}
	w->batch_bytes = 0;
	w->hangs = false;
	if (w->gone == w->put)
		w->hurry = false;
	uv_cond_broadcast(&w->done);
	return good;
}

static void
run(void *cookie)
{
	struct store_writer *w = cookie;

	uv_mutex_lock(&w->lock);
	for (;;) {
		bool good;

		wait_for_work(w);
		if (w->closing && w->first == NULL)
			break;
		good = turn(w);
		if (w->closing && !good)
			break;
	}
	uv_mutex_unlock(&w->lock);
}

/* --- from the keeper's thread --- */

/* Nothing that was put waits any more, or nothing can be written: -1, as after
 * MS, which wait for no disk. */
static int
settle(struct store_writer *w, int64_t ms)
{
	int64_t until = clock_mono_ms() + ms;
	uint64_t all;
	int rc = -1;

	uv_mutex_lock(&w->lock);
	all = w->put;
	while (w->gone < all && !w->report.ailing) {
		int64_t left = until - clock_mono_ms();

		if (left <= 0)
			break;
		w->hurry = true;
		uv_cond_signal(&w->work);
		wait_ms(w, &w->done, left);
	}
	if (w->gone >= all)
		rc = 0;
	uv_mutex_unlock(&w->lock);
	return rc;
}

/* Faster than the disk: wait for it, as who writes himself does; but for one
 * that does not answer once, and no more until it does (I5). */
static void
wait_for_room(struct store_writer *w)
{
	int64_t until = clock_mono_ms() + FLUSH_MS;

	while (w->bytes > STORE_QUEUE_MAX && !w->report.ailing && !w->hangs) {
		int64_t left = until - clock_mono_ms();

		w->hangs = left <= 0;
		if (!w->hangs)
			wait_ms(w, &w->done, left);
	}
}

void
store_writer_put(struct store_writer *w, struct store_row *row)
{
	uv_mutex_lock(&w->lock);
	*w->end = row;
	w->end = &row->next;
	if (w->count++ == 0)
		w->first_ms = clock_mono_ms();
	w->bytes += row->size;
	w->put++;
	if (w->count == 1 || w->count == STORE_ROWS_MAX)
		uv_cond_signal(&w->work);
	wait_for_room(w);
	make_room(w);
	uv_mutex_unlock(&w->lock);
}

unsigned
store_writer_settle(struct store_writer *w)
{
	unsigned generation;

	(void)settle(w, SETTLE_MS);
	uv_mutex_lock(&w->lock);
	generation = w->generation;
	uv_mutex_unlock(&w->lock);
	return generation;
}

void
store_writer_suspect(struct store_writer *w)
{
	uv_mutex_lock(&w->lock);
	w->suspect = true;
	uv_cond_signal(&w->work);
	uv_mutex_unlock(&w->lock);
}

int
store_writer_flush(struct store_writer *w, struct err *err)
{
	if (settle(w, FLUSH_MS) == 0)
		return 0;
	uv_mutex_lock(&w->lock);
	if (w->report.ailing)
		(void)err_set(err, REASON_STORE, "%s", w->report.err.text);
	else
		(void)err_set(err, REASON_STORE,
		    "the disk of the store '%s' does not answer", w->disk.path);
	uv_mutex_unlock(&w->lock);
	return -1;
}

void
store_writer_prune(struct store_writer *w, int64_t now)
{
	uv_mutex_lock(&w->lock);
	w->prune = true;
	w->prune_now = now;
	uv_cond_signal(&w->work);
	uv_mutex_unlock(&w->lock);
}

void
store_writer_report(struct store_writer *w, struct store_report *out)
{
	uv_mutex_lock(&w->lock);
	*out = w->report;
	out->waiting = w->count;
	w->report.aside = NULL;
	w->report.wants_all = false;
	if (!w->report.ailing && store_files_lost(w->disk.path, &w->files)) {
		w->suspect = true;
		uv_cond_signal(&w->work);
	}
	uv_mutex_unlock(&w->lock);
}

/* --- begin and end --- */

static void
release(struct store_writer *w)
{
	store_disk_close(&w->disk);
	free_rows(w->first);
	free(w->report.aside);
	uv_cond_destroy(&w->work);
	uv_cond_destroy(&w->done);
	uv_mutex_destroy(&w->lock);
	free(w);
}

/* A signal is for the keeper's own thread. */
static int
start_thread(struct store_writer *w)
{
	sigset_t all, before;
	int rc;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = uv_thread_create(&w->thread, run, w);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}

struct store_writer *
store_writer_start(const char *path, struct err *err)
{
	struct store_writer *w = mem_new(sizeof(*w));
	struct err why = {0};
	bool good;
	int rc;

	w->disk.path = path;
	w->end = &w->first;
	(void)uv_mutex_init(&w->lock);
	(void)uv_cond_init(&w->work);
	(void)uv_cond_init(&w->done);
	good = store_disk_open(&w->disk, &why) == 0;
	if (!good && !store_may_pass(&w->disk.db)) {
		(void)err_set(err, why.reason, "%s", why.text);
		release(w);
		return NULL;
	}
	account(w, good, &why);
	rc = start_thread(w);
	if (rc == 0)
		return w;
	(void)err_set(err, REASON_STORE,
	    "cannot begin a thread for the store '%s': %s", path,
	    uv_strerror(rc));
	release(w);
	return NULL;
}

void
store_writer_end(struct store_writer *w)
{
	if (w == NULL)
		return;
	uv_mutex_lock(&w->lock);
	w->closing = true;
	uv_cond_signal(&w->work);
	uv_mutex_unlock(&w->lock);
	(void)uv_thread_join(&w->thread);
	release(w);
}
