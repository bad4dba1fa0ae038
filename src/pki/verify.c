/* SPDX-License-Identifier: ISC */
/* pki/verify.c -- is this response acceptable for this certificate?
 *
 * The only maker of a `struct staple` (I1).  The checks stand in the order of
 * RFC 6960, section 3.2, one function for each:
 *   parse, status      response_parse()
 *   1 which certificate  find_single()
 *   2-4 signature, signer, authorisation  pki/signer.c
 *   5-6 times            check_times()
 * and then critical extensions and the nonce. */
#include "pki/verify.h"

#include <inttypes.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "pki/cert.h"
#include "pki/cert_id.h"
#include "pki/digest.h"
#include "pki/response.h"
#include "pki/signer.h"
#include "pki/staple_make.h"

enum {
	APACHE_STAPLE_MAX = 10239, /* C19: Apache and ATS take no more */
	FIREFOX_CERTS_MAX = 8,     /* nor does Firefox */
};

const char *
cert_status_name(enum cert_status status)
{
	switch (status) {
	case CERT_GOOD:
		return "good";
	case CERT_REVOKED:
		return "revoked";
	case CERT_UNKNOWN:
		return "unknown";
	}
	return "unknown";
}

struct verify_policy
verify_policy_default(int64_t now)
{
	return (struct verify_policy){.now = now, .skew_s = VERIFY_SKEW};
}

/* The digest of a CertID's hash algorithm; NULL for one that is not used for
 * it.  Content octets of the object identifiers. */
static const EVP_MD *
cert_id_digest(struct span oid)
{
	static const uint8_t sha1[] = {0x2b, 0x0e, 3, 2, 0x1a};
	static const uint8_t sha2[] = {0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2};

	if (span_equal(oid, (struct span){sha1, sizeof(sha1)}))
		return EVP_sha1();
	if (oid.len != sizeof(sha2) + 1 ||
	    memcmp(oid.at, sha2, sizeof(sha2)) != 0)
		return NULL;
	switch (oid.at[sizeof(sha2)]) {
	case 1:
		return EVP_sha256();
	case 2:
		return EVP_sha384();
	case 3:
		return EVP_sha512();
	default:
		return NULL;
	}
}

static bool
is_digest(struct span claimed, const EVP_MD *md, const void *data, size_t len)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int digest_len = 0;

	return EVP_Digest(data, len, digest, &digest_len, md, NULL) == 1 &&
	       span_equal(claimed, (struct span){digest, digest_len});
}

/* By the two hashes that are used; by the others, which RFC 6960 permits, too. */
static bool
is_of_issuer(const struct response_single *single, const EVP_MD *md,
    const struct verify_input *in)
{
	const ASN1_BIT_STRING *key = X509_get0_pubkey_bitstr(in->issuer->x509);
	struct span name = in->leaf->issuer_der;
	enum cert_id_hash hash = md == EVP_sha1()     ? CERT_ID_SHA1
				 : md == EVP_sha256() ? CERT_ID_SHA256
						      : CERT_ID_HASHES;
	uint8_t name_hash[CERT_ID_HASH_MAX], key_hash[CERT_ID_HASH_MAX];
	size_t len = cert_id_hash_len(hash);

	if (hash == CERT_ID_HASHES)
		return is_digest(single->name_hash, md, name.at, name.len) &&
		       is_digest(single->key_hash, md,
			   ASN1_STRING_get0_data(key),
			   (size_t)ASN1_STRING_length(key));
	cert_id_issuer(in->leaf, in->issuer, hash, name_hash, key_hash);
	return span_equal(single->name_hash, (struct span){name_hash, len}) &&
	       span_equal(single->key_hash, (struct span){key_hash, len});
}

/* C4: hash algorithm, issuer's name and key, serial number. */
static bool
is_for(const struct response_single *single, const struct verify_input *in)
{
	const EVP_MD *md = cert_id_digest(single->hash_oid);

	/* what costs nothing first: a response may answer for many */
	return in->leaf->serial_der.len > 0 &&
	       span_equal(single->serial, in->leaf->serial_der) && md != NULL &&
	       is_of_issuer(single, md, in);
}

/* Of several answers for one certificate the worst wins: revoked over good
 * over unknown (C3); of equals the first. */
