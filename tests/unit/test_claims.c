/* SPDX-License-Identifier: ISC */
/* test_claims.c -- acquire/claims: who is heard, when, and as whom. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

#include "acquire/address_book.h"
#include "acquire/claims.h"
#include "acquire/claims_priv.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/loop.h"
#include "dns/health.h"
#include "dns_script.h"
#include "patience.h"

enum {
	HOLD_MS = 600,    /* of the scripted resolvers */
	LATE_MS = 100,    /* a second datagram */
	WAIT_MS = 20000,  /* for what is to come, at most */
	NEVER_MS = 60000, /* a stagger that nobody waits for */
	SLACK_MS = 30,    /* a timer may be early by its rounding */
};

enum cancel_when { NEVER, IN_CLAIM, IN_SILENT, IN_SETTLED, IN_DONE };

static const struct claims_host localhost = {.name = "localhost"};
static uv_loop_t loop;
static struct dns_script servers[2];
static struct resolver resolvers[2];
static struct acquire_pin pins[4];
static struct acquire_options options;
static struct claims *claims;
static char story[8192];   /* what was told, in order */
static const char *enough; /* when it is this, it is over; or NULL */
static struct dns_question unanswered[2]; /* that says_later() has had */
static size_t unanswered_count;
static int64_t started_ms, first_claim_ms, last_claim_ms;
static int settled, done;
static enum cancel_when cancel_when;
static bool hurry, may_refuse;
/* before anybody is asked: an outsider's answer has named it for a later name */
static const char *outsiders_name;

static void
tell(const char *what)
{
	size_t used = strlen(story);

	(void)snprintf(story + used, sizeof(story) - used, "%s", what);
	if (enough != NULL && strcmp(story, enough) == 0)
		uv_stop(&loop);
}

static void
cancel_if(enum cancel_when now)
{
	if (cancel_when != now)
		return;
	claims_cancel(&claims);
	assert_null(claims);
	tell("cancelled");
	uv_stop(&loop);
}

/* A resolver's URL has a port of the moment: "A" and "B" are theirs. */
static const char *
name_of(const char *source)
{
	return strcmp(source, resolvers[0].url) == 0   ? "A"
	       : strcmp(source, resolvers[1].url) == 0 ? "B"
						       : source;
}

static void answer_the_unanswered(void);

static void
claim_came(void *cookie, const struct claim *claim)
{
	char text[512];

	assert_ptr_equal(cookie, &loop);
	assert_non_null(claims); /* never from within the start */
	(void)snprintf(text, sizeof(text), "%s%s %s%s%s; ",
	    claim->first ? "+" : "", claim->address, name_of(claim->source),
	    claim->asked_name == NULL ? "" : " by ",
	    claim->asked_name == NULL ? "" : claim->asked_name);
	last_claim_ms = clock_mono_ms() - started_ms;
	if (first_claim_ms == -1)
		first_claim_ms = last_claim_ms;
	tell(text);
	answer_the_unanswered();
	cancel_if(IN_CLAIM);
}

static void
claim_refused(void *cookie, const struct claim *claim, const struct err *err)
{
	char text[512];

	(void)cookie;
	assert_int_equal(err->reason, REASON_UNREACHABLE);
	if (!may_refuse)
		fail_msg(
		    "%s was refused", claim->address); /* loopback is near */
	(void)snprintf(text, sizeof(text), "refused %s %s; ", claim->address,
	    name_of(claim->source));
	tell(text);
}

static void
party_asked(void *cookie, const char *party)
{
	(void)cookie;
	fail_msg("%s is no outside party", party);
}

static void
source_silent(void *cookie, const struct claim *claim, const struct err *err,
    int64_t elapsed_ms)
{
	const char *asked_name = claim->asked_name;
	char text[512];

	assert_ptr_equal(cookie, &loop);
	assert_int_not_equal(err->reason, REASON_NONE);
	assert_true(elapsed_ms >= 0 && elapsed_ms < WAIT_MS);
	(void)snprintf(text, sizeof(text), "%s%s%s %s; ",
	    name_of(claim->source), asked_name == NULL ? "" : " by ",
	    asked_name == NULL ? "" : asked_name, reason_name(err->reason));
	tell(text);
	cancel_if(IN_SILENT);
}

