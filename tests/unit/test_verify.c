/* SPDX-License-Identifier: ISC */
/* test_verify.c -- pki/verify: one row for each line of REQUIREMENTS 1.3; who
 * may sign (C5 to C9) is in test_signer.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/ocsp.h>

#include "base/clock.h"
#include "base/err.h"
#include "pki/der.h"
#include "pki/response.h"
#include "pki/staple.h"
#include "pki/verify.h"
#include "pki_fixture.h"

static struct pki pki;
static struct pki_party stranger; /* another leaf of the same issuer */

static int
make_pki(void **state)
{
	(void)state;
	pki = pki_make(PKI_EC);
	stranger = pki_party(
	    &(struct pki_spec){.cn = "stranger", .issuer = &pki.issuer});
	return 0;
}

static int
free_pki(void **state)
{
	(void)state;
	pki_party_done(&stranger);
	pki_done(&pki);
	return 0;
}

/* What is odd about a response, a policy or a request; zero is ordinary. */
struct row {
	const char *name;
	enum reason reason; /* of the refusal; REASON_NONE: accepted */
	enum cert_status status;
	bool no_single, two;
	struct pki_single first, second;
	bool first_stranger, second_stranger;
	struct pki_response response;
	struct verify_policy policy;
	struct span nonce;   /* of the request */
	const char *warning; /* a part of it; NULL: there is none */
};

/* 1.2.3.4 with the value NULL, critical and not; archive cutoff, critical. */
#define EXT_UNKNOWN_CRITICAL \
	"\x30\x0c\x06\x03\x2a\x03\x04\x01\x01\xff\x04\x02\x05\x00"
#define EXT_UNKNOWN "\x30\x09\x06\x03\x2a\x03\x04\x04\x02\x05\x00"
#define EXT_UNKNOWN_FALSE \
	"\x30\x0c\x06\x03\x2a\x03\x04\x01\x01\x00\x04\x02\x05\x00"
#define EXT_CUTOFF_CRITICAL                                                \
	"\x30\x12\x06\x09\x2b\x06\x01\x05\x05\x07\x30\x01\x06\x01\x01\xff" \
	"\x04\x02\x05\x00"
#define EXT_CERTIFICATE_ISSUER_CRITICAL \
	"\x30\x0c\x06\x03\x55\x1d\x1d\x01\x01\xff\x04\x02\x30\x00"
#define EXT_NONCE_CRITICAL                                                 \
	"\x30\x13\x06\x09\x2b\x06\x01\x05\x05\x07\x30\x01\x02\x01\x01\xff" \
	"\x04\x03\x04\x01\x41"
#define EXT_NONCE                                                      \
	"\x30\x10\x06\x09\x2b\x06\x01\x05\x05\x07\x30\x01\x02\x04\x03" \
	"\x04\x01\x41"
#define EXT_NONCE_BARE                                                 \
	"\x30\x10\x06\x09\x2b\x06\x01\x05\x05\x07\x30\x01\x02\x04\x03" \
	"abc"

