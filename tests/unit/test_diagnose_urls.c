/* SPDX-License-Identifier: ISC */
/* test_diagnose_urls.c -- doctor/diagnose_urls: a certificate with several OCSP
 * URLs, and one word for the whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "doctor/finding.h"
#include "doctor/remedy.h"
#include "doctor_facts.h"

#define R1 "udp://192.0.2.53"
#define E1 "tls://192.0.2.101"
#define E2 "tls://192.0.2.102"

/* Each address is of one URL: .1 and .2 are right, .77 and .78 dead. */
#define WORKS(address)                                                   \
	"input\nask system responder = " address "\nask " R1             \
	" responder = " address "\nask " E1 " responder = " address "\n" \
	"fetch " address " ok x3\n"
#define DOWN(address)                                                    \
	"input\nask system responder = " address "\nask " R1             \
	" responder = " address "\nask " E1 " responder = " address "\n" \
	"fetch " address " http-status x3\nweb ok\n"
#define GONE                                                                \
	"input\nask system responder = nx\nask " R1 " responder = nx\nask " \
	"" E1 " responder = nx\nask " E2 " responder = nx\n"
#define POISONED(right, wrong)                                       \
	"input\nask system responder = " wrong "\nask " R1           \
	" responder = " wrong "\nask " E1 " responder = " right "\n" \
	"fetch " right " ok x3\nfetch " wrong " connect-refused x3\n"

#define SECOND "OCSP URL 2, http://ocsp2.ca.example/"
#define LINE "ssl_stapling_responder http://ocsp2.ca.example/;"

static const struct row {
	const char *name;
	const char *facts;
	const char *primary;
	const char *also;  /* a code that must be there too, or NULL */
	const char *never; /* a code that must not be there, or NULL */
	const char *proof; /* a piece of it; "" none at all */
	bool line;         /* the remedy names the other URL */
	size_t findings;
} rows[] = {
    {"both work", WORKS("192.0.2.1") "url 1\n" WORKS("192.0.2.2"), "ok", NULL,
	"inconclusive", "", false, 1},
    {"first dead, second good", DOWN("192.0.2.77") "url 1\n" WORKS("192.0.2.2"),
	"responder-down", NULL, "ok", SECOND ", gives the genuine response;",
	true, 1},
    {"first good, second dead: nothing breaks",
	WORKS("192.0.2.1") "url 1\n" DOWN("192.0.2.78"), "ok", "responder-down",
	NULL, "", false, 2},
    {"first gone, second good", GONE "url 1\n" WORKS("192.0.2.2"), "name-gone",
	NULL, "ok", SECOND, true, 1},
    {"first good, second gone", WORKS("192.0.2.1") "url 1\n" GONE, "ok",
	"name-gone", NULL, "", false, 2},
    {"first gone, second poisoned: both are said",
	GONE "url 1\n" POISONED("192.0.2.2", "192.0.2.78"), "name-gone",
	"dns-resolver-wrong", NULL, "by another way than the system's", true,
	2},
    {"first poisoned: its own proof is enough",
	POISONED("192.0.2.1", "192.0.2.77") "url 1\n" WORKS("192.0.2.2"),
	"dns-resolver-wrong", NULL, "ok", "with the address 192.0.2.1", false,
	1},
    {"both down: nothing proves anything",
	DOWN("192.0.2.77") "url 1\n" DOWN("192.0.2.78"), "responder-down", NULL,
	"ok", "", false, 2},
    {"a resolver that is down is so for both",
	WORKS(
	    "192.0.2.1") "ask udp://192.0.2.54 responder = silent\nask "
			 "udp://192.0.2.54 control = silent\nask " R1
			 " control = 192.0.2.200\n"
			 "url 1\n" WORKS(
			     "192.0.2.2") "ask udp://192.0.2.54 responder = silent\nask udp://192.0.2.54 "
					  "control = silent\nask " R1
					  " control = 192.0.2.200\n",
	"dns-resolver-down", "ok", NULL, "", false, 2},
    {"a clock that is off is off for both",
	"input\nclock 9000 auth a.example\nclock 9000 auth b.example\nask "
	"system responder = 192.0.2.77\nask " E1
	" responder = 192.0.2.77\nfetch 192.0.2.77 expired x3\n"
	"url 1\ninput\nask system responder = 192.0.2.78\nask " E1
	" responder = 192.0.2.78\nfetch 192.0.2.78 expired x3\n",
	"clock-skew", NULL, "resp-expired", "", false, 1},
    {"the third one works, the second does not",
	DOWN("192.0.2.77") "url 1\n" DOWN("192.0.2.78") "url 2\n" WORKS(
	    "192.0.2.3"),
	"responder-down", NULL, NULL,
	"OCSP URL 3, http://ocsp3.ca.example/, gives", false, 2},
};