static void
claims_settled(void *cookie)
{
	assert_ptr_equal(cookie, &loop);
	assert_true(claims_are_settled(claims));
	settled++;
	if (hurry)
		claims_hurry(claims);
	cancel_if(IN_SETTLED);
}

static void
claims_done(void *cookie)
{
	assert_ptr_equal(cookie, &loop);
	done++;
	tell("done");
	cancel_if(IN_DONE);
	uv_stop(&loop);
}

static const struct claims_callbacks callbacks = {
    .claim = claim_came,
    .refused = claim_refused,
    .asked = party_asked,
    .silent = source_silent,
    .settled = claims_settled,
    .done = claims_done,
};

/* Gather for HOST until done or cancelled, or it is enough; after a cancel
 * nothing comes. */
static void
gather(const char *host)
{
	const struct claims_host about = {.name = host};
	size_t length;

	story[0] = '\0';
	settled = done = 0;
	first_claim_ms = -1;
	started_ms = clock_mono_ms();
	claims = claims_start(&loop, NULL, &about, &options, &callbacks, &loop);
	assert_string_equal(story, "");
	if (outsiders_name != NULL)
		claims_note_chain(claims,
		    &(struct resolver_answer){
			.chain = &outsiders_name, .chain_length = 1},
		    false);
	if (!patience_run(&loop, WAIT_MS))
		fail_msg("not within %d ms: %s", WAIT_MS, story);
	if (enough != NULL)
		claims_cancel(&claims);
	length = strlen(story);
	(void)patience_run(&loop, 50);
	assert_int_equal(strlen(story), length);
	claims_cancel(&claims);
	claims_cancel(&claims);
}

static void
add_server(size_t i, void (*reply)(const struct dns_question *question))
{
	assert_true(dns_script_start(&servers[i], &loop, false, reply));
	resolvers[i] = dns_script_resolver(&servers[i], HOLD_MS);
	options.resolvers = resolvers;
	options.resolver_count = i + 1;
}

static void
add_pin(const char *text)
{
	assert_int_equal(
	    acquire_pin_parse(text, &pins[options.pin_count++], NULL), 0);
	options.pins = pins;
}

static int
set_up(void **state)
{
	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	memset(servers, 0, sizeof(servers));
	memset(resolvers, 0, sizeof(resolvers));
	servers[0].fd = servers[1].fd = -1;
	options = (struct acquire_options){.timeout_ms = WAIT_MS};
	cancel_when = NEVER;
	hurry = may_refuse = false;
	outsiders_name = NULL;
	enough = NULL;
	unanswered_count = 0;
	claims = NULL;
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	dns_script_stop(&servers[0]);
	dns_script_stop(&servers[1]);
	loop_end(&loop);
	return 0;
}

/* --- what the scripted resolvers say --- */

/* A's one address, AAAA's none. */
static void
says_1(const struct dns_question *question)
{
	dns_say(question, "192.0.2.1");
}

static void
says_2(const struct dns_question *question)
{
	dns_say(question, "192.0.2.2");
}

/* Not a word, until another one has made the first claim. */
static void
says_later(const struct dns_question *question)
{
	if (unanswered_count <
	    2) /* it may be asked again, for all its silence */
		unanswered[unanswered_count++] = *question;
}

static void
answer_the_unanswered(void)
{
	for (; unanswered_count > 0; unanswered_count--)
		says_2(&unanswered[unanswered_count - 1]);
}

/* As an injector on the path: a lie, and the truth behind it. */
static void
lied_to(const struct dns_question *question)
{
	struct wire wire;

	dns_say(question, "203.0.113.9");
	dns_begin(&wire, question, 0);
	if (question->type == DNS_A)
		wire_address(&wire, question->name, "192.0.2.1");
	dns_script_send_later(question, &wire, LATE_MS);
}

static void
says_nxdomain(const struct dns_question *question)
{
	dns_deny(question, 3);
}

