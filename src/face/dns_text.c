/* SPDX-License-Identifier: ISC */
/* face/dns_text.c -- what was asked and answered of a name, as lines. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "face/dns_report.h"

enum { ANSWER_TEXT = 1024 }; /* addresses of one answer, as one text */

/* Answers that are worth a line each; all with -v. */
static bool
is_shown(const struct dns_report *r, const struct fact_question *q)
{
	if (r->o->verbose > 0)
		return true;
	return (q->role == ROLE_RESPONDER || q->role == ROLE_CHAIN ||
		   q->role == ROLE_CONTROL) &&
	       q->repeat == 0;
}

static const char *
type_name(const struct fact_question *q)
{
	return q->party == PARTY_SYSTEM ? "A+AAAA" : dns_type_name(q->type);
}

static void
print_records(const struct fact_datagram *d)
{
	for (size_t i = 0; i < d->chain_length; i++)
		(void)printf(" -> %s", d->chain[i]);
	for (size_t i = 0; i < d->server_count; i++)
		(void)printf(" %s", d->servers[i]);
	for (size_t i = 0; i < d->address_count; i++)
		(void)printf(" %s%s", d->addresses[i],
		    (d->pooled >> i & 1) != 0 ? " (in the pool)" : "");
}

/* How it came: of answers over UDP all that tells a forger from a resolver. */
static void
print_marks(const struct fact_datagram *d, const struct fact_question *q)
{
	if (q->party == PARTY_SYSTEM || d->malformed)
		return;
	(void)printf("  [%s%s%s%s", d->authoritative ? "AA " : "",
	    d->truncated ? "TC " : "", d->recursion ? "RA " : "",
	    d->edns ? "EDNS" : "no EDNS");
	if (d->ede >= 0)
		(void)printf(", EDE %d", d->ede);
	if (d->ttl_s >= 0)
		(void)printf(", TTL %lld s", (long long)d->ttl_s);
	if (d->ip_ttl >= 0)
		(void)printf(", IP TTL %d", d->ip_ttl);
	if (d->size > 0)
		(void)printf(", %zu octets", d->size);
	(void)printf("]");
}

static void
print_datagram(const struct fact *fact, const struct fact *question)
{
	static const char *const rcodes[] = {
	    "", " FORMERR", " SERVFAIL", " NXDOMAIN", " NOTIMP", " REFUSED"};
	const struct fact_datagram *d = &fact->u.datagram;
	const struct fact_question *q = &question->u.question;
	int rcode = d->rcode >= 0 && d->rcode <= 5 ? d->rcode : 0;

	(void)printf(
	    "      %5lld ms", (long long)(fact->at_ms - question->at_ms));
	if (d->elsewhere)
		(void)printf(" from %s, not believed:", d->from);
	if (d->malformed)
		(void)printf(" malformed, %zu octets", d->size);
	else {
		(void)printf("%s", rcodes[rcode]);
		if (d->rcode > 5)
			(void)printf(" rcode %d", d->rcode);
		print_records(d);
		if (d->rcode == 0 && d->address_count == 0 &&
		    d->server_count == 0)
			(void)printf(
			    " no %s", q->type == DNS_A || q->type == DNS_AAAA
					  ? "address"
					  : "record of it");
	}
	if (d->wrong_type)
		(void)printf("  [an address for %s: impossible]", type_name(q));
	print_marks(d, q);
	(void)printf("\n");
}

/* The addresses of the first answer to the question INDEX, as one text; "":
 * silence. */
static void
first_answer(const struct facts *facts, size_t index, char *out, size_t size)
{
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = index + 1; i < facts->count; i++) {
		const struct fact_datagram *d = &facts->items[i].u.datagram;

		if (facts->items[i].kind != FACT_DATAGRAM ||
		    d->question != index || d->elsewhere)
			continue;
		len = (size_t)snprintf(out, size, "rcode %d", d->rcode);
		for (size_t k = 0; k < d->address_count && len < size; k++)
			len += (size_t)snprintf(
			    out + len, size - len, " %s", d->addresses[k]);
		return;
	}
}

/* The same question again: what came, beside what came the first time. */
static void
print_repeats(const struct dns_report *r, size_t index)
{
	const struct facts *facts = r->facts;
	const struct fact_question *q = &facts->items[index].u.question;
	char first[ANSWER_TEXT], again[ANSWER_TEXT];
	unsigned same = 0, other = 0, silent = 0;

	first_answer(facts, index, first, sizeof(first));
	for (size_t i = index + 1; i < facts->count; i++) {
		const struct fact_question *o = &facts->items[i].u.question;

		if (facts->items[i].kind != FACT_QUESTION || o->repeat == 0 ||
		    o->party != q->party || o->role != q->role ||
		    o->type != q->type || o->cd != q->cd ||
		    o->no_rd != q->no_rd || strcmp(o->asked, q->asked) != 0 ||
		    strcasecmp(o->name, q->name) != 0)
			continue;
		first_answer(facts, i, again, sizeof(again));
		if (strcmp(first, again) == 0)
			same++;
		else if (again[0] == '\0')
			silent++;
		else
			other++;
	}
	if (same + other + silent == 0)
		return;
	(void)printf(
	    "               asked %u times more: ", same + other + silent);
	if (other + silent == 0)
		(void)printf("the same\n");
	else
		(void)printf("%u the same, %u something else, %u nothing (-v "
			     "shows them)\n",
		    same, other, silent);
}

