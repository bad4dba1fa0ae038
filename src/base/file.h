/* SPDX-License-Identifier: ISC */
/* base/file.h -- files read whole, and replaced whole or not at all (I7). */
#ifndef OCLASP_BASE_FILE_H
#define OCLASP_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct err;
struct stat;

/* Read all of PATH, at most MAX bytes, into fresh memory with a NUL behind it
 * that *LEN does not count.  A larger file is an error, and so is anything
 * but a regular file or a pipe, whose writer has 10 s.  "-" is standard input,
 * which may be anything and take as long as it likes.  Errors: REASON_FILE. */
int file_read(
    const char *path, size_t max, uint8_t **out, size_t *len, struct err *err);

/* The same of a file that holds a secret: refused, unread, if its mode lets the
 * group or others at it, or if it is no regular file. */
int file_read_secret(
    const char *path, size_t max, uint8_t **out, size_t *len, struct err *err);

/* The same of a secret of our own making, where others may write to the folder:
 * refused, too, if it is another user's or has a second name. */
int file_read_own_secret(
    const char *path, size_t max, uint8_t **out, size_t *len, struct err *err);

/* Replace PATH by LEN bytes.  A reader sees the old bytes or the new ones,
 * never a mixture, and after success the new ones survive a power cut.  On
 * failure PATH holds the old bytes still, or, where only the last flush
 * failed, the new.  MODE is for the new file, whatever the umask.  A symbolic
 * link at PATH is replaced itself, not followed; what is no regular file, or a
 * link to none, is not replaced. */
int file_replace(const char *path, const void *data, size_t len, mode_t mode,
    struct err *err);

/* The same for one of many in a folder: that it is the new one survives a power
 * cut only after file_flush_folder(FOLDER).  Errors: REASON_FILE. */
int file_replace_unflushed(const char *path, const void *data, size_t len,
    mode_t mode, struct err *err);
int file_flush_folder(const char *folder, struct err *err);

/* The file that a new one is to be like. */
struct file_model {
	const char *path;
	const struct stat *seen; /* as stat(2) told of it when it was read;
				    NULL: there was none */
};

/* The same, for files that are somebody else's: what is there at last has
 * owner, group, mode, access list and security label of MODEL's file, and at no
 * moment more; MODE counts where there was none.  Refused, and nothing
 * written, if MODEL's file is not what was seen any more.  MODEL's path may be
 * PATH, or another one, as for a backup; NULL: file_replace. */
int file_replace_like(const char *path, const void *data, size_t len,
    mode_t mode, const struct file_model *model, struct err *err);

/* 1 if PATH holds exactly these bytes, else 0. */
int file_holds(const char *path, const void *data, size_t len);

/* A number that is another one when what is at PATH (a link is followed) has
 * changed: of its device, inode, size and time of modification.  0 if there is
 * nothing to look at. */
uint64_t file_stamp(const char *path);

/* Make the folder PATH and its parents, MODE for each new one.  After a failure
 * errno says which. */
int file_make_dir(const char *path, mode_t mode, struct err *err);

/* Take the lock file PATH for as long as this process lives and write our pid
 * into it.  If another process holds it: -1 with its pid in the text.  *OUT
 * is the open file; closing it gives the lock up.  On a disk that is full or
 * read-only the file is locked as it is, or its folder where there is none. */
int file_lock(const char *path, int *out, struct err *err);

/* True if a process holds the lock file PATH; *PID is the one that is written in
 * it, 0 if that cannot be known.  Nothing is made or changed. */
bool file_is_locked(const char *path, long *pid);

/* PATH from the root on, so that it means the same in another folder; it need
 * not be there.  Owned; NULL for NULL. */
char *file_absolute(const char *path);

#endif
