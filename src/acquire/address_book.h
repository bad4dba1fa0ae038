/* SPDX-License-Identifier: ISC */
/* acquire/address_book.h -- addresses that have proven themselves.
 *
 * A signed response came from them: a fact of yesterday, and so a claim of
 * today, raced first and never trusted.  Pure: facts and `now` in; bounded for
 * each host and in all, and aged.  Wall seconds. */
#ifndef OCLASP_ACQUIRE_ADDRESS_BOOK_H
#define OCLASP_ACQUIRE_ADDRESS_BOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dns/message.h"

struct address_book;

enum {
	BOOK_HOSTS_MAX = 1024, /* far more than there are public CAs */
	BOOK_PER_HOST_MAX = 8, /* as many as are raced at once */
	BOOK_FAILURES_MAX = 5, /* since the last proof: no claim any more */
	BOOK_AGE_MAX_S = 30 * 86400,
	BOOK_HOST_TEXT = 256,
};

struct book_entry {
	char host[BOOK_HOST_TEXT]; /* lower case */
	char address[DNS_ADDRESS_TEXT];
	int64_t proven_at;
	int64_t latency_ms; /* of that proof */
	unsigned failures;  /* while another address of the host won */
	bool changed;       /* since it came from the store */
};

struct address_book *address_book_new(void);
void address_book_free(struct address_book *book);

/* True if HOST may be in the book: a plain host name.  An address needs no
 * book, and anything else could be more than a name where it is written. */
bool address_book_takes(const char *host);

/* A signed response for HOST came from ADDRESS (a bare IP).  A full host or
 * book forgets its worst. */
void address_book_prove(struct address_book *book, const char *host,
    const char *address, int64_t latency_ms, int64_t now);

/* ADDRESS failed where another one of HOST won.  (When all fail it is the
 * network, and says nothing against an address.)  Unknown ones are ignored. */
void address_book_fail(
    struct address_book *book, const char *host, const char *address);

/* What was stored: facts that are damaged, too old or of the future, and what
 * is known already, are left out. */
void address_book_load(
    struct address_book *book, const struct book_entry *entry, int64_t now);

/* What is claimed for HOST, the best first: fewest failures, then the latest
 * proof.  Returns how many; borrowed until the next change. */
size_t address_book_find(const struct address_book *book, const char *host,
    int64_t now, const struct book_entry *out[BOOK_PER_HOST_MAX]);

/* All entries, in no order; borrowed until the next change. */
size_t address_book_count(const struct address_book *book);
const struct book_entry *address_book_at(
    const struct address_book *book, size_t index);

/* Whether there is something to save; and that it has been. */
bool address_book_is_changed(const struct address_book *book);
void address_book_saved(struct address_book *book);

#endif
