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
#include "keep/settings.h"
#include "keep/target.h"
#include "pki/staple.h"
#include "pki_fixture.h"
#include "scratch.h"

enum { NOW_MS = 5000 };

static struct pki pki;
static struct pki_party other, crl_only, crl_must, ldap_first, ldap_only;
static struct scratch scratch;
static char *certificate, *issuer;
static struct target *target;
static struct issuers issuers;

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
	ldap_first = pki_party(&(struct pki_spec){.cn = "ldap",
	    .issuer = &pki.issuer,
	    .ext = {{"authorityInfoAccess",
		"OCSP;URI:ldap://dir.test/x,OCSP;URI:http://ocsp.test/"}}});
	ldap_only = pki_party(&(struct pki_spec){.cn = "ldap",
	    .issuer = &pki.issuer,
	    .ext = {{"authorityInfoAccess", "OCSP;URI:ldap://dir.test/x"}}});
	return 0;
}

static int
free_pki(void **state)
{
	(void)state;
	pki_party_done(&other);
	pki_party_done(&crl_only);
	pki_party_done(&crl_must);
	pki_party_done(&ldap_first);
	pki_party_done(&ldap_only);
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
	assert_null(issuers.all); /* the last user frees */
	issuers_done(&issuers);
	issuers = (struct issuers){0};
	free(certificate);
	free(issuer);
	scratch_remove(&scratch);
	return 0;
}

static bool
read_files(void)
{
	const struct target_sources sources = {.issuers = &issuers};

	return target_read(target, &sources);
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
	assert_true(read_files());
	assert_int_equal(trouble_reason(target->unreadable), REASON_NONE);
	target->staple = make_staple(&pki.leaf);
	target->failures = 3;
	target->last_attempt = PKI_NOW - 5;
	target->floor = target->first_at = PKI_NOW - 5;
	target->final_life = 7;
	target->last_final = target->said = target->other_hash = true;
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
	assert_non_null(target_issuer(target));
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
	assert_false(
	    target_changed(target, NOW_MS)); /* there is no file at all */
	assert_true(read_files());
	assert_int_equal(
	    trouble_reason(target->unreadable), REASON_CERTIFICATE_UNREADABLE);
	write_chain(certificate, &pki.leaf, &pki.issuer);
	assert_true(target_changed(target, NOW_MS)); /* and now there is */
	assert_true(read_files());
	assert_false(target_changed(target, NOW_MS));
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
		assert_true(target_changed(target, NOW_MS));
		assert_false(read_files());
		assert_int_equal(trouble_reason(target->unreadable),
		    REASON_CERTIFICATE_UNREADABLE);
		assert_false(target_changed(target, NOW_MS)); /* said once */
		expect_kept();
	}
	/* the leaf is there already, its issuer not yet */
	write_chain(certificate, &pki.leaf, NULL);
	assert_true(target_changed(target, NOW_MS));
	assert_false(read_files());
	assert_int_equal(
	    trouble_reason(target->unreadable), REASON_ISSUER_MISSING);
	expect_kept();
	assert_int_equal(unlink(certificate), 0);
	assert_false(target_changed(target, NOW_MS)); /* gone: it comes back */
	assert_false(target_changed(target, NOW_MS + TARGET_GONE_MS - 1));
	write_chain(certificate, &pki.leaf, NULL);
	(void)target_changed(target, NOW_MS + TARGET_GONE_MS);
	assert_int_equal(unlink(certificate), 0);
	assert_false(target_changed(target, NOW_MS + TARGET_GONE_MS));
	/* and then it does not: that is said once */
	assert_true(target_changed(target, NOW_MS + 2 * TARGET_GONE_MS));
	assert_false(read_files());
	assert_int_equal(
	    trouble_reason(target->unreadable), REASON_CERTIFICATE_UNREADABLE);
	assert_false(target_changed(target, NOW_MS + 9 * TARGET_GONE_MS));
	expect_kept();
	write_chain(certificate, &pki.leaf, &pki.issuer);
	assert_true(target_changed(target, NOW_MS));
	assert_false(read_files());
	assert_int_equal(trouble_reason(target->unreadable), REASON_NONE);
	expect_kept();
}

/* An acquisition borrows of leaf and issuer: it is ended if one of them goes,
 * and only then. */
