/* SPDX-License-Identifier: ISC */
/* test_target_quick.c -- keep/target_quick: quick is what is known, never what
 * is not signed (B7, B8, I1, I2). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "keep/target.h"
#include "keep/target_quick.h"
#include "pki_fixture.h"
#include "scratch.h"

static struct pki pki;
static struct pki_party rogue, forged, other;
static struct scratch scratch;
static char *leaf_path, *issuer_path;
static struct issuers issuers;
static struct target_sources sources;

static int
make_pki(void **state)
{
	(void)state;
	pki = pki_make(PKI_EC);
	/* the issuer's name, and another key */
	rogue = pki_party(&(struct pki_spec){
	    .cn = "issuer", .ext = {{"basicConstraints", "critical,CA:TRUE"}}});
	forged = pki_party(&(struct pki_spec){.cn = "forged",
	    .issuer = &rogue,
	    .ext = {{"authorityInfoAccess", "OCSP;URI:http://ocsp.test/"}}});
	other = pki_party(&(struct pki_spec){.cn = "other",
	    .issuer = &pki.issuer,
	    .ext = {{"authorityInfoAccess", "OCSP;URI:http://ocsp.test/"}}});
	assert_true(span_equal(
	    cert_subject_der(rogue.cert), cert_subject_der(pki.issuer.cert)));
	return 0;
}

static int
free_pki(void **state)
{
	(void)state;
	pki_party_done(&rogue);
	pki_party_done(&forged);
	pki_party_done(&other);
	pki_done(&pki);
	return 0;
}

static int
set_up(void **state)
{
	(void)state;
	scratch_make(&scratch);
	leaf_path = scratch_path(&scratch, "leaf.pem");
	issuer_path = scratch_path(&scratch, "issuer.pem");
	issuers = (struct issuers){0};
	sources = (struct target_sources){.issuers = &issuers};
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	issuers_done(&issuers);
	free(leaf_path);
	free(issuer_path);
	scratch_remove(&scratch);
	return 0;
}

/* PATH of the certificates up to the first NULL. */
static void
write_chain(const char *path, const struct pki_party *const parties[3])
{
	struct buf text = {.max = PKI_TLV_MAX};

	for (size_t i = 0; i < 3 && parties[i] != NULL; i++) {
		char *pem = cert_pem(parties[i]->cert);

		buf_printf(&text, "%s", pem);
		free(pem);
	}
	scratch_write(path, text.text);
	buf_done(&text);
}

static struct target *
new_target(const char *issuer)
{
	struct target *target = target_new(
	    &(struct target_spec){.certificate = leaf_path, .issuer = issuer});

	if (issuer != NULL)
		target->seen_issuer = file_stamp(issuer);
	return target;
}

/* Whether the files are read quickly; then by whom they are signed. */
static bool
reads(const char *issuer, const struct pki_party *by)
{
	struct target *target = new_target(issuer);
	struct target_pair pair = {0};
	bool quick = target_read_quick(target, &sources, &pair);

	if (quick) {
		assert_string_equal(
		    pair.ca->cert->fingerprint, by->cert->fingerprint);
		cert_free(pair.leaf);
		issuer_leave(&pair.ca);
	}
	target_free(target);
	return quick;
}

static const struct row {
	const char *name;
	bool quick;
	const struct pki_party *file[3], *issuer_file;
} rows[] = {
    {"leaf and issuer", true, {&pki.leaf, &pki.issuer}, NULL},
    {"another leaf", true, {&other, &pki.issuer}, NULL},
    {"a root behind them", true, {&pki.leaf, &pki.issuer, &pki.root}, NULL},
    {"a root between them", true, {&pki.leaf, &pki.root, &pki.issuer}, NULL},
    {"the issuer in a file", true, {&pki.leaf}, &pki.issuer},
    {"the same twice", true, {&pki.leaf, &pki.issuer}, &pki.issuer},
    {"issuer first", false, {&pki.issuer, &pki.leaf}, NULL},
    {"an issuer alone", false, {&pki.issuer}, NULL},
    {"no issuer", false, {&pki.leaf}, NULL},
    {"an issuer of the same name", false, {&pki.leaf, &rogue}, NULL},
    {"another issuer in the file", false, {&pki.leaf}, &rogue},
    {"that file is what counts", false, {&pki.leaf, &pki.issuer}, &rogue},
    {"a leaf of another one's", false, {&forged, &pki.issuer}, NULL},
    {"by a file", false, {&forged}, &pki.issuer},
    {"a stranger behind them", false, {&pki.leaf, &pki.issuer, &rogue}, NULL},
    {"a leaf behind them", false, {&pki.leaf, &pki.issuer, &other}, NULL},
};

