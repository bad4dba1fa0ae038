/* SPDX-License-Identifier: ISC */
/* test_doctor_html.c -- face/doctor_html: outside bytes stay text, and the page
 * is whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "doctor_facts.h"
#include "face/doctor_html.h"
#include "scratch.h"

enum { NOW = 1800000000, DEPTH_MAX = 64 };

static const char *const hostile[] = {
    "<script>alert(1)</script>",
    "\"onload=\"alert(1)",
    "'><img src=x onerror=alert(1)>",
    "</title><script>x</script>",
    "a&b<c>d",
    "]]><!--",
    "--></svg>",
    "&lt;script&gt;",
    "\x1b[31mred\x07",
    "bad\xff\xfeutf8",
    "cut\xe2\x82",
    "javascript:alert(1)",
    "http://x/\"><a href='y'>",
};

enum { HOSTILE = sizeof(hostile) / sizeof(hostile[0]) };

/* --- a page as a parser of XML would have it --- */

/* The whole page is elements that nest, attributes in double quotes, and text
 * without a bare < or &. */
static const char *
fault_of(const char *page)
{
	char open[DEPTH_MAX][32];
	size_t depth = 0;
	const char *at = strstr(page, "<html");

	if (at == NULL || strncmp(page, "<!DOCTYPE html>", 15) != 0)
		return "no html";
	while (*at != '\0') {
		size_t len = strcspn(at, "<&>");
		bool closes, empty;
		char name[32];

		at += len;
		if (*at == '\0')
			break;
		if (*at == '>')
			return at;
		if (*at == '&') {
			if (strncmp(at, "&amp;", 5) != 0 &&
			    strncmp(at, "&lt;", 4) != 0 &&
			    strncmp(at, "&gt;", 4) != 0 &&
			    strncmp(at, "&quot;", 6) != 0 &&
			    strncmp(at, "&#39;", 5) != 0)
				return at;
			at++;
			continue;
		}
		closes = at[1] == '/';
		at += closes ? 2 : 1;
		len = strspn(at, "abcdefghijklmnopqrstuvwxyz0123456789");
		if (len == 0 || len >= sizeof(name))
			return at;
		(void)snprintf(name, sizeof(name), "%.*s", (int)len, at);
		at += len;
		while (*at == ' ') { /* attributes */
			/* nothing is fetched, nothing runs */
			if (strncmp(at, " src", 4) == 0 ||
			    strncmp(at, " href", 5) == 0 ||
			    strncmp(at, " on", 3) == 0)
				return at;
			at += 1 + strcspn(at + 1, "=<>\"");
			if (at[0] != '=' || at[1] != '"')
				return at;
			at += 2;
			at += strcspn(at, "\"<");
			if (*at++ != '"')
				return at;
		}
		empty = *at == '/';
		at += empty ? 1 : 0;
		if (*at++ != '>')
			return at - 1;
		if (closes) {
			if (depth == 0 || strcmp(open[--depth], name) != 0)
				return name[0] == '\0' ? "?" : at;
		} else if (!empty) {
			if (depth == DEPTH_MAX)
				return "too deep";
			memcpy(open[depth++], name, sizeof(name));
		}
	}
	return depth == 0 ? NULL : "something is left open";
}

static void
is_safe(const struct buf *page)
{
	const char *text = buf_text(page);
	const char *fault = fault_of(text);

	if (fault != NULL)
		fail_msg("not well-formed at '%.120s'", fault);
	assert_false(page->full);
	assert_null(strstr(text, "<script"));
	assert_null(strstr(text, "<img"));
	assert_null(strstr(text, "<a "));
	assert_null(strstr(text, "\"onload"));
	for (const char *c = text; *c != '\0'; c++)
		assert_true((unsigned char)*c >= ' ' || *c == '\n');
	assert_non_null(strstr(text, "default-src &#39;none&#39;"));
	assert_null(strstr(text, "http-equiv=\"refresh"));
}

/* --- networks --- */

static void
put(char *out, size_t size, const char *text)
{
	(void)snprintf(out, size, "%s", text);
}

/* Every text of every fact that somebody else can write. */
static void
make_hostile(struct facts *facts, const char *text)
{
	struct fact_input *input;
	struct fact_datagram *d;
	struct fact_question *q;
	struct fact_fetch *fetch;
	struct fact_peer *peer;
	struct fact_override *override;
	struct fact_untested *untested;

	input = &facts_add(facts, FACT_INPUT, "L", 0)->u.input;
	input->has_url = input->http_url = true;
	put(input->host, sizeof(input->host), text);
	put(input->url, sizeof(input->url), text);
	q = &facts_add(facts, FACT_QUESTION, "U", 1)->u.question;
	put(q->name, sizeof(q->name), text);
	put(q->asked, sizeof(q->asked), text);
	q->party = PARTY_RESOLVER;
	q->type = DNS_A;
	q->answers = 1;
	q->elapsed_ms = 1500;
	d = &facts_add(facts, FACT_DATAGRAM, "U", 2)->u.datagram;
	d->question = 1;
	d->ede = d->ip_ttl = -1;
	put(d->chain[0], sizeof(d->chain[0]), text);
	d->chain_length = 1;
	put(d->addresses[0], sizeof(d->addresses[0]), text);
	d->address_count = 1;
	put(d->from, sizeof(d->from), text);
	fetch = &facts_add(facts, FACT_FETCH, "S", 3)->u.fetch;
	put(fetch->address, sizeof(fetch->address), text);
	put(fetch->source, sizeof(fetch->source), text);
	fetch->method = "GET";
	(void)err_set(&fetch->err, REASON_NOT_OCSP, "%s", text);
	peer = &facts_add(facts, FACT_PEER, "L", 4)->u.peer;
	put(peer->address, sizeof(peer->address), text);
	put(peer->text, sizeof(peer->text), text);
	override = &facts_add(facts, FACT_OVERRIDE, "L", 4)->u.override;
	put(override->name, sizeof(override->name), text);
	put(override->file, sizeof(override->file), text);
	untested = &facts_add(facts, FACT_UNTESTED, "-", 5)->u.untested;
	put(untested->what, sizeof(untested->what), text);
	put(untested->why, sizeof(untested->why), text);
}

