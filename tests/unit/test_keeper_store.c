/* SPDX-License-Identifier: ISC */
/* test_keeper_store.c -- keep/keeper_store: what a start adopts (A1, A7), what
 * is remembered, and what a store that was lost gets again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "acquire/address_book.h"
#include "base/base64.h"
#include "base/file.h"
#include "base/log.h"
#include "base/loop.h"
#include "keep/inbox.h"
#include "http/server.h"
#include "keep/keeper_priv.h"
#include "keep/relay.h"
#include "keep/seal_key.h"
#include "pki/request.h"
#include "pki/seal.h"
#include "pki/staple.h"
#include "pki_fixture.h"
#include "store_test.h"

enum {
	LIFE = 7 * CLOCK_DAY,
	MANY = 40,
};

static struct scratch scratch;
static struct pki_party issuer, leaf;
static char *path, *certificate, *staple_file;
static struct target_spec spec;
static struct keeper_options options;
static int64_t now;

/* --- one certificate and its responses --- */

static int
make_pki(void **state)
{
	(void)state;
	log_set_level(LOG_ERROR);
	now = clock_wall_s();
	issuer = pki_party(&(struct pki_spec){.cn = "issuer",
	    .from = now - 90 * CLOCK_DAY,
	    .until = now + 90 * CLOCK_DAY,
	    .ext = {{"basicConstraints", "critical,CA:TRUE"}}});
	leaf = pki_party(&(struct pki_spec){.cn = "leaf",
	    .issuer = &issuer,
	    .from = now - 30 * CLOCK_DAY,
	    .until = now + 60 * CLOCK_DAY,
	    .ext = {{"authorityInfoAccess", "OCSP;URI:http://127.0.0.1:9/"}}});
	return 0;
}

static int
free_pki(void **state)
{
	(void)state;
	pki_party_done(&leaf);
	pki_party_done(&issuer);
	return 0;
}

static struct buf
respond_as(enum cert_status status, int64_t age, bool sha256)
{
	const struct pki_single single = {.leaf = leaf.cert,
	    .issuer = issuer.cert,
	    .status = status,
	    .md_nid = sha256 ? 672 : 0, /* NID_sha256 */
	    .this_update = now - age,
	    .next_update = now - age + LIFE};

	return pki_response(&(struct pki_response){.signer = &issuer,
	    .produced_at = now - age,
	    .singles = &single,
	    .single_count = 1});
}

static struct buf
respond(int64_t age, bool sha256)
{
	return respond_as(CERT_GOOD, age, sha256);
}

/* --- a keeper that does not run --- */

static struct keeper keeper;
static enum on_revoked on_revoked; /* what the operator wants; */
static bool with_relay;            /* and that others are answered */

static void
begin(bool once)
{
	struct err err = {0};
	struct settings *settings;

	options = (struct keeper_options){
	    .state_dir = scratch.dir, .specs = &spec, .spec_count = 1};
	options.once = once;
	options.on_revoked = on_revoked;
	keeper = (struct keeper){.lock = -1};
	keeper.options = &options;
	settings = settings_load(&options, &err);
	if (settings == NULL)
		fail_msg("%s", err.text);
	keeper.staple_dir = keeper_staple_dir(scratch.dir);
	keeper.snippet_dir = keeper_snippet_dir(scratch.dir);
	keeper.book = address_book_new();
	keeper.store = store_test_keep(path);
	keeper.sealer = seal_key_open(scratch.dir, true, NULL);
	(void)uv_loop_init(&keeper.loop);
	keeper_obey(&keeper, settings);
	if (with_relay)
		keeper.relay = relay_new(&keeper.loop, clock_wall_s);
}

static void
end(void)
{
	keeper.stopping = true;
	keeper_end_unread(&keeper);
	HASH_CLEAR(hh, keeper.by_path);
	HASH_CLEAR(hh_print, keeper.by_print);
	for (size_t i = 0; i < keeper.target_count; i++)
		target_free(keeper.targets[i]);
	issuers_done(&keeper.issuers);
	free(keeper.targets);
	relay_free(&keeper.relay);
	schedule_done(&keeper.schedule);
	loop_timer_cancel(&keeper.publish_timer);
	loop_timer_cancel(&keeper.book_timer);
	loop_timer_cancel(&keeper.due);
	store_close(keeper.store);
	sealer_free(keeper.sealer);
	address_book_free(keeper.book);
	settings_free(keeper.settings);
	free(keeper.staple_dir);
	free(keeper.snippet_dir);
	loop_end(&keeper.loop);
}

static int
set_up(void **state)
{
	char *folder, *pem, *ca, *both;

	(void)state;
	scratch_make(&scratch);
	path = scratch_path(&scratch, "oclasp.db");
	certificate = scratch_path(&scratch, "leaf.pem");
	spec = (struct target_spec){.certificate = certificate};
	pem = cert_pem(leaf.cert);
	ca = cert_pem(issuer.cert);
	both = mem_printf("%s%s", pem, ca);
	scratch_write(certificate, both);
	folder = keeper_staple_dir(scratch.dir);
	assert_int_equal(file_make_dir(folder, 0755, NULL), 0);
	staple_file = mem_printf("%s/%s.der", folder, leaf.cert->fingerprint);
	free(folder);
	free(pem);
	free(ca);
	free(both);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	free(path);
	free(certificate);
	free(staple_file);
	scratch_remove(&scratch);
	return 0;
}

