/* SPDX-License-Identifier: ISC */
/* test_bisect.c -- doctor/bisect: "one name, the CDN, or everything?"
 *
 * The table of NETWORK-TRUTH 4.3, and what must stay open. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "doctor/bisect.h"
#include "doctor_facts.h"

#define HOST FACTS_HOST
#define EDGE "ocsp.edge.example"
#define LAST "a771.cdn.example"

/* The chain, as some resolver told it. */
#define CHAIN \
	"ask udp://192.0.2.53 responder = >" EDGE " >" LAST " 192.0.2.77\n"

struct dark {
	const char *role, *name;
	unsigned asked, answered;
};

static const struct row {
	const char *name;
	struct dark dark[10];
	enum bisect_outcome outcome;
	enum bisect_answer links[3]; /* n0, n1, nk */
	const char *scope;
	const char *says; /* a part of the verdict */
} rows[] = {
    {"only the CA's name",
	{{"control", NULL, 10, 0}, {"responder", HOST, 10, 10},
	    {"chain", EDGE, 10, 0}, {"chain", LAST, 10, 0},
	    {"sibling", NULL, 10, 0}},
	BISECT_INJECTED, {BISECT_YES, BISECT_NO, BISECT_NO}, "host",
	"only the CA's responder name"},
    {"only the last link: the origin story",
	{{"control", NULL, 10, 0}, {"responder", HOST, 10, 0},
	    {"chain", EDGE, 10, 0}, {"chain", LAST, 10, 9},
	    {"sibling", NULL, 10, 0}},
	BISECT_INJECTED, {BISECT_NO, BISECT_NO, BISECT_YES}, "host",
	"only the single host " LAST},
    {"the customer's name in the middle",
	{{"control", NULL, 10, 0}, {"responder", HOST, 10, 0},
	    {"chain", EDGE, 10, 10}, {"chain", LAST, 10, 0},
	    {"sibling", NULL, 10, 0}},
	BISECT_INJECTED, {BISECT_NO, BISECT_YES, BISECT_NO}, "host",
	"in the middle"},
    {"a whole zone of the CDN",
	{{"control", NULL, 10, 0}, {"responder", HOST, 10, 0},
	    {"chain", EDGE, 10, 0}, {"chain", LAST, 10, 10},
	    {"sibling", "q7x2.cdn.example", 10, 10}},
	BISECT_INJECTED, {BISECT_NO, BISECT_NO, BISECT_YES}, "*.cdn.example",
	"every name that ends in .cdn.example"},
    {"the zone above it too",
	{{"control", NULL, 10, 0}, {"chain", LAST, 10, 10},
	    {"sibling", "q7x2.cdn.example", 10, 10},
	    {"suffix", "q7x2.example", 10, 10}},
	BISECT_INJECTED, {BISECT_OPEN, BISECT_OPEN, BISECT_YES}, "*.example",
	"a whole zone"},
    {"an unanchored rule",
	{{"control", NULL, 10, 0}, {"chain", LAST, 10, 10},
	    {"embedded", NULL, 10, 10}},
	BISECT_INJECTED, {BISECT_OPEN, BISECT_OPEN, BISECT_YES}, "pattern",
	"not anchored"},
    {"everything is answered",
	{{"control", NULL, 10, 10}, {"responder", HOST, 10, 10},
	    {"chain", LAST, 10, 10}},
	BISECT_INTERCEPTED, {BISECT_OPEN, BISECT_OPEN, BISECT_OPEN}, "",
	"interception, not injection"},
    {"the control's name is forged too: not everything is answered",
	{{"control", NULL, 10, 10}, {"responder", HOST, 10, 10},
	    {"chain", EDGE, 10, 0}, {"chain", LAST, 10, 0},
	    {"sibling", NULL, 10, 0}, {"embedded", NULL, 10, 10}},
	BISECT_INJECTED, {BISECT_YES, BISECT_NO, BISECT_NO}, "host",
	"only the CA's responder name"},
    {"silence, without a positive control",
	{{"control", NULL, 10, 0}, {"responder", HOST, 10, 0},
	    {"chain", EDGE, 10, 0}, {"chain", LAST, 10, 0}},
	BISECT_INCONCLUSIVE, {BISECT_OPEN, BISECT_OPEN, BISECT_OPEN}, "",
	"INCONCLUSIVE"},
    {"no dark address", {{NULL, NULL, 0, 0}}, BISECT_INCONCLUSIVE,
	{BISECT_OPEN, BISECT_OPEN, BISECT_OPEN}, "", "--blackhole"},
    {"the control was not asked", {{"responder", HOST, 10, 10}},
	BISECT_INCONCLUSIVE, {BISECT_YES, BISECT_OPEN, BISECT_OPEN}, "",
	"INCONCLUSIVE"},
    {"three silences are no proof",
	{{"control", NULL, 3, 0}, {"responder", HOST, 3, 0},
	    {"chain", LAST, 3, 3}, {"sibling", NULL, 3, 0}},
	BISECT_INJECTED, {BISECT_OPEN, BISECT_OPEN, BISECT_YES}, "",
	"not asked often enough"},
    {"a forger that answers now and then",
	{{"control", NULL, 10, 0}, {"responder", HOST, 10, 0},
	    {"chain", LAST, 10, 3}, {"sibling", NULL, 10, 0}},
	BISECT_INJECTED, {BISECT_OPEN, BISECT_OPEN, BISECT_YES}, "",
	"not asked often enough"},
};

