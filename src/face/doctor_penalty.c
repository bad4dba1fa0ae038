/* SPDX-License-Identifier: ISC */
/* face/doctor_penalty.c -- what a client without a staple waits, for readers.
 */
#include <stdio.h>
#include <string.h>

#include "face/doctor_report.h"
#include "face/report.h"

enum {
	SPAN = 24,    /* "12.3 s" */
	LINES = 1024, /* octets about the server */
	OUTCOMES_MAX = 8,
	/* TCP's first flight, RFC 6928: ten segments of 1460 octets.  A chain
	 * that does not fit costs the handshake one more round trip. */
	FIRST_FLIGHT = 14600,
	SLOW_CONNECT_MS = 300,
};

/* How the tries of one row ended, and how often each. */
struct outcomes {
	struct {
		const char *name;
		size_t count;
	} list[OUTCOMES_MAX];
	size_t count;
};

static void
count_outcomes(const struct penalty_row *row, struct outcomes *out)
{
	*out = (struct outcomes){0};
	for (size_t i = 0; i < PENALTY_TRIES; i++) {
		const struct penalty_try *try = &row->tries[i];
		const char *name;
		size_t k = 0;

		if (!try->done)
			continue;
		name = try->reason == REASON_NONE ? "answered"
		       : try->cut                 ? "hung"
						  : reason_name(try->reason);
		while (k < out->count && strcmp(out->list[k].name, name) != 0)
			k++;
		if (k == OUTCOMES_MAX)
			continue;
		if (k == out->count)
			out->list[out->count++].name = name;
		out->list[k].count++;
	}
}

static const char *
span(int64_t ms, char out[SPAN])
{
	if (ms < 1000)
		(void)snprintf(out, SPAN, "%lld ms", (long long)ms);
	else
		(void)snprintf(out, SPAN, "%lld.%lld s", (long long)ms / 1000,
		    (long long)ms % 1000 / 100);
	return out;
}

/* --- it is not OCSP --- */

static bool
has_no_url(const struct doctor_report *r)
{
	return r->penalty->err.reason == REASON_NO_OCSP_URL;
}

/* A line each, for what else makes a client wait. */
static void
add_server(struct buf *out, const struct doctor_server *s)
{
	buf_printf(out, "    TCP connect  %lld ms%s\n",
	    (long long)s->connect_ms,
	    s->connect_ms >= SLOW_CONNECT_MS ? ": far away, or a lossy path"
					     : "");
	buf_printf(out, "    TLS          %lld ms\n", (long long)s->tls_ms);
	buf_printf(out, "    chain        %zu certificate%s, %zu octets%s%s\n",
	    s->chain_count, s->chain_count == 1 ? "" : "s", s->chain_octets,
	    s->chain_octets > FIRST_FLIGHT
		? ": more than TCP's first flight, one more round trip"
		: "",
	    s->no_issuer ? ": its issuer is not sent: unless that is a root, "
			   "clients fetch it or refuse"
			 : "");
}

static void
print_no_url(const struct doctor_report *r)
{
	(void)printf(
	    "  none: the certificate names no responder, no client asks "
	    "one. A stall is not OCSP.\n  look at");
	if (r->server != NULL && r->server->reached) {
		struct buf lines;

		buf_init(&lines, LINES);
		add_server(&lines, r->server);
		(void)printf(", measured now:\n%s", buf_text(&lines));
		buf_done(&lines);
	} else {
		(void)printf(
		    " the time of a TCP connect, the size of the chain, "
		    "a missing intermediate: `oclasp doctor HOST` "
		    "measures them\n");
	}
}

/* --- what was tried, and what follows --- */

static void
print_tries(const struct penalty *p)
{
	for (size_t i = 0; i < p->row_count; i++) {
		const struct penalty_row *row = &p->rows[i];
		int64_t sorted[PENALTY_TRIES];
		size_t count = penalty_sorted(row, sorted);
		char half[SPAN], most[SPAN];
		struct outcomes outcomes;

		(void)printf("  %s %s: %zu of %u tries",
		    row->post ? "POST" : "GET", row->url, count, p->wanted);
		if (count > 0)
			(void)printf(", p50 %s, p95 %s",
			    span(penalty_percentile(sorted, count, 50), half),
			    span(penalty_percentile(sorted, count, 95), most));
		count_outcomes(row, &outcomes);
		for (size_t k = 0; k < outcomes.count; k++)
			(void)printf("%s%s %zu", k == 0 ? "; " : ", ",
			    outcomes.list[k].name, outcomes.list[k].count);
		(void)printf("\n");
	}
	if (p->row_count > 0 &&
	    p->rows[p->row_count - 1].url_index + 1 < p->url_count)
		(void)printf("  its other URLs were not tried\n");
}

