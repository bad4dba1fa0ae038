/* SPDX-License-Identifier: ISC */
/* keep/keeper_index.c -- targets by path, and by the fingerprint of their
 * certificate.
 *
 * One certificate may be kept from several files: then the first of them is in
 * the hash, and the others hang on it as twins. */
#include <string.h>

#include "keep/keeper_priv.h"

void
keeper_index_add(struct keeper *k, struct target *target)
{
	const char *fingerprint = target_fingerprint(target);
	struct target *first;

	if (fingerprint == NULL)
		return;
	first = keeper_find(k, fingerprint);
	if (first != NULL) {
		target->twin = first->twin;
		first->twin = target;
		return;
	}
	target->twin = NULL;
	HASH_ADD_KEYPTR(
	    hh_print, k->by_print, fingerprint, strlen(fingerprint), target);
}

void
keeper_index_remove(struct keeper *k, struct target *target)
{
	const char *fingerprint = target_fingerprint(target);
	struct target *first, *next = target->twin;

	if (fingerprint == NULL)
		return;
	first = keeper_find(k, fingerprint);
	target->twin = NULL;
	if (first != target) {
		while (first != NULL && first->twin != target)
			first = first->twin;
		if (first != NULL)
			first->twin = next;
		return;
	}
	HASH_DELETE(hh_print, k->by_print, target);
	if (next != NULL)
		HASH_ADD_KEYPTR(hh_print, k->by_print, target_fingerprint(next),
		    strlen(fingerprint), next);
}

struct target *
keeper_find(const struct keeper *k, const char *fingerprint)
{
	struct target *found = NULL;

	HASH_FIND(
	    hh_print, k->by_print, fingerprint, strlen(fingerprint), found);
	return found;
}

struct target *
keeper_find_path(const struct keeper *k, const char *path)
{
	struct target *found = NULL;

	HASH_FIND_STR(k->by_path, path, found);
	return found;
}
