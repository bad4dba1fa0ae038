/* SPDX-License-Identifier: ISC */
/* pki/identity.c -- a certificate with what is needed to judge answers on it. */
#include "pki/identity.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <string.h>

#include "base/err.h"

/* Add LEAF's issuer to LIST if the system's store has it: a private CA's root
 * often signs leaves directly. */
static void
add_from_system(struct cert_list *list, const struct cert *leaf)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	X509 *found = NULL;

	if (store != NULL && ctx != NULL &&
	    X509_STORE_set_default_paths(store) == 1 &&
	    X509_STORE_CTX_init(ctx, store, leaf->x509, NULL) == 1 &&
	    X509_STORE_CTX_get1_issuer(&found, ctx, leaf->x509) == 1) {
		struct cert *cert = cert_take_x509(found, NULL);

		if (cert != NULL)
			cert_list_add(list, cert);
	}
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	ERR_clear_error();
}

int
identity_find_issuer(struct identity *id, bool only_given, struct err *err)
{
	const struct cert_list *const given[] = {&id->issuers, NULL};
	const struct cert_list *const all[] = {
	    &id->chain, &id->issuers, &id->extra, id->more, NULL};
	struct err missing = {0};

	if (only_given) {
		id->issuer = cert_find_issuer(id->leaf, given, err);
		return id->issuer == NULL ? -1 : 0;
	}
	id->issuer = cert_find_issuer(id->leaf, all, &missing);
	if (id->issuer == NULL) {
		add_from_system(&id->issuers, id->leaf);
		id->issuer = cert_find_issuer(id->leaf, all, NULL);
	}
	if (id->issuer == NULL)
		return err_set(err, missing.reason, "%s", missing.text);
	return 0;
}

int
identity_load(
    const struct identity_files *files, struct identity *out, struct err *err)
{
	memset(out, 0, sizeof(*out));
	out->more = files->more;
	if (cert_list_load(&out->chain, files->certificate, err) == -1)
		return -1;
	out->leaf = cert_list_leaf(&out->chain);
	if (files->issuer != NULL &&
	    cert_list_load(&out->issuers, files->issuer, err) == -1)
		return -1;
	if (files->chain != NULL &&
	    cert_list_load(&out->extra, files->chain, err) == -1)
		return -1;
	if (files->ca_file != NULL &&
	    cert_list_load(&out->extra, files->ca_file, err) == -1)
		return -1;
	return identity_find_issuer(out, files->issuer != NULL, err);
}

void
identity_done(struct identity *identity)
{
	cert_list_done(&identity->chain);
	cert_list_done(&identity->issuers);
	cert_list_done(&identity->extra);
	identity->leaf = identity->issuer = NULL;
}
