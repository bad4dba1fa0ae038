/* SPDX-License-Identifier: ISC */
/* test_keeper.c -- keep/keeper as a process of its own, whole, with files,
 * store and signals; its responder is a script of this one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/resource.h>

#include "keep/store.h"
#include "keeper_fixture.h"
#include "pki/response.h"

/* --- once --- */

/* More certificates of one CA than places at its responder: all are fetched
 * before it ends. */
static void
test_once_fetches_all(void **state)
{
	struct keeper_options options = options_for(MANY, true);

	(void)state;
	make_leaves(MANY);
	sign(MANY, CERT_GOOD, 60, CLOCK_DAY);
	assert_int_equal(await_exit(begin(&options)), KEEPER_GOOD);
	for (size_t i = 0; i < MANY; i++) {
		if (!scratch_exists(staples[i]))
			fail_msg("staple %zu of %d was not fetched", i, MANY);
	}
	assert_int_equal(responder.requests, MANY);
	/* nothing is due: nobody is asked */
	assert_int_equal(await_exit(begin(&options)), KEEPER_GOOD);
	assert_int_equal(responder.requests, MANY);
}

static const struct once_row {
	const char *name;
	enum script_manner manner;
	enum cert_status status;
	const char *answer; /* NULL: signed */
	enum keeper_end end;
	bool staple;
} once_rows[] = {
    {"good", SCRIPT_CLOSE, CERT_GOOD, NULL, KEEPER_GOOD, true},
    {"C15: revoked", SCRIPT_CLOSE, CERT_REVOKED, NULL, KEEPER_ALARM, false},
    {"C15: unknown", SCRIPT_CLOSE, CERT_UNKNOWN, NULL, KEEPER_ALARM, false},
    {"A5: HTML", SCRIPT_CLOSE, CERT_GOOD,
	"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n"
	"\r\n<html>",
	KEEPER_LATER, false},
    {"A7: 503", SCRIPT_CLOSE, CERT_GOOD,
	"HTTP/1.1 503 Busy\r\nRetry-After: 60\r\nContent-Length: 0\r\n\r\n",
	KEEPER_LATER, false},
    {"hangs", SCRIPT_HANG, CERT_GOOD, NULL, KEEPER_LATER, false},
    {"resets", SCRIPT_RESET, CERT_GOOD, "", KEEPER_LATER, false},
};

static void
run_once_row(const struct once_row *row)
{
	struct keeper_options options = options_for(1, true);
	int end;

	make_leaves(1);
	sign(1, row->status, 60, CLOCK_DAY);
	responder.manner = row->manner;
	if (row->answer != NULL) {
		responder.reply = row->answer;
		responder.reply_len = strlen(row->answer);
	}
	end = await_exit(begin(&options));
	if (end != (int)row->end || scratch_exists(staples[0]) != row->staple)
		fail_msg("%s: ended with %d", row->name, end);
}

static void
test_once_ends(void **state)
{
	for (size_t i = 0; i < sizeof(once_rows) / sizeof(once_rows[0]); i++) {
		if (i > 0)
			(void)set_up(state);
		run_once_row(&once_rows[i]);
		if (i + 1 < sizeof(once_rows) / sizeof(once_rows[0]))
			(void)tear_down(state);
	}
}

