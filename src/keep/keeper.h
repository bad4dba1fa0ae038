/* SPDX-License-Identifier: ISC */
/* keep/keeper.h -- the daemon: fetch, store, publish, prove, again. */
#ifndef OCLASP_KEEP_KEEPER_H
#define OCLASP_KEEP_KEEPER_H

#include <stdbool.h>
#include <stddef.h>

#include "acquire/acquire.h"
#include "keep/listen.h"
#include "keep/rules.h"
#include "keep/target.h"

struct discover_options;
struct err;

enum {
	KEEPER_TARGETS_MAX = 1000000,
	KEEPER_FETCHES_MAX = 256,    /* in progress at once, in all, */
	KEEPER_PER_HOST_MAX = 8,     /* and for each responder host; */
	KEEPER_PLACE_MS = 3000,      /* one that takes longer gives up its
				       place, not its attempt, */
	KEEPER_HELD_MAX = 1024,      /* but so many at most at all */
	KEEPER_WATCH_MS = 2000,      /* how often files are looked at */
	KEEPER_GATHER_MS = 300,      /* changes that come together are
				       published together; while fetches are
				       under way a round waits for them, */
	KEEPER_GATHER_MAX_MS = 2000, /* but no longer than that */
	KEEPER_CALM_PART = 8, /* of what is left to the staple in service a
			       newer one waits for others, so that many
			       certificates are not as many reloads, */
	KEEPER_CALM_MAX_MS = 3600000, /* but no longer than that */
	KEEPER_THOROUGH_MS = 3600000, /* between looks into every file that
				       was published */
	KEEPER_RETRY_FIRST_MS = 5000, /* after a failed publish, doubling */
	KEEPER_RETRY_MAX_MS = 300000,
	KEEPER_RETRY_NEWS_MS = 20000, /* what is news does not wait longer for
					 it than that */
	KEEPER_LOOK_MS = 600000,    /* between looks for certificates in use, */
	KEEPER_LOOK_SOON_MS = 5000, /* and after one that missed something */
};

/* How to keep.  Borrowed; must outlive. */
struct keeper_options {
	const char *state_dir;
	const struct target_spec *specs; /* none, or with `discover`: those of
					    the server too */
	size_t spec_count;
	const char *ca_file; /* or NULL */
	struct acquire_options acquire;
	bool allow_no_next_update, allow_sha1;
	enum certid_choice certid;        /* UNSAID: SHA-1 */
	enum on_revoked on_revoked;       /* UNSAID: withdraw */
	const struct issuer_rules *rules; /* exceptions of one issuer each */
	size_t rule_count;
	/* keep what is found on this machine, too; NULL: not */
	const struct discover_options *discover;
	bool use_nginx;
	const char *nginx_command;
	/* the relay may fetch what is not kept, of issuers that are */
	bool relay_unknown;
	bool once;
	/* run when a certificate comes to need a person, and when it is well
	 * again (keep/alarm.h): argv, NULL-terminated; NULL: none */
	const char *const *alarm_command;
	int64_t alarm_timeout_s; /* 0: ALARM_DEADLINE_MS */

	/* where questions and orders are taken; NULL: nowhere.  The group's
	 * members may come too; NULL: the owner alone */
	const char *control_socket, *control_group;
	const struct listen_spec *listeners; /* where others are answered */
	size_t listener_count;

	/* SIGHUP: everything anew into *FRESH, or -1 and the old options stay.
	 * The state folder, `once`, the control socket and what follows here
	 * remain as they are.
	 * NULL: they never change. */
	int (*reload)(
	    void *cookie, struct keeper_options *fresh, struct err *err);
	/* nothing borrows of the options that came with OWNER any more */
	void (*retire)(void *cookie, void *owner);
	void *cookie;
	void *owner; /* of what these options borrow; NULL: not ours to end */
};

enum keeper_end {
	KEEPER_GOOD,  /* every target is as it should be, or SIGTERM came */
	KEEPER_ALARM, /* --once: some target, or the server, needs a person */
	KEEPER_LATER, /* --once: some target may be better later */
	KEEPER_INTERRUPTED, /* SIGINT */
};

/* Run until a signal ends it, or, with `once`, until nothing is due.  -1 if it
 * cannot begin: ERR has REASON_USAGE (another one works there), REASON_FILE,
 * REASON_STORE or REASON_SERVER_CONFIG. */
int keeper_run(const struct keeper_options *options, enum keeper_end *end,
    struct err *err);

/* The default state folder: /var/lib/oclasp for root, else the XDG state
 * folder.  Owned by the caller. */
char *keeper_default_dir(void);

/* The folders under a state folder that a server is pointed at.  Owned. */
char *keeper_snippet_dir(const char *state_dir);
char *keeper_staple_dir(const char *state_dir);

#endif
