/* SPDX-License-Identifier: ISC */
/* servers/rollback.c -- files written, with what they held before. */
#include "servers/rollback.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "servers/grow.h"

struct rollback_file {
	char *path;
	bool existed;
	struct stat was; /* if so; else only its mode, that of a new one */
	uint8_t *before;
	size_t len;
};

/* Like what is there, which is what was SEEN; a new one where nothing is. */
static int
replace(const struct rollback_file *file, const struct stat *seen,
    const void *data, size_t len, struct err *err)
{
	const struct file_model model = {file->path, seen};

	return file_replace_like(
	    file->path, data, len, file->was.st_mode, &model, err);
}

/* Learn what PATH holds. */
static int
remember(
    struct rollback_file *file, const char *path, mode_t mode, struct err *err)
{
	struct stat st;

	*file = (struct rollback_file){.was.st_mode = mode};
	if (lstat(path, &st) == -1 && errno == ENOENT) {
		file->path = mem_string(path);
		return 0;
	}
	if (stat(path, &st) == -1)
		return err_set(err, REASON_FILE, "cannot read '%s': %s", path,
		    strerror(errno));
	if (st.st_uid != geteuid() && geteuid() != 0)
		return err_set(err, REASON_FILE,
		    "'%s' belongs to another user: run this as root or as its "
		    "owner",
		    path);
	if (file_read(
		path, ROLLBACK_FILE_MAX, &file->before, &file->len, err) == -1)
		return -1;
	file->path = mem_string(path);
	file->existed = true;
	file->was = st;
	return 0;
}

/* What was there, again. */
static int
put_back(const struct rollback_file *file, struct err *err)
{
	struct stat now;
	bool there = stat(file->path, &now) == 0;

	if (file_holds(file->path, file->before, file->len))
		return 0;
	return replace(file, there ? &now : NULL, file->before, file->len, err);
}

int
rollback_write(struct rollback *rollback, const char *path, const void *data,
    size_t len, mode_t mode, struct err *err)
{
	struct rollback_file file;

	if (remember(&file, path, mode, err) == -1)
		return -1;
	rollback->files = grow(rollback->files, rollback->count, sizeof(file));
	rollback->files[rollback->count++] = file;
	return replace(&file, file.existed ? &file.was : NULL, data, len, err);
}

/* Behind why the writing failed, if that is what ERR says. */
static void
tell(struct err *err, const struct err *undone)
{
	struct err first = {0};

	if (err == NULL)
		return;
	first = *err;
	err_clear(err);
	if (first.reason == REASON_NONE)
		*err = *undone;
	else
		(void)err_set(err, first.reason,
		    "%s; what was written before could not be put back: %s",
		    first.text, undone->text);
}

int
rollback_undo(struct rollback *rollback, struct err *err)
{
	struct err undone = {0};
	int rc = 0;

	for (size_t i = rollback->count; i > 0; i--) {
		const struct rollback_file *file = &rollback->files[i - 1];

		if (file->existed) {
			if (put_back(file, &undone) == -1)
				rc = -1;
		} else if (rc == 0 && unlink(file->path) == -1 &&
			   errno != ENOENT) {
			rc = err_set(&undone, REASON_FILE,
			    "cannot remove '%s': %s", file->path,
			    strerror(errno));
		}
	}
	if (rc == -1)
		tell(err, &undone);
	rollback_done(rollback);
	return rc;
}

void
rollback_done(struct rollback *rollback)
{
	for (size_t i = 0; i < rollback->count; i++) {
		free(rollback->files[i].path);
		free(rollback->files[i].before);
	}
	free(rollback->files);
	*rollback = (struct rollback){0};
}
