/* SPDX-License-Identifier: ISC */
/* test_relay_demand.c -- keep/relay_demand: what is not kept is fetched, within
 * bounds, through a listener and from a scripted responder. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "acquire/acquire.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "http/fetch.h"
#include "http_script.h"
#include "keep/listen.h"
#include "keep/relay_demand.h"
#include "keep/snapshot.h"
#include "pki/cert_id.h"
#include "raw_client.h"
#include "relay_scene.h"

enum { TIMEOUT_MS = 700, CLIENTS = 6 };

static struct pki pki;
static struct pki_party leaf; /* kept; its responder is the script */
static struct pki_party second, third, fourth;
static uv_loop_t loop;
static struct fetch_pool *pool;
static struct relay *relay;
static struct listen *listener;
static struct snapshot_node *kept;
static struct script responder;
static struct buf reply; /* the responder's */
static struct acquire_options options;
static struct relay_demand_hooks hooks;
static struct raw_client clients[CLIENTS]; /* large */
static int port, prepared, done;
static bool refuse;
static const struct snapshot_node *told_of; /* by the last that was accepted */

static bool
prepare(void *cookie, struct acquire_target *target,
    const struct acquire_options **out, void **token)
{
	assert_ptr_equal(cookie, &hooks);
	if (refuse)
		return false;
	prepared++;
	target->policy = verify_policy_default(PKI_NOW);
	*out = &options;
	*token = &prepared;
	return true;
}

static void
on_done(void *cookie, const struct acquire_target *target,
    const struct snapshot_node *node, struct acquire_result *result,
    void *token)
{
	if (result->accepted)
		told_of = node;
	assert_ptr_equal(cookie, &hooks);
	assert_ptr_equal(token, &prepared);
	assert_non_null(target->leaf);
	assert_non_null(result);
	done++;
}

static int
make_pki(void **state)
{
	(void)state;
	pki = pki_make(PKI_EC);
	second = pki_party(
	    &(struct pki_spec){.cn = "second", .issuer = &pki.issuer});
	third =
	    pki_party(&(struct pki_spec){.cn = "third", .issuer = &pki.issuer});
	fourth = pki_party(
	    &(struct pki_spec){.cn = "fourth", .issuer = &pki.issuer});
	return 0;
}

static int
free_pki(void **state)
{
	(void)state;
	pki_party_done(&fourth);
	pki_party_done(&third);
	pki_party_done(&second);
	pki_done(&pki);
	return 0;
}

static void
start_responder(enum script_manner manner)
{
	char *aia;

	assert_true(
	    script_start(&responder, &loop, "127.0.0.1", 0, manner, "", 0));
	aia = mem_printf("OCSP;URI:http://127.0.0.1:%d/", responder.port);
	leaf = pki_party(&(struct pki_spec){.cn = "leaf",
	    .issuer = &pki.issuer,
	    .ext = {{"authorityInfoAccess", aia}}});
	free(aia);
	kept = relay_keep(relay, leaf.cert, pki.issuer.cert);
	hooks = (struct relay_demand_hooks){.pool = pool,
	    .unknown = true,
	    .prepare = prepare,
	    .done = on_done,
	    .cookie = &hooks};
	relay_allow_demand(relay, &hooks);
}

static int
set_up(void **state)
{
	struct listen_spec spec = {.address = "127.0.0.1:0", .threads = 2};

	(void)state;
	log_set_level(LOG_ERROR);
	assert_int_equal(uv_loop_init(&loop), 0);
	atomic_store(&scene_now, PKI_NOW);
	prepared = done = 0;
	refuse = false;
	options = (struct acquire_options){.timeout_ms = TIMEOUT_MS,
	    .ask_system = true,
	    .allow_private = true};
	script_init(&responder);
	pool = fetch_pool_new(&loop);
	relay = relay_new(&loop, scene_wall_s);
	listener = listen_start(&loop, &spec, 1, relay);
	assert_int_equal(listen_count(listener), 1);
	port =
	    (int)strtol(strrchr(listen_text(listener, 0), ':') + 1, NULL, 10);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	listen_stop(&listener);
	relay_free(&relay);
	fetch_pool_free(pool);
	script_stop(&responder);
	buf_done(&reply);
	if (leaf.cert != NULL)
		pki_party_done(&leaf);
	leaf.cert = NULL;
	loop_end(&loop);
	return 0;
}

