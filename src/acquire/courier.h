/* SPDX-License-Identifier: ISC */
/* acquire/courier.h -- the bundle that a courier carries: requests out, answers
 * in, one JSON document each way.
 *
 * Pure.  Nobody trusts the carrier: what comes home is verified there.  Out go
 * the request as a CA sees it and the responder's URLs; no path, no name, no
 * fingerprint.
 *
 *   {"oclasp": VERSION, "command": "courier", "courier": 1,
 *    "kind": "requests" | "answers",
 *    "items": [{"urls": [...], "request": BASE64,
 *               "hash", "issuer_name_hash", "issuer_key_hash", "serial",
 *               -- of answers also --
 *               "response": BASE64 | null, "reason", "detail",
 *               "url", "address", "source"}]} */
#ifndef OCLASP_ACQUIRE_COURIER_H
#define OCLASP_ACQUIRE_COURIER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "base/text.h"

struct err;

enum {
	COURIER_VERSION = 1,
	COURIER_BUNDLE_MAX = 64 << 20, /* bytes: 10,000 answers have under 40 */
	COURIER_ITEMS_MAX = 10000,
	COURIER_URLS_MAX = 10,      /* of one item */
	COURIER_URL_MAX = 2048,     /* bytes */
	COURIER_REQUEST_MAX = 4096, /* bytes: one CertID has about 80 */
	COURIER_DETAIL_MAX = 512,   /* bytes of any other text */
};

struct courier_item {
	char *urls[COURIER_URLS_MAX]; /* owned; http or https */
	size_t url_count;
	uint8_t *request; /* owned; one CertID */
	size_t request_len;
	uint8_t *response; /* owned; NULL: there is none */
	size_t response_len;
	enum reason reason; /* why there is none; of answers */
	char *detail;       /* the same in words, printable, or NULL */
	char *url, *address, *source; /* where it is from, printable, or NULL */
};

struct courier_bundle {
	bool answers;               /* else requests */
	struct courier_item *items; /* owned */
	size_t count;
};

/* Read a bundle.  Anything that is too much, too large or not as above is
 * refused as a whole.  On failure *OUT is untouched.  Errors: REASON_USAGE. */
int courier_parse(
    const char *text, size_t len, struct courier_bundle *out, struct err *err);

/* The document; owned. */
char *courier_write(const struct courier_bundle *bundle);

/* Add a copy of a request of LEN bytes; its place, to be filled further, valid
 * until the next.  NULL if the bundle is full or the request too large. */
struct courier_item *courier_add(
    struct courier_bundle *bundle, const uint8_t *request, size_t len);
/* Add a URL; one that is no http(s) URL, too long or too many is left out. */
void courier_add_url(struct courier_item *item, const char *url);

void courier_done(struct courier_bundle *bundle);

#endif
