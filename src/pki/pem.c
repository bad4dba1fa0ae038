/* SPDX-License-Identifier: ISC */
/* pki/pem.c -- the certificates in a PEM file, block by block. */
#include "pki/pem.h"

#include <string.h>

#include "base/base64.h"

static const char begin[] = "-----BEGIN ";

bool
pem_has_block(const void *text, size_t len)
{
	return memmem(text, len, begin, sizeof(begin) - 1) != NULL;
}

/* True if AT, behind FROM, is in a line that begins with #: OpenSSL does not take
 * what is commented out for a block either. */
static bool
is_comment(const char *from, const char *at)
{
	const char *line = memrchr(from, '\n', (size_t)(at - from));

	line = line == NULL ? from : line + 1;
	while (line < at && (*line == ' ' || *line == '\t'))
		line++;
	return *line == '#';
}

/* The next BEGIN line from AT, or END. */
static const char *
next_block(const char *at, const char *end)
{
	const char *found;

	while (at != NULL && (found = memmem(at, (size_t)(end - at), begin,
				  sizeof(begin) - 1)) != NULL) {
		if (!is_comment(at, found))
			return found;
		at = memchr(found, '\n', (size_t)(end - found));
	}
	return end;
}

struct pem
pem_over(const void *text, size_t len)
{
	const char *at = text;

	return (struct pem){next_block(at, at + len), at + len};
}

static bool
starts(const char *at, const char *end, const char *text)
{
	size_t len = strlen(text);

	return (size_t)(end - at) >= len && memcmp(at, text, len) == 0;
}

/* What a block is called that holds a certificate. */
static bool
is_certificate_label(const char *at, const char *end)
{
	return starts(at, end, "CERTIFICATE-----") ||
	       starts(at, end, "X509 CERTIFICATE-----") ||
	       starts(at, end, "TRUSTED CERTIFICATE-----");
}

bool
pem_next(struct pem *pem, struct span *block)
{
	while (pem->next != pem->end) {
		const char *at = pem->next;
		const char *label = at + sizeof(begin) - 1;

		pem->next = next_block(label, pem->end);
		if (!is_certificate_label(label, pem->end))
			continue;
		*block = (struct span){
		    (const uint8_t *)at, (size_t)(pem->next - at)};
		return true;
	}
	return false;
}

bool
pem_decode(struct span block, uint8_t **der, size_t *len)
{
	static const char head[] = "-----BEGIN CERTIFICATE-----";
	static const char tail[] = "-----END CERTIFICATE-----";
	const char *at = (const char *)block.at, *end = at + block.len;
	const char *stop;

	if (!starts(at, end, head))
		return false;
	at += sizeof(head) - 1;
	stop = memmem(at, (size_t)(end - at), tail, sizeof(tail) - 1);
	return stop != NULL &&
	       base64_read_lines(at, (size_t)(stop - at), der, len);
}
