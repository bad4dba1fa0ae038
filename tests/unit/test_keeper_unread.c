/* SPDX-License-Identifier: ISC */
/* test_keeper_unread.c -- keep/keeper_unread.c: a restart while certificate
 * files cannot be read costs no staple that is in service (I2). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/stat.h>

#include "keeper_fixture.h"

/* Keep two, each with a staple in service, and end.  RULE of their issuer may be
 * NULL. */
static void
keep_two_by(const struct issuer_rules *rule, struct keeper_options *options,
    int64_t age, int64_t life)
{
	int end;

	make_leaves(2);
	sign(2, CERT_GOOD, age, life);
	*options = options_for(2, true);
	options->rules = rule;
	options->rule_count = rule == NULL ? 0 : 1;
	end = await_exit(begin(options));
	assert_true(end == KEEPER_GOOD || end == KEEPER_ALARM);
	assert_true(first_is_there() && second_is_there());
	responder.manner = SCRIPT_HANG;
	options->once = false;
}

static void
keep_two(struct keeper_options *options, int64_t age, int64_t life)
{
	keep_two_by(NULL, options, age, life);
}

/* Run until a round is over: it brings back the second staple, of which only
 * the store knows. */
static pid_t
begin_and_publish(const struct keeper_options *options)
{
	pid_t child;

	(void)unlink(staples[1]);
	child = begin(options);
	await(second_is_there, "the first round");
	return child;
}

static void
lose(const char *how, const char *path)
{
	if (strcmp(how, "gone") == 0)
		assert_int_equal(unlink(path), 0);
	else if (strcmp(how, "a folder") == 0)
		assert_true(unlink(path) == 0 && mkdir(path, 0755) == 0);
	else
		scratch_write(path, strcmp(how, "empty") == 0 ? "" : how);
}

static void
test_restart(void **state)
{
	static const char *const ways[] = {"gone", "empty", "a folder",
	    "-----BEGIN CERTIFICATE-----\nhalf a fi"};
	struct keeper_options options;

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (i > 0)
			(void)set_up(state);
		keep_two(&options, 60, CLOCK_DAY);
		lose(ways[i], paths[0]);
		/* and once more: it was not forgotten meanwhile */
		for (int run = 1; run <= 2; run++) {
			assert_int_equal(
			    stop(begin_and_publish(&options)), KEEPER_GOOD);
			if (!first_is_there())
				fail_msg("I2: %s: restart %d took the staple",
				    ways[i], run);
		}
		if (i + 1 < sizeof(ways) / sizeof(ways[0]))
			(void)tear_down(state);
	}
}

/* One certificate in two files, of which none can be read: what it serves is
 * left as it is, not written again in each round. */
static void
test_two_files_of_one(void **state)
{
	struct keeper_options options;
	struct stat before, after;

	(void)state;
	keep_two(&options, 60, CLOCK_DAY);
	paths[2] = scratch_path(&scratch, "again.pem");
	specs[2] = (struct target_spec){.certificate = paths[2]};
	options.spec_count = 3;
	write_certificate(0, paths[2]);
	assert_int_equal(stop(begin_and_publish(&options)), KEEPER_GOOD);
	assert_int_equal(unlink(paths[0]), 0);
	assert_int_equal(unlink(paths[2]), 0);
	assert_int_equal(stat(staples[0], &before), 0);
	assert_int_equal(stop(begin_and_publish(&options)), KEEPER_GOOD);
	assert_int_equal(stat(staples[0], &after), 0);
	assert_true(before.st_ino == after.st_ino); /* A12: not replaced */
}

/* The leaf is there, and the file with its issuer is not. */
static void
test_issuer_is_gone(void **state)
{
	struct keeper_options options;
	char *path = scratch_path(&scratch, "issuer.pem");
	char *leaf, *ca = cert_pem(issuer.cert);

	(void)state;
	keep_two(&options, 60, CLOCK_DAY);
	scratch_write(path, ca);
	leaf = cert_pem(leaves[0].cert);
	scratch_write(paths[0], leaf);
	specs[0].issuer = path;
	assert_int_equal(stop(begin_and_publish(&options)), KEEPER_GOOD);
	assert_true(first_is_there());
	assert_int_equal(unlink(path), 0);
	assert_int_equal(stop(begin_and_publish(&options)), KEEPER_GOOD);
	assert_true(first_is_there());
	specs[0].issuer = NULL;
	free(leaf);
	free(ca);
	free(path);
}

/* The file is there again, as it was or with another certificate. */
static void
test_read_again(void **state)
{
	struct keeper_options options;
	pid_t child;

	(void)state;
	keep_two(&options, 60, CLOCK_DAY);
	assert_int_equal(unlink(paths[0]), 0);
	child = begin_and_publish(&options);
	write_certificate(0, paths[0]);
	serve_ms(1000); /* a change is taken up, and a round is over */
	assert_true(first_is_there());
	write_certificate(1, paths[0]);
	await(first_is_gone, "the end of what nobody keeps");
	assert_int_equal(stop(child), KEEPER_GOOD);
}

