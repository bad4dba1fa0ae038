/* SPDX-License-Identifier: ISC */
/* test_served.c -- doctor/served: two handshakes with a server that staples
 * what the row says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "doctor/served.h"
#include "http/fetch.h"
#include "http_script.h"
#include "pki_fixture.h"
#include "tls_script.h"

enum { TIMEOUT_MS = 8000 };

/* What one handshake is given; RENEWED is the next certificate, with its own
 * staple. */
enum gift { NOTHING, GOOD, REVOKED, FORGED, NOT_DER, RENEWED, NO_TLS };

static uv_loop_t loop;
static struct fetch_pool *pool;
static struct tls_script server;
static struct script responder;
static struct pki_party issuer, leaf, renewed;
static struct buf staples[NO_TLS + 1];
static struct acquire_pin pins[3];
static struct acquire_options options;
static struct served_request request;

/* What was seen; copied, since it goes away with the callback. */
static struct served_probe *probe;
static int calls;
static struct served seen;
static bool has_leaf, has_issuer;

static void
sign(enum gift gift, enum cert_status status, enum pki_forgery forgery)
{
	struct pki_single single = {
	    .leaf = gift == RENEWED ? renewed.cert : leaf.cert,
	    .issuer = issuer.cert,
	    .status = status};

	staples[gift] = pki_response(&(struct pki_response){.signer = &issuer,
	    .singles = &single,
	    .single_count = 1,
	    .forgery = forgery});
}

static int
make_all(void **state)
{
	char aia[64];

	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	pool = fetch_pool_new(&loop);
	assert_true(script_start(
	    &responder, &loop, "127.0.0.1", 0, SCRIPT_CLOSE, "", 0));
	(void)snprintf(
	    aia, sizeof(aia), "OCSP;URI:http://127.0.0.1:%d/", responder.port);
	issuer = pki_party(&(struct pki_spec){
	    .cn = "issuer", .ext = {{"basicConstraints", "critical,CA:TRUE"}}});
	leaf = pki_party(&(struct pki_spec){.cn = "leaf",
	    .issuer = &issuer,
	    .ext = {{"authorityInfoAccess", aia}}});
	renewed = pki_party(&(struct pki_spec){.cn = "leaf",
	    .serial = "4e",
	    .issuer = &issuer,
	    .ext = {{"authorityInfoAccess", aia}}});
	sign(GOOD, CERT_GOOD, PKI_GENUINE);
	sign(RENEWED, CERT_GOOD, PKI_GENUINE);
	sign(REVOKED, CERT_REVOKED, PKI_GENUINE);
	sign(FORGED, CERT_GOOD, PKI_FLIP_SIGNATURE);
	buf_init(&staples[NOT_DER], 16);
	buf_puts(&staples[NOT_DER], "<html>");
	return 0;
}

static int
free_all(void **state)
{
	(void)state;
	for (size_t i = 0; i <= NO_TLS; i++)
		buf_done(&staples[i]);
	pki_party_done(&leaf);
	pki_party_done(&renewed);
	pki_party_done(&issuer);
	script_stop(&responder);
	fetch_pool_free(pool);
	loop_end(&loop);
	return 0;
}

static int
give_staple(SSL *ssl, void *cookie)
{
	const struct buf *staple = cookie;
	unsigned char *copy = OPENSSL_memdup(staple->text, staple->len);

	(void)SSL_set_tlsext_status_ocsp_resp(ssl, copy, (long)staple->len);
	return SSL_TLSEXT_ERR_OK;
}

/* Of the handshakes beside: who comes first has no staple, as many as that; and
 * how many came without a name. */
static unsigned beside_without, without_name;

