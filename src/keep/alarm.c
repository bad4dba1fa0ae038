/* SPDX-License-Identifier: ISC */
/* keep/alarm.c -- the operator's own program, told of what needs a person. */
#include "keep/alarm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/text.h"
#include "pki/cert.h"

enum { SHOWN_OUTPUT = 200 }; /* bytes of a failed program's words */

/* One certificate that is, or was just now, in alarm. */
struct patient {
	UT_hash_handle hh;
	char *path;
	struct alarm *alarm; /* borrowed */
	/* states: the one that was told last (or is being told), and the one
	 * that there is; STATE_FRESH stands for all that is well */
	enum target_state told, is;
	char **variables; /* of IS, while it waits to be told; owned */
	char *name;
	struct proc *proc;             /* runs for it; or NULL */
	struct patient *before, *next; /* of those that wait */
	bool waits;
};

struct alarm {
	uv_loop_t *loop;
	char **argv; /* owned; NULL: nobody is told */
	int64_t deadline_ms;
	alarm_ended ended;
	void *cookie;
	struct patient *patients; /* a hash by path */
	struct patient *first, *last;
	size_t waiting, running;
};

/* --- what is told --- */

char **
alarm_variables(const struct status_row *row, bool well, int64_t now)
{
	char **list = mem_array(ALARM_VARIABLES + 1, sizeof(*list));
	const struct target *target = row->target;
	const char *print = target_fingerprint(target);
	char sentence[STATUS_SENTENCE], at[CLOCK_TEXT];
	size_t n = 0;

	list[n++] = mem_printf("OCLASP_EVENT=%s", well ? "well" : "alarm");
	list[n++] = mem_printf("OCLASP_NAME=%s", row->name);
	list[n++] = mem_printf("OCLASP_CERTIFICATE=%s", target->certificate);
	list[n++] =
	    mem_printf("OCLASP_FINGERPRINT=%s", print == NULL ? "" : print);
	list[n++] =
	    mem_printf("OCLASP_STATE=%s", target_state_name(row->state));
	list[n++] = mem_printf("OCLASP_REASON=%s",
	    row->reason == REASON_NONE ? "" : reason_name(row->reason));
	list[n++] = mem_printf(
	    "OCLASP_SENTENCE=%s", status_sentence(row, now, sentence));
	list[n++] = mem_printf("OCLASP_RESPONDER=%s",
	    target->responder == NULL ? "" : target->responder);
	list[n++] = mem_printf("OCLASP_TIME=%s", clock_rfc3339(now, at));
	list[n++] = mem_printf("OCLASP_USABLE_UNTIL=%s",
	    row->usable_until == 0 ? "" : clock_rfc3339(row->usable_until, at));
	list[n++] = mem_printf("OCLASP_NEXT_REFRESH=%s",
	    row->next_refresh == 0 ? "" : clock_rfc3339(row->next_refresh, at));
	list[n++] = mem_printf("OCLASP_NOT_AFTER=%s",
	    target->leaf == NULL ? ""
				 : clock_rfc3339(target->leaf->not_after, at));
	list[n++] = mem_printf("OCLASP_FAILURES=%u", target->failures);
	/* a path must stay what it is, or nobody would find the file */
	for (size_t i = 0; i < n; i++) {
		if (!text_starts(list[i], "OCLASP_CERTIFICATE="))
			text_clean(list[i]);
	}
	return list;
}

void
alarm_variables_free(char **variables)
{
	proc_argv_free(variables);
}

/* --- who waits --- */

static void
leave_queue(struct patient *p)
{
	struct alarm *a = p->alarm;

	if (!p->waits)
		return;
	if (p->before == NULL)
		a->first = p->next;
	else
		p->before->next = p->next;
	if (p->next == NULL)
		a->last = p->before;
	else
		p->next->before = p->before;
	p->before = p->next = NULL;
	p->waits = false;
	a->waiting--;
}

static void
enter_queue(struct patient *p)
{
	struct alarm *a = p->alarm;

	if (p->waits)
		return;
	p->before = a->last;
	if (a->last == NULL)
		a->first = p;
	else
		a->last->next = p;
	a->last = p;
	p->waits = true;
	a->waiting++;
}

static void
forget(struct patient *p)
{
	leave_queue(p);
	HASH_DEL(p->alarm->patients, p);
	alarm_variables_free(p->variables);
	free(p->path);
	free(p->name);
	free(p);
}

/* --- runs --- */

static void run_next(struct alarm *a);

