/* SPDX-License-Identifier: ISC */
/* pki/cert_quick.c -- a server's certificate, read without an X509 of OpenSSL.
 *
 * Whatever is not quite as expected is a fault of the cursor, and so a matter
 * for pki/cert.c: nothing is refused here. */
#include "pki/cert_quick.h"

#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "pki/cert.h"
#include "pki/cert_text.h"
#include "pki/der.h"
#include "pki/digest.h"
#include "pki/signature.h"

enum {
	UTC_TIME = 0x17,
	PRINTABLE_STRING = 0x13,
	UTF8_STRING = 0x0c,
	SET = 0x31,
	EMAIL = DER_CONTEXT_PRIMITIVE | 1, /* of a GeneralName */
	DNS_NAME = DER_CONTEXT_PRIMITIVE | 2,
	URI = DER_CONTEXT_PRIMITIVE | 6,
	IP_ADDRESS = DER_CONTEXT_PRIMITIVE | 7,
	KEY_CERT_SIGN = 0x04, /* in keyUsage's first octet */
	STATUS_REQUEST = 5,   /* RFC 7633 */
	EXTENSIONS_MAX = 32,
	SERIAL_MAX = 127, /* content octets */
};

static const uint8_t common_name[] = {0x55, 4, 3};
static const uint8_t key_usage[] = {0x55, 0x1d, 15};
static const uint8_t alt_name[] = {0x55, 0x1d, 17};
static const uint8_t basic_constraints[] = {0x55, 0x1d, 19};
static const uint8_t info_access[] = {0x2b, 6, 1, 5, 5, 7, 1, 1};
static const uint8_t tls_feature[] = {0x2b, 6, 1, 5, 5, 7, 1, 24};
static const uint8_t ad_ocsp[] = {0x2b, 6, 1, 5, 5, 7, 0x30, 1};
static const uint8_t netscape[] = {0x60, 0x86, 0x48, 1, 0x86, 0xf8, 0x42, 1, 1};

static bool
is(struct span oid, const uint8_t *what, size_t len)
{
	return span_equal(oid, (struct span){what, len});
}

/* The next value, of whatever tag of one octet. */
static struct span
any(struct der *der, unsigned *tag)
{
	*tag = der_at_end(der) ? 0 : der->at[0];
	if ((*tag & 0x1f) == 0x1f)
		der_fail(der, "tag");
	return der_content(der, *tag, "value");
}

/* --- the extensions --- */

/* A GeneralName whose content is octets and no more.  Of the other kinds OpenSSL
 * looks into it, and where one is damaged it knows none of the whole list. */
static struct span
plain_name(struct der *der, unsigned *tag)
{
	struct span name = any(der, tag);

	if (*tag != EMAIL && *tag != DNS_NAME && *tag != URI &&
	    *tag != IP_ADDRESS)
		der_fail(der, "a name of another kind");
	return name;
}

static void
read_names(struct cert_quick *q, struct der value)
{
	struct der list = der_enter(&value, DER_SEQUENCE, "names");
	unsigned tag;

	der_end(&value, "names");
	while (!der_at_end(&list)) {
		struct span name = plain_name(&list, &tag);

		if (tag != DNS_NAME && tag != IP_ADDRESS)
			continue;
		if (q->name_count == CERT_QUICK_NAMES_MAX) {
			der_fail(&list, "many names");
			return;
		}
		q->is_address[q->name_count] = tag == IP_ADDRESS;
		q->names[q->name_count++] = name;
	}
}

static void
read_access(struct cert_quick *q, struct der value)
{
	struct der list = der_enter(&value, DER_SEQUENCE, "access");
	unsigned tag;

	der_end(&value, "access");
	while (!der_at_end(&list)) {
		struct der one = der_enter(&list, DER_SEQUENCE, "access");
		struct span method = der_oid(&one, "method");
		struct span where = plain_name(&one, &tag);

		der_end(&one, "access");
		if (tag != URI || !is(method, ad_ocsp, sizeof(ad_ocsp)))
			continue;
		if (q->url_count == CERT_QUICK_URLS_MAX) {
			der_fail(&list, "many URLs");
			return;
		}
		q->urls[q->url_count++] = where;
	}
}

static void
read_features(struct cert_quick *q, struct der value)
{
	struct der list = der_enter(&value, DER_SEQUENCE, "features");

	der_end(&value, "features");
	while (!der_at_end(&list)) {
		struct span one = der_integer(&list, "feature");

		if (one.len == 1 && one.at[0] == STATUS_REQUEST)
			q->must_staple = true;
	}
}

/* What may be a CA is read in full: who is one is a long story. */
static void
read_constraints(struct der value)
{
	struct der in = der_enter(&value, DER_SEQUENCE, "constraints");

	der_end(&value, "constraints");
	if (!der_at_end(&in))
		der_fail(&in, "a CA, or a length of its path");
}

