/* SPDX-License-Identifier: ISC */
/* doctor/diagnose_injection.c -- answers that no honest network can give.
 *
 * The word "injection" is said here only, and only with evidence of class I
 * (NETWORK-TRUTH 3.1): an answer from where no resolver is, two answers that
 * contradict each other, an address in answer to a question for something else,
 * an address for a neighbour that its own zone says does not exist; or where
 * the other side is proven and two circumstances agree. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doctor/diagnose_priv.h"

enum { CIRCUMSTANCES = 2 };

/* --- who answers where nobody should --- */

static const struct seen_asked *
find_dark(const struct picture *p)
{
	for (size_t i = 0; i < p->asked_count; i++) {
		if (p->asked[i].party == PARTY_DARK)
			return &p->asked[i];
	}
	return NULL;
}

/* How often questions of ROLE to the dark address were answered; NAME NULL:
 * whatever the name. */
static unsigned
dark_answers(const struct picture *p, enum fact_role role, const char *name)
{
	const struct fact *fact;
	unsigned answered = 0;

	for (size_t i = 0;
	     (fact = next_fact(p->facts, FACT_QUESTION, &i)) != NULL;) {
		const struct fact_question *q = &fact->u.question;

		if (q->party == PARTY_DARK && q->role == role &&
		    (name == NULL || strcasecmp(q->name, name) == 0) &&
		    q->answers > 0)
			answered++;
	}
	return answered;
}

/* An answer for a name of the chain from where no resolver is, that is not
 * known to be right; PICTURE_NONE: there is none. */
static size_t
dark_answer(const struct picture *p)
{
	const struct fact *fact;

	for (size_t i = 0;
	     (fact = next_fact(p->facts, FACT_DATAGRAM, &i)) != NULL;) {
		const struct fact_question *q =
		    &p->facts->items[fact->u.datagram.question].u.question;

		/* who tells the truth there is a resolver after all */
		if (q->party == PARTY_DARK && !fact->u.datagram.elsewhere &&
		    picture_state_of(p, &fact->u.datagram) != ANSWER_RIGHT &&
		    (q->role == ROLE_RESPONDER || q->role == ROLE_CHAIN))
			return i - 1;
	}
	return PICTURE_NONE;
}

/* Somebody who cannot be lied for names an address of the responder; BY: one
 * that BY names too. */
static bool
is_vouched_for(const struct workup *w, const struct seen_asked *by)
{
	for (size_t i = 0; i < w->p->address_count; i++) {
		const char *address = w->p->addresses[i].address;

		if ((by == NULL || picture_names(w->p, by, address)) &&
		    is_trusted_address(w, address))
			return true;
	}
	return false;
}

/* Everything is answered, also what nobody would forge.  Where nothing gives a
 * genuine response, an answer is not false for that. */
static void
diagnose_interception(struct workup *w, const struct seen_asked *dark)
{
	struct finding *finding;
	bool proven = w->works || dark->responder == ANSWER_RIGHT;
	bool right = proven || is_vouched_for(w, dark);
	bool rewritten = !right && (w->p->direct_proven ||
				       (dark->responder == ANSWER_NXDOMAIN &&
					   is_vouched_for(w, NULL)));

	finding = finding_add(w,
	    rewritten ? FINDING_DNS_INTERCEPTED_POLICY
		      : FINDING_DNS_INTERCEPTED,
	    rewritten && !w->p->direct_proven ? CERTAINTY_STRONG
					      : CERTAINTY_PROVEN,
	    rewritten);
	if (!proven && !rewritten)
		finding_say(finding,
		    "something on the path answers every DNS question, whoever "
		    "is asked; %s",
		    right ? "of this name it says what those say who cannot be "
			    "lied for"
			  : "whether what it says of this name is right is not "
			    "known");
	finding_about(finding, dark, w->p->host);
	finding_cite(finding, dark->control);
	finding_cite(finding, dark->datagram);
}

/* --- which name, and how wide --- */

/* True if DATAGRAM, an answer of the fact INDEX, is impossible by itself. */
static bool
is_impossible(const struct picture *p, size_t index)
{
	const struct fact_datagram *d = &p->facts->items[index].u.datagram;
	const struct fact_question *q =
	    &p->facts->items[d->question].u.question;

	if (q->role != ROLE_RESPONDER && q->role != ROLE_CHAIN)
		return false;
	if (q->party == PARTY_DARK || d->wrong_type)
		return true;
	for (size_t i = 0; i < p->asked_count; i++) {
		if (p->asked[i].second == index)
			return true;
	}
	return false;
}

