/* SPDX-License-Identifier: ISC */
/* pki/request_read.h -- what an OCSP request asks: octets from anybody in, spans
 * out, without an allocation.  For whoever answers; who only looks at a request
 * has pki/request.h.
 *
 * Pure.  RFC 6960, section 4.1.1 and appendix A.1; RFC 9919, section 3. */
#ifndef OCLASP_PKI_REQUEST_READ_H
#define OCLASP_PKI_REQUEST_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "pki/cert_id.h"

enum {
	/* CertIDs looked at of one request.  A client must send one (RFC 9919,
	 * section 3.1.1); those that send more want an answer all the same. */
	REQUEST_ASKED_MAX = 8,
	REQUEST_PATH_MAX = 4096, /* octets of a request in a path */
	/* Places in a path where a request may begin: what stands in front of
	 * it is the URL's own path, and slashes may be within it. */
	REQUEST_PATH_PLACES = 16,
};

struct request_asked {
	struct cert_id ids[REQUEST_ASKED_MAX];
	size_t count; /* one at the least */
};

/* Read a request.  Extensions (a nonce), the requestor's name and a signature
 * are stepped over.  False: it is none, with *OUT undefined. */
bool request_read(struct span der, struct request_asked *out);

/* The same from the PATH of a GET, decoded into DER, which *OUT points into.
 * The base64 may be percent-encoded wholly, partly or not at all, and lack its
 * padding; the request begins behind any slash. */
bool request_read_path(
    const char *path, uint8_t der[REQUEST_PATH_MAX], struct request_asked *out);

#endif