/* What a responder says of when to come again is heard, and outlives a run. */
static void
test_hints_are_kept(void **state)
{
	static const char busy[] = "HTTP/1.1 503 Busy\r\nRetry-After: 1800\r\n"
				   "Content-Length: 0\r\n\r\n",
			  ok[] = "HTTP/1.1 200 OK\r\n",
			  cached[] = "HTTP/1.1 200 OK\r\n"
				     "Cache-Control: max-age=700\r\n";
	struct keeper_options options = options_for(1, true);
	char *database = mem_printf("%s/oclasp.db", state_dir);
	struct buf good;

	(void)state;
	make_leaves(1);
	sign(1, CERT_GOOD, 60, CLOCK_DAY);
	assert_true(text_starts(responder.reply, ok));
	buf_init(&good, 1 << 16);
	buf_add(&good, cached, sizeof(cached) - 1);
	buf_add(&good, reply.text + sizeof(ok) - 1, reply.len - sizeof(ok) + 1);
	for (int i = 0; i < 2; i++) {
		int64_t began = clock_wall_s();
		struct store_state said = {0};
		struct store *store;

		responder.reply = i == 0 ? busy : good.text;
		responder.reply_len = i == 0 ? sizeof(busy) - 1 : good.len;
		assert_int_equal(await_exit(begin(&options)),
		    i == 0 ? KEEPER_LATER : KEEPER_GOOD);
		store = store_visit(database, STORE_MAKE | STORE_MINE, NULL);
		assert_non_null(store);
		assert_int_equal(store_get_state(store,
				     leaves[0].cert->fingerprint, &said, NULL),
		    1);
		if (i == 0 && (said.retry_after < began + 1800 ||
				  said.retry_after > clock_wall_s() + 1800))
			fail_msg("A7: Retry-After: %lld s",
			    (long long)(said.retry_after - began));
		if (i == 1 && (said.fetch_again < began + 700 ||
				  said.fetch_again > clock_wall_s() + 700))
			fail_msg("C21: max-age: %lld s",
			    (long long)(said.fetch_again - began));
		/* by hand it is asked again only where nobody said when */
		said.retry_after = said.fetch_again = 0;
		assert_int_equal(
		    store_save(store, leaves[0].cert->fingerprint,
			&(struct store_change){.state = &said}, NULL),
		    0);
		store_close(store);
	}
	buf_done(&good);
	free(database);
}

static bool
has_eight(void)
{
	return responder.accepted >= 8;
}

static bool
has_more_than_eight(void)
{
	return responder.accepted > 8;
}

/* A15: eight fetches at one responder and no more, until one that gets no further
 * has held its place for three seconds. */
static void
test_places_at_one_responder(void **state)
{
	struct keeper_options options = options_for(MANY, false);
	int64_t began_ms;
	pid_t child;

	(void)state;
	options.acquire.timeout_ms = 20000;
	make_leaves(MANY);
	responder.manner = SCRIPT_HANG;
	began_ms = clock_mono_ms();
	child = begin(&options);
	await(has_eight, "eight fetches at once");
	if (clock_mono_ms() - began_ms < 1500)
		serve_ms(1000);
	if (clock_mono_ms() - began_ms < 3000 && responder.accepted != 8)
		fail_msg("A15: %zu fetches at once", responder.accepted);
	began_ms = clock_mono_ms();
	await(has_more_than_eight, "A15: places given up");
	if (clock_mono_ms() - began_ms > 10000)
		fail_msg("A15: others waited %lld ms for who hangs",
		    (long long)(clock_mono_ms() - began_ms));
	assert_int_equal(stop(child), KEEPER_GOOD);
}

/* Whoever is stopped before he has asked has not got what he wanted. */
static void
test_once_stopped(void **state)
{
	struct keeper_options options = options_for(1, true);
	pid_t child;

	(void)state;
	make_leaves(1);
	responder.manner = SCRIPT_HANG;
	child = begin(&options);
	await(was_asked, "a request");
	assert_int_equal(stop(child), KEEPER_LATER);
	/* what is there is there */
	sign(1, CERT_GOOD, 60, CLOCK_DAY);
	responder.manner = SCRIPT_CLOSE;
	assert_int_equal(await_exit(begin(&options)), KEEPER_GOOD);
}

static pid_t
    stalled; /* the keeper that is stopped when it has asked; 0: none */

static void
stall(struct script *script)
{
	(void)script;
	if (stalled != 0)
		assert_int_equal(kill(stalled, SIGSTOP), 0);
}

/* A machine so busy that we get no turn for longer than any time-out: nobody is
 * blamed for that, and the answer is had all the same. */
