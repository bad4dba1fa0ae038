/* SPDX-License-Identifier: ISC */
/* face/doctor_keep.c -- what our own keeper knows of a certificate. */
#include "face/doctor_keep.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "acquire/address_book.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "face/kept_status.h"
#include "face/state.h"

/* Seconds from NOW to the time at KEY of ROW; NONE where it is null. */
static int64_t
span_of(const json_t *row, const char *key, int64_t now, int64_t none)
{
	const char *text = json_string_value(json_object_get(row, key));
	int64_t at;

	if (text == NULL || clock_parse(text, &at, NULL) == -1)
		return none;
	return at - now;
}

static const char *
text_of(const json_t *row, const char *key)
{
	const char *text = json_string_value(json_object_get(row, key));

	return text == NULL ? "" : text;
}

static void
note(const json_t *document, struct fact_keep *keep)
{
	const json_t *row =
	    json_array_get(json_object_get(document, "targets"), 0);
	int64_t now = clock_wall_s();

	keep->running = json_is_true(json_object_get(document, "running"));
	keep->kept = row != NULL;
	keep->last_attempt_s = -1;
	if (row == NULL)
		return;
	fact_copy(keep->state, sizeof(keep->state), text_of(row, "state"));
	fact_copy(keep->trouble, sizeof(keep->trouble), text_of(row, "detail"));
	keep->usable_s = span_of(row, "usable_until", now, 0);
	keep->last_attempt_s = -span_of(row, "last_attempt", now, 1);
}

void
doctor_keep_facts(const struct options *options, const char *fingerprint,
    int64_t at_ms, struct facts *facts)
{
	char *dir = state_dir(options);
	struct fact_untested *u;
	struct err err = {0};
	json_t *document;

	if (access(dir, F_OK) == 0) {
		document = kept_status(options, fingerprint, 1, &err);
		if (document != NULL) {
			note(document,
			    &facts_add(facts, FACT_KEEP, "L", at_ms)->u.keep);
			json_decref(document);
		} else {
			u = &facts_add(facts, FACT_UNTESTED, "L", at_ms)
				 ->u.untested;
			fact_copy(u->what, sizeof(u->what),
			    "what `oclasp keep` knows of it");
			fact_copy(u->why, sizeof(u->why), err.text);
		}
	}
	free(dir);
}

struct store *
doctor_book_open(const struct options *options, struct address_book **book)
{
	char *dir = state_dir(options);
	char *path = mem_printf("%s/oclasp.db", dir);
	struct store *store = NULL;

	*book = NULL;
	if (access(path, F_OK) == 0)
		store = state_open_book(options, book);
	free(path);
	free(dir);
	return store;
}

void
doctor_book_facts(const struct address_book *book, const char *host,
    int64_t now, int64_t at_ms, struct facts *facts)
{
	const struct book_entry *entries[BOOK_PER_HOST_MAX];
	size_t count;

	count = book == NULL ? 0 : address_book_find(book, host, now, entries);
	for (size_t i = 0; i < count; i++) {
		struct fact_override *o =
		    &facts_add(facts, FACT_OVERRIDE, "L", at_ms)->u.override;

		o->kind = OVERRIDE_BOOK;
		o->old_s = now - entries[i]->proven_at;
		fact_copy(o->name, sizeof(o->name), entries[i]->host);
		fact_copy(o->address, sizeof(o->address), entries[i]->address);
	}
}
