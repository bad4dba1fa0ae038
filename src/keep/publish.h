/* SPDX-License-Identifier: ISC */
/* keep/publish.h -- bring what is served to what ought to be served.
 *
 * A round is told the whole wanted state and changes what differs in one
 * reload; that the server serves it then is proven beside the rounds
 * (keep/proofs.h).
 * Certificates that no server names get a file in the staple folder only. */
#ifndef OCLASP_KEEP_PUBLISH_H
#define OCLASP_KEEP_PUBLISH_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "base/err.h"
#include "base/text.h"
#include "keep/proofs.h"
#include "servers/nginx.h"

struct publish;
struct staple;

/* One certificate that is kept; each fingerprint once.  The round works on a
 * copy: what it is made of may be replaced meanwhile. */
struct publish_item {
	const char *name; /* for messages */
	const char *fingerprint;
	struct span staple; /* empty: none may be served */
	/* what a server has read is right still, no reload for this alone; see
	 * servers/nginx.h */
	bool may_wait;
	bool unread; /* no server has read it yet, or that there is none: its
			proof is wanted, also if its file is there already */
	/* whose octets STAPLE are: shared for the round; NULL: they are copied */
	struct staple *whole;
};

struct publish_callbacks {
	/* once for each server block that is to serve what an item says, when
	 * its server has all of it.  None after an error of the server's */
	void (*place)(void *cookie, const struct proofs_place *place);
	/* a server block has a kept certificate but not our snippet; each
	 * round tells it again */
	void (*not_installed)(void *cookie, const char *certificate);
	/* once, the last; ERR as of nginx_publish, or REASON_FILE */
	void (*end)(void *cookie, bool reloaded, const struct err *err);
};

/* What a round is about, and for whom. */
struct publish_round {
	const struct nginx *nginx; /* NULL: no snippets of ours are anywhere */
	const struct nginx_conf *conf; /* NULL: without a server, */
	const struct err *failed;      /* or with one that cannot be asked:
					  why, for `end` */
	const char *staple_dir;
	const struct publish_item *items;
	size_t count;
	bool prove;    /* make the proofs also where nothing changed */
	bool thorough; /* look into each file, also of what was published before
			  and is there still; PROVE does, too */
};

/* Begin a round; files that no server names are written beside the loop.
 * Borrowed until `end`: the server and its configuration.  CALLBACKS are
 * copied. */
struct publish *publish_start(uv_loop_t *loop,
    const struct publish_round *round,
    const struct publish_callbacks *callbacks, void *cookie);

/* Something is to be withdrawn, which only another round can do: this one leaves
 * the files that no server names as they are, and ends.  They are the next
 * one's, which must be thorough. */
void publish_hurry(struct publish *publish);

/* No callback any more.  A file that is being written is written to its end. */
void publish_cancel(struct publish **publish);

#endif
