/* SPDX-License-Identifier: ISC */
/* test_delegates.c -- pki/delegates: who gets in, who is found, who gives way.
 *
 * That what is remembered never changes a verdict is in test_signer.c, which
 * judges each response with and without. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "pki/delegates.h"
#include "pki/verify.h"
#include "pki_fixture.h"

static struct pki pki;
static struct pki_party stranger; /* OCSPSigning, but by another CA */
static struct pki_party unfit;    /* of the issuer, without OCSPSigning */
static struct pki_party anew;     /* the issuer's key, certified again */

static int
make_pki(void **state)
{
	const struct pki_ext ca = {"basicConstraints", "critical,CA:TRUE"};

	(void)state;
	pki = pki_make(PKI_EC);
	stranger = pki_party(&(struct pki_spec){.cn = "stranger",
	    .issuer = &pki.root,
	    .ext = {{"extendedKeyUsage", "OCSPSigning"}}});
	unfit =
	    pki_party(&(struct pki_spec){.cn = "unfit", .issuer = &pki.issuer});
	anew = pki_party(&(struct pki_spec){.cn = "issuer",
	    .serial = "77",
	    .issuer = &pki.root,
	    .key = pki.issuer.key,
	    .ext = {ca}});
	return 0;
}

static int
free_pki(void **state)
{
	(void)state;
	pki_party_done(&stranger);
	pki_party_done(&unfit);
	pki_party_done(&anew);
	pki_done(&pki);
	return 0;
}

/* Of a certificate, owned. */
static struct span
der_of(const struct cert *cert)
{
	uint8_t *der;
	size_t len;

	cert_der(cert, &der, &len);
	return (struct span){der, len};
}

static bool
knows(struct delegates *delegates, const struct cert *cert,
    const struct cert *issuer)
{
	struct span der = der_of(cert);
	const struct cert *found = delegates_find(delegates, der, issuer);

	if (found != NULL)
		assert_string_equal(found->fingerprint, cert->fingerprint);
	free((void *)(uintptr_t)der.at);
	return found != NULL;
}

static void
add(struct delegates *delegates, const struct cert *cert,
    const struct cert *issuer)
{
	struct span der = der_of(cert);

	delegates_add(
	    delegates, der, issuer, cert_from_der(der.at, der.len, NULL));
	free((void *)(uintptr_t)der.at);
}

/* Verify an answer on the leaf. */
static int
verify(struct delegates *delegates, struct pki_response spec)
{
	const struct pki_single single = {
	    .leaf = pki.leaf.cert, .issuer = pki.issuer.cert};
	const struct verify_policy policy = verify_policy_default(PKI_NOW);
	struct verify_input input = {.leaf = pki.leaf.cert,
	    .issuer = pki.issuer.cert,
	    .delegates = delegates};
	struct verdict facts;
	struct buf der;
	int rc;

	spec.singles = &single;
	spec.single_count = 1;
	der = pki_response(&spec);
	input.der = (const uint8_t *)der.text;
	input.len = der.len;
	rc = verify_response(&input, &policy, &facts, NULL);
	buf_done(&der);
	return rc;
}