static void
read_usage(struct der value)
{
	struct span bits = der_content(&value, DER_BIT_STRING, "usage");

	der_end(&value, "usage");
	if (bits.len < 2 || (bits.at[1] & KEY_CERT_SIGN) != 0)
		der_fail(&value, "a CA");
}

static void
read_extension(struct cert_quick *q, struct span oid, struct der value)
{
	if (is(oid, alt_name, sizeof(alt_name)))
		read_names(q, value);
	else if (is(oid, info_access, sizeof(info_access)))
		read_access(q, value);
	else if (is(oid, tls_feature, sizeof(tls_feature)))
		read_features(q, value);
	else if (is(oid, basic_constraints, sizeof(basic_constraints)))
		read_constraints(value);
	else if (is(oid, key_usage, sizeof(key_usage)))
		read_usage(value);
	else if (is(oid, netscape, sizeof(netscape)))
		der_fail(&value, "of old");
}

static void
read_extensions(struct cert_quick *q, struct der *tbs)
{
	struct der outer = der_enter(tbs, DER_CONTEXT | 3, "extensions");
	struct der list = der_enter(&outer, DER_SEQUENCE, "extensions");
	struct span seen[EXTENSIONS_MAX];
	size_t count = 0;

	der_end(&outer, "extensions");
	while (!der_at_end(&list)) {
		struct der in = der_enter(&list, DER_SEQUENCE, "extension");
		struct span oid = der_oid(&in, "identifier");
		struct span value;

		if (der_next_is(&in, DER_BOOLEAN))
			(void)der_boolean(&in, "critical");
		value = der_content(&in, DER_OCTET_STRING, "value");
		der_end(&in, "extension");
		for (size_t i = 0; i < count; i++) {
			if (span_equal(seen[i], oid))
				der_fail(&list, "given twice");
		}
		if (count == EXTENSIONS_MAX)
			der_fail(&list, "many extensions");
		if (!der_ok(&list))
			return;
		seen[count++] = oid;
		read_extension(q, oid, der_over(value, list.fault));
	}
}

/* --- the rest --- */

/* Until 2049 a UTCTime, "YYMMDDHHMMSSZ" (RFC 5280, section 4.1.2.5). */
static int64_t
read_time(struct der *der)
{
	uint8_t full[2 + 15] = {DER_GENERALIZED_TIME, 15};
	struct der whole;
	struct span utc;

	if (der_next_is(der, DER_GENERALIZED_TIME))
		return der_time(der, "time");
	utc = der_content(der, UTC_TIME, "time");
	if (der_ok(der) && utc.len != 13)
		der_fail(der, "time");
	if (!der_ok(der))
		return 0;
	memcpy(full + 2, utc.at[0] < '5' ? "20" : "19", 2);
	memcpy(full + 4, utc.at, 13);
	whole = der_over((struct span){full, sizeof(full)}, der->fault);
	return der_time(&whole, "time");
}

static void
read_tbs(struct cert_quick *q, struct der_fault *fault)
{
	struct der outer = der_over(q->tbs, fault);
	struct der tbs = der_enter(&outer, DER_SEQUENCE, "TBSCertificate");
	struct der version = der_enter(&tbs, DER_CONTEXT | 0, "version");
	struct der validity;

	if (der_small(&version, DER_INTEGER, "version") != 2)
		der_fail(&version, "another version than 3");
	der_end(&version, "version");
	q->serial = der_integer(&tbs, "serial");
	if (der_ok(&tbs) &&
	    (q->serial.len > SERIAL_MAX || q->serial.at[0] > 0x7f ||
		(q->serial.len == 1 && q->serial.at[0] == 0)))
		der_fail(&tbs, "serial");
	/* the same inside as outside, RFC 5280, section 4.1.1.2 */
	if (!span_equal(
		der_whole(&tbs, DER_SEQUENCE, "algorithm"), q->algorithm))
		der_fail(&tbs, "algorithm");
	q->issuer = der_whole(&tbs, DER_SEQUENCE, "issuer");
	validity = der_enter(&tbs, DER_SEQUENCE, "validity");
	q->not_before = read_time(&validity);
	q->not_after = read_time(&validity);
	der_end(&validity, "validity");
	q->subject = der_whole(&tbs, DER_SEQUENCE, "subject");
	(void)der_whole(&tbs, DER_SEQUENCE, "key");
	read_extensions(q, &tbs);
	der_end(&tbs, "TBSCertificate");
}

