/* SPDX-License-Identifier: ISC */
/* pki/report_json.c -- facts as JSON (the shapes of CONTRACT). */
#include "pki/report_json.h"

#include "base/clock.h"
#include "base/text.h"
#include "pki/cert.h"
#include "pki/verify.h"

json_t *
report_json_document(const char *command)
{
	return json_pack(
	    "{s:s, s:s}", "oclasp", OCLASP_VERSION, "command", command);
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
