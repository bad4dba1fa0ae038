/* SPDX-License-Identifier: ISC */
/* test_staple.c -- who becomes a staple, until when, and what replaces it
 * (I1, I2, I3, C13, C14). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/err.h"
#include "pki/staple.h"
#include "pki/verify.h"
#include "pki_fixture.h"

static struct pki pki;
static struct pki_party ca_leaf; /* a CA's own certificate, as the leaf */

static int
make_pki(void **state)
{
	(void)state;
	pki = pki_make(PKI_EC);
	ca_leaf = pki_party(&(struct pki_spec){.cn = "sub",
	    .issuer = &pki.issuer,
	    .until = PKI_NOW + 900 * CLOCK_DAY,
	    .ext = {{"basicConstraints", "critical,CA:TRUE"}}});
	return 0;
}

static int
free_pki(void **state)
{
	(void)state;
	pki_party_done(&ca_leaf);
	pki_done(&pki);
	return 0;
}

struct scene {
	const struct pki_party *leaf, *signer;
	struct pki_single single;
	struct verify_policy policy;
};

static int
make(struct scene scene, struct staple **staple, struct verdict *facts,
    bool *accepted, struct err *err)
{
	struct pki_response spec = {.signer = scene.signer,
	    .certs = {scene.signer->cert},
	    .singles = &scene.single,
	    .single_count = 1};
	struct verify_input input = {
	    .leaf = scene.leaf->cert, .issuer = pki.issuer.cert};
	struct buf der;
	int rc;

	scene.single.leaf = scene.leaf->cert;
	scene.single.issuer = pki.issuer.cert;
	if (scene.policy.now == 0)
		scene.policy.now = PKI_NOW;
	if (scene.policy.skew_s == 0)
		scene.policy.skew_s = VERIFY_SKEW;
	der = pki_response(&spec);
	input.der = (const uint8_t *)der.text;
	input.len = der.len;
	rc = verify_staple(&input, &scene.policy, staple, facts, accepted, err);
	if (rc == 0) {
		struct span have = staple_der(*staple);

		assert_true(span_equal(have, pki_span(&der)));
		assert_ptr_not_equal(have.at, der.text);
		assert_string_equal(
		    staple_fingerprint(*staple), scene.leaf->cert->fingerprint);
		assert_memory_equal(
		    staple_facts(*staple), facts, sizeof(*facts));
	}
	buf_done(&der);
	return rc;
}

/* I3, C13, C14: the effective end is the earliest of all, and the margin
 * before it min(300 s, a tenth of the life). */
