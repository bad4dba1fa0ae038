/* SPDX-License-Identifier: ISC */
/* test_keyring.c -- pki/keyring: a key that is ready says what one that is not
 * says, whatever it was asked before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "pki/keyring.h"
#include "pki/signature.h"

enum { SIGNATURE_MAX = 512, RSA_BITS = 2048 };

/* a whole SEQUENCE: what is signed */
static const uint8_t octets[] = {0x30, 0x03, 0x02, 0x01, 0x07};
static const uint8_t others[] = {0x30, 0x03, 0x02, 0x01, 0x08};
static const struct span tbs = {octets, sizeof(octets)};

enum who { BY_RSA, BY_EC, BY_ED, OTHER_RSA, OTHER_EC, KEYS };

static EVP_PKEY *keys[KEYS];
static struct keyring *keyring;

static int
make_keys(void **state)
{
	(void)state;
	keys[BY_RSA] = EVP_RSA_gen(RSA_BITS);
	keys[OTHER_RSA] = EVP_RSA_gen(RSA_BITS);
	keys[BY_EC] = EVP_EC_gen("P-256");
	keys[OTHER_EC] = EVP_EC_gen("P-256");
	keys[BY_ED] = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	for (int i = 0; i < KEYS; i++)
		assert_non_null(keys[i]);
	keyring = keyring_new();
	return 0;
}

static int
free_keys(void **state)
{
	(void)state;
	keyring_free(keyring);
	keyring_free(NULL);
	for (int i = 0; i < KEYS; i++)
		EVP_PKEY_free(keys[i]);
	return 0;
}

/* The octets signed by KEY with MD, and its AlgorithmIdentifier: owned. */
static X509_ALGOR *
sign(EVP_PKEY *key, const EVP_MD *md, bool pss, uint8_t out[SIGNATURE_MAX],
    size_t *len)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *how = NULL;
	X509_ALGOR *algorithm = X509_ALGOR_new();
	int nid = NID_ED25519;

	*len = SIGNATURE_MAX;
	assert_int_equal(EVP_DigestSignInit(ctx, &how, md, NULL, key), 1);
	if (pss)
		assert_int_equal(
		    EVP_PKEY_CTX_set_rsa_padding(how, RSA_PKCS1_PSS_PADDING),
		    1);
	assert_int_equal(
	    EVP_DigestSign(ctx, out, len, octets, sizeof(octets)), 1);
	EVP_MD_CTX_free(ctx);
	if (md != NULL && !pss)
		assert_int_equal(OBJ_find_sigid_by_algs(&nid,
				     EVP_MD_get_type(md), EVP_PKEY_get_id(key)),
		    1);
	else if (pss)
		nid = NID_rsassaPss;
	assert_int_equal(X509_ALGOR_set0(algorithm, OBJ_nid2obj(nid),
			     md == NULL ? V_ASN1_UNDEF : V_ASN1_NULL, NULL),
	    1);
	return algorithm;
}

struct row {
	const char *name;
	enum who by, checked;
	const EVP_MD *(*md)(void);
	bool good;
	int named; /* the algorithm, instead of that it was signed with */
	bool other_octets, pss;
	enum { WHOLE, FLIPPED, CUT, LONGER, EMPTY } signature;
};

static void
check(const struct row *row)
{
	uint8_t signature[SIGNATURE_MAX + 1] = {0};
	size_t len;
	X509_ALGOR *algorithm = sign(keys[row->by],
	    row->md == NULL ? NULL : row->md(), row->pss, signature, &len);
	struct span what =
	    row->other_octets ? (struct span){others, sizeof(others)} : tbs;
	EVP_PKEY *key = keys[row->checked];
	struct span given;

	if (row->named != 0)
		(void)X509_ALGOR_set0(
		    algorithm, OBJ_nid2obj(row->named), V_ASN1_NULL, NULL);
	signature[len / 2] ^= row->signature == FLIPPED ? 1 : 0;
	len += row->signature == LONGER ? 1 : 0;
	len -= row->signature == CUT ? 1 : 0;
	given = (struct span){signature, row->signature == EMPTY ? 0 : len};
	assert_int_equal(
	    keyring_good(NULL, what, algorithm, given, key), row->good);
	assert_int_equal(
	    signature_good(what, algorithm, given, key), row->good);
	/* the first time, and when the key is ready */
	for (int turn = 0; turn < 3; turn++)
		assert_int_equal(
		    keyring_good(keyring, what, algorithm, given, key),
		    row->good);
	X509_ALGOR_free(algorithm);
}

