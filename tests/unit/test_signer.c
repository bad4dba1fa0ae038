/* SPDX-License-Identifier: ISC */
/* test_signer.c -- pki/signer: who may sign, and with what (C5 to C9). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>

#include "base/clock.h"
#include "base/err.h"
#include "pki/delegates.h"
#include "pki/der.h"
#include "pki/response.h"
#include "pki/signer.h"
#include "pki/verify.h"
#include "pki_fixture.h"

static struct pki pki, rsa, edwards;
static struct pki_party other_ca; /* of the same root */
static struct pki_party namesake; /* another CA that bears the issuer's name */
static struct pki_party
    reissued;                  /* the issuer's key and name, certified anew */
static struct delegates *seen; /* in all that was judged so far */

static int
make_pki(void **state)
{
	struct pki_ext ca = {"basicConstraints", "critical,CA:TRUE"};

	(void)state;
	seen = delegates_new();
	pki = pki_make(PKI_EC);
	rsa = pki_make(PKI_RSA);
	edwards = pki_make(PKI_ED25519);
	other_ca = pki_party(&(struct pki_spec){
	    .cn = "other", .issuer = &pki.root, .ext = {ca}});
	namesake = pki_party(&(struct pki_spec){.cn = "issuer", .ext = {ca}});
	reissued = pki_party(&(struct pki_spec){.cn = "issuer",
	    .serial = "77",
	    .issuer = &other_ca,
	    .key = pki.issuer.key,
	    .ext = {ca}});
	return 0;
}

static int
free_pki(void **state)
{
	(void)state;
	delegates_free(seen);
	pki_party_done(&other_ca);
	pki_party_done(&namesake);
	pki_party_done(&reissued);
	pki_done(&pki);
	pki_done(&rsa);
	pki_done(&edwards);
	return 0;
}

/* What was seen before changes nothing: the same again, with what all earlier
 * responses have left behind, and with what this one has left. */
static void
judge_again(const struct verify_input *input,
    const struct verify_policy *policy, int rc, const struct verdict *facts,
    const struct err *err)
{
	struct verify_input with = *input;

	with.delegates = seen;
	for (int i = 0; i < 2; i++) {
		struct verdict got = {0};
		struct err why = {0};

		assert_int_equal(
		    verify_response(&with, policy, &got, &why), rc);
		assert_string_equal(why.text, err->text);
		assert_int_equal(why.reason, err->reason);
		if (rc != 0)
			continue;
		assert_int_equal(got.status, facts->status);
		assert_int_equal(got.by_delegate, facts->by_delegate);
		assert_int_equal(got.usable_until, facts->usable_until);
		assert_ptr_equal(got.warning, facts->warning);
	}
}

/* Judge a response by SPEC's signer, embedded certificates and algorithms on
 * the leaf of P. */
static int
judge(const struct pki *p, struct pki_response spec,
    const struct cert_list *extra, bool allow_sha1, struct verdict *facts,
    struct err *err)
{
	const struct pki_single single = {
	    .leaf = p->leaf.cert, .issuer = p->issuer.cert};
	struct verify_policy policy = verify_policy_default(PKI_NOW);
	struct verify_input input = {
	    .leaf = p->leaf.cert, .issuer = p->issuer.cert, .extra = extra};
	struct buf der;
	int rc;

	policy.allow_sha1 = allow_sha1;
	spec.singles = &single;
	spec.single_count = 1;
	der = pki_response(&spec);
	input.der = (const uint8_t *)der.text;
	input.len = der.len;
	err_clear(err);
	rc = verify_response(&input, &policy, facts, err);
	judge_again(&input, &policy, rc, facts, err);
	buf_done(&der);
	return rc;
}

static void
expect(const char *name, enum reason reason, int rc, const struct err *err)
{
	if (err->reason != reason || rc != (reason == REASON_NONE ? 0 : -1))
		fail_msg("%s: %d %s, not %s: %s", name, rc,
		    reason_name(err->reason), reason_name(reason), err->text);
}

