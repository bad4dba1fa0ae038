/* SPDX-License-Identifier: ISC */
/* test_seal.c -- pki/seal: what a seal spares, and what it does not (I1).
 *
 * Most responses here have a signature that is damaged: whoever verifies it
 * refuses it, so that it shows what a seal is worth. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/err.h"
#include "pki/delegates.h"
#include "pki/seal.h"
#include "pki/staple.h"
#include "pki/verify.h"
#include "pki_fixture.h"

static struct pki pki;
static struct pki_party sibling;  /* another leaf of the issuer */
static struct pki_party reissued; /* the issuer's name and key, another cert */
static struct pki_party other_ca;
static struct pki_party stranger; /* a signer that the other CA has certified */
static struct pki_party ending;   /* a delegate that ends before long */
static struct pki_party sha1;     /* one whose certificate is signed so */
static struct pki_party unfit;    /* one that may not sign responses */
static struct sealer *ours, *theirs;

#define OCSP_SIGNING                              \
	{                                         \
		"extendedKeyUsage", "OCSPSigning" \
	}

static int
make_pki(void **state)
{
	const struct pki_ext ca = {"basicConstraints", "critical,CA:TRUE"};
	static const uint8_t keys[2][SEAL_KEY] = {{1}, {2}};

	(void)state;
	pki = pki_make(PKI_EC);
	sibling = pki_party(
	    &(struct pki_spec){.cn = "sibling", .issuer = &pki.issuer});
	other_ca = pki_party(&(struct pki_spec){.cn = "other", .ext = {ca}});
	reissued = pki_party(&(struct pki_spec){.cn = "issuer",
	    .serial = "77",
	    .issuer = &other_ca,
	    .key = pki.issuer.key,
	    .ext = {ca}});
	stranger = pki_party(&(struct pki_spec){
	    .cn = "stranger", .issuer = &other_ca, .ext = {OCSP_SIGNING}});
	ending = pki_party(&(struct pki_spec){.cn = "ending",
	    .issuer = &pki.issuer,
	    .until = PKI_NOW + 3600,
	    .ext = {OCSP_SIGNING}});
	sha1 = pki_party(&(struct pki_spec){.cn = "sha1",
	    .issuer = &pki.issuer,
	    .md = EVP_sha1(),
	    .ext = {OCSP_SIGNING}});
	unfit =
	    pki_party(&(struct pki_spec){.cn = "unfit", .issuer = &pki.issuer});
	ours = sealer_new(keys[0]);
	theirs = sealer_new(keys[1]);
	return ours == NULL || theirs == NULL;
}

static int
free_pki(void **state)
{
	struct pki_party *parties[] = {
	    &sibling, &reissued, &other_ca, &stranger, &ending, &sha1, &unfit};

	(void)state;
	for (size_t i = 0; i < sizeof(parties) / sizeof(parties[0]); i++)
		pki_party_done(parties[i]);
	pki_done(&pki);
	sealer_free(ours);
	sealer_free(theirs);
	return 0;
}

/* A response of SIGNER on the leaf, with its certificate. */
static struct buf
respond(const struct pki_party *signer, bool flip, bool with_sha1)
{
	const struct pki_single single = {
	    .leaf = pki.leaf.cert, .issuer = pki.issuer.cert};

	return pki_response(&(struct pki_response){.signer = signer,
	    .singles = &single,
	    .single_count = 1,
	    .certs = {signer->cert},
	    .md = with_sha1 ? EVP_sha1() : NULL,
	    .forgery = flip ? PKI_FLIP_SIGNATURE : PKI_GENUINE});
}

static enum reason
judge(const struct verify_input *input, const struct verify_policy *policy,
    struct staple **staple)
{
	struct verdict facts;
	struct err err = {0};
	bool accepted;

	(void)verify_staple(input, policy, staple, &facts, &accepted, &err);
	return err.reason;
}

/* What is not as it was sealed; the first is as it was. */
enum odd {
	NOTHING,
	KEY,
	LEAF,
	ISSUER,
	SIGNER,
	VOUCHED,
	RESPONSE,
	SEAL_BIT,
	SEAL_SHORT,
	SEAL_LONG,
	SEAL_NONE,
	SEALER_NONE,
	ODDS
};

static const char *const odd_names[ODDS] = {"nothing", "another key",
    "another certificate's", "another issuer's certificate", "another signer",
    "the operator's word, no signature", "another response",
    "a bit of the seal", "a seal cut short", "a seal with a tail", "no seal",
    "nobody who knows seals"};

