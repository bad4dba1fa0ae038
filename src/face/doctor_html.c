/* SPDX-License-Identifier: ISC */
/* face/doctor_html.c -- a report as one page that needs nothing else. */
#include "face/doctor_html.h"

#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "doctor/picture.h"

enum { LINE = 1024, MODE = 0644 };

static const char style[] =
    ":root{color-scheme:light dark;--ink:#1b1f24;--paper:#fff;--line:#d9dde2;"
    "--soft:#646c75;--bad:#b3132b;--care:#8a5a00;--good:#0b6b34;"
    "--plain:#3b5b8c;--badbg:#fdecee;--carebg:#fff5dd;--goodbg:#e8f6ed;"
    "--plainbg:#edf2f9}"
    "@media(prefers-color-scheme:dark){:root{--ink:#e6e6e6;--paper:#16181b;"
    "--line:#3a3f45;--soft:#9aa3ad;--bad:#ff8090;--care:#f0b95a;"
    "--good:#74d394;--plain:#9dbcec;--badbg:#3a1a1f;--carebg:#352a12;"
    "--goodbg:#15301f;--plainbg:#1d2735}}"
    "body{font:15px/1.5 system-ui,sans-serif;margin:0 auto;padding:1rem;"
    "max-width:76rem;color:var(--ink);background:var(--paper)}"
    "h1{font-size:1.35rem;margin:.2rem 0 .6rem}h2{font-size:1.05rem;"
    "margin:1.8rem 0 .4rem;border-bottom:1px solid var(--line)}"
    "p{margin:.3rem 0}.soft,th{color:var(--soft)}"
    ".bad{color:var(--bad)}.care{color:var(--care)}.good{color:var(--good)}"
    ".plain{color:var(--plain)}"
    ".head{border-left:.5rem solid;padding:.4rem .9rem;border-radius:.3rem}"
    ".head.bad{background:var(--badbg)}.head.care{background:var(--carebg)}"
    ".head.good{background:var(--goodbg)}.head p{color:var(--ink)}"
    "code,pre,td.code{font:13px/1.45 ui-monospace,monospace}"
    "pre{background:var(--plainbg);padding:.6rem .8rem;border-radius:.3rem;"
    "overflow-x:auto}"
    ".wide{overflow-x:auto}table{border-collapse:collapse;width:100%}"
    "th,td{text-align:left;vertical-align:top;padding:.25rem .7rem .25rem 0;"
    "border-bottom:1px solid var(--line);overflow-wrap:anywhere}"
    "th{font-weight:normal;white-space:nowrap}td.n{white-space:nowrap}"
    "summary{cursor:pointer;margin:.6rem 0}"
    "svg text{font:12px ui-monospace,monospace;fill:var(--ink)}"
    "svg .soft{fill:var(--soft)}svg .line{stroke:var(--line);fill:none}"
    "svg .box{fill:var(--paper);stroke:var(--soft)}"
    "svg .arrow{stroke:var(--soft);fill:none}"
    "svg text.bad,circle.bad{fill:var(--bad)}"
    "svg text.care,circle.care{fill:var(--care)}"
    "svg text.good,circle.good{fill:var(--good)}"
    "svg text.plain,circle.plain{fill:var(--plain)}"
    "rect.bad{fill:var(--badbg);stroke:var(--bad)}"
    "rect.care{fill:var(--carebg);stroke:var(--care)}"
    "rect.good{fill:var(--goodbg);stroke:var(--good)}"
    "rect.plain{fill:var(--plainbg);stroke:var(--plain)}"
    "rect.none{fill:none;stroke:var(--line)}";

/* --- files --- */

int
html_check(const char *path, struct err *err)
{
	char *copy = mem_string(path);
	struct stat info;
	int rc = 0;

	if (path[0] == '\0' || strcmp(path, "-") == 0 ||
	    (stat(path, &info) == 0 && !S_ISREG(info.st_mode)))
		rc = err_set(err, REASON_FILE,
		    "--html '%s': give the name of a file to be written", path);
	else if (access(dirname(copy), W_OK) == -1)
		rc = err_set(err, REASON_FILE,
		    "--html '%s': its folder is not there, or not to be "
		    "written to",
		    path);
	free(copy);
	return rc;
}

int
html_write(const char *path, const struct buf *page, struct err *err)
{
	if (page->full)
		return err_set(err, REASON_FILE,
		    "'%s' was not written: the page is larger than %d octets",
		    path, HTML_PAGE_MAX);
	return file_replace(path, buf_text(page), page->len, MODE, err);
}

/* --- what every page has --- */

