/* SPDX-License-Identifier: ISC */
/* dns/resolver_text.c -- resolvers as people write them: URLs. */
#include <arpa/inet.h>
#include <ctype.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "dns/resolver.h"
#include "dns/resolver_part.h"

/* What a URL says beside its address. */
static const struct scheme {
	enum resolver_kind kind;
	const char *prefix;
	int port;
} schemes[] = {
    {RESOLVER_UDP, "udp://", 53},
    {RESOLVER_TCP, "tcp://", 53},
    {RESOLVER_TLS, "tls://", 853},
};

enum {
	SCHEMES = sizeof(schemes) / sizeof(schemes[0]),
	HTTPS_PORT = 443,
	IP_TEXT_MAX = INET6_ADDRSTRLEN + IF_NAMESIZE, /* "fe80::1%eth0" */
};

/* --- addresses --- */

/* Read the address TEXT (LEN characters), which may name an interface for a
 * link-local one; TO gets its canonical text, in brackets if IPv6.  False if it
 * is no address. */
static bool
read_address(const char *text, size_t len, int port,
    struct sockaddr_storage *out, char to[IP_TEXT_MAX + 2])
{
	struct sockaddr_storage found = {0};
	struct sockaddr_in *v4 = (struct sockaddr_in *)&found;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&found;
	char address[IP_TEXT_MAX] = "";
	char canonical[INET6_ADDRSTRLEN] = "";
	char *zone;

	if (len >= sizeof(address))
		return false;
	memcpy(address, text, len);
	if (inet_pton(AF_INET, address, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons((uint16_t)port);
		(void)inet_ntop(AF_INET, &v4->sin_addr, to, IP_TEXT_MAX);
		*out = found;
		return true;
	}
	zone = strchr(address, '%');
	if (zone != NULL) {
		*zone++ = '\0';
		/* The kernel knows "lo:x" as an alias of "lo". */
		if (strpbrk(zone, ":[]%/") != NULL)
			return false;
		v6->sin6_scope_id = if_nametoindex(zone);
		if (v6->sin6_scope_id == 0)
			return false;
	}
	if (inet_pton(AF_INET6, address, &v6->sin6_addr) != 1)
		return false;
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons((uint16_t)port);
	(void)inet_ntop(AF_INET6, &v6->sin6_addr, canonical, sizeof(canonical));
	(void)snprintf(to, IP_TEXT_MAX + 2, "[%s%s%s]", canonical,
	    zone != NULL ? "%" : "", zone != NULL ? zone : "");
	*out = found;
	return true;
}

static bool
from_address(const struct scheme *scheme, const char *text, size_t len,
    int port, struct resolver *out)
{
	struct resolver r = {.kind = scheme->kind};
	char canonical[IP_TEXT_MAX + 2];
	char suffix[8] = "";

	if (!read_address(text, len, port, &r.address, canonical))
		return false;
	if (port != scheme->port)
		(void)snprintf(suffix, sizeof(suffix), ":%d", port);
	(void)snprintf(
	    r.url, sizeof(r.url), "%s%s%s", scheme->prefix, canonical, suffix);
	*out = r;
	return true;
}

bool
resolver_from_ip(const char *text, size_t len, struct resolver *out)
{
	return from_address(&schemes[0], text, len, schemes[0].port, out);
}

/* "HOST:port", "HOST", "[IPv6]:port", "[IPv6]" in TEXT: where the host is,
 * without the brackets, and the port.  False for anything else. */
static bool
split_authority(const char *text, const char **host, size_t *len, int64_t *port)
{
	const char *colon = strrchr(text, ':');
	const char *rest = text + strlen(text);

	*host = text;
	*len = strlen(text);
	if (*text == '[') {
		rest = strchr(text, ']');
		if (rest == NULL ||
		    memchr(text, ':', (size_t)(rest - text)) == NULL)
			return false; /* brackets are for IPv6 */
		*host = text + 1;
		*len = (size_t)(rest - *host);
		rest++;
	} else if (colon != NULL) {
		if (strchr(text, ':') != colon)
			return false;
		*len = (size_t)(colon - text);
		rest = colon;
	}
	if (*rest == ':')
		return text_number(rest + 1, 1, 65535, port);
	return *rest == '\0';
}

/* "IP", "IPv4:port", "[IPv6]", "[IPv6]:port". */
static bool
from_authority(
    const struct scheme *scheme, const char *text, struct resolver *out)
{
	const char *host;
	size_t len;
	int64_t port = scheme->port;

	/* An IPv6 address without brackets has no port. */
	if (from_address(scheme, text, strlen(text), scheme->port, out))
		return true;
	return split_authority(text, &host, &len, &port) &&
	       from_address(scheme, host, len, (int)port, out);
}

/* --- names and keys --- */

static bool
is_literal(const char *name)
{
	struct in6_addr octets;

	return inet_pton(AF_INET, name, &octets) == 1 ||
	       inet_pton(AF_INET6, name, &octets) == 1;
}

/* A host name of LEN characters, in lower case to OUT.  An address is none. */
static bool
read_name(const char *text, size_t len, char out[RESOLVER_NAME_TEXT])
{
	char name[RESOLVER_NAME_TEXT] = "";

	if (len == 0 || len >= sizeof(name) || text[0] == '.' || text[0] == '-')
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (!isascii(c) ||
		    (!isalnum(c) && c != '-' && c != '.' && c != '_'))
			return false;
		if (c == '.' && i > 0 && text[i - 1] == '.')
			return false;
		name[i] = (char)tolower(c);
	}
	if (is_literal(name))
		return false;
	memcpy(out, name, sizeof(name));
	return true;
}

