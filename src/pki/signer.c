/* SPDX-License-Identifier: ISC */
/* pki/signer.c -- who signed a response, and was he allowed to? */
#include "pki/signer.h"

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "pki/cert.h"
#include "pki/delegates.h"
#include "pki/keyring.h"
#include "pki/response.h"
#include "pki/seal.h"
#include "pki/verify.h"

/* of RSA-1024: what is weaker is forged with a laptop */
enum { SECURITY_BITS_MIN = 80 };

void
signer_oid_text(struct span oid, char text[SIGNER_OID_TEXT])
{
	unsigned char der[66] = {V_ASN1_OBJECT};
	const unsigned char *at = der;
	ASN1_OBJECT *object = NULL;

	text[0] = '?';
	text[1] = '\0';
	if (oid.len > sizeof(der) - 2)
		return;
	der[1] = (unsigned char)oid.len;
	memcpy(der + 2, oid.at, oid.len);
	object = d2i_ASN1_OBJECT(NULL, &at, (long)oid.len + 2);
	if (object != NULL)
		(void)OBJ_obj2txt(text, SIGNER_OID_TEXT, object, 1);
	ASN1_OBJECT_free(object);
}

/* --- algorithms (C5) --- */

/* The digest of RSASSA-PSS; absent parameters mean SHA-1 (RFC 4055). */
static int
pss_digest(const X509_ALGOR *algorithm)
{
	RSA_PSS_PARAMS *pss;
	const void *value = NULL;
	int type = 0;
	int nid = NID_sha1;

	X509_ALGOR_get0(NULL, &type, &value, algorithm);
	if (type != V_ASN1_SEQUENCE)
		return NID_undef;
	pss = ASN1_item_unpack(value, ASN1_ITEM_rptr(RSA_PSS_PARAMS));
	if (pss == NULL)
		return NID_undef;
	if (pss->hashAlgorithm != NULL)
		nid = OBJ_obj2nid(pss->hashAlgorithm->algorithm);
	RSA_PSS_PARAMS_free(pss);
	return nid;
}

static bool
is_known_digest(int nid, const struct verify_policy *policy)
{
	switch (nid) {
	case NID_sha224:
	case NID_sha256:
	case NID_sha384:
	case NID_sha512:
	case NID_sha3_256:
	case NID_sha3_384:
	case NID_sha3_512:
		return true;
	case NID_sha1:
		return policy->allow_sha1;
	default:
		return false;
	}
}

/* An allow-list, by digest: what is not known to be safe is weak. */
static int
check_algorithm(const X509_ALGOR *algorithm, const char *what,
    const struct verify_policy *policy, struct err *err)
{
	const ASN1_OBJECT *object = NULL;
	int nid, digest = NID_undef, key = NID_undef;

	X509_ALGOR_get0(&object, NULL, NULL, algorithm);
	nid = OBJ_obj2nid(object);
	if (nid == NID_ED25519 || nid == NID_ED448)
		return 0;
	if (nid == NID_rsassaPss)
		digest = pss_digest(algorithm);
	else if (OBJ_find_sigid_algs(nid, &digest, &key) != 1)
		digest = NID_undef;
	if (is_known_digest(digest, policy))
		return 0;
	return err_set(err, REASON_WEAK_ALGORITHM,
	    "%s is signed with %s, which is not accepted%s", what,
	    nid == NID_undef ? "an unknown algorithm" : OBJ_nid2ln(nid),
	    digest == NID_sha1 ? " without --allow-sha1" : "");
}

static int
check_key(const EVP_PKEY *key, struct err *err)
{
	const char *kind = EVP_PKEY_get0_type_name(key);

	if (EVP_PKEY_get_security_bits(key) >= SECURITY_BITS_MIN)
		return 0;
	return err_set(err, REASON_WEAK_ALGORITHM,
	    "the response is signed with a key of kind %s and %d bits, which "
	    "is too weak",
	    kind == NULL ? "?" : kind, EVP_PKEY_get_bits(key));
}

/* --- the responderID (C9) --- */