static void
test_once_on_a_busy_machine(void **state)
{
	struct keeper_options options = options_for(1, true);
	pid_t child;

	(void)state;
	make_leaves(1);
	sign(1, CERT_GOOD, 60, CLOCK_DAY);
	responder.choose = stall;
	child = stalled = begin(&options);
	await(was_asked, "a request");
	stalled = 0;
	serve_ms(options.acquire.timeout_ms + 500);
	assert_int_equal(kill(child, SIGCONT), 0);
	assert_int_equal(await_exit(child), KEEPER_GOOD);
	assert_true(first_is_there());
}

/* Each is tried once: one that fails at once must not be tried again and again
 * for as long as another one hangs, and then perhaps for ever. */
static void
test_once_is_once(void **state)
{
	static const char busy[] = "HTTP/1.1 503 Busy\r\n"
				   "Content-Length: 0\r\n\r\n";
	struct keeper_options options = options_for(2, true);
	struct script silent;
	char *url;

	(void)state;
	make_leaves(2);
	assert_true(
	    script_start(&silent, &loop, "127.0.0.1", 0, SCRIPT_HANG, NULL, 0));
	url = mem_printf("http://127.0.0.1:%d/", silent.port);
	specs[0].url = url;
	responder.reply = busy;
	responder.reply_len = strlen(busy);
	options.acquire.timeout_ms = (POLICY_RETRY_FIRST_S + 2) * 1000;
	assert_int_equal(await_exit(begin(&options)), KEEPER_LATER);
	assert_int_equal(responder.requests, 2); /* by GET and by POST */
	specs[0].url = NULL;
	script_stop(&silent);
	free(url);
}

/* I8: one certificate that cannot be read stops nobody's care. */
static void
test_once_with_a_bad_file(void **state)
{
	struct keeper_options options = options_for(3, true);

	(void)state;
	make_leaves(3);
	sign(3, CERT_GOOD, 60, CLOCK_DAY);
	scratch_write(paths[1], "nothing of use");
	assert_int_equal(await_exit(begin(&options)), KEEPER_ALARM);
	assert_true(scratch_exists(staples[0]));
	assert_false(scratch_exists(staples[1]));
	assert_true(scratch_exists(staples[2]));
}

/* The same certificate in two files: one staple, the same after each round. */
static void
test_once_with_a_copy(void **state)
{
	struct keeper_options options = options_for(2, true);

	(void)state;
	make_leaves(2);
	sign(2, CERT_GOOD, 60, CLOCK_DAY);
	write_certificate(0, paths[1]);
	assert_int_equal(await_exit(begin(&options)), KEEPER_GOOD);
	assert_true(scratch_exists(staples[0]));
	assert_false(scratch_exists(staples[1]));
}

/* The first that asks is told what is newest, the others what a cache has. */
static void
say_newest_first(struct script *script)
{
	sign(1, CERT_GOOD, script->requests == 1 ? 60 : 600, CLOCK_DAY);
}

/* A14: one certificate in several files is published once, as of the newest that
 * was told of any. */
static void
test_once_with_copies_of_many_minds(void **state)
{
	struct keeper_options options = options_for(4, true);
	struct response response = {0};
	uint8_t *der = NULL;
	size_t len = 0;

	(void)state;
	make_leaves(4);
	for (size_t i = 1; i < 4; i++)
		write_certificate(0, paths[i]);
	responder.choose = say_newest_first;
	assert_int_equal(await_exit(begin(&options)), KEEPER_GOOD);
	assert_int_equal(responder.requests, 4);
	assert_int_equal(
	    file_read(staples[0], VERIFY_RESPONSE_MAX, &der, &len, NULL), 0);
	assert_int_equal(response_parse(der, len, &response, NULL), 0);
	if (response.singles[0].this_update < clock_wall_s() - 300)
		fail_msg("A14: an older one was published");
	response_done(&response);
	free(der);
}

