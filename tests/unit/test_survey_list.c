/* SPDX-License-Identifier: ISC */
/* test_survey_list.c -- face/survey_list: lists, URLs, files of certificates. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "face/survey.h"
#include "pki_fixture.h"
#include "scratch.h"

static struct scratch scratch;
static struct pki pki;
static const struct options options;

static int
begin(void **state)
{
	(void)state;
	scratch_make(&scratch);
	pki = pki_make(PKI_EC);
	return chdir(scratch.dir);
}

static int
end(void **state)
{
	(void)state;
	pki_done(&pki);
	scratch_remove(&scratch);
	return chdir("/");
}

/* --- lists as text --- */

static const struct row {
	const char *name;
	struct span text;
	const char *want; /* items with their line, a U for URLs; or */
	const char *told; /* the error, with the line */
} rows[] = {
    {"empty", PKI_BYTES(""), "", NULL},
    {"comments and blank lines", PKI_BYTES("# one\n\n  \t\n  # two\n"), "",
	NULL},
    {"one", PKI_BYTES("http://a.test/\n"), "1U http://a.test/;", NULL},
    {"no newline at the end", PKI_BYTES("http://a.test/"), "1U http://a.test/;",
	NULL},
    {"blanks around, and CRLF",
	PKI_BYTES("\t http://a.test/ \t\r\n/b c.pem\r\n"),
	"1U http://a.test/;2 /b c.pem;", NULL},
    {"a # within a line is the path's", PKI_BYTES("a#b\n"), "1 a#b;", NULL},
    {"https, a port, an address",
	PKI_BYTES("https://a.test:8443/x\n"
		  "http://[2001:db8::1]/\n"),
	"1U https://a.test:8443/x;2U http://[2001:db8::1]/;", NULL},
    {"another scheme", PKI_BYTES("\nldap://a.test/\n"), NULL,
	"list:2: 'ldap://a.test/' is no URL"},
    {"no host", PKI_BYTES("http://\n"), NULL, "list:1: "},
    {"a NUL", PKI_BYTES("a\0b\n"), NULL, "list:1: this is neither"},
    {"a NUL at the beginning", PKI_BYTES("\0"), NULL,
	"list:1: this is neither"},
    {"a control character", PKI_BYTES("x\n\033[2J\n"), NULL,
	"list:2: this is neither"},
    {"a tab within", PKI_BYTES("a\tb\n"), NULL, "list:1: this is neither"},
};

static void
test_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		struct survey_lines lines = {0};
		struct err err = {0};
		struct buf got;
		int rc = survey_lines_parse(
		    "list", row->text.at, row->text.len, &lines, &err);

		buf_init(&got, 4096);
		for (size_t k = 0; k < lines.count; k++)
			buf_printf(&got, "%zu%s %s;", lines.items[k].number,
			    lines.items[k].is_url ? "U" : "",
			    lines.items[k].text);
		if (row->want != NULL &&
		    (rc != 0 || strcmp(buf_text(&got), row->want) != 0))
			fail_msg(
			    "%s: '%s' %s", row->name, buf_text(&got), err.text);
		if (row->told != NULL &&
		    (rc != -1 || err.reason != REASON_USAGE ||
			strncmp(err.text, row->told, strlen(row->told)) != 0))
			fail_msg("%s: '%s'", row->name, err.text);
		buf_done(&got);
		survey_lines_done(&lines);
	}
}

