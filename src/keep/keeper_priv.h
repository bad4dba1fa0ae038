/* SPDX-License-Identifier: ISC */
/* keep/keeper_priv.h -- the inside of the keeper, for its files: keeper.c
 * (begin, signals, end), keeper_reload.c (the configuration anew),
 * keeper_list.c (which targets there are), keeper_fit.c (for which of them no
 * issuer block is), keeper_chores.c (their files, a few
 * at a time), keeper_watch.c (files that change), keeper_index.c (by path and
 * fingerprint),
 * keeper_fetch.c (what is due), keeper_busy.c (time that was not ours), keeper_adopt.c (what a restart finds),
 * keeper_unread.c (what it cannot read, and leaves in service),
 * keeper_store.c (what is remembered),
 * keeper_relay.c (what answers others), keeper_inbox.c (what a courier brought),
 * keeper_serve.c (what is published) and keeper_proofs.c (what is then served). */
#ifndef OCLASP_KEEP_KEEPER_PRIV_H
#define OCLASP_KEEP_KEEPER_PRIV_H

#include <uv.h>

#include "keep/control.h"
#include "keep/keeper.h"
#include "keep/look.h"
#include "keep/parties.h"
#include "keep/proofs.h"
#include "keep/publish.h"
#include "keep/schedule.h"
#include "keep/settings.h"
#include "keep/store.h"

/* What the store has of a certificate, verified; until it is adopted. */
struct keeper_recalled {
	char fingerprint[65];
	bool found;
	struct store_state state;
	struct staple *staple, *second; /* owned; NULL: none that is usable */
	bool unsealed;                  /* and their seals are not stored */
};

struct keeper {
	struct control *control; /* who tells of all this; NULL after the end */
	struct settings *settings;            /* in force; owned */
	const struct keeper_options *options; /* theirs */
	uv_loop_t loop;
	struct fetch_pool *pool;
	struct store *store;
	struct address_book *book;
	struct delegates *delegates; /* that have signed before */
	struct sealer *sealer;       /* of what was verified; or NULL */
	char *staple_dir, *snippet_dir;
	int lock;

	struct target **targets; /* owned */
	size_t target_count, target_room;
	struct target *by_path;  /* the same, a hash by certificate file, */
	struct target *by_print; /* and by fingerprint, see keeper_find */
	struct issuers issuers;  /* of all targets */
	struct unread *unread;   /* by target, see keeper_unread.c */
	bool list_unsaved;       /* the store has another list of targets, */
	struct keeper_recalled recalled;
	const struct store_item *stored; /* read already, or NULL; borrowed */
	struct keeper_walk *walk;        /* through the store; or NULL */
	bool some_unsaved;               /* or lacks what some targets have */
	bool store_ailing;               /* what changes is in memory only */
	uint64_t inbox_stuck; /* of the inbox, when something stayed in it; or
				 0 */
	bool store_unread;    /* it was said that it cannot be read */
	int64_t pruned_s;     /* wall: when the store was, last */
	struct loop_timer *book_timer; /* the book is saved then */
	struct schedule schedule;
	struct places places;     /* who fetches, and who waits for that */
	struct loop_timer *due;   /* the first of the schedule */
	struct loop_timer *watch; /* files, */
	size_t look_next;         /* from this target on */
	struct watch *folders;    /* or NULL */
	struct target *chores;    /* files to be read */
	struct loop_timer *chore_timer;
	int64_t wall_s, mono_ms; /* when the clocks were last compared */
	struct parties parties;  /* outside, named in the log */
	struct relay *relay;     /* answers others; NULL: nobody listens */
	struct listen *listen;

	struct look *look; /* under way, or NULL */
	struct loop_timer *look_timer;
	struct found found; /* what is in use here, as far as is known */

	struct nginx nginx;
	struct nginx_scan *scan;
	struct nginx_conf *conf; /* as last read, or NULL */
	uint64_t conf_stamp;     /* of its files then */
	struct publish *publish;
	struct loop_timer *publish_timer;
	struct loop_timer *calm; /* a newer staple waits for others, */
	int64_t calm_ms;         /* monotonic: until then */
	bool dirty;              /* something is to be published, */
	int64_t dirty_ms;        /* since then */
	bool prove_all;          /* the next round proves everything, */
	bool proving;            /* this one does */
	bool list_stale;         /* the targets are not what they should be */
	int64_t retry_ms;        /* after a failed round; 0: none failed */
	int64_t retry_at_ms;     /* monotonic: when that pause is over */
	bool overdue;          /* a staple in service has ended: the next round
				    is for that, */
	bool withdrawing;      /* this one is */
	bool publish_failed;   /* the last round did */
	bool cut_short;        /* it left files to the next, for a withdrawal */
	int64_t thorough_ms;   /* one looked into every file then; 0: none */
	struct proofs *proofs; /* beside the rounds */
	bool unserved;         /* in the end some of them had failed */

