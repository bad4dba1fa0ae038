/* SPDX-License-Identifier: ISC */
/* base/file.c -- files replaced whole or not at all (I7), folders and locks. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"

enum {
	LABEL_MAX = 4096, /* octets of an extended attribute */
	LOCK_TRIES = 10,  /* for a lock, with a pause between them */
	LOCK_PAUSE_MS = 3,
};

static int
fail(struct err *err, const char *what, const char *path)
{
	return err_set(err, REASON_FILE, "cannot %s '%s': %s", what, path,
	    errno == EBUSY ? "it is a mount of its own, as in a container: "
			     "change it where it comes from"
			   : strerror(errno));
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

/* What SELinux and access lists say of the file PATH goes over to FD, as far as
 * we may and they are known here at all. */
static void
copy_labels(const char *path, int fd)
{
	static const char *const names[] = {
	    "security.selinux", "system.posix_acl_access"};
	char value[LABEL_MAX];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		ssize_t len = getxattr(path, names[i], value, sizeof(value));

		if (len > 0)
			(void)fsetxattr(fd, names[i], value, (size_t)len, 0);
	}
}

/* Make FD, which nobody can name yet, like MODEL's file; PATH is for the
 * text. */
static int
take_after(
    int fd, const struct file_model *model, const char *path, struct err *err)
{
	const struct stat *was = model->seen;

	if ((was->st_uid != geteuid() || was->st_gid != getegid()) &&
	    fchown(fd, was->st_uid, was->st_gid) == -1)
		return fail(err, "keep the owner of", path);
	if (fchmod(fd, was->st_mode & 07777) == -1)
		return fail(err, "keep the mode of", path);
	copy_labels(model->path, fd);
	return 0;
}

/* Refuse if MODEL's file is not what it was when it was read. */
static int
check_unmoved(const struct file_model *model, struct err *err)
{
	const struct stat *was = model->seen;
	struct stat now;
	bool moved;

	if (stat(model->path, &now) == -1)
		moved = was != NULL;
	else
		moved = was == NULL || now.st_ino != was->st_ino ||
			now.st_size != was->st_size ||
			now.st_mtim.tv_sec != was->st_mtim.tv_sec ||
			now.st_mtim.tv_nsec != was->st_mtim.tv_nsec;
	if (!moved)
		return 0;
	return err_set(err, REASON_FILE,
	    "'%s' was changed by somebody else at this moment: nothing was "
	    "written, try again",
	    model->path);
}

/* A dot in front: servers read whole folders by patterns such as *, and must
 * not come upon it half written, nor after a crash.  Owned. */
static char *
name_beside(const char *path)
{
	const char *slash = strrchr(path, '/');
	int folder_len = slash == NULL ? 0 : (int)(slash + 1 - path);

	return mem_printf(
	    "%.*s.%s.new.XXXXXX", folder_len, path, path + folder_len);
}

/* Fill FD, and let it take the name PATH instead of TMP.  *MADE: TMP is still
 * there. */
static int
put_in_place(int fd, const char *tmp, const char *path, struct span data,
    const struct file_model *model, bool *made, struct err *err)
{
	if (write_all(fd, data.at, data.len) == -1 || fsync(fd) == -1)
		return fail(err, "write", path);
	if (model != NULL && check_unmoved(model, err) == -1)
		return -1;
	if (rename(tmp, path) == -1)
		return fail(err, "write", path);
	*made = false;
	return 0;
}

/* A device, a pipe or a socket is nothing to put a file in the place of, nor is
 * a name of one or of a descriptor, as /dev/stdout: done by root, the whole
 * machine would miss it. */
static int
check_kind(const char *path, struct err *err)
{
	static const char proc[] = "/proc/";
	char link[sizeof(proc) - 1] = "";
	struct stat st;
	bool there = lstat(path, &st) == 0;

	if (there && S_ISLNK(st.st_mode)) {
		if (readlink(path, link, sizeof(link)) == -1 ||
		    memcmp(link, proc, sizeof(link)) != 0)
			there = stat(path, &st) == 0;
	}
	if (!there || S_ISREG(st.st_mode))
		return 0;
	if (S_ISDIR(st.st_mode))
		return err_set(err, REASON_FILE,
		    "cannot write '%s': it is a folder: name a file in it",
		    path);
	return err_set(err, REASON_FILE,
	    "cannot write '%s': it is no file that could be replaced, but a "
	    "device, a pipe or a socket",
	    path);
}

/* FOLDER: to be flushed; -1: it is not. */
static int
replace(const char *path, struct span data, mode_t mode,
    const struct file_model *model, int folder, struct err *err)
{
	char *tmp = name_beside(path);
	bool made = false;
	int fd = -1;
	int rc = -1;

	if (check_kind(path, err) == -1)
		goto out;
	fd = mkostemp(tmp, O_CLOEXEC);
	made = fd != -1;
	if (fd == -1) {
		(void)fail(err, "write", path);
		goto out;
	}
	/* it is 0600 until here, and empty until it is as it shall be */
	if (model != NULL && model->seen != NULL) {
		if (take_after(fd, model, path, err) == -1)
			goto out;
	} else if (fchmod(fd, mode) == -1) {
		(void)fail(err, "write", path);
		goto out;
	}
	if (put_in_place(fd, tmp, path, data, model, &made, err) == -1)
		goto out;
	/* The rename is durable only once the folder itself is on disk. */
	rc = folder != -1 && fsync(folder) == -1 ? fail(err, "flush", path) : 0;
out:
	if (made)
		(void)unlink(tmp);
	if (fd != -1)
		close(fd);
	free(tmp);
	return rc;
}