/* The first name that impossible answers were given for: of one, the others
 * of the chain are not touched. */
static const char *
injected_name(const struct picture *p, bool *several)
{
	const char *name = NULL;
	const struct fact *fact;

	*several = false;
	for (size_t i = 0;
	     (fact = next_fact(p->facts, FACT_DATAGRAM, &i)) != NULL;) {
		const char *other =
		    p->facts->items[fact->u.datagram.question].u.question.name;

		if (!is_impossible(p, i - 1))
			continue;
		if (name == NULL)
			name = other;
		else if (strcasecmp(name, other) != 0)
			*several = true;
	}
	return name;
}

/* The zone that a random neighbour with forged answers is in, the shortest of
 * them: "*.dscq.example". */
static void
set_suffix(const struct picture *p, char scope[FACT_NAME_TEXT])
{
	const struct fact *fact;
	const char *best = NULL;

	for (size_t i = 0;
	     (fact = next_fact(p->facts, FACT_QUESTION, &i)) != NULL;) {
		const struct fact_question *q = &fact->u.question;
		const char *parent = strchr(q->name, '.');

		if ((q->role != ROLE_SIBLING && q->role != ROLE_SUFFIX) ||
		    q->answers == 0 || parent == NULL || q->party != PARTY_DARK)
			continue;
		if (best == NULL || strlen(parent) < strlen(best))
			best = parent;
	}
	if (best != NULL)
		(void)snprintf(scope, FACT_NAME_TEXT, "*%s", best);
}

/* True if several names of the chain are injected. */
static bool
set_scope(const struct workup *w, struct finding *finding)
{
	const struct seen_asked *dark = find_dark(w->p);
	bool several;
	const char *name = injected_name(w->p, &several);

	finding_about(finding, NULL, name);
	if (dark == NULL || name == NULL)
		return several;
	/* the embedded one is below the control, which may be forged itself */
	if (dark_answers(w->p, ROLE_EMBEDDED, NULL) > 0 &&
	    !dark->control_answered)
		(void)snprintf(
		    finding->scope, sizeof(finding->scope), "pattern");
	else if (dark_answers(w->p, ROLE_SIBLING, NULL) > 0 ||
		 dark_answers(w->p, ROLE_SUFFIX, NULL) > 0)
		set_suffix(w->p, finding->scope);
	else
		(void)snprintf(finding->scope, sizeof(finding->scope), "host");
	return several;
}

/* --- the evidence --- */

/* Another who cannot be lied for says that NAME does not exist. */
static bool
does_not_exist(const struct picture *p, const char *name)
{
	const struct fact *fact;

	for (size_t i = 0;
	     (fact = next_fact(p->facts, FACT_DATAGRAM, &i)) != NULL;) {
		const struct fact_question *q =
		    &p->facts->items[fact->u.datagram.question].u.question;

		if (fact->u.datagram.rcode != 3 ||
		    strcasecmp(q->name, name) != 0)
			continue;
		for (size_t k = 0; k < p->asked_count; k++) {
			const struct seen_asked *a = &p->asked[k];

			if (a->party == q->party &&
			    strcmp(a->asked, q->asked) == 0 &&
			    is_beyond_lies(a))
				return true;
		}
	}
	return false;
}

static bool
has_impossible_neighbour(const struct picture *p, const struct seen_asked *a)
{
	const struct fact *odd;

	if (!a->suffix_injected || !a->random_honest || a->random_addresses ||
	    a->odd == PICTURE_NONE)
		return false;
	odd = &p->facts->items[a->odd];
	return does_not_exist(
	    p, p->facts->items[odd->u.datagram.question].u.question.name);
}

/* The same server, over another transport, is right. */
static const struct seen_asked *
right_elsewhere(const struct picture *p, const struct seen_asked *a)
{
	for (size_t i = 0; i < p->asked_count; i++) {
		const struct seen_asked *other = &p->asked[i];

		if (other != a && other->transport != a->transport &&
		    other->party == a->party &&
		    other->responder == ANSWER_RIGHT &&
		    other->host_length == a->host_length &&
		    strncmp(other->host, a->host, a->host_length) == 0)
			return other;
	}
	return NULL;
}

static bool
is_wrong(const struct seen_asked *a)
{
	return a->responder == ANSWER_WRONG || a->responder == ANSWER_NXDOMAIN;
}

/* The same by a road on which nobody can put words in its mouth: then the
 * answer is its own, by a policy or from its cache. */
static bool
says_so_itself(const struct picture *p, const struct seen_asked *a)
{
	const struct seen_asked *same = picture_undisturbed(p, a);

	return same != NULL && is_wrong(same) &&
	       same->responder == a->responder;
}

