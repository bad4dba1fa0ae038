/* SPDX-License-Identifier: ISC */
/* test_publish.c -- keep/publish without a server: the files in the staple
 * folder.  With nginx it is tests/lab that looks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/loop.h"
#include "keep/publish.h"
#include "scratch.h"

#define FP_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define FP_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define FP_C "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
#define FP_D "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"

static uv_loop_t loop;
static struct scratch scratch;
static int ends;
static struct err last;

static int
set_up(void **state)
{
	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	scratch_make(&scratch);
	ends = 0;
	last = (struct err){0};
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	loop_end(&loop);
	scratch_remove(&scratch);
	return 0;
}

static void
no_place(void *cookie, const struct proofs_place *place)
{
	(void)cookie;
	(void)place;
	fail_msg("there is no server to prove anything");
}

static void
not_installed(void *cookie, const char *certificate)
{
	(void)cookie;
	fail_msg("there is no server without us: %s", certificate);
}

static void
ended(void *cookie, bool reloaded, const struct err *err)
{
	(void)cookie;
	assert_false(reloaded);
	ends++;
	last = *err;
}

static const struct publish_callbacks callbacks = {
    .place = no_place, .not_installed = not_installed, .end = ended};

enum { MANY = 1000 };

static struct publish_item
item(const char *fingerprint, const char *text)
{
	return (struct publish_item){.name = "a name",
	    .fingerprint = fingerprint,
	    .staple = {(const uint8_t *)text, strlen(text)}};
}

/* One round over COUNT items, as copies that are gone once it has begun: a
 * target may be read again, or get a better staple, meanwhile. */
static enum reason
publish_as(const char *folder, const struct publish_item *items, size_t count,
    bool thorough)
{
	struct publish_item copies[MANY] = {0};
	struct publish *round;

	ends = 0;
	for (size_t i = 0; i < count; i++)
		copies[i] = (struct publish_item){mem_string(items[i].name),
		    mem_string(items[i].fingerprint),
		    {mem_copy(items[i].staple.at, items[i].staple.len),
			items[i].staple.len},
		    items[i].may_wait, items[i].unread, NULL};
	round = publish_start(&loop,
	    &(struct publish_round){.staple_dir = folder,
		.items = copies,
		.count = count,
		.thorough = thorough},
	    &callbacks, NULL);
	assert_non_null(round);
	assert_int_equal(ends, 0); /* never from within the start */
	for (size_t i = 0; i < count; i++) {
		free((void *)(uintptr_t)copies[i].name);
		free((void *)(uintptr_t)copies[i].fingerprint);
		free((void *)(uintptr_t)copies[i].staple.at);
	}
	loop_run(&loop);
	assert_int_equal(ends, 1);
	return last.reason;
}

static enum reason
publish(const char *folder, const struct publish_item *items, size_t count)
{
	return publish_as(folder, items, count, true);
}

static void
expect_file(const char *name, const char *text)
{
	char *path = scratch_path(&scratch, name);

	if (text == NULL && scratch_exists(path))
		fail_msg("%s is there", name);
	if (text != NULL && !file_holds(path, text, strlen(text)))
		fail_msg("%s does not hold '%s'", name, text);
	free(path);
}

static void
test_written_and_withdrawn(void **state)
{
	const struct publish_item all[] = {
	    item(FP_C, "c"), item(FP_A, "a"), item(FP_B, "b")};
	const struct publish_item fewer[] = {item(FP_B, "b2"), item(FP_A, "")};
	struct stat before, after;
	char *path = scratch_path(&scratch, FP_C ".der");

	(void)state;
	assert_int_equal(publish(scratch.dir, all, 3), REASON_NONE);
	expect_file(FP_A ".der", "a");
	expect_file(FP_B ".der", "b");
	expect_file(FP_C ".der", "c");
	/* what is there already is not written again */
	assert_int_equal(stat(path, &before), 0);
	assert_int_equal(before.st_mode & 0777, 0644);
	assert_int_equal(publish(scratch.dir, all, 3), REASON_NONE);
	assert_int_equal(stat(path, &after), 0);
	assert_true(before.st_ino == after.st_ino);
	/* I3: withdrawn is absent, and so is who is not kept any more */
	assert_int_equal(publish(scratch.dir, fewer, 2), REASON_NONE);
	expect_file(FP_A ".der", NULL);
	expect_file(FP_B ".der", "b2");
	expect_file(FP_C ".der", NULL);
	assert_int_equal(publish(scratch.dir, NULL, 0), REASON_NONE);
	assert_int_equal(scratch_count(scratch.dir), 0);
	free(path);
}