static int
badness(enum cert_status status)
{
	switch (status) {
	case CERT_REVOKED:
		return 2;
	case CERT_GOOD:
		return 1;
	case CERT_UNKNOWN:
		return 0;
	}
	return 0;
}

static const struct response_single *
find_single(const struct response *response, const struct verify_input *in,
    struct err *err)
{
	const struct response_single *found = NULL;

	for (size_t i = 0; i < response->single_count; i++) {
		const struct response_single *single = &response->singles[i];

		if (is_for(single, in) &&
		    (found == NULL ||
			badness(single->status) > badness(found->status)))
			found = single;
	}
	if (found == NULL)
		(void)err_set(err, REASON_WRONG_CERTIFICATE,
		    "none of the %zu answers in the response is for '%s' "
		    "(serial %s) issued by '%s'",
		    response->single_count, cert_name(in->leaf),
		    in->leaf->serial, in->leaf->issuer);
	return found;
}

/* C17.  RFC 6960, section 4.4: "unrecognized extensions ... critical". */
static int
check_critical(const struct response *response,
    const struct response_single *single, struct err *err)
{
	struct span oid = response->unknown_critical.len > 0
			      ? response->unknown_critical
			      : single->unknown_critical;
	char text[SIGNER_OID_TEXT];

	if (oid.len == 0)
		return 0;
	signer_oid_text(oid, text);
	return err_set(err, REASON_CRITICAL_EXTENSION,
	    "the response has the critical extension %s, which is not "
	    "understood",
	    text);
}

/* C11: without nextUpdate it counts, of whatever status, as long as the operator
 * says, if he does. */
static int
check_without_next(const struct response_single *single,
    const struct verify_policy *policy, struct err *err)
{
	int64_t life = policy->no_next_update_s;
	int64_t age = policy->now - single->this_update;
	char at[CLOCK_TEXT], by[CLOCK_SPAN], counts[CLOCK_SPAN];

	if (!policy->allow_no_next_update)
		return err_set(err, REASON_NO_NEXT_UPDATE,
		    "the response has no nextUpdate");
	if (life > 0 && age > life + policy->skew_s)
		return err_set(err, REASON_EXPIRED,
		    "the response has no nextUpdate, and thisUpdate was %s, %s "
		    "ago: it counts for %s",
		    clock_rfc3339(single->this_update, at), clock_span(age, by),
		    clock_span(life, counts));
	return 0;
}

/* C10 to C12.  RFC 6960, section 4.2.2.1: "Responses where the nextUpdate
 * value is earlier than the local system time value SHOULD be considered
 * unreliable"; "thisUpdate ... later than the local system time" likewise. */
static int
check_times(const struct response *response,
    const struct response_single *single, const struct verify_policy *policy,
    struct err *err)
{
	char at[CLOCK_TEXT], by[CLOCK_SPAN];
	int64_t latest = policy->now + policy->skew_s;

	if (single->this_update > latest || response->produced_at > latest) {
		bool this = single->this_update > latest;
		int64_t when =
		    this ? single->this_update : response->produced_at;

		return err_set(err, REASON_NOT_YET_VALID,
		    "%s is %s, %s in the future",
		    this ? "thisUpdate" : "producedAt", clock_rfc3339(when, at),
		    clock_span(when - policy->now, by));
	}
	if (!single->has_next_update &&
	    check_without_next(single, policy, err) == -1)
		return -1;
	if (single->has_next_update &&
	    single->next_update <= single->this_update)
		return err_set(err, REASON_MALFORMED,
		    "nextUpdate is not later than thisUpdate");
	if (single->has_next_update &&
	    single->next_update < policy->now - policy->skew_s)
		return err_set(err, REASON_EXPIRED, "nextUpdate was %s, %s ago",
		    clock_rfc3339(single->next_update, at),
		    clock_span(policy->now - single->next_update, by));
	if (policy->max_age_s > 0 &&
	    policy->now - single->this_update > policy->max_age_s)
		return err_set(err, REASON_LIFETIME_TOO_LONG,
		    "thisUpdate was %s, %s ago, more than the maximum age",
		    clock_rfc3339(single->this_update, at),
		    clock_span(policy->now - single->this_update, by));
	return 0;
}