static void
add_begin(struct buf *out, const char *command, const char *target)
{
	buf_printf(out,
	    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>"
	    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src "
	    "&#39;none&#39;; style-src &#39;unsafe-inline&#39;; base-uri "
	    "&#39;none&#39;; form-action &#39;none&#39;\"/>"
	    "<meta name=\"viewport\" content=\"width=device-width\"/>"
	    "<meta name=\"referrer\" content=\"no-referrer\"/>"
	    "<title>oclasp %s: ",
	    command);
	buf_html(out, target);
	buf_printf(out,
	    "</title><style>%s</style></head><body><p class=\"soft\">oclasp %s "
	    "<code>",
	    style, command);
	buf_html(out, target);
	buf_puts(out, "</code></p>\n");
}

static void
add_end(struct buf *out, const struct facts *facts, int64_t now)
{
	char at[CLOCK_TEXT];

	buf_printf(out,
	    "<p class=\"soft\">made by oclasp %s, %s; %zu facts</p>"
	    "</body></html>\n",
	    OCLASP_VERSION, clock_rfc3339(now, at), facts->count);
}

static const char *
tone_of(const struct finding *f)
{
	if (finding_row(f->code)->good)
		return "good";
	return f->code == FINDING_INCONCLUSIVE ||
		       f->certainty > CERTAINTY_STRONG
		   ? "care"
		   : "bad";
}

static void
add_fact_row(struct buf *out, const struct facts *facts, size_t index)
{
	const struct fact *fact = &facts->items[index];
	char line[LINE];

	doctor_report_fact(facts, index, line, sizeof(line));
	buf_printf(out,
	    "<tr><td class=\"n\">[%zu]</td><td class=\"n\">%s</td><td "
	    "class=\"n\">%lld ms</td><td class=\"code\">",
	    index + 1, fact->probe, (long long)fact->at_ms);
	buf_html(out, line);
	buf_puts(out, "</td></tr>\n");
}

static void
add_all_facts(struct buf *out, const struct facts *facts)
{
	buf_printf(out,
	    "<details><summary>all %zu facts</summary><div class=\"wide\">"
	    "<table><thead><tr><th>fact</th><th>probe</th><th>at</th><th>what "
	    "was seen</th></tr></thead><tbody>\n",
	    facts->count);
	for (size_t i = 0; i < facts->count; i++) {
		if (facts->items[i].kind != FACT_UNTESTED)
			add_fact_row(out, facts, i);
	}
	buf_puts(out, "</tbody></table></div></details>\n");
}

static void
add_finding_head(struct buf *out, const struct finding *f)
{
	char line[LINE];

	buf_printf(out,
	    "<div class=\"head %s\"><h1>%s <span class=\"soft\">(%s)</span>"
	    "</h1><p>",
	    tone_of(f), finding_row(f->code)->code,
	    certainty_name(f->certainty));
	buf_html(out, f->sentence);
	buf_puts(out, "</p>");
	doctor_report_scope(f, line, sizeof(line));
	if (line[0] != '\0') {
		buf_puts(out, "<p class=\"soft\">scope: ");
		buf_html(out, line);
		buf_puts(out, "</p>");
	}
}

static void
add_evidence(
    struct buf *out, const struct facts *facts, const struct finding *f)
{
	if (f->evidence_count == 0)
		return;
	buf_puts(out, "<h2>evidence</h2><div class=\"wide\"><table><tbody>\n");
	for (size_t i = 0; i < f->evidence_count; i++)
		add_fact_row(out, facts, f->evidence[i]);
	buf_puts(out, "</tbody></table></div>\n");
}

static void
add_other(struct buf *out, const struct finding *f)
{
	buf_printf(out,
	    "<tr><td class=\"n %s\">%s</td><td class=\"n\">%s</td><td>",
	    tone_of(f), finding_row(f->code)->code,
	    certainty_name(f->certainty));
	buf_html(out, f->sentence);
	buf_puts(out, "</td></tr>\n");
}

/* The chain of each OCSP URL, and the first one's questions in time. */
static void
add_pictures(struct buf *out, const struct facts *facts, const char *host)
{
	struct picture *picture = mem_new(sizeof(*picture));
	struct facts first, later;

	facts_of_url(facts, 0, &first, NULL);
	picture_make(&first, picture);
	if (host[0] != '\0')
		html_chain(out, picture, host);
	for (unsigned url = 1; url < facts_urls(facts); url++) {
		const struct fact_input *input = facts_input_of(facts, url);

		if (input == NULL)
			continue;
		facts_of_url(facts, url, &later, NULL);
		picture_make(&later, picture);
		html_chain(out, picture, input->host);
		facts_done(&later);
	}
	picture_make(&first, picture);
	html_timeline(out, picture);
	free(picture);
	facts_done(&first);
}