static void
test_usable_until(void **state)
{
	static const struct {
		const char *name;
		int64_t age, next, leaf_ends, delegate_ends; /* of PKI_NOW */
		int64_t end, margin;
		bool ca, no_next;
	} rows[] = {
	    {"nextUpdate", 0, CLOCK_DAY, 0, 0, CLOCK_DAY, 300, false, false},
	    {"the certificate ends before", 0, CLOCK_DAY, 7200, 0, 7200, 300,
		false, false},
	    {"the delegate ends before", 0, CLOCK_DAY, 0, 7200, 7200, 300,
		false, false},
	    {"delegate, then certificate", 0, CLOCK_DAY, 7300, 7200, 7200, 300,
		false, false},
	    {"certificate, then delegate", 0, CLOCK_DAY, 7200, 7300, 7200, 300,
		false, false},
	    {"the delegate ends later", 0, CLOCK_DAY, 0, 3 * CLOCK_DAY,
		CLOCK_DAY, 300, false, false},
	    {"C13 the cap of ten days", CLOCK_DAY, 20 * CLOCK_DAY, 0, 0,
		9 * CLOCK_DAY, 300, false, false},
	    {"exactly ten days", 0, 10 * CLOCK_DAY, 0, 0, 10 * CLOCK_DAY, 300,
		false, false},
	    {"F9 no cap for a CA's certificate", CLOCK_DAY, 300 * CLOCK_DAY, 0,
		0, 300 * CLOCK_DAY, 300, true, false},
	    {"C11 one day without nextUpdate", 3600, 0, 0, 0, CLOCK_DAY - 3600,
		300, false, true},
	    {"C11 also for a CA's certificate", 3600, 0, 0, 0, CLOCK_DAY - 3600,
		300, true, true},
	    {"C11 less if the certificate ends", 3600, 0, 7200, 0, 7200, 300,
		false, true},
	    {"a life of 3000 s", 0, 3000, 0, 0, 3000, 300, false, false},
	    {"a life of 2990 s", 0, 2990, 0, 0, 2990, 299, false, false},
	    {"a life of 59 s", 0, 59, 0, 0, 59, 5, false, false},
	    {"a life of 10 s", 0, 10, 0, 0, 10, 1, false, false},
	    {"a life of 9 s", 0, 9, 0, 0, 9, 0, false, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct pki_party leaf = {0}, delegate = {0};
		struct scene scene = {.leaf = rows[i].ca ? &ca_leaf : &pki.leaf,
		    .signer = &pki.issuer,
		    .policy.allow_no_next_update = rows[i].no_next,
		    .single = {.this_update = PKI_NOW - rows[i].age,
			.next_update = PKI_NOW + rows[i].next,
			.no_next_update = rows[i].no_next}};
		struct staple *staple = NULL;
		struct verdict facts;
		struct err err = {0};
		bool accepted;
		int64_t end = PKI_NOW + rows[i].end;
		int64_t usable = end - rows[i].margin;

		if (rows[i].leaf_ends != 0) {
			leaf = pki_party(&(struct pki_spec){.cn = "short",
			    .issuer = &pki.issuer,
			    .until = PKI_NOW + rows[i].leaf_ends});
			scene.leaf = &leaf;
		}
		if (rows[i].delegate_ends != 0) {
			delegate = pki_party(&(struct pki_spec){.cn = "brief",
			    .issuer = &pki.issuer,
			    .until = PKI_NOW + rows[i].delegate_ends,
			    .ext = {{"extendedKeyUsage", "OCSPSigning"}}});
			scene.signer = &delegate;
		}
		if (make(scene, &staple, &facts, &accepted, &err) != 0)
			fail_msg("%s: %s", rows[i].name, err.text);
		if (facts.usable_until != end)
			fail_msg("I3 %s: ends %lld s off", rows[i].name,
			    (long long)(facts.usable_until - end));
		if (staple_usable_until(staple) != usable)
			fail_msg("I3 %s: margin %lld s off", rows[i].name,
			    (long long)(staple_usable_until(staple) - usable));
		assert_true(staple_usable(staple, usable - 1));
		assert_false(staple_usable(staple, usable));
		staple_free(staple);
		pki_party_done(&leaf);
		pki_party_done(&delegate);
	}
}

/* I1, C15: what makes no staple, although it may be genuine. */
static void
test_no_staple(void **state)
{
	static const struct {
		const char *name;
		struct pki_single single;
		struct verify_policy policy;
		int64_t leaf_ends;
		bool accepted;
		enum reason reason;
	} rows[] = {
	    {"C15 revoked", {.status = CERT_REVOKED}, {0}, 0, true,
		REASON_NONE},
	    {"C15 unknown", {.status = CERT_UNKNOWN}, {0}, 0, true,
		REASON_NONE},
	    {"C18 fractions", {.this_text = "20270115070000.5Z"}, {0}, 0, true,
		REASON_MALFORMED},
	    {"C12 within the margin", {.next_update = PKI_NOW + 300}, {0}, 0,
		true, REASON_EXPIRED},
	    {"C12 a second before the margin", {.next_update = PKI_NOW + 301},
		{0}, 0, true, REASON_COUNT},
	    {"C12 over, within the skew", {.next_update = PKI_NOW - 10}, {0}, 0,
		true, REASON_EXPIRED},
	    {"C13 older than the cap",
		{.this_update = PKI_NOW - 10 * CLOCK_DAY - 1}, {0}, 0, true,
		REASON_LIFETIME_TOO_LONG},
	    {"C14 the certificate has ended", {0}, {0}, -10, true,
		REASON_CERTIFICATE_EXPIRED},
	    {"C14 the certificate ended just before thisUpdate",
		{.this_update = PKI_NOW + 290}, {0}, -10, true,
		REASON_CERTIFICATE_EXPIRED},
	    {"C14 the certificate is about to end", {0}, {0}, 200, true,
		REASON_LIFETIME_TOO_LONG},
	    {"C11 no nextUpdate, too old",
		{.this_update = PKI_NOW - CLOCK_DAY, .no_next_update = true},
		{.allow_no_next_update = true}, 0, true, REASON_EXPIRED},
	    {"C11 no nextUpdate", {.no_next_update = true}, {0}, 0, false,
		REASON_NO_NEXT_UPDATE},
	    {"C4 another serial number", {.wrong_serial = true}, {0}, 0, false,
		REASON_WRONG_CERTIFICATE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct pki_party leaf = {0};
		struct scene scene = {.leaf = &pki.leaf,
		    .signer = &pki.issuer,
		    .single = rows[i].single,
		    .policy = rows[i].policy};
		struct staple *staple = NULL;
		struct verdict facts = {.size = 99};
		bool accepted = !rows[i].accepted;
		bool good = rows[i].reason == REASON_COUNT;
		struct err err = {0};
		int rc;

		if (rows[i].leaf_ends != 0) {
			leaf = pki_party(&(struct pki_spec){.cn = "short",
			    .issuer = &pki.issuer,
			    .until = PKI_NOW + rows[i].leaf_ends});
			scene.leaf = &leaf;
		}
		rc = make(scene, &staple, &facts, &accepted, &err);
		if (good != (rc == 0) || good != (staple != NULL))
			fail_msg("I1 %s: returned %d", rows[i].name, rc);
		if (!good && err.reason != rows[i].reason)
			fail_msg("%s: %s: %s", rows[i].name,
			    reason_name(err.reason), err.text);
		if (accepted != rows[i].accepted)
			fail_msg("%s: accepted is wrong", rows[i].name);
		if ((facts.size == 99) == accepted)
			fail_msg("%s: *out", rows[i].name);
		staple_free(staple);
		pki_party_done(&leaf);
	}
}

static struct staple *
staple_of(const struct pki_party *leaf, int64_t this_update, int64_t next)
{
	struct scene scene = {.leaf = leaf,
	    .signer = &pki.issuer,
	    .single = {.this_update = this_update, .next_update = next}};
	struct staple *staple = NULL;
	struct verdict facts;
	struct err err = {0};
	bool accepted;

	if (make(scene, &staple, &facts, &accepted, &err) != 0)
		fail_msg("%s", err.text);
	return staple;
}

/* I2, A14. */
static void
test_better(void **state)
{
	struct staple *have =
	    staple_of(&pki.leaf, PKI_NOW - 3600, PKI_NOW + CLOCK_DAY);
	struct staple *same =
	    staple_of(&pki.leaf, PKI_NOW - 3600, PKI_NOW + CLOCK_DAY);
	struct staple *newer =
	    staple_of(&pki.leaf, PKI_NOW - 3599, PKI_NOW + CLOCK_HOUR);
	struct staple *older =
	    staple_of(&pki.leaf, PKI_NOW - 3601, PKI_NOW + 9 * CLOCK_DAY);
	struct staple *other =
	    staple_of(&ca_leaf, PKI_NOW - 60, PKI_NOW + CLOCK_DAY);

	(void)state;
	assert_true(staple_better(NULL, have));
	assert_true(staple_better(have, newer));
	assert_false(staple_better(newer, have));
	assert_false(staple_better(have, same));
	assert_false(staple_better(have, have));
	assert_false(
	    staple_better(have, older)); /* A14: although it ends later */
	assert_false(staple_better(have, other));
	staple_free(have);
	staple_free(same);
	staple_free(newer);
	staple_free(older);
	staple_free(other);
	staple_free(NULL);
}

/* I3: no arithmetic of the margin may put the end off. */
static void
test_margin_never_adds(void **state)
{
	const struct verdict facts = {.this_update = 1000, .usable_until = 800};

	(void)state;
	assert_int_equal(800, verdict_usable_until(&facts));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_usable_until),
	    cmocka_unit_test(test_no_staple),
	    cmocka_unit_test(test_better),
	    cmocka_unit_test(test_margin_never_adds),
	};

	return cmocka_run_group_tests(tests, make_pki, free_pki);
}
