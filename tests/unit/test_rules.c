/* SPDX-License-Identifier: ISC */
/* test_rules.c -- keep/rules: which block is about whom, and faulty ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ctype.h>

#include "base/err.h"
#include "keep/rules.h"
#include "pki_fixture.h"
#include "scratch.h"

static struct pki pki;
static struct scratch scratch;

static int
set_up(void **state)
{
	(void)state;
	pki = pki_make(PKI_EC);
	scratch_make(&scratch);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	pki_done(&pki);
	scratch_remove(&scratch);
	return 0;
}

/* True if a single block that says NAME is about the fixture's leaf. */
static bool
is_about(const char *name, bool has_issuer)
{
	const struct issuer_rules said = {
	    .issuer = name, .url = "http://192.0.2.1/"};
	struct err err = {0};
	struct rules *rules = rules_load(&said, 1, &err);
	const struct rule *found;

	if (rules == NULL)
		fail_msg("'%s': %s", name, err.text);
	found = rules_find(
	    rules, pki.leaf.cert, has_issuer ? pki.issuer.cert : NULL);
	assert_true(
	    found == NULL || strcmp(found->said.url, "http://192.0.2.1/") == 0);
	rules_free(rules);
	return found != NULL;
}

/* FINGERPRINT in capitals with colons, as openssl prints it. */
static char *
with_colons(const char *fingerprint)
{
	struct buf out;

	buf_init(&out, 200);
	for (size_t i = 0; i < 64; i++)
		buf_printf(&out, "%s%c", i > 0 && i % 2 == 0 ? ":" : "",
		    toupper((unsigned char)fingerprint[i]));
	return buf_take(&out);
}

static void
test_names(void **state)
{
	const char *subject = pki.issuer.cert->subject;
	char *colons = with_colons(pki.issuer.cert->fingerprint);
	char *longer = mem_printf("%s0", pki.issuer.cert->fingerprint);
	char *shorter = mem_string(pki.issuer.cert->fingerprint);

	(void)state;
	shorter[63] = '\0';
	assert_true(is_about(subject, true));
	assert_true(is_about(subject, false));
	assert_true(is_about(strchr(subject, '=') + 1, true));
	assert_true(is_about("ISSUER", true)); /* its CN, any case */
	assert_true(is_about(pki.issuer.cert->fingerprint, true));
	assert_true(is_about(colons, true));
	/* nobody knows its key before the issuer is found */
	assert_false(is_about(pki.issuer.cert->fingerprint, false));
	assert_false(is_about(longer, true));
	assert_false(is_about(shorter, true));
	assert_false(is_about(pki.leaf.cert->fingerprint, true));
	assert_false(is_about("issue", true));
	assert_false(is_about("issuerr", true));
	assert_false(is_about("CN=issue", true));
	assert_false(is_about("root", true));
	free(colons);
	free(longer);
	free(shorter);
}

static void
test_file(void **state)
{
	char *good = scratch_path(&scratch, "issuer.pem");
	char *other = scratch_path(&scratch, "other.pem");
	char *pem = cert_pem(pki.issuer.cert);
	char *root = cert_pem(pki.root.cert);

	(void)state;
	scratch_write(good, pem);
	scratch_write(other, root);
	assert_true(is_about(good, true));
	assert_false(is_about(good, false));
	assert_false(is_about(other, true));
	free(good);
	free(other);
	free(pem);
	free(root);
}

static void
test_first_wins(void **state)
{
	const struct issuer_rules said[] = {
	    {.issuer = "root", .url = "a"},
	    {.issuer = "issuer", .url = "b", .nonce = NONCE_STRICT},
	    {.issuer = pki.issuer.cert->fingerprint, .url = "c"},
	};
	struct rules *rules = rules_load(said, 3, NULL);
	const struct rule *found =
	    rules_find(rules, pki.leaf.cert, pki.issuer.cert);

	(void)state;
	assert_non_null(found);
	assert_string_equal(found->said.url, "b");
	assert_int_equal(found->said.nonce, NONCE_STRICT);
	assert_null(rules_find(NULL, pki.leaf.cert, pki.issuer.cert));
	rules_free(rules);
}

