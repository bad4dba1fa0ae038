/* SPDX-License-Identifier: ISC */
/* test_keeper_rules.c -- the keeper, and what the operator says: of private
 * responders (REQUIREMENTS 2), of the CertID's hash (B9), of a revoked
 * certificate (C15, A14). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/base64.h"
#include "keep/store.h"
#include "keeper_fixture.h"
#include "pki/request.h"
#include "pki/response.h"

/* --- what was asked --- */

enum { ASKED_MAX = 16 };

static struct asked {
	bool sha256;
	size_t nonce_len;
} asked[ASKED_MAX];
static size_t asked_count;

/* How the responder is: set before it is asked. */
static struct {
	bool refuses_sha1, echoes_nonce;
	bool revokes_by_sha256; /* by SHA-1 a cache has the good one still */
	enum cert_status says;
} manner;

/* The request in a GET's path, base64 with escapes; owned. */
static uint8_t *
read_get(const char *request, size_t *len)
{
	char path[2048] = "";
	size_t n = 0;
	uint8_t *der = NULL;

	assert_int_equal(strncmp(request, "GET /", 5), 0);
	for (const char *at = request + 5; *at != ' ' && n + 1 < sizeof(path);
	     at++) {
		char hex[3] = "";

		if (*at != '%') {
			path[n++] = *at;
			continue;
		}
		memcpy(hex, at + 1, 2);
		path[n++] = (char)strtol(hex, NULL, 16);
		at += 2;
	}
	assert_true(base64_read(path, n, &der, len));
	return der;
}

static void
refuse(struct script *script)
{
	/* OCSPResponse { malformedRequest } */
	static const char text[] =
	    "HTTP/1.1 200 OK\r\nContent-Type: application/ocsp-response\r\n"
	    "Content-Length: 5\r\nConnection: close\r\n\r\n\x30\x03\x0a\x01\x01";

	script->reply = text;
	script->reply_len = sizeof(text) - 1;
}

static void
choose(struct script *script)
{
	struct request_facts facts = {0};
	uint8_t *der, *nonce = NULL;
	size_t len = 0, nonce_len = 0;
	struct asked now;

	if (strncmp(script->request, "GET /", 5) != 0) {
		refuse(script); /* POST: the second method, the same answer */
		return;
	}
	der = read_get(script->request, &len);
	assert_int_equal(request_parse(der, len, &facts, NULL), 0);
	assert_int_equal(request_nonce(der, len, &nonce, &nonce_len, NULL), 0);
	now = (struct asked){.sha256 = strcmp(facts.ids[0].hash, "sha256") == 0,
	    .nonce_len = nonce_len};
	if (asked_count < ASKED_MAX)
		asked[asked_count++] = now;
	if (manner.refuses_sha1 && !now.sha256) {
		refuse(script);
	} else {
		odd_single.md_nid = now.sha256 ? NID_sha256 : NID_sha1;
		odd.nonce = (struct span){nonce, nonce_len};
		if (!manner.echoes_nonce)
			odd.nonce = (struct span){0};
		sign(1,
		    manner.revokes_by_sha256 && now.sha256 ? CERT_REVOKED
							   : manner.says,
		    60, CLOCK_DAY);
	}
	request_facts_done(&facts);
	free(nonce);
	free(der);
}

static void
begin_choosing(void)
{
	memset(&manner, 0, sizeof(manner));
	asked_count = 0;
	responder.choose = choose;
}

/* Run once with one RULE (or NULL); what it came to. */
static int
run_with(const struct issuer_rules *rule)
{
	struct keeper_options options = options_for(1, true);

	options.rules = rule;
	options.rule_count = rule == NULL ? 0 : 1;
	return await_exit(begin(&options));
}

static int
run_once(void)
{
	return run_with(NULL);
}

/* The hash of the first answer's CertID in the published staple. */
static bool
staple_is_sha256(void)
{
	struct response response;
	uint8_t *der = NULL;
	size_t len = 0;
	bool sha256;

	assert_int_equal(
	    file_read(staples[0], VERIFY_RESPONSE_MAX, &der, &len, NULL), 0);
	assert_int_equal(response_parse(der, len, &response, NULL), 0);
	sha256 = response.singles[0].name_hash.len == 32;
	response_done(&response);
	free(der);
	return sha256;
}

/* --- private responders --- */