/* ROW: the gifts of the first and the second handshake. */
static void
serve(struct tls_peer *peer)
{
	const enum gift *gifts = peer->script->row;
	bool beside = peer->number >= 2;
	enum gift gift = beside && (unsigned)peer->number - 2 < beside_without
			     ? NOTHING
			     : gifts[beside ? 1 : peer->number];
	const struct pki_party *party;
	SSL_CTX *ctx;
	SSL *ssl;
	char byte;

	if (gift == NO_TLS)
		return;
	ctx = SSL_CTX_new(TLS_server_method());
	party = gift == RENEWED ? &renewed : &leaf;
	assert(SSL_CTX_use_certificate(ctx, party->cert->x509) == 1);
	assert(SSL_CTX_use_PrivateKey(ctx, party->key) == 1);
	assert(SSL_CTX_add1_chain_cert(ctx, issuer.cert->x509) == 1);
	if (gift != NOTHING) {
		(void)SSL_CTX_set_tlsext_status_cb(ctx, give_staple);
		(void)SSL_CTX_set_tlsext_status_arg(ctx, &staples[gift]);
	}
	ssl = SSL_new(ctx);
	(void)SSL_set_fd(ssl, peer->fd);
	if (SSL_accept(ssl) == 1) {
		if (SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name) == NULL)
			without_name++;
		(void)SSL_read(ssl, &byte, 1);
	}
	SSL_free(ssl);
	SSL_CTX_free(ctx);
}

static void
came(void *cookie, const struct served *served)
{
	assert_ptr_equal(cookie, &loop);
	assert_non_null(probe); /* never from within the start */
	calls++;
	seen = *served;
	has_leaf = served->id.leaf != NULL;
	has_issuer = served->id.issuer != NULL;
	uv_stop(&loop);
}

static void
look(const char *host)
{
	request.host = host;
	request.options = &options;
	request.policy = verify_policy_default(PKI_NOW);
	calls = 0;
	probe = served_start(&loop, pool, &request, came, &loop);
	loop_run(&loop);
	assert_int_equal(calls, 1);
}

static void
start(const enum gift gifts[2])
{
	server = (struct tls_script){.serve = serve, .row = gifts};
	tls_script_start(&server);
	options =
	    (struct acquire_options){.pins = pins, .timeout_ms = TIMEOUT_MS};
	request =
	    (struct served_request){.port = ntohs(server.address.sin_port)};
	assert_int_equal(
	    acquire_pin_parse("site.test=127.0.0.1", &pins[0], NULL), 0);
	options.pin_count = 1;
}

static const struct row {
	const char *name;
	enum gift gifts[2];
	bool stapled[2], accepted[2];
	enum reason verdict; /* of the first */
	enum reason second;  /* of the second handshake itself */
	bool penalty;
} rows[] = {
    {"good", {GOOD, GOOD}, {true, true}, {true, true}, REASON_NONE, REASON_NONE,
	false},
    {"none", {NOTHING, NOTHING}, {false, false}, {false, false}, REASON_NONE,
	REASON_NONE, true},
    {"lazy", {NOTHING, GOOD}, {false, true}, {false, true}, REASON_NONE,
	REASON_NONE, false},
    {"only the first", {GOOD, NOTHING}, {true, false}, {true, false},
	REASON_NONE, REASON_NONE, false},
    {"revoked", {REVOKED, REVOKED}, {true, true}, {true, true}, REASON_NONE,
	REASON_NONE, false},
    {"forged", {FORGED, FORGED}, {true, true}, {false, false},
	REASON_BAD_SIGNATURE, REASON_NONE, true},
    {"renewed in between", {GOOD, RENEWED}, {true, true}, {true, true},
	REASON_NONE, REASON_NONE, false},
    {"no DER", {NOT_DER, NOT_DER}, {true, true}, {false, false},
	REASON_NOT_OCSP, REASON_NONE, true},
    {"the second fails", {GOOD, NO_TLS}, {true, false}, {true, false},
	REASON_NONE, REASON_TLS_FAILED, false},
};