static void
print_client(const struct penalty *p, const struct penalty_client *client)
{
	struct penalty_wait wait;
	char half[SPAN], most[SPAN];

	(void)printf("  %-26s ", client->label);
	if (!client->asks) {
		(void)printf("%-9s %-9s %s\n", "none", "none", client->rule);
		return;
	}
	penalty_wait_of(p, client, &wait);
	if (wait.tries == 0) {
		(void)printf("not known: no try ended in time\n");
		return;
	}
	(void)printf("%-9s %-9s %s%s (%s)\n", span(wait.p50_ms, half),
	    span(wait.p95_ms, most), wait.at_least ? "at least; " : "",
	    penalty_class(&wait), client->rule);
}

static void
print_staple(const struct doctor_report *r)
{
	(void)printf("  %-26s %-9s %-9s %s\n", "any, with a staple", "none",
	    "none",
	    r->server == NULL || !r->server->reached
		? "the answer comes with the handshake"
	    : r->server->stapled ? "which this server gives"
				 : "which this server does not give");
}

void
doctor_penalty_text(const struct doctor_report *r)
{
	const struct penalty_client *client;

	if (r->penalty == NULL)
		return;
	(void)printf("\npenalty\n");
	if (has_no_url(r)) {
		print_no_url(r);
		return;
	}
	if (r->penalty->err.reason != REASON_NONE) {
		(void)printf("  not known: %s\n", r->penalty->err.text);
		return;
	}
	print_tries(r->penalty);
	(void)printf(
	    "  %-26s %-9s %-9s\n", "client without a staple", "p50", "p95");
	for (size_t i = 0; (client = penalty_client_at(i)) != NULL; i++)
		print_client(r->penalty, client);
	print_staple(r);
	(void)printf("  %s\n", penalty_caveat);
}

/* --- JSON --- */

static json_t *
json_row(const struct penalty_row *row)
{
	json_t *outcomes = json_object();
	int64_t sorted[PENALTY_TRIES];
	size_t count = penalty_sorted(row, sorted);
	struct outcomes seen;

	count_outcomes(row, &seen);
	for (size_t k = 0; k < seen.count; k++)
		(void)json_object_set_new(outcomes, seen.list[k].name,
		    json_integer((json_int_t)seen.list[k].count));
	return json_pack("{s:o, s:s, s:I, s:o, s:o, s:o, s:o, s:o}", "url",
	    report_json_text(row->url), "method", row->post ? "POST" : "GET",
	    "tries", (json_int_t)count, "p50_ms",
	    count == 0 ? json_null()
		       : json_integer(penalty_percentile(sorted, count, 50)),
	    "p95_ms",
	    count == 0 ? json_null()
		       : json_integer(penalty_percentile(sorted, count, 95)),
	    "outcomes", outcomes, "address",
	    row->address[0] == '\0' ? json_null() : json_string(row->address),
	    "detail",
	    row->err.reason == REASON_NONE ? json_null()
					   : report_json_text(row->err.text));
}

static json_t *
json_client(const struct penalty *p, const struct penalty_client *client)
{
	struct penalty_wait wait;
	bool known;

	penalty_wait_of(p, client, &wait);
	known = !client->asks || wait.tries > 0;
	return json_pack("{s:s, s:b, s:s, s:I, s:o, s:o, s:b, s:o, s:b, s:i}",
	    "client", client->name, "asks", client->asks, "rule", client->rule,
	    "tries", (json_int_t)wait.tries, "p50_ms",
	    known ? json_integer(wait.p50_ms) : json_null(), "p95_ms",
	    known ? json_integer(wait.p95_ms) : json_null(), "at_least",
	    wait.at_least, "outcome",
	    client->asks ? json_string(penalty_class(&wait)) : json_null(),
	    "refuses", client->refuses, "with_staple_ms", 0);
}

