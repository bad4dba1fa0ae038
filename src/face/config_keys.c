/* SPDX-License-Identifier: ISC */
/* face/config_keys.c -- every key of the configuration, once, in one table. */
#include "face/config_keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "doctor/names.h"
#include "face/config_value.h"
#include "face/options.h"
#include "http/fetch.h"
#include "http/server.h"

static int
check_resolver(const char *value, struct err *err)
{
	struct resolver resolver;

	return resolver_parse(value, &resolver, err);
}

static int
check_blackhole(const char *value, struct err *err)
{
	struct options options = {0};

	return options_take_blackhole(&options, value, err);
}

static int
check_control(const char *value, struct err *err)
{
	return names_check(value, err);
}

static int
check_pin(const char *value, struct err *err)
{
	struct acquire_pin pin;

	return acquire_pin_parse(value, &pin, err);
}

/* The sentence never repeats what may hold a password. */
static int
check_proxy(const char *value, struct err *err)
{
	struct proxy proxy;

	return strcmp(value, "none") == 0
		   ? 0
		   : proxy_parse(value, true, &proxy, err);
}

static int
check_upstream(const char *value, struct err *err)
{
	struct roads roads = {0};

	return roads_take_upstream(&roads, value, err);
}

static int
check_responder(const char *value, struct err *err)
{
	struct roads roads = {0};

	return roads_take_responder(&roads, value, NULL, false, err);
}

static int
check_place(const char *value, struct err *err)
{
	struct discover_place place;

	return discover_place_parse(value, &place, err);
}

static int
check_listen(const char *value, struct err *err)
{
	return strcmp(value, "none") == 0 || listen_check(value, err) ? 0 : -1;
}

static int
check_serves(const char *value, struct err *err)
{
	unsigned serves;

	return listen_serves_parse(value, &serves)
		   ? 0
		   : err_set(err, REASON_USAGE,
			 "'%s' is nothing that a listener serves: give ocsp, "
			 "status, metrics, health or all",
			 value);
}

static int
check_server(const char *value, struct err *err)
{
	return strcmp(value, "nginx") == 0
		   ? 0
		   : err_set(err, REASON_USAGE,
			 "server '%s': this version publishes to nginx", value);
}