/* I5: bounded in lines and in their length. */
static void
test_bounds(void **state)
{
	struct survey_lines lines = {0};
	struct err err = {0};
	struct buf text;

	(void)state;
	buf_init(&text, 1 << 20);
	for (int i = 0; i < SURVEY_RESPONDERS_MAX; i++)
		buf_puts(&text, "x\n");
	assert_int_equal(survey_lines_parse("list", (uint8_t *)text.text,
			     text.len, &lines, &err),
	    0);
	assert_int_equal(lines.count, SURVEY_RESPONDERS_MAX);
	survey_lines_done(&lines);
	buf_puts(&text, "x\n");
	assert_int_equal(survey_lines_parse("list", (uint8_t *)text.text,
			     text.len, &lines, &err),
	    -1);
	assert_non_null(strstr(err.text, "list:513: "));
	buf_done(&text);
	buf_init(&text, 1 << 20);
	for (int i = 0; i <= SURVEY_LINE_MAX; i++)
		buf_puts(&text, "x");
	err_clear(&err);
	assert_int_equal(survey_lines_parse("list", (uint8_t *)text.text,
			     text.len, &lines, &err),
	    -1);
	assert_non_null(strstr(err.text, "too long"));
	assert_int_equal(survey_lines_parse("list", (uint8_t *)text.text,
			     text.len - 1, &lines, &err),
	    0);
	survey_lines_done(&lines);
	buf_done(&text);
}

/* --- entries --- */

static void
write_pem(const char *path, const struct cert *const certs[], size_t count)
{
	struct buf text;

	buf_init(&text, 1 << 20);
	for (size_t i = 0; i < count; i++) {
		char *pem = cert_pem(certs[i]);

		buf_puts(&text, pem);
		free(pem);
	}
	assert_int_equal(
	    file_replace(path, text.text, text.len, 0644, NULL), 0);
	buf_done(&text);
}

/* The leaf names two responders, one of them by ldap, which is not asked; its
 * issuer too is in the file. */
static void
test_chain(void **state)
{
	const struct cert *const chain[] = {pki.leaf.cert, pki.issuer.cert};
	struct survey_list list = {0};
	struct err err = {0};

	(void)state;
	write_pem("chain.pem", chain, 2);
	assert_int_equal(
	    survey_list_add(&list, &options, "chain.pem", &err), 0);
	assert_int_equal(list.count, 1);
	for (size_t i = 0; i < list.count; i++) {
		const struct survey_entry *entry = &list.entries[i];

		assert_string_equal(entry->url, pki.leaf.cert->ocsp_urls[i]);
		assert_string_equal(entry->certificate, "chain.pem");
		assert_string_equal(
		    entry->leaf->fingerprint, pki.leaf.cert->fingerprint);
		assert_string_equal(
		    entry->issuer->fingerprint, pki.issuer.cert->fingerprint);
		assert_true(entry->is_given);
		assert_non_null(entry->ca);
	}
	/* the same again, as a URL and with a slash: nothing new */
	assert_int_equal(
	    survey_list_add(&list, &options, "chain.pem", &err), 0);
	assert_int_equal(
	    survey_list_add(&list, &options, pki.leaf.cert->ocsp_urls[0], &err),
	    0);
	assert_int_equal(list.count, 1);
	survey_list_done(&list);
}

/* Without the issuer the way can be tested all the same. */
static void
test_leaf_alone(void **state)
{
	const struct cert *const leaf[] = {pki.leaf.cert};
	struct survey_list list = {0};
	struct err err = {0};

	(void)state;
	write_pem("leaf.pem", leaf, 1);
	assert_int_equal(survey_list_add(&list, &options, "leaf.pem", &err), 0);
	assert_true(list.count > 0);
	assert_null(list.entries[0].leaf);
	assert_null(list.entries[0].issuer);
	assert_int_equal(err.reason, REASON_NONE);
	survey_list_done(&list);
}