/* The responder says this DER from now on. */
static void
say(const void *der, size_t len)
{
	buf_done(&reply);
	buf_init(&reply, 1 << 17);
	buf_printf(&reply,
	    "HTTP/1.1 200 OK\r\nContent-Type: application/ocsp-response\r\n"
	    "Content-Length: %zu\r\nConnection: close\r\n\r\n",
	    len);
	buf_add(&reply, der, len);
	responder.reply = reply.text;
	responder.reply_len = reply.len;
}

static void
say_good(const struct cert *cert, int nid)
{
	struct buf der = scene_response(&pki, cert, nid, 0, 0, 0);

	say(der.text, der.len);
	buf_done(&der);
}

static void
send_request(struct raw_client *client, const struct cert *cert, bool sha256)
{
	char *path = scene_path(&pki, cert, sha256);
	char *text = mem_printf("GET %s HTTP/1.1\r\nHost: a\r\n\r\n", path);

	raw_open(client, &loop, port);
	raw_say(client, text);
	free(text);
	free(path);
}

/* The OCSP status of what came; 0: a whole response. */
static int
hear(struct raw_client *client)
{
	char value[256];
	bool whole = raw_hear(client);

	raw_close(client);
	assert_true(whole);
	assert_int_equal(client->status, 200);
	assert_string_equal(raw_header(client, "Content-Type", value),
	    "application/ocsp-response");
	if (client->body_len == 5) {
		assert_memory_equal(client->body, "\x30\x03\x0a\x01", 4);
		assert_string_equal(
		    raw_header(client, "Cache-Control", value), "no-store");
		return client->body[4];
	}
	return 0;
}

enum { GOOD = 0, TRY_LATER = 3, UNAUTHORIZED = 6 };

static int
ask(const struct cert *cert, bool sha256)
{
	send_request(&clients[0], cert, sha256);
	return hear(&clients[0]);
}

static void
test_off(void **state)
{
	(void)state;
	start_responder(SCRIPT_CLOSE);
	hooks.unknown = false;
	relay_allow_demand(relay, &hooks);
	say_good(second.cert, NID_sha1);
	assert_int_equal(ask(second.cert, false), UNAUTHORIZED);
	relay_allow_demand(relay, NULL);
	assert_int_equal(ask(second.cert, false), UNAUTHORIZED);
	assert_int_equal(prepared, 0);
	assert_int_equal(responder.accepted, 0);
	assert_int_equal(relay_count(relay, RELAY_UNAUTHORIZED), 2);
}

static void
test_fetched(void **state)
{
	(void)state;
	start_responder(SCRIPT_CLOSE);
	say_good(second.cert, NID_sha1);
	assert_int_equal(ask(second.cert, false), GOOD);
	assert_int_equal(clients[0].body_len,
	    reply.len -
		(size_t)(strstr(reply.text, "\r\n\r\n") + 4 - reply.text));
	assert_int_equal(prepared, 1);
	assert_int_equal(done, 1);
	/* from now on it is there */
	for (int i = 0; i < 3; i++)
		assert_int_equal(ask(second.cert, false), GOOD);
	assert_int_equal(prepared, 1);
	assert_int_equal(relay_count(relay, RELAY_FETCHED), 4);
	/* until it ends (I3); then it is fetched again */
	atomic_store(&scene_now, PKI_NOW + 86400);
	if (ask(second.cert, false) != TRY_LATER)
		fail_msg("I3: what has ended is given because it was fetched");
	assert_int_equal(prepared, 2);
	/* and no more when that is not allowed */
	atomic_store(&scene_now, PKI_NOW);
	hooks.unknown = false;
	relay_allow_demand(relay, &hooks);
	assert_int_equal(ask(second.cert, false), UNAUTHORIZED);
}

/* Of another issuer: never. */
static void
test_stranger(void **state)
{
	struct pki other = pki_make(PKI_EC);
	char *path = scene_path(&other, other.leaf.cert, false);
	char *text = mem_printf("GET %s HTTP/1.1\r\nHost: a\r\n\r\n", path);

	(void)state;
	start_responder(SCRIPT_CLOSE);
	raw_open(&clients[0], &loop, port);
	raw_say(&clients[0], text);
	assert_int_equal(hear(&clients[0]), UNAUTHORIZED);
	assert_int_equal(prepared, 0);
	free(path);
	free(text);
	pki_done(&other);
}

