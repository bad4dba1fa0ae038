/* SPDX-License-Identifier: ISC */
/* keep/target.h -- one certificate that is kept: what we know and have of it. */
#ifndef OCLASP_KEEP_TARGET_H
#define OCLASP_KEEP_TARGET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <uthash.h>

#include "base/err.h"
#include "base/log.h"
#include "keep/places.h"
#include "keep/policy.h"
#include "keep/schedule.h"
#include "pki/identity.h"

struct acquire;
struct keeper;
struct staple;

/* What a target is made of, as the operator says it.  Borrowed strings. */
struct target_spec {
	const char *certificate; /* path */
	const char *issuer;      /* path, or NULL */
	const char *url;         /* of the responder, or NULL: the AIA's */
};

struct target {
	struct schedule_entry entry;      /* subject: the target */
	struct place place;               /* the same */
	UT_hash_handle hh;                /* the keeper's, by certificate */
	struct keeper *keeper;            /* borrowed */
	char *certificate, *issuer, *url; /* owned copies of the spec */

	struct identity id;    /* of the files as last read */
	char *responder;       /* the host that is asked; owned; NULL: none */
	struct err unreadable; /* why they cannot be used, else REASON_NONE */
	/* of the certificate's and the issuer's file, to notice a change */
	struct stat seen, seen_issuer;

	struct staple *staple; /* the best there is; NULL: none */

	uint32_t random; /* the jitter of its next step; new after each try */
	unsigned failures;
	int64_t last_attempt; /* wall seconds; 0: never */
	struct err last_err;
	bool last_final;
	enum cert_status last_status;
	int64_t fetch_again, retry_after; /* wall seconds; 0: no hint */

	struct acquire *acquire; /* under way, or NULL */
	enum target_state state; /* as last decided */
	bool said;               /* STATE has been logged */
	bool published;          /* the last round had a staple for it */
	bool wanted; /* still asked for, while the list is read again */
};

/* A target with the files not read yet. */
struct target *target_new(const struct target_spec *spec);

/* Its acquisition, if any, is cancelled. */
void target_free(struct target *target);

/* Read the files (again).  CA_FILE as in --ca-file, or NULL.  True if it is
 * another certificate now than before: staple and history are then gone.  An
 * acquisition is cancelled if the identity it works on is replaced; one that
 * cannot be read for the moment, leaf or issuer, replaces nothing (I2). */
bool target_read(struct target *target, const char *ca_file);

/* True if a file on disk, the certificate's or the issuer's, is not the one
 * that was read. */
bool target_changed(const struct target *target);

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

/* The staple if it may be served at NOW (I3), else NULL.  Borrowed. */
const struct staple *target_servable(const struct target *target, int64_t now);

#endif
