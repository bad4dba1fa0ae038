/* SPDX-License-Identifier: ISC */
/* test_status.c -- keep/status, its document and its page: who needs a person
 * comes first, a name fits one certificate, and nothing from outside becomes
 * markup. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <unistd.h>

#include "base/clock.h"
#include "keep/status.h"
#include "keep/status_json.h"
#include "keep/status_page.h"
#include "scratch.h"
#include "status_fixture.h"

enum { TARGETS = 11 };

static struct status_ca ca;
static struct target *targets[TARGETS];

/* One of each state, in no order. */
static void
make_targets(void)
{
	size_t n = 0;

	targets[n++] = status_target(&ca, "/c/fresh", &ca.www, 200000);
	targets[n++] = status_target(&ca, "/c/bare", &ca.bare, 0);
	targets[n] = status_target(&ca, "/c/revoked", &ca.mail, 0);
	targets[n]->last_final = true;
	targets[n]->last_attempt = PKI_NOW - 10;
	targets[n++]->last_status = CERT_REVOKED;
	targets[n++] = status_target(&ca, "/c/error", NULL, 0);
	targets[n++] = status_target(&ca, "/c/must", &ca.must, 0);
	targets[n++] = status_target(&ca, "/c/old", &ca.old, 0);
	targets[n] = status_target(&ca, "/c/retrying", &ca.www, 200000);
	status_fail(targets[n++], REASON_CONNECT_TIMEOUT, "no answer <&>");
	targets[n] = status_target(&ca, "/c/expiring", &ca.www, 1000);
	status_fail(targets[n++], REASON_DNS_SERVFAIL, "the resolver failed");
	targets[n++] = status_target(&ca, "/c/pending", &ca.mail, 0);
	targets[n] = status_target(&ca, "/c/unknown", &ca.mail, 300000);
	targets[n]->last_final = true;
	targets[n]->last_attempt = PKI_NOW - 10;
	targets[n++]->last_status = CERT_UNKNOWN;
	targets[n] = status_target(&ca, "/c/expired", &ca.mail, 400);
	/* by the time that the rows below are asked for */
	status_fail(targets[n++], REASON_HTTP_STATUS, "status 500");
	assert_int_equal(TARGETS, n);
}

static int
begin(void **state)
{
	(void)state;
	ca = status_ca_make();
	make_targets();
	return 0;
}

static int
end(void **state)
{
	(void)state;
	for (size_t i = 0; i < TARGETS; i++)
		target_free(targets[i]);
	status_ca_done(&ca);
	return 0;
}

static struct status_list
select_rows(const struct status_query *query, int64_t now)
{
	struct status_list list;
	struct err err = {0};

	if (status_select(targets, TARGETS, query, now, &list, &err) == -1)
		fail_msg("%s", err.text);
	return list;
}

/* --- rows --- */

static void
test_order(void **state)
{
	static const struct {
		const char *path, *state;
	} want[TARGETS] = {
	    {"/c/revoked", "revoked"},
	    {"/c/must", "must-staple-missing"},
	    {"/c/expired", "expired"},
	    {"/c/old", "certificate-expired"},
	    {"/c/error", "error"},
	    {"/c/unknown", "unknown"},
	    {"/c/expiring", "expiring"},
	    {"/c/retrying", "retrying"},
	    {"/c/pending", "pending"},
	    {"/c/fresh", "fresh"},
	    {"/c/bare", "no-responder"},
	};
	struct status_list list =
	    select_rows(&(struct status_query){0}, PKI_NOW + 370);

	(void)state;
	assert_int_equal(TARGETS, list.count);
	assert_int_equal(TARGETS, list.matched);
	for (size_t i = 0; i < TARGETS; i++) {
		const struct status_row *row = &list.rows[i];

		if (strcmp(want[i].path, row->target->certificate) != 0 ||
		    strcmp(want[i].state, target_state_name(row->state)) != 0)
			fail_msg("row %zu is %s, %s", i,
			    row->target->certificate,
			    target_state_name(row->state));
		if (row->usable_until != 0 &&
		    row->usable_until <= PKI_NOW + 370)
			fail_msg(
			    "A6: %s is usable, until a moment that is over",
			    row->target->certificate);
	}
	assert_int_equal(1, list.states[STATE_REVOKED]);
	assert_int_equal(0, list.states[STATE_DUE]);
	status_list_done(&list);
}

