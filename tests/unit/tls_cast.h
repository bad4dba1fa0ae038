/* SPDX-License-Identifier: ISC */
/* tests/unit/tls_cast.h -- who may stand behind a TLS connection, for the tests
 * of whom we believe.  Made once: keys take their time. */
#ifndef OCLASP_TESTS_TLS_CAST_H
#define OCLASP_TESTS_TLS_CAST_H

#include "tls_script.h"

#define TLS_CAST_HOST "dns.test"

struct tls_cast {
	struct tls_identity ca;       /* whom ca_file names */
	struct tls_identity stranger; /* another CA of that name */
	/* of the CA: right; only by address; only in the subject; for another
	 * host; past; future; for d*.test */
	struct tls_identity good, by_ip, common_name, other, expired, early,
	    wildcard;
	struct tls_identity unknown;  /* of the stranger */
	struct tls_identity selfmade; /* by itself */
	char ca_file[32], junk_file[32];
};

static inline struct tls_identity
tls_cast_one(const struct tls_identity *issuer, const char *cn, const char *san,
    long from_s, long until_s)
{
	return tls_make(&(struct tls_spec){.cn = cn,
	    .san = san,
	    .issuer = issuer,
	    .from_s = from_s,
	    .until_s = until_s});
}

static inline void
tls_cast_make(struct tls_cast *cast)
{
	static const char host[] = "DNS:" TLS_CAST_HOST;
	const struct tls_identity *ca = &cast->ca;

	cast->ca = tls_make(&(struct tls_spec){.cn = "CA", .ca = true});
	cast->stranger = tls_make(&(struct tls_spec){.cn = "CA", .ca = true});
	cast->good = tls_cast_one(ca, "x", host, 0, 0);
	cast->by_ip = tls_cast_one(ca, "x", "IP:127.0.0.1", 0, 0);
	cast->common_name = tls_cast_one(ca, TLS_CAST_HOST, NULL, 0, 0);
	cast->other = tls_cast_one(ca, TLS_CAST_HOST, "DNS:other.test", 0, 0);
	cast->expired = tls_cast_one(ca, "x", host, -7200, -3600);
	cast->early = tls_cast_one(ca, "x", host, 3600, 7200);
	cast->wildcard = tls_cast_one(ca, "x", "DNS:d*.test", 0, 0);
	cast->unknown = tls_cast_one(&cast->stranger, "x", host, 0, 0);
	cast->selfmade = tls_cast_one(NULL, "x", host, 0, 0);
	tls_write(&cast->ca, cast->ca_file);
	tls_write(NULL, cast->junk_file);
}

static inline void
tls_cast_done(struct tls_cast *cast)
{
	struct tls_identity *all[] = {&cast->ca, &cast->stranger, &cast->good,
	    &cast->by_ip, &cast->common_name, &cast->other, &cast->expired,
	    &cast->early, &cast->wildcard, &cast->unknown, &cast->selfmade};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		tls_done(all[i]);
	(void)unlink(cast->ca_file);
	(void)unlink(cast->junk_file);
}

#endif
