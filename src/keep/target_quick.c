/* SPDX-License-Identifier: ISC */
/* keep/target_quick.c -- a target's files, read quickly.
 *
 * A hundred thousand certificates have a handful of issuers, mostly each in the
 * file of its leaf: those are known by their digests, and only the leaf itself
 * is read.  Which one signed it is checked as ever, see is_signed(). */
#include "keep/target_quick.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "pki/cert_quick.h"
#include "pki/digest.h"
#include "pki/pem.h"

/* A file's certificates. */
struct chain {
	uint8_t *leaf; /* DER, owned */
	struct cert_quick quick;
	const struct cert *issuer; /* in the same file; or NULL; borrowed */
};

/* What stands behind the leaf: known, or all must be read. */
static bool
take_other(
    struct chain *chain, struct span block, const struct issuers *issuers)
{
	uint8_t digest[DIGEST_LEN];
	const struct cert *cert;
	uint8_t *der;
	size_t len;
	char *hex;
	bool known;

	if (!pem_decode(block, &der, &len))
		return false;
	digest_of((struct span){der, len}, digest);
	free(der);
	hex = text_hex(digest, sizeof(digest));
	cert = issuers_find(issuers, hex);
	known = cert != NULL || issuers_noted(issuers, hex);
	free(hex);
	if (cert != NULL && chain->issuer == NULL &&
	    cert_quick_named(&chain->quick, cert))
		chain->issuer = cert;
	return known;
}

/* The leaf is the first that is no CA (cert_list_leaf()), and what cert_quick
 * reads is none. */
static bool
read_chain(struct chain *chain, const uint8_t *bytes, size_t len,
    const struct issuers *issuers)
{
	struct pem pem = pem_over(bytes, len);
	struct span block;
	size_t der_len, count = 1;

	if (memchr(bytes, '\0', len) != NULL || !pem_next(&pem, &block) ||
	    !pem_decode(block, &chain->leaf, &der_len) ||
	    !cert_quick_parse(
		(struct span){chain->leaf, der_len}, &chain->quick))
		return false;
	while (pem_next(&pem, &block)) {
		if (++count > CERT_LIST_MAX ||
		    !take_other(chain, block, issuers))
			return false;
	}
	return true;
}

/* The first of LIST that is called as QUICK's issuer. */
static const struct cert *
find_named(const struct cert_list *list, const struct cert_quick *quick)
{
	for (size_t i = 0; list != NULL && i < list->count; i++) {
		if (cert_quick_named(quick, list->items[i]))
			return list->items[i];
	}
	return NULL;
}

/* In the order of identity_find_issuer(): where the first of the name is not
 * the one, that is asked. */
static const struct cert *
find_issuer(const struct target *target, const struct target_sources *sources,
    const struct chain *chain)
{
	if (target->issuer != NULL)
		return find_named(issuers_file(sources->issuers, target->issuer,
				      target->seen_issuer),
		    &chain->quick);
	if (chain->issuer != NULL)
		return chain->issuer;
	return find_named(sources->extra, &chain->quick);
}

/* That the issuer signed the leaf is what `target` goes by from now on: it must
 * have been verified, if not here then before, of this very pair. */
static bool
is_signed(const struct target *target, const struct target_sources *sources,
    const struct chain *chain, const struct target_pair *pair)
{
	if (target->ca == pair->ca && target->leaf != NULL &&
	    strcmp(target->leaf->fingerprint, pair->leaf->fingerprint) == 0)
		return true; /* when it was read before */
	if (sources->paired != NULL && sources->paired(sources->cookie, pair))
		return true;
	return cert_quick_signed_by(&chain->quick, pair->ca->cert);
}

bool
target_read_quick(const struct target *target,
    const struct target_sources *sources, struct target_pair *out)
{
	const struct cert *issuer = NULL;
	struct chain *chain = mem_new(sizeof(*chain));
	struct target_pair pair = {0};
	uint8_t *bytes = NULL;
	size_t len = 0;
	bool done = false;

	if (file_read(target->certificate, CERT_FILE_MAX, &bytes, &len, NULL) ==
		-1 ||
	    !read_chain(chain, bytes, len, sources->issuers))
		goto out;
	issuer = find_issuer(target, sources, chain);
	if (issuer == NULL)
		goto out;
	pair.leaf = cert_quick_make(&chain->quick, issuer);
	if (pair.leaf == NULL)
		goto out;
	pair.ca = issuers_take(sources->issuers, issuer);
	done = is_signed(target, sources, chain, &pair);
	if (done) {
		*out = pair;
	} else {
		cert_free(pair.leaf);
		issuer_leave(&pair.ca);
	}
out:
	free(chain->leaf);
	free(chain);
	free(bytes);
	return done;
}
