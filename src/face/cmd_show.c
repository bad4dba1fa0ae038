/* SPDX-License-Identifier: ISC */
/* face/cmd_show.c -- oclasp show FILE...: certificates, requests, responses
 * for a reader.  Nothing is verified here. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "face/command.h"
#include "face/report.h"
#include "pki/cert.h"
#include "pki/request.h"
#include "pki/response.h"

static const char *
hash_of_oid(struct span oid)
{
	/* by the lengths and last octets of the only ones in use */
	if (oid.len == 5)
		return "sha1";
	if (oid.len == 9 && oid.at[8] == 1)
		return "sha256";
	if (oid.len == 9 && oid.at[8] == 2)
		return "sha384";
	if (oid.len == 9 && oid.at[8] == 3)
		return "sha512";
	return "unknown";
}

static json_t *
json_hex(struct span bytes)
{
	char *hex = text_hex(bytes.at, bytes.len);
	json_t *json = json_string(hex);

	free(hex);
	return json;
}

static json_t *
json_single(const struct response_single *single)
{
	return json_pack("{s:s, s:o, s:o, s:o, s:s, s:o, s:o, s:o}", "hash",
	    hash_of_oid(single->hash_oid), "issuer_name_hash",
	    json_hex(single->name_hash), "issuer_key_hash",
	    json_hex(single->key_hash), "serial", json_hex(single->serial),
	    "status", cert_status_name(single->status), "revoked_at",
	    report_json_time(single->revoked_at), "this_update",
	    report_json_time(single->this_update), "next_update",
	    report_json_time(single->next_update));
}

static json_t *
json_response(const char *path, const struct response *response)
{
	json_t *singles = json_array();

	for (size_t i = 0; i < response->single_count; i++)
		(void)json_array_append_new(
		    singles, json_single(&response->singles[i]));
	return json_pack("{s:o, s:s, s:n, s:n, s:s, s:o, s:o, s:o, s:o, s:I}",
	    "file", report_json_text(path), "kind", "ocsp-response", "reason",
	    "detail", "responder_by",
	    response->responder_kind == RESPONDER_BY_KEY ? "key" : "name",
	    "responder", json_hex(response->responder), "produced_at",
	    report_json_time(response->produced_at), "nonce",
	    response->has_nonce ? json_hex(response->nonce) : json_null(),
	    "answers", singles, "certificates",
	    (json_int_t)response->cert_count);
}

static void
text_response(const char *path, const struct response *response, int64_t now)
{
	char *hex = text_hex(response->responder.at, response->responder.len);

	(void)printf("%s: OCSP response, not verified\n", path);
	(void)printf("  responder    by %s %.64s\n",
	    response->responder_kind == RESPONDER_BY_KEY ? "key hash"
							 : "name (DER)",
	    hex);
	(void)printf(
	    "  producedAt   %s\n", report_when(response->produced_at, now));
	(void)printf("  certificates %zu embedded\n", response->cert_count);
	free(hex);
	for (size_t i = 0; i < response->single_count; i++) {
		const struct response_single *single = &response->singles[i];

		hex = text_hex(single->serial.at, single->serial.len);
		(void)printf("  answer %zu     serial %s (CertID %s): %s\n",
		    i + 1, hex, hash_of_oid(single->hash_oid),
		    cert_status_name(single->status));
		free(hex);
		if (single->revoked_at != 0)
			(void)printf("    revoked    %s\n",
			    report_when(single->revoked_at, now));
		(void)printf("    thisUpdate %s\n    nextUpdate %s\n",
		    report_when(single->this_update, now),
		    report_when(single->next_update, now));
	}
}

static void
show_request(const char *path, const struct request_facts *facts, json_t *list)
{
	json_t *ids = json_array();

	if (list == NULL)
		(void)printf("%s: OCSP request, %s\n", path,
		    facts->is_signed ? "signed" : "not signed");
	for (size_t i = 0; i < facts->id_count; i++) {
		const struct request_id *id = &facts->ids[i];

		(void)json_array_append_new(ids,
		    json_pack("{s:s, s:s, s:s, s:s}", "hash", id->hash,
			"issuer_name_hash", id->name_hash, "issuer_key_hash",
			id->key_hash, "serial", id->serial));
		if (list == NULL)
			(void)printf("  asks for     serial %s (CertID %s)\n"
				     "    name hash  %s\n    key hash   %s\n",
			    id->serial, id->hash, id->name_hash, id->key_hash);
	}
	if (list != NULL)
		(void)json_array_append_new(
		    list, json_pack("{s:o, s:s, s:b, s:O}", "file",
			      report_json_text(path), "kind", "ocsp-request",
			      "signed", facts->is_signed, "asks", ids));
	json_decref(ids);
}

