/* SPDX-License-Identifier: ISC */
/* Publishing to a real nginx, where one is installed. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "nginx_real.h"

/* nginx wants an OCSP response, whichever: these are tryLater, internalError
 * and malformedRequest. */
static const uint8_t later[] = {0x30, 0x03, 0x0a, 0x01, 0x03};
static const uint8_t internal[] = {0x30, 0x03, 0x0a, 0x01, 0x02};
static const uint8_t malformed[] = {0x30, 0x03, 0x0a, 0x01, 0x01};

static const struct span first = {later, sizeof(later)};
static const struct span second = {internal, sizeof(internal)};
static const struct span third = {malformed, sizeof(malformed)};
static const struct span none = {NULL, 0};

#define FP_A "aa00000000000000000000000000000000000000000000000000000000000001"
#define FP_C "cc00000000000000000000000000000000000000000000000000000000000003"
#define FP_B "bb00000000000000000000000000000000000000000000000000000000000002"

struct fixture {
	struct real real;
	char *certificate; /* path */
	char *snippet;     /* its path */
};

struct outcome {
	int calls;
	bool reloaded;
	struct err err;
};

static void
note(void *cookie, bool reloaded, const struct err *err)
{
	struct outcome *outcome = cookie;

	outcome->calls++;
	outcome->reloaded = reloaded;
	outcome->err = *err;
}

static struct outcome
publish(struct fixture *f, const char *fingerprint, struct span staple)
{
	struct nginx_change change = {.certificate = f->certificate,
	    .fingerprint = fingerprint,
	    .staple = staple};
	struct outcome outcome = {0};

	(void)nginx_publish_start(
	    &f->real.loop, &f->real.nginx, &change, 1, note, &outcome);
	assert_int_equal(outcome.calls, 0);
	loop_run(&f->real.loop);
	assert_int_equal(outcome.calls, 1);
	return outcome;
}

static void
assert_published(struct fixture *f, const char *fingerprint, struct span staple)
{
	struct outcome outcome = publish(f, fingerprint, staple);

	assert_string_equal(outcome.err.text, "");
	assert_true(outcome.reloaded);
	real_await_staple(&f->real, staple);
	assert_false(real_exists(&f->real, "state/nginx/.reload-pending"));
}

/* A server for a.pem that has our snippet, as `install` would make it. */
static int
set_up(void **state)
{
	struct fixture *f = mem_new(sizeof(*f));
	char *http;
	struct err err = {0};

	*state = f;
	real_init(&f->real);
	f->certificate = real_path(&f->real, "a.pem");
	f->snippet = nginx_snippet_path(&f->real.nginx, f->certificate);
	(void)file_make_dir(f->real.snippets, 0755, &err);
	(void)file_replace(f->snippet, "# empty\n", 8, 0644, &err);
	assert_string_equal(err.text, "");
	http = mem_printf("\tserver {\n\t\tlisten 127.0.0.1:@ ssl;\n"
			  "\t\tssl_certificate a.pem;\n"
			  "\t\tssl_certificate_key a.key;\n"
			  "\t\tinclude %s;\n\t}\n",
	    f->snippet);
	real_configure(&f->real, http);
	free(http);
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	real_done(&f->real);
	free(f->certificate);
	free(f->snippet);
	free(f);
	return 0;
}

static void
need_nginx(struct fixture *f)
{
	if (f->real.binary != NULL)
		return;
	print_message("SKIP: no nginx is installed\n");
	skip();
}

static void
assert_mode(struct fixture *f, const char *name, mode_t mode)
{
	char *path = real_path(&f->real, name);
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, mode);
	free(path);
}

