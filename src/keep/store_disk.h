/* SPDX-License-Identifier: ISC */
/* keep/store_disk.h -- changes into the database, whatever becomes of that.
 * Inside of the store: for store_writer.c. */
#ifndef OCLASP_KEEP_STORE_DISK_H
#define OCLASP_KEEP_STORE_DISK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "keep/store_priv.h"

/* A file by what it is, that another one may take the name of. */
struct store_file {
	dev_t dev;
	ino_t ino; /* 0: not known */
};

struct store_files {
	struct store_file database, log;
};

struct store_disk {
	const char *path; /* borrowed; must outlive */
	struct store_db db;
	struct store_files files; /* of the database that is open */
	unsigned generation;      /* which one that is, counted */
	int64_t aside_ms; /* monotonic: when one was set aside; 0: never */

	/* for others to take: */
	char *aside;    /* the name of the last that was set aside; owned */
	bool lacks_all; /* it is a new one, or not the one that was written */
};

/* True if the files at PATH are gone, or others: what is written goes nowhere.
 */
bool store_files_lost(const char *path, const struct store_files *known);

/* Open it as the owner. */
int store_disk_open(struct store_disk *disk, struct err *err);

/* Write ROWS, which may be none, all or none of them; opened anew, or begun
 * anew, if that is what it needs.  SUSPECT: somebody has met damage, so it is
 * examined. */
int store_disk_write(struct store_disk *disk, const struct store_row *rows,
    bool suspect, struct err *err);

void store_disk_close(struct store_disk *disk);

#endif
