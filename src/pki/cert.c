/* SPDX-License-Identifier: ISC */
/* pki/cert.c -- one certificate as facts. */
#include "pki/cert.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "pki/cert_text.h"

enum { TLS_FEATURE_STATUS_REQUEST = 5 }; /* RFC 7633 section 4.2.1 */

static int
asn1_time(const ASN1_TIME *time, int64_t *out)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(time, &tm) != 1)
		return -1;
	return clock_civil(tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
	    tm.tm_hour, tm.tm_min, tm.tm_sec, out);
}

static struct span
octets_of(const ASN1_STRING *string)
{
	int len = ASN1_STRING_length(string);

	return (struct span){
	    ASN1_STRING_get0_data(string), len < 0 ? 0 : (size_t)len};
}

static void
read_names(struct cert *cert)
{
	GENERAL_NAMES *names =
	    X509_get_ext_d2i(cert->x509, NID_subject_alt_name, NULL, NULL);
	int count = names == NULL ? 0 : sk_GENERAL_NAME_num(names);

	cert->names = mem_array((size_t)count, sizeof(char *));
	for (int i = 0; i < count && cert->name_count < CERT_NAMES_MAX; i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
		char *text = NULL;

		if (name->type == GEN_DNS)
			text = cert_text_plain(octets_of(name->d.dNSName));
		else if (name->type == GEN_IPADD)
			text = cert_text_address(octets_of(name->d.iPAddress));
		if (text != NULL)
			cert->names[cert->name_count++] = text;
	}
	GENERAL_NAMES_free(names);
}

static void
read_aia(struct cert *cert)
{
	AUTHORITY_INFO_ACCESS *aia =
	    X509_get_ext_d2i(cert->x509, NID_info_access, NULL, NULL);
	int count = aia == NULL ? 0 : sk_ACCESS_DESCRIPTION_num(aia);

	cert->ocsp_urls = mem_array(CERT_URLS_MAX, sizeof(char *));
	for (int i = 0; i < count; i++) {
		const ACCESS_DESCRIPTION *ad =
		    sk_ACCESS_DESCRIPTION_value(aia, i);
		int method = OBJ_obj2nid(ad->method);
		char *url = NULL;

		if (ad->location->type != GEN_URI)
			continue;
		url = cert_text_url(
		    octets_of(ad->location->d.uniformResourceIdentifier));
		if (url == NULL)
			continue;
		if (method == NID_ad_OCSP &&
		    cert->ocsp_url_count < CERT_URLS_MAX)
			cert->ocsp_urls[cert->ocsp_url_count++] = url;
		else if (method == NID_ad_ca_issuers &&
			 cert->ca_issuers == NULL)
			cert->ca_issuers = url;
		else
			free(url);
	}
	AUTHORITY_INFO_ACCESS_free(aia);
}

static char *
url_of_point(const DIST_POINT *point)
{
	const GENERAL_NAMES *names;
	char *url = NULL;

	if (point->distpoint == NULL || point->distpoint->type != 0)
		return NULL; /* relative to the issuer's name */
	names = point->distpoint->name.fullname;
	for (int i = 0; url == NULL && i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

		if (name->type == GEN_URI)
			url = cert_text_url(
			    octets_of(name->d.uniformResourceIdentifier));
	}
	return url;
}

char *
cert_crl_url(const struct cert *cert)
{
	CRL_DIST_POINTS *points =
	    cert->x509 == NULL ? NULL
			       : X509_get_ext_d2i(cert->x509,
				     NID_crl_distribution_points, NULL, NULL);
	char *url = NULL;

	for (int i = 0; url == NULL && i < sk_DIST_POINT_num(points); i++)
		url = url_of_point(sk_DIST_POINT_value(points, i));
	CRL_DIST_POINTS_free(points);
	return url;
}

/* RFC 7633: TLS feature extension with status_request (D1). */
static bool
has_must_staple(const X509 *x509)
{
	TLS_FEATURE *features =
	    X509_get_ext_d2i(x509, NID_tlsfeature, NULL, NULL);
	bool found = false;

	for (int i = 0; features != NULL && i < sk_ASN1_INTEGER_num(features);
	     i++) {
		if (ASN1_INTEGER_get(sk_ASN1_INTEGER_value(features, i)) ==
		    TLS_FEATURE_STATUS_REQUEST)
			found = true;
	}
	TLS_FEATURE_free(features);
	return found;
}

