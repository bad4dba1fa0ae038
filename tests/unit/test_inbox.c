/* SPDX-License-Identifier: ISC */
/* test_inbox.c -- keep/inbox: with and without a keeper that holds the lock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <fcntl.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "keep/inbox.h"
#include "keep/keeper_priv.h"
#include "keep/store.h"
#include "pki/staple.h"
#include "pki_fixture.h"
#include "scratch.h"
#include "servers/nginx_snippet.h"

static struct scratch scratch;
static struct pki pki;
static struct staple *staple;

static int
begin(void **state)
{
	struct verify_policy policy = verify_policy_default(PKI_NOW);
	struct verify_input input = {0};
	struct pki_single single = {0};
	struct pki_response spec = {0};
	struct verdict facts;
	struct buf der;
	bool accepted;
	int rc;

	(void)state;
	pki = pki_make(PKI_EC);
	single.leaf = input.leaf = pki.leaf.cert;
	single.issuer = input.issuer = pki.issuer.cert;
	spec.signer = &pki.issuer;
	spec.singles = &single;
	spec.single_count = 1;
	der = pki_response(&spec);
	input.der = (const uint8_t *)der.text;
	input.len = der.len;
	rc = verify_staple(&input, &policy, &staple, &facts, &accepted, NULL);
	buf_done(&der);
	scratch_make(&scratch);
	return rc == -1 ? -1 : chdir(scratch.dir);
}

static int
end(void **state)
{
	(void)state;
	staple_free(staple);
	pki_done(&pki);
	scratch_remove(&scratch);
	return chdir("/");
}

static bool
file_is(const char *dir, const char *sub)
{
	char *path =
	    mem_printf("%s/%s/%s.der", dir, sub, staple_fingerprint(staple));
	struct span der = staple_der(staple);
	bool same = file_holds(path, der.at, der.len) != 0;

	free(path);
	return same;
}

static bool
is_stored(struct inbox *inbox)
{
	uint8_t *der = NULL;
	size_t len = 0;
	int found = store_get(
	    inbox_store(inbox), staple_fingerprint(staple), &der, &len, NULL);

	free(der);
	return found == 1;
}

/* A keeper that is started later knows what a courier brought. */
static void
expect_state(struct inbox *inbox, int64_t revoked_at)
{
	struct store_state state = {0};

	assert_int_equal(store_get_state(inbox_store(inbox),
			     staple_fingerprint(staple), &state, NULL),
	    1);
	assert_int_equal(state.failures, 0);
	assert_int_equal(state.last_final, revoked_at != 0);
	if (revoked_at == 0)
		return;
	assert_int_equal(state.last_status, CERT_REVOKED);
	assert_int_equal(state.floor, revoked_at);
}

static void
test_without_a_keeper(void **state)
{
	struct inbox *inbox = inbox_open("alone", NULL);
	struct verdict revoked;
	struct err err = {0};
	bool served = false;
	int lock;

	(void)state;
	assert_non_null(inbox);
	assert_false(inbox_keeper_runs(inbox));
	/* no keeper begins while we are at it */
	assert_int_equal(file_lock("alone/lock", &lock, NULL), -1);
	assert_int_equal(inbox_put(inbox, staple, &served, NULL), 0);
	assert_true(served);
	assert_true(is_stored(inbox));
	assert_true(file_is("alone", "staples"));
	assert_false(file_is("alone", "inbox"));
	expect_state(inbox, 0);
	assert_true(inbox_revoked_at(inbox, staple_fingerprint(staple)) == 0);
	revoked = *staple_facts(staple);
	revoked.this_update += 60;
	assert_int_equal(inbox_put_revoked(inbox, staple_fingerprint(staple),
			     staple_der(staple), &revoked, NULL),
	    0);
	assert_true(inbox_revoked_at(inbox, staple_fingerprint(staple)) ==
		    revoked.this_update);
	assert_int_equal(
	    inbox_check_revoked(revoked.this_update, revoked.this_update, &err),
	    -1);
	assert_int_equal(err.reason, REASON_OLDER_THAN_STORED);
	assert_int_equal(inbox_check_revoked(revoked.this_update,
			     revoked.this_update + 1, NULL),
	    0);
	assert_int_equal(inbox_check_revoked(0, 1, NULL), 0);
	assert_false(is_stored(inbox));
	assert_false(file_is("alone", "staples"));
	expect_state(inbox, revoked.this_update);
	/* a newer good one ends it: it was a hold */
	assert_int_equal(inbox_put(inbox, staple, &served, NULL), 0);
	assert_true(inbox_revoked_at(inbox, staple_fingerprint(staple)) == 0);
	expect_state(inbox, 0);
	inbox_close(inbox);
	assert_int_equal(file_lock("alone/lock", &lock, NULL), 0);
	close(lock);
}

