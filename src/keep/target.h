/* SPDX-License-Identifier: ISC */
/* keep/target.h -- one certificate that is kept: what we know and have of it. */
#ifndef OCLASP_KEEP_TARGET_H
#define OCLASP_KEEP_TARGET_H

#include <stdbool.h>
#include <stdint.h>
#include <uthash.h>

#include "base/err.h"
#include "base/log.h"
#include "keep/issuers.h"
#include "keep/places.h"
#include "keep/policy.h"
#include "keep/schedule.h"
#include "keep/watch.h"

struct acquire;
struct cert;
struct keeper;
struct settings;
struct snapshot_node;
struct staple;
struct verify_input;
struct verify_policy;

/* What a target is made of, as the operator says it.  Borrowed strings. */
struct target_spec {
	const char *certificate; /* path */
	const char *issuer;      /* path, or NULL */
	const char *url;         /* of the responder, or NULL: the AIA's */
};

/* A failure that lasts, in no more memory than it needs; NULL: none. */
struct trouble {
	enum reason reason;
	char text[];
};

/* ERR's, or NULL for REASON_NONE; what was there is freed. */
void trouble_set(struct trouble **trouble, const struct err *err);
struct err trouble_err(const struct trouble *trouble);
enum reason trouble_reason(const struct trouble *trouble);

enum { TARGET_GONE_MS = 60000 }; /* a file that was missed so long is gone */

/* There are up to a million of them: what is big is shared (issuers), compact
 * (the leaf) or only there while it is needed. */
struct target {
	struct schedule_entry entry;      /* subject: the target */
	struct place place;               /* the same */
	UT_hash_handle hh;                /* the keeper's, by certificate */
	UT_hash_handle hh_print;          /* and by fingerprint, */
	struct target *twin;              /* of which there may be more */
	struct keeper *keeper;            /* borrowed */
	char *certificate, *issuer, *url; /* owned copies of the spec */

	/* of the files as last read */
	struct cert *leaf;          /* compact; NULL: unreadable */
	struct issuer *ca;          /* of the leaf; NULL: not found */
	char *responder;            /* the host that is asked; NULL: none */
	struct trouble *unreadable; /* why they cannot be used */
	/* of the certificate's and the issuer's file, to notice a change */
	uint64_t seen, seen_issuer;
	int64_t gone_ms; /* monotonic: one was missed then; 0: none is */

	int64_t first_seen; /* this certificate, by the keeper; wall seconds */

	struct staple *staple; /* the best there is; NULL: none */
	int64_t first_at;      /* it is the first one, fetched then; else 0 */
	struct staple *staple256; /* the same asked for by a SHA-256 CertID,
				     for the relay (certid both); or NULL */
	int64_t floor; /* thisUpdate of the last revoked: nothing older, and
			  nothing good of that moment, is believed (A14) */
	struct snapshot_node *relayed; /* what the relay has; or NULL */

	uint32_t random; /* of its own, see policy.h */
	unsigned failures;
	int64_t last_attempt;    /* wall seconds; 0: never */
	struct trouble *failure; /* of the last attempt */
	int64_t final_life;      /* seconds that such an answer lives */
	int64_t fetch_again, retry_after; /* wall seconds; 0: no hint */

	struct acquire *acquire;      /* under way, or NULL, */
	struct settings *settings;    /* by these; NULL without one */
	enum target_state state;      /* as last decided */
	enum cert_status last_status; /* of the last attempt, if final */
	bool second;                  /* it is for STAPLE256 */
	bool second_tried;            /* since STAPLE came */
	bool other_hash;              /* SHA-1 is refused here, or SHA-256 */
	bool ordered;                 /* fetch now, whatever the policy says */
	bool tried;                   /* an attempt of this run has ended */
	bool said;                    /* STATE has been logged */
	bool unsaved;                 /* the store has another staple (A13) */
	bool last_final; /* of the last attempt: it was the last word */
	bool held;   /* what the server has read, see SERVED_UNTIL, goes with
			 the certificate of before */
	bool chore;  /* to be read, */
	bool known;  /* was read, if only in vain */
	bool wanted; /* still asked for, while the list is read again */
	int64_t served_until;    /* the end of the staple that the server has
				      read for this path; 0: it has none */
	int64_t served_update;   /* the thisUpdate of what was published */
	struct watch_file watch; /* its file; see keeper_watch.c */
	struct target *chore_prev, *chore_next; /* to be read, in order */
};