static const struct row rows[] = {
    {.name = "C1 good", .status = CERT_GOOD},
    {.name = "C1 malformedRequest",
	.response.status = 1,
	.reason = REASON_STATUS_MALFORMED_REQUEST},
    {.name = "C1 internalError",
	.response.status = 2,
	.reason = REASON_STATUS_INTERNAL_ERROR},
    {.name = "C1 tryLater",
	.response.status = 3,
	.reason = REASON_STATUS_TRY_LATER},
    {.name = "C1 status 4 does not exist",
	.response.status = 4,
	.reason = REASON_MALFORMED},
    {.name = "C1 sigRequired",
	.response.status = 5,
	.reason = REASON_STATUS_SIG_REQUIRED},
    {.name = "C1 unauthorized",
	.response.status = 6,
	.reason = REASON_STATUS_UNAUTHORIZED},
    {.name = "C1 status 7 does not exist",
	.response.status = 7,
	.reason = REASON_MALFORMED},
    {.name = "C1 status 255",
	.response.status = 255,
	.reason = REASON_MALFORMED},
    {.name = "C1 responseType of another kind",
	.response.type = "1.3.6.1.5.5.7.48.1.5",
	.reason = REASON_MALFORMED},

    {.name = "C2 newline behind",
	.response.tail = PKI_BYTES("\n"),
	.reason = REASON_TRAILING_DATA},
    {.name = "C2 NUL behind",
	.response.tail = PKI_BYTES("\0"),
	.reason = REASON_TRAILING_DATA},
    {.name = "C2 octets behind an error status",
	.response = {.status = 3, .tail = PKI_BYTES("x")},
	.reason = REASON_TRAILING_DATA},
    {.name = "C2 octets behind a SingleResponse's fields",
	.first.tail = PKI_BYTES("\x05\x00"),
	.reason = REASON_TRAILING_DATA},

    {.name = "C3 no SingleResponse at all",
	.no_single = true,
	.reason = REASON_MALFORMED},
    {.name = "C3 for another certificate",
	.first_stranger = true,
	.reason = REASON_WRONG_CERTIFICATE},
    {.name = "C3 ours is the second",
	.two = true,
	.first_stranger = true,
	.status = CERT_GOOD},
    {.name = "C3 another's revocation is not ours",
	.two = true,
	.second_stranger = true,
	.second.status = CERT_REVOKED,
	.status = CERT_GOOD},
    {.name = "C3 SHA-1 and SHA-256 pair",
	.two = true,
	.second.md_nid = NID_sha256,
	.status = CERT_GOOD},
    {.name = "C3 good, then revoked",
	.two = true,
	.second.status = CERT_REVOKED,
	.status = CERT_REVOKED},
    {.name = "C3 revoked, then good",
	.two = true,
	.first.status = CERT_REVOKED,
	.status = CERT_REVOKED},
    {.name = "C3 good, then unknown",
	.two = true,
	.second.status = CERT_UNKNOWN,
	.status = CERT_GOOD},
    {.name = "C3 unknown, then good",
	.two = true,
	.first.status = CERT_UNKNOWN,
	.status = CERT_GOOD},
    {.name = "C3 unknown, then revoked",
	.two = true,
	.first.status = CERT_UNKNOWN,
	.second.status = CERT_REVOKED,
	.status = CERT_REVOKED},

    {.name = "C4 other issuerNameHash",
	.first.wrong_name = true,
	.reason = REASON_WRONG_CERTIFICATE},
    {.name = "C4 other issuerKeyHash",
	.first.wrong_key = true,
	.reason = REASON_WRONG_CERTIFICATE},
    {.name = "C4 other serial number",
	.first.wrong_serial = true,
	.reason = REASON_WRONG_CERTIFICATE},
    {.name = "C4 SHA-256", .first.md_nid = NID_sha256, .status = CERT_GOOD},
    {.name = "C4 SHA-384", .first.md_nid = NID_sha384, .status = CERT_GOOD},
    {.name = "C4 SHA-512", .first.md_nid = NID_sha512, .status = CERT_GOOD},
    {.name = "C4 SHA-384, other issuerNameHash",
	.first = {.md_nid = NID_sha384, .wrong_name = true},
	.reason = REASON_WRONG_CERTIFICATE},
    {.name = "C4 SHA-512, other issuerKeyHash",
	.first = {.md_nid = NID_sha512, .wrong_key = true},
	.reason = REASON_WRONG_CERTIFICATE},
    {.name = "C4 SHA-224 is not used for it",
	.first.md_nid = NID_sha224,
	.reason = REASON_WRONG_CERTIFICATE},
    {.name = "C4 MD5 is not used for it",
	.first.md_nid = NID_md5,
	.reason = REASON_WRONG_CERTIFICATE},

    {.name = "C5 signature changed",
	.response.forgery = PKI_FLIP_SIGNATURE,
	.reason = REASON_BAD_SIGNATURE},
    {.name = "C5 data changed",
	.response.forgery = PKI_FLIP_DATA,
	.response.nonce = PKI_BYTES("nonce"),
	.reason = REASON_BAD_SIGNATURE},

    {.name = "C10 thisUpdate at the edge of the skew",
	.first.this_update = PKI_NOW + VERIFY_SKEW,
	.status = CERT_GOOD},
    {.name = "C10 thisUpdate a second beyond",
	.first.this_update = PKI_NOW + VERIFY_SKEW + 1,
	.reason = REASON_NOT_YET_VALID},
    {.name = "C10 producedAt at the edge of the skew",
	.response.produced_at = PKI_NOW + VERIFY_SKEW,
	.status = CERT_GOOD},
    {.name = "C10 producedAt a second beyond",
	.response.produced_at = PKI_NOW + VERIFY_SKEW + 1,
	.reason = REASON_NOT_YET_VALID},
    {.name = "C10 no skew: thisUpdate now",
	.first.this_update = PKI_NOW,
	.policy.skew_s = -1,
	.status = CERT_GOOD},
    {.name = "C10 no skew: thisUpdate in a second",
	.first.this_update = PKI_NOW + 1,
	.policy.skew_s = -1,
	.reason = REASON_NOT_YET_VALID},
    {.name = "C10 year 9999",
	.first.this_text = "99991231235959Z",
	.first.next_text = "99991231235959Z",
	.reason = REASON_NOT_YET_VALID},

    {.name = "C11 no nextUpdate",
	.first.no_next_update = true,
	.reason = REASON_NO_NEXT_UPDATE},
    {.name = "C11 no nextUpdate, by policy",
	.first.no_next_update = true,
	.policy.allow_no_next_update = true,
	.status = CERT_GOOD},
    {.name = "C11 no nextUpdate, and no life said: of any age",
	.first = {.no_next_update = true,
	    .this_update = PKI_NOW - 30 * CLOCK_DAY},
	.policy.allow_no_next_update = true,
	.status = CERT_GOOD},
    {.name = "C11 no nextUpdate, at the end of its life and the skew",
	.first = {.no_next_update = true,
	    .this_update = PKI_NOW - 7200 - VERIFY_SKEW},
	.policy = {.allow_no_next_update = true, .no_next_update_s = 7200},
	.status = CERT_GOOD},
    {.name = "C11 no nextUpdate, past that",
	.first = {.no_next_update = true,
	    .this_update = PKI_NOW - 7200 - VERIFY_SKEW - 1},
	.policy = {.allow_no_next_update = true, .no_next_update_s = 7200},
	.reason = REASON_EXPIRED},
    {.name = "C11 an unknown of last month without nextUpdate",
	.first = {.no_next_update = true,
	    .status = CERT_UNKNOWN,
	    .this_update = PKI_NOW - 30 * CLOCK_DAY},
	.policy = {.allow_no_next_update = true, .no_next_update_s = 7200},
	.reason = REASON_EXPIRED},
    {.name = "C11 a revocation of last month without nextUpdate",
	.first = {.no_next_update = true,
	    .status = CERT_REVOKED,
	    .this_update = PKI_NOW - 30 * CLOCK_DAY},
	.policy = {.allow_no_next_update = true, .no_next_update_s = 7200},
	.reason = REASON_EXPIRED},
    {.name = "C11 a revocation needs one as well",
	.first = {.no_next_update = true, .status = CERT_REVOKED},
	.reason = REASON_NO_NEXT_UPDATE},

    {.name = "C12 nextUpdate at the edge of the skew",
	.first.next_update = PKI_NOW - VERIFY_SKEW,
	.status = CERT_GOOD},
    {.name = "C12 nextUpdate a second beyond",
	.first.next_update = PKI_NOW - VERIFY_SKEW - 1,
	.reason = REASON_EXPIRED},
    {.name = "C12 nextUpdate before thisUpdate",
	.first = {.this_update = PKI_NOW, .next_update = PKI_NOW - 1},
	.reason = REASON_MALFORMED},
    {.name = "C12 nextUpdate equal to thisUpdate",
	.first = {.this_update = PKI_NOW, .next_update = PKI_NOW},
	.reason = REASON_MALFORMED},
    {.name = "C12 an expired revocation",
	.first = {.status = CERT_REVOKED,
	    .next_update = PKI_NOW - CLOCK_HOUR / 2},
	.reason = REASON_EXPIRED},
    {.name = "C12 at the maximum age",
	.policy.max_age_s = 3600,
	.status = CERT_GOOD},
    {.name = "C12 beyond the maximum age",
	.policy.max_age_s = 3599,
	.reason = REASON_LIFETIME_TOO_LONG},
    {.name = "C13 more than ten days of life",
	.first.next_update = PKI_NOW + 11 * CLOCK_DAY,
	.warning = "10 days",
	.status = CERT_GOOD},
    {.name = "C13 ten days of life to the second",
	.first = {.this_update = PKI_NOW, .next_update = PKI_NOW + VERIFY_CAP},
	.status = CERT_GOOD},

    {.name = "C15 revoked",
	.first.status = CERT_REVOKED,
	.status = CERT_REVOKED},
    {.name = "C15 revoked for a reason",
	.first = {.status = CERT_REVOKED, .reason = 1},
	.status = CERT_REVOKED},
    {.name = "C15 unknown",
	.first.status = CERT_UNKNOWN,
	.status = CERT_UNKNOWN},

    {.name = "C16 the nonce comes back",
	.nonce = PKI_BYTES("0123456789abcdef"),
	.response.nonce = PKI_BYTES("0123456789abcdef"),
	.status = CERT_GOOD},
    {.name = "C16 another nonce",
	.nonce = PKI_BYTES("0123456789abcdef"),
	.response.nonce = PKI_BYTES("0123456789abcdeF"),
	.reason = REASON_NONCE_MISMATCH},
    {.name = "C16 a prefix of the nonce",
	.nonce = PKI_BYTES("0123456789abcdef"),
	.response.nonce = PKI_BYTES("0123456789abcde"),
	.reason = REASON_NONCE_MISMATCH},
    {.name = "C16 no nonce comes back",
	.nonce = PKI_BYTES("0123456789abcdef"),
	.status = CERT_GOOD},
    {.name = "C16 strict: no nonce comes back",
	.nonce = PKI_BYTES("0123456789abcdef"),
	.policy.nonce_strict = true,
	.reason = REASON_NONCE_MISMATCH},
    {.name = "C16 strict: another nonce",
	.nonce = PKI_BYTES("0123456789abcdef"),
	.response.nonce = PKI_BYTES("0123456789abcdeF"),
	.policy.nonce_strict = true,
	.reason = REASON_NONCE_MISMATCH},
    {.name = "C16 strict: the nonce comes back",
	.nonce = PKI_BYTES("0123456789abcdef"),
	.response.nonce = PKI_BYTES("0123456789abcdef"),
	.policy.nonce_strict = true,
	.status = CERT_GOOD},
    {.name = "C16 strict, of the store: none was sent",
	.policy.nonce_strict = true,
	.status = CERT_GOOD},
    {.name = "C11 a life for those without, but they are not allowed",
	.first.no_next_update = true,
	.policy.no_next_update_s = 3600,
	.reason = REASON_NO_NEXT_UPDATE},
    {.name = "C16 a nonce that nobody sent",
	.response.nonce = PKI_BYTES("0123456789abcdef"),
	.status = CERT_GOOD},
    {.name = "C16 bare octets of an old responder",
	.nonce = PKI_BYTES("abc"),
	.response.extensions = PKI_BYTES(EXT_NONCE_BARE),
	.status = CERT_GOOD},
    {.name = "C16 critical nonce",
	.nonce = PKI_BYTES("A"),
	.response.extensions = PKI_BYTES(EXT_NONCE_CRITICAL),
	.status = CERT_GOOD},

    {.name = "C17 unknown critical in the response",
	.response.extensions = PKI_BYTES(EXT_UNKNOWN_CRITICAL),
	.reason = REASON_CRITICAL_EXTENSION},
    {.name = "C17 unknown critical in the single",
	.first.extensions = PKI_BYTES(EXT_UNKNOWN_CRITICAL),
	.reason = REASON_CRITICAL_EXTENSION},
    {.name = "C17 critical certificateIssuer in the single",
	.first.extensions = PKI_BYTES(EXT_CERTIFICATE_ISSUER_CRITICAL),
	.reason = REASON_CRITICAL_EXTENSION},
    {.name = "C17 critical nonce in the single, where it means nothing",
	.first.extensions = PKI_BYTES(EXT_NONCE_CRITICAL),
	.reason = REASON_CRITICAL_EXTENSION},
    {.name = "C17 unknown critical in another's single",
	.two = true,
	.second_stranger = true,
	.second.extensions = PKI_BYTES(EXT_UNKNOWN_CRITICAL),
	.status = CERT_GOOD},
    {.name = "C17 unknown, not critical, in both",
	.first.extensions = PKI_BYTES(EXT_UNKNOWN),
	.response.extensions = PKI_BYTES(EXT_UNKNOWN),
	.status = CERT_GOOD},
    {.name = "C17 critical FALSE written out",
	.response.extensions = PKI_BYTES(EXT_UNKNOWN_FALSE),
	.status = CERT_GOOD},
    {.name = "C17 critical archive cutoff only informs",
	.first.extensions = PKI_BYTES(EXT_CUTOFF_CRITICAL),
	.status = CERT_GOOD},
    {.name = "C17 unknown critical behind one that is not",
	.first.extensions = PKI_BYTES(EXT_NONCE EXT_UNKNOWN_CRITICAL),
	.reason = REASON_CRITICAL_EXTENSION},
    {.name = "C17 the same extension twice",
	.response.extensions = PKI_BYTES(EXT_UNKNOWN EXT_UNKNOWN),
	.reason = REASON_MALFORMED},
    {.name = "C17 an empty list of extensions",
	.response.empty_extensions = true,
	.status = CERT_GOOD},

    {.name = "C18 fractions of a second",
	.first.this_text = "20270115070000.5Z",
	.status = CERT_GOOD},
    {.name = "C18 nextUpdate at epoch 0 is not 'absent'",
	.first.next_text = "19700101000000Z",
	.policy.allow_no_next_update = true,
	.reason = REASON_MALFORMED},
};

