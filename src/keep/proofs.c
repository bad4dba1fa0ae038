/* SPDX-License-Identifier: ISC */
/* keep/proofs.c -- handshakes that prove what was published.
 *
 *   wanted -> asked, PROOFS_AT_ONCE at a time, the longest due first
 *     -> agreed often enough: told, forgotten
 *     -> not so: told, asked again after a pause that doubles
 *
 * Of a staple only the SHA-256 is held. */
#include "keep/proofs.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/clock.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/sockaddr.h"
#include "keep/schedule.h"
#include "pki/digest.h"
#include "pki/cert.h"
#include "tls/handshake.h"

const struct proofs_pace proofs_usual_pace = {
    .agree = PROOFS_AGREE,
    .settle_ms = PROOFS_SETTLE_MS,
    .every_ms = PROOFS_EVERY_MS,
    .again_ms = PROOFS_AGAIN_MS,
    .again_max_ms = PROOFS_AGAIN_MAX_MS,
};

struct proof {
	UT_hash_handle hh;
	char *key; /* the server block, see key_of() */
	struct proofs *proofs;
	char *name, *fingerprint, *certificate, *listen, *servername;
	bool withdrawn;
	uint8_t digest[DIGEST_LEN];  /* of the staple */
	struct schedule_entry entry; /* mono ms */
	struct handshake *handshake;
	struct proofs_course course;
	unsigned round; /* of those that have named it, the last */
};

struct proofs {
	uv_loop_t *loop;
	struct proofs_pace pace;
	void (*cb)(void *cookie, const struct proofs_report *report);
	void *cookie;
	struct proof *places; /* a hash by key; owned */
	struct schedule schedule;
	struct loop_timer *timer;
	size_t asking, failing;
	unsigned round;
	bool held;
};

static void run(void *cookie);

/* --- pure --- */

enum proofs_verdict
proofs_judge(struct proofs_course *course, const struct proofs_pace *pace,
    bool good, int64_t now_ms, int64_t *wait_ms)
{
	*wait_ms = pace->every_ms;
	if (good) {
		if (++course->agreed < pace->agree)
			return PROOFS_ASK_AGAIN;
		*wait_ms = 0;
		return PROOFS_PROVEN;
	}
	course->agreed = 0;
	/* workers of before the reload may still answer */
	if (now_ms < course->settle_ms)
		return PROOFS_ASK_AGAIN;
	*wait_ms = pace->again_ms;
	for (unsigned i = 0;
	     i < course->failures && *wait_ms < pace->again_max_ms; i++)
		*wait_ms *= 2;
	if (*wait_ms > pace->again_max_ms)
		*wait_ms = pace->again_max_ms;
	course->failures++;
	return PROOFS_FAILED;
}

/* --- one place --- */

static char *
key_of(const struct proofs_place *place)
{
	return mem_printf("%s\n%s\n%s", place->certificate, place->listen,
	    place->servername == NULL ? "" : place->servername);
}

/* Out of the set; nothing counts it any more. */
static void
take_out(struct proof *proof)
{
	struct proofs *p = proof->proofs;

	if (proof->handshake != NULL)
		p->asking--;
	if (proof->course.failures > 0)
		p->failing--;
	handshake_cancel(&proof->handshake);
	schedule_remove(&p->schedule, &proof->entry);
	HASH_DEL(p->places, proof);
}

static void
drop(struct proof *proof)
{
	free(proof->key);
	free(proof->name);
	free(proof->fingerprint);
	free(proof->certificate);
	free(proof->listen);
	free(proof->servername);
	free(proof);
}

static void
forget(struct proof *proof)
{
	take_out(proof);
	drop(proof);
}

static void
arm(struct proofs *p)
{
	const struct schedule_entry *first = schedule_first(&p->schedule);
	int64_t delay_ms;

	loop_timer_cancel(&p->timer);
	if (first == NULL || p->held || p->asking == PROOFS_AT_ONCE)
		return;
	delay_ms = first->when - clock_mono_ms();
	p->timer =
	    loop_timer_start(p->loop, delay_ms < 0 ? 0 : delay_ms, run, p);
}

static void
ask_at(struct proof *proof, int64_t when_ms)
{
	schedule_set(&proof->proofs->schedule, &proof->entry, when_ms);
	arm(proof->proofs);
}

/* --- what was seen --- */

static bool
serves_it(const struct proof *proof, const struct handshake_result *got)
{
	uint8_t digest[DIGEST_LEN];

	if (got->err.reason != REASON_NONE || got->chain->count == 0)
		return false;
	if (proof->withdrawn)
		return got->staple.len == 0;
	digest_of(got->staple, digest);
	return strcmp(got->chain->items[0]->fingerprint, proof->fingerprint) ==
		   0 &&
	       memcmp(digest, proof->digest, sizeof(digest)) == 0;
}

static void
explain(const struct proof *proof, const struct handshake_result *got,
    struct err *err)
{
	if (got->err.reason != REASON_NONE)
		(void)err_set(
		    err, REASON_SERVER_NOT_STAPLING, "%s", got->err.text);
	else
		(void)err_set(err, REASON_SERVER_NOT_STAPLING,
		    "nginx at %s serves %s for '%s'", proof->listen,
		    got->staple.len == 0 ? "no staple" : "another staple",
		    proof->name);
}

