/* SPDX-License-Identifier: ISC */
/* keep/status_select.c -- which rows are wanted: by name, by state, page by
 * page, what needs a person first.
 *
 * One look at each target, and a heap of the best so far: of a hundred thousand
 * a page of a thousand takes little more than the look. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "keep/status.h"
#include "pki/cert.h"

/* --- names --- */

static bool
has_name(const struct cert *leaf, const char *name)
{
	for (size_t i = 0; i < leaf->name_count; i++) {
		if (strcasecmp(leaf->names[i], name) == 0)
			return true;
	}
	return strcasecmp(cert_name(leaf), name) == 0;
}

static bool
fits(const struct target *target, const char *name)
{
	const struct cert *leaf = target->leaf;
	size_t len = strlen(name);

	if (strcmp(target->certificate, name) == 0)
		return true;
	if (leaf == NULL)
		return false;
	return has_name(leaf, name) ||
	       (len >= STATUS_PREFIX_MIN &&
		   strncasecmp(leaf->fingerprint, name, len) == 0);
}

/* Two files with one certificate are one candidate. */
static bool
is_same(const struct target *a, const struct target *b)
{
	const char *one = target_fingerprint(a), *two = target_fingerprint(b);

	return one != NULL && two != NULL && strcmp(one, two) == 0;
}

static int
refuse_ambiguous(struct target *const *found, size_t count, const char *name,
    struct err *err)
{
	struct buf list;
	int rc;

	buf_init(&list, ERR_TEXT);
	for (size_t i = 0; i < count && i < STATUS_CANDIDATES; i++) {
		const char *print = target_fingerprint(found[i]);

		buf_printf(&list, "%s%s (%.12s)", i == 0 ? "" : ", ",
		    found[i]->certificate, print == NULL ? "?" : print);
	}
	if (count > STATUS_CANDIDATES)
		buf_printf(&list, " and %zu more", count - STATUS_CANDIDATES);
	rc = err_set(err, REASON_USAGE,
	    "'%s' fits several certificates, give a path or the beginning of a "
	    "fingerprint: %s",
	    name, buf_text(&list));
	buf_done(&list);
	return rc;
}

/* Whoever asks may name a file in another way than the keeper does, who may be
 * in another folder: the same it is all the same. */
static bool
is_file(const struct target *target, const struct stat *file)
{
	struct stat st;

	return stat(target->certificate, &st) == 0 &&
	       st.st_dev == file->st_dev && st.st_ino == file->st_ino;
}

/* Those that NAME fits: owned. */
static struct target **
gather(struct target *const *targets, size_t count, const char *name,
    const struct stat *file, size_t *found)
{
	struct target **list = NULL;

	*found = 0;
	for (size_t i = 0; i < count; i++) {
		if (file != NULL ? !is_file(targets[i], file)
				 : !fits(targets[i], name))
			continue;
		list = mem_resize(list, *found + 1, sizeof(list[0]));
		list[(*found)++] = targets[i];
	}
	return list;
}

int
status_find(struct target *const *targets, size_t count, const char *name,
    bool looks, struct target ***out, size_t *found, struct err *err)
{
	struct target **list;
	struct stat file;
	size_t n;
	bool several = false;

	list = gather(targets, count, name, NULL, &n);
	if (n == 0 && looks && name[0] == '/' && stat(name, &file) == 0)
		list = gather(targets, count, name, &file, &n);
	for (size_t i = 1; i < n; i++)
		several = several || !is_same(list[0], list[i]);
	if (several || n == 0) {
		int rc = several ? refuse_ambiguous(list, n, name, err)
				 : err_set(err, REASON_USAGE,
				       "no certificate that is kept has the "
				       "name, path or fingerprint '%s'",
				       name);

		free(list);
		return rc;
	}
	*out = list;
	*found = n;
	return 0;
}

/* --- selection --- */

/* Who needs a person most comes first; a page and a table begin with it. */
static const enum target_state order[STATUS_STATES] = {
    STATE_REVOKED,
    STATE_MUST_STAPLE_MISSING,
    STATE_EXPIRED,
    STATE_CERTIFICATE_EXPIRED,
    STATE_ERROR,
    STATE_UNKNOWN,
    STATE_EXPIRING,
    STATE_RETRYING,
    STATE_PENDING,
    STATE_DUE,
    STATE_FRESH,
    STATE_NOT_NEEDED,
    STATE_NO_RESPONDER,
};