static void
test_acquisition_under_way(void **state)
{
	struct acquire_options options = {.timeout_ms = 100000};
	struct acquire_target job = {.policy = verify_policy_default(PKI_NOW)};
	struct settings settings = {.users = 1};
	uv_loop_t loop;

	(void)state;
	start();
	assert_int_equal(uv_loop_init(&loop), 0);
	job.leaf = target->leaf;
	job.issuer = target_issuer(target);
	target->acquire =
	    acquire_start(&loop, NULL, &job, &options, NULL, NULL);
	target->settings = &settings;
	scratch_write(certificate, "");
	assert_false(read_files());
	assert_non_null(target->acquire);
	/* the same again, as by SIGHUP */
	write_chain(certificate, &pki.leaf, &pki.issuer);
	assert_false(read_files());
	assert_non_null(target->acquire);
	assert_ptr_equal(target->leaf, job.leaf);
	assert_ptr_equal(target_issuer(target), job.issuer);
	assert_int_equal(settings.users, 1);
	write_chain(certificate, &other, &pki.issuer);
	assert_true(read_files());
	assert_null(target->acquire);
	assert_int_equal(settings.users, 0);
	loop_end(&loop);
}

static void
test_another_certificate(void **state)
{
	(void)state;
	start();
	write_chain(certificate, &other, &pki.issuer);
	assert_true(target_changed(target, NOW_MS));
	assert_true(read_files());
	assert_null(target->staple);
	assert_int_equal(target->failures, 0);
	assert_true(target->floor == 0 && target->final_life == 0);
	assert_true(target->first_at == 0 && !target->other_hash);
	assert_true(target->last_attempt == 0);
	assert_true(target->retry_after == 0 && target->fetch_again == 0);
	assert_false(target->last_final);
	assert_false(target->said);
	assert_string_equal(
	    target_fingerprint(target), other.cert->fingerprint);
	assert_int_equal(trouble_reason(target->unreadable), REASON_NONE);
}

