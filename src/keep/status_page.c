/* SPDX-License-Identifier: ISC */
/* keep/status_page.c -- how the certificates stand, as a page for a browser.
 *
 * Certificates' names and responders' words come from outside: every text goes
 * through buf_html(), and the page's policy (Content-Security-Policy) allows
 * nothing but its own style, should that ever be forgotten. */
#include "keep/status_page.h"

#include "base/clock.h"
#include "pki/cert.h"

const char status_page_policy[] =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'";

static const char style[] =
    ":root{color-scheme:light dark;--ink:#1c1c1c;--paper:#fff;--line:#ddd;"
    "--soft:#666;--bad:#b00020;--care:#8a5a00;--good:#0a6b2d}"
    "@media(prefers-color-scheme:dark){:root{--ink:#e6e6e6;--paper:#161616;"
    "--line:#383838;--soft:#a0a0a0;--bad:#ff7b8b;--care:#f0b95a;"
    "--good:#6fd08c}}"
    "body{font:15px/1.5 system-ui,sans-serif;margin:0 auto;padding:1rem;"
    "max-width:80rem;color:var(--ink);background:var(--paper)}"
    "h1{font-size:1.3rem;margin:.2rem 0}p{margin:.3rem 0}"
    "a{color:inherit}.soft,th{color:var(--soft)}"
    ".bad{color:var(--bad);font-weight:600}.care{color:var(--care)}"
    ".good{color:var(--good)}"
    ".wide{overflow-x:auto}table{border-collapse:collapse;width:100%;"
    "margin-top:1rem}th,td{text-align:left;vertical-align:top;"
    "padding:.35rem .6rem .35rem 0;border-bottom:1px solid var(--line)}"
    "th{font-weight:normal}td small{display:block;color:var(--soft);"
    "overflow-wrap:anywhere}nav a,nav b{margin-right:.9rem}";

static const char *
tone(enum target_state state)
{
	if (target_state_is_alarm(state))
		return "bad";
	return state == STATE_RETRYING || state == STATE_PENDING ? "care"
								 : "good";
}

static void
add_when(struct buf *out, int64_t when, int64_t now)
{
	char at[CLOCK_TEXT], span[CLOCK_SPAN];

	if (when == 0)
		buf_puts(out, "<span class=soft>none</span>");
	else
		buf_printf(out,
		    "<time datetime=\"%s\" title=\"%s\">%s%s%s</time>",
		    clock_rfc3339(when, at), at, when > now ? "in " : "",
		    clock_span(when - now, span), when > now ? "" : " ago");
}

/* --- the parts --- */

static void
add_head(struct buf *out, size_t alarms, const struct status_list *list,
    const struct status_head *head)
{
	char span[CLOCK_SPAN], at[CLOCK_TEXT];

	buf_puts(out,
	    "<!doctype html>\n<html lang=en><head><meta charset="
	    "utf-8><meta name=viewport content=\"width=device-width\">"
	    "<meta http-equiv=refresh content=60><title>");
	if (alarms > 0)
		buf_printf(out, "(%zu) ", alarms);
	buf_printf(out, "oclasp</title><style>%s</style></head><body>", style);
	buf_printf(out, "<h1>oclasp: %zu certificate%s, ", list->kept,
	    list->kept == 1 ? "" : "s");
	if (alarms == 0)
		buf_puts(out, "<span class=good>none needs you</span>");
	else
		buf_printf(out, "<span class=bad>%zu need%s you</span>", alarms,
		    alarms == 1 ? "s" : "");
	buf_printf(out, "</h1><p class=soft>as of %s, running for %s%s</p>",
	    clock_rfc3339(head->now, at),
	    clock_span(head->now - head->started_at, span),
	    head->ready ? "" : "; the first round is not over yet");
}

static void
add_filters(struct buf *out, const struct status_list *list,
    const struct status_query *query)
{
	buf_printf(out,
	    query->states == 0 ? "<nav><b>all %zu</b>"
			       : "<nav><a href=\"/status\">all "
				 "%zu</a>",
	    list->kept);
	for (int s = 0; s < STATUS_STATES; s++) {
		const char *name = target_state_name((enum target_state)s);

		if (list->states[s] == 0)
			continue;
		if (query->states == 1U << s)
			buf_printf(out, "<b>%s %zu</b>", name, list->states[s]);
		else
			buf_printf(out,
			    "<a class=%s href=\"/status?state=%s\">%s %zu</a>",
			    tone((enum target_state)s), name, name,
			    list->states[s]);
	}
	buf_puts(out, "</nav>");
}