static char *
serial_text(const X509 *x509)
{
	BIGNUM *bn = ASN1_INTEGER_to_BN(X509_get0_serialNumber(x509), NULL);
	char *hex = bn == NULL ? NULL : BN_bn2hex(bn);
	char *text = mem_string(hex == NULL ? "0" : hex);
	for (char *c = text; *c != '\0'; c++) {
		if (*c >= 'A' && *c <= 'F')
			*c = (char)(*c - 'A' + 'a');
	}
	OPENSSL_free(hex);
	BN_free(bn);
	return text;
}

/* What a CertID is made of (RFC 6960, section 4.1.1). */
static void
read_id(struct cert *cert)
{
	const X509_NAME *issuer = X509_get_issuer_name(cert->x509);
	const unsigned char *name = NULL;
	unsigned char *serial = NULL;
	size_t name_len = 0;
	int len = i2d_ASN1_INTEGER(X509_get0_serialNumber(cert->x509), &serial);

	if (X509_NAME_get0_der(issuer, &name, &name_len) == 1)
		cert->issuer_der = (struct span){name, name_len};
	/* two octets of header: a serial number has at most 127 octets here */
	if (len > 2 && len < 130)
		cert->serial_der = (struct span){
		    mem_copy(serial + 2, (size_t)len - 2), (size_t)len - 2};
	OPENSSL_free(serial);
}

struct span
cert_subject_der(const struct cert *cert)
{
	struct span der = {0};

	(void)X509_NAME_get0_der(
	    X509_get_subject_name(cert->x509), &der.at, &der.len);
	return der;
}

static void
read_digests(struct cert *cert)
{
	const ASN1_BIT_STRING *key = X509_get0_pubkey_bitstr(cert->x509);
	struct span subject = cert_subject_der(cert);
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int len = 0;
	char *hex;

	(void)X509_digest(cert->x509, EVP_sha256(), digest, &len);
	hex = text_hex(digest, len);
	memcpy(cert->fingerprint, hex, sizeof(cert->fingerprint) - 1);
	free(hex);
	(void)EVP_Digest(subject.at, subject.len, cert->subject_sha1, NULL,
	    EVP_sha1(), NULL);
	(void)EVP_Digest(ASN1_STRING_get0_data(key),
	    (size_t)ASN1_STRING_length(key), cert->key_sha1, NULL, EVP_sha1(),
	    NULL);
}

/* Facts only: nothing is computed with the certificate's own key here, since
 * anybody may embed certificates in a response, with keys as slow as he likes
 * (I5). */
struct cert *
cert_take_x509(X509 *x509, struct err *err)
{
	struct cert *cert = mem_new(sizeof(*cert));

	cert->x509 = x509;
	cert->subject = cert_text_name(X509_get_subject_name(x509));
	cert->issuer = cert_text_name(X509_get_issuer_name(x509));
	if (asn1_time(X509_get0_notBefore(x509), &cert->not_before) == -1 ||
	    asn1_time(X509_get0_notAfter(x509), &cert->not_after) == -1) {
		(void)err_set(err, REASON_CERTIFICATE_UNREADABLE,
		    "the certificate of '%s' has a validity time that is no "
		    "date",
		    cert->subject);
		cert_free(cert);
		return NULL;
	}
	read_names(cert);
	read_aia(cert);
	cert->serial = serial_text(x509);
	read_id(cert);
	read_digests(cert);
	cert->must_staple = has_must_staple(x509);
	cert->is_ca = X509_check_ca(x509) > 0;
	ERR_clear_error();
	return cert;
}

struct cert *
cert_from_der(const uint8_t *der, size_t len, struct err *err)
{
	const unsigned char *at = der;
	X509 *x509 = NULL;

	if (len <= CERT_FILE_MAX)
		x509 = d2i_X509(NULL, &at, (long)len);
	ERR_clear_error();
	if (x509 == NULL || at != der + len) {
		X509_free(x509);
		(void)err_set(err, REASON_CERTIFICATE_UNREADABLE,
		    "%zu bytes are no certificate", len);
		return NULL;
	}
	return cert_take_x509(x509, err);
}