static json_t *
json_server(const struct doctor_server *s)
{
	if (s == NULL || !s->reached)
		return json_null();
	return json_pack("{s:I, s:I, s:I, s:I, s:b}", "connect_ms",
	    (json_int_t)s->connect_ms, "tls_ms", (json_int_t)s->tls_ms,
	    "chain_certificates", (json_int_t)s->chain_count, "chain_octets",
	    (json_int_t)s->chain_octets, "issuer_missing", s->no_issuer);
}

json_t *
doctor_penalty_json(const struct doctor_report *r)
{
	const struct penalty *p = r->penalty;
	const struct penalty_client *client;
	json_t *tries, *waits;
	bool measured;

	if (p == NULL)
		return json_null();
	measured = p->err.reason == REASON_NONE;
	tries = json_array();
	waits = json_array();
	for (size_t i = 0; i < p->row_count; i++)
		(void)json_array_append_new(tries, json_row(&p->rows[i]));
	for (size_t i = 0; measured && (client = penalty_client_at(i)) != NULL;
	     i++)
		(void)json_array_append_new(waits, json_client(p, client));
	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:s}", "stall",
	    has_no_url(r) ? "not-ocsp"
	    : measured    ? "ocsp"
			  : "unknown",
	    "detail", measured ? json_null() : report_json_text(p->err.text),
	    "stapled",
	    r->server == NULL || !r->server->reached
		? json_null()
		: json_boolean(r->server->stapled),
	    "tries", tries, "clients", waits, "server", json_server(r->server),
	    "note", penalty_caveat);
}

/* --- HTML --- */

static void
html_wait(struct buf *out, const struct penalty *p,
    const struct penalty_client *client)
{
	struct penalty_wait wait;
	char half[SPAN] = "none", most[SPAN] = "none";
	const char *class = "does not ask", *tone = "soft";

	penalty_wait_of(p, client, &wait);
	if (client->asks && wait.tries > 0) {
		(void)span(wait.p50_ms, half);
		(void)span(wait.p95_ms, most);
		class = penalty_class(&wait);
		tone = wait.answered == wait.tries ? "good" : "bad";
	} else if (client->asks) {
		class = "not known";
	}
	buf_printf(out,
	    "<tr><td class=\"n\">%s</td><td class=\"n\">%s</td><td "
	    "class=\"n\">%s</td><td class=\"n %s\">%s%s</td><td>%s</td></tr>\n",
	    client->label, half, most, tone, class,
	    wait.at_least ? ", at least" : "", client->rule);
}

void
doctor_penalty_html(struct buf *out, const struct doctor_report *r)
{
	const struct penalty_client *client;

	if (r->penalty == NULL)
		return;
	buf_puts(out, "<h2>what a client without a staple waits</h2>");
	if (r->penalty->err.reason != REASON_NONE) {
		buf_puts(out, "<p>");
		buf_html(out, has_no_url(r)
				  ? "Nothing: the certificate names no "
				    "responder, no client asks one. A stall is "
				    "not OCSP."
				  : r->penalty->err.text);
		buf_puts(out, "</p>\n");
		if (has_no_url(r) && r->server != NULL && r->server->reached) {
			buf_puts(out, "<pre>");
			add_server(out, r->server);
			buf_puts(out, "</pre>\n");
		}
		return;
	}
	buf_puts(out, "<div class=\"wide\"><table><thead><tr><th>client</th>"
		      "<th>p50</th><th>p95</th><th>its tries</th><th>its rule"
		      "</th></tr></thead><tbody>\n");
	for (size_t i = 0; (client = penalty_client_at(i)) != NULL; i++)
		html_wait(out, r->penalty, client);
	buf_printf(out,
	    "<tr><td class=\"n\">any, with a staple</td><td>none</td><td>none"
	    "</td><td class=\"n good\">not needed</td><td>the answer comes "
	    "with the handshake</td></tr></tbody></table></div><p "
	    "class=\"soft\">%u tries of each URL and method, %s.</p>\n",
	    r->penalty->wanted, penalty_caveat);
}
