/* SPDX-License-Identifier: ISC */
/* keeper_fixture.h -- a keeper as a process of its own, whole, with files, store
 * and signals; its CA is made here, and its responder is a script of ours. */
#ifndef OCLASP_TESTS_KEEPER_FIXTURE_H
#define OCLASP_TESTS_KEEPER_FIXTURE_H

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "http_script.h"
#include "keep/keeper.h"
#include "pki_fixture.h"
#include "scratch.h"

enum {
	MANY = 30, /* more than there are places at one responder */
	WAIT_MS = 30000,
	LOOK_MS = 20,
};

static uv_loop_t loop;
static struct script responder;
static struct scratch scratch;
static struct pki_party issuer, leaves[MANY];
static char *paths[MANY], *staples[MANY], *state_dir;
static struct buf reply;
/* what is odd about the responses of sign(); set before it, zero is ordinary */
static struct pki_response odd;
static struct pki_single odd_single;
static struct target_spec specs[MANY];

/* --- the CA --- */

static inline int
make_pki(void **state)
{
	(void)state;
	log_set_level(LOG_ERROR);
	issuer = pki_party(&(struct pki_spec){.cn = "issuer",
	    .from = clock_wall_s() - CLOCK_DAY,
	    .until = clock_wall_s() + CLOCK_DAY,
	    .ext = {{"basicConstraints", "critical,CA:TRUE"}}});
	return 0;
}

static inline int
free_pki(void **state)
{
	(void)state;
	pki_party_done(&issuer);
	return 0;
}

static inline void
write_certificate(size_t i, const char *path)
{
	char *leaf = cert_pem(leaves[i].cert);
	char *ca = cert_pem(issuer.cert);
	char *both = mem_printf("%s%s", leaf, ca);

	scratch_write(path, both);
	free(leaf);
	free(ca);
	free(both);
}

/* COUNT leaves that name our responder, in files. */
static inline void
make_leaves(size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char *cn = mem_printf("leaf%zu", i);
		char *aia =
		    mem_printf("OCSP;URI:http://127.0.0.1:%d/", responder.port);
		char *name = mem_printf("leaf%zu.pem", i);

		leaves[i] = pki_party(&(struct pki_spec){.cn = cn,
		    .issuer = &issuer,
		    .from = clock_wall_s() - CLOCK_DAY,
		    .until = clock_wall_s() + CLOCK_DAY,
		    .ext = {{"authorityInfoAccess", aia}}});
		paths[i] = scratch_path(&scratch, name);
		staples[i] = mem_printf("%s/staples/%s.der", state_dir,
		    leaves[i].cert->fingerprint);
		specs[i] = (struct target_spec){.certificate = paths[i]};
		write_certificate(i, paths[i]);
		free(cn);
		free(aia);
		free(name);
	}
}

/* One response with an answer for each of COUNT leaves (C3), in force from
 * THIS_UPDATE on for LIFE seconds, as the whole HTTP answer. */
static inline void
sign_at(
    size_t count, enum cert_status status, int64_t this_update, int64_t life)
{
	struct pki_single singles[MANY] = {0};
	struct pki_response spec = odd;
	struct buf der;

	if (spec.signer == NULL)
		spec.signer = &issuer;
	spec.produced_at = this_update;
	spec.singles = singles;
	spec.single_count = count;
	for (size_t i = 0; i < count; i++) {
		singles[i] = odd_single;
		singles[i].leaf = leaves[i].cert;
		singles[i].issuer = issuer.cert;
		singles[i].status = status;
		singles[i].this_update = this_update;
		singles[i].next_update = this_update + life;
	}
	der = pki_response(&spec);
	buf_done(&reply);
	buf_init(&reply, 1 << 20);
	buf_printf(&reply,
	    "HTTP/1.1 200 OK\r\nContent-Type: application/ocsp-response\r\n"
	    "Content-Length: %zu\r\nConnection: close\r\n\r\n",
	    der.len);
	buf_add(&reply, der.text, der.len);
	buf_done(&der);
	responder.reply = reply.text;
	responder.reply_len = reply.len;
}

/* The same from AGE ago on. */
static inline void
sign(size_t count, enum cert_status status, int64_t age, int64_t life)
{
	sign_at(count, status, clock_wall_s() - age, life);
}

static inline int
set_up(void **state)
{
	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	scratch_make(&scratch);
	state_dir = scratch_path(&scratch, "state");
	assert_true(script_start(
	    &responder, &loop, "127.0.0.1", 0, SCRIPT_CLOSE, NULL, 0));
	return 0;
}

static inline int
tear_down(void **state)
{
	(void)state;
	script_stop(&responder);
	loop_end(&loop);
	buf_done(&reply);
	for (size_t i = 0; i < MANY; i++) {
		pki_party_done(&leaves[i]);
		free(paths[i]);
		free(staples[i]);
		paths[i] = staples[i] = NULL;
	}
	free(state_dir);
	scratch_remove(&scratch);
	odd = (struct pki_response){0};
	odd_single = (struct pki_single){0};
	return 0;
}

/* --- the keeper --- */

static inline struct keeper_options
options_for(size_t count, bool once)
{
	return (struct keeper_options){
	    .state_dir = state_dir,
	    .specs = specs,
	    .spec_count = count,
	    .acquire = {.ask_system = true, .timeout_ms = 1000},
	    .once = once,
	};
}

/* As a child: what keeper_run comes to is its exit status, 99 if it could not
 * begin. */
static inline pid_t
begin(const struct keeper_options *options)
{
	pid_t child = fork();
	enum keeper_end end = KEEPER_GOOD;
	struct err err = {0};

	assert_true(child != -1);
	if (child != 0)
		return child;
	/* a test that fails leaves nobody behind */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	close(responder.fd); /* our parent's */
	if (keeper_run(options, &end, &err) == -1) {
		(void)fprintf(stderr, "%s\n", err.text);
		_exit(99);
	}
	_exit((int)end);
}

/* --- waiting for things to happen --- */

static inline void
look_again(void *cookie)
{
	*(bool *)cookie = true;
	uv_stop(&loop);
}

/* Serve for a moment. */
static inline void
serve_ms(int64_t ms)
{
	bool over = false;
	struct loop_timer *timer =
	    loop_timer_start(&loop, ms, look_again, &over);

	while (!over)
		loop_run(&loop);
	(void)timer;
}

static inline void
await(bool (*happened)(void), const char *what)
{
	int64_t until = clock_mono_ms() + WAIT_MS;

	while (!happened()) {
		if (clock_mono_ms() > until)
			fail_msg("in vain: %s", what);
		serve_ms(LOOK_MS);
	}
}

static inline int
await_exit(pid_t child)
{
	int64_t until = clock_mono_ms() + WAIT_MS;
	int status = 0;

	while (waitpid(child, &status, WNOHANG) == 0) {
		if (clock_mono_ms() > until) {
			(void)kill(child, SIGKILL);
			fail_msg("the keeper does not end");
		}
		serve_ms(LOOK_MS);
	}
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static inline int
stop(pid_t child)
{
	assert_int_equal(kill(child, SIGTERM), 0);
	return await_exit(child);
}

static inline bool
first_is_there(void)
{
	return scratch_exists(staples[0]);
}

static inline bool
first_is_gone(void)
{
	return !scratch_exists(staples[0]);
}

static inline bool
second_is_there(void)
{
	return scratch_exists(staples[1]);
}

static inline bool
was_asked(void)
{
	return responder.requests > 0;
}

/* clang-format off */
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
/* clang-format on */

#endif