static void
serves_renews_and_withdraws(void **state)
{
	struct fixture *f = *state;
	struct outcome outcome;
	char *text;

	need_nginx(f);
	real_start(&f->real);
	real_await_staple(&f->real, none);
	assert_published(f, FP_A, first);
	assert_mode(f, "state/staples", 0755);
	assert_mode(f, "state/staples/" FP_A ".der", 0644);
	text = real_read(&f->real, f->snippet);
	assert_non_null(strstr(text, "# Written by oclasp"));
	assert_non_null(strstr(text, "ssl_stapling on;\nssl_stapling_file "));
	free(text);

	/* The same again: nothing runs, so a command that fails is no matter. */
	f->real.nginx.command = "/bin/false";
	outcome = publish(f, FP_A, first);
	f->real.nginx.command = f->real.command;
	assert_string_equal(outcome.err.text, "");
	assert_false(outcome.reloaded);

	assert_published(f, FP_A, second);
	assert_published(f, FP_B, third);
	assert_false(real_exists(&f->real, "state/staples/" FP_A ".der"));
	assert_published(f, FP_B, none);
	assert_false(real_exists(&f->real, "state/staples/" FP_B ".der"));
	text = real_read(&f->real, f->snippet);
	assert_non_null(strstr(text, "# no usable staple now\n"));
	free(text);
}

static void
puts_back_what_nginx_refuses(void **state)
{
	static const uint8_t rubbish[] = "rubbish";
	struct fixture *f = *state;
	struct outcome outcome;
	char *before, *after;

	need_nginx(f);
	real_start(&f->real);
	assert_published(f, FP_A, first);
	before = real_read(&f->real, f->snippet);
	outcome = publish(f, FP_B, (struct span){rubbish, sizeof(rubbish) - 1});
	assert_int_equal(outcome.err.reason, REASON_SERVER_CONFIG);
	assert_false(outcome.reloaded);
	assert_non_null(strstr(outcome.err.text, "[emerg]"));
	assert_non_null(
	    strstr(outcome.err.text, "the staples have been put back"));
	after = real_read(&f->real, f->snippet);
	assert_string_equal(before, after);
	assert_true(real_exists(&f->real, "state/staples/" FP_A ".der"));
	assert_false(real_exists(&f->real, "state/staples/" FP_B ".der"));
	assert_false(real_exists(&f->real, "state/nginx/.reload-pending"));
	assert_int_equal(real_run(&f->real, "-t"), 0);
	free(before);
	free(after);
}

/* An earlier publish has changed the files and was killed before the reload;
 * nginx serves the old staple. */
static void
reloads_after_an_interruption(void **state)
{
	struct fixture *f = *state;
	struct outcome outcome;

	need_nginx(f);
	real_start(&f->real);
	assert_published(f, FP_A, first);
	real_write(&f->real, "state/staples/" FP_B ".der", "litter");
	real_write(&f->real, "state/nginx/.reload-pending",
	    FP_B ".der\n" FP_A ".der\n../../a.pem\n");
	outcome = publish(f, FP_A, first);
	assert_string_equal(outcome.err.text, "");
	assert_true(outcome.reloaded);
	/* What no snippet names is removed, what one names is not, and nothing
	 * that is no staple file. */
	assert_false(real_exists(&f->real, "state/staples/" FP_B ".der"));
	assert_true(real_exists(&f->real, "state/staples/" FP_A ".der"));
	assert_true(real_exists(&f->real, "a.pem"));
	assert_false(real_exists(&f->real, "state/nginx/.reload-pending"));
}

static void
leaves_files_to_the_next_start(void **state)
{
	struct fixture *f = *state;
	struct outcome outcome;

	need_nginx(f);
	outcome = publish(f, FP_A, first);
	assert_int_equal(outcome.err.reason, REASON_SERVER_RELOAD);
	assert_non_null(strstr(outcome.err.text, "its next start reads them"));
	assert_false(outcome.reloaded);
	assert_true(real_exists(&f->real, "state/nginx/.reload-pending"));
	real_start(&f->real);
	real_await_staple(&f->real, first);
	outcome = publish(f, FP_A, first);
	assert_true(outcome.reloaded);
}