/* D6, F9: a CA's own certificate has a staple too, for servers that can send one
 * for it, and a longer one than leaves have. */
static void
test_once_with_an_intermediate(void **state)
{
	struct keeper_options options = options_for(1, true);
	char *aia = mem_printf("OCSP;URI:http://127.0.0.1:%d/", responder.port);

	(void)state;
	make_leaves(1);
	pki_party_done(&leaves[0]);
	leaves[0] = pki_party(&(struct pki_spec){.cn = "intermediate",
	    .issuer = &issuer,
	    .from = clock_wall_s() - CLOCK_DAY,
	    .until = clock_wall_s() + 300 * CLOCK_DAY,
	    .ext = {{"authorityInfoAccess", aia},
		{"basicConstraints", "critical,CA:TRUE"}}});
	free(staples[0]);
	staples[0] = mem_printf(
	    "%s/staples/%s.der", state_dir, leaves[0].cert->fingerprint);
	write_certificate(0, paths[0]);
	/* a leaf's would be over: the cap is 10 days */
	sign(1, CERT_GOOD, 20 * CLOCK_DAY, 200 * CLOCK_DAY);
	assert_int_equal(await_exit(begin(&options)), KEEPER_GOOD);
	assert_true(first_is_there());
	free(aia);
}

/* An URL given, and no issuer to be found: said, not died of. */
static void
test_once_without_issuer(void **state)
{
	struct keeper_options options = options_for(1, true);
	struct pki_party bare;
	char *pem;

	(void)state;
	make_leaves(1);
	bare = pki_party(&(struct pki_spec){.cn = "bare",
	    .issuer = &issuer,
	    .from = clock_wall_s() - CLOCK_DAY,
	    .until = clock_wall_s() + 20 * CLOCK_DAY});
	pem = cert_pem(bare.cert);
	scratch_write(paths[0], pem);
	specs[0].url = "http://127.0.0.1:1/";
	assert_int_equal(await_exit(begin(&options)), KEEPER_ALARM);
	specs[0].url = NULL; /* and without: nothing to do */
	assert_int_equal(await_exit(begin(&options)), KEEPER_GOOD);
	free(pem);
	pki_party_done(&bare);
}

/* --- the daemon --- */

/* A file that is being replaced while its fetch hangs, and a SIGHUP then: the
 * fetch goes on, its place is given back once, and all is well after. */
static void
test_hangup_while_unreadable(void **state)
{
	struct keeper_options options = options_for(1, false);
	pid_t child;

	(void)state;
	make_leaves(1);
	sign(1, CERT_GOOD, 60, CLOCK_DAY);
	responder.manner = SCRIPT_HANG;
	child = begin(&options);
	await(was_asked, "the first request");
	scratch_write(paths[0], "");
	assert_int_equal(kill(child, SIGHUP), 0);
	serve_ms(300);
	write_certificate(0, paths[0]);
	responder.manner = SCRIPT_CLOSE;
	await(first_is_there, "a staple after that");
	assert_int_equal(stop(child), KEEPER_GOOD);
}

/* What a reload says, one word after the other. */
static struct reloads {
	int count;
	char *retired; /* path of a file that tells */
} reloads;

static int
reload(void *cookie, struct keeper_options *fresh, struct err *err)
{
	struct reloads *r = cookie;

	switch (r->count++) {
	case 0:
		fresh->spec_count = 2;
		fresh->owner = r;
		return 0;
	case 1:
		fresh->spec_count = 0;
		return err_set(err, REASON_USAGE, "a faulty configuration");
	default:
		fresh->spec_count = 1;
		return 0;
	}
}

static void
retire(void *cookie, void *owner)
{
	struct reloads *r = cookie;

	assert_ptr_equal(owner, r);
	scratch_write(r->retired, "");
}

static bool
is_retired(void)
{
	return scratch_exists(reloads.retired);
}

static bool
second_is_gone(void)
{
	return !scratch_exists(staples[1]);
}