static void
write_facts(const struct row *row, struct facts *facts)
{
	struct buf text;

	buf_init(&text, 1 << 16);
	buf_puts(&text, CHAIN);
	for (size_t i = 0; i < 10 && row->dark[i].role != NULL; i++) {
		const struct dark *d = &row->dark[i];

		for (unsigned n = 0; n < d->asked; n++)
			buf_printf(&text, "ask dark://192.0.2.99 %s %s = %s\n",
			    d->role, d->name == NULL ? "" : d->name,
			    n < d->answered ? "192.0.2.77" : "silent");
	}
	facts_write(facts, buf_text(&text));
	buf_done(&text);
}

static void
test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		struct bisect b;
		struct facts facts;

		write_facts(row, &facts);
		bisect_judge(&facts, HOST, &b);
		if (b.outcome != row->outcome || b.count != 3 ||
		    strcmp(b.scope, row->scope) != 0 ||
		    strstr(b.verdict, row->says) == NULL)
			fail_msg("%s: %s, scope '%s': %s", row->name,
			    bisect_outcome_name(b.outcome), b.scope, b.verdict);
		for (size_t l = 0; l < 3; l++) {
			if (b.links[l].injected != row->links[l])
				fail_msg("%s: link %zu is %d", row->name, l,
				    (int)b.links[l].injected);
		}
		facts_done(&facts);
	}
}

/* This path is clean, a resolver is wrong: proven, or it is not said. */
static void
test_a_wrong_resolver(void **state)
{
	static const char wrong[] =
	    "ask udp://192.0.2.53 responder = 192.0.2.77\n"
	    "ask udp://192.0.2.54 responder = 192.0.2.1\n"
	    "fetch 192.0.2.77 connect-timeout x3\n";
	struct bisect b;
	struct facts facts;
	char text[512];

	(void)state;
	(void)snprintf(text, sizeof(text), "%sfetch 192.0.2.1 ok\n", wrong);
	facts_write(&facts, text);
	bisect_judge(&facts, HOST, &b);
	assert_int_equal(b.outcome, BISECT_RESOLVER);
	assert_string_equal(b.resolver, "udp://192.0.2.53");
	facts_done(&facts);
	facts_write(&facts, wrong);
	bisect_judge(&facts, HOST, &b);
	assert_int_equal(b.outcome, BISECT_INCONCLUSIVE);
	facts_done(&facts);
}

/* Where resolvers part is told, at the last link where they do, and nobody is
 * called right for it. */
