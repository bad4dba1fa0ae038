/* SPDX-License-Identifier: ISC */
/* test_keeper_serve.c -- keep/keeper_serve: when nginx is reloaded for a staple
 * that ends, by a keeper that is whole and an nginx that is a script. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "keep/keeper_priv.h"
#include "keep/publish.h"
#include "keeper_fixture.h"
#include "servers/nginx.h"
#include "servers/nginx_snippet.h"

/* Leaves: the first one's staple ends in a moment, the second one's does not. */
enum { SHORT, LONG, SITES };

static const char busy[] = "HTTP/1.1 503 Service Unavailable\r\n"
			   "Content-Length: 0\r\n\r\n";

static char *command, *reloads, *gate, *snippets[SITES];
static size_t reloads_before;

/* --- nginx --- */

/* `nginx -t` waits at the gate, a FIFO, while there is one; and refuses once what
 * a snippet that is named in the file "refuse" says when it names no staple. */
static void
write_nginx(void)
{
	static const char *const files[] = {"reloads", "gate"};
	char **const made[] = {&reloads, &gate};
	char *text;

	for (size_t i = 0; i < 2; i++)
		*made[i] = scratch_path(&scratch, files[i]);
	command = scratch_path(&scratch, "nginx");
	text = mem_printf("#!/bin/sh\n"
			  "case $1 in\n"
			  "-T) cat %s/dump ;;\n"
			  "-t) [ ! -p %s ] || cat %s\n"
			  "  [ -e %s/refuse ] || exit 0\n"
			  "  read -r snippet <%s/refuse\n"
			  "  grep -q ssl_stapling_file $snippet && exit 0\n"
			  "  rm %s/refuse\n"
			  "  exit 1 ;;\n"
			  "-s) echo reloaded >>%s ;;\n"
			  "esac\n",
	    scratch.dir, gate, gate, scratch.dir, scratch.dir, scratch.dir,
	    reloads);
	scratch_write(command, text);
	assert_int_equal(chmod(command, 0755), 0);
	scratch_write(reloads, "");
	free(text);
}

/* What it says of itself: a server block for each leaf, with our snippet, that
 * listens at nothing that could be asked. */
static void
write_dump(void)
{
	char *folder = keeper_snippet_dir(state_dir);
	const struct nginx nginx = {.snippet_dir = folder};
	char *path = scratch_path(&scratch, "dump");
	struct buf dump;

	buf_init(&dump, 1 << 16);
	buf_printf(&dump, "# configuration file %s/nginx.conf:\nhttp {\n",
	    scratch.dir);
	for (size_t i = 0; i < SITES; i++) {
		snippets[i] = nginx_snippet_path(&nginx, paths[i]);
		buf_printf(&dump,
		    "server {\nlisten unix:%s/%zu ssl;\nssl_certificate %s;\n"
		    "ssl_certificate_key %s;\ninclude %s;\n}\n",
		    scratch.dir, i, paths[i], paths[i], snippets[i]);
	}
	buf_puts(&dump, "}\n");
	scratch_write(path, buf_text(&dump));
	buf_done(&dump);
	free(path);
	free(folder);
}

static size_t
count_reloads(void)
{
	struct stat st;

	assert_int_equal(stat(reloads, &st), 0);
	return (size_t)st.st_size;
}

static bool
is_reloaded(void)
{
	return count_reloads() > reloads_before;
}

static bool
names_staple(size_t site)
{
	char *name = NULL;
	bool names =
	    nginx_snippet_staple(snippets[site], &name) == 0 && name != NULL;

	free(name);
	return names;
}

static bool
both_are_in_service(void)
{
	return names_staple(SHORT) && names_staple(LONG) && first_is_there() &&
	       second_is_there() && count_reloads() > 0;
}

static bool
both_are_held(void)
{
	return !names_staple(SHORT) && !names_staple(LONG);
}

/* The gate is open when somebody stands before it. */
static int gate_fd;

