/* SPDX-License-Identifier: ISC */
/* keep/process.c -- what the system says of this process. */
#include "keep/process.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/file.h"

enum {
	STATM_MAX = 256, /* bytes of /proc/self/statm, seven numbers */
	FILES_LOOK_MAX = 1 << 20,
};

/* The first two numbers of proc(5)'s statm: pages in all, and resident. */
static void
look_at_memory(struct metrics_process *out)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	uint8_t *text = NULL;
	size_t len = 0;
	char *rest;

	if (file_read("/proc/self/statm", STATM_MAX, &text, &len, NULL) == -1)
		return;
	out->virtual = page * strtoull((const char *)text, &rest, 10);
	out->resident = page * strtoull(rest, NULL, 10);
	free(text);
}

static uint64_t
count_files(void)
{
	DIR *folder = opendir("/proc/self/fd");
	const struct dirent *entry;
	uint64_t count = 0;

	while (folder != NULL && count < FILES_LOOK_MAX &&
	       (entry = readdir(folder)) != NULL) {
		if (entry->d_name[0] != '.')
			count++;
	}
	if (folder == NULL)
		return 0;
	(void)closedir(folder);
	return count - 1; /* less the folder itself */
}

uint64_t
process_max_files(void)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 0;
}

struct metrics_process
process_look(int64_t start)
{
	struct metrics_process out = {.start = start};
	struct rusage usage;

	if (getrusage(RUSAGE_SELF, &usage) == 0)
		out.cpu_s =
		    (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
		    (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) /
			1e6;
	out.max_files = process_max_files();
	look_at_memory(&out);
	out.open_files = count_files();
	return out;
}

void
process_raise_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}