/* Octet by octet, which is most often how it is. */
static bool
has_same_name(const struct response *response, const struct cert *cert)
{
	if (response->responder_kind == RESPONDER_BY_KEY)
		return span_equal(response->responder,
		    (struct span){cert->key_sha1, CERT_SHA1});
	return X509_NAME_entry_count(X509_get_subject_name(cert->x509)) > 0 &&
	       span_equal(response->responder, cert_subject_der(cert));
}

static bool
is_named(const struct response *response, const struct cert *cert)
{
	const unsigned char *at = response->responder.at;
	X509_NAME *own = X509_get_subject_name(cert->x509);
	X509_NAME *name;
	bool same;

	if (has_same_name(response, cert))
		return true;
	if (response->responder_kind == RESPONDER_BY_KEY ||
	    X509_NAME_entry_count(own) == 0)
		return false;
	name = d2i_X509_NAME(NULL, &at, (long)response->responder.len);
	same = name != NULL && X509_NAME_cmp(name, own) == 0;
	X509_NAME_free(name);
	ERR_clear_error();
	return same;
}

/* What the responderID says, for a reader; owned. */
static char *
responder_text(const struct response *response)
{
	const unsigned char *at = response->responder.at;
	char *hex, *text;
	X509_NAME *name;
	char line[256];

	if (response->responder_kind == RESPONDER_BY_KEY) {
		hex = text_hex(response->responder.at,
		    response->responder.len < 32 ? response->responder.len
						 : 32);
		text = mem_printf("the key %s", hex);
		free(hex);
		return text;
	}
	name = d2i_X509_NAME(NULL, &at, (long)response->responder.len);
	text = mem_printf("'%s'",
	    name == NULL ? "?" : X509_NAME_oneline(name, line, sizeof(line)));
	X509_NAME_free(name);
	ERR_clear_error();
	return text;
}

/* --- the delegate (C6, C8) --- */

static int
check_delegate_usage(const struct cert *cert, struct err *err)
{
	uint32_t flags = X509_get_extension_flags(cert->x509);
	const uint32_t may_sign = KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION;

	if ((flags & EXFLAG_INVALID) != 0)
		return err_set(err, REASON_SIGNER_NOT_AUTHORIZED,
		    "the extensions of the signer '%s' are damaged",
		    cert->subject);
	if ((flags & EXFLAG_CRITICAL) != 0)
		return err_set(err, REASON_CRITICAL_EXTENSION,
		    "the signer '%s' has a critical extension that is not "
		    "understood",
		    cert->subject);
	if ((flags & EXFLAG_XKUSAGE) == 0 ||
	    (X509_get_extended_key_usage(cert->x509) & XKU_OCSP_SIGN) == 0)
		return err_set(err, REASON_SIGNER_NOT_AUTHORIZED,
		    "the signer '%s' lacks the extended key usage OCSPSigning "
		    "(RFC 6960, section 4.2.2.2)",
		    cert->subject);
	if ((X509_get_key_usage(cert->x509) & may_sign) == 0)
		return err_set(err, REASON_SIGNER_NOT_AUTHORIZED,
		    "the key usage of the signer '%s' forbids signatures",
		    cert->subject);
	return 0;
}

/* Whose word for a delegate is known already: nobody's, so that the issuer's
 * signature on it is to be checked; the issuer's; or the operator's, who vouches
 * for this very certificate, so that it does not matter who has signed it. */
enum word { BY_NOBODY, BY_ISSUER, BY_OPERATOR };

/* RFC 6960, section 4.2.2.2: "MUST be issued directly by the CA that is
 * identified in the request". */
static int
check_certified(const struct cert *cert, enum word word,
    const struct cert *issuer, const struct verify_policy *policy,
    struct err *err)
{
	const X509_ALGOR *algorithm = NULL;

	if (word != BY_ISSUER && !cert_signed_by(cert, issuer))
		return err_set(err, REASON_SIGNER_NOT_AUTHORIZED,
		    "the signer '%s' was not certified by the issuer '%s'",
		    cert->subject, issuer->subject);
	X509_get0_signature(NULL, &algorithm, cert->x509);
	return check_algorithm(
	    algorithm, "the signer's certificate", policy, err);
}

static int
check_delegate(const struct cert *cert, enum word word,
    const struct cert *issuer, const struct verify_policy *policy,
    struct err *err)
{
	char at[CLOCK_TEXT];