/* Each of them as thisUpdate, nextUpdate and producedAt (C18). */
static const char *const bad_times[] = {
    "",
    "Z",
    "2027011507Z",
    "202701150700Z",
    "20270115070000",
    "20270115070000z",
    "20270115070000+0000",
    "20270115070000+0100",
    "270115070000Z",
    "120270115070000Z",
    "20270115070000.Z",
    "20270115070000.50Z",
    "20270115070000,5Z",
    "20270115070000.5",
    "20270115070000.5x5Z",
    "20270115070000.5555555555555555555555Z",
    "20270015070000Z",
    "20271315070000Z",
    "20270100070000Z",
    "20270229070000Z",
    "20270431070000Z",
    "20270115240000Z",
    "20270115076000Z",
    "20270115070060Z",
    "00000115070000Z",
    "2027011507000 Z",
    "2027010:070000Z",
    "202701150700/:Z",
    "-0270115070000Z",
    "20270115070000ZZ",
};

static void
fill_single(struct pki_single *single, bool of_stranger)
{
	single->leaf = of_stranger ? stranger.cert : pki.leaf.cert;
	single->issuer = pki.issuer.cert;
}

static struct verify_input
ordinary_input(const struct buf *der)
{
	return (struct verify_input){
	    .leaf = pki.leaf.cert,
	    .issuer = pki.issuer.cert,
	    .der = (const uint8_t *)der->text,
	    .len = der->len,
	};
}

