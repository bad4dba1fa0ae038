/* SPDX-License-Identifier: ISC */
/* pki/keyring.c -- public keys made ready to check signatures with. */
#include "pki/keyring.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/mem.h"
#include "pki/signature.h"

/* A key with the algorithm that it is used with. */
struct ready {
	EVP_PKEY *key;        /* shared: as long as it is here no other one
				 has this address */
	int algorithm;        /* NID */
	EVP_PKEY_CTX *verify; /* set up: only octets are missing */
	EVP_MD_CTX *digest;   /* the same */
	uint64_t used;        /* when, last: the greater the later */
};

struct keyring {
	struct ready keys[KEYRING_MAX];
	size_t count;
	uint64_t uses;
};

struct keyring *
keyring_new(void)
{
	return mem_new(sizeof(struct keyring));
}

static void
drop(struct ready *ready)
{
	EVP_MD_CTX_free(ready->digest);
	EVP_PKEY_CTX_free(ready->verify);
	EVP_PKEY_free(ready->key);
}

void
keyring_free(struct keyring *keyring)
{
	for (size_t i = 0; keyring != NULL && i < keyring->count; i++)
		drop(&keyring->keys[i]);
	free(keyring);
}

/* The digest of ALGORITHM, if it is one that needs nothing else to be known and
 * KEY is of its kind: what ASN1_item_verify() would look at.  NULL: not so. */
static const EVP_MD *
simple_digest(int algorithm, const EVP_PKEY *key)
{
	int digest = NID_undef, kind = NID_undef;

	if (OBJ_find_sigid_algs(algorithm, &digest, &kind) != 1 ||
	    (kind != NID_rsaEncryption && kind != NID_X9_62_id_ecPublicKey) ||
	    EVP_PKEY_is_a(key, OBJ_nid2sn(kind)) != 1)
		return NULL;
	return EVP_get_digestbynid(digest);
}

static bool
make_ready(struct ready *ready, EVP_PKEY *key, int algorithm)
{
	const EVP_MD *md = simple_digest(algorithm, key);

	*ready = (struct ready){.algorithm = algorithm};
	if (md == NULL)
		return false;
	ready->verify = EVP_PKEY_CTX_new(key, NULL);
	ready->digest = EVP_MD_CTX_new();
	if (ready->verify != NULL && ready->digest != NULL &&
	    EVP_PKEY_verify_init(ready->verify) == 1 &&
	    EVP_PKEY_CTX_set_signature_md(ready->verify, md) == 1 &&
	    EVP_DigestInit_ex(ready->digest, md, NULL) == 1 &&
	    EVP_PKEY_up_ref(key) == 1) {
		ready->key = key;
		return true;
	}
	drop(ready);
	return false;
}

static struct ready *
find(struct keyring *keyring, const EVP_PKEY *key, int algorithm)
{
	for (size_t i = 0; i < keyring->count; i++) {
		struct ready *ready = &keyring->keys[i];

		if (ready->key == key && ready->algorithm == algorithm)
			return ready;
	}
	return NULL;
}

static struct ready *
add(struct keyring *keyring, EVP_PKEY *key, int algorithm)
{
	struct ready *place = &keyring->keys[0];
	struct ready made;

	if (!make_ready(&made, key, algorithm))
		return NULL;
	for (size_t i = 1; i < keyring->count; i++) {
		if (keyring->keys[i].used < place->used)
			place = &keyring->keys[i];
	}
	if (keyring->count < KEYRING_MAX)
		place = &keyring->keys[keyring->count++];
	else
		drop(place);
	*place = made;
	return place;
}

static bool
is_good(const struct ready *ready, struct span tbs, struct span signature)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	/* no type: the one that it has */
	return EVP_DigestInit_ex(ready->digest, NULL, NULL) == 1 &&
	       EVP_DigestUpdate(ready->digest, tbs.at, tbs.len) == 1 &&
	       EVP_DigestFinal_ex(ready->digest, digest, &len) == 1 &&
	       EVP_PKEY_verify(ready->verify, signature.at, signature.len,
		   digest, len) == 1;
}

bool
keyring_good(struct keyring *keyring, struct span tbs,
    const X509_ALGOR *algorithm, struct span signature, EVP_PKEY *key)
{
	const ASN1_OBJECT *object = NULL;
	struct ready *ready = NULL;
	bool good;
	int nid;

	X509_ALGOR_get0(&object, NULL, NULL, algorithm);
	nid = OBJ_obj2nid(object);
	if (keyring != NULL)
		ready = find(keyring, key, nid);
	if (keyring != NULL && ready == NULL)
		ready = add(keyring, key, nid);
	if (ready == NULL)
		return signature_good(tbs, algorithm, signature, key);
	ready->used = ++keyring->uses;
	good = is_good(ready, tbs, signature);
	if (!good)
		ERR_clear_error();
	return good;
}
