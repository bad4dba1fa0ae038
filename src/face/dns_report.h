/* SPDX-License-Identifier: ISC */
/* face/dns_report.h -- what was asked and answered of a name, for readers. */
#ifndef OCLASP_FACE_DNS_REPORT_H
#define OCLASP_FACE_DNS_REPORT_H

#include <jansson.h>

#include "doctor/bisect.h"
#include "doctor/finding.h"
#include "doctor/remedy.h"
#include "face/options.h"

struct dns_report {
	const struct options *o;
	const char *name;
	const struct facts *facts;
	const struct diagnosis *diagnosis;
	const struct bisect *bisect; /* NULL: not asked for */
};

/* True if DIAGNOSIS's finding INDEX is about names: what `dns` tells. */
bool dns_report_tells(const struct diagnosis *diagnosis, size_t index);

void dns_report_json(const struct dns_report *report);
void dns_report_text(const struct dns_report *report);

/* The answers of FACTS as CONTRACT's `dns` has them; also of `doctor`. */
json_t *dns_report_answers(const struct facts *facts);
json_t *dns_report_bisect(const struct bisect *bisect);

/* One finding as CONTRACT's `doctor` has it; its remedy is for SUBJECT. */
json_t *dns_report_finding(const struct finding *finding,
    const struct facts *facts, const struct remedy_subject *subject);

#endif
