/* SPDX-License-Identifier: ISC */
/* base/file.c -- files read whole, and replaced whole or not at all (I7). */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"

static int
fail(struct err *err, const char *what, const char *path)
{
	return err_set(err, REASON_FILE, "cannot %s '%s': %s", what, path,
	    strerror(errno));
}

static int
open_input(const char *path, struct err *err)
{
	struct stat st;
	int fd;

	if (strcmp(path, "-") == 0)
		return dup(STDIN_FILENO);
	/* O_NONBLOCK: opening a FIFO that nobody writes must not hang (I5). */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd == -1)
		return fail(err, "read", path);
	if (fstat(fd, &st) == -1 || S_ISDIR(st.st_mode)) {
		errno = EISDIR;
		close(fd);
		return fail(err, "read", path);
	}
	/* A pipe of the shell, <(...), has a writer: wait for its bytes. */
	(void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
	return fd;
}

int
file_read(
    const char *path, size_t max, uint8_t **out, size_t *len, struct err *err)
{
	struct buf data;
	char chunk[16384];
	ssize_t got;
	int fd = open_input(path, err);

	if (fd == -1)
		return fail(err, "read", path);
	buf_init(&data, max);
	while ((got = read(fd, chunk, sizeof(chunk))) != 0 && !data.full) {
		if (got == -1 && errno == EINTR)
			continue;
		if (got == -1)
			break;
		buf_add(&data, chunk, (size_t)got);
	}
	if (got == -1)
		(void)fail(err, "read", path);
	else if (data.full)
		(void)err_set(err, REASON_FILE,
		    "'%s' is larger than the %zu bytes that can be taken", path,
		    max);
	close(fd);
	if (got == -1 || data.full) {
		buf_done(&data);
		return -1;
	}
	*len = data.len;
	*out = (uint8_t *)buf_take(&data);
	return 0;
}

static int
write_all(int fd, const uint8_t *data, size_t len)
{
	while (len > 0) {
		ssize_t put = write(fd, data, len);

		if (put == -1 && errno == EINTR)
			continue;
		if (put == -1)
			return -1;
		data += put;
		len -= (size_t)put;
	}
	return 0;
}

/* The folder of PATH, opened. */
static int
open_folder(const char *path)
{
	char *copy = mem_string(path);
	int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	free(copy);
	return fd;
}

int
file_replace(const char *path, const void *data, size_t len, mode_t mode,
    struct err *err)
{
	char *tmp = mem_printf("%s.new.XXXXXX", path);
	int folder = open_folder(path);
	int fd = -1;
	int rc = -1;
	bool made = false;

	if (folder == -1)
		goto out;
	fd = mkostemp(tmp, O_CLOEXEC);
	if (fd == -1)
		goto out;
	made = true;
	if (fchmod(fd, mode) == -1 || write_all(fd, data, len) == -1 ||
	    fsync(fd) == -1)
		goto out;
	if (rename(tmp, path) == -1)
		goto out;
	made = false;
	/* The rename is durable only once the folder itself is on disk. */
	if (fsync(folder) == -1)
		goto out;
	rc = 0;
out:
	if (rc == -1)
		(void)fail(err, "write", path);
	if (made)
		(void)unlink(tmp);
	if (fd != -1)
		close(fd);
	if (folder != -1)
		close(folder);
	free(tmp);
	return rc;
}

int
file_holds(const char *path, const void *data, size_t len)
{
	uint8_t *have = NULL;
	size_t have_len = 0;
	int same;

	if (file_read(path, len, &have, &have_len, NULL) == -1)
		return 0;
	same = have_len == len && memcmp(have, data, len) == 0;
	free(have);
	return same;
}

int
file_make_dir(const char *path, mode_t mode, struct err *err)
{
	char *copy = mem_string(path);
	int rc = 0;

	for (char *slash = copy + 1;; slash++) {
		if (*slash != '/' && *slash != '\0')
			continue;
		char saved = *slash;

		*slash = '\0';
		if (mkdir(copy, mode) == -1 && errno != EEXIST) {
			rc = fail(err, "make the folder", copy);
			break;
		}
		*slash = saved;
		if (saved == '\0')
			break;
	}
	free(copy);
	return rc;
}

int
file_lock(const char *path, int *out, struct err *err)
{
	char pid[32] = "";
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);

	if (fd == -1)
		return fail(err, "lock", path);
	if (flock(fd, LOCK_EX | LOCK_NB) == -1) {
		ssize_t got = pread(fd, pid, sizeof(pid) - 1, 0);

		pid[got < 0 ? 0 : got] = '\0';
		pid[strcspn(pid, "\n")] = '\0';
		close(fd);
		return err_set(err, REASON_USAGE,
		    "another oclasp, process %s, already works in '%s': end it "
		    "or give this one its own --state-dir",
		    pid[0] == '\0' ? "unknown" : pid, path);
	}
	(void)snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
	if (ftruncate(fd, 0) == -1 ||
	    pwrite(fd, pid, strlen(pid), 0) != (ssize_t)strlen(pid)) {
		close(fd);
		return fail(err, "lock", path);
	}
	*out = fd;
	return 0;
}