static struct target *
start_and_read(bool once)
{
	begin(once);
	keeper.list_stale = true;
	keeper_sync_targets(&keeper);
	assert_int_equal(keeper.target_count, 1);
	/* a chore, but for what would be done next: nothing is fetched here */
	keeper_drop_chore(&keeper, keeper.targets[0]);
	keeper_read_target(&keeper, keeper.targets[0]);
	assert_non_null(keeper.targets[0]->leaf);
	return keeper.targets[0];
}

/* --- adopted --- */

static void
put_stored(const struct store_state *state, int64_t age)
{
	struct store *store = store_test_keep(path);
	struct buf der = {0};
	struct store_change change = {.state = state};

	if (age > 0) {
		der = respond(age, false);
		change.staple = pki_span(&der);
		change.this_update = now - age;
	}
	assert_int_equal(
	    store_save(store, leaf.cert->fingerprint, &change, NULL), 0);
	store_close(store);
	buf_done(&der);
}

static void
test_adopts(void **state)
{
	struct row {
		const char *name;
		struct store_state stored;
		int64_t age; /* of the stored staple; 0: none */
		bool once;
		enum target_state state;
		bool at_once; /* it is asked for now */
		bool has_staple;
	} rows[] = {
	    {.name = "never asked", .state = STATE_PENDING, .at_once = true},
	    {.name = "good and young",
		.stored = {.last_attempt = now - 60, .random = 7},
		.age = 60,
		.state = STATE_FRESH,
		.has_staple = true},
	    {.name = "C21: good and young, of a cache that says for how long",
		.stored = {.last_attempt = now - 60, .fetch_again = now + 600},
		.age = 60,
		.state = STATE_FRESH,
		.has_staple = true},
	    {.name = "good, past its half, asked a minute ago",
		.stored = {.last_attempt = now - 60, .random = 7},
		.age = LIFE * 6 / 10,
		.state = STATE_DUE,
		.at_once = true,
		.has_staple = true},
	    {.name = "B9, F2: failing, asked just now, by the other hash",
		.stored = {.last_attempt = now,
		    .failures = 12,
		    .other_hash = true,
		    .first_seen = now - 900,
		    .last_err = {REASON_HTTP_TIMEOUT, "slow"},
		    .random = 0xfffffff},
		.age = LIFE * 6 / 10,
		.state = STATE_RETRYING,
		.has_staple = true},
	    {.name = "failing, by hand",
		.stored = {.last_attempt = now,
		    .failures = 12,
		    .last_err = {REASON_HTTP_TIMEOUT, "slow"},
		    .random = 0xfffffff},
		.age = LIFE * 6 / 10,
		.once = true,
		.state = STATE_RETRYING,
		.at_once = true,
		.has_staple = true},
	    {.name = "failing, told to wait, by hand",
		.stored = {.last_attempt = now,
		    .failures = 1,
		    .last_err = {REASON_HTTP_STATUS, "503"},
		    .retry_after = now + 1800},
		.age = LIFE * 6 / 10,
		.once = true,
		.state = STATE_RETRYING,
		.has_staple = true},
	    {.name = "failing and bare, told to wait",
		.stored = {.last_attempt = now,
		    .failures = 1,
		    .last_err = {REASON_HTTP_STATUS, "503"},
		    .retry_after = now + 1800},
		.state = STATE_PENDING},
	    {.name = "revoked, asked lately",
		.stored = {.last_attempt = now - 60,
		    .last_final = true,
		    .last_status = CERT_REVOKED,
		    .final_life = LIFE,
		    .floor = now - 100},
		.state = STATE_REVOKED},
	    {.name = "revoked, and a failure since",
		.stored = {.last_attempt = now - 60,
		    .failures = 1,
		    .last_err = {REASON_HTTP_TIMEOUT, "slow"},
		    .last_final = true,
		    .last_status = CERT_REVOKED,
		    .final_life = LIFE,
		    .floor = now - 100},
		.state = STATE_REVOKED},
	    {.name = "revoked, and a staple that a kill left",
		.stored = {.last_attempt = now - 60,
		    .last_final = true,
		    .last_status = CERT_REVOKED,
		    .final_life = LIFE,
		    .floor = now - 100},
		.age = LIFE / 10,
		.state = STATE_REVOKED},
	    {.name = "unknown, with the last good one",
		.stored = {.last_attempt = now - 60,
		    .last_final = true,
		    .last_status = CERT_UNKNOWN,
		    .final_life = LIFE},
		.age = LIFE / 10,
		.state = STATE_UNKNOWN,
		.has_staple = true},
	    {.name = "a staple that has ended",
		.stored = {.last_attempt = now - 60},
		.age = LIFE + 60,
		.state = STATE_PENDING,
		.at_once = true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		struct policy_facts facts;
		struct policy_decision d;
		struct target *target;

		print_message("%s\n", row->name);
		put_stored(&row->stored, row->age);
		target = start_and_read(row->once);
		facts = target_facts(target, now);
		d = policy_decide(&facts);
		assert_string_equal(target_state_name(target->state),
		    target_state_name(row->state));
		assert_int_equal(d.next_attempt <= now, row->at_once);
		assert_int_equal(target->staple != NULL, row->has_staple);
		assert_int_equal(target->failures, row->stored.failures);
		assert_int_equal(trouble_reason(target->failure),
		    row->stored.last_err.reason);
		assert_int_equal(target->floor, row->stored.floor);
		assert_int_equal(target->final_life, row->stored.final_life);
		assert_int_equal(target->fetch_again, row->stored.fetch_again);
		assert_int_equal(target->other_hash, row->stored.other_hash);
		if (row->stored.first_seen != 0)
			assert_int_equal(
			    target->first_seen, row->stored.first_seen);
		if (!row->at_once)
			assert_int_equal(
			    target->last_attempt, row->stored.last_attempt);
		end();
		assert_int_equal(unlink(path), 0);
	}
}

/* A10: that a certificate ends is an alarm of its own, whatever else is due. */
static void
test_end_of_the_certificate(void **state)
{
	static const bool responders[] = {true, false};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const struct store_state stored = {.last_attempt = now - 60};
		struct target *target;

		put_stored(&stored, 60);
		target = start_and_read(false);
		if (!responders[i]) {
			target->leaf->ocsp_url_count = 0;
			free(target->responder);
			target->responder = NULL;
			target_drop_staple(target);
		}
		target->leaf->not_after = now + 600;
		keeper_decide(&keeper, target);
		if (schedule_first(&keeper.schedule) != &target->entry ||
		    target->entry.when != now + 600)
			fail_msg(
			    "A10: nobody looks when it ends (%s responder)",
			    responders[i] ? "with a" : "without a");
		end();
		assert_int_equal(unlink(path), 0);
	}
}

