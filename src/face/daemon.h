/* SPDX-License-Identifier: ISC */
/* face/daemon.h -- the keeper that may be running, for commands that ask it or
 * order it, or that read its state folder when it is not. */
#ifndef OCLASP_FACE_DAEMON_H
#define OCLASP_FACE_DAEMON_H

#include <jansson.h>
#include <stdint.h>

#include "face/options.h"

struct err;
struct resting;

enum {
	DAEMON_WAIT_MS = 30000,       /* for an answer that is at hand */
	DAEMON_WAIT_LONG_MS = 110000, /* for one that takes its time */
};

/* Ask it; QUERY as of local_ask().  0: *OUT, owned, is its document.  1: none
 * runs.  -1: what it says is wrong, or why it cannot be asked. */
int daemon_ask(const struct options *o, const char *method, const char *path,
    const char *const *query, int64_t timeout_ms, json_t **out,
    struct err *err);

/* REASON_USAGE: none runs, or it cannot be asked, for a command that needs one.
 * Returns -1. */
int daemon_missing(const struct options *o, struct err *err);

/* A keeper works in the state folder, as its lock says, though nobody can be
 * asked: a sentence on what is the matter, owned, and in *PID its process, 0 if
 * that is not known.  NULL: none does. */
char *daemon_silent(const struct options *o, long *pid);

/* The state folder as a keeper would find it; the options live in *KEEP. */
struct resting *daemon_at_rest(const struct options *o, struct err *err);

/* A NAME as the keeper knows it: what is a file here is named from the root
 * on.  Owned; NULL for NULL. */
char *daemon_name(const char *name);

/* The text at KEY of OBJECT, fit to be shown; "" for null.  Owned. */
char *daemon_text(const json_t *object, const char *key);

/* The time at KEY as "in 3 h" or "5 min ago"; INSTEAD for null.  Owned. */
char *daemon_when(
    const json_t *object, const char *key, int64_t now, const char *instead);

#endif