/* Nothing but names of our own making is touched. */
static void
test_strangers_are_left_alone(void **state)
{
	static const char *const names[] = {
	    "README",
	    FP_A,
	    FP_A ".pem",
	    FP_A ".der.old",
	    FP_A "a.der",
	    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	    ".der",
	    "a-file-of-somebody-else-whose-name-happens-to-be-that-long-....."
	    ".der",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *path = scratch_path(&scratch, names[i]);

		scratch_write(path, "theirs");
		free(path);
	}
	assert_int_equal(publish(scratch.dir, NULL, 0), REASON_NONE);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		expect_file(names[i], "theirs");
}

/* A12: what a kill in the middle of a replacement has left goes; so does nothing
 * that only looks like it. */
static void
test_torn_ones_go(void **state)
{
	static const struct {
		const char *name;
		bool ours;
	} files[] = {
	    {"." FP_A ".der.new.Ab3dEf", true},
	    {"." FP_B ".der.new.zzzzzz", true},
	    {"." FP_A ".der.new.Ab3dE", false},
	    {"." FP_A ".der.old.Ab3dEf", false},
	    {"." FP_A ".pem.new.Ab3dEf", false},
	    {FP_A ".der.new.Ab3dEf", false},
	    {".README.new.Ab3dEf", false},
	};
	const struct publish_item all[] = {item(FP_A, "a")};

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		char *path = scratch_path(&scratch, files[i].name);

		scratch_write(path, "half");
		free(path);
	}
	assert_int_equal(publish(scratch.dir, all, 1), REASON_NONE);
	expect_file(FP_A ".der", "a");
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		expect_file(files[i].name, files[i].ours ? NULL : "half");
}

/* One that cannot be written stops no other, and is told. */
static void
test_one_cannot_be_written(void **state)
{
	const struct publish_item all[] = {
	    item(FP_A, "a"), item(FP_B, "b"), item(FP_C, "")};
	char *in_the_way = scratch_path(&scratch, FP_A ".der");
	char *inside = scratch_path(&scratch, FP_A ".der/file");
	char *old = scratch_path(&scratch, FP_C ".der");

	(void)state;
	assert_int_equal(mkdir(in_the_way, 0700), 0);
	scratch_write(inside, "");
	scratch_write(old, "old");
	assert_int_equal(publish(scratch.dir, all, 3), REASON_FILE);
	assert_non_null(strstr(last.text, FP_A));
	expect_file(FP_B ".der", "b");
	expect_file(FP_C ".der", NULL); /* I3 though */
	free(in_the_way);
	free(inside);
	free(old);
}

/* One that cannot be withdrawn is served past its end: that is said. */
static void
test_one_cannot_be_withdrawn(void **state)
{
	char *in_the_way = scratch_path(&scratch, FP_A ".der");

	(void)state;
	assert_int_equal(mkdir(in_the_way, 0700), 0);
	assert_int_equal(publish(scratch.dir, NULL, 0), REASON_FILE);
	assert_non_null(strstr(last.text, "withdraw"));
	free(in_the_way);
}

/* A13: a folder that is not there, as after a start on a full disk or when
 * somebody has removed it, is made. */
static void
test_no_folder(void **state)
{
	const struct publish_item all[] = {item(FP_A, "a")};
	char *folder = scratch_path(&scratch, "state/staples");
	char *in_the_way = scratch_path(&scratch, "file");
	char *nowhere = mem_printf("%s/staples", in_the_way);

	(void)state;
	assert_int_equal(publish(folder, all, 1), REASON_NONE);
	expect_file("state/staples/" FP_A ".der", "a");
	scratch_write(in_the_way, "");
	assert_int_equal(publish(nowhere, all, 1), REASON_FILE);
	assert_non_null(strstr(last.text, nowhere));
	free(folder);
	free(in_the_way);
	free(nowhere);
}

