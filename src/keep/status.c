/* SPDX-License-Identifier: ISC */
/* keep/status.c -- how the kept certificates stand. */
#include "keep/status.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "pki/cert.h"
#include "pki/staple.h"

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

unsigned
status_all(void)
{
	return (1U << STATUS_STATES) - 1;
}

unsigned
status_alarms(void)
{
	unsigned bits = 0;

	for (int s = 0; s < STATUS_STATES; s++) {
		if (target_state_is_alarm((enum target_state)s))
			bits |= 1U << s;
	}
	return bits;
}

static bool
find_state(const char *word, size_t len, unsigned *bits)
{
	if (len == strlen("alarm") && strncmp(word, "alarm", len) == 0) {
		*bits |= status_alarms();
		return true;
	}
	for (int s = 0; s < STATUS_STATES; s++) {
		const char *name = target_state_name((enum target_state)s);

		if (len == strlen(name) && strncmp(word, name, len) == 0) {
			*bits |= 1U << s;
			return true;
		}
	}
	return false;
}

bool
status_states_parse(const char *text, unsigned *out)
{
	unsigned bits = 0;

	for (const char *word = text;; word++) {
		size_t len = strcspn(word, ",");

		if (!find_state(word, len, &bits))
			return false;
		word += len;
		if (*word == '\0')
			break;
	}
	*out = bits;
	return true;
}

/* --- a row --- */

static const char *
failure_of(const struct target *target, enum target_state state)
{
	const struct trouble *trouble =
	    state == STATE_ERROR ? target->unreadable : target->failure;

	return trouble == NULL ? NULL : trouble->text;
}

struct status_row
status_row(const struct target *target, int64_t now)
{
	const struct policy_facts facts = target_facts(target, now);
	const struct policy_decision d = policy_decide(&facts);
	const struct staple *staple = target_servable(target, now);

	return (struct status_row){
	    .target = target,
	    .name = target_name(target),
	    .state = d.state,
	    .reason = target_reason(target, d.state),
	    .detail = failure_of(target, d.state),
	    .usable_until = staple == NULL ? 0 : staple_usable_until(staple),
	    .next_refresh = d.next_attempt,
	    .fetching = target->place.state != PLACE_NONE,
	};
}

/* "next refresh in 5 min", or what is done now; "" where nothing is. */
static const char *
say_next(const struct status_row *row, int64_t now, char out[64])
{
	char span[CLOCK_SPAN];

	out[0] = '\0';
	if (row->fetching)
		return "; being refreshed now";
	if (row->next_refresh > now)
		(void)snprintf(out, 64, "; next refresh in %s",
		    clock_span(row->next_refresh - now, span));
	else if (row->next_refresh > 0)
		return "; to be refreshed now";
	return out;
}

/* How the staple stands. */
static const char *
say_staple(const struct status_row *row, int64_t now, char out[96])
{
	const struct staple *staple = row->target->staple;
	char span[CLOCK_SPAN];

	if (row->usable_until > now)
		(void)snprintf(out, 96, "usable for %s",
		    clock_span(row->usable_until - now, span));
	else if (staple != NULL)
		(void)snprintf(out, 96, "its staple ended %s ago",
		    clock_span(now - staple_usable_until(staple), span));
	else
		(void)snprintf(out, 96, "no staple");
	return out;
}

/* What there is, what comes next, and why it is not better. */
static void
say_failing(const struct status_row *row, int64_t now, const char *first,
    char out[STATUS_SENTENCE])
{
	char next[64];

	(void)snprintf(out, STATUS_SENTENCE, "%s%s%s%s", first,
	    say_next(row, now, next),
	    row->detail == NULL ? "" : "; the last try: ",
	    row->detail == NULL ? "" : row->detail);
}