/* SIGHUP: a faulty configuration changes nothing, a good one everything, and
 * what an old one borrowed of is given back when nobody works by it. */
static void
test_reload(void **state)
{
	struct keeper_options options = options_for(1, false);
	pid_t child;

	(void)state;
	make_leaves(2);
	sign(2, CERT_GOOD, 60, CLOCK_DAY);
	reloads =
	    (struct reloads){.retired = scratch_path(&scratch, "retired")};
	options.reload = reload;
	options.retire = retire;
	options.cookie = &reloads;
	child = begin(&options);
	await(first_is_there, "the first staple");
	assert_int_equal(kill(child, SIGHUP), 0);
	await(second_is_there, "the certificate of the new configuration");
	assert_int_equal(kill(child, SIGHUP), 0);
	serve_ms(500);
	assert_true(first_is_there() && second_is_there());
	assert_false(is_retired());
	assert_int_equal(kill(child, SIGHUP), 0);
	await(second_is_gone, "the end of the second");
	await(is_retired, "the old options' end");
	assert_true(first_is_there());
	assert_int_equal(stop(child), KEEPER_GOOD);
	free(reloads.retired);
}

enum { STORM = 100, RELOAD_MS = 20 };

/* One that takes its time, and notes that it was. */
static int
reload_slowly(void *cookie, struct keeper_options *fresh, struct err *err)
{
	int64_t until = clock_mono_ms() + RELOAD_MS;
	FILE *notes = fopen(cookie, "a");

	(void)fresh;
	(void)err;
	assert_non_null(notes);
	(void)fputc('.', notes);
	(void)fclose(notes);
	while (clock_mono_ms() < until)
		(void)usleep(1000);
	return 0;
}

/* I5: a hook that reloads for each of many renewed certificates: what comes while
 * one reload is under way is one more, and nothing else waits for all of them. */
static void
test_many_hangups(void **state)
{
	struct keeper_options options = options_for(1, false);
	char *notes = scratch_path(&scratch, "notes");
	struct stat st;
	pid_t child;

	(void)state;
	make_leaves(1);
	sign(1, CERT_GOOD, 60, CLOCK_DAY);
	options.reload = reload_slowly;
	options.cookie = notes;
	child = begin(&options);
	await(first_is_there, "the staple");
	for (int i = 0; i < STORM; i++) {
		assert_int_equal(kill(child, SIGHUP), 0);
		(void)usleep(2000);
	}
	assert_int_equal(stop(child), KEEPER_GOOD);
	assert_int_equal(stat(notes, &st), 0);
	if (st.st_size > STORM / 2)
		fail_msg("I5: %lld reloads", (long long)st.st_size);
	free(notes);
}

static char *notes_of_reload;

static bool
was_reloaded(void)
{
	return scratch_exists(notes_of_reload);
}

/* Said while the state is opened. */
static bool
hang_up(const struct log_entry *entry)
{
	if (strstr(entry->message, "the next start") != NULL)
		assert_int_equal(raise(SIGHUP), 0);
	return true;
}

/* I8: a SIGHUP that comes while the keeper begins is a reload too, and does not
 * end it. */
static void
test_hangup_at_the_start(void **state)
{
	struct keeper_options options = options_for(1, false);
	char *in_the_way = mem_printf("%s/seal.key", state_dir);
	pid_t child;

	(void)state;
	make_leaves(1);
	sign(1, CERT_GOOD, 60, CLOCK_DAY);
	assert_int_equal(file_make_dir(in_the_way, 0755, NULL), 0);
	notes_of_reload = scratch_path(&scratch, "notes");
	options.reload = reload_slowly;
	options.cookie = notes_of_reload;
	log_set_level(LOG_WARNING);
	log_set_sink(hang_up);
	child = begin(&options);
	log_set_sink(NULL);
	log_set_level(LOG_ERROR);
	await(was_reloaded, "the reload");
	await(first_is_there, "the staple");
	assert_int_equal(stop(child), KEEPER_GOOD);
	free(notes_of_reload);
	free(in_the_way);
}