static void
test_issuer_signs(void **state)
{
	static const struct {
		const char *name;
		bool by_key, embed_issuer, embed_stranger;
	} rows[] = {
	    {"C6 C9 byName", false, false, false},
	    {"C6 C9 byKey", true, false, false},
	    {"C6 the issuer is embedded too", false, true, false},
	    {"C6 others are embedded", true, false, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct verdict facts = {0};
		struct err err = {0};
		struct pki_response spec = {
		    .signer = &pki.issuer, .by_key = rows[i].by_key};

		if (rows[i].embed_issuer)
			spec.certs[0] = pki.issuer.cert;
		if (rows[i].embed_stranger) {
			spec.certs[0] = other_ca.cert;
			spec.certs[1] = pki.root.cert;
		}
		expect(rows[i].name, REASON_NONE,
		    judge(&pki, spec, NULL, false, &facts, &err), &err);
		assert_false(facts.by_delegate);
	}
}

enum by { BY_ISSUER, BY_ROOT, BY_OTHER, BY_ITSELF, BY_NAMESAKE, BY_LEAF };

/* Delegates, each embedded. */
static const struct delegate {
	const char *name;
	enum reason reason;
	enum by by;
	struct pki_spec spec;
	bool by_key;
} delegates[] = {
    {"C6 delegate, byName", REASON_NONE, BY_ISSUER,
	{.ext = {{"extendedKeyUsage", "OCSPSigning"}}}, false},
    {"C6 C9 delegate, byKey", REASON_NONE, BY_ISSUER,
	{.ext = {{"extendedKeyUsage", "OCSPSigning"}}}, true},
    {"C8 with nocheck", REASON_NONE, BY_ISSUER,
	{.ext = {{"extendedKeyUsage", "OCSPSigning"}, {"noCheck", "yes"}}},
	false},
    {"C6 OCSPSigning among others", REASON_NONE, BY_ISSUER,
	{.ext = {{"extendedKeyUsage", "serverAuth,OCSPSigning"}}}, false},
    {"C6 critical usages", REASON_NONE, BY_ISSUER,
	{.ext = {{"extendedKeyUsage", "critical,OCSPSigning"},
	     {"keyUsage", "critical,digitalSignature"}}},
	false},
    {"C6 certified by another CA", REASON_SIGNER_NOT_AUTHORIZED, BY_OTHER,
	{.ext = {{"extendedKeyUsage", "OCSPSigning"}}}, false},
    {"C6 certified by the grandparent", REASON_SIGNER_NOT_AUTHORIZED, BY_ROOT,
	{.ext = {{"extendedKeyUsage", "OCSPSigning"}}}, false},
    {"C6 certified by one of the issuer's name", REASON_SIGNER_NOT_AUTHORIZED,
	BY_NAMESAKE, {.ext = {{"extendedKeyUsage", "OCSPSigning"}}}, false},
    {"C6 certified by the leaf", REASON_SIGNER_NOT_AUTHORIZED, BY_LEAF,
	{.ext = {{"extendedKeyUsage", "OCSPSigning"}}}, false},
    {"C6 certified by itself", REASON_SIGNER_NOT_AUTHORIZED, BY_ITSELF,
	{.ext = {{"extendedKeyUsage", "OCSPSigning"}}}, false},
    {"C6 certified by itself, byKey", REASON_SIGNER_NOT_AUTHORIZED, BY_ITSELF,
	{.ext = {{"extendedKeyUsage", "OCSPSigning"}}}, true},
    {"C6 no extended key usage", REASON_SIGNER_NOT_AUTHORIZED, BY_ISSUER,
	{.cn = NULL}, false},
    {"C6 another usage", REASON_SIGNER_NOT_AUTHORIZED, BY_ISSUER,
	{.ext = {{"extendedKeyUsage", "serverAuth"}}}, false},
    {"C6 anyExtendedKeyUsage", REASON_SIGNER_NOT_AUTHORIZED, BY_ISSUER,
	{.ext = {{"extendedKeyUsage", "2.5.29.37.0"}}}, false},
    {"C6 a CA without the usage", REASON_SIGNER_NOT_AUTHORIZED, BY_ISSUER,
	{.ext = {{"basicConstraints", "critical,CA:TRUE"}}}, false},
    {"C6 key usage without signatures", REASON_SIGNER_NOT_AUTHORIZED, BY_ISSUER,
	{.ext = {{"extendedKeyUsage", "OCSPSigning"},
	     {"keyUsage", "critical,keyEncipherment"}}},
	false},
    {"C6 key usage for certificates only", REASON_SIGNER_NOT_AUTHORIZED,
	BY_ISSUER,
	{.ext = {{"extendedKeyUsage", "OCSPSigning"},
	     {"keyUsage", "keyCertSign,cRLSign"}}},
	false},
    {"C6 damaged usage", REASON_SIGNER_NOT_AUTHORIZED, BY_ISSUER,
	{.ext = {{"2.5.29.37", "DER:3003020100"}}}, false},
    {"C6 damaged constraints", REASON_SIGNER_NOT_AUTHORIZED, BY_ISSUER,
	{.ext = {{"extendedKeyUsage", "OCSPSigning"},
	     {"2.5.29.19", "DER:3003040100"}}},
	false},
    {"C6 ended a second ago", REASON_SIGNER_EXPIRED, BY_ISSUER,
	{.until = PKI_NOW - 1, .ext = {{"extendedKeyUsage", "OCSPSigning"}}},
	false},
    {"C6 ends this second", REASON_NONE, BY_ISSUER,
	{.until = PKI_NOW, .ext = {{"extendedKeyUsage", "OCSPSigning"}}},
	false},
    {"C6 begins beyond the skew", REASON_SIGNER_EXPIRED, BY_ISSUER,
	{.from = PKI_NOW + VERIFY_SKEW + 1,
	    .ext = {{"extendedKeyUsage", "OCSPSigning"}}},
	false},
    {"C6 begins within the skew", REASON_NONE, BY_ISSUER,
	{.from = PKI_NOW + VERIFY_SKEW,
	    .ext = {{"extendedKeyUsage", "OCSPSigning"}}},
	false},
    {"C17 unknown critical extension in it", REASON_CRITICAL_EXTENSION,
	BY_ISSUER,
	{.ext = {{"extendedKeyUsage", "OCSPSigning"},
	     {"1.2.3.4", "critical,DER:0500"}}},
	false},
    {"C17 unknown extension in it", REASON_NONE, BY_ISSUER,
	{.ext = {{"extendedKeyUsage", "OCSPSigning"}, {"1.2.3.4", "DER:0500"}}},
	false},
    {"C5 RSA of 768 bits", REASON_WEAK_ALGORITHM, BY_ISSUER,
	{.kind = PKI_RSA_SMALL, .ext = {{"extendedKeyUsage", "OCSPSigning"}}},
	false},
    {"C5 EC of 112 bits", REASON_WEAK_ALGORITHM, BY_ISSUER,
	{.kind = PKI_EC_SMALL, .ext = {{"extendedKeyUsage", "OCSPSigning"}}},
	false},
    {"C5 Ed25519", REASON_NONE, BY_ISSUER,
	{.kind = PKI_ED25519, .ext = {{"extendedKeyUsage", "OCSPSigning"}}},
	false},
};

static const struct pki_party *
certifier(enum by by)
{
	switch (by) {
	case BY_ISSUER:
		return &pki.issuer;
	case BY_ROOT:
		return &pki.root;
	case BY_OTHER:
		return &other_ca;
	case BY_NAMESAKE:
		return &namesake;
	case BY_LEAF:
		return &pki.leaf;
	case BY_ITSELF:
		break;
	}
	return NULL;
}

static void
test_delegates(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(delegates) / sizeof(*delegates); i++) {
		const struct delegate *row = &delegates[i];
		struct pki_spec spec = row->spec;
		struct pki_response response = {.by_key = row->by_key};
		struct pki_party delegate;
		struct verdict facts = {0};
		struct err err = {0};

		spec.cn = "a delegate";
		spec.issuer = certifier(row->by);
		delegate = pki_party(&spec);
		response.signer = &delegate;
		response.certs[0] = delegate.cert;
		expect(row->name, row->reason,
		    judge(&pki, response, NULL, false, &facts, &err), &err);
		if (row->reason == REASON_NONE && !facts.by_delegate)
			fail_msg("%s: not seen as a delegate", row->name);
		if (row->reason == REASON_NONE &&
		    facts.usable_until > delegate.cert->not_after)
			fail_msg("%s: C14 outlives the delegate", row->name);
		if (row->reason == REASON_NONE &&
		    (facts.warning == NULL) !=
			(strcmp(row->name, "C8 with nocheck") == 0))
			fail_msg(
			    "%s: C8 warning is %s", row->name, facts.warning);
		pki_party_done(&delegate);
	}
}