/* C16.  RFC 9654, section 2.1: a responder may leave it out, unless the
 * operator knows that his does not. */
static int
check_nonce(const struct response *response, const struct verify_input *in,
    const struct verify_policy *policy, struct err *err)
{
	if (in->nonce != NULL && !response->has_nonce && policy->nonce_strict)
		return err_set(err, REASON_NONCE_MISMATCH,
		    "the response does not carry the nonce of the request");
	if (in->nonce == NULL || !response->has_nonce ||
	    span_equal(
		response->nonce, (struct span){in->nonce, in->nonce_len}))
		return 0;
	return err_set(err, REASON_NONCE_MISMATCH,
	    "the response carries another nonce than the request");
}

int64_t
verify_latest_end(const struct response_single *single, const struct cert *leaf,
    int64_t no_next_update_s)
{
	int64_t end = leaf == NULL ? INT64_MAX : leaf->not_after;

	if (!single->has_next_update)
		return clock_earlier(
		    end, single->this_update + (no_next_update_s > 0
						       ? no_next_update_s
						       : VERIFY_CAP_NO_NEXT));
	end = clock_earlier(end, single->next_update);
	if (leaf == NULL || !leaf->is_ca)
		end = clock_earlier(end, single->this_update + VERIFY_CAP);
	return end;
}

/* C14, I3: min(nextUpdate, certificate's notAfter, delegate's notAfter, cap), of
 * all answers that say what FOUND says: a client may look at any of them. */
static int64_t
effective_end(const struct response *response,
    const struct response_single *found, const struct verify_input *in,
    const struct verify_policy *policy, const struct signer *signer)
{
	int64_t end = signer->delegate ? signer->not_after : INT64_MAX;

	for (size_t i = 0; i < response->single_count; i++) {
		const struct response_single *single = &response->singles[i];

		if (single == found ||
		    (single->status == found->status && is_for(single, in)))
			end = clock_earlier(
			    end, verify_latest_end(single, in->leaf,
				     policy->no_next_update_s));
	}
	return end;
}

static const char *
find_warning(const struct response *response,
    const struct response_single *single, const struct verify_input *in,
    const struct signer *signer)
{
	if (response->fractional_times)
		return "its times have fractions of a second, which RFC 5280, "
		       "section 4.1.2.5.2, forbids; it is not stapled, since "
		       "strict clients refuse it";
	if (response->cert_count > FIREFOX_CERTS_MAX)
		return "it has more than 8 certificates in it, and Firefox "
		       "refuses such a staple; none but the signer's is needed";
	if (in->len > APACHE_STAPLE_MAX)
		return "it is larger than 10,239 bytes, which Apache and "
		       "Traffic Server refuse to staple";
	if (single->next_update - single->this_update > VERIFY_CAP &&
	    !in->leaf->is_ca)
		return "it claims to live longer than 10 days; clients count "
		       "10 days at most";
	if (signer->delegate && !signer->trusted && !signer->nocheck)
		return "the delegate signer lacks id-pkix-ocsp-nocheck, which "
		       "public CAs must put into it";
	return NULL;
}

/* By which CertIDs the response says just what FOUND says: RFC 9919 permits it
 * to name the certificate by two. */
static void
note_ids(struct verdict *out, const struct response *response,
    const struct response_single *found, const struct verify_input *in)
{
	for (size_t i = 0; i < response->single_count; i++) {
		const struct response_single *single = &response->singles[i];
		const EVP_MD *md;

		if (single->status != found->status ||
		    single->this_update != found->this_update ||
		    single->next_update != found->next_update ||
		    (single != found && !is_for(single, in)))
			continue;
		md = cert_id_digest(single->hash_oid);
		out->sha1_id = out->sha1_id || md == EVP_sha1();
		out->sha256_id = out->sha256_id || md == EVP_sha256();
	}
}

