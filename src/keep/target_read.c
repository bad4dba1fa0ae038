/* SPDX-License-Identifier: ISC */
/* keep/target_read.c -- a target's files, read again and again. */
#include <stdlib.h>
#include <string.h>

#include "acquire/acquire.h"
#include "base/file.h"
#include "base/mem.h"
#include "http/fetch.h"
#include "keep/target.h"
#include "keep/target_quick.h"
#include "pki/identity.h"

/* Another certificate: what was known is of no use for it. */
static void
forget(struct target *target)
{
	target_drop_staple(target);
	target->first_seen = target->first_at = target->floor = 0;
	target->said = target->last_final = false;
	target->second_tried = target->other_hash = target->tried = false;
	target->failures = 0;
	target->final_life = 0;
	target->last_attempt = target->fetch_again = target->retry_after = 0;
	free(target->failure);
	target->failure = NULL;
	/* the server has read the old pair, and goes on with it */
	target->held = target->served_until != 0;
	target->served_update = 0;
}

/* The host of the URL that is asked first: what is no http URL, such as the
 * LDAP ones of private CAs, nobody asks. */
static void
name_responder(struct target *target)
{
	const struct cert *leaf = target->leaf;
	const char *own = target_url(target);
	size_t count = own != NULL    ? 1
		       : leaf == NULL ? 0
				      : leaf->ocsp_url_count;
	char *host = NULL;
	int port;

	for (size_t i = 0; i < count && host == NULL; i++)
		(void)fetch_split_url(
		    own != NULL ? own : leaf->ocsp_urls[i], &host, &port);
	free(target->responder);
	target->responder = host;
}

/* --- the files --- */

/* True if ID has nobody to ask, by the certificate or by the operator. */
static bool
has_no_responder(const struct target *target, const struct identity *id,
    const struct rules *rules)
{
	const struct rule *rule;

	if (target->url != NULL || acquire_can_ask(id->leaf))
		return false;
	rule = rules_find(rules, id->leaf, id->issuer);
	return rule == NULL || rule->said.url == NULL;
}

static bool
is_same(const struct cert *a, const struct cert *b)
{
	return a == b || (a != NULL && b != NULL &&
			     strcmp(a->fingerprint, b->fingerprint) == 0);
}

/* A file that cannot be read for a moment (it is being replaced) must not cost
 * a staple that lives (I2): true if what was read before is to stay. */
static bool
is_worse(const struct target *target, const struct identity *fresh)
{
	if (target->leaf == NULL)
		return false;
	if (fresh->leaf == NULL)
		return true;
	return fresh->issuer == NULL && target->ca != NULL &&
	       is_same(target->leaf, fresh->leaf);
}

/* LEAF is taken, and CA with its user. */
static void
take_pair(struct target *target, struct cert *leaf, struct issuer *ca)
{
	/* an acquisition borrows of what goes away here */
	target_stop(target);
	cert_free(target->leaf);
	issuer_leave(&target->ca);
	target->leaf = leaf;
	target->ca = ca;
}

/* As OpenSSL reads it, with all that can be wrong. */
static bool
read_whole(struct target *target, const struct target_sources *sources)
{
	const struct identity_files files = {
	    .certificate = target->certificate,
	    .issuer = target->issuer,
	    .more = sources->extra,
	};
	struct identity fresh;
	struct err err = {0};
	bool other = false;

	(void)identity_load(&files, &fresh, &err);
	/* Without a responder nobody needs the issuer. */
	if (fresh.leaf != NULL &&
	    has_no_responder(target, &fresh, sources->issuers->rules))
		err_clear(&err);
	trouble_set(&target->unreadable, &err);
	issuers_note(sources->issuers, &fresh.chain);
	if (is_worse(target, &fresh))
		goto out;
	other = target->leaf == NULL || !is_same(target->leaf, fresh.leaf);
	if (other || !is_same(target_issuer(target), fresh.issuer))
		take_pair(target,
		    fresh.leaf == NULL ? NULL : cert_compact(fresh.leaf),
		    fresh.issuer == NULL
			? NULL
			: issuers_take(sources->issuers, fresh.issuer));
	if (other)
		forget(target);
out:
	name_responder(target);
	identity_done(&fresh);
	return other;
}

/* PAIR, of which all is taken, is what the files have now. */
static bool
take_quick(struct target *target, struct target_pair *pair)
{
	bool other = target->leaf == NULL || !is_same(target->leaf, pair->leaf);

	trouble_set(&target->unreadable, &(struct err){0});
	if (other || target->ca != pair->ca) {
		take_pair(target, pair->leaf, pair->ca);
	} else {
		cert_free(pair->leaf);
		issuer_leave(&pair->ca);
	}
	name_responder(target);
	if (other)
		forget(target);
	return other;
}

bool
target_read(struct target *target, const struct target_sources *sources)
{
	struct target_pair pair;

	/* looked at before they are read: a change in between is seen later */
	target->seen = file_stamp(target->certificate);
	target->seen_issuer =
	    target->issuer == NULL ? 0 : file_stamp(target->issuer);
	return target_read_quick(target, sources, &pair)
		   ? take_quick(target, &pair)
		   : read_whole(target, sources);
}

bool
target_changed(struct target *target, int64_t now_ms)
{
	uint64_t own = file_stamp(target->certificate);
	uint64_t issuer =
	    target->issuer == NULL ? 0 : file_stamp(target->issuer);
	bool gone = (own == 0 && target->seen != 0) ||
		    (issuer == 0 && target->seen_issuer != 0);

	if (!gone)
		target->gone_ms = 0;
	else if (target->gone_ms == 0)
		target->gone_ms = now_ms;
	return (own != 0 && own != target->seen) ||
	       (issuer != 0 && issuer != target->seen_issuer) ||
	       (gone && now_ms - target->gone_ms >= TARGET_GONE_MS);
}
