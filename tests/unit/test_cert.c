/* SPDX-License-Identifier: ISC */
/* test_cert.c -- pki/cert and pki/cert_list: files of every kind that people
 * give, leaf and issuer in them, and the facts of a certificate. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509v3.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "pki/cert.h"
#include "pki/cert_text.h"
#include "pki_fixture.h"

static struct pki pki;
static struct pki_party stranger, namesake;
static char *leaf, *issuer, *root; /* PEM */

static int
make_pki(void **state)
{
	struct pki_ext ca = {"basicConstraints", "critical,CA:TRUE"};

	(void)state;
	pki = pki_make(PKI_EC);
	stranger = pki_party(&(struct pki_spec){.cn = "stranger", .ext = {ca}});
	namesake = pki_party(&(struct pki_spec){.cn = "issuer", .ext = {ca}});
	leaf = cert_pem(pki.leaf.cert);
	issuer = cert_pem(pki.issuer.cert);
	root = cert_pem(pki.root.cert);
	return 0;
}

static int
free_pki(void **state)
{
	(void)state;
	free(leaf);
	free(issuer);
	free(root);
	pki_party_done(&stranger);
	pki_party_done(&namesake);
	pki_done(&pki);
	return 0;
}

static int
parse(struct cert_list *list, const void *bytes, size_t len, struct err *err)
{
	uint8_t *exact = mem_copy(bytes, len);
	int rc;

	memset(list, 0, sizeof(*list));
	rc = cert_list_parse(list, "file.pem", exact, len, err);
	free(exact);
	return rc;
}

static int
parse_text(struct cert_list *list, const char *text, struct err *err)
{
	return parse(list, text, strlen(text), err);
}

static bool
same(const struct cert *a, const struct cert *b)
{
	return a != NULL && strcmp(a->fingerprint, b->fingerprint) == 0;
}

/* A private key that is none: whoever tried to read it would fail. */
#define KEY                                                                \
	"-----BEGIN PRIVATE KEY-----\nthis is no base64 and no key: !!!\n" \
	"-----END PRIVATE KEY-----\n"
#define ENCRYPTED                                                    \
	"-----BEGIN CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\n"      \
	"DEK-Info: AES-256-CBC,00112233445566778899AABBCCDDEEFF\n\n" \
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"             \
	"-----END CERTIFICATE-----\n"

static void
test_files_that_hold_certificates(void **state)
{
	const struct {
		const char *name, *parts[5];
		size_t count;
	} rows[] = {
	    {"a leaf", {leaf}, 1},
	    {"a chain", {leaf, issuer, root}, 3},
	    {"wrong order", {root, issuer, leaf}, 3},
	    {"the issuer first", {issuer, leaf}, 2},
	    {"I4 a key before", {KEY, leaf, issuer}, 2},
	    {"I4 a key between", {leaf, KEY, issuer}, 2},
	    {"I4 a key behind", {leaf, issuer, KEY}, 2},
	    {"text around it", {"subject=leaf\n\n", leaf, "\nbye\n"}, 1},
	    {"parameters of EC before",
		{"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n"
		 "-----END EC PARAMETERS-----\n",
		    leaf},
		1},
	    {"twice the same", {leaf, leaf, issuer}, 3},
	    {"one that is commented out",
		{"# -----BEGIN CERTIFICATE-----\n# MIIB\n"
		 "# -----END CERTIFICATE-----\n",
		    leaf, issuer},
		2},
	    {"the same behind", {leaf, " #-----BEGIN CERTIFICATE-----\n#x\n"},
		1},
	    {"a comment that names one",
		{leaf, "# between -----BEGIN CERTIFICATE----- and the end\n",
		    issuer},
		2},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct cert_list list;
		struct err err = {0};
		struct buf text;

		buf_init(&text, 1 << 20);
		for (size_t p = 0; p < 5 && rows[i].parts[p] != NULL; p++)
			buf_puts(&text, rows[i].parts[p]);
		if (parse(&list, text.text, text.len, &err) != 0)
			fail_msg("%s: %s", rows[i].name, err.text);
		if (list.count != rows[i].count)
			fail_msg("%s: %zu", rows[i].name, list.count);
		if (!same(cert_list_leaf(&list), pki.leaf.cert))
			fail_msg("%s: another leaf", rows[i].name);
		cert_list_done(&list);
		buf_done(&text);
	}
}

