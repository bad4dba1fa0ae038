/* SPDX-License-Identifier: ISC */
/* keep/rules.h -- what the operator says of the certificates of one issuer.
 *
 * A private CA's responder may be under another CA, name no nextUpdate, demand
 * a nonce or live at another URL than its certificates say (REQUIREMENTS 2).
 * Each such exception is for the one issuer it is said of; for all others the
 * strict rules hold. */
#ifndef OCLASP_KEEP_RULES_H
#define OCLASP_KEEP_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pki/cert.h"

struct err;

enum {
	RULES_MAX = 256, /* issuers that something is said of */
	RULES_NO_NEXT_UPDATE_MAX_S = 10 * 86400,
};

/* The hash in the CertID of a request.  SHA-1 is what today's servers and
 * clients look for in a staple (B9); BOTH fetches a SHA-1 one to staple and a
 * SHA-256 one for the relay. */
enum certid_choice { CERTID_UNSAID, CERTID_SHA1, CERTID_SHA256, CERTID_BOTH };

/* What becomes of a good staple when a signed revoked comes (C15). */
enum on_revoked { ON_REVOKED_UNSAID, ON_REVOKED_WITHDRAW, ON_REVOKED_KEEP };

/* STRICT: an answer without the nonce is refused too (C16). */
enum nonce_choice { NONCE_NONE, NONCE_SEND, NONCE_STRICT };

/* As it is said: an `issuer` block of the configuration.  Borrowed strings;
 * what is NULL, 0 or UNSAID is as for all others. */
struct issuer_rules {
	/* the issuer's CN or whole subject, its SHA-256 fingerprint in hex, or
	 * (with a slash in it) a file with its certificate */
	const char *issuer;
	const char *where;        /* it is said, "file:line"; or NULL */
	const char *url;          /* of the responder, instead of the AIA's */
	const char *signer;       /* file: these may sign responses, whoever has
			       certified them (explicit trust) */
	int64_t no_next_update_s; /* a response without nextUpdate is taken
				     and lives so long; 0: see options */
	enum nonce_choice nonce;
	enum certid_choice certid;
	enum on_revoked on_revoked;
	bool allow_sha1; /* signatures made with SHA-1 */
};

/* "sha1", "sha256", "both"; "withdraw", "keep"; "no", "send", "strict".
 * False, and *OUT untouched, for another word. */
bool certid_parse(const char *text, enum certid_choice *out);
bool on_revoked_parse(const char *text, enum on_revoked *out);
bool nonce_parse(const char *text, enum nonce_choice *out);

/* One block with its files read. */
struct rule {
	struct issuer_rules said; /* strings owned by the rules */
	struct cert_list issuers; /* of the file that names the issuer */
	struct cert_list signers;
};

struct rules;

/* COUNT blocks, copied, and their files.  NULL: ERR says which block is faulty
 * (REASON_USAGE) or which file (REASON_CERTIFICATE_UNREADABLE). */
struct rules *rules_load(
    const struct issuer_rules *said, size_t count, struct err *err);
void rules_free(struct rules *rules);

/* The first block that is about the issuer of LEAF, or NULL.  ISSUER may be
 * NULL (not found): then LEAF's own word on its issuer's name counts; else
 * LEAF may be NULL.  RULES may be NULL.  Borrowed. */
const struct rule *rules_find(const struct rules *rules,
    const struct cert *leaf, const struct cert *issuer);

/* What RULE says is for the certificates of LEAF's issuer: as above. */
bool rule_fits(const struct rule *rule, const struct cert *leaf,
    const struct cert *issuer);

/* How RULE names its issuer: "name", "fingerprint", "file". */
const char *rule_by(const struct rule *rule);

/* The blocks in their order; NULL behind the last. */
const struct rule *rules_at(const struct rules *rules, size_t at);

#endif