static void
test_with_a_keeper(void **state)
{
	struct inbox *inbox;
	bool served = false;
	int lock;

	(void)state;
	assert_int_equal(mkdir("kept", 0755), 0);
	assert_int_equal(file_lock("kept/lock", &lock, NULL), 0);
	inbox = inbox_open("kept", NULL);
	assert_non_null(inbox);
	assert_true(inbox_keeper_runs(inbox));
	assert_int_equal(inbox_put(inbox, staple, &served, NULL), 0);
	assert_true(file_is("kept", "inbox"));
	assert_false(file_is("kept", "staples"));
	assert_false(is_stored(inbox));
	inbox_close(inbox);
	close(lock);
}

/* What nginx has read is for a keeper to replace, who reloads it. */
static void
test_with_nginx(void **state)
{
	const struct nginx nginx = {
	    .snippet_dir = "web/nginx", .staple_dir = "web/staples"};
	char *path = nginx_snippet_path(&nginx, "/etc/cert.pem");
	char *text = nginx_snippet_text(&nginx, staple_fingerprint(staple));
	struct inbox *inbox;
	bool served = true;

	(void)state;
	assert_int_equal(file_make_dir("web/nginx", 0755, NULL), 0);
	assert_int_equal(file_replace(path, text, strlen(text), 0644, NULL), 0);
	inbox = inbox_open("web", NULL);
	assert_int_equal(inbox_put(inbox, staple, &served, NULL), 0);
	assert_false(served);
	assert_true(is_stored(inbox));
	assert_false(file_is("web", "staples"));
	inbox_close(inbox);
	free(path);
	free(text);
}

static void
test_names(void **state)
{
	static const char *const bad[] = {"", ".der", "x.der",
	    ("ABCDEF00000000000000000000000000000000000000000000000000000000"
	     "00.der"),
	    "../a.der", ".aa.der.new.123456"};
	char name[80], out[65];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(inbox_fingerprint(bad[i], out));
	(void)snprintf(
	    name, sizeof(name), "%s.der", staple_fingerprint(staple));
	assert_true(inbox_fingerprint(name, out));
	assert_string_equal(out, staple_fingerprint(staple));
	name[67] = 'x';
	assert_false(inbox_fingerprint(name, out));
}

static void
test_folder_that_cannot_be(void **state)
{
	struct err err = {0};

	(void)state;
	assert_int_equal(file_replace("plain", "x", 1, 0644, NULL), 0);
	assert_null(inbox_open("plain", &err));
	assert_int_equal(err.reason, REASON_FILE);
}

static size_t lines;

static bool
count_line(const struct log_entry *entry)
{
	(void)entry;
	lines++;
	return true;
}

/* What cannot be removed, as in a folder of another user's, is judged and said
 * once, not at each look; what comes after it is taken all the same. */
static void
test_stuck(void **state)
{
	const struct keeper_options options = {.state_dir = "stuck"};
	struct keeper k = {.options = &options};
	struct inbox *inbox;
	char *stuck;
	bool served;
	size_t before;
	int lock;

	(void)state;
	assert_int_equal(mkdir("stuck", 0755), 0);
	assert_int_equal(file_lock("stuck/lock", &lock, NULL), 0);
	inbox = inbox_open("stuck", NULL);
	assert_non_null(inbox);
	stuck = mem_printf("stuck/inbox/%064d.der", 0);
	assert_int_equal(mkdir(stuck, 0755), 0);
	log_set_sink(count_line);
	keeper_read_inbox(&k);
	assert_true(lines > 0);
	before = lines;
	for (int look = 0; look < 3; look++)
		keeper_read_inbox(&k);
	assert_int_equal(lines, before);
	assert_int_equal(inbox_put(inbox, staple, &served, NULL), 0);
	assert_true(file_is("stuck", "inbox"));
	keeper_read_inbox(&k);
	assert_false(file_is("stuck", "inbox"));
	log_set_sink(NULL);
	free(stuck);
	inbox_close(inbox);
	close(lock);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_without_a_keeper),
	    cmocka_unit_test(test_with_a_keeper),
	    cmocka_unit_test(test_with_nginx),
	    cmocka_unit_test(test_stuck),
	    cmocka_unit_test(test_names),
	    cmocka_unit_test(test_folder_that_cannot_be),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