bool
cert_quick_parse(struct span der, struct cert_quick *out)
{
	struct der_fault fault = {0};
	struct der file = der_over(der, &fault);
	struct der outer = der_enter(&file, DER_SEQUENCE, "Certificate");
	uint8_t digest[DIGEST_LEN];
	char *hex;

	out->name_count = out->url_count = 0;
	out->must_staple = false;
	out->der = der;
	der_end(&file, "Certificate");
	out->tbs = der_whole(&outer, DER_SEQUENCE, "TBSCertificate");
	out->algorithm = der_whole(&outer, DER_SEQUENCE, "algorithm");
	out->signature = der_bits(&outer, "signature");
	der_end(&outer, "Certificate");
	if (der_ok(&outer))
		read_tbs(out, &fault);
	if (fault.why != NULL || fault.fractions)
		return false;
	digest_of(der, digest);
	hex = text_hex(digest, sizeof(digest));
	memcpy(out->fingerprint, hex, sizeof(out->fingerprint));
	free(hex);
	return true;
}

/* --- what is made of it --- */

/* What most have: a common name alone, of letters that nobody quotes. */
static char *
plain_subject(struct span name)
{
	static const char safe[] = "abcdefghijklmnopqrstuvwxyz"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789.-*";
	struct der_fault fault = {0};
	struct der outer = der_over(name, &fault);
	struct der rdns = der_enter(&outer, DER_SEQUENCE, "Name");
	struct der rdn = der_enter(&rdns, SET, "RDN");
	struct der pair = der_enter(&rdn, DER_SEQUENCE, "pair");
	struct span type = der_oid(&pair, "type");
	unsigned tag;
	struct span value = any(&pair, &tag);

	der_end(&rdns, "Name");
	der_end(&rdn, "RDN");
	der_end(&pair, "pair");
	if (fault.why != NULL || !is(type, common_name, sizeof(common_name)) ||
	    (tag != PRINTABLE_STRING && tag != UTF8_STRING) || value.len == 0)
		return NULL;
	for (size_t i = 0; i < value.len; i++) {
		if (value.at[i] == 0 || strchr(safe, value.at[i]) == NULL)
			return NULL;
	}
	return mem_printf("CN=%.*s", (int)value.len, (const char *)value.at);
}

static char *
subject_text(struct span name)
{
	char *text = plain_subject(name);

	const unsigned char *at = name.at;
	X509_NAME *full;

	if (text != NULL)
		return text;
	full = d2i_X509_NAME(NULL, &at, (long)name.len);
	if (full != NULL)
		text = cert_text_name(full);
	X509_NAME_free(full);
	return text;
}

struct cert *
cert_quick_make(const struct cert_quick *quick, const struct cert *issuer)
{
	char *names[CERT_QUICK_NAMES_MAX], *urls[CERT_QUICK_URLS_MAX];
	size_t skip = quick->serial.at[0] == 0;
	struct cert made = {
	    .issuer = issuer->subject,
	    .names = names,
	    .ocsp_urls = urls,
	    .not_before = quick->not_before,
	    .not_after = quick->not_after,
	    .issuer_der = quick->issuer,
	    .serial_der = quick->serial,
	    .must_staple = quick->must_staple,
	};
	struct cert *compact;

	made.subject = subject_text(quick->subject);
	if (made.subject == NULL)
		return NULL;
	made.serial =
	    text_hex(quick->serial.at + skip, quick->serial.len - skip);
	for (size_t i = 0; i < quick->name_count; i++) {
		char *text = quick->is_address[i]
				 ? cert_text_address(quick->names[i])
				 : cert_text_plain(quick->names[i]);

		if (text != NULL)
			names[made.name_count++] = text;
	}
	for (size_t i = 0; i < quick->url_count; i++) {
		char *text = cert_text_url(quick->urls[i]);

		if (text != NULL)
			urls[made.ocsp_url_count++] = text;
	}
	memcpy(made.fingerprint, quick->fingerprint, sizeof(made.fingerprint));
	compact = cert_compact(&made);
	for (size_t i = 0; i < made.name_count; i++)
		free(names[i]);
	for (size_t i = 0; i < made.ocsp_url_count; i++)
		free(urls[i]);
	free(made.subject);
	free(made.serial);
	return compact;
}

bool
cert_quick_named(const struct cert_quick *quick, const struct cert *issuer)
{
	return span_equal(quick->issuer, cert_subject_der(issuer));
}

bool
cert_quick_signed_by(const struct cert_quick *quick, const struct cert *issuer)
{
	const unsigned char *at = quick->algorithm.at;
	X509_ALGOR *algorithm =
	    d2i_X509_ALGOR(NULL, &at, (long)quick->algorithm.len);
	EVP_PKEY *key = X509_get0_pubkey(issuer->x509);
	bool good =
	    algorithm != NULL && key != NULL &&
	    signature_good(quick->tbs, algorithm, quick->signature, key);

	X509_ALGOR_free(algorithm);
	return good;
}