/* Who is not asked for any more is not held either. */
static void
test_not_kept(void **state)
{
	struct keeper_options options;

	(void)state;
	keep_two(&options, 60, CLOCK_DAY);
	assert_int_equal(unlink(paths[0]), 0);
	options.specs = &specs[1];
	options.spec_count = 1;
	assert_int_equal(stop(begin_and_publish(&options)), KEEPER_GOOD);
	assert_false(first_is_there());
}

static void
expect_withdrawal(const struct keeper_options *options)
{
	pid_t child;

	assert_int_equal(unlink(paths[0]), 0);
	child = begin_and_publish(options);
	assert_true(first_is_there());
	await(first_is_gone, "I3: its withdrawal");
	assert_int_equal(stop(child), KEEPER_GOOD);
}

/* I3 holds for what cannot be verified, too. */
static void
test_its_end(void **state)
{
	struct keeper_options options;

	int64_t end_s = clock_wall_s() - 357 + 400;

	(void)state;
	keep_two(&options, 357, 400); /* usable until 40 s before the end */
	expect_withdrawal(&options);
	if (clock_wall_s() >= end_s)
		fail_msg("A6: in service until the very end");
}

static void
test_end_of_its_delegate(void **state)
{
	struct pki_party delegate = pki_party(&(struct pki_spec){.cn = "short",
	    .issuer = &issuer,
	    .from = clock_wall_s() - CLOCK_DAY,
	    .until = clock_wall_s() + 7,
	    .ext = {{"extendedKeyUsage", "OCSPSigning"}, {"noCheck", "yes"}}});
	struct keeper_options options;

	(void)state;
	odd.signer = &delegate;
	odd.certs[0] = delegate.cert;
	keep_two(&options, 33, CLOCK_DAY);
	expect_withdrawal(&options);
	pki_party_done(&delegate);
}

/* How long one without nextUpdate lives is the operator's word. */
static void
test_end_by_a_rule(void **state)
{
	const struct issuer_rules rule = {
	    .issuer = issuer.cert->fingerprint, .no_next_update_s = 40};
	struct keeper_options options;

	(void)state;
	odd_single.no_next_update = true;
	keep_two_by(&rule, &options, 33, 0);
	expect_withdrawal(&options);
}

/* What was revoked has no staple, though the file of before has outlived the
 * withdrawal: a server that cannot be told keeps it, and so does a kill. */
static void
test_revoked_before(void **state)
{
	struct keeper_options options;
	char *copy = scratch_path(&scratch, "copy.der");

	(void)state;
	keep_two(&options, 80000, 90000); /* due for another */
	assert_int_equal(link(staples[0], copy), 0);
	/* of the first alone; the other one's staple stays */
	responder.manner = SCRIPT_CLOSE;
	sign(1, CERT_REVOKED, 30, CLOCK_DAY);
	options.once = true;
	(void)await_exit(begin(&options));
	assert_true(first_is_gone() && second_is_there());
	assert_int_equal(rename(copy, staples[0]), 0);
	responder.manner = SCRIPT_HANG;
	options.once = false;
	assert_int_equal(unlink(paths[0]), 0);
	assert_int_equal(stop(begin_and_publish(&options)), KEEPER_GOOD);
	assert_true(first_is_gone());
	free(copy);
}

/* Of one certificate in two files one cannot be read; what is heard by the
 * other one is true of both. */
static void
test_revoked_meanwhile(void **state)
{
	struct keeper_options options;
	pid_t child;

	(void)state;
	keep_two(&options, 80000, 90000); /* due for another */
	write_certificate(0, paths[1]);
	responder.manner = SCRIPT_CLOSE;
	options.once = true;
	(void)await_exit(begin(&options));
	assert_true(first_is_there());
	assert_int_equal(unlink(paths[1]), 0);
	sign(1, CERT_REVOKED, 30, CLOCK_DAY);
	options.once = false;
	child = begin(&options);
	await(first_is_gone, "the withdrawal of what is revoked");
	assert_int_equal(stop(child), KEEPER_GOOD);
}

static void
answer_once(struct script *script)
{
	script->manner = script->requests == 1 ? SCRIPT_CLOSE : SCRIPT_HANG;
}

/* Both can be read, and one of them gets no answer of its own. */
static void
test_revoked_for_both(void **state)
{
	struct keeper_options options;
	pid_t child;

	(void)state;
	keep_two(&options, 80000, 90000); /* due for another */
	write_certificate(0, paths[1]);
	responder.manner = SCRIPT_CLOSE;
	options.once = true;
	(void)await_exit(begin(&options));
	assert_true(first_is_there());
	sign(1, CERT_REVOKED, 30, CLOCK_DAY);
	responder.requests = 0;
	responder.choose = answer_once;
	options.once = false;
	child = begin(&options);
	await(first_is_gone, "the withdrawal of what is revoked");
	assert_int_equal(stop(child), KEEPER_GOOD);
	responder.choose = NULL;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_restart),
	    TEST(test_two_files_of_one),
	    TEST(test_issuer_is_gone),
	    TEST(test_read_again),
	    TEST(test_not_kept),
	    TEST(test_its_end),
	    TEST(test_end_of_its_delegate),
	    TEST(test_end_by_a_rule),
	    TEST(test_revoked_before),
	    TEST(test_revoked_meanwhile),
	    TEST(test_revoked_for_both),
	};

	return cmocka_run_group_tests(tests, make_pki, free_pki);
}
