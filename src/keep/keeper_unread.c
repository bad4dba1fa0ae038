/* SPDX-License-Identifier: ISC */
/* keep/keeper_unread.c -- staples in service whose certificates a restart cannot
 * read: a renewal is under way, a network disk is away, a mode is wrong.
 *
 * A file that cannot be read says nothing against the staple that its
 * certificate had (I2).  Nothing can be verified then, so nothing is made of it
 * either (I1): the file that was published stays where it is, octet for octet,
 * until the certificate is read and says otherwise, until it is known to be
 * revoked, or until its end (I3). */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "keep/keeper_priv.h"
#include "pki/cert.h"
#include "pki/response.h"

struct unread {
	UT_hash_handle hh;
	const struct target *target; /* the key */
	char *fingerprint;
	uint8_t
	    *der; /* as it was published; NULL: it is not, or not any more */
	size_t len;
	int64_t until; /* wall seconds: it is withdrawn then */
};

static struct unread *
find(const struct keeper *k, const struct target *target)
{
	struct unread *unread = NULL;

	HASH_FIND_PTR(k->unread, &target, unread);
	return unread;
}

void
keeper_forget_unread(struct keeper *k, const struct target *target)
{
	struct unread *unread = find(k, target);

	if (unread == NULL)
		return;
	HASH_DEL(k->unread, unread);
	free(unread->fingerprint);
	free(unread->der);
	free(unread);
}

/* Which certificate was in TARGET's file; owned, or NULL. */
static char *
recall_fingerprint(const struct keeper *k, const struct target *target)
{
	char *path, *fingerprint = NULL;

	if (target->leaf != NULL)
		return mem_string(target->leaf->fingerprint);
	path = file_absolute(target->certificate);
	(void)store_find_target(k->store, path, &fingerprint, NULL);
	free(path);
	return fingerprint;
}

/* When a published staple of the LEN octets at DER is to be withdrawn.  LEAF is
 * NULL where the certificate cannot be read: then its own end is not known, and
 * it is taken for no CA's. */
static int64_t
end_of(const uint8_t *der, size_t len, const struct cert *leaf)
{
	struct response response;
	int64_t until = INT64_MAX;

	if (response_parse(der, len, &response, NULL) == -1)
		return 0;
	for (size_t i = 0; i < response.single_count; i++) {
		const struct response_single *single = &response.singles[i];
		struct verdict facts = {.this_update = single->this_update};
		bool capped = leaf == NULL || !leaf->is_ca;

		facts.usable_until =
		    single->has_next_update
			? single->next_update
			: single->this_update + VERIFY_CAP_NO_NEXT;
		if (capped &&
		    facts.usable_until > single->this_update + VERIFY_CAP)
			facts.usable_until = single->this_update + VERIFY_CAP;
		if (leaf != NULL && facts.usable_until > leaf->not_after)
			facts.usable_until = leaf->not_after;
		if (verdict_usable_until(&facts) < until)
			until = verdict_usable_until(&facts);
	}
	response_done(&response);
	return until == INT64_MAX ? 0 : until;
}

/* What was heard of the certificate before it could not be read. */
static bool
was_revoked(const struct keeper *k, const struct unread *unread)
{
	struct store_state state;

	return store_get_state(k->store, unread->fingerprint, &state, NULL) ==
		   1 &&
	       state.last_final && state.last_status == CERT_REVOKED &&
	       !target_keeps_revoked(unread->target, k->settings);
}

/* A file that has outlived the withdrawal, by a kill or a server that could not
 * be told, is in nobody's service. */
static void
read_published(const struct keeper *k, struct unread *unread)
{
	char *path =
	    mem_printf("%s/%s.der", k->staple_dir, unread->fingerprint);

	if (!was_revoked(k, unread) &&
	    file_read(path, VERIFY_RESPONSE_MAX, &unread->der, &unread->len,
		NULL) == 0)
		unread->until =
		    end_of(unread->der, unread->len, unread->target->leaf);
	free(path);
}

/* The complaint goes with what it means for the servers. */
static void
complain(struct target *target, const struct unread *unread)
{
	struct err whole = {0};
	char at[CLOCK_TEXT];

	(void)err_set(&whole, target->unreadable->reason,
	    "%s; the staple published before stays in service until %s",
	    target->unreadable->text, clock_rfc3339(unread->until, at));
	trouble_set(&target->unreadable, &whole);
}

static bool
is_in_service(const struct unread *unread, int64_t now)
{
	return unread->der != NULL && unread->until > now;
}

void
keeper_hold_unread(struct keeper *k, struct target *target)
{
	struct unread *unread = find(k, target);
	char *fingerprint;

	/* what this run has read before is in memory still */
	if (target->unreadable == NULL || target->ca != NULL) {
		keeper_forget_unread(k, target);
		return;
	}
	/* it is another certificate now, without its issuer */
	if (unread != NULL && target->leaf != NULL &&
	    strcmp(unread->fingerprint, target->leaf->fingerprint) != 0) {
		keeper_forget_unread(k, target);
		unread = NULL;
	}
	if (unread == NULL &&
	    (fingerprint = recall_fingerprint(k, target)) != NULL) {
		unread = mem_new(sizeof(*unread));
		unread->target = target;
		unread->fingerprint = fingerprint;
		read_published(k, unread);
		HASH_ADD_PTR(k->unread, target, unread);
	}
	if (unread != NULL && is_in_service(unread, clock_wall_s()))
		complain(target, unread);
}

const char *
keeper_unread_fingerprint(const struct keeper *k, const struct target *target)
{
	const struct unread *unread = find(k, target);

	return unread == NULL ? NULL : unread->fingerprint;
}

void
keeper_watch_unread(struct keeper *k)
{
	int64_t now = clock_wall_s();
	struct unread *unread, *next;

	HASH_ITER(hh, k->unread, unread, next)
	{
		if (unread->der == NULL || is_in_service(unread, now))
			continue;
		free(unread->der);
		unread->der = NULL;
		k->overdue = true;
		keeper_mark_urgent(k);
	}
}

static int
by_fingerprint(const void *a, const void *b)
{
	const struct publish_item *x = a, *y = b;

	return strcmp(x->fingerprint, y->fingerprint);
}

/* What another file's care hears of the same certificate is true of this one. */
static bool
is_revoked(const struct keeper *k, const char *fingerprint)
{
	const struct target *target = keeper_find(k, fingerprint);

	for (; target != NULL; target = target->twin) {
		if (keeper_must_withdraw(k, target))
			return true;
	}
	return false;
}

size_t
keeper_publish_unread(
    struct keeper *k, struct publish_item *items, size_t count, int64_t now)
{
	struct unread *unread, *next;
	size_t made = count;

	HASH_ITER(hh, k->unread, unread, next)
	{
		struct publish_item item = {
		    .name = target_name(unread->target),
		    .fingerprint = unread->fingerprint,
		    .staple = {unread->der, unread->len},
		};
		struct publish_item *same = bsearch(
		    &item, items, count, sizeof(items[0]), by_fingerprint);

		if (!is_in_service(unread, now) ||
		    is_revoked(k, unread->fingerprint))
			continue;
		if (same == NULL)
			items[made++] = item;
		else if (same->staple.len == 0)
			*same = item;
	}
	return made;
}

void
keeper_end_unread(struct keeper *k)
{
	struct unread *unread, *next;

	HASH_ITER(hh, k->unread, unread, next)
	keeper_forget_unread(k, unread->target);
}