/* The keeper holds compact certificates: the same comes of them. */
static void
expect_same_compact(const char *name, struct verify_input input,
    const struct verify_policy *policy, int rc, const struct err *err)
{
	struct cert *compact = cert_compact(input.leaf);
	struct verdict facts;
	struct err again = {0};

	input.leaf = compact;
	if (verify_response(&input, policy, &facts, &again) != rc ||
	    again.reason != err->reason || strcmp(again.text, err->text) != 0)
		fail_msg("%s: compact: %s", name, again.text);
	cert_free(compact);
}

static void
run_row(const struct row *row)
{
	struct pki_single singles[2] = {row->first, row->second};
	struct pki_response response = row->response;
	struct verify_policy policy = row->policy;
	struct verdict facts = {.size = 99};
	struct verify_input input;
	struct err err = {0};
	struct buf der;
	int rc;

	fill_single(&singles[0], row->first_stranger);
	fill_single(&singles[1], row->second_stranger);
	response.signer = &pki.issuer;
	response.singles = singles;
	response.single_count = row->no_single ? 0 : row->two ? 2 : 1;
	policy.now = PKI_NOW;
	if (policy.skew_s == 0)
		policy.skew_s = VERIFY_SKEW;
	if (policy.skew_s < 0)
		policy.skew_s = 0;
	der = pki_response(&response);
	input = ordinary_input(&der);
	input.nonce = row->nonce.at;
	input.nonce_len = row->nonce.len;
	rc = verify_response(&input, &policy, &facts, &err);
	expect_same_compact(row->name, input, &policy, rc, &err);
	if (err.reason != row->reason)
		fail_msg("%s: %s, not %s: %s", row->name,
		    reason_name(err.reason), reason_name(row->reason),
		    err.text);
	if (rc != (row->reason == REASON_NONE ? 0 : -1))
		fail_msg("%s: returned %d", row->name, rc);
	if (rc == 0 && facts.status != row->status)
		fail_msg("%s: %s, not %s", row->name,
		    cert_status_name(facts.status),
		    cert_status_name(row->status));
	if (rc == 0 && facts.size != der.len)
		fail_msg("%s: size %zu", row->name, facts.size);
	if (rc == 0 &&
	    (row->warning == NULL
		    ? facts.warning != NULL && !facts.fractional_times
		    : facts.warning == NULL ||
			  strstr(facts.warning, row->warning) == NULL))
		fail_msg("%s: warned that %s", row->name, facts.warning);
	if (rc == -1 && facts.size != 99)
		fail_msg("%s: refused, but *out was touched", row->name);
	if (rc == -1 && err.text[0] == '\0')
		fail_msg("%s: refused without a sentence", row->name);
	buf_done(&der);
}