/* What the sentence of PATH has in it, and what it has not. */
static const struct {
	const char *path, *has, *not ;
} sentences[] = {
    {"/c/fresh", "usable for 2 d 7 h; next refresh in ", "the last try"},
    {"/c/retrying", "usable for 2 d 7 h; to be refreshed now", "no staple"},
    {"/c/retrying", "; the last try: no answer", NULL},
    {"/c/expired", "its staple ended ", "usable for"},
    {"/c/expired", " ago; to be refreshed now; the last try: status 500", NULL},
    {"/c/revoked", "is revoked: replace it now", "usable"},
    {"/c/unknown", "ask the CA; usable for 3 d", NULL},
    {"/c/old", "expired 66 min", "staple"},
    {"/c/error", "cannot read '/c/error'", NULL},
    {"/c/must", "RFC 7633", NULL},
    {"/c/bare", "names no OCSP responder", NULL},
    {"/c/pending", "no staple; to be refreshed now", "ended"},
};

static void
test_sentences(void **state)
{
	char text[STATUS_SENTENCE];

	(void)state;
	for (size_t i = 0; i < sizeof(sentences) / sizeof(sentences[0]); i++) {
		struct status_list list = select_rows(
		    &(struct status_query){.name = sentences[i].path},
		    PKI_NOW + 370);

		assert_int_equal(1, list.count);
		(void)status_sentence(&list.rows[0], PKI_NOW + 370, text);
		if (strstr(text, sentences[i].has) == NULL ||
		    (sentences[i].not != NULL &&
			strstr(text, sentences[i].not ) != NULL))
			fail_msg("%s: '%s'", sentences[i].path, text);
		status_list_done(&list);
	}
}

/* Nobody is asked by ldap: which is no failure, and what it names is told. */
static void
test_no_http(void **state)
{
	struct pki_party leaf = pki_party(&(struct pki_spec){.cn = "dir.test",
	    .issuer = &ca.issuer,
	    .ext = {{"authorityInfoAccess", "OCSP;URI:ldap://dir.test/x"}}});
	struct target *t = status_target(&ca, "/c/dir", &leaf, 0);
	struct status_row row;
	char text[STATUS_SENTENCE];

	(void)state;
	free(t->responder); /* as target_read() has it */
	t->responder = NULL;
	row = status_row(t, PKI_NOW);
	assert_int_equal(STATE_NO_RESPONDER, row.state);
	assert_int_equal(REASON_NO_OCSP_URL, row.reason);
	assert_string_equal(
	    "it names no OCSP responder that can be asked by http, only "
	    "'ldap://dir.test/x' (--url can name another): nothing to staple",
	    status_sentence(&row, PKI_NOW, text));
	target_free(t);
	pki_party_done(&leaf);
}

/* What was read before stays in force: that must not hide what is there now. */
static void
test_file_that_broke(void **state)
{
	struct target *t = status_target(&ca, "/c/www", &ca.www, 200000);
	struct status_row row = status_row(t, PKI_NOW);
	char text[STATUS_SENTENCE];
	struct err err = {0};

	(void)state;
	assert_null(strstr(status_sentence(&row, PKI_NOW, text), "file"));
	(void)err_set(&err, REASON_CERTIFICATE_UNREADABLE, "it is empty");
	trouble_set(&t->unreadable, &err);
	(void)status_sentence(&row, PKI_NOW, text);
	assert_non_null(strstr(text, "usable for 2 d 7 h"));
	assert_non_null(
	    strstr(text, "file cannot be used any more: it is emp"));
	target_free(t);
}

/* --- which rows --- */

