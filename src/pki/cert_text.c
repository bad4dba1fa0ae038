/* SPDX-License-Identifier: ISC */
/* pki/cert_text.c -- what stands in a certificate, as text for people. */
#include "pki/cert_text.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <string.h>

#include "base/mem.h"

enum { TEXT_MAX = 2048 }; /* octets of a name taken */

char *
cert_text_bio(BIO *bio)
{
	char *data = NULL;
	long len = BIO_get_mem_data(bio, &data);
	char *text = mem_new((size_t)(len < 0 ? 0 : len) + 1);

	if (len > 0)
		memcpy(text, data, (size_t)len);
	BIO_free(bio);
	return text;
}

char *
cert_text_name(const X509_NAME *name)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;

	/* UTF-8 stays readable; of control characters OpenSSL escapes those of
	 * ASCII, and text_clean() takes U+0080 to U+009F. */
	(void)X509_NAME_print_ex(bio, name, 0,
	    XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB);
	text = cert_text_bio(bio);
	text_clean(text);
	return text;
}

char *
cert_text_plain(struct span octets)
{
	char *text;

	if (octets.len == 0 || octets.len > TEXT_MAX)
		return NULL;
	for (size_t i = 0; i < octets.len; i++) {
		if (octets.at[i] <= ' ' || octets.at[i] > '~')
			return NULL;
	}
	text = mem_new(octets.len + 1);
	memcpy(text, octets.at, octets.len);
	return text;
}

char *
cert_text_url(struct span octets)
{
	char *plain = cert_text_plain(octets);
	struct buf url;

	if (plain != NULL || octets.len == 0)
		return plain;
	buf_init(&url, CERT_TEXT_URL_MAX + 2);
	for (size_t i = 0; i < octets.len && url.len < CERT_TEXT_URL_MAX; i++) {
		if (octets.at[i] <= ' ' || octets.at[i] > '~')
			buf_printf(&url, "%%%02X", octets.at[i]);
		else
			buf_add(&url, octets.at + i, 1);
	}
	return buf_take(&url);
}

char *
cert_text_address(struct span octets)
{
	char text[INET6_ADDRSTRLEN];

	if ((octets.len != 4 && octets.len != 16) ||
	    inet_ntop(octets.len == 4 ? AF_INET : AF_INET6, octets.at, text,
		sizeof(text)) == NULL)
		return NULL;
	return mem_string(text);
}