/* All that ask at once wait for one fetch; a network that fails is told them as
 * tryLater, and remembered for a while. */
static void
test_coalesced(void **state)
{
	(void)state;
	start_responder(SCRIPT_HANG);
	for (size_t i = 0; i < CLIENTS; i++)
		send_request(&clients[i], second.cert, false);
	for (size_t i = 0; i < CLIENTS; i++)
		assert_int_equal(hear(&clients[i]), TRY_LATER);
	assert_int_equal(prepared, 1);
	assert_int_equal(ask(second.cert, false), TRY_LATER);
	assert_int_equal(prepared, 1);
	assert_int_equal(done, 1);
	assert_int_equal(relay_count(relay, RELAY_TRY_LATER), CLIENTS + 1);
}

/* What does not verify is given to nobody (I1), and what is not good neither.
 * Only a word on the certificate is final; what anybody can say, or the
 * responder will not say again, is tryLater. */
static void
test_refused(void **state)
{
	static const struct {
		const char *name;
		bool of_third, forged;
		enum cert_status status;
		int error, told;
	} rows[] = {
	    {"another certificate's", true, false, CERT_GOOD, 0, TRY_LATER},
	    {"forged", false, true, CERT_GOOD, 0, TRY_LATER},
	    {"revoked", false, false, CERT_REVOKED, 0, UNAUTHORIZED},
	    {"unknown", false, false, CERT_UNKNOWN, 0, UNAUTHORIZED},
	    {"malformedRequest", false, false, CERT_GOOD, 1, UNAUTHORIZED},
	    {"internalError", false, false, CERT_GOOD, 2, TRY_LATER},
	    {"tryLater", false, false, CERT_GOOD, 3, TRY_LATER},
	    {"sigRequired", false, false, CERT_GOOD, 5, UNAUTHORIZED},
	    {"unauthorized", false, false, CERT_GOOD, 6, UNAUTHORIZED},
	};

	(void)state;
	start_responder(SCRIPT_CLOSE);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct pki_single single = {
		    .leaf = rows[i].of_third ? third.cert : second.cert,
		    .issuer = pki.issuer.cert,
		    .status = rows[i].status};
		struct pki_response spec = {.status = rows[i].error,
		    .signer = &pki.issuer,
		    .singles = &single,
		    .single_count = 1,
		    .forgery =
			rows[i].forged ? PKI_FLIP_SIGNATURE : PKI_GENUINE};
		struct buf der = pki_response(&spec);

		say(der.text, der.len);
		buf_done(&der);
		prepared = 0;
		for (int again = 0; again < 2; again++) {
			int told = ask(second.cert, false);

			if (told != rows[i].told)
				fail_msg("%s: %d", rows[i].name, told);
		}
		assert_int_equal(prepared, 1);
		/* all is forgotten with the relay */
		listen_stop(&listener);
		relay_free(&relay);
		script_stop(&responder);
		pki_party_done(&leaf);
		relay = relay_new(&loop, scene_wall_s);
		listener = listen_start(&loop,
		    &(struct listen_spec){
			.address = "127.0.0.1:0", .threads = 1},
		    1, relay);
		port = (int)strtol(
		    strrchr(listen_text(listener, 0), ':') + 1, NULL, 10);
		start_responder(SCRIPT_CLOSE);
	}
}

/* A kept certificate with a response by SHA-1 alone is fetched by SHA-256 for
 * who asks so, also where nothing unknown is fetched. */
static void
test_other_hash(void **state)
{
	struct staple *staple;

	(void)state;
	start_responder(SCRIPT_CLOSE);
	hooks.unknown = false;
	relay_allow_demand(relay, &hooks);
	say_good(leaf.cert, NID_sha256);
	/* nothing is there yet: the keeper is at it */
	assert_int_equal(ask(leaf.cert, true), TRY_LATER);
	assert_int_equal(prepared, 0);
	staple = scene_staple(&pki, leaf.cert, NID_sha1, 0, 0, 0);
	relay_offer(relay, kept, staple);
	staple_free(staple);
	assert_int_equal(ask(leaf.cert, true), GOOD);
	assert_int_equal(ask(leaf.cert, true), GOOD);
	assert_int_equal(ask(leaf.cert, false), GOOD);
	assert_int_equal(prepared, 1);
	assert_non_null(strstr(responder.request, "GET /"));
	assert_ptr_equal(told_of, kept);
	/* a kept one that is revoked has none */
	relay_withdraw(relay, kept);
	assert_int_equal(ask(leaf.cert, true), UNAUTHORIZED);
	assert_int_equal(prepared, 1);
}

