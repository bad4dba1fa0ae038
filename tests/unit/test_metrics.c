/* SPDX-License-Identifier: ISC */
/* test_metrics.c -- keep/metrics and keep/process: counted once, written so
 * that Prometheus can read it, and bounded however many there are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <sys/resource.h>

#include "acquire/acquire.h"
#include "base/clock.h"
#include "keep/metrics.h"
#include "keep/process.h"
#include "status_fixture.h"

static struct status_ca ca;
static struct metrics metrics;
static struct buf page;

static int
begin(void **state)
{
	(void)state;
	ca = status_ca_make();
	return 0;
}

static int
end(void **state)
{
	(void)state;
	status_ca_done(&ca);
	return 0;
}

static int
begin_one(void **state)
{
	(void)state;
	buf_init(&page, METRICS_TEXT_MAX);
	return 0;
}

static int
end_one(void **state)
{
	(void)state;
	buf_done(&page);
	metrics_done(&metrics);
	return 0;
}

/* The value of the sample that begins with NAME; -1: there is none. */
static double
sample(const char *name)
{
	size_t len = strlen(name);

	for (const char *line = buf_text(&page); line != NULL;
	     line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, len) == 0 && line[len] == ' ')
			return strtod(line + len, NULL);
	}
	return -1;
}

static void
expect(const char *name, double value)
{
	double found = sample(name);

	if (found < value || found > value)
		fail_msg("%s is %g, not %g", name, found, value);
}

static size_t
count_lines(const char *beginning)
{
	size_t count = 0;

	for (const char *at = buf_text(&page);
	     (at = strstr(at, beginning)) != NULL; at++)
		count += at == page.text || at[-1] == '\n';
	return count;
}

static void
write_page(struct target *const *targets, size_t count)
{
	const struct metrics_scene scene = {.now = PKI_NOW,
	    .targets = targets,
	    .target_count = count,
	    .fetching = 3,
	    .waiting = 4,
	    .store_ailing = true,
	    .process = {.cpu_s = 1.5, .resident = 4096, .start = 77}};

	metrics_write(&page, &metrics, &scene);
	assert_false(page.full);
}

/* --- attempts --- */

static void
attempt(const char *host, enum reason reason, enum cert_status status,
    int64_t elapsed_ms)
{
	struct acquire_result result = {
	    .accepted = reason == REASON_NONE, .elapsed_ms = elapsed_ms};

	result.facts.status = status;
	result.err.reason = reason;
	metrics_attempt(&metrics, host, &result, PKI_NOW - 5);
}

static void
test_attempts(void **state)
{
	(void)state;
	write_page(NULL, 0);
	/* what never happened is 0, and no success is none */
	expect("oclasp_attempts_total{result=\"good\"}", 0);
	expect("oclasp_attempts_total{result=\"dns-no-answer\"}", 0);
	expect("oclasp_last_success_timestamp_seconds", -1);
	buf_done(&page);
	attempt("h", REASON_NONE, CERT_GOOD, 50);
	attempt("h", REASON_NONE, CERT_GOOD, 51);
	attempt("h", REASON_NONE, CERT_REVOKED, 0);
	attempt("h", REASON_DNS_NO_ANSWER, CERT_GOOD, 15000);
	attempt(NULL, REASON_NO_OCSP_URL, CERT_GOOD, 30001);
	write_page(NULL, 0);
	expect("oclasp_attempts_total{result=\"good\"}", 2);
	expect("oclasp_attempts_total{result=\"revoked\"}", 1);
	expect("oclasp_attempts_total{result=\"unknown\"}", 0);
	expect("oclasp_attempts_total{result=\"dns-no-answer\"}", 1);
	expect("oclasp_attempts_total{result=\"no-ocsp-url\"}", 1);
	expect("oclasp_attempt_seconds_bucket{le=\"0.05\"}", 2);
	expect("oclasp_attempt_seconds_bucket{le=\"0.1\"}", 3);
	expect("oclasp_attempt_seconds_bucket{le=\"15\"}", 4);
	expect("oclasp_attempt_seconds_bucket{le=\"30\"}", 4);
	expect("oclasp_attempt_seconds_bucket{le=\"+Inf\"}", 5);
	expect("oclasp_attempt_seconds_count", 5);
	expect("oclasp_attempt_seconds_sum", 45.102);
	expect("oclasp_last_success_timestamp_seconds", PKI_NOW - 5);
	expect("oclasp_fetches_running", 3);
	expect("oclasp_fetches_waiting", 4);
	expect("oclasp_store_ailing", 1); /* A13 */
}