/* C6, C7: the -VAfile case, said of this issuer or not at all. */
static void
test_signer_of_another_ca(void **state)
{
	struct pki_party stranger = pki_party(&(struct pki_spec){.cn = "va",
	    .from = clock_wall_s() - CLOCK_DAY,
	    .until = clock_wall_s() + CLOCK_DAY,
	    .ext = {{"extendedKeyUsage", "OCSPSigning"}}});
	char *path = scratch_path(&scratch, "va.pem");
	char *pem = cert_pem(stranger.cert);
	struct issuer_rules rule = {.issuer = "another", .signer = path};

	(void)state;
	scratch_write(path, pem);
	make_leaves(1);
	odd.signer = &stranger;
	odd.certs[0] = stranger.cert;
	sign(1, CERT_GOOD, 60, CLOCK_DAY);
	assert_int_equal(run_once(), KEEPER_LATER);
	assert_int_equal(run_with(&rule), KEEPER_LATER);
	assert_false(first_is_there());
	rule.issuer = "issuer";
	assert_int_equal(run_with(&rule), KEEPER_GOOD);
	assert_true(first_is_there());
	/* A1: and it is adopted, by the same word only */
	responder.manner = SCRIPT_HANG;
	assert_int_equal(run_with(&rule), KEEPER_GOOD);
	assert_int_equal(run_once(), KEEPER_LATER);
	assert_false(first_is_there());
	pki_party_done(&stranger);
	free(path);
	free(pem);
}

static void
test_no_next_update(void **state)
{
	const struct issuer_rules rule = {
	    .issuer = issuer.cert->fingerprint, .no_next_update_s = 7200};

	(void)state;
	make_leaves(1);
	odd_single.no_next_update = true;
	sign(1, CERT_GOOD, 60, 0);
	assert_int_equal(run_once(), KEEPER_LATER);
	assert_false(first_is_there());
	assert_int_equal(run_with(&rule), KEEPER_GOOD);
	assert_true(first_is_there());
	/* of three hours ago: its life is over */
	sign(1, CERT_GOOD, 3 * CLOCK_HOUR, 0);
	free(state_dir);
	state_dir = scratch_path(&scratch, "state2");
	assert_int_equal(run_with(&rule), KEEPER_LATER);
}

static const struct nonce_row {
	const char *name;
	enum nonce_choice choice;
	bool echoes;
	enum keeper_end end;
} nonce_rows[] = {
    {"B3: none is sent", NONCE_NONE, true, KEEPER_GOOD},
    {"C16: sent, and it comes back", NONCE_SEND, true, KEEPER_GOOD},
    {"C16: sent, and left out", NONCE_SEND, false, KEEPER_GOOD},
    {"C16: strict, and it comes back", NONCE_STRICT, true, KEEPER_GOOD},
    {"C16: strict, and left out", NONCE_STRICT, false, KEEPER_LATER},
};

static void
test_nonces(void **state)
{
	for (size_t i = 0; i < sizeof(nonce_rows) / sizeof(nonce_rows[0]);
	     i++) {
		const struct nonce_row *row = &nonce_rows[i];
		const struct issuer_rules rule = {
		    .issuer = "issuer", .nonce = row->choice};
		int end;

		if (i > 0)
			(void)set_up(state);
		begin_choosing();
		make_leaves(1);
		manner.echoes_nonce = row->echoes;
		end = run_with(&rule);
		if (end != (int)row->end)
			fail_msg("%s: ended with %d", row->name, end);
		if (asked[0].nonce_len != (row->choice == NONCE_NONE ? 0 : 32))
			fail_msg("%s: a nonce of %zu octets", row->name,
			    asked[0].nonce_len);
		if (i + 1 < sizeof(nonce_rows) / sizeof(nonce_rows[0]))
			(void)tear_down(state);
	}
}

/* A certificate that names no responder. */
static void
make_bare(void)
{
	make_leaves(1);
	pki_party_done(&leaves[0]);
	leaves[0] = pki_party(&(struct pki_spec){.cn = "bare",
	    .issuer = &issuer,
	    .from = clock_wall_s() - CLOCK_DAY,
	    .until = clock_wall_s() + 20 * CLOCK_DAY});
	free(staples[0]);
	staples[0] = mem_printf(
	    "%s/staples/%s.der", state_dir, leaves[0].cert->fingerprint);
	write_certificate(0, paths[0]);
}