/* The address that came where none was asked for is what it says of names that
 * do not exist too: it answers everything so. */
static bool
answers_alike(const struct picture *p, const struct seen_asked *a)
{
	return a->random != PICTURE_NONE && a->odd != PICTURE_NONE &&
	       facts_share_address(&p->facts->items[a->random].u.datagram,
		   &p->facts->items[a->odd].u.datagram);
}

/* What the circumstances of A's plain answers amount to. */
static unsigned
circumstances(const struct picture *p, const struct seen_asked *a)
{
	return (a->repeats.rotates ? 1U : 0U) + (a->no_edns ? 1U : 0U) +
	       (a->ttl_off ? 1U : 0U) + (a->pooled ? 1U : 0U) +
	       (a->aa_flip ? 1U : 0U) +
	       (right_elsewhere(p, a) != NULL ? 1U : 0U);
}

static void
cite_all(
    struct finding *finding, const struct workup *w, const struct seen_asked *a)
{
	finding_cite(finding, a->datagram);
	finding_cite(finding, a->second);
	finding_cite(finding, a->odd);
	finding_cite(finding, w->p->proof);
}

/* One finding for the path, whoever is asked on it; CITE carries it most. */
static void
accuse(struct workup *w, const struct seen_asked *a, enum certainty certainty,
    bool race, size_t cite, const char *because)
{
	enum finding_code code =
	    race ? FINDING_DNS_INJECTION_RACE : FINDING_DNS_INJECTION;
	struct finding *finding = finding_have(w, code);
	const struct seen_asked *other = right_elsewhere(w->p, a);
	bool several = false;

	w->injected = true;
	if (finding == NULL) {
		finding = finding_add(w, code, certainty, !w->works);
		if (other != NULL)
			finding_about(finding, a, NULL);
		several = set_scope(w, finding);
		if (finding->name[0] == '\0')
			finding_about(finding, NULL, w->p->host);
		finding_say(finding,
		    "forged DNS answers for %s%s are put on the path%s%s: %s%s",
		    finding->name,
		    several ? " and other names of its chain" : "",
		    other != NULL ? " to " : "", other != NULL ? a->asked : "",
		    because, race ? "; the genuine answer comes later" : "");
	}
	finding_cite(finding, cite);
	cite_all(finding, w, a);
}

static void
diagnose_one(struct workup *w, const struct seen_asked *a)
{
	bool race = a->genuine_late;

	if (a->party == PARTY_DARK || a->transport != RESOLVER_UDP)
		return;
	if (a->wrong_type && !answers_alike(w->p, a))
		accuse(w, a, CERTAINTY_PROVEN, race, PICTURE_NONE,
		    "an address came in answer to a question for another type, "
		    "which no server sends");
	else if (a->contradiction)
		accuse(w, a, CERTAINTY_PROVEN, race, PICTURE_NONE,
		    "two answers to one question contradict each other");
	else if (says_so_itself(w->p, a))
		return;
	else if (has_impossible_neighbour(w->p, a))
		accuse(w, a, CERTAINTY_PROVEN, race, PICTURE_NONE,
		    "a neighbour that does not exist has an address, other "
		    "names that do not exist have none");
	else if (is_wrong(a) && w->p->direct_proven &&
		 circumstances(w->p, a) >= CIRCUMSTANCES)
		accuse(w, a, CERTAINTY_STRONG, race, PICTURE_NONE,
		    "the answer is wrong, and it is unlike this resolver's "
		    "others in more than one way");
}

void
diagnose_injection(struct workup *w)
{
	const struct seen_asked *dark = find_dark(w->p);
	bool everything = dark != NULL && dark->control_answered &&
			  !picture_dark_chooses(w->p->facts);

	if (everything && dark->control_ok) {
		diagnose_interception(w, dark);
		return; /* then every other sign may be the interceptor's */
	}
	/* who has an address of nothing is a resolver that refuses strangers */
	if (dark != NULL && dark->control_asked && !everything &&
	    dark_answer(w->p) != PICTURE_NONE) {
		bool race = false;

		for (size_t i = 0; i < w->p->asked_count; i++)
			race = race || w->p->asked[i].genuine_late;
		accuse(w, dark, CERTAINTY_PROVEN, race, dark_answer(w->p),
		    "an address where no resolver is answers for this name, "
		    "and is silent for others");
	}
	for (size_t i = 0; i < w->p->asked_count; i++)
		diagnose_one(w, &w->p->asked[i]);
}