/* A fetch that is under way goes on over a reload. */
static void
test_reload_costs_no_fetch(void **state)
{
	struct keeper_options options = options_for(1, false);
	pid_t child;

	(void)state;
	options.acquire.timeout_ms = 60000;
	make_leaves(1);
	sign(1, CERT_GOOD, 60, CLOCK_DAY);
	responder.manner = SCRIPT_HANG;
	child = begin(&options);
	await(was_asked, "the first request");
	assert_int_equal(kill(child, SIGHUP), 0);
	serve_ms(500);
	assert_int_equal(responder.requests, 1);
	assert_int_equal(stop(child), KEEPER_GOOD);
}

/* An issuer's rule that cannot be used: said at the start. */
static void
test_faulty_rules(void **state)
{
	const struct issuer_rules rules = {
	    .issuer = "issuer", .signer = "/nowhere/signer.pem"};
	struct keeper_options options = options_for(1, true);
	enum keeper_end end = KEEPER_GOOD;
	struct err err = {0};

	(void)state;
	make_leaves(1);
	options.rules = &rules;
	options.rule_count = 1;
	assert_int_equal(keeper_run(&options, &end, &err), -1);
	assert_int_equal(err.reason, REASON_CERTIFICATE_UNREADABLE);
}

/* I3: at its end the staple is withdrawn, though the responder is silent. */
static void
test_end_of_a_staple(void **state)
{
	struct keeper_options options = options_for(1, false);
	int64_t end;
	pid_t child;

	(void)state;
	make_leaves(1);
	sign(1, CERT_GOOD, 30, 40); /* usable until 4 s before the end */
	end = clock_wall_s() + 10;
	child = begin(&options);
	await(first_is_there, "the staple");
	responder.manner = SCRIPT_HANG;
	await(first_is_gone, "its withdrawal");
	assert_true(clock_wall_s() <= end);
	assert_int_equal(stop(child), KEEPER_GOOD);
}

/* I3, A13: on a full disk too what has ended is withdrawn, though what is newer
 * can only be kept in memory; and that is published when there is room. */
static void
test_end_of_a_staple_on_a_full_disk(void **state)
{
	struct keeper_options options = options_for(1, false);
	const struct rlimit room = {RLIM_INFINITY, RLIM_INFINITY};
	const struct rlimit full = {0, RLIM_INFINITY};
	pid_t child;

	(void)state;
	(void)signal(SIGXFSZ, SIG_IGN);
	make_leaves(1);
	sign(1, CERT_GOOD, 30, 40);
	child = begin(&options);
	await(first_is_there, "the staple");
	assert_int_equal(prlimit(child, RLIMIT_FSIZE, &full, NULL), 0);
	sign(1, CERT_GOOD, 0, CLOCK_DAY);
	await(first_is_gone, "I3: its withdrawal");
	assert_int_equal(prlimit(child, RLIMIT_FSIZE, &room, NULL), 0);
	await(first_is_there, "A13: the newer one");
	assert_int_equal(stop(child), KEEPER_GOOD);
	(void)signal(SIGXFSZ, SIG_DFL);
}

static uint64_t stamp_before;

static bool
first_is_another(void)
{
	return file_stamp(staples[0]) != stamp_before;
}

/* A4: a newer staple is published, also when both end with the certificate. */
static void
test_newer_with_the_same_end(void **state)
{
	static const char busy[] = "HTTP/1.1 503 Service Unavailable\r\n"
				   "Content-Length: 0\r\n\r\n";
	struct keeper_options options;
	pid_t child;

	(void)state;
	make_leaves(1);
	sign(1, CERT_GOOD, 2 * CLOCK_DAY, 9 * CLOCK_DAY);
	options = options_for(1, true);
	assert_int_equal(await_exit(begin(&options)), KEEPER_GOOD);
	/* the first round is over when it is back */
	assert_int_equal(unlink(staples[0]), 0);
	responder.reply = busy;
	responder.reply_len = sizeof(busy) - 1;
	options.once = false;
	child = begin(&options);
	await(first_is_there, "the first round");
	stamp_before = file_stamp(staples[0]);
	sign(1, CERT_GOOD, 0, 9 * CLOCK_DAY);
	await(first_is_another, "A4: the newer staple");
	assert_int_equal(stop(child), KEEPER_GOOD);
}

