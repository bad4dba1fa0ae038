/* SPDX-License-Identifier: ISC */
/* keep/process.h -- what the system says of this process, for the metrics. */
#ifndef OCLASP_KEEP_PROCESS_H
#define OCLASP_KEEP_PROCESS_H

#include <stdint.h>

#include "keep/metrics.h"

/* START: wall seconds, when this process began.  What cannot be had is 0. */
struct metrics_process process_look(int64_t start);

#endif