const char *
status_sentence(
    const struct status_row *row, int64_t now, char out[STATUS_SENTENCE])
{
	const struct cert *leaf = row->target->leaf;
	char staple[96], span[CLOCK_SPAN];
	const char *text = "";

	switch (row->state) {
	case STATE_REVOKED:
		text = "the responder says, signed, that it is revoked: "
		       "replace it now";
		break;
	case STATE_UNKNOWN:
		(void)snprintf(out, STATUS_SENTENCE,
		    "the responder says, signed, that it does not know it: ask "
		    "the CA; %s",
		    say_staple(row, now, staple));
		return out;
	case STATE_MUST_STAPLE_MISSING:
		if (row->target->responder != NULL) {
			say_failing(row, now,
			    "it demands a staple (RFC 7633) and has none", out);
			return out;
		}
		text = "it demands a staple (RFC 7633) and names no responder: "
		       "have it issued anew";
		break;
	case STATE_NO_RESPONDER:
		text = "it names no OCSP responder: nothing to staple";
		break;
	case STATE_NOT_NEEDED:
		text = "it is short-lived and names no responder: it needs no "
		       "staple";
		break;
	case STATE_CERTIFICATE_EXPIRED:
		(void)snprintf(out, STATUS_SENTENCE,
		    "the certificate expired %s ago: renew it",
		    leaf == NULL ? ""
				 : clock_span(now - leaf->not_after, span));
		return out;
	case STATE_ERROR:
		text = row->detail == NULL ? "it cannot be used" : row->detail;
		break;
	case STATE_FRESH:
	case STATE_DUE:
	case STATE_RETRYING:
	case STATE_EXPIRING:
	case STATE_EXPIRED:
	case STATE_PENDING:
		say_failing(row, now, say_staple(row, now, staple), out);
		return out;
	}
	(void)snprintf(out, STATUS_SENTENCE, "%s", text);
	return out;
}

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
    struct target ***out, size_t *found, struct err *err)
{
	struct target **list;
	struct stat file;
	size_t n;
	bool several = false;

	list = gather(targets, count, name, NULL, &n);
	if (n == 0 && name[0] == '/' && stat(name, &file) == 0)
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

static int
rank(enum target_state state)
{
	for (int i = 0; i < STATUS_STATES; i++) {
		if (order[i] == state)
			return i;
	}
	return STATUS_STATES;
}

static int
compare(const void *a, const void *b)
{
	const struct status_row *x = a, *y = b;
	int by_rank = rank(x->state) - rank(y->state);

	if (by_rank != 0)
		return by_rank;
	if (x->usable_until != y->usable_until)
		return x->usable_until < y->usable_until ? -1 : 1;
	return strcmp(x->target->certificate, y->target->certificate);
}

/* Keep of the sorted rows the page that QUERY wants. */
static void
cut_page(struct status_list *list, const struct status_query *query)
{
	size_t limit = query->limit == 0 || query->limit > STATUS_ROWS_MAX
			   ? STATUS_ROWS_MAX
			   : query->limit;

	list->after =
	    query->after < list->matched ? query->after : list->matched;
	list->count = list->matched - list->after;
	if (list->count > limit)
		list->count = limit;
	if (list->count > 0)
		memmove(list->rows, list->rows + list->after,
		    list->count * sizeof(list->rows[0]));
	list->rows =
	    mem_resize(list->rows, list->count + 1, sizeof(list->rows[0]));
}

int
status_select(struct target *const *targets, size_t count,
    const struct status_query *query, int64_t now, struct status_list *out,
    struct err *err)
{
	unsigned states = query->states == 0 ? status_all() : query->states;
	struct status_list list = {.kept = count};
	struct target **named = NULL;
	size_t named_count = 0;

	if (query->name != NULL) {
		if (status_find(targets, count, query->name, &named,
			&named_count, err) == -1)
			return -1;
	}
	list.rows = mem_array(count + 1, sizeof(list.rows[0]));
	for (size_t i = 0; i < count; i++) {
		struct status_row row = status_row(targets[i], now);

		list.states[row.state]++;
		if (named == NULL && (states & 1U << row.state) != 0)
			list.rows[list.matched++] = row;
	}
	for (size_t i = 0; i < named_count; i++) {
		struct status_row row = status_row(named[i], now);

		if ((states & 1U << row.state) != 0)
			list.rows[list.matched++] = row;
	}
	free(named);
	qsort(list.rows, list.matched, sizeof(list.rows[0]), compare);
	cut_page(&list, query);
	*out = list;
	return 0;
}

void
status_list_done(struct status_list *list)
{
	free(list->rows);
	*list = (struct status_list){0};
}
