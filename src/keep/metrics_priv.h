/* SPDX-License-Identifier: ISC */
/* keep/metrics_priv.h -- the inside of the metrics, for their two files:
 * metrics.c (counting) and metrics_text.c (the page). */
#ifndef OCLASP_KEEP_METRICS_PRIV_H
#define OCLASP_KEEP_METRICS_PRIV_H

#include "keep/metrics.h"

/* The upper bounds of the histogram's buckets, milliseconds. */
extern const int64_t metrics_bounds_ms[METRICS_BUCKETS];

#endif