/* A target with the files not read yet. */
struct target *target_new(const struct target_spec *spec);

/* Its acquisition, if any, is cancelled. */
void target_free(struct target *target);

/* A certificate and who has issued it. */
struct target_pair {
	struct cert *leaf;
	struct issuer *ca;
};

/* What a target's files are read with; all shared, all borrowed. */
struct target_sources {
	struct issuers *issuers;
	const struct cert_list *extra; /* of --ca-file; or NULL */
	/* True if CA is known to have issued the leaf, so that its signature
	 * need not be verified; NULL: nothing is known. */
	bool (*paired)(void *cookie, const struct target_pair *pair);
	void *cookie;
};

/* Read the files (again).  True if it is another certificate now than before:
 * staple and history are then gone.  An acquisition is cancelled if what it
 * works on is replaced; what cannot be read for the moment, leaf or issuer,
 * replaces nothing (I2). */
bool target_read(struct target *target, const struct target_sources *sources);

/* End the acquisition, if there is one: silently, or because it has called. */
void target_stop(struct target *target);
void target_stopped(struct target *target);

/* The issuer's certificate, or NULL. */
const struct cert *target_issuer(const struct target *target);

/* What the operator says of its issuer, or NULL. */
const struct issuer_rules *target_rules(const struct target *target);

/* The responder's URL by the operator's word, or NULL: the AIA's. */
const char *target_url(const struct target *target);

/* By what a response for it is judged at NOW (wall seconds), under SETTINGS. */
void target_terms(const struct target *target, const struct settings *settings,
    int64_t now, struct verify_input *input, struct verify_policy *policy);

/* The same of PAIR. */
void target_terms_of(const struct target_pair *pair,
    const struct settings *settings, int64_t now, struct verify_input *input,
    struct verify_policy *policy);

/* It has none any more. */
void target_drop_staple(struct target *target);

/* True if a good staple is kept although a signed revoked came. */
bool target_keeps_revoked(
    const struct target *target, const struct settings *settings);

/* D4, RFC 7633 section 4.2.2: the issuing CA promises staples for all that it
 * certifies, and this certificate lacks the promise. */
bool target_lacks_feature(const struct target *target);

/* True if a file on disk, the certificate's or the issuer's, is not the one
 * that was read.  One that is gone for a moment is being replaced, and has not
 * changed until TARGET_GONE_MS are over.  NOW_MS: monotonic. */
bool target_changed(struct target *target, int64_t now_ms);

/* For logs: the certificate's name, or its path while it is unreadable. */
const char *target_name(const struct target *target);

/* What a log line names that tells EVENT of TARGET, and why it FAILED. */
struct log_about target_about(
    const struct target *target, const char *event, enum reason failed);

/* Why TARGET is in STATE; REASON_NONE where nothing failed. */
enum reason target_reason(const struct target *target, enum target_state state);

/* The leaf's fingerprint; NULL while unreadable. */
const char *target_fingerprint(const struct target *target);

/* What the policy wants to know. */
struct policy_facts target_facts(const struct target *target, int64_t now);

/* thisUpdate of its staple; 0: it has none. */
int64_t target_this_update(const struct target *target);

/* True if the server had better go on with what it has read: a renewed
 * certificate has no staple yet, and the old one's is good still (D2). */
bool target_waits(const struct target *target, int64_t now);

/* The staple if it may be served at NOW (I3), else NULL.  Borrowed. */
const struct staple *target_servable(const struct target *target, int64_t now);

#endif
