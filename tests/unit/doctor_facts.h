/* SPDX-License-Identifier: ISC */
/* tests/unit/doctor_facts.h -- networks written as lines, for the doctor's
 * tests.  One fact a line:
 *
 *   url N                                 (what follows is about that one)
 *   input [no-url | must-staple | expired | issuer-missing | ldap |
 *          unreadable | unreachable]
 *   ask WHOM ROLE [NAME] [txt] [cd] [rd0] [AAAA] = ANSWER [/ ANSWER ...]
 *     WHOM     system, dark://IP, auth://IP, authtcp://IP, or a resolver's URL
 *     ROLE     responder chain control random sibling cousin suffix embedded
 *     ANSWER   ADDRESS[,ADDRESS...] nx servfail empty tc loop with marks
 *              aa noaa noedns ttlN edeN forged-type loop elsewhere malformed pooled
 *              >CNAME
 *              or, alone: silent reset refused timeout tlsfail
 *   fetch ADDRESS OUTCOME [xN] [post] [proxy[=URL]] [msN] [of SOURCE]
 *     OUTCOME  ok, revoked, unknown or a reason's code
 *   connect ADDRESS:PORT ok|refused|timeout MS
 *   control ADDRESS ok|timeout            (IPv4 and IPv6 controls)
 *   web ok|html|redirect|altered|timeout|refused
 *   otherhost ADDRESS ok|http-reset; split ADDRESS ok|http-reset
 *   tls RESOLVER sni|other ok|cut|dead|badcert [PORT]
 *   served N none|good|bad [nameless] [other] [issuer-missing]
 *   keep runs|gone usable|over
 *   setting CODE [ADDRESS]
 *   peer ADDRESS
 *   clock SECONDS auth|plain|signed [HOST]
 *   hosts NAME ADDRESS
 *   book ADDRESS
 */
#ifndef OCLASP_TESTS_DOCTOR_FACTS_H
#define OCLASP_TESTS_DOCTOR_FACTS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "doctor/fact.h"
#include "doctor/finding.h"

#define FACTS_HOST "ocsp.ca.example"

enum { FACTS_WORDS = 64 };

struct facts_line {
	char *word[FACTS_WORDS];
	size_t count;
};

static inline bool
facts_take(struct facts_line *line, const char *word)
{
	for (size_t i = 0; i < line->count; i++) {
		if (strcmp(line->word[i], word) == 0)
			return true;
	}
	return false;
}

static inline int
facts_number(const char *text)
{
	return (int)strtol(text, NULL, 10);
}

/* The next piece of *REST up to one of ENDS, cut out of it; NULL: no more. */
static inline char *
facts_piece(char **rest, const char *ends)
{
	char *piece = *rest + strspn(*rest, ends);
	size_t len = strcspn(piece, ends);

	if (len == 0)
		return NULL;
	*rest = piece + len + (piece[len] == '\0' ? 0 : 1);
	piece[len] = '\0';
	return piece;
}

static inline void
facts_copy(char *out, size_t size, const char *text)
{
	(void)snprintf(out, size, "%s", text);
}

static inline void
facts_reason(struct err *err, const char *name)
{
	enum reason reason = REASON_NONE;

	if (strcmp(name, "ok") == 0)
		return;
	if (!reason_find(name, &reason)) {
		(void)fprintf(stderr, "no reason '%s'\n", name);
		abort();
	}
	(void)err_set(err, reason, "%s", name);
}

static inline void
facts_input(struct facts *f, struct facts_line *line)
{
	struct fact_input *input = &facts_add(f, FACT_INPUT, "L", 0)->u.input;

	input->has_url = !facts_take(line, "no-url");
	input->http_url = input->has_url && !facts_take(line, "ldap");
	input->must_staple = facts_take(line, "must-staple");
	input->expired = facts_take(line, "expired");
	input->over_s = input->expired ? 3600 : -3600;
	if (facts_take(line, "issuer-missing"))
		facts_reason(&input->unusable, "issuer-missing");
	if (facts_take(line, "unreachable"))
		facts_reason(&input->unusable, "connect-timeout");
	if (facts_take(line, "unreadable"))
		facts_reason(&input->unusable, "certificate-unreadable");
	facts_copy(input->host, sizeof(input->host), FACTS_HOST);
	facts_copy(input->url, sizeof(input->url), "http://" FACTS_HOST "/");
}

