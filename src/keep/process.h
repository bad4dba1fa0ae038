/* SPDX-License-Identifier: ISC */
/* keep/process.h -- this process: what the system says of it, for the metrics,
 * and what it may have. */
#ifndef OCLASP_KEEP_PROCESS_H
#define OCLASP_KEEP_PROCESS_H

#include <stdint.h>

#include "keep/metrics.h"

/* START: wall seconds, when this process began.  What cannot be had is 0. */
struct metrics_process process_look(int64_t start);

/* How many descriptors it may have at once; 0: not known. */
uint64_t process_max_files(void);

/* As many descriptors as the hard limit allows: each fetch, handshake and
 * client is one, and the soft limit is 1024 by habit (it is for programs that
 * use select(2), which this is not).  Where that is refused it stays. */
void process_raise_files(void);

#endif