static void
add_places(struct buf *out, const struct status_row *row,
    const struct status_head *head)
{
	const struct outlet *outlets = NULL;
	size_t count = 0;

	if (head->outlets != NULL)
		outlets = outlets_of(
		    head->outlets, target_fingerprint(row->target), &count);
	for (size_t i = 0; i < count; i++) {
		const struct outlet *o = &outlets[i];

		buf_printf(out, "<small>%s ", o->server);
		buf_html(out, o->listen == NULL ? o->path : o->listen);
		if (o->err.reason != REASON_NONE) {
			buf_puts(out, ": <span class=bad>");
			buf_html(out, o->err.text);
			buf_puts(out, "</span>");
		} else {
			buf_puts(out,
			    o->proven_at == 0 ? ": not proven" : ": proven ");
		}
		if (o->proven_at != 0)
			add_when(out, o->proven_at, head->now);
		buf_puts(out, "</small>");
	}
}

static void
add_row(struct buf *out, const struct status_row *row,
    const struct status_head *head)
{
	const struct target *t = row->target;
	char sentence[STATUS_SENTENCE];

	buf_printf(out, "<tr><td class=%s>%s</td><td>", tone(row->state),
	    target_state_name(row->state));
	buf_html(out, row->name);
	buf_puts(out, "<small>");
	buf_html(out, t->certificate);
	buf_puts(out, "</small></td><td>");
	buf_html(out, status_sentence(row, head->now, sentence));
	if (row->reason != REASON_NONE)
		buf_printf(out, " <span class=soft>(%s)</span>",
		    reason_name(row->reason));
	add_places(out, row, head);
	buf_puts(out, "</td><td>");
	add_when(out, row->usable_until, head->now);
	buf_puts(out, "</td><td>");
	add_when(out, row->next_refresh, head->now);
	buf_puts(out, "</td><td>");
	add_when(out, t->last_attempt, head->now);
	if (t->failures > 0)
		buf_printf(out, "<small>%u failure%s in a row</small>",
		    t->failures, t->failures == 1 ? "" : "s");
	buf_puts(out, "</td></tr>\n");
}

static void
add_link(struct buf *out, const struct status_query *query, size_t after,
    const char *text)
{
	buf_puts(out, "<a href=\"/status?");
	for (int s = 0; s < STATUS_STATES; s++) {
		if (query->states == 1U << s)
			buf_printf(out, "state=%s&amp;",
			    target_state_name((enum target_state)s));
	}
	if (query->states != 0 && query->states == status_alarms())
		buf_puts(out, "state=alarm&amp;");
	buf_printf(out, "after=%zu\">%s</a>", after, text);
}

static void
add_pages(struct buf *out, const struct status_list *list,
    const struct status_query *query)
{
	size_t end = list->after + list->count;

	buf_printf(out, "<nav><span class=soft>%zu to %zu of %zu</span> ",
	    list->count == 0 ? 0 : list->after + 1, end, list->matched);
	if (list->after > 0)
		add_link(out, query,
		    list->after > STATUS_PAGE_ROWS
			? list->after - STATUS_PAGE_ROWS
			: 0,
		    "before");
	if (end < list->matched)
		add_link(out, query, end, "next");
	buf_puts(out, "</nav>");
}

void
status_page(struct buf *out, const struct status_list *list,
    const struct status_query *query, const struct status_head *head)
{
	size_t alarms = 0;

	for (int s = 0; s < STATUS_STATES; s++) {
		if (target_state_is_alarm((enum target_state)s))
			alarms += list->states[s];
	}
	add_head(out, alarms, list, head);
	add_filters(out, list, query);
	buf_puts(out, "<div class=wide><table><thead><tr><th>state<th>"
		      "certificate<th>what<th>usable until<th>next refresh<th>"
		      "last attempt</tr></thead><tbody>\n");
	for (size_t i = 0; i < list->count; i++)
		add_row(out, &list->rows[i], head);
	buf_puts(out, "</tbody></table></div>");
	add_pages(out, list, query);
	buf_puts(out, "</body></html>\n");
}