/* Signed by one, in the name of another. */
static void
test_impersonation(void **state)
{
	const struct {
		const char *name;
		struct pki_response spec;
		enum reason reason;
	} rows[] = {
	    {"C6 a stranger in the issuer's name",
		{.signer = &other_ca, .named = pki.issuer.cert},
		REASON_BAD_SIGNATURE},
	    {"C6 a stranger in the issuer's name, embedding himself",
		{.signer = &other_ca,
		    .named = pki.issuer.cert,
		    .certs = {other_ca.cert}},
		REASON_BAD_SIGNATURE},
	    {"C6 a namesake of the issuer, embedded",
		{.signer = &namesake, .certs = {namesake.cert}},
		REASON_BAD_SIGNATURE},
	    {"C6 a namesake of the issuer, byKey",
		{.signer = &namesake, .by_key = true, .certs = {namesake.cert}},
		REASON_SIGNER_NOT_AUTHORIZED},
	    {"C6 a stranger in the delegate's name",
		{.signer = &other_ca,
		    .named = pki.delegate.cert,
		    .certs = {pki.delegate.cert}},
		REASON_BAD_SIGNATURE},
	    {"C6 the leaf vouches for itself",
		{.signer = &pki.leaf, .certs = {pki.leaf.cert}},
		REASON_SIGNER_NOT_AUTHORIZED},
	    {"C6 the issuer's own CA", {.signer = &pki.root},
		REASON_UNTRUSTED_SIGNER},
	    {"C6 the issuer's own CA, embedded",
		{.signer = &pki.root, .certs = {pki.root.cert}},
		REASON_SIGNER_NOT_AUTHORIZED},
	    {"C7 another CA, embedded",
		{.signer = &other_ca, .certs = {other_ca.cert}},
		REASON_SIGNER_NOT_AUTHORIZED},
	    {"C6 the delegate is not embedded", {.signer = &pki.delegate},
		REASON_UNTRUSTED_SIGNER},
	    {"C9 a name that nobody bears",
		{.signer = &pki.issuer,
		    .responder = PKI_BYTES("\xa1\x02\x30\x00")},
		REASON_UNTRUSTED_SIGNER},
	    {"C9 a name that is none",
		{.signer = &pki.issuer,
		    .responder = PKI_BYTES("\xa1\x04\x30\x02\x05\x00")},
		REASON_UNTRUSTED_SIGNER},
	    {"C9 a key hash of no octets",
		{.signer = &pki.issuer,
		    .responder = PKI_BYTES("\xa2\x02\x04\x00")},
		REASON_UNTRUSTED_SIGNER},
	    {"C9 neither name nor key",
		{.signer = &pki.issuer,
		    .responder = PKI_BYTES("\xa3\x02\x04\x00")},
		REASON_MALFORMED},
	    {"C6 the issuer's key, certified anew", {.signer = &reissued},
		REASON_NONE},
	    {"an embedded certificate that is none",
		{.signer = &pki.issuer,
		    .raw_certs = PKI_BYTES("\x30\x02\x05\x00")},
		REASON_MALFORMED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct verdict facts;
		struct err err = {0};

		expect(rows[i].name, rows[i].reason,
		    judge(&pki, rows[i].spec, NULL, false, &facts, &err), &err);
	}
}

/* --chain: where to look for a delegate; it authorises nobody (C7). */
static void
test_given_certificates(void **state)
{
	struct pki_party delegate = pki_party(&(struct pki_spec){
	    .cn = "of another CA",
	    .issuer = &other_ca,
	    .ext = {{"extendedKeyUsage", "OCSPSigning"}, {"noCheck", "yes"}}});
	struct cert_list extra = {0};
	struct verdict facts;
	struct err err = {0};

	(void)state;
	cert_list_add(&extra, delegate.cert);
	cert_list_add(&extra, pki.root.cert);
	cert_list_add(&extra, other_ca.cert);
	cert_list_add(&extra, pki.leaf.cert);
	cert_list_add(&extra, pki.delegate.cert);
	expect("C6 delegate in --chain", REASON_NONE,
	    judge(&pki, (struct pki_response){.signer = &pki.delegate}, &extra,
		false, &facts, &err),
	    &err);
	assert_true(facts.by_delegate);
	expect("C7 another CA in --chain", REASON_SIGNER_NOT_AUTHORIZED,
	    judge(&pki, (struct pki_response){.signer = &other_ca}, &extra,
		false, &facts, &err),
	    &err);
	expect("C7 a delegate of another CA in --chain",
	    REASON_SIGNER_NOT_AUTHORIZED,
	    judge(&pki, (struct pki_response){.signer = &delegate}, &extra,
		false, &facts, &err),
	    &err);
	expect("C7 the leaf in --chain", REASON_SIGNER_NOT_AUTHORIZED,
	    judge(&pki, (struct pki_response){.signer = &pki.leaf}, &extra,
		false, &facts, &err),
	    &err);
	expect("C7 the root in --chain", REASON_SIGNER_NOT_AUTHORIZED,
	    judge(&pki, (struct pki_response){.signer = &pki.root}, &extra,
		false, &facts, &err),
	    &err);
	free(extra.items);
	pki_party_done(&delegate);
}

/* One certificate in the operator's file for this issuer, and who signs. */
static const struct vouched {
	const char *name;
	enum reason reason;
	enum by by;
	struct pki_spec spec;
	bool embedded, in_file; /* the signer's own certificate */
} vouched[] = {
    {"under another CA, in the file", REASON_NONE, BY_OTHER,
	{.ext = {{"extendedKeyUsage", "OCSPSigning"}}}, false, true},
    {"under another CA, in the file and embedded", REASON_NONE, BY_OTHER,
	{.ext = {{"extendedKeyUsage", "OCSPSigning"}}}, true, true},
    {"self-signed, in the file", REASON_NONE, BY_ITSELF,
	{.ext = {{"extendedKeyUsage", "OCSPSigning"}}}, false, true},
    {"C6 under another CA, embedded only", REASON_SIGNER_NOT_AUTHORIZED,
	BY_OTHER, {.ext = {{"extendedKeyUsage", "OCSPSigning"}}}, true, false},
    {"C6 in the file without OCSPSigning", REASON_SIGNER_NOT_AUTHORIZED,
	BY_OTHER, {.ext = {{"extendedKeyUsage", "serverAuth"}}}, false, true},
    {"C6 in the file without any usage", REASON_SIGNER_NOT_AUTHORIZED, BY_OTHER,
	{.serial = "31"}, false, true},
    {"C7 a CA in the file", REASON_SIGNER_NOT_AUTHORIZED, BY_ITSELF,
	{.ext = {{"basicConstraints", "critical,CA:TRUE"}}}, false, true},
    {"C6 in the file, but ended", REASON_SIGNER_EXPIRED, BY_OTHER,
	{.from = PKI_NOW - 9 * CLOCK_DAY,
	    .until = PKI_NOW - 1,
	    .ext = {{"extendedKeyUsage", "OCSPSigning"}}},
	false, true},
    {"C6 in the file, but not yet", REASON_SIGNER_EXPIRED, BY_OTHER,
	{.from = PKI_NOW + CLOCK_DAY,
	    .until = PKI_NOW + 9 * CLOCK_DAY,
	    .ext = {{"extendedKeyUsage", "OCSPSigning"}}},
	false, true},
    {"C5 in the file, with a weak key", REASON_WEAK_ALGORITHM, BY_OTHER,
	{.kind = PKI_EC_SMALL, .ext = {{"extendedKeyUsage", "OCSPSigning"}}},
	false, true},
};

static int
judge_vouched(const struct pki_party *signer, const struct cert_list *trusted,
    struct pki_response spec, struct verdict *facts, struct err *err)
{
	const struct pki_single single = {
	    .leaf = pki.leaf.cert, .issuer = pki.issuer.cert};
	const struct verify_policy policy = verify_policy_default(PKI_NOW);
	struct verify_input input = {.leaf = pki.leaf.cert,
	    .issuer = pki.issuer.cert,
	    .trusted = trusted};
	struct buf der;
	int rc;

	spec.signer = signer;
	spec.singles = &single;
	spec.single_count = 1;
	der = pki_response(&spec);
	input.der = (const uint8_t *)der.text;
	input.len = der.len;
	rc = verify_response(&input, &policy, facts, err);
	buf_done(&der);
	return rc;
}

/* RFC 6960, section 4.2.2.2: "a local configuration of OCSP signing
 * authority". */
static void
test_vouched_for(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(vouched) / sizeof(*vouched); i++) {
		const struct vouched *row = &vouched[i];
		struct pki_spec spec = row->spec;
		struct cert_list trusted = {0};
		struct pki_response response = {0};
		struct pki_party signer;
		struct verdict facts = {0};
		struct err err = {0};

		spec.cn = "a responder";
		spec.issuer = certifier(row->by);
		signer = pki_party(&spec);
		if (row->embedded)
			response.certs[0] = signer.cert;
		cert_list_add(
		    &trusted, row->in_file ? signer.cert : pki.delegate.cert);
		expect(row->name, row->reason,
		    judge_vouched(&signer, &trusted, response, &facts, &err),
		    &err);
		/* what is wrong is the same when he is embedded too, and it is
		 * not that the issuer has not certified him */
		if (row->in_file) {
			struct err too = {0};

			response.certs[0] = signer.cert;
			(void)judge_vouched(
			    &signer, &trusted, response, &facts, &too);
			assert_string_equal(too.text, err.text);
			expect(row->name, row->reason,
			    row->reason == REASON_NONE ? 0 : -1, &too);
		}
		if (row->reason == REASON_NONE &&
		    (!facts.by_delegate || facts.warning != NULL ||
			facts.usable_until > signer.cert->not_after))
			fail_msg("%s: wrong facts", row->name);
		free(trusted.items);
		pki_party_done(&signer);
	}
}