/* REQUIREMENTS 3.2, 6: a responder for certificates that name none. */
static void
test_url_of_the_issuer(void **state)
{
	char *url = mem_printf("http://127.0.0.1:%d/", responder.port);
	const struct issuer_rules rule = {.issuer = "issuer", .url = url};

	(void)state;
	make_bare();
	sign(1, CERT_GOOD, 60, CLOCK_DAY);
	assert_int_equal(run_once(), KEEPER_GOOD); /* no-responder is fine */
	assert_int_equal(responder.requests, 0);
	assert_int_equal(run_with(&rule), KEEPER_GOOD);
	assert_int_equal(responder.requests, 1);
	assert_true(first_is_there());
	free(url);
}

/* --- the CertID's hash (B9) --- */

static void
test_certid(void **state)
{
	struct keeper_options options = options_for(1, true);

	(void)state;
	begin_choosing();
	make_leaves(1);
	options.certid = CERTID_SHA256;
	assert_int_equal(await_exit(begin(&options)), KEEPER_GOOD);
	assert_int_equal(asked_count, 1);
	assert_true(asked[0].sha256);
	assert_true(staple_is_sha256());
}

/* The one to staple by SHA-1, and a second one. */
static void
test_certid_both(void **state)
{
	const struct issuer_rules rule = {
	    .issuer = "issuer", .certid = CERTID_BOTH};

	(void)state;
	begin_choosing();
	make_leaves(1);
	assert_int_equal(run_with(&rule), KEEPER_GOOD);
	assert_int_equal(asked_count, 2);
	assert_false(asked[0].sha256);
	assert_true(asked[1].sha256);
	assert_false(staple_is_sha256());
}

/* A second one that is not to be had costs nothing. */
static void
test_certid_both_refused(void **state)
{
	const struct issuer_rules rule = {
	    .issuer = "issuer", .certid = CERTID_BOTH};

	(void)state;
	make_leaves(1);
	odd_single.md_nid = NID_sha1; /* whatever is asked for */
	sign(1, CERT_GOOD, 60, CLOCK_DAY);
	assert_int_equal(run_with(&rule), KEEPER_GOOD);
	assert_int_equal(responder.requests, 2);
	assert_false(staple_is_sha256());
}

/* C3, C15: what the second says, signed, is no less true than the first. */
static void
test_certid_both_revoked(void **state)
{
	const struct issuer_rules rule = {
	    .issuer = "issuer", .certid = CERTID_BOTH};

	(void)state;
	begin_choosing();
	make_leaves(1);
	manner.revokes_by_sha256 = true;
	assert_int_equal(run_with(&rule), KEEPER_ALARM);
	assert_int_equal(asked_count, 2);
	assert_false(first_is_there());
}

/* The first certificate was met an hour ago: a second response is due. */
static void
age_first(void)
{
	char *database = mem_printf("%s/oclasp.db", state_dir);
	const char *fingerprint = leaves[0].cert->fingerprint;
	struct store *store =
	    store_visit(database, STORE_MAKE | STORE_MINE, NULL);
	struct store_state said = {0};

	assert_non_null(store);
	assert_int_equal(store_get_state(store, fingerprint, &said, NULL), 1);
	said.first_seen -= CLOCK_HOUR;
	assert_int_equal(store_save(store, fingerprint,
			     &(struct store_change){.state = &said}, NULL),
	    0);
	store_close(store);
	free(database);
}

/* I8: the responder was the operator's word, which is gone: there is a staple,
 * and nobody who could be asked for a second one. */
static void
test_certid_both_of_nobody(void **state)
{
	char *url = mem_printf("http://127.0.0.1:%d/", responder.port);
	const struct issuer_rules with = {.issuer = "issuer", .url = url},
				  without = {.issuer = "issuer",
				      .certid = CERTID_BOTH};

	(void)state;
	make_bare();
	sign(1, CERT_GOOD, 60, CLOCK_DAY);
	assert_int_equal(run_with(&with), KEEPER_GOOD);
	age_first();
	assert_int_equal(run_with(&without), KEEPER_GOOD);
	assert_int_equal(responder.requests, 1);
	assert_true(first_is_there());
	free(url);
}

