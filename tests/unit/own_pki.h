/* SPDX-License-Identifier: ISC */
/* tests/unit/own_pki.h -- one PKI for a whole program of tests, made once: keys
 * take their time.  make_pki and free_pki are the group's set-up and end.  To
 * be included last. */
#ifndef OCLASP_TESTS_OWN_PKI_H
#define OCLASP_TESTS_OWN_PKI_H

#include "pki_fixture.h"

static struct pki pki;

static inline int
make_pki(void **state)
{
	(void)state;
	pki = pki_make(PKI_EC);
	return 0;
}

static inline int
free_pki(void **state)
{
	(void)state;
	pki_done(&pki);
	return 0;
}

#endif