static void
test_names(void **state)
{
	/* NULL: refused, with REFUSAL in the sentence */
	static const struct {
		const char *name, *path, *refusal;
	} rows[] = {
	    {"/c/bare", "/c/bare", NULL},
	    {"bare.test", "/c/bare", NULL},
	    {"BARE.test", "/c/bare", NULL},
	    {"old.test", "/c/old", NULL},
	    /* three files have the one certificate: it is one */
	    {"www.test", "/c/expiring", NULL},
	    {"shop.test", "/c/expiring", NULL},
	    {"/c/error", "/c/error", NULL},
	    {"bare.tes", NULL, "no certificate that is kept"},
	    {"", NULL, "no certificate that is kept"},
	    {"/c/", NULL, "no certificate that is kept"},
	    {"bare", NULL, "no certificate that is kept"},
	    {"test", NULL, "no certificate that is kept"},
	    {"*", NULL, "no certificate that is kept"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct status_query query = {.name = rows[i].name};
		struct status_list list;
		struct err err = {0};
		int rc = status_select(
		    targets, TARGETS, &query, PKI_NOW, &list, &err);

		if (rows[i].path != NULL) {
			if (rc != 0 || strcmp(list.rows[0].target->certificate,
					   rows[i].path) != 0)
				fail_msg("'%s': %s", rows[i].name, err.text);
			status_list_done(&list);
		} else if (rc == 0 || err.reason != REASON_USAGE ||
			   strstr(err.text, rows[i].refusal) == NULL) {
			fail_msg("'%s' is taken: %s", rows[i].name, err.text);
		}
	}
}

/* Another name of a file is found, where one may look; who may not is told
 * nothing of the disk. */
static void
test_other_paths(void **state)
{
	struct scratch scratch;
	struct status_query query = {.looks = true};
	struct target *one;
	struct status_list list;
	struct err err = {0};
	char *path, *link;

	(void)state;
	scratch_make(&scratch);
	path = scratch_path(&scratch, "leaf.pem");
	link = scratch_path(&scratch, "link.pem");
	scratch_write(path, "looked at, not read");
	assert_int_equal(0, symlink(path, link));
	one = status_target(&ca, path, &ca.bare, 0);
	query.name = link;
	assert_int_equal(
	    0, status_select(&one, 1, &query, PKI_NOW, &list, &err));
	assert_int_equal(1, list.count);
	status_list_done(&list);
	query.looks = false;
	assert_int_equal(
	    -1, status_select(&one, 1, &query, PKI_NOW, &list, &err));
	assert_int_equal(REASON_USAGE, err.reason);
	target_free(one);
	free(path);
	free(link);
	scratch_remove(&scratch);
}

static void
test_fingerprints(void **state)
{
	struct status_query query = {0};
	struct status_list list;
	struct err err = {0};
	char prefix[65];

	(void)state;
	(void)snprintf(prefix, sizeof(prefix), "%s", ca.bare.cert->fingerprint);
	query.name = prefix;
	list = select_rows(&query, PKI_NOW);
	assert_int_equal(1, list.count);
	status_list_done(&list);
	prefix[STATUS_PREFIX_MIN] = '\0';
	list = select_rows(&query, PKI_NOW);
	assert_string_equal("/c/bare", list.rows[0].target->certificate);
	status_list_done(&list);
	/* what is shorter fits too easily */
	prefix[STATUS_PREFIX_MIN - 1] = '\0';
	assert_int_equal(
	    -1, status_select(targets, TARGETS, &query, PKI_NOW, &list, &err));
}

static void
test_ambiguous(void **state)
{
	struct pki_party twin =
	    status_leaf(&ca, "twin", "DNS:bare.test", NULL, 0);
	struct target *two[2] = {
	    targets[1], status_target(&ca, "/c/twin", &twin, 0)};
	struct status_query query = {.name = "bare.test"};
	struct status_list list;
	struct err err = {0};

	(void)state;
	assert_int_equal(
	    -1, status_select(two, 2, &query, PKI_NOW, &list, &err));
	assert_int_equal(REASON_USAGE, err.reason);
	assert_non_null(strstr(err.text, "/c/bare ("));
	assert_non_null(strstr(err.text, "/c/twin ("));
	target_free(two[1]);
	pki_party_done(&twin);
}

static void
test_states(void **state)
{
	static const struct {
		const char *text;
		size_t matched; /* -1: refused */
	} rows[] = {
	    {"fresh", 1},
	    {"alarm", 7},
	    {"alarm,retrying", 8},
	    {"fresh,fresh", 1},
	    {"due", 0},
	    {"", SIZE_MAX},
	    {"fresh,", SIZE_MAX},
	    {",fresh", SIZE_MAX},
	    {"Fresh", SIZE_MAX},
	    {"fres", SIZE_MAX},
	    {"freshly", SIZE_MAX},
	    {"fresh due", SIZE_MAX},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct status_query query = {0};
		struct status_list list;

		if (status_states_parse(rows[i].text, &query.states) ==
		    (rows[i].matched == SIZE_MAX))
			fail_msg("'%s'", rows[i].text);
		if (rows[i].matched == SIZE_MAX)
			continue;
		list = select_rows(&query, PKI_NOW + 370);
		if (list.matched != rows[i].matched)
			fail_msg("'%s': %zu", rows[i].text, list.matched);
		assert_int_equal(TARGETS, list.kept);
		status_list_done(&list);
	}
}

static void
test_pages(void **state)
{
	static const struct {
		size_t after, limit, first, count;
	} rows[] = {
	    {0, 4, 0, 4},
	    {4, 4, 4, 4},
	    {8, 4, 8, 3},
	    {TARGETS, 4, 0, 0},
	    {SIZE_MAX, 4, 0, 0},
	    {0, SIZE_MAX, 0, TARGETS},
	};
	struct status_list all =
	    select_rows(&(struct status_query){0}, PKI_NOW + 370);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct status_query query = {
		    .after = rows[i].after, .limit = rows[i].limit};
		struct status_list list = select_rows(&query, PKI_NOW + 370);

		assert_int_equal(rows[i].count, list.count);
		assert_int_equal(TARGETS, list.matched);
		for (size_t r = 0; r < list.count; r++)
			assert_ptr_equal(all.rows[rows[i].first + r].target,
			    list.rows[r].target);
		status_list_done(&list);
	}
	status_list_done(&all);
}