static void
test_each_field(void **state)
{
	const struct pki_party *const signers[] = {
	    &pki.issuer, &pki.delegate, &stranger};
	/* the stranger's own certificate is looked at first */
	const enum reason refused[] = {REASON_BAD_SIGNATURE,
	    REASON_BAD_SIGNATURE, REASON_SIGNER_NOT_AUTHORIZED};
	const struct verify_policy policy = verify_policy_default(PKI_NOW);

	(void)state;
	for (unsigned i = 0; i < 3 * ODDS; i++) {
		const struct pki_party *signer = signers[i / ODDS];
		enum odd odd = i % ODDS;
		struct buf der = respond(signer, true, false);
		struct buf other = respond(signer, true, false);
		struct seal_facts facts = {
		    .leaf = (odd == LEAF ? &sibling : &pki.leaf)->cert,
		    .issuer = (odd == ISSUER ? &reissued : &pki.issuer)->cert,
		    .signer = (odd == SIGNER ? &ending : signer)->cert,
		    .vouched = odd == VOUCHED,
		    .response = pki_span(odd == RESPONSE ? &other : &der),
		};
		uint8_t seal[SEAL_LEN + 1] = {0};
		const struct verify_input input = {
		    .leaf = pki.leaf.cert,
		    .issuer = pki.issuer.cert,
		    .der = (const uint8_t *)der.text,
		    .len = der.len,
		    .sealer = odd == SEALER_NONE ? NULL : ours,
		    .seal = {seal, odd == SEAL_SHORT  ? SEAL_LEN - 1
				   : odd == SEAL_LONG ? SEAL_LEN + 1
				   : odd == SEAL_NONE ? 0
						      : SEAL_LEN},
		};
		enum reason want =
		    odd == NOTHING ? REASON_NONE : refused[i / ODDS];
		struct staple *staple = NULL;
		enum reason got;

		/* EC signatures are never the same: another good response */
		assert_false(span_equal(pki_span(&der), pki_span(&other)));
		assert_true(
		    seal_make(odd == KEY ? theirs : ours, &facts, seal));
		if (odd == SEAL_BIT)
			seal[SEAL_LEN - 1] ^= 1;
		got = judge(&input, &policy, &staple);
		if (got != want || (staple != NULL) != (odd == NOTHING))
			fail_msg("I1 by '%s', other: %s: %s, not %s",
			    signer->cert->subject, odd_names[odd],
			    reason_name(got), reason_name(want));
		/* it is handed on */
		if (staple != NULL)
			assert_true(seal_same(staple_seal(staple), seal));
		staple_free(staple);
		buf_done(&der);
		buf_done(&other);
	}
}

/* What is verified gets a seal by which it is known again, whoever signed; and
 * all that is not a signature is looked at each time. */
