/* SPDX-License-Identifier: ISC */
/* pki/request_read.c -- what an OCSP request asks. */
#include "pki/request_read.h"

#include <string.h>

#include "pki/der.h"

static enum cert_id_hash
find_hash(struct span oid)
{
	static const uint8_t sha1[] = {0x2b, 0x0e, 3, 2, 0x1a};
	static const uint8_t sha256[] = {0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1};

	if (span_equal(oid, (struct span){sha1, sizeof(sha1)}))
		return CERT_ID_SHA1;
	if (span_equal(oid, (struct span){sha256, sizeof(sha256)}))
		return CERT_ID_SHA256;
	return CERT_ID_HASHES;
}

/* CertID ::= SEQUENCE { hashAlgorithm AlgorithmIdentifier, issuerNameHash,
 * issuerKeyHash OCTET STRING, serialNumber INTEGER } */
static void
read_id(struct der *request, struct cert_id *out)
{
	struct der id = der_enter(request, DER_SEQUENCE, "CertID");
	struct der algorithm = der_enter(&id, DER_SEQUENCE, "hashAlgorithm");

	out->hash = find_hash(der_oid(&algorithm, "hashAlgorithm"));
	out->name_hash = der_content(&id, DER_OCTET_STRING, "issuerNameHash");
	out->key_hash = der_content(&id, DER_OCTET_STRING, "issuerKeyHash");
	out->serial = der_integer(&id, "serialNumber");
	der_end(&id, "CertID");
	/* what nothing can match is of no known kind */
	if (out->name_hash.len != cert_id_hash_len(out->hash) ||
	    out->key_hash.len != cert_id_hash_len(out->hash))
		out->hash = CERT_ID_HASHES;
}

/* Request ::= SEQUENCE { reqCert CertID, singleRequestExtensions [0] } */
static void
read_list(struct der list, struct request_asked *out)
{
	out->count = 0;
	while (!der_at_end(&list)) {
		struct der one = der_enter(&list, DER_SEQUENCE, "Request");
		struct cert_id id;

		read_id(&one, &id);
		if (der_next_is(&one, DER_CONTEXT | 0))
			(void)der_content(&one, DER_CONTEXT | 0, "extensions");
		der_end(&one, "Request");
		if (out->count < REQUEST_ASKED_MAX)
			out->ids[out->count++] = id;
	}
}

/* Step over the next value if it is [NUMBER]. */
static void
skip(struct der *der, unsigned number)
{
	if (der_next_is(der, DER_CONTEXT | number))
		(void)der_content(der, DER_CONTEXT | number, "optional");
}

bool
request_read(struct span der, struct request_asked *out)
{
	struct der_fault fault = {0};
	struct der top = der_over(der, &fault);
	struct der request = der_enter(&top, DER_SEQUENCE, "OCSPRequest");
	struct der tbs = der_enter(&request, DER_SEQUENCE, "TBSRequest");

	if (der_next_is(&tbs, DER_CONTEXT | 0)) {
		struct der version =
		    der_enter(&tbs, DER_CONTEXT | 0, "version");

		/* v1 is the default, and written all the same by some */
		if (der_small(&version, DER_INTEGER, "version") != 0)
			der_fail(&version, "version");
		der_end(&version, "version");
	}
	skip(&tbs, 1); /* requestorName */
	read_list(der_enter(&tbs, DER_SEQUENCE, "requestList"), out);
	skip(&tbs, 2); /* requestExtensions */
	der_end(&tbs, "TBSRequest");
	skip(&request, 0); /* optionalSignature */
	der_end(&request, "OCSPRequest");
	der_end(&top, "OCSPRequest");
	return der_ok(&top) && out->count > 0;
}

/* --- a path --- */

enum { DIGIT_PAD = 64, DIGIT_SKIP = 65, X = 66 };

/* What an ASCII character is in base64; X: nothing.  A line's end is stepped
 * over, and a blank was a plus before somebody decoded it as in a form. */
/* clang-format off */
static const uint8_t digits[256] = {
    X, X, X, X, X, X, X, X, X, X, 65, X, X, 65, X, X,
    X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
    62, X, X, X, X, X, X, X, X, X, X, 62, X, X, X, 63,
    52, 53, 54, 55, 56, 57, 58, 59, 60, 61, X, X, X, 64, X, X,
    X, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
    15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, X, X, X, X, X,
    X, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
    41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, X, X, X, X, X,
    X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
    X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
    X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
    X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
    X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
    X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
    X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
    X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
};
/* clang-format on */

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The next character of *TEXT, which moves behind it, without its escape; 0 at
 * the end, and for an escape that is none. */
static unsigned char
next_character(const char **text)
{
	const char *at = *text;
	int high, low;

	if (at[0] != '%') {
		*text = at[0] == '\0' ? at : at + 1;
		return (unsigned char)at[0];
	}
	high = hex(at[1]);
	low = high < 0 ? -1 : hex(at[2]);
	*text = low < 0 ? at + strlen(at) : at + 3;
	return low < 0 ? 0 : (unsigned char)(high * 16 + low);
}

/* Whole groups of four digits that are written plainly, as most are; *TEXT moves
 * behind them.  How many octets they came to, of at most ROOM. */
static size_t
decode_plain(const char **text, uint8_t *out, size_t room)
{
	size_t len = 0;

	while (len + 3 <= room) {
		const unsigned char *t = (const unsigned char *)*text;
		unsigned a, b, c, d;

		/* one after the other: the end is no digit */
		if ((a = digits[t[0]]) >= DIGIT_PAD ||
		    (b = digits[t[1]]) >= DIGIT_PAD ||
		    (c = digits[t[2]]) >= DIGIT_PAD ||
		    (d = digits[t[3]]) >= DIGIT_PAD)
			break;
		out[len++] = (uint8_t)(a << 2 | b >> 4);
		out[len++] = (uint8_t)(b << 4 | c >> 2);
		out[len++] = (uint8_t)(c << 6 | d);
		*text += 4;
	}
	return len;
}

/* All of TEXT as base64; 0: it is none, or too long. */
static size_t
decode(const char *text, uint8_t out[REQUEST_PATH_MAX])
{
	uint32_t bits = 0;
	unsigned have = 0;
	bool padded = false;
	size_t len = 0;

	while (*text != '\0') {
		unsigned value;

		if (have == 0 && !padded)
			len += decode_plain(
			    &text, out + len, REQUEST_PATH_MAX - len);
		if (*text == '\0')
			break;
		value = digits[next_character(&text)];
		if (value == DIGIT_SKIP)
			continue;
		if (value == X || (padded && value != DIGIT_PAD))
			return 0;
		padded = value == DIGIT_PAD;
		if (padded)
			continue;
		bits = bits << 6 | value;
		have += 6;
		if (have >= 8) {
			if (len == REQUEST_PATH_MAX)
				return 0;
			have -= 8;
			out[len++] = (uint8_t)(bits >> have);
		}
	}
	return have < 6 ? len : 0; /* six bits left are no octet */
}

bool
request_read_path(
    const char *path, uint8_t der[REQUEST_PATH_MAX], struct request_asked *out)
{
	const char *at = path;

	for (size_t i = 0; i < REQUEST_PATH_PLACES && at != NULL; i++) {
		struct span bytes = {der, 0};
		const char *first;

		/* a SEQUENCE, 0x30, begins with this digit */
		at = strchr(at, '/');
		if (at == NULL)
			break;
		first = ++at;
		if (next_character(&first) == 'M')
			bytes.len = decode(at, der);
		if (bytes.len > 0 && request_read(bytes, out))
			return true;
	}
	return false;
}