static void
test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];

		print_message("    %s\n", row->name);
		start(row->gifts);
		look("site.test");
		tls_script_stop(&server);
		assert_int_equal(seen.err.reason, REASON_NONE);
		assert_true(has_leaf && has_issuer);
		assert_string_equal(seen.address, "127.0.0.1");
		assert_int_equal(seen.handshake_count, 2);
		for (size_t k = 0; k < 2; k++) {
			assert_int_equal(
			    seen.handshakes[k].stapled, row->stapled[k]);
			assert_int_equal(
			    seen.handshakes[k].accepted, row->accepted[k]);
		}
		assert_int_equal(
		    seen.handshakes[0].verdict.reason, row->verdict);
		assert_int_equal(seen.handshakes[0].err.reason, REASON_NONE);
		assert_int_equal(seen.handshakes[1].err.reason, row->second);
		assert_int_equal(seen.has_penalty, row->penalty);
	}
}

/* A server that fetches lazily is given the time for it; one that staples, or
 * whose certificate has no responder, is not waited for. */
static void
test_pause(void **state)
{
	static const struct {
		enum gift gifts[2];
		bool waits;
	} cases[] = {
	    {{NOTHING, GOOD}, true},
	    {{NOTHING, NOTHING}, true},
	    {{GOOD, GOOD}, false},
	};
	enum { PAUSE_MS = 700 };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t began;

		start(cases[i].gifts);
		request.no_penalty = true;
		request.pause_ms = PAUSE_MS;
		began = clock_mono_ms();
		look("site.test");
		tls_script_stop(&server);
		assert_int_equal(seen.handshake_count, 2);
		if (cases[i].waits)
			assert_true(clock_mono_ms() - began >= PAUSE_MS);
		assert_false(seen.has_penalty);
		assert_int_equal(seen.stapled,
		    cases[i].gifts[0] == GOOD || cases[i].gifts[1] == GOOD);
		assert_true(seen.chain_count > 0 && seen.chain_octets > 100);
	}
}

/* 4.1, V: more at once, so that workers that differ are seen, and one without
 * a name; and nobody is asked so who has nothing to staple with. */
static void
test_more(void **state)
{
	static const struct {
		const char *name, *host;
		enum gift gifts[2];
		unsigned without, stapled;
		bool nameless;
	} cases[] = {
	    {"all have it", "site.test", {GOOD, GOOD}, 0, SERVED_MORE + 1,
		true},
	    {"two workers lack it", "site.test", {GOOD, GOOD}, 2,
		SERVED_MORE - 1, true},
	    {"none has it", "site.test", {NOTHING, NOTHING}, 0, 0, true},
	    {"no name to leave out", "127.0.0.1", {GOOD, GOOD}, 0, SERVED_MORE,
		false},
	    {"they fail", "site.test", {GOOD, NO_TLS}, 0, 0, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned stapled = 0;

		print_message("    %s\n", cases[i].name);
		start(cases[i].gifts);
		beside_without = cases[i].without;
		without_name = 0;
		request.no_penalty = request.more = true;
		look(cases[i].host);
		tls_script_stop(&server);
		beside_without = 0;
		assert_int_equal(seen.handshake_count, 2);
		assert_int_equal(seen.more_count, SERVED_MORE);
		assert_int_equal(seen.has_nameless, cases[i].nameless);
		for (size_t k = 0; k < SERVED_MORE; k++) {
			stapled += seen.more[k].stapled ? 1 : 0;
			assert_false(seen.more[k].other);
		}
		stapled += seen.nameless.stapled ? 1 : 0;
		assert_int_equal(stapled, cases[i].stapled);
		if (cases[i].nameless && cases[i].gifts[1] != NO_TLS)
			assert_int_equal(without_name, 1);
	}
}

static void
test_always_penalty(void **state)
{
	static const enum gift gifts[] = {GOOD, GOOD};

	(void)state;
	start(gifts);
	request.always_penalty = true;
	look("site.test");
	tls_script_stop(&server);
	assert_true(seen.has_penalty);
	assert_int_equal(seen.penalty.err.reason, REASON_HTTP_RESET);
	assert_string_equal(seen.penalty.address, "127.0.0.1");
}

static void
test_server_names(void **state)
{
	static const struct {
		const char *host, *servername, *sni;
	} names[] = {{"site.test", NULL, "site.test"},
	    {"site.test", "other.test", "other.test"},
	    {"127.0.0.1", NULL, ""}, /* RFC 6066, section 3 */
	    {"127.0.0.1", "other.test", "other.test"}};
	struct tls_spec spec = {.cn = "any"};
	struct tls_identity any = tls_make(&spec);

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		start(rows[0].gifts);
		tls_script_stop(&server);
		server = (struct tls_script){
		    .serve = peer_swallow, .identity = &any};
		tls_script_start(&server);
		request.port = ntohs(server.address.sin_port);
		request.servername = names[i].servername;
		look(names[i].host);
		tls_script_stop(&server);
		assert_string_equal(server.sni, names[i].sni);
	}
	tls_done(&any);
}