static bool
is_testing(void)
{
	gate_fd = open(gate, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	return gate_fd != -1;
}

static int64_t end_s; /* of the short staple's service */

static bool
has_ended(void)
{
	return clock_wall_s() > end_s + 1;
}

/* --- the certificates --- */

static void
renew(size_t i, const char *feature)
{
	char *aia = mem_printf("OCSP;URI:http://127.0.0.1:%d/", responder.port);
	struct pki_spec spec = {.cn = "renewed",
	    .issuer = &issuer,
	    .from = clock_wall_s() - CLOCK_DAY,
	    .until = clock_wall_s() + CLOCK_DAY,
	    .ext = {{"authorityInfoAccess", aia}}};

	if (feature != NULL)
		spec.ext[1] = (struct pki_ext){"tlsfeature", feature};
	pki_party_done(&leaves[i]);
	leaves[i] = pki_party(&spec);
	write_certificate(i, paths[i]);
	free(aia);
}

/* A configuration that does not name the server any more. */
static int
drop_nginx(void *cookie, struct keeper_options *fresh, struct err *err)
{
	(void)cookie;
	(void)err;
	fresh->use_nginx = false;
	scratch_write(gate, "taken");
	return 0;
}

/* A keeper whose nginx serves both staples, and whose responder fails from now
 * on. */
static pid_t
begin_with_both(void)
{
	struct keeper_options options = options_for(SITES, true);
	pid_t child;

	make_leaves(SITES);
	write_nginx();
	write_dump();
	options.specs = &specs[LONG];
	options.spec_count = 1;
	sign(SITES, CERT_GOOD, 60, CLOCK_DAY);
	assert_int_equal(await_exit(begin(&options)), KEEPER_GOOD);
	options = options_for(SITES, false);
	options.use_nginx = true;
	options.nginx_command = command;
	options.reload = drop_nginx;
	sign(SHORT + 1, CERT_GOOD, 60, 80);
	end_s = clock_wall_s() + 20 - 8;
	child = begin(&options);
	await(both_are_in_service, "both staples in service");
	responder.reply = busy;
	responder.reply_len = sizeof(busy) - 1;
	reloads_before = count_reloads();
	return child;
}

static void
end_all(pid_t child)
{
	assert_int_equal(stop(child), KEEPER_GOOD);
	for (size_t i = 0; i < SITES; i++)
		free(snippets[i]);
	free(command);
	free(reloads);
	free(gate);
}

/* --- tests --- */

/* I3: two renewed certificates wait for their first staples.  When the old
 * staple of one has ended nginx is reloaded, though the other could go on. */
static void
test_ends_while_another_waits(void **state)
{
	pid_t child = begin_with_both();

	(void)state;
	renew(SHORT, NULL);
	renew(LONG, NULL);
	await(both_are_held, "the emptied snippets");
	assert_false(is_reloaded());
	await(is_reloaded, "I3: the reload at the end of the old staple");
	assert_true(clock_wall_s() >= end_s - 1);
	end_all(child);
}

/* I3: a staple ends while a round is under way.  The next one does not wait for
 * a must-staple certificate's first staple. */
static void
test_ends_during_a_round(void **state)
{
	pid_t child = begin_with_both();

	(void)state;
	assert_int_equal(mkfifo(gate, 0600), 0);
	renew(LONG, "status_request");
	await(is_testing, "a round for the renewed certificate");
	await(has_ended, "the end of the other one's staple");
	assert_int_equal(unlink(gate), 0);
	close(gate_fd);
	await(is_reloaded, "I3: the reload after the round");
	assert_false(names_staple(SHORT));
	end_all(child);
}

static bool
long_is_held(void)
{
	return !names_staple(LONG);
}

/* I3: a withdrawal that nginx has refused is one still when it is tried again,
 * though a must-staple certificate waits for its first staple. */
static void
test_withdrawal_fails_once(void **state)
{
	pid_t child = begin_with_both();
	char *refuse = scratch_path(&scratch, "refuse");
	char *line = mem_printf("%s\n", snippets[SHORT]);

	(void)state;
	scratch_write(refuse, line);
	renew(LONG, "status_request");
	await(long_is_held, "the emptied snippet");
	await(is_reloaded, "I3: the reload after the one that failed");
	assert_false(scratch_exists(refuse));
	assert_false(names_staple(SHORT));
	end_all(child);
	free(refuse);
	free(line);
}

static bool
is_taken(void)
{
	return scratch_exists(gate);
}

/* I4: an nginx that a reload takes out of the configuration is not asked, not
 * written to and not reloaded any more; certificates are kept all the same. */
static void
test_reload_without_nginx(void **state)
{
	pid_t child = begin_with_both();
	char *asked = scratch_path(&scratch, "asked");
	char *text = mem_printf("#!/bin/sh\necho $1 >>%s\n", asked);

	(void)state;
	assert_int_equal(kill(child, SIGHUP), 0);
	await(is_taken, "the new configuration");
	scratch_write(command, text);
	/* the second round begins when the first one is over */
	for (size_t i = SITES; i-- > 0;) {
		renew(i, NULL);
		free(staples[i]);
		staples[i] = mem_printf("%s/staples/%s.der", state_dir,
		    leaves[i].cert->fingerprint);
		sign(SITES, CERT_GOOD, 60, CLOCK_DAY);
		await(i == LONG ? second_is_there : first_is_there,
		    "the staple of a renewed certificate");
	}
	assert_false(scratch_exists(asked));
	assert_false(is_reloaded());
	assert_true(names_staple(LONG));
	end_all(child);
	free(asked);
	free(text);
}

/* I8: an nginx that cannot read its own configuration stops the care of no
 * certificate that others serve. */
static void
test_nginx_that_fails(void **state)
{
	struct keeper_options options = options_for(1, false);
	pid_t child;

	(void)state;
	make_leaves(1);
	sign(1, CERT_GOOD, 60, CLOCK_DAY);
	options.use_nginx = true;
	options.nginx_command = "/bin/false";
	child = begin(&options);
	await(first_is_there, "the staple");
	assert_int_equal(stop(child), KEEPER_GOOD);
}

/* How long KEEPER's loop would sleep. */
static int64_t
sleep_ms(struct keeper *keeper)
{
	(void)uv_run(&keeper->loop, UV_RUN_NOWAIT); /* what is closed goes */
	return uv_backend_timeout(&keeper->loop);
}

/* I3, I5, I8: what cannot be published is tried again after longer and longer
 * pauses; what is news, or is to be withdrawn, does not wait as long for it. */
static void
test_news_after_a_failure(void **state)
{
	const struct keeper_options options = options_for(0, false);
	struct keeper keeper = {
	    .options = &options, .retry_ms = KEEPER_RETRY_MAX_MS};
	char *in_the_way;
	int64_t first_ms;

	(void)state;
	(void)uv_loop_init(&keeper.loop);
	keeper.staple_dir = keeper_staple_dir(state_dir);
	in_the_way = mem_printf("%s/%064d.der", keeper.staple_dir, 0);
	assert_int_equal(file_make_dir(in_the_way, 0755, NULL), 0);
	keeper_proofs_begin(&keeper);
	keeper_mark_dirty(&keeper);
	while (!keeper.publish_failed)
		(void)uv_run(&keeper.loop, UV_RUN_ONCE);
	assert_true(sleep_ms(&keeper) > KEEPER_RETRY_MAX_MS / 2);
	keeper_mark_dirty(&keeper);
	first_ms = sleep_ms(&keeper);
	assert_true(first_ms <= KEEPER_RETRY_NEWS_MS);
	/* and more of it puts nothing off */
	assert_int_equal(usleep(50000), 0);
	keeper_mark_dirty(&keeper);
	keeper_mark_urgent(&keeper);
	assert_true(sleep_ms(&keeper) < first_ms);
	loop_timer_cancel(&keeper.publish_timer);
	proofs_free(keeper.proofs);
	loop_end(&keeper.loop);
	free(keeper.staple_dir);
	free(in_the_way);
}

static void
round_is_over(void *cookie, bool reloaded, const struct err *err)
{
	bool *over = cookie;

	assert_false(reloaded);
	assert_int_equal(err->reason, REASON_NONE);
	*over = true;
}

/* I2, I3: what is withdrawn while a round writes the files of many does not wait
 * until they are written; the next round writes the rest. */
static void
test_withdrawal_cuts_a_round_short(void **state)
{
	enum { FILES = 20000 };
	static const struct publish_callbacks callbacks = {
	    .end = round_is_over};
	static char names[FILES][65];
	static struct publish_item items[FILES];
	struct keeper keeper = {0};
	bool over = false;

	(void)state;
	for (size_t i = 0; i < FILES; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "%064zx", i);
		items[i] = (struct publish_item){.name = "a name",
		    .fingerprint = names[i],
		    .staple = {(const uint8_t *)names[i], 64}};
	}
	keeper.publish = publish_start(&loop,
	    &(struct publish_round){
		.staple_dir = scratch.dir, .items = items, .count = FILES},
	    &callbacks, &over);
	keeper_mark_urgent(&keeper);
	while (!over)
		serve_ms(LOOK_MS);
	assert_true(scratch_count(scratch.dir) < FILES);
	assert_true(keeper.dirty && keeper.cut_short);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_ends_while_another_waits),
	    TEST(test_ends_during_a_round),
	    TEST(test_withdrawal_cuts_a_round_short),
	    TEST(test_withdrawal_fails_once),
	    TEST(test_reload_without_nginx),
	    TEST(test_nginx_that_fails),
	    TEST(test_news_after_a_failure),
	};

	return cmocka_run_group_tests(tests, make_pki, free_pki);
}