static void
test_addresses(void **state)
{
	const struct acquire_try tries[] = {
	    {.address = "192.0.2.1", .err = {.reason = REASON_HTTP_TIMEOUT}},
	    {.address = "192.0.2.2", .cancelled = true},
	    {.address = "", .err = {.reason = REASON_DNS_NO_ANSWER}},
	    {.address = "192.0.2.3"},
	};
	struct acquire_result result = {
	    .accepted = true, .tries = tries, .try_count = 4};

	(void)state;
	metrics_attempt(&metrics, "ocsp.test", &result, PKI_NOW);
	for (int i = 0; i < 2 * METRICS_HOSTS_MAX; i++) {
		char host[32];

		(void)snprintf(host, sizeof(host), "h%d", i);
		metrics_attempt(&metrics, host, &result, PKI_NOW);
	}
	write_page(NULL, 0);
	expect("oclasp_address_proofs_total{host=\"ocsp.test\",result="
	       "\"proven\"}",
	    1);
	expect("oclasp_address_proofs_total{host=\"ocsp.test\",result="
	       "\"failed\"}",
	    1);
	/* I5: the rest shares one */
	assert_int_equal(2 * (METRICS_HOSTS_MAX + 1),
	    count_lines("oclasp_address_proofs_total{"));
	expect("oclasp_address_proofs_total{host=\"other\",result=\"proven\"}",
	    METRICS_HOSTS_MAX + 1);
}

static void
test_servers(void **state)
{
	(void)state;
	metrics_published(&metrics, "nginx", true);
	metrics_published(&metrics, "nginx", true);
	metrics_published(&metrics, "nginx", false);
	metrics_proven(&metrics, "nginx", true);
	metrics.alarms.bad = 6;
	write_page(NULL, 0);
	expect("oclasp_publish_total{server=\"nginx\",result=\"ok\"}", 2);
	expect("oclasp_publish_total{server=\"nginx\",result=\"failed\"}", 1);
	expect("oclasp_proofs_total{server=\"nginx\",result=\"proven\"}", 1);
	expect("oclasp_proofs_total{server=\"nginx\",result=\"failed\"}", 0);
	expect("oclasp_alarm_commands_total{result=\"failed\"}", 6);
	expect("process_cpu_seconds_total", 1.5);
	expect("process_start_time_seconds", 77);
}

/* --- certificates --- */

static void
test_certificates(void **state)
{
	struct target *targets[] = {
	    status_target(&ca, "/c/a \"b\\\n", &ca.www, 90000),
	    status_target(&ca, "/c/bare", &ca.bare, 0),
	    status_target(&ca, "/c/error", NULL, 0),
	    status_target(&ca, "/c/new", &ca.mail, 0),
	};

	(void)state;
	write_page(targets, 4);
	/* margin and all: what is usable, not what is valid */
	expect("oclasp_staple_usable_seconds{certificate=\"www.test\",path="
	       "\"/c/a \\\"b\\\\?\"}",
	    (double)(staple_usable_until(targets[0]->staple) - PKI_NOW));
	expect("oclasp_target_state{certificate=\"www.test\",path=\"/c/a "
	       "\\\"b\\\\?\",state=\"fresh\"}",
	    1);
	/* to nobody who can have none does one run out */
	expect("oclasp_staple_usable_seconds{certificate=\"bare.test\",path="
	       "\"/c/bare\"}",
	    -1);
	expect("oclasp_staple_usable_seconds{certificate=\"mail.test\",path="
	       "\"/c/new\"}",
	    0);
	expect("oclasp_target_state{certificate=\"/c/error\",path=\"/c/error\","
	       "state=\"error\"}",
	    1);
	assert_int_equal(4, count_lines("oclasp_target_state{"));
	expect("oclasp_targets{state=\"error\"}", 1);
	expect("oclasp_targets{state=\"revoked\"}", 0);
	/* after a restart the last success is what is known of them */
	expect("oclasp_last_success_timestamp_seconds", PKI_NOW - 3600);
	for (size_t i = 0; i < 4; i++)
		target_free(targets[i]);
}

