/* SPDX-License-Identifier: ISC */
/* pki/staple.c -- a staple: a response that was verified as good. */
#include "pki/staple.h"

#include <stdlib.h>
#include <string.h>

#include "pki/staple_make.h"

struct staple *
staple_share(struct staple *staple)
{
	(void)atomic_fetch_add_explicit(
	    &staple->more_holders, 1, memory_order_relaxed);
	return staple;
}

void
staple_free(struct staple *staple)
{
	/* whoever goes last sees none but himself */
	if (staple != NULL && atomic_fetch_sub_explicit(&staple->more_holders,
				  1, memory_order_acq_rel) == 0)
		free(staple);
}

void
staple_fetch_ahead(const struct staple *staple)
{
	enum {
		LINE = 64,   /* octets of a cache line */
		FIRST = 512, /* of a response; a processor sees by itself how
				it goes on */
	};
	const char *at = (const char *)staple;

	for (size_t i = 0; i < sizeof(*staple) + FIRST; i += LINE)
		__builtin_prefetch(at + i);
}

struct span
staple_der(const struct staple *staple)
{
	return (struct span){staple->der, staple->len};
}

struct span
staple_seal(const struct staple *staple)
{
	return (struct span){
	    staple->seal, staple->sealed ? sizeof(staple->seal) : 0};
}

const struct verdict *
staple_facts(const struct staple *staple)
{
	return &staple->facts;
}

const char *
staple_fingerprint(const struct staple *staple)
{
	return staple->fingerprint;
}

int64_t
staple_usable_until(const struct staple *staple)
{
	return verdict_usable_until(&staple->facts);
}

bool
staple_usable(const struct staple *staple, int64_t now)
{
	return now < staple_usable_until(staple);
}

bool
staple_better(const struct staple *have, const struct staple *next)
{
	if (have == NULL)
		return true;
	return strcmp(have->fingerprint, next->fingerprint) == 0 &&
	       next->facts.this_update > have->facts.this_update;
}