/* Two certificate paths with the same certificate share one staple file. */
static void
keeps_what_another_snippet_names(void **state)
{
	struct fixture *f = *state;
	char *other = real_path(&f->real, "b.pem");
	struct nginx_change changes[2] = {
	    {f->certificate, FP_A, first, false, false},
	    {other, FP_A, first, false, false}};
	struct outcome outcome = {0};

	need_nginx(f);
	real_start(&f->real);
	(void)nginx_publish_start(
	    &f->real.loop, &f->real.nginx, changes, 2, note, &outcome);
	loop_run(&f->real.loop);
	assert_true(outcome.reloaded);
	changes[0].fingerprint = FP_B;
	changes[0].staple = second;
	(void)nginx_publish_start(
	    &f->real.loop, &f->real.nginx, changes, 2, note, &outcome);
	loop_run(&f->real.loop);
	assert_int_equal(outcome.calls, 2);
	assert_string_equal(outcome.err.text, "");
	assert_true(real_exists(&f->real, "state/staples/" FP_A ".der"));
	assert_true(real_exists(&f->real, "state/staples/" FP_B ".der"));
	free(other);
}

/* I7: also the snippet of "/.lego/..." names the staple file that nginx needs to
 * start. */
static void
sees_a_path_with_a_dot_in_front(void **state)
{
	struct fixture *f = *state;
	struct nginx_change changes[2] = {
	    {f->certificate, FP_A, first, false, false},
	    {"/.lego/certificates/b.crt", FP_B, second, false, false}};
	struct outcome outcome = {0};

	need_nginx(f);
	real_start(&f->real);
	(void)nginx_publish_start(
	    &f->real.loop, &f->real.nginx, changes, 2, note, &outcome);
	loop_run(&f->real.loop);
	assert_string_equal(outcome.err.text, "");
	assert_true(outcome.reloaded);
	assert_true(real_exists(&f->real, "state/staples/" FP_B ".der"));
	/* and it is emptied when nobody wants it (I3) */
	outcome = publish(f, FP_A, first);
	assert_string_equal(outcome.err.text, "");
	assert_true(outcome.reloaded);
	assert_false(real_exists(&f->real, "state/staples/" FP_B ".der"));
	assert_null(nginx_staple_named(&f->real.nginx, changes[1].certificate));
}

/* I3: a server block that went away leaves no snippet behind that would serve
 * its staple for ever, or keep nginx from starting, when it comes back. */
static void
empties_what_nobody_wants(void **state)
{
	struct fixture *f = *state;
	char *other = real_path(&f->real, "b.pem");
	char *snippet = nginx_snippet_path(&f->real.nginx, other);
	struct nginx_change changes[2] = {
	    {f->certificate, FP_A, first, false, false},
	    {other, FP_B, second, false, false}};
	struct outcome outcome = {0};
	char *text;

	need_nginx(f);
	real_start(&f->real);
	(void)nginx_publish_start(
	    &f->real.loop, &f->real.nginx, changes, 2, note, &outcome);
	loop_run(&f->real.loop);
	assert_true(real_exists(&f->real, "state/staples/" FP_B ".der"));
	outcome = publish(f, FP_A, first);
	assert_string_equal(outcome.err.text, "");
	text = real_read(&f->real, snippet);
	assert_non_null(strstr(text, "no usable staple"));
	assert_false(real_exists(&f->real, "state/staples/" FP_B ".der"));
	assert_true(real_exists(&f->real, "state/staples/" FP_A ".der"));
	free(text);
	free(snippet);
	free(other);
}

/* I7: without its staple file nginx tests nothing any more, nor tells what it has
 * read: so that a publish comes as far as its files, the snippet is emptied. */
static void
mends_what_names_nothing(void **state)
{
	/* nothing, a file of nothing, a part of it, something else */
	static const char *const left[] = {NULL, "", "\x30\x03\x0a", "rubbish"};
	struct fixture *f = *state;
	char *staple = real_path(&f->real, "state/staples/" FP_A ".der");
	struct err err = {0};
	size_t count = 7;

	need_nginx(f);
	real_start(&f->real);
	assert_published(f, FP_A, first);
	assert_int_equal(nginx_mend(&f->real.nginx, &count, &err), 0);
	assert_int_equal(count, 0);
	assert_false(real_exists(&f->real, "state/nginx/.reload-pending"));
	for (size_t i = 0; i < sizeof(left) / sizeof(left[0]); i++) {
		assert_int_equal(unlink(staple), 0);
		if (left[i] != NULL)
			real_write(
			    &f->real, "state/staples/" FP_A ".der", left[i]);
		assert_int_not_equal(real_run(&f->real, "-t"), 0);
		assert_int_equal(nginx_mend(&f->real.nginx, &count, &err), 0);
		assert_int_equal(count, 1);
		assert_int_equal(real_run(&f->real, "-t"), 0);
		/* nginx is told to reload, whatever comes: it has it in
		 * memory still */
		assert_published(f, FP_A, none);
		assert_published(f, FP_A, first);
	}
	free(staple);
}