static void
test_dos_lines_and_old_labels(void **state)
{
	static const char *const labels[] = {
	    "CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct cert_list list;
		struct err err = {0};
		struct buf text;
		const char *body = strchr(leaf, '\n');

		buf_init(&text, 1 << 16);
		buf_printf(&text, "-----BEGIN %s-----", labels[i]);
		for (const char *c = body; strncmp(c, "\n-----", 6) != 0; c++)
			buf_printf(&text, *c == '\n' ? "\r%c" : "%c", *c);
		buf_printf(&text, "\r\n-----END %s-----\r\n", labels[i]);
		if (parse(&list, text.text, text.len, &err) != 0)
			fail_msg("%s: %s", labels[i], err.text);
		assert_true(same(cert_list_leaf(&list), pki.leaf.cert));
		cert_list_done(&list);
		buf_done(&text);
	}
}

static void
expect_unreadable(
    const char *name, const void *bytes, size_t len, const char *says)
{
	struct cert_list list;
	struct err err = {0};

	if (parse(&list, bytes, len, &err) != -1)
		fail_msg("%s: taken", name);
	if (err.reason != REASON_CERTIFICATE_UNREADABLE ||
	    strstr(err.text, "'file.pem'") == NULL ||
	    strstr(err.text, says) == NULL)
		fail_msg("%s: %s", name, err.text);
	cert_list_done(&list);
}