static void
test_cancel(void **state)
{
	const struct publish_item all[] = {item(FP_A, "a")};
	const struct publish_round what = {
	    .staple_dir = scratch.dir, .items = all, .count = 1};
	struct publish *round = publish_start(&loop, &what, &callbacks, NULL);

	(void)state;
	publish_cancel(&round);
	assert_null(round);
	publish_cancel(&round);
	loop_run(&loop);
	assert_int_equal(ends, 0);
	/* I7: whole, or not at all */
	if (scratch_count(scratch.dir) != 0) {
		assert_int_equal(scratch_count(scratch.dir), 1);
		expect_file(FP_A ".der", "a");
	}
}

/* What was published and is there is not read each time: with a hundred thousand
 * that would be the most of a round.  What has gone is seen at once. */
static void
test_thorough(void **state)
{
	struct publish_item all[] = {item(FP_A, "a"), item(FP_B, "b")};
	char *first = scratch_path(&scratch, FP_A ".der");
	char *second = scratch_path(&scratch, FP_B ".der");

	(void)state;
	assert_int_equal(publish(scratch.dir, all, 2), REASON_NONE);
	scratch_write(first, "x");
	assert_int_equal(unlink(second), 0);
	assert_int_equal(publish_as(scratch.dir, all, 2, false), REASON_NONE);
	expect_file(FP_A ".der", "x");
	expect_file(FP_B ".der", "b");
	all[0].unread = true; /* a newer one */
	assert_int_equal(publish_as(scratch.dir, all, 2, false), REASON_NONE);
	expect_file(FP_A ".der", "a");
	scratch_write(first, "x");
	all[0].unread = false;
	assert_int_equal(publish(scratch.dir, all, 2), REASON_NONE);
	expect_file(FP_A ".der", "a");
	free(first);
	free(second);
}

static void
tick(void *cookie)
{
	int *ticks = cookie;

	if (ends == 0) {
		++*ticks;
		(void)loop_timer_start(&loop, 1, tick, ticks);
	}
}

static char names[MANY][65];

static void
make_many(struct publish_item all[MANY])
{
	for (int i = 0; i < MANY; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "%064x", i);
		all[i] = item(names[i], "some octets");
	}
}

/* I2, I3: however many files a round has to write, a withdrawal does not wait
 * for the last of them. */
static void
test_hurry(void **state)
{
	struct publish_item all[MANY];
	struct publish *round;

	(void)state;
	make_many(all);
	round = publish_start(&loop,
	    &(struct publish_round){
		.staple_dir = scratch.dir, .items = all, .count = MANY},
	    &callbacks, NULL);
	publish_hurry(round);
	loop_run(&loop);
	assert_int_equal(ends, 1);
	assert_int_equal(last.reason, REASON_NONE);
	assert_true(scratch_count(scratch.dir) < MANY);
	/* the rest is the next one's */
	all[0] = item(names[0], "");
	assert_int_equal(publish(scratch.dir, all, MANY), REASON_NONE);
	assert_int_equal(scratch_count(scratch.dir), MANY - 1);
}

/* I5: however long a disk takes for all of them, the loop goes on. */
static void
test_loop_goes_on(void **state)
{
	struct publish_item all[MANY];
	int ticks = 0;

	(void)state;
	make_many(all);
	(void)publish_start(&loop,
	    &(struct publish_round){
		.staple_dir = scratch.dir, .items = all, .count = MANY},
	    &callbacks, NULL);
	(void)loop_timer_start(&loop, 0, tick, &ticks);
	loop_run(&loop);
	assert_int_equal(ends, 1);
	assert_int_equal(scratch_count(scratch.dir), MANY);
	assert_true(ticks > 1);
}

/* --- with a server --- */