static struct outcome
publish_that_waits(struct fixture *f, bool may_wait)
{
	struct nginx_change change = {.certificate = f->certificate,
	    .fingerprint = FP_B,
	    .may_wait = may_wait};
	struct outcome outcome = {0};

	(void)nginx_publish_start(
	    &f->real.loop, &f->real.nginx, &change, 1, note, &outcome);
	loop_run(&f->real.loop);
	assert_int_equal(outcome.calls, 1);
	return outcome;
}

/* D2: a renewed certificate without a staple yet.  nginx goes on with the old
 * pair; who reloads it meanwhile gets no wrong staple. */
static void
holds_what_may_wait(void **state)
{
	struct fixture *f = *state;
	struct outcome outcome;
	char *text;

	need_nginx(f);
	real_start(&f->real);
	assert_published(f, FP_A, first);
	outcome = publish_that_waits(f, true);
	assert_string_equal(outcome.err.text, "");
	assert_false(outcome.reloaded);
	real_await_staple(&f->real, first);
	assert_true(real_exists(&f->real, "state/nginx/.reload-pending"));
	text = real_read(&f->real, f->snippet);
	assert_non_null(strstr(text, "# no usable staple now\n"));
	free(text);

	/* The same again: nothing runs. */
	f->real.nginx.command = "/bin/false";
	outcome = publish_that_waits(f, true);
	f->real.nginx.command = f->real.command;
	assert_string_equal(outcome.err.text, "");
	assert_false(outcome.reloaded);

	assert_int_equal(real_run(&f->real, "-t"), 0);
	/* what it waited for */
	assert_published(f, FP_B, third);
	assert_false(real_exists(&f->real, "state/staples/" FP_A ".der"));
}

static void
holds_no_longer_than_it_may(void **state)
{
	struct fixture *f = *state;
	struct outcome outcome;

	need_nginx(f);
	real_start(&f->real);
	assert_published(f, FP_A, first);
	outcome = publish_that_waits(f, true);
	assert_false(outcome.reloaded);
	outcome = publish_that_waits(f, false);
	assert_string_equal(outcome.err.text, "");
	assert_true(outcome.reloaded);
	real_await_staple(&f->real, none);
	assert_false(real_exists(&f->real, "state/nginx/.reload-pending"));
	assert_false(real_exists(&f->real, "state/staples/" FP_A ".der"));
}

/* I3: one of two that were held back may wait no longer.  Its files are as they
 * shall be since then, and nginx has not read them. */
static void
holds_each_no_longer_than_it_may(void **state)
{
	struct fixture *f = *state;
	char *other = real_path(&f->real, "b.pem");
	struct nginx_change changes[2] = {{.certificate = f->certificate,
					      .fingerprint = FP_B,
					      .may_wait = true,
					      .unread = true},
	    {.certificate = other,
		.fingerprint = FP_C,
		.may_wait = true,
		.unread = true}};
	struct outcome outcome = {0};

	need_nginx(f);
	real_start(&f->real);
	assert_published(f, FP_A, first);
	for (int round = 0; round < 3; round++) {
		changes[0].may_wait = round < 2;
		(void)nginx_publish_start(
		    &f->real.loop, &f->real.nginx, changes, 2, note, &outcome);
		loop_run(&f->real.loop);
		assert_string_equal(outcome.err.text, "");
		assert_int_equal(outcome.reloaded, round == 2);
	}
	real_await_staple(&f->real, none);
	free(other);
}