static void
test_rules_are_obeyed(void **state)
{
	static const struct row {
		const char *name;
		const struct pki_party *signer;
		bool sha1;        /* the response is signed so */
		int64_t later;    /* seconds until it is had again */
		bool vouched_for; /* by the operator, when it was sealed */
		/* since then */
		bool not_sha1, not_vouched_for, too_old;
		enum reason want;
	} rows[] = {
	    {.name = "the issuer", .signer = &pki.issuer},
	    {.name = "a delegate", .signer = &pki.delegate},
	    {.name = "the operator's word",
		.signer = &stranger,
		.vouched_for = true},
	    {.name = "C14 just before its end",
		.signer = &pki.delegate,
		.later = CLOCK_DAY - 301},
	    {.name = "C14 at its end",
		.signer = &pki.delegate,
		.later = CLOCK_DAY - 300,
		.want = REASON_EXPIRED},
	    {.name = "C12 after its end",
		.signer = &pki.delegate,
		.later = 2 * CLOCK_DAY,
		.want = REASON_EXPIRED},
	    {.name = "C10 the clock was set back",
		.signer = &pki.issuer,
		.later = -3600 - 301,
		.want = REASON_NOT_YET_VALID},
	    {.name = "C12 a maximum age since then",
		.signer = &pki.issuer,
		.too_old = true,
		.want = REASON_LIFETIME_TOO_LONG},
	    {.name = "C14 the delegate ends",
		.signer = &ending,
		.later = 3600 - 300,
		.want = REASON_LIFETIME_TOO_LONG},
	    {.name = "C6 the delegate has ended",
		.signer = &ending,
		.later = 3601,
		.want = REASON_SIGNER_EXPIRED},
	    {.name = "C5 SHA-1, allowed still",
		.signer = &pki.issuer,
		.sha1 = true},
	    {.name = "C5 SHA-1, not any more",
		.signer = &pki.issuer,
		.sha1 = true,
		.not_sha1 = true,
		.want = REASON_WEAK_ALGORITHM},
	    {.name = "C5 the delegate's SHA-1, allowed still", .signer = &sha1},
	    {.name = "C5 the delegate's SHA-1, not any more",
		.signer = &sha1,
		.not_sha1 = true,
		.want = REASON_WEAK_ALGORITHM},
	    {.name = "C6 the operator's word is withdrawn",
		.signer = &stranger,
		.vouched_for = true,
		.not_vouched_for = true,
		.want = REASON_SIGNER_NOT_AUTHORIZED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		struct buf der = respond(row->signer, false, row->sha1);
		struct verify_policy policy = verify_policy_default(PKI_NOW);
		struct cert_list trusted = {0};
		struct verify_input input = {
		    .leaf = pki.leaf.cert,
		    .issuer = pki.issuer.cert,
		    .der = (const uint8_t *)der.text,
		    .len = der.len,
		    .sealer = ours,
		};
		struct staple *first = NULL, *again = NULL;
		enum reason got;

		policy.allow_sha1 = true;
		cert_list_add(&trusted, row->signer->cert);
		input.trusted = row->vouched_for ? &trusted : NULL;
		got = judge(&input, &policy, &first);
		if (first == NULL)
			fail_msg("%s: first %s", row->name, reason_name(got));
		input.seal = staple_seal(first);
		assert_int_equal(input.seal.len, SEAL_LEN);
		policy.now += row->later;
		policy.allow_sha1 = !row->not_sha1;
		policy.max_age_s = row->too_old ? 60 : 0;
		if (row->not_vouched_for)
			input.trusted = NULL;
		got = judge(&input, &policy, &again);
		if (got != row->want)
			fail_msg("%s: %s, not %s", row->name, reason_name(got),
			    reason_name(row->want));
		if (again != NULL) {
			const struct verdict *a = staple_facts(first);
			const struct verdict *b = staple_facts(again);

			assert_int_equal(a->usable_until, b->usable_until);
			assert_int_equal(a->by_delegate, b->by_delegate);
			assert_ptr_equal(a->warning, b->warning);
		}
		staple_free(first);
		staple_free(again);
		free(trusted.items);
		buf_done(&der);
	}
}

/* Sealed for all to see, by our own key: still no rule is skipped. */
static void
test_sealed_all_the_same(void **state)
{
	const struct {
		const char *name;
		const struct pki_party *signer, *named;
		const struct pki_party *leaf; /* that it is asked for */
		enum reason want;
	} rows[] = {
	    {"C6 may not sign", &unfit, &unfit, &pki.leaf,
		REASON_SIGNER_NOT_AUTHORIZED},
	    {"C4 for another certificate", &pki.issuer, &pki.issuer, &sibling,
		REASON_WRONG_CERTIFICATE},
	    {"C9 not the one that it names", &stranger, &pki.issuer, &pki.leaf,
		REASON_BAD_SIGNATURE},
	};
	const struct verify_policy policy = verify_policy_default(PKI_NOW);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct pki_single single = {
		    .leaf = pki.leaf.cert, .issuer = pki.issuer.cert};
		struct buf der =
		    pki_response(&(struct pki_response){.signer = &other_ca,
			.named = rows[i].named->cert,
			.singles = &single,
			.single_count = 1,
			.certs = {rows[i].signer->cert}});
		const struct seal_facts facts = {
		    .leaf = rows[i].leaf->cert,
		    .issuer = pki.issuer.cert,
		    .signer = rows[i].signer->cert,
		    .response = pki_span(&der),
		};
		uint8_t seal[SEAL_LEN];
		const struct verify_input input = {
		    .leaf = rows[i].leaf->cert,
		    .issuer = pki.issuer.cert,
		    .der = (const uint8_t *)der.text,
		    .len = der.len,
		    .sealer = ours,
		    .seal = {seal, sizeof(seal)},
		};
		struct staple *staple = NULL;
		enum reason got;

		assert_true(seal_make(ours, &facts, seal));
		got = judge(&input, &policy, &staple);
		assert_null(staple);
		if (got != rows[i].want)
			fail_msg("%s: %s, not %s", rows[i].name,
			    reason_name(got), reason_name(rows[i].want));
		buf_done(&der);
	}
}

/* A delegate that a seal has spared its signature is remembered as certified:
 * for its issuer alone. */
static void
test_delegates_by_seal(void **state)
{
	struct delegates *delegates = delegates_new();
	const struct verify_policy policy = verify_policy_default(PKI_NOW);
	struct buf der = respond(&pki.delegate, false, false);
	struct verify_input input = {
	    .leaf = pki.leaf.cert,
	    .issuer = pki.issuer.cert,
	    .der = (const uint8_t *)der.text,
	    .len = der.len,
	    .sealer = ours,
	    .delegates = delegates,
	};
	struct staple *first = NULL, *again = NULL, *third = NULL;

	(void)state;
	assert_int_equal(judge(&input, &policy, &first), REASON_NONE);
	input.seal = staple_seal(first);
	assert_int_equal(judge(&input, &policy, &again), REASON_NONE);
	assert_true(seal_same(staple_seal(again), input.seal.at));
	/* no seal is made where nobody knows them */
	input.sealer = NULL;
	assert_int_equal(judge(&input, &policy, &third), REASON_NONE);
	assert_int_equal(staple_seal(third).len, 0);
	staple_free(first);
	staple_free(again);
	staple_free(third);
	buf_done(&der);
	delegates_free(delegates);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_each_field),
	    cmocka_unit_test(test_rules_are_obeyed),
	    cmocka_unit_test(test_sealed_all_the_same),
	    cmocka_unit_test(test_delegates_by_seal),
	};

	return cmocka_run_group_tests(tests, make_pki, free_pki);
}
