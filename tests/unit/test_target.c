/* SPDX-License-Identifier: ISC */
/* test_target.c -- keep/target: files that change, break and come back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "acquire/acquire.h"
#include "base/clock.h"
#include "base/loop.h"
#include "keep/target.h"
#include "pki/staple.h"
#include "pki_fixture.h"
#include "scratch.h"

static struct pki pki;
static struct pki_party other, crl_only, crl_must;
static struct scratch scratch;
static char *certificate, *issuer;
static struct target *target;

static int
make_pki(void **state)
{
	(void)state;
	pki = pki_make(PKI_EC);
	other = pki_party(&(struct pki_spec){.cn = "other",
	    .issuer = &pki.issuer,
	    .ext = {{"authorityInfoAccess", "OCSP;URI:http://ocsp.test/"}}});
	crl_only =
	    pki_party(&(struct pki_spec){.cn = "crl", .issuer = &pki.issuer});
	crl_must = pki_party(&(struct pki_spec){.cn = "must",
	    .issuer = &pki.issuer,
	    .ext = {{"tlsfeature", "status_request"}}});
	return 0;
}

static int
free_pki(void **state)
{
	(void)state;
	pki_party_done(&other);
	pki_party_done(&crl_only);
	pki_party_done(&crl_must);
	pki_done(&pki);
	return 0;
}

static int
set_up(void **state)
{
	(void)state;
	scratch_make(&scratch);
	certificate = scratch_path(&scratch, "leaf.pem");
	issuer = scratch_path(&scratch, "issuer.pem");
	target = target_new(&(struct target_spec){.certificate = certificate});
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	target_free(target);
	target_free(NULL);
	free(certificate);
	free(issuer);
	scratch_remove(&scratch);
	return 0;
}

/* PATH of these certificates; each write has a moment of its own. */
static void
write_chain(const char *path, const struct pki_party *first,
    const struct pki_party *next)
{
	static int64_t moment = 1000000000;
	char *one = cert_pem(first->cert);
	char *two = next == NULL ? mem_string("") : cert_pem(next->cert);
	char *both = mem_printf("%s%s", one, two);
	struct timespec times[2] = {{.tv_sec = moment}, {.tv_sec = moment}};

	moment++;
	scratch_write(path, both);
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
	free(one);
	free(two);
	free(both);
}

static struct staple *
make_staple(const struct pki_party *leaf)
{
	struct pki_single single = {
	    .leaf = leaf->cert, .issuer = pki.issuer.cert};
	struct pki_response spec = {
	    .signer = &pki.issuer, .singles = &single, .single_count = 1};
	struct buf der = pki_response(&spec);
	struct verify_input input = {.leaf = leaf->cert,
	    .issuer = pki.issuer.cert,
	    .der = (const uint8_t *)der.text,
	    .len = der.len};
	struct verify_policy policy = verify_policy_default(PKI_NOW);
	struct staple *staple = NULL;
	struct verdict facts;
	bool accepted;

	assert_int_equal(
	    verify_staple(&input, &policy, &staple, &facts, &accepted, NULL),
	    0);
	buf_done(&der);
	return staple;
}

/* A target in full service. */
static void
start(void)
{
	write_chain(certificate, &pki.leaf, &pki.issuer);
	assert_true(target_read(target, NULL));
	assert_int_equal(target->unreadable.reason, REASON_NONE);
	target->staple = make_staple(&pki.leaf);
	target->failures = 3;
	target->last_attempt = PKI_NOW - 5;
	target->last_final = target->said = true;
	target->retry_after = PKI_NOW + 5;
	target->fetch_again = PKI_NOW + 7;
}

static void
expect_kept(void)
{
	assert_non_null(target->staple);
	assert_int_equal(target->failures, 3);
	assert_string_equal(
	    target_fingerprint(target), pki.leaf.cert->fingerprint);
	assert_non_null(target->id.issuer);
	assert_true(target_facts(target, PKI_NOW).readable);
	assert_ptr_equal(target_servable(target, PKI_NOW), target->staple);
}

