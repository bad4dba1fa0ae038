/* SPDX-License-Identifier: ISC */
/* keep/publish_priv.h -- the inside of a round, for its files: publish.c (what
 * is to be where, begin and end) and publish_files.c (the plain files). */
#ifndef OCLASP_KEEP_PUBLISH_PRIV_H
#define OCLASP_KEEP_PUBLISH_PRIV_H

#include <stdatomic.h>

#include "keep/publish.h"

/* A kept certificate. */
struct kept {
	struct publish_item item; /* borrows of what follows, which is owned */
	char *name, *fingerprint;
	uint8_t *der; /* unless the staple is shared */
	bool named;   /* nginx_publish writes its file */
	bool there;   /* its file */
};

struct publish {
	uv_loop_t *loop;
	const struct nginx *nginx;
	char *staple_dir;
	char *snippet_dir; /* of an nginx that is not asked, or could not be:
			      what they name stays; NULL: there is none */
	struct kept *kept; /* owned; sorted by fingerprint */
	size_t count;
	bool prove, thorough;
	struct publish_callbacks callbacks;
	void *cookie;

	struct served_site *sites; /* owned */
	size_t site_count;
	struct nginx_change *changes; /* owned; one for each path */
	size_t change_count;
	struct path *paths; /* those that have one; a hash */

	struct nginx_publish *publishing;
	struct loop_work *writing; /* has KEPT and ERR meanwhile */
	atomic_bool cancelled, hurried;
	bool reloaded;
	bool served; /* the server has all of it */
	struct err err;
};

/* The kept certificate with FINGERPRINT, or NULL. */
struct kept *publish_find(const struct publish *p, const char *fingerprint);

/* What `writing` does, by its thread; COOKIE: the round. */
void publish_write_files(void *cookie);

#endif
