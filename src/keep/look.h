/* SPDX-License-Identifier: ISC */
/* keep/look.h -- a look for certificates on this machine, beside the loop.
 *
 * servers/discover reads many files and may hang on a folder: it runs on one
 * of libuv's threads, and comes back as plain facts. */
#ifndef OCLASP_KEEP_LOOK_H
#define OCLASP_KEEP_LOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct discover_options;
struct look;

/* A certificate file that somebody uses. */
struct found_item {
	char *path;   /* owned */
	char *issuer; /* file with its issuer, or NULL; owned */
	char fingerprint[65];
	int64_t not_after;
	bool missed; /* the last look did not find it any more */
};

struct found {
	struct found_item *items;
	size_t count;
	char **failed; /* files and folders that could not be read; owned */
	char **why;    /* a sentence for each; owned */
	size_t failed_count;
};

void found_done(struct found *found);

/* FOUND is the last look's, OLD what was known before, which is emptied.  What
 * is not found any more stays for this time, marked as missed, since a client
 * may just be replacing it; and what could not be read stays.  Returns whether
 * another look should come soon. */
bool found_merge(struct found *found, struct found *old);

/* OPTIONS are copied.  CB comes once; FOUND is the callback's to take. */
struct look *look_start(uv_loop_t *loop, const struct discover_options *options,
    void (*cb)(void *cookie, struct found *found), void *cookie);
void look_cancel(struct look **look);

#endif
