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

/* How long one without nextUpdate lives, by the strictest of the rules, since
 * whose certificate it is about is not known; 0: no rule says it. */
static int64_t
no_next_update_s(const struct rules *rules)
{
	const struct rule *rule;
	int64_t least = 0;

	for (size_t i = 0; (rule = rules_at(rules, i)) != NULL; i++)
		if (rule->said.no_next_update_s > 0 &&
		    (least == 0 || rule->said.no_next_update_s < least))
			least = rule->said.no_next_update_s;
	return least;
}

/* Whoever signed RESPONSE is among those whom it carries, if he is a delegate. */
static int64_t
signers_end(const struct response *response)
{
	int64_t end = INT64_MAX;

	for (size_t i = 0; i < response->cert_count; i++) {
		struct cert *cert = cert_from_der(
		    response->certs[i].at, response->certs[i].len, NULL);

		end = clock_earlier(end, cert == NULL ? 0 : cert->not_after);
		cert_free(cert);
	}
	return end;
}

/* When the published staple of UNREAD is to be withdrawn. */
static int64_t
end_of(const struct unread *unread, const struct rules *rules)
{
	struct response response;
	int64_t until = INT64_MAX, signers;

	if (response_parse(unread->der, unread->len, &response, NULL) == -1)
		return 0;
	signers = signers_end(&response);
	for (size_t i = 0; i < response.single_count; i++) {
		const struct response_single *single = &response.singles[i];
		struct verdict facts = {.this_update = single->this_update,
		    .usable_until = clock_earlier(
			signers, verify_latest_end(single, unread->target->leaf,
				     no_next_update_s(rules)))};

		until = clock_earlier(until, verdict_usable_until(&facts));
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
		unread->until = end_of(unread, k->settings->rules);
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

/* Of COUNT items the first of each fingerprint; returns how many. */
static size_t
make_unique(struct publish_item *items, size_t count)
{
	size_t kept = 0;

	if (count > 0)
		qsort(items, count, sizeof(items[0]), by_fingerprint);
	for (size_t i = 0; i < count; i++) {
		if (kept == 0 ||
		    by_fingerprint(&items[kept - 1], &items[i]) != 0)
			items[kept++] = items[i];
	}
	return kept;
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
	return count + make_unique(items + count, made - count);
}

void
keeper_end_unread(struct keeper *k)
{
	struct unread *unread, *next;

	HASH_ITER(hh, k->unread, unread, next)
	keeper_forget_unread(k, unread->target);
}