/* However many there are, a document has an end. */
static void
test_many(void **state)
{
	enum { MANY = STATUS_ROWS_MAX + 5 };
	struct target **many = mem_array(MANY, sizeof(*many));
	struct status_list list;

	(void)state;
	for (size_t i = 0; i < MANY; i++)
		many[i] = targets[0];
	assert_int_equal(0, status_select(many, MANY, &(struct status_query){0},
				PKI_NOW, &list, NULL));
	assert_int_equal(STATUS_ROWS_MAX, list.count);
	assert_int_equal(MANY, list.matched);
	status_list_done(&list);
	free(many);
}

/* --- the document --- */

static const char *
text_of(json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static void
test_document(void **state)
{
	static const char *const keys[] = {"name", "path", "certificate",
	    "state", "alarm", "sentence", "reason", "detail", "responder",
	    "response", "usable_until", "next_refresh", "last_attempt",
	    "failures", "fetching", "published"};
	struct scratch scratch;
	struct outlets outlets = {0};
	const struct outlet proof = {.server = "nginx",
	    .path = "/p",
	    .listen = "127.0.0.1:443",
	    .proven_at = PKI_NOW};
	struct status_head head = {.now = PKI_NOW,
	    .state_dir = "/s",
	    .running = true,
	    .pid = 7,
	    .started_at = PKI_NOW - 60,
	    .outlets = &outlets};
	struct status_list list =
	    select_rows(&(struct status_query){.name = "/c/fresh"}, PKI_NOW);
	json_t *document, *row;
	char *path;

	(void)state;
	scratch_make(&scratch);
	path = mem_printf("%s/%s.der", scratch.dir, ca.www.cert->fingerprint);
	scratch_write(path, "x");
	head.staple_dir = scratch.dir;
	outlets_note(&outlets, ca.www.cert->fingerprint, &proof);
	document = status_document(&list, &head);
	assert_non_null(document);
	assert_string_equal("status", text_of(document, "command"));
	assert_true(json_is_true(json_object_get(document, "running")));
	assert_int_equal(
	    7, json_integer_value(json_object_get(document, "pid")));
	assert_int_equal(
	    TARGETS, json_integer_value(json_object_get(document, "kept")));
	assert_int_equal(STATUS_STATES,
	    json_object_size(json_object_get(document, "states")));
	row = json_array_get(json_object_get(document, "targets"), 0);
	assert_int_equal(sizeof(keys) / sizeof(keys[0]), json_object_size(row));
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (json_object_get(row, keys[i]) == NULL)
			fail_msg("no %s", keys[i]);
	}
	assert_string_equal("www.test", text_of(row, "name"));
	assert_string_equal("fresh", text_of(row, "state"));
	assert_string_equal(
	    "/c/fresh", text_of(json_object_get(row, "certificate"), "path"));
	assert_string_equal(
	    "good", text_of(json_object_get(row, "response"), "status"));
	row = json_object_get(row, "published");
	assert_int_equal(2, json_array_size(row));
	assert_string_equal("file", text_of(json_array_get(row, 0), "server"));
	assert_string_equal(path, text_of(json_array_get(row, 0), "path"));
	assert_string_equal(
	    "127.0.0.1:443", text_of(json_array_get(row, 1), "address"));
	json_decref(document);
	status_list_done(&list);
	outlets_done(&outlets);
	free(path);
	scratch_remove(&scratch);
}