static void
test_facts(void **state)
{
	struct policy_facts facts;

	(void)state;
	start();
	facts = target_facts(target, PKI_NOW);
	assert_true(facts.readable && facts.responder && facts.has_staple);
	assert_false(facts.must_staple);
	assert_true(facts.not_after == pki.leaf.cert->not_after);
	assert_true(facts.this_update == PKI_NOW - 3600);
	assert_true(facts.end == PKI_NOW + CLOCK_DAY);
	assert_true(facts.usable_until == PKI_NOW + CLOCK_DAY - 300);
	assert_int_equal(facts.failures, 3);
	assert_true(facts.retry_after == PKI_NOW + 5);
	assert_true(facts.fetch_again == PKI_NOW + 7);
	assert_string_equal(target_name(target), "leaf.test");
	/* I3, A6: to the second */
	assert_non_null(target_servable(target, facts.usable_until - 1));
	assert_null(target_servable(target, facts.usable_until));
}

static void
test_unread(void **state)
{
	(void)state;
	assert_null(target_fingerprint(target));
	assert_string_equal(target_name(target), certificate);
	assert_false(target_facts(target, PKI_NOW).readable);
	assert_null(target_servable(target, PKI_NOW));
	assert_false(target_changed(target)); /* there is no file at all */
	assert_true(target_read(target, NULL));
	assert_int_equal(
	    target->unreadable.reason, REASON_CERTIFICATE_UNREADABLE);
	write_chain(certificate, &pki.leaf, &pki.issuer);
	assert_true(target_changed(target)); /* and now there is */
	assert_true(target_read(target, NULL));
	assert_false(target_changed(target));
	assert_true(target_facts(target, PKI_NOW).readable);
}

/* I2: what is there for a moment only costs nothing. */
static void
test_bad_for_a_moment(void **state)
{
	static const struct {
		const char *name, *text;
	} rows[] = {{"empty", ""}, {"half a line", "-----BEGIN CERTIF"},
	    {"rubbish", "not a certificate"},
	    {"a key alone", "-----BEGIN PRIVATE KEY-----\nMAA=\n"
			    "-----END PRIVATE KEY-----\n"}};

	(void)state;
	start();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		scratch_write(certificate, rows[i].text);
		assert_true(target_changed(target));
		assert_false(target_read(target, NULL));
		assert_int_equal(
		    target->unreadable.reason, REASON_CERTIFICATE_UNREADABLE);
		assert_false(target_changed(target)); /* said once */
		expect_kept();
	}
	/* the leaf is there already, its issuer not yet */
	write_chain(certificate, &pki.leaf, NULL);
	assert_true(target_changed(target));
	assert_false(target_read(target, NULL));
	assert_int_equal(target->unreadable.reason, REASON_ISSUER_MISSING);
	expect_kept();
	assert_int_equal(unlink(certificate), 0);
	assert_false(target_changed(target)); /* gone: it comes back */
	assert_false(target_read(target, NULL));
	expect_kept();
	write_chain(certificate, &pki.leaf, &pki.issuer);
	assert_true(target_changed(target));
	assert_false(target_read(target, NULL));
	assert_int_equal(target->unreadable.reason, REASON_NONE);
	expect_kept();
}

/* An acquisition borrows of the identity: it is cancelled if that goes, and
 * only then. */
static void
test_acquisition_under_way(void **state)
{
	struct acquire_options options = {.timeout_ms = 100000};
	struct acquire_target job = {.policy = verify_policy_default(PKI_NOW)};
	uv_loop_t loop;

	(void)state;
	start();
	assert_int_equal(uv_loop_init(&loop), 0);
	job.leaf = target->id.leaf;
	job.issuer = target->id.issuer;
	target->acquire =
	    acquire_start(&loop, NULL, &job, &options, NULL, NULL);
	scratch_write(certificate, "");
	assert_false(target_read(target, NULL));
	assert_non_null(target->acquire);
	write_chain(certificate, &pki.leaf, &pki.issuer);
	assert_false(target_read(target, NULL));
	assert_null(target->acquire);
	loop_end(&loop);
}