/* Evidence is of the URL that the finding is about, or of a clock. */
static bool
is_carried(const struct facts *facts, const struct diagnosis *d)
{
	for (size_t i = 0; i < d->count; i++) {
		const struct finding *f = &d->findings[i];

		for (size_t k = 0; k < f->evidence_count; k++) {
			const struct fact *fact = &facts->items[f->evidence[k]];

			if (f->evidence[k] >= facts->count ||
			    (fact->url != f->url && fact->kind != FACT_CLOCK))
				return false;
		}
		if (f->url > 0 &&
		    (f->breaks || strncmp(f->sentence, "OCSP URL ", 9) != 0))
			return false;
	}
	return true;
}

static bool
names_other_url(const struct facts *facts, const struct diagnosis *d)
{
	static const struct remedy_subject subject = {"server.pem", NULL};
	struct remedy remedy;
	bool found = false;

	remedy_make(facts, &d->findings[0], &subject, &remedy);
	for (size_t i = 0; i < remedy.count; i++)
		found = found ||
			strncmp(remedy.lines[i], LINE, sizeof(LINE) - 1) == 0;
	remedy_done(&remedy);
	return found;
}

static bool
fits(
    const struct row *row, const struct facts *facts, const struct diagnosis *d)
{
	const char *proof = d->substitution;

	return strcmp(finding_row(d->findings[0].code)->code, row->primary) ==
		   0 &&
	       d->findings[0].url == 0 && d->count == row->findings &&
	       (row->also == NULL || diagnosis_has(d, row->also)) &&
	       (row->never == NULL || !diagnosis_has(d, row->never)) &&
	       (row->proof[0] == '\0' ? proof[0] == '\0'
				      : strstr(proof, row->proof) != NULL) &&
	       names_other_url(facts, d) == row->line && is_carried(facts, d);
}

static void
test_one_word_for_the_whole(void **state)
{
	size_t wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct diagnosis *d = mem_new(sizeof(*d));
		struct facts facts;

		facts_write(&facts, rows[i].facts);
		diagnose(&facts, d);
		if (!fits(&rows[i], &facts, d)) {
			wrong++;
			print_message(
			    "%s: wanted %s\n", rows[i].name, rows[i].primary);
			for (size_t k = 0; k < d->count; k++)
				print_message("  %s: %s\n",
				    finding_row(d->findings[k].code)->code,
				    d->findings[k].sentence);
			print_message("  proof: %s\n", d->substitution);
		}
		free(d);
		facts_done(&facts);
	}
	assert_int_equal(wrong, 0);
}

/* Appended facts keep their questions, and no gap is said twice. */
static void
test_append(void **state)
{
	struct facts first, later, view;
	size_t *back;

	(void)state;
	facts_write(&first, WORKS("192.0.2.1"));
	facts_write(&later, WORKS("192.0.2.2"));
	for (int i = 0; i < 2; i++) {
		struct facts *facts = i == 0 ? &first : &later;
		struct fact_untested *u =
		    &facts_add(facts, FACT_UNTESTED, "-", 0)->u.untested;

		fact_copy(u->what, sizeof(u->what), "this");
		fact_copy(u->why, sizeof(u->why), "that");
	}
	facts_append(&first, &later, 1);
	assert_null(later.items);
	assert_int_equal(facts_urls(&first), 2);
	facts_of_url(&first, 1, &view, &back);
	for (size_t i = 0; i < view.count; i++) {
		const struct fact *fact = &view.items[i];

		assert_int_not_equal(fact->kind, FACT_UNTESTED);
		assert_int_equal(first.items[back[i]].kind, fact->kind);
		if (fact->kind == FACT_DATAGRAM)
			assert_string_equal(
			    fact->u.datagram.addresses[0], "192.0.2.2");
		if (fact->kind == FACT_DATAGRAM)
			assert_int_equal(
			    view.items[fact->u.datagram.question].kind,
			    FACT_QUESTION);
	}
	assert_non_null(facts_input_of(&first, 1));
	assert_null(facts_input_of(&first, 2));
	free(back);
	facts_done(&view);
	facts_done(&first);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_one_word_for_the_whole),
	    cmocka_unit_test(test_append),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
