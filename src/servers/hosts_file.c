/* SPDX-License-Identifier: ISC */
/* servers/hosts_file.c -- our block in a real hosts file. */
#include "servers/hosts_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "servers/hosts_text.h"

enum { LABEL_MAX = 4096, NEW_MODE = 0644 };

struct edit {
	char *path; /* of the file itself, links followed */
	bool exists;
	struct stat was;
	uint8_t *before;
	size_t before_len;
};

static int
fail(struct err *err, const char *what, const char *path)
{
	return err_set(err, REASON_FILE, "cannot %s '%s': %s", what, path,
	    errno == EBUSY ? "it is a mount of its own, as in a container: "
			     "change it where it comes from"
			   : strerror(errno));
}

/* What SELinux and access lists say of the old file goes over to the new one,
 * as far as we may and they are known here at all. */
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

static int
write_all(int fd, const char *data, size_t len)
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

static int
flush_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = mem_printf("%.*s", (int)(slash + 1 - path), path);
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd == -1 ? -1 : fsync(fd);

	if (fd != -1)
		close(fd);
	free(folder);
	return rc;
}

/* True if EDIT's file is not what it was when it was read. */
static bool
has_moved(const struct edit *edit)
{
	struct stat now;

	if (stat(edit->path, &now) == -1)
		return edit->exists;
	return !edit->exists || now.st_ino != edit->was.st_ino ||
	       now.st_size != edit->was.st_size ||
	       now.st_mtim.tv_sec != edit->was.st_mtim.tv_sec ||
	       now.st_mtim.tv_nsec != edit->was.st_mtim.tv_nsec;
}

/* Write TARGET as EDIT's file is owned: base/file.h knows no owner, and a file
 * that is root's for an instant only may be read wrongly by nobody. */
static int
replace(const struct edit *edit, const char *target, const void *data,
    size_t len, struct err *err)
{
	char *tmp = mem_printf("%s.oclasp.XXXXXX", target);
	int fd = mkostemp(tmp, O_CLOEXEC);
	int rc = -1;

	if (fd == -1) {
		(void)fail(err, "write beside", target);
		goto out;
	}
	if (edit->exists &&
	    (edit->was.st_uid != geteuid() || edit->was.st_gid != getegid()) &&
	    fchown(fd, edit->was.st_uid, edit->was.st_gid) == -1) {
		(void)fail(err, "keep the owner of", target);
		goto out;
	}
	if (fchmod(fd, edit->exists ? edit->was.st_mode & 07777 : NEW_MODE) ==
	    -1) {
		(void)fail(err, "keep the mode of", target);
		goto out;
	}
	if (edit->exists)
		copy_labels(edit->path, fd);
	if (write_all(fd, data, len) == -1 || fsync(fd) == -1) {
		(void)fail(err, "write", target);
		goto out;
	}
	if (has_moved(edit)) {
		(void)err_set(err, REASON_FILE,
		    "'%s' was changed by somebody else at this moment: "
		    "nothing was written, try again",
		    edit->path);
		goto out;
	}
	if (rename(tmp, target) == -1) {
		(void)fail(err, "replace", target);
		goto out;
	}
	rc = flush_folder(target) == -1 ? fail(err, "flush", target) : 0;
out:
	if (rc == -1 && fd != -1)
		(void)unlink(tmp); /* gone already if it was renamed */
	if (fd != -1)
		close(fd);
	free(tmp);
	return rc;
}

/* --- the file --- */

static int
open_edit(struct edit *edit, const char *path, struct err *err)
{
	struct stat link;
	char *real = realpath(path, NULL);

	if (real == NULL) {
		if (errno != ENOENT || lstat(path, &link) == 0)
			return fail(err, "follow", path);
		/* none yet: beside the folder's real name */
		edit->path = path[0] == '/' ? mem_string(path)
					    : mem_printf("./%s", path);
		return 0;
	}
	edit->path = real;
	if (stat(real, &edit->was) == -1)
		return fail(err, "read", real);
	if (!S_ISREG(edit->was.st_mode))
		return err_set(err, REASON_FILE,
		    "'%s' is no ordinary file: name another --hosts-file",
		    real);
	edit->exists = true;
	return file_read(
	    real, HOSTS_TEXT_MAX, &edit->before, &edit->before_len, err);
}

static int
save(const struct edit *edit, const struct buf *after, struct err *err)
{
	char *backup = mem_printf("%s.oclasp-backup", edit->path);
	int rc = 0;

	if (edit->exists)
		rc = replace(edit, backup, edit->before, edit->before_len, err);
	if (rc == 0)
		rc =
		    replace(edit, edit->path, buf_text(after), after->len, err);
	free(backup);
	return rc;
}

int
hosts_file_edit(
    const char *path, const char *lines, bool *changed, struct err *err)
{
	struct edit edit = {0};
	struct buf after;
	struct span before;
	bool had = false;
	int rc = -1;

	buf_init(&after, HOSTS_TEXT_MAX);
	if (open_edit(&edit, path, err) == -1)
		goto out;
	before = (struct span){edit.before, edit.before_len};
	rc = lines != NULL ? hosts_text_put(before, lines, &after, err)
			   : hosts_text_remove(before, &after, &had, err);
	if (rc == -1)
		goto out;
	*changed = !span_equal(before,
	    (struct span){(const uint8_t *)buf_text(&after), after.len});
	if (*changed)
		rc = save(&edit, &after, err);
out:
	buf_done(&after);
	free(edit.before);
	free(edit.path);
	return rc;
}
