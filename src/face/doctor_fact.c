/* SPDX-License-Identifier: ISC */
/* face/doctor_fact.c -- a fact as a line: what was seen, and no more. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "face/doctor_report.h"

/* Text of a bounded size. */
struct line {
	char *out;
	size_t size, len;
};

__attribute__((format(printf, 2, 3))) static void
add(struct line *line, const char *fmt, ...)
{
	va_list ap;
	int wrote;

	va_start(ap, fmt);
	wrote =
	    vsnprintf(line->out + line->len, line->size - line->len, fmt, ap);
	va_end(ap);
	if (wrote > 0)
		line->len += (size_t)wrote;
	if (line->len >= line->size)
		line->len = line->size - 1;
}

static void
add_failure(struct line *line, const struct err *err)
{
	add(line, "%s (%s)", err->text, reason_name(err->reason));
}

static void
add_peer(struct line *line, const struct fact_peer *p)
{
	char *text = text_printable(p->text);

	add(line, "%s%s%s: the server asked %s%s%s%s%s", p->file,
	    p->when[0] == '\0' ? "" : ", ", p->when,
	    p->host[0] == '\0' ? "its responder" : p->host,
	    p->address[0] == '\0' ? "" : " at ", p->address,
	    text[0] == '\0' ? "" : ": ", text);
	free(text);
}

static void
add_question(struct line *line, const struct fact_question *q)
{
	add(line, "%s, asked for %s: ", q->asked, q->name);
	if (q->answers > 0)
		add(line, "%zu answer%s", q->answers,
		    q->answers == 1 ? "" : "s");
	else
		add_failure(line, &q->err);
}

static void
add_datagram(
    struct line *line, const struct facts *facts, const struct fact_datagram *d)
{
	const struct fact_question *q = &facts->items[d->question].u.question;

	add(line, "%s%s%s answered %s",
	    q->party == PARTY_DARK ? "where no resolver is, " : "", q->asked,
	    d->elsewhere ? " did not, another one" : "", q->name);
	if (q->type == DNS_TXT || q->type == DNS_HTTPS)
		add(line, q->type == DNS_TXT ? " (TXT)" : " (HTTPS)");
	if (q->party == PARTY_AUTHORITY)
		add(line, " (the zone's own server%s)",
		    d->authoritative ? "" : ", without AA");
	add(line, ":");
	if (d->malformed)
		add(line, " malformed");
	else if (d->rcode == 3)
		add(line, " NXDOMAIN");
	else if (d->rcode == 2)
		add(line, " SERVFAIL");
	else if (d->rcode == 5)
		add(line, " REFUSED");
	else if (d->rcode != 0)
		add(line, " rcode %d", d->rcode);
	for (size_t i = 0; i < d->chain_length; i++)
		add(line, " -> %s", d->chain[i]);
	for (size_t i = 0; i < d->address_count; i++)
		add(line, " %s%s", d->addresses[i],
		    (d->pooled >> i & 1) != 0 ? " (in the pool)" : "");
	for (size_t i = 0; i < d->server_count; i++)
		add(line, " NS %s", d->servers[i]);
	if (d->rcode == 0 && d->address_count == 0 && d->server_count == 0 &&
	    !d->malformed)
		add(line, " no address");
	if (d->wrong_type)
		add(line, ", an address for another type");
	if (q->party != PARTY_SYSTEM)
		add(line, "%s", d->edns ? "" : ", without EDNS");
	if (d->ip_ttl >= 0)
		add(line, ", IP TTL %d", d->ip_ttl);
	if (d->ede >= 0)
		add(line, ", EDE %d", d->ede);
}

static void
add_connect(struct line *line, const struct fact_connect *c)
{
	add(line, "%s port %d: %s after %lld ms", c->address, c->port,
	    c->err.reason == REASON_NONE ? "connected"
					 : reason_name(c->err.reason),
	    (long long)c->elapsed_ms);
}

static void
add_fetch(struct line *line, const struct fact_fetch *f)
{
	add(line, "%s%s%s", f->address[0] == '\0' ? "through " : f->address,
	    f->address[0] == '\0' ? f->proxy : "",
	    f->method == NULL ? "" : " by ");
	add(line, "%s", f->method == NULL ? "" : f->method);
	if (f->source[0] != '\0')
		add(line, ", named by %s", f->source);
	if (f->err.reason == REASON_NONE)
		add(line, ": a signed response (%s) in %lld ms",
		    cert_status_name(f->status), (long long)f->elapsed_ms);
	else {
		add(line, ": ");
		add_failure(line, &f->err);
	}
}

static void
add_tls(struct line *line, const struct fact_tls *tls)
{
	if (tls->sni[0] == '\0')
		add(line, "%s without a name: ", tls->resolver);
	else
		add(line, "%s with the name '%s': ", tls->resolver, tls->sni);
	if (tls->certificate_bad)
		add(line, "a handshake, and a certificate that is not its own");
	else if (tls->err.reason == REASON_NONE)
		add(line, "a handshake");
	else
		add_failure(line, &tls->err);
}