static inline enum fact_role
facts_role(const char *word)
{
	for (int i = ROLE_RESPONDER; i <= ROLE_IPV4ONLY; i++) {
		if (strcmp(fact_role_name((enum fact_role)i), word) == 0)
			return (enum fact_role)i;
	}
	(void)fprintf(stderr, "no role '%s'\n", word);
	abort();
}

static inline const char *
facts_default_name(enum fact_role role)
{
	static const char *const names[] = {
	    [ROLE_RESPONDER] = FACTS_HOST,
	    [ROLE_CHAIN] = "a771.cdn.example",
	    [ROLE_CONTROL] = "control.example",
	    [ROLE_RANDOM] = "q7x2.control.example",
	    [ROLE_MUTANT] = "a770.cdn.example",
	    [ROLE_CHILD] = "q7x2.a771.cdn.example",
	    [ROLE_SIBLING] = "q7x2.cdn.example",
	    [ROLE_COUSIN] = "a1.cdn.example",
	    [ROLE_SUFFIX] = "q7x2.example",
	    [ROLE_EMBEDDED] = "a771.cdn.example.q7x2.example",
	    [ROLE_IPV4ONLY] = "ipv4only.arpa",
	};

	return names[role];
}

/* One word of an answer; false: it ends the question instead. */
static inline bool
facts_answer_word(struct fact_datagram *d, struct fact_question *q, char *word)
{
	static const struct {
		const char *word, *reason;
	} ends[] = {
	    {"silent", "dns-no-answer"},
	    {"icmp", "unreachable"},
	    {"reset", "connect-reset"},
	    {"refused", "connect-refused"},
	    {"timeout", "connect-timeout"},
	    {"tlsfail", "tls-failed"},
	};

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		if (strcmp(word, ends[i].word) == 0) {
			facts_reason(&q->err, ends[i].reason);
			return false;
		}
	}
	if (strcmp(word, "nx") == 0)
		d->rcode = 3;
	else if (strcmp(word, "servfail") == 0)
		d->rcode = 2;
	else if (strcmp(word, "empty") == 0)
		d->rcode = 0;
	else if (strcmp(word, "tc") == 0)
		d->truncated = true;
	else if (strcmp(word, "noedns") == 0)
		d->edns = false;
	else if (strcmp(word, "forged-type") == 0)
		d->wrong_type = true;
	else if (strcmp(word, "loop") == 0)
		d->loop = true;
	else if (strcmp(word, "elsewhere") == 0)
		d->elsewhere = true;
	else if (strcmp(word, "malformed") == 0)
		d->malformed = true;
	else if (strcmp(word, "aa") == 0)
		d->authoritative = true;
	else if (strcmp(word, "noaa") == 0)
		d->authoritative = false;
	else if (strcmp(word, "pooled") == 0)
		d->pooled = (1U << d->address_count) - 1;
	else if (strncmp(word, "ttl", 3) == 0)
		d->ip_ttl = facts_number(word + 3);
	else if (strncmp(word, "ede", 3) == 0)
		d->ede = facts_number(word + 3);
	else if (word[0] == '>')
		facts_copy(
		    d->chain[d->chain_length++], FACT_NAME_TEXT, word + 1);
	else {
		for (char *a; (a = facts_piece(&word, ",")) != NULL;)
			facts_copy(d->addresses[d->address_count++],
			    DNS_ADDRESS_TEXT, a);
	}
	return true;
}

