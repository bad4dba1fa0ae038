/* SPDX-License-Identifier: ISC */
/* face/reprove.h -- ask the addresses of the book once more, each alone. */
#ifndef OCLASP_FACE_REPROVE_H
#define OCLASP_FACE_REPROVE_H

#include "acquire/address_book.h"
#include "base/err.h"
#include "face/options.h"
#include "face/state.h"

enum { REPROVE_AT_ONCE = 16 };

/* One address and what became of it. */
struct reproof {
	char host[BOOK_HOST_TEXT];
	char address[DNS_ADDRESS_TEXT];
	int64_t proven_at; /* now, or, while ERR is set, in the book */
	struct err err;    /* REASON_NONE: proven again */
};

/* Prove every claim of BOOK with an acquisition for a certificate of KEPT that
 * names the host, pinned to this address alone; one whose staple is in STORE
 * before others.  BOOK learns of it.  *OUT, owned, is in the order of hosts and
 * addresses. */
void reprove(const struct options *options, struct store *store,
    struct address_book *book, const struct kept_list *kept,
    struct reproof **out, size_t *count);

#endif
