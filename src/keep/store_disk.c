/* SPDX-License-Identifier: ISC */
/* keep/store_disk.c -- changes into the database, whatever becomes of that.
 *
 * A database may be damaged, deleted or replaced by another one while it is at
 * work: then it is set aside if it is still there, and a new one begun. */
#include "keep/store_disk.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"

enum {
	ASIDE_EVERY_MS = 60000, /* a disk that damages all that is written to
				   it must not be filled with the remains */
};

static bool
look_at(const char *path, const char *suffix, struct store_file *out)
{
	char *name = mem_printf("%s%s", path, suffix);
	struct stat st;
	bool there = stat(name, &st) == 0;

	if (there)
		*out = (struct store_file){st.st_dev, st.st_ino};
	free(name);
	return there;
}

static bool
is_other(const char *path, const char *suffix, const struct store_file *known)
{
	struct store_file now;

	return known->ino != 0 &&
	       (!look_at(path, suffix, &now) || now.dev != known->dev ||
		   now.ino != known->ino);
}

bool
store_files_lost(const char *path, const struct store_files *known)
{
	return is_other(path, "", &known->database) ||
	       is_other(path, "-wal", &known->log);
}

static void
note_aside(struct store_disk *disk, char *aside)
{
	disk->aside_ms = clock_mono_ms();
	free(disk->aside);
	disk->aside = aside;
}

int
store_disk_open(struct store_disk *disk, struct err *err)
{
	struct store_owned owned = {0};
	int rc = store_own(&disk->db, disk->path, &owned, err);

	if (owned.aside != NULL)
		note_aside(disk, owned.aside);
	if (rc == -1)
		return -1;
	disk->files = (struct store_files){0};
	(void)look_at(disk->path, "", &disk->files.database);
	disk->generation++;
	disk->lacks_all = disk->lacks_all || owned.is_new;
	return 0;
}

/* The log of the one that is gone is no log of what is there by now. */
static void
leave(struct store_disk *disk)
{
	struct store_file now;

	store_db_abandon(&disk->db);
	disk->lacks_all = true;
	if (look_at(disk->path, "-wal", &now) &&
	    now.ino == disk->files.log.ino && now.dev == disk->files.log.dev)
		store_set_log_aside(disk->path);
}

static int
repair(struct store_disk *disk, struct err *err)
{
	char *aside;

	err_clear(err);
	if (disk->aside_ms != 0 &&
	    clock_mono_ms() - disk->aside_ms < ASIDE_EVERY_MS)
		return err_set(err, REASON_STORE,
		    "the store '%s' is damaged, and the one before it was a "
		    "minute ago: look at the disk",
		    disk->path);
	store_db_abandon(&disk->db);
	aside = store_set_aside(disk->path, err);
	if (aside == NULL)
		return -1;
	note_aside(disk, aside);
	return store_disk_open(disk, err);
}

static int
write_rows(
    struct store_disk *disk, const struct store_row *rows, struct err *err)
{
	bool good = true;

	if (store_begin(&disk->db, err) == -1)
		return -1;
	for (const struct store_row *row = rows; good && row != NULL;
	     row = row->next)
		good = row->apply(&disk->db, row, err) == 0;
	if (store_end(&disk->db, good, "write", err) == -1)
		return -1;
	if (disk->files.log.ino == 0)
		(void)look_at(disk->path, "-wal", &disk->files.log);
	return 0;
}

/* What failed is damage, which a new database mends. */
static bool
is_damaged(struct store_disk *disk, struct err *err)
{
	int code = disk->db.code & 0xff;

	/* ERROR: the tables are not what they were */
	if (code != SQLITE_CORRUPT && code != SQLITE_NOTADB &&
	    code != SQLITE_ERROR)
		return false;
	if (store_version(&disk->db) <= store_version_known())
		return true;
	err_clear(err);
	(void)err_set(err, REASON_STORE,
	    "the store '%s' was made new by a newer oclasp: start this one "
	    "anew",
	    disk->path);
	return false;
}

int
store_disk_write(struct store_disk *disk, const struct store_row *rows,
    bool suspect, struct err *err)
{
	bool damaged = false;

	if (disk->db.sqlite != NULL &&
	    store_files_lost(disk->path, &disk->files))
		leave(disk);
	if (disk->db.sqlite == NULL) {
		if (store_disk_open(disk, err) == -1)
			return -1;
	} else if (suspect) {
		damaged = store_examine(&disk->db) == STORE_DAMAGED;
	}
	if (!damaged) {
		if (write_rows(disk, rows, err) == 0)
			return 0;
		damaged = is_damaged(disk, err);
	}
	if (damaged)
		return repair(disk, err) == 0 ? write_rows(disk, rows, err)
					      : -1;
	/* a disk that has gone is perhaps mounted again, as another one */
	if ((disk->db.code & 0xff) == SQLITE_IOERR ||
	    (disk->db.code & 0xff) == SQLITE_READONLY)
		store_db_close(&disk->db);
	return -1;
}

void
store_disk_close(struct store_disk *disk)
{
	store_db_close(&disk->db);
	free(disk->aside);
	disk->aside = NULL;
}