/* clang-format off */
static const struct config_key keys[] = {
    {"", "state-dir", KEY_TEXT, 0, 0, NULL, NULL},
    {"", "ca-file", KEY_TEXT, 0, 0, NULL, NULL},
    {"", "tls-ca", KEY_TEXT, 0, 0, NULL, NULL},
    {"", "alarm-command", KEY_LIST, 0, OPTIONS_ALARM_MAX, NULL, NULL},
    {"", "alarm-timeout", KEY_DURATION, 1, OPTIONS_TIMEOUT_MAX_S, NULL, NULL},
    {"", "control-group", KEY_TEXT, 0, 0, NULL, NULL},
    {"", "log-format", KEY_CHOICE, 0, 0, "text json", NULL},
    {"", "resolvers", KEY_LIST, 0, RESOLVERS_MAX, NULL, check_resolver},
    {"", "pins", KEY_LIST, 0, ACQUIRE_PINS_MAX, NULL, check_pin},
    {"", "proxies", KEY_LIST, 0, PROXIES_MAX, NULL, check_proxy},
    {"", "proxy-auth-file", KEY_TEXT, 0, 0, NULL, NULL},
    {"", "no-proxy", KEY_LIST, 0, PROXY_SKIP_MAX, NULL, NULL},
    {"", "upstreams", KEY_LIST, 0, ACQUIRE_UPSTREAMS_MAX, NULL,
	check_upstream},
    {"", "allow-private", KEY_BOOL, 0, 0, NULL, NULL},
    {"", "blackhole", KEY_TEXT, 0, 0, NULL, check_blackhole},
    {"", "control", KEY_TEXT, 0, 0, NULL, check_control},
    {"", "pool", KEY_TEXT, 0, 0, NULL, NULL},
    {"", "timeout", KEY_DURATION, 1, OPTIONS_TIMEOUT_MAX_S, NULL, NULL},
    {"", "allow-sha1", KEY_BOOL, 0, 0, NULL, NULL},
    {"", "allow-no-next-update", KEY_BOOL, 0, 0, NULL, NULL},

    {"", "certid", KEY_CHOICE, 0, 0, "sha1 sha256 both", NULL},
    {"", "on-revoked", KEY_CHOICE, 0, 0, "withdraw keep", NULL},

    {"", "certificate", KEY_BLOCK, 0, 0, NULL, NULL},
    {"certificate", "issuer", KEY_TEXT, 0, 0, NULL, NULL},
    {"certificate", "url", KEY_TEXT, 0, 0, NULL, options_check_url},

    {"", "issuer", KEY_BLOCK, 0, 0, NULL, NULL},
    {"issuer", "url", KEY_TEXT, 0, 0, NULL, options_check_url},
    {"issuer", "signer-file", KEY_TEXT, 0, 0, NULL, NULL},
    {"issuer", "no-next-update-life", KEY_DURATION, 60,
	RULES_NO_NEXT_UPDATE_MAX_S, NULL, NULL},
    {"issuer", "nonce", KEY_CHOICE, 0, 0, "no send strict", NULL},
    {"issuer", "certid", KEY_CHOICE, 0, 0, "sha1 sha256 both", NULL},
    {"issuer", "on-revoked", KEY_CHOICE, 0, 0, "withdraw keep", NULL},
    {"issuer", "allow-sha1", KEY_BOOL, 0, 0, NULL, NULL},

    {"", "responder", KEY_BLOCK, 0, 0, NULL, check_responder},
    {"responder", "proxy", KEY_TEXT, 0, 0, NULL, check_proxy},
    {"responder", "private", KEY_BOOL, 0, 0, NULL, NULL},

    {"", "discover", KEY_SECTION, 0, 0, NULL, NULL},
    {"discover", "places", KEY_LIST, 0, DISCOVER_PLACES_MAX, NULL,
	check_place},

    {"", "relay-unknown", KEY_BOOL, 0, 0, NULL, NULL},
    {"", "listen", KEY_BLOCK, 0, 0, NULL, check_listen},
    {"listen", "serves", KEY_LIST, 0, 8, NULL, check_serves},
    {"listen", "threads", KEY_COUNT, 1, SERVER_THREADS_MAX, NULL, NULL},
    {"listen", "connections", KEY_COUNT, 1, 1000000, NULL, NULL},
    {"listen", "per-address", KEY_COUNT, 1, 1000000, NULL, NULL},
    {"listen", "mode", KEY_CHOICE, 0, 0, "0600 0660 0666", NULL},

    {"", "server", KEY_BLOCK, 0, 0, NULL, check_server},
    {"server", "command", KEY_TEXT, 0, 0, NULL, options_check_command},
};
/* clang-format on */

enum { KEYS = sizeof(keys) / sizeof(keys[0]) };

const struct config_key *
config_key_at(size_t index)
{
	return index < KEYS ? &keys[index] : NULL;
}

const struct config_key *
config_key_find(const char *block, const char *name)
{
	for (size_t i = 0; i < KEYS; i++) {
		if (strcmp(keys[i].block, block) == 0 &&
		    strcmp(keys[i].name, name) == 0)
			return &keys[i];
	}
	return NULL;
}

/* --- values --- */

static int
check_duration(const struct config_key *key, const char *value, struct err *err)
{
	char range[CONFIG_RANGE];
	int64_t seconds;

	if (config_duration(value, key->min, key->max, &seconds))
		return 0;
	return err_set(err, REASON_USAGE,
	    "%s = '%s': give a time %s, such as \"15 s\", \"10 min\", \"2 h\" "
	    "or \"3 d\"",
	    key->name, value, config_duration_range(key->min, key->max, range));
}

static int
check_count(const struct config_key *key, const char *value, struct err *err)
{
	int64_t count;

	if (text_number(value, key->min, key->max, &count))
		return 0;
	return err_set(err, REASON_USAGE,
	    "%s = '%s': give a whole number from %lld to %lld", key->name,
	    value, (long long)key->min, (long long)key->max);
}