void
cert_free(struct cert *cert)
{
	if (cert == NULL)
		return;
	if (cert->x509 == NULL) {
		free(cert); /* all of it */
		return;
	}
	for (size_t i = 0; i < cert->name_count; i++)
		free(cert->names[i]);
	for (size_t i = 0; i < cert->ocsp_url_count; i++)
		free(cert->ocsp_urls[i]);
	free(cert->names);
	free(cert->ocsp_urls);
	free(cert->ca_issuers);
	free(cert->subject);
	free(cert->issuer);
	free(cert->serial);
	free((void *)(uintptr_t)cert->serial_der.at);
	X509_free(cert->x509);
	free(cert);
}

/* --- in one piece --- */

static size_t
text_room(const char *text)
{
	return text == NULL ? 0 : strlen(text) + 1;
}

static size_t
list_room(char *const *texts, size_t count)
{
	size_t room = 0;

	for (size_t i = 0; i < count; i++)
		room += sizeof(char *) + text_room(texts[i]);
	return room;
}

/* Copy LEN bytes to *AT, which moves behind them. */
static void *
put_bytes(char **at, const void *bytes, size_t len)
{
	char *to = *at;

	if (len > 0)
		memcpy(to, bytes, len);
	*at += len;
	return to;
}

static char *
put_text(char **at, const char *text)
{
	return text == NULL ? NULL : put_bytes(at, text, text_room(text));
}

/* Fill LIST, which has room for COUNT, with copies of TEXTS. */
static void
put_list(char **at, char **list, char *const *texts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		list[i] = put_text(at, texts[i]);
}

struct cert *
cert_compact(const struct cert *cert)
{
	size_t room = sizeof(*cert) + text_room(cert->subject) +
		      text_room(cert->issuer) + text_room(cert->serial) +
		      list_room(cert->names, cert->name_count) +
		      list_room(cert->ocsp_urls, cert->ocsp_url_count) +
		      cert->issuer_der.len + cert->serial_der.len;
	struct cert *copy = mem_new(room);
	/* the pointers first: what follows needs no alignment */
	char **lists = (char **)(copy + 1);
	char *at;

	*copy = *cert;
	copy->x509 = NULL;
	copy->ca_issuers = NULL;
	copy->names = lists;
	copy->ocsp_urls = lists + cert->name_count;
	at = (char *)(copy->ocsp_urls + cert->ocsp_url_count);
	put_list(&at, copy->names, cert->names, cert->name_count);
	put_list(&at, copy->ocsp_urls, cert->ocsp_urls, cert->ocsp_url_count);
	copy->subject = put_text(&at, cert->subject);
	copy->issuer = put_text(&at, cert->issuer);
	copy->serial = put_text(&at, cert->serial);
	copy->issuer_der.at =
	    put_bytes(&at, cert->issuer_der.at, cert->issuer_der.len);
	copy->serial_der.at =
	    put_bytes(&at, cert->serial_der.at, cert->serial_der.len);
	return copy;
}

void
cert_der(const struct cert *cert, uint8_t **out, size_t *len)
{
	unsigned char *der = NULL;
	int got = i2d_X509(cert->x509, &der);

	*len = got < 0 ? 0 : (size_t)got;
	*out = mem_copy(der, *len);
	OPENSSL_free(der);
}

char *
cert_pem(const struct cert *cert)
{
	BIO *bio = BIO_new(BIO_s_mem());

	(void)PEM_write_bio_X509(bio, cert->x509);
	return cert_text_bio(bio);
}

bool
cert_signed_by(const struct cert *cert, const struct cert *signer)
{
	EVP_PKEY *key;
	bool good;

	if (X509_NAME_cmp(X509_get_issuer_name(cert->x509),
		X509_get_subject_name(signer->x509)) != 0)
		return false;
	key = X509_get0_pubkey(signer->x509);
	good = key != NULL && X509_verify(cert->x509, key) == 1;
	ERR_clear_error();
	return good;
}

const char *
cert_name(const struct cert *cert)
{
	return cert->name_count > 0 ? cert->names[0] : cert->subject;
}

bool
cert_names_host(const struct cert *cert, const char *host)
{
	const char *rest = strchr(host, '.');
	struct in_addr address;

	/* the label under * is not empty; an address has no labels */
	if (rest == host || inet_pton(AF_INET, host, &address) == 1)
		rest = NULL;
	for (size_t i = 0; i < cert->name_count; i++) {
		const char *name = cert->names[i];

		if (strcasecmp(name, host) == 0)
			return true;
		if (text_starts(name, "*.") && rest != NULL &&
		    strcasecmp(name + 1, rest) == 0)
			return true;
	}
	return false;
}