/* Several servers' certificates in one file: all of them. */
static void
test_bundle(void **state)
{
	struct pki_party other = pki_party(&(struct pki_spec){.cn = "other",
	    .issuer = &pki.issuer,
	    .ext = {{"authorityInfoAccess",
		"OCSP;URI:http://other.test/,OCSP;URI:ldap://other.test/"}}});
	struct pki_party none =
	    pki_party(&(struct pki_spec){.cn = "none", .issuer = &pki.issuer});
	const struct cert *const bundle[] = {
	    pki.issuer.cert, other.cert, none.cert};
	struct survey_list list = {0};
	struct err err = {0};

	(void)state;
	write_pem("bundle.pem", bundle, 3);
	assert_int_equal(
	    survey_list_add(&list, &options, "bundle.pem", &err), 0);
	assert_int_equal(list.count, 2);
	assert_string_equal(list.entries[0].url, "http://other.test/");
	assert_non_null(list.entries[0].leaf);
	assert_null(list.entries[1].url); /* it names no responder */
	assert_string_equal(list.entries[1].certificate, "bundle.pem");
	survey_list_done(&list);
	pki_party_done(&other);
	pki_party_done(&none);
}

static void
test_list_file(void **state)
{
	const struct cert *const chain[] = {pki.leaf.cert, pki.issuer.cert};
	struct survey_list list = {0};
	struct err err = {0};

	(void)state;
	write_pem("chain.pem", chain, 2);
	scratch_write("list", "# ours\nchain.pem\nhttp://known.test\n");
	assert_int_equal(survey_list_add(&list, &options, "list", &err), 0);
	assert_int_equal(list.count, 2);
	survey_list_done(&list);
	/* a list of lists is none */
	scratch_write("nested", "\nlist\n");
	assert_int_equal(survey_list_add(&list, &options, "nested", &err), -1);
	assert_int_equal(err.reason, REASON_CERTIFICATE_UNREADABLE);
	assert_non_null(strstr(err.text, "nested:2: "));
	survey_list_done(&list);
}

/* What is known of a URL is said, also where the table was not asked for. */
static void
test_table(void **state)
{
	struct survey_list list = {0};
	struct err err = {0};
	size_t before;

	(void)state;
	assert_int_equal(
	    survey_list_add(&list, &options, "http://ocsp.digicert.com/", &err),
	    0);
	assert_string_equal(list.entries[0].ca, "DigiCert");
	assert_non_null(list.entries[0].fact);
	assert_int_equal(
	    survey_list_add(&list, &options, "http://unknown.test/", &err), 0);
	assert_null(list.entries[1].ca);
	before = list.count;
	assert_int_equal(survey_list_add_table(&list, &err), 0);
	assert_int_equal(list.count, before + responder_fact_count - 1);
	assert_true(list.entries[0].is_given);
	assert_false(list.entries[before].is_given);
	survey_list_done(&list);
}

static void
test_refusals(void **state)
{
	static const struct {
		const char *argument, *told;
		enum reason reason;
	} cases[] = {
	    {"ocsp.test", "http://HOST/", REASON_FILE},
	    {"ldap://ocsp.test/", "no URL of a responder", REASON_USAGE},
	    {"http://", "no URL of a responder", REASON_USAGE},
	    {".", "cannot read", REASON_FILE},
	    {"nothing", "names nothing", REASON_USAGE},
	    {"key.pem", "key.pem", REASON_CERTIFICATE_UNREADABLE},
	};

	(void)state;
	scratch_write("nothing", "# nothing\n");
	scratch_write("key.pem", "-----BEGIN PRIVATE KEY-----\nAAAA\n"
				 "-----END PRIVATE KEY-----\n");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct survey_list list = {0};
		struct err err = {0};

		if (survey_list_add(&list, &options, cases[i].argument, &err) !=
			-1 ||
		    err.reason != cases[i].reason ||
		    strstr(err.text, cases[i].told) == NULL)
			fail_msg("%s: %s (%s)", cases[i].argument, err.text,
			    reason_name(err.reason));
		survey_list_done(&list);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_lines),
	    cmocka_unit_test(test_bounds),
	    cmocka_unit_test(test_chain),
	    cmocka_unit_test(test_leaf_alone),
	    cmocka_unit_test(test_bundle),
	    cmocka_unit_test(test_list_file),
	    cmocka_unit_test(test_table),
	    cmocka_unit_test(test_refusals),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