/* CONTRACT: a changed file is taken up within 5 s, without reload. */
static void
test_another_certificate(void **state)
{
	struct keeper_options options = options_for(1, false);
	int64_t start;
	pid_t child;

	(void)state;
	make_leaves(2);
	sign(2, CERT_GOOD, 60, CLOCK_DAY);
	child = begin(&options);
	await(first_is_there, "the first staple");
	write_certificate(1, paths[0]);
	start = clock_mono_ms();
	await(second_is_there, "the staple of the new one");
	assert_true(clock_mono_ms() - start < 5000);
	await(first_is_gone, "the end of the old one");
	assert_int_equal(stop(child), KEEPER_GOOD);
}

/* A1: what was published is adopted again, also if the store is lost. */
static void
test_store_lost(void **state)
{
	struct keeper_options options = options_for(1, true);
	char *database = mem_printf("%s/oclasp.db", state_dir);

	(void)state;
	make_leaves(1);
	sign(1, CERT_GOOD, 60, CLOCK_DAY);
	assert_int_equal(await_exit(begin(&options)), KEEPER_GOOD);
	scratch_write(database, "no database any more");
	responder.manner = SCRIPT_HANG;
	assert_int_equal(await_exit(begin(&options)), KEEPER_GOOD);
	assert_int_equal(responder.requests, 1);
	assert_true(scratch_exists(staples[0]));
	free(database);
}

static void
test_signals_and_a_second_one(void **state)
{
	struct keeper_options options = options_for(1, false);
	enum keeper_end end = KEEPER_GOOD;
	struct err err = {0};
	char pid_text[16];
	pid_t child;

	(void)state;
	make_leaves(1);
	sign(1, CERT_GOOD, 60, CLOCK_DAY);
	child = begin(&options);
	await(first_is_there, "the staple");
	assert_int_equal(keeper_run(&options, &end, &err), -1);
	(void)snprintf(pid_text, sizeof(pid_text), "%d", (int)child);
	assert_non_null(strstr(err.text, pid_text));
	assert_int_equal(kill(child, SIGINT), 0);
	assert_int_equal(await_exit(child), KEEPER_INTERRUPTED);
	child = begin(&options);
	serve_ms(300);
	assert_int_equal(stop(child), KEEPER_GOOD);
	assert_true(scratch_exists(staples[0]));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_once_fetches_all),
	    TEST(test_once_ends),
	    TEST(test_hints_are_kept),
	    TEST(test_places_at_one_responder),
	    TEST(test_once_stopped),
	    TEST(test_once_on_a_busy_machine),
	    TEST(test_once_is_once),
	    TEST(test_once_with_a_bad_file),
	    TEST(test_once_with_a_copy),
	    TEST(test_once_with_copies_of_many_minds),
	    TEST(test_once_with_an_intermediate),
	    TEST(test_once_without_issuer),
	    TEST(test_hangup_while_unreadable),
	    TEST(test_reload),
	    TEST(test_many_hangups),
	    TEST(test_hangup_at_the_start),
	    TEST(test_reload_costs_no_fetch),
	    TEST(test_faulty_rules),
	    TEST(test_end_of_a_staple),
	    TEST(test_end_of_a_staple_on_a_full_disk),
	    TEST(test_newer_with_the_same_end),
	    TEST(test_another_certificate),
	    TEST(test_store_lost),
	    TEST(test_signals_and_a_second_one),
	};

	return cmocka_run_group_tests(tests, make_pki, free_pki);
}