static inline void
facts_ask(struct facts *f, struct facts_line *line)
{
	size_t question = f->count, i = 3;
	struct fact_question *q =
	    &facts_add(f, FACT_QUESTION, "U", 0)->u.question;
	struct fact_question kept;
	struct fact_datagram d = {.edns = true,
	    .ede = -1,
	    .ip_ttl = 52,
	    .question = question,
	    .recursion = true,
	    .ttl_s = -1};
	struct fact_datagram blank;
	bool any = false;

	q->role = facts_role(line->word[2]);
	q->type = facts_take(line, "txt")    ? DNS_TXT
		  : facts_take(line, "AAAA") ? DNS_AAAA
					     : DNS_A;
	q->cd = facts_take(line, "cd");
	facts_copy(q->asked, sizeof(q->asked), line->word[1]);
	if (strcmp(q->asked, "system") == 0)
		q->party = PARTY_SYSTEM;
	else if (strncmp(q->asked, "dark://", 7) == 0)
		q->party = PARTY_DARK;
	else if (strncmp(q->asked, "auth", 4) == 0)
		q->party = PARTY_AUTHORITY;
	else
		q->party = PARTY_RESOLVER;
	if (q->party == PARTY_AUTHORITY || q->party == PARTY_DARK) {
		char url[RESOLVER_URL_TEXT];

		(void)snprintf(url, sizeof(url), "%s%.200s",
		    strncmp(q->asked, "authtcp", 7) == 0 ? "tcp" : "udp",
		    strchr(q->asked, ':'));
		facts_copy(q->asked, sizeof(q->asked), url);
	}
	d.authoritative = q->party == PARTY_AUTHORITY;
	q->no_rd = q->party == PARTY_AUTHORITY || facts_take(line, "rd0");
	blank = d;
	facts_copy(q->name, sizeof(q->name), facts_default_name(q->role));
	for (; strcmp(line->word[i], "=") != 0; i++) {
		if (strchr(line->word[i], '.') != NULL)
			facts_copy(q->name, sizeof(q->name), line->word[i]);
	}
	kept = *q;
	for (i++; i <= line->count; i++) {
		bool end = i == line->count || strcmp(line->word[i], "/") == 0;

		if (!end) {
			any = facts_answer_word(&d, &kept, line->word[i]);
			continue;
		}
		if (any) {
			facts_add(f, FACT_DATAGRAM, "U", 0)->u.datagram = d;
			kept.answers++;
		}
		d = blank;
		any = false;
	}
	f->items[question].u.question = kept;
}

static inline void
facts_fetch(struct facts *f, struct facts_line *line)
{
	unsigned times = 1;
	struct fact_fetch fetch = {
	    .method = "GET", .connect_ms = 20, .elapsed_ms = 40};

	facts_copy(fetch.address, sizeof(fetch.address), line->word[1]);
	facts_copy(fetch.url, sizeof(fetch.url), "http://" FACTS_HOST "/");
	facts_copy(fetch.source, sizeof(fetch.source), "test");
	for (size_t i = 3; i < line->count; i++) {
		if (line->word[i][0] == 'x')
			times = (unsigned)facts_number(line->word[i] + 1);
		else if (strcmp(line->word[i], "post") == 0)
			fetch.method = "POST";
		else if (strncmp(line->word[i], "proxy", 5) == 0)
			facts_copy(fetch.proxy, sizeof(fetch.proxy),
			    line->word[i][5] == '='
				? line->word[i] + 6
				: "http://192.0.2.200:3128");
		else if (strncmp(line->word[i], "ms", 2) == 0)
			fetch.elapsed_ms = facts_number(line->word[i] + 2);
	}
	if (strcmp(line->word[2], "revoked") == 0)
		fetch.status = CERT_REVOKED;
	else if (strcmp(line->word[2], "unknown") == 0)
		fetch.status = CERT_UNKNOWN;
	else
		facts_reason(&fetch.err, line->word[2]);
	if (strncmp(line->word[2], "connect-", 8) == 0 ||
	    strcmp(line->word[2], "unreachable") == 0)
		fetch.connect_ms = -1;
	for (unsigned i = 0; i < times; i++) {
		fetch.repeat = i;
		facts_add(f, FACT_FETCH, "S", 0)->u.fetch = fetch;
	}
}

static inline void
facts_connect(struct facts *f, struct facts_line *line, bool control)
{
	struct fact_connect *c = &facts_add(f, FACT_CONNECT, "C", 0)->u.connect;
	char *port = strrchr(line->word[1], control ? '\0' : ':');
	char reason[64];

	c->control = control;
	c->port = 80;
	if (!control) {
		c->port = facts_number(port + 1);
		*port = '\0';
	}
	facts_copy(c->address, sizeof(c->address), line->word[1]);
	if (strcmp(line->word[2], "ok") == 0)
		facts_copy(reason, sizeof(reason), "ok");
	else
		(void)snprintf(
		    reason, sizeof(reason), "connect-%.20s", line->word[2]);
	facts_reason(&c->err, reason);
	if (line->count > 3)
		c->elapsed_ms = facts_number(line->word[3]);
}

