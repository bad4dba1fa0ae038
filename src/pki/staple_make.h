/* SPDX-License-Identifier: ISC */
/* pki/staple_make.h -- the inside of a staple, for verify.c and staple.c only
 * (I1); tools/check-layers refuses any other file that includes it. */
#ifndef OCLASP_PKI_STAPLE_MAKE_H
#define OCLASP_PKI_STAPLE_MAKE_H

#include "pki/verify.h"

struct staple {
	uint8_t *der;
	size_t len;
	size_t more_holders; /* beside the first */
	char fingerprint[65];
	struct verdict facts;
};

#endif
