/* SPDX-License-Identifier: ISC */
/* keep/control.h -- a running keeper tells how it stands and takes orders.
 *
 * The keeper's files call the hooks below where something happens; what is
 * counted, remembered and told of it is in here.  Questions come over HTTP: at
 * the control socket (a Unix socket that its mode guards) everything, at other
 * listeners what the operator lets each of them serve, but never an order.
 *
 *   GET  /api/v1/status?name=&state=&limit=&after=   /api/v1/history?name=&limit=
 *   GET  /metrics /healthz /readyz /status
 *   POST /api/v1/refresh?name=|all=1                 -> {job, targets}
 *   GET  /api/v1/refresh?job=&after=                 waits for what is new
 *   POST /api/v1/reload                              answered after its round
 *
 * All of it is on the loop's thread. */
#ifndef OCLASP_KEEP_CONTROL_H
#define OCLASP_KEEP_CONTROL_H

#include <stdbool.h>
#include <stddef.h>

struct acquire_result;
struct control;
struct err;
struct keeper;
struct keeper_options;
struct proofs_place;
struct proofs_report;
struct server_question;
struct target;

/* What a listener serves of this, as bits. */
enum {
	CONTROL_STATUS = 1,  /* /status, /api/v1/status and .../history */
	CONTROL_METRICS = 2, /* /metrics */
	CONTROL_HEALTH = 4,  /* /healthz, /readyz */
	CONTROL_ORDERS = 8,  /* refresh and reload: the control socket alone */
	CONTROL_ALL = 15,
};

/* Where a keeper listens: STATE_DIR/control.sock, or, where none was named
 * (NULL) and this is root, /run/oclasp/control.sock.  Owned. */
char *control_path(const char *state_dir);

/* Begin, with the options' socket if they name one.  One that cannot be had is
 * an error in the log, and the care of certificates goes on (I8). */
struct control *control_start(struct keeper *k);
void control_stop(struct control **control);

/* Other options are in force: what of them is for here is obeyed. */
void control_obey(
    struct control *control, const struct keeper_options *options);

/* Answer QUESTION, now or later, at a listener that SERVES this.  False, and
 * nothing is done: it is about something else. */
bool control_answer(struct control *control,
    const struct server_question *question, unsigned serves);

/* True while something must not be cut off by an end of `keep --once`. */
bool control_is_busy(const struct control *control);

/* --- hooks; CONTROL may be NULL, after the end --- */

/* An attempt for TARGET has ended, and what came of it is decided. */
void control_attempted(struct control *control, const struct target *target,
    const struct acquire_result *result);

/* TARGET was decided on; CHANGED: its state is another one.  IDLE: nothing is
 * under way for it, nor will be by itself. */
void control_decided(struct control *control, const struct target *target,
    bool changed, bool idle);

/* The list of what is kept. */
void control_added(struct control *control, const struct target *target);
void control_renewed(struct control *control, const struct target *target);
void control_dropped(struct control *control, const struct target *target);

/* A round begins that proves ALL or what changed; it has put something into
 * service, to be proven; it ended.  Then the proofs come. */
void control_round_began(struct control *control, bool all);
void control_placed(struct control *control, const struct proofs_place *place);
void control_round_ended(
    struct control *control, bool reloaded, const struct err *err);
void control_proof(struct control *control, const struct proofs_report *report);

#endif