static void
test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		run_row(&rows[i]);
}

/* C11, C14: without nextUpdate it counts a day, or as long as the operator
 * says, but never past the certificate. */
static void
test_life_without_next_update(void **state)
{
	static const struct {
		int64_t said, counts;
	} lives[] = {{0, VERIFY_CAP_NO_NEXT}, {7200, 7200},
	    {5 * CLOCK_DAY, 5 * CLOCK_DAY}, {60 * CLOCK_DAY, -1}};
	const struct pki_single single = {.leaf = pki.leaf.cert,
	    .issuer = pki.issuer.cert,
	    .no_next_update = true};
	const struct pki_response response = {
	    .signer = &pki.issuer, .singles = &single, .single_count = 1};
	struct buf der = pki_response(&response);
	struct verify_input input = ordinary_input(&der);

	(void)state;
	for (size_t i = 0; i < sizeof(lives) / sizeof(*lives); i++) {
		struct verify_policy policy = verify_policy_default(PKI_NOW);
		struct verdict facts = {0};

		policy.allow_no_next_update = true;
		policy.no_next_update_s = lives[i].said;
		assert_int_equal(
		    verify_response(&input, &policy, &facts, NULL), 0);
		assert_true(facts.usable_until ==
			    (lives[i].counts == -1
				    ? pki.leaf.cert->not_after
				    : facts.this_update + lives[i].counts));
	}
	buf_done(&der);
}

/* C13, C14: the cap is for whoever is no CA, also where the certificate cannot
 * be read and so nothing is known of it. */
static void
test_cap_of_the_unread(void **state)
{
	const struct response_single single = {.this_update = PKI_NOW,
	    .has_next_update = true,
	    .next_update = PKI_NOW + 20 * CLOCK_DAY};

	(void)state;
	if (verify_latest_end(&single, NULL, 0) != PKI_NOW + VERIFY_CAP)
		fail_msg("C13: nobody's certificate has no cap");
	if (verify_latest_end(&single, pki.leaf.cert, 0) !=
	    PKI_NOW + VERIFY_CAP)
		fail_msg("C13: the leaf has no cap");
	if (verify_latest_end(&single, pki.issuer.cert, 0) !=
	    single.next_update)
		fail_msg("F9: a CA's certificate has a cap");
}

static void
test_bad_times(void **state)
{
	char name[64];

	(void)state;
	for (size_t i = 0; i < sizeof(bad_times) / sizeof(*bad_times); i++) {
		for (int where = 0; where < 3; where++) {
			struct row row = {.reason = REASON_MALFORMED};

			(void)snprintf(name, sizeof(name), "C18 '%s' (%d)",
			    bad_times[i], where);
			row.name = name;
			if (where == 0)
				row.first.this_text = bad_times[i];
			else if (where == 1)
				row.first.next_text = bad_times[i];
			else
				row.response.produced_text = bad_times[i];
			run_row(&row);
		}
	}
}

/* C2, C5: no octet can be changed, none left out, none added. */
static void
test_every_octet_counts(void **state)
{
	struct pki_single single = {0};
	struct pki_response spec = {
	    .signer = &pki.issuer, .singles = &single, .single_count = 1};
	struct verify_policy policy = verify_policy_default(PKI_NOW);
	struct verdict facts;
	struct buf der;

	(void)state;
	fill_single(&single, false);
	der = pki_response(&spec);
	for (size_t i = 0; i < der.len; i++) {
		struct verify_input input = ordinary_input(&der);
		uint8_t *cut = malloc(i + 1);

		memcpy(cut, der.text, i);
		input.der = cut;
		input.len = i;
		if (verify_response(&input, &policy, &facts, NULL) == 0)
			fail_msg("C2: accepted when cut at %zu", i);
		free(cut);
		input = ordinary_input(&der);
		for (int bit = 0; bit < 8; bit++) {
			der.text[i] = (char)(der.text[i] ^ (1 << bit));
			if (verify_response(&input, &policy, &facts, NULL) == 0)
				fail_msg("C5: bit %d of octet %zu", bit, i);
			der.text[i] = (char)(der.text[i] ^ (1 << bit));
		}
	}
	buf_done(&der);
}

/* A copy of IN, values of DER, in which the value AT, of those that hold others
 * and counted from the inside, has one more at its end.  *SEEN counts. */