static inline void
facts_web(struct facts *f, struct facts_line *line, enum fact_control_kind kind)
{
	struct fact_control *c = &facts_add(f, FACT_CONTROL, "H", 0)->u.control;
	const char *word = line->word[line->count - 1];

	c->kind = kind;
	if (kind != CONTROL_WEB)
		facts_copy(c->address, sizeof(c->address), line->word[1]);
	c->http_status = kind == CONTROL_SPLIT ? 200 : 404;
	c->html = strcmp(word, "html") == 0;
	c->redirect = strcmp(word, "redirect") == 0;
	c->altered = c->html || strcmp(word, "altered") == 0;
	if (strcmp(word, "timeout") == 0)
		facts_reason(&c->err, "connect-timeout");
	if (strcmp(word, "refused") == 0)
		facts_reason(&c->err, "connect-refused");
	if (strcmp(word, "http-reset") == 0)
		facts_reason(&c->err, "http-reset");
	if (c->err.reason != REASON_NONE)
		c->http_status = 0;
}

static inline void
facts_tls(struct facts *f, struct facts_line *line)
{
	struct fact_tls *tls = &facts_add(f, FACT_TLS, "E", 0)->u.tls;

	facts_copy(tls->resolver, sizeof(tls->resolver), line->word[1]);
	facts_copy(tls->sni, sizeof(tls->sni),
	    strcmp(line->word[2], "sni") == 0 ? "dns.example" : "");
	tls->own = strcmp(line->word[2], "sni") == 0;
	tls->port = line->count > 4 ? facts_number(line->word[4]) : 853;
	tls->connected = strcmp(line->word[3], "dead") != 0;
	tls->certificate_bad = strcmp(line->word[3], "badcert") == 0;
	if (strcmp(line->word[3], "cut") == 0)
		facts_reason(&tls->err, "connect-reset");
	if (strcmp(line->word[3], "dead") == 0)
		facts_reason(&tls->err, "connect-timeout");
}

static inline void
facts_served(struct facts *f, struct facts_line *line)
{
	struct fact_served *s = &facts_add(f, FACT_SERVED, "V", 0)->u.served;

	s->number = facts_number(line->word[1]);
	s->stapled = strcmp(line->word[2], "none") != 0;
	s->nameless = facts_take(line, "nameless");
	s->other = facts_take(line, "other");
	s->accepted = strcmp(line->word[2], "good") == 0 && !s->other;
	if (s->stapled && !s->accepted)
		facts_reason(&s->verdict, facts_take(line, "issuer-missing")
					      ? "issuer-missing"
					      : "expired");
}

static inline void
facts_keep(struct facts *f, struct facts_line *line)
{
	struct fact_keep *k = &facts_add(f, FACT_KEEP, "L", 0)->u.keep;

	k->kept = true;
	k->running = strcmp(line->word[1], "runs") == 0;
	k->usable_s = strcmp(line->word[2], "usable") == 0 ? 3600 : 0;
}

static inline void
facts_override(struct facts *f, struct facts_line *line)
{
	struct fact_override *o =
	    &facts_add(f, FACT_OVERRIDE, "L", 0)->u.override;
	bool hosts = strcmp(line->word[0], "hosts") == 0;

	o->kind = hosts ? OVERRIDE_HOSTS : OVERRIDE_BOOK;
	facts_copy(o->name, sizeof(o->name), hosts ? line->word[1] : "");
	facts_copy(o->address, sizeof(o->address), line->word[hosts ? 2 : 1]);
	facts_copy(o->file, sizeof(o->file), "/etc/hosts");
	o->line = 7;
}