/* C7: what a CA in the file has certified is not in the file. */
static void
test_vouched_for_is_no_anchor(void **state)
{
	struct pki_party ca = pki_party(&(struct pki_spec){.cn = "their CA",
	    .ext = {{"basicConstraints", "critical,CA:TRUE"},
		{"extendedKeyUsage", "OCSPSigning"}}});
	struct pki_party signer = pki_party(&(struct pki_spec){.cn = "theirs",
	    .issuer = &ca,
	    .ext = {{"extendedKeyUsage", "OCSPSigning"}}});
	struct pki_response response = {.certs = {signer.cert}};
	struct cert_list trusted = {0};
	struct verdict facts = {0};
	struct err err = {0};

	(void)state;
	cert_list_add(&trusted, ca.cert);
	expect("certified by one in the file", REASON_SIGNER_NOT_AUTHORIZED,
	    judge_vouched(&signer, &trusted, response, &facts, &err), &err);
	/* in another's name, who is in the file: the key is what counts */
	err_clear(&err);
	response.named = ca.cert;
	expect("in the name of one in the file", REASON_BAD_SIGNATURE,
	    judge_vouched(&signer, &trusted, response, &facts, &err), &err);
	free(trusted.items);
	pki_party_done(&ca);
	pki_party_done(&signer);
}