static void
withdraw(struct script *script)
{
	(void)script;
	relay_withdraw(relay, kept);
}

/* A14: the keeper hears that a certificate is revoked while a response by the
 * other hash is being fetched: that says good still, and is given to nobody. */
static void
test_revoked_meanwhile(void **state)
{
	struct staple *staple;

	(void)state;
	start_responder(SCRIPT_CLOSE);
	say_good(leaf.cert, NID_sha256);
	staple = scene_staple(&pki, leaf.cert, NID_sha1, 0, 0, 0);
	relay_offer(relay, kept, staple);
	staple_free(staple);
	responder.choose = withdraw;
	assert_int_equal(ask(leaf.cert, true), UNAUTHORIZED);
	assert_int_equal(ask(leaf.cert, true), UNAUTHORIZED);
	assert_int_equal(prepared, 1);
}

static void
offer_newer(struct script *script)
{
	struct staple *newer =
	    scene_staple(&pki, leaf.cert, NID_sha256, 0, PKI_NOW - 60, 0);

	(void)script;
	relay_offer(relay, kept, newer);
	staple_free(newer);
}

/* I2: nor does an older one take the place of what the keeper has had by then. */
static void
test_newer_meanwhile(void **state)
{
	struct staple *staple;
	struct buf der;

	(void)state;
	start_responder(SCRIPT_CLOSE);
	der = scene_response(&pki, leaf.cert, NID_sha256, 0, PKI_NOW - 7200, 0);
	say(der.text, der.len);
	buf_done(&der);
	staple = scene_staple(&pki, leaf.cert, NID_sha1, 0, 0, 0);
	relay_offer(relay, kept, staple);
	staple_free(staple);
	responder.choose = offer_newer;
	assert_int_equal(ask(leaf.cert, true), GOOD);
	staple = atomic_load(&kept->staples[CERT_ID_SHA256]);
	assert_int_equal(staple_facts(staple)->this_update, PKI_NOW - 60);
}

/* The responder answers by another hash than it was asked for: not what the
 * client can use. */
static void
test_wrong_hash(void **state)
{
	(void)state;
	start_responder(SCRIPT_CLOSE);
	say_good(second.cert, NID_sha1);
	assert_int_equal(ask(second.cert, true), UNAUTHORIZED);
	assert_int_equal(prepared, 1);
}

static void
test_not_prepared(void **state)
{
	(void)state;
	start_responder(SCRIPT_CLOSE);
	refuse = true;
	assert_int_equal(ask(second.cert, false), UNAUTHORIZED);
	assert_int_equal(done, 0);
}