/* The first name is lied about, and the later one of its chain is not. */
static void
has_a_chain(const struct dns_question *question)
{
	struct wire wire;

	dns_begin(&wire, question, 0);
	if (strcasecmp(question->name, "ocsp.test") == 0) {
		wire_cname(&wire, "ocsp.test", "cdn.test");
		if (question->type == DNS_A)
			wire_address(&wire, "cdn.test", "203.0.113.9");
	} else if (question->type == DNS_A) {
		wire_address(&wire, question->name, "192.0.2.1");
	}
	dns_script_send(question, &wire);
}

static void
lies_about_the_first(const struct dns_question *question)
{
	bool first = strcasecmp(question->name, "ocsp.test") == 0;

	dns_say(question, first ? "203.0.113.9" : "192.0.2.2");
}

/* A private one for whatever it is asked. */
static void
says_private(const struct dns_question *question)
{
	dns_say(question, strcasecmp(question->name, "ocsp.test") == 0
			      ? "10.0.0.1"
			      : "10.0.0.2");
}

/* Two of one family and one of the other. */
static void
has_both_families(const struct dns_question *question)
{
	struct wire wire;

	dns_begin(&wire, question, 0);
	if (question->type == DNS_A) {
		wire_address(&wire, question->name, "192.0.2.1");
		wire_address(&wire, question->name, "192.0.2.2");
	} else {
		wire_address(&wire, question->name, "2001:db8::1");
	}
	dns_script_send(question, &wire);
}

/* --- the tests --- */

static void
test_pins_alone(void **state)
{
	(void)state;
	add_pin("ocsp.test=192.0.2.7");
	add_pin("other.test=192.0.2.8");
	add_pin("OCSP.test=2001:db8::7");
	gather("ocsp.test");
	/* the other family is no contradiction: it waits for its turn */
	assert_string_equal(story, "+192.0.2.7 pin; 2001:db8::7 pin; done");
	assert_int_equal(done, 1);
}

/* An address that was proven a moment ago goes alone, and nobody is asked; all
 * others join as ever. */
static void
test_proven_goes_alone(void **state)
{
	static const struct {
		const char *name;
		struct {
			const char *address;
			int64_t age_s;
			int failures;
		} book[2];
		bool hurry; /* what was told fails at once */
		const char *story;
	} rows[] = {
	    {"just proven", {{"192.0.2.5", 0, 0}}, false, "+192.0.2.5 book; "},
	    {"nearly too long ago", {{"192.0.2.5", CLAIMS_PROVEN_S - 5, 0}},
		false, "+192.0.2.5 book; "},
	    {"it fails now", {{"192.0.2.5", 0, 0}}, true,
		"+192.0.2.5 book; +127.0.0.1 system; "},
	    {"the latest of two", {{"192.0.2.4", 60, 0}, {"192.0.2.5", 5, 0}},
		false, "+192.0.2.5 book; "},
	    {"the latest of two, and it fails now",
		{{"192.0.2.4", 60, 0}, {"192.0.2.5", 5, 0}}, true,
		"+192.0.2.5 book; 192.0.2.4 book; +127.0.0.1 system; "},
	    {"too long ago", {{"192.0.2.5", CLAIMS_PROVEN_S + 5, 0}}, false,
		"+192.0.2.5 book; +127.0.0.1 system; "},
	    {"it has failed since", {{"192.0.2.5", 5, 1}}, false,
		"+192.0.2.5 book; +127.0.0.1 system; "},
	    {"proven in the future", {{"192.0.2.5", -3600, 0}}, false,
		"+192.0.2.5 book; +127.0.0.1 system; "},
	    {"of no wanted family", {{"2001:db8::5", 0, 0}}, false,
		"+127.0.0.1 system; "},
	};

	(void)state;
	options.ask_system = true;
	options.stagger_ms = NEVER_MS;
	options.family = RESOLVER_IPV4;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct address_book *book = address_book_new();
		int64_t now = clock_wall_s();

		print_message("%s\n", rows[i].name);
		for (size_t k = 0; k < 2; k++) {
			const char *address = rows[i].book[k].address;

			if (address == NULL)
				continue;
			address_book_prove(book, "localhost", address, 1,
			    now - rows[i].book[k].age_s);
			for (int f = 0; f < rows[i].book[k].failures; f++)
				address_book_fail(book, "localhost", address);
		}
		options.book = book;
		hurry = rows[i].hurry;
		enough = rows[i].story;
		gather("localhost");
		assert_string_equal(story, rows[i].story);
		/* alone: no answer is waited for behind it */
		if (strstr(story, "system") == NULL)
			assert_int_equal(settled, 1);
		address_book_free(book);
	}
}