/* I5: what waits holds up nothing else. */
static void
holds_up_nothing_else(void **state)
{
	struct fixture *f = *state;
	char *other = real_path(&f->real, "b.pem");
	struct nginx_change changes[2] = {{.certificate = f->certificate,
					      .fingerprint = FP_B,
					      .may_wait = true},
	    {.certificate = other, .fingerprint = FP_A, .staple = second}};
	struct outcome outcome = {0};

	need_nginx(f);
	real_start(&f->real);
	assert_published(f, FP_A, first);
	outcome = publish_that_waits(f, true);
	assert_false(outcome.reloaded);
	(void)nginx_publish_start(
	    &f->real.loop, &f->real.nginx, changes, 2, note, &outcome);
	loop_run(&f->real.loop);
	assert_string_equal(outcome.err.text, "");
	assert_true(outcome.reloaded);
	real_await_staple(&f->real, none);
	free(other);
}

/* D2, a deploy gate: the files are there before somebody else reloads. */
static void
prepares_for_a_reload(void **state)
{
	struct fixture *f = *state;
	char *other = real_path(&f->real, "b.pem");
	char *snippet = nginx_snippet_path(&f->real.nginx, other);
	struct nginx_change changes[2] = {
	    {f->certificate, FP_A, first, false, false},
	    {other, FP_B, second, false, false}};
	struct outcome outcome = {0};
	char *before, *after;

	need_nginx(f);
	real_start(&f->real);
	(void)nginx_publish_start(
	    &f->real.loop, &f->real.nginx, changes, 2, note, &outcome);
	loop_run(&f->real.loop);
	real_await_staple(&f->real, first);
	before = real_read(&f->real, snippet);
	changes[0] =
	    (struct nginx_change){f->certificate, FP_C, third, false, false};
	(void)nginx_prepare_start(
	    &f->real.loop, &f->real.nginx, changes, 1, note, &outcome);
	loop_run(&f->real.loop);
	assert_int_equal(outcome.calls, 2);
	assert_string_equal(outcome.err.text, "");
	assert_false(outcome.reloaded);
	real_await_staple(&f->real, first);
	after = real_read(&f->real, snippet);
	assert_string_equal(before, after);
	real_reload(&f->real);
	real_await_staple(&f->real, third);
	/* the next publish owes nginx a reload, and tidies up */
	(void)nginx_publish_start(
	    &f->real.loop, &f->real.nginx, changes, 2, note, &outcome);
	loop_run(&f->real.loop);
	assert_true(outcome.reloaded);
	assert_false(real_exists(&f->real, "state/staples/" FP_A ".der"));
	assert_false(real_exists(&f->real, "state/nginx/.reload-pending"));
	free(before);
	free(after);
	free(snippet);
	free(other);
}

static void
prepares_nothing_that_nginx_refuses(void **state)
{
	static const uint8_t rubbish[] = "rubbish";
	struct fixture *f = *state;
	struct nginx_change change = {
	    f->certificate, FP_B, {rubbish, sizeof(rubbish) - 1}, false, false};
	struct outcome outcome = {0};
	char *before, *after;

	need_nginx(f);
	real_start(&f->real);
	assert_published(f, FP_A, first);
	before = real_read(&f->real, f->snippet);
	(void)nginx_prepare_start(
	    &f->real.loop, &f->real.nginx, &change, 1, note, &outcome);
	loop_run(&f->real.loop);
	assert_int_equal(outcome.err.reason, REASON_SERVER_CONFIG);
	after = real_read(&f->real, f->snippet);
	assert_string_equal(before, after);
	assert_false(real_exists(&f->real, "state/nginx/.reload-pending"));
	free(before);
	free(after);
}

/* I7, a full disk: nothing is half written, nothing runs. */
static void
survives_a_full_disk(void **state)
{
	struct fixture *f = *state;
	struct rlimit before, tiny;
	struct outcome outcome;
	char *text;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	tiny = before;
	tiny.rlim_cur = 100; /* marker and staple fit, a snippet not */
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &tiny), 0);
	outcome = publish(f, FP_A, first);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(outcome.err.reason, REASON_FILE);
	assert_non_null(strstr(outcome.err.text, f->snippet));
	text = real_read(&f->real, f->snippet);
	assert_string_equal(text, "# empty\n");
	free(text);
	assert_false(real_exists(&f->real, "state/staples/" FP_A ".der"));
	assert_false(real_exists(&f->real, "state/nginx/.reload-pending"));
}

