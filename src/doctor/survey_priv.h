/* SPDX-License-Identifier: ISC */
/* doctor/survey_priv.h -- the inside of a survey.
 *
 *   survey.c        the hosts, some at once; begin and end
 *   survey_host.c   one host: its roads, until all have spoken or time is up
 *   survey_try.c    the addresses of one host, some at once */
#ifndef OCLASP_DOCTOR_SURVEY_PRIV_H
#define OCLASP_DOCTOR_SURVEY_PRIV_H

#include "acquire/acquire.h"
#include "acquire/attempt.h"
#include "doctor/survey.h"

struct claims;
struct host;

enum run_state { RUN_REFUSED, RUN_WAITING, RUN_BEGUN };

/* One try, beside the facts about it. */
struct run {
	struct member *member;
	size_t index; /* of the member's tries */
	struct attempt *attempt;
	const struct proxy *proxy; /* of the options, or NULL */
	char *proxy_addresses;     /* owned */
	enum run_state state;
	bool first; /* of its answer: before the others */
};

/* One question, and the facts so far. */
struct member {
	const struct survey_question *question;
	struct survey_responder facts;
	struct host *host;
	struct acquire_target target;
	struct acquire_errand errand; /* where there is no certificate */
	struct attempt_job job;
	uint8_t *request; /* owned */
	char *get_url;    /* owned */
	struct run runs[SURVEY_TRIES_MAX];
};

/* A resolver that is asked. */
struct source {
	struct resolver resolver;
	bool near; /* the network's own view: acquire/private.h */
};

/* One question to one resolver. */
struct ask {
	struct host *host;
	const struct source *source;
	struct resolver_query *query; /* NULL: it has ended */
	size_t road;
	int64_t started_ms;
};

/* One host name, and the members whose URLs name it. */
struct host {
	struct survey *survey;
	char *name; /* owned */
	bool is_https;
	struct survey_road *roads; /* owned */
	size_t road_count;
	struct ask asks[RESOLVERS_MAX + 1];
	size_t ask_count;
	struct loop_timer *deadline, *proxy_timer;
	int64_t tries_until_ms; /* they end before the host does */
	struct claims *claims;  /* for the ways through proxies */
	bool proxies_begun;
	struct acquire_pin pins[SURVEY_ADDRESSES_MAX];
	struct acquire_options proxy_options;
	size_t running; /* tries */
	bool done;
};

struct survey {
	uv_loop_t *loop;
	struct fetch_pool *pool;
	const struct acquire_options *options;
	int64_t timeout_ms;
	struct source sources[RESOLVERS_MAX + 1]; /* the system first */
	size_t source_count;
	struct member *members; /* owned */
	size_t member_count;
	struct host *hosts; /* owned */
	size_t host_count, next_host, running_hosts, done_hosts;
	struct loop_timer *turn; /* the next thing to do, from the loop */
	char *parties[SURVEY_PARTIES_MAX]; /* owned */
	size_t party_count;
	struct survey_callbacks callbacks;
	void *cookie;
};

/* --- survey.c --- */

/* PARTY, outside this network, is asked. */
void survey_note_party(struct survey *survey, const char *party);

/* HOST has nothing left to do: called once, by survey_host.c. */
void survey_host_done(struct host *host);

/* --- survey_host.c --- */

void host_begin(struct host *host);

/* End HOST if nothing is under way and nothing waits. */
void host_check(struct host *host);

/* Stop everything, silently; and free. */
void host_release(struct host *host);

/* --- survey_try.c --- */

/* Where a try goes to, and who said so. */
struct way {
	const char *address; /* "": the proxy looks the host up */
	const struct proxy *proxy;
	const char *proxy_addresses;
	const char *source;
	bool near;  /* SOURCE may name private addresses */
	bool first; /* of its answer */
};

/* Let every member of HOST ask by WAY, unless it has. */
void tries_add(struct host *host, const struct way *way);

/* Start what there is room for. */
void tries_pump(struct host *host);

bool tries_wait(const struct host *host);

/* Stop those of MEMBER, silently; and free. */
void tries_release(struct member *member);

#endif
