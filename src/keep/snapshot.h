/* SPDX-License-Identifier: ISC */
/* keep/snapshot.h -- what the relay answers from: issuers, certificates and
 * their responses, for readers on many threads that wait for nobody.
 *
 * The loop writes, readers read; what it takes out lives until no reader can
 * see it (keep/epoch.h).  The certificates are in a table of shards, so that a
 * change touches one of them, whatever the number of certificates.  The
 * response's octets are the target's own staple, shared, not copied. */
#ifndef OCLASP_KEEP_SNAPSHOT_H
#define OCLASP_KEEP_SNAPSHOT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "keep/epoch.h"
#include "pki/cert_id.h"

struct cert;
struct snapshot;
struct staple;

enum {
	SNAPSHOT_ISSUERS_MAX = 65536,
	SNAPSHOT_SHARDS = 1024,
};

/* A certificate authority whose certificates are kept.  Never goes. */
struct snapshot_issuer {
	uint32_t number;
	uint8_t name_hash[CERT_ID_HASHES][CERT_ID_HASH_MAX];
	uint8_t key_hash[CERT_ID_HASHES][CERT_ID_HASH_MAX];
	_Atomic bool on_demand; /* others of it may be asked for */
	void *about;            /* the loop's */
};

/* One certificate. */
struct snapshot_node {
	uint64_t hash;
	const struct snapshot_issuer *issuer;
	/* responses by the hash of the CertID that they carry, shared; NULL:
	 * none */
	_Atomic(struct staple *) staples[CERT_ID_HASHES];
	_Atomic bool kept;      /* by a target; else fetched on demand */
	_Atomic bool withdrawn; /* it is revoked: there is none on purpose */
	_Atomic bool used;      /* it was asked for since this was cleared */
	bool fetched;    /* the loop's: relay_demand has it in its list */
	unsigned owners; /* the loop's: targets that keep it */
	uint8_t serial_len;
	uint8_t serial[];
};

/* --- on the loop --- */

struct snapshot *snapshot_new(void);
/* No reader is left. */
void snapshot_free(struct snapshot **snapshot);

/* For readers to join and part. */
struct epoch *snapshot_epoch(struct snapshot *snapshot);

/* The issuer of LEAF, found or made.  NULL: there are too many already. */
struct snapshot_issuer *snapshot_issuer_of(struct snapshot *snapshot,
    const struct cert *leaf, const struct cert *issuer);

/* The certificate with SERIAL (content octets, 1 to 127) of ISSUER, found or
 * made. */
struct snapshot_node *snapshot_node_of(struct snapshot *snapshot,
    const struct snapshot_issuer *issuer, struct span serial);

/* Take NODE out; it is dead then. */
void snapshot_remove(struct snapshot *snapshot, struct snapshot_node *node);

/* STAPLE, which is shared, answers for NODE from now on to CertIDs of HASH;
 * NULL: nothing does.  The one that is there already is left as it is. */
void snapshot_put(struct snapshot *snapshot, struct snapshot_node *node,
    enum cert_id_hash hash, struct staple *staple);

size_t snapshot_count(const struct snapshot *snapshot);

/* --- by readers, between epoch_enter() and epoch_leave(), and by the loop ---
 * What they return is borrowed until then. */

const struct snapshot_issuer *snapshot_find_issuer(
    const struct snapshot *snapshot, const struct cert_id *id);
struct snapshot_node *snapshot_find(const struct snapshot *snapshot,
    const struct snapshot_issuer *issuer, struct span serial);

/* NODE's response to CertIDs of HASH if it may be given at NOW (I3), else
 * NULL. */
const struct staple *snapshot_staple_at(
    const struct snapshot_node *node, enum cert_id_hash hash, int64_t now);

#endif