/* A responder that has left SHA-1 behind. */
static void
test_certid_fallback(void **state)
{
	struct keeper_options options = options_for(1, false);
	pid_t child;

	(void)state;
	begin_choosing();
	make_leaves(1);
	manner.refuses_sha1 = true;
	child = begin(&options);
	await(first_is_there, "a staple by SHA-256");
	assert_true(staple_is_sha256());
	/* not before it has refused three times */
	assert_int_equal(asked_count, 4);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(asked[i].sha256, i == 3);
	assert_int_equal(stop(child), KEEPER_GOOD);
}

/* --- revoked (C15, A14) --- */

enum { OLD = CLOCK_DAY * 6 / 10 }; /* past the half of a day: due at a start */

static void
test_revoked_is_withdrawn(void **state)
{
	(void)state;
	make_leaves(1);
	sign(1, CERT_GOOD, OLD, CLOCK_DAY);
	assert_int_equal(run_once(), KEEPER_GOOD);
	assert_true(first_is_there());
	sign(1, CERT_REVOKED, 60, CLOCK_DAY);
	assert_int_equal(run_once(), KEEPER_ALARM);
	assert_false(first_is_there());
	/* remembered, without network */
	responder.manner = SCRIPT_HANG;
	assert_int_equal(run_once(), KEEPER_ALARM);
	assert_false(first_is_there());
}

static void
test_revoked_is_kept(void **state)
{
	const struct issuer_rules rule = {
	    .issuer = "issuer", .on_revoked = ON_REVOKED_KEEP};

	(void)state;
	make_leaves(1);
	sign(1, CERT_GOOD, OLD, CLOCK_DAY);
	assert_int_equal(run_with(&rule), KEEPER_GOOD);
	sign(1, CERT_REVOKED, 60, CLOCK_DAY);
	assert_int_equal(run_with(&rule), KEEPER_ALARM);
	assert_true(first_is_there());
	assert_int_equal(run_with(&rule), KEEPER_ALARM); /* at a start too */
	assert_true(first_is_there());
	assert_int_equal(run_once(), KEEPER_ALARM); /* by choice no more */
	assert_false(first_is_there());
}

/* A14: a cache that lags behind, or somebody who replays the good one. */
static void
test_no_way_back_from_revoked(void **state)
{
	int64_t moment = clock_wall_s() - CLOCK_HOUR;

	(void)state;
	make_leaves(1);
	sign(1, CERT_GOOD, OLD, CLOCK_DAY);
	assert_int_equal(run_once(), KEEPER_GOOD);
	sign_at(1, CERT_REVOKED, moment, CLOCK_DAY);
	assert_int_equal(run_once(), KEEPER_ALARM);
	sign(1, CERT_GOOD, OLD, CLOCK_DAY);
	assert_int_equal(run_once(), KEEPER_ALARM);
	assert_false(first_is_there());
	/* of the same second: revoked goes before good (C3) */
	sign_at(1, CERT_GOOD, moment, CLOCK_DAY);
	assert_int_equal(run_once(), KEEPER_ALARM);
	assert_false(first_is_there());
	/* newer: a hold that was lifted */
	sign(1, CERT_GOOD, 60, CLOCK_DAY);
	assert_int_equal(run_once(), KEEPER_GOOD);
	assert_true(first_is_there());
}

/* A14: and not from a newer good one either. */
static void
test_no_way_back_from_good(void **state)
{
	(void)state;
	make_leaves(1);
	sign(1, CERT_GOOD, OLD, CLOCK_DAY);
	assert_int_equal(run_once(), KEEPER_GOOD);
	sign(1, CERT_GOOD, OLD + 3600, CLOCK_DAY);
	assert_int_equal(run_once(), KEEPER_LATER);
	assert_true(first_is_there());
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_signer_of_another_ca),
	    TEST(test_no_next_update),
	    TEST(test_nonces),
	    TEST(test_url_of_the_issuer),
	    TEST(test_certid),
	    TEST(test_certid_both),
	    TEST(test_certid_both_refused),
	    TEST(test_certid_both_revoked),
	    TEST(test_certid_both_of_nobody),
	    TEST(test_certid_fallback),
	    TEST(test_revoked_is_withdrawn),
	    TEST(test_revoked_is_kept),
	    TEST(test_no_way_back_from_revoked),
	    TEST(test_no_way_back_from_good),
	};

	return cmocka_run_group_tests(tests, make_pki, free_pki);
}