static void
test_where_resolvers_part(void **state)
{
	static const struct {
		const char *name, *facts;
		const char *says; /* NULL: nothing */
	} parts[] = {
	    {"at the end of the chain",
		CHAIN "ask udp://192.0.2.54 responder = 192.0.2.1\n"
		      "ask udp://192.0.2.53 chain " LAST " = 192.0.2.77\n"
		      "ask udp://192.0.2.54 chain " LAST " = 192.0.2.1\n",
		"part at " LAST ": udp://192.0.2.53 says 192.0.2.77, "
		"udp://192.0.2.54 says 192.0.2.1"},
	    {"at the first name only",
		CHAIN "ask udp://192.0.2.54 responder = 192.0.2.1\n"
		      "ask udp://192.0.2.53 chain " LAST " = 192.0.2.1\n"
		      "ask udp://192.0.2.54 chain " LAST " = 192.0.2.1\n",
		"part at " HOST},
	    {"nowhere", CHAIN "ask udp://192.0.2.54 responder = 192.0.2.77\n",
		NULL},
	    {"one address in common is enough",
		CHAIN "ask udp://192.0.2.54 responder = 192.0.2.1,192.0.2.77\n",
		NULL},
	    {"silence is no difference",
		CHAIN "ask udp://192.0.2.54 responder = silent\n", NULL},
	    {"an address that is no resolver has no say",
		CHAIN "ask auth://192.0.2.99 responder = 192.0.2.1\n", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		const char *part;
		struct facts facts;
		struct bisect b;
		char text[1024];

		(void)snprintf(text, sizeof(text),
		    "%sask dark://192.0.2.99 control = silent\n",
		    parts[i].facts);
		facts_write(&facts, text);
		bisect_judge(&facts, HOST, &b);
		assert_int_equal(b.outcome, BISECT_INCONCLUSIVE);
		part = strstr(b.verdict, "Resolvers part");
		if ((part == NULL) != (parts[i].says == NULL) ||
		    (part != NULL && strstr(part, parts[i].says) == NULL))
			fail_msg("%s: %s", parts[i].name, b.verdict);
		facts_done(&facts);
	}
}

static void
test_an_address_that_says_no(void **state)
{
	struct bisect b;
	struct facts facts;

	(void)state;
	facts_write(&facts, "ask dark://192.0.2.99 control = icmp\n"
			    "ask dark://192.0.2.99 responder = icmp\n");
	bisect_judge(&facts, HOST, &b);
	assert_int_equal(b.outcome, BISECT_INCONCLUSIVE);
	assert_non_null(strstr(b.verdict, "choose another"));
	facts_done(&facts);
}

/* The fewest hops of any question that was answered; of those that were not,
 * and of others, nothing follows. */
static void
test_hops(void **state)
{
	static const struct {
		int hops;
		bool answered;
	} asked[] = {{1, false}, {3, false}, {7, true}, {5, true}, {6, false}};
	struct facts facts = {0};
	struct bisect b;

	(void)state;
	facts_write(&facts,
	    CHAIN "ask dark://192.0.2.99 control = silent\n"
		  "ask dark://192.0.2.99 responder = 192.0.2.77\n");
	bisect_judge(&facts, HOST, &b);
	assert_int_equal(b.hops, 0);
	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		struct fact_question *q =
		    &facts_add(&facts, FACT_QUESTION, "D", 0)->u.question;

		q->party = PARTY_DARK;
		q->role = ROLE_HOP;
		q->hops = asked[i].hops;
		q->answers = asked[i].answered ? 1 : 0;
	}
	bisect_judge(&facts, HOST, &b);
	assert_int_equal(b.outcome, BISECT_INJECTED);
	assert_int_equal(b.hops, 5);
	/* they are no tries of the name: the statistics are as before */
	assert_int_equal(b.links[0].asked, 1);
	facts_done(&facts);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_hops),
	    cmocka_unit_test(test_table),
	    cmocka_unit_test(test_a_wrong_resolver),
	    cmocka_unit_test(test_where_resolvers_part),
	    cmocka_unit_test(test_an_address_that_says_no),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
