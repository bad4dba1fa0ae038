/* SPDX-License-Identifier: ISC */
/* pki/verify.h -- is this response acceptable for this certificate?
 *
 * Pure: bytes, certificates and `now` in, a verdict out.  RFC 6960 section
 * 3.2, RFC 9919 sections 4 and 5, REQUIREMENTS C1 to C22. */
#ifndef OCLASP_PKI_VERIFY_H
#define OCLASP_PKI_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

struct cert;
struct cert_list;
struct delegates;
struct err;
struct response_single;
struct sealer;
struct staple;

enum {
	VERIFY_SKEW = 300,       /* seconds a clock may be off (nginx, curl) */
	VERIFY_CAP = 10 * 86400, /* seconds after thisUpdate that a staple of
				       an end entity counts (Firefox, BR) */
	VERIFY_CAP_NO_NEXT = 86400, /* the same without nextUpdate (Apple,
				       Firefox) */
	VERIFY_MARGIN = 300,        /* a staple is unusable this long before its
				       end, or a tenth of its life if less */
	VERIFY_RESPONSE_MAX = 65536, /* bytes of one response */
};

enum cert_status { CERT_GOOD, CERT_REVOKED, CERT_UNKNOWN };

const char *cert_status_name(enum cert_status status);

struct verify_policy {
	int64_t now; /* wall seconds: the moment to judge by */
	int64_t
	    skew_s; /* thisUpdate, producedAt, nextUpdate may be off by it */
	int64_t max_age_s; /* of thisUpdate; 0: no limit */
	bool allow_no_next_update;
	int64_t no_next_update_s; /* how long one without it counts, and only
				     if allowed; 0: VERIFY_CAP_NO_NEXT */
	bool allow_sha1;          /* signatures made with SHA-1 */
	bool nonce_strict; /* a nonce was sent and must come back (C16) */
};

/* The policy for staples: skew as above, everything strict. */
struct verify_policy verify_policy_default(int64_t now);

struct verify_input {
	const struct cert *leaf;
	const struct cert *issuer;
	const struct cert_list *extra; /* where a delegate that is not embedded
					  may be found; may be NULL */
	const struct cert_list *trusted; /* signers that the operator vouches
					    for, see pki/signer.h; or NULL */
	struct delegates *delegates;     /* that were checked before: looked up
					  and added to; NULL: none is kept */
	struct sealer *sealer; /* makes and knows our seals, see pki/seal.h;
				  NULL: none */
	struct span seal;      /* that the response has from before, or empty:
				  if it fits, no signature is verified again */
	const uint8_t *der;
	size_t len;
	const uint8_t *nonce; /* of the request; NULL: none was sent */
	size_t nonce_len;
};

/* What a verified response says.  Times in wall seconds. */
struct verdict {
	enum cert_status status;
	int64_t this_update, produced_at;
	int64_t next_update; /* 0: it has none */
	int64_t revoked_at;  /* 0 unless revoked */
	bool by_delegate;
	int64_t usable_until;    /* effective end (I3) = min(nextUpdate, the
				 certificate's and the delegate's notAfter,
				 cap) */
	size_t size;             /* bytes */
	char sha256[65];         /* hex, of the response */
	bool sha1_id, sha256_id; /* the hashes of CertIDs that it answers with
				    just this */
	bool fractional_times;   /* no client need take it as a staple */
	const char *warning; /* NULL, or a sentence worth showing; constant */
};

/* The effective end as far as SINGLE and LEAF say it, without the signer's (C14,
 * I3).  The cap is not for a CA's own certificate, whose responses may live for
 * a year (F9).  LEAF may be NULL (it cannot be read): then its own end is not
 * counted, and it is taken for no CA's.  NO_NEXT_UPDATE_S: as in the policy. */
int64_t verify_latest_end(const struct response_single *single,
    const struct cert *leaf, int64_t no_next_update_s);

/* The moment from which a staple with these facts is not to be served: the
 * effective end less min(VERIFY_MARGIN, a tenth of its life).  Wall seconds. */
int64_t verdict_usable_until(const struct verdict *facts);

/* Accept or reject.  Accepted (0): *OUT is filled, whatever the status.
 * Rejected (-1): ERR says why; *OUT untouched.
 * Errors: those of GROUP_RESPONSE. */
int verify_response(const struct verify_input *input,
    const struct verify_policy *policy, struct verdict *out, struct err *err);

/* As above, and a staple when the response is good and usable now.  Returns
 * -1 if it is rejected, or accepted but no staple: then *OUT is filled, and
 * ERR has REASON_EXPIRED or REASON_LIFETIME_TOO_LONG for one that is past its
 * usable time, REASON_CERTIFICATE_EXPIRED if that is because the certificate
 * has ended, REASON_MALFORMED for fractional times (C18), and REASON_NONE
 * for revoked and unknown.  *ACCEPTED tells
 * rejected from accepted.  *STAPLE is set on success only. */
int verify_staple(const struct verify_input *input,
    const struct verify_policy *policy, struct staple **staple,
    struct verdict *out, bool *accepted, struct err *err);

#endif
