/* SPDX-License-Identifier: ISC */
/* acquire/book_learn.h -- what an acquisition that was won teaches the book.
 *
 * An address is proven if the response that won came from it, by no proxy and
 * of no upstream: who carried the bytes for us may have had them from anywhere.
 * An address has failed if another one of the same host won directly.  A win by
 * a carrier says only that the direct ways are closed here, and one at another
 * host says nothing of this one: both count against nobody. */
#ifndef OCLASP_ACQUIRE_BOOK_LEARN_H
#define OCLASP_ACQUIRE_BOOK_LEARN_H

#include <stddef.h>
#include <stdint.h>

struct acquire_try;
struct address_book;

/* TRIES[WINNER] brought a response that was verified, at wall time NOW. */
void book_learn(struct address_book *book, const struct acquire_try *tries,
    size_t count, size_t winner, int64_t now);

#endif