/* The 32 octets of a SHA-256 in base64, RFC 4648 section 4: 43 digits and a
 * "=", of which the last digit's 2 low bits are 0. */
static bool
read_pin(const char *text, size_t len, uint8_t out[SECURE_PIN_SIZE])
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
	enum { DIGITS = 43 };
	uint8_t pin[SECURE_PIN_SIZE];
	uint32_t bits = 0;
	unsigned have = 0;
	size_t used = 0;

	if (len != DIGITS + 1 || text[DIGITS] != '=')
		return false;
	for (size_t i = 0; i < DIGITS; i++) {
		const char *digit = memchr(digits, text[i], 64);

		if (digit == NULL)
			return false;
		bits = (bits << 6 | (uint32_t)(digit - digits)) & 0xffff;
		have += 6;
		if (have >= 8 && used < sizeof(pin)) {
			have -= 8;
			pin[used++] = (uint8_t)(bits >> have & 0xff);
		}
	}
	if (used != sizeof(pin) || (bits & 3) != 0)
		return false;
	memcpy(out, pin, sizeof(pin));
	return true;
}

/* --- fragments --- */

/* One item behind the "#" of tls:// */
static bool
take_tls_item(const char *text, size_t len, bool first, struct resolver *r)
{
	static const char pin[] = "pin-sha256=";
	static const char insecure[] = "insecure";
	size_t at = sizeof(pin) - 1;

	if (r->insecure)
		return false; /* it stands alone */
	if (len > at && strncmp(text, pin, at) == 0)
		return r->pin_count < SECURE_PINS_MAX &&
		       read_pin(text + at, len - at, r->pins[r->pin_count++]);
	if (first && len == sizeof(insecure) - 1 &&
	    strncmp(text, insecure, len) == 0) {
		r->insecure = true;
		return true;
	}
	return first && read_name(text, len, r->name);
}

/* One address behind the "#" of https:// */
static bool
take_bootstrap(
    const char *text, size_t len, struct resolver *r, struct buf *canonical)
{
	struct sockaddr_storage ignored;
	char address[IP_TEXT_MAX + 2];
	const char *bare = text;
	size_t bare_len = len;

	if (len > 2 && text[0] == '[' && text[len - 1] == ']') {
		bare++;
		bare_len -= 2;
		if (memchr(bare, ':', bare_len) == NULL)
			return false;
	} else if (memchr(text, ':', len) != NULL) {
		return false;
	}
	if (r->bootstrap_count == RESOLVER_BOOTSTRAP_MAX ||
	    memchr(bare, '%', bare_len) != NULL ||
	    !read_address(bare, bare_len, 0, &ignored, address))
		return false;
	buf_printf(
	    canonical, "%s%s", r->bootstrap_count > 0 ? "," : "#", address);
	bare = address + (address[0] == '[' ? 1 : 0);
	bare_len = strcspn(bare, "]");
	memcpy(r->bootstrap[r->bootstrap_count], bare, bare_len);
	r->bootstrap[r->bootstrap_count++][bare_len] = '\0';
	return true;
}

/* The items of FRAGMENT, with commas between. */
static bool
take_fragment(const char *fragment, struct resolver *r, struct buf *canonical)
{
	bool first = true;

	for (;;) {
		size_t len = strcspn(fragment, ",");
		bool good = r->kind == RESOLVER_HTTPS
				? take_bootstrap(fragment, len, r, canonical)
				: take_tls_item(fragment, len, first, r);

		if (!good)
			return false;
		if (fragment[len] == '\0')
			return true;
		fragment += len + 1;
		first = false;
	}
}

/* --- the kinds --- */

static bool
put_url(const struct buf *canonical, struct resolver *r)
{
	if (canonical->full)
		return false;
	memcpy(r->url, buf_text(canonical), canonical->len + 1);
	return true;
}

