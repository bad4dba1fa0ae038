/* SPDX-License-Identifier: ISC */
/* acquire/courier.c -- the bundle that a courier carries. */
#include "acquire/courier.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/err.h"
#include "base/mem.h"
#include "http/fetch.h"
#include "pki/request.h"
#include "pki/verify.h"

void
courier_done(struct courier_bundle *bundle)
{
	for (size_t i = 0; i < bundle->count; i++) {
		struct courier_item *item = &bundle->items[i];

		for (size_t u = 0; u < item->url_count; u++)
			free(item->urls[u]);
		free(item->request);
		free(item->response);
		free(item->detail);
		free(item->url);
		free(item->address);
		free(item->source);
	}
	free(bundle->items);
	*bundle = (struct courier_bundle){0};
}

struct courier_item *
courier_add(struct courier_bundle *bundle, const uint8_t *request, size_t len)
{
	struct courier_item *item;

	if (bundle->count == COURIER_ITEMS_MAX || len > COURIER_REQUEST_MAX)
		return NULL;
	bundle->items = mem_resize(
	    bundle->items, bundle->count + 1, sizeof(bundle->items[0]));
	item = &bundle->items[bundle->count++];
	memset(item, 0, sizeof(*item));
	item->request = mem_copy(request, len);
	item->request_len = len;
	return item;
}

void
courier_add_url(struct courier_item *item, const char *url)
{
	char *host = NULL;
	int port;

	if (item->url_count == COURIER_URLS_MAX ||
	    strlen(url) > COURIER_URL_MAX ||
	    !fetch_split_url(url, &host, &port))
		return;
	free(host);
	item->urls[item->url_count++] = mem_string(url);
}

/* --- reading --- */

static int
refuse(struct err *err, const char *what)
{
	return err_set(err, REASON_USAGE,
	    "this is no bundle of `oclasp courier`: %s", what);
}

/* The bytes of a base64 member; REQUIRED: null and absence are errors. */
static int
take_bytes(const json_t *object, const char *name, size_t max, bool required,
    uint8_t **out, size_t *len, struct err *err)
{
	const json_t *member = json_object_get(object, name);
	uint8_t *bytes = NULL;
	size_t got = 0;

	if (!required && (member == NULL || json_is_null(member)))
		return 0;
	if (!json_is_string(member) ||
	    !base64_read(json_string_value(member), json_string_length(member),
		&bytes, &got))
		return err_set(err, REASON_USAGE,
		    "this is no bundle of `oclasp courier`: the '%s' of an "
		    "item is no base64",
		    name);
	if (got == 0 || got > max) {
		free(bytes);
		return err_set(err, REASON_USAGE,
		    "the '%s' of an item in the bundle has %zu bytes: 1 to "
		    "%zu are taken",
		    name, got, max);
	}
	*out = bytes;
	*len = got;
	return 0;
}

/* A text for people: cut, and clean for a terminal; NULL if it is none. */
static char *
take_text(const json_t *object, const char *name)
{
	const json_t *member = json_object_get(object, name);
	char *cut, *clean;

	if (!json_is_string(member))
		return NULL;
	cut = mem_printf("%.*s", COURIER_DETAIL_MAX, json_string_value(member));
	clean = text_printable(cut);
	free(cut);
	return clean;
}

static int
take_urls(struct courier_item *item, const json_t *object, struct err *err)
{
	const json_t *urls = json_object_get(object, "urls");
	size_t count = json_array_size(urls);

	if (!json_is_array(urls) || count == 0 || count > COURIER_URLS_MAX)
		return err_set(err, REASON_USAGE,
		    "this is no bundle of `oclasp courier`: an item wants 1 "
		    "to %d urls",
		    COURIER_URLS_MAX);
	for (size_t i = 0; i < count; i++) {
		const char *url = json_string_value(json_array_get(urls, i));

		if (url != NULL)
			courier_add_url(item, url);
	}
	if (item->url_count < count)
		return refuse(
		    err, "an url of an item is not http, or too long");
	return 0;
}

static int
take_item(struct courier_bundle *bundle, const json_t *object, struct err *err)
{
	struct request_facts facts = {0};
	struct courier_item *item;
	uint8_t *request = NULL;
	const char *reason;
	size_t len = 0, ids;

	if (!json_is_object(object))
		return refuse(err, "an item is no object");
	if (take_bytes(object, "request", COURIER_REQUEST_MAX, true, &request,
		&len, err) == -1)
		return -1;
	item = courier_add(bundle, request, len);
	free(request);
	if (request_parse(item->request, len, &facts, NULL) == -1)
		return refuse(err, "the request of an item is no OCSP request");
	ids = facts.id_count;
	request_facts_done(&facts);
	if (ids != 1)
		return refuse(
		    err, "an item asks for one certificate at a time");
	if (take_urls(item, object, err) == -1)
		return -1;
	if (!bundle->answers)
		return 0;
	if (take_bytes(object, "response", VERIFY_RESPONSE_MAX, false,
		&item->response, &item->response_len, err) == -1)
		return -1;
	reason = json_string_value(json_object_get(object, "reason"));
	if (reason != NULL)
		(void)reason_find(reason, &item->reason);
	item->detail = take_text(object, "detail");
	item->url = take_text(object, "url");
	item->address = take_text(object, "address");
	item->source = take_text(object, "source");
	return 0;
}

