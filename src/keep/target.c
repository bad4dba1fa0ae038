/* SPDX-License-Identifier: ISC */
/* keep/target.c -- one certificate that is kept: what we know and have of it. */
#include "keep/target.h"

#include <stdlib.h>
#include <string.h>

#include "acquire/acquire.h"
#include "base/mem.h"
#include "http/fetch.h"
#include "pki/staple.h"

struct target *
target_new(const struct target_spec *spec)
{
	struct target *target = mem_new(sizeof(*target));

	target->entry.subject = target->place.subject = target;
	target->certificate = mem_string(spec->certificate);
	target->issuer = mem_string(spec->issuer);
	target->url = mem_string(spec->url);
	target->state = STATE_PENDING;
	return target;
}

void
target_free(struct target *target)
{
	if (target == NULL)
		return;
	acquire_cancel(&target->acquire);
	identity_done(&target->id);
	staple_free(target->staple);
	free(target->certificate);
	free(target->issuer);
	free(target->url);
	free(target->responder);
	free(target);
}

/* Another certificate: what was known is of no use for it. */
static void
forget(struct target *target)
{
	acquire_cancel(&target->acquire);
	staple_free(target->staple);
	target->staple = NULL;
	target->said = target->last_final = false;
	target->failures = 0;
	target->last_attempt = target->fetch_again = target->retry_after = 0;
	err_clear(&target->last_err);
}

static void
look_at(const char *path, struct stat *seen)
{
	if (path == NULL || stat(path, seen) == -1)
		memset(seen, 0, sizeof(*seen));
}

/* The host of the URL that is asked first; what is no http URL goes by its own
 * name, and fails at once. */
static void
name_responder(struct target *target)
{
	const struct cert *leaf = target->id.leaf;
	const char *url = target->url;
	char *host = NULL;
	int port;

	if (url == NULL && leaf != NULL && leaf->ocsp_url_count > 0)
		url = leaf->ocsp_urls[0];
	free(target->responder);
	target->responder = NULL;
	if (url != NULL)
		target->responder =
		    fetch_split_url(url, &host, &port) ? host : mem_string(url);
}

/* A file that cannot be read for a moment (it is being replaced) must not cost
 * a staple that lives (I2): true if what was read before is to stay. */
static bool
is_worse(const struct target *target, const struct identity *fresh)
{
	const char *before = target_fingerprint(target);

	if (before == NULL)
		return false;
	if (fresh->leaf == NULL)
		return true;
	return fresh->issuer == NULL && target->id.issuer != NULL &&
	       strcmp(before, fresh->leaf->fingerprint) == 0;
}

bool
target_read(struct target *target, const char *ca_file)
{
	const struct identity_files files = {
	    .certificate = target->certificate,
	    .issuer = target->issuer,
	    .ca_file = ca_file,
	};
	const char *before = target_fingerprint(target);
	struct identity fresh;
	struct err err = {0};
	bool other;

	/* looked at before they are read: a change in between is seen later */
	look_at(target->certificate, &target->seen);
	look_at(target->issuer, &target->seen_issuer);
	(void)identity_load(&files, &fresh, &err);
	/* Without a responder nobody needs the issuer. */
	if (fresh.leaf != NULL && fresh.leaf->ocsp_url_count == 0 &&
	    target->url == NULL)
		err_clear(&err);
	target->unreadable = err;
	if (is_worse(target, &fresh)) {
		identity_done(&fresh);
		return false;
	}
	other = before == NULL || fresh.leaf == NULL ||
		strcmp(before, fresh.leaf->fingerprint) != 0;
	/* an acquisition borrows of the identity that goes away here */
	acquire_cancel(&target->acquire);
	identity_done(&target->id);
	target->id = fresh;
	name_responder(target);
	if (other)
		forget(target);
	return other;
}

static bool
has_changed(const char *path, const struct stat *seen)
{
	struct stat now;

	if (path == NULL || stat(path, &now) == -1)
		return false; /* gone for a moment: it is being replaced */
	return now.st_mtim.tv_sec != seen->st_mtim.tv_sec ||
	       now.st_mtim.tv_nsec != seen->st_mtim.tv_nsec ||
	       now.st_size != seen->st_size || now.st_ino != seen->st_ino ||
	       now.st_dev != seen->st_dev;
}

bool
target_changed(const struct target *target)
{
	return has_changed(target->certificate, &target->seen) ||
	       has_changed(target->issuer, &target->seen_issuer);
}

const char *
target_name(const struct target *target)
{
	return target->id.leaf == NULL ? target->certificate
				       : cert_name(target->id.leaf);
}

struct log_about
target_about(const struct target *target, const char *event, enum reason failed)
{
	return (struct log_about){
	    .event = event,
	    .certificate = target_name(target),
	    .responder = target->responder,
	    .reason = failed,
	};
}

enum reason
target_reason(const struct target *target, enum target_state state)
{
	switch (state) {
	case STATE_NO_RESPONDER:
	case STATE_MUST_STAPLE_MISSING:
		return REASON_NO_OCSP_URL;
	case STATE_CERTIFICATE_EXPIRED:
		return REASON_CERTIFICATE_EXPIRED;
	case STATE_ERROR:
		return target->unreadable.reason;
	case STATE_RETRYING:
	case STATE_EXPIRING:
	case STATE_EXPIRED:
	case STATE_PENDING:
	case STATE_FRESH:
	case STATE_DUE:
		return target->last_err.reason;
	case STATE_REVOKED: /* an answer, no failure */
	case STATE_UNKNOWN:
	case STATE_NOT_NEEDED:
		return REASON_NONE;
	}
	return REASON_NONE;
}

const char *
target_fingerprint(const struct target *target)
{
	return target->id.leaf == NULL ? NULL : target->id.leaf->fingerprint;
}

struct policy_facts
target_facts(const struct target *target, int64_t now)
{
	const struct cert *leaf = target->id.leaf;
	struct policy_facts facts = {
	    .now = now,
	    .random = target->random,
	    .failures = target->failures,
	    .last_attempt = target->last_attempt,
	    .last_final = target->last_final,
	    .last_status = target->last_status,
	    .fetch_again = target->fetch_again,
	    .retry_after = target->retry_after,
	};

	if (leaf != NULL) {
		facts.responder =
		    target->url != NULL || leaf->ocsp_url_count > 0;
		/* without a responder nobody needs the issuer */
		facts.readable = target->id.issuer != NULL || !facts.responder;
		facts.must_staple = leaf->must_staple;
		facts.not_before = leaf->not_before;
		facts.not_after = leaf->not_after;
	}
	if (target->staple != NULL) {
		const struct verdict *v = staple_facts(target->staple);

		facts.has_staple = true;
		facts.this_update = v->this_update;
		facts.end = v->usable_until;
		facts.usable_until = staple_usable_until(target->staple);
	}
	return facts;
}

int64_t
target_this_update(const struct target *target)
{
	return target->staple == NULL
		   ? 0
		   : staple_facts(target->staple)->this_update;
}

const struct staple *
target_servable(const struct target *target, int64_t now)
{
	return target->staple != NULL && staple_usable(target->staple, now)
		   ? target->staple
		   : NULL;
}