static void
see_update(void *cookie, const struct store_item *item)
{
	int64_t *update = cookie;

	assert_int_equal(item->staple.len > 0, item->this_update > 0);
	*update = item->this_update;
}

/* What was published stands in for a store that is lost; or is newer than the
 * store, if the keeper was killed between the two; and then the store gets it. */
static void
test_adopts_what_is_published(void **state)
{
	static const struct {
		const char *name;
		int64_t stored, published; /* age; 0: none */
		bool revoked;
		int64_t want;
	} rows[] = {
	    {"the store is lost", 0, 500, false, 500},
	    {"the published one is newer", 500, 300, false, 300},
	    {"the stored one is newer", 300, 500, false, 300},
	    {"the same", 300, 300, false, 300},
	    {"the last word is revoked", 0, 300, true, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct store_state stored = {.last_attempt = now - 60,
		    .last_final = rows[i].revoked,
		    .last_status = rows[i].revoked ? CERT_REVOKED : CERT_GOOD,
		    .floor = rows[i].revoked ? now : 0};
		struct buf der = respond(rows[i].published, false);
		struct target *target;
		struct store *visitor;
		int64_t update = 0;

		print_message("%s\n", rows[i].name);
		if (rows[i].stored > 0 || rows[i].revoked)
			put_stored(&stored, rows[i].stored);
		scratch_write_bytes(staple_file, der.text, der.len);
		buf_done(&der);
		target = start_and_read(false);
		assert_int_equal(target_this_update(target),
		    rows[i].want == 0 ? 0 : now - rows[i].want);
		keeper_end_store(&keeper);
		end();
		visitor = store_visit(path, 0, NULL);
		assert_int_equal(store_each(visitor, leaf.cert->fingerprint,
				     see_update, &update, NULL),
		    0);
		assert_int_equal(
		    update, rows[i].want == 0 ? 0 : now - rows[i].want);
		store_close(visitor);
		assert_int_equal(unlink(path), 0);
	}
}

/* --- sealed (I1) --- */

static void
seal_by_key(
    const struct cert *of, const struct buf *der, uint8_t seal[SEAL_LEN])
{
	struct sealer *sealer = seal_key_open(scratch.dir, true, NULL);
	const struct seal_facts facts = {.leaf = of,
	    .issuer = issuer.cert,
	    .signer = issuer.cert,
	    .response = pki_span(der)};

	assert_non_null(sealer);
	assert_true(seal_make(sealer, &facts, seal));
	sealer_free(sealer);
}

static void
see_seal(void *cookie, const struct store_item *item)
{
	size_t *len = cookie;

	*len = item->seal.len;
}

/* A response with a damaged signature comes in by our own seal only; a genuine
 * one in any case, and gets the seal that it lacks. */
static void
test_adopts_by_seal(void **state)
{
	enum seal { OURS, NONE, OF_ISSUER, ODD, KEY_LOST, KEY_SHOWN };
	static const struct {
		const char *name;
		bool damaged;
		enum seal seal;
		bool want, anew; /* it is stored again, with a seal */
	} rows[] = {
	    {"sealed", false, OURS, true, false},
	    {"sealed, and not verified", true, OURS, true, false},
	    {"no seal", false, NONE, true, true},
	    {"no seal, damaged", true, NONE, false, false},
	    {"of another certificate", false, OF_ISSUER, true, true},
	    {"of another certificate, damaged", true, OF_ISSUER, false, false},
	    {"a bit is another", false, ODD, true, true},
	    {"a bit is another, damaged", true, ODD, false, false},
	    {"the key is lost", false, KEY_LOST, true, true},
	    {"the key is lost, damaged", true, KEY_LOST, false, false},
	    {"others may read the key", false, KEY_SHOWN, true, true},
	    {"others may read the key, damaged", true, KEY_SHOWN, false, false},
	};
	char *key = scratch_path(&scratch, "seal.key");

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf der = respond(500, false);
		const struct store_state stored = {.last_attempt = now - 60};
		uint8_t seal[SEAL_LEN];
		struct store_change change = {.state = &stored,
		    .this_update = now - 500,
		    .seal = {seal, sizeof(seal)}};
		struct store *store = store_test_keep(path);
		struct target *target;
		size_t len = 0;

		print_message("%s\n", rows[i].name);
		if (rows[i].damaged) /* the end of the signature's octets */
			der.text[der.len - 1] ^= 1;
		change.staple = pki_span(&der);
		seal_by_key((rows[i].seal == OF_ISSUER ? &issuer : &leaf)->cert,
		    &der, seal);
		if (rows[i].seal == ODD)
			seal[0] ^= 0x80;
		if (rows[i].seal == NONE)
			change.seal.len = 0;
		if (rows[i].seal == KEY_LOST)
			assert_int_equal(unlink(key), 0);
		if (rows[i].seal == KEY_SHOWN)
			assert_int_equal(chmod(key, 0644), 0);
		assert_int_equal(
		    store_save(store, leaf.cert->fingerprint, &change, NULL),
		    0);
		store_close(store);
		target = start_and_read(false);
		assert_int_equal(target->staple != NULL, rows[i].want);
		assert_int_equal(target->unsaved, rows[i].anew);
		keeper_end_store(&keeper);
		assert_false(target->unsaved);
		end();
		/* and once more: now it has one */
		if (rows[i].want) {
			target = start_and_read(false);
			assert_non_null(target->staple);
			assert_false(target->unsaved);
			assert_int_equal(
			    store_each(keeper.store, leaf.cert->fingerprint,
				see_seal, &len, NULL),
			    0);
			assert_int_equal(len, SEAL_LEN);
			end();
		}
		assert_int_equal(unlink(path), 0);
		buf_done(&der);
	}
	free(key);
}

