/* SPDX-License-Identifier: ISC */
/* test_seal_key.c -- keep/seal_key: whose key is believed (I1). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/file.h"
#include "keep/seal_key.h"
#include "pki/seal.h"
#include "pki_fixture.h"
#include "scratch.h"

static struct scratch scratch;
static struct pki pki;
static char *path, *second;

static int
make_pki(void **state)
{
	(void)state;
	pki = pki_make(PKI_EC);
	return 0;
}

static int
free_pki(void **state)
{
	(void)state;
	pki_done(&pki);
	return 0;
}

static int
set_up(void **state)
{
	(void)state;
	scratch_make(&scratch);
	path = scratch_path(&scratch, "seal.key");
	second = scratch_path(&scratch, "another");
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	free(path);
	free(second);
	scratch_remove(&scratch);
	return 0;
}

/* A seal by the key that is there; none: zeros. */
static void
seal_by(bool may_make, uint8_t seal[SEAL_LEN])
{
	struct sealer *sealer = seal_key_open(scratch.dir, may_make, NULL);
	const struct seal_facts facts = {.leaf = pki.leaf.cert,
	    .issuer = pki.issuer.cert,
	    .signer = pki.issuer.cert};

	memset(seal, 0, SEAL_LEN);
	if (sealer != NULL)
		assert_true(seal_make(sealer, &facts, seal));
	sealer_free(sealer);
}

static void
test_made_once(void **state)
{
	uint8_t none[SEAL_LEN] = {0}, made[SEAL_LEN], again[SEAL_LEN];
	struct stat st;

	(void)state;
	seal_by(false, again);
	assert_memory_equal(again, none, SEAL_LEN);
	assert_false(scratch_exists(path));
	seal_by(true, made);
	assert_memory_not_equal(made, none, SEAL_LEN);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	seal_by(true, again);
	assert_memory_equal(again, made, SEAL_LEN);
	seal_by(false, again);
	assert_memory_equal(again, made, SEAL_LEN);
	/* lost: another one */
	assert_int_equal(unlink(path), 0);
	seal_by(true, again);
	assert_memory_not_equal(again, made, SEAL_LEN);
}

/* What was put there by somebody who can write to the folder, or has been read
 * by others, is a key no more. */
static void
test_not_believed(void **state)
{
	static const struct {
		const char *name;
		mode_t mode;
		bool linked, symlink, cut, longer, begins_otherwise, of_another;
	} rows[] = {
	    {.name = "the group may read it", .mode = 0640},
	    {.name = "all may read it", .mode = 0604},
	    {.name = "all may write it", .mode = 0602},
	    {.name = "it has another name", .mode = 0600, .linked = true},
	    {.name = "a link to such", .mode = 0644, .symlink = true},
	    {.name = "cut short", .mode = 0600, .cut = true},
	    {.name = "with a tail", .mode = 0600, .longer = true},
	    {.name = "another file of ours",
		.mode = 0600,
		.begins_otherwise = true},
	    {.name = "another user's", .mode = 0600, .of_another = true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t none[SEAL_LEN] = {0}, made[SEAL_LEN], now[SEAL_LEN];
		uint8_t *bytes = NULL;
		struct stat st;
		size_t len = 0;

		/* who is not root cannot give a file away */
		if (rows[i].of_another && geteuid() != 0)
			continue;
		print_message("%s\n", rows[i].name);
		(void)unlink(path);
		(void)unlink(second);
		seal_by(true, made);
		assert_int_equal(file_read(path, 99, &bytes, &len, NULL), 0);
		bytes = mem_resize(bytes, len + 1, 1);
		if (rows[i].begins_otherwise)
			bytes[0]++;
		assert_int_equal(file_replace(path, bytes,
				     rows[i].cut      ? len - 1
				     : rows[i].longer ? len + 1
						      : len,
				     rows[i].mode, NULL),
		    0);
		if (rows[i].linked)
			assert_int_equal(link(path, second), 0);
		if (rows[i].symlink) {
			assert_int_equal(rename(path, second), 0);
			assert_int_equal(symlink("another", path), 0);
		}
		if (rows[i].of_another)
			assert_int_equal(chown(path, 65534, 65534), 0);
		seal_by(false, now);
		assert_memory_equal(now, none, SEAL_LEN);
		seal_by(true, now);
		assert_memory_not_equal(now, none, SEAL_LEN);
		assert_memory_not_equal(now, made, SEAL_LEN);
		assert_int_equal(lstat(path, &st), 0);
		assert_true(S_ISREG(st.st_mode));
		assert_int_equal(st.st_mode & 07777, 0600);
		free(bytes);
	}
}

/* Nothing can be written: it is said, and all is verified as ever. */
static void
test_cannot_be_made(void **state)
{
	struct err err = {0};

	(void)state;
	assert_int_equal(rmdir(scratch.dir), 0);
	assert_null(seal_key_open(scratch.dir, true, &err));
	assert_int_equal(err.reason, REASON_FILE);
	assert_non_null(strstr(err.text, "seal.key"));
	assert_int_equal(mkdir(scratch.dir, 0755), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_made_once, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_not_believed, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_cannot_be_made, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, make_pki, free_pki);
}