int
file_replace_like(const char *path, const void *data, size_t len, mode_t mode,
    const struct file_model *model, struct err *err)
{
	int folder = open_folder(path);
	int rc;

	if (folder == -1)
		return fail(err, "write", path);
	rc = replace(path, (struct span){data, len}, mode, model, folder, err);
	close(folder);
	return rc;
}

int
file_replace_unflushed(const char *path, const void *data, size_t len,
    mode_t mode, struct err *err)
{
	return replace(path, (struct span){data, len}, mode, NULL, -1, err);
}

int
file_flush_folder(const char *folder, struct err *err)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd == -1 || fsync(fd) == -1 ? fail(err, "flush", folder) : 0;

	if (fd != -1)
		close(fd);
	return rc;
}

int
file_replace(const char *path, const void *data, size_t len, mode_t mode,
    struct err *err)
{
	return file_replace_like(path, data, len, mode, NULL, err);
}

uint64_t
file_stamp(const char *path)
{
	uint64_t stamp = UINT64_C(14695981039346656037); /* FNV-1a, by words */
	uint64_t facts[5];
	struct stat st;

	if (stat(path, &st) == -1)
		return 0;
	facts[0] = (uint64_t)st.st_dev;
	facts[1] = (uint64_t)st.st_ino;
	facts[2] = (uint64_t)st.st_size;
	facts[3] = (uint64_t)st.st_mtim.tv_sec;
	facts[4] = (uint64_t)st.st_mtim.tv_nsec;
	for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
		stamp = (stamp ^ facts[i]) * UINT64_C(1099511628211);
		/* a multiplication carries upwards only */
		stamp ^= stamp >> 32;
	}
	return stamp == 0 ? 1 : stamp;
}

int
file_make_dir(const char *path, mode_t mode, struct err *err)
{
	char *copy = mem_string(path);
	struct stat st;
	int rc = 0;

	/* from the second octet: "/" is there */
	for (char *slash = copy + (copy[0] != '\0');; slash++) {
		if (*slash != '/' && *slash != '\0')
			continue;
		char saved = *slash;

		*slash = '\0';
		if (mkdir(copy, mode) == -1 &&
		    (errno != EEXIST || stat(copy, &st) == -1 ||
			!S_ISDIR(st.st_mode))) {
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

/* The lock file, or what can be locked where it cannot be made or written: on
 * a disk that is full or was mounted read-only. *FOLDER: the folder, there
 * being no file. */
static int
open_lock(const char *path, bool *folder)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);

	*folder = false;
	if (fd != -1 || (errno != EROFS && errno != ENOSPC && errno != EDQUOT))
		return fd;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd != -1 || errno != ENOENT)
		return fd;
	*folder = true;
	return open_folder(path);
}

/* True, with errno, if it cannot be had.  Whoever only looks, as
 * file_is_locked() does, holds it for no time to speak of. */
static bool
is_busy(int fd)
{
	for (int tries = LOCK_TRIES; flock(fd, LOCK_EX | LOCK_NB) == -1;) {
		if (errno != EWOULDBLOCK || --tries == 0)
			return true;
		(void)poll(NULL, 0, LOCK_PAUSE_MS);
	}
	return false;
}

/* Somebody had no file to lock, and so has the folder. */
static bool
folder_is_locked(const char *path)
{
	int fd = open_folder(path);
	bool locked = fd != -1 && is_busy(fd) && errno == EWOULDBLOCK;

	if (fd != -1)
		close(fd);
	return locked;
}

/* The pid is for people: where there is no room for it the lock holds, too. */
static void
write_pid(int fd)
{
	char pid[32];

	(void)snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
	if (ftruncate(fd, 0) == 0)
		(void)!pwrite(fd, pid, strlen(pid), 0);
}

static void
read_pid(int fd, char pid[32])
{
	ssize_t got = pread(fd, pid, 31, 0);

	pid[got < 0 ? 0 : got] = '\0';
	pid[strcspn(pid, "\n")] = '\0';
}

bool
file_is_locked(const char *path, long *pid)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool locked = fd != -1 && flock(fd, LOCK_SH | LOCK_NB) == -1 &&
		      errno == EWOULDBLOCK;
	char text[32] = "";
	int64_t number;

	*pid = 0;
	if (locked)
		read_pid(fd, text);
	if (text_number(text, 1, INT32_MAX, &number))
		*pid = (long)number;
	if (fd != -1)
		close(fd);
	return locked || folder_is_locked(path);
}

int
file_lock(const char *path, int *out, struct err *err)
{
	char pid[32] = "";
	bool folder, busy;
	int fd = open_lock(path, &folder);

	if (fd == -1)
		return fail(err, "lock", path);
	busy = is_busy(fd);
	if (busy && errno != EWOULDBLOCK) { /* a file system without locks */
		(void)fail(err, "lock", path);
		close(fd);
		return -1;
	}
	if (busy || (!folder && folder_is_locked(path))) {
		if (!folder)
			read_pid(fd, pid);
		close(fd);
		return err_set(err, REASON_USAGE,
		    "another oclasp, process %s, already works in '%s': end it "
		    "or give this one its own --state-dir",
		    pid[0] == '\0' ? "unknown" : pid, path);
	}
	if (!folder)
		write_pid(fd);
	*out = fd;
	return 0;
}

char *
file_absolute(const char *path)
{
	char *here, *whole;

	if (path == NULL || path[0] == '/')
		return mem_string(path);
	here = getcwd(NULL, 0);
	whole = mem_printf(
	    "%s/%s", here == NULL || strcmp(here, "/") == 0 ? "" : here, path);
	free(here);
	return whole;
}