static void
test_files_without_a_certificate(void **state)
{
	const struct {
		const char *name, *text, *says;
	} rows[] = {
	    {"empty", "", "is empty"},
	    {"text", "hello\n", "neither a PEM nor a DER"},
	    {"I4 only a key", KEY, "oclasp needs no key"},
	    {"I4 only an old key",
		"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"
		"-----END RSA PRIVATE KEY-----\n",
		"oclasp needs no key"},
	    {"a request",
		"-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n"
		"-----END CERTIFICATE REQUEST-----\n",
		"certificate request"},
	    {"a request of Windows",
		"-----BEGIN NEW CERTIFICATE REQUEST-----\nMAA=\n"
		"-----END NEW CERTIFICATE REQUEST-----\n",
		"certificate request"},
	    {"PKCS#7", "-----BEGIN PKCS7-----\nMAA=\n-----END PKCS7-----\n",
		"openssl pkcs7 -print_certs"},
	    {"a CRL",
		"-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n",
		"without a CERTIFICATE block"},
	    {"cut within the label", "-----BEGIN CERTIFIC", "without"},
	    {"begin alone", "-----BEGIN CERTIFICATE-----\n",
		"certificate 1 in 'file.pem' is damaged"},
	    {"an empty block",
		"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
		"certificate 1"},
	    {"another end",
		"-----BEGIN CERTIFICATE-----\nMAA=\n-----END KEY-----\n",
		"certificate 1"},
	    {"no certificate within",
		"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n",
		"certificate 1"},
	    {"encrypted: nobody is asked for a passphrase", ENCRYPTED,
		"certificate 1"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		expect_unreadable(rows[i].name, rows[i].text,
		    strlen(rows[i].text), rows[i].says);
}

static void
test_damaged_second_block(void **state)
{
	char *text = mem_printf("%s%s", leaf, issuer);
	char *second = strstr(text + 30, "-----BEGIN");
	struct cert_list list;
	struct err err = {0};

	(void)state;
	second[100] = '!';
	assert_int_equal(-1, parse_text(&list, text, &err));
	assert_non_null(strstr(err.text, "certificate 2 in 'file.pem'"));
	cert_list_done(&list);
	free(text);
}

static void
test_der_and_binary(void **state)
{
	uint8_t *der = NULL, *more;
	size_t len = 0;
	struct cert_list list;
	struct err err = {0};
	unsigned char *p12_der = NULL;
	PKCS12 *p12 = PKCS12_create(
	    "", "x", pki.leaf.key, pki.leaf.cert->x509, NULL, 0, 0, 0, 0, 0);
	int p12_len = i2d_PKCS12(p12, &p12_der);
	char *nul = mem_printf("%s%s", leaf, "x");
	size_t nul_len = strlen(nul);

	(void)state;
	cert_der(pki.leaf.cert, &der, &len);
	if (parse(&list, der, len, &err) != 0)
		fail_msg("%s", err.text);
	assert_true(same(cert_list_leaf(&list), pki.leaf.cert));
	cert_list_done(&list);
	for (size_t cut = 1; cut < len; cut += 7)
		expect_unreadable("cut DER", der, cut, "neither");
	more = mem_new(len + 1);
	memcpy(more, der, len);
	more[len] = '\n';
	expect_unreadable("DER and a newline", more, len + 1, "1 bytes behind");
	expect_unreadable("PKCS#12", p12_der, (size_t)p12_len, "-nokeys");
	expect_unreadable("zeros", "\0\0\0\0\0\0", 6, "neither");
	expect_unreadable("random", "\x30\x82\xff\xff\x9f\x12", 6, "neither");
	nul[nul_len - 1] = '\0';
	expect_unreadable("PEM and NUL", nul, nul_len, "mixes PEM with binary");
	free(nul);
	free(more);
	free(der);
	OPENSSL_free(p12_der);
	PKCS12_free(p12);
}

static void
test_too_many(void **state)
{
	struct cert_list list = {0};
	struct err err = {0};
	struct buf text;

	(void)state;
	buf_init(&text, CERT_FILE_MAX);
	for (int i = 0; i < CERT_LIST_MAX + 1 && !text.full; i++)
		buf_puts(&text, leaf);
	assert_false(text.full);
	assert_int_equal(-1, parse(&list, text.text, text.len, &err));
	assert_int_equal(CERT_LIST_MAX, list.count);
	assert_non_null(strstr(err.text, "more than 4096"));
	cert_list_done(&list);
	buf_done(&text);
}

static void
test_load(void **state)
{
	struct cert_list list = {0};
	struct err err = {0};

	(void)state;
	assert_int_equal(-1, cert_list_load(&list, "/no/such/file", &err));
	assert_int_equal(REASON_CERTIFICATE_UNREADABLE, err.reason);
	assert_non_null(strstr(err.text, "'/no/such/file'"));
	assert_null(cert_list_leaf(&list));
	cert_list_done(&list);
}

static void
test_leaf_of_certificates_of_cas(void **state)
{
	struct cert_list list = {0};
	struct err err = {0};
	char *text = mem_printf("%s%s%s", root, issuer, root);

	(void)state;
	assert_int_equal(0, parse_text(&list, text, &err));
	assert_true(same(cert_list_leaf(&list), pki.issuer.cert));
	cert_list_done(&list);
	free(text);
	text = mem_printf("%s%s", root, root);
	assert_int_equal(0, parse_text(&list, text, &err));
	assert_true(same(cert_list_leaf(&list), pki.root.cert));
	cert_list_done(&list);
	free(text);
}

/* By signature, not by name. */
static void
test_find_issuer(void **state)
{
	struct cert *all[] = {namesake.cert, stranger.cert, pki.leaf.cert,
	    pki.root.cert, pki.issuer.cert};
	struct cert_list first = {all, 4}, second = {all + 4, 1};
	struct cert_list strangers = {all + 1, 1}, own = {all + 2, 1};
	const struct cert_list *const both[] = {&first, &second, NULL};
	const struct cert_list *const wrong[] = {&first, NULL};
	const struct cert_list *const other[] = {&strangers, NULL};
	const struct cert_list *const alone[] = {&own, NULL};
	const struct cert_list *const none[] = {NULL};
	struct err err = {0};

	(void)state;
	assert_ptr_equal(
	    pki.issuer.cert, cert_find_issuer(pki.leaf.cert, both, &err));
	assert_int_equal(REASON_NONE, err.reason);
	assert_ptr_equal(
	    pki.root.cert, cert_find_issuer(pki.issuer.cert, both, &err));
	assert_ptr_equal(
	    pki.root.cert, cert_find_issuer(pki.root.cert, both, &err));

	assert_null(cert_find_issuer(pki.leaf.cert, wrong, &err));
	assert_int_equal(REASON_ISSUER_MISMATCH, err.reason);
	assert_non_null(strstr(err.text, "key did not sign 'leaf.test'"));
	assert_non_null(strstr(err.text, "http://ca.test/issuer.der"));
	err_clear(&err);
	assert_null(cert_find_issuer(pki.leaf.cert, other, &err));
	assert_int_equal(REASON_ISSUER_MISMATCH, err.reason);
	assert_non_null(strstr(err.text, "http://ca.test/issuer.der"));
	err_clear(&err);
	assert_null(cert_find_issuer(pki.leaf.cert, alone, &err));
	assert_int_equal(REASON_ISSUER_MISSING, err.reason);
	assert_non_null(strstr(err.text, "CN=issuer"));
	assert_non_null(strstr(err.text, "http://ca.test/issuer.der"));
	err_clear(&err);
	/* the delegate names no caIssuers: then no URL is made up */
	assert_null(cert_find_issuer(pki.delegate.cert, none, &err));
	assert_int_equal(REASON_ISSUER_MISSING, err.reason);
	assert_null(strstr(err.text, "get it at"));
	assert_false(cert_signed_by(pki.leaf.cert, namesake.cert));
	assert_false(cert_signed_by(pki.leaf.cert, pki.root.cert));
	assert_true(cert_signed_by(pki.leaf.cert, pki.issuer.cert));
}

static void
test_facts(void **state)
{
	const struct cert *c = pki.leaf.cert;
	uint8_t *der = NULL;
	size_t len = 0;
	struct cert *again;

	(void)state;
	assert_string_equal("CN=leaf", c->subject);
	assert_string_equal("CN=issuer", c->issuer);
	assert_int_equal(4, c->name_count);
	assert_string_equal("leaf.test", c->names[0]);
	assert_string_equal("192.0.2.1", c->names[2]);
	assert_string_equal("2001:db8::1", c->names[3]);
	assert_string_equal("leaf.test", cert_name(c));
	assert_string_equal("CN=issuer", cert_name(pki.issuer.cert));
	assert_int_equal(PKI_NOW - 30 * CLOCK_DAY, c->not_before);
	assert_int_equal(PKI_NOW + 30 * CLOCK_DAY, c->not_after);
	assert_int_equal(2, c->ocsp_url_count);
	assert_string_equal("http://ocsp.test/a", c->ocsp_urls[0]);
	assert_string_equal("ldap://ocsp.test/b", c->ocsp_urls[1]);
	assert_string_equal("http://ca.test/issuer.der", c->ca_issuers);
	assert_false(c->must_staple);
	assert_false(c->is_ca);
	assert_true(pki.issuer.cert->is_ca);
	assert_int_equal(32, strlen(c->serial));
	assert_int_equal(64, strlen(c->fingerprint));
	cert_der(c, &der, &len);
	again = cert_from_der(der, len, NULL);
	assert_true(same(again, c));
	cert_free(again);
	assert_null(cert_from_der(der, len - 1, NULL));
	free(der);
	cert_free(NULL);
}

/* D1, and the edges that CAs and enemies think of. */
static void
test_extensions(void **state)
{
	static const struct {
		const char *name;
		struct pki_ext ext;
		bool must_staple;
		size_t names, urls;
	} rows[] = {
	    {"D1 status_request", {"tlsfeature", "status_request"}, true, 0, 0},
	    {"D1 both", {"tlsfeature", "status_request,status_request_v2"},
		true, 0, 0},
	    {"D1 another order", {"1.3.6.1.5.5.7.1.24", "DER:3006020111020105"},
		true, 0, 0},
	    {"D1 status_request_v2 alone", {"tlsfeature", "status_request_v2"},
		false, 0, 0},
	    {"D1 empty", {"1.3.6.1.5.5.7.1.24", "DER:3000"}, false, 0, 0},
	    {"D1 another number", {"1.3.6.1.5.5.7.1.24", "DER:3003020106"},
		false, 0, 0},
	    {"D1 a huge number",
		{"1.3.6.1.5.5.7.1.24", "DER:300b02090500000000000000ff"}, false,
		0, 0},
	    {"D1 damaged", {"1.3.6.1.5.5.7.1.24", "DER:3003020500"}, false, 0,
		0},
	    /* a.test NUL .evil */
	    {"a name with NUL",
		{"subjectAltName", "DER:300d820b612e7465737400"
				   "2e6576"},
		false, 0, 0},
	    {"a name with a blank", {"2.5.29.17", "DER:30058203612062"}, false,
		0, 0},
	    {"an empty name", {"2.5.29.17", "DER:30028200"}, false, 0, 0},
	    {"an address of 5 octets", {"2.5.29.17", "DER:300787050102030405"},
		false, 0, 0},
	    {"only an e-mail address", {"subjectAltName", "email:a@b.test"},
		false, 0, 0},
	    {"damaged names", {"2.5.29.17", "DER:3005820361"}, false, 0, 0},
	    {"OCSP by another kind of name",
		{"authorityInfoAccess", "OCSP;DNS:ocsp.test"}, false, 0, 0},
	    {"twelve URLs, ten taken",
		{"authorityInfoAccess",
		    "OCSP;URI:a:1,OCSP;URI:a:2,OCSP;URI:a:3,OCSP;URI:a:4,"
		    "OCSP;URI:a:5,OCSP;URI:a:6,OCSP;URI:a:7,OCSP;URI:a:8,"
		    "OCSP;URI:a:9,OCSP;URI:a:10,OCSP;URI:a:11,OCSP;URI:a:12"},
		false, 0, 10},
	    /* accessLocation [6] "a\nb" */
	    {"a URL with a newline",
		{"1.3.6.1.5.5.7.1.1",
		    "DER:3011300f06082b060105050730018603610a62"},
		false, 0, 1},
	    {"an empty URL",
		{"1.3.6.1.5.5.7.1.1", "DER:300e300c06082b0601050507300186"
				      "00"},
		false, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct pki_party p = pki_party(&(struct pki_spec){
		    .cn = "odd", .issuer = &pki.issuer, .ext = {rows[i].ext}});

		if (p.cert->must_staple != rows[i].must_staple ||
		    p.cert->name_count != rows[i].names ||
		    p.cert->ocsp_url_count != rows[i].urls)
			fail_msg("%s: %d, %zu names, %zu URLs", rows[i].name,
			    p.cert->must_staple, p.cert->name_count,
			    p.cert->ocsp_url_count);
		assert_null(p.cert->ca_issuers);
		pki_party_done(&p);
	}
}

/* A URL is told, whatever it is like: a certificate that has one does not name
 * none. */
static void
test_odd_urls(void **state)
{
	char text[9000] = "OCSP;URI:http://ocsp.test/";
	struct pki_ext ext = {
	    "1.3.6.1.5.5.7.1.1", "DER:3011300f06082b060105050730018603610a62"};
	struct pki_spec spec = {.cn = "odd", .issuer = &pki.issuer};
	struct pki_party p;

	(void)state;
	spec.ext[0] = ext;
	p = pki_party(&spec);
	assert_string_equal("a%0Ab", p.cert->ocsp_urls[0]);
	pki_party_done(&p);
	ext = (struct pki_ext){"authorityInfoAccess", text};
	memset(text + strlen(text), 'x', 3000);
	spec.ext[0] = ext;
	p = pki_party(&spec);
	assert_string_equal(text + 9, p.cert->ocsp_urls[0]);
	pki_party_done(&p);
	memset(text + strlen(text), 'x', sizeof(text) - 1 - strlen(text));
	p = pki_party(&spec);
	assert_int_equal(CERT_TEXT_URL_MAX, strlen(p.cert->ocsp_urls[0]));
	pki_party_done(&p);
}

static void
test_serials(void **state)
{
	static char huge[401];
	static const struct {
		const char *serial, *text;
	} rows[] = {
	    {"0", "0"},
	    {"1", "01"},
	    {"0FF", "ff"},
	    {"ABCDEF", "abcdef"},
	    {"-1", "-01"},
	    {"-80", "-80"},
	    {huge, huge},
	};

	(void)state;
	memset(huge, 'a', sizeof(huge) - 1); /* 200 octets */
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct pki_party p = pki_party(&(struct pki_spec){.cn = "odd",
		    .issuer = &pki.issuer,
		    .serial = rows[i].serial});

		assert_string_equal(rows[i].text, p.cert->serial);
		pki_party_done(&p);
	}
}

/* What is shown of a name is UTF-8 and moves no terminal. */
static void
test_subjects(void **state)
{
	static const struct {
		const char *raw, *shown; /* NULL: refused as a whole */
	} rows[] = {
	    {"b\303\274cher", "CN=b\303\274cher"},
	    {"b\374cher", NULL},
	    {"a\302\233"
	     "31mb",
		"CN=a??31mb"},
	    {"a\nb", "CN=a\\0Ab"},
	    {"a\033[31m", "CN=a\\1B[31m"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		X509 *x509 = X509_dup(pki.leaf.cert->x509);
		X509_NAME *name = X509_NAME_new();
		struct cert *cert;

		assert_int_equal(
		    1, X509_NAME_add_entry_by_NID(name, NID_commonName,
			   V_ASN1_UTF8STRING,
			   (const unsigned char *)rows[i].raw, -1, -1, 0));
		if (X509_set_subject_name(x509, name) != 1) {
			assert_null(rows[i].shown);
			X509_free(x509);
			X509_NAME_free(name);
			continue;
		}
		cert = cert_take_x509(x509, NULL);
		assert_non_null(cert);
		assert_string_equal(rows[i].shown, cert->subject);
		cert_free(cert);
		X509_NAME_free(name);
	}
}

/* A key of a kind that nobody knows, and a time that is no date. */
static void
test_odd_certificates(void **state)
{
	uint8_t *der = NULL, *at;
	size_t len = 0;
	struct cert *cert;
	struct err err = {0};

	(void)state;
	cert_der(pki.leaf.cert, &der, &len);
	/* id-ecPublicKey becomes another arc */
	at = memmem(der, len, "\x2a\x86\x48\xce\x3d\x02\x01", 7);
	assert_non_null(at);
	at[6] = 0x7f;
	cert = cert_from_der(der, len, &err);
	assert_non_null(cert);
	assert_null(X509_get0_pubkey(cert->x509));
	assert_false(cert_signed_by(pki.leaf.cert, cert));
	assert_false(cert_signed_by(cert, cert));
	cert_free(cert);
	at[6] = 0x01;
	at = memmem(der, len, "\x17\x0d", 2); /* notBefore, UTCTime */
	assert_non_null(at);
	memcpy(at + 2, "269999", 6);
	assert_null(cert_from_der(der, len, &err));
	assert_int_equal(REASON_CERTIFICATE_UNREADABLE, err.reason);
	free(der);
}

static void
test_names_host(void **state)
{
	static const struct {
		const char *host;
		bool named;
	} rows[] = {
	    {"leaf.test", true},
	    {"LEAF.Test", true},
	    {"a.wild.test", true},
	    {"A.WILD.TEST", true},
	    {"192.0.2.1", true},
	    {"2001:db8::1", true},
	    {"test", false},
	    {"xleaf.test", false},
	    {"leaf.testx", false},
	    {"a.leaf.test", false},
	    {"wild.test", false},
	    {"a.b.wild.test", false},
	    {".wild.test", false},
	    {"*.wild.test", true}, /* the name itself */
	    {"", false},
	    {".", false},
	    {"192.0.2.2", false},
	};
	struct pki_party odd = pki_party(&(struct pki_spec){.cn = "odd",
	    .issuer = &pki.issuer,
	    .ext = {{"subjectAltName", "DNS:*.0.2.1"}}});

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (cert_names_host(pki.leaf.cert, rows[i].host) !=
		    rows[i].named)
			fail_msg("'%s'", rows[i].host);
	}
	assert_false(cert_names_host(pki.issuer.cert, "issuer"));
	/* RFC 6125, section 6.4.3: labels of names, not octets of addresses */
	assert_false(cert_names_host(odd.cert, "192.0.2.1"));
	pki_party_done(&odd);
}

static void
expect_same_texts(
    char *const *a, size_t a_count, char *const *b, size_t b_count)
{
	assert_int_equal(a_count, b_count);
	for (size_t i = 0; i < a_count; i++)
		assert_string_equal(a[i], b[i]);
}

/* All facts, and none of what they were read from. */
static void
expect_compact(struct cert *cert)
{
	struct cert *compact = cert_compact(cert);

	assert_null(compact->x509);
	assert_null(compact->ca_issuers);
	assert_string_equal(compact->subject, cert->subject);
	assert_string_equal(compact->issuer, cert->issuer);
	assert_string_equal(compact->serial, cert->serial);
	assert_string_equal(compact->fingerprint, cert->fingerprint);
	expect_same_texts(
	    compact->names, compact->name_count, cert->names, cert->name_count);
	expect_same_texts(compact->ocsp_urls, compact->ocsp_url_count,
	    cert->ocsp_urls, cert->ocsp_url_count);
	assert_true(compact->not_before == cert->not_before &&
		    compact->not_after == cert->not_after);
	assert_true(compact->must_staple == cert->must_staple &&
		    compact->is_ca == cert->is_ca);
	assert_true(span_equal(compact->issuer_der, cert->issuer_der));
	assert_true(span_equal(compact->serial_der, cert->serial_der));
	assert_string_equal(cert_name(compact), cert_name(cert));
	cert_free(compact);
}

static void
test_compact(void **state)
{
	struct pki_party many = pki_party(&(struct pki_spec){.cn = "many",
	    .issuer = &pki.issuer,
	    .serial = "00ff0102030405060708090a0b0c0d0e0f10",
	    .ext = {{"subjectAltName", "DNS:a.test,DNS:b.test,IP:192.0.2.1"},
		{"tlsfeature", "status_request"}}});

	(void)state;
	assert_true(pki.leaf.cert->serial_der.len > 0);
	assert_true(pki.leaf.cert->issuer_der.len > 0);
	expect_compact(pki.leaf.cert);
	expect_compact(pki.root.cert);
	expect_compact(many.cert);
	pki_party_done(&many);
}

/* NETWORK-TRUTH 4.1, L: RFC 5280, section 4.2.1.13. */
static void
test_crl(void **state)
{
	static const struct {
		const char *name;
		struct pki_ext ext;
		const char *url; /* NULL: none */
	} rows[] = {
	    {"none", {NULL, NULL}, NULL},
	    {"one", {"crlDistributionPoints", "URI:http://crl.test/ca.crl"},
		"http://crl.test/ca.crl"},
	    {"the first of two",
		{"crlDistributionPoints",
		    "URI:http://crl.test/1,URI:http://crl.test/2"},
		"http://crl.test/1"},
	    {"a name before it",
		{"crlDistributionPoints",
		    "DNS:crl.test,URI:ldap://crl.test/ca"},
		"ldap://crl.test/ca"},
	    {"no URL", {"crlDistributionPoints", "DNS:crl.test"}, NULL},
	    {"no points", {"crlDistributionPoints", "DER:3000"}, NULL},
	    {"a point without a name",
		{"crlDistributionPoints", "DER:30023000"}, NULL},
	    {"no sequence", {"crlDistributionPoints", "DER:0500"}, NULL},
	    {"half of one", {"crlDistributionPoints", "DER:3010300e"}, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct pki_party p = pki_party(&(struct pki_spec){
		    .cn = "crl", .issuer = &pki.issuer, .ext = {rows[i].ext}});
		char *url = cert_crl_url(p.cert);
		struct cert *compact = cert_compact(p.cert);

		if ((url == NULL) != (rows[i].url == NULL) ||
		    (url != NULL && strcmp(url, rows[i].url) != 0))
			fail_msg(
			    "%s: %s", rows[i].name, url == NULL ? "none" : url);
		assert_null(cert_crl_url(compact));
		free(url);
		cert_free(compact);
		pki_party_done(&p);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_files_that_hold_certificates),
	    cmocka_unit_test(test_dos_lines_and_old_labels),
	    cmocka_unit_test(test_files_without_a_certificate),
	    cmocka_unit_test(test_damaged_second_block),
	    cmocka_unit_test(test_der_and_binary),
	    cmocka_unit_test(test_too_many),
	    cmocka_unit_test(test_load),
	    cmocka_unit_test(test_leaf_of_certificates_of_cas),
	    cmocka_unit_test(test_find_issuer),
	    cmocka_unit_test(test_facts),
	    cmocka_unit_test(test_extensions),
	    cmocka_unit_test(test_odd_urls),
	    cmocka_unit_test(test_serials),
	    cmocka_unit_test(test_subjects),
	    cmocka_unit_test(test_odd_certificates),
	    cmocka_unit_test(test_names_host),
	    cmocka_unit_test(test_crl),
	    cmocka_unit_test(test_compact),
	};

	return cmocka_run_group_tests(tests, make_pki, free_pki);
}