static int
check_bool(const struct config_key *key, const char *value, struct err *err)
{
	bool on;

	return config_bool(value, &on)
		   ? 0
		   : err_set(err, REASON_USAGE, "%s = '%s': give true or false",
			 key->name, value);
}

static int
check_choice(const struct config_key *key, const char *value, struct err *err)
{
	size_t len = strlen(value);

	for (const char *at = key->choices; *at != '\0';) {
		size_t word = strcspn(at, " ");

		if (word == len && strncmp(at, value, len) == 0)
			return 0;
		at += word;
		at += strspn(at, " ");
	}
	return err_set(err, REASON_USAGE, "%s = '%s': give one of: %s",
	    key->name, value, key->choices);
}

int
config_key_check(
    const struct config_key *key, const char *value, struct err *err)
{
	struct err why = {0};
	int rc = 0;

	if (value[0] == '\0')
		return err_set(err, REASON_USAGE,
		    "%s has an empty value: take the line out, or give one",
		    key->name);
	switch (key->kind) {
	case KEY_TEXT:
	case KEY_LIST:
	case KEY_BLOCK:
	case KEY_SECTION:
		break;
	case KEY_BOOL:
		rc = check_bool(key, value, err);
		break;
	case KEY_DURATION:
		rc = check_duration(key, value, err);
		break;
	case KEY_COUNT:
		rc = check_count(key, value, err);
		break;
	case KEY_CHOICE:
		rc = check_choice(key, value, err);
		break;
	}
	if (rc == 0 && key->check != NULL && key->check(value, &why) == -1)
		rc = err_set(err, why.reason, "%s: %s", key->name, why.text);
	return rc;
}

/* --- names --- */

/* The key of BLOCK that NAME is a slip for, or NULL. */
static const struct config_key *
nearest(const char *block, const char *name)
{
	const struct config_key *best = NULL;
	size_t least = CONFIG_WORD_MAX;

	for (size_t i = 0; i < KEYS; i++) {
		size_t far = config_distance(name, keys[i].name);

		if (strcmp(keys[i].block, block) == 0 && far < least &&
		    config_is_near(name, keys[i].name)) {
			best = &keys[i];
			least = far;
		}
	}
	return best;
}

/* NAME is a key, but not in BLOCK: say of which ones. */
static int
misplaced(const char *block, const char *name, struct err *err)
{
	char blocks[128] = "";
	size_t len = 0;

	if (config_key_find("", name) != NULL)
		return err_set(err, REASON_USAGE,
		    "'%s' is no key of a block '%s', but one outside of all "
		    "blocks: is a '}' missing before it?",
		    name, block);
	for (size_t i = 0; i < KEYS; i++) {
		if (strcmp(keys[i].name, name) == 0 && len < sizeof(blocks))
			len += (size_t)snprintf(blocks + len,
			    sizeof(blocks) - len, "%s'%s'",
			    len == 0 ? "" : " or ", keys[i].block);
	}
	if (block[0] == '\0')
		return err_set(err, REASON_USAGE,
		    "'%s' belongs into a block %s, not outside of it", name,
		    blocks);
	return err_set(err, REASON_USAGE,
	    "'%s' belongs into a block %s, not into one '%s'", name, blocks,
	    block);
}

static bool
is_key(const char *name)
{
	for (size_t i = 0; i < KEYS; i++) {
		if (strcmp(keys[i].name, name) == 0)
			return true;
	}
	return false;
}

int
config_key_unknown(const char *block, const char *name, struct err *err)
{
	const struct config_key *near = nearest(block, name);
	const char *in = block[0] == '\0' ? "" : " in a block '";
	const char *end = block[0] == '\0' ? "" : "'";

	if (is_key(name))
		return misplaced(block, name, err);
	if (near != NULL)
		return err_set(err, REASON_USAGE,
		    "unknown key '%s'%s%s%s: did you mean '%s'?", name, in,
		    block, end, near->name);
	return err_set(err, REASON_USAGE,
	    "unknown key '%s'%s%s%s: oclasp.conf(5) has all of them", name, in,
	    block, end);
}
