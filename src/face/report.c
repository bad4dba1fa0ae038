/* SPDX-License-Identifier: ISC */
/* face/report.c -- facts as JSON (the shapes of CONTRACT) and as text. */
#include "face/report.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"

json_t *
report_document(const char *command)
{
	return report_json_document(command);
}

void
report_print(json_t *document)
{
	(void)json_dumpf(document, stdout, JSON_INDENT(2));
	(void)putchar('\n');
	json_decref(document);
}

void
report_progress(const struct options *options, const char *text)
{
	if (isatty(STDERR_FILENO) && !options->quiet && !options->json)
		(void)fprintf(stderr, "\r\033[K%s%s", text == NULL ? "" : text,
		    text == NULL ? "" : " ...");
}

void
report_cell(const char *text, size_t columns)
{
	size_t taken = text_columns(text);

	(void)fputs(text, stdout);
	if (taken < columns)
		(void)printf("%*s", (int)(columns - taken), "");
}

json_t *
report_json_try(const struct acquire_try *try)
{
	const char *outcome = try->cancelled ? "cancelled"
			      : try->err.reason == REASON_NONE
				  ? "ok"
				  : reason_name(try->err.reason);

	return json_pack(
	    "{s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:s, s:s, s:o, s:I}",
	    "address", report_json_text(try->address), "port",
	    try->port == 0 ? json_null() : json_integer(try->port), "source",
	    try->source, "proxy", report_json_text(try->proxy), "asked_name",
	    report_json_text(try->asked_name), "url",
	    report_json_text(try->url), "method", report_json_text(try->method),
	    "stage", try->stage, "outcome", outcome, "detail",
	    report_json_text(try->err.text), "elapsed_ms",
	    (json_int_t)try->elapsed_ms);
}

const char *
report_remedy(enum reason reason)
{
	enum reason_group group = reason_group(reason);

	return group == GROUP_NETWORK || group == GROUP_RESPONSE
		   ? reason_remedy(reason)
		   : NULL;
}

void
report_add_verdict(
    json_t *object, const struct verdict *facts, const struct err *err)
{
	bool reason = err->reason != REASON_NONE;

	(void)json_object_set_new(object, "verdict",
	    facts    ? json_string("accept")
	    : reason ? json_string("reject")
		     : json_null());
	(void)json_object_set_new(object, "status",
	    facts ? json_string(cert_status_name(facts->status)) : json_null());
	(void)json_object_set_new(object, "reason",
	    reason ? json_string(reason_name(err->reason)) : json_null());
	(void)json_object_set_new(object, "detail",
	    reason ? report_json_text(err->text) : json_null());
	(void)json_object_set_new(
	    object, "response", report_json_verdict(facts));
}

const char *
report_when(int64_t wall, int64_t now)
{
	static char ring[4][CLOCK_TEXT + CLOCK_SPAN + 8];
	static unsigned next;
	char at[CLOCK_TEXT], span[CLOCK_SPAN];
	char *out = ring[next++ % 4];

	if (wall == 0)
		return "none";
	(void)snprintf(out, sizeof(ring[0]), "%s (%s%s%s)",
	    clock_rfc3339(wall, at), wall > now ? "in " : "",
	    clock_span(wall - now, span), wall > now ? "" : " ago");
	return out;
}

void
report_text_verdict(const struct verdict *facts, int64_t now)
{
	(void)printf("  status       %s", cert_status_name(facts->status));
	if (facts->revoked_at != 0)
		(void)printf(" since %s", report_when(facts->revoked_at, now));
	(void)printf(
	    "\n  thisUpdate   %s\n", report_when(facts->this_update, now));
	(void)printf(
	    "  nextUpdate   %s\n", report_when(facts->next_update, now));
	(void)printf(
	    "  usable until %s\n", report_when(facts->usable_until, now));
	(void)printf("  signed by    the %s, %zu bytes\n",
	    facts->by_delegate ? "issuer's delegate" : "issuer itself",
	    facts->size);
	if (facts->warning != NULL)
		(void)printf("  note         %s\n", facts->warning);
}

void
report_text_cert(const struct cert *cert, int64_t now)
{
	(void)printf("  subject      %s\n", cert->subject);
	(void)printf("  issuer       %s\n", cert->issuer);
	if (cert->name_count > 0) {
		(void)printf("  names       ");
		for (size_t i = 0; i < cert->name_count; i++)
			(void)printf(" %s", cert->names[i]);
		(void)putchar('\n');
	}
	(void)printf("  serial       %s\n", cert->serial);
	(void)printf("  fingerprint  %s\n", cert->fingerprint);
	(void)printf(
	    "  valid        from %s\n", report_when(cert->not_before, now));
	(void)printf("  until        %s\n", report_when(cert->not_after, now));
	for (size_t i = 0; i < cert->ocsp_url_count; i++)
		(void)printf("  OCSP URL     %s\n", cert->ocsp_urls[i]);
	if (cert->ocsp_url_count == 0)
		(void)printf("  OCSP URL     none: nothing to staple, and no "
			     "client asks\n");
	if (cert->ca_issuers != NULL)
		(void)printf("  issuer at    %s\n", cert->ca_issuers);
	if (cert->must_staple)
		(void)printf("  must-staple  yes: clients refuse it without a "
			     "staple (RFC 7633)\n");
}
