/* SPDX-License-Identifier: ISC */
/* pki/staple_make.h -- the inside of a staple, for verify.c and staple.c only
 * (I1); tools/check-layers refuses any other file that includes it. */
#ifndef OCLASP_PKI_STAPLE_MAKE_H
#define OCLASP_PKI_STAPLE_MAKE_H

#include <stdatomic.h>

#include "pki/seal.h"
#include "pki/verify.h"

struct staple {
	struct verdict facts;
	atomic_size_t more_holders; /* beside the first */
	size_t len;                 /* of the response */
	char fingerprint[65];
	bool sealed; /* SEAL says so to us, next time */
	uint8_t seal[SEAL_LEN];
	uint8_t der[];
};

#endif