/* Without a keeper; and of a certificate that nobody can read. */
static void
test_document_at_rest(void **state)
{
	struct status_head head = {.now = PKI_NOW, .state_dir = "/s"};
	struct status_list list =
	    select_rows(&(struct status_query){.name = "/c/error"}, PKI_NOW);
	json_t *document = status_document(&list, &head);
	json_t *row = json_array_get(json_object_get(document, "targets"), 0);

	(void)state;
	assert_true(json_is_false(json_object_get(document, "running")));
	assert_true(json_is_null(json_object_get(document, "pid")));
	assert_true(json_is_null(json_object_get(document, "started_at")));
	assert_true(json_is_null(json_object_get(row, "certificate")));
	assert_true(json_is_null(json_object_get(row, "response")));
	assert_true(json_is_null(json_object_get(row, "next_refresh")));
	assert_true(json_is_true(json_object_get(row, "alarm")));
	assert_string_equal("certificate-unreadable", text_of(row, "reason"));
	json_decref(document);
	status_list_done(&list);
}

/* --- the page --- */

static void
test_page(void **state)
{
	struct status_query query = {.limit = 4, .after = 4};
	struct status_head head = {.now = PKI_NOW + 370, .running = true};
	struct status_list list;
	struct outlets outlets = {0};
	struct outlet bad = {
	    .server = "nginx", .path = "<b>", .listen = "\"'>"};
	struct buf page;

	(void)state;
	(void)err_set(&bad.err, REASON_SERVER_NOT_STAPLING, "<script>");
	outlets_note(&outlets, ca.www.cert->fingerprint, &bad);
	head.outlets = &outlets;
	list = select_rows(&query, head.now);
	buf_init(&page, STATUS_PAGE_MAX);
	status_page(&page, &list, &query, &head);
	assert_false(page.full);
	assert_non_null(strstr(page.text, "7 need you"));
	assert_non_null(strstr(page.text, "<td class=bad>error</td>"));
	assert_null(strstr(page.text, "revoked</td>"));
	/* what comes from outside is text */
	assert_null(strstr(page.text, "<script"));
	assert_non_null(strstr(page.text, "&lt;script&gt;"));
	assert_non_null(strstr(page.text, "no answer &lt;&amp;&gt;"));
	assert_non_null(strstr(page.text, "&quot;&#39;&gt;"));
	/* the other pages */
	assert_non_null(strstr(page.text, "5 to 8 of 11"));
	assert_non_null(strstr(page.text, "after=0\">before"));
	assert_non_null(strstr(page.text, "after=8\">next"));
	buf_done(&page);
	status_list_done(&list);
	outlets_done(&outlets);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_order),
	    cmocka_unit_test(test_sentences),
	    cmocka_unit_test(test_no_http),
	    cmocka_unit_test(test_file_that_broke),
	    cmocka_unit_test(test_names),
	    cmocka_unit_test(test_other_paths),
	    cmocka_unit_test(test_fingerprints),
	    cmocka_unit_test(test_ambiguous),
	    cmocka_unit_test(test_states),
	    cmocka_unit_test(test_pages),
	    cmocka_unit_test(test_many),
	    cmocka_unit_test(test_document),
	    cmocka_unit_test(test_document_at_rest),
	    cmocka_unit_test(test_page),
	};

	return cmocka_run_group_tests_name("keep/status", tests, begin, end);
}
