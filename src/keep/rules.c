/* SPDX-License-Identifier: ISC */
/* keep/rules.c -- what the operator says of the certificates of one issuer. */
#include "keep/rules.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"

enum { FINGERPRINT = 64 }; /* hex digits of a SHA-256 */

struct rules {
	struct rule *items;
	size_t count;
};

/* --- words --- */

/* The place of TEXT among COUNT WORDS, or -1. */
static int
find_word(const char *text, const char *const *words, int count)
{
	for (int i = 0; i < count; i++) {
		if (strcmp(text, words[i]) == 0)
			return i;
	}
	return -1;
}

bool
certid_parse(const char *text, enum certid_choice *out)
{
	static const char *const words[] = {"sha1", "sha256", "both"};
	static const enum certid_choice values[] = {
	    CERTID_SHA1, CERTID_SHA256, CERTID_BOTH};
	int at = find_word(text, words, 3);

	if (at >= 0)
		*out = values[at];
	return at >= 0;
}

bool
on_revoked_parse(const char *text, enum on_revoked *out)
{
	static const char *const words[] = {"withdraw", "keep"};
	static const enum on_revoked values[] = {
	    ON_REVOKED_WITHDRAW, ON_REVOKED_KEEP};
	int at = find_word(text, words, 2);

	if (at >= 0)
		*out = values[at];
	return at >= 0;
}

bool
nonce_parse(const char *text, enum nonce_choice *out)
{
	static const char *const words[] = {"no", "send", "strict"};
	static const enum nonce_choice values[] = {
	    NONCE_NONE, NONCE_SEND, NONCE_STRICT};
	int at = find_word(text, words, 3);

	if (at >= 0)
		*out = values[at];
	return at >= 0;
}

/* --- load --- */

static void
rule_done(struct rule *rule)
{
	cert_list_done(&rule->issuers);
	cert_list_done(&rule->signers);
	/* our copies; the struct borrows by its type only */
	free((void *)(uintptr_t)rule->said.issuer);
	free((void *)(uintptr_t)rule->said.where);
	free((void *)(uintptr_t)rule->said.url);
	free((void *)(uintptr_t)rule->said.signer);
}

void
rules_free(struct rules *rules)
{
	if (rules == NULL)
		return;
	for (size_t i = 0; i < rules->count; i++)
		rule_done(&rules->items[i]);
	free(rules->items);
	free(rules);
}

/* A file of the block of ISSUER. */
static int
load_file(struct cert_list *list, const char *path, const char *issuer,
    struct err *err)
{
	struct err why = {0};

	return cert_list_load(list, path, &why) == 0
		   ? 0
		   : err_set(
			 err, why.reason, "issuer '%s': %s", issuer, why.text);
}

static int
load_one(struct rule *rule, struct err *err)
{
	const struct issuer_rules *said = &rule->said;

	if (said->issuer == NULL || said->issuer[0] == '\0')
		return err_set(err, REASON_USAGE,
		    "an issuer block names no issuer: give its name, its "
		    "SHA-256 fingerprint or a file with its certificate");
	if (said->no_next_update_s < 0 ||
	    said->no_next_update_s > RULES_NO_NEXT_UPDATE_MAX_S)
		return err_set(err, REASON_USAGE,
		    "issuer '%s': a response without nextUpdate may live for "
		    "10 days at most",
		    said->issuer);
	if (strchr(said->issuer, '/') != NULL &&
	    load_file(&rule->issuers, said->issuer, said->issuer, err) == -1)
		return -1;
	return said->signer == NULL
		   ? 0
		   : load_file(&rule->signers, said->signer, said->issuer, err);
}

struct rules *
rules_load(const struct issuer_rules *said, size_t count, struct err *err)
{
	struct rules *rules = mem_new(sizeof(*rules));

	if (count > RULES_MAX) {
		(void)err_set(err, REASON_USAGE,
		    "more than %d issuer blocks are too many", RULES_MAX);
		rules_free(rules);
		return NULL;
	}
	rules->items = mem_array(count, sizeof(rules->items[0]));
	for (size_t i = 0; i < count; i++) {
		struct rule *rule = &rules->items[rules->count++];

		rule->said = said[i];
		rule->said.issuer = mem_string(said[i].issuer);
		rule->said.where = mem_string(said[i].where);
		rule->said.url = mem_string(said[i].url);
		rule->said.signer = mem_string(said[i].signer);
		if (load_one(rule, err) == -1) {
			rules_free(rules);
			return NULL;
		}
	}
	return rules;
}

/* --- find --- */

/* TEXT is FINGERPRINT in hex of either case, with colons or not. */
static bool
is_fingerprint(const char *text, const char *fingerprint)
{
	size_t at = 0;

	for (; *text != '\0'; text++) {
		if (*text == ':')
			continue;
		if (at == FINGERPRINT ||
		    tolower((unsigned char)*text) != fingerprint[at])
			return false;
		at++;
	}
	return at == FINGERPRINT;
}

/* NAME is the whole SUBJECT (RFC 2253), or the value of a CN in it.  What is
 * escaped in a subject has to be written so. */
static bool
is_subject(const char *name, const char *subject)
{
	size_t len = strlen(name);

	if (strcasecmp(name, subject) == 0)
		return true;
	for (const char *at = subject; at != NULL; at = strchr(at, ',')) {
		at += *at == ',';
		if (strncasecmp(at, "CN=", 3) == 0 &&
		    strncasecmp(at + 3, name, len) == 0 &&
		    (at[3 + len] == '\0' || at[3 + len] == ',' ||
			at[3 + len] == '+'))
			return true;
	}
	return false;
}

static bool
is_listed(const struct cert_list *list, const struct cert *cert)
{
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->items[i]->fingerprint, cert->fingerprint) == 0)
			return true;
	}
	return false;
}

bool
rule_fits(
    const struct rule *rule, const struct cert *leaf, const struct cert *issuer)
{
	const char *name = rule->said.issuer;

	if (is_subject(name, issuer != NULL ? issuer->subject : leaf->issuer))
		return true;
	return issuer != NULL && (is_fingerprint(name, issuer->fingerprint) ||
				     is_listed(&rule->issuers, issuer));
}

const char *
rule_by(const struct rule *rule)
{
	const char *name = rule->said.issuer;
	size_t len = strlen(name), digits = 0;

	if (rule->issuers.count > 0)
		return "file";
	for (size_t i = 0; i < len; i++)
		digits += isxdigit((unsigned char)name[i]) != 0;
	return digits == FINGERPRINT &&
		       strspn(name, ":0123456789abcdefABCDEF") == len
		   ? "fingerprint"
		   : "name";
}

const struct rule *
rules_at(const struct rules *rules, size_t at)
{
	return rules == NULL || at >= rules->count ? NULL : &rules->items[at];
}

const struct rule *
rules_find(const struct rules *rules, const struct cert *leaf,
    const struct cert *issuer)
{
	const struct rule *rule;

	for (size_t i = 0; (rule = rules_at(rules, i)) != NULL; i++) {
		if (rule_fits(rule, leaf, issuer))
			return rule;
	}
	return NULL;
}