static void
test_algorithms(void **state)
{
	/* sha256WithRSAEncryption; ecdsa-with-SHA256; RSASSA-PSS without
	 * parameters; md5WithRSAEncryption; 1.2.3.4 */
	static const struct span
	    none = {0},
	    rsa_sha256 = PKI_BYTES("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d"
				   "\x01\x01\x0b\x05\x00"),
	    ec_sha256 = PKI_BYTES("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04"
				  "\x03\x02"),
	    bare_pss = PKI_BYTES("\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d"
				 "\x01\x01\x0a"),
	    unknown = PKI_BYTES("\x30\x05\x06\x03\x2a\x03\x04"),
	    damaged = PKI_BYTES("\x30\x02\x05\x00"),
	    ec_null = PKI_BYTES("\x30\x0c\x06\x08\x2a\x86\x48\xce\x3d\x04"
				"\x03\x02\x05\x00"),
	    ec_more = PKI_BYTES("\x30\x0c\x06\x08\x2a\x86\x48\xce\x3d\x04"
				"\x03\x02\x30\x00"),
	    rsa_bare = PKI_BYTES("\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d"
				 "\x01\x01\x0b"),
	    rsa_more = PKI_BYTES("\x30\x0f\x06\x09\x2a\x86\x48\x86\xf7\x0d"
				 "\x01\x01\x0b\x04\x02\x05\x00");
	const struct {
		const char *name;
		const struct pki *p;
		const EVP_MD *md;
		bool pss, allow_sha1;
		struct span algorithm;
		enum reason reason;
	} rows[] = {
	    {"C5 ECDSA SHA-384", &pki, EVP_sha384(), false, false, none, 0},
	    {"C5 RSA SHA-256", &rsa, NULL, false, false, none, 0},
	    {"C5 RSA SHA-512", &rsa, EVP_sha512(), false, false, none, 0},
	    {"C5 RSA-PSS SHA-256", &rsa, NULL, true, false, none, 0},
	    {"C5 Ed25519", &edwards, NULL, false, false, none, 0},
	    {"C5 RSA MD5", &rsa, EVP_md5(), false, false, none,
		REASON_WEAK_ALGORITHM},
	    {"C5 RSA MD5, also with SHA-1 allowed", &rsa, EVP_md5(), false,
		true, none, REASON_WEAK_ALGORITHM},
	    {"C5 RSA SHA-1", &rsa, EVP_sha1(), false, false, none,
		REASON_WEAK_ALGORITHM},
	    {"C5 RSA SHA-1 by policy", &rsa, EVP_sha1(), false, true, none, 0},
	    {"C5 ECDSA SHA-1", &pki, EVP_sha1(), false, false, none,
		REASON_WEAK_ALGORITHM},
	    {"C5 ECDSA SHA-1 by policy", &pki, EVP_sha1(), false, true, none,
		0},
	    {"C5 RSA-PSS SHA-1", &rsa, EVP_sha1(), true, false, none,
		REASON_WEAK_ALGORITHM},
	    {"C5 RSA-PSS SHA-1 by policy", &rsa, EVP_sha1(), true, true, none,
		0},
	    {"C5 RSA-PSS without parameters", &rsa, NULL, true, false, bare_pss,
		REASON_WEAK_ALGORITHM},
	    {"C5 RSA claimed for an EC key", &pki, NULL, false, false,
		rsa_sha256, REASON_BAD_SIGNATURE},
	    {"C5 ECDSA claimed for an RSA key", &rsa, NULL, false, false,
		ec_sha256, REASON_BAD_SIGNATURE},
	    {"C5 ECDSA claimed for Ed25519", &edwards, NULL, false, false,
		ec_sha256, REASON_BAD_SIGNATURE},
	    {"C5 SHA-256 claimed for SHA-512", &rsa, EVP_sha512(), false, false,
		rsa_sha256, REASON_BAD_SIGNATURE},
	    {"C5 unknown algorithm", &pki, NULL, false, false, unknown,
		REASON_WEAK_ALGORITHM},
	    {"C5 ECDSA with NULL", &pki, NULL, false, false, ec_null, 0},
	    {"C5 RSA without NULL", &rsa, NULL, false, false, rsa_bare, 0},
	    {"D5 ECDSA with parameters that it has not", &pki, NULL, false,
		false, ec_more, REASON_MALFORMED},
	    {"D5 RSA with parameters that it has not", &rsa, NULL, false, false,
		rsa_more, REASON_MALFORMED},
	    {"C5 algorithm that is none", &pki, NULL, false, false, damaged,
		REASON_MALFORMED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct pki_response spec = {.signer = &rows[i].p->issuer,
		    .md = rows[i].md,
		    .pss = rows[i].pss,
		    .algorithm = rows[i].algorithm};
		struct verdict facts;
		struct err err = {0};

		expect(rows[i].name, rows[i].reason,
		    judge(rows[i].p, spec, NULL, rows[i].allow_sha1, &facts,
			&err),
		    &err);
	}
}

/* Write VALUES again, the length of the Nth of all that are in them, outer ones
 * first, longer than need be; N is counted down. */
static void
loosen(struct buf *out, struct span values, int *n)
{
	struct der_fault fault = {0};
	struct der der = der_over(values, &fault);

	while (!der_at_end(&der)) {
		uint8_t tag = der.at[0];
		struct span content = der_content(&der, tag, "a value");
		bool longer = (*n)-- == 0;
		struct buf in;

		buf_init(&in, PKI_TLV_MAX);
		if ((tag & 0x20) != 0)
			loosen(&in, content, n);
		else
			buf_add(&in, (const char *)content.at, content.len);
		if (longer) {
			const uint8_t head[] = {tag, 0x84, 0,
			    (uint8_t)(in.len >> 16), (uint8_t)(in.len >> 8),
			    (uint8_t)in.len};

			buf_add(out, (const char *)head, sizeof(head));
			buf_add(out, in.text, in.len);
			buf_done(&in);
		} else {
			pki_wrap(out, tag, &in);
		}
	}
	assert_null(fault.why);
}

/* D5: what no signature covers could be written anew by whoever carries a
 * response: such that OpenSSL reads it and strict clients do not. */
static void
expect_strict(const struct pki *p, bool pss, bool in_algorithm)
{
	struct pki_response spec = {
	    .signer = &p->delegate, .pss = pss, .certs = {p->delegate.cert}};
	const struct pki_single single = {
	    .leaf = p->leaf.cert, .issuer = p->issuer.cert};
	struct response response = {0};
	struct verdict facts;
	struct err err = {0};
	struct buf genuine;
	int count = 0, n;

	spec.singles = &single;
	spec.single_count = 1;
	genuine = pki_response(&spec);
	assert_int_equal(response_parse((const uint8_t *)genuine.text,
			     genuine.len, &response, &err),
	    0);
	spec.certs[0] = NULL;
	spec.raw_certs = response.certs[0];
	expect("as it is", REASON_NONE,
	    judge(p, spec, NULL, false, &facts, &err), &err);
	do {
		struct buf loose;

		buf_init(&loose, PKI_TLV_MAX);
		n = count;
		loosen(&loose,
		    in_algorithm ? response.signature_algorithm
				 : response.certs[0],
		    &n);
		if (in_algorithm)
			spec.algorithm = pki_span(&loose);
		else
			spec.raw_certs = pki_span(&loose);
		if (n < 0 && judge(p, spec, NULL, false, &facts, &err) == 0)
			fail_msg("D5: length %d of the %s is taken", count,
			    in_algorithm ? "algorithm" : "certificate");
		buf_done(&loose);
		count++;
	} while (n < 0);
	assert_true(count > 2);
	response_done(&response);
	buf_done(&genuine);
}

static void
test_unsigned_octets(void **state)
{
	(void)state;
	expect_strict(&pki, false, true);
	expect_strict(&rsa, false, true);
	expect_strict(&rsa, true, true);
	expect_strict(&edwards, false, true);
	expect_strict(&pki, false, false);
	expect_strict(&rsa, false, false);
}

/* The delegate's own certificate counts as well: with SHA-1 somebody could
 * have made a twin of it. */
static void
test_delegate_certified_with_sha1(void **state)
{
	struct pki_party delegate = pki_party(&(struct pki_spec){.cn = "old",
	    .issuer = &rsa.issuer,
	    .md = EVP_sha1(),
	    .ext = {{"extendedKeyUsage", "OCSPSigning"}}});
	struct pki_response spec = {
	    .signer = &delegate, .certs = {delegate.cert}};
	struct verdict facts;
	struct err err = {0};

	(void)state;
	expect("C5 delegate certified with SHA-1", REASON_WEAK_ALGORITHM,
	    judge(&rsa, spec, NULL, false, &facts, &err), &err);
	expect("C5 the same by policy", REASON_NONE,
	    judge(&rsa, spec, NULL, true, &facts, &err), &err);
	expect("C5 and not because he is known by now", REASON_WEAK_ALGORITHM,
	    judge(&rsa, spec, NULL, false, &facts, &err), &err);
	pki_party_done(&delegate);
}

/* A certificate with an RSA key of 16384 bits and a large exponent: a power
 * of 2 less 1 is as slow as any other modulus, and nobody need know its
 * factors to make us compute with it. */
static void
add_heavy(struct buf *list, const char *cn)
{
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_id(EVP_PKEY_RSA, NULL);
	BIGNUM *n = BN_new(), *e = BN_new();
	const ASN1_BIT_STRING *signature = NULL;
	static const uint8_t ones[2048] = {0x7f};
	EVP_PKEY *key = NULL;
	unsigned char *der = NULL;
	struct pki_party party;
	OSSL_PARAM *params;
	size_t len;
	X509 *x509;

	assert_int_equal(1, BN_set_bit(n, 16384));
	assert_int_equal(1, BN_sub_word(n, 1));
	assert_int_equal(1, BN_set_bit(e, 64));
	assert_int_equal(1, BN_sub_word(e, 1));
	(void)OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n);
	(void)OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e);
	params = OSSL_PARAM_BLD_to_param(build);
	assert_int_equal(1, EVP_PKEY_fromdata_init(ctx));
	assert_int_equal(
	    1, EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params));
	party = pki_party(
	    &(struct pki_spec){.cn = cn, .issuer = &rsa.issuer, .key = key});
	x509 = party.cert->x509;
	(void)X509_set_issuer_name(x509, X509_get_subject_name(x509));
	(void)i2d_re_X509_tbs(x509, NULL);
	X509_get0_signature(&signature, NULL, x509);
	(void)ASN1_STRING_set(
	    (ASN1_STRING *)(uintptr_t)signature, ones, sizeof(ones));
	len = (size_t)i2d_X509(x509, &der);
	buf_add(list, der, len);
	OPENSSL_free(der);
	pki_party_done(&party);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(key);
	BN_free(n);
	BN_free(e);
}