static void
puts_back_when_cancelled(void **state)
{
	struct fixture *f = *state;
	struct nginx_change change = {
	    f->certificate, FP_A, first, false, false};
	struct outcome outcome = {0};
	struct nginx_publish *p;
	char *text;

	p = nginx_publish_start(
	    &f->real.loop, &f->real.nginx, &change, 1, note, &outcome);
	nginx_publish_cancel(&p);
	assert_null(p);
	loop_run(&f->real.loop);
	assert_int_equal(outcome.calls, 0);
	text = real_read(&f->real, f->snippet);
	assert_string_equal(text, "# empty\n");
	free(text);
}

/* The steps of which the files' state is made: this program's own calls stand
 * before those of libc, and the one that `steps_left` counts down to is never
 * made. */
static int steps_left;

static void
step(void)
{
	if (steps_left > 0 && --steps_left == 0)
		(void)kill(getpid(), SIGKILL);
}

int
rename(const char *old, const char *new)
{
	step();
	return (int)syscall(SYS_renameat, AT_FDCWD, old, AT_FDCWD, new);
}

int
unlink(const char *path)
{
	step();
	return (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}

int
fsync(int fd)
{
	step();
	return (int)syscall(SYS_fsync, fd);
}

/* Kill a publish before its STEPth step; false if it had fewer. */
static bool
killed_at(
    struct fixture *f, int at, const char *fingerprint, struct span staple)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		struct outcome outcome = {0};
		struct nginx_change change = {
		    f->certificate, fingerprint, staple, false, false};
		uv_loop_t loop; /* one of its own: the parent's is shared */

		steps_left = at;
		(void)uv_loop_init(&loop);
		(void)nginx_publish_start(
		    &loop, &f->real.nginx, &change, 1, note, &outcome);
		loop_run(&loop);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status);
}

/* Back to the first staple, whether or not anything had changed. */
static void
assert_repaired(struct fixture *f)
{
	struct outcome outcome = publish(f, FP_A, first);

	assert_string_equal(outcome.err.text, "");
	real_await_staple(&f->real, first);
	assert_false(real_exists(&f->real, "state/nginx/.reload-pending"));
}

/* I7, kill -9: wherever it strikes, nginx accepts what is on disk, and the
 * next publish brings it in order. */
static void
survives_being_killed(void **state)
{
	static const struct {
		const char *name, *fingerprint;
		struct span staple;
		int at_least;
	} turns[] = {
	    {"a newer staple", FP_A, {internal, sizeof(internal)}, 4},
	    {"a renewed certificate", FP_B, {malformed, sizeof(malformed)}, 8},
	    {"a withdrawal", FP_A, {NULL, 0}, 6},
	};
	struct fixture *f = *state;

	need_nginx(f);
	real_start(&f->real);
	for (size_t i = 0; i < sizeof(turns) / sizeof(turns[0]); i++) {
		int at = 1;

		assert_repaired(f);
		while (
		    killed_at(f, at, turns[i].fingerprint, turns[i].staple)) {
			assert_int_equal(real_run(&f->real, "-t"), 0);
			assert_repaired(f);
			assert_false(real_exists(
			    &f->real, "state/staples/" FP_B ".der"));
			at++;
		}
		print_message("  %s: killed at each of %d steps\n",
		    turns[i].name, at - 1);
		assert_true(at > turns[i].at_least);
		real_await_staple(&f->real, turns[i].staple);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		serves_renews_and_withdraws, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		puts_back_what_nginx_refuses, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		reloads_after_an_interruption, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		leaves_files_to_the_next_start, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		keeps_what_another_snippet_names, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		mends_what_names_nothing, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		sees_a_path_with_a_dot_in_front, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		empties_what_nobody_wants, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		holds_what_may_wait, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		holds_no_longer_than_it_may, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		holds_each_no_longer_than_it_may, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		holds_up_nothing_else, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		prepares_for_a_reload, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		prepares_nothing_that_nginx_refuses, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		survives_a_full_disk, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		puts_back_when_cancelled, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		survives_being_killed, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