/* The list that others read, and that says what may be forgotten. */
static void
test_list(void **state)
{
	struct store_target *got = NULL;
	struct store *visitor;
	size_t count = 0;

	(void)state;
	(void)start_and_read(false);
	keeper_end_store(&keeper);
	end();
	visitor = store_visit(path, 0, NULL);
	assert_int_equal(store_get_targets(visitor, &got, &count, NULL), 0);
	assert_int_equal(count, 1);
	assert_string_equal(got[0].certificate, certificate);
	assert_string_equal(got[0].fingerprint, leaf.cert->fingerprint);
	store_targets_free(got, count);
	store_close(visitor);
}

/* --- many, in the store's order --- */

enum {
	WALKED = 12,
	RENEWED = 3,  /* its file has another certificate now */
	UNLISTED = 4, /* the last list does not know its certificate */
	UNSTORED = 5, /* the store has no row of it */
	TWIN = 6,     /* the same certificate as the one before: no row, too */
	ODD_LIST = 7, /* the list has another fingerprint */
};

static struct walked {
	struct pki_party party, renewed;
	char *path;
} walked[WALKED];

static size_t done;

static void
do_chore(struct keeper *k, struct target *target)
{
	assert_true(target->chore);
	keeper_drop_chore(k, target);
	keeper_read_target(k, target);
	assert_non_null(target->leaf);
	done++;
}

static struct pki_party
walked_leaf(size_t i, const char *serial)
{
	char *name = mem_printf("leaf %zu", i);
	struct pki_party party = pki_party(&(struct pki_spec){.cn = name,
	    .issuer = &issuer,
	    .serial = serial,
	    .from = now - 30 * CLOCK_DAY,
	    .until = now + 60 * CLOCK_DAY,
	    .ext = {{"authorityInfoAccess", "OCSP;URI:http://127.0.0.1:9/"}}});

	free(name);
	return party;
}

/* The files, the list, and in the store the responses, the last first. */
static void
make_walked(void)
{
	struct store_target list[WALKED] = {{0}};
	struct store *store = store_test_keep(path);
	char odd[] = FP_A;

	for (size_t i = 0; i < WALKED; i++) {
		struct walked *w = &walked[i];
		char *name = mem_printf("%zu.pem", i), *pem, *ca, *both;

		w->party = walked_leaf(i == TWIN ? TWIN - 1 : i, NULL);
		w->renewed = walked_leaf(i, "77");
		w->path = scratch_path(&scratch, name);
		pem = cert_pem((i == RENEWED ? &w->renewed
				: i == TWIN  ? &walked[TWIN - 1].party
					     : &w->party)
				   ->cert);
		ca = cert_pem(issuer.cert);
		both = mem_printf("%s%s", pem, ca);
		scratch_write(w->path, both);
		list[i].certificate = w->path;
		list[i].fingerprint =
		    i == UNLISTED ? NULL : w->party.cert->fingerprint;
		free(name);
		free(pem);
		free(ca);
		free(both);
	}
	list[TWIN].fingerprint = walked[TWIN - 1].party.cert->fingerprint;
	list[ODD_LIST].fingerprint = odd;
	assert_int_equal(store_put_targets(store, list, WALKED, NULL), 0);
	for (size_t i = WALKED; i-- > 0;) {
		const struct pki_single single = {.leaf = walked[i].party.cert,
		    .issuer = issuer.cert,
		    .this_update = now - 500,
		    .next_update = now - 500 + LIFE};
		struct buf der =
		    pki_response(&(struct pki_response){.signer = &issuer,
			.produced_at = now - 500,
			.singles = &single,
			.single_count = 1});
		const struct store_state state = {
		    .last_attempt = now - 60, .random = (uint32_t)i + 1};
		const struct store_change change = {.staple = pki_span(&der),
		    .this_update = now - 500,
		    .state = &state};

		if (i != UNSTORED && i != TWIN)
			assert_int_equal(
			    store_save(store, walked[i].party.cert->fingerprint,
				&change, NULL),
			    0);
		buf_done(&der);
	}
	store_close(store);
}