/* The one limit that is documented: beyond it only alarms have series. */
static void
test_very_many(void **state)
{
	enum { MANY = METRICS_CERTIFICATES_MAX + 1 };
	struct target **many = mem_array(MANY, sizeof(*many));
	struct target *fresh = status_target(&ca, "/c/a", &ca.www, 90000);
	struct target *bad = status_target(&ca, "/c/error", NULL, 0);

	(void)state;
	for (size_t i = 0; i < MANY; i++)
		many[i] = fresh;
	write_page(many, MANY - 1);
	assert_int_equal(MANY - 1, count_lines("oclasp_target_state{"));
	buf_done(&page);
	many[7] = many[8] = bad;
	write_page(many, MANY);
	assert_int_equal(2, count_lines("oclasp_target_state{"));
	expect("oclasp_targets{state=\"fresh\"}", MANY - 2);
	expect("oclasp_targets{state=\"error\"}", 2);
	buf_done(&page);
	for (size_t i = 0; i < MANY; i++)
		many[i] = bad;
	write_page(many, MANY);
	assert_int_equal(
	    METRICS_CERTIFICATES_MAX, count_lines("oclasp_target_state{"));
	free(many);
	target_free(fresh);
	target_free(bad);
}

/* --- the format --- */

/* Each family has its head once and before its samples, which stand together. */
static void
test_families(void **state)
{
	struct target *one = status_target(&ca, "/c/a", &ca.www, 90000);
	char family[128] = "";
	size_t families = 0;
	char *rest, *line, *text;

	(void)state;
	attempt("ocsp.test", REASON_NONE, CERT_GOOD, 1);
	metrics_published(&metrics, "nginx", true);
	metrics_proven(&metrics, "nginx", true);
	write_page(&one, 1);
	assert_int_equal('\n', page.text[page.len - 1]);
	text = rest = buf_take(&page);
	while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
		char again[160];

		if (strncmp(line, "# HELP ", 7) == 0) {
			(void)snprintf(family, sizeof(family), "%.*s",
			    (int)strcspn(line + 7, " "), line + 7);
			families++;
			(void)snprintf(
			    again, sizeof(again), "\n# HELP %s ", family);
			assert_null(strstr(rest, again));
		} else if (strncmp(line, "# TYPE ", 7) == 0) {
			assert_int_equal(
			    0, strncmp(line + 7, family, strlen(family)));
		} else if (strncmp(line, family, strlen(family)) != 0) {
			fail_msg("'%s' stands under %s", line, family);
		}
	}
	assert_true(families >= 15);
	free(text);
	target_free(one);
}

static void
test_process(void **state)
{
	struct metrics_process p = process_look(5);

	(void)state;
	assert_int_equal(5, p.start);
	assert_true(p.cpu_s > 0);
	assert_true(p.resident > 100000);
	assert_true(p.virtual > p.resident);
	assert_true(p.open_files >= 3);
	assert_true(p.max_files >= p.open_files);
}

/* What is refused at a limit of 1024 is a fetch, a client or a proof. */
static void
test_files_limit(void **state)
{
	struct rlimit limit;

	(void)state;
	assert_int_equal(0, getrlimit(RLIMIT_NOFILE, &limit));
	limit.rlim_cur = limit.rlim_max < 64 ? limit.rlim_max : 64;
	assert_int_equal(0, setrlimit(RLIMIT_NOFILE, &limit));
	assert_int_equal(limit.rlim_cur, process_look(0).max_files);
	process_raise_files();
	assert_int_equal(limit.rlim_max, process_look(0).max_files);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_attempts, begin_one, end_one),
	    cmocka_unit_test_setup_teardown(test_addresses, begin_one, end_one),
	    cmocka_unit_test_setup_teardown(test_servers, begin_one, end_one),
	    cmocka_unit_test_setup_teardown(
		test_certificates, begin_one, end_one),
	    cmocka_unit_test_setup_teardown(test_very_many, begin_one, end_one),
	    cmocka_unit_test_setup_teardown(test_families, begin_one, end_one),
	    cmocka_unit_test(test_process),
	    cmocka_unit_test(test_files_limit),
	};

	return cmocka_run_group_tests_name("keep/metrics", tests, begin, end);
}
