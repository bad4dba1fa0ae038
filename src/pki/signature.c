/* SPDX-License-Identifier: ISC */
/* pki/signature.c -- a signature over octets as they came. */
#include "pki/signature.h"

#include <openssl/asn1.h>
#include <openssl/err.h>

bool
signature_good(struct span tbs, const X509_ALGOR *algorithm,
    struct span signature, EVP_PKEY *key)
{
	ASN1_BIT_STRING *bits = ASN1_BIT_STRING_new();
	ASN1_TYPE *any = ASN1_TYPE_new();
	ASN1_STRING *octets = ASN1_STRING_type_new(V_ASN1_SEQUENCE);
	bool good = false;

	if (bits != NULL && any != NULL && octets != NULL &&
	    ASN1_STRING_set(octets, tbs.at, (int)tbs.len) == 1 &&
	    ASN1_STRING_set(bits, signature.at, (int)signature.len) == 1) {
		/* all bits are used; parse made sure */
		bits->flags |= ASN1_STRING_FLAG_BITS_LEFT;
		/* An ANY that is a SEQUENCE is written out octet by octet, so
		 * what is hashed is what was received. */
		ASN1_TYPE_set(any, V_ASN1_SEQUENCE, octets);
		octets = NULL;
		good = ASN1_item_verify(ASN1_ITEM_rptr(ASN1_ANY), algorithm,
			   bits, any, key) == 1;
	}
	ASN1_STRING_free(octets);
	ASN1_TYPE_free(any);
	ASN1_BIT_STRING_free(bits);
	ERR_clear_error();
	return good;
}
