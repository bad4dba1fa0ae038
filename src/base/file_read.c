/* SPDX-License-Identifier: ISC */
/* base/file_read.c -- files read whole. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/text.h"

enum { PIPE_WAIT_MS = 10000 }; /* for what writes into a pipe */

static int
fail(const char *path, struct err *err)
{
	return err_set(
	    err, REASON_FILE, "cannot read '%s': %s", path, strerror(errno));
}

/* What is opened; *ST is of that, or zeros for standard input, not of what PATH
 * names a moment later. */
static int
open_input(const char *path, struct stat *st, struct err *err)
{
	int fd;

	*st = (struct stat){0};
	if (strcmp(path, "-") == 0) {
		fd = dup(STDIN_FILENO);
		return fd == -1 ? fail(path, err) : fd;
	}
	/* O_NONBLOCK: opening a FIFO that nobody writes must not hang (I5). */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd == -1)
		return fail(path, err);
	if (fstat(fd, st) == -1 || S_ISDIR(st->st_mode)) {
		close(fd);
		errno = EISDIR;
		return fail(path, err);
	}
	if (!S_ISREG(st->st_mode) && !S_ISFIFO(st->st_mode)) {
		close(fd);
		return err_set(err, REASON_FILE,
		    "cannot read '%s': it is a device or a socket, not a file",
		    path);
	}
	return fd;
}

/* The next bytes.  A pipe of the shell, <(...), has a writer that may take its
 * time, but not for ever (I5). */
static ssize_t
read_some(int fd, char *chunk, size_t size, int64_t until_ms)
{
	for (;;) {
		struct pollfd pollfd = {.fd = fd, .events = POLLIN};
		ssize_t got = read(fd, chunk, size);
		int64_t left = until_ms - clock_mono_ms();

		if (got != -1 || (errno != EINTR && errno != EAGAIN))
			return got;
		if (left <= 0) {
			errno = ETIMEDOUT;
			return -1;
		}
		(void)poll(&pollfd, 1, left > INT_MAX ? -1 : (int)left);
	}
}

/* Read all of FD, which is closed. */
static int
read_all(int fd, const struct stat *st, const char *path, size_t max,
    uint8_t **out, size_t *len, struct err *err)
{
	struct buf data;
	char chunk[16384];
	ssize_t got;
	int64_t until_ms = INT64_MAX;

	if (strcmp(path, "-") != 0)
		until_ms = clock_mono_ms() + PIPE_WAIT_MS;
	buf_init(&data, max);
	while ((got = read_some(fd, chunk, sizeof(chunk), until_ms)) > 0 &&
	       !data.full) {
		buf_add(&data, chunk, (size_t)got);
		/* a hundred thousand are not asked twice */
		if (S_ISREG(st->st_mode) && (off_t)data.len == st->st_size)
			break;
	}
	if (got == -1)
		(void)fail(path, err);
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

int
file_read(
    const char *path, size_t max, uint8_t **out, size_t *len, struct err *err)
{
	struct stat st;
	int fd = open_input(path, &st, err);

	return fd == -1 ? -1 : read_all(fd, &st, path, max, out, len, err);
}

/* OURS: nobody else can have put it there. */
static int
check_secret(
    const struct stat *st, const char *path, bool ours, struct err *err)
{
	if (!S_ISREG(st->st_mode))
		return err_set(err, REASON_FILE,
		    "'%s' is no regular file: a secret is read of one only",
		    path);
	if ((st->st_mode & (S_IRWXG | S_IRWXO)) != 0)
		return err_set(err, REASON_FILE,
		    "'%s' holds a secret, but its mode %04o lets others at it: "
		    "run `chmod 600 %s`",
		    path, (unsigned)st->st_mode & 07777U, path);
	/* a link may be to another file of ours, of which more is known */
	if (ours && (st->st_uid != geteuid() || st->st_nlink != 1))
		return err_set(err, REASON_FILE,
		    "'%s' is not this user's own, with one name only", path);
	return 0;
}

static int
read_secret(const char *path, bool ours, size_t max, uint8_t **out, size_t *len,
    struct err *err)
{
	struct stat st;
	int fd = open_input(path, &st, err);

	if (fd == -1)
		return -1;
	if (check_secret(&st, path, ours, err) == -1) {
		close(fd);
		return -1;
	}
	return read_all(fd, &st, path, max, out, len, err);
}

int
file_read_secret(
    const char *path, size_t max, uint8_t **out, size_t *len, struct err *err)
{
	return read_secret(path, false, max, out, len, err);
}

int
file_read_own_secret(
    const char *path, size_t max, uint8_t **out, size_t *len, struct err *err)
{
	return read_secret(path, true, max, out, len, err);
}

int
file_holds(const char *path, const void *data, size_t len)
{
	uint8_t *have = NULL;
	size_t have_len = 0;
	int same;

	if (file_read(path, len, &have, &have_len, NULL) == -1)
		return 0;
	same = have_len == len && (len == 0 || memcmp(have, data, len) == 0);
	free(have);
	return same;
}
