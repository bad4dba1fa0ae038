/* SPDX-License-Identifier: ISC */
/* face/doctor_report.h -- the doctor's word: for a ticket, and for programs. */
#ifndef OCLASP_FACE_DOCTOR_REPORT_H
#define OCLASP_FACE_DOCTOR_REPORT_H

#include "doctor/finding.h"
#include "doctor/penalty.h"
#include "face/options.h"

struct doctor_report {
	const struct options *o;
	const char *target;
	const struct facts *facts;
	const struct diagnosis *diagnosis;
	const struct penalty *penalty; /* NULL: not measured */
	int64_t elapsed_ms;
};

void doctor_report_text(const struct doctor_report *report);
void doctor_report_json(const struct doctor_report *report);

/* 0 for ok* and input-no-ocsp (not must-staple), 75 inconclusive, else 1. */
int doctor_report_exit(const struct doctor_report *report);

/* One line for what FACT says; the line is its evidence. */
void doctor_report_fact(
    const struct facts *facts, size_t index, char *out, size_t size);

#endif
