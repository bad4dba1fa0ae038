/* SPDX-License-Identifier: ISC */
/* base/mem.c -- memory that is there or ends the program. */
#include "base/mem.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *
must(void *memory)
{
	if (memory == NULL) {
		(void)fputs("oclasp: out of memory\n", stderr);
		abort();
	}
	return memory;
}

void *
mem_new(size_t size)
{
	return must(calloc(1, size == 0 ? 1 : size));
}

void *
mem_array(size_t count, size_t size)
{
	return must(calloc(count == 0 ? 1 : count, size));
}

void *
mem_resize(void *old, size_t count, size_t size)
{
	return must(reallocarray(old, count == 0 ? 1 : count, size));
}

void *
mem_copy(const void *bytes, size_t len)
{
	void *copy = mem_new(len);

	if (len > 0)
		memcpy(copy, bytes, len);
	return copy;
}

char *
mem_string(const char *text)
{
	return text == NULL ? NULL : must(strdup(text));
}

char *
mem_printf(const char *fmt, ...)
{
	char *out = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&out, fmt, ap) == -1)
		out = NULL;
	va_end(ap);
	return must(out);
}

void
mem_trim(void)
{
#ifdef __GLIBC__
	(void)malloc_trim(0);
#endif
}
