/* SPDX-License-Identifier: ISC */
/* keep/watch.h -- folders in which something happens (inotify(7)).
 *
 * To look at a hundred thousand files every two seconds costs more than all
 * else that a keeper does.  So the kernel is asked for word of their folders;
 * what it tells is a hint: where to look, not what to find.  Where it tells
 * nothing (a network's file system, no room for more watches, a file behind a
 * symbolic link) only looking helps, and the keeper looks at all files too,
 * in its own time. */
#ifndef OCLASP_KEEP_WATCH_H
#define OCLASP_KEEP_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

struct watch;
struct watch_folder;

enum {
	WATCH_SETTLE_MS = 200, /* what is still being written gets so long */
	WATCH_CROWD = 64, /* files in one folder; with more of them a name that
			     is none of theirs is no hint */
	WATCH_HOT_MAX = 65536, /* files to look at; what comes then is lost, and
				  found by looking at all */
};

/* A file that is watched; embedded in what it is about.  All zero: it is
 * not. */
struct watch_file {
	struct watch_folder *folder;
	struct watch_file *prev, *next;         /* in the same folder */
	struct watch_file *prev_hot, *next_hot; /* to be looked at */
	bool hot;
};

struct watch_callbacks {
	/* the file that was added with PATH, or NULL */
	struct watch_file *(*find)(void *cookie, const char *path);
	/* FILE may have changed, a moment ago */
	void (*changed)(void *cookie, struct watch_file *file);
};

/* NULL if the kernel has nothing of the kind to give. */
struct watch *watch_new(
    uv_loop_t *loop, const struct watch_callbacks *callbacks, void *cookie);
/* Also from within `changed`. */
void watch_free(struct watch **watch);

/* Watch FILE at PATH; nothing if it is watched already, except that its folder
 * is asked for again if it gave nothing.  WATCH may be NULL, here and below. */
void watch_add(struct watch *watch, struct watch_file *file, const char *path);
void watch_remove(struct watch *watch, struct watch_file *file);

/* True if word comes of FILE's folder. */
bool watch_hears(const struct watch_file *file);

#endif