	uv_signal_t sigterm, sigint, sighup;
	struct loop_timer *reload;          /* SIGHUP came */
	struct loop_timer *beat;            /* with --once; see keeper_busy.c */
	int64_t begin_ms, beat_ms, late_ms; /* monotonic */
	struct loop_timer *watchdog;
	int64_t watchdog_ms;
	bool slack;        /* memory may be given back, */
	int64_t rested_ms; /* as it was then; 0: never */
	bool looked;       /* all certificates were read once */
	bool ready;        /* READY=1 was said */
	bool stopping;
	bool interrupted;
};

/* --- keeper_reload.c --- */

/* SIGHUP, and whoever else asks for it: the configuration, its files and all
 * certificates anew.  -1 if the old configuration stays; ERR says why, as the
 * log does. */
int keeper_reload(struct keeper *k, struct err *err);

/* SETTINGS, which are taken, are in force from now on. */
void keeper_obey(struct keeper *k, struct settings *settings);

/* --- keeper_index.c --- */

/* The target whose certificate has FINGERPRINT, or NULL; further ones with the
 * same certificate are its twins. */
struct target *keeper_find(const struct keeper *k, const char *fingerprint);

/* The target whose certificate file is PATH, as it was given, or NULL. */
struct target *keeper_find_path(const struct keeper *k, const char *path);

/* Around everything that changes a target's leaf. */
void keeper_index_add(struct keeper *k, struct target *target);
void keeper_index_remove(struct keeper *k, struct target *target);

/* --- keeper_list.c --- */

/* Make the targets those of the options, or of the server's configuration as
 * last read, if `list_stale`; kept ones stay as they are, new ones are to be
 * read. */
void keeper_sync_targets(struct keeper *k);

/* Keep SPEC, unless its file is in the list by another already; of use while the
 * list is made. */
void keeper_want(struct keeper *k, const struct target_spec *spec);

/* Read a target's files again; adopt what is stored for it. */
void keeper_read_target(struct keeper *k, struct target *target);

/* --- keeper_fit.c --- */

/* Once for each reading of the configuration, when all certificates are known:
 * which issuer blocks are about none of them. */
void keeper_check_rules(struct keeper *k);

/* --- keeper_chores.c --- */

/* TARGET's files are to be read, soon; or not any more. */
void keeper_give_chore(struct keeper *k, struct target *target);
void keeper_drop_chore(struct keeper *k, struct target *target);

/* True while there are any: until then some fingerprints are not known. */
bool keeper_has_chores(const struct keeper *k);

/* Read some now, and the others at the next turns. */
void keeper_do_chores(void *cookie);

/* --- keeper_walk.c --- */

/* At the start, when the chores are given: those that the store knows are done
 * in its order.  To be ended when a target goes. */
void keeper_walk_begin(struct keeper *k);
void keeper_walk_end(struct keeper *k);

/* EACH, which does its chore, is called for some; the walk ends itself. */
void keeper_walk_on(
    struct keeper *k, void (*each)(struct keeper *k, struct target *target));

/* --- keeper_watch.c --- */

void keeper_watch_begin(struct keeper *k);
void keeper_watch_end(struct keeper *k);

/* Look at all files, and read those that have changed. */
void keeper_read_changed(struct keeper *k);

/* --- keeper_discover.c --- */

/* At the start: what was kept when this last ran. */
void keeper_recall_found(struct keeper *k);

/* Look for certificates, if the options say so; again and again. */
void keeper_look(struct keeper *k);

/* Never more, and forget what was found. */
void keeper_end_look(struct keeper *k);

/* The file with the issuer of the certificate in PATH, as it was found; or
 * NULL. */
const char *keeper_found_issuer(const struct keeper *k, const char *path);

/* Want what was found and is not kept by another name. */
void keeper_want_found(struct keeper *k);

/* --- keeper_fetch.c --- */

/* Decide what TARGET needs and when; log a change of state. */
void keeper_decide(struct keeper *k, struct target *target);

/* What was learnt of TARGET, by whatever way, is kept: RESULT's staple is taken,
 * its signed revoked obeyed, its failure counted. */
void keeper_take(
    struct keeper *k, struct target *target, struct acquire_result *result);

/* TARGET has no staple any more: withdraw it now. */
void keeper_drop_staple(struct keeper *k, struct target *target);

/* Fetch for TARGET now, whatever the policy says, with the next
 * keeper_run_due(); one that nobody can be asked for is only looked at. */
void keeper_refresh(struct keeper *k, struct target *target);

/* Start what is due, and arm for what is next. */
void keeper_run_due(void *cookie);

/* --- keeper_busy.c --- */

/* With --once: whether this process got its turns. */
void keeper_busy_begin(struct keeper *k);
void keeper_busy_end(struct keeper *k);

/* True if an attempt that has just failed, and took FOR_MS, is worth another
 * one: there was a time in it when we had no turn to look at an answer. */
bool keeper_was_busy(const struct keeper *k, int64_t for_ms);

/* --- keeper_say.c --- */

/* The line on STATE, which begins for TARGET: once for each, and none where the
 * line on the attempt has said all. */
void keeper_say_state(
    const struct target *target, enum target_state state, int64_t now);

/* --- keeper_adopt.c --- */

