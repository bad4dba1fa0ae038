/* SPDX-License-Identifier: ISC */
/* tests/unit/own_cast.h -- the cast of a whole program of tests: make_all and
 * free_all are the group's set-up and end.  To be included after cmocka.h. */
#ifndef OCLASP_TESTS_OWN_CAST_H
#define OCLASP_TESTS_OWN_CAST_H

#include "tls_cast.h"

static struct tls_cast cast;

static inline int
make_all(void **state)
{
	(void)state;
	tls_cast_make(&cast);
	return 0;
}

static inline int
free_all(void **state)
{
	(void)state;
	tls_cast_done(&cast);
	return 0;
}

#endif
