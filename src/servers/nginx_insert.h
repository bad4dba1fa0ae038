/* SPDX-License-Identifier: ISC */
/* servers/nginx_insert.h -- words put into a configuration file; private to
 * nginx_plan.c.
 *
 * Every edit is an insertion, so no byte that the operator wrote is lost. */
#ifndef OCLASP_SERVERS_NGINX_INSERT_H
#define OCLASP_SERVERS_NGINX_INSERT_H

#include <stddef.h>

#include "servers/nginx_conf.h"

/* What comes first where two insertions meet: a line behind the one that holds
 * a directive, the line end that closes a comment, the sign of the next comment,
 * and the words before a '}'. */
enum nginx_insert_order {
	INSERT_BEHIND,
	INSERT_BREAK,
	INSERT_COMMENT,
	INSERT_LAST,
};

struct nginx_insert {
	size_t at; /* byte of the file's text */
	enum nginx_insert_order order;
	char *text; /* owned */
};

struct nginx_inserts {
	struct nginx_insert *items;
	size_t count;
};

/* WORDS (a whole directive) behind DIRECTIVE: on a line of its own with the
 * same indentation, unless more stands on the same line. */
void nginx_insert_behind(struct nginx_inserts *list,
    const struct nginx_file *file, const struct nginx_directive *directive,
    const char *words);

/* WORDS as the last directive of BLOCK. */
void nginx_insert_last(struct nginx_inserts *list,
    const struct nginx_file *file, const struct nginx_directive *block,
    const char *words);

/* Make DIRECTIVE a comment. */
void nginx_insert_comment(struct nginx_inserts *list,
    const struct nginx_file *file, const struct nginx_directive *directive);

/* The file's text with all of LIST, which is emptied; owned.  The same
 * insertion asked for twice is made once. */
char *nginx_insert_apply(
    struct nginx_inserts *list, const struct nginx_file *file);

#endif