/* "IP[:853][#...]" */
static bool
from_tls(const struct scheme *scheme, const char *text, struct resolver *out)
{
	char authority[IP_TEXT_MAX + sizeof("[]:65535")];
	size_t len = strcspn(text, "#");
	struct buf canonical;
	bool good = true;

	if (len >= sizeof(authority))
		return false;
	memcpy(authority, text, len);
	authority[len] = '\0';
	if (!from_authority(scheme, authority, out))
		return false;
	if (text[len] == '\0')
		return true;
	buf_init(&canonical, sizeof(out->url) - 1);
	good = take_fragment(text + len + 1, out, NULL);
	buf_printf(&canonical, "%s#", out->url);
	/* the name in lower case, the pins as they were: those are canonical */
	if (out->name[0] != '\0')
		buf_printf(&canonical, "%s%s", out->name,
		    text + len + 1 + strlen(out->name));
	else
		buf_puts(&canonical, text + len + 1);
	good = good && put_url(&canonical, out);
	buf_done(&canonical);
	return good;
}

/* RFC 3986, section 3.3, but for what a template (RFC 8484, section 4.1.1)
 * would put there: we POST, so there is nothing to expand. */
static bool
is_path(const char *text, size_t len)
{
	if (len == 0 || text[0] != '/')
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (!isascii(c) || !isgraph(c) ||
		    strchr("{}<>\"\\^`|", c) != NULL)
			return false;
	}
	return true;
}

/* The "HOST[:port]" of https://; a host that is an address is where to
 * connect to as well. */
static bool
take_host(const char *authority, struct resolver *r, struct buf *canonical)
{
	struct sockaddr_storage ignored;
	char address[IP_TEXT_MAX + 2];
	const char *host;
	size_t len;
	int64_t port = HTTPS_PORT;

	if (!split_authority(authority, &host, &len, &port))
		return false;
	if (memchr(host, '%', len) == NULL &&
	    read_address(host, len, 0, &ignored, address)) {
		size_t bare = address[0] == '[' ? 1 : 0;

		len = strcspn(address + bare, "]");
		memcpy(r->name, address + bare, len);
		r->name[len] = '\0';
		buf_printf(canonical, "https://%s", address);
	} else {
		if (*authority == '[' || !read_name(host, len, r->name))
			return false;
		buf_printf(canonical, "https://%s", r->name);
	}
	if (port != HTTPS_PORT)
		buf_printf(canonical, ":%lld", (long long)port);
	return true;
}

/* "HOST[:443]/PATH[#IP,...]" */
static bool
from_https(const char *text, struct resolver *out)
{
	struct resolver r = {.kind = RESOLVER_HTTPS};
	char authority[RESOLVER_NAME_TEXT + sizeof(":65535")];
	size_t len = strcspn(text, "/#");
	size_t path_len = strcspn(text + len, "#");
	const char *rest = text + len + path_len;
	struct buf canonical;
	bool good;

	if (len >= sizeof(authority) || !is_path(text + len, path_len))
		return false;
	memcpy(authority, text, len);
	authority[len] = '\0';
	buf_init(&canonical, sizeof(r.url) - 1);
	good = take_host(authority, &r, &canonical);
	buf_add(&canonical, text + len, path_len);
	if (*rest == '#')
		good = good && take_fragment(rest + 1, &r, &canonical);
	else if (good && is_literal(r.name))
		memcpy(
		    r.bootstrap[r.bootstrap_count++], r.name, DNS_ADDRESS_TEXT);
	good = good && put_url(&canonical, &r);
	buf_done(&canonical);
	if (good)
		*out = r;
	return good;
}

static bool
from_url(const char *url, struct resolver *out)
{
	static const char https[] = "https://";

	if (text_starts(url, https))
		return from_https(url + sizeof(https) - 1, out);
	for (size_t i = 0; i < SCHEMES; i++) {
		const char *rest = url + strlen(schemes[i].prefix);

		if (!text_starts(url, schemes[i].prefix))
			continue;
		return schemes[i].kind == RESOLVER_TLS
			   ? from_tls(&schemes[i], rest, out)
			   : from_authority(&schemes[i], rest, out);
	}
	return from_authority(&schemes[0], url, out);
}

static const char *
form_of(const char *url)
{
	if (text_starts(url, "tls:"))
		return "tls://IP[:853][#NAME][,pin-sha256=BASE64] or "
		       "tls://IP#insecure";
	if (text_starts(url, "https:"))
		return "https://HOST/PATH[#IP,...], an IPv6 address in "
		       "brackets";
	if (text_starts(url, "tcp:"))
		return "tcp://IP[:53], an IPv6 address in brackets";
	return "system, udp://IP[:53], tcp://IP[:53], tls://IP[:853][#NAME], "
	       "https://HOST/PATH[#IP] or a plain IP";
}

int
resolver_parse(const char *url, struct resolver *out, struct err *err)
{
	struct resolver r = {.kind = RESOLVER_SYSTEM, .url = "system"};

	if (strcmp(url, "system") != 0 && !from_url(url, &r))
		return err_set(err, REASON_USAGE,
		    "'%.200s' is no resolver; write %s", url, form_of(url));
	*out = r;
	return 0;
}