/* One that was read as a whole, so that its chain is known. */
static struct target *
read_first(void)
{
	struct target *target = new_target(NULL);

	write_chain(leaf_path, (const struct pki_party *const[3]){
				   &pki.leaf, &pki.issuer, &pki.root});
	assert_false(reads(NULL, NULL));
	assert_true(target_read(target, &sources));
	assert_string_equal(trouble_err(target->unreadable).text, "");
	assert_non_null(target->ca);
	return target;
}

static void
test_rows(void **state)
{
	struct target *first = read_first();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];

		print_message("%s\n", row->name);
		write_chain(leaf_path, row->file);
		if (row->issuer_file != NULL) {
			(void)unlink(issuer_path);
			write_chain(
			    issuer_path, (const struct pki_party *const[3]){
					     row->issuer_file});
		}
		assert_int_equal(
		    reads(row->issuer_file == NULL ? NULL : issuer_path,
			&pki.issuer),
		    row->quick);
	}
	target_free(first);
}

/* What is wrong is said as ever. */
static void
test_forged_is_told(void **state)
{
	struct target *first = read_first(), *bad = new_target(NULL);

	(void)state;
	write_chain(leaf_path,
	    (const struct pki_party *const[3]){&forged, &pki.issuer});
	assert_true(target_read(bad, &sources));
	assert_int_equal(
	    trouble_reason(bad->unreadable), REASON_ISSUER_MISMATCH);
	assert_null(bad->ca);
	target_free(bad);
	target_free(first);
}

static void
test_ca_file(void **state)
{
	struct cert *items[] = {pki.root.cert, pki.issuer.cert};
	const struct cert_list extra = {items, 2};

	(void)state;
	write_chain(leaf_path, (const struct pki_party *const[3]){&pki.leaf});
	assert_false(reads(NULL, NULL));
	sources.extra = &extra;
	assert_true(reads(NULL, &pki.issuer));
}

static bool
said(void *cookie, const struct target_pair *pair)
{
	assert_string_equal(
	    pair->ca->cert->fingerprint, pki.issuer.cert->fingerprint);
	return *(bool *)cookie;
}

/* Who has verified it before is asked first; else the signature tells. */
static void
test_paired(void **state)
{
	bool known = false;
	struct target *first = read_first();

	(void)state;
	sources.paired = said;
	sources.cookie = &known;
	write_chain(leaf_path,
	    (const struct pki_party *const[3]){&pki.leaf, &pki.issuer});
	assert_true(reads(NULL, &pki.issuer));
	write_chain(leaf_path,
	    (const struct pki_party *const[3]){&forged, &pki.issuer});
	assert_false(reads(NULL, NULL));
	known = true; /* that it was signed is not asked any more */
	assert_true(reads(NULL, &pki.issuer));
	target_free(first);
}

static void
test_damaged(void **state)
{
	struct target *first = read_first();
	uint8_t *bytes;
	size_t len;

	(void)state;
	assert_int_equal(file_read(leaf_path, 1 << 20, &bytes, &len, NULL), 0);
	assert_true(reads(NULL, &pki.issuer));
	for (size_t i = 0; i < 6; i++) {
		size_t at = len * i / 6 + 60;
		uint8_t was = bytes[at];

		bytes[at] = '!';
		scratch_write_bytes(leaf_path, bytes, len);
		assert_false(reads(NULL, NULL));
		bytes[at] = was;
	}
	free(bytes);
	target_free(first);
}

/* clang-format off */
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
/* clang-format on */

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_rows),
	    TEST(test_forged_is_told),
	    TEST(test_ca_file),
	    TEST(test_paired),
	    TEST(test_damaged),
	};

	return cmocka_run_group_tests(tests, make_pki, free_pki);
}