static struct penalty *
make_penalty(const char *text)
{
	struct penalty *p = mem_new(sizeof(*p));

	(void)err_set(&p->err, REASON_MALFORMED, "%s", text);
	return p;
}

static void
draw(const char *text, bool dns, struct buf *page)
{
	struct facts facts = {0};
	struct diagnosis *diagnosis = mem_new(sizeof(*diagnosis));
	struct penalty *penalty = make_penalty(text);
	struct options o = {0};
	const struct doctor_report doctor = {.o = &o,
	    .target = text,
	    .facts = &facts,
	    .diagnosis = diagnosis,
	    .penalty = penalty};
	const struct dns_report names = {
	    .o = &o, .name = text, .facts = &facts, .diagnosis = diagnosis};

	make_hostile(&facts, text);
	diagnose(&facts, diagnosis);
	put(diagnosis->substitution, sizeof(diagnosis->substitution), text);
	put(diagnosis->findings[0].scope, FACT_NAME_TEXT, text);
	put(diagnosis->findings[0].sentence, FINDING_TEXT, text);
	buf_init(page, HTML_PAGE_MAX);
	if (dns)
		dns_html(page, &names, NOW);
	else
		doctor_html(page, &doctor, NOW);
	free(diagnosis);
	free(penalty);
	facts_done(&facts);
}

static void
test_hostile_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < HOSTILE; i++) {
		for (int dns = 0; dns < 2; dns++) {
			struct buf page;

			draw(hostile[i], dns == 1, &page);
			is_safe(&page);
			buf_done(&page);
		}
	}
}

/* Cut within SVG, but whole in the tooltip; and never within a character. */
static void
test_long_names(void **state)
{
	char text[FACT_NAME_TEXT];
	struct buf page;

	(void)state;
	for (size_t i = 0; i + 1 < sizeof(text); i += 2)
		memcpy(text + i, "\xc3\xa4", 2);
	text[sizeof(text) - 2] = '\0';
	draw(text, false, &page);
	is_safe(&page);
	assert_null(strstr(buf_text(&page), "?…"));
	buf_done(&page);
}

/* The picture says by colour what each address proved. */
static void
test_pictures(void **state)
{
	static const char network[] =
	    "input\n"
	    "ask udp://192.0.2.53 responder = 203.0.113.9 noedns / 192.0.2.1 "
	    ">edge.example\n"
	    "ask udp://192.0.2.53 responder txt = 203.0.113.9 forged-type\n"
	    "ask udp://192.0.2.54 responder = nx\n"
	    "ask udp://192.0.2.55 responder = silent\n"
	    "ask dark://198.51.100.1 responder = 203.0.113.9\n"
	    "fetch 192.0.2.1 ok\n"
	    "fetch 203.0.113.9 connect-refused x3\n";
	struct facts facts = {0};
	struct diagnosis *diagnosis = mem_new(sizeof(*diagnosis));
	struct options o = {0};
	const struct doctor_report report = {
	    .o = &o, .target = "x", .facts = &facts, .diagnosis = diagnosis};
	static const char *const wants[] = {
	    "class=\"good\">192.0.2.1<",
	    "class=\"bad\">203.0.113.9<",
	    "edge.example",
	    "an address for TXT: impossible",
	    "NXDOMAIN",
	    "silent",
	    "answered, and is no resolver",
	    "<circle",
	};
	struct buf page;

	(void)state;
	facts_write(&facts, network);
	diagnose(&facts, diagnosis);
	buf_init(&page, HTML_PAGE_MAX);
	doctor_html(&page, &report, NOW);
	is_safe(&page);
	for (size_t i = 0; i < sizeof(wants) / sizeof(wants[0]); i++) {
		if (strstr(buf_text(&page), wants[i]) == NULL)
			fail_msg("no '%s'", wants[i]);
	}
	buf_done(&page);
	free(diagnosis);
	facts_done(&facts);
}

/* --- the file --- */

static void
test_where_to(void **state)
{
	static const char *const bad[] = {
	    "", "-", "/", "/nowhere/at/all.html", "/proc/x/y.html"};
	struct scratch scratch;
	struct buf page;
	char *path;
	struct err err = {0};

	(void)state;
	scratch_make(&scratch);
	path = scratch_path(&scratch, "page.html");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err why = {0};

		assert_int_equal(html_check(bad[i], &why), -1);
		assert_int_equal(why.reason, REASON_FILE);
	}
	assert_int_equal(html_check(path, &err), 0);
	buf_init(&page, 4);
	buf_puts(&page, "abcd");
	assert_int_equal(html_write(path, &page, &err), 0);
	assert_int_equal(access(path, R_OK), 0);
	assert_int_equal(html_check(path, &err), 0);
	buf_puts(&page, "more than there is room for");
	assert_int_equal(html_write(path, &page, &err), -1);
	buf_done(&page);
	free(path);
	scratch_remove(&scratch);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_hostile_names),
	    cmocka_unit_test(test_long_names),
	    cmocka_unit_test(test_pictures),
	    cmocka_unit_test(test_where_to),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