/* The second address serves where the first is dead or hangs. */
static void
test_next_address(void **state)
{
	struct script hangs;
	int64_t started;

	(void)state;
	start(rows[0].gifts);
	assert_int_equal(
	    acquire_pin_parse("site.test=127.0.0.77", &pins[0], NULL), 0);
	assert_int_equal(
	    acquire_pin_parse("site.test=127.0.0.1", &pins[1], NULL), 0);
	options.pin_count = 2;
	look("site.test");
	assert_int_equal(seen.err.reason, REASON_NONE);
	assert_string_equal(seen.address, "127.0.0.1");
	assert_int_equal(seen.handshake_count, 2);
	assert_true(script_start(
	    &hangs, &loop, "127.0.0.78", request.port, SCRIPT_HANG, "", 0));
	assert_int_equal(
	    acquire_pin_parse("site.test=127.0.0.78", &pins[0], NULL), 0);
	started = clock_mono_ms();
	look("site.test");
	script_stop(&hangs);
	tls_script_stop(&server);
	assert_int_equal(seen.err.reason, REASON_NONE);
	assert_string_equal(seen.address, "127.0.0.1");
	assert_true(clock_mono_ms() - started < SERVED_ADDRESS_MS + 1000);
}

static void
test_nobody_there(void **state)
{
	(void)state;
	start(rows[0].gifts);
	assert_int_equal(
	    acquire_pin_parse("site.test=127.0.0.77", &pins[0], NULL), 0);
	look("site.test");
	assert_int_equal(seen.err.reason, REASON_CONNECT_REFUSED);
	assert_int_equal(seen.handshake_count, 0);
	assert_false(has_leaf);
	tls_script_stop(&server);
}

static void
stop_loop(void *cookie)
{
	(void)cookie;
	uv_stop(&loop);
}

static void
test_cancel(void **state)
{
	(void)state;
	start(rows[1].gifts);
	request.options = &options;
	for (int64_t ms = 0; ms < 40; ms += 5) {
		calls = 0;
		request.host = "site.test";
		probe = served_start(&loop, pool, &request, came, &loop);
		(void)loop_timer_start(&loop, ms, stop_loop, NULL);
		loop_run(&loop);
		if (calls == 0)
			served_cancel(&probe);
		else
			probe = NULL; /* it was faster */
		served_cancel(&probe);
	}
	tls_script_stop(&server);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_rows),
	    cmocka_unit_test(test_always_penalty),
	    cmocka_unit_test(test_pause),
	    cmocka_unit_test(test_more),
	    cmocka_unit_test(test_server_names),
	    cmocka_unit_test(test_next_address),
	    cmocka_unit_test(test_nobody_there),
	    cmocka_unit_test(test_cancel),
	};

	return cmocka_run_group_tests(tests, make_all, free_all);
}