static void
note_place(void *cookie, const struct proofs_place *place)
{
	(void)cookie;
	(void)place;
}

static void
end_any(void *cookie, bool reloaded, const struct err *err)
{
	(void)cookie;
	(void)reloaded;
	ends++;
	last = *err;
}

/* As `nginx -T` tells of one server block that takes our snippet. */
static struct nginx_conf *
one_site(const struct nginx *nginx, const char *certificate)
{
	char *snippet = nginx_snippet_path(nginx, certificate);
	char *dump = mem_printf(
	    "# configuration file /etc/nginx/nginx.conf:\nhttp { server {\n"
	    "listen 443 ssl; ssl_certificate %s; include %s; } }\n",
	    certificate, snippet);
	struct nginx_conf *conf = NULL;

	assert_int_equal(nginx_conf_parse(dump, strlen(dump), &conf, NULL), 0);
	assert_int_equal(conf->site_count, 1);
	free(dump);
	free(snippet);
	return conf;
}

/* I2: a certificate that nginx can read and we cannot keeps the staple that its
 * snippet names, while that is kept; and no longer. */
static void
test_unreadable_certificate(void **state)
{
	static const struct publish_callbacks lax = {.place = note_place,
	    .not_installed = not_installed,
	    .end = end_any};
	const struct publish_item kept[] = {item(FP_A, "a"), item(FP_B, "b")};
	char *staple_dir = scratch_path(&scratch, "staples");
	char *snippet_dir = scratch_path(&scratch, "nginx");
	char *certificate = scratch_path(&scratch, "away.pem");
	const struct nginx nginx = {"/bin/true", snippet_dir, staple_dir};
	struct nginx_conf *conf = one_site(&nginx, certificate);
	const struct nginx_change before = {.certificate = certificate,
	    .fingerprint = FP_A,
	    .staple = kept[0].staple};
	char *named;

	(void)state;
	(void)nginx_publish_start(&loop, &nginx, &before, 1, end_any, NULL);
	loop_run(&loop);
	for (int round = 1; round <= 2; round++) {
		/* in the second FP_A is not kept any more */
		(void)publish_start(&loop,
		    &(struct publish_round){
			.nginx = &nginx,
			.conf = conf,
			.staple_dir = staple_dir,
			.items = round == 1 ? kept : kept + 1,
			.count = round == 1 ? 2 : 1,
			.prove = true,
		    },
		    &lax, NULL);
		loop_run(&loop);
		assert_int_equal(last.reason, REASON_NONE);
		named = nginx_staple_named(&nginx, certificate);
		if (round == 1)
			assert_string_equal(named, FP_A);
		else
			assert_null(named);
		expect_file("staples/" FP_A ".der", round == 1 ? "a" : NULL);
		free(named);
	}
	assert_int_equal(ends, 3);
	nginx_conf_free(conf);
	free(certificate);
	free(snippet_dir);
	free(staple_dir);
}

/* I7: nginx does not start without a file that a snippet names, also where this
 * keeper was not told of nginx.  A kept one that has ended is told (I3). */
static void
test_snippets_without_a_server(void **state)
{
	static const struct publish_callbacks lax = {
	    .place = no_place, .not_installed = not_installed, .end = end_any};
	const struct publish_item ended_one[] = {item(FP_A, "")};
	char *staple_dir = scratch_path(&scratch, "staples");
	char *snippet_dir = scratch_path(&scratch, "nginx");
	const struct nginx nginx = {"/bin/true", snippet_dir, staple_dir};
	const struct nginx_change before = {.certificate = "/e/a.pem",
	    .fingerprint = FP_A,
	    .staple = {(const uint8_t *)"a", 1}};
	char *snippet = nginx_snippet_path(&nginx, before.certificate);
	char *other = scratch_path(&scratch, "staples/" FP_B ".der");
	const struct {
		size_t count;
		enum reason reason;
		bool there;
	} rounds[] = {
	    {0, REASON_NONE, true}, {1, REASON_FILE, true},
	    {1, REASON_NONE, false}, /* without the snippet */
	};

	(void)state;
	(void)nginx_publish_start(&loop, &nginx, &before, 1, end_any, NULL);
	loop_run(&loop);
	scratch_write(other, "b");
	for (size_t i = 0; i < sizeof(rounds) / sizeof(rounds[0]); i++) {
		if (!rounds[i].there)
			assert_int_equal(unlink(snippet), 0);
		(void)publish_start(&loop,
		    &(struct publish_round){.nginx = &nginx,
			.staple_dir = staple_dir,
			.items = ended_one,
			.count = rounds[i].count},
		    &lax, NULL);
		loop_run(&loop);
		assert_int_equal(last.reason, rounds[i].reason);
		expect_file(
		    "staples/" FP_A ".der", rounds[i].there ? "a" : NULL);
		expect_file("staples/" FP_B ".der", NULL);
	}
	free(other);
	free(snippet);
	free(snippet_dir);
	free(staple_dir);
}