static void
test_nobody_to_ask(void **state)
{
	(void)state;
	options.stagger_ms = NEVER_MS;
	gather("ocsp.test");
	assert_string_equal(story, "done");
}

/* DESIGN, Acquire 1: each class joins after a stagger. */
static void
test_classes_in_order(void **state)
{
	(void)state;
	add_pin("localhost=192.0.2.7");
	options.ask_system = true;
	options.family = RESOLVER_IPV4;
	add_server(0, says_1);
	gather("localhost");
	assert_string_equal(
	    story, "+192.0.2.7 pin; +127.0.0.1 system; +192.0.2.1 A; done");
	assert_true(last_claim_ms >= 2 * (ACQUIRE_STAGGER_MS - SLACK_MS));
}

static void
test_hurry(void **state)
{
	(void)state;
	add_pin("localhost=192.0.2.7");
	options.ask_system = true;
	options.family = RESOLVER_IPV4;
	add_server(0, says_1);
	options.stagger_ms = NEVER_MS;
	hurry = true;
	gather("localhost");
	assert_string_equal(
	    story, "+192.0.2.7 pin; +127.0.0.1 system; +192.0.2.1 A; done");
}

static void
test_empty_classes_cost_nothing(void **state)
{
	(void)state;
	add_server(0, says_1);
	options.stagger_ms = NEVER_MS;
	enough = "+192.0.2.1 A; ";
	gather("ocsp.test");
}

static void
test_told_once_by_the_first(void **state)
{
	(void)state;
	add_pin("localhost=127.0.0.1");
	add_pin("localhost=192.0.2.1");
	add_pin("localhost=192.0.2.1");
	options.ask_system = true;
	options.family = RESOLVER_IPV4;
	add_server(0, says_1);
	add_server(1, says_2);
	resolvers[1].hold_ms = 2 * HOLD_MS; /* ends last */
	gather("localhost");
	assert_string_equal(
	    story, "+127.0.0.1 pin; +192.0.2.1 pin; +192.0.2.2 B; done");
}

/* The same resolver, named twice and in resolv.conf, is asked once. */
static void
test_asked_once(void **state)
{
	(void)state;
	add_server(0, says_1);
	resolvers[1] = resolvers[0];
	options.resolver_count = 2;
	gather("ocsp.test");
	assert_string_equal(story, "+192.0.2.1 A; done");
	assert_int_equal(servers[0].questions, 2); /* A and AAAA */
}

/* Every datagram is an answer of its own. */
static void
test_late_datagram(void **state)
{
	(void)state;
	add_server(0, lied_to);
	gather("ocsp.test");
	assert_string_equal(story, "+203.0.113.9 A; +192.0.2.1 A; done");
	assert_true(last_claim_ms >= LATE_MS - SLACK_MS);
	assert_true(settled >= 1);
}

static void
test_families(void **state)
{
	(void)state;
	add_server(0, has_both_families);
	options.family = RESOLVER_IPV6;
	gather("ocsp.test");
	assert_string_equal(story, "+2001:db8::1 A; done");
	options.family = RESOLVER_IPV4;
	gather("ocsp.test");
	assert_string_equal(story, "+192.0.2.1 A; 192.0.2.2 A; done");
	add_pin("ocsp.test=2001:db8::7");
	gather("ocsp.test");
	assert_string_equal(story, "+192.0.2.1 A; 192.0.2.2 A; done");
}

