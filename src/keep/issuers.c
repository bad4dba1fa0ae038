/* SPDX-License-Identifier: ISC */
/* keep/issuers.c -- issuers' certificates, each held once. */
#include "keep/issuers.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct issuer *
issuers_take(struct issuers *issuers, const struct cert *cert)
{
	struct issuer *issuer = NULL;

	HASH_FIND_STR(issuers->all, cert->fingerprint, issuer);
	if (issuer == NULL) {
		(void)X509_up_ref(cert->x509);
		issuer = mem_new(sizeof(*issuer));
		/* it could be read once, so it can again */
		issuer->cert = cert_take_x509(cert->x509, NULL);
		assert(issuer->cert != NULL);
		issuer->home = issuers;
		issuer->rule = rules_find(issuers->rules, NULL, issuer->cert);
		HASH_ADD_KEYPTR(hh, issuers->all, issuer->cert->fingerprint,
		    strlen(issuer->cert->fingerprint), issuer);
	}
	issuer->users++;
	return issuer;
}

void
issuer_leave(struct issuer **issuer)
{
	struct issuer *one = *issuer;

	*issuer = NULL;
	if (one == NULL || --one->users > 0)
		return;
	HASH_DEL(one->home->all, one);
	cert_free(one->cert);
	free(one);
}

void
issuers_obey(struct issuers *issuers, const struct rules *rules)
{
	struct issuer *issuer, *next;

	issuers->rules = rules;
	HASH_ITER(hh, issuers->all, issuer, next)
	issuer->rule = rules_find(rules, NULL, issuer->cert);
}