static void
note_question(void *cookie, const struct proofs_place *place)
{
	buf_printf(cookie, "%s %s;",
	    place->listen == NULL ? "-" : place->listen,
	    place->servername == NULL ? "-" : place->servername);
}

/* D8: a block without a name that could be sent is not asked where another one
 * answers. */
static void
test_places(void **state)
{
	static const struct publish_callbacks noting = {.place = note_question,
	    .not_installed = not_installed,
	    .end = end_any};
	const struct publish_item kept[] = {item(FP_A, "a")};
	char *staple_dir = scratch_path(&scratch, "staples");
	char *snippet_dir = scratch_path(&scratch, "nginx");
	char *certificate = scratch_path(&scratch, "away.pem");
	const struct nginx nginx = {"/bin/true", snippet_dir, staple_dir};
	const struct nginx_change before = {.certificate = certificate,
	    .fingerprint = FP_A,
	    .staple = kept[0].staple};
	char *snippet = nginx_snippet_path(&nginx, certificate);
	char *server = mem_printf("listen 443 ssl; ssl_certificate %s; include "
				  "%s;",
	    certificate, snippet);
	char *dump = mem_printf(
	    "# configuration file /e/nginx.conf:\nhttp { server { %s "
	    "server_name a; } server { %s server_name ~x; } server { %s "
	    "server_name *.w; } }\n",
	    server, server, server);
	struct nginx_conf *conf = NULL;
	struct buf places;

	(void)state;
	buf_init(&places, 1000);
	assert_int_equal(nginx_conf_parse(dump, strlen(dump), &conf, NULL), 0);
	(void)nginx_publish_start(&loop, &nginx, &before, 1, end_any, NULL);
	loop_run(&loop);
	(void)publish_start(&loop,
	    &(struct publish_round){.nginx = &nginx,
		.conf = conf,
		.staple_dir = staple_dir,
		.items = kept,
		.count = 1,
		.prove = true},
	    &noting, &places);
	loop_run(&loop);
	assert_int_equal(last.reason, REASON_NONE);
	assert_string_equal(
	    buf_text(&places), "127.0.0.1:443 a;- -;127.0.0.1:443 oclasp.w;");
	buf_done(&places);
	nginx_conf_free(conf);
	free(dump);
	free(server);
	free(snippet);
	free(certificate);
	free(snippet_dir);
	free(staple_dir);
}

/* A12: an nginx that is told of a staple file that is missing does not start.  So
 * where it could not be told of the withdrawal the file stays, until it can. */