/* A row's place in the order. */
struct pick {
	int rank;
	int64_t usable_until;
	const struct target *target;
};

/* The best ones so far; the worst of them is at the top of the heap. */
struct picks {
	struct pick *heap; /* owned */
	size_t count, room;
};

static int
compare(const void *a, const void *b)
{
	const struct pick *x = a, *y = b;

	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	if (x->usable_until != y->usable_until)
		return x->usable_until < y->usable_until ? -1 : 1;
	return strcmp(x->target->certificate, y->target->certificate);
}

static void
swap(struct pick *a, struct pick *b)
{
	struct pick other = *a;

	*a = *b;
	*b = other;
}

/* The last one has come in: up with it. */
static void
rise(struct picks *picks)
{
	size_t at = picks->count - 1;

	while (at > 0 &&
	       compare(&picks->heap[at], &picks->heap[(at - 1) / 2]) > 0) {
		swap(&picks->heap[at], &picks->heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
}

/* The top is another one: down with it. */
static void
sink(struct picks *picks)
{
	for (size_t at = 0, next; (next = 2 * at + 1) < picks->count;
	     at = next) {
		if (next + 1 < picks->count &&
		    compare(&picks->heap[next + 1], &picks->heap[next]) > 0)
			next++;
		if (compare(&picks->heap[at], &picks->heap[next]) >= 0)
			return;
		swap(&picks->heap[at], &picks->heap[next]);
	}
}

static void
offer(struct picks *picks, const struct status_row *row)
{
	struct pick pick = {
	    .usable_until = row->usable_until, .target = row->target};

	while (order[pick.rank] != row->state)
		pick.rank++;
	if (picks->count < picks->room) {
		picks->heap[picks->count++] = pick;
		rise(picks);
	} else if (picks->count > 0 && compare(&pick, &picks->heap[0]) < 0) {
		picks->heap[0] = pick;
		sink(picks);
	}
}

/* The rows of the page, in their order. */
static void
make_rows(struct status_list *list, struct picks *picks, int64_t now)
{
	qsort(picks->heap, picks->count, sizeof(picks->heap[0]), compare);
	list->count =
	    picks->count > list->after ? picks->count - list->after : 0;
	list->rows = mem_array(list->count + 1, sizeof(list->rows[0]));
	for (size_t i = 0; i < list->count; i++)
		list->rows[i] =
		    status_row(picks->heap[list->after + i].target, now);
}

static size_t
smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

int
status_select(struct target *const *targets, size_t count,
    const struct status_query *query, int64_t now, struct status_list *out,
    struct err *err)
{
	unsigned states = query->states == 0 ? status_all() : query->states;
	size_t limit = query->limit == 0 ? STATUS_ROWS_MAX : query->limit;
	struct status_list list = {.kept = count};
	struct target **named = NULL;
	size_t named_count = 0;
	struct picks picks = {0};

	if (query->name != NULL &&
	    status_find(targets, count, query->name, query->looks, &named,
		&named_count, err) == -1)
		return -1;
	list.after = smaller(query->after, count);
	picks.room =
	    smaller(list.after + smaller(limit, STATUS_ROWS_MAX), count);
	picks.heap = mem_array(picks.room + 1, sizeof(picks.heap[0]));
	for (size_t i = 0; i < count; i++) {
		struct status_row row = status_row(targets[i], now);

		list.states[row.state]++;
		if (named != NULL || (states & 1U << row.state) == 0)
			continue;
		list.matched++;
		offer(&picks, &row);
	}
	for (size_t i = 0; i < named_count; i++) {
		struct status_row row = status_row(named[i], now);

		if ((states & 1U << row.state) == 0)
			continue;
		list.matched++;
		offer(&picks, &row);
	}
	list.after = smaller(list.after, list.matched);
	make_rows(&list, &picks, now);
	free(named);
	free(picks.heap);
	*out = list;
	return 0;
}

void
status_list_done(struct status_list *list)
{
	free(list->rows);
	*list = (struct status_list){0};
}