/* The first COUNT are all that the configuration names. */
static void
keep_walked(size_t count)
{
	static struct target_spec specs[WALKED];

	for (size_t i = 0; i < WALKED; i++)
		specs[i] = (struct target_spec){.certificate = walked[i].path};
	keeper.settings->options.specs = specs;
	keeper.settings->options.spec_count = count;
	keeper.list_stale = true;
	keeper_sync_targets(&keeper);
	assert_int_equal(keeper.target_count, count);
}

static void
free_walked(void)
{
	for (size_t i = 0; i < WALKED; i++) {
		pki_party_done(&walked[i].party);
		pki_party_done(&walked[i].renewed);
		free(walked[i].path);
	}
}

/* What the walk does not bring is looked up, and each is read once. */
static void
test_walk(void **state)
{
	(void)state;
	make_walked();
	begin(false);
	keep_walked(WALKED);
	keeper_walk_begin(&keeper);
	assert_non_null(keeper.walk);
	done = 0;
	while (keeper.walk != NULL)
		keeper_walk_on(&keeper, do_chore);
	/* the twin and the first of its name have one row, which there is not */
	assert_int_equal(done, WALKED - 4);
	for (size_t i = 0; i < WALKED; i++) {
		bool left = i == UNLISTED || i == UNSTORED || i == TWIN ||
			    i == ODD_LIST;

		assert_int_equal(keeper.targets[i]->chore, left);
		if (left)
			do_chore(&keeper, keeper.targets[i]);
	}
	for (size_t i = 0; i < WALKED; i++) {
		const struct target *target = keeper.targets[i];
		bool stored = i != RENEWED && i != UNSTORED && i != TWIN;

		print_message("%zu\n", i);
		assert_int_equal(target->staple != NULL, stored);
		if (stored) {
			assert_int_equal(target->random, i + 1);
			assert_string_equal(staple_fingerprint(target->staple),
			    target->leaf->fingerprint);
		}
	}
	assert_null(keeper.stored);
	end();
	free_walked();
}

/* A target that goes is not in it any more. */
static void
test_walk_is_cut_short(void **state)
{
	(void)state;
	make_walked();
	begin(false);
	keep_walked(WALKED);
	keeper_walk_begin(&keeper);
	assert_non_null(keeper.walk);
	keep_walked(WALKED - 1);
	assert_null(keeper.walk);
	end();
	/* and of few nobody makes one */
	begin(false);
	keep_walked(2);
	keeper_walk_begin(&keeper);
	assert_null(keeper.walk);
	end();
	free_walked();
}

/* --- remembered --- */

static struct staple *
verified(const struct target *target, int64_t age, bool sha256,
    struct verdict *facts)
{
	struct buf der = respond(age, sha256);
	struct verify_input input;
	struct verify_policy policy;
	struct staple *staple = NULL;
	bool accepted;

	target_terms(target, keeper.settings, now, &input, &policy);
	input.der = (const uint8_t *)der.text;
	input.len = der.len;
	assert_int_equal(
	    verify_staple(&input, &policy, &staple, facts, &accepted, NULL), 0);
	buf_done(&der);
	return staple;
}

static void
see_attempt(void *cookie, const struct store_attempt *attempt)
{
	int *count = cookie;

	if ((*count)++ > 0) {
		assert_string_equal(attempt->outcome, "good");
		assert_null(attempt->detail);
		assert_string_equal(attempt->url, "http://ocsp.test/");
		assert_string_equal(attempt->address, "192.0.2.9");
		assert_string_equal(attempt->source, "book");
		assert_int_equal(attempt->elapsed_ms, 21);
		assert_int_equal(attempt->this_update, now - 500);
		assert_int_equal(attempt->next_update, now - 500 + LIFE);
		assert_true(attempt->size > 100);
		return;
	}
	assert_string_equal(attempt->outcome, "not-ocsp");
	assert_string_equal(attempt->detail, "a page of a hotel");
	assert_null(attempt->address);
	assert_int_equal(attempt->size, 0);
}

static void
test_remembers(void **state)
{
	const struct acquire_try winner = {.address = "192.0.2.9",
	    .source = "book",
	    .url = "http://ocsp.test/"};
	struct acquire_result good = {
	    .accepted = true, .winner = &winner, .elapsed_ms = 21};
	struct acquire_result bad = {
	    .err = {REASON_NOT_OCSP, "a page of a hotel"}};
	struct target *target = start_and_read(false);
	struct staple *second;
	struct verdict facts;
	int count = 0;

	(void)state;
	target->last_attempt = now;
	good.staple = verified(target, 500, false, &good.facts);
	keeper_take(&keeper, target, &good);
	second = verified(target, 400, true, &facts);
	target->staple256 = second;
	keeper_save_second(&keeper, target);
	target->retry_after = now + 900;
	keeper_take(&keeper, target, &bad);
	store_test_flush(keeper.store);
	assert_int_equal(store_history(keeper.store, leaf.cert->fingerprint, 9,
			     see_attempt, &count, NULL),
	    0);
	assert_int_equal(count, 2);
	end();
	target = start_and_read(false);
	assert_int_equal(target_this_update(target), now - 500);
	assert_non_null(target->staple256);
	assert_int_equal(
	    staple_facts(target->staple256)->this_update, now - 400);
	assert_true(target->second_tried);
	assert_int_equal(target->failures, 1);
	assert_int_equal(target->retry_after, now + 900);
	assert_string_equal(target->failure->text, "a page of a hotel");
	end();
}