static void
test_nginx_refuses(void **state)
{
	static const struct publish_callbacks lax = {.place = note_place,
	    .not_installed = not_installed,
	    .end = end_any};
	static const char *const commands[] = {
	    "/bin/true", "/bin/false", "/bin/true"};
	const struct publish_item kept[] = {item(FP_A, "a"), item(FP_B, "b")};
	char *staple_dir = scratch_path(&scratch, "staples");
	char *snippet_dir = scratch_path(&scratch, "nginx");
	char *certificate = scratch_path(&scratch, "away.pem");
	struct nginx nginx = {"/bin/true", snippet_dir, staple_dir};
	struct nginx_conf *conf = one_site(&nginx, certificate);
	const struct nginx_change before = {.certificate = certificate,
	    .fingerprint = FP_A,
	    .staple = kept[0].staple};

	(void)state;
	(void)nginx_publish_start(&loop, &nginx, &before, 1, end_any, NULL);
	loop_run(&loop);
	for (int round = 0; round < 3; round++) {
		nginx.command = commands[round];
		/* from the second on FP_A is not kept any more */
		(void)publish_start(&loop,
		    &(struct publish_round){
			.nginx = &nginx,
			.conf = conf,
			.staple_dir = staple_dir,
			.items = round == 0 ? kept : kept + 1,
			.count = round == 0 ? 2 : 1,
			.prove = true,
		    },
		    &lax, NULL);
		loop_run(&loop);
		assert_int_equal(last.reason == REASON_NONE, round != 1);
		expect_file("staples/" FP_A ".der", round < 2 ? "a" : NULL);
		expect_file("staples/" FP_B ".der", "b");
	}
	nginx_conf_free(conf);
	free(certificate);
	free(snippet_dir);
	free(staple_dir);
}

/* I8: an nginx whose configuration cannot be read stops nobody's care but its
 * own: the files that no snippet names are written, and withdrawn (I3). */
static void
test_nginx_cannot_be_asked(void **state)
{
	static const struct publish_callbacks lax = {
	    .place = no_place, .not_installed = not_installed, .end = end_any};
	const struct err why = {REASON_SERVER_CONFIG, "a slip"};
	const struct publish_item rounds[][3] = {
	    {item(FP_A, "a2"), item(FP_B, "b"), item(FP_C, "")},
	    {item(FP_A, ""), item(FP_B, "b2"), item(FP_C, "c")},
	};
	char *staple_dir = scratch_path(&scratch, "staples");
	char *snippet_dir = scratch_path(&scratch, "nginx");
	const struct nginx nginx = {"/bin/true", snippet_dir, staple_dir};
	const struct nginx_change before = {.certificate = "/e/a.pem",
	    .fingerprint = FP_A,
	    .staple = {(const uint8_t *)"a", 1}};
	char *ended_one = scratch_path(&scratch, "staples/" FP_C ".der");
	char *of_nobody = scratch_path(&scratch, "staples/" FP_D ".der");

	(void)state;
	(void)nginx_publish_start(&loop, &nginx, &before, 1, end_any, NULL);
	loop_run(&loop);
	scratch_write(ended_one, "c");
	scratch_write(of_nobody, "d");
	for (size_t i = 0; i < 2; i++) {
		(void)publish_start(&loop,
		    &(struct publish_round){.nginx = &nginx,
			.staple_dir = staple_dir,
			.items = rounds[i],
			.count = 3,
			.failed = &why,
			.thorough = true},
		    &lax, NULL);
		loop_run(&loop);
		assert_int_equal(last.reason, REASON_SERVER_CONFIG);
		assert_string_equal(last.text, "a slip");
		expect_file("staples/" FP_A ".der", "a");
		expect_file("staples/" FP_B ".der", i == 0 ? "b" : "b2");
		expect_file("staples/" FP_C ".der", i == 0 ? NULL : "c");
		expect_file("staples/" FP_D ".der", "d");
	}
	free(ended_one);
	free(of_nobody);
	free(snippet_dir);
	free(staple_dir);
}

/* clang-format off */
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
/* clang-format on */

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_written_and_withdrawn),
	    TEST(test_strangers_are_left_alone),
	    TEST(test_torn_ones_go),
	    TEST(test_one_cannot_be_written),
	    TEST(test_one_cannot_be_withdrawn),
	    TEST(test_no_folder),
	    TEST(test_cancel),
	    TEST(test_thorough),
	    TEST(test_hurry),
	    TEST(test_loop_goes_on),
	    TEST(test_unreadable_certificate),
	    TEST(test_snippets_without_a_server),
	    TEST(test_places),
	    TEST(test_nginx_refuses),
	    TEST(test_nginx_cannot_be_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
