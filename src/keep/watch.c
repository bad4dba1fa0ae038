/* SPDX-License-Identifier: ISC */
/* keep/watch.c -- folders in which something happens (inotify(7)). */
#include "keep/watch.h"

#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>
#include <uthash.h>
#include <utlist.h>

#include "base/loop.h"
#include "base/mem.h"

enum {
	EVENTS_MAX = 65536, /* bytes of events read at a turn */
};

struct watch_folder {
	char *path; /* up to the last slash, as it was given */
	int number; /* of the kernel's watch; -1: it gives none */
	struct watch_file *files;
	size_t count;
	UT_hash_handle hh;        /* by path, */
	UT_hash_handle hh_number; /* and by number */
};

struct watch {
	uv_loop_t *loop;
	int fd;
	struct loop_watch *readable;
	struct loop_timer *settle;
	struct watch_folder *by_path, *by_number;
	struct watch_file *hot;
	size_t hot_count;
	struct watch_callbacks callbacks;
	void *cookie;
	bool telling, freed;
	/* as inotify(7) wants it to be */
	_Alignas(struct inotify_event) char events[EVENTS_MAX];
};

/* --- what was told --- */

static void
settled(void *cookie)
{
	struct watch *watch = cookie;

	watch->settle = NULL;
	watch->telling = true;
	/* the callback may free all of this: then nothing is hot any more */
	while (watch->hot != NULL) {
		struct watch_file *file = watch->hot;

		DL_DELETE2(watch->hot, file, prev_hot, next_hot);
		watch->hot_count--;
		file->hot = false;
		watch->callbacks.changed(watch->cookie, file);
	}
	watch->telling = false;
	if (watch->freed)
		free(watch);
}

static void
heat(struct watch *watch, struct watch_file *file)
{
	if (file->hot || watch->hot_count == WATCH_HOT_MAX)
		return;
	file->hot = true;
	watch->hot_count++;
	DL_APPEND2(watch->hot, file, prev_hot, next_hot);
	if (watch->settle == NULL)
		watch->settle = loop_timer_start(
		    watch->loop, WATCH_SETTLE_MS, settled, watch);
}

/* NAME is one of the folder's files, or what one of them leads to, as the
 * `..data` of Kubernetes. */
static void
heat_named(struct watch *watch, struct watch_folder *folder, const char *name)
{
	char *path = mem_printf("%s%s", folder->path, name);
	struct watch_file *file = watch->callbacks.find(watch->cookie, path);

	free(path);
	if (file != NULL && file->folder == folder) {
		heat(watch, file);
		return;
	}
	if (folder->count > WATCH_CROWD)
		return;
	for (file = folder->files; file != NULL; file = file->next)
		heat(watch, file);
}

static void
forget_number(struct watch *watch, struct watch_folder *folder)
{
	if (folder->number == -1)
		return;
	HASH_DELETE(hh_number, watch->by_number, folder);
	folder->number = -1;
}

static void
take_event(struct watch *watch, const struct inotify_event *event)
{
	struct watch_folder *folder = NULL;

	HASH_FIND(
	    hh_number, watch->by_number, &event->wd, sizeof(event->wd), folder);
	if (folder == NULL)
		return;
	if (event->len > 0)
		heat_named(watch, folder, event->name);
	/* the folder itself is gone, or another one now */
	if ((event->mask & (IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF)) != 0)
		forget_number(watch, folder);
}

static void
read_events(void *cookie, int status, int events)
{
	struct watch *watch = cookie;
	ssize_t len = read(watch->fd, watch->events, sizeof(watch->events));

	(void)status;
	(void)events;
	for (ssize_t at = 0; at < len;) {
		const struct inotify_event *event =
		    (const void *)(watch->events + at);

		take_event(watch, event);
		at += (ssize_t)(sizeof(*event) + event->len);
	}
}

/* --- folders --- */

/* What is written, renamed here or linked here. */
static void
ask(struct watch *watch, struct watch_folder *folder)
{
	const char *path = folder->path[0] == '\0' ? "." : folder->path;
	struct watch_folder *same = NULL;
	int number = inotify_add_watch(watch->fd, path,
	    IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_DELETE_SELF |
		IN_MOVE_SELF | IN_ONLYDIR);

	if (number == -1)
		return;
	/* two names of one folder: the kernel gives one number for both */
	HASH_FIND(hh_number, watch->by_number, &number, sizeof(number), same);
	if (same != NULL)
		return;
	folder->number = number;
	HASH_ADD(hh_number, watch->by_number, number, sizeof(number), folder);
}

static struct watch_folder *
folder_of(struct watch *watch, const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash == NULL ? 0 : (size_t)(slash + 1 - path);
	struct watch_folder *folder = NULL;

	HASH_FIND(hh, watch->by_path, path, len, folder);
	if (folder != NULL) {
		if (folder->number == -1)
			ask(watch, folder);
		return folder;
	}
	folder = mem_new(sizeof(*folder));
	folder->path = mem_string(path);
	folder->path[len] = '\0';
	folder->number = -1;
	HASH_ADD_KEYPTR(hh, watch->by_path, folder->path, len, folder);
	ask(watch, folder);
	return folder;
}

static void
drop_folder(struct watch *watch, struct watch_folder *folder)
{
	int number = folder->number;

	forget_number(watch, folder);
	if (number != -1)
		(void)inotify_rm_watch(watch->fd, number);
	HASH_DEL(watch->by_path, folder);
	free(folder->path);
	free(folder);
}

void
watch_add(struct watch *watch, struct watch_file *file, const char *path)
{
	if (watch == NULL)
		return;
	if (file->folder != NULL) {
		if (file->folder->number == -1)
			ask(watch, file->folder);
		return;
	}
	file->folder = folder_of(watch, path);
	DL_APPEND(file->folder->files, file);
	file->folder->count++;
}

void
watch_remove(struct watch *watch, struct watch_file *file)
{
	struct watch_folder *folder = file->folder;

	if (watch == NULL || folder == NULL)
		return;
	if (file->hot) {
		DL_DELETE2(watch->hot, file, prev_hot, next_hot);
		watch->hot_count--;
	}
	DL_DELETE(folder->files, file);
	*file = (struct watch_file){0};
	if (--folder->count == 0)
		drop_folder(watch, folder);
}

bool
watch_hears(const struct watch_file *file)
{
	return file->folder != NULL && file->folder->number != -1;
}

/* --- begin and end --- */

struct watch *
watch_new(
    uv_loop_t *loop, const struct watch_callbacks *callbacks, void *cookie)
{
	int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	struct watch *watch;

	if (fd == -1)
		return NULL;
	watch = mem_new(sizeof(*watch));
	watch->loop = loop;
	watch->fd = fd;
	watch->callbacks = *callbacks;
	watch->cookie = cookie;
	watch->readable =
	    loop_watch_start(loop, fd, UV_READABLE, read_events, watch);
	return watch;
}

void
watch_free(struct watch **watch)
{
	struct watch *w = *watch;
	struct watch_folder *folder, *next;

	*watch = NULL;
	if (w == NULL)
		return;
	HASH_ITER(hh, w->by_path, folder, next)
	{
		/* the folder goes with its last file */
		for (size_t left = folder->count; left > 0; left--)
			watch_remove(w, folder->files);
	}
	loop_timer_cancel(&w->settle);
	loop_watch_cancel(&w->readable);
	close(w->fd);
	w->freed = true;
	if (!w->telling)
		free(w);
}
