/* SPDX-License-Identifier: ISC */
/* face/doctor_report.h -- the doctor's word: for a ticket, and for programs. */
#ifndef OCLASP_FACE_DOCTOR_REPORT_H
#define OCLASP_FACE_DOCTOR_REPORT_H

#include <jansson.h>

#include "base/text.h"
#include "doctor/finding.h"
#include "doctor/penalty_client.h"
#include "doctor/remedy.h"
#include "face/options.h"

/* What the server's first handshake was like. */
struct doctor_server {
	bool reached, stapled;
	bool no_issuer;                   /* nothing of the chain signed it */
	size_t chain_count, chain_octets; /* as sent */
	int64_t connect_ms, tls_ms;
};

struct doctor_report {
	const struct options *o;
	const char *target;
	struct remedy_subject subject; /* the same, as what it is */
	const struct facts *facts;
	const struct diagnosis *diagnosis;
	const struct penalty *penalty;      /* NULL: not measured */
	const struct doctor_server *server; /* NULL: none was given */
	int64_t elapsed_ms;
};

void doctor_report_text(const struct doctor_report *report);
void doctor_report_json(const struct doctor_report *report);

/* 0 for ok* and input-no-ocsp (not must-staple), 75 inconclusive, else 1. */
int doctor_report_exit(const struct doctor_report *report);

/* How wide an injection is, in words; "" if that is not known. */
void doctor_report_scope(const struct finding *f, char *out, size_t size);

/* --- doctor_penalty.c --- */
void doctor_penalty_text(const struct doctor_report *report);
json_t *doctor_penalty_json(const struct doctor_report *report);
void doctor_penalty_html(struct buf *out, const struct doctor_report *report);

/* One line for what FACT says; the line is its evidence. */
void doctor_report_fact(
    const struct facts *facts, size_t index, char *out, size_t size);

#endif
