/* SPDX-License-Identifier: ISC */
/* keep/keeper_fit.c -- issuer blocks that are about nothing that is kept.
 *
 * A slip in an issuer's name makes its block a dead letter, and its certificates
 * go by the strict rules, which refuse the answers of their responder: that
 * would look like the responder's fault.  It is no error: the block may be there
 * for certificates that come later (I8). */
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "keep/keeper_priv.h"
#include "keep/rules.h"

enum {
	NAMED_MAX = 4,    /* issuers that are shown beside it */
	NAMES_ROOM = 600, /* octets of their names */
};

/* What is kept, as far as rules go. */
struct kept_issuers {
	struct buf names;    /* of the first issuers, for a reader */
	size_t count, named; /* issuers; those in NAMES */
	size_t unread;       /* certificates whose issuer is not known */
};

static void
look_at_kept(const struct keeper *k, struct kept_issuers *kept)
{
	for (const struct issuer *issuer = k->issuers.all; issuer != NULL;
	     issuer = issuer->hh.next) {
		if (kept->count++ >= NAMED_MAX)
			continue;
		buf_printf(&kept->names, "%s'%s'",
		    kept->named++ > 0 ? ", " : "", issuer->cert->subject);
	}
	for (size_t i = 0; i < k->target_count; i++)
		kept->unread += k->targets[i]->leaf == NULL;
}

/* True if something that is kept goes by RULE, or would if no earlier block
 * were about the same issuer: then *EARLIER is that one. */
static bool
fits_something(const struct keeper *k, const struct rule *rule,
    const struct rule **earlier)
{
	for (const struct issuer *issuer = k->issuers.all; issuer != NULL;
	     issuer = issuer->hh.next) {
		if (issuer->rule == rule)
			return true;
		if (rule_fits(rule, NULL, issuer->cert))
			*earlier = issuer->rule;
	}
	/* one without its issuer's certificate has the issuer's name */
	for (size_t i = 0; i < k->target_count; i++) {
		const struct target *target = k->targets[i];

		if (target->leaf != NULL && target->ca == NULL &&
		    rule_fits(rule, target->leaf, NULL))
			return true;
	}
	return false;
}

static void
say(const struct rule *rule, const struct rule *earlier,
    const struct kept_issuers *kept)
{
	const struct issuer_rules *said = &rule->said;
	const char *where =
	    said->where == NULL ? "the configuration" : said->where;
	const struct log_about about = {.event = "issuer-unused"};

	if (earlier != NULL)
		log_event(LOG_WARNING, about,
		    "%s: the block of issuer '%s' has no effect: the one at %s "
		    "is about the same issuer and comes first",
		    where, said->issuer,
		    earlier->said.where == NULL ? "the configuration"
						: earlier->said.where);
	else
		log_event(LOG_WARNING, about,
		    "%s: the block of issuer '%s' has no effect: by this %s no "
		    "certificate that is kept was issued%s; their issuers: %s%s",
		    where, said->issuer, rule_by(rule),
		    kept->unread > 0 ? ", as far as their files can be read"
				     : "",
		    kept->count == 0 ? "none is known" : buf_text(&kept->names),
		    kept->count > kept->named ? ", ..." : "");
}

void
keeper_check_rules(struct keeper *k)
{
	struct kept_issuers kept = {0};
	const struct rule *rule;

	/* who is found on this machine is known after the first look */
	if (k->settings->rules_said || keeper_has_chores(k) ||
	    k->look != NULL || k->list_stale || k->scan != NULL)
		return;
	k->settings->rules_said = true;
	buf_init(&kept.names, NAMES_ROOM);
	look_at_kept(k, &kept);
	for (size_t i = 0; (rule = rules_at(k->settings->rules, i)) != NULL;
	     i++) {
		const struct rule *earlier = NULL;

		if (!fits_something(k, rule, &earlier))
			say(rule, earlier, &kept);
	}
	buf_done(&kept.names);
}
