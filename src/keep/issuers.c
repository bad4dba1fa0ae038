/* SPDX-License-Identifier: ISC */
/* keep/issuers.c -- issuers' certificates, each held once. */
#include "keep/issuers.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct issuers_seen {
	UT_hash_handle hh;
	char fingerprint[65];
};

struct issuers_file {
	UT_hash_handle hh;
	uint64_t stamp;
	struct cert_list list; /* empty: it cannot be read */
	char path[];
};

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

const struct cert *
issuers_find(const struct issuers *issuers, const char *fingerprint)
{
	struct issuer *issuer = NULL;

	HASH_FIND_STR(issuers->all, fingerprint, issuer);
	return issuer == NULL ? NULL : issuer->cert;
}

bool
issuers_noted(const struct issuers *issuers, const char *fingerprint)
{
	struct issuers_seen *seen = NULL;

	HASH_FIND_STR(issuers->seen, fingerprint, seen);
	return seen != NULL;
}

void
issuers_note(struct issuers *issuers, const struct cert_list *chain)
{
	for (size_t i = 0; i < chain->count; i++) {
		const struct cert *cert = chain->items[i];
		struct issuers_seen *seen;

		if (!cert->is_ca || issuers_noted(issuers, cert->fingerprint) ||
		    HASH_COUNT(issuers->seen) == ISSUERS_SEEN_MAX)
			continue;
		seen = mem_new(sizeof(*seen));
		memcpy(seen->fingerprint, cert->fingerprint,
		    sizeof(seen->fingerprint));
		HASH_ADD_STR(issuers->seen, fingerprint, seen);
	}
}

static void
drop_file(struct issuers *issuers, struct issuers_file *file)
{
	HASH_DEL(issuers->files, file);
	cert_list_done(&file->list);
	free(file);
}

const struct cert_list *
issuers_file(struct issuers *issuers, const char *path, uint64_t stamp)
{
	size_t len = strlen(path);
	struct issuers_file *file = NULL;

	HASH_FIND(hh, issuers->files, path, len, file);
	if (file != NULL && file->stamp != stamp) {
		drop_file(issuers, file);
		file = NULL;
	}
	if (file == NULL) {
		/* the oldest goes */
		if (HASH_COUNT(issuers->files) == ISSUERS_FILES_MAX)
			drop_file(issuers, issuers->files);
		file = mem_new(sizeof(*file) + len + 1);
		memcpy(file->path, path, len);
		file->stamp = stamp;
		if (cert_list_load(&file->list, path, NULL) == -1)
			cert_list_done(&file->list);
		HASH_ADD_KEYPTR(hh, issuers->files, file->path, len, file);
	}
	return file->list.count == 0 ? NULL : &file->list;
}

void
issuers_done(struct issuers *issuers)
{
	struct issuers_seen *seen, *next;

	assert(issuers->all == NULL);
	while (issuers->files != NULL)
		drop_file(issuers, issuers->files);
	HASH_ITER(hh, issuers->seen, seen, next)
	{
		HASH_DEL(issuers->seen, seen);
		free(seen);
	}
}
