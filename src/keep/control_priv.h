/* SPDX-License-Identifier: ISC */
/* keep/control_priv.h -- the inside of the control, for its files: control.c
 * (begin, hooks, end), control_answer.c (which question is whose, documents),
 * control_refresh.c and control_reload.c (orders, which take their time). */
#ifndef OCLASP_KEEP_CONTROL_PRIV_H
#define OCLASP_KEEP_CONTROL_PRIV_H

#include <jansson.h>

#include "http/server.h"
#include "keep/alarm.h"
#include "keep/control.h"
#include "keep/keeper_priv.h"
#include "keep/metrics.h"
#include "keep/outlets.h"

struct refresh;
struct reload;

struct control {
	struct keeper *k;
	struct server *server; /* of the control socket; or NULL */
	char *socket;          /* its path, while it is ours */
	int64_t started_at;
	struct metrics metrics;
	struct outlets outlets;
	struct alarm *alarm;
	struct refresh *refreshes; /* a list; owned */
	size_t refresh_count;
	uint64_t refresh_last;      /* the id that was given last */
	struct reload *reload;      /* under way, or NULL; owned */
	struct reload *reload_next; /* ordered meanwhile; the same */
	json_t *readiness;          /* as /readyz told it last, or NULL, */
	bool was_ready;             /* when this was so, */
	int64_t readiness_until_ms; /* and till then: monotonic */
};

/* --- control_answer.c --- */

/* Give DOCUMENT, which is taken, as the answer. */
void control_reply(struct server_call *call, unsigned status, json_t *document);

/* A document of COMMAND with what went wrong. */
void control_refuse(struct server_call *call, unsigned status,
    const char *command, const struct err *err);

/* --- control_refresh.c --- */

void control_refresh_order(
    struct control *control, const struct server_question *question);
void control_refresh_ask(
    struct control *control, const struct server_question *question);
void control_refresh_ended(struct control *control, const struct target *target,
    const struct acquire_result *result);
void control_refresh_dropped(
    struct control *control, const struct target *target);
void control_refresh_done(struct control *control);

/* --- control_reload.c --- */

void control_reload_order(
    struct control *control, const struct server_question *question);
enum control_news { NEWS_ADDED, NEWS_RENEWED, NEWS_DROPPED, NEWS_COUNT };
void control_reload_note(struct control *control, enum control_news news,
    const struct target *target);
void control_reload_round(
    struct control *control, bool reloaded, const struct err *err);
void control_reload_done(struct control *control);

#endif
