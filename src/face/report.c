/* SPDX-License-Identifier: ISC */
/* face/report.c -- facts as JSON (the shapes of CONTRACT) and as text. */
#include "face/report.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

json_t *
report_document(const char *command)
{
	return json_pack(
	    "{s:s, s:s}", "oclasp", OCLASP_VERSION, "command", command);
}

void
report_print(json_t *document)
{
	(void)json_dumpf(document, stdout, JSON_INDENT(2));
	(void)putchar('\n');
	json_decref(document);
}

json_t *
report_json_text(const char *text)
{
	json_t *json;

	if (text == NULL || text[0] == '\0')
		return json_null();
	json = json_string(text);
	/* what is no UTF-8 came from outside: byte for byte as Latin-1 */
	if (json == NULL) {
		struct buf utf8;

		buf_init(&utf8, 2 * strlen(text) + 1); /* it all fits */
		for (const char *c = text; *c != '\0'; c++) {
			unsigned char byte = (unsigned char)*c;

			if (byte < 0x80)
				buf_add(&utf8, c, 1);
			else
				buf_printf(&utf8, "%c%c", 0xc0 | byte >> 6,
				    0x80 | (byte & 0x3f));
		}
		json = json_string(buf_text(&utf8));
		buf_done(&utf8);
	}
	return json;
}

json_t *
report_json_time(int64_t wall)
{
	char text[CLOCK_TEXT];

	return wall == 0 ? json_null() : json_string(clock_rfc3339(wall, text));
}

static json_t *
json_texts(char *const *texts, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		(void)json_array_append_new(list, report_json_text(texts[i]));
	return list;
}

json_t *
report_json_cert(const struct cert *cert)
{
	if (cert == NULL)
		return json_null();
	return json_pack("{s:o, s:o, s:o, s:s, s:s, s:o, s:o, s:b}", "subject",
	    report_json_text(cert->subject), "issuer",
	    report_json_text(cert->issuer), "names",
	    json_texts(cert->names, cert->name_count), "serial", cert->serial,
	    "fingerprint", cert->fingerprint, "not_after",
	    report_json_time(cert->not_after), "ocsp_urls",
	    json_texts(cert->ocsp_urls, cert->ocsp_url_count), "must_staple",
	    cert->must_staple);
}

json_t *
report_json_verdict(const struct verdict *facts)
{
	if (facts == NULL)
		return json_null();
	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:s, s:o, s:I, s:s, s:o}",
	    "status", cert_status_name(facts->status), "this_update",
	    report_json_time(facts->this_update), "next_update",
	    report_json_time(facts->next_update), "produced_at",
	    report_json_time(facts->produced_at), "revoked_at",
	    report_json_time(facts->revoked_at), "signer",
	    facts->by_delegate ? "delegate" : "issuer", "usable_until",
	    report_json_time(facts->usable_until), "size",
	    (json_int_t)facts->size, "sha256", facts->sha256, "warning",
	    report_json_text(facts->warning));
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

	(void)json_object_set_new(
	    object, "verdict", json_string(facts ? "accept" : "reject"));
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