static void
copy_with_one_more(struct buf *out, struct span in, size_t at, size_t *seen)
{
	/* of an AlgorithmIdentifier, which is OpenSSL's to read */
	static const struct span ecdsa =
	    PKI_BYTES("\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02");
	struct der_fault fault = {0};
	struct der der = der_over(in, &fault);

	while (!der_at_end(&der)) {
		uint8_t tag = der.at[0];
		struct span content = der_content(&der, tag, "a value");
		struct buf inner;

		/* the response itself is in an OCTET STRING */
		if (((tag & 0x20) == 0 &&
			(tag != DER_OCTET_STRING || content.len < 64)) ||
		    span_equal(content, ecdsa)) {
			pki_tlv(out, tag, content);
			continue;
		}
		buf_init(&inner, PKI_TLV_MAX);
		copy_with_one_more(&inner, content, at, seen);
		if ((*seen)++ == at)
			buf_add(&inner, "\x05\x00", 2);
		pki_wrap(out, tag, &inner);
	}
	assert_true(der_ok(&der));
}

/* C2: that nothing may be left over is true of each value within as well.  It
 * is seen before the signature is, which its signer may have made over it. */
static void
test_nothing_behind_any_value(void **state)
{
	struct pki_single single = {.status = CERT_REVOKED,
	    .reason = 1,
	    .extensions = PKI_BYTES(EXT_UNKNOWN)};
	struct pki_response spec = {.signer = &pki.issuer,
	    .by_key = true,
	    .version = PKI_BYTES("\xa0\x03\x02\x01\x00"),
	    .extensions = PKI_BYTES(EXT_UNKNOWN),
	    .singles = &single,
	    .single_count = 1};
	struct verify_policy policy = verify_policy_default(PKI_NOW);
	struct verdict facts;
	struct buf der;
	size_t seen = SIZE_MAX;

	(void)state;
	fill_single(&single, false);
	der = pki_response(&spec);
	for (size_t at = 0; at < seen; at++) {
		struct verify_input input;
		struct err err = {0};
		struct buf more;

		seen = 0;
		buf_init(&more, PKI_TLV_MAX);
		copy_with_one_more(&more, pki_span(&der), at, &seen);
		assert_true(more.len == der.len + 2 || at == seen);
		input = ordinary_input(&more);
		if (verify_response(&input, &policy, &facts, &err) == 0 ||
		    (err.reason != REASON_TRAILING_DATA &&
			err.reason != REASON_MALFORMED))
			fail_msg("C2: one more behind value %zu of %zu: %s", at,
			    seen, err.text);
		buf_done(&more);
	}
	assert_true(seen > 15);
	buf_done(&der);
}

/* C19, C20. */
static void
test_not_a_response(void **state)
{
	static const struct {
		const char *name;
		struct span bytes;
		enum reason reason;
	} table[] = {
	    {"C19 empty body", PKI_BYTES(""), REASON_MALFORMED},
	    {"C20 HTML", PKI_BYTES("<html><body>Log in</body></html>"),
		REASON_NOT_OCSP},
	    {"C20 HTML behind a byte order mark",
		PKI_BYTES("\xef\xbb\xbf<!DOCTYPE html>"), REASON_NOT_OCSP},
	    {"C20 HTML with UTF-8 early",
		PKI_BYTES("<title>\xe7\xbd\x91\xe7\xbb\x9c</title>"),
		REASON_NOT_OCSP},
	    {"C20 HTML with GBK early",
		PKI_BYTES("<title>\xcd\xf8\xc2\xe7</title>"), REASON_NOT_OCSP},
	    {"C20 text", PKI_BYTES("unauthorized\n"), REASON_NOT_OCSP},
	    {"C20 one blank", PKI_BYTES(" "), REASON_NOT_OCSP},
	    {"C20 base64 without a wrapping", PKI_BYTES("MAMKAQY="),
		REASON_NOT_OCSP},
	    {"a cut header", PKI_BYTES("\x30\x82"), REASON_MALFORMED},
	    {"a header alone", PKI_BYTES("\x30\x82\x05\xf0"), REASON_MALFORMED},
	    {"gzip", PKI_BYTES("\x1f\x8b\x08\x00\x00\x00\x00\x00"),
		REASON_MALFORMED},
	    {"indefinite length", PKI_BYTES("\x30\x80\x0a\x01\x06\x00\x00"),
		REASON_MALFORMED},
	    {"long form for a short length",
		PKI_BYTES("\x30\x81\x03\x0a\x01\x06"), REASON_MALFORMED},
	    {"success without responseBytes", PKI_BYTES("\x30\x03\x0a\x01\x00"),
		REASON_MALFORMED},
	    {"status as INTEGER", PKI_BYTES("\x30\x03\x02\x01\x06"),
		REASON_MALFORMED},
	    {"status of two octets", PKI_BYTES("\x30\x04\x0a\x02\x00\x06"),
		REASON_MALFORMED},
	    {"empty sequence", PKI_BYTES("\x30\x00"), REASON_MALFORMED},
	    {"a length of four gigabytes",
		PKI_BYTES("\x30\x84\xff\xff\xff\xff\x0a\x01\x06"),
		REASON_MALFORMED},
	};
	struct verify_policy policy = verify_policy_default(PKI_NOW);
	struct verdict facts;

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		size_t len = table[i].bytes.len;
		uint8_t *exact = malloc(len + (len == 0));
		struct verify_input input = {.leaf = pki.leaf.cert,
		    .issuer = pki.issuer.cert,
		    .der = exact,
		    .len = len};
		struct err err = {0};

		memcpy(exact, table[i].bytes.at, len);
		assert_int_equal(
		    -1, verify_response(&input, &policy, &facts, &err));
		if (err.reason != table[i].reason)
			fail_msg("%s: %s: %s", table[i].name,
			    reason_name(err.reason), err.text);
		free(exact);
	}
}