/* --- doctor --- */

static void
add_remedy(struct buf *out, const struct doctor_report *r)
{
	struct remedy remedy;

	remedy_make(r->facts, &r->diagnosis->findings[0], &r->subject, &remedy);
	if (remedy.count == 0)
		return;
	buf_puts(out, "<h2>remedy</h2><pre>");
	for (size_t i = 0; i < remedy.count; i++) {
		buf_html(out, remedy.lines[i]);
		buf_puts(out, "\n");
	}
	remedy_done(&remedy);
	buf_puts(out, "</pre>\n");
}

static void
add_untested(struct buf *out, const struct facts *facts)
{
	bool any = false;
	char line[LINE];

	for (size_t i = 0; i < facts->count; i++) {
		if (facts->items[i].kind != FACT_UNTESTED)
			continue;
		if (!any)
			buf_puts(out, "<h2>not tested</h2><ul>\n");
		any = true;
		doctor_report_fact(facts, i, line, sizeof(line));
		buf_puts(out, "<li>");
		buf_html(out, line);
		buf_puts(out, "</li>\n");
	}
	if (any)
		buf_puts(out, "</ul>\n");
}

void
doctor_html(struct buf *out, const struct doctor_report *r, int64_t now)
{
	const struct diagnosis *d = r->diagnosis;
	const struct fact_input *input = facts_input_of(r->facts, 0);
	const char *host = input == NULL ? "" : input->host;

	add_begin(out, "doctor", r->target);
	add_finding_head(out, &d->findings[0]);
	if (d->substitution[0] != '\0') {
		buf_puts(out, "<p>proof: ");
		buf_html(out, d->substitution);
		buf_puts(out, "</p>");
	}
	buf_puts(out, "</div>\n");
	add_remedy(out, r);
	add_evidence(out, r->facts, &d->findings[0]);
	if (d->count > 1) {
		buf_puts(out, "<h2>also seen</h2><div class=\"wide\"><table>"
			      "<tbody>\n");
		for (size_t i = 1; i < d->count; i++)
			add_other(out, &d->findings[i]);
		buf_puts(out, "</tbody></table></div>\n");
	}
	add_pictures(out, r->facts, host);
	doctor_penalty_html(out, r);
	add_untested(out, r->facts);
	add_all_facts(out, r->facts);
	add_end(out, r->facts, now);
}

/* --- dns --- */

static void
add_bisect(struct buf *out, const struct bisect *b)
{
	if (b == NULL)
		return;
	buf_puts(out, "<h2>bisect</h2><p>");
	buf_html(out, b->verdict);
	if (b->hops > 0)
		buf_printf(out,
		    ". Answered within %d hops: whoever answers is no farther "
		    "away",
		    b->hops);
	buf_puts(out, ".</p><div class=\"wide\"><table><thead><tr><th>name</th>"
		      "<th>answered</th><th>injected</th></tr></thead><tbody>");
	for (size_t i = 0; i < b->count; i++) {
		const struct bisect_link *link = &b->links[i];

		buf_puts(out, "<tr><td class=\"code\">");
		buf_html(out, link->name);
		buf_printf(out,
		    "</td><td>%u of %u</td><td class=\"%s\">%s</td></tr>\n",
		    link->answered, link->asked,
		    link->injected == BISECT_YES  ? "bad"
		    : link->injected == BISECT_NO ? "good"
						  : "care",
		    link->injected == BISECT_YES  ? "yes"
		    : link->injected == BISECT_NO ? "no"
						  : "not known");
	}
	buf_puts(out, "</tbody></table></div>\n");
}

void
dns_html(struct buf *out, const struct dns_report *r, int64_t now)
{
	bool any = false;

	add_begin(out, "dns", r->name);
	for (size_t i = 0; i < r->diagnosis->count; i++) {
		const struct finding *f = &r->diagnosis->findings[i];

		if (!dns_report_tells(r->diagnosis, i))
			continue;
		any = true;
		add_finding_head(out, f);
		buf_puts(out, "</div>\n");
		add_evidence(out, r->facts, f);
	}
	if (!any)
		buf_puts(out,
		    "<div class=\"head good\"><h1>nothing odd</h1><p>Nothing "
		    "was seen that only a forger does. That answers differ is "
		    "no proof of anything.</p></div>\n");
	add_bisect(out, r->bisect);
	add_pictures(out, r->facts, r->name);
	add_all_facts(out, r->facts);
	add_end(out, r->facts, now);
}