static void
test_who_gets_in(void **state)
{
	const struct {
		const char *name;
		struct pki_response spec;
		const struct cert *who;
		bool gets_in;
	} rows[] = {
	    {"a delegate that has signed",
		{.signer = &pki.delegate, .certs = {pki.delegate.cert}},
		pki.delegate.cert, true},
	    {"behind a stranger that is embedded too",
		{.signer = &pki.delegate,
		    .certs = {stranger.cert, pki.delegate.cert}},
		pki.delegate.cert, true},
	    {"the stranger himself",
		{.signer = &pki.delegate,
		    .certs = {stranger.cert, pki.delegate.cert}},
		stranger.cert, false},
	    {"C6 one of another CA",
		{.signer = &stranger, .certs = {stranger.cert}}, stranger.cert,
		false},
	    {"C6 one that may not sign",
		{.signer = &unfit, .certs = {unfit.cert}}, unfit.cert, false},
	    {"a delegate whose signature is wrong",
		{.signer = &pki.delegate,
		    .certs = {pki.delegate.cert},
		    .forgery = PKI_FLIP_SIGNATURE},
		pki.delegate.cert, false},
	    {"a delegate in whose name another has signed",
		{.signer = &stranger,
		    .named = pki.delegate.cert,
		    .certs = {pki.delegate.cert}},
		pki.delegate.cert, false},
	    {"a delegate that is embedded and has not signed",
		{.signer = &pki.issuer, .certs = {pki.delegate.cert}},
		pki.delegate.cert, false},
	    {"the issuer himself",
		{.signer = &pki.issuer, .certs = {pki.issuer.cert}},
		pki.issuer.cert, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct delegates *delegates = delegates_new();

		for (int again = 0; again < 2; again++) {
			(void)verify(delegates, rows[i].spec);
			if (knows(delegates, rows[i].who, pki.issuer.cert) !=
			    rows[i].gets_in)
				fail_msg("%s", rows[i].name);
		}
		delegates_free(delegates);
	}
}

static void
test_who_is_found(void **state)
{
	struct delegates *delegates = delegates_new();
	struct span der = der_of(pki.delegate.cert);
	uint8_t *other = mem_copy(der.at, der.len);

	(void)state;
	assert_null(delegates_find(delegates, der, pki.issuer.cert));
	add(delegates, pki.delegate.cert, pki.issuer.cert);
	assert_non_null(delegates_find(delegates, der, pki.issuer.cert));
	/* by what he is, octet by octet, and by whom he was certified */
	other[der.len - 1] ^= 1;
	assert_null(delegates_find(
	    delegates, (struct span){other, der.len}, pki.issuer.cert));
	assert_null(delegates_find(
	    delegates, (struct span){der.at, der.len - 1}, pki.issuer.cert));
	assert_null(delegates_find(delegates, der, pki.root.cert));
	assert_null(delegates_find(delegates, der, anew.cert));
	assert_null(delegates_find(delegates, (struct span){0}, anew.cert));
	/* nobody who remembers */
	assert_null(delegates_find(NULL, der, pki.issuer.cert));
	add(NULL, pki.delegate.cert, pki.issuer.cert);
	/* twice is once */
	add(delegates, pki.delegate.cert, pki.issuer.cert);
	assert_true(knows(delegates, pki.delegate.cert, pki.issuer.cert));
	delegates_free(delegates);
	delegates_free(NULL);
	free(other);
	free((void *)(uintptr_t)der.at);
}

/* I5: bounded in number and in size. */
static void
test_who_gives_way(void **state)
{
	struct pki_party many[DELEGATES_MAX + 1];
	struct delegates *delegates = delegates_new();
	static uint8_t large[DELEGATES_DER_MAX + 1];
	const struct span too_large = {large, sizeof(large)};

	(void)state;
	for (size_t i = 0; i <= DELEGATES_MAX; i++) {
		char serial[16];

		(void)snprintf(serial, sizeof(serial), "%zx", i + 256);
		many[i] = pki_party(&(struct pki_spec){.cn = "many",
		    .serial = serial,
		    .issuer = &pki.issuer,
		    .key = pki.delegate.key});
		if (i < DELEGATES_MAX)
			add(delegates, many[i].cert, pki.issuer.cert);
	}
	/* the first is used again, so the second is the oldest then */
	assert_true(knows(delegates, many[0].cert, pki.issuer.cert));
	add(delegates, many[DELEGATES_MAX].cert, pki.issuer.cert);
	assert_false(knows(delegates, many[1].cert, pki.issuer.cert));
	for (size_t i = 0; i <= DELEGATES_MAX; i++) {
		if (i != 1 && !knows(delegates, many[i].cert, pki.issuer.cert))
			fail_msg("number %zu is forgotten", i);
	}
	delegates_add(delegates, too_large, pki.issuer.cert,
	    cert_from_der((const uint8_t *)"", 0, NULL));
	assert_null(delegates_find(delegates, too_large, pki.issuer.cert));
	assert_true(knows(delegates, many[0].cert, pki.issuer.cert));
	for (size_t i = 0; i <= DELEGATES_MAX; i++)
		pki_party_done(&many[i]);
	delegates_free(delegates);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_who_gets_in),
	    cmocka_unit_test(test_who_is_found),
	    cmocka_unit_test(test_who_gives_way),
	};

	return cmocka_run_group_tests(tests, make_pki, free_pki);
}
