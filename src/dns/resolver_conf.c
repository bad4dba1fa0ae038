/* SPDX-License-Identifier: ISC */
/* dns/resolver_conf.c -- the nameservers of a resolv.conf(5). */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "dns/resolver.h"
#include "dns/resolver_part.h"

static bool
is_known(const struct resolver *list, size_t count, const struct resolver *r)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(list[i].url, r->url) == 0)
			return true;
	}
	return false;
}

/* resolv.conf(5): "The keyword and value must appear on a single line, and the
 * keyword must start the line.  The value follows the keyword, separated by
 * white space." */
size_t
resolver_parse_conf(const char *text, struct resolver *out, size_t max)
{
	static const char keyword[] = "nameserver";
	size_t count = 0;

	while (*text != '\0' && count < max) {
		size_t line = strcspn(text, "\n");
		const char *value = text + sizeof(keyword) - 1;
		struct resolver r;

		if (text_starts(text, keyword) && strspn(value, " \t") > 0) {
			value += strspn(value, " \t");
			if (resolver_from_ip(
				value, strcspn(value, " \t\r\n"), &r) &&
			    !is_known(out, count, &r))
				out[count++] = r;
		}
		text += line;
		text += *text == '\n' ? 1 : 0;
	}
	return count;
}

bool
resolver_is_stub(const struct resolver *resolver)
{
	return strcmp(resolver->url, "udp://127.0.0.53") == 0 ||
	       strcmp(resolver->url, "udp://127.0.0.54") == 0;
}

size_t
resolver_read_conf(const char *path, struct resolver *out, size_t max)
{
	uint8_t *text = NULL;
	size_t len = 0;
	size_t count;

	if (file_read(path, RESOLVER_CONF_MAX, &text, &len, NULL) != 0)
		return 0;
	count = resolver_parse_conf((const char *)text, out, max);
	free(text);
	return count;
}

size_t
resolver_join(struct resolver *list, size_t count, const struct resolver *more,
    size_t more_count)
{
	for (size_t i = 0; i < more_count && count < RESOLVERS_MAX; i++) {
		bool known = more[i].kind == RESOLVER_SYSTEM;

		for (size_t k = 0; k < count; k++)
			known = known || strcmp(list[k].url, more[i].url) == 0;
		if (!known)
			list[count++] = more[i];
	}
	return count;
}
