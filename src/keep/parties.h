/* SPDX-License-Identifier: ISC */
/* keep/parties.h -- who outside this network was asked, named once a day.
 *
 * Resolvers on public addresses, proxies and upstreams learn which responders
 * this machine is interested in; the operator reads in the log who they are.
 * Pure. */
#ifndef OCLASP_KEEP_PARTIES_H
#define OCLASP_KEEP_PARTIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PARTIES_MAX = 64, PARTY_TEXT = 288 };

/* All zero: none was asked yet. */
struct parties {
	struct party {
		char name[PARTY_TEXT];
		int64_t day; /* since the epoch, when it was last news */
	} list[PARTIES_MAX];
	size_t count, next; /* the next one to forget, once it is full */
};

/* PARTY was asked at NOW (wall seconds): true if that is news today. */
bool parties_note(struct parties *parties, const char *party, int64_t now);

#endif
