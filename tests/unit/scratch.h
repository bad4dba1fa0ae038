/* SPDX-License-Identifier: ISC */
/* tests/unit/scratch.h -- a folder of the test's own, and files in it. */
#ifndef OCLASP_TESTS_SCRATCH_H
#define OCLASP_TESTS_SCRATCH_H

#include <assert.h>
#include <dirent.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

struct scratch {
	char dir[64];
};

static inline void
scratch_make(struct scratch *scratch)
{
	(void)snprintf(scratch->dir, sizeof(scratch->dir), "%s",
	    "/tmp/oclasp-test.XXXXXX");
	assert(mkdtemp(scratch->dir) != NULL);
}

static inline int
scratch_remove_one(
    const char *path, const struct stat *st, int type, struct FTW *walk)
{
	(void)st;
	(void)type;
	(void)walk;
	return remove(path);
}

static inline void
scratch_remove(struct scratch *scratch)
{
	(void)nftw(scratch->dir, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* DIR/NAME, owned by the caller. */
static inline char *
scratch_path(const struct scratch *scratch, const char *name)
{
	return mem_printf("%s/%s", scratch->dir, name);
}

/* Write in place, as an editor does, not by rename. */
static inline void
scratch_write_bytes(const char *path, const void *bytes, size_t len)
{
	FILE *file = fopen(path, "w");

	assert(file != NULL);
	assert(fwrite(bytes, 1, len, file) == len);
	assert(fclose(file) == 0);
}

static inline void
scratch_write(const char *path, const char *text)
{
	scratch_write_bytes(path, text, strlen(text));
}

static inline bool
scratch_exists(const char *path)
{
	return access(path, F_OK) == 0;
}

/* How many entries DIR has, "." and ".." apart. */
static inline size_t
scratch_count(const char *path)
{
	DIR *folder = opendir(path);
	const struct dirent *entry;
	size_t count = 0;

	while (folder != NULL && (entry = readdir(folder)) != NULL) {
		if (entry->d_name[0] != '.')
			count++;
	}
	if (folder != NULL)
		(void)closedir(folder);
	return count;
}

#endif