static int
take_head(struct courier_bundle *bundle, const json_t *root, struct err *err)
{
	const json_t *version = json_object_get(root, "courier");
	const char *kind = json_string_value(json_object_get(root, "kind"));

	if (!json_is_integer(version))
		return refuse(err, "it has no number 'courier'");
	if (json_integer_value(version) != COURIER_VERSION)
		return err_set(err, REASON_USAGE,
		    "the bundle is of version %lld, this oclasp knows %d: use "
		    "the same oclasp at both ends",
		    (long long)json_integer_value(version), COURIER_VERSION);
	if (kind == NULL ||
	    (strcmp(kind, "requests") != 0 && strcmp(kind, "answers") != 0))
		return refuse(err, "its kind is neither requests nor answers");
	bundle->answers = strcmp(kind, "answers") == 0;
	return 0;
}

int
courier_parse(
    const char *text, size_t len, struct courier_bundle *out, struct err *err)
{
	struct courier_bundle bundle = {0};
	json_error_t fault;
	json_t *root = NULL;
	const json_t *items;
	int rc = -1;

	if (len > COURIER_BUNDLE_MAX)
		return err_set(err, REASON_USAGE,
		    "the bundle has %zu bytes; more than %d are not taken", len,
		    COURIER_BUNDLE_MAX);
	root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &fault);
	if (root == NULL) {
		text_clean(fault.text);
		return err_set(err, REASON_USAGE,
		    "this is no bundle of `oclasp courier`: line %d: %s",
		    fault.line, fault.text);
	}
	if (take_head(&bundle, root, err) == -1)
		goto out;
	items = json_object_get(root, "items");
	if (!json_is_array(items)) {
		(void)refuse(err, "it has no list 'items'");
		goto out;
	}
	if (json_array_size(items) > COURIER_ITEMS_MAX) {
		(void)err_set(err, REASON_USAGE,
		    "the bundle has %zu items; more than %d are not taken",
		    json_array_size(items), COURIER_ITEMS_MAX);
		goto out;
	}
	for (size_t i = 0; i < json_array_size(items); i++) {
		if (take_item(&bundle, json_array_get(items, i), err) == -1)
			goto out;
	}
	*out = bundle;
	bundle = (struct courier_bundle){0};
	rc = 0;
out:
	courier_done(&bundle);
	json_decref(root);
	return rc;
}

/* --- writing --- */

static json_t *
json_bytes(const uint8_t *bytes, size_t len)
{
	char *text;
	json_t *json;

	if (bytes == NULL)
		return json_null();
	text = base64_write(bytes, len);
	json = json_string(text);
	free(text);
	return json;
}

static json_t *
json_text(const char *text)
{
	json_t *json = text == NULL ? NULL : json_string(text);

	return json == NULL ? json_null() : json;
}

/* The hashes that the request holds, for a reader: nothing is added to it. */
static void
add_hashes(json_t *object, const struct courier_item *item)
{
	struct request_facts facts = {0};

	if (request_parse(item->request, item->request_len, &facts, NULL) ==
		0 &&
	    facts.id_count > 0)
		(void)json_object_update_new(object,
		    json_pack("{s:s, s:s, s:s, s:s}", "hash", facts.ids[0].hash,
			"issuer_name_hash", facts.ids[0].name_hash,
			"issuer_key_hash", facts.ids[0].key_hash, "serial",
			facts.ids[0].serial));
	request_facts_done(&facts);
}

static json_t *
json_item(const struct courier_item *item, bool answers)
{
	json_t *urls = json_array();
	json_t *object = json_object();

	for (size_t i = 0; i < item->url_count; i++)
		(void)json_array_append_new(urls, json_text(item->urls[i]));
	(void)json_object_set_new(object, "urls", urls);
	(void)json_object_set_new(
	    object, "request", json_bytes(item->request, item->request_len));
	add_hashes(object, item);
	if (!answers)
		return object;
	(void)json_object_update_new(object,
	    json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "response",
		json_bytes(item->response, item->response_len), "reason",
		item->reason == REASON_NONE
		    ? json_null()
		    : json_string(reason_name(item->reason)),
		"detail", json_text(item->detail), "url", json_text(item->url),
		"address", json_text(item->address), "source",
		json_text(item->source)));
	return object;
}

char *
courier_write(const struct courier_bundle *bundle)
{
	json_t *items = json_array();
	json_t *root = json_pack("{s:s, s:s, s:i, s:s, s:o}", "oclasp",
	    OCLASP_VERSION, "command", "courier", "courier", COURIER_VERSION,
	    "kind", bundle->answers ? "answers" : "requests", "items", items);
	char *text;

	for (size_t i = 0; i < bundle->count; i++)
		(void)json_array_append_new(
		    items, json_item(&bundle->items[i], bundle->answers));
	text = json_dumps(root, JSON_INDENT(1));
	json_decref(root);
	return text;
}