static void
fill(struct verdict *out, const struct response *response,
    const struct response_single *single, const struct verify_input *in,
    const struct verify_policy *policy, const struct signer *signer)
{
	uint8_t digest[DIGEST_LEN];
	char *hex;

	*out = (struct verdict){
	    .status = single->status,
	    .this_update = single->this_update,
	    .next_update = single->next_update,
	    .produced_at = response->produced_at,
	    .revoked_at = single->revoked_at,
	    .by_delegate = signer->delegate,
	    .usable_until = effective_end(response, single, in, policy, signer),
	    .size = in->len,
	    .fractional_times = response->fractional_times,
	    .warning = find_warning(response, single, in, signer),
	};
	note_ids(out, response, single, in);
	digest_of((struct span){in->der, in->len}, digest);
	hex = text_hex(digest, sizeof(digest));
	memcpy(out->sha256, hex, sizeof(out->sha256) - 1);
	free(hex);
}

static int
judge(const struct verify_input *input, const struct verify_policy *policy,
    struct verdict *out, struct signer *signer, struct err *err)
{
	const struct response_single *single;
	struct response response = {0};
	int rc = -1;

	if (input->len > VERIFY_RESPONSE_MAX)
		return err_set(err, REASON_OVERSIZE,
		    "the response has %zu bytes; more than %d are not taken",
		    input->len, VERIFY_RESPONSE_MAX);
	if (response_parse(input->der, input->len, &response, err) == -1)
		return -1;
	single = find_single(&response, input, err);
	if (single == NULL ||
	    signer_check(&response, input, policy, signer, err) == -1 ||
	    check_critical(&response, single, err) == -1 ||
	    check_times(&response, single, policy, err) == -1 ||
	    check_nonce(&response, input, policy, err) == -1)
		goto out;
	fill(out, &response, single, input, policy, signer);
	rc = 0;
out:
	response_done(&response);
	ERR_clear_error();
	return rc;
}

int
verify_response(const struct verify_input *input,
    const struct verify_policy *policy, struct verdict *out, struct err *err)
{
	struct signer signer = {0};

	return judge(input, policy, out, &signer, err);
}

int64_t
verdict_usable_until(const struct verdict *facts)
{
	int64_t margin = (facts->usable_until - facts->this_update) / 10;

	if (margin > VERIFY_MARGIN)
		margin = VERIFY_MARGIN;
	if (margin < 0) /* it ended before it began: nothing to add */
		margin = 0;
	return facts->usable_until - margin;
}

/* Why an accepted, good response is no staple at this time. */
static int
check_usable(const struct verdict *facts, const struct cert *leaf,
    const struct verify_policy *policy, struct err *err)
{
	char at[CLOCK_TEXT];

	if (facts->fractional_times)
		return err_set(err, REASON_MALFORMED,
		    "the response is genuine, but its times have fractions of "
		    "a second, which clients refuse (RFC 5280, section "
		    "4.1.2.5.2)");
	if (policy->now < verdict_usable_until(facts))
		return 0;
	if (leaf->not_after < policy->now)
		return err_set(err, REASON_CERTIFICATE_EXPIRED,
		    "the certificate of '%s' itself ended %s: renew it",
		    cert_name(leaf), clock_rfc3339(leaf->not_after, at));
	if (facts->next_update > facts->usable_until &&
	    policy->now < facts->next_update)
		return err_set(err, REASON_LIFETIME_TOO_LONG,
		    "the response counts only until %s, when 10 days are over "
		    "or the certificate or the signer ends, although its "
		    "nextUpdate is later",
		    clock_rfc3339(facts->usable_until, at));
	return err_set(err, REASON_EXPIRED,
	    "the response ends %s, too soon to be stapled",
	    clock_rfc3339(facts->usable_until, at));
}

int
verify_staple(const struct verify_input *input,
    const struct verify_policy *policy, struct staple **staple,
    struct verdict *out, bool *accepted, struct err *err)
{
	struct signer signer = {0};
	struct staple *made;

	*accepted = judge(input, policy, out, &signer, err) == 0;
	if (!*accepted || out->status != CERT_GOOD ||
	    check_usable(out, input->leaf, policy, err) == -1)
		return -1;
	made = mem_new(sizeof(*made) + input->len);
	memcpy(made->der, input->der, input->len);
	made->len = input->len;
	made->facts = *out;
	made->sealed = signer.sealed;
	memcpy(made->seal, signer.seal, sizeof(made->seal));
	memcpy(made->fingerprint, input->leaf->fingerprint,
	    sizeof(made->fingerprint));
	*staple = made;
	return 0;
}