/* What is told may end all of this: that comes last. */
static void
shaken(void *cookie, const struct handshake_result *got)
{
	struct proof *proof = cookie;
	struct proofs *p = proof->proofs;
	struct proofs_report report = {
	    .name = proof->name,
	    .fingerprint = proof->fingerprint,
	    .certificate = proof->certificate,
	    .listen = proof->listen,
	    .withdrawn = proof->withdrawn,
	    .failures = proof->course.failures,
	};
	int64_t now_ms = clock_mono_ms();
	enum proofs_verdict verdict = proofs_judge(&proof->course, &p->pace,
	    serves_it(proof, got), now_ms, &report.again_ms);

	proof->handshake = NULL;
	p->asking--;
	switch (verdict) {
	case PROOFS_ASK_AGAIN:
		ask_at(proof, now_ms + report.again_ms);
		break;
	case PROOFS_PROVEN:
		take_out(proof);
		arm(p);
		p->cb(p->cookie, &report);
		drop(proof);
		break;
	case PROOFS_FAILED:
		explain(proof, got, &report.err);
		if (report.failures == 0)
			p->failing++;
		ask_at(proof, now_ms + report.again_ms);
		p->cb(p->cookie, &report);
		break;
	}
}

static void
ask(struct proof *proof)
{
	struct proofs *p = proof->proofs;
	struct sockaddr_storage address;
	const struct handshake_request request = {
	    .address = (struct sockaddr *)&address,
	    .servername = proof->servername,
	    .deadline_ms = PROOFS_HANDSHAKE_MS,
	};

	/* proofs_want() has taken none that cannot be read */
	(void)sockaddr_parse(proof->listen, &address);
	p->asking++;
	proof->handshake = handshake_start(p->loop, &request, shaken, proof);
}

static void
run(void *cookie)
{
	struct proofs *p = cookie;
	struct schedule_entry *first;

	p->timer = NULL;
	while (p->asking < PROOFS_AT_ONCE &&
	       (first = schedule_first(&p->schedule)) != NULL &&
	       first->when <= clock_mono_ms()) {
		schedule_remove(&p->schedule, first);
		ask(first->subject);
	}
	arm(p);
}

/* --- begin and end --- */

struct proofs *
proofs_new(uv_loop_t *loop, const struct proofs_pace *pace,
    void (*cb)(void *cookie, const struct proofs_report *report), void *cookie)
{
	struct proofs *p = mem_new(sizeof(*p));

	p->loop = loop;
	p->pace = *pace;
	p->cb = cb;
	p->cookie = cookie;
	return p;
}

void
proofs_free(struct proofs *p)
{
	struct proof *proof, *next;

	if (p == NULL)
		return;
	p->held = true;
	HASH_ITER(hh, p->places, proof, next)
	{
		forget(proof);
	}
	loop_timer_cancel(&p->timer);
	schedule_done(&p->schedule);
	free(p);
}

/* --- what is wanted --- */

void
proofs_hold(struct proofs *p)
{
	struct proof *proof, *next;

	p->held = true;
	p->round++;
	/* an answer of before the change would be held against it */
	HASH_ITER(hh, p->places, proof, next)
	{
		if (proof->handshake == NULL)
			continue;
		handshake_cancel(&proof->handshake);
		p->asking--;
		ask_at(proof, clock_mono_ms());
	}
	arm(p);
}

static void
begin_proof(struct proof *proof, bool reloaded)
{
	struct proofs *p = proof->proofs;
	int64_t now_ms = clock_mono_ms();

	if (proof->course.failures > 0)
		p->failing--;
	proof->course = (struct proofs_course){
	    .settle_ms = reloaded ? now_ms + p->pace.settle_ms : 0,
	};
	ask_at(proof, now_ms);
}

static bool
is_as_wanted(const struct proof *proof, const struct proofs_place *place,
    const uint8_t digest[DIGEST_LEN])
{
	return strcmp(proof->fingerprint, place->fingerprint) == 0 &&
	       memcmp(proof->digest, digest, DIGEST_LEN) == 0;
}

static void
add(struct proofs *p, const struct proofs_place *place, char *key,
    const uint8_t digest[DIGEST_LEN])
{
	struct proof *proof = mem_new(sizeof(*proof));

	proof->proofs = p;
	proof->key = key;
	proof->name = mem_string(place->name);
	proof->fingerprint = mem_string(place->fingerprint);
	proof->certificate = mem_string(place->certificate);
	proof->listen = mem_string(place->listen);
	proof->servername = mem_string(place->servername);
	proof->withdrawn = place->staple.len == 0;
	memcpy(proof->digest, digest, sizeof(proof->digest));
	proof->entry.subject = proof;
	proof->round = p->round;
	HASH_ADD_KEYPTR(hh, p->places, proof->key, strlen(proof->key), proof);
	begin_proof(proof, place->reloaded);
}

void
proofs_want(struct proofs *p, const struct proofs_place *place)
{
	uint8_t digest[DIGEST_LEN];
	struct sockaddr_storage address;
	struct proof *proof = NULL;
	char *key;

	if (place->listen == NULL || !sockaddr_parse(place->listen, &address))
		return;
	key = key_of(place);
	digest_of(place->staple, digest);
	HASH_FIND_STR(p->places, key, proof);
	if (proof != NULL && !is_as_wanted(proof, place, digest)) {
		forget(proof);
		proof = NULL;
	}
	if (proof == NULL && place->anew) {
		add(p, place, key, digest);
		return;
	}
	free(key);
	if (proof == NULL)
		return;
	proof->round = p->round;
	if (place->anew)
		begin_proof(proof, place->reloaded);
}

void
proofs_end(struct proofs *p, bool all)
{
	struct proof *proof, *next;

	HASH_ITER(hh, p->places, proof, next)
	{
		if (all && proof->round != p->round)
			forget(proof);
	}
	p->held = false;
	arm(p);
}

size_t
proofs_open(const struct proofs *p)
{
	return HASH_COUNT(p->places) - p->failing;
}

size_t
proofs_failing(const struct proofs *p)
{
	return p->failing;
}
