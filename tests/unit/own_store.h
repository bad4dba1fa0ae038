/* SPDX-License-Identifier: ISC */
/* tests/unit/own_store.h -- each test's own folder, with the path of a database
 * that is not there yet.  To be included after cmocka.h. */
#ifndef OCLASP_TESTS_OWN_STORE_H
#define OCLASP_TESTS_OWN_STORE_H

#include "store_test.h"

static struct scratch scratch;
static char *path;

static inline int
set_up(void **state)
{
	(void)state;
	scratch_make(&scratch);
	path = scratch_path(&scratch, "oclasp.db");
	return 0;
}

static inline int
tear_down(void **state)
{
	(void)state;
	free(path);
	(void)chmod(scratch.dir, 0700); /* a test may have locked it */
	scratch_remove(&scratch);
	return 0;
}

#endif