	if (word != BY_OPERATOR &&
	    check_certified(cert, word, issuer, policy, err) == -1)
		return -1;
	if (check_delegate_usage(cert, err) == -1)
		return -1;
	if (cert->not_after < policy->now)
		return err_set(err, REASON_SIGNER_EXPIRED,
		    "the certificate of the signer '%s' ended %s",
		    cert->subject, clock_rfc3339(cert->not_after, at));
	if (cert->not_before > policy->now + policy->skew_s)
		return err_set(err, REASON_SIGNER_EXPIRED,
		    "the certificate of the signer '%s' begins %s",
		    cert->subject, clock_rfc3339(cert->not_before, at));
	return 0;
}

/* What is asked, and who may have signed. */
struct check {
	const struct response *response;
	const struct verify_input *input;
	const struct verify_policy *policy;
	const X509_ALGOR *algorithm;
	struct embedded {
		const struct cert *cert;
		struct cert *own;       /* the same, unless it was remembered */
	} embedded[RESPONSE_CERTS_MAX]; /* as in the response */
	size_t count;
};

/* What would say of OUT, CERT's, that its signatures were verified.  True if
 * that was said before (I1): by us, or the seal would not fit. */
static bool
was_verified(const struct check *check, const struct cert *cert, bool vouched,
    struct signer *out)
{
	const struct verify_input *input = check->input;
	const struct seal_facts facts = {
	    .leaf = input->leaf,
	    .issuer = input->issuer,
	    .signer = cert,
	    .vouched = vouched,
	    .response = {input->der, input->len},
	};

	if (input->sealer == NULL)
		return false;
	out->sealed = seal_make(input->sealer, &facts, out->seal);
	return out->sealed && seal_same(input->seal, out->seal);
}

/* One certificate that may have signed: 0 if it did and was allowed to. */
static int
try_signer(const struct check *check, const struct cert *cert, enum word word,
    struct signer *out, struct err *err)
{
	const struct cert *issuer = check->input->issuer;
	bool is_issuer = strcmp(cert->fingerprint, issuer->fingerprint) == 0;
	EVP_PKEY *key = X509_get0_pubkey(cert->x509);
	struct signer signer = {
	    .delegate = !is_issuer,
	    .trusted = !is_issuer && word == BY_OPERATOR,
	    .not_after = cert->not_after,
	};
	bool verified = was_verified(check, cert, signer.trusted, &signer);

	if (verified && word == BY_NOBODY)
		word = BY_ISSUER;
	if (!is_issuer &&
	    check_delegate(cert, word, issuer, check->policy, err) == -1)
		return -1;
	if (key == NULL)
		return err_set(err, REASON_WEAK_ALGORITHM,
		    "the key of the signer '%s' is of an unknown kind",
		    cert->subject);
	if (check_key(key, err) == -1)
		return -1;
	/* RFC 6960, section 3.2, item 2; the octets taken as they came */
	if (!verified && !keyring_good(delegates_keys(check->input->delegates),
			     check->response->tbs, check->algorithm,
			     check->response->signature, key))
		return err_set(err, REASON_BAD_SIGNATURE,
		    "the signature does not verify with the key of %s '%s'",
		    is_issuer ? "the issuer" : "the delegate signer",
		    cert->subject);
	signer.nocheck =
	    X509_get_ext_by_NID(cert->x509, NID_id_pkix_OCSP_noCheck, -1) >= 0;
	*out = signer;
	return 0;
}

/* The embedded certificate E is the signer, and none other than a delegate: the
 * issuer has had his turn. */
static void
remember(struct check *check, size_t e)
{
	struct embedded *embedded = &check->embedded[e];

	if (embedded->own == NULL || check->input->delegates == NULL)
		return;
	delegates_add(check->input->delegates, check->response->certs[e],
	    check->input->issuer, embedded->own);
	embedded->own = NULL;
	embedded->cert = NULL;
}

/* The first of LIST that is named, has signed and was allowed to. */
static bool
try_list(const struct check *check, const struct cert_list *list,
    enum word word, struct signer *out, struct err *err)
{
	for (size_t i = 0; list != NULL && i < list->count; i++) {
		if (is_named(check->response, list->items[i]) &&
		    try_signer(check, list->items[i], word, out, err) == 0)
			return true;
	}
	return false;
}