static void
add_control(struct line *line, const struct fact_control *c)
{
	add(line,
	    c->kind == CONTROL_SPLIT
		? "%s asked the same of %s in two segments: "
		: "%s asked for a page of %s that cannot exist: ",
	    c->address, c->host);
	if (c->err.reason != REASON_NONE)
		add_failure(line, &c->err);
	else
		add(line, "HTTP %ld%s%s", c->http_status,
		    c->html ? ", HTML" : "", c->redirect ? ", a redirect" : "");
}

static void
add_served(struct line *line, const struct fact_served *s)
{
	add(line, "handshake %d with %s%s: ", s->number, s->address,
	    s->nameless ? ", without a server name" : "");
	if (s->err.reason != REASON_NONE)
		add_failure(line, &s->err);
	else if (s->other)
		add(line, "another certificate, %s staple",
		    s->stapled ? "with a" : "no");
	else if (!s->stapled)
		add(line, "no staple");
	else if (s->accepted)
		add(line, "a staple, %s", cert_status_name(s->status));
	else {
		add(line, "a bad staple: ");
		add_failure(line, &s->verdict);
	}
}

static void
add_input(struct line *line, const struct fact_input *input)
{
	if (input->unusable.reason != REASON_NONE)
		add_failure(line, &input->unusable);
	else if (!input->has_url)
		add(line, "the certificate has no OCSP URL%s",
		    input->must_staple ? ", and demands a staple" : "");
	else
		add(line, "the certificate names the responder %s%s",
		    input->url[0] == '\0' ? "by no http URL" : input->url,
		    input->expired ? ", and has expired" : "");
	if (input->crl[0] != '\0')
		add(line, "; its CRL is at %s", input->crl);
}

static void
add_clock(struct line *line, const struct fact_clock *c)
{
	char span[CLOCK_SPAN];

	add(line, "by the %s of %s our clock is %s%s %s%s", c->how, c->host,
	    c->bound ? "at least " : "", clock_span(c->ahead_s, span),
	    c->ahead_s < 0 ? "behind" : "ahead",
	    c->authenticated ? "" : ", if nobody on the way has written it");
}

static void
add_override(struct line *line, const struct fact_override *o)
{
	char span[CLOCK_SPAN];

	switch (o->kind) {
	case OVERRIDE_HOSTS:
		add(line, "%s:%d: %s %s", o->file, o->line, o->address,
		    o->name);
		break;
	case OVERRIDE_PROXY:
		add(line, "the %s names the proxy %s", o->file, o->name);
		break;
	case OVERRIDE_RESOLVER:
		add(line, "resolver %s", o->name);
		break;
	case OVERRIDE_BOOK:
		add(line, "%s was proven for %s %s ago", o->address, o->name,
		    clock_span(o->old_s, span));
		break;
	}
}

static void
add_keep(struct line *line, const struct fact_keep *k)
{
	char span[CLOCK_SPAN];

	add(line, "oclasp keep %s", k->running ? "runs" : "does not run");
	if (!k->kept)
		return;
	add(line, "; the certificate is %s there, its staple ", k->state);
	if (k->usable_s > 0)
		add(line, "usable for %s", clock_span(k->usable_s, span));
	else
		add(line, "missing or over");
	if (k->last_attempt_s >= 0)
		add(line, ", last tried %s ago",
		    clock_span(k->last_attempt_s, span));
	if (k->trouble[0] != '\0')
		add(line, ": %s", k->trouble);
}

void
doctor_report_fact(
    const struct facts *facts, size_t index, char *out, size_t size)
{
	const struct fact *fact = &facts->items[index];
	struct line line = {.out = out, .size = size};

	out[0] = '\0';
	switch (fact->kind) {
	case FACT_INPUT:
		add_input(&line, &fact->u.input);
		break;
	case FACT_CLOCK:
		add_clock(&line, &fact->u.clock);
		break;
	case FACT_OVERRIDE:
		add_override(&line, &fact->u.override);
		break;
	case FACT_SETTING:
		add(&line, "%s:%d: %s", fact->u.setting.file,
		    fact->u.setting.line, fact->u.setting.text);
		break;
	case FACT_PEER:
		add_peer(&line, &fact->u.peer);
		break;
	case FACT_QUESTION:
		add_question(&line, &fact->u.question);
		break;
	case FACT_DATAGRAM:
		add_datagram(&line, facts, &fact->u.datagram);
		break;
	case FACT_CONNECT:
		add_connect(&line, &fact->u.connect);
		break;
	case FACT_FETCH:
		add_fetch(&line, &fact->u.fetch);
		break;
	case FACT_CONTROL:
		add_control(&line, &fact->u.control);
		break;
	case FACT_TLS:
		add_tls(&line, &fact->u.tls);
		break;
	case FACT_SERVED:
		add_served(&line, &fact->u.served);
		break;
	case FACT_KEEP:
		add_keep(&line, &fact->u.keep);
		break;
	case FACT_UNTESTED:
		add(&line, "%s: %s", fact->u.untested.what,
		    fact->u.untested.why);
		break;
	}
	text_clean(out);
}