static void
ended(void *cookie, const struct proc_result *result)
{
	struct patient *p = cookie;
	struct alarm *a = p->alarm;
	char *name = mem_string(p->name);
	size_t len = strlen(result->errors);
	char why[SHOWN_OUTPUT + 64];

	p->proc = NULL;
	a->running--;
	if (result->exit_status > 0)
		(void)snprintf(why, sizeof(why), "exit status %d: %.*s",
		    result->exit_status, SHOWN_OUTPUT, result->errors);
	else /* why it did not end by itself is said last */
		(void)snprintf(why, sizeof(why), "%s",
		    result->errors +
			(len > SHOWN_OUTPUT ? len - SHOWN_OUTPUT : 0));
	/* what changed while it ran waits already */
	if (!p->waits && p->told == STATE_FRESH && p->is == STATE_FRESH)
		forget(p);
	run_next(a);
	/* the last: the callback may free all of this */
	a->ended(a->cookie, name, result->exit_status == 0 ? NULL : why);
	free(name);
}

/* The first that waits and for whom none runs. */
static struct patient *
first_free(const struct alarm *a)
{
	struct patient *p = a->first;

	while (p != NULL && p->proc != NULL)
		p = p->next;
	return p;
}

static void
run_next(struct alarm *a)
{
	struct patient *p;

	while (a->running < ALARM_AT_ONCE && (p = first_free(a)) != NULL) {
		char **variables = p->variables;

		leave_queue(p);
		p->variables = NULL;
		p->told = p->is;
		a->running++;
		p->proc = proc_start_with(a->loop, a->argv,
		    (const char *const *)variables, a->deadline_ms, ended, p);
		alarm_variables_free(variables);
	}
}

/* --- what changes --- */

/* STATE_FRESH for what is well; an alarm's own state; and BEFORE for what is
 * on the way to one of both. */
static enum target_state
judge(enum target_state state, enum target_state before)
{
	if (target_state_is_alarm(state))
		return state;
	return state == STATE_RETRYING || state == STATE_PENDING ? before
								 : STATE_FRESH;
}

static struct patient *
find(struct alarm *a, const char *path)
{
	struct patient *p = NULL;

	HASH_FIND_STR(a->patients, path, p);
	return p;
}

static struct patient *
admit(struct alarm *a, const struct status_row *row)
{
	struct patient *p = mem_new(sizeof(*p));

	p->alarm = a;
	p->path = mem_string(row->target->certificate);
	p->told = p->is = STATE_FRESH;
	HASH_ADD_KEYPTR(hh, a->patients, p->path, strlen(p->path), p);
	return p;
}

void
alarm_tell(struct alarm *a, const struct status_row *row, int64_t now)
{
	struct patient *p = find(a, row->target->certificate);
	enum target_state is =
	    judge(row->state, p == NULL ? STATE_FRESH : p->is);

	if (a->argv == NULL || is == (p == NULL ? STATE_FRESH : p->is))
		return;
	if (p == NULL)
		p = admit(a, row);
	p->is = is;
	alarm_variables_free(p->variables);
	p->variables = NULL;
	if (p->is == p->told) {
		leave_queue(p);
		if (p->is == STATE_FRESH && p->proc == NULL)
			forget(p);
		return;
	}
	if (!p->waits && a->waiting == ALARM_WAITING_MAX) {
		log_event(LOG_ERROR,
		    target_about(row->target, "alarm", row->reason),
		    "more than %d certificates wait for the alarm command: not "
		    "run for this one",
		    ALARM_WAITING_MAX);
		return;
	}
	p->variables = alarm_variables(row, is == STATE_FRESH, now);
	free(p->name);
	p->name = text_printable(row->name);
	enter_queue(p);
	run_next(a);
}

/* Nothing is known of it any more, once what runs for it has ended. */
static void
let_go(struct patient *p)
{
	leave_queue(p);
	p->told = p->is = STATE_FRESH;
	if (p->proc == NULL)
		forget(p);
}

void
alarm_forget(struct alarm *a, const char *path)
{
	struct patient *p = find(a, path);

	if (p != NULL)
		let_go(p);
}

bool
alarm_is_busy(const struct alarm *a)
{
	return a->running > 0 || a->waiting > 0;
}

void
alarm_command(struct alarm *a, const char *const *argv, int64_t deadline_ms)
{
	struct patient *p, *next;

	proc_argv_free(a->argv);
	a->argv = argv == NULL || argv[0] == NULL ? NULL : proc_argv("", argv);
	a->deadline_ms = deadline_ms > 0 ? deadline_ms : ALARM_DEADLINE_MS;
	if (a->argv != NULL)
		return;
	/* what changes until there is one again is not heard of */
	HASH_ITER(hh, a->patients, p, next)
	let_go(p);
}

struct alarm *
alarm_new(uv_loop_t *loop, alarm_ended cb, void *cookie)
{
	struct alarm *a = mem_new(sizeof(*a));

	a->loop = loop;
	a->ended = cb;
	a->cookie = cookie;
	return a;
}

void
alarm_free(struct alarm *a)
{
	struct patient *p, *next;

	if (a == NULL)
		return;
	HASH_ITER(hh, a->patients, p, next)
	{
		proc_cancel(&p->proc);
		forget(p);
	}
	proc_argv_free(a->argv);
	free(a);
}