/* An address is its own answer, in its own family. */
static void
test_numeric_host(void **state)
{
	(void)state;
	options.ask_system = true;
	add_server(0, says_1);
	gather("192.0.2.5");
	assert_string_equal(story, "+192.0.2.5 system; done");
	assert_int_equal(servers[0].questions, 0);
	gather("2001:db8::5");
	assert_string_equal(story, "+2001:db8::5 system; done");
	options.family = RESOLVER_IPV4;
	gather("2001:db8::5");
	assert_string_equal(story, "system dns-no-answer; done");
}

/* B13: neither a certificate's URL nor what was proven once leads to where no
 * responder can be, such as a cloud's metadata service. */
static void
test_nowhere(void **state)
{
	static const int64_t ages[] = {0, CLAIMS_PROVEN_S + 5};

	(void)state;
	may_refuse = true;
	options.ask_system = true;
	gather("169.254.169.254");
	if (strcmp(story, "refused 169.254.169.254 system; done") != 0)
		fail_msg("B13: a literal in the URL: %s", story);
	options.ask_system = false;
	for (size_t i = 0; i < sizeof(ages) / sizeof(*ages); i++) {
		struct address_book *book = address_book_new();

		address_book_prove(book, "ocsp.test", "169.254.169.254", 1,
		    clock_wall_s() - ages[i]);
		options.book = book;
		gather("ocsp.test");
		if (strcmp(story, "refused 169.254.169.254 book; done") != 0)
			fail_msg(
			    "B13: proven %d s ago: %s", (int)ages[i], story);
		address_book_free(book);
		options.book = NULL;
	}
}

/* B13: who is outside may not name an address within by naming another name for
 * the host, which then is looked up here. */
static void
test_chain_of_an_outsider(void **state)
{
	(void)state;
	add_server(0, says_private);
	options.family = RESOLVER_IPV4;
	options.stagger_ms = NEVER_MS;
	hurry = may_refuse = true;
	outsiders_name = "router.test";
	gather("ocsp.test");
	if (strstr(story, "+10.0.0.1 A; ") == NULL ||
	    strstr(story, "refused 10.0.0.2 A; ") == NULL)
		fail_msg("B13: %s", story);
	assert_int_equal(servers[0].questions, 2);
}

static void
test_chain_by_itself(void **state)
{
	(void)state;
	add_server(0, has_a_chain);
	options.family = RESOLVER_IPV4;
	options.stagger_ms = NEVER_MS; /* datagrams are cheap: at once */
	enough = "+203.0.113.9 A; +192.0.2.1 A by cdn.test; ";
	gather("ocsp.test");
	assert_int_equal(servers[0].questions, 2);
}

/* One knows the chain and lies about its end, the other lies about its first
 * name: the later name is asked of both. */
static void
test_chain_of_another(void **state)
{
	(void)state;
	add_server(0, has_a_chain);
	add_server(1, lies_about_the_first);
	options.family = RESOLVER_IPV4;
	enough = "+203.0.113.9 A; +192.0.2.1 A by cdn.test; "
		 "+192.0.2.2 B by cdn.test; ";
	gather("ocsp.test");
	assert_int_equal(servers[1].questions, 2);
}

static void
test_silence_has_a_reason(void **state)
{
	(void)state;
	add_server(0, says_nxdomain);
	add_server(1, NULL);
	resolvers[1].hold_ms = 2 * HOLD_MS;
	gather("ocsp.test");
	assert_string_equal(story, "A dns-nxdomain; B dns-no-answer; done");
}

/* Who was silent lately is asked last: here, when the other one has still not
 * said a word. */
static void
test_silent_ones_last(void **state)
{
	static struct health health;

	(void)state;
	memset(&health, 0, sizeof(health));
	options.health = &health;
	add_server(0, says_1);
	add_server(1, says_later);
	resolvers[1].hold_ms = NEVER_MS;
	health_note(&health, resolvers[0].url, false, clock_mono_ms());
	enough = "+192.0.2.1 A; +192.0.2.2 B; ";
	gather("ocsp.test");
	assert_true(first_claim_ms >= ACQUIRE_STAGGER_MS - SLACK_MS);
}