/* A signed revoked or unknown is an answer: no attempt in a row has failed. */
static void
test_final_ends_failures(void **state)
{
	struct acquire_result bad = {.err = {REASON_NOT_OCSP, "a page"}};
	struct acquire_result last = {.accepted = true,
	    .facts = {.status = CERT_UNKNOWN,
		.this_update = now,
		.usable_until = now + CLOCK_DAY}};
	struct target *target = start_and_read(false);

	(void)state;
	target->last_attempt = now;
	keeper_take(&keeper, target, &bad);
	assert_int_equal(target->failures, 1);
	keeper_take(&keeper, target, &last);
	assert_int_equal(target->failures, 0);
	assert_null(target->failure);
	end();
}

/* C15: withdrawn is withdrawn in the store, too: what is not there cannot come
 * back, by whatever reads it. */
static void
test_revoked_leaves_the_store(void **state)
{
	struct acquire_result good = {.accepted = true};
	struct acquire_result last = {.accepted = true,
	    .facts = {.status = CERT_REVOKED,
		.this_update = now - 100,
		.usable_until = now + CLOCK_DAY}};
	struct target *target = start_and_read(false);
	int64_t update = 0;

	(void)state;
	target->last_attempt = now;
	good.staple = verified(target, 500, false, &good.facts);
	keeper_take(&keeper, target, &good);
	store_test_flush(keeper.store);
	assert_int_equal(store_each(keeper.store, leaf.cert->fingerprint,
			     see_update, &update, NULL),
	    0);
	assert_int_equal(update, now - 500);
	keeper_take(&keeper, target, &last);
	store_test_flush(keeper.store);
	assert_int_equal(store_each(keeper.store, leaf.cert->fingerprint,
			     see_update, &update, NULL),
	    0);
	if (update != 0)
		fail_msg("C15: the store has the good one still");
	end();
}

/* --- a clock that is set --- */

/* C22: what was refused by a clock that was wrong, as at a boot without one, is
 * looked at again as soon as it has been set. */
static void
test_clock_is_set(void **state)
{
	static const int64_t jumps[] = {CLOCK_DAY, -CLOCK_DAY, 2};

	(void)state;
	for (size_t i = 0; i < sizeof(jumps) / sizeof(jumps[0]); i++) {
		const struct store_state stored = {.last_attempt = now - 60};
		bool set = jumps[i] != 2; /* no more than a clock drifts */
		struct target *target;

		put_stored(&stored, 60);
		target = start_and_read(false);
		target_drop_staple(target);
		keeper.wall_s = clock_wall_s() - jumps[i];
		keeper.mono_ms = clock_mono_ms();
		keeper_run_due(&keeper);
		if ((target->staple != NULL) != set)
			fail_msg("C22: set by %lld s: %s", (long long)jumps[i],
			    set ? "nothing is looked at" : "all is");
		end();
		assert_int_equal(unlink(path), 0);
	}
}

/* --- by which hash --- */

/* B9: a responder that has left SHA-1 behind says so by one of these, as for many
 * other things; each fourth time it is asked by the other hash, and what worked
 * stays. */
static void
test_asks_by_the_other_hash(void **state)
{
	static const struct {
		enum reason reason;
		bool other;
	} rows[] = {{REASON_STATUS_MALFORMED_REQUEST, true},
	    {REASON_STATUS_UNAUTHORIZED, true},
	    {REASON_STATUS_INTERNAL_ERROR, true},
	    {REASON_WRONG_CERTIFICATE, true}, {REASON_STATUS_TRY_LATER, false},
	    {REASON_BAD_SIGNATURE, false}, {REASON_HTTP_TIMEOUT, false},
	    {REASON_CONNECT_REFUSED, false}, {REASON_NOT_OCSP, false}};
	struct target *target = start_and_read(false);

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
		const struct err err = {rows[i / 2].reason, "no"};
		bool usual = i % 2 == 1; /* SHA-256, since that worked */

		for (unsigned failures = 1; failures <= 9; failures++) {
			bool other = rows[i / 2].other && failures % 4 == 3;

			trouble_set(&target->failure, &err);
			target->failures = failures;
			target->other_hash = usual;
			if (keeper_asks_by_sha256(&keeper, target) !=
			    (usual != other))
				fail_msg("B9: %s, %u times",
				    reason_name(err.reason), failures);
			keeper_note_hash(target); /* it worked */
			target->failures = 0;
			trouble_set(&target->failure, &(struct err){0});
			if (keeper_asks_by_sha256(&keeper, target) !=
			    (usual != other))
				fail_msg("B9: what worked is forgotten");
		}
	}
	end();
}

/* --- who was whose issuer --- */

/* C6: that the issuer signed the leaf need not be verified again where the store
 * has a response of both; that it knows the leaf says nothing of the issuer. */
static void
test_was_paired(void **state)
{
	struct pki_party namesake = pki_party(&(struct pki_spec){.cn = "issuer",
	    .from = now - CLOCK_DAY,
	    .until = now + CLOCK_DAY,
	    .ext = {{"basicConstraints", "critical,CA:TRUE"}}});
	static const struct {
		const char *name;
		bool stored;
		int64_t age; /* of the staple; 0: none */
	} rows[] = {{"nothing is stored", false, 0},
	    {"how it stands is", true, 0}, {"a response is", true, 500}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct store_state stored = {.last_attempt = now - 60};
		struct issuer ca = {.cert = issuer.cert};
		struct issuer other = {.cert = namesake.cert};
		struct target_pair pair = {leaf.cert, &ca};

		if (rows[i].stored)
			put_stored(&stored, rows[i].age);
		begin(false);
		if (keeper_was_paired(&keeper, &pair) != (rows[i].age > 0))
			fail_msg("C6: %s", rows[i].name);
		keeper_forget_recalled(&keeper);
		pair.ca = &other;
		if (keeper_was_paired(&keeper, &pair))
			fail_msg("C6: another of the issuer's name, %s",
			    rows[i].name);
		keeper_forget_recalled(&keeper);
		end();
		assert_int_equal(unlink(path), 0);
	}
	pki_party_done(&namesake);
}

