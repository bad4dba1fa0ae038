/* SPDX-License-Identifier: ISC */
/* doctor/forged_pool.c -- addresses that forged answers were seen to use. */
#include "doctor/forged_pool.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "doctor/fact.h"

enum { POOL_FILE_MAX = 8 << 20 }; /* bytes */

static int
compare(const void *a, const void *b)
{
	char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

static int
pool_add(struct forged_pool *pool, char *line, int number, const char *path,
    struct err *err)
{
	unsigned char octets[sizeof(struct in6_addr)];
	char text[DNS_ADDRESS_TEXT];
	int family;

	line[strcspn(line, "# \t\r")] = '\0';
	family = strchr(line, ':') != NULL ? AF_INET6 : AF_INET;
	if (line[0] == '\0')
		return 0;
	if (inet_pton(family, line, octets) != 1 ||
	    inet_ntop(family, octets, text, sizeof(text)) == NULL)
		return err_set(err, REASON_USAGE,
		    "%s:%d: '%.60s' is no IP address", path, number, line);
	if (pool->count == FORGED_POOL_MAX)
		return err_set(err, REASON_USAGE, "%s: more than %d addresses",
		    path, FORGED_POOL_MAX);
	if ((pool->count & (pool->count + 1)) == 0) /* room doubles */
		pool->addresses = mem_resize(pool->addresses,
		    2 * (pool->count + 1), sizeof(pool->addresses[0]));
	pool->addresses[pool->count++] = mem_string(text);
	return 0;
}

int
forged_pool_load(const char *path, struct forged_pool *out, struct err *err)
{
	uint8_t *bytes = NULL;
	size_t len = 0;
	int number = 0, rc = 0;

	*out = (struct forged_pool){0};
	if (file_read(path, POOL_FILE_MAX, &bytes, &len, err) == -1)
		return -1;
	for (char *line = (char *)bytes, *next; line != NULL && rc == 0;
	     line = next) {
		next = strchr(line, '\n');
		if (next != NULL)
			*next++ = '\0';
		rc = pool_add(out, line, ++number, path, err);
	}
	free(bytes);
	if (rc == -1)
		forged_pool_done(out);
	else if (out->count > 0)
		qsort(out->addresses, out->count, sizeof(out->addresses[0]),
		    compare);
	return rc;
}

void
forged_pool_done(struct forged_pool *pool)
{
	for (size_t i = 0; i < pool->count; i++)
		free(pool->addresses[i]);
	free(pool->addresses);
	*pool = (struct forged_pool){0};
}

bool
forged_pool_has(const struct forged_pool *pool, const char *address)
{
	return pool != NULL && pool->count > 0 &&
	       bsearch(&address, pool->addresses, pool->count,
		   sizeof(pool->addresses[0]), compare) != NULL;
}

void
forged_pool_mark(const struct forged_pool *pool, struct facts *facts)
{
	for (size_t i = 0; i < facts->count; i++) {
		struct fact_datagram *d = &facts->items[i].u.datagram;

		if (facts->items[i].kind != FACT_DATAGRAM)
			continue;
		for (size_t a = 0; a < d->address_count; a++) {
			if (forged_pool_has(pool, d->addresses[a]))
				d->pooled |= 1U << a;
		}
	}
}
