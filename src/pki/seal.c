/* SPDX-License-Identifier: ISC */
/* pki/seal.c -- a note to ourselves: these signatures were verified here. */
#include "pki/seal.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "pki/cert.h"

struct sealer {
	EVP_MAC_CTX *mac; /* has the key */
};

/* Changes with all that is sealed, and with what verified means: what an
 * earlier oclasp has let pass is then looked at again. */
static const char version[] = "oclasp seal 1";

struct sealer *
sealer_new(const uint8_t key[SEAL_KEY])
{
	char digest[] = "SHA256";
	const OSSL_PARAM params[] = {
	    OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
	    OSSL_PARAM_construct_end(),
	};
	EVP_MAC *hmac = EVP_MAC_fetch(NULL, OSSL_MAC_NAME_HMAC, NULL);
	struct sealer *sealer = mem_new(sizeof(*sealer));

	sealer->mac = hmac == NULL ? NULL : EVP_MAC_CTX_new(hmac);
	if (sealer->mac == NULL ||
	    EVP_MAC_init(sealer->mac, key, SEAL_KEY, params) != 1) {
		sealer_free(sealer);
		sealer = NULL;
	}
	EVP_MAC_free(hmac);
	ERR_clear_error();
	return sealer;
}

void
sealer_free(struct sealer *sealer)
{
	if (sealer == NULL)
		return;
	EVP_MAC_CTX_free(sealer->mac);
	free(sealer);
}

/* All but the last, the response, is of one length, so that no two facts are
 * written the same. */
bool
seal_make(struct sealer *sealer, const struct seal_facts *facts,
    uint8_t seal[SEAL_LEN])
{
	const char *const names[] = {facts->leaf->fingerprint,
	    facts->issuer->fingerprint, facts->signer->fingerprint};
	const uint8_t vouched = facts->vouched ? 1 : 0;
	EVP_MAC_CTX *mac = sealer->mac;
	bool good;
	size_t len = 0;

	/* begins anew with the same key */
	good = EVP_MAC_init(mac, NULL, 0, NULL) == 1 &&
	       EVP_MAC_update(mac, (const uint8_t *)version, sizeof(version)) ==
		   1 &&
	       EVP_MAC_update(mac, &vouched, sizeof(vouched)) == 1;
	for (size_t i = 0; good && i < sizeof(names) / sizeof(names[0]); i++)
		good = EVP_MAC_update(mac, (const uint8_t *)names[i],
			   sizeof(facts->leaf->fingerprint)) == 1;
	good =
	    good &&
	    EVP_MAC_update(mac, facts->response.at, facts->response.len) == 1 &&
	    EVP_MAC_final(mac, seal, &len, SEAL_LEN) == 1 && len == SEAL_LEN;
	if (!good)
		ERR_clear_error();
	return good;
}

bool
seal_same(struct span claimed, const uint8_t seal[SEAL_LEN])
{
	return claimed.len == SEAL_LEN &&
	       CRYPTO_memcmp(claimed.at, seal, SEAL_LEN) == 0;
}