/* Take what the store or the published file has for TARGET (A1). */
void keeper_adopt(struct keeper *k, struct target *target);

/* Revoked, and its staple not to be kept. */
bool keeper_must_withdraw(const struct keeper *k, const struct target *target);

/* The same: drop it. */
void keeper_obey_revoked(struct keeper *k, struct target *target);

/* For target_read(), with the keeper as cookie; then forget, or adopt. */
bool keeper_was_paired(void *cookie, const struct target_pair *pair);
void keeper_forget_recalled(struct keeper *k);

/* --- keeper_unread.c --- */

/* TARGET's files were read, perhaps in vain: while nothing is known of it in
 * memory, what was published for the certificate that it had stays in service,
 * and the complaint says so. */
void keeper_hold_unread(struct keeper *k, struct target *target);
void keeper_forget_unread(struct keeper *k, const struct target *target);

/* Which certificate that was; NULL: none is held, or known. */
const char *keeper_unread_fingerprint(
    const struct keeper *k, const struct target *target);

/* Those whose end has come are withdrawn (I3).  To be called now and then. */
void keeper_watch_unread(struct keeper *k);

/* Add them to the COUNT items of a round, which are sorted by fingerprint and
 * have room for one of each target.  Returns how many there are then. */
size_t keeper_publish_unread(
    struct keeper *k, struct publish_item *items, size_t count, int64_t now);

/* Forget all. */
void keeper_end_unread(struct keeper *k);

/* --- keeper_store.c --- */

/* Remember what RESULT has made of TARGET; NEWS: its staple is another one, or
 * gone. */
void keeper_save_result(struct keeper *k, struct target *target,
    const struct acquire_result *result, bool news);

/* Its second response, by SHA-256. */
void keeper_save_second(struct keeper *k, const struct target *target);

/* The same of the address book, soon. */
void keeper_save_book(struct keeper *k);

/* Say what has become of the store, and give it what it lacks.  To be called
 * now and then. */
void keeper_check_store(struct keeper *k);

/* The last of it. */
void keeper_end_store(struct keeper *k);

/* --- keeper_certid.c --- */

/* By which hash TARGET is asked for next, and, with the result of a try that
 * has brought an answer (before it is taken), that it worked. */
bool keeper_asks_by_sha256(const struct keeper *k, const struct target *target);
void keeper_note_hash(struct target *target);

/* A second response, by SHA-256: whether one is to be fetched, when that is if
 * nobody holds the place for it, and what came of it. */
bool keeper_wants_second(const struct keeper *k, const struct target *target);
int64_t keeper_second_at(const struct target *target);
void keeper_take_second(struct target *target, struct acquire_result *result);

/* True if RESULT, that TARGET's staple was not asked for by, is a signed revoked
 * which is no older than that (C3): then it is taken. */
bool keeper_hear_revoked(
    struct keeper *k, struct target *target, struct acquire_result *result);

/* --- keeper_relay.c --- */

/* Begin, unless it has begun or nobody is to listen, and end with the relay;
 * listen, once there is something to answer with; obey the options. */
void keeper_relay_start(struct keeper *k);
void keeper_relay_listen(struct keeper *k);
void keeper_relay_obey(struct keeper *k);
void keeper_relay_stop(struct keeper *k);

/* TARGET's files were read; it is not kept any more; it was decided on, and has
 * another staple perhaps. */
void keeper_relay_read(struct keeper *k, struct target *target);
void keeper_relay_drop(struct keeper *k, struct target *target);
void keeper_relay_decided(struct keeper *k, const struct target *target);

/* --- keeper_inbox.c --- */

/* Verify and take what a courier has brought, see keep/inbox.h. */
void keeper_read_inbox(struct keeper *k);

/* --- keeper_serve.c --- */

/* Something changed: publish soon. */
void keeper_mark_dirty(struct keeper *k);

/* TARGET has a newer staple: publish soon, or, where the one that its server has
 * read is good for a while, together with others. */
void keeper_mark_newer(struct keeper *k, const struct target *target);

/* A staple has come to its end: withdraw it now, wait for nobody (I3). */
void keeper_mark_urgent(struct keeper *k);

/* Before the server is asked for its configuration: what would keep it from
 * answering. */
void keeper_mend_server(struct keeper *k);

/* If the server's configuration files have changed: publish soon. */
void keeper_watch_server(struct keeper *k);

/* True while somebody fetches or waits for a place to do so. */
bool keeper_is_fetching(const struct keeper *k);

/* True while a round is under way or waits to begin. */
bool keeper_is_publishing(const struct keeper *k);

/* --- keeper_proofs.c --- */

void keeper_proofs_begin(struct keeper *k);

/* A round has put PLACE into service.  COOKIE: the keeper. */
void keeper_placed(void *cookie, const struct proofs_place *place);

/* --- keeper.c --- */

/* The first round is over: tell systemd, once. */
void keeper_say_ready(struct keeper *k);

/* With `once`: end if nothing is under way or waits to begin at once. */
void keeper_check_idle(struct keeper *k);

/* End the loop. */
void keeper_stop(struct keeper *k);

#endif