static inline void
facts_other(struct facts *f, struct facts_line *line)
{
	const char *what = line->word[0];

	if (strcmp(what, "setting") == 0) {
		struct fact_setting *s =
		    &facts_add(f, FACT_SETTING, "L", 0)->u.setting;
		enum finding_code code;

		if (!finding_find(line->word[1], &code))
			abort();
		s->code = finding_row(code)->code;
		if (line->count > 2)
			facts_copy(
			    s->address, sizeof(s->address), line->word[2]);
	} else if (strcmp(what, "peer") == 0) {
		struct fact_peer *p = &facts_add(f, FACT_PEER, "L", 0)->u.peer;

		facts_copy(p->address, sizeof(p->address), line->word[1]);
	} else if (strcmp(what, "clock") == 0) {
		struct fact_clock *c =
		    &facts_add(f, FACT_CLOCK, "K", 0)->u.clock;

		c->ahead_s = facts_number(line->word[1]);
		c->authenticated = strcmp(line->word[2], "plain") != 0;
		c->bound = strcmp(line->word[2], "signed") == 0;
		c->how = c->bound           ? "signed response"
			 : c->authenticated ? "HTTPS date"
					    : "HTTP date";
		facts_copy(c->host, sizeof(c->host),
		    line->count > 3 ? line->word[3] : "clock.example");
	} else {
		(void)fprintf(stderr, "no fact '%s'\n", what);
		abort();
	}
}

static inline void
facts_add_line(struct facts *f, char *text)
{
	struct facts_line line = {0};
	const char *what;

	for (char *w; (w = facts_piece(&text, " ")) != NULL;)
		line.word[line.count++] = w;
	if (line.count == 0)
		return;
	what = line.word[0];
	if (strcmp(what, "input") == 0)
		facts_input(f, &line);
	else if (strcmp(what, "ask") == 0)
		facts_ask(f, &line);
	else if (strcmp(what, "fetch") == 0)
		facts_fetch(f, &line);
	else if (strcmp(what, "connect") == 0)
		facts_connect(f, &line, false);
	else if (strcmp(what, "control") == 0)
		facts_connect(f, &line, true);
	else if (strcmp(what, "web") == 0)
		facts_web(f, &line, CONTROL_WEB);
	else if (strcmp(what, "otherhost") == 0)
		facts_web(f, &line, CONTROL_OTHER_HOST);
	else if (strcmp(what, "split") == 0)
		facts_web(f, &line, CONTROL_SPLIT);
	else if (strcmp(what, "tls") == 0)
		facts_tls(f, &line);
	else if (strcmp(what, "served") == 0)
		facts_served(f, &line);
	else if (strcmp(what, "keep") == 0)
		facts_keep(f, &line);
	else if (strcmp(what, "hosts") == 0 || strcmp(what, "book") == 0)
		facts_override(f, &line);
	else
		facts_other(f, &line);
}

/* The facts from BEFORE on are about the OCSP URL number URL, which is of
 * another host. */
static inline void
facts_set_url(struct facts *f, size_t before, unsigned url)
{
	for (size_t i = before; url > 0 && i < f->count; i++) {
		struct fact *fact = &f->items[i];
		char *host = fact->kind == FACT_INPUT ? fact->u.input.host
						      : fact->u.question.name;

		fact->url = url;
		if ((fact->kind == FACT_INPUT || fact->kind == FACT_QUESTION) &&
		    strcmp(host, FACTS_HOST) == 0)
			(void)snprintf(
			    host, FACT_NAME_TEXT, "ocsp%u.ca.example", url + 1);
		if (fact->kind == FACT_INPUT)
			(void)snprintf(fact->u.input.url, FACT_URL_TEXT,
			    "http://ocsp%u.ca.example/", url + 1);
	}
}

/* The facts of TEXT, one a line. */
static inline void
facts_write(struct facts *f, const char *text)
{
	char *copy = mem_string(text);
	unsigned url = 0;

	*f = (struct facts){0};
	for (char *l, *rest = copy; (l = facts_piece(&rest, "\n")) != NULL;) {
		size_t before = f->count;

		if (text_starts(l, "url "))
			url = (unsigned)facts_number(l + 4);
		else
			facts_add_line(f, l);
		facts_set_url(f, before, url);
	}
	free(copy);
}

/* One of the findings is CODE. */
static inline bool
diagnosis_has(const struct diagnosis *d, const char *code)
{
	for (size_t i = 0; i < d->count; i++) {
		if (strcmp(finding_row(d->findings[i].code)->code, code) == 0)
			return true;
	}
	return false;
}

#endif