static void
test_says_the_same(void **state)
{
	static const struct row rows[] = {
	    {"RSA", BY_RSA, BY_RSA, EVP_sha256, .good = true},
	    {"C5 RSA, flipped", BY_RSA, BY_RSA, EVP_sha256,
		.signature = FLIPPED},
	    {"RSA, cut", BY_RSA, BY_RSA, EVP_sha256, .signature = CUT},
	    {"RSA, longer", BY_RSA, BY_RSA, EVP_sha256, .signature = LONGER},
	    {"RSA, empty", BY_RSA, BY_RSA, EVP_sha256, .signature = EMPTY},
	    {"RSA, of other octets", BY_RSA, BY_RSA, EVP_sha256,
		.other_octets = true},
	    {"RSA, by another key", OTHER_RSA, BY_RSA, EVP_sha256,
		.good = false},
	    {"RSA, another digest is named", BY_RSA, BY_RSA, EVP_sha256,
		.named = NID_sha384WithRSAEncryption},
	    {"RSA, another kind is named", BY_RSA, BY_RSA, EVP_sha256,
		.named = NID_ecdsa_with_SHA256},
	    {"RSA, an unknown algorithm", BY_RSA, BY_RSA, EVP_sha256,
		.named = NID_commonName},
	    {"RSA, a digest alone", BY_RSA, BY_RSA, EVP_sha256,
		.named = NID_sha256},
	    {"RSA again, after all these", BY_RSA, BY_RSA, EVP_sha256,
		.good = true},
	    {"RSA, SHA-512", BY_RSA, BY_RSA, EVP_sha512, .good = true},
	    {"RSA, SHA-512, flipped", BY_RSA, BY_RSA, EVP_sha512,
		.signature = FLIPPED},
	    {"RSA-PSS without its parameters", BY_RSA, BY_RSA, EVP_sha256,
		.pss = true},
	    {"RSA-PSS named as plain", BY_RSA, BY_RSA, EVP_sha256, .pss = true,
		.named = NID_sha256WithRSAEncryption},
	    {"the other RSA key", OTHER_RSA, OTHER_RSA, EVP_sha256,
		.good = true},
	    {"EC", BY_EC, BY_EC, EVP_sha256, .good = true},
	    {"C5 EC, flipped", BY_EC, BY_EC, EVP_sha256, .signature = FLIPPED},
	    {"EC, cut", BY_EC, BY_EC, EVP_sha256, .signature = CUT},
	    {"EC, longer", BY_EC, BY_EC, EVP_sha256, .signature = LONGER},
	    {"EC, empty", BY_EC, BY_EC, EVP_sha256, .signature = EMPTY},
	    {"EC, of other octets", BY_EC, BY_EC, EVP_sha256,
		.other_octets = true},
	    {"EC, by another key", OTHER_EC, BY_EC, EVP_sha256, .good = false},
	    {"EC, another kind is named", BY_EC, BY_EC, EVP_sha256,
		.named = NID_sha256WithRSAEncryption},
	    {"EC, SHA-384", BY_EC, BY_EC, EVP_sha384, .good = true},
	    {"EC again", BY_EC, BY_EC, EVP_sha256, .good = true},
	    {"Ed25519", BY_ED, BY_ED, NULL, .good = true},
	    {"Ed25519, flipped", BY_ED, BY_ED, NULL, .signature = FLIPPED},
	    {"Ed25519 by a key of RSA", BY_ED, BY_RSA, NULL, .good = false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		print_message("%s\n", rows[i].name);
		check(&rows[i]);
	}
}

/* More keys than there is room for, each freed by us: the ring keeps what it
 * needs, and a new key at an old one's address is not taken for that one. */
static void
test_more_than_there_is_room_for(void **state)
{
	static const struct row row = {
	    "EC", BY_EC, BY_EC, EVP_sha256, .good = true};
	uint8_t signature[SIGNATURE_MAX], before[SIGNATURE_MAX];
	size_t len, before_len = 0;

	(void)state;
	for (int i = 0; i < 2 * KEYRING_MAX + 2; i++) {
		EVP_PKEY *key = EVP_EC_gen("P-256");
		X509_ALGOR *algorithm =
		    sign(key, EVP_sha256(), false, signature, &len);

		assert_true(keyring_good(keyring, tbs, algorithm,
		    (struct span){signature, len}, key));
		assert_false(keyring_good(keyring, tbs, algorithm,
		    (struct span){before, before_len}, key));
		memcpy(before, signature, len);
		before_len = len;
		X509_ALGOR_free(algorithm);
		EVP_PKEY_free(key);
	}
	check(&row);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_says_the_same),
	    cmocka_unit_test(test_more_than_there_is_room_for),
	};

	return cmocka_run_group_tests(tests, make_keys, free_keys);
}