/* The same of those embedded. */
static bool
try_embedded(struct check *check, struct signer *out, struct err *err)
{
	for (size_t i = 0; i < check->count; i++) {
		const struct embedded *e = &check->embedded[i];

		if (is_named(check->response, e->cert) &&
		    try_signer(check, e->cert,
			e->own == NULL ? BY_ISSUER : BY_NOBODY, out,
			err) == 0) {
			remember(check, i);
			return true;
		}
	}
	return false;
}

/* A delegate whom the issuer's word and the octets of the responderID make
 * known.  He has signed before, where the issuer had not: so nobody's turn is
 * taken, and to compare the names of others is spared. */
static bool
try_remembered(const struct check *check, struct signer *out)
{
	for (size_t i = 0; i < check->count; i++) {
		const struct embedded *e = &check->embedded[i];

		if (e->own == NULL && has_same_name(check->response, e->cert) &&
		    try_signer(check, e->cert, BY_ISSUER, out, NULL) == 0)
			return true;
	}
	return false;
}

/* Every certificate that the responderID names, the issuer first, then those
 * embedded, those given, and those that the operator vouches for.  The first
 * that fits wins; else the first failure tells why. */
static int
try_all(struct check *check, struct signer *out, struct err *err)
{
	const struct verify_input *input = check->input;
	struct err first = {0}, of_vouched = {0};
	char *who;

	if (try_remembered(check, out) ||
	    (is_named(check->response, input->issuer) &&
		try_signer(check, input->issuer, BY_NOBODY, out, &first) ==
		    0) ||
	    try_embedded(check, out, &first) ||
	    try_list(check, input->extra, BY_NOBODY, out, &first) ||
	    try_list(check, input->trusted, BY_OPERATOR, out, &of_vouched))
		return 0;
	/* nobody need have certified him whom the operator vouches for: what is
	 * wrong is something else */
	if (of_vouched.reason != REASON_NONE &&
	    (first.reason == REASON_NONE ||
		first.reason == REASON_SIGNER_NOT_AUTHORIZED))
		first = of_vouched;
	if (first.reason != REASON_NONE)
		return err_set(err, first.reason, "%s", first.text);
	who = responder_text(check->response);
	(void)err_set(err, REASON_UNTRUSTED_SIGNER,
	    "the response was signed by %s: that is not the issuer '%s', and "
	    "its certificate is neither in the response nor given",
	    who, input->issuer->subject);
	free(who);
	return -1;
}

static int
read_embedded(struct check *check, struct err *err)
{
	const struct response *response = check->response;

	for (; check->count < response->cert_count; check->count++) {
		struct span der = response->certs[check->count];
		struct embedded *e = &check->embedded[check->count];

		e->cert = delegates_find(
		    check->input->delegates, der, check->input->issuer);
		if (e->cert == NULL)
			e->cert = e->own = cert_from_der(der.at, der.len, NULL);
		if (e->cert == NULL)
			return err_set(err, REASON_MALFORMED,
			    "certificate %zu in the response is damaged",
			    check->count + 1);
	}
	return 0;
}

int
signer_check(const struct response *response, const struct verify_input *input,
    const struct verify_policy *policy, struct signer *out, struct err *err)
{
	const unsigned char *at = response->signature_algorithm.at;
	X509_ALGOR *algorithm =
	    d2i_X509_ALGOR(NULL, &at, (long)response->signature_algorithm.len);
	struct check check = {.response = response,
	    .input = input,
	    .policy = policy,
	    .algorithm = algorithm};
	int rc = -1;

	if (algorithm == NULL)
		(void)err_set(err, REASON_MALFORMED,
		    "the response is not well-formed DER: signatureAlgorithm");
	else if (check_algorithm(algorithm, "the response", policy, err) == 0 &&
		 read_embedded(&check, err) == 0)
		rc = try_all(&check, out, err);
	for (size_t i = 0; i < check.count; i++)
		cert_free(check.embedded[i].own);
	X509_ALGOR_free(algorithm);
	ERR_clear_error();
	return rc;
}