/* D5: more certificates than Firefox takes are worth a word. */
static void
test_many_certificates(void **state)
{
	struct verify_policy policy = verify_policy_default(PKI_NOW);
	struct pki_single single = {
	    .leaf = pki.leaf.cert, .issuer = pki.issuer.cert};
	uint8_t *one = NULL;
	int len = i2d_X509(pki.issuer.cert->x509, &one);
	struct buf certs;

	(void)state;
	assert_true(len > 0);
	buf_init(&certs, 1 << 16);
	for (int count = 1; count <= 9; count++) {
		struct pki_response spec = {.signer = &pki.issuer,
		    .singles = &single,
		    .single_count = 1};
		struct verify_input input;
		struct verdict facts;
		struct err err = {0};
		struct buf der;

		buf_add(&certs, one, (size_t)len);
		spec.raw_certs = pki_span(&certs);
		der = pki_response(&spec);
		input = ordinary_input(&der);
		if (verify_response(&input, &policy, &facts, &err) == -1)
			fail_msg("D5: %d certificates: %s", count, err.text);
		if ((facts.warning != NULL &&
			strstr(facts.warning, "Firefox") != NULL) !=
		    (count > 8))
			fail_msg("D5: %d certificates: warned that %s", count,
			    facts.warning);
		buf_done(&der);
	}
	buf_done(&certs);
	OPENSSL_free(one);
}

/* C19: at most 64 KiB are taken; more than 10,239 bytes is worth a word. */
static void
test_size(void **state)
{
	static const struct {
		size_t len;
		bool taken, warned;
	} sizes[] = {{10239, true, false}, {10240, true, true},
	    {65536, true, true}, {65537, false, false}};
	/* all its signatures are of one length */
	struct pki edwards = pki_make(PKI_ED25519);
	struct verify_policy policy = verify_policy_default(PKI_NOW);
	struct pki_single single = {
	    .leaf = edwards.leaf.cert, .issuer = edwards.issuer.cert};
	struct pki_response spec = {
	    .signer = &edwards.issuer, .singles = &single, .single_count = 1};
	uint8_t *value = calloc(1, 1 << 17);

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		size_t room = 9000; /* its length takes two octets at least */
		struct verify_input input;
		struct verdict facts;
		struct err err = {0};
		struct buf ext, der;

		for (int pass = 0;; pass++) {
			buf_init(&ext, 1 << 18);
			pki_extension(
			    &ext, "1.2.3.4", false, (struct span){value, room});
			spec.extensions = pki_span(&ext);
			der = pki_response(&spec);
			buf_done(&ext);
			if (pass == 1)
				break;
			room += sizes[i].len - der.len;
			buf_done(&der);
		}
		assert_int_equal(der.len, sizes[i].len);
		input = ordinary_input(&der);
		input.leaf = edwards.leaf.cert;
		input.issuer = edwards.issuer.cert;
		if ((verify_response(&input, &policy, &facts, &err) == 0) !=
		    sizes[i].taken)
			fail_msg("C19: %zu octets: %s", der.len, err.text);
		if (!sizes[i].taken)
			assert_int_equal(REASON_OVERSIZE, err.reason);
		else if ((facts.warning != NULL &&
			     strstr(facts.warning, "10,239") != NULL) !=
			 sizes[i].warned)
			fail_msg("C19: %zu octets: warned that %s", der.len,
			    facts.warning);
		buf_done(&der);
	}
	free(value);
	pki_done(&edwards);
}

/* C22: whoever reads the sentence can tell how far the clock is off. */
static void
test_sentences_name_the_distance(void **state)
{
	struct pki_single single = {.this_update = PKI_NOW + CLOCK_DAY,
	    .next_update = PKI_NOW + 2 * CLOCK_DAY};
	struct pki_response spec = {
	    .signer = &pki.issuer, .singles = &single, .single_count = 1};
	struct verify_policy policy = verify_policy_default(PKI_NOW);
	struct verify_input input;
	struct err err = {0};
	struct verdict facts;
	struct buf der;

	(void)state;
	fill_single(&single, false);
	der = pki_response(&spec);
	input = ordinary_input(&der);
	assert_int_equal(-1, verify_response(&input, &policy, &facts, &err));
	assert_non_null(strstr(err.text, "thisUpdate is 2027-01-16T08:00:00Z"));
	assert_non_null(strstr(err.text, "1 d 0 h in the future"));
	policy.now = PKI_NOW + 5 * CLOCK_DAY;
	err_clear(&err);
	assert_int_equal(-1, verify_response(&input, &policy, &facts, &err));
	assert_non_null(strstr(err.text, "3 d 0 h ago"));
	buf_done(&der);
}

/* What the fixture writes is what OpenSSL understands, and what OpenSSL
 * writes is accepted: neither is our own invention. */
