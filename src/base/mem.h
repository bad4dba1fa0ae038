/* SPDX-License-Identifier: ISC */
/* base/mem.h -- memory that is there or ends the program.
 *
 * All inputs are bounded (I5), so running out of memory means that the machine
 * is lost, not that an input was large: these abort with a message. */
#ifndef OCLASP_BASE_MEM_H
#define OCLASP_BASE_MEM_H

#include <stddef.h>

/* SIZE zeroed bytes; free() them. */
void *mem_new(size_t size);

/* COUNT zeroed elements of SIZE bytes, overflow checked. */
void *mem_array(size_t count, size_t size);

/* Grow or shrink OLD (or NULL) to COUNT elements of SIZE bytes. */
void *mem_resize(void *old, size_t count, size_t size);

/* A copy of LEN bytes (never NULL, also for LEN 0). */
void *mem_copy(const void *bytes, size_t len);

/* A copy of a string; NULL for NULL. */
char *mem_string(const char *text);

/* Give back to the system what is free.  To be called when much was freed and
 * little is about to be wanted: it takes some milliseconds. */
void mem_trim(void);

/* printf into fresh memory. */
__attribute__((format(printf, 1, 2))) char *mem_printf(const char *fmt, ...);

#endif