static void
test_another_certificate(void **state)
{
	(void)state;
	start();
	write_chain(certificate, &other, &pki.issuer);
	assert_true(target_changed(target));
	assert_true(target_read(target, NULL));
	assert_null(target->staple);
	assert_int_equal(target->failures, 0);
	assert_true(target->last_attempt == 0);
	assert_true(target->retry_after == 0 && target->fetch_again == 0);
	assert_false(target->last_final);
	assert_false(target->said);
	assert_string_equal(
	    target_fingerprint(target), other.cert->fingerprint);
	assert_int_equal(target->unreadable.reason, REASON_NONE);
}

/* The same, in the same second and of the same size: the inode tells. */
static void
test_replaced_by_rename(void **state)
{
	char *next = scratch_path(&scratch, "next.pem");
	struct stat st;

	(void)state;
	start();
	assert_int_equal(stat(certificate, &st), 0);
	write_chain(next, &pki.leaf, &pki.issuer);
	assert_int_equal(utimensat(AT_FDCWD, next,
			     (struct timespec[2]){st.st_mtim, st.st_mtim}, 0),
	    0);
	assert_int_equal(rename(next, certificate), 0);
	assert_true(target_changed(target));
	assert_false(target_read(target, NULL));
	expect_kept();
	free(next);
}

/* -i: the issuer's file is watched as well. */
static void
test_issuer_of_its_own(void **state)
{
	(void)state;
	target_free(target);
	target = target_new(&(struct target_spec){
	    .certificate = certificate, .issuer = issuer});
	write_chain(certificate, &pki.leaf, NULL);
	assert_true(target_read(target, NULL));
	assert_int_not_equal(target->unreadable.reason, REASON_NONE);
	assert_false(target_facts(target, PKI_NOW).readable);
	assert_false(target_changed(target));
	write_chain(issuer, &pki.issuer, NULL);
	assert_true(target_changed(target));
	assert_false(target_read(target, NULL));
	assert_int_equal(target->unreadable.reason, REASON_NONE);
	assert_true(target_facts(target, PKI_NOW).readable);
	target->staple = make_staple(&pki.leaf);
	target->failures = 3;
	scratch_write(issuer, "half");
	assert_true(target_changed(target));
	assert_false(target_read(target, NULL));
	expect_kept();
	write_chain(issuer, &pki.root, NULL); /* another one, not the issuer */
	assert_false(target_read(target, NULL));
	assert_int_equal(target->unreadable.reason, REASON_ISSUER_MISMATCH);
	expect_kept();
}

static void
test_without_responder(void **state)
{
	struct policy_facts facts;

	(void)state;
	write_chain(certificate, &crl_only, NULL);
	assert_true(target_read(target, NULL));
	/* nobody needs the issuer then */
	assert_int_equal(target->unreadable.reason, REASON_NONE);
	facts = target_facts(target, PKI_NOW);
	assert_true(facts.readable);
	assert_false(facts.responder);
	write_chain(certificate, &crl_must, NULL);
	assert_true(target_read(target, NULL));
	assert_true(target_facts(target, PKI_NOW).must_staple); /* D3 */
	/* one by configuration: then the issuer is missing */
	target_free(target);
	target = target_new(&(struct target_spec){
	    .certificate = certificate, .url = "http://ocsp.test/"});
	assert_true(target_read(target, NULL));
	assert_int_equal(target->unreadable.reason, REASON_ISSUER_MISSING);
	facts = target_facts(target, PKI_NOW);
	assert_true(facts.responder);
	assert_false(facts.readable);
}

/* clang-format off */
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
/* clang-format on */

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_facts),
	    TEST(test_unread),
	    TEST(test_bad_for_a_moment),
	    TEST(test_acquisition_under_way),
	    TEST(test_another_certificate),
	    TEST(test_replaced_by_rename),
	    TEST(test_issuer_of_its_own),
	    TEST(test_without_responder),
	};

	return cmocka_run_group_tests(tests, make_pki, free_pki);
}