static void
test_openssl_agrees(void **state)
{
	struct pki_single single = {0};
	struct pki_response spec = {
	    .signer = &pki.issuer, .singles = &single, .single_count = 1};
	STACK_OF(X509) *certs = sk_X509_new_null();
	OCSP_CERTID *id = OCSP_cert_to_id(
	    EVP_sha1(), pki.leaf.cert->x509, pki.issuer.cert->x509);
	ASN1_TIME *this = ASN1_TIME_set(NULL, PKI_NOW - 60);
	ASN1_TIME *next = ASN1_TIME_set(NULL, PKI_NOW + CLOCK_DAY);
	struct verify_policy policy = verify_policy_default(PKI_NOW);
	struct verify_input input = {
	    .leaf = pki.leaf.cert, .issuer = pki.issuer.cert};
	const unsigned char *at;
	unsigned char *made = NULL;
	struct verdict facts = {0};
	OCSP_RESPONSE *response;
	OCSP_BASICRESP *basic;
	struct err err = {0};
	struct buf der;
	int len;

	(void)state;
	fill_single(&single, false);
	der = pki_response(&spec);
	at = (const unsigned char *)der.text;
	response = d2i_OCSP_RESPONSE(NULL, &at, (long)der.len);
	assert_non_null(response);
	basic = OCSP_response_get1_basic(response);
	assert_true(sk_X509_push(certs, pki.issuer.cert->x509) > 0);
	assert_int_equal(1, OCSP_basic_verify(basic, certs, NULL,
				OCSP_TRUSTOTHER | OCSP_NOVERIFY));
	assert_int_equal(1, OCSP_resp_find(basic, id, -1) >= 0);
	OCSP_BASICRESP_free(basic);
	OCSP_RESPONSE_free(response);
	buf_done(&der);

	basic = OCSP_BASICRESP_new();
	assert_non_null(OCSP_basic_add1_status(
	    basic, id, V_OCSP_CERTSTATUS_GOOD, 0, NULL, this, next));
	assert_int_equal(1, OCSP_basic_sign(basic, pki.issuer.cert->x509,
				pki.issuer.key, EVP_sha256(), NULL, 0));
	response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
	len = i2d_OCSP_RESPONSE(response, &made);
	input.der = made;
	input.len = (size_t)len;
	/* OpenSSL takes producedAt from the real clock, which is whatever it
	 * is: judge by a skew that lets every such moment pass. */
	policy.skew_s = 100 * 366 * (int64_t)CLOCK_DAY;
	assert_int_equal(0, verify_response(&input, &policy, &facts, &err));
	assert_int_equal(CERT_GOOD, facts.status);
	assert_int_equal(PKI_NOW - 60, facts.this_update);
	assert_int_equal(PKI_NOW + CLOCK_DAY, facts.next_update);
	OPENSSL_free(made);
	OCSP_BASICRESP_free(basic);
	OCSP_RESPONSE_free(response);
	OCSP_CERTID_free(id);
	ASN1_TIME_free(this);
	ASN1_TIME_free(next);
	sk_X509_free(certs);
}

/* C3, RFC 9919: by which CertIDs the response may be asked for. */
static void
test_ids(void **state)
{
	static const struct {
		const char *name;
		int first, second; /* NIDs; 0: there is no second */
		bool of_stranger;  /* the second */
		int64_t second_next;
		bool sha1, sha256;
	} ids[] = {
	    {"SHA-1", NID_sha1, 0, false, 0, true, false},
	    {"SHA-256", NID_sha256, 0, false, 0, false, true},
	    {"SHA-384", NID_sha384, 0, false, 0, false, false},
	    {"both", NID_sha1, NID_sha256, false, 0, true, true},
	    {"both, the other way", NID_sha256, NID_sha1, false, 0, true, true},
	    {"another's", NID_sha1, NID_sha256, true, 0, true, false},
	    {"another end", NID_sha1, NID_sha256, false, PKI_NOW + 9000, true,
		false},
	    {"another's other end", NID_sha1, NID_sha256, true, PKI_NOW + 9000,
		true, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(ids) / sizeof(*ids); i++) {
		struct pki_single singles[2] = {{.md_nid = ids[i].first},
		    {.md_nid = ids[i].second,
			.next_update = ids[i].second_next}};
		struct pki_response response = {.signer = &pki.issuer,
		    .singles = singles,
		    .single_count = ids[i].second == 0 ? 1 : 2};
		struct verify_policy policy = verify_policy_default(PKI_NOW);
		struct verdict facts;
		struct verify_input input;
		struct buf der;

		fill_single(&singles[0], false);
		fill_single(&singles[1], ids[i].of_stranger);
		der = pki_response(&response);
		input = ordinary_input(&der);
		assert_int_equal(
		    0, verify_response(&input, &policy, &facts, NULL));
		if (facts.sha1_id != ids[i].sha1 ||
		    facts.sha256_id != ids[i].sha256)
			fail_msg("%s: %d %d", ids[i].name, facts.sha1_id,
			    facts.sha256_id);
		/* I3: a client may look at either */
		if (facts.usable_until !=
		    (ids[i].second_next != 0 && !ids[i].of_stranger
			    ? ids[i].second_next
			    : PKI_NOW + CLOCK_DAY))
			fail_msg("%s: counts %lld s", ids[i].name,
			    (long long)facts.usable_until - PKI_NOW);
		buf_done(&der);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_rows),
	    cmocka_unit_test(test_ids),
	    cmocka_unit_test(test_life_without_next_update),
	    cmocka_unit_test(test_cap_of_the_unread),
	    cmocka_unit_test(test_bad_times),
	    cmocka_unit_test(test_every_octet_counts),
	    cmocka_unit_test(test_nothing_behind_any_value),
	    cmocka_unit_test(test_not_a_response),
	    cmocka_unit_test(test_many_certificates),
	    cmocka_unit_test(test_size),
	    cmocka_unit_test(test_sentences_name_the_distance),
	    cmocka_unit_test(test_openssl_agrees),
	};

	return cmocka_run_group_tests(tests, make_pki, free_pki);
}