static void
test_signers(void **state)
{
	char *path = scratch_path(&scratch, "signer.pem");
	char *pem = cert_pem(pki.delegate.cert);
	const struct issuer_rules said = {.issuer = "issuer", .signer = path};
	const struct rule *found;
	struct rules *rules;

	(void)state;
	scratch_write(path, pem);
	rules = rules_load(&said, 1, NULL);
	found = rules_find(rules, pki.leaf.cert, pki.issuer.cert);
	assert_int_equal(found->signers.count, 1);
	assert_string_equal(found->signers.items[0]->fingerprint,
	    pki.delegate.cert->fingerprint);
	rules_free(rules);
	free(path);
	free(pem);
}

static const struct faulty_row {
	const char *name;
	struct issuer_rules said;
	enum reason reason;
	const char *text;
} faulty_rows[] = {
    {"no issuer", {.url = "http://a/"}, REASON_USAGE, "no issuer"},
    {"empty issuer", {.issuer = ""}, REASON_USAGE, "no issuer"},
    {"negative life", {.issuer = "a", .no_next_update_s = -1}, REASON_USAGE,
	"10 days"},
    {"life too long", {.issuer = "a", .no_next_update_s = 10 * 86400 + 1},
	REASON_USAGE, "10 days"},
    {"no such issuer file", {.issuer = "/nowhere/ca.pem"},
	REASON_CERTIFICATE_UNREADABLE, "/nowhere/ca.pem"},
    {"no such signer file", {.issuer = "a", .signer = "/nowhere/s.pem"},
	REASON_CERTIFICATE_UNREADABLE,
	"issuer 'a': cannot read '/nowhere/s.pem'"},
};

static void
test_faulty(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(faulty_rows) / sizeof(faulty_rows[0]);
	     i++) {
		const struct faulty_row *row = &faulty_rows[i];
		const struct issuer_rules said[] = {
		    {.issuer = "good"}, row->said};
		struct err err = {0};

		if (rules_load(said, 2, &err) != NULL)
			fail_msg("%s: it was taken", row->name);
		if (err.reason != row->reason ||
		    strstr(err.text, row->text) == NULL)
			fail_msg("%s: %s", row->name, err.text);
	}
}

static void
test_too_many(void **state)
{
	struct issuer_rules *said = mem_array(RULES_MAX + 1, sizeof(said[0]));
	struct err err = {0};

	(void)state;
	for (size_t i = 0; i <= RULES_MAX; i++)
		said[i].issuer = "a";
	assert_null(rules_load(said, RULES_MAX + 1, &err));
	assert_int_equal(err.reason, REASON_USAGE);
	free(said);
}

static void
test_words(void **state)
{
	enum certid_choice certid = CERTID_UNSAID;
	enum on_revoked revoked = ON_REVOKED_UNSAID;
	enum nonce_choice nonce = NONCE_NONE;

	(void)state;
	assert_true(certid_parse("sha1", &certid) && certid == CERTID_SHA1);
	assert_true(certid_parse("sha256", &certid) && certid == CERTID_SHA256);
	assert_true(certid_parse("both", &certid) && certid == CERTID_BOTH);
	assert_false(certid_parse("SHA1", &certid));
	assert_false(certid_parse("", &certid));
	assert_int_equal(certid, CERTID_BOTH);
	assert_true(
	    on_revoked_parse("keep", &revoked) && revoked == ON_REVOKED_KEEP);
	assert_true(on_revoked_parse("withdraw", &revoked) &&
		    revoked == ON_REVOKED_WITHDRAW);
	assert_false(on_revoked_parse("keeps", &revoked));
	assert_true(nonce_parse("strict", &nonce) && nonce == NONCE_STRICT);
	assert_true(nonce_parse("send", &nonce) && nonce == NONCE_SEND);
	assert_true(nonce_parse("no", &nonce) && nonce == NONCE_NONE);
	assert_false(nonce_parse("yes", &nonce));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_names),
	    cmocka_unit_test(test_file),
	    cmocka_unit_test(test_first_wins),
	    cmocka_unit_test(test_signers),
	    cmocka_unit_test(test_faulty),
	    cmocka_unit_test(test_too_many),
	    cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
