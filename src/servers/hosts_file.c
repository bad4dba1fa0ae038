/* SPDX-License-Identifier: ISC */
/* servers/hosts_file.c -- our block in a real hosts file. */
#include "servers/hosts_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "servers/hosts_text.h"

enum { NEW_MODE = 0644 };

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
	    strerror(errno));
}

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
	const struct file_model model = {
	    edit->path, edit->exists ? &edit->was : NULL};
	char *backup = mem_printf("%s.oclasp-backup", edit->path);
	int rc = 0;

	if (edit->exists)
		rc = file_replace_like(backup, edit->before, edit->before_len,
		    NEW_MODE, &model, err);
	if (rc == 0)
		rc = file_replace_like(edit->path, buf_text(after), after->len,
		    NEW_MODE, &model, err);
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