static void
show_certs(
    const char *path, const struct cert_list *certs, int64_t now, json_t *list)
{
	for (size_t i = 0; i < certs->count; i++) {
		json_t *json;

		if (list == NULL) {
			(void)printf("%s: certificate %zu of %zu\n", path,
			    i + 1, certs->count);
			report_text_cert(certs->items[i], now);
			continue;
		}
		json = report_json_cert(certs->items[i]);
		(void)json_object_set_new(json, "file", report_json_text(path));
		(void)json_object_set_new(
		    json, "kind", json_string("certificate"));
		(void)json_array_append_new(list, json);
	}
}

/* A response that is an error status, or is none: say so in its place. */
static void
show_status(const char *path, const struct err *err, json_t *list)
{
	if (list != NULL)
		(void)json_array_append_new(list,
		    json_pack("{s:o, s:s, s:s, s:o, s:n, s:n, s:n, s:n,"
			      " s:[], s:n}",
			"file", report_json_text(path), "kind", "ocsp-response",
			"reason", reason_name(err->reason), "detail",
			report_json_text(err->text), "responder_by",
			"responder", "produced_at", "nonce", "answers",
			"certificates"));
	else
		(void)printf("%s: OCSP response: %s\n", path, err->text);
}

static bool
is_status(enum reason reason)
{
	return reason >= REASON_STATUS_MALFORMED_REQUEST &&
	       reason <= REASON_STATUS_UNAUTHORIZED;
}

/* LIST NULL: text on stdout. */
static int
show_bytes(const char *path, const uint8_t *bytes, size_t len, int64_t now,
    json_t *list, struct err *err)
{
	struct request_facts request;
	struct response response;
	struct cert_list certs = {0};
	struct err why = {0};
	uint8_t *der = NULL;
	size_t der_len = 0;
	int rc = 0;

	if (cert_list_parse(&certs, path, bytes, len, err) == 0) {
		show_certs(path, &certs, now, list);
	} else if (response_unwrap(bytes, len, &der, &der_len, NULL) == 0 &&
		   response_parse(der, der_len, &response, &why) == 0) {
		if (list != NULL)
			(void)json_array_append_new(
			    list, json_response(path, &response));
		else
			text_response(path, &response, now);
		response_done(&response);
	} else if (is_status(why.reason)) {
		show_status(path, &why, list);
	} else if (der != NULL &&
		   request_parse(der, der_len, &request, NULL) == 0) {
		show_request(path, &request, list);
		request_facts_done(&request);
	} else {
		rc = -1;
	}
	cert_list_done(&certs);
	free(der);
	return rc;
}

static int
show_file(const char *path, int64_t now, json_t *list)
{
	/* of any folder: a name must not move the terminal */
	char *name = list == NULL ? text_printable(path) : mem_string(path);
	struct err err = {0};
	uint8_t *bytes = NULL;
	size_t len = 0;
	int rc = -1;

	if (file_read(path, CERT_FILE_MAX, &bytes, &len, &err) == 0)
		rc = show_bytes(name, bytes, len, now, list, &err);
	free(bytes);
	free(name);
	if (rc == -1)
		return command_fail("show", &err, EXIT_USAGE);
	return EXIT_GOOD;
}

static int
run(const struct options *o)
{
	json_t *list = o->json ? json_array() : NULL;
	struct err err = {0};
	int status = EXIT_GOOD;

	if (o->arg_count == 0) {
		json_decref(list);
		(void)err_set(&err, REASON_USAGE, "give one or more files");
		return command_fail("show", &err, EXIT_USAGE);
	}
	for (int i = 0; i < o->arg_count; i++) {
		int one = show_file(o->args[i], options_now(o), list);

		if (one != EXIT_GOOD)
			status = one;
	}
	if (list != NULL) {
		json_t *document = report_document("show");

		(void)json_object_set_new(document, "items", list);
		report_print(document);
	}
	return status;
}

const struct command command_show = {
    .name = "show",
    .bit = CMD_SHOW,
    .synopsis = "FILE...",
    .purpose = "decode certificates, OCSP requests and OCSP responses",
    .details = "Each FILE is PEM, DER or base64; - is standard input. Nothing "
	       "is verified:\nsee `oclasp verify` for that.",
    .run = run,
};
