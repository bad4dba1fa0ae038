/* SPDX-License-Identifier: ISC */
/* servers/grow.h -- arrays that are doubled when they are full. */
#ifndef OCLASP_SERVERS_GROW_H
#define OCLASP_SERVERS_GROW_H

#include <stddef.h>

#include "base/mem.h"

/* ARRAY has COUNT elements of SIZE bytes and was only ever grown by this:
 * return it with room for one more.  Pointers into it are dead. */
static inline void *
grow(void *array, size_t count, size_t size)
{
	if ((count & (count - 1)) != 0)
		return array; /* no power of two: not full */
	return mem_resize(array, count == 0 ? 1 : 2 * count, size);
}

#endif
