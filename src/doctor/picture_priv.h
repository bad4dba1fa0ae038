/* SPDX-License-Identifier: ISC */
/* doctor/picture_priv.h -- the inside of a picture: its answers. */
#ifndef OCLASP_DOCTOR_PICTURE_PRIV_H
#define OCLASP_DOCTOR_PICTURE_PRIV_H

#include "doctor/picture.h"

/* --- picture_repeats.c --- */
void picture_compare_repeats(const struct picture *p, struct seen_asked *seen);

/* Take the fact INDEX, a question or an answer; the addresses of PICTURE are
 * known already, so each answer can be measured by them. */
void picture_take_question(struct picture *picture, size_t index);
void picture_take_datagram(struct picture *picture, size_t index);

/* What only comparing all answers of one resolver shows. */
void picture_compare(struct picture *picture, struct seen_asked *asked);

#endif