/* A dead one costs nothing the second time: what is asked beside it does not
 * wait for it. */
static void
test_silent_one_costs_nothing(void **state)
{
	static struct health health;

	(void)state;
	memset(&health, 0, sizeof(health));
	options.health = &health;
	options.stagger_ms = NEVER_MS;
	add_server(0, says_1);
	add_server(1, NULL);
	health_note(&health, resolvers[1].url, false, clock_mono_ms());
	enough = "+192.0.2.1 A; ";
	gather("ocsp.test");
	assert_int_equal(servers[1].questions, 0);
}

/* Answers are remembered as health, and so is silence. */
static void
test_memory_of_health(void **state)
{
	static struct health health;

	(void)state;
	memset(&health, 0, sizeof(health));
	options.health = &health;
	add_server(0, says_1);
	add_server(1, NULL);
	health_note(&health, resolvers[0].url, false, clock_mono_ms());
	gather("ocsp.test");
	assert_int_equal(done, 1);
	assert_false(
	    health_is_sick(&health, resolvers[0].url, clock_mono_ms()));
	assert_true(health_is_sick(&health, resolvers[1].url, clock_mono_ms()));
}

static void
test_cancel_in_callbacks(void **state)
{
	static const struct {
		enum cancel_when when;
		const char *story;
	} rows[] = {
	    {IN_CLAIM, "+192.0.2.7 pin; cancelled"},
	    {IN_SETTLED, "+192.0.2.7 pin; 2001:db8::7 pin; cancelled"},
	    {IN_SILENT, "+192.0.2.7 pin; 2001:db8::7 pin; "
			"A dns-nxdomain; cancelled"},
	    {IN_DONE, "+192.0.2.7 pin; 2001:db8::7 pin; "
		      "A dns-nxdomain; donecancelled"},
	};

	(void)state;
	add_pin("ocsp.test=192.0.2.7");
	add_pin("ocsp.test=2001:db8::7");
	add_server(0, says_nxdomain);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cancel_when = rows[i].when;
		gather("ocsp.test");
		assert_string_equal(story, rows[i].story);
	}
	/* in an answer of a resolver, of which more are to come */
	dns_script_stop(&servers[0]);
	options.pin_count = 0;
	add_server(0, has_both_families);
	options.family = RESOLVER_IPV4;
	cancel_when = IN_CLAIM;
	gather("ocsp.test");
	assert_string_equal(story, "+192.0.2.1 A; cancelled");
}

static void
test_cancel_at_any_time(void **state)
{
	(void)state;
	add_pin("localhost=192.0.2.7");
	options.ask_system = true;
	add_server(0, lied_to);
	for (int64_t ms = 0; ms < 3 * ACQUIRE_STAGGER_MS; ms += 61) {
		size_t length;

		story[0] = '\0';
		claims = claims_start(
		    &loop, NULL, &localhost, &options, &callbacks, &loop);
		(void)patience_run(&loop, ms);
		length = strlen(story);
		claims_cancel(&claims);
		(void)patience_run(&loop, 10);
		assert_int_equal(strlen(story), length);
	}
}

/* clang-format off */
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
/* clang-format on */

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_pins_alone),
	    TEST(test_proven_goes_alone),
	    TEST(test_nobody_to_ask),
	    TEST(test_classes_in_order),
	    TEST(test_hurry),
	    TEST(test_empty_classes_cost_nothing),
	    TEST(test_told_once_by_the_first),
	    TEST(test_asked_once),
	    TEST(test_late_datagram),
	    TEST(test_families),
	    TEST(test_numeric_host),
	    TEST(test_nowhere),
	    TEST(test_chain_by_itself),
	    TEST(test_chain_of_an_outsider),
	    TEST(test_chain_of_another),
	    TEST(test_silence_has_a_reason),
	    TEST(test_silent_ones_last),
	    TEST(test_silent_one_costs_nothing),
	    TEST(test_memory_of_health),
	    TEST(test_cancel_in_callbacks),
	    TEST(test_cancel_at_any_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
