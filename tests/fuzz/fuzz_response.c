/* SPDX-License-Identifier: ISC */
/* fuzz_response.c -- answers from anybody, judged for one certificate.
 *
 * An input that begins with 'I' or 'D' is ResponseData which the target signs
 * itself, as the issuer or as an embedded delegate, so that the fuzzer gets
 * behind the signature.  Any other is a whole response; since nobody else has
 * our keys, none of those may be accepted. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "pki/staple.h"
#include "pki/verify.h"
#include "pki_fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_accepted(const struct verdict *facts, const struct verify_policy *policy,
    const struct cert *leaf)
{
	assert(facts->this_update <= policy->now + policy->skew_s);
	assert(facts->produced_at <= policy->now + policy->skew_s);
	assert(facts->next_update != 0 || policy->allow_no_next_update);
	assert(
	    facts->next_update == 0 || facts->next_update > facts->this_update);
	assert(facts->usable_until <= leaf->not_after);
	assert(verdict_usable_until(facts) <= facts->usable_until);
}

static void
judge(const struct pki *pki, struct span der, bool ours, bool lenient)
{
	struct verify_policy policy = verify_policy_default(PKI_NOW);
	struct verify_input input = {.leaf = pki->leaf.cert,
	    .issuer = pki->issuer.cert,
	    .der = der.at,
	    .len = der.len,
	    .nonce = (const uint8_t *)"nonce",
	    .nonce_len = 5};
	struct staple *staple = NULL;
	struct verdict facts = {0};
	bool accepted = false;
	struct err err = {0};
	int rc;

	policy.allow_no_next_update = lenient;
	rc = verify_staple(&input, &policy, &staple, &facts, &accepted, &err);
	assert((rc == 0) == (staple != NULL));
	if (accepted) {
		assert(ours);
		check_accepted(&facts, &policy, pki->leaf.cert);
	} else {
		assert(rc == -1 && err.text[0] != '\0');
		assert(reason_group(err.reason) == GROUP_RESPONSE ||
		       err.reason == REASON_NOT_OCSP ||
		       err.reason == REASON_OVERSIZE);
	}
	if (staple != NULL) {
		assert(facts.status == CERT_GOOD);
		assert(staple_usable(staple, policy.now));
		assert(span_equal(staple_der(staple), der));
	}
	staple_free(staple);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct pki pki;
	struct pki_response spec = {0};
	struct buf der;

	if (pki.leaf.cert == NULL)
		pki = pki_make(PKI_ED25519);
	if (size < 2 || (data[0] != 'I' && data[0] != 'D')) {
		judge(&pki, (struct span){data, size}, false, true);
		return 0;
	}
	if (size > VERIFY_RESPONSE_MAX)
		return 0;
	spec.signer = data[0] == 'I' ? &pki.issuer : &pki.delegate;
	spec.certs[0] = spec.signer->cert;
	der = pki_response_over((struct span){data + 1, size - 1}, &spec);
	judge(&pki, pki_span(&der), true, (size & 1) != 0);
	buf_done(&der);
	return 0;
}