static void
print_question(const struct dns_report *r, size_t index)
{
	const struct fact *question = &r->facts->items[index];
	const struct fact_question *q = &question->u.question;
	bool own = strcasecmp(q->name, r->name) == 0;

	(void)printf("    %s%s%s%s%s\n", type_name(q), own ? "" : " of ",
	    own ? "" : q->name, q->cd ? ", CD=1" : "",
	    q->no_rd ? ", RD=0" : "");
	if (q->err.reason != REASON_NONE)
		(void)printf("      %5lld ms nothing: %s\n",
		    (long long)q->elapsed_ms, reason_name(q->err.reason));
	for (size_t i = index + 1; i < r->facts->count; i++) {
		if (r->facts->items[i].kind == FACT_DATAGRAM &&
		    r->facts->items[i].u.datagram.question == index)
			print_datagram(&r->facts->items[i], question);
	}
	if (q->repeat == 0 && r->o->verbose == 0)
		print_repeats(r, index);
}

/* All that one party was asked, under its name; each party once. */
static void
print_party(const struct dns_report *r, size_t first)
{
	const struct fact_question *of = &r->facts->items[first].u.question;

	for (size_t i = 0; i < first; i++) {
		const struct fact_question *q = &r->facts->items[i].u.question;

		if (r->facts->items[i].kind == FACT_QUESTION &&
		    q->party == of->party && strcmp(q->asked, of->asked) == 0)
			return;
	}
	(void)printf("  %s%s\n", of->asked,
	    of->party == PARTY_DARK
		? ", where no resolver is: whatever answers is not it"
	    : of->party == PARTY_AUTHORITY ? ", a server of the zone itself"
					   : "");
	for (size_t i = first; i < r->facts->count; i++) {
		const struct fact_question *q = &r->facts->items[i].u.question;

		if (r->facts->items[i].kind == FACT_QUESTION &&
		    q->party == of->party && strcmp(q->asked, of->asked) == 0 &&
		    is_shown(r, q))
			print_question(r, i);
	}
}

static void
print_bisect(const struct bisect *b)
{
	(void)printf("\nbisect: %s.\n", b->verdict);
	for (size_t i = 0; i < b->count; i++) {
		const struct bisect_link *link = &b->links[i];

		(void)printf("  %-50s %u of %u answered  %s\n", link->name,
		    link->answered, link->asked,
		    link->injected == BISECT_YES  ? "injected"
		    : link->injected == BISECT_NO ? "not injected"
						  : "not known");
	}
	if (b->scope[0] != '\0')
		(void)printf("  scope: %s\n", b->scope);
	if (b->hops > 0)
		(void)printf("  answered within %d hop%s: whoever answers is "
			     "no farther away\n",
		    b->hops, b->hops == 1 ? "" : "s");
}

void
dns_report_text(const struct dns_report *r)
{
	const char *chain[NAMES_CHAIN_MAX];
	size_t length = names_chain(r->facts, r->name, chain);
	bool any = false;

	(void)printf("%s", r->name);
	for (size_t i = 0; i < length; i++)
		(void)printf(" -> %s", chain[i]);
	(void)printf("\n");
	if (!r->o->quiet) {
		(void)printf("each answer, by who was asked; ms after the "
			     "question\n");
		for (size_t i = 0; i < r->facts->count; i++) {
			if (r->facts->items[i].kind == FACT_QUESTION)
				print_party(r, i);
		}
	}
	if (r->bisect != NULL)
		print_bisect(r->bisect);
	(void)printf("\n");
	for (size_t i = 0; i < r->diagnosis->count; i++) {
		const struct finding *f = &r->diagnosis->findings[i];

		if (!dns_report_tells(r->diagnosis, i))
			continue;
		any = true;
		(void)printf("%s (%s): %s\n", finding_row(f->code)->code,
		    certainty_name(f->certainty), f->sentence);
	}
	if (!any)
		(void)printf("nothing was seen that only a forger does. That "
			     "answers differ is no proof of anything: `oclasp "
			     "fetch` and `oclasp doctor` prove which addresses "
			     "give a genuine response.\n");
}
