/* SPDX-License-Identifier: ISC */
/* acquire/book_learn.c -- what an acquisition that was won teaches the book. */
#include "acquire/book_learn.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "acquire/acquire.h"
#include "acquire/address_book.h"

/* By no carrier, and to an address that was connected to. */
static bool
is_direct(const struct acquire_try *try)
{
	return try->address[0] != '\0' && try->proxy[0] == '\0' &&
	       strcmp(try->source, "proxy") != 0 &&
	       strcmp(try->source, "upstream") != 0 &&
	       strcmp(try->source, "courier") != 0 &&
	       strcmp(try->stage, "dns") != 0;
}

/* TRY lost where WON won, at the same host. */
static bool
has_lost(const struct acquire_try *try, const struct acquire_try *won)
{
	return try->err.reason != REASON_NONE && is_direct(try) &&
	       strcmp(try->address, won->address) != 0 && try->host != NULL &&
	       strcasecmp(try->host, won->host) == 0;
}

/* The same of TRIES[AT], and none before it has told of that address: once, not
 * for each method. */
static bool
is_news(
    const struct acquire_try *tries, size_t at, const struct acquire_try *won)
{
	if (!has_lost(&tries[at], won))
		return false;
	for (size_t i = 0; i < at; i++) {
		if (has_lost(&tries[i], won) &&
		    strcmp(tries[i].address, tries[at].address) == 0)
			return false;
	}
	return true;
}

void
book_learn(struct address_book *book, const struct acquire_try *tries,
    size_t count, size_t winner, int64_t now)
{
	const struct acquire_try *won = &tries[winner];

	if (!is_direct(won) || won->host == NULL)
		return;
	for (size_t i = 0; i < count; i++) {
		if (is_news(tries, i, won))
			address_book_fail(book, won->host, tries[i].address);
	}
	address_book_prove(book, won->host, won->address, won->elapsed_ms, now);
}