static struct cert *
numbered(uint32_t number)
{
	uint8_t serial[5] = {1, (uint8_t)(number >> 24),
	    (uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number};

	return cert_id_stand_in(
	    leaf.cert, pki.issuer.cert, (struct span){serial, 5});
}

/* I5: whoever asks for one serial number after the other soon is told to come
 * later. */
static void
test_burst(void **state)
{
	int later = 0, asked = 0;

	(void)state;
	start_responder(SCRIPT_CLOSE);
	say("\x30\x03\x0a\x01\x06", 5);
	while (later == 0 && asked < 20 * DEMAND_BURST) {
		struct cert *cert = numbered((uint32_t)asked++);
		int got = ask(cert, false);

		cert_free(cert);
		later += got == TRY_LATER ? 1 : 0;
		if (got != TRY_LATER)
			assert_int_equal(got, UNAUTHORIZED);
	}
	assert_int_equal(later, 1);
	assert_true(prepared >= DEMAND_BURST);
	assert_int_equal(prepared, asked - 1);
}

/* The ones that nobody asks for go first. */
static void
test_eviction(void **state)
{
	(void)state;
	start_responder(SCRIPT_CLOSE);
	hooks.kept_max = 2;
	relay_allow_demand(relay, &hooks);
	say_good(second.cert, NID_sha1);
	assert_int_equal(ask(second.cert, false), GOOD);
	say_good(third.cert, NID_sha1);
	assert_int_equal(ask(third.cert, false), GOOD);
	assert_int_equal(ask(second.cert, false), GOOD); /* from memory */
	assert_int_equal(prepared, 2);
	say_good(fourth.cert, NID_sha1);
	assert_int_equal(ask(fourth.cert, false), GOOD); /* third goes */
	assert_int_equal(prepared, 3);
	assert_int_equal(ask(second.cert, false), GOOD);
	assert_int_equal(prepared, 3);
	say_good(third.cert, NID_sha1);
	assert_int_equal(ask(third.cert, false), GOOD);
	assert_int_equal(prepared, 4);
}

/* One that was fetched, is kept for a while, and is not any more. */
static void
test_kept_after(void **state)
{
	struct snapshot_node *node;

	(void)state;
	start_responder(SCRIPT_CLOSE);
	hooks.kept_max = 1;
	relay_allow_demand(relay, &hooks);
	say_good(second.cert, NID_sha1);
	assert_int_equal(ask(second.cert, false), GOOD);
	node = relay_keep(relay, second.cert, pki.issuer.cert);
	assert_int_equal(ask(second.cert, false), GOOD);
	assert_int_equal(relay_count(relay, RELAY_GOOD), 1);
	relay_drop(relay, &node);
	assert_int_equal(ask(second.cert, false), GOOD);
	node = relay_keep(relay, second.cert, pki.issuer.cert);
	say_good(third.cert, NID_sha1);
	assert_int_equal(ask(third.cert, false), GOOD);  /* the ring is full */
	assert_int_equal(ask(second.cert, false), GOOD); /* kept all the same */
	relay_drop(relay, &node);
	say_good(second.cert, NID_sha1);
	assert_int_equal(ask(second.cert, false), GOOD);
	assert_int_equal(prepared, 3);
	/* C15: what was said of it while it was kept is for the keeper's time */
	node = relay_keep(relay, second.cert, pki.issuer.cert);
	relay_withdraw(relay, node);
	assert_int_equal(ask(second.cert, false), UNAUTHORIZED);
	relay_drop(relay, &node);
	assert_int_equal(ask(second.cert, false), GOOD);
	assert_int_equal(prepared, 4);
}

static void
stop_loop(void *cookie)
{
	*(struct loop_timer **)cookie = NULL; /* it has fired */
	uv_stop(&loop);
}

static void
run_a_moment(void)
{
	struct loop_timer *timer =
	    loop_timer_start(&loop, 10, stop_loop, &timer);

	loop_run(&loop);
	loop_timer_cancel(&timer);
}

/* Until the responder has the request of somebody who waits for it. */
static void
begin_to_hang(void)
{
	start_responder(SCRIPT_HANG);
	send_request(&clients[0], second.cert, false);
	while (responder.requests == 0)
		run_a_moment();
}

/* Nobody listens where he asked any more; the fetch goes on. */
static void
test_listener_goes_while_fetching(void **state)
{
	(void)state;
	begin_to_hang();
	listen_obey(listener, NULL, 0);
	assert_int_equal(relay_count(relay, RELAY_TRY_LATER), 1);
	assert_int_equal(done, 0);
	while (done == 0)
		run_a_moment();
	raw_close(&clients[0]);
}

static void
test_end_while_fetching(void **state)
{
	(void)state;
	options.timeout_ms = 60000;
	begin_to_hang();
	listen_stop(&listener);
	relay_free(&relay);
	assert_int_equal(done, 0);
	raw_hear_end(&clients[0]);
	raw_close(&clients[0]);
}

#define T(name) cmocka_unit_test_setup_teardown(test_##name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(off),
	    T(fetched),
	    T(stranger),
	    T(coalesced),
	    T(refused),
	    T(other_hash),
	    T(revoked_meanwhile),
	    T(newer_meanwhile),
	    T(wrong_hash),
	    T(not_prepared),
	    T(burst),
	    T(eviction),
	    T(kept_after),
	    T(listener_goes_while_fetching),
	    T(end_while_fetching),
	};

	return cmocka_run_group_tests(tests, make_pki, free_pki);
}