/* --- told to the relay --- */

/* How the relay answers who asks for the leaf. */
static enum relay_result
ask_relay(void)
{
	struct relay_thread *thread = relay_thread_new(keeper.relay);
	struct server_answer answer = {0};
	uint64_t before[RELAY_RESULTS];
	unsigned result = 0;
	uint8_t *der = NULL;
	size_t len = 0;
	char *base64, *question;

	assert_int_equal(
	    request_make(leaf.cert, issuer.cert, &der, &len, NULL), 0);
	base64 = base64_write(der, len);
	question = mem_printf("/%s", base64);
	for (unsigned i = 0; i < RELAY_RESULTS; i++)
		before[i] = relay_count(keeper.relay, i);
	assert_true(relay_answer(
	    thread, &(struct server_question){.path = question}, &answer));
	while (relay_count(keeper.relay, result) == before[result])
		assert_true(++result < RELAY_RESULTS);
	relay_thread_free(&thread);
	free(question);
	free(base64);
	free(der);
	return result;
}

/* C15, A14: what a responder says, signed, is what others hear of it as well. */
static void
test_relay_hears(void **state)
{
	static const struct {
		const char *name;
		enum cert_status status;
		enum on_revoked choice;
		enum relay_result result;
	} rows[] = {
	    {"C15: revoked", CERT_REVOKED, ON_REVOKED_WITHDRAW,
		RELAY_UNAUTHORIZED},
	    {"C15: revoked, and kept by choice", CERT_REVOKED, ON_REVOKED_KEEP,
		RELAY_GOOD},
	    {"C15: unknown", CERT_UNKNOWN, ON_REVOKED_WITHDRAW, RELAY_GOOD},
	};

	(void)state;
	with_relay = true;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct store_state stored = {.last_attempt = now - 60};
		struct acquire_result last = {.accepted = true,
		    .facts = {.status = rows[i].status,
			.this_update = now - 100,
			.usable_until = now + CLOCK_DAY}};
		struct target *target;

		on_revoked = rows[i].choice;
		put_stored(&stored, 500);
		target = start_and_read(false);
		assert_int_equal(ask_relay(), RELAY_GOOD);
		keeper_take(&keeper, target, &last);
		keeper_decide(&keeper, target);
		if (ask_relay() != rows[i].result)
			fail_msg("%s: not %s", rows[i].name,
			    relay_result_name(rows[i].result));
		/* read again, as when its file changes: nothing is lost */
		keeper_read_target(&keeper, target);
		if (ask_relay() != rows[i].result)
			fail_msg("%s: not %s when it is read again",
			    rows[i].name, relay_result_name(rows[i].result));
		end();
		assert_int_equal(unlink(path), 0);
	}
	with_relay = false;
	on_revoked = ON_REVOKED_UNSAID;
}

static void
hear(struct target *target, enum cert_status status, int64_t age)
{
	struct acquire_result result = {.accepted = true,
	    .facts = {.status = status,
		.this_update = now - age,
		.usable_until = now + CLOCK_DAY}};

	if (status == CERT_GOOD)
		result.staple = verified(target, age, false, &result.facts);
	keeper_take(&keeper, target, &result);
	keeper_decide(&keeper, target);
}

/* A keeper of COUNT files, all of them read. */
static void
begin_with(const struct target_spec *specs, size_t count)
{
	begin(false);
	keeper.settings->options.specs = specs;
	keeper.settings->options.spec_count = count;
	keeper.list_stale = true;
	keeper_sync_targets(&keeper);
	assert_int_equal(keeper.target_count, count);
	for (size_t i = 0; i < count; i++) {
		keeper_drop_chore(&keeper, keeper.targets[i]);
		keeper_read_target(&keeper, keeper.targets[i]);
	}
}

/* A14: one certificate in two files.  The newest that was said of it counts for
 * those who ask, whichever file it was said for and whichever is looked at. */
static void
test_relay_hears_of_copies(void **state)
{
	const struct store_state stored = {.last_attempt = now - 60};
	char *copy = scratch_path(&scratch, "copy.pem");
	const struct target_spec both[] = {spec, {.certificate = copy}};
	struct target *first, *second;

	(void)state;
	assert_int_equal(link(certificate, copy), 0);
	put_stored(&stored, 500);
	with_relay = true;
	begin_with(both, 2);
	first = keeper.targets[0];
	second = keeper.targets[1];
	assert_int_equal(ask_relay(), RELAY_GOOD);
	hear(first, CERT_REVOKED, 400);
	assert_int_equal(ask_relay(), RELAY_UNAUTHORIZED);
	hear(first, CERT_GOOD, 300); /* the hold is lifted */
	assert_int_equal(ask_relay(), RELAY_GOOD);
	keeper_decide(&keeper, second);
	assert_int_equal(ask_relay(), RELAY_GOOD);
	hear(second, CERT_REVOKED, 350); /* by a cache that lags behind */
	assert_int_equal(ask_relay(), RELAY_GOOD);
	hear(second, CERT_REVOKED, 200);
	assert_int_equal(ask_relay(), RELAY_UNAUTHORIZED);
	end();
	with_relay = false;
	free(copy);
}