/* I5: whoever answers may embed what he likes, and must not make us compute
 * with keys that nobody vouches for. */
static void
test_heavy_keys_cost_nothing(void **state)
{
	struct pki_response spec = {.signer = &other_ca};
	struct verdict facts;
	struct err err = {0};
	struct buf list;
	clock_t began;
	double spent_ms;

	(void)state;
	buf_init(&list, 1 << 17);
	for (int i = 0; i < 14; i++)
		add_heavy(&list, "other");
	assert_true(list.len > 14 * 4096 && list.len < VERIFY_RESPONSE_MAX);
	spec.raw_certs = pki_span(&list);
	began = clock();
	expect("I5 heavy keys", REASON_SIGNER_NOT_AUTHORIZED,
	    judge(&pki, spec, NULL, false, &facts, &err), &err);
	spent_ms = (double)(clock() - began) * 1000 / CLOCKS_PER_SEC;
	print_message("14 certificates of RSA-16384: %.1f ms\n", spent_ms);
	assert_true(spent_ms < 50);
	buf_done(&list);
}

static void
test_oid_text(void **state)
{
	static uint8_t longest[70] = {0x2a};
	char text[SIGNER_OID_TEXT];

	(void)state;
	signer_oid_text(PKI_LITERAL("\x2a\x03\x04"), text);
	assert_string_equal("1.2.3.4", text);
	signer_oid_text(PKI_LITERAL("\x55\x1d\x15"), text);
	assert_string_equal("2.5.29.21", text);
	signer_oid_text((struct span){longest, 64}, text);
	assert_true(strncmp(text, "1.2.0", 5) == 0);
	signer_oid_text((struct span){longest, 65}, text);
	assert_string_equal("?", text);
	signer_oid_text(PKI_LITERAL("\x2a\x80\x01"), text);
	assert_string_equal("?", text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_issuer_signs),
	    cmocka_unit_test(test_delegates),
	    cmocka_unit_test(test_impersonation),
	    cmocka_unit_test(test_given_certificates),
	    cmocka_unit_test(test_vouched_for),
	    cmocka_unit_test(test_vouched_for_is_no_anchor),
	    cmocka_unit_test(test_algorithms),
	    cmocka_unit_test(test_unsigned_octets),
	    cmocka_unit_test(test_delegate_certified_with_sha1),
	    cmocka_unit_test(test_heavy_keys_cost_nothing),
	    cmocka_unit_test(test_oid_text),
	};

	return cmocka_run_group_tests(tests, make_pki, free_pki);
}