/* D2: the server goes on with the old pair; see target_waits. */
static void
test_waits(void **state)
{
	static const struct {
		const char *name;
		const struct pki_party *renewed;
		int64_t served_until; /* by the server, before */
		bool has_staple;
		bool waits;
	} rows[] = {
	    {"no staple yet", &other, PKI_NOW + 10, false, true},
	    {"must-staple, no responder", &crl_must, PKI_NOW + 10, false, true},
	    {"it has its staple", &other, PKI_NOW + 10, true, false},
	    {"the old staple has ended", &other, PKI_NOW, false, false},
	    {"nothing was served", &other, 0, false, false},
	    {"nothing to staple", &crl_only, PKI_NOW + 10, false, false},
	    {"not renewed", &pki.leaf, PKI_NOW + 10, false, false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		start();
		target->served_until = rows[i].served_until;
		write_chain(certificate, rows[i].renewed, &pki.issuer);
		(void)read_files();
		if (rows[i].has_staple)
			target->staple = make_staple(&other);
		if (target_waits(target, PKI_NOW) != rows[i].waits)
			fail_msg("%s", rows[i].name);
		(void)tear_down(state);
		(void)set_up(state);
	}
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
	assert_true(target_changed(target, NOW_MS));
	assert_false(read_files());
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
	assert_true(read_files());
	assert_int_not_equal(trouble_reason(target->unreadable), REASON_NONE);
	assert_false(target_facts(target, PKI_NOW).readable);
	assert_false(target_changed(target, NOW_MS));
	write_chain(issuer, &pki.issuer, NULL);
	assert_true(target_changed(target, NOW_MS));
	assert_false(read_files());
	assert_int_equal(trouble_reason(target->unreadable), REASON_NONE);
	assert_true(target_facts(target, PKI_NOW).readable);
	target->staple = make_staple(&pki.leaf);
	target->failures = 3;
	scratch_write(issuer, "half");
	assert_true(target_changed(target, NOW_MS));
	assert_false(read_files());
	expect_kept();
	write_chain(issuer, &pki.root, NULL); /* another one, not the issuer */
	assert_false(read_files());
	assert_int_equal(
	    trouble_reason(target->unreadable), REASON_ISSUER_MISMATCH);
	expect_kept();
}

/* Private CAs: LDAP first.  It is the other one that is asked and named. */
static void
test_responder_is_one_that_can_be_asked(void **state)
{
	(void)state;
	write_chain(certificate, &ldap_first, &pki.issuer);
	assert_true(read_files());
	assert_string_equal(target->responder, "ocsp.test");
	write_chain(certificate, &ldap_only, &pki.issuer);
	assert_true(read_files());
	assert_null(target->responder); /* and so nobody tries */
	assert_false(target_facts(target, PKI_NOW).responder);
}

static void
test_without_responder(void **state)
{
	struct policy_facts facts;

	(void)state;
	write_chain(certificate, &crl_only, NULL);
	assert_true(read_files());
	/* nobody needs the issuer then */
	assert_int_equal(trouble_reason(target->unreadable), REASON_NONE);
	facts = target_facts(target, PKI_NOW);
	assert_true(facts.readable);
	assert_false(facts.responder);
	write_chain(certificate, &crl_must, NULL);
	assert_true(read_files());
	assert_true(target_facts(target, PKI_NOW).must_staple); /* D3 */
	/* one by configuration: then the issuer is missing */
	target_free(target);
	target = target_new(&(struct target_spec){
	    .certificate = certificate, .url = "http://ocsp.test/"});
	assert_true(read_files());
	assert_int_equal(
	    trouble_reason(target->unreadable), REASON_ISSUER_MISSING);
	facts = target_facts(target, PKI_NOW);
	assert_true(facts.responder);
	assert_false(facts.readable);
}

/* What the operator says of one issuer counts for its certificates. */
static void
test_rules(void **state)
{
	const struct issuer_rules said = {.issuer = "issuer",
	    .url = "http://va.test/ocsp",
	    .no_next_update_s = 7200,
	    .allow_sha1 = true};
	struct rules *rules = rules_load(&said, 1, NULL);
	struct settings settings = {.options = {.state_dir = "/nowhere"}};
	struct verify_policy policy;
	struct verify_input input;

	(void)state;
	write_chain(certificate, &crl_only, NULL);
	issuers_obey(&issuers, rules);
	assert_true(read_files()); /* it has a responder now: its issuer is
				      missed */
	assert_int_equal(
	    trouble_reason(target->unreadable), REASON_ISSUER_MISSING);
	assert_false(target_facts(target, PKI_NOW).readable);
	write_chain(certificate, &crl_only, &pki.issuer);
	assert_false(read_files());
	assert_null(target->unreadable);
	assert_true(target_facts(target, PKI_NOW).readable);
	assert_true(target_facts(target, PKI_NOW).responder);
	assert_string_equal(target_url(target), "http://va.test/ocsp");
	assert_string_equal(target->responder, "va.test");
	target_terms(target, &settings, PKI_NOW, &input, &policy);
	assert_true(policy.allow_sha1 && policy.allow_no_next_update);
	assert_true(policy.no_next_update_s == 7200);
	assert_non_null(input.trusted);
	/* taken back */
	issuers_obey(&issuers, NULL);
	rules_free(rules);
	assert_false(read_files());
	assert_null(target_url(target));
	assert_null(target->responder);
	target_terms(target, &settings, PKI_NOW, &input, &policy);
	assert_false(policy.allow_sha1 || policy.allow_no_next_update);
	assert_null(input.trusted);
}

/* D4: the CA has the TLS feature, the leaf does not. */
static void
test_lacks_feature(void **state)
{
	struct pki_party ca = pki_party(&(struct pki_spec){.cn = "strict",
	    .ext = {{"basicConstraints", "critical,CA:TRUE"},
		{"tlsfeature", "status_request"}}});
	struct pki_party lacks =
	    pki_party(&(struct pki_spec){.cn = "lacks", .issuer = &ca});
	struct pki_party has = pki_party(&(struct pki_spec){.cn = "has",
	    .issuer = &ca,
	    .ext = {{"tlsfeature", "status_request"}}});

	(void)state;
	write_chain(certificate, &lacks, &ca);
	assert_true(read_files());
	assert_true(target_lacks_feature(target));
	write_chain(certificate, &has, &ca);
	assert_true(read_files());
	assert_false(target_lacks_feature(target));
	write_chain(certificate, &pki.leaf, &pki.issuer);
	assert_true(read_files());
	assert_false(target_lacks_feature(target));
	pki_party_done(&ca);
	pki_party_done(&lacks);
	pki_party_done(&has);
}

/* Many certificates, one issuer in memory. */
static void
test_shared_issuer(void **state)
{
	const struct target_sources sources = {.issuers = &issuers};
	char *path = scratch_path(&scratch, "other.pem");
	struct target *second =
	    target_new(&(struct target_spec){.certificate = path});

	(void)state;
	start();
	write_chain(path, &other, &pki.issuer);
	assert_true(target_read(second, &sources));
	assert_ptr_equal(target_issuer(second), target_issuer(target));
	assert_int_equal(target->ca->users, 2);
	target_free(second);
	assert_int_equal(target->ca->users, 1);
	free(path);
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
	    TEST(test_waits),
	    TEST(test_replaced_by_rename),
	    TEST(test_issuer_of_its_own),
	    TEST(test_responder_is_one_that_can_be_asked),
	    TEST(test_without_responder),
	    TEST(test_rules),
	    TEST(test_lacks_feature),
	    TEST(test_shared_issuer),
	};

	return cmocka_run_group_tests(tests, make_pki, free_pki);
}