/* --- brought by a courier --- */

/* A14, C15: what lies in the inbox of a keeper that runs counts as if it had been
 * fetched, and an older word against a newer one does not. */
static void
test_courier(void **state)
{
	static const struct {
		const char *name;
		enum cert_status status;
		int64_t age;
		int64_t has; /* age of the staple afterwards; 0: none */
		bool final;
	} rows[] = {
	    {"A14: a newer good one", CERT_GOOD, 300, 300, false},
	    {"A14: the same good one", CERT_GOOD, 500, 500, false},
	    {"A14: an older good one", CERT_GOOD, 700, 500, false},
	    {"C15: a newer revoked", CERT_REVOKED, 300, 0, true},
	    {"C15: a revoked of the same moment", CERT_REVOKED, 500, 0, true},
	    {"A14: an older revoked", CERT_REVOKED, 501, 500, false},
	    {"C15: a newer unknown", CERT_UNKNOWN, 300, 500, false},
	};
	char *dir = inbox_dir(scratch.dir);
	char *brought = mem_printf("%s/%s.der", dir, leaf.cert->fingerprint);

	(void)state;
	assert_int_equal(file_make_dir(dir, 0755, NULL), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct store_state stored = {.last_attempt = now - 60};
		struct buf der = respond_as(rows[i].status, rows[i].age, false);
		struct target *target;

		put_stored(&stored, 500);
		target = start_and_read(false);
		assert_int_equal(
		    file_replace(brought, der.text, der.len, 0644, NULL), 0);
		keeper_read_inbox(&keeper);
		assert_false(scratch_exists(brought));
		if (target_this_update(target) !=
			(rows[i].has == 0 ? 0 : now - rows[i].has) ||
		    target->last_final != rows[i].final)
			fail_msg("%s: it is of %lld s ago, final %d",
			    rows[i].name,
			    (long long)(now - target_this_update(target)),
			    target->last_final);
		end();
		assert_int_equal(unlink(path), 0);
		buf_done(&der);
	}
	free(brought);
	free(dir);
}

/* I8: of two files with one certificate the first one lacks the chain.  What was
 * brought is judged by what the other one has. */
static void
test_courier_of_a_bare_copy(void **state)
{
	const struct store_state stored = {.last_attempt = now - 60};
	char *dir = inbox_dir(scratch.dir);
	char *brought = mem_printf("%s/%s.der", dir, leaf.cert->fingerprint);
	char *bare = scratch_path(&scratch, "bare.pem");
	char *pem = cert_pem(leaf.cert);
	const struct target_spec both[] = {{.certificate = bare}, spec};
	struct buf der = respond(300, false);

	(void)state;
	scratch_write(bare, pem);
	put_stored(&stored, 500);
	begin_with(both, 2);
	assert_null(keeper.targets[0]->ca);
	assert_int_equal(file_make_dir(dir, 0755, NULL), 0);
	assert_int_equal(
	    file_replace(brought, der.text, der.len, 0644, NULL), 0);
	keeper_read_inbox(&keeper);
	assert_false(scratch_exists(brought));
	assert_int_equal(target_this_update(keeper.targets[1]), now - 300);
	end();
	buf_done(&der);
	free(pem);
	free(bare);
	free(brought);
	free(dir);
}

/* --- a store that was lost (I7) --- */

/* Staples, state, list and book come back from memory. */
static void
test_gives_all_again(void **state)
{
	struct acquire_result good = {.accepted = true};
	struct target *target = start_and_read(false);
	struct store *visitor;
	struct store_target *got = NULL;
	struct store_state stored = {0};
	uint8_t *der = NULL;
	size_t len = 0, count = 0;
	int64_t until = clock_mono_ms() + STORE_TEST_WAIT_MS;

	(void)state;
	target->last_attempt = now - 7;
	good.staple = verified(target, 500, false, &good.facts);
	keeper_take(&keeper, target, &good);
	address_book_prove(keeper.book, "ocsp.test", "192.0.2.9", 5, now);
	keeper_end_store(&keeper);
	store_test_delete(path);
	for (;;) {
		keeper_check_store(&keeper);
		store_test_flush(keeper.store);
		visitor = store_visit(path, STORE_MAKE, NULL);
		if (visitor != NULL &&
		    store_get(
			visitor, leaf.cert->fingerprint, &der, &len, NULL) == 1)
			break;
		store_close(visitor);
		assert_true(clock_mono_ms() < until);
		(void)usleep(STORE_TEST_LOOK_MS * 1000);
	}
	assert_int_equal(len, staple_der(target->staple).len);
	free(der);
	assert_int_equal(
	    store_get_state(visitor, leaf.cert->fingerprint, &stored, NULL), 1);
	assert_int_equal(stored.last_attempt, now - 7);
	assert_int_equal(store_get_targets(visitor, &got, &count, NULL), 0);
	assert_int_equal(count, 1);
	store_targets_free(got, count);
	store_close(visitor);
	assert_int_equal(
	    store_test_ask(path, "SELECT count(*) FROM address"), 1);
	assert_false(target->unsaved);
	end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_adopts, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_end_of_the_certificate, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_adopts_what_is_published, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_adopts_by_seal, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_list, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_walk, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_walk_is_cut_short, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_remembers, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_revoked_leaves_the_store, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_clock_is_set, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_asks_by_the_other_hash, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_was_paired, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_relay_hears_of_copies, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_courier, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_courier_of_a_bare_copy, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_relay_hears, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_final_ends_failures, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_gives_all_again, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, make_pki, free_pki);
}
