/* SPDX-License-Identifier: ISC */
/* pki/delegates.c -- delegate signers that have been checked before. */
#include "pki/delegates.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/mem.h"
#include "pki/cert.h"
#include "pki/keyring.h"

enum {
	ISSUER_TEXT = sizeof(((struct cert *)NULL)->fingerprint) - 1,
	KEY_MAX = ISSUER_TEXT + DELEGATES_DER_MAX,
};

struct delegate {
	struct cert *cert;
	UT_hash_handle hh;
	size_t key_len;
	uint8_t key[]; /* the issuer's fingerprint, and the octets */
};

struct delegates {
	struct delegate *all; /* a hash; in its order, the latest used last */
	struct keyring *keys;
};

struct delegates *
delegates_new(void)
{
	struct delegates *delegates = mem_new(sizeof(*delegates));

	delegates->keys = keyring_new();
	return delegates;
}

struct keyring *
delegates_keys(struct delegates *delegates)
{
	return delegates == NULL ? NULL : delegates->keys;
}

static void
forget(struct delegates *delegates, struct delegate *delegate)
{
	HASH_DEL(delegates->all, delegate);
	cert_free(delegate->cert);
	free(delegate);
}

void
delegates_free(struct delegates *delegates)
{
	if (delegates == NULL)
		return;
	while (delegates->all != NULL)
		forget(delegates, delegates->all);
	keyring_free(delegates->keys);
	free(delegates);
}

static size_t
write_key(uint8_t key[KEY_MAX], struct span der, const struct cert *issuer)
{
	memcpy(key, issuer->fingerprint, ISSUER_TEXT);
	memcpy(key + ISSUER_TEXT, der.at, der.len);
	return ISSUER_TEXT + der.len;
}

/* Its place in the order becomes the last. */
static void
append(struct delegates *delegates, struct delegate *delegate)
{
	HASH_ADD(hh, delegates->all, key, delegate->key_len, delegate);
}

/* The one that was used last.  Most often it is asked for again: to compare is
 * a tenth of what it takes to find one. */
static struct delegate *
latest(const struct delegates *delegates)
{
	return delegates->all == NULL ? NULL
				      : ELMT_FROM_HH(delegates->all->hh.tbl,
					    delegates->all->hh.tbl->tail);
}

static bool
is_it(
    const struct delegate *delegate, struct span der, const struct cert *issuer)
{
	return delegate != NULL && delegate->key_len == ISSUER_TEXT + der.len &&
	       memcmp(delegate->key, issuer->fingerprint, ISSUER_TEXT) == 0 &&
	       memcmp(delegate->key + ISSUER_TEXT, der.at, der.len) == 0;
}

const struct cert *
delegates_find(
    struct delegates *delegates, struct span der, const struct cert *issuer)
{
	struct delegate *found = NULL;
	uint8_t key[KEY_MAX];
	size_t len;

	if (delegates == NULL || der.len == 0 || der.len > DELEGATES_DER_MAX)
		return NULL;
	found = latest(delegates);
	if (is_it(found, der, issuer))
		return found->cert;
	len = write_key(key, der, issuer);
	HASH_FIND(hh, delegates->all, key, len, found);
	if (found == NULL)
		return NULL;
	if (found->hh.next != NULL) {
		HASH_DEL(delegates->all, found);
		append(delegates, found);
	}
	return found->cert;
}

void
delegates_add(struct delegates *delegates, struct span der,
    const struct cert *issuer, struct cert *take_cert)
{
	struct delegate *delegate;

	if (delegates == NULL || der.len > DELEGATES_DER_MAX ||
	    delegates_find(delegates, der, issuer) != NULL) {
		cert_free(take_cert);
		return;
	}
	if (HASH_COUNT(delegates->all) == DELEGATES_MAX)
		forget(delegates, delegates->all);
	delegate = mem_new(sizeof(*delegate) + ISSUER_TEXT + der.len);
	delegate->cert = take_cert;
	delegate->key_len = write_key(delegate->key, der, issuer);
	append(delegates, delegate);
}
