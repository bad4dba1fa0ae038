/* SPDX-License-Identifier: ISC */
/* face/config_keys.h -- every key of the configuration, once, in one table.
 *
 * A new key is a row here, a line where config.c takes it, a paragraph in
 * oclasp.conf(5) and a commented line in etc/oclasp.conf; tools/check-docs
 * and test_config look for the last two. */
#ifndef OCLASP_FACE_CONFIG_KEYS_H
#define OCLASP_FACE_CONFIG_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

enum config_kind {
	KEY_TEXT,
	KEY_LIST,     /* of text; MAX entries at most */
	KEY_BOOL,     /* see config_bool */
	KEY_DURATION, /* see config_duration; MIN to MAX seconds */
	KEY_COUNT,    /* a whole number, MIN to MAX */
	KEY_CHOICE,   /* one of CHOICES */
	KEY_BLOCK,    /* NAME "TITLE" { ... }, any number of different titles */
	KEY_SECTION,  /* NAME { ... }, once */
};

struct config_key {
	const char *block; /* in which it stands; "" in none */
	const char *name;
	enum config_kind kind;
	int64_t min, max;
	const char *choices; /* words with blanks between */
	/* What is wrong with one value (of a block: with its title), or 0;
	 * NULL: nothing more than KIND says. */
	int (*check)(const char *value, struct err *err);
};

/* The row at INDEX; NULL behind the last one. */
const struct config_key *config_key_at(size_t index);

/* The row of NAME in BLOCK, or NULL. */
const struct config_key *config_key_find(const char *block, const char *name);

/* What is wrong with VALUE as one of KEY's, in a sentence that names the key
 * but never a value that may hold a password.  Errors: REASON_USAGE. */
int config_key_check(
    const struct config_key *key, const char *value, struct err *err);

/* A sentence on the key NAME that BLOCK has not: what may have been meant, or
 * where it belongs.  Returns -1.  Errors: REASON_USAGE. */
int config_key_unknown(const char *block, const char *name, struct err *err);

#endif
