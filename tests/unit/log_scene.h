/* SPDX-License-Identifier: ISC */
/* tests/unit/log_scene.h -- what a keeper says of certificates of the status CA:
 * how many lines, and the last one.  begin and end are for the group or for each
 * test.  To be included after cmocka.h. */
#ifndef OCLASP_TESTS_LOG_SCENE_H
#define OCLASP_TESTS_LOG_SCENE_H

#include <stdio.h>

#include "base/log.h"
#include "status_fixture.h"

static struct status_ca ca;
static struct {
	size_t count;
	enum log_level level;
	char message[LOG_LINE_MAX];
} got;

static inline bool
listen_in(const struct log_entry *entry)
{
	got.count++;
	got.level = entry->level;
	(void)snprintf(got.message, sizeof(got.message), "%s", entry->message);
	return true;
}

static inline int
begin(void **state)
{
	(void)state;
	ca = status_ca_make();
	log_set_level(LOG_NOTICE);
	log_set_sink(listen_in);
	return 0;
}

static inline int
end(void **state)
{
	(void)state;
	log_set_sink(NULL);
	status_ca_done(&ca);
	return 0;
}

#endif
